"""What a line of a list says that is improbable, to the day and to the cent."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import reprise
from rules.parametres import ParametreHorsVigueur, themes
from rules.reprise import LIBELLES, Anomalie, Ligne, examiner

LIGNE = Ligne(
    date_debut=date(2016, 1, 1),
    date_fin=date(2016, 12, 31),
    date_programmation=date(2016, 3, 15),
    cout_total_eligible_centimes=100_00,
    fse_centimes=50_00,
)


def codes(**changes: Any) -> list[str]:
    return [a.code for a in examiner(msgspec.structs.replace(LIGNE, **changes))]


def test_an_ordinary_line_has_nothing_improbable() -> None:
    assert examiner(LIGNE) == ()


@pytest.mark.parametrize(
    ("changes", "attendus"),
    [
        ({"date_programmation": date(2016, 1, 1)}, []),
        ({"date_programmation": date(2016, 12, 31)}, []),
        ({"date_programmation": date(2015, 12, 31)}, ["programmee_avant_debut"]),
        ({"date_programmation": date(2017, 1, 1)}, ["programmee_apres_fin"]),
        ({"date_fin": date(2016, 1, 1)}, ["programmee_apres_fin"]),
        # A period that ends before it starts lets any day be outside on one side at least.
        ({"date_fin": date(2015, 12, 31)}, ["programmee_apres_fin", "fin_avant_debut"]),
        (
            {"date_debut": date(2016, 9, 1), "date_fin": date(2016, 8, 31)},
            ["programmee_avant_debut", "fin_avant_debut"],
        ),
        ({"fse_centimes": 80_00}, []),
        ({"fse_centimes": 80_01}, ["taux_au_dela_du_maximum"]),
        ({"fse_centimes": 3, "cout_total_eligible_centimes": 4}, []),
        ({"fse_centimes": 0}, []),
        ({"fse_centimes": 0, "cout_total_eligible_centimes": 0}, []),
        ({"fse_centimes": 1, "cout_total_eligible_centimes": 0}, ["taux_au_dela_du_maximum"]),
    ],
)
def test_each_anomaly_begins_just_beyond_its_bound(
    changes: dict[str, Any], attendus: list[str]
) -> None:
    assert codes(**changes) == attendus


def test_an_anomaly_carries_the_rule_of_its_day() -> None:
    beyond = msgspec.structs.replace(LIGNE, fse_centimes=90_00, date_fin=date(2015, 1, 1))
    assert examiner(beyond) == (
        Anomalie(code="programmee_apres_fin", mode="signaler"),
        Anomalie(code="fin_avant_debut", mode="refuser"),
        Anomalie(code="taux_au_dela_du_maximum", mode="signaler", taux_max_pct=Decimal(80)),
    )


def test_a_day_before_any_rule_is_not_judged() -> None:
    assert examiner(msgspec.structs.replace(LIGNE, date_programmation=date(2014, 1, 1)))
    with pytest.raises(ParametreHorsVigueur):
        examiner(msgspec.structs.replace(LIGNE, date_programmation=date(2013, 12, 31)))


def test_every_anomaly_has_its_words_and_its_rule() -> None:
    regles = {nom.removeprefix("reprise_") for nom in themes() if nom.startswith("reprise_")}
    assert regles - {"taux_max_pct"} == set(LIBELLES)
    assert {reprise.mode_de(c, date(2016, 1, 1)) for c in LIBELLES} == {  # type: ignore[arg-type]
        "signaler",
        "refuser",
    }


@given(
    debut=st.dates(date(2014, 1, 1), date(2030, 1, 1)),
    duree=st.integers(-400, 400),
    decalage=st.integers(0, 400),
    cout=st.integers(0, 10**13),
    fse=st.integers(0, 10**13),
)
def test_the_codes_say_the_line_and_nothing_else(
    debut: date, duree: int, decalage: int, cout: int, fse: int
) -> None:
    fin, programmation = debut + timedelta(duree), date(2014, 1, 1) + timedelta(10 * decalage)
    found = codes(
        date_debut=debut,
        date_fin=fin,
        date_programmation=programmation,
        cout_total_eligible_centimes=cout,
        fse_centimes=fse,
    )
    assert ("programmee_apres_fin" in found) == (programmation > fin)
    assert ("programmee_avant_debut" in found) == (programmation < debut)
    assert ("fin_avant_debut" in found) == (fin < debut)
    assert ("taux_au_dela_du_maximum" in found) == (100 * fse > 80 * cout)
