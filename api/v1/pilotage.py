"""Targets of certification, forecasts, exposure, and the review that proposes transfers."""

from datetime import date
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from aggregates.cadre import Cellule
from aggregates.subvention_globale.maquette import DeciderTransfert
from aggregates.subvention_globale.objectifs import (
    DeposerPrevisions,
    FixerObjectifCertification,
    deposer_previsions,
    fixer_objectif,
)
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE
from api.deps import ActeOut, Ecriture, Lecture, SituationDemandee
from api.errors import refus
from api.v1.actes import RACINE, commande
from api.v1.representations import (
    ChiffresOut,
    LigneMaquetteOut,
    Representation,
    SituationOut,
)
from oi_service.clock import today
from oi_service.money import MontantSigne, euros
from projections import degagement as projection_degagement
from projections import gestion_dynamique as projection_gestion
from projections import previsions as projection_previsions
from projections.situation import Situation

router = APIRouter(prefix="/subventions-globales/{subvention_globale_id}", tags=["Pilotage"])

#: What a proposal cannot know: the body's decision will have its own minutes.
_PV_A_VENIR = "À compléter : procès-verbal de la décision"


def _jour(situation: Situation) -> date:
    """Return the day from which deadlines are seen: the last one counted, today by default."""
    return situation.effet_au or today()


# --- What is recorded ----------------------------------------------------------------------------


@commande(router, "/objectifs-certification")
def fixer_objectif_certification(
    subvention_globale_id: UUID, acte: FixerObjectifCertification, ecriture: Ecriture
) -> ActeOut:
    """Fixer ce qui doit être certifié à un jour, depuis le début.

    Un second objectif de la même ligne au même jour remplace le premier.
    """
    return ecriture.decide(SUBVENTION_GLOBALE, subvention_globale_id, fixer_objectif, acte)


@commande(router, "/previsions")
def deposer_previsions_plie(
    subvention_globale_id: UUID, acte: DeposerPrevisions, ecriture: Ecriture
) -> ActeOut:
    """Déposer les prévisions d’un PLIE par trimestre ; elles remplacent les précédentes.

    Une prévision ne touche ni l’argent ni un dossier : le directeur du PLIE peut la déposer.
    """
    return ecriture.decide(SUBVENTION_GLOBALE, subvention_globale_id, deposer_previsions, acte)


# --- Exposure ------------------------------------------------------------------------------------


class ObjectifCertificationOut(Representation):
    """Un objectif en vigueur ; `null` : tous les PLIE, axes ou objectifs spécifiques ensemble."""

    plie_id: str | None
    plie_nom: str | None
    axe: str | None
    objectif_specifique: str | None
    annee_engagement: int
    date_limite: date
    montant_cumule: MontantSigne = Field(description="À certifier depuis le début, en euros.")
    prefinancements: MontantSigne = Field(description="Déjà couvert, en euros.")
    source: str
    fixe_le: date
    position: int = Field(description="Numéro de l’événement qui le fixe.")


class EcheanceDuTexteOut(Representation):
    """Le dernier jour que donne le règlement pour cet engagement."""

    jour: date
    reference: str


class DossierEnAttenteOut(Representation):
    """L’opération dont il s’agit."""

    operation_id: UUID = Field(validation_alias="id")
    numero_mdfse: str
    beneficiaire: str
    plie_id: str
    plie_nom: str
    axe: str
    objectif_specifique: str
    fse_conventionne: MontantSigne = Field(validation_alias="conventionne", description="En euros.")
    fse_declare: MontantSigne = Field(validation_alias="declare", description="En euros.")
    fse_retenu_csf: MontantSigne = Field(validation_alias="retenu", description="En euros.")
    reste_a_declarer: MontantSigne = Field(description="Conventionné moins déclaré, en euros.")


class AttenteOut(Representation):
    """L’argent d’un bilan qui attend quelqu’un."""

    attendu: str = Field(description="`controler`, `transmettre` ou `certifier`.")
    attendu_libelle: str
    depuis: date
    montant: MontantSigne = Field(
        description="FSE, en euros ; au plus, tant que le bilan n’est pas contrôlé."
    )
    dossier: DossierEnAttenteOut
    bilan_id: UUID
    numero: int
    type: str = Field(description="`intermediaire` ou `final`.")


