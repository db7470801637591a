"""What the State did with controlled expenditure: facts received, never decided by the OI."""

from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import Code, Commande, CommandeMotivee
from aggregates.convention.events import DepenseCertifiee, DepenseRetiree, EtatDepensesTransmis
from aggregates.convention.state import Convention
from oi_service.errors import RuleBroken
from oi_service.money import Montant


class TransmisAuDelaDuRetenu(RuleBroken):
    """Les montants transmis dépasseraient ce que le contrôle de service fait a retenu : il reste
    {reste_fse:euros} de FSE et {reste_ct:euros} de coût total à transmettre.
    """


class CertifieAuDelaDuTransmis(RuleBroken):
    """Les montants certifiés dépasseraient ce qui est transmis : il reste {reste_fse:euros} de FSE
    et {reste_ct:euros} de coût total à certifier.
    """


class RetireAuDelaDuCertifie(RuleBroken):
    """Les montants retirés dépasseraient ce qui est certifié : {fse:euros} de FSE, {ct:euros} de
    coût total.
    """


class TransmettreEtat(Commande):
    """Send a statement of expenditure to the managing authority."""

    etat_no: Code
    fse: Montant
    cout_total: Montant


def transmettre(convention: Convention, commande: TransmettreEtat) -> list[EtatDepensesTransmis]:
    """Send at most what was retained."""
    reste_fse = convention.fse_du - convention.fse_transmis
    reste_ct = convention.cout_total_retenu - convention.cout_total_transmis
    if commande.fse > reste_fse or commande.cout_total > reste_ct:
        raise TransmisAuDelaDuRetenu(reste_fse=reste_fse, reste_ct=reste_ct)
    return [
        EtatDepensesTransmis(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            operation_id=convention.operation_id,
            etat_no=commande.etat_no,
            fse_centimes=commande.fse,
            cout_total_centimes=commande.cout_total,
        )
    ]


class EnregistrerCertification(Commande):
    """Record that the State certified expenditure in a payment application."""

    appel_de_fonds_no: Code
    exercice_comptable: Code
    fse: Montant
    cout_total: Montant


def certifier(convention: Convention, commande: EnregistrerCertification) -> list[DepenseCertifiee]:
    """Record at most what was sent."""
    reste_fse = convention.fse_transmis - convention.fse_certifie
    reste_ct = convention.cout_total_transmis - convention.cout_total_certifie
    if commande.fse > reste_fse or commande.cout_total > reste_ct:
        raise CertifieAuDelaDuTransmis(reste_fse=reste_fse, reste_ct=reste_ct)
    return [
        DepenseCertifiee(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            operation_id=convention.operation_id,
            appel_de_fonds_no=commande.appel_de_fonds_no,
            exercice_comptable=commande.exercice_comptable,
            fse_centimes=commande.fse,
            cout_total_centimes=commande.cout_total,
        )
    ]


class EnregistrerRetrait(CommandeMotivee):
    """Record that the State withdrew certified expenditure."""

    appel_de_fonds_no: Code
    exercice_comptable: Code
    fse: Montant
    cout_total: Montant


def retirer(convention: Convention, commande: EnregistrerRetrait) -> list[DepenseRetiree]:
    """Record at most what is certified."""
    if (
        commande.fse > convention.fse_certifie
        or commande.cout_total > convention.cout_total_certifie
    ):
        raise RetireAuDelaDuCertifie(fse=convention.fse_certifie, ct=convention.cout_total_certifie)
    exiger_pas_avant(
        commande.date_effet,
        "Enregistrer le retrait",
        convention.certifie_depuis(commande.fse, commande.cout_total),
        "ces montants ne sont certifiés que depuis",
    )
    return [
        DepenseRetiree(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            operation_id=convention.operation_id,
            appel_de_fonds_no=commande.appel_de_fonds_no,
            exercice_comptable=commande.exercice_comptable,
            fse_centimes=commande.fse,
            cout_total_centimes=commande.cout_total,
        )
    ]
