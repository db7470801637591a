"""The order of the log: gapless positions, expected versions, streams read, facts that commute."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4  # noqa: TID251 - streams that nothing derives

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError
from journal_essai import enveloppe, fait_stocke, lignes, nombre

from oi_service.application import Service
from oi_service.recorder import CHUNK, NEXT, GuardBroken, JournalRecorder


@pytest.fixture
def recorder(service: Service) -> JournalRecorder:
    return service.journal.recorder


def test_positions_stay_gapless_under_concurrent_writers_and_rollbacks(
    recorder: JournalRecorder,
) -> None:
    disputed = uuid4()

    def writer(rank: int) -> int:
        written = 0
        for turn in range(12):
            events = [fait_stocke(uuid4(), 1), fait_stocke(uuid4(), 1)]
            if turn % 3 == 1:
                # Everybody wants the same version: all but one roll back, after taking the lock.
                events.append(fait_stocke(disputed, turn // 3 + 1))
            if turn % 3 == 2:
                # A name that the table refuses: rolled back after the insertion.
                events.append(fait_stocke(uuid4(), 1, topic=f"Nom refusé {rank}"))
            try:
                recorder.append(events, envelope=enveloppe())
            except (IntegrityError, GuardBroken):
                continue
            written += len(events)
        return written

    with ThreadPoolExecutor(8) as pool:
        written = sum(pool.map(writer, range(8)))
    rows = lignes(recorder.pool, "SELECT position, enregistre_le FROM oi.event ORDER BY position")
    assert [position for position, _ in rows] == list(range(1, written + 1))
    instants = [instant for _, instant in rows]
    assert instants == sorted(instants)
    assert recorder.max_notification_id() == written


def test_a_transaction_that_rolls_back_leaves_no_gap(base: str, recorder: JournalRecorder) -> None:
    recorder.append([fait_stocke(uuid4(), 1)], envelope=enveloppe())
    with psycopg.connect(base) as conn, conn.transaction(force_rollback=True):
        recorder._call(conn, [fait_stocke(uuid4(), 1)], enveloppe(), {}, 1)
        row = conn.execute("SELECT position FROM oi.head").fetchone()
        assert row == (2,)
    done = recorder.append([fait_stocke(uuid4(), 1)], envelope=enveloppe())
    assert (done.first_position, done.last_position, done.replayed) == (2, 2, False)


@pytest.mark.parametrize("version", [1, 2, 4, 5])
def test_a_version_that_is_not_the_next_is_refused(recorder: JournalRecorder, version: int) -> None:
    stream = uuid4()
    recorder.append([fait_stocke(stream, v) for v in (1, 2)], envelope=enveloppe())
    with pytest.raises(IntegrityError):
        recorder.append([fait_stocke(stream, version)], envelope=enveloppe())
    assert nombre(recorder.pool) == 2
    recorder.append([fait_stocke(stream, 3)], envelope=enveloppe())


def test_versions_of_one_command_follow_one_another(recorder: JournalRecorder) -> None:
    stream = uuid4()
    with pytest.raises((IntegrityError, GuardBroken)):
        recorder.append([fait_stocke(stream, v) for v in (1, 1)], envelope=enveloppe())
    assert nombre(recorder.pool) == 0


@pytest.mark.parametrize("read", [0, 1, 3])
def test_a_stream_that_was_read_must_not_have_moved(recorder: JournalRecorder, read: int) -> None:
    seen, written = uuid4(), uuid4()
    recorder.append([fait_stocke(seen, v) for v in (1, 2)], envelope=enveloppe())
    with pytest.raises(IntegrityError):
        recorder.append([fait_stocke(written, 1)], envelope=enveloppe(), reads={seen: read})
    assert nombre(recorder.pool) == 2
    recorder.append([fait_stocke(written, 1)], envelope=enveloppe(), reads={seen: 2})


def test_a_stream_read_as_absent_must_still_be_absent(recorder: JournalRecorder) -> None:
    absent = uuid4()
    recorder.append([fait_stocke(uuid4(), 1)], envelope=enveloppe(), reads={absent: 0})
    recorder.append([fait_stocke(absent, 1)], envelope=enveloppe())
    with pytest.raises(IntegrityError):
        recorder.append([fait_stocke(uuid4(), 1)], envelope=enveloppe(), reads={absent: 0})


def versions(recorder: JournalRecorder, stream: UUID) -> list[int]:
    query = "SELECT version FROM oi.event WHERE stream_id = %s ORDER BY position"
    return [v for (v,) in lignes(recorder.pool, query, stream)]


def test_facts_that_commute_take_the_next_versions(recorder: JournalRecorder) -> None:
    stream = uuid4()
    recorder.append([fait_stocke(stream, 1)], envelope=enveloppe())
    recorder.append([fait_stocke(stream, NEXT) for _ in range(2)], envelope=enveloppe())

    def writer(_rank: int) -> None:
        recorder.append([fait_stocke(stream, NEXT), fait_stocke(uuid4(), 1)], envelope=enveloppe())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(writer, range(40)))
    assert versions(recorder, stream) == list(range(1, 44))


def test_a_command_larger_than_a_chunk_is_whole(recorder: JournalRecorder) -> None:
    stream, total = uuid4(), 2 * CHUNK + 7
    events = [fait_stocke(stream, v + 1) for v in range(total)]
    done = recorder.append(events, envelope=enveloppe())
    assert (done.first_position, done.last_position) == (1, total)
    assert versions(recorder, stream) == list(range(1, total + 1))


def test_a_large_command_that_fails_at_its_end_leaves_nothing(recorder: JournalRecorder) -> None:
    key = enveloppe()
    events = [fait_stocke(uuid4(), 1) for _ in range(2 * CHUNK)]
    with pytest.raises(GuardBroken):
        recorder.append([*events, fait_stocke(uuid4(), 1, topic="Nom refusé")], envelope=key)
    assert nombre(recorder.pool) == 0
    assert lignes(recorder.pool, "SELECT position FROM oi.head") == [(0,)]
    assert lignes(recorder.pool, "SELECT count(*) FROM oi.command") == [(0,)]
    # The key was not used up: the command may come again.
    assert recorder.append(events, envelope=key).replayed is False


def test_large_commands_do_not_interleave(recorder: JournalRecorder) -> None:
    streams = [uuid4() for _ in range(4)]

    def writer(stream: UUID) -> None:
        events = [fait_stocke(stream, v + 1) for v in range(CHUNK + 50)]
        recorder.append(events, envelope=enveloppe())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(writer, streams))
    query = "SELECT stream_id, max(position) - min(position) FROM oi.event GROUP BY 1"
    assert {spread for _, spread in lignes(recorder.pool, query)} == {CHUNK + 49}


def test_the_log_reads_in_order_by_pages(recorder: JournalRecorder) -> None:
    streams = [uuid4() for _ in range(5)]
    recorder.append([fait_stocke(s, 1) for s in streams], envelope=enveloppe())
    recorder.append([fait_stocke(streams[0], 2, topic="essai.autre.v1")], envelope=enveloppe())
    first = recorder.select_notifications(1, 4)
    rest = recorder.select_notifications(first[-1].id, 10, inclusive_of_start=False)
    assert [n.id for n in (*first, *rest)] == [1, 2, 3, 4, 5, 6]
    [named] = recorder.select_notifications(None, 10, topics=["essai.autre.v1"])
    assert (named.id, named.originator_version) == (6, 2)
    assert [n.id for n in recorder.select_notifications(2, 10, stop=3)] == [2, 3]


def test_a_stream_reads_between_versions(recorder: JournalRecorder) -> None:
    stream = uuid4()
    recorder.append([fait_stocke(stream, v) for v in (1, 2, 3, 4)], envelope=enveloppe())

    def read(**window: object) -> list[int]:
        found = recorder.select_events(stream, **window)  # type: ignore[arg-type]
        return [e.originator_version for e in found]

    assert read() == [1, 2, 3, 4]
    assert read(gt=1, lte=3) == [2, 3]
    assert read(desc=True, limit=1) == [4]


def test_an_empty_log_has_no_last_position(recorder: JournalRecorder) -> None:
    assert recorder.max_notification_id() is None
    assert recorder.select_streams([uuid4()]) == {}
