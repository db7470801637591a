"""What the JSON door shows: one model per thing, every amount a decimal string in euros."""

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import from_json

from oi_service.money import MontantSigne, percent
from rules.indicateurs import taux_affiche

T = TypeVar("T")

_POURCENTAGE = {
    "anyOf": [{"type": "string", "pattern": r"^-?\d+\.\d{2}$"}, {"type": "null"}],
    "examples": ["95.56"],
}

#: A ratio, shown as a percentage; ``null`` when its denominator is zero.
Pourcentage = Annotated[
    Fraction | None,
    PlainSerializer(percent, return_type=str | None),
    WithJsonSchema(_POURCENTAGE),
]
#: A share of a target: cut rather than rounded, so that a target missed never reads 100 %.
PartDeCible = Annotated[
    Fraction | None,
    PlainSerializer(taux_affiche, return_type=str | None),
    WithJsonSchema(_POURCENTAGE),
]

#: A JSON text of the log, shown as the value that it is.
JsonDuJournal = Annotated[Any, BeforeValidator(from_json)]


class Representation(BaseModel):
    """Ce que montre la porte JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class PageOut(Representation, Generic[T]):
    """Une page d’une liste."""

    lignes: list[T]
    suivant: str | None = Field(
        description="Curseur de la page suivante, à donner dans `apres` ; `null` à la fin."
    )


class PeriodeOut(Representation):
    """Une période, premier et dernier jour compris."""

    debut: date
    fin: date


# --- Maquette ------------------------------------------------------------------------------------


class MontantsOut(Representation):
    """Montants en euros ; `fse_` : part du Fonds, `ct_` : coût total."""

    fse_depose: MontantSigne = Field(description="FSE demandé dans les dossiers, en euros.")
    fse_programme: MontantSigne = Field(description="FSE programmé, en euros.")
    fse_programme_ajuste: MontantSigne = Field(
        description="FSE programmé, ramené au FSE dû une fois l’opération soldée, en euros."
    )
    fse_conventionne: MontantSigne = Field(description="FSE conventionné, en euros.")
    fse_declare: MontantSigne = Field(description="FSE correspondant aux bilans, en euros.")
    fse_retenu_csf: MontantSigne = Field(description="FSE dû après contrôle, en euros.")
    fse_paye: MontantSigne = Field(description="FSE payé, net des reversements, en euros.")
    fse_irrecouvrable: MontantSigne = Field(
        description="FSE payé, non dû, et déclaré irrécouvrable, en euros."
    )
    ct_depose: MontantSigne = Field(description="Coût total des dossiers, en euros.")
    ct_programme: MontantSigne = Field(description="Coût total programmé, en euros.")
    ct_programme_ajuste: MontantSigne = Field(
        description="Coût total programmé, ramené au retenu une fois soldé, en euros."
    )
    ct_conventionne: MontantSigne = Field(description="Coût total conventionné, en euros.")
    ct_declare: MontantSigne = Field(description="Coût total des bilans, en euros.")
    ct_retenu_csf: MontantSigne = Field(description="Coût total retenu au contrôle, en euros.")


class ChiffresOut(MontantsOut):
    """Quantités en euros et taux en pourcentage ; `fse_` : part du Fonds, `ct_` : coût total."""

    fse_maquette: MontantSigne = Field(description="FSE alloué, en euros.")
    fse_transmis: MontantSigne = Field(description="FSE transmis pour certification, en euros.")
    fse_certifie: MontantSigne = Field(description="FSE certifié, net des retraits, en euros.")
    ct_maquette: MontantSigne = Field(description="Coût total alloué, en euros.")
    ct_transmis: MontantSigne = Field(description="Coût total transmis, en euros.")
    ct_certifie: MontantSigne = Field(description="Coût total certifié, en euros.")
    cp_maquette: MontantSigne = Field(description="Contreparties allouées, en euros.")
    cp_programmee: MontantSigne = Field(description="Contreparties programmées, en euros.")
    cp_conventionnee: MontantSigne = Field(description="Contreparties conventionnées, en euros.")
    cp_affectee: MontantSigne = Field(description="Contreparties affectées, en euros.")
    cp_retenue: MontantSigne = Field(description="Contreparties retenues au contrôle, en euros.")
    depenses_declarees: MontantSigne = Field(description="Dépenses contrôlées, en euros.")
    depenses_ecartees: MontantSigne = Field(description="Dépenses écartées, en euros.")
    nb_operations: int = Field(description="Opérations programmées.")
    disponible_a_programmer: MontantSigne = Field(
        description="Alloué moins programmé ajusté, en euros."
    )
    reste_a_consommer: MontantSigne = Field(description="Alloué moins FSE dû, en euros.")
    taux_programmation: Pourcentage = Field(description="Programmé sur alloué, en %.")
    taux_conventionnement: Pourcentage = Field(description="Conventionné sur programmé, en %.")
    taux_declaration: Pourcentage = Field(description="Déclaré sur conventionné, en %.")
    taux_retenue_csf: Pourcentage = Field(description="Retenu sur déclaré, en %.")
    taux_ecartement: Pourcentage = Field(description="Dépenses écartées sur contrôlées, en %.")
    taux_consommation: Pourcentage = Field(description="Retenu sur alloué, en %.")
    taux_certification: Pourcentage = Field(description="Certifié sur alloué, en %.")
    taux_paiement: Pourcentage = Field(
        description="Payé sur retenu, en % ; au-delà de 100 tant que courent des avances."
    )


class LigneDeMaquetteOut(Representation):
    """Une cellule de la maquette : PLIE (ou réserve) et ligne."""

    plie_id: str
    plie_nom: str
    annee: int = Field(description="Tranche.")
    axe: str
    objectif_specifique: str
    dispositif: str
    chiffres: ChiffresOut


class PlieDeMaquetteOut(Representation):
    """Le total d’un PLIE."""

    plie_id: str
    plie_nom: str
    chiffres: ChiffresOut


class SommeDeMaquetteOut(Representation):
    """Le total d’une tranche, d’un axe, d’un objectif spécifique ou d’un dispositif."""

    code: str
    chiffres: ChiffresOut


class FinanceurDeMaquetteOut(Representation):
    """Ce qu’un financeur apporte à côté du Fonds, en euros."""

    type: str
    type_libelle: str
    financeur: str
    programmee: MontantSigne
    conventionnee: MontantSigne
    affectee: MontantSigne
    retenue: MontantSigne = Field(description="Retenue au contrôle de service fait.")


class SituationOut(Representation):
    """Les deux dates d’une réponse."""

    effet_au: date | None = Field(description="Dernier jour d’effet compté ; `null` : tous.")
    connu_le: int | None = Field(
        description="Numéro du dernier événement compté ; `null` : tous ceux du journal."
    )


class MaquetteOut(Representation):
    """La maquette d’une subvention globale, arrêtée à un événement du journal et à un jour."""

    subvention_globale_id: UUID
    numero: str
    reglement: str
    oi_nom: str
    fictive: bool = Field(description="Les montants sont inventés (démonstration).")
    fse_total: MontantSigne = Field(description="FSE de la convention en vigueur, en euros.")
    situation: SituationOut
    position: int = Field(description="Numéro du dernier événement compté.")
    connue_le: datetime | None = Field(description="Instant où cet événement a été enregistré.")
    calculee_le: datetime
    lignes: list[LigneDeMaquetteOut]
    par_plie: list[PlieDeMaquetteOut]
    par_annee: list[SommeDeMaquetteOut] = Field(description="Par tranche.")
    par_axe: list[SommeDeMaquetteOut]
    par_objectif_specifique: list[SommeDeMaquetteOut]
    par_dispositif: list[SommeDeMaquetteOut]
    financeurs: list[FinanceurDeMaquetteOut] = Field(description="Par financeur.")
    total: ChiffresOut = Field(description="Somme des lignes ; les taux ne sont pas des moyennes.")
    oi_entier: ChiffresOut | None = Field(
        description="Totaux de toute la subvention globale, pour qui n’en lit que des PLIE ; "
        "`null` pour qui la lit entière."
    )


# --- Subventions globales, enveloppes, appels à projets ------------------------------------------


class SubventionOut(Representation):
    """Une subvention globale."""

    id: UUID
    oi_id: str
    oi_nom: str
    reglement: str
    numero: str
    programme: str
    fse_total: MontantSigne = Field(description="FSE de la convention, en euros.")
    programmation_debut: date
    programmation_fin: date
    fictive: bool = Field(description="Les montants sont inventés (démonstration).")


class PlieOut(Representation):
    """Un PLIE."""

    plie_id: str
    nom: str


class ObjectifSpecifiqueOut(Representation):
    """Un objectif spécifique du programme."""

    code: str
    libelle: str


class RefactionOut(Representation):
    """La clause de réfaction pour indicateurs non atteints."""

    seuil_pct: Decimal = Field(description="Part de la cible sous laquelle elle joue, en %.")
    taux_pct: Decimal = Field(description="Part du FSE retirée, en %.")


class ParametresOut(Representation):
    """Les choix que les textes laissent, une fois faits."""

    avance_pct: Decimal = Field(description="Avance, en % du FSE conventionné.")
    avance_plafond: MontantSigne | None = Field(
        validation_alias="avance_plafond_centimes", description="Plafond de l’avance, en euros."
    )
    types_beneficiaires_sans_avance: list[str]
    plafond_avant_solde_pct: Decimal | None = Field(
        description="Part du FSE conventionné payable avant le solde, en %."
    )
    delai_contradictoire_jours: int = Field(description="Phase contradictoire, en jours.")
    arrondi: str = Field(description="`demi_superieur` ou `troncature`, au centime.")
    taux_mode: str = Field(description="Taux du FSE : `exact`, ou `affiche` à deux décimales.")
    imputation_avance: str = Field(description="Quand l’avance s’impute sur ce qui est dû.")
    fongibilite: str = Field(
        description="Un poste peut dépasser son montant : `libre`, `plafond_par_poste` ou "
        "`tolerance`."
    )
    tolerance_poste_pct: Decimal = Field(description="Dépassement admis d’un poste, en %.")
    ressources_intermediaires: str = Field(
        description="Avant le bilan final, les ressources comptent `percues` ou au `prorata`."
    )
    contreparties_non_percues: str = Field(
        description="Au bilan final : sur `attestation` du financeur, ou `percu_seulement`."
    )
    extrapolation: bool = Field(description="La convention prévoit l’extrapolation.")
    echantillon_taille_min: int = Field(description="Pièces à tirer, au moins.")
    echantillon_couverture_min_pct: Decimal = Field(
        description="Part du montant du poste à tirer, au moins, en %."
    )
    refaction: RefactionOut | None


class SurchargeOut(Representation):
    """Ce qu’une fiche décide autrement que sa subvention globale ; `null` laisse ce qui est."""

    avance_pct: Decimal | None = Field(description="Avance, en % du FSE conventionné.")
    avance_plafond: MontantSigne | None = Field(
        validation_alias="avance_plafond_centimes", description="Plafond de l’avance, en euros."
    )
    types_beneficiaires_sans_avance: list[str] | None
    plafond_avant_solde_pct: Decimal | None = Field(
        description="Part du FSE conventionné payable avant le solde, en %."
    )
    delai_contradictoire_jours: int | None
    arrondi: str | None
    taux_mode: str | None
    imputation_avance: str | None
    fongibilite: str | None
    tolerance_poste_pct: Decimal | None = Field(description="En %.")
    ressources_intermediaires: str | None
    contreparties_non_percues: str | None
    extrapolation: bool | None
    echantillon_taille_min: int | None
    echantillon_couverture_min_pct: Decimal | None = Field(description="En %.")
    refaction: RefactionOut | None


class AvenantSubventionOut(Representation):
    """Un avenant à la subvention globale, avant et après."""

    numero: int
    objet: str
    date_effet: date
    fse_total_avant: MontantSigne = Field(description="En euros.")
    fse_total_apres: MontantSigne = Field(description="En euros.")
    programmation_avant: PeriodeOut
    programmation_apres: PeriodeOut
    realisation_avant: PeriodeOut
    realisation_apres: PeriodeOut


class LigneMaquetteOut(Representation):
    """Une ligne : tranche, axe, objectif spécifique, dispositif."""

    annee: int
    axe: str
    objectif_specifique: str
    dispositif: str


class LigneTrancheOut(Representation):
    """Ce qu’une tranche ouvre sur une ligne."""

    ligne: LigneMaquetteOut
    fse: MontantSigne = Field(validation_alias="fse_centimes", description="FSE, en euros.")
    contreparties_publiques: MontantSigne = Field(
        validation_alias="contreparties_publiques_centimes", description="En euros."
    )
    contreparties_privees: MontantSigne = Field(
        validation_alias="contreparties_privees_centimes", description="En euros."
    )


class TrancheOut(Representation):
    """Une tranche annuelle."""

    annee: int
    ouverte_le: date
    lignes: list[LigneTrancheOut]


class FicheSubventionOut(Representation):
    """Une subvention globale, entière."""

    resume: SubventionOut
    version: int = Field(description="À rappeler dans `If-Match`.")
    conventionnee_le: date
    agd: str = Field(description="Autorité de gestion déléguée.")
    programme_cci: str
    programmation: PeriodeOut
    realisation: PeriodeOut
    parametres: ParametresOut
    plie: list[PlieOut]
    objectifs_specifiques: list[ObjectifSpecifiqueOut]
    avenants: list[AvenantSubventionOut]
    tranches: list[TrancheOut]


class EnveloppeOut(Representation):
    """L’enveloppe d’un PLIE, ou de la réserve, sur une ligne."""

    plie_id: str
    plie_nom: str
    annee: int = Field(description="Tranche.")
    axe: str
    objectif_specifique: str
    dispositif: str
    alloue: MontantSigne = Field(description="FSE alloué, en euros.")
    programme: MontantSigne = Field(
        description="FSE que la programmation retient encore, reliquats rendus, en euros."
    )
    disponible: MontantSigne = Field(description="FSE encore programmable, en euros.")


class AppelOut(Representation):
    """Un appel à projets."""

    id: UUID
    subvention_globale_id: UUID
    numero: str
    intitule: str
    date_ouverture: date
    date_cloture: date
    clos: bool
    nb_fiches: int = Field(description="Fiches opération du périmètre.")
    version: int = Field(description="À rappeler dans `If-Match`.")


class IndicateurOut(Representation):
    """Ce qu’une opération promet d’atteindre."""

    libelle: str
    cible: Decimal
    unite: str
    comparateur: str
    pieces: list[str]
    mode: str = Field(description="Comment les pièces se combinent.")


class ConditionOut(Representation):
    """La condition de cofinancement d’une fiche ; un taux de 0.20 vaut 20 %."""

    statut: str
    taux_min_contreparties: Decimal | None
    taux_max_fse: Decimal | None
    cofinancement_requis: bool


class FicheOut(Representation):
    """Une fiche opération."""

    code: str
    titre: str
    plie_id: str
    axe: str
    objectif_specifique: str
    dispositif: str
    type_soutien: str
    cible: str
    periode: PeriodeOut
    condition: ConditionOut | None
    indicateurs: list[IndicateurOut]
    parametres: SurchargeOut | None = Field(
        description="Ce que la fiche décide autrement que sa subvention globale."
    )


class FicheAppelOut(Representation):
    """Un appel à projets et ses fiches opération."""

    resume: AppelOut
    fiches: list[FicheOut]


# --- Opérations ----------------------------------------------------------------------------------


class OperationOut(MontantsOut):
    """Une opération et ses montants ; les mesures sont celles de la maquette."""

    id: UUID
    subvention_globale_id: UUID
    appel_a_projets_id: UUID
    fiche_code: str
    numero_mdfse: str
    numero_convention: str | None
    siret: str
    beneficiaire: str
    type_beneficiaire: str
    plie_id: str
    plie_nom: str
    annee: int = Field(description="Tranche.")
    axe: str
    objectif_specifique: str
    dispositif: str
    intitule: str
    debut: date = Field(description="Début de la période de réalisation.")
    fin: date = Field(description="Fin de la période de réalisation.")
    depose_le: date
    statut: str
    statut_libelle: str
    fse: MontantSigne = Field(description="FSE programmé, sinon demandé, en euros.")


class BeneficiaireOut(Representation):
    """La personne morale qui porte l’opération."""

    siret: str
    nom: str
    type: str


class LivrableOut(Representation):
    """Un livrable d’un montant forfaitaire : atteint, son montant est dû ; sinon, rien."""

    id: str
    libelle: str
    montant: MontantSigne = Field(validation_alias="montant_centimes", description="En euros.")


class PosteOut(Representation):
    """Un poste de dépense du plan, et la forme sous laquelle il est remboursé."""

    code: str
    libelle: str | None = Field(description="Donné au dépôt ; sinon, celui de la nomenclature.")
    montant: MontantSigne = Field(validation_alias="montant_centimes", description="En euros.")
    mode: str = Field(
        description="`reel`, `forfait`, `cout_unitaire` ou `montant_forfaitaire` : un coût n’a "
        "qu’une forme."
    )
    option: str | None = Field(description="Taux forfaitaire des textes.")
    taux_pct: Decimal | None = Field(description="Taux figé par la convention, en %.")
    assiette: list[str] = Field(description="Postes auxquels le taux s’applique.")
    methode_ref: str | None = Field(description="Document de la méthode de calcul.")
    couvre: list[str] = Field(description="Postes que le barème ou le forfait couvre.")
    unite: str | None
    cout_unite: MontantSigne | None = Field(
        validation_alias="cout_unite_centimes", description="Coût d’une unité, en euros."
    )
    unites: Decimal | None = Field(description="Unités prévues.")
    livrables: list[LivrableOut]


class RessourceOut(Representation):
    """Une ressource autre que le FSE."""

    type: str
    financeur: str
    montant: MontantSigne = Field(validation_alias="montant_centimes", description="En euros.")


class PlanOut(Representation):
    """Un plan de financement."""

    postes: list[PosteOut]
    fse: MontantSigne = Field(validation_alias="fse_centimes", description="FSE, en euros.")
    ressources: list[RessourceOut]
    cout_total: MontantSigne = Field(
        validation_alias="cout_total_centimes", description="Coût total éligible, en euros."
    )
    taux_fse: Pourcentage = Field(description="Part du FSE, en %.")


class VersionDuPlanOut(Representation):
    """Un plan de financement et l’acte qui l’a fixé."""

    origine: str = Field(description="`depot`, `instruction`, `convention` ou `avenant`.")
    avenant: int | None = Field(description="Numéro de l’avenant.")
    date_effet: date
    position: int = Field(description="Numéro de l’événement.")
    plan: PlanOut
    derogation_couts_simplifies: str | None = Field(
        description="Pourquoi les coûts simplifiés ne sont pas imposés : `aide_etat` ou "
        "`commande_publique`."
    )
    avertissements: list[str] = Field(description="Ce que l’instruction a relevé sans refuser.")


class IndicateurSuiviOut(Representation):
    """Un indicateur, sa cible et ce qui est réalisé."""

    numero: int
    libelle: str
    unite: str
    cible: Decimal
    comparateur: str
    pieces: list[str]
    mode: str
    realise: Decimal | None
    taux: PartDeCible = Field(description="Part de la cible, en %, tronquée.")
    atteint: bool | None


class AvisOut(Representation):
    """Un avis rendu sur le dossier."""

    de: str = Field(description="`instruction`, `plie` ou `agd`.")
    avis: str
    auteur: str
    date_effet: date
    texte: str | None


class DecisionOut(Representation):
    """Une décision de l’instance de programmation."""

    decision: str
    instance: str
    pv_ref: str
    date_effet: date
    motif: str | None
    fse: MontantSigne | None = Field(description="FSE, en euros.")
    cout_total: MontantSigne | None = Field(description="Coût total, en euros.")


class DifferenceOut(Representation):
    """Ce qu’un avenant change à un endroit, écrit pour être lu."""

    champ: str
    avant: str
    apres: str


class AvenantOut(Representation):
    """Un avenant à la convention, par différence."""

    numero: int
    statut: str = Field(description="`demande`, `programme`, `signe` ou `abandonne`.")
    demande_le: date
    motif: str | None
    programme_le: date | None
    pv_ref: str | None
    signe_le: date | None
    ecart_fse: MontantSigne | None = Field(description="En euros.")
    ecart_cout_total: MontantSigne | None = Field(description="En euros.")
    differences: list[DifferenceOut]


class BilanPrevuOut(Representation):
    """Un bilan attendu par la convention."""

    numero: int
    type: str
    date_limite: date


class EtatBilanOut(Representation):
    """Un bilan que la convention attend, et où il en est au jour demandé."""

    le: date = Field(description="Jour auquel l’état est dit ; seuls comptent les faits d’alors.")
    numero: int
    type: str = Field(description="`intermediaire` ou `final`.")
    date_limite: date
    etat: str = Field(
        description="`attendu`, `en_retard`, `reclame`, `depose`, `clos_office`, ou `sans_objet` "
        "quand le bilan final ou le solde l’a rendu inutile."
    )
    etat_libelle: str
    jours_de_retard: int
    bilan_id: UUID | None = Field(description="Le bilan déposé.")
    depose_le: date | None
    reclame_le: date | None
    reponse_jusqu_au: date | None = Field(description="Fin du délai de réponse à la réclamation.")
    reponse_depassee: bool = Field(description="Réclamé en vain : le dossier peut être clos.")
    clos_le: date | None = Field(description="Clôture d’office.")


class BilanAttenduOut(EtatBilanOut):
    """Un bilan attendu, avec son opération."""

    operation_id: UUID
    numero_mdfse: str
    numero_convention: str
    beneficiaire: str
    plie_id: str
    plie_nom: str
    intitule: str
    statut: str = Field(description="État actuel de l’opération.")
    statut_libelle: str


class BilansAttendusOut(PageOut[BilanAttenduOut]):
    """Les bilans attendus à un jour donné."""

    le: date


class PlafondPosteOut(Representation):
    """Un poste que la convention plafonne."""

    code: str
    montant: MontantSigne = Field(validation_alias="montant_centimes", description="En euros.")
    tolerance_pct: Decimal = Field(description="Dépassement admis, en %.")


class ClotureOfficeOut(Representation):
    """La clôture d’office d’un dossier dont le bilan n’est pas venu."""

    date_effet: date
    motif: str | None
    numero: int = Field(description="Bilan réclamé en vain.")
    fse_du_avant: MontantSigne = Field(
        validation_alias="fse_du_avant_centimes", description="En euros."
    )
    fse_du_apres: MontantSigne = Field(
        validation_alias="fse_du_apres_centimes", description="En euros."
    )
    cout_total_retenu_avant: MontantSigne = Field(
        validation_alias="cout_total_retenu_avant_centimes", description="En euros."
    )
    cout_total_retenu_apres: MontantSigne = Field(
        validation_alias="cout_total_retenu_apres_centimes", description="En euros."
    )


# --- Contrôle de service fait --------------------------------------------------------------------


class UnitesDeclareesOut(Representation):
    """Les unités qu’un bilan déclare sur un poste."""

    poste: str
    quantite: Decimal


class UnitesControleesOut(Representation):
    """Des unités déclarées et prouvées."""

    poste: str
    declarees: Decimal
    retenues: Decimal
    motif_code: str | None


class LivrableControleOut(Representation):
    """Un livrable, atteint ou non."""

    poste: str
    id: str
    montant: MontantSigne = Field(validation_alias="montant_centimes", description="En euros.")
    atteint: bool
    motif_code: str | None


class TirageOut(Representation):
    """L’échantillon d’un poste ; avec la graine et l’algorithme, chacun refait le tirage."""

    poste: str
    tire_le: date = Field(validation_alias="date_effet")
    population_nombre: int
    population: MontantSigne = Field(
        validation_alias="population_centimes", description="Montant des pièces, en euros."
    )
    tirage: list[UUID] = Field(description="Dépenses tirées, dans l’ordre du tirage.")
    tirage_montant: MontantSigne = Field(
        validation_alias="tirage_centimes", description="Montant tiré, en euros."
    )
    graine: str
    algorithme: str
    justification: str


class ExtrapolationDecideeOut(Representation):
    """La décision d’étendre le taux d’écart du tirage aux pièces non tirées."""

    poste: str
    decidee_le: date = Field(validation_alias="date_effet")
    fondement: str = Field(description="`convention` ou `accord_ecrit`.")
    accord_ref: str | None


class MarcheCorrigeOut(Representation):
    """La correction forfaitaire d’un marché ; 0 la lève."""

    marche_ref: str
    taux_pct: Decimal = Field(description="En % des dépenses du marché.")
    decidee_le: date = Field(validation_alias="date_effet")
    motif: str | None


class FseCorrigeOut(Representation):
    """Une correction du FSE lui-même, après les plafonds ; 0 la lève."""

    nature: str = Field(description="`publicite` ou `refaction_indicateurs`.")
    taux_pct: Decimal = Field(description="En % du FSE.")
    decidee_le: date = Field(validation_alias="date_effet")
    motif: str | None


class RecettesControleesOut(Representation):
    """Ce qui est retenu des recettes nettes, et ce qui en est fait."""

    declarees: MontantSigne = Field(validation_alias="declarees_centimes", description="En euros.")
    retenues: MontantSigne = Field(validation_alias="retenues_centimes", description="En euros.")
    traitement: str = Field(description="`deduites`, `ressource` ou `exemptees`.")
    fondement: str


class PointControleOut(Representation):
    """Une réponse de la grille de contrôle."""

    numero: int
    libelle: str
    reponse: str = Field(description="`conforme`, `non_conforme` ou `sans_objet`.")
    commentaire: str | None


class RessourceRetenueOut(Representation):
    """Ce que le contrôle retient d’une ressource."""

    type: str
    financeur: str
    montant_declare: MontantSigne = Field(
        validation_alias="montant_declare_centimes", description="En euros."
    )
    montant_retenu: MontantSigne = Field(
        validation_alias="montant_retenu_centimes", description="En euros."
    )
    attestation_ref: str | None = Field(description="Attestation du financeur qui n’a pas payé.")
    motif: str | None


class DecisionsCsfOut(Representation):
    """Ce que le contrôleur décide au-delà des lignes ; une version part de la précédente."""

    tirages: list[TirageOut]
    extrapolations: list[ExtrapolationDecideeOut]
    marches: list[MarcheCorrigeOut]
    corrections_fse: list[FseCorrigeOut]
    ressources: list[RessourceRetenueOut] | None = Field(
        description="`null` tant qu’elles ne sont pas décidées."
    )
    unites: list[UnitesControleesOut]
    livrables: list[LivrableControleOut]
    recettes: RecettesControleesOut | None
    grille: list[PointControleOut]


class PosteRetenuOut(Representation):
    """Ce qu’un bilan apporte à un poste."""

    code: str
    declare: MontantSigne = Field(validation_alias="declare_centimes", description="En euros.")
    ecarte: MontantSigne = Field(validation_alias="ecarte_centimes", description="En euros.")
    retenu: MontantSigne = Field(validation_alias="retenu_centimes", description="En euros.")


# What the calculation read, and every operand that it found.


class PosteConvenuOut(Representation):
    """Comment la convention compte un poste."""

    code: str
    mode: str
    taux_pct: Decimal | None
    assiette: list[str]
    cout_unite: MontantSigne | None = Field(
        validation_alias="cout_unite_centimes", description="En euros."
    )
    plafond: MontantSigne | None = Field(
        validation_alias="plafond_centimes", description="En euros."
    )
    tolerance_pct: Decimal


class ConditionsCalculOut(Representation):
    """Ce que la convention fixe du calcul."""

    fse_max: MontantSigne = Field(validation_alias="fse_max_centimes", description="En euros.")
    cout_total_eligible: MontantSigne = Field(
        validation_alias="cout_total_eligible_centimes", description="En euros."
    )
    postes: list[PosteConvenuOut]
    arrondi: str
    taux_mode: str
    ressources_intermediaires: str
    ressources_prevues: list[tuple[str, MontantSigne]] = Field(
        description="Type et montant en euros des ressources du plan."
    )


class LignesPosteOut(Representation):
    """Ce que font les lignes d’un poste dans un bilan."""

    code: str
    declare: MontantSigne = Field(validation_alias="declare_centimes", description="En euros.")
    ecarte: MontantSigne = Field(validation_alias="ecarte_centimes", description="En euros.")


class EchantillonOut(Representation):
    """Ce que dit le tirage d’un poste, et la base non tirée."""

    poste: str
    tirage_declare: MontantSigne = Field(
        validation_alias="tirage_declare_centimes", description="En euros."
    )
    tirage_ecarte: MontantSigne = Field(
        validation_alias="tirage_ecarte_centimes", description="En euros."
    )
    base: MontantSigne = Field(validation_alias="base_centimes", description="En euros.")


class LignesMarcheOut(Representation):
    """Ce qui est retenu d’un marché dans un poste, avant correction."""

    marche: str
    poste: str
    retenu: MontantSigne = Field(validation_alias="retenu_centimes", description="En euros.")


class TauxDecideOut(Representation):
    """Une correction forfaitaire : d’un marché, ou du FSE."""

    objet: str
    taux_pct: Decimal


class UnitesOut(Representation):
    """Des unités déclarées et retenues."""

    poste: str
    declarees: Decimal
    retenues: Decimal


class LivrableVuOut(Representation):
    """Un livrable, atteint ou non."""

    poste: str
    id: str
    montant: MontantSigne = Field(validation_alias="montant_centimes", description="En euros.")
    atteint: bool


class ApportsOut(Representation):
    """Ce qu’un bilan apporte au calcul."""

    final: bool
    lignes: list[LignesPosteOut]
    echantillons: list[EchantillonOut]
    marches: list[LignesMarcheOut]
    corrections_marche: list[TauxDecideOut]
    unites: list[UnitesOut]
    livrables: list[LivrableVuOut]
    recettes_nettes: MontantSigne = Field(
        validation_alias="recettes_nettes_centimes", description="Déduites du coût, en euros."
    )
    ressources: list[tuple[str, MontantSigne]] = Field(
        description="Type et montant retenu, en euros."
    )
    corrections_fse: list[TauxDecideOut]


class EntreesCalculOut(Representation):
    """Tout ce que le calcul a lu : la convention, puis chaque bilan contrôlé, dans leur ordre."""

    conditions: ConditionsCalculOut
    bilans: list[ApportsOut]
    rang: int = Field(description="Rang, depuis 0, du bilan de ce contrôle.")


class PosteCalculeOut(Representation):
    """Un poste et comment il vient à ce qui est retenu, depuis le début."""

    code: str
    mode: str
    retenu: MontantSigne = Field(validation_alias="retenu_centimes", description="En euros.")
    declare: MontantSigne = Field(validation_alias="declare_centimes", description="En euros.")
    ecarte: MontantSigne = Field(validation_alias="ecarte_centimes", description="En euros.")
    extrapole: MontantSigne = Field(validation_alias="extrapole_centimes", description="En euros.")
    corrige_marche: MontantSigne = Field(
        validation_alias="corrige_marche_centimes", description="En euros."
    )
    ecrete: MontantSigne = Field(
        validation_alias="ecrete_centimes", description="Au-delà du plafond du poste, en euros."
    )
    taux_pct: Decimal | None
    assiette: list[str]
    assiette_montant: MontantSigne | None = Field(
        validation_alias="assiette_centimes", description="En euros."
    )
    unites: Decimal | None
    cout_unite: MontantSigne | None = Field(
        validation_alias="cout_unite_centimes", description="En euros."
    )


class ExtrapolationCalculeeOut(Representation):
    """Une extrapolation."""

    poste: str
    taux: str = Field(examples=["3/148"], description="Fraction exacte.")
    base: MontantSigne = Field(validation_alias="base_centimes", description="En euros.")
    correction: MontantSigne = Field(
        validation_alias="correction_centimes", description="En euros."
    )


class MarcheCalculeOut(Representation):
    """La correction d’un marché, sur tout ce qui en est retenu depuis le début."""

    marche: str
    taux_pct: Decimal
    base: MontantSigne = Field(validation_alias="base_centimes", description="En euros.")
    correction: MontantSigne = Field(
        validation_alias="correction_centimes", description="En euros."
    )


class CorrectionFseOut(Representation):
    """Une correction du FSE."""

    nature: str
    taux_pct: Decimal
    correction: MontantSigne = Field(
        validation_alias="correction_centimes", description="En euros."
    )


class CalculOut(Representation):
    """Le calcul du FSE dû depuis le début, opérande par opérande."""

    postes: list[PosteCalculeOut]
    extrapolations: list[ExtrapolationCalculeeOut]
    marches: list[MarcheCalculeOut]
    cout_brut: MontantSigne = Field(validation_alias="cout_brut_centimes", description="En euros.")
    recettes_nettes: MontantSigne = Field(
        validation_alias="recettes_nettes_centimes", description="En euros."
    )
    cout_net: MontantSigne = Field(validation_alias="cout_net_centimes", description="En euros.")
    ressources_externes: MontantSigne = Field(
        validation_alias="ressources_externes_centimes", description="En euros."
    )
    c1: MontantSigne = Field(validation_alias="c1_centimes", description="En euros.")
    c2: MontantSigne = Field(validation_alias="c2_centimes", description="En euros.")
    c3: MontantSigne = Field(validation_alias="c3_centimes", description="En euros.")
    c4: MontantSigne | None = Field(validation_alias="c4_centimes", description="En euros.")
    contrainte_active: str
    fse_brut: MontantSigne = Field(validation_alias="fse_brut_centimes", description="En euros.")
    corrections_fse: list[CorrectionFseOut]
    fse_du: MontantSigne = Field(validation_alias="fse_du_centimes", description="En euros.")
    autofinancement_constate: MontantSigne = Field(
        validation_alias="autofinancement_constate_centimes", description="En euros."
    )
    surfinancement_ecarte: MontantSigne = Field(
        validation_alias="surfinancement_ecarte_centimes", description="En euros."
    )


class ResultatCsfOut(Representation):
    """Le certificat de service fait : plafonds comparés et FSE dû, cumulés depuis le début."""

    valideur: str
    version_regles: str
    postes: list[PosteRetenuOut]
    ressources: list[RessourceRetenueOut]
    fse_max: MontantSigne = Field(validation_alias="fse_max_centimes", description="En euros.")
    cout_total_eligible: MontantSigne = Field(
        validation_alias="cout_total_eligible_centimes", description="En euros."
    )
    cout_net_cumule: MontantSigne = Field(
        validation_alias="cout_net_cumule_centimes", description="En euros."
    )
    ressources_externes: MontantSigne = Field(
        validation_alias="ressources_externes_centimes", description="En euros."
    )
    c1_plafond: MontantSigne = Field(
        validation_alias="c1_plafond_centimes", description="Maximum conventionné, en euros."
    )
    c2_taux: MontantSigne = Field(
        validation_alias="c2_taux_centimes", description="Taux × coût net, en euros."
    )
    c3_besoin: MontantSigne = Field(
        validation_alias="c3_besoin_centimes", description="Besoin de financement, en euros."
    )
    c4_hors_nature: MontantSigne | None = Field(
        validation_alias="c4_hors_nature_centimes",
        description="Limite hors contributions en nature, en euros.",
    )
    contrainte_active: str
    fse_du_cumule: MontantSigne = Field(
        validation_alias="fse_du_cumule_centimes", description="En euros."
    )
    fse_du_periode: MontantSigne = Field(
        validation_alias="fse_du_periode_centimes", description="En euros ; peut être négatif."
    )
    depenses_declarees: MontantSigne = Field(
        validation_alias="depenses_declarees_centimes", description="En euros."
    )
    depenses_ecartees: MontantSigne = Field(
        validation_alias="depenses_ecartees_centimes", description="En euros."
    )
    autofinancement_constate: MontantSigne = Field(
        validation_alias="autofinancement_constate_centimes", description="En euros."
    )
    surfinancement_ecarte: MontantSigne = Field(
        validation_alias="surfinancement_ecarte_centimes", description="En euros."
    )
    entrees: EntreesCalculOut | None = Field(
        description="`null` pour les contrôles des règles 2026.1, au réel seulement."
    )
    calcul: CalculOut | None = Field(validation_alias="resultat")


class CsfOut(Representation):
    """Une version d’un contrôle de service fait."""

    csf_id: UUID
    version: int
    controleur: str
    modalite: str = Field(description="`exhaustif` ou `echantillon`.")
    ouvert_le: date
    decisions: DecisionsCsfOut
    conclusions_le: date | None
    fse_demande: MontantSigne | None = Field(
        description="FSE dû si tout le déclaré était retenu, dit au bénéficiaire, en euros."
    )
    fse_annonce: MontantSigne | None = Field(
        description="FSE dû annoncé au bénéficiaire, en euros."
    )
    date_limite_reponse: date | None
    observations_le: date | None
    conclusions_finales_le: date | None
    valide_le: date | None
    rouvert_le: date | None = Field(description="Jour où une autre version l’a remplacée.")
    motif_reouverture: str | None = Field(description="Pourquoi cette version a été ouverte.")
    controle_ref: str | None = Field(description="Contrôle à la suite duquel elle l’a été.")
    contrainte: str | None = Field(description="Ce qui a limité le FSE, en clair.")
    resultat: ResultatCsfOut | None


class InterruptionOut(Representation):
    """Un arrêt du délai de paiement d’un bilan."""

    cause: str = Field(
        description="`montant_non_du`, `piece_manquante` ou `suspicion_irregularite`."
    )
    notification_ref: str
    depuis_le: date
    reprise_le: date | None = Field(description="`null` tant que le délai est interrompu.")


class BilanOut(Representation):
    """Un bilan d’exécution et ses contrôles."""

    bilan_id: UUID
    numero: int
    type: str
    statut: str = Field(
        description="`depose`, `recevable`, `renvoye`, `en_controle` ou `controle`."
    )
    periode: PeriodeOut
    depose_le: date
    recevable_le: date | None
    nb_depenses: int
    cout_total_declare: MontantSigne = Field(description="En euros.")
    fse_declare: MontantSigne = Field(description="En euros.")
    ressources: list[RessourceOut]
    unites: list[UnitesDeclareesOut]
    livrables: list[str] = Field(description="Livrables déclarés atteints.")
    recettes_nettes: MontantSigne = Field(description="Recettes nettes déclarées, en euros.")
    apports: ApportsOut | None = Field(description="Ce que le calcul lit du déclaré.")
    interruptions: list[InterruptionOut] = Field(description="Du délai de paiement.")
    csf: list[CsfOut]


class PaiementOut(Representation):
    """Un paiement au bénéficiaire."""

    paiement_id: UUID
    type: str = Field(description="`avance`, `acompte` ou `solde`.")
    statut: str = Field(
        description="`prepare`, `ordonnance`, `annule`, `effectue`, `acquitte` ou `rejete`."
    )
    montant: MontantSigne = Field(description="En euros.")
    compense: MontantSigne = Field(
        description="Part qui a réglé un reversement d’une autre opération, en euros."
    )
    csf_id: UUID | None
    remplace: UUID | None = Field(description="Paiement rejeté que celui-ci paie de nouveau.")
    prepare_le: date | None = Field(
        description="`null` pour un paiement ordonnancé avant que les paiements ne se préparent."
    )
    ordonnance_le: date | None = Field(description="`null` tant que le paiement est préparé.")
    annule_le: date | None
    effectue_le: date | None
    ref_virement: str | None
    acquitte_le: date | None
    rejete_le: date | None


class ReversementOut(Representation):
    """Un ordre de reversement."""

    ordre_id: UUID
    statut: str = Field(description="`emis`, `notifie`, `conteste` ou `annule`.")
    montant: MontantSigne = Field(description="En euros.")
    encaisse: MontantSigne = Field(description="Rentré, compensations comprises, en euros.")
    compense: MontantSigne = Field(description="Rentré par compensation, en euros.")
    perdu: MontantSigne = Field(description="Irrécouvrable, en euros.")
    reste: MontantSigne = Field(description="Encore réclamé, en euros.")
    emis_le: date
    notifie_le: date | None
    conteste_le: date | None
    annule_le: date | None
    echeance: date
    motif: str | None


class CertificationOut(Representation):
    """Ce qui a été transmis, certifié, retiré."""

    acte: str = Field(description="`transmise`, `certifiee` ou `retiree`.")
    ref: str
    exercice_comptable: str | None
    date_effet: date
    fse: MontantSigne = Field(description="En euros.")
    cout_total: MontantSigne = Field(description="En euros.")


class ConventionOut(Representation):
    """Une convention dans sa version en vigueur, et l’argent qui court sous elle."""

    id: UUID
    version: int = Field(description="À rappeler dans `If-Match`.")
    numero: str
    signee_le: date
    notifiee_le: date | None
    signataires: list[str]
    objet: str
    periode: PeriodeOut
    fse_max: MontantSigne = Field(description="FSE maximal, en euros.")
    cout_total_eligible: MontantSigne = Field(description="En euros.")
    taux_fse: Pourcentage = Field(description="Part du FSE, en % ; le calcul emploie la fraction.")
    avance_pct: Decimal = Field(description="En % du FSE maximal.")
    avance_plafond: MontantSigne | None = Field(description="En euros.")
    plafond_avant_solde_pct: Decimal | None = Field(description="En % du FSE maximal.")
    parametres: ParametresOut = Field(description="Choix figés à la signature.")
    plafonds_poste: list[PlafondPosteOut]
    bilans_prevus: list[BilanPrevuOut]
    bilans_attendus: list[EtatBilanOut] = Field(
        description="Où en est chaque bilan prévu ; vide tant que la convention n’est pas notifiée."
    )
    cloture_office: ClotureOfficeOut | None
    date_limite_acquittement: date
    fse_du: MontantSigne = Field(description="FSE dû depuis le début, en euros.")
    cout_total_retenu: MontantSigne = Field(description="En euros.")
    paye: MontantSigne = Field(description="Payé, net des reversements, en euros.")
    a_encaisser: MontantSigne = Field(description="Reversements attendus, en euros.")
    perdu: MontantSigne = Field(description="Indu irrécouvrable, en euros.")
    avenants: list[AvenantOut]
    bilans: list[BilanOut]
    paiements: list[PaiementOut]
    reversements: list[ReversementOut]
    certifications: list[CertificationOut]


class AffectationOut(Representation):
    """Ce qu’une opération tient d’une contrepartie."""

    contrepartie_id: UUID
    operation_id: UUID
    numero_mdfse: str
    type: str
    financeur: str
    annee: int
    montant: MontantSigne = Field(description="Affecté, en euros.")


class SuiteOut(Representation):
    """Un contrôle rouvert après le solde."""

    csf_id: UUID
    controle_ref: str | None
    ouverte_le: date
    close_le: date | None


class CouvertureOut(Representation):
    """Ce que les contreparties couvrent de ce que le Fonds laisse à financer."""

    besoin: MontantSigne = Field(validation_alias="besoin_centimes", description="En euros.")
    attestee: Pourcentage = Field(description="Affectée à l’opération, en % du besoin.")
    previsionnelle: Pourcentage = Field(description="Prévue au plan, en % du besoin.")
    autofinancement_previsionnel: MontantSigne = Field(
        validation_alias="autofinancement_previsionnel_centimes", description="En euros."
    )


class FicheOperationOut(Representation):
    """Une opération, entière."""

    resume: OperationOut
    version: int = Field(description="À rappeler dans `If-Match`.")
    objet: str
    beneficiaire: BeneficiaireOut
    demarree_le: date | None
    plan: PlanOut = Field(description="Plan de financement en vigueur.")
    versions_du_plan: list[VersionDuPlanOut]
    indicateurs: list[IndicateurSuiviOut]
    avis: list[AvisOut]
    decisions: list[DecisionOut]
    convention: ConventionOut | None
    contreparties: list[AffectationOut]
    couverture: CouvertureOut
    derogation_couts_simplifies: str | None = Field(description="Au dernier plan instruit.")
    avertissements: list[str] = Field(description="Relevés au dernier plan instruit.")
    suites: list[SuiteOut]
    suites_en_cours: bool = Field(description="Un contrôle rouvert après le solde reste à régler.")
    a_conserver_jusqu_au: date | None
    nb_depenses: int = Field(description="Dépenses non annulées.")
    nb_evenements: int


# --- Dépenses, contreparties ---------------------------------------------------------------------


class CleOut(Representation):
    """La clé qui impute une part d’un coût à l’opération."""

    numerateur: int
    denominateur: int
    libelle: str
    assiette: MontantSigne | None = Field(
        validation_alias="assiette_centimes", description="Coût que la clé répartit, en euros."
    )


class JourTravailleOut(Representation):
    """Les heures d’un jour sur l’opération."""

    jour: date
    heures: Decimal


class TempsOut(Representation):
    """Le temps qui impute le coût d’une personne à l’opération."""

    methode: str
    cout: MontantSigne = Field(
        validation_alias="cout_centimes",
        description="Coût de la personne pour le mois, sinon pour l’année, en euros.",
    )
    annee: int
    mois: int | None
    heures_operation: Decimal | None
    heures_base: Decimal | None
    pourcentage: Decimal | None
    jours: list[JourTravailleOut]
    justificatif: str | None
    accepte_le: date | None = Field(
        description="Jour où le gestionnaire a accepté un pourcentage fixe."
    )


class DetailOut(Representation):
    """Ce que le bénéficiaire déclare d’une dépense."""

    poste: str
    nature: str
    tiers_ref: str
    piece_ref: str
    date_piece: date
    date_realisation: date
    date_engagement: date | None
    date_acquittement: date | None
    preuve_acquittement: str | None
    montant_ht: MontantSigne | None = Field(
        validation_alias="montant_ht_centimes", description="En euros."
    )
    montant_ttc: MontantSigne | None = Field(
        validation_alias="montant_ttc_centimes", description="En euros."
    )
    tva_recuperable: MontantSigne | None = Field(
        validation_alias="tva_recuperable_centimes", description="En euros."
    )
    cle: CleOut | None
    montant_impute: MontantSigne = Field(
        validation_alias="montant_impute_centimes", description="Imputé à l’opération, en euros."
    )
    temps: TempsOut | None
    marche_ref: str | None
    mise_en_concurrence_ref: str | None
    regularise: UUID | None = Field(description="Dépense qu’un montant négatif corrige.")
    salarie_id: UUID | None = Field(description="Personne dont la dépense paie le temps.")


class AnomalieOut(Representation):
    """Un défaut de la dépense."""

    motif_code: str
    message: str


class DepenseOut(Representation):
    """Une dépense, ce que le contrôle en a fait, et les défauts de ses dates."""

    id: UUID
    operation_id: UUID
    version: int = Field(description="À rappeler dans `If-Match`.")
    statut: str = Field(description="`declaree`, `annulee` ou `controlee`.")
    poste: str
    poste_libelle: str
    montant_impute: MontantSigne = Field(description="En euros de coût total.")
    bilan_id: UUID | None
    csf_id: UUID | None
    retenu: MontantSigne | None = Field(description="Retenu au contrôle, en euros.")
    ecarte: MontantSigne | None = Field(description="Écarté au contrôle, en euros.")
    motif_code: str | None
    motif_libelle: str | None
    anomalies: list[AnomalieOut] = Field(description="Tous les défauts de dates.")
    detail: DetailOut


class DepenseListeeOut(Representation):
    """Une dépense dans la liste de toutes, et ce que le contrôle en a fait."""

    id: UUID
    operation_id: UUID
    numero_mdfse: str
    numero_convention: str | None
    beneficiaire: str
    plie_id: str
    plie_nom: str
    version: int = Field(description="À rappeler dans `If-Match`.")
    statut: str = Field(description="`declaree`, `annulee` ou `controlee`.")
    poste: str
    poste_libelle: str
    nature: str
    tiers_ref: str
    piece_ref: str
    date_piece: date
    date_realisation: date
    date_acquittement: date | None
    montant_impute: MontantSigne = Field(description="En euros de coût total.")
    bilan_id: UUID | None
    bilan_numero: int | None
    csf_id: UUID | None
    retenu: MontantSigne | None = Field(description="Retenu au contrôle, en euros.")
    ecarte: MontantSigne | None = Field(description="Écarté au contrôle, en euros.")
    motif_code: str | None
    motif_libelle: str | None


class TotauxDepensesOut(Representation):
    """La somme des dépenses d’un filtre, en euros ; les annulées n’y comptent pas."""

    nombre: int
    annulees: int = Field(description="Parmi ce nombre, celles qui sont annulées.")
    declare: MontantSigne
    retenu: MontantSigne
    ecarte: MontantSigne


class PageDepensesOut(PageOut[DepenseListeeOut]):
    """Une page de la liste de toutes les dépenses."""

    totaux: TotauxDepensesOut | None = Field(
        description="De toute la liste, et non de la page ; `null` si `totaux` n’est pas demandé."
    )


class ContrepartieOut(Representation):
    """Une contrepartie nationale."""

    id: UUID
    subvention_globale_id: UUID
    type: str
    type_libelle: str
    financeur: str
    plie_id: str | None = Field(description="`null` quand tout l’OI la partage.")
    annee: int
    version: int = Field(description="À rappeler dans `If-Match`.")
    attribue: MontantSigne = Field(description="En euros.")
    percu: MontantSigne = Field(description="En euros.")
    affecte: MontantSigne = Field(description="Affecté à des opérations, en euros.")
    reste: MontantSigne = Field(description="Attribué et non affecté, en euros.")


class FicheContrepartieOut(Representation):
    """Une contrepartie et ses affectations aux opérations du périmètre."""

    contrepartie: ContrepartieOut
    affectations: list[AffectationOut]


# --- Journal -------------------------------------------------------------------------------------


class LigneDuJournalOut(Representation):
    """Un événement, raconté."""

    position: int = Field(description="Numéro dans le journal, sans trou.")
    stream_id: UUID = Field(description="Flux : ce que l’événement concerne.")
    version: int = Field(description="Rang dans son flux.")
    name: str = Field(examples=["operation.dossier_depose.v1"])
    date_effet: date = Field(description="Jour où l’acte compte.")
    enregistre_le: datetime = Field(description="Instant où le service l’a su, UTC.")
    acteur: str
    role: str
    motif: str | None
    phrase: str


class EvenementCompletOut(LigneDuJournalOut):
    """Un événement et toute son enveloppe."""

    event_id: UUID
    oi_id: str
    reglement: str
    command_id: UUID
    correlation_id: UUID
    cause_id: UUID | None
    data: JsonDuJournal = Field(description="Le fait ; les `*_centimes` sont des centimes d’euro.")
    pieces: JsonDuJournal = Field(description="Pièces, par empreinte SHA-256.")
