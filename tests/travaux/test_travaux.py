"""Long works: asked, done one at a time, read by who asked, cut, cancelled, forgotten."""

import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from dossier_exemple import NUMERO, service_joue
from portier import PortierDEssai
from starlette.testclient import TestClient

from api.app import create_app
from api.pages.travaux import PROJECTIONS
from oi_service import clock
from oi_service.application import Service
from oi_service.errors import RuleBroken
from oi_service.ids import new_id
from oi_service.lieux import Lieux
from oi_service.travaux import (
    NATURES,
    FichierDeTravailAbsent,
    NatureDeTravailInconnue,
    Ouvrier,
    Suivi,
    Travail,
    TravailAbsent,
    TravailTermine,
    TravailVivant,
    TropDeTravaux,
    faire_un,
    nature,
)
from oi_service.travaux.file import PAR_COMPTE
from projections.rebuild import tables

AUDITEUR, GESTIONNAIRE = {"OI-Role": "auditeur"}, {"OI-Role": "gestionnaire_oi"}


class EssaiRefuse(RuleBroken):
    """L’essai est refusé."""


@pytest.fixture(scope="module")
def joue(serveur: str, modele: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    lieux = Lieux.sous(tmp_path_factory.mktemp("lieux"))
    with service_joue(serveur, modele, lieux) as service:
        yield service


@pytest.fixture(scope="module")
def http(joue: Service) -> Iterator[TestClient]:
    with TestClient(create_app(joue, PortierDEssai()), follow_redirects=False) as made:
        yield made


@pytest.fixture(autouse=True)
def _file_vide(request: pytest.FixtureRequest) -> Iterator[None]:
    """Give each test a queue of its own."""
    yield
    if "joue" in request.fixturenames:
        service: Service = request.getfixturevalue("joue")
        with service.journal.pool.connection() as conn:
            conn.execute("DELETE FROM travaux.travail")


@pytest.fixture
def natures() -> Iterator[None]:
    """Forget the kinds of work that a test registers."""
    connues = dict(NATURES)
    yield
    NATURES.clear()
    NATURES.update(connues)


def lancer(service: Service, nom: str, qui: str = "auditeur-1", **demande: Any) -> UUID:
    return service.travaux.lancer(nom, demande, qui, "auditeur")


def fait(service: Service, travail_id: UUID) -> Travail:
    assert faire_un(service) == travail_id
    return service.travaux.lire(travail_id)


def _essai(nom: str) -> Any:
    return nature(nom, libelle="Essai", route="lancer_verification")


# --- The queue -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("natures")
def test_a_work_waits_then_is_done_and_says_how_far_it_went(joue: Service) -> None:
    vus: list[tuple[str, int, int, str]] = []

    @_essai("compter")
    def _(service: Service, demande: Mapping[str, Any], suivi: Suivi) -> dict[str, Any]:
        suivi.avancer(1, 2, "Une moitié")
        [lu] = service.travaux.lister("auditeur-1")
        vus.append((lu.etat, lu.fait, lu.total, lu.phrase))
        suivi.fichier("resultat.txt", "text/plain").write_text(demande["mot"])
        return {"mot": demande["mot"]}

    travail_id = lancer(joue, "compter", mot="bonjour")
    assert joue.travaux.lire(travail_id).etat == "attend"
    fini = fait(joue, travail_id)
    assert vus == [("en_cours", 1, 2, "Une moitié")]
    assert (fini.etat, fini.resultat) == ("fini", {"mot": "bonjour"})
    [fichier] = fini.fichiers
    assert (fichier.nom, fichier.media, fichier.octets) == ("resultat.txt", "text/plain", 7)
    assert joue.travaux.chemin(fini, "resultat.txt").read_text() == "bonjour"
    assert fini.fichiers_jusqu_au is not None
    assert faire_un(joue) is None
    with pytest.raises(FichierDeTravailAbsent):
        joue.travaux.chemin(fini, "../../cles/signature.pem")


@pytest.mark.usefixtures("natures")
def test_works_are_done_in_the_order_of_their_demands(joue: Service) -> None:
    ordre: list[str] = []

    @_essai("suivre")
    def _(service: Service, demande: Mapping[str, Any], suivi: Suivi) -> dict[str, Any]:
        ordre.append(demande["mot"])
        return {}

    for mot in ("un", "deux", "trois"):
        lancer(joue, "suivre", mot=mot)
    while faire_un(joue):
        pass
    assert ordre == ["un", "deux", "trois"]


def test_the_same_demand_still_alive_is_not_made_twice(joue: Service) -> None:
    premier = lancer(joue, "verification")
    assert lancer(joue, "verification") == premier
    assert lancer(joue, "verification", qui="auditeur-2") != premier
    joue.travaux.annuler(premier)
    assert lancer(joue, "verification") != premier


def test_an_account_has_so_many_works_and_no_more(joue: Service) -> None:
    for rang in range(PAR_COMPTE):
        lancer(joue, "export_journal", depuis=rang + 1, jusqua=9)
    with pytest.raises(TropDeTravaux, match="5 travaux"):
        lancer(joue, "verification")
    assert lancer(joue, "verification", qui="auditeur-2")


def test_an_unknown_kind_is_refused(joue: Service) -> None:
    with pytest.raises(NatureDeTravailInconnue):
        lancer(joue, "cafe")


@pytest.mark.usefixtures("natures")
def test_a_kind_that_a_new_version_forgot_fails_with_a_sentence(joue: Service) -> None:
    _essai("oubliee")(lambda _service, _demande, _suivi: {})
    travail_id = lancer(joue, "oubliee")
    del NATURES["oubliee"]
    assert fait(joue, travail_id).etat == "echoue"
    assert "ne sait plus" in joue.travaux.lire(travail_id).phrase


@pytest.mark.usefixtures("natures")
def test_a_refusal_is_said_and_a_bug_is_not_shown(joue: Service) -> None:
    @_essai("refuser")
    def _(service: Service, demande: Mapping[str, Any], suivi: Suivi) -> dict[str, Any]:
        suivi.fichier("moitie.txt", "text/plain").write_text("à moitié")
        raise EssaiRefuse

    @_essai("casser")
    def _(service: Service, demande: Mapping[str, Any], suivi: Suivi) -> dict[str, Any]:
        raise ZeroDivisionError("chemin secret")

    refuse = fait(joue, lancer(joue, "refuser"))
    assert (refuse.etat, refuse.phrase) == ("echoue", "L’essai est refusé.")
    assert not joue.travaux.dossier_de(refuse.id).exists()
    casse = fait(joue, lancer(joue, "casser"))
    assert casse.etat == "echoue"
    assert "secret" not in casse.phrase


# --- Stopping, cutting, doing again --------------------------------------------------------------


def test_a_work_that_waits_is_cancelled_at_once(joue: Service) -> None:
    travail_id = lancer(joue, "verification")
    joue.travaux.annuler(travail_id)
    assert joue.travaux.lire(travail_id).etat == "annule"
    assert faire_un(joue) is None
    with pytest.raises(TravailTermine):
        joue.travaux.annuler(travail_id)


@pytest.mark.usefixtures("natures")
def test_a_work_under_way_stops_at_its_next_step(joue: Service) -> None:
    pas: list[int] = []

    @_essai("marcher")
    def _(service: Service, demande: Mapping[str, Any], suivi: Suivi) -> dict[str, Any]:
        suivi.fichier("moitie.txt", "text/plain").write_text("à moitié")
        for n in range(3):
            suivi.avancer(n, 3, f"pas {n}")
            pas.append(n)
            [lu] = service.travaux.lister("auditeur-1")
            if lu.etat == "en_cours" and not lu.a_annuler:
                service.travaux.annuler(lu.id)
        return {}

    arrete = fait(joue, lancer(joue, "marcher"))
    assert (arrete.etat, pas) == ("annule", [0])
    assert arrete.resultat is None
    assert not joue.travaux.dossier_de(arrete.id).exists()


@pytest.mark.usefixtures("natures")
def test_a_stop_of_the_service_cuts_and_the_work_is_done_again(joue: Service) -> None:
    arret = threading.Event()

    @_essai("durer")
    def _(service: Service, demande: Mapping[str, Any], suivi: Suivi) -> dict[str, Any]:
        arret.set()
        suivi.avancer(1, 2, "encore")
        return {"fait": True}

    travail_id = lancer(joue, "durer")
    assert faire_un(joue, arret) == travail_id
    coupe = joue.travaux.lire(travail_id)
    assert coupe.etat == "interrompu"
    autre = joue.travaux.relancer(coupe, "auditeur-1", "auditeur", None)
    assert fait(joue, autre).resultat == {"fait": True}
    assert joue.travaux.lire(autre).reprend == travail_id


def test_what_a_dead_process_left_is_said_cut(joue: Service) -> None:
    travail_id = lancer(joue, "verification")
    pris = joue.travaux.prendre()
    assert pris is not None
    joue.travaux.dossier_de(travail_id).mkdir(parents=True)
    with pytest.raises(TravailVivant):
        joue.travaux.relancer(pris, "auditeur-1", "auditeur", None)
    assert joue.travaux.constater_coupures() == 1
    assert joue.travaux.lire(travail_id).etat == "interrompu"
    assert not joue.travaux.dossier_de(travail_id).exists()


@pytest.mark.usefixtures("natures")
def test_the_worker_does_what_is_asked_and_stops_with_the_service(joue: Service) -> None:
    debut = threading.Event()

    @_essai("attendre")
    def _(service: Service, demande: Mapping[str, Any], suivi: Suivi) -> dict[str, Any]:
        debut.set()
        while True:
            suivi.avancer(0, 0, "attend")
            time.sleep(0.01)

    coupe = lancer(joue, "verification")
    assert joue.travaux.prendre() is not None  # of a process that is no more
    with Ouvrier.au_travail(joue):
        travail_id = lancer(joue, "attendre")
        assert debut.wait(20)
        assert joue.travaux.lire(coupe).etat == "interrompu"
        with joue.travaux.seul() as seul:
            assert not seul
    assert joue.travaux.lire(travail_id).etat == "interrompu"
    with joue.travaux.seul() as seul:
        assert seul


@pytest.mark.usefixtures("natures")
def test_files_are_dropped_after_some_days_and_works_after_some_months(
    joue: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    @_essai("ecrire")
    def _(service: Service, demande: Mapping[str, Any], suivi: Suivi) -> dict[str, Any]:
        suivi.fichier("resultat.txt", "text/plain").write_text("bonjour")
        return {}

    fini = fait(joue, lancer(joue, "ecrire"))
    joue.travaux.dossier_de(new_id()).mkdir()  # of a work that nobody remembers
    assert joue.travaux.purger().fichiers == 0
    assert [d.name for d in joue.travaux.dossier_de(fini.id).parent.iterdir()] == [str(fini.id)]
    maintenant = clock.now()
    monkeypatch.setattr(clock, "now", lambda: maintenant + timedelta(days=8))
    assert joue.travaux.purger().fichiers == 1
    sans = joue.travaux.lire(fini.id)
    assert sans.fichiers == ()
    with pytest.raises(FichierDeTravailAbsent):
        joue.travaux.chemin(fini, "resultat.txt")
    monkeypatch.setattr(clock, "now", lambda: maintenant + timedelta(days=91))
    assert joue.travaux.purger().travaux == 1
    with pytest.raises(TravailAbsent):
        joue.travaux.lire(fini.id)


# --- The works of the service --------------------------------------------------------------------


def test_a_verification_checks_everything_and_is_noted_when_there_is_news(joue: Service) -> None:
    position = _tete(joue)
    fini = fait(joue, lancer(joue, "verification"))
    assert fini.resultat is not None
    assert fini.resultat["intacte"]
    assert fini.resultat["notee"]
    assert fini.resultat["jusqua_position"] == position == _tete(joue) - 1
    assert {"J1", "R1", "S1", "S2", "S5"} <= {p["code"] for p in fini.resultat["points"]}
    encore = fait(joue, lancer(joue, "verification")).resultat
    assert encore is not None
    assert not encore["notee"]
    assert _tete(joue) == position + 1


def test_a_comparison_finds_what_the_log_does_not_give(serveur: str, modele: str) -> None:
    with service_joue(serveur, modele) as service:
        juste = fait(service, lancer(service, "comparaison")).resultat
        assert juste is not None
        assert juste["identiques"]
        with service.reads.connection() as conn:
            base = conn.info.dbname
        with psycopg.connect(serveur, dbname=base) as conn:
            conn.execute("UPDATE projection.operation SET intitule = 'autre'")
        faux = fait(service, lancer(service, "comparaison")).resultat
    assert faux is not None
    assert not faux["identiques"]
    assert [t["projection"] for t in faux["tables"] if not t["identique"]] == ["operation"]


def _tete(service: Service) -> int:
    with service.reads.connection() as conn:
        row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    return int(row[0])


# --- The doors -----------------------------------------------------------------------------------


def poster(http: TestClient, chemin: str, qui: Mapping[str, str], corps: Any = None) -> Any:
    return http.post(f"/api/v1/travaux{chemin}", json=corps or {}, headers=dict(qui))


def test_an_archive_is_asked_followed_and_taken(
    http: TestClient, joue: Service, tmp_path: Path
) -> None:
    lance = poster(http, "/archives", AUDITEUR, {"dossier": NUMERO})
    assert lance.status_code == 202
    assert lance.json()["etat"] == "attend"
    adresse = lance.headers["Location"]
    faire_un(joue)
    fini = http.get(adresse, headers=AUDITEUR).json()
    assert fini["etat"] == "fini", fini
    [fichier] = fini["fichiers"]
    assert fichier["sha256"] == fini["resultat"]["sha256"]
    pris = http.get(f"{adresse}/fichiers/{fichier['nom']}", headers=AUDITEUR)
    assert pris.headers["ETag"] == f'"{fichier["sha256"]}"'
    zip_ = tmp_path / "archive.zip"
    zip_.write_bytes(pris.content)
    assert "verifier.py" in zipfile.ZipFile(zip_).namelist()[1]
    direct = http.get(f"/api/v1/archives?dossier={NUMERO}", headers=AUDITEUR)
    assert direct.headers["ETag"] == pris.headers["ETag"]
    traces = [t.nature for t in joue.acces.traces(limite=3).traces]
    assert traces == ["archive", "telechargement", "archive"]


def test_what_cannot_be_archived_is_refused_at_once(http: TestClient) -> None:
    assert poster(http, "/archives", AUDITEUR, {}).json()["code"] == "archive_sans_objet"
    absent = poster(http, "/archives", AUDITEUR, {"dossier": "000"})
    assert (absent.status_code, absent.json()["code"]) == (404, "dossier_a_archiver_inconnu")
    tout = poster(http, "/archives", GESTIONNAIRE, {"tout": True})
    assert (tout.status_code, tout.json()["code"]) == (403, "archive_de_tout_reservee")
    assert http.get("/api/v1/travaux", headers=AUDITEUR).json()["lignes"] == []


def test_each_kind_is_for_whom_its_direct_route_is(http: TestClient) -> None:
    assert poster(http, "/exports-du-journal", GESTIONNAIRE).status_code == 403
    for chemin in ("/verifications", "/comparaisons"):
        assert poster(http, chemin, {"OI-Role": "comptable_oi"}).status_code == 403


def test_the_whole_log_is_exported_as_the_direct_route_does(
    http: TestClient, joue: Service
) -> None:
    lance = poster(http, "/exports-du-journal", AUDITEUR)
    faire_un(joue)
    adresse = lance.headers["Location"]
    [fichier] = http.get(adresse, headers=AUDITEUR).json()["fichiers"]
    pris = http.get(f"{adresse}/fichiers/{fichier['nom']}", headers=AUDITEUR)
    direct = http.get("/api/v1/export", headers=AUDITEUR)
    assert direct.status_code == 200, direct.text
    assert pris.content == direct.content
    loin = poster(http, "/exports-du-journal", AUDITEUR, {"depuis": 10**9})
    assert (loin.status_code, loin.json()["code"]) == (404, "evenement_absent")


def test_a_work_is_its_authors_in_the_role_that_asked(http: TestClient) -> None:
    adresse = poster(http, "/verifications", AUDITEUR).headers["Location"]
    assert http.get(adresse, headers=AUDITEUR).status_code == 200
    autre = AUDITEUR | {"OI-Acteur": "auditeur-2"}
    meme_autre_role = GESTIONNAIRE | {"OI-Acteur": "auditeur-1"}
    for qui in (autre, meme_autre_role):
        absent = http.get(adresse, headers=qui)
        assert (absent.status_code, absent.json()["code"]) == (404, "travail_absent")
        assert http.post(f"{adresse}/annulation", headers=qui).status_code == 404
        assert http.get("/api/v1/travaux", headers=qui).json()["lignes"] == []
    annule = http.post(f"{adresse}/annulation", headers=AUDITEUR)
    assert annule.json()["etat"] == "annule"


def test_doing_again_is_asked_under_the_same_rule_with_the_same_trace(
    http: TestClient, joue: Service
) -> None:
    adresse = poster(http, "/archives", AUDITEUR, {"dossier": NUMERO}).headers["Location"]
    assert http.post(f"{adresse}/relance", headers=AUDITEUR).json()["code"] == "travail_vivant"
    http.post(f"{adresse}/annulation", headers=AUDITEUR)
    avant = len(joue.acces.traces(limite=500).traces)
    relance = http.post(f"{adresse}/relance", headers=AUDITEUR)
    assert relance.status_code == 202
    assert relance.json()["reprend"] == adresse.rpartition("/")[2]
    traces = joue.acces.traces(limite=500).traces
    assert (len(traces) - avant, traces[0].nature) == (1, "archive")


# --- The pages -----------------------------------------------------------------------------------


def page(http: TestClient, chemin: str, qui: Mapping[str, str] = AUDITEUR) -> str:
    reponse = http.get(chemin, headers={"Accept": "text/html", **qui})
    assert reponse.status_code == 200, reponse.text
    return " ".join(reponse.text.replace("\u00a0", " ").replace("&nbsp;", " ").split())


def test_a_work_is_followed_in_a_page_that_survives_the_browser(
    http: TestClient, joue: Service
) -> None:
    assert "Aucun travail." in page(http, "/travaux")
    lance = http.post("/travaux/verifications", headers=AUDITEUR)
    assert lance.status_code == 303
    adresse = lance.headers["Location"]
    attend = page(http, adresse)
    assert 'hx-trigger="every 2s"' in attend
    assert ">Actualiser</a>" in attend
    assert "Vous pouvez fermer cette page" in attend
    faire_un(joue)
    fini = page(http, adresse)
    assert "Tout est intact" in fini
    assert 'hx-trigger="every 2s"' not in fini
    assert "Chaque événement porte le sceau de ses octets" in fini
    liste = page(http, "/travaux")
    assert f'href="{adresse}"' in liste
    assert "Terminé" in liste


def test_what_was_compared_is_named_as_people_call_it(http: TestClient, joue: Service) -> None:
    with joue.reads.connection() as conn:
        assert sorted(PROJECTIONS) == tables(conn)
    adresse = http.post("/travaux/comparaisons", headers=AUDITEUR).headers["Location"]
    faire_un(joue)
    fini = page(http, adresse)
    assert "exactement ce que le journal donne" in fini
    assert "Lignes des lots importés" in fini
    assert "lot_ligne" not in fini


def test_a_cancelled_work_can_be_done_again_from_its_page(http: TestClient) -> None:
    adresse = http.post("/travaux/comparaisons", headers=AUDITEUR).headers["Location"]
    assert http.post(f"{adresse}/annulation", headers=AUDITEUR).headers["Location"] == adresse
    assert "Annulé" in page(http, adresse)
    relance = http.post(f"{adresse}/relance", headers=AUDITEUR).headers["Location"]
    assert relance != adresse
    assert "Voir le travail que celui-ci recommence" in page(http, relance)
