"""What each event says to a person: one French sentence, with the figures that matter.

A sentence is a template over the fields of the fact. After the colon comes the name of a closed
list, to say its words, one of the formats of ``_FORMATS``, or the words that a number counts,
``{depenses:dépense(s)}``; days are written JJ/MM/AAAA.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from string import Formatter
from typing import Any

import aggregates.appel_a_projets.events
import aggregates.audit.events
import aggregates.compte.events
import aggregates.contrepartie.events
import aggregates.controle_operation.events
import aggregates.convention.events
import aggregates.depense.events
import aggregates.lot.events
import aggregates.operation.events
import aggregates.personne.events
import aggregates.registre.events
import aggregates.reprise.events
import aggregates.subvention_globale.events  # noqa: F401 - these imports fill the vocabulary
from aggregates.personne.events import NATURES as NATURES_DE_PERSONNE
from oi_service.codec import REGISTRY, Evenement
from oi_service.errors import french_euros
from oi_service.francais import compter
from rules.controle_operation import (
    AUTEURS,
    ISSUES,
    MESURES,
    NATURES,
    ORGANISMES,
    REPONSES,
    RESPONSABLES,
    RESULTATS,
)
from rules.controle_operation import MODALITES as MODALITES_DE_CONTROLE
from rules.eligibilite import MOTIFS
from rules.grille import POINTS
from rules.nomenclature import POSTES, RESSOURCES
from rules.reprise import LIBELLES as ANOMALIES_DE_REPRISE

INSTANCES: Mapping[str, str] = {
    "conseil_administration_oi": "conseil d’administration de l’OI",
    "comite_programmation_oi": "comité de programmation de l’OI",
    "comite_pilotage_plie": "comité de pilotage du PLIE",
}
AVIS: Mapping[str, str] = {"favorable": "favorable", "defavorable": "défavorable"}
CONTRAINTES: Mapping[str, str] = {
    "plafond": "montant maximal de la convention",
    "taux": "taux de la convention",
    "besoin": "besoin de financement",
    "hors_nature": "dépenses hors contributions en nature",
}
ROLES: Mapping[str, str] = {
    "gestionnaire_oi": "gestionnaire de l’OI",
    "comptable_oi": "comptable de l’OI",
    "valideur_oi": "valideur de l’OI",
    "ordonnateur_oi": "ordonnateur de l’OI",
    "directeur_plie": "direction du PLIE",
    "auditeur": "auditeur",
    "administrateur": "administrateur",
    "systeme": "service",
}
TYPES_DE_BILAN: Mapping[str, str] = {"intermediaire": "intermédiaire", "final": "final"}
MODALITES: Mapping[str, str] = {
    "exhaustif": "sur toutes les pièces",
    "echantillon": "par échantillon",
}
FONDEMENTS: Mapping[str, str] = {
    "convention": "prévue par la convention",
    "accord_ecrit": "accord écrit du bénéficiaire",
}
CORRECTIONS_FSE: Mapping[str, str] = {
    "publicite": "défaut de publicité",
    "refaction_indicateurs": "réfaction pour indicateurs non atteints",
}
TRAITEMENTS_RECETTES: Mapping[str, str] = {
    "deduites": "déduites du coût",
    "ressource": "comptées comme une ressource",
    "exemptees": "sans effet sur le calcul",
}
INTERRUPTIONS: Mapping[str, str] = {
    "montant_non_du": "montant qui n’est pas dû",
    "piece_manquante": "pièce manquante",
    "suspicion_irregularite": "suspicion d’irrégularité",
}
#: What a PLIE foresees, quarter by quarter.
MESURES_PREVUES: Mapping[str, str] = {
    "fse_programme": "programmé",
    "fse_declare": "déclaré",
    "fse_retenu_csf": "retenu après contrôle",
    "fse_certifie": "certifié",
}
DEMANDEURS: Mapping[str, str] = {
    "personne_concernee": "la personne concernée",
    "responsable_de_traitement": "le responsable de traitement",
    "autorite_de_controle": "l’autorité de contrôle",
}
METHODES_DE_TIRAGE: Mapping[str, str] = {
    "simple": "aléatoire simple",
    "mus": "par unités monétaires",
    "stratifie": "stratifié",
}
MONTANTS_AUDITES: Mapping[str, str] = {
    "declare": "montant déclaré",
    "retenu": "montant retenu après contrôle",
}
NATURES_DE_LOT: Mapping[str, str] = {
    "depenses": "dépenses",
    "ressources": "ressources",
    "indicateurs": "indicateurs",
    "contreparties": "contreparties",
}
DEROGATIONS: Mapping[str, str] = {
    "aide_etat": "aide d’État",
    "commande_publique": "commande publique",
}

_LISTES: Mapping[str, Mapping[str, str]] = {
    "auteur": AUTEURS,
    "avis": AVIS,
    "methode_de_tirage": METHODES_DE_TIRAGE,
    "montant_audite": MONTANTS_AUDITES,
    "bilan": TYPES_DE_BILAN,
    "contrainte": CONTRAINTES,
    "correction_fse": CORRECTIONS_FSE,
    "demandeur": DEMANDEURS,
    "role": ROLES,
    "fondement": FONDEMENTS,
    "instance": INSTANCES,
    "interruption": INTERRUPTIONS,
    "mesure": MESURES,
    "modalite": MODALITES,
    "modalite_de_controle": MODALITES_DE_CONTROLE,
    "motif": MOTIFS,
    "organisme": ORGANISMES,
    "nature_de_lot": NATURES_DE_LOT,
    "nature_de_personne": NATURES_DE_PERSONNE,
    "poste": POSTES,
    "recettes": TRAITEMENTS_RECETTES,
    "reponse": REPONSES,
    "responsable": RESPONSABLES,
    "ressource": RESSOURCES,
    "resultat": RESULTATS,
}

_COUT = "{fse_centimes:euros} de FSE pour un coût total de {cout_total_centimes:euros}"

PHRASES: Mapping[str, str] = {
    # Subvention globale.
    "subvention_globale.conventionnee.v1": (
        "Convention de subvention globale n° {numero} entre {agd} et {oi_nom} : "
        "{fse_total_centimes:euros} de FSE, {plie:nombre} PLIE, programmation du "
        "{programmation.debut} au {programmation.fin}"
    ),
    "subvention_globale.avenant_signe.v1": (
        "Avenant n° {numero_avenant} à la subvention globale ({objet}) : le FSE passe de "
        "{fse_total_avant_centimes:euros} à {fse_total_apres_centimes:euros}, fin de programmation "
        "le {programmation_apres.fin}{ecarts:ecarts_de_maquette}"
    ),
    "subvention_globale.tranche_ouverte.v1": (
        "Tranche {annee} ouverte : {lignes:ligne(s)}, {lignes:total_fse} de FSE"
    ),
    "subvention_globale.enveloppe_plie_notifiee.v1": (
        f"Enveloppe notifiée ({{cellule.libelle}}) : {_COUT}"
    ),
    "subvention_globale.reserve_constituee.v1": (
        f"Réserve constituée ({{ligne.libelle}}) : {_COUT}"
    ),
    "subvention_globale.transfert_enveloppe_decide.v1": (
        "Transfert de {fse_centimes:euros} de FSE, de « {de.libelle} » vers « {vers.libelle} », "
        "décidé par : {instance:instance} ({pv_ref})"
    ),
    "subvention_globale.enveloppe_reservee.v1": (
        "{fse_centimes:euros} de FSE réservés sur l’enveloppe ({cellule.libelle})"
    ),
    "subvention_globale.enveloppe_liberee.v1": (
        "{fse_centimes:euros} de FSE rendus à l’enveloppe ({cellule.libelle})"
    ),
    "subvention_globale.objectif_certification_fixe.v1": (
        "Objectif de certification : {montant_cumule_centimes:euros} de FSE depuis le début au "
        "{date_limite}, dont {prefinancements_centimes:euros} couverts par les préfinancements "
        "(engagement {annee_engagement}{plie_id:du_plie}{axe:de_l_axe}"
        "{objectif_specifique:de_l_objectif}, {source})"
    ),
    "subvention_globale.prevision_deposee.v1": (
        "Prévisions du PLIE {plie_id} : {trimestres:previsions}"
    ),
    # Registre.
    "registre.cle_etablie.v1": "Clé de signature du journal établie : {cle}",
    "registre.cle_changee.v1": (
        "Clé de signature du journal changée après l’événement n° {depuis} "
        "({signature:signature_de_cle}) : {cle}"
    ),
    "registre.journal_ancre.v1": (
        "Journal ancré à l’événement n° {taille} : {destinations:destinations_de_l_ancre}"
    ),
    "registre.livres_verifies.v1": (
        "Livres vérifiés jusqu’à l’événement n° {jusqua_position} : {points:points_verifies}"
    ),
    "registre.projections_refaites.v1": (
        "Projections refaites depuis le journal jusqu’à l’événement n° {jusqua_position} et "
        "comparées : {empreintes:nombre} projections, écart : {differentes:liste}"
    ),
    # Appel à projets.
    "appel_a_projets.publie.v1": (
        "Appel à projets n° {numero} publié « {intitule} » : {fiches:fiche(s)} opération, "
        "dépôts du {date_ouverture} au {date_cloture}"
    ),
    "appel_a_projets.clos.v1": "Appel à projets clos",
    # Opération.
    "operation.dossier_depose.v1": (
        "Dossier n° {numero_mdfse} déposé par {beneficiaire.nom} sur la fiche {fiche_code}, "
        "« {intitule} » : {fse_demande_centimes:euros} de FSE demandés pour un coût total de "
        "{cout_total_centimes:euros}"
    ),
    "operation.complement_demande.v1": (
        "Compléments demandés avant le {echeance} : {pieces_attendues:liste}"
    ),
    "operation.complement_recu.v1": "Compléments reçus : {pieces_recues:liste}",
    "operation.recevabilite_prononcee.v1": "Dossier recevable",
    "operation.irrecevabilite_prononcee.v1": (
        "Dossier irrecevable : {fse_demande_centimes:euros} de FSE ne sont plus demandés"
    ),
    "operation.instruction_ouverte.v1": "Instruction ouverte",
    "operation.dossier_rectifie.v1": (
        "Dossier rectifié : « {intitule_apres} », réalisation du {periode_apres.debut} au "
        "{periode_apres.fin}"
    ),
    "operation.plan_financement_instruit.v1": (
        "Plan de financement instruit : {plan.fse_centimes:euros} de FSE pour un coût total de "
        "{plan.cout_total_centimes:euros}{plan.postes:formes}"
        "{derogation_couts_simplifies:derogation}{avertissements:avertissements}"
    ),
    "operation.rapport_instruction_valide.v1": (
        "Rapport d’instruction validé, avis {avis:avis} (instruit par {instructeur})"
    ),
    "operation.avis_plie_rendu.v1": "Avis {avis:avis} du PLIE ({instance})",
    "operation.avis_agd_rendu.v1": "Avis {avis:avis} de l’autorité de gestion ({instance})",
    "operation.programmee.v1": (
        f"Opération programmée par : {{instance:instance}} ({{pv_ref}}), {_COUT}"
    ),
    "operation.ajournee.v1": "Opération ajournée par : {instance:instance} ({pv_ref})",
    "operation.instruction_rouverte.v1": "Instruction rouverte",
    "operation.refusee.v1": "Opération refusée par : {instance:instance} ({pv_ref})",
    "operation.dossier_retire.v1": (
        "Dossier retiré par le porteur : {fse_demande_centimes:euros} de FSE ne sont plus demandés"
    ),
    "operation.deprogrammee.v1": (
        "Opération déprogrammée par : {instance:instance} ({pv_ref}), {fse_centimes:euros} de FSE "
        "rendus à l’enveloppe"
    ),
    "operation.decision_notifiee.v1": "Décision notifiée au porteur",
    "operation.conventionnee.v1": "Opération conventionnée sous le n° {numero_convention}",
    "operation.demarree.v1": "Opération démarrée (attestation {attestation_ref})",
    "operation.programmation_modifiee.v1": (
        "Programmation modifiée par l’avenant n° {avenant_numero} : {ecart_fse_centimes:ecart} de "
        "FSE, {ecart_cout_total_centimes:ecart} de coût total"
    ),
    "operation.realisation_terminee.v1": "Période de réalisation terminée le {fin}",
    "operation.indicateur_renseigne.v1": "Indicateur n° {indicateur} renseigné : {realise}",
    "operation.indicateur_retire.v1": (
        "Valeur de l’indicateur n° {indicateur} retirée : {realise}{retabli:retablie}"
    ),
    "operation.bilan_final_depose.v1": "Bilan final reçu",
    "operation.bilan_final_renvoye.v1": "Bilan final renvoyé au bénéficiaire",
    "operation.abandonnee.v1": "Opération abandonnée par le bénéficiaire",
    "operation.resiliee.v1": "Convention résiliée",
    "operation.soldee.v1": (
        "Opération soldée : {fse_du_centimes:euros} de FSE dus sur "
        "{fse_programme_centimes:euros} programmés, {reliquat_centimes:euros} rendus à l’enveloppe"
    ),
    "operation.suites_ouvertes.v1": (
        "Suites ouvertes : un contrôle de service fait est rouvert après le solde"
        "{controle_ref:suite_de}"
    ),
    "operation.suites_closes.v1": (
        "Suites closes : FSE dû {fse_du_apres_centimes:euros} (avant : "
        "{fse_du_avant_centimes:euros}), coût total retenu "
        "{cout_total_retenu_apres_centimes:euros} (avant : "
        "{cout_total_retenu_avant_centimes:euros})"
    ),
    "operation.cloturee.v1": "Opération clôturée",
    "operation.dossier_archive.v1": (
        "Dossier archivé ({lieu_archivage}), à conserver jusqu’au {date_limite_conservation}"
    ),
    "operation.contact_designe.v1": "Contact du bénéficiaire désigné : personne {personne_id}",
    "operation.contact_retire.v1": "Contact du bénéficiaire retiré : personne {personne_id}",
    # Personne.
    "personne.enregistree.v1": (
        "Personne enregistrée ({nature:nature_de_personne}), identité chiffrée"
    ),
    "personne.rectifiee.v1": "Identité de la personne rectifiée",
    "personne.rattachee.v1": "Personne rattachée à l’opération {operation_id}",
    "personne.effacee.v1": (
        "Personne effacée à la demande de : {demandeur:demandeur} ; ce qui fut écrit d’elle ne se "
        "lit plus"
    ),
    # Compte.
    "compte.ouvert.v1": "Compte « {identifiant} » ouvert",
    "compte.role_attribue.v1": (
        "Rôle attribué : {role:role}, {plies:territoire}, du {du}{au:jusqu_au}"
    ),
    "compte.role_retire.v1": "Rôle retiré : {role:role}",
    "compte.mise_a_disposition_notee.v1": (
        "Personne mise à disposition par le PLIE {plie_id}, du {du}{au:jusqu_au} : elle ne traite "
        "pas ses opérations"
    ),
    "compte.mise_a_disposition_levee.v1": "Mise à disposition par le PLIE {plie_id} levée",
    "compte.suspendu.v1": "Compte suspendu",
    "compte.retabli.v1": "Compte rétabli",
    "compte.ferme.v1": "Compte fermé",
    # Convention.
    "convention.signee.v1": (
        "Convention n° {numero} signée ({signataires:liste}) : {fse_max_centimes:euros} de FSE au "
        "plus pour un coût total éligible de {cout_total_eligible_centimes:euros}"
        "{plafonds_poste:plafonds}"
    ),
    "convention.notifiee.v1": (
        "Convention notifiée, en vigueur : {fse_max_centimes:euros} de FSE au plus pour un coût "
        "total éligible de {cout_total_eligible_centimes:euros}"
    ),
    "convention.avenant_demande.v1": "Avenant n° {numero} demandé",
    "convention.avenant_programme.v1": (
        "Avenant n° {numero} approuvé par : {instance:instance} ({pv_ref})"
    ),
    "convention.avenant_signe.v1": (
        "Avenant n° {numero} signé : {ecart_fse_centimes:ecart} de FSE, "
        "{ecart_cout_total_centimes:ecart} de coût total"
    ),
    "convention.avenant_abandonne.v1": "Avenant n° {numero} abandonné",
    "convention.bilan_depose.v1": (
        "Bilan {type:bilan} n° {numero} déposé, du {periode.debut} au {periode.fin} : "
        "{depenses:dépense(s)}{unites:unites_declarees}{livrables:livrables_declares}, "
        "{cout_total_declare_centimes:euros} déclarés, soit {fse_declare_centimes:euros} de FSE"
        "{recettes_nettes_centimes:recettes_nettes}"
    ),
    "convention.bilan_juge_recevable.v1": "Bilan jugé recevable : son contrôle peut commencer",
    "convention.bilan_reclame.v1": (
        "Bilan n° {numero} en retard, réclamé au bénéficiaire : réponse attendue jusqu’au "
        "{date_limite_reponse}"
    ),
    "convention.cloture_office_prononcee.v1": (
        "Clôture d’office, le bilan n° {numero} réclamé n’étant pas venu : FSE dû "
        "{fse_du_apres_centimes:euros} (avant : {fse_du_avant_centimes:euros}), coût total retenu "
        "{cout_total_retenu_apres_centimes:euros} (avant : "
        "{cout_total_retenu_avant_centimes:euros})"
    ),
    "convention.bilan_renvoye.v1": (
        "Bilan renvoyé au bénéficiaire : {cout_total_declare_centimes:euros} ne sont plus déclarés"
    ),
    "convention.csf_ouvert.v1": (
        "Contrôle de service fait ouvert par {controleur} (version {version}, {modalite:modalite})"
    ),
    "convention.echantillon_tire.v1": (
        "Échantillon tiré ({poste:poste}) : {tirage:pièce(s)} sur {population_nombre}, "
        "{tirage_centimes:euros} sur {population_centimes:euros}, graine « {graine} » "
        "({algorithme}). Justification : {justification:texte}"
    ),
    "convention.extrapolation_decidee.v1": (
        "Extrapolation décidée ({poste:poste}) : le taux d’écart du tirage s’applique aux pièces "
        "non tirées, {fondement:fondement}{accord_ref:reference}"
    ),
    "convention.marche_corrige.v1": "Marché {marche_ref} : {taux_pct:correction}",
    "convention.fse_corrige.v1": "FSE, {nature:correction_fse} : {taux_pct:correction}",
    "convention.realisations_controlees.v1": (
        "Réalisations contrôlées{unites:unites_controlees}{livrables:livrables_controles}"
    ),
    "convention.recettes_controlees.v1": (
        "Recettes nettes contrôlées : {retenues_centimes:euros} retenus sur "
        "{declarees_centimes:euros} déclarés, {traitement:recettes} ({fondement:texte})"
    ),
    "convention.grille_remplie.v1": "Grille de contrôle remplie : {points:grille}",
    "convention.ressources_controlees.v1": (
        "{ressources:ressource(s) contrôlée(s)} : {ressources:total_retenu} retenus sur "
        "{ressources:total_declare} déclarés{ressources:ressources_reduites}"
    ),
    "convention.conclusions_intermediaires_notifiees.v1": (
        "Conclusions intermédiaires notifiées au bénéficiaire{fse_retenu_centimes:annonce}"
        "{fse_demande_centimes:demande}, réponse attendue jusqu’au {date_limite_reponse}"
    ),
    "convention.observations_recues.v1": "Observations du bénéficiaire reçues",
    "convention.conclusions_finales_notifiees.v1": (
        "Conclusions finales notifiées au bénéficiaire"
    ),
    "convention.csf_propose.v1": (
        "Contrôle de service fait proposé à la validation par {controleur} : "
        "FSE dû {fse_du_cumule_centimes:euros} depuis le début"
    ),
    "convention.csf_renvoye.v1": "Contrôle de service fait renvoyé à qui contrôle, par {valideur}",
    "convention.csf_valide.v1": (
        "Contrôle de service fait, version {version}, validé par {valideur} : {postes:ecartes}, "
        "FSE dû {fse_du_cumule_centimes:euros} "
        "depuis le début, dont {fse_du_periode_centimes:euros} pour ce bilan (limité par : "
        "{contrainte_active:contrainte}){resultat:corrections}"
    ),
    "convention.csf_rouvert.v1": "Contrôle de service fait rouvert{controle_ref:suite_de}",
    "convention.paiement_prepare.v1": (
        "Paiement préparé ({type}) : {montant_centimes:euros}{remplace:remplace}"
    ),
    "convention.paiement_ordonnance.v1": (
        "Paiement ordonnancé ({type}) : {montant_centimes:euros}{remplace:remplace}"
    ),
    "convention.paiement_annule.v1": (
        "Paiement annulé avant son virement : {montant_centimes:euros}"
    ),
    "convention.paiement_effectue.v1": (
        "Paiement effectué ({type}) : {montant_centimes:euros}, virement {ref_virement}"
        "{compense_centimes:dont_compense}"
    ),
    "convention.paiement_acquitte.v1": (
        "Paiement acquitté : virement confirmé par la banque ({ref})"
    ),
    "convention.paiement_rejete.v1": (
        "Paiement rejeté par la banque ({type}) : {montant_centimes:euros}"
    ),
    "convention.ordre_reversement_emis.v1": (
        "Ordre de reversement émis : {montant_centimes:euros}, à régler avant le {echeance}"
    ),
    "convention.reversement_encaisse.v1": (
        "Reversement encaissé : {montant_centimes:euros} ({ref})"
    ),
    "convention.ordre_reversement_notifie.v1": "Ordre de reversement notifié au bénéficiaire",
    "convention.ordre_reversement_conteste.v1": (
        "Ordre de reversement contesté par le bénéficiaire"
    ),
    "convention.contestation_tranchee.v1": (
        "Contestation tranchée : l’ordre de reversement est maintenu"
    ),
    "convention.ordre_reversement_annule.v1": (
        "Ordre de reversement annulé : {montant_centimes:euros} ne sont plus réclamés"
    ),
    "convention.creance_irrecouvrable.v1": (
        "Créance irrécouvrable : {montant_centimes:euros} ne reviendront pas "
        "(décision {decision_ref})"
    ),
    "convention.creance_retablie.v1": (
        "Créance rétablie : {montant_centimes:euros} ne sont plus tenus pour irrécouvrables"
    ),
    "convention.compensation_operee.v1": (
        "Ordre de reversement compensé : {montant_centimes:euros} réglés par un paiement d’un "
        "autre dossier{par_numero:numero}"
    ),
    "convention.compensation_imputee.v1": (
        "Paiement compensé : {montant_centimes:euros} règlent ce qui est à reverser sur un "
        "autre dossier{pour_numero:numero}"
    ),
    "convention.delai_paiement_interrompu.v1": (
        "Délai de paiement interrompu, {cause:interruption} (notification {notification_ref})"
    ),
    "convention.delai_paiement_repris.v1": "Délai de paiement repris",
    "convention.etat_depenses_transmis.v1": (
        f"État de dépenses n° {{etat_no}} transmis à l’autorité de gestion : {_COUT}"
    ),
    "convention.depense_certifiee.v1": (
        f"Dépenses certifiées dans l’appel de fonds n° {{appel_de_fonds_no}} : {_COUT}"
    ),
    "convention.depense_retiree.v1": (
        f"Dépenses retirées de l’appel de fonds n° {{appel_de_fonds_no}} : {_COUT}"
    ),
    # Audit : dossiers de travail, lus par les seuls auditeurs.
    "audit.dossier_ouvert.v1": (
        "Dossier de travail {reference} ouvert ({organisme}, {mission}) : {perimetre:texte}"
    ),
    "audit.population_figee.v1": (
        "Population figée à l’événement n° {position}, {definition:population}, "
        "{montant:montant_audite} : {nombre:dépense(s)}, {total_centimes:euros}, dont "
        "{a_part_nombre:mise(s)} à part ({a_part_centimes:euros}) ; empreinte {empreinte}"
    ),
    "audit.echantillon_tire.v1": (
        "Échantillon tiré, {methode:methode_de_tirage} (tirage n° {rang} de sa population"
        "{etend:etend_un_tirage}{remplace:remplace_un_tirage}) : {tirage:dépense(s)}, "
        "{tirage_centimes:euros}, graine « {graine} »{graine_origine:reference} ({algorithme})"
    ),
    "audit.constat_note.v1": (
        "Constat noté sur la dépense {depense_id} : {erreur_centimes:euros} en erreur sur "
        "{montant_centimes:euros} ({commentaire:texte})"
    ),
    "audit.constat_corrige.v1": (
        "Constat corrigé sur la dépense {depense_id} : {erreur_apres_centimes:euros} en erreur, "
        "{commentaire_apres:texte} ; avant : {erreur_avant_centimes:euros}, "
        "{commentaire_avant:texte}"
    ),
    "audit.resultat_arrete.v1": (
        "Résultat arrêté : {erreur_constatee_centimes:euros} en erreur dans le tirage, "
        "{erreur_projetee_centimes:euros} projetés sur {total_centimes:euros} pour l’information "
        "de l’auditeur, sans correction d’un bénéficiaire"
    ),
    "audit.dossier_clos.v1": "Dossier de travail clos : {conclusion:texte}",
    # Dépense.
    "depense.declaree.v1": (
        "Dépense déclarée : {detail.nature} ({detail.poste:poste}, pièce {detail.piece_ref}), "
        "{detail.montant_impute_centimes:euros}"
    ),
    "depense.corrigee.v1": (
        "Dépense corrigée ({apres.nature}, pièce {apres.piece_ref}) : de "
        "{avant.montant_impute_centimes:euros} à {apres.montant_impute_centimes:euros}"
    ),
    "depense.annulee.v1": "Dépense annulée : {montant_impute_centimes:euros}",
    "depense.regularisee.v1": (
        "Dépense régularisée : {montant_centimes:ecart} par la régularisation {regularisation_id}"
    ),
    "depense.pieces_jointes.v1": "Pièces jointes à la dépense",
    "depense.controlee.v1": (
        "Dépense contrôlée : {montant_retenu_centimes:euros} retenus et "
        "{montant_ecarte_centimes:euros} écartés{motif_code:cause}"
    ),
    # Contrepartie.
    "contrepartie.attribuee.v1": (
        "Contrepartie attribuée par {financeur} ({type:ressource}, {annee}) : "
        "{montant_centimes:euros}"
    ),
    "contrepartie.percue.v1": "Contrepartie perçue : {montant_centimes:euros} ({ref})",
    "contrepartie.affectee.v1": "Contrepartie affectée à une opération : {montant_centimes:euros}",
    "contrepartie.affectation_annulee.v1": (
        "Affectation de contrepartie annulée : {montant_centimes:euros}"
    ),
    "contrepartie.perception_annulee.v1": (
        "Perception de contrepartie annulée : {montant_centimes:euros} ({ref})"
    ),
    "contrepartie.attribution_annulee.v1": (
        "Attribution de contrepartie annulée : {montant_centimes:euros}"
    ),
    # Contrôle d’opération.
    "controle_operation.notifie.v1": (
        "Contrôle d’opération {reference} notifié par : {organisme:organisme}{organisme_nom:numero}"
        "{date_annoncee:annonce_pour}{perimetre:perimetre}"
    ),
    "controle_operation.perimetre_rectifie.v1": (
        "Périmètre du contrôle rectifié{apres:perimetre}{avant:perimetre_avant}"
    ),
    "controle_operation.commence.v1": "Contrôle commencé {modalite:modalite_de_controle}",
    "controle_operation.rapport_provisoire_recu.v1": (
        "Rapport provisoire {rapport_ref} reçu{constats:constats_proposes}"
        "{date_limite_reponse:reponse_jusqu_au}"
    ),
    "controle_operation.reponse_faite.v1": (
        "Constat n° {constat_numero} {reponse:reponse} par {auteur:auteur}{observations:detail}"
    ),
    "controle_operation.delai_reponse_prolonge.v1": (
        "Délai de réponse au rapport provisoire prolongé du {date_limite_avant} au "
        "{date_limite_apres} ({accord_ref})"
    ),
    "controle_operation.rapport_definitif_recu.v1": (
        "Rapport définitif {rapport_ref} reçu : {resultat:resultat}{constats:constats_tranches}"
        "{date_limite_suites:suites_jusqu_au}"
    ),
    "controle_operation.constat_rectifie.v1": (
        "Constat n° {constat_numero} rectifié ({rectification_ref}) : coût total "
        "{cout_total_apres_centimes:euros} (avant : {cout_total_avant_centimes:euros}), FSE "
        "{fse_apres_centimes:euros} (avant : {fse_avant_centimes:euros})"
        "{resultat_apres:resultat_du_controle}"
    ),
    "controle_operation.suite_decidee.v1": (
        "Suite du constat n° {constat_numero} décidée, {mesure:mesure} ({responsable:responsable}) "
        "avant le {echeance} : {action:texte}"
    ),
    "controle_operation.delai_suite_prolonge.v1": (
        "Délai d’une suite du constat n° {constat_numero} prolongé du {echeance_avant} au "
        "{echeance_apres} ({accord_ref})"
    ),
    "controle_operation.suite_executee.v1": (
        "Suite du constat n° {constat_numero} exécutée, {mesure:mesure}{liens:liens}"
        "{compte_rendu:detail}"
    ),
    "controle_operation.suite_annulee.v1": "Suite du constat n° {constat_numero} annulée",
    "controle_operation.suites_closes.v1": (
        "Suites du contrôle closes : {cout_total_corrige_centimes:euros} de coût total et "
        "{fse_corrige_centimes:euros} de FSE corrigés"
    ),
    "controle_operation.clos.v1": "Contrôle clos ({cloture_ref})",
    "controle_operation.annule.v1": "Contrôle annulé",
    # Lot.
    "lot.importe.v1": (
        "Lot importé d’un classeur de {nature:nature_de_lot} : {lignes:ligne(s)} sur "
        "{lignes_lues} lues{total_centimes:pour_un_montant}{ecartees:lignes_ecartees}"
    ),
    "lot.annule.v1": (
        "Lot de {nature:nature_de_lot} annulé : {annulees:acte(s) annulé(s)}"
        "{total_centimes:pour_un_montant}{deja_annulees:deja_annules}"
    ),
    # Reprise.
    "reprise.operation_reprise.v1": (
        "Opération reprise de la liste {source.fichier} (ligne {source.ligne}) : « {intitule} », "
        "{beneficiaire}, {programme}, programmée le {date_programmation}, "
        "{fse_centimes:euros} de FSE pour un coût total éligible de "
        "{cout_total_eligible_centimes:euros}{anomalies:anomalies}"
    ),
    "reprise.annulee.v1": (
        "Reprise annulée : {fse_centimes:euros} de FSE pour un coût total éligible de "
        "{cout_total_eligible_centimes:euros} ne sont plus comptés"
    ),
}


def _ecart(centimes: int) -> str:
    return f"{'+' if centimes > 0 else ''}{french_euros(centimes)}"


def _cause(motif_code: str | None) -> str:
    return f" ({MOTIFS.get(motif_code, motif_code)})" if motif_code else ""


def _total(champ: str) -> Callable[[Sequence[Any]], str]:
    return lambda lignes: french_euros(sum(getattr(ligne, champ) for ligne in lignes))


def _nombre(valeur: Decimal) -> str:
    """Write a quantity or a rate for a French reader, without zeros that say nothing."""
    return f"{valeur.normalize():f}".replace(".", ",")


def _si(modele: str, dire: Callable[[Any], str] = str) -> Callable[[Any], str]:
    """Say something only where there is something to say."""
    return lambda valeur: modele.format(dire(valeur)) if valeur else ""


def _connu(modele: str) -> Callable[[int | None], str]:
    """Say an amount, zero included, that older facts did not carry."""
    return lambda centimes: "" if centimes is None else modele.format(french_euros(centimes))


def _liste(avant: str, dire: Callable[[Any], str]) -> Callable[[Sequence[Any]], str]:
    """Say each value of a list after a few words; nothing of an empty list."""
    return _si(avant + "{}", lambda valeurs: " ; ".join(dire(v) for v in valeurs))


def _forme(poste: Any) -> str:
    """Say under which form a poste is reimbursed."""
    nom = poste.libelle or POSTES.get(poste.code, poste.code)
    if poste.mode == "forfait":
        bases = ", ".join(POSTES.get(code, code) for code in poste.assiette)
        return f"{nom}, {_nombre(poste.taux_pct or Decimal(0))} % de : {bases}"
    if poste.mode == "cout_unitaire":
        cout = french_euros(poste.cout_unite_centimes or 0)
        return f"{nom}, {_nombre(poste.unites or Decimal(0))} × {cout} ({poste.unite or 'unité'})"
    return f"{nom}, {compter(len(poste.livrables), 'livrable(s)')}"


def _formes(postes: Sequence[Any]) -> str:
    """Say which postes are not at real cost."""
    simplifies = [p for p in postes if p.mode != "reel"]
    return _liste(". Coûts simplifiés : ", _forme)(simplifies)


def _plafond(plafond: Any) -> str:
    nom = POSTES.get(plafond.code, plafond.code)
    return (
        f"{nom}, {french_euros(plafond.montant_centimes)}, "
        f"tolérance de {_nombre(plafond.tolerance_pct)} %"
    )


def _unites(unites: Any) -> str:
    return (
        f"{POSTES.get(unites.poste, unites.poste)}, "
        f"{compter(unites.retenues, 'unité(s) retenue(s)')} "
        f"sur {_nombre(unites.declarees)}{_cause(unites.motif_code)}"
    )


def _livrable(livrable: Any) -> str:
    if livrable.atteint:
        return f"{livrable.id} atteint, {french_euros(livrable.montant_centimes)}"
    return (
        f"{livrable.id} non atteint, rien sur {french_euros(livrable.montant_centimes)}"
        f"{_cause(livrable.motif_code)}"
    )


def _correction(taux: Decimal) -> str:
    return f"correction forfaitaire de {_nombre(taux)} %" if taux else "aucune correction"


def _grille(points: Sequence[Any]) -> str:
    """Count the answers, and name each point that does not conform."""
    non_conformes = [p for p in points if p.reponse == "non_conforme"]
    dits = [
        f"n° {p.numero} {POINTS.get(p.numero, '')}" + _si(" ({})")((p.commentaire or "").strip())
        for p in non_conformes
    ]
    conformes = sum(p.reponse == "conforme" for p in points)
    compte = ", ".join(
        (
            compter(len(points), "point(s)"),
            compter(conformes, "conforme(s)"),
            compter(len(dits), "non conforme(s)"),
        )
    )
    return f"{compte} : {' ; '.join(dits)}" if dits else compte


def _ressources_reduites(ressources: Sequence[Any]) -> str:
    """Name each resource that is not retained for what was declared, and why."""
    return _liste(
        " : ",
        lambda r: (
            f"{r.financeur}, {french_euros(r.montant_retenu_centimes)} sur "
            f"{french_euros(r.montant_declare_centimes)}"
            + _si(" ({})")((r.motif or "").rstrip("."))
        ),
    )([r for r in ressources if r.montant_retenu_centimes != r.montant_declare_centimes])


def _ecartes(postes: Sequence[Any]) -> str:
    """Say what the lines of the bilan lose in this version of its control."""
    ecarte = sum(p.ecarte_centimes for p in postes)
    declare = sum(p.declare_centimes for p in postes)
    return f"{french_euros(ecarte)} écartés sur {french_euros(declare)}"


def _corrections(resultat: Any) -> str:
    """Say what the whole lost beyond its lines, since the start; nothing of an older control."""
    if resultat is None:
        return ""
    pertes = [
        ("extrapolation", sum(e.correction_centimes for e in resultat.extrapolations)),
        ("corrections de marché", sum(m.correction_centimes for m in resultat.marches)),
        ("écrêtement des postes", sum(p.ecrete_centimes for p in resultat.postes)),
        ("recettes nettes", resultat.recettes_nettes_centimes),
        *(
            (f"FSE, {CORRECTIONS_FSE.get(c.nature, c.nature)}", c.correction_centimes)
            for c in resultat.corrections_fse
        ),
    ]
    return _liste(
        ". Corrections d’ensemble depuis le début : ",
        lambda perte: f"{french_euros(perte[1])} ({perte[0]})",
    )([perte for perte in pertes if perte[1]])


def _perimetre(perimetre: Any) -> str:
    controle = sum(o.cout_total_controle_centimes for o in perimetre.operations)
    depenses = sum(len(o.depenses) for o in perimetre.operations)
    return (
        f"{compter(len(perimetre.operations), 'opération(s)')}, "
        f"{french_euros(controle)} de coût total contrôlé"
        + _si(", {}", lambda n: compter(n, "dépense(s) désignée(s)"))(depenses)
        + _si(", état de dépenses n° {}")(perimetre.etat_no)
        + _si(", échantillon {}")(perimetre.echantillon_id)
    )


def _constat_propose(constat: Any) -> str:
    return (
        f"n° {constat.numero} {NATURES.get(constat.nature, constat.nature)}, "
        f"{_correction_demandee(constat)}" + (", extrapolé" if constat.extrapole else "")
    )


def _constat_tranche(constat: Any) -> str:
    dit = f"n° {constat.numero} {ISSUES.get(constat.issue, constat.issue)}"
    return dit if constat.issue == "abandonne" else f"{dit}, {_correction_demandee(constat)}"


def _correction_demandee(constat: Any) -> str:
    return (
        f"{french_euros(constat.cout_total_centimes)} de coût total et "
        f"{french_euros(constat.fse_centimes)} de FSE"
    )


def _lien(lien: Any) -> str:
    """Name the fact of the convention that does a follow-up, and what of it counts here."""
    if lien.csf_id is not None:
        nom = f"version {lien.csf_version} du contrôle de service fait"
    elif lien.ordre_id is not None:
        return f"ordre de reversement, {french_euros(lien.fse_impute_centimes)} de FSE"
    else:
        nom = f"appel de fonds n° {lien.appel_de_fonds_no}"
    return (
        f"{nom}, {french_euros(lien.cout_total_impute_centimes)} de coût total et "
        f"{french_euros(lien.fse_impute_centimes)} de FSE"
    )


def _ecart_de_cellule(ecart: Any) -> str:
    sens = "+" if ecart.fse_centimes >= 0 else "−"
    return f"{ecart.cellule.libelle} {sens}{french_euros(abs(ecart.fse_centimes))} de FSE"


def _points_verifies(points: Sequence[Any]) -> str:
    rompus = [f"{p.code} ({p.ecarts})" for p in points if p.ecarts]
    dit = f", écarts : {', '.join(rompus)}" if rompus else ", tous tiennent"
    return f"{compter(len(points), 'point(s)')}{dit}"


def _signature_de_cle(signature: str | None) -> str:
    return "sans signature de la précédente" if signature is None else "signée par la précédente"


def _destination_de_l_ancre(destination: Any) -> str:
    dit = f"{destination.nature} {destination.ou}"
    if not destination.reussi:
        return f"{dit}, échec : {destination.detail}"
    return f"{dit} ({destination.detail})" if destination.detail else dit


def _prevision(prevue: Any) -> str:
    return (
        f"{prevue.annee} T{prevue.trimestre}, {MESURES_PREVUES[prevue.mesure]} "
        f"{french_euros(prevue.montant_centimes)}"
    )


def _population(definition: Any) -> str:
    match definition.portee:
        case "operation":
            return f"opération {definition.operation_id}"
        case "plie":
            return f"PLIE {definition.plie_id}"
        case "etat_depenses":
            return f"état de dépenses n° {definition.etat_no}"
        case _:
            return "toutes les dépenses"


_FORMATS: Mapping[str, Callable[[Any], str]] = {
    "euros": french_euros,
    "ecart": _ecart,
    "liste": lambda valeurs: ", ".join(valeurs) or "aucun",
    "nombre": lambda valeurs: str(len(valeurs)),
    "texte": lambda texte: texte.rstrip("."),
    "territoire": lambda plies: f"PLIE {', '.join(plies)}" if plies else "OI entier",
    "jusqu_au": lambda jour: "" if jour is None else f" au {jour:%d/%m/%Y}",
    "cause": _cause,
    "reference": _si(" ({})"),
    "suite_de": _si(", à la suite du contrôle {}"),
    "total_fse": _total("fse_centimes"),
    "total_declare": _total("montant_declare_centimes"),
    "total_retenu": _total("montant_retenu_centimes"),
    "formes": _formes,
    "derogation": _si(
        ". Coûts simplifiés non imposés : {}", lambda code: DEROGATIONS.get(code, code)
    ),
    "avertissements": _liste(". À vérifier : ", lambda texte: texte.rstrip(".")),
    "plafonds": _liste(". Postes plafonnés : ", _plafond),
    "unites_declarees": _liste(
        ", ", lambda u: f"{compter(u.quantite, 'unité(s)')} ({POSTES.get(u.poste, u.poste)})"
    ),
    "livrables_declares": _liste(", livrables atteints : ", str),
    "recettes_nettes": _si(", recettes nettes de {}", french_euros),
    "unites_controlees": _liste(". Unités : ", _unites),
    "livrables_controles": _liste(". Livrables : ", _livrable),
    "correction": _correction,
    "grille": _grille,
    "ressources_reduites": _ressources_reduites,
    "annonce": _connu(" : FSE de {}"),
    "demande": _connu(" sur {} demandés"),
    "corrections": _corrections,
    "ecartes": _ecartes,
    "numero": _si(", {}"),
    "ecarts_de_maquette": _liste(". Maquette : ", _ecart_de_cellule),
    "points_verifies": _points_verifies,
    "signature_de_cle": _signature_de_cle,
    "destinations_de_l_ancre": _liste("", _destination_de_l_ancre),
    "previsions": _liste("", _prevision),
    "du_plie": _si(", PLIE {}"),
    "de_l_axe": _si(", axe {}"),
    "de_l_objectif": _si(", {}"),
    "anomalies": _liste(
        ". Anomalies signalées : ", lambda a: ANOMALIES_DE_REPRISE.get(a.code, a.code)
    ),
    "annonce_pour": _si(", annoncé pour le {}", lambda jour: f"{jour:%d/%m/%Y}"),
    "perimetre": lambda perimetre: f" : {_perimetre(perimetre)}",
    "perimetre_avant": lambda perimetre: f" (avant : {_perimetre(perimetre)})",
    "constats_proposes": lambda constats: (
        _liste(" : ", _constat_propose)(constats) or ", sans constat"
    ),
    "constats_tranches": _liste(". Constats : ", _constat_tranche),
    "reponse_jusqu_au": _si(". Réponse attendue jusqu’au {}", lambda jour: f"{jour:%d/%m/%Y}"),
    "suites_jusqu_au": _si(". Suites attendues jusqu’au {}", lambda jour: f"{jour:%d/%m/%Y}"),
    "resultat_du_controle": _si(". Résultat : {}", lambda code: RESULTATS.get(code, code)),
    "liens": _liste(" : ", _lien),
    "detail": _si(" : {}", lambda texte: texte.rstrip(".")),
    "remplace": _si(", en remplacement du paiement rejeté {}"),
    "population": _population,
    "etend_un_tirage": _si(", étend le tirage {}"),
    "remplace_un_tirage": _si(", remplace le tirage {}"),
    "retablie": lambda valeur: "" if valeur is None else f", {_nombre(valeur)} compte de nouveau",
    "pour_un_montant": _si(", pour {}", french_euros),
    "lignes_ecartees": _si(", {}", lambda lignes: compter(len(lignes), "laissée(s) de côté")),
    "deja_annules": _si(", {}", lambda flux: compter(len(flux), "déjà annulé(s)")),
    "dont_compense": _si(", dont {} par compensation", french_euros),
}


class _Phrase(Formatter):
    """Understands the formats named at the top of the module."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec in _LISTES:
            return _LISTES[format_spec].get(value, str(value))
        if format_spec in _FORMATS:
            return _FORMATS[format_spec](value)
        if "(s)" in format_spec:
            return compter(value if isinstance(value, int) else len(value), format_spec)
        if isinstance(value, date):
            return value.strftime("%d/%m/%Y")
        if isinstance(value, Decimal):
            return f"{value:f}".replace(".", ",")
        return str(super().format_field(value, format_spec))


_PHRASE = _Phrase()


def phrase(fait: Evenement) -> str:
    """Say a fact in French, without who and when; its motif last."""
    champs = {nom: getattr(fait, nom) for nom in fait.__struct_fields__}
    dit = _PHRASE.vformat(PHRASES[REGISTRY.names[type(fait)]], (), champs)
    return f"{dit}. Motif : {fait.motif.rstrip('.')}." if fait.motif else f"{dit}."
