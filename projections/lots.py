"""Lots: the workbooks that were imported, what each brought, what became of it."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from aggregates.lot.state import LotAbsent
from oi_service.codec import REGISTRY, Evenement
from oi_service.ids import lot_of
from projections.curseurs import LIMITE_PAR_DEFAUT, Page, lire, paginer
from projections.histoire import NATURES_DE_LOT
from projections.journal import EvenementLu, lire_flux
from projections.perimetre import Perimetre


@dataclass(frozen=True, slots=True)
class LigneLot:
    """A lot; amounts are cents. ``acteur`` and ``enregistre_le``: who imported it, and when."""

    id: UUID
    numero: int
    subvention_globale_id: UUID
    nature: str
    modele_version: int
    fichier_sha256: str
    fichier_format: str
    fichier_octets: int
    lignes_lues: int
    lignes: int
    ecartees: int
    total: int
    total_controle: int | None
    operations: list[UUID]
    plies: list[str]
    importe_le: date
    annule_le: date | None
    acteur: str
    enregistre_le: datetime
    version: int
    position: int

    @property
    def nature_libelle(self) -> str:
        """What it is made of, as people say it."""
        return NATURES_DE_LOT.get(self.nature, self.nature)

    @property
    def partiel(self) -> bool:
        """Tell whether rows were left out."""
        return self.ecartees > 0


@dataclass(frozen=True, slots=True)
class LigneDuLot:
    """A row of a lot, and the dépense that it made when it made one; amounts are cents."""

    feuille: str
    ligne: int
    flux: UUID
    montant: int
    doublon: bool
    operation_id: UUID | None
    numero_mdfse: str | None
    piece_ref: str | None
    date_piece: date | None
    poste: str | None
    statut: str | None
    bilan_id: UUID | None


_LOTS = """
    SELECT
        l.id, l.numero, l.sg_id AS subvention_globale_id, l.nature, l.modele_version,
        l.fichier_sha256, l.fichier_format, l.fichier_octets, l.lignes_lues, l.lignes, l.ecartees,
        l.total_centimes AS total, l.total_controle_centimes AS total_controle, l.operations,
        l.plies, l.importe_le, l.annule_le, e.acteur, e.enregistre_le,
        CASE WHEN l.annule_le IS NULL THEN 1 ELSE 2 END AS version, l.position
    FROM projection.lot AS l INNER JOIN oi.event AS e ON l.position = e.position
    WHERE (%(plies)s::text[] IS NULL OR (l.plies <> '{}' AND l.plies <@ %(plies)s::text[]))
