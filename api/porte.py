"""The door: who comes in, by which proof, and in which role they act."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol
from uuid import UUID

from pydantic import StringConstraints
from starlette.requests import Request

from api.droits import ROLES, Regle
from api.web import adresse_de
from oi_service.acces.acces import Acces
from oi_service.acces.identite import Attribution, Identite
from oi_service.application import Service
from oi_service.errors import Forbidden, Unauthenticated
from projections.histoire import ROLES as LIBELLES
from projections.perimetre import Perimetre

#: The cookie of a session: over TLS, a name that only this host can set.
COOKIE_TLS = "__Host-oi"
COOKIE_LOCAL = "oi"
#: How a request says in which role it acts, for who holds several.
EN_TETE_ROLE = "OI-Role"
#: Where the address of a form that is sent again says in which session it was filled.
RENVOI = "_renvoi"
#: Methods that change nothing.
LECTURES = frozenset({"GET", "HEAD"})
#: The role of who has an account and no role: the log never sees it.
SANS_ROLE = "sans_role"

#: How the log calls a person: an opaque identifier, which it keeps for ever. Neither an e-mail
#: address nor a name with its spaces is one.
Acteur = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


class NonConnecte(Unauthenticated):
    """Connectez-vous d’abord : cette adresse demande une session ouverte, ou un jeton d’accès dans
    l’en-tête Authorization.
    """


class JetonRefuse(Unauthenticated):
    """Ce jeton d’accès n’ouvre rien : il est inconnu, expiré ou révoqué. Demandez-en un autre sur
    la page de votre compte.
    """


class RoleInsuffisant(Forbidden):
    """Votre compte n’a pas de rôle pour cela aujourd’hui : il y faut {roles}. Un administrateur
    attribue les rôles.
    """


class RoleNonTenu(Forbidden):
    """Votre compte ne tient pas aujourd’hui le rôle « {role} », ou ce rôle ne permet pas cela."""


class LectureSeule(Forbidden):
    """Ce jeton d’accès est en lecture seule : il ne peut rien enregistrer."""


class RenforcementRequis(Forbidden):
    """Cet acte se signe : donnez d’abord un code de votre second facteur, puis recommencez."""


class RempliParUnAutre(Forbidden):
    """Ce formulaire a été rempli sous un autre compte que celui qui est ouvert ici : il ne peut pas
    être enregistré sous votre nom.
    """


class SecondFacteurAInstaller(Forbidden):
    """Votre rôle demande un second facteur : installez-le sur la page de votre compte, puis
    recommencez.
    """


@dataclass(frozen=True, slots=True)
class Personne:
    """Who acts, in which role, on which territory (``None``: all of the OI), employed by whom."""

    acteur: str
    role: str
    plies: frozenset[str] | None = None
    detachee_par: frozenset[str] = frozenset()

    @property
    def perimetre(self) -> Perimetre:
        """What the person may read."""
        return Perimetre(self.plies)


class Portier(Protocol):
    """Who says, of a request, who it comes from."""

    def identifier(self, request: Request, regle: Regle) -> Identite | None:
        """Return who a request comes from, ``None`` when it brings no proof.

        Raises: Unauthenticated, when what it brings is no good.
        """


@dataclass(frozen=True, slots=True)
class PortierDesComptes:
    """Believes sessions and tokens of accounts, and nothing else."""

    acces: Acces

    def identifier(self, request: Request, regle: Regle) -> Identite | None:
        """Look at the token, else at the cookie of the session."""
        del regle  # The same proof opens every route.
        genre, _, jeton = request.headers.get("authorization", "").partition(" ")
        if genre.lower() == "bearer":
            identite = self.acces.identite_de_jeton(jeton.strip())
            if identite is None:
                raise JetonRefuse
            return identite
        biscuit = request.cookies.get(cookie(request))
        if biscuit is None:
            return None
        return self.acces.identite_de_session(biscuit, adresse_de(request))


def cookie(request: Request) -> str:
    """Return the name of the cookie: over TLS, the plain one proves nothing."""
    return COOKIE_TLS if request.url.scheme == "https" else COOKIE_LOCAL


def exiger_son_formulaire(service: Service, identite: Identite, request: Request) -> None:
    """Refuse, under one name, a form that was filled under another.

    The session that its address names is looked up here: whoever changes that name does no more
    than write the form themselves, under their own name and with their own rights.

    Raises: RempliParUnAutre.
    """
    dite = request.query_params.get(RENVOI)
    if dite is None or request.method in LECTURES:
        return
    try:
        auteur = service.acces.titulaire(UUID(dite))
    except ValueError:
        auteur = None
    if auteur != identite.identifiant:
        raise RempliParUnAutre


def habiliter(identite: Identite, regle: Regle, demande: str | None, methode: str) -> Personne:
    """Return as whom an account takes a route.

    Args:
        identite: who it is.
        regle: what the route asks.
        demande: the role in which the person wants to act; the first that fits by default.
        methode: reading adds up what every role shows; writing is done in one role.

    Raises: SecondFacteurAInstaller, RoleInsuffisant, RoleNonTenu, LectureSeule, RenforcementRequis.
    """
    if identite.second_facteur_a_installer and not regle.sans_second_facteur:
        raise SecondFacteurAInstaller
    tenues = [a for a in identite.attributions if regle.roles is None or a.role in regle.roles]
    choisies = [a for a in tenues if demande in {None, a.role}]
    if demande is not None and not choisies:
        raise RoleNonTenu(role=LIBELLES.get(demande, demande))
    if regle.roles is not None and not choisies:
        raise RoleInsuffisant(roles=" ou ".join(f"« {LIBELLES[r]} »" for r in regle.roles))
    if methode not in LECTURES and identite.lecture_seule:
        raise LectureSeule
    if regle.renforcee and not identite.renforcee:
        raise RenforcementRequis
    ordre = regle.roles or ROLES
    rangees = sorted(choisies, key=lambda a: (ordre.index(a.role), bool(a.plies)))
    role, plies = _territoire(rangees, tout=methode in LECTURES)
    return Personne(identite.identifiant, role, plies, identite.detachee_par)


def _territoire(tenues: Sequence[Attribution], *, tout: bool) -> tuple[str, frozenset[str] | None]:
    """Return the first role and its territory; with ``tout``, that of all the roles together."""
    if not tenues:
        return SANS_ROLE, frozenset()
    # Who reads the whole OI by one role is not narrowed by another one.
    entieres = [a for a in tenues if not a.plies and (tout or a.role == tenues[0].role)]
    if entieres:
        return entieres[0].role, None
    role = tenues[0].role
    return role, frozenset().union(*(a.plies for a in tenues if tout or a.role == role))
