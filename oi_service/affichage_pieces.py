"""What the terminal shows of the documents: their files, those that are altered, the orphans."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from psycopg import Connection
from psycopg.rows import TupleRow

from api.filters import entier, jour
from oi_service import clock
from oi_service.pieces import Pieces, taille
from projections.pieces import PieceVue, orphelines, pieces_nommees, verifier_pieces

#: Faulty documents told by their names; the others are counted.
_DITES = 20
#: What became of a file that is not in order.
_FAUTES = {
    "alteree": "n’est plus celui qui a été déposé",
    "disparue": "n’est plus là, alors qu’il y était",
}


@dataclass(slots=True)
class Examen:
    """What became of the documents that the log names, the first faulty ones told."""

    etats: Counter[str] = field(default_factory=Counter)
    fautives: list[PieceVue] = field(default_factory=list)

    @property
    def fautes(self) -> int:
        """Return how many files are not what was deposited, or are gone."""
        return sum(self.etats[etat] for etat in _FAUTES)


def examiner_pieces(conn: Connection[TupleRow], pieces: Pieces) -> Examen:
    """Read every file again."""
    examen = Examen()
    for vue in verifier_pieces(conn, pieces):
        examen.etats[vue.etat] += 1
        if vue.etat in _FAUTES and len(examen.fautives) < _DITES:
            examen.fautives.append(vue)
    return examen


def afficher_examen(examen: Examen) -> Iterator[str]:
    """Say what an examination found, the first faulty document first."""
    for vue in examen.fautives:
        piece = vue.nommee
        yield (
            f"✗ événement n°\u00a0{entier(piece.position)}, « {piece.libelle} » : le fichier "
            f"{piece.sha256} {_FAUTES[vue.etat]}."
        )
    tues = examen.fautes - len(examen.fautives)
    if tues:
        yield f"  et {_pieces(tues)} de plus."
    yield (
        f"{_pieces(examen.etats.total())} dans le journal : "
        f"{_accorde(examen.etats['presente'], 'intacte')}, "
        f"{_accorde(examen.etats['alteree'], 'altérée')}, "
        f"{_accorde(examen.etats['disparue'], 'disparue')}, "
        f"{entier(examen.etats['absente'])} sans fichier ici."
    )


def afficher_rangement(conn: Connection[TupleRow], pieces: Pieces) -> Iterator[str]:
    """Say what the store holds, and how much of what the log names."""
    octets = [rangee.octets for rangee in pieces.rangees()]
    yield f"{pieces.dossier} : {_pieces(len(octets))}, {taille(sum(octets))}."
    presentes = Counter(pieces.contient(nommee.sha256) for nommee in pieces_nommees(conn))
    yield (
        f"{_pieces(presentes.total())} dans le journal, dont {entier(presentes[False])} sans "
        "fichier ici."
    )


def afficher_orphelines(conn: Connection[TupleRow], pieces: Pieces, jours: int) -> Iterator[str]:
    """List the files that no event names, deposited more than so many days ago."""
    avant = clock.now() - timedelta(days=jours)
    combien, octets = 0, 0
    for rangee in orphelines(conn, pieces, avant):
        combien += 1
        octets += rangee.octets
        depuis = jour(clock.jour(rangee.deposee_le))
        yield f"{rangee.sha256}  {taille(rangee.octets):>10}  déposée le {depuis}"
    yield (
        f"{_pieces(combien)}, {taille(octets)}, qu’aucun événement ne nomme depuis plus de "
        f"{jours} jours. Rien n’est effacé."
    )


def _pieces(combien: int) -> str:
    return _accorde(combien, "pièce")


def _accorde(combien: int, mot: str) -> str:
    return f"{entier(combien)} {mot}{'s' if combien > 1 else ''}"
