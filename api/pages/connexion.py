"""Pages by which persons come in and go out.

Nothing here tells whether an account exists: a wrong address, a wrong password and a wrong code get
the same words.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from api.deps import ServiceOuvert
from api.mes_acces import MesAccesOuverts, effacer_biscuit, poser_biscuit
from api.pages.formulaires import (
    Defaut,
    FormulaireRecu,
    SaisieRefusee,
    page,
    suite_locale,
    vers,
)
from api.pages.presence import accueil_de
from api.porte import cookie
from api.web import adresse_de
from oi_service.acces.acces import Ouverture
from oi_service.acces.fournisseur import FournisseurInjoignable
from oi_service.acces.identite import Identite
from oi_service.acces.mots_de_passe import LONGUEUR_MIN
from oi_service.acces.refus import (
    ActivationRefusee,
    CodeRefuse,
    IdentifiantsRefuses,
    MotDePasseRefuse,
    SecondFacteurAbsent,
    TropDEssais,
)
from oi_service.application import Service
from oi_service.errors import Refusal

router = APIRouter()

#: Where the code of the second factor is asked, and what is kept of the password until then.
_CODE = "/connexion/code"
_FAITS = {
    "deconnexion": "Vous êtes déconnecté.",
    "activation": "Votre mot de passe est enregistré : connectez-vous.",
}

Suite = Annotated[str | None, Query(max_length=4000)]


def _attente(request: Request) -> str:
    """Return the name of the cookie of a right password that awaits its second factor."""
    return f"{cookie(request)}-attente"


def _connecte(request: Request, service: Service) -> Identite | None:
    biscuit = request.cookies.get(cookie(request))
    if biscuit is None:
        return None
    return service.acces.identite_de_session(biscuit, adresse_de(request))


@router.get("/connexion", name="page_connexion")
def page_connexion(
    request: Request, service: ServiceOuvert, suite: Suite = None, fait: str = "", perdu: str = ""
) -> Response:
    """Affiche le formulaire de connexion."""
    present = _connecte(request, service)
    if present is not None:
        return vers(suite_locale(suite) or accueil_de(present))
    return _page_connexion(
        request, service, suite=suite_locale(suite), fait=_FAITS.get(fait), perdu=perdu == "oui"
    )


def _page_connexion(
    request: Request,
    service: Service,
    refus: Refusal | None = None,
    *,
    suite: str | None,
    courriel: str = "",
    fait: str | None = None,
    perdu: bool = False,
) -> HTMLResponse:
    return page(
        request,
        "connexion.html",
        refus,
        suite=suite or "",
        courriel=courriel,
        fait=fait,
        perdu=perdu,
        fournisseur=None if service.oidc is None else service.oidc.nom,
        locale=service.acces.reglages.connexion_locale,
    )


@router.post("/connexion", name="connecter")
def connecter(request: Request, service: ServiceOuvert, saisi: FormulaireRecu) -> Response:
    """Ouvre une session, ou demande le second facteur."""
    suite = suite_locale(saisi.texte("suite"))
    courriel = saisi.texte("courriel")
    try:
        ouverture = service.acces.connecter(
            courriel,
            saisi.secret("mot_de_passe"),
            adresse=adresse_de(request),
            agent=request.headers.get("user-agent", ""),
        )
    except (IdentifiantsRefuses, TropDEssais) as refus:
        return _page_connexion(request, service, refus, suite=suite, courriel=courriel)
    if ouverture.second_facteur_demande:
        reponse = vers(_CODE, suite=suite)
        poser_biscuit(request, reponse, ouverture.jeton, _attente(request))
        return reponse
    return entrer(request, service, ouverture, suite)


@router.get(_CODE, name="page_second_facteur")
def page_second_facteur(request: Request, suite: Suite = None) -> Response:
    """Affiche le formulaire du second facteur."""
    if _attente(request) not in request.cookies:
        return vers("/connexion", suite=suite_locale(suite))
    return page(request, "connexion_code.html", suite=suite_locale(suite) or "")


@router.post(_CODE, name="donner_second_facteur")
def donner_second_facteur(
    request: Request, service: ServiceOuvert, saisi: FormulaireRecu
) -> Response:
    """Ouvre la session qui attendait un code."""
    suite = suite_locale(saisi.texte("suite"))
    attente = request.cookies.get(_attente(request))
    if attente is None:
        return vers("/connexion", suite=suite)
    try:
        ouverture = service.acces.terminer_connexion(
            attente, saisi.texte("code"), adresse=adresse_de(request)
        )
    except (IdentifiantsRefuses, TropDEssais) as refus:
        return page(request, "connexion_code.html", refus, suite=suite or "")
    return entrer(request, service, ouverture, suite)


def entrer(request: Request, service: Service, ouverture: Ouverture, suite: str | None) -> Response:
    """Give the browser its session; one that it had before ends."""
    ancienne = request.cookies.get(cookie(request))
    if ancienne is not None:
        service.acces.deconnecter(ancienne, adresse=adresse_de(request))
    identite = service.acces.identite_de_session(ouverture.jeton, adresse_de(request))
    if identite is None:
        # Closed or suspended within the second: nothing was opened.
        return vers("/connexion")
    if identite.second_facteur_a_installer:
        reponse = vers("/compte/second-facteur")
    else:
        reponse = vers(suite or accueil_de(identite))
    poser_biscuit(request, reponse, ouverture.jeton)
    effacer_biscuit(request, reponse, _attente(request))
    return reponse


@router.post("/deconnexion", name="deconnecter")
def deconnecter(request: Request, service: ServiceOuvert) -> Response:
    """Ferme la session ; sans session, il n’y a rien à fermer."""
    present = _connecte(request, service)
    chez = None if present is None else _fin_chez_le_fournisseur(request, service, present)
    biscuit = request.cookies.get(cookie(request))
    if biscuit is not None:
        service.acces.deconnecter(biscuit, adresse=adresse_de(request))
    reponse: Response = vers("/connexion", fait="deconnexion")
    if chez is not None and service.oidc is not None:
        # By a link: the answer to a form is not let out of this site.
        reponse = page(request, "deconnecte.html", fournisseur=service.oidc.nom, chez=chez)
    effacer_biscuit(request, reponse)
    effacer_biscuit(request, reponse, _attente(request))
    return reponse


def _fin_chez_le_fournisseur(request: Request, service: Service, present: Identite) -> str | None:
    """Return where a browser ends the session that the provider keeps, if it keeps one."""
    if service.oidc is None or present.session_id is None:
        return None
    try:
        return service.oidc.adresse_de_deconnexion(
            present.session_id, str(request.url_for("page_connexion"))
        )
    except FournisseurInjoignable:
        return None


# --- A first password ----------------------------------------------------------------------------


@router.get("/activation", name="page_activation")
def page_activation(request: Request) -> HTMLResponse:
    """Affiche le formulaire d’activation d’un compte."""
    return page(request, "activation.html", courriel="", longueur=LONGUEUR_MIN)


@router.post("/activation", name="activer_compte")
def activer_compte(request: Request, service: ServiceOuvert, saisi: FormulaireRecu) -> Response:
    """Enregistre le premier mot de passe d’un compte."""
    courriel = saisi.texte("courriel")
    try:
        service.acces.activer(
            courriel, saisi.texte("code"), deux_fois(saisi), adresse=adresse_de(request)
        )
    except (SaisieRefusee, ActivationRefusee, MotDePasseRefuse, TropDEssais) as refus:
        return page(request, "activation.html", refus, courriel=courriel, longueur=LONGUEUR_MIN)
    return vers("/connexion", fait="activation")


def deux_fois(saisi: FormulaireRecu) -> str:
    """Return the password that was typed twice.

    Raises: SaisieRefusee.
    """
    choisi = saisi.secret("mot_de_passe")
    if choisi != saisi.secret("confirmation"):
        raise SaisieRefusee(
            [Defaut("Les deux saisies du mot de passe sont différentes.", "confirmation")]
        )
    return choisi


# --- A fresh proof -------------------------------------------------------------------------------


@router.get("/renforcement", name="page_renforcer")
def page_renforcer(request: Request, suite: Suite = None) -> HTMLResponse:
    """Affiche le formulaire qui confirme une identité."""
    return page(request, "renforcement.html", suite=suite_locale(suite) or "")


@router.post("/renforcement", name="renforcer")
def renforcer(request: Request, mes: MesAccesOuverts, saisi: FormulaireRecu) -> Response:
    """Confirme une identité par un code, puis reprend où l’on était."""
    suite = suite_locale(saisi.texte("suite"))
    reponse = vers(suite or accueil_de(mes.identite))
    try:
        mes.renforcer(saisi.texte("code"), request, reponse)
    except (CodeRefuse, SecondFacteurAbsent, TropDEssais) as refus:
        return page(request, "renforcement.html", refus, suite=suite or "")
    return reponse
