"""Conventions: signature, notification, avenants. `If-Match` is the version of the convention."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from aggregates.convention import avenants, signature
from api import actions
from api.deps import ActeOut, Creation, Ecriture
from api.errors import saisie_invalide
from api.v1.actes import RACINE, ajoute, commande, cree
from oi_service.ids import convention_of

router = APIRouter(prefix="/operations/{operation_id}/convention", tags=["Conventions"])

NumeroAvenant = Annotated[int, Path(ge=1, le=999)]


@cree(router, "")
def signer_convention(
    operation_id: UUID, acte: signature.SignerConvention, ecriture: Creation
) -> ActeOut:
    """Enregistrer la convention signée par les deux parties."""
    return ecriture.run(
        actions.signer_convention,
        operation_id,
        acte,
        target=convention_of(operation_id),
        location=f"{RACINE}/operations/{operation_id}/convention",
    )


@commande(router, "/notification")
def notifier_convention(
    operation_id: UUID, acte: signature.NotifierConvention, ecriture: Ecriture
) -> ActeOut:
    """Notifier la convention : elle entre en vigueur."""
    return ecriture.run(
        actions.notifier_convention, operation_id, acte, target=convention_of(operation_id)
    )


@ajoute(router, "/avenants")
def demander_avenant(
    operation_id: UUID, acte: avenants.DemanderAvenant, ecriture: Ecriture
) -> ActeOut:
    """Demander un avenant ; ce qui n’est pas dit reste inchangé."""
    return ecriture.run(
        actions.demander_avenant,
        operation_id,
        acte,
        target=convention_of(operation_id),
        location=f"{RACINE}/operations/{operation_id}/convention",
    )


def _exiger_meme_numero(numero: int, acte_numero: int) -> None:
    """Refuse a body that speaks of another avenant than the address."""
    if numero != acte_numero:
        raise saisie_invalide(
            f"l’adresse désigne l’avenant n° {numero}", "body", "numero", received=acte_numero
        )


@commande(router, "/avenants/{numero}/programmation")
def programmer_avenant(
    operation_id: UUID, numero: NumeroAvenant, acte: avenants.ProgrammerAvenant, ecriture: Ecriture
) -> ActeOut:
    """Approuver un avenant, réexaminé par l’instance de l’organisme intermédiaire."""
    _exiger_meme_numero(numero, acte.numero)
    return ecriture.run(
        actions.programmer_avenant, operation_id, acte, target=convention_of(operation_id)
    )


@commande(router, "/avenants/{numero}/signature")
def signer_avenant(
    operation_id: UUID, numero: NumeroAvenant, acte: avenants.SignerAvenant, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer l’avenant signé : la nouvelle version de la convention entre en vigueur."""
    _exiger_meme_numero(numero, acte.numero)
    return ecriture.run(
        actions.signer_avenant, operation_id, acte, target=convention_of(operation_id)
    )


@commande(router, "/avenants/{numero}/abandon")
def abandonner_avenant(
    operation_id: UUID, numero: NumeroAvenant, acte: avenants.AbandonnerAvenant, ecriture: Ecriture
) -> ActeOut:
    """Renoncer à un avenant non signé ; ce qu’il réservait revient à l’enveloppe."""
    _exiger_meme_numero(numero, acte.numero)
    return ecriture.run(
        actions.abandonner_avenant, operation_id, acte, target=convention_of(operation_id)
    )
