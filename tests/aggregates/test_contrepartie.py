"""Contreparties: granted, received, affected; the same euro never backs two operations."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import pytest
from dsl import Decision, Given
from fabrique import (
    AUTRE_ID,
    BILAN,
    CADRE,
    CSF,
    OPERATION_ID,
    commande,
    convention,
    euros,
    fait,
    operation,
)
from pydantic import ValidationError

from aggregates.chronologie import ActeAvantLePrecedent
from aggregates.contrepartie.affectation import (
    AffectationSuperieure,
    AffecterContrepartie,
    AnnulationSuperieure,
    AnnulerAffectation,
    AttribuerContrepartie,
    AutofinancementNonAttribuable,
    ContrepartieDejaAttribuee,
    ContrepartieDunAutrePlie,
    ContrepartieDuneAutreSubvention,
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
    OperandesRepartition,
)
from aggregates.contrepartie.repartition import (
    AttestationNonAdmise,
    BesoinInconnu,
    OperationRepetee,
    RepartirContrepartie,
    RienARepartir,
    repartir,
)
from aggregates.contrepartie.state import CONTREPARTIE, ContrepartieAbsente
from aggregates.convention.events import CsfValide, RessourceRetenue, RessourcesControlees
from aggregates.convention.state import Convention
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


def test_money_of_the_union_is_no_contrepartie() -> None:
    with pytest.raises(ValidationError, match="type de ressource inconnu"):
        commande(AttribuerContrepartie, type="fse")


def test_money_granted_under_another_subvention_backs_nothing_here() -> None:
    ailleurs = operation(cadre=msgspec.structs.replace(CADRE, subvention_globale_id=AUTRE_ID))
    Given(CONTREPARTIE, ATTRIBUEE).when(affecter, commande(AffecterContrepartie), ailleurs).refuses(
        ContrepartieDuneAutreSubvention, "sous une autre subvention globale que celle"
    )


# Sharing, at the solde.

OP_A, OP_B, OP_C = (UUID(int=100 + n) for n in range(3))


def controlee(
    cout: str | int,
    fse_du: str | int,
    *ressources: tuple[str, str, str | int],
    **parametres: Any,
) -> Convention:
    """Return a convention whose final control keeps a cost, what the Fund owes, and resources."""
    retenues = tuple(
        RessourceRetenue(
            type=kind,
            financeur=financeur,
            montant_declare_centimes=euros(montant),
            montant_retenu_centimes=euros(montant),
        )
        for kind, financeur, montant in ressources
    )
    facts = [
        *CSF,
        fait(RessourcesControlees, ressources=retenues),
        fait(
            CsfValide,
            ressources=retenues,
            cout_net_cumule_centimes=euros(cout),
            fse_du_cumule_centimes=euros(fse_du),
        ),
    ]
    state = convention(facts)
    choix = msgspec.structs.replace(state.parametres, **parametres)
    return msgspec.structs.replace(state, parametres=choix)


Dossiers = Mapping[UUID, Convention | None]
#: What is retained, what the Fund owes, what others bring: needs of 35 000, 18 656,20 and 3 000 €.
TROIS: Dossiers = {
    OP_A: controlee(90_000, 45_000, ("publique_region", "Région fictive", 10_000)),
    OP_B: controlee("47312,40", "23656,20", ("privee", "Fondation fictive", 5_000)),
    OP_C: controlee(30_000, 15_000, ("publique_region", "Région fictive", 12_000)),
}
ENVELOPPE_EPCI = [
    fait(ContrepartieAttribuee, montant_centimes=euros(55_000), financeur="EPCI fictif")
]
PERCUE_EPCI = [*ENVELOPPE_EPCI, fait(ContrepartiePercue, montant_centimes=euros(55_000))]


def share(
    facts: Any = PERCUE_EPCI,
    dossiers: Dossiers = TROIS,
    statut: Any = "bilan_final_depose",
    **saisie: Any,
) -> Decision:
    asked = commande(RepartirContrepartie, operations=tuple(dossiers), **saisie)
    lus = [(i, operation(statut), lue) for i, lue in dossiers.items()]
    return Given(CONTREPARTIE, facts).when(repartir, asked, lus)


def held(decision: Decision) -> dict[UUID, int]:
    affectations: dict[UUID, int] = decision.state().affectations
    return affectations


PARTS = {OP_A: euros("33976,87"), OP_B: euros("18110,83"), OP_C: euros("2912,30")}


def test_a_contrepartie_is_shared_pro_rata_of_the_needs() -> None:
    facts = share().facts()
    assert {f.operation_id: f.montant_centimes for f in facts} == PARTS
    assert facts[0].repartition == OperandesRepartition(
        enveloppe_centimes=euros(55_000),
        besoin_centimes=euros(35_000),
        besoins_centimes=euros("56656,20"),
        attestation_ref=None,
    )


def test_sharing_again_what_is_already_so_says_nothing() -> None:
    assert share([*PERCUE_EPCI, *share().facts()]).facts() == []


def test_what_is_given_back_comes_before_what_is_received() -> None:
    serree = [
        *PERCUE_EPCI,
        fait(ContrepartieAffectee, operation_id=OP_C, montant_centimes=euros(55_000)),
    ]
    facts = share(serree).facts()
    assert [type(f) for f in facts] == [
        AffectationAnnulee,
        ContrepartieAffectee,
        ContrepartieAffectee,
    ]
    assert facts[0].montant_centimes == euros(55_000) - PARTS[OP_C]
    assert facts[0].motif == "Motif de l’essai"
    assert held(share(serree)) == PARTS
    state = Given(CONTREPARTIE, serree).state
    for fact in facts:
        state = CONTREPARTIE.evolve(state, fact)
        assert state.affecte <= state.attribue


def test_the_order_of_operations_changes_nothing_to_their_shares() -> None:
    assert held(share(dossiers=dict(reversed(list(TROIS.items()))))) == PARTS


def test_only_what_is_received_or_attested_is_shared() -> None:
    moitie = [*ENVELOPPE_EPCI, fait(ContrepartiePercue, montant_centimes=euros(20_000))]
    assert sum(held(share(moitie)).values()) == euros(20_000)
    assert held(share(moitie, attestation_ref="ATT-2022-3")) == PARTS
    trop = [*ENVELOPPE_EPCI, fait(ContrepartiePercue, montant_centimes=euros(60_000))]
    assert held(share(trop)) == PARTS


def test_an_attestation_is_no_payment_where_only_payments_count() -> None:
    stricte = controlee(90_000, 45_000, contreparties_non_percues="percu_seulement")
    share(dossiers={OP_A: stricte}, attestation_ref="ATT").refuses(
        AttestationNonAdmise, "ne compte que ce qui est perçu"
    )
    assert held(share(dossiers={OP_A: stricte})) == {OP_A: euros(45_000)}


def test_no_operation_receives_more_than_its_need() -> None:
    une = {OP_C: TROIS[OP_C]}
    assert held(share(dossiers=une)) == {OP_C: euros(3_000)}
    comblee = {OP_A: controlee(50_000, 30_000, ("privee", "Fondation fictive", 25_000))}
    tenue = [
        *PERCUE_EPCI,
        fait(ContrepartieAffectee, operation_id=OP_A, montant_centimes=euros(10_000)),
    ]
    share(tenue, comblee).then_one(AffectationAnnulee, montant_centimes=euros(10_000))


def test_a_sharing_frees_nothing_before_the_day_it_was_affected() -> None:
    comblee = {OP_A: controlee(50_000, 30_000, ("privee", "Fondation fictive", 25_000))}
    tenue = [
        *PERCUE_EPCI,
        fait(
            ContrepartieAffectee,
            operation_id=OP_A,
            montant_centimes=euros(10_000),
            date_effet=date(2022, 6, 10),
        ),
    ]
    share(tenue, comblee, date_effet="2022-06-10").then_one(AffectationAnnulee)
    share(tenue, comblee, date_effet="2022-06-09").refuses(
        ActeAvantLePrecedent, "la contrepartie a été affectée à cette opération le 10/06/2022"
    )


def test_what_other_operations_hold_is_not_shared() -> None:
    tenue = [
        *PERCUE_EPCI,
        fait(ContrepartieAffectee, operation_id=OP_B, montant_centimes=euros(50_000)),
    ]
    reste = share(tenue, {OP_A: TROIS[OP_A]})
    assert held(reste) == {OP_A: euros(5_000), OP_B: euros(50_000)}
    assert reste.facts()[0].repartition.enveloppe_centimes == euros(5_000)
    pleine = [*tenue, fait(ContrepartieAffectee, operation_id=OP_C, montant_centimes=euros(5_000))]
    share(pleine, {OP_A: TROIS[OP_A]}).refuses(
        RienARepartir, "55 000,00 € appuient déjà d’autres opérations"
    )


def test_nothing_is_shared_before_anything_is_received() -> None:
    share(ENVELOPPE_EPCI).refuses(RienARepartir, "0,00 € sont perçus ou attestés sur 55 000,00 €")


def test_what_the_control_retained_of_this_very_funding_is_not_counted_twice() -> None:
    # 20 000,00 € were affected and retained; 4 000,00 € of the same EPCI are another grant.
    lue = controlee(
        90_000,
        45_000,
        ("publique_epci", "EPCI  FICTIF", 24_000),
        ("publique_epci", "Autre EPCI", 2_000),
        ("publique_autre", "EPCI fictif", 1_000),
        ("publique_region", "Région fictive", 3_000),
        ("autofinancement", "Porteur", 15_000),
    )
    tenue = [
        *PERCUE_EPCI,
        fait(ContrepartieAffectee, operation_id=OP_A, montant_centimes=euros(20_000)),
    ]
    [fact] = share(tenue, {OP_A: lue}).facts()
    assert fact.repartition.besoin_centimes == euros(35_000)
    # Retained without having been affected: it is somebody else's.
    [fact] = share(PERCUE_EPCI, {OP_A: lue}).facts()
    assert fact.repartition.besoin_centimes == euros(15_000)
    # More affected than the control retained of it: the other grants stay other resources.
    large = [
        *PERCUE_EPCI,
        fait(ContrepartieAffectee, operation_id=OP_A, montant_centimes=euros(50_000)),
    ]
    [fact] = share(large, {OP_A: lue}).facts()
    assert fact.repartition.besoin_centimes == euros(39_000)


def test_a_need_is_known_once_everything_is_controlled() -> None:
    for lue in (None, convention(), convention(CSF)):
        share(dossiers={OP_A: lue}).refuses(BesoinInconnu, "n’est pas encore connu")
    en_attente = msgspec.structs.replace(next(iter(convention(BILAN).bilans.values())), numero=2)
    lue = controlee(90_000, 45_000)
    deux = msgspec.structs.replace(lue, bilans={**lue.bilans, AUTRE_ID: en_attente})
    share(dossiers={OP_A: deux}).refuses(BesoinInconnu, "un autre bilan attend le sien")
    renvoye = msgspec.structs.replace(en_attente, statut="renvoye")
    deux = msgspec.structs.replace(lue, bilans={**lue.bilans, AUTRE_ID: renvoye})
    share(dossiers={OP_A: deux}).then_one(ContrepartieAffectee, montant_centimes=euros(45_000))


@pytest.mark.parametrize("statut", ["en_execution", "realisation_terminee", "solde", "abandonne"])
def test_a_contrepartie_is_shared_between_the_final_bilan_and_the_solde(statut: str) -> None:
    share(statut=statut).refuses(ActeHorsDeSonOrdre, "Répartir une contrepartie est impossible")


def test_an_operation_is_named_once() -> None:
    asked = commande(RepartirContrepartie, operations=(OP_A, OP_A))
    deux = [(OP_A, operation("bilan_final_depose"), TROIS[OP_A])] * 2
    Given(CONTREPARTIE, PERCUE_EPCI).when(repartir, asked, deux).refuses(
        OperationRepetee, "figure deux fois dans la répartition"
    )


def test_money_of_a_plie_is_not_shared_with_another() -> None:
    du_plie_b = [fait(ContrepartieAttribuee, montant_centimes=euros(55_000), plie_id="B")]
    share(du_plie_b).refuses(ContrepartieDunAutrePlie, "attribuée au PLIE « B »")


def test_a_single_cent_is_shared_and_given_back() -> None:
    un_centime = {OP_A: controlee("45000,01", 45_000)}
    fact = share(dossiers=un_centime).then_one(ContrepartieAffectee, montant_centimes=1)
    comblee = {OP_A: controlee(45_000, 45_000)}
    share([*PERCUE_EPCI, fact], comblee).then_one(AffectationAnnulee, montant_centimes=1)
