"""The verification of the log: where it is, from where it goes on, and what guards it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from bases import base_neuve
from psycopg import Connection
from vie import Vie

from oi_service.app import open_service
from oi_service.application import Service
from oi_service.preuve import journal
from oi_service.preuve.forme import COLONNES, ENREGISTREMENT, SCEAU_INITIAL, sceau
from oi_service.preuve.gardes import verifier_gardes
from oi_service.preuve.journal import Etape, RepriseImpossible, verifier_journal


@pytest.fixture(scope="module")
def vecue(serveur: str, modele: str) -> Iterator[str]:
    """Lend a base with a short log, that no test changes for good."""
    with base_neuve(serveur, modele) as base:
        with open_service(base) as service:
            vie = Vie(service)
            vie.subvention()
            vie.tranche("300000.00")
            vie.enveloppe("A", "90000.00")
        yield base


@pytest.fixture
def conn(vecue: str) -> Iterator[Connection[Any]]:
    with psycopg.connect(vecue, autocommit=True) as conn:
        yield conn


def test_every_column_of_the_log_is_sealed(conn: Connection[Any]) -> None:
    rows = conn.execute(
        "SELECT attname FROM pg_attribute "
        "WHERE attrelid = 'oi.event'::regclass AND attnum > 0 AND NOT attisdropped"
    ).fetchall()
    assert {nom for (nom,) in rows} == {*COLONNES, "seal"}


def test_an_empty_log_is_intact(base: str) -> None:
    with psycopg.connect(base, autocommit=True) as conn:
        examen = verifier_journal(conn)
        assert (examen.taille, examen.sceau, examen.anomalies) == (0, SCEAU_INITIAL, [])


def test_the_seals_chain_whatever_the_size_of_the_command(service: Service) -> None:
    vie = Vie(service)
    vie.subvention()
    with service.reads.connection() as conn:
        precedent = SCEAU_INITIAL
        for inscrit, enregistrement in conn.execute(
            f"SELECT e.seal, {ENREGISTREMENT} FROM oi.event AS e ORDER BY e.position"  # noqa: S608
        ).fetchall():
            precedent = sceau(precedent, enregistrement)
            assert inscrit == precedent
        assert conn.execute("SELECT seal FROM oi.head").fetchone() == (precedent,)


def test_it_tells_where_it_is_and_goes_on_from_there(
    conn: Connection[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_PAS", 2)
    fichier = tmp_path / "ailleurs" / "verification.json"
    etapes: list[Etape] = []
    dits: list[tuple[int, int]] = []
    entier = verifier_journal(
        conn, noter=etapes.append, progres=lambda fait, total: dits.append((fait, total))
    )
    assert dits[-1] == (entier.taille, entier.taille)
    assert [fait for fait, _ in dits] == sorted(fait for fait, _ in dits)
    for etape in etapes:
        etape.ecrire(fichier)
        suite = verifier_journal(conn, depuis=Etape.lire(fichier))
        assert suite.racine == entier.racine
        assert suite.depuis == etape.position + 1
        assert suite.intact


def test_it_does_not_go_on_from_what_is_no_longer_there(
    conn: Connection[Any], tmp_path: Path
) -> None:
    etapes: list[Etape] = []
    verifier_journal(conn, noter=etapes.append)
    ailleurs = etapes[-1]._replace(sceau=bytes(32))
    with pytest.raises(RepriseImpossible, match="n’est plus celui"):
        verifier_journal(conn, depuis=ailleurs)
    fichier = tmp_path / "verification.json"
    with pytest.raises(RepriseImpossible, match="aucune vérification"):
        Etape.lire(fichier)
    for texte in ("", "{}", "[]", '{"position": 3, "sceau": "00", "sommets": []}'):
        fichier.write_text(texte)
        with pytest.raises(RepriseImpossible, match=r"illisible|incomplet"):
            Etape.lire(fichier)


def test_a_step_is_not_kept_past_a_bad_record(
    conn: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_PAS", 1)
    etapes: list[Etape] = []
    with conn.transaction(force_rollback=True):
        conn.execute("SET LOCAL session_replication_role = replica")
        conn.execute("UPDATE oi.event SET motif = 'autre' WHERE position = 2")
        examen = verifier_journal(conn, noter=etapes.append)
    assert examen.premiere == 2
    assert [e.position for e in etapes] == [1]


def test_a_client_of_another_encoding_reads_the_same_seals(vecue: str) -> None:
    with psycopg.connect(vecue, autocommit=True, client_encoding="latin9") as conn:
        assert verifier_journal(conn).anomalies == []


_SANS_REFUS = """
    CREATE OR REPLACE FUNCTION oi.refuse_change() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN RETURN NULL; END'
"""
_SANS_DEPENSES = """
    CREATE OR REPLACE FUNCTION oi.project_depense(lo bigint, hi bigint) RETURNS void
    LANGUAGE sql AS 'SELECT'
"""


@pytest.mark.parametrize(
    ("geste", "phrase"),
    [
        (_SANS_REFUS, "oi.refuse_change n’est pas celle"),
        (_SANS_DEPENSES, "oi.project_depense n’est pas celle"),
        (
            "CREATE FUNCTION oi.de_trop() RETURNS void LANGUAGE sql AS 'SELECT'",
            "oi.de_trop n’est pas celle",
        ),
        ("ALTER TABLE oi.event DISABLE TRIGGER event_append_only", "modifier oi.event est absent"),
        ("DROP TRIGGER command_append_only ON oi.command", "modifier oi.command est absent"),
        ("GRANT INSERT ON oi.event TO oi_application", "peut écrire dans oi.event"),
        ("GRANT UPDATE ON oi.head TO PUBLIC", "peut écrire dans oi.head"),
        ("DROP POLICY plies_du_lecteur ON projection.depense", "lignes de projection.depense"),
        ("DROP POLICY plies_du_lecteur ON oi.event", "lignes de oi.event"),
        (
            "ALTER POLICY plies_du_lecteur ON projection.mouvement USING (true)",
            "lignes de projection.mouvement",
        ),
        (
            "CREATE POLICY de_trop ON oi.event TO oi_directeur USING (name LIKE 'operation.%')",
            "lignes de oi.event",
        ),
        (
            "CREATE POLICY comptes ON projection.compte TO oi_directeur USING (true)",
            "lignes de projection.compte",
        ),
        (
            "ALTER POLICY plies_du_lecteur ON projection.enveloppe TO PUBLIC",
            "lignes de projection.enveloppe",
        ),
        ("ALTER TABLE oi.event DISABLE ROW LEVEL SECURITY", "lignes de oi.event"),
        ("GRANT SELECT ON oi.command TO oi_directeur", "que des PLIE peut lire oi.command"),
        ("GRANT SELECT (id) ON acces.trace TO PUBLIC", "que des PLIE peut lire acces.trace"),
        ("ALTER ROLE oi_directeur BYPASSRLS", "oi_directeur a d’autres droits"),
        (
            "ALTER FUNCTION oi.dossiers_lus SET oi.plies = '{A}'",
            "oi.dossiers_lus a des réglages",
        ),
    ],
)
def test_a_guard_that_was_taken_away_is_named(
    conn: Connection[Any], geste: str, phrase: str
) -> None:
    assert list(verifier_gardes(conn)) == []
    with conn.transaction(force_rollback=True):
        conn.execute(geste.encode())
        [dit] = verifier_gardes(conn)
    assert phrase in dit
