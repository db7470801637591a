"""Hostile files given to `oi importer-operations`: refused in a sentence, or read as plain text."""

import io
import time
import zipfile

import pytest
from fichiers import archive

from api.archive.tableur import cellule
from oi_service.reprise.lecture import (
    COLONNES,
    ColonnesInattendues,
    ListeIllisible,
    ListeVide,
    lire,
)

ENTETE = ";".join(COLONNES)
LIGNE = {
    "programme": "PO national FSE 2014-2020",
    "intitule": "Accompagnement",
    "beneficiaire": "Bénéficiaire fictif n° 07",
    "code_postal": "47000",
    "date_debut": "01/01/2018",
    "date_fin": "31/12/2018",
    "total_depenses_eligibles": "1000,00",
    "montant_ue_programme": "500,00",
    "pays": "FR",
    "date_programmation": "01/02/2018",
    "categorie_intervention": "109",
    "fonds": "FSE",
}


def ecrire(**change: str) -> bytes:
    valeurs = LIGNE | change
    cellules = ('"' + valeurs[c].replace('"', '""') + '"' for c in COLONNES)
    return f"{ENTETE}\n{';'.join(cellules)}\n".encode()


def bombe() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as cible:
        cible.writestr("xl/worksheets/sheet1.xml", bytes(20 * 2**20))
    return made.getvalue()


XXE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'


@pytest.mark.parametrize(
    "contenu",
    [
        archive({"[Content_Types].xml": "<Types/>", "xl/workbook.xml": XXE.decode()}),
        bombe(),
        XXE,
        b"\x00" * 2**20,
        b"\xff\xfe" + ENTETE.encode("utf-16-le"),
        b"a" * 2**22,
        b'"' * 2**20,
        b";" * 2**20,
        b"\n" * 2**20,
        b"",
    ],
    ids=["workbook", "bomb", "xxe", "nul", "utf-16", "one cell", "quotes", "cells", "lines", "no"],
)
def test_a_file_that_is_no_list_is_refused_whole(contenu: bytes) -> None:
    debut = time.monotonic()
    with pytest.raises((ListeIllisible, ColonnesInattendues, ListeVide)) as refus:
        lire("liste.csv", contenu)
    assert time.monotonic() - debut < 5
    assert "passwd" not in str(refus.value)
    assert "root:" not in str(refus.value)


@pytest.mark.parametrize("formule", ["=1+1", "@SUM(A1)", '=HYPERLINK("https://a.example","v")'])
def test_a_formula_is_a_text_and_leaves_as_one(formule: str) -> None:
    [ligne] = lire("liste.csv", ecrire(intitule=formule)).lignes
    assert ligne.operation is not None, ligne.defauts
    assert ligne.operation.intitule == formule
    assert cellule(ligne.operation.intitule) == f"'{formule}"


@pytest.mark.parametrize("nom", ["../../etc/passwd", "liste\u202evsc.exe", "a\x1b[2J.csv"])
def test_the_name_of_a_list_moves_no_terminal(nom: str) -> None:
    lue = lire(nom, ecrire())
    assert lue.fichier.isprintable()


def test_quotes_left_open_on_every_line_cost_little() -> None:
    contenu = f"{ENTETE}\n".encode() + b'"a;b\n' * 10_000
    debut = time.monotonic()
    lue = lire("liste.csv", contenu)
    assert time.monotonic() - debut < 10
    assert all(ligne.refusee for ligne in lue.lignes)
