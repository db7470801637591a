"""The programming committee of the OI: programme, adjourn, refuse, deprogramme."""

from datetime import date

from aggregates.commande import Code, Commande, CommandeMotivee, Instance, Texte
from aggregates.operation.events import (
    DecisionNotifiee,
    OperationAjournee,
    OperationDeprogrammee,
    OperationProgrammee,
    OperationRefusee,
    ProgrammationModifiee,
)
from aggregates.operation.state import Operation
from aggregates.operation.transitions import exiger, exiger_apres_les_decisions
from aggregates.plan import PlanFinancement
from aggregates.subvention_globale.maquette import exiger_instance_oi
from oi_service.errors import RuleBroken
from oi_service.money import Montant


class MontantDifferentDuPlanInstruit(RuleBroken):
    """Le comité programme {fse:euros} de FSE pour {cout_total:euros} de coût total, mais le plan
    instruit porte {fse_plan:euros} pour {cout_total_plan:euros} : rouvrez l’instruction pour
    changer le plan.
    """


class DecisionContraireSansMotif(RuleBroken):
    """L’avis de l’instruction est défavorable : programmer contre cet avis demande un motif."""


class Programmer(Commande):
    """The committee approves. ``date_effet`` is the session.

    ``deports``: who stood back; those who have an account do not handle the operation any more.
    """

    instance: Instance
    pv_ref: Texte
    fse: Montant
    cout_total: Montant
    deports: tuple[Code, ...] = ()
    motif: Texte | None = None


def programmer(operation: Operation, commande: Programmer) -> list[OperationProgrammee]:
    """Award the grant, for the amounts of the plan that was examined."""
    exiger_instance_oi(commande.instance)
    exiger(
        operation,
        "Programmer l’opération",
        "instruit_favorable",
        "instruit_defavorable",
        "ajourne",
    )
    if operation.avis == "defavorable" and commande.motif is None:
        raise DecisionContraireSansMotif
    plan = operation.plan
    if (commande.fse, commande.cout_total) != (plan.fse_centimes, plan.cout_total_centimes):
        raise MontantDifferentDuPlanInstruit(
            fse=commande.fse,
            cout_total=commande.cout_total,
            fse_plan=plan.fse_centimes,
            cout_total_plan=plan.cout_total_centimes,
        )
    return [
        OperationProgrammee(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            instance=commande.instance,
            pv_ref=commande.pv_ref,
            cellule=operation.cellule,
            fse_centimes=commande.fse,
            cout_total_centimes=commande.cout_total,
            ressources=plan.ressources,
            deports=commande.deports,
        )
    ]


class DeciderSansProgrammer(CommandeMotivee):
    """The committee adjourns or refuses. ``date_effet`` is the session."""

    instance: Instance
    pv_ref: Texte
    deports: tuple[Code, ...] = ()


def ajourner(operation: Operation, commande: DeciderSansProgrammer) -> list[OperationAjournee]:
    """Ask for more before deciding."""
    exiger_instance_oi(commande.instance)
    exiger(operation, "Ajourner l’opération", "instruit_favorable", "instruit_defavorable")
    return [
        OperationAjournee(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            instance=commande.instance,
            pv_ref=commande.pv_ref,
            deports=commande.deports,
        )
    ]


def refuser(operation: Operation, commande: DeciderSansProgrammer) -> list[OperationRefusee]:
    """Refuse, for good."""
    exiger_instance_oi(commande.instance)
    exiger(operation, "Refuser l’opération", "instruit_favorable", "instruit_defavorable")
    return [
        OperationRefusee(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            instance=commande.instance,
            pv_ref=commande.pv_ref,
            deports=commande.deports,
        )
    ]


def deprogrammer(
    operation: Operation, commande: DeciderSansProgrammer
) -> list[OperationDeprogrammee]:
    """Cancel an approval that has no convention yet."""
    exiger_instance_oi(commande.instance)
    exiger(operation, "Déprogrammer l’opération", "programme")
    exiger_apres_les_decisions(operation, commande.date_effet, "Déprogrammer l’opération")
    return [
        OperationDeprogrammee(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            instance=commande.instance,
            pv_ref=commande.pv_ref,
            deports=commande.deports,
            fse_centimes=operation.fse_programme,
            cout_total_centimes=operation.cout_total_programme,
            ressources=operation.plan.ressources,
        )
    ]


class NotifierDecision(Commande):
    """Tell the beneficiary."""


def notifier_decision(operation: Operation, commande: NotifierDecision) -> list[DecisionNotifiee]:
    """Tell the beneficiary what was decided."""
    exiger(operation, "Notifier la décision", "programme")
    return [DecisionNotifiee(date_effet=commande.date_effet, pieces=commande.jointes())]


def modifier_programmation(
    *,
    numero: int,
    avant: PlanFinancement,
    apres: PlanFinancement,
    date_effet: date,
) -> list[ProgrammationModifiee]:
    """Programme again at the amounts of an avenant that the committee approved."""
    return [
        ProgrammationModifiee(
            date_effet=date_effet,
            avenant_numero=numero,
            ecart_fse_centimes=apres.fse_centimes - avant.fse_centimes,
            ecart_cout_total_centimes=apres.cout_total_centimes - avant.cout_total_centimes,
            ressources_avant=avant.ressources,
            ressources_apres=apres.ressources,
        )
    ]
