"""A document seen in the browser: only what it shows itself, of bytes that were looked at."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from aggregates.commande import Empreinte
from api.deps import Lecture, ServiceOuvert, personne
from api.porte import Personne
from api.web import Envoi, telechargement
from projections.pieces import exiger_lisible

router = APIRouter()

#: What a browser shows by itself and that runs nothing; anything else is kept, never shown.
_MONTRES = {"image/png", "image/jpeg"}
_PDF = "application/pdf"
_IMAGE_SEULE = "default-src 'none'; sandbox; frame-ancestors 'self'"
#: Readers of PDF of browsers refuse to work in a sandbox of ours; they are one of their own.
_PDF_SEUL = (
    "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
)


@router.get("/pieces/{sha256}", name="voir_piece")
def voir_piece(
    sha256: Annotated[Empreinte, Path()],
    lecture: Lecture,
    service: ServiceOuvert,
    qui: Annotated[Personne, Depends(personne)],
) -> Envoi:
    """Montre une pièce PDF, PNG ou JPEG ; télécharge les autres."""
    exiger_lisible(lecture.conn, lecture.perimetre, sha256, auditeur=qui.role == "auditeur")
    lue = service.pieces.lire(sha256)
    nom = f"{sha256[:16]}.{lue.extension}"
    entetes = {"Content-Length": str(lue.octets), **telechargement(nom)}
    if lue.media in _MONTRES or lue.media == _PDF:
        entetes["Content-Disposition"] = f'inline; filename="{nom}"'
        entetes["Content-Security-Policy"] = _PDF_SEUL if lue.media == _PDF else _IMAGE_SEULE
    return Envoi(lue, lue.morceaux(), lue.media, entetes)
