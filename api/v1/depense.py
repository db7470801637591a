"""Dépenses: declared, corrected, taken back."""

from uuid import UUID

from fastapi import APIRouter

from aggregates.depense import declaration, pieces
from aggregates.depense.state import DEPENSE
from api import actions
from api.deps import ActeOut, Creation, Ecriture
from api.v1.actes import RACINE, commande, cree

router = APIRouter(tags=["Dépenses"])


@cree(router, "/operations/{operation_id}/depenses")
def declarer_depense(
    operation_id: UUID, acte: declaration.DeclarerDepense, ecriture: Creation
) -> ActeOut:
    """Déclarer une dépense d’une opération conventionnée."""
    new = ecriture.new_id("depense")
    return ecriture.run(
        actions.declarer_depense, new, acte, operation_id, location=f"{RACINE}/depenses/{new}"
    )


@cree(router, "/operations/{operation_id}/depenses/lots")
def declarer_depenses(
    operation_id: UUID, acte: declaration.DeclarerDepenses, ecriture: Creation
) -> ActeOut:
    """Déclarer plusieurs dépenses, toutes ou aucune.

    Chaque fait de la réponse porte, dans `flux`, l’identifiant d’une dépense, dans l’ordre reçu.
    """
    return ecriture.run(
        actions.declarer_depenses,
        operation_id,
        acte,
        location=f"{RACINE}/operations/{operation_id}/depenses",
    )


@commande(router, "/depenses/{depense_id}/correction")
def corriger_depense(
    depense_id: UUID, acte: declaration.CorrigerDepense, ecriture: Ecriture
) -> ActeOut:
    """Corriger une dépense qu’aucun bilan déposé ne porte."""
    return ecriture.run(actions.corriger_depense, depense_id, acte)


@commande(router, "/depenses/{depense_id}/pieces")
def joindre_pieces_depense(
    depense_id: UUID, acte: pieces.JoindrePieces, ecriture: Ecriture
) -> ActeOut:
    """Joindre des pièces à une dépense, où qu’elle en soit ; ce qui est déclaré ne change pas."""
    return ecriture.decide(DEPENSE, depense_id, pieces.joindre, acte)


@commande(router, "/depenses/{depense_id}/annulation")
def annuler_depense(
    depense_id: UUID, acte: declaration.AnnulerDepense, ecriture: Ecriture
) -> ActeOut:
    """Annuler une dépense qu’aucun bilan déposé ne porte."""
    return ecriture.run(actions.annuler_depense, depense_id, acte)
