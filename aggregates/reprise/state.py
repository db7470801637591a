"""What decisions on a reprise ask of its past."""

from datetime import date
from typing import assert_never, cast

import msgspec

from aggregates.cadre import Cadre
from aggregates.reprise.events import Fait, OperationReprise, RepriseAnnulee
from oi_service.aggregate import Aggregate
from oi_service.codec import Evenement
from oi_service.errors import NotFound


class RepriseAbsente(NotFound):
    """Aucune opération reprise ne porte l’identifiant {id}."""


class Reprise(msgspec.Struct, frozen=True, kw_only=True):
    """An operation taken over. Amounts are cents."""

    cadre: Cadre
    date_programmation: date
    cout_total_eligible: int
    fse: int
    annulee_le: date | None = None


def evolve(state: Reprise | None, fact: Evenement) -> Reprise:
    """Apply a fact; never refuses."""
    fait = cast("Fait", fact)
    match fait:
        case OperationReprise():
            return Reprise(
                cadre=fait.cadre,
                date_programmation=fait.date_programmation,
                cout_total_eligible=fait.cout_total_eligible_centimes,
                fse=fait.fse_centimes,
            )
        case RepriseAnnulee():
            assert state is not None
            return msgspec.structs.replace(state, annulee_le=fait.date_effet)
        case _:
            assert_never(fait)


REPRISE = Aggregate("reprise", evolve, RepriseAbsente)
