"""What must be certified by when: the exposure at two dates, and the plan that covers it."""

from datetime import date
from typing import Any

import pytest
from vie import Vie

from aggregates.subvention_globale.state import SubventionGlobaleAbsente
from oi_service.application import Service
from oi_service.money import euros
from projections.degagement import Degagement, LigneExposee, charger
from projections.perimetre import OI_ENTIER, Perimetre
from projections.situation import ACTUELLE, Situation

FIN_2022 = date(2022, 12, 31)


@pytest.fixture
def vie(service: Service) -> Vie:
    """Open a grant of two PLIE and two objectives."""
    vie = Vie(service)
    vie.subvention(fse_total="6000000.00")
    vie.tranche("3000000.00", contreparties="3000000.00")
    vie.tranche("3000000.00", contreparties="3000000.00", os="OS2")
    for plie in ("A", "B"):
        vie.enveloppe(plie, "1500000.00")
    vie.enveloppe("A", "3000000.00", os="OS2")
    vie.appel(fiches=[{}, {"code": "B1", "plie": "B"}, {"code": "A2", "os": "OS2"}])
    return vie


def lire(
    vie: Vie,
    situation: Situation = ACTUELLE,
    le: date = date(2022, 11, 30),
    perimetre: Perimetre = OI_ENTIER,
) -> Degagement:
    with vie.reads.connection() as conn:
        return charger(conn, perimetre, vie.id("SG"), situation, le=le)


def une(vie: Vie, *args: Any, **named: Any) -> LigneExposee:
    [ligne] = lire(vie, *args, **named).lignes
    return ligne


def retenir(vie: Vie, nom: str, fse: int, *, conventionne: int | None = None, **depot: Any) -> None:
    """Bring an operation to a control that retains an amount of the Fund, at half of the cost."""
    plafond = conventionne or fse
    vie.jusqu_au_demarrage(nom, fse=euros(plafond), cout_total=euros(2 * plafond), **depot)
    vie.bilan(nom, [euros(2 * fse)])
    vie.controle(nom)


def certifier(vie: Vie, nom: str, fse: int, le: date = date(2022, 9, 1)) -> None:
    vie.transmission(nom, euros(fse), euros(2 * fse))
    vie.certification(nom, euros(fse), euros(2 * fse), le=le)


def plan(ligne: LigneExposee) -> list[tuple[str, str, str, str]]:
    return [
        (
            e.attente.dossier.numero_mdfse,
            e.attente.attendu,
            euros(e.attente.montant),
            euros(e.cumul),
        )
        for e in ligne.plan
    ]


def test_maq_03_what_would_be_lost_of_a_commitment(vie: Vie) -> None:
    vie.objectif("2600000.00", annee_engagement=2019, prefinancements="91000.00")
    retenir(vie, "UN", 2_380_000_00, fiche="A2")
    vie.transmission("UN", "2380000.00", "4760000.00")
    assert euros(une(vie).exposition) == "2509000.00"
    vie.certification("UN", "2380000.00", "4760000.00")
    ligne = une(vie)
    assert euros(ligne.exposition) == "129000.00"
    assert (ligne.objectif.date_limite, ligne.jours_restants) == (FIN_2022, 31)
    assert (ligne.etat, ligne.etat_libelle) == ("a_couvrir", "à couvrir")
    assert ligne.echeance_du_texte is not None
    assert ligne.echeance_du_texte.jour == FIN_2022
    assert "art. 136" in ligne.echeance_du_texte.reference
    # A withdrawal exposes again, to the cent, and sending it once more would save nothing.
    vie.retrait_certification("UN", "0.01", "0.02")
    ligne = une(vie)
    assert (euros(ligne.exposition), ligne.plan) == ("129000.01", ())
    assert euros(ligne.non_couvert) == "129000.01"


def test_the_commitment_of_2016_ends_with_2019(vie: Vie) -> None:
    vie.objectif("2600000.00", annee_engagement=2016, prefinancements="91000.00")
    retenir(vie, "UN", 2_380_000_00, fiche="A2")
    certifier(vie, "UN", 2_380_000_00, le=date(2019, 12, 31))
    ligne = une(vie, le=date(2020, 1, 1))
    assert ligne.objectif.date_limite == date(2019, 12, 31)
    assert (euros(ligne.exposition), ligne.etat) == ("129000.00", "manque")
    assert (ligne.plan, ligne.a_declarer) == ((), ())


def test_what_is_certified_after_the_deadline_saves_nothing(vie: Vie) -> None:
    vie.objectif("100000.00", date_limite="2022-08-31")
    retenir(vie, "UN", 100_000_00)
    certifier(vie, "UN", 100_000_00, le=date(2022, 9, 1))
    ligne = une(vie)
    assert (euros(ligne.certifie), ligne.etat) == ("0.00", "manque")
    vie.objectif("100000.00", date_limite="2022-09-01")
    assert [x.etat for x in lire(vie).lignes] == ["manque", "atteint"]


