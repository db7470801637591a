"""Audits of operations through the JSON door: every act, its reading at two dates, its refusals."""

from collections.abc import Iterator
from typing import Any

import pytest
from bases import base_neuve
from controles_joues import jouer_les_controles
from porte import Api
from portier import PortierDEssai
from starlette.testclient import TestClient
from vie import Vie

from aggregates.controle_operation.state import LIBELLES
from api.app import create_app
from oi_service.app import open_service
from oi_service.ids import new_id
from projections.controles_operation import OBJETS


class Porte(Api):
    """The door, and the lives behind it."""

    vie: Vie

    def lire(self, chemin: str = "", **filtres: Any) -> Any:
        answer = self.http.get(f"/api/v1/controles-operation{chemin}", params=filtres)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def porte(serveur: str, modele: str) -> Iterator[Porte]:
    with base_neuve(serveur, modele) as base, open_service(base) as service:
        vie = Vie(service)
        jouer_les_controles(vie)
        with TestClient(create_app(service, PortierDEssai())) as http:
            made = Porte(http, service)
            made.vie = vie
            yield made


def test_a_control_goes_to_its_end_through_the_door(porte: Porte) -> None:
    """Every act of a control has its route; each answers with what it made."""
    operation = str(porte.vie.id("OP-2"))
    le = {"date_effet": "2022-12-20"}
    perimetre = {"operations": [{"operation_id": operation, "cout_total_controle": "900.00"}]}
    notifie = le | {
        "organisme": "autre",
        "organisme_nom": "Mission fictive",
        "reference": "PORTE-1",
        "perimetre": perimetre,
    }
    fait = porte.faire("/controles-operation", notifie)
    chemin, version = f"/controles-operation/{fait['id']}", fait["version"]

    def acte(suite: str, corps: Any, **extra: Any) -> Any:
        nonlocal version
        done = porte.faire(f"{chemin}/{suite}", le | corps, version, **extra)
        version = done["version"]
        return done

    perimetre["operations"][0]["cout_total_controle"] = "1000.00"
    acte("perimetre", {"perimetre": perimetre, "motif": "Erreur de frappe"})
    acte("debut", {"modalite": "sur_pieces"})
    constat = {
        "numero": 1,
        "operation_id": operation,
        "nature": "piece_manquante",
        "constatation": "Une facture manque.",
        "cout_total": "300.00",
        "fse": "150.00",
        "assiette": "Achats",
    }
    acte(
        "rapport-provisoire",
        {"rapport_ref": "RP", "constats": [constat], "date_limite_reponse": "2023-01-20"},
    )
    acte("prolongation", {"date_limite": "2023-02-20", "accord_ref": "Courriel"})
    acte("reponses", {"constat_numero": 1, "auteur": "oi", "reponse": "accepte"})
    acte(
        "rectifications",
        {
            "constat_numero": 1,
            "rectification_ref": "Lettre",
            "cout_total": "200.00",
            "fse": "100.00",
            "motif": "Facture retrouvée en partie",
        },
    )
    acte(
        "rapport-definitif",
        {
            "rapport_ref": "RD",
            "resultat": "correction_individuelle",
            "constats": [{"numero": 1, "issue": "maintenu"}],
        },
    )
    suite = {
        "constat_numero": 1,
        "mesure": "ordre_reversement",
        "responsable": "beneficiaire",
        "action": "Rendre",
        "echeance": "2023-03-01",
    }
    erreur = acte("suites", suite)["id"]
    acte(f"suites/{erreur}/prolongation", {"echeance": "2023-04-01", "accord_ref": "Courriel"})
    acte(f"suites/{erreur}/annulation", {"motif": "Rien n’a été payé en trop"})
    retrait = acte("suites", suite | {"mesure": "retrait_certification"})["id"]
    refuse = porte.demander(
        f"{chemin}/suites/{retrait}/execution", le | {"appels_de_fonds": ["AF-1"]}, version
    )
    assert (refuse.status_code, refuse.json()["code"]) == (404, "retrait_absent")
    porte.vie.transmission("OP-2", "1000.00", "2000.00")
    porte.vie.certification("OP-2", "1000.00", "2000.00")
    porte.vie.retrait_certification("OP-2", "99.99", "200.00")
    refuse = porte.demander(
        f"{chemin}/suites/{retrait}/execution", le | {"appels_de_fonds": ["AF-1"]}, version
    )
    assert (refuse.status_code, refuse.json()["code"]) == (409, "retrait_insuffisant")
    porte.vie.retrait_certification("OP-2", "0.01", "0.00")
    acte(f"suites/{retrait}/execution", {"appels_de_fonds": ["AF-1"]})
    acte("suites-closes", {})
    acte("cloture", {"cloture_ref": "Lettre de fin"})
    vu = porte.lire(f"/{fait['id']}")
    assert vu["controle"]["statut"] == "clos"
    assert vu["controle"]["organisme_libelle"] == "Mission fictive"
    lien = vu["suites"][1]["liens"][0]
    assert (lien["appel_de_fonds_no"], lien["fse_impute"]) == ("AF-1", "100.00")
    assert [s["statut"] for s in vu["suites"]] == ["annulee", "executee"]
    stale = porte.demander(f"{chemin}/debut", le | {"modalite": "sur_place"}, 1)
    assert stale.status_code == 412


