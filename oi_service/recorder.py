"""Our recorder for `eventsourcing`: one SQL function is the only way into the log.

This is the one module that imports the library's persistence frame; the rest of the service sees
`oi_service.application`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from uuid import UUID

import psycopg
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    IntegrityError,
    Mapper,
    Notification,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    TrackingRecorder,
)
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from oi_service.codec import REGISTRY, Evenement, Registry
from oi_service.errors import IdempotencyKeyReused
from oi_service.ids import new_id

#: Events sent in one call of the append function: bounds the memory of both sides.
CHUNK = 500
#: Version asked for a fact that commutes with its neighbours: the next one, whatever it is.
NEXT = 0

_APPEND = """
    SELECT first_position, last_position, replayed FROM oi.append(
        %b, %b, %b, %b, %b, %b, %b, %b, %b::integer, %b,
        %b::uuid[], %b::integer[], %b::text[], %b::text[], %b::date[], %b::text[], %b::text[],
        %b::uuid[], %b::integer[])
"""
# One index lookup per stream, whatever the planner thinks of the size of the log.
_SELECT = """
    SELECT e.stream_id, e.version, e.name, e.data, e.date_effet, e.motif, e.pieces
    FROM unnest(%b::uuid[]) AS s (stream_id), LATERAL (
        SELECT
            stream_id, version, name, data::text AS data, date_effet::text AS date_effet, motif,
            pieces::text AS pieces
        FROM oi.event WHERE stream_id = s.stream_id ORDER BY version
    ) AS e
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fact at its place: the domain event that the library carries."""

    originator_id: UUID
    originator_version: int
    fact: Evenement


@dataclass(frozen=True)
class StoredFact(StoredEvent):
    """A stored event with the columns that are not payload."""

    date_effet: date | str
    motif: str | None
    pieces: str | None


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the log keeps of a command, beside its facts."""

    command_id: UUID
    fingerprint: bytes
    acteur: str
    role: str
    oi_id: str
    reglement: str
    correlation_id: UUID
    cause_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """Where a command landed; ``replayed`` when its key had already been accepted."""

    first_position: int
    last_position: int
    replayed: bool


class Connections(Protocol):
    """Lends connections: a pool, or a trial, which has only one."""

    def connection(self) -> AbstractContextManager[psycopg.Connection[TupleRow]]:
        """Lend a connection for a block."""


