"""Where money of the maquette will not be used, where it is missing, and what could be moved.

Nothing is decided here. A proposal only moves what its giver neither programmed nor is asked for,
inside one line of the maquette: from money without use to dossiers that lack it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from uuid import UUID

import msgspec
from psycopg import Connection, sql
from psycopg.rows import TupleRow

from aggregates.cadre import NON_REPARTI, RESERVE, Cellule, LigneMaquette
from aggregates.operation.state import Statut
from oi_service.errors import french_euros
from oi_service.ids import convention_of
from oi_service.money import round_cents
from projections.attentes import Dossier, Suivi, dossiers_conventionnes, suivis
from projections.instantane import instantane
from projections.maquette import Chiffres, LigneDeMaquette, Maquette
from projections.maquette import charger as charger_maquette
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation
from projections.subventions_globales import LigneSubvention, exiger_subvention
from rules.degagement import limite_ajustement

#: States of a dossier that may still be awarded money, and weighs on no enveloppe yet.
EN_ATTENTE: tuple[Statut, ...] = (
    "depose",
    "complement_demande",
    "recevable",
    "en_instruction",
    "instruit_favorable",
    "ajourne",
)
#: States in which an operation is over, whatever its period says, and not settled.
_TERMINEES: frozenset[Statut] = frozenset(
    ("realisation_terminee", "bilan_final_depose", "abandonne", "resilie")
)
_SOLDEES: frozenset[Statut] = frozenset(("solde", "cloture", "archive"))


@dataclass(frozen=True, slots=True)
class SousRealisation:
    """An operation that is over, not settled, and does not use all its convention; cents.

    ``encore_justifiable`` is what a bilan to file, or a control to come, may still use of it.
    """

    operation_id: UUID
    numero_mdfse: str
    beneficiaire: str
    plie_id: str
    fin: date
    conventionne: int
    retenu: int
    encore_justifiable: int

    @property
    def montant(self) -> int:
        """Under convention less due."""
        return self.conventionne - self.retenu

    @property
    def acquise(self) -> int:
        """What will certainly be free at the solde."""
        return self.montant - self.encore_justifiable


@dataclass(frozen=True, slots=True)
class GestionDuPlie:
    """A PLIE, or the réserve, at a review; cents of the Fund."""

    plie_id: str
    plie_nom: str
    chiffres: Chiffres
    sous_realisation_previsible: int
    encore_justifiable: int  #: the part of it that may still be used
    demande: int  #: by dossiers that no committee has awarded

    @property
    def reliquats(self) -> int:
        """What the soldes freed: programmed less due."""
        return self.chiffres.fse_programme - self.chiffres.fse_programme_ajuste

    @property
    def disponible_a_programmer(self) -> int:
        """What the committee may still award."""
        return self.chiffres.disponible_a_programmer


@dataclass(frozen=True, slots=True)
class Proposition:
    """A transfer that the rules admit, for the OI's body to decide; cents."""

    de: Cellule
    de_nom: str
    vers: Cellule
    vers_nom: str
    fse: int
    cout_total: int
    raison: str


@dataclass(frozen=True, slots=True)
class BesoinNonCouvert:
    """What dossiers ask for and no line-mate can give; ``non_reparti`` can be notified instead."""

    cellule: Cellule
    plie_nom: str
    montant: int
    non_reparti: int


@dataclass(frozen=True, slots=True)
class AjustementDeTranche:
    """What the State may take back of a tranche; cents of the Fund.

    ``programme`` is as of 31 December of its year; ``justifie`` is what controls retained.
    """

    annee: int
    limite: date  #: last day of the adjustment
    dotation: int
    programme: int
    justifie: int

    @property
    def sur_programmation(self) -> int:
        """Dotation that nothing was programmed on in its year."""
        return max(0, self.dotation - self.programme)

    @property
    def sur_justification(self) -> int:
        """Dotation that no control has justified."""
        return max(0, self.dotation - self.justifie)


@dataclass(frozen=True, slots=True)
class GestionDynamique:
    """The review of a subvention globale on a day.

    ``empechement`` says why nothing is proposed, when a rule forbids any transfer.
    """

    subvention_globale_id: UUID
    numero: str
    fictive: bool  #: amounts are invented (demonstration)
    le: date
    situation: Situation
    par_plie: tuple[GestionDuPlie, ...]
    sous_realisations: tuple[SousRealisation, ...]
    ajustements: tuple[AjustementDeTranche, ...]
    propositions: tuple[Proposition, ...]
    besoins_non_couverts: tuple[BesoinNonCouvert, ...]
    empechement: str | None = None


