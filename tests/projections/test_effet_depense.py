"""An écart and its effect: what is foretold is what the control, opened again, really finds."""

from datetime import date
from random import Random
from typing import Any

import msgspec
import pytest
from vie import Vie

from aggregates.convention.state import CONVENTION
from aggregates.depense.state import DepenseAbsente
from oi_service.application import Service
from oi_service.codec import REGISTRY
from oi_service.ids import convention_of, new_id
from projections.difference import difference
from projections.effet_depense import DepenseNonControlee, EffetDepense, effet
from projections.livre import Choix, Lignes, sommes
from projections.perimetre import OI_ENTIER, Perimetre
from projections.situation import ACTUELLE, Situation

POSTES: list[dict[str, Any]] = [
    {"code": "personnel", "montant": "60000.00"},
    {"code": "fonctionnement", "montant": "15000.00"},
    {"code": "prestations", "montant": "16000.00"},
    {
        "code": "indirectes",
        "montant": "9000.00",
        "mode": "forfait",
        "option": "forfait_15_personnel",
        "taux_pct": "15",
        "assiette": ["personnel"],
    },
]
PLAN: dict[str, Any] = {
    "postes": POSTES,
    "fse": "50000.00",
    "ressources": [
        {"type": "publique_epci", "financeur": "EPCI fictif", "montant": "45000.00"},
        {"type": "autofinancement", "financeur": "Porteur", "montant": "5000.00"},
    ],
}
EPCI = {"type": "publique_epci", "financeur": "EPCI fictif"}


def nouvelle(service: Service, convention: dict[str, Any] | None = None) -> Vie:
    """Open a life with an operation of 100 000,00 € under way."""
    vie = Vie(service)
    vie.subvention()
    vie.tranche("200000.00", "200000.00")
    vie.enveloppe("A", "150000.00")
    vie.appel([{"code": "A1", "plie": "A"}])
    vie.jusqu_au_demarrage("OP-1", convention=convention, plan=PLAN)
    return vie


def lire(vie: Vie, piece: str, perimetre: Perimetre = OI_ENTIER) -> EffetDepense:
    with vie.reads.connection() as conn:
        return effet(conn, perimetre, vie.piece("OP-1", piece))


def figures_du_calcul(vie: Vie) -> dict[str, int]:
    """Return what the last validated control says, read from its fact alone."""
    fait: Any = [f for f in vie.faits("OP-1") if REGISTRY.names[type(f)] == CSF][-1]
    du = fait.resultat
    return {
        **{p.code: p.retenu_centimes for p in du.postes},
        **{f"extrapolation.{e.poste}": e.correction_centimes for e in du.extrapolations},
        **{f"marche.{m.marche}": m.correction_centimes for m in du.marches},
        **{f"ecrete.{p.code}": p.ecrete_centimes for p in du.postes},
        **{f"fse.{c.nature}": c.correction_centimes for c in du.corrections_fse},
        "cout_brut": du.cout_brut_centimes,
        "cout_net": du.cout_net_centimes,
        "c1": du.c1_centimes,
        "c2": du.c2_centimes,
        "c3": du.c3_centimes,
        "fse_brut": du.fse_brut_centimes,
        "fse_du": du.fse_du_centimes,
        "autofinancement": du.autofinancement_constate_centimes,
        "surfinancement": du.surfinancement_ecarte_centimes,
    }


CSF = "convention.csf_valide.v1"
DE_LA_MAQUETTE = ("fse_retenu_csf", "ct_retenu_csf", "depenses_ecartees")


def figures_de_la_maquette(vie: Vie) -> dict[str, int]:
    """Return the only line of the maquette of PLIE A."""
    with vie.reads.connection() as conn:
        found = sommes(conn, Lignes(Choix(plie="A"), OI_ENTIER, vie.id("SG")), ACTUELLE)
    libres = {
        "reste_a_consommer": found["fse_maquette"] - found["fse_retenu_csf"],
        "disponible_a_programmer": found["fse_maquette"] - found["fse_programme_ajuste"],
    }
    return found | libres


