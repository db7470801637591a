"""What stands between the network and the doors: headers of every answer, limits of every request.

Plain ASGI, stacked by `entourer`. It knows neither accounts nor facts. What the server itself
bounds (slow or endless headers, readers that do not read) is in `oi_service.server`.
"""

import asyncio
import re
from http import HTTPStatus
from typing import Any

import structlog
from asgi_cross_origin_protection import CrossOriginProtection
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api.deps import ESSAI
from api.errors import probleme
from api.web import COMPTE, Debit, adresse_du
from oi_service.acces.frein import reseau as abonne
from oi_service.errors import TooManyRequests
from oi_service.reseau import (
    AccesDirect,
    AdresseTropLongue,
    EntetesTropLongs,
    HoteInconnu,
    OrigineEtrangere,
    Reseau,
)

log = structlog.get_logger()

#: Largest body that is read, documents apart. A thousand dépenses with all their fields weigh under
#: 2 MB.
CORPS_MAX = 8 * 2**20
#: Largest form of a page, and largest body of who shows no proof of who they are: the frame reads a
#: body before anybody looks at that proof.
FORMULAIRE_MAX = 2**18
#: Largest form with documents, of who shows a proof, to the pages that take some.
JOINTES_MAX = 64 * 2**20
_AVEC_JOINTES = ("/actes/", "/depenses/", "/dossiers/", "/imports")
_PREUVES = ("authorization", "cookie")
_AVEC_FICHIERS = "multipart/form-data"
_FORMULAIRES = ("application/x-www-form-urlencoded", _AVEC_FICHIERS)
#: Seconds that a body may keep the service waiting, to which each ``ALLURE_MIN`` bytes add one.
DELAI_CORPS = 20
ALLURE_MIN = 4096
#: Bytes of an address, and of all the headers of a request.
ADRESSE_MAX = 2**13
ENTETES_MAX = 2**15

#: Files that are the same for everybody.
_STATIQUE = "/static/"

#: Nothing but our own files, scripts among them: what is injected in a page does nothing.
POLITIQUE = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    "font-src 'self'; img-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
SECURITE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), "
        "magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()"
    ),
}
#: Two years, as browsers ask; the name of the service has no subdomain but its own.
HSTS = "max-age=63072000; includeSubDomains"


def entourer(app: ASGIApp, reseau: Reseau, debit: Debit, depot: str) -> ASGIApp:
    """Put everything that a request crosses around the application.

    Args:
        app: what FastAPI stacks.
        reseau: the settings of the network.
        debit: the counts of requests.
        depot: where a document is deposited.
    """
    entouree: ASGIApp = TeteSansCorps(CorpsBorne(PagesCompressees(app), depot))
    entouree = CrossOriginProtection(
        entouree, allowed_origins=reseau.origines, deny_app=_origine_etrangere
    )
    entouree = DebitBorne(entouree, debit)
    entouree = DemandeBornee(entouree)
    entouree = HotesConnus(entouree, reseau.hotes)
    # The server and the frame write the same interface in two ways. No proxy, nobody is believed.
    par_mandataires: Any = ProxyHeadersMiddleware
    entouree = par_mandataires(entouree, [str(plage) for plage in reseau.mandataires])
    entouree = EnTetesDeSecurite(AccesParMandataire(entouree, reseau))

    async def entree(scope: Scope, receive: Receive, send: Send) -> None:
        # A trial plays requests inside the process: no client can write this in a state.
        choisie = app if ESSAI in scope.get("state", {}) else entouree
        await choisie(scope, receive, send)

    return entree


# --- Where a request comes from ------------------------------------------------------------------


class AccesParMandataire:
    """When a proxy is declared, who comes past it would come in clear: only this machine may."""

    def __init__(self, app: ASGIApp, reseau: Reseau) -> None:
        self._app = app
        self._reseau = reseau

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        client = scope.get("client")
        if scope["type"] != "http" or self._reseau.admet(client[0] if client else None):
            await self._app(scope, receive, send)
            return
        log.warning("acces_direct", adresse=adresse_du(scope))
        await probleme(AccesDirect())(scope, receive, send)


class HotesConnus:
    """Answers under its own names only: a page of another site that resolves here reads nothing."""

    def __init__(self, app: ASGIApp, hotes: frozenset[str]) -> None:
        self._app = app
        self._hotes = hotes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or self._connu(scope):
            await self._app(scope, receive, send)
            return
        log.warning("hote_inconnu", adresse=adresse_du(scope))
        await probleme(HoteInconnu())(scope, receive, send)

    def _connu(self, scope: Scope) -> bool:
        donnes = Headers(scope=scope).getlist("host")
        nom = _HOTE.fullmatch(donnes[0]) if len(donnes) == 1 else None
        return nom is not None and nom[1].lower() in self._hotes


_HOTE = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::\d{1,5})?")


async def _origine_etrangere(scope: Scope, receive: Receive, send: Send) -> None:
    log.warning("origine_etrangere", adresse=adresse_du(scope), chemin=scope["path"][:200])
    await probleme(OrigineEtrangere())(scope, receive, send)


