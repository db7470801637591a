"""Appels à projets and their fiches opération."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from aggregates.appel_a_projets.events import AppelAProjetsPublie, Fiche
from aggregates.appel_a_projets.state import AppelAProjetsAbsent
from oi_service.codec import REGISTRY
from projections.curseurs import LIMITE_PAR_DEFAUT, Page, lire, paginer
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation


@dataclass(frozen=True, slots=True)
class LigneAppel:
    """A call; ``nb_fiches`` counts the fiches of the perimeter."""

    id: UUID
    subvention_globale_id: UUID
    numero: str
    intitule: str
    date_ouverture: date
    date_cloture: date
    clos: bool
    nb_fiches: int
    version: int
    position: int


@dataclass(frozen=True, slots=True)
class FicheAppel:
    """A call and its fiches, those of the perimeter."""

    resume: LigneAppel
    fiches: tuple[Fiche, ...]


def appels_a_projets(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation = ACTUELLE,
    *,
    subvention_globale_id: UUID | None = None,
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Page[LigneAppel]:
    """Return the calls that have a fiche in the perimeter, in the order of their publication."""
    (position,) = lire(apres, "appels à projets", int)
    rows = _appels(
        conn,
        perimetre,
        situation,
        sg=subvention_globale_id,
        position=position,
        limite=limite + 1,
    )
    return paginer(rows, limite, "appels à projets", lambda a: (a.position,))


def fiche_appel(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    appel_id: UUID,
    situation: Situation = ACTUELLE,
) -> FicheAppel:
    """Return a call and its fiches, once the situation knows it.

    Raises: AppelAProjetsAbsent.
    """
    found = _appels(conn, perimetre, situation, appel_id=appel_id)
    if not found:
        raise AppelAProjetsAbsent(id=appel_id)
    # What the call shares between PLIE is filtered below.
    row = conn.execute(
        "SELECT p.name, p.data::text, p.date_effet::text FROM oi.actes_communs(%s) AS p "
        "WHERE p.version = 1",
        (appel_id,),
    ).fetchone()
    assert row is not None
    nom, data, jour = row
    publie = REGISTRY.decode(nom, data, jour, None, None)
    assert isinstance(publie, AppelAProjetsPublie)
    return FicheAppel(found[0], tuple(f for f in publie.fiches if perimetre.contient(f.plie_id)))


def _appels(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation,
    *,
    appel_id: UUID | None = None,
    sg: UUID | None = None,
    position: int | str | None = None,
    limite: int | None = None,
) -> list[LigneAppel]:
    return (
        conn.cursor(row_factory=class_row(LigneAppel))
        .execute(
            """
            SELECT
                a.id, a.sg_id AS subvention_globale_id, a.numero, a.intitule, a.date_ouverture,
                a.date_cloture, v.clos, f.nb_fiches, v.version, p.position
            FROM projection.appel_a_projets AS a
            INNER JOIN LATERAL oi.actes_communs(a.id) AS p
                ON p.name = 'appel_a_projets.publie.v1'
            CROSS JOIN LATERAL (
                SELECT count(*) AS nb_fiches
                FROM jsonb_array_elements(p.data -> 'fiches') AS x (fiche)
                WHERE %(plies)s::text[] IS NULL OR x.fiche ->> 'plie_id' = ANY(%(plies)s)
            ) AS f
            CROSS JOIN LATERAL (
                SELECT max(e.version) AS version,
                    bool_or(e.name = 'appel_a_projets.clos.v1') AS clos
                FROM oi.actes_communs(a.id) AS e
                WHERE e.position <= %(connu_le)s AND e.date_effet <= %(effet_au)s
            ) AS v
            WHERE (%(plies)s::text[] IS NULL OR f.nb_fiches > 0)
                AND p.position <= %(connu_le)s AND p.date_effet <= %(effet_au)s
                AND (%(id)s::uuid IS NULL OR a.id = %(id)s)
                AND (%(sg)s::uuid IS NULL OR a.sg_id = %(sg)s)
                AND (%(position)s::bigint IS NULL OR p.position > %(position)s)
            ORDER BY p.position
            LIMIT %(limite)s
            """,
            {
                "plies": perimetre.liste,
                "id": appel_id,
                "sg": sg,
                "position": position,
                "limite": limite,
                **situation.parametres,
            },
        )
        .fetchall()
    )
