"""The page of the service itself, from the database to the screen."""

from playwright.sync_api import Page, expect
from vie import Vie

from oi_service.application import Service


def test_an_empty_service_says_what_to_do(page: Page, messages: list[str], adresse: str) -> None:
    page.goto(f"{adresse}/")
    expect(page).to_have_url(f"{adresse}/controles")
    page.get_by_role("link", name="Maquette", exact=True).click()
    expect(page).to_have_url(f"{adresse}/maquette")
    expect(page.locator("main")).to_contain_text("subvention globale")
    assert messages == []


def test_a_programming_is_on_the_page_at_the_next_look(
    page: Page, messages: list[str], adresse: str, service: Service
) -> None:
    vie = Vie(service)
    vie.subvention()
    vie.tranche("300000.00", "300000.00")
    vie.enveloppe("A", "100000.00")
    vie.appel()
    vie.depot("un")
    vie.instruction("un")
    line = page.locator(".avancements tbody tr", has_text="PLIE A")
    page.goto(f"{adresse}/maquette")
    expect(line).to_contain_text("0 opération")
    vie.programmation("un")
    page.reload()
    expect(line).to_contain_text("1 opération")
    expect(line).to_contain_text("50\u00a0000\u00a0€")
    last = vie.maquette().position
    expect(page.locator("main")).to_contain_text(f"jusqu’à l’événement n°\u00a0{last}")
    expect(page.locator("body")).not_to_contain_text("Démonstration")
    assert messages == []
