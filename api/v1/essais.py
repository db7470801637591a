"""Trials: what decisions would do, with nothing recorded."""

from datetime import date
from typing import Annotated
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from pydantic import Field

from api import essai
from api.deps import ServiceOuvert, perimetre
from api.errors import Probleme, refus
from api.v1.representations import ChiffresOut, Representation
from oi_service.money import MontantSigne
from projections.perimetre import Perimetre

router = APIRouter(prefix="/essais", tags=["Essais"])


class FaitEssayeOut(Representation):
    """Un fait que la commande enregistrerait."""

    nom: str = Field(validation_alias="name", examples=["operation.programmee.v1"])
    flux: UUID = Field(
        validation_alias="stream_id", description="Agrégat auquel il appartiendrait."
    )
    date_effet: date
    phrase: str


class CommandeEssayeeOut(Representation):
    """Ce qu’il advient d’une commande."""

    rang: int = Field(description="Son numéro dans la demande, à partir de 1.")
    chemin: str = Field(description="Son adresse, références remplacées.")
    statut: int = Field(description="Statut HTTP qu’aurait la réponse.")
    id: UUID | None = Field(
        description="Ce sur quoi elle porte ou ce qu’elle crée, le temps de l’essai ; `null` quand "
        "elle est refusée."
    )
    evenements: list[FaitEssayeOut] = Field(description="Faits qu’elle enregistrerait.")
    refus: Probleme | None = Field(description="Pourquoi elle est refusée ; `null` sinon.")


class ComparaisonOut(Representation):
    """Les mêmes chiffres avant et après."""

    avant: ChiffresOut
    apres: ChiffresOut
    ecarts: dict[str, MontantSigne] = Field(
        description="Après moins avant, en euros, de chaque montant qui change."
    )
    ecart_operations: int = Field(description="Opérations programmées, après moins avant.")


class ComparaisonPlieOut(Representation):
    """Un PLIE, ou ce qu’aucun PLIE ne détient, avant et après."""

    plie_id: str
    plie_nom: str
    chiffres: ComparaisonOut


class MaquetteCompareeOut(Representation):
    """La maquette d’une subvention globale, avant et après l’essai."""

    subvention_globale_id: UUID
    numero: str
    oi_nom: str
    fictive: bool = Field(description="Les montants sont inventés (démonstration).")
    par_plie: list[ComparaisonPlieOut]
    total: ComparaisonOut


class EssaiOut(Representation):
    """Ce que montre un essai ; rien n’en est enregistré."""

    position_avant: int = Field(description="Dernier fait du journal quand l’essai commence.")
    position_apres: int = Field(
        description="Dernier fait du journal, relu hors de l’essai une fois l’essai défait ; plus "
        "grand que `position_avant` seulement si quelqu’un d’autre a enregistré entre-temps."
    )
    commandes: list[CommandeEssayeeOut]
    regles_enfreintes: list[CommandeEssayeeOut] = Field(
        description="Celles des commandes qui sont refusées."
    )
    maquettes: list[MaquetteCompareeOut] = Field(
        description="Des subventions globales dont un fait a bougé, et de celle qui est demandée."
    )


@router.post("", responses=refus(404, 422, 503))
async def essayer(
    demande: essai.DemandeEssai,
    request: Request,
    service: ServiceOuvert,
    perimetre: Annotated[Perimetre, Depends(perimetre)],
) -> EssaiOut:
    """Essayer des décisions : la maquette avant et après, les règles enfreintes.

    Chaque commande s’écrit comme la demande qui l’enregistrerait et passe par la même route, dans
    une transaction toujours annulée. Une commande refusée ne laisse rien, et les suivantes sont
    essayées. Ni clé d’idempotence ni version : l’essai porte sur l’état présent et n’écrit rien.
    """
    async with request.app.state.essais:
        found = await to_thread.run_sync(
            essai.essayer, request.app, service, demande, request.state.identite, perimetre
        )
    return EssaiOut.model_validate(found)
