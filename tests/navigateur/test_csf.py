"""The control of a bilan in a real browser, from its opening to its validation by two persons."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from portier import PortierDEssai
from vie import Vie

from api.app import create_app
from oi_service.application import Service

NB_LIGNES = 5


@dataclass
class Site:
    """A service with bilans to control, and how one comes in as somebody."""

    adresse: str
    vie: Vie
    browser: Browser

    def entrer(self, role: str, **reglages: object) -> BrowserContext:
        """Open a browser of somebody: who controls, or who validates."""
        return self.browser.new_context(
            base_url=self.adresse,
            extra_http_headers={"OI-Role": f"{role}_oi", "OI-Acteur": f"{role}-1"},
            **reglages,  # type: ignore[arg-type]
        )

    def bilan(self, nom: str) -> None:
        """File a bilan of a few dépenses, one of them paid too late."""
        self.vie.jusqu_au_demarrage(nom)
        self.vie.bilan(
            nom,
            [
                {"piece_ref": f"{nom}-{rang}", "montant_impute": "1000.00"}
                | ({"date_acquittement": "2023-06-01"} if rang == 1 else {})
                for rang in range(NB_LIGNES)
            ],
        )

    def controle(self, nom: str) -> str:
        """Return the page of the control of a bilan."""
        [bilan] = self.vie.convention(nom).bilans.values()
        assert bilan.csf is not None
        return f"/dossiers/{nom}/csf/{bilan.csf.csf_id}"


@pytest.fixture(scope="module")
def site(
    service_du_module: Service,
    browser: Browser,
    servir: Callable[[FastAPI], AbstractContextManager[str]],
) -> Iterator[Site]:
    service = service_du_module
    vie = Vie(service)
    vie.subvention(fse_total="9000000.00")
    vie.tranche("3000000.00", "3000000.00")
    vie.enveloppe("A", "2000000.00")
    vie.appel()
    with servir(create_app(service, PortierDEssai())) as adresse:
        yield Site(adresse, vie, browser)


def suivre(page: Page, lien: str) -> None:
    """Reach a link with the keyboard: the focus goes to it, Enter follows it."""
    page.get_by_role("link", name=lien).first.focus()
    page.keyboard.press("Enter")


def envoyer(page: Page) -> None:
    """Send the form of an act with the keyboard."""
    page.get_by_role("button", name="Enregistrer", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".fait")).to_contain_text("C’est enregistré")


def test_a_bilan_is_controlled_and_validated_with_the_keyboard_only(site: Site) -> None:
    site.bilan("K1")
    with site.entrer("gestionnaire") as context:
        page = context.new_page()
        dites: list[str] = []
        page.on("console", lambda message: dites.append(message.text))
        page.on("pageerror", lambda error: dites.append(str(error)))
        page.goto("/controles")
        suivre(page, "Juger recevable")
        envoyer(page)
        suivre(page, "Ouvrir le contrôle")
        envoyer(page)
        # Whoever opened it is there.
        page.wait_for_load_state("networkidle")
        titre = page.locator("#csf-titre-ligne")
        expect(titre).to_contain_text("K1-0")
        page.keyboard.press("r")
        expect(page.get_by_label("Retenir en entier")).to_be_checked()
        page.keyboard.press("Enter")
        expect(titre).to_contain_text("K1-1")
        expect(titre).to_be_focused()
        expect(page.locator("#csf-totaux")).to_contain_text("4 lignes")
        expect(page.locator(".csf-ligne", has_text="K1-0")).to_contain_text("Retenue")
        page.keyboard.press("e")
        expect(page.get_by_label("Motif")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator(".csf-ligne", has_text="K1-1")).to_contain_text("Écartée")
        expect(page.locator("#csf-totaux")).to_contain_text("Écarté1\u00a0000,00\u00a0€")
        page.keyboard.press("ArrowUp")
        expect(titre).to_contain_text("K1-1")
        expect(page).to_have_url(re.compile(r"ligne="))
        page.keyboard.press("ArrowDown")
        expect(titre).to_contain_text("K1-2")
        for _ in range(NB_LIGNES - 2):
            dite = titre.inner_text()
            page.keyboard.press("r")
            page.keyboard.press("Enter")
            expect(page.locator(".csf-fait")).to_contain_text(dite.split()[0])
        expect(page.locator("#csf-totaux")).to_contain_text("0 ligne")
        assert dites == []
        conclure_le_contradictoire(page)
        page.goto(f"{site.controle('K1')}?onglet=conclusion")
        expect(page.get_by_role("button", name="Valider le contrôle")).to_be_disabled()
        suivre(page, "Proposer à la validation")
        envoyer(page)
    with site.entrer("valideur") as context:
        page = context.new_page()
        page.goto("/controles")
        expect(page.locator("#miens")).to_contain_text("K1 · n° 1")
        suivre(page, "K1 · n° 1")
        expect(page.locator(".csf-ligne")).to_have_count(1)
        expect(page.locator(".csf-ligne")).to_contain_text("K1-1")
        suivre(page, "Conclusion")
        suivre(page, "Valider le contrôle")
        envoyer(page)
        expect(page.locator(".csf-titre")).to_contain_text("Validé")
    assert site.vie.convention("K1").fse_du > 0


def conclure_le_contradictoire(page: Page) -> None:
    for acte in (
        "Notifier les conclusions",
        "Enregistrer la réponse",
        "Notifier les conclusions finales",
    ):
        page.goto(page.url.partition("?")[0] + "?onglet=contradictoire")
        suivre(page, acte)
        envoyer(page)


def test_shortcuts_rest_in_a_field_and_can_be_turned_off(site: Site) -> None:
    site.bilan("K2")
    site.vie.ouverture_controle("K2")
    with site.entrer("gestionnaire") as context:
        page = context.new_page()
        page.goto(site.controle("K2"))
        page.get_by_label("Commentaire").focus()
        page.keyboard.type("er?")
        expect(page.get_by_label("Commentaire")).to_have_value("er?")
        expect(page.get_by_label("Retenir en entier")).not_to_be_checked()
        page.locator("#csf-titre-ligne").focus()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.get_by_label("Raccourcis actifs").focus()
        page.keyboard.press("Space")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        page.reload()
        page.locator("#csf-titre-ligne").focus()
        page.keyboard.press("r")
        expect(page.get_by_label("Retenir en entier")).not_to_be_checked()


def test_a_key_typed_before_the_line_came_is_for_that_line(site: Site) -> None:
    site.bilan("K6")
    site.vie.ouverture_controle("K6")
    with site.entrer("gestionnaire") as context:
        page = context.new_page()
        page.goto(site.controle("K6"))
        page.wait_for_load_state("networkidle")
        retenues: list[Route] = []

        def retenir(route: Route) -> None:
            retenues.append(route)

        page.route("**/csf/**", retenir)
        with page.expect_request("**/csf/**"):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("r")
        # Nothing is decided of the line that is still shown.
        expect(page.get_by_label("Retenir en entier")).not_to_be_checked()
        for route in retenues:
            route.continue_()
        expect(page.locator("#csf-titre-ligne")).to_contain_text("K6-1")
        expect(page.get_by_label("Retenir en entier")).to_be_checked()
        expect(page.locator("#csf-enregistrer")).to_be_focused()


def test_a_refusal_comes_in_place_and_takes_the_focus(site: Site) -> None:
    site.bilan("K3")
    site.vie.ouverture_controle("K3")
    with site.entrer("gestionnaire") as context:
        page = context.new_page()
        page.goto(site.controle("K3"))
        page.keyboard.press("e")
        page.get_by_label("Montant écarté").fill("9999")
        page.get_by_label("Motif").select_option("PIECE_ABSENTE")
        page.keyboard.press("Enter")
        expect(page.locator(".resume")).to_contain_text("ne peuvent pas être écartés")
        expect(page.locator(".resume")).to_be_focused()
        expect(page.get_by_label("Montant écarté")).to_have_value("9999")
        expect(page.locator("#annonces")).to_be_empty()


def test_a_control_is_made_without_javascript(site: Site) -> None:
    site.bilan("K4")
    site.vie.ouverture_controle("K4")
    with site.entrer("gestionnaire", java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(site.controle("K4"))
        page.get_by_label("Retenir en entier").check()
        page.get_by_role("button", name="Enregistrer").click()
        expect(page.locator(".csf-fait")).to_have_text("K4-0 : retenue.".replace(" :", "\u00a0:"))
        page.get_by_label("Écarter tout ou partie").check()
        page.get_by_label("Montant écarté").fill("12,50")
        page.get_by_label("Motif").select_option("PIECE_ABSENTE")
        page.get_by_role("button", name="Enregistrer").click()
        expect(page.locator(".csf-ligne", has_text="K4-1")).to_contain_text("Écartée en partie")
        page.get_by_role("link", name="Retenir ensemble les lignes sans anomalie").click()
        page.get_by_role("button", name=re.compile("Retenir les 3 lignes")).click()
        expect(page.locator("#csf-totaux")).to_contain_text("0 ligne")
        page.get_by_role("link", name="Grille", exact=True).click()
        page.get_by_label("Conforme", exact=True).first.check()
        page.get_by_role("button", name="Enregistrer la grille").click()
        expect(page.locator(".fait")).to_contain_text("C’est enregistré")


@pytest.mark.parametrize("largeur", [1280, 390])
def test_axe_finds_nothing_and_no_page_is_wider_than_the_screen(site: Site, largeur: int) -> None:
    if "K5" not in {nom for nom, _ in site.vie._pieces}:
        site.bilan("K5")
        site.vie.ouverture_controle("K5")
    controle = site.controle("K5")
    onglets = ("ressources", "echantillon", "grille", "contradictoire", "calcul", "conclusion")
    pages = (
        "/controles",
        controle,
        *(f"{controle}?onglet={o}" for o in onglets),
        f"{controle}?confirmer=sans-anomalie",
        f"{controle}/rapport",
        f"{controle[:-4]}0000",
    )
    for role in ("gestionnaire", "valideur"):
        with site.entrer(role, viewport={"width": largeur, "height": 844}) as context:
            page = context.new_page()
            for adresse in pages:
                page.goto(adresse)
                for folded in page.locator("summary").all():
                    folded.click()
                found = Axe().run(page)
                assert found.violations_count == 0, f"{adresse}\n{found.generate_report()}"
                assert page.evaluate("document.documentElement.scrollWidth") == largeur, adresse
