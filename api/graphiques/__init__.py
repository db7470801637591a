"""Charts of the pages: server SVG, each with a sentence that concludes and the table behind it."""

from api.graphiques.cascade import cascade
from api.graphiques.courbe import Etape, Suivi, courbe, dire_le_manque
from api.graphiques.flux import flux
from api.graphiques.leviers import Effet, leviers
from api.graphiques.modele import Graphique

__all__ = [
    "Effet",
    "Etape",
    "Graphique",
    "Suivi",
    "cascade",
    "courbe",
    "dire_le_manque",
    "flux",
    "leviers",
]
