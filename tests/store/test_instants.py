"""When something was known: days end at midnight in Paris, and instants lead to positions."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4  # noqa: TID251 - streams that nothing derives

import psycopg
import pytest
from deux_dates import exemples
from fabrique import euros
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Connection
from vie import Vie

from oi_service.application import Service
from oi_service.clock import PARIS
from projections.maquette import charger
from projections.perimetre import OI_ENTIER
from projections.situation import situation


def utc(texte: str) -> datetime:
    return datetime.fromisoformat(texte).replace(tzinfo=UTC)


@pytest.fixture
def conn(base: str) -> Iterator[Connection[Any]]:
    with psycopg.connect(base, autocommit=True) as conn:
        yield conn


def dater(conn: Connection[Any], instants: list[datetime]) -> None:
    """Write as many events, known at these instants: the owner can, where nothing is yet."""
    with conn.transaction():
        conn.cursor().executemany(
            """
            INSERT INTO oi.event (
                position, stream_id, version, event_id, name, data, date_effet, enregistre_le,
                acteur, role, oi_id, reglement, command_id, correlation_id, seal
            ) VALUES (
                %s, %s, 1, gen_random_uuid(), 'essai.compte.v1', '{}', '2020-01-01', %s,
                'gestionnaire-1', 'gestionnaire_oi', 'oi-fictif', '2014-2020',
                gen_random_uuid(), gen_random_uuid(), decode(repeat('00', 32), 'hex'))
            """,
            [(rang, uuid4(), instant) for rang, instant in enumerate(instants, 1)],
        )
        conn.execute("UPDATE oi.head SET position = %s", (len(instants),))


def regler(conn: Connection[Any], instant: datetime) -> None:
    """Set the clock of the append function of this base: nobody else's moves."""
    conn.execute("CREATE TABLE IF NOT EXISTS public.horloge (instant timestamptz NOT NULL)")
    conn.execute("TRUNCATE public.horloge")
    conn.execute("INSERT INTO public.horloge VALUES (%s)", (instant,))
    row = conn.execute("SELECT pg_get_functiondef('oi.append'::regproc)").fetchone()
    assert row is not None
    if "public.horloge" not in row[0]:
        assert row[0].count("clock_timestamp()") == 1
        ailleurs = "(SELECT o.instant FROM public.horloge AS o)"
        conn.execute(row[0].replace("clock_timestamp()", ailleurs))


#: Midnight in Paris: of the new year, in winter; in summer; on the two days when the hour changes.
MINUITS = (
    (date(2021, 12, 31), "2021-12-31T23:00:00"),
    (date(2022, 7, 31), "2022-07-31T22:00:00"),
    (date(2022, 3, 26), "2022-03-26T23:00:00"),
    (date(2022, 3, 27), "2022-03-27T22:00:00"),
    (date(2022, 10, 29), "2022-10-29T22:00:00"),
    (date(2022, 10, 30), "2022-10-30T23:00:00"),
)


@pytest.mark.parametrize(("jour", "minuit"), MINUITS)
@pytest.mark.parametrize("fuseau", ["UTC", "Pacific/Kiritimati"])
def test_a_day_ends_at_midnight_in_paris(
    conn: Connection[Any], jour: date, minuit: str, fuseau: str
) -> None:
    conn.execute("SELECT set_config('timezone', %s, false)", (fuseau,))
    fin, step = utc(minuit), timedelta(microseconds=1)
    demi_heure = timedelta(minutes=30)
    dater(conn, [fin - demi_heure, fin - step, fin, fin + demi_heure])
    assert situation(conn, connu_le=jour).connu_le == 2
    assert situation(conn, connu_le=jour + timedelta(days=1)).connu_le == 4
    assert situation(conn, connu_le=jour - timedelta(days=1)).connu_le == 0
    assert situation(conn, connu_le=fin).connu_le == 3
    assert situation(conn, connu_le=fin.astimezone(PARIS)).connu_le == 3
    assert situation(conn, connu_le=fin - step).connu_le == 2


def test_what_is_recorded_after_midnight_in_paris_is_of_the_new_year(
    service: Service, conn: Connection[Any]
) -> None:
    vie = Vie(service)
    regler(conn, utc("2021-12-31T10:00:00"))
    vie.subvention()
    vie.tranche("300000.00", "300000.00")
    vie.enveloppe("A", "100000.00")
    # 00:30 on 1 January in Paris, still December in UTC; it counts from 31 December.
    regler(conn, utc("2021-12-31T23:30:00"))
    vie.enveloppe("B", "50000.00", le=date(2021, 12, 31))

    def alloue(effet_au: date, connu_le: date) -> int:
        found = charger(
            conn, OI_ENTIER, situation=situation(conn, effet_au=effet_au, connu_le=connu_le)
        )
        assert found is not None
        return sum(c.fse_maquette for p, _, c in found.par_plie() if p in {"A", "B"})

    ancienne, nouvelle = date(2021, 12, 31), date(2022, 1, 1)
    assert alloue(ancienne, ancienne) == euros(100_000)
    assert alloue(nouvelle, ancienne) == euros(100_000)
    assert alloue(ancienne, nouvelle) == euros(150_000)
    assert alloue(date(2021, 12, 30), nouvelle) == euros(100_000)


def test_a_clock_that_goes_back_does_not_take_the_log_with_it(
    service: Service, conn: Connection[Any]
) -> None:
    vie = Vie(service)
    tard, tot = utc("2022-01-01T10:00:00"), utc("2021-12-31T10:00:00")
    regler(conn, tard)
    vie.subvention()
    regler(conn, tot)
    vie.tranche("300000.00")
    rows = conn.execute("SELECT enregistre_le FROM oi.event ORDER BY position").fetchall()
    assert rows == [(tard,), (tard,)]
    assert situation(conn, connu_le=date(2021, 12, 31)).connu_le == 0
    assert situation(conn, connu_le=date(2022, 1, 1)).connu_le == 2


DEPUIS = utc("2022-01-01T00:00:00")


def test_an_instant_leads_to_what_was_known_by_then(conn: Connection[Any]) -> None:
    @settings(deadline=None, max_examples=exemples(60), database=None)
    @given(
        st.lists(st.integers(0, 30), max_size=40),
        st.lists(st.integers(-2, 40), min_size=1, max_size=8),
    )
    def property_holds(ecarts: list[int], demandes: list[int]) -> None:
        # Several events of one instant in a row: a command has only one.
        instants = [DEPUIS + timedelta(microseconds=e // 3) for e in sorted(ecarts)]
        with conn.transaction(force_rollback=True):
            dater(conn, instants)
            for demande in demandes:
                instant = DEPUIS + timedelta(microseconds=demande)
                naif = sum(connu <= instant for connu in instants)
                ailleurs = instant.astimezone(timezone(timedelta(hours=14)))
                assert situation(conn, connu_le=instant).connu_le == naif
                assert situation(conn, connu_le=ailleurs).connu_le == naif

    property_holds()


def test_of_an_empty_log_nothing_was_ever_known(conn: Connection[Any]) -> None:
    assert situation(conn, connu_le=DEPUIS).connu_le == 0
    assert situation(conn, connu_le=date(1, 1, 1)).connu_le == 0
