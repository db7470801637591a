"""Payments, money asked back, their clock, certification; `If-Match`: the convention's version."""

from uuid import UUID

from fastapi import APIRouter

from aggregates.convention import certification, horloge, paiements, reversements
from aggregates.convention.state import CONVENTION
from api import actions
from api.deps import ActeOut, Ecriture
from api.v1.actes import RACINE, ajoute, commande
from oi_service.ids import convention_of

router = APIRouter(prefix="/operations/{operation_id}")

_PAIEMENTS = APIRouter(tags=["Paiements et reversements"])
_DELAIS = APIRouter(prefix="/bilans/{bilan_id}", tags=["Délai de paiement"])
_CERTIFICATION = APIRouter(tags=["Certification"])


@ajoute(_PAIEMENTS, "/paiements")
def preparer_paiement(
    operation_id: UUID, acte: paiements.PreparerPaiement, ecriture: Ecriture
) -> ActeOut:
    """Préparer une avance, un acompte ou un solde, qu’une autre personne ordonnancera ; `id` est
    celui du paiement.

    `remplace` désigne le paiement rejeté par la banque que celui-ci paie de nouveau. Ce qui est
    préparé compte dans ce qui reste à payer.
    """
    return ecriture.run(
        actions.preparer_paiement,
        operation_id,
        acte,
        target=convention_of(operation_id),
        new=ecriture.new_id("paiement"),
        location=f"{RACINE}/operations/{operation_id}/convention",
    )


@commande(_PAIEMENTS, "/paiements/{paiement_id}/ordonnancement")
def ordonnancer_paiement(
    operation_id: UUID, paiement_id: UUID, acte: paiements.OrdonnancerPaiement, ecriture: Ecriture
) -> ActeOut:
    """Ordonnancer un paiement préparé par une autre personne, s’il est toujours dû."""
    return ecriture.run(
        actions.ordonnancer_paiement,
        operation_id,
        acte,
        paiement_id,
        target=convention_of(operation_id),
    )


