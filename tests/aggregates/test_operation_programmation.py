"""The programming committee: only the body of the OI awards, for the amounts that were examined."""

from typing import Any

import pytest
from dsl import Decision, Given
from fabrique import PARCOURS, PLAN, commande, euros, fait, plan
from pydantic import ValidationError

from aggregates.operation.events import (
    DecisionNotifiee,
    InstructionRouverte,
    OperationAjournee,
    OperationDeprogrammee,
    OperationProgrammee,
    OperationRefusee,
    PlanFinancementInstruit,
    ProgrammationModifiee,
    RapportInstructionValide,
)
from aggregates.operation.instruction import RouvrirInstruction, rouvrir_instruction
from aggregates.operation.programmation import (
    DeciderSansProgrammer,
    DecisionContraireSansMotif,
    MontantDifferentDuPlanInstruit,
    NotifierDecision,
    Programmer,
    ajourner,
    deprogrammer,
    modifier_programmation,
    notifier_decision,
    programmer,
    refuser,
)
from aggregates.operation.state import OPERATION
from aggregates.subvention_globale.maquette import InstanceIncompetente

MOTIF = "Motif de l’essai"


def award(life: Any = "instruit_favorable", **saisie: Any) -> Decision:
    facts = PARCOURS[life] if isinstance(life, str) else life  # type: ignore[index]
    return Given(OPERATION, facts).when(programmer, commande(Programmer, **saisie))


def test_the_committee_awards_what_was_examined() -> None:
    award(deports=["membre-3"]).then(fait(OperationProgrammee, deports=("membre-3",)))


@pytest.mark.parametrize("fse", ["49999.99", "50000.01"])
def test_award_that_differs_from_the_plan_by_a_cent_is_refused(fse: str) -> None:
    award(fse=fse).refuses(MontantDifferentDuPlanInstruit, "le plan instruit porte 50 000,00 €")


def test_award_of_another_total_cost_is_refused() -> None:
    award(cout_total="100000.01").refuses(MontantDifferentDuPlanInstruit, "100 000,01 € de coût")


def test_the_last_instructed_plan_counts() -> None:
    life = [
        *PARCOURS["en_instruction"],
        fait(PlanFinancementInstruit, plan=plan(60_000)),
        fait(RapportInstructionValide),
    ]
    award(life).refuses(MontantDifferentDuPlanInstruit, "60 000,00 €")
    award(life, fse="60000.00").then_one(OperationProgrammee, fse_centimes=euros(60_000))


def test_award_against_the_opinion_of_the_instruction_needs_a_reason() -> None:
    award("instruit_defavorable").refuses(DecisionContraireSansMotif, "demande un motif")
    award("instruit_defavorable", motif="Besoin du territoire").then_one(
        OperationProgrammee, motif="Besoin du territoire"
    )


def test_an_adjournment_does_not_wash_an_unfavourable_opinion() -> None:
    award([*PARCOURS["instruit_defavorable"], fait(OperationAjournee)]).refuses(
        DecisionContraireSansMotif, "L’avis de l’instruction est défavorable"
    )


@pytest.mark.parametrize(
    ("decision", "asked", "statut"),
    [
        (programmer, Programmer, "instruit_favorable"),
        (ajourner, DeciderSansProgrammer, "instruit_favorable"),
        (refuser, DeciderSansProgrammer, "instruit_favorable"),
        (deprogrammer, DeciderSansProgrammer, "programme"),
    ],
)
def test_award_by_the_committee_of_the_plie_is_refused(
    decision: Any, asked: Any, statut: Any
) -> None:
    Given(OPERATION, PARCOURS[statut]).when(
        decision, commande(asked, instance="comite_pilotage_plie")
    ).refuses(InstanceIncompetente, "Seule l’instance de l’organisme intermédiaire")


def test_a_body_that_does_not_exist_is_refused_at_the_door() -> None:
    with pytest.raises(ValidationError):
        commande(Programmer, instance="bureau")


def test_an_adjourned_dossier_is_taken_up_again() -> None:
    Given(OPERATION, PARCOURS["instruit_favorable"]).when(
        ajourner, commande(DeciderSansProgrammer)
    ).then(fait(OperationAjournee, motif=MOTIF))
    Given(OPERATION, PARCOURS["ajourne"]).when(
        rouvrir_instruction, commande(RouvrirInstruction)
    ).then(fait(InstructionRouverte, motif=MOTIF))


def test_a_refusal_and_a_notification_are_recorded() -> None:
    Given(OPERATION, PARCOURS["instruit_favorable"]).when(
        refuser, commande(DeciderSansProgrammer)
    ).then(fait(OperationRefusee, motif=MOTIF))
    Given(OPERATION, PARCOURS["programme"]).when(
        notifier_decision, commande(NotifierDecision)
    ).then(fait(DecisionNotifiee))


def test_deprogramming_says_what_is_freed() -> None:
    Given(OPERATION, PARCOURS["programme"]).when(
        deprogrammer, commande(DeciderSansProgrammer)
    ).then(fait(OperationDeprogrammee, motif=MOTIF, ressources=PLAN.ressources))


def test_an_avenant_programmes_the_difference() -> None:
    apres = plan(55_000, personnel=110_000)
    [fact] = modifier_programmation(
        numero=1, avant=PLAN, apres=apres, date_effet=fait(OperationAjournee).date_effet
    )
    assert fact == fait(ProgrammationModifiee)
    after = OPERATION.replay([*PARCOURS["en_execution"], fact])
    assert after is not None
    assert (after.fse_programme, after.cout_total_programme) == (euros(55_000), euros(110_000))
