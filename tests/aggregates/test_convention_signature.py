"""The convention: signed by both parties for what was programmed, then notified."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from dsl import Decision, Given
from fabrique import (
    NOTIFIEE,
    OPERATION_ID,
    PARAMETRES,
    SIGNEE,
    commande,
    euros,
    fait,
    operation,
    subvention,
)

from aggregates.convention.events import ConventionNotifiee, ConventionSignee
from aggregates.convention.signature import (
    BilanFinalAbsent,
    BilanFinalTropTard,
    ConventionAvantProgrammation,
    ConventionDejaNotifiee,
    ConventionDejaSignee,
    NotifierConvention,
    SignaturesManquantes,
    SignerConvention,
    notifier,
    signer,
)
from aggregates.convention.state import CONVENTION, ConventionAbsente
from aggregates.operation.events import Beneficiaire


def sign(facts: Any = (), op: Any = None, sg: Any = None, **saisie: Any) -> Decision:
    return Given(CONVENTION, facts).when(
        signer,
        commande(SignerConvention, **saisie),
        op or operation("programme"),
        OPERATION_ID,
        sg or subvention(),
    )


def bilan(numero: int, kind: str, limite: str) -> dict[str, Any]:
    return {"numero": numero, "type": kind, "date_limite": limite}


def test_the_convention_takes_over_what_was_programmed() -> None:
    sign().then_one(
        ConventionSignee,
        fse_max_centimes=euros(50_000),
        cout_total_eligible_centimes=euros(100_000),
        avance_pct=Decimal(30),
    )


@pytest.mark.parametrize(
    "statut", ["depose", "instruit_favorable", "ajourne", "refuse", "deprogramme", "conventionne"]
)
def test_convention_before_programming_is_refused(statut: Any) -> None:
    sign(op=operation(statut)).refuses(
        ConventionAvantProgrammation, "l’opération 202100007 n’est pas programmée"
    )


def test_a_convention_is_signed_once_and_notified_once() -> None:
    sign(SIGNEE).refuses(ConventionDejaSignee, "C-2022-01 est déjà signée")
    Given(CONVENTION, NOTIFIEE).when(notifier, commande(NotifierConvention)).refuses(
        ConventionDejaNotifiee, "C-2022-01 est déjà notifiée"
    )


@pytest.mark.parametrize("signataires", [["ordonnateur-1"], ["ordonnateur-1", "ordonnateur-1"]])
def test_convention_with_one_signature_is_refused(signataires: list[str]) -> None:
    sign(signataires=signataires).refuses(SignaturesManquantes, "1 est indiquée")


def test_convention_foresees_exactly_one_final_bilan() -> None:
    sign(bilans_prevus=[bilan(1, "intermediaire", "2021-12-31")]).refuses(
        BilanFinalAbsent, "exactement un bilan final"
    )
    sign(bilans_prevus=[bilan(1, "final", "2022-06-30"), bilan(2, "final", "2022-06-30")]).refuses(
        BilanFinalAbsent, "exactement un bilan final"
    )


def test_final_bilan_later_than_six_months_after_the_end_is_refused() -> None:
    sign(bilans_prevus=[bilan(1, "final", "2022-07-01")]).refuses(
        BilanFinalTropTard, "prévu le 01/07/2022, après la limite du 30/06/2022"
    )
    sign(bilans_prevus=[bilan(1, "final", "2022-06-30")]).then_one(ConventionSignee)


def test_some_beneficiaries_have_no_avance() -> None:
    commune = Beneficiaire(siret="73282932000074", nom="Bénéficiaire fictif", type="collectivite")
    sign(op=operation("programme", beneficiaire=commune)).then_one(
        ConventionSignee, avance_pct=Decimal(0)
    )


def test_parameters_of_the_grant_are_frozen_in_the_convention() -> None:
    choix = msgspec.structs.replace(
        PARAMETRES,
        avance_plafond_centimes=euros(10_000),
        plafond_avant_solde_pct=Decimal(80),
        arrondi="troncature",
    )
    sg = msgspec.structs.replace(subvention(), parametres=choix)
    sign(sg=sg).then_one(
        ConventionSignee,
        avance_plafond_centimes=euros(10_000),
        plafond_avant_solde_pct=Decimal(80),
        arrondi="troncature",
    )


def test_notification_puts_the_convention_in_force() -> None:
    Given(CONVENTION, SIGNEE).when(notifier, commande(NotifierConvention)).then(
        fait(ConventionNotifiee)
    )


def test_an_operation_without_convention_is_said_so() -> None:
    assert "n’a pas encore de convention" in str(ConventionAbsente(id=OPERATION_ID))
