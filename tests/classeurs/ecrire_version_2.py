"""Write the stored workbook of version 2 of the template of dépenses, once and for all.

It is written without our code: what a version was never follows what the code becomes.
"""

import sys
from datetime import datetime
from pathlib import Path

from xlsxwriter import Workbook

LIGNE = {
    "N° de dossier *": "202100007",
    "Poste de dépense *": "Dépenses directes de personnel",
    "Nature de la dépense *": "Salaire chargé de mars",
    "Fournisseur ou tiers": "salarie-07",
    "Identifiant du salarié": None,
    "N° de pièce *": "BP-03",
    "Date de la pièce *": datetime(2021, 3, 31),  # noqa: DTZ001
    "Date de réalisation *": datetime(2021, 3, 31),  # noqa: DTZ001
    "Date d’engagement": None,
    "Date d’acquittement": datetime(2021, 4, 2),  # noqa: DTZ001
    "Preuve d’acquittement": "Bulletin de paie et relevé bancaire",
    "Montant HT": None,
    "Montant TTC": None,
    "TVA récupérable": None,
    "Montant imputé": None,
    "Clé : numérateur": None,
    "Clé : dénominateur": None,
    "Clé : ce qu’elle mesure": None,
    "Clé : coût à répartir": None,
    "Temps : méthode": "Heures de l’opération sur heures travaillées",
    "Temps : coût de la personne": 3000,
    "Temps : heures de l’opération": 75.5,
    "Temps : heures de base": 151,
    "Temps : pourcentage": None,
    "Temps : année": 2021,
    "Temps : mois": 3,
    "Temps : justificatif": None,
    "Temps : accepté le": None,
    "Référence du marché": None,
    "Mise en concurrence": None,
    "Pièce régularisée": None,
}


def ecrire(chemin: Path) -> None:
    """Write the workbook."""
    with Workbook(chemin) as livre:
        livre.set_properties({"created": datetime(2021, 1, 1)})  # noqa: DTZ001
        jour = livre.add_format({"num_format": "dd/mm/yyyy"})
        page = livre.add_worksheet("Dépenses")
        page.write_row(0, 0, LIGNE)
        for rang, valeur in enumerate(LIGNE.values()):
            if isinstance(valeur, datetime):
                page.write_datetime(1, rang, valeur, jour)
            elif valeur is not None:
                page.write(1, rang, valeur)
        identite = livre.add_worksheet("oi")
        identite.hide()
        for numero, ligne in enumerate(
            [["modele", "depenses"], ["version", "2"], ["operation", ""], ["dossier", ""]]
        ):
            identite.write_row(numero, 0, ligne)


if __name__ == "__main__":
    ecrire(Path(sys.argv[1]))
