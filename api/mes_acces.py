"""One's own way in, by both doors: the session of a browser, its cookie, one's tokens."""

from datetime import datetime, time, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from api.deps import ServiceOuvert
from api.porte import RenforcementRequis, cookie
from api.web import adresse_de
from oi_service.acces.acces import Acces
from oi_service.acces.identite import Identite
from oi_service.acces.traces import FiltresTraces, Nature
from oi_service.clock import PARIS
from oi_service.dates import Jour
from oi_service.errors import Forbidden


class SessionRequise(Forbidden):
    """Ceci demande que vous soyez connecté en personne : un jeton d’accès n’y suffit pas."""


class MesAcces:
    """What somebody does to their own way in."""

    def __init__(self, acces: Acces, identite: Identite, adresse: str) -> None:
        self.acces = acces
        self.identite = identite
        self.adresse = adresse

    @property
    def session_id(self) -> UUID:
        """The session of the request.

        Raises: SessionRequise.
        """
        if self.identite.session_id is None:
            raise SessionRequise
        return self.identite.session_id

    def renforcer(self, code: str, request: Request, response: Response) -> None:
        """Prove the second factor again.

        Raises: SessionRequise, and those of `Acces.renforcer`.
        """
        self.acces.renforcer(self.session_id, code, adresse=self.adresse)
        self.renouveler(request, response)

    def renouveler(self, request: Request, response: Response) -> None:
        """Change the token of a session that can do more, or whose password changed.

        Whoever knew the former one is left with nothing.
        """
        poser_biscuit(request, response, self.acces.renouveler(self.session_id))

    def fermer_session(self, session_id: UUID) -> None:
        """Close one of one's sessions, this one or another.

        Raises: SessionRequise, SessionAbsente.
        """
        assert self.session_id
        self.acces.fermer_session(self.identite.identifiant, session_id, adresse=self.adresse)

    def fermer_les_autres(self) -> int:
        """Close every session but this one; return how many."""
        return self.acces.fermer_toutes(
            self.identite.identifiant, sauf=self.session_id, adresse=self.adresse
        )

    def creer_jeton(self, nom: str, roles: list[str], jours: int, *, lecture_seule: bool) -> str:
        """Create a token; who has a second factor gives a code first, since a token needs none.

        Raises: SessionRequise, RenforcementRequis, JetonSansRole, DureeDeJetonRefusee.
        """
        assert self.session_id
        if self.acces.fiche(self.identite.identifiant).second_facteur and not (
            self.identite.renforcee
        ):
            raise RenforcementRequis
        return self.acces.creer_jeton(
            self.identite,
            nom,
            roles,
            timedelta(days=jours),
            lecture_seule=lecture_seule,
            adresse=self.adresse,
        )

    def revoquer_jeton(self, jeton_id: UUID) -> None:
        """Revoke one of one's tokens.

        Raises: SessionRequise, JetonAbsent.
        """
        assert self.session_id
        self.acces.revoquer_jeton(self.identite.identifiant, jeton_id, adresse=self.adresse)


async def mes_acces(request: Request, service: ServiceOuvert) -> MesAcces:
    """Lend one's own way in, on a route that asks for an account."""
    return MesAcces(service.acces, request.state.identite, adresse_de(request))


MesAccesOuverts = Annotated[MesAcces, Depends(mes_acces)]


def poser_biscuit(request: Request, response: Response, jeton: str, nom: str | None = None) -> None:
    """Give a browser the token of a session, for as long as the browser is open.

    ``Lax`` and not ``Strict``: a link in an e-mail to a dossier must open it, and nothing that
    writes is asked by a link; forms of other sites are refused by their origin.
    """
    response.set_cookie(
        nom or cookie(request),
        jeton,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def effacer_biscuit(request: Request, response: Response, nom: str | None = None) -> None:
    """Take the token back from a browser."""
    response.delete_cookie(
        nom or cookie(request),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def filtres_des_traces(
    nature: Nature | None, identifiant: str | None, jour: Jour | None
) -> FiltresTraces:
    """Return the traces of a kind, of an account, of a day in Paris."""
    return FiltresTraces(
        nature=nature,
        identifiant=identifiant,
        du=None if jour is None else _minuit(jour),
        au=None if jour is None else _minuit(jour + timedelta(days=1)),
    )


def _minuit(jour: Jour) -> datetime:
    return datetime.combine(jour, time(), PARIS)
