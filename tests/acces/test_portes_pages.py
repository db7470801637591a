"""The pages by which persons come in, look after their account, and administer the others."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from comptes_joues import PHRASE, Maison
from fastapi.routing import iter_route_contexts
from httpx2 import Response
from hypothesis import given
from hypothesis import strategies as st
from portes import Visiteur, application, personne, visite

from aggregates.compte.state import CompteAbsent
from api.pages.compte import appareil
from api.pages.formulaires import suite_locale
from api.porte import COOKIE_LOCAL, COOKIE_TLS
from oi_service.ids import new_id

FAUX = "Le courriel, le mot de passe ou le code ne convient pas."


@pytest.fixture
def admin(maison: Maison) -> Iterator[Visiteur]:
    with personne(maison, "administrateur-1", "administrateur", facteur=True) as visiteur:
        yield visiteur


def biscuits(reponse: Response) -> list[str]:
    return reponse.headers.get_list("set-cookie")


def champ(page: Response, nom: str) -> str:
    """Return what a form holds."""
    found = re.search(rf'name="{nom}" value="([^"]*)"', page.text)
    assert found is not None, nom
    return found[1]


# --- Coming in -----------------------------------------------------------------------------------


def test_who_is_not_in_is_sent_to_sign_in_and_comes_back(maison: Maison) -> None:
    courriel = maison.compte()
    with visite(maison) as agent:
        renvoi = agent.lire("/maquette?unite=euros")
        assert renvoi.status_code == 303
        lieu = urlsplit(renvoi.headers["location"])
        suite = parse_qs(lieu.query)["suite"][0]
        assert (lieu.path, suite) == ("/connexion", "/maquette?unite=euros")
        assert agent.lire(renvoi.headers["location"]).status_code == 200
        assert agent.entrer(courriel, suite).headers["location"] == suite
        page = agent.lire(suite)
        assert page.status_code == 200
        assert "Agente fictive" in page.text
        assert "gestionnaire de l’OI" in page.text


def test_the_cookie_of_a_session(maison: Maison) -> None:
    courriel = maison.compte()
    with visite(maison) as agent:
        [pose] = [b for b in biscuits(agent.entrer(courriel)) if b.startswith(f"{COOKIE_TLS}=")]
        assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= set(pose.split("; ")[1:])
        assert "domain" not in pose.lower()
    with visite(maison, "http://testserver") as local:
        reponse = local.envoyer("/connexion", courriel=courriel, mot_de_passe=PHRASE)
        [pose] = [b for b in biscuits(reponse) if b.startswith(f"{COOKIE_LOCAL}=")]
        assert "HttpOnly" in pose
        assert "Secure" not in pose
        assert local.lire("/compte").status_code == 200


def test_what_is_wrong_is_never_said(maison: Maison) -> None:
    courriel = maison.compte()
    suspendu = maison.compte("gestionnaire-2")
    maison.suspendre("gestionnaire-2")
    with visite(maison) as inconnu:
        pages = [
            inconnu.envoyer("/connexion", courriel=c, mot_de_passe=m)
            for c, m in (
                (courriel, "une autre phrase entière"),
                ("personne@oi.example", PHRASE),
                (suspendu, PHRASE),
                ("\0", "\0"),
                ("", ""),
            )
        ]
    assert {page.status_code for page in pages} == {401}
    corps = {re.sub(r'value="[^"]*"', "", page.text) for page in pages}
    assert len(corps) == 1
    assert FAUX in pages[0].text
    assert f'value="{courriel}"' in pages[0].text
    assert "une autre phrase" not in pages[0].text
    assert not any(COOKIE_TLS in b for page in pages for b in biscuits(page))


def test_a_second_factor_is_asked_before_anything_opens(maison: Maison) -> None:
    courriel = maison.compte("valideur-1", "valideur_oi")
    telephone = maison.installer(courriel)
    with visite(maison) as agent:
        attend = agent.envoyer("/connexion", courriel=courriel, mot_de_passe=PHRASE)
        assert attend.headers["location"].startswith("/connexion/code")
        assert agent.jeton is None
        attente = agent.http.cookies.get(f"{COOKIE_TLS}-attente")
        assert attente is not None
        # What awaits is no session, even under the name of one.
        refus = agent.lire("/api/v1/session", headers={"Cookie": f"{COOKIE_TLS}={attente}"})
        assert refus.status_code == 401
        faux = agent.envoyer("/connexion/code", code="000000")
        assert (faux.status_code, FAUX in faux.text) == (401, True)
        entree = agent.envoyer("/connexion/code", code=telephone.neuf(), suite="/compte")
        assert entree.headers["location"] == "/compte"
        assert agent.jeton not in {None, attente}
        assert agent.http.cookies.get(f"{COOKIE_TLS}-attente") is None
        assert agent.lire("/compte").status_code == 200


def test_a_recovery_code_serves_once(maison: Maison) -> None:
    courriel = maison.compte("valideur-1", "valideur_oi")
    secours = maison.installer(courriel).secours[0]
    for attendu in (303, 401):
        with visite(maison) as agent:
            agent.envoyer("/connexion", courriel=courriel, mot_de_passe=PHRASE)
            assert agent.envoyer("/connexion/code", code=secours).status_code == attendu


def test_the_code_is_not_asked_to_who_gave_no_password(maison: Maison) -> None:
    with visite(maison) as inconnu:
        for reponse in (
            inconnu.lire("/connexion/code"),
            inconnu.envoyer("/connexion/code", code="123456"),
        ):
            assert (reponse.status_code, reponse.headers["location"]) == (303, "/connexion")


@pytest.mark.parametrize("role", ["ordonnateur_oi", "administrateur"])
def test_roles_that_sign_install_a_second_factor_first(maison: Maison, role: str) -> None:
    with personne(maison, "nouveau-1", role) as agent:
        assert agent.lire("/").headers["location"] == "/compte/second-facteur"
        for chemin in ("/maquette", "/administration/comptes"):
            assert agent.lire(chemin).headers["location"] == "/compte/second-facteur", chemin
        refus = agent.lire("/api/v1/comptes")
        assert (refus.status_code, refus.json()["code"]) == (403, "second_facteur_a_installer")
        assert agent.lire("/compte").status_code == 200
        preparation = agent.envoyer("/compte/second-facteur/preparation")
        assert "<svg" in preparation.text
        found = re.search(r'<code class="secret">([A-Z2-7]+)</code>', preparation.text)
        assert found is not None
        faux = agent.envoyer("/compte/second-facteur", code="000000")
        assert faux.status_code == 403
        assert found[1] not in faux.text
        code = pyotp.TOTP(found[1]).at(maison.horloge.instant)
        avant = agent.jeton
        codes = agent.envoyer("/compte/second-facteur", code=code)
        assert agent.jeton != avant
        assert len(re.findall(r"<li><code>", codes.text)) == 10
        assert agent.lire("/compte").status_code == 200
        assert agent.lire("/api/v1/session").json()["second_facteur_a_installer"] is False


# --- Sessions ------------------------------------------------------------------------------------


def test_a_forged_or_an_old_cookie_opens_nothing(maison: Maison) -> None:
    with personne(maison, "gestionnaire-1") as agent:
        bon = agent.jeton
        assert bon is not None
        forges = [bon[:-1], bon[:-1] + ("A" if bon[-1] != "A" else "B"), "", "é", "a" * 4000]
        for forge in (f.encode() for f in forges):
            refus = agent.http.get(
                "/api/v1/session", headers={b"Cookie": f"{COOKIE_TLS}=".encode() + forge}
            )
            assert refus.status_code == 401, forge
        # The name that any page of a neighbour could set proves nothing over TLS.
        agent.http.cookies.clear()
        assert agent.lire("/compte", headers={"Cookie": f"{COOKIE_LOCAL}={bon}"}).status_code == 303
        assert agent.lire("/compte", headers={"Cookie": f"{COOKIE_TLS}={bon}"}).status_code == 200
        sortie = agent.http.post("/deconnexion", headers={"Cookie": f"{COOKIE_TLS}={bon}"})
        assert sortie.headers["location"] == "/connexion?fait=deconnexion"
        assert any(b.startswith(f'{COOKIE_TLS}=""') for b in biscuits(sortie))
        assert agent.lire("/compte", headers={"Cookie": f"{COOKIE_TLS}={bon}"}).status_code == 303


def test_a_session_is_never_one_that_was_there_before(maison: Maison) -> None:
    courriel = maison.compte()
    with visite(maison) as agent:
        agent.http.cookies.set(COOKIE_TLS, "pose-par-un-autre", domain="testserver.local")
        agent.entrer(courriel)
        premier = agent.jeton
        assert premier not in {None, "pose-par-un-autre"}
        agent.http.post("/connexion", data={"courriel": courriel, "mot_de_passe": PHRASE})
        assert agent.jeton not in {None, premier}
        # Signing in again ends the session of before.
        ancien = agent.lire("/compte", headers={"Cookie": f"{COOKIE_TLS}={premier}"})
        assert ancien.status_code == 303
        assert len(agent.lire("/api/v1/sessions").json()) == 1


def test_no_token_is_ever_in_an_address(maison: Maison) -> None:
    courriel = maison.compte("valideur-1", "valideur_oi")
    telephone = maison.installer(courriel)
    with visite(maison) as agent:
        agent.telephone = telephone
        attend = agent.envoyer("/connexion", courriel=courriel, mot_de_passe=PHRASE)
        attente = agent.http.cookies[f"{COOKIE_TLS}-attente"]
        entree = agent.envoyer("/connexion/code", code=telephone.neuf())
        for lieu in (attend.headers["location"], entree.headers["location"]):
            assert attente not in lieu
            assert str(agent.jeton) not in lieu


def test_a_person_closes_their_other_sessions(maison: Maison) -> None:
    with personne(maison, "gestionnaire-1") as agent, visite(maison) as ailleurs:
        ailleurs.entrer("gestionnaire-1@oi.example")
        page = agent.lire("/compte")
        assert page.text.count("Fermer<span") == 1
        assert agent.envoyer("/compte/sessions/fermeture").status_code == 303
        assert ailleurs.lire("/compte").status_code == 303
        assert agent.lire("/compte?fait=sessions").status_code == 200
        un_autre = agent.envoyer(f"/compte/sessions/{new_id()}/fermeture")
        assert un_autre.headers["location"] == "/compte?fait=session"


def test_who_is_in_does_not_sign_in_again(maison: Maison) -> None:
    with personne(maison, "gestionnaire-1") as agent:
        assert agent.lire("/connexion?suite=/compte").headers["location"] == "/compte"
        assert agent.lire("/connexion?suite=//evil.example").headers["location"] == "/controles"


def test_who_holds_no_role_arrives_at_their_account(maison: Maison) -> None:
    maison.ouvrir_au_journal("sans-role")
    code = maison.acces.enregistrer("sans-role", "sans@oi.example", "Agente fictive")
    maison.acces.activer("sans@oi.example", code, PHRASE)
    with visite(maison) as agent:
        assert agent.entrer("sans@oi.example").headers["location"] == "/compte"
        assert "Aucun rôle" in agent.lire("/compte").text
        assert agent.lire("/").headers["location"] == "/compte"
        refus = agent.lire("/maquette")
        assert (refus.status_code, "Accès réservé" in refus.text) == (403, True)
        assert agent.lire("/compte/jetons/nouveau").status_code == 200


# --- Where to go next ----------------------------------------------------------------------------

AILLEURS = (
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/",
    "https:evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/\n/evil.example",
    "evil.example",
    "/connexion?suite=/maquette",
    "/deconnexion",
    "",
    "é",
    "/" + "a" * 5000,
)


@pytest.mark.parametrize("suite", AILLEURS)
def test_nothing_leads_out_of_the_service(suite: str) -> None:
    assert suite_locale(suite) is None


@given(st.text())
def test_where_one_goes_next_is_always_here(texte: str) -> None:
    for suite in (texte, f"/{texte}", f"//{texte}", f"/\\{texte}"):
        local = suite_locale(suite)
        if local is not None:
            lu = urlsplit(local)
            assert (lu.scheme, lu.netloc) == ("", "")
            assert local[0] == "/"
            assert local[1:2] not in {"/", "\\"}


@pytest.mark.parametrize("suite", AILLEURS[:9])
def test_a_sign_in_never_leads_out(maison: Maison, suite: str) -> None:
    courriel = maison.compte()
    with visite(maison) as agent:
        assert agent.entrer(courriel, suite).headers["location"] == "/controles"


# --- A password ----------------------------------------------------------------------------------


def test_an_account_is_activated_once(maison: Maison) -> None:
    maison.ouvrir_au_journal("neuf", "gestionnaire_oi")
    code = maison.acces.enregistrer("neuf", "neuf@oi.example", "Agent fictif")
    saisie = {"courriel": "neuf@oi.example", "code": code}
    deux = {"mot_de_passe": PHRASE, "confirmation": PHRASE}
    with visite(maison) as agent:
        differents = agent.envoyer("/activation", **saisie, mot_de_passe=PHRASE, confirmation="x")
        assert differents.status_code == 422
        assert 'href="#confirmation"' in differents.text
        court = agent.envoyer("/activation", **saisie, mot_de_passe="x", confirmation="x")
        assert (court.status_code, "au moins 12" in court.text) == (409, True)
        for page in (differents, court):
            assert code not in page.text
            assert PHRASE not in page.text
        fait = agent.envoyer("/activation", **saisie, **deux)
        assert fait.headers["location"] == "/connexion?fait=activation"
        assert agent.envoyer("/activation", **saisie, **deux).status_code == 401
        agent.entrer("neuf@oi.example")


def test_a_password_is_changed_on_the_proof_of_the_old_one(maison: Maison) -> None:
    neuve = "cinq chevaux dans la plaine"
    with personne(maison, "gestionnaire-1") as agent, visite(maison) as ailleurs:
        ailleurs.entrer("gestionnaire-1@oi.example")
        champs = re.findall(r'id="(\w+)" name="\1"', agent.lire("/compte/mot-de-passe").text)
        assert champs == ["ancien", "mot_de_passe", "confirmation"]
        faux = agent.envoyer(
            "/compte/mot-de-passe", ancien="faux", mot_de_passe=neuve, confirmation=neuve
        )
        assert (faux.status_code, 'href="#ancien"' in faux.text) == (422, True)
        fait = agent.envoyer(
            "/compte/mot-de-passe", ancien=PHRASE, mot_de_passe=neuve, confirmation=neuve
        )
        assert fait.headers["location"] == "/compte?fait=mot_de_passe"
        assert agent.lire("/compte").status_code == 200
        assert ailleurs.lire("/compte").status_code == 303


def adresse_de_la_route(maison: Maison, nom: str) -> str:
    """Return an address of a route of the JSON door, on things that do not exist."""
    [chemin] = {
        str(route.path)
        for route in iter_route_contexts(application(maison).routes)
        if route.name == nom
    }
    return re.sub(r"\{\w+\}", lambda _: str(new_id()), chemin.removeprefix("/api/v1"))


# --- A fresh proof -------------------------------------------------------------------------------


def test_a_payment_is_signed_with_a_fresh_code(maison: Maison) -> None:
    with personne(maison, "ordonnateur-1", "ordonnateur_oi", facteur=True) as agent:
        chemin = adresse_de_la_route(maison, "ordonnancer_paiement")
        # Just signed in with the second factor: the route is open, and finds no payment.
        assert agent.acte(chemin, 1).json()["code"] != "renforcement_requis"
        maison.horloge.avancer(minutes=6)
        refus = agent.acte(chemin, 1)
        assert (refus.status_code, refus.json()["code"]) == (403, "renforcement_requis")
        assert agent.telephone is not None
        faux = agent.envoyer("/renforcement", code="000000", suite="/maquette")
        assert faux.status_code == 403
        avant = agent.jeton
        fait = agent.envoyer("/renforcement", code=agent.telephone.neuf(), suite="/maquette")
        assert fait.headers["location"] == "/maquette"
        # The session can do more: it goes on under a token that nobody saw before.
        assert agent.jeton != avant
        ancien = agent.lire("/compte", headers={"Cookie": f"{COOKIE_TLS}={avant}"})
        assert ancien.status_code == 303
        assert agent.acte(chemin, 1).json()["code"] != "renforcement_requis"
        maison.horloge.avancer(minutes=6)
        assert agent.acte(chemin, 1).json()["code"] == "renforcement_requis"


def test_a_second_factor_is_replaced_after_a_fresh_code(admin: Visiteur, maison: Maison) -> None:
    maison.horloge.avancer(minutes=6)
    renvoi = admin.http.post(
        "/compte/second-facteur/preparation",
        headers={"Referer": "https://testserver/compte/second-facteur"},
    )
    assert renvoi.status_code == 303
    assert renvoi.headers["location"] == "/renforcement?suite=%2Fcompte%2Fsecond-facteur"
    ailleurs = admin.http.post(
        "/compte/codes-de-secours", headers={"Referer": "https://testserver.evil.example/x"}
    )
    assert ailleurs.headers["location"] == "/renforcement"
    assert admin.telephone is not None
    admin.envoyer("/renforcement", code=admin.telephone.neuf())
    assert "<svg" in admin.envoyer("/compte/second-facteur/preparation").text
    codes = admin.envoyer("/compte/codes-de-secours")
    assert len(re.findall(r"<li><code>", codes.text)) == 10


# --- Tokens --------------------------------------------------------------------------------------


def test_a_token_is_shown_once(maison: Maison) -> None:
    with personne(maison, "gestionnaire-1") as agent:
        vide = agent.envoyer("/compte/jetons/nouveau", nom="", jours="30")
        assert vide.status_code == 422
        saisie: dict[str, Any] = {"nom": "Export", "roles": ["gestionnaire_oi"], "jours": "30"}
        cree = agent.envoyer("/compte/jetons/nouveau", **saisie)
        found = re.search(r"oi_[\w-]{40,}", cree.text)
        assert found is not None
        page = agent.lire("/compte")
        assert "Export" in page.text
        assert found[0] not in page.text
        jeton = re.search(r"/compte/jetons/([0-9a-f-]{36})/revocation", page.text)
        assert jeton is not None
        agent.envoyer(f"/compte/jetons/{jeton[1]}/revocation")
        entete = {"Authorization": f"Bearer {found[0]}"}
        assert agent.lire("/api/v1/session", headers=entete).status_code == 401


# --- Administration ------------------------------------------------------------------------------


def test_an_account_is_opened_given_a_role_suspended_and_closed(
    admin: Visiteur, maison: Maison
) -> None:
    vide = admin.lire("/administration/comptes/nouveau")
    saisie = {"cle": champ(vide, "cle"), "nom": "Agent fictif", "courriel": "neuf@oi.example"}
    refus = admin.envoyer("/administration/comptes/nouveau", **{**saisie, "courriel": "neuf"})
    assert (refus.status_code, "Agent fictif" in refus.text) == (409, True)
    assert champ(refus, "cle") == saisie["cle"]
    ouvert = admin.envoyer("/administration/comptes/nouveau", **saisie)
    code = re.search(r'<code class="secret">([\w-]+)</code>', ouvert.text)
    lieu = re.search(r"/administration/comptes/agent-\w+", ouvert.text)
    assert code is not None
    assert lieu is not None
    # Loaded again, the page opens no other account and shows no code.
    encore = admin.envoyer("/administration/comptes/nouveau", **saisie)
    assert lieu[0] in encore.text
    assert code[1] not in encore.text
    fiche = admin.lire(lieu[0])
    assert code[1] not in fiche.text
    autre = {**saisie, "nom": "Autre", "courriel": "autre@oi.example"}
    servi = admin.envoyer("/administration/comptes/nouveau", **autre)
    assert (servi.status_code, "a déjà ouvert un compte" in servi.text) == (422, True)
    assert champ(servi, "cle") != saisie["cle"]

    def envoyer(acte: str, **champs: Any) -> Response:
        page = admin.lire(lieu[0])
        return admin.envoyer(
            f"{lieu[0]}/{acte}", cle=champ(page, "cle"), version=champ(page, "version"), **champs
        )

    sans_jour = envoyer("roles", role="gestionnaire_oi", du="")
    assert (sans_jour.status_code, 'href="#du"' in sans_jour.text) == (422, True)
    sans_plie = envoyer("roles", role="directeur_plie", du="2026-03-01")
    assert (sans_plie.status_code, "nommez-les" in sans_plie.text) == (409, True)
    assert "selected" in sans_plie.text
    assert envoyer("roles", role="gestionnaire_oi", du="2026-03-01").status_code == 303
    role = re.search(r"roles/([0-9a-f-]{36})/retrait", admin.lire(lieu[0]).text)
    assert role is not None
    assert envoyer("suspension", motif="").status_code == 422
    assert envoyer("suspension", motif="Départ").status_code == 303
    assert envoyer("retablissement", motif="Retour").status_code == 303
    assert envoyer(f"roles/{role[1]}/retrait", motif="Mutation").status_code == 303
    assert envoyer("fermeture", motif="Départ").status_code == 303
    assert admin.envoyer(f"{lieu[0]}/effacement").status_code == 303
    fiche = admin.lire(lieu[0])
    assert "Agent fictif" not in fiche.text
    for phrase in ("ouvert", "Rôle attribué", "suspendu", "rétabli", "Rôle retiré", "fermé"):
        assert phrase in fiche.text


def test_a_page_seen_too_long_ago_changes_nothing(admin: Visiteur, maison: Maison) -> None:
    maison.compte("gestionnaire-1")
    chemin = "/administration/comptes/gestionnaire-1"
    vue = admin.lire(chemin)
    maison.attribuer("gestionnaire-1", "comptable_oi")
    refus = admin.envoyer(
        f"{chemin}/suspension", cle=champ(vue, "cle"), version=champ(vue, "version"), motif="Essai"
    )
    assert (refus.status_code, "n’est plus à jour" in refus.text) == (412, True)


def test_a_form_that_does_not_say_what_it_saw_changes_nothing(
    admin: Visiteur, maison: Maison
) -> None:
    maison.compte("gestionnaire-1")
    chemin = "/administration/comptes/gestionnaire-1"
    cle = champ(admin.lire(chemin), "cle")
    refus = admin.envoyer(f"{chemin}/suspension", cle=cle, version="", motif="Essai")
    assert (refus.status_code, "vous aviez sous les yeux" in refus.text) == (428, True)
    assert "suspendu" not in admin.lire(chemin).text


def test_a_double_click_is_one_act(admin: Visiteur, maison: Maison) -> None:
    maison.compte("gestionnaire-1")
    chemin = "/administration/comptes/gestionnaire-1"
    vue = admin.lire(chemin)
    saisie = {
        "cle": champ(vue, "cle"),
        "version": champ(vue, "version"),
        "role": "comptable_oi",
        "du": "2026-03-01",
    }
    for _ in range(2):
        assert admin.envoyer(f"{chemin}/roles", **saisie).status_code == 303
    assert len(admin.lire("/api/v1/comptes/gestionnaire-1").json()["roles"]) == 2


def test_an_account_without_access_is_given_one(admin: Visiteur, maison: Maison) -> None:
    maison.ouvrir_au_journal("sans-acces")
    chemin = "/administration/comptes/sans-acces"
    assert "pas d’accès" in admin.lire(chemin).text
    donne = admin.envoyer(f"{chemin}/identite", nom="Agent fictif", courriel="sans@oi.example")
    code = re.search(r'<code class="secret">([\w-]+)</code>', donne.text)
    assert code is not None
    assert maison.acces.activer("sans@oi.example", code[1], PHRASE) == "sans-acces"
    rectifie = admin.envoyer(f"{chemin}/identite", nom="Autre nom", courriel="autre@oi.example")
    assert rectifie.status_code == 303
    assert "Autre nom" in admin.lire("/administration/comptes?recherche=autre").text
    neuf = admin.envoyer(f"{chemin}/reactivation")
    assert 'class="secret"' in neuf.text
    soi = admin.envoyer("/administration/comptes/administrateur-1/reactivation")
    assert soi.status_code == 403


def test_what_does_not_exist_has_a_page_that_says_so(admin: Visiteur) -> None:
    page = admin.lire("/administration/comptes/personne")
    assert page.status_code == 404
    assert str(CompteAbsent()) in page.text
    assert page.headers["content-type"].startswith("text/html")


def test_a_browser_reads_a_page_where_a_program_reads_a_problem(maison: Maison) -> None:
    navigateur = {"Accept": "text/html,application/xhtml+xml"}
    with personne(maison, "gestionnaire-1") as agent:
        page = agent.lire("/rien", headers=navigateur)
        assert (page.status_code, "Adresse inconnue" in page.text) == (404, True)
        assert agent.lire("/rien").json()["code"] == "page_inconnue"
        assert agent.lire("/api/v1/rien", headers=navigateur).json()["code"] == "page_inconnue"
        methode = agent.http.post("/compte", headers=navigateur)
        assert methode.status_code == 405
        assert methode.headers["allow"] == "GET"
        long = agent.lire(f"/connexion?suite={'a' * 5000}", headers=navigateur)
        assert (long.status_code, "Demande mal formée" in long.text) == (422, True)


def test_a_director_sees_their_account_and_their_territory(maison: Maison) -> None:
    maison.ouvrir_au_journal("directeur-2")
    maison.attribuer("directeur-2", "directeur_plie", ("albret",))
    code = maison.acces.enregistrer("directeur-2", "deux@oi.example", "Directrice fictive")
    maison.acces.activer("deux@oi.example", code, PHRASE)
    with visite(maison) as agent:
        agent.entrer("deux@oi.example")
        page = agent.lire("/compte")
        assert page.status_code == 200
        assert "direction du PLIE (albret)" in page.text


def test_each_reads_the_pages_of_their_roles(maison: Maison) -> None:
    with personne(maison, "auditeur-1", "auditeur") as auditeur:
        page = auditeur.lire("/administration/traces?nature=connexion&jour=2026-03-02")
        assert page.status_code == 200
        assert "mot de passe" in page.text
        assert ">Comptes</a>" not in page.text
        refus = auditeur.lire("/administration/comptes")
        assert refus.status_code == 403
        assert "« administrateur »" in refus.text.replace("\u00a0", " ")
        illisible = auditeur.lire("/administration/traces?jour=hier")
        assert illisible.status_code == 422
    with personne(maison, "gestionnaire-1") as agent:
        assert agent.lire("/administration/traces").status_code == 403
        page = agent.lire("/compte")
        assert ">Traces</a>" not in page.text


#: The scripts of the pages are files of the service, and nothing else.
NOTRE_SCRIPT = r'<script src="/static/[^"<>]+" defer>'


def test_what_is_typed_is_shown_as_text(admin: Visiteur, maison: Maison) -> None:
    piege = '"><script>alert(1)</script>{{ 7 * 1234567 }}'
    maison.ouvrir_au_journal("piege")
    maison.acces.enregistrer("piege", "piege@oi.example", piege)
    for chemin in (
        "/administration/comptes",
        "/administration/comptes/piege",
        "/administration/comptes?recherche=%22%3E%3Cscript%3E",
        "/administration/traces?identifiant=%22%3E%3Cscript%3E",
        "/connexion?suite=/%22%3E%3Cscript%3E",
    ):
        page = admin.lire(chemin)
        scripts = re.findall(r"<script[^>]*>", page.text)
        assert all(re.fullmatch(NOTRE_SCRIPT, ecrit) for ecrit in scripts), chemin
        assert "8641969" not in page.text, chemin


# --- Words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agent", "dit"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox, Windows",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0 Safari/537.36 Edg/130.0", "Edge, Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari/604.1", "Safari, iPhone"),
        ("curl/8.0", "curl/8.0"),
        ("", "Appareil inconnu"),
    ],
)
def test_a_device_is_said_in_two_words(agent: str, dit: str) -> None:
    assert appareil(agent) == dit
