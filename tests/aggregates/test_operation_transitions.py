"""The order of life of an operation: every act in every state, against the table of the domain."""

from datetime import date
from typing import Any, get_args

import pytest
from dsl import Given
from fabrique import BILAN_ID, CONVENTION_ID, PARCOURS, commande

from aggregates.operation import cloture, depot, execution, instruction, programmation
from aggregates.operation.instruction import ModificationHorsAvenant
from aggregates.operation.state import OPERATION, Operation, Statut
from aggregates.operation.transitions import ActeHorsDeSonOrdre

LE = date(2022, 3, 1)

#: What may follow what: for each act, the states in which it is allowed and where it leads.
#: ``=`` stays where it is. The acts that the domain does not list are ours: rectification during
#: the instruction, indicators, a final bilan sent back.
AVANT_CONVENTION = (
    "depose complement_demande recevable en_instruction instruit_favorable instruit_defavorable "
    "ajourne programme"
)
SOUS_CONVENTION = "conventionne en_execution realisation_terminee bilan_final_depose"
TABLE: dict[str, list[tuple[str, str]]] = {
    "demander_complement": [("depose", "complement_demande")],
    "recevoir_complement": [("complement_demande", "depose")],
    "prononcer_recevabilite": [("depose", "recevable")],
    "prononcer_irrecevabilite": [("depose complement_demande", "irrecevable")],
    "ouvrir_instruction": [("recevable", "en_instruction")],
    "rectifier_dossier": [("en_instruction", "=")],
    "instruire_plan": [("en_instruction", "=")],
    "rapport_favorable": [("en_instruction", "instruit_favorable")],
    "rapport_defavorable": [("en_instruction", "instruit_defavorable")],
    "rendre_avis_plie": [("instruit_favorable instruit_defavorable", "=")],
    "rendre_avis_agd": [("instruit_favorable instruit_defavorable", "=")],
    "programmer": [("instruit_favorable instruit_defavorable ajourne", "programme")],
    "ajourner": [("instruit_favorable instruit_defavorable", "ajourne")],
    "rouvrir_instruction": [("ajourne", "en_instruction")],
    "refuser": [("instruit_favorable instruit_defavorable", "refuse")],
    "retirer": [(AVANT_CONVENTION, "retire")],
    "deprogrammer": [("programme", "deprogramme")],
    "notifier_decision": [("programme", "=")],
    "conventionner": [("programme", "conventionne")],
    "demarrer": [("conventionne", "en_execution")],
    "constater_fin": [("en_execution", "realisation_terminee")],
    "renseigner_indicateur": [("en_execution realisation_terminee bilan_final_depose", "=")],
    "recevoir_bilan_final": [("en_execution realisation_terminee", "bilan_final_depose")],
    "renvoyer_bilan_final": [("bilan_final_depose", "realisation_terminee")],
    "abandonner": [(SOUS_CONVENTION, "abandonne")],
    "resilier": [(SOUS_CONVENTION, "resilie")],
    "solder": [("bilan_final_depose abandonne resilie", "solde")],
    "cloturer": [("solde", "cloture")],
    "archiver": [("cloture", "archive")],
}

