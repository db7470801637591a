"""Drawing a sample: anybody can draw it again, from the seed that was recorded."""

from decimal import Decimal
from fractions import Fraction
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.echantillon import ALGORITHME, PopulationTropPetite, tirer

DIX = {UUID(int=rang): rang * 100_00 for rang in range(1, 11)}


def tirage(graine: str = "graine-1", taille: int = 3, part: str = "0") -> tuple[int, ...]:
    """Draw from ten pieces of 100 € to 1 000 €; return their ranks."""
    tires = tirer(DIX, graine, taille_min=taille, couverture_min_pct=Decimal(part))
    return tuple(piece.int for piece in tires)


def test_a_draw_of_the_past_is_drawn_again() -> None:
    """What the journal holds names its seed and its procedure: neither may move, ever."""
    assert ALGORITHME == "sha256-v1"
    assert tirage() == (4, 8, 9)
    assert tirage("graine-2") == (4, 6, 9)


def test_the_least_number_and_the_least_share_are_both_reached() -> None:
    assert tirage(taille=1) == (4,)
    # The first three are 2 100 € of 5 500 €: 38,1818… %.
    assert tirage(taille=3, part="38.18") == (4, 8, 9)
    assert tirage(taille=3, part="38.19") == (4, 8, 9, 1)
    assert sorted(tirage(taille=1, part="100")) == list(range(1, 11))


def test_a_share_is_reached_to_the_cent_and_not_passed() -> None:
    dix_centimes = {UUID(int=rang): 1 for rang in range(10)}
    assert len(tirer(dix_centimes, "graine", taille_min=1, couverture_min_pct=Decimal(50))) == 5


def test_at_least_one_piece_is_drawn() -> None:
    assert len(tirage(taille=0)) == 1


def test_few_pieces_are_controlled_without_a_draw() -> None:
    with pytest.raises(PopulationTropPetite) as refus:
        tirage(taille=10)
    assert "10 pièces seulement" in str(refus.value)
    assert "à partir de 11" in str(refus.value)
    assert len(tirage(taille=9)) == 9
    with pytest.raises(PopulationTropPetite):
        tirer({}, "graine", taille_min=0, couverture_min_pct=Decimal(0))


populations = st.dictionaries(st.uuids(), st.integers(1, 10_000_000), min_size=1, max_size=40)


@given(populations, st.text(max_size=20), st.integers(0, 40), st.decimals(0, 100, places=2))
def test_a_draw_does_not_look_at_the_order_of_the_pieces(
    population: dict[UUID, int], graine: str, taille: int, part: Decimal
) -> None:
    taille = min(taille, len(population) - 1)
    melange = list(population.items())
    Random(taille).shuffle(melange)  # noqa: S311 - any other order would do
    ordre = tirer(population, graine, taille_min=taille, couverture_min_pct=part)
    autre = tirer(dict(melange), graine, taille_min=taille, couverture_min_pct=part)
    assert ordre == autre


@given(populations, st.text(max_size=20), st.integers(0, 40), st.decimals(0, 100, places=2))
def test_a_draw_takes_what_it_must_and_no_piece_more(
    population: dict[UUID, int], graine: str, taille: int, part: Decimal
) -> None:
    taille = min(taille, len(population) - 1)
    tires = tirer(population, graine, taille_min=taille, couverture_min_pct=part)
    assert len(set(tires)) == len(tires)
    assert set(tires) <= population.keys()

    def assez(pieces: tuple[UUID, ...]) -> bool:
        couvert = sum(population[p] for p in pieces)
        vise = Fraction(part) / 100 * sum(population.values())
        return len(pieces) >= max(1, taille) and couvert >= vise

    assert assez(tires)
    assert not assez(tires[:-1])
