"""Chapters of the money: payments, what comes back, certification, the end."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from aggregates.commande import Commande
from aggregates.convention import certification, paiements, reversements
from aggregates.convention.state import Convention
from aggregates.operation import cloture
from api import actions
from oi_service.demo.execution import acquitte, annule, ordonnance, paie, reste
from oi_service.demo.recit import COMPTABLE, ORDONNATEUR, Qui, RecitDossier


def recoit(r: RecitDossier, type_: str, csf_id: UUID) -> None:
    """Pay what the control founds and what the avance has not paid yet."""
    r.passe(5)
    if r.dossier.avec("ordre_annule"):
        ordonnance(r, f"{type_}-errone", type_, r.lu(reste(type_)), csf_id)
        r.passe(1)
        annule(r, f"{type_}-errone", "Coordonnées bancaires changées depuis la convention")
    paie(r, type_, type_, r.lu(reste(type_)), csf_id)
    acquitte(r, type_)


def voit_son_virement_rejete(r: RecitDossier, nom: str, csf_id: UUID) -> None:
    """The bank sends the money back; it is paid again."""
    r.passe(4)
    paiement_id = uuid5(r.cle(nom), "paiement")
    r.sur_convention(
        f"{nom}/rejet",
        COMPTABLE,
        paiements.rejeter,
        paiements.RejeterPaiement,
        paiement_id,
        motif="Compte clos",
    )
    r.passe(6)
    paie(r, f"{nom}-reemis", nom, r.lu(reste(nom)), csf_id, remplace=paiement_id)
    acquitte(r, f"{nom}-reemis")


def indu(convention: Convention) -> int:
    """What was paid and is not due."""
    return convention.paye - convention.fse_du


def reclame(
    r: RecitDossier,
    motif: str,
    *,
    nom: str = "reversement",
    montant: Callable[[Convention], int] = indu,
) -> UUID:
    """Order back what is not due, and tell the beneficiary; return the order."""
    r.passe(4)
    r.sur_dossier(
        nom,
        COMPTABLE,
        actions.emettre_ordre_reversement,
        reversements.EmettreOrdreReversement,
        montant=r.lu(montant),
        echeance=r.jour + timedelta(days=30),
        motif=motif,
    )
    ordre_id = uuid5(r.cle(nom), "ordre")
    r.passe(2)
    _sur_ordre(r, f"{nom}/notification", reversements.notifier, reversements.NotifierOrdre, nom)
    return ordre_id


def _sur_ordre(
    r: RecitDossier,
    acte: str,
    decision: Callable[..., list[Any]],
    modele: type[Commande],
    nom: str = "reversement",
    qui: Qui = COMPTABLE,
    **champs: object,
) -> None:
    ordre_id = uuid5(r.cle(nom), "ordre")
    r.sur_convention(acte, qui, decision, modele, ordre_id, **champs)


def corrige_son_ordre(r: RecitDossier) -> None:
    """The first order asked for the wrong amount: it is cancelled, another one follows."""
    r.passe(3)
    _sur_ordre(
        r,
        "reversement-errone/annulation",
        reversements.annuler,
        reversements.AnnulerOrdre,
        "reversement-errone",
        motif="Le montant ne tenait pas compte de la seconde version du contrôle",
    )


def conteste(r: RecitDossier) -> None:
    """The beneficiary says that nothing is owed; the OI answers that it is."""
    r.passe(9)
    _sur_ordre(
        r,
        "reversement/contestation",
        reversements.contester,
        reversements.ContesterOrdre,
        motif="Le bénéficiaire estime que l’avance couvre des dépenses engagées",
    )
    r.passe(12)
    _sur_ordre(
        r,
        "reversement/decision",
        reversements.trancher,
        reversements.TrancherContestation,
        qui=ORDONNATEUR,
        motif="Aucun bilan ne justifie ces dépenses : l’ordre est maintenu",
    )


def rend(r: RecitDossier, *, en: int = 1, encaisse: int = 1) -> None:
    """Pay back in ``en`` times, ``encaisse`` of them seen."""
    ordre_id = uuid5(r.cle("reversement"), "ordre")
    for fois in range(1, encaisse + 1):

        def part(convention: Convention, fois: int = fois) -> int:
            return convention.ordres[ordre_id].reste // (en - fois + 1)

        r.passe(8)
        _sur_ordre(
            r,
            f"reversement/encaissement-{fois}",
            reversements.encaisser,
            reversements.EncaisserReversement,
            montant=r.lu(part),
            ref=f"R-{r.dossier.numero_mdfse}-{fois}",
        )


def est_compense(r: RecitDossier, par_operation: UUID, par_paiement: UUID) -> None:
    """A payment due on another operation of the same beneficiary settles the order."""
    ordre_id = uuid5(r.cle("reversement"), "ordre")
    r.sur_dossier(
        "reversement/compensation",
        COMPTABLE,
        actions.compenser_ordre,
        paiements.CompenserOrdre,
        ordre_id,
        montant=r.lu(lambda c: c.ordres[ordre_id].reste),
        par_operation_id=par_operation,
        par_paiement_id=par_paiement,
    )


def est_perdu(r: RecitDossier) -> None:
    """What a judge gave up is lost; a part of it comes back, which nobody expected."""
    ordre_id = uuid5(r.cle("reversement"), "ordre")
    r.passe(30)
    r.sur_convention(
        "reversement/irrecouvrable",
        ORDONNATEUR,
        reversements.declarer_irrecouvrable,
        reversements.DeclarerIrrecouvrable,
        ordre_id,
        ORDONNATEUR.acteur,
        montant=r.lu(lambda c: c.ordres[ordre_id].reste),
        decision_ref="JUGEMENT-FICTIF-2022-1",
        motif="Liquidation judiciaire, clôture pour insuffisance d’actif",
    )
    r.passe(12)
    _sur_ordre(
        r,
        "reversement/retablissement",
        reversements.retablir,
        reversements.RetablirCreance,
        qui=ORDONNATEUR,
        montant=r.lu(lambda c: c.ordres[ordre_id].perdu // 6),
        motif="Un actif retrouvé par le liquidateur",
    )


def est_solde(r: RecitDossier) -> None:
    """All money is settled; what was not used goes back to the enveloppe."""
    r.passe(3)
    r.sur_dossier("solde-constate", r.gestionnaire, actions.solder, paiements.Solder)


class Campagne(NamedTuple):
    """A statement of expenditure and the payment application that follows it."""

    etat_no: str
    transmis_le: date
    appel_de_fonds_no: str
    certifie_le: date


ETE = Campagne("ETAT-2022-1", date(2022, 8, 29), "AF-2022-9", date(2022, 9, 15))
AUTOMNE = Campagne("ETAT-2022-2", date(2022, 10, 17), "AF-2022-11", date(2022, 11, 15))


def est_certifie(r: RecitDossier, campagne: Campagne = AUTOMNE) -> None:
    """The statement goes to the State, which certifies it in a payment application."""
    r.attend(campagne.transmis_le)
    r.passe(1)
    r.sur_convention(
        "etat",
        COMPTABLE,
        certification.transmettre,
        certification.TransmettreEtat,
        etat_no=campagne.etat_no,
        fse=r.lu(lambda c: c.fse_du - c.fse_transmis),
        cout_total=r.lu(lambda c: c.cout_total_retenu - c.cout_total_transmis),
    )
    r.attend(campagne.certifie_le)
    r.sur_convention(
        "certification",
        COMPTABLE,
        certification.certifier,
        certification.EnregistrerCertification,
        appel_de_fonds_no=campagne.appel_de_fonds_no,
        exercice_comptable="2022-2023",
        fse=r.lu(lambda c: c.fse_transmis - c.fse_certifie),
        cout_total=r.lu(lambda c: c.cout_total_transmis - c.cout_total_certifie),
    )


def est_cloture(r: RecitDossier) -> None:
    """Nothing is due either way."""
    r.passe(4)
    r.sur_dossier("cloture", r.gestionnaire, actions.cloturer, cloture.Cloturer)


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
