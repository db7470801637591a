"""An operation taken over from a list, and the same undone."""

from datetime import date
from typing import Any

import pytest
from dsl import Given
from fabrique import CADRE, euros
from pydantic import ValidationError

from aggregates.reprise.events import OperationReprise, RepriseAnnulee
from aggregates.reprise.reprise import (
    AnnulationAvantProgrammation,
    AnnulerReprise,
    OperationListee,
    RepriseDejaAnnulee,
    RepriseRefusee,
    annuler,
    reprendre,
)
from aggregates.reprise.state import REPRISE, RepriseAbsente
from oi_service.ids import hors_subvention, reprise_of
from rules.reprise import Anomalie

LUE: dict[str, Any] = {
    "source": {"fichier": "liste.csv", "sha256": "ab" * 32, "ligne": 7},
    "programme": "PO_FICTIF",
    "intitule": "Accompagnement vers l’emploi",
    "beneficiaire": "Bénéficiaire fictif n° 07",
    "date_debut": "2016-01-01",
    "date_fin": "2016-12-31",
    "date_programmation": "2016-03-15",
    "cout_total_eligible": "100000.00",
    "fse": "50000.00",
    "pays": "FR",
    "fonds": "FSE",
}


def lue(**changes: Any) -> OperationListee:
    return OperationListee.model_validate(LUE | changes)


def annulation(le: str = "2016-03-15") -> AnnulerReprise:
    return AnnulerReprise(date_effet=le, motif="Ligne d’une autre région")


REPRISE_FAITE = reprendre(None, lue(), CADRE)


def test_it_counts_on_its_day_of_programming_with_what_the_list_says() -> None:
    fait = (
        Given(REPRISE)
        .when(reprendre, lue(), CADRE)
        .then_one(
            OperationReprise,
            date_effet=date(2016, 3, 15),
            date_programmation=date(2016, 3, 15),
            cadre=CADRE,
            fse_centimes=euros(50_000),
            cout_total_eligible_centimes=euros(100_000),
            code_postal=None,
            anomalies=(),
        )
    )
    assert (fait.source.fichier, fait.source.ligne) == ("liste.csv", 7)


def test_what_is_improbable_is_marked() -> None:
    tardive = lue(date_programmation="2017-01-01")
    Given(REPRISE).when(reprendre, tardive, CADRE).then_one(
        OperationReprise, anomalies=(Anomalie(code="programmee_apres_fin", mode="signaler"),)
    )


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    Given(REPRISE).when(reprendre, lue(date_fin="2015-12-31"), CADRE).refuses(
        RepriseRefusee, "La ligne 7 de la liste n’est pas reprise : finit avant de commencer"
    )


def test_what_is_already_there_is_left_alone() -> None:
    Given(REPRISE, REPRISE_FAITE).when(reprendre, lue(), CADRE).then()


def test_what_was_annulled_does_not_come_back_with_the_list() -> None:
    annulee = Given(REPRISE, REPRISE_FAITE).when(annuler, annulation()).facts()
    Given(REPRISE, [*REPRISE_FAITE, *annulee]).when(reprendre, lue(), CADRE).then()


def test_a_mistake_is_undone_on_the_day_that_is_said() -> None:
    Given(REPRISE, REPRISE_FAITE).when(annuler, annulation("2020-06-30")).then(
        RepriseAnnulee(
            date_effet=date(2020, 6, 30),
            motif="Ligne d’une autre région",
            cout_total_eligible_centimes=euros(100_000),
            fse_centimes=euros(50_000),
        )
    )


def test_it_is_undone_once() -> None:
    annulee = Given(REPRISE, REPRISE_FAITE).when(annuler, annulation()).facts()
    Given(REPRISE, [*REPRISE_FAITE, *annulee]).when(annuler, annulation("2021-01-01")).refuses(
        RepriseDejaAnnulee, "depuis le 15/03/2016"
    )


def test_it_is_not_undone_before_it_counts() -> None:
    Given(REPRISE, REPRISE_FAITE).when(annuler, annulation("2016-03-14")).refuses(
        AnnulationAvantProgrammation, "ne s’annule pas au 14/03/2016"
    )


def test_an_unknown_one_is_absent() -> None:
    assert "identifiant 7" in str(RepriseAbsente(id=7))


@pytest.mark.parametrize("fonds", ["FEDER", "FSE/FEDER", "fse"])
def test_the_money_of_another_fund_is_never_counted_with_the_fse(fonds: str) -> None:
    with pytest.raises(ValidationError):
        lue(fonds=fonds)
    assert lue(fonds="FSE+").fonds == "FSE+"


def test_its_identifier_is_its_content_under_what_it_belongs_to() -> None:
    sous = CADRE.subvention_globale_id
    premier = reprise_of(sous, lue().contenu)
    ailleurs = {"source": LUE["source"] | {"fichier": "autre.csv", "ligne": 12}}
    assert reprise_of(sous, lue(**ailleurs).contenu) == premier
    assert str(premier) == "c152e3c4-b918-53f3-8174-0cd11bc7bd26", "it never changes"
    autres = [
        reprise_of(sous, lue(**{champ: valeur}).contenu)
        for champ, valeur in {
            "programme": "PO_AUTRE",
            "intitule": "Autre",
            "beneficiaire": "Bénéficiaire fictif n° 08",
            "code_postal": "33000",
            "date_debut": "2016-01-02",
            "date_fin": "2016-12-30",
            "date_programmation": "2016-03-16",
            "cout_total_eligible": "100000.01",
            "fse": "50000.01",
            "pays": "BE",
            "categorie_intervention": "NR",
            "fonds": "FSE+",
        }.items()
    ]
    hors = reprise_of(hors_subvention("2014-2020"), lue().contenu)
    assert len({premier, hors, *autres}) == 14
    assert hors_subvention("2014-2020") != hors_subvention("2021-2027")
