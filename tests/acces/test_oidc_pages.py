"""The whole sign-in: a browser, the real pages, and a provider that listens on this machine."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
import pytest
from bases import base_neuve
from comptes_joues import Horloge, Maison, maison_ouverte
from fournisseur_oidc import (
    CLIENT,
    SECRET,
    FournisseurDEssai,
    application_servie,
    fournisseur_ouvert,
)

from api.app import create_app
from oi_service.acces import fournisseur as vu_d_ici
from oi_service.acces.fournisseur import Reglages
from oi_service.acces.oidc import Oidc
from oi_service.lieux import Lieux

NOM = "Annuaire fictif"


@pytest.fixture(scope="module")
def machine() -> Iterator[FournisseurDEssai]:
    with fournisseur_ouvert() as chez:
        yield chez


@pytest.fixture(scope="module")
def habitee(
    serveur: str, modele: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Maison]:
    with pytest.MonkeyPatch.context() as patch, base_neuve(serveur, modele) as base:
        lieux = Lieux.sous(tmp_path_factory.mktemp("lieux"))
        with maison_ouverte(base, lieux, Horloge(patch)) as maison:
            maison.compte("gestionnaire-1")
            maison.compte("gestionnaire-2")
            maison.suspendre("gestionnaire-2")
            yield maison


@pytest.fixture(scope="module")
def adresse(habitee: Maison, machine: FournisseurDEssai) -> Iterator[str]:
    """The service, that knows the provider."""
    reglages = Reglages(
        emetteur=machine.emetteur,
        client=CLIENT,
        secret=SECRET,
        portees="openid email",
        nom=NOM,
        courriels_verifies=False,
    )
    oidc = Oidc(habitee.service.journal.pool, reglages)
    with application_servie(create_app(replace(habitee.service, oidc=oidc))) as ou:
        yield ou


@pytest.fixture
def chez(
    machine: FournisseurDEssai, adresse: str, monkeypatch: pytest.MonkeyPatch
) -> FournisseurDEssai:
    # The service asks the provider again at each test.
    monkeypatch.setattr(vu_d_ici, "REPIT", 0.0)
    monkeypatch.setattr(vu_d_ici, "FRAICHEUR", 0.0)
    machine.oublier()
    machine.retours.add(f"{adresse}/connexion/oidc/retour")
    machine.personnes["sujet-1"] = {"email": "gestionnaire-1@oi.example", "email_verified": True}
    machine.present = "sujet-1"
    return machine


@pytest.fixture
def navigateur(adresse: str, chez: FournisseurDEssai) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=adresse, follow_redirects=True, timeout=10) as http:
        yield http


def test_a_person_comes_in_and_arrives_where_they_were_going(
    navigateur: httpx2.Client, adresse: str
) -> None:
    page = navigateur.get("/connexion/oidc", params={"suite": "/maquette?au=2021-12-31"})
    assert page.status_code == 200
    assert str(page.url) == f"{adresse}/maquette?au=2021-12-31"
    assert "Agente fictive" in page.text
    # Of the journey, the browser keeps nothing but the session.
    assert set(navigateur.cookies) == {"oi"}


@pytest.mark.parametrize("venu", ["cross-site", "same-site"])
def test_a_link_of_another_site_opens_no_session_by_itself(
    navigateur: httpx2.Client, adresse: str, chez: FournisseurDEssai, venu: str
) -> None:
    page = navigateur.get(
        "/connexion/oidc", params={"suite": "/compte"}, headers={"Sec-Fetch-Site": venu}
    )
    assert str(page.url) == f"{adresse}/connexion?suite=%2Fcompte"
    assert NOM in page.text
    assert not navigateur.cookies
    assert not chez.demandes


def test_the_journey_is_by_links_that_a_browser_follows(
    adresse: str, chez: FournisseurDEssai
) -> None:
    with httpx2.Client(base_url=adresse) as http:
        depart = http.get("/connexion/oidc")
        assert depart.status_code == 303
        assert depart.headers["location"].startswith(f"{chez.emetteur}/autoriser?")
        biscuit = depart.headers["set-cookie"]
        assert {"HttpOnly", "Max-Age=600", "Path=/", "SameSite=lax"} <= set(biscuit.split("; "))
        # Nothing of what is secret goes through the browser.
        assert SECRET.partition(":")[0] not in depart.headers["location"]
        assert "code_verifier" not in depart.headers["location"]


@pytest.mark.parametrize(
    "suite",
    [
        "https://ailleurs.example",
        "//ailleurs.example",
        "/\\ailleurs.example",
        "\\\\ailleurs.example",
        "/\t/ailleurs.example",
        "javascript:alert(1)",
        "http:ailleurs.example",
    ],
)
def test_nobody_is_sent_elsewhere(navigateur: httpx2.Client, adresse: str, suite: str) -> None:
    page = navigateur.get("/connexion/oidc", params={"suite": suite})
    assert str(page.url) == f"{adresse}/controles"


@pytest.mark.parametrize(
    ("change", "statut", "phrase"),
    [
        ({"present": None}, 401, "refusée ou abandonnée"),
        ({"personnes": {"sujet-1": {"email": "x@y.example"}}}, 403, "aucune adresse"),
        (
            {"personnes": {"sujet-1": {"email": "x@y.example", "email_verified": True}}},
            403,
            "aucun compte n’est ouvert ici",
        ),
        (
            {
                "personnes": {
                    "sujet-1": {"email": "gestionnaire-2@oi.example", "email_verified": True}
                }
            },
            403,
            "votre compte n’est pas ouvert ici aujourd’hui",
        ),
        ({"changer_identite": lambda claims: {**claims, "nonce": "n"}}, 401, "vérifiée"),
        ({"changer_description": lambda _: "{"}, 503, "ne répond pas comme prévu"),
    ],
)
def test_who_is_not_let_in_reads_why(
    navigateur: httpx2.Client,
    adresse: str,
    chez: FournisseurDEssai,
    change: dict[str, Any],
    statut: int,
    phrase: str,
) -> None:
    sujet = "sujet-1"
    if "personnes" in change:
        # Somebody else than who is known already.
        sujet = f"sujet-{id(change)}"
        change = {"personnes": {sujet: change["personnes"]["sujet-1"]}, "present": sujet}
    for nom, valeur in change.items():
        setattr(chez, nom, valeur)
    page = navigateur.get("/connexion/oidc")
    assert page.status_code == statut, page.text
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert phrase in page.text.replace("\xa0", " ").replace("&nbsp;", " ")
    assert "Revenir à la page de connexion" in page.text
    assert not navigateur.cookies
    assert httpx2.get(f"{adresse}/maquette").status_code == 303


def test_a_return_in_another_browser_opens_nothing(adresse: str, chez: FournisseurDEssai) -> None:
    with httpx2.Client(base_url=adresse) as http:
        depart = http.get("/connexion/oidc")
        retour = httpx2.get(depart.headers["location"]).headers["location"]
        # Somebody sends the end of their own journey to somebody else.
        autre = httpx2.get(retour)
        assert autre.status_code == 401
        assert "un autre navigateur" in autre.text
        assert "oi=" not in autre.headers.get("set-cookie", "").replace("oi-oidc=", "")
        # And it served: the journey is to be begun again.
        assert http.get(retour).status_code == 401


def test_a_return_serves_once(adresse: str, chez: FournisseurDEssai) -> None:
    with httpx2.Client(base_url=adresse) as http:
        depart = http.get("/connexion/oidc")
        biscuit = {"Cookie": depart.headers["set-cookie"].partition(";")[0]}
        retour = httpx2.get(depart.headers["location"]).headers["location"]
        assert http.get(retour, headers=biscuit).status_code == 303
        assert http.get(retour, headers=biscuit).status_code == 401


@pytest.mark.parametrize(
    "dit",
    [
        {},
        {"state": "e" * 43, "code": "c"},
        {"state": "\x00", "code": "\x00", "iss": "\x00", "error": "\x00"},
        {"error": "<script>alert(1)</script>", "error_description": "<script>alert(1)</script>"},
    ],
)
def test_what_nobody_began_opens_nothing(adresse: str, dit: dict[str, str]) -> None:
    page = httpx2.get(f"{adresse}/connexion/oidc/retour?{urlencode(dit)}")
    assert page.status_code == 401
    assert "<script>alert" not in page.text


def test_a_provider_that_is_down_does_not_close_the_service(
    navigateur: httpx2.Client, chez: FournisseurDEssai
) -> None:
    chez.changer_description = lambda d: {**d, "token_endpoint": "http://127.0.0.1:9/jetons"}
    page = navigateur.get("/connexion/oidc")
    assert page.status_code == 503
    assert "la liaison est coupée" in page.text
    assert navigateur.get("/connexion").status_code == 200


def test_what_happened_is_traced(
    navigateur: httpx2.Client, habitee: Maison, chez: FournisseurDEssai
) -> None:
    navigateur.get("/connexion/oidc")
    chez.present = None
    navigateur.get("/connexion/oidc")
    refusee, venue = habitee.acces.traces(limite=2).traces
    assert (venue.nature, venue.identifiant) == ("connexion", "gestionnaire-1")
    assert venue.objet["moyen"] == NOM
    assert venue.objet["amr"] == ["pwd", "totp"]
    assert venue.objet["acr"] == "eidas1"
    assert (refusee.nature, refusee.identifiant) == ("connexion_refusee", None)
    assert refusee.objet == {"raison": "connexion_refusee", "moyen": NOM}


def test_the_page_of_sign_in_leads_there(navigateur: httpx2.Client, adresse: str) -> None:
    page = navigateur.get("/maquette?au=2021-12-31")
    assert urlsplit(str(page.url)).path == "/connexion"
    lien = re.search(rf'href="([^"]+)">Se connecter avec {NOM}', page.text)
    assert lien is not None
    assert str(navigateur.get(html.unescape(lien[1])).url) == f"{adresse}/maquette?au=2021-12-31"


def test_who_goes_out_may_go_out_there_too(
    navigateur: httpx2.Client, adresse: str, chez: FournisseurDEssai
) -> None:
    navigateur.get("/connexion/oidc")
    page = navigateur.post("/deconnexion")
    assert page.status_code == 200
    assert not navigateur.cookies
    lien = re.search(rf'href="([^"]+)">Fermer aussi la session chez {NOM}', page.text)
    assert lien is not None
    chez.apres_la_fin.add(f"{adresse}/connexion")
    assert urlsplit(str(navigateur.get(html.unescape(lien[1])).url)).path == "/connexion"
    assert chez.demandes[-1] == "/oidc/fin"


def test_a_session_opened_by_a_password_ends_here_only(
    adresse: str, habitee: Maison, chez: FournisseurDEssai
) -> None:
    ouverte = habitee.entrer("gestionnaire-1@oi.example")
    with httpx2.Client(base_url=adresse, cookies={"oi": ouverte.jeton}) as http:
        assert http.post("/deconnexion").headers["location"] == "/connexion?fait=deconnexion"


def test_who_goes_out_while_the_provider_is_down_goes_out(
    navigateur: httpx2.Client, chez: FournisseurDEssai
) -> None:
    navigateur.get("/connexion/oidc")
    chez.changer_description = lambda _: "{"
    page = navigateur.post("/deconnexion")
    assert "Vous êtes déconnecté" in page.text
    assert navigateur.get("/maquette").url.path == "/connexion"


def test_two_factors_there_sign_nothing_here(navigateur: httpx2.Client, habitee: Maison) -> None:
    navigateur.get("/connexion/oidc")
    identite = habitee.acces.identite_de_session(navigateur.cookies["oi"], "127.0.0.1")
    assert identite is not None
    assert identite.identifiant == "gestionnaire-1"
    assert not identite.renforcee


def test_without_a_provider_people_are_sent_to_their_password(habitee: Maison) -> None:
    with application_servie(create_app(habitee.service)) as ou:
        depart = httpx2.get(f"{ou}/connexion/oidc?suite=/maquette")
        assert urlsplit(depart.headers["location"]).path == "/connexion"
        assert httpx2.get(f"{ou}/connexion/oidc/retour").headers["location"] == "/connexion"
