"""What keeps the log from being altered, as it stands in the database: functions, triggers, rights.

A seal tells what was altered; these tell that nothing was arranged to alter, or to hide it.
"""

import re
from collections.abc import Iterator
from typing import Any

import psycopg

from oi_service.database import migration_sources, projection_sources

#: Tables that only ever grow.
_PREUVES = ("oi.event", "oi.command")
#: What the application's role may not do to the log, whatever else it may.
_INTERDITS = "INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER"


def verifier_gardes(conn: psycopg.Connection[Any]) -> Iterator[str]:
    """Yield a sentence for each guard that is not as this version of the service installs it."""
    yield from _fonctions(conn)
    yield from _declencheurs(conn)
    yield from _droits(conn)


def _fonctions(conn: psycopg.Connection[Any]) -> Iterator[str]:
    sources = migration_sources() + projection_sources()
    rows = conn.execute(
        "SELECT proname, prosrc FROM pg_catalog.pg_proc "
        "WHERE pronamespace = 'oi'::regnamespace AND prokind = 'f' AND prosqlbody IS NULL "
        "ORDER BY proname"
    )
    for nom, corps in rows.fetchall():
        if corps != _corps(sources, nom):
            yield f"la fonction oi.{nom} n’est pas celle de cette version du service"


def _corps(sources: str, nom: str) -> str | None:
    """Return the body of a function as its last definition gives it."""
    definitions = re.split(rf"CREATE (?:OR REPLACE )?FUNCTION oi\.{nom}\(", sources)
    return definitions[-1].split("$$")[1] if len(definitions) > 1 else None


def _declencheurs(conn: psycopg.Connection[Any]) -> Iterator[str]:
    for table in _PREUVES:
        row = conn.execute(
            "SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid = %s::regclass "
            "AND tgfoid = 'oi.refuse_change'::regproc AND tgenabled IN ('O', 'A')",
            (table,),
        ).fetchone()
        if row != (1,):
            yield f"le déclencheur qui refuse de modifier {table} est absent ou désactivé"


def _droits(conn: psycopg.Connection[Any]) -> Iterator[str]:
    for table in (*_PREUVES, "oi.head"):
        row = conn.execute(
            "SELECT has_table_privilege('oi_application', %s, %s)", (table, _INTERDITS)
        ).fetchone()
        if row == (True,):
            yield f"le rôle du service peut écrire dans {table} sans passer par le journal"
