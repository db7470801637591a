"""The demonstration at any two dates: the database answers what a naive fold of its events says.

Every kind of event is in the story. Told again with other days of effect, it holds corrections that
come late, and acts that count before what they follow.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import psycopg
import pytest
from bases import base_neuve, projeter
from demo_jouee import Jeu
from deux_dates import (
    Memoire,
    exemples,
    exiger_grand_livre,
    exiger_tables_vivantes,
    exiger_tout,
    jours_au_hasard,
    jours_par_flux,
    memoire,
    recopier,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pliage import additionner, lire, plier
from psycopg import Connection

from projections.rebuild import beside, digests, tables
from projections.situation import ACTUELLE, Situation

pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="module")
def conn(jeu: Jeu) -> Iterator[Connection[Any]]:
    with jeu.service.reads.connection() as conn:
        yield conn


@pytest.fixture(scope="module")
def lue(conn: Connection[Any]) -> Memoire:
    return memoire(conn)


def exiger_partout(conn: Connection[Any], lue: Memoire, *, entiers: bool, fois: int) -> None:
    """Compare in situations drawn at random; ``entiers``: no event counts before its elders."""

    @settings(deadline=None, max_examples=exemples(fois), database=None)
    @given(lue.situations(), st.randoms(use_true_random=False))
    def property_holds(situation: Situation, dice: Random) -> None:
        exiger_tout(conn, lue, situation, dice.sample(lue.operations, 3))
        if entiers:
            assert plier(lue.histoire, situation) == additionner(lue.changes, situation)

    property_holds()


def test_today_is_what_the_tables_hold(conn: Connection[Any], lue: Memoire) -> None:
    exiger_tables_vivantes(conn)
    exiger_grand_livre(conn, lue)
    exiger_tout(conn, lue, ACTUELLE, lue.operations)


def test_any_two_dates_are_the_fold_of_the_events_that_count(
    conn: Connection[Any], lue: Memoire
) -> None:
    exiger_partout(conn, lue, entiers=True, fois=40)


@pytest.mark.parametrize(
    ("jours", "entiers"), [(jours_par_flux, True), (jours_au_hasard, False)], ids=["flux", "hasard"]
)
def test_so_are_they_when_events_count_on_other_days(
    jeu: Jeu,
    lue: Memoire,
    serveur: str,
    modele: str,
    jours: Callable[[Memoire, Random], list[Any]],
    entiers: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    with base_neuve(serveur, modele) as base:
        recopier(jeu.base, base, jours(lue, Random(2021)))  # noqa: S311 - to be replayed
        with psycopg.connect(base, autocommit=True) as conn:
            autre = memoire(conn)
            exiger_tables_vivantes(conn)
            exiger_grand_livre(conn, autre)
            exiger_partout(conn, autre, entiers=entiers, fois=20)


def test_however_the_log_is_cut_the_projections_are_the_same(jeu: Jeu) -> None:
    with psycopg.connect(jeu.base, autocommit=True) as conn, beside(conn, tables(conn)):
        vivantes, derniere = digests(conn), len(lire(conn))

        @settings(deadline=None, max_examples=exemples(4), database=None)
        @given(st.sets(st.integers(1, derniere - 1), max_size=6))
        def property_holds(coupes: set[int]) -> None:
            assert projeter(conn, [*sorted(coupes), derniere]) == vivantes

        property_holds()
