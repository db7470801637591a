"""What a route asks for: who acts, what it may write, what it may read."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any, TypeVar, TypeVarTuple
from uuid import UUID, uuid5

from fastapi import Depends, Header, Query, Request, Response
from psycopg import Connection
from psycopg.rows import TupleRow
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from aggregates.commande import Commande
from api.droits import DROITS, Regle
from api.porte import (
    EN_TETE_ROLE,
    NonConnecte,
    Personne,
    Portier,
    exiger_son_formulaire,
    habiliter,
)
from api.web import adresse_de, compter
from oi_service.acces.identite import Identite
from oi_service.aggregate import Aggregate, S
from oi_service.application import Acte, Journal, Outcome, Service, Unit, fingerprint
from oi_service.clock import jour
from oi_service.database import POOL_SIZE
from oi_service.dates import Jour
from oi_service.errors import Refusal
from oi_service.personnes.coffre import Coffre
from projections import maquette as projection_maquette
from projections.maquette import Maquette, Subvention
from projections.perimetre import Perimetre, limiter
from projections.situation import ACTUELLE, Situation, situation

#: Where, in the state of a request, a trial puts the service on which to play it.
ESSAI = "service_de_l_essai"
#: And as whom.
QUI_ESSAIE = "identite_de_l_essai"

C = TypeVar("C", bound=Commande)
Ts = TypeVarTuple("Ts")


async def _service(request: Request) -> Service:
    # These functions only look at the request: async, they cost no thread.
    service: Service = _de_l_essai(request) or request.app.state.service
    return service


#: The service that a route uses whole, rather than through a pen or a reader.
ServiceOuvert = Annotated[Service, Depends(_service)]


def _de_l_essai(request: Request) -> Service | None:
    """Return what `api.essai` lends to the requests that it plays; no client can put it there."""
    return getattr(request.state, ESSAI, None)


# --- Persons -------------------------------------------------------------------------------------


def identite_de(request: Request) -> Identite:
    """Return whose account a request comes from.

    Raises: NonConnecte, and what the keeper of the door finds wrong.
    """
    essayee: Identite | None = getattr(request.state, QUI_ESSAIE, None)
    portier: Portier = request.app.state.portier
    trouvee = essayee or portier.identifier(request, regle_de(request))
    if trouvee is None:
        raise NonConnecte
    request.state.identite = trouvee
    return trouvee


def admettre(request: Request, service: Annotated[Service, Depends(_service)]) -> Personne | None:
    """Let in who may take the route, before anything else is done; ``None`` where all may.

    Raises: Unauthenticated, Forbidden, TooManyRequests.
    """
    regle = regle_de(request)
    if regle.publique:
        return None
    qui = identite_de(request)
    if _de_l_essai(request) is None:
        compter(request, qui.identifiant)
    exiger_son_formulaire(service, qui, request)
    entree = habiliter(qui, regle, request.headers.get(EN_TETE_ROLE), request.method)
    if regle.trace is not None and _de_l_essai(request) is None:
        service.acces.tracer(
            regle.trace,
            identifiant=entree.acteur,
            role=entree.role,
            adresse=adresse_de(request),
            objet={"chemin": request.url.path, "requete": request.url.query},
        )
    return entree


def regle_de(request: Request) -> Regle:
    """Return the rule of the route that a request takes."""
    return DROITS[request.scope["route"].name]


def personne(entree: Annotated[Personne | None, Depends(admettre)]) -> Personne:
    """Return who acts, on a route that is not for everybody."""
    assert entree is not None
    return entree


# --- Writing -------------------------------------------------------------------------------------


class _Sortie(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EvenementOut(_Sortie):
    """Un fait enregistré."""

    position: int = Field(description="Numéro du fait dans le journal.")
    nom: str = Field(examples=["operation.dossier_depose.v1"])
    flux: UUID = Field(description="Agrégat auquel le fait appartient.")


class ActeOut(_Sortie):
    """Ce qu’un acte a produit."""

    id: UUID = Field(description="Ce sur quoi l’acte a porté, ou ce qu’il a créé.")
    version: int | None = Field(
        description="Version de l’agrégat après l’acte, à rappeler dans `If-Match` ; "
        "`null` quand l’acte a créé plusieurs agrégats."
    )
    evenements: list[EvenementOut] = Field(
        description="Faits enregistrés ; vide quand tout était déjà ainsi."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EcritureOuverte:
    """The pen of one request: one command, one transaction, committed before the answer leaves."""

    journal: Journal
    personne: Personne
    cle: UUID
    request: Request
    response: Response
    if_match: int | None = None

    def new_id(self, label: str) -> UUID:
        """Derive an identifier from the idempotency key, as `Unit.new_id` does."""
        return uuid5(self.cle, label)

    @property
    def coffre(self) -> Coffre:
        """The keys of persons."""
        return self.journal.coffre

    def etat(self, aggregate: Aggregate[S], stream_id: UUID) -> S | None:
        """Return how an aggregate stands before the act, ``None`` when there is none."""
        stored = self.journal.recorder.select_streams([stream_id]).get(stream_id, [])
        if stored and not stored[0].topic.startswith(f"{aggregate.name}."):
            # The identifier of something else: of this kind, there is nothing.
            return None
        return aggregate.replay(self.journal.decode(s) for s in stored)

    def decide(
        self,
        aggregate: Aggregate[S],
        stream_id: UUID,
        decision: Callable[[S, C, *Ts], list[Any]],
        commande: C,
        *context: *Ts,
    ) -> ActeOut:
        """Run a decision that needs one stream only."""

        def work(unit: Unit) -> object:
            return unit.execute(aggregate, stream_id, decision, commande, *context)

        return self._execute(work, commande, stream_id)

    def run(
        self,
        action: Callable[[Unit, UUID, C, *Ts], object],
        stream_id: UUID,
        commande: C,
        *args: *Ts,
        target: UUID | None = None,
        new: UUID | None = None,
        location: str | None = None,
        secret: bytes | None = None,
    ) -> ActeOut:
        """Run an action on several streams.

        Args:
            action: from `api.actions`.
            stream_id: what the action starts from.
            commande: what the person asks.
            args: what else the action wants.
            target: the aggregate whose version counts, when it is not ``stream_id``.
            new: what the act makes inside an aggregate (a bilan, a payment).
            location: where what the act makes can be read; answered as ``Location``.
            secret: keys the digest of a demand that holds personal data.
        """

        def work(unit: Unit) -> object:
            return action(unit, stream_id, commande, *args)

        acte = self._execute(work, commande, target or stream_id, new, secret)
        if location is not None:
            self.response.headers["Location"] = location
        return acte

    def une_fois(
        self, commande: Commande, target: UUID, faire: Callable[[Acte], Outcome]
    ) -> ActeOut:
        """Do what does more than record, and cannot be undone.

        A key that was already accepted gets its first answer, and nothing is done again.
        """
        acte = self._acte(commande, target)
        deja = self.journal.outcome_of(acte)
        return self._answer(deja if deja.events else faire(acte), target, None)

    def _execute(
        self,
        work: Callable[[Unit], object],
        commande: Commande,
        target: UUID,
        new: UUID | None = None,
        secret: bytes | None = None,
    ) -> ActeOut:
        outcome = self.journal.execute(self._acte(commande, target, secret), work)
        return self._answer(outcome, target, new)

    def _acte(self, commande: Commande, target: UUID, secret: bytes | None = None) -> Acte:
        # The command as it was understood: spaces and the order of keys make no other demand.
        asked = commande.model_dump_json(exclude_unset=True)
        return Acte(
            acteur=self.personne.acteur,
            role=self.personne.role,
            command_id=self.cle,
            fingerprint=fingerprint(
                self.request.method, self.request.url.path, asked, secret=secret
            ),
            target=target,
            if_match=self.if_match,
            plies=self.personne.plies,
            detachee_par=self.personne.detachee_par,
        )

    def _answer(self, outcome: Outcome, target: UUID, new: UUID | None) -> ActeOut:
        # An act may decide on a stream without moving it: the version seen is then still right.
        version = outcome.version_of(target) or self.if_match
        if version is not None:
            self.response.headers["ETag"] = f'"{version}"'
        if outcome.replayed:
            self.response.headers["Idempotent-Replayed"] = "true"
        return ActeOut(
            id=new or target,
            version=version,
            evenements=[
                EvenementOut(position=e.position, nom=e.name, flux=e.stream_id)
                for e in outcome.events
            ],
        )


CleIdempotence = Annotated[
    UUID,
    Header(
        alias="Idempotency-Key",
        description="UUID choisi par le client pour cet acte : le renvoyer rend la même réponse, "
        "sans rien enregistrer deux fois.",
    ),
]
VersionAttendue = Annotated[
    str,
    Header(
        alias="If-Match",
        pattern=r'^"\d{1,9}"$',
        description="Version de l’agrégat que la personne a sous les yeux (son `ETag`).",
        examples=['"3"'],
    ),
]


async def creation(
    request: Request,
    response: Response,
    service: Annotated[Service, Depends(_service)],
    personne: Annotated[Personne, Depends(personne)],
    cle: CleIdempotence,
) -> EcritureOuverte:
    """Open an act that makes an aggregate."""
    return EcritureOuverte(
        journal=service.journal, personne=personne, cle=cle, request=request, response=response
    )


async def ecriture(
    request: Request,
    response: Response,
    service: Annotated[Service, Depends(_service)],
    personne: Annotated[Personne, Depends(personne)],
    cle: CleIdempotence,
    if_match: VersionAttendue,
) -> EcritureOuverte:
    """Open an act on an aggregate that exists, at the version that the person saw."""
    return EcritureOuverte(
        journal=service.journal,
        personne=personne,
        cle=cle,
        request=request,
        response=response,
        # A trial is about things as they are, not as somebody saw them.
        if_match=None if _de_l_essai(request) else int(if_match.strip('"')),
    )


#: The route makes an aggregate.
Creation = Annotated[EcritureOuverte, Depends(creation)]
#: The route acts on an aggregate that exists.
Ecriture = Annotated[EcritureOuverte, Depends(ecriture)]


# --- Reading -------------------------------------------------------------------------------------


class LectureOuverte:
    """A reader: a connection that the database itself keeps from writing, and a perimeter.

    Who reads some PLIE has a connection on which the database shows nothing else.
    """

    def __init__(self, service: Service, stack: ExitStack, perimetre: Perimetre) -> None:
        self._service = service
        self._stack = stack
        self.perimetre = perimetre

    @cached_property
    def conn(self) -> Connection[TupleRow]:
        """The connection, taken where it is first used and given back with the reader."""
        if self.perimetre.plie_ids is None:
            return self._stack.enter_context(self._service.reads.connection())
        conn = self._stack.enter_context(self._service.reads_limites.connection())
        limiter(conn, self.perimetre)
        return conn


def perimetre(personne: Annotated[Personne, Depends(personne)]) -> Perimetre:
    """Return the territory of the reader."""
    return personne.perimetre


def file_des_essais() -> asyncio.Semaphore:
    """Return the queue of trials, one at a time: each makes those who write wait."""
    return asyncio.Semaphore(1)


def file_de_lecture() -> asyncio.Semaphore:
    """Return the queue where readers wait, as many at a time as there are connections."""
    return asyncio.Semaphore(POOL_SIZE)


async def lecture(
    request: Request,
    service: Annotated[Service, Depends(_service)],
    perimetre: Annotated[Perimetre, Depends(perimetre)],
) -> AsyncIterator[LectureOuverte]:
    """Open a reader for one request.

    Readers queue here, where waiting costs nothing. If they queued for a connection they would each
    hold a thread, and whoever holds a connection would wait for ever for a thread to go on with.
    """
    async with request.app.state.lecteurs:
        with ExitStack() as stack:
            yield LectureOuverte(service, stack, perimetre)


#: The route reads only. Its connection goes back before the answer leaves.
Lecture = Annotated[LectureOuverte, Depends(lecture, scope="function")]
#: The same for an answer that goes on reading while it leaves.
LectureContinue = Annotated[LectureOuverte, Depends(lecture, scope="request")]


# --- Two dates -----------------------------------------------------------------------------------


class ConnuLeIllisible(Refusal):
    """« {recu} » ne dit pas jusqu’où le journal est lu : indiquez un jour (2021-12-31), un instant
    ISO 8601 avec son fuseau, ou le numéro d’un événement (1842).
    """


def lire_connu_le(recu: str) -> int | date | datetime:
    """Read what bounds the knowledge: a position of the log, a Paris day, or an instant.

    Raises: ConnuLeIllisible.
    """
    try:
        if re.fullmatch(r"\d{1,18}", recu):
            return int(recu)
        if len(recu) == _LONGUEUR_JOUR:
            return TypeAdapter(Jour).validate_python(recu)
        instant = datetime.fromisoformat(recu)
        # A year outside is a typing error, which no time zone could be applied to.
        TypeAdapter(Jour).validate_python(instant.date().isoformat())
    except ValueError:
        raise ConnuLeIllisible(recu=recu) from None
    if instant.tzinfo is None:
        raise ConnuLeIllisible(recu=recu)
    return instant


_LONGUEUR_JOUR = len("2021-12-31")


#: What the two dates mean at every address that takes them.
EFFET_AU = "Dernier jour d’effet compté ; tous à défaut."
CONNU_LE = (
    "Jour (jusqu’à son minuit, à Paris), instant avec son fuseau, ou numéro d’événement "
    "jusqu’auquel le journal compte ; tout le journal à défaut."
)
CONNU_LE_EXEMPLES = ["2021-12-31", "1842"]
#: Longest text that may bound the knowledge.
CONNU_LE_MAX = 40


def situation_demandee(
    lecture: Lecture,
    effet_au: Annotated[Jour | None, Query(description=EFFET_AU)] = None,
    connu_le: Annotated[
        str | None,
        Query(max_length=CONNU_LE_MAX, description=CONNU_LE, examples=CONNU_LE_EXEMPLES),
    ] = None,
) -> Situation:
    """Return the situation that an address asks for."""
    connu = None if connu_le is None else lire_connu_le(connu_le)
    return situation(lecture.conn, effet_au, connu)


#: The route answers at two dates.
SituationDemandee = Annotated[Situation, Depends(situation_demandee)]


@dataclass(frozen=True, slots=True)
class Dates:
    """The two dates that the address of a page asks for, as they were written and as they are read.

    A page whose dates cannot be read says so (``refus_``): it has a form to write them again.
    """

    au: str = ""
    connu_le: str = ""
    situation: Situation = ACTUELLE
    connu: int | date | datetime | None = None
    refus_au: str | None = None
    refus_connu_le: str | None = None

    @property
    def lisibles(self) -> bool:
        """Tell whether both dates could be read."""
        return self.refus_au is None and self.refus_connu_le is None

    @property
    def requete(self) -> dict[str, str]:
        """What an address must repeat to stay in the same situation."""
        asked = {"au": self.au, "connu_le": self.connu_le}
        return {name: text for name, text in asked.items() if text}

    @property
    def jour(self) -> date | None:
        """The day at which the reader stands, when the dates say it."""
        if self.situation.effet_au is not None or isinstance(self.connu, int | None):
            return self.situation.effet_au
        return jour(self.connu) if isinstance(self.connu, datetime) else self.connu


#: The page is the current one.
PRESENT = Dates()


def dates_demandees(
    lecture: Lecture,
    au: Annotated[str, Query()] = "",
    connu_le: Annotated[str, Query()] = "",
) -> Dates:
    """Read the two dates of a page; an empty field asks for nothing."""
    au, connu_le = au.strip()[:CONNU_LE_MAX], connu_le.strip()[:CONNU_LE_MAX]
    effet_au = connu = refus_au = refus_connu_le = None
    try:
        effet_au = TypeAdapter(Jour).validate_python(au) if au else None
    except ValueError:
        refus_au = (
            f"« {au} » n’est pas un jour auquel arrêter la situation : indiquez-le sous la forme "
            "AAAA-MM-JJ, par exemple 2021-12-31, entre 1950 et 2150."
        )
    try:
        connu = lire_connu_le(connu_le) if connu_le else None
    except ConnuLeIllisible as refus:
        refus_connu_le = str(refus)
    return Dates(
        au=au,
        connu_le=connu_le,
        situation=situation(lecture.conn, effet_au, connu),
        connu=connu,
        refus_au=refus_au,
        refus_connu_le=refus_connu_le,
    )


#: The page answers at two dates.
DatesDemandees = Annotated[Dates, Depends(dates_demandees)]


# --- The figures of the pages --------------------------------------------------------------------


def subventions_au_choix(lecture: Lecture) -> Sequence[Subvention]:
    """Return the subventions globales that the reader may open."""
    return projection_maquette.subventions(lecture.conn, lecture.perimetre)


def maquette_courante(
    lecture: Lecture,
    dates: DatesDemandees,
    subventions: Annotated[Sequence[Subvention], Depends(subventions_au_choix)],
    subvention: Annotated[str | None, Query()] = None,
) -> Maquette | None:
    """Return the maquette of the subvention globale asked for, of the last one by default.

    ``None`` when there is none, or when the situation does not know it yet.
    """
    # An address that names what does not exist (any more) shows the page as it opens.
    asked = next((s.id for s in subventions if str(s.id) == subvention), None)
    return projection_maquette.charger(lecture.conn, lecture.perimetre, asked, dates.situation)
