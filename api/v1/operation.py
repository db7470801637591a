"""Operations: from the deposit of a dossier to its archive."""

from uuid import UUID

from fastapi import APIRouter

from aggregates.convention.paiements import Solder
from aggregates.operation import (
    cloture,
    depot,
    execution,
    indicateurs,
    instruction,
    programmation,
    suites,
)
from aggregates.operation.state import OPERATION
from api import actions
from api.deps import ActeOut, Creation, Ecriture
from api.v1.actes import RACINE, commande, cree

router = APIRouter()

_DEPOT = APIRouter(prefix="/operations", tags=["Opérations : dépôt et recevabilité"])
_INSTRUCTION = APIRouter(prefix="/operations", tags=["Opérations : instruction"])
_PROGRAMMATION = APIRouter(prefix="/operations", tags=["Opérations : programmation"])
_EXECUTION = APIRouter(prefix="/operations", tags=["Opérations : exécution et clôture"])


# --- Deposit -------------------------------------------------------------------------------------


@cree(_DEPOT, "")
def deposer_dossier(acte: depot.DeposerDossier, ecriture: Creation) -> ActeOut:
    """Déposer un dossier en réponse à une fiche d’un appel à projets."""
    new = ecriture.new_id("operation")
    return ecriture.run(actions.deposer_dossier, new, acte, location=f"{RACINE}/operations/{new}")


@commande(_DEPOT, "/{operation_id}/complements/demandes")
def demander_complement(
    operation_id: UUID, acte: depot.DemanderComplement, ecriture: Ecriture
) -> ActeOut:
    """Demander au bénéficiaire ce qui manque au dossier."""
    return ecriture.decide(OPERATION, operation_id, depot.demander_complement, acte)


