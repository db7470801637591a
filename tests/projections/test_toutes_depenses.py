"""The dépenses of all operations: what is said of each operation, said once of all."""

from collections.abc import Iterator
from datetime import date
from itertools import product
from typing import Any, get_args

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow
from vie_complete import Vie

from projections.curseurs import CurseurInvalide, ecrire
from projections.depenses import LigneDepense, Ordre, depenses
from projections.perimetre import OI_ENTIER, Perimetre
from projections.situation import ACTUELLE, Situation
from projections.toutes_depenses import (
    DepenseListee,
    FiltresDesDepenses,
    Tri,
    parcourir,
    totaux,
    toutes_depenses,
)

Conn = Connection[TupleRow]


def tout(conn: Conn, situation: Situation = ACTUELLE, **demande: Any) -> list[DepenseListee]:
    tri, ordre = demande.pop("tri", "saisie"), demande.pop("ordre", "asc")
    perimetre = demande.pop("perimetre", OI_ENTIER)
    filtres = FiltresDesDepenses(**demande)
    found: list[DepenseListee] = []
    apres, reste = None, True
    while reste:
        page = toutes_depenses(
            conn, perimetre, situation, filtres, tri=tri, ordre=ordre, limite=3, apres=apres
        )
        found += page.lignes
        apres = page.suivant
        reste = apres is not None
    return found


def de_chaque_operation(
    conn: Conn, vie: Vie, situation: Situation = ACTUELLE
) -> Iterator[LigneDepense]:
    for operation in vie.operations.values():
        yield from depenses(conn, OI_ENTIER, operation, situation, limite=200).lignes


def dire(d: DepenseListee | LigneDepense) -> tuple[object, ...]:
    detail = d.detail if isinstance(d, LigneDepense) else d
    return (
        d.id,
        d.operation_id,
        d.statut,
        d.poste,
        d.montant_impute,
        d.bilan_id,
        d.csf_id,
        d.retenu,
        d.ecarte,
        d.motif_code,
        d.version,
        detail.nature,
        detail.tiers_ref,
        detail.piece_ref,
        detail.date_piece,
        detail.date_realisation,
        detail.date_acquittement,
    )


@pytest.mark.parametrize(("tri", "ordre"), list(product(get_args(Tri), get_args(Ordre))))
def test_each_sort_gives_every_depense_once_in_its_order(
    conn: Conn, vie: Vie, tri: Tri, ordre: Ordre
) -> None:
    found = tout(conn, tri=tri, ordre=ordre)
    assert {d.id for d in found} == set(vie.depenses)
    assert len(found) == len(vie.depenses)
    cles = {
        "saisie": lambda d: d.position,
        "date_piece": lambda d: (d.date_piece, d.position),
        "montant": lambda d: (d.montant_impute, d.position),
        "operation": lambda d: (d.numero_mdfse, d.position),
    }
    assert found == sorted(found, key=cles[tri], reverse=ordre == "desc")
    assert list(parcourir(conn, OI_ENTIER, tri=tri, ordre=ordre)) == found


def test_it_says_what_is_said_of_each_operation(conn: Conn, vie: Vie) -> None:
    assert sorted(map(dire, tout(conn))) == sorted(map(dire, de_chaque_operation(conn, vie)))


def test_it_says_so_of_every_past_too(conn: Conn, vie: Vie) -> None:
    [(tete,)] = conn.execute("SELECT position FROM oi.head").fetchall()
    situations = [Situation(connu_le=p) for p in range(tete // 2, tete, 3)]
    situations += [Situation(effet_au=date(2022, m, 15)) for m in range(1, 13)]
    for situation in situations:
        connues = [o for o in vie.operations.values() if _connue(conn, o, situation)]
        attendues = [
            d for o in connues for d in depenses(conn, OI_ENTIER, o, situation, limite=200).lignes
        ]
        found = tout(conn, situation)
        assert sorted(map(dire, found), key=str) == sorted(map(dire, attendues), key=str), situation
        assert list(parcourir(conn, OI_ENTIER, situation, ordre="asc")) == found


def _connue(conn: Conn, operation: object, situation: Situation) -> bool:
    row = conn.execute(
        "SELECT 1 FROM oi.event WHERE stream_id = %s AND version = 1 "
        "AND position <= %s AND date_effet <= %s",
        (operation, *situation.parametres.values()),
    ).fetchone()
    return row is not None


@pytest.mark.parametrize(
    ("filtres", "rangs"),
    [
        ({"statut": "annulee"}, [6]),
        ({"statut": "declaree"}, [5]),
        ({"rattachee": False}, [5, 6]),
        ({"motif_code": "PIECE_NON_PROBANTE"}, [0]),
        ({"recherche": "piece-3"}, [2]),
        ({"poste": "prestations"}, []),
        ({"ecartees": True}, [0]),
        ({"ecartees": False}, [1, 2, 3, 4]),
        ({"plie": "B"}, []),
        ({"operation": "inconnu"}, []),
    ],
)
def test_filters_keep_what_they_say(
    conn: Conn, vie: Vie, filtres: dict[str, Any], rangs: list[int]
) -> None:
    found = [d.id for d in tout(conn, **filtres)]
    assert sorted(found) == sorted(vie.depenses[r] for r in rangs)


def test_bounds_of_days_and_amounts_are_included(conn: Conn, vie: Vie) -> None:
    found = tout(conn)
    jours, montants = [d.date_piece for d in found], [d.montant_impute for d in found]
    assert tout(conn, date_piece_du=min(jours), date_piece_au=max(jours)) == found
    assert tout(conn, montant_min=min(montants), montant_max=max(montants)) == found
    assert max(montants) not in [
        d.montant_impute for d in tout(conn, montant_max=max(montants) - 1)
    ]


def test_totals_are_those_of_the_lines(conn: Conn, vie: Vie) -> None:
    for filtres in ({}, {"ecartees": True}, {"statut": "annulee"}, {"poste": "prestations"}):
        lues = tout(conn, **filtres)
        total = totaux(conn, OI_ENTIER, ACTUELLE, FiltresDesDepenses(**filtres))
        comptees = [d for d in lues if d.statut != "annulee"]
        assert total.nombre == len(lues)
        assert total.annulees == len(lues) - len(comptees)
        assert total.declare == sum(d.montant_impute for d in comptees)
        assert total.retenu == sum(d.retenu or 0 for d in lues)
        assert total.ecarte == sum(d.ecarte or 0 for d in lues)


def test_a_depense_says_in_which_bilan_it_is(conn: Conn, vie: Vie) -> None:
    assert {(d.bilan_id is None, d.bilan_numero is None) for d in tout(conn)} == {
        (True, True),
        (False, False),
    }


def test_outside_the_perimeter_there_is_nothing(conn: Conn, vie: Vie) -> None:
    beta = Perimetre(frozenset({"B"}))
    assert tout(conn, perimetre=beta) == []
    assert list(parcourir(conn, beta)) == []
    assert totaux(conn, beta).nombre == 0


@pytest.mark.parametrize(
    ("tri", "cle"), [("date_piece", ("hier", 1)), ("montant", ("1", 1)), ("saisie", (1,))]
)
def test_a_cursor_that_we_did_not_write_is_refused(
    conn: Conn, tri: Tri, cle: tuple[str | int, ...]
) -> None:
    forge = ecrire(f"toutes_depenses {tri} asc", cle)
    with pytest.raises(CurseurInvalide):
        toutes_depenses(conn, OI_ENTIER, tri=tri, ordre="asc", apres=forge)
