"""Facts of a contrepartie: the national money beside the Fund's."""

from uuid import UUID

import msgspec

from aggregates.cadre import Cadre
from oi_service.codec import Evenement, event


class OperandesRepartition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sharing read: what was shared, this operation's need, and all of them together."""

    enveloppe_centimes: int
    besoin_centimes: int
    besoins_centimes: int
    attestation_ref: str | None


@event("contrepartie.attribuee.v1")
class ContrepartieAttribuee(Evenement, frozen=True, kw_only=True):
    cadre: Cadre
    type: str
    financeur: str
    plie_id: str | None
    annee: int
    montant_centimes: int
    attestation_ref: str


@event("contrepartie.percue.v1")
class ContrepartiePercue(Evenement, frozen=True, kw_only=True):
    montant_centimes: int
    ref: str


@event("contrepartie.affectee.v1")
class ContrepartieAffectee(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    montant_centimes: int
    repartition: OperandesRepartition | None = None


@event("contrepartie.affectation_annulee.v1")
class AffectationAnnulee(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    montant_centimes: int
    repartition: OperandesRepartition | None = None


@event("contrepartie.perception_annulee.v1")
class PerceptionAnnulee(Evenement, frozen=True, kw_only=True):
    montant_centimes: int
    ref: str


@event("contrepartie.attribution_annulee.v1")
class AttributionAnnulee(Evenement, frozen=True, kw_only=True):
    montant_centimes: int


Fait = (
    ContrepartieAttribuee
    | ContrepartiePercue
    | ContrepartieAffectee
    | AffectationAnnulee
    | PerceptionAnnulee
    | AttributionAnnulee
)
