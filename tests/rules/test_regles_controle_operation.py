"""Deadlines that a report does not give, and the amount from which an irregularity is declared."""

from datetime import date
from typing import get_args

from rules.controle_operation import (
    NATURES,
    CodeNature,
    au_dela_du_seuil_ims,
    limite_reponse,
    limite_suites,
)
from rules.parametres import parametre


def test_a_report_that_gives_no_day_has_those_that_we_chose() -> None:
    assert limite_reponse(date(2022, 3, 1)) == date(2022, 3, 31)
    assert limite_suites(date(2022, 10, 3)) == date(2023, 1, 1)
    for nom in ("controle_operation_reponse_jours", "controle_operation_suites_jours"):
        choisi = parametre(nom, le=date(2022, 3, 1))
        assert (choisi.etiquette, choisi.verifie_le) == ("notre choix", None)


def test_an_irregularity_is_declared_above_its_threshold_and_not_at_it() -> None:
    for reglement in ("2014-2020", "2021-2027"):
        le = date(2022, 3, 1)
        assert not au_dela_du_seuil_ims(1_000_000, le, reglement)
        assert au_dela_du_seuil_ims(1_000_001, le, reglement)


def test_every_nature_is_said() -> None:
    assert set(NATURES) == set(get_args(CodeNature))
