"""Rebuilding every projection from the log: beside, compared, and put right where they differ.

Projections are written with the events, so that in one snapshot of the database the log and what is
shown stop at the same event: comparing them there needs no lock. Only what differs is then replaced
row by row, while writers wait; readers never wait, and never see half of it.
"""

import hashlib
import time
from collections.abc import Iterable, Iterator
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
#: Projections that merge the rows of several events, by their key.
_FUSIONNEES = frozenset(("affectation", "enveloppe"))
#: A rebuild sorts and joins the whole log: memory that the service does not need.
_MEMOIRE = (
    "SET LOCAL work_mem = '256MB'; SET LOCAL jit = off; "
    "SET LOCAL plan_cache_mode = force_custom_plan"
)
#: Functions of projections/project.sql: all, the two halves of it, and the table of the second.
_TOUTES, _COMMUNES, _DEPENSES = "project", "project_communes", "project_depense"
_A_PART = frozenset(("depense",))


@dataclass(frozen=True, slots=True)
class Empreinte:
    """What a projection holds, whatever the order of its rows."""

    lignes: int
    empreinte: str


@dataclass(frozen=True, slots=True)
class Ecart:
    """A row that is not what the log says: as it is shown, and as it is computed again."""

    projection: str
    affiche: str | None
    recalcule: str | None


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found.

    ``events`` were played in ``seconds``, the comparison included. ``different`` names the
    projections that were not what the log says; ``ecarts``, of each, its first rows that differ,
    when nothing was put right.
    """

    events: int
    seconds: float
    digests: dict[str, Empreinte]
    different: tuple[str, ...]
    ecarts: tuple["Ecart", ...] = ()

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


def digests(
    conn: psycopg.Connection[Any], schema: str = _LIVE, *, parmi: Iterable[str] | None = None
) -> dict[str, Empreinte]:
    """Return a digest of the content of each projection, of all by default.

    The order of the rows does not count.

    The digest adds the halves of the MD5 of every row: it tells whether two tables hold the same
    rows, each as many times; it does not withstand who forges rows on purpose.
    """
    return _digests(conn, schema, tables(conn) if parmi is None else parmi)


def _digests(
    conn: psycopg.Connection[Any], schema: str, names: Iterable[str]
) -> dict[str, Empreinte]:
    found = {}
    with conn.transaction():
        # A row is digested as text, where a day would follow the settings of whoever asks.
        conn.execute("SET LOCAL datestyle = 'ISO'")
        for table in names:
            # OFFSET keeps the MD5 computed once a row.
            query = sql.SQL(
                "SELECT count(*), coalesce(sum(('x' || left(h, 16))::bit(64)::bigint), 0), "
                "coalesce(sum(('x' || right(h, 16))::bit(64)::bigint), 0) "
                "FROM (SELECT md5(t::text) AS h FROM {} AS t OFFSET 0) AS rows"
            ).format(sql.Identifier(schema, table))
            row = conn.execute(query).fetchone()
            assert row is not None
            lignes, gauche, droite = row
            found[table] = Empreinte(
                lignes, hashlib.sha256(f"{gauche} {droite}".encode()).hexdigest()
            )
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
        with beside(conn, names):
            done, before, after = play(conninfo, conn, names)
            different = tuple(t for t in names if before[t] != after[t])
            ecarts: tuple[Ecart, ...] = ()
            if different and replace:
                done, after = _put_right(conn, done, different)
            elif different:
                ecarts = _first_rows(conn, done, different)
            if replace:
                conn.execute("UPDATE oi.projection_state SET rebuilt_at = clock_timestamp()")
    return Rebuilt(done, time.monotonic() - started, after, different, ecarts)


@contextmanager
def beside(conn: psycopg.Connection[Any], names: list[str]) -> Iterator[None]:
    """Lend empty tables of the same shape, beside the live ones."""
    beside = sql.Identifier(_BESIDE)
    drop = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(beside)
    conn.execute(drop)
    conn.execute(sql.SQL("CREATE SCHEMA {}").format(beside))
    for table in names:
        # Written once and read whole: an index would only be paid for.
        without = "" if table in _FUSIONNEES else " EXCLUDING INDEXES"
        conn.execute(
            sql.SQL("CREATE UNLOGGED TABLE {} (LIKE {} INCLUDING ALL{})").format(
                sql.Identifier(_BESIDE, table), sql.Identifier(_LIVE, table), sql.SQL(without)
            )
        )
    try:
        yield
    finally:
        conn.execute(drop)


def play(
    conninfo: str, conn: psycopg.Connection[Any], names: list[str]
) -> tuple[int, dict[str, Empreinte], dict[str, Empreinte]]:
    """Play the log of one snapshot into the tables beside.

    Dépenses are half of the log, and nothing else reads them: two connections share the work.

    Returns: the head, then what the live tables and the new ones hold, of those named.
    """
    apart = [t for t in names if t in _A_PART]
    others = [t for t in names if t not in _A_PART]
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        exported = conn.execute("SELECT pg_export_snapshot()").fetchone()
        assert exported is not None
        with ThreadPoolExecutor(1) as second:
            depenses = second.submit(_play_apart, conninfo, exported[0], apart)
            head = _project(conn, 1, _COMMUNES)
            before, after = _digests(conn, _LIVE, others), _digests(conn, _BESIDE, others)
            before_apart, after_apart = depenses.result()
    return head, before | before_apart, after | after_apart


def _play_apart(
    conninfo: str, snapshot: str, names: list[str]
) -> tuple[dict[str, Empreinte], dict[str, Empreinte]]:
    with psycopg.connect(conninfo) as conn:
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        conn.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
        _project(conn, 1, _DEPENSES)
        return _digests(conn, _LIVE, names), _digests(conn, _BESIDE, names)


def _put_right(
    conn: psycopg.Connection[Any], done: int, different: tuple[str, ...]
) -> tuple[int, dict[str, Empreinte]]:
    """Catch up under the lock of the log, then replace the rows that differ, in one transaction."""
    with conn.transaction():
        conn.execute("SELECT position FROM oi.head FOR UPDATE")
        head = _project(conn, done + 1, _TOUTES)
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
        return head, digests(conn)


def _first_rows(
    conn: psycopg.Connection[Any], done: int, different: tuple[str, ...]
) -> tuple[Ecart, ...]:
    """Catch up under the lock of the log, and return the first row of each table that differs."""
    found = []
    with conn.transaction():
        conn.execute("SELECT position FROM oi.head FOR UPDATE")
        _project(conn, done + 1, _TOUTES)
        for table in different:
            row = conn.execute(
                sql.SQL(
                    "SELECT (SELECT min(l::text) FROM {live} AS l "
                    "WHERE md5(l::text) NOT IN (SELECT md5(b::text) FROM {beside} AS b)), "
                    "(SELECT min(b::text) FROM {beside} AS b "
                    "WHERE md5(b::text) NOT IN (SELECT md5(l::text) FROM {live} AS l))"
                ).format(live=sql.Identifier(_LIVE, table), beside=sql.Identifier(_BESIDE, table))
            ).fetchone()
            assert row is not None
            found.append(Ecart(table, *row))
    return tuple(found)


def _project(conn: psycopg.Connection[Any], first: int, function: str) -> int:
    """Project from a position to the head, into the tables beside; return the head."""
    row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    head = int(row[0])
    conn.execute(_MEMOIRE)
    conn.execute(sql.SQL("SET LOCAL search_path = {}, oi, pg_temp").format(sql.Identifier(_BESIDE)))
    conn.execute(sql.SQL("SELECT {}(%s, %s)").format(sql.Identifier("oi", function)), (first, head))
    conn.execute("SET LOCAL search_path = DEFAULT")
    return head
