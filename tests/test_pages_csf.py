"""The pages of controls: what waits for whom, a bilan controlled line by line, its report."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest
from bases import base_neuve
from fastapi.testclient import TestClient
from formulaires import formulaires
from httpx2 import Response
from portier import PortierDEssai
from vie import Vie

from api.app import create_app
from oi_service.app import open_service
from oi_service.lieux import Lieux
from projections.csf import BilanEnControle, bilans_en_controle, lire_controle, lire_controle_de
from projections.perimetre import OI_ENTIER, Perimetre

FRAGMENT = {"HX-Request": "true", "HX-Target": "div#csf-ligne"}
GESTIONNAIRE = {"OI-Role": "gestionnaire_oi", "OI-Acteur": "gestionnaire-1"}
VALIDEUR = {"OI-Role": "valideur_oi", "OI-Acteur": "valideur-1"}


class Champs(HTMLParser):
    """The hidden fields of the forms of a page, the last one of each name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.lus: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        lus = dict(attrs)
        if tag == "input" and lus.get("type") == "hidden":
            self.lus[lus["name"] or ""] = lus.get("value") or ""


@pytest.fixture(scope="module")
def vie(serveur: str, modele: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vie]:
    with (
        base_neuve(serveur, modele) as base,
        open_service(base, Lieux.sous(tmp_path_factory.mktemp("lieux"))) as service,
    ):
        joue = Vie(service)
        joue.subvention(fse_total="9000000.00")
        joue.tranche("3000000.00", "3000000.00")
        joue.enveloppe("A", "1500000.00")
        joue.enveloppe("B", "1500000.00")
        joue.appel(({}, {"code": "B1", "plie": "B"}))
        for nom, le in (("L1", date(2022, 4, 3)), ("L2", date(2022, 4, 1))):
            joue.jusqu_au_demarrage(nom)
            joue.bilan(nom, ["500.00"], le=le)
        bilan_ouvert(joue, "L3", fiche="B1")
        bilan_ouvert(joue, "P0")
        joue.http = TestClient(create_app(service, PortierDEssai()))  # type: ignore[attr-defined]
        yield joue


@pytest.fixture(scope="module")
def http(vie: Vie) -> TestClient:
    client: TestClient = vie.http  # type: ignore[attr-defined]
    return client


def bilan_ouvert(
    vie: Vie, nom: str, nombre: int = 3, fiche: str = "A1", premiere: dict[str, str] | None = None
) -> str:
    """Open the control of a bilan of ``nombre`` dépenses; return its page."""
    vie.jusqu_au_demarrage(nom, fiche=fiche)
    pieces = [f"{nom}-{rang}" for rang in range(nombre)]
    lignes = [{"piece_ref": p, "montant_impute": "1000.00"} for p in pieces]
    lignes[0] |= premiere or {}
    vie.bilan(nom, lignes)
    vie.ouverture_controle(nom)
    return page_de(vie, nom)


def page_de(vie: Vie, nom: str) -> str:
    [bilan] = vie.convention(nom).bilans.values()
    assert bilan.csf is not None
    return f"/dossiers/{nom}/csf/{bilan.csf.csf_id}"


def texte(reponse: Response) -> str:
    """Return what a page says, without its marks."""
    sans_tetes = re.sub(r"<(script|style)\b.*?</\1>", "", reponse.text, flags=re.DOTALL)
    dit = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", sans_tetes)).replace("&nbsp;", " ")
    return re.sub(r"\s+", " ", dit.replace("\u00a0", " ").replace("\u202f", " "))


def decider(
    http: TestClient,
    page: str,
    depense: UUID,
    tetes: dict[str, str] | None = None,
    **saisie: str,
) -> Response:
    """Fill the form of a line as it is shown, and send it."""
    champs = Champs(http.get(page, params={"ligne": str(depense)}, headers=GESTIONNAIRE).text).lus
    return http.post(
        f"{page}/lignes",
        data=champs | saisie,
        headers=GESTIONNAIRE | (tetes or {}),
        follow_redirects=False,
    )


# --- The list ------------------------------------------------------------------------------------


