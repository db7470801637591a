"""Databases that others give us: what we refuse, and in which words."""

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from vie import Vie

from oi_service.app import open_service, refaire
from oi_service.database import (
    EncodageInattendu,
    MigrationImpossible,
    ensure_service_role,
    migrate,
)
from oi_service.ids import new_id


def test_a_database_that_would_lose_accents_is_refused(serveur: str) -> None:
    name = f"ascii_{new_id().hex}"
    with psycopg.connect(serveur, autocommit=True) as conn:
        conn.execute(
            sql.SQL(
                "CREATE DATABASE {} ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' "
                "TEMPLATE template0"
            ).format(sql.Identifier(name))
        )
    with pytest.raises(EncodageInattendu, match=f"La base {name} est codée en SQL_ASCII"):
        migrate(make_conninfo(serveur, dbname=name))


def test_a_role_that_may_not_migrate_hears_why(base: str) -> None:
    with pytest.raises(MigrationImpossible, match="Les migrations n’ont pas pu être appliquées"):
        migrate(make_conninfo(base, options="-c role=oi_application"))


def test_an_owner_that_is_no_superuser_makes_the_whole_schema(serveur: str, modele: str) -> None:
    # The roles of the cluster are there: the model made them, as a superuser does once.
    name = f"owner_{new_id().hex[:12]}"
    with psycopg.connect(serveur, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE").format(sql.Identifier(name)))
        conn.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(name)))
    try:
        migrate(make_conninfo(serveur, dbname=name, user=name))
        with psycopg.connect(make_conninfo(serveur, dbname=name, user=name)) as conn:
            assert conn.execute("SELECT acces.purger_traces(now())").fetchone() == (0,)
    finally:
        with psycopg.connect(serveur, autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def test_the_service_cannot_become_the_owner(base: str) -> None:
    service = ensure_service_role(base)
    with psycopg.connect(service, autocommit=True) as conn:
        assert conn.execute("SELECT session_user").fetchone() == ("oi_service",)
        conn.execute("SET ROLE oi_application")
        conn.execute("SET ROLE NONE")
        for statement in (
            "DELETE FROM oi.event",
            "INSERT INTO projection.mouvement DEFAULT VALUES",
            "ALTER TABLE oi.event DISABLE TRIGGER event_append_only",
            "SET ROLE oi",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement)
    with open_service(service) as opened, opened.reads.connection() as conn:
        assert conn.execute("SELECT position FROM oi.head").fetchone() == (0,)


def test_a_function_that_gave_other_columns_is_replaced(base: str) -> None:
    # An older release whose function had fewer columns: PostgreSQL does not replace such a one.
    with psycopg.connect(base) as conn:
        conn.execute("DROP FUNCTION oi.depenses_versions")
        conn.execute(
            "CREATE FUNCTION oi.depenses_versions(lo bigint, hi bigint) "
            "RETURNS TABLE (stream_id uuid) LANGUAGE sql AS 'SELECT NULL::uuid'"
        )
        conn.execute("UPDATE oi.projection_state SET source_sha256 = 'older'")
    assert migrate(base) is False  # Nothing is recorded: there is nothing to rebuild.
    with psycopg.connect(base) as conn:
        query = "SELECT stream_id, version FROM oi.depenses_versions(1, 10)"
        assert conn.execute(query).fetchall() == []
    with open_service(base) as service:
        Vie(service).subvention()


def test_an_owner_that_is_no_superuser_upgrades_and_keeps_the_certificate(serveur: str) -> None:
    # The operator's own base: its owner may not become the role of the application.
    name = f"essai_{new_id().hex}"
    with psycopg.connect(serveur, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        conn.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(name)))
    try:
        migrate(make_conninfo(serveur, dbname=name))
        with psycopg.connect(make_conninfo(serveur, dbname=name), autocommit=True) as conn:
            for schema in ("oi", "projection", "public"):
                conn.execute(
                    sql.SQL("ALTER SCHEMA {} OWNER TO {}").format(
                        sql.Identifier(schema), sql.Identifier(name)
                    )
                )
            conn.execute(_TOUT_A.format(name))
        with open_service(make_conninfo(serveur, dbname=name)) as service:
            Vie(service).subvention()
        refaire(make_conninfo(serveur, dbname=name, user=name))
        with psycopg.connect(make_conninfo(serveur, dbname=name)) as conn:
            query = "SELECT count(*) FROM oi.event WHERE name = 'registre.projections_refaites.v1'"
            assert conn.execute(query).fetchone() == (1,)
    finally:
        with psycopg.connect(serveur, autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


#: Gives every table, view and function of the two schemas to an owner.
_TOUT_A = """
DO $$
DECLARE x text;
BEGIN
    FOR x IN SELECT format('ALTER %s %s OWNER TO "{0}"',
            CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.oid::regclass)
        FROM pg_class AS c WHERE c.relkind IN ('r', 'v')
            AND c.relnamespace IN ('oi'::regnamespace, 'projection'::regnamespace)
        UNION ALL
        SELECT format('ALTER FUNCTION %s OWNER TO "{0}"', p.oid::regprocedure)
        FROM pg_proc AS p WHERE p.pronamespace = 'oi'::regnamespace
    LOOP
        EXECUTE x;
    END LOOP;
END
$$
"""
