"""Bilans and their control. `If-Match` is the version of the convention."""

from uuid import UUID

from fastapi import APIRouter

from aggregates.convention import bilans, service_fait
from aggregates.convention.state import CONVENTION
from aggregates.depense import controle
from api import actions
from api.deps import ActeOut, Ecriture
from api.v1.actes import RACINE, ajoute, commande
from oi_service.ids import convention_of

router = APIRouter(prefix="/operations/{operation_id}")

_BILANS = APIRouter(tags=["Bilans"])
_CSF = APIRouter(tags=["Contrôle de service fait"])


@ajoute(_BILANS, "/bilans")
def deposer_bilan(operation_id: UUID, acte: bilans.DeposerBilan, ecriture: Ecriture) -> ActeOut:
    """Déposer un bilan d’exécution avec ses dépenses ; `id` est celui du bilan."""
    return ecriture.run(
        actions.deposer_bilan,
        operation_id,
        acte,
        target=convention_of(operation_id),
        new=ecriture.new_id("bilan"),
        location=f"{RACINE}/operations/{operation_id}/convention",
    )


@commande(_BILANS, "/bilans/{bilan_id}/renvoi")
def renvoyer_bilan(
    operation_id: UUID, bilan_id: UUID, acte: bilans.RenvoyerBilan, ecriture: Ecriture
) -> ActeOut:
    """Renvoyer au bénéficiaire un bilan que personne ne contrôle encore."""
    return ecriture.run(
        actions.renvoyer_bilan, operation_id, acte, bilan_id, target=convention_of(operation_id)
    )


@ajoute(_CSF, "/csf")
def ouvrir_csf(operation_id: UUID, acte: service_fait.OuvrirCsf, ecriture: Ecriture) -> ActeOut:
    """Ouvrir le contrôle de service fait d’un bilan ; `id` est celui du contrôle."""
    return ecriture.run(
        actions.ouvrir_csf,
        operation_id,
        acte,
        target=convention_of(operation_id),
        new=ecriture.new_id("csf"),
        location=f"{RACINE}/operations/{operation_id}/convention",
    )


@commande(_CSF, "/csf/{csf_id}/lignes")
def controler_depenses(
    operation_id: UUID, csf_id: UUID, acte: controle.ControlerDepenses, ecriture: Ecriture
) -> ActeOut:
    """Retenir ou écarter des dépenses du bilan ; une décision nouvelle remplace la précédente."""
    return ecriture.run(
        actions.controler_depenses, operation_id, acte, csf_id, target=convention_of(operation_id)
    )


@commande(_CSF, "/csf/{csf_id}/ressources")
def controler_ressources(
    operation_id: UUID, csf_id: UUID, acte: service_fait.ControlerRessources, ecriture: Ecriture
) -> ActeOut:
    """Décider des ressources du bilan, toutes ensemble."""
    return ecriture.decide(
        CONVENTION, convention_of(operation_id), service_fait.controler_ressources, acte, csf_id
    )


@commande(_CSF, "/csf/{csf_id}/conclusions")
def notifier_conclusions(
    operation_id: UUID, csf_id: UUID, acte: service_fait.NotifierConclusions, ecriture: Ecriture
) -> ActeOut:
    """Notifier les conclusions intermédiaires : la phase contradictoire commence."""
    return ecriture.decide(
        CONVENTION, convention_of(operation_id), service_fait.notifier_conclusions, acte, csf_id
    )


@commande(_CSF, "/csf/{csf_id}/observations")
def recevoir_observations(
    operation_id: UUID, csf_id: UUID, acte: service_fait.RecevoirObservations, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer la réponse du bénéficiaire."""
    return ecriture.decide(
        CONVENTION, convention_of(operation_id), service_fait.recevoir_observations, acte, csf_id
    )


@commande(_CSF, "/csf/{csf_id}/validation")
def valider_csf(
    operation_id: UUID, csf_id: UUID, acte: service_fait.ValiderCsf, ecriture: Ecriture
) -> ActeOut:
    """Valider le contrôle et fixer le FSE dû : une autre personne que le contrôleur."""
    return ecriture.run(
        actions.valider_csf, operation_id, acte, csf_id, target=convention_of(operation_id)
    )


@commande(_CSF, "/csf/{csf_id}/reouverture")
def rouvrir_csf(
    operation_id: UUID, csf_id: UUID, acte: service_fait.RouvrirCsf, ecriture: Ecriture
) -> ActeOut:
    """Rouvrir un contrôle validé en une nouvelle version."""
    return ecriture.run(
        actions.rouvrir_csf, operation_id, acte, csf_id, target=convention_of(operation_id)
    )


for chapter in (_BILANS, _CSF):
    router.include_router(chapter)
