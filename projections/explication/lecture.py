"""What an explanation reads: the fact, its inputs, its result, and the log around it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from aggregates.convention.events import (
    CsfOuvert,
    CsfValide,
    EntreesCalcul,
    RealisationsControlees,
    RecettesControlees,
    RessourcesControlees,
)
from aggregates.convention.state import CONVENTION, Convention
from aggregates.depense.events import DepenseControlee
from aggregates.depense.state import DEPENSE
from oi_service.ids import convention_of
from projections.journal import EvenementLu, lire_flux
from projections.perimetre import Perimetre
from projections.recalcul import csf_valide, entrees_de
from rules.calcul import Apports, Resultat
from rules.eligibilite import MOTIFS
from rules.nomenclature import POSTES
from rules.versions import calcul_de

D = TypeVar("D", RealisationsControlees, RecettesControlees, RessourcesControlees)


@dataclass(frozen=True, slots=True)
class _Ecart:
    """What a line of the bilan loses, and the event that says so."""

    position: int
    poste: str
    piece: str
    centimes: int
    motif: str
    commentaire: str | None


@dataclass(frozen=True, slots=True)
class Lecture:
    """What the explanation reads: the fact, its inputs, its result, and the log around it."""

    fait: CsfValide
    position: int
    entrees: EntreesCalcul
    resultat: Resultat
    convention: Convention
    flux: Sequence[EvenementLu]
    ecarts: Sequence[_Ecart]

    def positions(self, *noms: str) -> list[int]:
        """Events of the convention by these names, oldest first."""
        return [lu.position for lu in self.flux if lu.name in noms]

    def decisions(self, kind: type[D]) -> list[tuple[int, int, D]]:
        """Return the last decision of a kind on each bilan: its number, its event, the fact.

        A version of a control starts from the decisions of the former one, so the last before the
        validation counts; what a control under way decides does not count yet.
        """
        du_csf: dict[UUID, UUID] = {}
        en_cours: dict[UUID, tuple[int, D]] = {}
        validees: dict[UUID, tuple[int, D]] = {}
        for lu in self.flux:
            fait = lu.fait
            if isinstance(fait, CsfOuvert):
                du_csf[fait.csf_id] = fait.bilan_id
            elif isinstance(fait, kind):
                en_cours[du_csf[fait.csf_id]] = (lu.position, fait)
            elif isinstance(fait, CsfValide) and fait.bilan_id in en_cours:
                validees[fait.bilan_id] = en_cours[fait.bilan_id]
        bilans = self.convention.bilans
        return sorted(
            ((bilans[i].numero, position, fait) for i, (position, fait) in validees.items()),
            key=lambda decision: decision[0],
        )

    def libelle(self, code: str) -> str:
        """Say a poste; a unit cost or a lump sum has the name of the convention."""
        dits = {p.code: p.libelle for p in self.convention.plan.postes}
        return POSTES.get(code) or dits.get(code) or code

    @property
    def position_de_la_convention(self) -> int | None:
        """The version in force: the last avenant, else the convention itself."""
        noms = ("convention.signee.v1", "convention.avenant_signe.v1")
        return max(self.positions(*noms), default=None)


def lire(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID, csf_id: UUID
) -> Lecture:
    """Read a validated control and the log as it stood then. Raises: CsfNonValideEncore."""
    lu, fait = csf_valide(conn, perimetre, operation_id, csf_id)
    convention_id = convention_of(operation_id)
    flux = [
        e
        for e in lire_flux(conn, perimetre, [convention_id])[convention_id]
        if e.position <= lu.position
    ]
    convention = CONVENTION.replay(e.fait for e in flux)
    assert convention is not None
    entrees = entrees_de(fait)
    return Lecture(
        fait=fait,
        position=lu.position,
        entrees=entrees,
        resultat=fait.resultat
        or calcul_de(fait.version_regles)(entrees.conditions, entrees.bilans),
        convention=convention,
        flux=flux,
        ecarts=_ecarts(conn, perimetre, convention.bilans[fait.bilan_id].depenses, lu.position),
    )


def _ecarts(
    conn: Connection[TupleRow], perimetre: Perimetre, depenses: Iterable[UUID], jusqu_a: int
) -> tuple[_Ecart, ...]:
    """Return what the lines of the bilan lose, by the last decision taken on each."""
    ecarts = []
    for lus in lire_flux(conn, perimetre, depenses).values():
        connus = [(lu.position, lu.fait) for lu in lus if lu.position <= jusqu_a]
        depense = DEPENSE.replay(fait for _, fait in connus)
        decisions = [(p, fait) for p, fait in connus if isinstance(fait, DepenseControlee)]
        if depense is None or not depense.ecarte or not decisions:
            continue
        position, decision = decisions[-1]
        ecarts.append(
            _Ecart(
                position=position,
                poste=depense.detail.poste,
                piece=depense.detail.piece_ref,
                centimes=depense.ecarte,
                motif=MOTIFS.get(decision.motif_code or "", ""),
                commentaire=decision.commentaire,
            )
        )
    return tuple(sorted(ecarts, key=lambda e: e.position))


def bilans(lecture: Lecture) -> list[tuple[int, Apports, int | None]]:
    """Return each bilan of the calculation with its number and the event that fixed it."""
    rangs = sorted(
        {
            fait.bilan_id: (lecture.convention.bilans[fait.bilan_id].numero, lu.position)
            for lu in lecture.flux
            if isinstance(fait := lu.fait, CsfValide)
        }.values()
    )
    if len(rangs) != len(lecture.entrees.bilans):  # a control under rules 2026.1 cumulates at once
        return [(0, apports, lecture.position) for apports in lecture.entrees.bilans]
    return [
        (numero, apports, position)
        for (numero, position), apports in zip(rangs, lecture.entrees.bilans, strict=True)
    ]
