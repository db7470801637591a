"""The JSON door on a real database."""

from collections.abc import Iterator

import pytest
from porte import Api
from portier import PortierDEssai
from starlette.testclient import TestClient

from api.app import create_app
from oi_service.application import Service


@pytest.fixture
def api(service: Service) -> Iterator[Api]:
    """Lend the door on an empty database."""
    with TestClient(create_app(service, PortierDEssai())) as http:
        yield Api(http, service)
