"""The working files of auditors, which no other role reads nor writes (ADR 0018)."""

import json
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from aggregates.audit import constats, dossier, echantillons, populations
from aggregates.audit.events import MontantAudite, Portee
from aggregates.audit.state import AUDIT
from api import actions_audit as actions
from api.deps import ActeOut, Creation, Ecriture, Lecture
from api.errors import refus
from api.v1.actes import RACINE, ajoute, commande, cree
from api.v1.representations import LigneDuJournalOut, Representation
from api.web import telechargement
from oi_service.money import MontantSigne
from projections import audit as projection
from projections.audit import DossierAudite
from projections.echantillons import documents_des_audits
from projections.journal import journal_de_l_audit
from projections.populations import population
from rules.tirages import (
    Critere,
    Methode,
    Repartition,
    Selection,
    liste_canonique,
)

router = APIRouter(
    prefix="/audit",
    tags=["Audit"],
)


# --- What is shown -------------------------------------------------------------------------------


class DefinitionOut(Representation):
    """Quelles dépenses."""

    portee: Portee
    operation_id: UUID | None
    plie_id: str | None
    etat_no: str | None


class PopulationOut(Representation):
    """Une population figée : la même liste pour toujours."""

    id: UUID
    figee_le: date
    definition: DefinitionOut
    montant: MontantAudite
    position: int = Field(description="Événement jusqu’auquel le journal a été lu.")
    nombre: int
    total: MontantSigne = Field(description="En euros.")
    a_part_nombre: int = Field(description="Montants nuls ou négatifs, jamais tirés.")
    a_part: MontantSigne = Field(description="En euros.")
    empreinte: str = Field(description="SHA-256 de la liste au format CSV.")
    tirages: int = Field(description="Nombre de tirages : tous sont conservés.")


class ParametresOut(Representation):
    """Ce qui a été demandé au tirage."""

    taille: int
    critere: Critere | None
    bornes: list[MontantSigne] = Field(validation_alias="bornes_centimes")
    repartition: Repartition | None
    selection: Selection | None


class StrateOut(Representation):
    """Une strate et son tirage."""

    code: str
    selection: Selection
    nombre: int
    total: MontantSigne = Field(validation_alias="total_centimes")
    exhaustives: int = Field(
        validation_alias="exhaustives_nombre",
        description="Dépenses qui atteignent l’intervalle, toutes prises.",
    )
    tirees: int = Field(validation_alias="tirees_nombre")
    base: MontantSigne = Field(
        validation_alias="base_centimes",
        description="Ce qui est laissé au hasard ; divisé par `tirees`, c’est l’intervalle.",
    )
    depart: int | None = Field(description="Unité monétaire où le tirage commence.")


class UniteOut(Representation):
    """Une dépense tirée, et ce que l’auditeur y a trouvé."""

    depense_id: UUID
    montant: MontantSigne
    strate: str
    exhaustive: bool
    erreur: MontantSigne | None = Field(description="`null` tant que rien n’est noté.")
    commentaire: str | None


class ResultatStrateOut(Representation):
    """L’erreur d’une strate."""

    code: str
    total: MontantSigne = Field(validation_alias="total_centimes")
    erreur_constatee: MontantSigne = Field(validation_alias="erreur_constatee_centimes")
    erreur_projetee_exacte: str = Field(description="Fraction de centimes.")


class ResultatOut(Representation):
    """L’erreur projetée d’un échantillon, arrondie une fois."""

    arrete_le: date
    total: MontantSigne
    erreur_constatee: MontantSigne
    erreur_projetee: MontantSigne
    erreur_projetee_exacte: str = Field(description="Fraction de centimes.")
    strates: list[ResultatStrateOut]
    condition: str = Field(description="Ce que vaut cette erreur, et ce qu’elle ne permet pas.")


class EchantillonOut(Representation):
    """Un tirage, que chacun peut refaire (docs/tirages.md)."""

    id: UUID
    population_id: UUID
    tire_le: date
    position: int = Field(description="Événement qui a scellé le tirage.")
    rang: int = Field(description="Place parmi les tirages de la population.")
    tirages: int = Field(description="Nombre de tirages de la population.")
    methode: Methode
    algorithme: str
    parametres: ParametresOut
    graine: str
    graine_origine: str | None
    etend: UUID | None
    remplace: UUID | None
    suivi_par: UUID | None = Field(description="Tirage qui étend ou remplace celui-ci.")
    motif: str | None
    strates: list[StrateOut]
    tirage: list[UniteOut]
    tirage_montant: MontantSigne
    resultat: ResultatOut | None


class DossierAuditResumeOut(Representation):
    """Un dossier de travail."""

    id: UUID
    subvention_globale_id: UUID
    version: int = Field(description="À rappeler dans `If-Match`.")
    ouvert_le: date
    mission: str
    organisme: str
    reference: str
    perimetre: str
    clos_le: date | None
    conclusion: str | None


class DossierAuditOut(DossierAuditResumeOut):
    """Un dossier de travail, et tout ce qu’il contient."""

    populations: list[PopulationOut]
    echantillons: list[EchantillonOut]


