"""Which subventions globales the last events of the log are about."""

from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from projections.perimetre import Perimetre


def subventions_touchees(
    conn: Connection[TupleRow], perimetre: Perimetre, position: int
) -> list[UUID]:
    """Return those that something recorded after a position is about, the oldest first.

    Of those that the perimeter holds.
    """
    rows = conn.execute(
        """
        WITH flux AS (
            SELECT DISTINCT e.stream_id AS id FROM oi.event AS e WHERE e.position > %(position)s
        ),

        dossier AS (
            SELECT f.id FROM flux AS f
            UNION
            SELECT d.operation_id FROM projection.depense AS d INNER JOIN flux AS f ON d.id = f.id
            UNION
            SELECT (e.data ->> 'operation_id')::uuid
            FROM oi.event AS e INNER JOIN flux AS f ON e.stream_id = f.id
            WHERE e.version = 1 AND e.name = 'convention.signee.v1'
        ),

        touchee AS (
            SELECT f.id FROM flux AS f
            UNION
            SELECT a.sg_id
            FROM projection.appel_a_projets AS a INNER JOIN flux AS f ON a.id = f.id
            UNION
            SELECT c.sg_id FROM projection.contrepartie AS c INNER JOIN flux AS f ON c.id = f.id
            UNION
            SELECT o.sg_id FROM projection.operation AS o INNER JOIN dossier AS d ON o.id = d.id
            UNION
            SELECT m.sg_id FROM projection.mouvement AS m WHERE m.position > %(position)s
        )

        SELECT s.id
        FROM projection.subvention_globale AS s INNER JOIN touchee AS t ON s.id = t.id
        WHERE %(plies)s::text[] IS NULL OR EXISTS (
            SELECT FROM projection.plie AS p
            WHERE p.sg_id = s.id AND p.plie_id = ANY(%(plies)s))
        ORDER BY s.position
        """,
        {"position": position, "plies": perimetre.liste},
    )
    return [row[0] for row in rows]
