"""Paid above the due: an advance that runs, then money to claim back until it is asked."""

from datetime import date

from fabrique import euros
from vie import Vie

from oi_service.application import Service
from projections.perimetre import OI_ENTIER, Perimetre
from projections.situation import Situation
from projections.trop_percus import TropPercu, trop_percus


def _vus(service: Service, situation: Situation | None = None) -> list[TropPercu]:
    with service.reads.connection() as conn:
        return trop_percus(conn, OI_ENTIER, situation or Situation())


def _apres(service: Service) -> int:
    with service.reads.connection() as conn:
        row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    return int(row[0])


def test_an_advance_is_founded_by_a_control_and_the_rest_is_claimed(service: Service) -> None:
    vie = Vie(service)
    vie.subvention()
    vie.tranche("300000.00", "300000.00")
    vie.enveloppe("A", "100000.00")
    vie.appel()
    vie.jusqu_au_demarrage("un")
    assert _vus(service) == []

    vie.paiement("un", "15000.00", type="avance")
    [avance] = _vus(service)
    assert (avance.nature, avance.montant, avance.a_reclamer) == ("avance", euros(15_000), 0)

    vie.bilan("un", ["10000.00"])
    vie.controle("un")
    controlee = _apres(service)
    [indu] = _vus(service)
    du = vie.convention("un").fse_du
    assert 0 < du < euros(15_000)
    assert (indu.nature, indu.montant, indu.a_encaisser) == ("indu", euros(15_000) - du, 0)
    assert indu.a_reclamer == indu.montant

    vie.ordre_reversement("un", f"{indu.montant // 100}.{indu.montant % 100:02d}")
    [reclame] = _vus(service)
    assert (reclame.a_encaisser, reclame.a_reclamer) == (indu.montant, 0)
    # What was known then is still told.
    assert _vus(service, Situation(connu_le=controlee)) == [indu]
    assert _vus(service, Situation(effet_au=date(2021, 1, 1))) == []
    with service.reads.connection() as conn:
        assert trop_percus(conn, Perimetre(frozenset({"B"}))) == []

    vie.encaissement("un", f"{indu.montant // 100}.{indu.montant % 100:02d}")
    assert _vus(service) == []
