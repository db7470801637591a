"""What a route asks for: placeholder of the figures that pages show."""

from collections.abc import Sequence
from typing import Any

from projections.maquette import Maquette


def maquette_courante() -> Maquette | None:
    """Return the maquette of the subvention globale asked for, or of the only one."""
    raise NotImplementedError


def subventions_au_choix() -> Sequence[Any]:
    """Return the subventions globales that the reader may open, as ``id`` and ``numero``."""
    raise NotImplementedError
