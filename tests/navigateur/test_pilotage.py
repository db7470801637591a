"""The main ways of the maquette in a real browser: what waits, a trial, a director who foresees."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from axe_playwright_python.sync_playwright import Axe
from bases import base_neuve
from fastapi import FastAPI
from pilotage_joue import jouer
from playwright.sync_api import Browser, Page, expect
from portier import PortierDEssai

from api.app import create_app
from oi_service.app import open_service
from oi_service.clock import today
from oi_service.dates import trimestre

ANNEE, TRIMESTRE = trimestre(today())
CASE = f"Certifié, T{TRIMESTRE} {ANNEE}"
REGLES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "RGAAv4", "best-practice"]
ADRESSES = (
    "/maquette",
    "/maquette?au=2022-06-01&alerte=oui",
    "/maquette/a-faire",
    "/maquette/transfert",
    "/plie/A",
    "/plie/B?au=2022-06-01",
)


@pytest.fixture(scope="module")
def pilotage(
    serveur: str, modele: str, servir: Callable[[FastAPI], AbstractContextManager[str]]
) -> Iterator[str]:
    with base_neuve(serveur, modele) as base, open_service(base) as service:
        jouer(service)
        with servir(create_app(service, PortierDEssai())) as adresse:
            yield adresse


@pytest.mark.parametrize("adresse", ADRESSES)
def test_axe_finds_nothing_and_nothing_overflows(
    page: Page, phone: Page, pilotage: str, messages: list[str], adresse: str
) -> None:
    for ecran in (page, phone):
        ecran.goto(pilotage + adresse, wait_until="networkidle")
        for donnees in ecran.locator("details").all():
            donnees.locator("summary").first.click()
        found = Axe().run(ecran, options={"runOnly": {"type": "tag", "values": REGLES}})
        assert found.violations_count == 0, found.generate_report()
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    assert messages == []


def test_what_waits_comes_by_itself(page: Page, messages: list[str], pilotage: str) -> None:
    page.goto(f"{pilotage}/maquette")
    expect(page.locator("#a-faire")).to_contain_text("1 contrôle de service fait à produire")
    expect(page.locator("#a-faire figure h2")).to_contain_text("du besoin en contreparties")
    assert messages == []


def test_without_javascript_nothing_is_missing(browser: Browser, pilotage: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{pilotage}/maquette?au=2022-06-01")
    expect(page.get_by_role("heading", name="Il manque 65 k€ au 31 décembre 2022")).to_be_visible()
    expect(page.locator("svg.graphique")).to_have_count(3)
    page.locator("#courbe summary").click()
    expect(page.locator("#courbe table")).to_contain_text("31/12/2022")
    page.get_by_role("link", name="En alerte seulement").click()
    expect(page.get_by_role("link", name="En alerte seulement")).to_have_attribute(
        "aria-current", "true"
    )
    page.get_by_role("link", name="Voir ce qui attend").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ce qui attend")
    page.goto(f"{pilotage}/maquette/transfert")
    page.get_by_label("Ligne de la maquette").select_option(index=1)
    page.get_by_label("De", exact=True).select_option("B")
    page.get_by_label("Vers", exact=True).select_option("A")
    page.get_by_label("Montant de FSE").fill("1 000")
    page.get_by_label("À la date du").fill("2022-06-01")
    page.get_by_role("button", name="Essayer").click()
    expect(page.get_by_role("heading", name="Ce transfert serait accepté")).to_be_visible()
    expect(page.get_by_role("link", name="Décider ce transfert")).to_be_visible()
    context.close()


def test_a_director_foresees_with_the_keyboard_only(browser: Browser, pilotage: str) -> None:
    context = browser.new_context(
        extra_http_headers={"OI-Role": "directeur_plie", "OI-Acteur": "directeur-a"}
    )
    page = context.new_page()
    page.goto(f"{pilotage}/plie/A")
    case = page.get_by_label(CASE)
    for _ in range(200):
        page.keyboard.press("Tab")
        if case.evaluate("field => field === document.activeElement"):
            break
    page.keyboard.type("mille")
    page.keyboard.press("Enter")
    resume = page.get_by_role("alert")
    expect(resume).to_be_focused()
    expect(resume).to_contain_text("« mille » n’est pas un montant")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(case).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("1 000,50")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="déposées")).to_be_visible()
    expect(case).to_have_value("1\u00a0000,50")
    expect(page.locator(".previsions")).to_contain_text("directeur-a (direction du PLIE)")
    context.close()


def test_the_maquette_is_two_sheets_of_paper(page: Page, pilotage: str) -> None:
    page.goto(f"{pilotage}/maquette", wait_until="networkidle")
    page.emulate_media(media="print")
    expect(page.locator("#a-faire")).to_be_hidden()
    expect(page.locator("#courbe")).to_be_visible()
    assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") == 2


def test_a_plie_is_two_sheets_of_paper_at_most(page: Page, pilotage: str) -> None:
    page.goto(f"{pilotage}/plie/A", wait_until="networkidle")
    assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") <= 2
