"""The library's own simplest application, on the same server: what we compare ourselves to."""

from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from psycopg.conninfo import conninfo_to_dict


class Piece(Aggregate):
    """About as much data as a dépense."""

    @event("Declared")
    def __init__(self, operation_id: UUID, poste: str, nature: str, piece: str, cents: int) -> None:
        self.operation_id = operation_id
        self.poste = poste
        self.nature = nature
        self.piece = piece
        self.cents = cents
        self.reached = 0

    @event("Reached")
    def reach(self, amount: int) -> None:
        """Count one more achievement."""
        self.reached = amount


class Pieces(Application[UUID]):
    """Save and get, nothing else."""


def environment(conninfo: str) -> dict[str, str]:
    """Return the library's settings for a database of its own; the rest stays at its defaults."""
    found = conninfo_to_dict(conninfo)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(found["dbname"]),
        "POSTGRES_HOST": str(found["host"]),
        "POSTGRES_PORT": str(found.get("port") or 5432),
        "POSTGRES_USER": str(found["user"]),
        "POSTGRES_PASSWORD": str(found.get("password") or "unused"),
    }


def application(conninfo: str) -> Pieces:
    """Return the application on a database."""
    return Pieces(env=environment(conninfo))


def new_piece(operation_id: UUID, rank: int) -> Piece:
    """Return a new aggregate with one pending event."""
    return Piece(operation_id, "personnel", "Salaire chargé", f"BS-{rank:06d}", 250_000 + rank)