def charger(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    subvention_id: UUID,
    situation: Situation = ACTUELLE,
    *,
    le: date,
) -> GestionDynamique:
    """Review a subvention globale on the day ``le``.

    Transfers are between PLIE: only who sees the whole OI is proposed any.
    Raises: SubventionGlobaleAbsente.
    """
    with instantane(conn):
        sg = exiger_subvention(conn, perimetre, subvention_id, situation)
        maquette = charger_maquette(conn, perimetre, subvention_id, situation)
        assert maquette is not None
        demandes = _demandes(conn, perimetre, subvention_id, situation)
        finies = tuple(_sous_realisations(conn, perimetre, subvention_id, situation, le))
        ajustements = _ajustements(conn, perimetre, subvention_id, situation)
    empechement = _empechement(perimetre, sg, le)
    propositions = [] if empechement else proposer(maquette.lignes, demandes)
    return GestionDynamique(
        subvention_globale_id=subvention_id,
        numero=sg.numero,
        fictive=sg.fictive,
        le=le,
        situation=situation,
        par_plie=tuple(_par_plie(maquette, demandes, finies)),
        sous_realisations=finies,
        ajustements=ajustements,
        propositions=tuple(propositions),
        besoins_non_couverts=tuple(_non_couverts(_lignes(maquette.lignes, demandes), propositions)),
        empechement=empechement,
    )


def _empechement(perimetre: Perimetre, sg: LigneSubvention, le: date) -> str | None:
    """Say which rule forbids any transfer on that day."""
    if perimetre.plie_ids is not None:
        return "Les transferts engagent tout l’organisme intermédiaire : ils se proposent à l’OI."
    if not sg.programmation_debut <= le <= sg.programmation_fin:
        return (
            f"La période de programmation va du {sg.programmation_debut:%d/%m/%Y} au "
            f"{sg.programmation_fin:%d/%m/%Y} : aucun transfert ne peut être décidé le "
            f"{le:%d/%m/%Y}."
        )
    return None


# --- What is read --------------------------------------------------------------------------------


def _operations(situation: Situation) -> sql.SQL:
    """Name the operations as the situation knows them."""
    if situation.actuelle:
        return sql.SQL("projection.operation")
    return sql.SQL("oi.operations_au(%(connu_le)s, %(effet_au)s)")


def _demandes(
    conn: Connection[TupleRow], perimetre: Perimetre, subvention_id: UUID, situation: Situation
) -> dict[Cellule, int]:
    """Return what dossiers that wait for a committee ask for, as instructed once they are."""
    rows = conn.execute(
        sql.SQL(
            """
            SELECT
                o.plie_id, o.annee, o.axe, o.objectif_specifique, o.dispositif,
                sum(coalesce(i.fse, (d.data ->> 'fse_demande_centimes')::bigint))::bigint
            FROM {operations} AS o
            INNER JOIN oi.event AS d ON d.stream_id = o.id AND d.version = 1
            LEFT JOIN LATERAL (
                SELECT (e.data -> 'plan' ->> 'fse_centimes')::bigint AS fse
                FROM oi.event AS e
                WHERE e.stream_id = o.id AND e.name = 'operation.plan_financement_instruit.v1'
                    AND e.position <= %(connu_le)s AND e.date_effet <= %(effet_au)s
                ORDER BY e.version DESC LIMIT 1
            ) AS i ON true
            WHERE o.sg_id = %(sg)s AND o.statut = ANY(%(statuts)s)
                AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
            GROUP BY o.plie_id, o.annee, o.axe, o.objectif_specifique, o.dispositif
            """
        ).format(operations=_operations(situation)),
        {
            "sg": subvention_id,
            "plies": perimetre.liste,
            "statuts": list(EN_ATTENTE),
            **situation.parametres,
        },
    )
    return {
        Cellule(
            ligne=LigneMaquette(
                annee=annee, axe=axe, objectif_specifique=os, dispositif=dispositif
            ),
            plie_id=plie_id,
        ): fse
        for plie_id, annee, axe, os, dispositif, fse in rows
    }


