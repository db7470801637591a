"""Files of tables: typed, inert, the same bytes for the same question."""

import asyncio
import csv
import hashlib
import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, MutableMapping
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from starlette.responses import StreamingResponse

from api.tableaux import Cellule, Colonne, Format, Ligne, Releve, Tableau, liens, repondre
from api.tableaux import classeur as ecrivain
from api.tableaux.classeur import nom_de_feuille
from oi_service.clock import PARIS

#: How a spreadsheet recognises a formula, spaces and marks before it left out.
FORMULE = re.compile(r"^[\s\x00\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]")
PIEGES = (
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
    "{=1+1}",
    "https://ailleurs.example",
    "<r><t>écrit tel quel</t></r>",
    "_x003D_1",
    'a;b,c"d\r\n=1',
)

COLONNES = (
    Colonne("texte", "Nature", aide="Ce qui a été payé."),
    Colonne("code", "N° pièce", "code"),
    Colonne("jour", "Date", "jour"),
    Colonne("instant", "Enregistré le", "instant"),
    Colonne("montant", "Montant", "euros"),
    Colonne("nombre", "Nombre", "nombre"),
    Colonne("taux", "Taux", "taux"),
)
RELEVE = Releve(
    position=6232,
    releve_le=datetime(2026, 11, 22, 17, 3, tzinfo=UTC),
    effet_au=date(2021, 12, 31),
    connu_le="22/11/2026",
    filtres=(("PLIE", "PLIE de l’Agenais"),),
)


def ligne(**valeurs: object) -> Ligne:
    return Ligne({nom: Cellule(valeur) for nom, valeur in valeurs.items()})  # type: ignore[arg-type]


def une_ligne() -> Ligne:
    return ligne(
        texte="Salaire, mois de mai",
        code="00123",
        jour=date(2021, 5, 31),
        instant=datetime(2021, 6, 1, 22, 5, 9, 654321, tzinfo=UTC),
        montant=-123456,
        nombre=1842,
        taux=Fraction(2, 3),
    )


def tableau(*lignes: Ligne, total: Ligne | None = None, titre: str = "Dépenses") -> Tableau:
    return Tableau(titre, COLONNES, iter(lignes), total)


def octets(table: Tableau, forme: Format, releve: Releve = RELEVE) -> bytes:
    return lire(repondre(table, releve, forme, "depenses"))


def lire(reponse: StreamingResponse) -> bytes:
    contenu = bytearray()

    async def envoyer(message: MutableMapping[str, Any]) -> None:
        contenu.extend(message.get("body", b""))

    async def recevoir() -> dict[str, Any]:
        raise AssertionError("nothing is asked of who reads")

    demande = {"type": "http", "asgi": {"spec_version": "2.4"}}
    asyncio.run(reponse(demande, recevoir, envoyer))
    assert reponse.headers["content-length"] == str(len(contenu))
    return bytes(contenu)


def feuille(contenu: bytes, nom: str = "Dépenses") -> list[list[object]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(contenu)).get_sheet_by_name(nom).to_python()


def xml(contenu: bytes, partie: str = "xl/worksheets/sheet1.xml") -> str:
    with zipfile.ZipFile(io.BytesIO(contenu)) as archive:
        return archive.read(partie).decode()


def texte(contenu: bytes, separateur: str = ";", codage: str = "utf-8-sig") -> list[list[str]]:
    lu = io.StringIO(contenu.decode(codage), newline="")
    return list(csv.reader(lu, delimiter=separateur, strict=True))


# --- The workbook --------------------------------------------------------------------------------


def test_each_cell_of_a_workbook_has_its_type() -> None:
    entete, lue = feuille(octets(tableau(une_ligne()), "xlsx"))
    assert entete == [c.libelle for c in COLONNES]
    assert lue == [
        "Salaire, mois de mai",
        "00123",
        date(2021, 5, 31),
        datetime(2021, 6, 2, 0, 5, 9),  # noqa: DTZ001 - a workbook says it as it is in Paris
        -1234.56,
        1842.0,
        0.6667,
    ]


def test_a_workbook_is_read_as_a_table() -> None:
    contenu = octets(tableau(une_ligne(), une_ligne(), total=ligne(montant=-246912)), "xlsx")
    lue = xml(contenu)
    assert '<pane xSplit="1" ySplit="1"' in lue
    assert '<autoFilter ref="A1:G3"/>' in lue, "the total is no line to filter"
    assert re.search(r'<pageSetup paperSize="9"[^>]* orientation="landscape"', lue)
    for forme in ("#,##0.00\\ &quot;€&quot;", "dd/mm/yyyy"):
        assert forme in xml(contenu, "xl/styles.xml")
    assert feuille(contenu)[-1][4] == -2469.12


