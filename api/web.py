"""What routes know of the network: where a request comes from, what a file to keep is sent with."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Protocol
from urllib.parse import quote

from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.requests import HTTPConnection
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from oi_service import clock
from oi_service.errors import TooManyRequests
from oi_service.reseau import Reseau

#: For a document that somebody gave us: even shown, it could run nothing and load nothing.
POLITIQUE_DOCUMENT = "default-src 'none'; sandbox; frame-ancestors 'none'"


def adresse_de(connexion: HTTPConnection) -> str:
    """Return the address that a request comes from, for traces and brakes.

    It is the other end of the connection, or what a trusted proxy says of it; what anybody else
    writes in ``X-Forwarded-For`` or ``Forwarded`` is not read.
    """
    return adresse_du(connexion.scope)


def adresse_du(scope: Scope) -> str:
    """Do the same before the frame made a request of it."""
    client = scope.get("client")
    try:
        lue = ipaddress.ip_address(client[0] if client else "")
    except ValueError:
        return "inconnue"
    if isinstance(lue, ipaddress.IPv6Address) and lue.ipv4_mapped is not None:
        return str(lue.ipv4_mapped)
    return str(lue)


def telechargement(nom: str) -> dict[str, str]:
    """Return the headers of a file to keep, never to show (RFC 6266).

    A program that does not read ``filename*`` gets the name in ASCII; neither holds a path.
    """
    propre = "".join(c for c in nom if c.isprintable() and c not in '/\\:*?"<>|').lstrip(".")
    simple = re.sub(r"[^A-Za-z0-9._-]+", "_", propre) or "fichier"
    disposition = f'attachment; filename="{simple}"'
    if propre and propre != simple:
        disposition += f"; filename*=UTF-8''{quote(propre, safe='')}"
    return {
        "Content-Disposition": disposition,
        "Content-Security-Policy": POLITIQUE_DOCUMENT,
    }


class _Ouvert(Protocol):
    def close(self) -> None: ...


class Envoi(StreamingResponse):
    """A file sent as it is read, and closed at the end, even if nobody took a byte of it.

    An iterator that is never begun closes nothing: a reader who leaves before the first byte would
    leave one more file open in the service.
    """

    def __init__(
        self, source: _Ouvert, morceaux: Iterator[bytes], media: str, entetes: Mapping[str, str]
    ) -> None:
        super().__init__(morceaux, media_type=media, headers=entetes)
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file (ASGI)."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._source.close()


# --- How much may be asked -----------------------------------------------------------------------


#: Where, in the state of a request, `compter` says that an account answers for it.
COMPTE = "compte_du_debit"


class Debit:
    """The counts of requests, in memory: the service is one process, and a restart may forget."""

    def __init__(self, reseau: Reseau) -> None:
        self._debit = reseau.debit
        self._compteur = SlidingWindowCounterRateLimiter(MemoryStorage())

    def verifier(self, *cle: str) -> None:
        """Look at a count without adding to it.

        Raises: TooManyRequests when it is full.
        """
        if not self._compteur.test(self._debit, *cle):
            raise self._trop(*cle)

    def noter(self, *cle: str) -> None:
        """Add a request that was answered."""
        self._compteur.hit(self._debit, *cle)

    def compter(self, *cle: str) -> None:
        """Count a request.

        Raises: TooManyRequests.
        """
        if not self._compteur.hit(self._debit, *cle):
            raise self._trop(*cle)

    def _trop(self, *cle: str) -> TooManyRequests:
        rouvre = self._compteur.get_window_stats(self._debit, *cle).reset_time
        return TooManyRequests(secondes=max(1, round(rouvre - clock.now().timestamp())))


def compter(connexion: HTTPConnection, identifiant: str) -> None:
    """Count a request for the account that proved to make it, and no longer for its address.

    Raises: TooManyRequests.
    """
    connexion.scope["state"][COMPTE] = identifiant
    connexion.app.state.debit.compter("compte", identifiant)
