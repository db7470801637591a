"""One command, one transaction: load, decide, save. Three hops from a door to the rule."""

import hashlib
import hmac
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar
from uuid import UUID, uuid5

from eventsourcing.application import Application
from eventsourcing.persistence import IntegrityError
from msgspec.structs import replace
from psycopg import Connection
from psycopg.rows import TupleRow

from oi_service import ids
from oi_service.acces.acces import Acces
from oi_service.acces.oidc import Oidc
from oi_service.aggregate import Aggregate, Frame, Lecteur, S, Touche
from oi_service.codec import Evenement
from oi_service.errors import Busy, IdempotencyKeyReused, Refusal, StaleVersion
from oi_service.lieux import Lieux
from oi_service.personnes.coffre import Coffre
from oi_service.pieces import Pieces
from oi_service.recorder import (
    NEXT,
    Connections,
    Envelope,
    FactMapper,
    GuardBroken,
    JournalFactory,
    JournalRecorder,
    Recorded,
)
from oi_service.travaux import Travaux

#: Decisions taken again after a version moved under them, before answering "busy".
RETRIES = 12

C = TypeVar("C")
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Acte:
    """Who acts, in which role, and under which key; what a door knows of a command.

    ``plies`` is the territory of that role, ``None`` for the whole OI; ``detachee_par``, the PLIE
    that employ the person.
    """

    acteur: str
    role: str
    command_id: UUID = field(default_factory=ids.new_id)
    fingerprint: bytes = b""
    target: UUID | None = None  #: the stream that the act is about
    if_match: int | None = None  #: its version as the person saw it; ``None`` for internal acts
    cause_id: UUID | None = None
    plies: frozenset[str] | None = None
    detachee_par: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Gardes:
    """What no command breaks, whatever its decisions.

    ``contraintes``: which refusal each constraint of the database stands for. ``personnes``: what
    a person may not handle; it sees all that a command is about to record. ``lecture``: what they
    may not even have a decision look at, since its refusal would tell of it.
    """

    contraintes: Mapping[str, type[Refusal]]
    personnes: Callable[[Acte, Sequence[Touche], Lecteur], None]
    lecture: Callable[[Acte, Touche, Lecteur], None]


