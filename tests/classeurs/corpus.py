"""The corpus of workbooks, most of them bad: each is written here, its messages in attendus.toml.

``python tests/classeurs/corpus.py`` writes what is found today in ``attendus.toml``, to be read and
judged before it is kept.
"""

import io
import json
import re
import sys
import tomllib
import unicodedata
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from monde_importe import (
    AUTRE_OPERATION,
    CONTEXTES,
    TITRES,
    cellule_ods,
    classeur_depenses,
    fichier_csv,
    lignes,
    ods,
    rangee_ods,
    retoucher,
    xlsx,
)

from api.classeurs import LIMITES, Apercu, FichierRefuse, Limites, Nature, apercu, lire

ATTENDUS = Path(__file__).parent / "attendus.toml"
FICHIERS = Path(__file__).parent / "fichiers"
MONTANT, PIECE, JOUR_PIECE, NATURE, TIERS, DOSSIER = (
    "Montant imputé",
    "N° de pièce",
    "Date de la pièce",
    "Nature de la dépense",
    "Fournisseur ou tiers",
    "N° de dossier",
)


_MILLE_MILLIARDS = b'uniqueCount="1000000000000"'
_CELLULE_EN_ERREUR = (
    '<table:table-cell table:formula="of:=NA()" office:value-type="string" '
    'calcext:value-type="error"><text:p>#N/D</text:p></table:table-cell>'
)


@dataclass(frozen=True)
class Cas:
    """A workbook of the corpus, and in which conditions it is dropped."""

    nom: str
    titre: str
    octets: Callable[[], bytes]
    fichier: str = "depenses.xlsx"
    nature: Nature = "depenses"
    contexte: str = "oi"
    limites: Limites = LIMITES


CORPUS: dict[str, Cas] = {}


def cas(nom: str, titre: str, octets: Callable[[], bytes], **choix: Any) -> None:
    """Add a workbook to the corpus."""
    assert nom not in CORPUS
    CORPUS[nom] = Cas(nom, titre, octets, **choix)


def depenses(nom: str, titre: str, *changements: Mapping[str, Any], **choix: Any) -> None:
    """Add a workbook of dépenses, a row for each change of the one without defect."""
    conditions = {k: choix.pop(k) for k in ("fichier", "contexte") if k in choix}
    cas(nom, titre, lambda: classeur_depenses(*changements, **choix), **conditions)


def _sans_place(xml: bytes) -> bytes:
    """Write a row as wide as a sheet, then rows as far as a sheet goes."""
    large = b"<row>" + b"<c><v>1</v></c>" * 9000 + b"</row>"
    return re.sub(
        rb"<sheetData>.*</sheetData>",
        b"<sheetData>" + large + b"<row><c><v>1</v></c></row>" * 9000 + b"</sheetData>",
        xml,
    )


def _abimer() -> bytes:
    """Change a byte in the middle of what the first sheet holds."""
    octets = classeur_depenses({})
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        entree = archive.getinfo("xl/worksheets/sheet1.xml")
    place = entree.header_offset + 60 + entree.compress_size // 2
    return octets[:place] + bytes([octets[place] ^ 0xFF]) + octets[place + 1 :]


def _archive(parties: Mapping[str, bytes]) -> bytes:
    sortie = io.BytesIO()
    with zipfile.ZipFile(sortie, "w") as archive:
        for nom, contenu in parties.items():
            archive.writestr(zipfile.ZipInfo(nom, (2021, 1, 1, 0, 0, 0)), contenu)
    return sortie.getvalue()


def _feuille_masquee(livre: Any) -> None:
    page = livre.add_worksheet("Calculs")
    page.hide()
    page.write(0, 0, "brouillon")


def _erreurs(page: Any) -> None:
    page.write_formula(1, 8, "=NA()", None, "#N/A")
    page.write_formula(2, 2, "=1/0", None, "#DIV/0!")


# --- What is right -------------------------------------------------------------------------------

