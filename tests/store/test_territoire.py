"""Whose operations a person may not handle: every act of every command, on the real database."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from dsl import lisible
from fabrique import commande
from vie import Vie

from aggregates.operation.instruction import RendreAvis, rendre_avis_agd, rendre_avis_plie
from aggregates.operation.state import OPERATION
from aggregates.territoire import (
    HorsTerritoire,
    HorsTerritoireEntier,
    OperationDeportee,
    OperationDeSonPlie,
)
from oi_service.application import Acte, Outcome, Service
from oi_service.errors import Refusal
from oi_service.ids import new_id


class Agent(Vie):
    """Plays the acts of one person, whoever they are usually by."""

    def __init__(self, service: Service, acteur: str, role: str, **qui: Any) -> None:
        super().__init__(service)
        self.qui: dict[str, Any] = {"acteur": acteur, "role": role, **qui}

    def acte(self, work: Callable[..., object], *args: object, **_: object) -> Outcome:
        """Execute an action as this person."""
        return self.journal.execute(Acte(**self.qui), lambda unit: work(unit, *args))


@pytest.fixture
def vie(service: Service) -> Vie:
    """Lend one operation of each PLIE, started, with a bilan under control."""
    played = Vie(service)
    played.subvention()
    played.tranche("300000.00", "300000.00")
    played.enveloppe("A", "100000.00")
    played.enveloppe("B", "100000.00")
    played.appel([{"code": "A1", "plie": "A"}, {"code": "B1", "plie": "B"}])
    for plie in ("A", "B"):
        played.jusqu_au_demarrage(plie, fiche=f"{plie}1")
        played.bilan(plie, type="intermediaire")
        played.ouverture_controle(plie)
    played.contrepartie("CP", "100.00", plie_id=None)
    played.depot("neuf", fiche="A1")
    played.instruction("neuf")
    return played


def agent(vie: Vie, service: Service, acteur: str = "gestionnaire-9", **qui: Any) -> Agent:
    """Return somebody else, who knows the same things by the same names."""
    new = Agent(service, acteur, qui.pop("role", "gestionnaire_oi"), **qui)
    new._pieces = vie._pieces
    return new


#: Acts on an operation, its convention, its dépenses, what backs it, what audits it.
ACTES: dict[str, Callable[[Vie, str], object]] = {
    "operation": lambda v, op: v.indicateur(op, "12"),
    "convention": lambda v, op: v.grille(op),
    "depense": lambda v, op: v.depenses(op, ["10.00"]),
    "lines": lambda v, op: v.lignes(op, 1, {v.piece(op, "P-0"): {"montant_ecarte": "0.00"}}),
    "affectation": lambda v, op: v.affectation("CP", op, "10.00"),
    "controle_operation": lambda v, op: v.controle_notifie(f"K-{op}", {op: "100.00"}),
}


def refused(act: Callable[[], object], refusal: type[Refusal], fragment: str) -> None:
    """Expect this refusal, with these words, and nothing written."""
    with pytest.raises(refusal) as info:
        act()
    assert fragment in lisible(info.value)


# --- Employed by the PLIE of the operation -------------------------------------------------------


@pytest.mark.parametrize("nom", ACTES)
def test_who_is_employed_by_a_plie_does_not_handle_its_operations(
    vie: Vie, service: Service, nom: str
) -> None:
    detache = agent(vie, service, detachee_par=frozenset({"A"}))
    refused(
        lambda: ACTES[nom](detache, "A"),
        OperationDeSonPlie,
        "Vous êtes mis à disposition par le PLIE A, qui porte l’opération A : une autre personne",
    )
    ACTES[nom](detache, "B")


def test_a_control_of_several_operations_is_of_each_of_them(vie: Vie, service: Service) -> None:
    detache = agent(vie, service, detachee_par=frozenset({"A"}))
    vie.controle_notifie("K", {"A": "100.00", "B": "100.00"})
    refused(lambda: detache.controle_commence("K"), OperationDeSonPlie, "l’opération A")
    # Neither does the person take the operation out of the control.
    refused(lambda: detache.perimetre_controle("K", {"B": "1.00"}), OperationDeSonPlie, "PLIE A")


# --- Déports -------------------------------------------------------------------------------------


def test_who_stood_back_at_a_committee_does_not_handle_the_operation_any_more(
    vie: Vie, service: Service
) -> None:
    membre = agent(vie, service)
    vie.ajournement("neuf", le=date(2022, 1, 20), deports=["gestionnaire-9", "elu-3"])
    refused(
        lambda: membre.reouverture("neuf"),
        OperationDeportee,
        "Votre déport sur l’opération neuf a été noté par l’instance du 20/01/2022",
    )
    vie.reouverture("neuf")
    vie.instruction("neuf", le=date(2022, 1, 26))
    # The next committee may not name them again: they stay away.
    vie.programmation("neuf", le=date(2022, 1, 27))
    for act in (membre.convention_signee, membre.retrait, membre.deprogrammation):
        refused(lambda act=act: act("neuf", le=date(2022, 1, 28)), OperationDeportee, "20/01/2022")
    vie.conventionnement("neuf", le=date(2022, 1, 28))
    refused(lambda: membre.depenses("neuf", ["1.00"]), OperationDeportee, "l’opération neuf")
    ACTES["operation"](membre, "A")


def test_who_stands_back_does_not_record_the_decision_either(vie: Vie, service: Service) -> None:
    membre = agent(vie, service)
    refused(
        lambda: membre.programmation("neuf", deports=["gestionnaire-9"]),
        OperationDeportee,
        "l’instance du 20/01/2022",
    )
    assert vie.operation("neuf").statut == "instruit_favorable"


@pytest.mark.parametrize("decision", ["programmation", "ajournement", "refus"])
def test_every_decision_of_a_committee_may_record_who_stood_back(vie: Vie, decision: str) -> None:
    getattr(vie, decision)("neuf", deports=["gestionnaire-9"])
    assert vie.operation("neuf").deports["gestionnaire-9"].le == date(2022, 1, 20)
    if decision == "programmation":
        vie.deprogrammation("neuf", deports=["valideur-2"])
        assert vie.operation("neuf").deports["valideur-2"].le == date(2022, 1, 22)


# --- Territory -----------------------------------------------------------------------------------


@pytest.mark.parametrize("nom", ACTES)
def test_a_role_limited_to_a_plie_stays_in_it(vie: Vie, service: Service, nom: str) -> None:
    limite = agent(vie, service, plies=frozenset({"B", "C"}))
    refused(
        lambda: ACTES[nom](limite, "A"),
        HorsTerritoire,
        "Hors de votre territoire : cet acte porte sur le PLIE A, votre rôle se limite à PLIE B, "
        "PLIE C.",
    )
    ACTES[nom](limite, "B")


def test_a_role_limited_to_a_plie_programmes_there_with_the_money_of_its_enveloppe(
    vie: Vie, service: Service
) -> None:
    refused(
        lambda: agent(vie, service, plies=frozenset({"B"})).programmation("neuf"),
        HorsTerritoire,
        "le PLIE A",
    )
    limite = agent(vie, service, plies=frozenset({"A"}))
    limite.programmation("neuf")
    limite.deprogrammation("neuf")
    limite.depot("autre", fiche="A1")
    refused(lambda: limite.depot("ailleurs", fiche="B1"), HorsTerritoire, "le PLIE B")


def test_previsions_are_those_of_ones_own_plie(vie: Vie, service: Service) -> None:
    trimestre = [{"annee": 2022, "trimestre": 1, "montant": "10.00"}]
    directrice = agent(vie, service, role="directeur_plie", plies=frozenset({"A"}))
    directrice.previsions("A", trimestre)
    refused(lambda: directrice.previsions("B", trimestre), HorsTerritoire, "le PLIE B")


def test_what_is_of_the_oi_as_a_whole_is_out_of_every_territory(vie: Vie, service: Service) -> None:
    limite = agent(vie, service, plies=frozenset({"A"}))
    for act in (
        lambda: limite.enveloppe("A", "1.00"),
        lambda: limite.reserve("1.00"),
        lambda: limite.tranche("1.00", os="OS1", annee=2022),
        lambda: limite.objectif("1.00"),
        lambda: limite.appel([{"code": "A9"}], nom="AAP-2", numero="4"),
        lambda: limite.contrepartie("CP-2", "1.00", plie_id=None),
        lambda: limite.perception("CP", "1.00"),
    ):
        refused(act, HorsTerritoireEntier, "engage l’organisme intermédiaire entier")
    limite.contrepartie("CP-A", "1.00", plie_id="A")
    limite.perception("CP-A", "1.00")
    refused(lambda: limite.contrepartie("CP-B", "1.00", plie_id="B"), HorsTerritoire, "PLIE B")


# --- The exception, and what is no person --------------------------------------------------------


def test_the_opinion_of_a_plie_is_that_of_its_director_and_no_other_act(
    vie: Vie, service: Service
) -> None:
    asked = commande(RendreAvis, instance="Comité de pilotage")
    ici = {"plies": frozenset({"A"}), "detachee_par": frozenset({"A"})}
    directeur = agent(vie, service, "directeur-A", role="directeur_plie", **ici)
    neuf = vie.id("neuf")
    refused(
        lambda: directeur.decision(OPERATION, neuf, rendre_avis_agd, asked),
        OperationDeSonPlie,
        "PLIE A",
    )
    directeur.decision(OPERATION, neuf, rendre_avis_plie, asked)
    gestionnaire = agent(vie, service, **ici)
    refused(
        lambda: gestionnaire.decision(OPERATION, neuf, rendre_avis_plie, asked),
        OperationDeSonPlie,
        "PLIE A",
    )
    la_bas = {"plies": frozenset({"B"}), "detachee_par": frozenset({"B"})}
    autre = agent(vie, service, "directeur-B", role="directeur_plie", **la_bas)
    refused(
        lambda: autre.decision(OPERATION, neuf, rendre_avis_plie, asked), HorsTerritoire, "PLIE A"
    )


def test_an_act_accepted_once_keeps_its_answer(vie: Vie, service: Service) -> None:
    cle = new_id()
    membre = agent(vie, service, command_id=cle)
    done = membre.indicateur("A", "12")
    moved = agent(vie, service, command_id=cle, plies=frozenset({"B"}))
    again = moved.indicateur("A", "12")
    assert (again.replayed, again.events) == (True, done.events)


def test_the_name_of_the_service_gives_nobody_its_freedom(vie: Vie, service: Service) -> None:
    """A trial names whoever it likes: what acts for nobody is told by a role that none holds."""
    usurpe = agent(vie, service, acteur="systeme", plies=frozenset({"B"}))
    refused(lambda: ACTES["operation"](usurpe, "A"), HorsTerritoire, "le PLIE A")
