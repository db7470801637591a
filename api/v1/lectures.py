"""What the JSON door reads: lists by pages, sheets, the maquette, the journal and its export."""

from collections.abc import Iterator
from dataclasses import fields
from itertools import islice
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from aggregates.commande import CodePoste, MotifIneligibilite, TypeRessource
from aggregates.operation.state import Statut
from api.deps import (
    CONNU_LE,
    CONNU_LE_EXEMPLES,
    CONNU_LE_MAX,
    EFFET_AU,
    Lecture,
    LectureContinue,
    SituationDemandee,
    situation_demandee,
)
from api.errors import refus
from api.v1 import representations as r
from api.web import telechargement
from oi_service.dates import Jour
from oi_service.errors import NotFound
from oi_service.money import Difference
from projections import appels_a_projets as projection_appels
from projections import contreparties as projection_contreparties
from projections import depenses as projection_depenses
from projections import dossiers as projection_dossiers
from projections import fiche_operation as projection_fiche
from projections import journal as projection_journal
from projections import maquette as projection_maquette
from projections import subventions_globales as projection_subventions
from projections import toutes_depenses as projection_toutes_depenses
from projections.curseurs import LIMITE_MAXIMALE, LIMITE_PAR_DEFAUT
from projections.export import exporter
from projections.instantane import instantane
from projections.situation import Situation

router = APIRouter(tags=["Lectures"])

#: Lines of the export sent together: one piece of answer per event would cost more than reading it.
_LOT = 500

_AVEC_VERSION: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"$ref": "#/components/headers/ETag"}}}
}


class AucuneMaquette(NotFound):
    """Aucune subvention globale n’est enregistrée sous cet identifiant : il n’y a pas de maquette
    à montrer.
    """


# --- Filters -------------------------------------------------------------------------------------


