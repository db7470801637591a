"""Payments over the whole territory: the lists, the sums, the forms that they lead to."""

import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from uuid import UUID

import pytest
from bases import base_neuve
from fastapi.testclient import TestClient
from paiements_joues import (
    AILLEURS,
    DU,
    INDU,
    ORDONNE,
    PREPARE,
    REJETE,
    VIRE,
    paiements_joues,
)
from portier import PortierDEssai
from vie import Vie

from aggregates.convention.paiements import reste_a_regler
from api.app import create_app
from oi_service.app import open_service
from oi_service.application import Service
from oi_service.ids import new_id
from projections import paiements as projection
from projections import reversements as projection_reversements
from projections.horloges import horloges
from projections.perimetre import OI_ENTIER, Perimetre
from projections.situation import Situation

GESTIONNAIRE = {"OI-Acteur": "gestionnaire-1", "OI-Role": "gestionnaire_oi"}
COMPTABLE = {"OI-Acteur": "comptable-1", "OI-Role": "comptable_oi"}
ORDONNATEUR = {"OI-Acteur": "ordonnateur-1", "OI-Role": "ordonnateur_oi"}
AUDITEUR = {"OI-Acteur": "auditeur-1", "OI-Role": "auditeur"}


@pytest.fixture(scope="module")
def joue(serveur: str, modele: str) -> Iterator[tuple[Service, Vie]]:
    with paiements_joues(serveur, modele) as joue:
        yield joue


@pytest.fixture(scope="module")
def vie(joue: tuple[Service, Vie]) -> Vie:
    return joue[1]


@pytest.fixture(scope="module")
def client(joue: tuple[Service, Vie]) -> Iterator[TestClient]:
    app = create_app(joue[0], PortierDEssai())
    with TestClient(app, follow_redirects=False) as made:
        yield made


def lire(client: TestClient, adresse: str, qui: dict[str, str] = COMPTABLE) -> str:
    """Return a page as a person reads it, on one line."""
    answer = client.get(adresse, headers=qui)
    assert answer.status_code == 200, answer.text
    return plat(answer.text)


def plat(html: str) -> str:
    return " ".join(unescape(html).replace("\u00a0", " ").split())