class EtapeOut(Representation):
    """Une étape du plan, de ce qui attend depuis le plus longtemps à ce qui suffit."""

    attente: AttenteOut
    jours: int = Field(description="Jours d’attente.")
    cumul: MontantSigne = Field(description="Ce que le plan atteint avec elle, en euros.")


class BilanADeclarerOut(Representation):
    """Le premier bilan que la convention attend encore."""

    numero: int
    type: str
    date_limite: date
    etat: str = Field(description="`attendu`, `en_retard` ou `reclame`.")
    etat_libelle: str


class ADeclarerOut(Representation):
    """Une opération qui a encore à déclarer avant la date limite."""

    dossier: DossierEnAttenteOut
    bilan: BilanADeclarerOut
    cumul: MontantSigne = Field(description="Ce que l’on atteint avec elle, au plus, en euros.")


class LigneExposeeOut(Representation):
    """Un objectif, ce qui en est certifié, et ce qui couvrirait le reste."""

    objectif: ObjectifCertificationOut
    certifie: MontantSigne = Field(
        description="Certifié à la date limite au plus tard, net des retraits, en euros."
    )
    exposition: MontantSigne = Field(
        description="Objectif moins préfinancements moins certifié, en euros ; jamais négatif."
    )
    etat: str = Field(description="`manque` (échéance passée), `a_couvrir` ou `atteint`.")
    etat_libelle: str
    jours_restants: int = Field(description="Jusqu’à la date limite ; négatif une fois passée.")
    echeance_du_texte: EcheanceDuTexteOut | None = Field(
        description="Dégagement d’office de cet engagement ; `null` si le règlement n’en dit rien."
    )
    plan: list[EtapeOut] = Field(
        description="Bilans à contrôler, transmettre ou faire certifier, les plus anciens d’abord, "
        "jusqu’à couvrir l’exposition."
    )
    couvert_par_le_plan: MontantSigne = Field(description="En euros.")
    reste_a_declarer: MontantSigne = Field(description="Ce que le plan ne couvre pas, en euros.")
    a_declarer: list[ADeclarerOut] = Field(
        description="Bilans attendus avant la date limite, les plus proches d’abord, jusqu’à "
        "couvrir ce reste."
    )
    non_couvert: MontantSigne = Field(description="Ce que rien de connu ne couvrirait, en euros.")


class PisteDuPlieOut(Representation):
    """Ce qui attend dans un PLIE, et le prochain de ses propres objectifs à couvrir."""

    plie_id: str
    plie_nom: str
    fse_certifie: MontantSigne = Field(validation_alias="certifie", description="En euros.")
    a_certifier: MontantSigne = Field(description="Transmis et non certifié, en euros.")
    a_transmettre: MontantSigne = Field(description="Contrôlé et non transmis, en euros.")
    a_controler: MontantSigne = Field(description="Déclaré et non contrôlé, en euros.")
    prochaine: LigneExposeeOut | None


class DegagementOut(Representation):
    """L’exposition d’une subvention globale, vue d’un jour."""

    subvention_globale_id: UUID
    numero: str
    reglement: str
    fictive: bool = Field(description="Les montants sont inventés (démonstration).")
    le: date = Field(description="Jour d’où l’on regarde : `effet_au`, aujourd’hui à défaut.")
    situation: SituationOut
    lignes: list[LigneExposeeOut] = Field(description="Par date limite.")
    par_plie: list[PisteDuPlieOut]


@router.get("/degagement", responses=refus(404, 422))
def lire_degagement(
    subvention_globale_id: UUID, lecture: Lecture, situation: SituationDemandee
) -> DegagementOut:
    """Lire ce qui serait perdu à chaque date limite, et les bilans qui l’éviteraient."""
    found = projection_degagement.charger(
        lecture.conn,
        lecture.perimetre,
        subvention_globale_id,
        situation,
        le=_jour(situation),
    )
    return DegagementOut.model_validate(found)


# --- Forecasts -----------------------------------------------------------------------------------


