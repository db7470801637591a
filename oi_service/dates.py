"""Days and periods of the law: Paris calendar days, both ends included."""

import calendar
import re
from datetime import date
from typing import Annotated, Any, Self

import msgspec
from pydantic import BeforeValidator, WithJsonSchema

_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: A year outside is a typing error; and no deadline counted from a day leaves the calendar.
_ANNEES = range(1950, 2151)


class Periode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A period with both ends, as conventions write it."""

    debut: date
    fin: date

    def contient(self, jour: date) -> bool:
        """Tell whether a day is inside, both ends included."""
        return self.debut <= jour <= self.fin

    def inclut(self, autre: Self) -> bool:
        """Tell whether another period lies wholly inside."""
        return self.debut <= autre.debut and autre.fin <= self.fin


def add_months(day: date, months: int) -> date:
    """Add calendar months; the last day of a shorter month when the day does not exist there."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month0 + 1)[1]
    return date(year, month0 + 1, min(day.day, last))


def trimestre(day: date) -> tuple[int, int]:
    """Return the year and the quarter of a day, the quarter from 1 to 4."""
    return day.year, (day.month + 2) // 3


def fin_de_trimestre(annee: int, numero: int) -> date:
    """Return the last day of a quarter."""
    mois = 3 * numero
    return date(annee, mois, calendar.monthrange(annee, mois)[1])


def _read_day(value: Any) -> date:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _ISO_DAY.fullmatch(value):
        raise ValueError('une date s’écrit AAAA-MM-JJ, par exemple "2021-12-31"')
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"le jour {value} n’existe pas dans le calendrier") from None
    if day.year not in _ANNEES:
        raise ValueError(f"une date est comprise entre {_ANNEES.start} et {_ANNEES.stop - 1}")
    return day


#: A day at a door: an ISO string, nothing else.
Jour = Annotated[
    date,
    BeforeValidator(_read_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2021-12-31"]}),
]
