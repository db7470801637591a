"""The pages of operations: the list and its address, a new dossier, a session of the committee."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from html import unescape
from typing import Any

import pytest
from bases import base_neuve
from fastapi.testclient import TestClient
from httpx2 import Response
from portier import PortierDEssai
from psycopg import Cursor
from vie import Vie

from api.app import create_app
from api.deps import LectureOuverte
from api.pages.operations import DemandeDeListe, lire_liste
from oi_service.app import open_service
from oi_service.application import Service
from oi_service.lieux import Lieux
from projections.perimetre import OI_ENTIER

GESTIONNAIRE = {"OI-Acteur": "gestionnaire-1", "OI-Role": "gestionnaire_oi"}
DIRECTEUR = {"OI-Acteur": "directeur-1", "OI-Role": "directeur_plie"}
LE = date(2022, 1, 20)


def texte(answer: Response) -> str:
    """What a person reads of a page: one line, plain spaces."""
    return " ".join(unescape(answer.text).replace("\u00a0", " ").split())


def nu(answer: Response) -> str:
    """The same without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", texte(answer)).split())


@pytest.fixture(scope="module")
def service(
    serveur: str, modele: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    with (
        base_neuve(serveur, modele) as base,
        open_service(base, Lieux.sous(tmp_path_factory.mktemp("lieux"))) as opened,
    ):
        vie = Vie(opened)
        vie.subvention(fse_total="9000000.00")
        vie.tranche("3000000.00", "3000000.00")
        vie.enveloppe("A", "120000.00")
        vie.enveloppe("B", "300000.00")
        vie.appel()
        vie.depot("D-DEPOSE", intitule="Chantier <école>")
        vie.depot("D-INSTRUIT-1")
        vie.instruction("D-INSTRUIT-1")
        vie.depot("D-INSTRUIT-2")
        vie.instruction("D-INSTRUIT-2")
        vie.depot("D-INSTRUIT-3")
        vie.instruction("D-INSTRUIT-3")
        vie.jusqu_au_demarrage("D-EXECUTION")
        vie.paiement("D-EXECUTION", "15000.00", type="avance")
        yield opened


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service, PortierDEssai())) as made:
        yield made


def position(service: Service) -> int:
    with service.reads.connection() as conn:
        row = conn.execute("SELECT max(position) FROM oi.event").fetchone()
    assert row is not None
    found: int = row[0]
    return found


