"""Contreparties: granted, received, affected; the same euro never backs two operations."""

from typing import Any

import pytest
from dsl import Decision, Given
from fabrique import (
    AUTRE_ID,
    CADRE,
    OPERATION_ID,
    commande,
    euros,
    fait,
    operation,
)

from aggregates.contrepartie.affectation import (
    AffectationSuperieure,
    AffecterContrepartie,
    AnnulationSuperieure,
    AnnulerAffectation,
    AttribuerContrepartie,
    AutofinancementNonAttribuable,
    ContrepartieDejaAttribuee,
    ContrepartieDunAutrePlie,
    MontantNul,
    PercevoirContrepartie,
    affecter,
    annuler_affectation,
    attribuer,
    percevoir,
)
from aggregates.contrepartie.events import (
    AffectationAnnulee,
    ContrepartieAffectee,
    ContrepartieAttribuee,
    ContrepartiePercue,
)
from aggregates.contrepartie.state import CONTREPARTIE, ContrepartieAbsente
from aggregates.operation.transitions import ActeHorsDeSonOrdre

ATTRIBUEE = [fait(ContrepartieAttribuee, montant_centimes=euros(40_000))]
AFFECTEE = [*ATTRIBUEE, fait(ContrepartieAffectee, montant_centimes=euros(25_000))]


def grant(facts: Any = (), **saisie: Any) -> Decision:
    return Given(CONTREPARTIE, facts).when(
        attribuer, commande(AttribuerContrepartie, **saisie), CADRE
    )


def test_a_funder_grants_once() -> None:
    grant(plie_id="A").then(fait(ContrepartieAttribuee))
    grant(ATTRIBUEE).refuses(ContrepartieDejaAttribuee, "déjà enregistrée")


def test_own_money_is_not_granted() -> None:
    grant(type="autofinancement").refuses(AutofinancementNonAttribuable, "se calcule")


def test_nothing_is_neither_granted_nor_received_nor_affected_nor_freed() -> None:
    nothing = {"montant": "0.00"}
    grant(**nothing).refuses(MontantNul, "Le montant doit être positif")
    receive(**nothing).refuses(MontantNul, "positif")
    affect(**nothing).refuses(MontantNul, "positif")
    cancel(**nothing).refuses(MontantNul, "positif")


def receive(facts: Any = ATTRIBUEE, **saisie: Any) -> Decision:
    return Given(CONTREPARTIE, facts).when(percevoir, commande(PercevoirContrepartie, **saisie))


def test_a_funder_may_pay_more_than_it_granted() -> None:
    receive(montant="40000.01").then_one(ContrepartiePercue, montant_centimes=euros("40 000,01"))
    assert receive([*ATTRIBUEE, fait(ContrepartiePercue)]).state().percu == euros(30_000)


def affect(facts: Any = AFFECTEE, statut: Any = "conventionne", **saisie: Any) -> Decision:
    return Given(CONTREPARTIE, facts).when(
        affecter, commande(AffecterContrepartie, **saisie), operation(statut)
    )


def test_a_euro_backs_one_operation() -> None:
    affect(operation_id=AUTRE_ID, montant="15000.01").refuses(
        AffectationSuperieure, "il reste 15 000,00 € de la contrepartie de EPCI fictif"
    )
    affect(operation_id=AUTRE_ID, montant="15000.00").then_one(
        ContrepartieAffectee, operation_id=AUTRE_ID
    )


@pytest.mark.parametrize("statut", ["depose", "refuse", "deprogramme", "solde", "abandonne"])
def test_a_contrepartie_backs_an_operation_that_is_programmed(statut: str) -> None:
    affect(statut=statut).refuses(ActeHorsDeSonOrdre, "Affecter une contrepartie est impossible")


def cancel(facts: Any = AFFECTEE, **saisie: Any) -> Decision:
    return Given(CONTREPARTIE, facts).when(
        annuler_affectation, commande(AnnulerAffectation, **saisie)
    )


def test_at_most_what_backs_the_operation_is_freed() -> None:
    cancel(montant="25000.01").refuses(AnnulationSuperieure, "de 25 000,00 € au plus")
    cancel(operation_id=AUTRE_ID, montant="0.01").refuses(AnnulationSuperieure, "0,00 €")
    fact = cancel(montant="25000.00").then_one(AffectationAnnulee, operation_id=OPERATION_ID)
    affect([*AFFECTEE, fact], montant="40000.00").then_one(ContrepartieAffectee)


def test_a_contrepartie_that_does_not_exist_is_named() -> None:
    assert str(AUTRE_ID) in str(ContrepartieAbsente(id=AUTRE_ID))


def test_money_of_a_plie_does_not_back_an_operation_of_another() -> None:
    given_to_b = [fait(ContrepartieAttribuee, montant_centimes=euros(40_000), plie_id="B")]
    Given(CONTREPARTIE, given_to_b).when(
        affecter, commande(AffecterContrepartie), operation()
    ).refuses(ContrepartieDunAutrePlie, "attribuée au PLIE « B »")
    for_all = [fait(ContrepartieAttribuee, montant_centimes=euros(40_000), plie_id=None)]
    Given(CONTREPARTIE, for_all).when(
        affecter, commande(AffecterContrepartie), operation()
    ).then_one(ContrepartieAffectee)
