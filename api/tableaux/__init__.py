"""Tables: declared once, shown in a page and written in a workbook or a CSV file."""

from api.tableaux.modele import Cellule, Colonne, Genre, Ligne, Releve, Tableau

__all__ = ["Cellule", "Colonne", "Genre", "Ligne", "Releve", "Tableau"]
