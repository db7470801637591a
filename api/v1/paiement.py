"""Payments, money asked back, certification. `If-Match` is the version of the convention."""

from uuid import UUID

from fastapi import APIRouter

from aggregates.convention import certification, paiements
from aggregates.convention.state import CONVENTION
from api import actions
from api.deps import ActeOut, Ecriture
from api.v1.actes import RACINE, ajoute, commande
from oi_service.ids import convention_of

router = APIRouter(prefix="/operations/{operation_id}")

_PAIEMENTS = APIRouter(tags=["Paiements et reversements"])
_CERTIFICATION = APIRouter(tags=["Certification"])


@ajoute(_PAIEMENTS, "/paiements")
def ordonnancer_paiement(
    operation_id: UUID, acte: paiements.OrdonnancerPaiement, ecriture: Ecriture
) -> ActeOut:
    """Ordonnancer une avance, un acompte ou un solde ; `id` est celui du paiement."""
    return ecriture.run(
        actions.ordonnancer_paiement,
        operation_id,
        acte,
        target=convention_of(operation_id),
        new=ecriture.new_id("paiement"),
        location=f"{RACINE}/operations/{operation_id}/convention",
    )


@commande(_PAIEMENTS, "/paiements/{paiement_id}/execution")
def effectuer_paiement(
    operation_id: UUID, paiement_id: UUID, acte: paiements.EffectuerPaiement, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer le virement d’un paiement ordonnancé."""
    return ecriture.decide(
        CONVENTION, convention_of(operation_id), paiements.effectuer, acte, paiement_id
    )


@commande(_PAIEMENTS, "/paiements/{paiement_id}/rejet")
def rejeter_paiement(
    operation_id: UUID, paiement_id: UUID, acte: paiements.RejeterPaiement, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer le rejet d’un virement par la banque."""
    return ecriture.decide(
        CONVENTION, convention_of(operation_id), paiements.rejeter, acte, paiement_id
    )


@ajoute(_PAIEMENTS, "/ordres-de-reversement")
def emettre_ordre_reversement(
    operation_id: UUID, acte: paiements.EmettreOrdreReversement, ecriture: Ecriture
) -> ActeOut:
    """Réclamer ce qui a été payé au-delà du dû ; `id` est celui de l’ordre de reversement."""
    return ecriture.run(
        actions.emettre_ordre_reversement,
        operation_id,
        acte,
        target=convention_of(operation_id),
        new=ecriture.new_id("ordre"),
        location=f"{RACINE}/operations/{operation_id}/convention",
    )


@commande(_PAIEMENTS, "/ordres-de-reversement/{ordre_id}/encaissements")
def encaisser_reversement(
    operation_id: UUID, ordre_id: UUID, acte: paiements.EncaisserReversement, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer ce qui est revenu, en une ou plusieurs fois."""
    return ecriture.decide(
        CONVENTION, convention_of(operation_id), paiements.encaisser, acte, ordre_id
    )


@commande(_CERTIFICATION, "/etats-de-depenses")
def transmettre_etat(
    operation_id: UUID, acte: certification.TransmettreEtat, ecriture: Ecriture
) -> ActeOut:
    """Transmettre un état de dépenses à l’autorité de gestion."""
    return ecriture.decide(CONVENTION, convention_of(operation_id), certification.transmettre, acte)


@commande(_CERTIFICATION, "/certifications")
def enregistrer_certification(
    operation_id: UUID, acte: certification.EnregistrerCertification, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer ce que l’État a certifié dans un appel de fonds."""
    return ecriture.decide(CONVENTION, convention_of(operation_id), certification.certifier, acte)


@commande(_CERTIFICATION, "/retraits")
def enregistrer_retrait(
    operation_id: UUID, acte: certification.EnregistrerRetrait, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer ce que l’État a retiré de ce qui était certifié."""
    return ecriture.decide(CONVENTION, convention_of(operation_id), certification.retirer, acte)


for chapter in (_PAIEMENTS, _CERTIFICATION):
    router.include_router(chapter)
