"""What is known today of dépenses that an auditor drew: where their piece is, and of whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from projections.perimetre import Perimetre
from rules.nomenclature import POSTES


@dataclass(frozen=True, slots=True)
class DepenseTiree:
    """A dépense, as it is looked for in the files of a beneficiary."""

    id: UUID
    piece_ref: str
    nature: str
    poste: str
    date_piece: date
    numero_mdfse: str
    beneficiaire: str
    plie_id: str

    @property
    def poste_libelle(self) -> str:
        """The poste, as people say it."""
        return POSTES.get(self.poste, self.poste)


def depenses_tirees(
    conn: Connection[TupleRow], perimetre: Perimetre, depenses: Sequence[UUID]
) -> dict[UUID, DepenseTiree]:
    """Return those of some dépenses that the perimeter holds, by their identifier."""
    rows = (
        conn.cursor(row_factory=class_row(DepenseTiree))
        .execute(
            """
            SELECT d.id, d.piece_ref, d.nature, d.poste, d.date_piece, o.numero_mdfse,
                o.beneficiaire, o.plie_id
            FROM projection.depense AS d
            INNER JOIN projection.operation AS o ON d.operation_id = o.id
            WHERE d.id = ANY(%(depenses)s)
                AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
            """,
            {"depenses": list(depenses), "plies": perimetre.liste},
        )
        .fetchall()
    )
    return {row.id: row for row in rows}
