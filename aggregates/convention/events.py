"""Facts of a convention: its versions, its bilans, their control, the money."""

from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

import msgspec

from aggregates.cadre import Cadre
from aggregates.commande import Instance
from aggregates.plan import PlanFinancement, Ressource
from oi_service.codec import Evenement, event
from oi_service.dates import Periode

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


class RessourceRetenue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the control keeps of a declared resource."""

    type: str
    financeur: str
    montant_declare_centimes: int
    montant_retenu_centimes: int


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
    modalite: Literal["exhaustif"]


@event("convention.ressources_controlees.v1")
class RessourcesControlees(Evenement, frozen=True, kw_only=True):
    csf_id: UUID
    ressources: tuple[RessourceRetenue, ...]


@event("convention.conclusions_intermediaires_notifiees.v1")
class ConclusionsIntermediairesNotifiees(Evenement, frozen=True, kw_only=True):
    csf_id: UUID
    date_limite_reponse: date


@event("convention.observations_recues.v1")
class ObservationsRecues(Evenement, frozen=True, kw_only=True):
    csf_id: UUID


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


@event("convention.csf_rouvert.v1")
class CsfRouvert(Evenement, frozen=True, kw_only=True):
    csf_id: UUID
    bilan_id: UUID


@event("convention.paiement_ordonnance.v1")
class PaiementOrdonnance(Evenement, frozen=True, kw_only=True):
    paiement_id: UUID
    type: TypePaiement
    montant_centimes: int
    csf_id: UUID | None
    fse_du_cumule_centimes: int
    paye_avant_centimes: int


@event("convention.paiement_effectue.v1")
class PaiementEffectue(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    paiement_id: UUID
    type: TypePaiement
    montant_centimes: int
    ref_virement: str
    iban_masque: str


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


@event("convention.reversement_encaisse.v1")
class ReversementEncaisse(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    ordre_id: UUID
    montant_centimes: int
    ref: str


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
    | BilanRenvoye
    | CsfOuvert
    | RessourcesControlees
    | ConclusionsIntermediairesNotifiees
    | ObservationsRecues
    | CsfValide
    | CsfRouvert
    | PaiementOrdonnance
    | PaiementEffectue
    | PaiementRejete
    | OrdreReversementEmis
    | ReversementEncaisse
    | EtatDepensesTransmis
    | DepenseCertifiee
    | DepenseRetiree
)
