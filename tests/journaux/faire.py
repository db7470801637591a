"""Writes the log of today's version into the corpus: ``python tests/journaux/faire.py``.

It plays the demonstration, keeps the fewest dossiers that together say all that the whole says,
plays these alone on an empty database, and writes the rows of the log and of the commands exactly
as the database holds them, with the amounts that the service shows. It runs on the code that Python
finds: with ``PYTHONPATH`` on an older checkout, it writes the log of that version.
"""

import hashlib
import json
import lzma
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from portier import PortierDEssai
from starlette.testclient import TestClient

import migrations
from api.app import create_app
from oi_service import app as assembly
from oi_service.application import Acte, Service, fingerprint
from oi_service.demo.distribution import dossiers
from oi_service.demo.recit import command_id, identifiant
from oi_service.demo.vie import raconter
from oi_service.errors import Refusal
from oi_service.ids import convention_of
from oi_service.settings import Settings

DOSSIER = Path(__file__).parent
EMPREINTES = DOSSIER / "empreintes.sha256"
MIGRATIONS = Path(migrations.__file__).parent
#: Tables of the evidence, each in the order in which it was written.
TABLES = {"oi.event": "position", "oi.command": "first_position"}
GRAINE = 2021


def main() -> None:
    """Write one folder, and the digests of all."""
    cible = DOSSIER / _nom()
    if cible.exists():
        sys.exit(f"{cible.name} exists: what was written is never written again.")
    tous = {dossier.numero_mdfse for dossier in dossiers()}
    with _vie(tous) as (_, owner):
        dit = _ce_que_dit(owner)
    gardes = _choisir(dit)
    with _vie(gardes) as (service, owner):
        perdu = set().union(*dit.values()) - set().union(*_ce_que_dit(owner).values())
        lignes = list(_lignes(owner))
        montants = lire_montants(service)
    cible.mkdir()
    _ecrire(cible / "journal.jsonl.xz", lignes)
    _ecrire(cible / "montants.json.xz", [json.dumps(montants, ensure_ascii=False, sort_keys=True)])
    quoi = {
        "version": version("oi-service"),
        "migration": _derniere_migration(),
        "commit": _commit(),
        "dossiers": len(gardes),
        "evenements": sum(ligne.startswith('{"oi.event"') for ligne in lignes),
    }
    (cible / "version.json").write_text(json.dumps(quoi, indent=1) + "\n", "ascii")
    EMPREINTES.write_text("".join(f"{d}  {n}\n" for n, d in empreintes().items()), "ascii")
    print(cible.name, quoi, "left out:", *sorted(perdu), sep="\n  ")  # noqa: T201


def corpus() -> list[Path]:
    """Return the folders of the corpus."""
    return sorted(fichier.parent for fichier in DOSSIER.glob("*/version.json"))


def empreintes() -> dict[str, str]:
    """Digest every file of the corpus, by its name."""
    return {
        fichier.relative_to(DOSSIER).as_posix(): hashlib.sha256(fichier.read_bytes()).hexdigest()
        for dossier in corpus()
        for fichier in sorted(dossier.iterdir())
    }


def lire_montants(service: Service) -> dict[str, Any]:
    """Read what the service shows: the figures of each PLIE, and those of each operation."""
    with TestClient(create_app(service, PortierDEssai())) as http:
        maquette = http.get("/api/v1/maquette").json()
        return {
            "plie": {plie["plie_id"]: plie["chiffres"] for plie in maquette["par_plie"]},
            "operations": {
                operation["numero_mdfse"]: {
                    nom: valeur
                    for nom, valeur in operation.items()
                    if nom == "statut" or re.match(r"(fse|ct|cp|cout_total|montant)_", nom)
                }
                for operation in _toutes(http, "/api/v1/operations")
            },
        }


def _toutes(http: TestClient, chemin: str) -> Iterator[dict[str, Any]]:
    apres: dict[str, str] = {}
    while True:
        page = http.get(chemin, params=apres).json()
        yield from page["lignes"]
        if page["suivant"] is None:
            return
        apres = {"apres": page["suivant"]}


# --- What is played ------------------------------------------------------------------------------


@contextmanager
def _vie(gardes: Collection[str]) -> Iterator[tuple[Service, str]]:
    """Lend the service on a database of its own, where these dossiers lived; its owner's access."""
    for nom in [nom for nom in os.environ if nom.startswith("OI_")]:
        del os.environ[nom]
    with tempfile.TemporaryDirectory(prefix="oi-journal-") as dossier:
        # Root runs the server under another account, which must be able to enter.
        Path(dossier).chmod(0o711)
        os.environ["OI_DATA_DIR"] = str(Path(dossier) / "oi")
        with assembly.database(Settings()) as acces:
            assembly.prepare(acces.owner)
            with assembly.open_service(acces.service) as service:
                _jouer(service, gardes)
                yield service, acces.owner


