"""The library's own projection runner on its own log: what our rebuild is compared to."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL

from bench.bibliotheque import Piece, Pieces, environment, new_piece


class Montants(PostgresTrackingRecorder):
    """One line an event, written with the place in the log: the least that a ledger can be."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sql_create_statements.append(
            SQL("CREATE TABLE IF NOT EXISTS montants (operation_id uuid, centimes bigint)").format()
        )

    def poster(self, operation_id: UUID, centimes: int, tracking: Tracking) -> None:
        """Write one line."""
        with self.datastore.transaction(commit=True) as curs:
            self._insert_tracking(curs, tracking)
            curs.execute("INSERT INTO montants VALUES (%s, %s)", (operation_id, centimes))


class Grand(Projection[Montants]):
    """Posts each piece."""

    name = "grand"
    topics = ()

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Post."""
        if isinstance(domain_event, Piece.Declared):
            self.view.poster(domain_event.operation_id, domain_event.cents, tracking)


def remplir(app: Pieces, operation_id: UUID, nombre: int, lot: int) -> float:
    """Write that many aggregates by the library's batch path; return events a second."""
    debut = time.perf_counter()
    for depart in range(0, nombre, lot):
        app.save(*(new_piece(operation_id, rang) for rang in range(depart, depart + lot)))
    return nombre / (time.perf_counter() - debut)


@contextmanager
def _runner(conninfo: str) -> Iterator[Any]:
    with ProjectionRunner(
        application_class=Pieces,
        projection_class=Grand,
        view_class=Montants,
        env=environment(conninfo),
    ) as runner:
        yield runner


def projeter(conninfo: str, nombre: int) -> float:
    """Run the projection from the start of the library's log; return events a second."""
    debut = time.perf_counter()
    with _runner(conninfo) as runner:
        runner.wait(nombre, timeout=600)
    return nombre / (time.perf_counter() - debut)
