"""The service fait: worked cases to the cent, and what must hold for any amounts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.calculateur.cas import TousLesCas, lire, tous
from api.calculateur.corpus import rejouer
from api.calculateur.reponse import en_json, repondre
from oi_service.money import cents, euros, round_cents
from rules.calcul import (
    Apports,
    AssietteInconnue,
    Conditions,
    Echantillon,
    LignesMarche,
    LignesPoste,
    LivrableVu,
    PosteConvenu,
    Resultat,
    TauxDecide,
    Unites,
    service_fait,
)

RECUEILS = [
    json.loads(p.read_text("utf-8")) for p in sorted(Path(__file__).with_name("cas").glob("*.json"))
]
CAS: list[dict[str, Any]] = [c for r in RECUEILS for c in r.get("cases", ()) if "bilans" in c]
CORPUS = [un for r in RECUEILS for un in tous(lire(r))]


# --- Worked cases --------------------------------------------------------------------------------


def test_the_corpus_is_whole() -> None:
    assert sorted(str(un.id) for un in CORPUS) == [
        *(f"CSF-{n:02}" for n in range(1, 33)),
        "MAQ-05",
    ]


@pytest.mark.parametrize("un", CORPUS, ids=lambda un: f"{un.id} {un.titre}")
def test_worked_cases(un: TousLesCas) -> None:
    [ligne] = rejouer([un])
    assert ligne.ecarts == ()


def tronquer(cas: dict[str, Any]) -> Any:
    return en_json(repondre(lire({**cas, "parametres": {"arrondi": "troncature"}})))


@pytest.mark.parametrize("cas", CAS, ids=lambda cas: cas["id"])
def test_worked_cases_with_truncation(cas: dict[str, Any]) -> None:
    for calcule, attendu in zip(tronquer(cas), cas["attendu"], strict=True):
        assert calcule["c2_taux"] == calcule["variante_c2_round_down"]
        if calcule["cout_total_retenu"] == attendu["cout_total_retenu"]:
            assert calcule["c2_taux"] == attendu["variante_c2_round_down"]


def test_what_truncation_changes_in_the_worked_cases() -> None:
    # It cuts what a correction leaves, never what it takes: CSF-17 gives what it gives rounded.
    dus = {cas["id"]: (cas["attendu"][-1], tronquer(cas)[-1]) for cas in CAS}
    assert {
        identifiant: (apres["cout_total_retenu"], apres["fse_du_cumule"])
        for identifiant, (avant, apres) in dus.items()
        if avant["fse_du_cumule"] != apres["fse_du_cumule"]
    } == {
        "CSF-02": ("87523.70", "43761.85"),
        "CSF-07": ("97999.98", "58799.98"),
        "CSF-08": ("113874.65", "56937.32"),
        "CSF-10": ("38333.29", "22999.97"),
        "CSF-12": ("59981.46", "35988.87"),
        "CSF-13": ("230700.05", "115350.02"),
        "CSF-15": ("98601.34", "49300.67"),
        "CSF-28": ("127027.33", "63513.66"),
        "CSF-29": ("21544.99", "8617.99"),
        "CSF-32": ("69999.98", "27999.98"),
    }


def test_the_displayed_rate_gives_another_amount_than_the_exact_one() -> None:
    [cas] = [c for c in CAS if c["id"] == "CSF-23"]
    [rendu] = en_json(repondre(lire({**cas, "parametres": {"taux_mode": "affiche"}})))
    assert (rendu["c2_taux"], rendu["fse_du_cumule"]) == ("48192.00", "48192.00")
    assert rendu["variante_c2_round_down"] == "48192.00"


def test_an_avance_may_wait_for_the_solde() -> None:
    [cas] = [c for c in CAS if c["id"] == "CSF-13"]
    rendus = en_json(repondre(lire({**cas, "parametres": {"imputation_avance": "sur_solde"}})))
    # 96 000,00 € may leave before the solde, of which 36 000,00 € did: nothing changes here.
    assert [r["a_payer"] for r in rendus] == ["60000.00", "19350.03"]
    sans_plafond = {**cas["convention"], "plafond_avant_solde_pct": "100"}
    libre = {**cas, "convention": sans_plafond, "parametres": {"imputation_avance": "sur_solde"}}
    rendus = en_json(repondre(lire(libre)))
    assert [(r["a_payer"], r["a_reverser"]) for r in rendus] == [
        ("84000.00", "0.00"),
        ("0.00", "4649.97"),
    ]


@pytest.mark.parametrize(
    ("identifiant", "ligne", "exact"),
    [
        ("CSF-28", "D2", Fraction("7.25") / Fraction("42.50") * 180_000_00),
        ("CSF-29", "D1", Fraction(43_215_60, 1720) * Fraction("612.5")),
    ],
)
def test_a_key_or_hours_give_the_declared_amount(
    identifiant: str, ligne: str, exact: Fraction
) -> None:
    [cas] = [c for c in CAS if c["id"] == identifiant]
    [depense] = [d for d in cas["bilans"][0]["depenses"] if d["id"] == ligne]
    assert cents(depense["montant_declare"]) == round_cents(exact)


# --- Single rules --------------------------------------------------------------------------------


def conditions(*postes: PosteConvenu, **autres: Any) -> Conditions:
    """Half of a 100 000 € operation paid by the Fund, all of it at real cost."""
    base: dict[str, Any] = {
        "fse_max_centimes": 50_000_00,
        "cout_total_eligible_centimes": 100_000_00,
        "postes": postes or (PosteConvenu(code="personnel"),),
    }
    return Conditions(**base | autres)


def lignes(code: str, declare: int, ecarte: int = 0) -> LignesPoste:
    return LignesPoste(code=code, declare_centimes=declare, ecarte_centimes=ecarte)


def bilan(*du: LignesPoste, final: bool = True, **autres: Any) -> Apports:
    return Apports(final=final, lignes=du, **autres)


def retenus(resultat: Resultat) -> dict[str, int]:
    return {p.code: p.retenu_centimes for p in resultat.postes}


def test_a_flat_rate_follows_the_postes_that_it_applies_to() -> None:
    indirectes = PosteConvenu(
        code="indirectes", mode="forfait", taux_pct=Decimal(15), assiette=("personnel",)
    )
    autres = PosteConvenu(
        code="autres", mode="forfait", taux_pct=Decimal("12.5"), assiette=("indirectes",)
    )
    suivis = conditions(PosteConvenu(code="personnel"), indirectes, autres)
    resultat = service_fait(suivis, [bilan(lignes("personnel", 1000_00, 100_00))])
    assert retenus(resultat) == {"personnel": 900_00, "indirectes": 135_00, "autres": 16_88}
    assert (resultat.postes[2].assiette_centimes, resultat.postes[2].taux_pct) == (
        135_00,
        Decimal("12.5"),
    )
    with pytest.raises(AssietteInconnue, match="« autres » porte sur le poste « indirectes »"):
        service_fait(conditions(PosteConvenu(code="personnel"), autres, indirectes), [bilan()])


def test_a_poste_without_lines_weighs_nothing_in_an_assiette_and_is_not_shown() -> None:
    forfait = PosteConvenu(
        code="indirectes", mode="forfait", taux_pct=Decimal(15), assiette=("personnel",)
    )
    resultat = service_fait(conditions(PosteConvenu(code="personnel"), forfait), [bilan()])
    assert retenus(resultat) == {"indirectes": 0}
    assert resultat.fse_du_centimes == 0


def test_a_line_on_a_poste_that_is_not_in_the_convention_is_shown() -> None:
    faite = bilan(lignes("personnel", 100_00), lignes("voyages", 30_00, 30_00))
    resultat = service_fait(conditions(), [faite])
    assert retenus(resultat) == {"personnel": 100_00, "voyages": 0}
    assert (resultat.declare_centimes, resultat.ecarte_centimes) == (130_00, 30_00)


def test_a_cap_bites_beyond_its_tolerance_on_the_cumulated_amount() -> None:
    plafonne = PosteConvenu(
        code="fonctionnement", plafond_centimes=100_01, tolerance_pct=Decimal(10)
    )
    periodes = [bilan(lignes("fonctionnement", 60_00), final=False) for _ in range(2)]
    [poste] = service_fait(conditions(plafonne), periodes).postes
    # 110 % of 100,01 € is 110,011 €.
    assert (poste.retenu_centimes, poste.ecrete_centimes) == (110_01, 9_99)
    [poste] = service_fait(conditions(plafonne), periodes[:1]).postes
    assert (poste.retenu_centimes, poste.ecrete_centimes) == (60_00, 0)


def test_a_sample_says_what_the_rest_loses_and_keeps_its_own_ecart() -> None:
    echantillon = Echantillon(
        poste="personnel",
        tirage_declare_centimes=300_00,
        tirage_ecarte_centimes=1_00,
        base_centimes=700_00,
    )
    resultat = service_fait(
        conditions(), [bilan(lignes("personnel", 1000_00, 1_00), echantillons=(echantillon,))]
    )
    [extrapolation] = resultat.extrapolations
    assert (extrapolation.taux, extrapolation.correction_centimes) == ("1/300", 2_33)
    assert retenus(resultat) == {"personnel": 996_67}
    assert resultat.ecarte_centimes == 3_33


def marche(nom: str, poste: str, retenu: int) -> LignesMarche:
    return LignesMarche(marche=nom, poste=poste, retenu_centimes=retenu)


def taux(objet: str, pct: int | str) -> TauxDecide:
    return TauxDecide(objet=objet, taux_pct=Decimal(pct))


def test_a_contract_is_corrected_poste_by_poste_on_all_its_lines_since_the_start() -> None:
    deux = conditions(PosteConvenu(code="prestations"), PosteConvenu(code="fonctionnement"))
    premier = bilan(
        lignes("prestations", 100_02),
        marches=(marche("M1", "prestations", 100_02),),
        corrections_marche=(taux("M1", 25),),
        final=False,
    )
    second = bilan(
        lignes("prestations", 0),
        lignes("fonctionnement", 10_02),
        marches=(marche("M1", "fonctionnement", 10_02), marche("M2", "fonctionnement", 0)),
    )
    resultat = service_fait(deux, [premier, second])
    assert retenus(resultat) == {"prestations": 75_01, "fonctionnement": 7_51}
    [corrige] = resultat.marches
    assert (corrige.marche, corrige.base_centimes, corrige.correction_centimes) == (
        "M1",
        110_04,
        27_52,
    )


def test_the_last_rate_decided_on_a_contract_counts() -> None:
    premier = bilan(
        lignes("personnel", 100_00),
        marches=(marche("M1", "personnel", 100_00),),
        corrections_marche=(taux("M1", 25),),
        final=False,
    )
    leve = bilan(corrections_marche=(taux("M1", 0),))
    assert retenus(service_fait(conditions(), [premier])) == {"personnel": 75_00}
    assert retenus(service_fait(conditions(), [premier, leve])) == {"personnel": 100_00}


def test_a_correction_never_gives_money() -> None:
    # A regularisation may leave less than nothing of a contract.
    faite = bilan(
        lignes("personnel", 100_00),
        marches=(marche("M1", "personnel", -40_00),),
        corrections_marche=(taux("M1", 25),),
    )
    assert retenus(service_fait(conditions(), [faite])) == {"personnel": 100_00}


def test_units_are_counted_together_and_priced_once() -> None:
    parcours = PosteConvenu(code="parcours", mode="cout_unitaire", cout_unite_centimes=33)
    unites = Unites(poste="parcours", declarees=Decimal(2), retenues=Decimal("0.5"))
    resultat = service_fait(
        conditions(parcours), [bilan(unites=(unites,), final=False), bilan(unites=(unites, unites))]
    )
    assert retenus(resultat) == {"parcours": 50}
    assert resultat.postes[0].unites == Decimal("1.5")


def test_each_poste_says_its_form_with_or_without_anything_declared() -> None:
    formes = (
        PosteConvenu(code="personnel"),
        PosteConvenu(code="indirectes", mode="forfait", assiette=("personnel",)),
        PosteConvenu(code="parcours", mode="cout_unitaire"),
        PosteConvenu(code="lots", mode="montant_forfaitaire"),
    )
    for faite in (bilan(), bilan(lignes("personnel", 100_00))):
        calcules = {p.code: p.mode for p in service_fait(conditions(*formes), [faite]).postes}
        assert calcules.items() <= {p.code: p.mode for p in formes}.items()
        assert {"indirectes", "parcours", "lots"} <= calcules.keys()


def test_a_deliverable_counts_once_as_last_seen() -> None:
    lots = PosteConvenu(code="lots", mode="montant_forfaitaire")
    vu = LivrableVu(poste="lots", id="L1", montant_centimes=35_000_00, atteint=False)
    atteint = LivrableVu(poste="lots", id="L1", montant_centimes=35_000_00, atteint=True)
    d_un_autre = LivrableVu(poste="ailleurs", id="L2", montant_centimes=1, atteint=True)
    premier = bilan(livrables=(vu, d_un_autre), final=False)
    assert retenus(service_fait(conditions(lots), [premier])) == {"lots": 0}
    apres = [premier, bilan(livrables=(atteint,)), bilan(livrables=(atteint,))]
    assert retenus(service_fait(conditions(lots), apres)) == {"lots": 35_000_00}
    assert retenus(service_fait(conditions(lots), [*apres, premier])) == {"lots": 0}


def test_corrections_of_the_fund_add_up_and_never_pass_its_share() -> None:
    faite = bilan(
        lignes("personnel", 1_01),
        corrections_fse=(taux("publicite", 50), taux("refaction", "25")),
    )
    tout = conditions(fse_max_centimes=100_000_00)
    resultat = service_fait(tout, [faite])
    # 50 % of 101 cents is 51; 75 % is 76, of which 51 are already taken.
    assert [c.correction_centimes for c in resultat.corrections_fse] == [51, 25]
    assert (resultat.fse_brut_centimes, resultat.fse_du_centimes) == (101, 25)
    assert resultat.autofinancement_constate_centimes == 76
    encore = bilan(corrections_fse=(taux("publicite", 80),))
    resultat = service_fait(tout, [faite, encore])
    assert [c.correction_centimes for c in resultat.corrections_fse] == [81, 20]
    assert resultat.fse_du_centimes == 0


PREVUES = (("publique_epci", 30_000_00), ("autofinancement", 20_000_00))


def test_before_the_end_other_funders_may_count_pro_rata() -> None:
    prorata = conditions(ressources_intermediaires="prorata", ressources_prevues=PREVUES)
    percue = {"ressources": (("publique_epci", 5_000_00),)}
    faite = bilan(lignes("personnel", 40_000_00), final=False, **percue)
    assert service_fait(prorata, [faite]).ressources_externes_centimes == 12_000_00
    au_dela = bilan(lignes("personnel", 140_000_00), final=False)
    assert service_fait(prorata, [au_dela]).ressources_externes_centimes == 30_000_00
    assert service_fait(conditions(), [faite]).ressources_externes_centimes == 5_000_00
    # At the end, what was received counts.
    fin = bilan()
    assert service_fait(prorata, [faite, fin]).ressources_externes_centimes == 5_000_00


def test_revenue_counts_in_the_execution_that_others_follow() -> None:
    prorata = conditions(ressources_intermediaires="prorata", ressources_prevues=PREVUES)
    faite = bilan(lignes("personnel", 50_000_00), final=False, recettes_nettes_centimes=10_000_00)
    resultat = service_fait(prorata, [faite])
    assert (resultat.cout_net_centimes, resultat.ressources_externes_centimes) == (
        40_000_00,
        12_000_00,
    )


# --- Any amounts ---------------------------------------------------------------------------------

montants = st.integers(0, 10**7) | st.sampled_from([1, 5, 99, 12_345_678_999])
pourcentages = st.sampled_from([Decimal(p) for p in ("0", "0.01", "3", "12.5", "15", "40", "100")])
REELS = ("personnel", "fonctionnement", "prestations", "nature")
TYPES = ("publique_epci", "publique_etat", "privee", "nature", "tiers", "autofinancement")


@dataclass(frozen=True)
class Ligne:
    """A dépense; ``tiree``: drawn in the sample of its poste."""

    poste: str
    declare: int
    ecarte: int
    marche: str | None = None
    tiree: bool = False


@dataclass(frozen=True)
class Realise:
    """Everything that happened, before anybody cuts it into bilans."""

    lignes: tuple[Ligne, ...] = ()
    unites: tuple[tuple[Decimal, Decimal], ...] = ()
    livrables: tuple[tuple[str, int, bool], ...] = ()
    ressources: tuple[tuple[str, int], ...] = ()
    recettes: tuple[int, ...] = ()
    corrections_marche: tuple[TauxDecide, ...] = ()
    corrections_fse: tuple[TauxDecide, ...] = ()

    def apports(self, *, final: bool = True) -> Apports:
        """Return what the control of a bilan with all of it keeps."""
        postes = sorted({x.poste for x in self.lignes})
        return Apports(
            final=final,
            lignes=tuple(
                lignes(
                    poste,
                    sum(x.declare for x in self.lignes if x.poste == poste),
                    sum(x.ecarte for x in self.lignes if x.poste == poste),
                )
                for poste in postes
            ),
            echantillons=tuple(e for p in postes for e in self._echantillon(p)),
            marches=tuple(
                marche(x.marche, x.poste, x.declare - x.ecarte) for x in self.lignes if x.marche
            ),
            corrections_marche=self.corrections_marche,
            unites=tuple(Unites(poste="parcours", declarees=d, retenues=r) for d, r in self.unites),
            livrables=tuple(
                LivrableVu(poste="lots", id=i, montant_centimes=m, atteint=a)
                for i, m, a in self.livrables
            ),
            recettes_nettes_centimes=sum(self.recettes),
            ressources=self.ressources,
            corrections_fse=self.corrections_fse,
        )

    def _echantillon(self, poste: str) -> list[Echantillon]:
        tirees = [x for x in self.lignes if x.poste == poste and x.tiree]
        if not sum(x.declare for x in tirees):
            return []
        return [
            Echantillon(
                poste=poste,
                tirage_declare_centimes=sum(x.declare for x in tirees),
                tirage_ecarte_centimes=sum(x.ecarte for x in tirees),
                base_centimes=sum(
                    max(0, x.declare) for x in self.lignes if x.poste == poste and not x.tiree
                ),
            )
        ]


@st.composite
def conventions(draw: st.DrawFn) -> Conditions:
    plafonds = st.none() | montants
    reels = [
        PosteConvenu(code=c, plafond_centimes=draw(plafonds), tolerance_pct=draw(pourcentages))
        for c in REELS
    ]
    calcules = [*REELS, "parcours", "lots"]
    forfaits = []
    for code in ("indirectes", "autres_couts"):
        assiette = draw(st.lists(st.sampled_from(calcules), min_size=1, max_size=4, unique=True))
        forfaits.append(
            PosteConvenu(
                code=code, mode="forfait", taux_pct=draw(pourcentages), assiette=tuple(assiette)
            )
        )
        calcules.append(code)
    cout = draw(st.integers(1, 10**10))
    return Conditions(
        fse_max_centimes=draw(st.integers(0, cout)),
        cout_total_eligible_centimes=cout,
        postes=(
            *reels,
            PosteConvenu(code="parcours", mode="cout_unitaire", cout_unite_centimes=draw(montants)),
            PosteConvenu(code="lots", mode="montant_forfaitaire"),
            *forfaits,
        ),
        arrondi=draw(st.sampled_from(["demi_superieur", "troncature"])),
        taux_mode=draw(st.sampled_from(["exact", "affiche"])),
    )


@st.composite
def lignes_controlees(draw: st.DrawFn, *, echantillon: bool) -> Ligne:
    """Return a line; a regularisation, negative, is kept as it is and never drawn."""
    declare = draw(montants | st.integers(-(10**6), -1))
    return Ligne(
        poste=draw(st.sampled_from(REELS)),
        declare=declare,
        ecarte=draw(st.integers(0, max(0, declare))),
        marche=draw(st.none() | st.sampled_from(["M1", "M2"])),
        tiree=echantillon and declare > 0 and draw(st.booleans()),
    )


@st.composite
def realises(draw: st.DrawFn, *, echantillon: bool = True) -> Realise:
    quantites = st.decimals(0, 500, places=2)
    declarees = draw(st.lists(quantites, max_size=3))
    livrables = draw(st.lists(st.tuples(montants, st.booleans()), max_size=3))
    return Realise(
        lignes=tuple(draw(st.lists(lignes_controlees(echantillon=echantillon), max_size=6))),
        unites=tuple((d, draw(st.decimals(0, d, places=2))) for d in declarees),
        livrables=tuple((f"L{n}", m, a) for n, (m, a) in enumerate(livrables)),
        ressources=tuple(draw(st.lists(st.tuples(st.sampled_from(TYPES), montants), max_size=4))),
        recettes=tuple(draw(st.lists(montants, max_size=2))),
        corrections_marche=tuple(TauxDecide(objet="M1", taux_pct=draw(pourcentages)) for _ in "1"),
        corrections_fse=tuple(
            TauxDecide(objet=nature, taux_pct=draw(pourcentages))
            for nature in draw(st.sampled_from([(), ("publicite",), ("publicite", "refaction")]))
        ),
    )


def du(convenu: Conditions, realise: Realise) -> int:
    return service_fait(convenu, [realise.apports()]).fse_du_centimes


@given(conventions(), realises())
def test_what_is_due_stays_under_every_ceiling_and_is_never_negative(
    convenu: Conditions, realise: Realise
) -> None:
    resultat = service_fait(convenu, [realise.apports()])
    plafonds = [resultat.c1_centimes, resultat.c2_centimes, resultat.c3_centimes]
    if resultat.c4_centimes is not None:
        plafonds.append(resultat.c4_centimes)
    assert resultat.fse_brut_centimes == min(plafonds)
    assert 0 <= resultat.fse_du_centimes <= resultat.fse_brut_centimes


@given(conventions(), realises())
def test_every_operand_is_in_the_result(convenu: Conditions, realise: Realise) -> None:
    resultat = service_fait(convenu, [realise.apports()])
    assert sum(p.retenu_centimes for p in resultat.postes) == resultat.cout_brut_centimes
    for poste in resultat.postes:
        if poste.mode == "reel":
            reel = (
                poste.declare_centimes
                - poste.ecarte_centimes
                - poste.extrapole_centimes
                - poste.corrige_marche_centimes
            )
            assert max(0, reel) - poste.ecrete_centimes == poste.retenu_centimes
    corrections = sum(c.correction_centimes for c in resultat.corrections_fse)
    assert resultat.fse_brut_centimes - corrections == resultat.fse_du_centimes
    assert (
        resultat.ressources_externes_centimes
        + resultat.fse_du_centimes
        + resultat.autofinancement_constate_centimes
        - resultat.surfinancement_ecarte_centimes
    ) == resultat.cout_net_centimes


@given(conventions(), realises(), st.data())
def test_setting_more_of_a_line_aside_never_raises_what_is_due(
    convenu: Conditions, realise: Realise, data: st.DataObject
) -> None:
    if not realise.lignes:
        return
    rang = data.draw(st.integers(0, len(realise.lignes) - 1))
    ligne = realise.lignes[rang]
    possible = max(ligne.ecarte, ligne.declare)
    plus = replace(ligne, ecarte=data.draw(st.integers(ligne.ecarte, possible)))
    durci = replace(realise, lignes=(*realise.lignes[:rang], plus, *realise.lignes[rang + 1 :]))
    assert du(convenu, durci) <= du(convenu, realise)


@given(conventions(), realises(), st.data())
def test_fewer_units_never_raise_what_is_due(
    convenu: Conditions, realise: Realise, data: st.DataObject
) -> None:
    moins = tuple((d, data.draw(st.decimals(0, r, places=2))) for d, r in realise.unites)
    assert du(convenu, replace(realise, unites=moins)) <= du(convenu, realise)


@given(conventions(), realises())
def test_a_deliverable_not_reached_never_raises_what_is_due(
    convenu: Conditions, realise: Realise
) -> None:
    for rang, (i, montant, _) in enumerate(realise.livrables):
        autres = realise.livrables[:rang], realise.livrables[rang + 1 :]
        manque = replace(realise, livrables=(*autres[0], (i, montant, False), *autres[1]))
        atteint = replace(realise, livrables=(*autres[0], (i, montant, True), *autres[1]))
        assert du(convenu, manque) <= du(convenu, atteint)


@given(conventions(), realises(), st.sampled_from(TYPES), montants)
def test_a_resource_more_never_raises_what_is_due(
    convenu: Conditions, realise: Realise, nature: str, plus: int
) -> None:
    enrichi = replace(realise, ressources=(*realise.ressources, (nature, plus)))
    assert du(convenu, enrichi) <= du(convenu, realise)


@given(conventions(), realises(), montants)
def test_revenue_more_never_raises_what_is_due(
    convenu: Conditions, realise: Realise, plus: int
) -> None:
    assert du(convenu, replace(realise, recettes=(*realise.recettes, plus))) <= du(convenu, realise)


@given(conventions(), realises(), pourcentages)
def test_a_correction_more_never_raises_what_is_due(
    convenu: Conditions, realise: Realise, pct: Decimal
) -> None:
    du_fse = replace(
        realise, corrections_fse=(*realise.corrections_fse, TauxDecide(objet="x", taux_pct=pct))
    )
    du_marche = replace(
        realise,
        corrections_marche=(*realise.corrections_marche, TauxDecide(objet="M2", taux_pct=pct)),
    )
    assert du(convenu, du_fse) <= du(convenu, realise)
    assert du(convenu, du_marche) <= du(convenu, realise)


def melanger(realise: Realise, hasard: Random) -> Realise:
    def ordre(faits: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(hasard.sample(faits, len(faits)))

    return replace(
        realise,
        lignes=ordre(realise.lignes),
        unites=ordre(realise.unites),
        livrables=ordre(realise.livrables),
        ressources=ordre(realise.ressources),
        recettes=ordre(realise.recettes),
        corrections_marche=ordre(realise.corrections_marche),
    )


@given(conventions(), realises(), st.randoms())
def test_the_order_of_lines_changes_nothing(
    convenu: Conditions, realise: Realise, hasard: Random
) -> None:
    assert service_fait(convenu, [melanger(realise, hasard).apports()]) == service_fait(
        convenu, [realise.apports()]
    )


def couper(realise: Realise, hasard: Random) -> list[Realise]:
    """Spread the same facts over three bilans; what was decided is decided in the last one."""
    parts: list[dict[str, list[Any]]] = [
        {n: [] for n in ("lignes", "unites", "livrables", "ressources", "recettes")}
        for _ in range(3)
    ]
    for nom in parts[0]:
        for fait in getattr(realise, nom):
            hasard.choice(parts)[nom].append(fait)
    coupes = [Realise(**{nom: tuple(faits) for nom, faits in part.items()}) for part in parts]
    coupes[-1] = replace(
        coupes[-1],
        corrections_marche=realise.corrections_marche,
        corrections_fse=realise.corrections_fse,
    )
    return coupes


@given(conventions(), realises(echantillon=False), st.randoms())
def test_cutting_the_same_facts_into_bilans_changes_nothing(
    convenu: Conditions, realise: Realise, hasard: Random
) -> None:
    *premiers, dernier = couper(realise, hasard)
    coupes = [*(p.apports(final=False) for p in premiers), dernier.apports()]
    assert service_fait(convenu, coupes) == service_fait(convenu, [realise.apports()])


@given(st.data())
def test_pro_rata_of_the_others_an_ecart_never_raises_what_is_due(data: st.DataObject) -> None:
    cout = data.draw(st.integers(1, 10**6))
    prevues: list[tuple[str, int]] = []
    for nature in data.draw(st.lists(st.sampled_from(TYPES), max_size=5)):
        reste = cout - sum(m for _, m in prevues)
        prevues.append((nature, data.draw(st.integers(0, reste))))
    convenu = conditions(
        fse_max_centimes=data.draw(st.integers(0, cout)),
        cout_total_eligible_centimes=cout,
        arrondi=data.draw(st.sampled_from(["demi_superieur", "troncature"])),
        ressources_intermediaires="prorata",
        ressources_prevues=tuple(prevues),
    )
    declare = data.draw(st.integers(0, 2 * cout))
    ecarte = data.draw(st.integers(0, declare))

    def apres(montant: int) -> int:
        faite = bilan(lignes("personnel", declare, montant), final=False)
        return service_fait(convenu, [faite]).fse_du_centimes

    assert apres(min(declare, ecarte + 1)) <= apres(ecarte)


# --- The calculator and the rule -----------------------------------------------------------------


def en_cas(convenu: Conditions, coupes: Sequence[Realise], arrondis: dict[str, Any]) -> Any:
    """Write the same facts as a person types a case."""
    return {
        "convention": {
            "fse_max": euros(convenu.fse_max_centimes),
            "cout_total_eligible": euros(convenu.cout_total_eligible_centimes),
            "postes": [
                {
                    "code": p.code,
                    "mode": p.mode,
                    **({"taux_pct": str(p.taux_pct)} if p.taux_pct is not None else {}),
                    **({"assiette": list(p.assiette)} if p.assiette else {}),
                    **(
                        {"cout_unite": euros(p.cout_unite_centimes)}
                        if p.cout_unite_centimes is not None
                        else {}
                    ),
                }
                for p in convenu.postes
            ],
            "plafonds_poste": {
                p.code: {
                    "montant": euros(p.plafond_centimes),
                    "tolerance_pct": str(p.tolerance_pct),
                }
                for p in convenu.postes
                if p.plafond_centimes is not None
            },
        },
        "paiements_avant": [{"type": "avance", "montant": euros(convenu.fse_max_centimes // 3)}],
        "bilans": [
            {
                "numero": numero,
                "type": "final" if numero == len(coupes) else "intermediaire",
                "depenses": [
                    {
                        "id": f"D{rang}",
                        "poste": x.poste,
                        "montant_declare": euros(x.declare),
                        "montant_ecarte": euros(x.ecarte),
                        **({"marche": x.marche} if x.marche else {}),
                    }
                    for rang, x in enumerate(part.lignes)
                ],
                "unites": [
                    {
                        "poste": "parcours",
                        "unites_declarees": f"{d:f}",
                        "unites_retenues": f"{r:f}",
                    }
                    for d, r in part.unites
                ],
                "livrables": [
                    {"id": i, "montant": euros(m), "atteint": a} for i, m, a in part.livrables
                ],
                "recettes_nettes": euros(sum(part.recettes)),
                "ressources": [
                    {"type": nature, "montant_retenu": euros(m)} for nature, m in part.ressources
                ],
                "corrections_marche": [
                    {"marche": c.objet, "taux_pct": str(c.taux_pct)}
                    for c in part.corrections_marche
                    if any(x.marche == c.objet for p in coupes for x in p.lignes)
                ],
                "corrections_fse": [
                    {"nature": c.objet, "taux_pct": str(c.taux_pct)} for c in part.corrections_fse
                ],
            }
            for numero, part in enumerate(coupes, 1)
        ],
        "parametres": arrondis,
    }


@given(
    conventions(),
    realises(echantillon=False),
    st.randoms(),
    st.sampled_from(["immediate", "sur_solde"]),
)
def test_periods_add_up_to_what_is_due_and_everything_is_settled_at_the_end(
    convenu: Conditions, realise: Realise, hasard: Random, imputation: str
) -> None:
    parametres = {
        "arrondi": convenu.arrondi,
        "taux_mode": convenu.taux_mode,
        "imputation_avance": imputation,
    }
    rendus = en_json(repondre(lire(en_cas(convenu, couper(realise, hasard), parametres))))

    def somme(champ: str) -> Fraction:
        return sum((Fraction(r[champ]) for r in rendus), Fraction(0))

    cumule = Fraction(rendus[-1]["fse_du_cumule"])
    assert cumule * 100 == du(convenu, realise)
    assert somme("fse_du_periode") == cumule
    assert somme("montant_declare_periode") * 100 == sum(x.declare for x in realise.lignes)
    assert Fraction(rendus[0]["fse_paye_avant"]) + somme("a_payer") - somme("a_reverser") == cumule