# --- Reading -------------------------------------------------------------------------------------

_AVEC_VERSION: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"$ref": "#/components/headers/ETag"}}}
}
_DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "Le document « oi-echantillon/1 »", "content": {"application/json": {}}},
    **refus(404),
}
_DOSSIER = "/dossiers/{dossier_id}"
_POPULATION = f"{_DOSSIER}/populations/{{population_id}}"
_ECHANTILLON = f"{_DOSSIER}/echantillons/{{echantillon_id}}"


@router.get("/dossiers")
def lister_dossiers_audit(lecture: Lecture) -> list[DossierAuditResumeOut]:
    """Lister les dossiers de travail, du plus ancien au plus récent."""
    lus = projection.dossiers_audit(lecture.conn, lecture.perimetre)
    return [DossierAuditResumeOut.model_validate(lu) for lu in lus]


@router.get(_DOSSIER, responses=_AVEC_VERSION | refus(404))
def lire_dossier_audit(dossier_id: UUID, lecture: Lecture, response: Response) -> DossierAuditOut:
    """Lire un dossier de travail : populations, tirages, constats, résultats."""
    lu = _lire(lecture, dossier_id)
    response.headers["ETag"] = f'"{lu.version}"'
    return DossierAuditOut.model_validate(lu)


@router.get(f"{_DOSSIER}/journal", responses=refus(404))
def lire_journal_de_l_audit(dossier_id: UUID, lecture: Lecture) -> list[LigneDuJournalOut]:
    """Lire l’histoire d’un dossier de travail : elle n’est dans aucune autre."""
    _lire(lecture, dossier_id)
    lus = journal_de_l_audit(lecture.conn, lecture.perimetre, dossier_id=dossier_id)
    return [LigneDuJournalOut.model_validate(lu) for lu in lus]


@router.get(_POPULATION, responses=_AVEC_VERSION | refus(404))
def lire_population(
    dossier_id: UUID, population_id: UUID, lecture: Lecture, response: Response
) -> PopulationOut:
    """Lire une population figée, et le nombre de ses tirages."""
    lu = _lire(lecture, dossier_id)
    response.headers["ETag"] = f'"{lu.version}"'
    return PopulationOut.model_validate(lu.population(population_id))


@router.get(_ECHANTILLON, responses=_AVEC_VERSION | refus(404))
def lire_echantillon(
    dossier_id: UUID, echantillon_id: UUID, lecture: Lecture, response: Response
) -> EchantillonOut:
    """Lire un tirage, ses constats et son résultat."""
    lu = _lire(lecture, dossier_id)
    response.headers["ETag"] = f'"{lu.version}"'
    return EchantillonOut.model_validate(lu.echantillon(echantillon_id))


#: A list to take away.
FormatDeListe = Annotated[
    Literal["csv", "jsonl"],
    Query(alias="format", description="Un tableau, ou un objet JSON par ligne."),
]
_LISTE: dict[int | str, dict[str, Any]] = {
    200: {"description": "La liste", "content": {"text/csv": {}, "application/x-ndjson": {}}},
    **refus(404, 422),
}


@router.get(f"{_POPULATION}/liste", response_class=Response, responses=_LISTE)
def lister_population(
    dossier_id: UUID, population_id: UUID, lecture: Lecture, sous: FormatDeListe = "csv"
) -> Response:
    """Lire la liste d’une population, dans l’ordre de son empreinte, montants en centimes.

    L’empreinte SHA-256 de la population est celle des octets de ce CSV.
    """
    lu = _lire(lecture, dossier_id)
    figee = lu.population(population_id)
    lignes = population(
        lecture.conn, lu.subvention_globale_id, figee.definition, figee.montant, figee.position
    )
    return _liste(liste_canonique(lignes), sous)


@router.get(f"{_ECHANTILLON}/liste", response_class=Response, responses=_LISTE)
def lister_echantillon(
    dossier_id: UUID, echantillon_id: UUID, lecture: Lecture, sous: FormatDeListe = "csv"
) -> Response:
    """Lire les dépenses tirées, dans l’ordre du tirage, montants en centimes."""
    lu = _lire(lecture, dossier_id).echantillon(echantillon_id)
    colonnes = ("id", "montant_centimes", "strate", "prise_entiere", "erreur_centimes")
    lignes = (
        (
            str(u.depense_id),
            str(u.montant),
            u.strate,
            "oui" if u.exhaustive else "non",
            "" if u.erreur is None else str(u.erreur),
        )
        for u in lu.tirage
    )
    return _liste("".join(";".join(ligne) + "\n" for ligne in (colonnes, *lignes)), sous)


@router.get(f"{_ECHANTILLON}/document", response_class=Response, responses=_DOCUMENT)
def lire_document(dossier_id: UUID, echantillon_id: UUID, lecture: Lecture) -> Response:
    """Lire tout ce qu’il faut pour refaire un tirage : la population, la graine, les paramètres."""
    _lire(lecture, dossier_id).echantillon(echantillon_id)
    [document] = documents_des_audits(
        lecture.conn, lecture.perimetre, echantillon_id=echantillon_id
    )
    return Response(json.dumps(document.contenu, ensure_ascii=False), media_type="application/json")


