"""Undoing what was recorded of a funder or of an indicator: by name, once, and nothing else."""

from datetime import date
from decimal import Decimal
from typing import Any

from dsl import Decision, Given
from fabrique import OPERATION_ID, PARCOURS, commande, euros, fait, operation

from aggregates.chronologie import ActeAvantLePrecedent
from aggregates.contrepartie.affectation import (
    AffecterContrepartie,
    PercevoirContrepartie,
    affecter,
    percevoir,
)
from aggregates.contrepartie.annulation import (
    AnnulerAttribution,
    AnnulerPerception,
    AttributionDejaAnnulee,
    ContrepartieEmployee,
    PerceptionInconnue,
    annuler_attribution,
    annuler_perception,
)
from aggregates.contrepartie.events import (
    AttributionAnnulee,
    ContrepartieAffectee,
    ContrepartieAttribuee,
    ContrepartiePercue,
    PerceptionAnnulee,
)
from aggregates.contrepartie.state import CONTREPARTIE
from aggregates.operation.events import IndicateurRenseigne, IndicateurRetire
from aggregates.operation.indicateurs import (
    IndicateurNonRenseigne,
    IndicateurRenseigneDepuis,
    RetirerIndicateur,
    retirer_indicateur,
)
from aggregates.operation.state import OPERATION
from oi_service.codec import Evenement

JOUR = date(2022, 6, 1)
ATTRIBUEE = [fait(ContrepartieAttribuee, date_effet=JOUR, montant_centimes=euros(50_000))]
PERCUE = [
    *ATTRIBUEE,
    fait(ContrepartiePercue, date_effet=JOUR, montant_centimes=euros(30_000), ref="TITRE-1"),
]


def _perception(faits: list[Evenement], **champs: Any) -> Decision:
    asked = {"montant": "30000.00", "ref": "TITRE-1", "date_effet": "2022-06-02", "motif": "Erreur"}
    return Given(CONTREPARTIE, faits).when(
        annuler_perception, commande(AnnulerPerception, **(asked | champs))
    )


def _attribution(faits: list[Evenement], **champs: Any) -> Decision:
    asked = {"date_effet": "2022-06-02", "motif": "Erreur"} | champs
    return Given(CONTREPARTIE, faits).when(
        annuler_attribution, commande(AnnulerAttribution, **asked)
    )


def test_a_perception_is_undone_by_its_amount_and_its_reference() -> None:
    undo = _perception(PERCUE)
    undo.then_one(PerceptionAnnulee, montant_centimes=euros(30_000), ref="TITRE-1")
    assert undo.state().percu == 0


def test_a_perception_that_was_not_recorded_is_not_undone() -> None:
    _perception(ATTRIBUEE).refuses(PerceptionInconnue, "Aucune perception de 30 000,00 €")
    _perception(PERCUE, ref="TITRE-2").refuses(PerceptionInconnue, "TITRE-2")
    _perception(PERCUE, montant="30000.01").refuses(PerceptionInconnue, "30 000,01 €")


def test_a_perception_is_undone_once_and_one_of_two_alike_at_a_time() -> None:
    undone = fait(PerceptionAnnulee, date_effet=JOUR, montant_centimes=euros(30_000), ref="TITRE-1")
    _perception([*PERCUE, undone]).refuses(PerceptionInconnue, "déjà annulée")
    assert _perception([*PERCUE, PERCUE[-1], undone]).state().percu == 0


def test_nothing_is_undone_before_it_was_recorded() -> None:
    _perception(PERCUE, date_effet="2022-05-31").refuses(ActeAvantLePrecedent, "la perception")
    _attribution(ATTRIBUEE, date_effet="2022-05-31").refuses(ActeAvantLePrecedent, "attribuée")


def test_a_grant_of_which_nothing_was_used_is_undone() -> None:
    undo = _attribution(ATTRIBUEE)
    undo.then_one(AttributionAnnulee, montant_centimes=euros(50_000))
    assert undo.state().attribue == 0


def test_a_grant_that_is_used_is_not_undone() -> None:
    _attribution(PERCUE).refuses(ContrepartieEmployee, "30 000,00 € en sont perçus")
    tenue = fait(ContrepartieAffectee, operation_id=OPERATION_ID, montant_centimes=euros(10_000))
    _attribution([*ATTRIBUEE, tenue]).refuses(ContrepartieEmployee, "10 000,00 € appuient")


def test_a_grant_that_was_undone_is_over() -> None:
    finie = [*ATTRIBUEE, fait(AttributionAnnulee, date_effet=JOUR, montant_centimes=euros(50_000))]
    _attribution(finie).refuses(AttributionDejaAnnulee, "annulée, depuis le 01/06/2022")
    recoit = commande(PercevoirContrepartie, montant="1.00", ref="TITRE-1")
    Given(CONTREPARTIE, finie).when(percevoir, recoit).refuses(
        AttributionDejaAnnulee, "plus rien à en recevoir"
    )
    appuie = commande(AffecterContrepartie, operation_id=OPERATION_ID, montant="1.00")
    Given(CONTREPARTIE, finie).when(affecter, appuie, operation("en_execution")).refuses(
        AttributionDejaAnnulee, "annulée"
    )


def _valeurs(*valeurs: str) -> list[Evenement]:
    renseignes = [
        fait(IndicateurRenseigne, date_effet=JOUR, indicateur=1, realise=Decimal(v))
        for v in valeurs
    ]
    return [*PARCOURS["en_execution"], *renseignes]


def _retirer(faits: list[Evenement], **champs: Any) -> Decision:
    asked = {"indicateur": 1, "realise": "34.5", "date_effet": "2022-06-02", "motif": "Erreur"}
    return Given(OPERATION, faits).when(
        retirer_indicateur, commande(RetirerIndicateur, **(asked | champs))
    )


def test_the_value_before_counts_again() -> None:
    undo = _retirer(_valeurs("12", "34.5"))
    undo.then_one(IndicateurRetire, realise=Decimal("34.5"), retabli=Decimal(12))
    assert undo.state().realise == {1: Decimal(12)}


def test_without_a_value_before_nothing_is_known() -> None:
    undo = _retirer(_valeurs("34.5"))
    undo.then_one(IndicateurRetire, retabli=None)
    assert undo.state().realise == {}
    retire = fait(IndicateurRetire, indicateur=1, realise=Decimal("34.5"), retabli=None)
    again = [*_valeurs("34.5"), retire]
    _retirer(again).refuses(IndicateurNonRenseigne, "n’a pas de valeur")


def test_only_the_value_that_counts_is_taken_back() -> None:
    _retirer(_valeurs("34.5", "40")).refuses(IndicateurRenseigneDepuis, "vaut 40 et non 34,5")
    _retirer(_valeurs("34.5"), date_effet="2022-05-31").refuses(
        ActeAvantLePrecedent, "l’indicateur a été renseigné le 01/06/2022"
    )
