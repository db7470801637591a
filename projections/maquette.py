"""The maquette: what each PLIE has, has promised, has controlled and has paid, at two dates."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from fractions import Fraction
from operator import attrgetter
from typing import Literal, Self
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from oi_service.money import ratio
from projections.instantane import instantane
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation
from rules.nomenclature import RESSOURCES

#: What a line holds for no PLIE: kept in hand, or opened and not shared yet.
RESERVE = "reserve"
NON_REPARTI = "non_reparti"
HORS_PLIE = {RESERVE: "Réserve de l’OI", NON_REPARTI: "Non réparti"}

#: What the lines of the maquette may be summed by.
Axe = Literal["plie", "objectif_specifique", "annee", "axe", "dispositif"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chiffres:
    """The quantities of the maquette, in cents, and the ratios that are computed on them.

    Ratios are exact fractions, ``None`` when their denominator is zero; a total is made by adding
    quantities, never by averaging ratios. Definitions: docs/glossaire.md.
    """

    fse_maquette: int = 0
    fse_depose: int = 0
    fse_programme: int = 0
    fse_programme_ajuste: int = 0
    fse_conventionne: int = 0
    fse_declare: int = 0
    fse_retenu_csf: int = 0
    fse_transmis: int = 0
    fse_certifie: int = 0
    fse_paye: int = 0
    fse_irrecouvrable: int = 0
    ct_maquette: int = 0
    ct_depose: int = 0
    ct_programme: int = 0
    ct_programme_ajuste: int = 0
    ct_conventionne: int = 0
    ct_declare: int = 0
    ct_retenu_csf: int = 0
    ct_transmis: int = 0
    ct_certifie: int = 0
    cp_programmee: int = 0
    cp_conventionnee: int = 0
    cp_affectee: int = 0
    cp_retenue: int = 0
    depenses_declarees: int = 0
    depenses_ecartees: int = 0
    nb_operations: int = 0

    def __add__(self, other: Self) -> Self:
        """Add quantity by quantity."""
        return self.somme((self, other))

    @classmethod
    def somme(cls, parties: Iterable[Self]) -> Self:
        """Add up any number of them at once; nothing comes to nothing."""
        colonnes = zip(*map(_QUANTITES_DE, parties), strict=True)
        return cls(**dict(zip(QUANTITES, map(sum, colonnes), strict=False)))

    @property
    def cp_maquette(self) -> int:
        """What others must bring beside the Fund's allocation."""
        return self.ct_maquette - self.fse_maquette

    @property
    def disponible_a_programmer(self) -> int:
        """What the committee may still award; negative when more is programmed than allocated."""
        return self.fse_maquette - self.fse_programme_ajuste

    @property
    def reste_a_consommer(self) -> int:
        """What is allocated and not yet retained after control."""
        return self.fse_maquette - self.fse_retenu_csf

    @property
    def taux_programmation(self) -> Fraction | None:
        """Programmed over allocated."""
        return ratio(self.fse_programme, self.fse_maquette)

    @property
    def taux_conventionnement(self) -> Fraction | None:
        """Under convention over programmed."""
        return ratio(self.fse_conventionne, self.fse_programme)

    @property
    def taux_declaration(self) -> Fraction | None:
        """Declared over under convention."""
        return ratio(self.fse_declare, self.fse_conventionne)

    @property
    def taux_retenue_csf(self) -> Fraction | None:
        """Retained after control over declared."""
        return ratio(self.fse_retenu_csf, self.fse_declare)

    @property
    def taux_ecartement(self) -> Fraction | None:
        """Rejected over declared, on the dépenses themselves."""
        return ratio(self.depenses_ecartees, self.depenses_declarees)

    @property
    def taux_consommation(self) -> Fraction | None:
        """Retained after control over allocated."""
        return ratio(self.fse_retenu_csf, self.fse_maquette)

    @property
    def taux_certification(self) -> Fraction | None:
        """Certified over allocated."""
        return ratio(self.fse_certifie, self.fse_maquette)

    @property
    def taux_paiement(self) -> Fraction | None:
        """Paid over retained after control; above 100 % while avances run."""
        return ratio(self.fse_paye, self.fse_retenu_csf)


QUANTITES = tuple(f.name for f in fields(Chiffres))
_QUANTITES_DE = attrgetter(*QUANTITES)
TAUX = tuple(n for n in vars(Chiffres) if n.startswith("taux_"))


@dataclass(frozen=True, slots=True)
class LigneDeMaquette:
    """One cell: PLIE (or what no PLIE holds) × tranche × axe × OS × dispositif."""

    plie_id: str
    plie_nom: str
    annee: int
    axe: str
    objectif_specifique: str
    dispositif: str
    chiffres: Chiffres


