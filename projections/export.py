"""The log as JSON lines: every column of every event, the payload exactly as stored."""

from collections.abc import Iterator

from psycopg import Connection
from psycopg.rows import TupleRow

#: Events fetched at a time: bounds the memory of both sides whatever the length of the log.
_LOT = 1_000


def exporter(conn: Connection[TupleRow], depuis: int = 1) -> Iterator[bytes]:
    """Yield one line per event, from a position on, in the order of the log.

    Keys always come in the same order; ``data`` and ``pieces`` are the text of the database, byte
    for byte, which is what a seal covers. It is the log of the whole OI: the caller has checked
    that the reader may have it.
    """
    with conn.transaction(), conn.cursor("export_du_journal") as cursor:
        cursor.itersize = _LOT
        cursor.execute(
            """
            SELECT json_build_object(
                'position', e.position,
                'stream_id', e.stream_id,
                'version', e.version,
                'event_id', e.event_id,
                'name', e.name,
                'date_effet', e.date_effet,
                'enregistre_le', to_char(
                    e.enregistre_le AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                'acteur', e.acteur,
                'role', e.role,
                'oi_id', e.oi_id,
                'reglement', e.reglement,
                'motif', e.motif,
                'command_id', e.command_id,
                'correlation_id', e.correlation_id,
                'cause_id', e.cause_id,
                'seal_scheme', e.seal_scheme,
                'seal', encode(e.seal, 'hex'),
                'pieces', e.pieces,
                'data', e.data
            )::text
            FROM oi.event AS e
            WHERE e.position >= %s
            ORDER BY e.position
            """,
            (depuis,),
        )
        for (line,) in cursor:
            yield line.encode() + b"\n"
