"""Bilans: filed with their dépenses under a convention in force, sent back before any control."""

from typing import Any
from uuid import UUID

import msgspec
import pytest
from dsl import Decision, Given
from fabrique import (
    AUTRE_DEPENSE_ID,
    AUTRE_ID,
    BILAN,
    BILAN_ID,
    CSF,
    DEPENSE_ID,
    NOTIFIEE,
    SIGNEE,
    commande,
    depense,
    euros,
    fait,
)

from aggregates.convention.bilans import (
    BilanAbsent,
    BilanAvantConvention,
    BilanEnControle,
    BilanFinalDejaDepose,
    BilanHorsConvention,
    DepenseAnnuleeAuBilan,
    DepenseDejaDansUnBilan,
    DepenseDuneAutreOperation,
    DeposerBilan,
    NumeroBilanDejaPris,
    RenvoyerBilan,
    deposer_bilan,
    renvoyer_bilan,
)
from aggregates.convention.events import (
    BilanDepose,
    BilanRenvoye,
    ConventionSignee,
)
from aggregates.convention.state import CONVENTION

INTERMEDIAIRE = [*NOTIFIEE, fait(BilanDepose, type="intermediaire")]
DEUXIEME = UUID(int=50)


def file(facts: Any = NOTIFIEE, depenses: Any = None, **saisie: Any) -> Decision:
    return Given(CONVENTION, facts).when(
        deposer_bilan,
        commande(DeposerBilan, **saisie),
        BILAN_ID if facts in (NOTIFIEE, SIGNEE) else DEUXIEME,
        [depense()] if depenses is None else depenses,
    )


def test_a_bilan_declares_its_depenses_and_the_share_of_the_fund() -> None:
    file().then(fait(BilanDepose))


def test_the_share_declared_is_capped_by_the_convention() -> None:
    file(depenses=[depense(120_000)]).then_one(
        BilanDepose,
        cout_total_declare_centimes=euros(120_000),
        fse_declare_centimes=euros(50_000),
    )


def test_the_share_declared_is_cumulated_then_differenced() -> None:
    first = [
        *NOTIFIEE,
        fait(
            BilanDepose,
            type="intermediaire",
            cout_total_declare_centimes=1,
            fse_declare_centimes=1,
        ),
    ]
    # Half of 1 cent rounds up to 1; half of 2 cents is 1: the second bilan adds nothing.
    Given(CONVENTION, first).when(
        deposer_bilan,
        commande(DeposerBilan, numero=2, depenses=[AUTRE_DEPENSE_ID]),
        DEUXIEME,
        [depense("0,01")],
    ).then_one(BilanDepose, cout_total_declare_centimes=1, fse_declare_centimes=0)


def test_the_share_declared_is_truncated_where_the_grant_says_so() -> None:
    truncated = [fait(ConventionSignee, arrondi="troncature"), *NOTIFIEE[1:]]
    Given(CONVENTION, truncated).when(
        deposer_bilan, commande(DeposerBilan), BILAN_ID, [depense("0,01")]
    ).then_one(BilanDepose, fse_declare_centimes=0)


def test_bilan_before_the_convention_is_in_force_is_refused() -> None:
    file(SIGNEE).refuses(BilanAvantConvention, "La convention n’est pas notifiée")


def test_a_second_final_bilan_is_refused() -> None:
    file(BILAN, numero=2).refuses(BilanFinalDejaDepose, "Le bilan final est déjà déposé")


def test_a_number_serves_once_unless_its_bilan_went_back() -> None:
    file(INTERMEDIAIRE).refuses(NumeroBilanDejaPris, "Le bilan n° 1 est déjà déposé")
    file([*INTERMEDIAIRE, fait(BilanRenvoye)]).then_one(BilanDepose, numero=1)


@pytest.mark.parametrize(
    "periode",
    [
        {"debut": "2020-12-31", "fin": "2021-12-31"},
        {"debut": "2021-01-01", "fin": "2022-01-01"},
    ],
)
def test_bilan_that_leaves_the_period_of_the_convention_is_refused(periode: Any) -> None:
    file(periode=periode).refuses(BilanHorsConvention, "sort de celle de la convention")


def test_depense_of_another_operation_is_refused() -> None:
    file(depenses=[depense(operation_id=AUTRE_ID)]).refuses(
        DepenseDuneAutreOperation, "BS-2021-05 appartient à une autre opération"
    )


def test_cancelled_depense_is_refused() -> None:
    cancelled = msgspec.structs.replace(depense(), statut="annulee")
    file(depenses=[cancelled]).refuses(DepenseAnnuleeAuBilan, "BS-2021-05 est annulée")


def test_a_depense_is_in_one_bilan_once() -> None:
    file(INTERMEDIAIRE, numero=2).refuses(
        DepenseDejaDansUnBilan, "BS-2021-05 figure déjà dans un bilan"
    )
    Given(CONVENTION, NOTIFIEE).when(
        deposer_bilan,
        commande(DeposerBilan, depenses=[DEPENSE_ID, DEPENSE_ID]),
        BILAN_ID,
        [depense(), depense()],
    ).refuses(DepenseDejaDansUnBilan, "BS-2021-05")


def test_a_bilan_sent_back_frees_its_depenses() -> None:
    file([*INTERMEDIAIRE, fait(BilanRenvoye)], numero=2).then_one(BilanDepose, numero=2)


def send_back(facts: Any = BILAN, bilan_id: UUID = BILAN_ID) -> Decision:
    return Given(CONVENTION, facts).when(renvoyer_bilan, commande(RenvoyerBilan), bilan_id)


def test_a_bilan_is_sent_back_for_its_form() -> None:
    send_back().then(fait(BilanRenvoye, motif="Motif de l’essai"))
    after = send_back().state()
    assert (after.fse_declare, after.cout_total_declare, after.bilan_final) == (0, 0, None)


def test_a_bilan_sent_back_leaves_what_the_others_declare() -> None:
    # 60 000,00 € then 60 000,00 € at 50 %, the second cut at the maximum of 50 000,00 €.
    first = fait(
        BilanDepose,
        type="intermediaire",
        cout_total_declare_centimes=euros(60_000),
        fse_declare_centimes=euros(30_000),
    )
    second = fait(
        BilanDepose,
        numero=2,
        bilan_id=DEUXIEME,
        cout_total_declare_centimes=euros(60_000),
        fse_declare_centimes=euros(20_000),
    )
    sent = send_back([*NOTIFIEE, first, second])
    sent.then_one(BilanRenvoye, fse_declare_centimes=euros(20_000))
    assert sent.state().fse_declare == euros(30_000)


def test_bilan_under_control_is_not_sent_back() -> None:
    send_back(CSF).refuses(BilanEnControle, "Le bilan n° 1 est déjà en contrôle")


def test_bilan_that_does_not_exist_is_named() -> None:
    send_back(bilan_id=AUTRE_ID).refuses(BilanAbsent, str(AUTRE_ID))
    send_back([*BILAN, fait(BilanRenvoye)]).refuses(BilanAbsent, str(BILAN_ID))
