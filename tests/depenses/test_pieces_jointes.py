"""Documents of a dépense: joined at any time, seen in place, never run."""

import hashlib
import re
from typing import Any

import pytest
from dossier_exemple import ABANDON, NUMERO
from fichiers import EXEMPLES, PDF
from starlette.testclient import TestClient

from oi_service.application import Service
from oi_service.ids import new_id

HTML = {"Accept": "text/html"}


def depense(http: TestClient, **demande: str) -> dict[str, Any]:
    params = {"operation": NUMERO, "statut": "controlee", "limite": "1", **demande}
    return dict(http.get("/api/v1/depenses", params=params).json()["lignes"][0])


def page(http: TestClient, depense_id: str) -> str:
    return " ".join(http.get(f"/depenses/{depense_id}", headers=HTML).text.split())


def joindre(http: TestClient, depense_id: str, *fichiers: tuple[str, bytes, str]) -> Any:
    html = page(http, depense_id)
    [action] = re.findall(r'class="joindre" method="post" action="([^"]+)"', html)
    caches = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html))
    return http.post(
        action,
        data=caches,
        files=[("fichiers", f) for f in fichiers],
        headers={**HTML, "Cookie": "session=a"},
        follow_redirects=False,
    )


def test_a_document_is_joined_to_a_controlled_depense_and_seen_there(http: TestClient) -> None:
    avant = depense(http)
    contenu = PDF + b"%1\n"
    reponse = joindre(http, avant["id"], ("Facture n° 12.pdf", contenu, "application/pdf"))
    assert reponse.status_code == 303, reponse.text
    assert reponse.headers["location"].startswith(f"/depenses/{avant['id']}?fait=")
    html = page(http, avant["id"])
    empreinte = hashlib.sha256(contenu).hexdigest()
    assert "Facture n° 12.pdf" in html
    assert f'title="{empreinte}"' in html
    assert f'data-src="/pieces/{empreinte}"' in html
    assert "Pièces jointes à la dépense" in html
    apres = http.get(f"/api/v1/depenses/{avant['id']}").json()
    assert (apres["version"], apres["statut"]) == (avant["version"] + 1, "controlee")
    constats = http.get(f"/api/v1/depenses/{avant['id']}/constats").json()
    [present] = [c for c in constats["constats"] if c["intitule"] == "Pièce justificative présente"]
    assert {"nom": "Documents joints", "valeur": "1"} in present["valeurs"]


def test_a_stale_form_says_what_came_in_between(http: TestClient) -> None:
    cible = depense(http, recherche="P-1")
    html = page(http, cible["id"])
    assert (
        joindre(http, cible["id"], ("a.pdf", PDF + b"%2\n", "application/pdf")).status_code == 303
    )
    caches = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html))
    reponse = http.post(
        f"/actes/joindre_pieces_depense/{cible['id']}",
        data={**caches, "_cle": str(new_id())},
        files=[("fichiers", ("b.pdf", PDF + b"%3\n", "application/pdf"))],
        headers={**HTML, "Cookie": "session=a"},
    )
    assert reponse.status_code == 412
    assert "Pièces jointes à la dépense" in reponse.text
    assert "b.pdf" in reponse.text, "what was sent is kept"


def test_nothing_is_joined_by_who_may_not(http: TestClient) -> None:
    auditeur = {"OI-Role": "auditeur", "OI-Acteur": "auditeur-1", **HTML}
    cible = depense(http)
    assert 'class="joindre"' not in http.get(f"/depenses/{cible['id']}", headers=auditeur).text
    acte = {
        "date_effet": "2022-05-01",
        "pieces": [{"sha256": "a" * 64, "libelle": "a", "type": "a"}],
    }
    refus = http.post(
        f"/api/v1/depenses/{cible['id']}/pieces",
        json=acte,
        headers={**auditeur, "Idempotency-Key": str(new_id()), "If-Match": '"1"'},
    )
    assert refus.status_code == 403


# --- Seen in the browser -------------------------------------------------------------------------

