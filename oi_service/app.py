"""Assembles everything; the only module that knows all the others."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version

import psycopg
from psycopg_pool import ConnectionPool

from aggregates.operation import depot
from aggregates.registre.events import Empreinte, ProjectionsRefaites
from aggregates.registre.state import REGISTRE, REGISTRE_ID
from aggregates.subvention_globale import reservations
from aggregates.territoire import exiger_libre, exiger_lisible
from oi_service import clock
from oi_service.acces.acces import Acces, Reglages
from oi_service.acces.oidc import Oidc, reglages_de
from oi_service.application import Acte, Gardes, Journal, Service
from oi_service.database import (
    DIRECTEUR,
    application_pool,
    ensure_database,
    ensure_service_role,
    migrate,
)
from oi_service.lieux import Lieux, lieux_de
from oi_service.personnes.coffre import Coffre
from oi_service.pieces import Pieces
from oi_service.postgres import embedded_server
from oi_service.settings import Settings
from oi_service.travaux import Travaux
from projections.rebuild import Rebuilt, rebuild

#: Name of the database in the embedded server.
DATABASE = "oi"
GARDES = Gardes({**reservations.GARDES, **depot.GARDES}, exiger_libre, exiger_lisible)


@dataclass(frozen=True, slots=True)
class Access:
    """Two ways into the database: the owner's, and the service's, which cannot become the owner."""

    owner: str
    service: str


@contextmanager
def database(settings: Settings) -> Iterator[Access]:
    """Lend the accesses to the database: the operator's, else the embedded server's.

    An operator who gives one address only gives the owner's rights to both.
    """
    if settings.database_url is not None:
        url = settings.database_url
        yield Access(owner=settings.database_url_migrations or url, service=url)
        return
    with embedded_server(settings.data_dir) as conninfo:
        owner = ensure_database(conninfo, DATABASE)
        yield Access(owner=owner, service=ensure_service_role(owner))


def prepare(conninfo: str) -> None:
    """Bring schema and projections up to date. Run as the owner."""
    if migrate(conninfo):
        refaire(conninfo)


def refaire(conninfo: str) -> Rebuilt:
    """Rebuild the projections, and keep the certificate as an event. Run as the owner."""
    rebuilt = rebuild(conninfo)
    with psycopg.connect(conninfo) as conn:
        row = conn.execute("SELECT source_sha256 FROM oi.projection_state").fetchone()
    assert row is not None
    certificat = ProjectionsRefaites(
        date_effet=clock.today(),
        jusqua_position=rebuilt.events,
        empreintes=tuple(
            Empreinte(projection=nom, lignes=e.lignes, empreinte=e.empreinte)
            for nom, e in sorted(rebuilt.digests.items())
        ),
        differentes=rebuilt.different,
        duree_ms=round(rebuilt.seconds * 1000),
        version_code=version("oi-service"),
        empreinte_code=row[0],
    )
    # As the owner, who may append too, and may not always become the role of the application.
    with ConnectionPool(conninfo, min_size=1, max_size=1, kwargs={"autocommit": True}) as pool:
        Journal(pool, GARDES).execute(
            Acte("systeme", "systeme"),
            lambda unit: unit.record(REGISTRE, REGISTRE_ID, [certificat]),
        )
    return rebuilt


@contextmanager
def open_service(conninfo: str, lieux: Lieux | None = None) -> Iterator[Service]:
    """Lend the service on a database that is up to date; its folders are the environment's."""
    settings = Settings()
    garde = timedelta(days=settings.travaux_jours)
    lieux = lieux or lieux_de(settings)
    with ExitStack() as stack:
        writes = stack.enter_context(application_pool(conninfo))
        reads = stack.enter_context(application_pool(conninfo, read_only=True))
        limites = stack.enter_context(application_pool(conninfo, role=DIRECTEUR, read_only=True))
        # Of its own: who comes in, or asks how far a work is, does not wait for those who write.
        entrees = stack.enter_context(application_pool(conninfo))
        pieces = Pieces(lieux.pieces, settings.piece_max)
        journal = Journal(writes, GARDES, Coffre(lieux.cles / "personnes"), pieces)
        acces = Acces(entrees, Coffre(lieux.cles / "comptes"), Reglages.de(settings))
        fournisseur = reglages_de(settings)
        oidc = None if fournisseur is None else Oidc(entrees, fournisseur)
        travaux = Travaux(entrees, lieux.travaux, garde)
        yield Service(journal, reads, limites, lieux, pieces, acces, travaux, oidc)
