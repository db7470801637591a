"""The server on a real socket: what it bears from a client, and for how long."""

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from petite import Petite, echanger, recevoir, servir

from api import enceinte
from api.enceinte import CORPS_MAX
from oi_service import server
from oi_service.reseau import Reseau

Reglages = Callable[..., Reseau]


def demande(chemin: str, *entetes: str, methode: str = "GET", corps: bytes = b"") -> bytes:
    lignes = [f"{methode} {chemin} HTTP/1.1", "Host: localhost", *entetes, "", ""]
    return "\r\n".join(lignes).encode("latin-1") + corps


def statut(lu: bytes) -> int:
    assert lu.startswith(b"HTTP/1.1 "), lu[:80]
    return int(lu[9:12])


def probleme(lu: bytes) -> dict[str, Any]:
    tete, _, corps = lu.partition(b"\r\n\r\n")
    assert b"application/problem+json" in tete, lu[:500]
    lue: dict[str, Any] = json.loads(corps)
    return lue


FIN = "Connection: close"


def test_the_server_does_not_say_what_it_is(port: int) -> None:
    lu = echanger(port, demande("/lu", FIN))
    assert statut(lu) == 200
    tete = lu.partition(b"\r\n\r\n")[0].lower()
    assert b"server:" not in tete
    assert b"uvicorn" not in tete


def test_another_program_of_this_machine_is_not_believed_either(port: int) -> None:
    # The server that we start from believes whoever speaks from this machine.
    forges = ("X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https")
    lu = echanger(port, demande("/lu", *forges, FIN))
    assert lu.endswith(b'{"adresse":"127.0.0.1","schema":"http"}')


# --- Slow clients --------------------------------------------------------------------------------


def test_headers_that_trickle_are_given_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "DELAI_ENTETES", 1)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as prise:
        debut = time.monotonic()
        envoyes = 0
        try:
            while time.monotonic() - debut < 5:
                prise.sendall(b"GET /lu HTTP/1.1\r\nX-Lent: "[envoyes : envoyes + 1] or b"a")
                envoyes += 1
                time.sleep(0.1)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert time.monotonic() - debut < 3, "a byte now and then holds no connection"


def test_slow_headers_are_told_so(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "DELAI_ENTETES", 0.5)
    lu = echanger(port, b"GET /lu HTTP/1.1\r\nHost: loc")
    assert statut(lu) == 408
    assert probleme(lu)["detail"] == "La demande arrive trop lentement."


def test_a_silent_connection_is_closed_without_a_word(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "DELAI_ENTETES", 0.5)
    debut = time.monotonic()
    assert echanger(port, b"") == b""
    assert time.monotonic() - debut < 5


def test_the_second_request_of_a_connection_has_its_own_time(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "DELAI_ENTETES", 1)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as prise:
        for _ in range(4):
            # Longer, together, than one request may take.
            prise.sendall(demande("/lu"))
            assert statut(prise.recv(2**16)) == 200
            time.sleep(0.5)
        prise.sendall(b"GET /lu HT")
        assert statut(recevoir(prise)) == 408


def test_a_request_in_progress_is_not_cut(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "DELAI_ENTETES", 0.5)
    monkeypatch.setattr(server, "DELAI_LECTURE", 0.5)
    assert statut(echanger(port, demande("/lent?duree=1.5", FIN))) == 200


def test_a_body_that_trickles_is_given_up(
    petite: Petite, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enceinte, "DELAI_CORPS", 1)
    json_ = "Content-Type: application/json"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as prise:
        prise.sendall(demande("/ecrit", json_, "Content-Length: 1000", methode="POST"))
        debut = time.monotonic()
        fil = threading.Thread(target=goutte_a_goutte, args=(prise,))
        fil.start()
        lu = recevoir(prise)
        duree = time.monotonic() - debut
        fil.join()
    assert statut(lu) == 408
    assert "trop lentement" in probleme(lu)["detail"]
    assert duree < 3
    assert petite.recus == []


def test_a_document_that_trickles_is_given_up(
    petite: Petite, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enceinte, "DELAI_CORPS", 1)
    lu = echanger(port, demande("/depot", "Content-Length: 1000", methode="POST", corps=b"debut"))
    assert statut(lu) == 408
    assert petite.recus == []


def test_a_large_body_at_an_honest_pace_arrives(
    petite: Petite, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enceinte, "DELAI_CORPS", 1)
    morceau = b"a" * 2**16
    with socket.create_connection(("127.0.0.1", port), timeout=10) as prise:
        taille = f"Content-Length: {20 * len(morceau)}"
        prise.sendall(demande("/depot", taille, FIN, methode="POST"))
        for _ in range(20):
            prise.sendall(morceau)
            time.sleep(0.1)
        assert statut(recevoir(prise)) == 200
    assert petite.recus == [20 * len(morceau)]


def goutte_a_goutte(prise: socket.socket) -> None:
    try:
        for _ in range(100):
            prise.sendall(b" ")
            time.sleep(0.1)
    except OSError:
        pass


def test_a_client_that_does_not_read_holds_nothing(
    petite: Petite, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "DELAI_LECTURE", 1)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as prise:
        prise.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        prise.sendall(demande("/sans-fin"))
        debut = time.monotonic()
        while not getattr(petite.state, "parti", False):
            assert time.monotonic() - debut < 8, "the answer is still being made"
            time.sleep(0.05)


def test_a_client_that_reads_at_its_pace_is_not_cut(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "DELAI_LECTURE", 1)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as prise:
        prise.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        prise.sendall(demande("/sans-fin"))
        debut = time.monotonic()
        while time.monotonic() - debut < 3:
            lus = 0
            while lus < 2**20:
                morceau = prise.recv(2**16)
                assert morceau, "the server gave up somebody who reads"
                lus += len(morceau)
            time.sleep(0.2)


