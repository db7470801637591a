"""The reading routes: what the JSON door shows, and to whom."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from portier import PortierDEssai
from starlette.testclient import TestClient
from vie_complete import Vie

from api.app import create_app
from api.deps import perimetre
from oi_service.application import Service
from oi_service.ids import new_id
from projections.curseurs import ecrire
from projections.maquette import QUANTITES, TAUX
from projections.perimetre import Perimetre

_EUROS = re.compile(r"-?\d+\.\d{2}")


@pytest.fixture
def app(ouvert: Service, vie: Vie) -> FastAPI:
    """Assemble the doors."""
    return create_app(ouvert, PortierDEssai())


@pytest.fixture
def http(app: FastAPI) -> Iterator[TestClient]:
    """Lend a client, in the only role that reads the whole log."""
    with TestClient(app, headers={"OI-Role": "auditeur"}) as client:
        yield client


#: What an address cannot be read without.
OBLIGATOIRES = {"/maquette/mouvements": {"mesure": "fse_paye"}}


def lire(http: TestClient, chemin: str, **filtres: Any) -> Any:
    answer = http.get(f"/api/v1{chemin}", params=OBLIGATOIRES.get(chemin, {}) | filtres)
    assert answer.status_code == 200, answer.text
    return answer.json()


def chemins(http: TestClient, vie: Vie) -> dict[str, str]:
    """Return every address that an identifier of the life opens, by its route."""
    une = vie.operations["entière"]
    bilan = lire(http, f"/operations/{une}/convention")["bilans"][0]
    [csf] = bilan["csf"]
    paiement = lire(http, f"/operations/{une}/convention")["paiements"][-1]["paiement_id"]
    return {
        "/subventions-globales": "/subventions-globales",
        "/subventions-globales/{subvention_globale_id}": f"/subventions-globales/{vie.sg}",
        "/subventions-globales/{subvention_globale_id}/enveloppes": (
            f"/subventions-globales/{vie.sg}/enveloppes"
        ),
        "/subventions-globales/{subvention_globale_id}/contreparties": (
            f"/subventions-globales/{vie.sg}/contreparties"
        ),
        "/subventions-globales/{subvention_globale_id}/degagement": (
            f"/subventions-globales/{vie.sg}/degagement"
        ),
        "/subventions-globales/{subvention_globale_id}/previsions": (
            f"/subventions-globales/{vie.sg}/previsions"
        ),
        "/subventions-globales/{subvention_globale_id}/gestion-dynamique": (
            f"/subventions-globales/{vie.sg}/gestion-dynamique"
        ),
        "/contreparties/{contrepartie_id}": f"/contreparties/{vie.contreparties[0]}",
        "/appels-a-projets": "/appels-a-projets",
        "/appels-a-projets/{appel_a_projets_id}": f"/appels-a-projets/{vie.appel}",
        "/operations": "/operations",
        "/operations/{operation_id}": f"/operations/{une}",
        "/operations/{operation_id}/convention": f"/operations/{une}/convention",
        "/operations/{operation_id}/depenses": f"/operations/{une}/depenses",
        "/operations/{operation_id}/contreparties": f"/operations/{une}/contreparties",
        "/operations/{operation_id}/bilans/{bilan_id}/constats": (
            f"/operations/{une}/bilans/{bilan['bilan_id']}/constats"
        ),
        "/operations/{operation_id}/csf/{csf_id}/explication": (
            f"/operations/{une}/csf/{csf['csf_id']}/explication"
        ),
        "/operations/{operation_id}/csf/{csf_id}/recalcul": (
            f"/operations/{une}/csf/{csf['csf_id']}/recalcul"
        ),
        "/bilans/attendus": "/bilans/attendus",
        "/paiements": "/paiements",
        "/paiements/a-preparer": "/paiements/a-preparer",
        "/paiements/certifications": "/paiements/certifications",
        "/paiements/horloges": "/paiements/horloges",
        "/paiements/ordres-de-reversement": "/paiements/ordres-de-reversement",
        "/paiements/trop-percus": "/paiements/trop-percus",
        "/depenses": "/depenses",
        "/depenses/{depense_id}": f"/depenses/{vie.depenses[0]}",
        "/depenses/{depense_id}/constats": f"/depenses/{vie.depenses[0]}/constats",
        "/parametres": "/parametres",
        "/maquette": "/maquette",
        "/maquette/difference": "/maquette/difference",
        "/maquette/mouvements": "/maquette/mouvements",
        "/operations/{operation_id}/paiements/{paiement_id}/provenance": (
            f"/operations/{une}/paiements/{paiement}/provenance"
        ),
        "/depenses/{depense_id}/effet": f"/depenses/{vie.depenses[0]}/effet",
        "/controles-operation": "/controles-operation",
        "/controles-operation/suites-attendues": "/controles-operation/suites-attendues",
        "/controles-operation/{controle_id}": (
            f"/controles-operation/{vie.controles['du PLIE A']}"
        ),
        "/lots": "/lots",
        "/reprises": "/reprises",
        "/reprises/{reprise_id}": f"/reprises/{vie.reprise}",
        "/couverture": "/couverture",
        "/levier": "/levier",
        "/journal": "/journal",
        "/evenements/{position}": "/evenements/20",
        "/ancrages": "/ancrages",
        "/export": "/export",
    }


def test_every_reading_route_is_tried_here(http: TestClient, vie: Vie) -> None:
    paths = http.get("/openapi.json").json()["paths"]
    lus = {
        p.removeprefix("/api/v1")
        for p, ops in paths.items()
        # What is kept from the OI is read by its own tests: tests/api/test_api_audit.py.
        if "get" in ops and "/api/" in p and not p.startswith("/api/v1/audit/")
    }
    # Persons are read by role, and at no date: tests/api/test_api_personnes.py.
    lus -= {"/personnes/{personne_id}", "/operations/{operation_id}/personnes"}
    # Accounts, and what one's own account holds, are no money of anybody: tests/acces.
    lus -= {"/comptes", "/comptes/{identifiant}", "/session", "/sessions", "/jetons", "/traces"}
    # Works are those that one asked for oneself, in the role that asked: tests/travaux.
    un_travail = "/travaux/{travail_id}"
    lus -= {"/travaux", un_travail, f"{un_travail}/fichiers/{{nom}}"}
    # A lot is made of a workbook, and this life imports none: tests/test_pages_imports.py.
    lus -= {"/lots/{lot_id}", "/lots/{lot_id}/lignes", "/lots/apercu", "/lots/modeles/{nature}"}
    # A document is bytes and no JSON: tests/api/test_api_pieces.py reads it. An archive is too:
    # tests/preuve/test_archive.py. An anchor is a text: tests/api/test_api_ancrage.py.
    assert lus - {"/pieces/{sha256}", "/archives", "/ancrages/{taille}"} == set(chemins(http, vie))


def montants(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every leaf that is not a list or an object, with its name."""
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from montants(inside, key)
    elif isinstance(value, list):
        for inside in value:
            yield from montants(inside, name)
    else:
        yield name, value


