"""The pages of the audit: replay, story, journal, proofs, controls, working files."""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any
from uuid import UUID

import psycopg
import pytest
from dossier_exemple import NUMERO, service_joue
from portier import PortierDEssai
from starlette.testclient import TestClient

from api.app import create_app
from api.filters import euros
from oi_service.application import Service
from oi_service.clock import today
from oi_service.ids import new_id
from oi_service.lieux import Lieux
from oi_service.travaux import faire_un

AUDITEUR, GESTIONNAIRE = {"OI-Role": "auditeur"}, {"OI-Role": "gestionnaire_oi"}
COMPTABLE = {"OI-Role": "comptable_oi"}


@pytest.fixture(scope="module")
def joue(serveur: str, modele: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    lieux = Lieux.sous(tmp_path_factory.mktemp("lieux"))
    with service_joue(serveur, modele, lieux) as service:
        yield service


@pytest.fixture(scope="module")
def http(joue: Service) -> Iterator[TestClient]:
    with TestClient(create_app(joue, PortierDEssai()), follow_redirects=False) as made:
        yield made


def lire(
    http: TestClient,
    chemin: str,
    qui: Mapping[str, str] = AUDITEUR,
    statut: int = 200,
    **requete: str,
) -> str:
    reponse = http.get(chemin, params=requete or None, headers={"Accept": "text/html", **qui})
    assert reponse.status_code == statut, reponse.text
    return propre(reponse.text)


def propre(texte: str) -> str:
    return " ".join(texte.replace("\u00a0", " ").replace("&nbsp;", " ").split())


def position_de(joue: Service, nom: str) -> int:
    with joue.reads.connection() as conn:
        row = conn.execute(
            """
            SELECT min(e.position) FROM oi.event AS e
            WHERE e.name = %s AND e.stream_id IN (
                SELECT n.stream_id FROM oi.event AS n
                WHERE n.data ->> 'operation_id' = (
                    SELECT o.id::text FROM projection.operation AS o WHERE o.numero_mdfse = %s))
            """,
            (nom, NUMERO),
        ).fetchone()
    assert row is not None
    return int(row[0])


def premier(joue: Service, nom: str) -> int:
    """Return the position of the first event of a name."""
    with joue.reads.connection() as conn:
        row = conn.execute("SELECT min(position) FROM oi.event WHERE name = %s", (nom,)).fetchone()
    assert row is not None
    return int(row[0])


def tete(joue: Service) -> int:
    with joue.reads.connection() as conn:
        row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    return int(row[0])


# --- The entry -----------------------------------------------------------------------------------


def test_audit_is_in_the_menu_of_auditors_and_managers_only(http: TestClient) -> None:
    for qui in (AUDITEUR, GESTIONNAIRE):
        html = lire(http, "/audit", qui)
        assert re.search(r'<a href="/audit"\s+aria-current="page">Audit</a>', html)
    assert http.get("/audit", headers=COMPTABLE).status_code == 403
    assert ">Audit</a>" not in lire(http, "/maquette", COMPTABLE)
    assert "Dossiers d’audit" not in lire(http, "/audit", GESTIONNAIRE)


def test_the_entry_says_whether_the_log_was_found_whole(http: TestClient, joue: Service) -> None:
    http.post("/travaux/verifications", headers=AUDITEUR)
    faire_un(joue)
    html = lire(http, "/audit")
    assert "Journal intact, vérifié le" in html
    assert "événements au journal" in html


# --- Then and now --------------------------------------------------------------------------------


def test_a_replay_sets_then_beside_now_and_says_why(http: TestClient, joue: Service) -> None:
    alors = position_de(joue, "convention.notifiee.v1")
    html = lire(http, "/audit/rejeu", dossier=NUMERO, connu_le=str(alors))
    assert "Accompagnement renforcé vers l’emploi" in html
    ligne = re.search(r"<tr[^>]*> <th[^>]*>État</th>.*?</tr>", html)
    assert ligne is not None
    assert "Programmé" in ligne[0]
    assert "Bilan final déposé" in ligne[0]
    assert "Changé" in ligne[0]
    paye = re.search(r"<tr[^>]*> <th[^>]*>FSE payé</th>.*?</tr>", html)
    assert paye is not None
    assert "0,00 €" in paye[0]
    assert "+25 000,00 €" in paye[0]
    # Each fact named beside an amount has its line below, and its own page.
    cites = re.findall(r'href="#fait-(\d+)"', paye[0])
    assert cites
    for position in cites:
        assert f'id="fait-{position}"' in html
        assert f'href="/evenements/{position}"' in html
    faits = [int(n) for n in re.findall(r'<li id="fait-(\d+)"', html)]
    assert faits == sorted(faits)
    assert min(faits) > alors


def test_amounts_of_a_replay_are_those_of_the_dossier_then(http: TestClient, joue: Service) -> None:
    for position in (position_de(joue, "convention.csf_valide.v1"), tete(joue)):
        html = lire(http, "/audit/rejeu", dossier=NUMERO, connu_le=str(position))
        dossier = lire(http, f"/dossiers/{NUMERO}", connu_le=str(position))
        paye = re.search(r"FSE payé</th> <td[^>]*><a[^>]*>([^<]+)</a>", html)
        assert paye is not None
        assert paye[1] in dossier


@pytest.mark.parametrize("colonne", ["Alors", "Aujourd’hui"])
def test_each_amount_of_a_replay_leads_to_its_facts(
    http: TestClient, joue: Service, colonne: str
) -> None:
    alors = position_de(joue, "convention.notifiee.v1")
    html = lire(http, "/audit/rejeu", dossier=NUMERO, connu_le=str(alors))
    montants = re.findall(
        rf'<td[^>]* class="montant" data-libelle="{colonne}">(.*?)</td>',
        html.split('id="titre-montants"')[1],
    )
    assert len(montants) > 15
    for montant in montants:
        lu = re.search(r'<a[^>]* href="([^"]+)">([^<]+)</a>', montant)
        assert lu is not None, montant
        lien, dit = unescape(lu[1]), lu[2]
        assert ("connu_le=" in lien) == (colonne == "Alors")
        assert f'<p class="provenance-valeur">{dit}</p>' in lire(http, lien)


def test_who_knows_no_number_is_told_where_they_are(http: TestClient) -> None:
    for chemin in ("/audit/rejeu", "/audit/histoire"):
        assert 'href="/operations"' in lire(http, chemin).split("<main")[1]


def test_nothing_moved_is_said(http: TestClient, joue: Service) -> None:
    html = lire(http, "/audit/rejeu", dossier=NUMERO, connu_le=str(tete(joue)))
    assert "Rien n’a changé depuis cette situation." in html
    assert "Choisissez une date" in lire(http, "/audit/rejeu", dossier=NUMERO)


def test_a_dossier_that_comes_later_is_told_as_such(http: TestClient) -> None:
    html = lire(http, "/audit/rejeu", dossier=NUMERO, connu_le="1")
    assert "ce dossier n’existait pas encore" in html


def test_a_replay_of_nothing_asks_again_and_keeps_what_was_typed(http: TestClient) -> None:
    html = lire(http, "/audit/rejeu", statut=422, dossier="209900000", au="2022-01-31")
    assert "Aucun dossier ne porte le numéro « 209900000 »" in html
    assert 'value="209900000"' in html
    assert 'value="2022-01-31"' in html
    html = lire(http, "/audit/rejeu", statut=422, dossier=NUMERO, au="hier")
    assert "n’est pas un jour" in html


def test_the_story_has_one_line_a_fact_and_what_it_changed(http: TestClient, joue: Service) -> None:
    html = lire(http, "/audit/histoire", dossier=NUMERO)
    lignes = re.findall(r'<tr role="row" id="fait-(\d+)">', html)
    assert len(lignes) > 40
    position = position_de(joue, "convention.paiement_effectue.v1")
    assert f'href="/audit/rejeu?dossier={NUMERO}&amp;connu_le={position}"' in html
    assert "FSE payé : 0,00 € → 15 000,00 €" in html
    assert "/exports/histoire?dossier=" in html
    assert "Aucun dossier" in lire(http, "/audit/histoire", statut=422, dossier="0")


# --- The journal ---------------------------------------------------------------------------------


def test_the_journal_is_filtered_and_goes_on(http: TestClient, joue: Service) -> None:
    html = lire(http, "/audit/journal")
    premiere = re.findall(r'id="evenement-(\d+)"', html)
    assert int(premiere[0]) == tete(joue)
    suite = re.search(r'href="(/audit/journal\?[^"]+)" rel="next"', html)
    assert suite is not None
    suivante = re.findall(r'id="evenement-(\d+)"', lire(http, suite[1].replace("&amp;", "&")))
    assert int(suivante[0]) == int(premiere[-1]) - 1
    filtre = lire(
        http,
        "/audit/journal",
        nom="convention.paiement_effectue.v1",
        acteur="comptable-1",
        dossier=NUMERO,
    )
    assert 1 <= len(re.findall(r'id="evenement-', filtre)) <= 3
    assert "Convention : paiement effectué" in filtre
    assert "Aucun événement ne répond" in lire(http, "/audit/journal", acteur="personne")
    for faux in ({"dossier": "0"}, {"du": "hier"}):
        refuse = lire(http, "/audit/journal", statut=422, **faux)
        assert next(iter(faux.values())) in refuse


def test_the_journal_never_shows_the_work_of_auditors(http: TestClient) -> None:
    assert 'value="audit.' not in lire(http, "/audit/journal")


def test_an_event_shows_its_envelope_and_its_seal_computed_again(
    http: TestClient, joue: Service
) -> None:
    position = position_de(joue, "convention.csf_valide.v1")
    html = lire(http, f"/evenements/{position}")
    assert "celui qui est gardé" in html
    assert "convention.csf_valide.v1" in html
    assert f'href="/dossiers/{NUMERO}"' in html
    assert f'href="/evenements/{position - 1}"' in html
    assert "fse_du_cumule_centimes" in html
    assert lire(http, "/evenements/1")
    assert "numéro 999999" in lire(http, "/evenements/999999", statut=404)


def test_what_an_event_says_is_read_with_its_euros(http: TestClient, joue: Service) -> None:
    html = lire(http, f"/evenements/{premier(joue, 'convention.csf_valide.v1')}")
    brut = re.search(r"<dt>fse_max_centimes</dt><dd>(\d+) <span[^>]*>([^<]+)</span></dd>", html)
    assert brut is not None
    assert brut[2] == propre(euros(int(brut[1])))
    # A fact may say nothing more than its name.
    html = lire(http, f"/evenements/{premier(joue, 'operation.recevabilite_prononcee.v1')}")
    assert "Ce fait ne dit rien de plus que sa phrase" in html


def test_a_seal_that_does_not_hold_is_said(serveur: str, modele: str) -> None:
    with service_joue(serveur, modele) as service:
        with service.reads.connection() as conn:
            base = str(conn.info.dbname)
        _changer(serveur, base)
        with TestClient(create_app(service, PortierDEssai())) as client:
            assert "n’est pas celui qui est gardé" in lire(client, "/evenements/12")
            assert "est celui qui est gardé" in lire(client, "/evenements/11")


def _changer(serveur: str, base: str) -> None:
    with psycopg.connect(serveur, dbname=base) as conn:
        conn.execute("ALTER TABLE oi.event DISABLE TRIGGER USER")
        conn.execute("UPDATE oi.event SET motif = 'un autre motif' WHERE position = 12")


# --- Proofs --------------------------------------------------------------------------------------


def test_a_verification_is_launched_and_its_points_are_read(
    http: TestClient, joue: Service
) -> None:
    lance = http.post("/travaux/verifications", headers=GESTIONNAIRE)
    faire_un(joue)
    travail = lire(http, lance.headers["Location"], GESTIONNAIRE)
    assert "Tout est intact" in travail
    html = lire(http, "/audit/verification", GESTIONNAIRE)
    assert "Chaque événement porte le sceau de ses octets" in html
    assert "Vérification du journal" in html


def test_an_archive_is_asked_from_its_page_and_taken(http: TestClient, joue: Service) -> None:
    forme = {"objet": "dossier", "dossier": NUMERO, "plie": "", "au": "", "connu_le": ""}
    lance = http.post("/audit/archives", data=forme, headers=AUDITEUR)
    assert lance.status_code == 303, lance.text
    adresse = lance.headers["Location"]
    faire_un(joue)
    html = lire(http, adresse)
    lien = re.search(r'href="([^"]+\.zip)" download', html)
    assert lien is not None
    pris = http.get(lien[1], headers=AUDITEUR)
    assert pris.headers["content-type"] == "application/zip"
    assert "python3 verifier.py" in html
    # The anchor that the archive made necessary is now in the list, and its file is there.
    assert "Fichier présent et conforme" in lire(http, "/audit/verification")
    assert f'href="{adresse}"' in lire(http, "/audit/archives")


@pytest.mark.parametrize(
    ("forme", "dit"),
    [
        ({"objet": "dossier", "dossier": ""}, "Donnez le numéro du dossier"),
        ({"objet": "plie", "plie": ""}, "Choisissez le PLIE"),
        ({"objet": "dossier", "dossier": "0"}, "Aucun dossier « 0 »"),
        ({"objet": "dossier", "dossier": NUMERO, "au": "hier"}, "ne date s’écrit AAAA-MM-JJ"),
    ],
)
def test_an_archive_that_cannot_be_made_is_refused_in_its_form(
    http: TestClient, forme: dict[str, str], dit: str
) -> None:
    refus = http.post("/audit/archives", data=forme, headers=AUDITEUR)
    assert refus.status_code in {404, 422}
    assert dit in propre(refus.text)
    assert f'value="{forme.get("dossier", "")}"' in refus.text


def test_everything_is_for_an_auditor(http: TestClient) -> None:
    assert "Tout le journal" in lire(http, "/audit/archives")
    assert 'value="tout"' not in lire(http, "/audit/archives", GESTIONNAIRE)
    refus = http.post("/audit/archives", data={"objet": "tout"}, headers=GESTIONNAIRE)
    assert refus.status_code == 403


# --- Controls ------------------------------------------------------------------------------------


def test_no_control_yet_says_what_to_do(http: TestClient) -> None:
    html = lire(http, "/audit/controles", GESTIONNAIRE)
    assert "Enregistrez la lettre qui en annonce un" in html
    assert 'href="/actes/notifier_controle?retour=' in html
    assert "/actes/notifier_controle" not in lire(http, "/audit/controles", COMPTABLE)
    assert http.get(f"/audit/controles/{new_id()}", headers=AUDITEUR).status_code == 404


# --- Working files -------------------------------------------------------------------------------


def ecrire(http: TestClient, chemin: str, corps: Any, version: int | None = None) -> Any:
    reponse = http.post(
        f"/api/v1/audit{chemin}",
        json={"date_effet": "2026-01-05", **corps},
        headers={
            **AUDITEUR,
            "Idempotency-Key": str(new_id()),
            **({} if version is None else {"If-Match": f'"{version}"'}),
        },
    )
    assert reponse.is_success, reponse.text
    return reponse.json()


@pytest.fixture(scope="module")
def travail(http: TestClient, joue: Service) -> tuple[UUID, UUID]:
    """Open a working file, freeze a population and draw four dépenses."""
    with joue.reads.connection() as conn:
        row = conn.execute("SELECT id FROM projection.subvention_globale").fetchone()
    assert row is not None
    assert "Aucun dossier d’audit." in lire(http, "/audit/dossiers")
    mission = {
        "mission": "Audit d’opérations 2022",
        "organisme": "Autorité d’audit",
        "reference": "AUD-2022-07",
        "perimetre": "Dépenses déclarées en 2021",
    }
    dossier = ecrire(http, f"/subventions-globales/{row[0]}/dossiers", mission)["id"]
    racine = f"/dossiers/{dossier}"
    toutes = {"definition": {"portee": "toutes"}, "montant": "declare"}
    population = ecrire(http, f"{racine}/populations", toutes, 1)["id"]
    tirage = {"population_id": population, "methode": "simple", "taille": 4, "graine": "essai"}
    tire = ecrire(http, f"{racine}/echantillons", tirage, 2)["id"]
    return UUID(dossier), UUID(tire)


def champs(html: str) -> list[str]:
    return re.findall(r'name="erreur-([0-9a-f-]+)"', html)


def cache(html: str, nom: str) -> str:
    found = re.search(rf'<input type="hidden" name="{nom}" value="([^"]*)"', html)
    assert found is not None
    return found[1]


def test_the_work_of_auditors_is_theirs(http: TestClient, travail: tuple[UUID, UUID]) -> None:
    dossier, tire = travail
    for chemin in ("", f"/{dossier}", f"/{dossier}/echantillons/{tire}"):
        assert http.get(f"/audit/dossiers{chemin}", headers=GESTIONNAIRE).status_code == 403


def test_a_working_file_is_read_then_its_findings_are_typed_in_a_grid(
    http: TestClient, travail: tuple[UUID, UUID]
) -> None:
    dossier, tire = travail
    assert "AUD-2022-07" in lire(http, "/audit/dossiers")
    html = lire(http, f"/audit/dossiers/{dossier}")
    assert "Tirage n° 1, tirage simple, 4 dépenses" in html
    assert "0 sur 4 notées" in html
    assert f"/actes/tirer_echantillon_audit/{dossier}?" in html
    ici = f"/audit/dossiers/{dossier}/echantillons/{tire}"
    grille = lire(http, ici)
    depenses = champs(grille)
    assert len(depenses) == 4
    assert "Arrêter le résultat" not in grille
    commun = {"version": cache(grille, "version"), "debut": "0"}

    def noter(**saisi: str) -> Any:
        forme = {**commun, "cle": str(new_id()), **saisi}
        return http.post(f"{ici}/constats", data=forme, headers=AUDITEUR)

    def dit(reponse: Any, statut: int, *phrases: str) -> None:
        assert reponse.status_code == statut, reponse.text
        for phrase in phrases:
            assert phrase in propre(reponse.text)

    dit(noter(), 422, "Rien n’est saisi")
    dit(
        noter(**{f"erreur-{depenses[0]}": "beaucoup", f"commentaire-{depenses[0]}": "à voir"}),
        422,
        "« beaucoup » n’est pas un montant",
        'value="à voir"',
    )
    dit(noter(**{f"erreur-{depenses[0]}": "12,50"}), 422, "d’où vient cette erreur")
    dit(noter(**{f"commentaire-{depenses[0]}": "à voir"}), 422, "0 s’il n’y en a pas")
    # More than the largest amount that the draw may hold.
    trop = noter(**{f"erreur-{depenses[0]}": "9 999 999 999", f"commentaire-{depenses[0]}": "tout"})
    dit(trop, 409, "dépasse son montant", 'value="9 999 999 999"')
    fait = noter(
        **{
            f"erreur-{depenses[0]}": "12,5 €",
            f"commentaire-{depenses[0]}": "Une journée n’est pas justifiée",
            f"erreur-{depenses[1]}": "0",
        }
    )
    assert fait.status_code == 303, fait.text
    suite = lire(http, fait.headers["Location"])
    assert "12,50 €" in suite
    assert "Sans anomalie" in suite
    assert "<strong>2</strong> notées sur 4" in suite
    assert champs(suite) == depenses[2:]
    assert f"/actes/corriger_constat/{dossier}/{tire}/{depenses[0]}" in suite
    # Typed on a page that somebody else's work made old: said, and nothing is lost.
    vieux = noter(**{f"erreur-{depenses[2]}": "1,00", f"commentaire-{depenses[2]}": "Écart"})
    dit(vieux, 412, "a changé depuis que cette page est ouverte", 'value="Écart"')
    commun["version"] = cache(vieux.text, "version")
    fait = noter(
        **{
            f"erreur-{depenses[2]}": "1,00",
            f"commentaire-{depenses[2]}": "Écart",
            f"erreur-{depenses[3]}": "0,00",
        }
    )
    assert fait.status_code == 303, fait.text
    complet = lire(http, ici)
    assert champs(complet) == []
    assert f"/actes/arreter_resultat/{dossier}/{tire}" in complet
    lu = http.get(f"/api/v1{ici}", headers=AUDITEUR)
    etiquette = int(lu.headers["ETag"].strip('"'))
    assert [u["erreur"] for u in lu.json()["tirage"]] == ["12.50", "0.00", "1.00", "0.00"]
    aujourd_hui = {"date_effet": _aujourd_hui()}
    ecrire(http, f"/dossiers/{dossier}/echantillons/{tire}/resultat", aujourd_hui, etiquette)
    resultat = lire(http, ici)
    assert "Erreur projetée sur la population" in resultat
    assert "elle n’est pas une correction" in resultat
    export = http.get(f"{ici}/export?format=csv", headers=AUDITEUR)
    assert export.status_code == 200
    assert "Une journée n’est pas justifiée" in export.content.decode("utf-8-sig")


def _aujourd_hui() -> str:
    return today().isoformat()
