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
)
from pydantic import ValidationError

from aggregates.convention.avenants import AvenantDejaEnCours
from aggregates.convention.events import (
    AvenantDemande,
    AvenantProgramme,
    BilanDepose,
    ConventionSignee,
    CsfRouvert,
    CsfValide,
    OrdreReversementEmis,
    PaiementEffectue,
    PaiementOrdonnance,
    PaiementRejete,
    ReversementEncaisse,
)
from aggregates.convention.paiements import (
    AvanceDejaVersee,
    AvanceNonPrevue,
    AvanceSansDemarrage,
    AvanceSuperieureAuPlafond,
    AvanceTropTard,
    CsfDunAutreType,
    EffectuerPaiement,
    EmettreOrdreReversement,
    EncaissementSuperieur,
    EncaisserReversement,
    IndusSuperieur,
    OperationNonReglee,
    OrdonnancerPaiement,
    OrdreAbsent,
    PaiementAbsent,
    PaiementHorsDeSonOrdre,
    PaiementNul,
    PaiementSansCsf,
    PaiementSuperieurAuReste,
    RejetApresReversement,
    RejeterPaiement,
    SoldeAvantCsf,
    effectuer,
    emettre_ordre,
    encaisser,
    exiger_regle,
    ordonnancer,
    plafond_avance,
    plafond_avant_solde,
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
        ordonnancer, commande(OrdonnancerPaiement, **given), PAIEMENT_ID, op
    )


def advance(facts: Any = NOTIFIEE, statut: Statut = "en_execution", **saisie: Any) -> Decision:
    return order(facts, statut, **({"type": "avance", "csf_id": None} | saisie))


def test_the_solde_pays_what_is_due_less_what_was_paid() -> None:
    order([*NOTIFIEE, *avance_payee(15_000), *CERTIFIE[2:]], montant="25000.00").then(
        fait(
            PaiementOrdonnance,
            csf_id=CSF_ID,
            montant_centimes=euros(25_000),
            paye_avant_centimes=euros(15_000),
        )
    )


def test_paiement_above_certified_amount_is_refused() -> None:
    order(montant="40000.01").refuses(
        PaiementSuperieurAuReste, "40 000,01 € dépassent ce qui reste à payer (40 000,00 €)"
    )
    order(montant="40000.00").then_one(PaiementOrdonnance)


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
        commande(OrdonnancerPaiement, montant=montant)


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
    order(INTERMEDIAIRE, "en_execution", type="acompte").then_one(
        PaiementOrdonnance, type="acompte"
    )


def test_a_cap_before_the_solde_holds_acomptes_back() -> None:
    capped = [fait(ConventionSignee, plafond_avant_solde_pct=Decimal(60)), *INTERMEDIAIRE[1:]]
    order(capped, "en_execution", type="acompte", montant="30000.01").refuses(
        PaiementSuperieurAuReste, "(30 000,00 €)"
    )
    order(capped, "en_execution", type="acompte", montant="30000.00").then_one(PaiementOrdonnance)


def test_avance_needs_an_operation_that_started() -> None:
    advance(statut="conventionne").refuses(AvanceSansDemarrage, "n’a pas commencé")
    advance(statut="abandonne").refuses(AvanceSansDemarrage, "attestation de démarrage")
    advance().then_one(PaiementOrdonnance, type="avance", csf_id=None)


def test_avance_above_its_cap_is_refused_to_the_cent() -> None:
    advance(montant="15000.01").refuses(
        AvanceSuperieureAuPlafond, "(15 000,01 €) dépasse le plafond de la convention (15 000,00 €)"
    )
    capped = [fait(ConventionSignee, avance_plafond_centimes=euros(10_000)), *NOTIFIEE[1:]]
    advance(capped, montant="10000.01").refuses(AvanceSuperieureAuPlafond, "(10 000,00 €)")
    advance(capped, montant="10000.00").then_one(PaiementOrdonnance)


