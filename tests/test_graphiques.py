"""Charts: what they conclude, that nothing in them is for another page, and the table behind."""

import re
from datetime import date
from fractions import Fraction
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.graphiques import (
    Couvert,
    Effet,
    Etape,
    Graphique,
    Suivi,
    cascade,
    courbe,
    couverture,
    flux,
    leviers,
)
from api.graphiques.cascade import marches
from api.graphiques.modele import echelle, jour_long
from api.graphiques.moteur import _corps, dessiner
from projections.maquette import Chiffres, LigneDeMaquette

FIN = date(2022, 12, 31)
SUIVI = Suivi(
    retenu=[(date(2022, 4, 30), 200_000_00), (date(2022, 5, 31), 450_000_00)],
    certifie=[(date(2022, 9, 30), 300_000_00)],
    prevision=[(date(2022, 10, 15), 300_000_00), (FIN, 420_000_00)],
    etapes=[Etape(FIN, 500_000_00, 80_000_00)],
    enveloppe=900_000_00,
    au=date(2022, 10, 15),
)
CHIFFRES = Chiffres(
    fse_maquette=900_000_00,
    fse_programme=800_000_00,
    fse_conventionne=700_000_00,
    fse_declare=500_000_00,
    fse_retenu_csf=450_000_00,
    fse_paye=460_000_00,
)
LIGNES = [
    LigneDeMaquette(plie, f"PLIE <{plie}>", 2022, "3", os_, "x", Chiffres(fse_programme=montant))
    for plie, os_, montant in (("a", "OS1", 600_000_00), ("a", "OS2", 100_000_00), ("b", "OS1", 5))
]
EFFETS = [Effet("PLIE A", Fraction(7, 2), 70, 20), Effet("PLIE B", None, 30, 0)]


def tous() -> list[Graphique]:
    found = [
        courbe(SUIVI, "Il manque 0,08 M€", "Cumuls."),
        cascade(CHIFFRES, 30_000_00),
        flux(LIGNES),
        leviers(EFFETS, Effet("Ensemble", Fraction(5), 100, 20), Fraction(17, 5)),
        couverture([Couvert("PLIE A", 100, 80, 20)], Couvert("Ensemble", 100, 80, 20)),
    ]
    assert None not in found
    return [g for g in found if g is not None]


@pytest.mark.parametrize("graphique", tous(), ids=lambda g: g.nom)
def test_a_chart_is_one_picture_with_one_french_sentence(graphique: Graphique) -> None:
    """Nothing inline, nothing in English, nothing elsewhere, no identifier that two could share."""
    racine = ET.fromstring(str(graphique.svg))  # noqa: S314 - ours
    assert racine.get("role") == "img"
    assert [e.text for e in racine.iter("title")] == [graphique.conclusion]
    assert racine[0].tag == "title"
    for element in racine.iter():
        interdits = {n for n in element.attrib if n in {"style", "id", "href"} or "aria" in n}
        assert not interdits, (element.tag, interdits)
        assert element is racine or element.get("class") is None
    assert not re.search(r"https?:|url\(|NaN|undefined|null", str(graphique.svg))
    assert list(graphique.tableau.lignes)


def test_each_specification_is_drawn_once() -> None:
    specification = {"mark": "bar", "data": {"values": [{"a": 1}]}, "title": "une seule fois"}
    avant = _corps.cache_info()
    premier, second = dessiner(specification, "Un"), dessiner(dict(specification), "Deux")
    apres = _corps.cache_info()
    assert (apres.misses - avant.misses, apres.hits - avant.hits) == (1, 1)
    assert str(premier).replace("Un", "Deux") == str(second)


def test_a_sentence_is_text_and_nothing_else() -> None:
    svg = str(dessiner({"mark": "bar", "data": {"values": []}}, "<script>&"))
    assert "<title>&lt;script&gt;&amp;</title>" in svg


def test_names_of_plie_are_text_and_nothing_else() -> None:
    [graphique] = [g for g in tous() if g.nom == "flux"]
    assert "PLIE &lt;a&gt;" in str(graphique.svg)
    assert "<a>" not in str(graphique.svg)


MONTANTS = st.integers(0, 10**12)


@given(
    st.builds(
        Chiffres,
        fse_maquette=MONTANTS,
        fse_programme=MONTANTS,
        fse_conventionne=MONTANTS,
        fse_declare=MONTANTS,
        fse_retenu_csf=MONTANTS,
        fse_paye=MONTANTS,
    ),
    MONTANTS,
)
def test_every_step_leaves_where_the_one_before_arrived(c: Chiffres, attendus: int) -> None:
    etapes = marches(c, attendus)
    niveau = c.fse_maquette
    for etape in etapes[1:]:
        if etape.palier:
            assert etape.fin == niveau
        else:
            assert etape.debut == niveau
            assert etape.debut - etape.fin == etape.montant
            niveau = etape.fin
    assert niveau == c.fse_paye


def test_the_cascade_names_the_step_that_keeps_most() -> None:
    graphique = cascade(CHIFFRES, 30_000_00)
    assert graphique is not None
    assert graphique.conclusion == "200\u00a0k€ conventionnés ne sont pas encore déclarés"
    # Paid above what is retained: advances, not a negative rest.
    assert [m.libelle for m in marches(CHIFFRES, 0) if m.montant == -10_000_00] == ["Avances"]
    assert cascade(Chiffres(), 0) is None


def test_the_curve_has_a_line_of_its_table_for_each_thing_that_moved() -> None:
    graphique = courbe(SUIVI, "Conclusion", "Légende")
    assert graphique is not None
    lus = {
        ligne.cellules["jour"].valeur: {
            nom: cellule.valeur for nom, cellule in ligne.cellules.items() if nom != "jour"
        }
        for ligne in graphique.tableau.lignes
    }
    assert lus[FIN] == {
        "retenu": None,
        "certifie": None,
        "prevision": 420_000_00,
        "seuil": 500_000_00,
        "manque": 80_000_00,
    }
    assert lus[date(2022, 5, 31)]["retenu"] == 450_000_00
    rien = Suivi((), (), (), (), 900_000_00, FIN)
    assert courbe(rien, "Rien", "Rien") is None


def test_the_flow_adds_up() -> None:
    graphique = flux(LIGNES)
    assert graphique is not None
    assert graphique.conclusion == "85,7\u00a0% du programmé va à l’objectif OS1"
    total = graphique.tableau.total
    assert total is not None
    assert total.cellules["total"].valeur == 700_000_05
    assert flux([]) is None


def test_levier_is_set_against_its_reference() -> None:
    [graphique] = [g for g in tous() if g.nom == "leviers"]
    assert graphique.conclusion.startswith("Un euro du territoire appelle 5,00 € de FSE, au-dessus")
    assert "n. d." in str(graphique.svg)
    assert leviers([], Effet("Ensemble", None, 0, 0), Fraction(3)) is None
    assert couverture([], Couvert("Ensemble", 0, 0, 0)) is None


@pytest.mark.parametrize(
    ("centimes", "dit"),
    [
        (1_234_567_890_00, "1\u00a0234,57\u00a0M€"),
        (41_514_701, "415\u00a0k€"),
        (248_493_919, "2,48\u00a0M€"),
        (-1_550_00, "\u22122\u00a0k€"),
    ],
)
def test_amounts_of_a_chart(centimes: int, dit: str) -> None:
    assert echelle(abs(centimes)).montant(centimes) == dit


def test_days_in_words() -> None:
    assert jour_long(date(2022, 1, 1)) == "1er\u00a0janvier 2022"
    assert jour_long(FIN) == "31\u00a0décembre 2022"
