"""What binds the events of an archive to a signed point: seals, proofs, points, keys."""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise

from psycopg import Connection
from psycopg.rows import TupleRow

from oi_service.errors import Conflict
from oi_service.preuve.arbre import Arbre, Niveaux
from oi_service.preuve.forme import SCEAU_INITIAL
from oi_service.preuve.point import Point

#: Seals read together: three megabytes.
_LOT_DE_SCEAUX = 100_000
#: Proofs written between two readings of the seals before them.
_LOT = 1_000
_OCTETS = 32


class JournalContredit(Conflict):
    """L’archive n’est pas composée : l’ancre de {taille} événements atteste un autre journal que
    celui de la base. « oi verifier-journal » dit ce qui a été changé.
    """


def sceaux(conn: Connection[TupleRow], jusqua: int) -> Iterator[bytes]:
    """Yield the seals of the log in their order, up to an event."""
    for premier in range(1, jusqua + 1, _LOT_DE_SCEAUX):
        row = conn.execute(
            """
            SELECT string_agg(e.seal, ''::bytea ORDER BY e.position) FROM oi.event AS e
            WHERE e.position BETWEEN %s AND %s
            """,
            (premier, min(premier + _LOT_DE_SCEAUX - 1, jusqua)),
        ).fetchone()
        lot = b"" if row is None or row[0] is None else row[0]
        for debut in range(0, len(lot), _OCTETS):
            yield lot[debut : debut + _OCTETS]


def arbre_du_journal(conn: Connection[TupleRow], point: Point, autres: Sequence[Point]) -> Niveaux:
    """Return the tree that the points signed, up to the last of them.

    Raises: JournalContredit when a point signed another log.
    """
    niveaux = Niveaux(sceaux(conn, point.taille))
    for signe in (*autres, point):
        if signe.taille > niveaux.taille or niveaux.racine(signe.taille) != signe.racine:
            raise JournalContredit(taille=signe.taille)
    return niveaux


def exiger_points(conn: Connection[TupleRow], points: Sequence[Point]) -> None:
    """Pass through the log once, and compare with points in the order of their sizes.

    Raises: JournalContredit.
    """
    arbre, restent = Arbre(), list(points)
    for sceau in sceaux(conn, points[-1].taille):
        arbre.ajouter(sceau)
        while restent and restent[0].taille == arbre.taille:
            if arbre.racine() != restent.pop(0).racine:
                raise JournalContredit(taille=arbre.taille)
    if restent:
        raise JournalContredit(taille=restent[0].taille)


def coherences(niveaux: Niveaux, tailles: Sequence[int]) -> list[dict[str, object]]:
    """Return the proof that each point continues the one before."""
    distinctes = sorted(set(tailles))
    return [
        {"de": de, "a": a, "preuve": [h.hex() for h in niveaux.coherence(de, a)]}
        for de, a in pairwise(distinctes)
    ]


def inclusions(
    conn: Connection[TupleRow], niveaux: Niveaux, positions: Sequence[int]
) -> Iterator[bytes]:
    """Yield a line per event: the seal before it, and its place in the tree."""
    for premier in range(0, len(positions), _LOT):
        lot = positions[premier : premier + _LOT]
        precedents: dict[int, bytes] = dict(
            conn.execute(
                "SELECT e.position, e.seal FROM oi.event AS e WHERE e.position = ANY(%s)",
                ([position - 1 for position in lot],),
            ).fetchall()
        )
        for position in lot:
            preuve = niveaux.inclusion(position - 1, niveaux.taille)
            ligne = {
                "position": position,
                "sceau_precedent": bytes(precedents.get(position - 1, SCEAU_INITIAL)).hex(),
                "inclusion": [hache.hex() for hache in preuve],
            }
            yield json.dumps(ligne).encode() + b"\n"
