"""Lives at random, late corrections and real figures, at any two dates."""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from deux_dates import (
    exemples,
    exiger_grand_livre,
    exiger_memes_dossiers,
    exiger_tables_vivantes,
    exiger_tout,
    memoire,
)
from fabrique import commande, euros
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Connection
from vie import Vie
from vie_au_hasard import fonder, hasard, vivre

from aggregates.subvention_globale import conventionnement
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE
from oi_service.application import Service
from projections.maquette import Chiffres, charger
from projections.perimetre import OI_ENTIER
from projections.situation import ACTUELLE, Situation


@pytest.fixture
def vie(service: Service) -> Vie:
    return Vie(service)


@pytest.fixture
def conn(service: Service) -> Iterator[Connection[Any]]:
    with service.reads.connection() as conn:
        yield conn


def tete(conn: Connection[Any]) -> int:
    row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    return int(row[0])


def au(conn: Connection[Any], effet_au: date | None = None, connu_le: int | None = None) -> Any:
    found = charger(conn, OI_ENTIER, situation=Situation(effet_au, connu_le))
    assert found is not None
    return found


def total(
    conn: Connection[Any], effet_au: date | None = None, connu_le: int | None = None
) -> Chiffres:
    chiffres: Chiffres = au(conn, effet_au, connu_le).total
    return chiffres


@pytest.mark.parametrize("seed", [11, 12])
def test_any_life_is_the_fold_of_its_events_at_any_two_dates(
    vie: Vie, conn: Connection[Any], seed: int
) -> None:
    dice = hasard(seed)
    fonder(vie, dice)
    accepted = vivre(vie, dice, 250)
    assert {"controle", "avenant_programme"} & accepted
    lue = memoire(conn)
    exiger_tables_vivantes(conn)
    exiger_grand_livre(conn, lue)
    exiger_tout(conn, lue, ACTUELLE, lue.operations)

    @settings(deadline=None, max_examples=exemples(40), database=None)
    @given(lue.situations(), st.randoms(use_true_random=False))
    def property_holds(situation: Situation, dice: Random) -> None:
        exiger_tout(conn, lue, situation, dice.sample(lue.operations, 3))

    property_holds()


def test_what_was_known_never_changes_whatever_is_recorded_since(
    vie: Vie, conn: Connection[Any]
) -> None:
    dice = hasard(13)
    fonder(vie, dice)
    vivre(vie, dice, 150)
    lue, connu = memoire(conn), tete(conn)
    jours = sorted({c.date_effet for c in lue.histoire})
    situations = [
        Situation(dice.choice([None, *jours]), dice.randrange(1, connu + 1)) for _ in range(30)
    ]
    before = [charger(conn, OI_ENTIER, situation=s) for s in situations]
    vivre(vie, dice, 100)
    assert tete(conn) > connu
    for situation, answered in zip(situations, before, strict=True):
        again = charger(conn, OI_ENTIER, situation=situation)
        assert again is not None
        assert answered is not None
        assert (again.lignes, again.financeurs) == (answered.lignes, answered.financeurs)
        assert (again.position, again.connue_le, again.fse_total) == (
            answered.position,
            answered.connue_le,
            answered.fse_total,
        )


def test_a_late_correction_changes_the_first_axis_never_the_second(
    vie: Vie, conn: Connection[Any]
) -> None:
    vie.subvention()
    vie.tranche("300000.00", "300000.00")
    vie.enveloppe("A", "100000.00")
    vie.appel()
    vie.jusqu_au_demarrage("un")
    apport = {"type": "publique_epci", "financeur": "EPCI fictif", "montant": "30000.00"}
    vie.bilan("un", ("80000.00",), ressources=[apport])
    vie.controle("un", le=date(2022, 5, 2))
    connu, veille, jour = tete(conn), date(2022, 5, 1), date(2022, 5, 2)
    assert total(conn, jour).fse_retenu_csf == euros(40_000)

    # Found in September: 10 000,00 € of it never were eligible, as of the day of the control.
    vie.reouverture_controle("un", le=jour)
    vie.controle("un", ecarte="10000.00", ressources=["25000.00"], le=jour)
    assert total(conn, jour).fse_retenu_csf == euros(35_000)
    assert total(conn, jour).cp_retenue == euros(25_000)
    assert total(conn, jour).depenses_ecartees == euros(10_000)
    assert total(conn, jour, connu).fse_retenu_csf == euros(40_000)
    assert total(conn, jour, connu).cp_retenue == euros(30_000)
    assert total(conn, None, connu).depenses_ecartees == 0
    assert total(conn, veille).fse_retenu_csf == total(conn, veille, connu).fse_retenu_csf == 0

    # And again: the last control is the only one that counts, not what each of them kept.
    corrige = tete(conn)
    vie.reouverture_controle("un", le=date(2022, 10, 3))
    vie.controle("un", ecarte="20000.00", ressources=["10000.00"], le=date(2022, 10, 4))
    assert total(conn, jour) == total(conn, jour, corrige)
    assert total(conn).fse_retenu_csf == euros(30_000)
    assert total(conn).cp_retenue == au(conn).financeurs[0].retenue == euros(10_000)
    assert total(conn).depenses_ecartees == euros(20_000)


