"""The pages of operations in a browser: the list, a session by keyboard, without any script."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect
from portier import PortierDEssai
from vie import Vie

from api.app import create_app
from oi_service.application import Service

LARGEURS = (1280, 390)


@pytest.fixture(scope="module")
def adresse_operations(
    service_du_module: Service,
    servir: Callable[[FastAPI], AbstractContextManager[str]],
) -> Iterator[str]:
    service = service_du_module
    vie = Vie(service)
    vie.subvention(fse_total="9000000.00")
    vie.tranche("3000000.00", "3000000.00")
    vie.enveloppe("A", "120000.00")
    vie.appel()
    for numero in ("D-1", "D-2", "D-3"):
        vie.depot(numero)
        vie.instruction(numero, le=date(2021, 12, 20))
    vie.jusqu_au_demarrage("D-4", instruite_le=date(2021, 12, 18))
    vie.paiement("D-4", "15000.00", type="avance")
    vie.bilan("D-4", ["12000.00", "8000.00"], type="intermediaire")
    vie.demande_avenant("D-4", fse="52000.00", le=date(2021, 12, 22))
    with servir(create_app(service, PortierDEssai())) as adresse:
        yield adresse


@pytest.mark.parametrize(
    "chemin",
    [
        "/operations",
        "/operations?recherche=rien",
        "/operations/nouvelle",
        "/comite",
        "/dossiers/D-4",
    ],
)
def test_pages_fit_and_axe_finds_nothing(
    page: Page, messages: list[str], adresse_operations: str, chemin: str
) -> None:
    page.goto(f"{adresse_operations}{chemin}", wait_until="networkidle")
    for largeur in LARGEURS:
        page.set_viewport_size({"width": largeur, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") == largeur, (chemin, largeur)
        for replie in page.locator("main details:not([open]) > summary").all():
            if replie.is_visible():
                replie.click()
        trouve = Axe().run(page)
        assert trouve.violations_count == 0, trouve.generate_report()
    assert messages == []


def test_a_plan_says_while_it_is_typed_whether_it_is_balanced(
    page: Page, messages: list[str], adresse_operations: str
) -> None:
    page.goto(f"{adresse_operations}/operations/nouvelle")
    page.get_by_role("link", name="Déposer un dossier sur la fiche A1").click()
    dit = page.locator(".plan-equilibre")
    expect(dit).to_be_empty()
    page.locator("[name='plan.postes.0.montant']").fill("40 000,10")
    page.locator("[name='plan.fse']").fill("20000")
    page.keyboard.press("Tab")
    expect(dit).to_contain_text("Postes 40\u00a0000,10\u00a0€")
    expect(dit).to_contain_text("il manque 20\u00a0000,10\u00a0€")
    page.locator("[name='plan.ressources.0.montant']").fill("20 000,10")
    page.keyboard.press("Tab")
    expect(dit).to_contain_text("équilibré")
    assert messages == []


def test_a_session_is_held_with_the_keyboard_only(page: Page, adresse_operations: str) -> None:
    page.goto(f"{adresse_operations}/comite")
    page.get_by_label("Date de la séance").fill("2022-01-20")
    page.get_by_label("Référence du procès-verbal").focus()
    page.keyboard.type("PV-7")
    premier = page.get_by_role("group", name=re.compile("D-1"))
    premier.get_by_label("Décision").focus()
    page.keyboard.type("Pro")
    expect(premier.get_by_label("Décision")).to_have_value("programmer")
    enveloppes = page.locator("#enveloppes")
    expect(enveloppes).to_contain_text(re.compile(r"20\s000,00"))
    expect(enveloppes).to_contain_text("la décision choisie")
    second = page.get_by_role("group", name=re.compile("D-2"))
    second.get_by_label("Décision").focus()
    page.keyboard.type("Pro")
    expect(enveloppes).to_contain_text("Dépassée")
    page.get_by_role("button", name="Enregistrer la séance").focus()
    page.keyboard.press("Enter")
    # The refusal takes the focus and stands by its dossier; the other choice is kept.
    resume = page.get_by_role("alert")
    expect(resume).to_be_focused()
    expect(resume).to_contain_text("1 des 2 décisions de la séance sont refusées")
    expect(second).to_contain_text("ne peuvent pas être programmés")
    expect(premier.get_by_label("Décision")).to_have_value("programmer")
    second.get_by_label("Décision").select_option("refuser")
    second.get_by_label("Motif").fill("Enveloppe épuisée")
    page.get_by_role("button", name="Enregistrer la séance").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Relevé de décisions")
    expect(page.get_by_role("table")).to_contain_text("Enveloppe épuisée")
    assert Axe().run(page).violations_count == 0


def test_without_script_a_list_is_filtered_and_an_act_done(
    browser: Browser, adresse_operations: str
) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=adresse_operations)
    page = context.new_page()
    page.goto("/operations")
    page.get_by_role("link", name=re.compile("Réalisation en cours")).click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_label("Numéro, bénéficiaire ou intitulé").fill("D-4")
    page.get_by_role("button", name="Filtrer").click()
    page.get_by_role("link", name="D-4").click()
    page.get_by_role("link", name="Programmer l’avenant").click()
    page.get_by_label("Date d’effet").fill("2021-12-23")
    page.get_by_label(re.compile("procès-verbal|PV")).fill("PV-8")
    page.get_by_role("button", name="Enregistrer").last.click()
    expect(page.get_by_text("C’est enregistré")).to_be_visible()
    expect(page.locator("#avenants")).to_contain_text("Programmé, à signer")
    context.close()
