"""What is typed while a session, or a fresh code, ends: it is kept, and sent again.

Every form of every page, by one mechanism (`api.pages.renvoi`).
"""

import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from comptes_joues import PHRASE, Maison
from fastapi.routing import iter_route_contexts
from fichiers import PDF
from formulaires import FormulaireLu, formulaires
from httpx2 import Response
from portes import Visiteur, application, personne, visite

from api.pages import renvoi
from api.pages.actes import page as page_d_un_acte
from api.pages.refus import EN_TETE_ATTENTE
from api.porte import COOKIE_TLS, RENVOI, RempliParUnAutre
from oi_service.ids import new_id

GABARITS = Path(renvoi.__file__).parents[1] / "templates"
NOUVEAU = "/administration/comptes/nouveau"
PIEGE = "\"><script>alert(1)</script><input value='{{ 7 * 7 }}\nà la ligne, « œ » €"
#: Marks of what was typed, which nobody else may be shown.
TAPE = "tapé par moi seul"


@pytest.fixture
def admin(maison: Maison) -> Iterator[Visiteur]:
    with personne(maison, "administrateur-1", "administrateur", facteur=True) as visiteur:
        yield visiteur


def finir(maison: Maison) -> None:
    """Let every session end."""
    maison.horloge.avancer(minutes=31)


def garde(reponse: Response) -> FormulaireLu:
    """Return the form that a page keeps; there is one at most."""
    [lu] = [f for f in formulaires(reponse.text) if RENVOI in f.action]
    return lu


def rien_de_garde(reponse: Response) -> None:
    assert TAPE not in unescape(reponse.text)
    assert RENVOI not in reponse.text


def renvoyer(visiteur: Visiteur, reponse: Response) -> Response:
    """Press « Renvoyer »."""
    lu = garde(reponse)
    envoi: dict[str, list[str]] = {}
    for nom, valeur in lu.champs:
        envoi.setdefault(nom, []).append(valeur)
    return visiteur.http.post(lu.action, data=envoi)


def comptes(visiteur: Visiteur) -> list[str]:
    return [c["identifiant"] for c in visiteur.lire("/api/v1/comptes").json()]


def saisie_d_un_compte(visiteur: Visiteur) -> dict[str, str]:
    [lu] = [f for f in formulaires(visiteur.lire(NOUVEAU).text) if "nom" in f.noms]
    return {nom: v for nom, [v] in lu.remplir(nom=TAPE, courriel="neuf@oi.example").items()}


# --- Every form ----------------------------------------------------------------------------------


def pages_qui_recoivent(maison: Maison) -> list[str]:
    """Return an address of every page that takes a form, those of secrets and of everybody out."""
    chemins = [
        re.sub(r"\{\w+(:path)?\}", lambda _: str(new_id()), str(route.path))
        for route in iter_route_contexts(application(maison).routes)
        if route.methods is not None and "POST" in route.methods
    ]
    exclus = ("/api/", "/deconnexion", *renvoi.SECRETES)
    return [chemin for chemin in chemins if not chemin.startswith(exclus)]


def test_what_was_typed_is_kept_whatever_the_page(maison: Maison) -> None:
    champs = {"cle": "k", "montant": ["1 200,50", ""], "motif": PIEGE, "geste": "enregistrer"}
    attendus = [
        ("cle", "k"),
        ("montant", "1 200,50"),
        ("montant", ""),
        ("motif", PIEGE),
        ("geste", "enregistrer"),
    ]
    with personne(maison, "gestionnaire-1") as agent:
        finir(maison)
        chemins = pages_qui_recoivent(maison)
        assert len(chemins) > 30
        for chemin in chemins:
            maison.horloge.avancer(seconds=1)
            page = agent.http.post(f"{chemin}?a=1&b=%26", data=champs)
            assert page.status_code == 401, chemin
            lu = garde(page)
            assert lu.champs == attendus, chemin
            adresse = urlsplit(lu.action)
            assert adresse.path == chemin
            requete = parse_qs(adresse.query)
            assert (requete["a"], requete["b"], len(requete[RENVOI])) == (["1"], ["&"], 1), chemin
            assert 'href="/connexion" target="_blank"' in page.text
            assert page.headers["cache-control"] == "no-store"


