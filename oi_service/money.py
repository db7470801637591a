"""Euros: whole cents inside, decimal strings at every door, exact fractions in between."""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

#: Two decimals, a point, no sign, no exponent; 13 digits of euros stay exact in JSON numbers too.
_DECIMAL_EUROS = re.compile(r"(0|[1-9][0-9]{0,12})\.([0-9]{2})")

Arrondi = Literal["demi_superieur", "troncature"]


def cents(euros: str) -> int:
    """Read euros written as ``"1234.56"``.

    Returns: whole cents, never negative.
    Raises: ValueError, with the French sentence shown to the person.
    """
    found = _DECIMAL_EUROS.fullmatch(euros)
    if found is None:
        raise ValueError(
            "un montant s’écrit en euros avec un point et deux décimales, sans signe, sans espace "
            'ni exposant, par exemple "1234.56"'
        )
    return int(found[1]) * 100 + int(found[2])


def euros(cents: int) -> str:
    """Write whole cents as the decimal string of the API: ``123456`` gives ``"1234.56"``."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def round_cents(exact: Fraction, mode: Arrondi = "demi_superieur") -> int:
    """Round an exact number of cents: the only rounding of money in the service.

    ``demi_superieur`` takes halves away from zero; ``troncature`` goes towards zero, so that a
    ceiling is never passed. Which one applies is a parameter of the subvention globale.
    """
    magnitude = abs(exact)
    whole = magnitude.numerator // magnitude.denominator
    if mode == "demi_superieur" and magnitude - whole >= Fraction(1, 2):
        whole += 1
    return whole if exact >= 0 else -whole


def ratio(part: int, total: int) -> Fraction | None:
    """Divide two amounts exactly; ``None`` when the denominator is zero (shown « n. d. »)."""
    return Fraction(part, total) if total else None


def percent(value: Fraction | None) -> str | None:
    """Show a ratio as a percentage with two decimals, half up: ``"95.56"``. For display only."""
    return None if value is None else euros(round_cents(value * 10_000))


def _read_amount(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError(  # noqa: TRY004 - pydantic turns ValueError into a refusal
            'un montant est une chaîne de caractères comme "1234.56", jamais un nombre JSON'
        )
    return cents(value)


#: An amount at a door: a decimal string outside, whole cents inside.
Montant = Annotated[
    int,
    BeforeValidator(_read_amount),
    PlainSerializer(euros, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(0|[1-9]\d{0,12})\.\d{2}$",
            "examples": ["1234.56"],
            "description": "Euros, deux décimales, chaîne de caractères.",
        }
    ),
]

#: An amount that the service computed: it may be negative (a correction, a reversal).
MontantSigne = Annotated[
    int,
    PlainSerializer(euros, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+\.\d{2}$", "examples": ["-12.30"]}),
]


def _read_difference(value: Any) -> int:
    if isinstance(value, str) and value.startswith("-") and value.strip("-0."):
        return -_read_amount(value[1:])
    return _read_amount(value)


#: An amount asked with its sign: what is added, or taken with a minus sign.
Difference = Annotated[
    int,
    BeforeValidator(_read_difference),
    PlainSerializer(euros, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^-?(0|[1-9]\d{0,12})\.\d{2}$",
            "examples": ["-1234.56"],
            "description": "Euros, deux décimales, précédés de « - » pour un retrait.",
        }
    ),
]


def read_rate(value: str | Decimal) -> Fraction:
    """Read a rate written as a decimal string (``"0.20"``) as an exact fraction."""
    return Fraction(str(value))
