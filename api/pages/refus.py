"""Refusals on the way to a page: where to sign in, where to confirm, or why it is refused."""

from collections.abc import Callable
from typing import Any

import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from api import errors
from api.pages.formulaires import page, suite_locale, vers
from api.pages.presence import accueil_de, qui_lit
from api.pages.renvoi import attente_de, page_de_renvoi
from api.porte import LECTURES, SecondFacteurAInstaller
from oi_service.errors import Refusal, Unauthenticated

#: Tells our scripts where a person does what the answer waits for, in another tab.
EN_TETE_ATTENTE = "OI-Attente"
#: What answers an exception.
Reponse = Callable[[Request, Exception], Any]

#: Doors whose refusals are for programs.
_PROGRAMMES = ("/api/", "/sante/", "/problemes/", "/openapi.json", "/static/")


def installer(app: FastAPI) -> None:
    """Give pages their own answers to refusals; the other doors keep theirs."""
    app.add_exception_handler(Refusal, _sur_refus)
    for autre in (HTTPException, RequestValidationError, psycopg.OperationalError):
        app.add_exception_handler(autre, _en_page(app.exception_handlers[autre]))


def _en_page(repondre: Reponse) -> Reponse:
    """Show to people what is answered to programs."""

    def sur_erreur(request: Request, erreur: Exception) -> Response:
        reponse = repondre(request, erreur)
        assert isinstance(reponse, Response)
        if not _pour_une_personne(request):
            return reponse
        dit = errors.Probleme.model_validate_json(bytes(reponse.body))
        montree = _montrer(request, reponse.status_code, dit.title, dit.detail)
        montree.headers.update(
            {nom: v for nom, v in reponse.headers.items() if nom in _EN_TETES_GARDES}
        )
        return montree

    return sur_erreur


#: What an answer says to a browser, beside its words.
_EN_TETES_GARDES = frozenset({"allow", "connection", "retry-after"})


def _pour_une_personne(request: Request) -> bool:
    return not request.url.path.startswith(_PROGRAMMES) and "text/html" in request.headers.get(
        "accept", ""
    )


async def _sur_refus(request: Request, refus: Exception) -> Response:
    assert isinstance(refus, Refusal)
    if request.url.path.startswith(_PROGRAMMES):
        return await run_in_threadpool(errors.sur_refus, request, refus)
    await run_in_threadpool(errors.tracer_refus, request, refus)
    attente = attente_de(refus)
    lien = None if attente is None else attente.lien
    # A part of a page: the page around it holds what was typed, and says what is missing.
    partie = "HX-Request" in request.headers
    if attente is not None and not partie:
        rendue = await page_de_renvoi(request, refus, attente)
        if rendue is not None:
            return rendue
        if lien is not None:
            return _mener(request, refus, lien)
    statut, titre = errors.statut_de(type(refus))
    montree = _montrer(request, statut, titre, str(refus))
    if lien is not None:
        montree.headers[EN_TETE_ATTENTE] = lien
    return montree


def _mener(request: Request, refus: Refusal, lien: str) -> Response:
    """Lead where a refusal is lifted, then back here."""
    if isinstance(refus, SecondFacteurAInstaller):
        return vers(lien)
    perdu = isinstance(refus, Unauthenticated) and request.method not in LECTURES
    return vers(lien, suite=_ici(request), perdu="oui" if perdu else None)


def _montrer(request: Request, statut: int, titre: str, phrase: str) -> HTMLResponse:
    identite = qui_lit(request)
    return page(
        request,
        "refus.html",
        http=statut,
        titre=titre,
        phrase=phrase,
        retour=None if identite is None else accueil_de(identite),
    )


def _ici(request: Request) -> str | None:
    """Return the page to come back to: the one asked for, or the one whose form was sent."""
    if request.method != "GET":
        base = f"{request.url.scheme}://{request.url.netloc}"
        return suite_locale(request.headers.get("referer", "").removeprefix(base))
    ici = request.url.path
    return suite_locale(f"{ici}?{request.url.query}" if request.url.query else ici)
