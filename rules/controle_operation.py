"""Closed lists of the audit of operations, with the words people read, and its default deadlines.

A code is never removed nor given another meaning: facts carry it.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Literal

from rules.parametres import parametre

#: Who controls. Source: the chain of control of both periods, `docs/glossaire.md`.
ORGANISMES: Mapping[str, str] = {
    "autorite_gestion": "Autorité de gestion déléguée",
    "autorite_audit": "Autorité d’audit (CICC)",
    "commission_europeenne": "Commission européenne",
    "cour_des_comptes_europeenne": "Cour des comptes européenne",
    "cour_des_comptes": "Cour des comptes",
    "autre": "Autre organisme",
}

#: What kind of breach a finding is about. Our choice, until a nomenclature is given to us.
CodeNature = Literal[
    "depense_ineligible",
    "piece_manquante",
    "acquittement",
    "temps_de_travail",
    "couts_simplifies",
    "commande_publique",
    "aide_etat",
    "double_financement",
    "ressources",
    "recettes",
    "participants",
    "publicite",
    "conflit_interets",
    "piste_audit",
    "gestion_controle",
    "autre",
]
NATURES: Mapping[CodeNature, str] = {
    "depense_ineligible": "Dépense inéligible",
    "piece_manquante": "Pièce absente ou non probante",
    "acquittement": "Acquittement non prouvé",
    "temps_de_travail": "Temps de travail non justifié",
    "couts_simplifies": "Coûts simplifiés mal appliqués",
    "commande_publique": "Règles de la commande publique non respectées",
    "aide_etat": "Règles des aides d’État non respectées",
    "double_financement": "Double financement",
    "ressources": "Ressource non déclarée ou mal affectée",
    "recettes": "Recettes non déduites",
    "participants": "Participants inéligibles ou données incomplètes",
    "publicite": "Obligations de publicité non respectées",
    "conflit_interets": "Conflit d’intérêts",
    "piste_audit": "Piste d’audit incomplète",
    "gestion_controle": "Défaut de gestion ou de contrôle",
    "autre": "Autre irrégularité",
}

RESULTATS: Mapping[str, str] = {
    "sans_incidence": "sans incidence financière",
    "correction_individuelle": "correction individuelle",
    "correction_extrapolee": "correction extrapolée",
    "correction_forfaitaire": "correction forfaitaire",
    "irregularite_systemique": "irrégularité systémique",
}

MODALITES: Mapping[str, str] = {"sur_place": "sur place", "sur_pieces": "sur pièces"}

AUTEURS: Mapping[str, str] = {"oi": "l’OI", "beneficiaire": "le bénéficiaire"}

REPONSES: Mapping[str, str] = {"accepte": "accepté", "conteste": "contesté"}

#: What a final report does with each finding of the provisional one.
ISSUES: Mapping[str, str] = {
    "maintenu": "maintenu",
    "reduit": "réduit",
    "abandonne": "abandonné",
}

#: How a finding is followed up.
MESURES: Mapping[str, str] = {
    "recalcul_csf": "recalcul du contrôle de service fait",
    "ordre_reversement": "ordre de reversement",
    "retrait_certification": "retrait de dépenses certifiées",
    "mesure_administrative": "mesure administrative",
}

RESPONSABLES: Mapping[str, str] = {
    "oi": "OI",
    "beneficiaire": "bénéficiaire",
    "autorite_gestion": "autorité de gestion",
}


def limite_reponse(le: date) -> date:
    """Return the last day to answer a provisional report that does not say until when.

    Our choice: the controlling body gives the day, and what it gives comes first.
    """
    return le + timedelta(days=parametre("controle_operation_reponse_jours", le=le).entier)


def limite_suites(le: date) -> date:
    """Return the last day to follow up a final report that does not say until when.

    Our choice: the controlling body gives the day, and what it gives comes first.
    """
    return le + timedelta(days=parametre("controle_operation_suites_jours", le=le).entier)


def au_dela_du_seuil_ims(fse_centimes: int, le: date, reglement: str) -> bool:
    """Tell whether a finding is of an amount that the Commission is told of; it informs.

    Source: Règlement (UE) n° 1303/2013, art. 122 §2; règlement (UE) 2021/1060, annexe XII.
    """
    seuil = parametre("declaration_irregularite_seuil", le=le, reglement=reglement).centimes
    return fse_centimes > seuil
