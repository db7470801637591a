"""Search from anywhere: what each kind of text finds, for whom, and where it leads."""

from collections.abc import Iterator
from html import unescape

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from paiements_joues import AILLEURS, DU, ORDONNE, VIRE, paiements_joues
from portier import PortierDEssai
from vie import Vie

from api.app import create_app
from api.filters import euros
from api.pages.glossaire import CHAPITRES, GLOSSAIRE, terme
from api.pages.liens_provenance import provenance_url
from oi_service.application import Service
from projections.paiements import paiements as payes
from projections.perimetre import OI_ENTIER, Perimetre
from projections.recherche import Resultats, montant_lu, plier, rechercher

COMPTABLE = {"OI-Acteur": "comptable-1", "OI-Role": "comptable_oi"}


@pytest.fixture(scope="module")
def joue(serveur: str, modele: str) -> Iterator[tuple[Service, Vie]]:
    with paiements_joues(serveur, modele) as joue:
        yield joue


@pytest.fixture(scope="module")
def client(joue: tuple[Service, Vie]) -> Iterator[TestClient]:
    with TestClient(create_app(joue[0], PortierDEssai()), follow_redirects=False) as made:
        yield made


def trouver(joue: tuple[Service, Vie], texte: str, perimetre: Perimetre = OI_ENTIER) -> Resultats:
    with joue[0].reads.connection() as conn:
        return rechercher(conn, perimetre, texte)


@given(st.integers(0, 10**15))
def test_an_amount_is_read_as_it_is_written(centimes: int) -> None:
    assert montant_lu(euros(centimes)) == centimes
    assert montant_lu(f"{centimes // 100}.{centimes % 100:02d}") == centimes


@pytest.mark.parametrize(
    ("texte", "centimes"),
    [
        ("1 234,56", 123456),
        ("1.234,56", 123456),
        ("1234", 123400),
        ("12,5", 1250),
        ("12,345", None),
        ("FA-12", None),
        ("", None),
        ("9" * 30, None),
    ],
)
def test_what_is_an_amount(texte: str, centimes: int | None) -> None:
    assert montant_lu(texte) == centimes


def test_accents_and_capitals_do_not_hide_a_name() -> None:
    assert plier("  Émile   ZOLA’s ") == "emile zola's"


def test_numbers_names_pieces_and_amounts_are_found(joue: tuple[Service, Vie]) -> None:
    _, vie = joue
    [dossier] = trouver(joue, DU).dossiers
    assert (dossier.numero_mdfse, dossier.exact) == (DU, True)
    assert {d.numero_mdfse for d in trouver(joue, "2022000").dossiers} >= {DU, VIRE, AILLEURS}
    [convention] = trouver(joue, f"c-{DU}").conventions
    assert convention.exact
    beneficiaire = vie.operation(DU).beneficiaire
    assert beneficiaire.siret in {
        b.siret for b in trouver(joue, beneficiaire.nom[3:]).beneficiaires
    }
    [sien] = trouver(joue, beneficiaire.siret).beneficiaires
    assert sien.exact
    depenses = trouver(joue, "80 000,00").depenses
    assert {d.numero_mdfse for d in depenses} >= {DU, VIRE, AILLEURS}
    assert {d.montant for d in depenses} == {80_000_00}
    une = depenses[0]
    assert une.id in {d.id for d in trouver(joue, une.piece_ref.lower()).depenses}
    assert une.id in {d.id for d in trouver(joue, une.tiers_ref).depenses}
    paiements = trouver(joue, "40 000,00 €").paiements
    assert {p.numero_mdfse for p in paiements} >= {ORDONNE, VIRE, AILLEURS}
    vire = next(p for p in paiements if p.numero_mdfse == VIRE)
    with joue[0].reads.connection() as conn:
        [lu] = payes(conn, OI_ENTIER, recherche=VIRE).lignes
    assert lu.id == vire.id
    assert lu.reference is not None
    par_reference = trouver(joue, lu.reference.lower()).paiements
    assert lu.id in {p.id for p in par_reference}
    assert all(p.exact for p in par_reference)


