"""The clocks of payment that run: which bilan must be paid by when, and the alert it reached."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from aggregates.convention import events as ce
from aggregates.convention.state import CONVENTION, Convention
from oi_service.codec import Evenement
from oi_service.ids import convention_of
from projections.histoire import INTERRUPTIONS
from projections.journal import lire_flux
from projections.perimetre import Perimetre
from rules.delai_paiement import Horloge, Interruption, delai_paiement, horloge
from rules.paiement import Versements, a_regler, plafond_avant_solde


@dataclass(frozen=True, slots=True)
class HorlogeDeBilan:
    """A bilan that waits for its payment, as its clock stands on a day; amounts are cents."""

    operation_id: UUID
    numero_mdfse: str
    beneficiaire: str
    plie_id: str
    reglement: str
    bilan_id: UUID
    numero: int
    type: str
    depose_le: date
    fse_declare: int
    delai_jours: int
    horloge: Horloge
    cause: str | None  #: why it is interrupted

    @property
    def jours_consommes(self) -> int:
        """Days that count since the deposit."""
        return self.horloge.jours_consommes

    @property
    def echeance(self) -> date | None:
        """Last day to pay; unknown while the clock is interrupted."""
        return self.horloge.echeance

    @property
    def interrompue(self) -> bool:
        """Whether somebody interrupted it."""
        return self.horloge.interrompue

    @property
    def alerte(self) -> int | None:
        """Highest threshold reached, in percent of the delay."""
        return self.horloge.alerte

    @property
    def cause_libelle(self) -> str | None:
        """The cause of the interruption as people say it."""
        return None if self.cause is None else INTERRUPTIONS[self.cause]


@dataclass(frozen=True, slots=True)
class _Operation:
    id: UUID
    numero_mdfse: str
    beneficiaire: str
    plie_id: str


@dataclass(slots=True)
class _Cours:
    """A clock on its way. ``cible``: what must have left for this bilan to be paid, in cents."""

    depose: ce.BilanDepose
    pauses: list[Interruption] = field(default_factory=list)
    cause: str | None = None
    cible: int | None = None
    arret: date | None = None
    renvoye: bool = False


def horloges(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    le: date,
    *,
    operations: Collection[UUID] | None = None,
) -> tuple[HorlogeDeBilan, ...]:
    """Return every bilan that is not paid on a day, the most urgent first, the interrupted last.

    Only facts that count on that day are read. An operation that was closed waits for nothing.
    ``operations`` keeps the bilans of some operations.
    """
    operations = {
        convention_of(o.id): o
        for o in conn.cursor(row_factory=class_row(_Operation))
        .execute(
            """
            SELECT o.id, o.numero_mdfse, o.beneficiaire, o.plie_id
            FROM projection.operation AS o
            WHERE o.numero_convention IS NOT NULL
                AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
                AND (%(operations)s::uuid[] IS NULL OR o.id = ANY(%(operations)s))
                AND NOT EXISTS (
                    SELECT FROM oi.event AS e
                    WHERE e.stream_id = o.id AND e.name = 'operation.cloturee.v1'
                        AND e.date_effet <= %(le)s)
            """,
            {
                "plies": perimetre.liste,
                "operations": None if operations is None else list(operations),
                "le": le,
            },
        )
        .fetchall()
    }
    found = [
        _lue(operations[convention_id], lus[0].reglement, cours, le)
        for convention_id, lus in lire_flux(conn, perimetre, operations).items()
        for cours in _en_cours((lu.fait for lu in lus), le)
    ]
    return tuple(sorted(found, key=lambda h: (h.echeance or date.max, h.numero_mdfse, h.numero)))


def _lue(operation: _Operation, reglement: str, cours: _Cours, le: date) -> HorlogeDeBilan:
    depose = cours.depose
    delai = delai_paiement(depose.date_effet, reglement)
    lue = horloge(depose.date_effet, cours.pauses, cours.arret, delai, le)
    return HorlogeDeBilan(
        operation_id=operation.id,
        numero_mdfse=operation.numero_mdfse,
        beneficiaire=operation.beneficiaire,
        plie_id=operation.plie_id,
        reglement=reglement,
        bilan_id=depose.bilan_id,
        numero=depose.numero,
        type=depose.type,
        depose_le=depose.date_effet,
        fse_declare=depose.fse_declare_centimes,
        delai_jours=delai,
        horloge=lue,
        cause=cours.cause if lue.interrompue else None,
    )


def _en_cours(faits: Iterable[Evenement], le: date) -> Iterator[_Cours]:
    """Follow the clocks of a convention; return those that no payment stopped by a day."""
    state: Convention | None = None
    cours: dict[UUID, _Cours] = {}
    envoye = 0
    for fait in faits:
        state = CONVENTION.evolve(state, fait)
        if fait.date_effet > le:
            continue
        envoye += _envoi(fait)
        _suivre(cours, fait)
        if isinstance(fait, ce.CsfValide | ce.ClotureOfficePrononcee):
            _viser(cours, fait, state)
        for un in cours.values():
            if un.cible is not None and envoye < un.cible:
                un.arret = None
            elif un.cible is not None and un.arret is None:
                un.arret = fait.date_effet
    yield from (un for un in cours.values() if un.arret is None and not un.renvoye)


def _envoi(fait: Evenement) -> int:
    """What a fact sends to the beneficiary, or brings back from the bank, in cents."""
    match fait:
        case ce.PaiementEffectue():
            return fait.montant_centimes - fait.compense_centimes
        case ce.CompensationImputee():
            return fait.montant_centimes
        case ce.PaiementRejete():
            return -fait.montant_centimes
        case _:
            return 0


def _suivre(cours: dict[UUID, _Cours], fait: Evenement) -> None:
    match fait:
        case ce.BilanDepose():
            cours[fait.bilan_id] = _Cours(fait)
        case ce.BilanRenvoye(bilan_id=bilan_id) if bilan_id in cours:
            cours[bilan_id].renvoye = True
        case ce.DelaiPaiementInterrompu(bilan_id=bilan_id) if bilan_id in cours:
            cours[bilan_id].pauses.append(Interruption(du=fait.date_effet))
            cours[bilan_id].cause = fait.cause
        case ce.DelaiPaiementRepris(bilan_id=bilan_id) if bilan_id in cours:
            pauses = cours[bilan_id].pauses
            pauses[-1] = Interruption(du=pauses[-1].du, au=fait.date_effet)
        case _:
            pass


def _viser(
    cours: Mapping[UUID, _Cours],
    fait: ce.CsfValide | ce.ClotureOfficePrononcee,
    state: Convention,
) -> None:
    """Fix what must have left for a bilan to be paid; less, when a later control owes less."""
    envoye = sum(p.paye for p in state.paiements.values())
    if isinstance(fait, ce.CsfValide) and fait.bilan_id in cours:
        un = cours[fait.bilan_id]
        if un.arret is None:
            un.cible = envoye + _reste(state, final=fait.type == "final")
    tout = envoye + _reste(state, final=True)
    for un in cours.values():
        if un.arret is None and un.cible is not None:
            un.cible = min(un.cible, tout)


def _reste(state: Convention, *, final: bool) -> int:
    return a_regler(
        state.fse_du,
        Versements(net_centimes=state.paye, avances_centimes=state.avances),
        final=final,
        plafond_avant_solde=plafond_avant_solde(
            state.fse_max, state.parametres.plafond_avant_solde_pct, state.arrondi
        ),
        imputation=state.parametres.imputation_avance,
    ).a_payer_centimes
