"""What the Fund owes for an operation: the smallest of the ceilings, cumulated since the start.

A flat rate, a unit cost or a lump sum comes in as the amount of its poste, already computed.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal

import msgspec

from oi_service.errors import RuleBroken
from oi_service.money import Arrondi, ratio, round_cents
from rules.nomenclature import RESSOURCES, RESSOURCES_EXTERNES, RESSOURCES_PUBLIQUES

#: The rate applied: the exact fraction, or the percentage with two decimals of the convention.
TauxMode = Literal["exact", "affiche"]

#: Which ceiling decides: the convention's maximum, its rate, the need, or what is not in kind.
Contrainte = Literal["plafond", "taux", "besoin", "hors_nature"]


class CoutConventionneNul(RuleBroken):
    """Le coût total éligible conventionné est nul : le taux du FSE ne peut pas être calculé."""


class RessourceHorsNomenclature(RuleBroken):
    """Le type de ressource « {type_ressource} » n’existe pas.

    Le montant ne peut donc pas être compté : choisissez un type de la nomenclature.
    """


class RecettesCompteesDeuxFois(RuleBroken):
    """Des recettes sont à la fois déduites du coût et comptées parmi les ressources.

    {recettes_nettes_centimes:euros} sont déduits et {ressource_centimes:euros} comptés : choisissez
    l’un ou l’autre.
    """


class Entrees(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was retained, all cumulated since the start of the operation, in cents.

    The mode of rounding comes from the subvention globale.
    """

    fse_max_centimes: int
    cout_total_eligible_centimes: int
    postes: Mapping[str, int]
    ressources: tuple[tuple[str, int], ...]
    arrondi: Arrondi
    recettes_nettes_centimes: int = 0
    taux_mode: TauxMode = "exact"


class Resultat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is owed and why. ``c4_centimes`` only exists with contributions in kind."""

    cout_brut_centimes: int
    cout_net_centimes: int
    ressources_externes_centimes: int
    c1_centimes: int
    c2_centimes: int
    c3_centimes: int
    c4_centimes: int | None
    contrainte_active: Contrainte
    fse_du_centimes: int
    autofinancement_constate_centimes: int
    surfinancement_ecarte_centimes: int


def taux_fse(fse_max: int, cout_total_eligible: int, mode: TauxMode) -> Fraction:
    """Return the rate of the Fund under a convention: exact, or as the convention shows it.

    Raises: CoutConventionneNul.
    """
    exact = ratio(fse_max, cout_total_eligible)
    if exact is None:
        raise CoutConventionneNul
    return exact if mode == "exact" else Fraction(round_cents(exact * 10_000), 10_000)


def calculer(entrees: Entrees) -> Resultat:
    """Apply the minimum rule; on a tie the first ceiling is named.

    c1 is the maximum of the convention. c2 is its exact rate on the net cost. c3 is what the other
    funders leave to pay. c4 keeps public money, the Fund's included, under the cost that is not in
    kind; it only bites when the kind is not matched by a resource of the same amount.
    Raises: CoutConventionneNul, RessourceHorsNomenclature, RecettesCompteesDeuxFois.
    Source: minimum rule, modalités de paiement du Doubs; c4, règlement (UE) n° 1303/2013,
    art. 69 §1 a); order of ties, our choice.
    """
    _verifier_ressources(entrees)
    taux = taux_fse(
        entrees.fse_max_centimes, entrees.cout_total_eligible_centimes, entrees.taux_mode
    )
    cout_brut = sum(entrees.postes.values())
    cout_net = max(0, cout_brut - entrees.recettes_nettes_centimes)
    externes = sum(m for t, m in entrees.ressources if t in RESSOURCES_EXTERNES)
    c1 = entrees.fse_max_centimes
    c2 = round_cents(taux * cout_net, entrees.arrondi)
    c3 = max(0, cout_net - externes)
    c4 = _hors_nature(entrees, cout_net)
    plafonds: list[tuple[Contrainte, int]] = [("plafond", c1), ("taux", c2), ("besoin", c3)]
    if c4 is not None:
        plafonds.append(("hors_nature", c4))
    # `min` keeps the first of equals: c1 before c2 before c3 before c4.
    contrainte_active, fse_du = min(plafonds, key=lambda plafond: plafond[1])
    return Resultat(
        cout_brut_centimes=cout_brut,
        cout_net_centimes=cout_net,
        ressources_externes_centimes=externes,
        c1_centimes=c1,
        c2_centimes=c2,
        c3_centimes=c3,
        c4_centimes=c4,
        contrainte_active=contrainte_active,
        fse_du_centimes=fse_du,
        autofinancement_constate_centimes=max(0, cout_net - externes - fse_du),
        surfinancement_ecarte_centimes=max(0, externes + fse_du - cout_net),
    )


def _hors_nature(entrees: Entrees, cout_net: int) -> int | None:
    """Return what public money may still cover once contributions in kind are set apart."""
    nature = entrees.postes.get("nature", 0)
    if nature == 0:
        return None
    publiques = sum(m for t, m in entrees.ressources if t in RESSOURCES_PUBLIQUES)
    return max(0, cout_net - nature - publiques)


def _verifier_ressources(entrees: Entrees) -> None:
    """Refuse what would be counted wrongly in silence."""
    for type_ressource, _ in entrees.ressources:
        if type_ressource not in RESSOURCES:
            raise RessourceHorsNomenclature(type_ressource=type_ressource)
    recettes = sum(m for t, m in entrees.ressources if t == "recettes")
    if recettes and entrees.recettes_nettes_centimes:
        raise RecettesCompteesDeuxFois(
            recettes_nettes_centimes=entrees.recettes_nettes_centimes, ressource_centimes=recettes
        )