@pytest.mark.parametrize("texte", ["", "a", "%", "__", "\0\0\0", "%%%", "'; --", "\\", "x" * 5000])
def test_what_is_no_search_finds_nothing(joue: tuple[Service, Vie], texte: str) -> None:
    assert trouver(joue, texte).nombre == 0


def test_a_plie_finds_its_own_and_no_other(joue: tuple[Service, Vie]) -> None:
    sien = Perimetre(frozenset(("B",)))
    for texte in ("2022000", "80 000,00", "40 000,00", "C-2022"):
        lus = trouver(joue, texte, sien)
        trouves = {
            x.numero_mdfse
            for groupe in (lus.dossiers, lus.conventions, lus.depenses, lus.paiements)
            for x in groupe
        }
        assert trouves == {AILLEURS}, texte
    assert trouver(joue, DU, sien).nombre == 0


def test_one_exact_number_leads_to_its_page(client: TestClient) -> None:
    for texte in (DU, f"C-{DU}", f"  c-{DU.lower()} "):
        answer = client.get("/recherche", params={"q": texte}, headers=COMPTABLE)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/dossiers/{DU}")


def test_the_page_shows_what_was_found_kind_by_kind(client: TestClient) -> None:
    html = client.get("/recherche", params={"q": "40 000,00"}, headers=COMPTABLE).text
    assert "<h2" in html
    assert "Paiements" in html
    assert "Solde de 40\u00a0000,00\u00a0€" in unescape(html)
    html = client.get("/recherche", params={"q": "<b>rien</b>"}, headers=COMPTABLE).text
    assert "Rien ne répond." in html
    assert "<b>rien</b>" not in html
    assert "Que cherchez-vous" in client.get("/recherche", headers=COMPTABLE).text


def test_suggestions_are_a_fragment_of_few_lines(client: TestClient) -> None:
    html = client.get("/recherche/suggestions", params={"q": "2022000"}, headers=COMPTABLE).text
    assert "<html" not in html
    assert html.count("/dossiers/2022") == 3
    assert "/recherche?q=2022000" in html
    assert client.get("/recherche/suggestions", headers=COMPTABLE).text.strip() == ""


def test_every_page_has_the_search_and_says_its_accessibility(client: TestClient) -> None:
    html = client.get("/paiements", headers=COMPTABLE).text
    assert 'role="search"' in html
    assert 'id="recherche-globale"' in html
    assert "partiellement conforme" in html
    # Whoever may read no dossier has nothing to search.
    administrateur = {"OI-Acteur": "administrateur-1", "OI-Role": "administrateur"}
    assert "recherche-globale" not in client.get("/compte", headers=administrateur).text
    assert client.get("/recherche?q=x", headers=administrateur).status_code == 403


def test_help_is_about_what_one_may_do(client: TestClient) -> None:
    html = client.get("/aide", headers=COMPTABLE).text
    assert "Préparez ce que les contrôles rendent dû" in html
    assert "Ordonnancez" not in html
    assert 'href="/administration/comptes"' not in html
    assert client.get("/accessibilite").status_code == 200


def test_a_word_leads_to_the_glossary(client: TestClient) -> None:
    html = client.get("/glossaire", headers=COMPTABLE).text
    for code in GLOSSAIRE:
        assert html.count(f'id="{code}"') == 1, code
    assert len(GLOSSAIRE) == sum(len(termes) for termes in CHAPITRES.values())
    lien = str(terme("csf", "<contrôles>"))
    assert 'href="/glossaire#csf"' in lien
    assert "&lt;contrôles&gt;</a>" in lien


def test_an_amount_leads_to_where_it_comes_from() -> None:
    assert provenance_url("fse_paye", plie="A", annee=2021, au=None, connu_le="") == (
        "/provenance?mesure=fse_paye&plie=A&annee=2021"
    )
