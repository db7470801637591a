"""Facts of a subvention globale: the grant, its maquette, what programming holds of it."""

from datetime import date
from typing import Literal
from uuid import UUID

import msgspec

from aggregates.cadre import Cadre, Cellule, LigneMaquette
from aggregates.commande import Instance
from aggregates.parametres import Parametres
from oi_service.codec import Evenement, event
from oi_service.dates import Periode


class Plie(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A PLIE that the OI serves."""

    plie_id: str
    nom: str


class ObjectifSpecifique(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A specific objective of the programme."""

    code: str
    libelle: str


class LigneTranche(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line opened for a year: the Fund's share and what must come beside it."""

    ligne: LigneMaquette
    fse_centimes: int
    contreparties_publiques_centimes: int
    contreparties_privees_centimes: int


class EcartCellule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an avenant adds to a cell of the maquette, or takes from it."""

    cellule: Cellule
    fse_centimes: int
    cout_total_centimes: int


#: What a PLIE foresees: the measures of the maquette that still move with the work of operations.
MesurePrevue = Literal["fse_programme", "fse_declare", "fse_retenu_csf", "fse_certifie"]


class PrevisionTrimestre(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a quarter should add to a measure."""

    annee: int
    trimestre: int
    mesure: MesurePrevue
    montant_centimes: int


@event("subvention_globale.conventionnee.v1")
class SubventionGlobaleConventionnee(Evenement, frozen=True, kw_only=True):
    cadre: Cadre
    numero: str
    oi_nom: str
    agd: str
    programme_cci: str
    programme: str
    programmation: Periode
    realisation: Periode
    fse_total_centimes: int
    plie: tuple[Plie, ...]
    objectifs_specifiques: tuple[ObjectifSpecifique, ...]
    parametres: Parametres
    fictive: bool = False


@event("subvention_globale.avenant_signe.v1")
class AvenantSubventionGlobaleSigne(Evenement, frozen=True, kw_only=True):
    numero_avenant: int
    objet: str
    fse_total_avant_centimes: int
    fse_total_apres_centimes: int
    programmation_avant: Periode
    programmation_apres: Periode
    realisation_avant: Periode
    realisation_apres: Periode
    #: Absent from avenants that leave the maquette as it is.
    ecarts: tuple[EcartCellule, ...] = ()


@event("subvention_globale.tranche_ouverte.v1")
class TrancheOuverte(Evenement, frozen=True, kw_only=True):
    annee: int
    lignes: tuple[LigneTranche, ...]


@event("subvention_globale.enveloppe_plie_notifiee.v1")
class EnveloppePlieNotifiee(Evenement, frozen=True, kw_only=True):
    cellule: Cellule
    fse_centimes: int
    cout_total_centimes: int


@event("subvention_globale.reserve_constituee.v1")
class ReserveConstituee(Evenement, frozen=True, kw_only=True):
    ligne: LigneMaquette
    fse_centimes: int
    cout_total_centimes: int


@event("subvention_globale.transfert_enveloppe_decide.v1")
class TransfertEnveloppeDecide(Evenement, frozen=True, kw_only=True):
    de: Cellule
    vers: Cellule
    fse_centimes: int
    cout_total_centimes: int
    instance: Instance
    pv_ref: str


@event("subvention_globale.enveloppe_reservee.v1")
class EnveloppeReservee(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    cellule: Cellule
    fse_centimes: int


@event("subvention_globale.enveloppe_liberee.v1")
class EnveloppeLiberee(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    cellule: Cellule
    fse_centimes: int


@event("subvention_globale.objectif_certification_fixe.v1")
class ObjectifCertificationFixe(Evenement, frozen=True, kw_only=True):
    """What must be certified by a day, since the start; a later fact on the same line replaces it.

    ``None`` in ``plie_id``, ``axe`` or ``objectif_specifique`` takes them all together.
    """

    plie_id: str | None
    axe: str | None
    objectif_specifique: str | None
    annee_engagement: int
    date_limite: date
    montant_cumule_centimes: int
    prefinancements_centimes: int
    source: str


@event("subvention_globale.prevision_deposee.v1")
class PrevisionDeposee(Evenement, frozen=True, kw_only=True):
    """Quarter by quarter, what a PLIE foresees; it replaces what it foresaw of them before."""

    plie_id: str
    trimestres: tuple[PrevisionTrimestre, ...]


Fait = (
    SubventionGlobaleConventionnee
    | AvenantSubventionGlobaleSigne
    | TrancheOuverte
    | EnveloppePlieNotifiee
    | ReserveConstituee
    | TransfertEnveloppeDecide
    | EnveloppeReservee
    | EnveloppeLiberee
    | ObjectifCertificationFixe
    | PrevisionDeposee
)
