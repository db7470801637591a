"""A real PostgreSQL for every test that asks for one, cloned from a template in milliseconds."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.nodeid import NodeId
from bases import base_neuve
from hypothesis import settings

from oi_service.app import open_service
from oi_service.application import Service
from oi_service.database import ensure_database, migrate
from oi_service.ids import new_id
from oi_service.lieux import Lieux
from oi_service.postgres import embedded_server

#: A few examples of each property: a run of mutants repeats the tests thousands of times.
settings.register_profile("mutation", max_examples=8, derandomize=True, deadline=None)
#: Many more than a run can wait for: before a release, or when a figure is in doubt.
settings.register_profile("longue", max_examples=2000, deadline=None)


def pytest_configure() -> None:
    """Keep what the tests write out of the machine's own folders."""
    lieux = Path(tempfile.mkdtemp(prefix="oi-lieux-"))
    for nom in ("pieces", "cles", "ancres", "travaux"):
        os.environ.setdefault(f"OI_{nom.upper()}_DIR", str(lieux / nom))
    # What the test client calls itself, and more requests than a person makes.
    os.environ.setdefault("OI_HOTES", "localhost,127.0.0.1,[::1],testserver")
    os.environ.setdefault("OI_DEBIT", "1000000/minute")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of a group on one worker: what a module plays once is played once.

    pytest-xdist 3.8 writes the group where pytest no longer reads it since 9.2.
    """
    if not hasattr(config, "workerinput"):
        return
    for item in items:
        group = _groupe(item)
        if group is not None and not item.nodeid.endswith(f"@{group}"):
            item._id = NodeId.parse(f"{item.nodeid}@{group}")


def _groupe(item: pytest.Item) -> str | None:
    """Return the group that a test is marked with; its module, when it shares a fixture of it."""
    marque = item.get_closest_marker("xdist_group")
    if marque is not None:
        return str(marque.args[0])
    assert isinstance(item, pytest.Function)
    fixtures = item._fixtureinfo.name2fixturedefs.values()
    return item.path.stem if any(f[-1].scope == "module" for f in fixtures) else None


@pytest.fixture(scope="session")
def serveur() -> Iterator[str]:
    """Lend the server of the run: ``OI_TEST_DATABASE_URL``, else the embedded one."""
    given = os.environ.get("OI_TEST_DATABASE_URL")
    if given:
        yield given
        return
    # The workers of one run share one server; the last one to leave stops it.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    base = Path(tempfile.gettempdir()) / f"oi-tests-{run}"
    with embedded_server(base, durable=False) as conninfo:
        yield conninfo
    if not (base / "donnees" / "postmaster.pid").exists():  # Nobody uses it any more.
        shutil.rmtree(base, ignore_errors=True)


@pytest.fixture(scope="session")
def modele(serveur: str) -> str:
    """Return the name of a database with the schema of the migrations and nothing in it."""
    name = f"modele_{new_id().hex}"
    migrate(ensure_database(serveur, name))
    return name


@pytest.fixture
def base(serveur: str, modele: str) -> Iterator[str]:
    """Lend an empty database of its own; its owner's parameters."""
    with base_neuve(serveur, modele) as given:
        yield given


@pytest.fixture
def service(base: str, tmp_path: Path) -> Iterator[Service]:
    """Lend the service on an empty database, with folders of its own."""
    with open_service(base, Lieux.sous(tmp_path / "lieux")) as opened:
        yield opened
