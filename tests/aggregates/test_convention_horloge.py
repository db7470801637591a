"""The clock of a payment is interrupted in writing, from the deposit until all is paid."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from dsl import Decision, Given
from fabrique import (
    AUTRE_ID,
    BILAN,
    BILAN_ID,
    CERTIFIE,
    CSF,
    NOTIFIEE,
    avance_payee,
    commande,
    euros,
    fait,
    paiement,
)
from pydantic import ValidationError

from aggregates.convention.bilans import BilanAbsent
from aggregates.convention.events import (
    BilanDepose,
    BilanRenvoye,
    CsfRouvert,
    CsfValide,
    DelaiPaiementInterrompu,
    DelaiPaiementRepris,
    PaiementRejete,
)
from aggregates.convention.horloge import (
    DelaiArrete,
    DelaiAvantDepot,
    DelaiDejaInterrompu,
    DelaiHorsDeSonOrdre,
    DelaiNonInterrompu,
    InterrompreDelai,
    ReprendreDelai,
    interrompre,
    reprendre,
)
from aggregates.convention.state import CONVENTION

JOUR = date(2022, 1, 10)
INTERROMPU = [*BILAN, fait(DelaiPaiementInterrompu, date_effet=JOUR)]
REPRIS = [*INTERROMPU, fait(DelaiPaiementRepris, date_effet=date(2022, 1, 20))]


def stop(facts: Any, le: date = JOUR, bilan_id: UUID = BILAN_ID) -> Decision:
    asked = commande(
        InterrompreDelai, date_effet=le, cause="piece_manquante", notification_ref="COURRIER-1"
    )
    return Given(CONVENTION, facts).when(interrompre, asked, bilan_id)


def resume(facts: Any, le: date = JOUR, bilan_id: UUID = BILAN_ID) -> Decision:
    return Given(CONVENTION, facts).when(
        reprendre, commande(ReprendreDelai, date_effet=le), bilan_id
    )


def test_the_clock_stops_by_a_written_notice_and_its_reason() -> None:
    stop(BILAN).then(
        fait(
            DelaiPaiementInterrompu,
            date_effet=JOUR,
            motif="Motif de l’essai",
            cause="piece_manquante",
            notification_ref="COURRIER-1",
        )
    )
    for missing in ("cause", "notification_ref", "motif"):
        said = {
            "date_effet": JOUR,
            "cause": "piece_manquante",
            "notification_ref": "COURRIER-1",
            "motif": "Pièce absente",
        }
        del said[missing]
        with pytest.raises(ValidationError):
            InterrompreDelai(**said)


def test_it_goes_on_afterwards() -> None:
    resume(INTERROMPU, date(2022, 1, 20)).then(
        fait(DelaiPaiementRepris, date_effet=date(2022, 1, 20))
    )
    stop(REPRIS, date(2022, 2, 1)).then_one(DelaiPaiementInterrompu)


def test_it_starts_at_the_deposit() -> None:
    stop(BILAN, date(2021, 12, 14)).refuses(
        DelaiAvantDepot, "Le délai de paiement du bilan n° 1 court depuis son dépôt, le 15/12/2021"
    )
    stop(BILAN, date(2021, 12, 15)).then_one(DelaiPaiementInterrompu)


def test_it_is_interrupted_once_at_a_time() -> None:
    stop(INTERROMPU).refuses(DelaiDejaInterrompu, "du bilan n° 1 est déjà interrompu")
    resume(BILAN).refuses(DelaiNonInterrompu, "du bilan n° 1 n’est pas interrompu")
    resume(REPRIS).refuses(DelaiNonInterrompu, "n’est pas interrompu")


def test_its_days_follow_each_other() -> None:
    resume(INTERROMPU, date(2022, 1, 9)).refuses(DelaiHorsDeSonOrdre, "a changé le 10/01/2022")
    resume(INTERROMPU, JOUR).then_one(DelaiPaiementRepris)
    stop(REPRIS, date(2022, 1, 19)).refuses(DelaiHorsDeSonOrdre, "a changé le 20/01/2022")


def test_a_bilan_that_is_not_there_has_no_clock() -> None:
    stop(BILAN, bilan_id=AUTRE_ID).refuses(BilanAbsent, str(AUTRE_ID))
    stop([*BILAN, fait(BilanRenvoye)]).refuses(BilanAbsent, str(BILAN_ID))
    resume(BILAN, bilan_id=AUTRE_ID).refuses(BilanAbsent, str(AUTRE_ID))


@pytest.mark.parametrize(
    "facts",
    [
        CSF,
        CERTIFIE,
        [*CERTIFIE, *paiement("solde", 40_000)[:1]],
        [*CERTIFIE, *paiement("solde", "39 999,99")],
        [
            *CERTIFIE,
            *paiement("solde", 40_000),
            fait(PaiementRejete, montant_centimes=euros(40_000)),
        ],
    ],
    ids=["under control", "valid", "ordered", "a cent short", "sent back"],
)
def test_it_runs_until_all_that_is_due_left(facts: Any) -> None:
    stop(facts).then_one(DelaiPaiementInterrompu)


def test_paid_it_runs_no_more() -> None:
    paid = [*CERTIFIE, *paiement("solde", 40_000)]
    stop(paid).refuses(DelaiArrete, "il ne reste rien à payer")
    # A control opened again asks for no payment until it says that more is due.
    stop([*paid, fait(CsfRouvert)]).refuses(DelaiArrete, "il ne reste rien à payer")
    more = [fait(CsfRouvert), CSF[-1], fait(CsfValide, fse_du_cumule_centimes=euros(41_000))]
    stop([*paid, *more]).then_one(DelaiPaiementInterrompu)


def test_it_stops_at_the_validation_when_nothing_is_to_pay() -> None:
    intermediate = [
        *NOTIFIEE,
        *avance_payee(15_000),
        fait(BilanDepose, type="intermediaire"),
        *CSF[3:],
        fait(CsfValide, type="intermediaire", fse_du_cumule_centimes=euros(12_000)),
    ]
    stop(intermediate).refuses(DelaiArrete, "il ne reste rien à payer")
    # Under control, nobody knows yet.
    stop(intermediate[:-1]).then_one(DelaiPaiementInterrompu)


def test_an_interruption_may_end_whatever_was_paid_since() -> None:
    paid = [*INTERROMPU, *CERTIFIE[3:], *paiement("solde", 40_000)]
    resume(paid).then_one(DelaiPaiementRepris)
