"""A payment in a real browser, from the control to the bank, by three persons; search by keyboard.

Under the strict CSP, with and without any script, on a screen and on a phone.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from paiements_joues import DU, INDU, ORDONNE, PREPARE, VIRE, paiements_joues
from playwright.sync_api import Browser, Page, expect
from portier import PortierDEssai
from vie import Vie

from api.app import create_app

pytestmark = pytest.mark.xdist_group("paiements")

COMPTABLE = ("comptable-1", "comptable_oi")
ORDONNATEUR = ("ordonnateur-1", "ordonnateur_oi")
SECONDE = ("comptable-2", "comptable_oi")
REGLES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "RGAAv4"]


@pytest.fixture(scope="module")
def vie(serveur: str, modele: str) -> Iterator[tuple[FastAPI, Vie]]:
    with paiements_joues(serveur, modele) as (service, vie):
        yield create_app(service, PortierDEssai()), vie


@pytest.fixture(scope="module")
def racine(
    vie: tuple[FastAPI, Vie], servir: Callable[[FastAPI], AbstractContextManager[str]]
) -> Iterator[str]:
    with servir(vie[0]) as adresse:
        yield adresse


@contextmanager
def assis(
    browser: Browser, racine: str, qui: tuple[str, str], *, largeur: int = 1280, script: bool = True
) -> Iterator[Page]:
    """Sit somebody before a browser; the console must stay silent."""
    contexte = browser.new_context(
        base_url=racine,
        viewport={"width": largeur, "height": 900},
        extra_http_headers={"OI-Acteur": qui[0], "OI-Role": qui[1]},
        java_script_enabled=script,
    )
    page = contexte.new_page()
    dits: list[str] = []
    page.on("console", lambda message: dits.append(message.text))
    page.on("pageerror", lambda error: dits.append(str(error)))
    yield page
    assert dits == []
    contexte.close()


def faire(page: Page, etape: str, dossier: str, acte: str) -> None:
    """Open the form of an act from the list of a step."""
    page.goto(f"/paiements?etape={etape}&recherche={dossier}")
    page.locator(".actes-de-ligne").get_by_role("link", name=acte).first.click()


def test_a_payment_goes_from_the_control_to_the_bank_by_three_persons(
    browser: Browser, racine: str, vie: tuple[FastAPI, Vie]
) -> None:
    with assis(browser, racine, COMPTABLE) as page:
        faire(page, "a-preparer", DU, "Préparer le solde")
        # The amount comes from the control: it shows, and there is nothing to type.
        expect(page.get_by_text("25\u00a0000,00\u00a0€").first).to_be_visible()
        expect(page.get_by_label("Montant", exact=True)).to_have_count(0)
        page.get_by_role("button", name="Enregistrer").last.click()
        expect(page.get_by_text("C’est enregistré")).to_be_visible()
        expect(page.get_by_text("Rien ne répond à ces filtres.")).to_be_visible()
    with assis(browser, racine, ("comptable-1", "ordonnateur_oi")) as page:
        page.goto(f"/paiements?etape=a-ordonnancer&recherche={DU}")
        expect(page.get_by_role("button", name="Ordonnancer")).to_be_disabled()
        expect(page.get_by_text("Vous avez préparé ce paiement")).to_be_visible()
    with assis(browser, racine, ORDONNATEUR, script=False) as page:
        faire(page, "a-ordonnancer", DU, "Ordonnancer")
        expect(page.get_by_text("comptable-1")).to_be_visible()
        page.get_by_role("button", name="Enregistrer").last.click()
    with assis(browser, racine, SECONDE) as page:
        faire(page, "a-virer", DU, "Enregistrer le virement")
        # The account of the last transfer is recalled.
        expect(page.get_by_label("IBAN du compte crédité")).to_have_value(re.compile("•"))
        page.get_by_label("Référence du virement").fill("V-2026-001")
        page.get_by_role("button", name="Enregistrer").last.click()
        faire(page, "envoyes", "V-2026-001", "Acquitter")
        page.get_by_label("Référence").fill("REL-11")
        page.get_by_role("button", name="Enregistrer").last.click()
        expect(page.get_by_text("Acquitté", exact=True)).to_be_visible()
    paiement = list(vie[1].convention(DU).paiements.values())[-1]
    assert (paiement.statut, paiement.montant) == ("acquitte", 25_000_00)


def test_an_order_is_settled_by_what_is_due_elsewhere(
    browser: Browser, racine: str, vie: tuple[FastAPI, Vie]
) -> None:
    with assis(browser, racine, COMPTABLE, script=False) as page:
        page.goto(f"/paiements/reversements?liste=emis&recherche={INDU}")
        page.get_by_role("link", name="Compenser").click()
        expect(page.get_by_label("Montant", exact=True)).to_have_value("3\u00a0000,00")
        page.get_by_role("button", name="Enregistrer").last.click()
        expect(page.get_by_text("C’est enregistré")).to_be_visible()
        page.goto(f"/paiements?etape=a-virer&recherche={ORDONNE}")
        expect(page.locator("main")).to_contain_text("37\u00a0000,00\u00a0€")
    [ordre] = vie[1].convention(INDU).ordres.values()
    assert ordre.reste == 0


def test_search_is_walked_with_the_keyboard_only(browser: Browser, racine: str) -> None:
    with assis(browser, racine, COMPTABLE) as page:
        page.goto("/paiements/certification", wait_until="networkidle")
        page.keyboard.press("Control+k")
        champ = page.get_by_role("searchbox", name="Rechercher un dossier")
        expect(champ).to_be_focused()
        page.keyboard.type("2022000", delay=20)
        expect(page.locator(".suggestions a").first).to_be_visible()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(page.locator(".suggestions a").nth(1)).to_be_focused()
        # The band alone: the suggestions hang over the page, which is judged without them.
        found = Axe().run(
            page, "header.entete", options={"runOnly": {"type": "tag", "values": REGLES}}
        )
        assert found.violations_count == 0, found.generate_report()
        page.keyboard.press("Escape")
        expect(page.locator(".suggestions")).to_have_count(0)
        expect(champ).to_be_focused()
        page.keyboard.press("Control+a")
        page.keyboard.type(VIRE)
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(f"/dossiers/{VIRE}$"))


def test_search_is_whole_without_javascript(browser: Browser, racine: str) -> None:
    with assis(browser, racine, COMPTABLE, script=False) as page:
        page.goto("/paiements")
        page.get_by_role("searchbox").fill("40 000,00")
        page.get_by_role("button", name="Rechercher", exact=True).click()
        expect(page.get_by_role("heading", name=re.compile("^Paiements"))).to_be_visible()
        page.get_by_role("link", name=re.compile("Solde de 40")).first.click()
        expect(
            page.get_by_role("heading", name="Les dépenses derrière ce paiement")
        ).to_be_visible()


def test_an_amount_leads_to_its_facts(browser: Browser, racine: str) -> None:
    with assis(browser, racine, COMPTABLE) as page:
        page.goto("/provenance?mesure=fse_paye")
        page.get_by_role("link", name="Virement rejeté par la banque").click()
        expect(page.get_by_role("heading", name=re.compile("1 fait"))).to_be_visible()
        page.locator("#mouvements tbody a").first.click()
        expect(page.locator(".faits li:target")).to_be_visible()


@pytest.mark.parametrize(
    "chemin",
    [
        "/paiements",
        f"/paiements?etape=a-ordonnancer&recherche={PREPARE}",
        f"/paiements?etape=a-virer&recherche={ORDONNE}",
        "/paiements?etape=envoyes",
        "/paiements?etape=rejetes",
        "/paiements?etape=delais",
        f"/paiements/reversements?recherche={INDU}",
        "/paiements/reversements?liste=emis",
        "/paiements/certification",
        "/provenance",
        "/provenance?mesure=fse_paye",
        "/provenance?mesure=taux_paiement",
        "/recherche?q=2022000",
        "/aide",
        "/glossaire",
        "/accessibilite",
    ],
)
def test_axe_finds_nothing_and_the_phone_does_not_scroll_sideways(
    browser: Browser, racine: str, chemin: str
) -> None:
    for largeur in (1280, 390):
        with assis(browser, racine, COMPTABLE, largeur=largeur) as page:
            page.goto(chemin, wait_until="networkidle")
            assert page.evaluate("document.documentElement.scrollWidth") == largeur
            found = Axe().run(page, options={"runOnly": {"type": "tag", "values": REGLES}})
            assert found.violations_count == 0, found.generate_report()
