"""Write our templates: .xlsx with lists, validations, French formats, and their version inside."""

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_range
from xlsxwriter.worksheet import Worksheet

from api.classeurs.classeur import LIMITES
from api.classeurs.contexte import Contexte
from api.classeurs.feuilles import lettre
from api.classeurs.modeles import DOSSIER, MODELES, Colonne, FeuilleModele, Modele
from api.classeurs.resultat import Nature
from api.tableaux.papier import hauteur, mettre_en_page

#: Hidden sheets: what the workbook is, and the lists that its cells offer.
FEUILLE_OI, FEUILLE_LISTES, FEUILLE_A_LIRE = "oi", "listes", "À lire"
#: The same question gives the same bytes: no clock is read.
INSTANT = datetime(2020, 1, 1, tzinfo=UTC)

FORMATS: Mapping[str, str] = {
    "jour": "dd/mm/yyyy",
    "montant": "#,##0.00",
    # « 0.#### » would show « 12, ».
    "nombre": "General",
    "pourcentage": "General",
    "entier": "0",
}
#: Rows that keep the formats and the lists of the template: what a file may hold.
_LIGNES = LIMITES.lignes
_AIDE_MAX, _TITRE_AIDE_MAX = 255, 32
#: Columns of the sheet « À lire »: what is asked, whether it must be, what to write.
_LARGEURS_A_LIRE = (34, 14, 90)
_ENTRE_CONSIGNES = 5


def gabarit(nature: Nature, contexte: Contexte) -> bytes:
    """Write the template of a nature: for one operation when ``contexte`` expects one."""
    modele = MODELES[nature]
    sortie = io.BytesIO()
    with classeur_neuf(sortie, titre=f"Modèle : {modele.titre}") as livre:
        ecrire_modele(livre, modele, contexte)
    return sortie.getvalue()


def ecrire_modele(livre: Workbook, modele: Modele, contexte: Contexte) -> dict[str, Worksheet]:
    """Write every sheet of a template; return those that people fill, by name."""
    pages = {feuille.nom: livre.add_worksheet(feuille.nom) for feuille in modele.feuilles}
    _a_lire(livre, modele, contexte)
    places = ecrire_listes(livre, _listes(modele, contexte))
    ecrire_identite(livre, modele, contexte)
    for feuille in modele.feuilles:
        _feuille(livre, pages[feuille.nom], feuille, places, contexte)
    return pages


