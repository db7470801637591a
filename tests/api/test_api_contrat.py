"""The published contract: complete, French, and never changed by accident."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from porte import Api
from portier import PortierDEssai

from aggregates.commande import Commande, CommandeMotivee
from api import actions, errors
from api.app import create_app
from oi_service.errors import Conflict, NotFound, Refusal, RuleBroken
from oi_service.ids import new_id

INSTANTANE = Path(__file__).with_name("openapi.json")
RAFRAICHIR = "OI_INSTANTANES=1 pytest tests/api/test_api_contrat.py"


SANS_FAIT = (
    "/api/v1/calculs/",
    "/api/v1/essais",
    "/api/v1/pieces",
    "/api/v1/session",
    "/api/v1/travaux/",
    "/api/v1/jetons",
)
#: How persons come in: traces tell it, no event does.
TRACES = (
    "/identite",
    "/reactivation",
    "/second-facteur/retrait",
    "/sessions/fermeture",
    "/effacement",
)


@pytest.fixture(scope="module")
def contrat() -> Any:
    # No database is needed to describe the door.
    return create_app(None, PortierDEssai()).openapi()  # type: ignore[arg-type]


def operations(contrat: Any, methode: str) -> Iterator[tuple[str, Any]]:
    for chemin, methodes in contrat["paths"].items():
        if methode in methodes:
            yield chemin, methodes[methode]


def ecritures(contrat: Any) -> Iterator[tuple[str, Any]]:
    """Yield what records an act; the rest that is asked by POST records no event."""
    for chemin, operation in operations(contrat, "post"):
        if not chemin.startswith(SANS_FAIT) and not chemin.endswith(TRACES):
            yield chemin, operation


def test_the_contract_is_the_one_published(contrat: Any) -> None:
    text = json.dumps(contrat, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    if os.environ.get("OI_INSTANTANES"):
        INSTANTANE.write_text(text, encoding="utf-8")
    published = INSTANTANE.read_text(encoding="utf-8")
    assert text == published, f"the contract moved; if it is meant: {RAFRAICHIR}"
    assert contrat["openapi"].startswith("3.1")


def test_every_reference_leads_somewhere(contrat: Any) -> None:
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(contrat))):
        found = contrat
        for step in reference.split("/"):
            found = found[step]


def test_every_operation_has_its_own_name_and_a_french_summary(contrat: Any) -> None:
    names = [o["operationId"] for m in ("get", "post") for _, o in operations(contrat, m)]
    assert len(names) == len(set(names))
    for methode in ("get", "post"):
        for chemin, operation in operations(contrat, methode):
            assert operation["summary"], chemin
            assert operation["tags"], chemin
            said = [r["description"] for r in operation["responses"].values()]
            english = {"Successful Response", "Not Found", "Conflict", "Validation Error"}
            assert not english & set(said), chemin


def _concrete(command: type[Commande]) -> Iterator[type[Commande]]:
    for child in command.__subclasses__():
        if child is not CommandeMotivee:
            yield child
        yield from _concrete(child)


def test_every_command_has_a_route(contrat: Any) -> None:
    del contrat
    assert actions  # every aggregate is loaded by it
    app = create_app(None, PortierDEssai())  # type: ignore[arg-type]
    asked = {
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        for _, operation in ecritures(app.openapi())
    }
    ours = {c.__name__ for c in _concrete(Commande) if c.__module__.startswith("aggregates.")}
    # Who opens an account says for whom; the service draws the identifier, and keeps the rest.
    assert ours - {"OuvrirCompte"} == asked - {"OuvertureDeCompte"}


def test_every_refusal_has_a_status_and_a_code_of_its_own() -> None:
    codes = [refusal.code() for refusal in errors.connus()]
    assert len(codes) == len(set(codes))
    families = {famille for famille, _, _ in errors.FAMILLES} | {RuleBroken, Conflict, NotFound}
    # What an operator meets at the start of the service never travels through a door.
    astray = {
        refusal
        for refusal in Refusal.__subclasses__()
        if refusal not in families and not refusal.__module__.startswith("oi_service.")
    }
    assert not astray


#: Amounts and hours: a reader of ours says what is wrong, the form is only published.
_DITES_AILLEURS = {
    r"^(0|[1-9]\d{0,12})\.\d{2}$",
    r"^-?(0|[1-9]\d{0,12})\.\d{2}$",
    r"^-?\d+\.\d{2}$",
    r"^(0|[1-9]\d{0,8})(\.\d{1,4})?$",
}


def _motifs(partie: Any) -> Iterator[str]:
    if isinstance(partie, dict):
        if isinstance(motif := partie.get("pattern"), str):
            yield motif
        partie = list(partie.values())
    if isinstance(partie, list):
        for autre in partie:
            yield from _motifs(autre)


def test_every_form_of_a_text_is_said_in_words(contrat: Any) -> None:
    assert set(_motifs(contrat)) - _DITES_AILLEURS == set(errors.FORMES)


def test_every_write_says_who_and_under_which_key(contrat: Any) -> None:
    for chemin, operation in ecritures(contrat):
        headers = {p["name"] for p in operation["parameters"] if p["in"] == "header"}
        assert {"Idempotency-Key", "OI-Role"} <= headers, chemin
        if "428" in operation["responses"]:
            assert "If-Match" in headers, chemin
        else:
            assert "201" in operation["responses"], chemin


def _address(chemin: str) -> str:
    return re.sub(r"\{\w+\}", lambda m: "1" if m[0] == "{numero}" else str(new_id()), chemin)


def test_every_write_refuses_an_empty_body_a_missing_version_and_an_unknown_target(
    api: Api, contrat: Any
) -> None:
    for chemin, operation in ecritures(contrat):
        headers = {"Idempotency-Key": str(new_id())}
        if "428" in operation["responses"]:
            answer = api.http.post(_address(chemin), json={}, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (428, "version_absente"), chemin
            headers["If-Match"] = '"1"'
        answer = api.http.post(_address(chemin), json={}, headers=headers)
        assert answer.status_code == 422, (chemin, answer.text)
        missing = {error["message"] for error in answer.json()["errors"]}
        assert missing == {"ce champ est obligatoire"}, chemin
        answer = api.http.post(_address(chemin), json={"date_effet": 0}, headers=headers)
        assert answer.status_code == 422, (chemin, answer.text)
    assert api.position == 0


def test_every_kind_of_refusal_is_explained_at_its_address(api: Api) -> None:
    answer = api.http.get("/problemes/disponible_insuffisant").json()
    assert answer == {
        "code": "disponible_insuffisant",
        "title": "Règle de gestion non respectée",
        "status": 409,
        "phrase": (
            "… de FSE ne peuvent pas être programmés sur … : il y reste …. Réduisez le montant, ou "
            "faites décider un transfert."
        ),
        "article": None,
    }
    assert api.http.get("/problemes/rien").status_code == 404
    for refusal in errors.connus():
        assert api.http.get(f"/problemes/{refusal.code()}").status_code == 200


def test_no_page_loads_scripts_from_elsewhere(api: Api) -> None:
    assert [api.http.get(chemin).status_code for chemin in ("/docs", "/redoc")] == [404, 404]
