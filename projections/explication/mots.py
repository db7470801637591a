"""How the calculation is said."""

from decimal import Decimal

from rules.nomenclature import POSTES

MINIMUM = "Règle du minimum : plafond, taux, besoin de financement"
CUMUL = "Montants cumulés depuis le début de l’opération"


def pourcent(taux: Decimal) -> str:
    """Write a percentage without useless zeros."""
    return f"{taux.normalize():f}".replace(".", ",") + "\u00a0%"


def libelle_du_poste(code: str) -> str:
    """Say a poste; a unit cost or a lump sum has the name of the convention."""
    return POSTES.get(code, code)
