"""A whole life through HTTP, and acts that come out of their order."""

from typing import Any

import pytest
from corps import (
    CONVENTION,
    LIGNE,
    PERIODE,
    SUBVENTION,
    conventionner,
    depense,
    instruire,
    ouvrir,
    plan,
    programmation,
)
from porte import COMPTABLE, ORDONNATEUR, VALIDEUR, Api


def mesure(api: Api, nom: str) -> Any:
    return api.somme(
        "SELECT coalesce(sum(centimes), 0)::bigint FROM projection.mouvement WHERE mesure = %s", nom
    )


def test_a_life_from_the_grant_to_the_archive(api: Api) -> None:
    _, appel = ouvrir(api)
    operation, version = instruire(api, appel)
    version, cv = conventionner(api, operation, version)
    chemin = f"/operations/{operation}"

    une = api.faire(f"{chemin}/depenses", {"date_effet": "2022-03-01", "detail": depense(0)})
    lot = {"date_effet": "2022-03-01", "depenses": [depense(rang) for rang in range(1, 9)]}
    reste = api.faire(f"{chemin}/depenses/lots", lot, personne=COMPTABLE)
    depenses = [une["id"], *(e["flux"] for e in reste["evenements"])]
    assert (une["version"], reste["version"], len(set(depenses))) == (1, None, 9)

    corps: Any = {
        "date_effet": "2022-04-01",
        "numero": 1,
        "type": "final",
        "periode": PERIODE,
        "depenses": depenses,
        "ressources": plan()["ressources"],
    }
    bilan = api.faire(f"{chemin}/bilans", corps, cv)
    jour = {"date_effet": "2022-04-01"}
    acte = api.faire(f"{chemin}/bilans/{bilan['id']}/recevabilite", jour, bilan["version"])
    corps = {"date_effet": "2022-04-02", "bilan_id": bilan["id"]}
    csf = api.faire(f"{chemin}/csf", corps, acte["version"])
    lignes = [{"depense_id": d, "montant_ecarte": "0.00"} for d in depenses]
    acte = api.faire(
        f"{chemin}/csf/{csf['id']}/lignes",
        {"date_effet": "2022-04-02", "lignes": lignes},
        csf["version"],
    )
    assert acte["version"] == csf["version"], "the control decides on dépenses, not the convention"
    ressources = [
        {
            "type": "publique_epci",
            "financeur": "EPCI",
            "montant_declare": "50000.00",
            "montant_retenu": "40000.00",
        }
    ]
    acte = api.faire(
        f"{chemin}/csf/{csf['id']}/ressources",
        {"date_effet": "2022-04-02", "ressources": ressources},
        acte["version"],
    )
    acte = api.faire(
        f"{chemin}/csf/{csf['id']}/validation",
        {"date_effet": "2022-04-03"},
        acte["version"],
        VALIDEUR,
    )
    corps = {
        "date_effet": "2022-04-04",
        "type": "solde",
        "montant": "45000.00",
        "csf_id": csf["id"],
    }
    paiement = api.faire(f"{chemin}/paiements", corps, acte["version"], COMPTABLE)
    acte = api.faire(
        f"{chemin}/paiements/{paiement['id']}/ordonnancement",
        {"date_effet": "2022-04-04"},
        paiement["version"],
        ORDONNATEUR,
    )
    corps = {"date_effet": "2022-04-05", "ref_virement": "V1", "iban_masque": "FR76••••189"}
    acte = api.faire(
        f"{chemin}/paiements/{paiement['id']}/execution", corps, acte["version"], COMPTABLE
    )
    corps = {"date_effet": "2022-04-06", "ref": "RELEVE-1"}
    acte = api.faire(
        f"{chemin}/paiements/{paiement['id']}/acquittement", corps, acte["version"], COMPTABLE
    )
    for etape, corps in (
        ("etats-de-depenses", {"etat_no": "E1"}),
        ("certifications", {"appel_de_fonds_no": "AF1", "exercice_comptable": "2021-2022"}),
    ):
        corps |= {"date_effet": "2022-04-06", "fse": "45000.00", "cout_total": "90000.00"}
        acte = api.faire(f"{chemin}/{etape}", corps, acte["version"])

    # The operation also took note of its final bilan.
    acte = api.faire(f"{chemin}/solde", {"date_effet": "2022-04-06"}, version + 1)
    acte = api.faire(f"{chemin}/cloture", {"date_effet": "2022-04-07"}, acte["version"])
    corps = {"date_effet": "2022-04-08", "lieu_archivage": "Siège", "reference": "2023-02-15"}
    api.faire(f"{chemin}/archivage", corps, acte["version"])

    assert mesure(api, "fse_programme") == 50_000_00
    assert mesure(api, "fse_programme_ajuste") == 45_000_00
    assert mesure(api, "fse_retenu_csf") == 45_000_00
    assert mesure(api, "fse_paye") == 45_000_00
    assert api.somme("SELECT statut FROM projection.operation") == "archive"
    assert api.somme("SELECT sum(programme_centimes)::bigint FROM projection.enveloppe") == 4500000
    assert "45" in api.http.get("/maquette").text


