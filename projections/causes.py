"""Why a figure moved: every event that posts has one cause, in words that a director reads."""

from collections.abc import Mapping

#: The causes, in the order of the life of the money.
CAUSES: Mapping[str, str] = {
    "tranche": "Ouverture de tranche",
    "avenant_subvention": "Avenant à la subvention globale",
    "enveloppe": "Notification d’enveloppe",
    "reserve": "Constitution de réserve",
    "transfert": "Transfert d’enveloppe",
    "depot": "Dépôt de dossier",
    "irrecevabilite": "Irrecevabilité",
    "retrait": "Retrait de dossier",
    "programmation": "Programmation nouvelle",
    "deprogrammation": "Déprogrammation",
    "conventionnement": "Conventionnement",
    "avenant": "Avenant à la convention",
    "contrepartie_attribuee": "Contrepartie attribuée",
    "contrepartie_percue": "Contrepartie perçue",
    "contrepartie_affectee": "Contrepartie affectée",
    "contrepartie_desaffectee": "Affectation de contrepartie annulée",
    "perception_annulee": "Perception annulée",
    "attribution_annulee": "Attribution de contrepartie annulée",
    "bilan": "Bilan d’exécution déposé",
    "bilan_renvoye": "Bilan d’exécution renvoyé",
    "controle": "Contrôle de service fait",
    "controle_rouvert": "Correction : contrôle de service fait rouvert",
    "cloture_office": "Clôture d’office",
    "paiement": "Paiement",
    "rejet": "Virement rejeté par la banque",
    "reversement": "Reversement encaissé",
    "compensation": "Compensation",
    "irrecouvrable": "Créance irrécouvrable",
    "creance_retablie": "Créance rétablie",
    "solde": "Solde de l’opération",
    "suites": "Suites d’un contrôle rouvert après le solde",
    "transmission": "Transmission à l’autorité de gestion",
    "certification": "Certification",
    "retrait_certification": "Retrait de certification",
    "reprise": "Opération reprise d’une liste",
    "reprise_annulee": "Reprise annulée",
}

#: The cause of each event that posts; `CSF` is told apart by its version.
CAUSE_DE: Mapping[str, str] = {
    "subvention_globale.tranche_ouverte.v1": "tranche",
    "subvention_globale.avenant_signe.v1": "avenant_subvention",
    "subvention_globale.enveloppe_plie_notifiee.v1": "enveloppe",
    "subvention_globale.reserve_constituee.v1": "reserve",
    "subvention_globale.transfert_enveloppe_decide.v1": "transfert",
    "operation.dossier_depose.v1": "depot",
    "operation.irrecevabilite_prononcee.v1": "irrecevabilite",
    "operation.dossier_retire.v1": "retrait",
    "operation.programmee.v1": "programmation",
    "operation.deprogrammee.v1": "deprogrammation",
    "operation.programmation_modifiee.v1": "avenant",
    "operation.soldee.v1": "solde",
    "operation.suites_closes.v1": "suites",
    "convention.notifiee.v1": "conventionnement",
    "convention.avenant_signe.v1": "avenant",
    "convention.bilan_depose.v1": "bilan",
    "convention.bilan_renvoye.v1": "bilan_renvoye",
    "convention.csf_valide.v1": "controle",
    "convention.cloture_office_prononcee.v1": "cloture_office",
    "convention.paiement_effectue.v1": "paiement",
    "convention.paiement_rejete.v1": "rejet",
    "convention.reversement_encaisse.v1": "reversement",
    "convention.compensation_operee.v1": "compensation",
    "convention.creance_irrecouvrable.v1": "irrecouvrable",
    "convention.creance_retablie.v1": "creance_retablie",
    "convention.etat_depenses_transmis.v1": "transmission",
    "convention.depense_certifiee.v1": "certification",
    "convention.depense_retiree.v1": "retrait_certification",
    "contrepartie.attribuee.v1": "contrepartie_attribuee",
    "contrepartie.percue.v1": "contrepartie_percue",
    "contrepartie.affectee.v1": "contrepartie_affectee",
    "contrepartie.affectation_annulee.v1": "contrepartie_desaffectee",
    "contrepartie.perception_annulee.v1": "perception_annulee",
    "contrepartie.attribution_annulee.v1": "attribution_annulee",
    "reprise.operation_reprise.v1": "reprise",
    "reprise.annulee.v1": "reprise_annulee",
}

#: A control in its first version certifies; in a later one, it corrects.
CSF = "convention.csf_valide.v1"
CORRECTION = "controle_rouvert"

#: The place of each cause in a list, as two arrays of SQL: names of events, ranks.
RANGS: Mapping[str, int] = {code: rang for rang, code in enumerate(CAUSES)}
PARAMETRES: Mapping[str, object] = {
    "noms": list(CAUSE_DE),
    "rangs": [RANGS[code] for code in CAUSE_DE.values()],
    "csf": CSF,
    "correction": RANGS[CORRECTION],
}
_CODES = tuple(CAUSES)


def cause_de_rang(rang: int) -> str:
    """Return the cause that has a place in the list."""
    return _CODES[rang]
