"""A small application inside the real enclosure, on the real server and a real socket."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Form, Request
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import BaseModel
from starlette.types import ASGIApp

from api import errors
from api.enceinte import entourer
from api.web import Debit, adresse_de, compter, telechargement
from oi_service.reseau import Reseau
from oi_service.server import configuration

DEPOT = "/depot"


class Saisie(BaseModel):
    """A body."""

    texte: str = ""
    nombre: int = 0
    liste: list[Any] = []


class Petite(FastAPI):
    """Stacked as `api.app.Application` is."""

    def __init__(self, reseau: Reseau) -> None:
        super().__init__()
        self.state.reseau = reseau
        self.state.debit = Debit(reseau)
        #: Bodies that were received whole.
        self.recus: list[int] = []
        errors.installer(self)
        for methodes, chemin, route in (
            (["GET"], "/lu", lu),
            (["POST", "PUT", "PATCH", "DELETE"], "/ecrit", ecrit),
            (["POST"], "/formulaire", formulaire),
            (["POST"], DEPOT, depot),
            (["GET"], "/fichier", fichier),
            (["GET"], "/sans-fin", sans_fin),
            (["GET"], "/lent", lent),
            (["GET"], "/static/page.css", lu),
        ):
            self.add_api_route(chemin, route, methods=methodes)

    def build_middleware_stack(self) -> ASGIApp:
        return entourer(
            super().build_middleware_stack(), self.state.reseau, self.state.debit, DEPOT
        )


async def lu(request: Request) -> dict[str, str]:
    if compte := request.headers.get("X-Compte"):
        compter(request, compte)
    return {"adresse": adresse_de(request), "schema": request.url.scheme}


async def ecrit(request: Request, saisie: Saisie) -> dict[str, int]:
    request.app.recus.append(len(await request.body()))
    return {"longueur": len(saisie.texte)}


async def formulaire(request: Request, nom: Annotated[str, Form()]) -> dict[str, int]:
    return {"longueur": len(nom)}


async def depot(request: Request) -> dict[str, int]:
    taille = 0
    async for morceau in request.stream():
        taille += len(morceau)
    request.app.recus.append(taille)
    return {"octets": taille}


async def fichier(nom: str) -> PlainTextResponse:
    return PlainTextResponse("contenu", headers=telechargement(nom))


async def sans_fin(request: Request) -> StreamingResponse:
    async def morceaux() -> AsyncIterator[bytes]:
        request.app.state.parti = False
        try:
            while True:
                yield b"x" * 2**16
                await asyncio.sleep(0)
        finally:
            request.app.state.parti = True

    return StreamingResponse(morceaux())


async def lent(duree: float) -> str:
    await asyncio.sleep(duree)
    return "fait"


@contextmanager
def servir(app: ASGIApp) -> Iterator[int]:
    """Serve as `oi serve` does, on a free port."""
    server = uvicorn.Server(configuration(app, ip_address("127.0.0.1"), 0))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


def echanger(port: int, envoi: bytes, attendre: float = 10) -> bytes:
    """Send bytes as they are, and return everything until the server closes or says no more."""
    with socket.create_connection(("127.0.0.1", port), timeout=attendre) as prise:
        prise.sendall(envoi)
        return recevoir(prise)


def recevoir(prise: socket.socket) -> bytes:
    """Return everything until the server closes, or no longer says anything."""
    lu = b""
    try:
        while morceau := prise.recv(2**16):
            lu += morceau
    except (TimeoutError, ConnectionResetError):
        pass
    return lu
