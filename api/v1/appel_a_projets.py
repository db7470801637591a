"""Calls for projects."""

from uuid import UUID

from fastapi import APIRouter

from aggregates.appel_a_projets import publication
from aggregates.appel_a_projets.state import APPEL_A_PROJETS
from api.deps import ActeOut, Ecriture
from api.v1.actes import commande

router = APIRouter(prefix="/appels-a-projets", tags=["Appels à projets"])


@commande(router, "/{appel_a_projets_id}/cloture")
def clore_appel_a_projets(
    appel_a_projets_id: UUID, acte: publication.CloreAppelAProjets, ecriture: Ecriture
) -> ActeOut:
    """Clore un appel à projets : il ne reçoit plus de dossier."""
    return ecriture.decide(APPEL_A_PROJETS, appel_a_projets_id, publication.clore, acte)
