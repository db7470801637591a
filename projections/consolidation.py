"""What a query over several OI counts: which grants, of which OI, up to where in the log."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from aggregates.subvention_globale.state import SubventionGlobaleAbsente
from projections.perimetre import Perimetre
from projections.situation import Situation

#: The PLIE of contreparties that the whole OI shares, in the ledger and in answers.
MUTUALISE = "mutualise"
MUTUALISE_NOM = "Contreparties mutualisées de l’OI"


@dataclass(frozen=True, slots=True)
class SubventionConsolidee:
    """A grant that counts. Its OI goes by the name that its last grant gives.

    ``fictive``: its amounts are invented; every answer says so.
    """

    id: UUID
    numero: str
    reglement: str
    oi_id: str
    oi_nom: str
    fictive: bool


@dataclass(frozen=True, slots=True)
class Consolidation:
    """The grants that a figure adds up, and the last event that it counts."""

    subventions: tuple[SubventionConsolidee, ...]
    noms_plie: dict[tuple[str, str], str]  #: by OI and PLIE
    situation: Situation
    position: int  #: number of the last event counted
    calculee_le: datetime  #: UTC

    @property
    def fictive(self) -> bool:
        """Whether some of the amounts are invented."""
        return any(s.fictive for s in self.subventions)

    @property
    def ids(self) -> list[UUID]:
        """The grants, as a parameter of SQL."""
        return [s.id for s in self.subventions]

    @property
    def par_id(self) -> dict[UUID, SubventionConsolidee]:
        """The grants by identifier."""
        return {s.id: s for s in self.subventions}

    def nom_du_plie(self, subvention_id: UUID, plie_id: str) -> str:
        """Return the name of a PLIE as people say it."""
        if plie_id == MUTUALISE:
            return MUTUALISE_NOM
        return self.noms_plie.get((self.par_id[subvention_id].oi_id, plie_id), plie_id)


def consolider(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    demandees: Collection[UUID],
    situation: Situation,
) -> Consolidation:
    """Return the grants asked for, all those of the perimeter when none is named.

    Raises: SubventionGlobaleAbsente, for one that the perimeter or the situation does not know.
    """
    connues = (
        conn.cursor(row_factory=class_row(SubventionConsolidee))
        .execute(
            """
            SELECT
                s.id, s.numero, s.reglement, s.oi_id,
                last_value(s.oi_nom) OVER (
                    PARTITION BY s.oi_id ORDER BY s.position
                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS oi_nom,
                s.fictive
            FROM projection.subvention_globale AS s
            WHERE s.position <= %(connu_le)s AND (%(plies)s::text[] IS NULL OR EXISTS (
                SELECT FROM projection.plie AS p
                WHERE p.sg_id = s.id AND p.plie_id = ANY(%(plies)s::text[])))
            ORDER BY s.position
            """,
            {"plies": perimetre.liste, **situation.parametres},
        )
        .fetchall()
    )
    for inconnue in set(demandees) - {s.id for s in connues}:
        raise SubventionGlobaleAbsente(id=inconnue)
    row = conn.execute(
        "SELECT least(h.position, %(connu_le)s), clock_timestamp() FROM oi.head AS h",
        situation.parametres,
    ).fetchone()
    assert row is not None
    noms = conn.execute(
        """
        SELECT s.oi_id, p.plie_id, p.nom
        FROM projection.plie AS p INNER JOIN projection.subvention_globale AS s ON p.sg_id = s.id
        WHERE s.position <= %(connu_le)s
            AND (%(plies)s::text[] IS NULL OR p.plie_id = ANY(%(plies)s))
        ORDER BY s.position
        """,
        {"plies": perimetre.liste, **situation.parametres},
    ).fetchall()
    return Consolidation(
        subventions=tuple(s for s in connues if not demandees or s.id in demandees),
        noms_plie={(oi_id, plie_id): nom for oi_id, plie_id, nom in noms},
        situation=situation,
        position=row[0],
        calculee_le=row[1],
    )
