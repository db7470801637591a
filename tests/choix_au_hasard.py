"""Cells and sums of cells drawn from real amounts, and their figures by the naive fold."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from pliage import Compte

from projections.livre import Choix


def concerne(compte: Compte, choix: Choix) -> bool:
    """Tell, apart from SQL, whether an amount is among the lines chosen."""
    case = compte.case
    demandes = (
        (choix.subvention_globale_id, case.sg),
        (choix.plie, case.plie),
        (choix.annee, case.annee),
        (choix.axe, case.axe),
        (choix.objectif_specifique, case.objectif_specifique),
        (choix.dispositif, case.dispositif),
        (choix.operation_id, compte.operation),
        (choix.financeur, compte.financeur),
    )
    return all(demande in {None, sien} for demande, sien in demandes)


def choisies(figures: Mapping[Compte, int], choix: Choix) -> Counter[str]:
    total: Counter[str] = Counter()
    for compte, montant in figures.items():
        if concerne(compte, choix):
            total[compte.mesure] += montant
    return total


def des_choix(sg: Any, comptes: list[Compte]) -> st.SearchStrategy[Choix]:
    """Draw filters from real amounts: any of their fields, so any cell or sum of cells."""

    def choisir(compte: Compte, gardes: set[str]) -> Choix:
        case = compte.case
        champs = {
            "plie": case.plie,
            "annee": case.annee,
            "axe": case.axe,
            "objectif_specifique": case.objectif_specifique,
            "dispositif": case.dispositif,
            "operation_id": compte.operation,
            "financeur": compte.financeur,
        }
        retenus = {nom: valeur for nom, valeur in champs.items() if nom in gardes}
        return Choix(subvention_globale_id=sg, **retenus)

    noms = [
        "plie",
        "annee",
        "axe",
        "objectif_specifique",
        "dispositif",
        "operation_id",
        "financeur",
    ]
    return st.builds(choisir, st.sampled_from(comptes), st.sets(st.sampled_from(noms), max_size=3))
