"""The way of an auditor, in a real browser: replay, verify, archive, draw and note, by keyboard."""

import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from dossier_exemple import NUMERO, service_joue
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect
from portier import PortierDEssai

from api.app import create_app
from oi_service.application import Service
from oi_service.lieux import Lieux
from oi_service.travaux import Ouvrier

pytestmark = pytest.mark.xdist_group("audit")


@pytest.fixture(scope="module")
def joue(serveur: str, modele: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    lieux = Lieux.sous(tmp_path_factory.mktemp("lieux"))
    with service_joue(serveur, modele, lieux) as service:
        yield service


@pytest.fixture(scope="module")
def audit(joue: Service, servir: Callable[[FastAPI], AbstractContextManager[str]]) -> Iterator[str]:
    """The service, and its worker."""
    with Ouvrier.au_travail(joue), servir(create_app(joue, PortierDEssai())) as address:
        yield address


@pytest.fixture
def auditeur(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        extra_http_headers={"OI-Role": "auditeur"}, viewport={"width": 1280, "height": 900}
    )
    yield context.new_page()
    context.close()


@pytest.fixture
def entendus(auditeur: Page) -> list[str]:
    heard: list[str] = []
    auditeur.on("console", lambda message: heard.append(message.text))
    auditeur.on("pageerror", lambda error: heard.append(str(error)))
    auditeur.on(
        "requestfailed",
        # What a page was still asking for when it was left is nobody's fault.
        lambda request: (
            None if "ERR_ABORTED" in str(request.failure) else heard.append(request.url)
        ),
    )
    return heard


def sans_defaut(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def etroite(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    sans_defaut(page)
    page.set_viewport_size({"width": 1280, "height": 900})


def test_a_dossier_is_replayed_then_the_fact_behind_an_amount_is_reached(
    auditeur: Page, entendus: list[str], audit: str, joue: Service
) -> None:
    page = auditeur
    page.goto(f"{audit}/audit")
    sans_defaut(page)
    etroite(page)
    page.get_by_label("Numéro du dossier").fill(NUMERO)
    page.keyboard.press("Tab")
    page.get_by_label("Telle que connue le").focus()
    page.get_by_role("button", name="Rejouer").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Choisissez une date ci-dessus")).to_be_visible()
    with joue.reads.connection() as conn:
        row = conn.execute(
            "SELECT min(position) FROM oi.event WHERE name = 'convention.notifiee.v1'"
        ).fetchone()
    assert row is not None
    page.goto(f"{audit}/audit/rejeu?dossier={NUMERO}&connu_le={row[0]}")
    sans_defaut(page)
    etroite(page)
    montant = page.get_by_role("row", name=re.compile("FSE payé"))
    montant.get_by_role("link", name=re.compile("^n°")).first.click()
    expect(page).to_have_url(re.compile(r"#fait-\d+$"))
    expect(page.locator(".faits li:target")).to_be_in_viewport()
    page.locator(".faits li:target").get_by_role("link").click()
    expect(page.get_by_text("celui qui est gardé")).to_be_visible()
    sans_defaut(page)
    etroite(page)
    assert entendus == []


def test_a_verification_goes_on_by_itself_and_outlives_its_page(
    auditeur: Page, entendus: list[str], audit: str
) -> None:
    page = auditeur
    page.goto(f"{audit}/audit/verification")
    sans_defaut(page)
    page.get_by_role("button", name="Vérifier maintenant").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/travaux/[0-9a-f-]+$"))
    adresse = page.url
    page.goto("about:blank")
    page.goto(adresse)
    # Without a reload: the page asks for itself every two seconds.
    expect(page.get_by_text("Tout est intact")).to_be_visible(timeout=30_000)
    sans_defaut(page)
    etroite(page)
    page.goto(f"{audit}/travaux")
    expect(page.get_by_role("link", name="Vérification du journal").first).to_be_visible()
    sans_defaut(page)
    etroite(page)
    assert entendus == []


def test_an_archive_is_prepared_and_taken(
    auditeur: Page, entendus: list[str], audit: str, tmp_path: Path
) -> None:
    page = auditeur
    page.goto(f"{audit}/audit/archives")
    sans_defaut(page)
    etroite(page)
    expect(page.locator(".pour-plie")).to_be_hidden()
    page.get_by_label("Un PLIE").check()
    expect(page.locator(".pour-dossier")).to_be_hidden()
    page.get_by_label("Un dossier", exact=True).check()
    page.get_by_label("Numéro du dossier").fill(NUMERO)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/travaux/[0-9a-f-]+$"))
    lien = page.get_by_role("link", name=re.compile("Télécharger archive-dossier"))
    expect(lien).to_be_visible(timeout=30_000)
    sans_defaut(page)
    # A download goes without the headers that say here who asks: asked beside, with them.
    recu = page.context.request.get(f"{audit}{lien.get_attribute('href')}")
    (tmp_path / "archive.zip").write_bytes(recu.body())
    assert "verifier.py" in zipfile.ZipFile(tmp_path / "archive.zip").namelist()[1]
    page.goto(f"{audit}/audit/verification")
    expect(page.get_by_text("Fichier présent et conforme").first).to_be_visible()
    assert entendus == []


def test_a_sample_is_drawn_and_its_findings_are_typed_by_keyboard(
    auditeur: Page, entendus: list[str], audit: str
) -> None:
    page = auditeur
    page.goto(f"{audit}/audit/dossiers")
    page.get_by_role("link", name=re.compile("Ouvrir un dossier sur")).click()
    for champ, valeur in (
        ("mission", "Audit d’opérations 2022"),
        ("organisme", "Autorité d’audit"),
        ("reference", "AUD-2022-07"),
        ("perimetre", "Dépenses de 2021"),
    ):
        page.locator(f"[name={champ}]").fill(valeur)
    sans_defaut(page)
    _envoyer(page)
    page.get_by_role("link", name="AUD-2022-07").click()
    sans_defaut(page)
    etroite(page)
    page.get_by_role("link", name="Figer une population").first.click()
    sans_defaut(page)
    _envoyer(page)
    page.get_by_role("link", name="Tirer un échantillon").first.click()
    page.locator("[name=methode]").select_option("simple")
    page.locator("[name=taille]").fill("3")
    _envoyer(page)
    page.get_by_role("link", name=re.compile("Tirage n° 1")).click()
    sans_defaut(page)
    etroite(page)
    # The grid, with the keyboard only: amounts down a column, then save.
    erreurs = page.locator(".saisie-erreur")
    assert erreurs.count() == 3
    erreurs.nth(0).focus()
    page.keyboard.type("0")
    page.keyboard.press("Enter")
    expect(erreurs.nth(1)).to_be_focused()
    page.keyboard.type("1,50")
    page.keyboard.press("ArrowUp")
    expect(erreurs.nth(0)).to_be_focused()
    expect(page.locator("#grille-saisie")).to_have_text("2 lignes saisies, à enregistrer")
    page.keyboard.press("Control+Enter")
    # Refused: an error says where it comes from; nothing of what was typed is lost.
    resume = page.get_by_role("alert")
    expect(resume).to_contain_text("d’où vient cette erreur")
    expect(resume).to_be_focused()
    sans_defaut(page)
    erreurs = page.locator(".saisie-erreur")
    expect(erreurs.nth(1)).to_have_value("1,50")
    erreurs.nth(1).focus()
    page.keyboard.press("Tab")
    page.keyboard.type("Taux horaire mal calculé")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("notées sur 3")).to_contain_text("2")
    expect(page.get_by_role("cell", name=re.compile("^Sans anomalie"))).to_be_visible()
    page.locator(".saisie-erreur").fill("0")
    page.get_by_role("button", name="Enregistrer les constats").click()
    page.get_by_role("link", name="Arrêter le résultat").click()
    _envoyer(page)
    expect(page.get_by_text("Erreur projetée sur la population")).to_be_visible()
    sans_defaut(page)
    # A refusal is an answer that the console tells of.
    assert [dit for dit in entendus if "422" not in dit] == []


def _envoyer(page: Page) -> None:
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_load_state()


def test_lists_and_journal_have_no_defect(auditeur: Page, entendus: list[str], audit: str) -> None:
    page = auditeur
    for chemin in (
        "/audit/rejeu",
        f"/audit/histoire?dossier={NUMERO}",
        "/audit/journal",
        "/audit/controles",
        "/audit/dossiers",
    ):
        page.goto(f"{audit}{chemin}", wait_until="networkidle")
        sans_defaut(page)
        etroite(page)
    assert entendus == []


def test_everything_is_read_without_javascript(browser: Browser, audit: str) -> None:
    context = browser.new_context(
        java_script_enabled=False, extra_http_headers={"OI-Role": "auditeur"}
    )
    page = context.new_page()
    page.goto(f"{audit}/audit")
    page.get_by_label("Numéro du dossier").fill(NUMERO)
    page.get_by_label("Situation au").fill("2021-12-31")
    page.get_by_role("button", name="Rejouer").click()
    expect(page.get_by_role("heading", name="État rejoué et état d’aujourd’hui")).to_be_visible()
    page.goto(f"{audit}/audit/journal")
    page.get_by_label("Acteur").fill("valideur-1")
    page.get_by_role("button", name="Filtrer").click()
    expect(page.get_by_role("row")).not_to_have_count(1)
    page.goto(f"{audit}/audit/verification")
    page.get_by_role("button", name="Rejouer et comparer").click()
    for _ in range(30):
        if page.get_by_text("exactement ce que le journal donne").is_visible():
            break
        page.wait_for_timeout(300)
        actualiser = page.get_by_role("link", name="Actualiser")
        if actualiser.is_visible():
            actualiser.click()
    expect(page.get_by_text("exactement ce que le journal donne")).to_be_visible()
    context.close()


def test_a_replay_fits_on_paper_upright(auditeur: Page, audit: str) -> None:
    auditeur.goto(f"{audit}/audit/rejeu?dossier={NUMERO}&connu_le=20")
    pdf = auditeur.pdf(prefer_css_page_size=True)
    boxes = set(re.findall(rb"/MediaBox \[0 0 (\d+)[.\d]* (\d+)", pdf))
    assert boxes in ({(b"594", b"841")}, {(b"595", b"841")}), "A4, upright"
    auditeur.emulate_media(media="print")
    expect(auditeur.get_by_role("navigation", name="Pages de l’audit")).to_be_hidden()
