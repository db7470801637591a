"""Contrôle de service fait: opened on a bilan, opened again in a new version, never edited."""

from typing import Literal
from uuid import UUID

from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import Commande, CommandeMotivee, Texte
from aggregates.convention.events import CsfOuvert, CsfRouvert
from aggregates.convention.state import Bilan, Convention, Csf
from aggregates.operation.state import Operation
from aggregates.operation.transitions import exiger
from oi_service.errors import NotFound, RuleBroken


class CsfSansBilan(RuleBroken):
    """Aucun contrôle de service fait ne peut être ouvert : ce bilan n’est pas jugé recevable, ou il
    est déjà contrôlé.
    """

    article = "Contrôle de service fait : il commence à la réception du bilan signé"


class CsfAbsent(NotFound):
    """Aucun contrôle de service fait ne porte l’identifiant {id}."""


class CsfClos(RuleBroken):
    """Ce contrôle de service fait est validé : il ne se modifie plus, il se rouvre en une nouvelle
    version.
    """


class CsfNonValide(RuleBroken):
    """Ce contrôle de service fait n’est pas validé : il n’y a rien à rouvrir."""


class CsfApresClotureOffice(RuleBroken):
    """Le dossier a été clos d’office : ses contrôles ne se rouvrent plus."""


def csf_de(convention: Convention, csf_id: UUID) -> tuple[Bilan, Csf]:
    """Return the open CSF and its bilan, or refuse."""
    bilan = convention.bilan_du_csf(csf_id)
    if bilan is None or bilan.csf is None:
        raise CsfAbsent(id=csf_id)
    if bilan.csf.statut == "valide":
        raise CsfClos
    return bilan, bilan.csf


class OuvrirCsf(Commande):
    """Begin the control of a bilan, of every piece or of a sample."""

    bilan_id: UUID
    modalite: Literal["exhaustif", "echantillon"] = "exhaustif"


def ouvrir_csf(
    convention: Convention, commande: OuvrirCsf, csf_id: UUID, controleur: str
) -> list[CsfOuvert]:
    """Begin, on a bilan that was found admissible and is not under control."""
    bilan = convention.bilans.get(commande.bilan_id)
    if bilan is None or bilan.statut != "recevable":
        raise CsfSansBilan
    exiger_apres_reouverture(bilan, commande, "Ouvrir la nouvelle version du contrôle")
    return [
        CsfOuvert(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            csf_id=csf_id,
            bilan_id=bilan.bilan_id,
            version=bilan.csf.version + 1 if bilan.csf else 1,
            controleur=controleur,
            modalite=commande.modalite,
        )
    ]


def exiger_apres_reouverture(bilan: Bilan, commande: Commande, acte: str) -> None:
    """Refuse a new version dated before the day on which the control was opened again."""
    exiger_pas_avant(
        commande.date_effet,
        acte,
        bilan.rouvert_le,
        f"le contrôle du bilan n° {bilan.numero} a été rouvert",
    )


class RouvrirCsf(CommandeMotivee):
    """Open a new version of a validated control. ``controle_ref``: the audit that asks for it."""

    controle_ref: Texte | None = None


def rouvrir_csf(
    convention: Convention, commande: RouvrirCsf, csf_id: UUID, operation: Operation
) -> list[CsfRouvert]:
    """Take the control up again; the validated version stays as it is in the journal.

    After the solde, the operation keeps its state and has consequences under way until they are
    settled (`aggregates.operation.suites`).
    """
    exiger(
        operation,
        "Rouvrir le contrôle de service fait",
        "en_execution",
        "realisation_terminee",
        "bilan_final_depose",
        "abandonne",
        "resilie",
        "solde",
        "cloture",
        "archive",
    )
    bilan = convention.bilan_du_csf(csf_id)
    if bilan is None or bilan.csf is None:
        raise CsfAbsent(id=csf_id)
    if bilan.statut != "controle":
        raise CsfNonValide
    if convention.cloturee_office:
        raise CsfApresClotureOffice
    exiger_pas_avant(
        commande.date_effet,
        "Rouvrir le contrôle de service fait",
        bilan.csf.valide_le,
        f"la version n° {bilan.csf.version} a été validée",
    )
    return [
        CsfRouvert(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            csf_id=csf_id,
            bilan_id=bilan.bilan_id,
            controle_ref=commande.controle_ref,
        )
    ]
