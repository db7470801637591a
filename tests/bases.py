"""Databases of their own, cloned from the template in milliseconds."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from oi_service.ids import new_id


@contextmanager
def base_neuve(serveur: str, modele: str) -> Iterator[str]:
    """Lend an empty database, for longer than one test if need be; its owner's parameters."""
    name = f"essai_{new_id().hex}"
    with psycopg.connect(serveur, autocommit=True) as conn:
        conn.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(modele)
            )
        )
    try:
        yield make_conninfo(serveur, dbname=name)
    finally:
        with psycopg.connect(serveur, autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
