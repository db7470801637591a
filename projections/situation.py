"""The two dates of every figure: what counts on a day, as it was known at a place in the log."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow

from oi_service.clock import PARIS

#: Largest bigint: no event is beyond.
_TOUT = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Situation:
    """Which events count: those known, and among them those that already have their effect.

    A correction recorded late changes what is known; the day on which it counts is its own.
    """

    effet_au: date | None = None  #: last day of effect that counts; ``None`` is no limit
    connu_le: int | None = None  #: last position that counts; ``None`` is the whole log

    @property
    def actuelle(self) -> bool:
        """Tell whether everything counts."""
        return self.effet_au is None and self.connu_le is None

    @property
    def parametres(self) -> dict[str, Any]:
        """The two bounds, as parameters of SQL: ``connu_le`` and ``effet_au``, both included."""
        return {
            "connu_le": _TOUT if self.connu_le is None else self.connu_le,
            "effet_au": date.max if self.effet_au is None else self.effet_au,
        }


ACTUELLE = Situation()


def situation(
    conn: Connection[TupleRow],
    effet_au: date | None = None,
    connu_le: int | date | datetime | None = None,
) -> Situation:
    """Return the situation of two dates.

    Args:
        conn: reads the log.
        effet_au: a Paris day, included.
        connu_le: a position of the log, an instant, or a Paris day: known when that day ended.
    """
    if connu_le is None or isinstance(connu_le, int):
        return Situation(effet_au, connu_le)
    if not isinstance(connu_le, datetime):
        # A day ends at midnight in Paris, whatever the season and the clock of the server.
        connu_le = datetime.combine(connu_le + timedelta(days=1), time(), PARIS) - _INSTANT
    row = conn.execute("SELECT oi.position_au(%s)", (connu_le,)).fetchone()
    assert row is not None
    return Situation(effet_au, row[0])


#: The smallest step of the clock of the database.
_INSTANT = timedelta(microseconds=1)
