"""A server of e-mail on this machine, which takes or refuses as a test wants."""

import asyncio
import email
import email.policy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Boite:
    """What the server takes, and what it refuses."""

    recus: list[Envelope] = field(default_factory=list)
    chiffres: list[bool] = field(default_factory=list)
    refuses: tuple[str, ...] = ()
    reponse: str = "250 OK"
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - the name that the server calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if address in self.refuses:
            return f"550 5.1.1 <{address}> inconnu"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the name that the server calls
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.recus.append(envelope)
        self.chiffres.append(session.ssl is not None)
        return self.reponse

    def message(self) -> EmailMessage:
        """Return the only message that came."""
        [recu] = self.recus
        assert isinstance(recu.content, bytes)
        lu = email.message_from_bytes(recu.content, policy=email.policy.default)
        assert isinstance(lu, EmailMessage)
        return lu


class Controleur(Controller):
    """A server whose port the system gives."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def serveur_courriel(boite: Boite | None = None, **reglages: Any) -> Iterator[Boite]:
    """Lend a server that listens on this machine; its settings are those of the library."""
    boite = boite or Boite()
    controleur = Controleur(boite, hostname="127.0.0.1", port=0, **reglages)
    controleur.start()
    boite.port = controleur.port
    try:
        yield boite
    finally:
        controleur.stop()
