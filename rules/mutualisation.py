"""Contreparties mutualisées: one funding over several operations, and what counterparts cover.

No euro backs two operations, and none goes where it is not needed.
Source: AVE, fiche 20 (pooled counterparts); the key, our choice until it is confirmed.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import TypeVar

import msgspec

from oi_service.money import ratio

K = TypeVar("K")


class Couverture(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What counterparts cover of what the Fund leaves; rates are ``None`` when it leaves nothing.

    ``previsionnelle`` counts everything expected, what is attested included; what it does not cover
    stays with the beneficiary.
    """

    besoin_centimes: int
    attestee: Fraction | None
    previsionnelle: Fraction | None
    autofinancement_previsionnel_centimes: int


def besoin(cout_net: int, fse_du: int, autres_ressources: int) -> int:
    """Return what is left to pay of an operation, in cents, once everybody else paid."""
    return max(0, cout_net - fse_du - autres_ressources)


def repartir(enveloppe: int, besoins: Mapping[K, int]) -> dict[K, int]:
    """Share an envelope pro rata of the needs, in whole cents, by the largest remainders.

    Nobody receives more than its need, nor all together more than the envelope; a need that it
    covers whole is covered whole. On equal remainders the larger need goes first, then the smaller
    name: the order in which operations are given changes nothing.
    """
    total = sum(besoins.values())
    if total <= enveloppe:
        return dict(besoins)
    # The envelope is smaller than the needs: every exact share is under its need, so that one cent
    # more than its whole part never passes it.
    exactes = {nom: Fraction(enveloppe * voulu, total) for nom, voulu in besoins.items()}
    parts = {nom: exacte.numerator // exacte.denominator for nom, exacte in exactes.items()}
    rang = sorted(besoins, key=lambda nom: (parts[nom] - exactes[nom], -besoins[nom], str(nom)))
    for nom in rang[: enveloppe - sum(parts.values())]:
        parts[nom] += 1
    return parts


def couverture(cout_total: int, fse: int, attestees: int, previsionnelles: int) -> Couverture:
    """Tell what counterparts cover of an operation, attested and expected, exactly.

    Rates may pass 1: more was found than was needed.
    """
    manque = max(0, cout_total - fse)
    return Couverture(
        besoin_centimes=manque,
        attestee=ratio(attestees, manque),
        previsionnelle=ratio(previsionnelles, manque),
        autofinancement_previsionnel_centimes=max(0, manque - previsionnelles),
    )
