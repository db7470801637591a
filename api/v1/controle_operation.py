"""Audits of operations: each act of their life, their list, one of them, what is still due."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from aggregates.controle_operation import notification, rapports, suites
from aggregates.controle_operation.events import Organisme
from aggregates.controle_operation.state import CONTROLE_OPERATION, Statut
from api import actions
from api.deps import ActeOut, Creation, Ecriture, Lecture, SituationDemandee
from api.errors import refus
from api.v1.actes import RACINE, ajoute, commande, cree
from api.v1.lectures import FiltresSitues, Mot
from api.v1.representations import PageOut, Representation, SituationOut
from oi_service.clock import today
from oi_service.dates import Jour
from oi_service.money import MontantSigne
from projections import controles_operation as projection
from projections.instantane import instantane
from projections.situation import Situation

router = APIRouter(prefix="/controles-operation", tags=["Contrôles d’opération"])

_AVEC_VERSION: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"$ref": "#/components/headers/ETag"}}}
}
_LE = (
    "Jour auquel dire ce qui est dû ou en retard ; à défaut, dernier jour de la situation, "
    "aujourd’hui pour la situation actuelle."
)


# --- What is shown -------------------------------------------------------------------------------


class ControleOut(Representation):
    """Un contrôle d’opération ; ses montants sont ceux des opérations que le lecteur voit."""

    id: UUID
    subvention_globale_id: UUID
    oi_id: str
    reglement: str
    organisme: str
    organisme_libelle: str
    reference: str
    statut: str
    statut_libelle: str
    resultat: str | None
    resultat_libelle: str | None
    modalite: str | None
    etat_no: str | None = Field(description="État de dépenses dont le contrôle part.")
    echantillon_id: UUID | None
    date_annoncee: date | None
    notifie_le: date
    commence_le: date | None
    rapport_provisoire_ref: str | None
    rapport_provisoire_le: date | None
    date_limite_reponse: date | None
    rapport_definitif_ref: str | None
    rapport_definitif_le: date | None
    date_limite_suites: date | None
    suites_closes_le: date | None
    clos_le: date | None
    cloture_ref: str | None
    annule_le: date | None
    nb_operations: int
    nb_constats: int
    cout_total_controle: MontantSigne = Field(description="Coût total examiné, en euros.")
    cout_total_propose: MontantSigne
    fse_propose: MontantSigne
    cout_total_retenu: MontantSigne
    fse_retenu: MontantSigne
    nb_attentes: int = Field(description="Réponses et suites encore dues.")
    prochaine_echeance: date | None
    retard_jours: int = Field(description="De la plus ancienne échéance passée ; 0 sans retard.")
    version: int = Field(description="À rappeler dans `If-Match`.")
    position: int = Field(description="Numéro de l’événement qui l’a notifié.")


class OperationControleeOut(Representation):
    """Une opération contrôlée."""

    operation_id: UUID
    numero_mdfse: str
    plie_id: str
    cout_total_controle: MontantSigne = Field(description="Coût total examiné, en euros.")
    depenses: list[UUID] = Field(description="Dépenses examinées ; vide : toutes.")


class ConstatDuControleOut(Representation):
    """Un constat, ce qui lui est répondu et ce qui en est retenu."""

    numero: int
    operation_id: UUID
    numero_mdfse: str
    nature: str
    nature_libelle: str
    detecte_le: date
    constatation: str
    assiette: str | None
    depenses: list[UUID]
    extrapole: bool = Field(description="La correction va au-delà de ce qui a été examiné.")
    cout_total_propose: MontantSigne
    fse_propose: MontantSigne
    issue: str | None = Field(description="`null` tant que le rapport n’est pas définitif.")
    issue_libelle: str | None
    cout_total_retenu: MontantSigne | None
    fse_retenu: MontantSigne | None
    mesure_recommandee: str | None
    motivation: str | None
    reponse_oi: str | None
    reponse_oi_le: date | None
    reponse_beneficiaire: str | None
    reponse_beneficiaire_le: date | None
    au_dela_du_seuil_ims: bool = Field(
        description="Le FSE en cause dépasse le montant à partir duquel une irrégularité se "
        "déclare ; pour information."
    )


class LienSuiteOut(Representation):
    """Un fait de la convention qui exécute une suite."""

    csf_id: UUID | None
    csf_version: int | None
    ordre_id: UUID | None
    appel_de_fonds_no: str | None
    cout_total_retire: MontantSigne = Field(
        validation_alias="cout_total_retire_centimes", description="Ce que ce fait retire en tout."
    )
    fse_retire: MontantSigne = Field(validation_alias="fse_retire_centimes")
    cout_total_impute: MontantSigne = Field(
        validation_alias="cout_total_impute_centimes", description="Ce qui en répond à ce constat."
    )
    fse_impute: MontantSigne = Field(validation_alias="fse_impute_centimes")


class SuiteDuControleOut(Representation):
    """Une suite d’un constat, et ce qui l’a exécutée."""

    suite_id: UUID
    constat_numero: int
    mesure: str
    mesure_libelle: str
    responsable: str
    responsable_libelle: str
    action: str
    echeance: date
    decidee_le: date
    statut: str
    statut_libelle: str
    executee_le: date | None
    annulee_le: date | None
    compte_rendu: str | None
    liens: list[LienSuiteOut]


class AttenteOut(Representation):
    """Ce qui est dû à propos d’un constat."""

    controle_id: UUID
    organisme: str
    organisme_libelle: str
    reference: str
    objet: projection.Objet = Field(
        description="`reponse` au rapport provisoire, `decision` d’une suite, `suite` à exécuter."
    )
    objet_libelle: str
    constat_numero: int
    suite_id: UUID | None
    operation_id: UUID
    numero_mdfse: str
    beneficiaire: str
    plie_id: str
    mesure: str | None
    responsable: str | None
    action: str | None
    echeance: date
    retard_jours: int = Field(description="0 jusqu’à l’échéance comprise.")
    cout_total: MontantSigne = Field(description="En jeu, en euros.")
    fse: MontantSigne = Field(description="En jeu, en euros.")


class ControlesOut(PageOut[ControleOut]):
    """Une page de contrôles d’opération."""

    situation: SituationOut
    le: date


class FicheControleOut(Representation):
    """Un contrôle d’opération, ses constats, leurs suites et ce qui est encore dû."""

    situation: SituationOut
    le: date
    controle: ControleOut
    operations: list[OperationControleeOut]
    constats: list[ConstatDuControleOut]
    suites: list[SuiteDuControleOut]
    attentes: list[AttenteOut]


class SuitesAttenduesOut(Representation):
    """Ce qui est dû à propos des contrôles d’opération, la plus ancienne échéance d’abord."""

    situation: SituationOut
    le: date
    nombre: int
    en_retard: int
    cout_total: MontantSigne = Field(description="En jeu, chaque constat une fois, en euros.")
    fse: MontantSigne = Field(description="En jeu, chaque constat une fois, en euros.")
    lignes: list[AttenteOut]


class FiltresControles(FiltresSitues):
    """Audits of operations, at two dates."""

    operation_id: UUID | None = None
    plie: Mot | None = None
    organisme: Organisme | None = None
    statut: Statut | None = None
    en_retard: bool = Field(default=False, description="Seulement ce dont une échéance est passée.")
    le: Jour | None = Field(None, description=_LE)

    def choix(self) -> projection.FiltresControles:
        """Return what the query chooses by."""
        return projection.FiltresControles(
            operation_id=self.operation_id,
            plie=self.plie,
            organisme=self.organisme,
            statut=self.statut,
            en_retard=self.en_retard,
        )


def _jour(le: date | None, situation: Situation) -> date:
    """Return the day at which something is late."""
    return le or situation.effet_au or today()


# --- Reading -------------------------------------------------------------------------------------


@router.get("", responses=refus(422))
def lister_controles_operation(
    filtres: Annotated[FiltresControles, Query()], lecture: Lecture
) -> ControlesOut:
    """Lister les contrôles d’opération, dans l’ordre de leur enregistrement."""
    situation = filtres.situation(lecture)
    le = _jour(filtres.le, situation)
    with instantane(lecture.conn):
        page = projection.controles(
            lecture.conn,
            lecture.perimetre,
            filtres.choix(),
            situation,
            le=le,
            limite=filtres.limite,
            apres=filtres.apres,
        )
    return ControlesOut.model_validate(
        {"lignes": page.lignes, "suivant": page.suivant, "situation": situation, "le": le}
    )


@router.get("/suites-attendues", responses=refus(422))
def lister_suites_attendues(
    *,
    lecture: Lecture,
    situation: SituationDemandee,
    operation_id: UUID | None = None,
    plie: Mot | None = None,
    organisme: Organisme | None = None,
    en_retard: bool = False,
    le: Annotated[Jour | None, Query(description=_LE)] = None,
) -> SuitesAttenduesOut:
    """Lister les réponses, décisions et suites encore dues, la plus ancienne échéance d’abord.

    `en_retard` ne garde que ce dont l’échéance est passée au jour `le`.
    """
    jour = _jour(le, situation)
    choix = projection.FiltresControles(
        operation_id=operation_id, plie=plie, organisme=organisme, en_retard=en_retard
    )
    with instantane(lecture.conn):
        dues = projection.attentes(lecture.conn, lecture.perimetre, choix, situation, le=jour)
    enjeu = projection.en_jeu(dues)
    return SuitesAttenduesOut.model_validate(
        {
            "situation": situation,
            "le": jour,
            "nombre": len(dues),
            "en_retard": sum(due.retard_jours > 0 for due in dues),
            "cout_total": enjeu.cout_total,
            "fse": enjeu.fse,
            "lignes": dues,
        }
    )


@router.get("/{controle_id}", responses=_AVEC_VERSION | refus(404, 422))
def lire_controle_operation(
    controle_id: UUID,
    lecture: Lecture,
    situation: SituationDemandee,
    response: Response,
    le: Annotated[Jour | None, Query(description=_LE)] = None,
) -> FicheControleOut:
    """Lire un contrôle d’opération : ses constats, leurs réponses, leurs suites.

    Une situation passée se lit sans `ETag` : rien ne s’écrit contre le passé.
    """
    jour = _jour(le, situation)
    vu = projection.controle(lecture.conn, lecture.perimetre, controle_id, situation, le=jour)
    if situation.actuelle:
        response.headers["ETag"] = f'"{vu.ligne.version}"'
    return FicheControleOut.model_validate(
        {
            "situation": situation,
            "le": jour,
            "controle": vu.ligne,
            "operations": vu.operations,
            "constats": vu.constats,
            "suites": vu.suites,
            "attentes": vu.attentes,
        }
    )


# --- The acts ------------------------------------------------------------------------------------


@cree(router, "")
def notifier_controle(acte: notification.NotifierControle, ecriture: Creation) -> ActeOut:
    """Enregistrer l’annonce d’un contrôle d’opération.

    Un contrôle ne change aucun montant : ce qu’il fait corriger l’est par la convention.
    """
    new = ecriture.new_id("controle")
    return ecriture.run(
        actions.notifier_controle, new, acte, location=f"{RACINE}/controles-operation/{new}"
    )


@commande(router, "/{controle_id}/perimetre")
def rectifier_perimetre_controle(
    controle_id: UUID, acte: notification.RectifierPerimetre, ecriture: Ecriture
) -> ActeOut:
    """Rectifier ce qui est contrôlé, jusqu’au rapport définitif."""
    return ecriture.run(actions.rectifier_perimetre_controle, controle_id, acte)


@commande(router, "/{controle_id}/debut")
def commencer_controle(
    controle_id: UUID, acte: notification.CommencerControle, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer le début du contrôle, sur place ou sur pièces."""
    return ecriture.decide(CONTROLE_OPERATION, controle_id, notification.commencer, acte)


