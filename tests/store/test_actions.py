"""Commands over two streams: the operation, its convention and its enveloppe never disagree."""

import re
from datetime import date
from pathlib import Path

import pytest
from vie import Vie

from aggregates.convention.signature import ConventionSigneeARespecter
from oi_service.application import Service
from oi_service.dates import Periode

#: An avenant is signed before the period of the operation ends, with 2021.
EN_DECEMBRE = date(2021, 12, 18)


@pytest.fixture
def vie(service: Service) -> Vie:
    """Lend a life with a programmed operation."""
    played = Vie(service)
    played.subvention()
    played.tranche("300000.00", "300000.00")
    played.enveloppe("A", "100000.00")
    played.appel()
    played.depot("un")
    played.instruction("un", le=EN_DECEMBRE)
    played.programmation("un", le=EN_DECEMBRE)
    return played


def test_a_signed_convention_is_neither_deprogrammed_nor_withdrawn(vie: Vie) -> None:
    vie.convention_signee("un")
    with pytest.raises(ConventionSigneeARespecter, match="C-un est signée"):
        vie.deprogrammation("un", le=date(2022, 1, 26))
    with pytest.raises(ConventionSigneeARespecter):
        vie.retrait("un", le=date(2022, 1, 26))
    assert vie.operation("un").statut == "programme"


def test_the_operation_follows_the_period_of_its_avenant(vie: Vie) -> None:
    vie.conventionnement("un", le=EN_DECEMBRE)
    longer = {"debut": "2021-01-01", "fin": "2022-06-30"}
    vie.avenant("un", periode=longer)
    moved = Periode(debut=date(2021, 1, 1), fin=date(2022, 6, 30))
    assert vie.operation("un").periode == vie.convention("un").periode == moved
    assert vie.convention("un").date_limite_acquittement == date(2022, 12, 30)
    with vie.reads.connection() as conn:
        [row] = conn.execute("SELECT debut, fin FROM projection.operation").fetchall()
    assert row == (moved.debut, moved.fin)


def test_an_avenant_downwards_frees_money_at_its_signature_only(vie: Vie) -> None:
    vie.conventionnement("un", le=EN_DECEMBRE)
    before = vie.maquette().total.disponible_a_programmer
    vie.demande_avenant("un", fse="40000.00", cout_total="80000.00")
    vie.avenant_programme("un")
    assert vie.maquette().total.disponible_a_programmer == before
    assert vie.maquette().total.fse_programme >= vie.maquette().total.fse_conventionne
    vie.avenant_signe("un")
    assert vie.maquette().total.disponible_a_programmer == before + 10_000_00
    assert vie.maquette().total.fse_programme == vie.maquette().total.fse_conventionne == 40_000_00


def test_nobody_takes_alone_a_decision_that_moves_several_streams() -> None:
    root = Path(__file__).parents[2]
    # A decision is named there as `avenants.signer_avenant`; its action, `actions.signer_avenant`.
    decision = re.compile(r"\b(?!actions\b)[a-z_]+\.[a-z_]+(?=,|\()")
    taken = set(decision.findall((root / "api" / "actions.py").read_text("utf-8")))
    taken = {d for d in taken if not d.startswith(("unit.", "commande.", "operation.", "bilan."))}
    assert {"avenants.signer_avenant", "programmation.programmer"} < taken
    # A termination stands alone; a clôture d'office only pronounces one on its way.
    taken -= {"execution.resilier"}
    for door in [*(root / "api" / "v1").glob("*.py"), *(root / "oi_service/demo").glob("*.py")]:
        assert taken & set(decision.findall(door.read_text("utf-8"))) == set(), door.name
