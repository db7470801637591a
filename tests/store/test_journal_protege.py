"""The log is never changed: the application's role may not, a trigger stops its owner."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4  # noqa: TID251 - streams that nothing derives

import psycopg
import pytest
from journal_essai import enveloppe, fait_stocke, lignes

from oi_service.application import Service
from oi_service.clock import now
from oi_service.database import application_pool
from oi_service.recorder import GuardBroken


@pytest.fixture
def ecrit(service: Service) -> Service:
    service.journal.recorder.append([fait_stocke(uuid4(), 1)], envelope=enveloppe())
    return service


PAR_LE_ROLE = [
    "UPDATE oi.event SET motif = 'x'",
    "DELETE FROM oi.event",
    "TRUNCATE oi.event",
    "INSERT INTO oi.event SELECT * FROM oi.event",
    "UPDATE oi.command SET acteur = 'x'",
    "DELETE FROM oi.command",
    "TRUNCATE oi.command",
    "INSERT INTO oi.command SELECT * FROM oi.command",
    "UPDATE oi.head SET position = 0",
    "DELETE FROM oi.head",
    "UPDATE oi.projection_state SET source_sha256 = ''",
    "UPDATE projection.mouvement SET centimes = 0",
    "DELETE FROM projection.enveloppe",
    "TRUNCATE projection.operation",
    "INSERT INTO projection.plie SELECT * FROM projection.plie",
    "ALTER TABLE oi.event DISABLE TRIGGER ALL",
    "DROP TABLE oi.event",
    "CREATE TABLE oi.autre (a integer)",
    "CREATE TABLE projection.autre (a integer)",
    "CREATE OR REPLACE FUNCTION oi.project(bigint, bigint) RETURNS void LANGUAGE sql AS 'SELECT'",
    "SET search_path = projection; SELECT oi.project_enveloppe(1, 1); DELETE FROM enveloppe",
]


def test_the_role_of_the_application_may_only_read_and_append(ecrit: Service) -> None:
    refused = []
    for statement in PAR_LE_ROLE:
        with ecrit.journal.pool.connection() as conn:
            try:
                conn.execute(statement)
            except psycopg.errors.InsufficientPrivilege:
                refused.append(statement)
    assert refused == PAR_LE_ROLE


PAR_LE_PROPRIETAIRE = [
    statement.format(table)
    for table in ("oi.event", "oi.command")
    for statement in (
        "UPDATE {} SET acteur = 'x'",
        "UPDATE {} SET acteur = acteur WHERE false",
        "DELETE FROM {}",
        "DELETE FROM {} WHERE false",
        "TRUNCATE {}",
    )
]


def test_the_owner_is_stopped_by_a_trigger(base: str, ecrit: Service) -> None:
    with psycopg.connect(base, autocommit=True) as conn:
        for statement in PAR_LE_PROPRIETAIRE:
            with pytest.raises(psycopg.Error, match="Le journal ne se modifie pas") as refused:
                conn.execute(statement)
            assert refused.value.sqlstate == "OI100"
            hint = refused.value.diag.message_hint
            assert hint == "Une erreur se corrige par un nouvel événement."


def test_reading_connections_cannot_even_append(ecrit: Service, base: str) -> None:
    with application_pool(base, read_only=True) as pool:
        recorder = type(ecrit.journal.recorder)(pool)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            recorder.append([fait_stocke(uuid4(), 1)], envelope=enveloppe())


def test_every_column_of_the_envelope_is_filled(service: Service) -> None:
    stream, cause = uuid4(), uuid4()
    before = now()
    sent = enveloppe(cause_id=cause, correlation_id=uuid4())
    service.journal.recorder.append(
        [
            fait_stocke(stream, 1, motif="Erreur « matérielle »", pieces='[{"sha256": "00"}]'),
            fait_stocke(stream, 2),
        ],
        envelope=sent,
    )
    after = now()
    [first, second] = lignes(
        service.reads,
        """
        SELECT position, stream_id, version, event_id, name, data, date_effet, enregistre_le,
            acteur, role, oi_id, reglement, motif, pieces, command_id, correlation_id, cause_id,
            seal_scheme, fingerprint, octet_length(seal)
        FROM oi.event ORDER BY position
        """,
    )
    assert first[:3] == (1, stream, 1)
    assert isinstance(first[3], UUID)
    assert first[3] != second[3]
    assert first[4:7] == ("essai.compte.v1", {"centimes": 1}, date(2021, 12, 31))
    assert before - timedelta(seconds=1) <= first[7] <= after + timedelta(seconds=1)
    assert first[7].astimezone(UTC).utcoffset() == timedelta(0)
    assert first[8:12] == ("gestionnaire-1", "gestionnaire_oi", "oi-fictif", "2014-2020")
    assert first[12:14] == ("Erreur « matérielle »", [{"sha256": "00"}])
    assert second[12:14] == (None, [])
    assert first[14:17] == (sent.command_id, sent.correlation_id, cause)
    assert first[17:] == (1, sent.fingerprint, 32)


def test_the_instant_never_goes_back_whatever_the_clock_does(service: Service, base: str) -> None:
    ahead = datetime(2100, 1, 1, tzinfo=UTC)
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute("UPDATE oi.head SET enregistre_le = %s", (ahead,))
    for _ in range(2):
        service.journal.recorder.append([fait_stocke(uuid4(), 1)], envelope=enveloppe())
    assert lignes(service.reads, "SELECT DISTINCT enregistre_le FROM oi.event") == [(ahead,)]


ILLISIBLES: list[tuple[dict[str, object], str]] = [
    ({"topic": "Essai.Compte.v1"}, "event_name_form"),
    ({"topic": "essai.compte"}, "event_name_form"),
    ({"topic": "essai.compte.v0"}, "event_name_form"),
    ({"state": b"[]"}, "event_data_is_object"),
    ({"pieces": "{}"}, "event_pieces_is_array"),
]


def test_the_table_refuses_what_no_reader_could_read(service: Service) -> None:
    for changes, constraint in ILLISIBLES:
        with pytest.raises(GuardBroken) as refused:
            service.journal.recorder.append(
                [fait_stocke(uuid4(), 1, **changes)], envelope=enveloppe()
            )
        assert refused.value.constraint == constraint
