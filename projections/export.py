"""The log as JSON lines: every column of every event, the payload exactly as stored."""

from collections.abc import Iterator, Sequence

from psycopg import Connection, sql
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
    yield from entre(conn, depuis, head)


def entre(conn: Connection[TupleRow], depuis: int, jusqua: int) -> Iterator[bytes]:
    """Yield the lines of the events between two positions, both included."""
    for first in range(depuis, jusqua + 1, _LOT):
        bornes = sql.SQL("BETWEEN {} AND {}").format(first, min(first + _LOT - 1, jusqua))
        yield from _lignes(conn, bornes)


def parmi(conn: Connection[TupleRow], positions: Sequence[int]) -> Iterator[bytes]:
    """Yield the lines of some events, given in the order of the log."""
    for first in range(0, len(positions), _LOT):
        lot = list(positions[first : first + _LOT])
        yield from _lignes(conn, sql.SQL("= ANY ({})").format(lot))


def _lignes(conn: Connection[TupleRow], lesquelles: sql.Composed) -> list[bytes]:
    query = sql.SQL(
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
        WHERE e.position {lesquelles}
        ORDER BY e.position
        """
    ).format(lesquelles=lesquelles)
    return [line.encode() + b"\n" for (line,) in conn.execute(query)]
