"""The files of supporting documents: kept once, under the SHA-256 of their bytes, never rewritten.

An event names a document by its digest; here are its bytes. Depositing one is not an event: it
becomes evidence on the day when an event names it.
"""

import codecs
import errno
import hashlib
import os
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Literal

import structlog

from oi_service.durable import sync_folder
from oi_service.errors import NotFound, Refusal
from oi_service.ids import new_id
from oi_service.pieces_sures import danger

log = structlog.get_logger()

#: Bytes read at a time: what a document costs in memory, whatever its size.
MORCEAU = 2**16
#: Bytes of a document that are enough to tell most formats.
_DEBUT = 2**12
#: Longest list of parts that is read of a ZIP: some ten thousand, where a document has a hundred.
_SOMMAIRE_MAX = 2**20
#: A deposit that was cut, by a power failure for instance, leaves a file of this name.
_EN_COURS = ".depot-"
#: Characters of a name that a refusal repeats.
_NOM_MAX = 120
_NOM = re.compile(r"[0-9a-f]{64}")

Etat = Literal["presente", "absente", "alteree"]


class PieceIrrecevable(Refusal):
    """La pièce ne peut pas être déposée."""


class FormatNonAdmis(PieceIrrecevable):
    """« {nom} » n’est pas d’un format admis : déposez un fichier {admis}."""


class ContenuInattendu(PieceIrrecevable):
    """Le contenu de « {nom} » n’est pas celui d’un fichier {format} : vérifiez le fichier, ou
    donnez-lui l’extension de son vrai format.
    """


class TypeContredit(PieceIrrecevable):
    """« {nom} » est envoyé comme « {media} », qui n’est pas le type d’un fichier {format}."""


class PieceDangereuse(PieceIrrecevable):
    """« {nom} » {raison}."""


class PieceVide(PieceIrrecevable):
    """« {nom} » est vide : vérifiez le fichier et déposez-le de nouveau."""


class PieceTropLourde(Refusal):
    """« {nom} » dépasse {maximum}, le maximum d’une pièce : réduisez-le ou déposez-le en plusieurs
    fichiers.
    """


class DepotImpossible(Refusal):
    """La pièce n’a pas été enregistrée : {raison}. Prévenez l’administrateur, puis déposez-la de
    nouveau.
    """


class PieceNonDeposee(NotFound):
    """Aucun fichier n’est déposé sous l’empreinte {sha256}."""


class PieceAlteree(Refusal):
    """Le fichier déposé sous l’empreinte {sha256} n’est plus, ou ne se lit plus, tel qu’il a été
    déposé : il n’est pas montré. L’administrateur le retrouve dans une sauvegarde.
    """


# --- Formats -------------------------------------------------------------------------------------


def _commence(*debuts: bytes) -> Callable[[BinaryIO], bool]:
    return lambda fichier: fichier.read(_DEBUT).startswith(debuts)


def _pdf(fichier: BinaryIO) -> bool:
    # Some scanners write a few bytes before; every reader looks in the first kilobyte.
    return b"%PDF-" in fichier.read(1024)


