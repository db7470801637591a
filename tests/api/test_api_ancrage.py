"""Anchors by the JSON door: made in writing, once a key, listed, and given to who keeps them."""

from pathlib import Path

import psycopg
import pytest
from corps import SUBVENTION
from porte import Api

from oi_service.ids import new_id
from oi_service.preuve.point import lire_point, octets_de_cle

AUDITEUR = {"OI-Acteur": "auditeur-1", "OI-Role": "auditeur"}
_ASKED = {"date_effet": "2022-06-30"}


@pytest.fixture(autouse=True)
def nulle_part(monkeypatch: pytest.MonkeyPatch) -> None:
    for nom in ("OI_ANCRE_COURRIELS", "OI_HORODATAGE_URL"):
        monkeypatch.delenv(nom, raising=False)


def fichiers(api: Api) -> list[Path]:
    return sorted(api.service.lieux.ancres.glob("ancre-*.txt"))


def test_an_auditor_has_the_log_anchored_and_takes_the_point_away(api: Api) -> None:
    api.demander("/subventions-globales", SUBVENTION)
    answer = api.demander("/ancrages", _ASKED, personne=AUDITEUR)
    assert answer.status_code == 201, answer.text
    [note] = answer.json()["evenements"]
    assert note["nom"] == "registre.journal_ancre.v1"
    texte = api.http.get(answer.headers["Location"])
    assert texte.headers["content-type"] == "text/plain; charset=utf-8"
    [fichier] = fichiers(api)
    assert texte.content == fichier.read_bytes()
    assert fichier.name in texte.headers["content-disposition"]
    [ligne] = api.http.get("/api/v1/ancrages").json()["lignes"]
    assert ligne["etat"] == "presente"
    assert ligne["position"] == note["position"]
    assert ligne["destinations"] == [
        {"nature": "fichier", "ou": fichier.name, "reussi": True, "detail": None}
    ]
    signe = lire_point(texte.content)
    assert signe.point.taille == ligne["taille"] == note["position"] - 1
    assert signe.est_de(octets_de_cle(ligne["cle"]))
    evenement = api.http.get(f"/api/v1/evenements/{note['position']}").json()
    assert (evenement["acteur"], evenement["role"]) == ("auditeur-1", "auditeur")
    assert evenement["date_effet"] == "2022-06-30"
    assert evenement["phrase"].startswith("Journal ancré à l’événement n° ")


def test_a_key_sent_again_anchors_once(api: Api) -> None:
    cle = new_id()
    premier = api.demander("/ancrages", _ASKED, cle=cle)
    encore = api.demander("/ancrages", _ASKED, cle=cle)
    assert encore.json() == premier.json()
    assert encore.headers["Idempotent-Replayed"] == "true"
    assert encore.headers["Location"] == premier.headers["Location"]
    assert len(fichiers(api)) == 1
    autre = api.demander("/ancrages", {"date_effet": "2022-07-01"}, cle=cle)
    assert (autre.status_code, autre.json()["code"]) == (422, "idempotency_key_reused")
    assert len(fichiers(api)) == 1


def test_a_log_that_an_anchor_contradicts_gets_no_other(api: Api, base: str) -> None:
    assert api.demander("/ancrages", _ASKED).is_success
    with psycopg.connect(base) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute("UPDATE oi.event SET seal = sha256(seal) WHERE position = 1")
    answer = api.demander("/ancrages", _ASKED)
    assert (answer.status_code, answer.json()["code"]) == (409, "journal_refait")
    assert len(fichiers(api)) == 1


def test_a_folder_that_is_away_is_no_bug(api: Api) -> None:
    api.service.lieux.ancres.parent.mkdir(parents=True, exist_ok=True)
    api.service.lieux.ancres.write_text("pas un dossier")
    answer = api.demander("/ancrages", _ASKED)
    assert answer.status_code == 503
    assert answer.json()["code"] == "dossier_des_ancres_inaccessible"
    assert api.http.get("/api/v1/ancrages").json() == {"lignes": []}


@pytest.mark.parametrize(
    ("taille", "statut", "code"),
    [
        ("9", 404, "ancre_absente"),
        ("0", 422, "saisie_invalide"),
        ("1e3", 422, "saisie_invalide"),
        ("9999999999999", 422, "saisie_invalide"),
    ],
)
def test_an_anchor_that_is_not_there_is_said(api: Api, taille: str, statut: int, code: str) -> None:
    answer = api.http.get(f"/api/v1/ancrages/{taille}")
    assert (answer.status_code, answer.json()["code"]) == (statut, code)


def test_no_trial_anchors(api: Api) -> None:
    essai = {"commandes": [{"chemin": "/api/v1/ancrages", "corps": _ASKED}]}
    answer = api.http.post("/api/v1/essais", json=essai)
    assert answer.status_code == 422, answer.text
    assert fichiers(api) == []
