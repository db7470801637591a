"""What somebody who wants in tries, at the real doors, with real accounts.

What is already refused elsewhere is not tried again here: docs/securite.md says where.
"""

import base64
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from comptes_joues import PHRASE, Maison, Telephone
from fastapi.routing import iter_route_contexts
from httpx2 import Response
from portes import Visiteur, application, personne, visite
from psycopg import sql

from api.porte import COOKIE_TLS
from oi_service.ids import new_id

ATTENTE = f"{COOKIE_TLS}-attente"


@pytest.fixture
def admin(maison: Maison) -> Iterator[Visiteur]:
    with personne(maison, "administrateur-1", "administrateur", facteur=True) as visiteur:
        yield visiteur


def position(maison: Maison) -> int:
    with maison.service.journal.pool.connection() as conn:
        row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    return int(row[0])


def envoyer(qui: Visiteur, chemin: str, entetes: dict[str, str], **corps: Any) -> Response:
    """Send a command of the JSON door with more headers than its own."""
    tous = {"Idempotency-Key": str(new_id()), **entetes}
    return qui.http.post(f"/api/v1{chemin}", json=corps, headers=tous)


def en_meme_temps(*actes: Callable[[], Any]) -> list[Any]:
    """Do acts at once; return what each gave, in their order."""
    barriere, faits = threading.Barrier(len(actes)), [None] * len(actes)

    def faire(rang: int, acte: Callable[[], Any]) -> None:
        barriere.wait()
        faits[rang] = acte()

    fils = [threading.Thread(target=faire, args=paire) for paire in enumerate(actes)]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join()
    return faits


# --- Pretending to be another ---------------------------------------------------------------------

