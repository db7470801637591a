"""The numbers of the texts, through the JSON door and at the command line. No database is asked."""

import json
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from portier import PortierDEssai
from rich.console import Console
from starlette.testclient import TestClient

from api.app import create_app
from api.parametres import MOTS, valeur_ecrite, valeur_lisible
from oi_service import cli
from oi_service.cli import JourIllisible, ReglementInconnu
from oi_service.clock import today
from rules import VERSION_REGLES
from rules.parametres import (
    Palier,
    Parametre,
    Unite,
    Valeur,
    parametre,
    parametres_ecrits,
    parametres_en_vigueur,
)

CHEMIN = "/api/v1/parametres"


@pytest.fixture(scope="module")
def porte() -> TestClient:
    return TestClient(create_app(None, PortierDEssai()))  # type: ignore[arg-type]


def lus(porte: TestClient, **demande: str) -> dict[str, Any]:
    answer = porte.get(CHEMIN, params=demande)
    assert answer.status_code == 200, answer.text
    return {nombre["nom"]: nombre for nombre in answer.json()["parametres"]}


# --- JSON -----------------------------------------------------------------------------------------


def test_a_number_is_given_with_all_that_founds_it(porte: TestClient) -> None:
    trouve = lus(porte, le="2022-06-15", reglement="2021-2027")["couts_simplifies_cout_total_max"]
    assert trouve == {
        "nom": "couts_simplifies_cout_total_max",
        "libelle": "Coûts simplifiés obligatoires : coût total de l’opération jusqu’auquel ils le "
        "sont, ce montant compris",
        "valeur": "200000.00",
        "valeur_lisible": "200\u00a0000,00\u00a0€",
        "unite": "euros",
        "reglement": "2021-2027",
        "a_compter_du": "2021-01-01",
        "jusqu_au": None,
        "reference": "Règlement (UE) 2021/1060, art. 53 §2",
        "etiquette": "source",
        "verifie_le": "2026-11-22",
    }


def test_the_day_chooses_on_both_sides_of_a_change(porte: TestClient) -> None:
    nom = "couts_simplifies_soutien_public_max"
    veille = lus(porte, le="2018-08-01", reglement="2014-2020")[nom]
    jour = lus(porte, le="2018-08-02", reglement="2014-2020")[nom]
    assert (veille["valeur"], veille["jusqu_au"]) == ("50000.00", "2018-08-01")
    assert veille["verifie_le"] == "2026-11-22"
    assert (jour["valeur"], jour["a_compter_du"]) == ("100000.00", "2018-08-02")
    assert (jour["jusqu_au"], jour["verifie_le"]) == (None, None)


@pytest.mark.parametrize(("reglement", "autre"), [("2014-2020", "2021-2027"), ("2021-2027",) * 2])
def test_one_regulation_never_shows_the_numbers_of_the_other(
    porte: TestClient, reglement: str, autre: str
) -> None:
    montres = {nombre["reglement"] for nombre in lus(porte, reglement=reglement).values()}
    assert montres == {None, reglement}
    assert (autre in montres) is (autre == reglement)


def test_today_and_both_regulations_when_nothing_is_asked(porte: TestClient) -> None:
    answer = porte.get(CHEMIN).json()
    assert (answer["le"], answer["reglement"]) == (today().isoformat(), None)
    assert answer["version_regles"] == VERSION_REGLES
    assert len(answer["parametres"]) == len(parametres_en_vigueur(today()))
    delais = [n["valeur"] for n in answer["parametres"] if n["nom"] == "delai_paiement_jours"]
    assert delais == ["90", "80"]


def test_lists_are_lists(porte: TestClient) -> None:
    nombres = lus(porte, le="2023-01-01", reglement="2021-2027")
    assert nombres["correction_marche_bareme"]["valeur"] == ["5", "10", "25", "100"]
    assert nombres["types_beneficiaires_sans_avance"]["valeur"] == ["collectivite", "opco", "etat"]
    assert nombres["bilans_par_duree"]["valeur"][1] == {
        "jusqu_a_mois": 24,
        "intermediaires_min": 0,
        "intermediaires_max": 1,
    }


def test_no_number_travels_as_a_json_float(porte: TestClient) -> None:
    text = porte.get(CHEMIN).text

    def refuser(texte: str) -> None:
        raise AssertionError(texte)

    json.loads(text, parse_float=refuser)


@pytest.mark.parametrize(
    ("demande", "lieu", "dit"),
    [
        ({"le": "15/06/2022"}, "requete/le", "une date s’écrit AAAA-MM-JJ"),
        ({"le": "2022-02-30"}, "requete/le", "n’existe pas dans le calendrier"),
        ({"reglement": "2007-2013"}, "requete/reglement", "valeurs possibles"),
        ({"reglemnt": "2014-2020"}, "requete/reglemnt", "n’est pas connu"),
    ],
)
def test_a_malformed_question_is_refused_in_french(
    porte: TestClient, demande: dict[str, str], lieu: str, dit: str
) -> None:
    answer = porte.get(CHEMIN, params=demande)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (defaut,) = answer.json()["errors"]
    assert defaut["pointer"] == lieu
    assert dit in defaut["message"]


