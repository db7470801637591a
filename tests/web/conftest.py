"""What the tests of the network share."""

from collections.abc import Callable, Iterator

import pytest
from petite import Petite, servir

from oi_service.reseau import Reseau, lire_reseau


@pytest.fixture
def petite(reglages: Callable[..., Reseau]) -> Petite:
    return Petite(reglages())


@pytest.fixture
def port(petite: Petite) -> Iterator[int]:
    with servir(petite) as ecoute:
        yield ecoute


@pytest.fixture
def reglages(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Reseau]:
    """Read the settings of an environment that says this and nothing else of the network."""

    def lire(**variables: str) -> Reseau:
        for nom in ("ADRESSE", "MANDATAIRES", "HOTES", "ORIGINES", "DEBIT"):
            monkeypatch.delenv(f"OI_{nom}", raising=False)
        for nom, valeur in variables.items():
            monkeypatch.setenv(f"OI_{nom}", valeur)
        return lire_reseau()

    return lire
