"""What holds for every workbook that leaves here: how it prints, how high a row of text is."""

from xlsxwriter.worksheet import Worksheet

#: What is still read on a sheet of A4, across: more goes on a second sheet, not in smaller letters.
_CARACTERES = 190
_A4 = 9
_PIED_MAX = 100
#: Points of a line of text; what a font wider than ours leaves of a column; the highest row.
_LIGNE, _REMPLI, _HAUTEUR_MAX = 15, 0.85, 409


def mettre_en_page(
    feuille: Worksheet, largeur: float, *, titres: int | None = 0, pied: str = ""
) -> None:
    """Make what is printed readable: A4 across, with the heading on each page.

    Args:
        feuille: what is printed.
        largeur: the characters that its columns take in all.
        titres: the rank of the row of headings, from 0; ``None`` when it has none.
        pied: what its foot says, beside the number of the page.
    """
    feuille.set_landscape()
    feuille.set_paper(_A4)
    pages = max(1, -(-int(largeur) // _CARACTERES))
    feuille.fit_to_pages(pages, 0)
    if titres is not None:
        feuille.repeat_rows(titres)
    if pages > 1:  # The first column names the lines: it is on each sheet.
        feuille.repeat_columns(0)
    texte = pied[:_PIED_MAX].replace("&", "&&")
    feuille.set_footer(f"{f'&L{texte}' if texte else ''}&RPage &P sur &N")


def hauteur(texte: str, largeur: float) -> int:
    """Return the height of a row whose text goes to the line, in points.

    Excel finds it alone; other spreadsheets show the first line, and hide the rest.
    """
    place = max(1, int(largeur * _REMPLI))
    lignes = sum(max(1, -(-len(ligne) // place)) for ligne in texte.split("\n"))
    return min(_HAUTEUR_MAX, _LIGNE * lignes)
