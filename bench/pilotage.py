"""The figures on a national log: rebuild, maquette at two dates, difference, dossier, commands.

`python -m bench.pilotage --evenements 100000 1000000` measures each size in turn, beside what the
library does in the same run, and prints plain tables. `--garder DOSSIER` keeps the logs in folders
of that one, and finds them again.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import resource
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Self
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from bench.__main__ import DETAIL, serving
from bench.bibliotheque import application
from bench.entree import SANS_LIMITE, en_tetes
from bench.national import EVENEMENTS_PAR_OI, remplir
from bench.projection_bibliotheque import projeter
from bench.projection_bibliotheque import remplir as remplir_bibliotheque
from oi_service.app import DATABASE, open_service
from oi_service.database import ensure_database, ensure_service_role, migrate
from oi_service.ids import new_id
from oi_service.postgres import embedded_server
from projections import rebuild as reconstruction
from projections.difference import difference
from projections.fiche_operation import fiche_operation
from projections.journal import histoire_du_dossier
from projections.livre import Choix
from projections.maquette import charger
from projections.perimetre import OI_ENTIER
from projections.situation import Situation

#: Questions asked of each size, with dates and places drawn from one seed.
QUESTIONS = 200
TOURS = 3
COMMANDES = 1_000
CLIENTS = (1, 8)
#: Events of the library's log: its runner takes them one by one.
BIBLIOTHEQUE = 5_000
LOT = 500
#: The tranches of the national log.
PREMIER_JOUR, JOURS = date(2016, 1, 1), 7 * 365


@dataclass(slots=True)
class Mesures:
    """Lines of the tables: a title, and one value a size."""

    lignes: dict[str, list[str]] = field(default_factory=dict)

    def dire(self, titre: str, valeur: str) -> None:
        """Keep a value, and show it at once."""
        self.lignes.setdefault(titre, []).append(valeur)
        print(f"  {titre} : {valeur}", flush=True)


class Memoire:
    """The most private memory that PostgreSQL's processes held, all together."""

    def __init__(self) -> None:
        self._arret = threading.Event()
        self.maximum = 0

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._regarder, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._arret.set()
        self._thread.join()

    def _regarder(self) -> None:
        while not self._arret.wait(0.05):
            self.maximum = max(self.maximum, sum(_prives()))


def _prives() -> Iterator[int]:
    """Yield the private memory of each process of PostgreSQL, in bytes."""
    for statut in Path("/proc").glob("[0-9]*/status"):
        try:
            texte = statut.read_text()
        except OSError:
            continue
        if texte.startswith("Name:\tpostgres\n"):
            for ligne in texte.splitlines():
                if ligne.startswith("RssAnon:"):
                    yield int(ligne.split()[1]) * 1024


def _du_service() -> int:
    """Return the memory of the service that serves, in bytes."""
    for commande in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"oi_service\0serve" in commande.read_bytes():
                statut = commande.with_name("status").read_text()
                [ligne] = [x for x in statut.splitlines() if x.startswith("VmRSS:")]
                return int(ligne.split()[1]) * 1024
        except OSError:
            continue
    return 0


def repartition(durees: list[float]) -> str:
    """Write a distribution of milliseconds."""
    rangees = sorted(durees)
    centiles = {p: rangees[min(len(rangees) - 1, int(len(rangees) * p))] for p in (0.95, 0.99)}
    return (
        f"p50 {statistics.median(rangees):.1f}, p95 {centiles[0.95]:.1f}, "
        f"p99 {centiles[0.99]:.1f} ms"
    )


def chronometrer(questions: int, demander: Callable[[], object]) -> str:
    """Ask many times; say how long answers take."""
    durees = []
    for _ in range(questions):
        debut = time.perf_counter()
        demander()
        durees.append((time.perf_counter() - debut) * 1000)
    return repartition(durees)


def reconstruire(m: Mesures, conninfo: str) -> None:
    """Rebuild, beside the least that it costs to read the log and to write the result."""
    seul, entier, lu = [], [], []
    with Memoire() as memoire:
        for _ in range(TOURS):
            lu.append(_lire_et_ecrire(conninfo))
            seul.append(_projeter_seulement(conninfo))
            refait = reconstruction.rebuild(conninfo, replace=False)
            entier.append(refait.events / refait.seconds)
    m.dire("rebuild, projecting alone, events/s", f"{statistics.median(seul):,.0f}")
    m.dire("rebuild and comparison, events/s", f"{statistics.median(entier):,.0f}")
    m.dire("read the log + COPY the result, events/s", f"{statistics.median(lu):,.0f}")
    m.dire("memory of PostgreSQL during rebuilds, MB", f"{memoire.maximum / 2**20:,.0f}")


def _projeter_seulement(conninfo: str) -> float:
    """Fill the tables beside as a rebuild does, and compare nothing."""
    debut = time.perf_counter()
    with psycopg.connect(conninfo, autocommit=True) as conn:
        names = reconstruction.tables(conn)
        with reconstruction.beside(conn, names):
            head, _, _ = reconstruction.play(conninfo, conn, [])
    return head / (time.perf_counter() - debut)