def test_what_waits_for_the_reader_comes_first_then_the_oldest(vie: Vie, http: TestClient) -> None:
    shown = texte(http.get("/controles", headers=GESTIONNAIRE))
    assert shown.index("Ce qui vous attend") < shown.index("L2 · n° 1") < shown.index("L1 · n° 1")
    assert "Juger recevable" in shown
    assert "0 sur 3 dépenses contrôlé par gestionnaire-1" in shown
    for_another = texte(http.get("/controles", headers=VALIDEUR))
    assert "Ce qui vous attend" not in for_another
    assert "Juger recevable" not in for_another


def test_filters_keep_a_plie_an_etape_and_mine(vie: Vie, http: TestClient) -> None:
    shown = texte(http.get("/controles", params={"plie": "B"}, headers=GESTIONNAIRE))
    assert "L3 · n° 1" in shown
    assert "L1 · n° 1" not in shown
    shown = texte(http.get("/controles", params={"etape": "controle"}, headers=GESTIONNAIRE))
    assert "L3 · n° 1" in shown
    assert "L1 · n° 1" not in shown
    autre = GESTIONNAIRE | {"OI-Acteur": "gestionnaire-9"}
    shown = texte(http.get("/controles", params={"miens": "oui"}, headers=autre))
    assert "Aucun bilan ne répond à ces filtres." in shown


def test_the_list_stands_at_two_dates(vie: Vie, http: TestClient) -> None:
    avant = texte(http.get("/controles", params={"au": "2022-04-07"}, headers=GESTIONNAIRE))
    assert "L3 · n° 1" in avant
    assert "À contrôler" in avant
    assert "Ouvrir le contrôle" not in avant, "nothing is done in the past"
    assert "Aucun bilan n’attend" in texte(
        http.get("/controles", params={"au": "2022-03-01"}, headers=GESTIONNAIRE)
    )


def test_a_bilan_that_never_came_is_claimed_from_here(vie: Vie, http: TestClient) -> None:
    vie.jusqu_au_demarrage("L4")
    shown = http.get("/controles", headers=GESTIONNAIRE)
    assert "Bilans qui ne sont pas venus" in texte(shown)
    assert f"/actes/reclamer_bilan/{vie.id('L4')}" in shown.text


# --- The two panes -------------------------------------------------------------------------------


def test_a_line_is_a_link_and_its_decision_a_form(vie: Vie, http: TestClient) -> None:
    page = bilan_ouvert(vie, "P1")
    premiere, seconde, _ = (vie.piece("P1", f"P1-{rang}") for rang in range(3))
    shown = http.get(page, headers=GESTIONNAIRE)
    assert f'href="{page}?ligne={seconde}"' in shown.text
    assert shown.headers["content-security-policy"].endswith("; frame-src 'self'")
    assert "À décider 3 000,00 € 3 lignes" in texte(shown)
    sent = decider(http, page, premiere, choix="retenir", commentaire="Vu le bulletin")
    assert sent.status_code == 303
    assert sent.headers["location"] == f"{page}?ligne={seconde}&decidee={premiere}"
    shown = texte(http.get(sent.headers["location"], headers=GESTIONNAIRE))
    assert "P1-0 : retenue." in shown
    assert "À décider 2 000,00 € 2 lignes" in shown
    decision = texte(http.get(f"{page}?ligne={premiere}", headers=GESTIONNAIRE))
    assert "Retenue en entier" in decision
    assert "« Vu le bulletin »" in decision


def test_a_part_is_set_aside_with_its_motif(vie: Vie, http: TestClient) -> None:
    page = bilan_ouvert(vie, "P2")
    depense = vie.piece("P2", "P2-0")
    decider(http, page, depense, choix="ecarter", montant="250,50 €", motif="PIECE_ABSENTE")
    shown = texte(http.get(page, params={"voir": "ecartees"}, headers=GESTIONNAIRE))
    assert "Écartée en partie" in shown
    assert "250,50 € écartés" in shown
    assert "Écarté 250,50 €" in shown
    assert "Retenu 749,50 €" in shown


