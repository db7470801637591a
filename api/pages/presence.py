"""Who is signed in, for the head of every page: name, roles, and the pages that they may open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import pass_context
from jinja2.runtime import Context
from starlette.requests import Request

from api.droits import (
    ADMINISTRATEUR,
    AUDITEUR,
    COMPTABLE,
    DIRECTEUR,
    DROITS,
    GESTIONNAIRE,
    ORDONNATEUR,
    VALIDEUR,
    Role,
)
from oi_service.acces.identite import Attribution, Identite
from projections.histoire import ROLES

#: Route name and label of each page of the navigation. The names say « page »: the JSON door has a
#: `maquette` too, and the first of a name is the one that is found.
NAVIGATION = (
    ("page_maquette", "Maquette"),
    ("page_operations", "Opérations"),
    ("page_depenses", "Dépenses"),
    ("page_controles", "Contrôles"),
    ("page_paiements", "Paiements"),
    ("page_audit", "Audit"),
    ("page_comptes", "Comptes"),
    ("page_traces", "Traces"),
)
#: Pages of the menu where something may wait for whoever reads.
AVEC_ATTENTE = ("page_controles", "page_paiements")
#: What a page shows where nobody is known to read it.
_SANS_PERSONNE = ("page_maquette",)


@dataclass(frozen=True, slots=True)
class Present:
    """Who reads the page."""

    nom: str
    roles: str


def qui_lit(request: Request) -> Identite | None:
    """Return whom the door let in."""
    found: Identite | None = getattr(request.state, "identite", None)
    return found


@pass_context
def present(context: Context) -> Present | None:
    """Return who reads the page, ``None`` when nobody is signed in."""
    identite = qui_lit(context["request"])
    if identite is None:
        return None
    return Present(identite.nom, dire_les_roles(identite.attributions))


@pass_context
def navigation(context: Context) -> Sequence[tuple[str, str]]:
    """Return the pages that whoever reads may open."""
    identite = qui_lit(context["request"])
    if identite is None:
        return [(route, libelle) for route, libelle in NAVIGATION if route in _SANS_PERSONNE]
    tenus = {attribution.role for attribution in identite.attributions}
    return [(r, libelle) for r, libelle in NAVIGATION if tenus & set(DROITS[r].roles or ())]


def dire_les_roles(attributions: Sequence[Attribution]) -> str:
    """Say the roles of today and their territories: « gestionnaire de l’OI (agenais, albret) »."""
    return ", ".join(dict.fromkeys(dire_le_role(a.role, sorted(a.plies)) for a in attributions))


def dire_le_role(role: str, plies: Sequence[str]) -> str:
    """Say a role and its territory."""
    return f"{ROLES[role]} ({', '.join(plies)})" if plies else ROLES[role]


def accueil_de(identite: Identite) -> str:
    """Return the page where somebody arrives: that of their work, by the first role they hold."""
    tenus = {attribution.role for attribution in identite.attributions}
    for role, accueil in _ACCUEILS.items():
        if role in tenus:
            return accueil
    if DIRECTEUR in tenus:
        plies = sorted(p for a in identite.attributions if a.role == DIRECTEUR for p in a.plies)
        return f"/plie/{plies[0]}" if plies else "/maquette"
    return "/administration/comptes" if ADMINISTRATEUR in tenus else "/compte"


_ACCUEILS: Mapping[Role, str] = {
    GESTIONNAIRE: "/controles",
    COMPTABLE: "/depenses",
    VALIDEUR: "/controles",
    ORDONNATEUR: "/paiements",
    AUDITEUR: "/audit",
}
