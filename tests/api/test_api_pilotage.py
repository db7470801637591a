"""Targets, forecasts, exposure and proposals through the JSON door."""

from typing import Any

import pytest
from porte import ORDONNATEUR, Api
from vie import Vie

DIRECTEUR = {"OI-Acteur": "directeur-a", "OI-Role": "directeur_plie"}


@pytest.fixture
def vie(api: Api) -> Vie:
    """A line shared between two PLIE, an operation to certify, a dossier that lacks money."""
    vie = Vie(api.service)
    vie.subvention()
    vie.tranche("200000.00", "200000.00")
    vie.enveloppe("A", "60000.00")
    vie.enveloppe("B", "100000.00", "180000.00")
    vie.appel(fiches=[{}, {"code": "B1", "plie": "B"}])
    vie.jusqu_au_demarrage("UN", fse="50000.00", cout_total="100000.00")
    vie.bilan("UN", ["80000.00"])
    vie.depot("DEUX", fse="30000.00", cout_total="60000.00")
    return vie


def adresse(vie: Vie, quoi: str) -> str:
    return f"/subventions-globales/{vie.id('SG')}/{quoi}"


def lire(api: Api, vie: Vie, quoi: str, **dates: str) -> Any:
    answer = api.http.get(f"/api/v1{adresse(vie, quoi)}", params=dates)
    assert answer.status_code == 200, answer.text
    return answer.json()


def version(api: Api, vie: Vie) -> int:
    return int(api.somme("SELECT max(version) FROM oi.event WHERE stream_id = %s", vie.id("SG")))


OBJECTIF = {
    "date_effet": "2022-01-10",
    "plie_id": "A",
    "annee_engagement": 2019,
    "montant_cumule": "50000.00",
    "prefinancements": "1750.00",
    "source": "Courrier fictif du 10/01/2022",
}
PREVISIONS = {
    "date_effet": "2022-01-10",
    "plie_id": "A",
    "trimestres": [
        {"annee": 2022, "trimestre": 2, "mesure": "fse_declare", "montant": "45000.00"},
        {"annee": 2022, "trimestre": 3, "mesure": "fse_certifie", "montant": "40000.00"},
    ],
}


def test_a_target_shows_what_it_exposes_and_the_bilan_that_covers_it(api: Api, vie: Vie) -> None:
    acte = api.faire(adresse(vie, "objectifs-certification"), OBJECTIF, version(api, vie))
    assert [e["nom"] for e in acte["evenements"]] == [
        "subvention_globale.objectif_certification_fixe.v1"
    ]
    lu = lire(api, vie, "degagement", effet_au="2022-04-30")
    assert lu["le"] == "2022-04-30"
    [ligne] = lu["lignes"]
    assert ligne["objectif"]["date_limite"] == "2022-12-31"
    assert (ligne["exposition"], ligne["etat"]) == ("48250.00", "a_couvrir")
    assert ligne["jours_restants"] == 245
    [etape] = ligne["plan"]
    assert etape["attente"]["attendu"] == "controler"
    assert etape["attente"]["dossier"]["numero_mdfse"] == "UN"
    assert (etape["jours"], etape["cumul"]) == (29, "40000.00")
    assert (ligne["reste_a_declarer"], ligne["non_couvert"]) == ("8250.00", "8250.00")
    [a, b] = lu["par_plie"]
    assert (a["a_controler"], a["prochaine"]["exposition"]) == ("40000.00", "48250.00")
    assert (b["a_controler"], b["prochaine"]) == ("0.00", None)
    # Before the bilan, its operation is still awaited; before the target, nothing is.
    [ligne] = lire(api, vie, "degagement", effet_au="2022-03-31")["lignes"]
    [attendu] = ligne["a_declarer"]
    assert (attendu["bilan"]["etat"], attendu["cumul"]) == ("attendu", "50000.00")
    assert lire(api, vie, "degagement", effet_au="2022-01-09")["lignes"] == []


def test_a_refused_target_says_which_rule(api: Api, vie: Vie) -> None:
    trop = OBJECTIF | {"montant_cumule": "1000000.01"}
    refused = api.demander(adresse(vie, "objectifs-certification"), trop, version(api, vie))
    assert (refused.status_code, refused.json()["code"]) == (
        409,
        "objectif_au_dela_de_la_subvention",
    )
    assert refused.json()["details"] == {"demande": "1000000.01", "plafond": "1000000.00"}


