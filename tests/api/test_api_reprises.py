"""Operations taken over, through the JSON door: their list, one of them, a mistake undone."""

from typing import Any

import pytest
from corps import SUBVENTION
from liste_fictive import csv
from porte import Api

from oi_service.application import Acte
from oi_service.ids import new_id
from oi_service.reprise.importation import cadre_hors_subvention, importer
from oi_service.reprise.lecture import lire

LIGNES = (
    {},
    {"intitule": "Chantier tardif", "date_programmation": "2017-02-01"},
    {"intitule": "Autre programme", "programme": "PO_AUTRE", "montant_ue_programme": "900.00"},
)


@pytest.fixture
def reprises(api: Api) -> Api:
    """Lend the door on a base that holds a list."""
    liste = lire("liste.csv", csv(*LIGNES).encode())
    cadre = cadre_hors_subvention("2014-2020")
    importer(api.service, liste, cadre, Acte("importation", "systeme"))
    return api


def lister(api: Api, **filtres: Any) -> Any:
    answer = api.http.get("/api/v1/reprises", params=filtres)
    assert answer.status_code == 200, answer.text
    return answer.json()


def intitules(api: Api, **filtres: Any) -> list[str]:
    return [ligne["intitule"] for ligne in lister(api, **filtres)["lignes"]]


def test_the_list_says_each_operation_and_the_totals(reprises: Api) -> None:
    found = lister(reprises)
    assert found["totaux"] == {
        "nombre": 3,
        "annulees": 0,
        "cout_total_eligible": "3000.00",
        "fse": "1900.00",
        "par_anomalie": {
            "programmee_apres_fin": 1,
            "programmee_avant_debut": 0,
            "fin_avant_debut": 0,
            "taux_au_dela_du_maximum": 1,
        },
    }
    premiere = found["lignes"][0]
    assert (premiere["fse"], premiere["date_programmation"]) == ("500.00", "2016-03-15")
    assert (premiere["fichier"], premiere["ligne"], premiere["reference"]) == ("liste.csv", 2, "1")
    assert found["lignes"][1]["anomalies_libelles"] == ["programmée après sa fin"]


def test_filters_choose_and_the_totals_follow(reprises: Api) -> None:
    assert intitules(reprises, anomalie="taux_au_dela_du_maximum") == ["Autre programme"]
    assert intitules(reprises, programme="PO_AUTRE") == ["Autre programme"]
    assert intitules(reprises, recherche="TARDIF") == ["Chantier tardif"]
    assert intitules(reprises, recherche="nulle part") == []
    assert lister(reprises, programme="PO_AUTRE")["totaux"]["fse"] == "900.00"
    assert intitules(reprises, subvention_globale_id=str(new_id())) == []
    assert intitules(reprises, effet_au="2016-12-31") == [
        "Accompagnement, vers l’emploi",
        "Autre programme",
    ]
    assert intitules(reprises, connu_le="1") == ["Accompagnement, vers l’emploi"]
    assert intitules(reprises, connu_le="2000-01-01") == []
    for faux in ({"anomalie": "autre"}, {"connu_le": "hier"}, {"tri": "x"}, {"apres": "x"}):
        assert reprises.http.get("/api/v1/reprises", params=faux).status_code == 422


def test_pages_follow_each_other_under_the_same_totals(reprises: Api) -> None:
    page = lister(reprises, limite=2)
    suite = lister(reprises, limite=2, apres=page["suivant"])
    assert [len(page["lignes"]), len(suite["lignes"]), suite["suivant"]] == [2, 1, None]
    assert page["totaux"] == suite["totaux"]
    assert {x["id"] for x in page["lignes"]}.isdisjoint({x["id"] for x in suite["lignes"]})


def test_a_mistake_is_undone_once_and_shown(reprises: Api) -> None:
    [premiere, *_] = lister(reprises)["lignes"]
    chemin = f"/reprises/{premiere['id']}"
    annulation = {"date_effet": "2020-01-02", "motif": "Ligne d’une autre région"}
    acte = reprises.faire(f"{chemin}/annulations", annulation, premiere["version"])
    assert [e["nom"] for e in acte["evenements"]] == ["reprise.annulee.v1"]
    fiche = reprises.http.get(f"/api/v1{chemin}")
    assert (fiche.json()["annulee_le"], fiche.headers["ETag"]) == ("2020-01-02", '"2"')
    assert lister(reprises)["totaux"] == {
        "nombre": 2,
        "annulees": 1,
        "cout_total_eligible": "2000.00",
        "fse": "1400.00",
        "par_anomalie": {
            "programmee_apres_fin": 1,
            "programmee_avant_debut": 0,
            "fin_avant_debut": 0,
            "taux_au_dela_du_maximum": 1,
        },
    }
    # Before the day of the correction, and before it was known, it still counts.
    assert lister(reprises, effet_au="2020-01-01")["totaux"]["nombre"] == 3
    assert lister(reprises, connu_le="3")["lignes"][0]["annulee_le"] is None
    encore = reprises.demander(f"{chemin}/annulations", annulation, 2)
    assert (encore.status_code, encore.json()["code"]) == (409, "reprise_deja_annulee")
    phrases = [e["phrase"] for e in reprises.http.get("/api/v1/journal").json()["lignes"]]
    assert "ne sont plus comptés. Motif : Ligne d’une autre région." in phrases[0]
    assert "Anomalies signalées : part du Fonds au-delà du maximum." in phrases[1]


def test_an_unknown_one_is_not_found(api: Api) -> None:
    answer = api.http.get(f"/api/v1/reprises/{new_id()}")
    assert (answer.status_code, answer.json()["code"]) == (404, "reprise_absente")
    subvention = api.faire("/subventions-globales", SUBVENTION)["id"]
    assert api.http.get(f"/api/v1/reprises/{subvention}").status_code == 404
    assert lister(api)["lignes"] == []