def test_a_control_is_annulled_through_the_door(porte: Porte) -> None:
    controle = porte.vie.id("MISSION-1")
    version = porte.lire(f"/{controle}")["controle"]["version"]
    corps = {"date_effet": "2022-12-20", "motif": "Mission abandonnée"}
    fait = porte.faire(f"/controles-operation/{controle}/annulation", corps, version)
    assert [e["nom"] for e in fait["evenements"]] == ["controle_operation.annule.v1"]
    assert porte.lire(f"/{controle}")["attentes"] == []


def test_the_list_is_read_at_two_dates(porte: Porte) -> None:
    tous = porte.lire(le="2022-12-31")
    assert {c["statut"] for c in tous["lignes"]} <= set(LIBELLES)
    assert tous["lignes"][0]["reference"] == "CICC-1"
    assert tous["lignes"][0]["fse_retenu"] == "500.00"
    avant = porte.lire(effet_au="2022-10-07")
    assert avant["le"] == "2022-10-07"
    assert avant["situation"]["effet_au"] == "2022-10-07"
    assert {c["reference"]: c["statut"] for c in avant["lignes"]}["CICC-1"] == "rapport_provisoire"
    assert porte.lire(connu_le="1")["lignes"] == []
    controle = porte.vie.id("CICC-1")
    answer = porte.http.get(
        f"/api/v1/controles-operation/{controle}", params={"effet_au": "2022-10-07"}
    )
    assert "ETag" not in answer.headers
    assert answer.json()["constats"][0]["issue"] is None
    trop_tot = porte.http.get(
        f"/api/v1/controles-operation/{controle}", params={"effet_au": "2022-01-01"}
    )
    assert (trop_tot.status_code, trop_tot.json()["code"]) == (404, "controle_operation_absent")


def test_what_is_due_is_read_apart(porte: Porte) -> None:
    dues = porte.lire("/suites-attendues", effet_au="2022-11-20")
    assert dues["nombre"] == len(dues["lignes"]) == 4
    assert {d["objet"] for d in dues["lignes"]} == set(OBJETS)
    retards = porte.lire("/suites-attendues", effet_au="2022-11-20", en_retard=True)
    [suite] = retards["lignes"]
    assert (suite["reference"], suite["retard_jours"], suite["fse"]) == ("VISITE-1", 5, "100.00")
    assert (retards["en_retard"], retards["fse"]) == (1, "100.00")
    operation = str(porte.vie.id("OP-1"))
    siennes = porte.lire("/suites-attendues", effet_au="2022-11-20", operation_id=operation)
    assert [d["reference"] for d in siennes["lignes"]] == ["MISSION-1", "CICC-1"]


def test_a_refusal_says_both_figures(porte: Porte) -> None:
    vie = porte.vie
    controle = vie.id("VISITE-1")
    vu = porte.lire(f"/{controle}")
    [suite] = vu["suites"]
    vie.controle_notifie("PETIT-1", {"OP-2": "100.00"})
    corps = {"date_effet": "2022-12-20", "ordres": [str(new_id())]}
    answer = porte.demander(
        f"/controles-operation/{controle}/suites/{suite['suite_id']}/execution",
        corps,
        vu["controle"]["version"],
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "ordre_absent")
    trop = {"operation_id": str(vie.id("OP-2")), "cout_total_controle": "80000.01"}
    notifie = {
        "date_effet": "2022-12-20",
        "organisme": "autorite_audit",
        "reference": "TROP-1",
        "perimetre": {"operations": [trop]},
    }
    answer = porte.demander("/controles-operation", notifie)
    said = answer.json()["title"] + answer.json()["detail"]
    assert answer.json()["code"] == "controle_au_dela_du_declare"
    assert "80\u202f000,01\u00a0€" in said
    assert "80\u202f000,00\u00a0€" in said


@pytest.mark.parametrize(
    "filtres",
    [{"statut": "inconnu"}, {"organisme": "x"}, {"apres": "x"}, {"inconnu": "1"}, {"le": "hier"}],
)
def test_a_malformed_filter_is_refused(porte: Porte, filtres: dict[str, str]) -> None:
    answer = porte.http.get("/api/v1/controles-operation", params=filtres)
    assert answer.status_code == 422
