"""Refusals on the way to a page: where to sign in, where to confirm, or why it is refused."""

from fastapi import FastAPI, Request, Response

from api import errors
from api.pages.formulaires import page, suite_locale, vers
from api.pages.presence import accueil_de, qui_lit
from api.porte import RenforcementRequis, SecondFacteurAInstaller
from oi_service.acces.refus import RemplacementNonConfirme
from oi_service.errors import Refusal, Unauthenticated

#: Doors whose refusals are for programs.
_PROGRAMMES = ("/api/", "/sante/", "/problemes/", "/openapi.json", "/static/")


def installer(app: FastAPI) -> None:
    """Give pages their own answers to refusals; the other doors keep theirs."""
    app.add_exception_handler(Refusal, _sur_refus)


def _sur_refus(request: Request, refus: Exception) -> Response:
    assert isinstance(refus, Refusal)
    if request.url.path.startswith(_PROGRAMMES):
        return errors.sur_refus(request, refus)
    errors.tracer_refus(request, refus)
    if isinstance(refus, Unauthenticated):
        return vers("/connexion", suite=_ici(request))
    if isinstance(refus, RenforcementRequis | RemplacementNonConfirme):
        return vers("/renforcement", suite=_ici(request))
    if isinstance(refus, SecondFacteurAInstaller):
        return vers("/compte/second-facteur")
    identite = qui_lit(request)
    return page(
        request,
        "refus.html",
        http=errors.statut_de(type(refus))[0],
        titre=errors.statut_de(type(refus))[1],
        phrase=str(refus),
        retour=None if identite is None else accueil_de(identite),
    )


def _ici(request: Request) -> str | None:
    """Return the page to come back to: the one asked for, or the one whose form was sent."""
    if request.method != "GET":
        return suite_locale(_chemin_du_referent(request))
    ici = request.url.path
    return suite_locale(f"{ici}?{request.url.query}" if request.url.query else ici)


def _chemin_du_referent(request: Request) -> str | None:
    referent = request.headers.get("referer", "")
    base = f"{request.url.scheme}://{request.url.netloc}"
    return referent.removeprefix(base) if referent.startswith(f"{base}/") else None
