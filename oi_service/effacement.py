"""The end of an erasure: the key of a person goes once the log says that they are erased.

The door that takes the decision destroys the key when the decision is on disk. Whatever cut it
there, and whatever backup brought the key back, this finishes the work: at the start of the service
and every night.
"""

from dataclasses import dataclass
from uuid import UUID

import structlog

from aggregates.personne.effacement import EffacerPersonne
from api import actions
from oi_service.application import Acte, Service

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rapprochement:
    """What comparing the log and the vault gave."""

    detruites: tuple[UUID, ...]  #: erased, and whose key was still there
    manquantes: tuple[UUID, ...]  #: not erased, and whose key is not there


def effacer(service: Service, acte: Acte, personne_id: UUID, commande: EffacerPersonne) -> None:
    """Erase a person: the decision, then the key."""
    service.journal.execute(
        acte, lambda unit: actions.effacer_personne(unit, personne_id, commande)
    )
    service.coffre.detruire(personne_id)


def rapprocher(service: Service) -> Rapprochement:
    """Destroy the keys of those who are erased, and say whose key is missing.

    A key that no event uses is left: it opens nothing, and a log that does not know a person may be
    the wrong log.
    """
    with service.reads.connection() as conn:
        rows = conn.execute(
            """
            SELECT e.stream_id, x.stream_id IS NOT NULL
            FROM oi.event AS e
            LEFT JOIN oi.event AS x
                ON e.stream_id = x.stream_id AND x.name = 'personne.effacee.v1'
            WHERE e.name = 'personne.enregistree.v1'
            ORDER BY e.position
            """
        ).fetchall()
    presentes = service.coffre.personnes()
    detruites = tuple(
        personne
        for personne, effacee in rows
        if effacee and personne in presentes and service.coffre.detruire(personne)
    )
    manquantes = tuple(p for p, effacee in rows if not effacee and p not in presentes)
    if detruites:
        log.warning("effacements_termines", personnes=[str(p) for p in detruites])
    if manquantes:
        log.error("cles_manquantes", personnes=[str(p) for p in manquantes])
    return Rapprochement(detruites, manquantes)
