"""Persons at the door: recorded, shown to those who may, tied, erased, and never echoed."""

from typing import Any
from uuid import UUID

import pytest
from corps import conventionner, depense, dossier, instruire, ouvrir
from fastapi import FastAPI
from porte import GESTIONNAIRE, Api

from api.deps import perimetre
from oi_service.app import open_service
from oi_service.effacement import rapprocher
from oi_service.ids import new_id
from oi_service.personnes.coffre import Coffre
from oi_service.scheduler import scheduler
from projections.perimetre import Perimetre

JOUR = "2022-02-01"
CONTACT = {
    "nature": "contact_beneficiaire",
    "nom": "Contact fictif n° 07",
    "fonction": "Directrice",
    "courriel": "contact-07@beneficiaire.example",
    "telephone": "01 99 00 07 07",
}
SALARIE = {"nature": "salarie", "nom": "Salarié fictif n° 07", "reference": "MATRICULE-07"}
DIRECTEUR = {"OI-Acteur": "directeur-a", "OI-Role": "directeur_plie"}
EFFACEMENT = {"date_effet": JOUR, "motif": "Demande écrite", "demandeur": "personne_concernee"}


@pytest.fixture
def monde(api: Api) -> tuple[str, str]:
    """Record a grant and a dossier; return their identifiers."""
    sg, appel = ouvrir(api)
    return sg, api.faire("/operations", dossier(appel))["id"]


def enregistrer(api: Api, sg: str, identite: Any = CONTACT, **kwargs: Any) -> str:
    corps = {"date_effet": JOUR, "subvention_globale_id": sg, "identite": identite}
    acte = api.faire("/personnes", corps, **kwargs)
    return str(acte["id"])


def lire(api: Api, personne: str, qui: dict[str, str] | None = GESTIONNAIRE) -> Any:
    answer = api.http.get(f"/api/v1/personnes/{personne}", headers=qui or {})
    assert answer.status_code == 200, answer.text
    return answer.json()


def refus(answer: Any, status: int, code: str) -> Any:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    return answer.json()


def cles(api: Api) -> set[str]:
    return {str(p) for p in api.service.coffre.personnes()}


# --- Recording and reading -----------------------------------------------------------------------


def test_a_person_is_read_by_those_who_may(api: Api, monde: tuple[str, str]) -> None:
    personne = enregistrer(api, monde[0])
    lue = lire(api, personne)
    assert lue["acces"] == "clair"
    assert lue["identite"] == {k: v for k, v in CONTACT.items() if k != "nature"} | {
        "reference": None
    }
    assert cles(api) == {personne}
    reservee = lire(api, personne, DIRECTEUR)
    assert (reservee["acces"], reservee["identite"]) == ("reserve", None)
    assert reservee["nature"] == "contact_beneficiaire"


def test_an_unknown_person_is_not_found(api: Api, monde: tuple[str, str]) -> None:
    for inconnue in (str(new_id()), monde[1]):
        answer = api.http.get(f"/api/v1/personnes/{inconnue}", headers=GESTIONNAIRE)
        refus(answer, 404, "personne_absente")
    rectifiee = {"date_effet": JOUR, "motif": "Erreur", "identite": CONTACT}
    for inconnue in (str(new_id()), monde[1]):
        chemin = f"/personnes/{inconnue}"
        refus(api.demander(f"{chemin}/rectifications", rectifiee, 1), 404, "personne_absente")
        refus(api.demander(f"{chemin}/effacements", EFFACEMENT, 1), 404, "personne_absente")
        sans = {"date_effet": JOUR, "subvention_globale_id": inconnue, "identite": CONTACT}
        refus(api.demander("/personnes", sans), 404, "subvention_globale_absente")
    assert cles(api) == set()


def test_a_person_is_rectified_and_only_the_last_state_is_shown(
    api: Api, monde: tuple[str, str]
) -> None:
    personne = enregistrer(api, monde[0])
    corps = {
        "date_effet": "2022-02-02",
        "motif": "Fonction mal recopiée",
        "identite": CONTACT | {"fonction": "Comptable"},
    }
    api.faire(f"/personnes/{personne}/rectifications", corps, 1)
    assert lire(api, personne)["identite"]["fonction"] == "Comptable"
    autre = corps | {"identite": SALARIE}
    answer = api.demander(f"/personnes/{personne}/rectifications", autre, 2)
    refus(answer, 409, "nature_differente")


