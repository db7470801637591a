"""What decisions on a contrepartie ask of its past."""

from datetime import date
from typing import assert_never, cast
from uuid import UUID

import msgspec

from aggregates.cadre import Cadre
from aggregates.contrepartie.events import (
    AffectationAnnulee,
    AttributionAnnulee,
    ContrepartieAffectee,
    ContrepartieAttribuee,
    ContrepartiePercue,
    Fait,
    PerceptionAnnulee,
)
from oi_service.aggregate import Aggregate
from oi_service.codec import Evenement
from oi_service.errors import NotFound


class ContrepartieAbsente(NotFound):
    """Aucune contrepartie ne porte l’identifiant {id}."""


class Contrepartie(msgspec.Struct, frozen=True, kw_only=True):
    """A funding granted by a third party, shared between operations. Amounts are cents."""

    cadre: Cadre
    type: str
    financeur: str
    plie_id: str | None
    attribue: int
    percu: int = 0
    affectations: dict[UUID, int] = {}
    affectees_le: dict[UUID, date] = {}  #: when each operation was last backed
    #: Days of what was received under a reference for an amount, and not undone.
    perceptions: dict[tuple[str, int], tuple[date, ...]] = {}
    attribuee_le: date | None = None
    annulee_le: date | None = None

    @property
    def affecte(self) -> int:
        """What operations already hold of it."""
        return sum(self.affectations.values())


def evolve(state: Contrepartie | None, fact: Evenement) -> Contrepartie:
    """Apply a fact; never refuses."""
    fait = cast("Fait", fact)
    if isinstance(fait, ContrepartieAttribuee):
        return Contrepartie(
            cadre=fait.cadre,
            type=fait.type,
            financeur=fait.financeur,
            plie_id=fait.plie_id,
            attribue=fait.montant_centimes,
            attribuee_le=fait.date_effet,
        )
    assert state is not None
    replace = msgspec.structs.replace
    match fait:
        case ContrepartiePercue():
            cle = (fait.ref, fait.montant_centimes)
            jours_percus = (*state.perceptions.get(cle, ()), fait.date_effet)
            return replace(
                state,
                percu=state.percu + fait.montant_centimes,
                perceptions={**state.perceptions, cle: jours_percus},
            )
        case PerceptionAnnulee():
            cle = (fait.ref, fait.montant_centimes)
            return replace(
                state,
                percu=state.percu - fait.montant_centimes,
                perceptions={**state.perceptions, cle: state.perceptions.get(cle, ())[:-1]},
            )
        case AttributionAnnulee():
            return replace(
                state, attribue=state.attribue - fait.montant_centimes, annulee_le=fait.date_effet
            )
        case ContrepartieAffectee():
            held = _affecter(state, fait.operation_id, fait.montant_centimes)
            jours = {**state.affectees_le, fait.operation_id: fait.date_effet}
            return replace(held, affectees_le=jours)
        case AffectationAnnulee():
            return _affecter(state, fait.operation_id, -fait.montant_centimes)
        case _:
            assert_never(fait)


def _affecter(state: Contrepartie, operation_id: UUID, centimes: int) -> Contrepartie:
    held = {**state.affectations}
    held[operation_id] = held.get(operation_id, 0) + centimes
    return msgspec.structs.replace(state, affectations=held)


CONTREPARTIE = Aggregate("contrepartie", evolve, ContrepartieAbsente)
