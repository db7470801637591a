"""Populations along the life of a dossier: what is declared, kept, sent, known at a position."""

from datetime import date
from typing import Any

import pytest
from fabrique import commande
from vie import Vie

from aggregates.audit.events import DefinitionPopulation, MontantAudite
from aggregates.convention import certification as ce
from aggregates.convention.state import CONVENTION
from oi_service.application import Outcome, Service
from oi_service.ids import convention_of
from oi_service.money import euros
from projections.populations import PositionAVenir, derniere_position, exiger_passee, population


class Dossier:
    """A dossier with two bilans, and what each population of it holds."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.vie = vie = Vie(service)
        vie.subvention()
        vie.tranche("500000.00", "500000.00")
        vie.enveloppe("A", "100000.00")
        vie.appel([{"code": "A1", "plie": "A"}])
        vie.jusqu_au_demarrage(
            "OP-1",
            convention={
                "bilans_prevus": [
                    {"numero": 1, "type": "intermediaire", "date_limite": "2022-03-31"},
                    {"numero": 2, "type": "final", "date_limite": "2022-06-30"},
                ]
            },
        )

    def bilan(self, numero: int, **montants: str) -> None:
        lignes = [{"piece_ref": piece, "montant_impute": m} for piece, m in montants.items()]
        type_ = "intermediaire" if numero == 1 else "final"
        self.vie.bilan("OP-1", lignes, numero=numero, type=type_)

    def transmettre(self, etat_no: str) -> Outcome:
        asked = commande(
            ce.TransmettreEtat,
            date_effet=date(2022, 10, 1),
            etat_no=etat_no,
            fse="1.00",
            cout_total="2.00",
        )
        operation = self.vie.id("OP-1")
        return self.vie.decision(CONVENTION, convention_of(operation), ce.transmettre, asked)

    @property
    def position(self) -> int:
        with self.service.reads.connection() as conn:
            return derniere_position(conn)

    def lire(
        self, montant: MontantAudite = "retenu", position: int | None = None, **definition: Any
    ) -> dict[str, str]:
        """Return the euros of each dépense of a population, by the name of its piece."""
        definie = DefinitionPopulation(**{"portee": "toutes"} | definition)
        noms = {str(self.vie.piece("OP-1", nom)): nom for nom in ("D1", "D2", "D3", "D4")}
        with self.service.reads.connection() as conn:
            lue = population(
                conn, self.vie.id("SG"), definie, montant, position or derniere_position(conn)
            )
        assert [u.id for u in lue] == sorted(u.id for u in lue)
        return dict(sorted((noms[u.id], euros(u.montant)) for u in lue))


@pytest.fixture
def dossier(service: Service) -> Dossier:
    """Return a dossier whose first bilan was controlled and sent, and the second controlled."""
    found = Dossier(service)
    found.bilan(1, D1="20000.00", D2="10000.00")
    found.vie.controle(
        "OP-1", 1, ecarts={"D1": {"montant_ecarte": "500.00", "motif_code": "PIECE_ABSENTE"}}
    )
    found.transmettre("ED-1")
    found.bilan(2, D3="8000.00", D4="4000.00")
    found.vie.controle(
        "OP-1", 2, ecarts={"D4": {"montant_ecarte": "4000.00", "motif_code": "PIECE_ABSENTE"}}
    )
    found.transmettre("ED-2")
    return found


TOUT = {"D1": "19500.00", "D2": "10000.00", "D3": "8000.00", "D4": "0.00"}


def test_what_is_declared_and_what_is_kept_are_two_populations(dossier: Dossier) -> None:
    assert dossier.lire() == TOUT
    assert dossier.lire("declare") == {
        "D1": "20000.00",
        "D2": "10000.00",
        "D3": "8000.00",
        "D4": "4000.00",
    }


def test_a_statement_holds_what_was_controlled_since_the_one_before(dossier: Dossier) -> None:
    def etat(numero: str, **sinon: Any) -> dict[str, str]:
        return dossier.lire(portee="etat_depenses", etat_no=numero, **sinon)

    assert etat("ED-1") == {"D1": "19500.00", "D2": "10000.00"}
    assert etat("ED-2") == {"D3": "8000.00", "D4": "0.00"}
    assert etat("ED-3") == {}
    assert etat("ED-2", montant="declare") == {"D3": "8000.00", "D4": "4000.00"}
    # As the log was before the second one was sent, nothing is in it.
    assert etat("ED-2", position=dossier.position - 1) == {}
    assert etat("ED-1", position=dossier.position - 1) == {"D1": "19500.00", "D2": "10000.00"}


def test_a_control_taken_up_again_counts_once_it_is_validated(dossier: Dossier) -> None:
    dossier.vie.reouverture_controle("OP-1", 2, motif="Contrôle d’opération")
    dossier.vie.ouverture_controle("OP-1", 2, le=date(2022, 9, 2))
    d3 = dossier.vie.piece("OP-1", "D3")
    decision = {"montant_ecarte": "3000.00", "motif_code": "CORRECTION_AUDIT"}
    dossier.vie.lignes("OP-1", 2, {d3: decision}, le=date(2022, 9, 3))
    assert dossier.lire() == TOUT
    avant = dossier.position
    dossier.vie.fin_du_controle("OP-1", 2, le=date(2022, 9, 10))
    assert dossier.lire() == TOUT | {"D3": "5000.00"}
    # Its first control is what puts it in a statement.
    assert dossier.lire(portee="etat_depenses", etat_no="ED-2")["D3"] == "5000.00"
    assert dossier.lire(position=avant) == TOUT


def test_a_population_is_frozen_at_a_position_that_the_log_has(dossier: Dossier) -> None:
    with dossier.service.reads.connection() as conn:
        assert exiger_passee(conn, None) == dossier.position
        assert exiger_passee(conn, dossier.position) == dossier.position
        for position in (0, dossier.position + 1):
            with pytest.raises(
                PositionAVenir, match=f"s’arrête à l’événement n° {dossier.position}"
            ):
                exiger_passee(conn, position)
