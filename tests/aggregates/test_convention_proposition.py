"""A control proposed by who controls, validated or sent back by another person."""

from typing import Any
from uuid import UUID

from dsl import Decision, Given
from fabrique import CSF, CSF_ID, commande, depense, euros, fait, operation

from aggregates.chronologie import ActeAvantLePrecedent
from aggregates.convention.events import CsfOuvert, CsfPropose, CsfRenvoye, CsfRouvert, CsfValide
from aggregates.convention.service_fait import CsfClos
from aggregates.convention.state import CONVENTION
from aggregates.convention.validation import (
    ContradictoireManquant,
    ControleurEgalValideur,
    CsfNonPropose,
    CsfRenvoyeAuControle,
    LignesNonControlees,
    ProposerCsf,
    PropositionDepassee,
    RenvoyerCsf,
    ValiderCsf,
    proposer_csf,
    renvoyer_csf,
    valider_csf,
)

PROPOSE = fait(
    CsfPropose,
    controleur="gestionnaire-2",
    fse_du_cumule_centimes=euros(40_000),
    cout_net_cumule_centimes=euros(80_000),
    depenses_ecartees_centimes=0,
)
LIGNES = {UUID(int=70): depense(80_000, ecarte=0)}


def propose(facts: Any = CSF, depenses: Any = None) -> Decision:
    return Given(CONVENTION, facts).when(
        proposer_csf, commande(ProposerCsf), CSF_ID, "gestionnaire-2", depenses or LIGNES
    )


def send_back(facts: Any, **saisie: Any) -> Decision:
    return Given(CONVENTION, facts).when(
        renvoyer_csf, commande(RenvoyerCsf, **saisie), CSF_ID, "valideur-1"
    )


def validate(facts: Any, depenses: Any = None, valideur: str = "valideur-1") -> Decision:
    return Given(CONVENTION, facts).when(
        valider_csf, commande(ValiderCsf), CSF_ID, valideur, depenses or LIGNES, operation()
    )


def test_a_complete_control_is_proposed_with_what_the_fund_would_owe() -> None:
    propose().then(PROPOSE)


def test_nothing_is_proposed_that_could_not_be_validated() -> None:
    propose(depenses={UUID(int=70): depense(80_000)}).refuses(LignesNonControlees, "1 dépense")
    propose(depenses={UUID(int=70): depense(80_000, ecarte=1)}).refuses(
        ContradictoireManquant, "notifiez"
    )
    propose([*CSF, PROPOSE, fait(CsfValide)]).refuses(CsfClos, "se rouvre")


def test_what_was_proposed_is_validated_by_another_person() -> None:
    validate([*CSF, PROPOSE]).then_one(CsfValide, fse_du_cumule_centimes=euros(40_000))
    validate([*CSF, PROPOSE], valideur="gestionnaire-2").refuses(
        ControleurEgalValideur, "contrôle proposé à la validation"
    )


def test_a_control_that_moved_since_it_was_proposed_is_proposed_again() -> None:
    validate([*CSF, fait(CsfPropose, fse_du_cumule_centimes=euros(39_000))]).refuses(
        PropositionDepassee, "39 000,00 € de FSE dû étaient proposés"
    )


def test_a_control_sent_back_is_proposed_again_before_it_is_validated() -> None:
    send_back([*CSF, PROPOSE], motif="Justifier la ligne FA-12").then(
        fait(CsfRenvoye, valideur="valideur-1", motif="Justifier la ligne FA-12")
    )
    renvoye = [*CSF, PROPOSE, fait(CsfRenvoye)]
    validate(renvoye).refuses(CsfRenvoyeAuControle, "se propose de nouveau")
    validate([*renvoye, PROPOSE]).then_one(CsfValide)


def test_only_what_waits_for_validation_is_sent_back() -> None:
    send_back(CSF).refuses(CsfNonPropose, "rien à renvoyer")
    send_back([*CSF, PROPOSE, fait(CsfRenvoye)]).refuses(CsfNonPropose, "rien à renvoyer")
    early = PROPOSE.date_effet.replace(year=2020).isoformat()
    send_back([*CSF, PROPOSE], date_effet=early).refuses(
        ActeAvantLePrecedent, "le contrôle a été proposé"
    )


def test_a_new_version_starts_without_proposal() -> None:
    again = [
        *CSF,
        PROPOSE,
        fait(CsfRenvoye),
        PROPOSE,
        fait(CsfValide),
        fait(CsfRouvert),
        fait(CsfOuvert, version=2),
    ]
    send_back(again).refuses(CsfNonPropose, "rien à renvoyer")
