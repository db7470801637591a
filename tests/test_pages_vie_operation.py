"""A whole life in the pages: each act is a link of the dossier, a form, and back to the dossier."""

import re
from collections.abc import Iterator
from datetime import date
from html import unescape

import pytest
from fastapi.testclient import TestClient
from formulaires import FormulaireLu, formulaires
from portier import PortierDEssai
from vie import Vie

from api.app import create_app
from oi_service.application import Service
from oi_service.ids import convention_of
from projections.journal import lire_flux
from projections.perimetre import OI_ENTIER

GESTIONNAIRE = {"OI-Acteur": "gestionnaire-1", "OI-Role": "gestionnaire_oi"}
VALIDEUR = {"OI-Acteur": "valideur-1", "OI-Role": "valideur_oi"}
ORDONNATEUR = {"OI-Acteur": "ordonnateur-1", "OI-Role": "ordonnateur_oi"}
COMPTABLE = {"OI-Acteur": "comptable-1", "OI-Role": "comptable_oi"}
AUDITEUR = {"OI-Acteur": "auditeur-1", "OI-Role": "auditeur"}
NUMERO = "202100042"


class Personne:
    """Somebody in front of the pages, without any script."""

    def __init__(self, client: TestClient, qui: dict[str, str]) -> None:
        self.client = client
        self.qui = qui

    def lire(self, chemin: str) -> str:
        answer = self.client.get(chemin, headers=self.qui)
        assert answer.status_code == 200, (chemin, answer.text[:2000])
        return answer.text

    def actes(self) -> dict[str, str]:
        """The acts that the dossier offers: the address of each form, by its title."""
        html = self.lire(f"/dossiers/{NUMERO}")
        found = re.search(r'id="a-faire".*?</section>', html, re.DOTALL)
        if found is None:
            return {}
        liens = re.findall(r'<a [^>]*href="([^"]+)"[^>]*>([^<]+)</a>', found[0])
        return {unescape(titre): unescape(lien) for lien, titre in liens}

    def formulaire(self, chemin: str) -> FormulaireLu:
        """The form of an act."""
        [lu] = [f for f in formulaires(self.lire(chemin)) if "/actes/" in f.action]
        return lu

    def faire(self, titre: str, le: str, **saisis: str) -> None:
        """Follow the link of an act, fill its form, send it, and come back to the dossier."""
        actes = self.actes()
        assert titre in actes, sorted(actes)
        self.envoyer(actes[titre], date_effet=le, **saisis)

    def envoyer(self, chemin: str, **saisis: str) -> None:
        """Fill a form and send it."""
        lu = self.formulaire(chemin)
        answer = self.client.post(
            lu.action, data=lu.remplir(**saisis), headers=self.qui, follow_redirects=False
        )
        assert answer.status_code == 303, re.findall(
            r'class="alerte.*?</div>', answer.text, re.DOTALL
        )
        suite = self.lire(answer.headers["location"])
        assert "C’est enregistré" in suite


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    vie = Vie(service)
    vie.subvention(fse_total="900000.00")
    vie.tranche("300000.00", "300000.00")
    vie.enveloppe("A", "120000.00")
    vie.appel()
    with TestClient(create_app(service, PortierDEssai())) as made:
        yield made


def statut(client: TestClient) -> str:
    html = client.get(f"/dossiers/{NUMERO}", headers=GESTIONNAIRE).text
    found = re.search(r'<p class="etat"><span class="[^"]+">([^<]+)</span>', html)
    assert found is not None
    return unescape(found[1])