def test_a_dossier_rectified_twice_reads_as_each_day_left_it(
    vie: Vie, conn: Connection[Any]
) -> None:
    vie.subvention()
    vie.tranche("300000.00", "300000.00")
    vie.enveloppe("A", "100000.00")
    vie.appel()
    vie.jusqu_au_demarrage("un", instruite_le=date(2021, 12, 18))
    jours = (date(2021, 12, 28), date(2022, 6, 1))
    for numero, (jour, fin) in enumerate(zip(jours, ("2022-06-30", "2022-09-30"), strict=True), 1):
        periode = {"debut": "2021-01-01", "fin": fin}
        objet = f"Objet n° {numero}"
        vie.demande_avenant("un", numero, le=jour, periode=periode, objet=objet)
        vie.avenant_programme("un", numero, le=jour)
        vie.avenant_signe("un", numero, le=jour)
    lue, derniere = memoire(conn), tete(conn)
    for jour in (None, *sorted({c.date_effet for c in lue.histoire})):
        for connu in (None, *range(derniere - 8, derniere + 1)):
            exiger_memes_dossiers(conn, lue, Situation(jour, connu))
    query = "SELECT objet, fin FROM oi.operations_au(%s, %s)"
    assert conn.execute(query, (derniere, date(2022, 5, 31))).fetchall() == [
        ("Objet n° 1", date(2022, 6, 30))
    ]
    assert conn.execute(query, (derniere, date(2022, 6, 1))).fetchall() == [
        ("Objet n° 2", date(2022, 9, 30))
    ]


def test_money_of_another_year_is_read_on_the_line_of_the_operation_that_holds_it(
    vie: Vie, conn: Connection[Any]
) -> None:
    vie.subvention()
    vie.tranche("300000.00", "300000.00")
    vie.enveloppe("A", "100000.00")
    vie.appel()
    vie.jusqu_au_demarrage("un", annee=2021)
    vie.contrepartie("CP", "30000.00", annee=2022)
    vie.perception("CP", "20000.00")
    vie.affectation("CP", "un", "10000.00", le=date(2022, 2, 1))
    vie.desaffectation("CP", "un", "2500.00", le=date(2022, 6, 10))
    exiger_grand_livre(conn, memoire(conn))
    for jour, affecte in ((date(2022, 6, 9), 10_000), (date(2022, 6, 10), 7_500)):
        lignes = au(conn, jour).lignes
        assert {(x.plie_id, x.annee): x.chiffres.cp_affectee for x in lignes} == {
            ("A", 2021): euros(affecte),
            ("non_reparti", 2021): 0,
        }
    query = (
        "SELECT mesure, plie_id, annee, sum(centimes)::bigint FROM projection.mouvement "
        "WHERE mesure IN ('cp_attribuee', 'cp_percue') GROUP BY 1, 2, 3 ORDER BY 1"
    )
    assert conn.execute(query).fetchall() == [
        ("cp_attribuee", "mutualise", 2022, euros(30_000)),
        ("cp_percue", "mutualise", 2022, euros(20_000)),
    ]


