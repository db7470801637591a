"""The anchors of the log: their list, the text of one, and making one more."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from fastapi.responses import PlainTextResponse
from pydantic import Field

from aggregates.registre.ancrage import AncrerJournal
from aggregates.registre.state import REGISTRE_ID
from api.deps import ActeOut, Creation, EcritureOuverte, Lecture, ServiceOuvert
from api.errors import refus
from api.v1.actes import RACINE, cree
from api.v1.representations import Representation
from api.web import telechargement
from oi_service.application import Acte, Outcome, Service
from oi_service.preuve.ancrage import ancrer
from oi_service.preuve.ancres import Etat, lire_ancre, lister, taille_notee

CHEMIN = "/ancrages"
router = APIRouter(prefix=CHEMIN, tags=["Preuve"])

#: Largest number of events that an address may ask for.
_TAILLE_MAX = 10**12 - 1


class DestinationOut(Representation):
    """Où une ancre a été envoyée."""

    nature: str = Field(description="`fichier`, `courriel` ou `horodatage`.")
    ou: str = Field(description="Fichier, domaine du destinataire, ou serveur d’horodatage.")
    reussi: bool
    detail: str | None = Field(description="Pourquoi l’envoi a échoué, ou une remarque.")


class AncreOut(Representation):
    """Une ancre : un point signé du journal, gardé hors de la base."""

    nom: str = Field(examples=["ancre-000000006040.txt"])
    taille: int | None = Field(description="Nombre d’événements du journal à cet instant.")
    racine: str | None = Field(description="Racine de l’arbre du journal, en base64.")
    instant: str | None = Field(description="Instant de la signature, UTC.")
    cle: str | None = Field(description="Clé publique qui l’a signée, en base64.")
    position: int | None = Field(description="Événement qui la note.")
    destinations: list[DestinationOut]
    etat: Etat = Field(
        description="Ce qu’est devenu son fichier : `presente`, `absente` du dossier, `differente` "
        "de ce que le journal note, `non_ecrite` ce jour-là, `non_notee` par le journal, ou "
        "dossier `inaccessible`."
    )


class AncragesOut(Representation):
    """Les ancres du journal, de la plus ancienne à la plus récente."""

    lignes: list[AncreOut]


@router.get("")
def lister_ancrages(lecture: Lecture, service: ServiceOuvert) -> AncragesOut:
    """Lister les ancres du journal et l’état de leurs fichiers."""
    return AncragesOut.model_validate({"lignes": lister(lecture.conn, service.lieux.ancres)})


@router.get(
    "/{taille}",
    response_class=PlainTextResponse,
    responses={
        200: {
            "description": "Le point signé, à l’octet près : une note au format C2SP, que son "
            "destinataire garde telle quelle.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **refus(404, 409, 422, 503),
    },
)
def lire_ancrage(
    taille: Annotated[int, Path(ge=1, le=_TAILLE_MAX)], service: ServiceOuvert
) -> PlainTextResponse:
    """Télécharger une ancre, pour qui la garde hors de portée de l’organisme."""
    ancre = lire_ancre(service.lieux.ancres, taille)
    return PlainTextResponse(
        ancre.signe.texte,
        headers=telechargement(ancre.nom),
    )


async def hors_essai(ecriture: Creation) -> EcritureOuverte:
    """Lend a pen to an act that leaves the base: no trial could undo what it sends."""
    return ecriture


@cree(router, "")
def ancrer_journal(
    acte: AncrerJournal,
    ecriture: Annotated[EcritureOuverte, Depends(hors_essai)],
    service: ServiceOuvert,
    lecture: Lecture,
    response: Response,
) -> ActeOut:
    """Ancrer le journal : signer un point, l’écrire, l’envoyer et le faire dater.

    Le journal doit continuer toutes les ancres du dossier ; sinon rien n’est signé, et le refus dit
    laquelle est contredite. Un envoi qui échoue est noté dans l’événement.
    """
    fait = ecriture.une_fois(acte, REGISTRE_ID, lambda qui: _ancrer(service, qui, acte))
    [note] = fait.evenements
    response.headers["Location"] = f"{RACINE}{CHEMIN}/{taille_notee(lecture.conn, note.position)}"
    return fait


def _ancrer(service: Service, qui: Acte, commande: AncrerJournal) -> Outcome:
    fait = ancrer(service, a_la_demande=True, acte=qui, commande=commande)
    assert fait is not None, "who asks for an anchor gets one"
    return fait.outcome
