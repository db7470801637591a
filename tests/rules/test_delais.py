"""Deadlines, on their edge."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rules.delais import (
    date_limite_bilan_final,
    date_limite_conservation,
    date_limite_reponse,
    depot_dans_les_delais,
    operation_achevee_avant_depot,
    sortie_comptee_immediat,
)
from rules.parametres import ParametreHorsVigueur

CAS = tomllib.loads(Path(__file__).with_name("delais.toml").read_text("utf-8"))


def cas(theme: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("cas", CAS[theme], ids=lambda c: c["id"])


@cas("depot")
def test_a_call_takes_dossiers_until_its_last_day(cas: dict[str, Any]) -> None:
    assert depot_dans_les_delais(cas["cloture"], cas["depot"]) is cas["dans_les_delais"]


@cas("achevee")
def test_an_operation_over_before_its_dossier_is_out(cas: dict[str, Any]) -> None:
    trouve = operation_achevee_avant_depot(cas["fin_materielle"], cas["depot"])
    assert trouve is cas["achevee"]


@cas("conservation")
def test_pieces_are_kept_from_the_following_31_december(cas: dict[str, Any]) -> None:
    assert date_limite_conservation(cas["reglement"], cas["depart"]) == cas["limite"]


def test_no_retention_is_known_under_an_unknown_regulation() -> None:
    with pytest.raises(ParametreHorsVigueur):
        date_limite_conservation("2007-2013", date(2022, 11, 15))


@cas("reponse")
def test_a_request_waits_two_calendar_months(cas: dict[str, Any]) -> None:
    assert date_limite_reponse(cas["demande"]) == cas["limite"]


@cas("sortie")
def test_an_exit_counts_when_entered_within_a_month(cas: dict[str, Any]) -> None:
    assert sortie_comptee_immediat(cas["sortie"], cas["saisie"]) is cas["comptee"]


@cas("bilan_final")
def test_the_final_bilan_comes_within_six_months(cas: dict[str, Any]) -> None:
    assert date_limite_bilan_final(cas["fin"]) == cas["limite"]
