"""Past operations taken over from lists: their list, one of them, and undoing a mistake."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from aggregates.reprise import reprise as decisions
from aggregates.reprise.state import REPRISE
from api.deps import ActeOut, Ecriture, Lecture, lire_connu_le
from api.errors import refus
from api.v1.actes import commande
from api.v1.lectures import Filtres, Mot
from api.v1.representations import PageOut, Representation
from oi_service.dates import Jour
from oi_service.money import MontantSigne
from projections import reprises as projection
from projections.instantane import instantane
from projections.situation import situation
from rules.reprise import CodeAnomalie

router = APIRouter(prefix="/reprises", tags=["Opérations reprises"])


_AVEC_VERSION: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"$ref": "#/components/headers/ETag"}}}
}


class FiltresReprises(Filtres):
    """Operations taken over, at two dates."""

    subvention_globale_id: UUID | None = None
    programme: Mot | None = None
    anomalie: CodeAnomalie | None = None
    recherche: Mot | None = Field(
        None, description="Texte du programme, de l’intitulé, du bénéficiaire ou du code postal."
    )
    effet_au: Jour | None = Field(None, description="Dernier jour d’effet compté ; tous à défaut.")
    connu_le: str | None = Field(
        None,
        max_length=40,
        description="Jour, instant ou numéro d’événement jusqu’auquel le journal compte.",
    )


class RepriseOut(Representation):
    """Une opération passée, reprise d’une liste : elle n’a pas été programmée ici."""

    id: UUID
    subvention_globale_id: UUID = Field(
        description="Subvention globale dont la liste relève, ou ce qui en tient lieu hors "
        "subvention."
    )
    oi_id: str
    reglement: str
    programme: str
    intitule: str
    beneficiaire: str
    code_postal: str | None
    debut: date
    fin: date
    date_programmation: date
    cout_total_eligible: MontantSigne = Field(description="En euros.")
    fse: MontantSigne = Field(description="En euros.")
    pays: str
    categorie_intervention: str | None
    fonds: str
    anomalies: list[str] = Field(description="Ce que la reprise a signalé.")
    anomalies_libelles: list[str]
    fichier: str
    fichier_sha256: str
    ligne: int = Field(description="Ligne du fichier ; celle des colonnes est la première.")
    reference: str | None = Field(description="Numéro que la liste donne à sa ligne.")
    annulee_le: date | None = Field(description="Jour depuis lequel elle ne compte plus.")
    version: int = Field(description="À rappeler dans `If-Match`.")
    position: int = Field(description="Numéro de l’événement qui l’a reprise.")


class TotauxReprisesOut(Representation):
    """Toute la liste, quelle que soit la page ; ce qui est annulé n’y compte pas."""

    nombre: int
    annulees: int
    cout_total_eligible: MontantSigne = Field(description="En euros.")
    fse: MontantSigne = Field(description="En euros.")
    par_anomalie: dict[str, int]


class ReprisesOut(PageOut[RepriseOut]):
    """Une page des opérations reprises, et les totaux de toute la liste."""

    totaux: TotauxReprisesOut


@router.get("", responses=refus(422))
def lister_reprises(filtres: Annotated[FiltresReprises, Query()], lecture: Lecture) -> ReprisesOut:
    """Lister les opérations reprises, dans l’ordre de leur enregistrement."""
    connu = None if filtres.connu_le is None else lire_connu_le(filtres.connu_le)
    quand = situation(lecture.conn, filtres.effet_au, connu)
    choix = projection.FiltresReprises(
        subvention_globale_id=filtres.subvention_globale_id,
        programme=filtres.programme,
        anomalie=filtres.anomalie,
        recherche=filtres.recherche,
    )
    with instantane(lecture.conn):
        page = projection.reprises(
            lecture.conn,
            lecture.perimetre,
            choix,
            situation=quand,
            limite=filtres.limite,
            apres=filtres.apres,
        )
        totaux = projection.totaux(lecture.conn, lecture.perimetre, choix, situation=quand)
    return ReprisesOut.model_validate(
        {"lignes": page.lignes, "suivant": page.suivant, "totaux": totaux}
    )


@router.get("/{reprise_id}", responses=_AVEC_VERSION | refus(404))
def lire_reprise(reprise_id: UUID, lecture: Lecture, response: Response) -> RepriseOut:
    """Lire une opération reprise."""
    found = projection.reprise(lecture.conn, lecture.perimetre, reprise_id)
    response.headers["ETag"] = f'"{found.version}"'
    return RepriseOut.model_validate(found)


@commande(router, "/{reprise_id}/annulations")
def annuler_reprise(
    reprise_id: UUID, acte: decisions.AnnulerReprise, ecriture: Ecriture
) -> ActeOut:
    """Annuler une reprise faite par erreur.

    Ses montants ne comptent plus à partir de `date_effet`, au plus tôt son jour de programmation.
    """
    return ecriture.decide(REPRISE, reprise_id, decisions.annuler, acte)
