"""What stands beside the figures of the maquette: its months, its targets, what waits, its proof.

Everything here is read in a few queries, whatever the size of the log: a page opens with it. Plans,
coverage and transfers, which follow every dossier, are asked apart.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from aggregates.operation.state import Statut
from oi_service.dates import fin_de_trimestre
from oi_service.ids import convention_of
from projections import degagement, levier, previsions
from projections.degagement import LigneExposee
from projections.instantane import instantane
from projections.levier import Levier
from projections.maquette import Maquette
from projections.perimetre import Perimetre
from projections.previsions import Previsions
from projections.situation import Situation
from rules.delai_paiement import delai_paiement

#: What is drawn month by month: what controls retained, and what the State certified of it.
MesureSuivie = Literal["fse_retenu_csf", "fse_certifie"]
MESURES_SUIVIES: tuple[MesureSuivie, ...] = ("fse_retenu_csf", "fse_certifie")

#: States in which nothing waits for a control any more.
_REGLES: tuple[Statut, ...] = (
    "solde",
    "cloture",
    "archive",
    "deprogramme",
    "refuse",
    "irrecevable",
)


@dataclass(frozen=True, slots=True)
class Mois:
    """What a month added to a measure of a PLIE, in cents."""

    plie_id: str
    mesure: MesureSuivie
    premier: date  #: first day of the month
    centimes: int


@dataclass(frozen=True, slots=True)
class BilanAControler:
    """A bilan whose contrôle de service fait is not validated, as seen on a day; cents."""

    operation_id: UUID
    numero_mdfse: str
    beneficiaire: str
    plie_id: str
    plie_nom: str
    bilan_id: UUID
    numero: int
    type: str
    depose_le: date
    declare: int
    jours: int
    delai_jours: int  #: by which the beneficiary must be paid

    @property
    def en_retard(self) -> bool:
        """Tell whether its beneficiary should have been paid already."""
        return self.jours > self.delai_jours


@dataclass(frozen=True, slots=True)
class Preuve:
    """The last time that the log was verified, or put out of reach by a signed point of it."""

    nature: Literal["verification", "ancre"]
    le: datetime
    evenements: int  #: how many events it covers
    empreinte: str | None  #: the root of the signed point, in base64
    intacte: bool


@dataclass(frozen=True, slots=True)
class Seuil:
    """A target of certification, what is certified of it, and what is foreseen; cents."""

    ligne: LigneExposee
    #: Certified and foreseen to be by the deadline; ``None`` when nobody foresees anything.
    prevu: int | None
    prevoyants: int  #: how many PLIE foresee something

    @property
    def plie_id(self) -> str | None:
        """Whose target it is; the whole OI's when ``None``."""
        return self.ligne.objectif.plie_id

    @property
    def entier(self) -> bool:
        """Tell whether it is about all the money of the OI or of a PLIE."""
        vise = self.ligne.objectif
        return vise.axe is None and vise.objectif_specifique is None

    @property
    def date_limite(self) -> date:
        """Its last day."""
        return self.ligne.objectif.date_limite

    @property
    def a_certifier(self) -> int:
        """What payment applications must reach: what prefinancing covers is deduced."""
        return self.ligne.objectif.montant_cumule - self.ligne.objectif.prefinancements

    @property
    def manque(self) -> int:
        """What is missing today."""
        return self.ligne.exposition

    @property
    def manque_prevu(self) -> int:
        """What would still be missing if what is foreseen came true."""
        return self.manque if self.prevu is None else max(0, self.a_certifier - self.prevu)


@dataclass(frozen=True, slots=True)
class TableauDeBord:
    """What a page of figures shows beside them, at the same dates."""

    le: date
    mois: tuple[Mois, ...]
    seuils: tuple[Seuil, ...]
    previsions: Previsions
    levier: Levier
    a_controler: tuple[BilanAControler, ...]
    preuve: Preuve | None


def tableau_de_bord(
    conn: Connection[TupleRow], perimetre: Perimetre, maquette: Maquette, *, le: date
) -> TableauDeBord:
    """Return what stands beside a maquette, in its situation, seen from the day ``le``."""
    sg, situation = maquette.subvention_globale_id, maquette.situation
    with instantane(conn):
        prevues = previsions.charger(conn, perimetre, sg, situation, le=le)
        lignes = degagement.seuils(conn, perimetre, sg, maquette.reglement, situation, le=le)
        return TableauDeBord(
            le=le,
            mois=_mois(conn, perimetre, sg, situation),
            seuils=tuple(_seuil(ligne, prevues, le) for ligne in lignes),
            previsions=prevues,
            levier=levier.levier(conn, perimetre, situation, subventions=[sg]),
            a_controler=bilans_a_controler(conn, perimetre, sg, maquette.reglement, situation, le),
            preuve=derniere_preuve(conn, perimetre, situation),
        )