MONTRES = {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg"}


@pytest.mark.parametrize("nom", sorted(EXEMPLES))
def test_only_what_runs_nothing_is_shown(http: TestClient, joue: Service, nom: str) -> None:
    deposee = joue.pieces.deposer(nom, [EXEMPLES[nom]])
    reponse = http.get(f"/pieces/{deposee.sha256}")
    assert reponse.status_code == 200
    assert reponse.content == EXEMPLES[nom]
    assert reponse.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in reponse.headers["content-security-policy"]
    montre = reponse.headers["content-type"] in MONTRES.values()
    assert montre == (deposee.type in {"pdf", "png", "jpeg"})
    disposition = reponse.headers["content-disposition"].partition(";")[0]
    assert disposition == ("inline" if montre else "attachment")
    if not montre or "image" in reponse.headers["content-type"]:
        assert "sandbox" in reponse.headers["content-security-policy"]


def test_a_text_that_calls_itself_a_picture_is_not_shown(http: TestClient, joue: Service) -> None:
    page = b"<html><script>alert(1)</script></html>"
    deposee = joue.pieces.deposer("note.txt", [page])
    reponse = http.get(f"/pieces/{deposee.sha256}")
    assert reponse.headers["content-disposition"].startswith("attachment")
    assert reponse.headers["content-type"].startswith(("application/xml", "text/plain"))


def test_a_document_that_nobody_deposited_is_not_there(http: TestClient) -> None:
    assert http.get(f"/pieces/{'0' * 64}").status_code == 404
    assert http.get("/pieces/abc").status_code == 422


def test_only_a_page_with_a_document_may_frame_one(http: TestClient) -> None:
    sans = depense(http, recherche="P-2")
    reponse = http.get(f"/depenses/{sans['id']}", headers=HTML)
    assert "frame-src" not in reponse.headers["content-security-policy"]
    joindre(http, sans["id"], ("c.pdf", PDF + b"%4\n", "application/pdf"))
    avec = http.get(f"/depenses/{sans['id']}", headers=HTML)
    assert avec.headers["content-security-policy"].endswith("frame-src 'self'")


# --- Forms ---------------------------------------------------------------------------------------


def test_a_correction_starts_from_what_is_declared(http: TestClient) -> None:
    chemin = f"/dossiers/{ABANDON}/depenses/saisie"
    http.post(
        chemin,
        data={
            "_cle": str(new_id()),
            "lignes": "1",
            "date_effet": "10/04/2022",
            "geste": "enregistrer",
            "l0.piece_ref": "CORR-1",
            "l0.date_piece": "15/03/2021",
            "l0.poste": "personnel",
            "l0.nature": "Salaire chargé",
            "l0.tiers_ref": "salarie-01",
            "l0.date_acquittement": "05/04/2021",
            "l0.preuve_acquittement": "bulletin_paie_plus_releve",
            "l0.montant_impute": "1 200,55",
        },
        headers=HTML,
    )
    cible = depense(http, operation=ABANDON, statut="declaree", recherche="CORR-1")
    html = page(http, cible["id"])
    assert f"/actes/corriger_depense/{cible['id']}" in html
    formulaire = http.get(f"/actes/corriger_depense/{cible['id']}", headers=HTML).text
    assert 'value="CORR-1"' in formulaire
    assert 'value="1\u00a0200,55"' in formulaire
    champs = dict(re.findall(r'name="([^"]+)"[^>]*?value="([^"]*)"', formulaire))
    listes = re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', formulaire, re.DOTALL)
    for nom, options in listes:
        champs[nom] = next(iter(re.findall(r'value="([^"]+)" selected', options)), "")
    garder = {
        n: v for n, v in champs.items() if n.startswith(("_cle", "_version", "detail.")) and v
    }
    reponse = http.post(
        f"/actes/corriger_depense/{cible['id']}",
        data={
            **garder,
            "date_effet": "2022-04-11",
            "detail.montant_impute": "1 100,00",
            "motif": "Erreur de saisie",
        },
        headers=HTML,
        follow_redirects=False,
    )
    assert reponse.status_code == 303, re.findall(r"<li>.*?</li>", reponse.text)
    corrigee = http.get(f"/api/v1/depenses/{cible['id']}").json()
    assert corrigee["montant_impute"] == "1100.00"
    assert corrigee["detail"]["nature"] == "Salaire chargé"
