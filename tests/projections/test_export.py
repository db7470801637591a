"""The export: the whole log, as it is stored."""

import json

import pytest
from psycopg import Connection
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from projections import export
from projections.export import exporter

Conn = Connection[TupleRow]


def test_every_event_and_every_column_are_there_in_the_same_order(conn: Conn) -> None:
    lines = [json.loads(line) for line in exporter(conn)]
    colonnes = {
        row[0]
        for row in conn.execute(
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_schema = 'oi' AND table_name = 'event'"
        )
    }
    assert {tuple(line) for line in lines} == {tuple(lines[0])}
    assert set(lines[0]) == colonnes
    assert [line["position"] for line in lines] == list(range(1, len(lines) + 1))
    head = conn.execute("SELECT position FROM oi.head").fetchone()
    assert head == (len(lines),)


def test_the_payload_is_the_stored_text_byte_for_byte(conn: Conn) -> None:
    stored = conn.execute(
        "SELECT data::text, pieces::text FROM oi.event ORDER BY position"
    ).fetchall()
    for line, (data, pieces) in zip(exporter(conn), stored, strict=True):
        assert line.endswith(f'"pieces" : {pieces}, "data" : {data}}}\n'.encode())
        assert line.count(b"\n") == 1


def test_small_pieces_make_the_same_log(conn: Conn, monkeypatch: pytest.MonkeyPatch) -> None:
    entier = list(exporter(conn))
    monkeypatch.setattr(export, "_LOT", 7)
    assert list(exporter(conn)) == entier


def test_a_reader_who_goes_away_leaves_nothing_open(conn: Conn) -> None:
    lines = exporter(conn)
    next(lines)
    assert conn.info.transaction_status == TransactionStatus.IDLE


def test_it_starts_where_it_is_asked(conn: Conn) -> None:
    entier = list(exporter(conn))
    assert list(exporter(conn, 40)) == entier[39:]
    assert list(exporter(conn, 10**9)) == []
