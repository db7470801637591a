"""Give a workbook back: the same rows, with what is wrong beside them, red where it is."""

import hashlib
import io
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from api.classeurs.cellules import cle_titre, montrer, vide
from api.classeurs.classeur import Feuille, Valeur
from api.classeurs.feuilles import lettre
from api.classeurs.gabarit import (
    FEUILLE_A_LIRE,
    FEUILLE_LISTES,
    FORMATS,
    classeur_neuf,
    entetes,
    placer,
    preparer_a_lire,
    taire_les_textes,
    validation,
)
from api.classeurs.modeles import MODELES
from api.classeurs.reperage import (
    TITRE_AVERTISSEMENTS,
    TITRE_ERREURS,
    Tableau,
    identite,
    reperer,
)
from api.classeurs.resultat import Apercu, DefautDeCellule, Gravite
from api.tableaux.papier import hauteur, mettre_en_page

#: What Excel refuses in the name of a sheet, and how long the name may be.
_NOM_INTERDIT = re.compile(r"[\[\]:*?/\\]")
_NOM_MAX = 31
#: Names that Excel keeps for itself, in English and in French.
_NOMS_RESERVES = {"history", "historique"}
#: What a cell holds at most.
_TEXTE_MAX = 32_000
_PREMIERE_ANNEE = 1900
#: How wide our two columns are.
_LARGEUR_DES_NOTRES = 60
_ROUGE, _OCRE = "#F8D3D0", "#FBE8C6"


class _Styles:
    """Formats of a workbook, made when they are first asked."""

    def __init__(self, livre: Workbook) -> None:
        self._livre = livre
        self._faits: dict[tuple[str, str], Format] = {}
        self.exige, self.libre = entetes(livre)
        self.texte = livre.add_format({"text_wrap": True, "valign": "top"})
        self.rouge = livre.add_format(
            {"text_wrap": True, "valign": "top", "font_color": "#8A1C12", "bold": True}
        )

    def cellule(self, nombre: str, fond: str = "") -> Format:
        """Return the format of a cell."""
        if (nombre, fond) not in self._faits:
            # What is said of a row begins at its top, and so does the row.
            choix = {"num_format": nombre, "valign": "top"}
            if fond:
                choix["bg_color"] = fond
            self._faits[nombre, fond] = self._livre.add_format(choix)
        return self._faits[nombre, fond]


def annoter(octets: bytes, apercu: Apercu) -> bytes:
    """Return the workbook of a preview with two more columns, and its wrong cells coloured.

    Formulas are given back as the values that were read. ``octets`` are those of the preview.
    """
    classeur = apercu.classeur
    assert hashlib.sha256(octets).hexdigest() == classeur.empreinte
    lus = {
        t.feuille.nom: t
        for t in reperer(classeur, MODELES[apercu.nature], identite(classeur), avec_dossier=False)
    }
    listes = _listes(classeur.feuille(FEUILLE_LISTES))
    sortie = io.BytesIO()
    with classeur_neuf(sortie, titre=f"{MODELES[apercu.nature].titre} : à corriger") as livre:
        styles = _Styles(livre)
        for rang, feuille in enumerate(classeur.feuilles, start=1):
            page = livre.add_worksheet(_nom_de_feuille(feuille.nom, rang))
            if feuille.masquee:
                page.hide()
            tableau = lus.get(feuille.nom)
            if cle_titre(feuille.nom) == cle_titre(FEUILLE_A_LIRE):
                preparer_a_lire(page)
            if tableau is None:
                for numero, ligne in enumerate(feuille.lignes):
                    for colonne, valeur in enumerate(ligne):
                        _ecrire(page, numero, colonne, valeur, styles, "General")
            else:
                defauts = [d for d in apercu.defauts if d.feuille == feuille.nom]
                _Page(page, tableau, styles).ecrire(defauts, listes)
    return sortie.getvalue()


