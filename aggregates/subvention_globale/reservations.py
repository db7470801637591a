"""What programming holds of an enveloppe. These facts commute: a guard row keeps the ceiling."""

from datetime import date
from uuid import UUID

from aggregates.cadre import Cellule
from aggregates.subvention_globale.events import EnveloppeLiberee, EnveloppeReservee
from aggregates.subvention_globale.maquette import exiger_en_vigueur
from aggregates.subvention_globale.state import SubventionGlobale
from oi_service.errors import RuleBroken


class DisponibleInsuffisant(RuleBroken):
    """{demande:euros} de FSE ne peuvent pas être programmés sur {cellule} : il y reste
    {disponible:euros}. Réduisez le montant, ou faites décider un transfert.
    """


class EnveloppeJustePrise(RuleBroken):
    """L’enveloppe vient d’être prise par une autre décision : il n’y reste plus assez de FSE."""


#: Database constraints that hold these rules a second time, against races.
GARDES = {"enveloppe_jamais_depassee": EnveloppeJustePrise}


def reserver(
    subvention: SubventionGlobale,
    *,
    operation_id: UUID,
    cellule: Cellule,
    fse_centimes: int,
    date_effet: date,
) -> list[EnveloppeReservee]:
    """Hold an amount for an operation, within what its enveloppe still has."""
    exiger_en_vigueur(subvention, date_effet)
    disponible = subvention.disponible(cellule)
    if fse_centimes > disponible:
        raise DisponibleInsuffisant(
            demande=fse_centimes, cellule=cellule.libelle, disponible=disponible
        )
    if fse_centimes == 0:
        return []
    return [
        EnveloppeReservee(
            date_effet=date_effet,
            operation_id=operation_id,
            cellule=cellule,
            fse_centimes=fse_centimes,
        )
    ]


def liberer(
    subvention: SubventionGlobale,
    *,
    operation_id: UUID,
    cellule: Cellule,
    fse_centimes: int,
    date_effet: date,
    motif: str,
) -> list[EnveloppeLiberee]:
    """Give back what an operation will not use; never more than it holds."""
    held = subvention.operations.get(operation_id, 0)
    assert 0 <= fse_centimes <= held, (operation_id, fse_centimes, held)
    if fse_centimes == 0:
        return []
    return [
        EnveloppeLiberee(
            date_effet=date_effet,
            motif=motif,
            operation_id=operation_id,
            cellule=cellule,
            fse_centimes=fse_centimes,
        )
    ]
