"""Given the past, when a decision is taken, then these facts, or this refusal.

No database: decisions are pure. A test reads as the rule that its name states.
"""

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

import pytest

from oi_service.aggregate import Aggregate, S
from oi_service.codec import REGISTRY, Evenement
from oi_service.errors import Refusal

F = TypeVar("F", bound=Evenement)


def lisible(sentence: object) -> str:
    """Write a sentence with plain spaces, as somebody types it."""
    return str(sentence).replace("\u202f", " ").replace("\u00a0", " ")


def _read_again(fact: Evenement) -> Evenement:
    """Return a fact as the journal reads it: each field of the type that its class declares."""
    name, data, date_effet, motif, pieces = REGISTRY.encode(fact)
    return REGISTRY.decode(name, data, date_effet.isoformat(), motif, pieces)


class Decision:
    """A decision about to be taken on a past."""

    def __init__(self, aggregate: Aggregate[Any], state: Any, take: Callable[[Any], Any]) -> None:
        self._aggregate = aggregate
        self._state = state
        self._take = take

    def facts(self) -> list[Any]:
        """Take it; every fact can be stored, and must fit in the state that it follows."""
        facts = list(self._take(self._state))
        state = self._state
        for fact in facts:
            assert _read_again(fact) == fact
            state = self._aggregate.evolve(state, fact)
        return facts

    def then(self, *expected: Evenement) -> None:
        """Expect these facts, whole."""
        assert self.facts() == list(expected)

    def then_one(self, kind: type[F], **fields: object) -> F:
        """Expect one fact of a kind, and these of its fields; return it."""
        [fact] = self.facts()
        assert type(fact) is kind
        assert {name: getattr(fact, name) for name in fields} == fields
        return fact

    def refuses(self, refusal: type[Refusal], fragment: str) -> None:
        """Expect this refusal, with these words in its French sentence."""
        with pytest.raises(refusal) as refused:
            self.facts()
        assert type(refused.value) is refusal
        sentence = lisible(refused.value)
        assert fragment in sentence
        assert "None" not in sentence, sentence

    def state(self) -> Any:
        """Take it and return the state that follows."""
        state = self._state
        for fact in self.facts():
            state = self._aggregate.evolve(state, fact)
        return state


class Given(Generic[S]):
    """The facts of one stream, from its first."""

    def __init__(self, aggregate: Aggregate[S], facts: Iterable[Evenement] = ()) -> None:
        self.aggregate = aggregate
        self.state: Any = aggregate.replay(facts)

    def when(self, decision: Callable[..., Any], *args: object, **named: object) -> Decision:
        """Ask a decision on that state; arguments follow the state."""
        return Decision(self.aggregate, self.state, lambda state: decision(state, *args, **named))
