"""Figures read together are figures of one moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import Connection
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow


@contextmanager
def instantane(conn: Connection[TupleRow]) -> Iterator[None]:
    """See the log as it stands now, until the end of the block, whatever is recorded meanwhile.

    Whoever already holds a transaction sees what it sees: a trial, which keeps the log still, reads
    here what it has just played.
    """
    if conn.info.transaction_status is not TransactionStatus.IDLE:
        yield
        return
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield
