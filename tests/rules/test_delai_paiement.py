"""The clock of a payment: what counts, what does not, and when to worry."""

from datetime import date, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rules.delai_paiement import Horloge, Interruption, delai_paiement, horloge

DEPOT = date(2022, 3, 1)


def jour(rang: int) -> date:
    """Return the day ``rang`` of the clock, as long as nothing interrupts it."""
    return DEPOT + timedelta(days=rang)


def lue(
    le: int, *interruptions: tuple[int, int | None], arret: int | None = None, delai: int = 80
) -> Horloge:
    """Read a clock whose days are counted from the deposit."""
    return horloge(
        DEPOT,
        [
            Interruption(du=jour(du), au=None if au is None else jour(au))
            for du, au in interruptions
        ],
        None if arret is None else jour(arret),
        delai,
        jour(le),
    )


def test_the_delay_is_that_of_the_regulation() -> None:
    assert delai_paiement(date(2019, 6, 3), "2014-2020") == 90
    assert delai_paiement(date(2023, 6, 3), "2021-2027") == 80


def test_the_day_of_deposit_is_day_zero() -> None:
    assert lue(0) == Horloge(jours_consommes=0, echeance=jour(80), interrompue=False, alerte=None)
    assert jour(80) == date(2022, 5, 20)
    assert lue(1).jours_consommes == 1


def test_nothing_counts_before_the_deposit() -> None:
    assert lue(-5).jours_consommes == 0


@pytest.mark.parametrize(
    ("le", "alerte"),
    [(39, None), (40, 50), (59, 50), (60, 75), (79, 75), (80, 100), (200, 100)],
)
def test_alerts_come_at_half_three_quarters_and_the_whole(le: int, alerte: int | None) -> None:
    assert lue(le).alerte == alerte


def test_alerts_follow_the_delay() -> None:
    assert [lue(le, delai=90).alerte for le in (44, 45, 67, 68, 89, 90)] == [
        None, 50, 50, 75, 75, 100
    ]  # fmt: skip


def test_interrupted_the_clock_stands_and_its_end_is_unknown() -> None:
    assert lue(30, (20, None)) == Horloge(
        jours_consommes=20, echeance=None, interrompue=True, alerte=None
    )
    assert lue(20, (20, None)).interrompue
    assert not lue(19, (20, None)).interrompue
    assert lue(19, (20, None)).echeance == jour(80)


def test_resumed_the_clock_goes_on_from_where_it_stood() -> None:
    assert lue(35, (20, 35)) == Horloge(
        jours_consommes=20, echeance=jour(95), interrompue=False, alerte=None
    )
    assert lue(36, (20, 35)).jours_consommes == 21
    assert lue(95, (20, 35)).alerte == 100
    # Seen from before the resumption, it is not known yet.
    assert lue(34, (20, 35)).interrompue


def test_several_interruptions_add_up_whatever_their_order() -> None:
    assert lue(60, (40, 50), (10, 15)) == lue(60, (10, 15), (40, 50))
    assert lue(60, (40, 50), (10, 15)).echeance == jour(95)
    assert lue(60, (40, 50), (10, 15)).jours_consommes == 45


def test_an_interruption_after_the_delay_does_not_give_it_back() -> None:
    late = lue(100, (90, None))
    assert (late.echeance, late.jours_consommes, late.alerte) == (jour(80), 90, 100)


def test_an_interruption_on_the_last_day_does_not_move_it() -> None:
    assert lue(100, (80, 95)).echeance == jour(80)
    assert lue(100, (79, 95)).echeance == jour(96)


def test_payment_stops_the_clock() -> None:
    assert lue(200, arret=50) == Horloge(
        jours_consommes=50, echeance=jour(80), interrompue=False, alerte=50
    )
    assert lue(49, arret=50).jours_consommes == 49
    assert lue(200, (60, None), arret=50).jours_consommes == 50


def test_paid_while_interrupted_the_clock_is_stopped_and_no_longer_interrupted() -> None:
    paid = lue(60, (20, None), arret=50)
    assert (paid.jours_consommes, paid.interrompue, paid.echeance) == (20, False, None)
    assert not lue(50, (20, None), arret=50).interrompue
    assert lue(49, (20, None), arret=50).interrompue


@given(
    pauses=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 40)), max_size=4),
    le=st.integers(0, 300),
    delai=st.integers(1, 120),
)
def test_days_counted_and_days_suspended_make_the_days_passed(
    pauses: list[tuple[int, int]], le: int, delai: int
) -> None:
    interruptions: list[tuple[int, int]] = []
    debut = 0
    for court, suspendu in pauses:
        debut += court
        interruptions.append((debut, debut + suspendu))
        debut += suspendu
    suspendus = sum(min(au, le) - du for du, au in interruptions if du < le)
    read = lue(le, *interruptions, delai=delai)
    assert read.jours_consommes == le - suspendus
    if read.echeance is not None and read.echeance <= jour(le):
        # Nothing that happened since moves a day that is past.
        rang = (read.echeance - DEPOT).days
        assert lue(rang, *interruptions, delai=delai).jours_consommes == delai
