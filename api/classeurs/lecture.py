"""Read a workbook that anybody may have written: looked at first, then read by a kept library."""

import csv
import hashlib
import io
import re
from pathlib import PurePath
from xml.etree import ElementTree as ET

import python_calamine
from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from api.classeurs.classeur import LIMITES, Classeur, ErreurDeCellule, Feuille, Limites, Valeur
from api.classeurs.conteneur import Conteneur, est_une_archive, ouvrir
from api.classeurs.feuilles import (
    Particularites,
    examiner_ods,
    examiner_xlsx,
    exiger_taille,
    plage,
)
from api.classeurs.refus import (
    CsvIllisible,
    EncodageInconnu,
    FichierAbime,
    FichierTropLourd,
    FichierVide,
    FormatInconnu,
    MacrosRefusees,
    TropDeFeuilles,
)

_MO = 1024 * 1024
_EXTENSIONS_CSV = {".csv", ".txt", ".tsv"}


def lire(nom_fichier: str, octets: bytes, limites: Limites = LIMITES) -> Classeur:
    """Read a workbook or a CSV file; its name only tells a CSV file from anything else.

    Raises: FichierRefuse, one class per reason.
    """
    if not octets:
        raise FichierVide
    if len(octets) > limites.octets:
        raise FichierTropLourd(mo=-(-len(octets) // _MO), maximum=limites.octets // _MO)
    extension = PurePath(nom_fichier).suffix.lower()
    if extension in {".xlsm", ".xltm", ".xlam"}:
        raise MacrosRefusees
    empreinte = hashlib.sha256(octets).hexdigest()
    if not est_une_archive(octets):
        if extension not in _EXTENSIONS_CSV or octets.startswith(b"%PDF"):
            raise FichierAbime if octets.startswith(b"PK") else FormatInconnu
        feuille = _lire_csv(PurePath(nom_fichier).stem, octets, limites)
        return Classeur(nom_fichier, "csv", empreinte, (feuille,))
    conteneur = ouvrir(octets, limites)
    feuilles = _lire_classeur(octets, conteneur, limites)
    return Classeur(nom_fichier, conteneur.format, empreinte, feuilles)


# --- Workbooks -----------------------------------------------------------------------------------


def _lire_classeur(octets: bytes, conteneur: Conteneur, limites: Limites) -> tuple[Feuille, ...]:
    particularites = _examiner(conteneur, limites)
    code_echappe = any(_ECHAPPE_XML.search(xml) for xml in conteneur.xml.values())
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(octets)) as livre:
            if len({nom.casefold() for nom in livre.sheet_names}) != len(livre.sheet_names):
                raise FichierAbime
            return tuple(
                _feuille(
                    livre.get_sheet_by_name(meta.name),
                    particularites.get(meta.name, Particularites()),
                    masquee=meta.visible is not SheetVisibleEnum.Visible,
                    code_echappe=code_echappe and conteneur.format == "xlsx",
                )
                for meta in livre.sheets_metadata
                if meta.typ is SheetTypeEnum.WorkSheet
            )
    except (CalamineError, python_calamine.WorksheetNotFound):
        raise FichierAbime from None


def _examiner(conteneur: Conteneur, limites: Limites) -> dict[str, Particularites]:
    if conteneur.format == "ods":
        trouvees = dict(examiner_ods(conteneur.xml["content.xml"], limites))
    else:
        parties = _parties(conteneur)
        _exiger_feuilles(len(parties), limites)
        trouvees = {nom: examiner_xlsx(nom, xml, limites) for nom, xml in parties.items()}
    _exiger_feuilles(len(trouvees), limites)
    return trouvees


def _exiger_feuilles(nombre: int, limites: Limites) -> None:
    if nombre > limites.feuilles:
        raise TropDeFeuilles(nombre=nombre, maximum=limites.feuilles)


def _parties(conteneur: Conteneur) -> dict[str, bytes]:
    """Return the XML of each sheet by its name."""
    try:
        livre, liens = (
            ET.fromstring(conteneur.xml[f"xl/{nom}"], ET.XMLParser(encoding="utf-8"))  # noqa: S314
            for nom in ("workbook.xml", "_rels/workbook.xml.rels")
        )
    except KeyError:
        raise FichierAbime from None
    cibles = {lien.get("Id"): lien.get("Target", "") for lien in liens}
    parties = {}
    for element in livre.iter():
        if _local(element.tag) != "sheet":
            continue
        lien = next((v for k, v in element.attrib.items() if _local(k) == "id" and "}" in k), None)
        cible = cibles.get(lien, "")
        chemin = cible.removeprefix("/") if cible.startswith("/") else f"xl/{cible}"
        if chemin not in conteneur.xml:
            raise FichierAbime
        parties[element.get("name", "")] = conteneur.xml[chemin]
    return parties


def _local(nom: str) -> str:
    return nom.rpartition("}")[2]


def _feuille(
    feuille: python_calamine.CalamineSheet,
    particularites: Particularites,
    *,
    masquee: bool,
    code_echappe: bool,
) -> Feuille:
    lignes: list[list[Valeur]] = feuille.to_python(skip_empty_area=False)  # type: ignore[assignment]
    for (ligne, colonne), erreur in particularites.erreurs.items():
        _ecrire(lignes, ligne, colonne, erreur)
    if code_echappe:
        lignes = [[_decoder(v) if isinstance(v, str) else v for v in ligne] for ligne in lignes]
    fusions = [
        plage(l1 + 1, c1 + 1, l2 + 1, c2 + 1)
        for (l1, c1), (l2, c2) in feuille.merged_cell_ranges or ()
    ]
    return Feuille(
        nom=feuille.name,
        lignes=tuple(map(tuple, lignes)),
        masquee=masquee,
        lignes_masquees=frozenset(particularites.masquees),
        fusions=tuple(fusions or particularites.fusions),
    )


def _ecrire(lignes: list[list[Valeur]], ligne: int, colonne: int, erreur: ErreurDeCellule) -> None:
    """Put an error where the library left a blank, be it beyond what it read."""
    lignes.extend([] for _ in range(ligne - len(lignes)))
    rangee = lignes[ligne - 1]
    rangee.extend([""] * (colonne - len(rangee)))
    rangee[colonne - 1] = erreur


_ECHAPPE_XML = re.compile(rb"_x[0-9A-Fa-f]{4}_")
_ECHAPPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def _decoder(texte: str) -> str:
    """Return the characters that Excel writes ``_x0009_``."""
    return _ECHAPPE.sub(lambda trouve: chr(int(trouve[1], 16)), texte) if "_x" in texte else texte


# --- CSV -----------------------------------------------------------------------------------------

#: In the order of preference when a file holds none, or as many of each.
_SEPARATEURS = (";", "\t", ",")
_INDICATION = re.compile(r"sep=([;,\t])\r?\n", re.IGNORECASE)


def _lire_csv(nom: str, octets: bytes, limites: Limites) -> Feuille:
    texte = _decoder_csv(octets)
    indication = _INDICATION.match(texte)
    if indication:
        texte = texte[indication.end() :]
    separateur = indication[1] if indication else _separateur(texte)
    lecteur = csv.reader(io.StringIO(texte, newline=""), delimiter=separateur, strict=True)
    lignes: list[tuple[Valeur, ...]] = []
    try:
        for champs in lecteur:
            lignes.append(tuple(champs))
            if any(champs):
                exiger_taille(nom, len(lignes), len(champs), limites)
    except csv.Error:
        raise CsvIllisible(ligne=len(lignes) + 1) from None
    if not any(any(ligne) for ligne in lignes):
        raise FichierVide
    return Feuille(nom=nom, lignes=tuple(lignes))


def _decoder_csv(octets: bytes) -> str:
    if octets.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodages = ["utf-16"]  # What Excel calls « Texte Unicode ».
    else:
        encodages = ["utf-8-sig", "cp1252"]
    for encodage in encodages:
        try:
            return octets.decode(encodage)
        except UnicodeDecodeError:
            continue
    raise EncodageInconnu


def _separateur(texte: str) -> str:
    """Return the separator of the first line that says something, quoted fields left out."""
    premiere = next((ligne for ligne in texte.splitlines() if ligne.strip()), "")
    nue = re.sub(r'"[^"]*"', "", premiere)
    return max(_SEPARATEURS, key=nue.count)