def _sous_realisations(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    subvention_id: UUID,
    situation: Situation,
    le: date,
) -> Iterator[SousRealisation]:
    """Return the operations over and not settled that leave money, the largest first."""
    dossiers = dossiers_conventionnes(conn, perimetre, subvention_id, situation)
    cours = _cours(conn, [d.id for d in dossiers], situation)
    en_fin = [
        d
        for d in dossiers
        # A convention may count earlier than its dossier, which is then no operation yet.
        if d.id in cours and _finie(*cours[d.id], le) and d.conventionne > d.retenu
    ]
    suivi = suivis(conn, perimetre, en_fin, situation)
    for d in sorted(en_fin, key=lambda d: (d.retenu - d.conventionne, d.numero_mdfse)):
        yield SousRealisation(
            operation_id=d.id,
            numero_mdfse=d.numero_mdfse,
            beneficiaire=d.beneficiaire,
            plie_id=d.plie_id,
            fin=cours[d.id][1],
            conventionne=d.conventionne,
            retenu=d.retenu,
            encore_justifiable=_encore_justifiable(d, suivi[d.id]),
        )


def _cours(
    conn: Connection[TupleRow], operations: list[UUID], situation: Situation
) -> Mapping[UUID, tuple[Statut, date]]:
    """Return the state of each operation and the end of its period, avenants included."""
    rows = conn.execute(
        sql.SQL(
            """
            SELECT o.id, o.statut, coalesce(a.fin, o.fin)
            FROM {operations} AS o
            INNER JOIN unnest(%(operations)s::uuid[], %(conventions)s::uuid[])
                AS c (operation_id, convention_id) ON o.id = c.operation_id
            LEFT JOIN LATERAL (
                SELECT (e.data #>> '{{apres,periode,fin}}')::date AS fin
                FROM oi.event AS e
                WHERE e.stream_id = c.convention_id AND e.name = 'convention.avenant_signe.v1'
                    AND e.data #>> '{{apres,periode,fin}}' IS NOT NULL
                    AND e.position <= %(connu_le)s AND e.date_effet <= %(effet_au)s
                ORDER BY e.version DESC LIMIT 1
            ) AS a ON true
            """
        ).format(operations=_operations(situation)),
        {
            "operations": operations,
            "conventions": [convention_of(operation_id) for operation_id in operations],
            **situation.parametres,
        },
    )
    return {operation_id: (statut, fin) for operation_id, statut, fin in rows}


def _finie(statut: Statut, fin: date, le: date) -> bool:
    """Tell whether an operation is over, and its money not settled."""
    return statut not in _SOLDEES and (statut in _TERMINEES or fin < le)


def _encore_justifiable(dossier: Dossier, suivi: Suivi) -> int:
    """Return what may still be used: all that waits for its control, and what is not declared.

    Once the final bilan is filed nothing more is declared; once it is controlled nothing is left.
    """
    final = suivi.final
    if final is not None and final.controle_le is not None:
        return 0
    a_controler = sum(bilan.a_controler for bilan in suivi.bilans.values())
    return a_controler + (dossier.reste_a_declarer if final is None else 0)


def _ajustements(
    conn: Connection[TupleRow], perimetre: Perimetre, subvention_id: UUID, situation: Situation
) -> tuple[AjustementDeTranche, ...]:
    rows = conn.execute(
        """
        SELECT
            m.annee,
            coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_maquette'), 0)::bigint,
            coalesce(sum(m.centimes) FILTER (
                WHERE m.mesure = 'fse_programme' AND m.date_effet <= make_date(m.annee, 12, 31)
            ), 0)::bigint,
            coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_retenu_csf'), 0)::bigint
        FROM projection.mouvement AS m
        WHERE m.sg_id = %(sg)s AND (%(plies)s::text[] IS NULL OR m.plie_id = ANY(%(plies)s))
            AND m.mesure IN ('fse_maquette', 'fse_programme', 'fse_retenu_csf')
            AND m.position <= %(connu_le)s AND m.date_effet <= %(effet_au)s
        GROUP BY m.annee
        ORDER BY m.annee
        """,
        {"sg": subvention_id, "plies": perimetre.liste, **situation.parametres},
    )
    return tuple(
        AjustementDeTranche(annee, limite_ajustement(annee), dotation, programme, justifie)
        for annee, dotation, programme, justifie in rows
    )


# --- What could be moved -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """An enveloppe, or the réserve, and what its dossiers ask for."""

    cellule: Cellule
    nom: str
    chiffres: Chiffres
    demande: int

    @property
    def disponible(self) -> int:
        return self.chiffres.disponible_a_programmer

    @property
    def excedent(self) -> int:
        """What it could give without taking from what it programmed, nor from its own dossiers."""
        return max(0, self.disponible - self.demande)

    @property
    def besoin(self) -> int:
        """What its dossiers ask for beyond what it has."""
        return max(0, self.demande - max(0, self.disponible))


