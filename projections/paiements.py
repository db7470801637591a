"""Payments over the whole perimeter: what is due and not prepared yet, and where the others stand.

A payment is read from its own facts, found by their names: no table repeats them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import TupleRow, class_row

from aggregates.convention.events import CsfValide, TypePaiement
from aggregates.convention.state import CONVENTION, Bilan, Convention, Paiement
from aggregates.operation.state import OPERATION, OperationAbsente
from oi_service.ids import convention_of
from projections.curseurs import LIMITE_MAXIMALE, LIMITE_PAR_DEFAUT, Page, lire, paginer
from projections.instantane import instantane
from projections.journal import EvenementLu, lire_flux
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation
from rules import paiement as regles
from rules.paiement import Versements, a_regler, plafond_avant_solde

StatutPaiement = Literal["prepare", "ordonnance", "annule", "effectue", "acquitte", "rejete"]
Tri = Literal["le", "montant", "beneficiaire", "numero"]
Ordre = Literal["asc", "desc"]

#: How the state of a payment is said.
STATUTS: Mapping[StatutPaiement, str] = {
    "prepare": "à ordonnancer",
    "ordonnance": "à virer",
    "effectue": "viré",
    "acquitte": "acquitté",
    "rejete": "rejeté par la banque",
    "annule": "annulé",
}
TYPES: Mapping[TypePaiement, str] = {"avance": "Avance", "acompte": "Acompte", "solde": "Solde"}


@dataclass(frozen=True, slots=True)
class LignePaiement:
    """A payment and who did what of it; amounts are cents.

    ``fse_du`` and ``paye_avant`` are what its last order, or its preparation, was made on; ``le``
    and ``position`` are those of its last fact.
    """

    id: UUID
    operation_id: UUID
    numero_mdfse: str
    numero_convention: str | None
    intitule: str
    beneficiaire: str
    plie_id: str
    plie_nom: str
    type: TypePaiement
    statut: StatutPaiement
    montant: int
    compense: int
    csf_id: UUID | None
    bilan_numero: int | None
    fse_du: int | None
    paye_avant: int | None
    avances_avant: int
    prepare_par: str | None
    prepare_le: date | None
    prepare_position: int | None
    ordonnance_par: str | None
    ordonnance_le: date | None
    ordonnance_position: int | None
    effectue_le: date | None
    effectue_position: int | None
    reference: str | None
    iban_masque: str | None
    acquitte_le: date | None
    acquitte_position: int | None
    rejete_le: date | None
    rejete_position: int | None
    motif: str | None
    remplace: UUID | None
    remplace_depuis: bool
    le: date
    position: int
    cle: str  #: the sort key, as text

    @property
    def statut_libelle(self) -> str:
        """The state as people say it."""
        return STATUTS[self.statut]

    @property
    def type_libelle(self) -> str:
        """The kind as people say it."""
        return TYPES[self.type]

    @property
    def a_virer(self) -> int:
        """What a transfer still has to carry, or carried."""
        return self.montant - self.compense


_NOMS = (
    "convention.paiement_prepare.v1",
    "convention.paiement_ordonnance.v1",
    "convention.paiement_annule.v1",
    "convention.paiement_effectue.v1",
    "convention.paiement_acquitte.v1",
    "convention.paiement_rejete.v1",
    "convention.compensation_imputee.v1",
)

#: The dossiers that `conventions_lues` chose, with the stream of the convention of each.
DOSSIERS = sql.SQL(
    """
    dossier AS (
        SELECT
            c.stream_id, o.id AS operation_id, o.numero_mdfse, o.numero_convention, o.intitule,
            o.siret, o.beneficiaire, o.plie_id, coalesce(p.nom, o.plie_id) AS plie_nom
        FROM unnest(%(operations)s::uuid[], %(conventions)s::uuid[]) AS c (operation_id, stream_id)
        INNER JOIN projection.operation AS o ON c.operation_id = o.id
        LEFT JOIN projection.plie AS p ON o.sg_id = p.sg_id AND o.plie_id = p.plie_id
    )
    """
)


def conventions_lues(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID | None = None
) -> dict[str, Any]:
    """Return the parameters of `DOSSIERS`: the operations that have a convention, and its stream.

    ``flux`` bounds what is read of the log, where the dossiers are not all those of the OI.
    """
    rows = conn.execute(
        """
        SELECT o.id FROM projection.operation AS o
        WHERE o.numero_convention IS NOT NULL
            AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
            AND (%(operation)s::uuid IS NULL OR o.id = %(operation)s)
        """,
        {"plies": perimetre.liste, "operation": operation_id},
    ).fetchall()
    operations = [row[0] for row in rows]
    conventions = [convention_of(i) for i in operations]
    partout = perimetre.plie_ids is None and operation_id is None
    return {
        "operations": operations,
        "conventions": conventions,
        "flux": None if partout else conventions,
    }


#: Every payment that the perimeter holds, where its facts leave it: what lists filter and sort by.
_PAIEMENTS = sql.SQL(
    """
    WITH {dossiers},

    suivi AS (
        SELECT
            e.stream_id,
            (e.data ->> 'paiement_id')::uuid AS id,
            CASE
                WHEN bool_or(f.acte = 'paiement_annule') THEN 'annule'
                WHEN bool_or(f.acte = 'paiement_rejete') THEN 'rejete'
                WHEN bool_or(f.acte = 'paiement_acquitte') THEN 'acquitte'
                WHEN bool_or(f.acte = 'paiement_effectue') THEN 'effectue'
                WHEN bool_or(f.acte = 'paiement_ordonnance') THEN 'ordonnance'
                ELSE 'prepare'
            END AS statut,
            -- Said by each fact that makes it: a transfer may count before its order.
            max((e.data ->> 'montant_centimes')::bigint) FILTER (
                WHERE f.acte IN ('paiement_prepare', 'paiement_ordonnance', 'paiement_effectue')
            ) AS montant,
            max(e.data ->> 'type') AS type,
            max(e.data ->> 'remplace') AS remplace,
            max(e.data ->> 'ref_virement') AS reference,
            max(e.date_effet) AS le,
            max(e.position) AS position
        FROM oi.event AS e, LATERAL (SELECT split_part(e.name, '.', 2) AS acte) AS f
        WHERE e.name = ANY(%(noms)s)
            AND (%(flux)s::uuid[] IS NULL OR e.stream_id = ANY(%(flux)s))
            AND e.position <= %(connu_le)s AND e.date_effet <= %(effet_au)s
        GROUP BY e.stream_id, e.data ->> 'paiement_id'
    ),

    paiement AS MATERIALIZED (
        SELECT
            s.*, o.operation_id, o.numero_mdfse, o.numero_convention, o.intitule, o.siret,
            o.beneficiaire, o.plie_id, o.plie_nom
        FROM suivi AS s INNER JOIN dossier AS o ON s.stream_id = o.stream_id
        WHERE s.montant IS NOT NULL
    )
    """
).format(dossiers=DOSSIERS)

#: All that the facts of one payment say. One kind of fact comes at most once, but compensations.
_FAITS = sql.SQL(
    """
    SELECT
        -- What was ordered, else prepared; what was sent, when the order counts later.
        (array_agg(f.data ORDER BY f.acte = 'paiement_effectue', f.position DESC) FILTER (
            WHERE f.acte IN (
                'paiement_prepare', 'paiement_ordonnance', 'paiement_effectue')))[1] AS base,
        max(f.position) FILTER (
            WHERE f.acte IN ('paiement_prepare', 'paiement_ordonnance')) AS base_position,
        coalesce(sum((f.data ->> 'montant_centimes')::bigint) FILTER (
            WHERE f.acte = 'compensation_imputee'), 0)::bigint AS compense,
        max(f.acteur) FILTER (WHERE f.acte = 'paiement_prepare') AS prepare_par,
        max(f.date_effet) FILTER (WHERE f.acte = 'paiement_prepare') AS prepare_le,
        max(f.position) FILTER (WHERE f.acte = 'paiement_prepare') AS prepare_position,
        max(f.acteur) FILTER (WHERE f.acte = 'paiement_ordonnance') AS ordonnance_par,
        max(f.date_effet) FILTER (WHERE f.acte = 'paiement_ordonnance') AS ordonnance_le,
        max(f.position) FILTER (WHERE f.acte = 'paiement_ordonnance') AS ordonnance_position,
        max(f.date_effet) FILTER (WHERE f.acte = 'paiement_effectue') AS effectue_le,
        max(f.position) FILTER (WHERE f.acte = 'paiement_effectue') AS effectue_position,
        max(f.data ->> 'iban_masque') AS iban_masque,
        max(f.date_effet) FILTER (WHERE f.acte = 'paiement_acquitte') AS acquitte_le,
        max(f.position) FILTER (WHERE f.acte = 'paiement_acquitte') AS acquitte_position,
        max(f.date_effet) FILTER (WHERE f.acte = 'paiement_rejete') AS rejete_le,
        max(f.position) FILTER (WHERE f.acte = 'paiement_rejete') AS rejete_position,
        max(f.motif) FILTER (WHERE f.acte IN ('paiement_rejete', 'paiement_annule')) AS motif
    FROM (
        SELECT
            e.position, e.date_effet, e.acteur, e.motif, e.data,
            split_part(e.name, '.', 2) AS acte
        FROM oi.event AS e
        WHERE e.stream_id = p.stream_id AND e.name = ANY(%(noms)s)
            AND e.data ->> 'paiement_id' = p.id::text
            AND e.position <= %(connu_le)s AND e.date_effet <= %(effet_au)s
    ) AS f
    """
)


def paiements(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation = ACTUELLE,
    *,
    statuts: Sequence[StatutPaiement] = (),
    plie: str | None = None,
    type_paiement: TypePaiement | None = None,
    recherche: str | None = None,
    operation_id: UUID | None = None,
    siret: str | None = None,
    tri: Tri = "le",
    ordre: Ordre = "desc",
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Page[LignePaiement]:
    """Return the payments that pass every filter, as the situation knows them.

    ``siret`` keeps those of a beneficiary. ``recherche`` looks for a text in the numbers, the
    beneficiary and the reference of the transfer. Raises: CurseurInvalide.
    """
    liste = f"paiements {tri} {ordre}"
    cle, position = lire(apres, liste, str, int)
    croissant = ordre == "asc"
    query = sql.SQL(
        """
        {paiements},

        page AS (
            SELECT c.* FROM (
                SELECT
                    p.*,
                    CASE %(tri)s::text
                        WHEN 'le' THEN to_char(p.le, 'YYYYMMDD')
                        WHEN 'montant' THEN to_char(p.montant, 'FM000000000000000000')
                        WHEN 'beneficiaire' THEN lower(p.beneficiaire)
                        ELSE p.numero_mdfse
                    END AS cle
                FROM paiement AS p
                WHERE (%(statuts)s::text[] IS NULL OR p.statut = ANY(%(statuts)s))
                    AND (%(plie)s::text IS NULL OR p.plie_id = %(plie)s)
                    AND (%(type)s::text IS NULL OR p.type = %(type)s)
                    AND (%(siret)s::text IS NULL OR p.siret = %(siret)s)
                    AND (%(recherche)s::text IS NULL OR strpos(
                        lower(concat_ws(' ', p.numero_mdfse, p.numero_convention, p.beneficiaire,
                            p.reference)),
                        lower(%(recherche)s)) > 0)
            ) AS c
            WHERE %(cle)s::text IS NULL
                OR (c.cle, c.position) {au_dela} (%(cle)s::text, %(position)s::bigint)
            ORDER BY c.cle {sens}, c.position {sens}
            LIMIT %(limite)s
        )

        SELECT
            p.id, p.operation_id, p.numero_mdfse, p.numero_convention, p.intitule, p.beneficiaire,
            p.plie_id, p.plie_nom, p.type, p.statut, p.montant, f.compense,
            (f.base ->> 'csf_id')::uuid AS csf_id, b.numero AS bilan_numero,
            (f.base ->> 'fse_du_cumule_centimes')::bigint AS fse_du,
            (f.base ->> 'paye_avant_centimes')::bigint AS paye_avant,
            a.avances AS avances_avant,
            f.prepare_par, f.prepare_le, f.prepare_position, f.ordonnance_par, f.ordonnance_le,
            f.ordonnance_position, f.effectue_le, f.effectue_position, p.reference, f.iban_masque,
            f.acquitte_le, f.acquitte_position, f.rejete_le, f.rejete_position, f.motif,
            p.remplace::uuid AS remplace,
            p.statut = 'rejete' AND EXISTS (
                SELECT FROM paiement AS q
                WHERE q.stream_id = p.stream_id AND q.remplace = p.id::text
                    AND q.statut NOT IN ('annule', 'rejete')
            ) AS remplace_depuis,
            p.le, p.position, p.cle
        FROM page AS p
        CROSS JOIN LATERAL ({faits}) AS f
        LEFT JOIN LATERAL (
            SELECT (d.data ->> 'numero')::integer AS numero
            FROM oi.event AS v INNER JOIN oi.event AS d
                ON v.stream_id = d.stream_id AND v.data ->> 'bilan_id' = d.data ->> 'bilan_id'
            WHERE v.stream_id = p.stream_id AND v.name = 'convention.csf_valide.v1'
                AND v.data ->> 'csf_id' = f.base ->> 'csf_id'
                AND d.name = 'convention.bilan_depose.v1'
            LIMIT 1
        ) AS b ON true
        CROSS JOIN LATERAL (
            SELECT coalesce(sum((v.data ->> 'montant_centimes')::bigint), 0)::bigint AS avances
            FROM oi.event AS v
            WHERE v.stream_id = p.stream_id AND v.name = 'convention.paiement_effectue.v1'
                AND v.data ->> 'type' = 'avance' AND v.position < f.base_position
                AND NOT EXISTS (
                    SELECT FROM oi.event AS x
                    WHERE x.stream_id = p.stream_id AND x.position < f.base_position
                        AND x.name = 'convention.paiement_rejete.v1'
                        AND x.data ->> 'paiement_id' = v.data ->> 'paiement_id')
        ) AS a
        ORDER BY p.cle {sens}, p.position {sens}
        """
    ).format(
        paiements=_PAIEMENTS,
        faits=_FAITS,
        au_dela=sql.SQL(">" if croissant else "<"),
        sens=sql.SQL("ASC" if croissant else "DESC"),
    )
    parameters = {
        "noms": list(_NOMS),
        **situation.parametres,
        "statuts": list(statuts) or None,
        "plie": plie,
        "type": type_paiement,
        "siret": siret,
        "recherche": recherche,
        "tri": tri,
        "cle": cle,
        "position": position,
        "limite": limite + 1,
    }
    with instantane(conn):
        parameters |= conventions_lues(conn, perimetre, operation_id)
        cursor = conn.cursor(row_factory=class_row(LignePaiement))
        rows = cursor.execute(query, parameters).fetchall()
    return paginer(rows, limite, liste, lambda p: (p.cle, p.position))


def paiement(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID, paiement_id: UUID
) -> LignePaiement | None:
    """Return one payment of an operation, as it stands."""
    siens = paiements(conn, perimetre, operation_id=operation_id, limite=LIMITE_MAXIMALE)
    return next((p for p in siens.lignes if p.id == paiement_id), None)


def dernier_iban(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID
) -> str | None:
    """Return the masked account of the last transfer to an operation, if there was one."""
    siens = paiements(conn, perimetre, operation_id=operation_id, limite=LIMITE_MAXIMALE)
    vires = [p for p in siens.lignes if p.iban_masque and p.statut != "rejete"]
    return max(vires, key=lambda p: p.effectue_position or 0).iban_masque if vires else None


@dataclass(frozen=True, slots=True)
class Nombre:
    """How many payments, and their sum in cents."""

    nombre: int = 0
    montant: int = 0


def nombres_par_statut(
    conn: Connection[TupleRow], perimetre: Perimetre, situation: Situation = ACTUELLE
) -> dict[str, Nombre]:
    """Return how many payments stand in each state, and what they add up to."""
    query = sql.SQL(
        """
        {paiements}

        SELECT p.statut, count(*), sum(p.montant)::bigint FROM paiement AS p GROUP BY p.statut
        """
    ).format(paiements=_PAIEMENTS)
    with instantane(conn):
        choisies = conventions_lues(conn, perimetre)
        rows = conn.execute(query, {"noms": list(_NOMS), **choisies, **situation.parametres})
        found = rows.fetchall()
    return {statut: Nombre(nombre, montant) for statut, nombre, montant in found}


def position(conn: Connection[TupleRow], situation: Situation = ACTUELLE) -> int:
    """Return the last event of the log that a situation counts."""
    row = conn.execute(
        "SELECT least(h.position, %(connu_le)s) FROM oi.head AS h", situation.parametres
    ).fetchone()
    assert row is not None
    return int(row[0])


def dossier(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID
) -> tuple[str, str]:
    """Return the number and the beneficiary of an operation.

    Raises: OperationAbsente.
    """
    row = conn.execute(
        "SELECT o.numero_mdfse, o.beneficiaire FROM projection.operation AS o "
        "WHERE o.id = %(id)s AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))",
        {"id": operation_id, "plies": perimetre.liste},
    ).fetchone()
    if row is None:
        raise OperationAbsente(id=operation_id)
    return row[0], row[1]


def operation_du_numero(conn: Connection[TupleRow], perimetre: Perimetre, numero: str) -> UUID:
    """Return the identifier of a dossier.

    Raises: OperationAbsente.
    """
    row = conn.execute(
        "SELECT o.id FROM projection.operation AS o WHERE o.numero_mdfse = %(numero)s "
        "AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))",
        {"numero": numero, "plies": perimetre.liste},
    ).fetchone()
    if row is None:
        raise OperationAbsente(id=numero)
    found: UUID = row[0]
    return found


def plies(conn: Connection[TupleRow], perimetre: Perimetre) -> tuple[tuple[str, str], ...]:
    """Return the PLIE of the perimeter, by code and name, to choose from."""
    rows = conn.execute(
        """
        SELECT DISTINCT ON (p.nom, p.plie_id) p.plie_id, p.nom FROM projection.plie AS p
        WHERE %(plies)s::text[] IS NULL OR p.plie_id = ANY(%(plies)s)
        ORDER BY p.nom, p.plie_id
        """,
        {"plies": perimetre.liste},
    )
    return tuple((code, nom) for code, nom in rows.fetchall())


# --- What is due and not prepared ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ARefaire:
    """A payment that the bank sent back, and that no other one replaced."""

    paiement_id: UUID
    type: TypePaiement
    montant: int
    csf_id: UUID | None


@dataclass(frozen=True, slots=True)
class Terme:
    """A part of a sum, with its sign; in cents."""

    code: Literal[
        "fse_du", "retenu_jusqu_au_solde", "avances", "verse", "en_cours", "avance_au_solde"
    ]
    montant: int


@dataclass(frozen=True, slots=True)
class APreparer:
    """An operation to which something is due; ``termes`` add up to ``montant``, in cents.

    ``csf_id`` is the control that founds the payment, and ``type`` the kind of payment.
    """

    operation_id: UUID
    numero_mdfse: str
    numero_convention: str | None
    intitule: str
    beneficiaire: str
    plie_id: str
    plie_nom: str
    type: TypePaiement
    csf_id: UUID
    csf_version: int
    bilan_id: UUID
    bilan_numero: int
    valide_le: date
    valide_par: str
    position: int  #: of the validation
    termes: tuple[Terme, ...]
    montant: int
    a_refaire: tuple[ARefaire, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    id: UUID
    numero_mdfse: str
    numero_convention: str | None
    intitule: str
    beneficiaire: str
    plie_id: str
    plie_nom: str


def a_preparer(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation = ACTUELLE,
    *,
    operation_id: UUID | None = None,
) -> tuple[APreparer, ...]:
    """Return what is due after a valid control and not prepared yet, the oldest control first.

    Conventions to which nothing can be due are left out by their sums; those that stay are folded
    and settled by the rule that decisions follow.
    """
    with instantane(conn):
        candidates = (
            conn.cursor(row_factory=class_row(_Candidate))
            .execute(
                """
                SELECT
                    o.id, o.numero_mdfse, o.numero_convention, o.intitule, o.beneficiaire,
                    o.plie_id, coalesce(p.nom, o.plie_id) AS plie_nom
                FROM projection.operation AS o
                LEFT JOIN projection.plie AS p ON o.sg_id = p.sg_id AND o.plie_id = p.plie_id
                CROSS JOIN LATERAL (
                    SELECT
                        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_retenu_csf'), 0)
                        - coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_paye'), 0)
                        AS reste
                    FROM projection.mouvement AS m
                    WHERE m.operation_id = o.id AND m.mesure IN ('fse_retenu_csf', 'fse_paye')
                        AND m.position <= %(connu_le)s AND m.date_effet <= %(effet_au)s
                ) AS s
                WHERE o.numero_convention IS NOT NULL AND s.reste > 0
                    AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
                    AND (%(operation)s::uuid IS NULL OR o.id = %(operation)s)
                """,
                {"plies": perimetre.liste, "operation": operation_id, **situation.parametres},
            )
            .fetchall()
        )
        flux = [f for c in candidates for f in (c.id, convention_of(c.id))]
        lus = lire_flux(conn, perimetre, flux, situation)
    trouves = (
        _du(candidate, lus.get(candidate.id, []), lus.get(convention_of(candidate.id), []))
        for candidate in candidates
    )
    return tuple(
        sorted((t for t in trouves if t is not None), key=lambda t: (t.valide_le, t.numero_mdfse))
    )


#: States of an operation in which nothing waits for a solde any more.
_REGLEES = frozenset(("abandonne", "resilie", "solde", "cloture", "archive"))


def _du(
    candidate: _Candidate, operation: Sequence[EvenementLu], lus: Sequence[EvenementLu]
) -> APreparer | None:
    convention = CONVENTION.replay(lu.fait for lu in lus)
    dossier = OPERATION.replay(lu.fait for lu in operation)
    if convention is None or dossier is None:
        return None
    bilan = _fondement(convention)
    if bilan is None or bilan.csf is None:
        return None
    validation = next(
        lu
        for lu in reversed(lus)
        if isinstance(fait := lu.fait, CsfValide) and fait.csf_id == bilan.csf.csf_id
    )
    termes = _termes(convention, final=bilan.type == "final" or dossier.statut in _REGLEES)
    montant = sum(t.montant for t in termes)
    if montant == 0:
        return None
    return APreparer(
        operation_id=candidate.id,
        numero_mdfse=candidate.numero_mdfse,
        numero_convention=candidate.numero_convention,
        intitule=candidate.intitule,
        beneficiaire=candidate.beneficiaire,
        plie_id=candidate.plie_id,
        plie_nom=candidate.plie_nom,
        type="solde" if bilan.type == "final" else "acompte",
        csf_id=bilan.csf.csf_id,
        csf_version=bilan.csf.version,
        bilan_id=bilan.bilan_id,
        bilan_numero=bilan.numero,
        valide_le=validation.date_effet,
        valide_par=validation.acteur,
        position=validation.position,
        termes=termes,
        montant=montant,
        a_refaire=_a_refaire(convention),
    )


def _fondement(convention: Convention) -> Bilan | None:
    """Return the bilan whose control founds the next payment: the final one, else the last one."""
    controles = [b for b in convention.bilans.values() if b.statut == "controle"]
    return max(controles, key=lambda b: (b.type == "final", b.numero), default=None)


def _termes(convention: Convention, *, final: bool) -> tuple[Terme, ...]:
    """Say what is to pay as a sum. What is prepared or ordered already is about to leave."""
    avances = [p for p in convention.paiements.values() if p.type == "avance"]
    regle = a_regler(
        convention.fse_du,
        Versements(net_centimes=convention.engage, avances_centimes=sum(p.engage for p in avances)),
        final=final,
        plafond_avant_solde=plafond_avant_solde(
            convention.fse_max, convention.parametres.plafond_avant_solde_pct, convention.arrondi
        ),
        imputation=convention.parametres.imputation_avance,
    )
    if regle.a_payer_centimes == 0:
        return ()
    avance = sum(p.paye for p in avances)
    termes = (
        Terme("fse_du", convention.fse_du),
        Terme("retenu_jusqu_au_solde", -regle.retenu_jusqu_au_solde_centimes),
        Terme("avances", -avance),
        Terme("verse", avance - convention.paye),
        Terme("en_cours", convention.paye - convention.engage),
    )
    # What the sum lacks is the avance, when the convention sets it against the solde only.
    reste = regle.a_payer_centimes - sum(t.montant for t in termes)
    return tuple(t for t in (*termes, Terme("avance_au_solde", reste)) if t.montant)


def _a_refaire(convention: Convention) -> tuple[ARefaire, ...]:
    remplaces = {
        p.remplace for p in convention.paiements.values() if p.statut not in {"annule", "rejete"}
    }
    return tuple(
        ARefaire(i, p.type, _renvoye(p), p.csf_id)
        for i, p in convention.paiements.items()
        if p.statut == "rejete" and i not in remplaces
    )


def _renvoye(paiement: Paiement) -> int:
    return paiement.montant - paiement.compense


def plafond_avance(conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID) -> int:
    """Return the largest avance that can still be prepared, in cents; zero when there is none."""
    convention_id = convention_of(operation_id)
    lus = lire_flux(conn, perimetre, [convention_id]).get(convention_id, [])
    convention = CONVENTION.replay(lu.fait for lu in lus)
    if convention is None or convention.engage or convention.bilan_final is not None:
        return 0
    return regles.plafond_avance(
        convention.fse_max,
        convention.parametres.avance_pct,
        convention.parametres.avance_plafond_centimes,
        convention.arrondi,
    )
