"""Workbooks that accountants fill: read without trust, checked cell by cell, given back."""

from api.classeurs.classeur import LIMITES, Classeur, ErreurDeCellule, Feuille, Limites
from api.classeurs.contexte import (
    CleMetier,
    Contexte,
    ContrepartieConnue,
    DepenseConnue,
    OperationConnue,
    SubventionConnue,
)
from api.classeurs.resultat import (
    Acte,
    Apercu,
    DefautDeCellule,
    Doublon,
    Gravite,
    LigneLue,
    Nature,
)

__all__ = [
    "LIMITES",
    "Acte",
    "Apercu",
    "Classeur",
    "CleMetier",
    "Contexte",
    "ContrepartieConnue",
    "DefautDeCellule",
    "DepenseConnue",
    "Doublon",
    "ErreurDeCellule",
    "Feuille",
    "Gravite",
    "LigneLue",
    "Limites",
    "Nature",
    "OperationConnue",
    "SubventionConnue",
]
