"""One process at a time signs points, or changes the key that signs them."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.rows import TupleRow

from oi_service.application import Service
from oi_service.errors import Conflict

_VERROU = 6_011_959


class AncrageEnCours(Conflict):
    """Un ancrage du journal, ou un changement de sa clé, est en cours : attendez sa fin."""


@contextmanager
def seul(service: Service) -> Iterator[psycopg.Connection[TupleRow]]:
    """Lend a connection that reads, and keep the others away until the end of the block.

    Nobody waits for the lock: whoever waited would keep a connection from those who read.

    Raises: AncrageEnCours.
    """
    with service.reads.connection() as conn:
        if conn.execute("SELECT pg_try_advisory_lock(%s)", (_VERROU,)).fetchone() != (True,):
            raise AncrageEnCours
        try:
            yield conn
        finally:
            conn.execute("SELECT pg_advisory_unlock(%s)", (_VERROU,))
