"""A key gives its first answer again, and never pays twice, even when the answer was lost."""

import selectors
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4  # noqa: TID251 - keys that nothing derives

import psycopg
import pytest
from fabrique import DETAIL_SAISI, commande, fait
from journal_essai import enveloppe, fait_stocke, nombre
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from vie import Vie

from aggregates.appel_a_projets.publication import CloreAppelAProjets, clore
from aggregates.appel_a_projets.state import APPEL_A_PROJETS
from aggregates.contrepartie.affectation import PercevoirContrepartie, percevoir
from aggregates.contrepartie.events import ContrepartiePercue
from aggregates.contrepartie.state import CONTREPARTIE
from aggregates.depense.declaration import CorrigerDepense
from aggregates.depense.state import DEPENSE
from aggregates.operation.depot import NumeroMdfseDejaPris
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE
from api import actions
from oi_service.app import open_service
from oi_service.application import Acte, Service, Unit, fingerprint
from oi_service.errors import Busy, IdempotencyKeyReused, StaleVersion
from oi_service.recorder import JournalRecorder


@pytest.fixture
def vie(service: Service) -> Vie:
    played = Vie(service)
    played.subvention()
    played.contrepartie("CP", "40000.00")
    return played


def receive(unit: Unit, contrepartie: UUID, montant: str = "10.00") -> None:
    asked = commande(PercevoirContrepartie, montant=montant)
    unit.execute(CONTREPARTIE, contrepartie, percevoir, asked)


def test_the_same_demand_under_the_same_key_is_answered_again(vie: Vie) -> None:
    acte = Acte("gestionnaire-1", "gestionnaire_oi", fingerprint=fingerprint("10.00"))
    first = vie.journal.execute(acte, lambda u: receive(u, vie.id("CP")))
    vie.perception("CP", "1.00")
    again = vie.journal.execute(acte, lambda u: receive(u, vie.id("CP")))
    assert (first.replayed, again.replayed) == (False, True)
    assert again.events == first.events
    assert vie._lire(CONTREPARTIE, vie.id("CP")).percu == 11_00


@pytest.mark.parametrize(
    "changes",
    [{"fingerprint": fingerprint("11.00")}, {"acteur": "gestionnaire-2"}],
    ids=["other demand", "other person"],
)
def test_a_key_serves_for_one_demand_of_one_person(vie: Vie, changes: dict[str, Any]) -> None:
    champs: dict[str, Any] = {
        "acteur": "gestionnaire-1",
        "fingerprint": fingerprint("10.00"),
        "command_id": uuid4(),
    }
    vie.journal.execute(Acte(role="gestionnaire_oi", **champs), lambda u: receive(u, vie.id("CP")))
    before = nombre(vie.reads)
    with pytest.raises(IdempotencyKeyReused, match="a déjà servi"):
        vie.journal.execute(
            Acte(role="gestionnaire_oi", **(champs | changes)),
            lambda u: receive(u, vie.id("CP"), "11.00"),
        )
    assert nombre(vie.reads) == before


def test_a_demand_that_is_refused_now_still_gets_its_first_answer(vie: Vie) -> None:
    vie.appel()
    acte = Acte("gestionnaire-1", "gestionnaire_oi")

    def close(unit: Unit) -> None:
        unit.execute(APPEL_A_PROJETS, vie.id("AAP"), clore, commande(CloreAppelAProjets))

    first = vie.journal.execute(acte, close)
    again = vie.journal.execute(acte, close)
    assert (again.replayed, again.events) == (True, first.events)


def test_a_demand_that_changes_nothing_now_still_gets_its_first_answer(vie: Vie) -> None:
    vie.tranche("100000.00")
    vie.enveloppe("A", "60000.00")
    vie.appel()
    vie.jusqu_au_demarrage("OP-1")
    [depense_id] = vie.depenses("OP-1", ["1000.00"])
    asked = commande(CorrigerDepense, detail=DETAIL_SAISI | {"montant_impute": "900.00"})
    acte = Acte("gestionnaire-1", "gestionnaire_oi")
    work = actions.corriger_depense
    first = vie.journal.execute(acte, lambda u: work(u, depense_id, asked))
    again = vie.journal.execute(acte, lambda u: work(u, depense_id, asked))
    assert (again.replayed, again.events) == (True, first.events)
    # Under another key, it is what is already so.
    other = vie.journal.execute(
        Acte("gestionnaire-1", "gestionnaire_oi"), lambda u: work(u, depense_id, asked)
    )
    assert (other.replayed, other.events) == (False, ())