def test_a_workbook_says_what_its_figures_stand_for() -> None:
    dits = dict(feuille(octets(tableau(une_ligne()), "xlsx"), "À propos"))  # type: ignore[arg-type]
    assert dits["Journal lu jusqu’à"] == "événement n° 6\u00a0232"
    assert dits["Enregistré le"] == "22/11/2026 à 18:03"
    assert dits["Situation au"] == "31/12/2021"
    assert dits["Telle que connue le"] == "22/11/2026"
    assert dits["Filtre : PLIE"] == "PLIE de l’Agenais"
    assert dits["Lignes"] == "1"
    assert dits["Nature"] == "Ce qui a été payé."


def test_an_unfiltered_list_of_now_says_so() -> None:
    releve = Releve(position=1, releve_le=RELEVE.releve_le)
    dits = dict(feuille(octets(tableau(), "xlsx", releve), "À propos"))  # type: ignore[arg-type]
    assert dits["Filtres"] == "aucun : la liste est entière"
    assert dits["Situation au"] == "tous les jours d’effet"


@pytest.mark.parametrize("piege", PIEGES)
def test_what_looks_like_a_formula_is_a_text_of_the_workbook(piege: str) -> None:
    contenu = octets(tableau(ligne(texte=piege, code=piege), titre=piege), "xlsx")
    lue = xml(contenu)
    assert "<f>" not in lue
    assert "<hyperlink" not in lue
    [_, rangee] = (
        CalamineWorkbook.from_filelike(io.BytesIO(contenu)).get_sheet_by_index(0).to_python()
    )
    assert str(rangee[0]).strip().splitlines() == piege.strip().splitlines()
    if FORMULE.match(piege):
        assert 'quotePrefix="1"' in xml(contenu, "xl/styles.xml")


#: What XML cannot hold is shown as a replacement, and is left to the example above.
TEXTES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=40)


@settings(deadline=None)  # A workbook is a dozen files on the disk.
@given(
    st.lists(
        st.tuples(
            TEXTES, st.integers(-(10**15), 10**15), st.dates(date(1950, 1, 1), date(2150, 1, 1))
        ),
        max_size=5,
    )
)
def test_what_a_workbook_holds_is_what_was_given(lignes: list[tuple[str, int, date]]) -> None:
    donnees = [ligne(texte=t, montant=m, jour=j) for t, m, j in lignes]
    _, *lues = feuille(octets(tableau(*donnees), "xlsx"))
    for (dit, montant, jour), lue in zip(lignes, lues, strict=False):
        assert lue[0] in {dit, f"{dit} "}
        assert round(lue[4] * 100) == montant  # type: ignore[operator]
        assert lue[2] == jour


@pytest.mark.parametrize("intrus", ["\x00", "\x1b[2J", "\ufffe", "\uffff", "\x0b", "é" * 40_000])
def test_no_text_breaks_a_workbook(intrus: str) -> None:
    [_, lue] = feuille(octets(tableau(ligne(texte=intrus, nombre=7)), "xlsx"))
    assert lue[5] == 7.0
    assert len(str(lue[0])) <= 32_767


def test_a_list_longer_than_a_sheet_goes_on_on_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ecrivain, "LIGNES_MAX", 4)
    donnees = [ligne(texte=f"ligne {n}") for n in range(7)]
    contenu = octets(tableau(*donnees), "xlsx")
    lues = [feuille(contenu, nom)[1:] for nom in ("Dépenses", "Dépenses (2)", "Dépenses (3)")]
    assert [x[0] for lue in lues for x in lue] == [f"ligne {n}" for n in range(7)]
    assert [len(lue) for lue in lues] == [3, 3, 1]


@given(st.text(), st.integers(1, 99))
def test_any_title_names_a_sheet(titre: str, numero: int) -> None:
    nom = nom_de_feuille(titre, numero)
    assert 1 <= len(nom) <= 31
    assert not set(nom) & set("[]:*?/\\'")