def classeur_neuf(sortie: io.BytesIO, *, titre: str) -> Workbook:
    """Open a workbook whose bytes depend only on what is written in it."""
    livre = Workbook(
        sortie,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    livre.set_properties({"title": titre, "author": "Pivot FSE", "created": INSTANT})
    return livre


def colonnes_du_gabarit(feuille: FeuilleModele, contexte: Contexte) -> tuple[Colonne, ...]:
    """Return the columns: that of the operation only when the template is for several."""
    return tuple(
        c for c in feuille.colonnes if c is not DOSSIER or contexte.operation_attendue is None
    )


def _listes(modele: Modele, contexte: Contexte) -> dict[str, tuple[str, ...]]:
    """Return what each column offers, by the key of the column."""
    listes: dict[str, tuple[str, ...]] = {}
    for feuille in modele.feuilles:
        for colonne in colonnes_du_gabarit(feuille, contexte):
            valeurs = valeurs_offertes(colonne, contexte)
            if valeurs:
                listes[f"{feuille.nom}.{colonne.cle}"] = valeurs
    return listes


def valeurs_offertes(colonne: Colonne, contexte: Contexte) -> tuple[str, ...]:
    """Return what the list of a column offers, in order."""
    if colonne.connus == "operations":
        return tuple(sorted(o.numero for o in contexte.operations))
    if colonne.connus == "plies":
        return tuple(sorted(contexte.plies))
    attendue = contexte.operation_attendue
    if colonne.cle == "poste" and attendue is not None and attendue.postes:
        return tuple((colonne.choix or {}).get(code, code) for code, _ in attendue.postes)
    return tuple((colonne.choix or {}).values())


def ecrire_listes(livre: Workbook, listes: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Write the lists on a hidden sheet; return where each is, for a validation."""
    page = livre.add_worksheet(FEUILLE_LISTES)
    page.hide()
    places = {}
    for rang, (cle, valeurs) in enumerate(listes.items()):
        page.write_column(0, rang, [cle, *valeurs])
        col = lettre(rang + 1)
        places[cle] = f"={FEUILLE_LISTES}!${col}$2:${col}${len(valeurs) + 1}"
    return places


def ecrire_identite(livre: Workbook, modele: Modele, contexte: Contexte) -> None:
    """Write what the workbook is: template, version, operation."""
    page = livre.add_worksheet(FEUILLE_OI)
    page.hide()
    attendue = contexte.operation_attendue
    identite = {
        "modele": modele.nature,
        "version": str(modele.version),
        "operation": str(attendue.id) if attendue else "",
        "dossier": attendue.numero if attendue else "",
    }
    for rang, (cle, valeur) in enumerate(identite.items()):
        page.write_row(rang, 0, [cle, valeur])


def _a_lire(livre: Workbook, modele: Modele, contexte: Contexte) -> None:
    page = livre.add_worksheet(FEUILLE_A_LIRE)
    titre = livre.add_format({"bold": True, "font_size": 16, "font_color": "#1B2A4A"})
    gras = livre.add_format({"bold": True, "valign": "top", "text_wrap": True})
    texte = livre.add_format({"text_wrap": True, "valign": "top"})
    preparer_a_lire(page)
    attendue = contexte.operation_attendue
    page.write(0, 0, f"{modele.titre}, modèle version {modele.version}", titre)
    page.write(
        1,
        0,
        f"Opération {attendue.numero}, {attendue.operation.intitule}"
        if attendue
        else "Toutes les opérations : le numéro du dossier est sur chaque ligne.",
    )
    for rang, consigne in enumerate(modele.consignes, start=3):
        page.merge_range(rang, 0, rang, 2, consigne, texte)
        page.set_row(rang, hauteur(consigne, sum(_LARGEURS_A_LIRE)) + _ENTRE_CONSIGNES)
    rang = len(modele.consignes) + 4
    page.write_row(rang, 0, ["Colonne", "Obligatoire", "Ce qu’on y écrit"], gras)
    for feuille in modele.feuilles:
        for colonne in colonnes_du_gabarit(feuille, contexte):
            rang += 1
            page.write(rang, 0, colonne.titre, gras)
            page.write(rang, 1, "oui" if colonne.obligatoire else "", texte)
            aide = colonne.aide or _AIDES.get(colonne.genre, "")
            page.write(rang, 2, aide, texte)
            page.set_row(rang, hauteur(aide, _LARGEURS_A_LIRE[2]))


def preparer_a_lire(page: Worksheet) -> None:
    """Set the widths of the sheet that says what to write, and how it prints."""
    page.hide_gridlines(2)
    for rang, largeur in enumerate(_LARGEURS_A_LIRE):
        page.set_column(rang, rang, largeur)
    mettre_en_page(page, sum(_LARGEURS_A_LIRE), titres=None)


_AIDES: Mapping[str, str] = {
    "jour": "Une date, JJ/MM/AAAA.",
    "montant": "Un montant en euros, deux décimales au plus.",
    "nombre": "Un nombre, quatre décimales au plus.",
    "choix": "Une valeur de la liste.",
    "entier": "Un nombre entier.",
    "texte": "Un texte.",
}


def _feuille(
    livre: Workbook,
    page: Worksheet,
    feuille: FeuilleModele,
    places: Mapping[str, str],
    contexte: Contexte,
) -> None:
    colonnes = colonnes_du_gabarit(feuille, contexte)
    preparer_feuille(livre, page, colonnes)
    for rang, colonne in enumerate(colonnes):
        page.data_validation(
            1, rang, _LIGNES, rang, validation(colonne, places.get(f"{feuille.nom}.{colonne.cle}"))
        )


def preparer_feuille(livre: Workbook, page: Worksheet, colonnes: Sequence[Colonne]) -> None:
    """Write the titles, frozen, and give each column its width and its format."""
    formats: dict[str, Format] = {}
    for rang, colonne in enumerate(colonnes):
        code = FORMATS.get(colonne.genre, "@")
        if code not in formats:
            formats[code] = livre.add_format({"num_format": code})
        placer(page, rang, colonne, formats[code])
    if colonnes[-1].repliee:
        page.set_column(len(colonnes), len(colonnes), None, None, {"collapsed": True})
    exige, libre = entetes(livre)
    for rang, colonne in enumerate(colonnes):
        titre = f"{colonne.titre} *" if colonne.obligatoire else colonne.titre
        page.write_string(0, rang, titre, exige if colonne.obligatoire else libre)
    page.set_row(0, 34)
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, _LIGNES, len(colonnes) - 1)
    taire_les_textes(page, enumerate(colonnes), _LIGNES)
    mettre_en_page(page, sum(c.largeur for c in colonnes if not c.repliee))


def placer(
    page: Worksheet, rang: int, colonne: Colonne, style: Format, *, remplie: bool = False
) -> None:
    """Give a column its width and its format; one that is folded opens when it holds something."""
    plis = {"level": 1, "hidden": not remplie} if colonne.repliee else {}
    page.set_column(rang, rang, colonne.largeur, style, plis)


def taire_les_textes(
    page: Worksheet, colonnes: Iterable[tuple[int, Colonne]], dernieres: int
) -> None:
    """Keep Excel from remarking upon each number of a document that is a text, as asked."""
    plages = (xl_range(1, rang, dernieres, rang) for rang, c in colonnes if c.genre not in FORMATS)
    page.ignore_errors({"number_stored_as_text": " ".join(plages)})


def entetes(livre: Workbook) -> tuple[Format, Format]:
    """Return the formats of the titles: of what is required, of the rest."""
    commun = {
        "bold": True,
        "text_wrap": True,
        "valign": "vcenter",
        "border": 1,
        "border_color": "#C8CFDB",
        "num_format": "@",
    }
    return (
        livre.add_format({**commun, "bg_color": "#1B2A4A", "font_color": "#FFFFFF"}),
        livre.add_format({**commun, "bg_color": "#E6EBF4", "font_color": "#1B2A4A"}),
    )


def _nombre_attendu(colonne: Colonne) -> str:
    if colonne.genre == "entier":
        return "Écrivez un nombre entier, sans virgule."
    if colonne.genre == "pourcentage":
        return "Écrivez un nombre de 0 à 100 : 40 pour 40 %."
    return (
        "Écrivez des chiffres, et une virgule avant les décimales"
        f"{'.' if colonne.signe else ', sans signe moins.'}"
    )


def validation(colonne: Colonne, liste: str | None) -> dict[str, object]:
    """Return what a spreadsheet accepts in a column, and the help that it shows there."""
    regle: dict[str, object] = {"validate": "any"}
    if liste is not None:
        # What is known changes after the template was made: another value is looked at on import.
        ferme = colonne.choix is not None
        regle = {
            "validate": "list",
            "source": liste,
            "error_type": "stop" if ferme else "warning",
            "error_title": "Valeur hors de la liste",
            "error_message": "Choisissez une valeur de la liste.",
        }
    elif colonne.genre == "jour":
        regle = {
            "validate": "date",
            "criteria": "between",
            "minimum": datetime(1950, 1, 1),  # noqa: DTZ001 - a day has no zone
            "maximum": datetime(2150, 12, 31),  # noqa: DTZ001
            "error_title": "Date attendue",
            "error_message": "Écrivez une seule date, JJ/MM/AAAA.",
        }
    elif colonne.genre in {"montant", "nombre", "pourcentage", "entier"}:
        regle = {
            "validate": "integer" if colonne.genre == "entier" else "decimal",
            "criteria": "between",
            "minimum": -9_999_999_999_999 if colonne.signe else 0,
            "maximum": 100 if colonne.genre == "pourcentage" else 9_999_999_999_999,
            "error_title": "Nombre attendu",
            "error_message": _nombre_attendu(colonne),
        }
    aide = colonne.aide or _AIDES.get(colonne.genre, "")
    if aide:
        regle |= {
            "input_title": colonne.titre[:_TITRE_AIDE_MAX],
            "input_message": aide[:_AIDE_MAX],
        }
    return {"ignore_blank": True, **regle}
