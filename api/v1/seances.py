"""Sessions of the programming committee: several dossiers decided at once, all or none."""

from fastapi import APIRouter

from aggregates.operation.seance import TenirSeance
from api import actions_comite
from api.deps import ActeOut, Creation
from api.v1.actes import cree

router = APIRouter(tags=["Opérations : programmation"])


@cree(router, "/seances")
def tenir_seance(acte: TenirSeance, ecriture: Creation) -> ActeOut:
    """Enregistrer d’un coup les décisions d’une séance du comité de programmation.

    Tout est enregistré, ou rien : si une décision est refusée, chaque refus est rendu à sa place
    dans `errors`.
    """
    return ecriture.run(actions_comite.tenir_seance, ecriture.new_id("seance"), acte)
