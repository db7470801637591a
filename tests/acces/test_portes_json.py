"""The JSON door with the real keeper: sessions, tokens, accounts, traces."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from comptes_joues import Maison
from portes import Visiteur, personne, visite

from api.gestion_comptes import CompteNonFerme
from api.mes_acces import SessionRequise
from oi_service.acces.refus import CourrielDejaPris
from oi_service.ids import new_id


@pytest.fixture
def admin(maison: Maison) -> Iterator[Visiteur]:
    """An administrator who gave their second factor."""
    with personne(maison, "administrateur-1", "administrateur", facteur=True) as visiteur:
        yield visiteur


def ouvrir(admin: Visiteur, courriel: str = "neuf@oi.example", **more: Any) -> Any:
    answer = admin.acte("/comptes", nom="Agent fictif", courriel=courriel, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


# --- Accounts ------------------------------------------------------------------------------------


def test_an_account_is_opened_and_its_person_comes_in(admin: Visiteur, maison: Maison) -> None:
    ouvert = ouvrir(admin)
    assert ouvert["identifiant"].startswith("agent-")
    fiche = admin.lire(f"/api/v1/comptes/{ouvert['identifiant']}")
    assert fiche.headers["ETag"] == '"1"'
    assert fiche.json()["acces"]["nom"] == "Agent fictif"
    assert fiche.json()["acces"]["actif"] is False
    donne = admin.acte(
        f"/comptes/{ouvert['identifiant']}/roles", 1, role="gestionnaire_oi", du="2026-03-01"
    )
    assert donne.status_code == 201, donne.text
    maison.acces.activer("neuf@oi.example", ouvert["code_activation"], "une phrase à soi seul")
    with visite(maison) as neuf:
        neuf.envoyer("/connexion", courriel="neuf@oi.example", mot_de_passe="une phrase à soi seul")
        session = neuf.lire("/api/v1/session").json()
    assert session["identifiant"] == ouvert["identifiant"]
    assert session["roles"] == [{"role": "gestionnaire_oi", "plies": []}]


def test_nothing_of_a_person_is_in_the_log(admin: Visiteur, maison: Maison) -> None:
    ouvrir(admin, "unique.reconnaissable@oi.example")
    with maison.service.reads.connection() as conn:
        ecrit = conn.execute("SELECT e::text FROM oi.event AS e").fetchall()
    assert "reconnaissable" not in str(ecrit)
    assert "Agent fictif" not in str(ecrit)


def test_opening_again_under_the_same_key_tells_no_code(admin: Visiteur) -> None:
    cle = new_id()
    demande = {"date_effet": "2026-03-02", "nom": "Agent fictif", "courriel": "un@oi.example"}
    premier = admin.demander("/comptes", demande, cle=cle)
    second = admin.demander("/comptes", demande, cle=cle)
    assert second.status_code == 201
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Location"] == premier.headers["Location"]
    assert second.json() == {**premier.json(), "code_activation": None}
    autre = admin.demander("/comptes", {**demande, "courriel": "deux@oi.example"}, cle=cle)
    assert (autre.status_code, autre.json()["code"]) == (422, "idempotency_key_reused")


def test_an_opening_cut_in_the_middle_is_finished_by_the_same_demand(
    admin: Visiteur, maison: Maison
) -> None:
    cle = new_id()
    demande = {"date_effet": "2026-03-02", "nom": "Agent fictif", "courriel": "un@oi.example"}
    identifiant = admin.demander("/comptes", demande, cle=cle).json()["identifiant"]
    # As if the service had stopped between the log and the access.
    maison.acces.effacer(identifiant)
    fiche = admin.lire(f"/api/v1/comptes/{identifiant}").json()
    assert (fiche["acces"], fiche["roles"]) == (None, [])
    code = admin.demander("/comptes", demande, cle=cle).json()["code_activation"]
    assert maison.acces.activer("un@oi.example", code, "une phrase à soi seul") == identifiant


def test_an_address_serves_one_account(admin: Visiteur) -> None:
    ouvrir(admin, "un@oi.example")
    refus = admin.acte("/comptes", nom="Autre", courriel=" UN@oi.example ")
    assert (refus.status_code, refus.json()["code"]) == (409, CourrielDejaPris.code())
    assert len(admin.lire("/api/v1/comptes").json()) == 2


def test_accounts_are_found_by_name_state_and_role(admin: Visiteur) -> None:
    ouvert = ouvrir(admin, "recherche@oi.example")

    def trouves(requete: str) -> list[str]:
        return [c["identifiant"] for c in admin.lire(f"/api/v1/comptes?{requete}").json()]

    assert trouves("recherche=AGENT%20FICTIF") == [ouvert["identifiant"]]
    assert trouves("recherche=recherche@") == [ouvert["identifiant"]]
    assert trouves("role=administrateur") == ["administrateur-1"]
    assert trouves("role=administrateur&statut=ferme") == []
    assert len(trouves("statut=ouvert")) == 2


def test_suspension_ends_sessions_and_tokens_at_once(admin: Visiteur, maison: Maison) -> None:
    with personne(maison, "gestionnaire-1", "gestionnaire_oi") as agent:
        cree = agent.http.post(
            "/api/v1/jetons",
            json={"nom": "Essai", "roles": ["gestionnaire_oi"], "jours": 30},
        )
        porteur = {"Authorization": f"Bearer {cree.json()['jeton']}"}
        assert agent.lire("/api/v1/session").status_code == 200
        suspendu = admin.acte("/comptes/gestionnaire-1/suspension", 2, motif="Départ")
        assert suspendu.status_code == 200, suspendu.text
        # Closed, and not only asleep until the account is taken back.
        assert maison.acces.sessions("gestionnaire-1") == []
        assert maison.acces.jetons("gestionnaire-1") == []
        assert agent.lire("/api/v1/session").status_code == 401
        agent.http.cookies.clear()
        assert agent.lire("/api/v1/session", headers=porteur).status_code == 401
        retabli = admin.acte("/comptes/gestionnaire-1/retablissement", 3, motif="Retour")
        assert retabli.status_code == 200
        # What was open before stays closed.
        assert agent.lire("/api/v1/session", headers=porteur).status_code == 401
        agent.entrer("gestionnaire-1@oi.example")
        assert agent.lire("/api/v1/session").status_code == 200


def test_a_suspension_cut_in_the_middle_leaves_nothing_open_after_it(
    admin: Visiteur, maison: Maison
) -> None:
    with personne(maison, "gestionnaire-1", "gestionnaire_oi") as agent:
        maison.suspendre("gestionnaire-1")  # The log alone: the sessions are still there.
        assert agent.lire("/api/v1/session").status_code == 401
        admin.acte("/comptes/gestionnaire-1/retablissement", 3, motif="Retour")
        assert agent.lire("/api/v1/session").status_code == 401


def test_a_role_taken_back_stops_at_the_next_request(admin: Visiteur, maison: Maison) -> None:
    with personne(maison, "gestionnaire-1", "gestionnaire_oi") as agent:
        assert agent.lire("/api/v1/operations").status_code == 200
        [role] = admin.lire("/api/v1/comptes/gestionnaire-1").json()["roles"]
        admin.acte(f"/comptes/gestionnaire-1/roles/{role['id']}/retrait", 2, motif="Mutation")
        refus = agent.lire("/api/v1/operations")
        assert (refus.status_code, refus.json()["code"]) == (403, "role_insuffisant")


def test_nobody_changes_their_own_rights(admin: Visiteur) -> None:
    refus = admin.acte("/comptes/administrateur-1/roles", 2, role="ordonnateur_oi", du="2026-03-01")
    assert (refus.status_code, refus.json()["code"]) == (403, "son_propre_compte")


def test_a_person_employed_by_a_plie_is_noted(admin: Visiteur, maison: Maison) -> None:
    maison.compte("gestionnaire-1")
    inconnu = admin.acte(
        "/comptes/gestionnaire-1/mises-a-disposition", 2, plie_id="ailleurs", du="2026-03-01"
    )
    assert (inconnu.status_code, inconnu.json()["code"]) == (404, "plie_du_compte_inconnu")


def test_a_closed_account_is_forgotten_on_demand(admin: Visiteur) -> None:
    identifiant = ouvrir(admin)["identifiant"]
    trop_tot = admin.demander(f"/comptes/{identifiant}/effacement")
    assert (trop_tot.status_code, trop_tot.json()["code"]) == (409, CompteNonFerme.code())
    admin.acte(f"/comptes/{identifiant}/fermeture", 1, motif="Départ")
    assert admin.demander(f"/comptes/{identifiant}/effacement").status_code == 204
    fiche = admin.lire(f"/api/v1/comptes/{identifiant}").json()
    assert (fiche["statut"], fiche["acces"]) == ("ferme", None)


def test_closing_ends_sessions_and_tokens(admin: Visiteur, maison: Maison) -> None:
    with personne(maison, "gestionnaire-1", "gestionnaire_oi") as agent:
        demande = {"nom": "Essai", "roles": ["gestionnaire_oi"], "jours": 30}
        assert agent.http.post("/api/v1/jetons", json=demande).status_code == 201
        admin.acte("/comptes/gestionnaire-1/fermeture", 2, motif="Départ")
        assert agent.lire("/api/v1/session").status_code == 401
        assert maison.acces.sessions("gestionnaire-1") == []
        assert maison.acces.jetons("gestionnaire-1") == []


def test_a_closed_account_gets_no_code(admin: Visiteur) -> None:
    identifiant = ouvrir(admin)["identifiant"]
    admin.acte(f"/comptes/{identifiant}/fermeture", 1, motif="Départ")
    refus = admin.demander(f"/comptes/{identifiant}/reactivation")
    assert (refus.status_code, refus.json()["code"]) == (409, "compte_est_ferme")


def test_a_lost_password_is_chosen_again(admin: Visiteur, maison: Maison) -> None:
    courriel = maison.compte("gestionnaire-1")
    code = admin.demander("/comptes/gestionnaire-1/reactivation").json()["code_activation"]
    maison.acces.activer(courriel, code, "une phrase à soi seul")
    assert admin.demander("/comptes/administrateur-1/reactivation").status_code == 403


def test_a_lost_second_factor_is_taken_away(admin: Visiteur, maison: Maison) -> None:
    courriel = maison.compte("valideur-1", "valideur_oi")
    maison.installer(courriel)
    retrait = admin.demander("/comptes/valideur-1/second-facteur/retrait")
    assert retrait.status_code == 204, retrait.text
    fiche = admin.lire("/api/v1/comptes/valideur-1").json()
    assert fiche["acces"]["second_facteur"] is False


def test_an_administrator_ends_the_sessions_of_somebody(admin: Visiteur, maison: Maison) -> None:
    with personne(maison, "gestionnaire-1", "gestionnaire_oi") as agent:
        assert admin.demander("/comptes/gestionnaire-1/sessions/fermeture").status_code == 204
        assert agent.lire("/api/v1/session").status_code == 401
        agent.entrer("gestionnaire-1@oi.example")
        chemin = "/administration/comptes/gestionnaire-1/sessions/fermeture"
        assert admin.envoyer(chemin).status_code == 303
        assert agent.lire("/api/v1/session").status_code == 401
    assert admin.demander("/comptes/personne/sessions/fermeture").status_code == 404


def test_a_name_is_corrected(admin: Visiteur, maison: Maison) -> None:
    maison.compte("gestionnaire-1")
    admin.demander(
        "/comptes/gestionnaire-1/identite", {"nom": "Autre nom", "courriel": "autre@oi.example"}
    )
    fiche = admin.lire("/api/v1/comptes/gestionnaire-1").json()
    assert fiche["acces"]["courriel"] == "autre@oi.example"


def test_a_trial_plays_no_act_on_accounts(maison: Maison) -> None:
    with personne(maison, "gestionnaire-1", "gestionnaire_oi") as agent:
        essai = agent.demander(
            "/essais",
            {
                "commandes": [
                    {
                        "chemin": "/api/v1/comptes/gestionnaire-1/fermeture",
                        "corps": {"date_effet": "2026-03-02", "motif": "Essai"},
                        "personne": {"acteur": "administrateur-9", "role": "administrateur"},
                    }
                ]
            },
        )
        assert essai.status_code == 422, essai.text
        assert agent.lire("/api/v1/session").status_code == 200


# --- Two administrators --------------------------------------------------------------------------


def test_two_administrators_who_remove_each_other_leave_one(maison: Maison) -> None:
    for _ in range(2):
        un, deux = f"administrateur-{new_id().hex[:6]}", f"administrateur-{new_id().hex[:6]}"
        with (
            personne(maison, un, "administrateur", facteur=True) as premier,
            personne(maison, deux, "administrateur", facteur=True) as second,
        ):
            barriere = threading.Barrier(2)
            reponses: list[int] = []

            def fermer(
                qui: Visiteur,
                autre: str,
                barriere: threading.Barrier = barriere,
                reponses: list[int] = reponses,
            ) -> None:
                barriere.wait()
                faite = qui.acte(f"/comptes/{autre}/fermeture", 2, motif="Départ")
                reponses.append(faite.status_code)

            fils = [
                threading.Thread(target=fermer, args=(premier, deux)),
                threading.Thread(target=fermer, args=(second, un)),
            ]
            for fil in fils:
                fil.start()
            for fil in fils:
                fil.join()
            assert 200 in reponses
            with maison.service.reads.connection() as conn:
                row = conn.execute(
                    "SELECT count(*) FROM projection.compte "
                    "WHERE statut = 'ouvert' AND identifiant = ANY(%s)",
                    ([un, deux],),
                ).fetchone()
            assert row == (1,)
        # The one who is left would be the last one: the next round starts from a clean house.
        reste = un if _statut(maison, un) == "ouvert" else deux
        maison.suspendre(reste)


def _statut(maison: Maison, identifiant: str) -> str:
    with maison.service.reads.connection() as conn:
        row = conn.execute(
            "SELECT statut FROM projection.compte WHERE identifiant = %s", (identifiant,)
        ).fetchone()
    assert row is not None
    return str(row[0])


# --- Sessions and tokens -------------------------------------------------------------------------


def test_nobody_is_let_in_without_a_proof(maison: Maison) -> None:
    with visite(maison) as inconnu:
        for chemin in ("/api/v1/session", "/api/v1/comptes", "/api/v1/traces", "/api/v1/jetons"):
            refus = inconnu.lire(chemin)
            assert (refus.status_code, refus.json()["code"]) == (401, "non_connecte"), chemin


def test_a_token_is_less_than_its_person(maison: Maison) -> None:
    with personne(maison, "gestionnaire-1", "gestionnaire_oi") as agent:
        cree = agent.http.post(
            "/api/v1/jetons", json={"nom": "Essai", "roles": ["gestionnaire_oi"], "jours": 30}
        )
        assert cree.status_code == 201, cree.text
        porteur = {"Authorization": f"Bearer {cree.json()['jeton']}"}
        [connu] = agent.lire("/api/v1/jetons").json()
        assert cree.json()["jeton"] not in str(connu)
    with visite(maison) as programme:
        assert programme.lire("/api/v1/session", headers=porteur).json()["moyen"] == "jeton"
        refus = programme.http.post("/api/v1/appels-a-projets", json={}, headers=porteur)
        assert refus.status_code in {403, 404, 405, 422}
        for chemin in ("/session/renforcement", "/session/fermeture", "/jetons"):
            refus = programme.demander(
                chemin,
                {"code": "123456", "nom": "x", "roles": ["gestionnaire_oi"], "jours": 1},
                Authorization=porteur["Authorization"],
            )
            assert refus.status_code in {403, 422}, chemin
        assert programme.lire("/api/v1/jetons", headers=porteur).status_code == 200


def test_a_writing_token_makes_no_other_token(maison: Maison) -> None:
    with personne(maison, "gestionnaire-1", "gestionnaire_oi") as agent:
        demande = {
            "nom": "Essai",
            "roles": ["gestionnaire_oi"],
            "jours": 30,
            "lecture_seule": False,
        }
        jeton = agent.http.post("/api/v1/jetons", json=demande).json()["jeton"]
        agent.http.cookies.clear()
        refus = agent.demander("/jetons", demande, Authorization=f"Bearer {jeton}")
        assert (refus.status_code, refus.json()["code"]) == (403, SessionRequise.code())


def test_a_token_is_revoked(maison: Maison) -> None:
    with personne(maison, "gestionnaire-1", "gestionnaire_oi") as agent:
        demande = {"nom": "Essai", "roles": ["gestionnaire_oi"], "jours": 30}
        jeton = agent.http.post("/api/v1/jetons", json=demande).json()["jeton"]
        [connu] = agent.lire("/api/v1/jetons").json()
        assert agent.demander(f"/jetons/{connu['id']}/revocation").status_code == 204
        agent.http.cookies.clear()
        refus = agent.lire("/api/v1/session", headers={"Authorization": f"Bearer {jeton}"})
        assert (refus.status_code, refus.json()["code"]) == (401, "jeton_refuse")


def test_who_has_a_second_factor_gives_it_to_make_a_token(admin: Visiteur) -> None:
    demande = {"nom": "Essai", "roles": ["administrateur"], "jours": 30}
    assert admin.http.post("/api/v1/jetons", json=demande).status_code == 201
    admin.maison.horloge.avancer(minutes=6)
    refus = admin.http.post("/api/v1/jetons", json=demande)
    assert (refus.status_code, refus.json()["code"]) == (403, "renforcement_requis")
    assert admin.telephone is not None
    assert (
        admin.demander("/session/renforcement", {"code": admin.telephone.neuf()}).status_code == 204
    )
    assert admin.http.post("/api/v1/jetons", json=demande).status_code == 201


def test_a_session_is_closed_by_its_person(maison: Maison) -> None:
    with personne(maison, "gestionnaire-1", "gestionnaire_oi") as agent:
        ancien = agent.jeton
        assert agent.demander("/session/fermeture").status_code == 204
        assert agent.jeton is None
        assert ancien is not None
        agent.http.cookies.set("__Host-oi", ancien)
        assert agent.lire("/api/v1/session").status_code == 401


def test_somebody_else_s_session_is_not_closed(admin: Visiteur, maison: Maison) -> None:
    with personne(maison, "gestionnaire-1", "gestionnaire_oi") as agent:
        [ouverte] = agent.lire("/api/v1/sessions").json()
        refus = admin.demander(f"/sessions/{ouverte['id']}/fermeture")
        assert (refus.status_code, refus.json()["code"]) == (404, "session_absente")
        assert agent.lire("/api/v1/session").status_code == 200


# --- Traces --------------------------------------------------------------------------------------


def test_refusals_are_traced_once_and_read_by_who_may(admin: Visiteur, maison: Maison) -> None:
    with personne(maison, "gestionnaire-1", "gestionnaire_oi") as agent:
        assert agent.lire("/api/v1/comptes").status_code == 403
        assert agent.lire("/api/v1/traces").status_code == 403
    page = admin.lire("/api/v1/traces?nature=refus&identifiant=gestionnaire-1").json()
    assert [t["objet"]["chemin"] for t in page["lignes"]] == ["/api/v1/traces", "/api/v1/comptes"]
    assert page["lignes"][0]["objet"]["code"] == "role_insuffisant"
    with personne(maison, "auditeur-1", "auditeur") as auditeur:
        assert auditeur.lire("/api/v1/traces").status_code == 200
        assert auditeur.lire("/api/v1/comptes").status_code == 403


def test_traces_come_by_pages_and_by_day(admin: Visiteur) -> None:
    tout = admin.lire("/api/v1/traces?limite=200").json()["lignes"]
    lues, suivant = [], ""
    while True:
        page = admin.lire(f"/api/v1/traces?limite=2{suivant}").json()
        lues += page["lignes"]
        if page["suivant"] is None:
            break
        suivant = f"&apres={page['suivant']}"
    assert lues == tout
    assert admin.lire("/api/v1/traces?jour=2026-03-02").json()["lignes"] == tout[:50]
    assert admin.lire("/api/v1/traces?jour=2026-03-01").json()["lignes"] == []
    assert admin.lire("/api/v1/traces?apres=AAAA").status_code == 422
