"""Fill our templates in LibreOffice, as a person would, and save what the tests read.

By hand, once: ``soffice --headless "--accept=socket,host=127.0.0.1,port=2002;urp;"`` in French,
then ``/usr/bin/python3 tests/classeurs/remplir_dans_libreoffice.py MODELES FICHIERS``, where
MODELES holds the templates of the world of the tests (``depenses.xlsx``…).
"""

import sys
from pathlib import Path
from typing import Any

import uno  # type: ignore[import-not-found]
from com.sun.star.beans import PropertyValue  # type: ignore[import-not-found]
from com.sun.star.sheet import TableFilterField  # type: ignore[import-not-found]
from com.sun.star.sheet.FilterOperator import EQUAL  # type: ignore[import-not-found]

_RESOLVEUR = "com.sun.star.bridge.UnoUrlResolver"
_BUREAU = "com.sun.star.frame.Desktop"
_ADRESSE = "uno:socket,host=127.0.0.1,port={};urp;StarOffice.ComponentContext"
_FILTRES = {
    ".xlsx": "Calc MS Excel 2007 XML",
    ".ods": "calc8",
    ".csv": "Text - txt - csv (StarCalc)",
}
#: « ; », quotes where needed, what cells show; then UTF-8 or Windows-1252.
_CSV = {"depenses-windows.csv": "59,34,1,1,,1036,false,false,true"}
_CSV_DEFAUT = "59,34,76,1,,1036,false,false,true"

TIERS = f"Société fictive d’insertion, œuvre de l’été {'é à ç ' * 40}"[:199] + "."
DEPENSES = [
    {
        "N° de dossier": "202100007",
        "Poste de dépense": "Dépenses directes de personnel",
        "Nature de la dépense": nature,
        "Fournisseur ou tiers": tiers,
        "N° de pièce": piece,
        "Date de la pièce": jour,
        "Date de réalisation": "31/03/2021",
        "Date d’acquittement": "2/4/21",
        "Montant imputé": montant,
    }
    for nature, tiers, piece, jour, montant in (
        ("Achat d’équipement", TIERS, "LO-0001", "15/03/2021", "1 200,60"),
        ("Œuvre d’été : 10 €", "Tiers fictif", "000123", "2021-03-31", "99,9"),
        ("Location de salle", "Tiers fictif", "20210430", "31/3/21", "0,1"),
    )
]
INDICATEURS = [
    {
        "N° de dossier": "202100007",
        "N° de l’indicateur": "1",
        "Valeur réalisée": "12,25",
        "Valeur constatée le": "31/12/2021",
    }
]
RESSOURCES = [
    {
        "N° de dossier": "202100007",
        "Type de ressource": "Intercommunalité (EPCI)",
        "Financeur": "Communauté fictive",
        "Montant perçu": "12,5",
    }
]
ATTRIBUTIONS = [
    {
        "Type de financeur": "Région",
        "Financeur": "Région fictive",
        "PLIE": "A",
        "Année": "2021",
        "Montant attribué": "10 000",
        "Référence de l’attestation": "REG-1",
        "Attribuée le": "1/2/2021",
    }
]


def bureau(port: int) -> Any:
    """Return the desktop of the LibreOffice that listens."""
    local = uno.getComponentContext()
    resolveur = local.ServiceManager.createInstanceWithContext(_RESOLVEUR, local)
    contexte = resolveur.resolve(_ADRESSE.format(port))
    return contexte.ServiceManager.createInstanceWithContext(_BUREAU, contexte)


def _proprietes(**valeurs: Any) -> tuple[Any, ...]:
    return tuple(PropertyValue(nom, 0, valeur, 0) for nom, valeur in valeurs.items())


def _titres(page: Any) -> dict[str, int]:
    rangs: dict[str, int] = {}
    while titre := page.getCellByPosition(len(rangs), 0).String:
        rangs[titre.removesuffix(" *")] = len(rangs)
    return rangs


def taper(page: Any, lignes: list[dict[str, str]]) -> None:
    """Type rows under the titles, as they are typed in French."""
    titres = _titres(page)
    for numero, ligne in enumerate(lignes, start=1):
        for titre, valeur in ligne.items():
            page.getCellByPosition(titres[titre], numero).FormulaLocal = valeur


def _formules(page: Any) -> None:
    montant = _titres(page)["Montant imputé"]
    for numero, formule in enumerate(("=1000,30+200,30", "=0,1+0,2", "=1/0"), start=1):
        page.getCellByPosition(montant, numero).FormulaLocal = formule


def _filtre(page: Any) -> None:
    titres = _titres(page)
    plage = page.getCellRangeByPosition(0, 0, len(titres) - 1, len(DEPENSES))
    champ = TableFilterField()
    champ.Field, champ.Operator = titres["N° de pièce"], EQUAL
    champ.IsNumeric, champ.StringValue = False, "LO-0001"
    filtre = plage.createFilterDescriptor(True)
    filtre.ContainsHeader = True
    filtre.setFilterFields((champ,))
    plage.filter(filtre)


def _fusion(page: Any) -> None:
    nature = _titres(page)["Nature de la dépense"]
    page.getCellRangeByPosition(nature, 1, nature, 2).merge(True)


def _commentaire(page: Any) -> None:
    for place in ("A1", "C2", "O3", "A12"):
        cellule = page.getCellRangeByName(place).getCellByPosition(0, 0)
        page.Annotations.insertNew(cellule.CellAddress, "à revoir : 12,50 €")


def _rien(_page: Any) -> None:
    pass


CAS: tuple[tuple[str, str, dict[str, list[dict[str, str]]], Any, tuple[str, ...]], ...] = (
    (
        "depenses",
        "depenses",
        {"Dépenses": DEPENSES},
        _rien,
        ("depenses.xlsx", "depenses.ods", "depenses.csv", "depenses-windows.csv"),
    ),
    *(
        (nom, "depenses", {"Dépenses": DEPENSES}, retoucher, (f"{nom}.xlsx", f"{nom}.ods"))
        for nom, retoucher in (
            ("formules", _formules),
            ("filtre", _filtre),
            ("fusion", _fusion),
            ("commentaire", _commentaire),
        )
    ),
    ("indicateurs", "indicateurs", {"Indicateurs": INDICATEURS}, _rien, ("indicateurs.ods",)),
    ("ressources", "ressources", {"Ressources": RESSOURCES}, _rien, ("ressources.ods",)),
    (
        "contreparties",
        "contreparties",
        {"Attributions": ATTRIBUTIONS},
        _rien,
        ("contreparties.xlsx",),
    ),
)


def remplir(modeles: Path, fichiers: Path, port: int = 2002) -> None:
    """Write every file of `CAS`."""
    libreoffice = bureau(port)
    for _, modele, pages, retoucher, noms in CAS:
        adresse = (modeles / f"{modele}.xlsx").absolute().as_uri()
        livre = libreoffice.loadComponentFromURL(adresse, "_blank", 0, _proprietes(Hidden=True))
        for nom, lignes in pages.items():
            page = livre.Sheets.getByName(nom)
            taper(page, lignes)
            retoucher(page)
        for fichier in noms:
            chemin = fichiers / fichier
            options = {"FilterName": _FILTRES[chemin.suffix]}
            if chemin.suffix == ".csv":
                options["FilterOptions"] = _CSV.get(fichier, _CSV_DEFAUT)
            livre.storeToURL(chemin.absolute().as_uri(), _proprietes(**options))
        livre.close(True)


if __name__ == "__main__":
    remplir(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))
