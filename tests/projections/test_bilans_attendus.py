"""The bilans that have not come: awaited until the limit, late after, asked for, closed without."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from portier import PortierDEssai
from starlette.testclient import TestClient
from vie import Vie

from aggregates.convention.cloture_office import BilanNonAttendu, BilanPasEnRetard
from api.app import create_app
from api.deps import perimetre
from oi_service.application import Service
from oi_service.clock import today
from projections.bilans_attendus import BilanAttendu, bilans_attendus, bilans_de_la_convention
from projections.curseurs import CurseurInvalide, ecrire
from projections.fiche_operation import fiche_convention, fiche_operation
from projections.perimetre import OI_ENTIER, Perimetre

LIMITE = date(2022, 6, 30)
JOUR = timedelta(days=1)
PREVUS = [
    {"numero": 1, "type": "intermediaire", "date_limite": "2022-03-31"},
    {"numero": 2, "type": "final", "date_limite": "2022-06-30"},
]


@pytest.fixture
def vie(service: Service) -> Vie:
    """Open a grant for two PLIE, and one operation, under convention on 2022-01-26."""
    vie = Vie(service)
    vie.subvention()
    vie.tranche("400000.00")
    for plie in ("A", "B"):
        vie.enveloppe(plie, "200000.00")
    vie.appel(fiches=[{}, {"code": "B1", "plie": "B"}])
    vie.jusqu_au_demarrage("un")
    return vie


def etats(vie: Vie, le: date, operation: str = "un") -> list[BilanAttendu]:
    with vie.reads.connection() as conn:
        return list(bilans_de_la_convention(conn, OI_ENTIER, vie.id(operation), le=le))


def etat(vie: Vie, le: date, operation: str = "un") -> str:
    [bilan] = etats(vie, le, operation)
    return bilan.etat


def attendus(
    vie: Vie, le: date, ou: Perimetre = OI_ENTIER, **filtres: Any
) -> list[tuple[date, str, int, str]]:
    """Read the list to its end, by small pages."""
    with vie.reads.connection() as conn:
        page = bilans_attendus(conn, ou, le=le, limite=2, **filtres)
        lignes = list(page.lignes)
        while page.suivant is not None:
            page = bilans_attendus(conn, ou, le=le, limite=2, apres=page.suivant, **filtres)
            lignes += page.lignes
    return [(b.date_limite, b.numero_mdfse, b.numero, b.etat) for b in lignes]


def test_nothing_is_awaited_of_a_convention_that_is_not_in_force(vie: Vie) -> None:
    assert etats(vie, date(2022, 1, 25)) == []
    assert etat(vie, date(2022, 1, 26)) == "attendu"


def test_a_bilan_is_late_from_the_day_after_its_limit(vie: Vie) -> None:
    assert etat(vie, LIMITE) == "attendu"
    [retard] = etats(vie, LIMITE + 3 * JOUR)
    assert (retard.etat, retard.etat_libelle, retard.jours_de_retard) == (
        "en_retard",
        "en retard",
        3,
    )
    assert retard.statut_libelle == "en exécution"


@pytest.mark.parametrize("le", [LIMITE, LIMITE + JOUR])
def test_what_is_late_here_is_what_may_be_asked_for(vie: Vie, le: date) -> None:
    if etat(vie, le) == "en_retard":
        vie.reclamation("un", le=le)
        assert etat(vie, le) == "reclame"
    else:
        with pytest.raises(BilanPasEnRetard):
            vie.reclamation("un", le=le)


def test_a_bilan_asked_for_in_vain_then_closed(vie: Vie) -> None:
    vie.reclamation("un", le=date(2022, 7, 1))
    [reclame] = etats(vie, date(2022, 9, 1))
    assert (reclame.etat, reclame.reclame_le) == ("reclame", date(2022, 7, 1))
    assert reclame.reponse_jusqu_au == date(2022, 9, 1)
    assert not reclame.reponse_depassee
    [en_vain] = etats(vie, date(2022, 9, 2))
    assert en_vain.reponse_depassee

    vie.cloture_office("un", le=date(2022, 9, 2))
    [clos] = etats(vie, date(2022, 9, 2))
    assert (clos.etat, clos.clos_le) == ("clos_office", date(2022, 9, 2))
    assert (clos.jours_de_retard, clos.reponse_depassee) == (0, False)
    assert etat(vie, date(2022, 9, 1)) == "reclame"
    assert etat(vie, date(2022, 6, 30)) == "attendu"
    assert attendus(vie, date(2022, 9, 2)) == []


def test_a_bilan_filed_later_is_still_awaited_the_day_before(vie: Vie) -> None:
    vie.bilan("un", le=LIMITE + 5 * JOUR)
    assert etat(vie, LIMITE + 4 * JOUR) == "en_retard"
    [depose] = etats(vie, LIMITE + 90 * JOUR)
    assert (depose.etat, depose.depose_le) == ("depose", LIMITE + 5 * JOUR)
    assert depose.jours_de_retard == 5
    assert depose.bilan_id in vie.convention("un").bilans


def test_a_bilan_sent_back_is_awaited_again(vie: Vie) -> None:
    vie.bilan("un", le=date(2022, 4, 1))
    vie.renvoi("un", le=date(2022, 4, 5))
    assert etat(vie, date(2022, 4, 4)) == "depose"
    assert etat(vie, date(2022, 4, 5)) == "attendu"
    assert etat(vie, LIMITE + JOUR) == "en_retard"


def test_a_bilan_filed_again_stands_and_an_intermediate_one_leaves_the_final_awaited(
    vie: Vie,
) -> None:
    vie.depot("deux")
    vie.instruction("deux")
    vie.programmation("deux")
    vie.conventionnement("deux", bilans_prevus=PREVUS)
    vie.bilan("deux", type="intermediaire", le=date(2022, 4, 1))
    vie.renvoi("deux", le=date(2022, 4, 5))
    vie.bilan("deux", ["70000.00"], type="intermediaire", le=date(2022, 4, 8))
    intermediaire, final = etats(vie, date(2022, 4, 8), "deux")
    assert (intermediaire.etat, intermediaire.depose_le) == ("depose", date(2022, 4, 8))
    assert (intermediaire.jours_de_retard, final.etat) == (8, "attendu")


def test_the_final_bilan_makes_the_others_useless(vie: Vie) -> None:
    vie.depot("deux")
    vie.instruction("deux")
    vie.programmation("deux")
    vie.conventionnement("deux", bilans_prevus=PREVUS)
    assert [b.etat for b in etats(vie, date(2022, 4, 1), "deux")] == ["en_retard", "attendu"]
    vie.bilan("deux", numero=2, le=date(2022, 4, 10))
    assert [b.etat for b in etats(vie, date(2022, 4, 9), "deux")] == ["en_retard", "attendu"]
    inutile, final = etats(vie, date(2022, 5, 1), "deux")
    assert (inutile.etat, inutile.jours_de_retard, final.etat) == ("sans_objet", 0, "depose")


def test_nothing_is_awaited_of_an_operation_that_is_settled(vie: Vie) -> None:
    vie.abandon("un")
    assert etat(vie, date(2022, 6, 20)) == "attendu"
    vie.solde("un", le=date(2022, 6, 15))
    assert etat(vie, date(2022, 6, 14)) == "attendu"
    assert etat(vie, date(2022, 6, 15)) == "sans_objet"


def test_the_list_goes_over_all_dossiers_by_date(vie: Vie) -> None:
    vie.depot("zero", fiche="B1")
    vie.instruction("zero")
    vie.programmation("zero")
    vie.conventionnement("zero", bilans_prevus=PREVUS)
    vie.jusqu_au_demarrage("trois")
    vie.bilan("trois", le=date(2022, 4, 1))
    le = date(2022, 4, 15)
    tous = [
        (date(2022, 3, 31), "zero", 1, "en_retard"),
        (LIMITE, "un", 1, "attendu"),
        (LIMITE, "zero", 2, "attendu"),
    ]
    assert attendus(vie, le) == tous
    assert attendus(vie, le, etat="en_retard") == tous[:1]
    assert attendus(vie, le, etat="attendu") == tous[1:]
    assert attendus(vie, le, etat="reclame") == []
    assert attendus(vie, le, plie="A") == tous[1:2]
    assert attendus(vie, le, Perimetre(frozenset({"B"}))) == [tous[0], tous[2]]
    assert attendus(vie, le, Perimetre(frozenset({"B"})), plie="A") == []
    assert (LIMITE, "trois", 1, "attendu") in attendus(vie, date(2022, 3, 31))
    vie.reclamation("zero", numero=1, le=le)
    assert attendus(vie, le, etat="reclame") == [(date(2022, 3, 31), "zero", 1, "reclame")]
    with pytest.raises(BilanNonAttendu):
        vie.reclamation("trois", numero=1, le=LIMITE + JOUR)


@pytest.mark.parametrize("apres", ["n’importe quoi", ecrire("bilans attendus", ("a", 1, 1))])
def test_a_cursor_that_is_not_ours_is_refused(vie: Vie, apres: str) -> None:
    with vie.reads.connection() as conn, pytest.raises(CurseurInvalide):
        bilans_attendus(conn, OI_ENTIER, le=LIMITE, apres=apres)


# The doors.


@pytest.fixture
def http(vie: Vie, service: Service) -> Iterator[TestClient]:
    """Lend a client."""
    with TestClient(create_app(service, PortierDEssai())) as client:
        yield client


def lire(http: TestClient, chemin: str, **filtres: str) -> Any:
    answer = http.get(f"/api/v1{chemin}", params=filtres)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_door_tells_what_is_awaited_on_a_day(http: TestClient, vie: Vie) -> None:
    page = lire(http, "/bilans/attendus", le="2022-07-02")
    assert (page["le"], page["suivant"]) == ("2022-07-02", None)
    [ligne] = page["lignes"]
    assert ligne["operation_id"] == str(vie.id("un"))
    assert (ligne["etat"], ligne["jours_de_retard"]) == ("en_retard", 2)
    assert (ligne["numero_convention"], ligne["plie_nom"]) == ("C-un", "PLIE A")
    assert lire(http, "/bilans/attendus", le="2022-07-02", plie="B")["lignes"] == []


def test_without_a_day_it_is_today(http: TestClient, vie: Vie) -> None:
    page = lire(http, "/bilans/attendus")
    assert page["le"] == today().isoformat()
    assert page["lignes"][0]["etat"] == "en_retard"
    une = f"/operations/{vie.id('un')}"
    for convention in (lire(http, f"{une}/convention"), lire(http, une)["convention"]):
        [bilan] = convention["bilans_attendus"]
        assert (bilan["le"], bilan["etat"]) == (today().isoformat(), "en_retard")


def test_a_convention_tells_its_bilans_on_the_day_asked(http: TestClient, vie: Vie) -> None:
    une = f"/operations/{vie.id('un')}"
    for le, dit in (("2022-01-25", []), ("2022-06-30", ["attendu"]), ("2022-07-01", ["en_retard"])):
        attendu = lire(http, f"{une}/convention", le=le)["bilans_attendus"]
        assert [b["etat"] for b in attendu] == dit
        assert lire(http, une, le=le)["convention"]["bilans_attendus"] == attendu


@pytest.mark.parametrize(
    "filtres",
    [{"le": "30/06/2022"}, {"etat": "depose"}, {"inconnu": "1"}, {"apres": "!"}, {"limite": "0"}],
)
def test_a_malformed_question_is_refused(http: TestClient, filtres: dict[str, str]) -> None:
    answer = http.get("/api/v1/bilans/attendus", params=filtres)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_reader_of_one_plie_sees_its_own(service: Service, vie: Vie) -> None:
    app = create_app(service, PortierDEssai())
    app.dependency_overrides[perimetre] = lambda: Perimetre(frozenset({"B"}))
    with TestClient(app) as http:
        assert lire(http, "/bilans/attendus", le="2022-07-02")["lignes"] == []


def test_the_sheets_read_the_same_day(vie: Vie) -> None:
    with vie.reads.connection() as conn:
        convention = fiche_convention(conn, OI_ENTIER, vie.id("un"), le=LIMITE)
        fiche = fiche_operation(conn, OI_ENTIER, vie.id("un"), le=LIMITE)
    assert [b.etat for b in convention.bilans_attendus] == ["attendu"]
    assert fiche.convention == convention
