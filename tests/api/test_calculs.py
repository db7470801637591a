"""The calculator at the JSON door: it computes, refuses at the right place, and keeps nothing."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from porte import Api
from portier import PortierDEssai
from starlette.testclient import TestClient

from api.app import create_app

DOSSIER = Path(__file__).parents[1] / "rules" / "cas"
RECUEILS = {p.stem: json.loads(p.read_text("utf-8")) for p in sorted(DOSSIER.glob("*.json"))}
CAS = {c["id"]: c for r in RECUEILS.values() for c in r.get("cases", ())}
[MUTUALISE] = RECUEILS["mutualisation"]["cases_multi_operations"]


@pytest.fixture(scope="module")
def http() -> TestClient:
    # Nothing is asked of the database: there is none.
    return TestClient(create_app(None, PortierDEssai()))  # type: ignore[arg-type]


def calculer(http: TestClient, corps: Any) -> Response:
    return http.post("/api/v1/calculs/fse-du", json=corps)


@pytest.mark.parametrize("cas", CAS.values(), ids=CAS)
def test_a_case_is_answered_by_its_bilans(http: TestClient, cas: Any) -> None:
    answer = calculer(http, cas)
    assert answer.status_code == 200, answer.text
    assert answer.json() == cas["attendu"]


def test_only_what_is_computed_from_is_needed(http: TestClient) -> None:
    cas = CAS["CSF-13"]
    nu = {nom: cas[nom] for nom in ("convention", "paiements_avant", "bilans")}
    assert calculer(http, nu).json() == cas["attendu"]


def test_a_pool_is_answered_by_its_sharing(http: TestClient) -> None:
    assert calculer(http, MUTUALISE).json() == MUTUALISE["attendu"]


def test_a_list_is_answered_by_a_list_in_its_order(http: TestClient) -> None:
    liste = [CAS["CSF-24"], MUTUALISE, CAS["CSF-01"]]
    assert calculer(http, liste).json() == [c["attendu"] for c in liste]
    assert calculer(http, [CAS["CSF-24"]]).json() == [CAS["CSF-24"]["attendu"]]


def test_a_file_of_cases_is_answered_by_a_list(http: TestClient) -> None:
    recueil = {
        "meta": {"version": "1"},
        "cases": [CAS["CSF-02"]],
        "cases_multi_operations": [MUTUALISE],
    }
    assert calculer(http, recueil).json() == [CAS["CSF-02"]["attendu"], MUTUALISE["attendu"]]


def test_choices_go_by_the_names_that_a_grant_gives_them(http: TestClient) -> None:
    def du(identifiant: str, **parametres: str) -> Any:
        cas = {**CAS[identifiant], "parametres": parametres}
        [*_, dernier] = calculer(http, cas).json()
        return dernier

    assert du("CSF-02", arrondi="troncature")["fse_du_cumule"] == "43761.85"
    assert du("CSF-23", taux_mode="affiche")["fse_du_cumule"] == "48192.00"
    assert du("CSF-23", taux="affiche")["fse_du_cumule"] == "48192.00"
    # 18 250,10 € of fonctionnement where 15 000,00 € were agreed, and 66 000,00 € of personnel.
    libre = du("CSF-03")
    assert "ecretement_postes" not in libre
    plafonne = du("CSF-03", fongibilite="plafond_par_poste")
    assert plafonne["ecretement_postes"] == {"personnel": "6000.00", "fonctionnement": "3250.10"}
    tolere = du("CSF-03", fongibilite="tolerance", tolerance_poste_pct="10")
    assert tolere["ecretement_postes"] == {"fonctionnement": "1750.10"}


def test_the_ceiling_of_the_choices_comes_before_that_of_the_convention(http: TestClient) -> None:
    cas = {**CAS["CSF-13"], "parametres": {"plafond_avant_solde_pct": "50"}}
    premier, dernier = calculer(http, cas).json()
    assert (premier["a_payer"], premier["retenu_jusqu_au_solde"]) == ("24000.00", "38500.00")
    assert dernier["a_payer"] == "55350.03"


def test_others_may_count_pro_rata_before_the_end(http: TestClient) -> None:
    cas = copy.deepcopy(CAS["CSF-31"])
    cas["convention"]["ressources_prevues"] = [{"type": "publique_epci", "montant": "90000.00"}]
    cas["parametres"] = {"ressources_intermediaires": "prorata"}
    premier, dernier = calculer(http, cas).json()
    # 40 000 of 240 000 are executed: 15 000,00 € of the EPCI, where 12 000,00 € were received.
    assert premier["ressources_externes_retenues"] == "15000.00"
    assert dernier["ressources_externes_retenues"] == "92000.00"


def test_what_came_back_is_no_longer_paid(http: TestClient) -> None:
    cas = copy.deepcopy(CAS["CSF-01"])
    cas["paiements_avant"].append({"type": "reversement", "montant": "5000.00"})
    [rendu] = calculer(http, cas).json()
    assert (rendu["fse_paye_avant"], rendu["a_payer"]) == ("10000.00", "40000.00")


def test_a_line_outside_the_convention_is_shown_once_it_is_set_aside_whole(
    http: TestClient,
) -> None:
    cas = copy.deepcopy(CAS["CSF-01"])
    cas["bilans"][0]["depenses"].append(
        {"id": "D9", "poste": "voyages", "montant_declare": "75.00", "montant_ecarte": "75.00"}
    )
    [rendu] = calculer(http, cas).json()
    assert rendu["postes_retenus_cumules"]["voyages"] == "0.00"
    assert rendu["montant_ecarte_periode"] == "75.00"


# --- Refusals ------------------------------------------------------------------------------------


def defauts(answer: Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "saisie_invalide"
    for english in ("Value error", "Input should", "Extra inputs", "Field required"):
        assert english not in answer.text
    return {e["pointer"]: e["message"] for e in problem["errors"]}


def changer(chemin: str, valeur: Any) -> Callable[[Any], None]:
    """Put a value at a place; ``None`` takes the field away."""

    def modifier(cas: Any) -> None:
        *milieu, dernier = [int(p) if p.isdigit() else p for p in chemin.split("/")]
        for pas in milieu:
            cas = cas[pas]
        if valeur is None:
            del cas[dernier]
        elif isinstance(cas, list):
            cas.append(valeur)
        else:
            cas[dernier] = valeur

    return modifier


D = "bilans/0/depenses/0"
LIGNE = {"id": "Z1", "poste": "personnel", "montant_declare": "1.00", "montant_ecarte": "0.00"}

MAUVAIS: list[tuple[str, str, Any, str, str]] = [
    # case, what changes, its new value, where it is refused, with which words
    ("CSF-01", "convention", None, "#/convention", "obligatoire"),
    ("CSF-01", "paiements_avant", None, "#/paiements_avant", "obligatoire"),
    ("CSF-01", "bilans", [], "#/bilans", "au moins 1"),
    ("CSF-01", f"{D}/montant_ecarte", None, f"#/{D}/montant_ecarte", "obligatoire"),
    ("CSF-01", f"{D}/montant_declare", 60000, f"#/{D}/montant_declare", "jamais un nombre JSON"),
    ("CSF-01", f"{D}/montant_declare", 0.1, f"#/{D}/montant_declare", "jamais un nombre JSON"),
    ("CSF-01", f"{D}/montant_declare", "1e3", f"#/{D}/montant_declare", "deux décimales"),
    ("CSF-01", f"{D}/montant_declare", "--1.00", f"#/{D}/montant_declare", "deux décimales"),
    ("CSF-01", f"{D}/montant_ecarte", "-0.01", f"#/{D}/montant_ecarte", "de 0,00 € à"),
    ("CSF-01", f"{D}/montant_ecarte", "60000.01", f"#/{D}/montant_ecarte", "de 0,00 € à"),
    ("CSF-01", f"{D}/poste", "voyages", f"#/{D}/poste", "POSTE_NON_CONVENTIONNE"),
    ("CSF-01", f"{D}/poste", "indirectes", f"#/{D}/poste", "un coût n’a qu’une forme"),
    ("CSF-01", f"{D}/montant", "1.00", f"#/{D}/montant", "n’est pas connu"),
    ("CSF-01", "bilans/0/depenses/3", LIGNE | {"id": "D1"}, "#/bilans/0/depenses/3/id", "déjà"),
    ("CSF-01", "bilans/0/type", "solde", "#/bilans/0/type", "'intermediaire' ou 'final'"),
    ("CSF-01", "bilans/0/numero", "1", "#/bilans/0/numero", "nombre entier"),
    ("CSF-01", "bilans/0/ressources/0/type", "epci", "#/bilans/0/ressources/0/type", "possibles"),
    (
        "CSF-01",
        "bilans/0/ressources/0/montant_retenu",
        "-1.00",
        "#/bilans/0/ressources/0/montant_retenu",
        "sans signe",
    ),
    ("CSF-01", "convention/fse_max", "-1.00", "#/convention/fse_max", "sans signe"),
    (
        "CSF-01",
        "convention/cout_total_eligible",
        "0.00",
        "#/convention/cout_total_eligible",
        "le taux du FSE ne peut pas être calculé",
    ),
    (
        "CSF-01",
        "convention/postes/3/assiette",
        ["salaires"],
        "#/convention/postes/3/assiette/0",
        "ce poste n’existe pas",
    ),
    (
        "CSF-01",
        "convention/postes/3/assiette",
        ["personnel", "personnel"],
        "#/convention/postes/3/assiette/1",
        "deux fois",
    ),
    (
        "CSF-01",
        "convention/postes/3/assiette",
        ["indirectes"],
        "#/convention/postes/3/assiette/0",
        "calculé avant",
    ),
    ("CSF-01", "convention/postes/3/taux_pct", None, "#/convention/postes/3/taux_pct", "forfait"),
    ("CSF-01", "convention/postes/3/taux_pct", "101", "#/convention/postes/3/taux_pct", "0 à 100"),
    ("CSF-01", "convention/postes/0/taux_pct", "15", "#/convention/postes/0/taux_pct", "de sens"),
    (
        "CSF-01",
        "convention/postes/1/code",
        "personnel",
        "#/convention/postes/1/code",
        "deux fois",
    ),
    (
        "CSF-20",
        "convention/postes/0/cout_unite",
        None,
        "#/convention/postes/0/cout_unite",
        "obligatoire pour un poste « cout_unitaire »",
    ),
    ("CSF-20", "bilans/0/unites/0/poste", "heures", "#/bilans/0/unites/0/poste", "coût unitaire"),
    (
        "CSF-20",
        "bilans/0/unites/0/unites_retenues",
        "113",
        "#/bilans/0/unites/0/unites_retenues",
        "plus d’unités retenues que déclarées (112)",
    ),
    ("CSF-21", "bilans/0/livrables/0/atteint", "oui", "#/bilans/0/livrables/0/atteint", "true"),
    (
        "CSF-21",
        "bilans/0/livrables/0/poste",
        "lots",
        "#/bilans/0/livrables/0/poste",
        "montants forfaitaires",
    ),
    (
        "CSF-22",
        "convention/plafonds_poste/indirectes",
        {"montant": "1.00"},
        "#/convention/plafonds_poste/indirectes",
        "ne se plafonne pas",
    ),
    (
        "CSF-15",
        "bilans/0/extrapolation/tirage/3",
        "P9",
        "#/bilans/0/extrapolation/tirage/3",
        "aucune dépense « personnel »",
    ),
    (
        "CSF-15",
        "bilans/0/extrapolation/tirage/3",
        "P1",
        "#/bilans/0/extrapolation/tirage/3",
        "déjà tirée",
    ),
    (
        "CSF-15",
        "bilans/0/depenses/0/montant_declare",
        "-1.00",
        "#/bilans/0/extrapolation/tirage/0",
        "une régularisation ne se tire pas",
    ),
    (
        "CSF-16",
        "bilans/0/corrections_marche/0/marche",
        "M9",
        "#/bilans/0/corrections_marche/0/marche",
        "ne porte ce marché",
    ),
    (
        "CSF-19",
        "bilans/0/ressources/0/type",
        "recettes",
        "#/bilans/0/recettes_nettes",
        "ne se déduisent pas aussi",
    ),
    ("CSF-01", "parametres", {"arrondi": "bancaire"}, "#/parametres/arrondi", "'troncature'"),
    ("CSF-01", "parametres", {"arondi": "troncature"}, "#/parametres/arondi", "n’est pas connu"),
    (
        "CSF-01",
        "paiements_avant/0/type",
        "reversement",
        "#/paiements_avant/0/montant",
        "dépassent ce qui avait été payé",
    ),
    ("CSF-01", "reglement", "2007-2013", "#/reglement", "'2014-2020' ou '2021-2027'"),
]


@pytest.mark.parametrize(
    ("identifiant", "chemin", "valeur", "lieu", "mots"),
    MAUVAIS,
    ids=[f"{m[0]} {m[1]} {m[2]!r}"[:60] for m in MAUVAIS],
)
def test_a_defect_is_refused_at_its_place(
    http: TestClient, identifiant: str, chemin: str, valeur: Any, lieu: str, mots: str
) -> None:
    cas = copy.deepcopy(CAS[identifiant])
    changer(chemin, valeur)(cas)
    found = defauts(calculer(http, cas))
    assert lieu in found, found
    assert mots in found[lieu]


def test_every_defect_is_told_not_only_the_first(http: TestClient) -> None:
    cas = copy.deepcopy(CAS["CSF-01"])
    for rang in range(3):
        cas["bilans"][0]["depenses"][rang]["montant_ecarte"] = "99999.99"
    cas["convention"]["cout_total_eligible"] = "0.00"
    assert list(defauts(calculer(http, cas))) == [
        "#/convention/cout_total_eligible",
        *(f"#/bilans/0/depenses/{rang}/montant_ecarte" for rang in range(3)),
    ]


def test_places_in_a_list_and_in_a_file_start_with_the_case(http: TestClient) -> None:
    mauvais = copy.deepcopy(CAS["CSF-01"])
    mauvais["bilans"][0]["depenses"][1]["montant_ecarte"] = "99999.99"
    place = "bilans/0/depenses/1/montant_ecarte"
    assert list(defauts(calculer(http, [CAS["CSF-02"], mauvais]))) == [f"#/1/{place}"]
    assert list(defauts(calculer(http, {"cases": [mauvais]}))) == [f"#/cases/0/{place}"]


def test_nothing_intermediate_follows_the_final_bilan(http: TestClient) -> None:
    cas = copy.deepcopy(CAS["CSF-24"])
    cas["bilans"][1]["type"] = "intermediaire"
    found = defauts(calculer(http, cas))
    assert found == {"#/bilans/1/type": "un bilan intermédiaire ne suit pas un bilan final"}


def test_a_displayed_rate_that_is_not_the_convention_s_is_refused(http: TestClient) -> None:
    cas = copy.deepcopy(CAS["CSF-23"])
    cas["convention"]["taux_fse_affiche_pct"] = "60.25"
    assert calculer(http, cas).status_code == 200
    cas["parametres"] = {"taux_mode": "affiche"}
    found = defauts(calculer(http, cas))
    assert "60.24" in found["#/convention/taux_fse_affiche_pct"]


def test_caps_by_poste_need_the_amounts_of_the_postes(http: TestClient) -> None:
    cas = copy.deepcopy(CAS["CSF-01"])
    del cas["convention"]["postes"][1]["montant_conventionne"]
    assert calculer(http, cas).status_code == 200
    cas["parametres"] = {"fongibilite": "plafond_par_poste"}
    assert list(defauts(calculer(http, cas))) == ["#/convention/postes/1/montant_conventionne"]


def test_a_deliverable_says_its_poste_when_several_are_lump_sums(http: TestClient) -> None:
    cas = copy.deepcopy(CAS["CSF-21"])
    cas["convention"]["postes"].append({"code": "autres_lots", "mode": "montant_forfaitaire"})
    assert list(defauts(calculer(http, cas))) == [
        "#/bilans/0/livrables/0/poste",
        "#/bilans/0/livrables/1/poste",
    ]
    for livrable in cas["bilans"][0]["livrables"]:
        livrable["poste"] = "montants_forfaitaires"
    [rendu] = calculer(http, cas).json()
    assert rendu["postes_retenus_cumules"] == {
        "montants_forfaitaires": "35000.00",
        "autres_lots": "0.00",
    }


def test_a_sample_that_declares_nothing_gives_no_rate(http: TestClient) -> None:
    cas = copy.deepcopy(CAS["CSF-15"])
    for ligne in cas["bilans"][0]["depenses"][:3]:
        ligne |= {"montant_declare": "0.00", "montant_ecarte": "0.00"}
    found = defauts(calculer(http, cas))
    assert "aucun taux ne s’en déduit" in found["#/bilans/0/extrapolation/tirage"]


def test_the_rate_of_a_sample_does_not_apply_to_a_regularisation(http: TestClient) -> None:
    cas = copy.deepcopy(CAS["CSF-15"])
    cas["bilans"][0]["depenses"].append(
        LIGNE | {"montant_declare": "-1000.00", "motif": "REGULARISATION_BILAN_ANTERIEUR"}
    )
    [rendu] = calculer(http, cas).json()
    assert rendu["extrapolation"]["base_non_tiree"] == "41500.00"
    assert rendu["postes_retenus_cumules"]["personnel"] == "57783.78"


def test_too_many_postes_are_refused(http: TestClient) -> None:
    cas = copy.deepcopy(CAS["CSF-01"])
    cas["bilans"][0]["depenses"] = [
        LIGNE | {"id": f"D{n}", "poste": f"p{n}", "montant_ecarte": "1.00"} for n in range(97)
    ]
    assert list(defauts(calculer(http, cas))) == ["#/bilans"]


@pytest.mark.parametrize(
    ("chemin", "valeur", "lieu", "mots"),
    [
        ("pool/montant", 55000, "#/pool/montant", "jamais un nombre JSON"),
        ("pool", None, "#/pool", "obligatoire"),
        ("operations/1/operation", "OP-A", "#/operations/1/operation", "figure deux fois"),
        (
            "operations/2/cout_total_eligible",
            "0.00",
            "#/operations/2/cout_total_eligible",
            "ne peut pas être calculé",
        ),
        ("bilans", [], "#/bilans", "n’est pas connu"),
    ],
)
def test_a_sharing_is_refused_at_its_place(
    http: TestClient, chemin: str, valeur: Any, lieu: str, mots: str
) -> None:
    cas = copy.deepcopy(MUTUALISE)
    changer(chemin, valeur)(cas)
    assert mots in defauts(calculer(http, cas))[lieu]


@pytest.mark.parametrize(
    ("corps", "lieu", "mots"),
    [
        ({}, "#/convention", "obligatoire"),
        ([], "#", "au moins 1"),
        ([3], "#/0", "objet JSON"),
        ("CSF-01", "#", "objet JSON"),
        ({"cases": []}, "#/cases", "aucun cas"),
        ({"cases": {}}, "#/cases", "liste"),
        ({"cases": [], "cas": []}, "#/cas", "n’est pas connu"),
    ],
)
def test_what_is_no_case_is_refused(http: TestClient, corps: Any, lieu: str, mots: str) -> None:
    assert mots in defauts(calculer(http, corps))[lieu]


def test_nothing_is_kept(api: Api) -> None:
    avant = api.position
    assert calculer(api.http, CAS["CSF-01"]).json() == CAS["CSF-01"]["attendu"]
    assert api.position == avant == 0


@pytest.mark.parametrize("nom", ["CsfCalcule", "RepartitionCalculee", "CouvertureCalculee"])
def test_what_an_answer_leaves_out_is_not_described_as_required(http: TestClient, nom: str) -> None:
    """What has no object is absent of an answer: a need of nothing has no rate of coverage."""
    decrit = http.get("/openapi.json").json()["components"]["schemas"][nom]
    vides = {n for n, p in decrit["properties"].items() if {"type": "null"} in p.get("anyOf", ())}
    assert not vides & set(decrit["required"])
