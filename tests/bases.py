"""Databases of their own, cloned from the template in milliseconds, and their log played again."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo

from oi_service.ids import new_id
from projections.rebuild import _BESIDE, Empreinte, digests


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


def projeter(conn: Connection[Any], bornes: list[int]) -> dict[str, Empreinte]:
    """Project up to each bound in turn into the empty tables beside; return what they hold."""
    with conn.transaction(force_rollback=True):
        conn.execute(
            sql.SQL("SET LOCAL search_path = {}, oi, pg_temp").format(sql.Identifier(_BESIDE))
        )
        for avant, borne in pairwise([0, *bornes]):
            conn.execute("SELECT oi.project(%s, %s)", (avant + 1, borne))
        conn.execute("SET LOCAL search_path = DEFAULT")
        return digests(conn, _BESIDE)
