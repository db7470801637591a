"""The service as people run it: processes, a port, a kill, a restart."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx2
import pytest

from bench.entree import SANS_LIMITE, en_tetes
from oi_service.app import database, open_service
from oi_service.ids import new_id
from oi_service.settings import Settings

#: Processes that start, are killed and start again.
pytestmark = pytest.mark.longue

SUBVENTION = {
    "date_effet": "2018-02-12",
    "oi_id": "essai",
    "oi_nom": "OI d’essai",
    "reglement": "2014-2020",
    "agd": "DREETS",
    "programme_cci": "2014FR05SFOP001",
    "programme": "PON FSE",
    "programmation": {"debut": "2018-01-01", "fin": "2022-12-31"},
    "realisation": {"debut": "2018-01-01", "fin": "2023-12-31"},
    "fse_total": "1000000.00",
    "plie": [{"plie_id": "a", "nom": "PLIE A"}],
    "objectifs_specifiques": [{"code": "OS1", "libelle": "Parcours"}],
}


@pytest.fixture
def dossier() -> Iterator[Path]:
    """Lend a folder for an embedded server, which another account may have to enter."""
    folder = Path(tempfile.gettempdir()) / f"oi-bout-{new_id().hex[:8]}"
    yield folder
    _oi(folder, "verifier")  # Whatever happened, the last command out stops the server.
    shutil.rmtree(folder, ignore_errors=True)


def _env(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OI_")}
    return kept | {"OI_DATA_DIR": str(folder), "COLUMNS": "100", **SANS_LIMITE}


def _oi(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "oi_service", *arguments],
        env=_env(folder),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _serve(folder: Path, port: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "oi_service", "serve", "--port", str(port)],
        env=_env(folder),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    for _ in range(300):
        try:
            if httpx2.get(f"http://127.0.0.1:{port}/sante/pret").status_code == 200:
                return process
        except httpx2.TransportError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError("the service did not answer")


def _gestionnaire(folder: Path) -> dict[str, str]:
    """Open an account in the base of a service that runs, with a token for a program."""
    with database(Settings(data_dir=folder)) as access, open_service(access.service) as service:
        return en_tetes(service, "gestionnaire-9", "gestionnaire_oi")


def _post(client: httpx2.Client, port: int, qui: Mapping[str, str]) -> str:
    answer = client.post(
        f"http://127.0.0.1:{port}/api/v1/subventions-globales",
        json=SUBVENTION | {"numero": f"SG-{new_id().hex[:12]}"},
        headers={"Idempotency-Key": str(new_id()), **qui},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_nothing_confirmed_is_lost_when_everything_is_killed(dossier: Path) -> None:
    port = _free_port()
    process = _serve(dossier, port)
    qui = _gestionnaire(dossier)
    confirmed: list[str] = []
    stop = threading.Event()

    def work() -> None:
        with httpx2.Client() as client:
            while not stop.is_set():
                try:
                    confirmed.append(_post(client, port, qui))
                except httpx2.TransportError:
                    return

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    time.sleep(2)
    postmaster = int((dossier / "donnees" / "postmaster.pid").read_text().split()[0])
    os.kill(process.pid, signal.SIGKILL)
    os.kill(postmaster, signal.SIGKILL)
    stop.set()
    for worker in workers:
        worker.join()
    process.wait()
    assert len(confirmed) > 20

    exported = dossier.parent / f"{dossier.name}.jsonl"
    done = _oi(dossier, "exporter", "--sortie", str(exported))
    assert done.returncode == 0, done.stdout + done.stderr
    events = [json.loads(line) for line in exported.read_text("utf-8").splitlines()]
    exported.unlink()
    assert {e["stream_id"] for e in events} >= set(confirmed)
    assert [e["position"] for e in events] == list(range(1, len(events) + 1))
    checked = _oi(dossier, "verifier")
    assert checked.returncode == 0, checked.stdout


def test_a_demonstration_never_erases_nor_joins_real_money(dossier: Path) -> None:
    port = _free_port()
    process = _serve(dossier, port)
    with httpx2.Client() as client:
        _post(client, port, _gestionnaire(dossier))
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    for arguments in (("demo", "--no-servir"), ("demo", "--neuf", "--no-servir")):
        done = _oi(dossier, *arguments)
        assert done.returncode == 2
        assert "des données réelles" in done.stdout


def test_an_unknown_dossier_is_a_sentence_and_not_a_trace(dossier: Path) -> None:
    done = _oi(dossier, "dossier", "202199999")
    assert done.returncode == 2
    assert "Aucun dossier ne porte le numéro 202199999" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
