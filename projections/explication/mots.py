"""How the calculation is said."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from rules.couts import OPTIONS
from rules.parametres import parametre

MINIMUM = "Règle du minimum : plafond, taux, besoin de financement"
CUMUL = "Montants cumulés depuis le début de l’opération"


def nombre(quantite: Decimal) -> str:
    """Write a quantity without useless zeros."""
    return f"{quantite.normalize():f}".replace(".", ",")


def pourcent(taux: Decimal) -> str:
    """Write a percentage without useless zeros."""
    return nombre(taux) + "\u00a0%"


#: How each form of cost is founded under each regulation; a flat rate says its own article.
_FORMES: Mapping[str, Mapping[str, str]] = {
    "2014-2020": {
        "reel": "Règlement (UE) n° 1303/2013, art. 67 §1 a)",
        "forfait": "Règlement (UE) n° 1303/2013, art. 67 §1 d)",
        "cout_unitaire": "Règlement (UE) n° 1303/2013, art. 67 §1 b)",
        "montant_forfaitaire": "Règlement (UE) n° 1303/2013, art. 67 §1 c)",
        "paiement": "Règlement (UE) n° 1303/2013, art. 132 §1",
    },
    "2021-2027": {
        "reel": "Règlement (UE) 2021/1060, art. 53 §1 a)",
        "forfait": "Règlement (UE) 2021/1060, art. 53 §1 d)",
        "cout_unitaire": "Règlement (UE) 2021/1060, art. 53 §1 b)",
        "montant_forfaitaire": "Règlement (UE) 2021/1060, art. 53 §1 c)",
        "paiement": "Règlement (UE) 2021/1060, art. 74 §1 b)",
    },
}


def article(quoi: str, reglement: str) -> str:
    """Return the article of one regulation, never of the other."""
    return _FORMES[reglement][quoi]


def article_du_taux(option: str, reglement: str, le: date) -> str:
    """Return the article of a flat rate, as it stood when the convention was signed."""
    return parametre(OPTIONS[option].plafond, le=le, reglement=reglement).reference
