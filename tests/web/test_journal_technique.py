"""The technical log: what a stranger sends never writes a line of its own in it."""

import pytest
import structlog

from oi_service.traces import sans_variables


@pytest.mark.parametrize(
    "texte", ["/a\n2026-01-01 [info] faux", "/a\r\nfaux", "/a\x1b[2J\x1b[31m", "/a\u202egnp"]
)
def test_a_value_stays_a_value(texte: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        sans_variables()
        structlog.get_logger().warning("origine_etrangere", chemin=texte)
    finally:
        structlog.reset_defaults()
    ecrit = capsys.readouterr().out
    assert ecrit.count("\n") == 1
    assert "\r" not in ecrit
    assert "\x1b[2J" not in ecrit
    assert "\u202e" not in ecrit
