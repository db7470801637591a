"""The command line, in this process: what it prints, and the code that it leaves."""

import re
import sys
from collections.abc import Callable
from typing import Any

import pytest

from oi_service import cli

Oi = Callable[..., tuple[int, str]]


def ligne_de_commande(
    base: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    largeur: int,
) -> Oi:
    """Return ``oi`` on a database: its arguments in, its exit code and its words out."""
    monkeypatch.setenv("OI_DATABASE_URL", base)
    monkeypatch.setattr(cli.console, "_width", largeur)

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["oi", *arguments])
        try:
            cli.main()
            code: Any = 0
        except SystemExit as left:
            code = left.code
        return code or 0, re.sub("[\u00a0\u202f]", " ", capsys.readouterr().out)

    return run
