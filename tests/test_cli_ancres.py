"""Anchors and keys at the command line: what the operator reads, and the code that is left."""

from pathlib import Path

import pytest
from terminal import Oi, ligne_de_commande


@pytest.fixture
def lieux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for nom in ("cles", "ancres", "pieces"):
        monkeypatch.setenv(f"OI_{nom.upper()}_DIR", str(tmp_path / nom))
    for nom in ("OI_ANCRE_COURRIELS", "OI_HORODATAGE_URL"):
        monkeypatch.delenv(nom, raising=False)
    return tmp_path


@pytest.fixture
def oi(
    lieux: Path, base: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Oi:
    return ligne_de_commande(base, capsys, monkeypatch, 120)


def test_an_anchor_is_made_and_listed(oi: Oi, lieux: Path) -> None:
    assert oi("ancres") == (0, "Le journal n’a pas encore d’ancre : « oi ancrer » en fait une.\n")
    code, dit = oi("ancrer")
    assert code == 0
    [fichier] = (lieux / "ancres").iterdir()
    assert "1 événements, racine " in dit
    assert f"✓ fichier {fichier.name}" in dit
    code, dit = oi("ancres")
    assert code == 0
    assert fichier.name in dit
    assert "présente" in dit
    origine = fichier.read_text().split("\n")[0]
    assert f"Clé de vérification : {origine}+" in dit
    fichier.unlink()
    assert "ABSENTE du dossier" in oi("ancres")[1]


def test_what_did_not_leave_is_said_and_the_code_tells(
    oi: Oi, lieux: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OI_ANCRE_COURRIELS", "un@controle.example")
    code, dit = oi("ancrer")
    assert code == 1
    assert "✗ courriel à …@controle.example : OI_SMTP_URL" in dit
    assert "✗ courriel à …@controle.example" in oi("ancres")[1]


def test_a_refusal_to_sign_is_a_sentence(oi: Oi, lieux: Path) -> None:
    oi("ancrer")
    [fichier] = (lieux / "ancres").iterdir()
    fichier.write_text("autre chose")
    code, dit = oi("ancrer")
    assert code == 2
    assert f"L’ancre {fichier.name} n’est pas lisible" in dit
    assert "Traceback" not in dit


def test_a_key_is_changed_then_lost_then_found_missing(oi: Oi, lieux: Path) -> None:
    assert oi("changer-cle")[0] == 2
    oi("ancrer")
    cle = lieux / "cles" / "signature.pem"
    avant = cle.read_bytes()
    code, dit = oi("changer-cle")
    assert (code, "Nouvelle clé de signature" in dit) == (0, True)
    assert cle.read_bytes() != avant
    assert oi("changer-cle", "--perdue", "--motif", "Perdue")[0] == 2
    cle.unlink()
    code, dit = oi("ancrer")
    assert code == 2
    assert "oi changer-cle --perdue" in dit
    assert oi("changer-cle", "--perdue")[0] == 2
    assert oi("changer-cle", "--perdue", "--motif", "Disque détruit")[0] == 0
    assert oi("ancrer")[0] == 0