@dataclass(frozen=True, slots=True)
class _Ligne:
    places: tuple[_Place, ...]
    non_reparti: int

    @property
    def receveurs(self) -> list[_Place]:
        """Who lacks money, who lacks most first."""
        manquent = (p for p in self.places if p.besoin)
        return sorted(manquent, key=lambda p: (-p.besoin, p.cellule.plie_id))

    @property
    def donneurs(self) -> list[_Place]:
        """Who has money without use: the réserve, which takes from nobody, then who has most."""
        peuvent = (p for p in self.places if p.excedent)
        return sorted(
            peuvent,
            key=lambda p: (p.cellule.plie_id != RESERVE, -p.excedent, p.cellule.plie_id),
        )


def _lignes(vues: Iterable[LigneDeMaquette], demandes: Mapping[Cellule, int]) -> list[_Ligne]:
    """Return the lines of the maquette in their order, with what each place has and is asked."""
    lignes: dict[LigneMaquette, dict[str, _Place]] = defaultdict(dict)
    for vue in vues:
        cellule = _cellule(vue)
        lignes[cellule.ligne][cellule.plie_id] = _Place(
            cellule, vue.plie_nom, vue.chiffres, demandes.get(cellule, 0)
        )
    return [
        _Ligne(
            places=tuple(p for plie_id, p in places.items() if plie_id != NON_REPARTI),
            non_reparti=places[NON_REPARTI].disponible if NON_REPARTI in places else 0,
        )
        for _, places in sorted(lignes.items(), key=lambda item: msgspec.structs.astuple(item[0]))
    ]


def _cellule(vue: LigneDeMaquette) -> Cellule:
    ligne = LigneMaquette(
        annee=vue.annee,
        axe=vue.axe,
        objectif_specifique=vue.objectif_specifique,
        dispositif=vue.dispositif,
    )
    return Cellule(ligne=ligne, plie_id=vue.plie_id)


def proposer(vues: Iterable[LigneDeMaquette], demandes: Mapping[Cellule, int]) -> list[Proposition]:
    """Return the transfers that would serve dossiers in waiting, line by line of the maquette.

    The same figures always give the same proposals, whatever their order.
    """
    return [p for ligne in _lignes(vues, demandes) for p in _de_la_ligne(ligne)]


def _de_la_ligne(ligne: _Ligne) -> Iterator[Proposition]:
    """Serve who lacks most from the réserve, then from who has most without use."""
    restes = {donneur.cellule: donneur.excedent for donneur in ligne.donneurs}
    for receveur in ligne.receveurs:
        manque = receveur.besoin
        for donneur in ligne.donneurs:
            fse = min(manque, restes[donneur.cellule])
            if fse:
                manque -= fse
                restes[donneur.cellule] -= fse
                yield _proposition(donneur, receveur, fse)


def _proposition(de: _Place, vers: _Place, fse: int) -> Proposition:
    """Say a transfer and why; the total cost follows at the rate of the giver's enveloppe."""
    taux = Fraction(de.chiffres.ct_maquette, de.chiffres.fse_maquette)
    garde = f" et en garde {french_euros(de.demande)} pour ses dossiers" if de.demande else ""
    return Proposition(
        de=de.cellule,
        de_nom=de.nom,
        vers=vers.cellule,
        vers_nom=vers.nom,
        fse=fse,
        cout_total=max(fse, round_cents(fse * taux)),
        raison=(
            f"{vers.nom} : {french_euros(vers.demande)} demandés par des dossiers en attente, pour "
            f"{french_euros(vers.disponible)} disponibles. {de.nom} dispose de "
            f"{french_euros(de.disponible)}{garde}."
        ),
    )


def _non_couverts(
    lignes: Sequence[_Ligne], propositions: Iterable[Proposition]
) -> Iterator[BesoinNonCouvert]:
    recus: dict[Cellule, int] = defaultdict(int)
    for proposition in propositions:
        recus[proposition.vers] += proposition.fse
    for ligne in lignes:
        for place in ligne.receveurs:
            reste = place.besoin - recus[place.cellule]
            if reste:
                yield BesoinNonCouvert(place.cellule, place.nom, reste, ligne.non_reparti)


def _par_plie(
    maquette: Maquette, demandes: Mapping[Cellule, int], finies: Sequence[SousRealisation]
) -> Iterator[GestionDuPlie]:
    for plie_id, nom, chiffres in maquette.par_plie():
        siennes = [x for x in finies if x.plie_id == plie_id]
        yield GestionDuPlie(
            plie_id=plie_id,
            plie_nom=nom,
            chiffres=chiffres,
            sous_realisation_previsible=sum(x.montant for x in siennes),
            encore_justifiable=sum(x.encore_justifiable for x in siennes),
            demande=sum(fse for c, fse in demandes.items() if c.plie_id == plie_id),
        )
