"""The trial of decisions: what they would do, played for real and undone (docs/adr/0014-essai.md).

The commands go through their own routes, as requests inside the process, on one connection whose
transaction is always rolled back: a trial and the real thing cannot tell two stories.
"""

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import psycopg
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from psycopg import Connection
from psycopg.rows import TupleRow
from pydantic import Field
from starlette.routing import compile_path
from starlette.types import Message

from aggregates.commande import Saisie
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE
from api.deps import ESSAI, QUI_ESSAIE, creation, ecriture
from api.droits import Role
from api.errors import Probleme, probleme
from api.porte import Acteur
from oi_service.acces.identite import Attribution, Identite
from oi_service.application import Journal, Service
from oi_service.errors import Busy, NotFound
from oi_service.ids import new_id
from projections.journal import EvenementLu, enregistres_apres
from projections.maquette import HORS_PLIE, QUANTITES, Chiffres, Maquette, charger
from projections.perimetre import Perimetre
from projections.portee import subventions_touchees

#: Whoever writes waits for the end of a trial: past this, the database ends it.
DUREE_MAXIMALE = timedelta(seconds=5)
#: Enough for a control from its opening to its validation, and short enough to wait for.
COMMANDES_MAX = 20

_REFERENCE = re.compile(r"\$([1-9]\d?)\.(id|evenements\.(\d{1,4})\.flux)")


class EssaiInterrompu(Busy):
    """L’essai n’est pas allé à son terme : il a duré plus de {secondes} secondes, ou la base de
    données a cessé de répondre. Rien n’est enregistré ; essayez moins de commandes à la fois.
    """


class CommandeVisee(NotFound):
    """« {reference} » désigne ce que ferait la commande n° {rang}, qui est refusée ou ne fait rien
    de tel : celle-ci ne peut pas être essayée.
    """


# --- What is asked -------------------------------------------------------------------------------


class PersonneSaisie(Saisie):
    """Somebody else than the person who tries, where two must act."""

    acteur: Acteur
    role: Role


class CommandeAEssayer(Saisie):
    """A command, written as the request that would record it."""

    chemin: Annotated[str, Field(max_length=500, pattern=r"^/api/v1(/[A-Za-z0-9.$_-]+)+$")] = Field(
        description="Adresse de la commande.",
        examples=["/api/v1/subventions-globales/5f0c…/transferts"],
    )
    corps: dict[str, Any] = Field(
        description="Corps de la commande ; `$1.id` y vaut, comme dans `chemin`, l’identifiant que "
        "répond la commande n° 1, et `$1.evenements.0.flux` le flux de son premier fait."
    )
    personne: PersonneSaisie | None = Field(
        None, description="Qui la ferait, si c’est quelqu’un d’autre que l’auteur de l’essai."
    )


class DemandeEssai(Saisie):
    """Decisions to try, one after the other, each on what the former ones made."""

    commandes: tuple[CommandeAEssayer, ...] = Field(min_length=1, max_length=COMMANDES_MAX)
    subvention_globale_id: UUID | None = Field(
        None, description="Maquette à comparer, même si l’essai n’y touche pas."
    )


# --- What is found -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CommandeJouee:
    """What became of a command: the facts that it would record, or why it is refused."""

    rang: int
    chemin: str  #: with its references replaced
    statut: int  #: of the answer over HTTP
    id: UUID | None  #: what the answer says that it made or changed
    evenements: tuple[EvenementLu, ...]
    refus: Probleme | None


_SOLDES = ("cp_maquette", "disponible_a_programmer", "reste_a_consommer")


@dataclass(frozen=True, slots=True)
class Comparaison:
    """The same figures before and after."""

    avant: Chiffres
    apres: Chiffres

    @property
    def ecarts(self) -> dict[str, int]:
        """After minus before, in cents, of each amount that differs."""
        montants = [nom for nom in (*QUANTITES, *_SOLDES) if nom != "nb_operations"]
        found = {nom: getattr(self.apres, nom) - getattr(self.avant, nom) for nom in montants}
        return {nom: ecart for nom, ecart in found.items() if ecart}

    @property
    def ecart_operations(self) -> int:
        """Operations programmed, after minus before."""
        return self.apres.nb_operations - self.avant.nb_operations


@dataclass(frozen=True, slots=True)
class ComparaisonPlie:
    """A PLIE, or what no PLIE holds, before and after."""

    plie_id: str
    plie_nom: str
    chiffres: Comparaison


