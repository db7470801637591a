"""The stacked bar of a line of the maquette: what is paid, retained, promised, and still free."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from api.filters import euros_ronds, largeur, pourcent
from api.pages.definitions import DEFINITIONS
from oi_service.money import ratio
from projections.maquette import Chiffres

Unite = Literal["part", "euros"]

LIBELLES = (
    ("paye", "Payé"),
    ("retenu", "Retenu après CSF, à payer"),
    ("avance", "Avances au-delà du retenu"),
    ("conventionne", "Conventionné, à contrôler"),
    ("programme", "Programmé, à conventionner"),
    ("libre", "À programmer"),
    ("depassement", "Au-delà de l’enveloppe"),
)


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a bar; ``x`` and ``largeur`` are SVG lengths."""

    nature: str
    libelle: str
    montant: int
    x: str
    largeur: str


@dataclass(frozen=True, slots=True)
class Barre:
    """The stacked bar of a line, its tick at the enveloppe and its sentence for who cannot see."""

    segments: tuple[Segment, ...]
    repere: str
    phrase: str


def paliers(chiffres: Chiffres) -> list[tuple[str, int]]:
    """Return where each segment of a bar ends, in cents, never before the one it follows.

    An operation that was closed counts for the FSE it is owed in conventionné and programmé alike
    (its reliquat is free again), so that what is left to programme is the disponible to the cent.
    """
    reliquats = chiffres.fse_programme - chiffres.fse_programme_ajuste
    ends: list[tuple[str, int]] = []
    end = 0
    for nature, montant in (
        ("paye", min(chiffres.fse_paye, chiffres.fse_retenu_csf)),
        ("retenu", chiffres.fse_retenu_csf),
        ("avance", chiffres.fse_paye),
        ("conventionne", chiffres.fse_conventionne - reliquats),
        ("programme", chiffres.fse_programme_ajuste),
        ("libre", chiffres.fse_maquette),
    ):
        end = max(end, montant)
        ends.append((nature, end))
    return ends


def echelle(lignes: Iterable[Chiffres], unite: Unite) -> Callable[[Chiffres], int]:
    """Return how many cents the full width of a bar stands for, on each line.

    Part: the enveloppe is at the same place on every line, and the largest overshoot fits.
    Euros: one euro has the same width on every line.
    """
    bouts = [(paliers(c)[-1][1], c.fse_maquette) for c in lignes]
    if unite == "euros":
        widest = max((bout for bout, _ in bouts), default=0)
        return lambda _: widest
    overshoot = max((ratio(bout, env) or Fraction(1) for bout, env in bouts), default=Fraction(1))
    return lambda c: -(-c.fse_maquette * overshoot.numerator // overshoot.denominator)


def barre(nom: str, chiffres: Chiffres, full: int) -> Barre | None:
    """Draw a line on a width of ``full`` cents; nothing without an enveloppe to compare with."""
    enveloppe = chiffres.fse_maquette
    if enveloppe <= 0 or full <= 0:
        return None
    libelles = dict(LIBELLES)
    segments = []
    start = end = 0
    for nature, end in paliers(chiffres):
        inside = min(end, enveloppe)
        if inside > start:
            segments.append(_segment(nature, libelles[nature], start, inside, full))
            start = inside
    if end > enveloppe:
        segments.append(_segment("depassement", libelles["depassement"], enveloppe, end, full))
    phrase = ", ".join(
        f"{DEFINITIONS[q].libelle.lower().replace('csf', 'CSF')} "
        f"{pourcent(ratio(getattr(chiffres, q), enveloppe))}"
        for q in ("fse_paye", "fse_retenu_csf", "fse_conventionne", "fse_programme")
    )
    return Barre(
        tuple(segments),
        largeur(Fraction(enveloppe, full)),
        f"{nom}, en part de l’enveloppe de {euros_ronds(enveloppe)} : {phrase}.",
    )


def _segment(nature: str, libelle: str, start: int, end: int, full: int) -> Segment:
    return Segment(
        nature,
        libelle,
        end - start,
        largeur(Fraction(start, full)),
        largeur(Fraction(end - start, full)),
    )


def legende(plies: Sequence[tuple[str, str, Chiffres]]) -> tuple[tuple[str, str], ...]:
    """Name the segments; the two rare ones only when some bar holds them."""
    rares = {
        "avance": any(c.fse_paye > c.fse_retenu_csf for _, _, c in plies),
        "depassement": any(paliers(c)[-1][1] > c.fse_maquette for _, _, c in plies),
    }
    return tuple((nature, libelle) for nature, libelle in LIBELLES if rares.get(nature, True))