def _lire_et_ecrire(conninfo: str) -> float:
    """Send the whole log to a client, and the rows of the projections back: no computation."""
    with psycopg.connect(conninfo, autocommit=True) as conn, psycopg.connect(conninfo) as autre:
        row = conn.execute("SELECT position FROM oi.head").fetchone()
        assert row is not None
        debut = time.perf_counter()
        with conn.cursor().copy("COPY oi.event TO STDOUT (FORMAT binary)") as journal:
            for _ in journal:
                pass
        for table in reconstruction.tables(conn):
            autre.execute(f"CREATE TEMP TABLE copie_{table} (LIKE projection.{table})")
            with (
                conn.cursor().copy(f"COPY projection.{table} TO STDOUT (FORMAT binary)") as lu,
                autre.cursor().copy(f"COPY copie_{table} FROM STDIN (FORMAT binary)") as ecrit,
            ):
                for bloc in lu:
                    ecrit.write(bloc)
        duree = time.perf_counter() - debut
        autre.rollback()
    return float(row[0]) / duree


def interroger(m: Mesures, conn: Connection[TupleRow], graine: int) -> None:
    """Ask the maquette at any two dates, a difference, a dossier, a list."""
    hasard = random.Random(graine)  # noqa: S311 - questions to ask again
    [subventions, dossiers] = (
        [row[0] for row in conn.execute(requete).fetchall()]
        for requete in (
            "SELECT id FROM projection.subvention_globale ORDER BY position",
            "SELECT numero_mdfse FROM projection.operation ORDER BY numero_mdfse",
        )
    )
    operations = dict(conn.execute("SELECT numero_mdfse, id FROM projection.operation").fetchall())
    row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    head = int(row[0])

    def situation() -> Situation:
        jour = PREMIER_JOUR + timedelta(days=hasard.randrange(JOURS))
        return Situation(jour, hasard.randrange(1, head + 1))

    def subvention() -> UUID:
        return hasard.choice(subventions)

    def comparer() -> object:
        choix = Choix(subvention_globale_id=subvention())
        return difference(conn, OI_ENTIER, choix, situation(), situation())

    m.dire(
        "maquette of an OI, now",
        chronometrer(QUESTIONS, lambda: charger(conn, OI_ENTIER, subvention())),
    )
    m.dire(
        "maquette of an OI, at two dates",
        chronometrer(QUESTIONS, lambda: charger(conn, OI_ENTIER, subvention(), situation())),
    )
    m.dire("difference between two situations of an OI", chronometrer(QUESTIONS, comparer))
    m.dire(
        "sheet of a dossier, now",
        chronometrer(
            QUESTIONS,
            lambda: fiche_operation(conn, OI_ENTIER, operations[hasard.choice(dossiers)]),
        ),
    )
    m.dire(
        "story of a dossier, every event",
        chronometrer(
            QUESTIONS, lambda: histoire_du_dossier(conn, OI_ENTIER, hasard.choice(dossiers))
        ),
    )


