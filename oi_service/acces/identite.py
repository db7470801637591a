"""Who a request comes from, and what they may act as today."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Attribution:
    """A role in force; ``plies`` is its territory, empty for the whole OI."""

    role: str
    plies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identite:
    """An account that proved itself.

    ``detachee_par``: the PLIE that employ the person today. ``lecture_seule``: a token that writes
    nothing. ``renforcee``: the second factor was given a moment ago.
    """

    identifiant: str
    nom: str
    attributions: tuple[Attribution, ...]
    detachee_par: frozenset[str] = frozenset()
    moyen: Literal["session", "jeton"] = "session"
    lecture_seule: bool = False
    renforcee: bool = False
    second_facteur_a_installer: bool = False
    session_id: UUID | None = None
