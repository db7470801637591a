"""A list as Excel opens it and as it is printed."""

import io
import zipfile

import pytest
from ooxml import defauts, feuilles, longueur, trouver
from test_ecrivains import COLONNES, PIEGES, RELEVE, ligne, lire, octets, tableau, une_ligne

from api.exports.catalogue import LISTES
from api.tableaux import Colonne, Releve, Tableau, repondre
from api.tableaux import classeur as ecrivain


def large(colonnes: int) -> bytes:
    """Write a table of one line and of columns of amounts."""
    toutes = tuple(Colonne(f"c{n}", f"Montant n° {n}", "euros") for n in range(colonnes))
    donnee = ligne(**{c.nom: 123_456 for c in toutes})
    return lire(repondre(Tableau("Maquette", toutes, [donnee]), RELEVE, "xlsx", "maquette"))


@pytest.mark.parametrize("total", [None, ligne(texte="Total", montant=3)], ids=["sans", "avec"])
@pytest.mark.parametrize("nombre", [0, 1, 7])
def test_a_list_is_opened_without_repair(
    total: object, nombre: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ecrivain, "LIGNES_MAX", 5)
    donnees = [une_ligne() for _ in range(nombre)]
    assert defauts(octets(tableau(*donnees, total=total), "xlsx")) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("piege", [*PIEGES, "é" * 40_000, "😀" * 40_000, "\x00\ufffe", "a\n" * 300])
def test_no_text_makes_excel_repair_a_list(piege: str) -> None:
    releve = Releve(position=1, releve_le=RELEVE.releve_le, filtres=(("Texte", piege),))
    contenu = octets(tableau(ligne(texte=piege, code=piege)), "xlsx", releve)
    assert defauts(contenu) == []


def test_a_text_that_is_cut_says_so_and_fills_its_cell() -> None:
    """An emoji is two characters for Excel, which « repairs » a cell of more than 32 767."""
    contenu = octets(tableau(ligne(texte="a" + "😀" * 40_000)), "xlsx")
    page = next(iter(feuilles(contenu).values()))
    dit = "".join(trouver(page, "sheetData/row/c")[len(COLONNES)].itertext())
    assert dit.endswith("😀…")
    assert longueur(dit) in {32_766, 32_767}


@pytest.mark.parametrize(("colonnes", "pages"), [(9, 1), (18, 2), (43, 3)])
def test_a_wide_list_goes_on_other_sheets_of_paper(colonnes: int, pages: int) -> None:
    """43 columns on one sheet of A4 were a grey line."""
    page = feuilles(large(colonnes))["Maquette"]
    [reglage] = trouver(page, "pageSetup")
    assert (int(reglage.get("fitToWidth", "1")), reglage.get("fitToHeight")) == (pages, "0")


def test_each_sheet_of_paper_bears_the_titles_and_the_names_of_the_lines() -> None:
    with zipfile.ZipFile(io.BytesIO(large(43))) as archive:
        livre = archive.read("xl/workbook.xml").decode()
    assert "Maquette!$A:$A,Maquette!$1:$1" in livre


def test_a_heading_of_two_lines_does_not_hide_the_first_line() -> None:
    """LibreOffice does not find the height of a row alone."""
    colonnes = (Colonne("a", "N°"), Colonne("b", "Reste à affecter aux opérations", "euros"))
    table = Tableau("T", colonnes, [ligne(a="x", b=1)])
    page = feuilles(lire(repondre(table, RELEVE, "xlsx", "t")))["T"]
    tete, premiere = trouver(page, "sheetData/row")
    assert float(tete.get("ht", "15")) >= 30
    assert premiere.get("ht") is None


def test_what_figures_stand_for_is_seen_whole() -> None:
    aide = Colonne("a", "Colonne", aide="mot " * 60)
    page = feuilles(lire(repondre(Tableau("T", (aide,), []), RELEVE, "xlsx", "t")))["À propos"]
    assert float(trouver(page, "sheetData/row")[-1].get("ht", "15")) >= 60


def test_the_foot_of_a_page_keeps_its_number_whatever_the_title() -> None:
    page = feuilles(octets(tableau(titre="&" * 300), "xlsx"))
    for feuille in page.values():
        [pied] = trouver(feuille, "headerFooter/oddFooter")
        assert (pied.text or "").replace("&&", "").endswith("&RPage &P sur &N")


def test_a_total_that_is_not_the_sum_of_its_column_says_so() -> None:
    """Whoever adds the column up finds more: what was cancelled is listed, and not counted."""
    [depenses] = [liste for liste in LISTES if liste.nom == "depenses"]
    aides = {c.colonne.nom: c.colonne.aide for c in depenses.champs(None)}
    assert "ne compte pas les dépenses annulées" in (aides["montant_impute"] or "")
