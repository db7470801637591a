"""What decisions on a subvention globale ask of its past."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple, assert_never, cast
from uuid import UUID

import msgspec

from aggregates.cadre import NON_REPARTI, RESERVE, Cadre, Cellule, LigneMaquette
from aggregates.parametres import Parametres
from aggregates.subvention_globale.events import (
    AvenantSubventionGlobaleSigne,
    EcartCellule,
    EnveloppeLiberee,
    EnveloppePlieNotifiee,
    EnveloppeReservee,
    Fait,
    ObjectifCertificationFixe,
    PrevisionDeposee,
    ReserveConstituee,
    SubventionGlobaleConventionnee,
    TrancheOuverte,
    TransfertEnveloppeDecide,
)
from oi_service.aggregate import Aggregate
from oi_service.codec import Evenement
from oi_service.dates import Periode
from oi_service.errors import NotFound


class SubventionGlobaleAbsente(NotFound):
    """Aucune subvention globale ne porte l’identifiant {id} : vérifiez-le, ou enregistrez d’abord
    la convention de subvention globale.
    """


class LigneObjectif(NamedTuple):
    """What a target is about; ``None`` takes them all together."""

    plie_id: str | None
    axe: str | None
    objectif_specifique: str | None


class SubventionGlobale(msgspec.Struct, frozen=True, kw_only=True):
    """A grant and its maquette. Amounts are cents of the Fund."""

    cadre: Cadre
    numero: str
    fse_total: int
    programmation: Periode
    realisation: Periode
    parametres: Parametres
    plie: frozenset[str]
    avenants: int = 0
    signee_le: date | None = None  #: when the grant, or its last avenant, was signed
    tranches: dict[LigneMaquette, int] = {}
    alloue: dict[Cellule, int] = {}
    programme: dict[Cellule, int] = {}
    operations: dict[UUID, int] = {}
    #: What must be certified since the start, by the day of each target in force.
    objectifs: dict[LigneObjectif, dict[date, int]] = {}

    def en_vigueur(self, jour: date) -> bool:
        """Tell whether the OI may allocate and programme on that day."""
        return self.programmation.contient(jour)

    def disponible(self, cellule: Cellule) -> int:
        """What may still be programmed on a cell."""
        return self.alloue.get(cellule, 0) - self.programme.get(cellule, 0)

    def reparti(self, ligne: LigneMaquette) -> int:
        """What a line has already given to PLIE and to the réserve."""
        return sum(montant for cellule, montant in self.alloue.items() if cellule.ligne == ligne)


def _add(amounts: dict[Cellule, int], cellule: Cellule, centimes: int) -> dict[Cellule, int]:
    return {**amounts, cellule: amounts.get(cellule, 0) + centimes}


def evolve(state: SubventionGlobale | None, fact: Evenement) -> SubventionGlobale:
    """Apply a fact; never refuses."""
    fait = cast("Fait", fact)
    if isinstance(fait, SubventionGlobaleConventionnee):
        return SubventionGlobale(
            cadre=fait.cadre,
            numero=fait.numero,
            fse_total=fait.fse_total_centimes,
            programmation=fait.programmation,
            realisation=fait.realisation,
            parametres=fait.parametres,
            plie=frozenset(p.plie_id for p in fait.plie),
            signee_le=fait.date_effet,
        )
    assert state is not None
    replace = msgspec.structs.replace
    match fait:
        case AvenantSubventionGlobaleSigne():
            signed = replace(
                state,
                fse_total=fait.fse_total_apres_centimes,
                programmation=fait.programmation_apres,
                realisation=fait.realisation_apres,
                avenants=fait.numero_avenant,
                signee_le=fait.date_effet,
            )
            return redistribuer(signed, fait.ecarts)
        case TrancheOuverte():
            opened = {tranche.ligne: tranche.fse_centimes for tranche in fait.lignes}
            return replace(state, tranches={**state.tranches, **opened})
        case EnveloppePlieNotifiee():
            return replace(state, alloue=_add(state.alloue, fait.cellule, fait.fse_centimes))
        case ReserveConstituee():
            reserve = Cellule(ligne=fait.ligne, plie_id=RESERVE)
            return replace(state, alloue=_add(state.alloue, reserve, fait.fse_centimes))
        case TransfertEnveloppeDecide():
            alloue = _add(state.alloue, fait.de, -fait.fse_centimes)
            return replace(state, alloue=_add(alloue, fait.vers, fait.fse_centimes))
        case EnveloppeReservee():
            return replace(
                state,
                programme=_add(state.programme, fait.cellule, fait.fse_centimes),
                operations=_held(state, fait.operation_id, fait.fse_centimes),
            )
        case EnveloppeLiberee():
            return replace(
                state,
                programme=_add(state.programme, fait.cellule, -fait.fse_centimes),
                operations=_held(state, fait.operation_id, -fait.fse_centimes),
            )
        case ObjectifCertificationFixe():
            ligne = LigneObjectif(fait.plie_id, fait.axe, fait.objectif_specifique)
            fixes = state.objectifs.get(ligne, {}) | {
                fait.date_limite: fait.montant_cumule_centimes
            }
            return replace(state, objectifs={**state.objectifs, ligne: fixes})
        case PrevisionDeposee():
            return state  # Nothing is decided on it: the projections read it.
        case _:
            assert_never(fait)


def redistribuer(state: SubventionGlobale, ecarts: Iterable[EcartCellule]) -> SubventionGlobale:
    """Return the maquette as an avenant leaves it."""
    tranches, alloue = dict(state.tranches), state.alloue
    for ecart in ecarts:
        ligne = ecart.cellule.ligne
        tranches[ligne] = tranches.get(ligne, 0) + ecart.fse_centimes
        if ecart.cellule.plie_id != NON_REPARTI:
            alloue = _add(alloue, ecart.cellule, ecart.fse_centimes)
    return msgspec.structs.replace(state, tranches=tranches, alloue=alloue)


def _held(state: SubventionGlobale, operation_id: UUID, centimes: int) -> dict[UUID, int]:
    return {**state.operations, operation_id: state.operations.get(operation_id, 0) + centimes}


SUBVENTION_GLOBALE = Aggregate("subvention_globale", evolve, SubventionGlobaleAbsente)
