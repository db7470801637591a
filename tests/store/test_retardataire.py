"""Who took its place first and commits last: nobody who follows positions ever skips its event."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4  # noqa: TID251 - streams that nothing derives

import psycopg
import pytest
from journal_essai import enveloppe, fait_stocke
from psycopg import Connection

from oi_service.application import Service
from oi_service.recorder import Appended, JournalRecorder


@dataclass
class Suiveur:
    """Follows the log, as a feed does: each time, what comes after the last position it saw."""

    recorder: JournalRecorder
    vues: list[int] = field(default_factory=list)

    def lire(self) -> None:
        depuis = self.vues[-1] if self.vues else None
        found = self.recorder.select_notifications(depuis, 100, inclusive_of_start=False)
        self.vues += [n.id for n in found]


def ajouter(recorder: JournalRecorder, conn: Connection[Any]) -> Appended:
    """Append one event in the transaction of a connection, which is left open."""
    return recorder._call(conn, [fait_stocke(uuid4(), 1)], enveloppe(), {}, 1)


def attend(conn: Connection[Any], pid: int, travail: Future[None]) -> bool:
    """Tell whether a session waits for a lock before its work is done."""
    for _ in range(1_500):
        row = conn.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", (pid,)).fetchone()
        if row == (True,) or travail.done():
            return row == (True,)
        time.sleep(0.01)
    raise AssertionError("neither waits nor ends")


@dataclass
class Course:
    """What a reader saw of two writers, the first of whom commits last."""

    attendu: bool  #: the second writer waited for the first one
    vues: list[int]  #: positions, in the order in which the reader saw them
    connues: list[int]  #: what was known at the position where the log stood between the commits
    relues: list[int]  #: the same, asked again at the end


def connues_a(conn: Connection[Any], position: int) -> list[int]:
    rows = conn.execute("SELECT position FROM oi.event WHERE position <= %s", (position,))
    return sorted(p for (p,) in rows)


def courir(service: Service, base: str) -> Course:
    """Let the first writer take its place first, and commit after everybody."""
    recorder = service.journal.recorder
    suiveur = Suiveur(recorder)
    with (
        ThreadPoolExecutor(1) as pool,  # Left last: whatever fails, nobody waits for ever.
        psycopg.connect(base, autocommit=True) as lecteur,
        psycopg.connect(base) as second,
        psycopg.connect(base) as premier,
    ):
        ajouter(recorder, premier)

        def doubler() -> None:
            ajouter(recorder, second)
            second.commit()

        doublant = pool.submit(doubler)
        attendu = attend(lecteur, second.info.backend_pid, doublant)
        suiveur.lire()
        row = lecteur.execute("SELECT position FROM oi.head").fetchone()
        assert row is not None
        connues = connues_a(lecteur, row[0])
        premier.commit()
        doublant.result(timeout=10)
        suiveur.lire()
        return Course(attendu, suiveur.vues, connues, connues_a(lecteur, row[0]))


def exiger_sans_oubli(course: Course) -> None:
    """Every event was seen, in its order; what was known at a position did not change."""
    assert course.attendu
    assert course.vues == [1, 2]
    assert course.relues == course.connues


def remplacer(base: str, *changements: tuple[str, str]) -> None:
    """Change the text of the append function of this base."""
    with psycopg.connect(base) as conn:
        row = conn.execute("SELECT pg_get_functiondef('oi.append'::regproc)").fetchone()
        assert row is not None
        source: str = row[0]
        for ancien, nouveau in changements:
            assert source.count(ancien) == 1, ancien
            source = source.replace(ancien, nouveau)
        conn.execute(source.encode())


VERROU = "FROM oi.head AS h FOR UPDATE;"


def test_who_commits_last_is_not_skipped(service: Service, base: str) -> None:
    exiger_sans_oubli(courir(service, base))


def test_without_the_lock_the_keys_of_the_log_still_refuse_the_second_writer(
    service: Service, base: str
) -> None:
    remplacer(base, (VERROU, "FROM oi.head AS h;"))
    with pytest.raises(psycopg.errors.UniqueViolation, match="event_pkey"):
        courir(service, base)


def test_places_taken_without_the_lock_let_a_reader_skip_an_event(
    service: Service, base: str
) -> None:
    """The usual way, numbers of a sequence: the test above would see what it looks for."""
    with psycopg.connect(base) as conn:
        conn.execute(
            """
            CREATE SEQUENCE oi.place;
            ALTER TABLE oi.head RENAME TO ancienne_tete;
            CREATE VIEW oi.head AS
                SELECT
                    coalesce(max(position), 0) AS position,
                    coalesce(max(enregistre_le), '-infinity') AS enregistre_le,
                    decode(repeat('00', 32), 'hex') AS seal
                FROM oi.event
            """
        )
    remplacer(
        base,
        (VERROU, "FROM oi.head AS h; base := nextval('oi.place') - 1;"),
        ("UPDATE oi.head SET", "PERFORM FROM oi.head WHERE false; --"),
        ("        position = base + n, enregistre_le = instant,\n", ""),
        ("        seal = coalesce((SELECT e.seal", "        PERFORM coalesce((SELECT e.seal"),
    )
    course = courir(service, base)
    assert course == Course(attendu=False, vues=[2], connues=[2], relues=[1, 2])
    with pytest.raises(AssertionError):
        exiger_sans_oubli(course)
