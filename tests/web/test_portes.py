"""The doors of the service inside their enclosure, on a real server."""

import json
from collections.abc import Callable, Iterator

import pytest
from httpx2 import Client
from petite import servir
from portier import PortierDEssai

from api.app import create_app
from api.enceinte import CORPS_MAX
from oi_service.reseau import Reseau


@pytest.fixture
def adresse(reglages: Callable[..., Reseau]) -> Iterator[str]:
    """Serve the doors, without a base: what is tried here is refused before."""
    reglages(DEBIT="20/minute")
    with servir(create_app(None, PortierDEssai())) as port:  # type: ignore[arg-type]
        yield f"http://localhost:{port}"


def test_a_page_of_another_site_decides_nothing(adresse: str) -> None:
    with Client(base_url=adresse) as http:
        croisee = http.post(
            "/api/v1/calculs/fse-du",
            content="{}",
            # What a form of another site can send without asking the browser.
            headers={"Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site"},
        )
        assert (croisee.status_code, croisee.json()["code"]) == (403, "origine_etrangere")
        assert http.post("/api/v1/calculs/fse-du", json={}).status_code == 422


def test_an_account_is_held_after_so_many_requests(adresse: str) -> None:
    with Client(base_url=adresse) as http:
        qui = {"OI-Acteur": "gestionnaire-7", "OI-Role": "gestionnaire_oi"}
        vus = [
            http.post("/api/v1/calculs/fse-du", json={}, headers=qui).status_code for _ in range(21)
        ]
        assert vus == [422] * 20 + [429]
        autre = qui | {"OI-Acteur": "gestionnaire-8"}
        assert http.post("/api/v1/calculs/fse-du", json={}, headers=autre).status_code == 422


def test_a_body_too_large_is_refused_in_french(adresse: str) -> None:
    with Client(base_url=adresse) as http:
        corps = json.dumps({"texte": "a" * CORPS_MAX})
        refus = http.post(
            "/api/v1/calculs/fse-du", content=corps, headers={"Authorization": "Bearer a"}
        )
        assert (refus.status_code, refus.json()["code"]) == (413, "corps_trop_grand")
