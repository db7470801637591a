"""Headers: who acts, under which key, on which version."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
import pytest
from corps import (
    APPEL,
    ENVELOPPE,
    SUBVENTION,
    TRANCHE,
    conventionner,
    depense,
    dossier,
    instruire,
    ouvrir,
)
from porte import AUDITEUR, GESTIONNAIRE, Api
from starlette.testclient import TestClient

from oi_service.errors import Busy
from oi_service.ids import new_id

JOUR = {"date_effet": "2021-12-16"}


def probleme(answer: Any, status: int, code: str) -> Any:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert (found["code"], found["status"]) == (code, status)
    return found


# --- Who -----------------------------------------------------------------------------------------


def test_a_missing_header_is_refused_in_french(api: Api) -> None:
    answer = api.http.post("/api/v1/subventions-globales", json=SUBVENTION)
    errors = probleme(answer, 422, "saisie_invalide")["errors"]
    missing = "en-tete/Idempotency-Key"
    assert errors == [{"pointer": missing, "message": "ce champ est obligatoire"}]
    assert api.position == 0


@pytest.mark.parametrize(
    ("nom", "valeur"),
    [("If-Match", "12"), ("Idempotency-Key", "12")],
)
def test_a_header_out_of_its_form_is_refused(api: Api, nom: str, valeur: str) -> None:
    headers = {"Idempotency-Key": str(new_id()), "If-Match": '"1"', nom: valeur}
    chemin = f"/api/v1/subventions-globales/{new_id()}/tranches"
    answer = api.http.post(chemin, json=TRANCHE, headers=headers)
    errors = probleme(answer, 422, "saisie_invalide")["errors"]
    assert [error["pointer"] for error in errors] == [f"en-tete/{nom}"]
    assert api.position == 0


def test_the_journal_keeps_who_acted_and_in_which_role(api: Api) -> None:
    api.faire("/subventions-globales", SUBVENTION)
    assert (
        api.somme("SELECT acteur || ' ' || role FROM oi.event") == "gestionnaire-1 gestionnaire_oi"
    )


# --- On which version ----------------------------------------------------------------------------


def test_an_act_on_what_exists_expects_a_version(api: Api) -> None:
    sg = api.faire("/subventions-globales", SUBVENTION)["id"]
    problem = probleme(
        api.demander(f"/subventions-globales/{sg}/tranches", TRANCHE), 428, "version_absente"
    )
    assert "If-Match" in problem["detail"]
    assert api.position == 1


def test_a_stale_version_is_refused(api: Api) -> None:
    sg, _ = ouvrir(api)
    before = api.position
    answer = api.demander(f"/subventions-globales/{sg}/enveloppes", ENVELOPPE, 2)
    problem = probleme(answer, 412, "stale_version")
    assert problem["details"] == {"attendue": 2, "actuelle": 3}
    assert "de la version 2 à la version 3" in problem["detail"]
    assert api.position == before


@pytest.mark.parametrize("if_match", ["3", "*", 'W/"3"', '"abc"', '"1", "2"'])
def test_a_version_out_of_its_form_is_refused(api: Api, if_match: str) -> None:
    headers = {"Idempotency-Key": str(new_id()), **GESTIONNAIRE, "If-Match": if_match}
    chemin = f"/api/v1/operations/{new_id()}/recevabilite"
    problem = probleme(api.http.post(chemin, json=JOUR, headers=headers), 422, "saisie_invalide")
    assert problem["errors"][0]["pointer"] == "en-tete/If-Match"


def test_what_does_not_exist_is_not_found(api: Api) -> None:
    answer = api.demander(f"/operations/{new_id()}/recevabilite", JOUR, 1)
    probleme(answer, 404, "operation_absente")
    answer = api.demander("/operations", dossier(str(new_id())))
    probleme(answer, 404, "appel_a_projets_absent")


def test_the_identifier_of_something_else_is_not_found(api: Api) -> None:
    sg, appel = ouvrir(api)
    probleme(api.demander("/operations", dossier(sg)), 404, "appel_a_projets_absent")
    answer = api.demander(f"/subventions-globales/{appel}/tranches", TRANCHE, 1)
    probleme(answer, 404, "subvention_globale_absente")
    answer = api.demander(f"/operations/{sg}/convention/notification", JOUR, 1)
    probleme(answer, 404, "convention_absente")


def test_answers_carry_the_version_and_the_place(api: Api) -> None:
    created = api.demander("/subventions-globales", SUBVENTION)
    acte = created.json()
    assert (created.status_code, created.headers["ETag"]) == (201, '"1"')
    assert created.headers["Location"] == f"/api/v1/subventions-globales/{acte['id']}"
    assert acte["evenements"] == [
        {
            "position": 1,
            "nom": "subvention_globale.conventionnee.v1",
            "flux": acte["id"],
        }
    ]
    answer = api.demander(f"/subventions-globales/{acte['id']}/tranches", TRANCHE, 1)
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert "Location" not in answer.headers


def test_an_act_that_changes_nothing_keeps_the_version(api: Api) -> None:
    _, appel = ouvrir(api)
    operation, version = instruire(api, appel)
    conventionner(api, operation, version)
    declaree = {"date_effet": "2022-03-01", "detail": depense(1)}
    acte = api.faire(f"/operations/{operation}/depenses", declaree)
    corps = declaree | {"motif": "Vérification"}
    answer = api.demander(f"/depenses/{acte['id']}/correction", corps, 1)
    assert answer.json() == {"id": acte["id"], "version": 1, "evenements": []}
    assert answer.headers["ETag"] == '"1"'


# --- Under which key -----------------------------------------------------------------------------


def test_a_key_sent_again_gives_the_same_answer(api: Api) -> None:
    key = new_id()
    first = api.demander("/subventions-globales", SUBVENTION, cle=key)
    again = api.demander("/subventions-globales", SUBVENTION, cle=key)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Location"] == first.headers["Location"]
    assert api.position == 1


def test_a_key_sent_again_after_others_acted_gives_the_first_answer(api: Api) -> None:
    # The answer was lost, the retry finds its own version: it is not a conflict.
    _, appel = ouvrir(api)
    acte = api.faire("/operations", dossier(appel))
    chemin = f"/operations/{acte['id']}"
    key = new_id()
    first = api.demander(f"{chemin}/recevabilite", JOUR, 1, cle=key)
    api.faire(f"{chemin}/instruction", JOUR, 2)
    position = api.position
    again = api.demander(f"{chemin}/recevabilite", JOUR, 1, cle=key)
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["ETag"] == '"2"'
    assert api.position == position


def test_the_order_of_keys_makes_no_other_demand(api: Api) -> None:
    key = new_id()
    api.faire("/subventions-globales", SUBVENTION, cle=key)
    turned = dict(reversed(SUBVENTION.items()))
    again = api.demander("/subventions-globales", turned, cle=key)
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_key_serves_one_demand_only(api: Api) -> None:
    key = new_id()
    sg = api.faire("/subventions-globales", SUBVENTION, cle=key)["id"]
    other = SUBVENTION | {"numero": "SG2"}
    for answer in (
        api.demander("/subventions-globales", other, cle=key),  # another body
        api.demander(f"/subventions-globales/{sg}/appels-a-projets", APPEL, cle=key),
        api.demander(
            "/subventions-globales",
            SUBVENTION,
            cle=key,
            personne=GESTIONNAIRE | {"OI-Acteur": "gestionnaire-2"},
        ),
    ):
        probleme(answer, 422, "idempotency_key_reused")
    assert api.position == 1


def test_a_refusal_does_not_use_the_key_up(api: Api) -> None:
    sg = api.faire("/subventions-globales", SUBVENTION)["id"]
    key = new_id()
    chemin = f"/subventions-globales/{sg}/enveloppes"
    probleme(api.demander(chemin, ENVELOPPE, 1, cle=key), 409, "ligne_non_ouverte")
    api.faire(f"/subventions-globales/{sg}/tranches", TRANCHE, 1)
    assert api.demander(chemin, ENVELOPPE, 2, cle=key).status_code == 200


def test_identifiers_come_from_the_key(api: Api) -> None:
    key = new_id()
    one = api.faire("/subventions-globales", SUBVENTION, cle=key)["id"]
    other = api.faire("/subventions-globales", SUBVENTION | {"numero": "SG2"})["id"]
    assert len({one, other, str(key)}) == 3


def test_a_key_sent_again_when_all_is_already_so_gives_the_first_answer(api: Api) -> None:
    _, appel = ouvrir(api)
    operation, version = instruire(api, appel)
    conventionner(api, operation, version)
    declaree = {"date_effet": "2022-03-01", "detail": depense(1)}
    chemin = f"/depenses/{api.faire(f'/operations/{operation}/depenses', declaree)['id']}"
    corps = {"date_effet": "2022-03-02", "motif": "Erreur", "detail": depense(1, "9000.00")}
    key = new_id()
    first = api.demander(f"{chemin}/correction", corps, 1, cle=key)
    assert first.json()["version"] == 2
    again = api.demander(f"{chemin}/correction", corps, 2, cle=key)
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"


# --- Every answer --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "chemin", ["/maquette", "/static/app.css", "/sante/vivant", "/nulle-part", "/openapi.json"]
)
def test_every_answer_carries_the_policy(api: Api, chemin: str) -> None:
    headers = api.http.get(chemin).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith(
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'"
    )
    assert "unsafe" not in policy
    assert "http" not in policy
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == (
        "nosniff",
        "same-origin",
    )


def test_the_answer_to_a_bug_is_a_problem_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(type(api.service.journal), "execute", bug)
    with TestClient(api.http.app, raise_server_exceptions=False) as http:
        headers = {"Idempotency-Key": str(new_id()), **GESTIONNAIRE}
        answer = http.post("/api/v1/subventions-globales", json=SUBVENTION, headers=headers)
    probleme(answer, 500, "erreur_interne")
    assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize(
    ("panne", "code"),
    [(Busy(), "busy"), (psycopg.OperationalError("away"), "base_indisponible")],
)
def test_what_could_not_be_saved_is_never_answered_as_saved(
    api: Api, monkeypatch: pytest.MonkeyPatch, panne: Exception, code: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise panne

    monkeypatch.setattr(type(api.service.journal.recorder), "append", fail)
    answer = api.demander("/subventions-globales", SUBVENTION)
    problem = probleme(answer, 503, code)
    assert answer.headers["Retry-After"] == "1"
    assert "même clé d’idempotence" in problem["detail"]


def test_readers_do_not_block_each_other(api: Api) -> None:
    # Many more than the threads of the server and the connections of its pool.
    ouvrir(api)
    lus = ["/api/v1/operations", "/api/v1/export", "/maquette", "/sante/pret"]
    chemins = lus * 50
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(partial(api.http.get, headers=AUDITEUR), chemins))
    assert {answer.status_code for answer in answers} == {200}


def test_the_root_leads_to_the_maquette(api: Api) -> None:
    answer = api.http.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (307, "/controles")


def test_an_unknown_address_and_method_are_problems(api: Api) -> None:
    probleme(api.http.get("/api/v1/nulle-part"), 404, "page_inconnue")
    probleme(api.http.get("/static/nulle-part.css"), 404, "page_inconnue")
    chemin = f"/api/v1/operations/{new_id()}/recevabilite"
    answer = api.http.put(chemin)
    probleme(answer, 405, "methode_non_admise")
    assert answer.headers["Allow"] == "POST"


def test_health(api: Api) -> None:
    assert api.http.get("/sante/vivant").json() == {"statut": "vivant"}
    assert api.http.get("/sante/pret").json() == {"statut": "pret", "position": 0}


def test_head_says_what_get_would(api: Api) -> None:
    seen, told = api.http.get("/maquette"), api.http.head("/maquette")
    assert told.status_code == seen.status_code == 200
    assert told.headers["content-type"] == seen.headers["content-type"]
