"""Appends below the application: a vocabulary of its own, which no projection shows."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4  # noqa: TID251 - streams that nothing derives

from psycopg_pool import ConnectionPool

from oi_service.recorder import Envelope, StoredFact


def fait_stocke(stream_id: UUID, version: int = 0, **changes: Any) -> StoredFact:
    """Return a stored event; version 0 is the next one, whatever it is."""
    colonnes: dict[str, Any] = {
        "topic": "essai.compte.v1",
        "state": b'{"centimes": 1}',
        "date_effet": date(2021, 12, 31),
        "motif": None,
        "pieces": None,
    }
    return StoredFact(originator_id=stream_id, originator_version=version, **(colonnes | changes))


def enveloppe(**changes: Any) -> Envelope:
    """Return the envelope of a command; its key is fresh."""
    key = uuid4()
    champs: dict[str, Any] = {
        "command_id": key,
        "fingerprint": b"demande",
        "acteur": "gestionnaire-1",
        "role": "gestionnaire_oi",
        "oi_id": "oi-fictif",
        "reglement": "2014-2020",
        "correlation_id": key,
    }
    return Envelope(**(champs | changes))


def lignes(pool: ConnectionPool, query: str, *args: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with pool.connection() as conn:
        return conn.execute(query, args).fetchall()


def nombre(pool: ConnectionPool) -> int:
    """Return how many events the log holds."""
    return int(lignes(pool, "SELECT count(*) FROM oi.event")[0][0])
