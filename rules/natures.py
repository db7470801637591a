"""Words that betray a cost ineligible by nature, in what the beneficiary wrote of it.

The list is not exhaustive, and a word is no proof: some ask the controller to look, no more.
Sources: annexes of décrets 2016-279 and 2022-608 (amendes, sanctions, pénalités, exonérations,
frais de justice et de contentieux, dividendes); Règlement (UE) n° 1303/2013, art. 69 §3, and
règlement (UE) 2021/1060, art. 64 §1 (interest on debt, land, VAT); the rest is common practice.
"""

import re
import unicodedata
from typing import Literal, NamedTuple

#: Raised when a word is added or taken away: a finding says under which list it was made.
NATURES_VERSION = 1

_DECRETS = "Règles nationales d’éligibilité, décrets 2016-279 et 2022-608, annexe"
_REGLEMENTS = "Règlement (UE) n° 1303/2013, art. 69 §3 ; règlement (UE) 2021/1060, art. 64 §1"
_USAGE = "Usage des gestionnaires, à confirmer"


class NatureIneligible(NamedTuple):
    """A family of words: a regular expression on the text without accents nor capitals."""

    libelle: str
    mots: str
    motif_code: str
    statut: Literal["anomalie", "a_apprecier"]
    article: str


NATURES_INELIGIBLES: tuple[NatureIneligible, ...] = (
    NatureIneligible(
        "amende", r"amendes?|contraventions?", "AMENDE_PENALITE", "anomalie", _DECRETS
    ),
    NatureIneligible(
        "pénalité", r"penalites?|majorations? de retard", "AMENDE_PENALITE", "anomalie", _DECRETS
    ),
    NatureIneligible(
        "sanction",
        r"sanctions? (penales?|fiscales?|pecuniaires?|financieres?)",
        "AMENDE_PENALITE",
        "anomalie",
        _DECRETS,
    ),
    NatureIneligible(
        "frais de justice ou de contentieux",
        r"frais de (justice|contentieux|procedure)",
        "INELIGIBLE_PAR_NATURE",
        "anomalie",
        _DECRETS,
    ),
    NatureIneligible(
        "litige",
        r"contentieux|litiges?|avocats?|huissiers?|prud'?hom(mes|al|aux)",
        "INELIGIBLE_PAR_NATURE",
        "a_apprecier",
        _DECRETS,
    ),
    NatureIneligible("dividende", r"dividendes?", "INELIGIBLE_PAR_NATURE", "anomalie", _DECRETS),
    NatureIneligible(
        "exonération ou réduction de charges fiscales",
        r"exonerations?|degrevements?|reductions? de charges",
        "INELIGIBLE_PAR_NATURE",
        "a_apprecier",
        _DECRETS,
    ),
    NatureIneligible(
        "intérêts d’une dette",
        r"interets? (debiteurs?|moratoires?|intercalaires?|d'emprunts?|de l'emprunt|de retard"
        r"|de la dette)|agios?",
        "INELIGIBLE_PAR_NATURE",
        "anomalie",
        _REGLEMENTS,
    ),
    NatureIneligible(
        "perte de change",
        r"(pertes?|differences?) de change",
        "INELIGIBLE_PAR_NATURE",
        "anomalie",
        _USAGE,
    ),
    NatureIneligible(
        "frais bancaires",
        r"(frais|commissions?|services) bancaires?|frais de tenue de compte",
        "INELIGIBLE_PAR_NATURE",
        "a_apprecier",
        _USAGE,
    ),
    NatureIneligible(
        "provision",
        r"dotations? aux provisions|provisions? pour",
        "INELIGIBLE_PAR_NATURE",
        "anomalie",
        _USAGE,
    ),
    NatureIneligible(
        "droits déductibles",
        r"droits de douane|droits? deductibles?",
        "INELIGIBLE_PAR_NATURE",
        "a_apprecier",
        _USAGE,
    ),
    NatureIneligible(
        "terrain",
        r"(achats?|acquisitions?) (de|d'un|du) (terrains?|foncier)|terrains? batis?",
        "INELIGIBLE_PAR_NATURE",
        "a_apprecier",
        _REGLEMENTS,
    ),
    NatureIneligible(
        "matériel d’occasion", r"d'occasion", "INELIGIBLE_PAR_NATURE", "a_apprecier", _USAGE
    ),
)

_MOTIFS = tuple((n, re.compile(rf"\b(?:{n.mots})\b")) for n in NATURES_INELIGIBLES)


def _normaliser(texte: str) -> str:
    """Return a text without accents nor capitals, its apostrophes straight."""
    decompose = unicodedata.normalize("NFKD", texte.casefold().replace("’", "'"))
    return "".join(c for c in decompose if not unicodedata.combining(c))


def natures_reconnues(texte: str) -> tuple[NatureIneligible, ...]:
    """Return every family of the list that has a word in a text, in the order of the list."""
    lu = _normaliser(texte)
    return tuple(nature for nature, motif in _MOTIFS if motif.search(lu))
