"""The door of the auditors: what they freeze, draw and find, and nobody else reads."""

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, get_args

import pytest
from corps import conventionner, depense, instruire, ouvrir, plan
from porte import AUDITEUR, COMPTABLE, GESTIONNAIRE, ORDONNATEUR, VALIDEUR, Api

from aggregates.audit.state import DossierAuditAbsent
from api.droits import Role
from api.porte import RoleInsuffisant, RoleNonTenu
from oi_service.ids import new_id
from projections.audit import EchantillonIntrouvable, PopulationIntrouvable

JOUR = {"date_effet": "2022-10-24"}
OUVERTURE = JOUR | {
    "mission": "Audit d’opérations",
    "organisme": "Autorité d’audit",
    "reference": "AUD-1",
    "perimetre": "Dépenses de 2021",
}
TOUTES = JOUR | {"definition": {"portee": "toutes"}, "montant": "declare"}


class Audit:
    """An auditor at the door, with a working file on ten dépenses of 1 000 € to 10 000 €."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.sg, appel = ouvrir(api)
        self.operation, version = instruire(api, appel, le_plan=plan())
        conventionner(api, self.operation, version)
        lot = {
            "date_effet": "2022-02-01",
            "depenses": [depense(rang, f"{rang}000.00") for rang in range(1, 11)],
        }
        acte = api.faire(f"/operations/{self.operation}/depenses/lots", lot)
        self.depenses = [fait["flux"] for fait in acte["evenements"]]
        chemin = f"/audit/subventions-globales/{self.sg}/dossiers"
        self.dossier = self.faire(chemin, OUVERTURE)["id"]
        self.version = 1

    def faire(self, chemin: str, corps: Any, *args: Any, **kwargs: Any) -> Any:
        return self.api.faire(chemin, corps, *args, personne=AUDITEUR, **kwargs)

    def sur_dossier(self, suite: str, corps: Any) -> Any:
        acte = self.faire(f"/audit/dossiers/{self.dossier}/{suite}", corps, self.version)
        self.version = acte["version"]
        return acte

    def demander(self, suite: str, corps: Any, **kwargs: Any) -> Any:
        chemin = f"/audit/dossiers/{self.dossier}/{suite}"
        return self.api.demander(chemin, corps, self.version, personne=AUDITEUR, **kwargs)

    def lire(self, suite: str = "", **filtres: Any) -> Any:
        return self.api.http.get(
            f"/api/v1/audit/dossiers/{self.dossier}{suite}", headers=AUDITEUR, params=filtres
        )

    def tirer(self, population: str, **saisie: Any) -> Any:
        corps = JOUR | {"population_id": population, "methode": "simple", "taille": 3} | saisie
        return self.sur_dossier("echantillons", corps)["id"]


@pytest.fixture
def audit(api: Api) -> Audit:
    return Audit(api)


def test_a_working_file_from_its_opening_to_its_end(audit: Audit) -> None:
    population = audit.sur_dossier("populations", TOUTES)["id"]
    figee = audit.lire(f"/populations/{population}").json()
    assert figee["position"] == audit.api.position - 1
    assert (figee["nombre"], figee["total"]) == (10, "55000.00")
    assert (figee["a_part_nombre"], figee["tirages"]) == (0, 0)

    tire = audit.tirer(population, graine="2022-10-24", graine_origine="Tirage public")
    vu = audit.lire(f"/echantillons/{tire}").json()
    assert (vu["algorithme"], vu["graine"], vu["rang"]) == ("simple-sha256-v1", "2022-10-24", 1)
    ordre = sorted(
        audit.depenses, key=lambda i: hashlib.sha256(f"2022-10-24:{i}".encode()).hexdigest()
    )
    assert [u["depense_id"] for u in vu["tirage"]] == ordre[:3]
    assert vu["resultat"] is None
    assert {u["erreur"] for u in vu["tirage"]} == {None}

    constats = [
        {"depense_id": i, "erreur": erreur, "commentaire": "Vu"}
        for i, erreur in zip(ordre, ("100.00", "0.00", "0.00"), strict=False)
    ]
    audit.sur_dossier(f"echantillons/{tire}/constats", JOUR | {"constats": constats})
    audit.sur_dossier(
        f"echantillons/{tire}/constats/{ordre[0]}/correction",
        JOUR | {"erreur": "200.00", "commentaire": "Revu", "motif": "Erreur de lecture"},
    )
    audit.sur_dossier(f"echantillons/{tire}/resultat", JOUR)
    resultat = audit.lire(f"/echantillons/{tire}").json()["resultat"]
    tires = sum(float(u["montant"]) for u in vu["tirage"])
    assert resultat["erreur_constatee"] == "200.00"
    assert resultat["erreur_projetee"] == f"{200 * 55_000 / tires:.2f}"
    assert "n’est pas une correction" in resultat["condition"]

    audit.sur_dossier("cloture", JOUR | {"conclusion": "Erreur projetée transmise"})
    fiche = audit.lire().json()
    assert (fiche["clos_le"], fiche["version"]) == ("2022-10-24", audit.version)
    [resume] = audit.api.http.get("/api/v1/audit/dossiers", headers=AUDITEUR).json()
    assert resume["reference"] == "AUD-1"
    histoire = [ligne["name"] for ligne in audit.lire("/journal").json()]
    assert histoire == [
        "audit.dossier_ouvert.v1",
        "audit.population_figee.v1",
        "audit.echantillon_tire.v1",
        *["audit.constat_note.v1"] * 3,
        "audit.constat_corrige.v1",
        "audit.resultat_arrete.v1",
        "audit.dossier_clos.v1",
    ]


def test_a_population_stays_what_it_was_whatever_happens_since(audit: Audit) -> None:
    population = audit.sur_dossier("populations", TOUTES)["id"]
    avant = audit.lire(f"/populations/{population}/liste").text
    lue = audit.api.http.get(f"/api/v1/depenses/{audit.depenses[0]}")
    chemin = f"/depenses/{audit.depenses[0]}/annulation"
    audit.api.faire(chemin, JOUR | {"motif": "Erreur"}, int(lue.headers["ETag"].strip('"')))
    audit.api.faire(
        f"/operations/{audit.operation}/depenses", {**JOUR, "detail": depense(11, "999.00")}
    )
    assert audit.lire(f"/populations/{population}/liste").text == avant
    # Frozen now, it is another; frozen now as it was then, it is the same.
    seconde = audit.sur_dossier("populations", TOUTES)["id"]
    assert audit.lire(f"/populations/{seconde}").json()["total"] == "54999.00"
    figee = audit.lire(f"/populations/{population}").json()
    memes = audit.sur_dossier("populations", TOUTES | {"position": figee["position"]})["id"]
    assert audit.lire(f"/populations/{memes}").json()["empreinte"] == figee["empreinte"]


def test_the_list_of_a_population_is_what_its_digest_says(audit: Audit) -> None:
    population = audit.sur_dossier("populations", TOUTES)["id"]
    figee = audit.lire(f"/populations/{population}").json()
    tableau = audit.lire(f"/populations/{population}/liste")
    assert tableau.headers["content-type"].startswith("text/csv")
    assert tableau.headers["content-disposition"] == 'attachment; filename="liste.csv"'
    assert hashlib.sha256(tableau.content).hexdigest() == figee["empreinte"]
    lignes = list(csv.DictReader(io.StringIO(tableau.text), delimiter=";"))
    assert [ligne["id"] for ligne in lignes] == sorted(audit.depenses)
    assert {(ligne["plie"], ligne["poste"]) for ligne in lignes} == {("A", "personnel")}
    objets = audit.lire(f"/populations/{population}/liste", format="jsonl")
    assert objets.headers["content-type"] == "application/x-ndjson"
    lus = [json.loads(ligne) for ligne in objets.text.splitlines()]
    assert [(o["id"], str(o["montant_centimes"])) for o in lus] == [
        (ligne["id"], ligne["montant_centimes"]) for ligne in lignes
    ]
    assert audit.lire(f"/populations/{population}/liste", format="xml").status_code == 422


def test_a_sample_is_taken_away_as_a_table_and_as_what_draws_it_again(audit: Audit) -> None:
    population = audit.sur_dossier("populations", TOUTES)["id"]
    tire = audit.tirer(population, methode="mus", taille=6)
    lignes = list(
        csv.DictReader(io.StringIO(audit.lire(f"/echantillons/{tire}/liste").text), delimiter=";")
    )
    # 55 000 € in 6: 9 166 € takes 10 000; 45 000 in 5: 9 000 takes 9 000; 36 000 in 4: 9 000.
    entieres = {ligne["montant_centimes"] for ligne in lignes if ligne["prise_entiere"] == "oui"}
    assert entieres == {"1000000", "900000"}
    objets = audit.lire(f"/echantillons/{tire}/liste", format="jsonl").text.splitlines()
    assert [json.loads(o)["erreur_centimes"] for o in objets] == [None] * 6
    document = audit.lire(f"/echantillons/{tire}/document").json()
    assert document["format"] == "oi-echantillon/1"
    assert [unite["depense_id"] for unite in document["tirage"]] == [
        ligne["id"] for ligne in lignes
    ]
    tableau = audit.lire(f"/populations/{population}/liste").content
    assert document["empreinte"] == hashlib.sha256(tableau).hexdigest()


def test_a_population_is_of_an_operation_a_plie_or_everything(audit: Audit) -> None:
    for definition, nombre in (
        ({"portee": "operation", "operation_id": audit.operation}, 10),
        ({"portee": "plie", "plie_id": "A"}, 10),
        ({"portee": "toutes"}, 10),
        ({"portee": "plie", "plie_id": "B"}, 0),
        ({"portee": "operation", "operation_id": str(new_id())}, 0),
        ({"portee": "etat_depenses", "etat_no": "ED-1"}, 0),
    ):
        corps = TOUTES | {"definition": definition}
        if nombre:
            population = audit.sur_dossier("populations", corps)["id"]
            assert audit.lire(f"/populations/{population}").json()["nombre"] == nombre
        else:
            refus = audit.demander("populations", corps)
            assert (refus.status_code, refus.json()["code"]) == (409, "population_vide")
    # Nothing was controlled yet.
    refus = audit.demander("populations", TOUTES | {"montant": "retenu"})
    assert refus.json()["code"] == "population_vide"


def test_a_population_is_not_frozen_in_the_future(audit: Audit) -> None:
    refus = audit.demander("populations", TOUTES | {"position": audit.api.position + 1})
    assert (refus.status_code, refus.json()["code"]) == (409, "position_a_venir")
    refus = audit.demander("populations", TOUTES | {"position": 0})
    assert refus.status_code == 422
    # Before anything was declared, there is nothing to freeze.
    refus = audit.demander("populations", TOUTES | {"position": 1})
    assert refus.json()["code"] == "population_vide"


def test_every_draw_is_counted(audit: Audit) -> None:
    population = audit.sur_dossier("populations", TOUTES)["id"]
    premier = audit.tirer(population)
    corps = JOUR | {"population_id": population, "methode": "simple", "taille": 3}
    refus = audit.demander("echantillons", corps)
    assert (refus.status_code, refus.json()["code"]) == (409, "population_deja_tiree")
    audit.tirer(population, etend=premier, taille=5)
    assert audit.lire(f"/populations/{population}").json()["tirages"] == 2
    vu = audit.lire(f"/echantillons/{premier}").json()
    assert (vu["rang"], vu["tirages"]) == (1, 2)


def test_a_draw_sent_again_is_the_same_draw(audit: Audit) -> None:
    population = audit.sur_dossier("populations", TOUTES)["id"]
    cle = new_id()
    corps = JOUR | {"population_id": population, "methode": "simple", "taille": 3}
    premier = audit.demander("echantillons", corps, cle=cle)
    second = audit.demander("echantillons", corps, cle=cle)
    assert second.json() == premier.json()
    assert second.headers["Idempotent-Replayed"] == "true"


# --- Kept apart ----------------------------------------------------------------------------------

ROLES: dict[Role, dict[str, str]] = {
    "gestionnaire_oi": GESTIONNAIRE,
    "comptable_oi": COMPTABLE,
    "valideur_oi": VALIDEUR,
    "ordonnateur_oi": ORDONNATEUR,
    "directeur_plie": {"OI-Acteur": "directeur-1", "OI-Role": "directeur_plie"},
    "administrateur": {"OI-Acteur": "administrateur-1", "OI-Role": "administrateur"},
}


def test_no_role_of_the_oi_reads_or_writes_the_working_files(api: Api) -> None:
    """Whether what is asked exists or not, the answer is the same."""
    assert set(ROLES) == set(get_args(Role)) - {"auditeur"}
    routes = [
        (methode, re.sub(r"\{\w+\}", str(new_id()), chemin))
        for chemin, methodes in api.http.get("/openapi.json").json()["paths"].items()
        if chemin.startswith("/api/v1/audit/")
        for methode in methodes
    ]
    assert len(routes) == 15
    for role in ROLES.values():
        for methode, chemin in routes:
            headers = {**role, "Idempotency-Key": str(new_id())}
            refus = api.http.request(methode, chemin, headers=headers)
            assert refus.status_code == 403, (methode, chemin, refus.text)
            assert refus.json()["code"] == RoleNonTenu.code()
    assert api.position == 0


def test_the_readings_of_the_oi_know_nothing_of_a_working_file(audit: Audit) -> None:
    population = audit.sur_dossier("populations", TOUTES)["id"]
    audit.tirer(population)
    http = audit.api.http
    secrets = [audit.dossier, population, "AUD-1", "Autorité d’audit", "audit."]
    for chemin, filtres in (
        ("/journal", {"limite": 200}),
        ("/journal", {"flux": audit.dossier}),
        ("/journal", {"acteur": "auditeur-1"}),
        ("/journal", {"nom": "audit.dossier_ouvert.v1"}),
        ("/journal", {"operation_id": audit.operation, "limite": 200}),
        (f"/operations/{audit.operation}", {}),
        (f"/operations/{audit.operation}/depenses", {}),
        ("/maquette", {}),
        ("/maquette/difference", {}),
    ):
        answer = http.get(f"/api/v1{chemin}", params=filtres, headers=GESTIONNAIRE)
        assert answer.status_code == 200, (chemin, answer.text)
        assert [mot for mot in secrets if mot in answer.text] == [], chemin
    for position in range(audit.api.position - 2, audit.api.position + 1):
        answer = http.get(f"/api/v1/evenements/{position}", headers=GESTIONNAIRE)
        assert (answer.status_code, answer.json()["code"]) == (404, "evenement_absent")


def test_the_export_is_the_whole_log_working_files_included(audit: Audit) -> None:
    """One sealed log: leaving lines out would leave nothing to verify (ADR 0018)."""
    http = audit.api.http
    refus = http.get("/api/v1/export", headers=GESTIONNAIRE)
    assert (refus.status_code, refus.json()["code"]) == (403, RoleNonTenu.code())
    lignes = http.get("/api/v1/export", headers=AUDITEUR).text.splitlines()
    noms = [json.loads(ligne)["name"] for ligne in lignes]
    assert noms[-1] == "audit.dossier_ouvert.v1"
    assert len(noms) == audit.api.position


def verifier(archive: Path) -> tuple[int, str]:
    """Run the file that the archive ships, on nothing but Python."""
    programme = archive.with_suffix(".py")
    with zipfile.ZipFile(archive) as contenu:
        programme.write_bytes(contenu.read("verifier.py"))
    fini = subprocess.run(
        [sys.executable, "-I", "-S", str(programme), str(archive)],
        capture_output=True,
        text=True,
        check=False,
    )
    return fini.returncode, fini.stdout + fini.stderr


def test_a_sample_leaves_with_the_whole_log_and_is_drawn_again_from_it(
    audit: Audit, tmp_path: Path
) -> None:
    population = audit.sur_dossier("populations", TOUTES)["id"]
    tire = audit.tirer(population, methode="stratifie", critere="poste", selection="mus")
    for portee, filtre in (("tout", {"tout": True}), ("dossier", {"dossier": audit.operation})):
        answer = audit.api.http.get("/api/v1/archives", params=filtre, headers=AUDITEUR)
        assert answer.status_code == 200, answer.text
        archive = tmp_path / f"{portee}.zip"
        archive.write_bytes(answer.content)
        with zipfile.ZipFile(archive) as contenu:
            joints = [n for n in contenu.namelist() if n.startswith("echantillons/")]
            evenements = contenu.read("evenements.jsonl").decode()
        # An archive of a part of the OI says nothing of the auditors.
        assert joints == ([f"echantillons/{tire}.json"] if portee == "tout" else [])
        assert ('"audit.' in evenements) == (portee == "tout")
        code, dit = verifier(archive)
        assert code == 0, dit
        assert f"Tirages : {len(joints)} joints, refaits" in dit


def test_what_does_not_exist_is_not_found(audit: Audit) -> None:
    population = audit.sur_dossier("populations", TOUTES)["id"]
    tire = audit.tirer(population)
    inconnu = str(new_id())
    for suite, code in (
        (f"/populations/{inconnu}", PopulationIntrouvable),
        (f"/populations/{inconnu}/liste", PopulationIntrouvable),
        (f"/echantillons/{inconnu}", EchantillonIntrouvable),
        (f"/echantillons/{inconnu}/document", EchantillonIntrouvable),
    ):
        refus = audit.lire(suite)
        assert (refus.status_code, refus.json()["code"]) == (404, code.code()), suite
    for dossier in (inconnu, audit.operation):
        audit.dossier = dossier
        for suite in ("", "/journal", f"/populations/{population}", f"/echantillons/{tire}"):
            refus = audit.lire(suite)
            assert (refus.status_code, refus.json()["code"]) == (404, DossierAuditAbsent.code())


def test_a_trial_lets_nobody_in_under_another_role(audit: Audit) -> None:
    essai = {
        "commandes": [
            {"chemin": f"/api/v1/audit/dossiers/{audit.dossier}/populations", "corps": TOUTES}
        ]
    }
    answer = audit.api.http.post("/api/v1/essais", json=essai, headers=GESTIONNAIRE)
    assert answer.status_code == 200, answer.text
    [jouee] = answer.json()["commandes"]
    assert (jouee["statut"], jouee["refus"]["code"]) == (403, RoleInsuffisant.code())
