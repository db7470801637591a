"""Malformed requests: refused in French, each defect at its place, and nothing written."""

import json
from typing import Any

import pytest
from corps import ENVELOPPE, PERIODE, SUBVENTION, dossier, ouvrir, plan
from porte import GESTIONNAIRE, Api

from oi_service.ids import new_id

UN_MONTANT = "un montant"


def saisie(api: Api, answer: Any, position: int) -> Any:
    """Check that an answer is a 422 in French, and that nothing was written."""
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "saisie_invalide"
    assert problem["detail"].startswith("La demande est mal formée. ")
    assert api.position == position
    assert "Value error" not in answer.text
    assert "Input should" not in answer.text
    return problem["errors"]


@pytest.mark.parametrize(
    "montant",
    [
        "-1.00",
        "1.000",
        "1.0",
        "1",
        1,
        1.5,
        100.00,
        "1,234.56",
        "1 234.56",
        "1234,56",
        "NaN",
        "Infinity",
        "1e5",
        "1e5.00",
        "+1.00",
        " 1.00",
        "1.00 ",
        "01.00",
        ".50",
        "",
        "1.\u0660\u0660",
        "\u0661.00",
        "12345678901234.00",
        None,
        True,
        [],
        {},
        ["1.00"],
    ],
)
def test_an_amount_is_a_string_with_two_decimals(api: Api, montant: Any) -> None:
    sg, _ = ouvrir(api)
    answer = api.demander(f"/subventions-globales/{sg}/enveloppes", ENVELOPPE | {"fse": montant}, 3)
    errors = saisie(api, answer, 4)
    assert [error["pointer"] for error in errors] == ["#/fse"]
    assert errors[0]["message"].startswith(UN_MONTANT)


@pytest.mark.parametrize(
    "jour",
    [
        "2021-02-30",
        "2021-13-01",
        "2021-1-1",
        "01/02/2021",
        "2021-01-01T00:00:00",
        "20210101",
        0,
        1609459200,
        True,
        None,
        "",
        "\u0662\u0660\u0662\u0661-01-01",
    ],
)
def test_a_day_is_written_in_full_and_exists(api: Api, jour: Any) -> None:
    sg, _ = ouvrir(api)
    answer = api.demander(
        f"/subventions-globales/{sg}/enveloppes", ENVELOPPE | {"date_effet": jour}, 3
    )
    errors = saisie(api, answer, 4)
    assert [error["pointer"] for error in errors] == ["#/date_effet"]
    if jour == "2021-02-30":
        message = "le jour 2021-02-30 n’existe pas dans le calendrier"
        assert errors == [{"pointer": "#/date_effet", "message": message, "valeur": jour}]


def test_an_end_before_its_start(api: Api) -> None:
    _, appel = ouvrir(api)
    corps = dossier(appel, periode={"debut": "2021-12-31", "fin": "2021-01-01"})
    errors = saisie(api, api.demander("/operations", corps), 4)
    message = "la fin (01/01/2021) précède le début (31/12/2021)"
    assert errors == [{"pointer": "#/periode", "message": message}]


def test_unknown_fields_are_named(api: Api) -> None:
    _, appel = ouvrir(api)
    corps = dossier(appel, plan=plan() | {"taux/fse~": "0.5"}, montant="1.00")
    errors = saisie(api, api.demander("/operations", corps), 4)
    message = "ce champ n’est pas connu : vérifiez son nom"
    assert errors == [
        {"pointer": "#/plan/taux~1fse~0", "message": message, "valeur": "0.5"},
        {"pointer": "#/montant", "message": message, "valeur": "1.00"},
    ]


def test_every_defect_is_shown_at_once(api: Api) -> None:
    _, appel = ouvrir(api)
    corps = dossier(appel, plan=plan("-1.00", "1", "x"), annee_tranche="2021", intitule="  ")
    del corps["objet"]
    corps["beneficiaire"] |= {"siret": "12345678901234", "type": "club"}
    errors = saisie(api, api.demander("/operations", corps), 4)
    assert {error["pointer"]: error["message"] for error in errors} == {
        "#/beneficiaire/siret": (
            "un SIRET a 14 chiffres dont le dernier est une clé : celui-ci n’est pas valide"
        ),
        "#/beneficiaire/type": (
            "valeurs possibles : 'association', 'entreprise', 'collectivite', 'etat', 'opco' ou "
            "'autre'"
        ),
        "#/intitule": "ce texte ne peut pas être vide",
        "#/objet": "ce champ est obligatoire",
        "#/annee_tranche": "un nombre entier est attendu",
        "#/plan/postes/0/montant": errors[-1]["message"],
        "#/plan/fse": errors[-1]["message"],
        "#/plan/ressources/0/montant": errors[-1]["message"],
    }


