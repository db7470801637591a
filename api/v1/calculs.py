"""The calculator: nothing is read from the database, nothing is written in it."""

from fastapi import APIRouter

from api.calculateur.cas import Demande
from api.calculateur.reponse import Reponse, repondre
from api.errors import refus

router = APIRouter(prefix="/calculs", tags=["Calculs"])


@router.post("/fse-du", responses=refus(422), response_model_exclude_none=True)
def calculer_fse_du(demande: Demande) -> Reponse:
    """Calculer le FSE dû d’un cas, sans rien enregistrer.

    Un cas est répondu par la liste de ses bilans, une contrepartie mutualisée par sa répartition ;
    une liste de cas, ou un recueil, par la liste des réponses, dans le même ordre. C’est le calcul
    du contrôle de service fait des dossiers. Le format est décrit dans docs/calculateur.md.
    """
    return repondre(demande)
