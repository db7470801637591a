"""Our templates: what they hold, and that a filled one is read without a word."""

import io
import re
import zipfile
from datetime import date, datetime
from typing import Any

import pytest
from monde_importe import DEPENSE, NATURES, OI, OPERATION, UNE_OPERATION

from api.classeurs import MODELES, Contexte, Nature, apercu, gabarit, lire, numeros_cites
from api.classeurs.gabarit import classeur_neuf, ecrire_modele
from api.classeurs.modeles import FeuilleModele
from api.classeurs.refus import AucuneLigne

REMPLIES: dict[Nature, dict[str, dict[str, Any]]] = {
    "depenses": {"Dépenses": dict(DEPENSE)},
    "ressources": {
        "Ressources": {
            "N° de dossier": "202100007",
            "Type de ressource": "Intercommunalité (EPCI)",
            "Financeur": "EPCI fictif",
            "Montant perçu": 12.5,
        }
    },
    "indicateurs": {
        "Indicateurs": {
            "N° de dossier": "202100007",
            "N° de l’indicateur": 1,
            "Valeur réalisée": 12,
            "Valeur constatée le": date(2021, 12, 31),
        }
    },
    "contreparties": {
        "Attributions": {
            "Type de financeur": "Région",
            "Financeur": "Région fictive",
            "PLIE": "A",
            "Année": 2021,
            "Montant attribué": 10_000,
            "Référence de l’attestation": "REG-1",
            "Attribuée le": date(2021, 2, 1),
        },
        "Perceptions": {
            "Financeur": "Département fictif",
            "Année": 2021,
            "Montant versé": 5_000,
            "Référence du versement": "TITRE-2021-050",
            "Versé le": date(2021, 6, 1),
        },
    },
}


def rempli(nature: Nature, contexte: Contexte) -> bytes:
    """Return the template with a row on each of its sheets."""
    sortie = io.BytesIO()
    modele = MODELES[nature]
    with classeur_neuf(sortie, titre="") as livre:
        jour = livre.add_format({"num_format": "dd/mm/yyyy"})
        pages = ecrire_modele(livre, modele, contexte)
        for feuille in modele.feuilles:
            _remplir(pages[feuille.nom], feuille, REMPLIES[nature][feuille.nom], contexte, jour)
    return sortie.getvalue()


def _remplir(
    page: Any, feuille: FeuilleModele, valeurs: dict[str, Any], contexte: Contexte, jour: Any
) -> None:
    titres = [c.titre for c in feuille.colonnes]
    if contexte.operation_attendue is not None and titres[0] == "N° de dossier":
        titres = titres[1:]
    for titre, valeur in valeurs.items():
        if titre not in titres:
            continue
        if isinstance(valeur, date):
            instant = datetime(valeur.year, valeur.month, valeur.day)  # noqa: DTZ001
            page.write_datetime(1, titres.index(titre), instant, jour)
        else:
            page.write(1, titres.index(titre), valeur)


def partie(octets: bytes, nom: str) -> str:
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        return archive.read(nom).decode()


@pytest.mark.parametrize("contexte", [OI, UNE_OPERATION], ids=["oi", "operation"])
@pytest.mark.parametrize("nature", NATURES)
def test_a_filled_template_is_read_without_a_word(nature: Nature, contexte: Contexte) -> None:
    vu = apercu(lire("x.xlsx", rempli(nature, contexte)), nature, contexte)
    assert (vu.defauts, vu.nb, vu.version) == (
        (),
        len(MODELES[nature].feuilles),
        MODELES[nature].version,
    )


@pytest.mark.parametrize("nature", NATURES)
def test_the_same_template_has_the_same_bytes(nature: Nature) -> None:
    assert gabarit(nature, OI) == gabarit(nature, OI)


@pytest.mark.parametrize("nature", NATURES)
def test_a_template_says_what_it_is_and_holds_no_row(nature: Nature) -> None:
    octets = gabarit(nature, OI)
    classeur = lire("x.xlsx", octets)
    assert {f.nom: f.masquee for f in classeur.feuilles} == {
        **{f.nom: False for f in MODELES[nature].feuilles},
        "À lire": False,
        "listes": True,
        "oi": True,
    }
    identite = classeur.feuille("oi")
    assert identite is not None
    assert identite.lignes[:2] == (
        ("modele", nature),
        ("version", str(MODELES[nature].version)),
    )
    with pytest.raises(AucuneLigne):
        apercu(classeur, nature, OI)


def test_a_template_has_lists_validations_and_frozen_titles() -> None:
    page = partie(gabarit("depenses", OI), "xl/worksheets/sheet1.xml")
    assert 'state="frozen"' in page
    assert "<autoFilter" in page
    assert re.search(r"<dataValidation type=\"list\"[^>]*sqref=\"B2:B20001\"", page)
    assert re.search(r"<dataValidation type=\"date\"[^>]*sqref=\"G2:G20001\"", page)
    assert re.search(r"<dataValidation type=\"decimal\"[^>]*sqref=\"O2:O20001\"", page)
    assert "listes!$B$2:$B$9" in page
    assert "dd/mm/yyyy" in partie(gabarit("depenses", OI), "xl/styles.xml")


def test_the_days_of_a_timesheet_are_folded_away() -> None:
    page = partie(gabarit("depenses", OI), "xl/worksheets/sheet1.xml")
    *_, replies, derniere = re.findall(r"<col [^>]*>", page)
    # 31 of them, after all that most rows fill.
    assert 'min="32" max="62"' in replies
    assert 'hidden="1"' in replies
    assert 'outlineLevel="1"' in replies
    assert 'collapsed="1"' in derniere
    assert "hidden" not in partie(gabarit("ressources", OI), "xl/worksheets/sheet1.xml")


def test_the_template_of_one_operation_asks_neither_its_number_nor_postes_out_of_its_plan() -> None:
    classeur = lire("x.xlsx", gabarit("depenses", UNE_OPERATION))
    saisie, listes = classeur.feuille("Dépenses"), classeur.feuille("listes")
    assert saisie is not None
    assert listes is not None
    assert saisie.lignes[0][0] == "Poste de dépense *"
    rang = listes.lignes[0].index("Dépenses.poste")
    assert [x[rang] for x in listes.lignes[1:] if x[rang]] == ["Dépenses directes de personnel"]
    assert numeros_cites(classeur, "depenses") == {OPERATION.numero}


def test_a_workbook_tells_which_operations_to_read() -> None:
    assert numeros_cites(lire("x.xlsx", rempli("depenses", OI)), "depenses") == {OPERATION.numero}
    assert numeros_cites(lire("x.xlsx", gabarit("indicateurs", OI)), "depenses") == frozenset()


def test_titles_of_a_template_are_all_told_apart() -> None:
    for modele in MODELES.values():
        for feuille in modele.feuilles:
            for version in modele.versions:
                titres = [c.titre_en(version) for c in feuille.colonnes_en(version)]
                assert len(set(titres)) == len(titres)


def test_every_column_fills_a_field_of_its_command() -> None:
    for modele in MODELES.values():
        for feuille in modele.feuilles:
            champs = feuille.corps.model_json_schema()["properties"]
            for colonne in feuille.colonnes:
                if not colonne.cle.startswith("@"):
                    assert colonne.cle.partition(".")[0] in champs, colonne.cle
