"""``oi pieces``: what the store holds, what is altered, what nobody names."""

import hashlib
import os
from datetime import date, timedelta
from pathlib import Path

import pytest
from terminal import Oi, ligne_de_commande

from aggregates.registre.events import LivresVerifies
from aggregates.registre.state import REGISTRE, REGISTRE_ID
from oi_service.application import Acte, Service
from oi_service.clock import jour, now
from oi_service.codec import Piece
from oi_service.pieces import Pieces

CONTENUS = {nom: f"pièce {nom}\n".encode() for nom in ("intacte", "touchee", "partie", "oubliee")}
SHA = {nom: hashlib.sha256(contenu).hexdigest() for nom, contenu in CONTENUS.items()}


def place(pieces: Pieces, nom: str) -> Path:
    return pieces.dossier / SHA[nom][:2] / SHA[nom]


def vieillir(pieces: Pieces, nom: str, jours: int) -> None:
    depuis = (now() - timedelta(days=jours)).timestamp()
    os.utime(place(pieces, nom), (depuis, depuis))


@pytest.fixture
def pieces(service: Service) -> Pieces:
    """Three documents that an event names, one of them without its file, and one that none does."""
    for nom in ("intacte", "touchee", "oubliee"):
        service.pieces.deposer(f"{nom}.txt", [CONTENUS[nom]])
    note = LivresVerifies(
        date_effet=date(2022, 2, 1),
        pieces=tuple(
            Piece(sha256=SHA[nom], libelle=f"Pièce {nom}", type="autre")
            for nom in ("partie", "touchee", "intacte")
        ),
        jusqua_position=0,
        points=(),
        duree_ms=1,
        version_code="0",
    )
    service.journal.execute(
        Acte("systeme", "systeme"), lambda unit: unit.record(REGISTRE, REGISTRE_ID, [note])
    )
    return service.pieces


@pytest.fixture
def oi(
    base: str,
    pieces: Pieces,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Oi:
    """Lend the command line on the database and on the folder of the documents."""
    monkeypatch.setenv("OI_PIECES_DIR", str(pieces.dossier))
    return ligne_de_commande(base, capsys, monkeypatch, 100)


def test_the_store_and_the_log_are_counted(oi: Oi, pieces: Pieces) -> None:
    assert oi("pieces") == (
        0,
        (
            f"{pieces.dossier} : 3 pièces, 45 octets.\n"
            "3 pièces dans le journal, dont 1 sans fichier ici.\n"
        ),
    )


def test_intact_documents_are_counted_and_nothing_fails(oi: Oi) -> None:
    assert oi("pieces", "--verifier") == (
        0,
        "3 pièces dans le journal : 2 intactes, 0 altérée, 0 disparue, 1 sans fichier ici.\n",
    )


def test_an_altered_document_is_named_and_fails(oi: Oi, pieces: Pieces) -> None:
    place(pieces, "touchee").chmod(0o640)
    place(pieces, "touchee").write_bytes(CONTENUS["intacte"])
    assert oi("pieces", "--verifier") == (
        1,
        (
            f"✗ événement n° 1, « Pièce touchee » : le fichier {SHA['touchee']} n’est plus celui "
            "qui a été déposé.\n"
            "3 pièces dans le journal : 1 intacte, 1 altérée, 0 disparue, 1 sans fichier ici.\n"
        ),
    )


def test_a_document_that_was_here_and_is_no_more_fails(oi: Oi, pieces: Pieces) -> None:
    # The one that was never here is no fault: the log does not say that it was.
    place(pieces, "intacte").unlink()
    assert oi("pieces", "--verifier") == (
        1,
        (
            f"✗ événement n° 1, « Pièce intacte » : le fichier {SHA['intacte']} n’est plus là, "
            "alors qu’il y était.\n"
            "3 pièces dans le journal : 1 intacte, 0 altérée, 1 disparue, 1 sans fichier ici.\n"
        ),
    )


def test_what_nobody_names_is_listed_once_old_and_never_erased(oi: Oi, pieces: Pieces) -> None:
    rien = (
        "0 pièce, 0 octet, qu’aucun événement ne nomme depuis plus de {} jours. "
        "Rien n’est effacé.\n"
    )
    assert oi("pieces", "--orphelines") == (0, rien.format(30))
    vieillir(pieces, "oubliee", 31)
    vieillir(pieces, "intacte", 31)
    depuis = f"{jour(now() - timedelta(days=31)):%d/%m/%Y}"
    code, dit = oi("pieces", "--orphelines")
    assert code == 0
    assert dit == (
        f"{SHA['oubliee']}   15 octets  déposée le {depuis}\n"
        "1 pièce, 15 octets, qu’aucun événement ne nomme depuis plus de 30 jours. "
        "Rien n’est effacé.\n"
    )
    assert oi("pieces", "--orphelines", "--jours", "40") == (0, rien.format(40))
    assert place(pieces, "oubliee").read_bytes() == CONTENUS["oubliee"]
