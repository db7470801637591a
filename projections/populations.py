"""The dépenses that an auditor draws from, as the log was at a position: the same list for ever."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from aggregates.audit.events import DefinitionPopulation, MontantAudite
from oi_service.errors import RuleBroken
from oi_service.ids import convention_of
from projections.situation import Situation
from rules.tirages import Unite


class PositionAVenir(RuleBroken):
    """Le journal s’arrête à l’événement n° {derniere} : une population ne se fige pas à l’événement
    n° {position}, qui n’existe pas encore.
    """


def derniere_position(conn: Connection[TupleRow]) -> int:
    """Return the number of the last event."""
    row = conn.execute("SELECT h.position FROM oi.head AS h").fetchone()
    assert row is not None
    return int(row[0])


def exiger_passee(conn: Connection[TupleRow], position: int | None) -> int:
    """Return a position, the last one by default. Raises: PositionAVenir."""
    derniere = derniere_position(conn)
    if position is not None and not 0 < position <= derniere:
        raise PositionAVenir(position=position, derniere=derniere)
    return derniere if position is None else position


def population(
    conn: Connection[TupleRow],
    subvention_globale_id: UUID,
    definition: DefinitionPopulation,
    montant: MontantAudite,
    position: int,
) -> tuple[Unite, ...]:
    """Return the dépenses of a definition as known at a position, ordered by identifier.

    Cancelled ones are left out. ``declare`` is what is charged to the operation; ``retenu`` is what
    the last control validated by then kept, and leaves out what none had validated. An état de
    dépenses does not name its dépenses: they are those of a convention whose first control was
    validated between its former état and that one.
    """
    return tuple(sorted(_lire(conn, subvention_globale_id, definition, montant, position)))


def _lire(
    conn: Connection[TupleRow],
    subvention_globale_id: UUID,
    definition: DefinitionPopulation,
    montant: MontantAudite,
    position: int,
) -> Iterator[Unite]:
    operations: dict[UUID, str] = dict(
        conn.execute(
            """
            SELECT o.id, o.plie_id
            FROM projection.operation AS o
            WHERE o.sg_id = %(sg)s
                AND (%(operation)s::uuid IS NULL OR o.id = %(operation)s)
                AND (%(plie)s::text IS NULL OR o.plie_id = %(plie)s)
            """,
            {
                "sg": subvention_globale_id,
                "operation": definition.operation_id,
                "plie": definition.plie_id,
            },
        ).fetchall()
    )
    parametres: dict[str, Any] = {
        "operations": list(operations),
        "conventions": [convention_of(i) for i in operations],
        "retenu": montant == "retenu",
        "etat_no": definition.etat_no,
        **Situation(connu_le=position).parametres,
    }
    for depense_id, operation_id, poste, centimes in conn.execute(_DEPENSES, parametres):
        yield Unite(
            id=str(depense_id),
            montant=centimes,
            operation=str(operation_id),
            plie=operations[operation_id],
            poste=poste,
        )


_DEPENSES = """
    SELECT
        d.id, o.operation, d.poste,
        CASE WHEN %(retenu)s THEN k.retenu ELSE d.montant_impute_centimes END
    FROM unnest(%(operations)s::uuid[], %(conventions)s::uuid[]) AS o (operation, convention)
    CROSS JOIN LATERAL oi.depenses_au(
        o.operation, o.convention, %(connu_le)s, %(effet_au)s) AS d
    -- The last control that was validated, and when the first one was.
    LEFT JOIN LATERAL (
        SELECT
            (array_agg((c.data ->> 'montant_retenu_centimes')::bigint ORDER BY c.version DESC))[1]
                AS retenu,
            min(v.position) AS valide
        FROM oi.event AS c
        INNER JOIN oi.event AS v
            ON v.stream_id = o.convention AND v.name = 'convention.csf_valide.v1'
                AND v.position <= %(connu_le)s
                AND v.data -> 'csf_id' = c.data -> 'csf_id'
        WHERE c.stream_id = d.id AND c.name = 'depense.controlee.v1'
    ) AS k ON %(retenu)s OR %(etat_no)s::text IS NOT NULL
    WHERE d.statut <> 'annulee'
        AND (NOT %(retenu)s OR k.retenu IS NOT NULL)
        AND (%(etat_no)s::text IS NULL OR (
            SELECT t.data ->> 'etat_no'
            FROM oi.event AS t
            WHERE t.stream_id = o.convention AND t.name = 'convention.etat_depenses_transmis.v1'
                AND t.position BETWEEN k.valide AND %(connu_le)s
            ORDER BY t.position LIMIT 1
        ) = %(etat_no)s)
"""
