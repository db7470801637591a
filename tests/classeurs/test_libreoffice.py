"""Our templates, filled and saved by LibreOffice Calc 7.4 in French, are read as they were typed.

`remplir_dans_libreoffice.py` made the files; nothing here needs a spreadsheet program.
"""

import re
from pathlib import Path

import pytest
from monde_importe import OI, retoucher

from api.classeurs import Apercu, Nature, annoter, apercu, lire

FICHIERS = Path(__file__).parent / "fichiers" / "libreoffice"
CENT_NOMS = f"Société fictive d’insertion, œuvre de l’été {'é à ç ' * 40}"[:199] + "."
#: What each file is expected to say: rows, rows taken, cents, what is wrong.
ATTENDUS: dict[str, tuple[int, int, int, list[tuple[str, str]]]] = {
    **{f"depenses.{forme}": (3, 3, 130_060, []) for forme in ("xlsx", "ods", "csv")},
    "depenses-windows.csv": (3, 3, 130_060, []),
    **{f"commentaire.{forme}": (3, 3, 130_060, []) for forme in ("xlsx", "ods")},
    **{
        f"filtre.{forme}": (
            3,
            3,
            130_060,
            [("ligne_masquee", "3"), ("ligne_masquee", "4")],
        )
        for forme in ("xlsx", "ods")
    },
    **{
        f"formules.{forme}": (3, 2, 120_090, [("erreur_de_formule", "O4")])
        for forme in ("xlsx", "ods")
    },
    **{
        f"fusion.{forme}": (
            3,
            1,
            10,
            [("cellules_fusionnees", "2"), ("cellules_fusionnees", "3")],
        )
        for forme in ("xlsx", "ods")
    },
    "indicateurs.ods": (1, 1, 0, []),
    "ressources.ods": (1, 1, 1_250, []),
    "contreparties.xlsx": (1, 1, 1_000_000, []),
}


def vu(fichier: str) -> tuple[bytes, Apercu]:
    octets = (FICHIERS / fichier).read_bytes()
    debut = fichier.partition(".")[0]
    natures: dict[str, Nature] = {
        "indicateurs": "indicateurs",
        "ressources": "ressources",
        "contreparties": "contreparties",
    }
    return octets, apercu(lire(fichier, octets), natures.get(debut, "depenses"), OI)


def test_every_file_is_expected() -> None:
    assert {f.name for f in FICHIERS.iterdir()} == set(ATTENDUS)


@pytest.mark.parametrize("fichier", ATTENDUS)
def test_a_file_saved_by_libreoffice_says_what_was_typed(fichier: str) -> None:
    _, lu = vu(fichier)
    dits = [(d.code, f"{d.colonne}{d.ligne}") for d in lu.defauts]
    assert (lu.nb_lignes, lu.nb, lu.total, dits) == ATTENDUS[fichier]


@pytest.mark.parametrize("fichier", [f for f in ATTENDUS if f.startswith("depenses")])
def test_the_same_rows_whatever_they_were_saved_as(fichier: str) -> None:
    _, lu = vu(fichier)
    _, premier = vu("depenses.xlsx")
    assert [ligne.commande for ligne in lu.lignes] == [x.commande for x in premier.lignes]
    premiere, deuxieme, _ = (ligne.commande for ligne in lu.lignes)
    assert premiere["tiers_ref"] == CENT_NOMS.strip()
    assert len(CENT_NOMS) == 200
    assert (deuxieme["piece_ref"], deuxieme["nature"]) == ("000123", "Œuvre d’été : 10 €")
    assert str(deuxieme["date_acquittement"]) == "2021-04-02"


def test_a_workbook_may_hold_more_cells_than_its_card_has_bytes() -> None:
    """LibreOffice counts the cells of a workbook on a card of less than 1,000 bytes: 500 rows
    were taken for a trap.
    """

    def cinq_cents_lignes(carte: bytes) -> bytes:
        assert len(carte) < 1000
        return re.sub(rb'cell-count="[0-9]+"', b'cell-count="4751"', carte)

    octets = retoucher((FICHIERS / "depenses.ods").read_bytes(), {"meta.xml": cinq_cents_lignes})
    assert apercu(lire("depenses.ods", octets), "depenses", OI).nb == 3


def test_rows_that_look_alike_are_no_trap() -> None:
    """LibreOffice writes each blank cell of a row: 2,000 rows alike are compressed 120 times."""

    def deux_mille(contenu: bytes) -> bytes:
        debut = contenu.rindex(b"<table:table-row", 0, contenu.index(b"20210430"))
        fin = contenu.index(b"</table:table-row>", debut) + len(b"</table:table-row>")
        return contenu[:fin] + contenu[debut:fin] * 1999 + contenu[fin:]

    octets = retoucher((FICHIERS / "depenses.ods").read_bytes(), {"content.xml": deux_mille})
    feuille = lire("depenses.ods", octets).feuille("Dépenses")
    assert feuille is not None
    assert len(feuille.lignes) == 2003


def test_a_pivot_table_may_count_more_rows_than_its_part_has_bytes() -> None:
    cache = {"xl/pivotCache/cache1.xml": b'<pivotCacheDefinition recordCount="20000"/>'}
    octets = retoucher((FICHIERS / "depenses.xlsx").read_bytes(), {}, **cache)
    assert apercu(lire("depenses.xlsx", octets), "depenses", OI).nb == 3


@pytest.mark.parametrize("fichier", [f for f in ATTENDUS if ATTENDUS[f][3]])
def test_what_libreoffice_saved_is_given_back(fichier: str) -> None:
    octets, lu = vu(fichier)
    rendu = lire("rendu.xlsx", annoter(octets, lu)).feuille("Dépenses")
    assert rendu is not None
    dites = {d.ligne for d in lu.defauts}
    for numero in dites:
        assert "".join(map(str, rendu.lignes[numero - 1][-2:])), numero
