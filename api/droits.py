"""Who may do what: one line a route. A route without a line keeps the service from starting.

Source: separation of functions of an OI pivot (règlement (UE) n° 1303/2013, art. 72 b and 125 §7;
règlement (UE) 2021/1060, art. 74 §3). Which role does what is the choice of this service. What one
person may not do after another act is not here: decisions say it (`aggregates.separation`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Role = Literal[
    "gestionnaire_oi",
    "comptable_oi",
    "valideur_oi",
    "ordonnateur_oi",
    "directeur_plie",
    "auditeur",
    "administrateur",
]

GESTIONNAIRE: Role = "gestionnaire_oi"
COMPTABLE: Role = "comptable_oi"
VALIDEUR: Role = "valideur_oi"
ORDONNATEUR: Role = "ordonnateur_oi"
DIRECTEUR: Role = "directeur_plie"
AUDITEUR: Role = "auditeur"
ADMINISTRATEUR: Role = "administrateur"

#: What an account may be given, in the order in which one of them is taken when none is asked.
ROLES = (GESTIONNAIRE, COMPTABLE, VALIDEUR, ORDONNATEUR, DIRECTEUR, AUDITEUR, ADMINISTRATEUR)


@dataclass(frozen=True, slots=True)
class Regle:
    """Who may take a route.

    ``roles``: any of them, ``None`` for whoever has an account. ``renforcee``: with a second factor
    given a moment ago. ``trace``: what the traces say of who takes it. ``publique``: for everybody.
    """

    roles: tuple[Role, ...] | None = None
    renforcee: bool = False
    trace: Literal["export", "archive", "telechargement"] | None = None
    publique: bool = False
    #: Whoever must still install a second factor may take it.
    sans_second_facteur: bool = False


def _pour(*roles: Role) -> Regle:
    return Regle(roles)


PUBLIQUE = Regle(publique=True)
CONNECTE = Regle()
#: One's own account: also before the second factor is there.
SON_COMPTE = Regle(sans_second_facteur=True)

LECTEURS = _pour(GESTIONNAIRE, COMPTABLE, VALIDEUR, ORDONNATEUR, DIRECTEUR, AUDITEUR)
#: Readers of what concerns the OI as a whole.
OI = _pour(GESTIONNAIRE, COMPTABLE, VALIDEUR, ORDONNATEUR, AUDITEUR)
GESTION = _pour(GESTIONNAIRE)
MAQUETTE = _pour(GESTIONNAIRE, ORDONNATEUR)
COMPTA = _pour(COMPTABLE)
SIGNATURE = _pour(ORDONNATEUR)
BILANS = _pour(GESTIONNAIRE, COMPTABLE)
AUDIT = _pour(AUDITEUR)
ADMINISTRATION = _pour(ADMINISTRATEUR)


def _chacune(regle: Regle, noms: str) -> Iterable[tuple[str, Regle]]:
    return ((nom, regle) for nom in noms.split())


#: The rule of each route, by its name.
DROITS: Mapping[str, Regle] = dict(
    (
        *_chacune(PUBLIQUE, "vivant pret probleme openapi"),
        # Reading.
        *_chacune(
            LECTEURS,
            """
            maquette comparer_situations expliquer_chiffre couverture levier
            lister_subventions_globales lire_subvention_globale lister_enveloppes
            lister_contreparties lire_contrepartie lister_appels_a_projets lire_appel_a_projets
            lister_operations lire_operation lire_convention lister_depenses lire_depense
            lister_toutes_depenses
            lister_contreparties_de_l_operation lire_constats lire_constats_du_bilan
            expliquer_ecart expliquer_paiement expliquer recalculer
            lister_bilans_attendus lister_horloges lister_trop_percus
            lire_degagement lire_gestion_dynamique lire_previsions
            lister_controles_operation lister_suites_attendues lire_controle_operation
            lire_journal lire_evenement calculer_fse_du
            page_maquette page_dossier
            """,
        ),
        # Maquette.
        *_chacune(LECTEURS, "page_maquette_a_faire page_plie"),
        ("page_deposer_previsions", _pour(GESTIONNAIRE, DIRECTEUR)),
        *_chacune(MAQUETTE, "page_transfert page_essayer_transfert"),
        *_chacune(OI, "lister_reprises lire_reprise lister_ancrages lire_ancrage"),
        # Payments, where a figure comes from.
        *_chacune(
            LECTEURS,
            """
            lister_paiements lister_paiements_a_preparer lister_ordres_reversement
            lister_certifications page_paiements page_reversements page_certification page_paiement
            page_provenance page_recherche suggerer
            """,
        ),
        *_chacune(
            Regle(LECTEURS.roles, trace="export"),
            """
            exporter_paiements exporter_reversements exporter_certification exporter_provenance
            """,
        ),
        # Whose identity is shown is decided there.
        *_chacune(LECTEURS, "lire_personne lister_personnes_de_l_operation"),
        *_chacune(CONNECTE, "accueil lire_parametres page_aide page_glossaire"),
        # The form of an act: the rule is that of the route of the act itself.
        *_chacune(CONNECTE, "page_acte faire_acte"),
        *_chacune(LECTEURS, "ce_qui_attend"),
        ("telecharger_piece", Regle(LECTEURS.roles, trace="telechargement")),
        ("telecharger_archive", Regle((GESTIONNAIRE, AUDITEUR), trace="archive")),
        ("exporter_journal", Regle((AUDITEUR,), trace="export")),
        # Dépenses: pages.
        *_chacune(LECTEURS, "page_depenses page_une_depense"),
        ("voir_piece", Regle(LECTEURS.roles, trace="telechargement")),
        *_chacune(COMPTA, "page_choisir_dossier page_saisir_depenses saisir_depenses"),
        # The files of the lists (dépenses & exports).
        *_chacune(
            Regle(LECTEURS.roles, trace="export"),
            """
            exporter_liste_operations exporter_liste_depenses exporter_liste_maquette
            exporter_liste_enveloppes exporter_liste_contreparties exporter_liste_appels_a_projets
            exporter_liste_journal exporter_liste_histoire exporter_liste_bilans_attendus
            exporter_liste_horloges exporter_liste_trop_percus exporter_liste_suites_attendues
            exporter_liste_csf exporter_liste_lots
            """,
        ),
        ("exporter_liste_comptes", Regle((ADMINISTRATEUR,), trace="export")),
        ("exporter_liste_traces", Regle((ADMINISTRATEUR, AUDITEUR), trace="export")),
        # The grant.
        *_chacune(
            MAQUETTE,
            """
            conventionner_subvention_globale signer_avenant_subvention_globale ouvrir_tranche
            notifier_enveloppe constituer_reserve decider_transfert fixer_objectif_certification
            """,
        ),
        *_chacune(
            GESTION,
            """
            attribuer_contrepartie publier_appel_a_projets clore_appel_a_projets annuler_reprise
            affecter_contrepartie annuler_affectation repartir_contrepartie
            annuler_attribution retirer_indicateur
            """,
        ),
        *_chacune(BILANS, "percevoir_contrepartie annuler_perception"),
        ("deposer_previsions_plie", _pour(GESTIONNAIRE, DIRECTEUR)),
        # The operation.
        *_chacune(
            GESTION,
            """
            deposer_dossier demander_complement recevoir_complement prononcer_recevabilite
            prononcer_irrecevabilite retirer_dossier designer_contact retirer_contact
            ouvrir_instruction rouvrir_instruction rectifier_dossier instruire_plan rendre_avis_agd
            programmer_operation ajourner_operation refuser_operation deprogrammer_operation
            notifier_decision notifier_convention demander_avenant programmer_avenant
            abandonner_avenant demarrer_operation constater_fin_de_realisation
            renseigner_indicateur abandonner_operation resilier_operation solder_operation
            clore_suites cloturer_operation archiver_dossier
            enregistrer_personne rectifier_personne effacer_personne
            """,
        ),
        *_chacune(GESTION, "tenir_seance page_nouvelle_operation page_comite"),
        *_chacune(GESTION, "page_effet_seance tenir_une_seance"),
        # The list of operations, and what a session decided.
        *_chacune(LECTEURS, "page_operations page_releve_de_decisions page_contreparties"),
        ("rendre_avis_plie", _pour(GESTIONNAIRE, DIRECTEUR)),
        ("valider_rapport", _pour(VALIDEUR)),
        *_chacune(SIGNATURE, "signer_convention signer_avenant"),
        # Dépenses, bilans, contrôle de service fait.
        *_chacune(COMPTA, "declarer_depense declarer_depenses corriger_depense annuler_depense"),
        ("joindre_pieces_depense", BILANS),
        ("deposer_bilan", BILANS),
        *_chacune(
            GESTION,
            """
            juger_recevable renvoyer_bilan reclamer_bilan clore_office interrompre_delai
            reprendre_delai ouvrir_csf controler_depenses controler_ressources
            controler_realisations controler_recettes tirer_echantillon decider_extrapolation
            remplir_grille corriger_marche corriger_fse notifier_conclusions recevoir_observations
            notifier_conclusions_finales proposer_csf
            """,
        ),
        # Contrôles (CSF): pages.
        *_chacune(LECTEURS, "page_controles page_csf page_rapport_csf"),
        *_chacune(GESTION, "decider_lignes remplir_la_grille"),
        *_chacune(_pour(VALIDEUR), "valider_csf renvoyer_csf"),
        ("rouvrir_csf", _pour(GESTIONNAIRE, VALIDEUR)),
        # Payments: prepared, then ordered with a fresh second factor, then sent.
        *_chacune(
            COMPTA,
            """
            preparer_paiement effectuer_paiement acquitter_paiement rejeter_paiement
            emettre_ordre_reversement notifier_ordre_reversement annuler_ordre_reversement
            compenser_ordre_reversement encaisser_reversement contester_ordre_reversement
            transmettre_etat enregistrer_certification enregistrer_retrait
            """,
        ),
        ("ordonnancer_paiement", Regle((ORDONNATEUR,), renforcee=True)),
        ("annuler_paiement", _pour(ORDONNATEUR, COMPTABLE)),
        *_chacune(SIGNATURE, "declarer_irrecouvrable retablir_creance trancher_contestation"),
        # Controls of operations, audits.
        *_chacune(
            GESTION,
            """
            notifier_controle commencer_controle rectifier_perimetre_controle
            recevoir_rapport_provisoire prolonger_delai_reponse repondre_constat
            recevoir_rapport_definitif rectifier_constat decider_suite_controle
            executer_suite_controle prolonger_suite_controle annuler_suite_controle
            clore_suites_controle clore_controle annuler_controle
            """,
        ),
        *_chacune(
            AUDIT,
            """
            ouvrir_dossier_audit lister_dossiers_audit lire_dossier_audit clore_dossier_audit
            lire_journal_de_l_audit figer_population lire_population tirer_echantillon_audit
            lire_echantillon noter_constats corriger_constat arreter_resultat
            """,
        ),
        *_chacune(
            Regle((AUDITEUR,), trace="export"), "lister_population lister_echantillon lire_document"
        ),
        ("ancrer_journal", _pour(GESTIONNAIRE, AUDITEUR, ADMINISTRATEUR)),
        # Audit: what is read of the log, what proves it, controls received, working files.
        *_chacune(
            LECTEURS,
            "page_rejeu page_histoire page_journal page_evenement page_controles_operation "
            "page_controle_operation",
        ),
        ("exporter_controles_operation", Regle(LECTEURS.roles, trace="export")),
        *_chacune(_pour(GESTIONNAIRE, AUDITEUR), "page_audit page_verification page_archives"),
        *_chacune(AUDIT, "page_dossiers_audit page_dossier_audit page_echantillon noter_la_grille"),
        ("exporter_echantillon", Regle((AUDITEUR,), trace="export")),
        # Long works: asked under the rule of what they do, read by who asked.
        *_chacune(
            _pour(GESTIONNAIRE, AUDITEUR),
            "lancer_verification lancer_comparaison page_lancer_verification "
            "page_lancer_comparaison",
        ),
        *_chacune(
            Regle((GESTIONNAIRE, AUDITEUR), trace="archive"), "lancer_archive page_lancer_archive"
        ),
        *_chacune(
            Regle((AUDITEUR,), trace="export"), "lancer_export_journal page_lancer_export_journal"
        ),
        *_chacune(
            LECTEURS,
            """
            lister_travaux lire_travail annuler_travail relancer_travail
            page_travaux page_travail annuler_mon_travail relancer_mon_travail
            """,
        ),
        *_chacune(
            Regle(LECTEURS.roles, trace="telechargement"),
            "telecharger_fichier_de_travail telecharger_mon_fichier",
        ),
        # Lots: workbooks imported, whole or not at all.
        *_chacune(LECTEURS, "lister_lots lire_lot lister_lignes_du_lot page_lots page_lot"),
        *_chacune(
            BILANS,
            """
            telecharger_modele regarder_classeur
            page_import page_modele deposer_classeur page_apercu_import telecharger_annote
            confirmer_import abandonner_import
            """,
        ),
        *_chacune(COMPTA, "importer_lot_depenses annuler_lot_depenses"),
        # As the bilan that goes with them: who files it, who sends it back.
        ("importer_lot_ressources", BILANS),
        ("annuler_lot_ressources", GESTION),
        *_chacune(
            GESTION,
            """
            importer_lot_indicateurs importer_lot_contreparties
            annuler_lot_indicateurs annuler_lot_contreparties
            """,
        ),
        # What goes with any act.
        (
            "deposer_piece",
            _pour(GESTIONNAIRE, COMPTABLE, VALIDEUR, ORDONNATEUR, DIRECTEUR, AUDITEUR),
        ),
        ("essayer", _pour(GESTIONNAIRE, COMPTABLE, VALIDEUR, ORDONNATEUR)),
        # Ways in. Who is not in yet, one's own account, those of others.
        *_chacune(
            PUBLIQUE,
            """
            page_accessibilite page_connexion connecter page_second_facteur donner_second_facteur
            page_activation activer_compte deconnecter page_connexion_oidc page_retour_oidc
            """,
        ),
        *_chacune(
            SON_COMPTE,
            """
            lire_session fermer_session renforcer_session lister_sessions fermer_une_session
            page_compte page_renforcer renforcer page_mot_de_passe changer_mot_de_passe
            page_installer_second_facteur preparer_second_facteur installer_second_facteur
            revoquer_session revoquer_sessions
            """,
        ),
        *_chacune(
            CONNECTE,
            """
            lister_jetons creer_jeton revoquer_jeton page_creer_jeton creer_mon_jeton
            revoquer_mon_jeton renouveler_codes_secours
            """,
        ),
        *_chacune(
            ADMINISTRATION,
            """
            lister_comptes lire_compte ouvrir_compte retirer_role
            noter_mise_a_disposition lever_mise_a_disposition suspendre_compte retablir_compte
            fermer_compte fermer_sessions_compte effacer_compte
            page_comptes page_un_compte page_ouvrir_compte ouvrir_un_compte
            retirer_un_role noter_une_mise_a_disposition lever_une_mise_a_disposition
            suspendre_un_compte retablir_un_compte fermer_un_compte
            fermer_des_sessions effacer_un_compte
            """,
        ),
        # What would let an administrator, or whoever took their place, come in as somebody else.
        *_chacune(
            Regle((ADMINISTRATEUR,), renforcee=True),
            """
            attribuer_role rectifier_identite_compte reactiver_compte retirer_second_facteur_compte
            attribuer_un_role rectifier_une_identite reactiver_un_compte retirer_un_second_facteur
            """,
        ),
        *_chacune(_pour(ADMINISTRATEUR, AUDITEUR), "lister_traces page_traces"),
    )
)
