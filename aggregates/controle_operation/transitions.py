"""The order of life of an audit: what may follow what, and never before it."""

from datetime import date

from aggregates.chronologie import exiger_pas_avant
from aggregates.controle_operation.state import LIBELLES, ControleOperation, Statut
from oi_service.errors import RuleBroken


class ActeDeControleHorsDeSonOrdre(RuleBroken):
    """{acte} est impossible : le contrôle {reference} est « {statut} », il devrait être
    {attendus}.
    """


class LimiteAnterieure(RuleBroken):
    """La date limite du {limite} précède l’acte qui la fixe, du {jour} : vérifiez les deux."""


class ProlongationSansEffet(RuleBroken):
    """La nouvelle date limite, le {apres}, ne va pas au-delà de celle du {avant}."""


def exiger(controle: ControleOperation, acte: str, *attendus: Statut) -> None:
    """Refuse an act that does not come at its time, naming where the control stands."""
    if controle.statut not in attendus:
        raise ActeDeControleHorsDeSonOrdre(
            acte=acte,
            reference=controle.reference,
            statut=LIBELLES[controle.statut],
            attendus=" ou ".join(f"« {LIBELLES[statut]} »" for statut in attendus),
        )


def exiger_apres_tout(controle: ControleOperation, jour: date, acte: str) -> None:
    """Refuse an act that ends what came before it, dated before a part of that."""
    exiger_pas_avant(
        jour, acte, controle.dernier_le, "le dernier acte enregistré de ce contrôle compte"
    )


def exiger_limite(limite: date, jour: date) -> None:
    """Refuse a deadline that is over before it is given."""
    if limite < jour:
        raise LimiteAnterieure(limite=limite, jour=jour)


def exiger_prolongation(avant: date, apres: date) -> None:
    """Refuse a later deadline that is not later."""
    if apres <= avant:
        raise ProlongationSansEffet(avant=avant, apres=apres)
