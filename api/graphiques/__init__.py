"""Charts of the pages: server SVG, each with a sentence that concludes and the table behind it."""

from api.graphiques.cascade import cascade
from api.graphiques.courbe import Etape, Suivi, courbe
from api.graphiques.flux import flux
from api.graphiques.leviers import Couvert, Effet, couverture, leviers
from api.graphiques.modele import Graphique

__all__ = [
    "Couvert",
    "Effet",
    "Etape",
    "Graphique",
    "Suivi",
    "cascade",
    "courbe",
    "couverture",
    "flux",
    "leviers",
]
