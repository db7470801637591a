"""Opening and closing the working file of an auditor."""

from datetime import date

from aggregates.audit.events import DossierAuditClos, DossierAuditOuvert
from aggregates.audit.state import DossierAudit
from aggregates.cadre import Cadre
from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import Commande, Texte
from oi_service.errors import RuleBroken


class DossierAuditDejaOuvert(RuleBroken):
    """Ce dossier de travail est déjà ouvert, depuis le {ouvert_le}."""


class DossierAuditDejaClos(RuleBroken):
    """Ce dossier de travail est clos depuis le {clos_le} : il ne reçoit plus rien."""


class ResultatAuditManquant(RuleBroken):
    """Ce dossier de travail ne se clôt pas encore : il manque le résultat arrêté de
    {nombre:échantillon(s)}.
    """


class OuvrirDossierAudit(Commande):
    """Open a working file. Texts name no person: the log keeps them for ever."""

    mission: Texte
    organisme: Texte
    reference: Texte
    perimetre: Texte


def ouvrir(
    dossier: DossierAudit | None, commande: OuvrirDossierAudit, cadre: Cadre
) -> list[DossierAuditOuvert]:
    """Open a working file under a subvention globale."""
    if dossier is not None:
        raise DossierAuditDejaOuvert(ouvert_le=dossier.ouvert_le)
    return [
        DossierAuditOuvert(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            cadre=cadre,
            mission=commande.mission,
            organisme=commande.organisme,
            reference=commande.reference,
            perimetre=commande.perimetre,
        )
    ]


class CloreDossierAudit(Commande):
    """Close a working file."""

    conclusion: Texte


def clore(dossier: DossierAudit, commande: CloreDossierAudit) -> list[DossierAuditClos]:
    """Close a file whose samples all gave a result, those that others followed left aside."""
    exiger_en_cours(dossier, "Clore ce dossier de travail", commande.date_effet)
    derniers = [e for e in dossier.echantillons.values() if e.suivi_par is None]
    manquants = [e for e in derniers if not e.arrete]
    if manquants:
        raise ResultatAuditManquant(nombre=len(manquants))
    for echantillon in derniers:
        exiger_pas_avant(
            commande.date_effet,
            "Clore ce dossier de travail",
            max((c.note_le for c in echantillon.constats.values()), default=echantillon.tire_le),
            "un constat y a été noté",
        )
    return [
        DossierAuditClos(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            conclusion=commande.conclusion,
        )
    ]


def exiger_en_cours(dossier: DossierAudit, acte: str, jour: date) -> None:
    """Refuse an act on a file that is closed, or dated before its opening."""
    if dossier.clos_le is not None:
        raise DossierAuditDejaClos(clos_le=dossier.clos_le)
    exiger_pas_avant(jour, acte, dossier.ouvert_le, "ce dossier de travail a été ouvert")
