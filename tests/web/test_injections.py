"""Hostile text in every parameter of every address that reads, on a real base."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from markupsafe import escape
from portier import PortierDEssai
from starlette.testclient import TestClient
from vie import Vie

from api.app import create_app
from api.enceinte import POLITIQUE
from oi_service.application import Service
from oi_service.ids import new_id

#: Longer than any answer of these, so that a base that sleeps is seen.
SOMMEIL = 3
PIEGES = (
    f"' OR (SELECT pg_sleep({SOMMEIL})) IS NULL --",
    f"1; SELECT pg_sleep({SOMMEIL}); --",
    "{{ 7*7*190871 }}${7*7*190871}#{7*7*190871}<%= 7*7*190871 %>",
    '"><script>alert(4711)</script><img src=x onerror=alert(4711)>',
    "../../../../../../etc/passwd",
    "a\r\nSet-Cookie: vole=1",
)
CALCULE, EXECUTE, LU, POSE = str(7 * 7 * 190_871), "<script>alert(4711)", "root:", "vole"


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service, PortierDEssai())) as http:
        yield http


def adresses(http: TestClient) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each address that reads, once for each of its parameters and each trap."""
    schema: dict[str, Any] = http.get("/openapi.json").json()
    pages = {"/maquette": {"get": {"parameters": _de_page("au connu_le subvention")}}}
    for chemin, operations in (schema["paths"] | pages).items():
        if "get" not in operations:
            continue
        parametres = operations["get"].get("parameters", ())
        for vise in parametres:
            for piege in PIEGES:
                place = {
                    p["name"]: piege if p is vise else _valeur(p)
                    for p in parametres
                    if p["in"] == "path"
                }
                demande = {vise["name"]: piege} if vise["in"] == "query" else {}
                if vise["in"] in {"path", "query"}:
                    yield chemin.format(**{n: quote(v, safe="") for n, v in place.items()}), demande


def _de_page(noms: str) -> list[dict[str, Any]]:
    return [{"name": nom, "in": "query", "schema": {"type": "string"}} for nom in noms.split()]


def _valeur(parametre: dict[str, Any]) -> str:
    schema = parametre["schema"]
    if schema.get("format") == "uuid":
        return str(new_id())
    return "1" if schema.get("type") == "integer" else "A"


def test_no_parameter_reaches_an_interpreter(client: TestClient) -> None:
    essais = 0
    for chemin, demande in adresses(client):
        debut = time.monotonic()
        reponse = client.get(chemin, params=demande, follow_redirects=False)
        duree = time.monotonic() - debut
        essais += 1
        ici = (chemin, demande, reponse.status_code, reponse.text[:300])
        assert reponse.status_code < 500, ici
        assert duree < SOMMEIL, ici
        assert CALCULE not in reponse.text, ici
        assert LU not in reponse.text, ici
        assert POSE not in reponse.headers.get("set-cookie", ""), ici
        if "html" in reponse.headers.get("content-type", ""):
            assert EXECUTE not in reponse.text, ici
        assert reponse.headers["Content-Security-Policy"] == POLITIQUE, ici
    assert essais > 500, "the addresses are no longer found"


def test_no_method_but_those_of_the_routes(client: TestClient) -> None:
    for methode in ("TRACE", "TRACK", "CONNECT", "PROPFIND", "DEBUG"):
        assert client.request(methode, "/maquette").status_code == 405
        assert client.request(methode, "/api/v1/operations").status_code == 405


def test_static_files_are_the_files_and_no_other(client: TestClient) -> None:
    for chemin in (
        "/static/",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2f..%2fapi%2fapp.py",
        "/static/%2e%2e%5capp.py",
        "/static//etc/passwd",
        "/.git/config",
        "/.env",
        "/pyproject.toml",
    ):
        reponse = client.get(chemin)
        assert reponse.status_code in {404, 405}, chemin
        assert LU not in reponse.text


def test_no_text_that_was_recorded_becomes_a_page(client: TestClient, service: Service) -> None:
    vie = Vie(service)
    vie.subvention()
    vie.tranche("200000.00", "200000.00")
    vie.enveloppe("A", "60000.00")
    vie.appel()
    pieges = [piege for piege in PIEGES if "\r" not in piege]
    vie.depot(
        "UN",
        pieces=[
            {"sha256": f"{rang:02}" * 32, "libelle": piege, "type": "demande"}
            for rang, piege in enumerate(pieges)
        ],
    )
    page = client.get("/dossiers/UN")
    assert page.status_code == 200
    assert all(str(escape(piege)) in " ".join(page.text.split()) for piege in pieges)
    assert EXECUTE not in page.text
    assert CALCULE not in page.text
