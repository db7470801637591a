"""The register: one stream, that of the service itself."""

from typing import assert_never, cast
from uuid import UUID

import msgspec

from aggregates.registre.events import Fait, LivresVerifies, ProjectionsRefaites
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


class Registre(msgspec.Struct, frozen=True, kw_only=True):
    """What the register knows of itself."""

    cadre: CadreRegistre = CadreRegistre()
    verifie_jusqua: int = 0  #: position up to which the invariants were last checked


def evolve(state: Registre | None, fact: Evenement) -> Registre:
    """Apply a fact; never refuses."""
    fait, state = cast("Fait", fact), state or Registre()
    match fait:
        case ProjectionsRefaites():
            return state
        case LivresVerifies():
            return msgspec.structs.replace(state, verifie_jusqua=fait.jusqua_position)
        case _:
            assert_never(fait)


REGISTRE = Aggregate("registre", evolve, RegistreAbsent)
