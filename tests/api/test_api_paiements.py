"""Money through the JSON door: two conventions in one act, suites, the list of the clocks."""

from datetime import date
from typing import Any

import pytest
from porte import COMPTABLE, GESTIONNAIRE, ORDONNATEUR, Api
from vie import Vie

JOUR = {"date_effet": "2022-07-01"}


@pytest.fixture
def vie(api: Api) -> Vie:
    """Lend two operations of one beneficiary: one owes 5 000,00 €, the other is due 40 000,00."""
    played = Vie(api.service)
    played.subvention()
    played.tranche("300000.00", "300000.00")
    played.enveloppe("A", "150000.00")
    played.appel()
    for operation in ("un", "deux"):
        played.jusqu_au_demarrage(operation)
    played.ordonnancement("un", "15000.00", type="avance", le=date(2022, 2, 1))
    played.virement("un", le=date(2022, 2, 3))
    played.bilan("un", ("20000.00",))
    played.controle("un")
    played.ordre_reversement("un", "5000.00")
    played.bilan("deux")
    played.controle("deux")
    played.ordonnancement("deux", "40000.00")
    return played


def convention(api: Api, vie: Vie, operation: str) -> tuple[str, int]:
    """Return the address of an operation, and the version of its convention."""
    chemin = f"/operations/{vie.id(operation)}"
    return chemin, int(api.http.get(f"/api/v1{chemin}/convention").headers["ETag"].strip('"'))


def demander(api: Api, vie: Vie, operation: str, acte: str, **corps: Any) -> Any:
    """Ask an act on the money of an operation, as the accountant unless said otherwise."""
    qui = corps.pop("qui", COMPTABLE)
    chemin, version = convention(api, vie, operation)
    return api.demander(f"{chemin}{acte}", JOUR | corps, version, qui)


def faire(api: Api, vie: Vie, operation: str, acte: str, **corps: Any) -> Any:
    """Ask an act that must be accepted; return what it recorded."""
    answer = demander(api, vie, operation, acte, **corps)
    assert answer.is_success, answer.text
    return [e["nom"] for e in answer.json()["evenements"]]


def test_an_order_lives_through_the_door_until_it_is_compensated(api: Api, vie: Vie) -> None:
    ordre = f"/ordres-de-reversement/{next(iter(vie.convention('un').ordres))}"
    [paiement] = vie.convention("deux").paiements
    assert faire(api, vie, "un", f"{ordre}/notification") == [
        "convention.ordre_reversement_notifie.v1"
    ]
    assert faire(api, vie, "un", f"{ordre}/contestation", motif="Pièce produite") == [
        "convention.ordre_reversement_conteste.v1"
    ]
    corps = {"par_operation_id": str(vie.id("deux")), "par_paiement_id": str(paiement)}
    refused = demander(api, vie, "un", f"{ordre}/compensation", montant="3000.00", **corps)
    assert (refused.status_code, refused.json()["code"]) == (409, "contestation_pendante")
    assert faire(
        api, vie, "un", f"{ordre}/contestation/decision", motif="Maintenu", qui=ORDONNATEUR
    ) == ["convention.contestation_tranchee.v1"]
    assert faire(api, vie, "un", f"{ordre}/compensation", montant="3000.00", **corps) == [
        "convention.compensation_operee.v1",
        "convention.compensation_imputee.v1",
    ]
    perte = {"montant": "2000.00", "motif": "x", "qui": ORDONNATEUR}
    assert faire(api, vie, "un", f"{ordre}/irrecouvrabilite", **perte, decision_ref="D1") == [
        "convention.creance_irrecouvrable.v1"
    ]
    assert faire(api, vie, "un", f"{ordre}/retablissement", **perte) == [
        "convention.creance_retablie.v1"
    ]
    refused = demander(api, vie, "un", f"{ordre}/annulation", motif="x")
    assert (refused.status_code, refused.json()["code"]) == (409, "ordre_entame")
    assert refused.json()["details"] == {"rentre": "3000.00"}
    assert vie.convention("un").a_encaisser == 2_000_00
    assert vie.convention("deux").paye == 3_000_00