@dataclass(frozen=True, slots=True)
class EventRef:
    """A recorded event; ``version`` is 0 where the database alone gave it (facts that commute)."""

    position: int
    stream_id: UUID
    version: int
    name: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did; no event when it asked for what was already so."""

    events: tuple[EventRef, ...]
    replayed: bool = False

    def version_of(self, stream_id: UUID) -> int | None:
        """Version of a stream after the command; ``None`` when the command left it alone."""
        return max((e.version for e in self.events if e.stream_id == stream_id), default=None)


@dataclass(slots=True)
class _Loaded(Generic[S]):
    aggregate: Aggregate[S]
    state: S | None
    version: int


class Unit:
    """The work of one command: what it read, what it decided, saved together or not at all."""

    def __init__(self, journal: "Journal", acte: Acte) -> None:
        self._journal = journal
        self.acte = acte
        self._loaded: dict[UUID, _Loaded[Any]] = {}
        self._pinned: dict[UUID, int] = {}
        self.recorded: list[Recorded] = []
        self.cadre: Frame | None = None

    @property
    def coffre(self) -> Coffre:
        """The keys of persons: what ciphers their data on the way to the log."""
        return self._journal.coffre

    def new_id(self, label: str) -> UUID:
        """Derive an identifier from the command's key: the same again when it is sent again."""
        return uuid5(self.acte.command_id, label)

    def lecture(self) -> AbstractContextManager[Connection[TupleRow]]:
        """Lend a connection, to read what no later event can change: the log up to a position."""
        return self._journal.pool.connection()

    def prefetch(self, *streams: tuple[Aggregate[Any], UUID]) -> None:
        """Read several streams of several kinds in one round trip, before they are asked for."""
        wanted = {i: aggregate for aggregate, i in streams if i not in self._loaded}
        if not wanted:
            return
        found = self._journal.recorder.select_streams(wanted)
        for stream_id, aggregate in wanted.items():
            stored = found.get(stream_id, [])
            if stored and not stored[0].topic.startswith(f"{aggregate.name}."):
                # The identifier of something else: of this kind, there is nothing.
                raise aggregate.absent(id=stream_id)
            state = aggregate.replay(self._journal.decode(s) for s in stored)
            if state is not None:
                # Before the version: it too tells of the stream.
                self._journal.guards.lecture(self.acte, Touche(stream_id, state, ()), self)
            self._check_seen(stream_id, len(stored))
            self._loaded[stream_id] = _Loaded(aggregate, state, len(stored))

    def find(self, aggregate: Aggregate[S], stream_id: UUID, *, pinned: bool = True) -> S | None:
        """Return a state or ``None``.

        A pinned stream must not move before the save; an unpinned one may (its ceilings are then
        held by guard rows).
        """
        return self.find_all(aggregate, [stream_id], pinned=pinned)[0]

    def find_all(
        self, aggregate: Aggregate[S], stream_ids: Iterable[UUID], *, pinned: bool = True
    ) -> list[S | None]:
        """Return several states in one round trip, in the order asked."""
        wanted = list(stream_ids)
        self.prefetch(*((aggregate, i) for i in wanted))
        for stream_id in wanted:
            found = self._loaded[stream_id]
            if found.aggregate is not aggregate:
                raise aggregate.absent(id=stream_id)
            if pinned:
                self._pinned.setdefault(stream_id, found.version)
            if found.state is not None and self.cadre is None:
                self.cadre = found.state.cadre
        return [self._loaded[i].state for i in wanted]

    def _check_seen(self, stream_id: UUID, version: int) -> None:
        """Refuse to act on a stream that moved since the person looked at it.

        One that does not exist is not stale: who asks for its state hears that it is absent.
        """
        seen = self.acte.if_match
        if stream_id == self.acte.target and seen is not None and version not in {0, seen}:
            raise StaleVersion(attendue=seen, actuelle=version)

    def get(self, aggregate: Aggregate[S], stream_id: UUID, *, pinned: bool = True) -> S:
        """Return a state; refuse when there is none."""
        state = self.find(aggregate, stream_id, pinned=pinned)
        if state is None:
            raise aggregate.absent(id=stream_id)
        return state

    def get_all(self, aggregate: Aggregate[S], stream_ids: Iterable[UUID]) -> list[S]:
        """Return several states; refuse when one is missing."""
        wanted = list(stream_ids)
        self.find_all(aggregate, wanted)
        return [self.get(aggregate, i) for i in wanted]

    def record(
        self,
        aggregate: Aggregate[S],
        stream_id: UUID,
        facts: Iterable[Evenement],
        *,
        commutes: bool = False,
    ) -> None:
        """Add decided facts to the command; they are saved together at its end.

        With ``commutes``, the facts take the next versions of the stream whatever moved there.
        """
        if stream_id not in self._loaded:
            self.find(aggregate, stream_id, pinned=not commutes)
        loaded = self._loaded[stream_id]
        for fact in map(self._journal.temoigner, facts):
            loaded.state = aggregate.evolve(loaded.state, fact)
            loaded.version += 1
            version = NEXT if commutes else loaded.version
            self.recorded.append(Recorded(stream_id, version, fact))
        if loaded.state is not None and self.cadre is None:
            self.cadre = loaded.state.cadre

    def execute(
        self,
        aggregate: Aggregate[S],
        stream_id: UUID,
        decide: Callable[Concatenate[S, C, P], list[Any]],
        commande: C,
        *context: P.args,
        **named: P.kwargs,
    ) -> S:
        """Load a stream that exists, decide, record; return the state after the decision."""
        state = self.get(aggregate, stream_id)
        self.record(aggregate, stream_id, decide(state, commande, *context, **named))
        return self.get(aggregate, stream_id)

    def create(
        self,
        aggregate: Aggregate[S],
        stream_id: UUID,
        decide: Callable[Concatenate[S | None, C, P], list[Any]],
        commande: C,
        *context: P.args,
        **named: P.kwargs,
    ) -> S:
        """Decide on a stream that may not exist yet; return the state after the decision."""
        state = self.find(aggregate, stream_id)
        self.record(aggregate, stream_id, decide(state, commande, *context, **named))
        return self.get(aggregate, stream_id)

    def _touches(self) -> list[Touche]:
        faits: dict[UUID, list[Evenement]] = {}
        for recorded in self.recorded:
            faits.setdefault(recorded.originator_id, []).append(recorded.fact)
        return [
            Touche(i, etat, nouveaux)
            for i, nouveaux in faits.items()
            if (etat := self._loaded[i].state) is not None
        ]

    def save(self) -> Outcome:
        """Append what was recorded; an empty outcome when there was nothing to add.

        A command sent again may find that all is already so: it gets its first answer.
        """
        if not self.recorded:
            return self._journal.outcome_of(self.acte)
        self._journal.guards.personnes(self.acte, self._touches(), self)
        assert self.cadre is not None
        written = {r.originator_id for r in self.recorded}
        recordings = self._journal.events.put(
            self.recorded,
            envelope=Envelope(
                command_id=self.acte.command_id,
                fingerprint=self.acte.fingerprint,
                acteur=self.acte.acteur,
                role=self.acte.role,
                oi_id=self.cadre.oi_id,
                reglement=self.cadre.reglement,
                correlation_id=self.acte.command_id,
                cause_id=self.acte.cause_id,
            ),
            reads={i: v for i, v in self._pinned.items() if i not in written},
        )
        if not recordings:
            return self._journal.outcome_of(self.acte)
        return Outcome(
            tuple(
                EventRef(
                    r.notification.id,
                    r.domain_event.originator_id,
                    r.domain_event.originator_version,
                    r.notification.topic,
                )
                for r in recordings
            )
        )


