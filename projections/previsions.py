"""What each PLIE foresaw by quarter, beside what every quarter really brought."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from oi_service.dates import trimestre
from projections.histoire import MESURES_PREVUES
from projections.instantane import instantane
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation
from projections.subventions_globales import exiger_subvention

EtatTrimestre = Literal["revolu", "en_cours", "a_venir"]

ETATS_TRIMESTRE: Mapping[EtatTrimestre, str] = {
    "revolu": "révolu",
    "en_cours": "en cours",
    "a_venir": "à venir",
}


@dataclass(frozen=True, slots=True)
class Trimestre:
    """A quarter of a measure: foreseen and realised, alone then since the first; cents.

    ``prevu`` is ``None`` when nobody foresaw it; the cumulated forecast goes on without it.
    """

    annee: int
    numero: int
    etat: EtatTrimestre
    prevu: int | None
    realise: int
    prevu_cumule: int
    realise_cumule: int
    deposee_le: date | None  #: the day of effect of the forecast in force
    position: int | None  #: its event

    @property
    def etat_libelle(self) -> str:
        """The state of the quarter as people say it."""
        return ETATS_TRIMESTRE[self.etat]

    @property
    def ecart(self) -> int | None:
        """Realised less foreseen."""
        return None if self.prevu is None else self.realise - self.prevu

    @property
    def ecart_cumule(self) -> int:
        """The same since the first quarter foreseen."""
        return self.realise_cumule - self.prevu_cumule


@dataclass(frozen=True, slots=True)
class Suite:
    """The quarters of a PLIE and a measure, from the first foreseen to the last, none missing."""

    plie_id: str
    plie_nom: str
    mesure: str
    trimestres: tuple[Trimestre, ...]

    @property
    def mesure_libelle(self) -> str:
        """The measure as people say it."""
        return MESURES_PREVUES[self.mesure]


@dataclass(frozen=True, slots=True)
class Previsions:
    """The forecasts in force of a subvention globale, by PLIE and measure."""

    subvention_globale_id: UUID
    numero: str
    fictive: bool  #: amounts are invented (demonstration)
    le: date
    situation: Situation
    suites: tuple[Suite, ...]


@dataclass(frozen=True, slots=True)
class Depot:
    """A deposit of forecasts: who foresaw, when, and how much in all, in cents."""

    position: int
    deposee_le: date
    enregistre_le: datetime
    acteur: str
    role: str
    trimestres: int
    montant: int


def depots(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    subvention_id: UUID,
    plie_id: str,
    situation: Situation = ACTUELLE,
) -> tuple[Depot, ...]:
    """Return the deposits of a PLIE, the last one first."""
    return tuple(
        conn.cursor(row_factory=class_row(Depot))
        .execute(
            """
            SELECT
                e.position, e.date_effet AS deposee_le, e.enregistre_le, e.acteur, e.role,
                jsonb_array_length(e.data -> 'trimestres') AS trimestres,
                (SELECT sum(t.montant_centimes)
                    FROM jsonb_to_recordset(e.data -> 'trimestres') AS t (montant_centimes bigint)
                )::bigint AS montant
            FROM oi.event AS e
            WHERE e.stream_id = %(sg)s AND e.name = 'subvention_globale.prevision_deposee.v1'
                AND e.data ->> 'plie_id' = %(plie)s
                AND (%(plies)s::text[] IS NULL OR %(plie)s = ANY(%(plies)s))
                AND e.position <= %(connu_le)s AND e.date_effet <= %(effet_au)s
            ORDER BY e.version DESC
            """,
            {
                "sg": subvention_id,
                "plie": plie_id,
                "plies": perimetre.liste,
                **situation.parametres,
            },
        )
        .fetchall()
    )


def charger(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    subvention_id: UUID,
    situation: Situation = ACTUELLE,
    *,
    le: date,
) -> Previsions:
    """Return the forecasts in force and what came; ``le`` says which quarters are over.

    Raises: SubventionGlobaleAbsente.
    """
    with instantane(conn):
        sg = exiger_subvention(conn, perimetre, subvention_id, situation)
        rows = conn.execute(
            """
            WITH prevus AS (
                SELECT DISTINCT ON (p.plie_id, t.mesure, t.annee, t.trimestre)
                    p.plie_id, t.mesure, t.annee, t.trimestre, t.montant_centimes, e.date_effet,
                    e.position
                FROM oi.event AS e,
                    LATERAL (SELECT e.data ->> 'plie_id' AS plie_id) AS p,
                    jsonb_to_recordset(e.data -> 'trimestres') AS t (
                        annee integer, trimestre integer, mesure text, montant_centimes bigint)
                WHERE e.stream_id = %(sg)s
                    AND e.name = 'subvention_globale.prevision_deposee.v1'
                    AND e.position <= %(connu_le)s AND e.date_effet <= %(effet_au)s
                    AND (%(plies)s::text[] IS NULL OR p.plie_id = ANY(%(plies)s))
                ORDER BY p.plie_id, t.mesure, t.annee, t.trimestre, e.version DESC
            ),

            bornes AS (
                SELECT
                    plie_id, mesure, min(make_date(annee, 3 * trimestre - 2, 1)) AS premier,
                    max(make_date(annee, 3 * trimestre - 2, 1)) AS dernier
                FROM prevus
                GROUP BY plie_id, mesure
            ),

            suites AS (
                SELECT
                    b.plie_id, b.mesure, extract(year FROM d.jour)::integer AS annee,
                    extract(quarter FROM d.jour)::integer AS trimestre, d.jour::date AS debut,
                    (d.jour + interval '3 months')::date AS suivant
                FROM bornes AS b,
                    generate_series(b.premier::timestamp, b.dernier, '3 months') AS d (jour)
            )

            SELECT
                s.plie_id, n.nom, s.mesure, s.annee, s.trimestre, p.montant_centimes,
                coalesce(r.centimes, 0), p.date_effet, p.position
            FROM suites AS s
            LEFT JOIN prevus AS p USING (plie_id, mesure, annee, trimestre)
            LEFT JOIN projection.plie AS n ON n.sg_id = %(sg)s AND s.plie_id = n.plie_id
            -- A movement counts in the quarter of its day of effect, a day of Paris.
            LEFT JOIN LATERAL (
                SELECT sum(m.centimes)::bigint AS centimes
                FROM projection.mouvement AS m
                WHERE m.sg_id = %(sg)s AND m.plie_id = s.plie_id AND m.mesure = s.mesure
                    AND m.date_effet >= s.debut AND m.date_effet < s.suivant
                    AND m.position <= %(connu_le)s AND m.date_effet <= %(effet_au)s
            ) AS r ON true
            ORDER BY n.nom, s.plie_id, array_position(%(mesures)s, s.mesure), s.debut
            """,
            {
                "sg": subvention_id,
                "plies": perimetre.liste,
                "mesures": list(MESURES_PREVUES),
                **situation.parametres,
            },
        ).fetchall()
    return Previsions(
        subvention_globale_id=subvention_id,
        numero=sg.numero,
        fictive=sg.fictive,
        le=le,
        situation=situation,
        suites=_suites(rows, le),
    )


def _suites(rows: list[TupleRow], le: date) -> tuple[Suite, ...]:
    """Cumulate each series from its first quarter."""
    series: dict[tuple[str, str, str], list[Trimestre]] = {}
    for plie_id, nom, mesure, annee, numero, prevu, realise, deposee_le, position in rows:
        serie = series.setdefault((plie_id, nom, mesure), [])
        avant = serie[-1] if serie else None
        serie.append(
            Trimestre(
                annee=annee,
                numero=numero,
                etat=_etat((annee, numero), trimestre(le)),
                prevu=prevu,
                realise=realise,
                prevu_cumule=(avant.prevu_cumule if avant else 0) + (prevu or 0),
                realise_cumule=(avant.realise_cumule if avant else 0) + realise,
                deposee_le=deposee_le,
                position=position,
            )
        )
    return tuple(Suite(*cle, tuple(serie)) for cle, serie in series.items())


def _etat(quand: tuple[int, int], present: tuple[int, int]) -> EtatTrimestre:
    if quand == present:
        return "en_cours"
    return "revolu" if quand < present else "a_venir"
