"""The page of a dossier in a real browser, under the strict CSP, on screens and on paper."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from dossier_exemple import ABANDON, GRAND, NOUVEAU, NUMERO, REFUSE
from playwright.sync_api import Browser, Page, expect

NUMEROS = (NUMERO, NOUVEAU, REFUSE, ABANDON, GRAND, "inconnu")


@pytest.mark.parametrize("numero", NUMEROS[:-1])
def test_strict_csp_leaves_the_console_silent(
    page: Page, messages: list[str], dossiers: str, numero: str
) -> None:
    page.goto(f"{dossiers}/dossiers/{numero}", wait_until="networkidle")
    assert messages == []
    police = "document.fonts.load('16px \"Source Sans 3\"').then(([face]) => face.status)"
    assert page.evaluate(police) == "loaded"


@pytest.mark.parametrize("numero", NUMEROS)
def test_axe_finds_nothing(page: Page, phone: Page, dossiers: str, numero: str) -> None:
    for screen in (page, phone):
        screen.goto(f"{dossiers}/dossiers/{numero}")
        for folded in screen.locator("summary").all():
            folded.click()
        found = Axe().run(screen)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("numero", NUMEROS)
def test_phone_does_not_scroll_while_its_letters_are_on_their_way(
    phone: Page, dossiers: str, numero: str
) -> None:
    phone.route("**/*.woff2", lambda route: route.abort())
    phone.goto(f"{dossiers}/dossiers/{numero}")
    assert phone.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("numero", NUMEROS)
def test_phone_does_not_scroll_sideways(phone: Page, dossiers: str, numero: str) -> None:
    phone.goto(f"{dossiers}/dossiers/{numero}")
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    edges = phone.locator(".dossier table").evaluate_all(
        "tables => tables.map(table => table.getBoundingClientRect().right)"
    )
    assert all(edge <= 390 - 16 for edge in edges)


def test_an_amount_leads_to_the_fact_behind_it_even_folded(page: Page, dossiers: str) -> None:
    page.goto(f"{dossiers}/dossiers/{NUMERO}")
    line = page.get_by_text("512,34\u00a0€ écartés (Dépense non acquittée)")
    expect(line).to_be_hidden()
    page.get_by_role("link", name="512,34\u00a0€", exact=True).click()
    expect(page).to_have_url(re.compile(r"#evenement-\d+$"))
    expect(line).to_be_visible()
    expect(line).to_be_in_viewport()


def test_an_operand_of_the_calculation_leads_to_its_fact(page: Page, dossiers: str) -> None:
    page.goto(f"{dossiers}/dossiers/{NUMERO}")
    page.locator("#calcul").get_by_role("link", name="28\u00a0500,66").first.click()
    expect(page.locator(".faits li:target")).to_contain_text("version 1, validé par valideur-1")
    expect(page.locator(".faits li:target")).to_be_in_viewport()


def test_an_earlier_calculation_opens_by_its_link(page: Page, dossiers: str) -> None:
    page.goto(f"{dossiers}/dossiers/{NUMERO}")
    earlier = page.locator(".calcul-anterieur").last
    expect(earlier.get_by_text("Coût total retenu, brut")).to_be_hidden()
    page.get_by_role("link", name="Voir le calcul").first.click()
    expect(earlier.get_by_text("Coût total retenu, brut")).to_be_visible()


def test_the_summary_and_the_life_line_are_walked_with_the_keyboard(
    page: Page, dossiers: str
) -> None:
    page.goto(f"{dossiers}/dossiers/{NUMERO}")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Maquette, PLIE A")).to_be_focused()
    page.get_by_role("link", name="Paiements (3)").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Paiements et reversements")).to_be_in_viewport()
    page.locator("#histoire summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("pièce P-11)")).to_be_visible()


def test_page_is_whole_without_javascript(browser: Browser, dossiers: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{dossiers}/dossiers/{ABANDON}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Accompagnement vers l’emploi")
    page.get_by_role("link", name="Paiements (1)").click()
    expect(page.get_by_text("dont réclamé et attendu")).to_be_in_viewport()
    context.close()


def test_paper_is_upright_and_nothing_of_the_history_is_folded(page: Page, dossiers: str) -> None:
    page.goto(f"{dossiers}/dossiers/{NUMERO}")
    pdf = page.pdf(prefer_css_page_size=True)
    boxes = set(re.findall(rb"/MediaBox \[0 0 (\d+)[.\d]* (\d+)", pdf))
    assert boxes in ({(b"594", b"841")}, {(b"595", b"841")}), "A4, upright"
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) <= 8
    page.emulate_media(media="print")
    expect(page.get_by_text("pièce P-11)")).to_be_visible()
    expect(page.get_by_role("navigation", name="Sommaire du dossier")).to_be_hidden()


def test_unknown_dossier_leads_back(page: Page, dossiers: str) -> None:
    answer = page.goto(f"{dossiers}/dossiers/inconnu")
    assert answer is not None
    assert answer.status == 404
    page.get_by_role("link", name="Revenir à la maquette").click()
    expect(page).to_have_url(f"{dossiers}/maquette")
