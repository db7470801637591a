"""The whole story, played once for all the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bases import base_neuve
from demo_jouee import Jeu

from oi_service.app import open_service


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.longue)


@pytest.fixture(scope="session")
def jeu(serveur: str, modele: str) -> Iterator[Jeu]:
    with base_neuve(serveur, modele) as base, open_service(base) as service:
        yield Jeu(base, service)
