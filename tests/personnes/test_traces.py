"""A trace in the technical log says where it failed, and shows no variable."""

import pytest
import structlog

from oi_service.traces import sans_variables

NOM = "Contact fictif n° 4711"


def _echouer() -> None:
    identite = {"nom": NOM}
    del identite["courriel"]


def _tracer(capsys: pytest.CaptureFixture[str]) -> str:
    try:
        _echouer()
    except KeyError:
        structlog.get_logger().exception("essai")
    return capsys.readouterr().out


def test_no_trace_shows_what_a_variable_held(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.reset_defaults()
    try:
        # What the library does unless it is told otherwise.
        assert NOM in _tracer(capsys)
        sans_variables()
        trace = _tracer(capsys)
        assert "_echouer" in trace
        assert NOM not in trace
    finally:
        structlog.reset_defaults()
