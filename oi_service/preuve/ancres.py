"""The folder of the anchors: files that are added and never changed, and what became of them."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from errno import errorcode
from pathlib import Path
from typing import Literal

import psycopg
from psycopg.rows import TupleRow

from aggregates.registre.events import DestinationAncre, JournalAncre
from aggregates.registre.state import REGISTRE_ID
from oi_service.codec import REGISTRY
from oi_service.durable import sync_folder
from oi_service.errors import Busy, Conflict, NotFound
from oi_service.preuve.point import (
    Point,
    PointIllisible,
    PointSigne,
    ecrire_instant,
    en_base64,
    lire_point,
    octets_de_cle,
)

_MODELE = "ancre-*.txt"
#: Why a folder does not take a file, in the words of an operator.
_RAISONS = {
    "ENOSPC": "il est plein",
    "EDQUOT": "il est plein",
    "EROFS": "il est en lecture seule",
    "EACCES": "le service n’en a pas le droit",
    "EPERM": "le service n’en a pas le droit",
    "ENOENT": "il n’existe pas",
    "ENOTDIR": "ce n’est pas un dossier",
    "EEXIST": "ce n’est pas un dossier",
}


class DossierDesAncresInaccessible(Busy):
    """Le dossier des ancres {dossier} n’est pas accessible : {raison}. Le journal n’est pas ancré ;
    l’ancrage sera tenté de nouveau à la prochaine échéance, ou par « oi ancrer ».
    """


class AncreIllisible(Conflict):
    """L’ancre {nom} n’est pas lisible : {raison}. Restaurez ce fichier, ou retirez-le du dossier
    des ancres si l’on sait pourquoi il est ainsi.
    """


class AncreAbsente(NotFound):
    """Aucune ancre de {taille} événements n’est dans le dossier des ancres."""


@dataclass(frozen=True, slots=True)
class AncreLue:
    """A file of the folder, as a point."""

    nom: str
    signe: PointSigne

    @property
    def point(self) -> Point:
        """What the file says."""
        return self.signe.point


def nom_de_fichier(taille: int) -> str:
    """Return the name of the file of a point."""
    return f"ancre-{taille:012d}.txt"


def nom_du_jeton(nom: str) -> str:
    """Return the name of the time-stamp that stands beside a point."""
    return str(Path(nom).with_suffix(".tsr"))


def ancres_du_dossier(dossier: Path) -> list[AncreLue]:
    """Return the anchors of a folder, the smallest first; none when there is no folder yet.

    Raises: AncreIllisible, DossierDesAncresInaccessible.
    """
    return [_lire(chemin) for chemin in _fichiers(dossier)]


def lire_ancre(dossier: Path, taille: int) -> AncreLue:
    """Read the anchor of a size.

    Raises: AncreAbsente, AncreIllisible, DossierDesAncresInaccessible.
    """
    chemin = dossier / nom_de_fichier(taille)
    if chemin not in _fichiers(dossier):
        raise AncreAbsente(taille=taille)
    return _lire(chemin)


def _lire(chemin: Path) -> AncreLue:
    try:
        signe = lire_point(chemin.read_bytes())
    except PointIllisible as illisible:
        raise AncreIllisible(nom=chemin.name, raison=illisible.details["raison"]) from illisible
    except OSError as refus:
        raise _inaccessible(chemin.parent, refus) from refus
    if chemin.name != nom_de_fichier(signe.point.taille):
        raison = f"son texte est celui d’une ancre de {signe.point.taille} événements"
        raise AncreIllisible(nom=chemin.name, raison=raison)
    return AncreLue(chemin.name, signe)


def _fichiers(dossier: Path) -> list[Path]:
    try:
        return sorted(chemin for chemin in dossier.iterdir() if chemin.match(_MODELE))
    except FileNotFoundError:
        return []
    except OSError as refus:
        raise _inaccessible(dossier, refus) from refus


def ecrire_nouveau(dossier: Path, nom: str, octets: bytes) -> str | None:
    """Add a file that survives a power cut; return why it could not be, or ``None``.

    One that is already there stays as it is, whatever it holds.
    """
    try:
        dossier.mkdir(parents=True, exist_ok=True)
        if (dossier / nom).exists():
            return None
        with (dossier / nom).open("xb") as fichier:
            try:
                fichier.write(octets)
                fichier.flush()
                os.fsync(fichier.fileno())
            except OSError:
                (dossier / nom).unlink()
                raise
        sync_folder(dossier)
    except OSError as refus:
        return _raison(refus)
    return None


def mettre_de_cote(dossier: Path) -> None:
    """Put the anchors of a log that is no more in a folder of its name, out of the way of another.

    Raises: DossierDesAncresInaccessible.
    """
    for chemin in _fichiers(dossier):
        try:
            journal = _lire(chemin).point.origine.rpartition("/")[2]
        except AncreIllisible:
            journal = "illisibles"
        try:
            (dossier / journal).mkdir(exist_ok=True)
            for fichier in (chemin, chemin.with_name(nom_du_jeton(chemin.name))):
                if fichier.exists():
                    fichier.rename(dossier / journal / fichier.name)
        except OSError as refus:
            raise _inaccessible(dossier, refus) from refus


def _raison(refus: OSError) -> str:
    return _RAISONS.get(errorcode.get(refus.errno or 0, ""), "il ne répond pas")


def _inaccessible(dossier: Path, refus: OSError) -> DossierDesAncresInaccessible:
    return DossierDesAncresInaccessible(dossier=dossier, raison=_raison(refus))


# --- The list ------------------------------------------------------------------------------------

#: What became of a file since it was written; ``non_notee``: no event says that it was.
Etat = Literal["presente", "absente", "differente", "non_ecrite", "non_notee", "inaccessible"]


@dataclass(frozen=True, slots=True)
class AncreListee:
    """An anchor, after the log and after the folder; ``position``: the event that notes it.

    Of a file that no event notes and that cannot be read, only the name is known.
    """

    nom: str
    taille: int | None
    racine: str | None
    instant: str | None
    cle: str | None
    position: int | None
    destinations: tuple[DestinationAncre, ...]
    etat: Etat


def lister(conn: psycopg.Connection[TupleRow], dossier: Path) -> list[AncreListee]:
    """Return every anchor that the log notes or that the folder holds, in the order of names."""
    notees = _notees(conn)
    try:
        fichiers = {chemin.name: chemin for chemin in _fichiers(dossier)}
    except DossierDesAncresInaccessible:
        return [_listee(*notee, "inaccessible") for notee in notees.values()]
    listees = [
        _listee(position, fait, _etat(fichiers.get(nom), fait))
        for nom, (position, fait) in notees.items()
    ]
    listees.extend(_non_notee(fichiers[nom]) for nom in fichiers.keys() - notees.keys())
    return sorted(listees, key=lambda listee: listee.nom)


def _notees(conn: psycopg.Connection[TupleRow]) -> dict[str, tuple[int, JournalAncre]]:
    """Return the event that notes each anchor, by the name of its file."""
    rows = conn.execute(
        """
        SELECT position, name, data::text, date_effet::text, motif, pieces::text FROM oi.event
        WHERE stream_id = %s AND name = %s ORDER BY position
        """,
        (REGISTRE_ID, REGISTRY.names[JournalAncre]),
    ).fetchall()
    return {nom_de_fichier(fait.taille): (position, fait) for position, fait in _decodes(rows)}


def taille_notee(conn: psycopg.Connection[TupleRow], position: int) -> int:
    """Return the size of the anchor that an event notes."""
    row = conn.execute(
        "SELECT (data ->> 'taille')::bigint FROM oi.event WHERE position = %s", (position,)
    ).fetchone()
    assert row is not None
    return int(row[0])


def _decodes(rows: list[TupleRow]) -> Iterator[tuple[int, JournalAncre]]:
    for position, *stored in rows:
        fait = REGISTRY.decode(*stored)
        assert isinstance(fait, JournalAncre)
        yield position, fait


def _listee(position: int, fait: JournalAncre, etat: Etat) -> AncreListee:
    return AncreListee(
        nom=nom_de_fichier(fait.taille),
        taille=fait.taille,
        racine=fait.racine,
        instant=fait.instant,
        cle=fait.cle,
        position=position,
        destinations=fait.destinations,
        etat=etat,
    )


def _etat(chemin: Path | None, fait: JournalAncre) -> Etat:
    if chemin is None:
        ecrite = any(d.nature == "fichier" and d.reussi for d in fait.destinations)
        return "absente" if ecrite else "non_ecrite"
    try:
        signe = _lire(chemin).signe
    except DossierDesAncresInaccessible:
        return "inaccessible"
    except AncreIllisible:
        return "differente"
    dit = (en_base64(signe.point.racine), ecrire_instant(signe.point.instant))
    meme = dit == (fait.racine, fait.instant) and signe.est_de(octets_de_cle(fait.cle))
    return "presente" if meme else "differente"


def _non_notee(chemin: Path) -> AncreListee:
    taille = racine = instant = None
    with suppress(AncreIllisible, DossierDesAncresInaccessible):
        point = _lire(chemin).point
        taille = point.taille
        racine, instant = en_base64(point.racine), ecrire_instant(point.instant)
    return AncreListee(
        nom=chemin.name,
        taille=taille,
        racine=racine,
        instant=instant,
        cle=None,
        position=None,
        destinations=(),
        etat="non_notee",
    )