class _Sommaire:
    """A file of which nobody reads much at once, as whoever opens a ZIP reads its whole list."""

    def __init__(self, fichier: BinaryIO) -> None:
        self._fichier = fichier
        self.tell = fichier.tell
        self.seekable = fichier.seekable

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go where the list of an archive says that something is.

        Raises: BadZipFile where no file goes.
        """
        try:
            return self._fichier.seek(offset, whence)
        except OSError:
            raise zipfile.BadZipFile from None

    def read(self, size: int = -1, /) -> bytes:
        """Read what a document may hold.

        Raises: BadZipFile for the list of an archive with more parts than any document has.
        """
        lu = self._fichier.read(_SOMMAIRE_MAX + 1 if size < 0 else min(size, _SOMMAIRE_MAX + 1))
        if len(lu) > _SOMMAIRE_MAX:
            raise zipfile.BadZipFile
        return lu


def _archive(preuve: Callable[[zipfile.ZipFile], bool]) -> Callable[[BinaryIO], bool]:
    """Look into a ZIP for what makes it a document; nothing is extracted."""

    def est(fichier: BinaryIO) -> bool:
        try:
            with zipfile.ZipFile(_Sommaire(fichier)) as archive:
                return preuve(archive)
        except (zipfile.BadZipFile, EOFError, RuntimeError, ValueError):
            return False

    return est


def _ooxml(dossier: str) -> Callable[[BinaryIO], bool]:
    return _archive(
        lambda archive: (
            "[Content_Types].xml" in archive.namelist()
            and any(nom.startswith(dossier) for nom in archive.namelist())
        )
    )


def _opendocument(media: str) -> Callable[[BinaryIO], bool]:
    def preuve(archive: zipfile.ZipFile) -> bool:
        infos = {info.filename: info for info in archive.infolist()}
        info = infos.get("mimetype")
        # Its size is checked first: a few bytes may unpack into gigabytes.
        return (
            info is not None
            and info.compress_type == zipfile.ZIP_STORED
            and info.file_size == len(media)
            and archive.read(info) == media.encode()
        )

    return _archive(preuve)


def _texte(fichier: BinaryIO) -> bool:
    """Tell whether bytes are text that people wrote: UTF-8, UTF-16 with its mark, Windows-1252."""
    debut = fichier.read(2)
    fichier.seek(0)
    codages = ["utf-16"] if debut in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE} else []
    return any(_se_lit(fichier, codage) for codage in (*codages, "utf-8", "cp1252"))


_DE_CONTROLE = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")


def _se_lit(fichier: BinaryIO, codage: str) -> bool:
    fichier.seek(0)
    decodeur = codecs.getincrementaldecoder(codage)()
    try:
        while lu := fichier.read(MORCEAU):
            if _DE_CONTROLE.search(decodeur.decode(lu)):
                return False
        decodeur.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _xml(fichier: BinaryIO) -> bool:
    debut = fichier.read(_DEBUT)
    fichier.seek(0)
    # UTF-16 puts a zero beside each ASCII letter.
    utile = debut.lstrip(codecs.BOM_UTF8 + codecs.BOM_UTF16_LE).replace(b"\0", b"").lstrip()
    return utile[:1] == b"<" and _texte(fichier)


_EN_TETE = re.compile(rb"[!-9;-~]+[ \t]*:|[ \t]|From ")
_D_UN_COURRIEL = re.compile(rb"(from|received|date|return-path)[ \t]*:", re.IGNORECASE)


def _courriel(fichier: BinaryIO) -> bool:
    """Tell whether bytes begin with the headers of a message."""
    tete = fichier.read(MORCEAU).replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    lignes = tete.split(b"\n")
    # The block may be cut by the reading: its last line is then not whole.
    return all(_EN_TETE.match(ligne) for ligne in lignes[:-1]) and any(
        _D_UN_COURRIEL.match(ligne) for ligne in lignes
    )


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file that is accepted as a document.

    ``medias``: what programs call it, the usual name first.
    """

    code: str
    extensions: tuple[str, ...]
    medias: tuple[str, ...]
    est: Callable[[BinaryIO], bool]


_OOXML = "application/vnd.openxmlformats-officedocument"
_ODF = "application/vnd.oasis.opendocument"
_TEXTE = ("text/plain",)

