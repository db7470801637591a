"""The clocks of payment that run: which bilan must be paid by when, and the alert it reached."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
    par_convention = {
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
    suivies = _a_suivre(conn, list(par_convention), le)
    found = [
        _lue(par_convention[convention_id], lus[0].reglement, cours, le)
        for convention_id, lus in lire_flux(conn, perimetre, suivies).items()
        for cours in _en_cours((lu.fait for lu in lus), le)
    ]
    return tuple(sorted(found, key=lambda h: (h.echeance or date.max, h.numero_mdfse, h.numero)))


def _a_suivre(conn: Connection[TupleRow], conventions: Sequence[UUID], le: date) -> list[UUID]:
    """Return the conventions on which a clock may run: all those where one does, and few others.

    A clock stops once what was sent reaches its target, which a control sets: what was sent before
    it and what it leaves to pay. That is never more than the larger of what was sent, and of the
    due with what came back. What came before a control goes by the order of facts, not by days.
    """
    rows = conn.execute(
        """
        SELECT c.id
        FROM unnest(%(conventions)s::uuid[]) AS c (id)
        CROSS JOIN LATERAL (
            SELECT
                max(e.version) AS dernier,
                max((e.data ->> 'fse_du_cumule_centimes')::bigint) AS du
            FROM oi.event AS e
            WHERE e.stream_id = c.id AND e.name = 'convention.csf_valide.v1'
                AND e.date_effet <= %(le)s
        ) AS k
        CROSS JOIN LATERAL (
            SELECT
                coalesce(sum(n.envoye * m.centimes) FILTER (WHERE e.date_effet <= %(le)s), 0)
                    AS envoye,
                coalesce(sum(n.parti * m.centimes) FILTER (WHERE e.version < k.dernier), 0)
                    AS parti,
                coalesce(sum(n.rentre * m.centimes) FILTER (WHERE e.version < k.dernier), 0)
                    AS rentre
            FROM oi.event AS e
            INNER JOIN (VALUES
                ('convention.paiement_effectue.v1', 1, 1, 0),
                ('convention.compensation_imputee.v1', 1, 1, 0),
                ('convention.paiement_rejete.v1', -1, 0, 0),
                ('convention.reversement_encaisse.v1', 0, 0, 1),
                ('convention.compensation_operee.v1', 0, 0, 1)
            ) AS n (name, envoye, parti, rentre) ON e.name = n.name
            CROSS JOIN LATERAL (
                SELECT (e.data ->> 'montant_centimes')::bigint
                    - coalesce((e.data ->> 'compense_centimes')::bigint, 0) AS centimes
            ) AS m
            WHERE e.stream_id = c.id
        ) AS v
        WHERE greatest(v.parti, k.du + v.rentre) > v.envoye
            -- A bilan whose control is not validated has no target yet.
            OR EXISTS (
                SELECT FROM oi.event AS b
                WHERE b.stream_id = c.id AND b.name = 'convention.bilan_depose.v1'
                    AND b.date_effet <= %(le)s
                    AND NOT EXISTS (
                        SELECT FROM oi.event AS f
                        WHERE f.stream_id = c.id
                            AND f.name IN (
                                'convention.csf_valide.v1', 'convention.bilan_renvoye.v1')
                            AND f.date_effet <= %(le)s
                            AND f.data ->> 'bilan_id' = b.data ->> 'bilan_id'))
        """,
        {"conventions": conventions, "le": le},
    )
    return [row[0] for row in rows]


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
        if isinstance(fait, ce.CsfValide | ce.ClotureOfficePrononcee | ce.PaiementRejete):
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
    fait: ce.CsfValide | ce.ClotureOfficePrononcee | ce.PaiementRejete,
    state: Convention,
) -> None:
    """Fix what must have left for a bilan to be paid; less, when a later control owes less.

    What a bank sends back is due again, for what is owed by then.
    """
    envoye = sum(p.paye for p in state.paiements.values())
    if isinstance(fait, ce.CsfValide) and fait.bilan_id in cours:
        un = cours[fait.bilan_id]
        if un.arret is None:
            un.cible = envoye + _reste(state, final=fait.type == "final")
    tout = envoye + _reste(state, final=True)
    for un in cours.values():
        if un.cible is not None:
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
