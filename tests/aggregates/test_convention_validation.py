"""The end of a control: everything decided, the beneficiary heard, what the Fund owes fixed."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from dsl import Decision, Given
from fabrique import (
    AUTRE_ID,
    BILAN_ID,
    CERTIFIE,
    CSF,
    CSF_ID,
    ENTENDU,
    NOTIFIEE,
    commande,
    depense,
    euros,
    fait,
    forfait,
    livrables,
    operation,
    parcours,
    plan,
    poste,
    ressource,
    signee,
)
from msgspec.structs import replace

from aggregates.convention.events import (
    BilanDepose,
    BilanJugeRecevable,
    ConclusionsFinalesNotifiees,
    ConclusionsIntermediairesNotifiees,
    ConventionNotifiee,
    ConventionSignee,
    CsfOuvert,
    CsfRouvert,
    CsfValide,
    EchantillonTire,
    EntreesCalcul,
    ExtrapolationDecidee,
    FseCorrige,
    LivrableControle,
    MarcheCorrige,
    ObservationsRecues,
    PlafondPoste,
    PosteRetenu,
    RealisationsControlees,
    RecettesControlees,
    RessourceRetenue,
    RessourcesControlees,
    UnitesControlees,
    UnitesDeclarees,
)
from aggregates.convention.state import CONVENTION
from aggregates.convention.validation import (
    BilanAnterieurNonControle,
    ConclusionsAvantReponse,
    ConclusionsDepassees,
    ContradictoireManquant,
    ContributionSansContrepartie,
    ControleurEgalValideur,
    DelaiContradictoireTropCourt,
    LignesNonControlees,
    NotifierConclusions,
    NotifierConclusionsFinales,
    RealisationsNonControlees,
    RecettesNonControlees,
    RecevoirObservations,
    RessourcesNonControlees,
    ValiderCsf,
    notifier_conclusions,
    notifier_conclusions_finales,
    recevoir_observations,
    valider_csf,
)
from aggregates.depense.state import Depense
from rules import VERSION_REGLES
from rules.calcul import Resultat, service_fait
from rules.fse_du import CoutConventionneNul, RecettesCompteesDeuxFois

EPCI = ressource("publique_epci", 60_000)


def under_control(signature: Any = None, **bilan: Any) -> list[Any]:
    """Return a convention whose bilan is under control."""
    return [
        signature or signee(),
        fait(ConventionNotifiee),
        fait(BilanDepose, **bilan),
        fait(BilanJugeRecevable),
        fait(CsfOuvert),
    ]


def lines(*depenses: Depense) -> dict[UUID, Depense]:
    """Name the dépenses of a bilan."""
    return {UUID(int=70 + rang): d for rang, d in enumerate(depenses)}


def validate(
    facts: Any = CSF,
    depenses: Sequence[Depense] | None = None,
    valideur: str = "valideur-1",
    csf_id: UUID = CSF_ID,
    **saisie: Any,
) -> Decision:
    du_bilan = [depense(80_000, ecarte=0)] if depenses is None else depenses
    asked = commande(ValiderCsf, **saisie)
    return Given(CONVENTION, facts).when(
        valider_csf, asked, csf_id, valideur, lines(*du_bilan), operation()
    )


def kept(retenu: str | int, kind: str = "publique_epci", declare: int = 60_000) -> Any:
    """Return the decision on a resource."""
    return fait(
        RessourcesControlees,
        ressources=(
            RessourceRetenue(
                type=kind,
                financeur="Financeur fictif",
                montant_declare_centimes=euros(declare),
                montant_retenu_centimes=euros(retenu),
            ),
        ),
    )


def entrees(fact: CsfValide) -> EntreesCalcul:
    """Return the inputs of a certificate."""
    assert fact.entrees is not None
    return fact.entrees


def resultat(fact: CsfValide) -> Resultat:
    """Return the calculation of a certificate."""
    assert fact.resultat is not None
    return fact.resultat


AVEC_RESSOURCE = under_control(ressources=(EPCI,))


# --- What is due ---------------------------------------------------------------------------------


def test_the_certificate_fixes_what_the_fund_owes() -> None:
    validate().then_one(
        CsfValide,
        valideur="valideur-1",
        version=1,
        type="final",
        version_regles=VERSION_REGLES,
        postes=(
            PosteRetenu(
                code="personnel",
                declare_centimes=euros(80_000),
                ecarte_centimes=0,
                retenu_centimes=euros(80_000),
            ),
        ),
        postes_cumules={"personnel": euros(80_000)},
        cout_net_cumule_centimes=euros(80_000),
        c1_plafond_centimes=euros(50_000),
        c2_taux_centimes=euros(40_000),
        c3_besoin_centimes=euros(80_000),
        c4_hors_nature_centimes=None,
        contrainte_active="taux",
        fse_du_cumule_centimes=euros(40_000),
        fse_du_periode_centimes=euros(40_000),
        cout_total_retenu_periode_centimes=euros(80_000),
        depenses_declarees_centimes=euros(80_000),
        depenses_ecartees_centimes=0,
        autofinancement_constate_centimes=euros(40_000),
        surfinancement_ecarte_centimes=0,
    )


def test_the_fact_carries_all_that_it_takes_to_compute_it_again() -> None:
    signature = signee(
        plan(
            50_000,
            ressource("publique_epci", 65_000),
            personnel=100_000,
            indirectes=forfait("forfait_15_personnel", 15_000, "15", "personnel"),
        )
    )
    fact = validate(under_control(signature)).then_one(CsfValide)
    lues = entrees(fact)
    assert lues.rang == 0
    assert service_fait(lues.conditions, lues.bilans) == fact.resultat
    assert resultat(fact).fse_du_centimes == fact.fse_du_cumule_centimes == euros(40_000)


def test_the_rate_the_ceiling_and_the_need_each_bite() -> None:
    validate().then_one(CsfValide, contrainte_active="taux", fse_du_cumule_centimes=euros(40_000))
    validate(depenses=[depense(120_000, ecarte=0)]).then_one(
        CsfValide, contrainte_active="plafond", fse_du_cumule_centimes=euros(50_000)
    )
    validate([*AVEC_RESSOURCE, kept(60_000)]).then_one(
        CsfValide,
        contrainte_active="besoin",
        ressources_externes_centimes=euros(60_000),
        fse_du_cumule_centimes=euros(20_000),
        surfinancement_ecarte_centimes=0,
    )


def test_what_is_retained_of_a_resource_counts_and_not_what_was_declared() -> None:
    validate([*AVEC_RESSOURCE, kept(45_000)]).then_one(
        CsfValide,
        ressources_externes_centimes=euros(45_000),
        ressources_cumulees=(("publique_epci", euros(45_000)),),
        fse_du_cumule_centimes=euros(35_000),
    )


def test_own_money_never_lowers_what_the_fund_owes() -> None:
    validate([*AVEC_RESSOURCE, kept(60_000, "autofinancement")]).then_one(
        CsfValide, ressources_externes_centimes=0, fse_du_cumule_centimes=euros(40_000)
    )


def test_what_is_due_is_rounded_as_the_grant_says() -> None:
    odd = [depense("80 000,01", ecarte=0)]
    validate(depenses=odd).then_one(CsfValide, fse_du_cumule_centimes=euros("40 000,01"))
    truncated = under_control(signee(arrondi="troncature"))
    validate(truncated, odd).then_one(
        CsfValide, fse_du_cumule_centimes=euros(40_000), arrondi="troncature"
    )


def test_the_displayed_rate_applies_where_the_grant_says_so() -> None:
    """CSF-23: 50 000 / 83 000 is 60,2409… %; the convention prints 60,24 %."""
    du_cas = plan(50_000, ressource("publique_epci", 33_000), personnel=83_000)
    exact = under_control(signee(du_cas))
    validate(exact).then_one(CsfValide, fse_du_cumule_centimes=euros("48 192,77"))
    affiche = under_control(signee(du_cas, taux_mode="affiche"))
    validate(affiche).then_one(CsfValide, fse_du_cumule_centimes=euros(48_192))


def test_a_flat_rate_follows_the_correction_of_its_base() -> None:
    forfaitise = signee(
        plan(
            50_000,
            ressource("publique_epci", 50_000),
            fonctionnement=31_000,
            personnel=60_000,
            indirectes=forfait("forfait_15_personnel", 9_000, "15", "personnel"),
        )
    )
    cut = [depense(60_000, ecarte=10_000)]
    validate([*under_control(forfaitise), *ENTENDU], cut).then_one(
        CsfValide, postes_cumules={"personnel": euros(50_000), "indirectes": euros(7_500)}
    )


def test_units_are_paid_at_their_cost_and_deliverables_whole() -> None:
    a_l_unite = under_control(
        signee(plan(54_000, ressource("privee", 36_000), p=parcours())),
        depenses=(),
        unites=(UnitesDeclarees(poste="parcours", quantite=Decimal(112)),),
    )
    proven = fait(
        RealisationsControlees,
        unites=(
            UnitesControlees(
                poste="parcours",
                declarees=Decimal(112),
                retenues=Decimal(103),
                motif_code="UNITE_NON_PROUVEE",
            ),
        ),
    )
    validate([*a_l_unite, proven, *ENTENDU], []).then_one(
        CsfValide, postes_cumules={"parcours": euros(77_250)}
    )
    au_forfait = under_control(
        signee(plan(24_000, ressource("privee", 36_000), mf=livrables(L1=35_000, L2=25_000))),
        depenses=(),
        livrables=("L1", "L2"),
    )
    reached = fait(
        RealisationsControlees,
        livrables=tuple(
            LivrableControle(
                poste="montants_forfaitaires",
                id=nom,
                montant_centimes=euros(montant),
                atteint=atteint,
                motif_code=None,
            )
            for nom, montant, atteint in (("L1", 35_000, True), ("L2", 25_000, False))
        ),
    )
    validate([*au_forfait, reached, *ENTENDU], []).then_one(
        CsfValide, cout_net_cumule_centimes=euros(35_000), fse_du_cumule_centimes=euros(14_000)
    )


def test_a_contract_loses_its_rate_of_what_is_retained_of_it() -> None:
    facts = [*CSF, fait(MarcheCorrige), *ENTENDU]
    du_marche = depense("9 999,99", ecarte=0, marche_ref="M-1")
    fact = validate(facts, [du_marche, depense(70_000, ecarte=0)]).then_one(
        CsfValide,
        cout_net_cumule_centimes=euros("77 499,99"),
        depenses_ecartees_centimes=euros(2_500),
    )
    assert [m.correction_centimes for m in resultat(fact).marches] == [euros(2_500)]


def test_the_funds_share_is_corrected_after_the_ceilings() -> None:
    validate([*CSF, fait(FseCorrige), *ENTENDU]).then_one(
        CsfValide, fse_du_cumule_centimes=euros(38_800), c2_taux_centimes=euros(40_000)
    )


def test_what_was_not_drawn_is_corrected_at_the_rate_of_the_draw() -> None:
    """CSF-15: 375 € of 18 500 € drawn, 41 500 € not drawn."""
    facts = [
        *CSF,
        fait(EchantillonTire, tirage=tuple(UUID(int=70 + n) for n in range(3))),
        fait(ExtrapolationDecidee),
        *ENTENDU,
    ]
    drawn = [depense(6_000, ecarte=0), depense(5_500, ecarte=275), depense(7_000, ecarte=100)]
    fact = validate(facts, [*drawn, depense(41_500, ecarte=0)]).then_one(
        CsfValide, postes_cumules={"personnel": euros("58 783,78")}
    )
    [extrapolation] = resultat(fact).extrapolations
    assert (extrapolation.taux, extrapolation.correction_centimes) == ("3/148", euros("841,22"))


def revenue(traitement: str, retenu: int = 10_000) -> list[Any]:
    return [
        *under_control(recettes_nettes_centimes=euros(10_000), ressources=(EPCI,)),
        kept(30_000, declare=60_000),
        fait(RecettesControlees, traitement=traitement, retenues_centimes=euros(retenu)),
        *ENTENDU,
    ]


def test_revenue_is_deducted_counted_or_left_alone() -> None:
    validate(revenue("deduites")).then_one(
        CsfValide, cout_net_cumule_centimes=euros(70_000), fse_du_cumule_centimes=euros(35_000)
    )
    validate(revenue("ressource")).then_one(
        CsfValide,
        cout_net_cumule_centimes=euros(80_000),
        ressources_cumulees=(("publique_epci", euros(30_000)), ("recettes", euros(10_000))),
        ressources_externes_centimes=euros(40_000),
    )
    validate(revenue("exemptees")).then_one(
        CsfValide,
        cout_net_cumule_centimes=euros(80_000),
        ressources_externes_centimes=euros(30_000),
    )


def test_revenue_is_not_counted_twice() -> None:
    facts = [
        *under_control(
            recettes_nettes_centimes=euros(10_000), ressources=(ressource("recettes", 10_000),)
        ),
        kept(10_000, "recettes", 10_000),
        fait(RecettesControlees, traitement="deduites", retenues_centimes=euros(10_000)),
    ]
    validate(facts).refuses(RecettesCompteesDeuxFois, "choisissez l’un ou l’autre")


# --- Caps of the convention ----------------------------------------------------------------------

DEUX_POSTES = plan(
    50_000, ressource("publique_epci", 50_000), personnel=85_000, fonctionnement=15_000
)
DEPASSE = [depense(60_000, ecarte=0), depense(19_300, ecarte=0, poste="fonctionnement")]


@pytest.mark.parametrize(
    ("choix", "retenu"),
    [
        ({}, 19_300),
        ({"fongibilite": "plafond_par_poste"}, 15_000),
        ({"fongibilite": "tolerance", "tolerance_poste_pct": Decimal(10)}, 16_500),
        # A tolerance says nothing where each poste is a ceiling.
        ({"fongibilite": "plafond_par_poste", "tolerance_poste_pct": Decimal(10)}, 15_000),
    ],
)
def test_a_poste_passes_its_amount_as_far_as_the_grant_admits(choix: Any, retenu: int) -> None:
    validate(under_control(signee(DEUX_POSTES, **choix)), DEPASSE).then_one(
        CsfValide,
        postes_cumules={"fonctionnement": euros(retenu), "personnel": euros(60_000)},
        depenses_ecartees_centimes=0,
    )


def test_a_cap_of_the_convention_comes_before_the_rule_of_the_grant() -> None:
    explicite = PlafondPoste(
        code="fonctionnement", montant_centimes=euros(12_000), tolerance_pct=Decimal(25)
    )
    for choix in ({}, {"fongibilite": "plafond_par_poste"}):
        signature = signee(DEUX_POSTES, plafonds_poste=(explicite,), **choix)
        validate(under_control(signature), DEPASSE).then_one(
            CsfValide, postes_cumules={"fonctionnement": euros(15_000), "personnel": euros(60_000)}
        )


def test_a_flat_rate_is_not_capped_by_the_rule_of_the_grant() -> None:
    forfaitise = plan(
        50_000,
        ressource("publique_epci", 65_000),
        personnel=100_000,
        indirectes=forfait("forfait_15_personnel", 15_000, "15", "personnel"),
    )
    capped = under_control(signee(forfaitise, fongibilite="plafond_par_poste"))
    fact = validate(capped, [depense(110_000, ecarte=0)]).then_one(CsfValide)
    assert fact.postes_cumules == {"personnel": euros(100_000), "indirectes": euros(15_000)}
    assert resultat(fact).postes[0].ecrete_centimes == euros(10_000)


# --- A decision on everything --------------------------------------------------------------------


def test_validation_without_a_decision_on_each_line_is_refused() -> None:
    validate(depenses=[depense(80_000, ecarte=0), depense()]).refuses(
        LignesNonControlees, "la décision de 1 dépense du bilan"
    )


def test_validation_without_a_decision_on_the_resources_is_refused() -> None:
    validate(AVEC_RESSOURCE).refuses(RessourcesNonControlees, "n’ont pas encore été contrôlées")


@pytest.mark.parametrize(
    "bilan",
    [
        {"unites": (UnitesDeclarees(poste="parcours", quantite=Decimal(1)),)},
        {"livrables": ("L1",)},
    ],
)
def test_validation_without_a_decision_on_units_and_deliverables_is_refused(bilan: Any) -> None:
    validate(under_control(**bilan)).refuses(RealisationsNonControlees, "unités et les livrables")


def test_validation_without_a_decision_on_revenue_is_refused() -> None:
    validate(under_control(recettes_nettes_centimes=1)).refuses(
        RecettesNonControlees, "déclare 0,01 € de recettes nettes"
    )


def in_kind(depense_nature: int, retenue: int) -> Decision:
    signature = signee(
        plan(30_000, ressource("nature", 20_000), personnel=30_000, nature=poste("nature", 20_000))
    )
    bilan = under_control(signature, ressources=(ressource("nature", 20_000),))
    facts = [*bilan, kept(retenue, "nature", 20_000), *ENTENDU]
    spent = [depense(22_000, ecarte=0), depense(depense_nature, ecarte=0, poste="nature")]
    return validate(facts, spent)


def test_a_contribution_in_kind_has_the_same_amount_on_both_sides() -> None:
    in_kind(20_000, 20_000).then_one(
        CsfValide, c4_hors_nature_centimes=euros(22_000), fse_du_cumule_centimes=euros(22_000)
    )
    in_kind(20_000, 19_999).refuses(
        ContributionSansContrepartie, "20 000,00 € de dépenses « nature » sont retenues pour"
    )
    in_kind(19_999, 20_000).refuses(ContributionSansContrepartie, "20 000,00 € de ressources")


def test_controller_does_not_validate_its_own_control() -> None:
    validate(valideur="gestionnaire-1").refuses(
        ControleurEgalValideur,
        "Vous avez contrôlé ce bilan n° 1 (contrôle ouvert le 15/12/2021) : une autre personne",
    )


# --- The beneficiary is heard --------------------------------------------------------------------

REJETE = [depense(80_000, ecarte="0,01")]
#: 39 999,995 € of the Fund, rounded up: a cent set aside costs nothing, and is said all the same.


def tell(facts: Any = CSF, depenses: Any = REJETE, **saisie: Any) -> Decision:
    return Given(CONVENTION, facts).when(
        notifier_conclusions, commande(NotifierConclusions, **saisie), CSF_ID, lines(*depenses)
    )


def end(facts: Any, **saisie: Any) -> Decision:
    return Given(CONVENTION, facts).when(
        notifier_conclusions_finales, commande(NotifierConclusionsFinales, **saisie), CSF_ID
    )


def test_the_beneficiary_is_told_what_was_asked_and_what_would_be_kept() -> None:
    tell(depenses=[depense(80_000, ecarte=10_000)]).then(
        fait(
            ConclusionsIntermediairesNotifiees,
            date_limite_reponse=date(2022, 1, 14),
            fse_demande_centimes=euros(40_000),
            fse_retenu_centimes=euros(35_000),
        )
    )


def test_the_delay_of_the_grant_is_the_least_that_is_left() -> None:
    tell(date_limite_reponse="2022-01-14").then_one(ConclusionsIntermediairesNotifiees)
    tell(date_limite_reponse="2022-02-28").then_one(
        ConclusionsIntermediairesNotifiees, date_limite_reponse=date(2022, 2, 28)
    )
    tell(date_limite_reponse="2022-01-13").refuses(
        DelaiContradictoireTropCourt, "a 30 jours pour répondre"
    )
    quinze = under_control(signee(delai_contradictoire_jours=15))
    tell(quinze).then_one(
        ConclusionsIntermediairesNotifiees, date_limite_reponse=date(2021, 12, 30)
    )


def test_an_answer_is_recorded() -> None:
    Given(CONVENTION, CSF).when(recevoir_observations, commande(RecevoirObservations), CSF_ID).then(
        fait(ObservationsRecues)
    )


TOLD = fait(ConclusionsIntermediairesNotifiees)


def test_the_end_follows_the_answer_or_the_delay() -> None:
    end([*CSF, TOLD, fait(ObservationsRecues)]).then(fait(ConclusionsFinalesNotifiees))
    end([*CSF, TOLD], date_effet="2022-05-16").then_one(ConclusionsFinalesNotifiees)
    end([*CSF, TOLD], date_effet="2022-05-15").refuses(
        ConclusionsAvantReponse, "la fin du délai (15/05/2022)"
    )


def test_nothing_ends_that_was_not_told() -> None:
    for facts in (CSF, [*CSF, fait(ObservationsRecues)]):
        end(facts).refuses(ConclusionsAvantReponse, "(conclusions à notifier)")


def test_money_is_not_set_aside_before_the_beneficiary_is_heard() -> None:
    validate(depenses=REJETE).refuses(ContradictoireManquant, "(conclusions à notifier)")
    validate([*CSF, TOLD], REJETE).refuses(ContradictoireManquant, "fin du délai (15/05/2022)")
    validate([*CSF, TOLD, fait(ObservationsRecues)], REJETE).refuses(
        ContradictoireManquant, "puis notifiez les conclusions finales"
    )
    validate([*CSF, *ENTENDU], REJETE).then_one(CsfValide, depenses_ecartees_centimes=1)


def test_told_again_the_beneficiary_answers_again() -> None:
    validate([*CSF, *ENTENDU, TOLD], REJETE).refuses(ContradictoireManquant, "notifiez")


#: Ways to owe less, or to keep less, without setting any line aside.
AUTREMENT: dict[str, tuple[list[Any], list[Depense] | None]] = {
    "a resource found by the control": ([*CSF, kept(60_000, declare=0)], None),
    "a contract, although the ceiling hides it": (
        [*CSF, fait(MarcheCorrige)],
        [depense(200_000, ecarte=0, marche_ref="M-1")],
    ),
    "publicity": ([*CSF, fait(FseCorrige)], None),
    "more revenue than declared": (
        [
            *under_control(recettes_nettes_centimes=euros(1)),
            fait(RecettesControlees, retenues_centimes=euros(2)),
        ],
        None,
    ),
    "units": (
        [
            *under_control(
                signee(plan(54_000, ressource("privee", 36_000), p=parcours())),
                unites=(UnitesDeclarees(poste="parcours", quantite=Decimal(112)),),
            ),
            fait(RealisationsControlees),
        ],
        [],
    ),
}


@pytest.mark.parametrize("cause", AUTREMENT)
def test_the_beneficiary_is_heard_on_all_that_it_loses(cause: str) -> None:
    facts, depenses = AUTREMENT[cause]
    validate(facts, depenses).refuses(ContradictoireManquant, "notifiez les conclusions")
    validate([*facts, *ENTENDU], depenses).then_one(CsfValide)


def test_revenue_kept_as_it_was_declared_needs_no_hearing() -> None:
    for traitement in ("deduites", "ressource", "exemptees"):
        facts = [
            *under_control(recettes_nettes_centimes=euros(10_000)),
            fait(RecettesControlees, traitement=traitement, retenues_centimes=euros(10_000)),
        ]
        validate(facts).then_one(CsfValide)


def test_what_was_said_may_improve_and_may_not_get_worse_unsaid() -> None:
    said = fait(ConclusionsIntermediairesNotifiees, fse_retenu_centimes=euros(35_000))
    heard = [*CSF, said, *ENTENDU[1:]]
    validate(heard, [depense(80_000, ecarte=9_000)]).then_one(
        CsfValide, fse_du_cumule_centimes=euros(35_500)
    )
    validate(heard, [depense(80_000, ecarte=10_000)]).then_one(CsfValide)
    validate(heard, [depense(80_000, ecarte="10 000,02")]).refuses(
        ConclusionsDepassees, "passé de 35 000,00 €, annoncés au bénéficiaire, à 34 999,99 €"
    )


def test_a_bilan_kept_whole_is_validated_at_once() -> None:
    validate().then_one(CsfValide)
    validate([*AVEC_RESSOURCE, kept(60_000)]).then_one(CsfValide)


# --- Several bilans, several versions ------------------------------------------------------------

PREMIER = UUID(int=60)
PREMIER_CSF = UUID(int=61)
DEUX_BILANS = [
    *NOTIFIEE,
    fait(BilanDepose, bilan_id=PREMIER, type="intermediaire", depenses=()),
    fait(BilanDepose, numero=2),
    fait(CsfOuvert),
]


@pytest.mark.parametrize(
    "suite",
    [
        [],
        [fait(BilanJugeRecevable, bilan_id=PREMIER)],
        [fait(CsfOuvert, bilan_id=PREMIER, csf_id=PREMIER_CSF)],
    ],
    ids=["filed", "admissible", "under control"],
)
def test_an_earlier_bilan_is_controlled_first(suite: Any) -> None:
    validate([*DEUX_BILANS, *suite]).refuses(
        BilanAnterieurNonControle, "Le bilan n° 1 doit être contrôlé"
    )


#: As a control under rules 2026.1 was written: lines and resources, no inputs.
PREMIER_CONTROLE = [
    fait(CsfOuvert, bilan_id=PREMIER, csf_id=PREMIER_CSF),
    fait(
        CsfValide,
        bilan_id=PREMIER,
        csf_id=PREMIER_CSF,
        type="intermediaire",
        postes=(
            PosteRetenu(
                code="fonctionnement",
                declare_centimes=euros(30_000),
                ecarte_centimes=0,
                retenu_centimes=euros(30_000),
            ),
        ),
        ressources=(
            RessourceRetenue(
                type="publique_epci",
                financeur="Financeur fictif",
                montant_declare_centimes=0,
                montant_retenu_centimes=euros(70_000),
            ),
        ),
        cout_net_cumule_centimes=euros(30_000),
        fse_du_cumule_centimes=euros(15_000),
        depenses_declarees_centimes=euros(30_000),
    ),
]


def test_amounts_cumulate_since_the_start_of_the_operation() -> None:
    fact = validate([*DEUX_BILANS, *PREMIER_CONTROLE]).then_one(
        CsfValide,
        postes_cumules={"personnel": euros(80_000), "fonctionnement": euros(30_000)},
        ressources_cumulees=(("publique_epci", euros(70_000)),),
        cout_net_cumule_centimes=euros(110_000),
        fse_du_cumule_centimes=euros(40_000),
        contrainte_active="besoin",
        fse_du_periode_centimes=euros(25_000),
        cout_total_retenu_periode_centimes=euros(80_000),
        depenses_declarees_centimes=euros(80_000),
    )
    assert entrees(fact).rang == 1


def test_a_line_of_a_later_bilan_takes_back_from_an_earlier_one() -> None:
    """CSF-14: the due falls below what was due before."""
    taken = replace(
        depense(1, ecarte=0),
        detail=replace(depense().detail, poste="fonctionnement", montant_impute_centimes=-1_000_00),
    )
    fact = validate([*DEUX_BILANS, *PREMIER_CONTROLE, *ENTENDU], [taken]).then_one(CsfValide)
    assert fact.postes_cumules["fonctionnement"] == euros(29_000)


AGAIN = [*CERTIFIE, fait(CsfRouvert), fait(CsfOuvert, csf_id=AUTRE_ID, version=2)]
HEARD_AGAIN = [
    fait(ConclusionsIntermediairesNotifiees, csf_id=AUTRE_ID),
    fait(ObservationsRecues, csf_id=AUTRE_ID),
    fait(ConclusionsFinalesNotifiees, csf_id=AUTRE_ID),
]


def test_a_new_version_counts_its_bilan_once() -> None:
    validate([*AGAIN, *HEARD_AGAIN], [depense(70_000, ecarte=0)], csf_id=AUTRE_ID).then_one(
        CsfValide,
        version=2,
        bilan_id=BILAN_ID,
        cout_net_cumule_centimes=euros(70_000),
        fse_du_cumule_centimes=euros(35_000),
        fse_du_periode_centimes=-euros(5_000),
        cout_total_retenu_periode_centimes=-euros(10_000),
        depenses_declarees_centimes=-euros(10_000),
    )


def test_a_new_version_is_heard_on_what_it_takes_from_the_former_one() -> None:
    # What the first version had set aside was heard then.
    same = [depense(90_000, ecarte=10_000)]
    validate(AGAIN, same, csf_id=AUTRE_ID).then_one(CsfValide, fse_du_periode_centimes=0)
    less = [depense(90_000, ecarte="10 000,02")]
    validate(AGAIN, less, csf_id=AUTRE_ID).refuses(
        ContradictoireManquant, "inférieur à celui qui était attendu (40 000,00 €)"
    )


def test_an_earlier_control_opened_again_keeps_its_rank() -> None:
    last = [*DEUX_BILANS, *PREMIER_CONTROLE, fait(CsfValide, entrees=None)]
    again = [
        *last,
        fait(CsfRouvert, bilan_id=PREMIER, csf_id=PREMIER_CSF),
        fait(CsfOuvert, bilan_id=PREMIER, csf_id=AUTRE_ID, version=2),
    ]
    spent = [depense(30_000, ecarte=0, poste="fonctionnement")]
    fact = validate(again, spent, csf_id=AUTRE_ID).then_one(CsfValide, type="intermediaire")
    assert entrees(fact).rang == 0
    assert [b.final for b in entrees(fact).bilans] == [False, True]


def test_a_convention_without_cost_has_no_rate() -> None:
    nothing = under_control(signee(plan(0, personnel="0,00")))
    validate(nothing).refuses(CoutConventionneNul, "est nul")


def test_a_convention_signed_before_its_parameters_were_written_keeps_what_it_said() -> None:
    former = [fait(ConventionSignee, arrondi="troncature"), *CSF[1:]]
    validate(former, [depense("80 000,01", ecarte=0)]).then_one(
        CsfValide, fse_du_cumule_centimes=euros(40_000)
    )
    # It left no delay to answer.
    tell(former).then_one(
        ConclusionsIntermediairesNotifiees, date_limite_reponse=date(2021, 12, 15)
    )


def test_resources_count_pro_rata_before_the_end_where_the_grant_says_so() -> None:
    signature = signee(
        plan(50_000, ressource("publique_epci", 50_000), personnel=100_000),
        ressources_intermediaires="prorata",
    )
    facts = under_control(signature, type="intermediaire", ressources=(EPCI,))
    validate([*facts, kept(60_000)]).then_one(
        CsfValide,
        ressources_externes_centimes=euros(40_000),
        fse_du_cumule_centimes=euros(40_000),
    )
