"""Assembles everything; the only module that knows all the others."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from aggregates.operation import depot
from aggregates.subvention_globale import reservations
from oi_service.application import Journal, Service
from oi_service.database import application_pool, ensure_database, migrate
from oi_service.postgres import embedded_server
from oi_service.settings import Settings
from projections.rebuild import rebuild

#: Name of the database in the embedded server.
DATABASE = "oi"
#: Which refusal each constraint of the database stands for.
GARDES = {**reservations.GARDES, **depot.GARDES}


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """Lend the parameters of the database: the operator's, else the embedded server's."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    with embedded_server(settings.data_dir) as conninfo:
        yield ensure_database(conninfo, DATABASE)


def owner(settings: Settings, conninfo: str) -> str:
    """Return the owner's access: its own when the operator gave one, else the same."""
    return settings.database_url_migrations or conninfo


def prepare(conninfo: str) -> None:
    """Bring schema and projections up to date. Run as the owner."""
    if migrate(conninfo):
        rebuild(conninfo)


@contextmanager
def open_service(conninfo: str) -> Iterator[Service]:
    """Lend the service on a database that is up to date."""
    with ExitStack() as stack:
        writes = stack.enter_context(application_pool(conninfo))
        reads = stack.enter_context(application_pool(conninfo, read_only=True))
        yield Service(Journal(writes, GARDES), reads)
