"""``oi calculer``: a file in, what the Fund owes out, with no database anywhere."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from oi_service import cli

DOSSIER = Path(__file__).parent / "rules" / "cas"
SUCCESSIFS = DOSSIER / "bilans_successifs.json"


@pytest.fixture
def cas() -> Any:
    return json.loads(SUCCESSIFS.read_text("utf-8"))


def oi(capsys: pytest.CaptureFixture[str], monkeypatch: Any, *arguments: str) -> tuple[int, str]:
    """Run a command in this process; its exit code and what it printed."""
    monkeypatch.setattr(sys, "argv", ["oi", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    code = left.value.code
    return (code if isinstance(code, int) else 0), capsys.readouterr().out


def ecrire(dossier: Path, contenu: Any) -> str:
    fichier = dossier / "cas.json"
    fichier.write_text(
        contenu if isinstance(contenu, str) else json.dumps(contenu), encoding="utf-8"
    )
    return str(fichier)


def test_no_server_starts_and_nothing_is_written(tmp_path: Path, cas: Any) -> None:
    donnees = tmp_path / "donnees"
    fichier = ecrire(tmp_path, cas["cases"][0])
    done = subprocess.run(
        [sys.executable, "-m", "oi_service", "calculer", fichier],
        capture_output=True,
        check=False,
        encoding="utf-8",
        # A database that does not answer is not asked.
        env={
            **os.environ,
            "OI_DATA_DIR": str(donnees),
            "OI_DATABASE_URL": "postgresql://127.0.0.1:1/rien",
            "PYTHONIOENCODING": "utf-8",
        },
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == cas["cases"][0]["attendu"]
    assert not donnees.exists()


def test_a_list_and_a_file_are_answered_by_a_list(
    tmp_path: Path, cas: Any, capsys: Any, monkeypatch: Any
) -> None:
    attendus = [c["attendu"] for c in cas["cases"]]
    for contenu in (cas, cas["cases"]):
        code, dit = oi(capsys, monkeypatch, "calculer", ecrire(tmp_path, contenu))
        assert code == 0
        assert json.loads(dit) == attendus


@pytest.mark.parametrize("fichier", sorted(DOSSIER.glob("*.json")), ids=lambda f: f.stem)
def test_a_corpus_that_holds_prints_a_line_a_case(
    fichier: Path, capsys: Any, monkeypatch: Any
) -> None:
    code, dit = oi(capsys, monkeypatch, "calculer", "--corpus", str(fichier))
    assert code == 0, dit
    lu = json.loads(fichier.read_text("utf-8"))
    nombre = len(lu.get("cases", ())) + len(lu.get("cases_multi_operations", ()))
    assert dit.count("✓") == nombre
    assert dit.splitlines()[-1] == f"{nombre} cas : tous donnent le résultat attendu, au centime."


def test_a_line_says_what_is_expected_beside_what_is_computed(
    capsys: Any, monkeypatch: Any
) -> None:
    _, dit = oi(capsys, monkeypatch, "calculer", "--corpus", str(SUCCESSIFS))
    assert dit.splitlines()[0] == (
        "✓ CSF-13   attendu     115350.03  calculé     115350.03  "
        "Deux bilans, avance de 30 %, 80 % au plus avant le solde"
    )


def test_one_cent_one_field_too_many_and_one_missing_are_seen(
    tmp_path: Path, cas: Any, capsys: Any, monkeypatch: Any
) -> None:
    premier, dernier = cas["cases"][0]["attendu"]
    premier["a_payer"] = "60000.01"
    del premier["retenu_jusqu_au_solde"]
    dernier["avance_non_couverte"] = "0.00"
    dernier["numero"] = "2"
    code, dit = oi(capsys, monkeypatch, "calculer", "--corpus", ecrire(tmp_path, cas))
    assert code == 1
    premiere, *suite = [x for x in dit.splitlines() if not x.startswith("✓")]
    assert premiere.startswith("✗ CSF-13   attendu     115350.03  calculé     115350.03  Deux")
    assert suite == [
        '      #/0/a_payer : attendu "60000.01", calculé "60000.00"',
        '      #/0/retenu_jusqu_au_solde : attendu absent, calculé "2500.00"',
        '      #/1/numero : attendu "2", calculé 2',
        '      #/1/avance_non_couverte : attendu "0.00", calculé absent',
        "1 cas sur 5 ne donnent pas le résultat attendu.",
    ]


def test_a_bilan_too_few_is_seen(tmp_path: Path, cas: Any, capsys: Any, monkeypatch: Any) -> None:
    un = cas["cases"][1]
    del un["attendu"][2]
    code, dit = oi(capsys, monkeypatch, "calculer", "--corpus", ecrire(tmp_path, un))
    assert code == 1
    assert "✗ CSF-14   attendu        absent  calculé      82600.00" in dit
    assert "#/2/a_reverser : attendu absent" in dit


def test_a_corpus_says_what_it_expects(
    tmp_path: Path, cas: Any, capsys: Any, monkeypatch: Any
) -> None:
    del cas["cases"][1]["attendu"], cas["cases"][3]["attendu"], cas["cases"][3]["id"]
    code, dit = oi(capsys, monkeypatch, "calculer", "--corpus", ecrire(tmp_path, cas))
    assert code == 2
    assert dit.strip() == ("Rien n’est à comparer : le champ « attendu » manque à CSF-14, n° 4.")


def test_a_bad_case_is_refused_with_the_path_of_each_defect(
    tmp_path: Path, cas: Any, capsys: Any, monkeypatch: Any
) -> None:
    ligne = cas["cases"][2]["bilans"][0]["depenses"][1]
    ligne["montant_declare"] = 15000.0
    ligne["montant"] = "1.00"
    for options in ([], ["--corpus"]):
        code, dit = oi(capsys, monkeypatch, "calculer", *options, ecrire(tmp_path, cas))
        assert code == 2
        premier, *suite = dit.splitlines()
        assert premier.startswith("Le calcul est refusé, ")
        nombre = 'un montant est une chaîne de caractères comme "1234.56", jamais un nombre JSON'
        ici = "  #/cases/2/bilans/0/depenses/1"
        assert suite == [
            f"{ici}/montant_declare : {nombre}",
            f"{ici}/montant : ce champ n’est pas connu : vérifiez son nom.",
        ]


@pytest.mark.parametrize(
    ("contenu", "raison"),
    [
        ('{"convention": }', "ce n’est pas du JSON valide, ligne 1, colonne 16"),
        ("[" * 100_000, "ce n’est pas du texte UTF-8 en JSON"),
        ("1" * 5_000, "ce n’est pas du texte UTF-8 en JSON"),
    ],
    ids=["coupé", "trop profond", "trop grand"],
)
def test_what_is_no_json_is_refused(
    tmp_path: Path, contenu: str, raison: str, capsys: Any, monkeypatch: Any
) -> None:
    code, dit = oi(capsys, monkeypatch, "calculer", ecrire(tmp_path, contenu))
    assert code == 2
    assert raison in dit


def test_a_file_that_is_not_text_or_not_there_is_refused(
    tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    fichier = tmp_path / "latin.json"
    fichier.write_bytes('{"titre": "réalisé"}'.encode("latin-1"))
    code, dit = oi(capsys, monkeypatch, "calculer", str(fichier))
    assert (code, "UTF-8" in dit) == (2, True)
    code, dit = oi(capsys, monkeypatch, "calculer", str(tmp_path / "absent.json"))
    assert (code, "il n’existe pas" in dit) == (2, True)


def test_the_examples_of_the_guide_are_right(tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    guide = (DOSSIER.parents[2] / "docs" / "calculateur.md").read_text("utf-8")
    blocs = [json.loads(bloc) for bloc in re.findall(r"```json\n(.*?)```", guide, re.DOTALL)]
    assert len(blocs) == 4
    for question, reponse in zip(blocs[::2], blocs[1::2], strict=True):
        code, dit = oi(capsys, monkeypatch, "calculer", ecrire(tmp_path, question))
        assert code == 0
        assert json.loads(dit) == reponse
