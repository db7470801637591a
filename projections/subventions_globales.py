"""Subventions globales: the grant, and the enveloppe of each PLIE under it."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import TupleRow, class_row

from aggregates.parametres import Parametres
from aggregates.subvention_globale.events import (
    AvenantSubventionGlobaleSigne,
    LigneTranche,
    ObjectifSpecifique,
    Plie,
    SubventionGlobaleConventionnee,
    TrancheOuverte,
)
from aggregates.subvention_globale.state import SubventionGlobaleAbsente
from oi_service.codec import REGISTRY, Evenement
from oi_service.dates import Periode
from projections.curseurs import LIMITE_PAR_DEFAUT, Page, lire, paginer
from projections.maquette import HORS_PLIE
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation


@dataclass(frozen=True, slots=True)
class LigneSubvention:
    """A subvention globale as its last avenant left it; the grant is in cents."""

    id: UUID
    oi_id: str
    oi_nom: str
    reglement: str
    numero: str
    programme: str
    fse_total: int
    programmation_debut: date
    programmation_fin: date
    fictive: bool
    position: int


@dataclass(frozen=True, slots=True)
class AvenantVu:
    """An avenant of the grant: what it changed. Amounts are cents."""

    numero: int
    objet: str
    date_effet: date
    fse_total_avant: int
    fse_total_apres: int
    programmation_avant: Periode
    programmation_apres: Periode
    realisation_avant: Periode
    realisation_apres: Periode


@dataclass(frozen=True, slots=True)
class Tranche:
    """A year of the grant and its lines."""

    annee: int
    ouverte_le: date
    lignes: tuple[LigneTranche, ...]


@dataclass(frozen=True, slots=True)
class FicheSubvention:
    """Everything that a reader may know of a grant.

    ``plie`` are those of the perimeter; ``tranches`` belong to the whole OI and are empty for who
    sees less.
    """

    resume: LigneSubvention
    version: int
    conventionnee_le: date
    agd: str
    programme_cci: str
    programmation: Periode
    realisation: Periode
    parametres: Parametres
    plie: tuple[Plie, ...]
    objectifs_specifiques: tuple[ObjectifSpecifique, ...]
    avenants: tuple[AvenantVu, ...]
    tranches: tuple[Tranche, ...]


@dataclass(frozen=True, slots=True)
class LigneEnveloppe:
    """What a PLIE, or the réserve, has on a line of the maquette: cents of the Fund.

    ``programme`` is what programming holds now: what soldes gave back is free again.
    """

    plie_id: str
    nom: str | None
    annee: int
    axe: str
    objectif_specifique: str
    dispositif: str
    alloue: int
    programme: int

    @property
    def plie_nom(self) -> str:
        """Who holds it, as people say it."""
        return self.nom or HORS_PLIE.get(self.plie_id, self.plie_id)

    @property
    def disponible(self) -> int:
        """What may still be programmed."""
        return self.alloue - self.programme


def subventions_globales(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation = ACTUELLE,
    *,
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Page[LigneSubvention]:
    """Return the grants under which the perimeter has a PLIE, in the order of their recording.

    A grant is there once it is known, whatever its day: operations may begin before its signature.
    """
    (position,) = lire(apres, "subventions globales", int)
    rows = _subventions(conn, perimetre, situation, position=position, limite=limite + 1)
    return paginer(rows, limite, "subventions globales", lambda s: (s.position,))


def exiger_subvention(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    subvention_id: UUID,
    situation: Situation = ACTUELLE,
) -> LigneSubvention:
    """Refuse a grant that the perimeter does not hold, as one that does not exist (yet).

    Raises: SubventionGlobaleAbsente.
    """
    found = _subventions(conn, perimetre, situation, subvention_id=subvention_id)
    if not found:
        raise SubventionGlobaleAbsente(id=subvention_id)
    return found[0]


#: The grants as the log knew them: the same columns as `projection.subvention_globale`.
_SUBVENTIONS_AU = """(
    SELECT
        p.id, p.oi_id, p.oi_nom, p.reglement, p.numero, p.programme, p.fictive, p.position,
        coalesce(a.data ->> 'fse_total_apres_centimes', c.data ->> 'fse_total_centimes')::bigint
            AS fse_total_centimes,
        (coalesce(a.data -> 'programmation_apres', c.data -> 'programmation') ->> 'debut')::date
            AS programmation_debut,
        (coalesce(a.data -> 'programmation_apres', c.data -> 'programmation') ->> 'fin')::date
            AS programmation_fin
    FROM projection.subvention_globale AS p
    INNER JOIN LATERAL oi.actes_communs(p.id) AS c
        ON c.version = 1 AND c.position <= %(connu_le)s
    LEFT JOIN LATERAL (
        SELECT e.data FROM oi.actes_communs(p.id) AS e
        WHERE e.name = 'subvention_globale.avenant_signe.v1'
            AND e.position <= %(connu_le)s AND e.date_effet <= %(effet_au)s
        ORDER BY e.version DESC LIMIT 1
    ) AS a ON true
)"""


def _subventions(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation,
    *,
    subvention_id: UUID | None = None,
    position: int | str | None = None,
    limite: int | None = None,
) -> list[LigneSubvention]:
    query = sql.SQL(
        """
        SELECT
            s.id, s.oi_id, s.oi_nom, s.reglement, s.numero, s.programme,
            s.fse_total_centimes AS fse_total, s.programmation_debut, s.programmation_fin,
            s.fictive, s.position
        FROM {subventions} AS s
        WHERE (%(id)s::uuid IS NULL OR s.id = %(id)s)
            AND (%(plies)s::text[] IS NULL OR EXISTS (
                SELECT FROM projection.plie AS p
                WHERE p.sg_id = s.id AND p.plie_id = ANY(%(plies)s)))
            AND (%(position)s::bigint IS NULL OR s.position > %(position)s)
        ORDER BY s.position
        LIMIT %(limite)s
        """
    ).format(
        subventions=sql.SQL(
            "projection.subvention_globale" if situation.actuelle else _SUBVENTIONS_AU
        )
    )
    parameters = {
        "id": subvention_id,
        "plies": perimetre.liste,
        "position": position,
        "limite": limite,
        **situation.parametres,
    }
    return conn.cursor(row_factory=class_row(LigneSubvention)).execute(query, parameters).fetchall()


def fiche_subvention(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    subvention_id: UUID,
    situation: Situation = ACTUELLE,
) -> FicheSubvention:
    """Return the whole grant, as the situation knows it.

    Raises: SubventionGlobaleAbsente.
    """
    resume = exiger_subvention(conn, perimetre, subvention_id, situation)
    # The acts that grant are known to all; what they share between PLIE is filtered below.
    faits, version = _actes(conn, subvention_id, situation)
    convention = faits[0]
    assert isinstance(convention, SubventionGlobaleConventionnee)
    avenants = [_avenant(f) for f in faits if isinstance(f, AvenantSubventionGlobaleSigne)]
    tranches = [
        Tranche(f.annee, f.date_effet, f.lignes) for f in faits if isinstance(f, TrancheOuverte)
    ]
    return FicheSubvention(
        resume=resume,
        version=version,
        conventionnee_le=convention.date_effet,
        agd=convention.agd,
        programme_cci=convention.programme_cci,
        programmation=avenants[-1].programmation_apres if avenants else convention.programmation,
        realisation=avenants[-1].realisation_apres if avenants else convention.realisation,
        parametres=convention.parametres,
        plie=tuple(p for p in convention.plie if perimetre.contient(p.plie_id)),
        objectifs_specifiques=convention.objectifs_specifiques,
        avenants=tuple(avenants),
        tranches=tuple(tranches) if perimetre.plie_ids is None else (),
    )


def _actes(
    conn: Connection[TupleRow], subvention_id: UUID, situation: Situation
) -> tuple[list[Evenement], int]:
    """Return the signature and the acts that followed it, and the version of the grant."""
    rows = conn.execute(
        """
        SELECT
            a.name, a.data::text, a.date_effet::text,
            coalesce(oi.version_de(%(sg)s, %(connu_le)s, %(effet_au)s), 1)
        FROM oi.actes_communs(%(sg)s) AS a
        WHERE a.position <= %(connu_le)s AND (a.version = 1 OR a.date_effet <= %(effet_au)s)
        ORDER BY a.version
        """,
        {"sg": subvention_id, **situation.parametres},
    ).fetchall()
    faits = [REGISTRY.decode(name, data, jour, None, None) for name, data, jour, _ in rows]
    return faits, rows[0][3]


def _avenant(fait: AvenantSubventionGlobaleSigne) -> AvenantVu:
    return AvenantVu(
        numero=fait.numero_avenant,
        objet=fait.objet,
        date_effet=fait.date_effet,
        fse_total_avant=fait.fse_total_avant_centimes,
        fse_total_apres=fait.fse_total_apres_centimes,
        programmation_avant=fait.programmation_avant,
        programmation_apres=fait.programmation_apres,
        realisation_avant=fait.realisation_avant,
        realisation_apres=fait.realisation_apres,
    )


#: The enveloppes as the ledger knew them: the same columns as `projection.enveloppe`.
_ENVELOPPES_AU = """(
    SELECT
        m.sg_id, m.plie_id, m.annee, m.axe, m.objectif_specifique, m.dispositif,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_maquette'), 0)::bigint
            AS alloue_centimes,
        coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_programme_ajuste'), 0)::bigint
            AS programme_centimes
    FROM projection.mouvement AS m
    WHERE m.sg_id = %(sg)s AND m.mesure IN ('fse_maquette', 'fse_programme_ajuste')
        AND m.position <= %(connu_le)s AND m.date_effet <= %(effet_au)s
        AND m.plie_id <> 'non_reparti'
    GROUP BY m.sg_id, m.plie_id, m.annee, m.axe, m.objectif_specifique, m.dispositif
)"""


def enveloppes(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    subvention_globale_id: UUID,
    situation: Situation = ACTUELLE,
    *,
    plie: str | None = None,
    annee: int | None = None,
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Page[LigneEnveloppe]:
    """Return the enveloppes of a grant, by PLIE then line of the maquette.

    Raises: SubventionGlobaleAbsente.
    """
    exiger_subvention(conn, perimetre, subvention_globale_id, situation)
    depuis = lire(apres, "enveloppes", str, int, str, str, str)
    parameters = {
        "sg": subvention_globale_id,
        "plies": perimetre.liste,
        "plie": plie,
        "annee": annee,
        "limite": limite + 1,
        **situation.parametres,
        **dict(zip(("c1", "c2", "c3", "c4", "c5"), depuis, strict=True)),
    }
    query = sql.SQL(
        """
        SELECT
            v.plie_id, p.nom, v.annee, v.axe, v.objectif_specifique, v.dispositif,
            v.alloue_centimes AS alloue, v.programme_centimes AS programme
        FROM {enveloppes} AS v
        LEFT JOIN projection.plie AS p ON v.sg_id = p.sg_id AND v.plie_id = p.plie_id
        WHERE v.sg_id = %(sg)s
            AND (%(plies)s::text[] IS NULL OR v.plie_id = ANY(%(plies)s))
            AND (%(plie)s::text IS NULL OR v.plie_id = %(plie)s)
            AND (%(annee)s::integer IS NULL OR v.annee = %(annee)s)
            AND (%(c1)s::text IS NULL
                OR (v.plie_id, v.annee, v.axe, v.objectif_specifique, v.dispositif)
                > (%(c1)s::text, %(c2)s::bigint, %(c3)s::text, %(c4)s::text, %(c5)s::text))
        ORDER BY v.plie_id, v.annee, v.axe, v.objectif_specifique, v.dispositif
        LIMIT %(limite)s
        """
    ).format(enveloppes=sql.SQL("projection.enveloppe" if situation.actuelle else _ENVELOPPES_AU))
    rows = conn.cursor(row_factory=class_row(LigneEnveloppe)).execute(query, parameters).fetchall()
    return paginer(
        rows,
        limite,
        "enveloppes",
        lambda v: (v.plie_id, v.annee, v.axe, v.objectif_specifique, v.dispositif),
    )