@pytest.fixture
def compter(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], int]:
    """Count the SELECT that a page asks of the database."""
    posees: list[str] = []
    execute = Cursor.execute

    def noter(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        posees.append(str(query))
        return execute(self, query, *args, **kwargs)

    def demander(chemin: str) -> int:
        client.get(chemin, headers=GESTIONNAIRE)
        posees.clear()
        monkeypatch.setattr(Cursor, "execute", noter)
        assert client.get(chemin, headers=GESTIONNAIRE).status_code == 200
        monkeypatch.setattr(Cursor, "execute", execute)
        return len([q for q in posees if "SELECT" in q])

    return demander


def liste(client: TestClient, qui: dict[str, str] = GESTIONNAIRE, **demande: Any) -> str:
    answer = client.get("/operations", params=demande, headers=qui)
    assert answer.status_code == 200
    return texte(answer)


def numeros(html: str) -> list[str]:
    return re.findall(r'href="/dossiers/([^"?#]+)', html)


# --- The list ------------------------------------------------------------------------------------


def test_the_list_holds_every_dossier_and_their_total(client: TestClient) -> None:
    html = liste(client)
    assert "5 dossiers, 250 000 € de FSE" in html
    assert sorted(numeros(html)) == [
        "D-DEPOSE",
        "D-EXECUTION",
        "D-INSTRUIT-1",
        "D-INSTRUIT-2",
        "D-INSTRUIT-3",
    ]
    assert '<td role="cell" class="montant" data-libelle="FSE">250 000,00 €</td>' in html
    assert "Chantier &lt;école&gt;" in client.get("/operations", headers=GESTIONNAIRE).text


@pytest.mark.parametrize(
    ("demande", "attendus"),
    [
        ({"recherche": "CHANTIER"}, ["D-DEPOSE"]),
        ({"recherche": "instruit-2"}, ["D-INSTRUIT-2"]),
        ({"statut": "en_execution"}, ["D-EXECUTION"]),
        ({"attend": "comite"}, ["D-INSTRUIT-1", "D-INSTRUIT-2", "D-INSTRUIT-3"]),
        ({"annee": "2021", "os": "OS1", "plie": "A", "statut": "depose"}, ["D-DEPOSE"]),
        ({"annee": "2022"}, []),
        # What does not exist asks for nothing.
        ({"statut": "inconnu", "annee": "21", "recherche": "execution"}, ["D-EXECUTION"]),
    ],
)
def test_filters_keep_what_they_say(
    client: TestClient, demande: dict[str, str], attendus: list[str]
) -> None:
    html = liste(client, GESTIONNAIRE, **demande)
    assert numeros(html) == attendus
    assert ("Tout afficher" in html) == bool(set(demande) - {"tri"})


def test_an_empty_list_says_what_to_do(client: TestClient) -> None:
    html = liste(client, recherche="introuvable")
    assert "Aucun dossier ne répond à ces filtres." in html
    assert "Enlevez un filtre" in html


def test_what_dossiers_wait_for_is_counted_whatever_state_is_shown(client: TestClient) -> None:
    html = liste(client, statut="depose")
    assert 'Décision du comité <span class="nombre">3</span>' in html
    assert 'Recevabilité à prononcer <span class="nombre">1</span>' in html


def test_sort_and_columns_are_in_the_address(client: TestClient) -> None:
    html = liste(client, tri="fse", ordre="asc", colonne=["numero", "fse", "fin"])
    # The next sort keeps the columns, and the sort in force turns round.
    assert "tri=fse&ordre=desc&colonne=numero&colonne=fin&colonne=fse" in html
    entetes = re.findall(r'<th role="columnheader"[^>]*class="col-(\w+)', html)
    assert entetes == ["numero", "fin", "fse"]
    assert html.count('aria-sort="ascending"') == 1
    assert numeros(liste(client, tri="statut", ordre="desc"))[0] == "D-EXECUTION"


def test_the_bar_says_how_far_the_money_is(client: TestClient) -> None:
    html = liste(client, recherche="D-EXECUTION")
    assert (
        'aria-label="Part du programmé : conventionné 100,0 %, retenu 0,0 %, payé 30,0 %"' in html
    )
    # Nothing is drawn of what is only asked for.
    assert '<svg class="barre"' not in liste(client, recherche="D-DEPOSE")
    assert "demandé" in liste(client, recherche="D-DEPOSE")


def test_pages_follow_each_other_to_the_end(client: TestClient, service: Service) -> None:
    demande = DemandeDeListe()
    vus: list[str] = []
    with ExitStack() as pile:
        lecture = LectureOuverte(service, pile, OI_ENTIER)
        apres = None
        while True:
            page = lire_liste(lecture, demande, limite=2, apres=apres)
            vus += [o.numero_mdfse for o in page.lignes]
            apres = page.suivant
            if apres is None:
                break
    assert vus == numeros(liste(client))


def test_a_director_lists_its_territory_and_may_not_deposit(client: TestClient) -> None:
    html = liste(client, DIRECTEUR)
    assert "Nouvelle opération" not in html
    assert client.get("/operations/nouvelle", headers=DIRECTEUR).status_code == 403
    assert client.get("/comite", headers=DIRECTEUR).status_code == 403


def test_the_list_as_it_was(client: TestClient) -> None:
    html = liste(client, connu_le="1")
    assert "Aucun dossier n’est encore déposé." in html
    assert "Situation telle que connue" in html


@pytest.mark.parametrize("format_", ["xlsx", "csv", "rfc4180"])
def test_the_list_leaves_as_a_file_with_its_filters(client: TestClient, format_: str) -> None:
    html = liste(client, attend="comite", tri="fse", ordre="desc")
    adresses = re.findall(r'href="(/exports/operations\?[^"]+)"', html)
    [adresse] = [a for a in adresses if a.endswith(f"format={format_}")]
    answer = client.get(adresse, headers=GESTIONNAIRE)
    assert answer.status_code == 200
    if format_ == "rfc4180":
        assert answer.text.count("D-INSTRUIT-") == 3
        assert "D-DEPOSE" not in answer.text


# --- Contreparties -------------------------------------------------------------------------------


def test_contreparties_lead_to_their_acts(client: TestClient, service: Service) -> None:
    vide = texte(client.get("/contreparties", headers=GESTIONNAIRE))
    assert "Aucune contrepartie n’est enregistrée." in vide
    Vie(service).contrepartie("CTP", "8000.00")
    html = texte(client.get("/contreparties", headers=GESTIONNAIRE))
    assert "8 000,00 €" in html
    [affecter] = re.findall(r'href="(/actes/affecter_contrepartie/[^"]+)"', html)
    formulaire = texte(client.get(affecter, headers=GESTIONNAIRE))
    assert "D-EXECUTION, Bénéficiaire fictif n° 07" in formulaire
    # The whole list is summed, and an act leads back to it as it was filtered.
    Vie(service).contrepartie("CTP-2", "500.00", financeur="Fondation fictive")
    lue = client.get("/contreparties?recherche=fondation", headers=GESTIONNAIRE)
    assert "Total de la liste 500,00 €" in nu(lue)
    assert "Total de la liste 8 500,00 €" in nu(client.get("/contreparties", headers=GESTIONNAIRE))
    [affecter] = re.findall(r'href="(/actes/affecter_contrepartie/[^"]+)"', texte(lue))
    assert "retour=%2Fcontreparties%3Frecherche%3Dfondation%23" in affecter
    for annee, dit in (("1999", "Aucune contrepartie ne répond"), ("hier", "8 500,00 €")):
        assert dit in nu(client.get(f"/contreparties?annee={annee}", headers=GESTIONNAIRE))
    # Who only reads is offered no act.
    assert "/actes/" not in client.get("/contreparties", headers=DIRECTEUR).text
    assert "Aucune contrepartie ne répond" in texte(
        client.get("/contreparties?recherche=introuvable", headers=GESTIONNAIRE)
    )


# --- A new dossier -------------------------------------------------------------------------------


def test_a_new_operation_begins_with_the_fiche_it_answers(client: TestClient) -> None:
    html = texte(client.get("/operations/nouvelle", headers=GESTIONNAIRE))
    assert "Appel n° 3, Accompagnement vers l’emploi" in html
    found = re.search(r'href="(/actes/deposer_dossier[^"]+)"', html)
    assert found is not None
    assert "fiche_code=A1" in found[1]
    assert "annee_tranche=2021" in found[1]
    formulaire = client.get(found[1], headers=GESTIONNAIRE)
    assert formulaire.status_code == 200
    assert 'value="2021-12-31"' in formulaire.text


# --- A session of the committee ------------------------------------------------------------------


def formulaire(client: TestClient) -> dict[str, str]:
    """The fields of a session, as a browser would send them untouched."""
    html = client.get("/comite", headers=GESTIONNAIRE).text
    champs = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html))
    champs.pop("dossier")
    return champs | {
        "date_effet": LE.isoformat(),
        "instance": "comite_programmation_oi",
        "pv_ref": "PV-SEANCE-7",
    }


