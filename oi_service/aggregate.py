"""A kind of stream: how its facts make its state."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from oi_service.codec import Evenement
from oi_service.errors import NotFound


class Frame(Protocol):
    """Whose log it is and under which regulation: two columns of every event."""

    @property
    def oi_id(self) -> str:
        """The organisme intermédiaire."""

    @property
    def reglement(self) -> str:
        """The regulation, such as ``"2014-2020"``."""


class State(Protocol):
    """What every aggregate state knows."""

    @property
    def cadre(self) -> Frame:
        """The subvention globale that it lives under."""


S = TypeVar("S", bound=State)


@dataclass(frozen=True, slots=True)
class Aggregate(Generic[S]):
    """A kind of stream: its prefix in event names, its fold, its refusal when there is none."""

    name: str
    evolve: Callable[[S | None, Evenement], S]
    absent: type[NotFound]

    def replay(self, facts: Iterable[Evenement]) -> S | None:
        """Fold facts into a state; ``None`` when there is no fact."""
        state: S | None = None
        for fact in facts:
            state = self.evolve(state, fact)
        return state


@dataclass(frozen=True, slots=True)
class Touche:
    """What a command is about to record in a stream, and the state that it leaves there."""

    stream_id: UUID
    etat: State
    faits: Sequence[Evenement]


class Lecteur(Protocol):
    """Reads states; those that were read already cost nothing."""

    def find_all(
        self, aggregate: Aggregate[S], stream_ids: Iterable[UUID], *, pinned: bool = True
    ) -> list[S | None]:
        """Return several states in one round trip, in the order asked; a pinned one stays so."""
