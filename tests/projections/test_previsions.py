"""Forecasts by quarter, beside what each quarter brought, alone then since the first."""

from datetime import date

import pytest
from vie import Vie

from oi_service.application import Service
from oi_service.money import euros
from projections.perimetre import OI_ENTIER, Perimetre
from projections.previsions import Previsions, charger
from projections.situation import ACTUELLE, Situation


@pytest.fixture
def vie(service: Service) -> Vie:
    """Open a grant for two PLIE, and declare at the very edge of quarters and of a year."""
    vie = Vie(service)
    vie.subvention()
    vie.tranche("400000.00")
    for plie in ("A", "B"):
        vie.enveloppe(plie, "200000.00")
    vie.appel(fiches=[{}, {"code": "B1", "plie": "B"}])
    for nom, montant, le in (
        ("UN", "20000.00", date(2022, 3, 31)),
        ("DEUX", "30000.00", date(2022, 4, 1)),
        ("TROIS", "40000.00", date(2022, 12, 31)),
        ("QUATRE", "50000.00", date(2023, 1, 1)),
    ):
        vie.jusqu_au_demarrage(nom, fse="25000.00", cout_total="50000.00", fiche="A1")
        vie.bilan(nom, [montant], le=le)
    vie.previsions(
        "A",
        [
            {"annee": 2022, "trimestre": 1, "montant": "12000.00"},
            {"annee": 2022, "trimestre": 2, "montant": "15000.00"},
            {"annee": 2022, "trimestre": 4, "montant": "20000.00"},
            {"annee": 2023, "trimestre": 1, "montant": "5000.00"},
            {"annee": 2022, "trimestre": 1, "montant": "60000.00", "mesure": "fse_programme"},
        ],
    )
    return vie


def lire(vie: Vie, situation: Situation = ACTUELLE, perimetre: Perimetre = OI_ENTIER) -> Previsions:
    with vie.reads.connection() as conn:
        return charger(conn, perimetre, vie.id("SG"), situation, le=date(2022, 5, 16))


def declares(previsions: Previsions) -> list[tuple[object, ...]]:
    [suite] = [s for s in previsions.suites if s.mesure == "fse_declare"]
    return [
        (
            f"{t.annee} T{t.numero}",
            None if t.prevu is None else euros(t.prevu),
            euros(t.realise),
            None if t.ecart is None else euros(t.ecart),
            euros(t.prevu_cumule),
            euros(t.realise_cumule),
            euros(t.ecart_cumule),
        )
        for t in suite.trimestres
    ]


def test_each_quarter_holds_its_own_days(vie: Vie) -> None:
    assert declares(lire(vie)) == [
        ("2022 T1", "12000.00", "10000.00", "-2000.00", "12000.00", "10000.00", "-2000.00"),
        ("2022 T2", "15000.00", "15000.00", "0.00", "27000.00", "25000.00", "-2000.00"),
        # Nobody foresaw the summer: the sum goes on without it.
        ("2022 T3", None, "0.00", None, "27000.00", "25000.00", "-2000.00"),
        ("2022 T4", "20000.00", "20000.00", "0.00", "47000.00", "45000.00", "-2000.00"),
        ("2023 T1", "5000.00", "25000.00", "20000.00", "52000.00", "70000.00", "18000.00"),
    ]


def test_measures_are_apart_and_in_the_order_of_the_work(vie: Vie) -> None:
    suites = lire(vie).suites
    assert [(s.plie_nom, s.mesure_libelle) for s in suites] == [
        ("PLIE A", "programmé"),
        ("PLIE A", "déclaré"),
    ]
    [programme] = suites[0].trimestres
    assert euros(programme.realise) == "100000.00"


def test_a_quarter_is_over_under_way_or_to_come(vie: Vie) -> None:
    etats = [t.etat_libelle for t in lire(vie).suites[1].trimestres]
    assert etats == ["révolu", "en cours", "à venir", "à venir", "à venir"]


def test_a_later_forecast_replaces_the_quarters_that_it_names(vie: Vie) -> None:
    fait = vie.previsions(
        "A", [{"annee": 2022, "trimestre": 2, "montant": "16000.00"}], le=date(2022, 4, 11)
    )
    position = fait.events[0].position
    assert [ligne[1] for ligne in declares(lire(vie))] == [
        "12000.00",
        "16000.00",
        None,
        "20000.00",
        "5000.00",
    ]
    trimestre = lire(vie).suites[1].trimestres[1]
    assert (trimestre.deposee_le, trimestre.position) == (date(2022, 4, 11), position)
    for avant in (Situation(connu_le=position - 1), Situation(effet_au=date(2022, 4, 10))):
        assert declares(lire(vie, avant))[1][1] == "15000.00"
    # On a past day, the quarter had brought less.
    assert declares(lire(vie, Situation(effet_au=date(2022, 3, 31))))[1][2] == "0.00"


def test_a_plie_reads_its_own_forecasts(vie: Vie) -> None:
    vie.previsions("B", [{"annee": 2022, "trimestre": 2, "montant": "1.00"}])
    assert {s.plie_id for s in lire(vie).suites} == {"A", "B"}
    vus = lire(vie, perimetre=Perimetre(frozenset({"B"})))
    assert {s.plie_id for s in vus.suites} == {"B"}
