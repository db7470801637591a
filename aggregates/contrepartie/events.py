"""Facts of a contrepartie: the national money beside the Fund's."""

from uuid import UUID

from aggregates.cadre import Cadre
from oi_service.codec import Evenement, event


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


@event("contrepartie.affectation_annulee.v1")
class AffectationAnnulee(Evenement, frozen=True, kw_only=True):
    operation_id: UUID
    montant_centimes: int


Fait = ContrepartieAttribuee | ContrepartiePercue | ContrepartieAffectee | AffectationAnnulee
