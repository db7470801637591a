"""What a person reads: amounts, percentages, days and instants, written the French way.

Babel groups thousands with U+202F, which is too thin to be seen in Source Sans 3, and
writes negative amounts with a hyphen, which looks like a dash: U+00A0 and U+2212 instead.
"""

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal

from oi_service.clock import PARIS
from oi_service.money import percent, round_cents

_LOCALE = "fr_FR"
_ABSENT = "n.\u00a0d."
#: A page writes hundreds of amounts, which are those of the page before: each is written once.
_ecrit_une_fois = lru_cache(maxsize=1 << 15)


@_ecrit_une_fois
def euros(cents: int) -> str:
    """Write an amount to the cent: ``123456`` gives ``1 234,56 €``."""
    return _legible(format_currency(Decimal(cents).scaleb(-2), "EUR", locale=_LOCALE))


@_ecrit_une_fois
def euros_ronds(cents: int) -> str:
    """Write an amount to the euro, half up, for dense tables; the exact one is never far."""
    whole = round_cents(Fraction(cents, 100))
    return _legible(
        format_currency(whole, "EUR", format="#,##0\u00a0¤", locale=_LOCALE, currency_digits=False)
    )


@_ecrit_une_fois
def entier_euros(cents: int) -> str:
    """Write an amount to the euro without its sign, where the column already says euros."""
    return entier(round_cents(Fraction(cents, 100)))


@_ecrit_une_fois
def millions(cents: int) -> str:
    """Write an amount in millions with two decimals, half up: ``31,40 M€``."""
    value = Decimal(cents).scaleb(-8).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return _legible(f"{format_decimal(value, '#,##0.00', locale=_LOCALE)}\u00a0M€")


@_ecrit_une_fois
def pourcent(value: Fraction | None) -> str:
    """Write a ratio with one decimal, half up; « n. d. » without denominator, never clipped."""
    if value is None:
        return _ABSENT
    tenths = Decimal(round_cents(value * 1000)).scaleb(-1)
    return _legible(f"{format_decimal(tenths, '#,##0.0', locale=_LOCALE)}\u00a0%")


def largeur(value: Fraction) -> str:
    """Write a ratio as an SVG length, ``95.56%``: a drawing, not a text."""
    return f"{percent(value)}%"


@_ecrit_une_fois
def jour(day: date) -> str:
    """Write a day: ``22/11/2026``."""
    return format_date(day, "dd/MM/yyyy", locale=_LOCALE)


def instant(moment: datetime) -> str:
    """Write an instant in Paris: ``22/11/2026 à 14:05``; a naive one is a bug."""
    if moment.tzinfo is None:
        raise ValueError("an instant without a time zone")
    return format_datetime(moment.astimezone(PARIS), "dd/MM/yyyy 'à' HH:mm", locale=_LOCALE)


@_ecrit_une_fois
def entier(number: int) -> str:
    """Write a whole number: ``18 442``."""
    return _legible(format_decimal(number, locale=_LOCALE))


def insecable(text: str) -> str:
    """Keep French punctuation on the line of its word."""
    return re.sub(r" (?=[:;?!%€»])|(?<=«) ", "\u00a0", text)


def _legible(text: str) -> str:
    return text.replace("\u202f", "\u00a0").replace("-", "\u2212")


FILTRES = {
    f.__name__: f
    for f in (
        euros,
        euros_ronds,
        entier_euros,
        millions,
        pourcent,
        largeur,
        jour,
        instant,
        entier,
        insecable,
    )
}