@commande(router, "/{controle_id}/annulation")
def annuler_controle(
    controle_id: UUID, acte: notification.AnnulerControle, ecriture: Ecriture
) -> ActeOut:
    """Annuler un contrôle dont aucune suite n’est exécutée."""
    return ecriture.decide(CONTROLE_OPERATION, controle_id, notification.annuler, acte)


@commande(router, "/{controle_id}/rapport-provisoire")
def recevoir_rapport_provisoire(
    controle_id: UUID, acte: rapports.RecevoirRapportProvisoire, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer le rapport provisoire : ses constats et jusqu’à quand y répondre."""
    return ecriture.run(actions.recevoir_rapport_provisoire, controle_id, acte)


@commande(router, "/{controle_id}/reponses")
def repondre_constat(
    controle_id: UUID, acte: rapports.RepondreConstat, ecriture: Ecriture
) -> ActeOut:
    """Répondre à un constat : l’OI ou le bénéficiaire l’accepte, ou le conteste."""
    return ecriture.decide(CONTROLE_OPERATION, controle_id, rapports.repondre, acte)


@commande(router, "/{controle_id}/prolongation")
def prolonger_delai_reponse(
    controle_id: UUID, acte: rapports.ProlongerDelaiReponse, ecriture: Ecriture
) -> ActeOut:
    """Prolonger le délai de réponse au rapport provisoire."""
    return ecriture.decide(CONTROLE_OPERATION, controle_id, rapports.prolonger_reponse, acte)


@commande(router, "/{controle_id}/rapport-definitif")
def recevoir_rapport_definitif(
    controle_id: UUID, acte: rapports.RecevoirRapportDefinitif, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer le rapport définitif, qui maintient, réduit ou abandonne chaque constat."""
    return ecriture.decide(
        CONTROLE_OPERATION, controle_id, rapports.recevoir_rapport_definitif, acte
    )


@commande(router, "/{controle_id}/rectifications")
def rectifier_constat(
    controle_id: UUID, acte: rapports.RectifierConstat, ecriture: Ecriture
) -> ActeOut:
    """Rectifier les montants d’un constat : proposés, ou retenus après le rapport définitif."""
    return ecriture.decide(CONTROLE_OPERATION, controle_id, rapports.rectifier_constat, acte)


@ajoute(router, "/{controle_id}/suites")
def decider_suite_controle(
    controle_id: UUID, acte: suites.DeciderSuite, ecriture: Ecriture
) -> ActeOut:
    """Décider une suite d’un constat retenu ; `id` est celui de la suite."""
    return ecriture.run(
        actions.decider_suite_controle,
        controle_id,
        acte,
        new=ecriture.new_id("suite"),
        location=f"{RACINE}/controles-operation/{controle_id}",
    )


@commande(router, "/{controle_id}/suites/{suite_id}/prolongation")
def prolonger_suite_controle(
    controle_id: UUID, suite_id: UUID, acte: suites.ProlongerDelaiSuite, ecriture: Ecriture
) -> ActeOut:
    """Prolonger le délai d’une suite."""
    return ecriture.decide(CONTROLE_OPERATION, controle_id, suites.prolonger_suite, acte, suite_id)


@commande(router, "/{controle_id}/suites/{suite_id}/execution")
def executer_suite_controle(
    controle_id: UUID, suite_id: UUID, acte: suites.ExecuterSuite, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer qu’une suite est exécutée, en citant les faits de la convention qui l’exécutent.

    Versions recalculées du contrôle de service fait, ordres de reversement, ou appels de fonds
    dont des dépenses ont été retirées : ensemble, ils retirent au moins ce que le constat retient.
    Une mesure administrative s’exécute par son compte rendu.
    """
    return ecriture.run(actions.executer_suite_controle, controle_id, acte, suite_id)


@commande(router, "/{controle_id}/suites/{suite_id}/annulation")
def annuler_suite_controle(
    controle_id: UUID, suite_id: UUID, acte: suites.AnnulerSuite, ecriture: Ecriture
) -> ActeOut:
    """Annuler une suite décidée par erreur, ou dont l’exécution a été défaite."""
    return ecriture.decide(CONTROLE_OPERATION, controle_id, suites.annuler_suite, acte, suite_id)


@commande(router, "/{controle_id}/suites-closes")
def clore_suites_controle(
    controle_id: UUID, acte: suites.CloreSuitesDuControle, ecriture: Ecriture
) -> ActeOut:
    """Clore les suites, quand chaque constat retenu a la sienne et que les corrections tiennent."""
    return ecriture.run(actions.clore_suites_controle, controle_id, acte)


@commande(router, "/{controle_id}/cloture")
def clore_controle(controle_id: UUID, acte: suites.CloreControle, ecriture: Ecriture) -> ActeOut:
    """Clore le contrôle, sur la lettre de l’organisme."""
    return ecriture.decide(CONTROLE_OPERATION, controle_id, suites.clore, acte)