def test_two_senders_of_the_same_key_make_one_fact(vie: Vie) -> None:
    acte = Acte("gestionnaire-1", "gestionnaire_oi")
    gate = threading.Barrier(8)
    outcomes = []

    def send() -> None:
        gate.wait()
        outcomes.append(vie.journal.execute(acte, lambda u: receive(u, vie.id("CP"))))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 8
    assert {o.events for o in outcomes} == {outcomes[0].events}
    assert [o.replayed for o in outcomes].count(False) == 1
    assert vie._lire(CONTREPARTIE, vie.id("CP")).percu == 10_00


@pytest.mark.parametrize("changes", [{"fingerprint": b"autre"}, {"acteur": "gestionnaire-2"}])
def test_the_database_itself_refuses_a_key_for_another_demand(
    service: Service, changes: dict[str, Any]
) -> None:
    recorder, key = service.journal.recorder, uuid4()
    recorder.append([fait_stocke(uuid4(), 1)], envelope=enveloppe(command_id=key))
    with pytest.raises(IdempotencyKeyReused):
        recorder.append([fait_stocke(uuid4(), 1)], envelope=enveloppe(command_id=key, **changes))
    assert nombre(recorder.pool) == 1


def test_a_large_command_is_replayed_whole(service: Service) -> None:
    recorder, sent = service.journal.recorder, enveloppe()
    events = [fait_stocke(uuid4(), 1) for _ in range(1200)]
    first = recorder.append(events, envelope=sent)
    again = recorder.append(events, envelope=sent)
    assert again.replayed
    assert (again.first_position, again.last_position) == (first.first_position, 1200)
    assert recorder.insert_events(events, envelope=sent) is None
    assert nombre(recorder.pool) == 1200


def _answers(data: bytes) -> bool:
    """Tell whether the server gave a row and is ready for more: what was asked is committed."""
    kinds, at = set(), 0
    while at < len(data):
        kinds.add(data[at : at + 1])
        at += 1 + int.from_bytes(data[at + 1 : at + 5])
    return {b"D", b"Z"} <= kinds


class Relais:
    """A wire to the server that can be cut once the server has answered, before we hear it."""

    def __init__(self, server: str, folder: Path) -> None:
        self._server = server
        self.folder = folder
        self.cut = threading.Event()
        self.lost = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._server)
        with client, server, selectors.DefaultSelector() as wires:
            wires.register(client, selectors.EVENT_READ, server)
            wires.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in wires.select():
                    source, target = key.fileobj, key.data
                    assert isinstance(source, socket.socket)
                    data = source.recv(65536)
                    if source is server and self.cut.is_set() and _answers(data):
                        self.lost.set()
                        return
                    if not data:
                        return
                    target.sendall(data)

    def close(self) -> None:
        self._listener.close()


@contextmanager
def relais(base: str) -> Iterator[tuple[Relais, str]]:
    parameters = conninfo_to_dict(base)
    server = f"{parameters['host']}/.s.PGSQL.{parameters.get('port') or 5432}"
    with TemporaryDirectory() as folder:
        wire = Relais(server, Path(folder))
        yield wire, make_conninfo(base, host=folder, port=5432)
        wire.close()


def test_a_commit_whose_answer_was_lost_is_not_done_twice(base: str, vie: Vie) -> None:
    if not str(conninfo_to_dict(base).get("host", "")).startswith("/"):
        pytest.skip("the wire is cut on a Unix socket only")
    acte = Acte("gestionnaire-1", "gestionnaire_oi", fingerprint=fingerprint("10.00"))
    with relais(base) as (wire, through), open_service(through) as far:

        def slow(unit: Unit) -> None:
            receive(unit, vie.id("CP"))
            wire.cut.set()

        with pytest.raises(psycopg.OperationalError):
            far.journal.execute(acte, slow)
        assert wire.lost.is_set()
        wire.cut.clear()
        # The caller knows nothing; the fact is there. The same key tells it so.
        assert vie._lire(CONTREPARTIE, vie.id("CP")).percu == 10_00
        again = far.journal.execute(acte, lambda u: receive(u, vie.id("CP")))
    assert again.replayed
    assert len(again.events) == 1
    assert vie._lire(CONTREPARTIE, vie.id("CP")).percu == 10_00


