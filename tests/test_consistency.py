"""The code about itself: what no reviewer should have to remember."""

import ast
import hashlib
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import msgspec
import pytest

from api import app as portes  # noqa: F401 - importing them all fills the vocabulary
from oi_service import app, postgres  # noqa: F401 - the refusals of the engine room
from oi_service.codec import REGISTRY
from oi_service.errors import Conflict, Forbidden, NotFound, Refusal, RuleBroken
from projections.mouvements import EVENTS_WITHOUT_MOVEMENT

RACINE = Path(__file__).parent.parent
PAQUETS = ("oi_service", "aggregates", "rules", "projections", "api")


def _subclasses(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from _subclasses(sub)


def refusals(*rooms: str) -> list[type[Refusal]]:
    """Return the refusals of some rooms, the families themselves left out."""
    found = {r for r in _subclasses(Refusal) if r.__module__.split(".")[0] in rooms}
    return sorted(found - {NotFound, Conflict, RuleBroken, Forbidden}, key=lambda r: r.__name__)


@cache
def sources(room: str) -> dict[Path, ast.Module]:
    """Return the parsed modules of a room."""
    return {p: ast.parse(p.read_text("utf-8")) for p in sorted((RACINE / room).rglob("*.py"))}


DU_DOMAINE = refusals("aggregates", "rules")
TOUS = refusals(*PAQUETS)


def placeholders(refusal: type[Refusal]) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(refusal.__doc__ or "") if name}


@pytest.mark.parametrize("refusal", TOUS, ids=lambda r: r.__name__)
def test_a_refusal_is_a_french_sentence(refusal: type[Refusal]) -> None:
    assert "__doc__" in vars(refusal), "an inherited sentence says nothing of its own"
    sentence = " ".join((refusal.__doc__ or "").split())
    assert re.fullmatch(r"[A-ZÀÂÉÈÊÎÔ«{].*[.]", sentence), sentence
    assert re.search(r"[a-zA-Zéèà]'[a-zA-Zéèàêâ]", sentence) is None, "an apostrophe is ’"
    shown = re.sub(r"\{[^}]*\}", "x", sentence)
    assert re.search(r"\S[:;!?»]|«\S", shown) is None, "French spaces its punctuation"


def test_codes_are_unique_and_in_snake_case() -> None:
    codes = [r.code() for r in TOUS]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", c) for c in codes)


def test_no_refusal_of_a_rule_is_left_outside_the_families() -> None:
    assert [
        r.__name__
        for r in DU_DOMAINE
        if not issubclass(r, NotFound | Conflict | RuleBroken | Forbidden)
    ] == []


def _raise_sites() -> Iterator[tuple[str, str, set[str]]]:
    """Yield ``(where, class, keywords)`` of every construction of a refusal by its name."""
    names = {r.__name__ for r in TOUS}
    for room in PAQUETS:
        for path, tree in sources(room).items():
            where = path.relative_to(RACINE).as_posix()
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names:
                    keywords = {k.arg or "**" for k in node.keywords}
                    yield f"{where}:{node.lineno}", node.func.id, keywords  # type: ignore[attr-defined]
                if isinstance(node, ast.Raise) and getattr(node.exc, "id", "") in names:
                    yield f"{where}:{node.lineno}", node.exc.id, set()  # type: ignore[union-attr]


def test_every_refusal_gets_what_its_sentence_says() -> None:
    by_name = {r.__name__: r for r in TOUS}
    short = [
        f"{where} {name} lacks {sorted(missing)}"
        for where, name, given in _raise_sites()
        if "**" not in given and (missing := placeholders(by_name[name]) - given)
    ]
    assert short == []


def test_refusals_of_database_constraints_need_no_detail() -> None:
    assert {r.__name__ for r in app.GARDES.contraintes.values() if placeholders(r)} == set()


def test_every_refusal_of_the_domain_is_raised_somewhere() -> None:
    raised = {name for _, name, _ in _raise_sites()}
    held = {r.__name__ for r in app.GARDES.contraintes.values()}
    absent = {r.__name__ for r in DU_DOMAINE if issubclass(r, NotFound)}
    assert {r.__name__ for r in DU_DOMAINE} - raised - held - absent == set()


def test_every_refusal_of_the_domain_is_in_a_test() -> None:
    tests = "\n".join(p.read_text("utf-8") for p in (RACINE / "tests").rglob("test_*.py"))
    words = set(re.findall(r"\w+", tests))
    assert [r.__name__ for r in DU_DOMAINE if r.__name__ not in words] == []


# Events.


def agregats() -> list[str]:
    return sorted(p.parent.name for p in (RACINE / "aggregates").glob("*/events.py"))


