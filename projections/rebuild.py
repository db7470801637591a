"""Rebuilding every projection from the log: beside, compared, and put right where they differ.

Projections are written with the events, so that in one snapshot of the database the log and what is
shown stop at the same event: comparing them there needs no lock. Only what differs is then replaced
row by row, while writers wait; readers never wait, and never see half of it.
"""

import hashlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

_LIVE = "projection"
_BESIDE = "projection_neuve"
#: One rebuild at a time, whoever asks for it.
_LOCK = 6_011_957
#: A rebuild sorts and joins the whole log: memory that the service does not need.
_MEMOIRE = "SET LOCAL work_mem = '256MB'; SET LOCAL jit = off"


@dataclass(frozen=True, slots=True)
class Empreinte:
    """What a projection holds, whatever the order of its rows."""

    lignes: int
    empreinte: str


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found.

    ``events`` were played in ``seconds``, the comparison included. ``different`` names the
    projections that were not what the log says.
    """

    events: int
    seconds: float
    digests: dict[str, Empreinte]
    different: tuple[str, ...]

    @property
    def digest(self) -> str:
        """One digest of all the projections."""
        text = "\n".join(f"{t} {e.lignes} {e.empreinte}" for t, e in sorted(self.digests.items()))
        return hashlib.sha256(text.encode()).hexdigest()


def tables(conn: psycopg.Connection[Any]) -> list[str]:
    """Return the names of the projections."""
    rows = conn.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY tablename", (_LIVE,)
    )
    return [row[0] for row in rows]


def digests(conn: psycopg.Connection[Any], schema: str = _LIVE) -> dict[str, Empreinte]:
    """Return a digest of the content of each projection, whatever the order of its rows.

    The digest adds the halves of the MD5 of every row: it tells whether two tables hold the same
    rows, each as many times; it does not withstand who forges rows on purpose.
    """
    found = {}
    for table in tables(conn):
        query = sql.SQL(
            "SELECT count(*), coalesce(sum(('x' || left(h, 16))::bit(64)::bigint), 0), "
            "coalesce(sum(('x' || right(h, 16))::bit(64)::bigint), 0) "
            "FROM (SELECT md5(t::text) AS h FROM {} AS t) AS rows"
        ).format(sql.Identifier(schema, table))
        row = conn.execute(query).fetchone()
        assert row is not None
        lignes, gauche, droite = row
        found[table] = Empreinte(lignes, hashlib.sha256(f"{gauche} {droite}".encode()).hexdigest())
    return found


def rebuild(conninfo: str, *, replace: bool = True) -> Rebuilt:
    """Compute every projection again, compare, and put right what differs. Run as the owner.

    With ``replace=False``, only compare.
    """
    started = time.monotonic()
    with psycopg.connect(conninfo, autocommit=True) as conn:
        # Held by the connection until it closes.
        conn.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        names = tables(conn)
        with _beside(conn, names):
            done, before, after = _compare(conninfo, conn)
            different = tuple(t for t in names if before[t] != after[t])
            if different and replace:
                done, after = _put_right(conn, done, different)
            if replace:
                conn.execute("UPDATE oi.projection_state SET rebuilt_at = clock_timestamp()")
    return Rebuilt(done, time.monotonic() - started, after, different)


@contextmanager
def _beside(conn: psycopg.Connection[Any], names: list[str]) -> Iterator[None]:
    """Lend empty tables of the same shape, beside the live ones."""
    beside = sql.Identifier(_BESIDE)
    drop = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(beside)
    conn.execute(drop)
    conn.execute(sql.SQL("CREATE SCHEMA {}").format(beside))
    for table in names:
        conn.execute(
            sql.SQL("CREATE UNLOGGED TABLE {} (LIKE {} INCLUDING ALL)").format(
                sql.Identifier(_BESIDE, table), sql.Identifier(_LIVE, table)
            )
        )
    try:
        yield
    finally:
        conn.execute(drop)


def _compare(
    conninfo: str, conn: psycopg.Connection[Any]
) -> tuple[int, dict[str, Empreinte], dict[str, Empreinte]]:
    """Return the head of one snapshot, and what the live tables and the new ones hold in it."""
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        exported = conn.execute("SELECT pg_export_snapshot()").fetchone()
        assert exported is not None
        # Reading the live tables and making the new ones share nothing but the snapshot.
        with ThreadPoolExecutor(1) as beside:
            before = beside.submit(_digests_in, conninfo, exported[0])
            done = _project(conn, 1)
            after = digests(conn, _BESIDE)
            return done, before.result(), after


def _digests_in(conninfo: str, snapshot: str) -> dict[str, Empreinte]:
    with psycopg.connect(conninfo) as conn:
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        conn.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
        return digests(conn)


def _put_right(
    conn: psycopg.Connection[Any], done: int, different: tuple[str, ...]
) -> tuple[int, dict[str, Empreinte]]:
    """Catch up under the lock of the log, then replace the rows that differ, in one transaction."""
    with conn.transaction():
        conn.execute("SELECT position FROM oi.head FOR UPDATE")
        done = _project(conn, done + 1)
        for table in different:
            live, beside = sql.Identifier(_LIVE, table), sql.Identifier(_BESIDE, table)
            # Not TRUNCATE: it would wait for every reader while the writers wait for us.
            conn.execute(
                sql.SQL(
                    "DELETE FROM {live} AS t WHERE t.ctid IN ("
                    "SELECT l.ctid FROM {live} AS l LEFT JOIN {beside} AS b "
                    "ON md5(l::text) = md5(b::text) WHERE b IS NULL)"
                ).format(live=live, beside=beside)
            )
            conn.execute(
                sql.SQL(
                    "INSERT INTO {live} SELECT b.* FROM {beside} AS b LEFT JOIN {live} AS l "
                    "ON md5(l::text) = md5(b::text) WHERE l IS NULL"
                ).format(live=live, beside=beside)
            )
        return done, digests(conn)


def _project(conn: psycopg.Connection[Any], first: int) -> int:
    """Project from a position to the head, into the tables beside; return the head."""
    row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    head = int(row[0])
    conn.execute(_MEMOIRE)
    conn.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    conn.execute(sql.SQL("SET LOCAL search_path = {}, oi, pg_temp").format(sql.Identifier(_BESIDE)))
    conn.execute("SELECT oi.project(%s, %s)", (first, head))
    conn.execute("SET LOCAL search_path = DEFAULT")
    return head
