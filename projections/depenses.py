"""The dépenses of an operation: declared, controlled, and what is wrong with their dates."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import TupleRow, class_row

from aggregates.convention.state import CONVENTION, Convention
from aggregates.depense.events import Detail
from aggregates.depense.state import DEPENSE, DepenseAbsente
from oi_service.ids import convention_of
from projections.curseurs import LIMITE_PAR_DEFAUT, Page, lire, paginer
from projections.dossiers import exiger_operation
from projections.journal import lire_flux
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation
from rules.eligibilite import MOTIFS, Anomalie, anomalies_de_dates
from rules.nomenclature import POSTES

StatutDepense = Literal["declaree", "annulee", "controlee"]
Tri = Literal["saisie", "date_piece", "montant"]
Ordre = Literal["asc", "desc"]


@dataclass(frozen=True, slots=True)
class LigneDepense:
    """A dépense; amounts are cents of total cost. ``retenu`` and ``ecarte`` wait for a control."""

    id: UUID
    operation_id: UUID
    statut: str
    poste: str
    detail: Detail
    montant_impute: int
    bilan_id: UUID | None
    csf_id: UUID | None
    retenu: int | None
    ecarte: int | None
    motif_code: str | None
    anomalies: tuple[Anomalie, ...]
    version: int

    @property
    def poste_libelle(self) -> str:
        """The poste as people say it."""
        return POSTES.get(self.poste, self.poste)

    @property
    def motif_libelle(self) -> str | None:
        """Why a part was set aside."""
        return MOTIFS.get(self.motif_code) if self.motif_code else None


@dataclass(frozen=True, slots=True)
class _Ligne:
    id: UUID
    operation_id: UUID
    statut: str
    poste: str
    montant_impute_centimes: int
    bilan_id: UUID | None
    csf_id: UUID | None
    retenu_centimes: int | None
    ecarte_centimes: int | None
    motif_code: str | None
    version: int
    cle: str
    position: int


def depenses(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    operation_id: UUID,
    situation: Situation = ACTUELLE,
    *,
    poste: str | None = None,
    statut: StatutDepense | None = None,
    bilan_id: UUID | None = None,
    motif_code: str | None = None,
    ecartees: bool | None = None,
    recherche: str | None = None,
    tri: Tri = "saisie",
    ordre: Ordre = "asc",
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Page[LigneDepense]:
    """Return the dépenses of an operation that pass every filter, as the situation knows them.

    ``ecartees`` keeps those of which the control set something aside, or those of which it did not.
    Raises: OperationAbsente.
    """
    exiger_operation(conn, perimetre, operation_id, situation)
    liste = f"depenses {tri} {ordre}"
    cle, position = lire(apres, liste, str, int)
    croissant = ordre == "asc"
    query = sql.SQL(
        """
        WITH cles AS (
            SELECT
                d.*,
                CASE %(tri)s::text
                    WHEN 'date_piece' THEN to_char(d.date_piece, 'YYYYMMDD')
                    -- Moved above zero: a régularisation is negative, and text has no sign.
                    WHEN 'montant' THEN to_char(
                        d.montant_impute_centimes + 10000000000000000, 'FM000000000000000000')
                    ELSE ''
                END AS cle
            FROM {depenses} AS d
            WHERE d.operation_id = %(operation)s
                AND (%(poste)s::text IS NULL OR d.poste = %(poste)s)
                AND (%(statut)s::text IS NULL OR d.statut = %(statut)s)
                AND (%(bilan)s::uuid IS NULL OR d.bilan_id = %(bilan)s)
                AND (%(motif)s::text IS NULL OR d.motif_code = %(motif)s)
                AND (%(ecartees)s::boolean IS NULL OR (d.ecarte_centimes > 0) = %(ecartees)s)
                AND (%(recherche)s::text IS NULL OR strpos(
                    lower(concat_ws(' ', d.nature, d.tiers_ref, d.piece_ref)),
                    lower(%(recherche)s)) > 0)
        )

        SELECT
            c.id, c.operation_id, c.statut, c.poste, c.montant_impute_centimes, c.bilan_id,
            c.csf_id, c.retenu_centimes, c.ecarte_centimes, c.motif_code, c.version, c.cle,
            c.position
        FROM cles AS c
        WHERE %(cle)s::text IS NULL
            OR (c.cle, c.position) {au_dela} (%(cle)s::text, %(position)s::bigint)
        ORDER BY c.cle {sens}, c.position {sens}
        LIMIT %(limite)s
        """
    ).format(
        depenses=_source(situation),
        au_dela=sql.SQL(">" if croissant else "<"),
        sens=sql.SQL("ASC" if croissant else "DESC"),
    )
    parameters = {
        "operation": operation_id,
        "convention": convention_of(operation_id),
        **situation.parametres,
        "poste": poste,
        "statut": statut,
        "bilan": bilan_id,
        "motif": motif_code,
        "ecartees": ecartees,
        "recherche": recherche,
        "tri": tri,
        "cle": cle,
        "position": position,
        "limite": limite + 1,
    }
    rows = conn.cursor(row_factory=class_row(_Ligne)).execute(query, parameters).fetchall()
    page = paginer(rows, limite, liste, lambda d: (d.cle, d.position))
    return Page(_completer(conn, perimetre, operation_id, page.lignes, situation), page.suivant)


def _source(situation: Situation) -> sql.SQL:
    """Return what is read: what stands now is kept ready; what stood is read from the log."""
    return sql.SQL(
        "projection.depense"
        if situation.actuelle
        else "oi.depenses_au(%(operation)s, %(convention)s, %(connu_le)s, %(effet_au)s)"
    )


def depense(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    depense_id: UUID,
    situation: Situation = ACTUELLE,
) -> LigneDepense:
    """Return one dépense, as the situation knows it.

    Raises: DepenseAbsente.
    """
    operation_id = _operation_de(conn, perimetre, depense_id)
    row = (
        conn.cursor(row_factory=class_row(_Ligne))
        .execute(
            sql.SQL(
                """
                SELECT
                    d.id, d.operation_id, d.statut, d.poste, d.montant_impute_centimes, d.bilan_id,
                    d.csf_id, d.retenu_centimes, d.ecarte_centimes, d.motif_code, d.version,
                    '' AS cle, d.position
                FROM {depenses} AS d
                WHERE d.id = %(id)s
                """
            ).format(depenses=_source(situation)),
            {
                "id": depense_id,
                "operation": operation_id,
                "convention": convention_of(operation_id),
                **situation.parametres,
            },
        )
        .fetchone()
    )
    if row is None:
        raise DepenseAbsente(id=depense_id)
    return _completer(conn, perimetre, operation_id, (row,), situation)[0]


def _operation_de(conn: Connection[TupleRow], perimetre: Perimetre, depense_id: UUID) -> UUID:
    row = conn.execute(
        """
        SELECT d.operation_id
        FROM projection.depense AS d
        INNER JOIN projection.operation AS o ON d.operation_id = o.id
        WHERE d.id = %(id)s AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
        """,
        {"id": depense_id, "plies": perimetre.liste},
    ).fetchone()
    if row is None:
        raise DepenseAbsente(id=depense_id)
    operation_id: UUID = row[0]
    return operation_id


def _completer(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    operation_id: UUID,
    lignes: tuple[_Ligne, ...],
    situation: Situation,
) -> tuple[LigneDepense, ...]:
    """Add what only the events say, and the anomalies of dates under the convention in force."""
    convention_id = convention_of(operation_id)
    streams = [convention_id, *(ligne.id for ligne in lignes)]
    flux = lire_flux(conn, perimetre, streams, situation)
    convention = CONVENTION.replay(lu.fait for lu in flux.get(convention_id, ()))
    completes = []
    for ligne in lignes:
        state = DEPENSE.replay(lu.fait for lu in flux[ligne.id])
        assert state is not None
        completes.append(
            LigneDepense(
                id=ligne.id,
                operation_id=ligne.operation_id,
                statut=ligne.statut,
                poste=ligne.poste,
                detail=state.detail,
                montant_impute=ligne.montant_impute_centimes,
                bilan_id=ligne.bilan_id,
                csf_id=ligne.csf_id,
                retenu=ligne.retenu_centimes,
                ecarte=ligne.ecarte_centimes,
                motif_code=ligne.motif_code,
                anomalies=() if convention is None else _anomalies(convention, state.detail),
                version=ligne.version,
            )
        )
    return tuple(completes)


def _anomalies(convention: Convention, detail: Detail) -> tuple[Anomalie, ...]:
    return anomalies_de_dates(
        reglement=convention.cadre.reglement,
        periode=convention.periode,
        realisation=detail.date_realisation,
        acquittement=detail.date_acquittement,
        engagement=detail.date_engagement,
        limite_acquittement=convention.date_limite_acquittement,
    )