class _Balises(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script" and not dict(attrs).get("src", "").startswith("/static/")  # type: ignore[union-attr]


def test_what_was_typed_is_never_markup(maison: Maison) -> None:
    with personne(maison, "gestionnaire-1") as agent:
        finir(maison)
        page = agent.http.post(
            "/actes/essai%22%3E%3Cscript%3E/a%3Fb?c=%22%3E%3Cscript%3E",
            data={"<script>&quot;": PIEGE},
            files=[("<script>", ('"><script>.pdf', PDF, "application/pdf"))],
        )
        assert page.status_code == 401
        balises = _Balises()
        balises.feed(page.text)
        assert balises.scripts == 0
        lu = garde(page)
        assert lu.champs == [("<script>&quot;", PIEGE)]
        # The question mark of the path is not that of the query.
        assert urlsplit(lu.action).path.endswith("/a%3Fb")


# --- Sent again ----------------------------------------------------------------------------------


def test_a_form_is_sent_again_after_signing_in_and_counts_once(
    admin: Visiteur, maison: Maison
) -> None:
    avant = comptes(admin)
    saisie = saisie_d_un_compte(admin)
    finir(maison)
    perdue = admin.envoyer(NOUVEAU, **saisie)
    assert (perdue.status_code, "session est terminée" in perdue.text) == (401, True)
    # Not signed in yet: the same page again, and nothing lost.
    encore = renvoyer(admin, perdue)
    assert encore.status_code == 401
    assert garde(encore) == garde(perdue)
    admin.entrer("administrateur-1@oi.example")
    ouvert = renvoyer(admin, encore)
    assert (ouvert.status_code, 'class="secret"' in ouvert.text) == (200, True)
    deux = comptes(admin)
    assert len(deux) == len(avant) + 1
    assert renvoyer(admin, encore).status_code == 200
    assert comptes(admin) == deux


def test_a_code_that_is_no_longer_fresh_loses_nothing(admin: Visiteur, maison: Maison) -> None:
    maison.compte("gestionnaire-1")
    fiche = "/administration/comptes/gestionnaire-1"
    [lu, *_] = [f for f in formulaires(admin.lire(fiche).text) if f.action.endswith("/roles")]
    saisie = {n: v for n, [v] in lu.remplir(role="comptable_oi", du="2026-03-01").items()}
    maison.horloge.avancer(minutes=6)
    perdue = admin.envoyer(f"{fiche}/roles", **saisie)
    assert (perdue.status_code, "Donner un code" in perdue.text) == (403, True)
    assert 'href="/renforcement" target="_blank"' in perdue.text
    assert dict(garde(perdue).champs) == saisie
    assert admin.telephone is not None
    admin.envoyer("/renforcement", code=admin.telephone.neuf())
    for _ in range(2):
        assert renvoyer(admin, perdue).status_code == 303
    assert len(admin.lire("/api/v1/comptes/gestionnaire-1").json()["roles"]) == 2


def test_a_token_is_asked_again_with_what_was_chosen(maison: Maison) -> None:
    with personne(maison, "gestionnaire-1", facteur=True) as agent:
        maison.horloge.avancer(minutes=6)
        saisie = {"nom": "Tableur", "roles": "gestionnaire_oi", "jours": "30"}
        perdue = agent.envoyer("/compte/jetons/nouveau", **saisie)
        assert (perdue.status_code, dict(garde(perdue).champs)) == (403, saisie)
        assert agent.telephone is not None
        agent.envoyer("/renforcement", code=agent.telephone.neuf())
        assert "oi_" in renvoyer(agent, perdue).text


def test_a_role_that_now_asks_for_a_second_factor_loses_nothing(maison: Maison) -> None:
    with personne(maison, "gestionnaire-1") as agent:
        maison.attribuer("gestionnaire-1", "ordonnateur_oi")
        perdue = agent.envoyer("/actes/publier_appel", objet=TAPE)
        assert perdue.status_code == 403
        assert 'href="/compte/second-facteur" target="_blank"' in perdue.text
        assert dict(garde(perdue).champs) == {"objet": TAPE}


def test_a_version_seen_before_is_still_checked(admin: Visiteur, maison: Maison) -> None:
    maison.compte("gestionnaire-1")
    fiche = "/administration/comptes/gestionnaire-1"
    [lu] = [f for f in formulaires(admin.lire(fiche).text) if f.action.endswith("/suspension")]
    saisie = {n: v for n, [v] in lu.remplir(motif="Départ").items()}
    finir(maison)
    perdue = admin.envoyer(f"{fiche}/suspension", **saisie)
    maison.attribuer("gestionnaire-1", "comptable_oi")
    admin.entrer("administrateur-1@oi.example")
    refus = renvoyer(admin, perdue)
    assert (refus.status_code, "n’est plus à jour" in refus.text) == (412, True)


# --- Under one name only -------------------------------------------------------------------------


def test_a_form_is_not_recorded_under_another_name(admin: Visiteur, maison: Maison) -> None:
    saisie = saisie_d_un_compte(admin)
    finir(maison)
    perdue = admin.envoyer(NOUVEAU, **saisie)
    courriel = maison.compte("administrateur-2", "administrateur")
    telephone, admin.telephone = admin.telephone, maison.installer(courriel)
    admin.entrer(courriel)
    avant = comptes(admin)
    refus = renvoyer(admin, perdue)
    assert refus.status_code == 403
    assert "sous un autre compte" in refus.text
    assert 'action="/deconnexion" target="_blank"' in refus.text.replace("https://testserver", "")
    assert comptes(admin) == avant
    [trace] = admin.lire("/api/v1/traces?nature=refus").json()["lignes"]
    assert trace["objet"]["code"] == RempliParUnAutre.code()
    # What was typed waits for its person, in that page too.
    assert garde(refus) == garde(perdue)
    admin.telephone = telephone
    admin.entrer("administrateur-1@oi.example")
    assert renvoyer(admin, refus).status_code == 200
    assert len(comptes(admin)) == len(avant) + 1


def test_a_session_over_twice_is_still_that_of_who_typed(admin: Visiteur, maison: Maison) -> None:
    saisie = saisie_d_un_compte(admin)
    finir(maison)
    perdue = admin.envoyer(NOUVEAU, **saisie)
    courriel = maison.compte("gestionnaire-2")
    admin.entrer(courriel)
    finir(maison)
    # It is now shown by the browser of somebody else, whose session is over.
    encore = renvoyer(admin, perdue)
    assert garde(encore).action == garde(perdue).action


@pytest.mark.parametrize("dite", ["", "x", "0" * 36, "00000000-0000-4000-8000-000000000000"])
def test_a_session_that_never_was_is_nobody_s(maison: Maison, dite: str) -> None:
    with personne(maison, "gestionnaire-1") as agent:
        refus = agent.http.post(f"/comite?{RENVOI}={dite}", data={"instance": TAPE})
        assert (refus.status_code, "sous un autre compte" in refus.text) == (403, True)
        assert agent.lire(f"/comite?{RENVOI}={dite}").status_code == 200


# --- Who is given nothing ------------------------------------------------------------------------


def test_who_shows_no_session_is_given_nothing(maison: Maison) -> None:
    courriel = maison.compte("gestionnaire-1")
    with visite(maison) as inconnu:
        for nom in ("autre", COOKIE_TLS, f"{COOKIE_TLS}-attente"):
            entete = {"Cookie": f"{nom}={'a' * 43}"}
            reponse = inconnu.http.post("/comite", data={"instance": TAPE}, headers=entete)
            assert reponse.headers["location"] == "/connexion?perdu=oui", nom
            rien_de_garde(reponse)
        assert "rien de ce que vous venez d’envoyer" in inconnu.lire("/connexion?perdu=oui").text
    maison.installer(courriel)
    with visite(maison) as attend:
        # A password is not yet a session.
        attend.envoyer("/connexion", courriel=courriel, mot_de_passe=PHRASE)
        jeton = attend.http.cookies.get(f"{COOKIE_TLS}-attente")
        entete = {"Cookie": f"{COOKIE_TLS}={jeton}"}
        reponse = attend.http.post("/comite", data={"instance": TAPE}, headers=entete)
        assert reponse.status_code == 303
        rien_de_garde(reponse)


def test_who_went_out_is_given_nothing(maison: Maison) -> None:
    with personne(maison, "gestionnaire-1") as agent:
        agent.envoyer("/deconnexion")
        reponse = agent.http.post(
            "/comite",
            data={"instance": TAPE},
            headers={"Referer": "https://testserver/comite?le=2026-03-02"},
        )
        lieu = urlsplit(reponse.headers["location"])
        assert lieu.path == "/connexion"
        assert parse_qs(lieu.query) == {"suite": ["/comite?le=2026-03-02"], "perdu": ["oui"]}
        rien_de_garde(reponse)


def test_the_form_of_another_site_is_given_nothing(maison: Maison) -> None:
    with personne(maison, "gestionnaire-1") as agent:
        finir(maison)
        for entetes in (
            {"Sec-Fetch-Site": "cross-site"},
            {"Origin": "https://ailleurs.example"},
        ):
            reponse = agent.http.post("/comite", data={"instance": TAPE}, headers=entetes)
            assert reponse.status_code == 403, entetes
            rien_de_garde(reponse)


def test_programs_are_answered_as_before(maison: Maison) -> None:
    with personne(maison, "gestionnaire-1") as agent:
        finir(maison)
        refus = agent.demander("/seances", {"instance": TAPE})
        assert (refus.status_code, refus.json()["code"]) == (401, "non_connecte")
        rien_de_garde(refus)


# --- Secrets -------------------------------------------------------------------------------------


def test_no_page_repeats_a_password_nor_a_code(maison: Maison) -> None:
    with personne(maison, "gestionnaire-1", facteur=True) as agent:
        finir(maison)
        for chemin in renvoi.SECRETES[2:]:
            reponse = agent.envoyer(chemin, code=TAPE, mot_de_passe=TAPE, ancien=TAPE)
            assert reponse.is_redirect, chemin
            rien_de_garde(reponse)


def test_the_forms_of_secrets_are_those_that_templates_show(maison: Maison) -> None:
    """A new form with a password or a code is either in the list, or refused here."""
    routes = application(maison)
    vus = set()
    for gabarit in GABARITS.glob("*.html"):
        for lu in re.findall(r"<form\b.*?</form>", gabarit.read_text(encoding="utf-8"), re.DOTALL):
            if not re.search(r"password|one-time-code|code_secours|secret'", lu):
                continue
            route = re.search(r"action=\"\{\{ url_for\('(\w+)'\)\.path \}\}\"", lu)
            assert route is not None, gabarit
            chemin = routes.url_path_for(route[1])
            assert chemin.startswith(renvoi.SECRETES), gabarit
            vus.add(route[1])
    assert len(vus) >= 6


# --- Files, size ---------------------------------------------------------------------------------


def test_files_are_named_and_chosen_again(maison: Maison) -> None:
    with personne(maison, "comptable-1", "comptable_oi", facteur=True) as agent:
        finir(maison)
        page = agent.http.post(
            "/dossiers/F1/depenses/saisie",
            data={"_cle": "k", "l0.nature": TAPE},
            files=[
                ("fichiers", (r"C:\moi\Facture n° 1.pdf", PDF, "application/pdf")),
                ("fichiers", ("releve.pdf", PDF, "application/pdf")),
            ],
        )
        assert page.status_code == 401
        assert garde(page).champs == [("_cle", "k"), ("l0.nature", TAPE)]
        assert 'enctype="multipart/form-data"' in page.text
        assert "Facture n° 1.pdf, releve.pdf" in unescape(page.text)
        assert re.findall(r'name="(\w+)" type="file"( multiple)?', page.text) == [
            ("fichiers", " multiple")
        ]
        assert "%PDF" not in page.text
        assert list(maison.service.pieces.rangees()) == []


def test_a_session_that_ends_while_a_document_arrives_loses_no_word(
    maison: Maison, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form was read already: it is not read twice."""
    deposer = page_d_un_acte.deposer_jointes

    async def puis_finir(*args: Any) -> list[dict[str, str]]:
        deposees = await deposer(*args)
        maison.acces.fermer_toutes("gestionnaire-1")
        return deposees

    monkeypatch.setattr(page_d_un_acte, "deposer_jointes", puis_finir)
    with personne(maison, "gestionnaire-1") as agent:
        page = agent.http.post(
            "/actes/conventionner_subvention_globale",
            data={"_cle": "k", "objet": TAPE},
            files=[("fichiers", ("lettre.pdf", PDF, "application/pdf"))],
        )
        assert page.status_code == 401
        assert garde(page).champs == [("_cle", "k"), ("objet", TAPE)]
        assert "lettre.pdf" in page.text


def test_too_much_to_keep_is_too_much(maison: Maison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renvoi, "_TEXTE_MAX", 100)
    with personne(maison, "gestionnaire-1") as agent:
        finir(maison)
        assert agent.envoyer("/comite", instance="a" * 92).status_code == 401
        assert agent.envoyer("/comite", instance="a" * 93).status_code == 413
        assert agent.envoyer("/comite", instance="a" * 2**18).status_code == 413


# --- Parts of pages ------------------------------------------------------------------------------


def test_a_part_of_a_page_is_told_where_to_sign_in(maison: Maison) -> None:
    """The page around it holds what was typed: nothing is put in its place."""
    partie = {"HX-Request": "true"}
    with personne(maison, "gestionnaire-1") as agent:
        finir(maison)
        vues: list[Any] = [
            agent.http.post("/comite/effet", data={"instance": TAPE}, headers=partie),
            agent.lire("/recherche/suggestions?q=a", headers=partie),
            agent.lire("/controles", headers=partie),
        ]
        for vue in vues:
            assert (vue.status_code, vue.headers[EN_TETE_ATTENTE]) == (401, "/connexion")
            rien_de_garde(vue)
