"""The documents that events name, and whether their files are there, as they were deposited."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from oi_service.pieces import Etat, PieceNonDeposee, Pieces, Rangee
from projections.instantane import instantane
from projections.journal import evenements
from projections.perimetre import Perimetre


@dataclass(frozen=True, slots=True)
class PieceNommee:
    """A document, and the first event that names it.

    ``gardee``: an event says that its file was here when it was recorded.
    """

    position: int
    sha256: str
    libelle: str
    type: str
    gardee: bool


@dataclass(frozen=True, slots=True)
class PieceVue:
    """A document that an event names, and what became of its file.

    ``absente`` is no fault by itself: a document may be kept elsewhere. ``disparue`` is one: its
    file was here.
    """

    nommee: PieceNommee
    etat: Etat | Literal["disparue"]


def pieces_nommees(conn: Connection[TupleRow]) -> Iterator[PieceNommee]:
    """Yield each document once, in the order in which the log names them.

    It is the log of the whole OI: the caller has checked that the reader may have it.
    """
    with instantane(conn), conn.cursor(name="pieces", row_factory=class_row(PieceNommee)) as cursor:
        # What an altered log may hold instead of a text is read all the same: its seal says so.
        cursor.execute(
            """
            SELECT n.position, n.sha256, n.libelle, n.type, n.gardee
            FROM (
                SELECT DISTINCT ON (p.piece ->> 'sha256')
                    e.position,
                    p.rang,
                    coalesce(p.piece ->> 'sha256', '') AS sha256,
                    coalesce(p.piece ->> 'libelle', '') AS libelle,
                    coalesce(p.piece ->> 'type', '') AS type,
                    bool_or(coalesce(p.piece ? 'octets', false))
                        OVER (PARTITION BY p.piece ->> 'sha256') AS gardee
                FROM oi.event AS e
                CROSS JOIN LATERAL jsonb_array_elements(e.pieces)
                    WITH ORDINALITY AS p (piece, rang)
                WHERE e.pieces <> '[]'
                ORDER BY p.piece ->> 'sha256', e.position, p.rang
            ) AS n
            ORDER BY n.position, n.rang
            """
        )
        yield from cursor


def verifier_pieces(conn: Connection[TupleRow], pieces: Pieces) -> Iterator[PieceVue]:
    """Read the file of every document that the log names, in the order of the log."""
    for nommee in pieces_nommees(conn):
        etat = pieces.etat(nommee.sha256)
        disparue = etat == "absente" and nommee.gardee
        yield PieceVue(nommee, "disparue" if disparue else etat)


def orphelines(conn: Connection[TupleRow], pieces: Pieces, avant: datetime) -> Iterator[Rangee]:
    """Yield the files deposited before an instant that no event names yet."""
    nommees = {nommee.sha256 for nommee in pieces_nommees(conn)}
    for rangee in pieces.rangees():
        if rangee.sha256 not in nommees and rangee.deposee_le < avant:
            yield rangee


def exiger_lisible(
    conn: Connection[TupleRow], perimetre: Perimetre, sha256: str, *, auditeur: bool
) -> None:
    """Refuse a document to a reader to whom no event that names it is shown.

    Who reads the whole OI reads the whole store, documents that no event names yet included, but
    for those that only the working files of auditors name.

    Raises: PieceNonDeposee, as for a document that does not exist.
    """
    if perimetre.liste is None and (auditeur or not _positions(conn, sha256, audit=True)):
        return
    if not evenements(conn, perimetre, _positions(conn, sha256, audit=False)):
        raise PieceNonDeposee(sha256=sha256)


def _positions(conn: Connection[TupleRow], sha256: str, *, audit: bool) -> list[int]:
    rows = conn.execute("SELECT oi.nomme_la_piece(%s, %s)", (sha256, audit))
    return [position for (position,) in rows]
