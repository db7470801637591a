"""A table as a file to keep, in the format that was asked."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Literal
from urllib.parse import urlencode

from api.tableaux import classeur, texte
from api.tableaux.modele import Releve, Tableau
from api.web import Envoi, telechargement
from oi_service.clock import jour

Format = Literal["xlsx", "csv", "rfc4180"]

#: Bytes of a file that are kept in memory; the disk takes the rest.
_EN_MEMOIRE = 2**20
_MORCEAU = 2**16


@dataclass(frozen=True, slots=True)
class _Dialecte:
    """A format: what it is called, and how it is written."""

    libelle: str
    extension: str
    media: str
    ecrire: Callable[[Tableau, Releve, IO[bytes]], None]


_DIALECTES: Mapping[Format, _Dialecte] = {
    "xlsx": _Dialecte(
        "Excel (.xlsx)",
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        classeur.ecrire,
    ),
    "csv": _Dialecte(
        "CSV pour Excel français",
        "csv",
        "text/csv; charset=utf-8; header=present",
        lambda tableau, _releve, sortie: texte.ecrire_francais(tableau, sortie),
    ),
    "rfc4180": _Dialecte(
        "CSV pour programmes",
        "csv",
        "text/csv; charset=utf-8; header=present",
        lambda tableau, _releve, sortie: texte.ecrire_rfc4180(tableau, sortie),
    ),
}


def repondre(
    tableau: Tableau,
    releve: Releve,
    format: Format,  # noqa: A002 - what people call it
    nom_de_fichier: str,
) -> Envoi:
    """Answer a table as a file.

    The file is whole before its first byte leaves: what goes wrong on the way is an error, and
    never a file that stops in the middle and looks like a shorter list.

    Args:
        tableau: what to write; its lines are read here, once.
        releve: what its figures stand for.
        format: what to write it in.
        nom_de_fichier: the name of the file without its extension; its situation is added to it.
    """
    dialecte = _DIALECTES[format]
    fichier = SpooledTemporaryFile(max_size=_EN_MEMOIRE)  # noqa: SIM115 - `Envoi` closes it
    try:
        dialecte.ecrire(tableau, releve, fichier)
    except BaseException:
        fichier.close()
        raise
    octets = fichier.tell()
    nom = f"{nom_de_fichier}-{_date(releve)}-n{releve.position}.{dialecte.extension}"
    entetes = {"Content-Length": str(octets), **telechargement(nom)}
    return Envoi(fichier, _morceaux(fichier), dialecte.media, entetes)


def liens(adresse: str, requete: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return the files of a list, for the macro `fichiers`: what each is called, and its address.

    ``requete``: the filters and the two dates of what is shown; what is empty is left out.
    """
    dits = {nom: str(valeur) for nom, valeur in requete.items() if valeur not in (None, "")}
    return [
        (dialecte.libelle, f"{adresse}?{urlencode({**dits, 'format': format_})}")
        for format_, dialecte in _DIALECTES.items()
    ]


def _date(releve: Releve) -> str:
    return f"{releve.effet_au or jour(releve.releve_le):%Y-%m-%d}"


def _morceaux(fichier: IO[bytes]) -> Iterator[bytes]:
    fichier.seek(0)
    while lu := fichier.read(_MORCEAU):
        yield lu
