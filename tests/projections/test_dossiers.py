"""The list of operations: complete, once, in order, and adding up to the maquette."""

from itertools import product
from typing import Any, get_args

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow
from vie_complete import Vie

from aggregates.operation.state import Statut
from projections.curseurs import CurseurInvalide
from projections.dossiers import LigneOperation, Ordre, Tri, operations
from projections.maquette import charger
from projections.perimetre import OI_ENTIER, Perimetre

Conn = Connection[TupleRow]

MESURES = (
    "fse_depose",
    "fse_programme",
    "fse_programme_ajuste",
    "fse_conventionne",
    "fse_declare",
    "fse_retenu_csf",
    "fse_paye",
    "ct_depose",
    "ct_programme",
    "ct_programme_ajuste",
    "ct_conventionne",
    "ct_declare",
    "ct_retenu_csf",
)


def tout(conn: Conn, perimetre: Perimetre = OI_ENTIER, **filtres: Any) -> list[LigneOperation]:
    page = operations(conn, perimetre, limite=3, **filtres)
    found = list(page.lignes)
    while page.suivant is not None:
        page = operations(conn, perimetre, limite=3, apres=page.suivant, **filtres)
        found += page.lignes
    return found


@pytest.mark.parametrize("mesure", MESURES)
def test_the_list_adds_up_to_the_maquette_of_each_plie(conn: Conn, mesure: str) -> None:
    maquette = charger(conn, OI_ENTIER)
    assert maquette is not None
    par_plie = {plie_id: getattr(c, mesure) for plie_id, _, c in maquette.par_plie()}
    lignes = tout(conn)
    for plie_id in ("A", "B"):
        liste = sum(getattr(o, mesure) for o in lignes if o.plie_id == plie_id)
        assert liste == par_plie[plie_id]
    assert sum(getattr(o, mesure) for o in lignes) == getattr(maquette.total, mesure)
    assert any(getattr(o, mesure) for o in lignes), "a measure that is always zero proves nothing"


@pytest.mark.parametrize(("tri", "ordre"), list(product(get_args(Tri), get_args(Ordre))))
def test_each_sort_gives_every_operation_once(conn: Conn, vie: Vie, tri: Tri, ordre: Ordre) -> None:
    lignes = tout(conn, tri=tri, ordre=ordre)
    assert len(lignes) == len(vie.operations)
    assert {o.id for o in lignes} == set(vie.operations.values())
    keys = [(o.cle, o.numero_mdfse) for o in lignes]
    assert keys == sorted(keys, reverse=ordre == "desc")


def test_sorts_mean_what_people_expect(conn: Conn) -> None:
    montants = [o.fse for o in tout(conn, tri="fse", ordre="desc")]
    assert montants == sorted(montants, reverse=True)
    vie_du_dossier = get_args(Statut)
    rangs = [vie_du_dossier.index(o.statut) for o in tout(conn, tri="statut")]
    assert rangs == sorted(rangs)


@pytest.mark.parametrize(
    ("filtres", "noms"),
    [
        ({"statut": "retire"}, ["retirée"]),
        ({"statut": "archive"}, ["entière"]),
        ({"recherche": "ENTIÈRE BIS"}, ["entière"]),
        ({"recherche": "202100003"}, ["irrecevable"]),
        ({"recherche": "c3"}, ["abandonnée"]),
        ({"recherche": "fictif n° 02"}, ["conventionnée"]),
        ({"recherche": "%"}, []),
        ({"annee": 2022}, []),
        ({"objectif_specifique": "OS2"}, []),
        ({"plie": "B", "statut": "abandonne"}, ["abandonnée"]),
        ({"plie": "A", "statut": "abandonne"}, []),
    ],
)
def test_filters_keep_what_they_say(
    conn: Conn, vie: Vie, filtres: dict[str, Any], noms: list[str]
) -> None:
    assert [o.id for o in tout(conn, **filtres)] == [vie.operations[nom] for nom in noms]


def test_a_plie_sees_its_operations_only(conn: Conn) -> None:
    entier = tout(conn)
    for plie_id in ("A", "B"):
        vues = tout(conn, Perimetre(frozenset({plie_id})))
        assert vues == [o for o in entier if o.plie_id == plie_id]
        autre = "B" if plie_id == "A" else "A"
        assert tout(conn, Perimetre(frozenset({plie_id})), plie=autre) == []
    assert tout(conn, Perimetre(frozenset())) == []


def test_a_cursor_does_not_serve_another_sort(conn: Conn) -> None:
    suivant = operations(conn, OI_ENTIER, limite=1).suivant
    with pytest.raises(CurseurInvalide):
        operations(conn, OI_ENTIER, tri="fse", apres=suivant)


def test_a_label_is_said_for_every_state(conn: Conn) -> None:
    assert {o.statut_libelle for o in tout(conn, statut="irrecevable")} == {"irrecevable"}
    assert {o.statut_libelle for o in tout(conn, statut="archive")} == {"archivé"}
