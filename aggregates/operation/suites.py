"""What follows a solde: a control opened again, its money settled, the enveloppe put right."""

from datetime import date
from uuid import UUID

from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import Commande
from aggregates.operation.events import SuitesCloses, SuitesOuvertes
from aggregates.operation.state import Operation, Statut
from oi_service.errors import RuleBroken

#: States in which the money was settled once.
REGLEE = frozenset[Statut](("solde", "cloture", "archive"))


#: How the last settlement is said, its day following.
REGLEMENT = "les comptes de l’opération ont été arrêtés, solde ou suites,"


class AucuneSuite(RuleBroken):
    """Aucun contrôle n’a été rouvert depuis le solde : il n’y a pas de suites à clore."""


class SuitesEnCours(RuleBroken):
    """Des suites sont en cours depuis la réouverture d’un contrôle : réglez-les et clôturez-les
    d’abord.
    """


def ouvrir_suites(
    operation: Operation, *, csf_id: UUID, controle_ref: str | None, date_effet: date
) -> list[SuitesOuvertes]:
    """Take note that a control was opened again; nothing before the solde."""
    if operation.statut not in REGLEE:
        return []
    exiger_pas_avant(date_effet, "Rouvrir le contrôle", operation.soldee_le, REGLEMENT)
    return [SuitesOuvertes(date_effet=date_effet, csf_id=csf_id, controle_ref=controle_ref)]


class CloreSuites(Commande):
    """Take note that the consequences are settled."""


def clore_suites(
    operation: Operation, commande: CloreSuites, *, fse_du: int, cout_total_retenu: int
) -> list[SuitesCloses]:
    """Close; the money was checked, and the enveloppe follows in the same transaction."""
    if not operation.suites:
        raise AucuneSuite
    acte = "Clore les suites"
    exiger_pas_avant(commande.date_effet, acte, operation.soldee_le, REGLEMENT)
    exiger_pas_avant(
        commande.date_effet, acte, operation.suites_le, "le contrôle a été rouvert après le solde"
    )
    avant_fse, avant_cout = operation.soldee_pour
    return [
        SuitesCloses(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            fse_du_avant_centimes=avant_fse,
            fse_du_apres_centimes=fse_du,
            cout_total_retenu_avant_centimes=avant_cout,
            cout_total_retenu_apres_centimes=cout_total_retenu,
        )
    ]


def exiger_sans_suites(operation: Operation) -> None:
    """Refuse to go further while consequences are under way."""
    if operation.suites:
        raise SuitesEnCours
