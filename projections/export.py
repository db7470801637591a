"""The log as JSON lines: every column of every event, the payload exactly as stored."""

from collections.abc import Iterator

from psycopg import Connection
from psycopg.rows import TupleRow

#: Events fetched at a time: bounds the memory of both sides whatever the length of the log.
_LOT = 1_000


def exporter(conn: Connection[TupleRow], depuis: int = 1) -> Iterator[bytes]:
    """Yield one line per event, from a position to the head, in the order of the log.

    Keys always come in the same order; ``data`` and ``pieces`` are the text of the database, byte
    for byte, which is what a seal covers. It is the log of the whole OI: the caller has checked
    that the reader may have it.
    """
    # The log only grows: reading it piece by piece needs no transaction, which a reader who goes
    # away in the middle would leave open.
    row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    head = row[0]
    for first in range(depuis, head + 1, _LOT):
        yield from _lignes(conn, first, min(first + _LOT - 1, head))


def _lignes(conn: Connection[TupleRow], first: int, last: int) -> list[bytes]:
    rows = conn.execute(
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
            'fingerprint', encode(e.fingerprint, 'hex'),
            'correlation_id', e.correlation_id,
            'cause_id', e.cause_id,
            'seal_scheme', e.seal_scheme,
            'seal', encode(e.seal, 'hex'),
            'pieces', e.pieces,
            'data', e.data
        )::text
        FROM oi.event AS e
        WHERE e.position BETWEEN %s AND %s
        ORDER BY e.position
        """,
        (first, last),
    )
    return [line.encode() + b"\n" for (line,) in rows]
