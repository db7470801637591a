"""Undoing the value of an indicator that was recorded by mistake."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from aggregates.appel_a_projets.publication import Nombre
from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import CommandeMotivee
from aggregates.operation.events import IndicateurRetire
from aggregates.operation.state import Operation
from aggregates.operation.transitions import exiger
from oi_service.errors import RuleBroken


class IndicateurNonRenseigne(RuleBroken):
    """L’indicateur n° {indicateur} n’a pas de valeur à retirer."""


class IndicateurRenseigneDepuis(RuleBroken):
    """L’indicateur n° {indicateur} vaut {realise} et non {attendu} : il a été renseigné de nouveau
    depuis, et cette valeur-là ne se retire pas.
    """


class RetirerIndicateur(CommandeMotivee):
    """Take back the last value of an indicator; the one before counts again."""

    indicateur: Annotated[int, Field(strict=True, ge=1, le=200)]
    realise: Nombre


def retirer_indicateur(operation: Operation, commande: RetirerIndicateur) -> list[IndicateurRetire]:
    """Take back the value that the person names, when it is still the one that counts."""
    exiger(
        operation,
        "Retirer la valeur d’un indicateur",
        "en_execution",
        "realisation_terminee",
        "bilan_final_depose",
    )
    rang = commande.indicateur
    connues = operation.realisations.get(rang, ())
    if not connues:
        raise IndicateurNonRenseigne(indicateur=rang)
    le, derniere = connues[-1]
    attendue = Decimal(commande.realise)
    if derniere != attendue:
        raise IndicateurRenseigneDepuis(
            indicateur=rang, realise=_dit(derniere), attendu=_dit(attendue)
        )
    exiger_pas_avant(
        commande.date_effet, "Retirer cette valeur", le, "l’indicateur a été renseigné"
    )
    return [
        IndicateurRetire(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            indicateur=rang,
            realise=derniere,
            retabli=connues[-2][1] if len(connues) > 1 else None,
        )
    ]


def _dit(valeur: Decimal) -> str:
    return f"{valeur:f}".replace(".", ",")
