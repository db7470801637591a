"""Deadlines, on their edge."""

import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from oi_service.dates import Periode
from rules.delais import (
    bilans_attendus,
    date_limite_bilan_final,
    date_limite_conservation,
    date_limite_reponse,
    depot_dans_les_delais,
    limite_signature_electronique,
    operation_achevee_avant_depot,
    prochaine_liste_operations,
    regle_conservation,
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


@cas("conservation_aide")
def test_pieces_of_state_aid_are_kept_for_the_later_of_two_terms(cas: dict[str, Any]) -> None:
    limite = date_limite_conservation(
        cas["reglement"],
        cas["depart"],
        regle=cas["regle"],
        aide_octroyee_le=cas.get("aide_octroyee_le"),
    )
    assert limite == cas["limite"]


def test_the_rule_of_the_last_expenditure_is_of_2014_2020_only() -> None:
    with pytest.raises(ParametreHorsVigueur, match="conservation_annees_derniere_depense"):
        date_limite_conservation("2021-2027", date(2025, 3, 14), regle="derniere_depense")


@cas("regle_conservation")
def test_a_large_operation_counts_from_its_last_expenditure(cas: dict[str, Any]) -> None:
    trouve = regle_conservation(cas["reglement"], cas["depenses_centimes"], date(2022, 11, 15))
    assert trouve == cas["regle"]


@cas("bilans")
def test_bilans_are_expected_by_duration(cas: dict[str, Any]) -> None:
    periode = Periode(debut=cas["debut"], fin=cas["fin"])
    attendus = bilans_attendus(periode, cas["reglement"])
    if "minimum" not in cas:
        assert attendus is None
        return
    assert attendus is not None
    assert (attendus.minimum, attendus.maximum) == (cas["minimum"], cas.get("maximum"))
    assert "périodicité des bilans" in attendus.reference


@pytest.mark.parametrize(
    ("nombre", "admis"), [(0, False), (1, True), (2, True), (3, False)], ids=str
)
def test_two_bilans_at_most_between_one_and_two_years(nombre: int, *, admis: bool) -> None:
    periode = Periode(debut=date(2023, 1, 1), fin=date(2024, 6, 30))
    attendus = bilans_attendus(periode, "2021-2027")
    assert attendus is not None
    assert attendus.admet(nombre) is admis


def test_no_maximum_of_bilans_beyond_two_years() -> None:
    attendus = bilans_attendus(Periode(debut=date(2023, 1, 1), fin=date(2025, 6, 30)), "2021-2027")
    assert attendus is not None
    assert [attendus.admet(nombre) for nombre in (1, 2, 9)] == [False, True, True]


def test_a_convention_sent_is_signed_within_144_hours() -> None:
    # Six days to the hour, through the change to summer time.
    envoi, le = datetime(2023, 3, 24, 9, 30, tzinfo=UTC), date(2023, 3, 24)
    limite = limite_signature_electronique(envoi, le=le, reglement="2021-2027")
    assert limite == datetime(2023, 3, 30, 9, 30, tzinfo=UTC)
    with pytest.raises(ParametreHorsVigueur, match="delai_signature_electronique_heures"):
        limite_signature_electronique(envoi, le=le, reglement="2014-2020")


def test_the_window_of_signature_depends_on_the_day_in_paris() -> None:
    """The last evening of 2020 in Greenwich is already 2021 in Paris."""
    envoi = datetime(2020, 12, 31, 23, 30, tzinfo=UTC)
    with pytest.raises(ParametreHorsVigueur):
        limite_signature_electronique(envoi, le=date(2020, 12, 31), reglement="2021-2027")
    limite_signature_electronique(envoi, le=date(2021, 1, 1), reglement="2021-2027")


@cas("liste_operations")
def test_the_list_of_operations_is_renewed(cas: dict[str, Any]) -> None:
    assert prochaine_liste_operations(cas["derniere"], cas["reglement"]) == cas["limite"]
