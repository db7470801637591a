"""A fact stored long ago reads in today's form; its row is never rewritten."""

from datetime import date
from typing import Any, cast
from uuid import uuid4  # noqa: TID251 - a stream that nothing derives

import msgspec
from fabrique import CADRE
from journal_essai import enveloppe, lignes
from psycopg_pool import ConnectionPool

from aggregates.cadre import Cadre
from oi_service.aggregate import Aggregate
from oi_service.app import GARDES
from oi_service.application import Acte, Journal, Service, Unit
from oi_service.codec import Evenement, Registry
from oi_service.errors import NotFound
from oi_service.recorder import FactMapper, Recorded


class CompteAncien(Evenement, frozen=True, kw_only=True):
    """As it was written first: euros, and one name."""

    cadre: Cadre
    euros: int
    nom: str


class Compte(Evenement, frozen=True, kw_only=True):
    """As it is today: cents, and several names."""

    cadre: Cadre
    centimes: int
    noms: tuple[str, ...]


class Etat(msgspec.Struct, frozen=True, kw_only=True):
    cadre: Cadre
    centimes: int
    noms: tuple[str, ...]


class Absent(NotFound):
    """Il n’y a rien."""


def evolve(state: Etat | None, fact: Evenement) -> Etat:
    compte = cast("Compte", fact)
    before = state.centimes if state else 0
    return Etat(cadre=compte.cadre, centimes=before + compte.centimes, noms=compte.noms)


ESSAI = Aggregate("essai", evolve, Absent)

HIER = Registry()
HIER.event("essai.compte.v1")(CompteAncien)

AUJOURD_HUI = Registry()
AUJOURD_HUI.event("essai.compte.v2")(Compte)


@AUJOURD_HUI.upcast("essai.compte.v1", "essai.compte.v2")
def _(ancien: dict[str, Any]) -> dict[str, Any]:
    return {
        "cadre": ancien["cadre"],
        "centimes": ancien["euros"] * 100,
        "noms": [ancien["nom"]],
    }


class JournalDEssai(Journal):
    """A journal that speaks another vocabulary."""

    def __init__(self, pool: ConnectionPool, registry: Registry) -> None:
        self.registry = registry
        super().__init__(pool, GARDES)

    def construct_mapper(self) -> FactMapper:
        mapper = super().construct_mapper()
        mapper.registry = self.registry
        return mapper


def test_an_old_fact_reads_in_the_new_form_and_its_row_stays(service: Service) -> None:
    stream = uuid4()
    hier = JournalDEssai(service.journal.pool, HIER)
    aujourd_hui = JournalDEssai(service.journal.pool, AUJOURD_HUI)
    rows = "SELECT name, data, date_effet, motif FROM oi.event ORDER BY position"

    old = CompteAncien(
        date_effet=date(2018, 2, 12), motif="D’origine", cadre=CADRE, euros=12, nom="A"
    )
    hier.recorder.append(
        [hier.mapper.to_stored_event(Recorded(stream, 1, old))], envelope=enveloppe()
    )
    before = lignes(service.reads, rows)
    assert before[0][0] == "essai.compte.v1"

    def add(unit: Unit) -> None:
        state = unit.get(ESSAI, stream)
        assert (state.centimes, state.noms) == (12_00, ("A",))
        new = Compte(date_effet=date(2022, 1, 1), cadre=CADRE, centimes=1, noms=("A", "B"))
        unit.record(ESSAI, stream, [new])

    done = aujourd_hui.execute(Acte("gestionnaire-1", "gestionnaire_oi"), add)
    assert [e.name for e in done.events] == ["essai.compte.v2"]

    after = lignes(service.reads, rows)
    assert after[:1] == before
    assert [name for name, *_ in after] == ["essai.compte.v1", "essai.compte.v2"]

    facts = [
        aujourd_hui.decode(stored)
        for stored in aujourd_hui.recorder.select_streams([stream])[stream]
    ]
    assert facts[0] == Compte(
        date_effet=date(2018, 2, 12), motif="D’origine", cadre=CADRE, centimes=12_00, noms=("A",)
    )
    last = ESSAI.replay(facts)
    assert last == Etat(cadre=CADRE, centimes=12_01, noms=("A", "B"))
