"""The clocks of payment that run, over all the dossiers of the perimeter."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from api.deps import Lecture
from api.errors import refus
from api.v1.representations import Representation
from oi_service.clock import today
from oi_service.dates import Jour
from oi_service.money import MontantSigne
from projections import horloges as projection

router = APIRouter(tags=["Délai de paiement"])


class HorlogeOut(Representation):
    """Un bilan qui attend son paiement."""

    operation_id: UUID
    numero_mdfse: str
    beneficiaire: str
    plie_id: str
    reglement: str
    bilan_id: UUID
    numero: int
    type: str = Field(description="`intermediaire` ou `final`.")
    depose_le: date = Field(description="Jour 0 du délai.")
    fse_declare: MontantSigne = Field(description="FSE demandé par ce bilan, en euros.")
    delai_jours: int = Field(description="Jours calendaires donnés par le règlement.")
    jours_consommes: int
    echeance: date | None = Field(
        description="Dernier jour pour payer ; `null` tant que le délai est interrompu."
    )
    interrompue: bool
    cause: str | None = Field(description="Cause de l’interruption en cours.")
    cause_libelle: str | None
    alerte: int | None = Field(
        description="Plus haut seuil atteint, en % du délai : 50, 75 ou 100 ; `null` avant."
    )


class HorlogesOut(Representation):
    """Les délais de paiement qui courent un jour donné."""

    le: date
    lignes: list[HorlogeOut]


@router.get("/paiements/horloges", responses=refus(422))
def lister_horloges(
    lecture: Lecture,
    le: Annotated[
        Jour | None, Query(description="Jour auquel lire les horloges ; aujourd’hui à défaut.")
    ] = None,
) -> HorlogesOut:
    """Lister les bilans dont le délai de paiement court ou est interrompu, le plus urgent d’abord.

    L’horloge s’arrête quand tout ce qui est dû après contrôle est parti ; à la validation du
    contrôle s’il n’y a rien à payer. Un virement rejeté par la banque la fait courir de nouveau.
    """
    jour = le or today()
    lignes = projection.horloges(lecture.conn, lecture.perimetre, jour)
    return HorlogesOut.model_validate({"le": jour, "lignes": lignes})
