"""A kind of stream: how its facts make its state."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

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
