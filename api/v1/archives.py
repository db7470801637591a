"""The archive of an auditor, to download."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from api.archive.demande import DemandeArchive, exiger_accordable, lire_accordee
from api.archive.lectures import lectures
from api.deps import Lecture, ServiceOuvert, personne
from api.errors import refus
from api.porte import Personne
from api.v1.representations import FicheOperationOut
from api.web import telechargement
from oi_service.preuve.archive.composer import composer
from projections.fiche_operation import FicheOperation

router = APIRouter(prefix="/archives", tags=["Lectures"])

_ZIP = {"schema": {"type": "string", "format": "binary"}}


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
    exiger_accordable(demandee, qui.role, lecture.perimetre)
    demande = lire_accordee(service, demandee)
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
