"""The archive that a workbook is: looked at before anything in it is trusted."""

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

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
_ENTITES = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


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
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError):
        raise FichierAbime from None


def _exiger_mesure(archive: zipfile.ZipFile, limites: Limites) -> None:
    """Refuse what would not fit, from the directory alone. Reading checks what it says."""
    entrees = archive.infolist()
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
        if _ENTITES.search(contenu):
            raise XmlPiege
        # Another encoding could hide what the line above looks for.
        if b"\x00" in contenu[:200]:
            raise FichierAbime
    return lus
