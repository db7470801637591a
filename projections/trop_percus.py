"""What was paid above what is due: an advance that still runs, or money to claim back."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from aggregates.convention.state import CONVENTION, Convention
from oi_service.ids import convention_of
from projections.instantane import instantane
from projections.journal import lire_flux
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation

#: An advance waits for a bilan to found it; an indu is known once the last control is made.
Nature = Literal["avance", "indu"]


@dataclass(frozen=True, slots=True)
class TropPercu:
    """An operation paid above its due; amounts in cents.

    ``a_encaisser`` is asked back already; ``a_reclamer`` is due back and not asked yet.
    """

    operation_id: UUID
    numero_mdfse: str
    beneficiaire: str
    plie_id: str
    nature: Nature
    paye: int
    du: int
    irrecouvrable: int
    a_encaisser: int

    @property
    def montant(self) -> int:
        """Paid, not due, and not given up."""
        return self.paye - self.du - self.irrecouvrable

    @property
    def a_reclamer(self) -> int:
        """What no order asks back."""
        return max(0, self.montant - self.a_encaisser) if self.nature == "indu" else 0


def trop_percus(
    conn: Connection[TupleRow], perimetre: Perimetre, situation: Situation = ACTUELLE
) -> list[TropPercu]:
    """Return the operations paid above their due, what is to claim first, the largest first."""
    with instantane(conn):
        rows = conn.execute(
            """
            SELECT o.id, o.numero_mdfse, o.beneficiaire, o.plie_id, s.paye, s.du, s.irrecouvrable
            FROM projection.operation AS o
            CROSS JOIN LATERAL (
                SELECT
                    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_paye'), 0)::bigint
                        AS paye,
                    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_retenu_csf'), 0)::bigint
                        AS du,
                    coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_irrecouvrable'), 0)
                        ::bigint AS irrecouvrable
                FROM projection.mouvement AS m
                WHERE m.operation_id = o.id
                    AND m.mesure IN ('fse_paye', 'fse_retenu_csf', 'fse_irrecouvrable')
                    AND m.position <= %(connu_le)s AND m.date_effet <= %(effet_au)s
            ) AS s
            WHERE s.paye > s.du + s.irrecouvrable
                AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
            """,
            {"plies": perimetre.liste, **situation.parametres},
        ).fetchall()
        conventions = _conventions(conn, perimetre, [row[0] for row in rows], situation)
    found = [
        TropPercu(
            operation_id=operation_id,
            numero_mdfse=numero,
            beneficiaire=beneficiaire,
            plie_id=plie_id,
            nature="indu" if convention and _controlee(convention) else "avance",
            paye=paye,
            du=du,
            irrecouvrable=irrecouvrable,
            a_encaisser=convention.a_encaisser if convention else 0,
        )
        for operation_id, numero, beneficiaire, plie_id, paye, du, irrecouvrable in rows
        for convention in (conventions[operation_id],)
    ]
    return sorted(found, key=lambda t: (-t.a_reclamer, t.nature, -t.montant, t.numero_mdfse))


def _conventions(
    conn: Connection[TupleRow], perimetre: Perimetre, operations: list[UUID], situation: Situation
) -> dict[UUID, Convention | None]:
    """Fold the conventions of some operations, as the situation knows them.

    ``None`` where a payment counts from a day before the convention: days are what people wrote.
    """
    streams = lire_flux(conn, perimetre, [convention_of(i) for i in operations], situation)
    return {
        i: CONVENTION.replay(lu.fait for lu in streams.get(convention_of(i), ()))
        for i in operations
    }


def _controlee(convention: Convention) -> bool:
    """Tell whether nothing more can found what was paid."""
    final = convention.bilan_final
    validated = final is not None and final.csf is not None and final.csf.statut == "valide"
    return validated or convention.cloturee_office