@dataclass(frozen=True, slots=True)
class MaquetteComparee:
    """The maquette of one subvention globale before and after."""

    subvention_globale_id: UUID
    numero: str
    oi_nom: str
    fictive: bool
    par_plie: tuple[ComparaisonPlie, ...]
    total: Comparaison


@dataclass(frozen=True, slots=True)
class Essai:
    """What a trial showed.

    ``position_apres`` is read when all is undone: greater than ``position_avant`` only if somebody
    else recorded something since.
    """

    position_avant: int
    position_apres: int
    commandes: tuple[CommandeJouee, ...]
    maquettes: tuple[MaquetteComparee, ...]

    @property
    def regles_enfreintes(self) -> list[CommandeJouee]:
        """The commands that are refused."""
        return [jouee for jouee in self.commandes if jouee.refus is not None]


# --- The trial -----------------------------------------------------------------------------------


class _Seule:
    """The connection of the trial, lent as a pool would: what fails is undone, the rest stays."""

    def __init__(self, conn: Connection[TupleRow]) -> None:
        self._conn = conn

    @contextmanager
    def connection(self) -> Iterator[Connection[TupleRow]]:
        with self._conn.transaction():
            yield self._conn


@contextmanager
def _transaction_defaite(service: Service) -> Iterator[Connection[TupleRow]]:
    """Lend a connection in a transaction that the database bounds, and that is always undone."""
    duree = f"{DUREE_MAXIMALE // timedelta(milliseconds=1)}ms"
    with service.journal.pool.connection() as conn:
        try:
            with conn.transaction(force_rollback=True):
                conn.execute("SELECT set_config('transaction_timeout', %s, true)", (duree,))
                yield conn
        except (psycopg.errors.TransactionTimeout, psycopg.OperationalError) as cut:
            raise _interruption() from cut


def _interruption() -> EssaiInterrompu:
    return EssaiInterrompu(secondes=DUREE_MAXIMALE.seconds)


def essayer(
    app: FastAPI,
    service: Service,
    demande: DemandeEssai,
    identite: Identite,
    perimetre: Perimetre,
) -> Essai:
    """Play commands and undo them. Blocking: not for a thread that runs an event loop.

    Raises: RequestValidationError, EssaiInterrompu, or what says that the subvention named does
    not exist.
    """
    _exiger_commandes(app, demande.commandes)
    cles = [new_id() for _ in demande.commandes]
    with _transaction_defaite(service) as conn:
        seule = _Seule(conn)
        # From here nobody else writes: what moves is what the commands do.
        coffre = service.coffre.a_l_essai()
        journal = Journal(seule, service.journal.guards, coffre, service.pieces)
        position = journal.recorder.hold()
        joue = replace(service, journal=journal, reads=seule, reads_limites=seule)
        scene = _Scene(app, joue, identite, perimetre)
        with conn.transaction(force_rollback=True):
            reponses = scene.jouer(demande.commandes, cles)
            faits = enregistres_apres(conn, perimetre, position)
            apres = _maquettes(conn, perimetre, _visees(conn, perimetre, demande, position))
        avant = _maquettes(conn, perimetre, apres)
    nommee = demande.subvention_globale_id
    if nommee is not None and nommee not in apres:
        raise SUBVENTION_GLOBALE.absent(id=nommee)
    return Essai(
        position_avant=position,
        position_apres=_relire(service, cles),
        commandes=tuple(_raconter(reponses, faits)),
        maquettes=tuple(_comparer(avant.get(sg), maquette) for sg, maquette in apres.items()),
    )


def _visees(
    conn: Connection[TupleRow], perimetre: Perimetre, demande: DemandeEssai, position: int
) -> list[UUID]:
    touchees = subventions_touchees(conn, perimetre, position)
    nommee = demande.subvention_globale_id
    return touchees if nommee is None or nommee in touchees else [nommee, *touchees]


def _maquettes(
    conn: Connection[TupleRow], perimetre: Perimetre, visees: Iterable[UUID]
) -> dict[UUID, Maquette]:
    """Return the maquettes that exist and that the perimeter shows."""
    found = {sg: charger(conn, perimetre, sg) for sg in visees}
    return {sg: maquette for sg, maquette in found.items() if maquette is not None}


def _relire(service: Service, cles: Sequence[UUID]) -> int:
    """Return where the log ends once the trial is over, of which it keeps nothing."""
    with service.reads.connection() as conn:
        row = conn.execute(
            """
            SELECT h.position, (SELECT count(*) FROM oi.command AS c WHERE c.command_id = ANY(%s))
            FROM oi.head AS h
            """,
            (list(cles),),
        ).fetchone()
    assert row is not None
    position, gardees = row
    assert gardees == 0
    return int(position)


