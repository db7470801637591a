"""A table as text: one dialect for French Excel, one for programs (RFC 4180)."""

import csv
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from fractions import Fraction
from io import TextIOWrapper
from typing import IO

from api.tableaux.formules import inerte
from api.tableaux.modele import Cellule, Colonne, Genre, Tableau, Valeur
from oi_service.clock import PARIS
from oi_service.money import euros, percent


def ecrire_francais(tableau: Tableau, sortie: IO[bytes]) -> None:
    """Write what French Excel opens at once: « ; », commas, days as they are said, a mark of UTF-8.

    No total: whoever opens it adds up, or sorts.
    """
    entete = [f"{c.libelle} (%)" if c.genre == "taux" else c.libelle for c in tableau.colonnes]
    _ecrire(tableau, sortie, "utf-8-sig", ";", entete, _en_francais)


def ecrire_rfc4180(tableau: Tableau, sortie: IO[bytes]) -> None:
    """Write what programs read: « , », points, ISO days, columns under names that do not change."""
    _ecrire(tableau, sortie, "utf-8", ",", [c.nom for c in tableau.colonnes], _pour_programme)


def _ecrire(
    tableau: Tableau,
    sortie: IO[bytes],
    codage: str,
    separateur: str,
    entete: Iterable[str],
    dire: Callable[[Genre, Valeur], str],
) -> None:
    texte = TextIOWrapper(sortie, encoding=codage, newline="", write_through=False)
    ecrivain = csv.writer(texte, delimiter=separateur, lineterminator="\r\n")
    ecrivain.writerow(inerte(nom) for nom in entete)
    for ligne in tableau.lignes:
        ecrivain.writerow(
            _cellule(c, ligne.cellules.get(c.nom, _VIDE), dire) for c in tableau.colonnes
        )
    texte.flush()
    texte.detach()


_VIDE = Cellule()


def _cellule(colonne: Colonne, cellule: Cellule, dire: Callable[[Genre, Valeur], str]) -> str:
    valeur = cellule.valeur
    return inerte(valeur) if isinstance(valeur, str) else dire(colonne.genre, valeur)


def _en_francais(genre: Genre, valeur: Valeur) -> str:
    match valeur:
        case datetime():
            return f"{valeur.astimezone(PARIS):%d/%m/%Y %H:%M:%S}"
        case date():
            return f"{valeur:%d/%m/%Y}"
        case _:
            return _nombre(genre, valeur).replace(".", ",")


def _pour_programme(genre: Genre, valeur: Valeur) -> str:
    match valeur:
        case datetime():
            return f"{valeur.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        case date():
            return valeur.isoformat()
        case _:
            return _nombre(genre, valeur)


def _nombre(genre: Genre, valeur: Valeur) -> str:
    match valeur:
        case None:
            return ""
        case Fraction():
            return percent(valeur) or ""
        case int() if genre == "euros":
            return euros(valeur)
        case _:
            return str(valeur)