def test_a_life_from_the_deposit_to_the_convention_is_played_in_the_pages(
    client: TestClient, service: Service
) -> None:
    gestionnaire, valideur = Personne(client, GESTIONNAIRE), Personne(client, VALIDEUR)
    ordonnateur = Personne(client, ORDONNATEUR)
    choix = gestionnaire.lire("/operations/nouvelle")
    found = re.search(r'href="(/actes/deposer_dossier[^"]+)"', choix)
    assert found is not None
    # A line of funding is asked for, then everything is sent.
    lu = gestionnaire.formulaire(unescape(found[1]))
    saisis = {
        "date_effet": "2021-12-15",
        "numero_mdfse": NUMERO,
        "beneficiaire__siret": "732 829 320 00074",
        "beneficiaire__nom": "Bénéficiaire fictif n° 42",
        "beneficiaire__type": "association",
        "intitule": "Chantier école",
        "objet": "Accompagner des participants",
        "plan__postes__0__code": "personnel",
        "plan__postes__0__montant": "100 000,00",
        "plan__fse": "50000",
    }
    plus = client.post(
        lu.action,
        data=lu.remplir(**saisis) | {"_ajouter": ["plan.ressources"]},
        headers=GESTIONNAIRE,
    )
    [lu] = [f for f in formulaires(plus.text) if "/actes/" in f.action]
    envoi = lu.remplir(
        plan__ressources__0__type="publique_epci",
        plan__ressources__0__financeur="EPCI fictif",
        plan__ressources__0__montant="40000",
    )
    # Ten thousand euros are missing: the plan says so, and nothing of it is lost.
    refusee = client.post(lu.action, data=envoi, headers=GESTIONNAIRE, follow_redirects=False)
    assert refusee.status_code == 409
    assert "un écart de 10\u202f000,00\u00a0€" in unescape(refusee.text)
    [lu] = [f for f in formulaires(refusee.text) if "/actes/" in f.action]
    deposee = client.post(
        lu.action,
        data=lu.remplir(plan__ressources__0__montant="50000"),
        headers=GESTIONNAIRE,
        follow_redirects=False,
    )
    assert deposee.status_code == 303, deposee.text[:3000]
    # What was just made is what one goes on with.
    assert deposee.headers["location"] == f"/dossiers/{NUMERO}?fait=deposer_dossier"
    assert statut(client) == "Déposé"

    gestionnaire.faire(
        "Demander des compléments", "2021-12-16", pieces_attendues="RIB", echeance="2022-01-15"
    )
    gestionnaire.faire("Recevoir des compléments", "2021-12-17", pieces_recues="RIB")
    gestionnaire.faire("Prononcer la recevabilité", "2021-12-18")
    gestionnaire.faire("Ouvrir l’instruction", "2021-12-18")
    # The plan of the deposit is there: only what the instruction changes is typed.
    gestionnaire.faire(
        "Instruire le plan de financement",
        "2021-12-20",
        plan__fse="48 000,00",
        plan__ressources__0__montant="52 000,00",
    )
    # Whoever instructed reads whose turn it is.
    assert "Valider le rapport d’instruction" not in gestionnaire.actes()
    assert "revient au rôle valideur de l’OI" in gestionnaire.lire(f"/dossiers/{NUMERO}")
    valideur.faire(
        "Valider le rapport d’instruction", "2021-12-21", avis="favorable", synthese="Conforme"
    )
    assert statut(client) == "Instruit, avis favorable"
    assert gestionnaire.actes()["Passer en séance de comité"] == "/comite"
    gestionnaire.faire("Rendre l’avis du PLIE", "2021-12-22", avis="favorable")
    gestionnaire.faire("Programmer l’opération", "2022-01-20", pv_ref="PV-1")
    gestionnaire.faire("Notifier la décision", "2022-01-21")
    assert statut(client) == "Programmé"
    ordonnateur.faire("Signer la convention", "2022-01-25", signataires="OI\nBénéficiaire")
    gestionnaire.faire("Notifier la convention", "2022-01-26")
    assert statut(client) == "Conventionné"

    with service.reads.connection() as conn:
        row = conn.execute("SELECT id FROM projection.operation").fetchone()
        assert row is not None
        flux = lire_flux(conn, OI_ENTIER, [row[0], convention_of(row[0])])
    signee = flux[convention_of(row[0])][0].fait
    assert signee.fse_max_centimes == 48_000_00  # type: ignore[attr-defined]
    assert signee.numero == NUMERO  # type: ignore[attr-defined]
    # One year: a single bilan, at the latest six months after its end.
    [bilan] = signee.bilans_prevus  # type: ignore[attr-defined]
    assert (bilan.type, bilan.date_limite.isoformat()) == ("final", "2022-06-30")


@pytest.fixture
def demarree(client: TestClient, service: Service) -> TestClient:
    """An operation that began before its period ends, so that an avenant may be signed."""
    Vie(service).jusqu_au_demarrage(NUMERO, instruite_le=date(2021, 12, 18))
    return client


