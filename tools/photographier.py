# ruff: noqa: INP001, S603, T201 - a command of the checkout, never imported, that tells what it does
"""Take the pictures of the guides again, from the real pages of the demonstration.

Run: ``uv run python tools/photographier.py``. Needs Chromium. With ``--toutes DOSSIER``, takes
instead every page that a reader may open, on screen, on a phone and on paper, to be looked at.
"""

import argparse
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import MagicMock

import pyotp
from fastapi.routing import iter_route_contexts
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from api.app import create_app

RACINE = Path(__file__).resolve().parent.parent
IMAGES = RACINE / "docs" / "guide" / "images"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ECRAN, TELEPHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
PORT = 8790


@dataclass(frozen=True)
class Photo:
    """A picture of a guide: who looks, where, at which part of the page (the top of it else)."""

    nom: str
    qui: str
    adresse: str
    cadre: str | None = None


PHOTOS = (
    Photo("comptable-depenses", "comptable-1", "/depenses"),
    Photo("comptable-saisie", "comptable-1", "/dossiers/F20220001/depenses/saisie"),
    Photo("comptable-import", "comptable-1", "/depenses/import"),
    Photo("comptable-paiements", "comptable-1", "/paiements"),
    Photo("direction-plie", "directeur-agenais", "/plie/agenais"),
    Photo("direction-maquette", "directeur-agenais", "/maquette"),
    Photo("auditeur-audit", "auditeur-1", "/audit"),
    Photo("auditeur-dossier", "auditeur-1", "/dossiers/F20210001"),
    Photo("gestionnaire-controles", "gestionnaire-1", "/controles"),
)