def test_a_long_conversation_is_not_an_endless_request(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as prise:
        for _ in range(100):
            prise.sendall(demande("/lu", "X-Long: " + "a" * 2_000))
            assert statut(prise.recv(2**16)) == 200


# --- Endless requests ----------------------------------------------------------------------------


def inonder(port: int, debut: bytes, suite: bytes, plafond: int) -> tuple[bytes, int]:
    """Send the same bytes again and again; return the answer, and how much was taken."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as prise:
        prise.sendall(debut)
        envoyes = 0
        try:
            while envoyes < plafond:
                prise.sendall(suite)
                envoyes += len(suite)
        except (BrokenPipeError, ConnectionResetError):
            pass
        prise.settimeout(2)
        return recevoir(prise), envoyes


PLAFOND = 64 * 2**20


def test_a_body_is_counted_over_all_its_pieces(petite: Petite, port: int) -> None:
    entetes = ("Content-Type: application/json", "Transfer-Encoding: chunked", "Cookie: a=b")
    morceau = b"10000\r\n" + b" " * 2**16 + b"\r\n"
    lu, _ = inonder(port, demande("/ecrit", *entetes, methode="POST"), morceau, 2 * CORPS_MAX)
    assert statut(lu) == 413
    assert petite.recus == []


@pytest.mark.parametrize(
    ("debut", "suite"),
    [
        (b"GET /", b"a" * 2**16),
        (b"GET /lu HTTP/1.1\r\nX-Long: ", b"a" * 2**16),
        (b"GET /lu HTTP/1.1\r\n", b"X-Encore: a\r\n" * 2**12),
        (
            demande("/depot", "Transfer-Encoding: chunked", methode="POST") + b"0\r\n",
            b"X-Encore: a\r\n" * 2**12,
        ),
        (
            demande("/depot", "Transfer-Encoding: chunked", methode="POST") + b"1;",
            b"a" * 2**16,
        ),
        (demande("/depot", "Transfer-Encoding: chunked", methode="POST"), b"1\r\na\r\n" * 2**13),
    ],
    ids=["address", "one header", "headers", "trailers", "extension", "chunks"],
)
def test_what_is_not_a_body_never_fills_the_memory(port: int, debut: bytes, suite: bytes) -> None:
    lu, envoyes = inonder(port, debut, suite, PLAFOND)
    # What the two kernels hold is sent, and not taken.
    assert envoyes < PLAFOND / 4
    assert lu == b"" or statut(lu) in {400, 431}


@pytest.mark.parametrize(
    "brute",
    [
        b"GET /lu HTTP/1.1\r\n\r\n",
        b"GET /lu HTTP/1.0\r\n\r\n",
        b"GET /lu HTTP/1.1\r\nHost: ailleurs.example\r\n\r\n",
        b"GET http://ailleurs.example/lu HTTP/1.1\r\nHost: ailleurs.example\r\n\r\n",
        b"CONNECT ailleurs.example:443 HTTP/1.1\r\nHost: ailleurs.example\r\n\r\n",
        b"GET /l\xc3\xa9 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /lu HTTP/1.1\r\nHost: localhost\r\nX\x00: a\r\n\r\n",
        demande("/ecrit", "Content-Length: 3", "Content-Length: 5", methode="POST", corps=b"abcde"),
        demande(
            "/ecrit",
            "Content-Length: 3",
            "Transfer-Encoding: chunked",
            methode="POST",
            corps=b"0\r\n\r\n",
        ),
        demande("/ecrit", "Content-Length: -1", methode="POST"),
        demande("/ecrit", "Transfer-Encoding: chunked, identity", methode="POST"),
    ],
)
def test_no_request_out_of_form_reaches_the_doors(
    petite: Petite, port: int, brute: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "DELAI_ENTETES", 1)
    lu = echanger(port, brute, attendre=1.5)
    assert 400 <= statut(lu) < 500, lu[:200]
    assert petite.recus == []


def test_no_second_request_is_hidden_in_a_first(petite: Petite, port: int) -> None:
    cachee = demande("/ecrit", "Content-Length: 2", methode="POST", corps=b"{}")
    lu = echanger(
        port,
        demande(
            "/depot",
            f"Content-Length: {len(cachee)}",
            "Transfer-Encoding : chunked",
            methode="POST",
            corps=cachee,
        ),
        attendre=3,
    )
    assert lu.count(b"HTTP/1.1 ") == 1
    assert petite.recus in ([], [len(cachee)])


# --- The end -------------------------------------------------------------------------------------


def test_a_polite_end_waits_for_what_is_in_progress(reglages: Reglages) -> None:
    lus: list[bytes] = []
    with servir(Petite(reglages())) as port:
        fil = threading.Thread(
            target=lambda: lus.append(echanger(port, demande("/lent?duree=1", FIN)))
        )
        fil.start()
        time.sleep(0.3)
    fil.join()
    assert statut(lus[0]) == 200


def test_an_end_does_not_wait_for_ever(reglages: Reglages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "DELAI_ARRET", 1)
    with servir(Petite(reglages())) as port:
        fil = threading.Thread(target=echanger, args=(port, demande("/lent?duree=60")))
        fil.start()
        time.sleep(0.3)
        debut = time.monotonic()
    assert time.monotonic() - debut < 10
    fil.join()


def test_beyond_a_number_of_connections_the_answer_is_at_once(
    reglages: Reglages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "CONNEXIONS_MAX", 3)
    with servir(Petite(reglages())) as port:
        tenues = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        assert statut(echanger(port, demande("/lu", FIN))) == 503
        for prise in tenues:
            prise.close()
        time.sleep(0.2)
        assert statut(echanger(port, demande("/lu", FIN))) == 200
