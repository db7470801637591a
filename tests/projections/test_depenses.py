"""The dépenses of an operation: all of them, with every defect of their dates."""

from itertools import product
from typing import Any, get_args

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow
from vie_complete import Vie

from aggregates.depense.state import DepenseAbsente
from aggregates.operation.state import OperationAbsente
from projections.depenses import LigneDepense, Ordre, Tri, depense, depenses
from projections.dossiers import operations
from projections.perimetre import OI_ENTIER, Perimetre

Conn = Connection[TupleRow]


def tout(conn: Conn, vie: Vie, **filtres: Any) -> list[LigneDepense]:
    operation = vie.operations["entière"]
    page = depenses(conn, OI_ENTIER, operation, limite=2, **filtres)
    found = list(page.lignes)
    while page.suivant is not None:
        page = depenses(conn, OI_ENTIER, operation, limite=2, apres=page.suivant, **filtres)
        found += page.lignes
    return found


@pytest.mark.parametrize(("tri", "ordre"), list(product(get_args(Tri), get_args(Ordre))))
def test_each_sort_gives_every_depense_once(conn: Conn, vie: Vie, tri: Tri, ordre: Ordre) -> None:
    found = tout(conn, vie, tri=tri, ordre=ordre)
    assert len(found) == len(vie.depenses)
    assert {d.id for d in found} == set(vie.depenses)


def test_they_add_up_to_what_the_bilans_declared_and_the_controls_kept(
    conn: Conn, vie: Vie
) -> None:
    [operation] = operations(conn, OI_ENTIER, operation_id=vie.operations["entière"]).lignes
    found = tout(conn, vie)
    assert sum(d.montant_impute for d in found if d.bilan_id) == operation.ct_declare
    assert sum(d.retenu or 0 for d in found) == operation.ct_retenu_csf


def test_all_the_defects_of_dates_are_shown(conn: Conn, vie: Vie) -> None:
    codes = {d.id: [a.motif_code for a in d.anomalies] for d in tout(conn, vie)}
    # Done before the operation, paid after the last day to pay.
    assert codes.pop(vie.depenses[4]) == ["HORS_PERIODE", "ACQUITTEE_HORS_DELAI"]
    assert not any(codes.values())


def test_a_rejected_depense_says_why(conn: Conn, vie: Vie) -> None:
    [ecartee] = tout(conn, vie, ecartees=True)
    assert ecartee.id == vie.depenses[0]
    assert (ecartee.retenu, ecartee.ecarte) == (850_000, 150_000)
    assert ecartee.motif_libelle == "Pièce justificative non probante"


@pytest.mark.parametrize(
    ("filtres", "rangs"),
    [
        ({"statut": "annulee"}, [6]),
        ({"statut": "declaree"}, [5]),
        ({"motif_code": "PIECE_NON_PROBANTE"}, [0]),
        ({"recherche": "PIECE-3"}, [2]),
        ({"poste": "prestations"}, []),
        ({"ecartees": False}, [1, 2, 3, 4]),
    ],
)
def test_filters_keep_what_they_say(
    conn: Conn, vie: Vie, filtres: dict[str, Any], rangs: list[int]
) -> None:
    assert [d.id for d in tout(conn, vie, **filtres)] == [vie.depenses[r] for r in rangs]


def test_a_corrected_depense_shows_its_last_detail(conn: Conn, vie: Vie) -> None:
    corrigee = depense(conn, OI_ENTIER, vie.depenses[5])
    assert (corrigee.version, corrigee.montant_impute) == (2, 75_000)
    assert corrigee.detail.montant_impute_centimes == 75_000
    assert corrigee.poste_libelle == "Dépenses directes de personnel"


def test_outside_the_perimeter_there_is_nothing(conn: Conn, vie: Vie) -> None:
    beta = Perimetre(frozenset({"B"}))
    with pytest.raises(OperationAbsente):
        depenses(conn, beta, vie.operations["entière"])
    with pytest.raises(DepenseAbsente):
        depense(conn, beta, vie.depenses[0])
