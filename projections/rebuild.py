"""Rebuilding every projection from the log: beside, then switched under the lock of the log."""

import hashlib
import time
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

_BESIDE = "projection_neuve"
#: One rebuild at a time, whoever asks for it.
_LOCK = 6_011_957


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found. ``different`` names the tables whose content changed."""

    events: int
    seconds: float
    digest: str
    different: tuple[str, ...]


def tables(conn: psycopg.Connection[Any]) -> list[str]:
    """Return the names of the projections."""
    rows = conn.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'projection' ORDER BY tablename"
    )
    return [row[0] for row in rows]


def digests(conn: psycopg.Connection[Any], schema: str = "projection") -> dict[str, str]:
    """Return a digest of the content of each projection, whatever the order of its rows."""
    found = {}
    for table in tables(conn):
        query = sql.SQL(
            "SELECT encode(sha256(convert_to(coalesce("
            "string_agg(md5(t::text), '' ORDER BY md5(t::text)), ''), 'UTF8')), 'hex') FROM {} AS t"
        ).format(sql.Identifier(schema, table))
        row = conn.execute(query).fetchone()
        assert row is not None
        found[table] = row[0]
    return found


def digest_of(found: dict[str, str]) -> str:
    """Return one short digest of all the projections."""
    text = "\n".join(f"{table} {value}" for table, value in sorted(found.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def rebuild(conninfo: str, *, replace: bool = True) -> Rebuilt:
    """Compute every projection again, compare, and put the result in place. Run as the owner.

    With ``replace=False``, only compare.

    Nothing stops while the bulk is computed; writers wait only for the last step, which catches up,
    compares and switches in one transaction.
    """
    started = time.monotonic()
    with psycopg.connect(conninfo) as conn:
        # Held by the connection, across both transactions, until it closes.
        conn.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        names = tables(conn)
        conn.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(_BESIDE)))
        conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(_BESIDE)))
        for table in names:
            conn.execute(
                sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(
                    sql.Identifier(_BESIDE, table), sql.Identifier("projection", table)
                )
            )
        done = _project(conn, 1)
        conn.commit()

        conn.execute("SELECT position FROM oi.head FOR UPDATE")
        done = _project(conn, done + 1)
        before, after = digests(conn), digests(conn, _BESIDE)
        for table in names if replace else ():
            live, beside = sql.Identifier("projection", table), sql.Identifier(_BESIDE, table)
            # Not TRUNCATE: it would wait for every reader while the writers wait for us.
            conn.execute(sql.SQL("DELETE FROM {}").format(live))
            conn.execute(sql.SQL("INSERT INTO {} SELECT * FROM {}").format(live, beside))
        conn.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(_BESIDE)))
        if replace:
            conn.execute("UPDATE oi.projection_state SET rebuilt_at = clock_timestamp()")
    return Rebuilt(
        events=done,
        seconds=time.monotonic() - started,
        digest=digest_of(after),
        different=tuple(t for t in names if before[t] != after[t]),
    )


def _project(conn: psycopg.Connection[Any], first: int) -> int:
    """Project from a position to the head, into the tables beside; return the head."""
    row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    head = int(row[0])
    conn.execute(sql.SQL("SET LOCAL search_path = {}, oi, pg_temp").format(sql.Identifier(_BESIDE)))
    conn.execute("SELECT oi.project(%s, %s)", (first, head))
    conn.execute("SET LOCAL search_path = DEFAULT")
    return head
