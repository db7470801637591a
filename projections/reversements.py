"""Orders to pay back over the whole perimeter, and what is certified of each operation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import TupleRow, class_row

from projections.curseurs import LIMITE_MAXIMALE, LIMITE_PAR_DEFAUT, Page, lire, paginer
from projections.instantane import instantane
from projections.paiements import DOSSIERS, conventions_lues
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation

#: Where an order stands: asked, told to the beneficiary, disputed, settled, given up, annulled.
EtatOrdre = Literal["emis", "notifie", "conteste", "solde", "irrecouvrable", "annule"]
ETATS: Mapping[EtatOrdre, str] = {
    "emis": "émis",
    "notifie": "notifié",
    "conteste": "contesté",
    "solde": "soldé",
    "irrecouvrable": "irrécouvrable",
    "annule": "annulé",
}
#: States in which something is still asked, and not disputed.
EN_COURS: tuple[EtatOrdre, ...] = ("emis", "notifie")
FINIS: tuple[EtatOrdre, ...] = ("solde", "irrecouvrable", "annule")


@dataclass(frozen=True, slots=True)
class LigneOrdre:
    """An order to pay back; amounts are cents. ``rentre``: cashed or compensated."""

    id: UUID
    operation_id: UUID
    numero_mdfse: str
    numero_convention: str | None
    beneficiaire: str
    siret: str
    plie_id: str
    plie_nom: str
    etat: EtatOrdre
    montant: int
    encaisse: int
    compense: int
    perdu: int
    echeance: date
    motif: str | None
    emis_par: str
    emis_le: date
    notifie_le: date | None
    conteste_le: date | None
    le: date
    position: int
    dernier: int  #: position of its last fact

    @property
    def etat_libelle(self) -> str:
        """The state as people say it."""
        return ETATS[self.etat]

    @property
    def reste(self) -> int:
        """What is still asked."""
        if self.etat == "annule":
            return 0
        return self.montant - self.encaisse - self.compense - self.perdu


_NOMS = (
    "convention.ordre_reversement_emis.v1",
    "convention.ordre_reversement_notifie.v1",
    "convention.ordre_reversement_conteste.v1",
    "convention.contestation_tranchee.v1",
    "convention.ordre_reversement_annule.v1",
    "convention.reversement_encaisse.v1",
    "convention.compensation_operee.v1",
    "convention.creance_irrecouvrable.v1",
    "convention.creance_retablie.v1",
)

_ORDRES = sql.SQL(
    """
    WITH fait AS (
        SELECT
            e.position, e.stream_id, e.date_effet, e.acteur, e.motif, e.data,
            e.data ->> 'ordre_id' AS ordre_id, split_part(e.name, '.', 2) AS acte,
            (e.data ->> 'montant_centimes')::bigint AS montant
        FROM oi.event AS e
        WHERE e.name = ANY(%(noms)s)
            AND (%(flux)s::uuid[] IS NULL OR e.stream_id = ANY(%(flux)s))
            AND e.position <= %(connu_le)s AND e.date_effet <= %(effet_au)s
    ),

    suivi AS (
        SELECT
            f.stream_id, f.ordre_id::uuid AS id,
            max(f.montant) FILTER (WHERE f.acte = 'ordre_reversement_emis') AS montant,
            max(f.data ->> 'echeance')::date AS echeance,
            max(f.motif) FILTER (WHERE f.acte = 'ordre_reversement_emis') AS motif,
            max(f.acteur) FILTER (WHERE f.acte = 'ordre_reversement_emis') AS emis_par,
            max(f.date_effet) FILTER (WHERE f.acte = 'ordre_reversement_emis') AS emis_le,
            min(f.position) AS position,
            max(f.position) AS dernier,
            max(f.date_effet) AS le,
            max(f.date_effet) FILTER (WHERE f.acte = 'ordre_reversement_notifie') AS notifie_le,
            max(f.date_effet) FILTER (WHERE f.acte = 'ordre_reversement_conteste') AS conteste_le,
            coalesce(sum(f.montant) FILTER (
                WHERE f.acte = 'reversement_encaisse'), 0)::bigint AS encaisse,
            coalesce(sum(f.montant) FILTER (
                WHERE f.acte = 'compensation_operee'), 0)::bigint AS compense,
            coalesce(sum(
                CASE f.acte
                    WHEN 'creance_irrecouvrable' THEN f.montant
                    WHEN 'creance_retablie' THEN -f.montant
                END), 0)::bigint AS perdu,
            bool_or(f.acte = 'ordre_reversement_annule') AS annule,
            coalesce(max(f.position) FILTER (WHERE f.acte = 'ordre_reversement_conteste'), 0)
            > coalesce(max(f.position) FILTER (WHERE f.acte = 'contestation_tranchee'), 0)
            AS conteste
        FROM fait AS f
        GROUP BY f.stream_id, f.ordre_id
    ),

    {dossiers},

    ordre AS (
        SELECT
            s.*, o.operation_id, o.numero_mdfse, o.numero_convention, o.beneficiaire, o.siret,
            o.plie_id, o.plie_nom,
            CASE
                WHEN s.annule THEN 'annule'
                WHEN s.montant = s.encaisse + s.compense + s.perdu AND s.perdu > 0
                    THEN 'irrecouvrable'
                WHEN s.montant = s.encaisse + s.compense THEN 'solde'
                WHEN s.conteste THEN 'conteste'
                WHEN s.notifie_le IS NOT NULL THEN 'notifie'
                ELSE 'emis'
            END AS etat
        FROM suivi AS s INNER JOIN dossier AS o ON s.stream_id = o.stream_id
        -- An order whose own day has not come is not asked yet.
        WHERE s.montant IS NOT NULL
    )
    """
).format(dossiers=DOSSIERS)


def ordres(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation = ACTUELLE,
    *,
    etats: tuple[EtatOrdre, ...] = (),
    plie: str | None = None,
    recherche: str | None = None,
    operation_id: UUID | None = None,
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Page[LigneOrdre]:
    """Return the orders that pass every filter, the first to fall due first.

    Raises: CurseurInvalide.
    """
    echeance, position = lire(apres, "ordres", str, int)
    query = sql.SQL(
        """
        {ordres}

        SELECT
            o.id, o.operation_id, o.numero_mdfse, o.numero_convention, o.beneficiaire, o.siret,
            o.plie_id, o.plie_nom, o.etat, o.montant, o.encaisse, o.compense, o.perdu, o.echeance,
            o.motif, o.emis_par, o.emis_le, o.notifie_le, o.conteste_le, o.le, o.position,
            o.dernier
        FROM ordre AS o
        WHERE (%(etats)s::text[] IS NULL OR o.etat = ANY(%(etats)s))
            AND (%(plie)s::text IS NULL OR o.plie_id = %(plie)s)
            AND (%(recherche)s::text IS NULL OR strpos(
                lower(concat_ws(' ', o.numero_mdfse, o.numero_convention, o.beneficiaire)),
                lower(%(recherche)s)) > 0)
            AND (%(echeance)s::text IS NULL
                OR (to_char(o.echeance, 'YYYY-MM-DD'), o.position)
                > (%(echeance)s::text, %(position)s::bigint))
        ORDER BY o.echeance, o.position
        LIMIT %(limite)s
        """
    ).format(ordres=_ORDRES)
    parameters = {
        "noms": list(_NOMS),
        **situation.parametres,
        "etats": list(etats) or None,
        "plie": plie,
        "recherche": recherche,
        "echeance": echeance,
        "position": position,
        "limite": limite + 1,
    }
    with instantane(conn):
        parameters |= conventions_lues(conn, perimetre, operation_id)
        rows = conn.cursor(row_factory=class_row(LigneOrdre)).execute(query, parameters).fetchall()
    return paginer(rows, limite, "ordres", lambda o: (o.echeance.isoformat(), o.position))


def ordre(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID, ordre_id: UUID
) -> LigneOrdre | None:
    """Return one order of an operation, as it stands."""
    siens = ordres(conn, perimetre, operation_id=operation_id, limite=LIMITE_MAXIMALE)
    return next((o for o in siens.lignes if o.id == ordre_id), None)


def nombres_par_etat(
    conn: Connection[TupleRow], perimetre: Perimetre, situation: Situation = ACTUELLE
) -> dict[str, int]:
    """Return how many orders stand in each state."""
    query = sql.SQL("{ordres} SELECT o.etat, count(*) FROM ordre AS o GROUP BY o.etat").format(
        ordres=_ORDRES
    )
    with instantane(conn):
        choisies = conventions_lues(conn, perimetre)
        rows = conn.execute(query, {"noms": list(_NOMS), **choisies, **situation.parametres})
        return dict(rows.fetchall())


# --- Certification -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LigneCertification:
    """What an operation gives to certify: kept by controls, sent, certified; amounts are cents."""

    operation_id: UUID
    numero_mdfse: str
    beneficiaire: str
    plie_id: str
    plie_nom: str
    fse_retenu: int
    fse_transmis: int
    fse_certifie: int
    ct_retenu: int
    ct_transmis: int
    ct_certifie: int

    @property
    def a_transmettre(self) -> int:
        """Kept by controls and not sent to the State; negative when a control took some back."""
        return self.fse_retenu - self.fse_transmis

    @property
    def a_certifier(self) -> int:
        """Sent, and not certified yet."""
        return self.fse_transmis - self.fse_certifie

    @property
    def a_retirer(self) -> int:
        """Certified, and not kept any more."""
        return max(0, self.fse_certifie - self.fse_retenu)


def certifications(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation = ACTUELLE,
    *,
    plie: str | None = None,
    recherche: str | None = None,
    operation_id: UUID | None = None,
    tout: bool = False,
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Page[LigneCertification]:
    """Return the operations of which something is to send, to certify or to withdraw.

    ``tout`` adds those of which all is certified. Raises: CurseurInvalide.
    """
    (numero,) = lire(apres, "certifications", str)
    rows = (
        conn.cursor(row_factory=class_row(LigneCertification))
        .execute(
            """
            SELECT
                o.id AS operation_id, o.numero_mdfse, o.beneficiaire, o.plie_id,
                coalesce(p.nom, o.plie_id) AS plie_nom, s.*
            FROM projection.operation AS o
            LEFT JOIN projection.plie AS p ON o.sg_id = p.sg_id AND o.plie_id = p.plie_id
            CROSS JOIN LATERAL (
                SELECT
                    coalesce(sum(m.centimes) FILTER (
                        WHERE m.mesure = 'fse_retenu_csf'), 0)::bigint AS fse_retenu,
                    coalesce(sum(m.centimes) FILTER (
                        WHERE m.mesure = 'fse_transmis'), 0)::bigint AS fse_transmis,
                    coalesce(sum(m.centimes) FILTER (
                        WHERE m.mesure = 'fse_certifie'), 0)::bigint AS fse_certifie,
                    coalesce(sum(m.centimes) FILTER (
                        WHERE m.mesure = 'ct_retenu_csf'), 0)::bigint AS ct_retenu,
                    coalesce(sum(m.centimes) FILTER (
                        WHERE m.mesure = 'ct_transmis'), 0)::bigint AS ct_transmis,
                    coalesce(sum(m.centimes) FILTER (
                        WHERE m.mesure = 'ct_certifie'), 0)::bigint AS ct_certifie
                FROM projection.mouvement AS m
                WHERE m.operation_id = o.id AND m.position <= %(connu_le)s
                    AND m.date_effet <= %(effet_au)s
                    AND m.mesure IN (
                        'fse_retenu_csf', 'fse_transmis', 'fse_certifie', 'ct_retenu_csf',
                        'ct_transmis', 'ct_certifie')
            ) AS s
            WHERE o.numero_convention IS NOT NULL
                AND (s.fse_retenu, s.fse_transmis, s.fse_certifie, s.ct_retenu) <> (0, 0, 0, 0)
                AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
                AND (%(plie)s::text IS NULL OR o.plie_id = %(plie)s)
                AND (%(operation)s::uuid IS NULL OR o.id = %(operation)s)
                AND (%(tout)s OR (s.fse_retenu, s.ct_retenu) <> (s.fse_certifie, s.ct_certifie)
                    OR s.fse_transmis <> s.fse_certifie)
                AND (%(recherche)s::text IS NULL OR strpos(
                    lower(concat_ws(' ', o.numero_mdfse, o.numero_convention, o.beneficiaire)),
                    lower(%(recherche)s)) > 0)
                AND (%(numero)s::text IS NULL OR o.numero_mdfse > %(numero)s)
            ORDER BY o.numero_mdfse
            LIMIT %(limite)s
            """,
            {
                "plies": perimetre.liste,
                **situation.parametres,
                "plie": plie,
                "operation": operation_id,
                "recherche": recherche,
                "tout": tout,
                "numero": numero,
                "limite": limite + 1,
            },
        )
        .fetchall()
    )
    return paginer(rows, limite, "certifications", lambda o: (o.numero_mdfse,))


def certification(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID
) -> LigneCertification | None:
    """Return what one operation gives to certify; nothing before its first valid control."""
    lignes = certifications(conn, perimetre, operation_id=operation_id, tout=True).lignes
    return next(iter(lignes), None)
