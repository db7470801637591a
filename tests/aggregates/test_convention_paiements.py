"""Payments: what is due and no more; what was paid beyond comes back."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from dsl import Decision, Given, lisible
from fabrique import (
    AUTRE_ID,
    BILAN,
    CERTIFIE,
    CSF,
    CSF_ID,
    NOTIFIEE,
    ORDRE_ID,
    PAIEMENT_ID,
    avance_payee,
    commande,
    convention,
    euros,
    fait,
    operation,
    paiement,
    plan,
    signee,
)
from pydantic import ValidationError

from aggregates.convention.avenants import AvenantDejaEnCours
from aggregates.convention.events import (
    AvenantDemande,
    AvenantProgramme,
    BilanDepose,
    ClotureOfficePrononcee,
    CompensationImputee,
    CreanceIrrecouvrable,
    CsfRouvert,
    CsfValide,
    OrdreReversementEmis,
    PaiementAcquitte,
    PaiementAnnule,
    PaiementEffectue,
    PaiementOrdonnance,
    PaiementPrepare,
    PaiementRejete,
    ReversementEncaisse,
)
from aggregates.convention.paiements import (
    AcquitterPaiement,
    AnnulerPaiement,
    AvanceDejaVersee,
    AvanceNonPrevue,
    AvanceSansDemarrage,
    AvanceSuperieureAuPlafond,
    AvanceTropTard,
    CompensationSuperieureAuPaiement,
    CompenserOrdre,
    CsfDunAutreType,
    EffectuerPaiement,
    OperationNonReglee,
    OrdonnancerPaiement,
    PaiementAbsent,
    PaiementEntierementCompense,
    PaiementHorsDeSonOrdre,
    PaiementNonAcquitte,
    PaiementNul,
    PaiementSansCsf,
    PaiementSuperieurAuReste,
    PreparerPaiement,
    RejetApresReversement,
    RejeterPaiement,
    RemplacementDifferent,
    RemplacementSansRejet,
    SoldeAvantCsf,
    acquitter,
    annuler,
    effectuer,
    exiger_acquittes,
    exiger_regle,
    imputer_compensation,
    ordonnancer,
    plafond_avance,
    preparer,
    rejeter,
)
from aggregates.convention.state import CONVENTION
from aggregates.operation.state import Statut

MOTIF = "Motif de l’essai"
INTERMEDIAIRE = [
    *NOTIFIEE,
    fait(BilanDepose, type="intermediaire"),
    *CSF[-1:],
    fait(CsfValide, type="intermediaire"),
]


def order(facts: Any = CERTIFIE, statut: Statut = "bilan_final_depose", **saisie: Any) -> Decision:
    given = {"csf_id": CSF_ID} | saisie
    op = operation(statut)
    return Given(CONVENTION, facts).when(
        preparer, commande(PreparerPaiement, **given), PAIEMENT_ID, op, "comptable-1"
    )


def advance(facts: Any = NOTIFIEE, statut: Statut = "en_execution", **saisie: Any) -> Decision:
    return order(facts, statut, **({"type": "avance", "csf_id": None} | saisie))


def test_the_solde_pays_what_is_due_less_what_was_paid() -> None:
    order([*NOTIFIEE, *avance_payee(15_000), *CERTIFIE[2:]], montant="25000.00").then(
        fait(
            PaiementPrepare,
            csf_id=CSF_ID,
            montant_centimes=euros(25_000),
            paye_avant_centimes=euros(15_000),
        )
    )


def test_paiement_above_certified_amount_is_refused() -> None:
    order(montant="40000.01").refuses(
        PaiementSuperieurAuReste, "40 000,01 € dépassent ce qui reste à payer (40 000,00 €)"
    )
    order(montant="40000.00").then_one(PaiementPrepare)


def test_payments_ordered_and_not_sent_count() -> None:
    ordered = [*CERTIFIE, fait(PaiementOrdonnance, paiement_id=AUTRE_ID)]
    order(ordered, montant="25000.01").refuses(PaiementSuperieurAuReste, "(25 000,00 €)")


def test_payment_of_nothing_is_refused() -> None:
    order(montant="0.00").refuses(PaiementNul, "porte un montant positif")
    advance(montant="0.00").refuses(PaiementNul, "porte un montant positif")


@pytest.mark.parametrize(
    "montant", ["-1.00", "1.000", "1,234.56", "NaN", "1e5", 15_000, "1\u0665.00"]
)
def test_a_malformed_amount_is_refused_at_the_door(montant: object) -> None:
    with pytest.raises(ValidationError):
        commande(PreparerPaiement, montant=montant)


@pytest.mark.parametrize(
    "facts", [NOTIFIEE, BILAN, CSF], ids=["no bilan", "no control", "under control"]
)
def test_solde_before_its_csf_is_refused(facts: Any) -> None:
    order(facts).refuses(PaiementSansCsf, "Solde impossible : aucun contrôle de service fait")


def test_payment_without_naming_its_csf_is_refused() -> None:
    order(csf_id=None).refuses(PaiementSansCsf, "Solde impossible")


def test_payment_on_a_reopened_csf_is_refused() -> None:
    order([*CERTIFIE, fait(CsfRouvert)]).refuses(PaiementSansCsf, "Solde impossible")


def test_an_acompte_follows_an_intermediate_csf_and_a_solde_the_final_one() -> None:
    order(type="acompte").refuses(
        CsfDunAutreType, "Un acompte suit le contrôle d’un bilan intermédiaire"
    )
    order(INTERMEDIAIRE).refuses(CsfDunAutreType, "Un solde suit le contrôle d’un bilan final")
    order(INTERMEDIAIRE, "en_execution", type="acompte").then_one(PaiementPrepare, type="acompte")


def test_a_cap_before_the_solde_holds_acomptes_back() -> None:
    capped = [signee(plafond_avant_solde_pct=Decimal(60)), *INTERMEDIAIRE[1:]]
    order(capped, "en_execution", type="acompte", montant="30000.01").refuses(
        PaiementSuperieurAuReste, "(30 000,00 €)"
    )
    order(capped, "en_execution", type="acompte", montant="30000.00").then_one(PaiementPrepare)


@pytest.mark.parametrize("statut", ["abandonne", "resilie", "solde", "cloture", "archive"])
def test_nothing_is_held_back_for_a_solde_that_is_past_or_will_not_come(statut: Statut) -> None:
    capped = [signee(plafond_avant_solde_pct=Decimal(60)), *INTERMEDIAIRE[1:]]
    order(capped, statut, type="acompte", montant="40000.00").then_one(PaiementPrepare)
    order(capped, statut, type="acompte", montant="40000.01").refuses(
        PaiementSuperieurAuReste, "(40 000,00 €)"
    )


def test_an_avance_is_imputed_at_once_unless_the_convention_waits_for_the_solde() -> None:
    def paid(imputation: str, facts: Any) -> Any:
        return [signee(imputation_avance=imputation), *NOTIFIEE[1:], *avance_payee(), *facts]

    bilan = INTERMEDIAIRE[2:]
    order(paid("immediate", bilan), "en_execution", type="acompte", montant="25000.01").refuses(
        PaiementSuperieurAuReste, "(25 000,00 €)"
    )
    waiting = paid("sur_solde", bilan)
    # 40 000,00 € are due and the maximum leaves 35 000,00 beside the avance.
    order(waiting, "en_execution", type="acompte", montant="35000.01").refuses(
        PaiementSuperieurAuReste, "(35 000,00 €)"
    )
    order(waiting, "en_execution", type="acompte", montant="35000.00").then_one(PaiementPrepare)
    order(paid("sur_solde", CERTIFIE[2:]), montant="25000.01").refuses(
        PaiementSuperieurAuReste, "(25 000,00 €)"
    )


def test_an_avance_that_is_only_ordered_waits_for_the_solde_too() -> None:
    ordered = [
        signee(imputation_avance="sur_solde"),
        NOTIFIEE[1],
        *avance_payee()[:1],
        *INTERMEDIAIRE[2:],
    ]
    order(ordered, "en_execution", type="acompte", montant="35000.00").then_one(PaiementPrepare)


def test_avance_needs_an_operation_that_started() -> None:
    advance(statut="conventionne").refuses(AvanceSansDemarrage, "n’a pas commencé")
    advance(statut="abandonne").refuses(AvanceSansDemarrage, "attestation de démarrage")
    advance().then_one(PaiementPrepare, type="avance", csf_id=None)


def test_avance_above_its_cap_is_refused_to_the_cent() -> None:
    advance(montant="15000.01").refuses(
        AvanceSuperieureAuPlafond, "(15 000,01 €) dépasse le plafond de la convention (15 000,00 €)"
    )
    capped = [signee(avance_plafond_centimes=euros(10_000)), *NOTIFIEE[1:]]
    advance(capped, montant="10000.01").refuses(AvanceSuperieureAuPlafond, "(10 000,00 €)")
    advance(capped, montant="10000.00").then_one(PaiementPrepare)


def test_avance_that_the_convention_does_not_foresee_is_refused() -> None:
    none = [signee(avance_pct=Decimal(0)), *NOTIFIEE[1:]]
    advance(none).refuses(AvanceNonPrevue, "« association »")


def test_avance_is_paid_once_unless_it_never_left() -> None:
    paid = [*NOTIFIEE, *avance_payee()]
    advance(paid).refuses(AvanceDejaVersee, "déjà préparée, ordonnancée ou versée")
    advance([*paid, fait(PaiementAcquitte)]).refuses(AvanceDejaVersee, "déjà préparée")
    advance([*paid, fait(PaiementRejete)]).then_one(PaiementPrepare)
    advance([*paid[:-1], fait(PaiementAnnule)]).then_one(PaiementPrepare)


def test_avance_after_an_acompte_would_pay_the_same_euro_twice() -> None:
    paid = [*INTERMEDIAIRE, *paiement("acompte", 40_000)]
    advance(paid, montant="0.01").refuses(AvanceTropTard, "précède tout autre paiement")


def test_avance_after_the_final_bilan_is_refused() -> None:
    advance(BILAN, "bilan_final_depose").refuses(AvanceTropTard, "le bilan final")


def test_avance_after_the_solde_of_an_interrupted_operation_is_refused() -> None:
    advance(statut="solde").refuses(AvanceTropTard, "précède tout autre paiement")


ORDONNE = [*CERTIFIE, fait(PaiementOrdonnance)]
PAYE = [*ORDONNE, fait(PaiementEffectue)]
REJETE = [*PAYE, fait(PaiementRejete)]
#: 6 000,00 € of the 15 000,00 ordered are paid by a compensation.
COMPENSE = [*ORDONNE, fait(CompensationImputee, montant_centimes=euros(6_000))]
ENTIER = [*ORDONNE, fait(CompensationImputee, montant_centimes=euros(15_000))]


def send(facts: Any, paiement_id: UUID = PAIEMENT_ID) -> Decision:
    asked = commande(EffectuerPaiement)
    return Given(CONVENTION, facts).when(effectuer, asked, paiement_id, "comptable-1")


def cancel(facts: Any, paiement_id: UUID = PAIEMENT_ID) -> Decision:
    return Given(CONVENTION, facts).when(annuler, commande(AnnulerPaiement), paiement_id)


def confirm(facts: Any, paiement_id: UUID = PAIEMENT_ID) -> Decision:
    return Given(CONVENTION, facts).when(acquitter, commande(AcquitterPaiement), paiement_id)


def reject(facts: Any, paiement_id: UUID = PAIEMENT_ID) -> Decision:
    return Given(CONVENTION, facts).when(rejeter, commande(RejeterPaiement), paiement_id)


PREPARE = [*CERTIFIE, fait(PaiementPrepare, csf_id=CSF_ID)]


def sign(
    facts: Any, statut: Statut = "bilan_final_depose", ordonnateur: str = "ordonnateur-1"
) -> Decision:
    asked = commande(OrdonnancerPaiement)
    return Given(CONVENTION, facts).when(
        ordonnancer, asked, PAIEMENT_ID, operation(statut), ordonnateur
    )


def test_a_payment_is_ordered_as_it_was_prepared() -> None:
    sign(PREPARE).then(fait(PaiementOrdonnance, csf_id=CSF_ID, ordonnateur="ordonnateur-1"))
    after = sign(PREPARE).state()
    assert (after.paye, after.engage) == (0, euros(15_000))
    assert after.paiements[PAIEMENT_ID].statut == "ordonnance"


def test_payments_prepared_and_not_ordered_count() -> None:
    order(PREPARE, montant="25000.01").refuses(PaiementSuperieurAuReste, "(25 000,00 €)")
    order(PREPARE, montant="25000.00").then_one(PaiementPrepare)
    prepared = [*NOTIFIEE, fait(PaiementPrepare, type="avance")]
    advance(prepared).refuses(AvanceDejaVersee, "déjà préparée")
    exact = [*REJETE, fait(PaiementPrepare, paiement_id=AUTRE_ID, remplace=PAIEMENT_ID)]
    again(exact).refuses(RemplacementSansRejet, "« rejeté et déjà remplacé »")


def test_what_is_prepared_is_ordered_only_if_it_is_still_due() -> None:
    du = fait(CsfValide, fse_du_cumule_centimes=euros("14 999,99"))
    sign([*PREPARE, du]).refuses(PaiementSuperieurAuReste, "reste à payer (14 999,99 €)")
    sign([*PREPARE, fait(CsfRouvert)]).refuses(PaiementSansCsf, "Solde impossible")
    other = fait(PaiementOrdonnance, paiement_id=AUTRE_ID, montant_centimes=euros("25 000,01"))
    sign([*PREPARE, other]).refuses(PaiementSuperieurAuReste, "reste à payer (14 999,99 €)")


def test_an_avance_is_ordered_under_the_conditions_of_its_preparation() -> None:
    prepared = [*NOTIFIEE, fait(PaiementPrepare, type="avance", csf_id=None)]
    sign(prepared, "en_execution").then_one(PaiementOrdonnance, type="avance", csf_id=None)
    sign(prepared, "abandonne").refuses(AvanceSansDemarrage, "n’a pas commencé")
    sign([*prepared, *BILAN[2:]]).refuses(AvanceTropTard, "le bilan final")


def test_what_replaces_a_rejected_payment_is_ordered_once() -> None:
    other = fait(PaiementOrdonnance, paiement_id=AUTRE_ID, csf_id=CSF_ID)
    rejected = [*CERTIFIE, other, fait(PaiementRejete, paiement_id=AUTRE_ID)]
    prepared = [*rejected, fait(PaiementPrepare, csf_id=CSF_ID, remplace=AUTRE_ID)]
    sign(prepared).then_one(PaiementOrdonnance, remplace=AUTRE_ID)


def test_a_prepared_payment_is_given_up() -> None:
    cancel(PREPARE).then(fait(PaiementAnnule, motif=MOTIF))
    after = cancel(PREPARE).state()
    assert (after.paye, after.engage) == (0, 0)
    sign([*PREPARE, fait(PaiementAnnule)]).refuses(PaiementHorsDeSonOrdre, "« annulé »")


def test_nothing_leaves_before_it_is_ordered() -> None:
    send(PREPARE).refuses(PaiementHorsDeSonOrdre, "Ce paiement est « préparé »")
    impute("1.00", PREPARE).refuses(PaiementHorsDeSonOrdre, "Ce paiement est « préparé »")
    sign(ORDONNE).refuses(PaiementHorsDeSonOrdre, "Ce paiement est « ordonnancé »")
    sign(CERTIFIE).refuses(PaiementAbsent, str(PAIEMENT_ID))
    with pytest.raises(PaiementNonAcquitte, match="« préparé »"):
        exiger_acquittes(convention(PREPARE))


def test_a_payment_is_ordered_then_sent_then_confirmed() -> None:
    send(ORDONNE).then(fait(PaiementEffectue, executant="comptable-1"))
    confirm(PAYE).then(fait(PaiementAcquitte))
    after = confirm(PAYE).state()
    assert (after.paye, after.engage) == (euros(15_000), euros(15_000))


def test_a_payment_sent_may_come_back_from_the_bank() -> None:
    reject(PAYE).then(fait(PaiementRejete, motif=MOTIF))
    after = reject(PAYE).state()
    assert (after.paye, after.engage) == (0, 0)


def test_an_order_is_taken_back_before_it_is_sent() -> None:
    cancel(ORDONNE).then(fait(PaiementAnnule, motif=MOTIF))
    after = cancel(ORDONNE).state()
    assert (after.paye, after.engage) == (0, 0)


def test_each_act_comes_at_its_time() -> None:
    send(PAYE).refuses(PaiementHorsDeSonOrdre, "Ce paiement est « effectué »")
    cancel(PAYE).refuses(PaiementHorsDeSonOrdre, "« effectué »")
    reject(ORDONNE).refuses(PaiementHorsDeSonOrdre, "Ce paiement est « ordonnancé »")
    confirm(ORDONNE).refuses(PaiementHorsDeSonOrdre, "« ordonnancé »")
    confirm(REJETE).refuses(PaiementHorsDeSonOrdre, "« rejeté »")
    send([*ORDONNE, fait(PaiementAnnule)]).refuses(PaiementHorsDeSonOrdre, "« annulé »")


def test_what_the_bank_confirmed_does_not_come_back() -> None:
    reject([*PAYE, fait(PaiementAcquitte)]).refuses(PaiementHorsDeSonOrdre, "« acquitté »")


@pytest.mark.parametrize("act", [send, cancel, confirm, reject])
def test_a_payment_that_does_not_exist_is_named(act: Any) -> None:
    act(CERTIFIE).refuses(PaiementAbsent, str(PAIEMENT_ID))


# Paid again.


def again(facts: Any, **saisie: Any) -> Decision:
    return order(facts, **({"remplace": PAIEMENT_ID} | saisie))


def test_a_rejected_payment_is_paid_again() -> None:
    again(REJETE).then(fait(PaiementPrepare, csf_id=CSF_ID, remplace=PAIEMENT_ID))


@pytest.mark.parametrize(
    ("facts", "words"),
    [(ORDONNE, "« ordonnancé »"), (PAYE, "« effectué »"), ([*PAYE, fait(PaiementAcquitte)], "acq")],
)
def test_only_a_rejected_payment_is_paid_again(facts: Any, words: str) -> None:
    again(facts).refuses(RemplacementSansRejet, words)


def test_a_payment_is_paid_again_once_unless_that_one_did_not_stay() -> None:
    second = [*REJETE, fait(PaiementOrdonnance, paiement_id=AUTRE_ID, remplace=PAIEMENT_ID)]
    again(second).refuses(RemplacementSansRejet, "« rejeté et déjà remplacé »")
    again([*second, fait(PaiementAnnule, paiement_id=AUTRE_ID)]).then_one(PaiementPrepare)


def test_what_is_paid_again_is_what_came_back() -> None:
    again(REJETE, montant="14999.99").refuses(
        RemplacementDifferent, "(solde) et le montant que la banque a renvoyé (15 000,00 €)"
    )
    again(REJETE, type="acompte").refuses(RemplacementDifferent, "(solde)")
    again(REJETE, remplace=AUTRE_ID).refuses(PaiementAbsent, str(AUTRE_ID))


def test_what_is_paid_again_stays_within_what_is_due() -> None:
    # The solde was sent back; somebody paid the whole by another order since.
    paid = [*REJETE, *paiement("solde", 40_000, rang=12)]
    again(paid).refuses(PaiementSuperieurAuReste, "(0,00 €)")


def test_an_avance_partly_compensated_is_paid_again_for_the_rest() -> None:
    ordered = [*NOTIFIEE, fait(PaiementOrdonnance, type="avance")]
    part = fait(CompensationImputee, montant_centimes=euros(6_000))
    back = [*ordered, part, fait(PaiementEffectue, type="avance"), fait(PaiementRejete)]
    again(back, statut="en_execution", type="avance", csf_id=None, montant="9000.00").then_one(
        PaiementPrepare, montant_centimes=euros(9_000)
    )
    # Another one would pass the ceiling of 15 000,00 €, or be a second avance.
    advance(back, montant="9000.00").refuses(AvanceTropTard, "précède tout autre paiement")


# Compensated.


def impute(montant: str, facts: Any = ORDONNE) -> Decision:
    asked = CompenserOrdre(
        date_effet="2021-12-15",
        montant=montant,
        par_operation_id=AUTRE_ID,
        par_paiement_id=PAIEMENT_ID,
    )
    return Given(CONVENTION, facts).when(
        imputer_compensation, asked, operation(), AUTRE_ID, ORDRE_ID, "comptable-1"
    )


def test_a_compensation_pays_what_is_ordered_and_no_more() -> None:
    impute("15000.00").then(
        fait(
            CompensationImputee,
            paiement_id=PAIEMENT_ID,
            montant_centimes=euros(15_000),
            pour_operation_id=AUTRE_ID,
            pour_ordre_id=ORDRE_ID,
            pour_numero=operation().numero_mdfse,
        )
    )
    impute("15000.01").refuses(CompensationSuperieureAuPaiement, "à virer, 15 000,00 €")
    impute("9000.01", COMPENSE).refuses(CompensationSuperieureAuPaiement, "9 000,00 €")


def test_a_compensation_needs_a_payment_that_did_not_leave() -> None:
    impute("1.00", PAYE).refuses(PaiementHorsDeSonOrdre, "« effectué »")
    impute("1.00", CERTIFIE).refuses(PaiementAbsent, str(PAIEMENT_ID))


def test_what_is_compensated_is_paid_and_only_the_rest_is_transferred() -> None:
    given = convention(COMPENSE)
    assert (given.paye, given.engage) == (euros(6_000), euros(15_000))
    sent = send(COMPENSE).then_one(
        PaiementEffectue, montant_centimes=euros(15_000), compense_centimes=euros(6_000)
    )
    assert convention([*COMPENSE, sent]).paye == euros(15_000)


def test_a_bank_only_sends_back_what_was_transferred() -> None:
    sent = [*COMPENSE, fait(PaiementEffectue, compense_centimes=euros(6_000))]
    reject(sent).then_one(PaiementRejete, montant_centimes=euros(9_000))
    assert reject(sent).state().paye == euros(6_000)


def test_an_order_taken_back_leaves_what_was_compensated() -> None:
    cancel(COMPENSE).then_one(PaiementAnnule, montant_centimes=euros(9_000))
    after = cancel(COMPENSE).state()
    assert (after.paye, after.engage) == (euros(6_000), euros(6_000))


def test_a_payment_wholly_compensated_has_no_transfer() -> None:
    send(ENTIER).refuses(PaiementEntierementCompense, "ni virement à faire")
    cancel(ENTIER).refuses(PaiementEntierementCompense, "ni ordre à annuler")
    assert convention(ENTIER).paye == convention(ENTIER).engage == euros(15_000)


@pytest.mark.parametrize("iban", ["FR7630006000011234567890189", "FR76 •••• 189", ""])
def test_an_iban_is_masked(iban: str) -> None:
    with pytest.raises(ValidationError):
        commande(EffectuerPaiement, iban_masque=iban)


# 15 000,00 € of avance paid, 10 000,00 due: 5 000,00 to give back.
TROP_PERCU = [
    *NOTIFIEE,
    *avance_payee(15_000),
    *CSF[2:],
    fait(CsfValide, fse_du_cumule_centimes=euros(10_000)),
]
RECLAME = [*TROP_PERCU, fait(OrdreReversementEmis, montant_centimes=euros(5_000))]
PERDU = [*RECLAME, fait(CreanceIrrecouvrable, montant_centimes=euros(5_000))]


def test_a_payment_whose_money_was_claimed_back_is_not_rejected() -> None:
    # Both at once would leave less than nothing paid.
    reject(RECLAME).refuses(
        RejetApresReversement, "le payé à 0,00 €, sous les 5 000,00 € qui restent réclamés"
    )
    back = [*RECLAME, fait(ReversementEncaisse, montant_centimes=euros(5_000))]
    reject(back).refuses(RejetApresReversement, "le payé à −5 000,00 €")
    reject(PERDU).refuses(RejetApresReversement, "5 000,00 € qui restent réclamés ou sont perdus")


def settle(facts: Any, statut: Statut = "bilan_final_depose") -> None:
    exiger_regle(convention(facts), operation(statut))


def test_a_settled_operation_has_nothing_due_either_way() -> None:
    settle([*CERTIFIE, *paiement("solde", 40_000)])
    settle([*RECLAME, fait(ReversementEncaisse, montant_centimes=euros(5_000))])
    settle(NOTIFIEE, "abandonne")
    settle([*INTERMEDIAIRE, *paiement("acompte", 40_000)], "resilie")


def test_what_is_lost_is_neither_due_nor_waited_for() -> None:
    settle(PERDU)
    part = [
        *RECLAME,
        fait(ReversementEncaisse, montant_centimes=euros(2_000)),
        fait(CreanceIrrecouvrable, montant_centimes=euros("2 999,99")),
    ]
    with pytest.raises(OperationNonReglee) as refused:
        settle(part)
    assert "13 000,00 € payés net, dont 2 999,99 € irrécouvrables, 0,01 € en attente" in lisible(
        refused.value
    )
    settle([*part, fait(CreanceIrrecouvrable, montant_centimes=1)])


def test_a_dossier_closed_without_its_bilan_settles_what_is_due_then() -> None:
    kept = [*INTERMEDIAIRE, *paiement("acompte", 40_000)]
    closed = fait(ClotureOfficePrononcee, fse_du_apres_centimes=0)
    with pytest.raises(OperationNonReglee):
        settle([*kept, closed], "resilie")
    asked = fait(OrdreReversementEmis, montant_centimes=euros(40_000))
    back = fait(ReversementEncaisse, montant_centimes=euros(40_000))
    settle([*kept, closed, asked, back], "resilie")


def test_what_follows_a_solde_needs_no_final_bilan_when_there_was_none() -> None:
    settle([*INTERMEDIAIRE, *paiement("acompte", 40_000)], "solde")


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (
            [*CERTIFIE, *paiement("solde", "39 999,99")],
            "40 000,00 € dus, 39 999,99 € payés net, dont 0,00 €",
        ),
        ([*CERTIFIE, *paiement("solde", 40_000)[:1]], "40 000,00 € en attente"),
        (RECLAME, "15 000,00 € payés net, dont 0,00 € irrécouvrables, 5 000,00 € en attente"),
    ],
    ids=["a cent short", "ordered only", "claimed only"],
)
def test_settling_while_money_is_due_or_waiting_is_refused(facts: Any, words: str) -> None:
    with pytest.raises(OperationNonReglee) as refused:
        settle(facts)
    assert words in lisible(refused.value)


@pytest.mark.parametrize(
    ("facts", "statut"),
    [
        (NOTIFIEE, "realisation_terminee"),
        (CSF, "bilan_final_depose"),
        ([*CERTIFIE, *paiement("solde", 40_000), fait(CsfRouvert)], "bilan_final_depose"),
        ([*NOTIFIEE, fait(BilanDepose, type="intermediaire")], "abandonne"),
    ],
    ids=["no bilan", "under control", "reopened", "abandoned with a bilan waiting"],
)
def test_solde_of_an_operation_before_its_csf_is_refused(facts: Any, statut: Statut) -> None:
    with pytest.raises(SoldeAvantCsf):
        settle(facts, statut)


def test_settling_waits_for_the_avenant_on_its_way() -> None:
    pending = [*NOTIFIEE, fait(AvenantDemande), fait(AvenantProgramme)]
    with pytest.raises(AvenantDejaEnCours):
        settle(pending, "abandonne")


def test_an_operation_closes_when_the_bank_confirmed_every_transfer() -> None:
    sent = [*CERTIFIE, *paiement("solde", 40_000)]
    with pytest.raises(PaiementNonAcquitte) as refused:
        exiger_acquittes(convention(sent))
    assert f"Le paiement {PAIEMENT_ID} (solde, 40 000,00 €) est « effectué »" in lisible(
        refused.value
    )
    with pytest.raises(PaiementNonAcquitte):
        exiger_acquittes(convention(sent[:-1]))
    exiger_acquittes(convention([*sent, fait(PaiementAcquitte)]))
    exiger_acquittes(convention(REJETE))
    exiger_acquittes(convention([*ORDONNE, fait(PaiementAnnule)]))
    exiger_acquittes(convention(ENTIER))
    with pytest.raises(PaiementNonAcquitte):
        exiger_acquittes(convention(COMPENSE))


def test_the_ceiling_of_an_avance_is_truncated_where_the_grant_says_so() -> None:
    # 30 % of 50,05 € is 15,015 €.
    def signed(fse: str, arrondi: str) -> Any:
        return convention([signee(plan(fse, personnel="100,10"), arrondi=arrondi), NOTIFIEE[1]])

    assert plafond_avance(signed("50,05", "demi_superieur")) == euros("15,02")
    assert plafond_avance(signed("50,05", "troncature")) == euros("15,01")
