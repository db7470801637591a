"""Documents joined to a dépense: kept once each, at any time but once it is cancelled."""

from typing import Any

import pytest
from dsl import Given
from fabrique import commande, fait
from pydantic import ValidationError

from aggregates.depense.declaration import DepenseAnnuleeDefinitivement
from aggregates.depense.events import (
    DepenseAnnulee,
    DepenseControlee,
    DepenseDeclaree,
    DepensePiecesJointes,
)
from aggregates.depense.pieces import JoindrePieces, joindre
from aggregates.depense.state import DEPENSE

DECLAREE = [fait(DepenseDeclaree)]
UNE = {"sha256": "ab" * 32, "libelle": "Facture.pdf", "type": "justificatif"}
AUTRE = UNE | {"sha256": "cd" * 32, "libelle": "Relevé.pdf"}


def joint(facts: Any, *pieces: dict[str, str]) -> Any:
    return Given(DEPENSE, facts).when(joindre, commande(JoindrePieces, pieces=list(pieces)))


@pytest.mark.parametrize("facts", [DECLAREE, [*DECLAREE, fait(DepenseControlee)]])
def test_documents_are_joined_at_any_time(facts: Any) -> None:
    [trouve] = joint(facts, UNE, AUTRE).facts()
    assert isinstance(trouve, DepensePiecesJointes)
    assert [p.sha256 for p in trouve.pieces] == [UNE["sha256"], AUTRE["sha256"]]


def test_a_document_that_is_there_is_joined_once() -> None:
    [premier] = joint(DECLAREE, UNE).facts()
    joint([*DECLAREE, premier], UNE).then()
    [second] = joint([*DECLAREE, premier], UNE, AUTRE).facts()
    assert [p.sha256 for p in second.pieces] == [AUTRE["sha256"]]


def test_documents_change_nothing_of_what_is_declared() -> None:
    avant = DEPENSE.replay(DECLAREE)
    apres = DEPENSE.replay([*DECLAREE, *joint(DECLAREE, UNE).facts()])
    assert avant is not None
    assert apres is not None
    assert (apres.detail, apres.statut, apres.montant) == (
        avant.detail,
        avant.statut,
        avant.montant,
    )
    assert apres.version == avant.version + 1


def test_nothing_is_joined_to_a_cancelled_depense() -> None:
    joint([*DECLAREE, fait(DepenseAnnulee)], UNE).refuses(
        DepenseAnnuleeDefinitivement, "est annulée"
    )


def test_joining_nothing_is_refused() -> None:
    with pytest.raises(ValidationError):
        commande(JoindrePieces, pieces=[])