depenses("sans-defaut", "Deux lignes sans défaut", {}, {PIECE: "BP-04", MONTANT: 10})
cas(
    "ods-sans-defaut",
    "Un classeur LibreOffice sans défaut",
    lambda: ods([rangee_ods(r) for r in lignes({}, {PIECE: "BP-04", MONTANT: 10})]),
    fichier="depenses.ods",
)
cas(
    "csv-francais",
    "CSV d’Excel en français : point-virgule, virgule décimale, marque d’ordre des octets",
    lambda: fichier_csv(lignes({}, {PIECE: "BP-04", MONTANT: "1 234,5 €"})),
    fichier="depenses.csv",
)
cas(
    "csv-windows",
    "CSV en Windows-1252",
    lambda: fichier_csv(lignes({NATURE: "Œuvre d’été : 10 €"}), encodage="cp1252"),
    fichier="depenses.csv",
)
cas(
    "csv-tabulations",
    "CSV séparé par des tabulations",
    lambda: fichier_csv(lignes({}), separateur="\t", encodage="utf-8"),
    fichier="depenses.txt",
)
cas(
    "csv-unicode",
    "« Texte Unicode » d’Excel : tabulations, UTF-16",
    lambda: fichier_csv(lignes({}), separateur="\t", encodage="utf-16"),
    fichier="depenses.txt",
)
cas(
    "csv-virgules",
    "CSV séparé par des virgules, montants entre guillemets",
    lambda: fichier_csv(lignes({}), separateur=","),
    fichier="depenses.csv",
)
cas(
    "csv-sep",
    "CSV dont la première ligne donne le séparateur",
    lambda: b"sep=;\r\n" + fichier_csv(lignes({}), encodage="utf-8"),
    fichier="depenses.csv",
)
depenses("dates-1904", "Calendrier de 1904 (Excel pour Mac)", {}, options={"date_1904": True})
depenses(
    "lignes-vides",
    "Lignes vides entre les lignes",
    {},
    dict.fromkeys(TITRES),
    dict.fromkeys(TITRES, "  "),
    {PIECE: "BP-04"},
)
cas(
    "titre-au-dessus",
    "Un titre et une ligne vide au-dessus des titres",
    lambda: xlsx([["Dépenses du premier trimestre"], [], *lignes({})]),
)
cas(
    "accents-decomposes",
    "Titres et textes aux accents décomposés, en capitales, avec des espaces",
    lambda: xlsx(
        [
            [f" {unicodedata.normalize('NFD', t).upper()}  " for t in TITRES],
            *lignes({NATURE: unicodedata.normalize("NFD", "Été à la régie")})[1:],
        ]
    ),
)
depenses(
    "nom-long", "Un texte de 200 caractères", {TIERS: "Établissement fictif " * 9 + "n° 07 sud"}
)
depenses(
    "espaces",
    "Espaces avant et après, espace insécable dans le numéro",
    {DOSSIER: " 202100007\u00a0", PIECE: "  BP-03  ", "Poste de dépense": " personnel "},
)
depenses(
    "nombres-en-texte",
    "Nombres et dates écrits en texte",
    {DOSSIER: 202100007, MONTANT: "1 234,56 €", JOUR_PIECE: "31/03/2021", PIECE: 20210317},
    {PIECE: "BP-04", MONTANT: "1\u202f234,5", JOUR_PIECE: "2021-03-31"},
    {PIECE: "BP-05", MONTANT: "1234.56", JOUR_PIECE: "1/3/2021"},
)
depenses(
    "une-operation",
    "Modèle d’une opération, sans la colonne du dossier",
    {DOSSIER: None},
    contexte="operation",
)
cas(
    "formules-calculees",
    "Formules dont le résultat est dans le fichier",
    lambda: classeur_depenses(
        {MONTANT: None},
        ecrire=lambda _livre, page: page.write_formula(1, 8, "=1000+234.56", None, 1234.56),
    ),
)
depenses(
    "temps-et-cle",
    "Montants calculés à partir du temps ou d’une clé",
    {
        MONTANT: None,
        "Temps : méthode": "Heures de l’opération sur heures travaillées",
        "Temps : coût de la personne": 3000,
        "Temps : heures de l’opération": 50.5,
        "Temps : heures de base": 151.5,
        "Temps : année": 2021,
        "Temps : mois": 3,
        "Temps : justificatif": "Feuilles d’émargement",
    },
    {
        PIECE: "BP-04",
        MONTANT: None,
        "Clé : numérateur": 7.25,
        "Clé : dénominateur": "42,5",
        "Clé : ce qu’elle mesure": "ETP de l’opération",
        "Clé : coût à répartir": 1000,
    },
    {
        PIECE: "BP-05",
        MONTANT: None,
        "Temps : méthode": "pourcentage_fixe",
        "Temps : coût de la personne": 3000,
        "Temps : pourcentage": "40 %",
        "Temps : année": 2021,
    },
)
cas(
    "version-1",
    "Modèle de dépenses de version 1, enregistré avant la version 2",
    (FICHIERS / "depenses-v1.xlsx").read_bytes,
)
cas(
    "version-2",
    "Modèle de dépenses de version 2, enregistré avant la version 3",
    (FICHIERS / "depenses-v2.xlsx").read_bytes,
)
_FEUILLE_DE_TEMPS = {
    MONTANT: None,
    "Temps : méthode": "temps_travaille",
    "Temps : coût de la personne": 3000,
    "Temps : heures de base": 151,
    "Temps : mois": 3,
    "Temps : jour 1": 7,
    "Temps : jour 2": 0,
    "Temps : jour 31": "3,5",
}
depenses(
    "heures-par-jour",
    "Les heures de chaque jour d’un salaire",
    _FEUILLE_DE_TEMPS,
)
depenses(
    "regularisation",
    "Montant négatif qui reprend une pièce enregistrée",
    {MONTANT: -50, PIECE: "AV-1", "Pièce régularisée": "F-101"},
)

