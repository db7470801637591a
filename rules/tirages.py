"""Samples of an auditor: simple, by monetary unit, stratified; anybody can draw them again.

Each algorithm is named, and its name never means anything else: docs/tirages.md says every step, so
that a person redoes it with SHA-256 and whole numbers, in any language. A draw depends on the seed,
on the identifiers and on the amounts, never on the order in which they came.

Amounts of zero or less are put apart and listed: no monetary unit can be drawn in them, and a rate
of error means nothing there (European Commission, guidance on sampling methods for audit
authorities, EGESIF_16-0014-01: negative amounts are a population of their own).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from oi_service.errors import RuleBroken
from oi_service.money import round_cents

Methode = Literal["simple", "mus", "stratifie"]
#: How one stratum is drawn.
Selection = Literal["simple", "mus"]
Critere = Literal["poste", "plie", "operation", "montant"]
Repartition = Literal["nombre", "montant"]

#: Names of the procedures below; each is recorded with its draws and never means anything else.
ALGORITHMES: Mapping[Methode, str] = {
    "simple": "simple-sha256-v1",
    "mus": "mus-sha256-v1",
    "stratifie": "stratifie-sha256-v1",
}

#: What must be said wherever a projected error is shown.
CONDITION_DE_L_EXTRAPOLATION = (
    "L’erreur projetée informe l’auditeur ; elle n’est pas une correction. À un bénéficiaire, "
    "l’extrapolation n’est possible que si la convention ou un avenant la prévoit, ou par un "
    "accord écrit signé par le bénéficiaire avant le contrôle (annexe « échantillonnage » de la "
    "convention type DGEFP)."
)


class TailleSuperieureALaPopulation(RuleBroken):
    """{taille} dépenses ne peuvent pas être tirées : la population en compte {nombre} d’un montant
    positif. Contrôlez-les toutes, ou réduisez la taille du tirage.
    """


class TailleInferieureAuxStrates(RuleBroken):
    """Un tirage de {taille} dépenses ne suffit pas à {strates} strates : chacune en demande une au
    moins.
    """


# --- The population ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Unite:
    """A dépense that may be drawn: its identifier in lower case, its amount in cents, its place."""

    id: str
    montant: int
    operation: str
    plie: str
    poste: str


#: First line of a canonical list: the columns of the others.
COLONNES = ("id", "montant_centimes", "operation", "plie", "poste")


def liste_canonique(population: Iterable[Unite]) -> str:
    """Write a population as its digest reads it: a CSV ordered by identifier, its columns first."""
    lignes = [(u.id, str(u.montant), u.operation, u.plie, u.poste) for u in sorted(population)]
    return "".join(";".join(ligne) + "\n" for ligne in (COLONNES, *lignes))


def empreinte(population: Iterable[Unite]) -> str:
    """Return the SHA-256 of the canonical list, in hexadecimal."""
    return hashlib.sha256(liste_canonique(population).encode()).hexdigest()


# --- A draw --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Strate:
    """What was drawn of a stratum, each list in the order of the draw.

    ``exhaustives`` are those that the monetary unit method takes whole; ``base`` is what the others
    amount to, drawn or not, in cents, and ``depart`` where their drawing starts. The only stratum
    of a draw that is not stratified has no code.
    """

    code: str
    selection: Selection
    nombre: int
    centimes: int
    exhaustives: tuple[str, ...]
    tirees: tuple[str, ...]
    base: int
    depart: int | None = None

    @property
    def taille(self) -> int:
        """How many were drawn, in whatever way."""
        return len(self.exhaustives) + len(self.tirees)

    @property
    def intervalle(self) -> Fraction | None:
        """Cents from one monetary unit drawn to the next."""
        return Fraction(self.base, len(self.tirees)) if self.depart is not None else None


@dataclass(frozen=True, slots=True)
class Tirage:
    """A draw: its strata in the order of their codes, and what was put apart."""

    algorithme: str
    strates: tuple[Strate, ...]
    a_part: tuple[str, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """Everything that was drawn, stratum by stratum, what is taken whole first."""
        return tuple(i for s in self.strates for i in (*s.exhaustives, *s.tirees))


@dataclass(frozen=True, slots=True)
class Parametres:
    """What a draw is asked for. ``bornes``, in cents, cut strata of amounts: each begins one."""

    methode: Methode
    taille: int
    critere: Critere = "poste"
    bornes: tuple[int, ...] = ()
    repartition: Repartition = "nombre"
    selection: Selection = "simple"


def tirer(population: Sequence[Unite], graine: str, demande: Parametres) -> Tirage:
    """Draw from a population, whatever its order.

    Raises: TailleSuperieureALaPopulation, TailleInferieureAuxStrates.
    """
    montants = {u.id: u.montant for u in population if u.montant > 0}
    if demande.taille > len(montants):
        raise TailleSuperieureALaPopulation(taille=demande.taille, nombre=len(montants))
    if demande.methode == "stratifie":
        strates = _par_strate(population, graine, demande)
    else:
        strates = (_tirer_une_strate("", demande.methode, montants, graine, demande.taille),)
    return Tirage(
        algorithme=ALGORITHMES[demande.methode],
        strates=strates,
        a_part=tuple(sorted(u.id for u in population if u.montant <= 0)),
    )


def _tirer_une_strate(
    code: str, selection: Selection, montants: Mapping[str, int], graine: str, taille: int
) -> Strate:
    tirer_la_strate = _simple if selection == "simple" else _par_unites_monetaires
    return tirer_la_strate(code, montants, graine, taille)


def _ordre(ids: Iterable[str], graine: str) -> list[str]:
    return sorted(ids, key=lambda i: hashlib.sha256(f"{graine}:{i}".encode()).digest())


def _simple(code: str, montants: Mapping[str, int], graine: str, taille: int) -> Strate:
    """Take the first in the order of SHA-256(graine + ":" + identifier)."""
    total = sum(montants.values())
    return Strate(
        code=code,
        selection="simple",
        nombre=len(montants),
        centimes=total,
        exhaustives=(),
        tirees=tuple(_ordre(montants, graine)[:taille]),
        base=total,
    )


def _par_unites_monetaires(
    code: str, montants: Mapping[str, int], graine: str, taille: int
) -> Strate:
    """Take whole what reaches the interval, then every dépense that bears a chosen monetary unit.

    The interval is the exact fraction base / taille: multiplied by taille, everything is whole.
    """
    ordre = _ordre(montants, graine)
    exhaustives, reste, a_tirer, base = _strate_exhaustive(ordre, montants, taille)
    depart = None
    if reste:
        tire = hashlib.sha256(f"{graine}:depart".encode()).digest()
        depart = int.from_bytes(tire, "big") % base
    return Strate(
        code=code,
        selection="mus",
        nombre=len(montants),
        centimes=sum(montants.values()),
        exhaustives=tuple(exhaustives),
        tirees=() if depart is None else systematique(reste, montants, a_tirer, depart),
        base=base,
        depart=depart,
    )


def systematique(
    ordre: Sequence[str], montants: Mapping[str, int], taille: int, depart: int
) -> tuple[str, ...]:
    """Take each dépense that bears a chosen monetary unit, all of them below the interval.

    Laid end to end, each multiplied by ``taille``, dépenses cover ``taille`` times their amount:
    the units chosen are ``depart`` and those that follow it from amount to amount.
    """
    pas = sum(montants[i] for i in ordre)
    tirees = []
    vise, cumul = depart, 0
    for i in ordre:
        cumul += montants[i] * taille
        if vise < cumul:
            tirees.append(i)
            vise += pas
    return tuple(tirees)


def _strate_exhaustive(
    ordre: Sequence[str], montants: Mapping[str, int], taille: int
) -> tuple[list[str], list[str], int, int]:
    """Put aside what reaches the interval, again and again, for each one taken shortens it.

    Returns: what is taken whole, the rest, how many are still to draw from it, its amount.
    """
    reste, a_tirer, base = list(ordre), taille, sum(montants.values())
    while entieres := {i for i in reste if montants[i] * a_tirer >= base}:
        reste = [i for i in reste if i not in entieres]
        a_tirer -= len(entieres)
        base -= sum(montants[i] for i in entieres)
    gardees = set(reste)
    return [i for i in ordre if i not in gardees], reste, a_tirer, base


# --- Strata --------------------------------------------------------------------------------------


def strate_de(unite: Unite, demande: Parametres) -> str:
    """Return the code of the stratum of a dépense."""
    match demande.critere:
        case "poste":
            return unite.poste
        case "plie":
            return unite.plie
        case "operation":
            return unite.operation
        case "montant":
            return f"tranche-{sum(borne <= unite.montant for borne in demande.bornes)}"


def _par_strate(
    population: Sequence[Unite], graine: str, demande: Parametres
) -> tuple[Strate, ...]:
    strates: dict[str, dict[str, int]] = {}
    for unite in population:
        if unite.montant > 0:
            strates.setdefault(strate_de(unite, demande), {})[unite.id] = unite.montant
    tailles = repartir(strates, demande.taille, demande.repartition)
    return tuple(
        _tirer_une_strate(code, demande.selection, strates[code], f"{graine}:{code}", taille)
        for code, taille in tailles.items()
    )


def repartir(
    strates: Mapping[str, Mapping[str, int]], taille: int, repartition: Repartition
) -> dict[str, int]:
    """Share a size between strata, by number or by amount: one each, then the largest remainders.

    Each stratum gets one; the others are given one by one, each to the stratum that lacks the most
    of its exact share, to the first code at equality, and never more than it holds. Where no share
    is below one nor above what its stratum holds, these are the largest remainders.
    """
    if taille < len(strates):
        raise TailleInferieureAuxStrates(taille=taille, strates=len(strates))
    poids = {
        code: len(m) if repartition == "nombre" else sum(m.values())
        for code, m in sorted(strates.items())
    }
    total = sum(poids.values())
    donne = dict.fromkeys(poids, 1)

    def manque(code: str) -> int:
        # What separates the exact share from what was given, times the total.
        return taille * poids[code] - donne[code] * total

    for _ in range(taille - len(strates)):
        donne[max((c for c in donne if donne[c] < len(strates[c])), key=manque)] += 1
    return donne


# --- What the errors found say of the population -------------------------------------------------


@dataclass(frozen=True, slots=True)
class ErreurDeStrate:
    """What was found in the draw of a stratum, and its exact projection; cents."""

    code: str
    base: int
    constatee: int
    projetee: Fraction


@dataclass(frozen=True, slots=True)
class Extrapolation:
    """The error of a population, projected from a draw; what is put apart is no part of it."""

    strates: tuple[ErreurDeStrate, ...]
    condition: str = CONDITION_DE_L_EXTRAPOLATION

    @property
    def base(self) -> int:
        """What the population amounts to."""
        return sum(s.base for s in self.strates)

    @property
    def constatee(self) -> int:
        """What was found in what was drawn."""
        return sum(s.constatee for s in self.strates)

    @property
    def exacte(self) -> Fraction:
        """The projected error: the sum of the strata, not rounded."""
        return sum((s.projetee for s in self.strates), Fraction(0))

    @property
    def projetee(self) -> int:
        """The projected error in cents, rounded once."""
        return round_cents(self.exacte)

    @property
    def taux(self) -> Fraction:
        """The projected error over the population."""
        return self.exacte / self.base


def extrapoler(
    tirage: Tirage, montants: Mapping[str, int], erreurs: Mapping[str, int]
) -> Extrapolation:
    """Project the errors of a draw. ``montants`` and ``erreurs``: of each dépense drawn, in cents.

    A simple draw projects its rate of error, as the control of the delivered service does; monetary
    units project the rate of each dépense over one interval, what was taken whole counts for
    itself; strata add up.
    """
    return Extrapolation(tuple(_projeter(s, montants, erreurs) for s in tirage.strates))


def _projeter(
    strate: Strate, montants: Mapping[str, int], erreurs: Mapping[str, int]
) -> ErreurDeStrate:
    if strate.selection == "simple":
        vus = sum(montants[i] for i in strate.tirees)
        projetee = Fraction(sum(erreurs[i] for i in strate.tirees), vus) * strate.base
    else:
        taux = sum((Fraction(erreurs[i], montants[i]) for i in strate.tirees), Fraction(0))
        projetee = sum(erreurs[i] for i in strate.exhaustives) + taux * (
            strate.intervalle or Fraction(0)
        )
    return ErreurDeStrate(
        code=strate.code,
        base=strate.centimes,
        constatee=sum(erreurs[i] for i in (*strate.exhaustives, *strate.tirees)),
        projetee=projetee,
    )
