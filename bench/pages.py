"""The pages on a national log: how long the server takes, and what a first visit weighs.

`python -m bench.pages --base DOSSIER` asks the pages of figures of each OI of a log that
`bench.national` wrote there; `DOSSIER` is the folder of its embedded server.
"""

import argparse
import gzip
import os
import re
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import httpx2
import psycopg

from bench.__main__ import serving
from bench.entree import SANS_LIMITE, en_tetes
from oi_service.app import DATABASE, open_service
from oi_service.database import ensure_database, migrate
from oi_service.ids import new_id
from oi_service.postgres import embedded_server

PORT = 18_766
TOURS = 5
#: What a page names and a browser fetches with it.
_FICHIERS = re.compile(r'(?:href|src)="(/static/[^"]+\.(?:css|js)[^"]*)"')
_POLICE = "/static/vendor/source-sans-3-latin-5.3.0.woff2"


def main() -> None:
    """Measure and print."""
    lecteur = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    lecteur.add_argument("--base", type=Path, required=True)
    demande = lecteur.parse_args()
    with embedded_server(demande.base) as serveur:
        base = ensure_database(serveur, DATABASE)
        migrate(base)
        with open_service(base) as service:
            acces = en_tetes(service, f"gestionnaire-{new_id().hex[:8]}", "gestionnaire_oi")
        with psycopg.connect(base) as conn:
            subventions = [
                row[0] for row in conn.execute("SELECT id FROM projection.subvention_globale")
            ]
            plies = conn.execute("SELECT plie_id, sg_id FROM projection.plie").fetchall()
        with (
            serving("oi_service", "serve", port=PORT, OI_DATABASE_URL=base, **SANS_LIMITE) as port,
            httpx2.Client(
                base_url=f"http://127.0.0.1:{port}", headers=acces, timeout=120
            ) as client,
        ):
            mesurer(client, subventions, plies)


def mesurer(
    client: httpx2.Client, subventions: Sequence[object], plies: Sequence[tuple[str, object]]
) -> None:
    """Ask each page, then say what a first visit of the maquette weighs."""
    maquettes = [f"/maquette?subvention={sg}" for sg in subventions]
    dire("maquette, first look of each OI", client, maquettes)
    dire("maquette", client, maquettes * TOURS)
    dire("maquette at a past day", client, [f"{m}&au=2020-06-30" for m in maquettes])
    dire("what waits", client, [m.replace("?", "/a-faire?") for m in maquettes])
    dire("PLIE", client, [f"/plie/{plie}?subvention={sg}" for plie, sg in plies])
    texte = client.get(maquettes[0]).text
    poids = {
        adresse: peser(client, adresse)
        for adresse in [maquettes[0], *dict.fromkeys(_FICHIERS.findall(texte)), _POLICE]
    }
    for adresse, octets in poids.items():
        print(f"  {octets / 1024:6.1f} KB  {adresse[:70]}")
    print(f"first load of the maquette, compressed: {sum(poids.values()) / 1024:.0f} KB")


def dire(titre: str, client: httpx2.Client, adresses: Iterable[str]) -> None:
    """Ask addresses one after the other; say how long answers take."""
    durees = []
    for adresse in adresses:
        debut = time.perf_counter()
        client.get(adresse).raise_for_status()
        durees.append((time.perf_counter() - debut) * 1000)
    cent = statistics.quantiles(durees, n=100, method="inclusive")
    charge = os.getloadavg()[0]
    print(
        f"{titre}: p50 {cent[49]:.0f}, p95 {cent[94]:.0f}, p99 {cent[98]:.0f} ms "
        f"({len(durees)} requests, load {charge:.1f} on {os.cpu_count()} cores)",
        flush=True,
    )


def peser(client: httpx2.Client, adresse: str) -> int:
    """Return how many bytes travel once compressed, by the service or by the proxy before it."""
    with client.stream("GET", adresse, headers={"Accept-Encoding": "gzip"}) as recue:
        recue.raise_for_status()
        corps = b"".join(recue.iter_raw())
        if "Content-Encoding" in recue.headers or adresse.endswith(".woff2"):
            return len(corps)
        return len(gzip.compress(corps, _NIVEAU))


#: What proxies use.
_NIVEAU = 6


if __name__ == "__main__":
    main()