def test_a_key_that_is_missing_is_told_and_hides_nothing_else(
    api: Api, monde: tuple[str, str]
) -> None:
    personne = enregistrer(api, monde[0])
    (api.service.coffre.dossier / f"{personne}.cle").unlink()
    perdue = lire(api, personne)
    assert (perdue["acces"], perdue["identite"], perdue["effacement"]) == ("illisible", None, None)
    corps = {"date_effet": JOUR, "motif": "Erreur", "identite": CONTACT}
    answer = api.demander(f"/personnes/{personne}/rectifications", corps, 1)
    refus(answer, 409, "cle_absente")
    assert [str(p) for p in rapprocher(api.service).manquantes] == [personne]
    # It can be erased all the same.
    api.faire(f"/personnes/{personne}/effacements", EFFACEMENT, 1)
    assert rapprocher(api.service).manquantes == ()


def test_a_plie_sees_nobody_of_the_oi(api: Api, monde: tuple[str, str]) -> None:
    personne = enregistrer(api, monde[0])
    corps = {"date_effet": JOUR, "personne_id": personne}
    api.faire(f"/operations/{monde[1]}/contacts", corps, 1)
    app = api.http.app
    assert isinstance(app, FastAPI)
    app.dependency_overrides[perimetre] = lambda: Perimetre(frozenset({"A"}))
    try:
        answer = api.http.get(f"/api/v1/personnes/{personne}", headers=GESTIONNAIRE)
        refus(answer, 404, "personne_absente")
        chemin = f"/api/v1/operations/{monde[1]}/personnes"
        assert api.http.get(chemin, headers=GESTIONNAIRE).json() == []
    finally:
        app.dependency_overrides.clear()


# --- Idempotency ---------------------------------------------------------------------------------


def test_the_same_demand_records_one_person_and_one_key(api: Api, monde: tuple[str, str]) -> None:
    cle = new_id()
    une, encore = (enregistrer(api, monde[0], cle=cle) for _ in range(2))
    assert une == encore
    assert cles(api) == {une}
    autre = {
        "date_effet": JOUR,
        "subvention_globale_id": monde[0],
        "identite": CONTACT | {"nom": "Contact fictif n° 08"},
    }
    refus(api.demander("/personnes", autre, cle=cle), 422, "idempotency_key_reused")
    assert lire(api, une)["identite"]["nom"] == "Contact fictif n° 07"


def test_the_digest_of_a_demand_cannot_be_guessed_without_the_key(
    api: Api, monde: tuple[str, str]
) -> None:
    # Two persons said the same way leave two digests, though all but the key is known.
    sg = monde[0]
    cles_du_client = [new_id(), new_id()]
    for cle in cles_du_client:
        enregistrer(api, sg, cle=cle)
    ecrits = api.somme(
        "SELECT array_agg(fingerprint) FROM oi.command WHERE command_id = ANY(%s)", cles_du_client
    )
    assert len({bytes(ecrit) for ecrit in ecrits}) == 2


def test_a_demand_about_somebody_erased_sent_again_makes_no_key(
    api: Api, monde: tuple[str, str]
) -> None:
    cle = new_id()
    personne = enregistrer(api, monde[0], cle=cle)
    corps = {"date_effet": JOUR, "motif": "Erreur", "identite": CONTACT}
    rectification = new_id()
    chemin = f"/personnes/{personne}"
    api.faire(f"{chemin}/rectifications", corps, 1, cle=rectification)
    api.faire(f"{chemin}/effacements", EFFACEMENT, 2)
    encore = {"date_effet": JOUR, "subvention_globale_id": monde[0], "identite": CONTACT}
    refus(api.demander("/personnes", encore, cle=cle), 409, "personne_est_effacee")
    again = api.demander(f"{chemin}/rectifications", corps, 1, cle=rectification)
    refus(again, 409, "personne_est_effacee")
    assert cles(api) == set()