def test_no_answer_holds_a_float_and_every_amount_is_a_string(http: TestClient, vie: Vie) -> None:
    for chemin in chemins(http, vie).values():
        if chemin in {"/export", "/evenements/20"}:
            continue  # They show the log as it is: whole cents.
        for name, value in montants(lire(http, chemin)):
            assert not isinstance(value, float), (chemin, name)
            if name.startswith(("fse", "ct_", "cp_", "montant", "cout_total")) and value:
                assert _EUROS.fullmatch(value), (chemin, name, value)


def test_the_maquette_says_its_ratios_as_strings_or_null(http: TestClient, vie: Vie) -> None:
    maquette = lire(http, "/maquette", subvention_globale_id=vie.sg)
    total = maquette["total"]
    assert {*QUANTITES, *TAUX} <= set(total)
    assert total["fse_programme"] == "125000.00"
    assert total["taux_programmation"] == "25.00"
    reserve = next(p for p in maquette["par_plie"] if p["plie_id"] == "reserve")
    assert reserve["chiffres"]["taux_paiement"] is None
    assert maquette["fictive"] is True


def test_an_unknown_grant_has_no_maquette(http: TestClient) -> None:
    answer = http.get("/api/v1/maquette", params={"subvention_globale_id": str(new_id())})
    assert (answer.status_code, answer.json()["code"]) == (404, "aucune_maquette")


@pytest.mark.parametrize(
    "chemin",
    [
        "/subventions-globales/{subvention_globale_id}",
        "/contreparties/{contrepartie_id}",
        "/controles-operation/{controle_id}",
        "/appels-a-projets/{appel_a_projets_id}",
        "/operations/{operation_id}",
        "/operations/{operation_id}/convention",
        "/depenses/{depense_id}",
    ],
)
def test_the_version_of_an_aggregate_is_its_etag(http: TestClient, vie: Vie, chemin: str) -> None:
    answer = http.get(f"/api/v1{chemins(http, vie)[chemin]}")
    corps = answer.json()
    partie = corps.get("resume", corps.get("contrepartie", corps.get("controle", {})))
    version = corps.get("version", partie.get("version"))
    assert answer.headers["ETag"] == f'"{version}"'
    known = http.app.state.service.reads  # type: ignore[attr-defined]
    identity = corps.get("id") or partie["id"]
    with known.connection() as conn:
        row = conn.execute(
            "SELECT max(version) FROM oi.event WHERE stream_id = %s", (identity,)
        ).fetchone()
    assert row == (version,)


