"""One small OI, played once: the tests of this room only read it."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow
from vie_complete import Vie, jouer

from oi_service.app import open_service
from oi_service.application import Service
from oi_service.ids import new_id


@pytest.fixture(scope="session")
def ouvert(serveur: str, modele: str) -> Iterator[Service]:
    """Lend the service on the database of the played life."""
    name = f"lecture_{new_id().hex}"
    with psycopg.connect(serveur, autocommit=True) as conn:
        conn.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(modele)
            )
        )
    with open_service(make_conninfo(serveur, dbname=name)) as service:
        yield service
    with psycopg.connect(serveur, autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def vie(ouvert: Service) -> Vie:
    """Play."""
    return jouer(ouvert)


@pytest.fixture
def conn(ouvert: Service, vie: Vie) -> Iterator[Connection[TupleRow]]:
    """Lend a connection that reads."""
    with ouvert.reads.connection() as connection:
        yield connection
