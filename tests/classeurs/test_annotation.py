"""A workbook is given back with what is wrong with it, and read again as it was."""

import dataclasses
import io
import re
import zipfile

import pytest
from corpus import CORPUS, MONTANT, PIECE, attendus, defauts
from monde_importe import CONTEXTES, OI, classeur_depenses

from api.classeurs import Apercu, ErreurDeCellule, annoter, apercu, lire
from api.classeurs.classeur import Feuille

LUS = [nom for nom, attendu in attendus().items() if "lignes" in attendu]
#: What a value cannot say of where it came from: a formula, a merge, a hidden row, a field.
PERDUS = {
    "formule_non_calculee",
    "erreur_de_formule",
    "cellules_fusionnees",
    "ligne_masquee",
    "nombre_de_champs",
    "nombre_illisible",
}


def annote(octets: bytes, vu: Apercu) -> tuple[Feuille, bytes]:
    """Return the sheet of dépenses that is given back, and its workbook."""
    rendu = annoter(octets, vu)
    feuille = lire("rendu.xlsx", rendu).feuille("Dépenses")
    assert feuille is not None
    return feuille, rendu


@pytest.mark.parametrize("nom", LUS)
def test_a_workbook_given_back_is_read_again_as_it_was(nom: str) -> None:
    un = CORPUS[nom]
    octets, contexte = un.octets(), CONTEXTES[un.contexte]
    vu = apercu(lire(un.fichier, octets), un.nature, contexte)
    rendu = annoter(octets, vu)
    assert rendu == annoter(octets, vu)
    if any(d.code in PERDUS for d in vu.defauts):
        return
    relu = apercu(lire("rendu.xlsx", rendu), un.nature, contexte)
    assert (relu.nb, relu.total, relu.version) == (vu.nb, vu.total, vu.version)
    assert [(d["ou"].lower(), d["code"]) for d in defauts(relu)] == [
        (d["ou"].lower(), d["code"]) for d in defauts(vu)
    ]


def test_days_of_a_timesheet_are_shown_when_they_are_filled() -> None:
    temps = {
        "Temps : méthode": "temps_travaille",
        "Temps : coût de la personne": 3000,
        "Temps : heures de base": 150,
        "Temps : mois": 3,
    }
    jours = {"Temps : jour 1": 7, "Temps : jour 2": None}
    octets = classeur_depenses({MONTANT: "douze", **temps, **jours})
    _, rendu = annote(octets, apercu(lire("x.xlsx", octets), "depenses", OI))
    with zipfile.ZipFile(io.BytesIO(rendu)) as archive:
        page = archive.read("xl/worksheets/sheet1.xml").decode()
    plies = [c for c in re.findall(r"<col [^>]*>", page) if "outlineLevel" in c]
    assert ["hidden" in c for c in plies] == [False, True]


def test_errors_and_warnings_are_beside_the_rows_and_cells_are_red() -> None:
    octets = classeur_depenses({MONTANT: "1,234.56"}, {}, {PIECE: " bp-03 "})
    vu = apercu(lire("x.xlsx", octets), "depenses", OI)
    feuille, rendu = annote(octets, vu)
    assert feuille.lignes[0][-2:] == ("Erreurs", "Avertissements")
    erreur, avertissement = feuille.lignes[1][-2:]
    assert avertissement == ""
    assert erreur == (
        "Montant imputé : Ce nombre mêle la virgule et le point : il se lit de deux façons. "
        "Écrivez-le sans séparateur de milliers, avec une virgule : 1234,56."
    )
    assert feuille.lignes[2][-2:] == ("", "")
    assert feuille.lignes[3][-2] == ""
    assert str(feuille.lignes[3][-1]).startswith("N° de pièce : La ligne 3 porte la même pièce")
    assert (couleur(rendu, "I2"), couleur(rendu, "E4"), couleur(rendu, "E3")) == (
        "FFF8D3D0",
        "FFFBE8C6",
        None,
    )


@pytest.mark.parametrize("ordre", [1, -1])
def test_a_cell_with_an_error_and_a_warning_is_red(ordre: int) -> None:
    octets = classeur_depenses({MONTANT: "mille"})
    vu = apercu(lire("x.xlsx", octets), "depenses", OI)
    avertissement = dataclasses.replace(vu.defauts[0], gravite="avertissement")
    deux = (*vu.defauts, avertissement)[::ordre]
    assert couleur(annoter(octets, dataclasses.replace(vu, defauts=deux)), "I2") == "FFF8D3D0"


def couleur(rendu: bytes, place: str) -> str | None:
    """Return the colour behind a cell of the first sheet."""
    with zipfile.ZipFile(io.BytesIO(rendu)) as archive:
        page = archive.read("xl/worksheets/sheet1.xml").decode()
        styles = archive.read("xl/styles.xml").decode()
    style = re.search(rf'<c r="{place}" s="(\d+)"', page)
    assert style is not None
    xfs = re.findall(r"<xf [^>]*?/?>", styles.partition("<cellXfs")[2])
    fond = re.search(r'fillId="(\d+)"', xfs[int(style[1])])
    assert fond is not None
    trouvee = re.search(
        r'fgColor rgb="(\w+)"', re.findall(r"<fill>.*?</fill>", styles)[int(fond[1])]
    )
    return trouvee[1] if trouvee else None


def test_a_workbook_given_back_twice_keeps_one_column_of_errors() -> None:
    octets = classeur_depenses({MONTANT: "mille"})
    premier = annoter(octets, apercu(lire("x.xlsx", octets), "depenses", OI))
    vu = apercu(lire("x.xlsx", premier), "depenses", OI)
    feuille, _ = annote(premier, vu)
    assert [t for t in feuille.lignes[0] if t == "Erreurs"] == ["Erreurs"]
    assert len(vu.defauts) == 1


def test_an_error_of_a_formula_is_given_back_as_a_text() -> None:
    un = CORPUS["formules-en-erreur"]
    octets = un.octets()
    vu = apercu(lire("x.xlsx", octets), "depenses", OI)
    lu = vu.classeur.feuilles[0].lignes[1][8]
    assert lu == ErreurDeCellule("#N/A")
    feuille, _ = annote(octets, vu)
    assert feuille.lignes[1][8] == "#N/A"
