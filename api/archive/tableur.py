"""Tables that a French spreadsheet opens as they are: « ; », a mark of UTF-8, no formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from api.tableaux.formules import inerte
from oi_service.clock import PARIS
from oi_service.money import euros

Cellule = str | int | Decimal | date | datetime | None


class Montant(int):
    """Cents, written as euros."""

    __slots__ = ()


def table(entete: Sequence[str], lignes: Iterable[Sequence[Cellule]]) -> bytes:
    """Write a table."""
    sortie = io.StringIO(newline="")
    ecrivain = csv.writer(sortie, delimiter=";", lineterminator="\r\n")
    ecrivain.writerow(entete)
    ecrivain.writerows([cellule(c) for c in ligne] for ligne in lignes)
    return sortie.getvalue().encode("utf-8-sig")


def cellule(valeur: Cellule) -> str:
    """Write a cell: what is a number is one, what is a text never becomes a formula."""
    match valeur:
        case None:
            return ""
        case Montant():
            return euros(valeur).replace(".", ",")
        case int() | Decimal():
            return str(valeur).replace(".", ",")
        case datetime():
            return f"{valeur.astimezone(PARIS):%d/%m/%Y %H:%M:%S}"
        case date():
            return f"{valeur:%d/%m/%Y}"
        case str():
            return inerte(valeur)
