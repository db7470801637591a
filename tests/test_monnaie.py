"""Euros and days: exact there and back, one rounding, nothing malformed gets in."""

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest
from dsl import lisible
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from oi_service import clock
from oi_service.dates import Jour, Periode, add_months
from oi_service.errors import RuleBroken, french_euros
from oi_service.ids import convention_of, new_id
from oi_service.money import (
    Montant,
    MontantSigne,
    cents,
    euros,
    percent,
    ratio,
    read_rate,
    round_cents,
)

MONTANT: TypeAdapter[int] = TypeAdapter(Montant)
JOUR: TypeAdapter[date] = TypeAdapter(Jour)
CENTIMES = st.integers(0, 10**15 - 1)
SIGNES = st.integers(-(10**15), 10**15)


@given(CENTIMES)
def test_cents_and_euros_there_and_back(centimes: int) -> None:
    assert cents(euros(centimes)) == centimes
    assert MONTANT.validate_python(euros(centimes)) == centimes
    assert MONTANT.dump_python(centimes) == euros(centimes)


@given(SIGNES)
def test_a_signed_amount_is_written_exactly(centimes: int) -> None:
    assert Decimal(TypeAdapter(MontantSigne).dump_python(centimes)) * 100 == centimes


@given(st.text() | st.decimals().map(str) | st.floats().map(str) | st.from_regex(r"-?\d*\.?\d*"))
def test_whatever_is_read_was_written_by_us(text: str) -> None:
    try:
        centimes = cents(text)
    except ValueError:
        return
    assert euros(centimes) == text
    assert centimes >= 0


@given(st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.just("1.00")))
def test_only_a_string_is_an_amount(value: object) -> None:
    with pytest.raises(ValidationError):
        MONTANT.validate_python(value)


@given(st.fractions(min_value=-(10**12), max_value=10**12))
def test_rounding_agrees_with_the_decimal_library(exact: Fraction) -> None:
    # The library divides with 60 digits: enough to be on the right side of a half here.
    decimal = Decimal(exact.numerator) / Decimal(exact.denominator)
    if exact.denominator < 10**9:
        assert round_cents(exact) == int(decimal.quantize(Decimal(1), ROUND_HALF_UP))
        assert round_cents(exact, "troncature") == int(decimal.quantize(Decimal(1), ROUND_DOWN))
    assert abs(exact - round_cents(exact)) <= Fraction(1, 2)
    assert 0 <= abs(exact) - abs(round_cents(exact, "troncature")) < 1


@pytest.mark.parametrize(
    ("exact", "half_up", "truncated"),
    [("1/2", 1, 0), ("-1/2", -1, 0), ("3/2", 2, 1), ("5/2", 3, 2), ("49/100", 0, 0), ("7", 7, 7)],
)
def test_halves_go_away_from_zero(exact: str, half_up: int, truncated: int) -> None:
    assert round_cents(Fraction(exact)) == half_up
    assert round_cents(Fraction(exact), "troncature") == truncated


def test_the_rate_displayed_is_never_the_rate_applied() -> None:
    # 50 000,00 of 83 000,00 on 80 000,00: the exact rate and the displayed 60,24 % part.
    exact = Fraction(50_000_00, 83_000_00)
    assert round_cents(exact * 80_000_00) == 48_192_77
    assert round_cents(exact * 80_000_00, "troncature") == 48_192_77
    assert percent(exact) == "60.24"
    assert round_cents(read_rate("0.6024") * 80_000_00) == 48_192_00


def test_a_ratio_over_nothing_is_not_a_number() -> None:
    assert ratio(1, 0) is None
    assert percent(None) is None
    assert percent(ratio(1, 3)) == "33.33"
    assert percent(ratio(2, 3)) == "66.67"


@pytest.mark.parametrize(
    ("centimes", "text"),
    [
        (0, "0,00 €"),
        (5, "0,05 €"),
        (-5, "−0,05 €"),
        (123456789, "1 234 567,89 €"),
        (100_00, "100,00 €"),
        (-123456, "−1 234,56 €"),
    ],
)
def test_euros_for_a_french_reader(centimes: int, text: str) -> None:
    assert lisible(french_euros(centimes)) == text


def test_a_refusal_is_a_sentence_with_its_figures() -> None:
    class Depasse(RuleBroken):
        """Le {jour} : {montant:euros} de trop sur
        {qui}.
        """

    refused = Depasse(jour=date(2022, 1, 1), montant=1, qui="PLIE A")
    assert lisible(refused) == "Le 01/01/2022 : 0,01 € de trop sur PLIE A."
    assert refused.details == {"jour": date(2022, 1, 1), "montant": 1, "qui": "PLIE A"}
    assert Depasse.code() == "depasse"


DAYS = st.dates(date(1900, 1, 1), date(2200, 12, 31))


@given(st.dates(date(1950, 1, 1), date(2150, 12, 31)))
def test_days_there_and_back(day: date) -> None:
    assert JOUR.validate_python(day.isoformat()) == day


@given(st.text() | st.from_regex(r"\d{4}-\d{2}-\d{2}", fullmatch=True))
def test_a_day_that_is_read_exists(text: str) -> None:
    try:
        day = JOUR.validate_python(text)
    except ValidationError:
        return
    assert day.isoformat() == text


@given(DAYS, DAYS, DAYS)
def test_a_period_holds_both_its_ends(a: date, b: date, jour: date) -> None:
    periode = Periode(debut=min(a, b), fin=max(a, b))
    assert periode.contient(periode.debut)
    assert periode.contient(periode.fin)
    assert not periode.contient(periode.fin + timedelta(days=1))
    assert periode.inclut(periode)
    one_day = Periode(debut=jour, fin=jour)
    assert periode.inclut(one_day) == periode.contient(jour)


@given(DAYS, st.integers(-120, 120))
def test_months_keep_the_day_or_the_last_of_the_month(day: date, months: int) -> None:
    moved = add_months(day, months)
    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day == day.day or (moved.day < day.day and (moved + timedelta(days=1)).day == 1)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2021, 12, 31, 22, 59, 59, tzinfo=UTC), date(2021, 12, 31)),
        (datetime(2021, 12, 31, 23, 0, tzinfo=UTC), date(2022, 1, 1)),
        (datetime(2022, 6, 30, 21, 59, 59, tzinfo=UTC), date(2022, 6, 30)),
        (datetime(2022, 6, 30, 22, 0, tzinfo=UTC), date(2022, 7, 1)),
    ],
)
def test_the_day_of_an_instant_is_the_day_of_paris(instant: datetime, day: date) -> None:
    assert clock.jour(instant) == day


def test_the_clock_says_utc_and_today_is_of_paris() -> None:
    assert clock.now().utcoffset() == timedelta(0)
    before = clock.jour(clock.now())
    assert before <= clock.today() <= clock.jour(clock.now())


def test_one_operation_has_one_convention() -> None:
    operation: Any = new_id()
    assert convention_of(operation) == convention_of(operation) != convention_of(new_id())
