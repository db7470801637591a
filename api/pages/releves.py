"""What the files of the audit pages stand for: the last event of the log, and its instant.

Asked again before anything is recorded, the same file has the same bytes.
"""

from datetime import date

from psycopg import Connection
from psycopg.rows import TupleRow

from api.tableaux import Releve


def releve_de_maintenant(
    conn: Connection[TupleRow],
    *filtres: tuple[str, str | None],
    effet_au: date | None = None,
    connu_le: str | None = None,
) -> Releve:
    """Return what a file made now stands for; filters that ask for nothing are left out."""
    row = conn.execute("SELECT position, enregistre_le FROM oi.head").fetchone()
    assert row is not None
    position, instant = row
    return Releve(
        position=position,
        releve_le=instant,
        effet_au=effet_au,
        connu_le=connu_le,
        filtres=tuple((nom, valeur) for nom, valeur in filtres if valeur),
    )
