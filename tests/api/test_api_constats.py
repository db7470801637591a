"""The findings of eligibility, and what a dépense declares of time and keys, through HTTP."""

from typing import Any

from corps import PERIODE, conventionner, depense, instruire, ouvrir
from porte import Api

from oi_service.ids import new_id
from rules.eligibilite import MOTIFS, TESTS


def operation_ouverte(api: Api) -> tuple[str, int]:
    """Bring an operation under convention; return its path and the version of its convention."""
    _, appel = ouvrir(api)
    operation, version = instruire(api, appel)
    _, cv = conventionner(api, operation, version)
    return f"/operations/{operation}", cv


def lire(api: Api, chemin: str) -> Any:
    answer = api.http.get(f"/api/v1{chemin}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_findings_of_a_depense(api: Api) -> None:
    chemin, _ = operation_ouverte(api)
    corps = {"date_effet": "2022-03-01", "detail": depense(0) | {"montant_impute": "40.00"}}
    une = api.faire(f"{chemin}/depenses", corps)["id"]
    found = lire(api, f"/depenses/{une}/constats")
    assert (found["depense_id"], found["montant_impute"]) == (une, "40.00")
    assert [c["test"] for c in found["constats"]] == list(TESTS)
    assert found["conformes"] + found["anomalies"] + found["a_apprecier"] == len(TESTS)
    [preuve] = [c for c in found["constats"] if c["test"] == "preuve_acquittement"]
    assert preuve["statut"] == "anomalie"
    assert preuve["statut_libelle"] == "Anomalie"
    assert preuve["intitule"] == "Preuve de l’acquittement"
    assert preuve["motif_libelle"] == MOTIFS[preuve["motif_code"]]
    assert "décrets" in preuve["article"]


def test_findings_are_kept_by_outcome(api: Api) -> None:
    chemin, _ = operation_ouverte(api)
    une = api.faire(f"{chemin}/depenses", {"date_effet": "2022-03-01", "detail": depense(0)})["id"]
    tous = lire(api, f"/depenses/{une}/constats")
    anomalies = lire(api, f"/depenses/{une}/constats?statut=anomalie")
    assert {c["statut"] for c in anomalies["constats"]} == {"anomalie"}
    assert len(anomalies["constats"]) == tous["anomalies"] == anomalies["anomalies"]
    assert api.http.get(f"/api/v1/depenses/{une}/constats?statut=autre").status_code == 422


def test_the_findings_of_a_bilan(api: Api) -> None:
    chemin, cv = operation_ouverte(api)
    lot = {"date_effet": "2022-03-01", "depenses": [depense(rang) for rang in range(3)]}
    acte = api.faire(f"{chemin}/depenses/lots", lot)
    depenses = [e["flux"] for e in acte["evenements"]]
    corps = {
        "date_effet": "2022-04-01",
        "numero": 1,
        "type": "final",
        "periode": PERIODE,
        "depenses": depenses,
        "ressources": [],
    }
    bilan = api.faire(f"{chemin}/bilans", corps, cv)["id"]
    found = lire(api, f"{chemin}/bilans/{bilan}/constats")
    assert [d["depense_id"] for d in found] == depenses
    assert found[0] == lire(api, f"/depenses/{depenses[0]}/constats")


def test_what_does_not_exist_has_no_finding(api: Api) -> None:
    chemin, _ = operation_ouverte(api)
    codes = {
        f"/depenses/{new_id()}/constats": "depense_absente",
        f"{chemin}/bilans/{new_id()}/constats": "bilan_inconnu",
        f"/operations/{new_id()}/bilans/{new_id()}/constats": "operation_absente",
    }
    for where, code in codes.items():
        answer = api.http.get(f"/api/v1{where}")
        assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_time_and_keys_are_declared_and_the_amount_is_computed(api: Api) -> None:
    """CSF-28 and CSF-29 as a beneficiary types them."""
    chemin, _ = operation_ouverte(api)
    sans_montant = {k: v for k, v in depense(0).items() if k != "montant_impute"}
    temps = {
        "methode": "taux_horaire",
        "cout": "43215.60",
        "heures_operation": "612.50",
        "heures_base": "1720",
    }
    cle = {
        "numerateur": "7.25",
        "denominateur": "42.50",
        "libelle": "ETP",
        "assiette": "180000.00",
    }
    for saisie, montant in (({"temps": temps}, "15389.28"), ({"cle": cle}, "30705.88")):
        corps = {"date_effet": "2022-03-01", "detail": sans_montant | saisie}
        une = api.faire(f"{chemin}/depenses", corps)["id"]
        assert lire(api, f"/depenses/{une}")["montant_impute"] == montant
        [calcul] = [
            c for c in lire(api, f"/depenses/{une}/constats")["constats"] if c["test"] == "calcul"
        ]
        assert calcul["statut"] == "conforme"


def test_what_time_is_declared_is_shown(api: Api) -> None:
    chemin, _ = operation_ouverte(api)
    temps = {
        "methode": "temps_travaille",
        "cout": "3000.00",
        "heures_base": "151.67",
        "annee": 2021,
        "mois": 5,
        "jours": [{"jour": "2021-05-03", "heures": "7.5"}],
        "justificatif": "releve_signe",
    }
    plus = {"temps": temps, "marche_ref": "M-1", "mise_en_concurrence_ref": "MEC-1"}
    une = api.faire(
        f"{chemin}/depenses", {"date_effet": "2022-03-01", "detail": depense(0) | plus}
    )["id"]
    detail = lire(api, f"/depenses/{une}")["detail"]
    assert detail["temps"] == temps | {
        "heures_operation": "7.5",
        "pourcentage": None,
        "accepte_le": None,
    }
    assert (detail["marche_ref"], detail["mise_en_concurrence_ref"]) == ("M-1", "MEC-1")
    assert detail["regularise"] is None


def test_a_regularisation_names_what_it_corrects(api: Api) -> None:
    chemin, _ = operation_ouverte(api)
    une = api.faire(f"{chemin}/depenses", {"date_effet": "2022-03-01", "detail": depense(0)})["id"]
    avoir = depense(1, "-40.00")
    answer = api.demander(f"{chemin}/depenses", {"date_effet": "2022-03-01", "detail": avoir})
    assert (answer.status_code, answer.json()["code"]) == (409, "montant_negatif")
    corps = {"date_effet": "2022-03-01", "detail": avoir | {"regularise": une}}
    deux = api.faire(f"{chemin}/depenses", corps)["id"]
    lue = lire(api, f"/depenses/{deux}")
    assert (lue["montant_impute"], lue["detail"]["regularise"]) == ("-40.00", une)
