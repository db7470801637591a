"""Automatic decommitment: until when what was committed in a year must be certified."""

from datetime import date

import msgspec

from rules.parametres import ParametreHorsVigueur, parametre


class EcheanceDegagement(msgspec.Struct, frozen=True, kw_only=True):
    """The last day that the text gives, and its article."""

    jour: date
    reference: str


def echeance_degagement(annee_engagement: int, reglement: str) -> EcheanceDegagement:
    """Return until when the commitment of a year must be covered by payment applications.

    Raises: ParametreHorsVigueur for a year before the programming period.
    Source: Règlement (UE) n° 1303/2013, art. 136; règlement (UE) 2021/1060, art. 105.
    """
    engage = date(annee_engagement, 12, 31)
    annees = parametre("degagement_office_annees", le=engage, reglement=reglement)
    jour = date(annee_engagement + annees.entier, 12, 31)
    try:
        dernier = parametre("degagement_office_dernier_jour", le=engage, reglement=reglement)
    except ParametreHorsVigueur:
        return EcheanceDegagement(jour=jour, reference=annees.reference)
    if dernier.jour < jour:
        return EcheanceDegagement(jour=dernier.jour, reference=dernier.reference)
    return EcheanceDegagement(jour=jour, reference=annees.reference)


def limite_ajustement(annee: int) -> date:
    """Return until when the dotation of a tranche is adjusted to what was programmed of it.

    Source: modèle de convention de subvention globale, à confirmer par la convention.
    """
    voulu = parametre("ajustement_dotation_jour", le=date(annee, 12, 31)).valeur
    return date.fromisoformat(f"{annee + 1}-{voulu}")


def degagement(objectif: int, prefinancements: int, certifie: int) -> int:
    """Return what a target still lacks, in cents: never less than nothing."""
    return max(0, objectif - prefinancements - certifie)
