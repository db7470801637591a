"""Databases that others give us: what we refuse, and in which words."""

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from oi_service.app import open_service
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
