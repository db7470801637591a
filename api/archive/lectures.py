"""The folder ``lecture/`` of an archive."""

import re
from collections.abc import Iterator
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from api.archive.dossier import EcrireFiche, fichiers, lire
from api.archive.maquette import maquette
from oi_service.preuve.archive.composer import Lectures, Progres
from oi_service.preuve.archive.demande import Demande

DOSSIER = "lecture"
_INTERDIT = re.compile(r"[^A-Za-z0-9_-]")


def lectures(ecrire_fiche: EcrireFiche) -> Lectures:
    """Return what writes the folder, given how the JSON door writes a dossier."""

    def ecrire(
        conn: Connection[TupleRow], demande: Demande, progres: Progres
    ) -> Iterator[tuple[str, bytes]]:
        if demande.portee != "dossier":
            yield (
                f"{DOSSIER}/maquette.csv",
                maquette(conn, demande.perimetre, demande.situation),
            )
        total = len(demande.dossiers)
        for fait, (nom, dossier) in enumerate(_nommes(demande)):
            progres("Lecture des dossiers", fait, total)
            for fichier, contenu in fichiers(lire(conn, dossier, demande.situation), ecrire_fiche):
                yield f"{DOSSIER}/{nom}/{fichier}", contenu
        progres("Lecture des dossiers", total, total)

    return ecrire


def _nommes(demande: Demande) -> Iterator[tuple[str, UUID]]:
    """Name a folder for each dossier, that every system can make; two never share one."""
    pris: set[str] = set()
    for dossier in demande.dossiers:
        nom = _INTERDIT.sub("_", dossier.numero)
        if nom.casefold() in pris:
            nom = f"{nom}_{dossier.id}"
        pris.add(nom.casefold())
        yield nom, dossier.id
