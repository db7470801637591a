"""What decisions ask of a call for projects."""

from datetime import date
from typing import assert_never, cast

import msgspec

from aggregates.appel_a_projets.events import AppelAProjetsClos, AppelAProjetsPublie, Fait, Fiche
from aggregates.cadre import Cadre
from oi_service.aggregate import Aggregate
from oi_service.codec import Evenement
from oi_service.errors import NotFound


class AppelAProjetsAbsent(NotFound):
    """Aucun appel à projets ne porte l’identifiant {id}."""


class AppelAProjets(msgspec.Struct, frozen=True, kw_only=True):
    """A call: its fiches and until when one may answer."""

    cadre: Cadre
    numero: str
    date_ouverture: date
    date_cloture: date
    fiches: dict[str, Fiche]
    clos: bool = False


def evolve(state: AppelAProjets | None, fact: Evenement) -> AppelAProjets:
    """Apply a fact; never refuses."""
    fait = cast("Fait", fact)
    match fait:
        case AppelAProjetsPublie():
            return AppelAProjets(
                cadre=fait.cadre,
                numero=fait.numero,
                date_ouverture=fait.date_ouverture,
                date_cloture=fait.date_cloture,
                fiches={fiche.code: fiche for fiche in fait.fiches},
            )
        case AppelAProjetsClos():
            assert state is not None
            return msgspec.structs.replace(state, clos=True)
        case _:
            assert_never(fait)


APPEL_A_PROJETS = Aggregate("appel_a_projets", evolve, AppelAProjetsAbsent)
