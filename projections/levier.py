"""The levier: what each euro brought directly by communes and EPCI brings beside it.

Source: AVE, consolidation of 2019 and contribution of 2024 (euros of FSE, and of other public
funds, for one euro of the commune or of the EPCI). Bases: our choice until they are confirmed.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple, Self
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from oi_service.errors import french_euros
from oi_service.money import ratio, round_cents
from projections.consolidation import MUTUALISE, Consolidation, consolider
from projections.instantane import instantane
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation
from rules.nomenclature import RESSOURCES, RESSOURCES_EXTERNES, RESSOURCES_PUBLIQUES

NomBase = Literal["programme", "conventionne", "retenu_csf", "percu"]
Par = Literal["plie", "annee", "oi"]

#: Money paid by the communes and the EPCI themselves; what they bring in kind is not of these.
APPORTS_DIRECTS = frozenset({"publique_commune", "publique_epci"})
AUTRES_PUBLICS = RESSOURCES_PUBLIQUES - APPORTS_DIRECTS


@dataclass(frozen=True, slots=True)
class Base:
    """What is counted on both sides: a measure of the Fund's money and one of everybody else's."""

    fse: str
    fse_libelle: str
    contreparties: str
    contreparties_libelle: str
    definition: str


#: On each side, how far the money went. Definitions: docs/glossaire.md.
BASES: Mapping[NomBase, Base] = {
    "programme": Base(
        "fse_programme",
        "FSE programmé",
        "cp_programmee",
        "programmés",
        "FSE et contreparties des plans de financement programmés, déprogrammations déduites.",
    ),
    "conventionne": Base(
        "fse_conventionne",
        "FSE conventionné",
        "cp_conventionnee",
        "conventionnés",
        "FSE et contreparties des conventions notifiées, au dernier avenant.",
    ),
    "retenu_csf": Base(
        "fse_retenu_csf",
        "FSE retenu après CSF",
        "cp_affectee",
        "affectés aux opérations",
        "FSE dû après les contrôles de service fait validés ; contreparties attestées par leurs "
        "financeurs et affectées aux opérations. Tant qu’une opération n’est pas contrôlée, ses "
        "contreparties comptent sans son FSE.",
    ),
    "percu": Base(
        "fse_paye",
        "FSE payé",
        "cp_percue",
        "perçus",
        "FSE versé aux bénéficiaires, reversements déduits ; contreparties versées par leurs "
        "financeurs, à l’année et au PLIE de leur attribution.",
    ),
}


@dataclass(frozen=True, slots=True)
class Part:
    """A kind of funder: its amount, and its exact share of everything but autofinancement."""

    type: str
    montant: int
    part: Fraction | None

    @property
    def type_libelle(self) -> str:
        """The kind of funder as people say it."""
        return RESSOURCES[self.type]


@dataclass(frozen=True, slots=True)
class Formule:
    """A levier and how it was found, with its operands, in cents; ``None`` when undefined."""

    nom: Literal["fse", "autres_publics", "ensemble", "prives"]
    valeur: Fraction | None
    numerateur: int
    denominateur: int
    texte: str


@dataclass(frozen=True, slots=True)
class Contributions:
    """Who brings what, in cents: the Fund, and each kind of funder beside it.

    Autofinancement is nobody else's money: it is not of these.
    """

    fse: int = 0
    apports: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Self) -> Self:
        """Add kind by kind."""
        types = self.apports.keys() | other.apports.keys()
        return type(self)(
            self.fse + other.fse,
            {t: self.apports.get(t, 0) + other.apports.get(t, 0) for t in types},
        )

    def somme(self, types: Collection[str]) -> int:
        """Return what these kinds of funders bring."""
        return sum(montant for t, montant in self.apports.items() if t in types)

    @property
    def directs(self) -> int:
        """What communes and EPCI pay directly: the one euro of the levier."""
        return self.somme(APPORTS_DIRECTS)

    @property
    def autres_publics(self) -> int:
        """What the other public funders pay."""
        return self.somme(AUTRES_PUBLICS)

    @property
    def prives(self) -> int:
        """What private funders pay."""
        return self.somme({"privee"})

    @property
    def total(self) -> int:
        """Everything counted, the Fund included."""
        return self.fse + sum(self.apports.values())

    @property
    def parts(self) -> tuple[Part, ...]:
        """The share of each kind of funder, in the order of the closed list; zeros left out."""
        montants = {"fse": self.fse, **self.apports}
        return tuple(
            Part(t, montants[t], ratio(montants[t], self.total))
            for t in RESSOURCES
            if montants.get(t)
        )


@dataclass(frozen=True, slots=True)
class LigneLevier:
    """A PLIE, a tranche or an OI: what it gathers.

    ``cumul``: for a tranche among others, everything up to it. What the OI shares belongs to no
    PLIE: it has amounts and no levier.
    """

    code: str
    nom: str
    oi_id: str | None
    oi_nom: str | None
    base: NomBase
    contributions: Contributions
    cumul: Contributions | None = None

    @property
    def formules(self) -> tuple[Formule, ...]:
        """The leviers of the line, with their operands."""
        return () if self.code == MUTUALISE else formules(self.base, self.contributions)

    @property
    def formules_cumul(self) -> tuple[Formule, ...]:
        """The same up to this tranche."""
        return () if self.cumul is None else formules(self.base, self.cumul)


@dataclass(frozen=True, slots=True)
class Levier:
    """The levier of one or several grants, in a situation; ``annee`` when one tranche is asked."""

    base: NomBase
    par: Par
    annee: int | None
    consolidation: Consolidation
    lignes: tuple[LigneLevier, ...]

    @property
    def definition(self) -> str:
        """What the base counts."""
        return BASES[self.base].definition

    @property
    def total(self) -> Contributions:
        """The sum of the lines."""
        return sum((ligne.contributions for ligne in self.lignes), Contributions())

    @property
    def formules(self) -> tuple[Formule, ...]:
        """The leviers of the total: computed on the sums, never averaged."""
        return formules(self.base, self.total)


def formules(base: NomBase, contributions: Contributions) -> tuple[Formule, ...]:
    """Return the leviers: FSE, other public funds, both, private funds, per direct euro."""
    found, c = BASES[base], contributions
    publics = f"autres fonds publics {found.contreparties_libelle}"
    return (
        _formule(base, "fse", "Levier FSE", found.fse_libelle, c.fse, c),
        _formule(base, "autres_publics", "Levier autres publics", publics, c.autres_publics, c),
        _formule(
            base,
            "ensemble",
            "Levier d’ensemble",
            f"({found.fse_libelle} + {publics})",
            c.fse + c.autres_publics,
            c,
        ),
        _formule(
            base,
            "prives",
            "Levier privés",
            f"fonds privés {found.contreparties_libelle}",
            c.prives,
            c,
        ),
    )


def _formule(
    base: NomBase,
    nom: Literal["fse", "autres_publics", "ensemble", "prives"],
    titre: str,
    libelle: str,
    numerateur: int,
    contributions: Contributions,
) -> Formule:
    directs = contributions.directs
    # Nothing brought, or more taken back than brought: there is no euro to relate anything to.
    valeur = ratio(numerateur, directs) if directs > 0 else None
    resultat = "indéfini" if valeur is None else deux_decimales(valeur).replace(".", ",")
    texte = (
        f"{titre} = {libelle} / apports directs des communes et EPCI "
        f"{BASES[base].contreparties_libelle} = {french_euros(numerateur)} / "
        f"{french_euros(directs)} = {resultat}"
    )
    return Formule(nom, valeur, numerateur, directs, texte)


def deux_decimales(valeur: Fraction) -> str:
    """Show a levier with two decimals, half up: ``"3.67"``."""
    return str(Decimal(round_cents(valeur * 100)).scaleb(-2))


def une_decimale(valeur: Fraction) -> str:
    """Show a levier with one decimal, half up, from the exact value: ``"3.7"``."""
    return str(Decimal(round_cents(valeur * 10)).scaleb(-1))


def levier(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation = ACTUELLE,
    *,
    base: NomBase = "retenu_csf",
    par: Par = "plie",
    annee: int | None = None,
    subventions: Collection[UUID] = (),
) -> Levier:
    """Return the levier of these grants, of all those of the perimeter when none is named.

    ``annee``: one tranche only.
    Raises: SubventionGlobaleAbsente.
    """
    with instantane(conn):
        consolidation = consolider(conn, perimetre, subventions, situation)
        cellules = _cellules(conn, perimetre, consolidation, BASES[base], annee)
    groupes: dict[_Qui, Contributions] = defaultdict(Contributions)
    for (sg, plie_id, tranche), contributions in cellules.items():
        groupes[_qui(par, consolidation, sg, plie_id, tranche)] += contributions
    lignes = []
    cumul = Contributions()
    for qui in sorted(groupes):
        cumul += groupes[qui]
        lignes.append(
            LigneLevier(
                code=qui.code,
                nom=qui.nom,
                oi_id=qui.oi_id or None,
                oi_nom=qui.oi_nom or None,
                base=base,
                contributions=groupes[qui],
                cumul=cumul if par == "annee" and annee is None else None,
            )
        )
    return Levier(base, par, annee, consolidation, tuple(lignes))


class _Qui(NamedTuple):
    """Whose line it is, in the order of the lines; no OI for a tranche."""

    oi_nom: str
    oi_id: str
    mutualise: bool
    nom: str
    code: str


def _qui(par: Par, consolidation: Consolidation, sg: UUID, plie_id: str, tranche: int) -> _Qui:
    if par == "annee":
        return _Qui("", "", mutualise=False, nom=str(tranche), code=str(tranche))
    subvention = consolidation.par_id[sg]
    oi = (subvention.oi_nom, subvention.oi_id)
    if par == "oi":
        return _Qui(*oi, mutualise=False, nom=subvention.oi_nom, code=subvention.oi_id)
    # A PLIE is the PLIE of an OI, whatever the grant; two OI may use the same code.
    nom = consolidation.nom_du_plie(sg, plie_id)
    return _Qui(*oi, mutualise=plie_id == MUTUALISE, nom=nom, code=plie_id)


def _cellules(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    consolidation: Consolidation,
    base: Base,
    annee: int | None,
) -> dict[tuple[UUID, str, int], Contributions]:
    """Return what each PLIE of each grant gathers for each tranche; cells of nothing left out."""
    rows = conn.execute(
        """
        SELECT sg_id, plie_id, annee, mesure, financeur_type, sum(centimes)::bigint
        FROM projection.mouvement
        WHERE sg_id = ANY(%(sg)s) AND (%(plies)s::text[] IS NULL OR plie_id = ANY(%(plies)s))
            AND position <= %(connu_le)s AND date_effet <= %(effet_au)s
            AND (%(annee)s::integer IS NULL OR annee = %(annee)s)
            -- The two measures first: the index is searched for them.
            AND mesure IN (%(fse)s, %(contreparties)s)
            AND (mesure = %(fse)s OR financeur_type = ANY(%(externes)s))
        GROUP BY sg_id, plie_id, annee, mesure, financeur_type
        HAVING sum(centimes) <> 0
        """,
        {
            "sg": consolidation.ids,
            "plies": perimetre.liste,
            "annee": annee,
            "fse": base.fse,
            "contreparties": base.contreparties,
            "externes": sorted(RESSOURCES_EXTERNES),
            **consolidation.situation.parametres,
        },
    )
    cellules: dict[tuple[UUID, str, int], Contributions] = defaultdict(Contributions)
    for sg, plie_id, tranche, mesure, kind, centimes in rows:
        apport = (
            Contributions(centimes) if mesure == base.fse else Contributions(0, {kind: centimes})
        )
        cellules[sg, plie_id, tranche] += apport
    return cellules
