"""Whom to write to about an operation: a person of the beneficiary, by an opaque identifier."""

from uuid import UUID

from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import Commande, CommandeMotivee
from aggregates.operation.events import ContactDesigne, ContactRetire
from aggregates.operation.state import Operation
from aggregates.personne.enregistrement import exiger_contact
from aggregates.personne.state import Personne
from oi_service.errors import RuleBroken


class ContactNonDesigne(RuleBroken):
    """Cette personne n’est pas un contact de l’opération : il n’y a rien à retirer."""


class DesignerContact(Commande):
    """Name a contact."""

    personne_id: UUID


class RetirerContact(CommandeMotivee):
    """Somebody is no longer a contact."""

    personne_id: UUID


def designer(
    operation: Operation, commande: DesignerContact, personne: Personne
) -> list[ContactDesigne]:
    """Name a contact of the beneficiary, at any time of the life of a dossier."""
    exiger_contact(personne)
    if commande.personne_id in operation.contacts:
        return []
    return [
        ContactDesigne(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            personne_id=commande.personne_id,
        )
    ]


def retirer(operation: Operation, commande: RetirerContact) -> list[ContactRetire]:
    """Take note that somebody is no longer a contact; they go on documenting what they signed."""
    if commande.personne_id not in operation.contacts:
        raise ContactNonDesigne
    exiger_pas_avant(
        commande.date_effet,
        "Retirer ce contact",
        operation.contacts[commande.personne_id],
        "il a été désigné",
    )
    return [
        ContactRetire(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            personne_id=commande.personne_id,
        )
    ]
