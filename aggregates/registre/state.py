"""The register: one stream, that of the service itself."""

from typing import assert_never, cast
from uuid import UUID

import msgspec

from aggregates.registre.events import (
    CleChangee,
    CleEtablie,
    Fait,
    JournalAncre,
    LivresVerifies,
    ProjectionsRefaites,
)
from oi_service.aggregate import Aggregate
from oi_service.codec import Evenement
from oi_service.errors import NotFound

#: There is one register in a base.
REGISTRE_ID = UUID("7d0f3f0a-4f3c-5b0e-8f5e-0d2b8c5f4a11")


class RegistreAbsent(NotFound):
    """Le registre n’a encore rien noté sur lui-même."""


class CadreRegistre(msgspec.Struct, frozen=True, kw_only=True):
    """The register lives under no grant and no regulation."""

    oi_id: str = "registre"
    reglement: str = "sans_objet"


class CleDuJournal(msgspec.Struct, frozen=True, kw_only=True):
    """A key, public, in base64; it signs the points of more than ``depuis`` events."""

    cle: str
    depuis: int = 0


class Registre(msgspec.Struct, frozen=True, kw_only=True):
    """What the register knows of itself."""

    cadre: CadreRegistre = CadreRegistre()
    verifie_jusqua: int = 0  #: position up to which the invariants were last checked
    cles: tuple[CleDuJournal, ...] = ()  #: the oldest first; the last one signs
    ancre: JournalAncre | None = None  #: the last point that was signed

    @property
    def cle(self) -> str | None:
        """The key that signs now."""
        return self.cles[-1].cle if self.cles else None

    def cle_de(self, taille: int) -> str | None:
        """Return the key that signs, or signed, a point of that many events."""
        return next((c.cle for c in reversed(self.cles) if c.depuis < taille), None)


def evolve(state: Registre | None, fact: Evenement) -> Registre:
    """Apply a fact; never refuses."""
    fait, state = cast("Fait", fact), state or Registre()
    match fait:
        case ProjectionsRefaites():
            return state
        case LivresVerifies():
            return msgspec.structs.replace(state, verifie_jusqua=fait.jusqua_position)
        case CleEtablie():
            return msgspec.structs.replace(state, cles=(CleDuJournal(cle=fait.cle),))
        case CleChangee():
            suivante = CleDuJournal(cle=fait.cle, depuis=fait.depuis)
            return msgspec.structs.replace(state, cles=(*state.cles, suivante))
        case JournalAncre():
            return msgspec.structs.replace(state, ancre=fait)
        case _:
            assert_never(fait)


REGISTRE = Aggregate("registre", evolve, RegistreAbsent)
