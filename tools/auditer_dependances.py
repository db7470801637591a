# ruff: noqa: INP001 - a command of the checkout, never imported
"""Look for the known vulnerabilities of what is locked: ``auditer_dependances.py LISTE…``.

Each list is what ``uv export`` writes. `pip-audit` itself ends well when it could ask nothing: this
one counts what was really looked at. It ends with 0 when everything was and nothing is wrong, with
1 when something is to be done, with 3 when something could not be looked at.

``OI_AUDIT_OSV`` names a service of the OSV kind to ask instead of PyPI, such as a mirror.
"""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from oi_service.clock import today

EXCEPTIONS = Path(__file__).resolve().parents[1] / "audit-dependances.toml"
#: Days that an exception may last.
_DUREE_MAX = 90
_SENS = {0: "rien à signaler", 1: "à traiter", 3: "NON AUDITÉ"}


@dataclass(frozen=True)
class Constat:
    """What was found: what is wrong, what could not be looked at, how much was."""

    fautes: tuple[str, ...]
    non_audites: tuple[str, ...]
    audites: int

    @property
    def fin(self) -> int:
        """Return how the program ends."""
        if self.fautes:
            return 1
        return 3 if self.non_audites or not self.audites else 0


def lire_exceptions(chemin: Path) -> list[Mapping[str, Any]]:
    """Return the exceptions that are written."""
    exceptions: list[Mapping[str, Any]] = tomllib.loads(chemin.read_text()).get("exception", [])
    return exceptions


def defauts(exceptions: Iterable[Mapping[str, Any]], jour: date) -> Iterator[str]:
    """Say what is wrong with the exceptions themselves, on a day."""
    for une in exceptions:
        manquent = [c for c in ("id", "paquet", "decidee_le", "jusqu_au", "raison") if c not in une]
        if manquent:
            yield f"exception {une.get('id', '?')} : il manque {', '.join(manquent)}"
        elif une["jusqu_au"] < jour:
            yield f"exception {une['id']} ({une['paquet']}) : échue le {une['jusqu_au']}"
        elif (une["jusqu_au"] - une["decidee_le"]).days > _DUREE_MAX:
            yield f"exception {une['id']} ({une['paquet']}) : plus de {_DUREE_MAX} jours"


def auditer(listes: Sequence[Path], ignorees: Sequence[str]) -> Constat:
    """Ask the service about everything that is locked."""
    miroir = os.environ.get("OI_AUDIT_OSV")
    service = ["-s", "osv", "--osv-url", miroir] if miroir else []
    with tempfile.TemporaryDirectory() as dossier:
        sortie = Path(dossier, "audit.json")
        faite = subprocess.run(  # noqa: S603 - our own program, our own files
            [
                *(sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip"),
                *("-f", "json", "-o", sortie, "--progress-spinner", "off", *service),
                *(a for liste in listes for a in ("-r", liste)),
                *(a for une in ignorees for a in ("--ignore-vuln", une)),
            ],
            check=False,
            capture_output=True,
            text=True,
        )
        if not sortie.is_file() or not sortie.read_text().strip():
            derniere = (faite.stderr.strip() or "sans un mot").splitlines()[-1]
            return Constat((), (f"tout : {derniere}",), 0)
        return lire(json.loads(sortie.read_text()))


def lire(rapport: Mapping[str, Any]) -> Constat:
    """Understand what `pip-audit` answers."""
    vus = [d for d in rapport["dependencies"] if "skip_reason" not in d]
    fautes = (
        f"{d['name']} {d['version']} : {v['id']}, corrigé dans "
        f"{', '.join(v['fix_versions']) or 'aucune version'}. {v['description'][:200]}"
        for d in vus
        for v in d["vulns"]
    )
    passes = (d["name"] for d in rapport["dependencies"] if "skip_reason" in d)
    return Constat(tuple(fautes), tuple(passes), len(vus))


def main(listes: Sequence[str]) -> int:
    """Audit, say, and end."""
    exceptions = lire_exceptions(EXCEPTIONS)
    ecarts = tuple(defauts(exceptions, today()))
    # Those that are not in order excuse nothing.
    ignorees = [] if ecarts else [str(une["id"]) for une in exceptions]
    constat = auditer([Path(liste) for liste in listes], ignorees)
    lignes = [f"  {faute}" for faute in (*ecarts, *constat.fautes)]
    if constat.non_audites:
        muettes = ", ".join(constat.non_audites)
        lignes.append(f"  La base des vulnérabilités n’a rien dit de : {muettes}")
    fin = 1 if ecarts else constat.fin
    lignes.append(
        f"{constat.audites} dépendances auditées, {len(exceptions)} exceptions : {_SENS[fin]}."
    )
    sys.stdout.write("\n".join(lignes) + "\n")
    return fin


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
