"""Bilans and their control. `If-Match` is the version of the convention."""

from uuid import UUID

from fastapi import APIRouter

from aggregates.convention import (
    bilans,
    cloture_office,
    constatations,
    echantillons,
    service_fait,
    validation,
)
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


@commande(_BILANS, "/bilans/{bilan_id}/recevabilite")
def juger_recevable(
    operation_id: UUID, bilan_id: UUID, acte: bilans.JugerRecevable, ecriture: Ecriture
) -> ActeOut:
    """Juger le bilan recevable : complet et signé, son contrôle peut commencer."""
    return ecriture.decide(
        CONVENTION, convention_of(operation_id), bilans.juger_recevable, acte, bilan_id
    )


@commande(_BILANS, "/bilans/reclamations")
def reclamer_bilan(
    operation_id: UUID, acte: cloture_office.ReclamerBilan, ecriture: Ecriture
) -> ActeOut:
    """Réclamer un bilan en retard : sans réponse, le dossier pourra être clos d’office."""
    return ecriture.decide(
        CONVENTION, convention_of(operation_id), cloture_office.reclamer_bilan, acte
    )


@commande(_BILANS, "/cloture-office")
def clore_office(
    operation_id: UUID, acte: cloture_office.CloreOffice, ecriture: Ecriture
) -> ActeOut:
    """Clore d’office un dossier dont le bilan réclamé n’est pas venu."""
    return ecriture.run(
        actions.clore_office, operation_id, acte, target=convention_of(operation_id)
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


@commande(_CSF, "/csf/{csf_id}/echantillons")
def tirer_echantillon(
    operation_id: UUID, csf_id: UUID, acte: echantillons.TirerEchantillon, ecriture: Ecriture
) -> ActeOut:
    """Tirer l’échantillon d’un poste : la graine enregistrée permet de refaire le tirage."""
    return ecriture.run(
        actions.tirer_echantillon, operation_id, acte, csf_id, target=convention_of(operation_id)
    )


@commande(_CSF, "/csf/{csf_id}/extrapolations")
def decider_extrapolation(
    operation_id: UUID, csf_id: UUID, acte: echantillons.DeciderExtrapolation, ecriture: Ecriture
) -> ActeOut:
    """Étendre le taux d’irrégularité du tirage aux pièces non tirées."""
    return ecriture.run(
        actions.decider_extrapolation,
        operation_id,
        acte,
        csf_id,
        target=convention_of(operation_id),
    )


@commande(_CSF, "/csf/{csf_id}/marches")
def corriger_marche(
    operation_id: UUID, csf_id: UUID, acte: constatations.CorrigerMarche, ecriture: Ecriture
) -> ActeOut:
    """Corriger au barème les dépenses d’un marché."""
    return ecriture.run(
        actions.corriger_marche, operation_id, acte, csf_id, target=convention_of(operation_id)
    )


@commande(_CSF, "/csf/{csf_id}/corrections-fse")
def corriger_fse(
    operation_id: UUID, csf_id: UUID, acte: constatations.CorrigerFse, ecriture: Ecriture
) -> ActeOut:
    """Corriger la part du FSE : publicité, réfaction."""
    return ecriture.run(
        actions.corriger_fse, operation_id, acte, csf_id, target=convention_of(operation_id)
    )


@commande(_CSF, "/csf/{csf_id}/ressources")
def controler_ressources(
    operation_id: UUID, csf_id: UUID, acte: constatations.ControlerRessources, ecriture: Ecriture
) -> ActeOut:
    """Décider des ressources du bilan, toutes ensemble."""
    return ecriture.decide(
        CONVENTION,
        convention_of(operation_id),
        constatations.controler_ressources,
        acte,
        csf_id,
        ecriture.personne.acteur,
    )


@commande(_CSF, "/csf/{csf_id}/realisations")
def controler_realisations(
    operation_id: UUID, csf_id: UUID, acte: constatations.ControlerRealisations, ecriture: Ecriture
) -> ActeOut:
    """Décider des unités et des livrables du bilan, tous ensemble."""
    return ecriture.decide(
        CONVENTION,
        convention_of(operation_id),
        constatations.controler_realisations,
        acte,
        csf_id,
        ecriture.personne.acteur,
    )


@commande(_CSF, "/csf/{csf_id}/recettes")
def controler_recettes(
    operation_id: UUID, csf_id: UUID, acte: constatations.ControlerRecettes, ecriture: Ecriture
) -> ActeOut:
    """Décider des recettes nettes du bilan."""
    return ecriture.decide(
        CONVENTION,
        convention_of(operation_id),
        constatations.controler_recettes,
        acte,
        csf_id,
        ecriture.personne.acteur,
    )


@commande(_CSF, "/csf/{csf_id}/grille")
def remplir_grille(
    operation_id: UUID, csf_id: UUID, acte: constatations.RemplirGrille, ecriture: Ecriture
) -> ActeOut:
    """Remplir la grille de contrôle."""
    return ecriture.decide(
        CONVENTION,
        convention_of(operation_id),
        constatations.remplir_grille,
        acte,
        csf_id,
        ecriture.personne.acteur,
    )


@commande(_CSF, "/csf/{csf_id}/conclusions")
def notifier_conclusions(
    operation_id: UUID, csf_id: UUID, acte: validation.NotifierConclusions, ecriture: Ecriture
) -> ActeOut:
    """Notifier les conclusions intermédiaires : la phase contradictoire commence."""
    return ecriture.run(
        actions.notifier_conclusions, operation_id, acte, csf_id, target=convention_of(operation_id)
    )


@commande(_CSF, "/csf/{csf_id}/observations")
def recevoir_observations(
    operation_id: UUID, csf_id: UUID, acte: validation.RecevoirObservations, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer la réponse du bénéficiaire."""
    return ecriture.decide(
        CONVENTION, convention_of(operation_id), validation.recevoir_observations, acte, csf_id
    )


@commande(_CSF, "/csf/{csf_id}/conclusions-finales")
def notifier_conclusions_finales(
    operation_id: UUID,
    csf_id: UUID,
    acte: validation.NotifierConclusionsFinales,
    ecriture: Ecriture,
) -> ActeOut:
    """Notifier les conclusions finales, après la réponse ou la fin du délai."""
    return ecriture.decide(
        CONVENTION,
        convention_of(operation_id),
        validation.notifier_conclusions_finales,
        acte,
        csf_id,
    )


@commande(_CSF, "/csf/{csf_id}/proposition")
def proposer_csf(
    operation_id: UUID, csf_id: UUID, acte: validation.ProposerCsf, ecriture: Ecriture
) -> ActeOut:
    """Proposer le contrôle à la validation : plus rien n’y attend de décision."""
    return ecriture.run(
        actions.proposer_csf, operation_id, acte, csf_id, target=convention_of(operation_id)
    )


@commande(_CSF, "/csf/{csf_id}/renvoi")
def renvoyer_csf(
    operation_id: UUID, csf_id: UUID, acte: validation.RenvoyerCsf, ecriture: Ecriture
) -> ActeOut:
    """Renvoyer le contrôle proposé à qui contrôle, en disant ce qu’il faut reprendre."""
    return ecriture.decide(
        CONVENTION,
        convention_of(operation_id),
        validation.renvoyer_csf,
        acte,
        csf_id,
        ecriture.personne.acteur,
    )


@commande(_CSF, "/csf/{csf_id}/validation")
def valider_csf(
    operation_id: UUID, csf_id: UUID, acte: validation.ValiderCsf, ecriture: Ecriture
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
