"""Destinies under way: the operations that make the maquette alive, with or without an avenant."""

from datetime import date

from aggregates.convention import avenants
from api import actions
from oi_service.demo.chapitres import (
    depose_son_bilan_final,
    execute,
    rend_son_bilan_final,
    rend_un_acompte_2022,
)
from oi_service.demo.controle import (
    conclut,
    constate,
    est_controle,
    notifie_ses_conclusions,
    ouvre_le_controle,
    propose,
)
from oi_service.demo.depenses import declare, lots
from oi_service.demo.enveloppes import HAUSSE
from oi_service.demo.execution import (
    constate_la_fin,
    demande_un_avenant,
    ordonnance,
    reste,
    signe_sa_convention,
    signe_son_avenant,
)
from oi_service.demo.instruction import est_retenu
from oi_service.demo.recit import RecitDossier


def attend_son_demarrage(r: RecitDossier) -> None:
    """Under convention."""
    est_retenu(r)
    signe_sa_convention(r)


def tarde_a_rendre_son_bilan(r: RecitDossier) -> None:
    """Its period is over, its dépenses are declared, its bilan is late."""
    execute(r)
    r.attend(date(2022, 6, 20))
    (lot,) = lots(r)
    declare(r, lot)
    constate_la_fin(r)


def attend_son_controle(r: RecitDossier) -> None:
    """Its final bilan is in."""
    depose_son_bilan_final(r)


def attend_sa_validation(r: RecitDossier) -> None:
    """Its control is done and proposed: the valideur has not looked at it yet."""
    lot = rend_son_bilan_final(r)
    r.attend(date(2022, 11, 7))
    csf_id = ouvre_le_controle(r, lot)
    conclut(r, lot, csf_id)
    propose(r, lot, csf_id)


def discute_son_controle(r: RecitDossier) -> None:
    """The intermediate conclusions are notified, the beneficiary has not answered."""
    lot = rend_son_bilan_final(r)
    r.attend(date(2022, 11, 14))
    csf_id = ouvre_le_controle(r, lot)
    constate(r, lot, csf_id)
    notifie_ses_conclusions(r, lot, csf_id)


def attend_son_solde(r: RecitDossier) -> None:
    """The control is validated, the solde is ordered, the transfer has not left."""
    lot = rend_son_bilan_final(r)
    r.attend(date(2022, 10, 10))
    csf_id = est_controle(r, lot)
    r.attend(date(2022, 12, 12))
    ordonnance(r, "solde", "solde", r.lu(reste("solde")), csf_id)


def augmente_son_plan(r: RecitDossier) -> None:
    """An avenant raises its plan; the enveloppe holds the difference."""
    rend_un_acompte_2022(r)
    demande_un_avenant(
        r, "Un poste de plus sur l’opération", plan=r.plan.a_l_echelle(HAUSSE).saisie()
    )
    signe_son_avenant(r)


def reduit_son_plan(r: RecitDossier) -> None:
    """An avenant lowers its plan; the enveloppe gets the difference back."""
    rend_un_acompte_2022(r)
    demande_un_avenant(r, "Un départ non remplacé", plan=r.plan.a_l_echelle(880).saisie())
    signe_son_avenant(r)


def prolonge_sa_periode(r: RecitDossier) -> None:
    """An avenant moves its end."""
    rend_un_acompte_2022(r)
    periode = {"debut": "2022-01-01", "fin": "2023-09-30"}
    demande_un_avenant(r, "Démarrage tardif de l’action", periode=periode)
    signe_son_avenant(r)


def renonce_a_son_avenant(r: RecitDossier) -> None:
    """An avenant is asked for, then given up."""
    execute(r)
    demande_un_avenant(r, "Objet à préciser", objet="Accompagnement renforcé")
    r.passe(9)
    r.sur_dossier(
        "avenant/abandon",
        r.gestionnaire,
        actions.abandonner_avenant,
        avenants.AbandonnerAvenant,
        numero=1,
        motif="La précision ne change pas l’objet",
    )


def attend_son_avenant(r: RecitDossier) -> None:
    """An avenant is asked for."""
    execute(r)
    r.attend(date(2022, 12, 1))
    demande_un_avenant(r, "Objet à élargir", objet="Coordination élargie à deux communes")
