"""What decisions on a dépense ask of its past."""

from typing import Literal, assert_never, cast
from uuid import UUID

import msgspec

from aggregates.cadre import Cadre
from aggregates.depense.events import (
    DepenseAnnulee,
    DepenseControlee,
    DepenseCorrigee,
    DepenseDeclaree,
    DepensePiecesJointes,
    DepenseRegularisee,
    Detail,
    Fait,
)
from aggregates.separation import Acteurs, noter
from oi_service.aggregate import Aggregate
from oi_service.codec import Evenement
from oi_service.errors import NotFound


class DepenseAbsente(NotFound):
    """Aucune dépense ne porte l’identifiant {id}."""


class Depense(msgspec.Struct, frozen=True, kw_only=True):
    """An expenditure line. Amounts are cents of total cost, not of the Fund.

    ``regularisations``: what each line that corrects this one takes back, negative.
    ``controleurs``: who decided on it, in any version of its control. ``pieces``: the documents
    that its facts bring.
    """

    cadre: Cadre
    operation_id: UUID
    detail: Detail
    version: int = 1
    statut: Literal["declaree", "annulee", "controlee"] = "declaree"
    csf_id: UUID | None = None
    retenu: int = 0
    ecarte: int = 0
    regularisations: dict[UUID, int] = {}
    controleurs: Acteurs = {}
    pieces: frozenset[str] = frozenset()

    @property
    def montant(self) -> int:
        """What is charged to the operation."""
        return self.detail.montant_impute_centimes

    @property
    def regularise(self) -> int:
        """What was taken back of it, zero or negative."""
        return sum(self.regularisations.values())

    @property
    def reste(self) -> int:
        """What is left of it once its régularisations are taken back."""
        return self.montant + self.regularise


def evolve(state: Depense | None, fact: Evenement) -> Depense:
    """Apply a fact; never refuses."""
    fait = cast("Fait", fact)
    if isinstance(fait, DepenseDeclaree):
        return Depense(
            cadre=fait.cadre,
            operation_id=fait.operation_id,
            detail=fait.detail,
            pieces=_empreintes(fait),
        )
    assert state is not None
    version = state.version + 1
    replace = msgspec.structs.replace
    match fait:
        case DepenseCorrigee():
            pieces = state.pieces | _empreintes(fait)
            return replace(state, version=version, detail=fait.apres, pieces=pieces)
        case DepensePiecesJointes():
            return replace(state, version=version, pieces=state.pieces | _empreintes(fait))
        case DepenseAnnulee():
            return replace(state, version=version, statut="annulee")
        case DepenseRegularisee():
            reprises = {**state.regularisations, fait.regularisation_id: fait.montant_centimes}
            return replace(state, version=version, regularisations=reprises)
        case DepenseControlee():
            return replace(
                state,
                version=version,
                statut="controlee",
                csf_id=fait.csf_id,
                retenu=fait.montant_retenu_centimes,
                ecarte=fait.montant_ecarte_centimes,
                controleurs=noter(
                    state.controleurs, fait.controleur, "depenses_controlees", fait.date_effet
                ),
            )
        case _:
            assert_never(fait)


def _empreintes(fait: Evenement) -> frozenset[str]:
    return frozenset(piece.sha256 for piece in fait.pieces)


DEPENSE = Aggregate("depense", evolve, DepenseAbsente)
