"""The files of documents: kept once, whole or not at all, and never shown once altered."""

import hashlib
import os
import resource
import stat
import threading
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fichiers import EXEMPLES, PDF, archive
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from oi_service.clock import now
from oi_service.pieces import (
    FORMATS,
    MORCEAU,
    ContenuInattendu,
    DepotImpossible,
    FormatNonAdmis,
    PieceAlteree,
    PieceNonDeposee,
    Pieces,
    PieceTropLourde,
    PieceVide,
    TypeContredit,
    format_annonce,
    taille,
)

MO = 10**6


@pytest.fixture
def pieces(tmp_path: Path) -> Pieces:
    return Pieces(tmp_path / "pieces", 2 * MO)


def fichiers(pieces: Pieces) -> list[Path]:
    return sorted(p for p in pieces.dossier.rglob("*") if p.is_file())


def sha(contenu: bytes) -> str:
    return hashlib.sha256(contenu).hexdigest()


@pytest.mark.parametrize("nom", EXEMPLES)
def test_a_document_of_each_format_comes_back_byte_for_byte(pieces: Pieces, nom: str) -> None:
    contenu = EXEMPLES[nom]
    depose = pieces.deposer(nom, [contenu[:3], contenu[3:]])
    assert (depose.sha256, depose.octets) == (sha(contenu), len(contenu))
    assert not depose.deja_connue
    lue = pieces.lire(depose.sha256)
    assert b"".join(lue.morceaux()) == contenu
    # A text does not say which one it is.
    attendu = {"csv": "txt"}.get(depose.type, depose.type)
    assert format_annonce(f"x.{lue.extension}", lue.media).code == attendu


def test_a_file_bears_its_digest_and_nobody_may_write_to_it(pieces: Pieces) -> None:
    depose = pieces.deposer("a.pdf", [PDF])
    [place] = fichiers(pieces)
    assert place == pieces.dossier / depose.sha256[:2] / depose.sha256
    assert stat.S_IMODE(place.stat().st_mode) == 0o440
    assert stat.S_IMODE(place.parent.stat().st_mode) & 0o027 == 0


def test_the_same_bytes_are_kept_once_whatever_they_are_called(pieces: Pieces) -> None:
    pieces.deposer("a.txt", [b"m\xc3\xaame"])
    [place] = fichiers(pieces)
    avant = place.stat()
    encore = pieces.deposer("b.csv", [b"m\xc3\xaame"])
    assert encore.deja_connue
    assert [(p, p.stat().st_ino, p.stat().st_mtime_ns) for p in fichiers(pieces)] == [
        (place, avant.st_ino, avant.st_mtime_ns)
    ]


def test_two_people_deposit_the_same_document_at_once(pieces: Pieces) -> None:
    ensemble = threading.Barrier(8)

    def deposer() -> None:
        with pieces.depot("a.pdf") as depot:
            depot.ecrire(PDF)
            ensemble.wait()
            depot.finir()

    qui = [threading.Thread(target=deposer) for _ in range(8)]
    for un in qui:
        un.start()
    for un in qui:
        un.join()
    assert [p.read_bytes() for p in fichiers(pieces)] == [PDF]