def _raconter(
    reponses: Iterable["_Reponse"], faits: Iterable[EvenementLu]
) -> Iterator[CommandeJouee]:
    par_position = {fait.position: fait for fait in faits}
    for rang, reponse in enumerate(reponses, 1):
        positions = [e["position"] for e in reponse.acte.get("evenements", ())]
        yield CommandeJouee(
            rang=rang,
            chemin=reponse.chemin,
            statut=reponse.statut,
            id=UUID(reponse.acte["id"]) if reponse.acte else None,
            evenements=tuple(par_position[p] for p in positions if p in par_position),
            refus=reponse.refus,
        )


def _comparer(avant: Maquette | None, apres: Maquette) -> MaquetteComparee:
    """Set two maquettes side by side; one that does not exist yet holds nothing."""
    cotes = [
        {} if maquette is None else {i: (nom, c) for i, nom, c in maquette.par_plie()}
        for maquette in (avant, apres)
    ]
    noms = {i: nom for cote in cotes for i, (nom, _) in cote.items()}
    plies = sorted(noms, key=lambda i: (_rang_hors_plie(i), noms[i]))
    return MaquetteComparee(
        subvention_globale_id=apres.subvention_globale_id,
        numero=apres.numero,
        oi_nom=apres.oi_nom,
        fictive=apres.fictive,
        par_plie=tuple(
            ComparaisonPlie(
                plie_id=i,
                plie_nom=noms[i],
                chiffres=Comparaison(*(cote.get(i, ("", Chiffres()))[1] for cote in cotes)),
            )
            for i in plies
        ),
        total=Comparaison(Chiffres() if avant is None else avant.total, apres.total),
    )


def _rang_hors_plie(plie_id: str) -> int:
    return list(HORS_PLIE).index(plie_id) + 1 if plie_id in HORS_PLIE else 0


# --- The commands --------------------------------------------------------------------------------


def _exiger_commandes(app: FastAPI, commandes: Sequence[CommandeAEssayer]) -> None:
    """Refuse what is not a command, and what refers to a command that is not played before."""
    defauts = list(_defauts(_adresses(app), commandes))
    if defauts:
        raise RequestValidationError(defauts)


def _defauts(
    adresses: Sequence[re.Pattern[str]], commandes: Sequence[CommandeAEssayer]
) -> Iterator[dict[str, Any]]:
    for rang, commande in enumerate(commandes):
        lieu = ("body", "commandes", rang)
        if not any(adresse.match(commande.chemin) for adresse in adresses):
            yield _defaut(_PAS_UNE_COMMANDE, (*lieu, "chemin"), commande.chemin)
        for place, texte in _textes(commande.corps, (*lieu, "corps")):
            vise = _REFERENCE.fullmatch(texte)
            if vise and int(vise[1]) > rang:
                yield _defaut(_PAS_AVANT, place, texte)
        for vise in _REFERENCE.finditer(commande.chemin):
            if int(vise[1]) > rang:
                yield _defaut(_PAS_AVANT, (*lieu, "chemin"), vise[0])


_PAS_UNE_COMMANDE = (
    "cette adresse n’enregistre rien : un essai se compose de commandes de l’API, telles que "
    "/api/v1/subventions-globales/{id}/transferts"
)
_PAS_AVANT = "une référence désigne une commande qui précède celle-ci"


def _defaut(message: str, lieu: tuple[str | int, ...], recu: str) -> dict[str, Any]:
    return {"type": "value_error", "loc": lieu, "input": recu, "ctx": {"error": message}}


def _adresses(app: FastAPI) -> list[re.Pattern[str]]:
    """Return the addresses of the routes that record: those that take a pen."""
    return [
        compile_path(route.path)[0]
        for route in iter_route_contexts(app.routes)
        if route.path
        and "POST" in (route.methods or ())
        and any(d.call in {creation, ecriture} for d in route.dependant.dependencies)
    ]


