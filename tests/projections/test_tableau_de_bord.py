"""What stands beside the maquette says the same as what follows every dossier, in few queries."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from bases import base_neuve
from pilotage_joue import jouer
from psycopg import Cursor
from psycopg.rows import TupleRow
from vie import Vie

from oi_service.app import open_service
from oi_service.application import Service
from oi_service.money import euros
from oi_service.verification import noter_verification
from projections import degagement
from projections.maquette import Maquette, charger
from projections.perimetre import OI_ENTIER, Perimetre
from projections.situation import Situation
from projections.tableau_de_bord import (
    TableauDeBord,
    cumuls,
    derniere_preuve,
    tableau_de_bord,
)

JUIN, NOVEMBRE = date(2022, 6, 1), date(2022, 11, 30)
#: However many dossiers there are.
REQUETES_MAX = 16


@pytest.fixture(scope="module")
def vie(serveur: str, modele: str) -> Iterator[Vie]:
    with base_neuve(serveur, modele) as base, open_service(base) as service:
        yield jouer(service)


def lire(
    vie: Vie,
    le: date = NOVEMBRE,
    situation: Situation | None = None,
    perimetre: Perimetre = OI_ENTIER,
) -> tuple[Maquette, TableauDeBord]:
    with vie.reads.connection() as conn:
        maquette = charger(conn, perimetre, None, situation or Situation())
        assert maquette is not None
        return maquette, tableau_de_bord(conn, perimetre, maquette, le=le)


def test_months_add_up_to_the_maquette(vie: Vie) -> None:
    maquette, tableau = lire(vie)
    for mesure in ("fse_retenu_csf", "fse_certifie"):
        somme = cumuls(tableau.mois, mesure)
        assert somme[-1][1] == getattr(maquette.total, mesure)
    # Retained in April, certified in September: the months between are there, and hold.
    retenu = cumuls(tableau.mois, "fse_retenu_csf")
    assert [jour for jour, _ in retenu] == sorted({jour for jour, _ in retenu})
    assert cumuls((), "fse_certifie") == []


def test_what_waits_for_a_control_is_what_the_plan_says(vie: Vie) -> None:
    _, tableau = lire(vie)
    [bilan] = tableau.a_controler
    assert (bilan.numero_mdfse, bilan.plie_id, euros(bilan.declare)) == ("B1", "B", "30000.00")
    with vie.reads.connection() as conn:
        pistes = degagement.charger(conn, OI_ENTIER, vie.id("SG"), le=NOVEMBRE).par_plie
    assert {p.plie_id: p.a_controler for p in pistes} == {"A": 0, "B": bilan.declare}
    assert bilan.en_retard
    assert not lire(vie, le=date(2022, 4, 10))[1].a_controler[0].en_retard


def test_what_was_controlled_since_still_waited_then(vie: Vie) -> None:
    _, tableau = lire(vie, le=date(2022, 4, 10), situation=Situation(effet_au=date(2022, 4, 10)))
    assert {b.numero_mdfse for b in tableau.a_controler} == {"A1", "B1"}


def test_targets_say_what_is_missing_and_what_is_foreseen(vie: Vie) -> None:
    _, tableau = lire(vie, le=JUIN)
    dits = [
        (s.plie_id, s.date_limite, euros(s.manque), s.prevu and euros(s.prevu))
        for s in tableau.seuils
    ]
    assert dits == [
        (None, date(2022, 3, 31), "60000.00", None),
        # 30 000 certified in September, 25 000 foreseen of which 10 000 came with them.
        (None, date(2022, 12, 31), "60000.00", "45000.00"),
        ("A", date(2022, 12, 31), "20000.00", "45000.00"),
    ]
    [_, oi, plie] = tableau.seuils
    assert (euros(oi.manque_prevu), euros(plie.manque_prevu)) == ("45000.00", "5000.00")
    with vie.reads.connection() as conn:
        lignes = degagement.charger(conn, OI_ENTIER, vie.id("SG"), le=JUIN).lignes
    assert [x.exposition for x in lignes] == [s.manque for s in tableau.seuils]


def test_a_reader_of_one_plie_sees_its_own(vie: Vie) -> None:
    _, tableau = lire(vie, perimetre=Perimetre(frozenset({"A"})))
    assert {s.plie_id for s in tableau.seuils} == {"A"}
    assert tableau.a_controler == ()
    assert {m.plie_id for m in tableau.mois} == {"A"}


def test_few_queries_whatever_the_dossiers(vie: Vie) -> None:
    requetes: list[object] = []

    class Ecoute(Cursor[TupleRow]):
        def execute(self, query: Any, *args: Any, **named: Any) -> Any:
            requetes.append(query)
            return super().execute(query, *args, **named)

    with vie.reads.connection() as conn:
        maquette = charger(conn, OI_ENTIER)
        assert maquette is not None
        conn.cursor_factory = Ecoute
        try:
            tableau_de_bord(conn, OI_ENTIER, maquette, le=NOVEMBRE)
        finally:
            conn.cursor_factory = Cursor
    assert 0 < len(requetes) <= REQUETES_MAX


def test_the_last_proof_is_told(service: Service) -> None:
    Vie(service).subvention()
    with service.reads.connection() as conn:
        assert derniere_preuve(conn, OI_ENTIER, Situation()) is None
    fait = noter_verification(service)
    assert fait is not None
    with service.reads.connection() as conn:
        preuve = derniere_preuve(conn, OI_ENTIER, Situation())
        avant = derniere_preuve(conn, OI_ENTIER, Situation(connu_le=fait.jusqua_position))
        de_tous = derniere_preuve(conn, Perimetre(frozenset({"A", "B"})), Situation())
    assert preuve is not None
    assert de_tous is None
    assert (preuve.nature, preuve.intacte) == ("verification", True)
    assert preuve.evenements == fait.jusqua_position
    assert avant is None
