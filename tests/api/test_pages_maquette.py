"""The maquette, the page of a PLIE and the trial of a transfer, on a real log."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from bases import base_neuve
from pilotage_joue import jouer
from portier import PortierDEssai
from starlette.testclient import TestClient
from vie import Vie

from api.app import create_app
from api.pages.formulaires import SaisieRefusee
from api.pages.plie import PlieAbsent, PrevisionsDepassees, lire_grille
from oi_service.app import open_service
from oi_service.clock import today
from oi_service.dates import trimestre
from projections.perimetre import OI_ENTIER
from projections.previsions import depots

ANNEE, TRIMESTRE = trimestre(today())
CASE = f"prevu-{ANNEE}-{TRIMESTRE}-fse_certifie"


@dataclass
class Porte:
    """The pages, and what was played behind them."""

    http: TestClient
    vie: Vie

    def page(self, adresse: str, statut: int = 200, **entetes: str) -> str:
        recue = self.http.get(adresse, headers=entetes)
        assert recue.status_code == statut, recue.text
        return lire(recue.text)

    @property
    def position(self) -> int:
        with self.vie.reads.connection() as conn:
            row = conn.execute("SELECT position FROM oi.head").fetchone()
        assert row is not None
        return int(row[0])


def lire(texte: str) -> str:
    """Return the words of a page, on one line."""
    sans = re.sub(r"<(script|style)[^>]*>.*?</\1>|<[^>]+>", " ", texte, flags=re.DOTALL)
    return " ".join(html.unescape(sans).split())


@pytest.fixture(scope="module")
def porte(serveur: str, modele: str) -> Iterator[Porte]:
    with base_neuve(serveur, modele) as base, open_service(base) as service:
        vie = jouer(service)
        with TestClient(create_app(service, PortierDEssai()), follow_redirects=False) as http:
            yield Porte(http, vie)


DIRECTEUR = {"OI-Role": "directeur_plie", "OI-Acteur": "directeur-a"}


# --- The maquette --------------------------------------------------------------------------------


def test_alerts_say_what_is_missing_and_lead_somewhere(porte: Porte) -> None:
    recue = porte.http.get("/maquette?au=2022-06-01").text
    texte = lire(recue)
    assert "Seuil de certification du 31 mars 2022 manqué" in texte
    assert "il manquait 60 000 €, 0 € certifiés pour 60 000 € attendus" in texte
    assert "Seuil de certification du 31 décembre 2022 : il manque 65 000 €" in texte
    assert "Programmation < 80 %" in texte
    assert 'href="/controles"' in recue
    assert 'href="/operations?attend=instruction' in recue
    assert "Il manque 65 k€ au 31 décembre 2022" in texte, "the title of the curve concludes"


def test_only_those_in_alert(porte: Porte) -> None:
    texte = porte.page("/maquette?au=2021-06-01&alerte=oui")
    assert "1 PLIE sans alerte n’est pas montré ; les totaux les comptent." in texte
    texte = porte.page("/maquette?au=2021-01-05&alerte=oui")
    assert "Aucun PLIE n’est en alerte" in texte
    assert "2 PLIE sans alerte ne sont pas montrés" in texte
    assert "PLIE A" in porte.page("/maquette?alerte=oui")


def test_a_past_situation_is_set_against_today(porte: Porte) -> None:
    texte = porte.page("/maquette?au=2022-04-10")
    assert "Différence avec aujourd’hui" in texte
    assert re.search(r"Retenu après CSF 0,00 € 40 000,00 € \+40 000,00 €", texte)
    assert "Contrôle de service fait : 1 événement" in texte
    assert "Différence avec aujourd’hui" not in porte.page("/maquette")


def test_what_waits_is_told_with_its_way(porte: Porte) -> None:
    texte = porte.page("/maquette/a-faire")
    assert "1 contrôle de service fait à produire · 30 000 €" in texte
    assert "Contreparties attendues et non couvertes" in texte
    assert "du besoin en contreparties est attesté" in texte


def test_without_a_grant_what_waits_leads_to_the_maquette(serveur: str, modele: str) -> None:
    with (
        base_neuve(serveur, modele) as base,
        open_service(base) as service,
        TestClient(create_app(service, PortierDEssai()), follow_redirects=False) as http,
    ):
        for adresse in ("/maquette/a-faire", "/maquette/transfert"):
            recue = http.get(adresse)
            assert (recue.status_code, recue.headers["location"]) == (303, "/maquette")


def test_first_load_is_light(porte: Porte) -> None:
    recue = porte.http.get("/maquette", headers={"Accept-Encoding": "gzip"})
    assert recue.status_code == 200
    # Styles, scripts and font are cached for ever: they are weighed in bench/.
    assert int(recue.headers.get("content-length", len(recue.content))) < 150_000


# --- A PLIE --------------------------------------------------------------------------------------


def test_a_plie_shows_what_concerns_it(porte: Porte) -> None:
    texte = porte.page("/plie/B")
    assert "Enveloppe 150 000 €" in texte
    assert "B1, bilan n° 1" in texte
    assert "Contrôle de service fait" in texte
    assert "Aucun objectif de certification n’est fixé à ce PLIE" in texte
    assert "A1" not in texte
    seul = porte.page("/plie/A")
    assert re.search(r"31/12/2022 50 000 € 30 000 € 60,0 %", seul)
    assert "4 montants" not in seul
    assert "2 montants prévus, 25 000 € en tout" in seul


def test_a_plie_at_two_dates(porte: Porte) -> None:
    texte = porte.page("/plie/A?au=2022-04-10")
    assert "Situation au 10/04/2022" in texte
    assert "Déposer les prévisions" not in texte, "the past is not foreseen"
    assert "n’est pas un jour" in porte.page("/plie/A?au=hier", statut=422)


def test_what_is_no_plie_is_not_found(porte: Porte) -> None:
    texte = porte.page("/plie/ailleurs", statut=404)
    assert str(PlieAbsent(plie_id="ailleurs")).replace("\u00a0", " ") in texte.replace(
        "\u00a0", " "
    )


def formulaire(porte: Porte, plie: str = "A") -> dict[str, str]:
    """Return the form as it is shown."""
    texte = porte.http.get(f"/plie/{plie}", headers=DIRECTEUR).text
    return {
        **dict(re.findall(r'name="(prevu-[^"]+)" value="([^"]*)"', texte)),
        **dict(re.findall(r'type="hidden" name="(cle|vu)" value="([^"]*)"', texte)),
    }


def deposer(porte: Porte, champs: dict[str, str], **entetes: str) -> tuple[int, str]:
    recue = porte.http.post("/plie/A/previsions", data=champs, headers={**DIRECTEUR, **entetes})
    return recue.status_code, recue.headers.get("location") or lire(recue.text)


def test_a_director_foresees(porte: Porte) -> None:
    rempli = formulaire(porte) | {CASE: "12 000,50"}
    assert deposer(porte, rempli) == (303, "/plie/A?fait=previsions")
    # The same form sent again records nothing more.
    avant = porte.position
    assert formulaire(porte)[CASE] == "12 000,50".replace(" ", "\u00a0")
    assert deposer(porte, formulaire(porte)) == (303, "/plie/A?fait=inchangees")
    assert porte.position == avant
    with porte.vie.reads.connection() as conn:
        dernier = depots(conn, OI_ENTIER, porte.vie.id("SG"), "A")[0]
    assert (dernier.acteur, dernier.role, dernier.montant) == (
        "directeur-a",
        "directeur_plie",
        12_000_50,
    )
    assert "directeur-a (direction du PLIE) : 1 montant prévu, 12 001 € en tout" in porte.page(
        "/plie/A"
    )


def test_what_cannot_be_read_is_said_by_its_field_and_kept(porte: Porte) -> None:
    avant = porte.position
    statut, texte = deposer(porte, formulaire(porte) | {CASE: "douze mille"})
    assert statut == 422
    assert "« douze mille » n’est pas un montant" in texte
    recue = porte.http.post(
        "/plie/A/previsions", data=formulaire(porte) | {CASE: "douze mille"}, headers=DIRECTEUR
    ).text
    assert f'id="{CASE}-defaut"' in recue
    assert 'value="douze mille"' in recue
    assert porte.position == avant


def test_what_somebody_else_foresaw_meanwhile_is_not_covered(porte: Porte) -> None:
    ancien = formulaire(porte) | {CASE: "777,00"}
    assert deposer(porte, formulaire(porte) | {CASE: "555,00"})[0] == 303
    statut, texte = deposer(porte, ancien)
    assert statut == 409
    attendu = str(PrevisionsDepassees(acteur="directeur-a")).replace("\u00a0", " ")
    assert attendu in texte.replace("\u00a0", " ")
    # What was typed is kept, on the page as it is now: sent again, it is accepted.
    assert deposer(porte, formulaire(porte) | {CASE: "777,00"})[0] == 303


def test_a_forecast_is_not_withdrawn_but_set_to_nothing() -> None:
    le = today()
    with pytest.raises(SaisieRefusee) as refus:
        lire_grille({CASE: ""}, {CASE: "12"}, le)
    assert refus.value.defauts[0].champ == CASE
    assert lire_grille({CASE: "0"}, {CASE: "12"}, le)[0]["montant"] == "0.00"
    assert lire_grille({CASE: "1\u202f200 €"}, {CASE: "1\u00a0200"}, le) == []
    assert lire_grille({"prevu-2019-1-fse_certifie": "5"}, {}, le) == [], "over long ago"


def test_who_does_not_foresee_reads(porte: Porte) -> None:
    role = {"OI-Role": "auditeur", "OI-Acteur": "auditeur-1"}
    recue = porte.http.get("/plie/A", headers=role)
    assert "Déposer les prévisions" not in lire(recue.text)
    assert porte.http.post("/plie/A/previsions", data={}, headers=role).status_code == 403


# --- The trial of a transfer ---------------------------------------------------------------------

LIGNE = "2021|3|OS1|parcours"


def essayer(porte: Porte, **champs: str) -> tuple[int, str]:
    saisis = {"ligne": LIGNE, "de": "B", "vers": "A", "fse": "1 000", "le": "2022-06-01"} | champs
    recue = porte.http.post("/maquette/transfert", data=saisis)
    return recue.status_code, recue.text


def test_a_trial_shows_both_sides_and_records_nothing(porte: Porte) -> None:
    avant = porte.position
    statut, texte = essayer(porte)
    assert statut == 200
    lu = lire(texte)
    assert "Ce transfert serait accepté ; rien n’est enregistré" in lu
    assert re.search(r"PLIE A change 200 000,00 € 201 000,00 €", lu)
    assert re.search(r"PLIE B change 150 000,00 € 149 000,00 €", lu)
    assert porte.position == avant
    [lien] = re.findall(r'href="(/actes/decider_transfert/[^"]+)"', texte)
    demande = html.unescape(lien)
    assert UUID(demande.split("/")[3].partition("?")[0]) == porte.vie.id("SG")
    assert "de.plie_id=B" in demande
    assert "fse=1000.00" in demande
    assert porte.http.get(demande).status_code == 200


def test_a_trial_says_the_rule_that_refuses(porte: Porte) -> None:
    statut, texte = essayer(porte, fse="140 000")
    assert statut == 200
    assert "Ce transfert serait refusé" in lire(texte)
    assert "/actes/decider_transfert/" not in texte
    assert 'value="140 000"' in texte, "what was typed is kept"


def test_a_form_that_cannot_be_read_says_each_defect(porte: Porte) -> None:
    statut, texte = essayer(porte, ligne="", de="x", vers="", fse="mille", le="hier")
    assert statut == 422
    lu = lire(texte)
    for dit in (
        "Choisissez la ligne de la maquette",
        "Choisissez qui donne",
        "Choisissez qui reçoit",
        "« mille » n’est pas un montant",
        "« hier » n’est pas un jour",
    ):
        assert dit in lu


@pytest.mark.parametrize(
    ("acte", "attendus"),
    [
        ("decider_transfert", ["PLIE A", "Réserve de l’OI", "Disponible, PLIE B"]),
        ("notifier_enveloppe", ["PLIE B", "OS1"]),
        ("constituer_reserve", ["OS1"]),
        ("ouvrir_tranche", ["FSE de la convention", "400 000,00 €"]),
        ("fixer_objectif_certification", ["Certifié à ce jour", "30 000,00 €"]),
        ("deposer_previsions_plie", ["PLIE A", "Certifié"]),
        ("signer_avenant_subvention_globale", ["FSE en vigueur"]),
        ("publier_appel_a_projets", ["PLIE A"]),
    ],
)
def test_acts_on_the_grant_know_it(porte: Porte, acte: str, attendus: list[str]) -> None:
    texte = porte.page(f"/actes/{acte}/{porte.vie.id('SG')}")
    assert f"Subvention globale {porte.vie.maquette().numero}" in texte
    for attendu in attendus:
        assert attendu in texte, attendu


def test_files_of_what_is_shown(porte: Porte) -> None:
    recue = porte.http.get("/maquette?au=2022-06-01").text
    [table, *_] = re.findall(r'href="(/exports/maquette[^"]+)" download', recue)
    assert "effet_au=2022-06-01" in html.unescape(table)
    assert porte.http.get(html.unescape(table)).status_code == 200


def test_a_proposal_fills_the_form(porte: Porte) -> None:
    texte = porte.http.get(f"/maquette/transfert?ligne={LIGNE}&de=B&vers=A&fse=25.00").text
    assert re.search(r'value="B" selected', texte)
    assert "Disponible sur cette ligne" in lire(texte)


# --- Where it leads ------------------------------------------------------------------------------


def liens(texte: str) -> list[str]:
    """Return the addresses that the middle of a page leads to."""
    return [html.unescape(x) for x in re.findall(r'href="(/[^"]+)"', texte.split("<main")[1])]


@pytest.mark.parametrize("adresse", ["/maquette/a-faire", "/plie/B"])
def test_what_a_past_situation_leads_to_is_of_the_same_day(porte: Porte, adresse: str) -> None:
    texte = porte.http.get(f"{adresse}?au=2023-06-01").text
    menes = [
        lien
        for lien in liens(texte)
        if lien.startswith(("/dossiers", "/controles", "/paiements", "/operations", "/provenance"))
    ]
    assert menes
    assert [lien for lien in menes if "au=2023-06-01" not in lien] == []


def test_what_is_not_covered_is_listed_line_by_line(porte: Porte) -> None:
    texte = porte.http.get("/maquette/a-faire").text
    manques = texte.partition("Contreparties attendues et non couvertes")[2].partition("</li>")[0]
    dossiers = re.findall(r'href="/dossiers/([^"]+)"', manques)
    assert dossiers == ["A1", "A2", "B1"]
    assert "1 financeur à relancer" in lire(manques), "the same for the three"


def test_late_controls_lead_to_those_that_are_late(porte: Porte) -> None:
    texte = porte.http.get("/maquette").text
    [lien] = [x for x in liens(texte) if x.startswith("/controles?retard=oui")]
    liste = lire(porte.http.get(lien).text)
    assert "1 bilan sur le chemin du contrôle, dont 1 au-delà du délai de paiement" in liste
