"""Who pays beside the Fund: what covers operations, and the levier; figures known elsewhere."""

import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from fractions import Fraction
from typing import Any, get_args
from uuid import UUID

import psycopg
import pytest
from contributions_jouees import Organisme, jouer
from dsl import lisible
from fabrique import commande, euros, fait, operation
from portier import PortierDEssai
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow
from starlette.testclient import TestClient

from aggregates.contrepartie.affectation import AffecterContrepartie, affecter
from aggregates.contrepartie.events import ContrepartieAttribuee
from aggregates.contrepartie.state import CONTREPARTIE
from aggregates.operation.state import OperationAbsente, Statut
from aggregates.operation.transitions import ActeHorsDeSonOrdre
from aggregates.subvention_globale.state import SubventionGlobaleAbsente
from api.app import create_app
from oi_service import cli
from oi_service.app import open_service
from oi_service.application import Service
from oi_service.ids import convention_of, new_id
from oi_service.money import percent
from projections.couverture import ENCORE_AFFECTABLE, couverture
from projections.fiche_operation import fiche_operation
from projections.levier import (
    BASES,
    Contributions,
    NomBase,
    deux_decimales,
    formules,
    levier,
    une_decimale,
)
from projections.perimetre import OI_ENTIER, Perimetre
from projections.situation import Situation

#: Played once, in one worker.
pytestmark = pytest.mark.xdist_group("contributions")

Conn = Connection[TupleRow]
_ABSENT = UUID(int=1)
BETA = Perimetre(frozenset({"B"}))
Ois = dict[str, Organisme]