@contextlib.contextmanager
def demonstration() -> Iterator[tuple[str, str]]:
    """Serve a new demonstration; return its address and the password of its accounts."""
    with tempfile.TemporaryDirectory(prefix="oi-photos-") as dossier:
        # The server of the database runs under another account when we are root.
        Path(dossier).chmod(0o755)
        commande = (sys.executable, "-u", "-c", "from oi_service.cli import main; main()")
        joue = subprocess.Popen(
            [*commande, "demo", "--port", str(PORT)],
            env={**os.environ, "OI_DATA_DIR": dossier, "COLUMNS": "400"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield f"http://127.0.0.1:{PORT}", _mot_de_passe(joue)
        finally:
            joue.send_signal(signal.SIGINT)
            joue.wait(timeout=60)


def _attendre() -> None:
    """Wait until the service listens: it says its address a little before."""
    for _ in range(60):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", PORT), 1):
            return
        time.sleep(1)


def _mot_de_passe(joue: "subprocess.Popen[str]") -> str:
    assert joue.stdout is not None
    mot_de_passe = ""
    for ligne in joue.stdout:
        if dit := re.search(r"mot de passe ([A-Z0-9-]{20,})", ligne):
            mot_de_passe = dit[1]
        if "Ctrl-C" in ligne and mot_de_passe:
            _attendre()
            return mot_de_passe
    raise RuntimeError("the demonstration did not start")


@dataclass
class Visite:
    """People of the demonstration, signed in once each."""

    navigateur: Browser
    adresse: str
    mot_de_passe: str
    entres: dict[str, BrowserContext]

    def page(self, qui: str, ecran: dict[str, int]) -> Page:
        """Lend a page to somebody."""
        if qui not in self.entres:
            self.entres[qui] = self._entrer(qui)
        contexte = self.navigateur.new_context(
            viewport=ecran,  # type: ignore[arg-type]
            locale="fr-FR",
            base_url=self.adresse,
            storage_state=self.entres[qui].storage_state(),
        )
        return contexte.new_page()

    def _entrer(self, qui: str) -> BrowserContext:
        contexte = self.navigateur.new_context(base_url=self.adresse, locale="fr-FR")
        page = contexte.new_page()
        page.goto("/connexion")
        page.get_by_label("Courriel").fill(f"{qui}@demo.example")
        page.get_by_label("Mot de passe").fill(self.mot_de_passe)
        page.get_by_role("button", name="Se connecter").click()
        page.get_by_role("button", name="Se déconnecter").wait_for()
        if page.get_by_role("button", name="Commencer").count():
            page.get_by_role("button", name="Commencer").click()
            secret = page.locator("code.secret").inner_text()
            page.get_by_label("Code à six chiffres").fill(pyotp.TOTP(secret).now())
            page.get_by_role("button", name="Confirmer").click()
            page.locator(".codes li").first.wait_for()
        return contexte


def des_guides(visite: Visite) -> None:
    """Take the pictures of the guides."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    for photo in PHOTOS:
        page = visite.page(photo.qui, ECRAN)
        page.goto(photo.adresse, wait_until="networkidle")
        cible = IMAGES / f"{photo.nom}.png"
        if photo.cadre:
            page.locator(photo.cadre).first.screenshot(path=cible)
        else:
            page.screenshot(path=cible)
        page.context.close()
        print(cible.relative_to(RACINE), flush=True)


def de_toutes(visite: Visite, dossier: Path) -> None:
    """Take every page that can be opened by its address alone, and those that they lead to."""
    dossier.mkdir(parents=True, exist_ok=True)
    for qui in ("gestionnaire-1", "comptable-1", "directeur-agenais", "auditeur-1"):
        for adresse in _adresses(visite, qui):
            nom = f"{qui}{re.sub(r'[^a-z0-9]+', '-', adresse.lower())}"
            for genre, ecran in (("ecran", ECRAN), ("telephone", TELEPHONE)):
                page = visite.page(qui, ecran)
                page.goto(adresse, wait_until="networkidle")
                page.screenshot(path=dossier / f"{nom}-{genre}.png", full_page=True)
                if genre == "ecran":
                    page.pdf(path=dossier / f"{nom}-papier.pdf", prefer_css_page_size=True)
                page.context.close()
            print(nom, flush=True)


def _adresses(visite: Visite, qui: str) -> list[str]:
    """Return the pages that somebody may open, and one page that each of them leads to."""
    fixes = [
        str(route.path)
        for route in iter_route_contexts(create_app(MagicMock()).routes)
        if str(route.name).startswith("page_")
        and "GET" in (route.methods or ())
        and "{" not in str(route.path)
        and not str(route.path).startswith(("/connexion", "/activation"))
    ]
    page, trouvees = visite.page(qui, ECRAN), []
    for adresse in fixes:
        try:
            reponse = page.goto(adresse)
        except Error:  # a file, that a browser takes down instead of showing
            continue
        if reponse is not None and reponse.ok:
            trouvees.append(adresse)
            liens = page.locator("main a[href^='/']").evaluate_all(
                "liens => liens.filter(l => !l.hasAttribute('download'))"
                ".map(l => new URL(l.href).pathname)"
            )
            trouvees += liens[:40]
    page.context.close()
    # One of each kind is enough: what is between slashes, numbers and identifiers left out.
    genres = {re.sub(r"/([0-9a-f-]{36}|[A-Z]?\d+)(?=/|$)", "/*", lien): lien for lien in trouvees}
    return sorted(
        lien for lien in genres.values() if "/export" not in lien and not lien.startswith("/api/")
    )


def main() -> None:
    """Take pictures."""
    lecteur = argparse.ArgumentParser(description=__doc__)
    lecteur.add_argument("--toutes", type=Path, metavar="DOSSIER")
    demande = lecteur.parse_args()
    chromium = next(filter(None, map(shutil.which, CHROMIUM)))
    with demonstration() as (adresse, mot_de_passe), sync_playwright() as joueur:
        navigateur = joueur.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        visite = Visite(navigateur, adresse, mot_de_passe, {})
        if demande.toutes:
            de_toutes(visite, demande.toutes)
        else:
            des_guides(visite)
        navigateur.close()


if __name__ == "__main__":
    main()