def _nom_de_feuille(nom: str, rang: int) -> str:
    """Return a name that Excel takes; that of another spreadsheet may be longer, or freer."""
    libre = nom.strip("' ") == nom and nom.casefold() not in _NOMS_RESERVES
    if libre and nom and len(nom) <= _NOM_MAX and not _NOM_INTERDIT.search(nom):
        return nom
    numero = f" ({rang})"
    return f"{_NOM_INTERDIT.sub(' ', nom).strip(chr(39))[: _NOM_MAX - len(numero)]}{numero}"


def _listes(feuille: Feuille | None) -> Mapping[str, str]:
    """Return where the lists of our template are, by the key of their column."""
    if feuille is None or not feuille.lignes:
        return {}
    places = {}
    for rang, cle in enumerate(feuille.lignes[0]):
        pleines = [
            n for n, x in enumerate(feuille.lignes, 1) if len(x) > rang and not vide(x[rang])
        ]
        col = lettre(rang + 1)
        places[montrer(cle)] = f"={FEUILLE_LISTES}!${col}$2:${col}${pleines[-1] if pleines else 2}"
    return places


class _Remarques(NamedTuple):
    """What is wrong with a row: by column, and in all."""

    fonds: dict[str, str]
    erreurs: list[str]
    avertissements: list[str]


class _Page:
    """A sheet of the template, written again."""

    def __init__(self, page: Worksheet, tableau: Tableau, styles: _Styles) -> None:
        self._page = page
        self._tableau = tableau
        self._styles = styles
        lignes = tableau.feuille.lignes
        self._titres = lignes[tableau.ligne_des_titres - 1]
        largeur = max(map(len, lignes))
        self._erreurs = self._rang(TITRE_ERREURS, largeur)
        self._avertissements = self._rang(TITRE_AVERTISSEMENTS, max(largeur, self._erreurs + 1))
        self._formats = {
            rang: FORMATS.get(colonne.genre, "@") for rang, colonne in tableau.colonnes
        }

    def _rang(self, titre: str, sinon: int) -> int:
        """Return where our column is, when the workbook was already given back once."""
        trouves = (
            rang for rang, v in enumerate(self._titres) if cle_titre(montrer(v)) == cle_titre(titre)
        )
        return next(trouves, sinon)

    def ecrire(self, defauts: Iterable[DefautDeCellule], listes: Mapping[str, str]) -> None:
        """Write the rows, what is wrong with each, and the lists of the template."""
        self._preparer(listes)
        remarques = self._remarques(defauts)
        a_nous = {self._erreurs, self._avertissements}
        titres = self._tableau.ligne_des_titres
        for numero, ligne in enumerate(self._tableau.feuille.lignes, start=1):
            if numero == titres:
                continue
            dites = remarques.get(numero)
            for rang, valeur in enumerate(ligne):
                if rang in a_nous:
                    continue
                fond = dites.fonds.get(lettre(rang + 1), "") if dites else ""
                if fond and vide(valeur):
                    continue  # `_dire` colours it: a cell written twice leaves a text behind.
                nombre = self._formats.get(rang, "General")
                _ecrire(self._page, numero - 1, rang, valeur, self._styles, nombre, fond)
            if dites is not None and numero > titres:
                self._dire(numero, dites)

    def _preparer(self, listes: Mapping[str, str]) -> None:
        page, tableau = self._page, self._tableau
        haut = tableau.ligne_des_titres - 1
        dernieres = max(len(tableau.feuille.lignes), haut + 1)
        remplies = {
            rang
            for ligne in tableau.feuille.lignes[haut + 1 :]
            for rang, valeur in enumerate(ligne)
            if not vide(valeur)
        }
        for rang, valeur in enumerate(self._titres):
            page.write_string(haut, rang, montrer(valeur), self._styles.libre)
        for rang, colonne in tableau.colonnes:
            style = self._styles.cellule(self._formats[rang])
            placer(page, rang, colonne, style, remplie=rang in remplies)
            place = listes.get(f"{tableau.modele.nom}.{colonne.cle}")
            page.data_validation(haut + 1, rang, dernieres, rang, validation(colonne, place))
        for rang, titre in (
            (self._erreurs, TITRE_ERREURS),
            (self._avertissements, TITRE_AVERTISSEMENTS),
        ):
            page.write_string(haut, rang, titre, self._styles.exige)
            page.set_column(rang, rang, _LARGEUR_DES_NOTRES)
        page.set_row(haut, 34)
        page.freeze_panes(haut + 1, 0)
        page.autofilter(
            haut, 0, dernieres - 1, max(len(self._titres) - 1, self._erreurs, self._avertissements)
        )
        taire_les_textes(page, tableau.colonnes, dernieres)
        largeurs = (c.largeur for r, c in tableau.colonnes if r in remplies or not c.repliee)
        mettre_en_page(page, sum(largeurs, 2 * _LARGEUR_DES_NOTRES), titres=haut)

    def _remarques(self, defauts: Iterable[DefautDeCellule]) -> dict[int, _Remarques]:
        par_ligne: dict[int, _Remarques] = defaultdict(lambda: _Remarques({}, [], []))
        for defaut in defauts:
            dites = par_ligne[defaut.ligne]
            ou = f"{defaut.titre} : " if defaut.titre else ""
            grave = defaut.gravite == "erreur"
            (dites.erreurs if grave else dites.avertissements).append(
                f"{ou}{defaut.message} {defaut.remede}".strip()
            )
            if defaut.colonne and (grave or defaut.colonne not in dites.fonds):
                dites.fonds[defaut.colonne] = _FONDS[defaut.gravite]
        return par_ligne

    def _dire(self, numero: int, dites: _Remarques) -> None:
        textes = []
        for rang, phrases, style in (
            (self._erreurs, dites.erreurs, self._styles.rouge),
            (self._avertissements, dites.avertissements, self._styles.texte),
        ):
            if phrases:
                textes.append("\n".join(phrases)[:_TEXTE_MAX])
                self._page.write_string(numero - 1, rang, textes[-1], style)
        self._page.set_row(numero - 1, max(hauteur(t, _LARGEUR_DES_NOTRES) for t in textes))
        for colonne, fond in dites.fonds.items():
            rang = _rang_de(colonne)
            ligne = self._tableau.feuille.lignes[numero - 1]
            if rang >= len(ligne) or vide(ligne[rang]):
                nombre = self._formats.get(rang, "General")
                self._page.write_blank(numero - 1, rang, None, self._styles.cellule(nombre, fond))