async def _poster(
    port: int, path: str, nombre: int, headers: Mapping[str, str], durees: list[float]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(nombre):
        detail = DETAIL | {
            "piece_ref": new_id().hex,
            "date_piece": "2022-01-31",
            "date_realisation": "2022-01-31",
            "date_acquittement": "2022-02-01",
        }
        body = json.dumps({"date_effet": "2022-03-01", "detail": detail}).encode()
        head = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
        head += ["Content-Type: application/json", f"Idempotency-Key: {new_id()}"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        debut = time.perf_counter()
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        statut = await reader.readline()
        longueur = 0
        while (ligne := await reader.readline()) not in {b"\r\n", b""}:
            if ligne.lower().startswith(b"content-length:"):
                longueur = int(ligne.split(b":")[1])
        corps = await reader.readexactly(longueur)
        durees.append((time.perf_counter() - debut) * 1000)
        if b" 201 " not in statut:
            raise RuntimeError(statut + corps)
    writer.close()


def commander(
    m: Mesures, conn: Connection[TupleRow], port: int, headers: Mapping[str, str]
) -> None:
    """Post dépenses through HTTP, one after the other on each connection."""
    rows = conn.execute(
        "SELECT id FROM projection.operation "
        "WHERE statut IN ('conventionne', 'en_execution', 'realisation_terminee') "
        "ORDER BY fin DESC, numero_mdfse LIMIT %s",
        (max(CLIENTS),),
    ).fetchall()

    chemin = "/api/v1/operations/{}/depenses"

    async def toutes(clients: int, durees: list[float]) -> None:
        await asyncio.gather(
            *(
                _poster(port, chemin.format(row[0]), COMMANDES // clients, headers, durees)
                for row in rows[:clients]
            )
        )

    asyncio.run(toutes(1, []))  # Warm: imports, plans, connections.
    for clients in CLIENTS:
        durees: list[float] = []
        asyncio.run(toutes(clients, durees))
        rangees = sorted(durees)
        m.dire(
            f"command through HTTP, {clients} client(s)",
            f"{repartition(durees)[:-3]}, p99.9 {rangees[int(len(rangees) * 0.999)]:.1f} ms",
        )


def comparer_a_la_bibliotheque(m: Mesures, serveur: str) -> None:
    """Write and project the library's own log, one event at a time as it does."""
    base = ensure_database(serveur, f"bibliotheque_{new_id().hex[:8]}")
    with closing(application(base)) as app:
        ecrit = remplir_bibliotheque(app, new_id(), BIBLIOTHEQUE, LOT)
    m.dire("library, batch of saves, events/s", f"{ecrit:,.0f}")
    m.dire("library, projection runner, events/s", f"{projeter(base, BIBLIOTHEQUE):,.0f}")


@contextmanager
def journal(evenements: int, graine: int, garder: Path | None) -> Iterator[tuple[str, str]]:
    """Lend a server and the database of a national log, made if it is not there."""
    # Directly in the temporary folder: as root, the server runs under another account.
    dossier = (
        garder / f"national-{evenements}"
        if garder
        else Path(tempfile.gettempdir()) / f"oi-bench-{os.getpid()}-{evenements}"
    )
    with embedded_server(dossier) as serveur:
        base = ensure_database(serveur, DATABASE)
        ensure_service_role(base)
        change = migrate(base)
        with psycopg.connect(base) as conn:
            row = conn.execute("SELECT position FROM oi.head").fetchone()
        if row == (0,):
            remplir(base, max(1, round(evenements / EVENEMENTS_PAR_OI)), graine)
        elif change:
            reconstruction.rebuild(base)
        yield serveur, base
    if garder is None:
        shutil.rmtree(dossier)


def mesurer(m: Mesures, evenements: int, graine: int, garder: Path | None) -> None:
    """Take every measure of one size."""
    with ExitStack() as pile:
        serveur, base = pile.enter_context(journal(evenements, graine, garder))
        conn = pile.enter_context(psycopg.connect(base, autocommit=True))
        conn.execute("VACUUM ANALYZE")
        row = conn.execute(
            "SELECT (SELECT position FROM oi.head), (SELECT count(*) FROM projection.mouvement),"
            " (SELECT count(*) FROM projection.subvention_globale),"
            " (SELECT count(*) FROM projection.plie),"
            " pg_size_pretty(pg_database_size(current_database()))"
        ).fetchone()
        assert row is not None
        m.dire("events", f"{row[0]:,}")
        m.dire("movements, OI, PLIE, size", f"{row[1]:,}, {row[2]}, {row[3]}, {row[4]}")
        reconstruire(m, base)
        comparer_a_la_bibliotheque(m, serveur)
        with Memoire() as memoire:
            interroger(m, conn, graine)
        m.dire("memory of PostgreSQL while asked, MB", f"{memoire.maximum / 2**20:,.0f}")
        with open_service(base) as service:
            headers = en_tetes(service, f"comptable-{new_id().hex[:8]}", "comptable_oi")
        with (
            serving(
                "oi_service", "serve", port=18_765, OI_DATABASE_URL=base, **SANS_LIMITE
            ) as port,
            Memoire() as memoire,
        ):
            commander(m, conn, port, headers)
            m.dire("memory of the service after commands, MB", f"{_du_service() / 2**20:,.0f}")
        m.dire("memory of PostgreSQL during commands, MB", f"{memoire.maximum / 2**20:,.0f}")
        if len(m.lignes["events"]) == 1:
            conditions(conn, graine)


def conditions(conn: Connection[TupleRow], graine: int) -> None:
    """State under what the figures were taken."""
    noms = ("server_version", "fsync", "synchronous_commit", "shared_buffers", "work_mem")
    reglages = {n: conn.execute(f"SHOW {n}").fetchone() for n in noms}
    dits = ", ".join(f"{n} {v[0]}" for n, v in reglages.items() if v)
    print(
        f"  {platform.system()} {platform.machine()}, {os.cpu_count()} cores shared by client, "
        f"service and server, Python {platform.python_version()}, PostgreSQL {dits}, "
        f"eventsourcing {version('eventsourcing')}, seed {graine}",
        flush=True,
    )


def main() -> None:
    """Measure each size and print the table."""
    lecteur = argparse.ArgumentParser(prog="python -m bench.pilotage", description=__doc__)
    lecteur.add_argument("--evenements", type=int, nargs="+", default=[100_000, 1_000_000])
    lecteur.add_argument("--graine", type=int, default=2021)
    lecteur.add_argument("--garder", type=Path)
    demande = lecteur.parse_args()
    m = Mesures()
    for evenements in demande.evenements:
        print(f"{evenements:,} events", flush=True)
        mesurer(m, evenements, demande.graine, demande.garder)
    print("\n| Measure |" + "".join(f" {n:,} |" for n in demande.evenements))
    print("|---|" + "---:|" * len(demande.evenements))
    for titre, valeurs in m.lignes.items():
        print(f"| {titre} | {' | '.join(valeurs)} |")
    memoire = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"\nMemory of the client: {memoire} MB at most.")


if __name__ == "__main__":
    main()
