"""Write the stored workbook of version 1 of the template of dépenses, once and for all.

It is written without our code: what a version was never follows what the code becomes.
"""

import sys
from datetime import datetime
from pathlib import Path

from xlsxwriter import Workbook

TITRES = (
    "N° de dossier *",
    "Poste de dépense *",
    "Nature de la dépense *",
    "Fournisseur ou tiers",
    "Identifiant du salarié",
    "N° de pièce *",
    "Date de la pièce *",
    "Date de réalisation *",
    "Date d’engagement",
    "Date d’acquittement",
    "Preuve d’acquittement",
    "Montant HT",
    "Montant TTC",
    "TVA récupérable",
    "Montant déclaré",
)
LIGNE = (
    "202100007",
    "Dépenses directes de personnel",
    "Salaire chargé de mars",
    "salarie-07",
    None,
    "BP-03",
    datetime(2021, 3, 31),  # noqa: DTZ001
    datetime(2021, 3, 31),  # noqa: DTZ001
    None,
    datetime(2021, 4, 2),  # noqa: DTZ001
    "Bulletin de paie et relevé bancaire",
    None,
    None,
    None,
    1234.56,
)


def ecrire(chemin: Path) -> None:
    """Write the workbook."""
    with Workbook(chemin) as livre:
        livre.set_properties({"created": datetime(2021, 1, 1)})  # noqa: DTZ001
        jour = livre.add_format({"num_format": "dd/mm/yyyy"})
        page = livre.add_worksheet("Dépenses")
        page.write_row(0, 0, TITRES)
        for rang, valeur in enumerate(LIGNE):
            if isinstance(valeur, datetime):
                page.write_datetime(1, rang, valeur, jour)
            elif valeur is not None:
                page.write(1, rang, valeur)
        identite = livre.add_worksheet("oi")
        identite.hide()
        for numero, ligne in enumerate(
            [["modele", "depenses"], ["version", "1"], ["operation", ""], ["dossier", ""]]
        ):
            identite.write_row(numero, 0, ligne)


if __name__ == "__main__":
    ecrire(Path(sys.argv[1]))
