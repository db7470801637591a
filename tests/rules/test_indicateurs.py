"""Attainment of the indicators, exact."""

import tomllib
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.indicateurs import (
    atteinte,
    cible_proratisee,
    cible_relative,
    moyenne,
    taux_affiche,
)

CAS = tomllib.loads(Path(__file__).with_name("indicateurs.toml").read_text("utf-8"))


def cas(theme: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("cas", CAS[theme], ids=lambda c: c["id"])


@cas("atteinte")
def test_targets_of_the_call(cas: dict[str, Any]) -> None:
    taux, atteint = atteinte(Decimal(cas["cible"]), Decimal(cas["realise"]), cas["comparateur"])
    assert (taux_affiche(taux), atteint) == (cas["taux"], cas["atteint"])


@cas("moyenne")
def test_an_average_is_compared_exactly(cas: dict[str, Any]) -> None:
    trouvee = moyenne(cas["etapes"], cas["participants"])
    assert trouvee == Fraction(cas["moyenne"])
    assert trouvee is not None
    assert atteinte(Decimal(cas["cible"]), trouvee, "=")[1] is cas["atteint"]


@cas("proratisee")
def test_a_target_follows_the_share_of_a_post(cas: dict[str, Any]) -> None:
    cible = cible_proratisee(Decimal(cas["cible_par_etp"]), Decimal(cas["etp"]))
    assert cible == Fraction(cas["cible"])
    assert atteinte(cible, Decimal(cas["realise"]), "=") == (Fraction(1), True)


@cas("relative")
def test_a_target_for_each_referent(cas: dict[str, Any]) -> None:
    trouvee = cible_relative(Decimal(cas["cible_par_referent"]), cas["referents"])
    assert trouvee == Fraction(cas["cible"])


def test_what_has_no_denominator_has_no_share() -> None:
    assert moyenne(12, 0) is None
    assert atteinte(0, 3, ">=") == (None, True)
    assert taux_affiche(None) is None


@given(st.integers(1, 10**9), st.integers(0, 10**9))
def test_a_target_missed_never_reads_a_hundred(cible: int, realise: int) -> None:
    taux, atteint = atteinte(cible, realise, "=")
    affiche = taux_affiche(taux)
    assert affiche is not None
    assert (Decimal(affiche) >= 100) is atteint
