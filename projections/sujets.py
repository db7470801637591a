"""Which dossier something belongs to, in the few words that name it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from projections.perimetre import Perimetre


@dataclass(frozen=True, slots=True)
class Repere:
    """A dossier, named."""

    operation_id: UUID
    numero_mdfse: str
    intitule: str
    beneficiaire: str
    plie_id: str


def reperes(conn: Connection[TupleRow], perimetre: Perimetre, ids: Sequence[UUID]) -> list[Repere]:
    """Return the dossiers that identifiers point at: an operation's own, or a dépense's."""
    with conn.cursor(row_factory=class_row(Repere)) as cursor:
        return cursor.execute(
            """
            SELECT o.id AS operation_id, o.numero_mdfse, o.intitule, o.beneficiaire, o.plie_id
            FROM projection.operation AS o
            WHERE
                o.id IN (
                    SELECT unnest(%(ids)s::uuid[])
                    UNION
                    SELECT d.operation_id FROM projection.depense AS d WHERE d.id = ANY(%(ids)s)
                )
                AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
            ORDER BY o.numero_mdfse
            """,
            {"ids": list(ids), "plies": perimetre.liste},
        ).fetchall()
