"""How pages are rendered: templates, filters, and the addresses of static files."""

import hashlib
from functools import cache
from pathlib import Path

from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from api.filters import FILTRES
from api.pages.glossaire import terme
from api.pages.liens_actes import acte_fait, lien_acte, peut
from api.pages.liens_provenance import provenance_url
from api.pages.presence import AVEC_ATTENTE, navigation, present

API = Path(__file__).resolve().parent.parent
STATIC = API / "static"

#: Name of the product in the header and in titles.
PRODUIT = "Pivot FSE"


@cache
def templates() -> Jinja2Templates:
    """Return the templates, where an unknown name is an error and never an empty string."""
    environment = Environment(
        loader=FileSystemLoader(API / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTRES)
    environment.globals.update(
        acte_url=lien_acte,
        acte_fait=acte_fait,
        avec_attente=AVEC_ATTENTE,
        peut=peut,
        produit=PRODUIT,
        navigation=navigation,
        present=present,
        provenance_url=provenance_url,
        statique=_static_path,
        terme=terme,
        vendor=_vendor,
    )
    return Jinja2Templates(env=environment)


@pass_context
def _static_path(context: Context, path: str) -> str:
    """Return the address of one of our files, which changes with its content.

    Without scheme nor host: the page is right behind any proxy.
    """
    return f"{_address(context, path)}?v={_fingerprint(path)}"


@pass_context
def _vendor(context: Context, name: str) -> str:
    """Return the address of a vendored file, whose name holds its version."""
    return _address(context, f"vendor/{name}")


def _address(context: Context, path: str) -> str:
    address: str = context["request"].url_for("static", path=path).path
    return address


@cache
def _fingerprint(path: str) -> str:
    return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]
