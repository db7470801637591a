"""The pages of accounts in a browser, with the real keeper: screens, keyboard, no JavaScript."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, expect
from vie import Vie

from api.app import create_app
from oi_service.application import Service
from oi_service.comptes import ouvrir_comptes_de_demonstration

LARGEURS = (1280, 390)
PUBLIQUES = ("/connexion", "/activation", "/connexion?fait=deconnexion")
DE_CHACUN = ("/compte", "/compte/mot-de-passe", "/compte/second-facteur", "/compte/jetons/nouveau")
D_ADMINISTRATION = (
    "/administration/comptes",
    "/administration/comptes?recherche=rien",
    "/administration/comptes/nouveau",
    "/administration/comptes/gestionnaire-1",
    "/administration/comptes/administrateur-1",
    "/administration/comptes/inconnu",
    "/administration/traces",
    "/renforcement",
    "/maquette",
)


@dataclass
class Site:
    """A service with an account of each kind, and who is signed in there."""

    adresse: str
    mot_de_passe: str
    gestionnaire: BrowserContext
    administrateur: BrowserContext


@pytest.fixture(scope="module")
def site(
    service_du_module: Service,
    browser: Browser,
    servir: Callable[[FastAPI], AbstractContextManager[str]],
) -> Iterator[Site]:
    service = service_du_module
    vie = Vie(service)
    vie.subvention()
    vie.tranche("300000.00", "300000.00")
    vie.enveloppe("A", "100000.00")
    mot_de_passe = ouvrir_comptes_de_demonstration(service).mot_de_passe
    with servir(create_app(service)) as adresse:
        gestionnaire = _entrer(browser, adresse, "gestionnaire-1", mot_de_passe)
        administrateur = _entrer(browser, adresse, "administrateur-1", mot_de_passe)
        _installer(administrateur.pages[0])
        yield Site(adresse, mot_de_passe, gestionnaire, administrateur)
        gestionnaire.close()
        administrateur.close()


def _entrer(browser: Browser, adresse: str, qui: str, mot_de_passe: str) -> BrowserContext:
    """Sign in without JavaScript: the pages need none."""
    context = browser.new_context(java_script_enabled=False, base_url=adresse)
    page = context.new_page()
    page.goto("/connexion")
    page.get_by_label("Courriel").fill(f"{qui}@demo.example")
    page.get_by_label("Mot de passe").fill(mot_de_passe)
    page.get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("button", name="Se déconnecter")).to_be_visible()
    return context


def _installer(page: Page) -> None:
    expect(page.get_by_role("heading", name="Second facteur")).to_be_visible()
    page.get_by_role("button", name="Commencer").click()
    expect(page.locator(".qr svg")).to_be_visible()
    totp = pyotp.TOTP(page.locator("code.secret").inner_text())
    page.get_by_label("Code à six chiffres").fill(totp.now())
    page.get_by_role("button", name="Confirmer").click()
    expect(page.locator(".codes li")).to_have_count(10)


@contextmanager
def ouverte(
    browser: Browser, site: Site, de: BrowserContext | None, *, javascript: bool = True
) -> Iterator[Page]:
    """Lend a page of somebody who is signed in, of nobody by default."""
    context = browser.new_context(
        base_url=site.adresse,
        java_script_enabled=javascript,
        # A colour on its way to another is no colour of ours to look at.
        reduced_motion="reduce",
        storage_state=None if de is None else de.storage_state(),
    )
    yield context.new_page()
    context.close()


def examiner(page: Page, adresse: str) -> None:
    """Look at a page on two screens: nothing overflows, nothing is out of reach."""
    dits: list[str] = []
    page.on("console", lambda message: dits.append(message.text))
    page.goto(adresse)
    for largeur in LARGEURS:
        page.set_viewport_size({"width": largeur, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") == largeur, adresse
        for replie in page.locator("details").all():
            if replie.get_attribute("open") is None:
                replie.locator("summary").click()
        found = Axe().run(page)
        assert found.violations_count == 0, f"{adresse}\n{found.generate_report()}"
    # Chromium notes the status of an answer that is a refusal; nothing else is worth a word.
    assert [d for d in dits if "the server responded with a status of 40" not in d] == [], adresse


def test_axe_finds_nothing_on_the_way_in(browser: Browser, site: Site) -> None:
    with ouverte(browser, site, None) as page:
        for adresse in PUBLIQUES:
            examiner(page, adresse)


def test_axe_finds_nothing_in_one_s_account(browser: Browser, site: Site) -> None:
    with ouverte(browser, site, site.gestionnaire) as page:
        for adresse in (*DE_CHACUN, "/administration/comptes"):
            examiner(page, adresse)


def test_axe_finds_nothing_in_the_administration(browser: Browser, site: Site) -> None:
    with ouverte(browser, site, site.administrateur) as page:
        for adresse in D_ADMINISTRATION:
            examiner(page, adresse)


def test_what_is_wrong_takes_the_focus_and_leads_to_its_field(browser: Browser, site: Site) -> None:
    with ouverte(browser, site, site.administrateur, javascript=False) as page:
        page.goto("/administration/comptes/nouveau")
        page.get_by_label("Nom de la personne").fill("Agent fictif")
        page.get_by_label("Courriel").fill("gestionnaire-1@demo.example")
        page.get_by_role("button", name="Ouvrir le compte").click()
        resume = page.get_by_role("alert")
        expect(resume).to_contain_text("Un autre compte a déjà ce courriel")
        expect(resume).to_be_focused()
        expect(page.get_by_label("Nom de la personne")).to_have_value("Agent fictif")
        expect(page).to_have_title(re.compile("^Erreur"))
    with ouverte(browser, site, None, javascript=False) as page:
        page.goto("/activation")
        for nom, valeur in (
            ("Courriel", "a@demo.example"),
            ("Code d’activation", "ABCD"),
            ("Nouveau mot de passe", "une phrase à soi seul"),
            ("Le même, une seconde fois", "une autre"),
        ):
            page.get_by_label(nom).fill(valeur)
        page.get_by_role("button", name="Enregistrer").click()
        page.get_by_role("alert").get_by_role("link").click()
        expect(page.get_by_label("Le même, une seconde fois")).to_be_focused()
        expect(page.get_by_label("Courriel")).to_have_value("a@demo.example")
        for nom in ("Nouveau mot de passe", "Le même, une seconde fois"):
            expect(page.get_by_label(nom)).to_have_value("")


def test_an_account_is_opened_and_given_a_territory_by_keyboard(
    browser: Browser, site: Site
) -> None:
    with ouverte(browser, site, site.administrateur, javascript=False) as page:
        page.goto("/administration/comptes")
        page.get_by_role("link", name="Ouvrir un compte").press("Enter")
        page.get_by_label("Nom de la personne").fill("Directrice fictive n° 20")
        page.get_by_label("Courriel").fill("directrice-20@demo.example")
        page.keyboard.press("Enter")
        code = page.locator("code.secret").inner_text()
        page.get_by_role("link", name="Aller au compte").press("Enter")
        expect(page.locator("body")).not_to_contain_text(code)
        page.locator("summary", has_text="Attribuer un rôle").press("Enter")
        page.get_by_label("Rôle", exact=True).select_option(label="Direction du PLIE")
        page.get_by_label("PLIE A").press("Space")
        page.get_by_role("button", name="Attribuer").press("Enter")
        expect(page.get_by_role("status")).to_contain_text("Le rôle est attribué")
        expect(page.locator("table").first).to_contain_text("direction du PLIE (A)")


def test_recovery_codes_take_one_sheet(browser: Browser, site: Site) -> None:
    with ouverte(browser, site, site.administrateur) as page:
        page.goto("/compte")
        page.get_by_role("button", name="Tirer d’autres codes de secours").click()
        expect(page.locator(".codes li")).to_have_count(10)
        feuilles = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b(?!s)", feuilles)) == 1


def test_going_out_shows_nothing_of_what_was_there(browser: Browser, site: Site) -> None:
    context = _entrer(browser, site.adresse, "gestionnaire-1", site.mot_de_passe)
    page = context.pages[0]
    page.goto("/compte")
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("heading", name="Connexion", exact=True)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Connexion", exact=True)).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("gestionnaire-1@demo.example")
    context.close()
