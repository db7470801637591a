"""What we write, as the most exacting spreadsheet reads it, and as it is seen and printed."""

import io
import re
import zipfile
from xml.sax.saxutils import escape

import pytest
from corpus import CORPUS, attendus
from monde_importe import (
    CONTEXTES,
    NATURES,
    OI,
    classeur_depenses,
    lignes,
    ods,
    rangee_ods,
)
from ooxml import defauts, feuilles, trouver

from api.classeurs import MODELES, Contexte, Nature, annoter, apercu, gabarit, lire
from api.classeurs.gabarit import classeur_neuf
from api.tableaux.papier import hauteur

#: What LibreOffice takes for the name of a sheet, and Excel does not.
NOMS_LIBRES = ("Dépenses 2021 du dossier, saisies par le service", "Historique", "a'b'", "d:[2]/?*")


@pytest.mark.parametrize("contexte", CONTEXTES.values(), ids=CONTEXTES)
@pytest.mark.parametrize("nature", NATURES)
def test_a_template_is_opened_without_repair(nature: Nature, contexte: Contexte) -> None:
    octets = gabarit(nature, contexte)
    assert defauts(octets) == []
    pages = feuilles(octets)
    for feuille in MODELES[nature].feuilles:
        colonnes = trouver(pages[feuille.nom], "sheetData/row/c")
        assert len(trouver(pages[feuille.nom], "dataValidations/dataValidation")) == len(colonnes)


@pytest.mark.parametrize("nom", [n for n, a in attendus().items() if "lignes" in a])
def test_a_workbook_given_back_is_opened_without_repair(nom: str) -> None:
    un = CORPUS[nom]
    octets = un.octets()
    lu = apercu(lire(un.fichier, octets), un.nature, CONTEXTES[un.contexte])
    assert defauts(annoter(octets, lu)) == []


@pytest.mark.parametrize("nom", NOMS_LIBRES)
def test_a_name_that_only_libreoffice_takes_is_made_one_of_excel(nom: str) -> None:
    octets = ods([rangee_ods(r) for r in lignes({}, {"N° de pièce": "BP-04"})], nom=escape(nom))
    lu = apercu(lire("x.ods", octets), "depenses", OI)
    assert defauts(annoter(octets, lu)) == []


def imprimees(octets: bytes) -> dict[str, tuple[str | None, int]]:
    """Return how each sheet that is seen prints: its direction, and pages across."""
    return {
        nom: (reglage.get("orientation"), int(reglage.get("fitToWidth", "1")))
        for nom, page in feuilles(octets).items()
        if nom not in {"oi", "listes"}
        for reglage in trouver(page, "pageSetup")
    }


@pytest.mark.parametrize("nature", NATURES)
def test_what_is_printed_is_read(nature: Nature) -> None:
    """31 columns on one sheet of A4 are letters of half a millimetre."""
    assert imprimees(gabarit(nature, OI)) == {
        "À lire": ("landscape", 1),
        **{
            feuille.nom: (
                "landscape",
                -(-sum(c.largeur for c in feuille.colonnes if not c.repliee) // 190),
            )
            for feuille in MODELES[nature].feuilles
        },
    }


def test_a_workbook_given_back_prints_with_its_titles() -> None:
    octets = classeur_depenses({"Montant imputé": "mille"})
    rendu = annoter(octets, apercu(lire("x.xlsx", octets), "depenses", OI))
    assert imprimees(rendu) == {"Dépenses": ("landscape", 2)}
    assert b"D\xc3\xa9penses!$1:$1" in zipfile.ZipFile(io.BytesIO(rendu)).read("xl/workbook.xml")


def test_every_message_of_a_row_is_seen() -> None:
    """LibreOffice shows the first line of a cell, and hides the rest, unless the row is high."""
    octets = classeur_depenses({"Montant imputé": "mille", "N° de pièce": None}, {})
    rendu = annoter(octets, apercu(lire("x.xlsx", octets), "depenses", OI))
    fautive, bonne = trouver(feuilles(rendu)["Dépenses"], "sheetData/row")[1:3]
    assert float(fautive.get("ht", "15")) >= 4 * 15
    assert bonne.get("ht") is None


def test_what_to_write_is_seen_whole() -> None:
    page = feuilles(gabarit("depenses", OI))["À lire"]
    hauteurs = [float(r.get("ht", "15")) for r in trouver(page, "sheetData/row")]
    assert max(hauteurs[6:]) >= 30, "the help of « Montant imputé » takes two lines"


@pytest.mark.parametrize(
    ("texte", "largeur", "attendue"),
    [
        ("", 10, 15),
        ("a" * 8, 10, 15),
        ("a" * 9, 10, 30),
        ("a\nb\n\nc", 10, 60),
        ("a" * 999, 2, 409),
    ],
)
def test_a_row_is_as_high_as_its_text(texte: str, largeur: int, attendue: int) -> None:
    assert hauteur(texte, largeur) == attendue


def test_a_whole_number_is_not_asked_with_a_comma() -> None:
    """A column of years said: « une virgule avant les décimales »."""
    page = feuilles(gabarit("contreparties", OI))["Attributions"]
    dits = {
        v.get("promptTitle"): v.get("error")
        for v in trouver(page, "dataValidations/dataValidation")
        if v.get("type") in {"whole", "decimal"}
    }
    assert dits["Année"] == "Écrivez un nombre entier, sans virgule."
    assert dits["Montant attribué"] == (
        "Écrivez des chiffres, et une virgule avant les décimales, sans signe moins."
    )


def test_a_number_without_decimals_is_shown_without_a_comma() -> None:
    """The format ``0.####`` shows « 12, »."""
    for nature in NATURES:
        with zipfile.ZipFile(io.BytesIO(gabarit(nature, OI))) as archive:
            assert "0.####" not in archive.read("xl/styles.xml").decode()


def test_numbers_of_documents_are_texts_without_a_remark() -> None:
    [remarque] = trouver(
        feuilles(gabarit("depenses", OI))["Dépenses"], "ignoredErrors/ignoredError"
    )
    assert remarque.get("numberStoredAsText") == "1"
    plages = (remarque.get("sqref") or "").split()
    assert "F2:F20001" in plages, "N° de pièce"
    assert "O2:O20001" not in plages, "an amount typed as a text is to be seen"


@pytest.mark.parametrize(("montant", "tel_quel"), [(100 / 3, True), (-12.5, False)])
def test_a_third_is_not_shown_as_if_it_were_rounded(montant: float, *, tel_quel: bool) -> None:
    """A cell said to have too many decimals showed two."""
    octets = classeur_depenses({"Montant imputé": montant, "Poste de dépense": "?"})
    rendu = annoter(octets, apercu(lire("x.xlsx", octets), "depenses", OI))
    [cellule] = [
        c for c in trouver(feuilles(rendu)["Dépenses"], "sheetData/row/c") if c.get("r") == "I2"
    ]
    with zipfile.ZipFile(io.BytesIO(rendu)) as archive:
        formes = re.findall(
            r'<xf numFmtId="(\d+)"',
            archive.read("xl/styles.xml").decode().partition("<cellXfs")[2],
        )
    assert (formes[int(cellule.get("s", "0"))] == "0") is tel_quel  # 0: as it is


def test_a_new_workbook_is_opened_without_repair() -> None:
    sortie = io.BytesIO()
    with classeur_neuf(sortie, titre="x") as livre:
        livre.add_worksheet("Une feuille")
    assert defauts(sortie.getvalue()) == []