def test_an_erasure_sent_again_gives_the_same_answer(api: Api, monde: tuple[str, str]) -> None:
    personne, cle = enregistrer(api, monde[0]), new_id()
    chemin = f"/personnes/{personne}/effacements"
    fait = api.faire(chemin, EFFACEMENT, 1, cle=cle)
    assert api.faire(chemin, EFFACEMENT, 1, cle=cle) == fait
    refus(api.demander(chemin, EFFACEMENT, 2), 409, "personne_est_effacee")


# --- Ties, retention, erasure --------------------------------------------------------------------


def test_the_contacts_of_an_operation(api: Api, monde: tuple[str, str]) -> None:
    sg, operation = monde
    contact = enregistrer(api, sg)
    chemin = f"/operations/{operation}"
    corps = {"date_effet": JOUR, "personne_id": contact}
    acte = api.faire(f"{chemin}/contacts", corps, 1)
    assert [e["nom"] for e in acte["evenements"]] == [
        "operation.contact_designe.v1",
        "personne.rattachee.v1",
    ]
    assert api.faire(f"{chemin}/contacts", corps, 2)["evenements"] == []
    salarie = enregistrer(api, sg, SALARIE)
    refus(
        api.demander(f"{chemin}/contacts", corps | {"personne_id": salarie}, 2),
        409,
        "personne_non_contact",
    )

    def listes(qui: dict[str, str]) -> Any:
        return api.http.get(f"/api/v1{chemin}/personnes", headers=qui).json()

    [listee] = listes(GESTIONNAIRE)
    assert (listee["contact"], listee["personne"]["identite"]["nom"]) == (True, CONTACT["nom"])
    assert [p["personne"]["acces"] for p in listes(DIRECTEUR)] == ["reserve"]
    api.faire(f"{chemin}/contacts/retraits", corps | {"motif": "A quitté le bénéficiaire"}, 2)
    [listee] = listes(GESTIONNAIRE)
    assert listee["contact"] is False
    assert lire(api, contact)["operations"] == [operation]
    answer = api.http.get(f"/api/v1/operations/{new_id()}/personnes", headers=GESTIONNAIRE)
    refus(answer, 404, "operation_absente")


def test_an_employee_stands_for_the_third_party_of_a_depense(api: Api) -> None:
    sg, appel = ouvrir(api)
    operation, version = instruire(api, appel)
    conventionner(api, operation, version)
    salarie, autre = enregistrer(api, sg, SALARIE), enregistrer(api, sg, SALARIE)
    contact = enregistrer(api, sg)
    detail = {k: v for k, v in depense(1).items() if k != "tiers_ref"}
    chemin = f"/operations/{operation}/depenses"
    declaree = {"date_effet": "2022-03-01", "detail": detail | {"salarie_id": salarie}}
    acte = api.faire(chemin, declaree)
    lue = api.http.get(f"/api/v1/depenses/{acte['id']}").json()["detail"]
    assert (lue["salarie_id"], lue["tiers_ref"]) == (salarie, f"salarie-{salarie}")
    lot = {
        "date_effet": "2022-03-01",
        "depenses": [
            detail | {"piece_ref": f"P-{rang}", "salarie_id": salarie} for rang in range(3)
        ],
    }
    assert len(api.faire(f"{chemin}/lots", lot)["evenements"]) == 3
    assert lire(api, salarie)["operations"] == [operation]

    for defaut in ({}, {"salarie_id": salarie, "tiers_ref": "salarie-1"}):
        answer = api.demander(chemin, {"date_effet": JOUR, "detail": detail | defaut})
        [erreur] = refus(answer, 422, "saisie_invalide")["errors"]
        assert erreur["message"] == "indiquez soit tiers_ref, soit salarie_id"
    faux = {"date_effet": "2022-03-01", "detail": detail | {"salarie_id": contact}}
    refus(api.demander(chemin, faux), 409, "personne_non_salariee")
    faux = {"date_effet": "2022-03-01", "detail": detail | {"salarie_id": str(new_id())}}
    refus(api.demander(chemin, faux), 404, "personne_absente")

    # A dépense of somebody erased is corrected, but gives nobody erased anything new.
    api.faire(f"/personnes/{salarie}/effacements", EFFACEMENT | {"malgre_conservation": True}, 2)
    corps = declaree | {
        "motif": "Montant mal lu",
        "detail": declaree["detail"] | {"montant_impute": "900.00"},
    }
    api.faire(f"/depenses/{acte['id']}/correction", corps, 1)
    refus(api.demander(chemin, declaree), 409, "personne_est_effacee")
    corps["detail"] = corps["detail"] | {"salarie_id": autre}
    api.faire(f"/depenses/{acte['id']}/correction", corps, 2)
    assert lire(api, autre)["operations"] == [operation]