@pytest.mark.parametrize(
    ("saisie", "dit"),
    [
        ({"montant": "12"}, "Choisissez de retenir ou d’écarter."),
        ({"choix": "ecarter", "montant": "douze", "motif": "PIECE_ABSENTE"}, "pas un montant"),
        ({"choix": "ecarter", "montant": "0", "motif": "PIECE_ABSENTE"}, "Indiquez le montant"),
        ({"choix": "ecarter", "montant": "10", "motif": ""}, "Choisissez le motif"),
        ({"choix": "ecarter", "montant": "1001", "motif": "PIECE_ABSENTE"}, "ne peuvent pas être"),
    ],
)
def test_what_is_typed_and_refused_is_kept(
    vie: Vie, http: TestClient, saisie: dict[str, str], dit: str
) -> None:
    page, depense = page_de(vie, "P0"), vie.piece("P0", "P0-1")
    for tetes in ({}, FRAGMENT):
        sent = decider(http, page, depense, tetes, commentaire="Gardé", **saisie)
        assert sent.status_code in {409, 422}
        assert dit in texte(sent)
        assert ">Gardé</textarea>" in sent.text
        assert f'value="{saisie["montant"]}"' in sent.text
    assert vie.convention("P0").fse_du == 0


def test_a_line_decided_meanwhile_is_not_decided_again_unseen(vie: Vie, http: TestClient) -> None:
    page = bilan_ouvert(vie, "P4")
    depense = vie.piece("P4", "P4-0")
    champs = Champs(http.get(f"{page}?ligne={depense}", headers=GESTIONNAIRE).text).lus
    vie.lignes("P4", 1, {depense: {"montant_ecarte": "1000.00", "motif_code": "NON_ACQUITTEE"}})
    sent = http.post(f"{page}/lignes", data=champs | {"choix": "retenir"}, headers=GESTIONNAIRE)
    assert sent.status_code == 409
    assert "P4-0 a changé pendant que vous l’examiniez" in texte(sent)
    assert "1 000,00 € écartés" in texte(sent)


def test_a_stale_page_says_what_was_recorded_meanwhile(vie: Vie, http: TestClient) -> None:
    page = bilan_ouvert(vie, "P5")
    depense = vie.piece("P5", "P5-0")
    champs = Champs(http.get(f"{page}?ligne={depense}", headers=GESTIONNAIRE).text).lus
    vie.grille("P5")
    envoi = champs | {"choix": "retenir", "commentaire": "Relu"}
    sent = http.post(f"{page}/lignes", data=envoi, headers=GESTIONNAIRE)
    assert sent.status_code == 412
    assert "Depuis que vous lisez cette page : 02/05/2022, gestionnaire-1" in texte(sent)
    assert ">Relu</textarea>" in sent.text
    again = http.post(
        f"{page}/lignes",
        data=envoi | Champs(sent.text).lus,
        headers=GESTIONNAIRE,
        follow_redirects=False,
    )
    assert again.status_code == 303


def test_scripts_get_the_pane_the_totals_and_the_line_alone(vie: Vie, http: TestClient) -> None:
    page = bilan_ouvert(vie, "P6")
    premiere = vie.piece("P6", "P6-0")
    sent = decider(http, page, premiere, FRAGMENT, choix="retenir")
    fragment = http.get(sent.headers["location"], headers=GESTIONNAIRE | FRAGMENT)
    assert fragment.text.count("hx-swap-oob") == 3
    assert "<html" not in fragment.text
    assert f'id="ligne-{premiere}"' in fragment.text
    assert "P6-1" in texte(fragment)


def test_lines_without_defect_are_retained_together_once_confirmed(
    vie: Vie, http: TestClient
) -> None:
    page = bilan_ouvert(vie, "P7", 4, premiere={"date_acquittement": "2023-06-01"})
    a_confirmer = http.get(page, params={"confirmer": "sans-anomalie"}, headers=GESTIONNAIRE)
    champs = Champs(a_confirmer.text).lus
    nombre = int(champs["groupe"])
    assert nombre == 3, "the one paid too late is decided on its own"
    assert f"Retenir les {nombre} lignes" in texte(a_confirmer)
    fewer = http.post(
        f"{page}/lignes", data=champs | {"groupe": str(nombre + 1)}, headers=GESTIONNAIRE
    )
    assert fewer.status_code == 422
    assert "ont changé : relisez leur nombre" in texte(fewer)
    done = http.post(f"{page}/lignes", data=champs, headers=GESTIONNAIRE)
    assert "C’est enregistré : Contrôler des dépenses." in texte(done)
    assert "À décider 1 000,00 € 1 ligne" in texte(done)
    retenues = texte(http.get(page, params={"voir": "a_decider"}, headers=GESTIONNAIRE))
    assert "1 anomalie" in retenues


