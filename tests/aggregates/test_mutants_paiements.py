"""Money in and out, where a change of one operator once went unseen."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from dsl import Decision, Given
from fabrique import (
    BILAN_ID,
    CERTIFIE,
    CSF,
    CSF_ID,
    NOTIFIEE,
    ORDRE_ID,
    PAIEMENT_ID,
    avance_payee,
    commande,
    euros,
    fait,
    operation,
    plan,
    signee,
)

from aggregates.convention.events import (
    AvenantSigne,
    BilanDepose,
    CompensationImputee,
    CreanceIrrecouvrable,
    CreanceRetablie,
    CsfValide,
    DelaiPaiementInterrompu,
    OrdreReversementEmis,
    PaiementEffectue,
    PaiementOrdonnance,
    PaiementPrepare,
    PaiementRejete,
    ReversementEncaisse,
    Termes,
)
from aggregates.convention.horloge import (
    DelaiArrete,
    DelaiHorsDeSonOrdre,
    InterrompreDelai,
    ReprendreDelai,
    interrompre,
    reprendre,
)
from aggregates.convention.paiements import (
    AvanceSuperieureAuPlafond,
    CsfDunAutreType,
    PaiementSuperieurAuReste,
    PreparerPaiement,
    preparer,
)
from aggregates.convention.reversements import (
    AnnulerOrdre,
    OrdreEntame,
    RetablirCreance,
    annuler,
    retablir,
)
from aggregates.convention.state import CONVENTION

NOUVEAU = UUID(int=77)


def order(facts: Any, **saisie: Any) -> Decision:
    asked = commande(PreparerPaiement, **({"csf_id": CSF_ID} | saisie))
    return Given(CONVENTION, facts).when(preparer, asked, NOUVEAU, operation(), "comptable-1")


def acompte(facts: Any, montant: str) -> Decision:
    return order(facts, type="acompte", montant=montant)


def intermediate(du: int, avant: Any = (), **choix: Any) -> list[Any]:
    """Return an intermediate bilan that was controlled; ``avant``: what was paid before."""
    fse_max = choix.pop("fse_max", 50_000)
    return [
        signee(plan(fse_max, personnel=100_000), **choix),
        NOTIFIEE[1],
        *avant,
        fait(BilanDepose, type="intermediaire"),
        CSF[-1],
        fait(CsfValide, type="intermediaire", fse_du_cumule_centimes=euros(du)),
    ]


# --- Orders --------------------------------------------------------------------------------------


def test_an_avance_that_the_bank_sent_back_counts_for_nothing_before_the_solde() -> None:
    back = [*avance_payee(15_000), fait(PaiementRejete, type="avance")]
    waiting = intermediate(40_000, back, imputation_avance="sur_solde")
    acompte(waiting, "40000.00").then_one(PaiementPrepare)
    acompte(waiting, "40000.01").refuses(PaiementSuperieurAuReste, "(40 000,00 €)")


@pytest.mark.parametrize(
    ("arrondi", "plafond", "de_trop"),
    [("demi_superieur", "30000.01", "30000.02"), ("troncature", "30000.00", "30000.01")],
)
def test_the_ceiling_before_the_solde_is_rounded_as_the_grant_says(
    arrondi: str, plafond: str, de_trop: str
) -> None:
    """60 % of 50 000,01 € is 30 000,006 €."""
    capped = intermediate(
        40_000, fse_max="50 000,01", plafond_avant_solde_pct=Decimal(60), arrondi=arrondi
    )
    acompte(capped, plafond).then_one(PaiementPrepare)
    acompte(capped, de_trop).refuses(PaiementSuperieurAuReste, "dépassent ce qui reste à payer")


def test_the_kind_of_bilan_that_the_control_was_about_is_said() -> None:
    acompte(CERTIFIE, "1.00").refuses(CsfDunAutreType, "celui-ci contrôle un bilan final.")
    order(intermediate(40_000)).refuses(
        CsfDunAutreType, "celui-ci contrôle un bilan intermédiaire."
    )


def test_an_avance_paid_again_stays_within_a_ceiling_that_an_avenant_lowered() -> None:
    """15 000 € ordered, 6 000 of them compensated; the ceiling fell to 12 000 € since."""
    lowered = plan(40_000, personnel=100_000)
    facts = [
        *NOTIFIEE,
        fait(PaiementOrdonnance, type="avance"),
        fait(CompensationImputee, montant_centimes=euros(6_000)),
        fait(PaiementEffectue, type="avance", compense_centimes=euros(6_000)),
        fait(PaiementRejete, type="avance", montant_centimes=euros(9_000)),
    ]
    asked = {"type": "avance", "csf_id": None, "remplace": PAIEMENT_ID, "montant": "9000.00"}
    order(facts, **asked).then_one(PaiementPrepare, montant_centimes=euros(9_000))
    order([*facts, fait(AvenantSigne, apres=Termes(plan=lowered))], **asked).refuses(
        AvanceSuperieureAuPlafond,
        "L’avance demandée (15 000,00 €) dépasse le plafond de la convention (12 000,00 €)",
    )


# --- The clock -----------------------------------------------------------------------------------


def stop(facts: Any) -> Decision:
    asked = commande(
        InterrompreDelai,
        date_effet="2022-01-10",
        cause="piece_manquante",
        notification_ref="COURRIER-1",
    )
    return Given(CONVENTION, facts).when(interrompre, asked, BILAN_ID)


def test_the_clock_of_an_acompte_runs_while_the_avance_waits_for_the_solde() -> None:
    waiting = intermediate(12_000, avance_payee(15_000), imputation_avance="sur_solde")
    stop(waiting).then_one(DelaiPaiementInterrompu)


def test_the_clock_of_a_solde_stops_when_the_avance_covers_what_is_due() -> None:
    covered = [
        signee(imputation_avance="sur_solde"),
        NOTIFIEE[1],
        *avance_payee(15_000),
        *CERTIFIE[2:-1],
        fait(CsfValide, fse_du_cumule_centimes=euros(15_000)),
    ]
    stop(covered).refuses(DelaiArrete, "Le bilan n° 1 est contrôlé et il ne reste rien à payer")


def test_the_bilan_whose_clock_changed_since_is_named() -> None:
    stopped = [*CSF, fait(DelaiPaiementInterrompu)]
    asked = commande(ReprendreDelai, date_effet="2021-12-14")
    Given(CONVENTION, stopped).when(reprendre, asked, BILAN_ID).refuses(
        DelaiHorsDeSonOrdre, "du bilan n° 1 a changé le 15/12/2021"
    )


# --- Money asked back ----------------------------------------------------------------------------

RECLAME = [
    *NOTIFIEE,
    *avance_payee(15_000),
    *CSF[2:],
    fait(CsfValide, fse_du_cumule_centimes=euros(10_000)),
    fait(OrdreReversementEmis, montant_centimes=euros(5_000)),
]


def test_what_came_in_and_what_was_lost_add_up() -> None:
    both = [
        fait(ReversementEncaisse, montant_centimes=euros(1_000)),
        fait(CreanceIrrecouvrable, montant_centimes=euros(1_000)),
    ]
    Given(CONVENTION, [*RECLAME, *both]).when(annuler, commande(AnnulerOrdre), ORDRE_ID).refuses(
        OrdreEntame, "2 000,00 € sont déjà rentrés ou perdus"
    )


def test_all_that_was_lost_may_be_asked_again() -> None:
    lost = [*RECLAME, fait(CreanceIrrecouvrable, montant_centimes=euros(5_000))]
    asked = commande(RetablirCreance, montant="5000.00")
    whole = Given(CONVENTION, lost).when(retablir, asked, ORDRE_ID)
    whole.then_one(CreanceRetablie, montant_centimes=euros(5_000))
    assert (whole.state().perdu, whole.state().a_encaisser) == (0, euros(5_000))
