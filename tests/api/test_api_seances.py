"""A session of the committee through the JSON door: all its decisions, or none."""

from typing import Any

from corps import APPEL, ENVELOPPE, SUBVENTION, TRANCHE, conventionner, instruire, ouvrir, plan
from porte import Api

from aggregates.operation.seance import (
    DossierDecideDeuxFois,
    SeanceDePlusieursSubventions,
    SeanceRefusee,
)
from oi_service.ids import new_id


def seance(*decisions: dict[str, Any], **changements: Any) -> Any:
    return {
        "date_effet": "2022-01-20",
        "instance": "comite_programmation_oi",
        "pv_ref": "pv-seance",
        "decisions": list(decisions),
        **changements,
    }


def programmer(operation: str, fse: str = "50000.00") -> dict[str, Any]:
    return {
        "operation_id": operation,
        "decision": "programmer",
        "fse": fse,
        "cout_total": "100000.00",
        "deports": ["gestionnaire-2"],
    }


def refuser(operation: str, **plus: Any) -> dict[str, Any]:
    return {"operation_id": operation, "decision": "refuser", "motif": "Hors objet", **plus}


def statuts(api: Api) -> list[str]:
    trouves: list[str] = api.somme(
        "SELECT array_agg(statut ORDER BY numero_mdfse) FROM projection.operation"
    )
    return trouves


def test_a_session_is_one_act_on_several_dossiers(api: Api) -> None:
    _, appel = ouvrir(api)
    premiere, _ = instruire(api, appel, 1)
    seconde, _ = instruire(api, appel, 2)
    acte = api.faire("/seances", seance(programmer(premiere), refuser(seconde)))
    assert acte["version"] is None
    assert [e["nom"] for e in acte["evenements"]] == [
        "operation.programmee.v1",
        "subvention_globale.enveloppe_reservee.v1",
        "operation.refusee.v1",
    ]
    assert statuts(api) == ["programme", "refuse"]
    assert api.somme("SELECT count(DISTINCT command_id) FROM oi.event WHERE position > 15") == 1


def test_the_same_session_sent_again_changes_nothing(api: Api) -> None:
    _, appel = ouvrir(api)
    operation, _ = instruire(api, appel)
    corps = seance(programmer(operation))
    cle = new_id()
    premiere = api.faire("/seances", corps, cle=cle)
    assert api.faire("/seances", corps, cle=cle) == premiere


def test_each_refusal_is_told_at_its_place_and_nothing_is_recorded(api: Api) -> None:
    _, appel = ouvrir(api, "60000.00")
    trois = [instruire(api, appel, rang)[0] for rang in (1, 2, 3)]
    avant = api.position
    answer = api.demander(
        "/seances",
        seance(programmer(trois[0]), programmer(trois[1]), programmer(trois[2], "40000.00")),
    )
    probleme = answer.json()
    assert (answer.status_code, probleme["code"]) == (409, SeanceRefusee.code())
    assert [e["pointer"] for e in probleme["errors"]] == ["#/decisions/1", "#/decisions/2"]
    # The first one took its money: the second is refused on what it left.
    assert "il y reste 10\u202f000,00\u00a0€" in probleme["errors"][0]["message"]
    assert "le plan instruit porte 50\u202f000,00\u00a0€" in probleme["errors"][1]["message"]
    assert probleme["detail"].startswith("2 des 3 décisions")
    assert api.position == avant


def test_a_dossier_is_decided_once(api: Api) -> None:
    _, appel = ouvrir(api)
    operation, _ = instruire(api, appel)
    answer = api.demander("/seances", seance(programmer(operation), refuser(operation)))
    assert answer.json()["code"] == DossierDecideDeuxFois.code()


def test_a_session_is_of_one_grant(api: Api) -> None:
    _, appel = ouvrir(api)
    operation, _ = instruire(api, appel)
    autre = api.faire("/subventions-globales", SUBVENTION | {"numero": "SG2"})["id"]
    chemin = f"/subventions-globales/{autre}"
    api.faire(f"{chemin}/tranches", TRANCHE, 1)
    api.faire(f"{chemin}/enveloppes", ENVELOPPE, 2)
    autre_appel = api.faire(f"{chemin}/appels-a-projets", APPEL | {"numero": "4"})["id"]
    ailleurs, _ = instruire(api, autre_appel, 2)
    answer = api.demander("/seances", seance(programmer(operation), programmer(ailleurs)))
    [erreur] = answer.json()["errors"]
    assert erreur["pointer"] == "#/decisions/1"
    assert erreur["message"] == str(SeanceDePlusieursSubventions(numero="202100002"))


def test_an_unknown_dossier_is_one_refusal_among_others(api: Api) -> None:
    _, appel = ouvrir(api)
    operation, _ = instruire(api, appel)
    inconnue = "00000000-0000-4000-8000-000000000000"
    answer = api.demander("/seances", seance(programmer(inconnue), programmer(operation)))
    assert [e["pointer"] for e in answer.json()["errors"]] == ["#/decisions/0"]


def test_decisions_that_say_too_little_are_malformed(api: Api) -> None:
    _, appel = ouvrir(api)
    operation, _ = instruire(api, appel)
    for decision, message in (
        ({"decision": "ajourner"}, "ajourner ou refuser demande un motif"),
        ({"decision": "programmer"}, "programmer un dossier demande son FSE et son coût total"),
        (
            {"decision": "ajourner", "motif": "Plus tard", "avenant": 1},
            "un avenant est programmé, ou refusé : il ne s’ajourne pas",
        ),
        (
            {"decision": "programmer", "avenant": 1, "fse": "1.00"},
            "un avenant ne porte ni montant ni déport : il a son propre plan",
        ),
    ):
        answer = api.demander("/seances", seance({"operation_id": operation, **decision}))
        assert answer.status_code == 422
        [erreur] = answer.json()["errors"]
        assert (erreur["pointer"], erreur["message"]) == ("#/decisions/0", message)


def test_avenants_are_examined_in_the_session(api: Api) -> None:
    _, appel = ouvrir(api)
    operation, version = instruire(api, appel)
    _, cv = conventionner(api, operation, version, date_effet="2021-12-20")
    avenants = f"/operations/{operation}/convention/avenants"
    demande = {
        "date_effet": "2021-12-21",
        "motif": "Une entrée de plus",
        "numero": 1,
        "plan": plan("60000.00", "40000.00"),
    }
    acte = api.faire(avenants, demande, cv)
    api.faire("/seances", seance(refuser(operation, avenant=1), date_effet="2021-12-22"))
    acte = api.faire(avenants, demande | {"date_effet": "2021-12-22"}, acte["version"] + 1)
    api.faire(
        "/seances",
        seance(
            {"operation_id": operation, "decision": "programmer", "avenant": 1},
            date_effet="2021-12-23",
        ),
    )
    assert api.somme("SELECT sum(programme_centimes)::bigint FROM projection.enveloppe") == 6000000
