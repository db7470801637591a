"""The formulas of every version of the rules: a control is computed again as it was, for ever.

A version is never changed once a control carries it. To change a formula, copy it under the next
version, raise `rules.VERSION_REGLES`, and leave the former one here with its tests.
"""

from collections.abc import Callable, Mapping, Sequence

from oi_service.errors import NotFound
from rules import VERSION_REGLES
from rules.calcul import Apports, Conditions, Resultat, service_fait

Calcul = Callable[[Conditions, Sequence[Apports]], Resultat]

#: 2026.1 knew real costs only; what it computed, `service_fait` computes the same.
VERSIONS: Mapping[str, Calcul] = {"2026.1": service_fait, VERSION_REGLES: service_fait}


class VersionInconnue(NotFound):
    """La version « {version} » des règles n’existe pas."""


def calcul_de(version: str) -> Calcul:
    """Return the formulas of a version. Raises: VersionInconnue."""
    try:
        return VERSIONS[version]
    except KeyError:
        raise VersionInconnue(version=version) from None
