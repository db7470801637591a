"""Dépenses: declared under a convention, corrected while free, decided on by the control."""

from typing import Any

import msgspec
import pytest
from dsl import Decision, Given
from fabrique import (
    AUTRE_DEPENSE_ID,
    BILAN,
    CSF,
    DEPENSE_ID,
    DETAIL,
    DETAIL_SAISI,
    NOTIFIEE,
    OPERATION_ID,
    SIGNEE,
    commande,
    convention,
    euros,
    fait,
    operation,
)
from pydantic import ValidationError

from aggregates.convention.state import CONVENTION
from aggregates.depense.controle import (
    ControlerDepenses,
    DepenseHorsBilan,
    EcarteSuperieurAuDeclare,
    MotifObligatoire,
    MotifSansEcart,
    controler,
)
from aggregates.depense.declaration import (
    AnnulerDepense,
    CleInvalide,
    CorrigerDepense,
    DeclarerDepense,
    DepenseAnnuleeDefinitivement,
    DepenseAvantConvention,
    DepenseDansUnBilan,
    DepenseDejaControlee,
    DepenseDejaDeclaree,
    DepenseNulle,
    annuler,
    corriger,
    declarer,
    exiger_declaration,
)
from aggregates.depense.events import (
    Cle,
    DepenseAnnulee,
    DepenseControlee,
    DepenseCorrigee,
    DepenseDeclaree,
)
from aggregates.depense.state import DEPENSE, DepenseAbsente
from aggregates.operation.transitions import ActeHorsDeSonOrdre
from oi_service.errors import Refusal
from rules.eligibilite import MOTIFS

MOTIF = "Motif de l’essai"
DECLAREE = [fait(DepenseDeclaree)]


def declare(facts: Any = (), **changes: Any) -> Decision:
    asked = commande(DeclarerDepense, detail=DETAIL_SAISI | changes)
    return Given(DEPENSE, facts).when(declarer, asked, asked.detail, operation(), OPERATION_ID)


def test_a_depense_is_declared_once() -> None:
    declare().then(fait(DepenseDeclaree))
    declare(DECLAREE).refuses(DepenseDejaDeclaree, "déjà déclarée")


def test_a_depense_outside_the_period_is_declared_and_judged_later() -> None:
    declare(date_realisation="2019-01-01", date_acquittement=None).then_one(DepenseDeclaree)


def test_a_depense_of_nothing_is_refused() -> None:
    declare(montant_impute="0.00").refuses(DepenseNulle, "un montant positif")


@pytest.mark.parametrize(("haut", "bas"), [(3, 2), (0, 2), (1, 0), (0, 0)])
def test_a_key_above_one_or_that_divides_by_zero_is_refused(haut: int, bas: int) -> None:
    cle = {"numerateur": haut, "denominateur": bas, "libelle": "Surface"}
    declare(cle=cle).refuses(CleInvalide, f"{haut}/{bas}")


def test_a_key_of_one_is_accepted() -> None:
    cle = {"numerateur": 2, "denominateur": 2, "libelle": "Surface"}
    fact = declare(cle=cle).then_one(DepenseDeclaree)
    assert fact.detail.cle == Cle(numerateur=2, denominateur=2, libelle="Surface")


