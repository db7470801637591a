"""The only place that reads the clock."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


def now() -> datetime:
    """Return the instant, UTC."""
    return datetime.now(UTC)  # noqa: TID251 - here and nowhere else


def jour(instant: datetime) -> date:
    """Return the Paris calendar day of an instant."""
    return instant.astimezone(PARIS).date()


def today() -> date:
    """Return today's day in Paris."""
    return jour(now())
