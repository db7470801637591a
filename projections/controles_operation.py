"""Audits of operations: where each stands, what it found, what is still due and since when.

A reader of some PLIE sees of a control what concerns its own operations, and nothing of the others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeVar, cast
from uuid import UUID

import msgspec
from psycopg import Connection, sql
from psycopg.rows import TupleRow, class_row

from aggregates.controle_operation.events import LienSuite, Mesure, Organisme
from aggregates.controle_operation.state import (
    LIBELLES,
    LIBELLES_SUITE,
    ControleOperationAbsent,
    Statut,
    StatutSuite,
)
from projections.curseurs import LIMITE_PAR_DEFAUT, Page, lire, paginer
from projections.instantane import instantane
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation
from rules.controle_operation import (
    ISSUES,
    MESURES,
    MODALITES,
    NATURES,
    ORGANISMES,
    REPONSES,
    RESPONSABLES,
    RESULTATS,
    CodeNature,
    au_dela_du_seuil_ims,
)

#: What somebody waits for: an answer to a finding, a decision on it, what was decided to be done.
Objet = Literal["reponse", "decision", "suite"]
OBJETS: dict[Objet, str] = {
    "reponse": "réponse au rapport provisoire",
    "decision": "suite à décider",
    "suite": "suite à exécuter",
}


@dataclass(frozen=True, slots=True)
class LigneControle:
    """A control, and what its findings come to on the operations that the reader sees, in cents.

    ``retard_jours``: of the oldest deadline that is past on the day ``le``; 0 when none is.
    """

    id: UUID
    subvention_globale_id: UUID
    oi_id: str
    reglement: str
    organisme: Organisme
    organisme_nom: str | None
    reference: str
    statut: Statut
    resultat: str | None
    modalite: str | None
    etat_no: str | None
    echantillon_id: UUID | None
    date_annoncee: date | None
    notifie_le: date
    commence_le: date | None
    rapport_provisoire_ref: str | None
    rapport_provisoire_le: date | None
    date_limite_reponse: date | None
    rapport_definitif_ref: str | None
    rapport_definitif_le: date | None
    date_limite_suites: date | None
    suites_closes_le: date | None
    clos_le: date | None
    cloture_ref: str | None
    annule_le: date | None
    version: int
    position: int
    nb_operations: int
    nb_constats: int
    cout_total_controle: int
    cout_total_propose: int
    fse_propose: int
    cout_total_retenu: int
    fse_retenu: int
    nb_attentes: int
    prochaine_echeance: date | None
    retard_jours: int

    @property
    def organisme_libelle(self) -> str:
        """Who controls, as people say it."""
        return self.organisme_nom or ORGANISMES[self.organisme]

    @property
    def statut_libelle(self) -> str:
        """Where it stands, as people say it."""
        return LIBELLES[self.statut]

    @property
    def resultat_libelle(self) -> str | None:
        """What it concluded, as people say it."""
        return None if self.resultat is None else RESULTATS[self.resultat]

    @property
    def modalite_libelle(self) -> str | None:
        """How it was led, as people say it."""
        return None if self.modalite is None else MODALITES[self.modalite]


@dataclass(frozen=True, slots=True)
class OperationControleeVue:
    """An operation under control; no ``depenses`` is all of them."""

    controle_id: UUID
    operation_id: UUID
    numero_mdfse: str
    plie_id: str
    cout_total_controle: int
    depenses: list[UUID]


@dataclass(frozen=True, slots=True)
class ConstatDuControle:
    """A finding, its answers and what was kept of it; amounts are cents."""

    controle_id: UUID
    reglement: str
    numero: int
    operation_id: UUID
    numero_mdfse: str
    nature: CodeNature
    detecte_le: date
    constatation: str
    assiette: str | None
    depenses: list[UUID]
    extrapole: bool
    cout_total_propose: int
    fse_propose: int
    issue: str | None
    cout_total_retenu: int | None
    fse_retenu: int | None
    mesure_recommandee: str | None
    motivation: str | None
    reponse_oi: str | None
    reponse_oi_le: date | None
    reponse_beneficiaire: str | None
    reponse_beneficiaire_le: date | None

    @property
    def nature_libelle(self) -> str:
        """The kind of breach, as people say it."""
        return NATURES[self.nature]

    @property
    def issue_libelle(self) -> str | None:
        """What the final report did with it, as people say it."""
        return None if self.issue is None else ISSUES[self.issue]

    @property
    def reponses_libelles(self) -> tuple[str, ...]:
        """Who answered what, as people say it."""
        dites = (("OI", self.reponse_oi), ("bénéficiaire", self.reponse_beneficiaire))
        return tuple(f"{REPONSES[reponse]} ({qui})" for qui, reponse in dites if reponse)

    @property
    def au_dela_du_seuil_ims(self) -> bool:
        """Whether it is of an amount that the Commission is told of; it informs."""
        fse = self.fse_propose if self.fse_retenu is None else self.fse_retenu
        return au_dela_du_seuil_ims(fse, self.detecte_le, self.reglement)


@dataclass(frozen=True, slots=True)
class SuiteDuControle:
    """A follow-up of a finding, and the facts of the convention that did it."""

    controle_id: UUID
    suite_id: UUID
    constat_numero: int
    mesure: Mesure
    responsable: str
    action: str
    echeance: date
    decidee_le: date
    statut: StatutSuite
    executee_le: date | None
    annulee_le: date | None
    compte_rendu: str | None
    liens_json: list[dict[str, Any]]

    @property
    def liens(self) -> tuple[LienSuite, ...]:
        """What its execution names."""
        return msgspec.convert(self.liens_json, tuple[LienSuite, ...])

    @property
    def mesure_libelle(self) -> str:
        """What is done, as people say it."""
        return MESURES[self.mesure]

    @property
    def responsable_libelle(self) -> str:
        """Who does it, as people say it."""
        return RESPONSABLES[self.responsable]

    @property
    def statut_libelle(self) -> str:
        """Where it stands, as people say it."""
        return LIBELLES_SUITE[self.statut]


@dataclass(frozen=True, slots=True)
class Attente:
    """What is due about a finding on the day ``le``; amounts at stake are cents."""

    le: date
    controle_id: UUID
    organisme: Organisme
    organisme_nom: str | None
    reference: str
    objet: Objet
    constat_numero: int
    suite_id: UUID | None
    operation_id: UUID
    numero_mdfse: str
    beneficiaire: str
    plie_id: str
    mesure: Mesure | None
    responsable: str | None
    action: str | None
    echeance: date
    cout_total: int
    fse: int

    @property
    def organisme_libelle(self) -> str:
        """Who controls, as people say it."""
        return self.organisme_nom or ORGANISMES[self.organisme]

    @property
    def objet_libelle(self) -> str:
        """What is waited for, as people say it."""
        return OBJETS[self.objet]

    @property
    def retard_jours(self) -> int:
        """Days past the deadline; a deadline is its whole last day."""
        return max(0, (self.le - self.echeance).days)


@dataclass(frozen=True, slots=True)
class Enjeu:
    """What some findings come to, in cents."""

    cout_total: int
    fse: int


def en_jeu(dues: Iterable[Attente]) -> Enjeu:
    """Return what is at stake, each finding once whatever is due about it."""
    constats: dict[tuple[UUID, int], tuple[int, int]] = {}
    for due in dues:
        cle = due.controle_id, due.constat_numero
        constats[cle] = max(constats.get(cle, (0, 0)), (due.cout_total, due.fse))
    return Enjeu(sum(c for c, _ in constats.values()), sum(f for _, f in constats.values()))


@dataclass(frozen=True, slots=True)
class ControleVu:
    """A control with everything in it."""

    ligne: LigneControle
    operations: tuple[OperationControleeVue, ...]
    constats: tuple[ConstatDuControle, ...]
    suites: tuple[SuiteDuControle, ...]
    attentes: tuple[Attente, ...]


@dataclass(frozen=True, slots=True)
class FiltresControles:
    """Which controls."""

    operation_id: UUID | None = None
    plie: str | None = None
    organisme: Organisme | None = None
    statut: Statut | None = None
    en_retard: bool = False


_TOUS = FiltresControles()

#: The tables of a situation: those kept ready, or the same ones read again from the log.
_TABLES = ("controle_operation", "controle_perimetre", "controle_constat", "controle_suite")
_AU = ("controles_lus", "controle_perimetres_lus", "controle_constats_lus", "controle_suites_lues")

#: What the reader sees of each control, then what is due about it.
_VUES = """
    perimetre AS (
        SELECT p.controle_id, p.operation_id, p.ct_controle_centimes, p.depenses, o.numero_mdfse,
            o.beneficiaire, o.plie_id
        FROM {controle_perimetre} AS p
        INNER JOIN projection.operation AS o ON p.operation_id = o.id
        WHERE %(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s)
    ),

    controle AS (
        SELECT c.* FROM {controle_operation} AS c
        WHERE EXISTS (
            SELECT FROM perimetre AS p
            WHERE p.controle_id = c.id
                AND (%(operation)s::uuid IS NULL OR p.operation_id = %(operation)s)
                AND (%(plie)s::text IS NULL OR p.plie_id = %(plie)s))
            AND (%(id)s::uuid IS NULL OR c.id = %(id)s)
            AND (%(organisme)s::text IS NULL OR c.organisme = %(organisme)s)
            AND (%(statut)s::text IS NULL OR c.statut = %(statut)s)
    ),

    constat AS (
        SELECT k.*, p.numero_mdfse, p.beneficiaire, p.plie_id, c.reglement
        FROM {controle_constat} AS k
        INNER JOIN controle AS c ON k.controle_id = c.id
        INNER JOIN perimetre AS p
            ON k.controle_id = p.controle_id AND k.operation_id = p.operation_id
    ),

    suite AS (
        SELECT s.* FROM {controle_suite} AS s
        INNER JOIN constat AS k
            ON s.controle_id = k.controle_id AND s.constat_numero = k.numero
    ),

    attente AS (
        SELECT k.controle_id, 'reponse' AS objet, k.numero, NULL::uuid AS suite_id,
            NULL AS mesure, NULL AS responsable, NULL AS action, c.date_limite_reponse AS echeance,
            k.ct_propose_centimes AS cout_total, k.fse_propose_centimes AS fse
        FROM constat AS k INNER JOIN controle AS c ON k.controle_id = c.id
        WHERE c.statut IN ('rapport_provisoire', 'contradictoire')
            AND k.reponse_oi IS NULL AND k.reponse_beneficiaire IS NULL
        UNION ALL
        SELECT k.controle_id, 'decision', k.numero, NULL, NULL, NULL, NULL, c.date_limite_suites,
            k.ct_retenu_centimes, k.fse_retenu_centimes
        FROM constat AS k INNER JOIN controle AS c ON k.controle_id = c.id
        WHERE c.statut IN ('rapport_definitif', 'suites_a_donner')
            AND k.issue IN ('maintenu', 'reduit')
            AND NOT EXISTS (
                SELECT FROM suite AS s
                WHERE s.controle_id = k.controle_id AND s.constat_numero = k.numero
                    AND s.statut <> 'annulee')
        UNION ALL
        -- An administrative measure corrects no amount: none is at stake.
        SELECT k.controle_id, 'suite', k.numero, s.suite_id, s.mesure, s.responsable, s.action,
            s.echeance,
            CASE s.mesure WHEN 'mesure_administrative' THEN 0 ELSE k.ct_retenu_centimes END,
            CASE s.mesure WHEN 'mesure_administrative' THEN 0 ELSE k.fse_retenu_centimes END
        FROM suite AS s
        INNER JOIN constat AS k ON s.controle_id = k.controle_id AND s.constat_numero = k.numero
        INNER JOIN controle AS c ON k.controle_id = c.id
        WHERE c.statut = 'suites_a_donner' AND s.statut = 'a_faire'
    )
