"""The documents on the page of a dossier: downloaded when their file is here, told otherwise."""

import hashlib
import re
from collections.abc import Iterator

import pytest
from fichiers import PDF
from portier import PortierDEssai
from starlette.testclient import TestClient
from vie import Vie

from api.app import create_app
from oi_service.application import Service

ICI = hashlib.sha256(PDF).hexdigest()
AILLEURS = "ab" * 32


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    """A dossier with a document that is here, and another that is elsewhere."""
    service.pieces.deposer("demande.pdf", [PDF])
    vie = Vie(service)
    vie.subvention()
    vie.tranche("200000.00", "200000.00")
    vie.enveloppe("A", "60000.00")
    vie.appel()
    jointes = [
        {"sha256": ICI, "libelle": "Demande <signée>", "type": "demande"},
        {"sha256": AILLEURS, "libelle": "Statuts", "type": "statuts"},
    ]
    vie.depot("UN", pieces=jointes)
    vie.depot("DEUX")
    with TestClient(create_app(service, PortierDEssai())) as made:
        yield made


def test_a_document_is_downloaded_from_the_line_of_its_act(client: TestClient) -> None:
    html = " ".join(client.get("/dossiers/UN").text.split())
    [pieces] = re.findall(r'<ul class="pieces" aria-label="Pièces">(.*?)</ul>', html)
    lien, ailleurs = re.findall(r"<li>\s*(.*?)\s*</li>", pieces)
    assert lien == f'<a href="/api/v1/pieces/{ICI}" download>Demande &lt;signée&gt;</a>'
    assert ailleurs == "Statuts (fichier non déposé)"
    assert client.get(f"/api/v1/pieces/{ICI}").content == PDF


def test_an_act_without_document_says_nothing_of_them(client: TestClient) -> None:
    assert "pieces" not in client.get("/dossiers/DEUX").text
