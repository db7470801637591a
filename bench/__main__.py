"""Run every measure in turns and print ratios of medians."""

import asyncio
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from uuid import UUID

import psycopg

from aggregates.depense.declaration import DeclarerDepenses
from aggregates.operation.events import IndicateurRenseigne
from aggregates.operation.state import OPERATION
from api import actions
from bench.bibliotheque import Pieces, application, environment, new_piece
from bench.entree import SANS_LIMITE, en_tetes
from oi_service.app import open_service
from oi_service.application import Acte, Service, Unit
from oi_service.database import ensure_database, migrate
from oi_service.demo.vie import jouer
from oi_service.ids import new_id
from oi_service.lieux import Lieux
from oi_service.postgres import embedded_server
from projections.rebuild import rebuild

ROUNDS = 5
COMMANDS = 400
CONNECTIONS = (1, 8, 16)
THREADS = (1, 8)
BATCH = 1_000
DOSSIER = 1_000

DETAIL = {
    "poste": "personnel",
    "nature": "Salaire chargé",
    "tiers_ref": "salarie-001",
    "date_piece": "2021-05-31",
    "date_realisation": "2021-05-31",
    "date_acquittement": "2021-06-01",
    "montant_impute": "2500.17",
}


def per_second(count: int, work: Callable[[], object]) -> float:
    """Return how many a second."""
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