# --- Files that are not read ---------------------------------------------------------------------

cas("fichier-vide", "Fichier vide", lambda: b"")
cas("pdf", "Un document PDF", lambda: b"%PDF-1.7 ...", fichier="depenses.pdf")
cas("texte-renomme", "Un texte renommé en .xlsx", lambda: b"Bonjour;1\r\n")
cas("csv-vide", "CSV sans rien", lambda: b"\xef\xbb\xbf;;\r\n;;\r\n", fichier="depenses.csv")
cas(
    "csv-guillemet",
    "CSV dont un guillemet n’est pas refermé",
    lambda: fichier_csv(lignes({})) + b'202100007;"Salaire\r\n',
    fichier="depenses.csv",
)
cas(
    "csv-binaire",
    "CSV dans un encodage inconnu",
    lambda: b"a;b\r\n\x81\x8d;\x90\r\n",
    fichier="depenses.csv",
)
cas("trop-lourd", "Fichier de plus de 10 Mo", lambda: b"PK\x03\x04" + bytes(10 * 1024 * 1024))
cas("tronque", "Classeur tronqué", lambda: classeur_depenses({})[:-700])
cas(
    "abime",
    "Classeur dont une feuille est abîmée",
    _abimer,
)
cas(
    "xml-abime",
    "Classeur dont le XML s’interrompt",
    lambda: retoucher(classeur_depenses({}), {r"xl/worksheets/sheet1\.xml": lambda x: x[:-400]}),
)
cas(
    "feuille-absente",
    "Classeur dont une feuille manque à l’archive",
    lambda: retoucher(
        classeur_depenses({}),
        {r"xl/_rels/workbook\.xml\.rels": lambda x: x.replace(b"sheet1.xml", b"sheet9.xml")},
    ),
)
cas(
    "ancien-xls",
    "Classeur .xls",
    lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    fichier="depenses.xls",
)
cas(
    "chiffre",
    "Classeur protégé par un mot de passe",
    lambda: (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le")
    ),
)
cas(
    "ods-chiffre",
    "Classeur LibreOffice protégé par un mot de passe",
    lambda: ods([], **{"META-INF__manifest.xml": b"<manifest:encryption-data/>"}),
    fichier="depenses.ods",
)
cas(
    "xlsm", "Classeur à macros, par son nom", lambda: classeur_depenses({}), fichier="depenses.xlsm"
)
cas(
    "macros",
    "Macros dans un classeur renommé .xlsx",
    lambda: retoucher(classeur_depenses({}), {}, xl__vbaProject_bin=b"macro"),
)
cas(
    "ods-macros",
    "Macros dans un classeur LibreOffice",
    lambda: ods([], Basic__Standard__Module1=b"Sub x"),
    fichier="depenses.ods",
)
cas(
    "xlsb",
    "Classeur binaire .xlsb",
    lambda: _archive({"xl/workbook.bin": b"x"}),
    fichier="depenses.xlsb",
)
cas("archive", "Une archive qui n’est pas un classeur", lambda: _archive({"lisez-moi.txt": b"x"}))
cas(
    "docx",
    "Un document de traitement de texte",
    lambda: _archive({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}),
    fichier="depenses.docx",
)
cas(
    "bombe",
    "Archive démesurée une fois décompressée",
    lambda: retoucher(classeur_depenses({}), {r"xl/styles\.xml": lambda _: bytes(3 * 1024 * 1024)}),
    limites=Limites(octets_decompresses=2 * 1024 * 1024),
)
cas(
    "taux",
    "Une partie compressée plus de trois cents fois",
    lambda: retoucher(
        classeur_depenses({}), {r"xl/styles\.xml": lambda _: b" " * (8 * 1024 * 1024)}
    ),
)
cas(
    "nombre-menteur",
    "Une partie qui dit contenir mille milliards de textes",
    lambda: retoucher(
        classeur_depenses({}),
        {r"xl/sharedStrings\.xml": lambda x: re.sub(rb'uniqueCount="\d+"', _MILLE_MILLIARDS, x)},
    ),
)
cas(
    "entites",
    "Entités XML",
    lambda: retoucher(
        classeur_depenses({}),
        {
            r"xl/workbook\.xml": lambda x: x.replace(
                b"<workbook", b'<!DOCTYPE w [<!ENTITY a "aaaa">]><workbook', 1
            )
        },
    ),
)
cas(
    "cellule-lointaine",
    "Une cellule remplie à l’extrémité de la feuille",
    lambda: classeur_depenses({}, ecrire=lambda _livre, page: page.write(1_048_575, 16_383, "x")),
)
cas(
    "colonne-lointaine",
    "Une cellule remplie loin à droite",
    lambda: classeur_depenses({}, ecrire=lambda _livre, page: page.write(1, 700, "x")),
)
cas(
    "ods-repetee",
    "Une ligne répétée un million de fois",
    lambda: ods(
        [
            rangee_ods(lignes({})[0]),
            rangee_ods(lignes({})[1], 'table:number-rows-repeated="1000000"'),
        ]
    ),
    fichier="depenses.ods",
)
cas(
    "cellules-sans-place",
    "Des cellules qui ne disent pas où elles sont, trop nombreuses ensemble",
    lambda: retoucher(classeur_depenses({}), {r"xl/worksheets/sheet1\.xml": _sans_place}),
)
cas(
    "ods-repetition-sans-fin",
    "Une ligne vide répétée dix milliards de fois",
    lambda: ods(
        [rangee_ods([None], 'table:number-rows-repeated="9999999999"'), rangee_ods(TITRES)]
    ),
    fichier="depenses.ods",
)
cas(
    "utf-16",
    "Une feuille écrite en UTF-16, qui cacherait ce qu’elle déclare",
    lambda: retoucher(
        classeur_depenses({}),
        {r"xl/workbook\.xml": lambda x: x.decode().replace("UTF-8", "UTF-16").encode("utf-16")},
    ),
)
cas(
    "20001-lignes",
    "20 001 lignes",
    lambda: xlsx(lignes(*({PIECE: f"BP-{n}"} for n in range(20_001)))),
)
cas(
    "trop-de-feuilles",
    "Plus de trente feuilles",
    lambda: classeur_depenses(
        {}, ecrire=lambda livre, _page: [livre.add_worksheet() for _ in range(30)]
    ),
)