def cles(client: TestClient) -> dict[str, str]:
    """The key of each dossier that waits, by its number."""
    html = client.get("/comite", headers=GESTIONNAIRE).text
    return {
        numero: cle
        for cle, numero in re.findall(
            r'id="dossier-([^"]+)"[^>]*>\s*<legend>\s*<a href="/dossiers/([^"]+)"', html
        )
    }


def seance(client: TestClient, chemin: str = "/comite", **decisions: dict[str, str]) -> Response:
    """Send a session: what is decided on each dossier, by its number with underscores."""
    recues = formulaire(client)
    connus = cles(client)
    envoi: dict[str, Any] = {**recues, "dossier": list(connus.values())}
    for numero, decision in decisions.items():
        for champ, valeur in decision.items():
            envoi[f"{champ}-{connus[numero.replace('_', '-')]}"] = valeur
    return client.post(chemin, data=envoi, headers=GESTIONNAIRE, follow_redirects=False)


def test_the_effect_of_a_session_is_shown_before_it_is_recorded(
    client: TestClient, service: Service
) -> None:
    avant = position(service)
    answer = seance(
        client,
        "/comite/effet",
        D_INSTRUIT_1={"decision": "programmer"},
        D_INSTRUIT_2={"decision": "programmer", "motif": "gardé tel quel"},
    )
    html = texte(answer)
    assert answer.status_code == 200
    # 120 000 € of enveloppe, 50 000 € programmed already, twice 50 000 € asked.
    assert '<td role="cell" class="montant" data-libelle="Séance">100 000,00 €</td>' in html
    assert "<strong>−30 000,00 €</strong>" in html
    assert "Dépassée" in html
    assert 'value="gardé tel quel"' in html
    assert position(service) == avant


