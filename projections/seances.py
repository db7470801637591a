"""Sessions of the committee: what waits for a decision, what the enveloppes still hold, what was
decided on a day.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from aggregates.cadre import Cellule
from aggregates.convention.state import CONVENTION
from aggregates.operation.events import AvisAgdRendu, AvisPlieRendu
from aggregates.operation.state import OPERATION, Operation
from oi_service.ids import convention_of
from projections.curseurs import LIMITE_MAXIMALE
from projections.dossiers import ATTENTES, LigneOperation, operations
from projections.journal import EvenementLu, evenements, lire_flux
from projections.perimetre import Perimetre

Decision = Literal["programmee", "ajournee", "refusee", "deprogrammee", "avenant_programme"]


@dataclass(frozen=True, slots=True)
class DossierADecider:
    """A dossier, or an avenant of it, that waits for the committee; amounts are cents.

    ``engage``: what the enveloppe would hold more, or less, if it were programmed.
    """

    operation_id: UUID
    numero_mdfse: str
    beneficiaire: str
    intitule: str
    plie_id: str
    plie_nom: str
    statut: str
    statut_libelle: str
    cellule: Cellule
    fse: int
    cout_total: int
    engage: int
    avenant: int | None
    motif: str | None
    avis_instruction: str | None
    avis_plie: str | None
    avis_agd: str | None


@dataclass(frozen=True, slots=True)
class EnveloppeDeCellule:
    """What a PLIE may programme on a line of the maquette; cents."""

    plie_id: str
    plie_nom: str
    annee: int
    axe: str
    objectif_specifique: str
    dispositif: str
    alloue: int
    programme: int

    def est(self, cellule: Cellule) -> bool:
        """Tell whether it is the enveloppe of a cell."""
        ligne = cellule.ligne
        return (
            self.plie_id,
            self.annee,
            self.axe,
            self.objectif_specifique,
            self.dispositif,
        ) == (
            cellule.plie_id,
            ligne.annee,
            ligne.axe,
            ligne.objectif_specifique,
            ligne.dispositif,
        )


@dataclass(frozen=True, slots=True)
class Seance:
    """A session as its decisions tell it; cents programmed that day."""

    le: date
    instance: str
    pv_ref: str
    decisions: int
    programmees: int
    fse: int


@dataclass(frozen=True, slots=True)
class DecisionRendue:
    """A decision of a session, and the dossier that it is about."""

    decision: Decision
    numero_mdfse: str
    beneficiaire: str
    intitule: str
    plie_nom: str
    lu: EvenementLu


def dossiers_a_decider(
    conn: Connection[TupleRow], perimetre: Perimetre, subvention_id: UUID
) -> tuple[DossierADecider, ...]:
    """Return what waits for the committee, PLIE by PLIE, avenants after dossiers."""
    deposees = operations(
        conn,
        perimetre,
        subvention_globale_id=subvention_id,
        parmi=ATTENTES["comite"][1],
        tri="plie",
        limite=LIMITE_MAXIMALE,
    ).lignes
    flux = lire_flux(conn, perimetre, [o.id for o in deposees])
    dossiers = [_dossier(o, flux[o.id]) for o in deposees if o.id in flux]
    return (*dossiers, *_avenants(conn, perimetre, subvention_id))


def _dossier(ligne: LigneOperation, lus: Iterable[EvenementLu]) -> DossierADecider:
    faits = [lu.fait for lu in lus]
    operation = OPERATION.replay(faits)
    assert operation is not None
    plie = [f.avis for f in faits if isinstance(f, AvisPlieRendu)]
    agd = [f.avis for f in faits if isinstance(f, AvisAgdRendu)]
    return DossierADecider(
        operation_id=ligne.id,
        numero_mdfse=ligne.numero_mdfse,
        beneficiaire=ligne.beneficiaire,
        intitule=ligne.intitule,
        plie_id=ligne.plie_id,
        plie_nom=ligne.plie_nom,
        statut=ligne.statut,
        statut_libelle=ligne.statut_libelle,
        cellule=operation.cellule,
        fse=operation.plan.fse_centimes,
        cout_total=operation.plan.cout_total_centimes,
        engage=operation.plan.fse_centimes,
        avenant=None,
        motif=None,
        avis_instruction=operation.avis,
        avis_plie=plie[-1] if plie else None,
        avis_agd=agd[-1] if agd else None,
    )


def _avenants(
    conn: Connection[TupleRow], perimetre: Perimetre, subvention_id: UUID
) -> Iterable[DossierADecider]:
    """Yield the avenants that were asked and that nobody examined yet."""
    rows = conn.execute(
        """
        SELECT DISTINCT ON (e.stream_id) (s.data ->> 'operation_id')::uuid, e.name
        FROM oi.event AS e
        INNER JOIN oi.event AS s
            ON e.stream_id = s.stream_id AND s.version = 1 AND s.name = 'convention.signee.v1'
        WHERE e.name IN (
            'convention.avenant_demande.v1', 'convention.avenant_programme.v1',
            'convention.avenant_signe.v1', 'convention.avenant_abandonne.v1')
        ORDER BY e.stream_id, e.version DESC
        """
    ).fetchall()
    demandes = [row[0] for row in rows if row[1] == "convention.avenant_demande.v1"]
    if not demandes:
        return
    lignes = {
        o.id: o
        for operation_id in demandes
        for o in operations(
            conn, perimetre, operation_id=operation_id, subvention_globale_id=subvention_id
        ).lignes
    }
    flux = lire_flux(conn, perimetre, [i for o in lignes for i in (o, convention_of(o))])
    for operation_id, ligne in lignes.items():
        operation = OPERATION.replay(lu.fait for lu in flux[operation_id])
        assert operation is not None
        avenant = _avenant(ligne, operation, flux[convention_of(operation_id)])
        if avenant is not None:
            yield avenant


def _avenant(
    ligne: LigneOperation, operation: Operation, lus: Iterable[EvenementLu]
) -> DossierADecider | None:
    lus = list(lus)
    convention = CONVENTION.replay(lu.fait for lu in lus)
    if convention is None or convention.avenant_en_cours is None:
        return None
    apres = convention.avenant_en_cours.apres
    plan = apres.plan or convention.plan
    return DossierADecider(
        operation_id=ligne.id,
        numero_mdfse=ligne.numero_mdfse,
        beneficiaire=ligne.beneficiaire,
        intitule=ligne.intitule,
        plie_id=ligne.plie_id,
        plie_nom=ligne.plie_nom,
        statut=ligne.statut,
        statut_libelle=ligne.statut_libelle,
        cellule=operation.cellule,
        fse=plan.fse_centimes,
        cout_total=plan.cout_total_centimes,
        # What it costs less is given back when it is signed, not before.
        engage=max(0, plan.fse_centimes - convention.fse_max),
        avenant=convention.avenant_en_cours.numero,
        motif=lus[-1].motif,
        avis_instruction=None,
        avis_plie=None,
        avis_agd=None,
    )


def enveloppes_des_cellules(
    conn: Connection[TupleRow], perimetre: Perimetre, subvention_id: UUID
) -> tuple[EnveloppeDeCellule, ...]:
    """Return what each PLIE holds and has programmed, line by line."""
    return tuple(
        conn.cursor(row_factory=class_row(EnveloppeDeCellule))
        .execute(
            """
            SELECT
                v.plie_id, coalesce(p.nom, v.plie_id) AS plie_nom, v.annee, v.axe,
                v.objectif_specifique, v.dispositif, v.alloue_centimes AS alloue,
                v.programme_centimes AS programme
            FROM projection.enveloppe AS v
            INNER JOIN projection.plie AS p ON v.sg_id = p.sg_id AND v.plie_id = p.plie_id
            WHERE v.sg_id = %(sg)s
                AND (%(plies)s::text[] IS NULL OR v.plie_id = ANY(%(plies)s))
            ORDER BY plie_nom, v.annee, v.axe, v.objectif_specifique, v.dispositif
            """,
            {"sg": subvention_id, "plies": perimetre.liste},
        )
        .fetchall()
    )


def seances(
    conn: Connection[TupleRow], perimetre: Perimetre, limite: int = 12
) -> tuple[Seance, ...]:
    """Return the last sessions, as their decisions tell them."""
    return tuple(
        conn.cursor(row_factory=class_row(Seance))
        .execute(
            """
            SELECT
                e.date_effet AS le, e.data ->> 'instance' AS instance,
                e.data ->> 'pv_ref' AS pv_ref, count(*) AS decisions,
                count(*) FILTER (WHERE e.name = 'operation.programmee.v1') AS programmees,
                coalesce(sum((e.data ->> 'fse_centimes')::bigint)
                    FILTER (WHERE e.name = 'operation.programmee.v1'), 0)::bigint AS fse
            FROM oi.event AS e
            INNER JOIN projection.operation AS o ON e.stream_id = o.id
            WHERE e.name IN (
                'operation.programmee.v1', 'operation.ajournee.v1', 'operation.refusee.v1')
                AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
            GROUP BY e.date_effet, e.data ->> 'instance', e.data ->> 'pv_ref'
            ORDER BY e.date_effet DESC, pv_ref DESC
            LIMIT %(limite)s
            """,
            {"plies": perimetre.liste, "limite": limite},
        )
        .fetchall()
    )


def decisions_de_la_seance(
    conn: Connection[TupleRow], perimetre: Perimetre, *, le: date, instance: str, pv_ref: str
) -> tuple[DecisionRendue, ...]:
    """Return what a session decided, in the order in which it was recorded."""
    rows = conn.execute(
        """
        SELECT
            e.position, split_part(e.name, '.', 2), o.numero_mdfse, o.beneficiaire, o.intitule,
            coalesce(p.nom, o.plie_id)
        FROM oi.event AS e
        LEFT JOIN oi.event AS s
            ON e.stream_id = s.stream_id AND s.version = 1 AND s.name = 'convention.signee.v1'
        INNER JOIN projection.operation AS o
            ON coalesce((s.data ->> 'operation_id')::uuid, e.stream_id) = o.id
        LEFT JOIN projection.plie AS p ON o.sg_id = p.sg_id AND o.plie_id = p.plie_id
        WHERE e.name IN (
            'operation.programmee.v1', 'operation.ajournee.v1', 'operation.refusee.v1',
            'operation.deprogrammee.v1', 'convention.avenant_programme.v1')
            AND e.date_effet = %(le)s AND e.data ->> 'instance' = %(instance)s
            AND e.data ->> 'pv_ref' = %(pv_ref)s
            AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
        ORDER BY e.position
        """,
        {"le": le, "instance": instance, "pv_ref": pv_ref, "plies": perimetre.liste},
    ).fetchall()
    lus = evenements(conn, perimetre, [row[0] for row in rows])
    return tuple(
        DecisionRendue(decision, numero, beneficiaire, intitule, plie, lus[position])
        for position, decision, numero, beneficiaire, intitule, plie in rows
        if position in lus
    )
