"""Facts of a lot: a workbook whose rows became facts, all in the same act."""

from uuid import UUID

import msgspec

from aggregates.cadre import Cadre
from oi_service.codec import Evenement, event


class LigneDuLot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row that was taken, and the stream where its fact is. ``ligne`` is the number that Excel
    shows; ``doublon``: it looked known already, and was taken on purpose.
    """

    feuille: str
    ligne: int
    flux: UUID
    montant_centimes: int
    doublon: bool = False


class LigneEcartee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row that was left out, and the codes of why."""

    feuille: str
    ligne: int
    raisons: tuple[str, ...]


@event("lot.importe.v1")
class LotImporte(Evenement, frozen=True, kw_only=True):
    """The workbook is the piece of the fact; its name, which may hold a person's, is not kept."""

    cadre: Cadre
    nature: str
    modele_version: int
    fichier_sha256: str
    fichier_format: str
    fichier_octets: int
    #: Every row that says something, those left out included.
    lignes_lues: int
    total_centimes: int
    #: What the person had counted before reading the answer of the service.
    total_controle_centimes: int | None
    lignes: tuple[LigneDuLot, ...]
    ecartees: tuple[LigneEcartee, ...]
    operations: tuple[UUID, ...]
    #: The PLIE that it is about; none when a row is about the whole OI.
    plies: tuple[str, ...]
    #: The bilan that was filed with the rows, when they are ressources.
    bilan_id: UUID | None = None


@event("lot.annule.v1")
class LotAnnule(Evenement, frozen=True, kw_only=True):
    """``annulees`` were undone with it; the other streams of the lot were undone before."""

    nature: str
    total_centimes: int
    annulees: tuple[UUID, ...]
    deja_annulees: tuple[UUID, ...]


Fait = LotImporte | LotAnnule
