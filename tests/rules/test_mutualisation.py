"""One funding over several operations: by need, to the cent, and no euro twice."""

from fractions import Fraction
from random import Random

from hypothesis import example, given
from hypothesis import strategies as st

from oi_service.money import percent
from rules.mutualisation import besoin, couverture, repartir

besoins = st.dictionaries(st.text("ABCDEFGH", min_size=1, max_size=2), st.integers(0, 10**11))
enveloppes = st.integers(0, 10**12)


def test_what_is_left_once_everybody_else_paid() -> None:
    assert besoin(90_000_00, 45_000_00, 10_000_00) == 35_000_00
    assert besoin(50_000_00, 20_000_00, 30_000_01) == 0


def test_an_epci_backs_three_operations_pro_rata_of_their_needs() -> None:
    # 55 000,00 € for needs of 56 656,20 €: exact shares end in 0,867…, 0,830… and 0,301… cents.
    voulus = {"OP-A": 35_000_00, "OP-B": 18_656_20, "OP-C": 3_000_00}
    assert repartir(55_000_00, voulus) == {"OP-A": 33_976_87, "OP-B": 18_110_83, "OP-C": 2_912_30}


def test_an_envelope_that_covers_every_need_keeps_the_rest() -> None:
    voulus = {"OP-A": 35_000_00, "OP-B": 0}
    assert repartir(35_000_00, voulus) == voulus
    assert repartir(99_999_99, voulus) == voulus


def test_the_last_cent_goes_to_the_largest_remainder() -> None:
    # 10 cents over 11: 6,36… and 3,63….
    assert repartir(10, {"A": 7, "B": 4}) == {"A": 6, "B": 4}


def test_on_equal_remainders_the_larger_need_then_the_smaller_name() -> None:
    assert repartir(2, {"A": 1, "B": 3}) == {"A": 0, "B": 2}
    assert repartir(1, {"B": 1, "A": 1}) == {"A": 1, "B": 0}


@given(enveloppes, besoins)
@example(12_345_678_999, {"A": 12_345_678_999, "B": 1, "C": 12_345_678_999})
def test_a_sharing_is_exact_and_stays_within_envelope_and_needs(
    enveloppe: int, voulus: dict[str, int]
) -> None:
    parts = repartir(enveloppe, voulus)
    assert parts.keys() == voulus.keys()
    assert sum(parts.values()) == min(enveloppe, sum(voulus.values()))
    assert all(0 <= parts[nom] <= voulus[nom] for nom in voulus)


@given(enveloppes, besoins)
def test_a_share_is_less_than_a_cent_from_its_exact_part(
    enveloppe: int, voulus: dict[str, int]
) -> None:
    total = sum(voulus.values())
    for nom, part in repartir(enveloppe, voulus).items():
        exacte = min(Fraction(1), Fraction(enveloppe, total or 1)) * voulus[nom]
        assert abs(part - exacte) < 1


@given(enveloppes, besoins, st.randoms())
def test_the_order_of_operations_changes_nothing(
    enveloppe: int, voulus: dict[str, int], hasard: Random
) -> None:
    noms = list(voulus)
    hasard.shuffle(noms)
    assert repartir(enveloppe, {nom: voulus[nom] for nom in noms}) == repartir(enveloppe, voulus)


@given(enveloppes, besoins, st.text("ABCDEFGH", min_size=1, max_size=2), st.integers(0, 10**11))
def test_a_need_more_never_gives_to_the_others(
    enveloppe: int, voulus: dict[str, int], nom: str, plus: int
) -> None:
    avant = repartir(enveloppe, voulus)
    apres = repartir(enveloppe, {**voulus, nom: voulus.get(nom, 0) + plus})
    # A cent may come from the largest remainders; a share never moves against its exact part.
    assert all(apres[autre] <= avant[autre] + 1 for autre in voulus if autre != nom)


def test_what_counterparts_cover_of_an_operation() -> None:
    # 100 000,00 €, of which the Fund pays half; 38 000,00 € attested, 45 000,00 € expected.
    vue = couverture(100_000_00, 50_000_00, 38_000_00, 45_000_00)
    assert vue.besoin_centimes == 50_000_00
    assert (percent(vue.attestee), percent(vue.previsionnelle)) == ("76.00", "90.00")
    assert vue.autofinancement_previsionnel_centimes == 5_000_00


def test_nothing_to_cover_has_no_rate_and_more_than_enough_leaves_nothing() -> None:
    assert couverture(40_000_00, 40_000_00, 0, 0).attestee is None
    trop = couverture(100_00, 40_00, 70_00, 90_00)
    assert (percent(trop.attestee), percent(trop.previsionnelle)) == ("116.67", "150.00")
    assert trop.autofinancement_previsionnel_centimes == 0
