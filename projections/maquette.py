"""The maquette: what each PLIE has, has promised, has controlled and has paid."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from fractions import Fraction
from typing import Self
from uuid import UUID

from oi_service.money import ratio

RESERVE = "reserve"
ASSISTANCE_TECHNIQUE = "assistance_technique"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chiffres:
    """The quantities of the maquette, in cents, and the ratios that are computed on them.

    Ratios are exact fractions, ``None`` when their denominator is zero; a total is made by adding
    quantities, never by averaging ratios. Definitions: docs/glossaire.md.
    """

    fse_maquette: int = 0
    fse_depose: int = 0
    fse_programme: int = 0
    fse_programme_ajuste: int = 0
    fse_conventionne: int = 0
    fse_declare: int = 0
    fse_retenu_csf: int = 0
    fse_transmis: int = 0
    fse_certifie: int = 0
    fse_paye: int = 0
    ct_maquette: int = 0
    ct_depose: int = 0
    ct_programme: int = 0
    ct_programme_ajuste: int = 0
    ct_conventionne: int = 0
    ct_declare: int = 0
    ct_retenu_csf: int = 0
    ct_transmis: int = 0
    ct_certifie: int = 0
    cp_maquette: int = 0
    cp_programmee: int = 0
    cp_conventionnee: int = 0
    depenses_declarees: int = 0
    depenses_ecartees: int = 0
    nb_operations: int = 0

    def __add__(self, other: Self) -> Self:
        """Add quantity by quantity."""
        return type(self)(**{n: getattr(self, n) + getattr(other, n) for n in QUANTITES})

    @property
    def disponible_a_programmer(self) -> int:
        """What the committee may still award; negative when more is programmed than allocated."""
        return self.fse_maquette - self.fse_programme_ajuste

    @property
    def reste_a_consommer(self) -> int:
        """What is allocated and not yet retained after control."""
        return self.fse_maquette - self.fse_retenu_csf

    @property
    def taux_programmation(self) -> Fraction | None:
        """Programmed over allocated."""
        return ratio(self.fse_programme, self.fse_maquette)

    @property
    def taux_conventionnement(self) -> Fraction | None:
        """Under convention over programmed."""
        return ratio(self.fse_conventionne, self.fse_programme)

    @property
    def taux_declaration(self) -> Fraction | None:
        """Declared over under convention."""
        return ratio(self.fse_declare, self.fse_conventionne)

    @property
    def taux_retenue_csf(self) -> Fraction | None:
        """Retained after control over declared."""
        return ratio(self.fse_retenu_csf, self.fse_declare)

    @property
    def taux_ecartement(self) -> Fraction | None:
        """Rejected over declared, on the dépenses themselves."""
        return ratio(self.depenses_ecartees, self.depenses_declarees)

    @property
    def taux_consommation(self) -> Fraction | None:
        """Retained after control over allocated."""
        return ratio(self.fse_retenu_csf, self.fse_maquette)

    @property
    def taux_certification(self) -> Fraction | None:
        """Certified over allocated."""
        return ratio(self.fse_certifie, self.fse_maquette)

    @property
    def taux_paiement(self) -> Fraction | None:
        """Paid over retained after control; above 100 % while avances run."""
        return ratio(self.fse_paye, self.fse_retenu_csf)


QUANTITES = tuple(f.name for f in fields(Chiffres))
TAUX = tuple(n for n in vars(Chiffres) if n.startswith("taux_"))


@dataclass(frozen=True, slots=True)
class LigneDeMaquette:
    """One cell: PLIE (or réserve) × tranche × axe × OS × dispositif."""

    plie_id: str
    plie_nom: str
    annee: int
    axe: str
    objectif_specifique: str
    dispositif: str
    chiffres: Chiffres


@dataclass(frozen=True, slots=True)
class Maquette:
    """The maquette of one subvention globale, as computed at a position of the journal.

    ``lignes`` are sorted by PLIE, tranche, axe, OS, dispositif; the réserve comes last.
    """

    subvention_globale_id: UUID
    numero: str
    reglement: str
    oi_nom: str
    fictive: bool  #: amounts are invented (demonstration); every page says so
    fse_total: int  #: the grant of the convention of subvention globale, in cents
    lignes: tuple[LigneDeMaquette, ...]
    position: int  #: number of the last event counted
    calculee_le: datetime  #: UTC

    def par_plie(self) -> list[tuple[str, str, Chiffres]]:
        """Return ``(plie_id, plie_nom, chiffres)``, réserve last."""
        return _group(self.lignes, lambda ligne: (ligne.plie_id, ligne.plie_nom))

    @property
    def total(self) -> Chiffres:
        """The whole OI: the sum of the cells, réserve included."""
        return sum((ligne.chiffres for ligne in self.lignes), Chiffres())


def _group(
    lignes: Iterable[LigneDeMaquette], key: Callable[[LigneDeMaquette], tuple[str, str]]
) -> list[tuple[str, str, Chiffres]]:
    groups: dict[tuple[str, str], Chiffres] = {}
    for ligne in lignes:
        groups[key(ligne)] = groups.get(key(ligne), Chiffres()) + ligne.chiffres
    return [(*k, chiffres) for k, chiffres in groups.items()]
