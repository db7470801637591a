"""Money asked back: no more than is not due, until it came in, was compensated, or is lost."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import pytest
from dsl import Decision, Given
from fabrique import (
    AUTRE_ID,
    CADRE,
    CSF,
    NOTIFIEE,
    OPERATION_ID,
    ORDRE_ID,
    PAIEMENT_ID,
    avance_payee,
    commande,
    convention,
    euros,
    fait,
    operation,
)

from aggregates.convention.events import (
    BilanDepose,
    CompensationOperee,
    ContestationTranchee,
    CreanceIrrecouvrable,
    CreanceRetablie,
    CsfRouvert,
    CsfValide,
    OrdreReversementAnnule,
    OrdreReversementConteste,
    OrdreReversementEmis,
    OrdreReversementNotifie,
    ReversementEncaisse,
)
from aggregates.convention.paiements import CompenserOrdre, PaiementNul, SoldeAvantCsf
from aggregates.convention.reversements import (
    AnnulerOrdre,
    CompensationAutreBeneficiaire,
    CompensationEntreReglements,
    CompensationSurPlace,
    ContestationPendante,
    ContesterOrdre,
    DeclarerIrrecouvrable,
    EmettreOrdreReversement,
    EncaissementSuperieur,
    EncaisserReversement,
    IndusSuperieur,
    NotifierOrdre,
    OrdreAbsent,
    OrdreEntame,
    OrdreHorsDeSonOrdre,
    RetablirCreance,
    RetablissementSuperieur,
    TrancherContestation,
    annuler,
    compenser,
    contester,
    declarer_irrecouvrable,
    emettre_ordre,
    encaisser,
    notifier,
    retablir,
    trancher,
)
from aggregates.convention.state import CONVENTION
from aggregates.operation.state import Operation, Statut

MOTIF = "Motif de l’essai"
# 15 000,00 € of avance paid, 40 000,00 € less 30 000,00 due: 5 000,00 to give back.
TROP_PERCU = [
    *NOTIFIEE,
    *avance_payee(15_000),
    *CSF[2:],
    fait(CsfValide, fse_du_cumule_centimes=euros(10_000)),
]
RECLAME = [*TROP_PERCU, fait(OrdreReversementEmis, montant_centimes=euros(5_000))]
NOTIFIE = [*RECLAME, fait(OrdreReversementNotifie)]
CONTESTE = [*NOTIFIE, fait(OrdreReversementConteste)]
PART = fait(ReversementEncaisse, montant_centimes=euros(2_000))
#: A new control says that 13 000,00 € are due.
PLUS_DU = [fait(CsfRouvert), CSF[-1], fait(CsfValide, fse_du_cumule_centimes=euros(13_000))]


def claim(
    facts: Any = TROP_PERCU,
    statut: Statut = "bilan_final_depose",
    montant: str = "5000.00",
    **champs: Any,
) -> Decision:
    return Given(CONVENTION, facts).when(
        emettre_ordre,
        commande(EmettreOrdreReversement, montant=montant),
        ORDRE_ID,
        operation(statut, **champs),
        "comptable-1",
    )


def test_what_is_not_due_is_asked_back_and_no_more() -> None:
    claim().then(
        fait(
            OrdreReversementEmis,
            montant_centimes=euros(5_000),
            motif=MOTIF,
            emetteur="comptable-1",
        )
    )
    claim(montant="5000.01").refuses(IndusSuperieur, "dépasse l’indu, 5 000,00 €")


def test_what_is_already_claimed_is_not_claimed_twice() -> None:
    asked = [*TROP_PERCU, fait(OrdreReversementEmis, montant_centimes=euros(4_000))]
    claim(asked, montant="1000.01").refuses(
        IndusSuperieur, "dépasse l’indu, 1 000,00 € : 15 000,00 € payés pour 10 000,00 € dus"
    )
    cancelled = [*asked, fait(OrdreReversementAnnule, montant_centimes=euros(4_000))]
    claim(cancelled).then_one(OrdreReversementEmis)


def test_what_is_lost_is_not_claimed_again() -> None:
    lost = [*RECLAME, fait(CreanceIrrecouvrable, montant_centimes=euros(5_000))]
    claim(lost, montant="0.01").refuses(
        IndusSuperieur, "0,00 € : 15 000,00 € payés pour 10 000,00 € dus, 5 000,00 € déjà réclamés"
    )


def test_nothing_is_claimed_before_the_final_control() -> None:
    claim([*NOTIFIEE, *avance_payee()], "en_execution").refuses(
        SoldeAvantCsf, "le contrôle de service fait du bilan final n’est pas validé"
    )
    claim([*NOTIFIEE, *avance_payee(), *CSF[2:]]).refuses(SoldeAvantCsf, "n’est pas validé")


@pytest.mark.parametrize("statut", ["abandonne", "resilie"])
def test_an_interrupted_operation_gives_its_avance_back(statut: Statut) -> None:
    claim([*NOTIFIEE, *avance_payee()], statut, "15000.00").then_one(OrdreReversementEmis)


@pytest.mark.parametrize("statut", ["solde", "cloture", "archive"])
def test_a_recalculation_after_the_solde_claims_as_the_solde_does(statut: Statut) -> None:
    under_way: dict[str, Any] = {"suites": frozenset([AUTRE_ID])}
    claim(statut=statut, **under_way).then_one(OrdreReversementEmis)
    # One that had been interrupted never had a final bilan.
    interrupted = [
        *NOTIFIEE,
        *avance_payee(15_000),
        fait(BilanDepose, type="intermediaire"),
        *CSF[3:],
        fait(CsfValide, type="intermediaire", fse_du_cumule_centimes=euros(10_000)),
    ]
    claim(interrupted, statut, **under_way).then_one(OrdreReversementEmis)
    claim(interrupted, statut).refuses(SoldeAvantCsf, "n’est pas validé")


def test_an_order_of_nothing_is_refused() -> None:
    claim(montant="0.00").refuses(PaiementNul, "porte un montant positif")


# Its life.

Act = Callable[..., Decision]


def act(decide: Any, kind: Any, *par: str, **saisie: Any) -> Act:
    def take(facts: Any, ordre_id: UUID = ORDRE_ID, **more: Any) -> Decision:
        asked = commande(kind, **(saisie | more))
        return Given(CONVENTION, facts).when(decide, asked, ordre_id, *par)

    return take


notify = act(notifier, NotifierOrdre)
contest = act(contester, ContesterOrdre)
settle = act(trancher, TrancherContestation)
cancel = act(annuler, AnnulerOrdre)
cash = act(encaisser, EncaisserReversement, montant="2000.00")
lose = act(
    declarer_irrecouvrable,
    DeclarerIrrecouvrable,
    "ordonnateur-1",
    montant="5000.00",
    decision_ref="DEC-1",
)
restore = act(retablir, RetablirCreance, montant="2000.00")


@pytest.mark.parametrize("taken", [notify, contest, settle, cancel, cash, lose, restore])
def test_an_order_that_does_not_exist_is_named(taken: Act) -> None:
    taken(NOTIFIE, AUTRE_ID).refuses(OrdreAbsent, str(AUTRE_ID))


def test_an_order_is_notified_then_contested_then_decided() -> None:
    notify(RECLAME).then(fait(OrdreReversementNotifie))
    contest(NOTIFIE).then(fait(OrdreReversementConteste, motif=MOTIF))
    settle(CONTESTE).then(fait(ContestationTranchee, motif=MOTIF))
    decided = [*CONTESTE, fait(ContestationTranchee)]
    assert convention(decided).ordres[ORDRE_ID].statut == "notifie"
    contest(decided).then_one(OrdreReversementConteste)


def test_each_act_comes_at_its_time() -> None:
    notify(NOTIFIE).refuses(OrdreHorsDeSonOrdre, "« notifié »")
    contest(RECLAME).refuses(OrdreHorsDeSonOrdre, "« émis »")
    contest(CONTESTE).refuses(OrdreHorsDeSonOrdre, "« contesté »")
    settle(NOTIFIE).refuses(OrdreHorsDeSonOrdre, "« notifié »")
    cancelled = [*NOTIFIE, fait(OrdreReversementAnnule)]
    for taken in (notify, contest, settle, cancel):
        taken(cancelled).refuses(OrdreHorsDeSonOrdre, "« annulé »")


@pytest.mark.parametrize("facts", [RECLAME, NOTIFIE, CONTESTE], ids=["sent", "known", "contested"])
def test_an_order_is_cancelled_while_nothing_came_in(facts: Any) -> None:
    cancel(facts).then(fait(OrdreReversementAnnule, montant_centimes=euros(5_000), motif=MOTIF))
    after = cancel(facts).state()
    assert (after.a_encaisser, after.paye) == (0, euros(15_000))


def test_an_order_on_which_money_came_in_is_not_cancelled() -> None:
    cancel([*NOTIFIE, PART]).refuses(OrdreEntame, "2 000,00 € sont déjà rentrés ou perdus")
    lost = fait(CreanceIrrecouvrable, montant_centimes=euros(1_000))
    cancel([*NOTIFIE, lost]).refuses(OrdreEntame, "1 000,00 € sont déjà rentrés ou perdus")
    whole = fait(ReversementEncaisse, montant_centimes=euros(5_000))
    cancel([*NOTIFIE, whole]).refuses(OrdreHorsDeSonOrdre, "« réglé »")


def test_a_rest_that_is_no_longer_owed_is_cancelled_whatever_came_in() -> None:
    # 13 000,00 € are due now, as many as are left after what came in.
    cancel([*NOTIFIE, PART, *PLUS_DU]).then_one(
        OrdreReversementAnnule, montant_centimes=euros(3_000)
    )
    almost = fait(CsfValide, fse_du_cumule_centimes=euros(10_000))
    cancel([*NOTIFIE, PART, *PLUS_DU[:-1], almost]).refuses(OrdreEntame, "2 000,00 €")


def test_money_comes_back_in_several_times_and_never_more_than_asked() -> None:
    cash(RECLAME).then(fait(ReversementEncaisse, montant_centimes=euros(2_000)))
    part = [*RECLAME, PART]
    cash(part, montant="3000.01").refuses(
        EncaissementSuperieur, "reste à encaisser sur cet ordre, 3 000"
    )
    assert cash(part, montant="3000.00").state().paye == euros(10_000)


def test_money_that_arrives_is_recorded_even_contested() -> None:
    cash(CONTESTE).then_one(ReversementEncaisse)


def test_cashing_nothing_or_on_a_cancelled_order_is_refused() -> None:
    cash(NOTIFIE, montant="0.00").refuses(PaiementNul, "porte un montant positif")
    cancelled = [*NOTIFIE, fait(OrdreReversementAnnule)]
    cash(cancelled, montant="0.01").refuses(EncaissementSuperieur, "0,00 €")


# Lost.


def test_a_debt_is_lost_in_whole_or_in_part() -> None:
    lose(NOTIFIE).then(
        fait(
            CreanceIrrecouvrable,
            montant_centimes=euros(5_000),
            motif=MOTIF,
            decision_ref="DEC-1",
        )
    )
    after = lose([*NOTIFIE, PART], montant="3000.00").state()
    assert (after.paye, after.perdu, after.a_encaisser) == (euros(13_000), euros(3_000), 0)


def test_no_more_is_lost_than_is_still_asked() -> None:
    lose([*NOTIFIE, PART], montant="3000.01").refuses(EncaissementSuperieur, "3 000,00 €")
    lose(NOTIFIE, montant="0.00").refuses(PaiementNul, "positif")


def test_a_contested_debt_is_not_lost() -> None:
    lose(CONTESTE).refuses(ContestationPendante, "tranchez la contestation d’abord")


def test_what_was_lost_is_asked_again() -> None:
    lost = [*NOTIFIE, fait(CreanceIrrecouvrable, montant_centimes=euros(5_000))]
    restore(lost).then(fait(CreanceRetablie, montant_centimes=euros(2_000), motif=MOTIF))
    after = restore(lost).state()
    assert (after.perdu, after.a_encaisser) == (euros(3_000), euros(2_000))
    restore(lost, montant="5000.01").refuses(RetablissementSuperieur, "5 000,00 €")
    restore(lost, montant="0.00").refuses(PaiementNul, "positif")


def test_a_loss_that_was_not_one_is_taken_back() -> None:
    # The whole was lost, then a new control says that 3 000,00 € of it were due.
    lost = fait(CreanceIrrecouvrable, montant_centimes=euros(5_000))
    back = fait(CreanceRetablie, montant_centimes=euros(3_000))
    cancel([*NOTIFIE, lost, *PLUS_DU, back]).then_one(
        OrdreReversementAnnule, montant_centimes=euros(3_000)
    )


# Compensated.


def compensate(
    facts: Any = NOTIFIE,
    montant: str = "5000.00",
    par: UUID = AUTRE_ID,
    creanciere: Operation | None = None,
) -> Decision:
    asked = CompenserOrdre(
        date_effet="2021-12-15", montant=montant, par_operation_id=par, par_paiement_id=PAIEMENT_ID
    )
    return Given(CONVENTION, facts).when(
        compenser, asked, ORDRE_ID, operation(), creanciere or operation()
    )


def test_an_order_is_settled_by_what_is_due_elsewhere() -> None:
    compensate().then(
        fait(
            CompensationOperee,
            montant_centimes=euros(5_000),
            par_operation_id=AUTRE_ID,
            par_paiement_id=PAIEMENT_ID,
            par_numero=operation().numero_mdfse,
        )
    )
    after = compensate(montant="2000.00").state()
    assert (after.paye, after.a_encaisser) == (euros(13_000), euros(3_000))


def test_no_more_is_compensated_than_is_still_asked() -> None:
    compensate([*NOTIFIE, PART], "3000.01").refuses(EncaissementSuperieur, "3 000,00 €")
    compensate(montant="0.00").refuses(PaiementNul, "positif")
    compensate([*NOTIFIE, fait(OrdreReversementAnnule)], "0.01").refuses(
        EncaissementSuperieur, "0,00 €"
    )
    compensate(TROP_PERCU).refuses(OrdreAbsent, str(ORDRE_ID))


def test_a_contested_order_is_not_compensated() -> None:
    compensate(CONTESTE).refuses(ContestationPendante, "tranchez la contestation d’abord")


def test_an_operation_does_not_compensate_itself() -> None:
    compensate(par=OPERATION_ID).refuses(CompensationSurPlace, "d’une autre opération")


def test_only_the_same_beneficiary_of_the_same_oi_compensates() -> None:
    here = operation()
    other = msgspec.structs.replace(here.beneficiaire, siret="35600000000048")
    compensate(creanciere=operation(beneficiaire=other)).refuses(
        CompensationAutreBeneficiaire, "73282932000074 doit reverser, 35600000000048 serait payé"
    )
    elsewhere = msgspec.structs.replace(CADRE, oi_id="oi-autre")
    compensate(creanciere=operation(cadre=elsewhere)).refuses(
        CompensationAutreBeneficiaire, "d’un même organisme intermédiaire"
    )


def test_two_programming_periods_do_not_compensate_each_other() -> None:
    later = msgspec.structs.replace(CADRE, reglement="2021-2027")
    compensate(creanciere=operation(cadre=later)).refuses(
        CompensationEntreReglements, "relève de 2014-2020, l’opération payée de 2021-2027"
    )
