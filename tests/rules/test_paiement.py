"""What is to pay and to pay back, before the solde and at the solde."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.paiement import (
    ImputationAvance,
    Reglement,
    Versements,
    a_regler,
    plafond_avance,
    plafond_avant_solde,
)


def regler(
    du: int,
    paye: int,
    *,
    avances: int = 0,
    final: bool = False,
    plafond: int = 120_000_00,
    imputation: ImputationAvance = "immediate",
) -> Reglement:
    return a_regler(
        du,
        Versements(net_centimes=paye, avances_centimes=avances),
        final=final,
        plafond_avant_solde=plafond,
        imputation=imputation,
    )


def test_an_acompte_is_what_is_due_less_what_was_paid() -> None:
    assert regler(56_000_00, 36_000_00) == Reglement(
        a_payer_centimes=20_000_00,
        a_reverser_centimes=0,
        retenu_jusqu_au_solde_centimes=0,
        avance_non_couverte_centimes=0,
    )


def test_the_ceiling_before_the_solde_holds_back_what_is_due_beyond_it() -> None:
    regle = regler(98_500_00, 36_000_00, plafond=96_000_00)
    assert (regle.a_payer_centimes, regle.retenu_jusqu_au_solde_centimes) == (60_000_00, 2_500_00)
    deja = regler(98_500_00, 96_000_00, plafond=96_000_00)
    assert (deja.a_payer_centimes, deja.a_reverser_centimes) == (0, 0)
    assert deja.retenu_jusqu_au_solde_centimes == 2_500_00


def test_before_the_solde_nothing_is_claimed_back() -> None:
    regle = regler(20_000_00, 36_000_00)
    assert (regle.a_payer_centimes, regle.a_reverser_centimes) == (0, 0)
    assert regle.avance_non_couverte_centimes == 16_000_00


@pytest.mark.parametrize(
    ("du", "paye", "a_payer", "a_reverser"),
    [
        (115_350_03, 96_000_00, 19_350_03, 0),
        (82_600_00, 94_750_00, 0, 12_150_00),
        (0, 19_321_09, 0, 19_321_09),
        (12_345_678_999, 1, 12_345_678_998, 0),
        (50_000_00, 50_000_00, 0, 0),
    ],
)
def test_a_final_bilan_settles_all_whatever_was_held_back(
    du: int, paye: int, a_payer: int, a_reverser: int
) -> None:
    for imputation in ("immediate", "sur_solde"):
        regle = regler(du, paye, avances=paye, final=True, plafond=1, imputation=imputation)
        assert regle == Reglement(
            a_payer_centimes=a_payer,
            a_reverser_centimes=a_reverser,
            retenu_jusqu_au_solde_centimes=0,
            avance_non_couverte_centimes=0,
        )


def test_an_avance_may_be_imputed_on_the_solde_only() -> None:
    tard: ImputationAvance = "sur_solde"
    # 40 000,00 € due, 30 000,00 € of avance: all of what is due is paid, on top of the avance.
    regle = regler(40_000_00, 30_000_00, avances=30_000_00, imputation=tard)
    assert regle.a_payer_centimes == 40_000_00
    # Then 10 000,00 € more are due.
    regle = regler(50_000_00, 70_000_00, avances=30_000_00, imputation=tard)
    assert regle.a_payer_centimes == 10_000_00
    # What leaves early stays under the ceiling, avance included.
    regle = regler(40_000_00, 30_000_00, avances=30_000_00, plafond=60_000_00, imputation=tard)
    assert regle.a_payer_centimes == 30_000_00
    regle = regler(40_000_00, 61_000_00, avances=30_000_00, plafond=60_000_00, imputation=tard)
    assert regle.a_payer_centimes == 0


def test_the_largest_avance_is_a_share_of_the_maximum_under_a_cap() -> None:
    assert plafond_avance(50_000_00, Decimal(30), None, "demi_superieur") == 15_000_00
    assert plafond_avance(50_000_00, Decimal(30), 14_999_99, "demi_superieur") == 14_999_99
    assert plafond_avance(50_000_00, Decimal(30), 20_000_00, "demi_superieur") == 15_000_00
    assert plafond_avance(33_335, Decimal(10), None, "demi_superieur") == 3_334
    assert plafond_avance(33_335, Decimal(10), None, "troncature") == 3_333


def test_the_ceiling_before_the_solde_is_the_maximum_when_there_is_none() -> None:
    assert plafond_avant_solde(50_000_00, None, "demi_superieur") == 50_000_00
    assert plafond_avant_solde(120_000_00, Decimal(80), "demi_superieur") == 96_000_00
    assert plafond_avant_solde(1_01, Decimal(50), "demi_superieur") == 51
    assert plafond_avant_solde(1_01, Decimal(50), "troncature") == 50


montants = st.integers(0, 10**10) | st.just(12_345_678_999)


@given(
    du=montants,
    paye=montants,
    part=st.fractions(0, 1),
    final=st.booleans(),
    plafond=montants,
    imputation=st.sampled_from(["immediate", "sur_solde"]),
)
def test_settling_never_pays_and_claims_at_once_nor_beyond_what_may_leave(
    *,
    du: int,
    paye: int,
    part: Fraction,
    final: bool,
    plafond: int,
    imputation: ImputationAvance,
) -> None:
    avances = int(part * paye)
    regle = regler(du, paye, avances=avances, final=final, plafond=plafond, imputation=imputation)
    a_payer, a_reverser = regle.a_payer_centimes, regle.a_reverser_centimes
    assert 0 in {a_payer, a_reverser}
    assert min(a_payer, a_reverser) >= 0
    if final:
        assert paye + a_payer - a_reverser == du
        return
    assert a_reverser == 0
    admis = min(du, plafond)
    if imputation == "sur_solde":
        admis = min(admis + avances, plafond)
    assert paye + a_payer == max(paye, admis)
    assert regle.retenu_jusqu_au_solde_centimes == max(0, du - plafond)
    assert regle.avance_non_couverte_centimes == max(0, paye - du)