# --- Months --------------------------------------------------------------------------------------


def _mois(
    conn: Connection[TupleRow], perimetre: Perimetre, subvention_id: UUID, situation: Situation
) -> tuple[Mois, ...]:
    return tuple(
        conn.cursor(row_factory=class_row(Mois))
        .execute(
            """
            SELECT
                plie_id, mesure, date_trunc('month', date_effet)::date AS premier,
                sum(centimes)::bigint AS centimes
            FROM projection.mouvement
            WHERE sg_id = %(sg)s AND mesure = ANY(%(mesures)s)
                AND (%(plies)s::text[] IS NULL OR plie_id = ANY(%(plies)s))
                AND position <= %(connu_le)s AND date_effet <= %(effet_au)s
            GROUP BY plie_id, mesure, premier
            HAVING sum(centimes) <> 0
            ORDER BY premier, mesure, plie_id
            """,
            {
                "sg": subvention_id,
                "mesures": list(MESURES_SUIVIES),
                "plies": perimetre.liste,
                **situation.parametres,
            },
        )
        .fetchall()
    )


def cumuls(mois: Iterable[Mois], mesure: MesureSuivie) -> list[tuple[date, int]]:
    """Return what a measure came to at the end of each month, from the first to the last moved."""
    par_mois: dict[date, int] = defaultdict(int)
    for un in mois:
        if un.mesure == mesure:
            par_mois[un.premier] += un.centimes
    if not par_mois:
        return []
    found, somme, premier = [], 0, min(par_mois)
    while premier <= max(par_mois):
        suivant = date(premier.year + premier.month // 12, premier.month % 12 + 1, 1)
        somme += par_mois.get(premier, 0)
        found.append((suivant - timedelta(days=1), somme))
        premier = suivant
    return found


# --- Targets -------------------------------------------------------------------------------------


def _seuil(ligne: LigneExposee, prevues: Previsions, le: date) -> Seuil:
    vise = ligne.objectif
    if vise.axe is not None or vise.objectif_specifique is not None or vise.date_limite < le:
        # A forecast is of a whole PLIE, and of days to come.
        return Seuil(ligne, None, 0)
    suites = [
        suite
        for suite in prevues.suites
        if suite.mesure == "fse_certifie" and vise.plie_id in {None, suite.plie_id}
    ]
    attendu = sum(reste for _, reste in a_venir(suites, vise.date_limite))
    return Seuil(ligne, ligne.certifie + attendu if suites else None, len(suites))


def a_venir(
    suites: Iterable[previsions.Suite], jusqu_au: date | None = None
) -> list[tuple[date, int]]:
    """Return what each quarter to come should still add, by its last day.

    Of the quarter that runs, what already came is deduced.
    """
    found: dict[date, int] = defaultdict(int)
    for suite in suites:
        for t in suite.trimestres:
            fin = fin_de_trimestre(t.annee, t.numero)
            if t.etat == "revolu" or (jusqu_au is not None and fin > jusqu_au):
                continue
            found[fin] += max(0, (t.prevu or 0) - t.realise)
    return sorted(found.items())


# --- What waits for a control --------------------------------------------------------------------


def bilans_a_controler(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    subvention_id: UUID,
    reglement: str,
    situation: Situation,
    le: date,
) -> tuple[BilanAControler, ...]:
    """Return the bilans that were filed and whose control is not validated, the oldest first."""
    dossiers = _dossiers_ouverts(conn, perimetre, subvention_id, situation)
    found = [
        BilanAControler(
            **dossier,
            bilan_id=bilan_id,
            numero=numero,
            type=nature,
            depose_le=depose_le,
            declare=declare,
            jours=(le - depose_le).days,
            delai_jours=delai_paiement(depose_le, reglement),
        )
        for convention_id, bilan_id, numero, nature, depose_le, declare in _non_controles(
            conn, list(dossiers), situation
        )
        for dossier in (dossiers[convention_id],)
    ]
    return tuple(sorted(found, key=lambda b: (b.depose_le, b.numero_mdfse, b.numero)))


def _dossiers_ouverts(
    conn: Connection[TupleRow], perimetre: Perimetre, subvention_id: UUID, situation: Situation
) -> dict[UUID, Mapping[str, Any]]:
    """Return the operations under convention that may have something to control, by convention.

    States are kept as they are now: for the past, all of them are looked at.
    """
    rows = conn.execute(
        """
        SELECT o.id, o.numero_mdfse, o.beneficiaire, o.plie_id, coalesce(p.nom, o.plie_id)
        FROM projection.operation AS o
        LEFT JOIN projection.plie AS p ON o.sg_id = p.sg_id AND o.plie_id = p.plie_id
        WHERE o.sg_id = %(sg)s AND o.numero_convention IS NOT NULL
            AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
            AND (%(passe)s OR o.statut <> ALL(%(regles)s))
        """,
        {
            "sg": subvention_id,
            "plies": perimetre.liste,
            "passe": not situation.actuelle,
            "regles": list(_REGLES),
        },
    )
    return {
        convention_of(identity): {
            "operation_id": identity,
            "numero_mdfse": numero,
            "beneficiaire": beneficiaire,
            "plie_id": plie_id,
            "plie_nom": nom,
        }
        for identity, numero, beneficiaire, plie_id, nom in rows
    }


def _non_controles(
    conn: Connection[TupleRow], conventions: Collection[UUID], situation: Situation
) -> Sequence[TupleRow]:
    return conn.execute(
        """
        SELECT
            e.stream_id, (e.data ->> 'bilan_id')::uuid, (e.data ->> 'numero')::integer,
            e.data ->> 'type', e.date_effet, (e.data ->> 'fse_declare_centimes')::bigint
        FROM unnest(%(conventions)s::uuid[]) AS c (id)
        -- One convention after the other: the log holds the bilans of a whole country.
        CROSS JOIN LATERAL (
            SELECT x.stream_id, x.data, x.date_effet
            FROM oi.event AS x
            WHERE x.stream_id = c.id AND x.name = 'convention.bilan_depose.v1'
                AND x.position <= %(connu_le)s AND x.date_effet <= %(effet_au)s
            OFFSET 0
        ) AS e
        WHERE NOT EXISTS (
            SELECT FROM oi.event AS f
            WHERE f.stream_id = e.stream_id
                AND f.position <= %(connu_le)s AND f.date_effet <= %(effet_au)s
                AND (
                    (f.name IN ('convention.bilan_renvoye.v1', 'convention.csf_valide.v1')
                        AND f.data ->> 'bilan_id' = e.data ->> 'bilan_id')
                    OR f.name = 'convention.cloture_office_prononcee.v1'))
        """,
        {"conventions": list(conventions), **situation.parametres},
    ).fetchall()


# --- Proof ---------------------------------------------------------------------------------------

_PREUVES = ("registre.livres_verifies.v1", "registre.journal_ancre.v1")


def derniere_preuve(
    conn: Connection[TupleRow], perimetre: Perimetre, situation: Situation
) -> Preuve | None:
    """Return the last verification of the log, or its last anchor when that is later.

    Only who sees the whole log sees them: they are of no PLIE, and tell how much was recorded.
    """
    if perimetre.plie_ids is not None:
        return None
    row = conn.execute(
        """
        SELECT
            e.name, e.enregistre_le,
            coalesce((e.data ->> 'jusqua_position')::bigint, (e.data ->> 'taille')::bigint),
            e.data ->> 'racine', (e.data @? '$.points[*] ? (@.ecarts > 0)') IS NOT TRUE
        FROM unnest(%(preuves)s::text[]) AS p (name)
        CROSS JOIN LATERAL (
            SELECT x.name, x.position, x.enregistre_le, x.data
            FROM oi.event AS x
            WHERE x.name = p.name AND x.position <= %(connu_le)s
            ORDER BY x.position DESC
            LIMIT 1
        ) AS e
        ORDER BY e.position DESC
        LIMIT 1
        """,
        {"preuves": list(_PREUVES), "connu_le": situation.parametres["connu_le"]},
    ).fetchone()
    if row is None:
        return None
    name, le, evenements, empreinte, intacte = row
    nature: Literal["verification", "ancre"] = "verification" if name == _PREUVES[0] else "ancre"
    return Preuve(nature, le, evenements, empreinte, intacte)
