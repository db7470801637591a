"""The projections compared with the log played again, by a service that may not replace them.

The same functions as `projections.rebuild`, into temporary tables that go with the transaction: one
snapshot, no lock, nothing written. The owner's own rebuild stays the one that puts things right.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql

from projections.rebuild import Empreinte, digests, tables

#: Told as the work goes: tables compared, tables to compare, the one that comes.
Progres = Callable[[int, int, str], None]
_ICI = "pg_temp"


@dataclass(frozen=True, slots=True)
class TableComparee:
    """A projection, and whether it is what the log gives."""

    projection: str
    lignes: int
    identique: bool


@dataclass(frozen=True, slots=True)
class Comparees:
    """What a comparison found; ``empreinte`` is one digest of all that the log gives."""

    evenements: int
    tables: tuple[TableComparee, ...]
    empreinte: str

    @property
    def differentes(self) -> tuple[str, ...]:
        """The projections that are not what the log gives."""
        return tuple(t.projection for t in self.tables if not t.identique)


def comparer_projections(conn: Connection[Any], dire: Progres) -> Comparees:
    """Play the log again beside, in one snapshot, and compare table by table."""
    with conn.transaction(force_rollback=True):
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        noms = tables(conn)
        dire(0, len(noms), "le journal est rejoué à côté")
        evenements = _rejouer(conn, noms)
        affiche: dict[str, Empreinte] = {}
        rejoue: dict[str, Empreinte] = {}
        for rang, nom in enumerate(noms, 1):
            affiche |= digests(conn, parmi=[nom])
            rejoue |= digests(conn, _ICI, parmi=[nom])
            dire(rang, len(noms), nom)
    texte = "\n".join(f"{t} {e.lignes} {e.empreinte}" for t, e in sorted(rejoue.items()))
    return Comparees(
        evenements,
        tuple(TableComparee(n, affiche[n].lignes, affiche[n] == rejoue[n]) for n in noms),
        hashlib.sha256(texte.encode()).hexdigest(),
    )


def _rejouer(conn: Connection[Any], noms: list[str]) -> int:
    for nom in noms:
        conn.execute(
            sql.SQL("CREATE TEMP TABLE {} (LIKE {} INCLUDING ALL) ON COMMIT DROP").format(
                sql.Identifier(nom), sql.Identifier("projection", nom)
            )
        )
    row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    tete = int(row[0])
    conn.execute("SET LOCAL search_path = pg_temp, oi")
    conn.execute("SELECT oi.project(1, %s)", (tete,))
    conn.execute("SET LOCAL search_path = DEFAULT")
    return tete
