"""What was paid above what is due, over all the dossiers of the perimeter."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from api.deps import Lecture, SituationDemandee
from api.errors import refus
from api.v1.representations import Representation, SituationOut
from oi_service.money import MontantSigne
from projections import trop_percus as projection

router = APIRouter(tags=["Lectures"])


class TropPercuOut(Representation):
    """Une opération payée au-delà de ce qui lui est dû."""

    operation_id: UUID
    numero_mdfse: str
    beneficiaire: str
    plie_id: str
    nature: projection.Nature = Field(
        description="`avance` tant qu’aucun contrôle final ne l’a fondée ; `indu` ensuite."
    )
    paye: MontantSigne = Field(description="Payé, net des reversements, en euros.")
    du: MontantSigne = Field(description="FSE dû après contrôle, en euros.")
    irrecouvrable: MontantSigne
    montant: MontantSigne = Field(description="Payé, non dû et non abandonné, en euros.")
    a_encaisser: MontantSigne = Field(description="Déjà réclamé par un ordre de reversement.")
    a_reclamer: MontantSigne = Field(description="Indu qu’aucun ordre ne réclame encore.")


class TropPercusOut(Representation):
    """Les trop-perçus d’une situation."""

    situation: SituationOut
    total: MontantSigne
    a_reclamer: MontantSigne
    lignes: list[TropPercuOut]


@router.get("/paiements/trop-percus", responses=refus(422))
def lister_trop_percus(lecture: Lecture, situation: SituationDemandee) -> TropPercusOut:
    """Lister les avances en cours et les indus, ce qui reste à réclamer d’abord."""
    lignes = projection.trop_percus(lecture.conn, lecture.perimetre, situation)
    return TropPercusOut.model_validate(
        {
            "situation": situation,
            "total": sum(ligne.montant for ligne in lignes),
            "a_reclamer": sum(ligne.a_reclamer for ligne in lignes),
            "lignes": lignes,
        }
    )
