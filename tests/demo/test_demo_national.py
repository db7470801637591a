"""The copies of a life are a log that the service itself could have written."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from uuid import UUID

import psycopg
import pytest
from bases import base_neuve
from demo_jouee import Jeu
from psycopg import Connection
from psycopg.rows import TupleRow

from bench.national import (
    TRANCHES,
    Ecrit,
    Vie,
    composer,
    ecrire,
    gabarit,
    lire_la_vie,
    morceaux,
    morceaux_du_fait,
)
from oi_service.ids import convention_of
from oi_service.verification import verifier
from projections.rebuild import rebuild

pytestmark = pytest.mark.xdist_group("demo")

UN_ID = "831497ab-26aa-56ca-95d2-aa77628c148c"


@pytest.fixture(scope="module")
def vie(jeu: Jeu) -> Vie:
    with psycopg.connect(jeu.base) as conn:
        return lire_la_vie(conn, 2021)


class Copies:
    """A database that holds the grant of one OI and two of its copies."""

    def __init__(self, base: str, vie: Vie) -> None:
        self.base = base
        self.ecrit: Ecrit = ecrire(base, composer(1, [vie], 7)[:3])
        rebuild(base)


@pytest.fixture(scope="module")
def copies(serveur: str, modele: str, vie: Vie) -> Iterator[Copies]:
    with base_neuve(serveur, modele) as base:
        yield Copies(base, vie)


@pytest.fixture
def conn(copies: Copies) -> Iterator[Connection[TupleRow]]:
    with psycopg.connect(copies.base) as opened:
        yield opened


def test_the_invariants_of_the_service_hold_on_the_copies(copies: Copies) -> None:
    controles = list(verifier(copies.base))
    assert controles
    assert [ecart for controle in controles for ecart in controle.ecarts] == []


def test_each_copy_has_every_fact_of_the_life(
    jeu: Jeu, conn: Connection[TupleRow], copies: Copies
) -> None:
    requete = (
        "SELECT name FROM oi.event WHERE split_part(name, '.', 1) IN "
        "('appel_a_projets', 'operation', 'convention', 'depense', 'contrepartie')"
    )
    jouees = Counter(jeu.valeurs(requete))
    copiees = Counter(row[0] for row in conn.execute(requete))
    assert copiees == Counter({nom: 2 * nombre for nom, nombre in jouees.items()})
    assert conn.execute("SELECT position FROM oi.head").fetchone() == (copies.ecrit.evenements,)


def test_the_projections_find_the_convention_of_each_operation(
    conn: Connection[TupleRow],
) -> None:
    faits = conn.execute(
        "SELECT stream_id, (data ->> 'convention_id')::uuid FROM oi.event "
        "WHERE name = 'operation.conventionnee.v1'"
    ).fetchall()
    assert faits
    assert all(convention_of(operation) == convention for operation, convention in faits)


def test_one_oi_has_one_grant_and_a_tranche_each_year(conn: Connection[TupleRow]) -> None:
    assert conn.execute(
        "SELECT s.oi_id, count(*) FROM projection.subvention_globale AS s "
        "INNER JOIN projection.plie AS p ON p.sg_id = s.id GROUP BY s.id"
    ).fetchall() == [("oi_001", 4)]
    ouvertes = conn.execute(
        "SELECT (data ->> 'annee')::integer FROM oi.event "
        "WHERE name = 'subvention_globale.tranche_ouverte.v1' ORDER BY position"
    ).fetchall()
    assert [annee for (annee,) in ouvertes] == list(TRANCHES)


def test_the_copies_are_interleaved_and_known_after_their_effect(
    conn: Connection[TupleRow],
) -> None:
    lus = conn.execute(
        "SELECT substr(data ->> 'numero_mdfse', 6, 4) FROM oi.event "
        "WHERE name = 'operation.dossier_depose.v1' ORDER BY position"
    ).fetchall()
    assert sum(un != autre for un, autre in pairwise(lus)) > 1
    assert conn.execute(
        "SELECT count(*) FROM oi.event WHERE (enregistre_le AT TIME ZONE 'UTC')::date < date_effet"
    ).fetchone() == (0,)


def test_nothing_of_the_life_is_left_in_its_copies(
    jeu: Jeu, vie: Vie, conn: Connection[TupleRow]
) -> None:
    jouees = {str(i) for i in jeu.valeurs("SELECT DISTINCT stream_id FROM oi.event")}
    jouees |= {str(i) for i in jeu.valeurs("SELECT command_id FROM oi.command")}
    copiees = {
        trouve
        for (texte,) in conn.execute("SELECT e::text FROM oi.event AS e")
        for trouve in _identifiants(texte)
    }
    assert copiees
    assert not copiees & jouees
    assert conn.execute(
        "SELECT count(*) FROM oi.event AS e WHERE e::text LIKE %s", (f"%{vie.noms.oi_id}%",)
    ).fetchone() == (0,)


def _identifiants(texte: str) -> Iterator[str]:
    for morceau in texte.replace('"', " ").replace(",", " ").replace("\\", " ").split():
        try:
            yield str(UUID(morceau))
        except ValueError:
            continue


def test_a_database_that_holds_something_is_left_alone(copies: Copies, vie: Vie) -> None:
    with pytest.raises(SystemExit, match="il en faut une vide"):
        ecrire(copies.base, composer(1, [vie], 7)[:2])


@pytest.mark.parametrize(
    ("texte", "copie"),
    [
        (UN_ID, "831497aa" + UN_ID[8:]),
        ("ab" * 32, "abababaa" + "ab" * 28),
        ("2021-12-31", "2018-12-31"),
        ("2020-02-29", "2017-02-28"),
        ("F20210042-B1-2", "F201800010042-B1-2"),
        ("CA du 20/10/2022", "CA du 20/10/2019"),
        ("PON FSE 2014-2020", "PON FSE 2014-2020"),
        ("2021.1", "2021.1"),
        ("15 %\tde \\ 12021", "15 %\\tde \\\\ 12021"),
    ],
)
def test_a_text_changes_by_what_identifies_and_dates_it(texte: str, copie: str) -> None:
    annees = {str(annee): str(annee - 3) for annee in range(2010, 2030)}
    numeros = {f"F{annee}": f"F{annee - 3}0001" for annee in range(2010, 2030)}
    coupe = gabarit([morceaux(texte, frozenset())])
    assert coupe.remplir(1, annees | numeros) == copie


def test_the_keys_and_the_cents_of_a_payload_do_not_change() -> None:
    fait = '{"annee": 2021, "sources": "sources", "centimes": 2021, "liste": ["nature", 2022]}'
    copie = '{"annee": 2018, "sources": "plie_003", "centimes": 2021, "liste": ["nature", 2022]}'
    coupe = gabarit([morceaux_du_fait(fait, frozenset(["sources"]))])
    assert coupe.remplir(0, {"2021": "2018", "2022": "2019", "sources": "plie_003"}) == copie
