"""The journal: every event says itself, in order, to who may see it."""

from collections.abc import Callable
from datetime import date
from string import Formatter
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow
from vie_complete import Vie

from oi_service.codec import REGISTRY
from oi_service.ids import new_id
from projections.curseurs import CurseurInvalide, Page
from projections.histoire import PHRASES
from projections.journal import (
    EvenementAbsent,
    EvenementLu,
    Ordre,
    evenement,
    histoire_du_dossier,
    journal,
)
from projections.perimetre import OI_ENTIER, Perimetre

Conn = Connection[TupleRow]
ALPHA = Perimetre(frozenset({"A"}))


def tout(lire: Callable[..., Page[EvenementLu]], **filtres: Any) -> list[EvenementLu]:
    """Read a list to its end, by small pages."""
    page = lire(limite=7, **filtres)
    found = list(page.lignes)
    while page.suivant is not None:
        page = lire(limite=7, apres=page.suivant, **filtres)
        found += page.lignes
    return found


def test_every_event_has_its_sentence_and_nothing_else_has_one() -> None:
    assert set(PHRASES) == set(REGISTRY.classes)


@pytest.mark.parametrize("name", PHRASES)
def test_a_sentence_only_speaks_of_fields_of_its_event(name: str) -> None:
    fields = set(REGISTRY.classes[name].__struct_fields__)
    named = {f.split(".")[0] for _, f, _, _ in Formatter().parse(PHRASES[name]) if f}
    assert named <= fields


def test_every_event_of_a_life_is_told(conn: Conn, vie: Vie) -> None:
    lus = tout(lambda **f: journal(conn, OI_ENTIER, **f))
    assert len(lus) > 100
    for lu in lus:
        assert lu.phrase.endswith(".")
        assert "{" not in lu.phrase
        assert f"n° {lu.position}, {lu.date_effet:%d/%m/%Y}" in lu.histoire
        assert lu.acteur in lu.histoire


@pytest.mark.parametrize("ordre", ["asc", "desc"])
def test_pages_hold_every_event_once_and_in_order(conn: Conn, ordre: Ordre) -> None:
    positions = [lu.position for lu in tout(lambda **f: journal(conn, OI_ENTIER, **f), ordre=ordre)]
    row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    attendues = list(range(1, row[0] + 1))
    assert positions == (attendues if ordre == "asc" else attendues[::-1])


def test_the_story_of_a_dossier_is_the_same_by_number_and_by_identifier(
    conn: Conn, vie: Vie
) -> None:
    operation = vie.operations["entière"]
    histoire = histoire_du_dossier(conn, OI_ENTIER, "202100001")
    assert histoire == histoire_du_dossier(conn, OI_ENTIER, str(operation).upper())
    assert [lu.position for lu in histoire] == sorted(lu.position for lu in histoire)
    assert histoire[0].name == "operation.dossier_depose.v1"
    siens = {operation, vie.convention, *vie.depenses}
    ailleurs = [lu for lu in histoire if lu.stream_id not in siens]
    assert [lu.name for lu in histoire if lu not in ailleurs][-1] == "operation.dossier_archive.v1"
    assert {lu.stream_id for lu in histoire if lu not in ailleurs} == siens
    # What was affected to it and who controlled it, wherever that is written.
    assert {lu.name for lu in ailleurs} == {
        "contrepartie.affectee.v1",
        "contrepartie.affectation_annulee.v1",
        "controle_operation.notifie.v1",
        "controle_operation.commence.v1",
        "controle_operation.rapport_provisoire_recu.v1",
    }
    dit = " ".join(lu.phrase for lu in histoire).replace("\u202f", " ").replace("\u00a0", " ")
    assert "Paiement effectué (solde) : 11 000,00 €, virement virement-solde." in dit
    assert "1 500,00 € écartés (Pièce justificative non probante)." in dit
    assert "Indicateur n° 1 renseigné : 39,999." in dit
    assert "Avenant n° 1 signé : +5 000,00 € de FSE, 0,00 € de coût total." in dit
    assert "Motif : Signature absente." in dit


def test_an_unknown_dossier_has_no_story(conn: Conn) -> None:
    assert histoire_du_dossier(conn, OI_ENTIER, "inconnu") == []


def test_filters_keep_what_they_say(conn: Conn, vie: Vie) -> None:
    operation = vie.operations["entière"]
    lire = lambda **f: tout(lambda **g: journal(conn, OI_ENTIER, **g), **f)  # noqa: E731
    assert {e.name for e in lire(nom="convention.paiement_effectue.v1")} == {
        "convention.paiement_effectue.v1"
    }
    assert {e.acteur for e in lire(acteur="valideur-1")} == {"valideur-1"}
    assert {e.stream_id for e in lire(flux=vie.convention)} == {vie.convention}
    assert {e.position for e in lire(operation_id=operation)} == {
        e.position
        for e in histoire_du_dossier(conn, OI_ENTIER, str(operation))
        if not e.name.startswith(("contrepartie.", "controle_operation."))
    }
    assert lire(operation_id=operation, flux=vie.operations["refusée"]) == []
    du, au = date(2021, 4, 10), date(2021, 4, 12)
    entre = lire(du=du, au=au)
    assert {e.date_effet for e in entre} == {du, date(2021, 4, 11), au}


def test_a_plie_sees_its_own_events_and_both_sides_of_a_transfer(conn: Conn, vie: Vie) -> None:
    vus = tout(lambda **f: journal(conn, ALPHA, **f))
    flux = {e.stream_id for e in vus}
    ailleurs: set[UUID] = {
        vie.operations[nom] for nom in ("conventionnée", "abandonnée", "retirée")
    }
    assert not flux & {*ailleurs, vie.appel, vie.contreparties[1]}
    assert {vie.operations["entière"], vie.convention, *vie.depenses} <= flux
    transferts = [e for e in vus if "transfert" in e.name]
    assert len(transferts) == 2
    assert not [e for e in vus if "PLIE B" in e.phrase and e not in transferts]


def test_an_event_outside_the_perimeter_does_not_exist(conn: Conn, vie: Vie) -> None:
    premier = evenement(conn, OI_ENTIER, 1)
    assert premier.name == "subvention_globale.conventionnee.v1"
    with pytest.raises(EvenementAbsent):
        evenement(conn, ALPHA, 1)
    with pytest.raises(EvenementAbsent):
        evenement(conn, OI_ENTIER, 10**9)


@pytest.mark.parametrize("apres", ["", "é", "WzFd", "bnVsbA", "WyJhdXRyZSIsMV0", "e30"])
def test_a_cursor_that_is_not_ours_is_refused(conn: Conn, apres: str) -> None:
    with pytest.raises(CurseurInvalide):
        journal(conn, OI_ENTIER, apres=apres)


def test_a_cursor_does_not_serve_another_order(conn: Conn) -> None:
    suivant = journal(conn, OI_ENTIER, limite=1).suivant
    with pytest.raises(CurseurInvalide):
        journal(conn, OI_ENTIER, ordre="asc", apres=suivant)


def test_an_unknown_stream_has_no_event(conn: Conn) -> None:
    assert journal(conn, OI_ENTIER, flux=new_id()) == Page((), None)
