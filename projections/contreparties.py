"""Contreparties: what funders granted and paid, what operations hold of it."""

from dataclasses import dataclass
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import TupleRow, class_row

from aggregates.contrepartie.state import ContrepartieAbsente
from projections.curseurs import LIMITE_PAR_DEFAUT, Page, lire, paginer
from projections.dossiers import exiger_operation
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation
from projections.subventions_globales import exiger_subvention
from rules.nomenclature import RESSOURCES


@dataclass(frozen=True, slots=True)
class LigneContrepartie:
    """A contrepartie; amounts are cents. ``plie_id`` is absent when the whole OI shares it."""

    id: UUID
    subvention_globale_id: UUID
    type: str
    financeur: str
    plie_id: str | None
    annee: int
    attribue: int
    percu: int
    affecte: int
    version: int
    position: int

    @property
    def type_libelle(self) -> str:
        """The kind of funder as people say it."""
        return RESSOURCES.get(self.type, self.type)

    @property
    def reste(self) -> int:
        """Granted and not held by any operation."""
        return self.attribue - self.affecte


@dataclass(frozen=True, slots=True)
class TotauxContreparties:
    """What all the lines of a list add up to, in cents."""

    attribue: int
    percu: int
    affecte: int

    @property
    def reste(self) -> int:
        """Granted and not held by any operation."""
        return self.attribue - self.affecte


@dataclass(frozen=True, slots=True)
class Affectation:
    """What an operation holds of a contrepartie, in cents."""

    contrepartie_id: UUID
    operation_id: UUID
    numero_mdfse: str
    type: str
    financeur: str
    annee: int
    montant: int


