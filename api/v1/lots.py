"""Lots: workbooks that were imported, what each brought, importing one and undoing it."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from aggregates.commande import Empreinte, Texte
from aggregates.lot.annulation import AnnulerLot
from aggregates.lot.importation import ImporterLot, ImporterLotRessources, Nature
from api import actions_lots
from api.classeurs import Gravite, gabarit
from api.classeurs import Nature as NatureDeClasseur
from api.deps import ActeOut, Creation, Ecriture, EcritureOuverte, Lecture, ServiceOuvert
from api.errors import refus
from api.imports import XLSX, Demande, contexte, exiger_operation_lisible, nom_du_modele, regarder
from api.v1.actes import RACINE, commande, cree
from api.v1.lectures import Filtres
from api.v1.representations import PageOut, Representation
from api.web import telechargement
from oi_service.money import MontantSigne
from projections import lots as projection

router = APIRouter(prefix="/lots", tags=["Lots importés"])

_AVEC_VERSION: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"$ref": "#/components/headers/ETag"}}}
}
_CLASSEUR: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Le modèle",
        "content": {XLSX: {"schema": {"type": "string", "format": "binary"}}},
    },
    **refus(404, 422),
}


# --- Reading -------------------------------------------------------------------------------------


class FiltresLots(Filtres):
    """Lots."""

    nature: Nature | None = None
    operation_id: UUID | None = None


class LotOut(Representation):
    """Un classeur importé : ses lignes ont été enregistrées par un seul acte."""

    id: UUID
    numero: int = Field(description="Rang du lot dans le registre.")
    subvention_globale_id: UUID
    nature: str
    nature_libelle: str
    modele_version: int
    fichier_sha256: str = Field(description="Le classeur, à demander aux pièces.")
    fichier_format: str
    fichier_octets: int
    lignes_lues: int
    lignes: int = Field(description="Lignes enregistrées.")
    ecartees: int = Field(description="Lignes laissées de côté : en erreur, ou doublons.")
    total: MontantSigne = Field(description="Somme des lignes enregistrées, en euros.")
    total_controle: MontantSigne | None = Field(description="Total saisi à l’importation.")
    operations: list[UUID]
    plies: list[str] = Field(description="Vide : le lot porte sur l’organisme entier.")
    importe_le: date
    annule_le: date | None
    acteur: str
    enregistre_le: datetime
    version: int = Field(description="À rappeler dans `If-Match`.")
    position: int = Field(description="Numéro de l’événement qui l’a importé.")


class LigneDuLotOut(Representation):
    """Une ligne d’un lot, et ce qu’elle est devenue."""

    feuille: str
    ligne: int = Field(description="Numéro que montre le tableur.")
    flux: UUID = Field(description="Agrégat auquel son fait appartient.")
    montant: MontantSigne
    doublon: bool = Field(description="Vrai quand elle ressemblait à une ligne déjà enregistrée.")
    operation_id: UUID | None
    numero_mdfse: str | None
    piece_ref: str | None
    date_piece: date | None
    poste: str | None
    statut: str | None = Field(description="Statut de la dépense.")
    bilan_id: UUID | None


@router.get("", responses=refus(422))
def lister_lots(filtres: Annotated[FiltresLots, Query()], lecture: Lecture) -> PageOut[LotOut]:
    """Lister les lots importés, du dernier au premier."""
    page = projection.lots(lecture.conn, lecture.perimetre, **filtres.arguments())
    return PageOut[LotOut].model_validate(page)


@router.get("/modeles/{nature}", response_class=Response, responses=_CLASSEUR)
def telecharger_modele(
    nature: NatureDeClasseur, lecture: Lecture, operation_id: UUID | None = None
) -> Response:
    """Télécharger le modèle d’un classeur, pour une opération ou pour toutes."""
    if operation_id is not None:
        exiger_operation_lisible(lecture.conn, lecture.perimetre, operation_id)
    connu = contexte(lecture.conn, lecture.perimetre, nature, attendue=operation_id)
    return Response(
        gabarit(nature, connu),
        media_type=XLSX,
        headers=telechargement(nom_du_modele(nature, connu)),
    )


# --- Looking at a workbook -----------------------------------------------------------------------


class DemandeApercu(BaseModel):
    """A workbook that was deposited among the documents."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    nature: NatureDeClasseur
    fichier_sha256: Empreinte
    fichier_nom: Texte = Field(description="Son extension dit son format.")
    operation_id: UUID | None = None


