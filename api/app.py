"""The web application: the two doors, their answers to refusals, and what every answer carries."""

from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggregates.commande import Saisie
from api import errors, pages, v1
from api.deps import Lecture, file_de_lecture, file_des_essais
from api.v1.actes import EN_TETES, RACINE
from api.v1.pieces import CHEMIN
from oi_service.application import Service

#: Largest body that is read, documents apart. A thousand dépenses with all their fields weigh under
#: 2 MB.
CORPS_MAX = 8 * 2**20
#: Where a document is deposited: the store reads no more of it than it accepts.
DEPOT = RACINE + CHEMIN

#: Nothing but our own files, and no script but ours: what is injected in a page does nothing.
SECURITE = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; script-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


class EnTetesDeSecurite:
    """Adds the same headers to every answer, errors and static files included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITE)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class CorpsBorne:
    """Stops reading a body that is too large; the frame's own limit answers in English text."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope.get("path") == DEPOT:
            await self._app(scope, receive, send)
            return
        read = 0

        async def receive_within_limit() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > CORPS_MAX:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return message

        await self._app(scope, receive_within_limit, send)


class TeteSansCorps:
    """Answers HEAD as GET would; the server itself keeps the body back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


class Application(FastAPI):
    """FastAPI with the headers outermost, so that even the answer to a bug carries them."""

    def build_middleware_stack(self) -> ASGIApp:
        """Wrap everything that FastAPI stacks."""
        return EnTetesDeSecurite(TeteSansCorps(CorpsBorne(super().build_middleware_stack())))

    def openapi(self) -> dict[str, Any]:
        """Describe the JSON door, once."""
        if self.openapi_schema is None:
            self.openapi_schema = _describe(self)
        return self.openapi_schema


def _describe(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    components = schema["components"]
    components["schemas"].update(errors.schemas())
    components["responses"] = errors.composants()
    components["headers"] = EN_TETES
    for name, model in components["schemas"].items():
        # What a command says of itself is written for developers.
        if name.rsplit("__", 1)[-1] in _saisies():
            model.pop("description", None)
    for path in schema["paths"].values():
        for operation in path.values():
            # The first sentence of a docstring is the summary; it is written once.
            summary, _, rest = operation.pop("description", "").partition("\n")
            operation["summary"] = summary.rstrip(".")
            if rest.strip():
                operation["description"] = rest.strip()
            if "422" in operation["responses"]:
                # The frame describes its own answer to malformed requests; ours replaces it.
                operation["responses"]["422"] = errors.refus(422)[422]
            for response in operation["responses"].values():
                if response["description"] == "Successful Response":
                    response["description"] = "Réponse"
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    return schema


def _saisies() -> set[str]:
    waiting, names = [Saisie], set()
    while waiting:
        model = waiting.pop()
        names.add(model.__name__)
        waiting.extend(model.__subclasses__())
    return names


def create_app(service: Service) -> FastAPI:
    """Assemble the doors of a service that is open."""
    app = Application(
        title="Pivot FSE",
        version=version("oi-service"),
        description=(
            "Le registre d’un organisme intermédiaire du Fonds social européen. "
            'Montants : chaînes en euros à deux décimales (`"1234.56"`). '
            "Jours : `AAAA-MM-JJ`, à Paris. "
            "Tout refus est un `application/problem+json` dont `detail` est la phrase à montrer."
        ),
        # The usual documentation pages load scripts from elsewhere, which our policy forbids.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_name,
    )
    app.state.service = service
    app.state.lecteurs = file_de_lecture()
    app.state.essais = file_des_essais()
    errors.installer(app)
    app.include_router(v1.router)
    app.include_router(_SANTE)
    app.add_api_route(
        "/problemes/{code}", _probleme, tags=["Refus"], name="probleme", responses=errors.refus(404)
    )
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=pages.STATIC), name="static")
    app.add_api_route("/", _accueil, include_in_schema=False)
    return app


def _name(route: APIRoute) -> str:
    return route.name


def _accueil() -> RedirectResponse:
    return RedirectResponse("/maquette")


def _probleme(code: str) -> errors.PageDeProbleme:
    """Expliquer un motif de refus."""
    return errors.expliquer(code)


# --- Health --------------------------------------------------------------------------------------

_SANTE = APIRouter(prefix="/sante", tags=["Santé"])


class Vivant(BaseModel):
    """Le processus répond."""

    statut: str = "vivant"


class Pret(BaseModel):
    """Le service peut être employé."""

    statut: str = "pret"
    position: int


@_SANTE.get("/vivant")
async def vivant() -> Vivant:
    """Dire que le processus répond."""
    return Vivant()


@_SANTE.get("/pret", responses=errors.refus(503))
def pret(lecture: Lecture) -> Pret:
    """Dire que la base répond et jusqu’à quel fait le journal va."""
    row = lecture.conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    return Pret(position=row[0])