#: What proxies and frameworks elsewhere believe, and nobody here.
PRETENTIONS = (
    {"OI-Acteur": "administrateur-1"},
    {"X-Forwarded-User": "administrateur-1", "Remote-User": "administrateur-1"},
    {"X-Original-URL": "/api/v1/session", "X-Rewrite-URL": "/api/v1/session"},
    {"X-HTTP-Method-Override": "GET", "X-Method-Override": "GET"},
    {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"},
    {"Authorization": "Basic YWRtaW5pc3RyYXRldXItMTp4"},
)


def test_what_a_request_says_of_itself_opens_nothing(maison: Maison) -> None:
    maison.compte("administrateur-1", "administrateur")
    with visite(maison) as inconnu, personne(maison, "gestionnaire-1") as agent:
        for dits in PRETENTIONS:
            assert inconnu.lire("/api/v1/comptes", headers=dits).status_code == 401, dits
            assert agent.lire("/api/v1/comptes", headers=dits).status_code == 403, dits
            ouverture = envoyer(agent, "/comptes", dits, nom="X", courriel="x@oi.example")
            assert ouverture.status_code == 403, dits
            session = agent.lire("/api/v1/session", headers=dits).json()
            assert session["identifiant"] == "gestionnaire-1", dits


def test_a_role_is_chosen_among_those_held(maison: Maison) -> None:
    with personne(maison, "gestionnaire-1") as agent:
        for role in ("administrateur", "ordonnateur_oi", "systeme", "sans_role", "", "é" * 300):
            en_tete = {b"OI-Role": role.encode()}
            for chemin in ("/api/v1/comptes", "/api/v1/operations"):
                refus = agent.http.get(chemin, headers=en_tete)
                assert refus.status_code == 403, (role, chemin)
                assert refus.json()["code"] == "role_non_tenu"


def test_an_act_bears_the_name_of_the_session(admin: Visiteur, maison: Maison) -> None:
    maison.compte("administrateur-2", "administrateur")
    depart = position(maison)
    saisie = {"nom": "Agent fictif", "courriel": "neuf@oi.example", "date_effet": "2026-03-02"}
    ouvert = envoyer(admin, "/comptes", {"OI-Acteur": "administrateur-2"}, **saisie)
    assert ouvert.status_code == 201
    with maison.service.journal.pool.connection() as conn:
        acteurs = conn.execute(
            "SELECT DISTINCT acteur FROM oi.event WHERE position > %s", (depart,)
        ).fetchall()
    assert acteurs == [("administrateur-1",)]
    # Nor is it taken from a body, where it would be one more field.
    for champ in ("acteur", "role", "plies", "identifiant"):
        de_plus = {**saisie, "courriel": "autre@oi.example", champ: "administrateur-2"}
        assert admin.demander("/comptes", de_plus).status_code == 422, champ


def test_no_spelling_of_an_address_goes_around_its_rule(maison: Maison) -> None:
    with personne(maison, "gestionnaire-1") as agent:
        assert agent.lire("/api/v1/comptes").status_code == 403
        for chemin in (
            "/api/v1/comptes/",
            "/api/v1//comptes",
            "//api/v1/comptes",
            "/API/V1/COMPTES",
            "/api/v1/./comptes",
            "/api/v1/sante/../comptes",
            "/sante/vivant/%2e%2e/%2e%2e/api/v1/comptes",
            "/static/..%2fapi/v1/comptes",
            "/api/v1/comptes;a=b",
            "/api/v1/comptes%00",
            "/api/v1/comptes%20",
            "/api/v1/comptes?OI-Role=administrateur",
        ):
            for methode in ("GET", "HEAD"):
                reponse = agent.http.request(methode, chemin)
                assert not reponse.is_success, (methode, chemin)


# --- Proofs used for what they are not ------------------------------------------------------------


def test_a_proof_opens_only_what_it_was_made_for(maison: Maison) -> None:
    courriel = maison.compte("gestionnaire-1")
    telephone = maison.installer(courriel)
    with visite(maison) as agent:
        agent.envoyer("/connexion", courriel=courriel, mot_de_passe=PHRASE)
        attente = agent.http.cookies[ATTENTE]
        agent.telephone = telephone
        agent.entrer(courriel)
        session = str(agent.jeton)
        demande = {"nom": "Essai", "roles": ["gestionnaire_oi"], "jours": 30}
        jeton = agent.http.post("/api/v1/jetons", json=demande).json()["jeton"]
    with visite(maison) as voleur:
        for nom, valeur in (
            # The right password alone, shown as a session, then as a token.
            ("Cookie", f"{COOKIE_TLS}={attente}"),
            ("Authorization", f"Bearer {attente}"),
            # A session shown as a token, a token shown as a session.
            ("Authorization", f"Bearer {session}"),
            ("Cookie", f"{COOKIE_TLS}={jeton}"),
            ("Cookie", f"{ATTENTE}={session}"),
        ):
            vu = voleur.lire("/api/v1/session", headers={nom: valeur})
            assert vu.status_code == 401, (nom, valeur)
        # A token in an address or in a form stays in logs and histories: it is not read there.
        assert voleur.lire(f"/api/v1/session?access_token={jeton}").status_code == 401
        assert voleur.envoyer("/api/v1/session/fermeture", access_token=jeton).status_code == 401


def test_of_two_proofs_the_token_counts_and_a_wrong_one_is_not_forgiven(maison: Maison) -> None:
    with personne(maison, "gestionnaire-1") as agent:
        demande = {
            "nom": "Lecture",
            "roles": ["gestionnaire_oi"],
            "jours": 30,
            "lecture_seule": True,
        }
        jeton = agent.http.post("/api/v1/jetons", json=demande).json()["jeton"]
        lecture = {"Authorization": f"Bearer {jeton}"}
        assert agent.lire("/api/v1/session", headers=lecture).json()["moyen"] == "jeton"
        refus = envoyer(agent, f"/operations/{new_id()}/instruction", lecture)
        assert (refus.status_code, refus.json()["code"]) == (403, "lecture_seule")
        faux = agent.lire("/api/v1/session", headers={"Authorization": f"Bearer {jeton}x"})
        assert (faux.status_code, faux.json()["code"]) == (401, "jeton_refuse")


def test_nothing_that_the_database_holds_is_a_proof(maison: Maison, base: str) -> None:
    """Whoever reads the whole schema of accesses shows it at the door, value by value."""
    courriel = maison.compte("gestionnaire-1")
    with visite(maison) as agent:
        agent.telephone = maison.installer(courriel)
        agent.entrer(courriel)
        demande = {"nom": "Essai", "roles": ["gestionnaire_oi"], "jours": 30}
        assert agent.http.post("/api/v1/jetons", json=demande).status_code == 201
    maison.acces.reactiver("gestionnaire-1")
    volees = _valeurs_des_acces(base)
    assert len(volees) > 60
    with visite(maison) as voleur:
        for vole in volees:
            for nom, valeur in (
                ("Cookie", f"{COOKIE_TLS}={vole}"),
                ("Authorization", f"Bearer {vole}"),
                ("Authorization", f"Bearer oi_{vole}"),
            ):
                en_tete = {nom.encode(): valeur.encode()}
                vu = voleur.http.get("/api/v1/session", headers=en_tete)
                assert vu.status_code == 401, vole


def _valeurs_des_acces(base: str) -> set[str]:
    with psycopg.connect(base) as conn:
        tables = conn.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'acces'"
        ).fetchall()
        rows = [
            row
            for (table,) in tables
            for row in conn.execute(
                sql.SQL("SELECT * FROM {}").format(sql.Identifier("acces", table))
            )
        ]
    volees = set()
    for valeur in (v for row in rows for v in row if v is not None):
        if isinstance(valeur, bytes):
            volees |= {valeur.hex(), base64.urlsafe_b64encode(valeur).decode().rstrip("=")}
        else:
            volees.add(str(valeur))
    return volees


