"""The page of the maquette in a real browser, under the strict CSP."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

ADDRESSES = (
    "/maquette",
    "/maquette?unite=euros&tri=fse_paye&ordre=desc",
    "/maquette?plie=deux-rives",
)


def _lines(page: Page) -> list[str]:
    return page.locator(".avancements tbody:not(.hors-plie) th a").all_inner_texts()


@pytest.mark.parametrize("address", ADDRESSES)
def test_strict_csp_leaves_the_console_silent(
    page: Page, messages: list[str], address: str
) -> None:
    page.goto(address, wait_until="networkidle")
    assert messages == []
    police = "document.fonts.load('16px \"Source Sans 3\"').then(([face]) => face.status)"
    assert page.evaluate(police) == "loaded"


def test_header_sorts_and_says_so(page: Page) -> None:
    paye = page.locator(".avancements").get_by_role("columnheader", name="Payé")
    page.goto("/maquette")
    paye.get_by_role("link").click()
    expect(page).to_have_url(re.compile("tri=fse_paye&ordre=desc"))
    expect(paye).to_have_attribute("aria-sort", "descending")
    largest_first = _lines(page)
    assert largest_first[0] == "PLIE Métropole Est"
    paye.get_by_role("link").click()
    expect(paye).to_have_attribute("aria-sort", "ascending")
    assert _lines(page) == largest_first[::-1]


def test_scale_toggle_keeps_the_sort(page: Page) -> None:
    page.goto("/maquette?tri=fse_maquette&ordre=desc")
    page.get_by_role("link", name="Euros").click()
    expect(page.get_by_role("link", name="Euros")).to_have_attribute("aria-current", "true")
    expect(page.locator("[aria-sort]")).to_contain_text("Enveloppe")


def test_plie_opens_its_detail(page: Page) -> None:
    page.goto("/maquette")
    page.get_by_role("link", name="PLIE des Deux-Rives").last.click()
    expect(page.get_by_role("heading", name="Détail par objectif")).to_contain_text("Deux-Rives")
    expect(page.locator("#detail")).to_be_in_viewport()


def test_keyboard_starts_with_the_skip_link(page: Page) -> None:
    page.goto("/maquette")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
    expect(page.get_by_role("link", name="Aller au contenu")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_phone_does_not_scroll_sideways(phone: Page) -> None:
    for address in ADDRESSES:
        phone.goto(address)
        assert phone.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("address", ADDRESSES)
def test_axe_finds_nothing(page: Page, phone: Page, address: str) -> None:
    for screen in (page, phone):
        screen.goto(address)
        screen.get_by_text("Ce que chaque montant veut dire").click()
        found = Axe().run(screen)
        assert found.violations_count == 0, found.generate_report()


def test_page_is_whole_without_javascript(browser: Browser, base_url: str) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=base_url)
    page = context.new_page()
    page.goto("/maquette")
    expect(page.locator(".avancements svg.barre")).to_have_count(8)
    page.get_by_role("link", name="Euros").click()
    expect(page.get_by_role("link", name="Euros")).to_have_attribute("aria-current", "true")
    page.get_by_text("Ce que chaque montant veut dire").click()
    expect(page.get_by_text("nette des retraits")).to_be_visible()
    context.close()


def test_paper_takes_two_pages(page: Page) -> None:
    page.goto("/maquette")
    pdf = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) == 2
    assert b"/MediaBox [0 0 841.9" in pdf.replace(b"841.91", b"841.9"), "A4, landscape"