class TrimestreOut(Representation):
    """Un trimestre : prévu et réalisé, seuls puis depuis le premier ; en euros."""

    annee: int
    numero: int
    etat: str = Field(description="`revolu`, `en_cours` ou `a_venir`.")
    etat_libelle: str
    prevu: MontantSigne | None = Field(description="`null` : personne ne l’a prévu.")
    realise: MontantSigne
    ecart: MontantSigne | None = Field(description="Réalisé moins prévu.")
    prevu_cumule: MontantSigne
    realise_cumule: MontantSigne
    ecart_cumule: MontantSigne
    deposee_le: date | None = Field(description="Jour d’effet de la prévision en vigueur.")
    position: int | None = Field(description="Numéro de son événement.")


class SuiteDePrevisionsOut(Representation):
    """Les trimestres d’un PLIE et d’une mesure, du premier prévu au dernier."""

    plie_id: str
    plie_nom: str
    mesure: str
    mesure_libelle: str
    trimestres: list[TrimestreOut]


class PrevisionsOut(Representation):
    """Les prévisions en vigueur, face à ce que chaque trimestre a apporté."""

    subvention_globale_id: UUID
    numero: str
    fictive: bool = Field(description="Les montants sont inventés (démonstration).")
    le: date = Field(description="Jour d’où l’on regarde : `effet_au`, aujourd’hui à défaut.")
    situation: SituationOut
    suites: list[SuiteDePrevisionsOut]


@router.get("/previsions", responses=refus(404, 422))
def lire_previsions(
    subvention_globale_id: UUID, lecture: Lecture, situation: SituationDemandee
) -> PrevisionsOut:
    """Lire les prévisions par trimestre, le réalisé et l’écart."""
    found = projection_previsions.charger(
        lecture.conn,
        lecture.perimetre,
        subvention_globale_id,
        situation,
        le=_jour(situation),
    )
    return PrevisionsOut.model_validate(found)


# --- Review --------------------------------------------------------------------------------------


class SousRealisationOut(Representation):
    """Une opération finie, non soldée, qui n’emploie pas toute sa convention ; en euros."""

    operation_id: UUID
    numero_mdfse: str
    beneficiaire: str
    plie_id: str
    fin: date
    fse_conventionne: MontantSigne = Field(validation_alias="conventionne")
    fse_retenu_csf: MontantSigne = Field(validation_alias="retenu")
    montant: MontantSigne = Field(description="Conventionné moins dû.")
    encore_justifiable: MontantSigne = Field(
        description="Ce qu’un bilan ou un contrôle à venir peut encore employer."
    )
    acquise: MontantSigne = Field(description="Ce que le solde libérera à coup sûr.")


class GestionDuPlieOut(Representation):
    """Un PLIE, ou la réserve, à la date de revue ; en euros."""

    plie_id: str
    plie_nom: str
    chiffres: ChiffresOut
    disponible_a_programmer: MontantSigne
    demande: MontantSigne = Field(description="Par des dossiers en attente d’une décision.")
    sous_realisation_previsible: MontantSigne = Field(
        description="Conventionné moins dû des opérations finies et non soldées."
    )
    encore_justifiable: MontantSigne = Field(
        description="La part de cette sous-réalisation qui peut encore être employée."
    )
    reliquats: MontantSigne = Field(description="Programmé moins dû, libéré par les soldes.")


class CommandeProposeeOut(Representation):
    """La commande toute prête, à essayer par `/api/v1/essais` avant de la décider."""

    chemin: str
    corps: dict[str, Any] = Field(
        description="Le procès-verbal reste à compléter, l’instance à confirmer."
    )


class PropositionOut(Representation):
    """Un transfert que les règles admettent ; en euros."""

    de: str = Field(description="PLIE qui donne, ou `reserve`.")
    de_nom: str
    vers: str = Field(description="PLIE qui reçoit.")
    vers_nom: str
    ligne: LigneMaquetteOut
    fse: MontantSigne
    cout_total: MontantSigne = Field(description="Au taux de l’enveloppe qui donne.")
    raison: str
    commande: CommandeProposeeOut


class BesoinNonCouvertOut(Representation):
    """Ce que des dossiers demandent et qu’aucune enveloppe de la ligne ne peut donner."""

    plie_id: str
    plie_nom: str
    ligne: LigneMaquetteOut
    montant: MontantSigne = Field(description="En euros.")
    non_reparti: MontantSigne = Field(description="Ouvert sur la ligne, à notifier ; en euros.")


