"""The clock of the payment of a bilan: interrupted in writing, then going on."""

from typing import Literal
from uuid import UUID

from aggregates.commande import Code, Commande, CommandeMotivee
from aggregates.convention.bilans import bilan_de
from aggregates.convention.events import DelaiPaiementInterrompu, DelaiPaiementRepris
from aggregates.convention.paiements import reste_a_regler
from aggregates.convention.state import Bilan, Convention
from oi_service.errors import RuleBroken


class DelaiAvantDepot(RuleBroken):
    """Le délai de paiement du bilan n° {numero} court depuis son dépôt, le {depot} : il ne
    s’interrompt pas avant.
    """


class DelaiHorsDeSonOrdre(RuleBroken):
    """Le délai de paiement du bilan n° {numero} a changé le {dernier} : une interruption ou une
    reprise ne se date pas avant.
    """


class DelaiDejaInterrompu(RuleBroken):
    """Le délai de paiement du bilan n° {numero} est déjà interrompu."""


class DelaiNonInterrompu(RuleBroken):
    """Le délai de paiement du bilan n° {numero} n’est pas interrompu : il ne reprend pas."""


class DelaiArrete(RuleBroken):
    """Le bilan n° {numero} est contrôlé et il ne reste rien à payer : son délai de paiement ne
    court plus.
    """

    article = "Règlement (UE) n° 1303/2013, art. 132 ; règlement (UE) 2021/1060, art. 74 §1 b)"


class InterrompreDelai(CommandeMotivee):
    """Stop the clock; ``notification_ref`` is the letter that tells the beneficiary why."""

    cause: Literal["montant_non_du", "piece_manquante", "suspicion_irregularite"]
    notification_ref: Code


def interrompre(
    convention: Convention, commande: InterrompreDelai, bilan_id: UUID
) -> list[DelaiPaiementInterrompu]:
    """Stop the clock, from the deposit on and until all that is due is paid.

    Source: règlement (UE) n° 1303/2013, art. 132 §2; règlement (UE) 2021/1060, art. 74 §1 b).
    """
    bilan = bilan_de(convention, bilan_id)
    if commande.date_effet < bilan.depose_le:
        raise DelaiAvantDepot(numero=bilan.numero, depot=bilan.depose_le)
    if bilan.delai_interrompu:
        raise DelaiDejaInterrompu(numero=bilan.numero)
    _exiger_apres(bilan, commande)
    if _regle(convention, bilan):
        raise DelaiArrete(numero=bilan.numero)
    return [
        DelaiPaiementInterrompu(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            bilan_id=bilan_id,
            cause=commande.cause,
            notification_ref=commande.notification_ref,
        )
    ]


class ReprendreDelai(Commande):
    """Let the clock go on, from ``date_effet``."""


def reprendre(
    convention: Convention, commande: ReprendreDelai, bilan_id: UUID
) -> list[DelaiPaiementRepris]:
    """Let the clock go on from where it stood."""
    bilan = bilan_de(convention, bilan_id)
    if not bilan.delai_interrompu:
        raise DelaiNonInterrompu(numero=bilan.numero)
    _exiger_apres(bilan, commande)
    return [
        DelaiPaiementRepris(
            date_effet=commande.date_effet, pieces=commande.jointes(), bilan_id=bilan_id
        )
    ]


def _exiger_apres(bilan: Bilan, commande: Commande) -> None:
    if bilan.delai_le is not None and commande.date_effet < bilan.delai_le:
        raise DelaiHorsDeSonOrdre(numero=bilan.numero, dernier=bilan.delai_le)


def _regle(convention: Convention, bilan: Bilan) -> bool:
    """Tell whether the bilan was controlled, and all that is due now was transferred."""
    if bilan.apports is None:
        return False
    reste = reste_a_regler(convention, convention.paye, final=bilan.type == "final")
    return reste.a_payer_centimes == 0