@commande(_PAIEMENTS, "/paiements/{paiement_id}/execution")
def effectuer_paiement(
    operation_id: UUID, paiement_id: UUID, acte: paiements.EffectuerPaiement, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer le virement d’un paiement ordonnancé par une autre personne, à sa date de
    valeur.
    """
    return ecriture.decide(
        CONVENTION,
        convention_of(operation_id),
        paiements.effectuer,
        acte,
        paiement_id,
        ecriture.personne.acteur,
    )


@commande(_PAIEMENTS, "/paiements/{paiement_id}/annulation")
def annuler_paiement(
    operation_id: UUID, paiement_id: UUID, acte: paiements.AnnulerPaiement, ecriture: Ecriture
) -> ActeOut:
    """Annuler un paiement préparé ou ordonnancé, avant son virement."""
    return ecriture.decide(
        CONVENTION, convention_of(operation_id), paiements.annuler, acte, paiement_id
    )


@commande(_PAIEMENTS, "/paiements/{paiement_id}/acquittement")
def acquitter_paiement(
    operation_id: UUID, paiement_id: UUID, acte: paiements.AcquitterPaiement, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer la confirmation du virement par la banque : il ne peut plus être rejeté."""
    return ecriture.decide(
        CONVENTION, convention_of(operation_id), paiements.acquitter, acte, paiement_id
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
    operation_id: UUID, acte: reversements.EmettreOrdreReversement, ecriture: Ecriture
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


_ORDRE = "/ordres-de-reversement/{ordre_id}"


@commande(_PAIEMENTS, f"{_ORDRE}/notification")
def notifier_ordre_reversement(
    operation_id: UUID, ordre_id: UUID, acte: reversements.NotifierOrdre, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer la notification d’un ordre de reversement au bénéficiaire."""
    return ecriture.decide(
        CONVENTION, convention_of(operation_id), reversements.notifier, acte, ordre_id
    )


@commande(_PAIEMENTS, f"{_ORDRE}/encaissements")
def encaisser_reversement(
    operation_id: UUID, ordre_id: UUID, acte: reversements.EncaisserReversement, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer ce qui est revenu, en une ou plusieurs fois."""
    return ecriture.decide(
        CONVENTION, convention_of(operation_id), reversements.encaisser, acte, ordre_id
    )


@commande(_PAIEMENTS, f"{_ORDRE}/contestation")
def contester_ordre_reversement(
    operation_id: UUID, ordre_id: UUID, acte: reversements.ContesterOrdre, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer la contestation d’un ordre de reversement par le bénéficiaire."""
    return ecriture.decide(
        CONVENTION, convention_of(operation_id), reversements.contester, acte, ordre_id
    )


@commande(_PAIEMENTS, f"{_ORDRE}/contestation/decision")
def trancher_contestation(
    operation_id: UUID, ordre_id: UUID, acte: reversements.TrancherContestation, ecriture: Ecriture
) -> ActeOut:
    """Trancher une contestation : l’ordre tient ; s’il ne tient pas, il s’annule ensuite."""
    return ecriture.decide(
        CONVENTION, convention_of(operation_id), reversements.trancher, acte, ordre_id
    )


@commande(_PAIEMENTS, f"{_ORDRE}/annulation")
def annuler_ordre_reversement(
    operation_id: UUID, ordre_id: UUID, acte: reversements.AnnulerOrdre, ecriture: Ecriture
) -> ActeOut:
    """Annuler un ordre de reversement où rien n’est rentré, ou un reste qui n’est plus dû."""
    return ecriture.decide(
        CONVENTION, convention_of(operation_id), reversements.annuler, acte, ordre_id
    )


@commande(_PAIEMENTS, f"{_ORDRE}/compensation")
def compenser_ordre_reversement(
    operation_id: UUID, ordre_id: UUID, acte: paiements.CompenserOrdre, ecriture: Ecriture
) -> ActeOut:
    """Régler un ordre de reversement par un paiement ordonnancé d’une autre opération du même
    bénéficiaire ; les deux conventions changent ensemble.
    """
    return ecriture.run(
        actions.compenser_ordre, operation_id, acte, ordre_id, target=convention_of(operation_id)
    )


@commande(_PAIEMENTS, f"{_ORDRE}/irrecouvrabilite")
def declarer_irrecouvrable(
    operation_id: UUID,
    ordre_id: UUID,
    acte: reversements.DeclarerIrrecouvrable,
    ecriture: Ecriture,
) -> ActeOut:
    """Constater qu’une créance, ou une part, ne sera pas recouvrée, avec la décision qui le dit."""
    return ecriture.decide(
        CONVENTION,
        convention_of(operation_id),
        reversements.declarer_irrecouvrable,
        acte,
        ordre_id,
        ecriture.personne.acteur,
    )


@commande(_PAIEMENTS, f"{_ORDRE}/retablissement")
def retablir_creance(
    operation_id: UUID, ordre_id: UUID, acte: reversements.RetablirCreance, ecriture: Ecriture
) -> ActeOut:
    """Réclamer de nouveau ce qui avait été déclaré irrécouvrable, en tout ou partie."""
    return ecriture.decide(
        CONVENTION, convention_of(operation_id), reversements.retablir, acte, ordre_id
    )


@commande(_DELAIS, "/interruption-du-delai-de-paiement")
def interrompre_delai(
    operation_id: UUID, bilan_id: UUID, acte: horloge.InterrompreDelai, ecriture: Ecriture
) -> ActeOut:
    """Interrompre le délai de paiement d’un bilan ; le bénéficiaire en est averti par écrit."""
    return ecriture.decide(
        CONVENTION, convention_of(operation_id), horloge.interrompre, acte, bilan_id
    )


@commande(_DELAIS, "/reprise-du-delai-de-paiement")
def reprendre_delai(
    operation_id: UUID, bilan_id: UUID, acte: horloge.ReprendreDelai, ecriture: Ecriture
) -> ActeOut:
    """Laisser repartir le délai de paiement d’un bilan."""
    return ecriture.decide(
        CONVENTION, convention_of(operation_id), horloge.reprendre, acte, bilan_id
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


for chapter in (_PAIEMENTS, _DELAIS, _CERTIFICATION):
    router.include_router(chapter)