def test_avance_that_the_convention_does_not_foresee_is_refused() -> None:
    none = [
        fait(ConventionSignee, avance_pct=Decimal(0), type_beneficiaire="collectivite"),
        *NOTIFIEE[1:],
    ]
    advance(none).refuses(AvanceNonPrevue, "« collectivite »")


def test_avance_is_paid_once_unless_the_bank_rejected_it() -> None:
    paid = [*NOTIFIEE, *avance_payee()]
    advance(paid).refuses(AvanceDejaVersee, "déjà ordonnancée ou versée")
    advance([*paid, fait(PaiementRejete, paiement_id=PAIEMENT_ID)]).then_one(PaiementOrdonnance)


def test_avance_after_an_acompte_would_pay_the_same_euro_twice() -> None:
    paid = [*INTERMEDIAIRE, *paiement("acompte", 40_000)]
    advance(paid, montant="0.01").refuses(AvanceTropTard, "précède tout autre paiement")


def test_avance_after_the_final_bilan_is_refused() -> None:
    advance(BILAN, "bilan_final_depose").refuses(AvanceTropTard, "le bilan final")


ORDONNE = [*CERTIFIE, fait(PaiementOrdonnance)]
PAYE = [*ORDONNE, fait(PaiementEffectue)]


def send(facts: Any, paiement_id: UUID = PAIEMENT_ID) -> Decision:
    return Given(CONVENTION, facts).when(effectuer, commande(EffectuerPaiement), paiement_id)


def reject(facts: Any, paiement_id: UUID = PAIEMENT_ID) -> Decision:
    return Given(CONVENTION, facts).when(rejeter, commande(RejeterPaiement), paiement_id)


def test_a_payment_is_ordered_then_sent_then_maybe_rejected() -> None:
    send(ORDONNE).then(fait(PaiementEffectue))
    reject(PAYE).then(fait(PaiementRejete, motif=MOTIF))
    after = reject(PAYE).state()
    assert (after.paye, after.engage) == (0, 0)


def test_a_payment_is_sent_once() -> None:
    send(PAYE).refuses(PaiementHorsDeSonOrdre, "Ce paiement est « effectué »")
    reject(ORDONNE).refuses(PaiementHorsDeSonOrdre, "Ce paiement est « ordonnancé »")


def test_a_payment_that_does_not_exist_is_named() -> None:
    send(CERTIFIE).refuses(PaiementAbsent, str(PAIEMENT_ID))
    reject(CERTIFIE).refuses(PaiementAbsent, str(PAIEMENT_ID))


@pytest.mark.parametrize("iban", ["FR7630006000011234567890189", "FR76 •••• 189", ""])
def test_an_iban_is_masked(iban: str) -> None:
    with pytest.raises(ValidationError):
        commande(EffectuerPaiement, iban_masque=iban)


# 15 000,00 € of avance paid, 40 000,00 € less 30 000,00 due: 5 000,00 to give back.
TROP_PERCU = [
    *NOTIFIEE,
    *avance_payee(15_000),
    *CSF[2:],
    fait(CsfValide, fse_du_cumule_centimes=euros(10_000)),
]


def claim(
    facts: Any = TROP_PERCU, statut: Statut = "bilan_final_depose", montant: str = "5000.00"
) -> Decision:
    return Given(CONVENTION, facts).when(
        emettre_ordre,
        commande(EmettreOrdreReversement, montant=montant),
        ORDRE_ID,
        operation(statut),
    )


def test_what_is_not_due_is_asked_back_and_no_more() -> None:
    claim().then(fait(OrdreReversementEmis, montant_centimes=euros(5_000), motif=MOTIF))
    claim(montant="5000.01").refuses(IndusSuperieur, "dépasse l’indu, 5 000,00 €")


def test_what_is_already_claimed_is_not_claimed_twice() -> None:
    asked = [*TROP_PERCU, fait(OrdreReversementEmis, montant_centimes=euros(4_000))]
    claim(asked, montant="1000.01").refuses(
        IndusSuperieur, "dépasse l’indu, 1 000,00 € : 15 000,00 € payés pour 10 000,00 € dus"
    )