def annonce(lu: EffetDepense, champ: str) -> dict[str, int]:
    """Return one side of everything that is foretold: « constate » or « sans_ecart »."""
    assert lu.recomptes is not None
    r = lu.recomptes
    calcul = (*r.postes, *r.corrections, *r.cout, *r.plafonds, *r.fse)
    return {v.code: getattr(v, champ) for v in calcul}


def annonce_de_la_maquette(lu: EffetDepense, champ: str) -> dict[str, int]:
    assert lu.recomptes is not None
    return {v.code: getattr(v, champ) for v in lu.recomptes.maquette.chiffres}


def exiger_realise(vie: Vie, piece: str, numero: int = 1) -> EffetDepense:
    """Foretell, retain the line whole for real, and compare every figure to the cent."""
    lu = lire(vie, piece)
    avant = figures_du_calcul(vie)
    constate = annonce(lu, "constate")
    assert constate == {code: avant.get(code, 0) for code in constate}
    maquette = figures_de_la_maquette(vie)
    vues = annonce_de_la_maquette(lu, "constate")
    assert vues == {code: maquette[code] for code in vues}

    dernier = vie.convention("OP-1").dernier_controle
    assert dernier is not None
    jour = max(date(2022, 9, 1), dernier[1])
    vie.reouverture_controle("OP-1", numero, le=jour)
    vie.ouverture_controle("OP-1", numero, le=jour)
    entiere = {vie.piece("OP-1", piece): {"montant_ecarte": "0.00"}}
    vie.lignes("OP-1", numero, entiere, jour)
    vie.fin_du_controle("OP-1", numero, le=jour)

    apres = figures_du_calcul(vie)
    sans_ecart = annonce(lu, "sans_ecart")
    assert sans_ecart == {code: apres.get(code, 0) for code in sans_ecart}
    realisee = figures_de_la_maquette(vie)
    attendues = annonce_de_la_maquette(lu, "sans_ecart")
    assert attendues == {code: realisee[code] for code in attendues}
    assert {*DE_LA_MAQUETTE} <= attendues.keys()
    return lu


def ecart(montant: str, motif: str = "PIECE_NON_PROBANTE") -> dict[str, str]:
    return {"montant_ecarte": montant, "motif_code": motif}


def test_an_ecart_on_staff_takes_its_flat_rate_and_its_share_of_the_fund(service: Service) -> None:
    vie = nouvelle(service)
    vie.bilan(
        "OP-1",
        [
            {"montant_impute": "54812.37", "piece_ref": "BS-1"},
            {"montant_impute": "9999.99", "poste": "prestations", "piece_ref": "F-1"},
        ],
        ressources=[EPCI | {"montant": "20000.00"}],
    )
    vie.controle("OP-1", ecarts={"BS-1": ecart("1250.40", "TEMPS_NON_JUSTIFIE")})
    lu = exiger_realise(vie, "BS-1")
    assert lu.recomptes is not None
    assert {v.code: v.effet for v in lu.recomptes.postes if v.effet} == {
        "personnel": -1_250_40,
        "indirectes": -187_56,
    }
    fse = {v.code: v.effet for v in lu.recomptes.fse}
    assert fse["fse_du"] == -718_98
    plain = lu.phrase.replace("\u202f", " ").replace("\u00a0", " ")
    assert plain == (
        "L’écart de 1 250,40 € sur la pièce BS-1 (Temps passé non justifié), poste « Dépenses "
        "directes de personnel », réduit « Dépenses directes de personnel » de 1 250,40 € et "
        "« Dépenses indirectes » de 187,56 €, donc le coût total retenu de 1 437,96 €. Il réduit "
        "le FSE dû de 718,98 € : 35 798,13 € au lieu de 36 517,11 € (limité par : taux de la "
        "convention)."
    )
    assert (lu.version_regles, lu.bilan_numero, lu.reserves) == ("2026.2", 1, ())


