"""Tables: declared once, shown in a page and written in a workbook or a CSV file."""

from api.tableaux.modele import Cellule, Colonne, Genre, Ligne, Releve, Tableau
from api.tableaux.reponse import Format, liens, repondre

__all__ = [
    "Cellule",
    "Colonne",
    "Format",
    "Genre",
    "Ligne",
    "Releve",
    "Tableau",
    "liens",
    "repondre",
]
