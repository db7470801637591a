"""What the library that reads a workbook does not tell: limits, hidden rows, errors, merged cells.

The XML is looked at before the library sees it: it would reserve a whole rectangle for two cells
at its ends.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape

from api.classeurs.cellules import FORMULE_NON_CALCULEE
from api.classeurs.classeur import ErreurDeCellule, Limites
from api.classeurs.refus import FichierAbime, TropDeColonnes, TropDeLignes
from api.filters import entier

#: A row of titles is above the rows.
_TITRES = 1
#: The ends of a sheet, whoever writes it.
_LIGNES_MAX, _COLONNES_MAX = 1_048_576, 16_384


@dataclass(slots=True)
class Particularites:
    """What a sheet hides: places are (row, column) from 1."""

    erreurs: dict[tuple[int, int], ErreurDeCellule] = field(default_factory=dict)
    masquees: set[int] = field(default_factory=set)
    fusions: list[str] = field(default_factory=list)


def lettre(colonne: int) -> str:
    """Return the letter of a column, from 1."""
    lettres = ""
    while colonne:
        colonne, reste = divmod(colonne - 1, 26)
        lettres = chr(ord("A") + reste) + lettres
    return lettres


def _rang(lettres: bytes) -> int:
    rang = 0
    for c in lettres.upper():
        rang = rang * 26 + c - ord("A") + 1
    return rang


def plage(l1: int, c1: int, l2: int, c2: int) -> str:
    """Return a range as Excel writes it, from rows and columns counted from 1."""
    return f"{lettre(c1)}{l1}:{lettre(c2)}{l2}"


def exiger_taille(feuille: str, ligne: int, colonne: int, limites: Limites) -> None:
    """Refuse a sheet that is filled too far."""
    if ligne > limites.lignes + _TITRES:
        raise TropDeLignes(feuille=feuille, ligne=entier(ligne), maximum=entier(limites.lignes))
    if colonne > limites.colonnes:
        raise TropDeColonnes(feuille=feuille, colonne=lettre(colonne), maximum=limites.colonnes)


# --- .xlsx ---------------------------------------------------------------------------------------

_PREFIXE = rb"<(?:[\w.-]+:)?"
_BALISE = rb"""((?:[^>"']|"[^"]*"|'[^']*')*?)"""
#: Every cell, with its place when it says it as everybody does.
_PLACES = re.compile(
    _PREFIXE + rb"""c(?=[\s/>])(?:\s[^>"']*?\br="([A-Za-z]{1,3}[1-9][0-9]{0,6})")?"""
)
_PLACES_PLEINES = re.compile(
    _PREFIXE + rb"""c\s[^>"']*?\br="([A-Za-z]{1,3}[1-9][0-9]{0,6})"[^>]*(?<!/)>"""
)
_CHIFFRES = b"0123456789"
_LETTRES = bytes(range(ord("A"), ord("Z") + 1)) + bytes(range(ord("a"), ord("z") + 1))
_CELLULE = re.compile(_PREFIXE + rb"c\b" + _BALISE + rb"(/?)>")
_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,3})([1-9][0-9]{0,6})["']""")
_A_UNE_REFERENCE = re.compile(rb"\br\s*=")
_LIGNE = re.compile(_PREFIXE + rb"row\b" + _BALISE + rb"/?>")
_CONTENU = re.compile(_PREFIXE + rb"c\b" + _BALISE + rb"(?<!/)>(.*?)</(?:[\w.-]+:)?c>", re.DOTALL)
_MASQUEE = re.compile(rb"""\bhidden\s*=\s*["'](?:1|true)["']""")
_NUMERO = re.compile(rb"""\br\s*=\s*["']([0-9]+)["']""")
_TYPE = re.compile(rb"""\bt\s*=\s*["'](\w+)["']""")
_VALEUR = re.compile(_PREFIXE + rb"v\b[^>]*>([^<]*)<")
_FORMULE = re.compile(_PREFIXE + rb"f[\s/>]")
#: The same, told apart for speed: a search for plain letters is ten times faster.
_FORMULES = (re.compile(rb"<f[\s/>]"), re.compile(rb":f[\s/>]"))


def examiner_xlsx(nom: str, xml: bytes, limites: Limites) -> Particularites:
    """Look at a sheet of a workbook .xlsx.

    Raises: TropDeLignes, TropDeColonnes, FichierAbime.
    """
    places = _PLACES.findall(xml)
    if b"" in places:
        _exiger_taille_lente(nom, xml, limites)
    else:
        ligne, colonne = _etendue(places)
        if ligne > limites.lignes + _TITRES or colonne > limites.colonnes:
            # Blank cells that only carry a format go as far as they like.
            ligne, colonne = _etendue(_PLACES_PLEINES.findall(xml))
        exiger_taille(nom, ligne, colonne, limites)
    trouve = Particularites()
    if b"hidden" in xml:
        _lignes_masquees(xml, trouve)
    if b'"e"' in xml or b"'e'" in xml or any(f.search(xml) for f in _FORMULES):
        _erreurs(xml, trouve)
    return trouve


def _etendue(places: list[bytes]) -> tuple[int, int]:
    """Return the last row and the last column among places such as ``AA12``."""
    toutes = b" ".join(places)
    numeros = set(toutes.translate(None, _LETTRES).split())
    lettres = set(toutes.translate(None, _CHIFFRES).split())
    return max(map(int, numeros), default=0), max(map(_rang, lettres), default=0)


def _exiger_taille_lente(nom: str, xml: bytes, limites: Limites) -> None:
    """Measure a sheet whose cells do not all say where they are: it goes as far as it could."""
    lignes, colonnes = 0, 0
    for morceau in re.split(_PREFIXE + rb"row\b", xml):
        lignes += 1
        rang = 0
        for attributs, _ in _CELLULE.findall(morceau):
            rang += 1
            place = _REFERENCE.search(attributs)
            if place is None and _A_UNE_REFERENCE.search(attributs):
                raise FichierAbime
            if place is not None:
                rang = max(rang, _rang(place[1]))
                lignes = max(lignes, int(place[2]))
        colonnes = max(colonnes, rang)
    numeros = [int(n[1]) for a in _LIGNE.findall(xml) if (n := _NUMERO.search(a))]
    exiger_taille(nom, max(lignes, *numeros, 0), colonnes, limites)


def _lignes_masquees(xml: bytes, trouve: Particularites) -> None:
    for rang, attributs in enumerate(_LIGNE.findall(xml), start=1):
        if _MASQUEE.search(attributs):
            numero = _NUMERO.search(attributs)
            trouve.masquees.add(int(numero[1]) if numero else rang)


def _erreurs(xml: bytes, trouve: Particularites) -> None:
    for attributs, contenu in _CONTENU.findall(xml):
        genre = _TYPE.search(attributs)
        type_lu = genre[1] if genre else b"n"
        valeur = _VALEUR.search(contenu)
        if type_lu == b"e":
            code = (valeur[1] if valeur else b"#ERREUR").decode("utf-8", "replace")
        elif type_lu == b"n" and _FORMULE.search(contenu) and not (valeur and valeur[1].strip()):
            code = FORMULE_NON_CALCULEE
        else:
            continue
        place = _REFERENCE.search(attributs)
        if place is not None:
            trouve.erreurs[int(place[2]), _rang(place[1])] = ErreurDeCellule(code)


# --- .ods ----------------------------------------------------------------------------------------

_TABLE = re.compile(
    rb"<table:(table|table-row|table-cell|covered-table-cell)(?=[\s/>])" + _BALISE + rb"(/?)>"
)
_ATTRIBUT = re.compile(rb"""([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_PARAGRAPHE = re.compile(rb"<text:p\b[^>]*>(.*?)</text:p>", re.DOTALL)
_CODE_ERREUR = re.compile(r"#.+|Err:\d+")


def examiner_ods(xml: bytes, limites: Limites) -> Mapping[str, Particularites]:
    """Look at the sheets of a workbook .ods, by name.

    Raises: TropDeLignes, TropDeColonnes.
    """
    feuilles: dict[str, Particularites] = {}
    nom, ligne, fois, colonne = "", 0, 1, 0
    trouve = Particularites()
    for balise, attributs, fermee, contenu in _balises(xml):
        if balise == b"table":
            nom, ligne, fois = unescape(attributs.get("table:name", "")), 0, 1
            trouve = feuilles[nom] = Particularites()
        elif balise == b"table-row":
            ligne, fois, colonne = ligne + fois, _repete(attributs, "rows", _LIGNES_MAX), 0
            if attributs.get("table:visibility") in {"collapse", "filter"}:
                trouve.masquees.update(range(ligne, ligne + min(fois, limites.lignes)))
        else:
            debut, colonne = colonne + 1, colonne + _repete(attributs, "columns", _COLONNES_MAX)
            if not fermee or "office:value-type" in attributs or "table:formula" in attributs:
                exiger_taille(nom, ligne + fois - 1, colonne, limites)
                _cellule_ods(attributs, contenu, ligne, debut, trouve)
    return feuilles


def _balises(xml: bytes) -> Iterator[tuple[bytes, dict[str, str], bool, bytes]]:
    """Return the tags of tables with what follows each, up to the next one."""
    precedente: re.Match[bytes] | None = None
    for balise in _TABLE.finditer(xml):
        if precedente is not None:
            yield _balise(precedente, xml[precedente.end() : balise.start()])
        precedente = balise
    if precedente is not None:
        yield _balise(precedente, xml[precedente.end() :][:10_000])


def _balise(trouvee: re.Match[bytes], contenu: bytes) -> tuple[bytes, dict[str, str], bool, bytes]:
    attributs = {
        nom.decode(): (double or simple).decode("utf-8", "replace")
        for nom, double, simple in _ATTRIBUT.findall(trouvee[2])
    }
    return trouvee[1], attributs, trouvee[3] == b"/", contenu


def _repete(attributs: Mapping[str, str], quoi: str, maximum: int) -> int:
    ecrit = attributs.get(f"table:number-{quoi}-repeated", "1")
    if not ecrit.isdecimal() or not 0 < int(ecrit[:9]) <= maximum or len(ecrit) > 9:
        raise FichierAbime
    return int(ecrit)


def _cellule_ods(
    attributs: Mapping[str, str], contenu: bytes, ligne: int, colonne: int, trouve: Particularites
) -> None:
    lignes, colonnes = (
        int(attributs.get(f"table:number-{quoi}-spanned", "1")) for quoi in ("rows", "columns")
    )
    if lignes > 1 or colonnes > 1:
        trouve.fusions.append(plage(ligne, colonne, ligne + lignes - 1, colonne + colonnes - 1))
    if "table:formula" not in attributs:
        return
    if "office:value-type" not in attributs:
        trouve.erreurs[ligne, colonne] = ErreurDeCellule(FORMULE_NON_CALCULEE)
        return
    paragraphe = _PARAGRAPHE.search(contenu)
    ecrit = unescape(paragraphe[1].decode("utf-8", "replace")) if paragraphe else ""
    if attributs.get("calcext:value-type") == "error" or _CODE_ERREUR.fullmatch(ecrit):
        trouve.erreurs[ligne, colonne] = ErreurDeCellule(ecrit or "#ERREUR")
