"""Undoing what was recorded of a funder by mistake: a perception, or the grant itself."""

from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import Code, CommandeMotivee
from aggregates.contrepartie.events import AttributionAnnulee, PerceptionAnnulee
from aggregates.contrepartie.state import Contrepartie
from oi_service.errors import RuleBroken
from oi_service.money import Montant


class PerceptionInconnue(RuleBroken):
    """Aucune perception de {montant:euros} n’est enregistrée sous la référence {ref}, ou elle est
    déjà annulée.
    """


class AttributionDejaAnnulee(RuleBroken):
    """L’attribution de {financeur} est annulée, depuis le {annulee_le} : il n’y a plus rien à en
    recevoir ni à en reprendre.
    """


class ContrepartieEmployee(RuleBroken):
    """L’attribution de {financeur} ne s’annule pas : {percu:euros} en sont perçus et
    {affecte:euros} appuient des opérations. Annulez d’abord ces perceptions et ces affectations.
    """


class AnnulerPerception(CommandeMotivee):
    """Undo a perception, named by its amount and its reference."""

    montant: Montant
    ref: Code


def annuler_perception(
    contrepartie: Contrepartie, commande: AnnulerPerception
) -> list[PerceptionAnnulee]:
    """Take back what was recorded as received, and was not."""
    jours = contrepartie.perceptions.get((commande.ref, commande.montant))
    if not jours:
        raise PerceptionInconnue(montant=commande.montant, ref=commande.ref)
    exiger_pas_avant(
        commande.date_effet, "Annuler une perception", jours[-1], "la perception a été enregistrée"
    )
    return [
        PerceptionAnnulee(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            montant_centimes=commande.montant,
            ref=commande.ref,
        )
    ]


class AnnulerAttribution(CommandeMotivee):
    """Undo the grant of a funder, of which nothing was received nor used."""


def annuler_attribution(
    contrepartie: Contrepartie, commande: AnnulerAttribution
) -> list[AttributionAnnulee]:
    """Take back a grant that was not."""
    exiger_attribuee(contrepartie)
    if contrepartie.percu or contrepartie.affecte:
        raise ContrepartieEmployee(
            financeur=contrepartie.financeur,
            percu=contrepartie.percu,
            affecte=contrepartie.affecte,
        )
    exiger_pas_avant(
        commande.date_effet,
        "Annuler l’attribution",
        contrepartie.attribuee_le,
        "la contrepartie a été attribuée",
    )
    return [
        AttributionAnnulee(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            montant_centimes=contrepartie.attribue,
        )
    ]


def exiger_attribuee(contrepartie: Contrepartie) -> None:
    """Refuse to go on with a grant that was undone."""
    if contrepartie.annulee_le is not None:
        raise AttributionDejaAnnulee(
            financeur=contrepartie.financeur, annulee_le=contrepartie.annulee_le
        )