# Versions seen by people, rivals, identifiers of something else.


def test_an_act_on_a_page_that_is_no_longer_current_is_refused(vie: Vie) -> None:
    stream = vie.id("CP")

    def acte(seen: int) -> Acte:
        return Acte("gestionnaire-1", "gestionnaire_oi", target=stream, if_match=seen)

    vie.journal.execute(acte(1), lambda u: receive(u, stream))
    with pytest.raises(StaleVersion, match="de la version 1 à la version 2"):
        vie.journal.execute(acte(1), lambda u: receive(u, stream))
    done = vie.journal.execute(acte(2), lambda u: receive(u, stream))
    assert done.version_of(stream) == 3
    assert done.version_of(vie.id("SG")) is None


def test_rivals_on_one_stream_all_succeed_in_turn(vie: Vie) -> None:
    def send(_rank: int) -> None:
        vie.perception("CP", "1.00")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(24)))
    assert vie._lire(CONTREPARTIE, vie.id("CP")).percu == 24_00


def test_a_stream_that_always_moves_ends_in_busy_with_nothing_written(vie: Vie) -> None:
    stream = vie.id("CP")
    turns: list[object] = []

    def overtaken(unit: Unit) -> None:
        receive(unit, stream, "5.00")
        turns.append(vie.perception("CP", "1.00"))

    with pytest.raises(Busy, match="rien n’a été enregistré"):
        vie.journal.execute(Acte("gestionnaire-2", "gestionnaire_oi"), overtaken)
    assert vie._lire(CONTREPARTIE, stream).percu == len(turns) * 1_00


def test_a_stream_that_was_only_read_is_watched_too(vie: Vie) -> None:
    other = vie.id("CP-2")
    vie.contrepartie("CP-2", "1000.00")
    turns: list[int] = []

    def decide(unit: Unit) -> None:
        seen = unit.get(CONTREPARTIE, vie.id("CP")).percu
        turns.append(seen)
        if len(turns) == 1:
            vie.perception("CP", "7.00")
        fact = fait(ContrepartiePercue, montant_centimes=seen or 1, date_effet=date(2022, 1, 1))
        unit.record(CONTREPARTIE, other, [fact])

    vie.journal.execute(Acte("gestionnaire-1", "gestionnaire_oi"), decide)
    assert turns == [0, 7_00]
    assert vie._lire(CONTREPARTIE, other).percu == 7_00


def test_an_unpinned_stream_may_move_while_deciding(vie: Vie) -> None:
    turns: list[object] = []

    def decide(unit: Unit) -> None:
        unit.get(SUBVENTION_GLOBALE, vie.id("SG"), pinned=False)
        turns.append(vie.tranche("1.00", os=f"OS{len(turns)}"))
        receive(unit, vie.id("CP"))

    vie.journal.execute(Acte("gestionnaire-1", "gestionnaire_oi"), decide)
    assert len(turns) == 1


def test_the_identifier_of_something_else_is_nothing_of_this_kind(vie: Vie) -> None:
    for aggregate in (DEPENSE, CONTREPARTIE):
        with pytest.raises(aggregate.absent):
            vie._lire(aggregate, vie.id("SG"))

    def both(unit: Unit) -> None:
        unit.get(SUBVENTION_GLOBALE, vie.id("SG"))
        unit.get(DEPENSE, vie.id("SG"))

    with pytest.raises(DEPENSE.absent):
        vie.journal.execute(Acte("gestionnaire-1", "gestionnaire_oi"), both)


def test_a_number_of_ma_demarche_fse_names_one_dossier(vie: Vie) -> None:
    vie.appel()
    vie.depot("OP-1")
    before = nombre(vie.reads)
    with pytest.raises(NumeroMdfseDejaPris, match="un numéro désigne un seul"):
        vie.depot("OP-2", numero_mdfse="OP-1")
    assert nombre(vie.reads) == before


def test_a_recorder_is_what_the_application_of_the_library_holds(service: Service) -> None:
    assert isinstance(service.journal.recorder, JournalRecorder)
