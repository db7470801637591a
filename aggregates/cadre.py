"""The subvention globale that everything lives under, and the lines of its maquette."""

from typing import Literal
from uuid import UUID

import msgspec

#: The two sets of rules that live side by side and are never mixed.
Reglement = Literal["2014-2020", "2021-2027"]


class Cadre(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which grant, which OI, which regulation: inherited by every aggregate underneath."""

    subvention_globale_id: UUID
    oi_id: str
    reglement: Reglement


class LigneMaquette(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of the plan of the subvention globale: tranche × axe × OS × dispositif."""

    annee: int
    axe: str
    objectif_specifique: str
    dispositif: str

    @property
    def libelle(self) -> str:
        """The line as people say it."""
        return (
            f"tranche {self.annee}, axe {self.axe}, {self.objectif_specifique}, {self.dispositif}"
        )


class Cellule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line seen by one PLIE, or by the réserve."""

    ligne: LigneMaquette
    plie_id: str

    @property
    def libelle(self) -> str:
        """The cell as people say it."""
        qui = {RESERVE: "réserve", NON_REPARTI: "part non répartie"}
        return f"{qui.get(self.plie_id, f'PLIE {self.plie_id}')}, {self.ligne.libelle}"


#: What no PLIE holds: kept in hand by a decision, or opened and not shared yet.
RESERVE = "reserve"
NON_REPARTI = "non_reparti"
#: Where the ledger writes what is of no PLIE: contreparties that the OI shares, and operations
#: taken over from a list.
MUTUALISE = "mutualise"
REPRISE = "reprise"
#: Codes that no PLIE may bear.
CODES_RESERVES = frozenset((RESERVE, NON_REPARTI, MUTUALISE, REPRISE))
