"""Reading a list: every line ends somewhere, with what is wrong of it, and stops no other."""

import csv as module_csv
import io
import unicodedata
from datetime import date
from typing import Any

import pytest
from dsl import lisible
from hypothesis import example, given
from hypothesis import strategies as st
from liste_fictive import ENTETE, LIGNE, csv

from oi_service.reprise.lecture import (
    COLONNES,
    ColonnesInattendues,
    ListeIllisible,
    ListeVide,
    lire,
)


def lue(*lignes: dict[str, str], **forme: Any) -> Any:
    return lire("liste.csv", csv(*lignes, **forme).encode())


def defauts(texte: str) -> list[str]:
    """Return what is wrong of each line of a text after the columns."""
    lignes = lire("liste.csv", (",".join(ENTETE) + "\n" + texte).encode()).lignes
    return [lisible(" | ".join(map(str, x.defauts))) for x in lignes]


# --- What is read --------------------------------------------------------------------------------


def test_a_line_is_read_with_its_place() -> None:
    [ligne] = lue({"ligne": "82"}).lignes
    operation = ligne.operation
    assert (ligne.numero, ligne.refusee, ligne.anomalies) == (2, False, ())
    assert (operation.source.ligne, operation.source.reference) == (2, "82")
    assert operation.intitule == "Accompagnement, vers l’emploi"
    assert (operation.code_postal, operation.categorie_intervention) == ("33000", None)
    assert (operation.date_debut, operation.date_fin) == (date(2016, 1, 1), date(2016, 12, 31))
    assert (operation.cout_total_eligible, operation.fse) == (1_000_00, 500_00)


def test_the_file_is_known_by_its_digest() -> None:
    vide = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    liste = lire("liste\n.csv", csv({}).encode())
    assert liste.fichier == "liste?.csv"
    assert len(liste.sha256) == 64
    assert liste.sha256 != vide
    assert liste.lignes[0].operation is not None
    assert liste.lignes[0].operation.source.sha256 == liste.sha256


