"""Instruction of a dossier: recevabilité, plan de financement, report, opinions."""

from datetime import date
from typing import Literal

from pydantic import Field

from aggregates.commande import Commande, CommandeMotivee, PeriodeSaisie, Texte
from aggregates.operation.events import (
    AvisAgdRendu,
    AvisPlieRendu,
    DossierRectifie,
    InstructionOuverte,
    InstructionRouverte,
    IrrecevabilitePrononcee,
    PlanFinancementInstruit,
    RapportInstructionValide,
    RecevabilitePrononcee,
)
from aggregates.operation.state import Operation
from aggregates.operation.transitions import exiger, exiger_apres_les_decisions
from aggregates.plan import PlanFinancement, PlanSaisi
from aggregates.separation import InstructeurEgalValideur, noter
from oi_service.dates import Periode
from oi_service.errors import RuleBroken
from rules.cofinancement import verifier_cofinancement
from rules.couts import Derogation, couts_simplifies_manquants, verifier_formes


class ModificationHorsAvenant(RuleBroken):
    """Le dossier {numero} est programmé : son objet, sa période et son plan de financement ne
    changent plus que par un avenant, réexaminé par l’instance de l’organisme intermédiaire.
    """

    article = "Appel à projets AGAPE 2021 n° 3, modifications"


class PlanNonInstruit(RuleBroken):
    """Le rapport ne peut pas être validé : le plan de financement n’a pas été instruit."""


class InstructeurInconnu(RuleBroken):
    """Le plan de financement a été instruit avant que le journal ne dise par qui : nommez
    l’instructeur.
    """


def _verifier_condition(operation: Operation, plan: PlanFinancement) -> None:
    verifier_cofinancement(
        operation.condition,
        cout_total_centimes=plan.cout_total_centimes,
        fse_centimes=plan.fse_centimes,
        contreparties_centimes=plan.contreparties_centimes,
    )


class PrononcerRecevabilite(Commande):
    """Attest that the dossier is complete."""


def prononcer_recevabilite(
    operation: Operation, commande: PrononcerRecevabilite
) -> list[RecevabilitePrononcee]:
    """Attest; the cofinancing condition of the fiche must be met to the cent."""
    exiger(operation, "Prononcer la recevabilité", "depose")
    _verifier_condition(operation, operation.plan)
    return [RecevabilitePrononcee(date_effet=commande.date_effet, pieces=commande.jointes())]


class PrononcerIrrecevabilite(CommandeMotivee):
    """Reject the dossier on its form."""


def prononcer_irrecevabilite(
    operation: Operation, commande: PrononcerIrrecevabilite
) -> list[IrrecevabilitePrononcee]:
    """Reject on form, for good."""
    exiger(operation, "Prononcer l’irrecevabilité", "depose", "complement_demande")
    exiger_apres_les_decisions(operation, commande.date_effet, "Prononcer l’irrecevabilité")
    return [
        IrrecevabilitePrononcee(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            cout_total_centimes=operation.cout_total_demande,
            fse_demande_centimes=operation.fse_demande,
        )
    ]


class OuvrirInstruction(Commande):
    """Begin the analysis."""


def ouvrir_instruction(
    operation: Operation, commande: OuvrirInstruction
) -> list[InstructionOuverte]:
    """Begin the analysis of an admissible dossier."""
    exiger(operation, "Ouvrir l’instruction", "recevable")
    return [InstructionOuverte(date_effet=commande.date_effet, pieces=commande.jointes())]


class RouvrirInstruction(CommandeMotivee):
    """Take an adjourned dossier up again."""


def rouvrir_instruction(
    operation: Operation, commande: RouvrirInstruction
) -> list[InstructionRouverte]:
    """Take an adjourned dossier up again."""
    exiger(operation, "Rouvrir l’instruction", "ajourne")
    return [
        InstructionRouverte(
            date_effet=commande.date_effet, motif=commande.motif, pieces=commande.jointes()
        )
    ]


def _exiger_modifiable(operation: Operation, acte: str) -> None:
    if operation.statut == "programme" or operation.conventionnee:
        raise ModificationHorsAvenant(numero=operation.numero_mdfse)
    exiger(operation, acte, "en_instruction")


class RectifierDossier(CommandeMotivee):
    """Change the title, the object or the period, during the instruction only."""

    intitule: Texte | None = None
    objet: Texte | None = None
    periode: PeriodeSaisie | None = None


