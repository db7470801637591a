"""Destinies without a convention: dossiers that stop before it, or that are on their way to it."""

from aggregates.operation import depot, instruction
from api import actions
from oi_service.demo.instruction import (
    arrive_au_comite,
    demande_un_complement,
    depose,
    est_juge_recevable,
    est_programme,
    est_retenu,
    ouvre_l_instruction,
    sans_programmer,
)
from oi_service.demo.instruction import est_deprogramme as deprogramme
from oi_service.demo.recit import RecitDossier


def est_irrecevable(r: RecitDossier) -> None:
    """Rejected on its form."""
    depose(r)
    r.passe(4)
    r.sur_operation(
        "irrecevabilite",
        r.gestionnaire,
        instruction.prononcer_irrecevabilite,
        instruction.PrononcerIrrecevabilite,
        motif="Pièces manquantes : attestation de cofinancement",
    )


def se_retire(r: RecitDossier) -> None:
    """Withdrawn during the instruction."""
    depose(r)
    est_juge_recevable(r)
    ouvre_l_instruction(r)
    _retire(r, "Le bénéficiaire renonce, faute de cofinancement")


def se_retire_programme(r: RecitDossier) -> None:
    """Withdrawn although it was awarded."""
    est_retenu(r)
    r.passe(7)
    _retire(r, "Le bénéficiaire renonce avant la convention")


def _retire(r: RecitDossier, motif: str) -> None:
    r.sur_dossier(
        "retrait", r.gestionnaire, actions.retirer_dossier, depot.RetirerDossier, motif=motif
    )


def est_refuse(r: RecitDossier) -> None:
    """Refused by the board."""
    arrive_au_comite(r)
    sans_programmer(r, "refus", "L’action double une offre existante")


def est_ajourne(r: RecitDossier) -> None:
    """Adjourned, and still waiting."""
    arrive_au_comite(r)
    sans_programmer(r, "ajournement", "Le budget du personnel est à justifier")


def est_deprogramme(r: RecitDossier) -> None:
    """Awarded, then cancelled before the convention."""
    est_retenu(r)
    deprogramme(r, "Le cofinancement annoncé n’est pas confirmé")


def vient_de_deposer(r: RecitDossier) -> None:
    """Deposited on the last day."""
    depose(r)


def attend_un_complement(r: RecitDossier) -> None:
    """Incomplete."""
    depose(r)
    demande_un_complement(r)


def attend_son_instruction(r: RecitDossier) -> None:
    """Complete, nobody has opened it yet."""
    depose(r)
    est_juge_recevable(r)


def attend_son_rapport(r: RecitDossier) -> None:
    """Under analysis."""
    attend_son_instruction(r)
    ouvre_l_instruction(r)


def attend_le_comite(r: RecitDossier) -> None:
    """Its report is validated, for or against."""
    arrive_au_comite(r)


def attend_sa_convention(r: RecitDossier) -> None:
    """Awarded."""
    arrive_au_comite(r)
    est_programme(r)
