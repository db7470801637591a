"""The minimum rule: each ceiling, and what must hold for any amounts.

Worked cases are those of the whole calculation, test_calcul.py.
"""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.fse_du import (
    CoutConventionneNul,
    Entrees,
    RecettesCompteesDeuxFois,
    RessourceHorsNomenclature,
    calculer,
    taux_fse,
)
from rules.nomenclature import POSTES, RESSOURCES


def operation(**autres: Any) -> Entrees:
    """Half of a 100 000 € operation paid by the Fund."""
    base: dict[str, Any] = {
        "fse_max_centimes": 50_000_00,
        "cout_total_eligible_centimes": 100_000_00,
        "postes": {"personnel": 100_000_00},
        "ressources": (("publique_epci", 50_000_00),),
        "arrondi": "demi_superieur",
    }
    return Entrees(**base | autres)


def test_the_half_cent_goes_up() -> None:
    assert calculer(operation(postes={"personnel": 60_000_01})).c2_centimes == 30_000_01


def test_the_half_cent_is_cut_where_the_grant_truncates() -> None:
    tronque = operation(postes={"personnel": 60_000_01}, arrondi="troncature")
    assert calculer(tronque).c2_centimes == 30_000_00


def test_the_largest_amounts_stay_exact() -> None:
    grande = operation(
        cout_total_eligible_centimes=12_345_678_999,
        fse_max_centimes=6_172_839_499,
        postes={"personnel": 12_345_678_997},
        ressources=(),
    )
    assert calculer(grande).c2_centimes == 6_172_839_498


def test_the_rate_is_exact_or_as_the_convention_shows_it() -> None:
    assert taux_fse(50_000_00, 83_000_00, "exact") == Fraction(50, 83)
    assert taux_fse(50_000_00, 83_000_00, "affiche") == Fraction(6024, 10_000)
    # 33,335 % is shown 33,34 %.
    assert taux_fse(33_335, 100_000, "affiche") == Fraction(3334, 10_000)
    affiche = operation(
        fse_max_centimes=50_000_00,
        cout_total_eligible_centimes=83_000_00,
        postes={"personnel": 80_000_00},
        ressources=(),
        taux_mode="affiche",
    )
    assert calculer(affiche).c2_centimes == 48_192_00


def test_on_equal_ceilings_the_first_is_named() -> None:
    assert calculer(operation()).contrainte_active == "plafond"
    taux_et_besoin = operation(
        postes={"personnel": 80_000_00}, ressources=(("publique_epci", 40_000_00),)
    )
    assert calculer(taux_et_besoin).contrainte_active == "taux"


def test_kind_without_its_resource_is_not_paid_by_public_money() -> None:
    resultat = calculer(
        operation(
            postes={"personnel": 70_000_00, "nature": 30_000_00},
            ressources=(("publique_region", 30_000_00), ("privee", 10_000_00)),
        )
    )
    assert (resultat.c3_centimes, resultat.c4_centimes) == (60_000_00, 40_000_00)
    assert (resultat.contrainte_active, resultat.fse_du_centimes) == ("hors_nature", 40_000_00)


def test_a_cost_all_in_kind_leaves_nothing_to_public_money() -> None:
    tout = calculer(operation(postes={"nature": 30_000_00}, ressources=()))
    assert (tout.c4_centimes, tout.contrainte_active, tout.fse_du_centimes) == (0, "hors_nature", 0)


def test_own_money_and_the_fund_itself_are_not_external() -> None:
    resultat = calculer(operation(ressources=(("fse", 50_000_00), ("autofinancement", 30_000_00))))
    assert resultat.ressources_externes_centimes == 0
    assert resultat.autofinancement_constate_centimes == 50_000_00


def test_revenue_beyond_the_cost_leaves_nothing_to_pay() -> None:
    resultat = calculer(operation(recettes_nettes_centimes=100_000_01))
    assert (resultat.cout_net_centimes, resultat.fse_du_centimes) == (0, 0)