def test_the_director_of_a_plie_files_its_forecasts(api: Api, vie: Vie) -> None:
    acte = api.faire(adresse(vie, "previsions"), PREVISIONS, version(api, vie), personne=DIRECTEUR)
    [position] = [e["position"] for e in acte["evenements"]]
    lu = lire(api, vie, "previsions", effet_au="2022-06-30")
    declare, certifie = lu["suites"]
    [trimestre] = declare["trimestres"]
    assert (trimestre["prevu"], trimestre["realise"]) == ("45000.00", "40000.00")
    assert (trimestre["ecart"], trimestre["etat"]) == ("-5000.00", "en_cours")
    assert trimestre["position"] == position
    assert certifie["trimestres"][0]["etat"] == "a_venir"
    assert lire(api, vie, "previsions", connu_le=str(position - 1))["suites"] == []
    revolu = PREVISIONS | {"date_effet": "2022-07-01"}
    refused = api.demander(adresse(vie, "previsions"), revolu, version(api, vie))
    assert (refused.status_code, refused.json()["code"]) == (409, "trimestre_revolu")


def test_a_proposal_is_tried_then_decided_as_it_is(api: Api, vie: Vie) -> None:
    lu = lire(api, vie, "gestion-dynamique", effet_au="2022-06-30")
    [proposition] = lu["propositions"]
    assert (proposition["de"], proposition["vers"]) == ("B", "A")
    # 60 000 allocated, 50 000 programmed, 30 000 asked for; the total cost at the rate of B.
    assert (proposition["fse"], proposition["cout_total"]) == ("20000.00", "36000.00")
    commande = proposition["commande"]
    assert commande["chemin"] == f"/api/v1{adresse(vie, 'transferts')}"
    position = api.position
    essai = api.http.post("/api/v1/essais", json={"commandes": [commande]}, headers=ORDONNATEUR)
    assert essai.status_code == 200, essai.text
    assert essai.json()["regles_enfreintes"] == []
    assert api.position == position
    api.faire(
        commande["chemin"].removeprefix("/api/v1"),
        commande["corps"],
        version(api, vie),
        personne=ORDONNATEUR,
    )
    apres = lire(api, vie, "gestion-dynamique", effet_au="2022-06-30")
    assert (apres["propositions"], apres["besoins_non_couverts"]) == ([], [])
    assert {p["plie_id"]: p["disponible_a_programmer"] for p in apres["par_plie"]} == {
        "A": "30000.00",
        "B": "80000.00",
        "non_reparti": "40000.00",
    }


def test_what_will_not_be_used_is_told_operation_by_operation(api: Api, vie: Vie) -> None:
    lu = lire(api, vie, "gestion-dynamique", effet_au="2022-06-30")
    [finie] = lu["sous_realisations"]
    assert (finie["numero_mdfse"], finie["montant"]) == ("UN", "50000.00")
    assert (finie["encore_justifiable"], finie["acquise"]) == ("40000.00", "10000.00")
    a = next(p for p in lu["par_plie"] if p["plie_id"] == "A")
    assert a["sous_realisation_previsible"] == "50000.00"
    [tranche] = lu["ajustements"]
    assert (tranche["limite"], tranche["sur_programmation"]) == ("2022-04-30", "200000.00")
    hors_periode = lire(api, vie, "gestion-dynamique", effet_au="2023-01-01")
    assert "31/12/2022" in hors_periode["empechement"]


@pytest.mark.parametrize("quoi", ["degagement", "previsions", "gestion-dynamique"])
def test_an_unknown_grant_and_a_malformed_date_are_refused(api: Api, vie: Vie, quoi: str) -> None:
    absente = api.http.get(f"/api/v1/subventions-globales/{vie.id('UN')}/{quoi}")
    assert (absente.status_code, absente.json()["code"]) == (404, "subvention_globale_absente")
    mal = api.http.get(f"/api/v1{adresse(vie, quoi)}", params={"effet_au": "30/06/2022"})
    assert mal.status_code == 422
