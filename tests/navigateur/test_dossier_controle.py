"""The controls of an operation, on the page of its dossier."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from oi_service.application import Service
from oi_service.demo.vie import jouer


def test_a_dossier_that_was_controlled_fits_a_phone(
    phone: Page, adresse: str, service: Service
) -> None:
    jouer(service, progres=lambda *_: None)
    phone.goto(f"{adresse}/dossiers/F20210046")
    expect(phone.get_by_role("heading", name="Contrôles d’opération")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    found = Axe().run(phone)
    assert found.violations_count == 0, found.generate_report()
