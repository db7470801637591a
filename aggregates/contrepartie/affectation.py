"""Attribution of a contrepartie, what was received of it, the operations that it backs."""

from datetime import date
from uuid import UUID

from aggregates.cadre import Cadre
from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import Annee, Code, Commande, CommandeMotivee, Texte, TypeRessource
from aggregates.contrepartie.annulation import exiger_attribuee
from aggregates.contrepartie.events import (
    AffectationAnnulee,
    ContrepartieAffectee,
    ContrepartieAttribuee,
    ContrepartiePercue,
)
from aggregates.contrepartie.state import Contrepartie
from aggregates.operation.state import Operation
from aggregates.operation.transitions import exiger
from aggregates.plan import AUTOFINANCEMENT
from oi_service.errors import Conflict, RuleBroken
from oi_service.money import Montant


class ContrepartieDejaAttribuee(Conflict):
    """Cette contrepartie est déjà enregistrée."""


class AutofinancementNonAttribuable(RuleBroken):
    """L’autofinancement se calcule : il ne s’attribue pas comme une contrepartie."""


class MontantNul(RuleBroken):
    """Le montant doit être positif."""


class AffectationSuperieure(RuleBroken):
    """{demande:euros} ne peuvent pas être affectés : il reste {reste:euros} de la contrepartie de
    {financeur}. Un même euro n’appuie jamais deux opérations.
    """


class ContrepartieDunAutrePlie(RuleBroken):
    """La contrepartie de {financeur} est attribuée au PLIE « {plie_id} » : elle n’appuie pas une
    opération du PLIE « {autre} ».
    """


class ContrepartieDuneAutreSubvention(RuleBroken):
    """La contrepartie de {financeur} est attribuée sous une autre subvention globale que celle de
    l’opération {numero} : elle ne l’appuie pas.
    """


class AnnulationSuperieure(RuleBroken):
    """L’affectation à annuler est de {affecte:euros} au plus."""


class AttribuerContrepartie(Commande):
    """Record what a funder granted. ``plie_id``: the PLIE it is for, if any."""

    type: TypeRessource
    financeur: Texte
    plie_id: Code | None = None
    annee: Annee
    montant: Montant
    attestation_ref: Texte


def attribuer(
    contrepartie: Contrepartie | None, commande: AttribuerContrepartie, cadre: Cadre
) -> list[ContrepartieAttribuee]:
    """Record the grant of a funder."""
    if contrepartie is not None:
        raise ContrepartieDejaAttribuee
    if commande.type == AUTOFINANCEMENT:
        raise AutofinancementNonAttribuable
    if commande.montant == 0:
        raise MontantNul
    return [
        ContrepartieAttribuee(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            cadre=cadre,
            type=commande.type,
            financeur=commande.financeur,
            plie_id=commande.plie_id,
            annee=commande.annee,
            montant_centimes=commande.montant,
            attestation_ref=commande.attestation_ref,
        )
    ]


class PercevoirContrepartie(Commande):
    """Record money received from the funder."""

    montant: Montant
    ref: Code


def percevoir(
    contrepartie: Contrepartie, commande: PercevoirContrepartie
) -> list[ContrepartiePercue]:
    """Record what arrived; a funder may pay more than it granted."""
    exiger_attribuee(contrepartie)
    if commande.montant == 0:
        raise MontantNul
    return [
        ContrepartiePercue(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            montant_centimes=commande.montant,
            ref=commande.ref,
        )
    ]


class AffecterContrepartie(Commande):
    """Back an operation with a part of the contrepartie."""

    operation_id: UUID
    montant: Montant


def affecter(
    contrepartie: Contrepartie, commande: AffecterContrepartie, operation: Operation
) -> list[ContrepartieAffectee]:
    """Back an operation; the sum of affectations never passes what was granted."""
    exiger(
        operation,
        "Affecter une contrepartie",
        "programme",
        "conventionne",
        "en_execution",
        "realisation_terminee",
        "bilan_final_depose",
    )
    if commande.montant == 0:
        raise MontantNul
    exiger_attribuee(contrepartie)
    exiger_admise(contrepartie, operation)
    reste = contrepartie.attribue - contrepartie.affecte
    if commande.montant > reste:
        raise AffectationSuperieure(
            demande=commande.montant, reste=reste, financeur=contrepartie.financeur
        )
    return [
        ContrepartieAffectee(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            operation_id=commande.operation_id,
            montant_centimes=commande.montant,
        )
    ]


def exiger_admise(contrepartie: Contrepartie, operation: Operation) -> None:
    """Refuse an operation that the money was not granted for."""
    if operation.cadre.subvention_globale_id != contrepartie.cadre.subvention_globale_id:
        raise ContrepartieDuneAutreSubvention(
            financeur=contrepartie.financeur, numero=operation.numero_mdfse
        )
    autre = operation.cellule.plie_id
    if contrepartie.plie_id not in {None, autre}:
        raise ContrepartieDunAutrePlie(
            financeur=contrepartie.financeur, plie_id=contrepartie.plie_id, autre=autre
        )


def exiger_apres_affectation(
    contrepartie: Contrepartie, operation_id: UUID, jour: date, acte: str
) -> None:
    """Refuse to free what backs an operation before the day on which it was last backed."""
    le = contrepartie.affectees_le.get(operation_id)
    exiger_pas_avant(jour, acte, le, "la contrepartie a été affectée à cette opération")


class AnnulerAffectation(CommandeMotivee):
    """Take back a part of what backs an operation."""

    operation_id: UUID
    montant: Montant


def annuler_affectation(
    contrepartie: Contrepartie, commande: AnnulerAffectation
) -> list[AffectationAnnulee]:
    """Free what was affected."""
    affecte = contrepartie.affectations.get(commande.operation_id, 0)
    if commande.montant == 0:
        raise MontantNul
    if commande.montant > affecte:
        raise AnnulationSuperieure(affecte=affecte)
    exiger_apres_affectation(
        contrepartie, commande.operation_id, commande.date_effet, "Annuler l’affectation"
    )
    return [
        AffectationAnnulee(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            operation_id=commande.operation_id,
            montant_centimes=commande.montant,
        )
    ]
