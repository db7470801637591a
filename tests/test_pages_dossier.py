"""The page of a dossier: what it tells, where its links lead, what it never shows."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from dossier_exemple import ABANDON, GRAND, NOUVEAU, NUMERO, REFUSE, service_joue
from fastapi.testclient import TestClient
from portier import PortierDEssai
from vie import Vie

from aggregates.convention.events import PlafondPoste
from api import deps, filters
from api.app import create_app
from api.deps import LectureOuverte
from api.pages.dossier import REPLI, Dossier, VueDossier, dossier_demande, vue
from api.pages.ecriture import phrase
from api.pages.gabarits import templates
from api.pages.plan import limite
from oi_service.application import Service
from oi_service.money import euros
from projections.explication import Explication, LigneCalcul, Operande, Section
from projections.perimetre import OI_ENTIER, Perimetre

TOUS = (NUMERO, NOUVEAU, REFUSE, ABANDON, GRAND)


@pytest.fixture(scope="module")
def joue(serveur: str, modele: str) -> Iterator[Service]:
    with service_joue(serveur, modele) as service:
        yield service


@pytest.fixture(scope="module")
def client(joue: Service) -> Iterator[TestClient]:
    with TestClient(create_app(joue, PortierDEssai())) as made:
        yield made


def dossier(service: Service, numero: str, perimetre: Perimetre = OI_ENTIER) -> Dossier | None:
    with ExitStack() as stack:
        lecture = LectureOuverte(service, stack, perimetre)
        return dossier_demande(lecture, numero, deps.PRESENT)


def lire(service: Service, numero: str) -> VueDossier:
    found = dossier(service, numero)
    assert found is not None
    return vue(found)


def page(client: TestClient, numero: str) -> str:
    answer = client.get(f"/dossiers/{numero}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return " ".join(answer.text.replace("\u00a0", " ").replace("&nbsp;", " ").split())


def etapes(service: Service, numero: str) -> list[tuple[str, str]]:
    return [(e.libelle, e.etat) for e in lire(service, numero).etapes]


# --- Head ----------------------------------------------------------------------------------------


def test_head_says_what_the_dossier_is(client: TestClient) -> None:
    html = page(client, NUMERO)
    assert "<h1>Accompagnement renforcé vers l’emploi</h1>" in html
    assert f"Dossier n° {NUMERO} · Convention n° C-{NUMERO}" in html
    assert "Bénéficiaire fictif n° 07" in html
    assert "Tranche 2021 · Axe 3 · OS1 · parcours" in html
    assert "du 01/01/2021 au 31/12/2021" in html
    assert "Bilan final déposé</span>" in html


def test_amounts_and_numbers_stay_on_one_line() -> None:
    assert phrase("Bilan n° 1 : 1\u202f000,00\u00a0€ − 12,00\u00a0€") == (
        "Bilan n°\u00a01\u00a0: 1\u00a0000,00\u00a0€ −\u00a012,00\u00a0€"
    )


def test_names_are_escaped(client: TestClient) -> None:
    assert "Ateliers &lt;numériques&gt; &amp; mobilité" in page(client, NOUVEAU)


def test_head_leads_back_to_the_maquette_of_its_plie(client: TestClient) -> None:
    found = re.search(r'href="(/maquette\?[^"]*)#detail"', page(client, NUMERO))
    assert found is not None
    maquette = client.get(found[1].replace("&amp;", "&")).text
    assert '<span class="sous-titre">PLIE A</span>' in maquette


# --- The life line -------------------------------------------------------------------------------


def test_new_dossier_has_everything_ahead(joue: Service) -> None:
    first, *ahead = etapes(joue, NOUVEAU)
    assert first == ("Déposé", "courante")
    assert [etat for _, etat in ahead] == ["a_venir"] * 10
    assert ahead[-1][0] == "Archivé"


def test_refused_dossier_ends_there(joue: Service) -> None:
    assert etapes(joue, REFUSE) == [
        ("Déposé", "faite"),
        ("Recevable", "faite"),
        ("Instruit", "faite"),
        ("Refusé", "arret"),
    ]


def test_abandoned_operation_still_has_its_money_to_settle(joue: Service) -> None:
    assert etapes(joue, ABANDON)[-5:] == [
        ("En exécution", "faite"),
        ("Abandonné", "arret"),
        ("Soldé", "a_venir"),
        ("Clôturé", "a_venir"),
        ("Archivé", "a_venir"),
    ]


def test_step_that_nobody_recorded_is_not_shown_as_done(joue: Service) -> None:
    # The final bilan came before anybody noted the end of the realisation.
    assert etapes(joue, NUMERO)[5:8] == [
        ("En exécution", "faite"),
        ("Bilan final déposé", "courante"),
        ("Soldé", "a_venir"),
    ]


# --- Figures and plan ----------------------------------------------------------------------------


def test_five_figures_are_those_of_the_ledger(joue: Service) -> None:
    found = dossier(joue, NUMERO)
    assert found is not None
    resume = found.fiche.resume
    assert [(c.libelle, c.montant) for c in vue(found).chiffres] == [
        ("Programmé", resume.fse_programme),
        ("Conventionné", resume.fse_conventionne),
        ("Déclaré", resume.fse_declare),
        ("FSE dû", resume.fse_retenu_csf),
        ("Payé", resume.fse_paye),
    ]
    assert euros(resume.fse_conventionne) == "48000.00"
    assert euros(resume.fse_paye) == "25000.00"


def test_plan_is_the_one_in_force(joue: Service) -> None:
    plan = lire(joue, NUMERO).plan
    assert plan.version.libelle == "avenant n°\u00a01"
    assert [v.libelle for v in plan.anterieures] == [
        "dépôt du dossier",
        "instruction",
        "convention signée",
    ]
    assert next((r.libelle, r.montant, r.part) for r in plan.ressources) == (
        "FSE",
        48_000_00,
        "48,00\u00a0%",
    )
    assert sum(r.montant for r in plan.ressources) == plan.total
    assert sum(d.montant for d in plan.depenses) == plan.total == 100_000_00


def test_each_poste_says_under_which_form_it_is_counted(joue: Service) -> None:
    reel, forfait, unites, livrables = lire(joue, NUMERO).plan.depenses
    assert (reel.forme, reel.precisions) == ("Coûts réels", ())
    assert forfait.forme == "Taux forfaitaire de 15\u00a0%"
    assert forfait.precisions == (
        "Assiette\u00a0: Dépenses directes de personnel, soit 60\u00a0000,00\u00a0€",
        "Option\u00a0: Dépenses indirectes, jusqu’à 15 % des dépenses directes de personnel",
    )
    assert (unites.libelle, unites.forme) == ("Ateliers collectifs", "Coûts unitaires")
    assert unites.precisions == (
        "100 × 150,00\u00a0€ (unité\u00a0: demi-journée animée)",
        "Couvre\u00a0: prestations de services",
    )
    assert livrables.forme.startswith("Montants forfaitaires")
    assert livrables.precisions[1] == (
        "Livrable L2\u00a0: Bilan du forum publié, 6\u00a0000,00\u00a0€"
    )


def test_what_the_instruction_let_pass_is_said_beside_the_plan(joue: Service) -> None:
    autre = "202100023"
    Vie(joue).jusqu_au_demarrage(autre, derogation="aide_etat")
    assert lire(joue, autre).plan.remarques[0] == (
        "Coûts simplifiés non imposés\u00a0: aide d’État."
    )
    assert lire(joue, NUMERO).plan.remarques == ()


def test_poste_that_the_convention_caps_says_so() -> None:
    plafond = PlafondPoste(code="personnel", montant_centimes=1_00, tolerance_pct=Decimal("2.50"))
    assert limite(plafond) == "Plafonné à 1,00\u00a0€, tolérance de 2,5\u00a0%"


def test_new_dossier_shows_what_it_asks_for(client: TestClient) -> None:
    html = page(client, NOUVEAU)
    assert "dépôt du dossier du 15/12/2021" in html
    assert "Demandé" in html
    assert "Aucun bilan n’est déposé." in html
    assert "Aucun paiement n’est préparé." in html
    assert "rien n’est encore dû" in html


# --- Bilans and controls -------------------------------------------------------------------------


def test_each_bilan_tells_its_acts_and_its_controls(joue: Service) -> None:
    premier, dernier = lire(joue, NUMERO).bilans
    assert premier.titre == "Bilan n°\u00a01, intermédiaire"
    premiers = [a.libelle for a in premier.actes]
    assert premiers[0].startswith("Bilan intermédiaire n°\u00a01 déposé")
    assert premiers[-1].startswith("Contrôle de service fait, version 1, validé")
    assert not [mots for mots in premiers if mots.startswith(("Dépense", "Paiement"))]
    assert [c.remplace for c in dernier.controles] == [True, False]
    total = dernier.controles[1].total
    assert (total.declare, total.ecarte, total.retenu) == (30_000_50, 1_500_00, 28_500_50)


def test_what_was_set_aside_says_why(joue: Service) -> None:
    (ecart,) = lire(joue, NUMERO).bilans[0].ecarts
    assert (ecart.piece, ecart.declare, ecart.ecarte) == ("P-0", 1_000_00, 512_34)
    assert ecart.motif == "Dépense non acquittée"
    assert ecart.lien is not None


def test_bilan_that_did_not_come_is_awaited_then_asked_for(joue: Service) -> None:
    vie, autre = Vie(joue), "202100021"
    vie.jusqu_au_demarrage(autre)
    (attente,) = lire(joue, autre).attentes
    assert (attente.titre, attente.etat, attente.niveau) == (
        "Bilan n°\u00a01, final",
        "En retard",
        "grave",
    )
    vie.reclamation(autre)
    (attente,) = lire(joue, autre).attentes
    assert attente.etat == "Réclamé"
    assert attente.reponse_jusqu_au is not None
    vie.bilan(autre)
    assert lire(joue, autre).attentes == ()


def test_control_opened_again_after_the_solde_is_said_at_the_head(
    joue: Service, client: TestClient
) -> None:
    vie, autre = Vie(joue), "202100022"
    vie.jusqu_au_demarrage(autre)
    vie.bilan(autre)
    vie.controle(autre)
    vie.paiement(autre, "40000.00")
    vie.solde(autre)
    assert "Suites en cours" not in page(client, autre)
    vie.reouverture_controle(autre, controle_ref="AUDIT-1")
    assert "Suites en cours" in page(client, autre)
    assert lire(joue, autre).statut == "Soldé"


# --- Payments ------------------------------------------------------------------------------------


def test_payment_is_a_sum(joue: Service) -> None:
    avance, rejete, solde = lire(joue, NUMERO).paiements
    assert (avance.fse_du, avance.deja_verse, avance.reste) == (None, None, None)
    for ligne in (rejete, solde):
        assert ligne.fse_du is not None
        assert ligne.deja_verse == 15_000_00
        assert ligne.reste == ligne.fse_du - 15_000_00
        assert ligne.montant == 10_000_00
    assert [a.libelle for a in rejete.actes] == ["préparé", "ordonnancé", "versé", "rejeté"]


def test_account_ends_on_what_is_left_to_pay(joue: Service) -> None:
    du, verse, reste = lire(joue, NUMERO).compte
    assert verse.montant == 25_000_00
    assert (reste.libelle, reste.montant) == ("Reste à verser", du.montant - verse.montant)


def test_account_of_who_must_pay_back(joue: Service) -> None:
    found = lire(joue, ABANDON)
    assert [(x.signe, x.libelle, x.montant) for x in found.compte] == [
        ("", "FSE dû depuis le début, au dernier contrôle validé", 0),
        ("−", "Avances, acomptes et soldes versés", 15_000_00),
        ("+", "Reversements encaissés ou compensés", 4_000_00),
        ("=", "Trop versé", -11_000_00),
        ("", "dont réclamé et attendu", -11_000_00),
    ]
    (ordre,) = found.reversements
    assert (ordre.montant, ordre.rentre, ordre.perdu, ordre.reste) == (
        15_000_00,
        4_000_00,
        0,
        11_000_00,
    )
    assert [a.libelle for a in ordre.actes] == ["émis", "encaissé"]


def test_account_of_what_will_never_come_back(joue: Service) -> None:
    vie, autre = Vie(joue), "202100024"
    vie.jusqu_au_demarrage(autre)
    vie.paiement(autre, "15000.00", type="avance")
    vie.abandon(autre)
    assert lire(joue, autre).compte[-1].libelle == "dont ni réclamé ni attendu"
    vie.ordre_reversement(autre, "15000.00")
    vie.encaissement(autre, "4000.00")
    vie.irrecouvrable(autre, "11000.00")
    found = lire(joue, autre)
    assert [(x.libelle, x.montant) for x in found.compte[-2:]] == [
        ("Déclaré irrécouvrable", 11_000_00),
        ("Reste à verser", 0),
    ]
    (ordre,) = found.reversements
    assert (ordre.rentre, ordre.perdu, ordre.reste) == (4_000_00, 11_000_00, 0)
    assert ordre.actes[-1].libelle == "irrécouvrable"


# --- History and links ---------------------------------------------------------------------------


def test_history_has_a_line_per_act_and_an_anchor_per_fact(joue: Service) -> None:
    found = dossier(joue, NUMERO)
    assert found is not None
    shown = vue(found)
    assert len(shown.actes) == len({lu.command_id for lu in found.histoire})
    faits = [f for a in shown.actes for f in a.faits]
    assert [f.numero for f in faits] == [lu.position for lu in found.histoire]
    (declaration, controle) = (a for a in shown.actes if a.repli)
    assert len(declaration.faits) == len(controle.faits) == 12 > REPLI
    assert declaration.repli is not None
    assert declaration.repli.startswith("12 faits, du n°")


@pytest.mark.parametrize("numero", TOUS)
def test_every_link_within_the_page_leads_to_one_place(client: TestClient, numero: str) -> None:
    html = page(client, numero)
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    targets = set(re.findall(r'href="#([^"]+)"', html))
    assert targets
    assert targets - set(ids) == set()


@pytest.mark.parametrize("numero", TOUS)
def test_page_holds_nothing_that_the_strict_csp_refuses(client: TestClient, numero: str) -> None:
    html = page(client, numero)
    assert not re.search(r"<script(?! src=\"/static/[^\"]+\" defer></script>)", html)
    assert not re.search(r"\sstyle=|\son\w+=|javascript:|data:", html)


# --- What is not there ---------------------------------------------------------------------------


@pytest.mark.parametrize("numero", ["209912345", "a%00b", "x" * 65, "é", "a b", "<b>"])
def test_unknown_dossier_is_said_in_french(client: TestClient, numero: str) -> None:
    answer = client.get(f"/dossiers/{numero}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>Dossier introuvable</h1>" in answer.text
    assert "<b>" not in answer.text


def test_dossier_of_another_territory_is_as_one_that_does_not_exist(joue: Service) -> None:
    ailleurs = Perimetre(frozenset(("B",)))
    assert dossier(joue, NUMERO, ailleurs) is None
    assert dossier(joue, NUMERO, Perimetre(frozenset(("A",)))) is not None
    app = create_app(joue, PortierDEssai())
    app.dependency_overrides[deps.perimetre] = lambda: ailleurs
    with TestClient(app) as restricted:
        hidden = restricted.get(f"/dossiers/{NUMERO}")
        unknown = restricted.get("/dossiers/202199999")
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.text == unknown.text.replace("202199999", NUMERO)


def test_page_is_read_at_one_instant(joue: Service) -> None:
    vie, autre, lectures = Vie(joue), "202100099", [0]
    vie.depot(autre)

    class Entretemps(Perimetre):
        """The perimeter of a reader while somebody else acts on the same dossier."""

        @property
        def liste(self) -> list[str] | None:
            lectures[0] += 1
            if lectures[0] == 3:  # The history is read, the sheet is not yet.
                vie.retrait(autre)
            return None

    found = dossier(joue, autre, Entretemps())
    assert found is not None
    assert lectures[0] > 3
    assert vie.operation(autre).statut == "retire"
    assert found.fiche.resume.statut == "depose"
    assert found.fiche.nb_evenements == len(found.histoire) == 1


# --- The calculation -----------------------------------------------------------------------------


def calcul(*lignes: LigneCalcul) -> str:
    explication = Explication(
        UUID(int=7), 2, 1, "2026.2", date(2022, 5, 2), 65, (Section("Plafonds", lignes),)
    )
    partial = templates().env.get_template("_calcul.html")
    html = partial.render(explication=explication, positions=frozenset((12, 57)))
    return " ".join(html.replace("\u00a0", " ").replace("&nbsp;", " ").split())


def test_calculation_shows_the_formula_the_result_and_the_text() -> None:
    html = calcul(
        LigneCalcul(
            "taux",
            "Taux appliqué au coût retenu",
            "48 % × 76 462,14 €",
            36_701_83,
            None,
            "Règlement (UE) n° 1303/2013, art. 67",
            retenue=True,
        ),
        LigneCalcul("rapport", "Taux de la convention", valeur="48 %"),
    )
    assert "48 % × 76 462,14 €" in html
    assert "36 701,83 €" in html
    assert "Règlement (UE) n° 1303/2013, art. 67" in html
    assert html.count('<span class="marque marque-information">Retenu</span>') == 1
    assert "validé le 02/05/2022 sous les règles 2026.2" in html


def test_operand_leads_to_its_fact_when_the_page_tells_it() -> None:
    html = calcul(
        LigneCalcul(
            "besoin",
            "Besoin de financement",
            operandes=(
                Operande("Coût retenu", "76 462,14 €", 57),
                Operande("Contrepartie", "9 000,00 €", 99),
                Operande("Arrondi", "au demi supérieur", None),
            ),
        )
    )
    assert '<a href="#evenement-57">76 462,14 €' in html
    assert "#evenement-99" not in html
    assert "(fait n° 99)" in html
    assert "Arrondi : au demi supérieur </li>" in html


def test_calculation_ends_on_the_figure_of_the_head(joue: Service) -> None:
    found = lire(joue, NUMERO)
    derniere, *precedentes = found.explications
    lignes = {x.code: x for s in derniere.sections for x in s.lignes}
    assert lignes["fse_du_cumule"].centimes == found.chiffres[3].montant
    assert sum(x.retenue for x in lignes.values()) == 1
    # The control that was done again, then the one of the first bilan.
    assert [(e.bilan_numero, e.version) for e in (derniere, *precedentes)] == [
        (2, 2),
        (2, 1),
        (1, 1),
    ]


def test_every_operand_of_the_calculation_is_told_on_the_page(joue: Service) -> None:
    found = lire(joue, NUMERO)
    positions = {
        o.position
        for e in found.explications
        for s in e.sections
        for x in s.lignes
        for o in x.operandes
        if o.position is not None
    }
    assert len(positions) > 5
    assert positions - found.positions == set()


def test_each_control_leads_to_its_calculation(client: TestClient) -> None:
    html = page(client, NUMERO)
    targets = re.findall(r'href="(#calcul-[0-9a-f-]+)">Voir le calcul', html)
    assert len(targets) == len(set(targets)) == 3
    assert html.count("Calcul précédent") == 2
    assert "\u202f" not in html


def test_many_operands_are_folded() -> None:
    lignes = tuple(Operande(f"Pièce {n}", "10,00 €", 12) for n in range(7))
    assert "Les 7 opérandes" in calcul(LigneCalcul("reel", "Personnel", operandes=lignes))
    assert "<details" not in calcul(LigneCalcul("reel", "Personnel", operandes=lignes[:6]))


# --- Two dates -----------------------------------------------------------------------------------


def passee(client: TestClient, chemin: str, status: int = 200, **dates: str) -> str:
    answer = client.get(chemin, params=dates)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return " ".join(answer.text.replace("\u00a0", " ").replace("&nbsp;", " ").split())


def test_a_dossier_is_shown_as_it_was(client: TestClient, joue: Service) -> None:
    found = dossier(joue, NUMERO)
    assert found is not None
    notifiee = next(lu for lu in found.histoire if lu.name == "convention.notifiee.v1")
    html = passee(client, f"/dossiers/{NUMERO}", connu_le=str(notifiee.position))
    assert (
        f"Situation telle que connue à l’événement n° {filters.entier(notifiee.position)}".replace(
            "\u00a0", " "
        )
        in html
    )
    assert "Conventionné</span>" in html
    assert "Paiements (0)" in html
    assert f'id="evenement-{notifiee.position}"' in html
    assert f'id="evenement-{notifiee.position + 1}"' not in html
    assert f"connu_le={notifiee.position}#detail" in html
    assert "bandeau-situation" not in page(client, NUMERO)


def test_a_past_page_says_what_changed_since(client: TestClient, joue: Service) -> None:
    found = dossier(joue, NUMERO)
    assert found is not None
    assert vue(found).depuis is None
    notifiee = next(lu for lu in found.histoire if lu.name == "convention.notifiee.v1")
    html = passee(client, f"/dossiers/{NUMERO}", connu_le=str(notifiee.position))
    assert "Ce qui a changé depuis cette situation" in html
    paye = found.fiche.resume.fse_paye
    assert paye
    valeurs = {"Alors": 0, "Aujourd’hui": paye, "Écart": paye}
    cellules = " ".join(
        f'<td role="cell" class="montant" data-libelle="{nom}">{filters.euros(valeur)}</td>'
        for nom, valeur in valeurs.items()
    )
    assert f"FSE payé</th> {cellules}".replace("\u00a0", " ") in html
    dernier = passee(client, f"/dossiers/{NUMERO}", connu_le=str(found.histoire[-1].position))
    assert "Aucun montant n’a changé depuis." in dernier


def test_a_dossier_that_comes_later_leads_to_the_present(client: TestClient) -> None:
    html = passee(client, f"/dossiers/{NUMERO}", 404, au="2019-12-31")
    assert "Ce dossier n’existe pas encore dans cette situation" in html
    assert 'href="?"' in html
    assert "Aucun dossier ne porte" in passee(client, "/dossiers/inconnu", 404, au="2019-12-31")


@pytest.mark.parametrize("chemin", ["/maquette", f"/dossiers/{NUMERO}"])
def test_dates_that_cannot_be_read_are_shown_again_with_their_refusal(
    client: TestClient, chemin: str
) -> None:
    html = passee(client, chemin, 422, au="31/12/2021", connu_le="<hier>")
    assert "« 31/12/2021 » n’est pas un jour auquel arrêter la situation" in html
    assert "« &lt;hier&gt; » ne dit pas jusqu’où le journal est lu" in html
    assert 'name="au" type="text" value="31/12/2021"' in html
    assert 'name="connu_le" type="text" value="&lt;hier&gt;"' in html
    assert html.count('aria-invalid="true"') == 2
    assert not re.search(r"<script(?! src=\"/static/[^\"]+\" defer></script>)", html)
    seul = passee(client, chemin, 422, au="2021-12-31", connu_le="2021-02-30")
    assert 'name="au" type="date" value="2021-12-31"' in seul
    assert seul.count('aria-invalid="true"') == 1


def test_empty_fields_ask_for_the_present(client: TestClient) -> None:
    for chemin in ("/maquette", f"/dossiers/{NUMERO}"):
        html = passee(client, chemin, au="", connu_le=" ")
        assert "bandeau-situation" not in html


def test_the_maquette_is_shown_as_it_was(client: TestClient) -> None:
    assert "Payé" in passee(client, "/maquette")
    avant = passee(client, "/maquette", au="2021-12-31", connu_le="3")
    assert "telle que connue à l’événement n° 3, enregistré le" in avant
    assert "jusqu’à l’événement n° 3" in avant
    assert "0,00 M€" in avant
    rien = passee(client, "/maquette", 404, connu_le="0")
    assert "Cette subvention globale n’existe pas encore dans cette situation" in rien
