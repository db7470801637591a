"""Bilans on their way through the contrôle de service fait: where each stands, and since when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from aggregates.convention.events import BilanDepose, CsfOuvert, CsfValide
from aggregates.convention.state import CONVENTION, Bilan, Convention, Csf
from aggregates.depense.events import DepenseControlee
from aggregates.depense.state import DEPENSE, Depense
from aggregates.operation.state import OPERATION, Operation
from oi_service.codec import Piece
from oi_service.ids import convention_of
from projections.journal import EvenementLu, lire_flux
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation
from rules.delai_paiement import Horloge, Interruption, delai_paiement, horloge

#: Where a bilan stands, in the order of the work.
Etape = Literal["recevabilite", "ouverture", "controle", "contradictoire", "validation", "valide"]

#: What each place is called, in the order of the work.
ETAPES: Mapping[Etape, str] = {
    "recevabilite": "Recevabilité à juger",
    "ouverture": "À contrôler",
    "controle": "Contrôles en cours",
    "contradictoire": "En phase contradictoire",
    "validation": "À valider",
    "valide": "Validés récemment",
}

#: How many of the last validated controls are shown with what waits.
RECENTS = 10

#: The facts that make a bilan move towards the validation of its control.
_FAITS = (
    "convention.bilan_depose.v1",
    "convention.bilan_renvoye.v1",
    "convention.csf_ouvert.v1",
    "convention.conclusions_intermediaires_notifiees.v1",
    "convention.observations_recues.v1",
    "convention.conclusions_finales_notifiees.v1",
    "convention.csf_propose.v1",
    "convention.csf_renvoye.v1",
    "convention.csf_valide.v1",
    "convention.csf_rouvert.v1",
)


@dataclass(frozen=True, slots=True)
class BilanEnControle:
    """A bilan that stands, and its control as far as it went; amounts are cents of the Fund.

    ``declare`` is what it asks; ``du``, what a validated control says is due for it. Of its
    dépenses, ``decidees`` have a decision: known of the present only.
    """

    le: date
    operation_id: UUID
    numero_mdfse: str
    beneficiaire: str
    plie_id: str
    plie_nom: str
    reglement: str
    bilan_id: UUID
    numero: int
    type: str
    depose_le: date
    declare: int
    nb_depenses: int
    decidees: int
    ecartees: int
    recevable_le: date | None
    csf_id: UUID | None
    csf_version: int | None
    controleur: str | None
    ouvert_le: date | None
    conclusions_le: date | None
    reponse_jusqu_au: date | None
    observations_le: date | None
    finales_le: date | None
    propose_le: date | None
    propose_par: str | None
    renvoye_le: date | None
    motif_renvoi: str | None
    valide_le: date | None
    valideur: str | None
    du: int | None
    rouvert_le: date | None
    interruptions: Sequence[Sequence[str | None]]

    @property
    def etape(self) -> Etape:
        """Where it stands."""
        if self.valide_le is not None and self.rouvert_le is None:
            return "valide"
        if self.csf_id is None or self.rouvert_le is not None:
            return "recevabilite" if self.recevable_le is None else "ouverture"
        if self.propose_le is not None:
            return "validation"
        entendu = self.finales_le is not None or self.renvoye_le is not None
        return "contradictoire" if self.conclusions_le and not entendu else "controle"

    @property
    def horloge(self) -> Horloge:
        """The clock of its payment, which runs from its deposit."""
        pauses = [
            Interruption(
                du=date.fromisoformat(du), au=None if au is None else date.fromisoformat(au)
            )
            for du, au in self.interruptions
            if du is not None
        ]
        return horloge(self.depose_le, pauses, None, self.delai_jours, self.le)

    @property
    def delai_jours(self) -> int:
        """Days that the texts leave, from its deposit, to pay it."""
        return delai_paiement(self.depose_le, self.reglement)

    @property
    def age(self) -> int:
        """Days since it arrived, those of an interruption included."""
        return (self.le - self.depose_le).days

    @property
    def etape_libelle(self) -> str:
        """Where it stands, as people say it."""
        return ETAPES[self.etape]

    @property
    def echeance(self) -> date | None:
        """Last day to pay it; unknown while its clock is interrupted."""
        return self.horloge.echeance

    @property
    def delai_depasse(self) -> bool:
        """Whether its delay of payment has passed before its control was validated."""
        limite = self.echeance
        return self.etape != "valide" and limite is not None and limite < self.le

    @property
    def en_retard(self) -> bool:
        """Whether somebody should have moved it on by now."""
        return self.delai_depasse or self.reponse_depassee

    def repond(self, etape: Etape | None, suivi_par: str | None, *, tard: bool) -> bool:
        """Tell whether it passes filters: its place, who controls or validated it, its delay."""
        return (
            etape in {None, self.etape}
            and suivi_par in {None, self.controleur, self.valideur}
            and (not tard or self.en_retard)
        )

    @property
    def reponse_depassee(self) -> bool:
        """Whether the beneficiary has had the time to answer, and has not."""
        return (
            self.etape == "contradictoire"
            and self.observations_le is None
            and self.reponse_jusqu_au is not None
            and self.reponse_jusqu_au < self.le
        )


def bilans_en_controle(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    le: date,
    situation: Situation = ACTUELLE,
    *,
    plie_id: str | None = None,
) -> list[BilanEnControle]:
    """Return the bilans that wait for a step of their control, and those validated lately.

    The oldest first. One query, whatever their number.
    """
    return (
        conn.cursor(row_factory=class_row(BilanEnControle))
        .execute(
            """
            WITH faits AS MATERIALIZED (
                SELECT
                    e.stream_id, e.version, e.name, e.date_effet, e.data, e.reglement, e.motif,
                    (e.data ->> 'bilan_id')::uuid AS bilan_id, (e.data ->> 'csf_id')::uuid AS csf_id
                FROM oi.event AS e
                WHERE e.name = ANY(%(faits)s)
                    AND e.position <= %(connu_le)s AND e.date_effet <= %(effet_au)s
            ),

            deposes AS (
                SELECT
                    d.stream_id, d.bilan_id, d.reglement, d.date_effet AS depose_le,
                    (d.data ->> 'operation_id')::uuid AS operation_id,
                    (d.data ->> 'numero')::integer AS numero, d.data ->> 'type' AS type,
                    (d.data ->> 'fse_declare_centimes')::bigint AS declare,
                    jsonb_array_length(d.data -> 'depenses') AS nb_depenses
                FROM faits AS d
                WHERE d.name = 'convention.bilan_depose.v1'
                    AND NOT EXISTS (
                        SELECT FROM faits AS r
                        WHERE r.bilan_id = d.bilan_id AND r.name = 'convention.bilan_renvoye.v1')
            ),

            csf AS (
                SELECT DISTINCT ON (c.bilan_id)
                    c.bilan_id, c.csf_id, c.version AS rang, c.date_effet AS ouvert_le,
                    (c.data ->> 'version')::integer AS version,
                    c.data ->> 'controleur' AS controleur
                FROM faits AS c
                WHERE c.name = 'convention.csf_ouvert.v1'
                ORDER BY c.bilan_id, c.version DESC
            ),

            -- The last of each act, of the control under way.
            actes AS (
                SELECT DISTINCT ON (a.csf_id, a.name)
                    a.csf_id, a.name, a.version, a.date_effet, a.data, a.motif
                FROM faits AS a
                INNER JOIN csf ON a.csf_id = csf.csf_id
                WHERE a.name <> 'convention.csf_ouvert.v1'
                ORDER BY a.csf_id, a.name, a.version DESC
            ),

            suivis AS (
                SELECT
                    d.*, csf.csf_id, csf.version AS csf_version, csf.controleur, csf.ouvert_le,
                    k.date_effet AS conclusions_le, k.version AS rang_conclusions,
                    (k.data ->> 'date_limite_reponse')::date AS reponse_jusqu_au,
                    o.date_effet AS observations_le, f.date_effet AS finales_le,
                    p.date_effet AS propose_le, p.data ->> 'controleur' AS propose_par,
                    p.version AS rang_propose, r.date_effet AS renvoye_le, r.motif AS motif_renvoi,
                    r.version AS rang_renvoye, v.date_effet AS valide_le,
                    v.data ->> 'valideur' AS valideur,
                    (v.data ->> 'fse_du_periode_centimes')::bigint AS du,
                    x.date_effet AS rouvert_le, o.version AS rang_observations,
                    f.version AS rang_finales
                FROM deposes AS d
                LEFT JOIN csf ON d.bilan_id = csf.bilan_id
                LEFT JOIN actes AS k ON csf.csf_id = k.csf_id
                    AND k.name = 'convention.conclusions_intermediaires_notifiees.v1'
                LEFT JOIN actes AS o ON csf.csf_id = o.csf_id
                    AND o.name = 'convention.observations_recues.v1'
                LEFT JOIN actes AS f ON csf.csf_id = f.csf_id
                    AND f.name = 'convention.conclusions_finales_notifiees.v1'
                LEFT JOIN actes AS p ON csf.csf_id = p.csf_id
                    AND p.name = 'convention.csf_propose.v1'
                LEFT JOIN actes AS r ON csf.csf_id = r.csf_id
                    AND r.name = 'convention.csf_renvoye.v1'
                LEFT JOIN actes AS v ON csf.csf_id = v.csf_id
                    AND v.name = 'convention.csf_valide.v1'
                LEFT JOIN actes AS x ON csf.csf_id = x.csf_id
                    AND x.name = 'convention.csf_rouvert.v1'
            )

            SELECT
                %(le)s::date AS le, s.operation_id, o.numero_mdfse, o.beneficiaire, o.plie_id,
                coalesce(p.nom, o.plie_id) AS plie_nom, s.reglement, s.bilan_id, s.numero, s.type,
                s.depose_le, s.declare, s.nb_depenses, coalesce(n.decidees, 0) AS decidees,
                coalesce(n.ecartees, 0) AS ecartees,
                -- From the log itself, by its index: few bilans wait, and facts are many.
                (
                    SELECT min(j.date_effet)
                    FROM oi.event AS j
                    WHERE j.stream_id = s.stream_id
                        AND j.name = 'convention.bilan_juge_recevable.v1'
                        AND j.data ->> 'bilan_id' = s.bilan_id::text
                        AND j.position <= %(connu_le)s AND j.date_effet <= %(effet_au)s
                ) AS recevable_le,
                s.csf_id, s.csf_version, s.controleur, s.ouvert_le, s.conclusions_le,
                s.reponse_jusqu_au,
                -- An answer, and what follows it, are to the last conclusions.
                CASE WHEN s.rang_observations > s.rang_conclusions THEN s.observations_le END
                    AS observations_le,
                CASE WHEN s.rang_finales > s.rang_conclusions THEN s.finales_le END AS finales_le,
                CASE WHEN s.rang_propose > coalesce(s.rang_renvoye, 0) THEN s.propose_le END
                    AS propose_le,
                CASE WHEN s.rang_propose > coalesce(s.rang_renvoye, 0) THEN s.propose_par END
                    AS propose_par,
                CASE WHEN s.rang_renvoye > coalesce(s.rang_propose, 0) THEN s.renvoye_le END
                    AS renvoye_le,
                CASE WHEN s.rang_renvoye > coalesce(s.rang_propose, 0) THEN s.motif_renvoi END
                    AS motif_renvoi,
                s.valide_le, s.valideur, s.du, s.rouvert_le,
                coalesce((
                    SELECT jsonb_agg(jsonb_build_array(i.date_effet, (
                        SELECT min(q.date_effet)
                        FROM oi.event AS q
                        WHERE q.stream_id = i.stream_id AND q.version > i.version
                            AND q.name = 'convention.delai_paiement_repris.v1'
                            AND q.data ->> 'bilan_id' = i.data ->> 'bilan_id'
                            AND q.position <= %(connu_le)s AND q.date_effet <= %(effet_au)s
                    )) ORDER BY i.version)
                    FROM oi.event AS i
                    WHERE i.stream_id = s.stream_id
                        AND i.name = 'convention.delai_paiement_interrompu.v1'
                        AND i.data ->> 'bilan_id' = s.bilan_id::text
                        AND i.position <= %(connu_le)s AND i.date_effet <= %(effet_au)s
                ), '[]') AS interruptions
            FROM suivis AS s
            INNER JOIN projection.operation AS o ON s.operation_id = o.id
            LEFT JOIN projection.plie AS p ON o.sg_id = p.sg_id AND o.plie_id = p.plie_id
            LEFT JOIN LATERAL (
                SELECT
                    count(*) FILTER (WHERE d.statut = 'controlee') AS decidees,
                    count(*) FILTER (WHERE d.ecarte_centimes > 0) AS ecartees
                FROM projection.depense AS d
                WHERE d.bilan_id = s.bilan_id
            ) AS n ON %(actuelle)s AND s.valide_le IS NULL
            WHERE (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
                AND (%(plie)s::text IS NULL OR o.plie_id = %(plie)s)
                AND (
                    s.valide_le IS NULL OR s.rouvert_le IS NOT NULL OR s.bilan_id IN (
                        SELECT t.bilan_id
                        FROM suivis AS t
                        INNER JOIN projection.operation AS u ON t.operation_id = u.id
                        WHERE t.valide_le IS NOT NULL AND t.rouvert_le IS NULL
                            AND (%(plies)s::text[] IS NULL OR u.plie_id = ANY(%(plies)s))
                            AND (%(plie)s::text IS NULL OR u.plie_id = %(plie)s)
                        ORDER BY t.valide_le DESC, t.bilan_id
                        LIMIT %(recents)s))
            ORDER BY s.depose_le, o.numero_mdfse, s.numero
            """,
            {
                "faits": list(_FAITS),
                "le": le,
                "recents": RECENTS,
                "plies": perimetre.liste,
                "plie": plie_id,
                "actuelle": situation.actuelle,
                **situation.parametres,
            },
        )
        .fetchall()
    )


def plies_des_bilans(bilans: Iterable[BilanEnControle]) -> list[tuple[str, str]]:
    """Return the PLIE that have a bilan among these, by their name."""
    return sorted({(b.plie_id, b.plie_nom) for b in bilans}, key=lambda p: p[1])


# --- One control ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OperationControlee:
    """The operation of a bilan under control."""

    id: UUID
    numero_mdfse: str
    intitule: str
    beneficiaire: str
    siret: str
    plie_id: str
    plie_nom: str
    numero_convention: str
    oi_nom: str
    fictive: bool


@dataclass(frozen=True, slots=True)
class DepenseLue:
    """A dépense of the bilan: its state, the last decision on it, the documents that came with it.

    ``decision`` was taken by whom ``controleur`` names, in this version of the control or before.
    """

    id: UUID
    etat: Depense
    version: int
    decision: EvenementLu | None
    pieces: tuple[Piece, ...]

    @property
    def controlee(self) -> DepenseControlee | None:
        """What the last decision says."""
        fait = None if self.decision is None else self.decision.fait
        assert fait is None or isinstance(fait, DepenseControlee)
        return fait


@dataclass(frozen=True, slots=True)
class ControleLu:
    """Everything that a control stands on, as it is at one instant.

    ``version`` is that of the convention; ``actes``, its facts about this bilan, oldest first.
    """

    operation: OperationControlee
    etat: Operation
    convention: Convention
    version: int
    bilan: Bilan
    csf: Csf
    depenses: Mapping[UUID, DepenseLue]
    actes: tuple[EvenementLu, ...]

    @property
    def etats(self) -> dict[UUID, Depense]:
        """The states of its dépenses, as decisions take them."""
        return {i: lue.etat for i, lue in self.depenses.items()}

    @property
    def valide(self) -> CsfValide | None:
        """Its certificate, once it is validated."""
        faits = (lu.fait for lu in reversed(self.actes))
        return next(
            (f for f in faits if isinstance(f, CsfValide) and f.csf_id == self.csf.csf_id), None
        )


def operation_controlee(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    *,
    numero: str | None = None,
    operation_id: UUID | None = None,
) -> OperationControlee | None:
    """Return an operation under convention, by one of its names; nothing out of the perimeter."""
    return (
        conn.cursor(row_factory=class_row(OperationControlee))
        .execute(
            """
            SELECT
                o.id, o.numero_mdfse, o.intitule, o.beneficiaire, o.siret, o.plie_id,
                coalesce(p.nom, o.plie_id) AS plie_nom, o.numero_convention, s.oi_nom, s.fictive
            FROM projection.operation AS o
            INNER JOIN projection.subvention_globale AS s ON o.sg_id = s.id
            LEFT JOIN projection.plie AS p ON o.sg_id = p.sg_id AND o.plie_id = p.plie_id
            WHERE (o.numero_mdfse = %(numero)s OR o.id = %(operation)s)
                AND o.numero_convention IS NOT NULL
                AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
            """,
            {"numero": numero, "operation": operation_id, "plies": perimetre.liste},
        )
        .fetchone()
    )


def lire_controle(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    numero: str,
    csf_id: UUID,
    situation: Situation = ACTUELLE,
) -> ControleLu | None:
    """Return a control as the situation knows it, by the number of its operation.

    One version that another replaced gives the one that stands, and so does its bilan. Three
    queries.
    """
    operation = operation_controlee(conn, perimetre, numero=numero)
    return None if operation is None else _controle(conn, perimetre, operation, csf_id, situation)


def lire_controle_de(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID, csf_id: UUID
) -> ControleLu | None:
    """Return the same, by the identifier of its operation."""
    operation = operation_controlee(conn, perimetre, operation_id=operation_id)
    return None if operation is None else _controle(conn, perimetre, operation, csf_id)


def _controle(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    operation: OperationControlee,
    csf_id: UUID,
    situation: Situation = ACTUELLE,
) -> ControleLu | None:
    convention_id = convention_of(operation.id)
    flux = lire_flux(conn, perimetre, [operation.id, convention_id], situation)
    convenu = flux.get(convention_id, [])
    faits = [lu.fait for lu in convenu]
    bilan_id = next(
        (
            f.bilan_id
            for f in faits
            if isinstance(f, CsfOuvert) and csf_id in {f.csf_id, f.bilan_id}
        ),
        None,
    )
    if bilan_id is None:
        return None
    convention = CONVENTION.replay(faits)
    etat = OPERATION.replay(lu.fait for lu in flux[operation.id])
    assert convention is not None
    assert etat is not None
    bilan = convention.bilans[bilan_id]
    assert bilan.csf is not None
    versions = {f.csf_id for f in faits if isinstance(f, CsfOuvert) and f.bilan_id == bilan_id}
    lus = lire_flux(conn, perimetre, bilan.depenses, situation)
    return ControleLu(
        operation=operation,
        etat=etat,
        convention=convention,
        version=convenu[-1].version,
        bilan=bilan,
        csf=bilan.csf,
        depenses={i: _depense(i, lus[i]) for i in bilan.depenses if i in lus},
        actes=tuple(
            lu
            for lu, fait in zip(convenu, faits, strict=True)
            if getattr(fait, "bilan_id", None) == bilan_id
            or getattr(fait, "csf_id", None) in versions
        ),
    )


def _depense(depense_id: UUID, lus: Sequence[EvenementLu]) -> DepenseLue:
    etat: Depense | None = None
    decision: EvenementLu | None = None
    pieces: dict[str, Piece] = {}
    for lu in lus:
        fait = lu.fait
        etat = DEPENSE.evolve(etat, fait)
        if isinstance(fait, DepenseControlee):
            decision = lu
        else:
            pieces |= {piece.sha256: piece for piece in fait.pieces}
    assert etat is not None
    return DepenseLue(depense_id, etat, lus[-1].version, decision, tuple(pieces.values()))


# --- Bilans before their control -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BilanLu:
    """A bilan that stands; ``fse_declare`` is cents."""

    bilan_id: UUID
    numero: int
    type: str
    statut: str
    debut: date
    fin: date
    depose_le: date
    nb_depenses: int
    fse_declare: int


def lire_bilan(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID, bilan_id: UUID
) -> BilanLu | None:
    """Return a bilan of an operation; nothing when it was sent back."""
    lus = _bilans(conn, perimetre, operation_id)
    return next((lu for lu in lus if lu.bilan_id == bilan_id), None)


def lire_bilans(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID
) -> list[BilanLu]:
    """Return the bilans of an operation that wait for their control to be opened."""
    return [lu for lu in _bilans(conn, perimetre, operation_id) if lu.statut == "recevable"]


def _bilans(conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID) -> list[BilanLu]:
    convention_id = convention_of(operation_id)
    faits = [lu.fait for lu in lire_flux(conn, perimetre, [convention_id]).get(convention_id, ())]
    convention = CONVENTION.replay(faits)
    if convention is None:
        return []
    declares = {f.bilan_id: f.fse_declare_centimes for f in faits if isinstance(f, BilanDepose)}
    return [
        BilanLu(
            bilan_id=b.bilan_id,
            numero=b.numero,
            type=b.type,
            statut=b.statut,
            debut=b.periode.debut,
            fin=b.periode.fin,
            depose_le=b.depose_le,
            nb_depenses=len(b.depenses),
            fse_declare=declares[b.bilan_id],
        )
        for b in convention.bilans.values()
        if b.statut != "renvoye"
    ]
