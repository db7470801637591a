"""What a document may hide, although it is of the format that it says: a trap for who opens it.

The service itself opens none of them: it neither unpacks an archive nor reads XML. Whoever
downloads a document does, and trusts it the more that it comes from the register of the OI.
"""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

#: Bytes of a document once unpacked, and how many times its own size, from a size that matters.
_DEPLOYE_MAX = 2 * 2**30
_DEPLOYE_NOTABLE = 50 * 2**20
_RATIO_MAX = 200
#: Bytes of a part in which a document type would be declared: it comes before everything else.
_DEBUT = 2**12
#: Bytes read at a time.
_MORCEAU = 2**16
#: Longest manifest that is read.
_MANIFESTE_MAX = 2**20

_COMPRESSIONS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_TYPE_DECLARE = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_MACROS_OOXML = re.compile(r"(?:^|/)(?:vbaProject\.bin|vbaData\.xml|activeX/)", re.IGNORECASE)
_MACROS_ODF = re.compile(r"^(?:Basic|Scripts)/", re.IGNORECASE)
#: How programs, archives, images and pages begin.
_AUTRES_DEBUTS = (b"PK\x03\x04", b"MZ", b"\x7fELF", b"#!", b"GIF8", b"\x89PNG", b"\xff\xd8\xff")


def danger(code: str, fichier: BinaryIO) -> str | None:
    """Return, as the end of a French sentence, why a document is a trap; ``None`` if none is known.

    Args:
        code: the format, which the bytes were found to be of.
        fichier: the document.
    """
    fichier.seek(0)
    examen = _EXAMENS.get(code)
    return examen(fichier) if examen else None


def _pdf(fichier: BinaryIO) -> str | None:
    avant = fichier.read(1024).partition(b"%PDF-")[0]
    if b"<" in avant or avant.startswith(_AUTRES_DEBUTS):
        return "commence comme un fichier d’un autre format : exportez-le de nouveau en PDF"
    return None


def _xml(fichier: BinaryIO) -> str | None:
    reste = b""
    while lu := fichier.read(_MORCEAU):
        # UTF-16 puts a zero beside each ASCII letter.
        vu = reste + lu.replace(b"\0", b"")
        if _TYPE_DECLARE.search(vu):
            return _XML_PIEGE
        reste = vu[-32:]
    return None


_XML_PIEGE = (
    "déclare un type de document XML, qui peut faire lire d’autres fichiers ou remplir la "
    "mémoire : retirez cette déclaration, ou déposez le document en PDF"
)


def _bureautique(macros: re.Pattern[str]) -> Callable[[BinaryIO], str | None]:
    def examen(fichier: BinaryIO) -> str | None:
        with zipfile.ZipFile(fichier) as archive:
            return next(_dangers(archive, macros), None)

    return examen


def _dangers(archive: zipfile.ZipFile, macros: re.Pattern[str]) -> Iterator[str]:
    parties = archive.infolist()
    noms = [partie.filename for partie in parties]
    if any(partie.compress_type not in _COMPRESSIONS for partie in parties):
        # The others unpack without bound, and no office program writes them.
        yield "est compressé d’une façon inhabituelle : enregistrez-le de nouveau"
    if any(_sort(nom) for nom in noms) or len(set(noms)) < len(noms):
        yield "contient des parties mal nommées : enregistrez-le de nouveau"
    if any(partie.flag_bits & 1 for partie in parties) or _chiffre(archive, noms):
        yield "est protégé par un mot de passe : enregistrez-le sans mot de passe"
    if any(macros.search(nom) for nom in noms):
        yield "contient des macros : enregistrez-le sans macros"
    deploye = sum(partie.file_size for partie in parties)
    emballe = sum(partie.compress_size for partie in parties)
    if deploye > _DEPLOYE_MAX or (
        deploye > _DEPLOYE_NOTABLE and deploye > _RATIO_MAX * max(emballe, 1)
    ):
        yield "prendrait, une fois ouvert, une place démesurée : divisez-le"
    if _chevauche(parties):
        yield "contient des parties qui se chevauchent : enregistrez-le de nouveau"
    if any(_declare_un_type(archive, partie) for partie in parties):
        yield _XML_PIEGE


def _sort(nom: str) -> bool:
    return nom.startswith("/") or "\\" in nom or ":" in nom or ".." in nom.split("/")


def _chiffre(archive: zipfile.ZipFile, noms: list[str]) -> bool:
    """Tell whether an OpenDocument says that its parts are encrypted."""
    nom = "META-INF/manifest.xml"
    return nom in noms and b"encryption-data" in _lire(archive, nom, _MANIFESTE_MAX)


def _chevauche(parties: list[zipfile.ZipInfo]) -> bool:
    """Tell whether the same bytes serve several times, as they do in the smallest bombs."""
    fin = -1
    for partie in sorted(parties, key=lambda p: p.header_offset):
        if partie.header_offset < fin:
            return True
        fin = partie.header_offset + len(partie.filename) + partie.compress_size
    return False


def _declare_un_type(archive: zipfile.ZipFile, partie: zipfile.ZipInfo) -> bool:
    if not partie.filename.lower().endswith((".xml", ".rels", ".rdf")):
        return False
    return bool(_TYPE_DECLARE.search(_lire(archive, partie, _DEBUT).replace(b"\0", b"")))


def _lire(archive: zipfile.ZipFile, partie: str | zipfile.ZipInfo, octets: int) -> bytes:
    """Read the beginning of a part; one that cannot be read hides nothing that can."""
    try:
        with archive.open(partie) as ouverte:
            return ouverte.read(octets)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError):
        return b""


_OOXML, _ODF = _bureautique(_MACROS_OOXML), _bureautique(_MACROS_ODF)
_EXAMENS: dict[str, Callable[[BinaryIO], str | None]] = {
    "pdf": _pdf,
    "xml": _xml,
    "xlsx": _OOXML,
    "docx": _OOXML,
    "ods": _ODF,
    "odt": _ODF,
}