# --- What every answer carries -------------------------------------------------------------------


class EnTetesDeSecurite:
    """Adds the same headers to every answer, errors and static files included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITE)
                # A document that is served has a policy of its own, which is narrower.
                headers.setdefault("Content-Security-Policy", POLITIQUE)
                # What a person may read, the next one at the same machine may not.
                partage = scope["path"].startswith(_STATIQUE)
                headers["Cache-Control"] = "no-cache" if partage else "no-store"
                if scope.get("scheme") == "https":
                    headers["Strict-Transport-Security"] = HSTS
            await send(message)

        await self._app(scope, receive, send_with_headers)


class PagesCompressees:
    """Compresses pages and their files; not what shows a secret, nor files already compressed.

    The size of a compressed page tells something of it to who can have parts of it repeated
    (BREACH): pages that show a password, a code or a token are sent as they are; others hold none.
    """

    _SECRETS = ("/compte", "/administration", "/activation")
    _FICHIERS = ("/api/", "/exports", "/pieces/", "/travaux/")

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressee = GZipMiddleware(app, minimum_size=1024, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        telle_quelle = scope["type"] != "http" or scope["path"].startswith(
            self._SECRETS + self._FICHIERS
        )
        await (self._app if telle_quelle else self._compressee)(scope, receive, send)


# --- How much may be asked -----------------------------------------------------------------------


class DebitBorne:
    """Bounds what an address may ask that no account answers for; static files are not counted.

    A whole office may share an address: who is signed in counts for themselves (`compter`).
    """

    def __init__(self, app: ASGIApp, debit: Debit) -> None:
        self._app = app
        self._debit = debit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["path"].startswith(_STATIQUE):
            await self._app(scope, receive, send)
            return
        etat: dict[str, Any] = scope.setdefault("state", {})
        cle = ("adresse", abonne(adresse_du(scope)))
        try:
            self._debit.verifier(*cle)
        except TooManyRequests as refus:
            log.warning("trop_de_demandes", adresse=adresse_du(scope))
            await probleme(refus)(scope, receive, send)
            return

        async def send_and_count(message: Message) -> None:
            if message["type"] == "http.response.start" and COMPTE not in etat:
                self._debit.noter(*cle)
            await send(message)

        await self._app(scope, receive, send_and_count)


class DemandeBornee:
    """Refuses addresses and headers that no honest client sends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        refus = self._refus(scope) if scope["type"] == "http" else None
        if refus is None:
            await self._app(scope, receive, send)
            return
        await probleme(refus)(scope, receive, send)

    @staticmethod
    def _refus(scope: Scope) -> AdresseTropLongue | EntetesTropLongs | None:
        if len(scope["path"]) + len(scope["query_string"]) > ADRESSE_MAX:
            return AdresseTropLongue()
        if sum(len(nom) + len(valeur) for nom, valeur in scope["headers"]) > ENTETES_MAX:
            return EntetesTropLongs()
        return None


class TeteSansCorps:
    """Answers HEAD as GET would; the server itself keeps the body back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


class CorpsBorne:
    """Stops reading a body that is too large, or that comes too slowly.

    The limit of the frame answers in English text. ``depot`` is where a document is deposited: the
    store reads no more of it than it accepts.
    """

    def __init__(self, app: ASGIApp, depot: str) -> None:
        self._app = app
        self._depot = depot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        maximum = None if scope["path"] == self._depot else _maximum(scope)
        await self._app(scope, _Corps(receive, maximum).lire, send)


def _maximum(scope: Scope) -> int:
    headers = Headers(scope=scope)
    if not any(nom in headers for nom in _PREUVES):
        return FORMULAIRE_MAX
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == _AVEC_FICHIERS and scope["path"].startswith(_AVEC_JOINTES):
        return JOINTES_MAX
    return FORMULAIRE_MAX if media in _FORMULAIRES else CORPS_MAX


class _Corps:
    """A body on its way in: how much of it was read, and how long it made us wait."""

    def __init__(self, receive: Receive, maximum: int | None) -> None:
        self._receive = receive
        self._maximum = maximum
        self._lus = 0
        self._attendu = 0.0
        self._fini = False

    async def lire(self) -> Message:
        """Read on. An HTTPException is what the frame lets through from here.

        Raises: HTTPException.
        """
        if self._fini:
            # Whoever streams an answer waits here for the client to leave, for as long as it takes.
            return await self._receive()
        boucle = asyncio.get_running_loop()
        debut = boucle.time()
        try:
            async with asyncio.timeout(DELAI_CORPS + self._lus / ALLURE_MIN - self._attendu):
                message = await self._receive()
        except TimeoutError:
            # The rest of it would come on the same connection: it ends with the answer.
            raise HTTPException(
                HTTPStatus.REQUEST_TIMEOUT, headers={"Connection": "close"}
            ) from None
        self._attendu += boucle.time() - debut
        self._lus += len(message.get("body", b""))
        self._fini = not message.get("more_body", False)
        if self._maximum is not None and self._lus > self._maximum:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return message
