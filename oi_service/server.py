"""The web server: where it listens, and how long it bears with a client.

Behind a proxy, the proxy bears first; this is for the day when it does not, and for this machine.
"""

import asyncio
import json
import socket
from ipaddress import IPv6Address

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from oi_service.errors import Refusal
from oi_service.reseau import Ip

#: Ports tried after the usual one, before giving up.
_TRIES = 20
#: Seconds in which the headers of a request must be there, from its first byte; a connection that
#: says nothing at all is closed after the same time.
DELAI_ENTETES = 15
#: Bytes of a request that are not its body, and that are read before giving up. The application
#: refuses less than that with a sentence; this bounds what is kept meanwhile.
HORS_CORPS_MAX = 2**16
#: Seconds in which a client must make room for the next bytes of an answer.
DELAI_LECTURE = 30
#: Seconds that a connection may stay open between two requests: more than the proxies wait.
ENTRE_DEUX = 65
#: Connections at a time; beyond, the answer is 503 at once.
CONNEXIONS_MAX = 500
#: Seconds given to the requests in progress when the service stops.
DELAI_ARRET = 20


class PortOccupe(Refusal):
    """Le port {port} est déjà pris sur cette machine : donnez-en un autre avec --port."""


def free_port(adresse: Ip, wanted: int, *, strict: bool) -> int:
    """Return the wanted port, or the next free one unless ``strict``."""
    famille = socket.AF_INET6 if isinstance(adresse, IPv6Address) else socket.AF_INET
    for port in range(wanted, wanted + (1 if strict else _TRIES)):
        with socket.socket(famille, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((str(adresse), port))
            except OSError:
                continue
            return port
    raise PortOccupe(port=wanted)


def adresse_locale(adresse: Ip, port: int) -> str:
    """Return where a browser of this machine finds the service."""
    return (
        f"http://[{adresse}]:{port}"
        if isinstance(adresse, IPv6Address)
        else f"http://{adresse}:{port}"
    )


def configuration(app: FastAPI, adresse: Ip, port: int) -> uvicorn.Config:
    """Return how the application is served."""
    return uvicorn.Config(
        app,
        host=str(adresse),
        port=port,
        log_level="warning",
        access_log=False,
        http=Protocole,
        ws="none",
        # The application itself believes its proxies, and no other (`api.enceinte`).
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=ENTRE_DEUX,
        timeout_graceful_shutdown=DELAI_ARRET,
        limit_concurrency=CONNEXIONS_MAX,
    )


def run(app: FastAPI, adresse: Ip, port: int) -> None:
    """Serve until Ctrl-C or a polite end."""
    uvicorn.Server(configuration(app, adresse, port)).run()


class Protocole(HttpToolsProtocol):
    """The protocol of the server, with the bounds that it has not: on headers, and on readers."""

    _tete: asyncio.TimerHandle | None = None
    _lecture: asyncio.TimerHandle | None = None
    _recus = 0
    _corps = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for the first headers."""
        super().connection_made(transport)
        self._attendre_la_tete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._cesser_d_attendre_la_tete()
        self._cesser_d_attendre_la_lecture()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, within bounds."""
        if self._tete is None and self._entre_deux():
            self._attendre_la_tete()
        self._recus += len(data)
        super().data_received(data)
        # Headers, trailers and the sizes of chunks: none may cost more than the body they go with.
        if self._recus - self._corps > HORS_CORPS_MAX + self._corps:
            self._renvoyer(431, "entetes_trop_longs", "Les en-têtes de la demande sont trop longs.")

    def on_headers_complete(self) -> None:
        """Stop waiting for headers."""
        self._cesser_d_attendre_la_tete()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Read some body."""
        self._corps += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Count the next request by itself."""
        self._recus = self._corps = 0
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Wait for a reader, for a while."""
        super().pause_writing()
        self._lecture = self.loop.call_later(DELAI_LECTURE, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the reader reads."""
        self._cesser_d_attendre_la_lecture()
        super().resume_writing()

    def _entre_deux(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _attendre_la_tete(self) -> None:
        self._tete = self.loop.call_later(DELAI_ENTETES, self._tete_trop_lente)

    def _cesser_d_attendre_la_tete(self) -> None:
        if self._tete is not None:
            self._tete.cancel()
            self._tete = None

    def _cesser_d_attendre_la_lecture(self) -> None:
        if self._lecture is not None:
            self._lecture.cancel()
            self._lecture = None

    def _tete_trop_lente(self) -> None:
        self._tete = None
        if self._recus:
            self._renvoyer(408, "demande_trop_lente", "La demande arrive trop lentement.")
        else:
            # A browser opens connections ahead of time: nothing was asked, nothing is answered.
            self.transport.close()

    def _renvoyer(self, statut: int, code: str, phrase: str) -> None:
        """Say why, and close; the application never saw this request."""
        if self.transport.is_closing():
            return
        if self._entre_deux():
            corps = json.dumps(
                {
                    "type": f"/problemes/{code}",
                    "code": code,
                    "title": phrase.rstrip("."),
                    "detail": phrase,
                    "status": statut,
                },
                ensure_ascii=False,
            ).encode()
            tete = (
                "content-type: application/problem+json\r\n"
                f"content-length: {len(corps)}\r\n"
                "connection: close\r\n\r\n"
            )
            self.transport.write(STATUS_LINE[statut] + tete.encode() + corps)
        self.transport.close()
