"""Accounts as the log knows them: what each may act as, and who employs the person.

No name is here. They take no perimeter: only administrators, who see the whole OI, read them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from aggregates.compte.state import CompteAbsent


@dataclass(frozen=True, slots=True)
class AttributionLue:
    """A role that nobody took back; ``plies`` is its territory, empty for the whole OI."""

    attribution_id: UUID
    role: str
    plies: list[str]
    du: date
    au: date | None

    def en_vigueur(self, le: date) -> bool:
        """Tell whether it counts on a day."""
        return self.du <= le and (self.au is None or le <= self.au)


@dataclass(frozen=True, slots=True)
class MiseADispositionLue:
    """A PLIE that employs the person, and that nobody said does not any more."""

    mise_id: UUID
    plie_id: str
    du: date
    au: date | None


@dataclass(frozen=True, slots=True)
class CompteLu:
    """An account; ``version`` is that of its stream."""

    identifiant: str
    stream_id: UUID
    version: int
    ouvert_le: date
    statut: str
    roles: tuple[AttributionLue, ...]
    mises: tuple[MiseADispositionLue, ...]


@dataclass(frozen=True, slots=True)
class PlieConnu:
    """A PLIE that a grant names."""

    plie_id: str
    nom: str


def comptes(conn: Connection[TupleRow]) -> list[CompteLu]:
    """Return every account, those that are closed included."""
    return _comptes(conn, None)


def compte(conn: Connection[TupleRow], identifiant: str) -> CompteLu:
    """Return an account.

    Raises: CompteAbsent.
    """
    found = _comptes(conn, identifiant)
    if not found:
        raise CompteAbsent(identifiant=identifiant)
    return found[0]


def _comptes(conn: Connection[TupleRow], identifiant: str | None) -> list[CompteLu]:
    rows = conn.execute(
        """
        SELECT
            c.identifiant, c.stream_id,
            (SELECT max(e.version) FROM oi.event AS e WHERE e.stream_id = c.stream_id),
            c.ouvert_le, c.statut
        FROM projection.compte AS c
        WHERE %(identifiant)s::text IS NULL OR c.identifiant = %(identifiant)s
        ORDER BY c.identifiant
        """,
        {"identifiant": identifiant},
    ).fetchall()
    roles = _roles(conn, identifiant)
    mises = _mises(conn, identifiant)
    return [
        CompteLu(
            identifiant=titulaire,
            stream_id=flux,
            version=version,
            ouvert_le=ouvert_le,
            statut=statut,
            roles=tuple(roles.get(titulaire, ())),
            mises=tuple(mises.get(titulaire, ())),
        )
        for titulaire, flux, version, ouvert_le, statut in rows
    ]


def _roles(conn: Connection[TupleRow], identifiant: str | None) -> dict[str, list[AttributionLue]]:
    found: dict[str, list[AttributionLue]] = {}
    rows = conn.execute(
        """
        SELECT r.identifiant, r.attribution_id, r.role, r.plies, r.du, r.au
        FROM projection.compte_role AS r
        WHERE %(identifiant)s::text IS NULL OR r.identifiant = %(identifiant)s
        ORDER BY r.position, r.attribution_id
        """,
        {"identifiant": identifiant},
    )
    for titulaire, *attribution in rows:
        found.setdefault(titulaire, []).append(AttributionLue(*attribution))
    return found


def _mises(
    conn: Connection[TupleRow], identifiant: str | None
) -> dict[str, list[MiseADispositionLue]]:
    found: dict[str, list[MiseADispositionLue]] = {}
    rows = conn.execute(
        """
        SELECT m.identifiant, m.mise_id, m.plie_id, m.du, m.au
        FROM projection.compte_mise_a_disposition AS m
        WHERE %(identifiant)s::text IS NULL OR m.identifiant = %(identifiant)s
        ORDER BY m.position, m.mise_id
        """,
        {"identifiant": identifiant},
    )
    for titulaire, *mise in rows:
        found.setdefault(titulaire, []).append(MiseADispositionLue(*mise))
    return found


def administrateurs(conn: Connection[TupleRow]) -> list[UUID]:
    """Return the streams of the accounts that hold the role, whatever its dates."""
    rows = conn.execute(
        """
        SELECT DISTINCT c.stream_id
        FROM projection.compte AS c
        INNER JOIN projection.compte_role AS r ON c.identifiant = r.identifiant
        WHERE r.role = 'administrateur' AND c.statut = 'ouvert'
        ORDER BY c.stream_id
        """
    )
    return [row[0] for row in rows]


def plies_connus(conn: Connection[TupleRow]) -> Sequence[PlieConnu]:
    """Return the PLIE that a grant names, each once, in the order of their names."""
    with conn.cursor(row_factory=class_row(PlieConnu)) as cursor:
        return cursor.execute(
            """
            SELECT p.plie_id, max(p.nom) AS nom
            FROM projection.plie AS p
            GROUP BY p.plie_id
            ORDER BY max(p.nom), p.plie_id
            """
        ).fetchall()
