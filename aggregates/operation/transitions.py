"""The order of life of a dossier: what may follow what."""

from datetime import date

from aggregates.chronologie import exiger_pas_avant
from aggregates.operation.state import LIBELLES, Operation, Statut
from oi_service.errors import RuleBroken


class ActeHorsDeSonOrdre(RuleBroken):
    """{acte} est impossible : le dossier {numero} est « {statut} », il devrait être
    {attendus}.
    """


def exiger(operation: Operation, acte: str, *attendus: Statut) -> None:
    """Refuse an act that does not come at its time, naming where the dossier stands."""
    if operation.statut not in attendus:
        raise ActeHorsDeSonOrdre(
            acte=acte,
            numero=operation.numero_mdfse,
            statut=LIBELLES[operation.statut],
            attendus=" ou ".join(f"« {LIBELLES[statut]} »" for statut in attendus),
        )


def exiger_apres_les_decisions(operation: Operation, jour: date, acte: str) -> None:
    """Refuse to undo a deposit or a programming before its day."""
    exiger_pas_avant(jour, acte, operation.programmee_le, "l’opération a été programmée")
    exiger_pas_avant(jour, acte, operation.depose_le, "le dossier a été déposé")
