"""The page of the maquette: what it computes to show, what it renders, what it ships."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import nodes
from starlette.staticfiles import StaticFiles

import api.pages
from api import deps, filters
from api.pages import maquette as page_maquette
from api.pages.barres import LIBELLES, Barre, barre, echelle, paliers
from api.pages.dates import phrase, situation_vue
from api.pages.maquette import Tri, VueMaquette, vue
from projections.maquette import (
    QUANTITES,
    RESERVE,
    Chiffres,
    LigneDeMaquette,
    Maquette,
    ParFinanceur,
)
from projections.situation import Situation

TEMPLATES = Path(api.pages.STATIC).parent / "templates"
VENDOR = api.pages.STATIC / "vendor"


def chiffres(
    maquette: int,
    programme: int,
    conventionne: int,
    retenu: int,
    paye: int,
    *,
    reliquats: int = 0,
    operations: int = 1,
) -> Chiffres:
    """Build amounts given in thousands of euros."""
    return Chiffres(
        fse_maquette=maquette * 1000_00,
        fse_programme=programme * 1000_00,
        fse_programme_ajuste=(programme - reliquats) * 1000_00,
        fse_conventionne=conventionne * 1000_00,
        fse_declare=retenu * 1100_00,
        fse_retenu_csf=retenu * 1000_00,
        fse_paye=paye * 1000_00,
        nb_operations=operations,
    )


def ligne(nom: str, cellule: Chiffres, annee: int = 2021, os_: str = "OS1") -> LigneDeMaquette:
    return LigneDeMaquette(nom.lower(), nom, annee, "3", os_, "Parcours", cellule)


def maquette(*lignes: LigneDeMaquette, fse_total: int | None = None) -> Maquette:
    return Maquette(
        subvention_globale_id=UUID(int=7),
        numero="201800042",
        reglement="2014-2020",
        oi_nom="Pivot d’essai",
        fictive=False,
        fse_total=sum(x.chiffres.fse_maquette for x in lignes) if fse_total is None else fse_total,
        lignes=lignes,
        position=18_442,
        calculee_le=datetime(2021, 11, 22, 13, 5, tzinfo=UTC),
    )


ALPHA = ligne("Alpha", chiffres(800, 760, 700, 300, 240))
BETA = ligne("Béta", chiffres(500, 530, 480, 260, 250))
GAMMA = ligne("Gamma", chiffres(600, 420, 400, 100, 160))
DELTA = ligne("Delta", chiffres(400, 400, 400, 310, 310, reliquats=90))
EN_RESERVE = LigneDeMaquette(
    RESERVE, "Réserve", 2021, "3", "OS1", "Parcours", chiffres(100, 0, 0, 0, 0, operations=0)
)
EXEMPLE = maquette(ALPHA, BETA, GAMMA, DELTA, EN_RESERVE)


def drawn(cellule: Chiffres) -> Barre:
    found = barre("Alpha", cellule, echelle([cellule], "part")(cellule))
    assert found is not None
    return found


def amounts(cellule: Chiffres) -> dict[str, int]:
    """Return each segment in thousands of euros."""
    return {s.nature: s.montant // 1000_00 for s in drawn(cellule).segments}


def noms(page: VueMaquette) -> list[str]:
    return [x.nom for x in page.lignes]


# --- Bars ----------------------------------------------------------------------------------------


def test_segments_are_differences_of_nested_amounts() -> None:
    assert amounts(ALPHA.chiffres) == {
        "paye": 240,
        "retenu": 60,
        "conventionne": 400,
        "programme": 60,
        "libre": 40,
    }


def test_overshoot_is_what_the_disponible_lacks() -> None:
    assert amounts(BETA.chiffres) == {
        "paye": 250,
        "retenu": 10,
        "conventionne": 220,
        "programme": 20,
        "depassement": 30,
    }
    assert BETA.chiffres.disponible_a_programmer == -30 * 1000_00


def test_avances_have_their_own_segment_and_nothing_is_negative() -> None:
    assert amounts(GAMMA.chiffres) == {
        "paye": 100,
        "avance": 60,
        "conventionne": 240,
        "programme": 20,
        "libre": 180,
    }


def test_reliquats_of_closed_operations_are_free_again() -> None:
    assert amounts(DELTA.chiffres) == {"paye": 310, "libre": 90}
    assert DELTA.chiffres.disponible_a_programmer == 90 * 1000_00


@given(st.lists(st.integers(-5_000_00, 9_000_000_00), min_size=6, max_size=6))
def test_any_amounts_make_a_bar_without_hole_nor_overlap(values: list[int]) -> None:
    maquette_, programme, ajuste, conventionne, retenu, paye = values
    cellule = Chiffres(
        fse_maquette=abs(maquette_) + 1,
        fse_programme=programme,
        fse_programme_ajuste=ajuste,
        fse_conventionne=conventionne,
        fse_retenu_csf=retenu,
        fse_paye=paye,
    )
    segments = drawn(cellule).segments
    assert all(s.montant > 0 for s in segments)
    assert sum(s.montant for s in segments) == max(cellule.fse_maquette, paliers(cellule)[-1][1])
    starts = [float(s.x.rstrip("%")) for s in segments]
    widths = [float(s.largeur.rstrip("%")) for s in segments]
    assert all(a <= b for a, b in pairwise(starts))
    assert starts[0] == 0
    assert abs(starts[-1] + widths[-1] - 100) < 0.02
    assert {s.nature for s in segments} <= {nature for nature, _ in LIBELLES}


def test_part_puts_every_enveloppe_at_the_same_place() -> None:
    page = vue(EXEMPLE)
    ticks = {x.barre.repere for x in (*page.lignes, *page.totaux) if x.barre}
    assert ticks == {"94.34%"}  # 500 over 530: the largest overshoot fits


def test_euros_gives_one_width_to_one_euro() -> None:
    page = vue(EXEMPLE, unite="euros")
    ticks = {x.nom: x.barre.repere for x in page.lignes if x.barre}
    assert ticks == {"Alpha": "100.00%", "Béta": "62.50%", "Gamma": "75.00%", "Delta": "50.00%"}


def test_line_without_enveloppe_has_no_bar_and_no_ratio() -> None:
    page = vue(maquette(ligne("Alpha", chiffres(0, 10, 0, 0, 0))))
    (alpha,) = page.lignes
    assert alpha.barre is None
    assert alpha.cellules[1].part == "n.\u00a0d."


def test_legend_names_rare_segments_only_when_shown() -> None:
    natures = [nature for nature, _ in vue(maquette(ALPHA)).legende]
    assert "avance" not in natures
    assert "depassement" not in natures
    natures = [nature for nature, _ in vue(EXEMPLE).legende]
    assert {"avance", "depassement"} <= set(natures)


# --- Lines, totals, alerts -----------------------------------------------------------------------


def test_total_is_the_sum_and_the_reserve_stands_apart() -> None:
    page = vue(EXEMPLE)
    assert noms(page) == ["Alpha", "Béta", "Delta", "Gamma"]
    assert [x.nom for x in page.hors_plie] == ["Réserve"]
    assert page.totaux[0].cellules[0].montant == 2_400 * 1000_00
    assert page.nb_plie == 4
    assert [c.montant for c in page.chiffres_cles] == [
        x * 1000_00 for x in (2_400, 2_110, 1_980, 970, 960)
    ]
    assert page.chiffres_cles[1].part == "87,9\u00a0%"


def test_who_sees_some_plie_sees_what_all_of_them_come_to() -> None:
    entier = chiffres(2_400, 2_110, 1_980, 970, 960)
    page = vue(replace(maquette(ALPHA, fse_total=2_500_000_00), oi_entier=entier))
    assert [(x.nom, x.cellules[0].montant) for x in page.totaux] == [
        ("Total de votre périmètre", 800 * 1000_00),
        ("Total OI", 2_400 * 1000_00),
    ]
    assert page.chiffres_cles[0].montant == 800 * 1000_00
    assert page.a_repartir == 100 * 1000_00
    assert (page.ensemble, page.detail.nom) == ("Votre périmètre", "Votre périmètre")


def test_share_above_the_enveloppe_is_shown_whole() -> None:
    beta = vue(EXEMPLE).lignes[1]
    assert beta.cellules[1].part == "106,0\u00a0%"
    assert beta.cellules[1].grave
    assert beta.cellules[-1].part == "\u22126,0\u00a0%"


def test_alerts_follow_the_rules() -> None:
    page = vue(EXEMPLE)
    assert {x.nom: [b.code for b in x.badges] for x in page.lignes} == {
        "Alpha": [],
        "Béta": ["surprogrammation"],
        "Delta": [],
        "Gamma": ["sous_programmation", "avances"],
    }
    assert [(a.niveau, [nom for nom, _, _ in a.faits]) for a in page.alertes] == [
        ("grave", ["Béta"]),
        ("attention", ["Gamma"]),
    ]
    assert page.alertes[0].faits[0][2] == (
        "106,0\u00a0% programmés, 30\u00a0000\u00a0€ au-delà de l’enveloppe"
    )


def test_programming_of_exactly_the_threshold_is_no_alert() -> None:
    (alpha,) = vue(maquette(ligne("Alpha", chiffres(100, 80, 0, 0, 0)))).lignes
    assert alpha.badges == ()


def test_tranche_that_is_not_due_yet_is_no_alert() -> None:
    due = ligne("Alpha", chiffres(100, 90, 0, 0, 0), annee=2021)
    later = ligne("Alpha", chiffres(100, 0, 0, 0, 0), annee=2022)
    (alpha,) = vue(maquette(due, later)).lignes
    assert alpha.badges == ()


def test_grant_that_its_lines_do_not_share_out_is_said() -> None:
    assert vue(maquette(ALPHA, fse_total=900_000_00)).a_repartir == 100_000_00
    assert vue(maquette(ALPHA)).a_repartir == 0


# --- Sorting and links ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("colonne", "expected"),
    [
        ("nom", "Gamma Delta Béta Alpha"),
        ("avancement", "Delta Béta Alpha Gamma"),
        ("fse_maquette", "Alpha Gamma Béta Delta"),
        ("fse_programme", "Alpha Béta Gamma Delta"),
        ("fse_conventionne", "Alpha Béta Delta Gamma"),
        ("fse_retenu_csf", "Delta Alpha Béta Gamma"),
        ("fse_paye", "Delta Béta Alpha Gamma"),
        ("disponible_a_programmer", "Gamma Delta Alpha Béta"),
        ("alerte", "Béta Gamma Alpha Delta"),
    ],
)
def test_every_column_sorts(colonne: str, expected: str) -> None:
    page = vue(EXEMPLE, Tri(colonne, "desc"))
    assert " ".join(noms(page)) == expected
    (current,) = [c for c in page.colonnes if c.tri]
    assert (current.nom, current.tri) == (colonne, "descending")
    assert "ordre=asc" in current.lien


def test_equals_stay_by_name_both_ways() -> None:
    same = maquette(
        *(
            ligne(nom, chiffres(10, 0, 0, 0, 0))
            for nom in ("Zoé", "PLIE de l’Écluse", "PLIE du Val")
        )
    )
    for ordre in ("asc", "desc"):
        assert noms(vue(same, Tri("fse_maquette", ordre))) == [
            "PLIE de l’Écluse",
            "PLIE du Val",
            "Zoé",
        ]


def test_links_keep_what_the_reader_asked() -> None:
    page = vue(EXEMPLE, Tri("fse_paye", "desc"), "euros", ALPHA.plie_id)
    (part,) = [c.lien for c in page.unites if not c.actif]
    assert part == (f"?tri=fse_paye&ordre=desc&unite=part&plie={ALPHA.plie_id}#avancement")
    assert page.detail.choix[0].lien == "?tri=fse_paye&ordre=desc&unite=euros#detail"


def test_links_keep_the_subvention_globale_when_there_are_several() -> None:
    choices = [Subvention(UUID(int=7), "201800042"), Subvention(UUID(int=8), "202200001")]
    page = vue(EXEMPLE, subventions=choices)
    assert [(c.libelle, c.actif) for c in page.subventions] == [
        ("201800042", True),
        ("202200001", False),
    ]
    assert all(f"subvention={UUID(int=7)}" in c.lien for c in page.colonnes)
    assert vue(EXEMPLE, subventions=choices[:1]).subventions == ()


# --- Two dates -----------------------------------------------------------------------------------


def dates(au: date | None = None, connu: int | date | datetime | None = None) -> deps.Dates:
    """Return the dates of an address; what is known stops at the event of the example."""
    connu_le = None if connu is None else EXEMPLE.position
    return deps.Dates(
        au="" if au is None else au.isoformat(),
        connu_le="" if connu is None else str(connu),
        situation=Situation(au, connu_le),
        connu=connu,
    )


LE_31, LE_14 = date(2021, 12, 31), date(2022, 2, 14)
MIDI = datetime(2022, 2, 14, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("demandees", "dite"),
    [
        (deps.PRESENT, None),
        (dates(LE_31), "Situation au 31/12/2021, telle que connue aujourd’hui (événement n° 7)"),
        (dates(None, LE_14), "Situation telle que connue le 14/02/2022 (événement n° 7)"),
        (
            dates(LE_31, MIDI),
            "Situation au 31/12/2021, telle que connue le 14/02/2022 à 12:00 (événement n° 7)",
        ),
        (
            dates(LE_31, 9),
            (
                "Situation au 31/12/2021, "
                "telle que connue à l’événement n° 7, enregistré le 14/02/2022 à 12:00"
            ),
        ),
    ],
)
def test_a_page_says_its_two_dates(demandees: deps.Dates, dite: str | None) -> None:
    said = situation_vue(demandees, {}, 7, MIDI).phrase
    assert (said and said.replace("\u00a0", " ")) == dite


def test_without_figures_the_dates_are_said_without_event() -> None:
    assert phrase(dates(None, LE_14)) == "Situation telle que connue le 14/02/2022"
    assert phrase(dates(None, 1842)).replace("\u00a0", " ") == (
        "Situation telle que connue à l’événement n° 1 842"
    )


def test_every_link_keeps_the_dates() -> None:
    choices = [Subvention(UUID(int=7), "201800042"), Subvention(UUID(int=8), "202200001")]
    page = vue(EXEMPLE, Tri("fse_paye", "desc"), subventions=choices, dates=dates(LE_31, LE_14))
    links = [
        *(c.lien for c in page.colonnes),
        *(c.lien for c in page.unites),
        *(c.lien for c in page.detail.choix),
        *(c.lien for c in page.subventions),
        *(x.lien for x in (*page.lignes, *page.hors_plie)),
        *(lien for alerte in page.alertes for _, lien, _ in alerte.faits),
    ]
    assert len(links) > 20
    assert [x for x in links if not x or "au=2021-12-31&connu_le=2022-02-14" not in x] == []
    assert "connu_le" not in page.situation.lien_actuelle
    assert "tri=fse_paye" in page.situation.lien_actuelle
    assert dict(page.situation.caches)["tri"] == "fse_paye"


def test_alerts_are_those_of_the_day_where_the_reader_stands() -> None:
    late = maquette(ligne("Alpha", chiffres(100, 10, 0, 0, 0), annee=2021))
    connue = replace(late, connue_le=datetime(2021, 6, 29, tzinfo=UTC))

    def alertes(page: Maquette, demandees: deps.Dates) -> int:
        return len(vue(page, dates=demandees).alertes)

    assert alertes(late, deps.PRESENT) == 1
    assert alertes(late, dates(date(2021, 6, 29))) == 0
    assert alertes(late, dates(date(2021, 6, 30))) == 1
    assert alertes(late, dates(None, date(2021, 6, 29))) == 0
    assert alertes(connue, dates(None, 1842)) == 0
    assert alertes(connue, dates(LE_31, 1842)) == 1


# --- Detail --------------------------------------------------------------------------------------


def test_detail_sums_each_objectif_over_its_tranches() -> None:
    lignes = (
        ligne("Alpha", chiffres(10, 8, 0, 0, 0), 2020, "OS1"),
        ligne("Alpha", chiffres(20, 8, 0, 0, 0), 2021, "OS1"),
        ligne("Alpha", chiffres(40, 8, 0, 0, 0), 2021, "OS2"),
        ligne("Béta", chiffres(80, 8, 0, 0, 0), 2021, "OS1"),
    )
    whole = vue(maquette(*lignes)).detail
    assert [(g.somme.libelle, g.somme.montants[0] // 1000_00) for g in whole.groupes] == [
        ("OS1", 110),
        ("OS2", 40),
    ]
    assert [x.montants[0] // 1000_00 for x in whole.groupes[0].lignes] == [10, 100]
    assert whole.total.montants[0] == 150 * 1000_00
    alpha = vue(maquette(*lignes), plie=lignes[0].plie_id).detail
    assert alpha.nom == "Alpha"
    assert alpha.total.montants[0] == 70 * 1000_00
    assert alpha.total.taux[0] == Fraction(24, 70)


def test_detail_of_an_unknown_plie_is_empty() -> None:
    assert vue(EXEMPLE, plie="ailleurs").detail.groupes == ()


# --- Filters -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (filters.euros(123_456), "1 234,56 €"),
        (filters.euros(-1), "\u22120,01 €"),
        (filters.euros_ronds(7_212_499_50), "7 212 500 €"),
        (filters.euros_ronds(-238_300_00), "\u2212238 300 €"),
        (filters.entier_euros(7_212_499_49), "7 212 499"),
        (filters.millions(31_395_000_00), "31,40 M€"),
        (filters.pourcent(Fraction(9_215, 10_000)), "92,2 %"),
        (filters.pourcent(Fraction(12_345, 1_000)), "1 234,5 %"),
        (filters.pourcent(None), "n. d."),
        (filters.largeur(Fraction(1, 3)), "33.33%"),
        (filters.jour(date(2026, 11, 2)), "02/11/2026"),
        (filters.instant(datetime(2026, 11, 22, 13, 5, tzinfo=UTC)), "22/11/2026 à 14:05"),
        (filters.instant(datetime(2026, 7, 31, 22, 30, tzinfo=UTC)), "01/08/2026 à 00:30"),
        (filters.entier(18_442), "18 442"),
    ],
)
def test_filters_write_french(shown: str, expected: str) -> None:
    spaces = shown.replace("\u00a0", " ")
    assert spaces == expected
    assert "\u202f" not in shown


def test_punctuation_stays_with_its_word() -> None:
    assert filters.insecable("« n. d. » : 80 %") == "«\u00a0n. d.\u00a0»\u00a0: 80\u00a0%"


def test_instant_without_time_zone_is_a_bug() -> None:
    with pytest.raises(ValueError, match="time zone"):
        filters.instant(datetime(2026, 1, 1))  # noqa: DTZ001


# --- Rendered pages ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Subvention:
    id: UUID
    numero: str


class Service:
    """The pages on figures that a test chooses."""

    def __init__(self) -> None:
        self.maquette: Maquette | None = EXEMPLE
        self.subventions: list[Subvention] = []
        self.dates = deps.PRESENT
        app = FastAPI()
        app.include_router(api.pages.router)
        app.mount("/static", StaticFiles(directory=api.pages.STATIC), name="static")
        app.dependency_overrides[deps.maquette_courante] = lambda: self.maquette
        app.dependency_overrides[deps.subventions_au_choix] = lambda: self.subventions
        app.dependency_overrides[deps.dates_demandees] = lambda: self.dates
        app.dependency_overrides[page_maquette.tableau_courant] = lambda: None
        app.dependency_overrides[page_maquette.ecart_courant] = lambda: None
        self.client = TestClient(app)

    def page(self, query: str = "", status: int = 200) -> str:
        answer = self.client.get(f"/maquette{query}")
        assert answer.status_code == status
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        return answer.text.replace("\u00a0", " ").replace("&nbsp;", " ")


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    with made.client:
        yield made


def test_page_shows_the_figures(service: Service) -> None:
    html = " ".join(service.page().split())
    assert (
        "Subvention globale 201800042 · règlement 2014-2020 · 4 PLIE · montants de subvention FSE"
        in html
    )
    assert "2,40 M€" in html
    assert ' title="760 000,00 €">760 000 €</a>' in html
    assert "Chiffres calculés le 22/11/2021 à 14:05 jusqu’à l’événement n° 18 442" in html
    assert "Cofinancé par l’Union européenne" in html


def test_demonstration_says_that_its_amounts_are_invented(service: Service) -> None:
    assert "montants sont inventés" not in service.page()
    service.maquette = replace(EXEMPLE, fictive=True)
    assert "les montants sont inventés (générateur à graine)" in service.page()


def test_second_reglement_speaks_of_its_own_fund(service: Service) -> None:
    service.maquette = replace(EXEMPLE, reglement="2021-2027")
    html = service.page()
    assert "FSE+" in html
    assert "Priorité 3" in html


def test_sorted_column_is_announced(service: Service) -> None:
    html = service.page("?tri=fse_paye&ordre=desc")
    assert html.count("aria-sort") == 1
    assert re.search(r'col-fse_paye" aria-sort="descending"', html)


def test_address_that_names_nothing_known_shows_the_page_as_it_opens(service: Service) -> None:
    assert service.page("?tri=couleur&ordre=haut&unite=francs") == service.page()


def test_unknown_plie_is_said(service: Service) -> None:
    assert "ne compte aucune ligne pour « ailleurs »" in service.page("?plie=ailleurs")


def test_names_are_escaped(service: Service) -> None:
    service.maquette = maquette(ligne("<b>Alpha</b>", ALPHA.chiffres))
    assert "<b>Alpha" not in service.page()


def test_without_subvention_globale_the_page_says_what_to_do(service: Service) -> None:
    service.maquette = None
    html = service.page()
    assert "Aucune subvention globale pour l’instant" in html
    assert "oi demo" in html


def test_several_subventions_globales_are_offered(service: Service) -> None:
    service.subventions = [Subvention(UUID(int=7), "A-1"), Subvention(UUID(int=8), "B-2")]
    html = service.page()
    assert f'href="?subvention={UUID(int=8)}"' in html


def test_pages_hold_nothing_that_the_strict_csp_refuses(service: Service) -> None:
    service.maquette = replace(EXEMPLE, fictive=True)
    html = service.page()
    assert not re.search(r"<script(?! src=\"/static/[^\"]+\" defer></script>)", html)
    assert not re.search(r"\sstyle=|\son\w+=|javascript:|data:", html)


def test_every_file_that_a_page_names_is_served(service: Service) -> None:
    addresses = re.findall(r'(?:href|src)="(/static/[^"#]*)"', service.page())
    assert any("vendor" in a for a in addresses)
    for address in addresses:
        assert service.client.get(address).status_code == 200, address


def test_detail_names_every_quantity_of_the_fund() -> None:
    shown = {d.nom for d in api.pages.maquette.MONTANTS}
    assert shown == {n for n in QUANTITES if n.startswith("fse_")}


def test_past_situation_is_said_above_the_page(service: Service) -> None:
    assert "bandeau-situation" not in service.page()
    service.dates = dates(LE_31, LE_14)
    html = service.page("?tri=fse_paye")
    assert (
        "Situation au 31/12/2021, telle que connue le 14/02/2022 (événement n° 18 442)</strong>"
        in html
    )
    assert '<input type="hidden" name="tri" value="fse_paye">' in html
    for champ in ('name="au" type="date" value="2021-12-31"', 'type="date" value="2022-02-14"'):
        assert champ in html
    service.dates = dates(None, 1842)
    assert 'name="connu_le" type="text" value="1842"' in service.page()


def test_grant_that_the_situation_does_not_know_leads_to_the_present(service: Service) -> None:
    service.maquette, service.dates = None, dates(LE_31)
    service.subventions = [Subvention(UUID(int=7), "A-1")]
    html = service.page("?subvention=x&tri=nom", 404)
    assert "Cette subvention globale n’existe pas encore dans cette situation" in html
    assert 'href="?subvention=x&amp;tri=nom&amp;ordre=asc&amp;unite=part"' in html


def test_contreparties_are_shown_funder_by_funder(service: Service) -> None:
    assert 'id="contreparties"' not in service.page()
    service.maquette = replace(
        EXEMPLE,
        financeurs=(
            ParFinanceur("publique_epci", "EPCI <fictive>", 100_00, 90_00, 80_00, 70_05),
            ParFinanceur("autofinancement", "Bénéficiaire", 1_00, 1_00, 0, 0),
        ),
    )
    html = " ".join(service.page().split())
    assert "EPCI &lt;fictive&gt;" in html
    assert "Intercommunalité (EPCI)" in html
    foot = html.split("<tfoot")[-1]
    assert re.findall(r"([\d ,]+€)</a></td>", foot) == ["101,00 €", "91,00 €", "80,00 €", "70,05 €"]


# --- What the wheel ships ------------------------------------------------------------------------


def test_vendored_files_are_the_pinned_ones() -> None:
    entries = json.loads((VENDOR / "vendor.json").read_text(encoding="utf-8"))
    for entry in entries:
        content = (VENDOR / entry["fichier"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], entry["fichier"]
        assert entry["version"] in entry["fichier"]
        assert (VENDOR / entry["texte_de_la_licence"]).is_file()
    named = {e[k] for e in entries for k in ("fichier", "texte_de_la_licence")}
    assert named | {"vendor.json"} == {f.name for f in VENDOR.iterdir()}


def test_nothing_comes_from_another_server() -> None:
    for template in TEMPLATES.rglob("*.html"):
        found = re.findall(
            r"""(?:src|href|action)\s*=\s*["']?\s*(?:https?:)?//""",
            template.read_text(encoding="utf-8"),
            re.IGNORECASE,
        )
        assert not found, template
    css = (api.pages.STATIC / "app.css").read_text(encoding="utf-8")
    assert "http" not in css
    for name in re.findall(r'url\("([^"]+)"\)', css):
        assert (api.pages.STATIC / name).is_file()


def test_nothing_of_the_design_system_of_the_state() -> None:
    for file in (*TEMPLATES.rglob("*.html"), api.pages.STATIC / "app.css"):
        text = file.read_text(encoding="utf-8").lower()
        assert "marianne" not in text
        assert "dsfr" not in text
        assert not re.search(r'class="[^"]*\bfr-', text)


def test_templates_hold_no_arithmetic() -> None:
    environment = api.pages.templates().env
    operators = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow)
    for template in TEMPLATES.rglob("*.html"):
        tree = environment.parse(template.read_text(encoding="utf-8"))
        assert not [n.lineno for n in tree.find_all(operators)], template