@dataclass(frozen=True, slots=True)
class ParFinanceur:
    """What one funder brings beside the Fund, in cents."""

    type: str
    financeur: str
    programmee: int
    conventionnee: int
    affectee: int
    retenue: int

    @property
    def type_libelle(self) -> str:
        """The kind of funder as people say it."""
        return RESSOURCES.get(self.type, self.type)


@dataclass(frozen=True, slots=True)
class Maquette:
    """The maquette of one subvention globale, in a situation.

    ``lignes`` are sorted by PLIE, tranche, axe, OS, dispositif; what no PLIE holds comes last.
    """

    subvention_globale_id: UUID
    numero: str
    reglement: str
    oi_nom: str
    fictive: bool  #: amounts are invented (demonstration); every page says so
    fse_total: int  #: the grant in force, in cents
    lignes: tuple[LigneDeMaquette, ...]
    position: int  #: number of the last event counted
    calculee_le: datetime  #: UTC
    financeurs: tuple[ParFinanceur, ...] = ()
    situation: Situation = ACTUELLE
    connue_le: datetime | None = None  #: when the last event counted was recorded, UTC
    #: The whole grant, for a reader of some PLIE: no figure of another, but what they come to.
    oi_entier: Chiffres | None = None

    def par_plie(self) -> list[tuple[str, str, Chiffres]]:
        """Return ``(plie_id, plie_nom, chiffres)``, what no PLIE holds last."""
        return self.par("plie")

    def par(self, axe: Axe) -> list[tuple[str, str, Chiffres]]:
        """Return ``(code, name, chiffres)`` for each value of an axis, in the order of the lines.

        A tranche or a code is its own name.
        """
        if axe == "plie":
            return _group(self.lignes, lambda ligne: (ligne.plie_id, ligne.plie_nom))
        return sorted(_group(self.lignes, lambda ligne: (str(getattr(ligne, axe)),) * 2))

    @property
    def total(self) -> Chiffres:
        """The sum of the cells; réserve included, for who sees the whole OI."""
        return Chiffres.somme(ligne.chiffres for ligne in self.lignes)


def _group(
    lignes: Iterable[LigneDeMaquette], key: Callable[[LigneDeMaquette], tuple[str, str]]
) -> list[tuple[str, str, Chiffres]]:
    groups: dict[tuple[str, str], list[Chiffres]] = {}
    for ligne in lignes:
        groups.setdefault(key(ligne), []).append(ligne.chiffres)
    return [(*k, Chiffres.somme(siens)) for k, siens in groups.items()]


@dataclass(frozen=True, slots=True)
class Subvention:
    """A subvention globale that a reader may open."""

    id: UUID
    numero: str
    reglement: str
    programme: str


def subventions(
    conn: Connection[TupleRow], perimetre: Perimetre, situation: Situation = ACTUELLE
) -> list[Subvention]:
    """Return the subventions globales that the situation knows, the last one recorded first."""
    rows = conn.execute(
        """
        SELECT s.id, s.numero, s.reglement, s.programme
        FROM projection.subvention_globale AS s
        WHERE s.position <= %(connu_le)s AND (%(plie)s::text[] IS NULL OR EXISTS (
            SELECT FROM projection.plie AS p
            WHERE p.sg_id = s.id AND p.plie_id = ANY(%(plie)s::text[])))
        ORDER BY s.position DESC
        """,
        {"plie": perimetre.liste, **situation.parametres},
    )
    return [Subvention(*row) for row in rows]


def charger(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    subvention_id: UUID | None = None,
    situation: Situation = ACTUELLE,
) -> Maquette | None:
    """Return the maquette of a subvention globale, of the last one recorded by default.

    ``None`` when there is none, or none of that identifier in the perimeter and the situation.
    """
    # One snapshot for all the figures and for the position that they stop at.
    with instantane(conn):
        known = [s.id for s in subventions(conn, perimetre, situation)]
        chosen = subvention_id if subvention_id is not None else next(iter(known), None)
        if chosen is None or chosen not in known:
            return None
        row = conn.execute(
            """
            SELECT s.id, s.numero, s.reglement, s.oi_nom, s.fictive, d.fse_total, h.position,
                oi.instant_de(h.position),
                clock_timestamp()
            FROM projection.subvention_globale AS s,
                (SELECT least(position, %(connu_le)s) AS position FROM oi.head) AS h,
                -- The grant in force, and the one of the signature before its day.
                LATERAL (
                    SELECT coalesce(e.data ->> 'fse_total_apres_centimes',
                        e.data ->> 'fse_total_centimes')::bigint AS fse_total
                    FROM oi.actes_communs(s.id) AS e
                    WHERE e.position <= %(connu_le)s
                        AND (e.version = 1 OR (
                            e.name = 'subvention_globale.avenant_signe.v1'
                            AND e.date_effet <= %(effet_au)s))
                    ORDER BY e.version DESC LIMIT 1
                ) AS d
            WHERE s.id = %(sg)s
            """,
            {"sg": chosen, **situation.parametres},
        ).fetchone()
        assert row is not None
        lignes = _lignes(conn, perimetre, chosen, situation)
        financeurs = _financeurs(conn, perimetre, chosen, situation)
        entier = None if perimetre.plie_ids is None else _totaux(conn, perimetre, chosen, situation)
    identity, numero, reglement, oi_nom, fictive, fse_total, position, connue_le, computed = row
    return Maquette(
        subvention_globale_id=identity,
        numero=numero,
        reglement=reglement,
        oi_nom=oi_nom,
        fictive=fictive,
        fse_total=fse_total,
        lignes=lignes,
        financeurs=financeurs,
        situation=situation,
        position=position,
        connue_le=connue_le,
        calculee_le=computed,
        oi_entier=entier,
    )


