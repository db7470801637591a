"""docs/evenements.md says what the code registers and what the ledger really posts."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from psycopg import Connection
from psycopg.rows import TupleRow
from vie_complete import Vie

from oi_service.codec import REGISTRY

RACINE = Path(__file__).parents[2]


def documentes() -> dict[str, set[str]]:
    """Return the measures that the catalogue announces, by event."""
    found: dict[str, set[str]] = {}
    name = ""
    for line in (RACINE / "docs" / "evenements.md").read_text("utf-8").splitlines():
        if line.startswith("### `"):
            name = line.strip("# `")
            found[name] = set()
        elif line.startswith("Mouvements :"):
            found[name] = set(re.findall(r"`([a-z_]+)`", line))
    return found


def test_the_catalogue_is_up_to_date() -> None:
    tool = RACINE / "tools" / "documenter_evenements.py"
    done = subprocess.run([sys.executable, str(tool), "--verifier"], cwd=RACINE, check=False)
    assert done.returncode == 0, "run: python tools/documenter_evenements.py"
    assert set(documentes()) == set(REGISTRY.classes)


def test_the_measures_announced_are_those_posted(conn: Connection[TupleRow], vie: Vie) -> None:
    """A life posts no measure that is not announced; what it never posts is zero there."""
    posted = conn.execute(
        """
        SELECT e.name, array_agg(DISTINCT m.mesure)
        FROM oi.event AS e INNER JOIN projection.mouvement AS m ON e.position = m.position
        GROUP BY e.name
        """
    ).fetchall()
    announced = documentes()
    joues = {row[0] for row in conn.execute("SELECT DISTINCT name FROM oi.event")}
    assert {name for name, _ in posted} == {n for n, q in announced.items() if q} & joues
    for name, mesures in posted:
        assert set(mesures) <= announced[name], name


def test_every_module_of_decisions_is_closed_to_the_projections() -> None:
    """The contract of import-linter lists them by hand; it forgets none."""
    contracts = tomllib.loads((RACINE / "pyproject.toml").read_text("utf-8"))
    [contract] = [
        c
        for c in contracts["tool"]["importlinter"]["contracts"]
        if c["name"] == "Projections read facts, never decisions"
    ]
    modules = {
        f"aggregates.{path.parent.name}.{path.stem}"
        for path in (RACINE / "aggregates").glob("*/*.py")
        if path.stem not in {"__init__", "events", "state", "transitions"}
    }
    assert set(contract["forbidden_modules"]) == modules
