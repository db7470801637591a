"""The web application: the two doors, their answers to refusals, and what every answer carries."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.types import ASGIApp

from aggregates.commande import Saisie
from api import errors, exports, natures, pages, v1
from api.deps import ServiceOuvert, admettre, file_de_lecture, file_des_essais
from api.droits import DROITS, ROLES, Regle
from api.enceinte import entourer
from api.porte import COOKIE_TLS, EN_TETE_ROLE, Portier, PortierDesComptes
from api.v1.actes import EN_TETES, RACINE
from api.v1.pieces import CHEMIN
from api.web import Debit
from oi_service.application import Service
from oi_service.reseau import lire_reseau

#: What this process can do in the background: importing it registers it.
assert natures
#: Where a document is deposited.
DEPOT = RACINE + CHEMIN


class Application(FastAPI):
    """FastAPI inside what every request crosses, so that even the answer to a bug does."""

    def build_middleware_stack(self) -> ASGIApp:
        """Wrap everything that FastAPI stacks."""
        return entourer(
            super().build_middleware_stack(), self.state.reseau, self.state.debit, DEPOT
        )

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
    components["securitySchemes"] = _PREUVES
    for path in schema["paths"].values():
        for operation in path.values():
            _dire_la_regle(operation, DROITS[operation["operationId"]])
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


_PREUVES = {
    "jeton": {"type": "http", "scheme": "bearer", "description": "Jeton d’accès d’un compte."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE_TLS,
        "description": "Session ouverte par la page de connexion.",
    },
}


def _dire_la_regle(operation: dict[str, Any], regle: Regle) -> None:
    """Say who may take a route, and what the others are answered."""
    _ajouter_refus(operation, *errors.TOUTES)
    if "requestBody" in operation:
        _ajouter_refus(operation, *errors.CORPS)
    if regle.publique:
        return
    operation["security"] = [{nom: []} for nom in _PREUVES]
    operation["x-roles"] = list(regle.roles or ROLES)
    _ajouter_refus(operation, 401, 403)
    operation.setdefault("parameters", []).append(
        {
            "name": EN_TETE_ROLE,
            "in": "header",
            "required": False,
            "description": "Rôle dans lequel agir, pour qui en tient plusieurs.",
            "schema": {"type": "string", "enum": list(regle.roles or ROLES)},
        }
    )


def _ajouter_refus(operation: dict[str, Any], *statuts: int) -> None:
    # The frame has written its own statuses as texts.
    operation["responses"] |= {str(n): r for n, r in errors.refus(*statuts).items()}


def _saisies() -> set[str]:
    waiting, names = [Saisie], set()
    while waiting:
        model = waiting.pop()
        names.add(model.__name__)
        waiting.extend(model.__subclasses__())
    return names


class RouteSansRegle(Exception):
    """A route has no line in `api.droits`."""


def create_app(service: Service, portier: Portier | None = None) -> FastAPI:
    """Assemble the doors of a service that is open.

    Args:
        service: what they open on.
        portier: who says where a request comes from; by default, the accounts.

    Raises: RouteSansRegle.
    """
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
        openapi_url=None,
        # Every route, whoever adds it, lets in whom its rule says and nobody else.
        dependencies=[Depends(admettre)],
    )
    app.state.service = service
    app.state.reseau = lire_reseau()
    app.state.debit = Debit(app.state.reseau)
    app.state.portier = portier or PortierDesComptes(service.acces)
    app.state.lecteurs = file_de_lecture()
    app.state.essais = file_des_essais()
    errors.installer(app)
    pages.installer(app)
    app.include_router(v1.router)
    app.include_router(_SANTE)
    app.add_api_route(
        "/problemes/{code}", _probleme, tags=["Refus"], name="probleme", responses=errors.refus(404)
    )
    app.include_router(pages.router)
    app.include_router(exports.router)
    app.mount("/static", StaticFiles(directory=pages.STATIC), name="static")
    app.add_api_route("/", _accueil, include_in_schema=False, name="accueil")
    app.add_api_route("/openapi.json", _openapi, include_in_schema=False, name="openapi")
    _exiger_regles(app)
    return app


def _exiger_regles(app: FastAPI) -> None:
    sans = sorted(nom for nom in noms_des_routes(app) if nom not in DROITS)
    if sans:
        raise RouteSansRegle(", ".join(sans))


def noms_des_routes(app: FastAPI) -> Iterator[str]:
    """Return the name of every route; files of the pages themselves are for everybody."""
    for route in iter_route_contexts(app.routes):
        if route.path is not None and route.path != "/static":
            yield str(route.name)


def _openapi(request: Request) -> JSONResponse:
    return JSONResponse(request.app.openapi())


def _name(route: APIRoute) -> str:
    return route.name


def _accueil(request: Request) -> RedirectResponse:
    return RedirectResponse(pages.accueil_de(request.state.identite))


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
def pret(service: ServiceOuvert) -> Pret:
    """Dire que la base répond et jusqu’à quel fait le journal va."""
    with service.reads.connection() as conn:
        row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    return Pret(position=row[0])
