"""Every page there is, in a real browser, at two widths: nobody has to remember to add one here.

The pages are those of the application; what their addresses point at are the lives of two PLIE.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from bases import base_neuve
from fastapi import FastAPI
from monde import ALPHA
from monde_habite import Monde, Route, monde_de, routes, valeurs_de
from playwright.sync_api import Browser, Page
from portier import PortierDEssai

from api.app import create_app
from oi_service.lieux import Lieux

pytestmark = [pytest.mark.longue, pytest.mark.xdist_group("pages")]

#: Pages that lead elsewhere at once, and those that are about what this world lacks: accounts
#: (`test_comptes`), workbooks and lots (`test_imports`); a template is a file.
AILLEURS = {
    "page_modele",
    "page_apercu_import",
    "page_lot",
    "page_connexion_oidc",
    "page_retour_oidc",
    "page_compte",
    "page_mot_de_passe",
    "page_installer_second_facteur",
}
PAGES = [
    route
    for route in routes()
    if route.methode == "GET" and route.nom.startswith("page_") and route.nom not in AILLEURS
]
LARGEURS = (1280, 390)
REGLES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "RGAAv4", "best-practice"]


@dataclass
class Entendu:
    """What a page said in the console, and whom it asked."""

    messages: list[str] = field(default_factory=list)
    demandes: list[str] = field(default_factory=list)

    def ecouter(self, page: Page) -> None:
        page.on("console", lambda message: self.messages.append(message.text))
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.on("request", lambda request: self.demandes.append(request.url))


@pytest.fixture(scope="module")
def monde(serveur: str, modele: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monde]:
    lieux = Lieux.sous(tmp_path_factory.mktemp("lieux"))
    with base_neuve(serveur, modele) as base, monde_de(base, lieux) as found:
        yield found


@pytest.fixture(scope="module")
def racine(monde: Monde, servir: Callable[[FastAPI], AbstractContextManager[str]]) -> Iterator[str]:
    with servir(create_app(monde.service, PortierDEssai())) as adresse:
        yield adresse


def _valeurs(monde: Monde, route: Route) -> dict[str, Any]:
    """Return what an address points at; a long work is shown to whoever asked it only."""
    valeurs = valeurs_de(monde, route, ALPHA)
    if "travail_id" not in route.parametres:
        return valeurs
    travail = monde.service.travaux.lancer("verification", {}, "gestionnaire-1", "gestionnaire_oi")
    return valeurs | {"travail_id": travail}


@pytest.mark.parametrize("route", PAGES, ids=lambda route: route.nom)
def test_a_page_is_whole_silent_and_accessible(
    browser: Browser, monde: Monde, racine: str, route: Route
) -> None:
    chemin = route.adresse(_valeurs(monde, route))
    for largeur in LARGEURS:
        contexte = browser.new_context(viewport={"width": largeur, "height": 900})
        page, entendu = contexte.new_page(), Entendu()
        entendu.ecouter(page)
        reponse = page.goto(f"{racine}{chemin}", wait_until="networkidle")
        assert reponse is not None
        assert reponse.status == 200, chemin
        assert "text/html" in reponse.headers["content-type"]
        assert entendu.messages == [], chemin
        assert {urlsplit(u).netloc for u in entendu.demandes} == {urlsplit(racine).netloc}
        assert page.locator("h1").count() == 1
        assert page.title().strip()
        page.evaluate("document.querySelectorAll('details').forEach(plie => (plie.open = true))")
        assert page.evaluate("document.documentElement.scrollWidth") <= largeur, chemin
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": REGLES}})
        assert found.violations_count == 0, (chemin, largeur, found.generate_report())
        contexte.close()
