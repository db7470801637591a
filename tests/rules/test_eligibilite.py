"""The closed lists, and the dates of a cost."""

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oi_service.dates import Periode
from rules.eligibilite import (
    MOTIFS,
    MOTIFS_VERSION,
    PREUVES_ACQUITTEMENT,
    Anomalie,
    anomalies_de_dates,
    periode_programme,
)
from rules.nomenclature import POSTES, RESSOURCES, RESSOURCES_EXTERNES, RESSOURCES_PUBLIQUES

ANNEE_2021 = Periode(debut=date(2021, 1, 1), fin=date(2021, 12, 31))


def motifs(
    realisation: date,
    acquittement: date | None,
    *,
    engagement: date | None = None,
    limite: date | None = None,
    periode: Periode = ANNEE_2021,
    reglement: str = "2014-2020",
) -> list[str]:
    trouvees = anomalies_de_dates(
        reglement=reglement,
        periode=periode,
        realisation=realisation,
        acquittement=acquittement,
        engagement=engagement,
        limite_acquittement=limite,
    )
    return [a.motif_code for a in trouvees]


def test_a_cost_inside_its_dates_has_no_defect() -> None:
    assert motifs(date(2021, 1, 1), date(2021, 1, 1)) == []
    assert motifs(date(2021, 12, 31), date(2022, 6, 30), engagement=date(2021, 1, 1)) == []


def test_a_december_salary_paid_in_january_is_fine() -> None:
    assert motifs(date(2021, 12, 31), date(2022, 1, 5)) == []


def test_a_cost_engaged_before_the_period_is_out() -> None:
    """DT-08: engaged on 30 December for a period that starts on 1 January."""
    trouvees = anomalies_de_dates(
        reglement="2014-2020",
        periode=ANNEE_2021,
        engagement=date(2020, 12, 30),
        realisation=date(2021, 1, 15),
        acquittement=date(2021, 2, 1),
    )
    assert trouvees == (
        Anomalie(
            motif_code="HORS_PERIODE",
            message="La dépense est engagée le 30/12/2020, hors de la période de réalisation, du "
            "01/01/2021 au 31/12/2021.",
        ),
    )


@pytest.mark.parametrize("realisation", [date(2020, 12, 31), date(2022, 1, 1)])
def test_a_cost_realised_outside_the_period_is_out(realisation: date) -> None:
    assert motifs(realisation, date(2022, 2, 1)) == ["HORS_PERIODE"]


def test_a_cost_not_paid_is_out() -> None:
    assert motifs(date(2021, 6, 1), None) == ["NON_ACQUITTEE"]


def test_a_cost_is_paid_until_the_deadline_of_the_final_bilan() -> None:
    assert motifs(date(2021, 6, 1), date(2022, 6, 30)) == []
    assert motifs(date(2021, 6, 1), date(2022, 7, 1)) == ["ACQUITTEE_HORS_DELAI"]


def test_a_cost_paid_before_the_period_starts_is_out() -> None:
    assert motifs(date(2021, 1, 1), date(2020, 12, 31)) == ["ACQUITTEE_HORS_DELAI"]


def test_the_convention_may_fix_another_last_day_to_pay() -> None:
    limite = date(2022, 3, 31)
    assert motifs(date(2021, 6, 1), date(2022, 3, 31), limite=limite) == []
    assert motifs(date(2021, 6, 1), date(2022, 4, 1), limite=limite) == ["ACQUITTEE_HORS_DELAI"]


def test_the_programme_closes_whatever_the_convention_says() -> None:
    tardive = Periode(debut=date(2023, 1, 1), fin=date(2024, 6, 30))
    assert motifs(date(2023, 12, 31), date(2023, 12, 31), periode=tardive) == []
    assert motifs(date(2023, 12, 31), date(2024, 1, 1), periode=tardive) == ["ACQUITTEE_HORS_DELAI"]
    assert motifs(date(2024, 1, 1), date(2023, 12, 31), periode=tardive) == ["HORS_PERIODE"]
    assert motifs(date(2024, 1, 1), date(2024, 1, 1), periode=tardive, reglement="2021-2027") == []


def test_every_defect_is_shown() -> None:
    hors = date(2024, 5, 1)
    assert motifs(hors, date(2024, 6, 1), engagement=hors) == [
        "HORS_PERIODE",
        "HORS_PERIODE",
        "HORS_PERIODE",
        "ACQUITTEE_HORS_DELAI",
    ]
    trouvees = anomalies_de_dates(
        reglement="2014-2020",
        periode=ANNEE_2021,
        engagement=hors,
        realisation=hors,
        acquittement=None,
    )
    assert len({a.message for a in trouvees}) == len(trouvees) == 4
    assert [a.motif_code for a in trouvees][-1] == "NON_ACQUITTEE"


@given(st.dates(date(2015, 1, 1), date(2030, 1, 1)), st.integers(-800, 800))
def test_findings_are_known_motifs_with_a_sentence(realisation: date, ecart: int) -> None:
    trouvees = anomalies_de_dates(
        reglement="2014-2020",
        periode=ANNEE_2021,
        realisation=realisation,
        acquittement=realisation + timedelta(days=ecart),
    )
    assert all(a.motif_code in MOTIFS and a.message.endswith(".") for a in trouvees)


def test_windows_of_the_programmes() -> None:
    le = date(2022, 1, 1)
    assert periode_programme("2014-2020", le=le) == Periode(
        debut=date(2014, 1, 1), fin=date(2023, 12, 31)
    )
    assert periode_programme("2021-2027", le=le) == Periode(
        debut=date(2021, 1, 1), fin=date(2029, 12, 31)
    )


def test_an_anomaly_is_a_frozen_value() -> None:
    assert msgspec.to_builtins(Anomalie(motif_code="PUBLICITE", message="M.")) == {
        "motif_code": "PUBLICITE",
        "message": "M.",
    }


def test_the_lists_are_closed() -> None:
    """A list that changes changes its version, and this count with it."""
    assert (MOTIFS_VERSION, len(MOTIFS)) == (1, 33)
    assert len(PREUVES_ACQUITTEMENT) == 6
    assert len(POSTES) == 7
    assert len(RESSOURCES) == 12


def test_codes_are_ascii_and_words_are_not_empty() -> None:
    for liste in (MOTIFS, PREUVES_ACQUITTEMENT, POSTES, RESSOURCES):
        assert all(code.isascii() and code.isidentifier() for code in liste)
        assert all(libelle.strip() for libelle in liste.values())


def test_which_resources_are_external_and_public() -> None:
    assert frozenset(RESSOURCES) - RESSOURCES_EXTERNES == {"fse", "autofinancement"}
    assert len(RESSOURCES_PUBLIQUES) == 6
    assert RESSOURCES_PUBLIQUES < RESSOURCES_EXTERNES