def milliseconds(work: Callable[[], object]) -> float:
    """Return how long."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def library_saves(app: Pieces, operation_id: UUID, threads: int) -> float:
    """Save new aggregates one by one from some threads."""

    def save(rank: int) -> None:
        app.save(new_piece(operation_id, rank))

    with ThreadPoolExecutor(threads) as pool:
        return per_second(COMMANDS, lambda: list(pool.map(save, range(COMMANDS))))


async def _post(host: str, port: int, path: str, count: int, headers: Mapping[str, str]) -> None:
    """Post dépenses one after the other on one connection, with nothing between us and it."""
    reader, writer = await asyncio.open_connection(host, port)
    for _ in range(count):
        detail = DETAIL | {"piece_ref": new_id().hex}
        body = json.dumps({"date_effet": "2022-03-01", "detail": detail}).encode()
        head = [f"POST {path} HTTP/1.1", f"Host: {host}:{port}", f"Content-Length: {len(body)}"]
        head += ["Content-Type: application/json", f"Idempotency-Key: {new_id()}"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        status = await reader.readline()
        if b" 201 " not in status:
            raise RuntimeError(status + await reader.read(2000))
        length = 0
        while (line := await reader.readline()) not in {b"\r\n", b""}:
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        await reader.readexactly(length)
    writer.close()


def http_commands(
    port: int, operation_id: UUID, connections: int, headers: Mapping[str, str]
) -> float:
    """Post dépenses over some connections."""

    async def run() -> None:
        path = f"/api/v1/operations/{operation_id}/depenses"
        share = COMMANDS // connections
        await asyncio.gather(
            *(_post("127.0.0.1", port, path, share, headers) for _ in range(connections))
        )

    return per_second(COMMANDS // connections * connections, lambda: asyncio.run(run()))


def our_batch(service: Service, operation_id: UUID) -> None:
    """Declare a batch in one command."""
    depenses = [DETAIL | {"piece_ref": f"L{rank:06d}"} for rank in range(BATCH)]
    commande = DeclarerDepenses.model_validate({"date_effet": "2022-03-01", "depenses": depenses})
    service.journal.execute(
        Acte("comptable-1", "comptable_oi"),
        lambda unit: actions.declarer_depenses(unit, operation_id, commande),
    )


def long_dossier(service: Service, operation_id: UUID) -> None:
    """Make a dossier of that many events."""
    for start in range(0, DOSSIER, 250):
        facts = [
            IndicateurRenseigne(
                date_effet=date(2022, 3, 1),
                indicateur=1,
                realise=Decimal(start + rank),
                remplace=None,
            )
            for rank in range(250)
        ]
        service.journal.execute(
            Acte("gestionnaire-1", "gestionnaire_oi"),
            lambda unit, facts=facts: unit.record(OPERATION, operation_id, facts),
        )


def in_execution(service: Service) -> list[UUID]:
    """Return operations that may declare dépenses."""
    with service.reads.connection() as conn:
        rows = conn.execute(
            "SELECT id FROM projection.operation WHERE statut IN "
            "('conventionne', 'en_execution', 'realisation_terminee') ORDER BY numero_mdfse"
        ).fetchall()
    return [row[0] for row in rows]


@contextmanager
def serving(*command: str, port: int, **environment: str) -> Iterator[int]:
    """Serve in a process of its own, as an operator does."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command, "--port", str(port)],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            try:
                with closing(socket.create_connection(("127.0.0.1", port), 0.2)):
                    break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Measure and print."""
    # Directly in the temporary folder: as root, the server runs under another account.
    base = Path(tempfile.gettempdir()) / f"oi-bench-{os.getpid()}"
    with embedded_server(base) as server:
        ours = ensure_database(server, "ours")
        theirs = ensure_database(server, "theirs")
        migrate(ours)
        lieux = Lieux.sous(base)
        with open_service(ours, lieux) as service, closing(application(theirs)) as library:
            jouer(service, graine=2021, progres=lambda *_: None)
            operation, dossier = in_execution(service)[:2]
            long_dossier(service, dossier)
            with (
                serving(
                    "oi_service", "serve", port=18_765, OI_DATABASE_URL=ours, **SANS_LIMITE
                ) as port,
                serving(
                    "uvicorn",
                    "bench.porte:app",
                    "--no-access-log",
                    port=18_766,
                    **environment(theirs),
                ) as their_port,
            ):
                print_all(service, library, (port, their_port), operation, dossier, ours)
    shutil.rmtree(base)


def print_all(
    service: Service,
    library: Pieces,
    ports: tuple[int, int],
    operation: UUID,
    dossier: UUID,
    conninfo: str,
) -> None:
    """Take every measure in turns, then print medians and ratios."""
    piece = new_piece(operation, 0)
    for rank in range(DOSSIER - 1):
        piece.reach(rank)
    library.save(piece)
    measures: dict[str, list[float]] = {}
    headers = en_tetes(service, "comptable-9", "comptable_oi")

    def keep(name: str, value: float) -> None:
        measures.setdefault(name, []).append(value)

    for _ in range(ROUNDS):
        for threads in THREADS:
            keep(f"library save, {threads} threads /s", library_saves(library, operation, threads))
        for connections in CONNECTIONS:
            for name, port in zip(("HTTP command", "library over HTTP"), ports, strict=True):
                rate = http_commands(port, operation, connections, headers)
                keep(f"{name}, {connections} connections /s", rate)
        keep(
            "library batch /s",
            per_second(
                BATCH,
                lambda: library.save(*(new_piece(operation, rank) for rank in range(BATCH))),
            ),
        )
        keep("our batch /s", per_second(BATCH, lambda: our_batch(service, operation)))
        keep("library replay ms", milliseconds(lambda: library.repository.get(piece.id)))
        unit = Unit(service.journal, Acte("bench", "systeme"))
        keep("our replay ms", milliseconds(lambda unit=unit: unit.get(OPERATION, dossier)))
        rebuilt = rebuild(conninfo, replace=False)
        keep("rebuild events/s", rebuilt.events / rebuilt.seconds)
    medians = {name: statistics.median(values) for name, values in measures.items()}
    with psycopg.connect(conninfo) as conn:
        postgres = conn.info.server_version // 10_000
    print(
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, PostgreSQL {postgres}, fsync on, "
        f"eventsourcing {version('eventsourcing')}; client, service and server share the cores; "
        f"medians of {ROUNDS} rounds taken in turns, threads alive: {threading.active_count()}\n"
    )
    print("| Measure | median | min | max |\n|---|---:|---:|---:|")
    for name, values in measures.items():
        print(f"| {name} | {medians[name]:,.1f} | {min(values):,.1f} | {max(values):,.1f} |")
    best = max(medians[f"library save, {t} threads /s"] for t in THREADS)
    top = max(medians[f"HTTP command, {c} connections /s"] for c in CONNECTIONS)
    print("\n| Ratio | value | goal |\n|---|---:|---|")
    over_http = max(medians[f"library over HTTP, {c} connections /s"] for c in CONNECTIONS)
    print(f"| best HTTP command / best bare save | {top / best:.2f} | ≥ 1 |")
    print(f"| best HTTP command / library's bare save over HTTP | {top / over_http:.2f} | |")
    batch = medians["our batch /s"] / medians["library batch /s"]
    print(f"| our batch / library batch | {batch:.2f} | ≥ 3 |")
    print(f"| replay of {DOSSIER} events, ms | {medians['our replay ms']:.1f} | ≤ 10 |")
    replay = medians["library replay ms"] / medians["our replay ms"]
    print(f"| library replay / our replay | {replay:.1f} | |")


if __name__ == "__main__":
    main()
