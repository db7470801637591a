"""How the page of a dossier writes: words that lead to a fact, rates, numbers, names."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from api.filters import insecable
from oi_service.money import percent
from projections.journal import EvenementLu
from rules.nomenclature import POSTES

_ABSENT = "n.\u00a0d."


@dataclass(frozen=True, slots=True)
class Lien:
    """Words that lead somewhere on the page, with a day when they tell an act."""

    libelle: str
    lien: str | None
    le: date | None = None


def ancre(position: int) -> str:
    """Return the name of the line of a fact in the history of its dossier."""
    return f"evenement-{position}"


def lien(lu: EvenementLu, libelle: str | None = None) -> Lien:
    """Lead to a fact, by its sentence or by shorter words."""
    return Lien(libelle or phrase(lu.phrase), f"#{ancre(lu.position)}", lu.date_effet)


def phrase(text: str) -> str:
    """Keep amounts, numbers and punctuation whole; the thin space is too thin to be seen."""
    glued = text.replace("\u202f", "\u00a0").replace("n° ", "n°\u00a0").replace("− ", "−\u00a0")
    return insecable(glued)


def majuscule(text: str) -> str:
    """Begin with a capital letter, and leave the rest as it is."""
    return text[:1].upper() + text[1:]


def taux(value: Fraction | None) -> str:
    """Write a rate with the two decimals that conventions print."""
    shown = percent(value)
    return _ABSENT if shown is None else f"{shown.replace('.', ',')}\u00a0%"


def nombre(value: Decimal) -> str:
    """Write a decimal number with a comma, without zeros that say nothing."""
    return f"{value.normalize():f}".replace(".", ",")


def siret(number: str) -> str:
    """Write a SIRET as people read it aloud: ``732 829 320 00074``."""
    return "\u00a0".join((number[:3], number[3:6], number[6:9], number[9:]))


def poste(code: str) -> str:
    """Name a poste; one that only its convention knows is named by its code."""
    return POSTES.get(code, majuscule(code.replace("_", " ")))
