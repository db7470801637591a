"""What is asked: one dossier, a PLIE or everything, at two dates."""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from oi_service.errors import NotFound
from oi_service.ids import convention_of
from projections.perimetre import OI_ENTIER, Perimetre
from projections.situation import Situation


class DossierAArchiverInconnu(NotFound):
    """Aucun dossier « {numero} » n’est connu à ces dates : rien n’est à mettre dans l’archive."""


class PlieAArchiverInconnu(NotFound):
    """Aucun PLIE « {plie} » n’est connu à ces dates : rien n’est à mettre dans l’archive."""


class JournalVide(NotFound):
    """Aucun événement n’est encore enregistré : rien n’est à mettre dans l’archive."""


Portee = Literal["dossier", "plie", "tout"]


@dataclass(frozen=True, slots=True)
class Dossier:
    """A dossier of the archive."""

    id: UUID
    numero: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Demande:
    """A request once read: its names are those of the log, its place in the log is a number.

    The same request written otherwise (a day for the last event of that day) is the same.
    """

    portee: Portee
    situation: Situation  #: `connu_le` is never ``None``
    dossiers: tuple[Dossier, ...]  #: those that the situation knows, by number
    dossier: Dossier | None = None
    plie: str | None = None

    @property
    def jusqu_a(self) -> int:
        """The last event that counts in the readings."""
        assert self.situation.connu_le is not None
        return self.situation.connu_le

    @property
    def perimetre(self) -> Perimetre:
        """Whose maquette is read."""
        return OI_ENTIER if self.plie is None else Perimetre(frozenset((self.plie,)))

    @property
    def nom(self) -> str:
        """What the file is called, without its extension."""
        objet = {"dossier": self.dossier and f"dossier-{self.dossier.numero}"}.get(
            self.portee, self.portee if self.plie is None else f"plie-{self.plie}"
        )
        au = "" if self.situation.effet_au is None else f"-au-{self.situation.effet_au}"
        return f"archive-{objet}{au}-evenement-{self.jusqu_a}"

    def en_json(self) -> dict[str, Any]:
        """Write the request as the manifest says it."""
        au = self.situation.effet_au
        return {
            "portee": self.portee,
            "dossier": None if self.dossier is None else self.dossier.numero,
            "plie": self.plie,
            "effet_au": None if au is None else au.isoformat(),
            "connu_le": self.jusqu_a,
        }


def lire_demande(
    conn: Connection[TupleRow],
    situation: Situation,
    *,
    dossier: str | None = None,
    plie: str | None = None,
) -> Demande:
    """Read a request: a dossier by its number or its identifier, else a PLIE by its code, else all.

    All is the whole log, the working files of auditors included.
    Raises: DossierAArchiverInconnu, PlieAArchiverInconnu, JournalVide.
    """
    situation = _bornee(conn, situation)
    if dossier is not None:
        trouves = _dossiers(conn, situation, numero=dossier)
        if not trouves:
            raise DossierAArchiverInconnu(numero=dossier)
        return Demande(portee="dossier", situation=situation, dossiers=trouves, dossier=trouves[0])
    if plie is not None:
        if not _plie_connu(conn, plie, situation):
            raise PlieAArchiverInconnu(plie=plie)
        trouves = _dossiers(conn, situation, plie=plie)
        return Demande(portee="plie", situation=situation, dossiers=trouves, plie=plie)
    trouves = _dossiers(conn, situation)
    return Demande(portee="tout", situation=situation, dossiers=trouves)


def _bornee(conn: Connection[TupleRow], situation: Situation) -> Situation:
    """Bring the place in the log back to a number that the log has.

    If nothing is asked, the last act of somebody: what the register notes of itself, such as the
    point that an archive made necessary, does not make another archive of the same facts.
    """
    row = conn.execute(
        """
        SELECT e.position FROM oi.event AS e
        WHERE CASE WHEN %(connu_le)s::bigint IS NULL THEN NOT starts_with(e.name, 'registre.')
            ELSE e.position <= %(connu_le)s END
        ORDER BY e.position DESC LIMIT 1
        """,
        {"connu_le": situation.connu_le},
    ).fetchone()
    if row is None:
        raise JournalVide
    return Situation(situation.effet_au, row[0])


def _dossiers(
    conn: Connection[TupleRow],
    situation: Situation,
    *,
    numero: str | None = None,
    plie: str | None = None,
) -> tuple[Dossier, ...]:
    rows = conn.execute(
        """
        SELECT o.id, o.numero_mdfse
        FROM projection.operation AS o
        INNER JOIN oi.event AS d ON d.stream_id = o.id AND d.version = 1
        WHERE d.position <= %(connu_le)s AND d.date_effet <= %(effet_au)s
            AND (%(plie)s::text IS NULL OR o.plie_id = %(plie)s)
            AND (%(numero)s::text IS NULL OR o.numero_mdfse = %(numero)s
                OR o.id::text = lower(%(numero)s))
        ORDER BY o.numero_mdfse COLLATE "C", o.id
        """,
        {"numero": numero, "plie": plie, **situation.parametres},
    )
    return tuple(Dossier(*row) for row in rows)


def _plie_connu(conn: Connection[TupleRow], plie: str, situation: Situation) -> bool:
    row = conn.execute(
        """
        SELECT 1
        FROM projection.plie AS p INNER JOIN projection.subvention_globale AS s ON p.sg_id = s.id
        WHERE p.plie_id = %(plie)s AND s.position <= %(connu_le)s
        """,
        {"plie": plie, **situation.parametres},
    ).fetchone()
    return row is not None


def flux_propres(dossiers: tuple[Dossier, ...]) -> list[UUID]:
    """Return the streams of some dossiers that follow from their identifiers."""
    return [flux for d in dossiers for flux in (d.id, convention_of(d.id))]
