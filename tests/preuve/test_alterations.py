"""Whatever is altered in the log, by whoever controls the database, is seen and named."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import uuid4  # noqa: TID251 - causes that nothing derives

import psycopg
import pytest
from alterations import (
    SansObjet,
    Vu,
    alterations,
    colonnes_des_projections,
    essayer,
    modifier_les_projections,
    points,
    supprimer_des_projections,
)
from bases import base_neuve
from psycopg import Connection
from vie import Vie

from aggregates.registre.events import LivresVerifies
from aggregates.registre.state import REGISTRE, REGISTRE_ID
from oi_service.app import open_service
from oi_service.application import Acte
from oi_service.codec import Piece
from oi_service.preuve.forme import COLONNES
from oi_service.preuve.journal import verifier_journal
from oi_service.verification import noter_verification
from projections.rebuild import rebuild

NOTES = [
    LivresVerifies(
        date_effet=date(2022, 2, rang + 1),
        motif=f"Motif n° {rang}" if rang else None,
        pieces=(Piece(sha256=f"{rang:064x}", libelle=f"Pièce n° {rang}", type="autre"),) * rang,
        jusqua_position=rang,
        points=(),
        duree_ms=1,
        version_code="0",
    )
    for rang in range(2)
]


def vivants() -> Iterator[Acte]:
    """Yield acts that differ in all that an envelope holds."""
    for rang in range(6):
        cause = uuid4() if rang % 2 else None
        yield Acte(f"agent-{rang}", "systeme", fingerprint=b"demande %d" % rang, cause_id=cause)


@pytest.fixture(scope="module")
def conn(serveur: str, modele: str) -> Iterator[Connection[Any]]:
    """Lend the log of a small life."""
    with base_neuve(serveur, modele) as base:
        with open_service(base) as service:
            vie = Vie(service)
            vie.subvention()
            vie.tranche("300000.00", "300000.00")
            vie.enveloppe("A", "90000.00")
            vie.reserve("20000.00")
            vie.appel(fiches=[{"code": "A1", "plie": "A"}])
            for rang in range(3):
                vie.jusqu_au_demarrage(f"OP-{rang}", fiche="A1", fse=f"{20 + rang}000.00")
                noter_verification(service)
            for acte in vivants():
                service.journal.execute(
                    acte, lambda unit: unit.record(REGISTRE, REGISTRE_ID, NOTES)
                )
        with psycopg.connect(base, autocommit=True) as conn:
            yield conn


@pytest.fixture(scope="module")
def vus(conn: Connection[Any]) -> dict[str, Vu | None]:
    """Play the whole matrix; ``None`` where there is nothing to alter so."""
    ancres = points(conn)
    faits: dict[str, Vu | None] = {}
    for alteration in alterations(conn):
        try:
            faits[alteration.nom] = essayer(conn, alteration, ancres)
        except SansObjet:
            faits[alteration.nom] = None
    return faits


def test_a_log_that_nobody_touched_is_intact(conn: Connection[Any]) -> None:
    examen = verifier_journal(conn, points(conn))
    assert examen.anomalies == []
    assert examen.ancres == 2


def test_every_alteration_is_seen_and_its_first_bad_record_named(
    vus: dict[str, Vu | None],
) -> None:
    rates = {
        nom: (vu.attendu, [str(a) for a in vu.avec.anomalies])
        for nom, vu in vus.items()
        if vu is not None and (vu.avec.intact or vu.avec.premiere != vu.attendu)
    }
    assert rates == {}


def test_what_was_sealed_again_is_seen_by_the_points_alone(vus: dict[str, Vu | None]) -> None:
    """Without a point kept by somebody else, full control rewrites history unseen."""
    seules = {nom for nom, vu in vus.items() if vu is not None and vu.sans.intact}
    assert seules == {
        nom for nom, vu in vus.items() if vu is not None and vu.alteration.par_ancre_seule
    }


def test_every_column_of_the_log_is_altered(
    conn: Connection[Any], vus: dict[str, Vu | None]
) -> None:
    rows = conn.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'oi.event'::regclass AND attnum > 0"
    ).fetchall()
    colonnes = {nom for (nom,) in rows}
    assert colonnes == {*COLONNES, "seal"}, "une colonne du journal n’est pas scellée"
    assert {vu.alteration.colonne for vu in vus.values() if vu is not None} >= colonnes
    assert {nom for nom, vu in vus.items() if vu is None} == {
        "event.seal_scheme échangée entre deux lignes",  # All were sealed as they were written.
    }


def test_whatever_is_changed_behind_a_projection_is_named(conn: Connection[Any]) -> None:
    """Column after column, a row of every table at a time; then a row taken out of each."""
    conninfo = conn.info.dsn
    touchees, refusees = set(), set()
    colonnes = colonnes_des_projections(conn)
    for rang in range(max(map(len, colonnes.values()))):
        visees = {(t, list(c)[rang]) for t, c in colonnes.items() if rang < len(c)}
        changees = modifier_les_projections(conn, rang)
        touchees |= changees
        refusees |= visees - changees
        vues = {ecart.projection for ecart in rebuild(conninfo, replace=False).ecarts}
        assert vues == {table for table, _ in changees}
        rebuild(conninfo)
    assert {table for table, _ in touchees} == set(colonnes)
    # The base itself refuses what a constraint of the table forbids.
    assert len(refusees) < len(touchees) / 10
    otees = {table for table, _ in supprimer_des_projections(conn)}
    assert otees == set(colonnes)
    assert {e.projection for e in rebuild(conninfo, replace=False).ecarts} == otees
    assert set(rebuild(conninfo).different) == otees
    assert rebuild(conninfo, replace=False).ecarts == ()
