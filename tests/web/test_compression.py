"""Pages and their files travel compressed; what shows a secret does not."""

from collections.abc import Iterator

import pytest
from portier import PortierDEssai
from starlette.testclient import TestClient

from api.app import create_app
from oi_service.application import Service


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service, PortierDEssai())) as made:
        yield made


@pytest.mark.parametrize("chemin", ["/connexion", "/maquette", "/static/app.css"])
def test_a_page_and_its_files_are_compressed_for_who_can_read_that(
    client: TestClient, chemin: str
) -> None:
    serre = client.get(chemin, headers={"Accept-Encoding": "gzip"})
    assert serre.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in serre.headers["Vary"]
    entier = client.get(chemin, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in entier.headers
    assert int(serre.headers["Content-Length"]) < len(entier.content)


@pytest.mark.parametrize(
    "chemin", ["/compte/jetons/nouveau", "/administration/comptes", "/api/v1/operations"]
)
def test_what_may_show_a_secret_is_sent_as_it_is(client: TestClient, chemin: str) -> None:
    reponse = client.get(chemin, headers={"Accept-Encoding": "gzip"})
    assert reponse.is_success
    assert "Content-Encoding" not in reponse.headers
