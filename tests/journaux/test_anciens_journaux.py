"""A log that any earlier version wrote is read, sealed, verified, and gives the same amounts."""

import json
import lzma
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from bases import base_neuve
from faire import DOSSIER, EMPREINTES, MIGRATIONS, corpus, empreintes, lire_montants
from psycopg import sql

from oi_service.app import open_service, prepare
from oi_service.codec import REGISTRY
from oi_service.database import _dbmate
from oi_service.preuve.journal import verifier_journal
from oi_service.verification import verifier

CORPUS = corpus()
POUR_L_ECRIRE = "python tests/journaux/faire.py"


def lire(fichier: Path) -> list[Any]:
    return [json.loads(ligne) for ligne in lzma.decompress(fichier.read_bytes()).splitlines()]


class Ancien(NamedTuple):
    """An old log, in a base that was just brought up to date."""

    base: str
    lignes: list[dict[str, Any]]
    montants: dict[str, Any]


@pytest.fixture(scope="module", params=CORPUS, ids=lambda dossier: str(dossier.name))
def ancien(
    request: pytest.FixtureRequest, serveur: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ancien]:
    dossier: Path = request.param
    quoi = json.loads((dossier / "version.json").read_text("ascii"))
    d_alors = tmp_path_factory.mktemp("migrations")
    for migration in MIGRATIONS.glob("*.sql"):
        if migration.name[:4] <= quoi["migration"]:
            shutil.copy(migration, d_alors)
    with base_neuve(serveur, "template0") as base:
        _dbmate(base, d_alors)
        journal = dossier / "journal.jsonl.xz"
        charger(base, lzma.decompress(journal.read_bytes()).decode().splitlines())
        prepare(base)
        [montants] = lire(dossier / "montants.json.xz")
        lignes = [ligne["oi.event"] for ligne in lire(journal) if "oi.event" in ligne]
        assert len(lignes) == quoi["evenements"]
        yield Ancien(base, lignes, montants)


def charger(base: str, lignes: list[str]) -> None:
    """Put the rows back as they were, in the tables of their time."""
    with psycopg.connect(base) as conn:
        conn.execute("CREATE TEMPORARY TABLE ligne (rang serial, ligne jsonb)")
        with conn.cursor().copy("COPY ligne (ligne) FROM STDIN") as copie:
            for ligne in lignes:
                copie.write_row((ligne,))
        for table in ("event", "command"):
            conn.execute(
                sql.SQL(
                    "INSERT INTO oi.{0} SELECT (jsonb_populate_record(NULL::oi.{0}, "
                    "ligne -> {1})).* FROM ligne WHERE ligne ? {1} ORDER BY rang"
                ).format(sql.Identifier(table), sql.Literal(f"oi.{table}"))
            )
        conn.execute(
            "UPDATE oi.head SET (position, enregistre_le) = "
            "(SELECT max(e.position), max(e.enregistre_le) FROM oi.event AS e)"
        )
        if "seal" in lignes[0] and json.loads(lignes[0])["oi.event"]["seal"] is not None:
            conn.execute(
                "UPDATE oi.head AS h SET seal = e.seal FROM oi.event AS e "
                "WHERE e.position = h.position"
            )


def test_it_is_kept_as_it_was_written(ancien: Ancien) -> None:
    scelle_depuis = {"seal"} if ancien.lignes[0]["seal"] is None else set()
    with psycopg.connect(ancien.base, options="-c timezone=UTC") as conn:
        lues = [
            ligne
            for (ligne,) in conn.execute(
                "SELECT row_to_json(e) FROM oi.event AS e WHERE e.position <= %s ORDER BY position",
                (len(ancien.lignes),),
            )
        ]
    for avant, maintenant in zip(ancien.lignes, lues, strict=True):
        assert {c: maintenant[c] for c in avant if c not in scelle_depuis} == {
            c: v for c, v in avant.items() if c not in scelle_depuis
        }


def test_every_event_is_read(ancien: Ancien) -> None:
    with psycopg.connect(ancien.base) as conn:
        stockes = conn.execute(
            "SELECT name, data::text, date_effet::text, motif, pieces::text "
            "FROM oi.event ORDER BY position"
        ).fetchall()
    assert len({type(REGISTRY.decode(*stocke)) for stocke in stockes}) > 50


def test_it_is_sealed_whole(ancien: Ancien) -> None:
    with psycopg.connect(ancien.base) as conn:
        examen = verifier_journal(conn)
    assert [a.phrase for a in examen.anomalies] == []
    # What the update itself recorded of the rebuild comes after the old log.
    assert examen.taille > len(ancien.lignes)


def test_it_breaks_no_rule_of_the_books(ancien: Ancien) -> None:
    assert [(c.code, c.ecarts) for c in verifier(ancien.base) if c.ecarts] == []


def test_it_gives_the_amounts_that_were_shown(ancien: Ancien) -> None:
    with open_service(ancien.base) as service:
        montants = lire_montants(service)
    for quoi, connus in ancien.montants.items():
        assert set(montants[quoi]) == set(connus)
        for nom, chiffres in connus.items():
            assert {c: montants[quoi][nom].get(c) for c in chiffres} == chiffres, nom


# The corpus only grows.


def test_nothing_of_the_corpus_is_ever_changed_or_removed() -> None:
    lignes = EMPREINTES.read_text("ascii").splitlines()
    connues = {nom: empreinte for empreinte, nom in (ligne.split("  ") for ligne in lignes)}
    assert empreintes() == connues


#: What changes the rows of the log. Who may read them, and their indexes, change none.
_FORME = re.compile(
    r"(CREATE TABLE|ALTER TABLE|UPDATE|FUNCTION) oi\.(event|command|append)\b(?! ENABLE ROW LEVEL)"
)


def test_the_last_form_of_the_log_is_in_the_corpus() -> None:
    du_journal = [
        fichier.name[:4]
        for fichier in MIGRATIONS.glob("*.sql")
        if _FORME.search(fichier.read_text("utf-8"))
    ]
    connus = [json.loads((c / "version.json").read_text("ascii"))["migration"] for c in CORPUS]
    assert max(connus) >= max(du_journal), f"its form changed: {POUR_L_ECRIRE}"


def test_every_released_version_is_in_the_corpus() -> None:
    changelog = (DOSSIER.parent.parent / "CHANGELOG.md").read_text("utf-8")
    titres = re.findall(r"^## (\S+) — (.*)$", changelog, re.MULTILINE)
    publiees = {f"version-{nom}" for nom, quand in titres if quand != "unreleased"}
    connues = {dossier.name for dossier in CORPUS}
    assert publiees - connues == set(), f"released, and not in the corpus: {POUR_L_ECRIRE}"