@pytest.fixture(scope="module")
def base_jouee(serveur: str, modele: str) -> Iterator[str]:
    """Lend the database of the six OI."""
    name = f"contributions_{new_id().hex}"
    with psycopg.connect(serveur, autocommit=True) as conn:
        conn.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(modele)
            )
        )
    yield make_conninfo(serveur, dbname=name)
    with psycopg.connect(serveur, autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def contributions(base_jouee: str) -> Iterator[Service]:
    """Lend the service on that database."""
    with open_service(base_jouee) as service:
        yield service


@pytest.fixture(scope="module")
def ois(contributions: Service) -> Ois:
    """Play."""
    return jouer(contributions)


@pytest.fixture
def conn(contributions: Service, ois: Ois) -> Iterator[Conn]:
    """Lend a connection that reads."""
    with contributions.reads.connection() as connection:
        yield connection


def parmi(lignes: Iterable[Any], **champs: object) -> Any:
    """Return the one line that has these fields."""
    [found] = [x for x in lignes if all(getattr(x, n) == v for n, v in champs.items())]
    return found


def avant(oi: Organisme, conn: Conn, nom: str) -> int:
    """Return the position before the last event of that name in a subvention globale."""
    row = conn.execute(
        "SELECT max(e.position) FROM oi.event AS e WHERE e.name = %s AND e.stream_id = ANY(%s)",
        (nom, [oi.id("Région"), oi.id("OP"), convention_of(oi.id("OP"))]),
    ).fetchone()
    assert row is not None
    position: int = row[0]
    return position - 1


# --- Levier --------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", list(BASES))
def test_the_shares_of_2019_give_the_levier_of_2019(conn: Conn, ois: Ois, base: NomBase) -> None:
    trouve = levier(conn, OI_ENTIER, base=base, subventions=[ois["2019"].sg])
    assert {f.nom: f.valeur for f in trouve.formules} == {
        "fse": Fraction(11, 3),
        "autres_publics": Fraction(9, 5),
        "ensemble": Fraction(82, 15),
        "prives": Fraction(1, 5),
    }
    fse = trouve.formules[0].valeur
    assert fse is not None
    assert (deux_decimales(fse), une_decimale(fse)) == ("3.67", "3.7")
    assert {p.type: percent(p.part) for p in trouve.total.parts} == {
        "fse": "55.00",
        "publique_commune": "10.00",
        "publique_epci": "5.00",
        "publique_departement": "9.00",
        "publique_region": "2.00",
        "publique_etat": "15.00",
        "publique_autre": "1.00",
        "privee": "3.00",
    }
    assert sum(p.part for p in trouve.total.parts if p.part) == 1


def test_the_rounded_amounts_of_2019_give_another(conn: Conn, ois: Ois) -> None:
    trouve = levier(conn, OI_ENTIER, base="programme", subventions=[ois["arrondis"].sg])
    fse = trouve.formules[0]
    assert (fse.numerateur, fse.denominateur) == (euros("54000000.00"), euros("14850000.00"))
    assert fse.valeur == Fraction(40, 11)
    assert (deux_decimales(fse.valeur), une_decimale(fse.valeur)) == ("3.64", "3.6")


def test_the_euros_of_2024(conn: Conn, ois: Ois) -> None:
    trouve = levier(conn, OI_ENTIER, base="programme", subventions=[ois["2024"].sg])
    assert [deux_decimales(f.valeur) for f in trouve.formules if f.valeur is not None] == [
        "3.40",
        "2.40",
        "5.80",
        "0.00",
    ]
    assert parmi(trouve.total.parts, type="fse").part == Fraction(1, 2)


@pytest.mark.parametrize("base", list(BASES))
def test_without_a_direct_euro_the_levier_is_undefined(conn: Conn, ois: Ois, base: NomBase) -> None:
    trouve = levier(conn, OI_ENTIER, base=base, subventions=[ois["sans_direct"].sg])
    assert [f.valeur for f in trouve.formules] == [None] * 4
    assert all(f.texte.endswith("= indéfini") for f in trouve.formules)
    if base == "programme":
        # What the commune lends is in the plan, in kind: it is not a direct euro.
        assert parmi(trouve.total.parts, type="nature").montant == euros("10000.00")


def test_the_formula_names_its_operands(conn: Conn, ois: Ois) -> None:
    trouve = levier(conn, OI_ENTIER, subventions=[ois["2019"].sg])
    un, deux, *_ = (lisible(f.texte) for f in trouve.formules)
    assert un == (
        "Levier FSE = FSE retenu après CSF / apports directs des communes et EPCI affectés aux "
        "opérations = 55 000,00 € / 15 000,00 € = 3,67"
    )
    assert deux == (
        "Levier autres publics = autres fonds publics affectés aux opérations / apports directs "
        "des communes et EPCI affectés aux opérations = 27 000,00 € / 15 000,00 € = 1,80"
    )


def test_several_oi_are_one_query_and_no_average(conn: Conn, ois: Ois) -> None:
    deux = [ois["2019"].sg, ois["2024"].sg]
    trouve = levier(conn, OI_ENTIER, base="programme", par="oi", subventions=deux)
    assert [ligne.nom for ligne in trouve.lignes] == ["OI 2019", "OI 2024"]
    assert trouve.formules[0].valeur == Fraction(55_000 + 340_000, 15_000 + 100_000)
    tous = levier(conn, OI_ENTIER, base="programme", par="oi")
    assert len(tous.lignes) == 6
    assert tous.total == sum((x.contributions for x in tous.lignes), Contributions())
    for par in ("plie", "annee"):
        assert levier(conn, OI_ENTIER, base="programme", par=par).total == tous.total


def test_a_plie_is_of_its_oi_whatever_the_grant(conn: Conn, ois: Ois) -> None:
    lignes = [x for x in levier(conn, OI_ENTIER, base="programme").lignes if x.code == "A"]
    assert len({x.oi_id for x in lignes}) == len(lignes) == 6
    deux_tranches = parmi(lignes, oi_nom="OI deux-tranches")
    assert deux_tranches.formules[0].valeur == Fraction(110, 70)
    assert ois["tranche-1"].sg != ois["tranche-2"].sg


def test_each_tranche_and_what_precedes_it(conn: Conn, ois: Ois) -> None:
    sg = [ois["tranche-1"].sg, ois["tranche-2"].sg]
    trouve = levier(conn, OI_ENTIER, base="programme", par="annee", subventions=sg)
    assert [(x.code, x.formules[0].valeur, x.formules_cumul[0].valeur) for x in trouve.lignes] == [
        ("2021", Fraction(3), Fraction(3)),
        ("2022", Fraction(1), Fraction(11, 7)),
    ]
    seule = levier(conn, OI_ENTIER, base="programme", par="annee", annee=2022, subventions=sg)
    assert [(x.code, x.cumul) for x in seule.lignes] == [("2022", None)]
    assert seule.formules[0].valeur == Fraction(1)


def test_what_the_oi_shares_has_amounts_and_no_levier(conn: Conn, ois: Ois) -> None:
    trouve = levier(conn, OI_ENTIER, base="percu", subventions=[ois["2019"].sg])
    partagee = parmi(trouve.lignes, code="mutualise")
    assert partagee.contributions.autres_publics == euros("15000.00")
    assert partagee.formules == ()
    # Once an operation holds it, it is of its PLIE.
    affectee = levier(conn, OI_ENTIER, subventions=[ois["2019"].sg])
    assert [x.code for x in affectee.lignes] == ["A"]


def test_more_taken_back_than_brought_is_undefined() -> None:
    contributions = Contributions(100, {"publique_epci": -5})
    assert {f.valeur for f in formules("percu", contributions)} == {None}


def test_the_levier_of_any_two_dates(conn: Conn, ois: Ois) -> None:
    sg = [ois["2019"].sg]

    def vu(situation: Situation, base: NomBase) -> list[int]:
        total = levier(conn, OI_ENTIER, situation, base=base, subventions=sg).total
        return [total.fse, total.directs]

    csf = avant(ois["2019"], conn, "convention.csf_valide.v1")
    assert vu(Situation(connu_le=csf), "retenu_csf") == [0, 1_500_000]
    assert vu(Situation(connu_le=csf + 1), "retenu_csf") == [5_500_000, 1_500_000]
    assert vu(Situation(effet_au=date(2022, 4, 30)), "retenu_csf") == [0, 1_500_000]
    assert vu(Situation(effet_au=date(2022, 1, 19)), "programme") == [0, 0]
    assert vu(Situation(effet_au=date(2022, 1, 20)), "programme") == [5_500_000, 1_500_000]
    assert vu(Situation(effet_au=date(2022, 1, 25)), "conventionne") == [0, 0]


def test_a_plie_sees_its_own_levier(conn: Conn, ois: Ois) -> None:
    trouve = levier(conn, BETA, base="programme", subventions=[ois["couverture"].sg])
    assert [(x.code, x.contributions.fse) for x in trouve.lignes] == [("B", euros("60000.00"))]


def test_an_unknown_grant_is_no_grant(conn: Conn, ois: Ois) -> None:
    inconnue = new_id()
    premiere = ois["2019"].sg
    for lire in (levier, couverture):
        with pytest.raises(SubventionGlobaleAbsente):
            lire(conn, OI_ENTIER, subventions=[premiere, inconnue])
        with pytest.raises(SubventionGlobaleAbsente):
            lire(conn, OI_ENTIER, Situation(connu_le=0), subventions=[premiere])
        vide = lire(conn, OI_ENTIER, Situation(connu_le=0))
        assert (vide.lignes, vide.consolidation.subventions) == ((), ())
    assert levier(conn, OI_ENTIER, Situation(connu_le=0)).formules[0].valeur is None


# --- Coverage ------------------------------------------------------------------------------------

AVANT_ABANDON = Situation(effet_au=date(2022, 5, 31))


def test_what_covers_an_operation(conn: Conn, ois: Ois) -> None:
    """50 000,00 € needed, 45 000,00 € awaited, 38 000,00 € attested."""
    oi = ois["couverture"]
    trouve = couverture(conn, OI_ENTIER, AVANT_ABANDON, operation_id=oi.id("OP-A"))
    total = trouve.total
    assert total.besoin == euros("50000.00")
    assert total.autofinancement == euros("5000.00")
    assert total.percue is None
    assert [percent(t) for t in (total.taux_previsionnel, total.taux_atteste)] == [
        "90.00",
        "76.00",
    ]
    assert total.taux_affecte == total.taux_atteste
    entiere = couverture(conn, OI_ENTIER, subventions=[ois["2019"].sg]).total
    assert (entiere.taux_previsionnel, entiere.taux_atteste, entiere.decouvert) == (1, 1, 0)


def test_what_is_missing_is_named_and_dated(conn: Conn, ois: Ois) -> None:
    sg = ois["couverture"].sg
    manques = couverture(conn, OI_ENTIER, AVANT_ABANDON, subventions=[sg]).manques
    assert [
        (m.numero_mdfse, m.financeur, m.manque, m.acte, m.depuis, m.echeance, m.ouvert)
        for m in manques
    ] == [
        (
            "couverture-OP-B",
            "Département fictif",
            euros("28000.00"),
            "programmation",
            date(2022, 1, 20),
            date(2022, 6, 30),
            True,
        ),
        (
            "couverture-OP-A",
            "Région fictive",
            euros("7000.00"),
            "convention",
            date(2022, 1, 26),
            date(2022, 9, 30),
            True,
        ),
    ]
    assert [m.statut_libelle for m in manques] == ["programmé", "en exécution"]


def test_the_plan_in_force_and_its_end_are_those_of_the_day(conn: Conn, ois: Ois) -> None:
    operation = ois["couverture"].id("OP-A")
    for effet_au, acte, depuis, echeance, attendus in (
        (date(2022, 1, 25), "programmation", date(2022, 1, 20), date(2022, 6, 30), 4_500_000),
        (date(2022, 1, 26), "convention", date(2022, 1, 26), date(2022, 6, 30), 4_500_000),
        (date(2022, 3, 2), "convention", date(2022, 1, 26), date(2022, 6, 30), 4_500_000),
        (date(2022, 3, 3), "convention", date(2022, 1, 26), date(2022, 9, 30), 4_500_000),
    ):
        situation = Situation(effet_au=effet_au)
        trouve = couverture(conn, OI_ENTIER, situation, operation_id=operation)
        assert trouve.total.attendue == attendus
        assert {(m.acte, m.depuis, m.echeance) for m in trouve.manques} == {
            (acte, depuis, echeance)
        }
    avant_tout = couverture(
        conn, OI_ENTIER, Situation(effet_au=date(2022, 1, 19)), operation_id=operation
    )
    assert avant_tout.total.taux_previsionnel is None
    assert avant_tout.manques == ()


def test_a_late_affectation_counts_from_its_day_once_it_is_known(conn: Conn, ois: Ois) -> None:
    """The Région's 8 000,00 € were recorded after facts of March, with an effect in February."""
    oi = ois["couverture"]
    inconnue = avant(oi, conn, "contrepartie.affectee.v1")

    def affectee(effet_au: date | None, connu_le: int | None) -> int:
        situation = Situation(effet_au, connu_le)
        return couverture(conn, OI_ENTIER, situation, operation_id=oi.id("OP-A")).total.affectee

    assert affectee(date(2022, 2, 14), None) == euros("30000.00")
    assert affectee(date(2022, 2, 15), None) == euros("38000.00")
    assert affectee(date(2022, 2, 15), inconnue) == euros("30000.00")
    assert affectee(None, inconnue) == euros("30000.00")
    assert affectee(None, inconnue + 1) == euros("38000.00")


def test_what_is_attested_counts_once_wherever_it_is_held(conn: Conn, ois: Ois) -> None:
    """33 000,00 € and 8 000,00 € granted to A, 25 000,00 € shared by the OI, 10 000,00 € of it paid
    and 12 000,00 € affected to B.
    """
    sg = [ois["couverture"].sg]
    lignes = couverture(conn, OI_ENTIER, AVANT_ABANDON, subventions=sg).lignes
    assert [
        (x.code, c.attestee, c.percue, c.affectee, c.affectee_mutualisee)
        for x in lignes
        for c in [x.chiffres]
    ] == [
        ("A", 4_100_000, 2_100_000, 3_800_000, 0),
        ("B", 1_200_000, 0, 1_200_000, 1_200_000),
        ("mutualise", 1_300_000, 1_000_000, 0, 0),
    ]
    par_operation = couverture(
        conn, OI_ENTIER, AVANT_ABANDON, par="operation", subventions=sg
    ).lignes
    assert [(x.code, x.operation_id is None, x.chiffres.attestee) for x in par_operation] == [
        ("couverture-OP-A", False, 3_800_000),
        ("A", True, 300_000),
        ("couverture-OP-B", False, 1_200_000),
        ("mutualise", True, 1_300_000),
    ]


def test_what_the_control_retained_is_not_missing(conn: Conn, ois: Ois) -> None:
    total = couverture(conn, OI_ENTIER, subventions=[ois["sans_direct"].sg]).total
    assert (total.attestee, total.affectee, total.decouvert) == (0, 0, 0)
    assert total.retenue == total.attendue == euros("50000.00")
    # Before the control, both funders are awaited.
    avant_controle = Situation(effet_au=date(2022, 5, 1))
    manques = couverture(
        conn, OI_ENTIER, avant_controle, subventions=[ois["sans_direct"].sg]
    ).manques
    assert [(m.type, m.manque) for m in manques] == [
        ("nature", euros("10000.00")),
        ("publique_region", euros("40000.00")),
    ]


def test_what_nothing_can_cover_any_more_is_said_apart(conn: Conn, ois: Ois) -> None:
    trouve = couverture(conn, OI_ENTIER, subventions=[ois["couverture"].sg])
    assert trouve.total.decouvert == euros("35000.00")
    assert trouve.total.decouvert_clos == euros("7000.00")
    assert [(m.numero_mdfse, m.ouvert) for m in trouve.manques] == [
        ("couverture-OP-B", True),
        ("couverture-OP-A", False),
    ]


@pytest.mark.parametrize("effet_au", [date(2022, 1, 20), date(2022, 2, 1), date(2022, 5, 31), None])
def test_every_reading_adds_up_to_the_same(conn: Conn, effet_au: date | None) -> None:
    situation = Situation(effet_au=effet_au)
    un, deux, trois = (
        couverture(conn, OI_ENTIER, situation, par=par) for par in ("operation", "plie", "oi")
    )
    assert un.total == deux.total == trois.total
    assert un.manques == deux.manques == trois.manques
    total = un.total
    assert sum(m.manque for m in un.manques) == total.decouvert
    assert sum(m.manque for m in un.manques if not m.ouvert) == total.decouvert_clos
    assert total.besoin == total.attendue + total.autofinancement


def test_what_covers_a_plie_is_of_its_oi(conn: Conn) -> None:
    lignes = [x for x in couverture(conn, OI_ENTIER).lignes if x.code == "A"]
    assert len({x.oi_id for x in lignes}) == len(lignes) == 6
    # One OI under two subventions globales: one PLIE.
    deux_tranches = parmi(lignes, oi_nom="OI deux-tranches")
    assert deux_tranches.chiffres.fse == euros("110000.00")


def test_the_sheet_of_an_operation_says_the_same(conn: Conn) -> None:
    lignes = couverture(conn, OI_ENTIER, par="operation").lignes
    operations = [x for x in lignes if x.operation_id is not None]
    assert len(operations) == 8
    for ligne in operations:
        assert ligne.operation_id is not None
        fiche = fiche_operation(conn, OI_ENTIER, ligne.operation_id).couverture
        chiffres = ligne.chiffres
        assert (
            fiche.besoin_centimes,
            fiche.attestee,
            fiche.previsionnelle,
            fiche.autofinancement_previsionnel_centimes,
        ) == (
            chiffres.besoin,
            chiffres.taux_atteste,
            chiffres.taux_previsionnel,
            chiffres.autofinancement,
        )


def test_a_plie_sees_its_own_coverage(conn: Conn, ois: Ois) -> None:
    oi = ois["couverture"]
    for trouve in (
        couverture(conn, BETA),
        couverture(conn, OI_ENTIER, subventions=[oi.sg], plie="B"),
    ):
        assert [x.code for x in trouve.lignes] == ["B"]
        assert trouve.total.attestee == euros("12000.00")
        assert {m.plie_id for m in trouve.manques} == {"B"}
    with pytest.raises(OperationAbsente):
        couverture(conn, BETA, operation_id=oi.id("OP-A"))


@pytest.mark.parametrize("statut", get_args(Statut))
def test_an_operation_still_covered_is_one_that_may_be_backed(statut: Statut) -> None:
    asked = commande(AffecterContrepartie, date_effet=date(2022, 1, 1), montant="1.00")
    granted = CONTREPARTIE.replay([fait(ContrepartieAttribuee)])
    assert granted is not None
    try:
        affecter(granted, asked, operation(statut))
    except ActeHorsDeSonOrdre:
        assert statut not in ENCORE_AFFECTABLE
    else:
        assert statut in ENCORE_AFFECTABLE


# --- Doors ---------------------------------------------------------------------------------------


@pytest.fixture
def http(contributions: Service, ois: Ois) -> Iterator[TestClient]:
    """Lend a client."""
    with TestClient(create_app(contributions, PortierDEssai())) as client:
        yield client


def test_the_door_of_the_levier(http: TestClient, ois: Ois) -> None:
    corps = http.get(
        "/api/v1/levier",
        params={"par": "oi", "subventions": [str(ois[nom].sg) for nom in ("2019", "sans_direct")]},
    ).json()
    assert [s["numero"] for s in corps["subventions"]] == ["SG-2019", "SG-sans_direct"]
    assert corps["base"] == "retenu_csf"
    assert corps["definition"].startswith("FSE dû après les contrôles")
    un, sans = corps["lignes"]
    fse = un["contributions"]["leviers"]["fse"]
    assert (fse["valeur"], fse["arrondi"], fse["fraction"]) == ("3.67", "3.7", "11/3")
    assert (fse["numerateur"], fse["denominateur"]) == ("55000.00", "15000.00")
    assert un["contributions"]["parts"][0] == {
        "type": "fse",
        "type_libelle": "FSE / FSE+",
        "montant": "55000.00",
        "part": "55.00",
    }
    assert sans["contributions"]["leviers"]["fse"]["valeur"] is None
    assert corps["total"]["leviers"]["fse"]["fraction"] == "7/1"


def test_the_door_of_the_coverage(http: TestClient, ois: Ois) -> None:
    oi = ois["couverture"]
    corps = http.get(
        "/api/v1/couverture",
        params={"operation_id": str(oi.id("OP-A")), "par": "operation", "effet_au": "2022-05-31"},
    ).json()
    [ligne] = corps["lignes"]
    assert ligne["chiffres"] == corps["total"]
    assert (ligne["code"], ligne["chiffres"]["percue"]) == ("couverture-OP-A", None)
    assert corps["total"]["taux_atteste"] == "76.00"
    assert corps["total"]["taux_previsionnel"] == "90.00"
    [manque] = corps["manques"]
    assert (manque["financeur"], manque["manque"], manque["echeance"]) == (
        "Région fictive",
        "7000.00",
        "2022-09-30",
    )
    assert corps["situation"] == {"effet_au": "2022-05-31", "connu_le": None}


@pytest.mark.parametrize(
    ("adresse", "status"),
    [
        (f"/levier?subventions={_ABSENT}", 404),
        (f"/couverture?subvention_globale_id={_ABSENT}", 404),
        (f"/couverture?operation_id={_ABSENT}", 404),
        ("/levier?base=certifie", 422),
        ("/levier?connu_le=hier", 422),
        ("/couverture?par=annee", 422),
        ("/couverture?plie=%00", 422),
    ],
)
def test_what_the_doors_refuse(http: TestClient, adresse: str, status: int) -> None:
    answer = http.get(f"/api/v1{adresse}")
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    )