def texte(html: str) -> str:
    """Return what a page says, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def liens(html: str, acte: str) -> list[str]:
    return re.findall(rf'href="(/actes/{acte}/[^"]+)"', html)


# --- What is due ---------------------------------------------------------------------------------


def test_what_is_due_and_not_prepared_is_the_sum_that_decisions_settle(vie: Vie) -> None:
    with vie.reads.connection() as conn:
        dus = {d.numero_mdfse: d for d in projection.a_preparer(conn, OI_ENTIER)}
    assert {DU, REJETE} <= set(dus)
    assert not {PREPARE, ORDONNE, VIRE, INDU, AILLEURS} & set(dus)
    du = dus[DU]
    assert {t.code: t.montant for t in du.termes} == {"fse_du": 40_000_00, "avances": -15_000_00}
    convention = vie.convention(DU)
    regle = reste_a_regler(convention, convention.engage, final=True)
    assert du.montant == regle.a_payer_centimes == 25_000_00
    assert (du.type, du.bilan_numero, du.valide_par) == ("solde", 1, "valideur-1")
    [refait] = dus[REJETE].a_refaire
    assert (refait.type, refait.montant) == ("solde", 40_000_00)


def test_before_its_control_nothing_is_due(vie: Vie) -> None:
    avant = Situation(effet_au=date(2022, 3, 31))
    with vie.reads.connection() as conn:
        assert projection.a_preparer(conn, OI_ENTIER, avant) == ()
        seules = projection.paiements(conn, OI_ENTIER, avant).lignes
    assert {(p.numero_mdfse, p.type, p.statut) for p in seules} == {
        (DU, "avance", "ordonnance"),
        (INDU, "avance", "ordonnance"),
    }


@pytest.mark.parametrize(
    ("operation", "imputation", "depense", "termes"),
    [
        ("202200018", "immediate", "70000.00", {"fse_du", "retenu_jusqu_au_solde", "avances"}),
        ("202200019", "sur_solde", "50000.00", {"fse_du", "avances", "avance_au_solde"}),
    ],
)
def test_the_terms_add_up_to_what_the_convention_lets_leave_before_the_solde(
    vie: Vie, operation: str, imputation: str, depense: str, termes: set[str]
) -> None:
    choix = {"plafond_avant_solde_pct": "60", "imputation_avance": imputation}
    vie.jusqu_au_demarrage(operation, convention={"parametres": choix})
    vie.paiement(operation, "10000.00", type="avance", le=date(2022, 2, 1))
    vie.bilan(operation, (depense,), type="intermediaire")
    vie.controle(operation)

    def du() -> tuple[projection.APreparer, ...]:
        with vie.reads.connection() as conn:
            return projection.a_preparer(conn, OI_ENTIER, operation_id=vie.id(operation))

    [trouve] = du()
    convention = vie.convention(operation)
    regle = reste_a_regler(convention, convention.engage, final=False)
    assert trouve.montant == sum(t.montant for t in trouve.termes) == regle.a_payer_centimes
    assert {t.code for t in trouve.termes} == termes
    assert trouve.type == "acompte"
    vie.preparation(operation, "20000.00", type="acompte")
    assert du() == ()


# --- Where payments stand ------------------------------------------------------------------------


def test_each_payment_is_in_one_list(vie: Vie) -> None:
    attendus = {
        "prepare": {PREPARE},
        "ordonnance": {ORDONNE},
        "rejete": {REJETE},
    }
    with vie.reads.connection() as conn:
        for statut, dossiers in attendus.items():
            page = projection.paiements(conn, OI_ENTIER, statuts=[statut])  # type: ignore[list-item]
            assert dossiers <= {p.numero_mdfse for p in page.lignes}, statut
            assert all(p.statut == statut for p in page.lignes)
        nombres = projection.nombres_par_statut(conn, OI_ENTIER)
        [vire] = projection.paiements(conn, OI_ENTIER, recherche=VIRE).lignes
    assert nombres["rejete"] == projection.Nombre(1, 40_000_00)
    assert (vire.prepare_par, vire.ordonnance_par) == ("comptable-1", "ordonnateur-1")
    assert (vire.fse_du, vire.paye_avant, vire.bilan_numero) == (40_000_00, 0, 1)


def test_pages_of_a_list_hold_every_payment_once_in_every_order(vie: Vie) -> None:
    with vie.reads.connection() as conn:
        tous = {p.id for p in projection.paiements(conn, OI_ENTIER, limite=200).lignes}
        for tri in ("le", "montant", "beneficiaire", "numero"):
            for ordre in ("asc", "desc"):
                vus: list[UUID] = []
                cles: list[tuple[str, int]] = []
                apres = None
                while True:
                    page = projection.paiements(
                        conn, OI_ENTIER, tri=tri, ordre=ordre, limite=3, apres=apres
                    )
                    vus += [p.id for p in page.lignes]
                    cles += [(p.cle, p.position) for p in page.lignes]
                    apres = page.suivant
                    if apres is None:
                        break
                assert len(vus) == len(set(vus))
                assert set(vus) == tous
                assert cles == sorted(cles, reverse=ordre == "desc")


def test_a_plie_sees_its_own_payments_and_no_other(vie: Vie) -> None:
    sien = Perimetre(frozenset(("B",)))
    with vie.reads.connection() as conn:
        assert {p.numero_mdfse for p in projection.paiements(conn, sien).lignes} == {AILLEURS}
        assert projection.a_preparer(conn, sien) == ()
        assert projection_reversements.ordres(conn, sien).lignes == ()
        assert projection.plies(conn, sien) == (("B", "PLIE B"),)
        certifies = projection_reversements.certifications(conn, sien).lignes
    assert {c.numero_mdfse for c in certifies} == {AILLEURS}


def test_a_clock_can_be_read_for_some_operations(vie: Vie) -> None:
    le = date(2022, 5, 15)
    with vie.reads.connection() as conn:
        toutes = horloges(conn, OI_ENTIER, le)
        une = horloges(conn, OI_ENTIER, le, operations=[vie.id(DU)])
    assert une == tuple(h for h in toutes if h.operation_id == vie.id(DU))
    assert len(une) == 1 < len(toutes)


# --- The page ------------------------------------------------------------------------------------


def test_the_page_shows_the_sum_that_makes_the_amount(client: TestClient) -> None:
    html = lire(client, f"/paiements?recherche={DU}")
    dit = texte(html)
    assert "FSE dû, CSF du bilan n° 1 40 000,00 €" in dit
    assert "− avance versée 15 000,00 €" in dit
    assert "= à payer 25 000,00 €" in dit
    assert "contrôle validé le 02/05/2022 par valideur-1" in dit
    assert "/provenance?mesure=fse_paye&operation=" in html
    assert liens(html, "preparer_paiement")


def test_who_prepared_is_told_why_they_cannot_order(client: TestClient, vie: Vie) -> None:
    adresse = f"/paiements?etape=a-ordonnancer&recherche={PREPARE}"
    html = lire(client, adresse, ORDONNATEUR)
    [lien] = liens(html, "ordonnancer_paiement")
    assert str(vie.id(PREPARE)) in lien
    html = lire(client, adresse, ORDONNATEUR | {"OI-Acteur": "comptable-1"})
    assert not liens(html, "ordonnancer_paiement")
    assert "Vous avez préparé ce paiement le 10/05/2022 : une autre personne l’ordonnance." in html
    # Whoever only reads is told whom it waits for.
    html = lire(client, adresse, AUDITEUR)
    assert "Attend l’ordonnateur" in texte(html)
    assert "/actes/" not in html


def test_each_step_offers_its_acts(client: TestClient) -> None:
    html = lire(client, "/paiements?etape=a-virer")
    assert len(liens(html, "effectuer_paiement")) == len(liens(html, "annuler_paiement")) == 1
    html = lire(client, f"/paiements?etape=envoyes&recherche={VIRE}")
    assert len(liens(html, "acquitter_paiement")) == len(liens(html, "rejeter_paiement")) == 1
    assert "Confirmation attendue" in html
    html = lire(client, "/paiements?etape=rejetes")
    assert "Rejeté, à refaire" in html
    assert len(liens(html, "preparer_paiement")) == 1
    html = lire(client, "/paiements?etape=delais", GESTIONNAIRE)
    assert "Dépassé de" in html
    assert liens(html, "interrompre_delai")


def test_the_accountant_with_nothing_to_prepare_begins_with_what_is_to_pay(
    serveur: str, modele: str, client: TestClient
) -> None:
    courante = r'aria-current="page">([^<]+?) <span class="compteur">'
    assert "À préparer" in re.findall(courante, lire(client, "/paiements"))
    with base_neuve(serveur, modele) as base, open_service(base) as service:
        vie = Vie(service)
        vie.subvention(fse_total="9000000.00")
        vie.tranche("1500000.00", "1500000.00")
        vie.enveloppe("A", "1000000.00")
        vie.appel()
        vie.jusqu_au_demarrage(ORDONNE)
        vie.bilan(ORDONNE)
        vie.controle(ORDONNE)
        vie.ordonnancement(ORDONNE, "40000.00")
        vie.jusqu_au_demarrage(INDU)
        vie.paiement(INDU, "15000.00", type="avance", le=date(2022, 2, 1))
        vie.bilan(INDU, ("20000.00",))
        vie.controle(INDU)
        vie.ordre_reversement(INDU, "5000.00")
        with TestClient(create_app(service, PortierDEssai())) as seul:
            assert "À virer" in re.findall(courante, lire(seul, "/paiements"))
            # What is asked by name is shown, empty or not.
            vide = lire(seul, "/paiements?etape=a-preparer")
            assert "Rien n’est à préparer." in vide
            # So are the orders to pay back.
            assert "Émis" in re.findall(courante, lire(seul, "/paiements/reversements"))
            vide = lire(seul, "/paiements/reversements?liste=a-emettre")
            assert "Rien n’est à réclamer." in vide


def test_another_situation_is_read_only(client: TestClient) -> None:
    html = lire(client, "/paiements?etape=a-virer&au=2022-05-11")
    assert "Situation au 11/05/2022" in html
    assert ORDONNE in html
    assert "/actes/" not in html
    assert client.get("/paiements?au=hier", headers=COMPTABLE).status_code == 422


def test_filters_are_kept_and_an_empty_list_says_what_to_do(client: TestClient) -> None:
    html = lire(client, "/paiements?etape=envoyes&plie=B")
    assert AILLEURS in html
    assert VIRE not in html
    html = lire(client, "/paiements?etape=envoyes&recherche=introuvable&type=solde")
    assert "Rien ne répond à ces filtres." in html
    assert 'value="introuvable"' in html
    # A cut address shows the list from its beginning.
    assert VIRE in lire(client, "/paiements?etape=envoyes&apres=xyz")


# --- The forms -----------------------------------------------------------------------------------


def test_the_form_that_prepares_never_asks_for_the_amount(client: TestClient, vie: Vie) -> None:
    [lien] = liens(lire(client, f"/paiements?recherche={DU}"), "preparer_paiement")
    html = client.get(lien, headers=COMPTABLE).text
    champs = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html))
    assert champs["montant"].replace("\u00a0", "").replace("&nbsp;", "") == "25000,00"
    assert champs["type"] == "solde"
    assert champs["csf_id"]
    assert "25 000,00 €" in plat(html)
    assert not re.search(r'<input[^>]*class="form-control[^>]*name="montant"', html)


def test_what_the_bank_sent_back_is_paid_again_first(client: TestClient, vie: Vie) -> None:
    [paiement_id] = vie.convention(REJETE).paiements
    html = client.get(f"/actes/preparer_paiement/{vie.id(REJETE)}", headers=COMPTABLE).text
    champs = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html))
    assert champs["remplace"] == str(paiement_id)
    assert "Virement rejeté, à payer de nouveau" in html


def test_an_avance_begins_at_its_ceiling_and_can_be_less(client: TestClient, vie: Vie) -> None:
    vie.jusqu_au_demarrage("202200021")
    html = client.get(f"/actes/preparer_paiement/{vie.id('202200021')}", headers=COMPTABLE).text
    assert "Avance prévue par la convention, au plus" in html
    assert re.search(r'name="montant"[^>]*value="15', html)
    assert vie.convention("202200021").fse_max == 50_000_00


@pytest.mark.parametrize(
    ("acte", "dit"),
    [
        ("preparer_paiement", "Rien n’est dû à cette opération"),
        ("emettre_ordre_reversement", "Rien n’est à réclamer à cette opération"),
    ],
)
def test_what_cannot_be_done_now_is_said_in_place_of_a_form(
    client: TestClient, vie: Vie, acte: str, dit: str
) -> None:
    html = lire(client, f"/actes/{acte}/{vie.id(AILLEURS)}?retour=/paiements")
    assert dit in html
    assert 'href="/paiements">Revenir<' in html
    assert "Enregistrer" not in html


def test_an_amount_that_an_address_gives_is_shown_as_people_write_it(client: TestClient) -> None:
    [lien] = liens(lire(client, "/paiements/reversements?liste=emis"), "encaisser_reversement")
    assert 'name="montant" value="3 000,00"' in lire(client, lien)
    assert 'name="montant" value="1 250,50"' in lire(client, f"{lien}&montant=1250.50")


def test_the_other_forms_recall_the_payment_and_the_order(client: TestClient, vie: Vie) -> None:
    [paiement] = vie.convention(ORDONNE).paiements
    html = plat(
        client.get(
            f"/actes/effectuer_paiement/{vie.id(ORDONNE)}/{paiement}", headers=COMPTABLE
        ).text
    )
    assert "ordonnateur-1, le 10/05/2022" in html
    [ordre] = vie.convention(INDU).ordres
    html = plat(
        client.get(f"/actes/encaisser_reversement/{vie.id(INDU)}/{ordre}", headers=COMPTABLE).text
    )
    assert "3 000,00 €" in html
    html = plat(
        client.get(
            f"/actes/compenser_ordre_reversement/{vie.id(INDU)}/{ordre}", headers=COMPTABLE
        ).text
    )
    assert f"{ORDONNE}, Solde, 40 000,00 €" in html
    html = plat(
        client.get(f"/actes/emettre_ordre_reversement/{vie.id(INDU)}", headers=COMPTABLE).text
    )
    assert "À réclamer" in html
    assert "2 000,00 €" in html
    html = plat(
        client.get(f"/actes/enregistrer_certification/{vie.id(VIRE)}", headers=COMPTABLE).text
    )
    assert "30 000,00" in html
    html = plat(client.get(f"/actes/transmettre_etat/{vie.id(VIRE)}", headers=COMPTABLE).text)
    assert "10 000,00" in html


# --- Reversements, certification -----------------------------------------------------------------


def test_orders_and_what_is_still_to_ask(client: TestClient) -> None:
    dit = texte(lire(client, "/paiements/reversements"))
    assert "à réclamer 2 000,00 €" in dit
    html = lire(client, "/paiements/reversements?liste=emis")
    assert "reste à recouvrer 3 000,00 €" in texte(html)
    assert "En retard de" in html
    assert liens(html, "encaisser_reversement")
    assert liens(html, "notifier_ordre_reversement")
    assert not liens(html, "declarer_irrecouvrable")
    html = lire(client, "/paiements/reversements?liste=emis", ORDONNATEUR)
    assert liens(html, "declarer_irrecouvrable")
    assert "Aucun ordre n’est contesté." in lire(client, "/paiements/reversements?liste=contestes")


def test_an_order_goes_from_list_to_list(client: TestClient, vie: Vie) -> None:
    operation = "202200022"
    vie.jusqu_au_demarrage(operation)
    vie.paiement(operation, "15000.00", type="avance", le=date(2022, 2, 1))
    vie.bilan(operation, ("20000.00",))
    vie.controle(operation)
    vie.ordre_reversement(operation, "5000.00")

    def etat() -> tuple[str, int]:
        with vie.reads.connection() as conn:
            [ordre] = projection_reversements.ordres(
                conn, OI_ENTIER, operation_id=vie.id(operation)
            ).lignes
        [lu] = vie.convention(operation).ordres.values()
        assert ordre.reste == lu.reste
        return ordre.etat, ordre.reste

    assert etat() == ("emis", 5_000_00)
    vie.notification_ordre(operation)
    assert etat() == ("notifie", 5_000_00)
    vie.contestation(operation)
    assert etat() == ("conteste", 5_000_00)
    assert liens(
        lire(client, "/paiements/reversements?liste=contestes", ORDONNATEUR),
        "trancher_contestation",
    )
    vie.decision_contestation(operation)
    vie.encaissement(operation, "3000.00")
    assert etat() == ("notifie", 2_000_00)
    vie.irrecouvrable(operation, "2000.00")
    assert etat() == ("irrecouvrable", 0)
    assert "irrécouvrable 2 000,00 €" in texte(
        lire(client, f"/paiements/reversements?liste=soldes&recherche={operation}")
    )
    vie.retablissement(operation, "2000.00")
    assert etat() == ("notifie", 2_000_00)


def test_certification_says_what_is_left(client: TestClient) -> None:
    html = lire(client, f"/paiements/certification?recherche={VIRE}")
    dit = texte(html)
    assert "40 000,00 €" in dit
    assert "10 000,00 €" in dit
    assert liens(html, "transmettre_etat")
    assert liens(html, "enregistrer_certification")
    assert not liens(html, "enregistrer_retrait")


# --- Files and the JSON door ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("adresse", "tete"),
    [
        ("/paiements/export?etape=a-preparer", "beneficiaire,"),
        ("/paiements/export?etape=envoyes", "beneficiaire,"),
        ("/paiements/export?etape=delais", "beneficiaire,"),
        ("/paiements/reversements/export?liste=emis", "beneficiaire,"),
        ("/paiements/reversements/export", "beneficiaire,"),
        ("/paiements/certification/export", "dossier,"),
        ("/provenance/export?mesure=fse_paye", "position,"),
    ],
)
def test_what_is_shown_is_exported(client: TestClient, adresse: str, tete: str) -> None:
    signe = "&" if "?" in adresse else "?"
    csv = client.get(f"{adresse}{signe}format=rfc4180", headers=COMPTABLE)
    assert csv.status_code == 200, csv.text
    lignes = csv.content.decode("utf-8-sig").splitlines()
    assert lignes[0].startswith(tete)
    assert len(lignes) > 1
    xlsx = client.get(f"{adresse}{signe}format=xlsx", headers=COMPTABLE)
    assert xlsx.content[:2] == b"PK"


def test_the_json_door_tells_the_same(client: TestClient, vie: Vie) -> None:
    def demander(adresse: str) -> dict[str, object]:
        answer = client.get(f"/api/v1{adresse}", headers=COMPTABLE)
        assert answer.status_code == 200, answer.text
        found: dict[str, object] = answer.json()
        return found

    page = demander(f"/paiements?statut=rejete&statut=ordonnance&recherche={REJETE}")
    [ligne] = page["lignes"]  # type: ignore[misc] # a list
    assert (ligne["numero_mdfse"], ligne["montant"]) == (REJETE, "40000.00")  # type: ignore[index]
    dus = demander("/paiements/a-preparer")
    assert {d["numero_mdfse"]: d["montant"] for d in dus["lignes"]}[DU] == "25000.00"  # type: ignore[attr-defined]
    ordres = demander(f"/paiements/ordres-de-reversement?recherche={INDU}")
    assert [o["reste"] for o in ordres["lignes"]] == ["3000.00"]  # type: ignore[attr-defined]
    certifies = demander(f"/paiements/certifications?recherche={VIRE}")
    assert [c["a_certifier"] for c in certifies["lignes"]] == ["30000.00"]  # type: ignore[attr-defined]
    assert client.get("/api/v1/paiements?statut=perdu", headers=COMPTABLE).status_code == 422


# --- Where a figure comes from -------------------------------------------------------------------


def test_a_figure_is_explained_to_its_facts(client: TestClient, vie: Vie) -> None:
    html = lire(client, f"/provenance?mesure=fse_paye&operation={vie.id(VIRE)}")
    dit = texte(html)
    assert "Payé 40 000,00 €" in dit
    assert f"Dossier n° {VIRE}" in dit
    assert "1 fait" in dit
    assert re.search(rf'href="/dossiers/{VIRE}#evenement-\d+"', html)
    [lien] = re.findall(r'href="(/paiements/[0-9a-f-]{36}/[0-9a-f-]{36})"', html)
    dit = texte(lire(client, lien))
    assert "Solde n° 1, après le contrôle du bilan n° 1" in dit
    assert "80 000,00 €" in dit
    assert "Reste à payer" in dit


def test_a_derived_figure_leads_to_its_terms(client: TestClient) -> None:
    html = lire(client, "/provenance?mesure=reste_a_consommer&plie=A")
    assert "Reste à consommer" in html
    termes = re.findall(r'href="(/provenance\?mesure=(?:fse_maquette|fse_retenu_csf)[^"]*)"', html)
    assert len(termes) == 2
    assert all("plie=A" in terme for terme in termes)


def test_causes_keep_their_movements_only(client: TestClient) -> None:
    entier = lire(client, "/provenance?mesure=fse_paye")
    rejets = lire(client, "/provenance?mesure=fse_paye&cause=rejet")
    assert "Virement rejeté par la banque" in entier
    assert "1 fait" in texte(rejets)
    assert REJETE in rejets
    assert VIRE not in rejets


def test_the_figures_of_a_dossier_and_of_the_maquette_lead_to_their_movements(
    client: TestClient, vie: Vie
) -> None:
    html = lire(client, f"/dossiers/{VIRE}?au=2022-05-31")
    [lien] = re.findall(r'href="(/provenance\?mesure=fse_paye[^"]*)"', html)
    assert f"operation={VIRE}" in lien
    assert "au=2022-05-31" in lien
    assert f"Dossier n° {VIRE}" in texte(lire(client, lien))
    assert "Payé 40 000,00 €" in texte(lire(client, lien))
    ailleurs = client.get(lien, headers={"OI-Acteur": "x", "OI-Role": "administrateur"})
    assert ailleurs.status_code == 403
    for page in ("/maquette", "/plie/A"):
        liens_ = re.findall(r'href="(/provenance\?mesure=fse_paye[^"]*)"', lire(client, page))
        assert liens_, page
        assert "Payé" in lire(client, liens_[0])


def test_what_is_no_figure_leads_to_those_that_are(client: TestClient) -> None:
    assert "FSE payé" in lire(client, "/provenance")
    for adresse in (
        "/provenance?mesure=rien",
        f"/provenance?mesure=fse_paye&operation={new_id()}",
        "/provenance?mesure=fse_paye&operation=inconnu",
    ):
        answer = client.get(adresse, headers=COMPTABLE)
        assert answer.status_code == 404
        assert "ne mène à aucun chiffre" in answer.text
    # A cut address begins again.
    assert "Payé" in lire(client, "/provenance?mesure=fse_paye&apres=xyz&annee=abc&cause=rien")
