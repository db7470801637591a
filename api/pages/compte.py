"""One's own account: who I am, my roles, my password, my second factor, my sessions, my tokens.

What is told once (a secret, recovery codes, a token) is in the answer to the form itself: an
address, a cookie or a table would keep it.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from api.deps import ServiceOuvert
from api.droits import Role
from api.mes_acces import MesAccesOuverts
from api.pages.connexion import deux_fois
from api.pages.formulaires import (
    Defaut,
    FormulaireRecu,
    SaisieRefusee,
    page,
    vers,
)
from api.pages.presence import dire_le_role
from oi_service import clock
from oi_service.acces.acces import JETON_MAX, SessionOuverte
from oi_service.acces.mots_de_passe import LONGUEUR_MIN
from oi_service.acces.refus import (
    CodeRefuse,
    DureeDeJetonRefusee,
    IdentifiantsRefuses,
    JetonAbsent,
    JetonSansRole,
    MotDePasseRefuse,
    SecondFacteurNonPrepare,
    SessionAbsente,
    TropDEssais,
)
from oi_service.errors import Refusal
from projections import comptes as projection
from projections.comptes import AttributionLue
from projections.histoire import ROLES

router = APIRouter(prefix="/compte")

_COMPTE = "/compte"
_FAITS = {
    "mot_de_passe": "Votre mot de passe est changé ; vos autres sessions sont fermées.",
    "session": "La session est fermée.",
    "sessions": "Vos autres sessions sont fermées.",
    "jeton": "Le jeton est révoqué : plus rien n’entre par lui.",
}
#: How long a token may last, as people say it.
_DUREES = ((7, "une semaine"), (30, "un mois"), (90, "trois mois"), (JETON_MAX.days, "un an"))


@dataclass(frozen=True, slots=True)
class RoleVu:
    """A role that was given, as its person reads it."""

    libelle: str
    du: date
    au: date | None
    en_vigueur: bool


@dataclass(frozen=True, slots=True)
class SessionVue:
    """A session, with the words for its device."""

    session: SessionOuverte
    appareil: str
    courante: bool


def role_vu(lue: AttributionLue) -> RoleVu:
    """Return a role as it is read."""
    return RoleVu(dire_le_role(lue.role, lue.plies), lue.du, lue.au, lue.en_vigueur(clock.today()))


@router.get("", name="page_compte")
def page_compte(
    request: Request, mes: MesAccesOuverts, service: ServiceOuvert, fait: str = ""
) -> HTMLResponse:
    """Affiche mon compte."""
    identifiant = mes.identite.identifiant
    # One's own account, whatever the territory of one's roles.
    with service.reads.connection() as conn:
        tenus = projection.compte(conn, identifiant).roles
    return page(
        request,
        "compte.html",
        fait=_FAITS.get(fait),
        fiche=mes.acces.fiche(identifiant),
        a_installer=mes.identite.second_facteur_a_installer,
        roles=[role_vu(r) for r in tenus],
        employeurs=sorted(mes.identite.detachee_par),
        sessions=[
            SessionVue(s, appareil(s.agent), s.id == mes.identite.session_id)
            for s in mes.acces.sessions(identifiant)
        ],
        jetons=mes.acces.jetons(identifiant),
        libelles=ROLES,
    )


# --- Password ------------------------------------------------------------------------------------


@router.get("/mot-de-passe", name="page_mot_de_passe")
def page_mot_de_passe(request: Request, mes: MesAccesOuverts) -> HTMLResponse:
    """Affiche le formulaire de changement de mot de passe."""
    return _page_du_mot_de_passe(request, mes)


@router.post("/mot-de-passe", name="changer_mot_de_passe")
def changer_mot_de_passe(request: Request, mes: MesAccesOuverts, saisi: FormulaireRecu) -> Response:
    """Change mon mot de passe."""
    assert mes.session_id
    try:
        mes.acces.changer_mot_de_passe(
            mes.identite, saisi.secret("ancien"), deux_fois(saisi), adresse=mes.adresse
        )
    except IdentifiantsRefuses:
        faux = SaisieRefusee([Defaut("Ce n’est pas votre mot de passe actuel.", "ancien")])
        return _page_du_mot_de_passe(request, mes, faux)
    except (SaisieRefusee, MotDePasseRefuse, TropDEssais) as refus:
        return _page_du_mot_de_passe(request, mes, refus)
    reponse = vers(_COMPTE, fait="mot_de_passe")
    mes.renouveler(request, reponse)
    return reponse


def _page_du_mot_de_passe(
    request: Request, mes: MesAccesOuverts, refus: Refusal | SaisieRefusee | None = None
) -> HTMLResponse:
    return page(
        request,
        "compte_mot_de_passe.html",
        refus,
        longueur=LONGUEUR_MIN,
        courriel=mes.acces.fiche(mes.identite.identifiant).courriel,
    )


# --- Second factor -------------------------------------------------------------------------------


@router.get("/second-facteur", name="page_installer_second_facteur")
def page_installer_second_facteur(request: Request, mes: MesAccesOuverts) -> HTMLResponse:
    """Explique le second facteur, et propose de l’installer ou de le remplacer."""
    return page(
        request,
        "compte_second_facteur.html",
        installe=mes.acces.fiche(mes.identite.identifiant).second_facteur,
        obligatoire=mes.identite.second_facteur_a_installer,
    )


@router.post("/second-facteur/preparation", name="preparer_second_facteur")
def preparer_second_facteur(request: Request, mes: MesAccesOuverts) -> HTMLResponse:
    """Tire un second facteur, et le montre une fois."""
    assert mes.session_id
    return page(
        request,
        "compte_second_facteur_code.html",
        prepare=mes.acces.preparer_second_facteur(mes.identite),
    )


@router.post("/second-facteur", name="installer_second_facteur")
def installer_second_facteur(
    request: Request, mes: MesAccesOuverts, saisi: FormulaireRecu
) -> HTMLResponse:
    """Installe le second facteur sur la preuve d’un code, et montre les codes de secours."""
    assert mes.session_id
    try:
        codes = mes.acces.installer_second_facteur(
            mes.identite, saisi.texte("code"), adresse=mes.adresse
        )
    except (CodeRefuse, SecondFacteurNonPrepare, TropDEssais) as refus:
        return page(request, "compte_second_facteur_code.html", refus, prepare=None)
    reponse = page(request, "codes_secours.html", codes=codes, premiers=True)
    mes.renouveler(request, reponse)
    return reponse


@router.post("/codes-de-secours", name="renouveler_codes_secours")
def renouveler_codes_secours(request: Request, mes: MesAccesOuverts) -> HTMLResponse:
    """Tire d’autres codes de secours, et les montre une fois."""
    codes = mes.acces.renouveler_codes_secours(mes.identite, adresse=mes.adresse)
    return page(request, "codes_secours.html", codes=codes, premiers=False)


# --- Sessions ------------------------------------------------------------------------------------


@router.post("/sessions/{session_id}/fermeture", name="revoquer_session")
def revoquer_session(session_id: UUID, mes: MesAccesOuverts) -> Response:
    """Ferme une de mes sessions."""
    # One that ended meanwhile is closed: what was asked is so.
    with suppress(SessionAbsente):
        mes.fermer_session(session_id)
    return vers(_COMPTE, fait="session")


@router.post("/sessions/fermeture", name="revoquer_sessions")
def revoquer_sessions(mes: MesAccesOuverts) -> Response:
    """Ferme mes autres sessions."""
    mes.fermer_les_autres()
    return vers(_COMPTE, fait="sessions")


# --- Tokens --------------------------------------------------------------------------------------


class DemandeDeJeton(BaseModel):
    """A token, as a form asks for it."""

    model_config = ConfigDict(frozen=True)

    nom: str = Field(max_length=80)
    roles: list[Role]
    jours: int = Field(ge=1, le=JETON_MAX.days)
    lecture_seule: bool


@router.get("/jetons/nouveau", name="page_creer_jeton")
def page_creer_jeton(request: Request, mes: MesAccesOuverts) -> HTMLResponse:
    """Affiche le formulaire de création d’un jeton d’accès."""
    return _page_du_jeton(request, mes)


@router.post("/jetons/nouveau", name="creer_mon_jeton")
def creer_mon_jeton(request: Request, mes: MesAccesOuverts, saisi: FormulaireRecu) -> HTMLResponse:
    """Crée un jeton d’accès, et le montre une fois."""
    try:
        demande = saisi.lire(
            DemandeDeJeton,
            nom=saisi.texte("nom"),
            roles=saisi.liste("roles"),
            jours=saisi.texte("jours"),
            lecture_seule=saisi.texte("ecriture") != "oui",
        )
        jeton = mes.creer_jeton(
            demande.nom, list(demande.roles), demande.jours, lecture_seule=demande.lecture_seule
        )
    except (SaisieRefusee, JetonSansRole, DureeDeJetonRefusee) as refus:
        return _page_du_jeton(request, mes, saisi, refus)
    return page(request, "jeton_cree.html", jeton=jeton, nom=demande.nom)


def _page_du_jeton(
    request: Request,
    mes: MesAccesOuverts,
    saisi: FormulaireRecu | None = None,
    refus: SaisieRefusee | Refusal | None = None,
) -> HTMLResponse:
    tenus = dict.fromkeys(a.role for a in mes.identite.attributions)
    return page(
        request,
        "jeton_nouveau.html",
        refus,
        tenus=[(role, ROLES[role]) for role in tenus],
        durees=[(str(jours), dit) for jours, dit in _DUREES],
        nom=saisi.texte("nom") if saisi else "",
        roles=saisi.liste("roles") if saisi else list(tenus),
        jours=saisi.texte("jours") if saisi else "30",
        ecriture=saisi is not None and saisi.texte("ecriture") == "oui",
    )


@router.post("/jetons/{jeton_id}/revocation", name="revoquer_mon_jeton")
def revoquer_mon_jeton(jeton_id: UUID, mes: MesAccesOuverts) -> Response:
    """Révoque un de mes jetons d’accès."""
    with suppress(JetonAbsent):
        mes.revoquer_jeton(jeton_id)
    return vers(_COMPTE, fait="jeton")


# --- Words ---------------------------------------------------------------------------------------

#: What programs write of themselves, the most particular first: each claims to be the former ones.
_NAVIGATEURS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMES = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_AGENT_MONTRE = 60


def appareil(agent: str) -> str:
    """Say a device in a few words: « Firefox, Windows »; what is not known is quoted."""
    navigateur = next((dit for signe, dit in _NAVIGATEURS if signe in agent), None)
    systeme = next((dit for signe, dit in _SYSTEMES if signe in agent), None)
    if navigateur and systeme:
        return f"{navigateur}, {systeme}"
    return agent[:_AGENT_MONTRE] or "Appareil inconnu"