# --- Files that are not the expected one ---------------------------------------------------------

cas("feuille-vide", "Feuille vide", lambda: xlsx([]))
depenses("sans-ligne", "Des titres et aucune ligne")
cas(
    "autres-titres",
    "Un tableau qui n’est pas le nôtre",
    lambda: xlsx(
        [["Date", "Libellé", "Montant"], ["01/03/2021", "Loyer", 800]],
        feuille="Feuil1",
        nature=None,
    ),
)
cas(
    "autre-modele",
    "Le modèle des indicateurs, déposé aux dépenses",
    lambda: xlsx([["N° de dossier"]], feuille="Indicateurs", nature="indicateurs"),
)
depenses("version-future", "Une version future du modèle", {}, version=9)
depenses("version-illisible", "Une version qui n’est pas un nombre", {}, version="deux")
depenses(
    "autre-operation",
    "Le classeur d’une autre opération",
    {},
    operation_id=AUTRE_OPERATION,
    contexte="operation",
)
depenses(
    "operation-cachee",
    "Le classeur d’une opération inconnue",
    {},
    operation_id=UUID(int=99),
)
cas(
    "colonne-absente",
    "Une colonne obligatoire retirée",
    lambda: xlsx([[v for i, v in enumerate(r) if i not in {4, 5}] for r in lignes({})]),
)
cas(
    "titre-en-double",
    "Deux colonnes du même titre",
    lambda: xlsx([[*r, r[8]] for r in lignes({})]),
)
cas(
    "feuille-masquee",
    "La feuille des dépenses est masquée",
    lambda: classeur_depenses(
        {},
        ecrire=lambda livre, page: (livre.add_worksheet("Autre").activate(), page.hide()),
    ),
)

# --- Warnings on a sheet -------------------------------------------------------------------------

cas(
    "autre-feuille-masquee",
    "Une autre feuille, masquée",
    lambda: classeur_depenses({}, ecrire=lambda livre, _page: _feuille_masquee(livre)),
)
depenses("colonne-inconnue", "Une colonne de plus", {"Commentaire interne": "à revoir"})
depenses(
    "hors-modele",
    "Un tableau juste, dans un classeur qui n’est pas le nôtre",
    {},
    nature=None,
    feuille="Feuil1",
)
cas(
    "ligne-masquee",
    "Une ligne masquée",
    lambda: classeur_depenses(
        {},
        {PIECE: "BP-04"},
        ecrire=lambda _livre, page: page.set_row(2, None, None, {"hidden": True}),
    ),
)
cas(
    "ods-ligne-filtree",
    "Une ligne filtrée, dans LibreOffice",
    lambda: ods(
        [
            rangee_ods(lignes({})[0]),
            rangee_ods(lignes({})[1], 'table:visibility="filter"'),
        ]
    ),
    fichier="depenses.ods",
)

