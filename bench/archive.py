"""What an archive costs: composed from a national log, then verified by the file that it ships.

`python -m bench.archive --evenements 1000000` fills a national log (or finds it again, with
`--garder DOSSIER`), and measures in one run the archive of the dossier that is the nearest to 1,000
events, that of the PLIE that has most dossiers, and their verification on nothing but Python.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from api.archive.lectures import lectures
from api.v1.archives import ecrire_fiche
from bench.pilotage import Mesures, conditions, journal
from oi_service.app import open_service
from oi_service.application import Service
from oi_service.lieux import Lieux
from oi_service.preuve.ancrage import Destinations, ancrer
from oi_service.preuve.archive.composer import Composee, Progres, composer
from oi_service.preuve.archive.demande import Demande, lire_demande
from projections.situation import ACTUELLE

TOURS = 3

_DOSSIER = """
    SELECT o.numero_mdfse
    FROM projection.operation AS o
    INNER JOIN projection.depense AS d ON d.operation_id = o.id
    GROUP BY o.numero_mdfse ORDER BY abs(sum(d.version) - 1000), o.numero_mdfse LIMIT 1
"""
_PLIE = """
    SELECT o.plie_id FROM projection.operation AS o
    GROUP BY o.plie_id ORDER BY count(*) DESC, o.plie_id LIMIT 1
"""


def _sans_lectures(
    _conn: Connection[TupleRow], _demande: Demande, _progres: Progres
) -> Iterator[tuple[str, bytes]]:
    """Leave the reading aids out: 10,000 dossiers told one by one are another measure."""
    return iter(())


def mesurer(
    m: Mesures, service: Service, sortie: Path, titre: str, tours: int = TOURS, **objet: str
) -> None:
    """Compose an archive several times, and verify the last one."""
    with service.reads.connection() as conn:
        demande = lire_demande(conn, ACTUELLE, **objet)
    lire = lectures(ecrire_fiche) if objet else _sans_lectures
    durees: list[float] = []
    composee: Composee | None = None
    for _ in range(tours):
        debut = time.perf_counter()
        composee = composer(service, demande, sortie, lire)
        durees.append(time.perf_counter() - debut)
    assert composee is not None
    m.dire(
        f"archive of {titre}",
        f"{min(durees):.1f} s, {composee.evenements:,} events, {composee.octets / 1e6:.1f} MB",
    )
    with zipfile.ZipFile(sortie) as archive:
        programme = sortie.with_suffix(".py")
        programme.write_bytes(archive.read("verifier.py"))
    debut = time.perf_counter()
    memoire = _lancer_en_mesurant([sys.executable, "-I", "-S", str(programme), str(sortie)])
    duree = time.perf_counter() - debut
    m.dire(
        f"archive of {titre}, verified",
        f"{duree:.1f} s, {composee.evenements / duree:,.0f} events/s, {memoire:.0f} MB at most",
    )


#: A small process starts the program: one that a large process starts inherits its memory.
_MESURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
"""


def _lancer_en_mesurant(commande: list[str]) -> float:
    """Run a program; return the most memory that it held, in megabytes.

    Its verdict is printed: the samples of the lives that the national log copies bear identifiers
    that are no longer theirs, and it says so of the whole log.
    """
    fait = subprocess.run(
        [sys.executable, "-c", _MESURE, *commande], check=True, stderr=subprocess.PIPE, text=True
    )
    return int(fait.stderr.split()[-1]) / 1024


def _premier(conn: Connection[TupleRow], requete: str) -> str:
    row = conn.execute(requete.encode()).fetchone()
    assert row is not None
    return str(row[0])


def main() -> None:
    """Measure and print the table."""
    lecteur = argparse.ArgumentParser(prog="python -m bench.archive", description=__doc__)
    lecteur.add_argument("--evenements", type=int, default=1_000_000)
    lecteur.add_argument("--graine", type=int, default=2021)
    lecteur.add_argument("--garder", type=Path)
    demande = lecteur.parse_args()
    m = Mesures()
    with ExitStack() as pile:
        _, base = pile.enter_context(journal(demande.evenements, demande.graine, demande.garder))
        dossier = Path(pile.enter_context(tempfile.TemporaryDirectory()))
        # The log knows its key: it is kept with it.
        lieux = Lieux.sous((demande.garder or dossier) / "lieux")
        service = pile.enter_context(open_service(base, lieux))
        conn = pile.enter_context(psycopg.connect(base, autocommit=True))
        ancrer(service, a_la_demande=True, destinations=Destinations())
        sortie = dossier / "archive.zip"
        mesurer(m, service, sortie, "a dossier", dossier=_premier(conn, _DOSSIER))
        mesurer(m, service, sortie, "a PLIE", plie=_premier(conn, _PLIE))
        mesurer(m, service, sortie, "the whole log, without reading aids", tours=1)
        conditions(conn, demande.graine)
    print("\n| Measure | |\n|---|---:|")
    for titre, valeurs in m.lignes.items():
        print(f"| {titre} | {' | '.join(valeurs)} |")


if __name__ == "__main__":
    main()
