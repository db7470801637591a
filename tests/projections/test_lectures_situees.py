"""The reading routes at two dates: as they were, never to be written against."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from portier import PortierDEssai
from starlette.testclient import TestClient
from vie_complete import Vie

from api.app import create_app
from oi_service import clock
from oi_service.application import Service


@pytest.fixture
def http(ouvert: Service, vie: Vie) -> Iterator[TestClient]:
    """Lend a client."""
    with TestClient(create_app(ouvert, PortierDEssai())) as client:
        yield client


def fiches(vie: Vie) -> list[str]:
    """Return the addresses that give a version to write against."""
    operation = vie.operations["entière"]
    return [
        f"/subventions-globales/{vie.sg}",
        f"/contreparties/{vie.contreparties[0]}",
        f"/appels-a-projets/{vie.appel}",
        f"/operations/{operation}",
        f"/operations/{operation}/convention",
        f"/depenses/{vie.depenses[0]}",
    ]


def situees(vie: Vie) -> list[str]:
    """Return every address that takes the two dates."""
    return [
        *fiches(vie),
        "/maquette",
        "/subventions-globales",
        f"/subventions-globales/{vie.sg}/enveloppes",
        f"/subventions-globales/{vie.sg}/contreparties",
        "/appels-a-projets",
        "/operations",
        f"/operations/{vie.operations['entière']}/depenses",
        f"/operations/{vie.operations['entière']}/contreparties",
        "/journal",
    ]


def lire(http: TestClient, chemin: str, **dates: Any) -> Any:
    answer = http.get(f"/api/v1{chemin}", params=dates)
    assert answer.status_code == 200, (chemin, answer.text)
    found = answer.json()
    if chemin == "/maquette":
        del found["calculee_le"], found["situation"]
    return found


def test_the_last_event_and_the_last_instant_say_what_now_says(http: TestClient, vie: Vie) -> None:
    tete = http.get("/sante/pret").json()["position"]
    bientot = (clock.now() + timedelta(hours=1)).isoformat()
    for chemin in situees(vie):
        maintenant = lire(http, chemin)
        assert lire(http, chemin, connu_le=tete) == maintenant
        assert lire(http, chemin, connu_le=bientot, effet_au=clock.today()) == maintenant


def test_the_contract_publishes_the_two_dates(http: TestClient, vie: Vie) -> None:
    paths = http.get("/openapi.json").json()["paths"]
    prises = {
        path
        for path, routes in paths.items()
        if any(p["name"] == "effet_au" for p in routes.get("get", {}).get("parameters", []))
    }
    # Other rooms try what they add; here, none of these may have lost its dates.
    for chemin in situees(vie):
        modele = re.sub(r"[0-9a-f-]{36}", "{}", f"/api/v1{chemin}")
        assert modele in {re.sub(r"\{\w+\}", "{}", path) for path in prises}


def test_nobody_writes_against_the_past(http: TestClient, vie: Vie) -> None:
    tete = http.get("/sante/pret").json()["position"]
    for chemin in fiches(vie):
        assert "ETag" in http.get(f"/api/v1{chemin}").headers
        for dates in ({"connu_le": tete}, {"effet_au": "2022-12-31"}):
            answer = http.get(f"/api/v1{chemin}", params=dates)
            assert (answer.status_code, "ETag" in answer.headers) == (200, False), chemin


def test_before_everything_sheets_are_absent_and_lists_empty(http: TestClient, vie: Vie) -> None:
    for chemin in fiches(vie):
        assert http.get(f"/api/v1{chemin}", params={"connu_le": "0"}).status_code == 404
        assert http.get(f"/api/v1{chemin}", params={"connu_le": "2000-01-01"}).status_code == 404
    for chemin in ("/subventions-globales", "/appels-a-projets", "/operations", "/journal"):
        assert lire(http, chemin, connu_le="0") == {"lignes": [], "suivant": None}


@pytest.mark.parametrize(
    "dates",
    [
        {"effet_au": "hier"},
        {"effet_au": "2021-02-30"},
        {"connu_le": "hier"},
        {"connu_le": "9" * 30},
        {"connu_le": "2021-12-31T10:00:00"},
        {"connu_le": "0001-01-01T00:00:00+14:00"},
        {"connu_le": "9999-12-31T23:59:59-12:00"},
    ],
)
def test_a_date_that_cannot_be_read_is_refused_everywhere(
    http: TestClient, vie: Vie, dates: dict[str, str]
) -> None:
    for chemin in situees(vie):
        answer = http.get(f"/api/v1{chemin}", params=dates)
        assert answer.status_code == 422, (chemin, answer.text)


def test_a_page_of_a_past_list_goes_on_in_the_same_past(http: TestClient, vie: Vie) -> None:
    dates = {"effet_au": "2021-03-10", "limite": 2}
    premiere = lire(http, "/operations", **dates)
    assert premiere["suivant"] is not None
    suite = lire(http, "/operations", apres=premiere["suivant"], **dates)
    assert {o["statut"] for o in (*premiere["lignes"], *suite["lignes"])} == {"depose"}
