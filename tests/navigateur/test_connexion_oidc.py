"""Sign-in at a provider in a real browser: no policy of the pages stands in the way."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from fournisseur_oidc import (
    CLIENT,
    SECRET,
    FournisseurDEssai,
    application_servie,
    fournisseur_ouvert,
)
from playwright.sync_api import Page, expect

from api.app import create_app
from oi_service.acces.fournisseur import Reglages
from oi_service.acces.oidc import Oidc
from oi_service.application import Service
from oi_service.comptes import creer_administrateur


@pytest.fixture
def chez() -> Iterator[FournisseurDEssai]:
    with fournisseur_ouvert() as fournisseur:
        fournisseur.avec_page = True
        fournisseur.present = "sujet-1"
        fournisseur.personnes["sujet-1"] = {"email": "a@oi.example", "email_verified": True}
        yield fournisseur


@pytest.fixture
def adresse(service: Service, chez: FournisseurDEssai) -> Iterator[str]:
    creer_administrateur(service, "a@oi.example", "Administration fictive")
    reglages = Reglages(
        emetteur=chez.emetteur,
        client=CLIENT,
        secret=SECRET,
        portees="openid email",
        nom="Annuaire fictif",
        courriels_verifies=False,
    )
    oidc = Oidc(service.journal.pool, reglages)
    with application_servie(create_app(replace(service, oidc=oidc))) as ici:
        chez.retours.add(f"{ici}/connexion/oidc/retour")
        chez.apres_la_fin.add(f"{ici}/connexion")
        yield ici


def test_a_person_comes_in_and_goes_out_by_the_provider(
    page: Page, messages: list[str], adresse: str, chez: FournisseurDEssai
) -> None:
    page.goto(f"{adresse}/administration/comptes")
    page.get_by_role("link", name="Se connecter avec Annuaire fictif").click()
    expect(page).to_have_url(re.compile(re.escape(chez.emetteur)))
    page.get_by_role("button", name="Continuer").click()
    # An administrator has a second factor of this house to install first.
    expect(page).to_have_url(f"{adresse}/compte/second-facteur")
    expect(page.locator("body")).to_contain_text("Administration fictive")
    page.get_by_role("button", name="Se déconnecter").click()
    page.get_by_role("link", name="Fermer aussi la session chez Annuaire fictif").click()
    expect(page.get_by_role("heading", name="Connexion", exact=True)).to_be_visible()
    assert chez.demandes[-1] == "/oidc/fin"
    assert messages == []


def test_who_is_not_known_here_reads_whom_to_ask(
    page: Page, messages: list[str], adresse: str, chez: FournisseurDEssai
) -> None:
    chez.personnes["sujet-1"] = {"email": "b@oi.example", "email_verified": True}
    page.goto(f"{adresse}/connexion/oidc")
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_role("alert")).to_contain_text("Demandez à l’administrateur")
    page.get_by_role("link", name="Revenir à la page de connexion").click()
    expect(page).to_have_url(f"{adresse}/connexion")
    assert [dit for dit in messages if "403" not in dit] == []
