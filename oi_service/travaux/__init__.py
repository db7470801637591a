"""Long work in the background: asked by a page or a route, done one at a time, read when it is
over, whatever became of the browser.

A work is not a fact: it is not in the log, decides nothing by itself, and is forgotten.
"""

from oi_service.travaux.file import Travaux
from oi_service.travaux.nature import NATURES, Nature, Suivi, nature
from oi_service.travaux.ouvrier import Ouvrier, faire_un
from oi_service.travaux.travail import (
    Etat,
    Fichier,
    FichierDeTravailAbsent,
    NatureDeTravailInconnue,
    Travail,
    TravailAbsent,
    TravailTermine,
    TravailVivant,
    TropDeTravaux,
)

__all__ = [
    "NATURES",
    "Etat",
    "Fichier",
    "FichierDeTravailAbsent",
    "Nature",
    "NatureDeTravailInconnue",
    "Ouvrier",
    "Suivi",
    "Travail",
    "TravailAbsent",
    "TravailTermine",
    "TravailVivant",
    "Travaux",
    "TropDeTravaux",
    "faire_un",
    "nature",
]
