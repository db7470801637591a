"""Projections: written with the facts, equal to their rebuild, ceilings held by the database."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from uuid import uuid4  # noqa: TID251 - operations that nothing derives

import msgspec
import psycopg
import pytest
from fabrique import CELLULE, PARCOURS, euros, fait
from journal_essai import enveloppe, lignes, nombre
from vie import Vie
from vie_au_hasard import OPERATIONS, fonder, hasard, vivre

from aggregates.cadre import Cellule
from aggregates.convention.state import Convention
from aggregates.operation.events import (
    BilanFinalRenvoye,
    ComplementRecu,
    InstructionRouverte,
)
from aggregates.subvention_globale.events import (
    EnveloppeLiberee,
    EnveloppeReservee,
    TransfertEnveloppeDecide,
)
from aggregates.subvention_globale.reservations import (
    DisponibleInsuffisant,
    EnveloppeJustePrise,
    reserver,
)
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE
from oi_service.application import Acte, Service, Unit
from oi_service.codec import Evenement
from oi_service.recorder import NEXT, GuardBroken, Recorded
from projections.rebuild import digests, rebuild
from projections.verification import violations


@pytest.fixture
def vie(service: Service) -> Vie:
    """Lend a life with 100 000,00 € for the PLIE A and as much for B."""
    played = Vie(service)
    played.subvention()
    played.tranche("300000.00", "300000.00")
    played.enveloppe("A", "100000.00")
    played.enveloppe("B", "100000.00")
    return played


def append(vie: Vie, *facts: Evenement) -> None:
    """Append below the decisions, as a bug would."""
    stored = [
        vie.journal.mapper.to_stored_event(Recorded(vie.id("SG"), NEXT, fact)) for fact in facts
    ]
    vie.journal.recorder.append(stored, envelope=enveloppe())


def held(vie: Vie, plie: str = "A") -> tuple[int, int]:
    query = (
        "SELECT alloue_centimes, programme_centimes FROM projection.enveloppe WHERE plie_id = %s"
    )
    [row] = lignes(vie.reads, query, plie)
    return row[0], row[1]


TROP: dict[str, list[Evenement]] = {
    "programming a cent too much": [fait(EnveloppeReservee, fse_centimes=euros("100 000,01"))],
    "programming in two halves": [
        fait(EnveloppeReservee, fse_centimes=euros(50_000)),
        fait(EnveloppeReservee, fse_centimes=euros("50 000,01")),
    ],
    "freeing what is not held": [fait(EnveloppeLiberee, fse_centimes=1)],
    "transferring what is not there": [
        fait(TransfertEnveloppeDecide, fse_centimes=euros("100 000,01"))
    ],
}


@pytest.mark.parametrize("what", TROP)
def test_the_database_holds_the_ceiling_even_when_the_code_does_not(vie: Vie, what: str) -> None:
    before = nombre(vie.reads)
    with pytest.raises(GuardBroken) as refused:
        append(vie, *TROP[what])
    assert refused.value.constraint == "enveloppe_jamais_depassee"
    assert nombre(vie.reads) == before
    assert held(vie) == (euros(100_000), 0)


def test_the_ceiling_itself_can_be_reached(vie: Vie) -> None:
    append(vie, fait(EnveloppeReservee, fse_centimes=euros(100_000)))
    assert held(vie) == (euros(100_000), euros(100_000))


def test_fifty_rivals_for_the_last_euros_never_exceed_them(vie: Vie) -> None:
    share = euros("7 000,00")

    def attempt(_rank: int) -> bool:
        def work(unit: Unit) -> None:
            stream = vie.id("SG")
            state = unit.get(SUBVENTION_GLOBALE, stream, pinned=False)
            facts = reserver(
                state,
                operation_id=uuid4(),
                cellule=CELLULE,
                fse_centimes=share,
                date_effet=date(2022, 1, 20),
            )
            unit.record(SUBVENTION_GLOBALE, stream, facts, commutes=True)

        try:
            vie.journal.execute(Acte("gestionnaire-1", "gestionnaire_oi"), work)
        except (DisponibleInsuffisant, EnveloppeJustePrise):
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = sum(pool.map(attempt, range(50)))
    assert won == 14
    assert held(vie) == (euros(100_000), 14 * share)
    state = vie._lire(SUBVENTION_GLOBALE, vie.id("SG"))
    assert state.disponible(CELLULE) == euros(2_000)


def test_a_race_lost_in_the_database_is_told_with_its_figures(vie: Vie) -> None:
    turns: list[int] = []

    def work(unit: Unit) -> None:
        stream = vie.id("SG")
        state = unit.get(SUBVENTION_GLOBALE, stream, pinned=False)
        facts = reserver(
            state,
            operation_id=uuid4(),
            cellule=CELLULE,
            fse_centimes=euros(60_000),
            date_effet=date(2022, 1, 20),
        )
        if not turns:
            append(vie, fait(EnveloppeReservee, fse_centimes=euros(60_000)))
        turns.append(1)
        unit.record(SUBVENTION_GLOBALE, stream, facts, commutes=True)

    with pytest.raises(DisponibleInsuffisant, match="40\u202f000,00"):
        vie.journal.execute(Acte("gestionnaire-1", "gestionnaire_oi"), work)
    assert held(vie) == (euros(100_000), euros(60_000))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_live_projections_equal_their_rebuild_after_any_life(
    service: Service, base: str, seed: int
) -> None:
    dice, vie = hasard(seed), Vie(service)
    fonder(vie, dice)
    accepted = vivre(vie, dice, 250)
    assert len(accepted) > 9, accepted
    with psycopg.connect(base) as conn:
        live = digests(conn)
    again = rebuild(base)
    assert again.different == ()
    assert again.events == nombre(service.reads)
    with psycopg.connect(base) as conn:
        assert digests(conn) == live
        broken = [str(v) for _, found in violations(conn) for v in found]
    assert broken == []


@pytest.mark.parametrize("seed", [4, 5])
def test_projections_say_what_the_streams_say(service: Service, seed: int) -> None:
    dice, vie = hasard(seed), Vie(service)
    fonder(vie, dice)
    vivre(vie, dice, 250)
    shown = dict(lignes(service.reads, "SELECT numero_mdfse, statut FROM projection.operation"))
    assert shown == {op: vie.operation(op).statut for op in OPERATIONS}

    conventionnees = [op for op in OPERATIONS if vie.operation(op).conventionnee]
    query = "SELECT id FROM projection.depense WHERE bilan_id IS NOT NULL"
    attached = [vie.convention(op).depenses_rattachees() for op in conventionnees]
    assert {row[0] for row in lignes(service.reads, query)} == set().union(*attached)

    sums = {op: vie.convention(op) for op in conventionnees}
    for mesure, read in MESURES.items():
        query = (
            "SELECT o.numero_mdfse, sum(m.centimes)::bigint FROM projection.mouvement AS m "
            "JOIN projection.operation AS o ON m.operation_id = o.id WHERE mesure = %s GROUP BY 1"
        )
        found = {op: total for op, total in lignes(service.reads, query, mesure) if total}
        assert found == {op: read(c) for op, c in sums.items() if read(c)}, mesure

    state = vie._lire(SUBVENTION_GLOBALE, vie.id("SG"))
    query = "SELECT plie_id, alloue_centimes, programme_centimes FROM projection.enveloppe"
    for plie_id, alloue, programme in lignes(service.reads, query):
        cell = Cellule(ligne=CELLULE.ligne, plie_id=plie_id)
        assert (alloue, programme) == (state.alloue[cell], state.programme.get(cell, 0))


def test_the_projection_names_every_state_as_the_stream_does(vie: Vie) -> None:
    lives: dict[str, list[Evenement]] = {str(s): life for s, life in PARCOURS.items()}
    lives["bilan renvoyé"] = [*PARCOURS["bilan_final_depose"], fait(BilanFinalRenvoye)]
    lives["complément reçu"] = [*PARCOURS["complement_demande"], fait(ComplementRecu)]
    lives["instruction rouverte"] = [*PARCOURS["ajourne"], fait(InstructionRouverte)]
    for name, life in lives.items():
        first = msgspec.structs.replace(life[0], numero_mdfse=name)
        facts = [first, *life[1:]]
        stored = [
            vie.journal.mapper.to_stored_event(Recorded(vie.id(name), rank, fact))
            for rank, fact in enumerate(facts, start=1)
        ]
        half = len(stored) // 2
        for chunk in (stored[:half], stored[half:]):
            if chunk:
                vie.journal.recorder.append(chunk, envelope=enveloppe())
    shown = dict(lignes(vie.reads, "SELECT numero_mdfse, statut FROM projection.operation"))
    assert shown == {name: vie.operation(name).statut for name in lives}


MESURES: dict[str, Callable[[Convention], int]] = {
    "fse_declare": lambda c: c.fse_declare,
    "ct_declare": lambda c: c.cout_total_declare,
    "fse_retenu_csf": lambda c: c.fse_du,
    "ct_retenu_csf": lambda c: c.cout_total_retenu,
    "fse_conventionne": lambda c: c.fse_max,
    "ct_conventionne": lambda c: c.cout_total_eligible,
    "fse_paye": lambda c: c.paye,
    "fse_transmis": lambda c: c.fse_transmis,
    "fse_certifie": lambda c: c.fse_certifie,
    "cp_conventionnee": lambda c: c.plan.ressources_centimes,
}


def test_a_rebuild_during_appends_loses_nothing(service: Service, base: str) -> None:
    vie = Vie(service)
    fonder(vie, hasard(0))
    stop = threading.Event()

    def write(rank: int) -> int:
        written = 0
        while not stop.is_set() or written == 0:
            vie.perception("CP", "1.00")
            vie.depot(f"OP-{rank}-{written}")
            written += 1
        return written

    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write, rank) for rank in range(3)]
        try:
            reports = [rebuild(base) for _ in range(4)]
        finally:
            stop.set()
        written = sum(w.result() for w in writers)
    assert [r.different for r in reports] == [()] * 4
    dossiers = lignes(service.reads, "SELECT count(*) FROM projection.operation")
    assert dossiers == [(len(OPERATIONS) + written,)]
    percu = lignes(service.reads, "SELECT percu_centimes FROM projection.contrepartie")
    assert percu == [(written * 100,)]
    assert rebuild(base).different == ()


def test_rebuilds_asked_at_the_same_time_take_turns(service: Service, base: str) -> None:
    fonder(Vie(service), hasard(0))
    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(rebuild, [base] * 6))
    assert {r.digest for r in reports} == {reports[0].digest}
    assert [r.different for r in reports] == [()] * 6


def test_a_reader_sees_whole_figures_while_projections_are_rebuilt(
    service: Service, base: str
) -> None:
    vie = Vie(service)
    fonder(vie, hasard(0))
    with service.reads.connection() as conn, conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        conn.execute("SELECT count(*) FROM projection.plie")
        rebuild(base)
        found = conn.execute("SELECT count(*) FROM projection.operation").fetchone()
    assert found == (len(OPERATIONS),)


ALTEREES = {
    "mouvement": "UPDATE projection.mouvement SET centimes = centimes + 1 WHERE rang = 1",
    "operation": "DELETE FROM projection.operation WHERE numero_mdfse = 'OP-3'",
    "contrepartie": "UPDATE projection.contrepartie SET financeur = 'Autre'",
}


@pytest.mark.parametrize("table", ALTEREES)
def test_a_corrupted_projection_is_reported_and_repaired(
    service: Service, base: str, table: str
) -> None:
    fonder(Vie(service), hasard(0))
    with psycopg.connect(base) as conn:
        sound = digests(conn)
        conn.execute(ALTEREES[table])
        assert digests(conn) != sound
    report = rebuild(base)
    assert report.different == (table,)
    with psycopg.connect(base) as conn:
        assert digests(conn) == sound
    assert rebuild(base).different == ()
