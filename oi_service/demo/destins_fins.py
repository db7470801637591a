"""Destinies that go to their end, happy or not, and those that stop on the way."""

from datetime import date
from uuid import uuid5

from aggregates.contrepartie import affectation
from aggregates.contrepartie.state import CONTREPARTIE
from aggregates.convention import certification, cloture_office, service_fait
from aggregates.operation import execution, suites
from api import actions
from oi_service.demo.chapitres import (
    depose_son_bilan_final,
    execute,
    finit,
    paye_apres_controle,
    rend_son_bilan_final,
    rend_un_acompte,
)
from oi_service.demo.controle import (
    ecarte_apres_audit,
    entend_le_beneficiaire,
    est_controle,
    est_renvoye,
    est_valide,
    notifie_ses_conclusions,
    ouvre_le_controle,
)
from oi_service.demo.depenses import rend_son_bilan
from oi_service.demo.distribution import dossiers
from oi_service.demo.execution import (
    acquitte,
    constate_la_fin,
    nom_contrepartie,
    ordonnance,
    paie,
    reste,
    vire,
)
from oi_service.demo.recit import (
    COMPTABLE,
    Lot,
    RecitDossier,
    identifiant,
    ne_de,
)
from oi_service.demo.reglement import (
    ETE,
    conteste,
    corrige_son_ordre,
    est_certifie,
    est_cloture,
    est_compense,
    est_perdu,
    est_solde,
    indu,
    reclame,
    recoit,
    rend,
    voit_son_virement_rejete,
)
from oi_service.money import euros

#: A beneficiary owes on one operation and is paid on another: between these two days.
ORDRE_COMPENSABLE = date(2022, 11, 7)
COMPENSATION = date(2022, 11, 9)
SANS_REPONSE = "Sans réponse deux mois après la relance"


def va_au_bout(r: RecitDossier) -> None:
    """Everything goes well, but for some dépenses."""
    paye_apres_controle(r)
    finit(r)


def renvoie_son_bilan(r: RecitDossier) -> None:
    """Its final bilan went back once."""
    lot = depose_son_bilan_final(r)
    est_renvoye(r, lot)
    rend_son_bilan(r, lot, "depot-2")
    recoit(r, "solde", est_controle(r, lot, "depot-2"))
    finit(r)


def a_un_paiement_rejete(r: RecitDossier) -> None:
    """The bank sent its solde back, which is paid again."""
    lot = rend_son_bilan_final(r)
    csf_id = est_controle(r, lot)
    r.passe(5)
    paie(r, "solde", "solde", r.lu(reste("solde")), csf_id)
    voit_son_virement_rejete(r, "solde", csf_id)
    finit(r)


