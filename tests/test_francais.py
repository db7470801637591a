"""Words that a number counts agree with it, in refusals and in the story of a dossier."""

import re
from decimal import Decimal
from pathlib import Path
from string import Formatter

import pytest

from aggregates.convention.echantillons import TirageNonControle
from api.errors import connus, expliquer
from oi_service.francais import compter
from projections.histoire import PHRASES

_RACINE = Path(__file__).parents[1]
_OUVERT = re.compile(r"\w\((?:s|e|es|nt|en)\)")


@pytest.mark.parametrize(
    ("nombre", "dit"),
    [
        (0, "0 pièce tirée"),
        (1, "1 pièce tirée"),
        (2, "2 pièces tirées"),
        (12_345, "12\u202f345 pièces tirées"),
        (-2, "-2 pièces tirées"),
        (Decimal("1.50"), "1,5 pièce tirée"),
        (Decimal("92.5"), "92,5 pièces tirées"),
        (Decimal("100.00"), "100 pièces tirées"),
    ],
)
def test_words_agree_with_the_number(nombre: int | Decimal, dit: str) -> None:
    assert compter(nombre, "pièce(s) tirée(s)") == dit


def test_a_refusal_agrees_and_leaves_alone_what_was_typed() -> None:
    refus = TirageNonControle(nombre=1, poste="3 lot(s)")
    assert str(refus) == "Il manque la décision de 1 pièce tirée du poste « 3 lot(s) »."
    phrase = expliquer("tirage_non_controle").phrase
    assert phrase == "Il manque la décision de … pièces tirées du poste « … »."


def test_no_sentence_leaves_its_plural_open() -> None:
    modeles = [" ".join((refus.__doc__ or "").split()) for refus in connus()] + [*PHRASES.values()]
    ouverts = [
        texte
        for modele in modeles
        for texte, _, _, _ in Formatter().parse(modele)
        if _OUVERT.search(texte)
    ]
    assert ouverts == []


def test_no_page_leaves_its_plural_open() -> None:
    pages = sorted((_RACINE / "api" / "templates").glob("*.html"))
    assert pages
    assert [p.name for p in pages if _OUVERT.search(p.read_text())] == []
