"""Databases that others give us: what we refuse, and in which words."""

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from oi_service.database import EncodageInattendu, MigrationImpossible, migrate
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
