"""Facts of the register itself: what it did to its own figures, with the proof."""

from typing import Literal

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


@event("registre.cle_etablie.v1")
class CleEtablie(Evenement, frozen=True, kw_only=True):
    """The first key that signs the points of the log: Ed25519, the public half, in base64."""

    cle: str


@event("registre.cle_changee.v1")
class CleChangee(Evenement, frozen=True, kw_only=True):
    """From here on another key signs: the points of more than ``depuis`` events are its own.

    ``signature``, in base64, is that of the key before over `aggregates.registre.cles.message`.
    ``None`` when that key was lost: nothing but ``motif`` then binds the two.
    """

    cle: str
    depuis: int
    signature: str | None


class DestinationAncre(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a point was put out of reach; of an e-mail, whose it is and not who reads it."""

    nature: Literal["fichier", "courriel", "horodatage"]
    ou: str
    reussi: bool
    detail: str | None


@event("registre.journal_ancre.v1")
class JournalAncre(Evenement, frozen=True, kw_only=True):
    """A point of the log was signed and sent: what it says, and where it went.

    ``racine`` and ``cle`` (public) are in base64; ``instant`` is UTC, to the second.
    """

    taille: int
    racine: str
    instant: str
    cle: str
    destinations: tuple[DestinationAncre, ...]


Fait = ProjectionsRefaites | LivresVerifies | CleEtablie | CleChangee | JournalAncre