def test_a_ceiling_may_leave_the_fund_where_it_is(service: Service) -> None:
    vie = nouvelle(service)
    vie.bilan(
        "OP-1",
        [
            {"montant_impute": "80000.00", "piece_ref": "BS-1"},
            {"montant_impute": "20000.00", "poste": "prestations", "piece_ref": "F-1"},
        ],
        ressources=[EPCI | {"montant": "20000.00"}],
    )
    vie.controle("OP-1", ecarts={"F-1": ecart("150.00")})
    lu = exiger_realise(vie, "F-1")
    assert lu.recomptes is not None
    assert "Il ne change pas le FSE dû" in lu.phrase
    assert lu.recomptes.contrainte_constatee == "montant maximal de la convention"
    assert {v.code: v.effet for v in lu.recomptes.fse}["autofinancement"] == -150_00


def test_a_drawn_line_weighs_on_the_rate_that_its_sample_extrapolates(service: Service) -> None:
    vie = nouvelle(service)
    vie.bilan("OP-1", ["1000.00"], type="intermediaire")
    vie.controle("OP-1")
    pieces = [{"montant_impute": "1500.00", "piece_ref": f"B-{n:02d}"} for n in range(40)]
    vie.bilan("OP-1", pieces, numero=2, ressources=[EPCI | {"montant": "5000.00"}])
    vie.ouverture_controle("OP-1", 2, modalite="echantillon")
    vie.tirage("OP-1", numero=2, graine="TIRAGE-1")
    vie.controle_lignes("OP-1", 2, chaque_tiree=ecart("21.37"))
    vie.controle_ressources("OP-1", 2)
    vie.extrapolation("OP-1", numero=2, fondement="accord_ecrit", accord_ref="ACCORD-1")
    vie.fin_du_controle("OP-1", 2)
    _, bilan = vie.convention("OP-1").bilans.values()
    assert bilan.csf is not None
    tirage = bilan.csf.tirages["personnel"]
    piece = next(p["piece_ref"] for p in pieces if vie.piece("OP-1", str(p["piece_ref"])) in tirage)
    lu = exiger_realise(vie, str(piece), 2)
    assert lu.recomptes is not None
    [extrapole] = lu.recomptes.corrections
    assert extrapole.code == "extrapolation.personnel"
    # Thirty drawn lines lose 21,37 € each: one less takes a thirtieth of what is extrapolated.
    assert (extrapole.constate, extrapole.sans_ecart) == (213_70, 206_58)


def test_a_line_that_was_not_drawn_weighs_on_the_base_of_the_rate(service: Service) -> None:
    vie = nouvelle(service)
    pieces = [{"montant_impute": "1500.00", "piece_ref": f"B-{n:02d}"} for n in range(40)]
    vie.bilan("OP-1", pieces, ressources=[EPCI | {"montant": "5000.00"}])
    vie.ouverture_controle("OP-1", modalite="echantillon")
    vie.tirage("OP-1", graine="TIRAGE-1")
    vie.controle_lignes("OP-1", chaque_tiree=ecart("21.37"))
    vie.controle_ressources("OP-1")
    [bilan] = vie.convention("OP-1").bilans.values()
    assert bilan.csf is not None
    tirage = bilan.csf.tirages["personnel"]
    autre = next(d for d in bilan.depenses if d not in tirage)
    vie.lignes("OP-1", 1, {autre: ecart("1000.00")})
    vie.extrapolation("OP-1", fondement="accord_ecrit", accord_ref="ACCORD-1")
    vie.fin_du_controle("OP-1")
    piece = next(p["piece_ref"] for p in pieces if vie.piece("OP-1", str(p["piece_ref"])) == autre)
    lu = exiger_realise(vie, str(piece))
    assert lu.recomptes is not None
    [extrapole] = lu.recomptes.corrections
    assert (extrapole.constate, extrapole.sans_ecart) == (199_45, 213_70)