@pytest.mark.parametrize("agregat", agregats())
def test_every_event_of_an_aggregate_is_in_its_union_and_bears_its_name(agregat: str) -> None:
    # `evolve` ends with assert_never on this union: the type checker names what it forgets.
    module = import_module(f"aggregates.{agregat}.events")
    mine = {c for c in REGISTRY.classes.values() if c.__module__ == module.__name__}
    assert mine == set(get_args(module.Fait))
    assert {REGISTRY.names[c].split(".")[0] for c in mine} == {agregat}
    evolve = ast.unparse(sources("aggregates")[RACINE / "aggregates" / agregat / "state.py"])
    assert "assert_never" in evolve
    assert [c.__name__ for c in mine if not re.search(rf"\b{c.__name__}\b", evolve)] == []


def _posted() -> set[str]:
    files = ("mouvements.sql", "reprises.sql")
    sql = "\n".join((RACINE / "projections" / name).read_text("utf-8") for name in files)
    code = "\n".join(line.split("--")[0] for line in sql.splitlines())
    return set(re.findall(r"'([a-z_]+\.[a-z_]+\.v\d+)'", code))


def test_every_event_posts_a_movement_or_says_that_it_does_not() -> None:
    assert _posted() | EVENTS_WITHOUT_MOVEMENT == set(REGISTRY.classes)
    assert _posted() & EVENTS_WITHOUT_MOVEMENT == set()


def test_projections_name_events_that_exist() -> None:
    # A projection that waits for a name that nobody stores is silently empty.
    names = {
        name
        for path in (RACINE / "projections").glob("*.sql")
        for name in re.findall(r"'([a-z_]+\.[a-z_]+\.v\d+)'", path.read_text("utf-8"))
    }
    assert names - set(REGISTRY.classes) - set(REGISTRY.upcasts) == set()


def test_every_event_is_documented() -> None:
    text = (RACINE / "docs" / "evenements.md").read_text("utf-8")
    assert [n for n in REGISTRY.classes if f"`{n}`" not in text] == []


# States, clock, migrations, parts.


@pytest.mark.parametrize("agregat", agregats())
def test_states_are_frozen(agregat: str) -> None:
    module = import_module(f"aggregates.{agregat}.state")
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, msgspec.Struct):
            assert value.__struct_config__.frozen, value


def test_only_clock_reads_the_clock_and_only_ids_draws_identifiers() -> None:
    allowed = {
        "datetime.now": "oi_service/clock.py",
        "date.today": "oi_service/clock.py",
        "datetime.utcnow": "",
        "time.time": "",
        "uuid4": "oi_service/ids.py",
        "uuid1": "",
    }
    found = [
        f"{path.relative_to(RACINE)}:{node.lineno} {called}"
        for room in PAQUETS
        for path, tree in sources(room).items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for called in [ast.unparse(node.func)]
        for name, home in allowed.items()
        if (called == name or called.endswith(f".{name}"))
        and path.relative_to(RACINE).as_posix() != home
    ]
    assert found == []


def test_decisions_know_no_clock_no_chance_no_database() -> None:
    banned = {"random", "secrets", "time", "psycopg", "fastapi", "eventsourcing"}
    banned |= {
        "oi_service.clock",
        "oi_service.ids",
        "oi_service.application",
        "oi_service.recorder",
    }
    found = [
        f"{path.relative_to(RACINE)} {name}"
        for room in ("aggregates", "rules")
        for path, tree in sources(room).items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
        )
        if any(name == b or name.startswith(f"{b}.") for b in banned)
    ]
    assert found == []


def test_migrations_are_never_edited() -> None:
    # A new migration adds its line: (cd migrations && sha256sum *.sql) > tests/migrations.sha256.
    lines = (RACINE / "tests" / "migrations.sha256").read_text("utf-8").splitlines()
    known = {name: digest for digest, name in (line.split("  ") for line in lines)}
    now = {
        p.name: hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted((RACINE / "migrations").glob("*.sql"))
    }
    assert now == known


def _uv() -> str | None:
    ours = RACINE / ".outils" / "bin" / "uv"
    return os.environ.get("UV") or (str(ours) if ours.exists() else shutil.which("uv"))


def test_the_wheel_carries_everything_that_the_service_reads(tmp_path: Path) -> None:
    uv = _uv()
    if uv is None:
        pytest.skip("uv is not here: run the tests with ./uvw run pytest")
    done = subprocess.run(
        [uv, "build", "--wheel", "--offline", "--quiet", "--out-dir", str(tmp_path), str(RACINE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    wanted = {
        p.relative_to(RACINE).as_posix()
        for room in (*PAQUETS, "migrations")
        for p in (RACINE / room).rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }
    assert wanted - held == set()
    assert {name.split("/")[0] for name in held if ".dist-info" not in name} == {
        *PAQUETS,
        "migrations",
    }


def test_the_registry_and_the_names_agree() -> None:
    names: dict[Any, str] = REGISTRY.names
    assert {name: kind for kind, name in names.items()} == REGISTRY.classes