def avenant(vie: Vie, fse_total: str, ecart: str, le: date, annee: int) -> None:
    """Sign an avenant of the grant that gives a PLIE more, or less."""
    cellule = {
        "ligne": {
            "annee": annee,
            "axe": "3",
            "objectif_specifique": "OS1",
            "dispositif": "parcours",
        },
        "plie_id": "A",
    }
    asked = commande(
        conventionnement.SignerAvenantSubventionGlobale,
        date_effet=le,
        numero_avenant=1,
        objet="Dotation",
        fse_total=fse_total,
        ecarts=[{"cellule": cellule, "fse": ecart, "cout_total": ecart}],
    )
    vie.decision(SUBVENTION_GLOBALE, vie.id("SG"), conventionnement.signer_avenant, asked)


def pour_cent(taux: Fraction | None) -> str:
    """Write a rate with its two decimals."""
    assert taux is not None
    centiemes = int(taux * 10_000 + Fraction(1, 2))
    return f"{centiemes // 100},{centiemes % 100:02d} %"


def test_a_rate_at_a_past_date_uses_the_envelope_of_that_date(
    vie: Vie, conn: Connection[Any]
) -> None:
    """The grant of AGAPE: 4 837 728,00 €, then 6 694 098,00 € from 24 September 2019."""
    signe = date(2019, 9, 24)
    vie.subvention(fse_total="4837728.00")
    vie.tranche("4837728.00", "4837728.00", annee=2019, le=date(2019, 1, 2))
    vie.enveloppe("A", "4837728.00", annee=2019, le=date(2019, 1, 3))
    vie.appel(le=date(2019, 1, 4), date_ouverture="2019-01-04", date_cloture="2019-03-29")
    for nom, fse in (("un", "4700000.00"), ("deux", "450000.00")):
        cout = f"{2 * int(fse[:-3])}.00"
        vie.depot(nom, fse=fse, cout_total=cout, annee=2019, le=date(2019, 2, 1))
        vie.instruction(nom, le=date(2019, 3, 1))
    vie.programmation("un", le=date(2019, 6, 3))
    avant = tete(conn)
    avenant(vie, "6694098.00", "1856370.00", signe, 2019)
    # The minutes of the committee of July are typed late: the envelope can take it by then.
    vie.programmation("deux", le=date(2019, 7, 15))

    veille = total(conn, date(2019, 9, 23))
    assert veille.fse_maquette == euros("4 837 728,00")
    assert veille.fse_programme == euros("5 150 000,00")
    assert pour_cent(veille.taux_programmation) == "106,45 %"
    assert veille.disponible_a_programmer == euros("4 837 728,00") - euros("5 150 000,00") < 0
    apres = total(conn, signe)
    assert apres.fse_maquette == euros("6 694 098,00")
    assert pour_cent(apres.taux_programmation) == "76,93 %"
    assert total(conn) == apres
    # What was known before the avenant, on any day.
    assert pour_cent(total(conn, signe, avant).taux_programmation) == "97,15 %"
    assert pour_cent(total(conn, date(2019, 9, 23), avant + 1).taux_programmation) == "97,15 %"
    assert au(conn, date(2019, 9, 23)).fse_total == euros("4 837 728,00")
    assert au(conn, signe, avant).fse_total == euros("4 837 728,00")
    assert au(conn, signe).fse_total == euros("6 694 098,00")


def test_what_a_year_leaves_unused_stays_readable_once_it_is_taken_back(
    vie: Vie, conn: Connection[Any]
) -> None:
    """An allocation is put right before 30 April, on what was programmed, on what was justified."""
    fin, repris = date(2022, 12, 31), date(2023, 4, 14)
    vie.subvention(fse_total="1000000.00")
    vie.tranche("1000000.00", "1000000.00")
    vie.enveloppe("A", "1000000.00")
    vie.appel()
    vie.jusqu_au_demarrage("un", fse="920000.00", cout_total="1840000.00")
    vie.bilan("un", ("1740000.00",))
    vie.controle("un")
    clos = total(conn, fin)
    assert clos.disponible_a_programmer == euros(80_000)
    assert clos.reste_a_consommer == euros(130_000)

    avenant(vie, "920000.00", "-80000.00", repris, 2021)
    assert total(conn, fin) == clos
    apres = total(conn, repris)
    assert (apres.disponible_a_programmer, apres.reste_a_consommer) == (0, euros(50_000))
    assert pour_cent(apres.taux_programmation) == "100,00 %"