def test_a_line_of_a_corrected_contract_loses_its_rate_too(service: Service) -> None:
    vie = nouvelle(service)
    vie.bilan(
        "OP-1",
        [
            {"montant_impute": "30000.00", "piece_ref": "BS-1"},
            *(
                {
                    "montant_impute": montant,
                    "poste": "prestations",
                    "piece_ref": piece,
                    "marche_ref": marche,
                }
                for piece, montant, marche in (
                    ("M-1", "9999.99", "M1"),
                    ("M-2", "777.77", "M1"),
                    ("M-3", "3000.00", "M2"),
                )
            ),
        ],
        ressources=[EPCI | {"montant": "5000.00"}],
    )
    vie.ouverture_controle("OP-1")
    vie.controle_lignes("OP-1", ecarts={"M-1": ecart("333.33"), "M-3": ecart("10.01")})
    vie.controle_ressources("OP-1")
    vie.correction_marche("OP-1", "M1", "25")
    vie.fin_du_controle("OP-1")
    lu = exiger_realise(vie, "M-1")
    assert lu.recomptes is not None
    [marche] = lu.recomptes.corrections
    assert (marche.code, marche.effet) == ("marche.M1", -83_33)
    assert {v.effet for v in exiger_realise(vie, "M-3").recomptes.corrections} == {0}  # type: ignore[union-attr]


def test_a_capped_poste_hides_the_ecart(service: Service) -> None:
    vie = nouvelle(
        service,
        convention={"parametres": {"fongibilite": "tolerance", "tolerance_poste_pct": "10"}},
    )
    vie.bilan(
        "OP-1",
        [
            {"montant_impute": "60000.00", "piece_ref": "BS-1"},
            {"montant_impute": "17000.00", "poste": "fonctionnement", "piece_ref": "F-1"},
        ],
        ressources=[EPCI | {"montant": "30000.00"}],
    )
    vie.controle("OP-1", ecarts={"F-1": ecart("400.00"), "BS-1": ecart("100.00")})
    lu = exiger_realise(vie, "F-1")
    assert lu.recomptes is not None
    assert lu.phrase.endswith("ne change ni le coût total retenu ni le FSE dû.")
    [ecrete] = lu.recomptes.corrections
    assert (ecrete.code, ecrete.constate, ecrete.sans_ecart) == (
        "ecrete.fonctionnement",
        100_00,
        500_00,
    )


def test_a_correction_of_the_fund_follows_the_fund(service: Service) -> None:
    vie = nouvelle(
        service, convention={"parametres": {"refaction": {"seuil_pct": "80", "taux_pct": "5"}}}
    )
    vie.indicateur("OP-1", "3")
    vie.bilan("OP-1", [{"montant_impute": "40000.00", "piece_ref": "BS-1"}])
    vie.ouverture_controle("OP-1")
    vie.controle_lignes("OP-1", ecarts={"BS-1": ecart("1234.56")})
    vie.correction_fse("OP-1", nature="refaction_indicateurs")
    vie.fin_du_controle("OP-1")
    lu = exiger_realise(vie, "BS-1")
    assert lu.recomptes is not None
    [correction] = lu.recomptes.corrections
    assert (correction.code, correction.effet) == ("fse.refaction_indicateurs", -35_49)


