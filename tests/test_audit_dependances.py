"""The audit of what we depend on: it counts what it looked at, and its exceptions end."""

import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from oi_service.clock import today

OUTIL = Path(__file__).resolve().parents[1] / "tools" / "auditer_dependances.py"


def charger() -> Any:
    """The tool is a command of the checkout: it is in no package."""
    trouvee = importlib.util.spec_from_file_location("auditer_dependances", OUTIL)
    assert trouvee is not None
    assert trouvee.loader is not None
    module = importlib.util.module_from_spec(trouvee)
    sys.modules[trouvee.name] = module
    trouvee.loader.exec_module(module)
    return module


outil = charger()


@contextmanager
def base_osv(connues: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Serve what is known of packages, as osv.dev answers."""

    class Reponse(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            demande = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            trouvees = connues.get(demande["package"]["name"], [])
            corps = json.dumps({"vulns": trouvees} if trouvees else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(corps)))
            self.end_headers()
            self.wfile.write(corps)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    serveur = ThreadingHTTPServer(("127.0.0.1", 0), Reponse)
    fil = threading.Thread(target=serveur.serve_forever)
    fil.start()
    try:
        yield f"http://127.0.0.1:{serveur.server_port}/v1/query"
    finally:
        serveur.shutdown()
        serveur.server_close()
        fil.join()


FAILLE = {
    "id": "GHSA-0000-0000-0001",
    "summary": "Une faille inventée",
    "affected": [
        {
            "package": {"name": "exemple", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2"}]}],
        }
    ],
}


@pytest.fixture
def liste(tmp_path: Path) -> Path:
    chemin = tmp_path / "liste.txt"
    chemin.write_text("autre==2.0\nexemple==1.1\n")
    return chemin


def lancer(liste: Path, adresse: str) -> tuple[int, str]:
    faite = subprocess.run(
        [sys.executable, OUTIL, liste],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "OI_AUDIT_OSV": adresse},
    )
    assert faite.stderr == ""
    return faite.returncode, faite.stdout


def test_a_known_vulnerability_stops_the_line(liste: Path) -> None:
    with base_osv({"exemple": [FAILLE]}) as adresse:
        fin, dit = lancer(liste, adresse)
    assert fin == 1
    assert "exemple 1.1 : GHSA-0000-0000-0001, corrigé dans 1.2. Une faille inventée" in dit
    assert "2 dépendances auditées, 0 exceptions : à traiter." in dit


def test_nothing_known_is_nothing_to_do(liste: Path) -> None:
    with base_osv({}) as adresse:
        assert lancer(liste, adresse) == (
            0,
            "2 dépendances auditées, 0 exceptions : rien à signaler.\n",
        )


def test_a_base_that_does_not_answer_is_never_a_success(liste: Path) -> None:
    fin, dit = lancer(liste, "http://127.0.0.1:9/v1/query")
    assert fin == 3
    assert dit.endswith("0 dépendances auditées, 0 exceptions : NON AUDITÉ.\n")


def test_what_the_base_does_not_know_is_named() -> None:
    # What `pip-audit` answers, with an end of 0, where only the files of PyPI can be reached.
    muet = {"name": "exemple", "skip_reason": "Dependency not found on PyPI"}
    vu = {"name": "autre", "version": "2.0", "vulns": []}
    constat = outil.lire({"dependencies": [muet, vu]})
    assert (constat.fin, constat.non_audites, constat.audites) == (3, ("exemple",), 1)
    assert outil.lire({"dependencies": []}).fin == 3


def test_an_exception_excuses_its_vulnerability_and_no_other(
    liste: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    autre = {**FAILLE, "id": "GHSA-0000-0000-0002"}
    with base_osv({"exemple": [FAILLE, autre]}) as adresse:
        monkeypatch.setenv("OI_AUDIT_OSV", adresse)
        assert outil.auditer([liste], [FAILLE["id"], autre["id"]]).fin == 0
        [reste] = outil.auditer([liste], [FAILLE["id"]]).fautes
    assert autre["id"] in reste


EXCEPTION = {
    "id": "GHSA-0000-0000-0001",
    "paquet": "exemple",
    "decidee_le": date(2026, 1, 1),
    "jusqu_au": date(2026, 3, 1),
    "raison": "Pas appelé.",
}


@pytest.mark.parametrize(
    ("change", "jour", "dit"),
    [
        ({}, date(2026, 3, 1), []),
        (
            {},
            date(2026, 3, 2),
            ["exception GHSA-0000-0000-0001 (exemple) : échue le 2026-03-01"],
        ),
        (
            {"jusqu_au": date(2026, 4, 2)},
            date(2026, 3, 1),
            ["exception GHSA-0000-0000-0001 (exemple) : plus de 90 jours"],
        ),
    ],
)
def test_an_exception_ends(change: dict[str, Any], jour: date, dit: list[str]) -> None:
    assert list(outil.defauts([EXCEPTION | change], jour)) == dit


def test_an_exception_says_why() -> None:
    sans = {nom: valeur for nom, valeur in EXCEPTION.items() if nom != "raison"}
    assert list(outil.defauts([sans], date(2026, 2, 1))) == [
        "exception GHSA-0000-0000-0001 : il manque raison"
    ]


def test_no_exception_of_ours_is_past_its_end() -> None:
    assert list(outil.defauts(outil.lire_exceptions(outil.EXCEPTIONS), today())) == []
