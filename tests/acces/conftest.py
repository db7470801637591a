"""An empty service, a clock that the test moves, and accesses that work fast; and a whole world."""

from collections.abc import Iterator

import pytest
from bases import base_neuve
from comptes_joues import Horloge, Maison, acces_leger
from monde_habite import Monde, monde_de

from oi_service.application import Service
from oi_service.lieux import Lieux


@pytest.fixture
def horloge(monkeypatch: pytest.MonkeyPatch) -> Horloge:
    return Horloge(monkeypatch)


@pytest.fixture
def maison(service: Service, horloge: Horloge) -> Maison:
    return Maison(service, acces_leger(service, service.lieux.cles), horloge)


@pytest.fixture(scope="module")
def monde(serveur: str, modele: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monde]:
    """Lend two PLIE and the accounts that look at them."""
    lieux = Lieux.sous(tmp_path_factory.mktemp("lieux"))
    with base_neuve(serveur, modele) as base, monde_de(base, lieux) as found:
        yield found
