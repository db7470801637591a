"""Past operations taken over from lists: what they were granted, what is improbable in them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import TupleRow, class_row

from aggregates.reprise.state import RepriseAbsente
from projections.curseurs import LIMITE_PAR_DEFAUT, Page, lire, paginer
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation
from rules.reprise import LIBELLES

#: What they are in the ledger: never programmed, never in a figure of the maquette.
MESURES = ("fse_repris", "ct_repris")


@dataclass(frozen=True, slots=True)
class LigneReprise:
    """An operation taken over; amounts are cents. ``annulee_le``: from when it does not count."""

    id: UUID
    subvention_globale_id: UUID
    oi_id: str
    reglement: str
    programme: str
    intitule: str
    beneficiaire: str
    code_postal: str | None
    debut: date
    fin: date
    date_programmation: date
    cout_total_eligible: int
    fse: int
    pays: str
    categorie_intervention: str | None
    fonds: str
    anomalies: list[str]
    fichier: str
    fichier_sha256: str
    ligne: int
    reference: str | None
    annulee_le: date | None
    version: int
    position: int

    @property
    def anomalies_libelles(self) -> list[str]:
        """The anomalies as people say them."""
        return [LIBELLES.get(code, code) for code in self.anomalies]


@dataclass(frozen=True, slots=True)
class TotauxReprises:
    """The whole list, whatever its pages. Amounts are cents, of what is not annulled."""

    nombre: int
    annulees: int
    cout_total_eligible: int
    fse: int
    par_anomalie: dict[str, int]


@dataclass(frozen=True, slots=True)
class FiltresReprises:
    """Which of them."""

    subvention_globale_id: UUID | None = None
    programme: str | None = None
    anomalie: str | None = None
    recherche: str | None = None


_TOUTES = FiltresReprises()

#: Reprises are no PLIE's: only who sees the whole OI sees them. One is annulled in a situation that
#: knows it and where it already has its effect.
_CHOISIES = sql.SQL("""
    FROM projection.reprise AS r, LATERAL (
        SELECT CASE WHEN r.annulee_position <= %(connu_le)s AND r.annulee_le <= %(effet_au)s
            THEN r.annulee_le END AS annulee_le
    ) AS a
    WHERE %(plies)s::text[] IS NULL
        AND r.position <= %(connu_le)s AND r.date_programmation <= %(effet_au)s
        AND (%(id)s::uuid IS NULL OR r.id = %(id)s)
        AND (%(sg)s::uuid IS NULL OR r.sg_id = %(sg)s)
        AND (%(programme)s::text IS NULL OR r.programme = %(programme)s)
        AND (%(anomalie)s::text IS NULL OR %(anomalie)s = ANY(r.anomalies))
        AND (%(recherche)s::text IS NULL OR strpos(
            lower(concat_ws(' ', r.programme, r.intitule, r.beneficiaire, r.code_postal)),
            lower(%(recherche)s)) > 0)
""")


def _parametres(
    perimetre: Perimetre,
    situation: Situation,
    filtres: FiltresReprises = _TOUTES,
    reprise_id: UUID | None = None,
) -> dict[str, object]:
    return {
        "plies": perimetre.liste,
        "id": reprise_id,
        "sg": filtres.subvention_globale_id,
        "programme": filtres.programme,
        "anomalie": filtres.anomalie,
        "recherche": filtres.recherche,
        **situation.parametres,
    }


def reprises(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    filtres: FiltresReprises = _TOUTES,
    *,
    situation: Situation = ACTUELLE,
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Page[LigneReprise]:
    """Return the operations taken over, in the order of their recording."""
    (position,) = lire(apres, "reprises", int)
    rows = _lignes(
        conn,
        _parametres(perimetre, situation, filtres) | {"position": position, "limite": limite + 1},
    )
    return paginer(rows, limite, "reprises", lambda r: (r.position,))


def reprise(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    reprise_id: UUID,
    situation: Situation = ACTUELLE,
) -> LigneReprise:
    """Return one operation taken over.

    Raises: RepriseAbsente.
    """
    parametres = _parametres(perimetre, situation, reprise_id=reprise_id)
    found = _lignes(conn, parametres | {"position": None, "limite": 1})
    if not found:
        raise RepriseAbsente(id=reprise_id)
    return found[0]


def _lignes(conn: Connection[TupleRow], parametres: dict[str, object]) -> list[LigneReprise]:
    return (
        conn.cursor(row_factory=class_row(LigneReprise))
        .execute(
            sql.SQL("""
            SELECT
                r.id, r.sg_id AS subvention_globale_id, r.oi_id, r.reglement, r.programme,
                r.intitule, r.beneficiaire, r.code_postal, r.debut, r.fin, r.date_programmation,
                r.ct_centimes AS cout_total_eligible, r.fse_centimes AS fse, r.pays,
                r.categorie_intervention, r.fonds, r.anomalies, r.fichier, r.fichier_sha256,
                r.ligne, r.reference, a.annulee_le,
                (SELECT max(e.version) FROM oi.event AS e WHERE e.stream_id = r.id) AS version,
                r.position
            {choisies}
                AND (%(position)s::bigint IS NULL OR r.position > %(position)s)
            ORDER BY r.position
            LIMIT %(limite)s
            """).format(choisies=_CHOISIES),
            parametres,
        )
        .fetchall()
    )


def totaux(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    filtres: FiltresReprises = _TOUTES,
    *,
    situation: Situation = ACTUELLE,
) -> TotauxReprises:
    """Return what the whole list comes to; an anomaly of what is annulled is not counted."""
    parametres = _parametres(perimetre, situation, filtres)
    row = conn.execute(
        sql.SQL("""
        SELECT count(*) FILTER (WHERE a.annulee_le IS NULL),
            count(a.annulee_le),
            coalesce(sum(r.ct_centimes) FILTER (WHERE a.annulee_le IS NULL), 0)::bigint,
            coalesce(sum(r.fse_centimes) FILTER (WHERE a.annulee_le IS NULL), 0)::bigint
        {choisies}
        """).format(choisies=_CHOISIES),
        parametres,
    ).fetchone()
    assert row is not None
    comptes = conn.execute(
        sql.SQL("""
        SELECT c.code, count(*) FROM (
            SELECT unnest(r.anomalies) AS code {choisies} AND a.annulee_le IS NULL
        ) AS c GROUP BY c.code
        """).format(choisies=_CHOISIES),
        parametres,
    ).fetchall()
    nombre, annulees, cout, fse = row
    par_anomalie = {**dict.fromkeys(LIBELLES, 0), **dict(comptes)}
    return TotauxReprises(nombre, annulees, cout, fse, par_anomalie)


def etats(conn: Connection[TupleRow], ids: Iterable[UUID]) -> dict[UUID, bool]:
    """Tell which of these are already there, and whether each is annulled."""
    rows = conn.execute(
        "SELECT id, annulee_le IS NOT NULL FROM projection.reprise WHERE id = ANY(%s)",
        (list(ids),),
    )
    return dict(rows.fetchall())