def _lignes(
    conn: Connection[TupleRow], perimetre: Perimetre, subvention_id: UUID, situation: Situation
) -> tuple[LigneDeMaquette, ...]:
    cells: dict[tuple[str, int, str, str, str], dict[str, int]] = defaultdict(dict)
    rows = conn.execute(
        """
        SELECT plie_id, annee, axe, objectif_specifique, dispositif, mesure, sum(centimes)::bigint
        FROM projection.mouvement
        WHERE sg_id = %(sg)s AND (%(plie)s::text[] IS NULL OR plie_id = ANY(%(plie)s::text[]))
            AND position <= %(connu_le)s AND date_effet <= %(effet_au)s
        GROUP BY plie_id, annee, axe, objectif_specifique, dispositif, mesure
        """,
        {"sg": subvention_id, "plie": perimetre.liste, **situation.parametres},
    ).fetchall()
    for plie_id, annee, axe, objectif, dispositif, mesure, total in rows:
        if mesure in QUANTITES:
            cells[(plie_id, annee, axe, objectif, dispositif)][mesure] = total
    names: dict[str, str] = dict(
        conn.execute(
            "SELECT plie_id, nom FROM projection.plie WHERE sg_id = %s", (subvention_id,)
        ).fetchall()
    )
    lignes = [
        LigneDeMaquette(
            plie_id=cell[0],
            plie_nom=names.get(cell[0]) or HORS_PLIE.get(cell[0], cell[0]),
            annee=cell[1],
            axe=cell[2],
            objectif_specifique=cell[3],
            dispositif=cell[4],
            chiffres=Chiffres(**measures),
        )
        for cell, measures in cells.items()
        if any(measures.values())
    ]
    return tuple(
        sorted(
            lignes,
            key=lambda x: (
                list(HORS_PLIE).index(x.plie_id) + 1 if x.plie_id in HORS_PLIE else 0,
                x.plie_nom,
                x.annee,
                x.axe,
                x.objectif_specifique,
                x.dispositif,
            ),
        )
    )


def _totaux(
    conn: Connection[TupleRow], perimetre: Perimetre, subvention_id: UUID, situation: Situation
) -> Chiffres:
    """Return the totals of the whole grant, which each of its PLIE may know."""
    rows = conn.execute(
        """
        SELECT t.mesure, t.centimes
        FROM oi.totaux_de(%(sg)s, %(connu_le)s, %(effet_au)s) AS t
        WHERE %(plie)s::text[] IS NULL OR EXISTS (
            SELECT FROM projection.plie AS p
            WHERE p.sg_id = %(sg)s AND p.plie_id = ANY(%(plie)s::text[]))
        """,
        {"sg": subvention_id, "plie": perimetre.liste, **situation.parametres},
    )
    return Chiffres(**{mesure: total for mesure, total in rows if mesure in QUANTITES})


def _financeurs(
    conn: Connection[TupleRow], perimetre: Perimetre, subvention_id: UUID, situation: Situation
) -> tuple[ParFinanceur, ...]:
    rows = conn.execute(
        """
        SELECT financeur_type, financeur,
            coalesce(sum(centimes) FILTER (WHERE mesure = 'cp_programmee'), 0)::bigint,
            coalesce(sum(centimes) FILTER (WHERE mesure = 'cp_conventionnee'), 0)::bigint,
            coalesce(sum(centimes) FILTER (WHERE mesure = 'cp_affectee'), 0)::bigint,
            coalesce(sum(centimes) FILTER (WHERE mesure = 'cp_retenue'), 0)::bigint
        FROM projection.mouvement
        WHERE sg_id = %(sg)s AND (%(plie)s::text[] IS NULL OR plie_id = ANY(%(plie)s::text[]))
            AND position <= %(connu_le)s AND date_effet <= %(effet_au)s
            AND mesure IN ('cp_programmee', 'cp_conventionnee', 'cp_affectee', 'cp_retenue')
        GROUP BY financeur_type, financeur
        ORDER BY financeur_type, financeur
        """,
        {"sg": subvention_id, "plie": perimetre.liste, **situation.parametres},
    )
    return tuple(ParFinanceur(*row) for row in rows)
