"""A contrepartie shared through the JSON door."""

from typing import Any

import pytest
from porte import Api
from vie import Vie

from aggregates.contrepartie.state import CONTREPARTIE, Contrepartie
from oi_service.application import Acte, Unit


@pytest.fixture
def vie(api: Api) -> Vie:
    """An operation under control, 20 000,00 € received of the 30 000,00 € of an EPCI."""
    vie = Vie(api.service)
    vie.subvention()
    vie.tranche("100000.00", "100000.00")
    vie.enveloppe("A", "50000.00")
    vie.appel()
    vie.contrepartie("EPCI", "30000.00", financeur="EPCI fictif")
    vie.perception("EPCI", "20000.00")
    vie.jusqu_au_demarrage("OP-1", fse="50000.00", cout_total="100000.00")
    vie.bilan("OP-1", ["80000.00"])
    return vie


def corps(vie: Vie, *operations: str, **autres: Any) -> dict[str, Any]:
    return {
        "date_effet": "2022-06-01",
        "motif": "Répartition au solde",
        "operations": [str(vie.id(o)) for o in operations],
    } | autres


def test_a_share_is_asked_at_a_version_and_answered_with_its_facts(api: Api, vie: Vie) -> None:
    chemin = f"/contreparties/{vie.id('EPCI')}/repartition"
    early = api.demander(chemin, corps(vie, "OP-1"), 2)
    assert (early.status_code, early.json()["code"]) == (409, "besoin_inconnu")
    assert "OP-1" in early.json()["detail"]
    vie.controle("OP-1")
    stale = api.demander(chemin, corps(vie, "OP-1"), 1)
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    absent = api.demander(chemin, corps(vie, "OP-1", "OP-2"), 2)
    assert absent.status_code == 404
    acte = api.faire(chemin, corps(vie, "OP-1"), 2)
    assert [e["nom"] for e in acte["evenements"]] == ["contrepartie.affectee.v1"]
    acte = api.faire(chemin, corps(vie, "OP-1", attestation_ref="ATT-3"), acte["version"])
    unit = Unit(api.service.journal, Acte("lecteur", "auditeur"))
    state: Contrepartie = unit.get(CONTREPARTIE, vie.id("EPCI"))
    assert state.affectations == {vie.id("OP-1"): 30_000_00}
    assert api.somme("SELECT affecte_centimes FROM projection.contrepartie") == 30_000_00


def test_a_sharing_names_its_operations_and_its_reason(api: Api, vie: Vie) -> None:
    chemin = f"/contreparties/{vie.id('EPCI')}/repartition"
    for saisie, lieu in (({"operations": []}, "#/operations"), ({"motif": ""}, "#/motif")):
        refused = api.demander(chemin, corps(vie, "OP-1") | saisie, 2)
        assert [e["pointer"] for e in refused.json()["errors"]] == [lieu]