@commande(_DEPOT, "/{operation_id}/complements/receptions")
def recevoir_complement(
    operation_id: UUID, acte: depot.RecevoirComplement, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer les compléments reçus."""
    return ecriture.decide(OPERATION, operation_id, depot.recevoir_complement, acte)


@commande(_DEPOT, "/{operation_id}/recevabilite")
def prononcer_recevabilite(
    operation_id: UUID, acte: instruction.PrononcerRecevabilite, ecriture: Ecriture
) -> ActeOut:
    """Prononcer la recevabilité ; la condition de cofinancement de la fiche est vérifiée."""
    return ecriture.decide(OPERATION, operation_id, instruction.prononcer_recevabilite, acte)


@commande(_DEPOT, "/{operation_id}/irrecevabilite")
def prononcer_irrecevabilite(
    operation_id: UUID, acte: instruction.PrononcerIrrecevabilite, ecriture: Ecriture
) -> ActeOut:
    """Prononcer l’irrecevabilité, sur la forme et définitivement."""
    return ecriture.decide(OPERATION, operation_id, instruction.prononcer_irrecevabilite, acte)


@commande(_DEPOT, "/{operation_id}/retrait")
def retirer_dossier(operation_id: UUID, acte: depot.RetirerDossier, ecriture: Ecriture) -> ActeOut:
    """Enregistrer le retrait du dossier par le bénéficiaire, avant toute convention."""
    return ecriture.run(actions.retirer_dossier, operation_id, acte)


# --- Instruction ---------------------------------------------------------------------------------


@commande(_INSTRUCTION, "/{operation_id}/instruction")
def ouvrir_instruction(
    operation_id: UUID, acte: instruction.OuvrirInstruction, ecriture: Ecriture
) -> ActeOut:
    """Ouvrir l’instruction d’un dossier recevable."""
    return ecriture.decide(OPERATION, operation_id, instruction.ouvrir_instruction, acte)


@commande(_INSTRUCTION, "/{operation_id}/instruction/reouverture")
def rouvrir_instruction(
    operation_id: UUID, acte: instruction.RouvrirInstruction, ecriture: Ecriture
) -> ActeOut:
    """Reprendre l’instruction d’un dossier ajourné."""
    return ecriture.decide(OPERATION, operation_id, instruction.rouvrir_instruction, acte)


@commande(_INSTRUCTION, "/{operation_id}/rectification")
def rectifier_dossier(
    operation_id: UUID, acte: instruction.RectifierDossier, ecriture: Ecriture
) -> ActeOut:
    """Rectifier l’intitulé, l’objet ou la période, pendant l’instruction seulement."""
    return ecriture.decide(OPERATION, operation_id, instruction.rectifier_dossier, acte)


@commande(_INSTRUCTION, "/{operation_id}/plan-de-financement")
def instruire_plan(
    operation_id: UUID, acte: instruction.InstruirePlan, ecriture: Ecriture
) -> ActeOut:
    """Fixer le plan de financement instruit, équilibré au centime ; le dernier compte."""
    return ecriture.decide(
        OPERATION, operation_id, instruction.instruire_plan, acte, ecriture.personne.acteur
    )


@commande(_INSTRUCTION, "/{operation_id}/rapport")
def valider_rapport(
    operation_id: UUID, acte: instruction.ValiderRapport, ecriture: Ecriture
) -> ActeOut:
    """Valider le rapport d’instruction : une autre personne que l’instructeur."""
    return ecriture.decide(
        OPERATION, operation_id, instruction.valider_rapport, acte, ecriture.personne.acteur
    )


@commande(_INSTRUCTION, "/{operation_id}/avis-plie")
def rendre_avis_plie(
    operation_id: UUID, acte: instruction.RendreAvis, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer l’avis d’opportunité du PLIE : il informe, il n’attribue pas."""
    return ecriture.decide(OPERATION, operation_id, instruction.rendre_avis_plie, acte)


@commande(_INSTRUCTION, "/{operation_id}/avis-agd")
def rendre_avis_agd(
    operation_id: UUID, acte: instruction.RendreAvis, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer l’avis de l’autorité de gestion déléguée."""
    return ecriture.decide(OPERATION, operation_id, instruction.rendre_avis_agd, acte)


# --- Programming ---------------------------------------------------------------------------------


@commande(_PROGRAMMATION, "/{operation_id}/programmation")
def programmer_operation(
    operation_id: UUID, acte: programmation.Programmer, ecriture: Ecriture
) -> ActeOut:
    """Programmer l’opération et réserver son FSE dans l’enveloppe du PLIE."""
    return ecriture.run(actions.programmer, operation_id, acte)


@commande(_PROGRAMMATION, "/{operation_id}/ajournement")
def ajourner_operation(
    operation_id: UUID, acte: programmation.DeciderSansProgrammer, ecriture: Ecriture
) -> ActeOut:
    """Ajourner l’opération : l’instance demande un complément d’instruction."""
    return ecriture.decide(OPERATION, operation_id, programmation.ajourner, acte)


@commande(_PROGRAMMATION, "/{operation_id}/refus")
def refuser_operation(
    operation_id: UUID, acte: programmation.DeciderSansProgrammer, ecriture: Ecriture
) -> ActeOut:
    """Refuser l’opération, définitivement."""
    return ecriture.decide(OPERATION, operation_id, programmation.refuser, acte)


@commande(_PROGRAMMATION, "/{operation_id}/deprogrammation")
def deprogrammer_operation(
    operation_id: UUID, acte: programmation.DeciderSansProgrammer, ecriture: Ecriture
) -> ActeOut:
    """Déprogrammer l’opération avant sa convention et rendre son FSE à l’enveloppe."""
    return ecriture.run(actions.deprogrammer, operation_id, acte)


@commande(_PROGRAMMATION, "/{operation_id}/notification")
def notifier_decision(
    operation_id: UUID, acte: programmation.NotifierDecision, ecriture: Ecriture
) -> ActeOut:
    """Notifier au bénéficiaire la décision de l’instance."""
    return ecriture.decide(OPERATION, operation_id, programmation.notifier_decision, acte)


# --- Execution and end ---------------------------------------------------------------------------


@commande(_EXECUTION, "/{operation_id}/demarrage")
def demarrer_operation(operation_id: UUID, acte: execution.Demarrer, ecriture: Ecriture) -> ActeOut:
    """Enregistrer l’attestation de démarrage."""
    return ecriture.decide(OPERATION, operation_id, execution.demarrer, acte)


@commande(_EXECUTION, "/{operation_id}/indicateurs")
def renseigner_indicateur(
    operation_id: UUID, acte: execution.RenseignerIndicateur, ecriture: Ecriture
) -> ActeOut:
    """Renseigner ce qui est atteint sur un indicateur, avec ses pièces."""
    return ecriture.decide(OPERATION, operation_id, execution.renseigner_indicateur, acte)


@commande(_EXECUTION, "/{operation_id}/indicateurs/retrait")
def retirer_indicateur(
    operation_id: UUID, acte: indicateurs.RetirerIndicateur, ecriture: Ecriture
) -> ActeOut:
    """Retirer la dernière valeur d’un indicateur, renseignée par erreur : la précédente compte."""
    return ecriture.decide(OPERATION, operation_id, indicateurs.retirer_indicateur, acte)


@commande(_EXECUTION, "/{operation_id}/fin-de-realisation")
def constater_fin_de_realisation(
    operation_id: UUID, acte: execution.ConstaterFin, ecriture: Ecriture
) -> ActeOut:
    """Constater que la période de réalisation est terminée."""
    return ecriture.decide(OPERATION, operation_id, execution.constater_fin, acte)


@commande(_EXECUTION, "/{operation_id}/abandon")
def abandonner_operation(
    operation_id: UUID, acte: execution.Interrompre, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer l’abandon par le bénéficiaire, après la convention."""
    return ecriture.decide(OPERATION, operation_id, execution.abandonner, acte)


@commande(_EXECUTION, "/{operation_id}/resiliation")
def resilier_operation(
    operation_id: UUID, acte: execution.Interrompre, ecriture: Ecriture
) -> ActeOut:
    """Résilier la convention, à l’initiative de l’organisme intermédiaire."""
    return ecriture.decide(OPERATION, operation_id, execution.resilier, acte)


@commande(_EXECUTION, "/{operation_id}/solde")
def solder_operation(operation_id: UUID, acte: Solder, ecriture: Ecriture) -> ActeOut:
    """Constater que tout est réglé et rendre à l’enveloppe le FSE non employé."""
    return ecriture.run(actions.solder, operation_id, acte)


@commande(_EXECUTION, "/{operation_id}/cloture")
def cloturer_operation(operation_id: UUID, acte: cloture.Cloturer, ecriture: Ecriture) -> ActeOut:
    """Clôturer l’opération : plus rien n’est dû, et la banque a confirmé chaque virement."""
    return ecriture.run(actions.cloturer, operation_id, acte)


@commande(_EXECUTION, "/{operation_id}/suites/cloture")
def clore_suites(operation_id: UUID, acte: suites.CloreSuites, ecriture: Ecriture) -> ActeOut:
    """Clore les suites d’un contrôle rouvert après le solde ; l’enveloppe suit le FSE dû."""
    return ecriture.run(actions.clore_suites, operation_id, acte)


@commande(_EXECUTION, "/{operation_id}/archivage")
def archiver_dossier(operation_id: UUID, acte: cloture.Archiver, ecriture: Ecriture) -> ActeOut:
    """Archiver le dossier et fixer jusqu’à quand tout doit être conservé."""
    return ecriture.decide(OPERATION, operation_id, cloture.archiver, acte)


for chapter in (_DEPOT, _INSTRUCTION, _PROGRAMMATION, _EXECUTION):
    router.include_router(chapter)
