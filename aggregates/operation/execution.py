"""Life of an operation under convention, up to its end."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field

from aggregates.appel_a_projets.publication import Nombre
from aggregates.commande import Commande, CommandeMotivee, Texte
from aggregates.operation.events import (
    BilanFinalDepose,
    BilanFinalRenvoye,
    DossierRectifie,
    IndicateurRenseigne,
    OperationAbandonnee,
    OperationConventionnee,
    OperationDemarree,
    OperationResiliee,
    RealisationTerminee,
)
from aggregates.operation.state import Operation, Statut
from aggregates.operation.transitions import exiger
from oi_service.dates import Periode
from oi_service.errors import RuleBroken


class RealisationEnCours(RuleBroken):
    """La période de réalisation court jusqu’au {fin} : sa fin ne se constate pas le {jour}."""


class IndicateurInconnu(RuleBroken):
    """L’indicateur n° {indicateur} n’existe pas : l’opération en compte {nombre}."""


class DemarrageAvantPeriode(RuleBroken):
    """Le démarrage du {jour} précède la période de réalisation, qui commence le {debut}."""


def conventionner(
    operation: Operation, *, convention_id: UUID, numero: str, date_effet: date
) -> list[OperationConventionnee]:
    """Take note that the convention is in force."""
    exiger(operation, "Notifier la convention", "programme")
    return [
        OperationConventionnee(
            date_effet=date_effet, convention_id=convention_id, numero_convention=numero
        )
    ]


def suivre_avenant(
    operation: Operation, *, objet: str, periode: Periode, date_effet: date, motif: str
) -> list[DossierRectifie]:
    """Take note of the object and the period of a signed avenant; nothing when neither moves."""
    if (objet, periode) == (operation.objet, operation.periode):
        return []
    return [
        DossierRectifie(
            date_effet=date_effet,
            motif=motif,
            intitule_avant=operation.intitule,
            intitule_apres=operation.intitule,
            objet_avant=operation.objet,
            objet_apres=objet,
            periode_avant=operation.periode,
            periode_apres=periode,
        )
    ]


class Demarrer(Commande):
    """Record the attestation of start. ``date_effet`` is the day of the start."""

    attestation_ref: Texte


def demarrer(operation: Operation, commande: Demarrer) -> list[OperationDemarree]:
    """Start."""
    exiger(operation, "Démarrer l’opération", "conventionne")
    if commande.date_effet < operation.periode.debut:
        raise DemarrageAvantPeriode(jour=commande.date_effet, debut=operation.periode.debut)
    return [
        OperationDemarree(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            attestation_ref=commande.attestation_ref,
        )
    ]


class ConstaterFin(Commande):
    """The période de réalisation is over."""


def constater_fin(operation: Operation, commande: ConstaterFin) -> list[RealisationTerminee]:
    """Take note that the period is over; the daily job does it too."""
    exiger(operation, "Constater la fin de réalisation", "en_execution")
    if commande.date_effet <= operation.periode.fin:
        raise RealisationEnCours(fin=operation.periode.fin, jour=commande.date_effet)
    return [
        RealisationTerminee(
            date_effet=commande.date_effet, pieces=commande.jointes(), fin=operation.periode.fin
        )
    ]


class RenseignerIndicateur(Commande):
    """Record what was reached on an indicator; a new value replaces the last one."""

    indicateur: Annotated[int, Field(strict=True, ge=1, le=200)]
    realise: Nombre


def renseigner_indicateur(
    operation: Operation, commande: RenseignerIndicateur
) -> list[IndicateurRenseigne]:
    """Record an achievement, with its documents."""
    exiger(
        operation,
        "Renseigner un indicateur",
        "en_execution",
        "realisation_terminee",
        "bilan_final_depose",
    )
    if commande.indicateur > len(operation.indicateurs):
        raise IndicateurInconnu(indicateur=commande.indicateur, nombre=len(operation.indicateurs))
    return [
        IndicateurRenseigne(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            indicateur=commande.indicateur,
            realise=Decimal(commande.realise),
            remplace=operation.realise.get(commande.indicateur),
        )
    ]


def recevoir_bilan_final(
    operation: Operation, *, bilan_id: UUID, date_effet: date
) -> list[BilanFinalDepose]:
    """Take note of the final bilan."""
    exiger(operation, "Déposer le bilan final", "en_execution", "realisation_terminee")
    return [BilanFinalDepose(date_effet=date_effet, bilan_id=bilan_id)]


def renvoyer_bilan_final(
    operation: Operation, *, bilan_id: UUID, date_effet: date, motif: str
) -> list[BilanFinalRenvoye]:
    """Take note that the final bilan went back to the beneficiary."""
    exiger(operation, "Renvoyer le bilan final", "bilan_final_depose")
    return [BilanFinalRenvoye(date_effet=date_effet, motif=motif, bilan_id=bilan_id)]


#: States of an operation that stopped before its end.
INTERROMPUE = frozenset[Statut](("abandonne", "resilie"))
_EN_COURS: tuple[Statut, ...] = (
    "conventionne",
    "en_execution",
    "realisation_terminee",
    "bilan_final_depose",
)


class Interrompre(CommandeMotivee):
    """The beneficiary abandons, or the OI terminates."""


def abandonner(operation: Operation, commande: Interrompre) -> list[OperationAbandonnee]:
    """The beneficiary abandons; what was paid beyond what is due will come back."""
    exiger(operation, "Abandonner l’opération", *_EN_COURS)
    return [
        OperationAbandonnee(
            date_effet=commande.date_effet, motif=commande.motif, pieces=commande.jointes()
        )
    ]


def resilier(operation: Operation, commande: Interrompre) -> list[OperationResiliee]:
    """The OI terminates the convention."""
    exiger(operation, "Résilier la convention", *_EN_COURS)
    return [
        OperationResiliee(
            date_effet=commande.date_effet, motif=commande.motif, pieces=commande.jointes()
        )
    ]
