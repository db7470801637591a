"""Undoing a lot as one: each of its rows by the decision that undoes it, or none of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from aggregates.commande import CommandeMotivee
from aggregates.lot.events import LotAnnule
from aggregates.lot.state import Lot
from oi_service.errors import RuleBroken

#: Rows that the sentence of a refusal names.
_NOMMEES = 20


class LotDejaAnnule(RuleBroken):
    """Ce lot est déjà annulé, depuis le {annule_le}."""


class AnnulationAvantImport(RuleBroken):
    """Le lot ne s’annule pas au {date_effet} : il n’est importé que depuis le {importe_le}."""


class LotNonAnnulable(RuleBroken):
    """Ce lot ne s’annule pas d’un bloc, {nombre} de ses lignes s’y opposent : {lignes}. Rien n’est
    annulé.
    """


class LotTenuParSonBilan(RuleBroken):
    """Ce lot s’annule en renvoyant le bilan qu’il a déposé, et ce bilan ne se renvoie pas.
    {raison} Rien n’est annulé.
    """


class AnnulerLot(CommandeMotivee):
    """Undo every row of a lot."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A row that cannot be undone, and why, as its own decision says it."""

    ligne: int
    raison: str

    def __str__(self) -> str:
        """Say it in the list of a refusal."""
        return f"ligne {self.ligne}, {self.raison.rstrip('.')}"


def exiger_annulable(lot: Lot, commande: AnnulerLot) -> None:
    """Refuse to undo twice, or before it was done."""
    if lot.annule_le is not None:
        raise LotDejaAnnule(annule_le=lot.annule_le)
    if commande.date_effet < lot.importe_le:
        raise AnnulationAvantImport(date_effet=commande.date_effet, importe_le=lot.importe_le)


def annuler(
    lot: Lot,
    commande: AnnulerLot,
    annulees: Sequence[UUID],
    deja: Sequence[UUID],
    obstacles: Sequence[Obstacle],
) -> list[LotAnnule]:
    """Undo a lot none of whose rows stands in the way.

    Args:
        lot: what was imported.
        commande: why it is undone.
        annulees: streams that this act undoes.
        deja: streams that were undone before, one by one.
        obstacles: rows that their own decisions refuse to undo.
    """
    exiger_annulable(lot, commande)
    if obstacles:
        nommes = " ; ".join(str(o) for o in obstacles[:_NOMMEES])
        autres = len(obstacles) - _NOMMEES
        raise LotNonAnnulable(
            nombre=len(obstacles), lignes=nommes + (f" ; et {autres} autres" if autres > 0 else "")
        )
    return [
        LotAnnule(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            nature=lot.nature,
            total_centimes=lot.total,
            annulees=tuple(annulees),
            deja_annulees=tuple(deja),
        )
    ]