class Journal(Application[UUID]):
    """The application of the library, on our recorder, mapper and pool."""

    name = "journal"

    def __init__(
        self,
        pool: Connections,
        guards: Gardes,
        coffre: Coffre | None = None,
        pieces: Pieces | None = None,
    ) -> None:
        """Work on a pool whose connections run as the application's role.

        Without ``coffre``, no act on persons; without ``pieces``, no document is said to be here.
        """
        self.pool = pool
        self.guards = guards
        self._coffre = coffre
        self._pieces = pieces
        super().__init__()
        assert isinstance(self.recorder, JournalRecorder)
        self.recorder: JournalRecorder = self.recorder

    @property
    def coffre(self) -> Coffre:
        """The keys of persons."""
        assert self._coffre is not None
        return self._coffre

    @property
    def pieces(self) -> Pieces:
        """The files of documents."""
        assert self._pieces is not None
        return self._pieces

    def temoigner(self, fact: Evenement) -> Evenement:
        """Say, of each document of a fact whose file is here, the size of that file."""
        if self._pieces is None or not fact.pieces:
            return fact
        vues = (
            replace(piece, octets=self._pieces.octets(piece.sha256))
            if self._pieces.contient(piece.sha256)
            else piece
            for piece in fact.pieces
        )
        return replace(fact, pieces=tuple(vues))

    def construct_factory(self, env: Any) -> JournalFactory:
        """Give the library our factory."""
        factory = JournalFactory(env)
        factory.pool = self.pool
        return factory

    def construct_mapper(self) -> FactMapper:
        """Give the library our codec."""
        return FactMapper(transcoder=self.construct_transcoder())

    def decode(self, stored: Any) -> Evenement:
        """Rebuild one fact."""
        recorded = self.mapper.to_domain_event(stored)
        assert isinstance(recorded, Recorded)
        return recorded.fact

    def execute(self, acte: Acte, work: Callable[[Unit], object]) -> Outcome:
        """Run the work of a command and save it; decide again when a stream moved meanwhile.

        A key that was already accepted gives the first answer again, whatever happened since.

        Raises: Refusal, with nothing written.
        """
        refused: Refusal | None = None
        for attempt in range(RETRIES):
            unit = Unit(self, acte)
            try:
                work(unit)
                return unit.save()
            except IntegrityError:
                # Spread the rivals: whoever comes second decides on what the first one wrote.
                time.sleep(random.uniform(0, 0.002 * 2 ** min(attempt, 6)))  # noqa: S311
                continue
            except GuardBroken as broken:
                # A rival took the last euros between our reading and our writing: deciding once
                # more on what is left gives the refusal with its figures.
                if refused is None:
                    refused = self._refusal_of(broken)
                    continue
                raise refused from broken
            except Refusal:
                already = self.outcome_of(acte)
                if already.events:
                    return already
                raise
        raise refused or Busy

    def _refusal_of(self, broken: GuardBroken) -> Refusal:
        refusal = self.guards.contraintes.get(broken.constraint)
        if refusal is None:
            raise broken
        return refusal()

    def outcome_of(self, acte: Acte) -> Outcome:
        """Return what a key gave when it was accepted; an empty outcome if it never was.

        Raises: IdempotencyKeyReused when it served for something else.
        """
        with self.pool.connection() as conn:
            known = conn.execute(
                "SELECT fingerprint, acteur, first_position, last_position FROM oi.command "
                "WHERE command_id = %s",
                (acte.command_id,),
            ).fetchone()
            if known is None:
                return Outcome(())
            fingerprint, acteur, first, last = known
            if (bytes(fingerprint), acteur) != (acte.fingerprint, acte.acteur):
                raise IdempotencyKeyReused
            rows = conn.execute(
                "SELECT position, stream_id, version, name FROM oi.event "
                "WHERE position BETWEEN %s AND %s ORDER BY position",
                (first, last),
            ).fetchall()
        return Outcome(tuple(EventRef(*row) for row in rows), replayed=True)


@dataclass(frozen=True, slots=True)
class Service:
    """What a door needs: the journal to write, read-only connections to read, and the folders.

    ``reads_limites`` are for readers of some PLIE: the database shows them nothing else.
    ``pieces`` is what keeps the files of the folder of that name; ``acces``, how persons come in;
    ``travaux``, long work in the background; ``oidc``, the provider that may vouch for persons,
    when there is one.
    """

    journal: Journal
    reads: Connections
    reads_limites: Connections
    lieux: Lieux
    pieces: Pieces
    acces: Acces
    travaux: Travaux
    oidc: Oidc | None = None

    @property
    def coffre(self) -> Coffre:
        """The keys of persons."""
        return self.journal.coffre


def fingerprint(*parts: str, secret: bytes | None = None) -> bytes:
    """Digest what a command asks, to tell a repetition from another demand under the same key.

    With a secret, nobody who lacks it can guess what was asked and check the guess.
    """
    digest = hashlib.sha256() if secret is None else hmac.new(secret, digestmod="sha256")
    for part in parts:
        digest.update(len(part.encode()).to_bytes(8, "big") + part.encode())
    return digest.digest()
