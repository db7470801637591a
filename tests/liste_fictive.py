"""Small lists of past operations, all invented."""

from collections.abc import Iterable, Mapping

ENTETE = (
    "ligne",
    "programme",
    "intitule",
    "beneficiaire",
    "code_postal",
    "date_debut",
    "date_fin",
    "total_depenses_eligibles",
    "montant_ue_programme",
    "pays",
    "date_programmation",
    "categorie_intervention",
    "fonds",
)
LIGNE: Mapping[str, str] = {
    "ligne": "1",
    "programme": "PO_FICTIF",
    "intitule": "Accompagnement, vers l’emploi",
    "beneficiaire": "Bénéficiaire fictif n° 01",
    "code_postal": "33000",
    "date_debut": "2016-01-01",
    "date_fin": "2016-12-31",
    "total_depenses_eligibles": "1000.00",
    "montant_ue_programme": "500.00",
    "pays": "FR",
    "date_programmation": "2016-03-15",
    "categorie_intervention": "",
    "fonds": "FSE",
}


def csv(
    *lignes: Mapping[str, str],
    separateur: str = ",",
    entete: Iterable[str] = ENTETE,
    fin: str = "\n",
) -> str:
    """Write a list; each line says what it has of its own. Every cell is quoted."""
    colonnes = list(entete)
    rangees = [[(LIGNE | ligne).get(c, "") for c in colonnes] for ligne in lignes]
    return "".join(
        separateur.join('"' + c.replace('"', '""') + '"' for c in rangee) + fin
        for rangee in [colonnes, *rangees]
    )