def test_the_last_day_still_saves_what_it_certifies(vie: Vie) -> None:
    vie.objectif("100000.00", annee_engagement=2019)
    assert [une(vie, le=jour).etat for jour in (FIN_2022, date(2023, 1, 1))] == [
        "a_couvrir",
        "manque",
    ]


def test_what_is_sent_waits_since_the_first_statement_not_wholly_certified(vie: Vie) -> None:
    vie.objectif("100000.00", annee_engagement=2019)
    retenir(vie, "UN", 100_000_00)
    for le in (date(2022, 7, 4), date(2022, 8, 8)):
        vie.transmission("UN", "30000.00", "60000.00", le=le)
    for fse, depuis in (("29999.99", date(2022, 7, 4)), ("0.01", date(2022, 8, 8))):
        vie.certification("UN", fse, "0.00")
        [etape] = [e for e in une(vie).plan if e.attente.attendu == "certifier"]
        assert etape.attente.depuis == depuis


def test_a_target_is_that_of_its_two_dates(vie: Vie) -> None:
    vie.objectif("100000.00", annee_engagement=2019, le=date(2022, 1, 10))
    retenir(vie, "UN", 60_000_00)
    certifier(vie, "UN", 60_000_00)
    fait = vie.objectif("80000.00", annee_engagement=2019, le=date(2022, 10, 3))
    avant = Situation(connu_le=fait.events[0].position - 1)
    assert euros(une(vie).exposition) == "20000.00"
    assert euros(une(vie, avant).exposition) == "40000.00"
    assert euros(une(vie, Situation(effet_au=date(2022, 10, 2))).exposition) == "40000.00"
    assert euros(une(vie, Situation(effet_au=date(2022, 8, 31))).exposition) == "100000.00"
    assert lire(vie, Situation(effet_au=date(2022, 1, 9))).lignes == ()


def test_a_target_is_about_a_plie_an_axe_an_objective(vie: Vie) -> None:
    retenir(vie, "UN", 50_000_00)
    retenir(vie, "DEUX", 70_000_00, fiche="B1")
    retenir(vie, "TROIS", 200_000_00, fiche="A2")
    for nom, fse in (("UN", 10_000_00), ("DEUX", 20_000_00), ("TROIS", 40_000_00)):
        certifier(vie, nom, fse)
    for saisie in (
        {},
        {"plie_id": "A"},
        {"plie_id": "B"},
        {"objectif_specifique": "OS2"},
        {"plie_id": "A", "axe": "3", "objectif_specifique": "OS1"},
    ):
        vie.objectif("100000.00", annee_engagement=2019, **saisie)
    lues = {
        (x.objectif.plie_nom, x.objectif.objectif_specifique): (
            euros(x.certifie),
            [e.attente.dossier.numero_mdfse for e in x.plan],
        )
        for x in lire(vie).lignes
    }
    assert lues == {
        (None, None): ("70000.00", ["DEUX"]),
        ("PLIE A", None): ("50000.00", ["TROIS"]),
        ("PLIE B", None): ("20000.00", ["DEUX"]),
        (None, "OS2"): ("40000.00", ["TROIS"]),
        ("PLIE A", "OS1"): ("10000.00", ["UN"]),
    }
    # A reader of one PLIE sees its targets alone.
    vus = lire(vie, perimetre=Perimetre(frozenset({"B"})))
    assert [x.objectif.plie_id for x in vus.lignes] == ["B"]
    assert [p.plie_id for p in vus.par_plie] == ["B"]


def test_the_plan_takes_what_has_waited_longest_until_it_suffices(vie: Vie) -> None:
    vie.objectif("1000000.00", annee_engagement=2019)
    # Controlled on 2 May, sent for half of it on 1 August.
    retenir(vie, "UN", 100_000_00)
    vie.transmission("UN", "40000.00", "80000.00", le=date(2022, 8, 1))
    # Filed on 1 April, controlled by nobody.
    vie.jusqu_au_demarrage("DEUX", fse="50000.00", cout_total="100000.00")
    vie.bilan("DEUX", ["60000.00"])
    # Filed on 1 March, sent back: nothing waits.
    vie.jusqu_au_demarrage("TROIS", fse="50000.00", cout_total="100000.00")
    vie.bilan("TROIS", ["60000.00"], le=date(2022, 3, 1))
    vie.renvoi("TROIS")
    ligne = une(vie)
    assert plan(ligne) == [
        ("DEUX", "controler", "30000.00", "30000.00"),
        ("UN", "transmettre", "60000.00", "90000.00"),
        ("UN", "certifier", "40000.00", "130000.00"),
    ]
    assert [e.jours for e in ligne.plan] == [243, 212, 121]
    assert [e.attente.attendu_libelle for e in ligne.plan] == [
        "à contrôler",
        "à transmettre",
        "à certifier",
    ]
    assert euros(ligne.couvert_par_le_plan) == "130000.00"
    # Nothing more than what suffices.
    vie.objectif("90000.00", annee_engagement=2019)
    assert [e[0] for e in plan(une(vie))] == ["DEUX", "UN"]
    vie.objectif("30000.01", annee_engagement=2019)
    assert [e[0] for e in plan(une(vie))] == ["DEUX", "UN"]
    vie.objectif("30000.00", annee_engagement=2019)
    assert [e[0] for e in plan(une(vie))] == ["DEUX"]
    [a, b] = lire(vie).par_plie
    assert (a.a_controler, a.a_transmettre, a.a_certifier) == (30_000_00, 60_000_00, 40_000_00)
    assert (b.a_controler, b.a_transmettre, b.a_certifier, b.prochaine) == (0, 0, 0, None)