def _jouer(service: Service, gardes: Collection[str]) -> None:
    """Play the story without some dossiers; what only went with them is refused, and left out."""
    for etape in raconter(GRAINE):
        if _dossier(etape.nom) in {None, *gardes}:
            # The versions that keep the files of documents say so in the events.
            for document in getattr(etape, "documents", ()):
                service.pieces.deposer(document.nom, [document.contenu])
            demande = fingerprint("demo", str(GRAINE), etape.nom)
            with suppress(Refusal):
                acte = Acte(*etape.qui, command_id(GRAINE, etape.nom), demande)
                service.journal.execute(acte, etape.faire)


def _dossier(nom: str) -> str | None:
    """Return the dossier whose act bears that name; nothing for what belongs to all."""
    racine = nom.partition("/")[0]
    return racine if racine in {dossier.numero_mdfse for dossier in dossiers()} else None


def _ce_que_dit(owner: str) -> dict[frozenset[str], set[str]]:
    """Return what is said: the facts and the fields that they fill, by the dossiers it takes.

    An act takes the dossier that it belongs to, and those that its facts name.
    """
    auteurs = {command_id(GRAINE, e.nom): _dossier(e.nom) for e in raconter(GRAINE)}
    noms = {str(i): d.numero_mdfse for d in dossiers() for i in _identifiants(d.numero_mdfse)}
    dit: dict[frozenset[str], set[str]] = defaultdict(set)
    with psycopg.connect(owner) as conn:
        actes = conn.execute(
            "SELECT command_id, array_agg(name), jsonb_agg(data) FROM oi.event GROUP BY command_id"
        )
        for cle, nom_des_faits, faits in actes:
            cites = {noms[i] for i in re.findall(r"[0-9a-f-]{36}", json.dumps(faits)) if i in noms}
            auteur = auteurs.get(cle)
            pris = frozenset(cites if auteur is None else {auteur, *cites})
            for nom, fait in zip(nom_des_faits, faits, strict=True):
                dit[pris].update(f"{nom}{chemin}" for chemin in _chemins(fait))
    return dit


def _identifiants(numero: str) -> tuple[UUID, UUID]:
    operation = identifiant(GRAINE, numero)
    return operation, convention_of(operation)


def _chemins(valeur: Any) -> Iterator[str]:
    """Yield every path that leads to something, whatever the place in a list."""
    if isinstance(valeur, dict):
        yield ""
        for nom, dedans in valeur.items():
            yield from (f".{nom}{chemin}" for chemin in _chemins(dedans))
    elif isinstance(valeur, list):
        for dedans in valeur:
            yield from (f"[]{chemin}" for chemin in _chemins(dedans))
    elif valeur is not None:
        # A word of a closed list is a case of its own; a free text or an amount is not.
        yield f"={valeur}" if re.fullmatch(r"[a-z_]{3,40}|True|False", str(valeur)) else ""


def _choisir(dit: dict[frozenset[str], set[str]]) -> set[str]:
    """Keep the dossiers that say something which those already kept do not, the fullest first."""
    gardes: set[str] = set()
    while True:
        connu = set().union(*(paroles for pris, paroles in dit.items() if pris <= gardes))
        meilleur = max(sorted(dit, key=sorted), key=lambda pris: len(dit[pris] - connu))
        if not dit[meilleur] - connu:
            return gardes
        gardes |= meilleur


# --- What is written -----------------------------------------------------------------------------


def _lignes(owner: str) -> Iterator[str]:
    """Yield the rows as JSON; what is JSON in the database comes out byte for byte."""
    with psycopg.connect(owner, options="-c timezone=UTC") as conn:
        for table, ordre in TABLES.items():
            demande = f"SELECT row_to_json(t)::text FROM {table} AS t ORDER BY {ordre}"  # noqa: S608
            for (ligne,) in conn.execute(demande.encode()):
                yield f'{{"{table}":{ligne}}}'


def _ecrire(fichier: Path, lignes: Iterable[str]) -> None:
    texte = "".join(f"{ligne}\n" for ligne in lignes)
    fichier.write_bytes(lzma.compress(texte.encode(), preset=9 | lzma.PRESET_EXTREME))


def _nom() -> str:
    """Name the log of a released version after it, and the others after their last migration."""
    actuelle = version("oi-service")
    changelog = (MIGRATIONS.parent / "CHANGELOG.md").read_text("utf-8")
    en_cours = f"## {actuelle} — unreleased" in changelog
    return f"schema-{_derniere_migration()}" if en_cours else f"version-{actuelle}"


def _derniere_migration() -> str:
    return max(fichier.name for fichier in MIGRATIONS.glob("*.sql")).partition("_")[0]


def _commit() -> str:
    done = subprocess.run(
        ["git", "-C", str(MIGRATIONS), "rev-parse", "--short=12", "HEAD"],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


if __name__ == "__main__":
    main()
