"""Joining documents to a dépense, whenever they come: with it, at its control, after an audit."""

from typing import Annotated

from pydantic import Field

from aggregates.commande import Commande, PieceJointe
from aggregates.depense.declaration import DepenseAnnuleeDefinitivement
from aggregates.depense.events import DepensePiecesJointes
from aggregates.depense.state import Depense


class JoindrePieces(Commande):
    """Join documents to a dépense; what is declared does not change."""

    pieces: Annotated[tuple[PieceJointe, ...], Field(min_length=1, max_length=50)]


def joindre(depense: Depense, commande: JoindrePieces) -> list[DepensePiecesJointes]:
    """Join the documents that the dépense does not have yet."""
    if depense.statut == "annulee":
        raise DepenseAnnuleeDefinitivement(piece=depense.detail.piece_ref)
    nouvelles = tuple(p for p in commande.jointes() if p.sha256 not in depense.pieces)
    if not nouvelles:
        return []
    return [
        DepensePiecesJointes(
            date_effet=commande.date_effet, pieces=nouvelles, operation_id=depense.operation_id
        )
    ]
