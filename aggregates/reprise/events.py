"""Facts of a reprise: an operation that this service did not see live, as a list tells it."""

from datetime import date

import msgspec

from aggregates.cadre import Cadre
from oi_service.codec import Evenement, event
from oi_service.dates import Periode
from rules.reprise import Anomalie


class SourceReprise(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it was read; ``reference`` is the number that the list itself gives to its line."""

    fichier: str
    sha256: str
    ligne: int
    reference: str | None = None


@event("reprise.operation_reprise.v1")
class OperationReprise(Evenement, frozen=True, kw_only=True):
    cadre: Cadre
    source: SourceReprise
    programme: str
    intitule: str
    beneficiaire: str
    code_postal: str | None
    periode: Periode
    date_programmation: date
    cout_total_eligible_centimes: int
    fse_centimes: int
    pays: str
    categorie_intervention: str | None
    fonds: str
    anomalies: tuple[Anomalie, ...]


@event("reprise.annulee.v1")
class RepriseAnnulee(Evenement, frozen=True, kw_only=True):
    cout_total_eligible_centimes: int
    fse_centimes: int


Fait = OperationReprise | RepriseAnnulee
