"""What keeps the log from being altered, as it stands in the database: functions, triggers, rights.

A seal tells what was altered; these tell that nothing was arranged to alter, or to hide it, nor to
show it to who may not see it.
"""

import re
from collections.abc import Iterator
from typing import Any

import psycopg

from oi_service.database import APPLICATION, DIRECTEUR, migration_sources, projection_sources

#: Tables that only ever grow.
_PREUVES = ("oi.event", "oi.command")
#: What the application's role may not do to the log, whatever else it may.
_INTERDITS = "INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER"

_PARMI = "= ANY (( SELECT plies_lus() AS plies_lus)::text[])"
_DU_PLIE = f"(plie_id {_PARMI})"
_DES_ECARTS = """jsonb_path_query_array(data, '$."ecarts"[*]."cellule"."plie_id"'::jsonpath)"""


def _du_dossier(table: str) -> str:
    return f"(EXISTS ( SELECT FROM operation o WHERE (o.id = {table}.operation_id)))"


#: What limited readers see of each table (migrations/0010_perimetre.sql), as PostgreSQL says it; of
#: the other projections, nothing.
_LIMITES = {
    "oi.event": f"""CASE split_part(name, '.'::text, 1)
        WHEN 'operation'::text THEN (stream_id IN ( SELECT dossiers_lus() AS dossiers_lus))
        WHEN 'convention'::text THEN (
            stream_id IN ( SELECT conventions_lues() AS conventions_lues))
        WHEN 'depense'::text THEN (stream_id IN ( SELECT depenses_lues() AS depenses_lues))
        WHEN 'contrepartie'::text THEN (
            EXISTS ( SELECT FROM contrepartie c WHERE (c.id = event.stream_id)))
        WHEN 'controle_operation'::text THEN (
            stream_id IN ( SELECT controles_entiers_lus() AS controles_entiers_lus))
        WHEN 'lot'::text THEN (stream_id IN ( SELECT lots_lus() AS lots_lus))
        WHEN 'subvention_globale'::text THEN (
            ((data ->> 'plie_id'::text) {_PARMI})
            OR (((data -> 'cellule'::text) ->> 'plie_id'::text) {_PARMI})
            OR (((data -> 'de'::text) ->> 'plie_id'::text) {_PARMI})
            OR (((data -> 'vers'::text) ->> 'plie_id'::text) {_PARMI})
            OR (({_DES_ECARTS} ?| ( SELECT plies_lus() AS plies_lus))
                AND ({_DES_ECARTS} <@ (to_jsonb(( SELECT plies_lus() AS plies_lus))
                    || '["non_reparti", "reserve"]'::jsonb))))
        ELSE (name = 'registre.journal_ancre.v1'::text) END""",  # noqa: S608 - compared, never run
    "projection.affectation": _du_dossier("affectation"),
    "projection.appel_a_projets": "(id IN ( SELECT appels_lus() AS appels_lus))",
    "projection.contrepartie": _DU_PLIE,
    "projection.controle_constat": _du_dossier("controle_constat"),
    "projection.controle_operation": (
        "(EXISTS ( SELECT FROM controle_perimetre p WHERE (p.controle_id = controle_operation.id)))"
    ),
    "projection.controle_perimetre": _du_dossier("controle_perimetre"),
    "projection.controle_suite": (
        "(EXISTS ( SELECT FROM controle_constat k "
        "WHERE ((k.controle_id = controle_suite.controle_id) "
        "AND (k.numero = controle_suite.constat_numero))))"
    ),
    "projection.depense": _du_dossier("depense"),
    "projection.enveloppe": _DU_PLIE,
    "projection.lot": "(id IN ( SELECT lots_lus() AS lots_lus))",
    "projection.lot_ligne": "(lot_id IN ( SELECT lots_lus() AS lots_lus))",
    "projection.mouvement": _DU_PLIE,
    "projection.operation": _DU_PLIE,
    "projection.plie": _DU_PLIE,
    "projection.reprise": "false",
    "projection.subvention_globale": (
        "(EXISTS ( SELECT FROM plie p WHERE (p.sg_id = subvention_globale.id)))"
    ),
}
#: What they read besides.
_LISIBLES = {*_LIMITES, "oi.head"}


def verifier_gardes(conn: psycopg.Connection[Any]) -> Iterator[str]:
    """Yield a sentence for each guard that is not as this version of the service installs it."""
    yield from _fonctions(conn)
    yield from _declencheurs(conn)
    yield from _droits(conn)
    yield from _politiques(conn)
    yield from _lecteurs_limites(conn)


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


def _politiques(conn: psycopg.Connection[Any]) -> Iterator[str]:
    rows = conn.execute(
        """
        SELECT n.nspname || '.' || c.relname, c.relrowsecurity, coalesce((
            SELECT array_agg(
                ARRAY[p.polcmd::text, p.polpermissive::text, p.polroles::regrole[]::text,
                    pg_get_expr(p.polqual, c.oid)]
                ORDER BY p.polroles::regrole[]::text)
            FROM pg_catalog.pg_policy AS p WHERE p.polrelid = c.oid), '{}')
        FROM pg_catalog.pg_class AS c INNER JOIN pg_catalog.pg_namespace AS n
            ON c.relnamespace = n.oid
        WHERE (n.nspname = 'projection' AND c.relkind = 'r')
            OR c.oid = 'oi.event'::regclass
        ORDER BY 1
        """
    )
    for table, actives, trouvees in rows.fetchall():
        attendues = [[APPLICATION, "true"]]
        if table in _LIMITES:
            attendues.append([DIRECTEUR, _LIMITES[table]])
        dites = [["r", "true", f"{{{role}}}", _nue(condition)] for role, condition in attendues]
        if not actives or [[*p[:3], _nue(p[3])] for p in trouvees] != dites:
            yield f"les règles qui disent qui lit quelles lignes de {table} ont été changées"


def _nue(condition: str) -> str:
    """Return a condition without its blanks, nor the schemas that it depends on who asks to see."""
    return re.sub(r"\s+|\b(?:oi|projection)\.(?=\w+\b)", "", condition)


def _lecteurs_limites(conn: psycopg.Connection[Any]) -> Iterator[str]:
    lisibles = conn.execute(
        """
        SELECT n.nspname || '.' || c.relname
        FROM pg_catalog.pg_class AS c INNER JOIN pg_catalog.pg_namespace AS n
            ON c.relnamespace = n.oid
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
            AND n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_')
            AND has_any_column_privilege(%s, c.oid, 'SELECT')
        ORDER BY 1
        """,
        (DIRECTEUR,),
    )
    for (table,) in lisibles.fetchall():
        if table not in _LISIBLES:
            yield f"qui ne lit que des PLIE peut lire {table}"
    row = conn.execute(
        """
        SELECT r.rolsuper OR r.rolbypassrls
            OR EXISTS (SELECT FROM pg_catalog.pg_auth_members AS m WHERE m.member = r.oid)
        FROM pg_catalog.pg_roles AS r WHERE r.rolname = %s
        """,
        (DIRECTEUR,),
    ).fetchone()
    if row != (False,):
        yield f"le rôle {DIRECTEUR} a d’autres droits que les siens"
    reglees = conn.execute(
        """
        SELECT p.proname FROM pg_catalog.pg_proc AS p, unnest(p.proconfig) AS c (reglage)
        WHERE p.pronamespace = 'oi'::regnamespace AND NOT starts_with(c.reglage, 'search_path=')
        ORDER BY 1
        """
    )
    for (nom,) in reglees.fetchall():
        yield f"la fonction oi.{nom} a des réglages que cette version du service ne lui donne pas"
