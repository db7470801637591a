"""What still has to be certified by when, and the bilans whose control and sending would do it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, NamedTuple
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from projections.attentes import (
    Attendu,
    Attente,
    Dossier,
    attentes,
    dossiers_conventionnes,
    suivis,
)
from projections.bilans_attendus import BilanAttendu, bilans_de_la_convention
from projections.instantane import instantane
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation
from projections.subventions_globales import exiger_subvention
from rules.degagement import EcheanceDegagement, degagement, echeance_degagement
from rules.parametres import ParametreHorsVigueur

#: Missed for ever, still to do, or done.
EtatObjectif = Literal["manque", "a_couvrir", "atteint"]

ETATS_OBJECTIF: Mapping[EtatObjectif, str] = {
    "manque": "manqué",
    "a_couvrir": "à couvrir",
    "atteint": "atteint",
}


class Certifie(NamedTuple):
    """What a day certified on a place of the maquette, retraits deduced; cents of the Fund."""

    plie_id: str
    axe: str
    objectif_specifique: str
    date_effet: date
    centimes: int


@dataclass(frozen=True, slots=True)
class Objectif:
    """A target in force, as it was fixed; ``None`` takes every PLIE, axe, objective together."""

    plie_id: str | None
    plie_nom: str | None
    axe: str | None
    objectif_specifique: str | None
    annee_engagement: int
    date_limite: date
    montant_cumule: int
    prefinancements: int
    source: str
    fixe_le: date
    position: int

    def vise(self, place: Certifie | Dossier) -> bool:
        """Tell whether money of this place of the maquette counts for the target."""
        return (
            self.plie_id in {None, place.plie_id}
            and self.axe in {None, place.axe}
            and self.objectif_specifique in {None, place.objectif_specifique}
        )


@dataclass(frozen=True, slots=True)
class Etape:
    """A step of the plan: what waits, for how many days, and what the plan reaches with it."""

    attente: Attente
    jours: int
    cumul: int


@dataclass(frozen=True, slots=True)
class ADeclarer:
    """An operation that has still to declare, and the first of its bilans that is awaited.

    ``cumul`` counts all that the operation has not declared yet: a maximum.
    """

    dossier: Dossier
    bilan: BilanAttendu
    cumul: int


@dataclass(frozen=True, slots=True)
class LigneExposee:
    """A target, what is certified of it, and what would cover the rest.

    ``certifie`` stops at the deadline: what comes after saves nothing. ``plan`` goes from what has
    waited longest to what covers the exposure; ``a_declarer`` follows when that does not suffice,
    with bilans expected before the deadline; ``non_couvert`` is what nothing known would cover.
    """

    objectif: Objectif
    le: date
    certifie: int
    #: What the text says of this commitment; ``None`` when it says nothing.
    echeance_du_texte: EcheanceDegagement | None
    plan: tuple[Etape, ...] = ()
    a_declarer: tuple[ADeclarer, ...] = ()

    @property
    def exposition(self) -> int:
        """What would be lost if nothing more were certified."""
        vise = self.objectif
        return degagement(vise.montant_cumule, vise.prefinancements, self.certifie)

    @property
    def etat(self) -> EtatObjectif:
        """Where the target stands."""
        if self.exposition == 0:
            return "atteint"
        return "manque" if self.objectif.date_limite < self.le else "a_couvrir"

    @property
    def etat_libelle(self) -> str:
        """The same as people say it."""
        return ETATS_OBJECTIF[self.etat]

    @property
    def jours_restants(self) -> int:
        """Days until the deadline; negative once it is past."""
        return (self.objectif.date_limite - self.le).days

    @property
    def couvert_par_le_plan(self) -> int:
        """What the bilans that wait would bring, at most, within the exposure."""
        return min(self.exposition, self.plan[-1].cumul if self.plan else 0)

    @property
    def reste_a_declarer(self) -> int:
        """What must still be declared once all that waits is certified."""
        return self.exposition - self.couvert_par_le_plan

    @property
    def non_couvert(self) -> int:
        """What no bilan that waits, or that is awaited before the deadline, would cover."""
        attendu = self.a_declarer[-1].cumul if self.a_declarer else 0
        return max(0, self.reste_a_declarer - attendu)


@dataclass(frozen=True, slots=True)
class PisteDuPlie:
    """What waits in a PLIE, and the next of its own targets that is not reached; cents."""

    plie_id: str
    plie_nom: str
    certifie: int
    a_certifier: int
    a_transmettre: int
    a_controler: int
    prochaine: LigneExposee | None


@dataclass(frozen=True, slots=True)
class Degagement:
    """Every target in force of a subvention globale, by its deadline, and what waits by PLIE."""

    subvention_globale_id: UUID
    numero: str
    reglement: str
    fictive: bool  #: amounts are invented (demonstration)
    le: date
    situation: Situation
    lignes: tuple[LigneExposee, ...]
    par_plie: tuple[PisteDuPlie, ...]


def charger(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    subvention_id: UUID,
    situation: Situation = ACTUELLE,
    *,
    le: date,
) -> Degagement:
    """Return the exposure of a subvention globale as seen on the day ``le``.

    A reader of some PLIE sees their targets; those of the whole OI are for who sees the whole.
    Raises: SubventionGlobaleAbsente.
    """
    with instantane(conn):
        sg = exiger_subvention(conn, perimetre, subvention_id, situation)
        dossiers = dossiers_conventionnes(conn, perimetre, subvention_id, situation)
        plans = _Plans(
            dossiers=dossiers,
            attentes=attentes(dossiers, suivis(conn, perimetre, dossiers, situation)),
            attendus=_Attendus(conn, perimetre, situation, le),
            le=le,
        )
        certifies = _certifies(conn, perimetre, subvention_id, situation)
        lignes = tuple(
            _ligne(objectif, sg.reglement, certifies, plans)
            for objectif in _objectifs(conn, perimetre, subvention_id, situation)
        )
        noms = _noms(conn, perimetre, subvention_id)
    return Degagement(
        subvention_globale_id=subvention_id,
        numero=sg.numero,
        reglement=sg.reglement,
        fictive=sg.fictive,
        le=le,
        situation=situation,
        lignes=lignes,
        par_plie=tuple(_piste(p, nom, certifies, plans.attentes, lignes) for p, nom in noms),
    )


def seuils(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    subvention_id: UUID,
    reglement: str,
    situation: Situation = ACTUELLE,
    *,
    le: date,
) -> tuple[LigneExposee, ...]:
    """Return the targets in force and what is certified of each, without any plan to reach them.

    For who has to be told that something is missing, before asking what would cover it.
    """
    with instantane(conn):
        certifies = _certifies(conn, perimetre, subvention_id, situation)
        objectifs = _objectifs(conn, perimetre, subvention_id, situation)
    return tuple(_exposer(objectif, reglement, certifies, le) for objectif in objectifs)


# --- What is read --------------------------------------------------------------------------------


def _objectifs(
    conn: Connection[TupleRow], perimetre: Perimetre, subvention_id: UUID, situation: Situation
) -> list[Objectif]:
    """Return the targets in force: the last one of each line and deadline."""
    return (
        conn.cursor(row_factory=class_row(Objectif))
        .execute(
            """
            SELECT o.*, p.nom AS plie_nom
            FROM (
                SELECT DISTINCT ON (d.plie_id, d.axe, d.objectif_specifique, d.date_limite)
                    d.plie_id, d.axe, d.objectif_specifique, d.annee_engagement, d.date_limite,
                    d.montant_cumule_centimes AS montant_cumule,
                    d.prefinancements_centimes AS prefinancements, d.source,
                    e.date_effet AS fixe_le, e.position
                FROM oi.event AS e, jsonb_to_record(e.data) AS d (
                    plie_id text, axe text, objectif_specifique text, annee_engagement integer,
                    date_limite date, montant_cumule_centimes bigint,
                    prefinancements_centimes bigint, source text)
                WHERE e.stream_id = %(sg)s
                    AND e.name = 'subvention_globale.objectif_certification_fixe.v1'
                    AND e.position <= %(connu_le)s AND e.date_effet <= %(effet_au)s
                    AND (%(plies)s::text[] IS NULL OR d.plie_id = ANY(%(plies)s))
                ORDER BY d.plie_id, d.axe, d.objectif_specifique, d.date_limite, e.version DESC
            ) AS o
            LEFT JOIN projection.plie AS p ON p.sg_id = %(sg)s AND o.plie_id = p.plie_id
            ORDER BY o.date_limite, p.nom NULLS FIRST, o.axe NULLS FIRST,
                o.objectif_specifique NULLS FIRST
            """,
            {"sg": subvention_id, "plies": perimetre.liste, **situation.parametres},
        )
        .fetchall()
    )


def _certifies(
    conn: Connection[TupleRow], perimetre: Perimetre, subvention_id: UUID, situation: Situation
) -> list[Certifie]:
    rows = conn.execute(
        """
        SELECT plie_id, axe, objectif_specifique, date_effet, sum(centimes)::bigint
        FROM projection.mouvement
        WHERE sg_id = %(sg)s AND mesure = 'fse_certifie'
            AND (%(plies)s::text[] IS NULL OR plie_id = ANY(%(plies)s))
            AND position <= %(connu_le)s AND date_effet <= %(effet_au)s
        GROUP BY plie_id, axe, objectif_specifique, date_effet
        """,
        {"sg": subvention_id, "plies": perimetre.liste, **situation.parametres},
    )
    return [Certifie(*row) for row in rows]


def _noms(
    conn: Connection[TupleRow], perimetre: Perimetre, subvention_id: UUID
) -> list[tuple[str, str]]:
    rows = conn.execute(
        """
        SELECT plie_id, nom FROM projection.plie
        WHERE sg_id = %(sg)s AND (%(plies)s::text[] IS NULL OR plie_id = ANY(%(plies)s))
        ORDER BY nom, plie_id
        """,
        {"sg": subvention_id, "plies": perimetre.liste},
    )
    return [(plie_id, nom) for plie_id, nom in rows]


class _Attendus:
    """The first bilan that is awaited of an operation, read only if a plan asks for it."""

    def __init__(
        self, conn: Connection[TupleRow], perimetre: Perimetre, situation: Situation, le: date
    ) -> None:
        self._conn = conn
        self._perimetre = perimetre
        self._situation = situation
        self._le = le
        self._lus: dict[UUID, BilanAttendu | None] = {}

    def premier(self, operation_id: UUID) -> BilanAttendu | None:
        if operation_id not in self._lus:
            prevus = bilans_de_la_convention(
                self._conn, self._perimetre, operation_id, self._situation, le=self._le
            )
            attendus = (b for b in prevus if b.etat in {"attendu", "en_retard", "reclame"})
            self._lus[operation_id] = next(attendus, None)
        return self._lus[operation_id]


# --- The plan ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Plans:
    """What every plan is made of."""

    dossiers: Sequence[Dossier]
    attentes: Sequence[Attente]
    attendus: _Attendus
    le: date

    def etapes(self, objectif: Objectif, exposition: int) -> Iterator[Etape]:
        """Take what waits, the oldest first, until the exposure is covered."""
        cumul = 0
        for attente in self.attentes:
            if cumul >= exposition:
                return
            if objectif.vise(attente.dossier):
                cumul += attente.montant
                yield Etape(attente, (self.le - attente.depuis).days, cumul)

    def a_declarer(self, objectif: Objectif, manque: int) -> Iterator[ADeclarer]:
        """Take what is awaited before the deadline, the nearest first, until it suffices.

        Nobody counts on what was abandoned or terminated: its bilan may never come.
        """
        candidats = [
            (bilan, dossier)
            for dossier in self.dossiers
            if dossier.reste_a_declarer > 0
            and objectif.vise(dossier)
            and (bilan := self.attendus.premier(dossier.id)) is not None
            and bilan.statut not in {"abandonne", "resilie"}
            and bilan.date_limite <= objectif.date_limite
        ]
        cumul = 0
        for bilan, dossier in sorted(
            candidats, key=lambda c: (c[0].date_limite, c[1].numero_mdfse)
        ):
            if cumul >= manque:
                return
            cumul += dossier.reste_a_declarer
            yield ADeclarer(dossier, bilan, cumul)


def _exposer(
    objectif: Objectif, reglement: str, certifies: Sequence[Certifie], le: date
) -> LigneExposee:
    certifie = sum(
        c.centimes for c in certifies if objectif.vise(c) and c.date_effet <= objectif.date_limite
    )
    return LigneExposee(objectif, le, certifie, _echeance(objectif.annee_engagement, reglement))


def _ligne(
    objectif: Objectif, reglement: str, certifies: Sequence[Certifie], plans: _Plans
) -> LigneExposee:
    ligne = _exposer(objectif, reglement, certifies, plans.le)
    if ligne.etat != "a_couvrir":
        return ligne
    ligne = replace(ligne, plan=tuple(plans.etapes(objectif, ligne.exposition)))
    return replace(ligne, a_declarer=tuple(plans.a_declarer(objectif, ligne.reste_a_declarer)))


def _echeance(annee: int, reglement: str) -> EcheanceDegagement | None:
    try:
        return echeance_degagement(annee, reglement)
    except ParametreHorsVigueur:
        return None


def _piste(
    plie_id: str,
    nom: str,
    certifies: Sequence[Certifie],
    waiting: Sequence[Attente],
    lignes: Sequence[LigneExposee],
) -> PisteDuPlie:
    def attendu(quoi: Attendu) -> int:
        return sum(a.montant for a in waiting if a.dossier.plie_id == plie_id and a.attendu == quoi)

    siennes = (x for x in lignes if x.objectif.plie_id == plie_id and x.etat == "a_couvrir")
    return PisteDuPlie(
        plie_id=plie_id,
        plie_nom=nom,
        certifie=sum(c.centimes for c in certifies if c.plie_id == plie_id),
        a_certifier=attendu("certifier"),
        a_transmettre=attendu("transmettre"),
        a_controler=attendu("controler"),
        prochaine=next(siennes, None),
    )