def test_who_may_not_control_sees_no_form(vie: Vie, http: TestClient) -> None:
    shown = http.get(page_de(vie, "P0"), headers={"OI-Role": "auditeur", "OI-Acteur": "auditeur-1"})
    assert shown.status_code == 200
    assert "csf-decision" not in shown.text
    refused = http.post(
        f"{page_de(vie, 'P0')}/lignes", headers={"OI-Role": "auditeur", "OI-Acteur": "auditeur-1"}
    )
    assert refused.status_code == 403


def test_a_control_that_nobody_knows_leads_back(vie: Vie, http: TestClient) -> None:
    page = page_de(vie, "P0")
    for ailleurs in (page.replace("P0", "L3"), page.replace("P0", "rien")):
        for suite in ("", "/rapport"):
            shown = http.get(ailleurs + suite, headers=GESTIONNAIRE)
            assert shown.status_code == 404
            assert "Revenir aux contrôles" in texte(shown)
        assert http.post(f"{ailleurs}/lignes", headers=GESTIONNAIRE).status_code == 404
        assert http.post(f"{ailleurs}/grille", headers=GESTIONNAIRE).status_code == 404


# --- The rest of the control ---------------------------------------------------------------------


def test_the_checklist_is_filled_at_once_and_keeps_what_is_refused(
    vie: Vie, http: TestClient
) -> None:
    page = bilan_ouvert(vie, "G1")
    shown = http.get(page, params={"onglet": "grille"}, headers=GESTIONNAIRE)
    assert shown.text.count('class="csf-point"') == 17
    champs = Champs(shown.text).lus
    empty = http.post(
        f"{page}/grille", data=champs | {"commentaire-3": "Noté"}, headers=GESTIONNAIRE
    )
    assert empty.status_code == 422
    assert 'value="Noté"' in empty.text
    sent = http.post(
        f"{page}/grille",
        data=champs | {"reponse-1": "conforme", "reponse-6": "non_conforme", "commentaire-6": "X"},
        headers=GESTIONNAIRE,
    )
    assert "C’est enregistré" in texte(sent)
    conclusion = texte(http.get(page, params={"onglet": "conclusion"}, headers=GESTIONNAIRE))
    assert "Remplir la grille de contrôle 2 points sur 17" in conclusion


def test_a_disabled_act_says_why_in_the_words_of_the_decision(vie: Vie, http: TestClient) -> None:
    page = bilan_ouvert(vie, "C1", 1)
    conclusion = {"onglet": "conclusion"}
    shown = texte(http.get(page, params=conclusion, headers=GESTIONNAIRE))
    assert "Il manque la décision de 1 dépense du bilan" in shown
    assert "La validation revient à une personne qui tient le rôle de valideur" in shown
    decider(http, page, vie.piece("C1", "C1-0"), choix="retenir")
    shown = http.get(page, params=conclusion, headers=GESTIONNAIRE)
    assert f"/actes/proposer_csf/{vie.id('C1')}" in shown.text
    both = {"OI-Acteur": "gestionnaire-1"}
    shown = texte(http.get(page, params=conclusion, headers=both))
    assert "Vous avez contrôlé ce bilan n° 1" in shown


def test_one_proposes_another_sends_back_then_validates(vie: Vie, http: TestClient) -> None:
    page = bilan_ouvert(vie, "C2", 2)
    for rang in range(2):
        decider(http, page, vie.piece("C2", f"C2-{rang}"), choix="retenir")
    agir(http, page, "proposer_csf", GESTIONNAIRE)
    who_controlled = VALIDEUR | {"OI-Acteur": "gestionnaire-1"}
    assert "Ce qui vous attend" not in texte(http.get("/controles", headers=who_controlled))
    waiting = texte(http.get("/controles", headers=VALIDEUR))
    assert waiting.index("Ce qui vous attend") < waiting.index("C2 · n° 1")
    agir(http, page, "renvoyer_csf", VALIDEUR, motif="Revoir la ligne C2-1")
    shown = texte(http.get(page, headers=GESTIONNAIRE))
    assert "par valideur-1 : Revoir la ligne C2-1" in shown
    assert "renvoyé le" in texte(http.get("/controles", headers=GESTIONNAIRE))
    refused = texte(http.get(page, params={"onglet": "conclusion"}, headers=VALIDEUR))
    assert "il se propose de nouveau avant d’être validé" in refused
    agir(http, page, "proposer_csf", GESTIONNAIRE)
    agir(http, page, "valider_csf", VALIDEUR)
    shown = texte(http.get(page, params={"onglet": "calcul"}, headers=VALIDEUR))
    assert "FSE dû au titre de ce contrôle" in shown
    assert "Validé" in shown
    rapport = texte(http.get(f"{page}/rapport", headers=VALIDEUR))
    assert "Rapport de contrôle de service fait" in rapport
    assert "Aucune dépense n’est écartée." in rapport


