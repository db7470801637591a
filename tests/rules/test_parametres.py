"""The numbers of the texts, by date."""

import itertools
from datetime import date
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from rules.parametres import (
    ParametreHorsVigueur,
    ParametreInconnu,
    ValeurDatee,
    parametre,
    valeurs_datees,
)

EN_2022 = date(2022, 6, 15)


@pytest.mark.parametrize(
    ("nom", "reglement", "valeur"),
    [
        ("conservation_annees", "2014-2020", 3),
        ("conservation_annees", "2021-2027", 5),
        ("delai_reponse_mois", None, 2),
        ("delai_bilan_final_mois", None, 6),
        ("delai_saisie_sortie_mois", None, 1),
        ("delai_contradictoire_jours", "2021-2027", 30),
        ("delai_paiement_jours", "2014-2020", 90),
        ("delai_paiement_jours", "2021-2027", 80),
        ("eligibilite_debut", "2014-2020", date(2014, 1, 1)),
        ("eligibilite_debut", "2021-2027", date(2021, 1, 1)),
        ("eligibilite_fin", "2014-2020", date(2023, 12, 31)),
        ("eligibilite_fin", "2021-2027", date(2029, 12, 31)),
        ("avance_pct", "2014-2020", 30),
        ("avance_pct", "2021-2027", 30),
        ("avance_plafond", "2014-2020", "50000.00"),
        ("arrondi_mode", None, "demi_superieur"),
        ("sur_programmation_autorisee_pct", None, 0),
        ("seuil_alerte_programmation_pct", None, 80),
        ("seuil_alerte_programmation_jour", None, "06-30"),
    ],
)
def test_numbers_of_the_texts(nom: str, reglement: str | None, valeur: object) -> None:
    trouve = parametre(nom, le=EN_2022, reglement=reglement)
    assert (trouve.nom, trouve.valeur) == (nom, valeur)


def test_every_number_is_checked_above() -> None:
    marque = next(m for m in test_numbers_of_the_texts.pytestmark if m.name == "parametrize")  # type: ignore[attr-defined]
    verifies = {nom for nom, _, _ in marque.args[1]}
    assert verifies == set(valeurs_datees())


def test_a_value_says_where_it_comes_from() -> None:
    trouve = parametre("delai_paiement_jours", le=EN_2022, reglement="2021-2027")
    assert (trouve.reference, trouve.etiquette, trouve.a_compter_du, trouve.unite) == (
        "Règlement (UE) 2021/1060, art. 74 §1 b)",
        "source",
        date(2021, 7, 1),
        "jours",
    )


def test_values_are_read_in_their_own_kind() -> None:
    assert parametre("delai_reponse_mois", le=EN_2022).entier == 2
    fin = parametre("eligibilite_fin", le=EN_2022, reglement="2014-2020")
    assert fin.jour == date(2023, 12, 31)
    avance = parametre("avance_pct", le=EN_2022, reglement="2014-2020")
    assert avance.taux == Fraction(3, 10)
    plafond = parametre("avance_plafond", le=EN_2022, reglement="2014-2020")
    assert plafond.centimes == 50_000_00


def test_a_value_read_in_another_kind_is_a_bug() -> None:
    mode = parametre("arrondi_mode", le=EN_2022)
    for lecture in ("entier", "jour", "taux", "centimes"):
        with pytest.raises(TypeError, match="arrondi_mode"):
            getattr(mode, lecture)


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(ParametreInconnu, match="« delai_imaginaire » n’existe pas"):
        parametre("delai_imaginaire", le=EN_2022)


@pytest.mark.parametrize(
    ("le", "reglement", "dit"),
    [
        (date(2013, 12, 31), "2014-2020", r"le 31/12/2013 \(2014-2020\)"),
        (date(2021, 6, 30), "2021-2027", r"le 30/06/2021 \(2021-2027\)"),
        (EN_2022, None, "règlement non précisé"),
        (EN_2022, "2007-2013", "2007-2013"),
    ],
)
def test_a_parameter_outside_its_dates_or_regulation_is_refused(
    le: date, reglement: str | None, dit: str
) -> None:
    with pytest.raises(ParametreHorsVigueur, match=dit):
        parametre("delai_paiement_jours", le=le, reglement=reglement)


def valeur(debut: date, fin: date | None = None) -> ValeurDatee:
    return ValeurDatee(
        a_compter_du=debut,
        jusqu_au=fin,
        valeur=1,
        unite="jours",
        reference="R",
        etiquette="source",
    )


def test_both_ends_of_a_value_are_included() -> None:
    datee = valeur(date(2022, 1, 1), date(2022, 12, 31))
    jours = [date(2021, 12, 31), date(2022, 1, 1), date(2022, 12, 31), date(2023, 1, 1)]
    assert [datee.vaut(jour, None) for jour in jours] == [False, True, True, False]


def test_the_most_recent_value_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    valeurs = {"essai": (valeur(date(2022, 1, 1)), valeur(date(2014, 1, 1)))}
    monkeypatch.setattr("rules.parametres.valeurs_datees", lambda: valeurs)
    assert parametre("essai", le=EN_2022).a_compter_du == date(2022, 1, 1)
    assert parametre("essai", le=date(2021, 12, 31)).a_compter_du == date(2014, 1, 1)


def test_no_two_values_start_on_the_same_day_under_one_regulation() -> None:
    for nom, valeurs in valeurs_datees().items():
        for une, autre in itertools.combinations(valeurs, 2):
            dispute = une.a_compter_du == autre.a_compter_du and (
                une.regime == autre.regime or None in {une.regime, autre.regime}
            )
            assert not dispute, nom


def test_every_value_quotes_something_and_no_number_is_a_float() -> None:
    for nom, valeurs in valeurs_datees().items():
        for datee in valeurs:
            assert datee.reference, nom
            assert isinstance(datee.valeur, int | str | date), nom


PRESQUE = """
[[essai.valeurs]]
a_compter_du = 2014-01-01
valeur = {valeur}
unite = "{unite}"
reference = "R"
etiquette = "{etiquette}"
"""


@pytest.fixture
def dossier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("rules.parametres.files", lambda _: tmp_path)
    return tmp_path


def test_a_decimal_is_read_exactly(dossier: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texte = PRESQUE.format(valeur="12.1", unite="pourcent", etiquette="source")
    (dossier / "un.toml").write_text(texte, "utf-8")
    lues = valeurs_datees.__wrapped__()
    monkeypatch.setattr("rules.parametres.valeurs_datees", lambda: lues)
    assert parametre("essai", le=EN_2022).taux == Fraction(121, 1000)


def test_a_number_is_written_in_one_file_only(dossier: Path) -> None:
    texte = PRESQUE.format(valeur="1", unite="jours", etiquette="source")
    for nom in ("un.toml", "deux.toml"):
        (dossier / nom).write_text(texte, "utf-8")
    with pytest.raises(ValueError, match="essai is written twice"):
        valeurs_datees.__wrapped__()


def test_a_label_outside_the_three_is_refused(dossier: Path) -> None:
    texte = PRESQUE.format(valeur="1", unite="jours", etiquette="certain")
    (dossier / "un.toml").write_text(texte, "utf-8")
    with pytest.raises(msgspec.ValidationError, match="etiquette"):
        valeurs_datees.__wrapped__()
