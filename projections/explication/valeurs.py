"""The shape of an explanation: sections, lines, operands."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Operande:
    """A figure that a line reads; ``position``: the event that says it."""

    libelle: str
    valeur: str
    position: int | None = None


@dataclass(frozen=True, slots=True)
class LigneCalcul:
    """A line of the calculation, as a controller would write it; ``centimes``: what it comes to.

    ``retenue``: among ceilings, the one that decides.
    """

    code: str
    libelle: str
    calcul: str | None = None
    centimes: int | None = None
    valeur: str | None = None
    article: str | None = None
    operandes: tuple[Operande, ...] = ()
    retenue: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the calculation."""

    titre: str
    lignes: tuple[LigneCalcul, ...]


@dataclass(frozen=True, slots=True)
class Explication:
    """A control and its calculation, from the lines to what is to pay."""

    csf_id: UUID
    bilan_numero: int
    version: int
    version_regles: str
    valide_le: date
    position: int
    sections: tuple[Section, ...]