@pytest.mark.parametrize(
    ("change", "pointer", "message"),
    [
        ({"annee_tranche": 1999}, "#/annee_tranche", "la valeur doit être au moins 2014"),
        ({"annee_tranche": 2036}, "#/annee_tranche", "la valeur doit être au plus 2035"),
        ({"annee_tranche": 2021.5}, "#/annee_tranche", "un nombre entier est attendu"),
        ({"annee_tranche": 10**400}, "#/annee_tranche", "la valeur doit être au plus 2035"),
        ({"appel_a_projets_id": "x"}, "#/appel_a_projets_id", "un identifiant UUID est attendu"),
        ({"appel_a_projets_id": 3}, "#/appel_a_projets_id", "un identifiant UUID est attendu"),
        ({"objet": 3}, "#/objet", "une chaîne de caractères est attendue"),
        ({"objet": "x" * 2001}, "#/objet", "la chaîne doit compter au plus 2000 caractères"),
        ({"pieces": "x"}, "#/pieces", "une liste est attendue"),
        ({"pieces": ["x"]}, "#/pieces/0", "un objet JSON est attendu"),
        ({"periode": None}, "#/periode", "un objet JSON est attendu"),
        ({"plan": plan() | {"postes": []}}, "#/plan/postes", "il en faut au moins 1"),
        (
            {"plan": plan() | {"postes": [{"code": "p", "montant": "1.00", "couvre": ["divers"]}]}},
            "#/plan/postes/0/couvre/0",
            "poste de dépense inconnu ; valeurs possibles : ",
        ),
        (
            {"fiche_code": "A 1"},
            "#/fiche_code",
            "un code est attendu : lettres sans accent, chiffres, « _ »",
        ),
    ],
)
def test_each_kind_of_defect_has_its_french_message(
    api: Api, change: Any, pointer: str, message: str
) -> None:
    errors = saisie(api, api.demander("/operations", dossier(str(new_id()), **change)), 0)
    assert [error["pointer"] for error in errors] == [pointer]
    assert errors[0]["message"].startswith(message)


HEADERS = {"Idempotency-Key": "0b7f4b5c-9c5e-4b7f-8a55-3d0f7d0f0a01", **GESTIONNAIRE}


def envoyer(api: Api, content: bytes, content_type: str | None = "application/json") -> Any:
    headers = HEADERS | ({"Content-Type": content_type} if content_type else {})
    return api.http.post("/api/v1/subventions-globales", content=content, headers=headers)


def test_what_is_not_json(api: Api) -> None:
    errors = saisie(api, envoyer(api, b'{"numero": }'), 0)
    message = "ce n’est pas du JSON valide, à partir du caractère n° 12"
    assert errors == [{"pointer": "#", "message": message}]
    body = json.dumps(SUBVENTION).encode()
    for answer in (
        envoyer(api, body, None),
        envoyer(api, body, "text/plain"),
        envoyer(api, b"[]"),
        envoyer(api, b"null"),
        envoyer(api, b""),
    ):
        assert saisie(api, answer, 0)[0]["pointer"] == "#"


@pytest.mark.parametrize("content", [b'"\xff"', b"[" * 100_000, b"[" + b"9" * 5000 + b"]"])
def test_what_cannot_be_read_at_all(api: Api, content: bytes) -> None:
    answer = envoyer(api, content)
    assert (answer.status_code, answer.json()["code"]) == (400, "corps_illisible"), answer.text
    assert api.position == 0


def test_a_body_too_large_is_not_read(api: Api) -> None:
    answer = envoyer(api, b" " * (8 * 2**20 + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "corps_trop_grand")


@pytest.mark.parametrize("texte", ["\x00", "a\x00b", "\ud800", "\x1b[31m"])
def test_a_text_holds_characters_that_can_be_stored_and_shown(api: Api, texte: str) -> None:
    body = json.dumps(SUBVENTION | {"agd": texte}).encode()
    errors = saisie(api, envoyer(api, body), 0)
    assert [error["pointer"] for error in errors] == ["#/agd"]


def test_what_json_does_not_know_but_python_does(api: Api) -> None:
    body = json.dumps(SUBVENTION | {"fse_total": float("nan")}).encode()
    errors = saisie(api, envoyer(api, body), 0)
    assert [(e["pointer"], e["valeur"]) for e in errors] == [("#/fse_total", "nan")]


def test_what_was_received_is_shortened(api: Api) -> None:
    errors = saisie(api, api.demander("/subventions-globales", SUBVENTION | {"agd": "é" * 3000}), 0)
    assert errors[0]["valeur"] == "é" * 100 + "…"


def test_a_day_far_away_is_a_typing_error(api: Api) -> None:
    corps = SUBVENTION | {"realisation": PERIODE | {"fin": "9999-12-31"}}
    errors = saisie(api, api.demander("/subventions-globales", corps), 0)
    assert [error["pointer"] for error in errors] == ["#/realisation/fin"]


def test_an_identifier_in_the_address(api: Api) -> None:
    answer = api.demander("/operations/12/recevabilite", {"date_effet": "2021-12-16"}, 1)
    errors = saisie(api, answer, 0)
    assert [error["pointer"] for error in errors] == ["chemin/operation_id"]