def test_erasing_waits_for_the_end_of_the_retention_unless_the_officer_says_why(
    api: Api, monde: tuple[str, str]
) -> None:
    sg, operation = monde
    personne = enregistrer(api, sg)
    corps = {"date_effet": JOUR, "personne_id": personne}
    api.faire(f"/operations/{operation}/contacts", corps, 1)
    chemin = f"/personnes/{personne}/effacements"
    refuse = refus(api.demander(chemin, EFFACEMENT, 2), 409, "conservation_en_cours")
    assert "le dossier 202100001" in refuse["detail"]
    assert "art. 17 §3 b)" in refuse["article"]
    assert cles(api) == {personne}
    api.faire(chemin, EFFACEMENT | {"malgre_conservation": True}, 2)
    assert cles(api) == set()
    lue = lire(api, personne)
    assert (lue["acces"], lue["identite"]) == ("effacee", None)
    assert lue["effacement"] == {
        "le": JOUR,
        "demandeur": "personne_concernee",
        "motif": "Demande écrite",
        "malgre_conservation": True,
    }
    answer = api.demander(f"/operations/{operation}/contacts", corps, 2)
    refus(answer, 409, "personne_est_effacee")


# --- What cuts an erasure ------------------------------------------------------------------------


def test_an_erasure_cut_before_the_key_was_destroyed_is_ended_at_the_next_start(
    api: Api, monde: tuple[str, str], base: str
) -> None:
    gardee, effacee = enregistrer(api, monde[0]), enregistrer(api, monde[0])
    coffre = api.service.coffre
    sauvegarde = (coffre.dossier / f"{effacee}.cle").read_bytes()
    api.faire(f"/personnes/{effacee}/effacements", EFFACEMENT, 1)
    # The state of a disk where the process died after the event; or a vault that was restored.
    (coffre.dossier / f"{effacee}.cle").write_bytes(sauvegarde)
    with open_service(base, api.service.lieux) as service, scheduler(service):
        assert {str(p) for p in service.coffre.personnes()} == {gardee}
    assert rapprocher(api.service) == rapprocher(api.service)
    assert rapprocher(api.service).detruites == ()


