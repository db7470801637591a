"""What decisions on a lot ask of its past."""

from datetime import date
from typing import assert_never, cast
from uuid import UUID

import msgspec

from aggregates.cadre import Cadre
from aggregates.lot.events import Fait, LigneDuLot, LotAnnule, LotImporte
from oi_service.aggregate import Aggregate
from oi_service.codec import Evenement
from oi_service.errors import NotFound


class LotAbsent(NotFound):
    """Aucun lot ne porte l’identifiant {id}."""


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a workbook. Amounts are cents; ``plies`` empty: it is about the whole OI."""

    cadre: Cadre
    nature: str
    importe_le: date
    lignes: tuple[LigneDuLot, ...]
    operations: tuple[UUID, ...]
    plies: tuple[str, ...]
    total: int
    bilan_id: UUID | None = None
    annule_le: date | None = None


def evolve(state: Lot | None, fact: Evenement) -> Lot:
    """Apply a fact; never refuses."""
    fait = cast("Fait", fact)
    match fait:
        case LotImporte():
            return Lot(
                cadre=fait.cadre,
                nature=fait.nature,
                importe_le=fait.date_effet,
                lignes=fait.lignes,
                operations=fait.operations,
                plies=fait.plies,
                total=fait.total_centimes,
                bilan_id=fait.bilan_id,
            )
        case LotAnnule():
            assert state is not None
            return msgspec.structs.replace(state, annule_le=fait.date_effet)
        case _:
            assert_never(fait)


LOT = Aggregate("lot", evolve, LotAbsent)
