"""What the proof costs: the seal in an append, and the verification of the whole log.

`python -m bench.preuve --evenements 1000000` fills a national log (or finds it again, with
`--garder DOSSIER`), and measures in one run, in turns:

- the append of the same commands with the seal, and with the seal taken out of the function;
- `oi verifier-journal` beside "read the log in order and hash its bytes", and with one hash a row.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

from bench.pilotage import Mesures, conditions, journal
from oi_service.database import ensure_database, migrate
from oi_service.ids import new_id
from oi_service.preuve.forme import ENREGISTREMENT, sceau
from oi_service.preuve.journal import verifier_journal

TOURS = 5
#: Events of each turn of appends, by the size of the commands.
AJOUTS = {1: 1_000, 100: 10_000, 500: 20_000}

_APPEND = """
    SELECT first_position FROM oi.{fonction}(
        %s, 'bench', 'bench', 'systeme', 'bench', 'sans_objet', %s, NULL, %s, false,
        %s::uuid[], %s::integer[], %s::text[], %s::text[], %s::date[], %s::text[], %s::text[],
        '{{}}'::uuid[], '{{}}'::integer[])
"""


def ajouter(m: Mesures, serveur: str, source: str) -> None:
    """Append the same events with the seal and without, in turns, in an empty database."""
    with psycopg.connect(source) as conn:
        lot = conn.execute(
            "SELECT name, data::text, date_effet, motif, pieces::text FROM oi.event "
            "WHERE name <> 'subvention_globale.conventionnee.v1' ORDER BY position LIMIT 20000"
        ).fetchall()
    base = ensure_database(serveur, f"ajouts_{new_id().hex[:8]}")
    migrate(base)
    with psycopg.connect(base, autocommit=True) as conn:
        _sans_sceau(conn)
        # What the projections cost is measured elsewhere: here, they cost nothing.
        conn.execute(
            "CREATE OR REPLACE FUNCTION oi.project(lo bigint, hi bigint) RETURNS void "
            "LANGUAGE sql AS 'SELECT'"
        )
        for taille, nombre in AJOUTS.items():
            durees: dict[str, list[float]] = {"append": [], "append_sans_sceau": []}
            for _ in range(TOURS):
                for fonction, faites in durees.items():
                    faites.append(_tour(conn, fonction, lot, taille, nombre))
            avec, sans = (statistics.median(faites) for faites in durees.values())
            m.dire(f"append of {taille}, sealed, events/s", f"{nombre / avec:,.0f}")
            m.dire(f"append of {taille}, without the seal, events/s", f"{nombre / sans:,.0f}")
            m.dire(
                f"append of {taille}, the seal",
                f"{(avec - sans) / nombre * 1e6:.1f} µs an event, {(avec - sans) / avec:.0%}",
            )


def _sans_sceau(conn: Connection[Any]) -> None:
    """Make a twin of the append function that writes a constant where the seal goes."""
    row = conn.execute("SELECT pg_get_functiondef('oi.append'::regproc)").fetchone()
    assert row is not None
    avant, _, reste = row[0].partition("oi.seal_chain(")
    _, _, apres = reste.partition("OVER (ORDER BY f.position)")
    assert apres
    conn.execute(
        (avant.replace("oi.append", "oi.append_sans_sceau") + "last_seal" + apres).encode()
    )


def _tour(
    conn: Connection[Any], fonction: str, lot: list[tuple[Any, ...]], taille: int, nombre: int
) -> float:
    requete = _APPEND.format(fonction=fonction)
    commandes = []
    for premier in range(0, nombre, taille):
        faits = [lot[i % len(lot)] for i in range(premier, premier + taille)]
        colonnes = [list(colonne) for colonne in zip(*faits, strict=True)]
        cle = new_id()
        flux = [new_id() for _ in faits]
        commandes.append((cle, cle, taille, flux, [1] * taille, *colonnes))
    debut = time.perf_counter()
    for commande in commandes:
        conn.execute(requete.encode(), commande, prepare=True)
    return time.perf_counter() - debut


def verifier(m: Mesures, conn: Connection[Any], evenements: int) -> None:
    """Verify the log, beside reading it and hashing its bytes, and beside hashing row by row."""
    faits: dict[str, Callable[[], object]] = {
        "read and hash the bytes": lambda: _lire_les_octets(conn),
        "read and hash each row": lambda: _lire_les_lignes(conn),
        "verifier-journal": lambda: verifier_journal(conn),
    }
    debits: dict[str, list[float]] = {nom: [] for nom in faits}
    for _ in range(TOURS):
        for nom, faire in faits.items():
            debut = time.perf_counter()
            faire()
            debits[nom].append(evenements / (time.perf_counter() - debut))
    medianes = {nom: statistics.median(debit) for nom, debit in debits.items()}
    for nom, debit in medianes.items():
        m.dire(f"{nom}, events/s", f"{debit:,.0f}")
    for nom in ("read and hash the bytes", "read and hash each row"):
        m.dire(f"verifier-journal / {nom}", f"{medianes['verifier-journal'] / medianes[nom]:.2f}")


def _lire_les_octets(conn: Connection[Any]) -> None:
    with (
        conn.transaction(),
        conn.cursor().copy(
            "COPY (SELECT * FROM oi.event ORDER BY position) TO STDOUT (FORMAT binary)"
        ) as copie,
    ):
        for bloc in copie:
            sceau(b"", bytes(bloc))


def _lire_les_lignes(conn: Connection[Any]) -> None:
    demande = f"COPY (SELECT {ENREGISTREMENT} FROM oi.event AS e ORDER BY e.position) TO STDOUT "  # noqa: S608
    with conn.transaction(), conn.cursor().copy(f"{demande} (FORMAT binary)".encode()) as copie:
        copie.set_types(["bytea"])
        for (enregistrement,) in copie.rows():
            sceau(b"", enregistrement)


def main() -> None:
    """Measure and print the table."""
    lecteur = argparse.ArgumentParser(prog="python -m bench.preuve", description=__doc__)
    lecteur.add_argument("--evenements", type=int, default=1_000_000)
    lecteur.add_argument("--graine", type=int, default=2021)
    lecteur.add_argument("--garder", type=Path)
    demande = lecteur.parse_args()
    m = Mesures()
    with ExitStack() as pile:
        serveur, base = pile.enter_context(
            journal(demande.evenements, demande.graine, demande.garder)
        )
        conn = pile.enter_context(psycopg.connect(base, autocommit=True))
        conn.execute("VACUUM ANALYZE")
        row = conn.execute("SELECT position FROM oi.head").fetchone()
        assert row is not None
        m.dire("events", f"{row[0]:,}")
        verifier(m, conn, row[0])
        ajouter(m, serveur, base)
        conditions(conn, demande.graine)
    print("\n| Measure | |\n|---|---:|")
    for titre, valeurs in m.lignes.items():
        print(f"| {titre} | {' | '.join(valeurs)} |")


if __name__ == "__main__":
    main()
