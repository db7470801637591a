"""The same piece presented twice: anywhere, however it is shared."""

from fractions import Fraction
from typing import Any

import pytest

from rules.constat import Constat
from rules.doubles import Presentation, constats_de_doubles


def presentation(**changes: Any) -> Presentation:
    return Presentation(
        **{
            "operation": "Cette dépense",
            "ici": True,
            "piece_ref": "F-118",
            "montant_centimes": 100_000,
            **changes,
        }
    )


def ailleurs(**changes: Any) -> Presentation:
    return presentation(**{"operation": "Opération 202200008", "ici": False, **changes})


def piece(depense: Presentation, *autres: Presentation) -> Constat:
    return constats_de_doubles(depense, (), autres)[1]


def fichier(depense: Presentation, *autres: Presentation) -> Constat:
    return constats_de_doubles(depense, autres, ())[0]


def test_a_piece_seen_once_is_fine() -> None:
    assert {c.statut for c in constats_de_doubles(presentation(), (), ())} == {"conforme"}


@pytest.mark.parametrize("juger", [piece, fichier])
def test_the_same_piece_in_two_operations_is_a_defect(juger: Any) -> None:
    trouve = juger(presentation(), ailleurs())
    assert (trouve.statut, trouve.motif_code) == ("anomalie", "DOUBLE_FINANCEMENT")
    assert "dans une autre (Opération 202200008)" in trouve.message
    assert len(trouve.valeurs) == 2


@pytest.mark.parametrize("juger", [piece, fichier])
def test_the_same_piece_twice_in_one_operation_is_a_defect(juger: Any) -> None:
    trouve = juger(presentation(), presentation(operation="Cette opération"))
    assert trouve.statut == "anomalie"
    assert "ailleurs dans cette opération" in trouve.message


def test_every_place_is_named_once() -> None:
    trouve = piece(presentation(), presentation(), ailleurs(), ailleurs(), ailleurs(operation="X"))
    assert "cette opération et dans une autre (Opération 202200008, X)" in trouve.message


@pytest.mark.parametrize("juger", [piece, fichier])
def test_a_shared_piece_may_not_exceed_the_whole(juger: Any) -> None:
    moitie = presentation(part=Fraction(1, 2))
    assert juger(moitie, ailleurs(part=Fraction(1, 2))).statut == "a_apprecier"
    trop = juger(moitie, ailleurs(part=Fraction(51, 100)))
    assert trop.statut == "anomalie"
    assert "101" in trop.message
    # One that claims the piece without sharing it takes it whole.
    assert juger(moitie, ailleurs()).statut == "anomalie"


def test_the_amount_compared_is_that_of_the_piece() -> None:
    ici = presentation(montant_centimes=50_000, montant_piece_centimes=100_000)
    assert piece(ici, ailleurs(montant_centimes=100_000)).statut == "anomalie"
    assert piece(ici, ailleurs(montant_centimes=50_000)).statut == "a_apprecier"


def test_a_document_that_covers_several_pieces_is_looked_at() -> None:
    etat = fichier(presentation(), presentation(piece_ref="F-119"))
    assert etat.statut == "a_apprecier"
    assert fichier(presentation(), ailleurs(piece_ref="F-119")).statut == "anomalie"


def test_a_document_of_a_whole_batch_shows_some_and_counts_the_rest() -> None:
    trouve = fichier(presentation(), *(presentation(piece_ref=f"F-{n}") for n in range(200, 225)))
    assert (len(trouve.valeurs), trouve.valeurs[-1].valeur) == (22, "5 de plus")
    assert "25 autres dépenses" in trouve.message