# --- Cells ---------------------------------------------------------------------------------------

cas(
    "fusion",
    "Cellules fusionnées",
    lambda: classeur_depenses(
        {},
        {PIECE: "BP-04"},
        {PIECE: "BP-05"},
        ecrire=lambda _livre, page: page.merge_range(1, 0, 2, 0, "202100007"),
    ),
)
cas(
    "ods-fusion",
    "Cellules fusionnées, dans LibreOffice",
    lambda: ods(
        [
            rangee_ods(lignes({})[0]),
            rangee_ods(
                [
                    *lignes({})[1][:2],
                    cellule_ods("Salaire", 'table:number-columns-spanned="2"'),
                    "<table:covered-table-cell/>",
                    *lignes({})[1][4:],
                ]
            ),
        ]
    ),
    fichier="depenses.ods",
)
depenses(
    "virgules-et-points",
    "Virgules et points mêlés",
    {MONTANT: "1,234.56"},
    {PIECE: "BP-04", MONTANT: "1.234,56"},
    {PIECE: "BP-05", MONTANT: "12.345"},
    {PIECE: "BP-06", MONTANT: "12,345"},
    {PIECE: "BP-07", MONTANT: "1 23,4"},
    {PIECE: "BP-08", MONTANT: "mille euros"},
)
depenses(
    "decimales",
    "Plus de deux décimales",
    {MONTANT: 33.333333},
    {PIECE: "BP-04", MONTANT: 0.1 + 0.2},
    {PIECE: "BP-05", MONTANT: "10,005"},
)
cas(
    "pas-un-nombre",
    "Un nombre qui n’en est pas un",
    lambda: retoucher(
        classeur_depenses({MONTANT: 77}, {PIECE: "BP-04", MONTANT: 78}),
        {
            r"xl/worksheets/sheet1\.xml": lambda x: x.replace(b"<v>77<", b"<v>NaN<").replace(
                b"<v>78<", b"<v>1E999<"
            )
        },
    ),
)
cas(
    "poussiere",
    "Ce que les sommes d’un tableur laissent au-delà de quinze chiffres",
    lambda: retoucher(
        classeur_depenses({MONTANT: 77}),
        {r"xl/worksheets/sheet1\.xml": lambda x: x.replace(b"<v>77<", b"<v>1234.5600000000002<")},
    ),
)
depenses(
    "montant-enorme", "Montant démesuré", {MONTANT: 123456789012345.0}, {MONTANT: 1e22, PIECE: 1}
)
depenses(
    "montants-negatifs",
    "Montants négatifs",
    {MONTANT: -50},
    {PIECE: "BP-04", "Montant TTC": -12},
    {PIECE: "BP-05", MONTANT: "−50,00"},
    {PIECE: "BP-06", MONTANT: 0},
)
cas(
    "formules-sans-resultat",
    "Formules jamais calculées",
    lambda: classeur_depenses(
        {MONTANT: None},
        ecrire=lambda _livre, page: page.write_formula(1, 8, "=1000+234.56", None, ""),
    ),
)
cas(
    "formules-en-erreur",
    "Formules qui donnent une erreur",
    lambda: classeur_depenses({}, {PIECE: "BP-04"}, ecrire=lambda _livre, page: _erreurs(page)),
)
cas(
    "ods-formules",
    "Formules sans résultat ou en erreur, dans LibreOffice",
    lambda: ods(
        [
            rangee_ods(lignes({})[0]),
            rangee_ods([*lignes({})[1][:8], '<table:table-cell table:formula="of:=1+1"/>']),
            rangee_ods(
                [
                    *lignes({PIECE: "BP-04"})[1][:8],
                    _CELLULE_EN_ERREUR,
                ]
            ),
        ]
    ),
    fichier="depenses.ods",
)
depenses(
    "dates",
    "Dates qui n’en sont pas",
    {JOUR_PIECE: "31/03/2021 et 02/04/2021"},
    {PIECE: "BP-04", JOUR_PIECE: "31/03/2021\n02/04/2021"},
    {PIECE: "BP-05", JOUR_PIECE: "31/02/2021"},
    {PIECE: "BP-06", JOUR_PIECE: "03/31/2021"},
    {PIECE: "BP-07", JOUR_PIECE: "31/03/21"},
    {PIECE: "BP-08", JOUR_PIECE: "31/03/0021"},
    {PIECE: "BP-09", JOUR_PIECE: 44286},
    {PIECE: "BP-10", JOUR_PIECE: "mars 2021"},
    {PIECE: "BP-11", JOUR_PIECE: True},
    {PIECE: "BP-12", JOUR_PIECE: date(2921, 3, 31)},
)
depenses(
    "booleens",
    "Valeurs logiques, à côté du nombre qu’elles valent",
    {MONTANT: 1},
    {PIECE: "BP-04", MONTANT: True},
    {PIECE: False},
)
depenses(
    "reference-convertie",
    "Références que le tableur a converties",
    {PIECE: date(2021, 3, 1)},
    {PIECE: 1234567890123456789.0},
)
depenses("cases-vides", "Cases obligatoires vides", {PIECE: None, JOUR_PIECE: " "})
depenses(
    "hors-liste",
    "Valeurs hors des listes",
    {"Poste de dépense": "Divers"},
    {PIECE: "BP-04", "Preuve d’acquittement": "sur parole"},
)
depenses("texte-trop-long", "Un texte de plus de 2 000 caractères", {NATURE: "a" * 2001})
depenses(
    "formule-en-texte",
    "Textes qu’un tableur exécuterait",
    {NATURE: '=HYPERLINK("http://exemple.invalid")'},
    {PIECE: "@SUM(1+1)"},
    {PIECE: "BP-05", TIERS: "+cmd|' /C calc'!A0"},
    {PIECE: "BP-06", TIERS: "- frais divers"},
)
cas(
    "caracteres-de-controle",
    "Caractères de contrôle",
    lambda: fichier_csv(lignes({NATURE: "Salaire\x00chargé"}, {PIECE: "BP\x1b-04"})),
    fichier="depenses.csv",
)
cas(
    "caracteres-echappes",
    "Caractères de contrôle échappés par Excel",
    lambda: retoucher(
        classeur_depenses({NATURE: "Salaire QQ chargé"}),
        {r"xl/sharedStrings\.xml": lambda x: x.replace(b"QQ", b"_x0000_")},
    ),
)
depenses(
    "donnees-interdites",
    "IBAN et numéro de sécurité sociale dans un texte",
    {NATURE: "Virement FR76 3000 6000 0112 3456 7890 189"},
    {PIECE: "BP-04", TIERS: "1 85 05 78 006 084 91"},
)
depenses("tiers", "Ni fournisseur, ni salarié", {TIERS: None})
depenses(
    "identifiant",
    "Identifiant de salarié mal recopié",
    {TIERS: None, "Identifiant du salarié": "salarie-07"},
)
depenses(
    "pourcentages",
    "Pourcentage au format %, et hors de 0 à 100",
    {
        MONTANT: None,
        "Temps : méthode": "pourcentage_fixe",
        "Temps : coût de la personne": 3000,
        "Temps : pourcentage": 0.4,
    },
    {
        PIECE: "BP-04",
        MONTANT: None,
        "Temps : méthode": "pourcentage_fixe",
        "Temps : coût de la personne": 3000,
        "Temps : pourcentage": 140,
    },
)
depenses(
    "calcul-impossible",
    "Temps et clé incomplets ou contradictoires",
    {MONTANT: None},
    {PIECE: "BP-04", "Clé : numérateur": 3},
    {
        PIECE: "BP-05",
        "Clé : numérateur": 3,
        "Clé : dénominateur": 2,
        "Clé : ce qu’elle mesure": "ETP",
    },
    {
        PIECE: "BP-06",
        "Temps : méthode": "taux_horaire",
        "Temps : coût de la personne": 3000,
    },
    {
        PIECE: "BP-07",
        "Temps : méthode": "plein_temps",
        "Temps : coût de la personne": 3000,
        "Clé : numérateur": 1,
        "Clé : dénominateur": 2,
        "Clé : ce qu’elle mesure": "ETP",
    },
    {PIECE: "BP-08", "Temps : mois": 1.5, "Temps : année": 1850},
)
cas(
    "csv-champs",
    "CSV dont des lignes n’ont pas le bon nombre de champs",
    lambda: (
        fichier_csv(lignes({}))
        + b"202100007;personnel;Salaire;salarie-07\r\n"
        + fichier_csv([[*lignes({PIECE: "BP-05"})[1], "de trop"]], encodage="utf-8")
    ),
    fichier="depenses.csv",
)
cas(
    "csv-virgule-decimale",
    "CSV séparé par des virgules, montants sans guillemets",
    lambda: fichier_csv(lignes({}), separateur=",").replace(b'"1234,56"', b"1234,56"),
    fichier="depenses.csv",
)

