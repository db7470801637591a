"""Whole lives of money on the real database: the decisions, the ledger and the enveloppe agree."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from fabrique import commande, euros
from vie import Vie

from aggregates.convention.paiements import OperationNonReglee, PaiementNonAcquitte, SoldeAvantCsf
from aggregates.operation.cloture import Archiver, Cloturer, archiver
from aggregates.operation.state import OPERATION
from aggregates.operation.suites import AucuneSuite, CloreSuites, SuitesEnCours
from api import actions
from oi_service.application import Service
from oi_service.errors import Refusal
from oi_service.verification import verifier
from projections.horloges import horloges
from projections.journal import journal
from projections.perimetre import OI_ENTIER, Perimetre


@pytest.fixture
def vie(service: Service, base: str) -> Iterator[Vie]:
    """Lend a life with two operations of one beneficiary; the books are checked at its end."""
    played = Vie(service)
    played.subvention()
    played.tranche("300000.00", "300000.00")
    played.enveloppe("A", "150000.00")
    played.appel()
    for operation in ("un", "deux"):
        played.jusqu_au_demarrage(operation)
    yield played
    livres_tenus(base)


def livres_tenus(base: str) -> None:
    """Every invariant holds, and what is shown is what decisions replay."""
    ecarts = {c.code: c.ecarts for c in verifier(base) if c.ecarts}
    assert ecarts == {}


def montants(vie: Vie, operation: str) -> dict[str, int]:
    """What the ledger says of an operation, in cents."""
    with vie.reads.connection() as conn:
        row = conn.execute(
            "SELECT fse_paye, fse_retenu_csf, fse_irrecouvrable, fse_programme_ajuste "
            "FROM oi.montants_operation WHERE operation_id = %s",
            (vie.id(operation),),
        ).fetchone()
    assert row is not None
    return dict(zip(("paye", "du", "perdu", "programme"), row, strict=True))


def jusqu_au_controle(vie: Vie, operation: str, **controle: Any) -> None:
    """File the final bilan of an operation, and control it: 40 000,00 € due."""
    vie.bilan(operation)
    vie.controle(operation, **controle)


def test_a_transfer_sent_back_is_paid_again_and_closed(vie: Vie) -> None:
    jusqu_au_controle(vie, "un")
    vie.ordonnancement("un", "40000.00")
    vie.annulation_paiement("un")
    vie.paiement("un", "40000.00")
    assert montants(vie, "un")["paye"] == euros(40_000)
    vie.rejet("un")
    assert montants(vie, "un")["paye"] == 0
    with pytest.raises(OperationNonReglee):
        vie.solde("un")
    vie.ordonnancement("un", "40000.00", le=date(2022, 5, 16), remplace=True)
    vie.virement("un", le=date(2022, 5, 17))
    vie.solde("un")
    with pytest.raises(PaiementNonAcquitte):
        vie.acte(actions.cloturer, vie.id("un"), commande(Cloturer, date_effet=date(2022, 6, 20)))
    vie.cloture("un")
    assert montants(vie, "un") == {
        "paye": euros(40_000),
        "du": euros(40_000),
        "perdu": 0,
        "programme": euros(40_000),
    }


def test_a_transfer_sent_back_after_the_solde_is_paid_again_before_the_closing(
    vie: Vie, base: str
) -> None:
    jusqu_au_controle(vie, "un")
    vie.paiement("un", "40000.00")
    vie.solde("un")
    vie.rejet("un", le=date(2022, 6, 16))
    livres_tenus(base)
    with pytest.raises(OperationNonReglee):
        vie.cloture("un")
    vie.ordonnancement("un", "40000.00", le=date(2022, 6, 17), remplace=True)
    vie.virement("un", le=date(2022, 6, 18))
    vie.cloture("un")
    assert vie.operation("un").statut == "cloture"


def avance_versee(vie: Vie, operation: str) -> None:
    """Pay 15 000,00 € before anything else."""
    vie.ordonnancement(operation, "15000.00", type="avance", le=date(2022, 2, 1))
    vie.virement(operation, le=date(2022, 2, 3))


def trop_percu(vie: Vie, operation: str = "un") -> None:
    """15 000,00 € of avance, 10 000,00 due: 5 000,00 are asked back."""
    avance_versee(vie, operation)
    vie.bilan(operation, ("20000.00",))
    vie.controle(operation)
    vie.ordre_reversement(operation, "5000.00")
    vie.notification_ordre(operation)


def test_two_operations_of_one_beneficiary_compensate(vie: Vie) -> None:
    trop_percu(vie)
    jusqu_au_controle(vie, "deux")
    vie.ordonnancement("deux", "40000.00")
    done = vie.compensation("un", "3000.00", par="deux")
    assert [e.name for e in done.events] == [
        "convention.compensation_operee.v1",
        "convention.compensation_imputee.v1",
    ]
    assert (montants(vie, "un")["paye"], montants(vie, "deux")["paye"]) == (
        euros(12_000),
        euros(3_000),
    )
    vie.virement("deux")
    assert montants(vie, "deux")["paye"] == euros(40_000)
    # Only what was transferred comes back; what is paid again is that.
    vie.rejet("deux")
    assert montants(vie, "deux")["paye"] == euros(3_000)
    vie.ordonnancement("deux", "37000.00", le=date(2022, 5, 16), remplace=True)
    vie.compensation("un", "2000.00", par="deux")
    vie.virement("deux", le=date(2022, 5, 17))
    for operation in ("un", "deux"):
        vie.solde(operation, le=date(2022, 7, 2))
        vie.cloture(operation, le=date(2022, 7, 3))
    assert montants(vie, "un")["paye"] == montants(vie, "un")["du"] == euros(10_000)
    assert montants(vie, "deux")["paye"] == montants(vie, "deux")["du"] == euros(40_000)


def test_a_payment_wholly_compensated_closes_without_any_transfer(vie: Vie) -> None:
    trop_percu(vie)
    vie.bilan("deux", ("10000.00",))
    vie.controle("deux")
    vie.ordonnancement("deux", "5000.00")
    vie.compensation("un", "5000.00", par="deux")
    for operation in ("un", "deux"):
        vie.solde(operation, le=date(2022, 7, 2))
        vie.cloture(operation, le=date(2022, 7, 3))
    assert montants(vie, "deux")["paye"] == euros(5_000)


def test_what_is_lost_is_counted_apart(vie: Vie) -> None:
    trop_percu(vie)
    vie.contestation("un")
    vie.decision_contestation("un")
    vie.encaissement("un", "1500.00")
    vie.irrecouvrable("un", "3500.00")
    vie.retablissement("un", "500.00")
    with pytest.raises(OperationNonReglee):
        vie.solde("un", le=date(2022, 9, 1))
    vie.encaissement("un", "500.00", le=date(2022, 9, 2))
    vie.solde("un", le=date(2022, 9, 3))
    vie.cloture("un", le=date(2022, 9, 4))
    assert montants(vie, "un") == {
        "paye": euros(13_000),
        "du": euros(10_000),
        "perdu": euros(3_000),
        "programme": euros(10_000),
    }


def test_an_audit_after_the_solde_asks_money_back_and_frees_the_enveloppe(
    vie: Vie, base: str
) -> None:
    jusqu_au_controle(vie, "un")
    vie.paiement("un", "40000.00")
    vie.solde("un")
    before = vie.maquette().total.disponible_a_programmer
    vie.reouverture_controle("un", controle_ref="CICC-2022-04")
    livres_tenus(base)
    with pytest.raises(SuitesEnCours):
        vie.cloture("un", le=date(2022, 9, 2))
    clos = commande(CloreSuites, date_effet=date(2022, 9, 2))
    with pytest.raises(SoldeAvantCsf):
        vie.acte(actions.clore_suites, vie.id("un"), clos)
    vie.controle("un", ecarte="10000.00", le=date(2022, 10, 3))
    assert montants(vie, "un")["du"] == euros(35_000)
    livres_tenus(base)
    with pytest.raises(OperationNonReglee):
        vie.acte(actions.clore_suites, vie.id("un"), clos)
    vie.ordre_reversement("un", "5000.00", le=date(2022, 10, 10))
    vie.encaissement("un", "5000.00", le=date(2022, 11, 2))
    assert vie.maquette().total.disponible_a_programmer == before
    vie.suites_closes("un")
    assert vie.maquette().total.disponible_a_programmer == before + euros(5_000)
    assert montants(vie, "un") == {
        "paye": euros(35_000),
        "du": euros(35_000),
        "perdu": 0,
        "programme": euros(35_000),
    }
    with pytest.raises(AucuneSuite):
        vie.suites_closes("un")
    vie.cloture("un", le=date(2022, 12, 2))


def test_more_due_after_the_closing_is_paid_and_taken_from_the_enveloppe(
    vie: Vie, base: str
) -> None:
    jusqu_au_controle(vie, "un", ecarte="10000.00")
    vie.paiement("un", "35000.00")
    vie.solde("un")
    vie.cloture("un")
    before = vie.maquette().total.disponible_a_programmer
    vie.reouverture_controle("un")
    vie.controle("un", le=date(2022, 10, 3))
    vie.paiement("un", "5000.00", le=date(2022, 10, 10))
    livres_tenus(base)
    with pytest.raises(SuitesEnCours):
        vie.archivage("un")
    closed = commande(CloreSuites, date_effet=date(2022, 12, 1))
    with pytest.raises(PaiementNonAcquitte):
        vie.acte(actions.clore_suites, vie.id("un"), closed)
    vie.suites_closes("un")
    assert vie.maquette().total.disponible_a_programmer == before - euros(5_000)
    assert vie.operation("un").soldee_pour == (euros(40_000), euros(80_000))
    asked = commande(Archiver, date_effet=date(2022, 12, 20))
    vie.decision(OPERATION, vie.id("un"), archiver, asked)


def test_each_fact_of_money_has_its_sentence(vie: Vie) -> None:
    trop_percu(vie)
    vie.contestation("un")
    vie.decision_contestation("un")
    vie.irrecouvrable("un", "1000.00")
    vie.retablissement("un", "1000.00")
    jusqu_au_controle(vie, "deux")
    vie.ordonnancement("deux", "40000.00")
    vie.annulation_paiement("deux")
    vie.ordonnancement("deux", "40000.00")
    vie.compensation("un", "5000.00", par="deux", le=date(2022, 8, 1))
    vie.virement("deux")
    vie.acquittement("deux")
    with vie.reads.connection() as conn:
        lues = journal(conn, OI_ENTIER, ordre="asc", limite=500).lignes
    dites = [lu.phrase.replace("\u202f", " ").replace("\u00a0", " ") for lu in lues]
    motif = " Motif : Motif de l’essai."
    part = "dont 5 000,00 € par compensation"
    for attendue in (
        "Ordre de reversement notifié au bénéficiaire.",
        f"Ordre de reversement contesté par le bénéficiaire.{motif}",
        f"Contestation tranchée : l’ordre de reversement est maintenu.{motif}",
        f"Créance irrécouvrable : 1 000,00 € ne reviendront pas (décision DEC-1).{motif}",
        f"Paiement annulé avant son virement : 40 000,00 €.{motif}",
        "Ordre de reversement compensé : 5 000,00 € réglés par un paiement d",
        f"Paiement effectué (solde) : 40 000,00 €, virement VIR-1, {part}.",
        "Paiement acquitté : virement confirmé par la banque (REF-1).",
    ):
        assert any(dite.startswith(attendue) for dite in dites), attendue


# The clocks.


def lues(vie: Vie, le: date) -> list[tuple[str, int, int, date | None, int | None]]:
    """What is shown of the clocks on a day."""
    with vie.reads.connection() as conn:
        found = horloges(conn, OI_ENTIER, le)
    return [(h.numero_mdfse, h.numero, h.jours_consommes, h.echeance, h.alerte) for h in found]


def test_clocks_run_from_the_deposit_to_the_payment(vie: Vie) -> None:
    jusqu_au_controle(vie, "un")
    vie.interruption_delai("un")
    vie.bilan("deux", le=date(2022, 4, 11))
    assert lues(vie, date(2022, 3, 31)) == []
    assert lues(vie, date(2022, 4, 11)) == [
        ("un", 1, 10, date(2022, 6, 30), None),
        ("deux", 1, 0, date(2022, 7, 10), None),
    ]
    # Interrupted on 20 April, after 19 days.
    assert lues(vie, date(2022, 4, 29)) == [
        ("deux", 1, 18, date(2022, 7, 10), None),
        ("un", 1, 19, None, None),
    ]
    vie.reprise_delai("un")
    assert lues(vie, date(2022, 5, 26))[1] == ("un", 1, 45, date(2022, 7, 10), 50)
    vie.paiement("un", "39999.99", le=date(2022, 5, 10))
    assert [ligne[0] for ligne in lues(vie, date(2022, 5, 26))] == ["deux", "un"]
    vie.ordonnancement("un", "0.01", le=date(2022, 5, 20))
    vie.virement("un", le=date(2022, 5, 21))
    assert [ligne[0] for ligne in lues(vie, date(2022, 5, 20))] == ["deux", "un"]
    assert [ligne[0] for ligne in lues(vie, date(2022, 5, 21))] == ["deux"]
    vie.rejet("un", le=date(2022, 5, 23))
    assert [ligne[0] for ligne in lues(vie, date(2022, 5, 22))] == ["deux"]
    assert [ligne[0] for ligne in lues(vie, date(2022, 5, 23))] == ["deux", "un"]


def test_a_bilan_sent_back_or_that_asks_for_nothing_more_has_no_clock(vie: Vie) -> None:
    avance_versee(vie, "un")
    vie.bilan("un", ("20000.00",), type="intermediaire")
    vie.bilan("deux", type="intermediaire")
    assert [ligne[0] for ligne in lues(vie, date(2022, 5, 1))] == ["deux", "un"]
    vie.renvoi("deux")
    assert [ligne[0] for ligne in lues(vie, date(2022, 5, 1))] == ["un"]
    # 10 000,00 € are due, the avance paid them.
    vie.controle("un")
    assert [ligne[0] for ligne in lues(vie, date(2022, 5, 1))] == ["un"]
    assert lues(vie, date(2022, 5, 2)) == []


def test_a_compensation_stops_a_clock(vie: Vie) -> None:
    trop_percu(vie)
    vie.bilan("deux", ("10000.00",))
    vie.controle("deux")
    vie.ordonnancement("deux", "5000.00")
    assert [ligne[0] for ligne in lues(vie, date(2022, 6, 30))] == ["deux"]
    vie.compensation("un", "5000.00", par="deux")
    assert lues(vie, date(2022, 7, 1)) == []


def test_a_reader_sees_the_clocks_of_the_perimeter(vie: Vie) -> None:
    vie.bilan("un")
    with vie.reads.connection() as conn:
        assert horloges(conn, Perimetre(frozenset(["B"])), date(2022, 5, 1)) == ()
        [seen] = horloges(conn, Perimetre(frozenset(["A"])), date(2022, 5, 1))
    assert (seen.delai_jours, seen.interrompue, seen.cause_libelle) == (90, False, None)
    vie.interruption_delai("un")
    with vie.reads.connection() as conn:
        [seen] = horloges(conn, OI_ENTIER, date(2022, 5, 1))
    assert (seen.interrompue, seen.cause_libelle) == (True, "pièce manquante")


def test_refusals_leave_nothing_behind(vie: Vie) -> None:
    trop_percu(vie)
    before = vie.convention("deux"), vie.convention("un")
    jusqu_au_controle(vie, "deux")
    vie.ordonnancement("deux", "2000.00")
    with pytest.raises(Refusal):
        vie.compensation("un", "2000.01", par="deux")
    assert vie.convention("un") == before[1]
    assert vie.convention("deux").paye == before[0].paye == 0
