"""A real browser on the page of another site: what it can send here, and what becomes of it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page
from portier import PortierDEssai

from api.app import create_app

pytestmark = pytest.mark.navigateur


@pytest.fixture
def ici(servir: Callable[[FastAPI], AbstractContextManager[str]]) -> Iterator[str]:
    """The doors, without a base: what is tried here is refused before."""
    with servir(create_app(None, PortierDEssai())) as adresse:  # type: ignore[arg-type]
        # Another name of the same machine is another site.
        yield adresse.replace("127.0.0.1", "localhost")


@pytest.fixture
def ailleurs(ici: str) -> Iterator[str]:
    """A page of another site, whose button posts here what a form can post."""
    page = f"""<!doctype html><form method="post" enctype="text/plain" action="{ici}/connexion">
        <input name='{{"a":"' value='b"}}'><button>Gagnez un voyage</button></form>
        <iframe src="{ici}/connexion"></iframe>""".encode()

    class Reponse(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    serveur = ThreadingHTTPServer(("127.0.0.1", 0), Reponse)
    fil = threading.Thread(target=serveur.serve_forever)
    fil.start()
    try:
        yield f"http://127.0.0.1:{serveur.server_port}/"
    finally:
        serveur.shutdown()
        serveur.server_close()
        fil.join()


def test_the_form_of_another_site_is_refused(page: Page, ailleurs: str) -> None:
    page.goto(ailleurs)
    with page.expect_response(lambda r: r.request.method == "POST") as recue:
        page.get_by_role("button").click()
    assert recue.value.status == 403
    assert "origine_etrangere" in page.content()


def test_no_other_site_shows_our_pages_in_its_own(page: Page, ailleurs: str, ici: str) -> None:
    refus: list[str] = []
    page.on("console", lambda message: refus.append(message.text))
    page.goto(ailleurs)
    page.wait_for_timeout(500)
    assert any("frame-ancestors" in texte for texte in refus), refus
    assert not any(cadre.url.startswith(ici) for cadre in page.frames)
