"""Whatever the bytes, reading ends, by a workbook or by a refusal that a person understands."""

import random
import re
from collections.abc import Callable

import pytest
from corpus import classeur_depenses
from monde_importe import OI, lignes, ods, rangee_ods, retoucher

from api.classeurs import FichierRefuse, Limites, annoter, apercu, lire
from api.classeurs.refus import (
    FichierAbime,
    FichierTropLourd,
    TropDeColonnes,
    TropDeLignes,
)

#: Values that no spreadsheet writes where they are put.
VALEURS = (
    b"", b"0", b"-1", b"99999999999", b"1048576", b"18446744073709551616", b"1e308", b"nan",
    b"A1:XFD1048576", b"XFD1048576", b"ZZZZ1", b"a1", b"d", b"e", b"inlineStr", b"true",
    b"2021-13-45", b"PT999999H", b"[h]:mm", b"float", b"../../x", b"rId1", "é".encode() * 40,
)  # fmt: skip


def _valeurs(xml: bytes, sort: random.Random) -> bytes:
    """Change values: it stays XML."""
    for _ in range(sort.choice((1, 2, 4))):
        places = [m.span(1) for m in re.finditer(rb'="([^"]+)"', xml)]
        debut, fin = sort.choice(places)
        xml = xml[:debut] + sort.choice(VALEURS) + xml[fin:]
    return xml


def _octets(xml: bytes, sort: random.Random) -> bytes:
    """Change, remove or repeat bytes: it is mostly no longer XML."""
    place, longueur = sort.randrange(len(xml)), sort.randrange(1, 40)
    morceau = sort.choice((b"", xml[:longueur], bytes([sort.randrange(256)])))
    return xml[:place] + morceau + xml[place + sort.choice((0, longueur)) :]


@pytest.mark.parametrize("changer", [_valeurs, _octets])
@pytest.mark.parametrize(
    ("nom", "octets", "parties"),
    [
        (
            "x.xlsx",
            classeur_depenses({}, {"N° de pièce": "BP-04"}),
            (r"xl/worksheets/sheet1\.xml", r"xl/workbook\.xml", r"xl/styles\.xml", r"xl/shared.*"),
        ),
        ("x.ods", ods([rangee_ods(r) for r in lignes({})]), (r"content\.xml",)),
    ],
    ids=["xlsx", "ods"],
)
def test_no_file_makes_the_reading_fail_otherwise_than_by_a_refusal(
    nom: str,
    octets: bytes,
    parties: tuple[str, ...],
    changer: Callable[[bytes, random.Random], bytes],
) -> None:
    sort = random.Random(7)  # noqa: S311 - the same files at every run
    for _ in range(40):
        change = retoucher(octets, {sort.choice(parties): lambda xml: changer(xml, sort)})
        try:
            vu = apercu(lire(nom, change), "depenses", OI)
        except FichierRefuse:
            continue
        annoter(change, vu)


def test_limits_are_those_that_are_given() -> None:
    octets = classeur_depenses({}, {}, {})
    with pytest.raises(TropDeLignes):
        lire("x.xlsx", octets, Limites(lignes=2))
    with pytest.raises(TropDeColonnes):
        lire("x.xlsx", octets, Limites(colonnes=8))
    with pytest.raises(FichierTropLourd):
        lire("x.xlsx", octets, Limites(octets=1000))
    assert len(lire("x.xlsx", octets, Limites(lignes=3)).feuilles[0].lignes) == 4


def test_two_sheets_of_the_same_name_are_refused() -> None:
    octets = retoucher(
        classeur_depenses({}),
        {r"xl/workbook\.xml": lambda xml: xml.replace(b'name="oi"', 'name="DÉPENSES"'.encode())},
    )
    with pytest.raises(FichierAbime):
        lire("x.xlsx", octets)


def test_a_sheet_may_have_a_name_that_excel_does_not_take() -> None:
    octets = ods([rangee_ods(r) for r in lignes({})], nom="Dépenses : 'premier' trimestre [2021] *")
    vu = apercu(lire("x.ods", octets), "depenses", OI)
    rendu = lire("x.xlsx", annoter(octets, vu))
    assert [f.nom for f in rendu.feuilles] == ["Dépenses   'premier' trimes (1)"]


def test_blank_cells_that_carry_a_format_go_as_far_as_they_like() -> None:
    octets = classeur_depenses(
        {},
        ecrire=lambda livre, page: page.write_blank(
            900_000, 300, None, livre.add_format({"bold": True})
        ),
    )
    assert len(lire("x.xlsx", octets).feuilles[0].lignes) == 2
