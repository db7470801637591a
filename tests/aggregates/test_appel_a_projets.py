"""Calls for projects: published for the PLIE of a grant in force, closed once."""

from datetime import date
from typing import Any

import pytest
from dsl import Decision, Given
from fabrique import APPEL, AUTRE_ID, FICHE_SAISIE, commande, condition, fait, subvention
from pydantic import ValidationError

from aggregates.appel_a_projets.events import AppelAProjetsClos, AppelAProjetsPublie
from aggregates.appel_a_projets.publication import (
    AppelDejaClos,
    AppelDejaPublie,
    CloreAppelAProjets,
    ClotureAvantOuverture,
    FicheEnDouble,
    PublierAppelAProjets,
    clore,
    publier,
)
from aggregates.appel_a_projets.state import APPEL_A_PROJETS, AppelAProjetsAbsent
from aggregates.subvention_globale.maquette import PlieInconnu, SubventionGlobaleNonEnVigueur


def publish(facts: Any = (), **saisie: Any) -> Decision:
    return Given(APPEL_A_PROJETS, facts).when(
        publier, commande(PublierAppelAProjets, **saisie), subvention()
    )


def fiche(**changes: Any) -> dict[str, Any]:
    return FICHE_SAISIE | changes


def test_a_call_is_published_with_its_fiches() -> None:
    fact = publish().then_one(AppelAProjetsPublie, numero="3", date_cloture=date(2021, 12, 31))
    assert [(f.code, f.plie_id, f.condition) for f in fact.fiches] == [("A1", "A", None)]


def test_the_condition_of_a_fiche_is_exact() -> None:
    asked = {
        "statut": "condition_de_recevabilite",
        "taux_min_contreparties": "0.20",
        "taux_max_fse": "0.80",
    }
    [kept] = publish(fiches=[fiche(condition=asked)]).then_one(AppelAProjetsPublie).fiches
    assert kept.condition == condition("0.20", "0.80")


@pytest.mark.parametrize("part", ["1.1", "20", "20 %", "-0.2", 0.2, "0,2"])
def test_a_share_is_a_decimal_string_up_to_one(part: object) -> None:
    asked = {"statut": "condition_de_recevabilite", "taux_max_fse": part}
    with pytest.raises(ValidationError):
        publish(fiches=[fiche(condition=asked)])


def test_a_call_is_published_once_and_closed_once() -> None:
    publish(APPEL).refuses(AppelDejaPublie, "n° 3 est déjà publié")
    ask = commande(CloreAppelAProjets)
    Given(APPEL_A_PROJETS, APPEL).when(clore, ask).then(fait(AppelAProjetsClos))
    Given(APPEL_A_PROJETS, [*APPEL, fait(AppelAProjetsClos)]).when(clore, ask).refuses(
        AppelDejaClos, "n° 3 est déjà clos"
    )


def test_call_without_a_grant_in_force_is_refused() -> None:
    publish(date_effet="2023-01-01").refuses(SubventionGlobaleNonEnVigueur, "01/01/2023")


def test_call_that_closes_before_it_opens_is_refused() -> None:
    publish(date_cloture="2021-11-30").refuses(
        ClotureAvantOuverture, "se clôt le 30/11/2021, avant son ouverture le 01/12/2021"
    )
    publish(date_cloture="2021-12-01").then_one(AppelAProjetsPublie)


def test_call_with_a_fiche_twice_or_for_another_plie_is_refused() -> None:
    publish(fiches=[fiche(), fiche()]).refuses(FicheEnDouble, "La fiche A1 figure deux fois")
    publish(fiches=[fiche(plie_id="C")]).refuses(PlieInconnu, "« C »")


def test_a_call_that_does_not_exist_is_named() -> None:
    assert str(AUTRE_ID) in str(AppelAProjetsAbsent(id=AUTRE_ID))
