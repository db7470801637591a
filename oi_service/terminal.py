"""How the terminal shows figures: a table of amounts that fits the width it has."""

from collections.abc import Callable, Iterable
from fractions import Fraction

from rich import box
from rich.table import Table

from api.filters import entier, euros
from oi_service.money import round_cents

#: Columns from which most tables are printed to the cent.
LARGE = 130


def tableau(titre: str, colonnes: Iterable[str]) -> Table:
    """Return a table of a name and some amounts; a name folds before an amount is cut."""
    made = Table(title=titre, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    made.add_column("")
    for colonne in colonnes:
        made.add_column(colonne, justify="right", no_wrap=True)
    return made


def ecriture(largeur: int, seuil: int = LARGE) -> tuple[Callable[[int], str], str]:
    """Return how amounts are written in a table of this width, and their unit.

    Euros and cents where there is room, thousands of euros otherwise.
    """
    return (euros, "euros") if largeur >= seuil else (_milliers, "milliers d’euros")


def _milliers(centimes: int) -> str:
    return entier(round_cents(Fraction(centimes, 100_000)))