"""

T = TypeVar("T")


def _lire(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation,
    filtres: FiltresControles,
    le: date,
    kind: type[T],
    suite: str,
    **autres: object,
) -> list[T]:
    """Run a query on what a situation holds; ``suite`` follows the views above."""
    sources = {table: sql.SQL("projection." + table) for table in _TABLES}
    if not situation.actuelle:
        sources = {
            table: sql.SQL(f"oi.{fonction}(%(connu_le)s, %(effet_au)s, %(flux)s)")
            for table, fonction in zip(_TABLES, _AU, strict=True)
        }
    flux: list[tuple[UUID]] = []
    if not situation.actuelle:
        flux = conn.execute("SELECT c.id FROM projection.controle_operation AS c").fetchall()
    parametres = {
        "plies": perimetre.liste,
        "id": None,
        "operation": filtres.operation_id,
        "plie": filtres.plie,
        "organisme": filtres.organisme,
        "statut": filtres.statut,
        "en_retard": filtres.en_retard,
        "le": le,
        "flux": [row[0] for row in flux],
        **situation.parametres,
        **autres,
    }
    query = sql.SQL("WITH" + _VUES + suite).format(**sources)
    return conn.cursor(row_factory=class_row(kind)).execute(query, parametres).fetchall()


def controles(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    filtres: FiltresControles = _TOUS,
    situation: Situation = ACTUELLE,
    *,
    le: date,
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Page[LigneControle]:
    """Return the controls, in the order of their recording; what is late is late on ``le``."""
    (position,) = lire(apres, "controles operation", int)
    rows = _lignes(conn, perimetre, filtres, situation, le=le, depuis=position, limite=limite + 1)
    return paginer(rows, limite, "controles operation", lambda c: (c.position,))


def _lignes(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    filtres: FiltresControles,
    situation: Situation,
    *,
    le: date,
    **autres: object,
) -> list[LigneControle]:
    return _lire(
        conn,
        perimetre,
        situation,
        filtres,
        le,
        LigneControle,
        """
        SELECT
            c.id, c.sg_id AS subvention_globale_id, c.oi_id, c.reglement, c.organisme,
            c.organisme_nom, c.reference, c.statut, c.resultat, c.modalite, c.etat_no,
            c.echantillon_id, c.date_annoncee, c.notifie_le, c.commence_le,
            c.rapport_provisoire_ref, c.rapport_provisoire_le, c.date_limite_reponse,
            c.rapport_definitif_ref, c.rapport_definitif_le, c.date_limite_suites,
            c.suites_closes_le, c.clos_le, c.cloture_ref, c.annule_le, c.version, c.position,
            p.*, k.*, a.nb_attentes, a.prochaine_echeance,
            greatest(0, %(le)s::date - a.prochaine_echeance) AS retard_jours
        FROM controle AS c
        CROSS JOIN LATERAL (
            SELECT count(*) AS nb_operations, sum(x.ct_controle_centimes)::bigint
                AS cout_total_controle
            FROM perimetre AS x WHERE x.controle_id = c.id
        ) AS p
        CROSS JOIN LATERAL (
            SELECT count(*) AS nb_constats,
                coalesce(sum(x.ct_propose_centimes), 0)::bigint AS cout_total_propose,
                coalesce(sum(x.fse_propose_centimes), 0)::bigint AS fse_propose,
                coalesce(sum(x.ct_retenu_centimes), 0)::bigint AS cout_total_retenu,
                coalesce(sum(x.fse_retenu_centimes), 0)::bigint AS fse_retenu
            FROM constat AS x WHERE x.controle_id = c.id
        ) AS k
        CROSS JOIN LATERAL (
            SELECT count(*) AS nb_attentes, min(x.echeance) AS prochaine_echeance
            FROM attente AS x WHERE x.controle_id = c.id
        ) AS a
        WHERE (NOT %(en_retard)s OR a.prochaine_echeance < %(le)s::date)
            AND (%(depuis)s::bigint IS NULL OR c.position > %(depuis)s)
        ORDER BY c.position
        LIMIT %(limite)s
        """,
        **autres,
    )


def attentes(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    filtres: FiltresControles = _TOUS,
    situation: Situation = ACTUELLE,
    *,
    le: date,
    controle_id: UUID | None = None,
) -> tuple[Attente, ...]:
    """Return what is due on the day ``le``, the oldest deadline first.

    Answers that nobody made, findings that are kept and have no follow-up, follow-ups to be done.
    """
    return tuple(
        _lire(
            conn,
            perimetre,
            situation,
            filtres,
            le,
            Attente,
            """
            SELECT
                %(le)s::date AS le, a.controle_id, c.organisme, c.organisme_nom, c.reference,
                a.objet, a.numero AS constat_numero, a.suite_id, k.operation_id, k.numero_mdfse,
                k.beneficiaire, k.plie_id, a.mesure, a.responsable, a.action, a.echeance,
                a.cout_total, a.fse
            FROM attente AS a
            INNER JOIN controle AS c ON a.controle_id = c.id
            INNER JOIN constat AS k ON a.controle_id = k.controle_id AND a.numero = k.numero
            WHERE (NOT %(en_retard)s OR a.echeance < %(le)s::date)
                AND (%(operation)s::uuid IS NULL OR k.operation_id = %(operation)s)
                AND (%(plie)s::text IS NULL OR k.plie_id = %(plie)s)
            ORDER BY a.echeance, c.position, a.numero, a.objet, a.suite_id
            """,
            id=controle_id,
        )
    )


def controle(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    controle_id: UUID,
    situation: Situation = ACTUELLE,
    *,
    le: date,
) -> ControleVu:
    """Return a control with its findings and follow-ups, as the situation knows it.

    Raises: ControleOperationAbsent.
    """
    with instantane(conn):
        found = _complets(conn, perimetre, _TOUS, situation, le=le, controle_id=controle_id)
    if not found:
        raise ControleOperationAbsent(id=controle_id)
    return found[0]


def controles_de_l_operation(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    operation_id: UUID,
    situation: Situation = ACTUELLE,
    *,
    le: date,
) -> tuple[ControleVu, ...]:
    """Return every control that touches an operation, with what concerns this operation only."""
    filtres = FiltresControles(operation_id=operation_id)
    with instantane(conn):
        return tuple(
            ControleVu(
                ligne=vu.ligne,
                operations=tuple(o for o in vu.operations if o.operation_id == operation_id),
                constats=tuple(k for k in vu.constats if k.operation_id == operation_id),
                suites=tuple(
                    s
                    for s in vu.suites
                    if s.constat_numero
                    in {k.numero for k in vu.constats if k.operation_id == operation_id}
                ),
                attentes=tuple(a for a in vu.attentes if a.operation_id == operation_id),
            )
            for vu in _complets(conn, perimetre, filtres, situation, le=le)
        )


def controles_complets(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    filtres: FiltresControles = _TOUS,
    situation: Situation = ACTUELLE,
    *,
    le: date,
) -> list[ControleVu]:
    """Return every control that passes the filters, each with everything in it."""
    with instantane(conn):
        return _complets(conn, perimetre, filtres, situation, le=le)


def _complets(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    filtres: FiltresControles,
    situation: Situation,
    *,
    le: date,
    controle_id: UUID | None = None,
) -> list[ControleVu]:
    commun = (conn, perimetre, situation, filtres, le)
    lignes = _lignes(
        conn, perimetre, filtres, situation, le=le, id=controle_id, depuis=None, limite=None
    )
    if not lignes:
        return []
    operations = _lire(
        *commun,
        OperationControleeVue,
        """
        SELECT p.controle_id, p.operation_id, p.numero_mdfse, p.plie_id,
            p.ct_controle_centimes AS cout_total_controle, p.depenses
        FROM perimetre AS p INNER JOIN controle AS c ON p.controle_id = c.id
        ORDER BY p.numero_mdfse
        """,
        id=controle_id,
    )
    constats = _lire(
        *commun,
        ConstatDuControle,
        """
        SELECT k.controle_id, k.reglement, k.numero, k.operation_id, k.numero_mdfse, k.nature,
            k.detecte_le, k.constatation, k.assiette, k.depenses, k.extrapole,
            k.ct_propose_centimes AS cout_total_propose, k.fse_propose_centimes AS fse_propose,
            k.issue, k.ct_retenu_centimes AS cout_total_retenu,
            k.fse_retenu_centimes AS fse_retenu, k.mesure_recommandee, k.motivation, k.reponse_oi,
            k.reponse_oi_le, k.reponse_beneficiaire, k.reponse_beneficiaire_le
        FROM constat AS k ORDER BY k.numero
        """,
        id=controle_id,
    )
    suites = _lire(
        *commun,
        SuiteDuControle,
        """
        SELECT s.controle_id, s.suite_id, s.constat_numero, s.mesure, s.responsable, s.action,
            s.echeance, s.decidee_le, s.statut, s.executee_le, s.annulee_le, s.compte_rendu,
            s.liens AS liens_json
        FROM suite AS s ORDER BY s.position
        """,
        id=controle_id,
    )
    dues = attentes(conn, perimetre, filtres, situation, le=le, controle_id=controle_id)
    return [
        ControleVu(
            ligne=ligne,
            operations=_du_controle(ligne, operations),
            constats=_du_controle(ligne, constats),
            suites=_du_controle(ligne, suites),
            attentes=_du_controle(ligne, dues),
        )
        for ligne in lignes
    ]


def _du_controle(ligne: LigneControle, rows: Sequence[T]) -> tuple[T, ...]:
    return tuple(row for row in rows if cast("Any", row).controle_id == ligne.id)