def test_the_key_is_on_disk_before_its_event_and_no_key_is_lost_to_a_refusal(
    api: Api, monde: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    presentes: list[set[UUID]] = []
    recorder = api.service.journal.recorder
    ajouter = recorder.append

    def append(*args: Any, **kwargs: Any) -> Any:
        presentes.append(set(api.service.coffre.personnes()))
        return ajouter(*args, **kwargs)

    monkeypatch.setattr(recorder, "append", append)
    personne = enregistrer(api, monde[0])
    assert presentes == [{UUID(personne)}]


def test_a_vault_that_knows_more_than_the_log_loses_nothing(
    api: Api, monde: tuple[str, str]
) -> None:
    # Pointed at another database, the service must not take its own keys for those of nobody.
    etrangere = new_id()
    api.service.coffre.creer(etrangere)
    assert rapprocher(api.service).detruites == ()
    assert api.service.coffre.contient(etrangere)


# --- Trials --------------------------------------------------------------------------------------


def test_a_trial_neither_makes_nor_destroys_a_key(api: Api, monde: tuple[str, str]) -> None:
    sg, operation = monde
    connue = enregistrer(api, sg)
    avant = {p.name: p.read_bytes() for p in api.service.coffre.dossier.iterdir()}
    corps = {"date_effet": JOUR, "subvention_globale_id": sg, "identite": CONTACT}
    demande = {
        "commandes": [
            {"chemin": "/api/v1/personnes", "corps": corps},
            {
                "chemin": f"/api/v1/operations/{operation}/contacts",
                "corps": {"date_effet": JOUR, "personne_id": "$1.id"},
            },
            {
                "chemin": "/api/v1/personnes/$1.id/rectifications",
                "corps": {"date_effet": JOUR, "motif": "Erreur", "identite": CONTACT},
            },
            {
                "chemin": "/api/v1/personnes/$1.id/effacements",
                "corps": EFFACEMENT | {"malgre_conservation": True},
            },
            {"chemin": f"/api/v1/personnes/{connue}/effacements", "corps": EFFACEMENT},
            {
                "chemin": f"/api/v1/personnes/{connue}/rectifications",
                "corps": {"date_effet": JOUR, "motif": "Erreur", "identite": CONTACT},
            },
        ]
    }
    answer = api.http.post("/api/v1/essais", json=demande, headers=GESTIONNAIRE)
    assert answer.status_code == 200, answer.text
    refusees = [c["refus"] and c["refus"]["code"] for c in answer.json()["commandes"]]
    assert refusees == [None, None, None, None, None, "personne_est_effacee"]
    assert {p.name: p.read_bytes() for p in api.service.coffre.dossier.iterdir()} == avant
    assert lire(api, connue)["acces"] == "clair"


# --- Nothing is repeated -------------------------------------------------------------------------

IBAN, NIR = "FR76 3000 6000 0112 3456 7890 189", "2 95 10 99 126 111 93"


@pytest.mark.parametrize(
    "identite",
    [
        CONTACT | {"courriel": "Contact fictif n° 07"},
        CONTACT | {"telephone": "Contact fictif n° 07"},
        CONTACT | {"nom": "Contact fictif n° 07" * 30},
        CONTACT | {"prenom": "Contact fictif n° 07"},
        CONTACT | {"nature": "Contact fictif n° 07"},
        "Contact fictif n° 07",
    ],
)
def test_a_refused_person_is_not_repeated(api: Api, monde: tuple[str, str], identite: Any) -> None:
    corps = {"date_effet": JOUR, "subvention_globale_id": monde[0], "identite": identite}
    answer = api.demander("/personnes", corps)
    assert answer.status_code == 422, answer.text
    assert "Contact fictif" not in answer.text
    assert cles(api) == set()


@pytest.mark.parametrize(
    ("numero", "dit"), [(IBAN, "un IBAN entier"), (NIR, "un numéro de sécurité sociale")]
)
def test_a_number_of_account_or_of_person_enters_by_no_text(
    api: Api, monde: tuple[str, str], numero: str, dit: str
) -> None:
    position = api.position
    _, operation = monde
    rectifie = {"date_effet": JOUR, "motif": f"Voir {numero}, merci"}
    for chemin, corps, version in (
        (f"/operations/{operation}/retrait", rectifie, 1),
        (
            f"/operations/{operation}/recevabilite",
            {
                "date_effet": JOUR,
                "pieces": [{"sha256": "0" * 64, "libelle": f"RIB {numero}", "type": "rib"}],
            },
            1,
        ),
        (
            f"/operations/{operation}/complements/demandes",
            {"date_effet": JOUR, "pieces_attendues": ["x", numero], "echeance": "2022-03-01"},
            1,
        ),
    ):
        answer = api.demander(chemin, corps, version)
        [erreur] = refus(answer, 422, "saisie_invalide")["errors"]
        assert dit in erreur["message"]
        assert numero not in answer.text
    assert api.position == position


def test_the_digest_of_a_document_is_never_taken_for_a_number(
    api: Api, monde: tuple[str, str]
) -> None:
    empreinte = "be68539007547034" + "a" * 48
    assert api.demander(
        f"/operations/{monde[1]}/recevabilite",
        {
            "date_effet": "2021-12-16",
            "pieces": [{"sha256": empreinte, "libelle": "Pièce", "type": "pdf"}],
        },
        1,
    ).is_success


def test_the_keys_are_never_in_the_database_nor_beside_the_pieces(
    api: Api, monde: tuple[str, str]
) -> None:
    enregistrer(api, monde[0])
    assert isinstance(api.service.coffre, Coffre)
    assert api.service.coffre.dossier == api.service.lieux.cles / "personnes"
    assert api.service.coffre.dossier.stat().st_mode & 0o077 == 0
