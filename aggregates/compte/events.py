"""Facts of an account: an opaque identifier, its roles; never a name, an address or a secret."""

from datetime import date
from typing import Literal
from uuid import UUID

from oi_service.codec import Evenement, event

#: What an account may be given. Source: organisation of an OI pivot, separation of functions.
RoleAttribuable = Literal[
    "gestionnaire_oi",
    "comptable_oi",
    "valideur_oi",
    "ordonnateur_oi",
    "directeur_plie",
    "auditeur",
    "administrateur",
]


@event("compte.ouvert.v1")
class CompteOuvert(Evenement, frozen=True, kw_only=True):
    """``identifiant`` is what the log calls the person, as ``acteur`` of every event."""

    identifiant: str


@event("compte.role_attribue.v1")
class RoleAttribue(Evenement, frozen=True, kw_only=True):
    """``plies``: the territory, empty for the whole OI. ``du``, ``au``: both included."""

    attribution_id: UUID
    role: RoleAttribuable
    plies: tuple[str, ...]
    du: date
    au: date | None = None


@event("compte.role_retire.v1")
class RoleRetire(Evenement, frozen=True, kw_only=True):
    attribution_id: UUID
    role: RoleAttribuable


@event("compte.mise_a_disposition_notee.v1")
class MiseADispositionNotee(Evenement, frozen=True, kw_only=True):
    """The person is employed by a PLIE, which lends them to the OI."""

    mise_id: UUID
    plie_id: str
    du: date
    au: date | None = None


@event("compte.mise_a_disposition_levee.v1")
class MiseADispositionLevee(Evenement, frozen=True, kw_only=True):
    mise_id: UUID
    plie_id: str


@event("compte.suspendu.v1")
class CompteSuspendu(Evenement, frozen=True, kw_only=True):
    pass


@event("compte.retabli.v1")
class CompteRetabli(Evenement, frozen=True, kw_only=True):
    pass


@event("compte.ferme.v1")
class CompteFerme(Evenement, frozen=True, kw_only=True):
    pass


Fait = (
    CompteOuvert
    | RoleAttribue
    | RoleRetire
    | MiseADispositionNotee
    | MiseADispositionLevee
    | CompteSuspendu
    | CompteRetabli
    | CompteFerme
)