def test_a_large_document_costs_little_memory(tmp_path: Path) -> None:
    pieces = Pieces(tmp_path, 50 * MO)
    morceau = bytes(MORCEAU)

    def cinquante_mo() -> Iterator[bytes]:
        yield PDF
        for _ in range(49 * MO // MORCEAU):
            yield morceau

    tracemalloc.start()
    try:
        depose = pieces.deposer("gros.pdf", cinquante_mo())
        lus = sum(len(m) for m in pieces.lire(depose.sha256).morceaux())
        assert pieces.etat(depose.sha256) == "presente"
        _, sommet = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert lus == depose.octets > 48 * MO
    assert sommet < 2 * MO


# What is refused.


@pytest.mark.parametrize("nom", ["archive.zip", "macro.xlsm", "page.html", "sans_extension", ""])
def test_other_formats_are_refused(pieces: Pieces, nom: str) -> None:
    with pytest.raises(FormatNonAdmis, match=r"PDF, PNG, .*TXT ou CSV"):
        pieces.deposer(nom, [PDF])
    assert fichiers(pieces) == []


@pytest.mark.parametrize(
    ("nom", "contenu"),
    [
        ("facture.pdf", EXEMPLES["capture.png"]),
        ("facture.pdf", b"MZ\x90\0 un programme"),
        ("bilan.xlsx", EXEMPLES["lettre.docx"]),
        ("bilan.xlsx", archive({"xl/document.xml": "<a/>"})),
        ("bilan.ods", EXEMPLES["lettre.odt"]),
        ("bilan.ods", archive({"mimetype": "autre"})),
        ("lettre.odt", EXEMPLES["bilan.xlsx"]),
        ("lettre.docx", b"PK\x03\x04 une archive qui n'en est pas une"),
        ("note.txt", PDF + b"\0"),
        ("note.txt", b"\x81 ni UTF-8, ni Windows-1252"),
        ("releve.csv", EXEMPLES["bilan.xlsx"]),
        ("facture.xml", b"compte;montant"),
        ("courriel.eml", b"Bonjour,\n\nDate : demain"),
        ("courriel.eml", b"X-Rien: a\n\n"),
    ],
)
def test_a_name_that_does_not_say_what_the_bytes_are_is_refused(
    pieces: Pieces, nom: str, contenu: bytes
) -> None:
    with pytest.raises(ContenuInattendu, match=nom):
        pieces.deposer(nom, [contenu])
    assert fichiers(pieces) == []


@pytest.mark.parametrize("media", ["text/html", "image/png", "application/json"])
def test_a_sender_who_calls_it_something_else_is_refused(pieces: Pieces, media: str) -> None:
    with pytest.raises(TypeContredit, match=media), pieces.depot("a.pdf", media):
        pass
    assert fichiers(pieces) == []


@pytest.mark.parametrize("media", [None, "application/octet-stream", "application/pdf; q=1"])
def test_a_sender_may_say_nothing(pieces: Pieces, media: str | None) -> None:
    with pieces.depot("a.pdf", media) as depot:
        depot.ecrire(PDF)
        assert depot.finir().type == "pdf"


def test_an_empty_document_is_refused(pieces: Pieces) -> None:
    with pytest.raises(PieceVide):
        pieces.deposer("rien.txt", [b""])
    assert fichiers(pieces) == []


def test_a_document_above_the_maximum_is_refused_before_it_is_whole(pieces: Pieces) -> None:
    lus = []

    def trop() -> Iterator[bytes]:
        for rang in range(100):
            lus.append(rang)
            yield b"a" * (MO // 2)

    with pytest.raises(PieceTropLourde, match="2\u00a0Mo"):
        pieces.deposer("gros.txt", trop())
    assert len(lus) == 5
    assert fichiers(pieces) == []
    assert pieces.deposer("juste.txt", [b"a" * 2 * MO]).octets == 2 * MO


def test_a_depositor_who_goes_away_leaves_nothing(pieces: Pieces) -> None:
    def coupe() -> Iterator[bytes]:
        yield PDF
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        pieces.deposer("a.pdf", coupe())
    assert fichiers(pieces) == []


def test_a_list_of_parts_without_end_is_not_read(pieces: Pieces) -> None:
    parties = {f"{rang}": "" for rang in range(25_000)}
    bombe = archive({"[Content_Types].xml": "", "xl/a": "", **parties})
    with pytest.raises(ContenuInattendu):
        Pieces(pieces.dossier, 50 * MO).deposer("bombe.xlsx", [bombe])


@settings(deadline=None)
@given(
    exemple=st.sampled_from(sorted(EXEMPLES.values())),
    coups=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6),
    coupe=st.integers(0, 400),
    nom=st.sampled_from(sorted(f.extensions[0] for f in FORMATS)),
)
def test_whatever_the_bytes_it_is_taken_or_refused_in_french(
    tmp_path_factory: pytest.TempPathFactory,
    exemple: bytes,
    coups: list[tuple[int, int]],
    coupe: int,
    nom: str,
) -> None:
    contenu = bytearray(exemple)
    for place, valeur in coups:
        contenu[place % len(contenu)] = valeur
    pieces = Pieces(tmp_path_factory.getbasetemp() / "au_hasard", MO)
    try:
        depose = pieces.deposer(f"a.{nom}", [bytes(contenu[:coupe])])
    except (ContenuInattendu, PieceVide):
        return
    assert b"".join(pieces.lire(depose.sha256).morceaux()) == contenu[:coupe]


# A disk that refuses.


def test_a_full_disk_is_said_in_french_and_leaves_nothing(pieces: Pieces) -> None:
    # The quota of a process: past it, the system refuses to write as a full disk does.
    avant = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MO // 2, avant[1]))
    try:
        with pytest.raises(DepotImpossible, match="plus grand que ce que le disque admet"):
            pieces.deposer("gros.txt", [b"a" * MO])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, avant)
    assert fichiers(pieces) == []
    assert pieces.deposer("gros.txt", [b"a" * MO]).octets == MO


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
def test_a_disk_without_a_byte_left_is_said_so(pieces: Pieces) -> None:
    with pieces.depot("a.txt") as depot:
        depot._fichier.close()
        depot._fichier = Path("/dev/full").open("wb")  # type: ignore[assignment] # noqa: SIM115
        depot.ecrire(b"du texte")
        with pytest.raises(DepotImpossible, match="le disque est plein"):
            depot.finir()
    assert fichiers(pieces) == []


