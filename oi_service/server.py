"""The web server, on this machine only until persons sign in."""

import socket

import uvicorn
from fastapi import FastAPI

from oi_service.errors import Refusal

HOST = "127.0.0.1"
#: Ports tried after the usual one, before giving up.
_TRIES = 20


class PortOccupe(Refusal):
    """Le port {port} est déjà pris sur cette machine : donnez-en un autre avec --port."""


def free_port(wanted: int, *, strict: bool) -> int:
    """Return the wanted port, or the next free one unless ``strict``."""
    for port in range(wanted, wanted + (1 if strict else _TRIES)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise PortOccupe(port=wanted)


def run(app: FastAPI, port: int) -> None:
    """Serve until Ctrl-C or a polite end."""
    uvicorn.run(app, host=HOST, port=port, log_level="warning", access_log=False)