#: What is accepted, the surest proofs first. A short table, and no package that guesses a format:
#: the question is whether the bytes are what the name says, and a third of these are texts, which
#: have no magic number. An archive (ZIP) is left out: it would hide documents from the log.
FORMATS: tuple[Format, ...] = (
    Format("pdf", ("pdf",), ("application/pdf",), _pdf),
    Format("png", ("png",), ("image/png",), _commence(b"\x89PNG\r\n\x1a\n")),
    Format("jpeg", ("jpg", "jpeg"), ("image/jpeg",), _commence(b"\xff\xd8\xff")),
    Format("tiff", ("tif", "tiff"), ("image/tiff",), _commence(b"II*\0", b"MM\0*", b"II+\0")),
    Format("xlsx", ("xlsx",), (f"{_OOXML}.spreadsheetml.sheet",), _ooxml("xl/")),
    Format("docx", ("docx",), (f"{_OOXML}.wordprocessingml.document",), _ooxml("word/")),
    Format("ods", ("ods",), (f"{_ODF}.spreadsheet",), _opendocument(f"{_ODF}.spreadsheet")),
    Format("odt", ("odt",), (f"{_ODF}.text",), _opendocument(f"{_ODF}.text")),
    Format("xml", ("xml",), ("application/xml", "text/xml"), _xml),
    Format("eml", ("eml",), ("message/rfc822",), _courriel),
    Format("txt", ("txt",), _TEXTE, _texte),
    Format(
        "csv",
        ("csv",),
        ("text/csv", "application/csv", "application/vnd.ms-excel", *_TEXTE),
        _texte,
    ),
)
_PAR_EXTENSION = {extension: f for f in FORMATS for extension in f.extensions}
#: What a sender says when it knows nothing of a file.
_INDETERMINE = "application/octet-stream"


def nom_lisible(nom: str) -> str:
    """Return a name as it may be repeated: what turns the text around or hides in it is shown.

    The end is kept, which says the format; the name itself is never a path.
    """
    montre = "".join(c if c.isprintable() else "\ufffd" for c in unicodedata.normalize("NFC", nom))
    return montre if len(montre) <= _NOM_MAX else f"…{montre[-_NOM_MAX:]}"


def format_annonce(nom: str, media: str | None = None) -> Format:
    """Return the format that a file says it is of, by its extension and what its sender calls it.

    Raises: FormatNonAdmis, TypeContredit when the two disagree.
    """
    _, point, extension = nom.rpartition(".")
    trouve = _PAR_EXTENSION.get(extension.lower()) if point else None
    if trouve is None:
        *admis, dernier = (f.code.upper() for f in FORMATS)
        raise FormatNonAdmis(nom=nom, admis=f"{', '.join(admis)} ou {dernier}")
    dit = (media or _INDETERMINE).partition(";")[0].strip().lower()
    if dit not in {_INDETERMINE, *trouve.medias}:
        raise TypeContredit(nom=nom, media=dit, format=trouve.code.upper())
    return trouve


def _format_lu(fichier: BinaryIO) -> Format | None:
    """Return the format of bytes; a text is a text, whatever it was called."""
    for connu in FORMATS:
        fichier.seek(0)
        if connu.est(fichier):
            return connu
    return None


# --- The store -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Deposee:
    """A document that the store holds."""

    sha256: str
    octets: int
    type: str
    deja_connue: bool


@dataclass(frozen=True, slots=True)
class Rangee:
    """A file of the store, by its name and not by its bytes."""

    sha256: str
    octets: int
    deposee_le: datetime


class Lue:
    """A document opened to be read: its bytes were checked, and are checked again as they go."""

    def __init__(self, sha256: str, fichier: BinaryIO) -> None:
        self.sha256 = sha256
        self._fichier = fichier
        self.octets = os.fstat(fichier.fileno()).st_size
        trouve = _format_lu(fichier)
        #: Extension of the bytes as they look; texts are told apart by nothing.
        self.extension = trouve.extensions[0] if trouve else "bin"
        self.media = trouve.medias[0] if trouve else _INDETERMINE

    def morceaux(self) -> Iterator[bytes]:
        """Yield the bytes, then close. The last ones are kept back until the digest is right.

        Raises: PieceAlteree when the file changed since it was opened.
        """
        with self._fichier as fichier:
            fichier.seek(0)
            digest, retenu = hashlib.sha256(), b""
            while lu := fichier.read(MORCEAU):
                digest.update(lu)
                if retenu:
                    yield retenu
                retenu = lu
            if digest.hexdigest() != self.sha256:
                raise _alteree(self.sha256)
            yield retenu

    def close(self) -> None:
        """Close what was opened; for those who may stop before the last piece."""
        self._fichier.close()


