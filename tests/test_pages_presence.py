"""Where each role arrives, and what the menu says waits for it."""

from collections.abc import Iterator

import pytest
from portier import PortierDEssai
from starlette.testclient import TestClient
from vie import Vie

from api.app import create_app
from api.droits import ROLES
from api.pages.presence import accueil_de
from oi_service.acces.identite import Attribution, Identite
from oi_service.application import Service


def _identite(*attributions: Attribution) -> Identite:
    return Identite(identifiant="compte-1", nom="compte-1", attributions=attributions)


@pytest.mark.parametrize(
    ("role", "accueil"),
    [
        ("gestionnaire_oi", "/controles"),
        ("comptable_oi", "/depenses"),
        ("valideur_oi", "/controles"),
        ("ordonnateur_oi", "/paiements"),
        ("auditeur", "/audit"),
        ("administrateur", "/administration/comptes"),
    ],
)
def test_each_role_arrives_on_its_work(role: str, accueil: str) -> None:
    assert accueil_de(_identite(Attribution(role))) == accueil
    assert role in ROLES


def test_a_director_arrives_on_their_plie_and_who_has_no_role_on_their_account() -> None:
    direction = Attribution("directeur_plie", frozenset({"sources", "agenais"}))
    assert accueil_de(_identite(direction)) == "/plie/agenais"
    assert accueil_de(_identite(direction, Attribution("auditeur"))) == "/audit"
    assert accueil_de(_identite()) == "/compte"


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    """A bilan that waits for its control, and a payment that waits for its order."""
    vie = Vie(service)
    vie.subvention()
    vie.tranche("400000.00", "400000.00")
    vie.enveloppe("A", "200000.00")
    vie.appel()
    vie.jusqu_au_demarrage("UN")
    vie.bilan("UN", ["20000.00"])
    vie.jusqu_au_demarrage("DEUX")
    vie.preparation("DEUX", "10000.00", type="avance")
    with TestClient(create_app(service, PortierDEssai())) as made:
        yield made


@pytest.mark.parametrize(
    ("role", "attend"),
    [
        ("gestionnaire_oi", {"page_controles": 1}),
        ("valideur_oi", {}),
        ("ordonnateur_oi", {"page_paiements": 1}),
        ("comptable_oi", {}),
        ("auditeur", {}),
    ],
)
def test_the_menu_counts_what_waits_for_whoever_reads(
    client: TestClient, role: str, attend: dict[str, int]
) -> None:
    qui = {"OI-Role": role, "OI-Acteur": f"{role.partition('_')[0]}-7"}
    lu = client.get("/ce-qui-attend", headers=qui).json()
    assert {a["page"]: a["nombre"] for a in lu} == attend
    assert all(a["phrase"].endswith("votre acte") for a in lu)
