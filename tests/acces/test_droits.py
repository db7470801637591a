"""Every route has a rule, every rule a route, and the table of them is up to date."""

import subprocess
import sys
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from fastapi import APIRouter

from api import app as application
from api.app import RouteSansRegle, create_app, noms_des_routes
from api.droits import DROITS

RACINE = Path(__file__).parents[2]


def test_a_new_route_without_a_rule_keeps_the_service_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nouvelles = APIRouter()
    nouvelles.add_api_route("/nouvelle", lambda: None, name="route_nouvelle")
    monkeypatch.setattr(application, "_SANTE", nouvelles)
    with pytest.raises(RouteSansRegle, match=r"^route_nouvelle$"):
        create_app(MagicMock())


def test_every_rule_is_of_a_route() -> None:
    sans_route = set(DROITS) - set(noms_des_routes(create_app(MagicMock())))
    assert not sans_route


def test_two_routes_of_one_name_share_their_rule_on_purpose() -> None:
    noms = list(noms_des_routes(create_app(MagicMock())))
    assert len(noms) == len(set(noms))


def test_the_table_of_the_rules_is_up_to_date() -> None:
    outil = RACINE / "tools" / "documenter_droits.py"
    done = subprocess.run([sys.executable, outil, "--verifier"], check=False, cwd=RACINE)
    assert done.returncode == 0, "run: python tools/documenter_droits.py"
