"""Attainment of the indicators of an operation: exact, never rounded before it is compared."""

from decimal import Decimal
from fractions import Fraction
from typing import Literal, assert_never

from oi_service.money import euros, round_cents

#: ``=`` is how a call announces a target: it is a number to reach, and passing it is no failure.
Comparateur = Literal["=", ">=", "<="]

Nombre = Decimal | Fraction | int


def atteinte(
    cible: Nombre, realise: Nombre, comparateur: Comparateur
) -> tuple[Fraction | None, bool]:
    """Return the exact share of the target and whether the target is reached.

    The share is ``None`` when the target is zero.
    """
    vise, fait = Fraction(cible), Fraction(realise)
    taux = fait / vise if vise else None
    match comparateur:
        case "=" | ">=":
            return taux, fait >= vise
        case "<=":
            return taux, fait <= vise
        case _:
            assert_never(comparateur)


def moyenne(etapes: int, participants: int) -> Fraction | None:
    """Return the exact average of étapes per participant; ``None`` without participants.

    The étape of reception is not an étape of the parcours: it is not given.
    """
    return Fraction(etapes, participants) if participants else None


def cible_proratisee(cible_par_etp: Nombre, etp: Nombre) -> Fraction:
    """Return the target of a post that is not full time, from the target of one ETP."""
    return Fraction(cible_par_etp) * Fraction(etp)


def cible_relative(cible_par_referent: Nombre, referents: int) -> Fraction:
    """Return the target of the operation when the call sets one for each référent."""
    return Fraction(cible_par_referent) * referents


def taux_affiche(taux: Fraction | None) -> str | None:
    """Show a share with two decimals, cut: 39 999 of 40 000 never reads 100 %."""
    return None if taux is None else euros(round_cents(taux * 10_000, "troncature"))
