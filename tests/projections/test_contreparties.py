"""Contreparties: what is granted, paid, held by operations, and left."""

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow
from vie_complete import Vie

from aggregates.contrepartie.state import ContrepartieAbsente
from aggregates.operation.state import OperationAbsente
from aggregates.subvention_globale.state import SubventionGlobaleAbsente
from oi_service.ids import new_id
from projections.contreparties import affectations, contrepartie, contreparties
from projections.perimetre import OI_ENTIER, Perimetre

Conn = Connection[TupleRow]
ALPHA, BETA = (Perimetre(frozenset({plie_id})) for plie_id in "AB")


def test_what_is_left_is_what_no_operation_holds(conn: Conn, vie: Vie) -> None:
    page = contreparties(conn, OI_ENTIER, vie.sg, limite=1)
    assert page.suivant is not None
    suite = contreparties(conn, OI_ENTIER, vie.sg, limite=1, apres=page.suivant)
    assert suite.suivant is None
    lignes = (*page.lignes, *suite.lignes)
    assert [(c.id, c.attribue, c.percu, c.affecte, c.reste) for c in lignes] == [
        (vie.contreparties[0], 6_000_000, 2_000_000, 2_500_000, 3_500_000),
        (vie.contreparties[1], 6_000_000, 0, 1_000_000, 5_000_000),
    ]
    assert [c.version for c in lignes] == [4, 2]
    for ligne in lignes:
        held = affectations(conn, OI_ENTIER, contrepartie_id=ligne.id)
        assert sum(a.montant for a in held) == ligne.affecte


def test_filters_keep_what_they_say(conn: Conn, vie: Vie) -> None:
    for filtres in (
        {"plie": "A"},
        {"type_financeur": "publique_epci"},
        {"recherche": "epci"},
    ):
        [seule] = contreparties(conn, OI_ENTIER, vie.sg, **filtres).lignes
        assert seule.id == vie.contreparties[0]
        assert seule.type_libelle == "Intercommunalité (EPCI)"
    assert contreparties(conn, OI_ENTIER, vie.sg, annee=2020).lignes == ()


def test_an_operation_shows_what_it_holds(conn: Conn, vie: Vie) -> None:
    held = affectations(conn, OI_ENTIER, operation_id=vie.operations["entière"])
    assert [(a.financeur, a.montant) for a in held] == [
        ("EPCI fictive", 2_500_000),
        ("Région fictive", 1_000_000),
    ]


def test_a_plie_sees_its_own_contreparties_only(conn: Conn, vie: Vie) -> None:
    assert [c.id for c in contreparties(conn, ALPHA, vie.sg).lignes] == [vie.contreparties[0]]
    assert contreparties(conn, BETA, vie.sg).lignes == ()
    # What an operation holds of a shared contrepartie belongs to its plan: its PLIE sees it.
    assert len(affectations(conn, ALPHA, operation_id=vie.operations["entière"])) == 2
    assert affectations(conn, BETA, contrepartie_id=vie.contreparties[0]) == []
    with pytest.raises(OperationAbsente):
        affectations(conn, BETA, operation_id=vie.operations["entière"])
    with pytest.raises(ContrepartieAbsente):
        contrepartie(conn, ALPHA, vie.contreparties[1])


def test_an_unknown_grant_is_refused(conn: Conn) -> None:
    with pytest.raises(SubventionGlobaleAbsente):
        contreparties(conn, OI_ENTIER, new_id())