def test_a_convention_without_cost_has_no_rate() -> None:
    with pytest.raises(CoutConventionneNul):
        calculer(operation(cout_total_eligible_centimes=0))


def test_an_unknown_kind_of_resource_is_refused() -> None:
    with pytest.raises(RessourceHorsNomenclature, match="« auto_financement »"):
        calculer(operation(ressources=(("auto_financement", 1),)))


def test_the_same_revenue_is_not_counted_twice() -> None:
    with pytest.raises(RecettesCompteesDeuxFois, match=r"1,00\s€ sont déduits et 2,00\s€ comptés"):
        calculer(operation(recettes_nettes_centimes=1_00, ressources=(("recettes", 2_00),)))


montants = st.integers(0, 10**10)


@st.composite
def operations(draw: st.DrawFn) -> Entrees:
    cout_total = draw(st.integers(1, 10**10))
    ressources = draw(st.lists(st.tuples(st.sampled_from(sorted(RESSOURCES)), montants)))
    return Entrees(
        fse_max_centimes=draw(st.integers(0, cout_total)),
        cout_total_eligible_centimes=cout_total,
        postes=draw(st.dictionaries(st.sampled_from(sorted(POSTES)), montants)),
        recettes_nettes_centimes=(
            0 if any(t == "recettes" for t, _ in ressources) else draw(montants)
        ),
        ressources=tuple(ressources),
        arrondi=draw(st.sampled_from(["demi_superieur", "troncature"])),
        taux_mode=draw(st.sampled_from(["exact", "affiche"])),
    )


@given(operations())
def test_what_is_due_stays_under_every_ceiling(entrees: Entrees) -> None:
    resultat = calculer(entrees)
    plafonds = [resultat.c1_centimes, resultat.c2_centimes, resultat.c3_centimes]
    if resultat.c4_centimes is not None:
        plafonds.append(resultat.c4_centimes)
    assert 0 <= resultat.fse_du_centimes == min(plafonds)


@given(operations())
def test_everybody_s_money_makes_the_cost(entrees: Entrees) -> None:
    resultat = calculer(entrees)
    assert (
        resultat.ressources_externes_centimes
        + resultat.fse_du_centimes
        + resultat.autofinancement_constate_centimes
        - resultat.surfinancement_ecarte_centimes
    ) == resultat.cout_net_centimes
    assert 0 in {
        resultat.autofinancement_constate_centimes,
        resultat.surfinancement_ecarte_centimes,
    }


@given(operations(), st.sampled_from(sorted(POSTES)), montants)
def test_a_cost_more_never_lowers_what_is_due(entrees: Entrees, poste: str, plus: int) -> None:
    postes = dict(entrees.postes)
    postes[poste] = postes.get(poste, 0) + plus
    augmente = Entrees(
        fse_max_centimes=entrees.fse_max_centimes,
        cout_total_eligible_centimes=entrees.cout_total_eligible_centimes,
        postes=postes,
        recettes_nettes_centimes=entrees.recettes_nettes_centimes,
        ressources=entrees.ressources,
        arrondi=entrees.arrondi,
        taux_mode=entrees.taux_mode,
    )
    assert calculer(augmente).fse_du_centimes >= calculer(entrees).fse_du_centimes


@given(operations(), st.sampled_from(sorted(RESSOURCES)), montants)
def test_a_resource_more_never_raises_what_is_due(entrees: Entrees, nature: str, plus: int) -> None:
    if nature == "recettes":
        nature = "privee"  # revenue may already be deducted, and is then refused
    augmente = Entrees(
        fse_max_centimes=entrees.fse_max_centimes,
        cout_total_eligible_centimes=entrees.cout_total_eligible_centimes,
        postes=entrees.postes,
        recettes_nettes_centimes=entrees.recettes_nettes_centimes,
        ressources=(*entrees.ressources, (nature, plus)),
        arrondi=entrees.arrondi,
        taux_mode=entrees.taux_mode,
    )
    assert calculer(augmente).fse_du_centimes <= calculer(entrees).fse_du_centimes
