"""What people see of the audits of operations: in the terminal, and on the page of a dossier."""

import re
from collections.abc import Iterator

import pytest
from bases import base_neuve
from controles_joues import jouer_les_controles
from fastapi.testclient import TestClient
from portier import PortierDEssai
from psycopg.conninfo import make_conninfo
from terminal import Oi, ligne_de_commande
from vie import Vie

from api.app import create_app
from oi_service.app import open_service
from oi_service.application import Service


@pytest.fixture(scope="module")
def joue(serveur: str, modele: str) -> Iterator[Service]:
    with base_neuve(serveur, modele) as base, open_service(base) as service:
        jouer_les_controles(Vie(service))
        yield service


@pytest.fixture
def oi(
    serveur: str,
    joue: Service,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Oi:
    with joue.reads.connection() as conn:
        base = make_conninfo(serveur, dbname=conn.info.dbname)
    return ligne_de_commande(base, capsys, monkeypatch, 200)


@pytest.fixture(scope="module")
def client(joue: Service) -> Iterator[TestClient]:
    with TestClient(create_app(joue, PortierDEssai())) as made:
        yield made


def test_the_terminal_says_where_each_control_stands_and_what_is_late(oi: Oi) -> None:
    code, dit = oi("controles", "--au", "2022-11-20")
    assert code == 0
    assert "VISITE-1, Autorité de gestion déléguée, OP-2 : suites à donner" in dit
    assert (
        "Constat n° 1, OP-2, suite à exécuter (Rouvrir le contrôle de service fait) avant le "
        "15/11/2022, en retard de 5 jours : 200,00 € de coût total et 100,00 € de FSE" in dit
    )
    assert "4 attentes au 20/11/2022, dont 1 en retard : 1 270,00 € de coût total" in dit
    assert "Coût total contrôlé 3 000,00 €, proposé 150,00 €, retenu 0,00 €" in dit
    _, tard = oi("controles", "--en-retard", "--au", "2022-11-20")
    assert "MISSION-1" not in tard
    assert "1 attente au 20/11/2022, dont 1 en retard : 200,00 € de coût total" in tard
    _, une = oi("controles", "--operation", "OP-1", "--au", "2022-09-06")
    assert re.findall(r"^(\S+), ", une, re.MULTILINE) == ["CICC-1", "ANNULE-1"]
    assert "Rien n’est dû au 06/09/2022." in une


def test_the_story_says_what_each_act_of_a_control_changed(oi: Oi) -> None:
    _, dit = oi("dossier", "OP-1")
    for ligne in (
        "Contrôle CICC-1 : notifié → en cours",
        "Contrôle CICC-1, réponse attendue avant le : 14/10/2022 → 21/10/2022",
        "Contrôle CICC-1, constat n° 1, FSE : 2 500,00 € → 500,00 €",
        "recalcul du contrôle de service fait) : à faire avant le 10/12/2022 → exécutée",
        "Contrôle CICC-1 : suites closes → clos",
    ):
        assert ligne in dit


def test_the_terminal_says_that_there_is_nothing(oi: Oi) -> None:
    assert (
        "Aucun contrôle d’opération n’est connu au 01/01/2022."
        in oi("controles", "--au", "2022-01-01")[1]
    )
    assert (
        "Aucun contrôle d’opération n’a d’échéance passée au 06/09/2022."
        in oi("controles", "--en-retard", "--au", "2022-09-06")[1]
    )


def lue(client: TestClient, adresse: str) -> str:
    answer = client.get(adresse)
    assert answer.status_code == 200
    text = re.sub(r"<[^>]+>", " ", answer.text.replace("&nbsp;", " "))
    return " ".join(text.replace("\u202f", " ").replace("\u00a0", " ").split())


def test_the_page_of_a_dossier_shows_its_controls(client: TestClient) -> None:
    page = lue(client, "/dossiers/OP-1")
    assert "Contrôles d’opération (3)" in page
    assert "CICC-1, Autorité d’audit (CICC) Clos, correction individuelle" in page
    assert "n° 1, Dépense inéligible, réduit" in page
    assert "5 000,00 € 2 500,00 € 1 000,00 € 500,00 €" in page
    assert "Recalcul du contrôle de service fait, exécutée le 05/12/2022" in page
    assert "contesté (bénéficiaire)" in page
    # What the mission finds on the other dossier is not of this section.
    section = page[page.index("MISSION-1, Commission") : page.index("Paiements et reversements")]
    assert "70,00 €" in section
    assert "80,00 €" not in section


def test_the_page_says_what_is_due_at_its_dates(client: TestClient) -> None:
    page = lue(client, "/dossiers/OP-2?au=2022-11-20")
    assert (
        "Constat n° 1 : Rouvrir le contrôle de service fait, avant le 15/11/2022 en retard de "
        "5 jours" in page
    )
    assert "avant le rapport définitif" in page
    assert "Contrôles d’opération" not in lue(client, "/dossiers/OP-2?au=2022-09-01")


def test_each_act_of_a_control_leads_to_its_line_in_the_story(client: TestClient) -> None:
    html = client.get("/dossiers/OP-1").text
    section = html[html.index('id="controles"') : html.index('id="paiements"')]
    liens = set(re.findall(r'href="#([^"]+)"', section))
    assert liens
    assert liens <= set(re.findall(r'id="([^"]+)"', html))
