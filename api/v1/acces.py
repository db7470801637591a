"""One's own way in: the session, the tokens; and the traces, for those who watch over them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, StringConstraints

from aggregates.commande import Saisie
from api.deps import ServiceOuvert
from api.droits import Role
from api.errors import refus
from api.mes_acces import MesAccesOuverts, effacer_biscuit, filtres_des_traces
from api.porte import Acteur
from api.v1.representations import PageOut, Representation
from oi_service.acces.acces import JETON_MAX
from oi_service.acces.traces import Nature
from oi_service.dates import Jour
from projections.curseurs import LIMITE_MAXIMALE, LIMITE_PAR_DEFAUT, ecrire, lire

router = APIRouter(tags=["Accès"])

#: A code of an application; what it is made of is not said here.
_Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]


# --- The session ---------------------------------------------------------------------------------


class RoleTenuOut(Representation):
    """Un rôle tenu aujourd’hui."""

    role: Role
    plies: list[str] = Field(description="Territoire ; vide pour l’OI entier.")


class QuiSuisJeOut(Representation):
    """Qui vous êtes pour le service, et ce que vous pouvez y tenir aujourd’hui."""

    identifiant: str
    nom: str
    moyen: Literal["session", "jeton"]
    roles: list[RoleTenuOut]
    detachee_par: list[str] = Field(description="PLIE qui vous emploient aujourd’hui.")
    lecture_seule: bool
    renforcee: bool = Field(description="Le second facteur vient d’être donné.")
    second_facteur_a_installer: bool
    session_id: UUID | None
    expire_le: datetime | None = Field(
        description="Fin de la session au plus tard ; elle finit avant si elle ne sert pas."
    )


class SessionOut(Representation):
    """Une session ouverte."""

    id: UUID
    ouverte_le: datetime
    vue_le: datetime
    expire_le: datetime
    adresse: str
    agent: str = Field(description="Navigateur, tel qu’il se présente.")


class Renforcement(Saisie):
    """A code of one's second factor."""

    code: _Code


@router.get("/session")
def lire_session(mes: MesAccesOuverts) -> QuiSuisJeOut:
    """Dire qui vous êtes, vos rôles, votre territoire et la fin de votre session."""
    qui = mes.identite
    session = next((s for s in mes.acces.sessions(qui.identifiant) if s.id == qui.session_id), None)
    return QuiSuisJeOut(
        identifiant=qui.identifiant,
        nom=qui.nom,
        moyen=qui.moyen,
        roles=[RoleTenuOut(role=a.role, plies=sorted(a.plies)) for a in qui.attributions],
        detachee_par=sorted(qui.detachee_par),
        lecture_seule=qui.lecture_seule,
        renforcee=qui.renforcee,
        second_facteur_a_installer=qui.second_facteur_a_installer,
        session_id=qui.session_id,
        expire_le=None if session is None else session.expire_le,
    )


@router.get("/sessions")
def lister_sessions(mes: MesAccesOuverts) -> list[SessionOut]:
    """Lister vos sessions ouvertes, la dernière vue d’abord."""
    return [SessionOut.model_validate(s) for s in mes.acces.sessions(mes.identite.identifiant)]


@router.post("/session/fermeture", status_code=204, responses=refus(404))
def fermer_session(mes: MesAccesOuverts, request: Request, response: Response) -> None:
    """Fermer la session de cette demande."""
    mes.fermer_session(mes.session_id)
    effacer_biscuit(request, response)


@router.post("/sessions/{session_id}/fermeture", status_code=204, responses=refus(404))
def fermer_une_session(session_id: UUID, mes: MesAccesOuverts) -> None:
    """Fermer une de vos sessions."""
    mes.fermer_session(session_id)


@router.post("/session/renforcement", status_code=204, responses=refus(404, 422))
def renforcer_session(
    demande: Renforcement, mes: MesAccesOuverts, request: Request, response: Response
) -> None:
    """Donner un code de votre second facteur, pour un acte qui se signe.

    La session continue sous un autre cookie.
    """
    mes.renforcer(demande.code, request, response)


# --- Tokens --------------------------------------------------------------------------------------


class CreationDeJeton(Saisie):
    """Ask for a token."""

    nom: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)] = (
        Field(description="À quoi il sert.", examples=["Export mensuel"])
    )
    roles: Annotated[list[Role], Field(min_length=1, max_length=7)]
    jours: Annotated[int, Field(strict=True, ge=1, le=JETON_MAX.days)] = Field(
        description="Durée, en jours."
    )
    lecture_seule: bool = True


class JetonOut(Representation):
    """Un jeton d’accès, sans le jeton."""

    id: UUID
    nom: str
    roles: list[Role]
    lecture_seule: bool
    cree_le: datetime
    expire_le: datetime
    dernier_usage: datetime | None


class JetonCreeOut(Representation):
    """Un jeton d’accès, montré une seule fois."""

    jeton: str = Field(description="À mettre dans l’en-tête `Authorization: Bearer …`.")


@router.get("/jetons")
def lister_jetons(mes: MesAccesOuverts) -> list[JetonOut]:
    """Lister vos jetons d’accès qui servent encore."""
    return [JetonOut.model_validate(j) for j in mes.acces.jetons(mes.identite.identifiant)]


@router.post("/jetons", status_code=201, responses=refus(409, 422))
def creer_jeton(demande: CreationDeJeton, mes: MesAccesOuverts) -> JetonCreeOut:
    """Créer un jeton d’accès pour un programme, dans des rôles que vous tenez."""
    jeton = mes.creer_jeton(
        demande.nom, list(demande.roles), demande.jours, lecture_seule=demande.lecture_seule
    )
    return JetonCreeOut(jeton=jeton)


@router.post("/jetons/{jeton_id}/revocation", status_code=204, responses=refus(404))
def revoquer_jeton(jeton_id: UUID, mes: MesAccesOuverts) -> None:
    """Révoquer un de vos jetons d’accès."""
    mes.revoquer_jeton(jeton_id)


# --- Traces --------------------------------------------------------------------------------------


class TraceOut(Representation):
    """Une entrée, un refus, une sortie de données."""

    id: int
    instant: datetime
    nature: Nature
    identifiant: str | None = Field(description="`null` quand aucun compte n’est en cause.")
    role: str | None
    adresse: str | None
    objet: dict[str, Any]


@router.get("/traces", responses=refus(422))
def lister_traces(
    service: ServiceOuvert,
    nature: Nature | None = None,
    identifiant: Acteur | None = None,
    jour: Annotated[Jour | None, Query(description="Un jour, à Paris.")] = None,
    limite: Annotated[int, Query(ge=1, le=LIMITE_MAXIMALE)] = LIMITE_PAR_DEFAUT,
    apres: Annotated[
        str | None,
        Query(max_length=2000, description="`suivant` de la page précédente, sans le modifier."),
    ] = None,
) -> PageOut[TraceOut]:
    """Lister les traces des accès, les dernières d’abord."""
    (avant,) = lire(apres, "traces", int)
    assert avant is None or isinstance(avant, int)
    page = service.acces.traces(
        filtres_des_traces(nature, identifiant, jour), avant=avant, limite=limite
    )
    return PageOut(
        lignes=[TraceOut.model_validate(t) for t in page.traces],
        suivant=None if page.suivant is None else ecrire("traces", (page.suivant,)),
    )