def test_a_payment_lives_through_the_door(api: Api, vie: Vie) -> None:
    [premier] = vie.convention("deux").paiements
    assert faire(api, vie, "deux", f"/paiements/{premier}/annulation", motif="Erreur") == [
        "convention.paiement_annule.v1"
    ]
    vie.paiement("deux", "40000.00")
    second = list(vie.convention("deux").paiements)[-1]
    faire(api, vie, "deux", f"/paiements/{second}/rejet", motif="Compte clos")
    csf = vie.convention("deux").paiements[second].csf_id
    corps = {"type": "solde", "montant": "40000.00", "csf_id": str(csf), "remplace": str(second)}
    assert faire(api, vie, "deux", "/paiements", **corps) == ["convention.paiement_prepare.v1"]
    dernier = list(vie.convention("deux").paiements)[-1]
    ordre = f"/paiements/{dernier}/ordonnancement"
    refused = demander(api, vie, "deux", ordre, qui=COMPTABLE | {"OI-Role": "ordonnateur_oi"})
    assert refused.status_code == 409
    assert refused.json()["code"] == "preparateur_egal_ordonnateur"
    assert "Vous avez préparé ce paiement le 01/07/2022" in refused.json()["detail"]
    assert faire(api, vie, "deux", ordre, qui=ORDONNATEUR) == ["convention.paiement_ordonnance.v1"]
    virement = {"ref_virement": "V-9", "iban_masque": "FR76••••189"}
    faire(api, vie, "deux", f"/paiements/{dernier}/execution", **virement)
    assert faire(api, vie, "deux", f"/paiements/{dernier}/acquittement", ref="REL-5") == [
        "convention.paiement_acquitte.v1"
    ]


def test_suites_are_closed_through_the_door(api: Api, vie: Vie) -> None:
    vie.encaissement("un", "5000.00")
    vie.solde("un")
    vie.reouverture_controle("un")
    vie.controle("un", ecarte="2000.00", le=date(2022, 10, 3))
    vie.reversement("un", "1000.00")
    operation = vie.id("un")
    version = int(api.http.get(f"/api/v1/operations/{operation}").headers["ETag"].strip('"'))
    faite = api.faire(
        f"/operations/{operation}/suites/cloture",
        {"date_effet": "2022-12-01"},
        version,
        GESTIONNAIRE,
    )
    assert [e["nom"] for e in faite["evenements"]] == [
        "operation.suites_closes.v1",
        "subvention_globale.enveloppe_liberee.v1",
    ]


def test_the_clocks_are_listed_on_a_day(api: Api, vie: Vie) -> None:
    bilan = next(iter(vie.convention("deux").bilans))
    delai = f"/bilans/{bilan}/interruption-du-delai-de-paiement"
    corps = {"cause": "piece_manquante", "notification_ref": "C-1", "motif": "Attestation absente"}
    _, version = convention(api, vie, "deux")
    api.faire(
        f"/operations/{vie.id('deux')}{delai}", {"date_effet": "2022-05-11", **corps}, version
    )
    read = api.http.get("/api/v1/paiements/horloges", params={"le": "2022-05-20"}).json()
    assert read["le"] == "2022-05-20"
    [ligne] = read["lignes"]
    assert ligne | {"operation_id": None, "bilan_id": None} == {
        "operation_id": None,
        "numero_mdfse": "deux",
        "beneficiaire": "Bénéficiaire fictif n° 07",
        "plie_id": "A",
        "reglement": "2014-2020",
        "bilan_id": None,
        "numero": 1,
        "type": "final",
        "depose_le": "2022-04-01",
        "fse_declare": "40000.00",
        "delai_jours": 90,
        "jours_consommes": 40,
        "echeance": None,
        "interrompue": True,
        "cause": "piece_manquante",
        "cause_libelle": "pièce manquante",
        "alerte": None,
    }
    faire(api, vie, "deux", f"/bilans/{bilan}/reprise-du-delai-de-paiement", qui=GESTIONNAIRE)
    today = api.http.get("/api/v1/paiements/horloges").json()["lignes"]
    assert [h["numero_mdfse"] for h in today] == ["deux"]
    assert api.http.get("/api/v1/paiements/horloges", params={"le": "hier"}).status_code == 422
