"""What Excel would « repair » in a workbook, looked for in its XML: not all are as patient.

The order of elements is that of ECMA-376, part 1, 18.3.1.99 (``CT_Worksheet``); the measures are
those that Excel documents.
"""

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from xml.etree import ElementTree as ET

_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_ORDRE = [
    "sheetPr",
    "dimension",
    "sheetViews",
    "sheetFormatPr",
    "cols",
    "sheetData",
    "sheetCalcPr",
    "sheetProtection",
    "protectedRanges",
    "scenarios",
    "autoFilter",
    "sortState",
    "dataConsolidate",
    "customSheetViews",
    "mergeCells",
    "phoneticPr",
    "conditionalFormatting",
    "dataValidations",
    "hyperlinks",
    "printOptions",
    "pageMargins",
    "pageSetup",
    "headerFooter",
    "rowBreaks",
    "colBreaks",
    "customProperties",
    "cellWatches",
    "ignoredErrors",
    "smartTags",
    "drawing",
    "legacyDrawing",
    "legacyDrawingHF",
    "picture",
    "oleObjects",
    "controls",
    "webPublishItems",
    "tableParts",
    "extLst",
]
_ORDRE_DU_LIVRE = [
    "fileVersion",
    "fileSharing",
    "workbookPr",
    "workbookProtection",
    "bookViews",
    "sheets",
    "functionGroups",
    "externalReferences",
    "definedNames",
    "calcPr",
]
#: Characters, as Excel counts them (UTF-16), of what a workbook holds.
_NOM, _TEXTE, _TITRE, _AIDE, _PIED = 31, 32_767, 32, 255, 255
_HAUTEUR, _LARGEUR = 409, 255
_RESERVES = {"history", "historique"}
_INTERDITS = set("[]:*?/\\")


def defauts(octets: bytes) -> list[str]:
    """Return what Excel would not take as it is, in words."""
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        parties = {nom: archive.read(nom) for nom in archive.namelist()}
    arbres = {
        nom: ET.fromstring(contenu)  # noqa: S314 - written here
        for nom, contenu in parties.items()
        if nom.endswith((".xml", ".rels"))
    }
    return [*_livre(arbres), *_chaines(arbres), *_types(arbres, set(parties)), *_pages(arbres)]


def feuilles(octets: bytes) -> dict[str, ET.Element]:
    """Return the XML of each sheet, by its name."""
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        livre = ET.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
        return {
            f.get("name", ""): ET.fromstring(archive.read(f"xl/worksheets/sheet{n}.xml"))  # noqa: S314
            for n, f in enumerate(livre.iter(f"{_S}sheet"), start=1)
        }


def trouver(page: ET.Element, chemin: str) -> list[ET.Element]:
    """Return the elements of a sheet at a path, ``dataValidations/dataValidation``."""
    return page.findall("/".join(f"{_S}{nom}" for nom in chemin.split("/")))


def longueur(texte: str) -> int:
    """Count characters as Excel does."""
    return len(texte.encode("utf-16-le")) // 2


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _dans_l_ordre(ou: str, element: ET.Element, ordre: list[str]) -> Iterator[str]:
    noms = [_local(e) for e in element]
    if any(nom not in ordre for nom in noms):
        yield f"{ou} : éléments inconnus {set(noms) - set(ordre)}"
    elif noms != sorted(noms, key=ordre.index):
        yield f"{ou} : éléments hors de leur ordre, {noms}"


def _livre(arbres: dict[str, ET.Element]) -> Iterator[str]:
    livre = arbres["xl/workbook.xml"]
    yield from _dans_l_ordre("workbook", livre, _ORDRE_DU_LIVRE)
    noms = [f.get("name", "") for f in livre.iter(f"{_S}sheet")]
    if len({nom.casefold() for nom in noms}) != len(noms):
        yield f"feuilles en double : {noms}"
    for nom in noms:
        if (
            not 1 <= longueur(nom) <= _NOM
            or set(nom) & _INTERDITS
            or nom.strip("'") != nom
            or nom.casefold() in _RESERVES
        ):
            yield f"nom de feuille refusé : {nom!r}"
    liens = {e.get("Id"): e.get("Target") for e in arbres["xl/_rels/workbook.xml.rels"]}
    for f in livre.iter(f"{_S}sheet"):
        if f"xl/{liens.get(f.get(f'{_R}id'))}" not in arbres:
            yield f"feuille sans partie : {f.get('name')}"
    definis = [(d.get("name"), d.get("localSheetId")) for d in livre.iter(f"{_S}definedName")]
    if max(Counter(definis).values(), default=1) > 1:
        yield f"noms définis en double : {definis}"


