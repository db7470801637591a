"""Facts of the register itself: what it did to its own figures, with the proof."""

import msgspec

from oi_service.codec import Evenement, event


class Empreinte(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a projection holds, whatever the order of its rows."""

    projection: str
    lignes: int
    empreinte: str


@event("registre.projections_refaites.v1")
class ProjectionsRefaites(Evenement, frozen=True, kw_only=True):
    """Every projection computed again from the log, up to ``jusqua_position``, and compared.

    ``differentes`` names those that were not what the log says, and were put right.
    """

    jusqua_position: int
    empreintes: tuple[Empreinte, ...]
    differentes: tuple[str, ...]
    duree_ms: int
    version_code: str
    empreinte_code: str


class PointVerifie(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An invariant of the books, and how many times it did not hold."""

    code: str
    ecarts: int


@event("registre.livres_verifies.v1")
class LivresVerifies(Evenement, frozen=True, kw_only=True):
    """Every invariant checked, on the log up to ``jusqua_position``."""

    jusqua_position: int
    points: tuple[PointVerifie, ...]
    duree_ms: int
    version_code: str


Fait = ProjectionsRefaites | LivresVerifies