@pytest.mark.parametrize("codage", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("separateur", [",", ";"])
@pytest.mark.parametrize("fin", ["\n", "\r\n", "\r"])
def test_every_way_of_writing_gives_the_same_operations(
    codage: str, separateur: str, fin: str
) -> None:
    francaise = {
        "total_depenses_eligibles": "1 000,00",
        "montant_ue_programme": "500,0",
        "date_debut": "01/01/2016",
    }
    for une in ({}, francaise):
        texte = csv(une, separateur=separateur, fin=fin)
        [ligne] = lire("liste.csv", texte.encode(codage)).lignes
        assert ligne.operation is not None
        assert ligne.operation.contenu == lue({}).lignes[0].operation.contenu


def test_an_accent_written_in_two_characters_is_the_same_accent() -> None:
    decompose = unicodedata.normalize("NFD", csv({})).encode()
    assert decompose != csv({}).encode()
    [ligne] = lire("liste.csv", decompose).lignes
    assert ligne.operation is not None
    assert ligne.operation.contenu == lue({}).lignes[0].operation.contenu


def test_columns_come_in_any_order_and_the_number_of_the_line_may_miss() -> None:
    [ligne] = lue({}, entete=reversed(ENTETE[1:])).lignes
    assert ligne.operation.contenu == lue({}).lignes[0].operation.contenu
    assert ligne.operation.source.reference is None


@pytest.mark.parametrize(
    ("ecrit", "centimes"),
    [
        ("0", 0),
        ("0.00", 0),
        ("1234.56", 123_456),
        ("1234,5", 123_450),
        ("1234", 123_400),
        ("0012", 1_200),
        ("1 234 567,89", 123_456_789),
        ("1\u202f234,00", 123_400),
        ("1\u00a0234.00", 123_400),
        ("9999999999999.99", 999_999_999_999_999),
    ],
)
def test_amounts_are_read_to_the_cent(ecrit: str, centimes: int) -> None:
    [ligne] = lue({"total_depenses_eligibles": ecrit, "montant_ue_programme": "0"}).lignes
    assert ligne.operation.cout_total_eligible == centimes


@pytest.mark.parametrize(
    "ecrit",
    ["-1.00", "1.234", "1.234,56", "1 23,00", "1e3", "1 000 €", "NaN", "١٢", "1,2,3", "9" * 5000],
)
def test_an_amount_that_leaves_a_doubt_is_refused(ecrit: str) -> None:
    [ligne] = lue({"montant_ue_programme": ecrit}).lignes
    [defaut] = ligne.defauts
    assert (defaut.colonne, defaut.valeur) == ("montant_ue_programme", ecrit)
    assert "un montant s’écrit en euros" in defaut.remede


def test_a_text_may_hold_a_line_break_and_the_next_line_keeps_its_place() -> None:
    premiere, seconde = lue({"intitule": "Sur\ndeux lignes"}, {"fonds": "FSE+"}).lignes
    assert premiere.operation.intitule == "Sur\ndeux lignes"
    assert (premiere.numero, seconde.numero) == (2, 4)


# --- What is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "attendus"),
    [
        (
            {"date_fin": "2016-02-30"},
            ["date_fin : « 2016-02-30 » ; le jour 2016-02-30 n’existe pas"],
        ),
        (
            {"date_fin": "31/13/2016"},
            ["date_fin : « 31/13/2016 » ; le jour 2016-13-31 n’existe pas"],
        ),
        ({"date_fin": "2016"}, ["date_fin : « 2016 » ; une date s’écrit AAAA-MM-JJ"]),
        (
            {"date_debut": "0001-01-01"},
            ["date_debut : « 0001-01-01 » ; une date est comprise entre"],
        ),
        ({"programme": " "}, ["programme : « » ; ce champ est obligatoire"]),
        ({"fonds": "FEDER"}, ["fonds : « FEDER » ; valeurs possibles : 'FSE' ou 'FSE+'"]),
        (
            {"intitule": "a\x00b"},
            ["intitule : « a�b » ; le texte contient des caractères de contr"],
        ),
        (
            {"programme": "P" * 201},
            [f"programme : « {'P' * 60}… » ; un programme s’écrit en 200 caractères"],
        ),
        (
            {"date_fin": "demain", "montant_ue_programme": "cent", "pays": ""},
            ["date_fin : « demain »", "montant_ue_programme : « cent »", "pays : « »"],
        ),
        (
            {"date_fin": "2015-12-31"},
            ["date_fin : « 2015-12-31 » ; finit avant de commencer : corrigez la ligne"],
        ),
        (
            {"date_programmation": "2013-12-31", "date_debut": "2013-01-01"},
            ["date_programmation : « 2013-12-31 » ; aucune règle de reprise ne vaut ce jour-là"],
        ),
    ],
)
def test_a_faulty_line_says_where_what_and_what_to_do(
    changes: dict[str, str], attendus: list[str]
) -> None:
    faute, saine = lue(changes, {}).lignes
    assert len(faute.defauts) == len(attendus)
    said = sorted(lisible(d).replace("«  »", "« »") for d in faute.defauts)
    assert all(d.startswith(a) for d, a in zip(said, sorted(attendus), strict=True)), said
    assert (faute.refusee, saine.refusee) == (True, False)


def test_a_line_refused_by_a_rule_still_says_its_amounts() -> None:
    liste = lue({"date_fin": "2015-12-31"}, {})
    assert [x.operation.fse for x in liste.lignes] == [500_00, 500_00]
    assert [x.numero for x, _ in liste.admises] == [3]


def test_empty_short_and_badly_quoted_lines_stop_no_other() -> None:
    saine = ",".join(f'"{LIGNE[c]}"' for c in ENTETE)
    ouverte = saine.replace('"Accompagnement, vers l’emploi"', '"Accompagnement')
    texte = "\n".join(["", ouverte, "un,deux", saine, ",,,,,,,,,,,,", saine + ",plus", saine])
    said = defauts(texte)
    assert [d.split(" :")[0] for d in said] == [
        "ligne vide",
        "illisible",
        "2 cellules au lieu de 13",
        "",
        "ligne vide",
        "14 cellules au lieu de 13",
        "identique à la ligne 5",
    ]