# --- What is known -------------------------------------------------------------------------------

depenses("dossier-inconnu", "Un numéro de dossier inconnu", {DOSSIER: "202199999"})
depenses(
    "ligne-autre-operation",
    "Une ligne d’une autre opération",
    {},
    {DOSSIER: "202100008"},
    contexte="operation",
)
depenses(
    "operation-fermee",
    "Des opérations qui ne reçoivent pas de dépense",
    {DOSSIER: "202100009"},
    {DOSSIER: "202100010"},
)
depenses(
    "poste-hors-plan",
    "Un poste hors du plan de la convention",
    {"Poste de dépense": "Prestations de services"},
)
depenses(
    "hors-periode",
    "Des dates hors des périodes",
    {"Date de réalisation": date(2020, 12, 31), "Date d’engagement": date(2020, 11, 30)},
    {PIECE: "BP-04", "Date d’acquittement": None},
    {PIECE: "BP-05", JOUR_PIECE: date(2022, 3, 31)},
)
depenses(
    "doublons",
    "La même ligne deux fois, et une dépense déjà enregistrée",
    {},
    {"N° de pièce": " bp-03 "},
    {PIECE: "F-100", JOUR_PIECE: date(2021, 3, 15), MONTANT: 900},
)
depenses(
    "meme-piece",
    "La même pièce deux fois, ou déjà enregistrée, pour un autre montant",
    {},
    {MONTANT: 10},
    {PIECE: "F-100", MONTANT: 5},
)
depenses(
    "regularisations",
    "Des régularisations impossibles",
    {MONTANT: -50, PIECE: "AV-1", "Pièce régularisée": "F-999"},
    {MONTANT: -50, PIECE: "AV-2", "Pièce régularisée": "F-102"},
    {MONTANT: -400, PIECE: "AV-3", "Pièce régularisée": "F-101"},
    {MONTANT: -101, PIECE: "AV-4", "Pièce régularisée": "F-101"},
    {MONTANT: 10, PIECE: "AV-5", "Pièce régularisée": "F-101"},
    {MONTANT: -10, PIECE: "AV-6", "Pièce régularisée": "AV-5"},
)

