"""The pages of dépenses: the list and one of them, whole without any script."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from dossier_exemple import ABANDON, NUMERO
from starlette.testclient import TestClient

from api.pages.depenses import ETAPES
from projections.toutes_depenses import EtatDesDepenses

HTML = {"Accept": "text/html"}


def lire(http: TestClient, chemin: str, **params: Any) -> str:
    reponse = http.get(chemin, params=params, headers=HTML)
    assert reponse.status_code == 200, reponse.text
    return " ".join(reponse.text.replace("\u00a0", " ").split())


def api(http: TestClient, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = http.get(
        "/api/v1/depenses", params={"totaux": "true", "limite": 200, **params}
    ).json()
    return found


def lignes(html: str) -> list[str]:
    return re.findall(r'id="depense-([0-9a-f-]{36})"', html)


def test_the_list_shows_what_the_door_of_programs_says(http: TestClient) -> None:
    html, dit = lire(http, "/depenses"), api(http)
    assert lignes(html) == [ligne["id"] for ligne in dit["lignes"]]
    assert f"{dit['totaux']['nombre']} dépenses" in html
    assert "Total de la liste" in html


@pytest.mark.parametrize("etape", ETAPES)
def test_each_part_of_the_way_is_counted_as_it_is_listed(http: TestClient, etape: str) -> None:
    toutes = lire(http, "/depenses")
    trouve = re.search(rf'etape={etape}[^>]*>[^<]*<span class="compte-etape">(\d+)', toutes)
    assert len(lignes(lire(http, "/depenses", etape=etape))) == (int(trouve[1]) if trouve else 0)


def test_a_depense_is_in_the_parts_where_it_stands() -> None:
    ecartee = EtatDesDepenses("controlee", rattachee=True, ecartees=True)
    assert [n for n, e in ETAPES.items() if e.retient(ecartee)] == ["controlees", "ecartees"]
    saisie = EtatDesDepenses("declaree", rattachee=False, ecartees=False)
    assert [n for n, e in ETAPES.items() if e.retient(saisie)] == ["a_rattacher"]


@pytest.mark.parametrize(
    ("saisi", "demande"),
    [
        ({"operation": NUMERO}, {"operation": NUMERO}),
        ({"recherche": "P-11"}, {"recherche": "P-11"}),
        ({"poste": "personnel"}, {"poste": "personnel"}),
        ({"montant_min": "1 500,00 €"}, {"montant_min": "1500.00"}),
        ({"montant_max": "2000,5"}, {"montant_max": "2000.50"}),
        ({"date_piece_du": "01/02/2022"}, {"date_piece_du": "2022-02-01"}),
        ({"date_piece_au": "2022-02-01"}, {"date_piece_au": "2022-02-01"}),
        ({"au": "2022-03-15"}, {"effet_au": "2022-03-15"}),
        ({"tri": "montant", "ordre": "asc"}, {"tri": "montant", "ordre": "asc"}),
    ],
)
def test_filters_are_typed_the_french_way(
    http: TestClient, saisi: dict[str, str], demande: dict[str, str]
) -> None:
    html = lire(http, "/depenses", **saisi)
    assert lignes(html) == [ligne["id"] for ligne in api(http, **demande)["lignes"]]


def test_a_filter_that_cannot_be_read_says_so_and_is_kept(http: TestClient) -> None:
    html = lire_faux(http, montant_min="douze", date_piece_du="31/02/2022")
    assert "« douze » n’est pas un montant" in html
    assert "« 31/02/2022 » n’est pas un jour" in html
    assert 'value="douze"' in html
    assert 'value="31/02/2022"' in html


def lire_faux(http: TestClient, **params: str) -> str:
    reponse = http.get("/depenses", params=params, headers=HTML)
    assert reponse.status_code == 422
    return " ".join(reponse.text.replace("\u00a0", " ").split())


def test_the_files_of_a_list_are_of_what_it_shows(http: TestClient) -> None:
    demande = {"etape": "ecartees", "montant_min": "1 000,00", "tri": "montant", "au": "2022-12-31"}
    html = lire(http, "/depenses", **demande)
    [adresse] = re.findall(r'href="(/exports/depenses\?[^"]+format=rfc4180)"', html)
    demandes = {n: v for n, [v] in parse_qs(urlsplit(adresse.replace("&amp;", "&")).query).items()}
    assert demandes == {
        "ecartees": "true",
        "montant_min": "1000.00",
        "tri": "montant",
        "ordre": "desc",
        "effet_au": "2022-12-31",
        "format": "rfc4180",
    }
    fichier = http.get("/exports/depenses", params=demandes).text.strip().split("\r\n")
    assert [ligne.rsplit(",", 1)[1] for ligne in fichier[1:]] == lignes(html)


def test_an_empty_list_says_what_to_do(http: TestClient) -> None:
    html = lire(http, "/depenses", recherche="introuvable")
    assert "Aucune dépense ne répond à ces filtres." in html
    assert "Tout afficher" in html


def ecartee(http: TestClient) -> dict[str, Any]:
    """Return the line of which 512,34 € were set aside."""
    found = api(http, operation=NUMERO, ecartees="true")["lignes"]
    [ligne] = [x for x in found if x["ecarte"] == "512.34"]
    return dict(ligne)


def test_a_depense_says_where_it_counts(http: TestClient) -> None:
    ligne = ecartee(http)
    html = lire(http, f"/depenses/{ligne['id']}")
    assert f"/dossiers/{NUMERO}" in html
    assert "512,34 €" in html
    assert "Bilan n° 1" in html
    assert "Dépense non acquittée" in html
    assert f'href="/controles/{ligne["csf_id"]}"' in html
    assert "elle se corrige par une nouvelle version du contrôle" in html
    assert "L’écart de 512,34 €" in html
    assert "à apprécier par le contrôleur" in html


def test_a_depense_of_the_past_is_read_as_it_was(http: TestClient) -> None:
    ligne = ecartee(http)
    alors = lire(http, f"/depenses/{ligne['id']}", au="2022-03-10")
    assert "pas encore contrôlée" in alors
    assert "Constats" not in alors
    assert "Revenir à la situation actuelle" in alors


def test_an_unknown_depense_is_not_there(http: TestClient) -> None:
    inconnue = "/depenses/00000000-0000-4000-8000-000000000000"
    assert http.get(inconnue, headers=HTML).status_code == 404


def test_a_plie_sees_its_own(http: TestClient) -> None:
    ailleurs = {"OI-Role": "administrateur", "OI-Acteur": "administrateur-1", **HTML}
    assert http.get("/depenses", headers=ailleurs).status_code == 403


def test_the_choice_of_a_dossier_leads_to_its_grid(http: TestClient) -> None:
    html = lire(http, "/depenses/saisie")
    assert f"/dossiers/{ABANDON}/depenses/saisie" in html
    direct = http.get("/depenses/saisie", params={"recherche": ABANDON}, follow_redirects=False)
    assert direct.status_code == 303
    assert direct.headers["location"] == f"/dossiers/{ABANDON}/depenses/saisie"
    assert "Aucun dossier sous convention" in lire(http, "/depenses/saisie", recherche="zzz")
