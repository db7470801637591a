"""What the register knows already, for a workbook to be compared with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from aggregates.cadre import Cadre
from aggregates.convention.state import Convention
from aggregates.depense.state import Depense
from aggregates.operation.state import Operation
from rules.nomenclature import POSTES


def cle_texte(texte: str) -> str:
    """Return what two references have in common when a person reads them as the same."""
    return " ".join(texte.split()).casefold()


class CleMetier(NamedTuple):
    """What makes two dépenses one and the same. ``piece`` is as `cle_texte` gives it."""

    operation_id: UUID
    piece: str
    date_piece: date
    montant: int
    poste: str


@dataclass(frozen=True, slots=True)
class OperationConnue:
    """An operation and its convention, as the decisions read them."""

    id: UUID
    operation: Operation
    convention: Convention | None = None

    @property
    def numero(self) -> str:
        """The number of the dossier."""
        return self.operation.numero_mdfse

    @property
    def postes(self) -> tuple[tuple[str, str], ...]:
        """Codes and labels of the postes at real cost that the plan in force opens."""
        plan = self.convention.plan if self.convention else self.operation.plan
        return tuple(
            (p.code, p.libelle or POSTES.get(p.code, p.code))
            for p in plan.postes
            if p.mode == "reel"
        )


@dataclass(frozen=True, slots=True)
class DepenseConnue:
    """A dépense that stands in the register. ``montant`` in cents; ``lot``: where it came from."""

    id: UUID
    operation_id: UUID
    piece_ref: str
    date_piece: date
    montant: int
    poste: str
    lot: str | None = None
    #: What the decisions read of it; asked only of the dépenses that a file takes back from.
    etat: Depense | None = None

    @property
    def cle(self) -> CleMetier:
        """The business key."""
        return CleMetier(
            self.operation_id, cle_texte(self.piece_ref), self.date_piece, self.montant, self.poste
        )


@dataclass(frozen=True, slots=True)
class ContrepartieConnue:
    """A contrepartie that stands in the register. Amounts are cents."""

    id: UUID
    financeur: str
    type: str
    annee: int
    attestation_ref: str
    montant: int
    plie_id: str | None = None
    #: References of what was received.
    perceptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SubventionConnue:
    """A subvention globale: its number, and what it hands down."""

    numero: str
    cadre: Cadre

    @property
    def id(self) -> UUID:
        """Its identifier."""
        return self.cadre.subvention_globale_id


@dataclass(frozen=True)
class Contexte:
    """What is known when a workbook is prepared or looked at.

    ``attendue`` is the operation that the workbook is for; without it, a column names it row by
    row. ``operations`` are those that the reader may see: another is unknown to the workbook.
    """

    jour: date
    operations: tuple[OperationConnue, ...] = ()
    attendue: UUID | None = None
    depenses: tuple[DepenseConnue, ...] = ()
    contreparties: tuple[ContrepartieConnue, ...] = ()
    subventions: tuple[SubventionConnue, ...] = ()
    #: Codes and names of the PLIE.
    plies: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def par_numero(self) -> Mapping[str, OperationConnue]:
        """Operations by the number of their dossier, however it is spaced or cased."""
        return {cle_texte(o.numero): o for o in self.operations}

    @cached_property
    def operation_attendue(self) -> OperationConnue | None:
        """The operation that the workbook is for."""
        return next((o for o in self.operations if o.id == self.attendue), None)

    @cached_property
    def depenses_par_cle(self) -> Mapping[CleMetier, DepenseConnue]:
        """Dépenses that stand, by business key."""
        return {d.cle: d for d in self.depenses}

    @cached_property
    def depenses_par_id(self) -> Mapping[UUID, DepenseConnue]:
        """Dépenses that stand, by identifier."""
        return {d.id: d for d in self.depenses}

    @cached_property
    def depenses_par_piece(self) -> Mapping[tuple[UUID, str], tuple[DepenseConnue, ...]]:
        """Dépenses that stand, by operation and number of their document."""
        trouvees: dict[tuple[UUID, str], tuple[DepenseConnue, ...]] = {}
        for d in self.depenses:
            cle = (d.operation_id, cle_texte(d.piece_ref))
            trouvees[cle] = (*trouvees.get(cle, ()), d)
        return trouvees
