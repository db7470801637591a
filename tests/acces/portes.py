"""Persons at the doors: the real application, the real keeper, a browser that keeps its cookies."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from comptes_joues import PHRASE, Maison, Telephone
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from api.app import create_app
from api.porte import COOKIE_TLS, PortierDesComptes
from oi_service import clock
from oi_service.ids import new_id


class Visiteur:
    """A browser, or a program, at one of the doors."""

    def __init__(self, http: TestClient, maison: Maison) -> None:
        self.http = http
        self.maison = maison
        self.telephone: Telephone | None = None
        self.identifiant = ""

    @property
    def jeton(self) -> str | None:
        return self.http.cookies.get(COOKIE_TLS)

    def lire(self, chemin: str, **options: Any) -> Response:
        return self.http.get(chemin, **options)

    def envoyer(self, chemin: str, **champs: Any) -> Response:
        """Send a form of a page."""
        return self.http.post(chemin, data=champs)

    def entrer(self, courriel: str, suite: str = "") -> Response:
        """Sign in by the pages, second factor included; return the last answer."""
        reponse = self.envoyer("/connexion", courriel=courriel, mot_de_passe=PHRASE, suite=suite)
        if reponse.headers.get("location", "").startswith("/connexion/code"):
            assert self.telephone is not None
            code = self.telephone.neuf()
            reponse = self.envoyer("/connexion/code", code=code, suite=suite)
        assert reponse.status_code == 303, reponse.text
        return reponse

    def demander(
        self,
        chemin: str,
        corps: Mapping[str, Any] | None = None,
        version: int | None = None,
        cle: Any = None,
        **entetes: str,
    ) -> Response:
        """Send a command of the JSON door."""
        tous = {"Idempotency-Key": str(cle or new_id()), **entetes}
        if version is not None:
            tous["If-Match"] = f'"{version}"'
        return self.http.post(f"/api/v1{chemin}", json=dict(corps or {}), headers=tous)

    def acte(self, chemin: str, version: int | None = None, **corps: Any) -> Response:
        """Send a command that counts today."""
        return self.demander(chemin, {"date_effet": f"{clock.today()}", **corps}, version)


_ASSEMBLEES: list[FastAPI] = []


def application(maison: Maison) -> FastAPI:
    """Return the application on a service, with the keeper that believes accounts only.

    It is assembled once: two hundred routes take longer than most tests here.
    """
    if not _ASSEMBLEES:
        _ASSEMBLEES.append(create_app(maison.service))
    [app] = _ASSEMBLEES
    assert isinstance(app.state.portier, PortierDesComptes)
    app.state.service = maison.service
    app.state.portier = PortierDesComptes(maison.acces)
    return app


@contextmanager
def visite(maison: Maison, adresse: str = "https://testserver") -> Iterator[Visiteur]:
    """Lend a browser that goes where it is sent only when it is told to."""
    with TestClient(application(maison), base_url=adresse, follow_redirects=False) as http:
        yield Visiteur(http, maison)


@contextmanager
def personne(
    maison: Maison, identifiant: str, *roles: str, facteur: bool = False
) -> Iterator[Visiteur]:
    """Lend the browser of somebody who is signed in."""
    courriel = maison.compte(identifiant, *roles)
    with visite(maison) as visiteur:
        visiteur.identifiant = identifiant
        if facteur:
            visiteur.telephone = maison.installer(courriel)
        visiteur.entrer(courriel)
        yield visiteur