def test_an_avenant_is_asked_as_a_difference(demarree: TestClient, service: Service) -> None:
    gestionnaire = Personne(demarree, GESTIONNAIRE)
    ordonnateur = Personne(demarree, ORDONNATEUR)
    lu = gestionnaire.formulaire(gestionnaire.actes()["Demander un avenant"])
    prefilled = dict(lu.champs)
    assert prefilled["numero"] == "1"
    assert prefilled["periode.fin"] == "2021-12-31"
    assert prefilled["plan.fse"].replace("\u00a0", " ") == "50 000,00"
    # Nothing changed: there is nothing to ask.
    rien = demarree.post(
        lu.action,
        data=lu.remplir(date_effet="2021-12-20", motif="Rien"),
        headers=GESTIONNAIRE,
        follow_redirects=False,
    )
    assert rien.status_code == 409
    gestionnaire.faire(
        "Demander un avenant",
        "2021-12-20",
        motif="Deux entrées de plus",
        plan__fse="55 000,00",
        plan__ressources__0__montant="45 000,00",
    )
    with service.reads.connection() as conn:
        [demande] = conn.execute(
            "SELECT data -> 'apres' FROM oi.event WHERE name = 'convention.avenant_demande.v1'"
        ).fetchall()
    # Only the plan is asked for: the object and the period are not of this avenant.
    assert {nom for nom, valeur in demande[0].items() if valeur is not None} == {"plan"}
    html = unescape(gestionnaire.lire(f"/dossiers/{NUMERO}"))
    avenant = html[html.index('id="avenant-1"') : html.index('id="depenses"')]
    assert "50\u202f000,00\u00a0€" in avenant or "50\u00a0000,00\u00a0€" in avenant
    assert "55\u202f000,00\u00a0€" in avenant or "55\u00a0000,00\u00a0€" in avenant
    gestionnaire.faire("Programmer l’avenant", "2021-12-21", pv_ref="PV-2")
    ordonnateur.faire("Signer l’avenant", "2021-12-22")
    assert "Avenant n°\u00a01" in unescape(gestionnaire.lire(f"/dossiers/{NUMERO}"))
    # Once signed, the next one may be asked.
    assert "Demander un avenant" in gestionnaire.actes()


def test_the_end_of_a_life_is_offered_when_its_time_comes(
    demarree: TestClient, service: Service
) -> None:
    vie, gestionnaire = Vie(service), Personne(demarree, GESTIONNAIRE)
    gestionnaire.faire("Renseigner un indicateur", "2021-12-30", indicateur="1", realise="36")
    html = unescape(gestionnaire.lire(f"/dossiers/{NUMERO}"))
    assert "renseigné à 36" in html
    # The period is over today.
    lu = gestionnaire.formulaire(gestionnaire.actes()["Constater la fin de réalisation"])
    assert dict(lu.champs)["date_effet"] == "2022-01-01"
    gestionnaire.faire("Constater la fin de réalisation", "2022-01-01")
    vie.bilan(NUMERO, ["60000.00", "40000.00"])
    assert "Ouvrir le contrôle de service fait" in gestionnaire.actes() or (
        "Juger le bilan recevable" in gestionnaire.actes()
    )
    vie.controle(NUMERO)
    vie.paiement(NUMERO, "50000.00", type="solde")
    gestionnaire.faire("Solder l’opération", "2022-12-01")
    assert "Clôturer l’opération" in gestionnaire.actes()


def test_the_past_and_those_who_only_read_are_offered_nothing(demarree: TestClient) -> None:
    auditeur = Personne(demarree, AUDITEUR)
    assert set(auditeur.actes()) == set()
    passe = demarree.get(f"/dossiers/{NUMERO}?connu_le=9", headers=GESTIONNAIRE)
    assert 'id="a-faire"' not in passe.text


def test_the_history_is_kept_by_act_and_by_person(demarree: TestClient) -> None:
    gestionnaire = Personne(demarree, GESTIONNAIRE)
    tout = gestionnaire.lire(f"/dossiers/{NUMERO}")
    programmation = gestionnaire.lire(f"/dossiers/{NUMERO}?sujet=programmation")
    assert tout.count('class="ligne hors-filtre"') == 0
    montrees = re.findall(r'<li class="ligne">.*?</li>\s*</ul>', programmation, re.DOTALL)
    assert montrees
    assert all("rogramm" in ligne for ligne in montrees)
    # What is kept out is still there for the links that lead to it.
    assert programmation.count("evenement-") == tout.count("evenement-")
    assert "Toute l’histoire" in programmation
    # A code that does not exist asks for nothing.
    assert "hors-filtre" not in gestionnaire.lire(f"/dossiers/{NUMERO}?sujet=inconnu")


def test_each_act_leads_to_the_dossier_as_it_was_just_after(demarree: TestClient) -> None:
    gestionnaire = Personne(demarree, GESTIONNAIRE)
    html = gestionnaire.lire(f"/dossiers/{NUMERO}")
    rejouer = re.findall(r'class="rejouer" href="(\?connu_le=\d+)"', html)
    assert len(rejouer) > 5
    alors = gestionnaire.lire(f"/dossiers/{NUMERO}{rejouer[1]}")
    assert '<span class="marque marque-information">Recevable</span>' in alors