def test_an_avenant_is_asked_examined_and_signed(api: Api) -> None:
    _, appel = ouvrir(api)
    operation, version = instruire(api, appel)
    _, cv = conventionner(api, operation, version, date_effet="2021-12-20")
    chemin = f"/operations/{operation}/convention/avenants"
    corps = {
        "date_effet": "2021-12-21",
        "motif": "Une entrée de plus",
        "numero": 1,
        "plan": plan("60000.00", "40000.00"),
    }
    acte = api.faire(chemin, corps, cv)
    corps = {
        "date_effet": "2021-12-22",
        "numero": 1,
        "instance": "conseil_administration_oi",
        "pv_ref": "pv-2",
    }
    autre = api.demander(f"{chemin}/2/programmation", corps, acte["version"])
    assert (autre.status_code, autre.json()["errors"][0]["pointer"]) == (422, "#/numero")
    acte = api.faire(f"{chemin}/1/programmation", corps, acte["version"])
    corps = {"date_effet": "2021-12-23", "numero": 1}
    api.faire(f"{chemin}/1/signature", corps, acte["version"])
    assert mesure(api, "fse_conventionne") == 60_000_00


def test_an_avenant_given_up_after_the_committee_gives_its_money_back(api: Api) -> None:
    _, appel = ouvrir(api)
    operation, version = instruire(api, appel)
    _, cv = conventionner(api, operation, version, date_effet="2021-12-20")
    chemin = f"/operations/{operation}/convention/avenants"
    corps = {
        "date_effet": "2021-12-21",
        "motif": "Une entrée de plus",
        "numero": 1,
        "plan": plan("60000.00", "40000.00"),
    }
    acte = api.faire(chemin, corps, cv)
    corps = {
        "date_effet": "2021-12-22",
        "numero": 1,
        "instance": "conseil_administration_oi",
        "pv_ref": "pv-2",
    }
    acte = api.faire(f"{chemin}/1/programmation", corps, acte["version"])
    held = "SELECT sum(programme_centimes)::bigint FROM projection.enveloppe"
    assert api.somme(held) == 60_000_00
    corps = {"date_effet": "2021-12-23", "numero": 1, "motif": "Le porteur y renonce"}
    api.faire(f"{chemin}/1/abandon", corps, acte["version"])
    assert api.somme(held) == 50_000_00
    assert mesure(api, "fse_programme") == 50_000_00


def test_money_moves_between_plie_and_from_the_reserve(api: Api) -> None:
    sg, _ = ouvrir(api)
    chemin = f"/subventions-globales/{sg}"
    reserve = {
        "date_effet": "2021-01-01",
        "ligne": LIGNE,
        "fse": "1000.00",
        "cout_total": "2000.00",
    }
    acte = api.faire(f"{chemin}/reserves", reserve, 3)
    transfert = {
        "date_effet": "2021-02-01",
        "motif": "Besoin nouveau",
        "de": {"ligne": LIGNE, "plie_id": "reserve"},
        "vers": {"ligne": LIGNE, "plie_id": "B"},
        "fse": "1000.00",
        "cout_total": "2000.00",
        "instance": "conseil_administration_oi",
        "pv_ref": "pv-3",
    }
    acte = api.faire(f"{chemin}/transferts", transfert, acte["version"])
    refused = api.demander(f"{chemin}/transferts", transfert, acte["version"])
    assert (refused.status_code, refused.json()["code"]) == (409, "transfert_sous_le_programme")
    assert refused.json()["details"]["disponible"] == "0.00"
    assert "0,00\u00a0€ peuvent en partir" in refused.json()["detail"]


