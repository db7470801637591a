"""Contrôle de service fait: four eyes, a decision on every line, the beneficiary heard."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from dsl import Decision, Given
from fabrique import (
    AUTRE_ID,
    BILAN,
    BILAN_ID,
    CERTIFIE,
    CSF,
    CSF_ID,
    NOTIFIEE,
    commande,
    depense,
    euros,
    fait,
    operation,
    plan,
    ressource,
)

from aggregates.convention.events import (
    BilanDepose,
    ConclusionsIntermediairesNotifiees,
    ConventionSignee,
    CsfOuvert,
    CsfRouvert,
    CsfValide,
    ObservationsRecues,
    PosteRetenu,
    RessourceRetenue,
    RessourcesControlees,
)
from aggregates.convention.service_fait import (
    BilanAnterieurNonControle,
    ContradictoireManquant,
    ControlerRessources,
    ControleurEgalValideur,
    CsfAbsent,
    CsfClos,
    CsfNonValide,
    CsfSansBilan,
    LignesNonControlees,
    NotifierConclusions,
    OuvrirCsf,
    RecevoirObservations,
    RessourceOubliee,
    RessourcesNonControlees,
    RouvrirCsf,
    ValiderCsf,
    controler_ressources,
    notifier_conclusions,
    ouvrir_csf,
    recevoir_observations,
    rouvrir_csf,
    valider_csf,
)
from aggregates.convention.state import CONVENTION
from aggregates.operation.transitions import ActeHorsDeSonOrdre
from rules.fse_du import CoutConventionneNul

EPCI = ressource("publique_epci", 60_000)
AVEC_RESSOURCE = [*NOTIFIEE, fait(BilanDepose, ressources=(EPCI,)), fait(CsfOuvert)]


def open_csf(facts: Any = BILAN, bilan_id: UUID = BILAN_ID) -> Decision:
    return Given(CONVENTION, facts).when(
        ouvrir_csf, commande(OuvrirCsf, bilan_id=bilan_id), CSF_ID, "gestionnaire-1"
    )


def test_a_control_begins_on_a_bilan_that_was_received() -> None:
    open_csf().then(fait(CsfOuvert))


def test_csf_before_its_bilan_is_refused() -> None:
    open_csf(NOTIFIEE).refuses(CsfSansBilan, "ce bilan n’est pas déposé, ou il est déjà contrôlé")


@pytest.mark.parametrize("facts", [CSF, CERTIFIE], ids=["under control", "controlled"])
def test_a_bilan_is_controlled_once_at_a_time(facts: Any) -> None:
    open_csf(facts).refuses(CsfSansBilan, "il est déjà contrôlé")


def resource(kind: str, declare: str, retenu: str) -> dict[str, str]:
    return {
        "type": kind,
        "financeur": "Financeur fictif",
        "montant_declare": declare,
        "montant_retenu": retenu,
    }


def control(facts: Any, *ressources: dict[str, str]) -> Decision:
    return Given(CONVENTION, facts).when(
        controler_ressources, commande(ControlerRessources, ressources=ressources), CSF_ID
    )


def test_resources_are_decided_all_at_once() -> None:
    control(AVEC_RESSOURCE, resource("publique_epci", "60000.00", "59000.00")).then_one(
        RessourcesControlees,
        ressources=(
            RessourceRetenue(
                type="publique_epci",
                financeur="Financeur fictif",
                montant_declare_centimes=euros(60_000),
                montant_retenu_centimes=euros(59_000),
            ),
        ),
    )


def test_a_declared_resource_cannot_be_forgotten() -> None:
    # Forgotten, it would leave more to pay to the Fund.
    control(AVEC_RESSOURCE).refuses(RessourceOubliee, "« Financeur fictif » a déclaré 60 000,00 €")
    control(AVEC_RESSOURCE, resource("publique_epci", "59999.99", "0.00")).refuses(
        RessourceOubliee, "60 000,00 €"
    )


def test_a_resource_that_the_beneficiary_did_not_declare_is_added() -> None:
    control(
        AVEC_RESSOURCE,
        resource("publique_epci", "60000.00", "60000.00"),
        resource("privee", "0.00", "5000.00"),
    ).then_one(RessourcesControlees)


CLOS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "ressources": (controler_ressources, (commande(ControlerRessources), CSF_ID)),
    "conclusions": (notifier_conclusions, (commande(NotifierConclusions), CSF_ID)),
    "observations": (recevoir_observations, (commande(RecevoirObservations), CSF_ID)),
    "validation": (valider_csf, (commande(ValiderCsf), CSF_ID, "valideur-1", [])),
}


@pytest.mark.parametrize("act", CLOS)
def test_a_validated_control_does_not_change(act: str) -> None:
    decision, args = CLOS[act]
    Given(CONVENTION, CERTIFIE).when(decision, *args).refuses(CsfClos, "il ne se modifie plus")


@pytest.mark.parametrize("act", CLOS)
def test_a_control_that_does_not_exist_is_named(act: str) -> None:
    decision, args = CLOS[act]
    Given(CONVENTION, BILAN).when(decision, *args).refuses(CsfAbsent, str(CSF_ID))


def test_conclusions_then_observations_are_recorded() -> None:
    Given(CONVENTION, CSF).when(notifier_conclusions, commande(NotifierConclusions), CSF_ID).then(
        fait(ConclusionsIntermediairesNotifiees)
    )
    Given(CONVENTION, CSF).when(recevoir_observations, commande(RecevoirObservations), CSF_ID).then(
        fait(ObservationsRecues)
    )


def validate(
    facts: Any = CSF, depenses: Any = None, valideur: str = "valideur-1", **saisie: Any
) -> Decision:
    return Given(CONVENTION, facts).when(
        valider_csf,
        commande(ValiderCsf, **saisie),
        CSF_ID,
        valideur,
        [depense(80_000, ecarte=0)] if depenses is None else depenses,
    )


def test_the_certificate_fixes_what_the_fund_owes() -> None:
    validate().then(
        fait(
            CsfValide,
            c2_taux_centimes=euros(40_000),
            postes_cumules={"personnel": euros(80_000)},
            version_regles=validate().facts()[0].version_regles,
        )
    )


def test_the_rate_the_ceiling_and_the_need_each_bite() -> None:
    validate().then_one(CsfValide, contrainte_active="taux", fse_du_cumule_centimes=euros(40_000))
    validate(depenses=[depense(120_000, ecarte=0)]).then_one(
        CsfValide, contrainte_active="plafond", fse_du_cumule_centimes=euros(50_000)
    )
    validate(controlled(60_000)).then_one(
        CsfValide,
        contrainte_active="besoin",
        ressources_externes_centimes=euros(60_000),
        fse_du_cumule_centimes=euros(20_000),
        surfinancement_ecarte_centimes=0,
    )


def test_what_is_retained_of_a_resource_counts_and_not_what_was_declared() -> None:
    validate(controlled(45_000)).then_one(
        CsfValide,
        ressources_externes_centimes=euros(45_000),
        ressources_cumulees=(("publique_epci", euros(45_000)),),
        fse_du_cumule_centimes=euros(35_000),
    )


def controlled(retenu: str | int, kind: str = "publique_epci") -> list[Any]:
    return [
        *AVEC_RESSOURCE,
        fait(
            RessourcesControlees,
            ressources=(
                RessourceRetenue(
                    type=kind,
                    financeur="Financeur fictif",
                    montant_declare_centimes=euros(60_000),
                    montant_retenu_centimes=euros(retenu),
                ),
            ),
        ),
    ]


def test_what_is_due_is_truncated_where_the_grant_says_so() -> None:
    truncated = [fait(ConventionSignee, arrondi="troncature"), *CSF[1:]]
    odd = [depense("80 000,01", ecarte=0)]
    validate(truncated, odd).then_one(
        CsfValide, fse_du_cumule_centimes=euros(40_000), arrondi="troncature"
    )
    validate(depenses=odd).then_one(CsfValide, fse_du_cumule_centimes=euros("40 000,01"))


def test_own_money_never_lowers_what_the_fund_owes() -> None:
    validate(controlled(60_000, "autofinancement")).then_one(
        CsfValide, ressources_externes_centimes=0, fse_du_cumule_centimes=euros(40_000)
    )


def test_validation_without_a_decision_on_each_line_is_refused() -> None:
    validate(depenses=[depense(80_000, ecarte=0), depense()]).refuses(
        LignesNonControlees, "1 dépense(s) du bilan n’ont pas encore de décision"
    )
    # A decision taken in another control does not count.
    validate(depenses=[depense(80_000, ecarte=0, csf_id=AUTRE_ID)]).refuses(
        LignesNonControlees, "1 dépense(s)"
    )


def test_validation_without_a_decision_on_the_resources_is_refused() -> None:
    validate(AVEC_RESSOURCE).refuses(RessourcesNonControlees, "n’ont pas encore été contrôlées")


def test_controller_does_not_validate_its_own_control() -> None:
    validate(valideur="gestionnaire-1").refuses(
        ControleurEgalValideur, "ne valide pas son propre contrôle"
    )


def test_money_is_not_rejected_before_the_beneficiary_is_heard() -> None:
    rejected = [depense(80_000, ecarte="0,01")]
    validate(depenses=rejected).refuses(ContradictoireManquant, "0,01 € sont écartés")
    told = [*CSF, fait(ConclusionsIntermediairesNotifiees)]
    validate(told, rejected, date_effet="2022-05-15").refuses(
        ContradictoireManquant, "le délai du 15/05/2022 écoulé"
    )
    validate(told, rejected, date_effet="2022-05-16").then_one(
        CsfValide, depenses_ecartees_centimes=1
    )
    validate([*told, fait(ObservationsRecues)], rejected).then_one(CsfValide)


PREMIER = UUID(int=60)
PREMIER_CSF = UUID(int=61)
DEUX_BILANS = [
    *NOTIFIEE,
    fait(BilanDepose, bilan_id=PREMIER, type="intermediaire", depenses=()),
    fait(BilanDepose, numero=2),
    fait(CsfOuvert),
]


def test_an_earlier_bilan_is_controlled_first() -> None:
    validate(DEUX_BILANS).refuses(BilanAnterieurNonControle, "Le bilan n° 1 doit être contrôlé")


def test_amounts_cumulate_since_the_start_of_the_operation() -> None:
    epci = RessourceRetenue(
        type="publique_epci",
        financeur="Financeur fictif",
        montant_declare_centimes=0,
        montant_retenu_centimes=euros(70_000),
    )
    first = [
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
            ressources=(epci,),
            cout_net_cumule_centimes=euros(30_000),
            fse_du_cumule_centimes=euros(15_000),
        ),
    ]
    validate([*DEUX_BILANS, *first]).then_one(
        CsfValide,
        postes_cumules={"fonctionnement": euros(30_000), "personnel": euros(80_000)},
        ressources_cumulees=(("publique_epci", euros(70_000)),),
        cout_net_cumule_centimes=euros(110_000),
        fse_du_cumule_centimes=euros(40_000),
        contrainte_active="besoin",
        fse_du_periode_centimes=euros(25_000),
        cout_total_retenu_periode_centimes=euros(80_000),
    )


def reopen(
    facts: Any = CERTIFIE, csf_id: UUID = CSF_ID, statut: Any = "bilan_final_depose"
) -> Decision:
    return Given(CONVENTION, facts).when(
        rouvrir_csf, commande(RouvrirCsf), csf_id, operation(statut=statut)
    )


def test_a_control_does_not_open_again_once_the_operation_is_settled() -> None:
    for statut in ("solde", "cloture", "archive"):
        reopen(statut=statut).refuses(
            ActeHorsDeSonOrdre, "Rouvrir le contrôle de service fait est impossible"
        )


def test_a_validated_control_opens_again_as_a_new_version() -> None:
    reopen().then(fait(CsfRouvert, motif="Motif de l’essai"))
    open_csf([*CERTIFIE, fait(CsfRouvert)]).then_one(CsfOuvert, version=2)


def test_a_control_that_is_not_validated_is_not_reopened() -> None:
    reopen(CSF).refuses(CsfNonValide, "il n’y a rien à rouvrir")
    reopen([*CERTIFIE, fait(CsfRouvert)]).refuses(CsfNonValide, "il n’y a rien à rouvrir")
    reopen(csf_id=AUTRE_ID).refuses(CsfAbsent, str(AUTRE_ID))


def test_a_new_version_counts_its_bilan_once() -> None:
    again = [*CERTIFIE, fait(CsfRouvert), fait(CsfOuvert, csf_id=AUTRE_ID, version=2)]
    Given(CONVENTION, again).when(
        valider_csf,
        commande(ValiderCsf),
        AUTRE_ID,
        "valideur-1",
        [depense(70_000, ecarte=0, csf_id=AUTRE_ID)],
    ).then_one(
        CsfValide,
        version=2,
        cout_net_cumule_centimes=euros(70_000),
        fse_du_cumule_centimes=euros(35_000),
        fse_du_periode_centimes=-euros(5_000),
        depenses_declarees_centimes=-euros(10_000),
    )


def test_a_convention_without_cost_has_no_rate() -> None:
    nothing = [fait(ConventionSignee, plan=plan(0, personnel="0,00")), *CSF[1:]]
    validate(nothing).refuses(CoutConventionneNul, "est nul")


def test_the_deadline_to_answer_is_carried() -> None:
    Given(CONVENTION, CSF).when(
        notifier_conclusions,
        commande(NotifierConclusions, date_limite_reponse="2022-06-01"),
        CSF_ID,
    ).then_one(ConclusionsIntermediairesNotifiees, date_limite_reponse=date(2022, 6, 1))
