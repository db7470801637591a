"""A workbook as it was read: sheets of rows that keep their Excel numbers."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

Format = Literal["xlsx", "ods", "csv"]


@dataclass(frozen=True, slots=True)
class ErreurDeCellule:
    """What a spreadsheet shows in place of a value: ``#N/A``, or a formula never computed."""

    code: str


#: What a cell holds. A number is a float in a workbook: nothing counts with it before it is exact.
Valeur = str | float | int | bool | date | datetime | time | timedelta | ErreurDeCellule | None


@dataclass(frozen=True, slots=True)
class Feuille:
    """A sheet. ``lignes[0]`` is the row 1 of Excel; a row may be shorter than the others."""

    nom: str
    lignes: tuple[tuple[Valeur, ...], ...]
    masquee: bool = False
    #: Excel numbers of the rows that a person does not see.
    lignes_masquees: frozenset[int] = frozenset()
    #: Ranges of merged cells, as Excel writes them: ``B4:C4``.
    fusions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Classeur:
    """A file that was opened. ``empreinte`` is the SHA-256 of its bytes."""

    nom_fichier: str
    format: Format
    empreinte: str
    feuilles: tuple[Feuille, ...]

    def feuille(self, nom: str) -> Feuille | None:
        """Return the sheet of this name, however it is cased."""
        voulu = nom.casefold()
        return next((f for f in self.feuilles if f.nom.strip().casefold() == voulu), None)


@dataclass(frozen=True, slots=True)
class Limites:
    """What is accepted before anything is read. Ours, not a text's."""

    octets: int = 10 * 1024 * 1024
    #: Once uncompressed: a workbook of 20 000 rows and 25 columns weighs about 30 MB.
    octets_decompresses: int = 200 * 1024 * 1024
    #: Thousands of rows that look alike, saved as .ods, are compressed more than a hundred times.
    taux_de_compression: int = 300
    lignes: int = 20_000
    colonnes: int = 80
    feuilles: int = 30


LIMITES = Limites()
