"""An empty service, a clock that the test moves, and accesses that work fast."""

import pytest
from comptes_joues import Horloge, Maison, acces_leger

from oi_service.application import Service


@pytest.fixture
def horloge(monkeypatch: pytest.MonkeyPatch) -> Horloge:
    return Horloge(monkeypatch)


@pytest.fixture
def maison(service: Service, horloge: Horloge) -> Maison:
    return Maison(service, acces_leger(service, service.lieux.cles), horloge)
