"""Chapters of the money: control of the delivered service, payments, certification, the end."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid5

from aggregates.convention import bilans, certification, paiements, service_fait
from aggregates.convention.state import Convention
from aggregates.depense import controle
from aggregates.operation import cloture
from api import actions
from oi_service.demo.execution import paie
from oi_service.demo.generateur import NOMS_FINANCEURS
from oi_service.demo.recit import COMPTABLE, ORDONNATEUR, VALIDEUR, Lot, RecitDossier
from oi_service.money import euros

_COMMENTAIRE = "Au vu des pièces du bilan"


def est_renvoye(r: RecitDossier, lot: Lot) -> None:
    """The bilan is not signed: it goes back, and comes again."""
    r.passe(2)
    r.sur_dossier(
        lot.nom("renvoi"),
        r.controleur,
        actions.renvoyer_bilan,
        bilans.RenvoyerBilan,
        uuid5(r.cle(lot.nom("depot")), "bilan"),
        motif="Le bilan n’est pas signé par le représentant légal",
    )
    r.passe(4)


def ouvre_le_controle(r: RecitDossier, lot: Lot, envoi: str = "depot", version: int = 1) -> UUID:
    """Begin the control; return its identifier."""
    nom = lot.nom(f"csf-{version}")
    r.sur_dossier(
        nom,
        r.controleur,
        actions.ouvrir_csf,
        service_fait.OuvrirCsf,
        bilan_id=uuid5(r.cle(lot.nom(envoi)), "bilan"),
    )
    return uuid5(r.cle(nom), "csf")


def controle_les_lignes(
    r: RecitDossier, lot: Lot, csf_id: UUID, version: int = 1, audit: int = 0
) -> int:
    """Decide on every dépense, then on the resources; return what is rejected.

    ``audit``: how many lines an audit adds to what the control had found.
    """
    lignes, ecarte = [], 0
    for rang, (depense_id, ligne) in enumerate(zip(lot.ids, lot.lignes, strict=True)):
        montant, motif = ligne.ecarte, ligne.motif
        if rang < audit:
            montant, motif = ligne.montant, "CORRECTION_AUDIT"
        ecarte += montant
        decision: dict[str, Any] = {"depense_id": depense_id, "montant_ecarte": euros(montant)}
        if montant:
            decision |= {"motif_code": motif, "commentaire": _COMMENTAIRE}
        lignes.append(decision)
    r.passe(6)
    r.sur_dossier(
        lot.nom(f"csf-{version}/lignes"),
        r.controleur,
        actions.controler_depenses,
        controle.ControlerDepenses,
        csf_id,
        lignes=lignes,
    )
    r.passe(1)
    r.sur_convention(
        lot.nom(f"csf-{version}/ressources"),
        r.controleur,
        service_fait.controler_ressources,
        service_fait.ControlerRessources,
        csf_id,
        ressources=[
            {
                "type": t,
                "financeur": NOMS_FINANCEURS[t],
                "montant_declare": euros(m),
                "montant_retenu": euros(m),
            }
            for t, m in lot.ressources.items()
        ],
    )
    return ecarte


def notifie_ses_conclusions(r: RecitDossier, lot: Lot, csf_id: UUID, version: int = 1) -> None:
    """Tell the beneficiary what would be rejected."""
    r.passe(2)
    r.sur_convention(
        lot.nom(f"csf-{version}/conclusions"),
        r.controleur,
        service_fait.notifier_conclusions,
        service_fait.NotifierConclusions,
        csf_id,
        date_limite_reponse=r.jour + timedelta(days=30),
    )


def est_controle(r: RecitDossier, lot: Lot, envoi: str = "depot") -> UUID:
    """From the opening of the control to its validation; return its identifier."""
    r.passe(2)
    csf_id = ouvre_le_controle(r, lot, envoi)
    if controle_les_lignes(r, lot, csf_id):
        notifie_ses_conclusions(r, lot, csf_id)
        entend_le_beneficiaire(r, lot, csf_id)
    valide(r, lot, csf_id)
    return csf_id


def entend_le_beneficiaire(r: RecitDossier, lot: Lot, csf_id: UUID, version: int = 1) -> None:
    """The beneficiary answers, or the time to answer goes by."""
    if lot.type == "final" and version == 1 and r.dossier.rang % 3 == 1:
        r.passe(32)
        return
    r.passe(10)
    r.sur_convention(
        lot.nom(f"csf-{version}/observations"),
        r.controleur,
        service_fait.recevoir_observations,
        service_fait.RecevoirObservations,
        csf_id,
    )


def valide(r: RecitDossier, lot: Lot, csf_id: UUID, version: int = 1) -> None:
    """Somebody else validates: what the Fund owes is fixed."""
    r.passe(3)
    r.sur_dossier(
        lot.nom(f"csf-{version}/validation"),
        VALIDEUR,
        actions.valider_csf,
        service_fait.ValiderCsf,
        csf_id,
    )


def _reste(convention: Convention) -> int:
    return convention.fse_du - convention.engage


def recoit(r: RecitDossier, type_: str, csf_id: UUID, nom: str | None = None) -> None:
    """Pay what the control founds and what the avance has not paid yet."""
    r.passe(5)
    paie(r, nom or type_, type_, r.lu(_reste), csf_id)


def voit_son_virement_rejete(r: RecitDossier, nom: str) -> None:
    """The bank sends the money back."""
    r.passe(4)
    r.sur_convention(
        f"{nom}/rejet",
        COMPTABLE,
        paiements.rejeter,
        paiements.RejeterPaiement,
        uuid5(r.cle(nom), "paiement"),
        motif="Compte clos",
    )


def rend(r: RecitDossier, motif: str, *, en: int = 1, encaisse: int = 1) -> None:
    """Pay back what is not due: one order, cashed in ``en`` times, ``encaisse`` of them seen."""
    r.passe(4)
    r.sur_dossier(
        "reversement",
        ORDONNATEUR,
        actions.emettre_ordre_reversement,
        paiements.EmettreOrdreReversement,
        montant=r.lu(lambda c: c.paye - c.fse_du),
        echeance=r.jour + timedelta(days=30),
        motif=motif,
    )
    ordre_id = uuid5(r.cle("reversement"), "ordre")
    for fois in range(1, encaisse + 1):

        def part(convention: Convention, fois: int = fois) -> int:
            ordre = convention.ordres[ordre_id]
            return (ordre.montant - ordre.encaisse) // (en - fois + 1)

        r.passe(8)
        r.sur_convention(
            f"reversement/encaissement-{fois}",
            COMPTABLE,
            paiements.encaisser,
            paiements.EncaisserReversement,
            ordre_id,
            montant=r.lu(part),
            ref=f"R-{r.dossier.numero_mdfse}-{fois}",
        )


def est_solde(r: RecitDossier) -> None:
    """All money is settled; what was not used goes back to the enveloppe."""
    r.passe(3)
    r.sur_dossier("solde-constate", r.gestionnaire, actions.solder, paiements.Solder)


def est_certifie(r: RecitDossier) -> None:
    """The statement goes to the State, which certifies it in a payment application."""
    r.attend(date(2022, 10, 17))
    r.passe(1)
    r.sur_convention(
        "etat",
        COMPTABLE,
        certification.transmettre,
        certification.TransmettreEtat,
        etat_no="ETAT-2022-2",
        fse=r.lu(lambda c: c.fse_du - c.fse_transmis),
        cout_total=r.lu(lambda c: c.cout_total_retenu - c.cout_total_transmis),
    )
    r.attend(date(2022, 11, 15))
    r.sur_convention(
        "certification",
        COMPTABLE,
        certification.certifier,
        certification.EnregistrerCertification,
        appel_de_fonds_no="AF-2022-11",
        exercice_comptable="2022-2023",
        fse=r.lu(lambda c: c.fse_transmis - c.fse_certifie),
        cout_total=r.lu(lambda c: c.cout_total_transmis - c.cout_total_certifie),
    )


def est_cloture(r: RecitDossier) -> None:
    """Nothing is due either way."""
    r.passe(4)
    r.sur_operation("cloture", r.gestionnaire, cloture.cloturer, cloture.Cloturer)


def est_archive(r: RecitDossier) -> None:
    """The file goes to the archive; the law counts from the declaration to the Commission."""
    r.attend(date(2022, 12, 5))
    r.passe(r.dossier.rang % 9)
    if r.dossier.avec("dernier"):
        r.attend(date(2022, 12, 20))
    r.sur_operation(
        "archivage",
        r.gestionnaire,
        cloture.archiver,
        cloture.Archiver,
        lieu_archivage="Archives de l’organisme intermédiaire",
        reference=date(2022, 11, 15),
    )
