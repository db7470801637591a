"""The calendar: ends of operations are noticed once, by whoever holds the lock."""

from datetime import date

import pytest
from vie import Vie

from oi_service.application import Service
from oi_service.scheduler import constater_fins, scheduler


@pytest.fixture
def vie(service: Service) -> Vie:
    """Lend a life with two operations that run until the end of 2021."""
    played = Vie(service)
    played.subvention()
    played.tranche("300000.00", "300000.00")
    played.enveloppe("A", "200000.00")
    played.appel()
    for name in ("un", "deux"):
        played.jusqu_au_demarrage(name)
    return played


def test_an_operation_is_over_the_day_after_its_end_and_once(vie: Vie, service: Service) -> None:
    assert constater_fins(service, date(2021, 12, 31)) == 0
    assert constater_fins(service, date(2022, 1, 1)) == 2
    assert {vie.operation(n).statut for n in ("un", "deux")} == {"realisation_terminee"}
    assert constater_fins(service, date(2022, 1, 2)) == 0


def test_only_the_holder_of_the_lock_works(vie: Vie, service: Service) -> None:
    with service.journal.pool.connection() as other:
        other.execute("SELECT pg_advisory_lock(6011958)")
        assert constater_fins(service, date(2022, 1, 1)) == 0
        other.execute("SELECT pg_advisory_unlock(6011958)")
    assert constater_fins(service, date(2022, 1, 1)) == 2


def test_the_fact_is_signed_by_the_system(vie: Vie, service: Service) -> None:
    constater_fins(service, date(2022, 1, 1))
    with service.reads.connection() as conn:
        rows = conn.execute(
            "SELECT DISTINCT acteur, role, date_effet FROM oi.event "
            "WHERE name = 'operation.realisation_terminee.v1'"
        ).fetchall()
    assert rows == [("systeme", "systeme", date(2022, 1, 1))]


def test_the_jobs_start_and_stop_with_the_service(service: Service) -> None:
    with scheduler(service) as jobs:
        [job] = jobs.get_jobs()
        assert job.next_run_time.hour == 6
    assert not jobs.running
