"""The bilan that goes with a workbook of ressources, as a form says it."""

from datetime import date

import pytest

from aggregates.lot.importation import ImporterLotRessources
from api.pages.bilan_du_classeur import bilan_saisi
from api.pages.formulaires import SaisieRefusee

_PLAT = {
    "bilan.numero": ["2"],
    "bilan.type": ["intermediaire"],
    "bilan.periode.debut": ["2021-01-01"],
    "bilan.periode.fin": ["30/06/2021"],
    "bilan.livrables": ["L1", "L2"],
    "bilan.recettes_nettes": ["1 200,50"],
    "bilan.unites.0.poste": ["atelier"],
    "bilan.unites.0.quantite": [""],
    "bilan.unites.1.poste": ["bilan_de_competences"],
    "bilan.unites.1.quantite": ["12,5"],
}
_ACTE = {
    "date_effet": "2022-02-01",
    "fichier_sha256": "cd" * 32,
    "fichier_nom": "ressources.xlsx",
    "total_controle": "10.00",
}
_RESSOURCE = {"type": "publique_epci", "financeur": "EPCI fictif", "montant": "10.00"}


def test_what_is_typed_is_the_command_that_files_the_bilan() -> None:
    """Units of which nothing is said are not declared."""
    asked = ImporterLotRessources.model_validate({**_ACTE, "bilan": bilan_saisi(_PLAT)})
    depot = asked.depot([_RESSOURCE])
    assert depot.date_effet == date(2022, 2, 1)
    assert (depot.numero, depot.type) == (2, "intermediaire")
    assert depot.periode.fin == date(2021, 6, 30)
    assert depot.livrables == ("L1", "L2")
    assert depot.recettes_nettes == 1_200_50
    assert [(u.poste, u.quantite) for u in depot.unites] == [("bilan_de_competences", "12.5")]
    assert [(r.type, r.financeur, r.montant) for r in depot.ressources] == [
        ("publique_epci", "EPCI fictif", 10_00)
    ]


def test_a_number_that_is_none_is_said_at_its_field() -> None:
    with pytest.raises(SaisieRefusee) as refus:
        bilan_saisi({**_PLAT, "bilan.unites.1.quantite": ["douze"], "bilan.numero": ["un"]})
    assert {d.champ for d in refus.value.defauts} == {
        "bilan.numero",
        "bilan.unites.1.quantite",
    }