def _lire(lecture: Lecture, dossier_id: UUID) -> DossierAudite:
    return projection.dossier_audit(lecture.conn, lecture.perimetre, dossier_id)


def _liste(tableau: str, sous: str) -> Response:
    """Answer a table as it is, or each of its lines as an object.

    Its bytes are those that a digest names, so no cell is rewritten for a spreadsheet: none needs
    it, as identifiers, codes and whole cents cannot begin a formula.
    """
    garder = telechargement(f"liste.{sous}")
    if sous == "csv":
        return Response(tableau, media_type="text/csv", headers=garder)
    colonnes, *lignes = (ligne.split(";") for ligne in tableau.splitlines())
    objets = (dict(zip(colonnes, ligne, strict=True)) for ligne in lignes)
    return Response(
        "".join(json.dumps(_typer(objet), ensure_ascii=False) + "\n" for objet in objets),
        media_type="application/x-ndjson",
        headers=garder,
    )


def _typer(objet: dict[str, str]) -> dict[str, str | int | None]:
    return {
        nom: valeur if not nom.endswith("_centimes") else int(valeur) if valeur else None
        for nom, valeur in objet.items()
    }


# --- Writing -------------------------------------------------------------------------------------


@cree(router, "/subventions-globales/{subvention_globale_id}/dossiers")
def ouvrir_dossier_audit(
    subvention_globale_id: UUID, acte: dossier.OuvrirDossierAudit, ecriture: Creation
) -> ActeOut:
    """Ouvrir un dossier de travail sur une subvention globale."""
    new = ecriture.new_id("dossier_audit")
    return ecriture.run(
        actions.ouvrir_dossier,
        new,
        acte,
        subvention_globale_id,
        location=f"{RACINE}/audit/dossiers/{new}",
    )


@ajoute(router, f"{_DOSSIER}/populations")
def figer_population(
    dossier_id: UUID, acte: populations.FigerPopulation, ecriture: Ecriture
) -> ActeOut:
    """Figer une population de dépenses, telle que le journal la connaît à un événement.

    Une dépense annulée n’en est pas. `retenu` est ce que le dernier contrôle validé a retenu. Un
    état de dépenses ne nomme pas ses dépenses : ce sont celles dont le premier contrôle a été
    validé entre l’état précédent de la même convention et celui-ci.
    """
    new = ecriture.new_id("population")
    return ecriture.run(
        actions.figer_population,
        dossier_id,
        acte,
        new,
        new=new,
        location=f"{RACINE}/audit/dossiers/{dossier_id}/populations/{new}",
    )


@ajoute(router, f"{_DOSSIER}/echantillons")
def tirer_echantillon_audit(
    dossier_id: UUID, acte: echantillons.TirerEchantillonAudit, ecriture: Ecriture
) -> ActeOut:
    """Tirer un échantillon d’une population figée (docs/tirages.md).

    Tous les tirages sont conservés. Un second tirage étend le précédent, ou le remplace et dit
    pourquoi.
    """
    new = ecriture.new_id("echantillon")
    return ecriture.run(
        actions.tirer_echantillon,
        dossier_id,
        acte,
        new,
        new=new,
        location=f"{RACINE}/audit/dossiers/{dossier_id}/echantillons/{new}",
    )


@commande(router, f"{_ECHANTILLON}/constats")
def noter_constats(
    dossier_id: UUID, echantillon_id: UUID, acte: constats.NoterConstats, ecriture: Ecriture
) -> ActeOut:
    """Noter ce qui est trouvé dans les dépenses tirées, zéro compris."""
    return ecriture.decide(AUDIT, dossier_id, constats.noter, acte, echantillon_id)


@commande(router, f"{_ECHANTILLON}/constats/{{depense_id}}/correction")
def corriger_constat(
    dossier_id: UUID,
    echantillon_id: UUID,
    depense_id: UUID,
    acte: constats.CorrigerConstat,
    ecriture: Ecriture,
) -> ActeOut:
    """Corriger un constat ; le précédent reste dans le dossier."""
    return ecriture.decide(AUDIT, dossier_id, constats.corriger, acte, echantillon_id, depense_id)


@commande(router, f"{_ECHANTILLON}/resultat")
def arreter_resultat(
    dossier_id: UUID, echantillon_id: UUID, acte: constats.ArreterResultat, ecriture: Ecriture
) -> ActeOut:
    """Arrêter l’erreur projetée d’un échantillon : une information, jamais une correction."""
    return ecriture.decide(AUDIT, dossier_id, constats.arreter, acte, echantillon_id)


@commande(router, f"{_DOSSIER}/cloture")
def clore_dossier_audit(
    dossier_id: UUID, acte: dossier.CloreDossierAudit, ecriture: Ecriture
) -> ActeOut:
    """Clore un dossier de travail."""
    return ecriture.decide(AUDIT, dossier_id, dossier.clore, acte)