class GuardBroken(Exception):
    """A CHECK of a guard row refused the append; ``constraint`` is its name."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class FactMapper(Mapper[UUID]):
    """Between `Recorded` and `StoredFact`, through the typed codec."""

    registry: Registry = REGISTRY

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredFact:
        """Encode."""
        assert isinstance(domain_event, Recorded)
        name, data, date_effet, motif, pieces = self.registry.encode(domain_event.fact)
        return StoredFact(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=name,
            state=data.encode(),
            date_effet=date_effet,
            motif=motif,
            pieces=pieces,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:
        """Decode, through the upcasts."""
        assert isinstance(stored_event, StoredFact)
        assert isinstance(stored_event.originator_id, UUID)
        fact = self.registry.decode(
            stored_event.topic,
            stored_event.state.decode(),
            str(stored_event.date_effet),
            stored_event.motif,
            stored_event.pieces,
        )
        return Recorded(stored_event.originator_id, stored_event.originator_version, fact)


class JournalRecorder(ApplicationRecorder):
    """Reads and appends the log of PostgreSQL."""

    def __init__(self, pool: Connections) -> None:
        self.pool = pool

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Append facts and return their positions, ``None`` when the key was already accepted."""
        kwargs.pop("tracking", None)
        done = self.append(stored_events, **kwargs)
        if done.replayed:
            return None
        return range(done.first_position, done.last_position + 1)

    def append(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        envelope: Envelope,
        reads: Mapping[UUID, int] | None = None,
    ) -> Appended:
        """Append the facts of one command in one transaction.

        Args:
            stored_events: in the order in which they are to be numbered.
            envelope: who, why, and the idempotency key.
            reads: versions of the streams that the decision only read.

        Raises:
            IntegrityError: a stream moved since it was read; nothing is written.
            IdempotencyKeyReused: the key served for another command; nothing is written.
            GuardBroken: a ceiling held by the database would be passed; nothing is written.
        """
        reads = reads or {}
        try:
            with self.pool.connection() as conn:
                if len(stored_events) <= CHUNK:
                    return self._call(conn, stored_events, envelope, reads, len(stored_events))
                with conn.transaction():
                    return self._call_in_chunks(conn, stored_events, envelope, reads)
        except psycopg.errors.CheckViolation as refused:
            raise GuardBroken(refused.diag.constraint_name or "") from refused
        except psycopg.errors.UniqueViolation as refused:
            raise GuardBroken(refused.diag.constraint_name or "") from refused
        except psycopg.Error as refused:
            if refused.sqlstate == "OI001":
                raise IntegrityError(str(refused)) from refused
            if refused.sqlstate == "OI002":
                raise IdempotencyKeyReused from refused
            raise

    def hold(self) -> int:
        """Keep the log still until the transaction that is open ends; return its last position.

        An append of nothing: it takes the row that every writer must hold. Only for a transaction
        that is rolled back, since it leaves a key behind it.
        """
        key = new_id()
        envelope = Envelope(key, b"", "", "", oi_id="", reglement="", correlation_id=key)
        with self.pool.connection() as conn:
            assert conn.info.transaction_status is TransactionStatus.INTRANS
            return self._call(conn, [], envelope, {}, 0).last_position

    def _call_in_chunks(
        self,
        conn: psycopg.Connection[Any],
        stored_events: Sequence[StoredEvent],
        envelope: Envelope,
        reads: Mapping[UUID, int],
    ) -> Appended:
        total = len(stored_events)
        first = self._call(conn, stored_events[:CHUNK], envelope, reads, total)
        if not first.replayed:
            for start in range(CHUNK, total, CHUNK):
                chunk = stored_events[start : start + CHUNK]
                self._call(conn, chunk, envelope, {}, total, continued=True)
        return Appended(first.first_position, first.first_position + total - 1, first.replayed)

    @staticmethod
    def _call(
        conn: psycopg.Connection[Any],
        stored_events: Sequence[StoredEvent],
        envelope: Envelope,
        reads: Mapping[UUID, int],
        total: int,
        *,
        continued: bool = False,
    ) -> Appended:
        facts = [s for s in stored_events if isinstance(s, StoredFact)]
        row = conn.execute(
            _APPEND,
            (
                envelope.command_id,
                envelope.fingerprint,
                envelope.acteur,
                envelope.role,
                envelope.oi_id,
                envelope.reglement,
                envelope.correlation_id,
                envelope.cause_id,
                total,
                continued,
                [f.originator_id for f in facts],
                [f.originator_version for f in facts],
                [f.topic for f in facts],
                [f.state.decode() for f in facts],
                [f.date_effet for f in facts],
                [f.motif for f in facts],
                [f.pieces for f in facts],
                list(reads),
                list(reads.values()),
            ),
            prepare=True,
        ).fetchone()
        assert row is not None
        return Appended(*row)

    def select_streams(self, stream_ids: Iterable[UUID]) -> dict[UUID, list[StoredFact]]:
        """Read several whole streams in one round trip, each in its order."""
        with self.pool.connection() as conn:
            rows = conn.execute(_SELECT, (list(stream_ids),), prepare=True).fetchall()
        streams: dict[UUID, list[StoredFact]] = defaultdict(list)
        for stream_id, version, name, data, date_effet, motif, pieces in rows:
            streams[stream_id].append(
                StoredFact(stream_id, version, name, data.encode(), date_effet, motif, pieces)
            )
        return streams

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Read one stream."""
        order = "DESC" if desc else "ASC"
        with self.pool.connection() as conn:
            rows = conn.execute(
                f"""
                SELECT version, name, data::text, date_effet::text, motif, pieces::text
                FROM oi.event
                WHERE stream_id = %b AND version > %b::integer AND version <= %b::integer
                ORDER BY version {order} LIMIT %b::bigint
                """,  # noqa: S608 - order is one of two literals
                (originator_id, gt or 0, lte if lte is not None else 2**31 - 1, limit),
                prepare=True,
            ).fetchall()
        return [
            StoredFact(originator_id, version, name, data.encode(), date_effet, motif, pieces)
            for version, name, data, date_effet, motif, pieces in rows
        ]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Read the log in order; positions are gapless, so a page never hides a late event."""
        first = (start or 1) + (0 if inclusive_of_start or start is None else 1)
        with self.pool.connection() as conn:
            rows = conn.execute(
                """
                SELECT stream_id, version, name, data::text, position FROM oi.event
                WHERE position BETWEEN %b::bigint AND %b::bigint
                    AND (cardinality(%b::text[]) = 0 OR name = ANY(%b::text[]))
                ORDER BY position LIMIT %b::bigint
                """,
                (first, stop if stop is not None else 2**62, list(topics), list(topics), limit),
            ).fetchall()
        return [Notification(s, v, name, data.encode(), p) for s, v, name, data, p in rows]

    def max_notification_id(self) -> int | None:
        """Return the last position, ``None`` when the log is empty."""
        with self.pool.connection() as conn:
            row = conn.execute("SELECT nullif(position, 0) FROM oi.head").fetchone()
        return row[0] if row else None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Not offered: projections are written with the events, nothing trails the log."""
        raise NotImplementedError


class JournalFactory(InfrastructureFactory[TrackingRecorder]):
    """Makes the recorder from the pool that `Journal` holds."""

    pool: Connections

    def application_recorder(self) -> JournalRecorder:
        """Return the recorder of the log."""
        return JournalRecorder(self.pool)

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Not offered: replay is fast enough to do without snapshots (bench/)."""
        raise NotImplementedError

    def tracking_recorder(self, tracking_recorder_class: Any = None) -> TrackingRecorder:
        """Not offered: projections are written with the events."""
        raise NotImplementedError

    def process_recorder(self) -> ProcessRecorder:
        """Not offered: projections are written with the events."""
        raise NotImplementedError
