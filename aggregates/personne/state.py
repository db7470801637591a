"""What decisions on a person ask of their past."""

from datetime import date
from typing import assert_never, cast
from uuid import UUID

import msgspec

from aggregates.cadre import Cadre
from aggregates.personne.events import (
    ENREGISTREE,
    RECTIFIEE,
    Fait,
    Nature,
    PersonneEffacee,
    PersonneEnregistree,
    PersonneRattachee,
    PersonneRectifiee,
)
from oi_service.aggregate import Aggregate
from oi_service.codec import Evenement
from oi_service.errors import NotFound
from oi_service.personnes.donnee import DonneeChiffree


class PersonneAbsente(NotFound):
    """Aucune personne ne porte l’identifiant {id}."""


class Personne(msgspec.Struct, frozen=True, kw_only=True):
    """A person, of whom nothing can be read here.

    ``identite`` is what was last recorded, in the fact of the name ``fait``. ``operations``: those
    that their data document.
    """

    cadre: Cadre
    nature: Nature
    identite: DonneeChiffree
    fait: str
    connue_le: date  #: when what is known was recorded, or last rectified
    version: int = 1
    operations: frozenset[UUID] = frozenset()
    effacee_le: date | None = None


def evolve(state: Personne | None, fact: Evenement) -> Personne:
    """Apply a fact; never refuses."""
    fait = cast("Fait", fact)
    if isinstance(fait, PersonneEnregistree):
        return Personne(
            cadre=fait.cadre,
            nature=fait.nature,
            identite=fait.identite,
            fait=ENREGISTREE,
            connue_le=fait.date_effet,
        )
    assert state is not None
    version = state.version + 1
    replace = msgspec.structs.replace
    match fait:
        case PersonneRectifiee():
            return replace(
                state,
                version=version,
                identite=fait.identite,
                fait=RECTIFIEE,
                connue_le=fait.date_effet,
            )
        case PersonneRattachee():
            return replace(
                state, version=version, operations=state.operations | {fait.operation_id}
            )
        case PersonneEffacee():
            return replace(state, version=version, effacee_le=fait.date_effet)
        case _:
            assert_never(fait)


PERSONNE = Aggregate("personne", evolve, PersonneAbsente)
