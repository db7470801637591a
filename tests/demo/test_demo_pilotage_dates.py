"""The pilotage at any two dates is what a naive fold of the events says, late facts or not.

Told again with days of effect drawn at random, the story has acts that count before what they
follow: nothing breaks, and every figure is still a sum of what counts.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from random import Random
from typing import Any

import psycopg
import pytest
from bases import base_neuve
from demo_jouee import Jeu
from deux_dates import Memoire, exemples, jours_au_hasard, jours_par_flux, memoire, recopier
from hypothesis import given, settings
from pliage import Compte, additionner
from psycopg import Connection

from aggregates.subvention_globale import events as se
from aggregates.subvention_globale.state import SubventionGlobaleAbsente
from projections.degagement import charger as lire_degagement
from projections.gestion_dynamique import charger as lire_gestion
from projections.perimetre import OI_ENTIER
from projections.previsions import charger as lire_previsions
from projections.situation import Situation

pytestmark = pytest.mark.xdist_group("demo")

LE = date(2022, 11, 30)


def avant(situation: Situation, jour: date) -> Situation:
    """Return the same situation, stopped at a day."""
    effet = situation.effet_au
    return Situation(jour if effet is None else min(effet, jour), situation.connu_le)


def somme(figures: dict[Compte, int], mesure: str, **cases: object) -> int:
    return sum(
        montant
        for compte, montant in figures.items()
        if compte.mesure == mesure
        and all(v is None or getattr(compte.case, k) == v for k, v in cases.items())
    )


def exiger(conn: Connection[Any], lue: Memoire, situation: Situation) -> None:
    [sg] = lue.subventions
    if situation.connu_le is not None and situation.connu_le < sg.position:
        for charger in (lire_degagement, lire_previsions, lire_gestion):
            with pytest.raises(SubventionGlobaleAbsente):
                charger(conn, OI_ENTIER, sg.stream_id, situation, le=LE)
        return
    exiger_objectifs(conn, lue, situation)
    exiger_previsions(conn, lue, situation)
    exiger_revue(conn, lue, situation)


def exiger_objectifs(conn: Connection[Any], lue: Memoire, situation: Situation) -> None:
    [sg] = lue.subventions
    fixes: dict[tuple[Any, ...], se.ObjectifCertificationFixe] = {}
    for connu in lue.histoire:
        fait = connu.fait
        if isinstance(fait, se.ObjectifCertificationFixe) and connu.compte(situation):
            ligne = (fait.plie_id, fait.axe, fait.objectif_specifique, fait.date_limite)
            fixes[ligne] = fait
    lu = lire_degagement(conn, OI_ENTIER, sg.stream_id, situation, le=LE)
    vus = {}
    for x in lu.lignes:
        vise = x.objectif
        cle = (vise.plie_id, vise.axe, vise.objectif_specifique, vise.date_limite)
        vus[cle] = (vise.montant_cumule, vise.prefinancements, x.certifie)
        # The plan stops where it suffices, and what it does not cover is told.
        assert x.exposition == x.couvert_par_le_plan + x.reste_a_declarer
        avant_la_derniere = [e.cumul for e in x.plan][:-1]
        assert all(cumul < x.exposition for cumul in avant_la_derniere)
    attendus = {}
    for cle, fait in fixes.items():
        plie, axe, objectif, jour = cle
        certifies = additionner(lue.changes, avant(situation, jour))
        attendus[cle] = (
            fait.montant_cumule_centimes,
            fait.prefinancements_centimes,
            somme(certifies, "fse_certifie", plie=plie, axe=axe, objectif_specifique=objectif),
        )
    assert vus == attendus


def exiger_previsions(conn: Connection[Any], lue: Memoire, situation: Situation) -> None:
    [sg] = lue.subventions
    prevus: dict[tuple[str, str], dict[tuple[int, int], int]] = {}
    for connu in lue.histoire:
        fait = connu.fait
        if isinstance(fait, se.PrevisionDeposee) and connu.compte(situation):
            for t in fait.trimestres:
                serie = prevus.setdefault((fait.plie_id, t.mesure), {})
                serie[t.annee, t.trimestre] = t.montant_centimes
    lu = lire_previsions(conn, OI_ENTIER, sg.stream_id, situation, le=LE)
    vus = {
        (s.plie_id, s.mesure): {
            (t.annee, t.numero): t.prevu for t in s.trimestres if t.prevu is not None
        }
        for s in lu.suites
    }
    assert vus == prevus
    for s in lu.suites:
        for t in s.trimestres:
            a, b = (
                somme(
                    additionner(lue.changes, avant(situation, _FINS[n])), s.mesure, plie=s.plie_id
                )
                for n in (t.numero - 1, t.numero)
            )
            assert t.realise == b - a, (s.plie_id, s.mesure, t.numero)


#: The last day of 2021, then of each quarter of 2022: the story foresees nothing else.
_FINS = (
    date(2021, 12, 31),
    date(2022, 3, 31),
    date(2022, 6, 30),
    date(2022, 9, 30),
    date(2022, 12, 31),
)


def exiger_revue(conn: Connection[Any], lue: Memoire, situation: Situation) -> None:
    [sg] = lue.subventions
    figures = additionner(lue.changes, situation)
    revue = lire_gestion(conn, OI_ENTIER, sg.stream_id, situation, le=LE)
    for p in revue.par_plie:
        programme, ajuste, alloue = (
            somme(figures, mesure, plie=p.plie_id)
            for mesure in ("fse_programme", "fse_programme_ajuste", "fse_maquette")
        )
        assert p.reliquats == programme - ajuste
        assert p.disponible_a_programmer == alloue - ajuste
    operations: Counter[Any] = Counter()
    for compte, montant in figures.items():
        if compte.operation and compte.mesure in {"fse_conventionne", "fse_retenu_csf"}:
            signe = 1 if compte.mesure == "fse_conventionne" else -1
            operations[compte.operation] += signe * montant
    for x in revue.sous_realisations:
        assert x.montant == operations[x.operation_id] > 0
    for a in revue.ajustements:
        fin = additionner(lue.changes, avant(situation, date(a.annee, 12, 31)))
        assert a.programme == somme(fin, "fse_programme", annee=a.annee)
        assert a.justifie == somme(figures, "fse_retenu_csf", annee=a.annee)


def exiger_partout(conn: Connection[Any], lue: Memoire, fois: int) -> None:
    @settings(deadline=None, max_examples=exemples(fois), database=None)
    @given(lue.situations())
    def property_holds(situation: Situation) -> None:
        exiger(conn, lue, situation)

    property_holds()


@pytest.fixture(scope="module")
def conn(jeu: Jeu) -> Iterator[Connection[Any]]:
    with jeu.service.reads.connection() as conn:
        yield conn


def test_any_two_dates_are_the_fold_of_the_events_that_count(conn: Connection[Any]) -> None:
    exiger_partout(conn, memoire(conn), 20)


@pytest.mark.parametrize("jours", [jours_par_flux, jours_au_hasard])
def test_so_are_they_when_events_count_on_other_days(
    jeu: Jeu, serveur: str, modele: str, jours: Callable[[Memoire, Random], list[date]]
) -> None:
    with jeu.service.reads.connection() as source:
        lue = memoire(source)
    with base_neuve(serveur, modele) as base:
        recopier(jeu.base, base, jours(lue, Random(7)))  # noqa: S311 - to be replayed
        with psycopg.connect(base, autocommit=True) as autre:
            exiger_partout(autre, memoire(autre), 8)