@pytest.fixture
def terminal(
    base_jouee: str,
    ois: Ois,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., str]:
    """Run a command in this process; return what it printed."""
    monkeypatch.setenv("OI_DATABASE_URL", base_jouee)

    def lancer(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["oi", *arguments])
        with pytest.raises(SystemExit) as fin:
            cli.main()
        assert not fin.value.code
        return lisible(capsys.readouterr().out)

    return lancer


def test_the_levier_in_the_terminal(terminal: Callable[..., str]) -> None:
    vu = terminal("levier", "--base", "programme", "--annee", "2022")
    assert "= 50 000,00 € / 50 000,00 € = 1,00 (soit 1,0)." in vu
    assert "tranche 2022" in vu
    assert "deux-tranches)" in terminal("levier", "--base", "programme")
    assert "indéfini" in terminal("levier", "--connu-le", "0")


def test_the_coverage_in_the_terminal(terminal: Callable[..., str]) -> None:
    vu = terminal("couverture", "--au", "2022-05-31")
    assert (
        "couverture-OP-A : il manque 7 000,00 €, attendus de « Région fictive » (Région) depuis le "
        "26/01/2022 selon la convention, pour le 30/09/2022 au plus tard." in vu
    )
    assert "couverture-OP-A, abandonné : il manque" in terminal("couverture", "--par", "operation")
