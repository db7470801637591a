"""The archive that a workbook is: looked at before anything in it is trusted."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from xml.parsers import expat

from api.classeurs.classeur import Limites
from api.classeurs.refus import (
    AncienFormatExcel,
    ArchivePiegee,
    ClasseurBinaire,
    FichierAbime,
    FichierProtege,
    FormatInconnu,
    MacrosRefusees,
    XmlPiege,
)

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: The stream of an encrypted workbook, as its container names it.
_CHIFFRE = "EncryptedPackage".encode("utf-16-le")
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
#: An entry smaller than this may be as repetitive as it likes.
_PETITE = 1024 * 1024
_ENTREES = 5000
_CHIFFREE = 0x1
#: What the standard library raises on an archive that is not one, or no longer.
_ILLISIBLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)
_COMPRESSIONS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
#: How many elements a part says that it holds: the library would reserve room for as many.
_BALISE = re.compile(rb"""<(?:[^<>"']|"[^"]*"|'[^']*')*""")
_NOMBRE_DIT = re.compile(rb"""ount\s*=\s*["']?([^"'>]*)""")
#: Parts that count what another holds, so more than their own bytes: the cells of a workbook .ods,
#: the rows that a pivot table was made of. The library reads neither.
_COMPTE_CE_QUI_EST_AILLEURS = ("xl/worksheets/", "xl/pivotCache/", "meta.xml")


@dataclass(frozen=True, slots=True)
class Conteneur:
    """An archive whose XML was uncompressed, within limits, and declares no entity."""

    format: Literal["xlsx", "ods"]
    xml: Mapping[str, bytes]


def est_une_archive(octets: bytes) -> bool:
    """Tell whether these bytes are a zip file.

    Raises: AncienFormatExcel, FichierProtege.
    """
    if octets.startswith(_OLE):
        raise FichierProtege if _CHIFFRE in octets else AncienFormatExcel
    return octets.startswith(_ZIP)


def ouvrir(octets: bytes, limites: Limites) -> Conteneur:
    """Open the archive of a workbook.

    Raises: FichierAbime, FichierProtege, ArchivePiegee, MacrosRefusees, ClasseurBinaire,
        FormatInconnu, XmlPiege.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            _exiger_mesure(archive, limites)
            format_lu = _format(archive)
            return Conteneur(format=format_lu, xml=_xml(archive))
    except _ILLISIBLE:
        raise FichierAbime from None


def _exiger_mesure(archive: zipfile.ZipFile, limites: Limites) -> None:
    """Refuse what would not fit, from the directory alone. Reading checks what it says."""
    entrees = archive.infolist()
    if any(entree.compress_type not in _COMPRESSIONS for entree in entrees):
        raise FichierAbime
    if any(entree.flag_bits & _CHIFFREE for entree in entrees):
        raise FichierProtege
    if len(entrees) > _ENTREES or sum(e.file_size for e in entrees) > limites.octets_decompresses:
        raise ArchivePiegee
    for entree in entrees:
        serre = entree.file_size > limites.taux_de_compression * max(1, entree.compress_size)
        if serre and entree.file_size > _PETITE:
            raise ArchivePiegee


def _format(archive: zipfile.ZipFile) -> Literal["xlsx", "ods"]:
    noms = archive.namelist()
    if len(set(noms)) != len(noms):
        raise FichierAbime
    if "mimetype" in noms:
        return _format_ods(archive, noms)
    if "xl/workbook.bin" in noms:
        raise ClasseurBinaire
    if "xl/workbook.xml" not in noms or "[Content_Types].xml" not in noms:
        raise FormatInconnu
    types = archive.read("[Content_Types].xml")
    if b"macroEnabled" in types or any(n.lower().endswith("vbaproject.bin") for n in noms):
        raise MacrosRefusees
    return "xlsx"


def _format_ods(archive: zipfile.ZipFile, noms: list[str]) -> Literal["ods"]:
    if not archive.read("mimetype").strip().startswith(_ODS):
        raise FormatInconnu
    if any(n.startswith(("Basic/", "Scripts/")) and not n.endswith("/") for n in noms):
        raise MacrosRefusees
    if "content.xml" not in noms:
        raise FichierAbime
    if "META-INF/manifest.xml" in noms and b"encryption-data" in archive.read(
        "META-INF/manifest.xml"
    ):
        raise FichierProtege
    return "ods"


def _xml(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """Read every XML part: a size that lied, or a wrong checksum, stops here."""
    lus = {
        nom: archive.read(nom)
        for nom in archive.namelist()
        if nom.lower().endswith((".xml", ".rels"))
    }
    for contenu in lus.values():
        _exiger_bien_forme(contenu)
    for nom, contenu in lus.items():
        if b"ount" in contenu and not nom.startswith(_COMPTE_CE_QUI_EST_AILLEURS):
            _exiger_nombres_sinceres(contenu)
    return lus


def _exiger_bien_forme(contenu: bytes) -> None:
    """Refuse what is not XML, in UTF-8: the library that reads it next may never end on it."""
    analyseur = expat.ParserCreate("UTF-8")
    analyseur.StartDoctypeDeclHandler = _refuser_les_entites
    try:
        analyseur.Parse(contenu, True)  # noqa: FBT003 - that is the end of it
    except expat.ExpatError:
        raise FichierAbime from None


def _refuser_les_entites(*_: object) -> None:
    raise XmlPiege


def _exiger_nombres_sinceres(contenu: bytes) -> None:
    """Refuse a part that says it holds more elements than it has bytes."""
    trop = re.compile(rb"&|[0-9]{%d}" % (len(str(len(contenu))) + 1))
    for balise in _BALISE.findall(contenu):
        if b"ount" in balise and any(map(trop.search, _NOMBRE_DIT.findall(balise))):
            raise ArchivePiegee