class Depot:
    """A document on its way in: nobody sees it before `finir`, and nothing is left without it."""

    def __init__(self, nom: str, attendu: Format, maximum: int, dossier: Path) -> None:
        self._nom = nom
        self._attendu = attendu
        self._maximum = maximum
        self._dossier = dossier
        self._digest = hashlib.sha256()
        self._octets = 0
        dossier.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._chemin = dossier / f"{_EN_COURS}{new_id().hex}"
        self._fichier = self._chemin.open("x+b")

    def ecrire(self, morceau: bytes) -> None:
        """Add bytes.

        Raises: PieceTropLourde, DepotImpossible.
        """
        self._octets += len(morceau)
        if self._octets > self._maximum:
            raise PieceTropLourde(nom=self._nom, maximum=taille(self._maximum))
        self._digest.update(morceau)
        with _ecriture_possible():
            self._fichier.write(morceau)

    def finir(self) -> Deposee:
        """Check the bytes, and put them in their place for ever.

        Raises: PieceVide, ContenuInattendu, PieceDangereuse, PieceAlteree, DepotImpossible.
        """
        if not self._octets:
            raise PieceVide(nom=self._nom)
        with _ecriture_possible():
            self._fichier.flush()
        self._fichier.seek(0)
        if not self._attendu.est(self._fichier):
            raise ContenuInattendu(nom=self._nom, format=self._attendu.code.upper())
        piege = danger(self._attendu.code, self._fichier)
        if piege is not None:
            raise PieceDangereuse(nom=self._nom, raison=piege)
        sha256 = self._digest.hexdigest()
        place = _place(self._dossier, sha256)
        connue = place.exists()
        if connue and _etat(place, sha256) != "presente":
            raise _alteree(sha256)
        if not connue:
            with _ecriture_possible():
                self._ranger(place)
        return Deposee(sha256, self._octets, self._attendu.code, connue)

    def _ranger(self, place: Path) -> None:
        os.fchmod(self._fichier.fileno(), 0o440)
        os.fsync(self._fichier.fileno())
        with suppress(FileExistsError):
            place.parent.mkdir(mode=0o750)
            sync_folder(self._dossier)
        # Whoever deposits the same bytes at the same moment puts the same file in the same place.
        self._chemin.rename(place)
        sync_folder(place.parent)

    def fermer(self) -> None:
        """Leave no trace of what was not put in its place."""
        with suppress(OSError):
            # What a full disk still refuses to write is given up.
            self._fichier.close()
        self._chemin.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Pieces:
    """The store: ``ab/abcdef…``, a file per document, read-only once in its place."""

    dossier: Path
    maximum: int  #: bytes of the largest document

    @contextmanager
    def depot(self, nom: str, media: str | None = None) -> Iterator[Depot]:
        """Lend a deposit to write to, piece by piece.

        Raises: FormatNonAdmis, TypeContredit, DepotImpossible.
        """
        nom = nom_lisible(nom)
        attendu = format_annonce(nom, media)
        with _ecriture_possible():
            depot = Depot(nom, attendu, self.maximum, self.dossier)
        try:
            yield depot
        finally:
            depot.fermer()

    def deposer(self, nom: str, morceaux: Iterable[bytes]) -> Deposee:
        """Keep a document.

        Raises: PieceIrrecevable, PieceTropLourde, PieceAlteree, DepotImpossible.
        """
        with self.depot(nom) as depot:
            for morceau in morceaux:
                depot.ecrire(morceau)
            return depot.finir()

    def contient(self, sha256: str) -> bool:
        """Tell whether a file bears that name; `etat` tells whether it is the right one."""
        return bool(_NOM.fullmatch(sha256)) and _place(self.dossier, sha256).is_file()

    def etat(self, sha256: str) -> Etat:
        """Read the whole file of a document, and tell whether it is what was deposited."""
        if not _NOM.fullmatch(sha256):
            return "absente"
        return _etat(_place(self.dossier, sha256), sha256)

    def octets(self, sha256: str) -> int:
        """Return the size of a file that the store holds."""
        return _place(self.dossier, sha256).stat().st_size

    def lire(self, sha256: str) -> Lue:
        """Open a document whose bytes are those deposited, and no other.

        Raises: PieceNonDeposee, PieceAlteree.
        """
        if not _NOM.fullmatch(sha256):
            raise PieceNonDeposee(sha256=sha256)
        try:
            fichier = _ouvrir(_place(self.dossier, sha256))
        except FileNotFoundError:
            raise PieceNonDeposee(sha256=sha256) from None
        except OSError as panne:
            raise _alteree(sha256) from panne
        try:
            if _empreinte(fichier) != sha256:
                raise _alteree(sha256)
            return Lue(sha256, fichier)
        except OSError as panne:
            fichier.close()
            raise _alteree(sha256) from panne
        except PieceAlteree:
            fichier.close()
            raise

    def rangees(self) -> Iterator[Rangee]:
        """Yield what the store holds, in the order of the digests."""
        for debut in sorted(self.dossier.glob("??")):
            for place in sorted(debut.glob(f"{debut.name}*")):
                if not _NOM.fullmatch(place.name):
                    continue
                vu = place.stat()
                depose_le = datetime.fromtimestamp(vu.st_mtime, UTC)
                yield Rangee(place.name, vu.st_size, depose_le)