def agir(http: TestClient, page: str, acte: str, qui: dict[str, str], **saisie: str) -> None:
    """Do an act that the conclusion offers, by its form."""
    shown = http.get(page, params={"onglet": "conclusion"}, headers=qui)
    [adresse] = set(re.findall(rf'href="(/actes/{acte}/[^"]+)"', shown.text))
    form = http.get(adresse.replace("&amp;", "&"), headers=qui)
    le = re.search(r'name="date_effet"[^>]*value="([^"]+)"', form.text)
    assert le is not None
    done = http.post(
        adresse.partition("?")[0],
        data=Champs(form.text).lus | {"date_effet": le[1]} | saisie,
        headers=qui,
    )
    assert "C’est enregistré" in texte(done), texte(done)


def test_the_beneficiary_is_heard_before_money_is_set_aside(vie: Vie, http: TestClient) -> None:
    page = bilan_ouvert(vie, "C3", 1)
    decider(
        http, page, vie.piece("C3", "C3-0"), choix="ecarter", montant="1", motif="NON_ACQUITTEE"
    )
    phase = {"onglet": "contradictoire"}
    shown = texte(http.get(page, params=phase, headers=GESTIONNAIRE))
    assert "Notifiez d’abord les conclusions intermédiaires." in shown
    vie.conclusions("C3")
    shown = texte(http.get(page, params=phase, headers=GESTIONNAIRE))
    assert "02/05/2022" in shown
    assert "délai écoulé" in shown
    assert "sans réponse depuis le" in texte(http.get("/controles", headers=GESTIONNAIRE))
    vie.observations("C3")
    vie.conclusions_finales("C3")
    listed = texte(http.get("/controles", headers=GESTIONNAIRE))
    assert "conclusions finales du 02/05/2022 : à proposer" in listed


def test_every_tab_opens_before_and_after_the_validation(vie: Vie, http: TestClient) -> None:
    page = bilan_ouvert(vie, "C5", 1)
    for fini in (False, True):
        if fini:
            vie.controle("C5")
        for onglet in ("ressources", "echantillon", "grille", "calcul", "conclusion"):
            shown = http.get(page, params={"onglet": onglet}, headers=GESTIONNAIRE)
            assert shown.status_code == 200


def test_an_old_version_leads_to_the_one_that_stands(vie: Vie, http: TestClient) -> None:
    bilan_ouvert(vie, "C4", 1)
    ancienne = page_de(vie, "C4")
    vie.controle("C4")
    vie.reouverture_controle("C4")
    shown = texte(http.get(ancienne, headers=GESTIONNAIRE))
    assert "Rouvert, à contrôler de nouveau" in shown
    vie.ouverture_controle("C4")
    moved = http.get(ancienne, headers=GESTIONNAIRE, follow_redirects=False)
    assert moved.headers["location"] == page_de(vie, "C4")


# --- Three hundred lines -------------------------------------------------------------------------


