"""Automatic decommitment: the dates on their edge, and the arithmetic to the cent."""

from datetime import date

import pytest

from rules.degagement import degagement, echeance_degagement, limite_ajustement
from rules.parametres import ParametreHorsVigueur


@pytest.mark.parametrize(
    ("annee", "reglement", "jour", "article"),
    [
        (2014, "2014-2020", date(2017, 12, 31), "n° 1303/2013, art. 136"),
        (2016, "2014-2020", date(2019, 12, 31), "n° 1303/2013, art. 136"),
        (2020, "2014-2020", date(2023, 12, 31), "n° 1303/2013, art. 136"),
        (2021, "2021-2027", date(2024, 12, 31), "2021/1060, art. 105"),
        (2026, "2021-2027", date(2029, 12, 31), "2021/1060, art. 105"),
        (2027, "2021-2027", date(2029, 12, 31), "2021/1060, art. 105 §2"),
    ],
)
def test_what_a_year_commits_is_certified_three_years_later(
    annee: int, reglement: str, jour: date, article: str
) -> None:
    found = echeance_degagement(annee, reglement)
    assert found.jour == jour
    assert found.reference.endswith(article)


def test_a_period_commits_nothing_before_it_begins() -> None:
    with pytest.raises(ParametreHorsVigueur):
        echeance_degagement(2020, "2021-2027")


def test_a_dotation_is_adjusted_before_the_end_of_the_following_april() -> None:
    assert limite_ajustement(2021) == date(2022, 4, 30)


def test_maq_03_what_is_lost_of_an_annual_commitment() -> None:
    assert degagement(2_600_000_00, 91_000_00, 2_380_000_00) == 129_000_00
    assert degagement(2_600_000_00, 91_000_00, 2_508_999_99) == 1
    assert degagement(2_600_000_00, 91_000_00, 2_509_000_00) == 0
    assert degagement(2_600_000_00, 91_000_00, 2_600_000_00) == 0