def test_one_refusal_keeps_the_whole_session_from_being_recorded(
    client: TestClient, service: Service
) -> None:
    avant = position(service)
    answer = seance(
        client,
        D_INSTRUIT_1={"decision": "programmer"},
        D_INSTRUIT_2={"decision": "programmer"},
        D_INSTRUIT_3={"decision": "refuser", "motif": "Hors objet"},
    )
    html = texte(answer)
    assert answer.status_code == 409
    assert "1 des 3 décisions de la séance sont refusées : rien n’est enregistré." in html
    refuse = html[html.index(f'id="dossier-{cles(client)["D-INSTRUIT-2"]}"') :]
    assert "50 000,00 € de FSE ne peuvent pas être programmés" in refuse[:1500]
    assert "il y reste 20 000,00 €" in refuse[:1500]
    # What was typed is still there.
    assert 'value="Hors objet"' in html
    assert position(service) == avant


def test_a_decision_that_lacks_its_motif_is_said_by_its_dossier(client: TestClient) -> None:
    answer = seance(client, D_INSTRUIT_3={"decision": "ajourner"})
    html = texte(answer)
    cle = cles(client)["D-INSTRUIT-3"]
    assert answer.status_code == 422
    assert f'<a href="#dossier-{cle}">Ajourner ou refuser demande un motif</a>' in html


def test_an_empty_session_is_not_recorded(client: TestClient) -> None:
    answer = seance(client)
    assert answer.status_code == 422
    assert "Aucune décision n’est choisie" in texte(answer)


def test_a_session_is_recorded_at_once_and_its_minutes_are_read(
    client: TestClient, service: Service
) -> None:
    answer = seance(
        client,
        D_INSTRUIT_1={"decision": "programmer", "deports": "gestionnaire-2, elu-3"},
        D_INSTRUIT_2={"decision": "ajourner", "motif": "Cofinancement à confirmer"},
        D_INSTRUIT_3={"decision": "refuser", "motif": "Hors objet"},
    )
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/comite/releve?")
    with service.reads.connection() as conn:
        commandes = conn.execute(
            "SELECT count(DISTINCT command_id) FROM oi.event "
            "WHERE data ->> 'pv_ref' = 'PV-SEANCE-7'"
        ).fetchone()
    assert commandes == (1,)
    html = texte(client.get(answer.headers["location"], headers=DIRECTEUR))
    assert "3 décisions, dont 1 programmation pour 50 000,00 € de FSE." in html
    assert "Déports : gestionnaire-2, elu-3" in html
    assert "Cofinancement à confirmer" in html
    assert "séance du 20/01/2022, procès-verbal PV-SEANCE-7" in html
    # The adjourned dossier still waits; it can only be programmed.
    assert list(cles(client)) == ["D-INSTRUIT-2"]


def test_a_session_that_nobody_held_has_no_minutes(client: TestClient) -> None:
    answer = client.get("/comite/releve?le=2022-01-20&instance=x&pv=rien", headers=GESTIONNAIRE)
    assert answer.status_code == 404
    assert "Aucune décision ne porte cette date" in texte(answer)


# --- What a page costs ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chemin", "requetes"), [("/operations", 3), ("/comite", 7), ("/dossiers/D-EXECUTION", 17)]
)
def test_pages_ask_a_few_questions(
    client: TestClient, compter: Callable[[str], int], chemin: str, requetes: int
) -> None:
    posees = compter(chemin)
    assert posees <= requetes, posees


# --- An avenant in a session: last, since it adds to what waits ----------------------------------


def test_an_avenant_takes_its_difference_only(client: TestClient, service: Service) -> None:
    Vie(service).demande_avenant("D-EXECUTION", fse="52000.00")
    html = texte(seance(client, "/comite/effet", D_EXECUTION={"decision": "programmer"}))
    assert '<td role="cell" class="montant" data-libelle="Séance">2 000,00 €</td>' in html
    # It is programmed or refused, never adjourned, and nobody stands back from it.
    avenant = html[html.index("D-EXECUTION") :]
    choix = avenant[: avenant.index("</fieldset>")]
    assert "Refuser" in choix
    assert "Ajourner" not in choix
    assert "Déports" not in choix