def test_pages_follow_until_null(http: TestClient, vie: Vie) -> None:
    for chemin in ("/operations", "/journal", f"/operations/{vie.operations['entière']}/depenses"):
        entier = lire(http, chemin, limite=200)
        assert entier["suivant"] is None
        lignes, apres = [], {}
        while True:
            page = lire(http, chemin, limite=4, **apres)
            lignes += page["lignes"]
            if page["suivant"] is None:
                break
            apres = {"apres": page["suivant"]}
        assert lignes == entier["lignes"]


@pytest.mark.parametrize(
    ("chemin", "filtres"),
    [
        ("/operations", {"limite": "201"}),
        ("/operations", {"limite": "0"}),
        ("/operations", {"statut": "inconnu"}),
        ("/operations", {"tri": "siret"}),
        ("/operations", {"inconnu": "1"}),
        ("/operations", {"apres": "n’importe quoi"}),
        ("/journal", {"du": "31/12/2021"}),
        ("/journal", {"apres": "WyJqb3VybmFsIGFzYyIsMV0"}),
        ("/export", {"depuis": "0"}),
        ("/export", {"depuis": str(2**63)}),
        ("/evenements/99999999999999999999", {}),
        ("/operations", {"recherche": "a\0b"}),
        ("/operations", {"annee": "99999999999"}),
        ("/journal", {"acteur": ""}),
        ("/journal", {"apres": ecrire("journal desc", (2**63,))}),
        ("/operations", {"apres": ecrire("operations numero asc", ("\0", "a"))}),
    ],
)
def test_a_malformed_query_is_refused(
    http: TestClient, chemin: str, filtres: dict[str, str]
) -> None:
    answer = http.get(f"/api/v1{chemin}", params=filtres)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_event_shows_its_whole_envelope(http: TestClient) -> None:
    premier = lire(http, "/evenements/1")
    assert premier["name"] == "subvention_globale.conventionnee.v1"
    assert premier["data"]["fse_total_centimes"] == 100_000_000
    assert (premier["acteur"], premier["role"]) == ("gestionnaire-1", "gestionnaire_oi")
    assert premier["pieces"] == []
    assert premier["phrase"].startswith("Convention de subvention globale n° SG1")


def test_the_export_is_the_log(http: TestClient, app: FastAPI) -> None:
    answer = http.get("/api/v1/export", params={"depuis": 2})
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    last = lire(http, "/journal", limite=1)["lignes"][0]["position"]
    assert [line["position"] for line in lines] == list(range(2, last + 1))


def test_a_reader_of_one_plie_learns_nothing_of_another(app: FastAPI, vie: Vie) -> None:
    """Only a transfer between the two names the neighbour: it moved the reader's own enveloppe."""
    app.dependency_overrides[perimetre] = lambda: Perimetre(frozenset({"A"}))
    ailleurs = [
        "PLIE Bêta",
        '"plie_id":"B"',
        "B1",
        *(str(vie.operations[nom]) for nom in ("conventionnée", "retirée", "abandonnée")),
        *(f"Bénéficiaire fictif n° {rang:02d}" for rang in (2, 4, 6, 7)),
    ]
    with TestClient(app) as http:
        for chemin in chemins(http, vie).values():
            filtres: dict[str, Any] = OBLIGATOIRES.get(chemin, {}) | {"limite": 200}
            # Even the export, which only readers of the whole OI are let into.
            text = http.get(f"/api/v1{chemin}", params=filtres).text
            assert [secret for secret in ailleurs if secret in text] == [], chemin
        for nom in ("conventionnée", "abandonnée"):
            une = vie.operations[nom]
            for chemin in ("", "/convention", "/depenses", "/contreparties"):
                assert http.get(f"/api/v1/operations/{une}{chemin}").status_code == 404
        partagee = vie.contreparties[1]
        assert http.get(f"/api/v1/contreparties/{partagee}").status_code == 404
        vus = lire(http, "/journal", limite=200)["lignes"]
        for ligne in vus:
            if "PLIE B" in ligne["phrase"]:
                assert ligne["name"] == "subvention_globale.transfert_enveloppe_decide.v1"


def test_the_same_reader_of_the_whole_oi_sees_both(http: TestClient, vie: Vie) -> None:
    assert {o["plie_id"] for o in lire(http, "/operations")["lignes"]} == {"A", "B"}
