"""A session of the committee: several dossiers decided in one transaction, all or none."""

from uuid import UUID

from aggregates.cadre import Cadre
from aggregates.convention.avenants import AbandonnerAvenant, ProgrammerAvenant
from aggregates.operation import programmation
from aggregates.operation.seance import (
    DecisionDeSeance,
    SeanceDePlusieursSubventions,
    SeanceRefusee,
    TenirSeance,
    exiger_une_decision_par_dossier,
    programmation_de,
    refus_de,
)
from aggregates.operation.state import OPERATION
from api import actions
from oi_service.application import Unit
from oi_service.errors import Forbidden, Refusal


def tenir_seance(unit: Unit, _seance_id: UUID, commande: TenirSeance) -> None:
    """Decide on each dossier in turn; every refusal is told, and any of them undoes the session.

    Each decision counts with those before it: the enveloppe that one takes is not there for the
    next. A territory that is not one's own is not a refusal among others: it ends the act.
    """
    exiger_une_decision_par_dossier(commande)
    visees = unit.find_all(OPERATION, dict.fromkeys(d.operation_id for d in commande.decisions))
    cadre = next((operation.cadre for operation in visees if operation is not None), None)
    refus: list[tuple[int, Refusal]] = []
    for rang, decision in enumerate(commande.decisions):
        try:
            _exiger_du_meme_cadre(unit, decision, cadre)
            _decider(unit, commande, decision)
        except Forbidden:
            raise
        except Refusal as refusal:
            refus.append((rang, refusal))
    if refus:
        raise SeanceRefusee(
            parties=tuple(refus), refusees=len(refus), total=len(commande.decisions)
        )


def _exiger_du_meme_cadre(unit: Unit, decision: DecisionDeSeance, cadre: Cadre | None) -> None:
    """Facts recorded together say one règlement: that of the first dossier."""
    operation = unit.get(OPERATION, decision.operation_id)
    if operation.cadre != cadre:
        raise SeanceDePlusieursSubventions(numero=operation.numero_mdfse)


def _decider(unit: Unit, seance: TenirSeance, decision: DecisionDeSeance) -> None:
    operation_id = decision.operation_id
    match decision.decision, decision.avenant:
        case "programmer", None:
            actions.programmer(unit, operation_id, programmation_de(seance, decision))
        case "programmer", int() as numero:
            examen = ProgrammerAvenant(
                date_effet=seance.date_effet,
                pieces=seance.pieces,
                numero=numero,
                instance=seance.instance,
                pv_ref=seance.pv_ref,
            )
            actions.programmer_avenant(unit, operation_id, examen)
        case _, int() as numero:
            assert decision.motif is not None
            abandon = AbandonnerAvenant(
                date_effet=seance.date_effet,
                pieces=seance.pieces,
                numero=numero,
                motif=decision.motif,
            )
            actions.abandonner_avenant(unit, operation_id, abandon)
        case "ajourner", None:
            unit.execute(
                OPERATION, operation_id, programmation.ajourner, refus_de(seance, decision)
            )
        case _:
            unit.execute(OPERATION, operation_id, programmation.refuser, refus_de(seance, decision))
