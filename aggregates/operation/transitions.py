"""The order of life of a dossier: what may follow what."""

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