# --- As a person reads them -----------------------------------------------------------------------


def ecrit(valeur: Valeur, unite: Unite) -> Parametre:
    return Parametre(
        nom="essai",
        valeur=valeur,
        unite=unite,
        reference="R",
        etiquette="source",
        a_compter_du=date(2014, 1, 1),
    )


def palier(au_moins: int, au_plus: int | None) -> tuple[Palier, ...]:
    return (Palier(jusqu_a_mois=12, intermediaires_min=au_moins, intermediaires_max=au_plus),)


@pytest.mark.parametrize(
    ("valeur", "unite", "lisible", "pour_un_programme"),
    [
        (Fraction(15), "pourcent", "15 %", "15"),
        (Fraction(121, 10), "pourcent", "12,1 %", "12.1"),
        (Fraction(0), "pourcent", "0 %", "0"),
        ((Fraction(5), Fraction(121, 10)), "pourcent", "5 %, 12,1 %", ["5", "12.1"]),
        ("500000.00", "euros", "500 000,00 €", "500000.00"),
        (1720, "heures", "1 720 heures", "1720"),
        (1, "mois", "1 mois", "1"),
        (1, "annees", "1 an", "1"),
        (2, "annees", "2 ans", "2"),
        (30, "pieces", "30 pièces", "30"),
        (date(2029, 12, 31), "date", "31/12/2029", "2029-12-31"),
        ("06-30", "jour de l’année", "30/06", "06-30"),
        ("exact", "mode", "fraction exacte", "exact"),
        (("opco", "etat"), "codes", "OPCO, opérateurs de l’État", ["opco", "etat"]),
        ((), "codes", "aucun", []),
        (palier(0, None), "bilans", "jusqu’à 12 mois, aucun n’est exigé", None),
        (palier(0, 0), "bilans", "jusqu’à 12 mois, aucun", None),
        (palier(2, None), "bilans", "jusqu’à 12 mois, au moins 2", None),
        (palier(0, 1), "bilans", "jusqu’à 12 mois, au plus 1", None),
        (palier(1, 2), "bilans", "jusqu’à 12 mois, de 1 à 2", None),
    ],
)
def test_a_value_is_written_with_its_unit(
    valeur: Valeur, unite: Unite, lisible: str, pour_un_programme: object
) -> None:
    un = ecrit(valeur, unite)
    assert valeur_lisible(un).replace("\u00a0", " ") == lisible
    paliers = list(valeur) if unite == "bilans" and isinstance(valeur, tuple) else None
    assert valeur_ecrite(un) == (paliers or pour_un_programme)


def test_a_value_out_of_its_unit_is_a_bug() -> None:
    with pytest.raises(TypeError, match="essai is not a value of 'jours'"):
        valeur_lisible(ecrit((), "jours"))


def test_every_value_written_can_be_read_and_every_code_has_its_words() -> None:
    mots = {
        code
        for p in parametres_ecrits()
        for code in ([p.mode] if p.unite == "mode" else p.codes if p.unite == "codes" else ())
    }
    assert mots == set(MOTS)
    for p in parametres_ecrits():
        assert valeur_lisible(p)


# --- The command line -----------------------------------------------------------------------------


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "console", Console(width=800, highlight=False))


@pytest.mark.usefixtures("large")
def test_the_command_line_shows_what_holds_on_a_day(capsys: pytest.CaptureFixture[str]) -> None:
    cli.parametres(le="2018-08-01", reglement="2014-2020")
    montre = capsys.readouterr().out
    assert "Paramètres en vigueur le 01/08/2018" in montre
    ligne = next(line for line in montre.splitlines() if "soutien public jusqu’auquel" in line)
    assert "50\u00a0000,00\u00a0€" in ligne
    assert "(source, relu le 22/11/2026)" in ligne
    assert "du 01/01/2014 au 01/08/2018" in montre
    for lu in parametres_en_vigueur(date(2018, 8, 1), "2014-2020"):
        assert lu.nom in montre
    assert "couts_simplifies_cout_total_max" not in montre


@pytest.mark.usefixtures("large")
def test_the_command_line_shows_today_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    cli.parametres()
    montre = capsys.readouterr().out
    assert f"le {today():%d/%m/%Y}" in montre
    assert parametre("forfait_7_taux_max", le=today(), reglement="2021-2027").reference in montre
    assert "Règlement (UE) n° 1303/2013, art. 132 §1" in montre


@pytest.mark.parametrize("jour", ["15/06/2022", "2022-02-30", "demain"])
def test_a_day_that_does_not_exist_is_refused(jour: str) -> None:
    with pytest.raises(JourIllisible, match=f"« {jour} » n’est pas un jour"):
        cli.parametres(le=jour)


def test_a_regulation_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ReglementInconnu, match="« 2007-2013 » n’est pas un règlement connu"):
        cli.parametres(reglement="2007-2013")