def _textes(
    valeur: object, place: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(valeur, str):
        yield place, valeur
    elif isinstance(valeur, list):
        for rang, partie in enumerate(valeur):
            yield from _textes(partie, (*place, rang))
    elif isinstance(valeur, dict):
        for nom, partie in valeur.items():
            yield from _textes(partie, (*place, nom))


def _remplacer(valeur: Any, lire: Callable[[re.Match[str]], str]) -> Any:
    """Return a JSON value with its references replaced."""
    if isinstance(valeur, str):
        vise = _REFERENCE.fullmatch(valeur)
        return lire(vise) if vise else valeur
    if isinstance(valeur, list):
        return [_remplacer(partie, lire) for partie in valeur]
    if isinstance(valeur, dict):
        return {nom: _remplacer(partie, lire) for nom, partie in valeur.items()}
    return valeur


@dataclass(frozen=True, slots=True)
class _Reponse:
    """What a command was answered: an act, or a refusal."""

    chemin: str
    statut: int
    acte: Mapping[str, Any]
    refus: Probleme | None

    def lire(self, vise: re.Match[str]) -> str:
        """Return what a reference to this answer designates.

        Raises: CommandeVisee.
        """
        if self.acte and vise[3] is None:
            return str(self.acte["id"])
        evenements = self.acte.get("evenements", ())
        if vise[3] is None or int(vise[3]) >= len(evenements):
            raise CommandeVisee(reference=vise[0], rang=vise[1])
        return str(evenements[int(vise[3])]["flux"])


@dataclass(frozen=True, slots=True)
class _Scene:
    """Where commands are played: the application, a service of one connection, and somebody.

    Whoever else they try in the name of reaches no further than they do.
    """

    app: FastAPI
    service: Service
    identite: Identite
    perimetre: Perimetre

    def jouer(self, commandes: Sequence[CommandeAEssayer], cles: Sequence[UUID]) -> list[_Reponse]:
        """Play each command on what the accepted ones made; a refused one leaves nothing."""
        reponses: list[_Reponse] = []
        for commande, cle in zip(commandes, cles, strict=True):
            reponses.append(self._jouer_une(commande, cle, reponses))
        return reponses

    def _jouer_une(
        self, commande: CommandeAEssayer, cle: UUID, reponses: Sequence[_Reponse]
    ) -> _Reponse:
        def lire(vise: re.Match[str]) -> str:
            return reponses[int(vise[1]) - 1].lire(vise)

        try:
            chemin = _REFERENCE.sub(lire, commande.chemin)
            corps = _remplacer(commande.corps, lire)
        except CommandeVisee as absente:
            refusee = probleme(absente)
            refus = Probleme.model_validate_json(bytes(refusee.body))
            return _Reponse(commande.chemin, refusee.status_code, {}, refus)
        entetes = {
            "content-type": "application/json",
            "idempotency-key": str(cle),
            # Asked by the routes on what exists; a trial does not look at it.
            "if-match": '"0"',
        }
        qui = self._qui(commande.personne)
        statut, lu = self._envoyer(chemin, json.dumps(corps).encode(), entetes, qui)
        if statut >= 500:
            # The base went away; a bug would have come as an exception.
            raise _interruption()
        if statut >= 400:
            return _Reponse(chemin, statut, {}, Probleme.model_validate_json(lu))
        return _Reponse(chemin, statut, json.loads(lu), None)

    def _qui(self, autre: PersonneSaisie | None) -> Identite:
        """Return as whom a command is played; a trial signs nothing, so that nothing is signed."""
        if autre is None:
            return replace(self.identite, renforcee=True)
        return Identite(
            identifiant=autre.acteur,
            nom=autre.acteur,
            attributions=(Attribution(autre.role, self.perimetre.plie_ids or frozenset()),),
            renforcee=True,
        )

    def _envoyer(
        self, chemin: str, corps: bytes, entetes: Mapping[str, str], qui: Identite
    ) -> tuple[int, bytes]:
        """Send a request inside the process; return the status and the body of its answer.

        In an event loop of its own, whose threads are its own: those of the service may all be
        held by writers, who wait for the end of this very trial.
        """
        recus: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": corps, "more_body": False}

        async def send(message: Message) -> None:
            recus.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "http",
            "method": "POST",
            "path": chemin,
            "raw_path": chemin.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(nom.encode(), valeur.encode()) for nom, valeur in entetes.items()],
            "server": None,
            "client": None,
            "state": {ESSAI: self.service, QUI_ESSAIE: qui},
        }
        # A thread of its own: whoever asks may already be inside a loop.
        with ThreadPoolExecutor(1) as fil:
            fil.submit(asyncio.run, self.app(scope, receive, send)).result()
        debut, *suite = recus
        return debut["status"], b"".join(message.get("body", b"") for message in suite)