class Filtres(BaseModel):
    """Which page of a list. Unknown names are refused: a typing error never passes for a filter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limite: int = Field(LIMITE_PAR_DEFAUT, ge=1, le=LIMITE_MAXIMALE, description="Lignes par page.")
    apres: str | None = Field(
        None, max_length=2000, description="`suivant` de la page précédente, sans le modifier."
    )

    def arguments(self) -> dict[str, Any]:
        """Return the filters as the query takes them."""
        return {name: getattr(self, name) for name in type(self).model_fields}


class FiltresSitues(Filtres):
    """Which page of a list, at two dates."""

    effet_au: Jour | None = Field(None, description=EFFET_AU)
    connu_le: str | None = Field(
        None, max_length=CONNU_LE_MAX, description=CONNU_LE, examples=CONNU_LE_EXEMPLES
    )

    def arguments(self) -> dict[str, Any]:
        """Return the filters as the query takes them, the two dates left out."""
        dates = FiltresSitues.model_fields.keys() - Filtres.model_fields.keys()
        return {k: v for k, v in super().arguments().items() if k not in dates}

    def situation(self, lecture: Lecture) -> Situation:
        """Return the situation that the two dates ask for."""
        return situation_demandee(lecture, self.effet_au, self.connu_le)


#: PostgreSQL has no text with a zero byte: none can be found.
Mot = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
_Tranche = Annotated[int, Field(ge=2014, le=2035)]
#: A place in the log, as the database counts them.
_Position = Annotated[int, Field(ge=1, le=2**63 - 1)]


class FiltresAppels(FiltresSitues):
    """Calls."""

    subvention_globale_id: UUID | None = None


class FiltresEnveloppes(FiltresSitues):
    """Enveloppes."""

    plie: Mot | None = None
    annee: _Tranche | None = None


class FiltresContreparties(FiltresSitues):
    """Contreparties."""

    plie: Mot | None = None
    annee: _Tranche | None = None
    type_financeur: TypeRessource | None = None
    recherche: Mot | None = Field(None, description="Texte du nom du financeur.")


class FiltresOperations(FiltresSitues):
    """Operations."""

    subvention_globale_id: UUID | None = None
    plie: Mot | None = None
    statut: Statut | None = None
    objectif_specifique: Mot | None = None
    annee: _Tranche | None = Field(None, description="Tranche.")
    attend: projection_dossiers.Attend | None = Field(None, description="Ce que le dossier attend.")
    recherche: Mot | None = Field(
        None, description="Texte des numéros, du bénéficiaire ou de l’intitulé."
    )
    tri: projection_dossiers.Tri = "numero"
    ordre: projection_dossiers.Ordre = "asc"


class FiltresDepenses(FiltresSitues):
    """Dépenses."""

    poste: CodePoste | None = None
    statut: projection_depenses.StatutDepense | None = None
    bilan_id: UUID | None = None
    motif_code: MotifIneligibilite | None = None
    ecartees: bool | None = Field(None, description="Écartées, même en partie, ou non.")
    recherche: Mot | None = Field(None, description="Texte de la nature, du tiers ou de la pièce.")
    tri: projection_depenses.Tri = "saisie"
    ordre: projection_depenses.Ordre = "asc"


class FiltresToutesDepenses(FiltresSitues):
    """Dépenses of all operations."""

    plie: Mot | None = None
    operation: Mot | None = Field(None, description="Numéro du dossier.")
    poste: CodePoste | None = None
    statut: projection_depenses.StatutDepense | None = None
    bilan_id: UUID | None = None
    rattachee: bool | None = Field(None, description="Dans un bilan déposé, ou dans aucun.")
    motif_code: MotifIneligibilite | None = None
    ecartees: bool | None = Field(None, description="Écartées, même en partie, ou non.")
    date_piece_du: Jour | None = Field(None, description="Premier jour des pièces, compris.")
    date_piece_au: Jour | None = Field(None, description="Dernier jour des pièces, compris.")
    montant_min: Difference | None = Field(None, description="Montant imputé, compris.")
    montant_max: Difference | None = Field(None, description="Montant imputé, compris.")
    recherche: Mot | None = Field(
        None,
        description="Texte de la nature, du tiers, de la pièce, du dossier ou du bénéficiaire.",
    )
    tri: projection_toutes_depenses.Tri = "saisie"
    ordre: projection_depenses.Ordre = "desc"

    def lesquelles(self) -> projection_toutes_depenses.FiltresDesDepenses:
        """Return the filters as the query takes them."""
        noms = {f.name for f in fields(projection_toutes_depenses.FiltresDesDepenses)}
        return projection_toutes_depenses.FiltresDesDepenses(
            **{nom: getattr(self, nom) for nom in noms}
        )


class DemandeDeDepenses(FiltresToutesDepenses):
    """A page of them."""

    totaux: bool = Field(default=False, description="Ajouter les totaux de toute la liste.")


class FiltresJournal(FiltresSitues):
    """Events."""

    flux: UUID | None = Field(None, description="Un seul flux.")
    operation_id: UUID | None = Field(
        None, description="Le dossier, sa convention et ses dépenses."
    )
    nom: Mot | None = Field(None, examples=["convention.paiement_effectue.v1"])
    acteur: Mot | None = None
    du: Jour | None = Field(None, description="Premier jour d’effet, compris.")
    au: Jour | None = Field(None, description="Dernier jour d’effet, compris.")
    ordre: Literal["asc", "desc"] = "desc"


#: Where a bilan stands depends on the day; every other figure is that of the situation.
JourDesBilans = Annotated[
    Jour | None,
    Query(
        description="Jour auquel dire où en sont les bilans attendus ; à défaut, dernier jour de "
        "la situation, aujourd’hui pour la situation actuelle."
    ),
]


def _version(response: Response, version: int, situation: Situation) -> None:
    """Give the version to write against: nobody writes against the past."""
    if situation.actuelle:
        response.headers["ETag"] = f'"{version}"'


# --- Maquette ------------------------------------------------------------------------------------


@router.get("/maquette", responses=refus(404, 422))
def maquette(
    lecture: Lecture, situation: SituationDemandee, subvention_globale_id: UUID | None = None
) -> r.MaquetteOut:
    """Lire la maquette d’une subvention globale, de la dernière enregistrée à défaut.

    Toutes les quantités viennent du journal jusqu’à `position` ; un total est une somme, et ses
    taux se calculent sur elle.
    """
    found = projection_maquette.charger(
        lecture.conn, lecture.perimetre, subvention_globale_id, situation
    )
    if found is None:
        raise AucuneMaquette
    return r.MaquetteOut.model_validate(
        {
            **{name: getattr(found, name) for name in _TETE_DE_MAQUETTE},
            "par_plie": [
                {"plie_id": plie_id, "plie_nom": nom, "chiffres": chiffres}
                for plie_id, nom, chiffres in found.par_plie()
            ],
            **{
                f"par_{axe}": [
                    {"code": code, "chiffres": chiffres} for code, _, chiffres in found.par(axe)
                ]
                for axe in _AXES
            },
        }
    )


_AXES: tuple[projection_maquette.Axe, ...] = (
    "annee",
    "axe",
    "objectif_specifique",
    "dispositif",
)
_TETE_DE_MAQUETTE = r.MaquetteOut.model_fields.keys() - {
    "par_plie",
    *(f"par_{axe}" for axe in _AXES),
}


# --- Subventions globales, enveloppes, contreparties, appels à projets ---------------------------


@router.get("/subventions-globales", responses=refus(422))
def lister_subventions_globales(
    filtres: Annotated[FiltresSitues, Query()], lecture: Lecture
) -> r.PageOut[r.SubventionOut]:
    """Lister les subventions globales."""
    page = projection_subventions.subventions_globales(
        lecture.conn, lecture.perimetre, filtres.situation(lecture), **filtres.arguments()
    )
    return r.PageOut[r.SubventionOut].model_validate(page)


@router.get(
    "/subventions-globales/{subvention_globale_id}", responses=_AVEC_VERSION | refus(404, 422)
)
def lire_subvention_globale(
    subvention_globale_id: UUID,
    lecture: Lecture,
    situation: SituationDemandee,
    response: Response,
) -> r.FicheSubventionOut:
    """Lire une subvention globale : convention, avenants, paramètres, PLIE, tranches.

    Une situation passée se lit sans `ETag` : rien ne s’écrit contre le passé.
    """
    fiche = projection_subventions.fiche_subvention(
        lecture.conn, lecture.perimetre, subvention_globale_id, situation
    )
    _version(response, fiche.version, situation)
    return r.FicheSubventionOut.model_validate(fiche)


@router.get("/subventions-globales/{subvention_globale_id}/enveloppes", responses=refus(404, 422))
def lister_enveloppes(
    subvention_globale_id: UUID, filtres: Annotated[FiltresEnveloppes, Query()], lecture: Lecture
) -> r.PageOut[r.EnveloppeOut]:
    """Lister les enveloppes : alloué, programmé, disponible."""
    page = projection_subventions.enveloppes(
        lecture.conn,
        lecture.perimetre,
        subvention_globale_id,
        filtres.situation(lecture),
        **filtres.arguments(),
    )
    return r.PageOut[r.EnveloppeOut].model_validate(page)


@router.get(
    "/subventions-globales/{subvention_globale_id}/contreparties", responses=refus(404, 422)
)
def lister_contreparties(
    subvention_globale_id: UUID,
    filtres: Annotated[FiltresContreparties, Query()],
    lecture: Lecture,
) -> r.PageOut[r.ContrepartieOut]:
    """Lister les contreparties : attribué, perçu, affecté, reste."""
    page = projection_contreparties.contreparties(
        lecture.conn,
        lecture.perimetre,
        subvention_globale_id,
        filtres.situation(lecture),
        **filtres.arguments(),
    )
    return r.PageOut[r.ContrepartieOut].model_validate(page)


@router.get("/contreparties/{contrepartie_id}", responses=_AVEC_VERSION | refus(404, 422))
def lire_contrepartie(
    contrepartie_id: UUID, lecture: Lecture, situation: SituationDemandee, response: Response
) -> r.FicheContrepartieOut:
    """Lire une contrepartie et ses affectations.

    Une situation passée se lit sans `ETag` : rien ne s’écrit contre le passé.
    """
    found = projection_contreparties.contrepartie(
        lecture.conn, lecture.perimetre, contrepartie_id, situation
    )
    held = projection_contreparties.affectations(
        lecture.conn, lecture.perimetre, situation, contrepartie_id=contrepartie_id
    )
    _version(response, found.version, situation)
    return r.FicheContrepartieOut.model_validate({"contrepartie": found, "affectations": held})


@router.get("/appels-a-projets", responses=refus(422))
def lister_appels_a_projets(
    filtres: Annotated[FiltresAppels, Query()], lecture: Lecture
) -> r.PageOut[r.AppelOut]:
    """Lister les appels à projets."""
    page = projection_appels.appels_a_projets(
        lecture.conn, lecture.perimetre, filtres.situation(lecture), **filtres.arguments()
    )
    return r.PageOut[r.AppelOut].model_validate(page)


@router.get("/appels-a-projets/{appel_a_projets_id}", responses=_AVEC_VERSION | refus(404, 422))
def lire_appel_a_projets(
    appel_a_projets_id: UUID,
    lecture: Lecture,
    situation: SituationDemandee,
    response: Response,
) -> r.FicheAppelOut:
    """Lire un appel à projets et ses fiches opération.

    Une situation passée se lit sans `ETag` : rien ne s’écrit contre le passé.
    """
    fiche = projection_appels.fiche_appel(
        lecture.conn, lecture.perimetre, appel_a_projets_id, situation
    )
    _version(response, fiche.resume.version, situation)
    return r.FicheAppelOut.model_validate(fiche)


# --- Operations ----------------------------------------------------------------------------------


@router.get("/operations", responses=refus(422))
def lister_operations(
    filtres: Annotated[FiltresOperations, Query()], lecture: Lecture
) -> r.PageOut[r.OperationOut]:
    """Lister les dossiers et opérations, avec leurs montants."""
    page = projection_dossiers.operations(
        lecture.conn, lecture.perimetre, filtres.situation(lecture), **filtres.arguments()
    )
    return r.PageOut[r.OperationOut].model_validate(page)


@router.get("/operations/{operation_id}", responses=_AVEC_VERSION | refus(404, 422))
def lire_operation(
    operation_id: UUID,
    lecture: Lecture,
    situation: SituationDemandee,
    response: Response,
    le: JourDesBilans = None,
) -> r.FicheOperationOut:
    """Lire une opération : plan et ses versions, indicateurs, convention, bilans, paiements.

    Une situation passée se lit sans `ETag` : rien ne s’écrit contre le passé.
    """
    fiche = projection_fiche.fiche_operation(
        lecture.conn, lecture.perimetre, operation_id, situation, le=le
    )
    _version(response, fiche.version, situation)
    return r.FicheOperationOut.model_validate(fiche)


@router.get("/operations/{operation_id}/convention", responses=_AVEC_VERSION | refus(404, 422))
def lire_convention(
    operation_id: UUID,
    lecture: Lecture,
    situation: SituationDemandee,
    response: Response,
    le: JourDesBilans = None,
) -> r.ConventionOut:
    """Lire la convention d’une opération ; son `ETag` vaut pour les actes qui portent sur elle.

    Une situation passée se lit sans `ETag` : rien ne s’écrit contre le passé.
    """
    convention = projection_fiche.fiche_convention(
        lecture.conn, lecture.perimetre, operation_id, situation, le=le
    )
    _version(response, convention.version, situation)
    return r.ConventionOut.model_validate(convention)


@router.get("/operations/{operation_id}/depenses", responses=refus(404, 422))
def lister_depenses(
    operation_id: UUID, filtres: Annotated[FiltresDepenses, Query()], lecture: Lecture
) -> r.PageOut[r.DepenseOut]:
    """Lister les dépenses d’une opération, avec tous les défauts de leurs dates."""
    page = projection_depenses.depenses(
        lecture.conn,
        lecture.perimetre,
        operation_id,
        filtres.situation(lecture),
        **filtres.arguments(),
    )
    return r.PageOut[r.DepenseOut].model_validate(page)


@router.get("/depenses", responses=refus(422))
def lister_toutes_depenses(
    demande: Annotated[DemandeDeDepenses, Query()], lecture: Lecture
) -> r.PageDepensesOut:
    """Lister les dépenses de toutes les opérations du périmètre."""
    situation, filtres = demande.situation(lecture), demande.lesquelles()
    with instantane(lecture.conn):
        page = projection_toutes_depenses.toutes_depenses(
            lecture.conn,
            lecture.perimetre,
            situation,
            filtres,
            tri=demande.tri,
            ordre=demande.ordre,
            limite=demande.limite,
            apres=demande.apres,
        )
        sommes = (
            projection_toutes_depenses.totaux(lecture.conn, lecture.perimetre, situation, filtres)
            if demande.totaux
            else None
        )
    return r.PageDepensesOut.model_validate(
        {"lignes": page.lignes, "suivant": page.suivant, "totaux": sommes}
    )


@router.get("/depenses/{depense_id}", responses=_AVEC_VERSION | refus(404, 422))
def lire_depense(
    depense_id: UUID, lecture: Lecture, situation: SituationDemandee, response: Response
) -> r.DepenseOut:
    """Lire une dépense.

    Une situation passée se lit sans `ETag` : rien ne s’écrit contre le passé.
    """
    found = projection_depenses.depense(lecture.conn, lecture.perimetre, depense_id, situation)
    _version(response, found.version, situation)
    return r.DepenseOut.model_validate(found)


@router.get("/operations/{operation_id}/contreparties", responses=refus(404, 422))
def lister_contreparties_de_l_operation(
    operation_id: UUID, lecture: Lecture, situation: SituationDemandee
) -> list[r.AffectationOut]:
    """Lister les contreparties affectées à une opération."""
    held = projection_contreparties.affectations(
        lecture.conn, lecture.perimetre, situation, operation_id=operation_id
    )
    return [r.AffectationOut.model_validate(a) for a in held]


# --- Journal -------------------------------------------------------------------------------------


@router.get("/journal", responses=refus(422))
def lire_journal(
    filtres: Annotated[FiltresJournal, Query()], lecture: Lecture
) -> r.PageOut[r.LigneDuJournalOut]:
    """Lire le journal, du plus récent au plus ancien à défaut, une phrase par événement."""
    page = projection_journal.journal(
        lecture.conn, lecture.perimetre, filtres.situation(lecture), **filtres.arguments()
    )
    return r.PageOut[r.LigneDuJournalOut].model_validate(page)


@router.get("/evenements/{position}", responses=refus(404, 422))
def lire_evenement(position: _Position, lecture: Lecture) -> r.EvenementCompletOut:
    """Lire un événement et toute son enveloppe."""
    found = projection_journal.evenement(lecture.conn, lecture.perimetre, position)
    return r.EvenementCompletOut.model_validate(found)


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-ndjson": {}}}, **refus(403, 404)},
)
def exporter_journal(
    lecture: LectureContinue,
    depuis: Annotated[_Position, Query(description="Numéro du premier événement.")] = 1,
) -> StreamingResponse:
    """Exporter le journal entier, un événement par ligne (JSON), toutes ses colonnes.

    Les dossiers d’audit y sont, comme tout ce qui est scellé : il est pour un auditeur.
    """

    def lots() -> Iterator[bytes]:
        lines = exporter(lecture.conn, depuis)
        while lot := b"".join(islice(lines, _LOT)):
            yield lot

    return StreamingResponse(
        lots(), media_type="application/x-ndjson", headers=telechargement("journal.jsonl")
    )
