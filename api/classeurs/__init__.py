"""Workbooks that accountants fill: read without trust, checked cell by cell, given back."""

from api.classeurs.annotation import annoter
from api.classeurs.classeur import LIMITES, Classeur, ErreurDeCellule, Feuille, Limites
from api.classeurs.contexte import (
    CleMetier,
    Contexte,
    ContrepartieConnue,
    DepenseConnue,
    OperationConnue,
    SubventionConnue,
)
from api.classeurs.examen import examiner
from api.classeurs.gabarit import gabarit
from api.classeurs.lecture import lire
from api.classeurs.modeles import MODELES, Modele
from api.classeurs.refus import FichierRefuse
from api.classeurs.regles import regles
from api.classeurs.reperage import numeros_cites
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
    "MODELES",
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
    "FichierRefuse",
    "Gravite",
    "LigneLue",
    "Limites",
    "Modele",
    "Nature",
    "OperationConnue",
    "SubventionConnue",
    "annoter",
    "apercu",
    "gabarit",
    "lire",
    "numeros_cites",
]


def apercu(classeur: Classeur, nature: Nature, contexte: Contexte) -> Apercu:
    """Look at a workbook that was read: what its rows ask, and all that is wrong with them.

    Raises: FichierRefuse, when the file as a whole is not the one that is expected.
    """
    return examiner(classeur, MODELES[nature], contexte, regles(contexte))
