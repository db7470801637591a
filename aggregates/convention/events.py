"""Facts of a convention: its versions, its bilans, their control, the money."""

from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

import msgspec

from aggregates.cadre import Cadre
from aggregates.commande import Instance
from aggregates.parametres import Parametres
from aggregates.plan import PlanFinancement, Ressource
from aggregates.separation import Acte
from oi_service.codec import Evenement, event
from oi_service.dates import Periode
from rules.calcul import Apports, Conditions, Resultat

TypeBilan = Literal["intermediaire", "final"]
TypePaiement = Literal["avance", "acompte", "solde"]


class Termes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an avenant may change. In a difference, ``None`` means "not changed"."""

    objet: str | None = None
    periode: Periode | None = None
    plan: PlanFinancement | None = None


class BilanPrevu(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bilan that the convention expects, and until when."""

    numero: int
    type: TypeBilan
    date_limite: date


class PlafondPoste(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A poste that the convention caps, with the margin it admits."""

    code: str
    montant_centimes: int
    tolerance_pct: Decimal


class RessourceRetenue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the control keeps of a declared resource; ``attestation_ref``: the funder will pay."""

    type: str
    financeur: str
    montant_declare_centimes: int
    montant_retenu_centimes: int
    attestation_ref: str | None = None
    motif: str | None = None


class UnitesDeclarees(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units of a poste at unit cost that a bilan declares."""

    poste: str
    quantite: Decimal


class UnitesControlees(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units declared and proven."""

    poste: str
    declarees: Decimal
    retenues: Decimal
    motif_code: str | None


class LivrableControle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A deliverable that a bilan declares: reached, or nothing of its amount."""

    poste: str
    id: str
    montant_centimes: int
    atteint: bool
    motif_code: str | None


class PointControle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer of the checklist of the control."""

    numero: int
    reponse: Literal["conforme", "non_conforme", "sans_objet"]
    commentaire: str | None


class Intervention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first act of somebody in a control."""

    qui: str
    acte: Acte
    le: date


class EntreesCalcul(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the calculation read: the convention, and each controlled bilan in its order.

    ``rang``: which of ``bilans`` this control is about.
    """

    conditions: Conditions
    bilans: tuple[Apports, ...]
    rang: int


class PosteRetenu(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bilan brings to a poste: declared, rejected, retained."""

    code: str
    declare_centimes: int
    ecarte_centimes: int
    retenu_centimes: int


@event("convention.signee.v1")
class ConventionSignee(Evenement, frozen=True, kw_only=True):
    cadre: Cadre
    operation_id: UUID
    numero: str
    type_beneficiaire: str
    signataires: tuple[str, ...]
    objet: str
    periode: Periode
    plan: PlanFinancement
    fse_max_centimes: int
    cout_total_eligible_centimes: int
    avance_pct: Decimal
    avance_plafond_centimes: int | None
    plafond_avant_solde_pct: Decimal | None
    arrondi: Literal["demi_superieur", "troncature"]
    bilans_prevus: tuple[BilanPrevu, ...]
    date_limite_acquittement: date
    parametres: Parametres | None = None
    plafonds_poste: tuple[PlafondPoste, ...] = ()


@event("convention.notifiee.v1")
class ConventionNotifiee(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    fse_max_centimes: int
    cout_total_eligible_centimes: int
    ressources: tuple[Ressource, ...]


@event("convention.avenant_demande.v1")
class AvenantDemande(Evenement, frozen=True, kw_only=True):
    numero: int
    apres: Termes


@event("convention.avenant_programme.v1")
class AvenantProgramme(Evenement, frozen=True, kw_only=True):
    numero: int
    instance: Instance
    pv_ref: str


@event("convention.avenant_signe.v1")
class AvenantSigne(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    numero: int
    avant: Termes
    apres: Termes
    ecart_fse_centimes: int
    ecart_cout_total_centimes: int
    ressources_avant: tuple[Ressource, ...]
    ressources_apres: tuple[Ressource, ...]
    date_limite_acquittement: date | None = None


@event("convention.avenant_abandonne.v1")
class AvenantAbandonne(Evenement, frozen=True, kw_only=True):
    numero: int


@event("convention.bilan_depose.v1")
class BilanDepose(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    bilan_id: UUID
    numero: int
    type: TypeBilan
    periode: Periode
    depenses: tuple[UUID, ...]
    ressources: tuple[Ressource, ...]
    cout_total_declare_centimes: int
    fse_declare_centimes: int
    unites: tuple[UnitesDeclarees, ...] = ()
    livrables: tuple[str, ...] = ()
    recettes_nettes_centimes: int = 0
    #: What is declared, as the calculation reads it; absent from bilans at real cost only.
    apports: Apports | None = None


@event("convention.bilan_juge_recevable.v1")
class BilanJugeRecevable(Evenement, frozen=True, kw_only=True):
    bilan_id: UUID


@event("convention.bilan_reclame.v1")
class BilanReclame(Evenement, frozen=True, kw_only=True):
    numero: int
    date_limite_reponse: date


@event("convention.cloture_office_prononcee.v1")
class ClotureOfficePrononcee(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    numero: int
    fse_du_avant_centimes: int
    fse_du_apres_centimes: int
    cout_total_retenu_avant_centimes: int
    cout_total_retenu_apres_centimes: int


@event("convention.bilan_renvoye.v1")
class BilanRenvoye(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    bilan_id: UUID
    cout_total_declare_centimes: int
    fse_declare_centimes: int


@event("convention.csf_ouvert.v1")
class CsfOuvert(Evenement, frozen=True, kw_only=True):
    csf_id: UUID
    bilan_id: UUID
    version: int
    controleur: str
    modalite: Literal["exhaustif", "echantillon"]


@event("convention.echantillon_tire.v1")
class EchantillonTire(Evenement, frozen=True, kw_only=True):
    csf_id: UUID
    poste: str
    population_nombre: int
    population_centimes: int
    tirage: tuple[UUID, ...]
    tirage_centimes: int
    graine: str
    algorithme: str
    justification: str
    controleur: str | None = None


@event("convention.extrapolation_decidee.v1")
class ExtrapolationDecidee(Evenement, frozen=True, kw_only=True):
    csf_id: UUID
    poste: str
    fondement: Literal["convention", "accord_ecrit"]
    accord_ref: str | None
    controleur: str | None = None


@event("convention.marche_corrige.v1")
class MarcheCorrige(Evenement, frozen=True, kw_only=True):
    csf_id: UUID
    marche_ref: str
    taux_pct: Decimal
    controleur: str | None = None


@event("convention.fse_corrige.v1")
class FseCorrige(Evenement, frozen=True, kw_only=True):
    csf_id: UUID
    nature: Literal["publicite", "refaction_indicateurs"]
    taux_pct: Decimal
    controleur: str | None = None


@event("convention.realisations_controlees.v1")
class RealisationsControlees(Evenement, frozen=True, kw_only=True):
    csf_id: UUID
    unites: tuple[UnitesControlees, ...]
    livrables: tuple[LivrableControle, ...]
    controleur: str | None = None


@event("convention.recettes_controlees.v1")
class RecettesControlees(Evenement, frozen=True, kw_only=True):
    csf_id: UUID
    declarees_centimes: int
    retenues_centimes: int
    traitement: Literal["deduites", "ressource", "exemptees"]
    fondement: str
    controleur: str | None = None


@event("convention.grille_remplie.v1")
class GrilleRemplie(Evenement, frozen=True, kw_only=True):
    csf_id: UUID
    points: tuple[PointControle, ...]
    controleur: str | None = None


@event("convention.ressources_controlees.v1")
class RessourcesControlees(Evenement, frozen=True, kw_only=True):
    csf_id: UUID
    ressources: tuple[RessourceRetenue, ...]
    controleur: str | None = None


@event("convention.conclusions_intermediaires_notifiees.v1")
class ConclusionsIntermediairesNotifiees(Evenement, frozen=True, kw_only=True):
    csf_id: UUID
    date_limite_reponse: date
    fse_demande_centimes: int | None = None
    fse_retenu_centimes: int | None = None


@event("convention.observations_recues.v1")
class ObservationsRecues(Evenement, frozen=True, kw_only=True):
    csf_id: UUID


@event("convention.conclusions_finales_notifiees.v1")
class ConclusionsFinalesNotifiees(Evenement, frozen=True, kw_only=True):
    csf_id: UUID


@event("convention.csf_propose.v1")
class CsfPropose(Evenement, frozen=True, kw_only=True):
    csf_id: UUID
    controleur: str
    fse_du_cumule_centimes: int
    cout_net_cumule_centimes: int
    depenses_ecartees_centimes: int


@event("convention.csf_renvoye.v1")
class CsfRenvoye(Evenement, frozen=True, kw_only=True):
    csf_id: UUID
    valideur: str


@event("convention.csf_valide.v1")
class CsfValide(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    csf_id: UUID
    bilan_id: UUID
    version: int
    type: TypeBilan
    version_regles: str
    valideur: str
    postes: tuple[PosteRetenu, ...]
    ressources: tuple[RessourceRetenue, ...]
    postes_cumules: dict[str, int]
    ressources_cumulees: tuple[tuple[str, int], ...]
    fse_max_centimes: int
    cout_total_eligible_centimes: int
    arrondi: Literal["demi_superieur", "troncature"]
    cout_net_cumule_centimes: int
    ressources_externes_centimes: int
    c1_plafond_centimes: int
    c2_taux_centimes: int
    c3_besoin_centimes: int
    c4_hors_nature_centimes: int | None
    contrainte_active: str
    fse_du_cumule_centimes: int
    fse_du_periode_centimes: int
    cout_total_retenu_periode_centimes: int
    depenses_declarees_centimes: int
    depenses_ecartees_centimes: int
    autofinancement_constate_centimes: int
    surfinancement_ecarte_centimes: int
    #: Absent from controls under rules 2026.1, at real cost only: the fields above say it all.
    entrees: EntreesCalcul | None = None
    resultat: Resultat | None = None
    #: Who opened the control or decided on its dépenses.
    controleurs: tuple[Intervention, ...] = ()


@event("convention.csf_rouvert.v1")
class CsfRouvert(Evenement, frozen=True, kw_only=True):
    csf_id: UUID
    bilan_id: UUID
    controle_ref: str | None = None


@event("convention.paiement_prepare.v1")
class PaiementPrepare(Evenement, frozen=True, kw_only=True):
    paiement_id: UUID
    type: TypePaiement
    montant_centimes: int
    csf_id: UUID | None
    fse_du_cumule_centimes: int
    paye_avant_centimes: int
    remplace: UUID | None
    preparateur: str


@event("convention.paiement_ordonnance.v1")
class PaiementOrdonnance(Evenement, frozen=True, kw_only=True):
    paiement_id: UUID
    type: TypePaiement
    montant_centimes: int
    csf_id: UUID | None
    fse_du_cumule_centimes: int
    paye_avant_centimes: int
    remplace: UUID | None = None
    ordonnateur: str | None = None


@event("convention.paiement_annule.v1")
class PaiementAnnule(Evenement, frozen=True, kw_only=True):
    paiement_id: UUID
    montant_centimes: int


@event("convention.paiement_effectue.v1")
class PaiementEffectue(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    paiement_id: UUID
    type: TypePaiement
    montant_centimes: int
    ref_virement: str
    iban_masque: str
    #: Part of the amount that a compensation paid, without any transfer.
    compense_centimes: int = 0
    executant: str | None = None


@event("convention.paiement_acquitte.v1")
class PaiementAcquitte(Evenement, frozen=True, kw_only=True):
    paiement_id: UUID
    ref: str


@event("convention.paiement_rejete.v1")
class PaiementRejete(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    paiement_id: UUID
    type: TypePaiement
    montant_centimes: int


@event("convention.ordre_reversement_emis.v1")
class OrdreReversementEmis(Evenement, frozen=True, kw_only=True):
    ordre_id: UUID
    montant_centimes: int
    echeance: date
    emetteur: str | None = None


@event("convention.reversement_encaisse.v1")
class ReversementEncaisse(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    ordre_id: UUID
    montant_centimes: int
    ref: str


@event("convention.ordre_reversement_notifie.v1")
class OrdreReversementNotifie(Evenement, frozen=True, kw_only=True):
    ordre_id: UUID


@event("convention.ordre_reversement_conteste.v1")
class OrdreReversementConteste(Evenement, frozen=True, kw_only=True):
    ordre_id: UUID


@event("convention.contestation_tranchee.v1")
class ContestationTranchee(Evenement, frozen=True, kw_only=True):
    ordre_id: UUID


@event("convention.ordre_reversement_annule.v1")
class OrdreReversementAnnule(Evenement, frozen=True, kw_only=True):
    ordre_id: UUID
    montant_centimes: int


@event("convention.creance_irrecouvrable.v1")
class CreanceIrrecouvrable(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    ordre_id: UUID
    montant_centimes: int
    decision_ref: str


@event("convention.creance_retablie.v1")
class CreanceRetablie(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    ordre_id: UUID
    montant_centimes: int


@event("convention.compensation_operee.v1")
class CompensationOperee(Evenement, frozen=True, kw_only=True):
    """The order to pay back is settled by a payment due to the same beneficiary elsewhere."""

    operation_id: UUID
    ordre_id: UUID
    montant_centimes: int
    par_operation_id: UUID
    par_paiement_id: UUID
    par_numero: str | None = None


@event("convention.compensation_imputee.v1")
class CompensationImputee(Evenement, frozen=True, kw_only=True):
    """The other side: a payment settles, in whole or part, what is owed on another operation."""

    paiement_id: UUID
    montant_centimes: int
    pour_operation_id: UUID
    pour_ordre_id: UUID
    pour_numero: str | None = None


@event("convention.delai_paiement_interrompu.v1")
class DelaiPaiementInterrompu(Evenement, frozen=True, kw_only=True):
    bilan_id: UUID
    cause: Literal["montant_non_du", "piece_manquante", "suspicion_irregularite"]
    notification_ref: str


@event("convention.delai_paiement_repris.v1")
class DelaiPaiementRepris(Evenement, frozen=True, kw_only=True):
    bilan_id: UUID


@event("convention.etat_depenses_transmis.v1")
class EtatDepensesTransmis(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    etat_no: str
    fse_centimes: int
    cout_total_centimes: int


@event("convention.depense_certifiee.v1")
class DepenseCertifiee(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    appel_de_fonds_no: str
    exercice_comptable: str
    fse_centimes: int
    cout_total_centimes: int


@event("convention.depense_retiree.v1")
class DepenseRetiree(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    appel_de_fonds_no: str
    exercice_comptable: str
    fse_centimes: int
    cout_total_centimes: int


Fait = (
    ConventionSignee
    | ConventionNotifiee
    | AvenantDemande
    | AvenantProgramme
    | AvenantSigne
    | AvenantAbandonne
    | BilanDepose
    | BilanJugeRecevable
    | BilanReclame
    | ClotureOfficePrononcee
    | BilanRenvoye
    | CsfOuvert
    | EchantillonTire
    | ExtrapolationDecidee
    | MarcheCorrige
    | FseCorrige
    | RealisationsControlees
    | RecettesControlees
    | GrilleRemplie
    | RessourcesControlees
    | ConclusionsIntermediairesNotifiees
    | ObservationsRecues
    | ConclusionsFinalesNotifiees
    | CsfPropose
    | CsfRenvoye
    | CsfValide
    | CsfRouvert
    | PaiementPrepare
    | PaiementOrdonnance
    | PaiementAnnule
    | PaiementEffectue
    | PaiementAcquitte
    | PaiementRejete
    | OrdreReversementEmis
    | ReversementEncaisse
    | OrdreReversementNotifie
    | OrdreReversementConteste
    | ContestationTranchee
    | OrdreReversementAnnule
    | CreanceIrrecouvrable
    | CreanceRetablie
    | CompensationOperee
    | CompensationImputee
    | DelaiPaiementInterrompu
    | DelaiPaiementRepris
    | EtatDepensesTransmis
    | DepenseCertifiee
    | DepenseRetiree
)