class AjustementDeTrancheOut(Representation):
    """Ce que l’État peut reprendre d’une tranche ; en euros."""

    annee: int
    limite: date = Field(description="Dernier jour de l’ajustement.")
    dotation: MontantSigne
    fse_programme: MontantSigne = Field(
        validation_alias="programme", description="Au 31 décembre de la tranche au plus tard."
    )
    fse_justifie: MontantSigne = Field(
        validation_alias="justifie", description="Retenu après contrôle."
    )
    sur_programmation: MontantSigne = Field(description="Dotation moins programmé.")
    sur_justification: MontantSigne = Field(description="Dotation moins justifié.")


class GestionDynamiqueOut(Representation):
    """La revue d’une subvention globale un jour donné."""

    subvention_globale_id: UUID
    numero: str
    fictive: bool = Field(description="Les montants sont inventés (démonstration).")
    le: date = Field(description="Jour d’où l’on regarde : `effet_au`, aujourd’hui à défaut.")
    situation: SituationOut
    par_plie: list[GestionDuPlieOut]
    sous_realisations: list[SousRealisationOut]
    ajustements: list[AjustementDeTrancheOut]
    propositions: list[PropositionOut]
    besoins_non_couverts: list[BesoinNonCouvertOut]
    empechement: str | None = Field(description="Pourquoi aucun transfert ne peut être proposé.")


@router.get("/gestion-dynamique", responses=refus(404, 422))
def lire_gestion_dynamique(
    subvention_globale_id: UUID, lecture: Lecture, situation: SituationDemandee
) -> GestionDynamiqueOut:
    """Lire ce qui ne sera pas employé, ce qui manque, et les transferts proposés.

    Une proposition reste dans sa ligne, ne prend ni ce qui est programmé ni ce que demandent les
    dossiers de qui donne, et ne crée pas d’argent. L’instance de l’OI décide.
    """
    found = projection_gestion.charger(
        lecture.conn,
        lecture.perimetre,
        subvention_globale_id,
        situation,
        le=_jour(situation),
    )
    return GestionDynamiqueOut.model_validate(
        {
            **{nom: getattr(found, nom) for nom in _TETE_DE_REVUE},
            "propositions": [
                {
                    "de": p.de.plie_id,
                    "de_nom": p.de_nom,
                    "vers": p.vers.plie_id,
                    "vers_nom": p.vers_nom,
                    "ligne": p.de.ligne,
                    "fse": p.fse,
                    "cout_total": p.cout_total,
                    "raison": p.raison,
                    "commande": transfert_propose(found, p),
                }
                for p in found.propositions
            ],
            "besoins_non_couverts": [
                {
                    "plie_id": b.cellule.plie_id,
                    "plie_nom": b.plie_nom,
                    "ligne": b.cellule.ligne,
                    "montant": b.montant,
                    "non_reparti": b.non_reparti,
                }
                for b in found.besoins_non_couverts
            ],
        }
    )


_TETE_DE_REVUE = GestionDynamiqueOut.model_fields.keys() - {"propositions", "besoins_non_couverts"}


def transfert_propose(
    revue: projection_gestion.GestionDynamique, proposition: projection_gestion.Proposition
) -> dict[str, Any]:
    """Write a proposal as the request that would record it."""
    decision = DeciderTransfert.model_validate(
        {
            "date_effet": revue.le,
            "motif": proposition.raison,
            "de": _cellule(proposition.de),
            "vers": _cellule(proposition.vers),
            "fse": euros(proposition.fse),
            "cout_total": euros(proposition.cout_total),
            "instance": "conseil_administration_oi",
            "pv_ref": _PV_A_VENIR,
        }
    )
    return {
        "chemin": f"{RACINE}/subventions-globales/{revue.subvention_globale_id}/transferts",
        "corps": decision.model_dump(mode="json", exclude_unset=True),
    }


def _cellule(cellule: Cellule) -> dict[str, Any]:
    ligne = cellule.ligne
    return {
        "plie_id": cellule.plie_id,
        "ligne": {
            "annee": ligne.annee,
            "axe": ligne.axe,
            "objectif_specifique": ligne.objectif_specifique,
            "dispositif": ligne.dispositif,
        },
    }