@pytest.fixture
def requetes(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count what is asked to the database."""
    from psycopg import Cursor  # noqa: PLC0415 - what is replaced is found where it is

    asked: list[object] = []
    execute = Cursor.execute

    def counted(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(query)
        return execute(self, query, *args, **kwargs)

    monkeypatch.setattr(Cursor, "execute", counted)

    def depuis() -> int:
        nombre = len(asked)
        asked.clear()
        return nombre

    return depuis


def test_three_hundred_lines_cost_as_many_queries_as_three(
    vie: Vie, http: TestClient, requetes: Callable[[], int]
) -> None:
    petit, grand = page_de(vie, "P0"), bilan_ouvert(vie, "Q1", 300)
    ligne = vie.piece("Q1", "Q1-150")
    costs = {}
    for nom, page in (("petit", petit), ("grand", grand)):
        requetes()
        http.get(page, headers=GESTIONNAIRE)
        costs[nom] = requetes()
    http.get(f"{grand}?ligne={ligne}", headers=GESTIONNAIRE | FRAGMENT)
    costs["fragment"] = requetes()
    http.get("/controles", headers=GESTIONNAIRE)
    costs["liste"] = requetes()
    assert costs["grand"] == costs["petit"] <= 15
    assert costs["fragment"] <= 15
    assert costs["liste"] <= 5


# --- What the list is made of --------------------------------------------------------------------


def lire(vie: Vie, le: date, *plies: str) -> dict[str, BilanEnControle]:
    """Read the bilans on their way, by their dossier."""
    perimetre = Perimetre(frozenset(plies)) if plies else OI_ENTIER
    with vie.reads.connection() as conn:
        return {b.numero_mdfse: b for b in bilans_en_controle(conn, perimetre, le)}


def test_a_reader_of_a_plie_sees_its_bilans_only(vie: Vie) -> None:
    assert "L3" in lire(vie, date(2022, 6, 1), "B")
    assert "L1" not in lire(vie, date(2022, 6, 1), "B")
    assert not lire(vie, date(2022, 6, 1), "Z")
    with vie.reads.connection() as conn:
        ailleurs = Perimetre(frozenset({"Z"}))
        csf_id = UUID(page_de(vie, "P0").rpartition("/")[2])
        assert lire_controle(conn, ailleurs, "P0", csf_id) is None
        assert lire_controle_de(conn, ailleurs, vie.id("P0"), csf_id) is None


def test_days_of_an_interruption_do_not_count(vie: Vie, http: TestClient) -> None:
    bilan_ouvert(vie, "H1")
    assert not lire(vie, date(2022, 6, 30))["H1"].delai_depasse
    assert lire(vie, date(2022, 7, 1))["H1"].delai_depasse, "90 days after the 1st of April"
    vie.interruption_delai("H1", le=date(2022, 4, 11))
    bilan = lire(vie, date(2022, 9, 1))["H1"]
    assert (bilan.age, bilan.horloge.jours_consommes, bilan.delai_depasse) == (153, 10, False)
    assert "délai interrompu" in texte(http.get("/controles", headers=GESTIONNAIRE))
    vie.reprise_delai("H1", le=date(2022, 5, 1))
    assert lire(vie, date(2022, 9, 1))["H1"].echeance == date(2022, 7, 20)


def test_a_bilan_sent_back_waits_for_nobody(vie: Vie) -> None:
    vie.jusqu_au_demarrage("H2")
    vie.bilan("H2", ["10.00"])
    assert lire(vie, date(2022, 6, 1))["H2"].etape == "recevabilite"
    vie.renvoi("H2")
    assert "H2" not in lire(vie, date(2022, 6, 1))


def test_a_validated_control_stays_a_while_and_comes_back_once_opened_again(vie: Vie) -> None:
    bilan_ouvert(vie, "H3", 1)
    vie.controle("H3")
    valide = lire(vie, date(2022, 6, 1))["H3"]
    assert (valide.etape, valide.valideur, valide.en_retard) == ("valide", "valideur-1", False)
    vie.reouverture_controle("H3")
    assert lire(vie, date(2022, 10, 1))["H3"].etape == "ouverture"
    vie.ouverture_controle("H3")
    rouvert = lire(vie, date(2022, 10, 1))["H3"]
    assert (rouvert.etape, rouvert.csf_version, rouvert.decidees) == ("controle", 2, 1)


def test_what_is_shown_leaves_as_a_file(vie: Vie, http: TestClient) -> None:
    shown = http.get("/controles", params={"plie": "B", "retard": "oui"}, headers=GESTIONNAIRE)
    liens = re.findall(r'href="(/exports/csf\?[^"]+)"', shown.text)
    assert len(liens) == 3
    rfc = next(lien for lien in liens if "rfc4180" in lien).replace("&amp;", "&")
    lignes = http.get(rfc, headers=GESTIONNAIRE).text.splitlines()
    assert [ligne.split(",")[0] for ligne in lignes[1:]] == ["L3"]


def test_forms_start_from_what_the_bilan_holds(vie: Vie, http: TestClient) -> None:
    vie.jusqu_au_demarrage("F1")
    vie.bilan(
        "F1",
        [{"piece_ref": "F1-0", "montant_impute": "900.00", "marche_ref": "M-2021-1"}],
        ressources=[{"type": "publique_epci", "montant": "123.45"}],
        recettes_nettes="50.00",
    )
    vie.recevabilite_bilan("F1")
    ouvrir = http.get(f"/actes/ouvrir_csf/{vie.id('F1')}", headers=GESTIONNAIRE)
    assert "n° 1, final, déposé le 01/04/2022" in texte(ouvrir)
    [lu] = [f for f in formulaires(ouvrir.text) if "/actes/" in f.action]
    ouvert = http.post(lu.action, data=lu.remplir(), headers=GESTIONNAIRE, follow_redirects=False)
    # Whoever opens a control is led to it, through its bilan.
    [bilan] = vie.convention("F1").bilans
    assert ouvert.headers["location"] == f"/dossiers/F1/csf/{bilan}?fait=ouvrir_csf"
    suite = http.get(ouvert.headers["location"], headers=GESTIONNAIRE, follow_redirects=False)
    page = page_de(vie, "F1")
    assert suite.headers["location"] == f"{page}?fait=ouvrir_csf"
    csf = f"{vie.id('F1')}/{page.rpartition('/')[2]}"
    for acte, dit in (
        ("controler_ressources", "123,45"),
        ("controler_recettes", "50,00"),
        ("controler_realisations", "Contrôle du bilan n° 1, dossier n° F1"),
        ("tirer_echantillon", "ne prévoit pas l’extrapolation"),
        ("corriger_marche", "M-2021-1"),
        ("corriger_fse", "la convention n’en prévoit pas"),
        ("notifier_conclusions", "Dépenses décidées 0 sur 1"),
    ):
        form = http.get(f"/actes/{acte}/{csf}", headers=GESTIONNAIRE)
        assert form.status_code == 200
        assert dit in form.text.replace("\u00a0", " ") or dit in texte(form), acte
    marches = texte(http.get(page, params={"onglet": "echantillon"}, headers=GESTIONNAIRE))
    assert "M-2021-1 1 900,00 €" in marches
    ressources = texte(http.get(page, params={"onglet": "ressources"}, headers=GESTIONNAIRE))
    assert "Financeur fictif" in ressources
    assert "50,00 € déclarés, à décider" in ressources


def test_a_control_is_read_as_it_was_and_nothing_is_done_there(vie: Vie, http: TestClient) -> None:
    page = bilan_ouvert(vie, "S1", 2)
    depense = vie.piece("S1", "S1-0")
    decider(http, page, depense, choix="retenir")
    avant = http.get(page, params={"au": "2022-04-10"}, headers=GESTIONNAIRE)
    assert "Situation au 10/04/2022" in texte(avant)
    assert "À décider 2 000,00 € 2 lignes" in texte(avant)
    assert "Les tests portent sur la situation actuelle seulement." in texte(avant)
    assert "csf-decision" not in avant.text
    assert f"{page}?ligne={depense}&amp;au=2022-04-10" in avant.text
    fragment = http.get(
        page,
        params={"au": "2022-04-10", "ligne": str(depense)},
        headers=GESTIONNAIRE | FRAGMENT,
    )
    assert "À décider 2 000,00 €" in texte(fragment)
    for onglet in ("ressources", "grille", "contradictoire", "calcul", "conclusion"):
        then = {"onglet": onglet, "au": "2022-04-10"}
        shown = http.get(page, params=then, headers=GESTIONNAIRE)
        assert shown.status_code == 200
        assert "/actes/" not in shown.text
    trop_tot = http.get(page, params={"au": "2022-04-01"}, headers=GESTIONNAIRE)
    assert trop_tot.status_code == 404
    assert "Ce contrôle n’est pas ouvert" in texte(trop_tot)
    illisible = http.get(page, params={"au": "hier"}, headers=GESTIONNAIRE)
    assert illisible.status_code == 422
