"""Drawing a sample that anybody can draw again: the seed is recorded, the order is a hash."""

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from oi_service.errors import RuleBroken

#: Name of the procedure below; it is recorded with each draw and never means anything else.
ALGORITHME = "sha256-v1"


class PopulationTropPetite(RuleBroken):
    """{nombre:pièce(s)} seulement : le contrôle par échantillon se justifie à partir de {minimum}
    pièces, contrôlez-les toutes.
    """

    article = "Annexe « échantillonnage » de la convention type DGEFP"


def tirer(
    population: Mapping[UUID, int], graine: str, *, taille_min: int, couverture_min_pct: Decimal
) -> tuple[UUID, ...]:
    """Draw pieces until both the least number and the least share of the amount are reached.

    Pieces are taken in the order of SHA-256(graine + ":" + identifier): the same seed gives the
    same draw, whatever the order in which pieces came. ``population``: amount of each, in cents.
    Raises: PopulationTropPetite.
    """
    if len(population) <= taille_min:
        raise PopulationTropPetite(nombre=len(population), minimum=taille_min + 1)
    vise = Fraction(couverture_min_pct) / 100 * sum(population.values())
    tirage: list[UUID] = []
    couvert = 0
    for piece in _ordre(tuple(population), graine):
        if len(tirage) >= max(1, taille_min) and couvert >= vise:
            break
        tirage.append(piece)
        couvert += population[piece]
    return tuple(tirage)


def _ordre(pieces: Sequence[UUID], graine: str) -> list[UUID]:
    return sorted(pieces, key=lambda piece: hashlib.sha256(f"{graine}:{piece}".encode()).digest())
