"""Net revenue of an operation: deducted from its cost, counted as a resource, or left alone."""

from datetime import date
from typing import Literal

from rules.parametres import parametre

TraitementRecettes = Literal["deduites", "ressource", "exemptees"]

_ARTICLE = "Règlement (UE) n° 1303/2013, art. 65 §8"


def traitement_des_recettes(
    *, reglement: str, cout_total_eligible: int, au_reel: bool, le: date
) -> tuple[TraitementRecettes, str]:
    """Return what becomes of net revenue, and the text that says so.

    ``au_reel``: some cost of the operation is at real cost; ``le``: signature of the convention.
    Source: règlement (UE) n° 1303/2013, art. 65 §8; for 2021-2027 no article: our choice.
    """
    if reglement != "2014-2020":
        return "ressource", "Aucun article en 2021-2027 : les recettes comptent comme une ressource"
    seuil = parametre("recettes_exoneration_cout_max", le=le, reglement=reglement)
    if not au_reel:
        return "exemptees", f"{_ARTICLE} : barèmes et montants forfaitaires"
    if cout_total_eligible <= seuil.centimes:
        return "exemptees", f"{seuil.reference} : coût total éligible d’au plus {seuil.valeur} €"
    return "deduites", _ARTICLE
