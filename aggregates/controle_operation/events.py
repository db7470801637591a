"""Facts of an audit of operations. None of them moves an amount: see the package."""

from datetime import date
from typing import Literal
from uuid import UUID

import msgspec

from aggregates.cadre import Cadre
from oi_service.codec import Evenement, event

Organisme = Literal[
    "autorite_gestion",
    "autorite_audit",
    "commission_europeenne",
    "cour_des_comptes_europeenne",
    "cour_des_comptes",
    "autre",
]
Resultat = Literal[
    "sans_incidence",
    "correction_individuelle",
    "correction_extrapolee",
    "correction_forfaitaire",
    "irregularite_systemique",
]
Auteur = Literal["oi", "beneficiaire"]
Reponse = Literal["accepte", "conteste"]
Issue = Literal["maintenu", "reduit", "abandonne"]
Mesure = Literal[
    "recalcul_csf", "ordre_reversement", "retrait_certification", "mesure_administrative"
]
Responsable = Literal["oi", "beneficiaire", "autorite_gestion"]


class OperationControlee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is controlled of an operation; no ``depenses`` is all of them."""

    operation_id: UUID
    cout_total_controle_centimes: int
    depenses: tuple[UUID, ...] = ()


class PerimetreControle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is controlled; ``etat_no``: the statement of expenditure, ``echantillon_id``: a draw."""

    operations: tuple[OperationControlee, ...]
    etat_no: str | None = None
    echantillon_id: UUID | None = None


class ConstatPropose(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A finding of a provisional report, and the correction that it proposes.

    ``assiette``: what it is about when no dépense is named, such as a flat rate or a contract.
    ``extrapole``: it goes beyond what was looked at. ``detecte_le``: when it was first written.
    """

    numero: int
    operation_id: UUID
    nature: str
    detecte_le: date
    constatation: str
    cout_total_centimes: int
    fse_centimes: int
    depenses: tuple[UUID, ...] = ()
    assiette: str | None = None
    extrapole: bool = False


class ConstatTranche(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a final report keeps of a finding, and the corrective measure that it recommends."""

    numero: int
    issue: Issue
    cout_total_centimes: int
    fse_centimes: int
    mesure_recommandee: str | None = None
    motivation: str | None = None


class LienSuite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fact of the convention that a follow-up names: one of the first three, by its measure.

    ``retire``: what that fact takes away in all; ``impute``: what of it answers this finding.
    """

    csf_id: UUID | None = None
    ordre_id: UUID | None = None
    appel_de_fonds_no: str | None = None
    csf_version: int | None = None
    cout_total_retire_centimes: int
    fse_retire_centimes: int
    cout_total_impute_centimes: int
    fse_impute_centimes: int


@event("controle_operation.notifie.v1")
class ControleNotifie(Evenement, frozen=True, kw_only=True):
    cadre: Cadre
    organisme: Organisme
    organisme_nom: str | None
    reference: str
    perimetre: PerimetreControle
    date_annoncee: date | None


@event("controle_operation.perimetre_rectifie.v1")
class PerimetreRectifie(Evenement, frozen=True, kw_only=True):
    avant: PerimetreControle
    apres: PerimetreControle


@event("controle_operation.commence.v1")
class ControleCommence(Evenement, frozen=True, kw_only=True):
    modalite: Literal["sur_place", "sur_pieces"]


@event("controle_operation.rapport_provisoire_recu.v1")
class RapportProvisoireRecu(Evenement, frozen=True, kw_only=True):
    rapport_ref: str
    constats: tuple[ConstatPropose, ...]
    date_limite_reponse: date | None


@event("controle_operation.reponse_faite.v1")
class ReponseFaite(Evenement, frozen=True, kw_only=True):
    constat_numero: int
    auteur: Auteur
    reponse: Reponse
    observations: str | None


@event("controle_operation.delai_reponse_prolonge.v1")
class DelaiReponseProlonge(Evenement, frozen=True, kw_only=True):
    date_limite_avant: date
    date_limite_apres: date
    accord_ref: str


@event("controle_operation.rapport_definitif_recu.v1")
class RapportDefinitifRecu(Evenement, frozen=True, kw_only=True):
    rapport_ref: str
    constats: tuple[ConstatTranche, ...]
    resultat: Resultat
    date_limite_suites: date | None


@event("controle_operation.constat_rectifie.v1")
class ConstatRectifie(Evenement, frozen=True, kw_only=True):
    constat_numero: int
    rectification_ref: str
    cout_total_avant_centimes: int
    cout_total_apres_centimes: int
    fse_avant_centimes: int
    fse_apres_centimes: int
    issue_avant: Issue | None
    issue_apres: Issue | None
    resultat_avant: Resultat | None
    resultat_apres: Resultat | None


@event("controle_operation.suite_decidee.v1")
class SuiteDecidee(Evenement, frozen=True, kw_only=True):
    suite_id: UUID
    constat_numero: int
    mesure: Mesure
    responsable: Responsable
    action: str
    echeance: date


@event("controle_operation.delai_suite_prolonge.v1")
class DelaiSuiteProlonge(Evenement, frozen=True, kw_only=True):
    suite_id: UUID
    constat_numero: int
    echeance_avant: date
    echeance_apres: date
    accord_ref: str


@event("controle_operation.suite_executee.v1")
class SuiteExecutee(Evenement, frozen=True, kw_only=True):
    suite_id: UUID
    constat_numero: int
    mesure: Mesure
    operation_id: UUID
    compte_rendu: str | None
    liens: tuple[LienSuite, ...]


@event("controle_operation.suite_annulee.v1")
class SuiteAnnulee(Evenement, frozen=True, kw_only=True):
    suite_id: UUID
    constat_numero: int


@event("controle_operation.suites_closes.v1")
class SuitesDuControleCloses(Evenement, frozen=True, kw_only=True):
    cout_total_corrige_centimes: int
    fse_corrige_centimes: int


@event("controle_operation.clos.v1")
class ControleClos(Evenement, frozen=True, kw_only=True):
    cloture_ref: str


@event("controle_operation.annule.v1")
class ControleAnnule(Evenement, frozen=True, kw_only=True):
    pass


Fait = (
    ControleNotifie
    | PerimetreRectifie
    | ControleCommence
    | RapportProvisoireRecu
    | ReponseFaite
    | DelaiReponseProlonge
    | RapportDefinitifRecu
    | ConstatRectifie
    | SuiteDecidee
    | DelaiSuiteProlonge
    | SuiteExecutee
    | SuiteAnnulee
    | SuitesDuControleCloses
    | ControleClos
    | ControleAnnule
)
