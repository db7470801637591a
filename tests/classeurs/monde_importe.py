"""What the corpus of workbooks is compared with, and the pens that write it."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from xml.sax.saxutils import escape

import msgspec
from fabrique import CADRE, OPERATION_ID, convention, depense, operation
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from aggregates.depense.state import Depense
from api.classeurs import (
    MODELES,
    Contexte,
    ContrepartieConnue,
    DepenseConnue,
    Nature,
    OperationConnue,
    SubventionConnue,
)

AUTRE_OPERATION, NON_CONVENTIONNEE, SOLDEE = (UUID(int=n) for n in (21, 22, 23))
JOUR = date(2022, 1, 31)


def _connue(identifiant: UUID, numero: str, statut: Any = "en_execution") -> OperationConnue:
    conventionnee = statut != "programme"
    return OperationConnue(
        identifiant,
        operation(statut, numero_mdfse=numero),
        convention() if conventionnee else None,
    )


OPERATION = _connue(OPERATION_ID, "202100007")


def _enregistree(rang: int, piece: str, montant: int, lot: str | None = None) -> DepenseConnue:
    etat: Depense = depense(montant)
    detail = msgspec.structs.replace(etat.detail, piece_ref=piece, date_piece=date(2021, 3, 15))
    return DepenseConnue(
        id=UUID(int=rang),
        operation_id=OPERATION_ID,
        piece_ref=piece,
        date_piece=detail.date_piece,
        montant=detail.montant_impute_centimes,
        poste=detail.poste,
        lot=lot,
        etat=msgspec.structs.replace(etat, detail=detail),
    )


OI = Contexte(
    jour=JOUR,
    operations=(
        OPERATION,
        _connue(AUTRE_OPERATION, "202100008"),
        _connue(NON_CONVENTIONNEE, "202100009", "programme"),
        _connue(SOLDEE, "202100010", "solde"),
    ),
    depenses=(
        _enregistree(31, "F-100", 900, lot="4"),
        _enregistree(32, "F-101", 500),
        _enregistree(33, "F-102", 40),
        _enregistree(34, "F-102", 60),
    ),
    contreparties=(
        ContrepartieConnue(
            id=UUID(int=41),
            financeur="Département fictif",
            type="publique_departement",
            annee=2021,
            attestation_ref="DEP-2021-12",
            montant=4_000_000,
            perceptions=("TITRE-2021-044",),
        ),
        ContrepartieConnue(
            id=UUID(int=42),
            financeur="Commune fictive",
            type="publique_commune",
            annee=2021,
            attestation_ref="COM-1",
            montant=1_000_000,
        ),
        ContrepartieConnue(
            id=UUID(int=43),
            financeur="Commune fictive",
            type="publique_commune",
            annee=2021,
            attestation_ref="COM-2",
            montant=1_000_000,
        ),
    ),
    subventions=(SubventionConnue("SG-2021-01", CADRE),),
    plies={"A": "PLIE A", "B": "PLIE B"},
)
UNE_OPERATION = Contexte(
    **{**{nom: getattr(OI, nom) for nom in OI.__dataclass_fields__}, "attendue": OPERATION_ID}
)
CONTEXTES: Mapping[str, Contexte] = {"oi": OI, "operation": UNE_OPERATION}

#: A row without defect.
DEPENSE: Mapping[str, Any] = {
    "N° de dossier": "202100007",
    "Poste de dépense": "Dépenses directes de personnel",
    "Nature de la dépense": "Salaire chargé de mars",
    "Fournisseur ou tiers": "salarie-07",
    "N° de pièce": "BP-03",
    "Date de la pièce": date(2021, 3, 31),
    "Date de réalisation": date(2021, 3, 31),
    "Date d’acquittement": date(2021, 4, 2),
    "Montant imputé": 1234.56,
}
TITRES = tuple(DEPENSE)


def lignes(*changements: Mapping[str, Any], base: Mapping[str, Any] = DEPENSE) -> list[list[Any]]:
    """Return the titles, then a row for each change of the row without defect."""
    titres = list(dict.fromkeys([*base, *(t for c in changements for t in c)]))
    rangees = [[{**base, **c}.get(t) for t in titres] for c in changements]
    return [titres, *rangees]


def xlsx(
    contenu: Sequence[Sequence[Any]],
    *,
    feuille: str = "Dépenses",
    nature: str | None = "depenses",
    version: str | int | None = None,
    operation_id: UUID | None = None,
    ecrire: Callable[[Workbook, Worksheet], object] = lambda _livre, _page: None,
    options: Mapping[str, Any] | None = None,
) -> bytes:
    """Write a workbook; without ``nature``, it does not say what it is."""
    sortie = io.BytesIO()
    sans_effet = dict.fromkeys(
        ("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False
    )
    livre = Workbook(sortie, {"in_memory": True, **sans_effet, **(options or {})})
    livre.set_properties({"created": datetime(2021, 1, 1)})  # noqa: DTZ001
    jour = livre.add_format({"num_format": "dd/mm/yyyy"})
    page = livre.add_worksheet(feuille)
    for numero, rangee in enumerate(contenu):
        for rang, valeur in enumerate(rangee):
            if isinstance(valeur, date):
                page.write_datetime(numero, rang, valeur, jour)
            elif valeur is not None:
                page.write(numero, rang, valeur)
    if nature is not None:
        identite = livre.add_worksheet("oi")
        identite.hide()
        modele = MODELES.get(nature)  # type: ignore[call-overload]
        identite.write_row(0, 0, ["modele", nature])
        identite.write_row(1, 0, ["version", str(version or (modele.version if modele else 1))])
        identite.write_row(2, 0, ["operation", str(operation_id or "")])
        identite.write_row(3, 0, ["dossier", "202100008" if operation_id else ""])
    ecrire(livre, page)
    livre.close()
    return sortie.getvalue()


def classeur_depenses(*changements: Mapping[str, Any], **choix: Any) -> bytes:
    """Write a workbook of dépenses, a row for each change."""
    return xlsx(lignes(*changements), **choix)


def retoucher(
    octets: bytes, remplacements: Mapping[str, Callable[[bytes], bytes]], **ajouts: bytes
) -> bytes:
    """Write the archive again, with parts changed or added."""
    sortie = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(octets)) as lu,
        zipfile.ZipFile(sortie, "w", zipfile.ZIP_DEFLATED) as ecrit,
    ):
        for entree in lu.infolist():
            contenu = lu.read(entree)
            for motif, changer in remplacements.items():
                if re.fullmatch(motif, entree.filename):
                    contenu = changer(contenu)
            ecrit.writestr(_entree(entree.filename), contenu)
        for nom, contenu in ajouts.items():
            ecrit.writestr(_entree(nom.replace("__", "/").replace("_bin", ".bin")), contenu)
    return sortie.getvalue()


def _entree(nom: str) -> zipfile.ZipInfo:
    entree = zipfile.ZipInfo(nom, (2021, 1, 1, 0, 0, 0))
    entree.compress_type = zipfile.ZIP_DEFLATED
    return entree


def fichier_csv(
    contenu: Iterable[Sequence[Any]],
    *,
    separateur: str = ";",
    encodage: str = "utf-8-sig",
) -> bytes:
    """Write a CSV file as French Excel does."""
    sortie = io.StringIO(newline="")
    ecrivain = csv.writer(sortie, delimiter=separateur, lineterminator="\r\n")
    for rangee in contenu:
        ecrivain.writerow([_en_texte(v) for v in rangee])
    return sortie.getvalue().encode(encodage)


def _en_texte(valeur: Any) -> str:
    if isinstance(valeur, date):
        return valeur.strftime("%d/%m/%Y")
    if isinstance(valeur, float):
        return f"{valeur:.2f}".replace(".", ",")
    return "" if valeur is None else str(valeur)


_ODS = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
)


def cellule_ods(valeur: Any, attributs: str = "") -> str:
    """Write a cell of a workbook .ods."""
    if valeur is None:
        return f"<table:table-cell {attributs}/>"
    if isinstance(valeur, date):
        genre, montre = f'date" office:date-value="{valeur.isoformat()}', _en_texte(valeur)
    elif isinstance(valeur, int | float):
        genre, montre = f'float" office:value="{valeur}', _en_texte(valeur)
    else:
        genre, montre = "string", str(valeur)
    return (
        f'<table:table-cell office:value-type="{genre}" {attributs}>'
        f"<text:p>{escape(montre)}</text:p></table:table-cell>"
    )


def ods(rangees: Sequence[str], *, nom: str = "Dépenses", **parties: bytes) -> bytes:
    """Write a workbook .ods from the XML of its rows; the rest is blank, as Calc does."""
    fin = (
        '<table:table-row table:number-rows-repeated="1048000">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    contenu = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_ODS}><office:body>'
        f'<office:spreadsheet><table:table table:name="{nom}">{"".join(rangees)}{fin}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    sortie = io.BytesIO()
    with zipfile.ZipFile(sortie, "w", zipfile.ZIP_DEFLATED) as archive:
        for partie, octets in {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": b'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:'
            b'opendocument:xmlns:manifest:1.0"/>',
            "content.xml": contenu.encode(),
            **{n.replace("__", "/"): o for n, o in parties.items()},
        }.items():
            archive.writestr(_entree(partie), octets)
    return sortie.getvalue()


def rangee_ods(cellules: Sequence[Any], attributs: str = "") -> str:
    """Write a row of a workbook .ods; a text that starts with ``<`` is a cell already written."""
    ecrites = (
        c if isinstance(c, str) and c.startswith("<table:") else cellule_ods(c) for c in cellules
    )
    return f"<table:table-row {attributs}>{''.join(ecrites)}</table:table-row>"


NATURES: tuple[Nature, ...] = tuple(MODELES)
