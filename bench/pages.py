"""The pages on a national log: how long the service takes to make each one, and what it weighs.

`python -m bench.pages --evenements 100000 1000000` asks each page through HTTP, as a
person of the OI, and prints plain tables. `--garder DOSSIER` keeps the logs there.
"""

import argparse
import gzip
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import httpx2
import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from bench.__main__ import serving
from bench.entree import SANS_LIMITE, en_tetes
from bench.pilotage import Mesures, conditions, journal, repartition
from oi_service.app import open_service
from oi_service.ids import new_id

#: Times that each page is asked, after a few that nobody counts.
DEMANDES = 40
RODAGE = 3


def adresses(conn: Connection[TupleRow]) -> Mapping[str, str]:
    """Return the pages, by what they are called; what they are about is the largest there is."""
    row = conn.execute(
        """
        SELECT o.numero_mdfse, o.plie_id, left(o.beneficiaire, 12)
        FROM projection.depense AS d INNER JOIN projection.operation AS o ON d.operation_id = o.id
        GROUP BY o.id ORDER BY count(*) DESC, o.id LIMIT 1
        """
    ).fetchone()
    assert row is not None
    numero, plie, beneficiaire = row
    return {
        "maquette": "/maquette",
        "maquette, as it was": "/maquette?au=2019-12-31&connu_le=2020-06-30",
        "PLIE": f"/plie/{plie}",
        "operations": "/operations",
        "dossier": f"/dossiers/{numero}",
        "dépenses": "/depenses",
        "contrôles": "/controles",
        "paiements": "/paiements",
        "journal": "/audit/journal",
        "search": f"/recherche?q={beneficiaire}",
    }


def poids(client: httpx2.Client, page: str) -> int:
    """Return the bytes of a first visit, compressed: the page and every file that it names."""
    fichiers = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
    return _serre(page.encode()) + sum(_du_fichier(client, f) for f in fichiers)


def _du_fichier(client: httpx2.Client, adresse: str) -> int:
    contenu = client.get(adresse).content
    nommes = re.findall(rb'url\("(vendor/[^"]+)"\)', contenu)
    return _serre(contenu) + sum(
        _serre(client.get(f"/static/{n.decode()}").content) for n in nommes
    )


def _serre(contenu: bytes) -> int:
    # What is already compressed does not shrink.
    return min(len(contenu), len(gzip.compress(contenu, 6)))


def demander(client: httpx2.Client, adresse: str) -> tuple[str, str]:
    """Ask a page many times; return how long it takes, and the page."""
    durees, page = [], ""
    for rang in range(RODAGE + DEMANDES):
        debut = time.perf_counter()
        reponse = client.get(adresse)
        if rang >= RODAGE:
            durees.append((time.perf_counter() - debut) * 1000)
        if reponse.status_code != httpx2.codes.OK:
            raise RuntimeError(f"{adresse}: {reponse.status_code}")
        page = reponse.text
    return repartition(durees), page


def mesurer(m: Mesures, evenements: int, graine: int, garder: Path | None) -> None:
    """Ask every page of one size."""
    with ExitStack() as pile:
        _, base = pile.enter_context(journal(evenements, graine, garder))
        conn = pile.enter_context(psycopg.connect(base, autocommit=True))
        conn.execute("VACUUM ANALYZE")
        with open_service(base) as service:
            entree = en_tetes(service, f"gestionnaire-{new_id().hex[:8]}", "gestionnaire_oi")
        port = pile.enter_context(
            serving("oi_service", "serve", port=18_766, OI_DATABASE_URL=base, **SANS_LIMITE)
        )
        client = pile.enter_context(
            httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=entree, timeout=120)
        )
        for titre, (durees, pesee) in _pages(client, adresses(conn)):
            m.dire(titre, f"{durees}; {pesee / 1024:.0f} KB")
        conditions(conn, graine)


def _pages(
    client: httpx2.Client, pages: Mapping[str, str]
) -> Iterator[tuple[str, tuple[str, int]]]:
    for titre, adresse in pages.items():
        durees, page = demander(client, adresse)
        yield titre, (durees, poids(client, page))


def main() -> None:
    """Measure each size and print the table."""
    lecteur = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    lecteur.add_argument("--evenements", type=int, nargs="+", default=[100_000, 1_000_000])
    lecteur.add_argument("--graine", type=int, default=2021)
    lecteur.add_argument("--garder", type=Path)
    demande = lecteur.parse_args()
    m = Mesures()
    for evenements in demande.evenements:
        print(f"{evenements:,} events", flush=True)
        mesurer(m, evenements, demande.graine, demande.garder)
    print("\n| Page |" + "".join(f" {n:,} |" for n in demande.evenements))
    print("|---|" + "---:|" * len(demande.evenements))
    for titre, valeurs in m.lignes.items():
        print(f"| {titre} | {' | '.join(valeurs)} |")


if __name__ == "__main__":
    main()
