"""The journal: every event in the order of the log, each with its sentence."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Literal
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import TupleRow, class_row

from oi_service.clock import PARIS
from oi_service.codec import REGISTRY, Evenement
from oi_service.errors import NotFound
from oi_service.ids import convention_of
from projections.curseurs import LIMITE_PAR_DEFAUT, Page, lire, paginer
from projections.effet import en_effet
from projections.histoire import ROLES, phrase
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation

Ordre = Literal["asc", "desc"]


class EvenementAbsent(NotFound):
    """Aucun événement ne porte le numéro {position}."""


@dataclass(frozen=True)
class EvenementLu:
    """An event as stored: ``data`` and ``pieces`` are the exact JSON text of the log.

    Without slots: its fact is read once, and kept beside its fields.
    """

    position: int
    stream_id: UUID
    version: int
    event_id: UUID
    name: str
    data: str
    date_effet: date
    enregistre_le: datetime
    acteur: str
    role: str
    oi_id: str
    reglement: str
    motif: str | None
    pieces: str
    command_id: UUID
    correlation_id: UUID
    cause_id: UUID | None

    @cached_property
    def fait(self) -> Evenement:
        """The fact, read through the upcasts."""
        jour = self.date_effet.isoformat()
        return REGISTRY.decode(self.name, self.data, jour, self.motif, self.pieces)

    @property
    def phrase(self) -> str:
        """What happened, in one sentence."""
        return phrase(self.fait)

    @property
    def histoire(self) -> str:
        """The whole line that a person reads: number, day, who, what."""
        connu = self.enregistre_le.astimezone(PARIS)
        tard = "" if connu.date() == self.date_effet else f", enregistré le {connu:%d/%m/%Y}"
        return (
            f"n° {self.position}, {self.date_effet:%d/%m/%Y}{tard}, "
            f"{self.acteur} ({ROLES.get(self.role, self.role)}) : {self.phrase}"
        )


def journal(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation = ACTUELLE,
    *,
    flux: UUID | None = None,
    operation_id: UUID | None = None,
    nom: str | None = None,
    acteur: str | None = None,
    du: date | None = None,
    au: date | None = None,
    ordre: Ordre = "desc",
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Page[EvenementLu]:
    """Return the events of the perimeter that count, newest first unless asked otherwise.

    ``flux`` is one stream; ``operation_id`` takes the dossier with its convention and its dépenses.
    ``du`` and ``au`` bound the days of effect, both included.
    """
    liste = f"journal {ordre}"
    (depuis,) = lire(apres, liste, int)
    streams = None if flux is None else [flux]
    if operation_id is not None:
        streams = [i for i in flux_du_dossier(conn, perimetre, operation_id) if flux in {None, i}]
    rows = _evenements(
        conn,
        perimetre,
        flux=streams,
        nom=nom,
        acteur=acteur,
        du=du,
        au=min((jour for jour in (au, situation.effet_au) if jour is not None), default=None),
        connu_le=situation.connu_le,
        ordre=ordre,
        depuis=depuis,
        limite=limite + 1,
    )
    return paginer(rows, limite, liste, lambda e: (e.position,))


def enregistres_apres(
    conn: Connection[TupleRow], perimetre: Perimetre, position: int
) -> list[EvenementLu]:
    """Return the events of the perimeter that come after a position, oldest first."""
    return _evenements(conn, perimetre, depuis=position, ordre="asc")


def evenement(conn: Connection[TupleRow], perimetre: Perimetre, position: int) -> EvenementLu:
    """Return one event; refuse when the perimeter does not hold it."""
    found = evenements(conn, perimetre, [position])
    if not found:
        raise EvenementAbsent(position=position)
    return found[position]


def evenements(
    conn: Connection[TupleRow], perimetre: Perimetre, positions: Iterable[int]
) -> dict[int, EvenementLu]:
    """Return events by their number; those that the perimeter does not hold are absent."""
    found = _evenements(conn, perimetre, positions=list(positions))
    return {lu.position: lu for lu in found}


def histoire_du_dossier(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    numero: str,
    situation: Situation = ACTUELLE,
) -> list[EvenementLu]:
    """Return the whole life of a dossier, named by its number or its identifier, oldest first.

    Its own streams, and what moved its amounts from elsewhere. Empty when the perimeter holds no
    such dossier, or when the situation does not know it yet.
    """
    row = conn.execute(
        """
        SELECT o.id FROM projection.operation AS o
        WHERE (o.numero_mdfse = %(numero)s OR o.id::text = lower(%(numero)s))
            AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
        """,
        {"numero": numero, "plies": perimetre.liste},
    ).fetchone()
    if row is None:
        return []
    flux = lire_flux(conn, perimetre, flux_du_dossier(conn, perimetre, row[0]), situation)
    if row[0] not in flux:
        return []
    ailleurs = faits_d_ailleurs(conn, perimetre, row[0], situation)
    return sorted(
        (lu for lus in (*flux.values(), ailleurs) for lu in lus), key=lambda x: x.position
    )


def faits_d_ailleurs(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    operation_id: UUID,
    situation: Situation = ACTUELLE,
) -> list[EvenementLu]:
    """Return what touches a dossier from a stream that is not its own, oldest first.

    What moved its amounts: a contrepartie affected to it, a compensation between two operations.
    The audits of it, what they find on other operations left out.
    """
    rows = conn.execute(
        """
        SELECT m.position
        FROM projection.mouvement AS m INNER JOIN oi.event AS e ON m.position = e.position
        WHERE m.operation_id = %(operation)s
            AND m.position <= %(connu_le)s AND m.date_effet <= %(effet_au)s
            AND NOT e.stream_id = ANY(%(flux)s)
        UNION
        SELECT e.position
        FROM projection.controle_perimetre AS p
        INNER JOIN oi.event AS e ON p.controle_id = e.stream_id
        WHERE p.operation_id = %(operation)s
            AND e.position <= %(connu_le)s AND e.date_effet <= %(effet_au)s
            AND (e.data -> 'constat_numero' IS NULL OR EXISTS (
                SELECT FROM projection.controle_constat AS k
                WHERE k.controle_id = p.controle_id AND k.operation_id = p.operation_id
                    AND k.numero = (e.data ->> 'constat_numero')::integer))
        """,
        {
            "operation": operation_id,
            "flux": [operation_id, convention_of(operation_id)],
            **situation.parametres,
        },
    ).fetchall()
    return _evenements(conn, perimetre, positions=[row[0] for row in rows], ordre="asc")


def journal_de_l_audit(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    *,
    dossier_id: UUID | None = None,
    nom: str | None = None,
    connu_le: int | None = None,
) -> list[EvenementLu]:
    """Return the events of the auditors' working files, oldest first: no other reading has them."""
    return _evenements(
        conn,
        perimetre,
        flux=None if dossier_id is None else [dossier_id],
        nom=nom,
        connu_le=connu_le,
        ordre="asc",
        audit=True,
    )