def taille(octets: int) -> str:
    """Write a size for a French reader."""
    for unite, valeur in (("Mo", 10**6), ("ko", 10**3)):
        if octets >= valeur:
            return f"{octets / valeur:.1f}".replace(".", ",").removesuffix(",0") + f"\u00a0{unite}"
    return f"{octets}\u00a0octet{'s' if octets > 1 else ''}"


def _place(dossier: Path, sha256: str) -> Path:
    return dossier / sha256[:2] / sha256


def _ouvrir(place: Path) -> BinaryIO:
    # A link put there instead of the file would lead anywhere on the machine.
    return os.fdopen(os.open(place, os.O_RDONLY | os.O_NOFOLLOW), "rb")


def _empreinte(fichier: BinaryIO) -> str:
    digest = hashlib.sha256()
    while lu := fichier.read(MORCEAU):
        digest.update(lu)
    return digest.hexdigest()


def _alteree(sha256: str) -> PieceAlteree:
    """Say it loudly where operators look, besides refusing."""
    log.error("piece_alteree", sha256=sha256)
    return PieceAlteree(sha256=sha256)


def _etat(place: Path, sha256: str) -> Etat:
    try:
        with _ouvrir(place) as fichier:
            return "presente" if _empreinte(fichier) == sha256 else "alteree"
    except FileNotFoundError:
        return "absente"
    except OSError:
        # It is there, and it is not the file that was deposited, or no longer readable.
        return "alteree"


_RAISONS = {
    errno.ENOSPC: "le disque est plein",
    errno.EDQUOT: "le disque est plein",
    errno.EFBIG: "le fichier est plus grand que ce que le disque admet",
    errno.EROFS: "le disque est en lecture seule",
    errno.EACCES: "le dossier des pièces est interdit au service",
    errno.EPERM: "le dossier des pièces est interdit au service",
    errno.EIO: "le disque est en panne",
}


def _raison(panne: OSError) -> str:
    return _RAISONS.get(panne.errno or 0, f"le système répond « {panne.strerror} »")


@contextmanager
def _ecriture_possible() -> Iterator[None]:
    try:
        yield
    except OSError as panne:
        raise DepotImpossible(raison=_raison(panne)) from panne
