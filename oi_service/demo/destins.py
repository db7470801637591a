"""What becomes of a dossier: one function per kind of destiny, told in chapters."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import uuid5

from aggregates.contrepartie import affectation
from aggregates.contrepartie.state import CONTREPARTIE
from aggregates.convention import avenants, certification, service_fait
from aggregates.operation import depot, execution, instruction
from api import actions
from oi_service.demo.execution import (
    constate_la_fin,
    declare,
    demande_un_avenant,
    demarre,
    lots,
    nom_contrepartie,
    ordonnance,
    rend_son_bilan,
    signe_sa_convention,
    signe_son_avenant,
)
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
from oi_service.demo.recit import COMPTABLE, Lot, RecitDossier, identifiant
from oi_service.demo.reglement import (
    controle_les_lignes,
    est_archive,
    est_certifie,
    est_cloture,
    est_controle,
    est_renvoye,
    est_solde,
    notifie_ses_conclusions,
    ouvre_le_controle,
    recoit,
    rend,
    valide,
    voit_son_virement_rejete,
)
from oi_service.demo.reglement import entend_le_beneficiaire as entend
from oi_service.money import euros

# Stories of the dossiers that get no convention.


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


# Stories that are not over: the maquette is alive.


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


def attend_son_demarrage(r: RecitDossier) -> None:
    """Under convention."""
    est_retenu(r)
    signe_sa_convention(r)


def execute(r: RecitDossier) -> None:
    """Started, with its avance; nothing declared yet."""
    est_retenu(r)
    signe_sa_convention(r)
    demarre(r)


def tarde_a_rendre_son_bilan(r: RecitDossier) -> None:
    """Its period is over, its dépenses are declared, its bilan is late."""
    execute(r)
    r.attend(date(2022, 6, 20))
    (lot,) = lots(r)
    declare(r, lot)
    constate_la_fin(r)


def attend_son_controle(r: RecitDossier) -> None:
    """Its final bilan is in."""
    _rend_son_bilan_final(r)


def est_en_cours_de_controle(r: RecitDossier) -> None:
    """Every line is decided, the validation waits."""
    lot = _rend_son_bilan_final(r)
    r.attend(date(2022, 11, 7))
    controle_les_lignes(r, lot, ouvre_le_controle(r, lot))


def discute_son_controle(r: RecitDossier) -> None:
    """The intermediate conclusions are notified, the beneficiary has not answered."""
    lot = _rend_son_bilan_final(r)
    r.attend(date(2022, 11, 14))
    csf_id = ouvre_le_controle(r, lot)
    controle_les_lignes(r, lot, csf_id)
    notifie_ses_conclusions(r, lot, csf_id)


def attend_son_solde(r: RecitDossier) -> None:
    """The control is validated, the solde is ordered, the transfer has not left."""
    lot = _rend_son_bilan_final(r)
    r.attend(date(2022, 10, 10))
    csf_id = est_controle(r, lot)
    r.attend(date(2022, 12, 12))
    ordonnance(r, "solde", "solde", r.lu(lambda c: c.fse_du - c.engage), csf_id)


# Stories that go to their end.


def va_au_bout(r: RecitDossier) -> None:
    """Everything goes well, but for some dépenses."""
    _paye_apres_controle(r)
    finit(r)


def renvoie_son_bilan(r: RecitDossier) -> None:
    """Its final bilan went back once."""
    lot = _rend_son_bilan_final(r)
    est_renvoye(r, lot)
    rend_son_bilan(r, lot, "depot-2")
    recoit(r, "solde", est_controle(r, lot, "depot-2"))
    finit(r)


def a_un_paiement_rejete(r: RecitDossier) -> None:
    """The bank sent its solde back, which is paid again."""
    lot = _rend_son_bilan_final(r)
    csf_id = est_controle(r, lot)
    recoit(r, "solde", csf_id)
    voit_son_virement_rejete(r, "solde")
    recoit(r, "solde", csf_id, "solde-reemis")
    finit(r)


def voit_son_controle_rouvert(r: RecitDossier) -> None:
    """An audit opens the control again: a part of what was paid comes back, in two times."""
    lot = _paye_apres_controle(r)
    r.attend(date(2022, 9, 20))
    r.sur_convention(
        lot.nom("reouverture"),
        r.controleur,
        service_fait.rouvrir_csf,
        service_fait.RouvrirCsf,
        uuid5(r.cle(lot.nom("csf-1")), "csf"),
        motif="Contrôle d’opération : deux bulletins de paie non probants",
    )
    r.passe(3)
    csf_id = ouvre_le_controle(r, lot, version=2)
    controle_les_lignes(r, lot, csf_id, version=2, audit=2)
    notifie_ses_conclusions(r, lot, csf_id, version=2)
    entend(r, lot, csf_id, version=2)
    valide(r, lot, csf_id, version=2)
    rend(r, "Indu constaté par la seconde version du contrôle", en=2, encaisse=2)
    finit(r)


def subit_un_retrait(r: RecitDossier) -> None:
    """The State withdraws a part of what it had certified."""
    va_au_bout(r)
    r.passe(5)
    r.sur_convention(
        "retrait-certification",
        COMPTABLE,
        certification.retirer,
        certification.EnregistrerRetrait,
        appel_de_fonds_no="AF-2022-12",
        exercice_comptable="2022-2023",
        fse=r.lu(lambda c: c.fse_certifie // 14),
        cout_total=r.lu(lambda c: c.cout_total_certifie // 14),
        motif="Retrait provisoire, contrôle d’opération annoncé",
    )


def abandonne(r: RecitDossier) -> None:
    """Abandoned after the convention: the avance comes back, the contreparties are free again."""
    execute(r)
    _abandonne(r, date(2022, 6, 7))
    type_, montant = next(iter(r.plan.externes.items()))
    contrepartie = identifiant(r.graine, nom_contrepartie(r.dossier.annee, r.dossier.plie, type_))
    r.decide(
        f"affectation/{type_}/annulation",
        r.gestionnaire,
        CONTREPARTIE,
        contrepartie,
        affectation.annuler_affectation,
        affectation.AnnulerAffectation,
        operation_id=r.operation,
        montant=euros(montant),
        motif="Opération abandonnée",
    )
    rend(r, "Avance sans objet : opération abandonnée")
    est_solde(r)


def abandonne_sans_rendre(r: RecitDossier) -> None:
    """Abandoned; a part of the avance is still to come back."""
    execute(r)
    _abandonne(r, date(2022, 9, 12))
    rend(r, "Avance sans objet : opération abandonnée", en=3, encaisse=1)


def _abandonne(r: RecitDossier, jour: date) -> None:
    r.attend(jour)
    r.sur_operation(
        "abandon",
        r.gestionnaire,
        execution.abandonner,
        execution.Interrompre,
        motif="Le bénéficiaire renonce à l’opération",
    )


def est_resilie(r: RecitDossier) -> None:
    """Terminated after its intermediate bilan: what was controlled stays due, and paid."""
    execute(r)
    _rend_un_acompte(r, date(2022, 5, 9))
    _resilie(r, date(2022, 9, 5))
    est_solde(r)


def est_resilie_sans_rendre(r: RecitDossier) -> None:
    """Terminated; the avance has not been asked back yet."""
    execute(r)
    _resilie(r, date(2022, 11, 28))


def _resilie(r: RecitDossier, jour: date) -> None:
    r.attend(jour)
    r.sur_operation(
        "resiliation",
        r.gestionnaire,
        execution.resilier,
        execution.Interrompre,
        motif="Sans réponse deux mois après la relance",
    )


# Stories of avenants, all under way.


def augmente_son_plan(r: RecitDossier) -> None:
    """An avenant raises its plan; the enveloppe holds the difference."""
    _rend_un_acompte_2022(r)
    demande_un_avenant(
        r, "Un poste de plus sur l’opération", plan=r.plan.a_l_echelle(HAUSSE).saisie()
    )
    signe_son_avenant(r)


def reduit_son_plan(r: RecitDossier) -> None:
    """An avenant lowers its plan; the enveloppe gets the difference back."""
    _rend_un_acompte_2022(r)
    demande_un_avenant(r, "Un départ non remplacé", plan=r.plan.a_l_echelle(880).saisie())
    signe_son_avenant(r)


def prolonge_sa_periode(r: RecitDossier) -> None:
    """An avenant moves its end."""
    _rend_un_acompte_2022(r)
    periode = {"debut": "2022-01-01", "fin": "2023-09-30"}
    demande_un_avenant(r, "Démarrage tardif de l’action", periode=periode)
    signe_son_avenant(r)


def renonce_a_son_avenant(r: RecitDossier) -> None:
    """An avenant is asked for, then given up."""
    execute(r)
    demande_un_avenant(r, "Objet à préciser", objet="Accompagnement renforcé")
    r.passe(9)
    r.sur_convention(
        "avenant/abandon",
        r.gestionnaire,
        avenants.abandonner_avenant,
        avenants.AbandonnerAvenant,
        numero=1,
        motif="La précision ne change pas l’objet",
    )


def attend_son_avenant(r: RecitDossier) -> None:
    """An avenant is asked for."""
    execute(r)
    r.attend(date(2022, 12, 1))
    demande_un_avenant(r, "Objet à élargir", objet="Coordination élargie à deux communes")


#: What the avenant that goes up asks for, in thousandths of the plan.
HAUSSE = 1_110


# Chapters that several stories share.


def _rend_son_bilan_final(r: RecitDossier) -> Lot:
    """Everything up to the final bilan, with its intermediate one if there is one."""
    execute(r)
    *intermediaires, final = lots(r)
    if intermediaires:
        _rend_un_acompte(r, date(2022, 5, 9))
    r.attend(date(2022, 5, 9) + timedelta(days=r.dossier.rang % 20))
    declare(r, final)
    constate_la_fin(r)
    r.passe(6)
    rend_son_bilan(r, final)
    return final


def _rend_un_acompte(r: RecitDossier, jour: date) -> None:
    """An intermediate bilan, its control, and what it founds."""
    lot = lots(r)[0]
    r.attend(jour)
    declare(r, lot)
    r.passe(2)
    rend_son_bilan(r, lot)
    recoit(r, "acompte", est_controle(r, lot))


def _rend_un_acompte_2022(r: RecitDossier) -> None:
    execute(r)
    _rend_un_acompte(r, date(2022, 8, 30))


def _paye_apres_controle(r: RecitDossier) -> Lot:
    lot = _rend_son_bilan_final(r)
    recoit(r, "solde", est_controle(r, lot))
    return lot


def finit(r: RecitDossier) -> None:
    """Settle, send to the State, close, archive: as far as the table says."""
    est_solde(r)
    if r.dossier.avec("soldee"):
        return
    est_certifie(r)
    est_cloture(r)
    if not r.dossier.avec("cloturee"):
        est_archive(r)


DESTINS: dict[str, Callable[[RecitDossier], None]] = {
    destin.__name__: destin
    for destin in (
        est_irrecevable,
        se_retire,
        se_retire_programme,
        est_refuse,
        est_ajourne,
        est_deprogramme,
        vient_de_deposer,
        attend_un_complement,
        attend_son_instruction,
        attend_son_rapport,
        attend_le_comite,
        attend_sa_convention,
        attend_son_demarrage,
        execute,
        tarde_a_rendre_son_bilan,
        attend_son_controle,
        est_en_cours_de_controle,
        discute_son_controle,
        attend_son_solde,
        va_au_bout,
        renvoie_son_bilan,
        a_un_paiement_rejete,
        voit_son_controle_rouvert,
        subit_un_retrait,
        abandonne,
        abandonne_sans_rendre,
        est_resilie,
        est_resilie_sans_rendre,
        augmente_son_plan,
        reduit_son_plan,
        prolonge_sa_periode,
        renonce_a_son_avenant,
        attend_son_avenant,
    )
}
