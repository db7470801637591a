"""Dossiers played once: the tests of this room mostly read them."""

from collections.abc import Iterator

import pytest
from dossier_exemple import service_joue
from portier import PortierDEssai
from starlette.testclient import TestClient

from api.app import create_app
from oi_service.application import Service


@pytest.fixture(scope="session")
def joue(serveur: str, modele: str) -> Iterator[Service]:
    """Lend the service where a few dossiers were played."""
    with service_joue(serveur, modele) as service:
        yield service


@pytest.fixture(scope="session")
def http(joue: Service) -> Iterator[TestClient]:
    """Lend its doors."""
    with TestClient(create_app(joue, PortierDEssai())) as client:
        yield client