def lire_flux(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    flux: Iterable[UUID],
    situation: Situation = ACTUELLE,
) -> dict[UUID, list[EvenementLu]]:
    """Return whole streams as the situation knows them, oldest event first.

    A stream without event is absent. What counts on a day: `en_effet`.
    """
    found: dict[UUID, list[EvenementLu]] = {}
    for lu in _evenements(
        conn, perimetre, flux=list(flux), connu_le=situation.connu_le, ordre="asc"
    ):
        found.setdefault(lu.stream_id, []).append(lu)
    if situation.effet_au is None:
        return found
    comptes = {stream_id: en_effet(lus, situation.effet_au) for stream_id, lus in found.items()}
    return {stream_id: lus for stream_id, lus in comptes.items() if lus}


def derniers_du_flux(
    conn: Connection[TupleRow], perimetre: Perimetre, stream_id: UUID, limite: int = 20
) -> list[EvenementLu]:
    """Return the last events of a stream, newest first; the version of the first is its own."""
    for audit in (False, True):
        found = _evenements(
            conn, perimetre, flux=[stream_id], ordre="desc", limite=limite, audit=audit
        )
        if found:
            return found
    return []


def flux_du_dossier(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID
) -> list[UUID]:
    """Return the streams of a dossier: its own, its convention's, those of its dépenses.

    None when the perimeter does not hold it.
    """
    rows = conn.execute(
        """
        SELECT d.id
        FROM projection.operation AS o LEFT JOIN projection.depense AS d ON o.id = d.operation_id
        WHERE o.id = %(operation)s AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
        """,
        {"operation": operation_id, "plies": perimetre.liste},
    ).fetchall()
    propres = [operation_id, convention_of(operation_id)] if rows else []
    return [*propres, *(row[0] for row in rows if row[0] is not None)]