def rectifier_dossier(operation: Operation, commande: RectifierDossier) -> list[DossierRectifie]:
    """Rectify what the dossier says, before it is programmed."""
    _exiger_modifiable(operation, "Rectifier le dossier")
    return [
        DossierRectifie(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            intitule_avant=operation.intitule,
            intitule_apres=commande.intitule or operation.intitule,
            objet_avant=operation.objet,
            objet_apres=commande.objet or operation.objet,
            periode_avant=operation.periode,
            periode_apres=(
                operation.periode if commande.periode is None else commande.periode.periode()
            ),
        )
    ]


class InstruirePlan(Commande):
    """Fix the plan de financement as analysed; the last one counts.

    ``derogation_couts_simplifies``: why simplified costs are not mandatory for this operation.
    """

    plan: PlanSaisi
    derogation_couts_simplifies: Derogation | None = None


def instruire_plan(
    operation: Operation, commande: InstruirePlan, instructeur: str
) -> list[PlanFinancementInstruit]:
    """Fix a balanced plan that meets the cofinancing condition of the fiche."""
    _exiger_modifiable(operation, "Instruire le plan de financement")
    plan = commande.plan.plan()
    _verifier_condition(operation, plan)
    avertissements = verifier_couts(
        plan,
        operation,
        operation.periode,
        commande.date_effet,
        commande.derogation_couts_simplifies,
    )
    return [
        PlanFinancementInstruit(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            plan=plan,
            derogation_couts_simplifies=commande.derogation_couts_simplifies,
            avertissements=avertissements,
            instructeur=instructeur,
        )
    ]


def verifier_couts(
    plan: PlanFinancement,
    operation: Operation,
    periode: Periode,
    le: date,
    derogation: Derogation | None,
) -> tuple[str, ...]:
    """Refuse forms of cost that the texts do not open to this plan; return what informs only.

    A threshold that was not read again at its source warns, it never refuses.
    """
    reglement = operation.cadre.reglement
    verifier_formes(plan.postes, reglement=reglement, le=le, periode=periode)
    if derogation is not None:
        return ()
    manquants = couts_simplifies_manquants(
        plan.postes,
        cout_total=plan.cout_total_centimes,
        soutien_public=plan.soutien_public_centimes,
        reglement=reglement,
        le=le,
    )
    if manquants is None:
        return ()
    refus, seuil = manquants
    if seuil.verifie_le is not None:
        raise refus
    return (str(refus),)


class ValiderRapport(Commande):
    """Validate the report of the instruction, with its opinion.

    ``instructeur``: the account of who instructed; by default, of who fixed the plan last.
    """

    avis: Literal["favorable", "defavorable"]
    instructeur: Texte | None = None
    synthese: Texte


def valider_rapport(
    operation: Operation, commande: ValiderRapport, acteur: str
) -> list[RapportInstructionValide]:
    """Validate; whoever instructed is somebody else."""
    exiger(operation, "Valider le rapport d’instruction", "en_instruction")
    if not operation.plan_instruit:
        raise PlanNonInstruit
    instructeur = commande.instructeur or operation.instructeur
    if instructeur is None:
        raise InstructeurInconnu
    instructeurs = noter(
        operation.instructeurs, commande.instructeur, "rapport_signe", commande.date_effet
    )
    if (instruction := instructeurs.get(acteur)) is not None:
        raise InstructeurEgalValideur(acte=instruction.mots, le=instruction.le)
    # The period may have been rectified since the plan was fixed, and a rate depend on its years.
    verifier_couts(
        operation.plan, operation, operation.periode, commande.date_effet, operation.derogation
    )
    return [
        RapportInstructionValide(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            avis=commande.avis,
            instructeur=instructeur,
            synthese=commande.synthese,
        )
    ]


class RendreAvis(Commande):
    """Record the opinion of the PLIE or of the managing authority."""

    avis: Literal["favorable", "defavorable"]
    instance: Texte
    reserves: Texte | None = Field(default=None)


def rendre_avis_plie(operation: Operation, commande: RendreAvis) -> list[AvisPlieRendu]:
    """Record the opinion of opportunity of the PLIE: it informs, it does not award."""
    exiger(operation, "Rendre l’avis du PLIE", "instruit_favorable", "instruit_defavorable")
    return [
        AvisPlieRendu(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            avis=commande.avis,
            instance=commande.instance,
            reserves=commande.reserves,
        )
    ]


def rendre_avis_agd(operation: Operation, commande: RendreAvis) -> list[AvisAgdRendu]:
    """Record the opinion of the delegated managing authority."""
    exiger(
        operation,
        "Rendre l’avis de l’autorité de gestion",
        "instruit_favorable",
        "instruit_defavorable",
    )
    return [
        AvisAgdRendu(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            avis=commande.avis,
            instance=commande.instance,
            reserves=commande.reserves,
        )
    ]
