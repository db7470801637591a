"""Audits of operations as people read them: at two dates, within a perimeter, what is due."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
import pytest
from bases import base_neuve, projeter
from controles_joues import jouer_les_controles
from psycopg import Connection
from psycopg.rows import TupleRow
from vie import Vie

from aggregates.controle_operation.state import (
    CONTROLE_OPERATION,
    ControleOperation,
    ControleOperationAbsent,
)
from oi_service.app import open_service
from oi_service.application import Service
from oi_service.ids import new_id
from projections.controles_operation import (
    Attente,
    FiltresControles,
    attentes,
    controle,
    controles,
    controles_complets,
    controles_de_l_operation,
    en_jeu,
)
from projections.histoire import PHRASES
from projections.journal import histoire_du_dossier, journal
from projections.perimetre import OI_ENTIER, Perimetre
from projections.rebuild import beside, digests, rebuild, tables
from projections.situation import ACTUELLE, Situation
from projections.verification import violations

ALPHA, BETA = (Perimetre(frozenset({plie})) for plie in "AB")
FIN = date(2022, 12, 31)


@dataclass
class Jeu:
    """The played lives."""

    base: str
    service: Service
    vie: Vie


@pytest.fixture(scope="module")
def jeu(serveur: str, modele: str) -> Iterator[Jeu]:
    with base_neuve(serveur, modele) as base, open_service(base) as service:
        vie = Vie(service)
        jouer_les_controles(vie)
        yield Jeu(base, service, vie)


@pytest.fixture
def conn(jeu: Jeu) -> Iterator[Connection[TupleRow]]:
    with jeu.service.reads.connection() as connection:
        yield connection


def references(found: Any) -> list[str]:
    return [ligne.reference for ligne in found.lignes]


def test_the_list_says_where_each_stands_and_what_it_comes_to(conn: Connection[TupleRow]) -> None:
    page = controles(conn, OI_ENTIER, le=FIN)
    assert {c.reference: c.statut for c in page.lignes} == {
        "CICC-1": "clos",
        "VISITE-1": "suites_a_donner",
        "MISSION-1": "contradictoire",
        "ANNULE-1": "annule",
    }
    cicc = page.lignes[0]
    assert (cicc.cout_total_controle, cicc.nb_constats) == (8_000_000, 2)
    assert (cicc.cout_total_propose, cicc.fse_propose) == (550_000, 275_000)
    assert (cicc.cout_total_retenu, cicc.fse_retenu) == (100_000, 50_000)
    assert (cicc.date_limite_reponse, cicc.nb_attentes) == (date(2022, 10, 21), 0)
    assert cicc.resultat_libelle == "correction individuelle"
    assert (cicc.statut_libelle, cicc.modalite_libelle) == ("clos", "sur place")
    mission = page.lignes[2]
    assert (mission.nb_operations, mission.cout_total_controle) == (2, 300_000)
    assert mission.organisme_libelle == "Commission européenne"


def test_filters_choose(jeu: Jeu, conn: Connection[TupleRow]) -> None:
    def chosen(**filtres: Any) -> list[str]:
        return references(controles(conn, OI_ENTIER, FiltresControles(**filtres), le=FIN))

    assert chosen(operation_id=jeu.vie.id("OP-2")) == ["VISITE-1", "MISSION-1"]
    assert chosen(plie="A") == ["CICC-1", "MISSION-1", "ANNULE-1"]
    assert chosen(plie="A", operation_id=jeu.vie.id("OP-2")) == []
    assert chosen(organisme="autorite_audit") == ["CICC-1"]
    assert chosen(statut="annule") == ["ANNULE-1"]
    assert chosen(en_retard=True) == ["VISITE-1", "MISSION-1"]
    tot = controles(conn, OI_ENTIER, FiltresControles(en_retard=True), le=date(2022, 11, 15))
    assert references(tot) == []


def test_pages_follow_until_the_end(conn: Connection[TupleRow]) -> None:
    page = controles(conn, OI_ENTIER, le=FIN, limite=3)
    suite = controles(conn, OI_ENTIER, le=FIN, limite=3, apres=page.suivant)
    assert [*references(page), *references(suite)] == references(controles(conn, OI_ENTIER, le=FIN))
    assert suite.suivant is None


def test_a_control_shows_its_findings_their_answers_and_what_followed(
    jeu: Jeu, conn: Connection[TupleRow]
) -> None:
    vu = controle(conn, OI_ENTIER, jeu.vie.id("CICC-1"), le=FIN)
    premier, second = vu.constats
    assert premier.depenses == [jeu.vie.piece("OP-1", "P-0")]
    assert (premier.issue_libelle, premier.fse_retenu) == ("réduit", 50_000)
    assert premier.reponses_libelles == ("accepté (OI)",)
    assert (second.cout_total_propose, second.issue, second.fse_retenu) == (50_000, "abandonne", 0)
    assert second.reponses_libelles == ("contesté (bénéficiaire)",)
    assert not premier.au_dela_du_seuil_ims
    [operation] = vu.operations
    assert len(operation.depenses) == 2
    annulee, executee = vu.suites
    assert (annulee.statut, annulee.annulee_le) == ("annulee", date(2022, 10, 25))
    assert (executee.statut_libelle, executee.echeance) == ("exécutée", date(2022, 12, 10))
    [lien] = executee.liens
    assert (lien.csf_version, lien.cout_total_impute_centimes) == (2, 100_000)
    assert vu.attentes == ()
    with pytest.raises(ControleOperationAbsent):
        controle(conn, OI_ENTIER, new_id(), le=FIN)


def _dites(dues: tuple[Attente, ...]) -> list[tuple[str, str, int, int, int]]:
    return [(d.reference, d.objet, d.constat_numero, d.retard_jours, d.fse) for d in dues]


def test_what_is_due_is_said_with_its_delay_and_its_stake(conn: Connection[TupleRow]) -> None:
    dues = attentes(conn, OI_ENTIER, le=FIN)
    assert _dites(dues) == [
        ("VISITE-1", "suite", 1, 46, 10_000),
        ("MISSION-1", "reponse", 1, 31, 3_500),
        ("VISITE-1", "decision", 2, 30, 5_000),
    ]
    assert [d.objet_libelle for d in dues] == [
        "suite à exécuter",
        "réponse au rapport provisoire",
        "suite à décider",
    ]
    assert (en_jeu(dues).cout_total, en_jeu(dues).fse) == (27_000, 18_500)
    # A deadline is its whole last day.
    late = FiltresControles(en_retard=True)
    assert _dites(attentes(conn, OI_ENTIER, late, le=date(2022, 11, 15))) == []
    assert len(attentes(conn, OI_ENTIER, late, le=date(2022, 11, 16))) == 1


def test_what_was_due_on_a_day_is_what_the_situation_knew(conn: Connection[TupleRow]) -> None:
    octobre = Situation(effet_au=date(2022, 10, 7))
    dues = attentes(conn, OI_ENTIER, situation=octobre, le=date(2022, 10, 7))
    assert _dites(dues) == [
        ("VISITE-1", "reponse", 1, 0, 10_000),
        ("VISITE-1", "reponse", 2, 0, 5_000),
        ("CICC-1", "reponse", 1, 0, 250_000),
        ("CICC-1", "reponse", 2, 0, 25_000),
        ("MISSION-1", "reponse", 1, 0, 3_500),
        ("MISSION-1", "reponse", 2, 0, 4_000),
    ]
    avant = Situation(effet_au=date(2022, 9, 5))
    assert references(controles(conn, OI_ENTIER, situation=avant, le=FIN)) == ["CICC-1", "ANNULE-1"]


def test_a_plie_sees_its_own_side_of_a_control(jeu: Jeu, conn: Connection[TupleRow]) -> None:
    vus = {vu.ligne.reference: vu for vu in controles_complets(conn, ALPHA, le=FIN)}
    assert set(vus) == {"CICC-1", "MISSION-1", "ANNULE-1"}
    mission = vus["MISSION-1"]
    assert [o.numero_mdfse for o in mission.operations] == ["OP-1"]
    assert [k.numero for k in mission.constats] == [1]
    assert (mission.ligne.cout_total_controle, mission.ligne.fse_propose) == (100_000, 3_500)
    assert [d.constat_numero for d in mission.attentes] == [1]
    with pytest.raises(ControleOperationAbsent):
        controle(conn, ALPHA, jeu.vie.id("VISITE-1"), le=FIN)
    # The facts of a control of both say what is of the other: only the whole OI reads them.
    flux = {e.stream_id for e in journal(conn, ALPHA, limite=200).lignes}
    assert jeu.vie.id("CICC-1") in flux
    assert not flux & {jeu.vie.id("MISSION-1"), jeu.vie.id("VISITE-1")}


def test_the_story_of_a_dossier_tells_what_controls_find_on_it(
    jeu: Jeu, conn: Connection[TupleRow]
) -> None:
    histoire = histoire_du_dossier(conn, OI_ENTIER, "OP-2")
    dites = [e.phrase for e in histoire if e.name.startswith("controle_operation.")]
    assert any("Contrôle d’opération VISITE-1 notifié par" in dite for dite in dites)
    assert "Constat n° 2 contesté par l’OI." in dites
    premier = histoire_du_dossier(conn, OI_ENTIER, "OP-1")
    siens = [e for e in premier if e.stream_id == jeu.vie.id("MISSION-1")]
    assert [e.name for e in siens if "constat_numero" in e.data] == []
    tard = histoire_du_dossier(conn, OI_ENTIER, "OP-1", Situation(effet_au=date(2022, 9, 4)))
    assert not any(e.name.startswith("controle_operation.") for e in tard)
    assert [e for e in histoire_du_dossier(conn, BETA, "OP-2") if "MISSION-1" in e.phrase] == []


def test_the_page_of_an_operation_has_its_side_only(jeu: Jeu, conn: Connection[TupleRow]) -> None:
    visite, mission = controles_de_l_operation(conn, OI_ENTIER, jeu.vie.id("OP-2"), le=FIN)
    assert [d.objet for d in visite.attentes] == ["suite", "decision"]
    assert [k.numero for k in mission.constats] == [2]
    assert mission.attentes == ()


def test_every_sentence_of_a_control_is_said(jeu: Jeu) -> None:
    with jeu.service.reads.connection() as conn:
        noms = {row[0] for row in conn.execute("SELECT DISTINCT name FROM oi.event").fetchall()}
    assert {n for n in PHRASES if n.startswith("controle_operation.")} <= noms


# Two dates, and the rebuild.


def _plie(lus: list[Any]) -> dict[str, ControleOperation]:
    flux: dict[Any, list[Any]] = {}
    for lu in lus:
        flux.setdefault(lu.stream_id, []).append(lu)
    states = (CONTROLE_OPERATION.replay(lu.fait for lu in lus) for lus in flux.values())
    return {state.reference: state for state in states if state is not None}


def _resume(state: ControleOperation) -> dict[str, Any]:
    return {
        "statut": state.statut,
        "resultat": state.resultat,
        "limite": state.date_limite_reponse,
        "controle": state.cout_total_controle,
        "propose": sum(c.fse_propose for c in state.constats.values()),
        "retenu": state.retenu,
        "suites": {i: (s.statut, s.echeance) for i, s in state.suites.items()},
    }


def _jours(lus: list[Any]) -> list[date | None]:
    return [None, *sorted({lu.date_effet for lu in lus})]


def test_every_situation_is_what_the_facts_that_count_there_make(
    conn: Connection[TupleRow],
) -> None:
    tous: list[Any] = []
    apres = None
    while True:
        page = journal(conn, OI_ENTIER, ordre="asc", limite=200, apres=apres)
        tous += [e for e in page.lignes if e.name.startswith("controle_operation.")]
        apres = page.suivant
        if apres is None:
            break
    positions = [None, *(lu.position for lu in tous[::4])]
    for connu_le in positions:
        for effet_au in _jours(tous)[:: 1 if connu_le is None else 5]:
            situation = Situation(effet_au, connu_le)
            comptes = [
                lu
                for lu in tous
                if (connu_le is None or lu.position <= connu_le)
                and (effet_au is None or lu.date_effet <= effet_au)
            ]
            attendus = {ref: _resume(state) for ref, state in _plie(comptes).items()}
            vus = {
                vu.ligne.reference: {
                    "statut": vu.ligne.statut,
                    "resultat": vu.ligne.resultat,
                    "limite": vu.ligne.date_limite_reponse,
                    "controle": vu.ligne.cout_total_controle,
                    "propose": vu.ligne.fse_propose,
                    "retenu": (vu.ligne.cout_total_retenu, vu.ligne.fse_retenu),
                    "suites": {s.suite_id: (s.statut, s.echeance) for s in vu.suites},
                }
                for vu in controles_complets(conn, OI_ENTIER, situation=situation, le=FIN)
            }
            assert vus == attendus, situation


def test_the_tables_are_what_the_log_gives_read_again(conn: Connection[TupleRow]) -> None:
    toujours = Situation(effet_au=date(2149, 1, 1))
    assert controles_complets(conn, OI_ENTIER, situation=toujours, le=FIN) == controles_complets(
        conn, OI_ENTIER, situation=ACTUELLE, le=FIN
    )


@contextmanager
def _proprietaire(jeu: Jeu) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(jeu.base, autocommit=True) as owner:
        yield owner


def test_a_rebuild_by_any_pieces_gives_the_same_rows(jeu: Jeu) -> None:
    assert rebuild(jeu.base, replace=False).different == ()
    with _proprietaire(jeu) as owner, beside(owner, tables(owner)):
        row = owner.execute("SELECT position FROM oi.head").fetchone()
        assert row is not None
        live = digests(owner)
        for pas in (1, 7, row[0]):
            bornes = [*range(pas, row[0], pas), row[0]]
            refait = projeter(owner, bornes)
            assert {t: refait[t] for t in live if t.startswith("controle_")} == {
                t: live[t] for t in live if t.startswith("controle_")
            }


def test_the_books_hold_and_a_control_moves_no_amount(jeu: Jeu) -> None:
    with _proprietaire(jeu) as owner:
        assert [str(v) for _, found in violations(owner) for v in found] == []
        poses = owner.execute(
            """
            SELECT count(*) FROM projection.mouvement AS m
            INNER JOIN oi.event AS e ON m.position = e.position
            WHERE e.name LIKE 'controle_operation.%'
            """
        ).fetchone()
    assert poses == (0,)
