"""What a form knows before anything is typed: what it is about, first values, choices.

One module a chapter; each function is found by the name of its act. A form without one starts
empty, and says which dossier it is about.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from api.deps import LectureOuverte
from api.pages.actes.sujets import Sujet


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is known of an act about to be done.

    ``initiales``: a body, or a part of one, as the JSON door takes it. ``options``: by dotted name
    of field (``plan.postes.code``: no number of line), the values to choose from. ``caches``:
    fields that are sent without being shown. ``inchanges``: fields that say a difference, left out
    when they still hold their first value. ``resume``: what helps to decide. ``impossible``: why it
    cannot be done now, in place of a form. ``suite``: the page of what the act makes, each
    ``{field}`` of it as it was typed; else one goes back where one was.
    """

    sujet: Sujet | None = None
    initiales: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    caches: frozenset[str] = frozenset()
    inchanges: frozenset[str] = frozenset()
    resume: tuple[tuple[str, str], ...] = ()
    avertissements: tuple[str, ...] = ()
    impossible: str | None = None
    suite: str | None = None


Preparer = Callable[..., Preparation]

_PREPARATIONS: dict[str, Preparer] = {}


def prepare(*noms: str) -> Callable[[Preparer], Preparer]:
    """Declare the function that prepares acts: ``(lecture, *cibles) -> Preparation``."""

    def declarer(fonction: Preparer) -> Preparer:
        for nom in noms:
            assert nom not in _PREPARATIONS, f"two preparations for {nom}"
            _PREPARATIONS[nom] = fonction
        return fonction

    return declarer


def preparation(nom: str, lecture: LectureOuverte, cibles: Mapping[str, Any]) -> Preparation:
    """Return what is known of an act about to be done; nothing when nobody prepares it."""
    _charger()
    fonction = _PREPARATIONS.get(nom)
    return Preparation() if fonction is None else fonction(lecture, *cibles.values())


@cache
def _charger() -> None:
    """Read every chapter of this package: each declares its own functions."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