def test_nothing_is_claimed_before_the_final_control() -> None:
    claim([*NOTIFIEE, *avance_payee()], "en_execution").refuses(
        SoldeAvantCsf, "le contrôle de service fait du bilan final n’est pas validé"
    )
    claim([*NOTIFIEE, *avance_payee(), *CSF[2:]]).refuses(SoldeAvantCsf, "n’est pas validé")


@pytest.mark.parametrize("statut", ["abandonne", "resilie"])
def test_an_interrupted_operation_gives_its_avance_back(statut: Statut) -> None:
    claim([*NOTIFIEE, *avance_payee()], statut, "15000.00").then_one(OrdreReversementEmis)


def test_an_order_of_nothing_is_refused() -> None:
    claim(montant="0.00").refuses(PaiementNul, "porte un montant positif")


RECLAME = [*TROP_PERCU, fait(OrdreReversementEmis, montant_centimes=euros(5_000))]


def cash(montant: str, facts: Any = RECLAME, ordre_id: UUID = ORDRE_ID) -> Decision:
    return Given(CONVENTION, facts).when(
        encaisser, commande(EncaisserReversement, montant=montant), ordre_id
    )


def test_money_comes_back_in_several_times_and_never_more_than_asked() -> None:
    cash("2000.00").then(fait(ReversementEncaisse, montant_centimes=euros(2_000)))
    part = [*RECLAME, fait(ReversementEncaisse, montant_centimes=euros(2_000))]
    cash("3000.01", part).refuses(EncaissementSuperieur, "reste à encaisser sur cet ordre, 3 000")
    assert cash("3000.00", part).state().paye == euros(10_000)


def test_cashing_nothing_or_on_no_order_is_refused() -> None:
    cash("0.00").refuses(PaiementNul, "porte un montant positif")
    cash("1.00", ordre_id=AUTRE_ID).refuses(OrdreAbsent, str(AUTRE_ID))


def test_a_payment_whose_money_was_claimed_back_is_not_rejected() -> None:
    # Both at once would leave less than nothing paid.
    reject(RECLAME).refuses(
        RejetApresReversement, "le payé à 0,00 €, sous les 5 000,00 € qui restent réclamés"
    )
    back = [*RECLAME, fait(ReversementEncaisse, montant_centimes=euros(5_000))]
    reject(back).refuses(RejetApresReversement, "le payé à -5 000,00 €")


def settle(facts: Any, statut: Statut = "bilan_final_depose") -> None:
    exiger_regle(convention(facts), operation(statut))


def test_a_settled_operation_has_nothing_due_either_way() -> None:
    settle([*CERTIFIE, *paiement("solde", 40_000)])
    settle([*RECLAME, fait(ReversementEncaisse, montant_centimes=euros(5_000))])
    settle(NOTIFIEE, "abandonne")


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ([*CERTIFIE, *paiement("solde", "39 999,99")], "40 000,00 € dus, 39 999,99 € payés net"),
        ([*CERTIFIE, *paiement("solde", 40_000)[:1]], "40 000,00 € en attente"),
        (RECLAME, "15 000,00 € payés net, 5 000,00 € en attente"),
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


def test_ceilings_are_truncated_where_the_grant_says_so() -> None:
    # 30 % of 50,05 € is 15,015 €; 80 % of 50,03 € is 40,024 €, and of 50,07 € 40,056 €.
    def signed(fse: str, arrondi: str) -> Any:
        total = plan(fse, personnel="100,10")
        return convention(
            [
                fait(
                    ConventionSignee,
                    plan=total,
                    arrondi=arrondi,
                    plafond_avant_solde_pct=Decimal(80),
                ),
                *NOTIFIEE[1:],
            ]
        )

    assert plafond_avance(signed("50,05", "demi_superieur")) == euros("15,02")
    assert plafond_avance(signed("50,05", "troncature")) == euros("15,01")
    assert plafond_avant_solde(signed("50,07", "demi_superieur")) == euros("40,06")
    assert plafond_avant_solde(signed("50,07", "troncature")) == euros("40,05")
