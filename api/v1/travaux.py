"""Long work in the background: asking for it, following it, taking its files."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Response
from fastapi.responses import FileResponse
from pydantic import Field

from api.archive.demande import DemandeArchive
from api.errors import refus
from api.travaux import DemandeExport, MesTravaux, MesTravauxOuverts
from api.v1.actes import RACINE
from api.v1.representations import Representation
from api.web import telechargement
from oi_service.travaux import NATURES, Etat, Travail

CHEMIN = "/travaux"
router = APIRouter(prefix=CHEMIN, tags=["Travaux"])


class FichierOut(Representation):
    """Un fichier produit par un travail."""

    nom: str
    media: str = Field(description="Type du contenu.", examples=["application/zip"])
    octets: int
    sha256: str


class TravailOut(Representation):
    """Un travail de longue durée."""

    id: UUID
    nature: str = Field(examples=["verification", "archive"])
    libelle: str
    etat: Etat = Field(
        description="`attend`, `en_cours`, puis `fini`, `echoue`, `interrompu` (le service s’est "
        "arrêté) ou `annule`."
    )
    etat_libelle: str
    fait: int = Field(description="Ce qui est fait de l’étape en cours.")
    total: int = Field(description="Ce que l’étape compte ; 0 tant que ce n’est pas connu.")
    phrase: str = Field(description="Où en est le travail, ou pourquoi il a échoué.")
    demande: dict[str, Any]
    resultat: dict[str, Any] | None = Field(description="`null` tant qu’il n’est pas fini.")
    fichiers: list[FichierOut]
    fichiers_jusqu_au: datetime | None = Field(description="Après quoi les fichiers sont effacés.")
    reprend: UUID | None = Field(description="Travail que celui-ci recommence.")
    demande_le: datetime
    commence_le: datetime | None
    fini_le: datetime | None


class TravauxOut(Representation):
    """Les travaux du compte, du plus récent au plus ancien."""

    lignes: list[TravailOut]


def _montrer(travail: Travail) -> TravailOut:
    nature = NATURES.get(travail.nature)
    lus = {nom: getattr(travail, nom) for nom in TravailOut.model_fields if nom != "libelle"}
    return TravailOut.model_validate(
        {**lus, "libelle": travail.nature if nature is None else nature.libelle}
    )


def _lance(reponse: Response, travaux: MesTravaux, travail_id: UUID) -> TravailOut:
    reponse.headers["Location"] = f"{RACINE}{CHEMIN}/{travail_id}"
    return _montrer(travaux.lire(travail_id))


_LANCE: dict[str, Any] = {
    "status_code": 202,
    "response_description": "Le travail est demandé ; le même, encore en attente ou en cours, "
    "n’est pas demandé deux fois.",
    "responses": {
        202: {"headers": {"Location": {"$ref": "#/components/headers/Location"}}},
        **refus(404, 409, 422, 503),
    },
}


@router.get("")
def lister_travaux(travaux: MesTravauxOuverts) -> TravauxOut:
    """Lister ses travaux."""
    return TravauxOut(lignes=[_montrer(t) for t in travaux.lister()])


@router.get("/{travail_id:uuid}", responses=refus(404))
def lire_travail(travail_id: UUID, travaux: MesTravauxOuverts) -> TravailOut:
    """Lire un de ses travaux : où il en est, ce qu’il a produit."""
    return _montrer(travaux.lire(travail_id))


@router.post("/verifications", **_LANCE)
def lancer_verification(travaux: MesTravauxOuverts, response: Response) -> TravailOut:
    """Demander la vérification des livres, des sceaux, des ancres et des pièces."""
    return _lance(response, travaux, travaux.verifier())


@router.post("/comparaisons", **_LANCE)
def lancer_comparaison(travaux: MesTravauxOuverts, response: Response) -> TravailOut:
    """Demander de rejouer le journal à côté, et de comparer avec ce qui est affiché."""
    return _lance(response, travaux, travaux.comparer())


@router.post("/archives", **_LANCE)
def lancer_archive(
    demandee: DemandeArchive, travaux: MesTravauxOuverts, response: Response
) -> TravailOut:
    """Demander l’archive d’un dossier, d’un PLIE ou de tout, pour l’auditeur."""
    return _lance(response, travaux, travaux.archiver(demandee))


@router.post("/exports-du-journal", **_LANCE)
def lancer_export_journal(
    demandee: DemandeExport, travaux: MesTravauxOuverts, response: Response
) -> TravailOut:
    """Demander l’export du journal entier, un événement par ligne (JSON)."""
    return _lance(response, travaux, travaux.exporter_journal(demandee))


@router.post("/{travail_id}/annulation", responses=refus(404, 409))
def annuler_travail(travail_id: UUID, travaux: MesTravauxOuverts) -> TravailOut:
    """Annuler un travail : aussitôt s’il attend, à sa prochaine étape s’il est en cours."""
    travaux.annuler(travail_id)
    return _montrer(travaux.lire(travail_id))


@router.post("/{travail_id}/relance", **_LANCE)
def relancer_travail(
    travail_id: UUID, travaux: MesTravauxOuverts, response: Response
) -> TravailOut:
    """Refaire un travail terminé, échoué, interrompu ou annulé : la même demande."""
    return _lance(response, travaux, travaux.relancer(travail_id))


@router.get(
    "/{travail_id}/fichiers/{nom}",
    response_class=FileResponse,
    responses={
        200: {
            "description": "Le fichier. Son `ETag` est son empreinte SHA-256.",
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
            "headers": {"ETag": {"schema": {"type": "string"}}},
        },
        **refus(404),
    },
)
def telecharger_fichier_de_travail(
    travail_id: UUID,
    nom: Annotated[str, Path(max_length=160)],
    travaux: MesTravauxOuverts,
) -> FileResponse:
    """Télécharger un fichier produit par un de ses travaux."""
    travail = travaux.lire(travail_id)
    fichier = travail.fichier(nom)
    return FileResponse(
        travaux.service.travaux.chemin(travail, nom),
        media_type=fichier.media,
        headers={"ETag": f'"{fichier.sha256}"', **telechargement(nom)},
    )
