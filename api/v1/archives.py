"""The archive of an auditor, to download."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from api.archive.lectures import lectures
from api.deps import (
    CONNU_LE,
    CONNU_LE_EXEMPLES,
    CONNU_LE_MAX,
    EFFET_AU,
    Lecture,
    ServiceOuvert,
    lire_connu_le,
    personne,
)
from api.errors import refus
from api.porte import Personne
from api.v1.representations import FicheOperationOut
from api.web import telechargement
from oi_service.dates import Jour
from oi_service.errors import Forbidden, RuleBroken
from oi_service.preuve.archive.composer import composer
from oi_service.preuve.archive.demande import Demande, lire_demande
from projections.fiche_operation import FicheOperation
from projections.situation import situation

router = APIRouter(prefix="/archives", tags=["Lectures"])

_ZIP = {"schema": {"type": "string", "format": "binary"}}
#: Longest number of a dossier, or code of a PLIE.
_CODE_MAX = 64


class ArchiveSansObjet(RuleBroken):
    """Dites ce que l’archive contient : un dossier, un PLIE, ou tout le journal, et un seul des
    trois.
    """


class ArchiveReservee(Forbidden):
    """Une archive contient des faits de tout l’organisme intermédiaire : elle n’est pas offerte à
    un périmètre restreint.
    """


class ArchiveDeToutReservee(Forbidden):
    """L’archive de tout contient les dossiers de travail d’audit : elle est pour un auditeur."""


class DemandeArchive(BaseModel):
    """What is asked. Unknown names are refused: a typing error never passes for a filter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dossier: str | None = Field(
        None, max_length=_CODE_MAX, description="Numéro d’un dossier, ou son identifiant."
    )
    plie: str | None = Field(None, max_length=_CODE_MAX, description="Code d’un PLIE.")
    tout: bool = Field(
        default=False, description="Tout le journal, dossiers d’audit compris : pour un auditeur."
    )
    effet_au: Jour | None = Field(None, description=EFFET_AU)
    connu_le: str | None = Field(
        None, max_length=CONNU_LE_MAX, description=CONNU_LE, examples=CONNU_LE_EXEMPLES
    )


def ecrire_fiche(fiche: FicheOperation) -> bytes:
    """Write the state of a dossier as its address does."""
    return FicheOperationOut.model_validate(fiche).model_dump_json(indent=1).encode() + b"\n"


@router.get(
    "",
    response_class=FileResponse,
    responses={
        200: {
            "description": "L’archive. Son `ETag` est son empreinte SHA-256.",
            "content": {"application/zip": _ZIP},
            "headers": {"ETag": {"schema": {"type": "string"}}},
        },
        **refus(403, 404, 409, 422, 503),
    },
)
def telecharger_archive(
    demandee: Annotated[DemandeArchive, Query()],
    lecture: Lecture,
    service: ServiceOuvert,
    qui: Annotated[Personne, Depends(personne)],
) -> FileResponse:
    """Télécharger l’archive d’un dossier, d’un PLIE ou de tout, pour l’auditeur.

    Elle contient les événements et leurs preuves, les pièces déposées, les règles, de quoi lire, et
    un programme qui la vérifie seul. La même demande donne les mêmes octets. Si aucun point signé
    ne couvre encore ce qui est demandé, le journal est ancré.
    """
    if sum((demandee.dossier is not None, demandee.plie is not None, demandee.tout)) != 1:
        raise ArchiveSansObjet
    if lecture.perimetre.plie_ids is not None:
        raise ArchiveReservee
    if demandee.tout:
        _exiger_auditeur(qui)
    demande = _lire(service, demandee)
    dossier = Path(tempfile.mkdtemp(prefix="oi-archive-"))
    effacer = BackgroundTask(shutil.rmtree, dossier)
    try:
        composee = composer(
            service, demande, dossier / f"{demande.nom}.zip", lectures(ecrire_fiche)
        )
    except BaseException:
        shutil.rmtree(dossier)
        raise
    return FileResponse(
        composee.fichier,
        media_type="application/zip",
        headers={"ETag": f'"{composee.sha256}"', **telechargement(composee.fichier.name)},
        background=effacer,
    )


def _exiger_auditeur(qui: Personne) -> None:
    if qui.role != "auditeur":
        raise ArchiveDeToutReservee


def _lire(service: ServiceOuvert, demandee: DemandeArchive) -> Demande:
    # Its own connection, given back before the archive takes another.
    connu = None if demandee.connu_le is None else lire_connu_le(demandee.connu_le)
    with service.reads.connection() as conn:
        quand = situation(conn, demandee.effet_au, connu)
        return lire_demande(conn, quand, dossier=demandee.dossier, plie=demandee.plie)