def _evenements(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    *,
    positions: list[int] | None = None,
    flux: list[UUID] | None = None,
    nom: str | None = None,
    acteur: str | None = None,
    du: date | None = None,
    au: date | None = None,
    connu_le: int | None = None,
    ordre: Ordre = "desc",
    depuis: int | str | None = None,
    limite: int | None = None,
    audit: bool = False,
) -> list[EvenementLu]:
    """Read the log; the only query on it here, so that nothing escapes the perimeter.

    A PLIE sees its dossiers, its contreparties, the controls of its dossiers only, what moves its
    enveloppes and what is fixed or foreseen for it; a transfer is seen from both sides. What
    concerns others too is for who sees the whole OI. What an auditor works on (``audit``) is read
    apart from all the rest (docs/adr/0018-audit-a-part.md). The database says the same again of
    readers of some PLIE (migrations/0010_perimetre.sql).
    """
    croissant = ordre == "asc"
    dossiers = _dossiers(conn, perimetre)
    query = sql.SQL(
        """
        SELECT
            e.position, e.stream_id, e.version, e.event_id, e.name, e.data::text AS data,
            e.date_effet, e.enregistre_le, e.acteur, e.role, e.oi_id, e.reglement, e.motif,
            e.pieces::text AS pieces, e.command_id, e.correlation_id, e.cause_id
        FROM oi.event AS e
        WHERE (
                %(plies)s::text[] IS NULL
                OR CASE split_part(e.name, '.', 1)
                    WHEN 'operation' THEN e.stream_id = ANY(%(dossiers)s)
                    WHEN 'convention' THEN e.stream_id = ANY(%(conventions)s)
                    -- OFFSET has them looked up one by one: a page needs few of them.
                    WHEN 'depense' THEN EXISTS (
                        SELECT FROM projection.depense AS p
                        WHERE p.id = e.stream_id AND p.operation_id = ANY(%(dossiers)s) OFFSET 0)
                    WHEN 'contrepartie' THEN EXISTS (
                        SELECT FROM projection.contrepartie AS c
                        WHERE c.id = e.stream_id AND c.plie_id = ANY(%(plies)s) OFFSET 0)
                    WHEN 'controle_operation' THEN e.stream_id IN (
                        SELECT p.controle_id
                        FROM projection.controle_perimetre AS p
                        GROUP BY p.controle_id
                        HAVING bool_and(p.operation_id = ANY(%(dossiers)s)))
                    WHEN 'lot' THEN e.stream_id IN (
                        SELECT l.id FROM projection.lot AS l
                        WHERE l.plies <> '{{}}' AND l.plies <@ %(plies)s::text[])
                    WHEN 'subvention_globale' THEN
                        e.data ->> 'plie_id' = ANY(%(plies)s)
                        OR e.data -> 'cellule' ->> 'plie_id' = ANY(%(plies)s)
                        OR e.data -> 'de' ->> 'plie_id' = ANY(%(plies)s)
                        OR e.data -> 'vers' ->> 'plie_id' = ANY(%(plies)s)
                        -- An avenant that moves their enveloppe, and that of no other PLIE.
                        OR jsonb_path_query_array(e.data, '$.ecarts[*].cellule.plie_id')
                            ?| %(plies)s::text[]
                        AND jsonb_path_query_array(e.data, '$.ecarts[*].cellule.plie_id')
                            <@ (to_jsonb(%(plies)s::text[]) || '["non_reparti", "reserve"]')
                    ELSE false
                END
            )
            AND starts_with(e.name, 'audit.') = %(audit)s
            AND (%(positions)s::bigint[] IS NULL OR e.position = ANY(%(positions)s))
            AND (%(flux)s::uuid[] IS NULL OR e.stream_id = ANY(%(flux)s))
            AND (%(nom)s::text IS NULL OR e.name = %(nom)s)
            AND (%(acteur)s::text IS NULL OR e.acteur = %(acteur)s)
            AND (%(du)s::date IS NULL OR e.date_effet >= %(du)s)
            AND (%(au)s::date IS NULL OR e.date_effet <= %(au)s)
            AND (%(connu_le)s::bigint IS NULL OR e.position <= %(connu_le)s)
            AND (%(depuis)s::bigint IS NULL OR e.position {au_dela} %(depuis)s)
        ORDER BY e.position {sens}
        LIMIT %(limite)s
        """
    ).format(
        # Written in the text, not decided by a CASE: the index on positions serves the page.
        au_dela=sql.SQL(">" if croissant else "<"),
        sens=sql.SQL("ASC" if croissant else "DESC"),
    )
    parameters = {
        "plies": perimetre.liste,
        "dossiers": dossiers,
        "conventions": [convention_of(i) for i in dossiers],
        "positions": positions,
        "flux": flux,
        "nom": nom,
        "acteur": acteur,
        "du": du,
        "au": au,
        "connu_le": connu_le,
        "depuis": depuis,
        "limite": limite,
        "audit": audit,
    }
    return conn.cursor(row_factory=class_row(EvenementLu)).execute(query, parameters).fetchall()


def _dossiers(conn: Connection[TupleRow], perimetre: Perimetre) -> list[UUID]:
    """Return the dossiers of some PLIE; of the whole OI, nobody asks."""
    if perimetre.plie_ids is None:
        return []
    rows = conn.execute(
        "SELECT o.id FROM projection.operation AS o WHERE o.plie_id = ANY(%s)", (perimetre.liste,)
    )
    return [row[0] for row in rows]