def test_a_token_is_not_revoked_by_another(admin: Visiteur, maison: Maison) -> None:
    with personne(maison, "gestionnaire-1") as agent:
        demande = {"nom": "Essai", "roles": ["gestionnaire_oi"], "jours": 30}
        jeton = agent.http.post("/api/v1/jetons", json=demande).json()["jeton"]
        [connu] = agent.lire("/api/v1/jetons").json()
        refus = admin.demander(f"/jetons/{connu['id']}/revocation")
        assert (refus.status_code, refus.json()["code"]) == (404, "jeton_absent")
        porteur = {"Authorization": f"Bearer {jeton}"}
        assert agent.lire("/api/v1/session", headers=porteur).status_code == 200


# --- What serves once -----------------------------------------------------------------------------


def test_a_code_seen_over_a_shoulder_serves_nobody_else(maison: Maison) -> None:
    courriel = maison.compte("valideur-1", "valideur_oi")
    telephone = maison.installer(courriel)
    with visite(maison) as agent, visite(maison) as voleur:
        for navigateur in (agent, voleur):
            navigateur.envoyer("/connexion", courriel=courriel, mot_de_passe=PHRASE)
        code = telephone.neuf()
        assert agent.envoyer("/connexion/code", code=code).status_code == 303
        assert voleur.envoyer("/connexion/code", code=code).status_code == 401
        assert voleur.jeton is None
        assert agent.envoyer("/renforcement", code=code).status_code == 403


def test_of_two_browsers_that_give_a_code_at_once_one_comes_in(maison: Maison) -> None:
    courriel = maison.compte("valideur-1", "valideur_oi")
    telephone = maison.installer(courriel)
    for _ in range(3):
        _entrer_a_deux(maison, courriel, telephone)


def _entrer_a_deux(maison: Maison, courriel: str, telephone: Telephone) -> None:
    with visite(maison) as un, visite(maison) as deux:
        for navigateur in (un, deux):
            navigateur.envoyer("/connexion", courriel=courriel, mot_de_passe=PHRASE)
        code = telephone.neuf()
        donnes = en_meme_temps(
            *(lambda n=n: n.envoyer("/connexion/code", code=code) for n in (un, deux))
        )
        assert sorted(reponse.status_code for reponse in donnes) == [303, 401]
        assert [un.jeton, deux.jeton].count(None) == 1


def test_a_form_sent_twice_at_once_is_one_act(admin: Visiteur, maison: Maison) -> None:
    maison.compte("gestionnaire-1")
    depart = position(maison)
    role = {"cle": str(new_id()), "version": "2", "role": "comptable_oi", "du": "2026-03-02"}
    envois = en_meme_temps(
        *[lambda: admin.envoyer("/administration/comptes/gestionnaire-1/roles", **role)] * 4
    )
    assert {reponse.status_code for reponse in envois} == {303}
    assert position(maison) == depart + 1
    assert len(admin.lire("/api/v1/comptes/gestionnaire-1").json()["roles"]) == 2


def test_a_new_password_does_not_go_around_the_second_factor(maison: Maison) -> None:
    courriel = maison.compte("valideur-1", "valideur_oi")
    maison.installer(courriel)
    code = maison.acces.reactiver("valideur-1", par="administrateur-0")
    neuf = "une tout autre phrase"
    with visite(maison) as voleur:
        active = voleur.envoyer(
            "/activation", courriel=courriel, code=code, mot_de_passe=neuf, confirmation=neuf
        )
        assert active.status_code == 303, active.text
        assert voleur.jeton is None
        entree = voleur.envoyer("/connexion", courriel=courriel, mot_de_passe=neuf)
        assert entree.headers["location"].startswith("/connexion/code")
        assert voleur.jeton is None
        assert voleur.lire("/compte").status_code == 303


# --- Made to do it by another site ----------------------------------------------------------------


def test_no_writing_is_done_for_another_site(admin: Visiteur, maison: Maison) -> None:
    """A whole session, second factor fresh: at every address, what comes from there is refused."""
    depart = position(maison)
    venu = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    essayees = 0
    for contexte in iter_route_contexts(application(maison).routes):
        for methode in sorted((contexte.methods or set()) - {"GET", "HEAD"}):
            chemin = str(contexte.path).replace("{", "").replace("}", "")
            refus = admin.http.request(methode, chemin, headers=venu)
            assert (refus.status_code, refus.json()["code"]) == (403, "origine_etrangere"), chemin
            essayees += 1
    assert essayees > 100
    assert position(maison) == depart
    assert admin.lire("/api/v1/session").status_code == 200
