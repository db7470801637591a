"""Destinies that go to their end, happy or not, and those that stop on the way."""

from datetime import date
from uuid import uuid5

from aggregates.contrepartie import affectation
from aggregates.contrepartie.state import CONTREPARTIE
from aggregates.convention import certification, service_fait
from aggregates.operation import execution
from api import actions
from oi_service.demo.chapitres import (
    execute,
    finit,
    paye_apres_controle,
    rend_son_bilan_final,
    rend_un_acompte,
)
from oi_service.demo.depenses import rend_son_bilan
from oi_service.demo.execution import nom_contrepartie
from oi_service.demo.recit import COMPTABLE, RecitDossier, identifiant
from oi_service.demo.reglement import (
    controle_les_lignes,
    entend_le_beneficiaire,
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
from oi_service.money import euros


def va_au_bout(r: RecitDossier) -> None:
    """Everything goes well, but for some dépenses."""
    paye_apres_controle(r)
    finit(r)


def renvoie_son_bilan(r: RecitDossier) -> None:
    """Its final bilan went back once."""
    lot = rend_son_bilan_final(r)
    est_renvoye(r, lot)
    rend_son_bilan(r, lot, "depot-2")
    recoit(r, "solde", est_controle(r, lot, "depot-2"))
    finit(r)


def a_un_paiement_rejete(r: RecitDossier) -> None:
    """The bank sent its solde back, which is paid again."""
    lot = rend_son_bilan_final(r)
    csf_id = est_controle(r, lot)
    recoit(r, "solde", csf_id)
    voit_son_virement_rejete(r, "solde")
    recoit(r, "solde", csf_id, "solde-reemis")
    finit(r)


def voit_son_controle_rouvert(r: RecitDossier) -> None:
    """An audit opens the control again: a part of what was paid comes back, in two times."""
    lot = paye_apres_controle(r)
    r.attend(date(2022, 9, 20))
    r.sur_dossier(
        lot.nom("reouverture"),
        r.controleur,
        actions.rouvrir_csf,
        service_fait.RouvrirCsf,
        uuid5(r.cle(lot.nom("csf-1")), "csf"),
        motif="Contrôle d’opération : deux bulletins de paie non probants",
    )
    r.passe(3)
    csf_id = ouvre_le_controle(r, lot, version=2)
    controle_les_lignes(r, lot, csf_id, version=2, audit=2)
    notifie_ses_conclusions(r, lot, csf_id, version=2)
    entend_le_beneficiaire(r, lot, csf_id, version=2)
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
    rend_un_acompte(r, date(2022, 5, 9))
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
