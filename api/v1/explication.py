"""A control explained, and computed again. Nothing is written."""

from datetime import date
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from api.deps import Lecture
from api.errors import refus
from api.v1.representations import Representation
from oi_service.money import MontantSigne
from projections import explication as projection_explication
from projections import recalcul as projection_recalcul

router = APIRouter(prefix="/operations/{operation_id}/csf/{csf_id}", tags=["Lectures"])


class OperandeOut(Representation):
    """Un chiffre que la ligne emploie, et l’événement qui le dit."""

    libelle: str
    valeur: str
    position: int | None = Field(description="Numéro de l’événement dans le journal.")


class LigneCalculOut(Representation):
    """Une ligne du calcul."""

    code: str
    libelle: str
    calcul: str | None = Field(description="Le calcul écrit, avec ses chiffres.")
    montant: MontantSigne | None = Field(
        validation_alias="centimes", description="Ce que donne la ligne, en euros."
    )
    valeur: str | None
    article: str | None
    operandes: list[OperandeOut]
    retenue: bool = Field(description="Vrai pour le plafond qui décide.")


class SectionOut(Representation):
    """Une partie du calcul."""

    titre: str
    lignes: list[LigneCalculOut]


class ExplicationOut(Representation):
    """Le calcul d’un contrôle de service fait, ligne par ligne."""

    csf_id: UUID
    bilan_numero: int
    version: int
    version_regles: str
    valide_le: date
    position: int
    sections: list[SectionOut]


class EcartRecalculOut(Representation):
    """Un chiffre que le recalcul donne autrement, en euros."""

    chiffre: str
    enregistre: MontantSigne
    recalcule: MontantSigne


class RecalculOut(Representation):
    """Le contrôle sous une version des règles ; sans différence, les mêmes centimes."""

    version_regles: str
    fse_du: MontantSigne
    differences: list[EcartRecalculOut]


class RecalculsOut(Representation):
    """Le contrôle recalculé sous les règles de son époque, puis sous les règles actuelles."""

    csf_id: UUID
    position: int
    version_regles: str
    fse_du: MontantSigne
    regles_de_l_epoque: RecalculOut
    regles_actuelles: RecalculOut


@router.get("/explication", responses=refus(404, 422))
def expliquer(operation_id: UUID, csf_id: UUID, lecture: Lecture) -> ExplicationOut:
    """Expliquer le FSE dû : chaque ligne avec ses opérandes, leurs événements et l’article."""
    found = projection_explication.expliquer(lecture.conn, lecture.perimetre, operation_id, csf_id)
    return ExplicationOut.model_validate(found)


@router.get("/recalcul", responses=refus(404, 422))
def recalculer(operation_id: UUID, csf_id: UUID, lecture: Lecture) -> RecalculsOut:
    """Recalculer le contrôle sous les règles de son époque et sous celles d’aujourd’hui."""
    found = projection_recalcul.recalculer(lecture.conn, lecture.perimetre, operation_id, csf_id)
    return RecalculsOut.model_validate(found)
