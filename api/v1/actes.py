"""How a write route is declared: one line says whether it makes an aggregate or acts on one."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter

from api.deps import ActeOut
from api.errors import refus

Route = TypeVar("Route", bound=Callable[..., ActeOut])

#: Where routes of the JSON door live; `Location` headers are made from it.
RACINE = "/api/v1"

_EN_TETES = {
    nom: {"$ref": f"#/components/headers/{nom}"} for nom in ("ETag", "Idempotent-Replayed")
}
_ENREGISTRE = "Acte enregistré"
_LIEU = {"Location": {"$ref": "#/components/headers/Location"}}

#: The ``components.headers`` that answers point to.
EN_TETES: dict[str, Any] = {
    "ETag": {
        "description": "Version de l’agrégat, à rappeler dans `If-Match`.",
        "schema": {"type": "string", "examples": ['"3"']},
    },
    "Idempotent-Replayed": {
        "description": "Présent quand cette clé avait déjà été reçue : rien de nouveau n’est "
        "enregistré.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Location": {
        "description": "Où lire ce qui vient d’être créé.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
}


def cree(router: APIRouter, chemin: str) -> Callable[[Route], Route]:
    """Declare a route that makes an aggregate: it expects no version."""
    return router.post(
        chemin,
        status_code=201,
        response_description=_ENREGISTRE,
        responses={201: {"headers": _EN_TETES | _LIEU}, **refus(404, 409, 422, 503)},
    )


def commande(router: APIRouter, chemin: str) -> Callable[[Route], Route]:
    """Declare a route that acts on an aggregate, at the version that the person saw."""
    return router.post(
        chemin,
        response_description=_ENREGISTRE,
        responses={200: {"headers": _EN_TETES}, **refus(404, 409, 412, 422, 428, 503)},
    )


def ajoute(router: APIRouter, chemin: str) -> Callable[[Route], Route]:
    """Declare a route that makes something inside an aggregate, such as a bilan or a payment."""
    return router.post(
        chemin,
        status_code=201,
        response_description=_ENREGISTRE,
        responses={201: {"headers": _EN_TETES | _LIEU}, **refus(404, 409, 412, 422, 428, 503)},
    )
