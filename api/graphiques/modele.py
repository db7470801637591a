"""What a chart is on a page: a sentence that concludes, a picture, and the table behind it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from babel.dates import format_date
from babel.numbers import format_decimal
from markupsafe import Markup

from api.tableaux import Tableau
from oi_service.money import round_cents

#: Colours of app.css, for shapes that a specification names.
MARINE = "#0b3a66"
BLEU = "#2a74b8"
CIEL = "#8cbbe3"
BRUME = "#cfe1f2"
ROUGE = "#a8201a"
ENCRE = "#17263c"
ENCRE_DOUCE = "#526074"
FILET = "#64748b"

_MILLION = 100_000_000
_MILLIER = 100_000


@dataclass(frozen=True, slots=True)
class Graphique:
    """A chart. ``conclusion`` is its title, ``legende`` says what is drawn."""

    nom: str
    conclusion: str
    legende: str
    svg: Markup
    tableau: Tableau


@dataclass(frozen=True, slots=True)
class Echelle:
    """In what amounts of a chart are written: millions, or thousands when they are small."""

    diviseur: int
    unite: str
    decimales: int  #: of its axis

    @property
    def graduation(self) -> str:
        """How the renderer writes a graduation, from cents."""
        return (
            f"format(datum.value / {self.diviseur}, ',.{self.decimales}f') + '\u00a0{self.unite}'"
        )

    def nombre(self, centimes: int) -> str:
        """Write an amount without its unit, two decimals in millions, none in thousands."""
        decimales = 2 if self.diviseur == _MILLION else 0
        unites = round_cents(Fraction(centimes * 10**decimales, self.diviseur))
        motif = "#,##0.00" if decimales else "#,##0"
        texte = format_decimal(Decimal(unites).scaleb(-decimales), motif, locale="fr_FR")
        return str(texte).replace("\u202f", "\u00a0").replace("-", "\u2212")

    def montant(self, centimes: int) -> str:
        """Write an amount with its unit."""
        return f"{self.nombre(centimes)}\u00a0{self.unite}"


def echelle(plus_grand: int) -> Echelle:
    """Return in what to write amounts up to this one, in cents."""
    if plus_grand >= 10 * _MILLION:
        return Echelle(_MILLION, "M€", 0)
    if plus_grand >= _MILLION:
        return Echelle(_MILLION, "M€", 1)
    return Echelle(_MILLIER, "k€", 0)


def jour_long(jour: date) -> str:
    """Write a day in words: ``31 décembre 2026``."""
    premier = "1er" if jour.day == 1 else str(jour.day)
    return f"{premier}\u00a0{format_date(jour, 'MMMM yyyy', locale='fr_FR')}"
