"""Pages of the sign-in at a provider: the browser goes there, comes back, and is let in."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.deps import ServiceOuvert
from api.pages.connexion import Suite, entrer
from api.pages.formulaires import page, suite_locale, vers
from api.porte import cookie
from api.web import adresse_de
from oi_service.acces.oidc import DUREE_TENTATIVE, Retour
from oi_service.acces.refus import IdentifiantsRefuses
from oi_service.errors import Forbidden, Refusal

router = APIRouter()

#: What a browser says of a link that is on the page of another site.
_AUTRES_SITES = frozenset({"cross-site", "same-site"})


class CompteSuspenduOuFerme(Forbidden):
    """{nom} vous reconnaît, mais votre compte n’est pas ouvert ici aujourd’hui. Demandez à
    l’administrateur de ce service ce qu’il en est.
    """


def _biscuit(request: Request) -> str:
    """Return the name of the cookie of a browser that is on its way."""
    return f"{cookie(request)}-oidc"


def _retour(request: Request) -> str:
    """Return where the provider sends browsers back: the address that it was told in advance."""
    return str(request.url_for("page_retour_oidc"))


@router.get("/connexion/oidc", name="page_connexion_oidc")
def page_connexion_oidc(request: Request, service: ServiceOuvert, suite: Suite = None) -> Response:
    """Envoie le navigateur chez le fournisseur d’identité."""
    # Somebody who is still signed in there would be signed in here by any link of any site: they
    # press our own button first.
    d_ailleurs = request.headers.get("sec-fetch-site") in _AUTRES_SITES
    if service.oidc is None or d_ailleurs:
        return vers("/connexion", suite=suite_locale(suite))
    try:
        depart = service.oidc.commencer(suite_locale(suite) or "", _retour(request))
    except Refusal as refus:
        return page(request, "oidc_refus.html", refus)
    reponse = RedirectResponse(depart.adresse, status_code=303)
    reponse.set_cookie(
        _biscuit(request),
        depart.navigateur,
        max_age=int(DUREE_TENTATIVE.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        # It comes back by a link of the provider, which « Strict » would not follow.
        samesite="lax",
    )
    return reponse


@router.get("/connexion/oidc/retour", name="page_retour_oidc")
def page_retour_oidc(
    request: Request,
    service: ServiceOuvert,
    state: str = "",
    code: str = "",
    iss: str | None = None,
    error: Annotated[str | None, Query(max_length=4000)] = None,
) -> Response:
    """Ouvre la session de qui revient du fournisseur d’identité."""
    oidc = service.oidc
    if oidc is None:
        return vers("/connexion")
    retour = Retour(
        etat=state,
        navigateur=request.cookies.get(_biscuit(request), ""),
        code=code,
        emetteur=iss,
        erreur=error,
    )
    try:
        venu = oidc.conclure(retour, _retour(request))
        ouverture = service.acces.ouvrir_par_fournisseur(
            venu.identifiant,
            fournisseur=oidc.nom,
            # What is signed here asks for the second factor that was installed here.
            renforcee=False,
            adresse=adresse_de(request),
            agent=request.headers.get("user-agent", ""),
            preuve=venu.preuve,
        )
    except IdentifiantsRefuses:
        return _refuser(request, CompteSuspenduOuFerme(nom=oidc.nom))
    except Refusal as refus:
        service.acces.tracer(
            "connexion_refusee",
            None,
            adresse=adresse_de(request),
            objet={"raison": refus.code(), "moyen": oidc.nom},
        )
        return _refuser(request, refus)
    oidc.retenir(ouverture.session_id, venu)
    reponse = entrer(request, service, ouverture, venu.suite or None)
    _oublier(request, reponse)
    return reponse


def _refuser(request: Request, refus: Refusal) -> Response:
    reponse = page(request, "oidc_refus.html", refus)
    _oublier(request, reponse)
    return reponse


def _oublier(request: Request, reponse: Response) -> None:
    reponse.delete_cookie(
        _biscuit(request),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