def test_a_folder_that_cannot_be_made_is_said_in_french(tmp_path: Path) -> None:
    (tmp_path / "fichier").write_text("là où devrait être le dossier")
    with pytest.raises(DepotImpossible, match="le système répond"):
        Pieces(tmp_path / "fichier" / "pieces", MO).deposer("a.pdf", [PDF])


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_forbidden_folder_is_said_in_french(pieces: Pieces) -> None:
    pieces.dossier.mkdir(mode=0o550)
    with pytest.raises(DepotImpossible, match="interdit au service"):
        pieces.deposer("a.pdf", [PDF])


def test_a_place_that_cannot_be_made_leaves_nothing_half_written(pieces: Pieces) -> None:
    pieces.dossier.mkdir()
    (pieces.dossier / sha(PDF)[:2]).write_text("un fichier, là où irait le dossier")
    with pytest.raises(DepotImpossible):
        pieces.deposer("a.pdf", [PDF])
    assert [p.name for p in fichiers(pieces)] == [sha(PDF)[:2]]


# What was altered.


def alterer(pieces: Pieces, sha256: str, contenu: bytes) -> Path:
    place = pieces.dossier / sha256[:2] / sha256
    place.chmod(0o640)
    place.write_bytes(contenu)
    return place


@pytest.mark.parametrize("contenu", [PDF[:-1], PDF + b"\n", PDF.replace(b"1.4", b"1.5"), b""])
def test_an_altered_document_is_never_shown_and_it_is_noted(pieces: Pieces, contenu: bytes) -> None:
    sha256 = pieces.deposer("a.pdf", [PDF]).sha256
    alterer(pieces, sha256, contenu)
    assert pieces.contient(sha256)
    assert pieces.etat(sha256) == "alteree"
    with capture_logs() as dit, pytest.raises(PieceAlteree, match=sha256):
        pieces.lire(sha256)
    assert [(d["event"], d["log_level"], d["sha256"]) for d in dit] == [
        ("piece_alteree", "error", sha256)
    ]


def test_an_altered_document_is_not_replaced_by_who_deposits_it_again(pieces: Pieces) -> None:
    sha256 = pieces.deposer("a.pdf", [PDF]).sha256
    place = alterer(pieces, sha256, b"autre chose")
    with pytest.raises(PieceAlteree):
        pieces.deposer("a.pdf", [PDF])
    assert [(p, p.read_bytes()) for p in fichiers(pieces)] == [(place, b"autre chose")]


def test_a_document_altered_while_it_is_sent_is_cut_short(pieces: Pieces) -> None:
    contenu = b"a" * 3 * MORCEAU
    sha256 = pieces.deposer("a.txt", [contenu]).sha256
    lue = pieces.lire(sha256)
    alterer(pieces, sha256, b"b" * 3 * MORCEAU)
    envoyes: list[bytes] = []
    with pytest.raises(PieceAlteree):
        envoyes.extend(lue.morceaux())
    assert sum(len(m) for m in envoyes) < len(contenu)


def test_a_link_in_the_place_of_a_document_leads_nowhere(pieces: Pieces, tmp_path: Path) -> None:
    ailleurs = tmp_path / "ailleurs"
    ailleurs.write_bytes(PDF)
    place = pieces.dossier / sha(PDF)[:2] / sha(PDF)
    place.parent.mkdir(parents=True)
    place.symlink_to(ailleurs)
    assert pieces.etat(sha(PDF)) == "alteree"
    with pytest.raises(PieceAlteree):
        pieces.lire(sha(PDF))


@pytest.mark.parametrize("nom", [sha(PDF), "../../../etc/passwd", "", "A" * 64, "0" * 63])
def test_what_was_never_deposited_is_not_there(pieces: Pieces, nom: str) -> None:
    assert not pieces.contient(nom)
    assert pieces.etat(nom) == "absente"
    with pytest.raises(PieceNonDeposee):
        pieces.lire(nom)


def test_the_store_lists_what_it_holds_and_nothing_else(pieces: Pieces) -> None:
    assert list(pieces.rangees()) == []
    deposees = [pieces.deposer("a.txt", [f"{n}".encode()]) for n in range(20)]
    (pieces.dossier / ".depot-coupe").write_bytes(b"reste")
    (pieces.dossier / deposees[0].sha256[:2] / "intrus").write_bytes(b"")
    listees = list(pieces.rangees())
    assert [r.sha256 for r in listees] == sorted(d.sha256 for d in deposees)
    assert all(abs(now() - r.deposee_le) < timedelta(minutes=5) for r in listees)


@pytest.mark.parametrize(
    ("octets", "dit"),
    [
        (50 * MO, "50\u00a0Mo"),
        (2 * MO + MO // 2, "2,5\u00a0Mo"),
        (999, "999\u00a0octets"),
        (1_250, "1,2\u00a0ko"),
        (0, "0\u00a0octet"),
    ],
)
def test_a_size_is_read_in_french(octets: int, dit: str) -> None:
    assert taille(octets) == dit
