"""What the sheet shows of payments, of orders to pay back, of the clock: each act and its day."""

from datetime import date
from typing import Any

import pytest
from portier import PortierDEssai
from starlette.testclient import TestClient
from vie import Vie

from api.app import create_app
from oi_service.application import Service
from oi_service.money import euros


@pytest.fixture
def vie(service: Service) -> Vie:
    """Open a grant and two operations of one beneficiary."""
    vie = Vie(service)
    vie.subvention()
    vie.tranche("400000.00")
    vie.enveloppe("A", "200000.00")
    vie.appel()
    for nom in ("un", "deux"):
        vie.jusqu_au_demarrage(nom)
    return vie


def convention(service: Service, vie: Vie, operation: str) -> Any:
    with TestClient(create_app(service, PortierDEssai())) as http:
        answer = http.get(f"/api/v1/operations/{vie.id(operation)}/convention")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_payment_shows_its_acts_and_the_one_that_pays_it_again(
    service: Service, vie: Vie
) -> None:
    vie.bilan("un")
    vie.interruption_delai("un", le=date(2022, 4, 20))
    vie.reprise_delai("un", le=date(2022, 4, 30))
    vie.interruption_delai("un", cause="suspicion_irregularite", le=date(2022, 5, 3))
    vie.controle("un")
    du = euros(vie.convention("un").fse_du)
    vie.ordonnancement("un", du)
    vie.annulation_paiement("un")
    vie.paiement("un", du)
    vie.rejet("un")
    vie.ordonnancement("un", du, le=date(2022, 5, 16), remplace=True)
    vie.virement("un", le=date(2022, 5, 17))
    vie.acquittement("un", le=date(2022, 5, 20))
    lue = convention(service, vie, "un")
    annule, rejete, acquitte = lue["paiements"]
    assert (annule["statut"], annule["annule_le"]) == ("annule", "2022-05-11")
    assert (rejete["statut"], rejete["rejete_le"]) == ("rejete", "2022-05-14")
    assert rejete["acquitte_le"] is None
    assert (acquitte["statut"], acquitte["acquitte_le"]) == ("acquitte", "2022-05-20")
    assert (acquitte["remplace"], rejete["remplace"]) == (rejete["paiement_id"], None)
    assert lue["paye"] == acquitte["montant"] == du
    assert lue["bilans"][0]["interruptions"] == [
        {
            "cause": "piece_manquante",
            "notification_ref": "COURRIER-1",
            "depuis_le": "2022-04-20",
            "reprise_le": "2022-04-30",
        },
        {
            "cause": "suspicion_irregularite",
            "notification_ref": "COURRIER-1",
            "depuis_le": "2022-05-03",
            "reprise_le": None,
        },
    ]


def test_an_order_shows_what_came_back_and_how(service: Service, vie: Vie) -> None:
    vie.paiement("un", "15000.00", type="avance")
    vie.abandon("un")
    vie.ordre_reversement("un", "1000.00")
    vie.annulation_ordre("un")
    vie.ordre_reversement("un", "15000.00")
    vie.notification_ordre("un", le=date(2022, 6, 3))
    vie.contestation("un", le=date(2022, 6, 10))
    vie.decision_contestation("un", le=date(2022, 6, 20))
    vie.bilan("deux")
    vie.controle("deux")
    vie.ordonnancement("deux", euros(vie.convention("deux").fse_du))
    vie.compensation("un", "6000.00", "deux")
    vie.encaissement("un", "4000.00")
    vie.irrecouvrable("un", "3000.00")
    lue = convention(service, vie, "un")
    annule, ordre = lue["reversements"]
    assert (annule["statut"], annule["annule_le"], annule["reste"]) == (
        "annule",
        "2022-06-20",
        "0.00",
    )
    assert (ordre["statut"], ordre["notifie_le"], ordre["conteste_le"]) == (
        "notifie",
        "2022-06-03",
        "2022-06-10",
    )
    assert (ordre["encaisse"], ordre["compense"], ordre["perdu"], ordre["reste"]) == (
        "10000.00",
        "6000.00",
        "3000.00",
        "2000.00",
    )
    assert (lue["paye"], lue["a_encaisser"], lue["perdu"]) == ("5000.00", "2000.00", "3000.00")
    [paiement] = convention(service, vie, "deux")["paiements"]
    assert (paiement["statut"], paiement["compense"]) == ("ordonnance", "6000.00")
