"""Who sees what: every query takes a perimeter, and a query without one does not exist."""

from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import TupleRow


@dataclass(frozen=True, slots=True)
class Perimetre:
    """The territory that a reader may see: the whole OI, or a closed list of PLIE."""

    plie_ids: frozenset[str] | None = None  #: ``None`` is the whole OI

    @property
    def liste(self) -> list[str] | None:
        """The PLIE as a parameter of SQL; ``None`` when there is no restriction."""
        return None if self.plie_ids is None else sorted(self.plie_ids)

    def contient(self, plie_id: str) -> bool:
        """Tell whether a PLIE is of this territory."""
        return self.plie_ids is None or plie_id in self.plie_ids


OI_ENTIER = Perimetre()


def limiter(conn: Connection[TupleRow], perimetre: Perimetre) -> None:
    """Tell the database whose rows a connection may show, where its role is limited to some.

    The queries say it already; this is the same said a second time (docs/adr/0021-perimetre.md).
    """
    conn.execute("SELECT set_config('oi.plies', %s::text[]::text, false)", (perimetre.liste or [],))