depenses(
    "heures-par-jour-fausses",
    "Des heures par jour sans mois, hors du mois, sans méthode, d’un autre total",
    {**_FEUILLE_DE_TEMPS, "Temps : mois": None},
    {**_FEUILLE_DE_TEMPS, PIECE: "BP-04", "Temps : mois": 4},
    {PIECE: "BP-05", "Temps : jour 1": 7},
    {**_FEUILLE_DE_TEMPS, PIECE: "BP-06", "Temps : heures de l’opération": 12},
    {**_FEUILLE_DE_TEMPS, PIECE: "BP-07", "Temps : jour 1": "sept", "Temps : jour 2": -1},
)

# --- Other templates -----------------------------------------------------------------------------

_RESSOURCE = {
    "N° de dossier": "202100007",
    "Type de ressource": "Intercommunalité (EPCI)",
    "Financeur": "EPCI fictif",
    "Montant perçu": 40_000,
}
cas(
    "ressources",
    "Ressources : doublon, type hors du plan, opération sans convention",
    lambda: xlsx(
        lignes(
            {},
            {},
            {"Type de ressource": "Région"},
            {"N° de dossier": "202100009"},
            {"Type de ressource": "FSE / FSE+"},
            base=_RESSOURCE,
        ),
        feuille="Ressources",
        nature="ressources",
    ),
    fichier="ressources.xlsx",
    nature="ressources",
)
cas(
    "ressources-de-deux-dossiers",
    "Ressources de deux dossiers, donc de deux bilans",
    lambda: xlsx(
        lignes({}, {"N° de dossier": "202100008"}, base=_RESSOURCE),
        feuille="Ressources",
        nature="ressources",
    ),
    fichier="ressources.xlsx",
    nature="ressources",
)
_INDICATEUR = {
    "N° de dossier": "202100007",
    "N° de l’indicateur": 1,
    "Valeur réalisée": 12.5,
    "Valeur constatée le": date(2021, 12, 31),
}
cas(
    "indicateurs",
    "Indicateurs : inconnu, deux fois, libellé d’un autre, opération soldée",
    lambda: xlsx(
        lignes(
            {},
            {"N° de l’indicateur": 99},
            {},
            {"Indicateur": "Un autre libellé", "N° de dossier": "202100008"},
            {"N° de dossier": "202100010"},
            {"N° de l’indicateur": 1.5, "Valeur réalisée": -1},
            base=_INDICATEUR,
        ),
        feuille="Indicateurs",
        nature="indicateurs",
    ),
    fichier="indicateurs.xlsx",
    nature="indicateurs",
)
_ATTRIBUTION = {
    "Type de financeur": "Région",
    "Financeur": "Région fictive",
    "PLIE": "A",
    "Année": 2021,
    "Montant attribué": 10_000,
    "Référence de l’attestation": "REG-1",
    "Attribuée le": date(2021, 2, 1),
}
_PERCEPTION = {
    "Financeur": "Département fictif",
    "Année": 2021,
    "Montant versé": 5_000,
    "Référence du versement": "TITRE-2021-050",
    "Versé le": date(2021, 6, 1),
}


