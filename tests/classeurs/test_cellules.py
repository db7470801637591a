"""What a cell shows becomes an exact value, or a refusal: never something else."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.classeurs.cellules import CelluleRefusee, jour, montant, montrer, nombre, texte
from oi_service.errors import french_euros
from oi_service.money import euros

CENTS = st.integers(min_value=-999_999_999_999_999, max_value=999_999_999_999_999)


@given(CENTS)
def test_a_number_of_a_workbook_gives_its_cents(centimes: int) -> None:
    assert montant(centimes / 100) == euros(centimes)


@given(CENTS)
def test_an_amount_as_people_write_it_gives_its_cents(centimes: int) -> None:
    assert montant(french_euros(centimes)) == euros(centimes)
    assert montant(euros(centimes).replace(".", ",")) == euros(centimes)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_number_is_exact_to_fifteen_digits_or_refused(valeur: float) -> None:
    try:
        lu = montant(valeur)
    except CelluleRefusee:
        return
    assert Decimal(lu) == Decimal(f"{valeur:.15g}")


@given(st.text(alphabet="0123456789 ,.-€\u00a0\u202f", max_size=18))
def test_a_text_is_never_read_in_two_ways(ecrit: str) -> None:
    """What is accepted keeps every digit that was written, in the same order."""
    try:
        lu = montant(ecrit)
    except CelluleRefusee:
        return
    chiffres = "".join(c for c in ecrit if c.isdigit())
    entier, _, decimales = lu.lstrip("-").partition(".")
    assert (entier + decimales).strip("0") == chiffres.strip("0")


@given(st.dates(min_value=date(1950, 1, 1), max_value=date(2150, 12, 31)))
def test_a_day_is_the_same_however_it_is_written(le: date) -> None:
    instant = datetime(le.year, le.month, le.day, 10, 30)  # noqa: DTZ001
    assert {jour(le), jour(instant), jour(f"{le:%d/%m/%Y}"), jour(le.isoformat())} == {le}


@given(st.text(max_size=30))
def test_no_text_makes_a_cell_fail_otherwise_than_by_a_refusal(ecrit: str) -> None:
    for lire in (montant, nombre, jour, texte):
        refus = _refus(lire, ecrit)
        if refus is not None:
            assert refus.message.endswith(".")
            assert refus.remede.endswith(".")


def _refus(lire: Callable[[str], object], ecrit: str) -> CelluleRefusee | None:
    try:
        lire(ecrit)
    except CelluleRefusee as refus:
        return refus
    return None


@pytest.mark.parametrize(
    ("valeur", "lu"), [(20210317.0, "20210317"), ("e\u0301te\u0301 ", "été"), (12.5, "12,5")]
)
def test_a_reference_is_kept_as_it_reads(valeur: str | float, lu: str) -> None:
    assert texte(valeur) == lu


def test_what_a_cell_shows_is_said_in_french() -> None:
    assert [montrer(v) for v in (None, True, 1234.5, date(2021, 3, 1))] == [
        "",
        "VRAI",
        "1234,5",
        "01/03/2021",
    ]
