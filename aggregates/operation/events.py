"""Facts of a dossier, then of the operation that it becomes, from dépôt to archive."""

from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

import msgspec

from aggregates.appel_a_projets.events import Indicateur
from aggregates.cadre import Cadre, Cellule
from aggregates.commande import Instance
from aggregates.parametres import Surcharge
from aggregates.plan import PlanFinancement, Ressource
from oi_service.codec import Evenement, event
from oi_service.dates import Periode
from rules.cofinancement import ConditionCofinancement
from rules.couts import Derogation

Avis = Literal["favorable", "defavorable"]


class Beneficiaire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The legal person that carries the operation; ``type`` decides who may have an avance."""

    siret: str
    nom: str
    type: str


@event("operation.dossier_depose.v1")
class DossierDepose(Evenement, frozen=True, kw_only=True):
    cadre: Cadre
    appel_a_projets_id: UUID
    fiche_code: str
    numero_mdfse: str
    beneficiaire: Beneficiaire
    cellule: Cellule
    intitule: str
    objet: str
    periode: Periode
    plan: PlanFinancement
    cout_total_centimes: int
    fse_demande_centimes: int
    condition: ConditionCofinancement | None
    indicateurs: tuple[Indicateur, ...]
    parametres: Surcharge | None = None


@event("operation.complement_demande.v1")
class ComplementDemande(Evenement, frozen=True, kw_only=True):
    pieces_attendues: tuple[str, ...]
    echeance: date


@event("operation.complement_recu.v1")
class ComplementRecu(Evenement, frozen=True, kw_only=True):
    pieces_recues: tuple[str, ...]


@event("operation.recevabilite_prononcee.v1")
class RecevabilitePrononcee(Evenement, frozen=True, kw_only=True):
    pass


@event("operation.irrecevabilite_prononcee.v1")
class IrrecevabilitePrononcee(Evenement, frozen=True, kw_only=True):
    cout_total_centimes: int
    fse_demande_centimes: int


@event("operation.instruction_ouverte.v1")
class InstructionOuverte(Evenement, frozen=True, kw_only=True):
    pass


@event("operation.dossier_rectifie.v1")
class DossierRectifie(Evenement, frozen=True, kw_only=True):
    intitule_avant: str
    intitule_apres: str
    objet_avant: str
    objet_apres: str
    periode_avant: Periode
    periode_apres: Periode


@event("operation.plan_financement_instruit.v1")
class PlanFinancementInstruit(Evenement, frozen=True, kw_only=True):
    plan: PlanFinancement
    derogation_couts_simplifies: Derogation | None = None
    avertissements: tuple[str, ...] = ()
    instructeur: str | None = None


@event("operation.rapport_instruction_valide.v1")
class RapportInstructionValide(Evenement, frozen=True, kw_only=True):
    avis: Avis
    instructeur: str
    synthese: str


@event("operation.avis_plie_rendu.v1")
class AvisPlieRendu(Evenement, frozen=True, kw_only=True):
    avis: Avis
    instance: str
    reserves: str | None


@event("operation.avis_agd_rendu.v1")
class AvisAgdRendu(Evenement, frozen=True, kw_only=True):
    avis: Avis
    instance: str
    reserves: str | None


@event("operation.programmee.v1")
class OperationProgrammee(Evenement, frozen=True, kw_only=True):
    instance: Instance
    pv_ref: str
    cellule: Cellule
    fse_centimes: int
    cout_total_centimes: int
    ressources: tuple[Ressource, ...]
    deports: tuple[str, ...]  #: accounts, or persons without one; texts before accounts existed


@event("operation.ajournee.v1")
class OperationAjournee(Evenement, frozen=True, kw_only=True):
    instance: Instance
    pv_ref: str
    deports: tuple[str, ...] = ()


@event("operation.instruction_rouverte.v1")
class InstructionRouverte(Evenement, frozen=True, kw_only=True):
    pass


@event("operation.refusee.v1")
class OperationRefusee(Evenement, frozen=True, kw_only=True):
    instance: Instance
    pv_ref: str
    deports: tuple[str, ...] = ()


@event("operation.dossier_retire.v1")
class DossierRetire(Evenement, frozen=True, kw_only=True):
    cout_total_centimes: int
    fse_demande_centimes: int
    fse_programme_centimes: int
    cout_total_programme_centimes: int
    ressources: tuple[Ressource, ...]


@event("operation.deprogrammee.v1")
class OperationDeprogrammee(Evenement, frozen=True, kw_only=True):
    instance: Instance
    pv_ref: str
    fse_centimes: int
    cout_total_centimes: int
    ressources: tuple[Ressource, ...]
    deports: tuple[str, ...] = ()


@event("operation.decision_notifiee.v1")
class DecisionNotifiee(Evenement, frozen=True, kw_only=True):
    pass


@event("operation.conventionnee.v1")
class OperationConventionnee(Evenement, frozen=True, kw_only=True):
    convention_id: UUID
    numero_convention: str


@event("operation.demarree.v1")
class OperationDemarree(Evenement, frozen=True, kw_only=True):
    attestation_ref: str


@event("operation.programmation_modifiee.v1")
class ProgrammationModifiee(Evenement, frozen=True, kw_only=True):
    avenant_numero: int
    ecart_fse_centimes: int
    ecart_cout_total_centimes: int
    ressources_avant: tuple[Ressource, ...]
    ressources_apres: tuple[Ressource, ...]


@event("operation.realisation_terminee.v1")
class RealisationTerminee(Evenement, frozen=True, kw_only=True):
    fin: date


@event("operation.indicateur_renseigne.v1")
class IndicateurRenseigne(Evenement, frozen=True, kw_only=True):
    indicateur: int
    realise: Decimal
    remplace: Decimal | None


@event("operation.indicateur_retire.v1")
class IndicateurRetire(Evenement, frozen=True, kw_only=True):
    """What was reached was recorded by mistake; ``retabli`` counts again, if something did."""

    indicateur: int
    realise: Decimal
    retabli: Decimal | None


@event("operation.bilan_final_depose.v1")
class BilanFinalDepose(Evenement, frozen=True, kw_only=True):
    bilan_id: UUID


@event("operation.bilan_final_renvoye.v1")
class BilanFinalRenvoye(Evenement, frozen=True, kw_only=True):
    bilan_id: UUID


@event("operation.abandonnee.v1")
class OperationAbandonnee(Evenement, frozen=True, kw_only=True):
    pass


@event("operation.resiliee.v1")
class OperationResiliee(Evenement, frozen=True, kw_only=True):
    pass


@event("operation.soldee.v1")
class OperationSoldee(Evenement, frozen=True, kw_only=True):
    fse_programme_centimes: int
    fse_du_centimes: int
    cout_total_programme_centimes: int
    cout_total_retenu_centimes: int
    reliquat_centimes: int


@event("operation.suites_ouvertes.v1")
class SuitesOuvertes(Evenement, frozen=True, kw_only=True):
    csf_id: UUID
    controle_ref: str | None


@event("operation.suites_closes.v1")
class SuitesCloses(Evenement, frozen=True, kw_only=True):
    fse_du_avant_centimes: int
    fse_du_apres_centimes: int
    cout_total_retenu_avant_centimes: int
    cout_total_retenu_apres_centimes: int


@event("operation.cloturee.v1")
class OperationCloturee(Evenement, frozen=True, kw_only=True):
    pass


@event("operation.dossier_archive.v1")
class DossierArchive(Evenement, frozen=True, kw_only=True):
    lieu_archivage: str
    date_limite_conservation: date
    base_calcul: str
    reference: date


@event("operation.contact_designe.v1")
class ContactDesigne(Evenement, frozen=True, kw_only=True):
    personne_id: UUID


@event("operation.contact_retire.v1")
class ContactRetire(Evenement, frozen=True, kw_only=True):
    personne_id: UUID


Fait = (
    DossierDepose
    | ComplementDemande
    | ComplementRecu
    | RecevabilitePrononcee
    | IrrecevabilitePrononcee
    | InstructionOuverte
    | DossierRectifie
    | PlanFinancementInstruit
    | RapportInstructionValide
    | AvisPlieRendu
    | AvisAgdRendu
    | OperationProgrammee
    | OperationAjournee
    | InstructionRouverte
    | OperationRefusee
    | DossierRetire
    | OperationDeprogrammee
    | DecisionNotifiee
    | OperationConventionnee
    | OperationDemarree
    | ProgrammationModifiee
    | RealisationTerminee
    | IndicateurRenseigne
    | IndicateurRetire
    | BilanFinalDepose
    | BilanFinalRenvoye
    | OperationAbandonnee
    | OperationResiliee
    | OperationSoldee
    | SuitesOuvertes
    | SuitesCloses
    | OperationCloturee
    | DossierArchive
    | ContactDesigne
    | ContactRetire
)