def _contreparties() -> bytes:
    def perceptions(livre: Any, _: Any) -> None:
        page = livre.add_worksheet("Perceptions")
        jour = livre.add_format({"num_format": "dd/mm/yyyy"})
        contenu = lignes(
            {},
            {"Référence du versement": "titre-2021-044"},
            {},
            {"Financeur": "Commune fictive"},
            {"Financeur": "Commune fictive", "Référence de l’attestation": "COM-2"},
            {"Financeur": "Inconnu"},
            {"Montant versé": 0, "Référence du versement": "TITRE 51"},
            base=_PERCEPTION,
        )
        for numero, rangee in enumerate(contenu):
            for rang, valeur in enumerate(rangee):
                if isinstance(valeur, date):
                    page.write_datetime(numero, rang, valeur, jour)
                else:
                    page.write(numero, rang, valeur)

    return xlsx(
        lignes(
            {},
            {},
            {"PLIE": "Z", "Référence de l’attestation": "REG-2"},
            {"Financeur": "Département fictif", "Référence de l’attestation": "DEP-2021-12"},
            {"Montant attribué": 0, "Référence de l’attestation": "REG-3"},
            {"N° de la subvention globale": "SG-9", "Référence de l’attestation": "REG-4"},
            base=_ATTRIBUTION,
        ),
        feuille="Attributions",
        nature="contreparties",
        ecrire=perceptions,
    )


cas(
    "contreparties",
    "Contreparties : doublons, PLIE, subvention ou financeur inconnus, montants nuls",
    _contreparties,
    fichier="contreparties.xlsx",
    nature="contreparties",
)


# --- What is found -------------------------------------------------------------------------------


@cache
def constat(un: Cas) -> dict[str, Any]:
    """Return what a workbook of the corpus gives, as attendus.toml says it."""
    try:
        vu = apercu(lire(un.fichier, un.octets(), un.limites), un.nature, CONTEXTES[un.contexte])
    except FichierRefuse as refus:
        return {"refus": type(refus).__name__, "phrase": str(refus)}
    return {
        "lignes": vu.nb_lignes,
        "retenues": vu.nb,
        "total": vu.total,
        "doublons": len(vu.doublons),
        "defauts": defauts(vu),
    }


def defauts(vu: Apercu) -> list[dict[str, str]]:
    """Return the defects of a preview, each on one line."""
    return [
        {
            "ou": f"{d.feuille}!{d.colonne}{d.ligne or ''}",
            "gravite": d.gravite,
            "code": d.code,
            "titre": d.titre,
            "valeur": d.valeur,
            "message": d.message,
            "remede": d.remede,
        }
        for d in vu.defauts
    ]


def attendus() -> dict[str, dict[str, Any]]:
    """Return what is expected of each workbook."""
    return tomllib.loads(ATTENDUS.read_text(encoding="utf-8"))


def _toml(valeur: object) -> str:
    if isinstance(valeur, int):
        return str(valeur)
    return json.dumps(valeur, ensure_ascii=False)


def ecrire() -> str:
    """Return attendus.toml as it would be today."""
    sortie = [
        "# What each workbook of corpus.py gives: lines written by corpus.py, judged by a person.\n"
    ]
    for un in CORPUS.values():
        trouve = constat(un)
        sortie.append(f"[{un.nom}]")
        sortie.append(f"titre = {_toml(un.titre)}")
        sortie += [f"{k} = {_toml(v)}" for k, v in trouve.items() if k != "defauts"]
        for defaut in trouve.get("defauts", ()):
            sortie.append(f"[[{un.nom}.defauts]]")
            sortie += [f"{k} = {_toml(v)}" for k, v in defaut.items()]
        sortie.append("")
    return "\n".join(sortie)


if __name__ == "__main__":
    ATTENDUS.write_text(ecrire(), encoding="utf-8")
