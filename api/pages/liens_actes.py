"""The acts that people do in the pages: their names, their forms, who may do them."""

from collections.abc import Mapping
from urllib.parse import urlencode
from uuid import UUID

from jinja2 import pass_context
from jinja2.runtime import Context
from starlette.requests import Request

from api.droits import DROITS
from api.pages.presence import qui_lit

RACINE = "/actes"

#: What each act is called: the title of its form, and what its link says.
TITRES: Mapping[str, str] = {
    "conventionner_subvention_globale": "Conventionner une subvention globale",
    "signer_avenant_subvention_globale": "Signer un avenant de la subvention globale",
    "ouvrir_tranche": "Ouvrir une tranche",
    "notifier_enveloppe": "Notifier une enveloppe",
    "constituer_reserve": "Constituer la réserve",
    "decider_transfert": "Décider un transfert",
    "publier_appel_a_projets": "Publier un appel à projets",
    "attribuer_contrepartie": "Enregistrer une contrepartie",
    "fixer_objectif_certification": "Fixer un objectif de certification",
    "deposer_previsions_plie": "Déposer des prévisions",
    "clore_appel_a_projets": "Clore l’appel à projets",
    "deposer_dossier": "Déposer un dossier",
    "demander_complement": "Demander des compléments",
    "recevoir_complement": "Recevoir des compléments",
    "prononcer_recevabilite": "Prononcer la recevabilité",
    "prononcer_irrecevabilite": "Prononcer l’irrecevabilité",
    "retirer_dossier": "Retirer le dossier",
    "ouvrir_instruction": "Ouvrir l’instruction",
    "rouvrir_instruction": "Rouvrir l’instruction",
    "rectifier_dossier": "Rectifier le dossier",
    "instruire_plan": "Instruire le plan de financement",
    "valider_rapport": "Valider le rapport d’instruction",
    "rendre_avis_plie": "Rendre l’avis du PLIE",
    "rendre_avis_agd": "Enregistrer l’avis de l’AGD",
    "programmer_operation": "Programmer l’opération",
    "ajourner_operation": "Ajourner l’opération",
    "refuser_operation": "Refuser l’opération",
    "tenir_seance": "Tenir une séance de comité",
    "deprogrammer_operation": "Déprogrammer l’opération",
    "notifier_decision": "Notifier la décision",
    "demarrer_operation": "Démarrer l’opération",
    "renseigner_indicateur": "Renseigner un indicateur",
    "constater_fin_de_realisation": "Constater la fin de réalisation",
    "abandonner_operation": "Enregistrer l’abandon",
    "resilier_operation": "Résilier la convention",
    "solder_operation": "Solder l’opération",
    "cloturer_operation": "Clôturer l’opération",
    "clore_suites": "Clore les suites",
    "archiver_dossier": "Archiver le dossier",
    "enregistrer_personne": "Enregistrer une personne",
    "rectifier_personne": "Rectifier une personne",
    "effacer_personne": "Effacer une personne",
    "designer_contact": "Désigner un contact",
    "retirer_contact": "Retirer un contact",
    "signer_convention": "Signer la convention",
    "notifier_convention": "Notifier la convention",
    "demander_avenant": "Demander un avenant",
    "programmer_avenant": "Programmer l’avenant",
    "signer_avenant": "Signer l’avenant",
    "abandonner_avenant": "Abandonner l’avenant",
    "declarer_depense": "Déclarer une dépense",
    "declarer_depenses": "Déclarer des dépenses",
    "corriger_depense": "Corriger la dépense",
    "annuler_depense": "Annuler la dépense",
    "joindre_pieces_depense": "Joindre des pièces à la dépense",
    "deposer_bilan": "Déposer un bilan",
    "juger_recevable": "Juger le bilan recevable",
    "reclamer_bilan": "Réclamer un bilan",
    "clore_office": "Clôturer d’office",
    "renvoyer_bilan": "Renvoyer le bilan",
    "ouvrir_csf": "Ouvrir le contrôle de service fait",
    "controler_depenses": "Contrôler des dépenses",
    "tirer_echantillon": "Tirer un échantillon",
    "decider_extrapolation": "Décider l’extrapolation",
    "corriger_marche": "Corriger un marché",
    "corriger_fse": "Corriger le FSE",
    "controler_ressources": "Contrôler les ressources",
    "controler_realisations": "Contrôler les réalisations",
    "controler_recettes": "Contrôler les recettes",
    "remplir_grille": "Remplir la grille de contrôle",
    "notifier_conclusions": "Notifier les conclusions",
    "recevoir_observations": "Recevoir des observations",
    "notifier_conclusions_finales": "Notifier les conclusions finales",
    "proposer_csf": "Proposer le contrôle à la validation",
    "renvoyer_csf": "Renvoyer le contrôle de service fait",
    "valider_csf": "Valider le contrôle de service fait",
    "rouvrir_csf": "Rouvrir le contrôle de service fait",
    "preparer_paiement": "Préparer un paiement",
    "ordonnancer_paiement": "Ordonnancer le paiement",
    "effectuer_paiement": "Enregistrer le virement",
    "annuler_paiement": "Annuler le paiement",
    "acquitter_paiement": "Enregistrer l’acquittement",
    "rejeter_paiement": "Enregistrer le rejet du virement",
    "emettre_ordre_reversement": "Émettre un ordre de reversement",
    "notifier_ordre_reversement": "Notifier l’ordre de reversement",
    "encaisser_reversement": "Encaisser un reversement",
    "contester_ordre_reversement": "Enregistrer une contestation",
    "trancher_contestation": "Trancher la contestation",
    "annuler_ordre_reversement": "Annuler l’ordre de reversement",
    "compenser_ordre_reversement": "Compenser l’ordre de reversement",
    "declarer_irrecouvrable": "Déclarer une créance irrécouvrable",
    "retablir_creance": "Rétablir une créance",
    "interrompre_delai": "Interrompre le délai de paiement",
    "reprendre_delai": "Reprendre le délai de paiement",
    "transmettre_etat": "Transmettre un état de dépenses",
    "enregistrer_certification": "Enregistrer une certification",
    "enregistrer_retrait": "Enregistrer un retrait de certification",
    "percevoir_contrepartie": "Enregistrer une perception",
    "affecter_contrepartie": "Affecter la contrepartie",
    "annuler_affectation": "Annuler une affectation",
    "repartir_contrepartie": "Répartir la contrepartie",
    "notifier_controle": "Enregistrer un contrôle d’opération",
    "rectifier_perimetre_controle": "Rectifier le périmètre du contrôle",
    "commencer_controle": "Commencer le contrôle",
    "annuler_controle": "Annuler le contrôle",
    "recevoir_rapport_provisoire": "Recevoir le rapport provisoire",
    "repondre_constat": "Répondre à un constat",
    "prolonger_delai_reponse": "Prolonger le délai de réponse",
    "recevoir_rapport_definitif": "Recevoir le rapport définitif",
    "rectifier_constat": "Rectifier un constat",
    "decider_suite_controle": "Décider une suite",
    "prolonger_suite_controle": "Prolonger le délai de la suite",
    "executer_suite_controle": "Exécuter la suite",
    "annuler_suite_controle": "Annuler la suite",
    "clore_suites_controle": "Clore les suites du contrôle",
    "clore_controle": "Clore le contrôle",
    "annuler_reprise": "Annuler la reprise",
    "importer_lot_depenses": "Importer un classeur de dépenses",
    "importer_lot_ressources": "Importer un classeur de ressources",
    "importer_lot_indicateurs": "Importer un classeur d’indicateurs",
    "importer_lot_contreparties": "Importer un classeur de contreparties",
    "annuler_lot_depenses": "Annuler le lot de dépenses",
    "annuler_lot_ressources": "Annuler le lot de ressources",
    "annuler_lot_indicateurs": "Annuler le lot d’indicateurs",
    "annuler_lot_contreparties": "Annuler le lot de contreparties",
    "annuler_perception": "Annuler une perception",
    "annuler_attribution": "Annuler l’attribution",
    "retirer_indicateur": "Retirer la valeur d’un indicateur",
    "ouvrir_dossier_audit": "Ouvrir un dossier d’audit",
    "figer_population": "Figer une population",
    "tirer_echantillon_audit": "Tirer un échantillon",
    "noter_constats": "Noter des constats",
    "corriger_constat": "Corriger un constat",
    "arreter_resultat": "Arrêter le résultat",
    "clore_dossier_audit": "Clore le dossier d’audit",
}


def lien_acte(
    nom: str, *cibles: UUID | int | str, retour: str | None = None, **valeurs: str
) -> str:
    """Return the address of a form.

    Args:
        nom: the act, by the name of its route in the JSON door.
        cibles: what it is about, in the order of the address of that route.
        retour: the page to come back to; that of the dossier by default.
        valeurs: first values of its fields.
    """
    chemin = "/".join([RACINE, nom, *map(str, cibles)])
    demande = {**({"retour": retour} if retour else {}), **valeurs}
    return f"{chemin}?{urlencode(demande)}" if demande else chemin


def permis(request: Request, nom: str) -> bool:
    """Tell whether whoever reads holds a role that may do an act; decisions may still refuse it."""
    identite = qui_lit(request)
    if identite is None or identite.lecture_seule:
        return False
    roles = DROITS[nom].roles
    return roles is None or any(a.role in roles for a in identite.attributions)


@pass_context
def peut(context: Context, nom: str) -> bool:
    """Tell the same in a template."""
    return permis(context["request"], nom)


@pass_context
def acte_fait(context: Context) -> str | None:
    """Return the title of the act that was just done, when the page was come back to after one."""
    return TITRES.get(context["request"].query_params.get("fait", ""))