_FONDS: Mapping[Gravite, str] = {"erreur": _ROUGE, "avertissement": _OCRE}


def _rang_de(colonne: str) -> int:
    rang = 0
    for c in colonne:
        rang = rang * 26 + ord(c) - ord("A") + 1
    return rang - 1


def _ecrire(
    page: Worksheet,
    ligne: int,
    rang: int,
    valeur: Valeur,
    styles: _Styles,
    nombre: str,
    fond: str = "",
) -> None:
    """Write a value as it was read, never as a formula."""
    style = styles.cellule(nombre, fond)
    match valeur:
        case None | "":
            return
        case bool():
            page.write_boolean(ligne, rang, valeur, style)
        case int() | float() if math.isfinite(valeur):
            # A number is not made a day: nobody said that it is. Nor is a third shown as 33,33.
            if nombre == FORMATS["jour"] or (
                nombre == FORMATS["montant"] and round(valeur, 2) != valeur
            ):
                style = styles.cellule("General", fond)
            page.write_number(ligne, rang, valeur, style)
        case date() if valeur.year > _PREMIERE_ANNEE:
            page.write_datetime(ligne, rang, _instant(valeur), styles.cellule("dd/mm/yyyy", fond))
        case _:
            page.write_string(ligne, rang, montrer(valeur)[:_TEXTE_MAX], style)


def _instant(jour: date) -> datetime:
    if isinstance(jour, datetime):
        return jour
    return datetime(jour.year, jour.month, jour.day)  # noqa: DTZ001 - a day has no zone