def test_a_contrepartie_backs_an_operation(api: Api) -> None:
    sg, appel = ouvrir(api)
    operation, version = instruire(api, appel)
    api.faire(f"/operations/{operation}/programmation", programmation(), version)
    corps: Any = {
        "date_effet": "2021-03-01",
        "type": "publique_epci",
        "financeur": "EPCI",
        "plie_id": "A",
        "annee": 2021,
        "montant": "50000.00",
        "attestation_ref": "convention-epci",
    }
    acte = api.faire(f"/subventions-globales/{sg}/contreparties", corps)
    chemin = f"/contreparties/{acte['id']}"
    corps = {"date_effet": "2022-03-01", "montant": "50000.00", "ref": "T1"}
    acte = api.faire(f"{chemin}/perceptions", corps, acte["version"])
    corps = {"date_effet": "2022-03-01", "montant": "30000.00", "operation_id": operation}
    acte = api.faire(f"{chemin}/affectations", corps, acte["version"])
    corps |= {"montant": "10000.00", "motif": "Erreur de saisie"}
    api.faire(f"{chemin}/annulations", corps, acte["version"])
    assert api.somme("SELECT affecte_centimes FROM projection.contrepartie") == 20_000_00


# --- Out of order --------------------------------------------------------------------------------


def refuser(api: Api, code: str, *demande: Any, **kwargs: Any) -> Any:
    """Check that a command is refused with 409 and writes nothing."""
    before = api.position
    answer = api.demander(*demande, **kwargs)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"/problemes/{code}"
    assert problem["detail"].endswith((".", ".»")), problem["detail"]
    assert api.position == before
    return problem


def test_nothing_without_a_grant_in_force(api: Api) -> None:
    absent = "6f1a3c52-7f0b-4d5e-9a86-2f1a54f5c6d1"
    answer = api.demander(f"/subventions-globales/{absent}/enveloppes", {}, 1)
    assert answer.status_code == 422
    sg = api.faire("/subventions-globales", SUBVENTION)["id"]
    tard = {
        "date_effet": "2023-01-01",
        "ligne": LIGNE,
        "plie_id": "A",
        "fse": "1.00",
        "cout_total": "1.00",
    }
    refuser(
        api,
        "subvention_globale_non_en_vigueur",
        f"/subventions-globales/{sg}/enveloppes",
        tard,
        1,
    )


def test_convention_before_programming(api: Api) -> None:
    _, appel = ouvrir(api)
    operation, _ = instruire(api, appel)
    chemin = f"/operations/{operation}/convention"
    problem = refuser(api, "convention_avant_programmation", chemin, CONVENTION)
    assert "n’est pas programmée" in problem["detail"]


def test_depense_and_bilan_before_convention(api: Api) -> None:
    _, appel = ouvrir(api)
    operation, version = instruire(api, appel)
    api.faire(f"/operations/{operation}/programmation", programmation(), version)
    declaree = {"date_effet": "2022-03-01", "detail": depense(1)}
    refuser(api, "depense_avant_convention", f"/operations/{operation}/depenses", declaree)
    api.faire(f"/operations/{operation}/convention", CONVENTION)
    bilan = {
        "date_effet": "2022-04-01",
        "numero": 1,
        "type": "final",
        "periode": PERIODE,
        "depenses": [],
    }
    refuser(api, "bilan_avant_convention", f"/operations/{operation}/bilans", bilan, 1)


def test_csf_before_bilan_and_solde_before_csf(api: Api) -> None:
    _, appel = ouvrir(api)
    operation, version = instruire(api, appel)
    version, cv = conventionner(api, operation, version)
    chemin = f"/operations/{operation}"
    corps: Any = {"date_effet": "2022-04-02", "bilan_id": operation}
    refuser(api, "csf_sans_bilan", f"{chemin}/csf", corps, cv)
    refuser(api, "solde_avant_csf", f"{chemin}/solde", {"date_effet": "2022-04-02"}, version)
    corps = {"date_effet": "2022-04-02", "type": "solde", "montant": "1.00"}
    problem = refuser(api, "paiement_sans_csf", f"{chemin}/paiements", corps, cv)
    assert problem["article"].startswith("Appel à projets")


def test_the_committee_of_the_plie_does_not_award(api: Api) -> None:
    _, appel = ouvrir(api)
    operation, version = instruire(api, appel)
    corps = programmation() | {"instance": "comite_pilotage_plie"}
    chemin = f"/operations/{operation}/programmation"
    refuser(api, "instance_incompetente", chemin, corps, version)


@pytest.mark.parametrize(
    ("chemin", "corps"),
    [
        ("plan-de-financement", {"plan": plan("40000.00", "60000.00")}),
        ("rectification", {"motif": "Changer", "objet": "Autre objet"}),
    ],
)
def test_no_change_outside_an_avenant(api: Api, chemin: str, corps: Any) -> None:
    _, appel = ouvrir(api)
    operation, version = instruire(api, appel)
    api.faire(f"/operations/{operation}/programmation", programmation(), version)
    corps = corps | {"date_effet": "2022-02-01"}
    address = f"/operations/{operation}/{chemin}"
    refuser(api, "modification_hors_avenant", address, corps, version + 1)
