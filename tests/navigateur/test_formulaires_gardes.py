"""A session that ends while somebody types, in a real browser: nothing typed is lost."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from fichiers import PDF
from playwright.sync_api import Browser, Page, expect
from vie import Vie

from api.app import create_app
from oi_service.application import Service
from oi_service.comptes import ouvrir_comptes_de_demonstration

SANS_ET_AVEC = pytest.mark.parametrize("script", [False, True], ids=["sans", "avec"])


@dataclass
class Site:
    """A service with a control to make, and accounts."""

    adresse: str
    mot_de_passe: str
    service: Service
    vie: Vie

    def controle(self, nom: str) -> str:
        """Play a bilan of three dépenses up to its control; return the page of it."""
        self.vie.jusqu_au_demarrage(nom)
        self.vie.bilan(
            nom, [{"piece_ref": f"{nom}-{r}", "montant_impute": "1000.00"} for r in range(3)]
        )
        self.vie.ouverture_controle(nom)
        [bilan] = self.vie.convention(nom).bilans.values()
        assert bilan.csf is not None
        return f"/dossiers/{nom}/csf/{bilan.csf.csf_id}"

    def finir(self) -> None:
        """End every session, as half an hour without doing anything does."""
        with self.service.journal.pool.connection() as conn:
            conn.execute("UPDATE acces.session SET vue_le = vue_le - interval '31 minutes'")

    def entrer(self, page: Page, qui: str = "gestionnaire-1") -> None:
        """Sign in where the page stands."""
        page.get_by_label("Courriel").fill(f"{qui}@demo.example")
        page.get_by_label("Mot de passe").fill(self.mot_de_passe)
        page.get_by_role("button", name="Se connecter").click()
        expect(page.get_by_role("button", name="Se déconnecter")).to_be_visible()


@pytest.fixture(scope="module")
def site(
    service_du_module: Service,
    servir: Callable[[FastAPI], AbstractContextManager[str]],
) -> Iterator[Site]:
    service = service_du_module
    vie = Vie(service)
    vie.subvention(fse_total="9000000.00")
    vie.tranche("3000000.00", "3000000.00")
    vie.enveloppe("A", "2000000.00")
    vie.appel()
    mot_de_passe = ouvrir_comptes_de_demonstration(service).mot_de_passe
    with servir(create_app(service)) as adresse:
        yield Site(adresse, mot_de_passe, service, vie)


@contextmanager
def ouverte(browser: Browser, site: Site, *, script: bool = True) -> Iterator[Page]:
    """Lend a page of somebody who is signed in."""
    context = browser.new_context(
        base_url=site.adresse, java_script_enabled=script, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto("/connexion")
    site.entrer(page)
    yield page
    context.close()


def revenir(site: Site, page: Page, qui: str = "gestionnaire-1") -> None:
    """Sign in by the link of the page, in the tab that it opens."""
    with page.context.expect_page() as neuve:
        page.get_by_role("link", name=re.compile("dans un autre onglet")).click()
    site.entrer(neuve.value, qui)
    neuve.value.close()


def arrivee(page: Page, titre: str) -> None:
    """Expect a whole page, and no part of another one."""
    expect(page.get_by_role("heading", level=1)).to_have_text(titre)
    expect(page.locator("main")).to_have_count(1)


@SANS_ET_AVEC
def test_an_act_is_sent_again_with_its_document(
    browser: Browser, site: Site, tmp_path: Path, *, script: bool
) -> None:
    nom = f"A{script:d}"
    site.vie.depot(nom)
    piece = tmp_path / "Courrier n° 12.pdf"
    piece.write_bytes(PDF)
    with ouverte(browser, site, script=script) as page:
        page.goto(f"/actes/demander_complement/{site.vie.id(nom)}?retour=/dossiers/{nom}")
        page.get_by_label("Pièces attendues").fill("RIB\nStatuts « à jour »")
        page.locator("[name=echeance]").fill("2030-01-31")
        page.get_by_label("Joindre des fichiers").set_input_files(piece)
        site.finir()
        page.get_by_role("button", name="Enregistrer", exact=True).last.click()
        arrivee(page, "Votre session est terminée")
        expect(page.get_by_role("alert")).to_be_focused()
        expect(page.locator("form#renvoi")).to_contain_text("Courrier n° 12.pdf")
        revenir(site, page)
        page.get_by_label("Fichier à joindre de nouveau").set_input_files(piece)
        page.get_by_role("button", name="Renvoyer").click()
        expect(page.locator(".fait")).to_contain_text("C’est enregistré")
        expect(page).to_have_url(re.compile(f"/dossiers/{nom}"))
        expect(page.locator("body")).to_contain_text("Statuts « à jour »")


@SANS_ET_AVEC
def test_a_line_of_a_control_is_sent_again(browser: Browser, site: Site, *, script: bool) -> None:
    nom = f"C{script:d}"
    controle = site.controle(nom)
    with ouverte(browser, site, script=script) as page:
        page.goto(controle)
        page.get_by_label("Écarter tout ou partie").check()
        page.get_by_label("Montant écarté").fill("12,50")
        page.get_by_label("Motif").select_option("PIECE_ABSENTE")
        page.get_by_label("Commentaire").fill("Vu avec <b>l’agent</b>\nle 3")
        site.finir()
        page.get_by_role("button", name="Enregistrer").click()
        arrivee(page, "Votre session est terminée")
        expect(page).to_have_url(re.compile("/lignes$"))
        revenir(site, page)
        page.get_by_role("button", name="Renvoyer").click()
        expect(page.locator(".csf-ligne", has_text=f"{nom}-0")).to_contain_text("Écartée en partie")
        expect(page.locator("#csf-totaux")).to_contain_text("12,50")


def test_a_part_that_cannot_be_fetched_leaves_what_is_typed(browser: Browser, site: Site) -> None:
    controle = site.controle("P1")
    with ouverte(browser, site) as page:
        page.goto(controle)
        page.get_by_label("Commentaire").fill("à garder")
        site.finir()
        page.locator(".csf-ligne > a", has_text="P1-1").click()
        annonce = page.locator("#annonces")
        expect(annonce).to_contain_text("Ce que vous avez écrit est encore là")
        expect(page.get_by_label("Commentaire")).to_have_value("à garder")
        expect(page.locator("#csf-titre-ligne")).to_contain_text("P1-0")
        assert "ligne=" not in page.url
        assert Axe().run(page).violations_count == 0
        revenir(site, page)
        page.locator(".csf-ligne > a", has_text="P1-1").click()
        expect(page.locator("#csf-titre-ligne")).to_contain_text("P1-1")
        expect(annonce).to_be_empty()


def test_somebody_else_does_not_send_it(browser: Browser, site: Site) -> None:
    controle = site.controle("S1")
    with ouverte(browser, site) as page:
        page.goto(f"{controle}?onglet=grille")
        page.get_by_label("Conforme", exact=True).first.check()
        site.finir()
        page.get_by_role("button", name="Enregistrer la grille").click()
        arrivee(page, "Votre session est terminée")
        revenir(site, page, "auditeur-1")
        page.get_by_role("button", name="Renvoyer").click()
        arrivee(page, "Un autre compte est ouvert")
        assert site.vie.convention("S1").bilans
        with page.context.expect_page() as neuve:
            page.get_by_role("button", name="Se déconnecter dans un autre onglet").click()
        site.entrer(neuve.value)
        page.get_by_role("button", name="Renvoyer").click()
        expect(page.locator(".fait")).to_contain_text("C’est enregistré")


@pytest.mark.parametrize("largeur", [1280, 390])
def test_axe_finds_nothing(browser: Browser, site: Site, largeur: int) -> None:
    nom = f"L{largeur}"
    controle = site.controle(nom)
    with ouverte(browser, site) as page:
        page.set_viewport_size({"width": largeur, "height": 844})
        page.goto(f"{controle}?onglet=grille")
        page.get_by_label("Conforme", exact=True).first.check()
        site.finir()
        page.get_by_role("button", name="Enregistrer la grille").click()
        arrivee(page, "Votre session est terminée")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") == largeur