@pytest.mark.parametrize(
    "changes",
    [
        {"poste": "divers"},
        {"preuve_acquittement": "parole"},
        {"date_piece": "2021-02-30"},
        {"date_piece": "30/05/2021"},
        {"montant_impute": "1000.0"},
        {"montant_impute": 1000},
        {"employe": "inconnu"},
    ],
    ids=str,
)
def test_what_is_malformed_is_refused_at_the_door(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        declare(**changes)


@pytest.mark.parametrize("facts", [None, SIGNEE], ids=["none", "signed only"])
def test_depense_before_the_convention_is_refused(facts: Any) -> None:
    state = None if facts is None else CONVENTION.replay(facts)
    with pytest.raises(DepenseAvantConvention, match="n’est pas notifiée"):
        exiger_declaration(operation("programme"), state)


@pytest.mark.parametrize(
    ("statut", "refus"),
    [
        ("conventionne", None),
        ("en_execution", None),
        ("realisation_terminee", None),
        ("abandonne", None),
        ("resilie", None),
        ("bilan_final_depose", ActeHorsDeSonOrdre),
        ("solde", ActeHorsDeSonOrdre),
        ("archive", ActeHorsDeSonOrdre),
    ],
)
def test_depense_after_the_final_bilan_is_refused(statut: Any, refus: type[Refusal] | None) -> None:
    if refus is None:
        exiger_declaration(operation(statut), convention(NOTIFIEE))
        return
    with pytest.raises(refus, match="Déclarer une dépense est impossible"):
        exiger_declaration(operation(statut), convention(NOTIFIEE))


CONTROLEE = [*DECLAREE, fait(DepenseControlee)]
ANNULEE = [*DECLAREE, fait(DepenseAnnulee)]


def correct(facts: Any = DECLAREE, *, rattachee: bool = False, **changes: Any) -> Decision:
    return Given(DEPENSE, facts).when(
        corriger,
        commande(CorrigerDepense, detail=DETAIL_SAISI | changes),
        rattachee=rattachee,
    )


def cancel(facts: Any = DECLAREE, *, rattachee: bool = False) -> Decision:
    return Given(DEPENSE, facts).when(annuler, commande(AnnulerDepense), rattachee=rattachee)


def test_a_correction_names_what_it_corrects() -> None:
    correct(montant_impute="900.00").then(fait(DepenseCorrigee, motif=MOTIF))
    twice = [*DECLAREE, fait(DepenseCorrigee)]
    correct(twice, montant_impute="800.00").then_one(DepenseCorrigee, corrige_version=2)


def test_a_correction_that_changes_nothing_is_no_fact() -> None:
    correct().then()


def test_a_depense_is_taken_back() -> None:
    cancel().then(fait(DepenseAnnulee, motif=MOTIF))


@pytest.mark.parametrize("act", [correct, cancel])
def test_a_depense_that_is_not_free_does_not_change(act: Any) -> None:
    act(CONTROLEE).refuses(DepenseDejaControlee, "BS-2021-05 est déjà contrôlée")
    act(DECLAREE, rattachee=True).refuses(DepenseDansUnBilan, "dans un bilan déposé")
    act(ANNULEE).refuses(DepenseAnnuleeDefinitivement, "BS-2021-05 est annulée")


def decide(facts: Any = DECLAREE, bilan_facts: Any = CSF, **ligne: Any) -> Decision:
    asked = commande(
        ControlerDepenses,
        lignes=[{"depense_id": DEPENSE_ID, "montant_ecarte": "0.00"} | ligne],
    )
    [bilan] = convention(bilan_facts).bilans.values()
    return Given(DEPENSE, facts).when(controler, asked, asked.lignes[0], bilan, bilan.csf)


def test_a_depense_is_retained_whole() -> None:
    decide().then(fait(DepenseControlee))


def test_a_depense_is_rejected_in_part_with_a_motif_of_the_list() -> None:
    decide(montant_ecarte="250.01", motif_code="NON_ACQUITTEE").then_one(
        DepenseControlee,
        montant_retenu_centimes=euros("749,99"),
        montant_ecarte_centimes=euros("250,01"),
        motif_code="NON_ACQUITTEE",
    )
    assert "NON_ACQUITTEE" in MOTIFS


def test_a_depense_is_rejected_up_to_its_amount_to_the_cent() -> None:
    whole = {"motif_code": "HORS_PERIODE"}
    decide(montant_ecarte="1000.01", **whole).refuses(
        EcarteSuperieurAuDeclare, "déclarée pour 1 000,00 €"
    )
    decide(montant_ecarte="1000.00", **whole).then_one(DepenseControlee, montant_retenu_centimes=0)


def test_a_rejection_needs_a_motif_and_a_retention_has_none() -> None:
    decide(montant_ecarte="0.01").refuses(MotifObligatoire, "demande un motif de la liste")
    decide(motif_code="HORS_PERIODE").refuses(MotifSansEcart, "retenue en entier")


def test_a_motif_outside_the_closed_list_is_refused_at_the_door() -> None:
    with pytest.raises(ValidationError, match="motif d’inéligibilité inconnu"):
        decide(montant_ecarte="0.01", motif_code="AUTRE")


def test_a_depense_outside_the_bilan_under_control_is_refused() -> None:
    decide(depense_id=AUTRE_DEPENSE_ID).refuses(DepenseHorsBilan, "ne figure pas dans le bilan")


def test_a_later_decision_replaces_an_earlier_one() -> None:
    after = decide(CONTROLEE, montant_ecarte="1000.00", motif_code="HORS_PERIODE").state()
    assert (after.retenu, after.ecarte, after.version) == (0, euros(1_000), 3)


def test_the_amount_decided_on_is_the_corrected_one() -> None:
    detail = msgspec.structs.replace(DETAIL, montant_impute_centimes=euros(900))
    decide([*DECLAREE, fait(DepenseCorrigee, apres=detail)]).then_one(
        DepenseControlee, montant_declare_centimes=euros(900)
    )


def test_a_bilan_without_control_has_none() -> None:
    assert next(iter(convention(BILAN).bilans.values())).csf is None


def test_a_depense_that_does_not_exist_is_named() -> None:
    assert str(DEPENSE_ID) in str(DepenseAbsente(id=DEPENSE_ID))
