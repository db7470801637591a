"""The acts that people do in the pages: those of the JSON door, under the names that people use."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, get_type_hints

from fastapi.routing import APIRouter, iter_route_contexts
from pydantic import TypeAdapter, ValidationError

from aggregates.commande import Commande
from api import v1
from api.deps import ActeOut, creation, ecriture
from api.pages.liens_actes import TITRES
from oi_service.errors import NotFound


class ActeInconnu(NotFound):
    """Aucun acte ne porte ce nom : revenez à la page d’où vous venez, et prenez-y un autre lien."""


class CibleInconnue(NotFound):
    """L’adresse de ce formulaire ne désigne rien : revenez à la page d’où vous venez, et prenez-y
    un autre lien.
    """


@dataclass(frozen=True, slots=True)
class ActeDesPages:
    """A route of the JSON door that records, and what it takes."""

    nom: str
    titre: str
    sens: str  #: what the route says that it does
    parametres: tuple[str, ...]  #: of its address, in order
    modele: type[Commande]
    route: Callable[..., ActeOut]
    cree: bool  #: it makes an aggregate: no version is expected

    def cibles(self, donnees: Sequence[str]) -> dict[str, Any]:
        """Read what an address of the pages points at.

        Raises: CibleInconnue.
        """
        types = get_type_hints(self.route)
        try:
            return {
                nom: TypeAdapter(types[nom]).validate_python(donnee)
                for nom, donnee in zip(self.parametres, donnees, strict=True)
            }
        except (ValidationError, ValueError):
            raise CibleInconnue from None


#: What only programs need to know of an act: what its answer holds.
_POUR_LES_PROGRAMMES = re.compile(r"(?: ; |, )`[^.]*")


def _sens(docstring: str) -> str:
    """Return what a route says that it does, for a person."""
    premier = docstring.partition("\n\n")[0].replace("\n", " ")
    return _POUR_LES_PROGRAMMES.sub("", premier)


@cache
def actes() -> Mapping[str, ActeDesPages]:
    """Return every act, by the name of its route."""
    return {acte.nom: acte for acte in _lire(v1.router)}


def acte(nom: str) -> ActeDesPages:
    """Return an act.

    Raises: ActeInconnu.
    """
    trouve = actes().get(nom)
    if trouve is None:
        raise ActeInconnu
    return trouve


def _lire(router: APIRouter) -> Iterator[ActeDesPages]:
    for contexte in iter_route_contexts(router.routes):
        if "POST" not in (contexte.methods or ()):
            continue
        plumes = {d.call for d in contexte.dependant.dependencies} & {creation, ecriture}
        if not plumes:
            continue
        nom, route = str(contexte.name), contexte.dependant.call
        assert route is not None
        yield ActeDesPages(
            nom=nom,
            titre=TITRES[nom],
            sens=_sens(inspect.getdoc(route) or ""),
            parametres=tuple(p.name for p in contexte.dependant.path_params),
            modele=contexte.dependant.body_params[0].field_info.annotation,
            route=route,
            cree=creation in plumes,
        )
