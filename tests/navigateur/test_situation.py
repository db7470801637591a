"""The two dates of the pages in a real browser: a form without script, a banner, a way back."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from dossier_exemple import NUMERO
from playwright.sync_api import Browser, Page, expect

DATES = "au=2150-12-31&connu_le=30"
ADRESSES = (
    "/maquette",
    f"/maquette?{DATES}",
    "/maquette?au=hier&connu_le=demain",
    "/maquette?connu_le=0",
    f"/dossiers/{NUMERO}?{DATES}",
    f"/dossiers/{NUMERO}?au=hier",
    f"/dossiers/{NUMERO}?connu_le=1",
)


@pytest.mark.parametrize("adresse", ADRESSES)
def test_axe_finds_nothing_and_nothing_overflows(
    page: Page, phone: Page, dossiers: str, adresse: str
) -> None:
    for screen in (page, phone):
        screen.goto(dossiers + adresse)
        found = Axe().run(screen)
        assert found.violations_count == 0, found.generate_report()
    assert phone.evaluate("document.documentElement.scrollWidth") == 390


def test_dates_are_chosen_and_left_without_javascript(browser: Browser, dossiers: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{dossiers}/maquette?tri=fse_paye&ordre=desc")
    page.get_by_label("Situation au").fill("2021-12-31")
    page.get_by_role("button", name="Afficher").click()
    banner = page.get_by_role("region", name="Situation", exact=True)
    expect(banner).to_contain_text("Situation au 31/12/2021, telle que connue aujourd’hui")
    asked = parse_qs(urlsplit(page.url).query)
    assert (asked["au"], asked["tri"], asked["ordre"]) == (["2021-12-31"], ["fse_paye"], ["desc"])
    page.get_by_role("link", name="Euros").click()
    expect(banner).to_be_visible()
    page.get_by_role("link", name="Situation actuelle", exact=True).click()
    expect(page).to_have_url(re.compile("tri=fse_paye"))
    expect(banner).to_have_count(0)
    context.close()


def test_paper_says_the_situation_and_has_no_form(page: Page, dossiers: str) -> None:
    page.goto(f"{dossiers}/dossiers/{NUMERO}?{DATES}")
    page.emulate_media(media="print")
    expect(page.get_by_role("region", name="Situation", exact=True)).to_contain_text(
        "événement n°\u00a030"
    )
    expect(page.get_by_role("button", name="Afficher")).to_be_hidden()
    expect(page.get_by_role("link", name="Revenir à la situation actuelle")).to_be_hidden()
