"""The calendar: ends noticed once, books checked at night, by whoever holds the lock."""

from datetime import date
from typing import cast

import psycopg
import pytest
from structlog.testing import capture_logs
from vie import Vie

from aggregates.registre.events import LivresVerifies
from aggregates.registre.state import REGISTRE, REGISTRE_ID, RegistreAbsent
from oi_service.application import Acte, Service, Unit
from oi_service.codec import REGISTRY
from oi_service.scheduler import ancrer_au_rythme, constater_fins, scheduler, verifier_la_nuit


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
        hours = {job.id: job.next_run_time.hour for job in jobs.get_jobs()}
        assert hours == {
            "constater_fins": 6,
            "verifier_livres": 3,
            "rapprocher_cles": 3,
            "purger_acces": 3,
            "purger_travaux": 3,
            "purger_brouillons": 3,
            "ancrer_journal": 4,
        }
    assert not jobs.running


def test_the_operator_chooses_when_the_log_is_anchored(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OI_ANCRE_HEURES", "1, 13")
    with scheduler(service) as jobs:
        [ancrage] = [job for job in jobs.get_jobs() if job.id == "ancrer_journal"]
        assert ancrage.next_run_time.hour in {1, 13}


def test_the_log_is_anchored_at_its_hour_when_it_moved(vie: Vie, service: Service) -> None:
    for _ in range(2):
        ancrer_au_rythme(service)
    [ancre] = service.lieux.ancres.glob("ancre-*.txt")
    ancre.write_text("autre chose")
    vie.depot("trois")
    with capture_logs() as dits:
        ancrer_au_rythme(service)
    assert [(d["log_level"], d["code"]) for d in dits] == [("error", "ancre_illisible")]
    assert ancre.name in dits[0]["raison"]
    assert len(list(service.lieux.ancres.glob("ancre-*.txt"))) == 1


def _verifications(service: Service) -> list[LivresVerifies]:
    with service.reads.connection() as conn:
        rows = conn.execute(
            "SELECT name, data::text, date_effet::text, motif, pieces::text FROM oi.event "
            "WHERE name = 'registre.livres_verifies.v1' ORDER BY position"
        ).fetchall()
    return [cast("LivresVerifies", REGISTRY.decode(*row)) for row in rows]


def test_the_books_are_checked_at_night_and_the_check_is_a_fact(
    vie: Vie, service: Service, base: str
) -> None:
    verifier_la_nuit(service)
    [sound] = _verifications(service)
    assert {p.ecarts for p in sound.points} == {0}
    assert {"J1", "M2", "O2", "R1", "R2", "R3"} <= {p.code for p in sound.points}
    with service.reads.connection() as conn:
        assert conn.execute("SELECT position FROM oi.head").fetchone() == (
            sound.jusqua_position + 1,
        )
    verifier_la_nuit(service)
    assert len(_verifications(service)) == 1, "nothing happened since"

    vie.depot("trois")
    with psycopg.connect(base) as conn:
        conn.execute(
            "UPDATE projection.mouvement SET centimes = centimes + 1 WHERE mesure = 'fse_programme'"
        )
    verifier_la_nuit(service)
    broken = {p.code for p in _verifications(service)[-1].points if p.ecarts}
    assert {"O1", "R2"} <= broken


def test_a_quiet_night_writes_nothing(vie: Vie, service: Service) -> None:
    for _ in range(2):
        verifier_la_nuit(service)
        ancrer_au_rythme(service)
    with service.reads.connection() as conn:
        rows = conn.execute(
            "SELECT name FROM oi.event WHERE name LIKE 'registre.%' ORDER BY position"
        ).fetchall()
    # The key was drawn after the first check: the second one reads that, and no night after does.
    assert [name.split(".")[1] for (name,) in rows] == [
        "livres_verifies",
        "cle_etablie",
        "journal_ancre",
        "livres_verifies",
    ]


def test_the_books_are_checked_by_one_process(vie: Vie, service: Service) -> None:
    with service.journal.pool.connection() as other:
        other.execute("SELECT pg_advisory_lock(6011958)")
        verifier_la_nuit(service)
        other.execute("SELECT pg_advisory_unlock(6011958)")
    assert _verifications(service) == []


def test_an_empty_register_says_that_it_noted_nothing(service: Service) -> None:
    with pytest.raises(RegistreAbsent):
        Unit(service.journal, Acte("systeme", "systeme")).get(REGISTRE, REGISTRE_ID)
