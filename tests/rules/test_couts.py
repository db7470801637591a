"""Forms of cost: what each option asks, one cost under one form, when they are mandatory."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.plan import Livrable, Poste
from oi_service.dates import Periode
from oi_service.errors import Refusal
from oi_service.money import round_cents
from rules.couts import (
    OPTIONS,
    AssietteNonConforme,
    CoutsSimplifiesObligatoires,
    FormeIncomplete,
    FormesIncompatibles,
    LivrableEnDouble,
    MethodeAbsente,
    MontantDuPosteInexact,
    OptionHorsRegime,
    PlafondAnnuelDuForfaitNational,
    PosteReelInconnu,
    TauxForfaitaireTropEleve,
    couts_simplifies_manquants,
    verifier_formes,
    verifier_montants,
)
from rules.parametres import parametre

ANNEE = Periode(debut=date(2021, 1, 1), fin=date(2021, 12, 31))
JOUR = date(2021, 12, 15)


def lisible(sentence: object) -> str:
    return str(sentence).replace("\u202f", " ").replace("\u00a0", " ")


def reel(code: str, euros: int = 10_000) -> Poste:
    return Poste(code=code, montant_centimes=euros * 100)


def forfait(option: str, taux: str, *assiette: str, code: str | None = None, **p: Any) -> Poste:
    return Poste(
        code=code or OPTIONS[option].poste,
        montant_centimes=p.pop("centimes", 0),
        mode="forfait",
        option=option,
        taux_pct=Decimal(taux),
        assiette=assiette,
        **p,
    )


def unitaire(**p: Any) -> Poste:
    base: dict[str, Any] = {
        "code": "parcours",
        "montant_centimes": 90_000_00,
        "mode": "cout_unitaire",
        "couvre": ("personnel", "fonctionnement"),
        "unite": "parcours achevé",
        "cout_unite_centimes": 750_00,
        "unites": Decimal(120),
    }
    return Poste(**base | p)


def livrable(code: str = "L1", euros: int = 35_000) -> Livrable:
    return Livrable(id=code, libelle=f"Livrable {code}", montant_centimes=euros * 100)


def forfaitaire(*livrables: Livrable, **p: Any) -> Poste:
    base: dict[str, Any] = {
        "code": "bilan_social",
        "montant_centimes": 35_000_00,
        "mode": "montant_forfaitaire",
        "couvre": ("prestations",),
        "livrables": livrables or (livrable(),),
    }
    return Poste(**base | p)


# --- A poste comes to its amount -----------------------------------------------------------------


def test_a_flat_rate_comes_to_its_share_of_its_base() -> None:
    verifier_montants([reel("personnel"), forfait_15(1_500_00)])
    for faux, dit in ((1_499_99, "1 499,99 €"), (1_500_01, "1 500,01 €")):
        with pytest.raises(MontantDuPosteInexact) as refus:
            verifier_montants([reel("personnel"), forfait_15(faux)])
        assert lisible(refus.value) == (
            f"Le poste « indirectes » est prévu pour {dit}, alors que 15 % de l’assiette "
            "« personnel », soit 1 500,00 €."
        )


def test_a_base_names_each_of_its_postes() -> None:
    sept = forfait("forfait_7", "7", "personnel", "prestations", centimes=1)
    with pytest.raises(MontantDuPosteInexact, match="l’assiette « personnel, prestations », soit"):
        verifier_montants([reel("personnel"), reel("prestations"), sept])


def forfait_15(centimes: int) -> Poste:
    return forfait("forfait_15_personnel", "15", "personnel", centimes=centimes)


def test_half_a_cent_is_rounded_either_way_and_no_further() -> None:
    """15 % of 33 333,30 € is 4 999,995 €."""
    personnel = Poste(code="personnel", montant_centimes=33_333_30)
    for admis in (4_999_99, 5_000_00):
        verifier_montants([personnel, forfait_15(admis)])
    for faux in (4_999_98, 5_000_01):
        with pytest.raises(MontantDuPosteInexact):
            verifier_montants([personnel, forfait_15(faux)])


@given(
    base=st.integers(0, 123_456_789_99),
    taux=st.decimals(0, 40, places=2),
    mode=st.sampled_from(["demi_superieur", "troncature"]),
)
def test_a_rounded_share_always_passes(base: int, taux: Decimal, mode: Any) -> None:
    part = round_cents(Fraction(taux) / 100 * base, mode)
    verifier_montants(
        [
            Poste(code="personnel", montant_centimes=base),
            forfait("forfait_40", str(taux), "personnel", centimes=part),
        ]
    )


def test_units_times_their_cost_come_to_the_amount() -> None:
    verifier_montants([unitaire()])
    with pytest.raises(MontantDuPosteInexact) as refus:
        verifier_montants([unitaire(unites=Decimal("119.99"))])
    assert "119.99 unités sont prévues, soit 89 992,50 €" in lisible(refus.value)


def test_deliverables_come_to_the_amount() -> None:
    deux = forfaitaire(livrable("L1"), livrable("L2", 25_000), montant_centimes=60_000_00)
    verifier_montants([deux])
    with pytest.raises(MontantDuPosteInexact, match="alors que ses livrables s’ajoutent, soit"):
        verifier_montants([forfaitaire(montant_centimes=35_000_01)])


SANS_TAUX = Poste(
    code="indirectes",
    montant_centimes=0,
    mode="forfait",
    option="forfait_15_personnel",
    assiette=("personnel",),
)
UNITAIRE_INCOMPLET = (
    "au coût unitaire » : indiquez le coût d’une unité, leur nombre et ce qu’il couvre"
)
FORFAITAIRE_INCOMPLET = (
    "au montant forfaitaire » : indiquez les livrables et ce que le montant couvre"
)


@pytest.mark.parametrize(
    ("poste", "manque"),
    [
        (
            Poste(code="indirectes", montant_centimes=0, mode="forfait"),
            "à taux forfaitaire » : indiquez l’option, le taux et l’assiette",
        ),
        (SANS_TAUX, "à taux forfaitaire » : indiquez l’option, le taux et l’assiette"),
        (
            Poste(
                code="indirectes",
                montant_centimes=0,
                mode="forfait",
                taux_pct=Decimal(15),
                assiette=("personnel",),
            ),
            "à taux forfaitaire » : indiquez l’option, le taux et l’assiette",
        ),
        (
            forfait("forfait_15_personnel", "15"),
            "à taux forfaitaire » : indiquez l’option, le taux et l’assiette",
        ),
        (
            forfait("forfait_15_personnel", "15", "fonctionnement"),
            "à taux forfaitaire » : son assiette nomme d’autres postes du plan",
        ),
        (
            forfait("forfait_15_personnel", "15", "indirectes"),
            "à taux forfaitaire » : son assiette nomme d’autres postes du plan",
        ),
        (unitaire(cout_unite_centimes=None), UNITAIRE_INCOMPLET),
        (unitaire(unites=None), UNITAIRE_INCOMPLET),
        (unitaire(couvre=()), UNITAIRE_INCOMPLET),
        (forfaitaire(livrables=()), FORFAITAIRE_INCOMPLET),
        (forfaitaire(couvre=()), FORFAITAIRE_INCOMPLET),
    ],
)
def test_a_form_says_all_that_it_needs(poste: Poste, manque: str) -> None:
    with pytest.raises(FormeIncomplete) as refus:
        verifier_montants([reel("personnel"), poste])
    assert str(refus.value) == f"Le poste « {poste.code} » est « {manque}."


def test_a_deliverable_is_worth_its_amount_once() -> None:
    for postes in (
        [forfaitaire(livrable(), livrable(), montant_centimes=70_000_00)],
        [forfaitaire(), forfaitaire(code="mf_bis", couvre=("fonctionnement",))],
    ):
        with pytest.raises(LivrableEnDouble, match="« L1 » figure deux fois"):
            verifier_montants(postes)


def test_only_unit_costs_and_lump_sums_have_a_name_of_their_own() -> None:
    inconnus = [reel("frais_divers"), forfait("forfait_7", "7", "personnel", code="frais_divers")]
    for poste in inconnus:
        with pytest.raises(PosteReelInconnu, match="« frais_divers » n’est pas de la nomenclature"):
            verifier_montants([reel("personnel"), poste])
    verifier_montants([unitaire(), forfaitaire()])


# --- What each option opens ----------------------------------------------------------------------


def verifier(
    *postes: Poste,
    reglement: str = "2021-2027",
    le: date = JOUR,
    periode: Periode = ANNEE,
) -> None:
    verifier_formes(postes, reglement=reglement, le=le, periode=periode)


#: Option, its highest rate, a base that it admits, a base that it does not.
BASES = {
    "forfait_15_personnel": ("15", ("personnel",), ("personnel", "fonctionnement")),
    "forfait_20_national": ("20", ("personnel", "fonctionnement"), ("personnel", "prestations")),
    "forfait_40": ("40", ("personnel",), ("personnel", "participants")),
    "forfait_7": ("7", ("personnel", "fonctionnement", "prestations"), ("autres_couts",)),
    "forfait_25": ("25", ("personnel", "prestations"), ("indirectes", "personnel")),
    "forfait_personnel_20": ("20", ("fonctionnement", "prestations"), ("personnel",)),
}
REGIMES = {"forfait_20_national": "2014-2020"}
#: Options that one of the two periods does not know.
HORS_REGIME = {"forfait_20_national": "2021-2027", "forfait_7": "2014-2020"}


def essai(option: str, taux: str, assiette: tuple[str, ...], **p: Any) -> list[Poste]:
    """Return a plan whose only other postes are the base."""
    return [*(reel(code) for code in assiette), forfait(option, taux, *assiette, **p)]


def dans(option: str) -> dict[str, Any]:
    return {"reglement": REGIMES.get(option, "2021-2027")}


def test_every_option_is_here() -> None:
    assert BASES.keys() == OPTIONS.keys()


@pytest.mark.parametrize("option", BASES)
def test_an_option_goes_up_to_its_highest_rate(option: str) -> None:
    maximum, assiette, _ = BASES[option]
    methode = {"methode_ref": "METHODE-1"}
    for taux in ("0.01", maximum):
        verifier(*essai(option, taux, assiette, **methode), **dans(option))
    with pytest.raises(TauxForfaitaireTropEleve) as refus:
        verifier(*essai(option, f"{maximum}.01", assiette, **methode), **dans(option))
    debut = f"Le poste « {OPTIONS[option].poste} » applique {maximum}.01 %, au-delà des {maximum} %"
    assert lisible(refus.value).startswith(f"{debut} de l’option « {OPTIONS[option].libelle} » (")
    texte = parametre(OPTIONS[option].plafond, le=JOUR, **dans(option))
    assert str(refus.value).endswith(f"({texte.reference}).")


@pytest.mark.parametrize("option", BASES)
def test_an_option_applies_to_its_own_base(option: str) -> None:
    maximum, _, autre = BASES[option]
    with pytest.raises(AssietteNonConforme) as refus:
        verifier(*essai(option, maximum, autre, methode_ref="METHODE-1"), **dans(option))
    libelle, base = OPTIONS[option].libelle, ", ".join(sorted(OPTIONS[option].base))
    reelle = " au coût réel" if OPTIONS[option].base_reelle else ""
    assert lisible(refus.value) == lisible(
        f"Le taux forfaitaire du poste « {OPTIONS[option].poste} » porte sur « {', '.join(autre)} »"
        f" : l’option « {libelle} » ne porte que sur « {base} »{reelle}."
    )


@pytest.mark.parametrize("option", BASES)
def test_an_option_pays_its_own_poste(option: str) -> None:
    maximum, assiette, _ = BASES[option]
    ailleurs = essai(option, maximum, assiette, code="tiers", methode_ref="METHODE-1")
    with pytest.raises(AssietteNonConforme, match="Le taux forfaitaire du poste « tiers »"):
        verifier(*ailleurs, **dans(option))


@pytest.mark.parametrize("option", HORS_REGIME)
def test_an_option_of_the_other_period_is_refused(option: str) -> None:
    maximum, assiette, _ = BASES[option]
    reglement = HORS_REGIME[option]
    refus = f"L’option « {OPTIONS[option].libelle} » n’existe pas sous le règlement {reglement} au"
    with pytest.raises(OptionHorsRegime, match=refus):
        verifier(*essai(option, maximum, assiette), reglement=reglement)


def test_an_option_is_refused_before_its_text_is_in_force() -> None:
    avant, depuis = date(2018, 8, 1), date(2018, 8, 2)
    postes = essai("forfait_personnel_20", "20", ("fonctionnement",))
    with pytest.raises(OptionHorsRegime, match="au 01/08/2018"):
        verifier(*postes, reglement="2014-2020", le=avant)
    verifier(*postes, reglement="2014-2020", le=depuis)


def test_a_rate_that_needs_a_method_names_it() -> None:
    with pytest.raises(MethodeAbsente, match=f"L’option « {OPTIONS['forfait_25'].libelle} »"):
        verifier(*essai("forfait_25", "25", ("personnel",)))
    verifier(*essai("forfait_25", "25", ("personnel",), methode_ref="METHODE-1"))


def test_what_is_missing_is_said_with_the_amounts_not_with_the_forms() -> None:
    verifier(Poste(code="indirectes", montant_centimes=0, mode="forfait"), SANS_TAUX)


# --- One cost, one form --------------------------------------------------------------------------


def test_forty_percent_leaves_room_for_the_participants_only() -> None:
    """The 40 % pays everything else; allowances of the participants come on top."""
    quarante = forfait("forfait_40", "40", "personnel")
    verifier(reel("personnel"), reel("participants"), quarante)
    for code in ("fonctionnement", "prestations", "indirectes", "nature", "tiers"):
        deja = f"« autres_couts » couvre déjà ce que compte le poste « {code} »"
        with pytest.raises(FormesIncompatibles, match=deja):
            verifier(reel("personnel"), reel(code), quarante)


def test_forty_percent_does_not_stand_on_another_flat_rate() -> None:
    chaine = [
        reel("participants"),
        forfait("forfait_personnel_20", "20", "participants"),
        forfait("forfait_40", "40", "personnel"),
    ]
    with pytest.raises(AssietteNonConforme, match="ne porte que sur « personnel » au coût réel"):
        verifier(*chaine)


def test_fifteen_percent_may_stand_on_a_flat_rate_of_staff() -> None:
    verifier(
        reel("fonctionnement"),
        reel("prestations"),
        forfait("forfait_personnel_20", "20", "fonctionnement", "prestations"),
        forfait("forfait_15_personnel", "15", "personnel"),
    )


def test_what_a_unit_cost_covers_is_not_counted_again() -> None:
    verifier(unitaire(), reel("prestations"))
    for code in ("personnel", "fonctionnement"):
        with pytest.raises(FormesIncompatibles) as refus:
            verifier(unitaire(), reel(code))
        assert f"« parcours » couvre déjà ce que compte le poste « {code} »" in str(refus.value)


def test_two_scales_do_not_cover_the_same_cost() -> None:
    autre = msgspec.structs.replace(unitaire(), code="ateliers", couvre=("personnel",))
    with pytest.raises(FormesIncompatibles, match="« ateliers »"):
        verifier(unitaire(), autre)
    verifier(unitaire(), msgspec.structs.replace(autre, couvre=("prestations",)))


def test_what_a_lump_sum_covers_is_not_counted_again() -> None:
    with pytest.raises(FormesIncompatibles, match="« bilan_social » couvre déjà"):
        verifier(reel("prestations"), forfaitaire())


# --- The national rate of 20 %: 500 000 € a year at most -----------------------------------------


def national(total_euros: int) -> list[Poste]:
    """Return a plan at 20 % of a staff, whose total is given."""
    personnel = total_euros * 100 * 5 // 6
    return [
        Poste(code="personnel", montant_centimes=personnel),
        forfait("forfait_20_national", "20", "personnel", centimes=total_euros * 100 - personnel),
    ]


def test_the_national_rate_stops_at_its_yearly_cost() -> None:
    verifier(*national(500_000), reglement="2014-2020")
    with pytest.raises(PlafondAnnuelDuForfaitNational) as refus:
        verifier(*national(500_001), reglement="2014-2020")
    assert "Le coût programmé de 2021 est de 500 001,00 €" in lisible(refus.value)


def test_the_yearly_cost_is_shared_by_days() -> None:
    """A million over 2020 and 2021, 366 and 365 days: 2020 alone passes the half."""
    deux_ans = Periode(debut=date(2020, 1, 1), fin=date(2021, 12, 31))
    with pytest.raises(PlafondAnnuelDuForfaitNational) as refus:
        verifier(*national(1_000_000), reglement="2014-2020", periode=deux_ans)
    assert "de 2020 est de 500 683,99 €" in lisible(refus.value)
    verifier(*national(998_600), reglement="2014-2020", periode=deux_ans)
    a_cheval = Periode(debut=date(2020, 12, 1), fin=date(2021, 12, 31))
    with pytest.raises(PlafondAnnuelDuForfaitNational, match="de 2021"):
        verifier(*national(600_000), reglement="2014-2020", periode=a_cheval)


# --- When simplified costs are mandatory ---------------------------------------------------------


def manquants(
    postes: list[Poste], *, cout: int = 0, public: int = 0, reglement: str, le: date = JOUR
) -> Any:
    return couts_simplifies_manquants(
        postes,
        cout_total=cout * 100,
        soutien_public=public * 100,
        reglement=reglement,
        le=le,
    )


def test_up_to_a_total_cost_simplified_costs_are_mandatory_in_2021_2027() -> None:
    reels = [reel("personnel"), reel("fonctionnement")]
    refus, seuil = manquants(reels, cout=200_000, reglement="2021-2027")
    assert isinstance(refus, CoutsSimplifiesObligatoires)
    assert lisible(refus).startswith(
        "Le coût total est de 200 000,00 €, dans la limite de 200 000,00 € :"
    )
    # Named as the forms name them: no code of ours.
    noms = "« Dépenses directes de personnel », « Dépenses directes de fonctionnement »"
    assert f"{noms} restent au coût réel" in str(refus)
    assert seuil.verifie_le is not None
    assert manquants(reels, cout=200_001, reglement="2021-2027") is None
    # The public support says nothing there, nor the cost in the other period.
    assert manquants(reels, cout=200_001, public=10, reglement="2021-2027") is None


@pytest.mark.parametrize(
    ("le", "seuil", "relu"),
    [(date(2018, 8, 1), 50_000, True), (date(2018, 8, 2), 100_000, False)],
)
def test_up_to_a_public_support_they_are_in_2014_2020(le: date, seuil: int, relu: Any) -> None:
    reels = [reel("personnel")]
    refus, parametre = manquants(reels, cout=9_999_999, public=seuil, reglement="2014-2020", le=le)
    assert "Le soutien public est de" in str(refus)
    # Only a threshold read at its source refuses; the caller informs with the other.
    assert (parametre.verifie_le is not None) is relu
    assert manquants(reels, public=seuil + 1, reglement="2014-2020", le=le) is None


def test_the_base_of_a_flat_rate_and_what_stays_beside_it_are_real() -> None:
    petit: Any = {"cout": 100_000, "reglement": "2021-2027"}
    base = [reel("personnel"), forfait_15(0)]
    assert manquants(base, **petit) is None
    admis = [reel(code) for code in ("participants", "nature", "tiers")]
    assert manquants([*base, *admis], **petit) is None
    refus, _ = manquants([*base, reel("prestations")], **petit)
    assert "« Prestations de services » restent" in str(refus)
    assert manquants([unitaire()], **petit) is None


def test_each_refusal_names_its_text() -> None:
    for refus in (
        CoutsSimplifiesObligatoires,
        FormesIncompatibles,
        MethodeAbsente,
        PlafondAnnuelDuForfaitNational,
    ):
        assert issubclass(refus, Refusal)
        assert refus.article
