"""The way of an accountant: a template, a workbook with two faults, a lot, and its undoing."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from imports_exemple import A, B, classeur, classeur_de, jouer, unique
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect
from starlette.requests import Request

from api.app import create_app
from api.classeurs import MODELES, lire
from api.droits import Regle
from oi_service.acces.identite import Attribution, Identite
from oi_service.application import Service

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class PortierDuComptable:
    """Lets one accountant in: a browser adds no header of ours to what it downloads."""

    def identifier(self, _request: Request, _regle: Regle) -> Identite:
        """Return who it is."""
        return Identite(
            identifiant="comptable-1",
            nom="comptable-1",
            attributions=(Attribution("comptable_oi"),),
            renforcee=True,
        )


@pytest.fixture(scope="module")
def site(
    service_du_module: Service,
    servir: Callable[[FastAPI], AbstractContextManager[str]],
) -> Iterator[str]:
    service = service_du_module
    jouer(service)
    with servir(create_app(service, PortierDuComptable())) as adresse:
        yield adresse


@pytest.fixture
def ouvrir(browser: Browser, site: str) -> Iterator[Callable[..., BrowserContext]]:
    """Open windows of the accountant."""
    ouvertes: list[BrowserContext] = []

    def nouvelle(largeur: int = 1280, *, javascript: bool = True) -> BrowserContext:
        ouvertes.append(
            browser.new_context(
                base_url=site,
                viewport={"width": largeur, "height": 844},
                java_script_enabled=javascript,
                accept_downloads=True,
            )
        )
        return ouvertes[-1]

    yield nouvelle
    for ouverte in ouvertes:
        ouverte.close()


def fichier(octets: bytes, nom: str = "depenses-T1.xlsx") -> FilePayload:
    return {"name": nom, "mimeType": XLSX, "buffer": octets}


def deposer(page: Page, octets: bytes) -> None:
    page.goto("/depenses/import")
    page.set_input_files("#fichier", [fichier(octets)])
    page.get_by_role("button", name="Voir l’aperçu").click()
    expect(page.get_by_role("heading", name="depenses-T1.xlsx")).to_be_visible()


def test_from_the_template_to_the_lot_and_back(
    ouvrir: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    page = ouvrir().new_page()
    dits: list[str] = []
    page.on("console", lambda message: dits.append(message.text))
    page.goto("/depenses/import")
    page.get_by_label("N° de dossier (facultatif)").first.fill(A)
    with page.expect_download() as venu:
        page.get_by_role("button", name="Télécharger le modèle .xlsx").click()
    venu.value.save_as(tmp_path / "modele.xlsx")
    assert venu.value.suggested_filename == f"modele-depenses-{A}.xlsx"
    modele = lire("modele.xlsx", (tmp_path / "modele.xlsx").read_bytes())
    assert modele.feuille(MODELES["depenses"].feuilles[0].nom) is not None
    un, deux, trois = unique(), unique(), unique()
    deposer(
        page,
        classeur(
            {"N° de pièce": un},
            {"N° de pièce": deux, "Date de la pièce": "31/11/2021"},
            {"N° de pièce": trois, "Montant imputé": "1 200,555"},
        ),
    )
    # What is wrong is what is shown first.
    lignes = page.locator(".table-import tbody tr")
    expect(lignes).to_have_count(2)
    expect(lignes.first).to_contain_text("Ce jour n’existe pas")
    with page.expect_download() as annote:
        page.get_by_role("link", name="Télécharger le fichier annoté").click()
    assert annote.value.suggested_filename == "depenses-T1-annote.xlsx"
    page.get_by_role("button", name="Abandonner").click()
    deposer(page, classeur(*({"N° de pièce": n} for n in (un, deux, trois))))
    importer = page.get_by_role("button", name="Importer les 3 lignes valides")
    total = page.get_by_label("Total de contrôle")
    total.fill("3 613,49")
    expect(page.get_by_role("status").filter(has_text="Écart")).to_have_text(
        "Écart de −0,01 € avec les lignes valides."
    )
    importer.press("Enter")  # It says so, and sends nothing.
    expect(page).to_have_url(re.compile("/imports/"))
    total.fill("3 613,50 €")
    expect(importer).to_have_attribute("aria-disabled", "false")
    importer.click()
    expect(page).to_have_url(re.compile("/lots/"))
    expect(page.get_by_text("Le classeur est importé")).to_be_visible()
    expect(page.locator("main")).to_contain_text(un)
    page.get_by_role("link", name="Annuler le lot").click()
    page.get_by_label("Motif").fill("Mauvais trimestre")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page).to_have_url(re.compile("/lots/"))
    expect(page.locator("main")).to_contain_text("Motif : Mauvais trimestre")
    assert dits == []


def test_a_file_is_dropped_on_its_zone(ouvrir: Callable[..., BrowserContext]) -> None:
    page = ouvrir().new_page()
    page.goto("/depenses/import")
    donnees = page.evaluate_handle(
        """octets => {
            const donnees = new DataTransfer();
            donnees.items.add(new File([new Uint8Array(octets)], "depenses-T1.xlsx"));
            return donnees;
        }""",
        list(classeur({"N° de pièce": unique()})),
    )
    page.dispatch_event("[data-depot]", "drop", {"dataTransfer": donnees})
    expect(page.locator("#fichier")).to_be_focused()
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Voir l’aperçu").press("Enter")
    expect(page.get_by_role("heading", name="depenses-T1.xlsx")).to_be_visible()


def test_without_javascript(ouvrir: Callable[..., BrowserContext]) -> None:
    page = ouvrir(javascript=False).new_page()
    deposer(page, classeur({"N° de pièce": unique()}))
    page.get_by_label("Total de contrôle").fill("1 204,51")
    page.get_by_role("button", name="Importer la ligne valide").click()
    expect(page.get_by_role("alert")).to_contain_text("l’écart est de 0,01")
    assert page.get_by_label("Total de contrôle").input_value() == "1 204,51"
    page.get_by_label("Total de contrôle").fill("1 204,50")
    page.get_by_role("button", name="Importer la ligne valide").click()
    expect(page).to_have_url(re.compile("/lots/"))


def test_by_the_keyboard_alone(ouvrir: Callable[..., BrowserContext]) -> None:
    page = ouvrir().new_page()
    deposer(page, classeur({"N° de pièce": unique()}))
    page.get_by_role("button", name="Abandonner").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Total de contrôle")).to_be_focused()
    page.keyboard.type("1204,5")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/lots/"))


def deposer_ressources(page: Page, dossier: str, financeur: str) -> None:
    ligne = {
        "N° de dossier": dossier,
        "Type de ressource": "publique_epci",
        "Financeur": financeur,
        "Montant perçu": "12 500,50",
    }
    page.goto("/depenses/import?nature=ressources")
    octets = classeur_de("ressources", Ressources=[ligne])
    page.set_input_files("#fichier", [fichier(octets, "ressources.xlsx")])
    page.get_by_role("button", name="Voir l’aperçu").click()
    expect(page.get_by_role("heading", name="ressources.xlsx")).to_be_visible()


@pytest.mark.parametrize(("dossier", "javascript"), [(A, True), (B, False)])
def test_ressources_are_filed_with_their_bilan(
    ouvrir: Callable[..., BrowserContext], dossier: str, *, javascript: bool
) -> None:
    for largeur in (390, 1280):
        page = ouvrir(largeur, javascript=javascript).new_page()
        deposer_ressources(page, dossier, f"EPCI fictif {largeur}")
        expect(page.get_by_role("group", name="Le bilan qui les porte")).to_contain_text(dossier)
        if javascript:
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
        assert page.locator("html").bounding_box()["width"] <= largeur  # type: ignore[index]
    page.get_by_label("Type").select_option("Bilan intermédiaire")
    page.get_by_label("Début").fill("2021-01-01")
    page.get_by_label("Fin").fill("2021-06-30")
    page.get_by_label("Total de contrôle").fill("12 500,50")
    page.get_by_role("button", name="Déposer le bilan avec la ligne valide").click()
    expect(page).to_have_url(re.compile("/lots/"))
    expect(page.get_by_text("le bilan qui porte ses ressources est déposé")).to_be_visible()
    expect(page.locator("main")).to_contain_text("n° 1, intermédiaire, du 01/01/2021 au 30/06/2021")
    expect(page.locator("main")).to_contain_text("EPCI fictif 1280")


@pytest.mark.parametrize("largeur", [1280, 390])
def test_axe_finds_nothing_and_nothing_overflows(
    ouvrir: Callable[..., BrowserContext], largeur: int
) -> None:
    page = ouvrir(largeur).new_page()
    connue = unique()
    deposer(page, classeur({"N° de pièce": connue}))
    page.get_by_label("Total de contrôle").fill("1204,50")
    page.get_by_role("button", name="Importer").click()
    lot = page.url
    deposer(
        page,
        classeur(
            {"N° de pièce": connue},
            {"N° de pièce": unique(), "Montant imputé": "douze"},
            {"N° de pièce": "P" * 200},
        ),
    )
    for adresse in (page.url, f"{page.url}?voir=toutes", lot, "/lots", "/depenses/import"):
        page.goto(adresse)
        for plie in page.locator("summary").all():
            plie.click()
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= largeur
