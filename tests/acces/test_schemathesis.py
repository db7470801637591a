"""The whole JSON door, asked anything that its description allows or forbids, by every role.

Nothing breaks, no answer is undocumented, and each is of the form that the description gives. More
examples: ``OI_EXEMPLES=50 pytest -m longue``.
"""

import os
from contextlib import suppress
from unittest import SkipTest
from unittest.mock import MagicMock

import pytest
import requests
import schemathesis
from comptes_reels import Compte
from httpx2 import Response
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from monde_habite import ALPHA, Monde, routes
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from api.droits import DROITS

pytestmark = [pytest.mark.longue, pytest.mark.xdist_group("schemathesis")]

EXEMPLES = int(os.environ.get("OI_EXEMPLES", "1"))
CONTROLES = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: One account of each role, one without any, one whose territory is small, and nobody.
QUI = (
    "sans-role",
    "gestionnaire",
    "comptable",
    "valideur",
    "ordonnateur",
    "direction-1",
    "gestion-1",
    "auditeur",
    "administrateur",
)
SCHEMA = schemathesis.openapi.from_dict(create_app(MagicMock()).openapi())
OPERATIONS = {
    operation.definition.raw["operationId"]: operation
    for operation in (found.ok() for found in SCHEMA.get_all_operations())
}
#: What acts on the session that asks: a session of its own is opened each time.
SUR_SOI = frozenset(
    nom for nom in OPERATIONS if DROITS[nom].roles is None and not DROITS[nom].publique
)


@pytest.fixture(scope="module")
def qui(monde: Monde) -> list[Compte | None]:
    """Return who asks: one account of each role, others that hold little or nothing, nobody."""
    monde.guichet.ouvrir("jetable")
    return [None, *(monde.comptes[nom] for nom in QUI)]


@pytest.mark.parametrize("nom", OPERATIONS)
def test_every_answer_is_of_the_form_that_is_described(
    monde: Monde, qui: list[Compte | None], nom: str
) -> None:
    operation = OPERATIONS[nom]
    reels = {
        parametre.name: str(monde.valeurs[ALPHA][parametre.name])
        for parametre in operation.path_parameters
        if parametre.name in monde.valeurs[ALPHA]
    }
    for mode in GenerationMode:
        _essayer(monde, qui, operation, mode, reels)
        if reels:
            # What does not exist is the same for everybody: some are enough.
            _essayer(monde, qui[:4], operation, mode, {})


def _essayer(
    monde: Monde,
    qui: list[Compte | None],
    operation: APIOperation,
    mode: GenerationMode,
    fixes: dict[str, str],
) -> None:
    """Ask an operation as each of some accounts; ``fixes``: parameters of its address."""
    sur_soi = operation.definition.raw["operationId"] in SUR_SOI

    @seed(2021)
    @settings(
        max_examples=EXEMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cas=operation.as_strategy(generation_mode=mode, path_parameters=fixes))
    def demander(cas: Case) -> None:
        for compte in qui:
            sien = _jetable(monde) if sur_soi and compte is not None else compte
            cas.validate_response(_envoyer(monde, sien, cas), checks=CONTROLES)

    # Some operations have nothing that can be malformed.
    with suppress(Unsatisfiable, SkipTest):
        demander()


def _jetable(monde: Monde) -> Compte:
    return Compte(nom="jetable", preuve=monde.guichet.session("jetable"))


def _envoyer(monde: Monde, compte: Compte | None, cas: Case) -> Response:
    """Send a case as the command line of the tool would, with the proof of somebody."""
    voulue = requests.Request(**cas.as_transport_kwargs(base_url="https://testserver")).prepare()
    assert voulue.method is not None
    assert voulue.url is not None
    # As a client of the network sends them: one byte a character.
    entetes = {
        nom: valeur.encode("latin-1") if isinstance(valeur, str) else valeur
        for nom, valeur in voulue.headers.items()
        if nom.lower() not in {"content-length", "cookie"}
    }
    return monde.demander(compte, voulue.method, voulue.url, content=voulue.body, headers=entetes)


@pytest.mark.parametrize("chemin", sorted({route.chemin for route in routes()}))
def test_a_method_that_an_address_does_not_have_is_refused(monde: Monde, chemin: str) -> None:
    permises = {route.methode for route in routes() if route.chemin == chemin}
    adresse = next(r for r in routes() if r.chemin == chemin).adresse(monde.valeurs[ALPHA])
    position = monde.position
    for methode in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - permises:
        reponse = monde.demander("administrateur", methode, adresse)
        assert reponse.status_code == 405, (methode, reponse.text)
        annoncees = {m.strip() for m in reponse.headers["Allow"].split(",")}
        assert annoncees - {"HEAD"} == permises
    assert monde.position == position
