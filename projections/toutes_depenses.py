"""The dépenses of all operations: a long list, filtered, sorted, added up.

A line says what the projection holds; what only the events say of a dépense is on its own page.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Literal, Self
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import TupleRow, class_row

from oi_service.ids import convention_of
from projections.curseurs import LIMITE_PAR_DEFAUT, CurseurInvalide, Page, lire, paginer
from projections.depenses import Ordre, StatutDepense
from projections.instantane import instantane
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation
from rules.eligibilite import MOTIFS
from rules.nomenclature import POSTES

Tri = Literal["saisie", "date_piece", "montant", "operation"]

STATUTS: Mapping[StatutDepense, str] = {
    "declaree": "Déclarée",
    "controlee": "Contrôlée",
    "annulee": "Annulée",
}
#: Lines fetched at a time when the whole list is read.
_LOT = 2_000


@dataclass(frozen=True, slots=True)
class DepenseListee:
    """A dépense of the list; amounts are cents of total cost."""

    id: UUID
    operation_id: UUID
    numero_mdfse: str
    numero_convention: str | None
    beneficiaire: str
    plie_id: str
    plie_nom: str
    statut: StatutDepense
    poste: str
    nature: str
    tiers_ref: str
    piece_ref: str
    date_piece: date
    date_realisation: date
    date_acquittement: date | None
    montant_impute: int
    bilan_id: UUID | None
    csf_id: UUID | None
    retenu: int | None
    ecarte: int | None
    motif_code: str | None
    version: int
    position: int
    cle: str
    bilan_numero: int | None = None

    @property
    def statut_libelle(self) -> str:
        """The state as people say it."""
        return STATUTS[self.statut]

    @property
    def poste_libelle(self) -> str:
        """The poste as people say it."""
        return POSTES.get(self.poste, self.poste)

    @property
    def motif_libelle(self) -> str | None:
        """Why a part was set aside."""
        return MOTIFS.get(self.motif_code) if self.motif_code else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FiltresDesDepenses:
    """Which dépenses; a filter left out keeps them all.

    ``operation`` is the number of the dossier; ``rattachee``: a filed bilan holds it, or none does;
    amounts are cents; ``recherche``: a text of the nature, the third party, the document, the
    dossier or its beneficiary.
    """

    plie: str | None = None
    operation: str | None = None
    poste: str | None = None
    statut: StatutDepense | None = None
    bilan_id: UUID | None = None
    rattachee: bool | None = None
    motif_code: str | None = None
    ecartees: bool | None = None
    date_piece_du: date | None = None
    date_piece_au: date | None = None
    montant_min: int | None = None
    montant_max: int | None = None
    recherche: str | None = None


TOUTES = FiltresDesDepenses()


@dataclass(frozen=True, slots=True)
class TotauxDesDepenses:
    """What the dépenses of a filter add up to, in cents; those cancelled count for nothing."""

    nombre: int = 0
    annulees: int = 0
    declare: int = 0
    retenu: int = 0
    ecarte: int = 0

    def __add__(self, autre: Self) -> Self:
        """Add figure by figure."""
        return type(self)(
            self.nombre + autre.nombre,
            self.annulees + autre.annulees,
            self.declare + autre.declare,
            self.retenu + autre.retenu,
            self.ecarte + autre.ecarte,
        )


@dataclass(frozen=True, slots=True)
class EtatDesDepenses:
    """What tells dépenses apart in their way: where they stand, and what became of them."""

    statut: StatutDepense
    rattachee: bool
    ecartees: bool


#: What each filter asks of a line. Those left out are not in the query: an index can then serve it.
_CONDITIONS: Mapping[str, sql.SQL] = {
    "plie": sql.SQL("o.plie_id = %(plie)s"),
    "operation": sql.SQL("o.numero_mdfse = %(operation)s"),
    "poste": sql.SQL("d.poste = %(poste)s"),
    "statut": sql.SQL("d.statut = %(statut)s"),
    "bilan_id": sql.SQL("d.bilan_id = %(bilan_id)s"),
    "rattachee": sql.SQL("(d.bilan_id IS NOT NULL) = %(rattachee)s"),
    "motif_code": sql.SQL("d.motif_code = %(motif_code)s"),
    "ecartees": sql.SQL("(d.ecarte_centimes > 0) = %(ecartees)s"),
    "date_piece_du": sql.SQL("d.date_piece >= %(date_piece_du)s"),
    "date_piece_au": sql.SQL("d.date_piece <= %(date_piece_au)s"),
    "montant_min": sql.SQL("d.montant_impute_centimes >= %(montant_min)s"),
    "montant_max": sql.SQL("d.montant_impute_centimes <= %(montant_max)s"),
    "recherche": sql.SQL(
        "strpos(lower(concat_ws(' ', d.nature, d.tiers_ref, d.piece_ref, o.numero_mdfse, "
        "o.numero_convention, o.beneficiaire)), lower(%(recherche)s)) > 0"
    ),
}

#: What each sort compares, and its type in a cursor.
_TRIS: Mapping[Tri, tuple[sql.SQL, sql.SQL, type]] = {
    "saisie": (sql.SQL("d.position"), sql.SQL("bigint"), int),
    "date_piece": (sql.SQL("d.date_piece"), sql.SQL("date"), str),
    "montant": (sql.SQL("d.montant_impute_centimes"), sql.SQL("bigint"), int),
    "operation": (sql.SQL("o.numero_mdfse"), sql.SQL("text"), str),
}


def toutes_depenses(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation = ACTUELLE,
    filtres: FiltresDesDepenses = TOUTES,
    *,
    tri: Tri = "saisie",
    ordre: Ordre = "desc",
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Page[DepenseListee]:
    """Return a page of the dépenses of the perimeter, as the situation knows them."""
    liste = f"toutes_depenses {tri} {ordre}"
    cle, position = _lire_curseur(apres, liste, tri)
    query, parameters = _requete(perimetre, situation, filtres, tri, ordre, cle, position)
    rows = (
        conn.cursor(row_factory=class_row(DepenseListee))
        .execute(query + sql.SQL("LIMIT %(limite)s"), {**parameters, "limite": limite + 1})
        .fetchall()
    )
    entier = _TRIS[tri][2] is int
    page = paginer(rows, limite, liste, lambda d: (int(d.cle) if entier else d.cle, d.position))
    numeros = _numeros(conn, {d.operation_id for d in page.lignes if d.bilan_id})
    return Page(tuple(_numerotee(d, numeros) for d in page.lignes), page.suivant)


def parcourir(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation = ACTUELLE,
    filtres: FiltresDesDepenses = TOUTES,
    *,
    tri: Tri = "saisie",
    ordre: Ordre = "desc",
) -> Iterator[DepenseListee]:
    """Yield the whole list, all as it was when the first line was read."""
    query, parameters = _requete(perimetre, situation, filtres, tri, ordre, None, None)
    with instantane(conn):
        numeros = _numeros(conn, None)
        with conn.cursor(name="depenses", row_factory=class_row(DepenseListee)) as cursor:
            cursor.itersize = _LOT
            cursor.execute(query, parameters)
            for lue in cursor:
                yield _numerotee(lue, numeros)


def totaux_par_etat(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation = ACTUELLE,
    filtres: FiltresDesDepenses = TOUTES,
) -> dict[EtatDesDepenses, TotauxDesDepenses]:
    """Add up the dépenses of a filter, apart for each state that some of them are in."""
    query = sql.SQL(
        """
        SELECT
            d.statut, d.bilan_id IS NOT NULL, coalesce(d.ecarte_centimes > 0, false),
            count(*), sum(d.montant_impute_centimes)::bigint,
            coalesce(sum(d.retenu_centimes), 0)::bigint,
            coalesce(sum(d.ecarte_centimes), 0)::bigint
        FROM {depenses} AS d
        INNER JOIN projection.operation AS o ON d.operation_id = o.id
        WHERE {conditions}
        GROUP BY 1, 2, 3
        """
    ).format(depenses=_source(situation), conditions=_conditions(perimetre, filtres))
    rows = conn.execute(query, _parametres(perimetre, situation, filtres)).fetchall()
    trouves = {}
    for statut, rattachee, ecartees, nombre, declare, retenu, ecarte in rows:
        annulee = statut == "annulee"
        trouves[EtatDesDepenses(statut, rattachee, ecartees)] = TotauxDesDepenses(
            nombre, nombre if annulee else 0, 0 if annulee else declare, retenu, ecarte
        )
    return trouves


def totaux(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation = ACTUELLE,
    filtres: FiltresDesDepenses = TOUTES,
) -> TotauxDesDepenses:
    """Add up the dépenses of a filter."""
    return sum(totaux_par_etat(conn, perimetre, situation, filtres).values(), TotauxDesDepenses())


def _requete(
    perimetre: Perimetre,
    situation: Situation,
    filtres: FiltresDesDepenses,
    tri: Tri,
    ordre: Ordre,
    cle: str | int | None,
    position: int | None,
) -> tuple[sql.Composed, dict[str, Any]]:
    colonne, genre, _ = _TRIS[tri]
    au_dela = sql.SQL("({colonne}, d.position) {signe} (%(cle)s::{genre}, %(position)s)")
    query = sql.SQL(
        """
        SELECT
            d.id, d.operation_id, o.numero_mdfse, o.numero_convention, o.beneficiaire, o.plie_id,
            coalesce(p.nom, o.plie_id) AS plie_nom, d.statut, d.poste, d.nature, d.tiers_ref,
            d.piece_ref, d.date_piece, d.date_realisation, d.date_acquittement,
            d.montant_impute_centimes AS montant_impute, d.bilan_id, d.csf_id,
            d.retenu_centimes AS retenu, d.ecarte_centimes AS ecarte, d.motif_code, d.version,
            d.position, {colonne}::text AS cle
        FROM {depenses} AS d
        INNER JOIN projection.operation AS o ON d.operation_id = o.id
        LEFT JOIN projection.plie AS p ON o.sg_id = p.sg_id AND o.plie_id = p.plie_id
        WHERE {conditions} AND {au_dela}
        ORDER BY {colonne} {sens}, d.position {sens}
        """
    ).format(
        colonne=colonne,
        depenses=_source(situation),
        conditions=_conditions(perimetre, filtres),
        au_dela=sql.SQL("true")
        if cle is None
        else au_dela.format(
            colonne=colonne, genre=genre, signe=sql.SQL(">" if ordre == "asc" else "<")
        ),
        sens=sql.SQL("ASC" if ordre == "asc" else "DESC"),
    )
    parameters = {
        **_parametres(perimetre, situation, filtres),
        "cle": cle,
        "position": position,
    }
    return query, parameters


def _source(situation: Situation) -> sql.SQL:
    """Return what is read: what stands now is kept ready; what stood is read from the log."""
    return sql.SQL(
        "projection.depense"
        if situation.actuelle
        else "oi.toutes_depenses_au(%(connu_le)s, %(effet_au)s)"
    )


def _conditions(perimetre: Perimetre, filtres: FiltresDesDepenses) -> sql.Composed:
    asked = [_CONDITIONS[f.name] for f in fields(filtres) if getattr(filtres, f.name) is not None]
    if perimetre.liste is not None:
        asked.append(sql.SQL("o.plie_id = ANY(%(plies)s)"))
    return sql.SQL(" AND ").join([sql.SQL("true"), *asked])


def _parametres(
    perimetre: Perimetre, situation: Situation, filtres: FiltresDesDepenses
) -> dict[str, Any]:
    asked = {f.name: getattr(filtres, f.name) for f in fields(filtres)}
    return {**asked, "plies": perimetre.liste, **situation.parametres}


def _lire_curseur(apres: str | None, liste: str, tri: Tri) -> tuple[str | int | None, int | None]:
    cle, position = lire(apres, liste, _TRIS[tri][2], int)
    if tri == "date_piece" and isinstance(cle, str):
        try:
            date.fromisoformat(cle)
        except ValueError:
            raise CurseurInvalide(apres=apres) from None
    assert not isinstance(position, str)
    return cle, position


def _numeros(conn: Connection[TupleRow], operations: set[UUID] | None) -> dict[UUID, int]:
    """Return the number of each bilan of some operations, of all where none is named."""
    streams = None if operations is None else [convention_of(i) for i in sorted(operations)]
    rows = conn.execute(
        """
        SELECT (e.data ->> 'bilan_id')::uuid, (e.data ->> 'numero')::integer
        FROM oi.event AS e
        WHERE e.name = 'convention.bilan_depose.v1'
            AND (%(streams)s::uuid[] IS NULL OR e.stream_id = ANY(%(streams)s))
        """,
        {"streams": streams},
    )
    return dict(rows.fetchall())


def _numerotee(lue: DepenseListee, numeros: Mapping[UUID, int]) -> DepenseListee:
    if lue.bilan_id is None:
        return lue
    return replace(lue, bilan_numero=numeros.get(lue.bilan_id))