@pytest.mark.parametrize("seed", [1, 2])
def test_any_ecart_of_any_bilan_has_the_effect_foretold(service: Service, seed: int) -> None:
    """Two bilans, twelve lines, amounts and écarts drawn: each is retained whole in turn."""
    dice = Random(seed)  # noqa: S311 - a life to replay, not a secret
    vie = nouvelle(service)
    postes = ("personnel", "personnel", "fonctionnement", "prestations")
    decides: dict[int, dict[str, dict[str, str]]] = {}
    for numero in (1, 2):
        montants = {f"P{numero}-{n}": dice.randrange(100, 900_000) for n in range(6)}
        vie.bilan(
            "OP-1",
            [
                {
                    "montant_impute": f"{m // 100}.{m % 100:02d}",
                    "piece_ref": piece,
                    "poste": dice.choice(postes),
                }
                for piece, m in montants.items()
            ],
            numero=numero,
            type="final" if numero == 2 else "intermediaire",
            ressources=[EPCI | {"montant": f"{dice.randrange(12_000)}.37"}],
        )
        perdus = {piece: dice.randrange(1, m + 1) for piece, m in montants.items()}
        decides[numero] = {piece: ecart(f"{p // 100}.{p % 100:02d}") for piece, p in perdus.items()}
        vie.controle("OP-1", numero, ecarts=decides[numero])
    for numero, ecarts in decides.items():
        for piece in dice.sample(sorted(ecarts), 3):
            lu = exiger_realise(vie, piece, numero)
            assert lu.bilan_numero == numero
            assert lire(vie, piece).phrase.endswith("aucun écart n’a d’effet.")


def test_a_control_opened_again_does_not_count_before_it_is_valid(service: Service) -> None:
    vie = nouvelle(service)
    vie.bilan("OP-1", [{"montant_impute": "40000.00", "piece_ref": "BS-1"}])
    vie.controle("OP-1", ecarts={"BS-1": ecart("500.00")})
    avant = lire(vie, "BS-1")
    vie.reouverture_controle("OP-1")
    vie.ouverture_controle("OP-1", le=date(2022, 9, 2))
    vie.lignes("OP-1", 1, {vie.piece("OP-1", "BS-1"): ecart("900.00")}, date(2022, 9, 3))
    assert lire(vie, "BS-1") == avant


def test_what_a_control_opened_again_changes_is_a_correction(service: Service) -> None:
    vie = nouvelle(service)
    vie.bilan("OP-1", [{"montant_impute": "40000.00", "piece_ref": "BS-1"}])
    vie.controle("OP-1", ecarts={"BS-1": ecart("500.00")})
    with vie.reads.connection() as conn:
        avant = Situation(connu_le=conn.execute("SELECT position FROM oi.head").fetchall()[0][0])
    lu = exiger_realise(vie, "BS-1")
    with vie.reads.connection() as conn:
        found = difference(conn, OI_ENTIER, Choix(), avant, ACTUELLE)
    assert found is not None
    assert lu.recomptes is not None
    [correction] = found.causes
    assert (correction.code, correction.evenements) == ("controle_rouvert", 1)
    effets = {v.code: -v.effet for v in lu.recomptes.maquette.chiffres}
    assert correction.montants == {m: effets[m] for m in DE_LA_MAQUETTE}


def test_once_settled_an_ecart_weighs_on_what_is_left_to_programme(service: Service) -> None:
    vie = nouvelle(service)
    vie.bilan("OP-1", [{"montant_impute": "40000.00", "piece_ref": "BS-1"}])
    vie.controle("OP-1", ecarts={"BS-1": ecart("500.00")})
    du = vie.convention("OP-1").fse_du
    vie.paiement("OP-1", f"{du // 100}.{du % 100:02d}", type="solde")
    vie.solde("OP-1")
    lu = lire(vie, "BS-1")
    assert lu.recomptes is not None
    effets = {v.code: v.effet for v in lu.recomptes.maquette.chiffres}
    assert effets["fse_retenu_csf"] == effets["fse_programme_ajuste"] == -287_50
    assert effets["disponible_a_programmer"] == effets["reste_a_consommer"] == 287_50


