"""Imports that are not confirmed: what was dropped, whose it is, and what became of it.

Not in the log: nothing of it counts. What a person reads of it is computed again each time from the
workbook, which the store keeps; only its name is known here and nowhere else.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row

from oi_service import clock
from oi_service.errors import NotFound
from oi_service.ids import new_id
from oi_service.recorder import Connections
from oi_service.settings import Settings
from oi_service.travaux.travail import VIVANTS

#: How many of a person are shown.
_MONTRES = 20
_COLONNES = (
    "b.id, b.nature, b.operation_id, b.fichier_sha256, b.fichier_nom, b.fichier_octets, "
    "b.depose_le, b.travail_id, b.lot_id"
)


class BrouillonAbsent(NotFound):
    """Cet import n’existe pas, ou n’est plus en attente : déposez de nouveau le classeur."""


@dataclass(frozen=True, slots=True)
class Brouillon:
    """A workbook that waits to be confirmed, or was: ``lot_id`` is then the lot that it made."""

    id: UUID
    nature: str
    operation_id: UUID | None
    fichier_sha256: str
    fichier_nom: str
    fichier_octets: int
    depose_le: datetime
    travail_id: UUID | None
    lot_id: UUID | None

    @property
    def garde_jusqu_au(self) -> date:
        """The last day on which it may be confirmed."""
        return clock.jour(self.depose_le) + _garde()


def _garde() -> timedelta:
    """Return how long one waits: the choice of who runs the service."""
    return timedelta(days=Settings().brouillons_jours)


class Brouillons:
    """Keeps them, each for the account that dropped it and for no other."""

    def __init__(self, pool: Connections) -> None:
        """Work on a pool that may write."""
        self._pool = pool

    def garder(
        self,
        identifiant: str,
        nature: str,
        operation_id: UUID | None,
        fichier: tuple[str, str, int],
    ) -> UUID:
        """Keep a workbook that was dropped: its digest, what its owner calls it, its size."""
        brouillon_id = new_id()
        sha256, nom, octets = fichier
        with self._pool.connection() as conn:
            conn.execute(
                """
                INSERT INTO imports.brouillon (
                    id, identifiant, nature, operation_id, fichier_sha256, fichier_nom,
                    fichier_octets, depose_le)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
                """,
                (brouillon_id, identifiant, nature, operation_id, sha256, nom, octets, clock.now()),
            )
        return brouillon_id

    def lire(self, identifiant: str, brouillon_id: UUID) -> Brouillon:
        """Return one of a person.

        Raises: BrouillonAbsent, for those of others too.
        """
        with self._pool.connection() as conn, conn.cursor(row_factory=class_row(Brouillon)) as cur:
            found = cur.execute(
                f"SELECT {_COLONNES} FROM imports.brouillon AS b "  # noqa: S608 - a literal
                "WHERE b.id = %s AND b.identifiant = %s",
                (brouillon_id, identifiant),
            ).fetchone()
        if found is None:
            raise BrouillonAbsent
        return found

    def en_attente(self, identifiant: str) -> list[Brouillon]:
        """Return those of a person that are not imported, the last one first."""
        with self._pool.connection() as conn, conn.cursor(row_factory=class_row(Brouillon)) as cur:
            return cur.execute(
                f"SELECT {_COLONNES} FROM imports.brouillon AS b "  # noqa: S608 - a literal
                "WHERE b.identifiant = %s AND b.lot_id IS NULL "
                "ORDER BY b.depose_le DESC LIMIT %s",
                (identifiant, _MONTRES),
            ).fetchall()

    def nom_du_fichier(self, identifiant: str, lot_id: UUID) -> str | None:
        """Return what a person called the workbook of a lot when they dropped it."""
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT b.fichier_nom FROM imports.brouillon AS b "
                "WHERE b.identifiant = %s AND b.lot_id = %s",
                (identifiant, lot_id),
            ).fetchone()
        return None if row is None else str(row[0])

    def confier(self, brouillon_id: UUID, travail_id: UUID) -> None:
        """Note which work imports it."""
        with self._pool.connection() as conn:
            conn.execute(
                "UPDATE imports.brouillon SET travail_id = %s WHERE id = %s",
                (travail_id, brouillon_id),
            )

    def conclure(self, brouillon_id: UUID, lot_id: UUID) -> None:
        """Note the lot that it made."""
        with self._pool.connection() as conn:
            conn.execute(
                "UPDATE imports.brouillon SET lot_id = %s WHERE id = %s", (lot_id, brouillon_id)
            )

    def oublier(self, identifiant: str, brouillon_id: UUID) -> None:
        """Forget one that is given up."""
        with self._pool.connection() as conn:
            conn.execute(
                "DELETE FROM imports.brouillon WHERE id = %s AND identifiant = %s "
                "AND lot_id IS NULL",
                (brouillon_id, identifiant),
            )

    def purger(self) -> int:
        """Forget those that nobody confirmed in time; return how many.

        One that made a lot stays: it says what its owner called the workbook. One that a work is
        importing is not given up.
        """
        with self._pool.connection() as conn:
            return conn.execute(
                """
                DELETE FROM imports.brouillon AS b
                WHERE b.lot_id IS NULL
                    AND (b.depose_le AT TIME ZONE 'Europe/Paris')::date < %s
                    AND NOT EXISTS (
                        SELECT 1 FROM travaux.travail AS t
                        WHERE t.id = b.travail_id AND t.etat = ANY(%s))
                """,
                (clock.today() - _garde(), list(VIVANTS)),
            ).rowcount
