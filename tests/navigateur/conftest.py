"""A browser and a server: Debian's chromium on the pages, under the strict CSP.

Without chromium these tests are skipped, and say why.
"""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import uvicorn
from bases import base_neuve
from dossier_exemple import service_joue
from fastapi import FastAPI, Request
from maquette_exemple import maquette
from playwright.sync_api import Browser, Page
from portier import PortierDEssai
from starlette.middleware.base import RequestResponseEndpoint
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

import api.pages
from api import deps
from api.app import create_app
from api.enceinte import POLITIQUE
from api.pages import maquette as page_maquette
from oi_service.app import open_service
from oi_service.application import Service
from oi_service.lieux import Lieux

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.navigateur)
            # Apart: they take minutes, and the browser keeps a loop of its own in their process.
            item.add_marker(pytest.mark.longue)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        # CI installs a browser: there, a test that cannot run is a failure.
        absent = pytest.fail if "OI_NAVIGATEUR_OBLIGATOIRE" in os.environ else pytest.skip
        absent("chromium est absent : installez-le (apt-get install chromium) pour ces tests")
    return {"executable_path": found, "args": list(_ARGUMENTS)}


@pytest.fixture(scope="session")
def application() -> FastAPI:
    """The pages as the service serves them, on figures that are always the same."""
    app = FastAPI()

    @app.get("/maquette/a-faire", response_class=HTMLResponse)
    def nothing_waits() -> str:
        """No dossier stands behind these figures."""
        return '<div id="a-faire-contenu"><p class="carte">Rien n’attend.</p></div>'

    app.include_router(api.pages.router)
    app.mount("/static", StaticFiles(directory=api.pages.STATIC), name="static")
    app.dependency_overrides[deps.maquette_courante] = maquette
    app.dependency_overrides[deps.subventions_au_choix] = _no_choice
    app.dependency_overrides[deps.dates_demandees] = lambda: deps.PRESENT
    app.dependency_overrides[page_maquette.tableau_courant] = lambda: None
    app.dependency_overrides[page_maquette.ecart_courant] = lambda: None

    @app.middleware("http")
    async def strict_csp(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers["Content-Security-Policy"] = POLITIQUE
        return response

    return app


@contextmanager
def serve(application: FastAPI) -> Iterator[str]:
    """Serve on a port of this machine; return the address."""
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        host, port = server.servers[0].sockets[0].getsockname()
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def service_du_module(
    serveur: str, modele: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """Open a service for the tests of a module, on a database and in folders of its own."""
    with (
        base_neuve(serveur, modele) as base,
        open_service(base, Lieux.sous(tmp_path_factory.mktemp("lieux"))) as service,
    ):
        yield service


@pytest.fixture(scope="session")
def servir() -> Callable[[FastAPI], AbstractContextManager[str]]:
    """How a test serves an application of its own."""
    return serve


@pytest.fixture(scope="session")
def base_url(application: FastAPI) -> Iterator[str]:
    with serve(application) as address:
        yield address


@pytest.fixture
def adresse(service: Service) -> Iterator[str]:
    """The service itself, on an empty database."""
    with serve(create_app(service, PortierDEssai())) as address:
        yield address


@pytest.fixture(scope="session")
def dossiers(serveur: str, modele: str) -> Iterator[str]:
    """The service itself, on a database where a few dossiers were played."""
    with (
        service_joue(serveur, modele) as service,
        serve(create_app(service, PortierDEssai())) as address,
    ):
        yield address


def _no_choice() -> list[object]:
    return []


@pytest.fixture
def messages(page: Page) -> list[str]:
    """Everything that the console or a failed request said on the page."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("requestfailed", lambda request: heard.append(f"{request.url} : {request.failure}"))
    return heard


@pytest.fixture
def phone(browser: Browser, base_url: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, base_url=base_url)
    yield context.new_page()
    context.close()
