"""After the solde: a control opened again has consequences, which are settled and closed."""

from datetime import date
from typing import Any

import pytest
from dsl import Decision, Given
from fabrique import (
    AUTRE_ID,
    CSF_ID,
    PARCOURS,
    commande,
    euros,
    fait,
)

from aggregates.operation.cloture import Archiver, Cloturer, archiver, cloturer
from aggregates.operation.events import SuitesCloses, SuitesOuvertes
from aggregates.operation.state import OPERATION
from aggregates.operation.suites import (
    REGLEE,
    AucuneSuite,
    CloreSuites,
    SuitesEnCours,
    clore_suites,
    ouvrir_suites,
)

JOUR = date(2024, 3, 1)
OUVERTES = fait(SuitesOuvertes, controle_ref="CICC-2024-12")


def reopen(statut: Any, ref: str | None = "CICC-2024-12") -> Decision:
    return Given(OPERATION, PARCOURS[statut]).when(
        ouvrir_suites, csf_id=CSF_ID, controle_ref=ref, date_effet=JOUR
    )


def close(facts: Any, fse: int = 35_000, cout: int = 70_000) -> Decision:
    return Given(OPERATION, facts).when(
        clore_suites,
        commande(CloreSuites),
        fse_du=euros(fse),
        cout_total_retenu=euros(cout),
    )


@pytest.mark.parametrize("statut", sorted(REGLEE))
def test_a_control_opened_again_after_the_solde_has_consequences(statut: Any) -> None:
    asked = reopen(statut)
    asked.then(fait(SuitesOuvertes, controle_ref="CICC-2024-12", date_effet=JOUR))
    assert (asked.state().statut, asked.state().suites) == (statut, frozenset([CSF_ID]))


@pytest.mark.parametrize("statut", sorted(set(PARCOURS) - REGLEE))
def test_before_the_solde_it_has_none(statut: Any) -> None:
    reopen(statut).then()


def test_they_are_closed_with_what_changed_since_the_solde() -> None:
    closed = close([*PARCOURS["solde"], OUVERTES])
    closed.then(fait(SuitesCloses))
    assert closed.state().suites == frozenset()
    assert closed.state().soldee_pour == (euros(35_000), euros(70_000))


def test_the_next_ones_start_from_there() -> None:
    again = [
        *PARCOURS["solde"],
        OUVERTES,
        fait(SuitesCloses),
        fait(SuitesOuvertes, csf_id=AUTRE_ID),
    ]
    close(again, 30_000, 60_000).then_one(
        SuitesCloses,
        fse_du_avant_centimes=euros(35_000),
        fse_du_apres_centimes=euros(30_000),
        cout_total_retenu_avant_centimes=euros(70_000),
        cout_total_retenu_apres_centimes=euros(60_000),
    )


def test_two_controls_opened_again_are_closed_together() -> None:
    both = [*PARCOURS["solde"], OUVERTES, fait(SuitesOuvertes, csf_id=AUTRE_ID)]
    state = close(both).state()
    assert state.suites == frozenset()


def test_nothing_is_closed_that_was_not_opened() -> None:
    close(PARCOURS["solde"]).refuses(AucuneSuite, "Aucun contrôle n’a été rouvert")
    close([*PARCOURS["solde"], OUVERTES, fait(SuitesCloses)]).refuses(AucuneSuite, "rouvert")


@pytest.mark.parametrize(
    ("statut", "decision", "kind"),
    [("solde", cloturer, Cloturer), ("cloture", archiver, Archiver)],
)
def test_nobody_closes_nor_archives_while_they_are_under_way(
    statut: Any, decision: Any, kind: Any
) -> None:
    waiting = Given(OPERATION, [*PARCOURS[statut], OUVERTES])
    waiting.when(decision, commande(kind)).refuses(SuitesEnCours, "clôturez-les d’abord")
    settled = Given(OPERATION, [*PARCOURS[statut], OUVERTES, fait(SuitesCloses)])
    assert settled.when(decision, commande(kind)).facts()