class DefautOut(Representation):
    """Ce qui ne va pas dans une case, et quoi faire."""

    feuille: str
    ligne: int = Field(description="Numéro que montre le tableur ; 0 pour toute la feuille.")
    colonne: str = Field(description="Lettre ; vide pour toute la ligne.")
    titre: str
    valeur: str
    code: str
    message: str
    remede: str
    gravite: Gravite


class DoublonOut(Representation):
    """Une ligne déjà dans le classeur, ou déjà enregistrée."""

    feuille: str
    ligne: int
    autre_ligne: int | None
    depense_id: UUID | None
    lot: str | None


class DejaImporteOut(Representation):
    """Le lot que ce fichier a déjà donné."""

    id: UUID
    numero: int
    importe_le: date


class ApercuOut(Representation):
    """Ce qu’un classeur contient ; rien n’est enregistré."""

    nature: NatureDeClasseur
    version: int = Field(description="Version du modèle.")
    nb_lignes: int
    nb: int = Field(description="Lignes sans erreur, doublons compris.")
    total: MontantSigne = Field(description="Leur somme, à comparer au total de contrôle.")
    defauts: list[DefautOut]
    doublons: list[DoublonOut]
    deja: DejaImporteOut | None


@router.get("/apercu", responses=refus(404, 409, 422, 500))
def regarder_classeur(
    demandee: Annotated[DemandeApercu, Query()], lecture: Lecture, service: ServiceOuvert
) -> ApercuOut:
    """Regarder un classeur déposé, avant de l’importer."""
    depot = regarder(
        service.pieces,
        lecture.conn,
        lecture.perimetre,
        Demande(
            demandee.nature, demandee.fichier_sha256, demandee.fichier_nom, demandee.operation_id
        ),
    )
    with service.reads.connection() as conn:
        _, deja = projection.lot_du_fichier(conn, demandee.nature, demandee.fichier_sha256)
    vu = depot.apercu
    return ApercuOut(
        nature=vu.nature,
        version=vu.version,
        nb_lignes=vu.nb_lignes,
        nb=vu.nb,
        total=vu.total,
        defauts=[DefautOut.model_validate(d) for d in vu.defauts],
        doublons=[DoublonOut.model_validate(d) for d in vu.doublons],
        deja=None if deja is None else DejaImporteOut.model_validate(deja),
    )


@router.get("/{lot_id:uuid}", responses=_AVEC_VERSION | refus(404))
def lire_lot(lot_id: UUID, lecture: Lecture, response: Response) -> LotOut:
    """Lire un lot."""
    found = projection.lot(lecture.conn, lecture.perimetre, lot_id)
    response.headers["ETag"] = f'"{found.version}"'
    return LotOut.model_validate(found)


@router.get("/{lot_id}/lignes", responses=refus(404, 422))
def lister_lignes_du_lot(
    lot_id: UUID, filtres: Annotated[Filtres, Query()], lecture: Lecture
) -> PageOut[LigneDuLotOut]:
    """Lister les lignes d’un lot, dans l’ordre du classeur."""
    page = projection.lignes_du_lot(lecture.conn, lecture.perimetre, lot_id, **filtres.arguments())
    return PageOut[LigneDuLotOut].model_validate(page)


# --- Importing, undoing --------------------------------------------------------------------------


