"""What the sheets show of a control: its form of costs, its decisions, its whole calculation."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from portier import PortierDEssai
from psycopg.rows import scalar_row
from starlette.testclient import TestClient
from vie import Vie

from api.app import create_app
from oi_service.application import Service
from oi_service.verification import verifier
from projections.fiche_operation import fiche_operation
from projections.perimetre import OI_ENTIER

PLAN = {
    "postes": [
        {"code": "personnel", "montant": "60000.00"},
        {"code": "prestations", "montant": "12000.00"},
        {
            "code": "indirectes",
            "montant": "9000.00",
            "mode": "forfait",
            "option": "forfait_15_personnel",
            "taux_pct": "15",
            "assiette": ["personnel"],
        },
        {
            "code": "ateliers",
            "libelle": "Ateliers collectifs",
            "montant": "10000.00",
            "mode": "cout_unitaire",
            "couvre": ["fonctionnement"],
            "unite": "séance",
            "cout_unite": "100.00",
            "unites": "100",
        },
        {
            "code": "diagnostic",
            "montant": "9000.00",
            "mode": "montant_forfaitaire",
            "couvre": ["participants"],
            "livrables": [
                {"id": "L1", "libelle": "Rapport", "montant": "5000.00"},
                {"id": "L2", "libelle": "Annuaire", "montant": "4000.00"},
            ],
        },
    ],
    "fse": "50000.00",
    "ressources": [
        {"type": "publique_epci", "financeur": "EPCI fictif", "montant": "40000.00"},
        {"type": "autofinancement", "financeur": "Porteur", "montant": "10000.00"},
    ],
}
#: 60 000,00 € of staff in four pieces, 12 000,00 € under one contract.
DEPENSES = [
    *(
        {"piece_ref": f"S-{rang}", "montant_impute": montant}
        for rang, montant in enumerate(("20000.00", "15000.00", "15000.00", "10000.00"))
    ),
    {
        "piece_ref": "F-1",
        "poste": "prestations",
        "nature": "Formation",
        "montant_impute": "12000.00",
        "marche_ref": "M-2021-04",
    },
]


@pytest.fixture
def vie(service: Service) -> Vie:
    """Open a grant that samples and extrapolates, and one operation with every form of cost."""
    vie = Vie(service)
    vie.subvention(
        parametres={
            "echantillon_taille_min": 2,
            "echantillon_couverture_min_pct": "10",
            "extrapolation": True,
            "refaction": {"seuil_pct": "80", "taux_pct": "5"},
        }
    )
    vie.tranche("400000.00")
    vie.enveloppe("A", "200000.00")
    vie.appel(fiches=[{"parametres": {"avance_pct": "20", "avance_plafond": "9000.00"}}])
    return vie


@pytest.fixture
def http(vie: Vie, service: Service) -> Iterator[TestClient]:
    """Lend a client."""
    del vie
    with TestClient(create_app(service, PortierDEssai())) as client:
        yield client


def lire(http: TestClient, chemin: str) -> Any:
    answer = http.get(f"/api/v1{chemin}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def _conventionner(vie: Vie, **convention: Any) -> None:
    vie.depot("un", plan=PLAN)
    vie.instruction("un", derogation="commande_publique")
    vie.programmation("un")
    vie.conventionnement("un", **convention)


def _controler(vie: Vie) -> None:
    """File everything, draw two pieces of staff, set something aside everywhere."""
    vie.bilan(
        "un",
        DEPENSES,
        ressources=[{"type": "publique_epci", "montant": "40000.00"}],
        unites=[{"poste": "ateliers", "quantite": "100"}],
        livrables=["L1", "L2"],
        recettes_nettes="1000.00",
    )
    vie.ouverture_controle("un", modalite="echantillon")
    vie.tirage("un", graine="2022-04")
    csf = vie._bilan("un", 1).csf
    premiere, *autres = csf.tirages["personnel"]
    ecart = {"montant_ecarte": "500.00", "motif_code": "NON_ACQUITTEE"}
    entieres = {d: {"montant_ecarte": "0.00"} for d in (*autres, vie.piece("un", "F-1"))}
    vie.lignes("un", 1, {premiere: ecart} | entieres)
    vie.extrapolation("un", fondement="convention")
    vie.correction_marche("un", "M-2021-04", "10")
    vie.correction_fse("un", "refaction_indicateurs")
    vie.controle_ressources("un", ressources=["38000.00"])
    non_prouve = {"retenues": "92.5", "motif_code": "PIECE_ABSENTE"}
    non_atteint = {"atteint": False, "motif_code": "PIECE_ABSENTE"}
    vie.controle_realisations("un", unites={"ateliers": non_prouve}, livrables={"L2": non_atteint})
    vie.controle_recettes("un", montant_retenu="800.00", traitement="deduites")
    vie.grille("un")
    vie.fin_du_controle("un")


def test_a_plan_shows_the_form_of_each_poste(http: TestClient, vie: Vie) -> None:
    _conventionner(vie)
    fiche = lire(http, f"/operations/{vie.id('un')}")
    personnel, _, indirectes, ateliers, diagnostic = fiche["plan"]["postes"]
    assert (personnel["mode"], personnel["option"], personnel["assiette"]) == ("reel", None, [])
    assert (indirectes["option"], indirectes["taux_pct"]) == ("forfait_15_personnel", "15")
    assert indirectes["assiette"] == ["personnel"]
    assert (ateliers["cout_unite"], ateliers["unites"], ateliers["unite"]) == (
        "100.00",
        "100",
        "séance",
    )
    assert (ateliers["libelle"], ateliers["couvre"]) == ("Ateliers collectifs", ["fonctionnement"])
    assert diagnostic["livrables"] == [
        {"id": "L1", "libelle": "Rapport", "montant": "5000.00"},
        {"id": "L2", "libelle": "Annuaire", "montant": "4000.00"},
    ]
    assert fiche["derogation_couts_simplifies"] == "commande_publique"
    versions = [(v["origine"], v["derogation_couts_simplifies"]) for v in fiche["versions_du_plan"]]
    assert versions == [("depot", None), ("instruction", "commande_publique"), ("convention", None)]
    assert (fiche["suites"], fiche["suites_en_cours"]) == ([], False)


def test_what_the_instruction_let_pass_is_shown(http: TestClient, vie: Vie) -> None:
    petit = {
        "postes": [{"code": "personnel", "montant": "20000.00"}],
        "fse": "10000.00",
        "ressources": [{"type": "publique_epci", "financeur": "EPCI", "montant": "10000.00"}],
    }
    vie.depot("deux", plan=petit)
    vie.instruction("deux")
    fiche = lire(http, f"/operations/{vie.id('deux')}")
    [avertissement] = fiche["avertissements"]
    assert "les coûts simplifiés sont obligatoires" in avertissement
    assert fiche["versions_du_plan"][1]["avertissements"] == [avertissement]
    assert fiche["derogation_couts_simplifies"] is None


def test_the_choices_are_shown_where_they_are_made(http: TestClient, vie: Vie) -> None:
    _conventionner(
        vie,
        parametres={"fongibilite": "plafond_par_poste"},
        plafonds_poste=[{"code": "prestations", "montant": "11000.00", "tolerance_pct": "10"}],
    )
    globale = lire(http, f"/subventions-globales/{vie.id('SG')}")["parametres"]
    assert (globale["avance_pct"], globale["fongibilite"]) == ("30", "libre")
    assert globale["refaction"] == {"seuil_pct": "80", "taux_pct": "5"}
    assert (globale["extrapolation"], globale["echantillon_taille_min"]) == (True, 2)
    [fiche] = lire(http, f"/appels-a-projets/{vie.id('AAP')}")["fiches"]
    assert (fiche["parametres"]["avance_pct"], fiche["parametres"]["avance_plafond"]) == (
        "20",
        "9000.00",
    )
    assert fiche["parametres"]["fongibilite"] is None
    convention = lire(http, f"/operations/{vie.id('un')}/convention")
    figes = convention["parametres"]
    assert (figes["avance_pct"], figes["avance_plafond"]) == ("20", "9000.00")
    assert (figes["fongibilite"], figes["refaction"]) == ("plafond_par_poste", globale["refaction"])
    assert convention["plafonds_poste"] == [
        {"code": "prestations", "montant": "11000.00", "tolerance_pct": "10"}
    ]


def test_a_control_shows_every_decision(http: TestClient, vie: Vie) -> None:
    _conventionner(vie)
    _controler(vie)
    [bilan] = lire(http, f"/operations/{vie.id('un')}/convention")["bilans"]
    assert (bilan["statut"], bilan["recevable_le"]) == ("controle", "2022-04-05")
    assert bilan["unites"] == [{"poste": "ateliers", "quantite": "100"}]
    assert (bilan["livrables"], bilan["recettes_nettes"]) == (["L1", "L2"], "1000.00")
    assert {x["code"]: x["declare"] for x in bilan["apports"]["lignes"]} == {
        "personnel": "60000.00",
        "prestations": "12000.00",
    }
    [csf] = bilan["csf"]
    assert (csf["modalite"], csf["conclusions_finales_le"]) == ("echantillon", "2022-05-02")
    assert csf["fse_demande"] == "49500.00"
    assert csf["fse_annonce"] == csf["resultat"]["fse_du_cumule"] < csf["fse_demande"]
    decisions = csf["decisions"]
    [tirage] = decisions["tirages"]
    assert (tirage["graine"], tirage["algorithme"]) == ("2022-04", "sha256-v1")
    assert (tirage["population_nombre"], tirage["population"]) == (4, "60000.00")
    assert len(tirage["tirage"]) == 2
    [extrapolation] = decisions["extrapolations"]
    assert (extrapolation["poste"], extrapolation["fondement"]) == ("personnel", "convention")
    [marche] = decisions["marches"]
    assert (marche["marche_ref"], marche["taux_pct"]) == ("M-2021-04", "10")
    assert marche["motif"]
    [correction] = decisions["corrections_fse"]
    assert (correction["nature"], correction["taux_pct"]) == ("refaction_indicateurs", "5")
    [ressource] = decisions["ressources"]
    assert (ressource["montant_declare"], ressource["montant_retenu"]) == ("40000.00", "38000.00")
    [unites] = decisions["unites"]
    assert (unites["declarees"], unites["retenues"]) == ("100", "92.5")
    assert [(x["id"], x["atteint"]) for x in decisions["livrables"]] == [
        ("L1", True),
        ("L2", False),
    ]
    assert (decisions["recettes"]["retenues"], decisions["recettes"]["traitement"]) == (
        "800.00",
        "deduites",
    )
    assert decisions["grille"][0] == {
        "numero": 1,
        "libelle": "Dates et signatures du bilan",
        "reponse": "conforme",
        "commentaire": None,
    }


def test_a_certificate_shows_what_it_read_and_every_operand(http: TestClient, vie: Vie) -> None:
    _conventionner(vie)
    _controler(vie)
    convention = lire(http, f"/operations/{vie.id('un')}/convention")
    resultat = convention["bilans"][0]["csf"][0]["resultat"]
    entrees, calcul = resultat["entrees"], resultat["calcul"]
    assert (entrees["rang"], len(entrees["bilans"])) == (0, 1)
    assert entrees["conditions"]["fse_max"] == "50000.00"
    assert entrees["conditions"]["ressources_prevues"] == [["publique_epci", "40000.00"]]
    assert entrees["bilans"][0]["ressources"] == [["publique_epci", "38000.00"]]
    postes = {p["code"]: p for p in calcul["postes"]}
    [extrapolation] = calcul["extrapolations"]
    personnel = postes["personnel"]
    assert (personnel["declare"], personnel["ecarte"]) == ("60000.00", "500.00")
    assert personnel["extrapole"] == extrapolation["correction"]
    assert postes["prestations"]["corrige_marche"] == "1200.00"
    assert postes["ateliers"]["retenu"] == "9250.00"
    assert postes["diagnostic"]["retenu"] == "5000.00"
    assert postes["indirectes"]["assiette_montant"] == personnel["retenu"]
    assert calcul["recettes_nettes"] == "800.00"
    assert [m["correction"] for m in calcul["marches"]] == ["1200.00"]
    [correction] = calcul["corrections_fse"]
    brut, du = _centimes(calcul["fse_brut"]), _centimes(calcul["fse_du"])
    assert brut - du == _centimes(correction["correction"]) > 0
    assert calcul["fse_du"] == resultat["fse_du_cumule"] == convention["fse_du"]


def _centimes(euros: str) -> int:
    return int(euros.replace(".", ""))


# What the ledger keeps of it.


def _mesures(vie: Vie, mesures: tuple[str, ...]) -> tuple[int, ...]:
    with vie.reads.connection() as conn, conn.cursor(row_factory=scalar_row) as cursor:
        return tuple(
            cursor.execute(
                "SELECT coalesce(sum(centimes), 0)::bigint FROM projection.mouvement"
                " WHERE operation_id = %s AND mesure = %s",
                (vie.id("un"), mesure),
            ).fetchone()
            or 0
            for mesure in mesures
        )


def _ecarts(base: str) -> list[str]:
    return [str(c) for c in verifier(base) if c.ecarts]


def test_a_new_version_starts_from_the_former_one_and_its_consequences_are_followed(
    http: TestClient, vie: Vie, base: str
) -> None:
    _conventionner(vie)
    _controler(vie)
    avant = vie.convention("un").fse_du
    vie.paiement("un", _euros(avant))
    vie.solde("un")
    assert _mesures(vie, ("fse_programme_ajuste", "fse_retenu_csf")) == (avant, avant)

    vie.reouverture_controle("un", le=date(2022, 9, 1), controle_ref="CICC-2022-7")
    fiche = lire(http, f"/operations/{vie.id('un')}")
    assert fiche["resume"]["statut"] == "solde"
    assert fiche["suites_en_cours"]
    [suite] = fiche["suites"]
    assert (suite["controle_ref"], suite["close_le"]) == ("CICC-2022-7", None)
    assert _ecarts(base) == []

    vie.ouverture_controle("un", le=date(2022, 9, 2), modalite="echantillon")
    vie.correction_marche("un", "M-2021-04", "25", le=date(2022, 9, 3))
    vie.fin_du_controle("un", le=date(2022, 9, 4))
    apres = vie.convention("un").fse_du
    assert apres < avant
    premiere, seconde = lire(http, f"/operations/{vie.id('un')}")["convention"]["bilans"][0]["csf"]
    assert premiere["rouvert_le"] == "2022-09-01"
    assert (premiere["controle_ref"], seconde["controle_ref"]) == (None, "CICC-2022-7")
    assert seconde["motif_reouverture"]
    assert [m["taux_pct"] for m in premiere["decisions"]["marches"]] == ["10"]
    assert [m["taux_pct"] for m in seconde["decisions"]["marches"]] == ["25"]
    assert seconde["decisions"]["tirages"] == premiere["decisions"]["tirages"]
    assert seconde["decisions"]["grille"] == premiere["decisions"]["grille"]
    # Until the consequences are settled, what is paid is not what is due.
    assert _mesures(vie, ("fse_programme_ajuste", "fse_retenu_csf")) == (avant, apres)
    assert _ecarts(base) == []

    vie.reversement("un", _euros(avant - apres))
    vie.suites_closes("un", le=date(2022, 10, 1))
    assert _mesures(vie, ("fse_programme_ajuste", "fse_retenu_csf", "fse_paye")) == (apres,) * 3
    retenu = vie.convention("un").cout_total_retenu
    assert _mesures(vie, ("ct_programme_ajuste", "ct_retenu_csf")) == (retenu, retenu)
    with vie.reads.connection() as conn:
        close = fiche_operation(conn, OI_ENTIER, vie.id("un"))
    assert not close.suites_en_cours
    assert [s.close_le for s in close.suites] == [date(2022, 10, 1)]
    assert close.resume.statut == "solde"
    assert _ecarts(base) == []


def _euros(centimes: int) -> str:
    return f"{centimes // 100}.{centimes % 100:02d}"


@pytest.mark.parametrize("montants", ["conserves", "ecartes"])
def test_a_dossier_closed_without_its_bilan_owes_what_the_closing_says(
    http: TestClient, vie: Vie, base: str, montants: str
) -> None:
    _conventionner(
        vie,
        bilans_prevus=[
            {"numero": 1, "type": "intermediaire", "date_limite": "2022-04-30"},
            {"numero": 2, "type": "final", "date_limite": "2022-06-30"},
        ],
    )
    vie.bilan("un", DEPENSES[:2], type="intermediaire")
    vie.controle("un")
    du, retenu = vie.convention("un").fse_du, vie.convention("un").cout_total_retenu
    assert _mesures(vie, ("fse_retenu_csf", "ct_retenu_csf")) == (du, retenu)
    vie.reclamation("un", numero=2, le=date(2022, 7, 1))
    vie.cloture_office("un", numero=2, montants_controles=montants, le=date(2022, 9, 2))
    attendu = (du, retenu) if montants == "conserves" else (0, 0)
    assert _mesures(vie, ("fse_retenu_csf", "ct_retenu_csf")) == attendu
    fiche = lire(http, f"/operations/{vie.id('un')}")
    assert fiche["resume"]["statut"] == "resilie"
    cloture = fiche["convention"]["cloture_office"]
    assert (cloture["numero"], cloture["fse_du_avant"]) == (2, _euros(du))
    assert (cloture["fse_du_apres"], cloture["cout_total_retenu_apres"]) == tuple(
        _euros(m) for m in attendu
    )
    assert cloture["motif"]
    assert fiche["convention"]["fse_du"] == _euros(attendu[0])
    assert _ecarts(base) == []
