"""Rebuilding: the same digests however the log is cut, wherever it runs, and while people work."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any

import psycopg
import pytest
from bases import base_neuve, projeter
from deux_dates import exemples
from fabrique import euros, fait
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_essai import enveloppe
from psycopg import Connection
from psycopg.conninfo import make_conninfo
from vie import Vie
from vie_au_hasard import fonder, hasard, vivre

from aggregates.registre.events import ProjectionsRefaites
from aggregates.registre.state import REGISTRE_ID
from aggregates.subvention_globale.events import TransfertEnveloppeDecide
from oi_service.app import open_service, refaire
from oi_service.application import Service
from oi_service.recorder import Recorded
from projections.maquette import charger
from projections.perimetre import OI_ENTIER
from projections.rebuild import Empreinte, beside, digests, rebuild, tables

pytestmark = pytest.mark.xdist_group("refonte")

#: Where and how a session may count its days and write them.
FUSEAUX = ("UTC", "Europe/Paris", "Pacific/Kiritimati", "America/Caracas")
ECRITURES = ("ISO, MDY", "German", "SQL, DMY")


@pytest.fixture(scope="module")
def vecue(serveur: str, modele: str) -> Iterator[str]:
    """Lend a base where people lived; these tests only read it."""
    with base_neuve(serveur, modele) as base:
        with open_service(base) as service:
            dice, vie = hasard(21), Vie(service)
            fonder(vie, dice)
            vivre(vie, dice, 250)
        yield base


def tete(conn: Connection[Any]) -> int:
    row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    return int(row[0])


def test_however_the_log_is_cut_the_projections_are_the_same(vecue: str) -> None:
    with psycopg.connect(vecue, autocommit=True) as conn, beside(conn, tables(conn)):
        vivantes, derniere = digests(conn), tete(conn)
        assert projeter(conn, list(range(1, derniere + 1))) == vivantes

        @settings(deadline=None, max_examples=exemples(30), database=None)
        @given(
            st.sets(st.integers(1, derniere - 1), max_size=12),
            st.sampled_from(FUSEAUX),
            st.sampled_from(ECRITURES),
        )
        def property_holds(coupes: set[int], fuseau: str, ecriture: str) -> None:
            conn.execute("SELECT set_config('timezone', %s, false)", (fuseau,))
            conn.execute("SELECT set_config('datestyle', %s, false)", (ecriture,))
            assert projeter(conn, [*sorted(coupes), derniere]) == vivantes

        property_holds()


_REFAIRE = "import sys; from projections.rebuild import rebuild; r = rebuild(sys.argv[1]); "
_REFAIRE += "print(r.digest, r.different)"


def test_a_rebuild_finds_the_same_wherever_it_runs(vecue: str) -> None:
    ici = rebuild(vecue)
    for graine, fuseau, ecriture in (("0", "Pacific/Kiritimati", "German"), ("4242", "UTC", "SQL")):
        ailleurs = {"PYTHONHASHSEED": graine, "TZ": fuseau, "PGTZ": fuseau, "PGDATESTYLE": ecriture}
        done = subprocess.run(
            [sys.executable, "-c", _REFAIRE, vecue],
            env=os.environ | ailleurs,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == f"{ici.digest} ()"


# While people work.


@pytest.fixture
def vie(service: Service) -> Vie:
    """Lend 100 000,00 € for each of two PLIE, and an operation under convention."""
    played = Vie(service)
    played.subvention()
    played.tranche("300000.00", "300000.00")
    played.enveloppe("A", "100000.00")
    played.enveloppe("B", "100000.00")
    played.appel()
    played.jusqu_au_demarrage("un")
    return played


@pytest.fixture
def controle(base: str) -> Iterator[Connection[Any]]:
    """Lend a connection of the owner, who looks at what the others wait for."""
    with psycopg.connect(base, autocommit=True) as conn:
        yield conn


def abimer(conn: Connection[Any]) -> None:
    """Make the shown figures wrong: a movement a cent too big, others lost."""
    conn.execute(
        "UPDATE projection.mouvement SET centimes = centimes + 1 WHERE mesure = 'fse_programme'"
    )
    conn.execute("DELETE FROM projection.mouvement WHERE mesure = 'fse_conventionne'")


def attendre(conn: Connection[Any], requete: str) -> None:
    """Wait until another session, in a statement like this one, waits for a lock."""
    waiting = (
        "SELECT FROM pg_stat_activity WHERE datname = current_database() "
        "AND wait_event_type = 'Lock' AND query LIKE %s AND pid <> pg_backend_pid()"
    )
    for _ in range(1_500):
        if conn.execute(waiting, (f"%{requete}%",)).fetchone() is not None:
            return
        time.sleep(0.01)
    raise AssertionError(requete)


def chiffres(conn: Connection[Any]) -> tuple[Any, ...]:
    found = charger(conn, OI_ENTIER)
    assert found is not None
    return found.lignes, found.financeurs, found.position


def test_an_append_in_flight_at_the_comparison_is_in_what_is_put_right(
    vie: Vie, base: str, controle: Connection[Any]
) -> None:
    abimer(controle)
    avant, montres = tete(controle), chiffres(controle)
    version_sg = len(vie.journal.recorder.select_streams([vie.id("SG")])[vie.id("SG")])
    transfert = Recorded(vie.id("SG"), version_sg + 1, fait(TransfertEnveloppeDecide))
    # The pool is left last: whatever fails, nobody waits for ever for who holds the log.
    with ThreadPoolExecutor(1) as pool, psycopg.connect(base) as ecrivain:
        facts = [vie.journal.mapper.to_stored_event(transfert)]
        vie.journal.recorder._call(ecrivain, facts, enveloppe(), {}, 1)
        refonte = pool.submit(rebuild, base)
        # It compared without the event that is not there yet, and now waits for its writer.
        attendre(controle, "FROM oi.head FOR UPDATE")
        assert chiffres(controle) == montres
        ecrivain.commit()
        refaite = refonte.result(timeout=30)
    assert refaite.different == ("mouvement",)
    assert refaite.events == tete(controle) == avant + 1
    assert digests(controle) == refaite.digests
    assert rebuild(base).different == ()
    assert chiffres(controle) != montres


def test_nobody_reads_half_of_a_replacement_nor_waits_for_it(
    vie: Vie, base: str, controle: Connection[Any]
) -> None:
    abimer(controle)
    montres = chiffres(controle)
    # The replacement stops between its two halves: what was wrong is deleted, nothing is put back.
    controle.execute(
        """
        CREATE FUNCTION public.attendre() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_advisory_xact_lock(1);
            RETURN NULL;
        END
        $$;
        CREATE TRIGGER attendre BEFORE INSERT ON projection.mouvement
            FOR EACH STATEMENT EXECUTE FUNCTION public.attendre()
        """
    )
    presse = make_conninfo(base, options="-c statement_timeout=2s -c role=oi_application")
    with (
        ThreadPoolExecutor(2) as pool,
        psycopg.connect(base) as ancien,
        psycopg.connect(base, autocommit=True) as barriere,
    ):
        barriere.execute("SELECT pg_advisory_lock(1)")
        ancien.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        assert chiffres(ancien) == montres
        refonte = pool.submit(rebuild, base)
        attendre(controle, 'INSERT INTO "projection"."mouvement"')
        transfert = pool.submit(vie.transfert, "A", "B", "1000.00")
        attendre(controle, "oi.append")
        for _ in range(3):
            assert chiffres(ancien) == montres
            with psycopg.connect(presse, autocommit=True) as nouveau:
                assert chiffres(nouveau) == montres
        assert not refonte.done()
        assert not transfert.done()
        barriere.execute("SELECT pg_advisory_unlock(1)")
        refaite, transfere = refonte.result(timeout=30), transfert.result(timeout=30)
        assert chiffres(ancien) == montres
    assert refaite.different == ("mouvement",)
    assert transfere.events[0].position == refaite.events + 1
    maquette = vie.maquette().total
    assert (maquette.fse_programme, maquette.fse_conventionne) == (euros(50_000), euros(50_000))
    assert rebuild(base, replace=False).different == ()


def test_the_figures_stay_right_while_people_work_and_the_register_is_rebuilt(
    vie: Vie, base: str, controle: Connection[Any]
) -> None:
    finished = threading.Event()

    def ecrire(qui: str) -> int:
        """Record contreparties of one euro, that no rival disputes."""
        times = 0
        while not finished.is_set():
            vie.contrepartie(f"{qui}-{times}", "1.00")
            times += 1
        return times

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(ecrire, qui) for qui in ("A", "B")]
        try:
            for _ in range(3):
                abimer(controle)
                assert rebuild(base).different == ("mouvement",)
        finally:
            finished.set()
        written = [writer.result(timeout=30) for writer in writers]
    assert all(written)
    assert rebuild(base, replace=False).different == ()
    row = controle.execute(
        "SELECT sum(centimes) FROM projection.mouvement WHERE mesure = 'cp_attribuee'"
    ).fetchone()
    assert row == (euros(sum(written)),)


def test_the_certificate_of_a_rebuild_can_be_found_again(
    vie: Vie, base: str, controle: Connection[Any]
) -> None:
    abimer(controle)
    jusqua = tete(controle)
    refaite = refaire(base)
    vie.bilan("un")
    vie.controle("un")

    [stored] = vie.journal.recorder.select_streams([REGISTRE_ID])[REGISTRE_ID]
    certificat = vie.journal.decode(stored)
    assert isinstance(certificat, ProjectionsRefaites)
    assert certificat.jusqua_position == refaite.events == jusqua
    assert certificat.differentes == ("mouvement",)
    assert certificat.duree_ms == round(refaite.seconds * 1000) > 0
    assert certificat.version_code == version("oi-service")
    source = controle.execute("SELECT source_sha256 FROM oi.projection_state").fetchone()
    assert (certificat.empreinte_code,) == source

    with beside(controle, tables(controle)):
        retrouvees = projeter(controle, [jusqua])
        depuis = projeter(controle, [tete(controle)])
    certifiees = {e.projection: Empreinte(e.lignes, e.empreinte) for e in certificat.empreintes}
    assert retrouvees == certifiees
    assert depuis == digests(controle) != certifiees


def test_each_rebuild_keeps_its_own_certificate(vie: Vie, base: str) -> None:
    refaire(base)
    refaire(base)
    premier, second = (
        vie.journal.decode(s)
        for s in vie.journal.recorder.select_streams([REGISTRE_ID])[REGISTRE_ID]
    )
    assert isinstance(premier, ProjectionsRefaites)
    assert isinstance(second, ProjectionsRefaites)
    # The certificate itself is in the log, and moves no figure.
    assert second.jusqua_position == premier.jusqua_position + 1
    assert second.empreintes == premier.empreintes
    assert second.differentes == premier.differentes == ()