def contreparties(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    subvention_globale_id: UUID,
    situation: Situation = ACTUELLE,
    *,
    plie: str | None = None,
    annee: int | None = None,
    type_financeur: str | None = None,
    recherche: str | None = None,
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Page[LigneContrepartie]:
    """Return the contreparties of a subvention globale, in the order of their recording.

    A PLIE sees its own; those that the whole OI shares are for who sees the whole OI.
    Raises: SubventionGlobaleAbsente.
    """
    exiger_subvention(conn, perimetre, subvention_globale_id, situation)
    (position,) = lire(apres, "contreparties", int)
    rows = _lignes(
        conn,
        perimetre,
        situation,
        sg=subvention_globale_id,
        plie=plie,
        annee=annee,
        type_financeur=type_financeur,
        recherche=recherche,
        position=position,
        limite=limite + 1,
    )
    return paginer(rows, limite, "contreparties", lambda c: (c.position,))


def totaux_des_contreparties(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    subvention_globale_id: UUID,
    situation: Situation = ACTUELLE,
    *,
    plie: str | None = None,
    annee: int | None = None,
    recherche: str | None = None,
) -> TotauxContreparties:
    """Return the sums of `contreparties`, of all its pages."""
    query = sql.SQL(
        """
        SELECT
            coalesce(sum(t.attribue), 0)::bigint AS attribue,
            coalesce(sum(t.percu), 0)::bigint AS percu,
            coalesce(sum(t.affecte), 0)::bigint AS affecte
        FROM ({choisies}) AS t
        """
    ).format(choisies=_choisies(situation))
    parameters = {
        "plies": perimetre.liste,
        "sg": subvention_globale_id,
        "id": None,
        "plie": plie,
        "annee": annee,
        "type": None,
        "recherche": recherche,
        "position": None,
        **situation.parametres,
    }
    cursor = conn.cursor(row_factory=class_row(TotauxContreparties))
    found = cursor.execute(query, parameters).fetchone()
    assert found is not None
    return found


def contrepartie(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    contrepartie_id: UUID,
    situation: Situation = ACTUELLE,
) -> LigneContrepartie:
    """Return one contrepartie, as the situation knows it.

    Raises: ContrepartieAbsente.
    """
    found = _lignes(conn, perimetre, situation, contrepartie_id=contrepartie_id)
    if not found:
        raise ContrepartieAbsente(id=contrepartie_id)
    return found[0]


#: The contreparties as the log knew them: the same columns as `projection.contrepartie`.
_CONTREPARTIES_AU = """(
    SELECT
        p.id, p.sg_id, p.type, p.financeur, p.plie_id, p.annee, p.position,
        sum(CASE e.name WHEN 'contrepartie.attribuee.v1' THEN e.montant
            WHEN 'contrepartie.attribution_annulee.v1' THEN -e.montant ELSE 0 END)::bigint
            AS attribue_centimes,
        sum(CASE e.name WHEN 'contrepartie.percue.v1' THEN e.montant
            WHEN 'contrepartie.perception_annulee.v1' THEN -e.montant ELSE 0 END)::bigint
            AS percu_centimes,
        sum(CASE e.name WHEN 'contrepartie.affectee.v1' THEN e.montant
            WHEN 'contrepartie.affectation_annulee.v1' THEN -e.montant ELSE 0 END)::bigint
            AS affecte_centimes
    FROM projection.contrepartie AS p
    CROSS JOIN LATERAL (
        SELECT f.name, f.version, (f.data ->> 'montant_centimes')::bigint AS montant
        FROM oi.event AS f
        WHERE f.stream_id = p.id AND f.position <= %(connu_le)s AND f.date_effet <= %(effet_au)s
    ) AS e
    GROUP BY p.id
    HAVING bool_or(e.version = 1)
)"""


def _lignes(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation,
    *,
    sg: UUID | None = None,
    contrepartie_id: UUID | None = None,
    plie: str | None = None,
    annee: int | None = None,
    type_financeur: str | None = None,
    recherche: str | None = None,
    position: int | str | None = None,
    limite: int | None = None,
) -> list[LigneContrepartie]:
    query = sql.SQL("{choisies} ORDER BY c.position LIMIT %(limite)s").format(
        choisies=_choisies(situation)
    )
    parameters = {
        "plies": perimetre.liste,
        "sg": sg,
        "id": contrepartie_id,
        "plie": plie,
        "annee": annee,
        "type": type_financeur,
        "recherche": recherche,
        "position": position,
        "limite": limite,
        **situation.parametres,
    }
    return (
        conn.cursor(row_factory=class_row(LigneContrepartie)).execute(query, parameters).fetchall()
    )


def _choisies(situation: Situation) -> sql.Composed:
    return sql.SQL(
        """
        SELECT
            c.id, c.sg_id AS subvention_globale_id, c.type, c.financeur, c.plie_id, c.annee,
            c.attribue_centimes AS attribue, c.percu_centimes AS percu,
            c.affecte_centimes AS affecte,
            (SELECT max(e.version) FROM oi.event AS e
                WHERE e.stream_id = c.id AND e.position <= %(connu_le)s
                    AND e.date_effet <= %(effet_au)s) AS version,
            c.position
        FROM {contreparties} AS c
        WHERE (%(plies)s::text[] IS NULL OR c.plie_id = ANY(%(plies)s))
            AND (%(sg)s::uuid IS NULL OR c.sg_id = %(sg)s)
            AND (%(id)s::uuid IS NULL OR c.id = %(id)s)
            AND (%(plie)s::text IS NULL OR c.plie_id = %(plie)s)
            AND (%(annee)s::integer IS NULL OR c.annee = %(annee)s)
            AND (%(type)s::text IS NULL OR c.type = %(type)s)
            AND (%(recherche)s::text IS NULL
                OR strpos(lower(c.financeur), lower(%(recherche)s)) > 0)
            AND (%(position)s::bigint IS NULL OR c.position > %(position)s)
        """
    ).format(
        contreparties=sql.SQL(
            "projection.contrepartie" if situation.actuelle else _CONTREPARTIES_AU
        )
    )


def affectations(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation = ACTUELLE,
    *,
    operation_id: UUID | None = None,
    contrepartie_id: UUID | None = None,
) -> list[Affectation]:
    """Return what operations hold, of one operation or of one contrepartie.

    Only operations of the perimeter; an affectation that was cancelled whole is not one any more.
    Raises: OperationAbsente.
    """
    if operation_id is not None:
        exiger_operation(conn, perimetre, operation_id, situation)
    query = sql.SQL(
        """
        SELECT
            a.contrepartie_id, a.operation_id, o.numero_mdfse, c.type, c.financeur, c.annee,
            a.montant_centimes AS montant
        FROM {affectations} AS a
        CROSS JOIN LATERAL (
            SELECT k.type, k.financeur, k.annee, k.position
            FROM projection.contrepartie AS k WHERE k.id = a.contrepartie_id
            -- Of one that the whole OI shares, whose it is.
            UNION ALL
            SELECT s.type, s.financeur, s.annee, s.position
            FROM oi.contrepartie_partagee(a.contrepartie_id) AS s
            LIMIT 1
        ) AS c
        INNER JOIN projection.operation AS o ON a.operation_id = o.id
        WHERE (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
            AND (%(operation)s::uuid IS NULL OR a.operation_id = %(operation)s)
            AND (%(contrepartie)s::uuid IS NULL OR a.contrepartie_id = %(contrepartie)s)
            AND a.montant_centimes <> 0
        ORDER BY c.position, o.numero_mdfse
        """
    ).format(
        affectations=sql.SQL(
            "projection.affectation"
            if situation.actuelle
            else "oi.affectations_lues("
            "%(connu_le)s, %(effet_au)s, %(operation)s::uuid, %(contrepartie)s::uuid)"
        )
    )
    parameters = {
        "plies": perimetre.liste,
        "operation": operation_id,
        "contrepartie": contrepartie_id,
        **situation.parametres,
    }
    return conn.cursor(row_factory=class_row(Affectation)).execute(query, parameters).fetchall()