def test_what_is_missing_must_still_be_declared_before_the_deadline(vie: Vie) -> None:
    fixe = {"annee_engagement": 2019, "date_limite": "2022-06-15"}
    vie.objectif("500000.00", **fixe)
    retenir(vie, "UN", 20_000_00)
    for nom, fse, limite in (
        ("TARD", "90000.00", "2022-06-16"),
        ("LOIN", "80000.00", "2022-06-15"),
        ("PRES", "70000.00", "2022-03-15"),
        ("ABANDON", "60000.00", "2022-03-01"),
    ):
        prevus = [{"numero": 1, "type": "final", "date_limite": limite}]
        vie.jusqu_au_demarrage(
            nom, fse=fse, cout_total="200000.00", convention={"bilans_prevus": prevus}
        )
    vie.abandon("ABANDON")
    en_mars = date(2022, 3, 31)
    ligne = une(vie, le=en_mars)
    assert euros(ligne.reste_a_declarer) == "480000.00"
    attendus = [
        (d.dossier.numero_mdfse, d.bilan.etat, euros(d.dossier.reste_a_declarer), euros(d.cumul))
        for d in ligne.a_declarer
    ]
    assert attendus == [
        ("PRES", "en_retard", "70000.00", "70000.00"),
        ("LOIN", "attendu", "80000.00", "150000.00"),
    ]
    assert euros(ligne.non_couvert) == "330000.00"
    vie.objectif("90000.00", **fixe)
    ligne = une(vie, le=en_mars)
    assert [d.dossier.numero_mdfse for d in ligne.a_declarer] == ["PRES"]
    assert ligne.non_couvert == 0


def test_what_a_control_taken_up_again_took_back_no_longer_waits(vie: Vie) -> None:
    vie.objectif("100000.00", annee_engagement=2019)
    retenir(vie, "UN", 50_000_00)
    vie.reouverture_controle("UN")
    vie.ouverture_controle("UN", le=date(2022, 9, 5))
    vie.controle("UN", ecarte="20000.00", le=date(2022, 10, 3))
    assert plan(une(vie)) == [("UN", "transmettre", "40000.00", "40000.00")]
    assert plan(une(vie, Situation(effet_au=date(2022, 10, 2)))) == [
        ("UN", "transmettre", "50000.00", "50000.00")
    ]


def test_a_dossier_closed_without_its_bilan_sends_nothing_more(vie: Vie) -> None:
    vie.objectif("100000.00", annee_engagement=2019)
    vie.jusqu_au_demarrage(
        "UN",
        convention={
            "bilans_prevus": [
                {"numero": 1, "type": "intermediaire", "date_limite": "2022-03-31"},
                {"numero": 2, "type": "final", "date_limite": "2022-06-30"},
            ]
        },
    )
    vie.bilan("UN", ["40000.00"], type="intermediaire")
    vie.controle("UN")
    assert plan(une(vie)) == [("UN", "transmettre", "20000.00", "20000.00")]
    vie.reclamation("UN", 2)
    vie.cloture_office("UN", 2)
    assert plan(une(vie)) == []


def test_a_day_without_any_deadline_in_the_texts_is_still_a_target(vie: Vie) -> None:
    """A commitment of an earlier period: the OI's own target stands, the text says nothing."""
    vie.objectif("10000.00", annee_engagement=2014, date_limite="2022-12-31")
    texte = une(vie).echeance_du_texte
    assert texte is not None
    assert texte.jour == date(2017, 12, 31)


def test_an_unknown_grant_is_refused(vie: Vie) -> None:
    with vie.reads.connection() as conn, pytest.raises(SubventionGlobaleAbsente):
        charger(conn, OI_ENTIER, vie.id("AUTRE"), le=FIN_2022)
    with pytest.raises(SubventionGlobaleAbsente):
        lire(vie, Situation(connu_le=0))
