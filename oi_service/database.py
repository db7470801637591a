"""Access to PostgreSQL: migrations by the owner, pools that run as the application's role."""

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool

from oi_service.errors import Refusal
from oi_service.postgres import url_of

#: Oldest major version whose built-in collation and privileges we rely on.
OLDEST_MAJOR = 17
#: The role that reads everything and appends, and the one that reads some PLIE.
APPLICATION, DIRECTEUR = "oi_application", "oi_directeur"
#: Who the service is in the embedded server.
SERVICE_ROLE = "oi_service"
#: Connections of each pool: FastAPI's threads wait for one rather than open more.
POOL_SIZE = 8


class PostgresTropAncien(Refusal):
    """Le serveur PostgreSQL {version} est trop ancien : il faut la version 17 au moins."""


class EncodageInattendu(Refusal):
    """La base {base} est codée en {encodage} et non en UTF-8 : recréez-la avec « ENCODING 'UTF8' »,
    les accents y seraient perdus.
    """


class MigrationImpossible(Refusal):
    """Les migrations n’ont pas pu être appliquées : {raison}."""


def ensure_database(conninfo: str, name: str) -> str:
    """Return the parameters of a database of that name, created if it is not there."""
    with psycopg.connect(conninfo, autocommit=True) as conn:
        known = conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        if known is None:
            conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return make_conninfo(conninfo, dbname=name)


def ensure_service_role(conninfo: str) -> str:
    """Return the parameters of a login role that is a member of `oi_application` and no more."""
    login = sql.SQL("CREATE ROLE {} LOGIN IN ROLE oi_application")
    wanted = (
        sql.SQL("CREATE ROLE oi_application"),
        login.format(sql.Identifier(SERVICE_ROLE)),
        # As migration 0010 does: a base restored here from a dump has it behind it.
        sql.SQL("CREATE ROLE oi_directeur"),
        sql.SQL("GRANT oi_directeur TO oi_application WITH INHERIT FALSE, SET TRUE"),
    )
    with psycopg.connect(conninfo, autocommit=True) as conn:
        for creation in wanted:
            # Known already, or made by another command that starts at the same time.
            with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                conn.execute(creation)
    return make_conninfo(conninfo, user=SERVICE_ROLE)


def migrate(conninfo: str) -> bool:
    """Bring the schema and the projection functions up to date.

    Returns: whether the projection functions changed, so that the projections must be rebuilt.
    Raises: PostgresTropAncien, EncodageInattendu, MigrationImpossible.
    """
    with psycopg.connect(conninfo) as conn:
        version = conn.info.server_version // 10_000
        if version < OLDEST_MAJOR:
            raise PostgresTropAncien(version=version)
        encoding = conn.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise EncodageInattendu(base=conn.info.dbname, encodage=encoding)
    with as_file(files("migrations")) as folder:
        _dbmate(conninfo, folder)
    with psycopg.connect(conninfo) as conn:
        return _replace_projection_functions(conn)


def _dbmate(conninfo: str, folder: Path) -> None:
    program = shutil.which("dbmate", path=str(Path(sys.executable).parent)) or "dbmate"
    done = subprocess.run(  # noqa: S603 - our own arguments
        [
            program,
            "--url",
            url_of(conninfo),
            "--migrations-dir",
            str(folder),
            "--migrations-table",
            "public.schema_migrations",
            "--no-dump-schema",
            "up",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise MigrationImpossible(raison=(done.stderr or done.stdout).strip())


def projection_sources() -> str:
    """Return the text of the projection functions of this version."""
    return _sql_of("projections")


def migration_sources() -> str:
    """Return the text of the migrations of this version, in their order."""
    return _sql_of("migrations")


def _sql_of(package: str) -> str:
    folder = files(package)
    names = sorted(f.name for f in folder.iterdir() if f.name.endswith(".sql"))
    return "\n".join(folder.joinpath(name).read_text("utf-8") for name in names)


def _replace_projection_functions(conn: psycopg.Connection[Any]) -> bool:
    source = projection_sources()
    digest = hashlib.sha256(source.encode()).hexdigest()
    known = conn.execute("SELECT source_sha256 FROM oi.projection_state FOR UPDATE").fetchone()
    if known is not None and known[0] == digest:
        return False
    try:
        with conn.transaction():
            conn.execute(source)
    except psycopg.errors.InvalidFunctionDefinition:
        # A function that gives other columns is not replaced: it goes, with what calls it.
        for name in sorted(set(re.findall(r"CREATE OR REPLACE FUNCTION oi\.(\w+)", source))):
            conn.execute(sql.SQL("DROP FUNCTION IF EXISTS {}").format(sql.Identifier("oi", name)))
        conn.execute(source)
    conn.execute("UPDATE oi.projection_state SET source_sha256 = %s", (digest,))
    head = conn.execute("SELECT position FROM oi.head").fetchone()
    return head is not None and head[0] > 0


@contextmanager
def application_pool(
    conninfo: str, *, role: str = APPLICATION, read_only: bool = False
) -> Iterator[ConnectionPool]:
    """Lend a pool that can read, and append through the one function; nothing else.

    As `DIRECTEUR` it reads what the database shows to the PLIE that each connection is told of, and
    forgets them with the connection.
    """
    options = f"-c role={role} -c timezone=UTC"
    if read_only:
        options += " -c default_transaction_read_only=on"
    known = conninfo_to_dict(conninfo).get("options") or ""
    pool = ConnectionPool(
        make_conninfo(conninfo, options=f"{known} {options}".strip()),
        min_size=1,
        max_size=POOL_SIZE,
        kwargs={"autocommit": True},
        reset=_oublier if role == DIRECTEUR else None,
        open=False,
    )
    with pool:
        yield pool


def _oublier(conn: psycopg.Connection[Any]) -> None:
    """Forget for whom a connection was reading: it goes back to show nothing."""
    conn.execute("SELECT set_config('oi.plies', '', false)")