#: How each act is asked, so that nothing but the state can refuse it.
ACTES: dict[str, tuple[Any, tuple[Any, ...], dict[str, Any]]] = {
    "demander_complement": (
        depot.demander_complement,
        (commande(depot.DemanderComplement),),
        {},
    ),
    "recevoir_complement": (depot.recevoir_complement, (commande(depot.RecevoirComplement),), {}),
    "prononcer_recevabilite": (
        instruction.prononcer_recevabilite,
        (commande(instruction.PrononcerRecevabilite),),
        {},
    ),
    "prononcer_irrecevabilite": (
        instruction.prononcer_irrecevabilite,
        (commande(instruction.PrononcerIrrecevabilite),),
        {},
    ),
    "ouvrir_instruction": (
        instruction.ouvrir_instruction,
        (commande(instruction.OuvrirInstruction),),
        {},
    ),
    "rectifier_dossier": (
        instruction.rectifier_dossier,
        (commande(instruction.RectifierDossier, objet="Autre objet"),),
        {},
    ),
    "instruire_plan": (
        instruction.instruire_plan,
        (commande(instruction.InstruirePlan), "gestionnaire-1"),
        {},
    ),
    "rapport_favorable": (
        instruction.valider_rapport,
        (commande(instruction.ValiderRapport), "valideur-1"),
        {},
    ),
    "rapport_defavorable": (
        instruction.valider_rapport,
        (commande(instruction.ValiderRapport, avis="defavorable"), "valideur-1"),
        {},
    ),
    "rendre_avis_plie": (
        instruction.rendre_avis_plie,
        (commande(instruction.RendreAvis, instance="Comité de pilotage"),),
        {},
    ),
    "rendre_avis_agd": (
        instruction.rendre_avis_agd,
        (commande(instruction.RendreAvis, instance="DREETS"),),
        {},
    ),
    "programmer": (
        programmation.programmer,
        (commande(programmation.Programmer, motif="Décision motivée"),),
        {},
    ),
    "ajourner": (
        programmation.ajourner,
        (commande(programmation.DeciderSansProgrammer),),
        {},
    ),
    "rouvrir_instruction": (
        instruction.rouvrir_instruction,
        (commande(instruction.RouvrirInstruction),),
        {},
    ),
    "refuser": (programmation.refuser, (commande(programmation.DeciderSansProgrammer),), {}),
    "retirer": (depot.retirer, (commande(depot.RetirerDossier),), {}),
    "deprogrammer": (
        programmation.deprogrammer,
        (commande(programmation.DeciderSansProgrammer),),
        {},
    ),
    "notifier_decision": (
        programmation.notifier_decision,
        (commande(programmation.NotifierDecision),),
        {},
    ),
    "conventionner": (
        execution.conventionner,
        (),
        {"convention_id": CONVENTION_ID, "numero": "C-1", "date_effet": LE},
    ),
    "demarrer": (execution.demarrer, (commande(execution.Demarrer),), {}),
    "constater_fin": (
        execution.constater_fin,
        (commande(execution.ConstaterFin, date_effet="2022-01-01"),),
        {},
    ),
    "renseigner_indicateur": (
        execution.renseigner_indicateur,
        (commande(execution.RenseignerIndicateur),),
        {},
    ),
    "recevoir_bilan_final": (
        execution.recevoir_bilan_final,
        (),
        {"bilan_id": BILAN_ID, "date_effet": LE},
    ),
    "renvoyer_bilan_final": (
        execution.renvoyer_bilan_final,
        (),
        {"bilan_id": BILAN_ID, "date_effet": LE, "motif": "Signature manquante"},
    ),
    "abandonner": (execution.abandonner, (commande(execution.Interrompre),), {}),
    "resilier": (execution.resilier, (commande(execution.Interrompre),), {}),
    "solder": (
        cloture.solder,
        (),
        {"fse_du": 0, "cout_total_retenu": 0, "date_effet": LE},
    ),
    "cloturer": (cloture.cloturer, (commande(cloture.Cloturer),), {}),
    "archiver": (cloture.archiver, (commande(cloture.Archiver),), {}),
}
STATUTS: tuple[Statut, ...] = get_args(Statut)


def expected(acte: str, statut: str) -> str | None:
    for froms, to in TABLE[acte]:
        if statut in froms.split():
            return statut if to == "=" else to
    return None


def test_each_state_is_reached_by_its_life() -> None:
    assert {s: OPERATION.replay(PARCOURS[s]).statut for s in STATUTS} == {s: s for s in STATUTS}  # type: ignore[union-attr]


def test_the_table_names_every_act() -> None:
    assert TABLE.keys() == ACTES.keys()


@pytest.mark.parametrize("acte", ACTES)
@pytest.mark.parametrize("statut", STATUTS)
def test_an_act_comes_at_its_time_or_is_refused(statut: Statut, acte: str) -> None:
    decision, args, named = ACTES[acte]
    asked = Given(OPERATION, PARCOURS[statut]).when(decision, *args, **named)
    arrival = expected(acte, statut)
    if arrival is not None:
        after: Operation = asked.state()
        assert after.statut == arrival
        return
    with pytest.raises((ActeHorsDeSonOrdre, ModificationHorsAvenant)):
        asked.facts()


def test_the_refusal_says_where_the_dossier_stands_and_where_it_should() -> None:
    Given(OPERATION, PARCOURS["depose"]).when(
        programmation.programmer, commande(programmation.Programmer)
    ).refuses(
        ActeHorsDeSonOrdre,
        "Programmer l’opération est impossible : le dossier 202100007 est « déposé », il devrait "
        "être « instruit, avis favorable » ou « instruit, avis défavorable » ou « ajourné ».",
    )