"""


def lots(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    *,
    nature: str | None = None,
    operation_id: UUID | None = None,
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Page[LigneLot]:
    """Return the lots of the perimeter, the last one first.

    A PLIE sees those that are about it and about no other.
    """
    (position,) = lire(apres, "lots", int)
    with conn.cursor(row_factory=class_row(LigneLot)) as cursor:
        rows = cursor.execute(
            _LOTS
            + """
            AND (%(nature)s::text IS NULL OR l.nature = %(nature)s)
            AND (%(operation)s::uuid IS NULL OR %(operation)s = ANY(l.operations))
            AND (%(position)s::bigint IS NULL OR l.position < %(position)s)
            ORDER BY l.position DESC
            LIMIT %(limite)s
            """,
            {
                "plies": perimetre.liste,
                "nature": nature,
                "operation": operation_id,
                "position": position,
                "limite": limite + 1,
            },
        ).fetchall()
    return paginer(rows, limite, "lots", lambda lot: (lot.position,))


def lot(conn: Connection[TupleRow], perimetre: Perimetre, lot_id: UUID) -> LigneLot:
    """Return one lot.

    Raises: LotAbsent.
    """
    with conn.cursor(row_factory=class_row(LigneLot)) as cursor:
        found = cursor.execute(
            _LOTS + "AND l.id = %(id)s", {"plies": perimetre.liste, "id": lot_id}
        ).fetchone()
    if found is None:
        raise LotAbsent(id=lot_id)
    return found


def histoire_du_lot(
    conn: Connection[TupleRow], perimetre: Perimetre, lot_id: UUID
) -> list[EvenementLu]:
    """Return what happened to a lot, oldest first.

    Raises: LotAbsent.
    """
    found = lire_flux(conn, perimetre, [lot_id]).get(lot_id)
    if not found:
        raise LotAbsent(id=lot_id)
    return found


def lignes_du_lot(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    lot_id: UUID,
    *,
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Page[LigneDuLot]:
    """Return the rows of a lot in the order of the workbook, with what became of each.

    Raises: LotAbsent.
    """
    lot(conn, perimetre, lot_id)
    feuille, ligne = lire(apres, "lignes du lot", str, int)
    with conn.cursor(row_factory=class_row(LigneDuLot)) as cursor:
        rows = cursor.execute(
            """
            SELECT
                x.feuille, x.ligne, x.flux, x.montant_centimes AS montant, x.doublon,
                o.id AS operation_id, o.numero_mdfse, d.piece_ref, d.date_piece, d.poste, d.statut,
                d.bilan_id
            FROM projection.lot_ligne AS x
            INNER JOIN projection.lot AS l ON x.lot_id = l.id
            LEFT JOIN projection.depense AS d ON x.flux = d.id
            -- Ressources are in the stream of the convention of the only operation of the lot.
            LEFT JOIN projection.operation AS o
                ON o.id = coalesce(
                    d.operation_id, CASE WHEN l.nature = 'ressources' THEN l.operations[1] END,
                    x.flux)
            WHERE x.lot_id = %(id)s
                AND (%(feuille)s::text IS NULL
                    OR (x.feuille, x.ligne) > (%(feuille)s::text, %(ligne)s::integer))
            ORDER BY x.feuille, x.ligne
            LIMIT %(limite)s
            """,
            {"id": lot_id, "feuille": feuille, "ligne": ligne, "limite": limite + 1},
        ).fetchall()
    return paginer(rows, limite, "lignes du lot", lambda x: (x.feuille, x.ligne))


def faits_du_lot(conn: Connection[TupleRow], lot_id: UUID) -> list[Evenement]:
    """Return the facts that the act of a lot recorded, its own left out, in the order of its rows.

    Of a kind of lot whose rows make one fact each. Of the whole OI: who acts on a lot was let in.
    """
    rows = conn.execute(
        """
        SELECT e.name, e.data::text, e.date_effet::text, e.motif, e.pieces::text
        FROM projection.lot AS l
        INNER JOIN oi.event AS i ON l.position = i.position
        INNER JOIN oi.command AS c ON i.command_id = c.command_id
        INNER JOIN oi.event AS e ON e.position BETWEEN c.first_position AND c.last_position
        WHERE l.id = %s AND e.stream_id <> l.id
        ORDER BY e.position
        """,
        (lot_id,),
    )
    return [REGISTRY.decode(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class DejaImporte:
    """A lot that a file already made, and that stands."""

    id: UUID
    numero: int
    importe_le: date


def lot_du_fichier(
    conn: Connection[TupleRow], nature: str, fichier_sha256: str
) -> tuple[UUID, DejaImporte | None]:
    """Return the identifier of the lot that a file is, or would be, and that lot when it stands.

    Undone, it may be imported again, as another lot. Asked of the whole OI, whoever acts: the file
    of another territory is no new one.
    """
    rows = conn.execute(
        "SELECT id, numero, importe_le, annule_le FROM projection.lot "
        "WHERE nature = %s AND fichier_sha256 = %s ORDER BY position",
        (nature, fichier_sha256),
    ).fetchall()
    for lot_id, numero, importe_le, annule_le in rows:
        if annule_le is None:
            return lot_id, DejaImporte(lot_id, numero, importe_le)
    return lot_of(nature, fichier_sha256, len(rows) + 1), None


def lots_des_depenses(
    conn: Connection[TupleRow], perimetre: Perimetre, depenses: list[UUID]
) -> dict[UUID, tuple[UUID, int]]:
    """Return the lot of each dépense that a lot brought: its identifier and its number."""
    rows = conn.execute(
        """
        SELECT x.flux, l.id, l.numero
        FROM projection.lot_ligne AS x INNER JOIN projection.lot AS l ON x.lot_id = l.id
        WHERE x.flux = ANY(%(depenses)s)
            AND (%(plies)s::text[] IS NULL OR (l.plies <> '{}' AND l.plies <@ %(plies)s::text[]))
        """,
        {"depenses": depenses, "plies": perimetre.liste},
    )
    return {flux: (lot_id, numero) for flux, lot_id, numero in rows}
