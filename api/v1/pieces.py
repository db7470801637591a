"""The files of documents: deposited, then read back as they were. None of it is an event."""

from contextlib import ExitStack
from typing import Annotated, Any
from urllib.parse import unquote

import structlog
from fastapi import APIRouter, Depends, Header, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import Field

from aggregates.commande import Empreinte
from api.deps import Lecture, ServiceOuvert, personne
from api.errors import refus
from api.porte import Personne
from api.v1.representations import Representation
from api.web import Envoi, telechargement
from oi_service.pieces import FORMATS
from projections.pieces import exiger_lisible

log = structlog.get_logger()

#: Where a body is as large as a document may be; the store bounds it.
CHEMIN = "/pieces"
router = APIRouter(prefix=CHEMIN, tags=["Pièces"])

#: A file, under the name of its format, or of none when it is not known.
_FICHIERS: dict[str, Any] = {
    media: {"schema": {"type": "string", "format": "binary"}}
    for media in ("application/octet-stream", *(f.medias[0] for f in FORMATS))
}
_CORPS = {"required": True, "content": _FICHIERS}


class DepotOut(Representation):
    """Une pièce déposée."""

    sha256: str = Field(description="Empreinte du fichier, à rappeler dans `pieces` d’un acte.")
    octets: int
    type: str = Field(description="Format reconnu.", examples=["pdf"])
    deja_connue: bool = Field(description="Vrai quand ce contenu était déjà déposé.")


@router.post(
    "",
    status_code=201,
    response_description="Pièce déposée",
    responses=refus(413, 415, 422, 500, 507),
    openapi_extra={"requestBody": _CORPS},
)
async def deposer_piece(
    request: Request,
    response: Response,
    service: ServiceOuvert,
    qui: Annotated[Personne, Depends(personne)],
    nom: Annotated[
        str,
        Header(
            alias="OI-Nom-Fichier",
            max_length=1000,
            description="Nom du fichier avec son extension, encodé comme une adresse "
            "(`encodeURIComponent`). Il n’est pas conservé.",
            examples=["Facture%20n%C2%B0%2012.pdf"],
        ),
    ],
) -> DepotOut:
    """Déposer une pièce justificative, dont le corps de la demande est le fichier.

    Elle devient une preuve le jour où un acte la nomme dans ses `pieces` ; le dépôt, lui, n’est
    pas un événement. Le même contenu déposé deux fois n’est gardé qu’une fois.
    """
    ouvrir = service.pieces.depot(unquote(nom), request.headers.get("Content-Type"))
    with ExitStack() as stack:
        # The disk may be slow: whoever waits for it is a thread, never the loop of every request.
        depot = await run_in_threadpool(stack.enter_context, ouvrir)
        async for morceau in request.stream():
            await run_in_threadpool(depot.ecrire, morceau)
        deposee = await run_in_threadpool(depot.finir)
    log.info("piece_deposee", acteur=qui.acteur, role=qui.role, sha256=deposee.sha256)
    response.headers["Location"] = f"{request.url.path}/{deposee.sha256}"
    return DepotOut.model_validate(deposee)


@router.get(
    "/{sha256}",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Le fichier, octet pour octet.",
            "content": _FICHIERS,
        },
        **refus(404, 422, 500),
    },
)
def telecharger_piece(
    sha256: Annotated[Empreinte, Path(description="Empreinte du fichier.")],
    lecture: Lecture,
    service: ServiceOuvert,
    qui: Annotated[Personne, Depends(personne)],
) -> Envoi:
    """Télécharger une pièce.

    Ses octets sont relus avant l’envoi : un fichier altéré n’est jamais montré. Une pièce que seuls
    des dossiers d’audit nomment est pour un auditeur.
    """
    exiger_lisible(lecture.conn, lecture.perimetre, sha256, auditeur=qui.role == "auditeur")
    lue = service.pieces.lire(sha256)
    entetes = telechargement(f"{sha256[:16]}.{lue.extension}")
    return Envoi(lue, lue.morceaux(), lue.media, {"Content-Length": str(lue.octets), **entetes})
