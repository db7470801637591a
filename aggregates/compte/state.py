"""What decisions on an account ask of its past."""

from collections.abc import Mapping
from typing import Literal, assert_never, cast
from uuid import UUID

import msgspec

from aggregates.compte.events import (
    CompteFerme,
    CompteOuvert,
    CompteRetabli,
    CompteSuspendu,
    Fait,
    MiseADispositionLevee,
    MiseADispositionNotee,
    RoleAttribue,
    RoleRetire,
)
from oi_service.aggregate import Aggregate
from oi_service.codec import Evenement
from oi_service.errors import NotFound

Statut = Literal["ouvert", "suspendu", "ferme"]


class CompteAbsent(NotFound):
    """Aucun compte ne porte cet identifiant."""


class CadreComptes(msgspec.Struct, frozen=True, kw_only=True):
    """Accounts live under no grant and no regulation."""

    oi_id: str = "comptes"
    reglement: str = "sans_objet"


class Compte(msgspec.Struct, frozen=True, kw_only=True):
    """An account. ``roles`` and ``mises`` are those that nobody took back, whatever their dates."""

    identifiant: str
    cadre: CadreComptes = CadreComptes()
    statut: Statut = "ouvert"
    roles: Mapping[UUID, RoleAttribue] = {}
    mises: Mapping[UUID, MiseADispositionNotee] = {}


def evolve(state: Compte | None, fact: Evenement) -> Compte:
    """Apply a fact; never refuses."""
    fait = cast("Fait", fact)
    if isinstance(fait, CompteOuvert):
        return Compte(identifiant=fait.identifiant)
    assert state is not None
    replace = msgspec.structs.replace
    match fait:
        case RoleAttribue():
            return replace(state, roles={**state.roles, fait.attribution_id: fait})
        case RoleRetire():
            restants = {i: r for i, r in state.roles.items() if i != fait.attribution_id}
            return replace(state, roles=restants)
        case MiseADispositionNotee():
            return replace(state, mises={**state.mises, fait.mise_id: fait})
        case MiseADispositionLevee():
            restantes = {i: m for i, m in state.mises.items() if i != fait.mise_id}
            return replace(state, mises=restantes)
        case CompteSuspendu():
            return replace(state, statut="suspendu")
        case CompteRetabli():
            return replace(state, statut="ouvert")
        case CompteFerme():
            return replace(state, statut="ferme")
        case _:
            assert_never(fait)


COMPTE = Aggregate("compte", evolve, CompteAbsent)
