"""The papers of the story: each in the store, each a page that readers open."""

import re
from collections import Counter
from datetime import date

import pytest
from demo_jouee import Jeu

from aggregates.convention.signature import SignerConvention
from aggregates.lot.importation import LIBELLES
from aggregates.operation.instruction import ValiderRapport
from oi_service.demo.documents import PAPIERS, documents_de, page
from projections.pieces import verifier_pieces

pytestmark = pytest.mark.xdist_group("demo")


def test_every_document_that_the_story_names_is_in_the_store(jeu: Jeu) -> None:
    with jeu.service.reads.connection() as conn:
        vues = list(verifier_pieces(conn, jeu.service.pieces))
    assert {vue.etat for vue in vues} == {"presente"}
    # Papers, and the workbooks that were imported.
    nommees = {(vue.nommee.libelle, vue.nommee.type) for vue in vues}
    classeurs = {(libelle, "classeur_importe") for libelle in LIBELLES.values()}
    assert nommees == set(PAPIERS.values()) | classeurs
    assert min(Counter(vue.nommee.type for vue in vues).values()) >= 3
    assert len(vues) > 300


def test_no_two_acts_share_a_document(jeu: Jeu) -> None:
    partages = jeu.lignes(
        "SELECT p.piece ->> 'sha256' FROM oi.event AS e, "
        "jsonb_array_elements(e.pieces) AS p (piece) "
        "GROUP BY 1 HAVING count(DISTINCT e.command_id) > 1"
    )
    assert partages == []


def test_a_document_says_that_it_is_invented_and_what_it_is_for() -> None:
    [document] = documents_de(SignerConvention, "F20210001/signature", date(2022, 4, 1))
    dit = document.contenu.decode("cp1252")
    assert "(Pièce de démonstration)" in dit
    assert "(Convention signée)" in dit
    assert "(Acte « F20210001/signature », 01/04/2022)" in dit
    assert "inventé" in dit
    assert documents_de(ValiderRapport, "F20210001/rapport", date(2022, 4, 1)) == ()


def test_a_page_is_a_pdf_whose_parts_are_where_it_says() -> None:
    fait = page((r"Des (parenthèses) et une barre \ : l’essai", "Deuxième ligne"))
    assert r"(Des \(parenthèses\) et une barre \\ : l’essai) Tj" in fait.decode("cp1252")
    table = int(re.findall(rb"startxref\n(\d+)\n%%EOF\n$", fait)[0])
    assert fait[table:].startswith(b"xref\n0 6\n0000000000 65535 f \n")
    places = [int(p) for p in re.findall(rb"(\d{10}) 00000 n \n", fait[table:])]
    assert [fait[p:].split(b"obj")[0] for p in places] == [b"%d 0 " % n for n in range(1, 6)]
    longueur, flux = re.findall(rb"<</Length (\d+)>>stream\n(.*)\nendstream", fait, re.DOTALL)[0]
    assert int(longueur) == len(flux)
