"""Documents that are of the format that they say, and traps: refused, and nothing is kept."""

import io
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from fichiers import EXEMPLES, ODF, PDF, archive
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oi_service.pieces import ContenuInattendu, PieceDangereuse, PieceIrrecevable, Pieces

TYPES = {"[Content_Types].xml": "<Types/>"}
XLSX = TYPES | {"xl/workbook.xml": "<a/>"}
ODS = {"mimetype": f"{ODF}.spreadsheet", "content.xml": "<a/>"}

XXE = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
MILLE_RIRES = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY r "rire">'
    + "".join(f'<!ENTITY r{n} "{f"&r{n - 1 or str()};" * 10}">' for n in range(1, 10))
    + "]><a>&r9;</a>"
)


@pytest.fixture
def pieces(tmp_path: Path) -> Pieces:
    return Pieces(tmp_path / "pieces", 50_000_000)


def deploye(nom: str, octets: int) -> bytes:
    """Return a workbook of a few kilobytes that unpacks into many."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as cible:
        for part, texte in XLSX.items():
            cible.writestr(part, texte)
        with cible.open(nom, "w", force_zip64=True) as partie:
            for _ in range(octets // 2**20):
                partie.write(bytes(2**20))
    return made.getvalue()


def compresse(methode: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", methode) as cible:
        for part, texte in XLSX.items():
            cible.writestr(part, texte)
    return made.getvalue()


def chevauchant() -> bytes:
    """Return a workbook whose last two parts are the same bytes."""
    octets = bytearray(archive(XLSX | {"xl/a.xml": "a" * 100, "xl/b.xml": "b" * 100}))
    entrees = [p for p in range(len(octets)) if octets[p : p + 4] == b"PK\x01\x02"]
    (place,) = struct.unpack_from("<L", octets, entrees[2] + 42)
    struct.pack_into("<L", octets, entrees[3] + 42, place)
    return bytes(octets)


def immense() -> bytes:
    """Return a workbook that says to be of three gigabytes, and not so well packed."""
    octets = bytearray(archive(XLSX))
    entree = octets.index(b"PK\x01\x02")
    struct.pack_into("<LL", octets, entree + 20, 128 * 2**20, 3 * 2**30)
    return bytes(octets)


def doublon() -> bytes:
    """Return a workbook with two parts of one name: programs do not agree on which is read."""
    octets = archive(XLSX | {"xl/workbooj.xml": "<b/>"})
    return octets.replace(b"xl/workbooj.xml", b"xl/workbook.xml")


def marque_chiffre() -> bytes:
    octets = bytearray(archive(XLSX))
    entree = octets.index(b"PK\x01\x02")
    octets[entree + 8] |= 1
    return bytes(octets)


@pytest.mark.parametrize(
    ("nom", "contenu", "raison"),
    [
        ("bombe.xlsx", deploye("xl/feuille.xml", 64 * 2**20), "place démesurée"),
        ("immense.xlsx", immense(), "place démesurée"),
        ("doublon.xlsx", doublon(), "mal nommées"),
        ("chevauche.xlsx", chevauchant(), "se chevauchent"),
        ("lzma.xlsx", compresse(zipfile.ZIP_LZMA), "compressé d’une façon inhabituelle"),
        ("bzip2.xlsx", compresse(zipfile.ZIP_BZIP2), "compressé d’une façon inhabituelle"),
        ("sort.xlsx", archive(XLSX | {"xl/../../../etc/cron.d/a": "a"}), "mal nommées"),
        ("absolu.xlsx", archive(XLSX | {"/etc/passwd": "a"}), "mal nommées"),
        ("windows.xlsx", archive(XLSX | {"xl\\..\\a.exe": "a"}), "mal nommées"),
        ("macros.xlsx", archive(XLSX | {"xl/vbaProject.bin": "a"}), "macros"),
        ("activex.docx", archive(TYPES | {"word/activeX/a.xml": "<a/>"}), "macros"),
        ("macros.ods", archive(ODS | {"Basic/Standard/Module1.xml": "<a/>"}), "macros"),
        ("python.odt", archive({"mimetype": f"{ODF}.text", "Scripts/python/a.py": ""}), "macros"),
        ("secret.xlsx", marque_chiffre(), "mot de passe"),
        (
            "secret.ods",
            archive(ODS | {"META-INF/manifest.xml": "<manifest:encryption-data/>"}),
            "mot de passe",
        ),
        ("xxe.xlsx", archive(XLSX | {"xl/sharedStrings.xml": XXE}), "type de document XML"),
        ("xxe.docx", archive(TYPES | {"word/document.xml": MILLE_RIRES}), "type de document XML"),
        ("rels.docx", archive(TYPES | {"word/_rels/a.rels": XXE}), "type de document XML"),
        ("xxe.ods", archive(ODS | {"meta.xml": XXE}), "type de document XML"),
        ("xxe.xml", XXE.encode(), "type de document XML"),
        ("rires.xml", MILLE_RIRES.encode("utf-16"), "type de document XML"),
        ("loin.xml", b"<?xml version='1.0'?>" + b" " * 200_000 + XXE.encode(), "type de document"),
        ("coupe.xml", b"<!--" + b"a" * (2**16 - 9) + b"--><!DOCTYPE a>", "type de document"),
        ("page.pdf", b"<script>alert(1)</script>" + PDF, "autre format"),
        ("programme.pdf", b"MZ" + bytes(100) + PDF, "autre format"),
        ("archive.pdf", archive(XLSX)[:200] + PDF, "autre format"),
        ("image.pdf", b"GIF89a" + bytes(20) + PDF, "autre format"),
    ],
    ids=lambda v: v if isinstance(v, str) and "." in v else "",
)
def test_a_trap_is_refused_with_what_to_do(
    pieces: Pieces, nom: str, contenu: bytes, raison: str
) -> None:
    with pytest.raises(PieceDangereuse) as refus:
        pieces.deposer(nom, [contenu])
    assert raison in str(refus.value)
    assert str(refus.value).startswith(f"« {nom} » ")
    assert ":" in str(refus.value), "it says what to do"
    assert list(pieces.rangees()) == []


@pytest.mark.parametrize("nom", EXEMPLES)
def test_an_honest_document_is_no_trap(pieces: Pieces, nom: str) -> None:
    assert pieces.deposer(nom, [EXEMPLES[nom]]).octets == len(EXEMPLES[nom])


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.sampled_from(sorted(EXEMPLES)),
    st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=8),
    st.integers(0, 2**16),
)
def test_bytes_at_random_are_kept_or_refused_in_french(
    pieces: Pieces, nom: str, changes: list[tuple[int, int]], fin: int
) -> None:
    octets = bytearray(EXEMPLES[nom])
    for place, octet in changes:
        octets[place % len(octets)] = octet
    with suppress(PieceIrrecevable):
        pieces.deposer(nom, [bytes(octets[: len(octets) - fin % len(octets)])])


def test_a_list_of_parts_that_points_before_the_file_is_no_document(pieces: Pieces) -> None:
    octets = bytearray(EXEMPLES["bilan.ods"])
    # The place of the list, in the end record: further than the file.
    fin = octets.rindex(b"PK\x05\x06")
    struct.pack_into("<L", octets, fin + 16, 2**31)
    with pytest.raises(ContenuInattendu):
        pieces.deposer("bilan.ods", [bytes(octets)])


@pytest.mark.parametrize(
    ("nom", "contenu"),
    [
        ("imprimante.pdf", b"\x1b%-12345X@PJL\r\n" + PDF),
        ("grand.xlsx", deploye("xl/feuille.xml", 40 * 2**20)),
        ("facture.xml", b"<facture><![CDATA[ 1 < 2 ! ]]></facture>"),
    ],
)
def test_what_is_only_unusual_is_kept(pieces: Pieces, nom: str, contenu: bytes) -> None:
    pieces.deposer(nom, [contenu])


@pytest.mark.parametrize(
    ("nom", "montre"),
    [
        ("facture\u202efdp.exe", "facture\ufffdfdp.exe"),
        ("a" * 5_000 + ".exe", "…" + "a" * 116 + ".exe"),
        ("../../etc/passwd", "../../etc/passwd"),
        ("e\u0301tat.exe", "\u00e9tat.exe"),
        ("a.pdf\x00.exe", "a.pdf\ufffd.exe"),
    ],
)
def test_a_name_is_repeated_as_it_is_read(pieces: Pieces, nom: str, montre: str) -> None:
    with pytest.raises(Exception, match="n’est pas d’un format admis") as refus:
        pieces.deposer(nom, [PDF])
    assert str(refus.value).startswith(f"« {montre} »")


@pytest.mark.parametrize(
    "nom", ["../../../tmp/evasion.pdf", "/etc/passwd.pdf", "a\x00b.pdf", "\u202efdp.exe.pdf"]
)
def test_a_name_is_never_a_path(pieces: Pieces, nom: str, tmp_path: Path) -> None:
    deposee = pieces.deposer(nom, [PDF])
    fichiers = [p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file()]
    assert fichiers == [Path("pieces", deposee.sha256[:2], deposee.sha256)]
