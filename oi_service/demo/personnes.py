"""Chapters of persons: who writes for a beneficiary, whose time an operation pays, who is erased.

All are invented, and named by a number.
"""

from typing import Any
from uuid import UUID, uuid5

from aggregates.operation import contacts
from aggregates.personne import effacement, enregistrement
from api import actions
from oi_service.demo.pieces import Ligne
from oi_service.demo.recit import RecitDossier, identifiant


def presente_ses_personnes(r: RecitDossier) -> None:
    """Its beneficiary names a contact, and the employee whose payslips it will declare."""
    _enregistre(
        r,
        "contact-1",
        nature="contact_beneficiaire",
        nom="Contact fictif n° 07",
        fonction="Responsable administratif",
        courriel="contact-07@beneficiaire.example",
    )
    _designe(r, "contact-1")
    _enregistre(
        r, "salarie", nature="salarie", nom="Salarié fictif n° 07", reference="MATRICULE-07"
    )


def emploie(r: RecitDossier, lignes: list[Ligne]) -> None:
    """Declare the payslips of an employee under the identifier of a person, who has no other."""
    salaires = [ligne.saisie for ligne in lignes if ligne.poste == "personnel"]
    reference = salaires[0]["tiers_ref"]
    for saisie in salaires:
        if saisie["tiers_ref"] == reference:
            del saisie["tiers_ref"]
            saisie["salarie_id"] = str(_personne(r, "salarie"))


def change_de_contact(r: RecitDossier) -> None:
    """The contact left: another one is named, and the first asks to be forgotten."""
    _enregistre(
        r,
        "contact-2",
        nature="contact_beneficiaire",
        nom="Contact fictif n° 08",
        fonction="Directeur",
        telephone="01 99 00 08 08",
    )
    _designe(r, "contact-2")
    r.agit(
        "contact-2/rectification",
        r.gestionnaire,
        actions.rectifier_personne,
        _personne(r, "contact-2"),
        enregistrement.RectifierPersonne,
        identite={
            "nature": "contact_beneficiaire",
            "nom": "Contact fictif n° 08",
            "fonction": "Directrice",
            "telephone": "01 99 00 08 08",
        },
        motif="Fonction mal recopiée",
    )
    r.sur_operation(
        "contact-1/retrait",
        r.gestionnaire,
        contacts.retirer,
        contacts.RetirerContact,
        personne_id=_personne(r, "contact-1"),
        motif="A quitté le bénéficiaire",
    )
    r.agit(
        "contact-1/effacement",
        r.gestionnaire,
        actions.effacer_personne,
        _personne(r, "contact-1"),
        effacement.EffacerPersonne,
        demandeur="personne_concernee",
        malgre_conservation=True,
        motif="N’a signé aucune pièce du dossier ; avis du délégué à la protection des données",
    )


def _personne(r: RecitDossier, nom: str) -> UUID:
    return uuid5(r.cle(nom), "personne")


def _enregistre(r: RecitDossier, acte: str, **identite: Any) -> None:
    r.agit(
        acte,
        r.gestionnaire,
        actions.enregistrer_personne,
        _personne(r, acte),
        enregistrement.EnregistrerPersonne,
        subvention_globale_id=identifiant(r.graine, "subvention"),
        identite=identite,
    )


def _designe(r: RecitDossier, nom: str) -> None:
    r.sur_dossier(
        f"{nom}/designation",
        r.gestionnaire,
        actions.designer_contact,
        contacts.DesignerContact,
        personne_id=_personne(r, nom),
    )
