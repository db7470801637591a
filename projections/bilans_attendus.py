"""Which bilans the conventions expect: awaited, late, asked for, filed, or closed without them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, cast
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from aggregates.operation.state import LIBELLES, Statut
from projections.curseurs import LIMITE_PAR_DEFAUT, Page, lire, paginer
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation

EtatBilan = Literal["attendu", "en_retard", "reclame", "depose", "clos_office", "sans_objet"]
#: States of a bilan that has not come, and that somebody waits for.
EtatAttendu = Literal["attendu", "en_retard", "reclame"]

ETATS: Mapping[str, str] = {
    "attendu": "attendu",
    "en_retard": "en retard",
    "reclame": "réclamé",
    "depose": "déposé",
    "clos_office": "clos d’office",
    "sans_objet": "sans objet",
}


@dataclass(frozen=True, slots=True)
class BilanAttendu:
    """A bilan of a convention in force, and where it stands on the day ``le``.

    ``sans_objet``: it never came, and the final bilan or the solde made it useless. ``statut`` is
    the state of the operation now.
    """

    le: date
    operation_id: UUID
    numero_mdfse: str
    numero_convention: str
    beneficiaire: str
    plie_id: str
    plie_nom: str
    intitule: str
    statut: str
    numero: int
    type: str
    date_limite: date
    etat: EtatBilan
    bilan_id: UUID | None
    depose_le: date | None
    reclame_le: date | None
    reponse_jusqu_au: date | None
    clos_le: date | None

    @property
    def etat_libelle(self) -> str:
        """The state as people say it."""
        return ETATS[self.etat]

    @property
    def statut_libelle(self) -> str:
        """The state of the operation as people say it."""
        return LIBELLES[cast("Statut", self.statut)]

    @property
    def jours_de_retard(self) -> int:
        """Days past the limit, up to the filing or to the day ``le``; 0 when nobody waits."""
        if self.etat in {"clos_office", "sans_objet"}:
            return 0
        return max(0, ((self.depose_le or self.le) - self.date_limite).days)

    @property
    def reponse_depassee(self) -> bool:
        """Whether it was asked for in vain: the dossier may be closed without it."""
        limite = self.reponse_jusqu_au
        return self.etat == "reclame" and limite is not None and self.le > limite


def bilans_attendus(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    *,
    le: date,
    etat: EtatAttendu | None = None,
    plie: str | None = None,
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Page[BilanAttendu]:
    """Return the bilans that have not come on the day ``le``, by the day they are expected."""
    depuis = lire(apres, "bilans attendus", str, str, int)
    rows = _etats(
        conn,
        perimetre,
        le=le,
        etats=["attendu", "en_retard", "reclame"] if etat is None else [etat],
        plie=plie,
        depuis=depuis,
        limite=limite + 1,
    )
    return paginer(
        rows,
        limite,
        "bilans attendus",
        lambda b: (b.date_limite.isoformat(), b.numero_mdfse, b.numero),
    )


def bilans_de_la_convention(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    operation_id: UUID,
    situation: Situation = ACTUELLE,
    *,
    le: date,
) -> tuple[BilanAttendu, ...]:
    """Return every bilan that a convention in force expects, whatever became of it."""
    return tuple(_etats(conn, perimetre, situation, le=le, operation_id=operation_id))


def _etats(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation = ACTUELLE,
    *,
    le: date,
    operation_id: UUID | None = None,
    etats: list[str] | None = None,
    plie: str | None = None,
    depuis: tuple[str | int | None, ...] = (None, None, None),
    limite: int | None = None,
) -> list[BilanAttendu]:
    """Read what each convention expects, and what came of it by the day ``le``.

    Only facts that count on that day, and in the situation, are read: a bilan filed later is still
    awaited.
    """
    parameters = {
        "le": le,
        "effet_au": min(le, situation.effet_au or le),
        "connu_le": situation.connu_le,
        "plies": perimetre.liste,
        "operation": operation_id,
        "etats": etats,
        "plie": plie,
        "limite": limite,
        **dict(zip(("c1", "c2", "c3"), depuis, strict=True)),
    }
    return (
        conn.cursor(row_factory=class_row(BilanAttendu))
        .execute(
            """
            WITH prevus AS (
                SELECT
                    s.stream_id AS convention_id, o.id AS operation_id, o.numero_mdfse,
                    s.data ->> 'numero' AS numero_convention, o.beneficiaire, o.plie_id,
                    coalesce(p.nom, o.plie_id) AS plie_nom, o.intitule, o.statut, b.numero, b.type,
                    b.date_limite
                FROM projection.operation AS o
                -- OFFSET has them looked up one by one: a perimeter holds few of them.
                CROSS JOIN LATERAL (
                    SELECT e.stream_id, e.data
                    FROM oi.event AS e
                    WHERE e.name = 'convention.signee.v1'
                        AND e.data ->> 'operation_id' = o.id::text
                        AND (%(connu_le)s::bigint IS NULL OR e.position <= %(connu_le)s)
                        AND EXISTS (
                            SELECT FROM oi.event AS n
                            WHERE n.stream_id = e.stream_id AND n.name = 'convention.notifiee.v1'
                                AND n.date_effet <= %(effet_au)s
                                AND (%(connu_le)s::bigint IS NULL OR n.position <= %(connu_le)s))
                    OFFSET 0
                ) AS s
                LEFT JOIN projection.plie AS p ON o.sg_id = p.sg_id AND o.plie_id = p.plie_id
                CROSS JOIN LATERAL jsonb_to_recordset(s.data -> 'bilans_prevus')
                    AS b (numero integer, type text, date_limite date)
                WHERE (%(operation)s::uuid IS NULL OR o.id = %(operation)s)
                    AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
                    AND (%(plie)s::text IS NULL OR o.plie_id = %(plie)s)
                    AND (%(c1)s::text IS NULL OR (b.date_limite::text, o.numero_mdfse, b.numero)
                        > (%(c1)s::text, %(c2)s::text, %(c3)s::bigint))
            ),

            deposes AS (
                SELECT DISTINCT ON (e.stream_id, e.data -> 'numero')
                    e.stream_id AS convention_id, (e.data ->> 'numero')::integer AS numero,
                    e.data ->> 'type' AS type, (e.data ->> 'bilan_id')::uuid AS bilan_id,
                    e.date_effet AS depose_le
                FROM oi.event AS e
                WHERE e.name = 'convention.bilan_depose.v1' AND e.date_effet <= %(effet_au)s
                    AND (%(connu_le)s::bigint IS NULL OR e.position <= %(connu_le)s)
                    AND e.stream_id IN (SELECT p.convention_id FROM prevus AS p)
                    AND NOT EXISTS (
                        SELECT FROM oi.event AS x
                        WHERE x.stream_id = e.stream_id AND x.name = 'convention.bilan_renvoye.v1'
                            AND x.data ->> 'bilan_id' = e.data ->> 'bilan_id'
                            AND x.date_effet <= %(effet_au)s
                            AND (%(connu_le)s::bigint IS NULL OR x.position <= %(connu_le)s))
                ORDER BY e.stream_id, e.data -> 'numero', e.version DESC
            ),

            etats AS (
                SELECT
                    p.*, d.bilan_id, d.depose_le, r.reclame_le, r.reponse_jusqu_au, c.clos_le,
                    CASE
                        WHEN d.bilan_id IS NOT NULL THEN 'depose'
                        WHEN c.clos_le IS NOT NULL THEN 'clos_office'
                        WHEN f.finis THEN 'sans_objet'
                        WHEN r.reclame_le IS NOT NULL THEN 'reclame'
                        WHEN p.date_limite < %(le)s THEN 'en_retard'
                        ELSE 'attendu'
                    END AS etat
                FROM prevus AS p
                LEFT JOIN deposes AS d
                    ON p.convention_id = d.convention_id AND p.numero = d.numero
                LEFT JOIN LATERAL (
                    SELECT
                        e.date_effet AS reclame_le,
                        (e.data ->> 'date_limite_reponse')::date AS reponse_jusqu_au
                    FROM oi.event AS e
                    WHERE e.stream_id = p.convention_id AND e.name = 'convention.bilan_reclame.v1'
                        AND (%(connu_le)s::bigint IS NULL OR e.position <= %(connu_le)s)
                        AND e.date_effet <= %(effet_au)s
                        AND (e.data ->> 'numero')::integer = p.numero
                    ORDER BY e.version DESC
                    LIMIT 1
                ) AS r ON true
                LEFT JOIN LATERAL (
                    SELECT e.date_effet AS clos_le
                    FROM oi.event AS e
                    WHERE e.stream_id = p.convention_id
                        AND e.name = 'convention.cloture_office_prononcee.v1'
                        AND e.date_effet <= %(effet_au)s
                        AND (%(connu_le)s::bigint IS NULL OR e.position <= %(connu_le)s)
                ) AS c ON true
                CROSS JOIN LATERAL (
                    SELECT EXISTS (
                        SELECT FROM oi.event AS e
                        WHERE e.stream_id = p.operation_id AND e.name = 'operation.soldee.v1'
                            AND e.date_effet <= %(effet_au)s
                            AND (%(connu_le)s::bigint IS NULL OR e.position <= %(connu_le)s)
                    ) OR EXISTS (
                        SELECT FROM deposes AS x
                        WHERE x.convention_id = p.convention_id AND x.type = 'final'
                    ) AS finis
                ) AS f
            )

            SELECT
                %(le)s::date AS le, e.operation_id, e.numero_mdfse, e.numero_convention,
                e.beneficiaire, e.plie_id, e.plie_nom, e.intitule, e.statut, e.numero, e.type,
                e.date_limite, e.etat, e.bilan_id, e.depose_le, e.reclame_le, e.reponse_jusqu_au,
                e.clos_le
            FROM etats AS e
            WHERE %(etats)s::text[] IS NULL OR e.etat = ANY(%(etats)s)
            ORDER BY e.date_limite, e.numero_mdfse, e.numero
            LIMIT %(limite)s
            """,
            parameters,
        )
        .fetchall()
    )
