"""The whole story, played once for all the tests of this folder."""

from collections.abc import Iterator

import pytest
from bases import base_neuve
from demo_jouee import Jeu

from oi_service.app import open_service


@pytest.fixture(scope="session")
def jeu(serveur: str, modele: str) -> Iterator[Jeu]:
    with base_neuve(serveur, modele) as base, open_service(base) as service:
        yield Jeu(base, service)
