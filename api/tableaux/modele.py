"""What a table is, whoever shows it: columns, lines, and what its figures stand for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Literal

#: What the values of a column are: text, code (kept as it is, never a number), day, instant, whole
#: cents, whole number, ratio.
Genre = Literal["texte", "code", "jour", "instant", "euros", "nombre", "taux"]
Niveau = Literal["grave", "attention", "information", "bien"]
Valeur = str | int | date | datetime | Fraction | None


@dataclass(frozen=True, slots=True)
class Colonne:
    """A column; ``tri`` when the list can be sorted by it, under its own name."""

    nom: str
    libelle: str
    genre: Genre = "texte"
    aide: str | None = None
    tri: bool = False

    @property
    def montant(self) -> bool:
        """Tell whether its values are numbers, set to the right."""
        return self.genre in {"euros", "nombre", "taux"}


@dataclass(frozen=True, slots=True)
class Cellule:
    """A value; in a page it may lead somewhere, say more below, or stand out."""

    valeur: Valeur = None
    lien: str | None = None
    precision: str | None = None
    niveau: Niveau | None = None


@dataclass(frozen=True, slots=True)
class Ligne:
    """A line: a cell for each column that has something to say."""

    cellules: Mapping[str, Cellule]
    ancre: str | None = None


@dataclass(frozen=True, slots=True)
class Releve:
    """What figures stand for: the log they were read from, two dates, the filters asked."""

    position: int
    releve_le: datetime
    effet_au: date | None = None
    connu_le: str | None = None
    filtres: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Tableau:
    """A table. The first column names its lines. ``lignes`` may be read only once."""

    titre: str
    colonnes: tuple[Colonne, ...]
    lignes: Iterable[Ligne]
    total: Ligne | None = None