def voit_son_controle_rouvert(r: RecitDossier) -> None:
    """The control is opened again before the solde: a part of what was paid is owed back.

    The first order is wrong and cancelled; the second is settled by what the beneficiary is due on
    another operation.
    """
    lot = paye_apres_controle(r)
    r.attend(date(2022, 9, 20))
    _rouvre(r, lot, "Contrôle d’opération : deux bulletins de paie non probants")
    motif = "Indu constaté par la seconde version du contrôle"
    reclame(r, motif, nom="reversement-errone", montant=lambda c: indu(c) // 2)
    corrige_son_ordre(r)
    reclame(r, motif)
    r.attend(COMPENSATION)
    autre = next(d for d in dossiers() if d.destin == "paie_pour_une_autre").numero_mdfse
    est_compense(r, identifiant(r.graine, autre), ne_de(r.graine, f"{autre}/solde", "paiement"))
    finit(r)


def paie_pour_une_autre(r: RecitDossier) -> None:
    """Its solde settles what its beneficiary owes on another operation; the rest is transferred."""
    lot = rend_son_bilan_final(r)
    csf_id = est_controle(r, lot)
    r.attend(ORDRE_COMPENSABLE)
    ordonnance(r, "solde", "solde", r.lu(reste("solde")), csf_id)
    r.attend(COMPENSATION)
    r.passe(2)
    vire(r, "solde")
    acquitte(r, "solde")
    finit(r)


def _rouvre(r: RecitDossier, lot: Lot, motif: str, controle_ref: str | None = None) -> None:
    """A validated control is taken up again, and rejects two payslips more."""
    r.sur_dossier(
        lot.nom("reouverture"),
        r.controleur,
        actions.rouvrir_csf,
        service_fait.RouvrirCsf,
        uuid5(r.cle(lot.nom("csf-1")), "csf"),
        motif=motif,
        controle_ref=controle_ref,
    )
    r.passe(3)
    csf_id = ouvre_le_controle(r, lot, version=2)
    ecarte_apres_audit(r, lot, csf_id, 2)
    notifie_ses_conclusions(r, lot, csf_id, version=2)
    entend_le_beneficiaire(r, lot, csf_id, version=2)
    est_valide(r, lot, csf_id, version=2)


def subit_un_audit(r: RecitDossier) -> None:
    """Settled, certified and closed; an audit then takes a part back, and the suites are closed."""
    lot = paye_apres_controle(r)
    est_solde(r)
    est_certifie(r, ETE)
    est_cloture(r)
    r.attend(date(2022, 9, 26))
    _rouvre(r, lot, "Contrôle d’opération, rapport définitif", "AUDIT-FICTIF-2022-7")
    reclame(r, "Correction prononcée par l’audit")
    rend(r, en=2, encaisse=2)
    r.passe(3)
    r.sur_dossier("suites-closes", r.gestionnaire, actions.clore_suites, suites.CloreSuites)
    r.passe(3)
    r.sur_convention(
        "retrait-certification",
        COMPTABLE,
        certification.retirer,
        certification.EnregistrerRetrait,
        appel_de_fonds_no="AF-2022-12",
        exercice_comptable="2022-2023",
        fse=r.lu(lambda c: c.fse_certifie - c.fse_du),
        cout_total=r.lu(lambda c: c.cout_total_certifie - c.cout_total_retenu),
        motif="Correction à la suite de l’audit",
    )


def ne_rend_rien(r: RecitDossier) -> None:
    """Its bilan never comes: asked for, then the file is closed and the avance comes back."""
    execute(r)
    r.attend(date(2022, 6, 21))
    constate_la_fin(r)
    r.attend(date(2022, 7, 4))
    r.sur_convention(
        "bilan-reclame",
        r.gestionnaire,
        cloture_office.reclamer_bilan,
        cloture_office.ReclamerBilan,
        numero=1,
    )
    r.attend(date(2022, 9, 12))
    r.sur_dossier(
        "cloture-office",
        r.gestionnaire,
        actions.clore_office,
        cloture_office.CloreOffice,
        numero=1,
        montants_controles="ecartes",
        motif="Sans réponse deux mois après la réclamation du bilan",
    )
    reclame(r, "Aucun bilan : rien ne justifie l’avance")
    rend(r, en=2, encaisse=2)
    est_solde(r)


def devient_insolvable(r: RecitDossier) -> None:
    """Terminated with its avance to pay back, most of which is lost."""
    execute(r)
    _resilie(r, date(2022, 6, 20), "Mise en liquidation judiciaire du bénéficiaire")
    reclame(r, "Avance sans objet : convention résiliée")
    est_perdu(r)
    rend(r)
    est_solde(r)


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
    type_, montant = next(iter(r.plan.contreparties.items()))
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
    reclame(r, "Avance sans objet : opération abandonnée")
    conteste(r)
    rend(r)
    est_solde(r)


def abandonne_sans_rendre(r: RecitDossier) -> None:
    """Abandoned; a part of the avance is still to come back."""
    execute(r)
    _abandonne(r, date(2022, 9, 12))
    reclame(r, "Avance sans objet : opération abandonnée")
    rend(r, en=3, encaisse=1)


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
    rend_un_acompte(r, date(2022, 4, 27))
    _resilie(r, date(2022, 9, 5), SANS_REPONSE)
    est_solde(r)


def est_resilie_sans_rendre(r: RecitDossier) -> None:
    """Terminated; the avance has not been asked back yet."""
    execute(r)
    _resilie(r, date(2022, 11, 28), SANS_REPONSE)


def _resilie(r: RecitDossier, jour: date, motif: str) -> None:
    r.attend(jour)
    r.sur_operation(
        "resiliation",
        r.gestionnaire,
        execution.resilier,
        execution.Interrompre,
        motif=motif,
    )
