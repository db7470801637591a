"""Dépenses in a real browser: typed on a keyboard, read without any script, seen by everybody."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from dossier_exemple import ABANDON, NUMERO, service_joue
from fastapi import FastAPI
from fichiers import PDF
from playwright.sync_api import Browser, Page, expect
from portier import PortierDEssai

from api.app import create_app

GRILLE = f"/dossiers/{ABANDON}/depenses/saisie"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
    "0000000b4944415478da6364f80f00010501012718e3660000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def adresse(
    serveur: str, modele: str, servir: Callable[[FastAPI], AbstractContextManager[str]]
) -> Iterator[str]:
    """The service on dossiers of its own, where dépenses are added."""
    with (
        service_joue(serveur, modele) as service,
        servir(create_app(service, PortierDEssai())) as address,
    ):
        yield address


@pytest.fixture
def telephone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


def taper(page: Page, *valeurs: str) -> None:
    """Type a line, Tab after each cell."""
    for valeur in valeurs:
        page.keyboard.type(valeur)
        page.keyboard.press("Tab")


def test_two_lines_are_typed_with_the_keyboard_only(
    page: Page, messages: list[str], adresse: str
) -> None:
    page.goto(f"{adresse}{GRILLE}")
    expect(page.get_by_label("N° pièce, ligne 1", exact=True)).to_be_focused()
    taper(page, "FA-0231", "15/03/2021", "D", "Salaire chargé de mars", "salarie-01", "")
    taper(page, "05/04/2021", "B")
    page.keyboard.type("1 200,55")
    page.keyboard.press("Enter")
    # As in a spreadsheet, back to the column where the line was begun.
    expect(page.get_by_label("N° pièce, ligne 2", exact=True)).to_be_focused()
    page.keyboard.type("FA-0232")
    for _ in range(7):  # Every cell as the one above.
        page.keyboard.press("Tab")
        page.keyboard.press("Control+d")
    page.keyboard.press("Tab")
    page.keyboard.type("99,45")
    expect(page.locator("#total-saisi")).to_have_text("1\u00a0300,00\u00a0€ (2)")
    expect(page.get_by_label("Nature, ligne 2", exact=True)).to_have_value("Salaire chargé de mars")
    page.get_by_role("button", name="Enregistrer tout").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Dépenses")
    expect(page.get_by_role("link", name="FA-0231")).to_be_visible()
    expect(page.get_by_role("link", name="FA-0232")).to_be_visible()
    assert messages == []


def test_cells_of_a_spreadsheet_are_pasted(page: Page, adresse: str) -> None:
    page.goto(f"{adresse}{GRILLE}")
    lignes = [
        f"COLLE-{n}\t0{n}/02/2021\tDépenses directes de personnel\tPaie\tsalarie-{n}\t\t\t\t{n}0,50"
        for n in range(1, 4)
    ]
    page.evaluate(
        """texte => {
            const donnees = new DataTransfer();
            donnees.setData("text", texte);
            const colle = {clipboardData: donnees, bubbles: true, cancelable: true};
            document.activeElement.dispatchEvent(new ClipboardEvent("paste", colle));
        }""",
        "\r\n".join(lignes) + "\r\n",
    )
    expect(page.get_by_label("N° pièce, ligne 3", exact=True)).to_have_value("COLLE-3")
    expect(page.get_by_label("Poste, ligne 2", exact=True)).to_have_value("personnel")
    expect(page.locator("#total-saisi")).to_have_text("61,50\u00a0€ (3)")


def test_lines_are_added_while_one_types(page: Page, adresse: str) -> None:
    page.goto(f"{adresse}{GRILLE}")
    page.get_by_label("Montant imputé, ligne 12", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Montant imputé, ligne 13", exact=True)).to_be_focused()
    assert page.locator("input[name=lignes]").input_value() == "13"


def test_the_grid_is_whole_without_javascript(browser: Browser, adresse: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{adresse}{GRILLE}")
    page.get_by_role("button", name="Ajouter des lignes").click()
    expect(page.get_by_label("N° pièce, ligne 22", exact=True)).to_be_visible()
    page.get_by_label("N° pièce, ligne 1", exact=True).fill("SANS-1")
    page.get_by_label("Date pièce, ligne 1", exact=True).fill("31/11/2021")
    page.get_by_label("Montant imputé, ligne 1", exact=True).fill("10,00")
    page.get_by_role("button", name="Enregistrer tout").click()
    expect(page.get_by_text("Ce jour n’existe pas dans le calendrier").first).to_be_visible()
    page.get_by_label("Date pièce, ligne 1", exact=True).fill("30/11/2021")
    page.get_by_label("Poste, ligne 1", exact=True).select_option("personnel")
    page.get_by_label("Nature, ligne 1", exact=True).fill("Salaire")
    page.get_by_label("Tiers, ligne 1", exact=True).fill("salarie-01")
    page.get_by_role("button", name="Enregistrer tout").click()
    # Nothing says yet that it was paid: a person looks at it, and goes on.
    page.get_by_label("J’ai regardé ces points").check()
    page.get_by_role("button", name="Enregistrer tout").click()
    expect(page.get_by_role("link", name="SANS-1")).to_be_visible()
    context.close()


def test_documents_are_dropped_and_seen_in_place(
    page: Page, messages: list[str], adresse: str, tmp_path: Path
) -> None:
    (tmp_path / "photo.png").write_bytes(PIXEL)
    (tmp_path / "facture.pdf").write_bytes(PDF)
    page.goto(f"{adresse}/depenses?operation={NUMERO}&tri=montant")
    page.locator("tbody th a").first.click()
    champ = page.get_by_label("Joindre des pièces")
    champ.set_input_files([tmp_path / "photo.png", tmp_path / "facture.pdf"])
    page.get_by_role("button", name="Joindre", exact=True).click()
    expect(page.get_by_text("C’est enregistré")).to_be_visible()
    page.locator(".apercu-piece summary", has_text="photo.png").click()
    image = page.get_by_role("img", name="Pièce photo.png")
    expect(image).to_be_visible()
    expect(image).to_have_js_property("naturalWidth", 1)
    page.locator(".apercu-piece summary", has_text="facture.pdf").click()
    expect(page.locator("iframe")).to_have_attribute(
        "src", "/pieces/" + hashlib.sha256(PDF).hexdigest()
    )
    assert messages == []


@pytest.mark.parametrize("chemin", ["/depenses", "/depenses/saisie", GRILLE, "une"])
def test_axe_finds_nothing_and_nothing_scrolls(
    page: Page, telephone: Page, adresse: str, chemin: str
) -> None:
    page.goto(f"{adresse}/depenses?operation={NUMERO}")
    une = page.locator("tbody th a").first.get_attribute("href")
    for screen in (page, telephone):
        screen.goto(f"{adresse}{une if chemin == 'une' else chemin}")
        for folded in screen.locator("summary").all():
            folded.click()
        found = Axe().run(screen)
        assert found.violations_count == 0, found.generate_report()
    assert telephone.evaluate("document.documentElement.scrollWidth") == 390


def test_the_files_of_the_list_are_downloaded(page: Page, adresse: str, tmp_path: Path) -> None:
    page.goto(f"{adresse}/depenses?operation={NUMERO}")
    with page.expect_download() as lu:
        page.get_by_role("link", name="Excel (.xlsx)").click()
    assert lu.value.suggested_filename.startswith(f"depenses-{NUMERO}-")
    assert Path(lu.value.path()).read_bytes().startswith(b"PK")
