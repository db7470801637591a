"""The money of each convention on its way to the State: which bilan waits for what, since when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from oi_service.ids import convention_of
from projections.perimetre import Perimetre
from projections.situation import Situation

#: What a bilan waits for, in the order of the work: control, sending to the AGD, certification.
Attendu = Literal["controler", "transmettre", "certifier"]

ATTENDUS: Mapping[Attendu, str] = {
    "controler": "à contrôler",
    "transmettre": "à transmettre",
    "certifier": "à certifier",
}


@dataclass(frozen=True, slots=True)
class Dossier:
    """An operation under convention; cents of the Fund."""

    id: UUID
    numero_mdfse: str
    beneficiaire: str
    plie_id: str
    plie_nom: str
    axe: str
    objectif_specifique: str
    conventionne: int
    declare: int
    retenu: int

    @property
    def reste_a_declarer(self) -> int:
        """What is under convention and no bilan declares yet."""
        return self.conventionne - self.declare


@dataclass(slots=True)
class BilanSuivi:
    """A bilan that stands: what it declares, and what its controls retained of it since."""

    id: UUID
    numero: int
    type: str
    depose_le: date
    declare: int
    retenu: int = 0
    controle_le: date | None = None

    @property
    def a_controler(self) -> int:
        """What it declares and nobody has controlled."""
        return self.declare if self.controle_le is None else 0


@dataclass(slots=True)
class Suivi:
    """A convention on its way: its bilans, and what the State did with them."""

    bilans: dict[UUID, BilanSuivi] = field(default_factory=dict)
    transmissions: list[tuple[date, int]] = field(default_factory=list)
    #: What the State withdrew since is included: sending it again would save nothing.
    certifie: int = 0
    repris: int = 0  #: what a closure without bilan took back, never positive

    @property
    def final(self) -> BilanSuivi | None:
        """The final bilan, once filed."""
        return next((b for b in self.bilans.values() if b.type == "final"), None)


@dataclass(frozen=True, slots=True)
class Attente:
    """Money of a bilan that waits for somebody, since a day; cents of the Fund.

    What waits for its control may still be rejected: its amount is a maximum.
    """

    attendu: Attendu
    depuis: date
    montant: int
    dossier: Dossier
    bilan_id: UUID
    numero: int
    type: str

    @property
    def attendu_libelle(self) -> str:
        """What it waits for, as people say it."""
        return ATTENDUS[self.attendu]


def dossiers_conventionnes(
    conn: Connection[TupleRow], perimetre: Perimetre, subvention_id: UUID, situation: Situation
) -> list[Dossier]:
    """Return the operations under convention of a grant, by their number."""
    return (
        conn.cursor(row_factory=class_row(Dossier))
        .execute(
            """
            SELECT
                o.id, o.numero_mdfse, o.beneficiaire, o.plie_id,
                coalesce(p.nom, o.plie_id) AS plie_nom, o.axe, o.objectif_specifique,
                a.conventionne::bigint, coalesce(a.declare, 0)::bigint AS declare,
                coalesce(a.retenu, 0)::bigint AS retenu
            FROM (
                SELECT
                    m.operation_id,
                    sum(m.centimes) FILTER (WHERE m.mesure = 'fse_conventionne') AS conventionne,
                    sum(m.centimes) FILTER (WHERE m.mesure = 'fse_declare') AS declare,
                    sum(m.centimes) FILTER (WHERE m.mesure = 'fse_retenu_csf') AS retenu
                FROM projection.mouvement AS m
                WHERE m.sg_id = %(sg)s AND m.operation_id IS NOT NULL
                    AND m.mesure IN ('fse_conventionne', 'fse_declare', 'fse_retenu_csf')
                    AND m.position <= %(connu_le)s AND m.date_effet <= %(effet_au)s
                GROUP BY m.operation_id
            ) AS a
            INNER JOIN projection.operation AS o ON a.operation_id = o.id
            LEFT JOIN projection.plie AS p ON o.sg_id = p.sg_id AND o.plie_id = p.plie_id
            WHERE a.conventionne > 0
                AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
            ORDER BY o.numero_mdfse
            """,
            {"sg": subvention_id, "plies": perimetre.liste, **situation.parametres},
        )
        .fetchall()
    )


def suivis(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    dossiers: Iterable[Dossier],
    situation: Situation,
) -> Mapping[UUID, Suivi]:
    """Follow the money of each convention as the situation knows it, by operation."""
    operations = {convention_of(d.id): d.id for d in dossiers if perimetre.contient(d.plie_id)}
    found = {operation_id: Suivi() for operation_id in operations.values()}
    rows = conn.execute(
        """
        SELECT
            e.stream_id, e.name, e.date_effet, e.date_effet <= %(effet_au)s,
            (e.data ->> 'bilan_id')::uuid, (e.data ->> 'numero')::integer, e.data ->> 'type',
            coalesce(
                (e.data ->> 'fse_declare_centimes')::bigint,
                (e.data ->> 'fse_du_periode_centimes')::bigint,
                (e.data ->> 'fse_du_apres_centimes')::bigint
                    - (e.data ->> 'fse_du_avant_centimes')::bigint,
                (e.data ->> 'fse_centimes')::bigint)
        FROM oi.event AS e
        WHERE e.stream_id = ANY(%(conventions)s) AND e.name IN (
            'convention.bilan_depose.v1', 'convention.bilan_renvoye.v1',
            'convention.csf_valide.v1', 'convention.cloture_office_prononcee.v1',
            'convention.etat_depenses_transmis.v1', 'convention.depense_certifiee.v1')
            AND e.position <= %(connu_le)s
            -- A bilan may count later than its control, which names it.
            AND (e.date_effet <= %(effet_au)s OR e.name = 'convention.bilan_depose.v1')
        ORDER BY e.stream_id, e.version
        """,
        {"conventions": list(operations), **situation.parametres},
    )
    for convention_id, name, jour, compte, bilan_id, numero, type_, centimes in rows:
        suivi = found[operations[convention_id]]
        match name:
            case "convention.bilan_depose.v1":
                declare = centimes if compte else 0
                suivi.bilans[bilan_id] = BilanSuivi(bilan_id, numero, type_, jour, declare)
            case "convention.bilan_renvoye.v1":
                del suivi.bilans[bilan_id]
            case "convention.csf_valide.v1":
                suivi.bilans[bilan_id].retenu += centimes
                suivi.bilans[bilan_id].controle_le = jour
            case "convention.cloture_office_prononcee.v1":
                suivi.repris += centimes
            case "convention.etat_depenses_transmis.v1":
                suivi.transmissions.append((jour, centimes))
            case "convention.depense_certifiee.v1":
                suivi.certifie += centimes
            case _:
                raise AssertionError(name)
    return found


def attentes(dossiers: Iterable[Dossier], suivis: Mapping[UUID, Suivi]) -> list[Attente]:
    """Return what waits, the oldest first.

    Of two things that wait since one day, the nearer to its certification comes first.
    """
    found = (a for dossier in dossiers for a in _du_dossier(dossier, suivis[dossier.id]))
    etapes = list(ATTENDUS)
    return sorted(
        found,
        key=lambda a: (a.depuis, -etapes.index(a.attendu), a.dossier.numero_mdfse, a.numero),
    )


def _du_dossier(dossier: Dossier, suivi: Suivi) -> Iterable[Attente]:
    """Say what each bilan waits for: statements and certification take the first bilans first."""
    bilans = sorted(suivi.bilans.values(), key=lambda b: b.numero)
    transmis = sum(montant for _, montant in suivi.transmissions)
    certifie = suivi.certifie
    for bilan, retenu in zip(bilans, _retenus(bilans, suivi.repris), strict=True):
        envoye, couvert = min(retenu, transmis), min(retenu, certifie)
        transmis -= envoye
        certifie -= couvert
        waiting: tuple[tuple[Attendu, date, int], ...] = (
            ("controler", bilan.depose_le, bilan.a_controler),
            ("transmettre", bilan.controle_le or bilan.depose_le, retenu - envoye),
            ("certifier", _premiere_a_certifier(suivi), envoye - couvert),
        )
        for attendu, depuis, montant in waiting:
            if montant > 0:
                yield Attente(
                    attendu=attendu,
                    depuis=depuis,
                    montant=montant,
                    dossier=dossier,
                    bilan_id=bilan.id,
                    numero=bilan.numero,
                    type=bilan.type,
                )


def _retenus(bilans: Sequence[BilanSuivi], repris: int) -> list[int]:
    """Return what is retained of each bilan: what a later control took back comes off the last."""
    restes = []
    for bilan in reversed(bilans):
        restes.append(max(0, bilan.retenu + repris))
        repris = min(0, bilan.retenu + repris)
    return restes[::-1]


def _premiere_a_certifier(suivi: Suivi) -> date:
    """Return the day of the first statement that is not wholly certified."""
    reste = suivi.certifie
    for jour, montant in suivi.transmissions:
        reste -= montant
        if reste < 0:
            return jour
    return date.max  # All is certified: no amount waits since this day.