def _chaines(arbres: dict[str, ET.Element]) -> Iterator[str]:
    table = arbres.get("xl/sharedStrings.xml")
    renvois = [
        int(c.findtext(f"{_S}v", "-1"))
        for nom, page in arbres.items()
        if nom.startswith("xl/worksheets/sheet")
        for c in page.iter(f"{_S}c")
        if c.get("t") == "s"
    ]
    if table is None:
        if renvois:
            yield "des cellules renvoient à des textes absents"
        return
    if (table.get("count"), table.get("uniqueCount")) != (str(len(renvois)), str(len(table))):
        yield f"sharedStrings compte mal : {table.attrib}, {len(renvois)} renvois, {len(table)}"
    if any(not 0 <= r < len(table) for r in renvois):
        yield "un renvoi sort de la table des textes"


def _types(arbres: dict[str, ET.Element], parties: set[str]) -> Iterator[str]:
    types = arbres["[Content_Types].xml"]
    dits = {e.get("PartName", "").lstrip("/") for e in types if _local(e) == "Override"}
    extensions = {e.get("Extension") for e in types if _local(e) == "Default"}
    for nom in parties - {"[Content_Types].xml"}:
        if nom not in dits and nom.rpartition(".")[2] not in extensions:
            yield f"partie sans type : {nom}"
    if dits - parties:
        yield f"types sans partie : {dits - parties}"


def _pages(arbres: dict[str, ET.Element]) -> Iterator[str]:
    styles = arbres["xl/styles.xml"].find(f"{_S}cellXfs")
    nombre = 0 if styles is None else len(styles)
    noms = {f.get("name", "") for f in arbres["xl/workbook.xml"].iter(f"{_S}sheet")}
    for partie, page in arbres.items():
        if partie.startswith("xl/worksheets/sheet"):
            yield from _dans_l_ordre(partie, page, _ORDRE)
            yield from _cellules(partie, page, nombre)
            yield from _validations(partie, page, noms)
            yield from _reste(partie, page)


def _cellules(ou: str, page: ET.Element, styles: int) -> Iterator[str]:
    lignes = [int(r.get("r", "0")) for r in page.iter(f"{_S}row")]
    if lignes != sorted(set(lignes)):
        yield f"{ou} : lignes hors de leur ordre"
    for ligne in page.iter(f"{_S}row"):
        if not 0 <= float(ligne.get("ht", "0")) <= _HAUTEUR:
            yield f"{ou} : ligne {ligne.get('r')} trop haute"
        rangs = [_rang(c.get("r", "")) for c in ligne]
        if rangs != sorted(set(rangs)):
            yield f"{ou} : ligne {ligne.get('r')}, cellules hors de leur ordre"
    for cellule in page.iter(f"{_S}c"):
        if not 0 <= int(cellule.get("s", "0")) < styles:
            yield f"{ou} : {cellule.get('r')}, style inconnu"
        if cellule.find(f"{_S}f") is not None:
            yield f"{ou} : {cellule.get('r')}, formule"
        if longueur("".join(cellule.itertext())) > _TEXTE:
            yield f"{ou} : {cellule.get('r')}, texte trop long"


def _rang(place: str) -> int:
    rang = 0
    for c in re.sub("[^A-Z]", "", place):
        rang = rang * 26 + ord(c) - ord("A") + 1
    return rang


def _validations(ou: str, page: ET.Element, noms: set[str]) -> Iterator[str]:
    ensemble = page.find(f"{_S}dataValidations")
    if ensemble is None:
        return
    if ensemble.get("count") != str(len(ensemble)):
        yield f"{ou} : validations mal comptées"
    places = [v.get("sqref") for v in ensemble]
    if len(set(places)) != len(places):
        yield f"{ou} : deux validations sur {places}"
    for v in ensemble:
        for attribut, maximum in (
            ("promptTitle", _TITRE),
            ("errorTitle", _TITRE),
            ("prompt", _AIDE),
            ("error", _AIDE),
        ):
            if longueur(v.get(attribut, "")) > maximum:
                yield f"{ou} : {attribut} trop long, {v.get(attribut)}"
        formule = v.findtext(f"{_S}formula1", "")
        if v.get("type") == "list" and formule.partition("!")[0] not in noms:
            yield f"{ou} : liste de {formule}, feuille absente"


def _reste(ou: str, page: ET.Element) -> Iterator[str]:
    for colonne in page.iter(f"{_S}col"):
        if not 0 < float(colonne.get("width", "9")) <= _LARGEUR:
            yield f"{ou} : colonne {colonne.get('min')}, largeur {colonne.get('width')}"
    for pied in page.iter(f"{_S}oddFooter"):
        if longueur(pied.text or "") > _PIED:
            yield f"{ou} : pied de page trop long"
    fusions = [f.get("ref") for f in page.iter(f"{_S}mergeCell")]
    if len(set(fusions)) != len(fusions):
        yield f"{ou} : fusions en double"