def test_a_quote_left_open_takes_no_line_that_is_not_of_its_record() -> None:
    said = defauts('un,"deux\ntrois",quatre\n')
    assert [d.split(" :")[0] for d in said] == ["illisible", "2 cellules au lieu de 13"]


def test_the_same_operation_twice_is_refused_the_second_time_however_it_is_written() -> None:
    double = {"ligne": "9", "montant_ue_programme": "500", "date_fin": "31/12/2016"}
    liste = lue({}, {"fonds": "FSE+"}, double)
    assert [x.refusee for x in liste.lignes] == [False, False, True]
    assert str(liste.lignes[2].defauts[0]) == "identique à la ligne 2 : retirez l’une des deux"


@pytest.mark.parametrize(
    ("entete", "fragment"),
    [
        (ENTETE[:-1], "« fonds » manque"),
        ((*ENTETE, "axe"), "« axe » n’est pas connue"),
        ((*ENTETE, "pays"), "« pays » figure deux fois"),
        ((*ENTETE, "ligne"), "« ligne » figure deux fois"),
        (("a", "b"), "« programme » manque"),
    ],
)
def test_a_file_with_other_columns_is_refused_with_those_expected(
    entete: tuple[str, ...], fragment: str
) -> None:
    with pytest.raises(ColonnesInattendues) as refusee:
        lue({}, entete=entete)
    assert fragment in str(refusee.value)
    assert all(colonne in str(refusee.value) for colonne in COLONNES)


def test_a_file_that_is_no_text_or_nothing_is_refused() -> None:
    with pytest.raises(ListeVide, match="programme, intitule"):
        lire("liste.csv", b"")
    with pytest.raises(ListeIllisible):
        lire("liste.csv", b"\x81\x8d\xff")


# --- Whatever it holds ---------------------------------------------------------------------------

_CELLULE = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "",
            '"',
            '""',
            "\n",
            "2016-01-01",
            "31/12/2016",
            "2016-13-01",
            "10,00",
            "10.00",
            "FSE",
            "FR",
        ]
    ),
)


@st.composite
def _lignes(draw: st.DrawFn) -> str:
    """Draw a line: sound, sound but for a cell, quoted badly, or anything."""
    cellules = list(LIGNE.values())
    for _ in range(draw(st.integers(0, 3))):
        cellules[draw(st.integers(0, 12))] = draw(_CELLULE)
    if draw(st.booleans()):
        sortie = io.StringIO()
        module_csv.writer(sortie, lineterminator="").writerow(cellules)
        return sortie.getvalue()
    return draw(st.one_of(st.just(",".join(cellules)), st.text(max_size=40)))


@given(lignes=st.lists(_lignes(), max_size=6))
@example(lignes=['"', '"', ",".join(LIGNE.values())])
def test_every_line_ends_as_an_operation_or_as_a_refusal(lignes: list[str]) -> None:
    texte = "\n".join([",".join(ENTETE), *lignes])
    contenu = texte.encode("utf-8", "replace")
    liste = lire("liste.csv", contenu)
    assert lire("liste.csv", contenu) == liste
    places = [x.numero for x in liste.lignes]
    assert places == sorted(set(places))
    assert all(
        1 < n <= contenu.decode().count("\n") + contenu.decode().count("\r") + 1 for n in places
    )
    for ligne in liste.lignes:
        assert ligne.refusee == bool(ligne.defauts)
        assert ligne.refusee or ligne.operation is not None
        assert all(d.remede and "\n" not in str(d) for d in ligne.defauts)
    admises = {x.numero for x, _ in liste.admises}
    refusees = {x.numero for x in liste.lignes if x.refusee}
    assert admises | refusees == set(places)
    assert not admises & refusees
    assert len({o.contenu for _, o in liste.admises}) == len(admises)


@given(contenu=st.binary(max_size=200))
def test_any_bytes_are_a_list_or_a_refusal_of_the_file(contenu: bytes) -> None:
    with pytest.raises((ListeVide, ListeIllisible, ColonnesInattendues)):
        lire("liste.csv", contenu)
