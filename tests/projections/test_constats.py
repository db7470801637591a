"""What the tests of eligibility say of real dépenses, looked at against all the others."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from fabrique import DETAIL_SAISI, commande
from psycopg import Connection
from psycopg.rows import TupleRow
from vie import Vie

from aggregates.depense.declaration import (
    AnnulerDepense,
    CorrigerDepense,
    DeclarerDepense,
    DeclarerDepenses,
)
from aggregates.depense.state import DepenseAbsente
from aggregates.operation.state import OperationAbsente
from api import actions
from oi_service.application import Service
from oi_service.ids import new_id
from projections.constats import (
    BilanInconnu,
    ConstatsDepense,
    constats_de_la_depense,
    constats_du_bilan,
)
from projections.perimetre import OI_ENTIER, Perimetre
from rules.constat import Constat
from rules.eligibilite import TESTS

AUTRE_SIRET = "55208131766522"
PIECE = {"sha256": "9f" * 32, "libelle": "Facture", "type": "facture"}


class Depenses(Vie):
    """A life in which two operations of one employer, and one of another, declare dépenses."""

    def ouvrir(self) -> None:
        """Bring « un » (PLIE A), « deux » (PLIE B) and « trois » (another employer) to life."""
        self.subvention()
        self.tranche("600000.00", "600000.00")
        self.enveloppe("A", "200000.00")
        self.enveloppe("B", "200000.00")
        self.appel([{}, {"code": "B1", "plie_id": "B"}])
        self.jusqu_au_demarrage("un", instruite_le=date(2021, 12, 18))
        self.jusqu_au_demarrage("deux", fiche="B1")
        autre = {"siret": AUTRE_SIRET, "nom": "Bénéficiaire fictif n° 09", "type": "association"}
        self.jusqu_au_demarrage("trois", beneficiaire=autre)

    def declarer(self, operation: str, *, pieces: Any = (), **saisie: Any) -> UUID:
        """Déclarer une dépense."""
        depense_id = new_id()
        asked = commande(
            DeclarerDepense,
            date_effet=date(2022, 3, 1),
            pieces=pieces,
            detail=DETAIL_SAISI | saisie,
        )
        self.acte(actions.declarer_depense, depense_id, asked, self.id(operation))
        return depense_id

    def heures(self, operation: str, faites: str, mois: int = 5, **saisie: Any) -> UUID:
        """Déclarer du temps de la même personne, sur 150 heures travaillées dans le mois."""
        temps = {
            "methode": "temps_travaille",
            "cout": "3000.00",
            "heures_operation": faites,
            "heures_base": "150",
            "mois": mois,
            "justificatif": "releve_signe",
        }
        rang = {"piece_ref": f"BS-{operation}-{mois}", "montant_impute": None}
        return self.declarer(operation, **{"temps": temps, **rang, **saisie})

    def examinee(self, depense_id: UUID, perimetre: Perimetre = OI_ENTIER) -> ConstatsDepense:
        """Return the findings on one dépense."""
        with self.reads.connection() as conn:
            return constats_de_la_depense(conn, perimetre, depense_id)

    def constat(self, test: str, depense_id: UUID, perimetre: Perimetre = OI_ENTIER) -> Constat:
        """Return one finding."""
        [found] = [c for c in self.examinee(depense_id, perimetre).constats if c.test == test]
        return found


@pytest.fixture
def vie(service: Service) -> Depenses:
    """Lend the three operations."""
    played = Depenses(service)
    played.ouvrir()
    return played


@pytest.fixture
def lecture(service: Service) -> Iterator[Connection[TupleRow]]:
    """Lend a connection that reads."""
    with service.reads.connection() as conn:
        yield conn


def test_every_test_speaks_of_every_depense(vie: Depenses) -> None:
    examinee = vie.examinee(vie.declarer("un"))
    assert [c.test for c in examinee.constats] == list(TESTS)
    assert (examinee.nombre("anomalie"), examinee.piece_ref) == (0, "BS-2021-05")
    statuts = ("conforme", "anomalie", "a_apprecier")
    assert sum(examinee.nombre(statut) for statut in statuts) == len(TESTS)


# The same piece elsewhere.


@pytest.mark.parametrize("ailleurs", ["un", "deux", "trois"])
def test_one_piece_is_presented_once_wherever_it_is(vie: Depenses, ailleurs: str) -> None:
    facture = {"poste": "prestations", "tiers_ref": "fournisseur-3", "piece_ref": "F-118"}
    une = vie.declarer("un", **facture)
    assert vie.constat("meme_piece", une).statut == "conforme"
    autre = vie.declarer(ailleurs, **facture)
    for depense_id in (une, autre):
        found = vie.constat("meme_piece", depense_id)
        assert (found.statut, found.motif_code) == ("anomalie", "DOUBLE_FINANCEMENT")
    ou = "ailleurs dans cette opération" if ailleurs == "un" else f"Opération {ailleurs}"
    assert ou in vie.constat("meme_piece", une).message


@pytest.mark.parametrize("ailleurs", ["un", "deux", "trois"])
def test_one_document_is_attached_once_wherever_it_is(vie: Depenses, ailleurs: str) -> None:
    une = vie.declarer("un", pieces=[PIECE])
    autre = vie.declarer(ailleurs, pieces=[PIECE], tiers_ref="salarie-08")
    for depense_id in (une, autre):
        assert vie.constat("meme_fichier", depense_id).statut == "anomalie"


def test_a_list_attached_to_a_batch_is_looked_at(vie: Depenses) -> None:
    lignes = [DETAIL_SAISI | {"piece_ref": f"BS-{rang}"} for rang in range(3)]
    asked = commande(DeclarerDepenses, date_effet=date(2022, 3, 1), depenses=lignes, pieces=[PIECE])
    done = vie.acte(actions.declarer_depenses, vie.id("un"), asked)
    for event in done.events:
        assert vie.constat("meme_fichier", event.stream_id).statut == "a_apprecier"


def test_a_piece_shared_by_time_is_looked_at_until_it_exceeds_the_whole(vie: Depenses) -> None:
    une = vie.heures("un", "90", piece_ref="BS-7")
    vie.heures("deux", "60", piece_ref="BS-7")
    assert vie.constat("meme_piece", une).statut == "a_apprecier"
    vie.heures("deux", "1", piece_ref="BS-7")
    assert vie.constat("meme_piece", une).statut == "anomalie"


def test_payslips_of_two_employers_may_bear_the_same_references(vie: Depenses) -> None:
    une = vie.declarer("un")
    vie.declarer("trois")
    assert vie.constat("meme_piece", une).statut == "conforme"


def test_a_payslip_under_another_poste_is_the_same_payslip(vie: Depenses) -> None:
    une, autre = vie.declarer("un"), vie.declarer("deux", poste="indirectes")
    for depense_id in (une, autre):
        assert vie.constat("meme_piece", depense_id).statut == "anomalie"


def test_what_is_cancelled_or_corrected_away_is_no_double(vie: Depenses) -> None:
    une, deux = vie.declarer("un"), vie.declarer("un")
    assert vie.constat("meme_piece", une).statut == "anomalie"
    corrected = commande(CorrigerDepense, detail=DETAIL_SAISI | {"piece_ref": "BS-2021-06"})
    vie.acte(actions.corriger_depense, deux, corrected)
    assert vie.constat("meme_piece", une).statut == "conforme"
    trois = vie.declarer("un")
    assert vie.constat("meme_piece", une).statut == "anomalie"
    vie.acte(actions.annuler_depense, trois, commande(AnnulerDepense))
    assert vie.constat("meme_piece", une).statut == "conforme"


@pytest.mark.parametrize(("ecarte", "statut"), [("999.99", "anomalie"), ("1000.00", "conforme")])
def test_what_a_control_rejected_whole_is_no_double(
    vie: Depenses, ecarte: str, statut: str
) -> None:
    une = vie.declarer("un", piece_ref="P-0")
    assert vie.constat("meme_piece", une).statut == "conforme"
    vie.bilan("deux", ["1000.00"])
    vie.controle("deux", ecarte=ecarte)
    assert vie.constat("meme_piece", une).statut == statut


# The time of one person.


def test_a_person_over_a_hundred_per_cent_over_two_operations(vie: Depenses) -> None:
    une = vie.heures("un", "90")
    vie.heures("deux", "60")
    assert vie.constat("temps_mois", une).statut == "conforme"
    vie.heures("deux", "0.5", piece_ref="BS-8")
    found = vie.constat("temps_mois", une)
    assert (found.statut, found.motif_code) == ("anomalie", "TEMPS_NON_JUSTIFIE")
    assert [(v.nom, v.valeur.replace("\u00a0", " ")) for v in found.valeurs] == [
        ("Cette opération", "60 %"),
        ("Opération deux", "40,33 %"),
    ]


def test_the_same_reference_of_another_employer_is_another_person(vie: Depenses) -> None:
    une = vie.heures("un", "150", piece_ref="BS-7", pieces=[PIECE])
    vie.heures("trois", "150", piece_ref="BS-7", pieces=[PIECE])
    assert vie.constat("temps_mois", une).statut == "conforme"


def test_time_counts_as_it_was_corrected(vie: Depenses) -> None:
    une, deux = vie.heures("un", "90"), vie.heures("deux", "90")
    assert vie.constat("temps_mois", une).statut == "anomalie"
    temps = {
        "methode": "temps_travaille",
        "cout": "3000.00",
        "heures_operation": "60",
        "heures_base": "150",
        "mois": 5,
    }
    corrected = commande(
        CorrigerDepense, detail=DETAIL_SAISI | {"temps": temps, "montant_impute": None}
    )
    vie.acte(actions.corriger_depense, deux, corrected)
    assert vie.constat("temps_mois", une).statut == "conforme"


@pytest.mark.parametrize("faites", ["860", "860.5"])
def test_the_hours_of_the_year_add_up_over_operations(vie: Depenses, faites: str) -> None:
    temps = {
        "methode": "taux_horaire",
        "cout": "43215.60",
        "heures_base": "1720",
        "justificatif": "releve_signe",
    }
    une = vie.declarer("un", temps=temps | {"heures_operation": "860"}, montant_impute=None)
    vie.declarer(
        "deux",
        temps=temps | {"heures_operation": faites},
        montant_impute=None,
        piece_ref="BS-8",
    )
    found = vie.constat("temps_annee", une)
    assert found.statut == ("conforme" if faites == "860" else "anomalie")


def test_the_hours_of_a_day_add_up_over_operations(vie: Depenses) -> None:
    jour = {"methode": "temps_travaille", "cout": "3000.00", "heures_base": "150", "mois": 5}
    jour |= {"jours": [{"jour": "2021-05-03", "heures": "6"}], "justificatif": "releve_signe"}
    une = vie.declarer("un", temps=jour, montant_impute=None)
    assert vie.constat("temps_jour", une).statut == "conforme"
    vie.declarer("deux", temps=jour, montant_impute=None, piece_ref="BS-8")
    found = vie.constat("temps_jour", une)
    assert (found.statut, "03/05/2021" in found.message) == ("anomalie", True)


# The perimeter.


def test_what_another_plie_presents_is_for_who_sees_both(vie: Depenses) -> None:
    une = vie.heures("un", "100")
    vie.heures("deux", "99")
    assert vie.constat("temps_mois", une).statut == "anomalie"
    a = Perimetre(frozenset({"A"}))
    assert vie.constat("temps_mois", une, a).statut == "conforme"
    for test in vie.examinee(une, a).constats:
        assert "deux" not in test.message
        assert "99" not in f"{test.message}{test.valeurs}"


def test_outside_the_perimeter_there_is_nothing(
    vie: Depenses, lecture: Connection[TupleRow]
) -> None:
    une = vie.declarer("un")
    beta = Perimetre(frozenset({"B"}))
    with pytest.raises(DepenseAbsente):
        constats_de_la_depense(lecture, beta, une)
    with pytest.raises(DepenseAbsente):
        constats_de_la_depense(lecture, OI_ENTIER, new_id())
    with pytest.raises(OperationAbsente):
        constats_du_bilan(lecture, beta, vie.id("un"), new_id())


# The bilan.


def test_a_bilan_gives_the_findings_of_its_depenses_in_its_order(
    vie: Depenses, lecture: Connection[TupleRow]
) -> None:
    vie.bilan("un", ["100.00", "200.00", "300.00"])
    [bilan] = vie.convention("un").bilans.values()
    found = constats_du_bilan(lecture, OI_ENTIER, vie.id("un"), bilan.bilan_id)
    assert tuple(e.depense_id for e in found) == bilan.depenses
    assert [e.montant_impute for e in found] == [10_000, 20_000, 30_000]
    assert list(found) == [constats_de_la_depense(lecture, OI_ENTIER, e.depense_id) for e in found]


def test_a_bilan_of_another_operation_is_unknown_here(
    vie: Depenses, lecture: Connection[TupleRow]
) -> None:
    vie.bilan("un")
    [bilan] = vie.convention("un").bilans.values()
    with pytest.raises(BilanInconnu, match=str(bilan.bilan_id)):
        constats_du_bilan(lecture, OI_ENTIER, vie.id("deux"), bilan.bilan_id)


def test_a_bilan_costs_as_many_queries_as_a_depense(
    vie: Depenses, lecture: Connection[TupleRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    vie.bilan("un", [f"{rang}.00" for rang in range(1, 30)])
    [bilan] = vie.convention("un").bilans.values()
    asked: list[Any] = []
    execute = type(lecture.cursor()).execute

    def counted(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(query)
        return execute(self, query, *args, **kwargs)

    monkeypatch.setattr(type(lecture.cursor()), "execute", counted)
    constats_du_bilan(lecture, OI_ENTIER, vie.id("un"), bilan.bilan_id)
    assert 0 < len(asked) <= 8


# The life of the operation.


def test_a_poste_added_by_avenant_is_eligible_from_its_request(vie: Depenses) -> None:
    avant = vie.declarer("un", poste="prestations", date_realisation="2021-12-19")
    assert vie.constat("poste", avant).motif_code == "POSTE_NON_CONVENTIONNE"
    plan = {
        "postes": [
            {"code": "personnel", "montant": "90000.00"},
            {"code": "prestations", "montant": "10000.00"},
        ],
        "fse": "50000.00",
        "ressources": [
            {"type": "publique_epci", "financeur": "EPCI fictif", "montant": "50000.00"}
        ],
    }
    vie.demande_avenant("un", plan=plan)
    vie.avenant_programme("un")
    vie.avenant_signe("un")
    assert vie.constat("poste", avant).statut == "conforme"
    assert vie.constat("avenant", avant).statut == "anomalie"
    apres = vie.declarer(
        "un", poste="prestations", date_realisation="2021-12-20", piece_ref="F-120"
    )
    assert vie.constat("avenant", apres).statut == "conforme"
    d_origine = vie.declarer("un", date_realisation="2021-01-04", piece_ref="BS-2021-01")
    assert vie.constat("avenant", d_origine).statut == "conforme"


def test_what_the_operation_buys_from_one_supplier_adds_up(vie: Depenses) -> None:
    achat = {"poste": "prestations", "tiers_ref": "fournisseur-3", "montant_impute": "600.00"}
    une = vie.declarer("un", piece_ref="F-1", **achat)
    assert vie.constat("mise_en_concurrence", une).statut == "conforme"
    vie.declarer("deux", piece_ref="F-2", **achat)
    assert vie.constat("mise_en_concurrence", une).statut == "conforme"
    vie.declarer("un", piece_ref="F-3", **achat)
    assert vie.constat("mise_en_concurrence", une).statut == "anomalie"


def test_a_regularisation_and_what_it_corrects_are_no_double(vie: Depenses) -> None:
    une = vie.declarer("un")
    reprise = vie.declarer("un", regularise=une, montant_impute="-1000.00")
    assert vie.constat("meme_piece", une).statut == "conforme"
    assert vie.constat("meme_piece", reprise).statut == "conforme"
    found = vie.constat("regularisation", reprise)
    assert (found.statut, "BS-2021-05" in found.message) == ("conforme", True)