def test_a_file_closed_without_its_bilan_owes_nothing_whatever_the_line(service: Service) -> None:
    vie = nouvelle(
        service,
        convention={
            "bilans_prevus": [
                {"numero": 1, "type": "intermediaire", "date_limite": "2022-04-30"},
                {"numero": 2, "type": "final", "date_limite": "2022-06-30"},
            ]
        },
    )
    vie.bilan("OP-1", [{"montant_impute": "40000.00", "piece_ref": "BS-1"}], type="intermediaire")
    vie.controle("OP-1", ecarts={"BS-1": ecart("500.00")})
    vie.reclamation("OP-1", 2)
    vie.cloture_office("OP-1", 2)
    lu = lire(vie, "BS-1")
    assert lu.recomptes is not None
    effets = {v.code: v.effet for v in lu.recomptes.maquette.chiffres}
    assert effets["fse_retenu_csf"] == effets["ct_retenu_csf"] == 0
    assert any("clos d’office" in reserve for reserve in lu.reserves)


def test_a_poste_that_the_plan_does_not_hold_is_said(service: Service) -> None:
    vie = nouvelle(service)
    vie.bilan(
        "OP-1",
        [
            {"montant_impute": "40000.00", "piece_ref": "BS-1"},
            {"montant_impute": "300.00", "poste": "participants", "piece_ref": "PA-1"},
            {"montant_impute": "200.00", "poste": "indirectes", "piece_ref": "IN-1"},
        ],
    )
    vie.controle(
        "OP-1",
        ecarts={
            "PA-1": ecart("300.00", "POSTE_NON_CONVENTIONNE"),
            "IN-1": ecart("200.00", "DOUBLE_FINANCEMENT"),
        },
    )
    [hors_plan] = lire(vie, "PA-1").reserves
    assert "n’est pas dans le plan de la convention" in hors_plan
    forfait = lire(vie, "IN-1")
    assert "à coût simplifié" in forfait.reserves[0]
    assert forfait.phrase.endswith("ne change ni le coût total retenu ni le FSE dû.")


def test_a_line_without_a_validated_control_has_no_effect_yet(service: Service) -> None:
    vie = nouvelle(service)
    vie.depenses("OP-1", [{"montant_impute": "10.00", "piece_ref": "LIBRE"}])
    vie.bilan("OP-1", [{"montant_impute": "40000.00", "piece_ref": "BS-1"}])
    for piece in ("LIBRE", "BS-1"):
        with pytest.raises(DepenseNonControlee, match="dans aucun contrôle"):
            lire(vie, piece)
    with vie.reads.connection() as conn, pytest.raises(DepenseAbsente):
        effet(conn, OI_ENTIER, new_id())
    with pytest.raises(DepenseAbsente):
        lire(vie, "BS-1", Perimetre(frozenset({"B"})))


def test_a_control_of_the_first_rules_says_that_it_cannot_be_computed_again(
    service: Service,
) -> None:
    """Its fact kept postes, not lines; one is recorded as 2026.1 wrote it."""
    vie = nouvelle(service)
    vie.bilan("OP-1", [{"montant_impute": "40000.00", "piece_ref": "BS-1"}])
    vie.controle("OP-1", ecarts={"BS-1": ecart("500.00")})
    fait: Any = vie.faits("OP-1")[-1]
    vie.reouverture_controle("OP-1")
    vie.ouverture_controle("OP-1", le=date(2022, 9, 2))
    [bilan] = vie.convention("OP-1").bilans.values()
    assert bilan.csf is not None
    ancien = msgspec.structs.replace(
        fait,
        csf_id=bilan.csf.csf_id,
        version=2,
        version_regles="2026.1",
        entrees=None,
        resultat=None,
    )
    vie.acte(lambda unit: unit.record(CONVENTION, convention_of(vie.id("OP-1")), [ancien]))
    lu = lire(vie, "BS-1")
    assert (lu.recomptes, lu.version_regles, lu.ligne.ecarte) == (None, "2026.1", 500_00)
    assert "ne peut pas être recalculé" in lu.phrase