@cree(router, "/depenses")
def importer_lot_depenses(acte: ImporterLot, ecriture: Creation) -> ActeOut:
    """Importer un classeur de dépenses, toutes ses lignes ou aucune.

    Le classeur est d’abord déposé parmi les pièces ; il est relu ici, dans l’état présent du
    registre. Chaque fait de la réponse porte, dans `flux`, l’identifiant de ce qu’une ligne a fait.
    """
    return _importer(ecriture, "depenses", acte)


@cree(router, "/ressources")
def importer_lot_ressources(acte: ImporterLotRessources, ecriture: Creation) -> ActeOut:
    """Importer un classeur de ressources avec le bilan qui les porte : l’un et l’autre, ou rien.

    Les ressources d’un classeur sont celles d’un seul bilan, donc d’un seul dossier.
    """
    return _importer(ecriture, "ressources", acte)


@cree(router, "/indicateurs")
def importer_lot_indicateurs(acte: ImporterLot, ecriture: Creation) -> ActeOut:
    """Importer un classeur d’indicateurs, toutes ses lignes ou aucune."""
    return _importer(ecriture, "indicateurs", acte)


@cree(router, "/contreparties")
def importer_lot_contreparties(acte: ImporterLot, ecriture: Creation) -> ActeOut:
    """Importer un classeur de contreparties attribuées et perçues, toutes ses lignes ou aucune."""
    return _importer(ecriture, "contreparties", acte)


def _importer(ecriture: EcritureOuverte, nature: Nature, acte: ImporterLot) -> ActeOut:
    demande = Demande(nature, acte.fichier_sha256, acte.fichier_nom, acte.operation_id)
    journal = ecriture.journal
    with journal.pool.connection() as conn:
        lot_id, _ = projection.lot_du_fichier(conn, nature, acte.fichier_sha256)
        depot = regarder(journal.pieces, conn, ecriture.personne.perimetre, demande)
    return ecriture.run(
        actions_lots.importer_lot, lot_id, acte, nature, depot, location=f"{RACINE}/lots/{lot_id}"
    )


@commande(router, "/depenses/{lot_id}/annulation")
def annuler_lot_depenses(lot_id: UUID, acte: AnnulerLot, ecriture: Ecriture) -> ActeOut:
    """Annuler d’un bloc un lot de dépenses.

    Refusé en entier, avec la liste, si un bilan déposé porte une de ses dépenses.
    """
    return ecriture.run(actions_lots.annuler_lot, lot_id, acte, "depenses")


@commande(router, "/ressources/{lot_id}/annulation")
def annuler_lot_ressources(lot_id: UUID, acte: AnnulerLot, ecriture: Ecriture) -> ActeOut:
    """Annuler un lot de ressources : le bilan déposé avec elles est renvoyé au bénéficiaire.

    Refusé si le contrôle de ce bilan a commencé.
    """
    return ecriture.run(actions_lots.annuler_lot, lot_id, acte, "ressources")


@commande(router, "/indicateurs/{lot_id}/annulation")
def annuler_lot_indicateurs(lot_id: UUID, acte: AnnulerLot, ecriture: Ecriture) -> ActeOut:
    """Annuler d’un bloc un lot d’indicateurs : chaque valeur précédente compte de nouveau.

    Refusé en entier si un indicateur a été renseigné de nouveau depuis.
    """
    return ecriture.run(actions_lots.annuler_lot, lot_id, acte, "indicateurs")


@commande(router, "/contreparties/{lot_id}/annulation")
def annuler_lot_contreparties(lot_id: UUID, acte: AnnulerLot, ecriture: Ecriture) -> ActeOut:
    """Annuler d’un bloc un lot de contreparties, attribuées et perçues.

    Refusé en entier si une attribution appuie une opération ou a reçu d’autres versements.
    """
    return ecriture.run(actions_lots.annuler_lot, lot_id, acte, "contreparties")
