"""How pages are rendered: templates, filters, and the addresses of static files."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.datastructures import URL, URLPath

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
        url_for=_url_for,
        vendor=_vendor,
    )
    return Jinja2Templates(env=environment)


#: Addresses without parameters, of each application: finding one looks at every route there is.
_ADRESSES: WeakKeyDictionary[Any, dict[tuple[str, str], URLPath]] = WeakKeyDictionary()


@pass_context
def _url_for(context: Context, nom: str, /, **parametres: Any) -> URL:
    """Return the address of a route."""
    request = context["request"]
    if parametres.keys() - {"path"}:
        address: URL = request.url_for(nom, **parametres)
        return address
    connues = _ADRESSES.setdefault(request.app, {})
    cle = (nom, parametres.get("path", ""))
    if cle not in connues:
        connues[cle] = request.app.url_path_for(nom, **parametres)
    return connues[cle].make_absolute_url(base_url=request.base_url)


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
    return _url_for(context, "static", path=path).path


@cache
def _fingerprint(path: str) -> str:
    return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]
