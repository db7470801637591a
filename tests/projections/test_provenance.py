"""Where a figure comes from, down to the events; where a payment comes from, down to its pieces."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import vie as vies
from portier import PortierDEssai
from psycopg import Connection
from psycopg.rows import TupleRow
from starlette.testclient import TestClient
from vie_complete import Vie

from aggregates.operation.state import OperationAbsente
from api.app import create_app
from oi_service.application import Service
from oi_service.ids import new_id
from projections.curseurs import CurseurInvalide
from projections.livre import Choix
from projections.maquette import QUANTITES, Maquette, charger
from projections.mesures import DERIVES, MesureInconnue
from projections.perimetre import OI_ENTIER, Perimetre
from projections.provenance import Provenance, provenance
from projections.provenance_paiement import (
    PaiementSansTrace,
    ProvenancePaiement,
    provenance_du_paiement,
)
from projections.situation import ACTUELLE, Situation

Conn = Connection[TupleRow]
SITUATIONS = (ACTUELLE, Situation(effet_au=date(2022, 4, 4)), Situation(connu_le=70))


def maquette(conn: Conn, vie: Vie, situation: Situation) -> Maquette:
    found = charger(conn, OI_ENTIER, vie.sg, situation)
    assert found is not None
    return found


def d_ou_vient(
    conn: Conn, mesure: str, choix: Choix, situation: Situation = ACTUELLE, **options: Any
) -> Provenance:
    found = provenance(conn, OI_ENTIER, mesure, choix, situation, **options)
    assert found is not None
    return found


# --- A figure -------------------------------------------------------------------------------------


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_figure_of_every_cell_is_the_sum_of_its_movements(
    conn: Conn, vie: Vie, situation: Situation
) -> None:
    for x in maquette(conn, vie, situation).lignes:
        choix = Choix(
            subvention_globale_id=vie.sg,
            plie=x.plie_id,
            annee=x.annee,
            axe=x.axe,
            objectif_specifique=x.objectif_specifique,
            dispositif=x.dispositif,
        )
        for mesure in QUANTITES:
            found = d_ou_vient(conn, mesure, choix, situation, limite=200)
            assert found.mouvements.suivant is None
            montant = getattr(x.chiffres, mesure)
            assert found.valeur == montant, (x, mesure)
            assert sum(ligne.centimes for ligne in found.mouvements.lignes) == montant
            assert sum(c.montants[mesure] for c in found.causes) == montant
        for mesure in DERIVES:
            assert d_ou_vient(conn, mesure, choix, situation).valeur == getattr(x.chiffres, mesure)


def test_a_funder_is_explained_by_its_own_lines(conn: Conn, vie: Vie) -> None:
    [epci] = [f for f in maquette(conn, vie, ACTUELLE).financeurs if f.financeur == "EPCI fictive"]
    found = d_ou_vient(conn, "cp_affectee", Choix(financeur="EPCI fictive"))
    assert found.valeur == epci.affectee == 25_000_00
    assert [x.centimes for x in found.mouvements.lignes] == [30_000_00, -5_000_00]
    assert found.mouvements.lignes[1].evenement.motif == "Trop affecté"


def test_what_a_control_certified_says_its_rules_and_the_choices_frozen_at_signature(
    conn: Conn, vie: Vie
) -> None:
    entiere = vie.operations["entière"]
    found = d_ou_vient(conn, "fse_retenu_csf", Choix(operation_id=entiere))
    assert [x.evenement.version_regles for x in found.mouvements.lignes] == ["2026.2", "2026.2"]
    [convention] = found.conventions
    assert (convention.operation_id, convention.numero) == (entiere, "C1")
    assert convention.signee_le == date(2021, 4, 10)
    assert convention.parametres.arrondi == "demi_superieur"
    [premier, _] = found.mouvements.lignes
    assert convention.position < premier.position


def test_the_maquette_of_a_grant_has_no_convention_of_an_operation(conn: Conn, vie: Vie) -> None:
    found = d_ou_vient(conn, "fse_maquette", Choix(plie="A"))
    assert found.conventions == ()
    assert [(c.code, c.montants["fse_maquette"]) for c in found.causes] == [
        ("enveloppe", 200_000_00),
        ("transfert", 20_000_00),
    ]


def test_a_figure_that_does_not_exist_is_refused(conn: Conn, vie: Vie) -> None:
    with pytest.raises(MesureInconnue):
        provenance(conn, OI_ENTIER, "fse_perdu", Choix())
    with pytest.raises(OperationAbsente):
        provenance(conn, OI_ENTIER, "fse_paye", Choix(operation_id=new_id()))
    assert provenance(conn, OI_ENTIER, "fse_paye", Choix(subvention_globale_id=new_id())) is None


# --- A payment ------------------------------------------------------------------------------------


def payes(conn: Conn, operation_id: Any) -> list[ProvenancePaiement]:
    """Explain every payment of an operation, in the order of the log."""
    lignes = d_ou_vient(conn, "fse_paye", Choix(operation_id=operation_id)).mouvements.lignes
    ids = [x.evenement.paiement_id for x in lignes if x.evenement.paiement_id]
    return [provenance_du_paiement(conn, OI_ENTIER, operation_id, i) for i in ids]


def calcul(paiement: ProvenancePaiement) -> dict[str, int | None]:
    return {ligne.code: ligne.centimes for ligne in paiement.calcul}


def test_an_avance_an_acompte_and_a_solde_say_what_they_are(conn: Conn, vie: Vie) -> None:
    avance, acompte, solde = payes(conn, vie.operations["entière"])
    assert [p.libelle for p in (avance, acompte, solde)] == [
        "Avance n° 1",
        "Acompte n° 1, après le contrôle du bilan n° 1",
        "Solde n° 1, après le contrôle du bilan n° 2",
    ]
    assert (avance.explication, avance.postes, avance.depenses.lignes) == (None, (), ())
    assert calcul(avance)["montant"] == 10_000_00
    assert calcul(acompte) == {
        "fse_du_cumule": 15_675_00,
        "paye_avant": 10_000_00,
        "reste_a_payer": 5_675_00,
        "montant": 5_675_00,
        "reste_apres": 0,
    }
    assert calcul(solde)["fse_du_cumule"] == 26_675_00
    assert calcul(solde)["paye_avant"] == 15_675_00
    reste = next(ligne for ligne in acompte.calcul if ligne.code == "reste_a_payer")
    assert (reste.calcul or "").replace("\u202f", " ").replace("\u00a0", " ") == (
        "15 675,00 € − 10 000,00 €"
    )


def test_a_payment_goes_down_to_the_pieces_of_every_bilan_that_it_pays(
    conn: Conn, vie: Vie
) -> None:
    _, acompte, solde = payes(conn, vie.operations["entière"])
    assert [(x.piece_ref, x.bilan_numero) for x in solde.depenses.lignes] == [
        ("piece-1", 1),
        ("piece-2", 1),
        ("piece-3", 1),
        ("piece-4", 2),
        ("piece-5", 2),
    ]
    assert {x.bilan_numero for x in acompte.depenses.lignes} == {1}
    ecartee = solde.depenses.lignes[0]
    assert (ecartee.declare, ecartee.ecarte, ecartee.retenu) == (10_000_00, 1_500_00, 8_500_00)
    assert ecartee.motif_libelle == "Pièce justificative non probante"
    assert ecartee.declaree_position < ecartee.controlee_position
    [personnel] = solde.postes
    assert (personnel.nombre, personnel.declare, personnel.retenu) == (5, 50_000_00, 48_500_00)
    assert solde.explication is not None
    lignes = {x.code: x for section in solde.explication.sections for x in section.lignes}
    assert lignes["reel.personnel"].centimes == personnel.retenu
    assert lignes["fse_du_cumule"].centimes == calcul(solde)["fse_du_cumule"]


def test_the_lines_of_a_payment_follow_by_pages_and_its_postes_stay_whole(
    conn: Conn, vie: Vie
) -> None:
    *_, solde = payes(conn, vie.operations["entière"])
    args = (conn, OI_ENTIER, solde.operation_id, solde.paiement_id)
    lues: list[Any] = []
    apres = None
    while True:
        page = provenance_du_paiement(*args, limite=2, apres=apres)
        assert page.postes == solde.postes
        lues += page.depenses.lignes
        if (apres := page.depenses.suivant) is None:
            break
    assert lues == list(solde.depenses.lignes)
    with pytest.raises(CurseurInvalide):
        provenance_du_paiement(*args, apres="n’importe quoi")


def test_a_payment_of_another_territory_or_of_no_operation_is_absent(conn: Conn, vie: Vie) -> None:
    entiere = vie.operations["entière"]
    avance, *_ = payes(conn, entiere)
    with pytest.raises(OperationAbsente):
        provenance_du_paiement(conn, Perimetre(frozenset({"B"})), entiere, avance.paiement_id)
    with pytest.raises(PaiementSansTrace, match="Aucun paiement"):
        provenance_du_paiement(conn, OI_ENTIER, entiere, new_id())


def test_an_order_that_waits_is_deducted_and_a_rejected_one_is_paid_again(
    service: Service,
) -> None:
    vie = vies.Vie(service)
    vie.subvention()
    vie.tranche("200000.00", "200000.00")
    vie.enveloppe("A", "150000.00")
    vie.appel([{"code": "A1", "plie": "A"}])
    vie.jusqu_au_demarrage("OP-1")
    vie.bilan("OP-1", ["80000.00"])
    vie.controle("OP-1", ecarte="100.00")
    vie.ordonnancement("OP-1", "10000.00")
    vie.ordonnancement("OP-1", "29950.00")
    vie.virement("OP-1")
    vie.rejet("OP-1")
    vie.ordonnancement("OP-1", "29950.00", remplace=True, le=date(2022, 5, 20))
    vie.virement("OP-1")
    ids = list(vie.convention("OP-1").paiements)
    with vie.reads.connection() as conn:
        attente, rejete, refait = (
            provenance_du_paiement(conn, OI_ENTIER, vie.id("OP-1"), i) for i in ids
        )
    assert (attente.statut, attente.verse) == ("ordonnance", 0)
    assert calcul(rejete) == {
        "fse_du_cumule": 39_950_00,
        "paye_avant": 0,
        "ordonnance_avant": 10_000_00,
        "reste_a_payer": 29_950_00,
        "montant": 29_950_00,
        "reste_apres": 0,
    }
    assert (rejete.statut, rejete.verse, refait.verse) == ("rejete", 0, 29_950_00)
    assert refait.libelle.endswith("en remplacement d’un virement rejeté")
    assert [e.name.split(".")[1] for e in rejete.evenements] == [
        "paiement_prepare",
        "paiement_ordonnance",
        "paiement_effectue",
        "paiement_rejete",
    ]
    vus = next(x for x in refait.calcul if x.code == "paye_avant").operandes
    assert len(vus) == 2


def test_a_payment_that_is_only_prepared_has_its_arithmetic_too(service: Service) -> None:
    vie = vies.Vie(service)
    vie.subvention()
    vie.tranche("200000.00", "200000.00")
    vie.enveloppe("A", "150000.00")
    vie.appel([{"code": "A1", "plie": "A"}])
    vie.jusqu_au_demarrage("OP-1")
    vie.bilan("OP-1", ["80000.00"])
    vie.controle("OP-1")
    vie.preparation("OP-1", "10000.00")
    vie.preparation("OP-1", "20000.00")
    vie.ordonnancement_prepare("OP-1")
    with vie.reads.connection() as conn:
        prepare, ordonnance = (
            provenance_du_paiement(conn, OI_ENTIER, vie.id("OP-1"), i)
            for i in vie.convention("OP-1").paiements
        )
    assert (prepare.libelle.split(",")[0], prepare.statut) == ("Solde n° 1", "prepare")
    assert prepare.calcul[-2].libelle == "Montant préparé"
    assert calcul(prepare)["reste_a_payer"] == 40_000_00
    # What was prepared first counts, the payment itself does not.
    assert calcul(ordonnance)["ordonnance_avant"] == 10_000_00
    assert calcul(ordonnance)["reste_a_payer"] == 30_000_00
    attente = next(x for x in ordonnance.calcul if x.code == "ordonnance_avant")
    assert [o.libelle for o in attente.operandes] == ["Préparation"]


@pytest.mark.parametrize("imputation", ["immediate", "sur_solde"])
def test_what_the_convention_holds_back_before_the_solde_is_written(
    service: Service, imputation: str
) -> None:
    vie = vies.Vie(service)
    vie.subvention()
    vie.tranche("200000.00", "200000.00")
    vie.enveloppe("A", "150000.00")
    vie.appel([{"code": "A1", "plie": "A"}])
    vie.jusqu_au_demarrage(
        "OP-1",
        convention={
            "parametres": {"plafond_avant_solde_pct": "60", "imputation_avance": imputation},
            "bilans_prevus": [
                {"numero": 1, "type": "intermediaire", "date_limite": "2022-04-30"},
                {"numero": 2, "type": "final", "date_limite": "2022-06-30"},
            ],
        },
    )
    vie.paiement("OP-1", "12000.00", type="avance")
    vie.bilan("OP-1", ["70000.00"], type="intermediaire")
    vie.controle("OP-1")
    vie.paiement("OP-1", "18000.00", type="acompte", numero=1)
    acompte = list(vie.convention("OP-1").paiements)[-1]
    with vie.reads.connection() as conn:
        found = provenance_du_paiement(conn, OI_ENTIER, vie.id("OP-1"), acompte)
    lu = calcul(found)
    assert (lu["fse_du_cumule"], lu["plafond_avant_solde"]) == (35_000_00, 30_000_00)
    assert (lu["reste_a_payer"], lu["reste_apres"]) == (18_000_00, 0)
    assert ("avance_au_solde" in lu) == (imputation == "sur_solde")


# --- The door -------------------------------------------------------------------------------------


@pytest.fixture
def http(ouvert: Service, vie: Vie) -> Iterator[TestClient]:
    with TestClient(create_app(ouvert, PortierDEssai())) as client:
        yield client


def get(http: TestClient, chemin: str, **filtres: Any) -> Any:
    answer = http.get(chemin, params=dict(parse_qsl(urlsplit(chemin).query)) | filtres)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_door_writes_each_figure_in_its_unit_and_each_link_opens(
    http: TestClient, vie: Vie
) -> None:
    chiffre = get(http, "/api/v1/maquette/mouvements", mesure="fse_paye", plie="A")
    assert (chiffre["valeur"], chiffre["unite"]) == ("26675.00", "euros")
    assert sum(Decimal(x["valeur"]) for x in chiffre["mouvements"]["lignes"]) == 26_675
    for ligne in chiffre["mouvements"]["lignes"]:
        assert set(ligne["liens"]) >= {"evenement", "operation", "paiement"}
        for lien in ligne["liens"].values():
            get(http, lien)
    compte = get(http, "/api/v1/maquette/mouvements", mesure="nb_operations")
    assert (compte["valeur"], compte["unite"]) == ("3", "nombre")


def test_a_ratio_at_the_door_gives_the_address_of_each_term(http: TestClient, vie: Vie) -> None:
    taux = get(
        http,
        "/api/v1/maquette/mouvements",
        mesure="taux_consommation",
        plie="A",
        effet_au="2022-03-20",
    )
    assert (taux["valeur"], taux["unite"]) == ("12.13", "pourcent")
    for operande in taux["operandes"]:
        terme = get(http, operande["lien"])
        assert terme["valeur"] == operande["valeur"]
        assert terme["situation"]["effet_au"] == "2022-03-20"


def test_the_difference_at_the_door(http: TestClient, vie: Vie) -> None:
    found = get(
        http,
        "/api/v1/maquette/difference",
        de_effet_au="2021-12-31",
        a_effet_au="2022-12-31",
        plie="A",
    )
    paye = next(c for c in found["chiffres"] if c["mesure"] == "fse_paye")
    assert (paye["avant"], paye["apres"], paye["ecart"]) == ("0.00", "26675.00", "26675.00")
    causes = {c["code"]: c for c in found["causes"]}
    assert causes["solde"]["montants"][0]["valeur"] == "-51500.00"
    assert causes["paiement"]["evenements"] == 3
    assert found["de"] == {"effet_au": "2021-12-31", "connu_le": None}


def test_an_ecart_is_reached_from_the_line_of_a_payment(http: TestClient, vie: Vie) -> None:
    chiffre = get(http, "/api/v1/maquette/mouvements", mesure="fse_paye", plie="A")
    solde = get(http, chiffre["mouvements"]["lignes"][-1]["liens"]["paiement"])
    assert solde["libelle"].startswith("Solde n° 1")
    effet = get(http, solde["depenses"]["lignes"][0]["lien_effet"])
    assert effet["ligne"]["ecarte"] == "1500.00"
    du = next(v for v in effet["recomptes"]["fse"] if v["code"] == "fse_du")
    assert (du["constate"], du["sans_ecart"], du["effet"]) == ("26675.00", "27500.00", "-825.00")


@pytest.mark.parametrize(
    ("chemin", "filtres", "statut", "code"),
    [
        ("maquette/mouvements", {}, 422, "saisie_invalide"),
        ("maquette/mouvements", {"mesure": "fse_perdu"}, 422, "saisie_invalide"),
        ("maquette/mouvements", {"mesure": "fse_paye", "cause": "hasard"}, 422, "saisie_invalide"),
        (
            "maquette/mouvements",
            {"mesure": "fse_paye", "connu_le": "hier"},
            422,
            "connu_le_illisible",
        ),
        ("maquette/difference", {"effet_au": "2021-12-31"}, 422, "saisie_invalide"),
        ("maquette/difference", {"apres": "x"}, 422, "curseur_invalide"),
        (
            "maquette/difference",
            {"subvention_globale_id": "00000000-0000-4000-8000-000000000000"},
            404,
            "aucune_maquette",
        ),
        (
            "depenses/00000000-0000-4000-8000-000000000000/effet",
            {},
            404,
            "depense_absente",
        ),
    ],
)
def test_what_is_ill_asked_is_refused(
    http: TestClient, vie: Vie, chemin: str, filtres: dict[str, str], statut: int, code: str
) -> None:
    answer = http.get(f"/api/v1/{chemin}", params=filtres)
    assert (answer.status_code, answer.json()["code"]) == (statut, code)
