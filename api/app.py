"""The web application: the two doors, their answers to refusals, and what every answer carries."""

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.types import ASGIApp

from aggregates.commande import Saisie
from api import errors, pages, v1
from api.deps import Lecture, file_de_lecture, file_des_essais
from api.v1.actes import EN_TETES, RACINE
from api.v1.pieces import CHEMIN
from api.web import CorpsBorne, EnTetesDeSecurite, TeteSansCorps
from oi_service.application import Service

#: Where a document is deposited.
DEPOT = RACINE + CHEMIN


class Application(FastAPI):
    """FastAPI with the headers outermost, so that even the answer to a bug carries them."""

    def build_middleware_stack(self) -> ASGIApp:
        """Wrap everything that FastAPI stacks."""
        return EnTetesDeSecurite(TeteSansCorps(CorpsBorne(super().build_middleware_stack(), DEPOT)))

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
