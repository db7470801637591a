"""Facts of a dépense: declared, corrected, controlled."""

from datetime import date
from uuid import UUID

import msgspec

from aggregates.cadre import Cadre
from oi_service.codec import Evenement, event
from rules.temps import Cle, Temps


class Detail(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the beneficiary declares of a dépense.

    ``tiers_ref`` is the supplier or an opaque reference of the employee, never a person's name;
    that of ``salarie_id``, whose data only the vault opens, is made from this identifier.
    ``montant_impute_centimes`` is what is charged to the operation; it is negative when the line
    takes back from another one, ``regularise``: a credit note, a régularisation.
    """

    poste: str
    nature: str
    tiers_ref: str
    piece_ref: str
    date_piece: date
    date_realisation: date
    date_engagement: date | None
    date_acquittement: date | None
    preuve_acquittement: str | None
    montant_ht_centimes: int | None
    montant_ttc_centimes: int | None
    tva_recuperable_centimes: int | None
    cle: Cle | None
    montant_impute_centimes: int
    temps: Temps | None = None
    marche_ref: str | None = None
    mise_en_concurrence_ref: str | None = None
    regularise: UUID | None = None
    salarie_id: UUID | None = None


@event("depense.declaree.v1")
class DepenseDeclaree(Evenement, frozen=True, kw_only=True):
    cadre: Cadre
    operation_id: UUID
    detail: Detail


@event("depense.corrigee.v1")
class DepenseCorrigee(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    corrige_version: int
    avant: Detail
    apres: Detail


@event("depense.annulee.v1")
class DepenseAnnulee(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    montant_impute_centimes: int


@event("depense.regularisee.v1")
class DepenseRegularisee(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    regularisation_id: UUID
    montant_centimes: int


@event("depense.controlee.v1")
class DepenseControlee(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    bilan_id: UUID
    csf_id: UUID
    montant_declare_centimes: int
    montant_retenu_centimes: int
    montant_ecarte_centimes: int
    motif_code: str | None
    commentaire: str | None
    pieces_vues: tuple[str, ...]
    #: Absent from what a draw left out, which is validated with its stratum.
    controleur: str | None = None


@event("depense.pieces_jointes.v1")
class DepensePiecesJointes(Evenement, frozen=True, kw_only=True):
    operation_id: UUID


Fait = (
    DepenseDeclaree
    | DepenseCorrigee
    | DepenseAnnulee
    | DepenseRegularisee
    | DepenseControlee
    | DepensePiecesJointes
)
