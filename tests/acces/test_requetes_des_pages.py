"""How many times each page asks the database: a number that nobody raises without seeing it.

`OI_INSTANTANES=1` writes the numbers again, to be read in the difference.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from monde import ALPHA
from monde_habite import Monde, Route, routes, valeurs_de
from portier import PortierDEssai
from starlette.testclient import TestClient

from api.app import create_app

pytestmark = [pytest.mark.longue, pytest.mark.xdist_group("requetes")]

PAGES = [r for r in routes() if r.nom.startswith("page_") and r.methode == "GET"]
INSTANTANE = Path(__file__).with_name("requetes_des_pages.json")


@pytest.fixture(scope="module")
def client(monde: Monde) -> Iterator[TestClient]:
    with TestClient(create_app(monde.service, PortierDEssai()), follow_redirects=False) as made:
        yield made


def _compter(client: TestClient, chemin: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many statements an address sends, those of its transaction left out."""
    vues: list[str] = []
    vraie = psycopg.Cursor.execute

    def execute(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        vues.append(str(query))
        return vraie(self, query, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", execute)
        client.get(chemin)
    return len(vues)


def _adresse(monde: Monde, route: Route) -> str:
    return route.adresse(valeurs_de(monde, route, ALPHA))


def test_each_page_asks_the_database_as_often_as_was_agreed(
    monde: Monde, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for route in PAGES:
        # The first time also fills what is kept from one request to the next.
        client.get(_adresse(monde, route))
    comptes = {r.nom: _compter(client, _adresse(monde, r), monkeypatch) for r in PAGES}
    if os.environ.get("OI_INSTANTANES"):
        texte = json.dumps(dict(sorted(comptes.items())), indent=2)
        INSTANTANE.write_text(f"{texte}\n", encoding="utf-8")
    assert comptes == json.loads(INSTANTANE.read_text(encoding="utf-8"))