def test_a_long_list_costs_little_memory() -> None:
    """The lines are on the disk, and the file too."""
    mesure = """
import resource, sys
sys.path[:0] = ["."]
from api.tableaux import *
from datetime import datetime, UTC
colonnes = (Colonne("a", "A"), Colonne("b", "B", "euros"))
nombre = int(sys.argv[1])
lignes = (Ligne({"a": Cellule(f"ligne {n} " * 5), "b": Cellule(n)}) for n in range(nombre))
avant = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
r = repondre(Tableau("T", colonnes, lignes), Releve(1, datetime.now(UTC)), "xlsx", "t")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - avant, r.headers["content-length"])
"""
    sortie = subprocess.run(
        [sys.executable, "-c", mesure, "60000"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    kilos, _ = map(int, sortie.stdout.split())
    assert kilos < 30_000, "60 000 lines of 50 characters, and some of the margin of the allocator"


# --- Text ----------------------------------------------------------------------------------------


def test_french_excel_opens_the_csv_at_once() -> None:
    contenu = octets(tableau(une_ligne(), total=ligne(montant=-123456)), "csv")
    assert contenu.startswith(b"\xef\xbb\xbf")
    assert contenu.count(b"\r\n") == 2, "no total: whoever opens it adds up"
    entete, lue = texte(contenu)
    assert entete[4:] == ["Montant", "Nombre", "Taux (%)"]
    assert lue == [
        "Salaire, mois de mai",
        "00123",
        "31/05/2021",
        "02/06/2021 00:05:09",
        "-1234,56",
        "1842",
        "66,67",
    ]


def test_a_program_reads_the_other_csv() -> None:
    contenu = octets(tableau(une_ligne()), "rfc4180")
    assert contenu.startswith(b"texte,code,jour,instant,montant,nombre,taux\r\n")
    assert texte(contenu, ",", "utf-8")[1] == [
        "Salaire, mois de mai",
        "00123",
        "2021-05-31",
        "2021-06-01T22:05:09Z",
        "-1234.56",
        "1842",
        "66.67",
    ]


@pytest.mark.parametrize("forme", ["csv", "rfc4180"])
@pytest.mark.parametrize("piege", PIEGES)
def test_the_known_formulas_are_texts_of_a_csv(forme: Format, piege: str) -> None:
    separateur, codage = (";", "utf-8-sig") if forme == "csv" else (",", "utf-8")
    _, lue = texte(octets(tableau(ligne(texte=piege)), forme), separateur, codage)
    assert not FORMULE.match(lue[0])
    assert lue[0].removeprefix("'") == piege


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_no_text_opens_a_line_nor_a_cell(textes: list[str]) -> None:
    colonnes = tuple(Colonne(f"c{n}", f"C{n}") for n in range(len(textes)))
    donnee = Ligne({f"c{n}": Cellule(t) for n, t in enumerate(textes)})
    for forme, separateur, codage in (("csv", ";", "utf-8-sig"), ("rfc4180", ",", "utf-8")):
        table = Tableau("T", colonnes, [donnee])
        lues = texte(octets(table, forme, RELEVE), separateur, codage)  # type: ignore[arg-type]
        assert [len(lue) for lue in lues] == [len(textes)] * 2
        assert not any(FORMULE.match(cellule) for cellule in lues[1])


# --- Any file ------------------------------------------------------------------------------------

_EMPREINTES = """
import sys
sys.path[:0] = ["tests/tableaux", "."]
from test_ecrivains import empreintes
print(" ".join(empreintes()))
"""


def empreintes() -> Iterator[str]:
    for forme in ("xlsx", "csv", "rfc4180"):
        donnees = [une_ligne(), ligne(texte="=1", montant=1), ligne(code="é")]
        contenu = octets(tableau(*donnees, total=ligne(montant=3)), forme)  # type: ignore[arg-type]
        yield hashlib.sha256(contenu).hexdigest()


def test_the_same_question_gives_the_same_bytes_in_any_process() -> None:
    for fuseau, graine in (("Asia/Tokyo", "1"), ("America/Lima", "2")):
        sortie = subprocess.run(
            [sys.executable, "-c", _EMPREINTES],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
            env={"TZ": fuseau, "PYTHONHASHSEED": graine, "PATH": "/usr/bin"},
        )
        assert sortie.stdout.split() == list(empreintes())


def test_a_file_is_named_after_its_situation_and_never_shown() -> None:
    reponse = repondre(tableau(), RELEVE, "xlsx", "depenses")
    nom = 'attachment; filename="depenses-2021-12-31-n6232.xlsx"'
    assert reponse.headers["content-disposition"] == nom
    assert "sandbox" in reponse.headers["content-security-policy"]
    assert lire(reponse)


def test_what_goes_wrong_on_the_way_is_an_error_and_never_a_short_file() -> None:
    def coupees() -> Iterator[Ligne]:
        yield une_ligne()
        raise RuntimeError("coupé")

    for forme in ("xlsx", "csv", "rfc4180"):
        with pytest.raises(RuntimeError, match="coupé"):
            repondre(Tableau("T", COLONNES, coupees()), RELEVE, forme, "t")  # type: ignore[arg-type]


def test_the_links_of_a_list_keep_its_filters_and_nothing_empty() -> None:
    dits = liens("/exports/depenses", {"plie": "agenais", "poste": "", "statut": None, "au": "x y"})
    assert [libelle for libelle, _ in dits] == [
        "Excel (.xlsx)",
        "CSV pour Excel français",
        "CSV pour programmes",
    ]
    assert dits[0][1] == "/exports/depenses?plie=agenais&au=x+y&format=xlsx"


def test_paris_is_where_instants_are_read() -> None:
    assert datetime(2021, 1, 1, tzinfo=UTC).astimezone(PARIS).hour == 1
