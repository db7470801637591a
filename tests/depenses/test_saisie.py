"""Dépenses typed in a grid: looked at as a workbook, recorded whole or not at all."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import pytest
from dossier_exemple import ABANDON, GRAND, NUMERO
from fichiers import PDF
from starlette.testclient import TestClient

from oi_service.ids import new_id

CHEMIN = f"/dossiers/{ABANDON}/depenses/saisie"
LIGNE = {
    "piece_ref": "FA-0231",
    "date_piece": "15/03/2021",
    "poste": "personnel",
    "nature": "Salaire chargé de mars",
    "tiers_ref": "salarie-01",
    "date_acquittement": "05/04/2021",
    "preuve_acquittement": "bulletin_paie_plus_releve",
    "montant_impute": "1 200,55",
}


def envoyer(
    http: TestClient,
    *lignes: dict[str, str],
    geste: str = "enregistrer",
    fichiers: Sequence[tuple[str, Any]] = (),
    chemin: str = CHEMIN,
    **autres: str,
) -> Any:
    champs = {
        f"l{rang}.{cle}": valeur
        for rang, ligne in enumerate(lignes)
        for cle, valeur in ligne.items()
    }
    return http.post(
        chemin,
        data={
            "_cle": str(new_id()),
            "lignes": str(max(len(lignes), 12)),
            "date_effet": "10/04/2022",
            "geste": geste,
            **champs,
            **autres,
        },
        files=[("fichiers", f) for f in fichiers] or [("fichiers", ("", b""))],
        headers={"Accept": "text/html", "Cookie": "session=a"},
        follow_redirects=False,
    )


def texte(reponse: Any) -> str:
    return " ".join(reponse.text.replace("\u00a0", " ").replace("&nbsp;", " ").split())


def connues(http: TestClient, piece: str) -> list[dict[str, Any]]:
    page = http.get("/api/v1/depenses", params={"operation": ABANDON, "recherche": piece}).json()
    return list(page["lignes"])


def test_lines_are_recorded_as_one_act(http: TestClient) -> None:
    lignes = [LIGNE | {"piece_ref": f"UN-{n}", "montant_impute": f"{n} 000,10"} for n in (1, 2)]
    reponse = envoyer(http, *lignes)
    assert reponse.status_code == 303, texte(reponse)
    assert reponse.headers["location"] == f"/depenses?operation={ABANDON}&fait=declarer_depenses"
    found = {d["piece_ref"]: d for d in connues(http, "UN-")}
    assert {p: d["montant_impute"] for p, d in found.items()} == {
        "UN-1": "1000.10",
        "UN-2": "2000.10",
    }
    # The day of the document, when no other was typed.
    assert {d["date_realisation"] for d in found.values()} == {"2021-03-15"}


def test_empty_lines_between_are_nothing(http: TestClient) -> None:
    vide = dict.fromkeys(LIGNE, "")
    reponse = envoyer(http, vide, LIGNE | {"piece_ref": "TROU-1"}, vide | {"poste": "personnel"})
    assert reponse.status_code == 303, texte(reponse)
    assert len(connues(http, "TROU-1")) == 1


@pytest.mark.parametrize(
    ("faux", "phrase"),
    [
        ({"montant_impute": "1 200,555"}, "Ligne 2. Montant imputé « 1 200,555 » :"),
        ({"montant_impute": ""}, "Ligne 2. Montant imputé : Le montant imputé manque"),
        ({"date_piece": "31/11/2021"}, "Ligne 2. Date pièce « 31/11/2021 » :"),
        ({"poste": ""}, "Ligne 2. Poste : Cette case est obligatoire."),
        ({"piece_ref": ""}, "Ligne 2. N° pièce : Cette case est obligatoire."),
        ({"montant_impute": "-50,00"}, "Ligne 2. Montant imputé « -50,00 » :"),
    ],
)
def test_one_faulty_line_keeps_them_all_from_being_recorded(
    http: TestClient, faux: dict[str, str], phrase: str
) -> None:
    bonne = LIGNE | {"piece_ref": "TOUT-1"}
    reponse = envoyer(http, bonne, LIGNE | {"piece_ref": "TOUT-2"} | faux)
    assert reponse.status_code == 422
    html = texte(reponse)
    assert phrase in html, re.findall(r'<a href="#l[^<]+', html)
    assert 'value="TOUT-1"' in html, "what was typed is kept"
    assert connues(http, "TOUT-") == []


def test_a_day_that_was_copied_is_faulty_once(http: TestClient) -> None:
    html = texte(envoyer(http, LIGNE | {"date_piece": "31/11/2021"}))
    assert html.count("Ligne 1.") == 1


def avertie(http: TestClient, *lignes: dict[str, str]) -> tuple[str, str]:
    reponse = envoyer(http, *lignes)
    assert reponse.status_code == 200
    html = texte(reponse)
    [empreinte] = re.findall(r'name="vus" value="([0-9a-f]{64})"', html)
    return html, empreinte


def test_what_is_worth_a_look_is_seen_before_it_is_recorded(http: TestClient) -> None:
    lignes = [LIGNE | {"piece_ref": "VU-1", "date_piece": "15/03/2017"}]
    html, empreinte = avertie(http, *lignes)
    assert "1 point à regarder avant d’enregistrer." in html
    assert "hors de la période de réalisation" in html
    assert connues(http, "VU-1") == []
    assert envoyer(http, *lignes, vus=empreinte).status_code == 303
    assert len(connues(http, "VU-1")) == 1


def test_a_double_is_a_warning_never_a_silence(http: TestClient) -> None:
    ligne = LIGNE | {"piece_ref": "DOUBLE-1"}
    html, _ = avertie(http, ligne, ligne)
    assert "La ligne 1 porte la même pièce" in html
    assert envoyer(http, ligne).status_code == 303
    html, _ = avertie(http, ligne)
    assert "Cette dépense est déjà enregistrée" in html


def test_who_saw_other_warnings_did_not_see_these(http: TestClient) -> None:
    _, empreinte = avertie(http, LIGNE | {"piece_ref": "AUTRE-1", "date_piece": "15/03/2017"})
    autre = LIGNE | {"piece_ref": "AUTRE-1", "date_piece": "15/03/2016"}
    assert envoyer(http, autre, vus=empreinte).status_code == 200
    assert connues(http, "AUTRE-1") == []


def test_checking_records_nothing(http: TestClient) -> None:
    reponse = envoyer(http, LIGNE | {"piece_ref": "VERIF-1"}, geste="verifier")
    assert reponse.status_code == 200
    assert "Tout se lit, rien à regarder : 1 dépense, 1 200,55 €." in texte(reponse)
    assert connues(http, "VERIF-1") == []


def test_lines_are_added_without_losing_what_was_typed(http: TestClient) -> None:
    html = texte(envoyer(http, LIGNE | {"piece_ref": "PLUS-1"}, geste="ajouter"))
    assert 'name="l21.montant_impute"' in html
    assert 'value="PLUS-1"' in html


def test_an_empty_grid_says_so(http: TestClient) -> None:
    reponse = envoyer(http)
    assert reponse.status_code == 422
    assert "Aucune ligne n’est remplie" in texte(reponse)


def test_documents_go_with_every_line(http: TestClient) -> None:
    fichier = ("relevé d’avril.pdf", PDF, "application/pdf")
    lignes = [LIGNE | {"piece_ref": f"JOINTE-{n}"} for n in (1, 2)]
    assert envoyer(http, *lignes, fichiers=[fichier]).status_code == 303
    empreinte = hashlib.sha256(PDF).hexdigest()
    for depense in connues(http, "JOINTE-"):
        html = texte(http.get(f"/depenses/{depense['id']}", headers={"Accept": "text/html"}))
        assert "relevé d’avril.pdf" in html
        assert f'href="/pieces/{empreinte}"' in html


def test_documents_are_kept_while_the_grid_is_put_right(http: TestClient) -> None:
    fichier = ("relevé.pdf", PDF, "application/pdf")
    html = texte(envoyer(http, LIGNE | {"poste": ""}, fichiers=[fichier]))
    [gardee] = re.findall(r'name="piece" value="([^"]+)"', html)
    ligne = LIGNE | {"piece_ref": "GARDEE-1"}
    assert envoyer(http, ligne, piece=gardee).status_code == 303
    [depense] = connues(http, "GARDEE-1")
    assert "relevé.pdf" in texte(http.get(f"/depenses/{depense['id']}"))


def test_a_document_that_the_store_refuses_refuses_the_grid(http: TestClient) -> None:
    fichier = ("facture.exe", b"MZ", "application/octet-stream")
    reponse = envoyer(http, LIGNE | {"piece_ref": "REFUS-1"}, fichiers=[fichier])
    assert reponse.status_code == 415
    assert "n’est pas d’un format admis" in texte(reponse)
    assert connues(http, "REFUS-1") == []


def test_the_same_grid_sent_twice_is_recorded_once(http: TestClient) -> None:
    cle = str(new_id())
    ligne = LIGNE | {"piece_ref": "CLE-1"}
    assert envoyer(http, ligne, _cle=cle).status_code == 303
    _, empreinte = avertie(http, ligne)
    assert envoyer(http, ligne, _cle=cle, vus=empreinte).status_code == 303
    assert len(connues(http, "CLE-1")) == 1
    changee = envoyer(http, ligne | {"piece_ref": "CLE-2"}, _cle=cle)
    assert "Cette grille a déjà été enregistrée" in texte(changee)


@pytest.mark.parametrize("numero", [NUMERO, GRAND])
def test_a_closed_dossier_says_why(http: TestClient, numero: str) -> None:
    reponse = envoyer(http, LIGNE, chemin=f"/dossiers/{numero}/depenses/saisie")
    assert reponse.status_code == 422
    assert "Déclarer une dépense" in texte(reponse)


def test_an_unknown_dossier_is_not_there(http: TestClient) -> None:
    inconnu = http.get("/dossiers/inconnu/depenses/saisie", headers={"Accept": "text/html"})
    assert inconnu.status_code == 404


def test_only_an_accountant_enters_depenses(http: TestClient) -> None:
    qui = {"OI-Role": "gestionnaire_oi", "OI-Acteur": "gestionnaire-1", "Accept": "text/html"}
    assert http.get(CHEMIN, headers=qui).status_code == 403
    assert http.post(CHEMIN, data={"geste": "enregistrer"}, headers=qui).status_code == 403
