"""Facts, commands and states with sane defaults: a test says only what matters to its rule.

The world: PLIE « A » and « B » under one grant; an operation of 100 000,00 € for 2021, half of it
paid by the Fund.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar, get_args
from uuid import UUID

import msgspec
from fabrique_audit import CHAMPS as CHAMPS_DE_L_AUDIT
from fabrique_audit import SAISIES as SAISIES_DE_L_AUDIT

from aggregates.appel_a_projets.events import AppelAProjetsPublie, Fiche, Indicateur
from aggregates.appel_a_projets.publication import PublierAppelAProjets
from aggregates.appel_a_projets.state import APPEL_A_PROJETS, AppelAProjets
from aggregates.cadre import RESERVE, Cadre, Cellule, LigneMaquette
from aggregates.commande import Commande
from aggregates.contrepartie.affectation import AttribuerContrepartie
from aggregates.contrepartie.events import ContrepartieAttribuee
from aggregates.controle_operation import events as ko
from aggregates.controle_operation import notification as kn
from aggregates.controle_operation import rapports as kr
from aggregates.controle_operation import suites as ks
from aggregates.convention import events as ce
from aggregates.convention.avenants import DemanderAvenant
from aggregates.convention.bilans import DeposerBilan
from aggregates.convention.cloture_office import CloreOffice
from aggregates.convention.constatations import (
    ControlerRecettes,
    ControlerRessources,
    CorrigerFse,
    CorrigerMarche,
    RemplirGrille,
)
from aggregates.convention.echantillons import DeciderExtrapolation, TirerEchantillon
from aggregates.convention.paiements import PreparerPaiement
from aggregates.convention.signature import SignerConvention
from aggregates.convention.state import CONVENTION, Convention
from aggregates.depense.events import DepenseControlee, DepenseDeclaree, Detail
from aggregates.depense.pieces import JoindrePieces
from aggregates.depense.state import DEPENSE, Depense
from aggregates.lot.events import LigneDuLot, LotAnnule, LotImporte
from aggregates.operation import events as oe
from aggregates.operation.state import OPERATION, Operation, Statut
from aggregates.parametres import Parametres
from aggregates.personne import events as pe
from aggregates.plan import Livrable, PlanFinancement, Poste, Ressource
from aggregates.registre import events as ge
from aggregates.reprise.events import OperationReprise, RepriseAnnulee, SourceReprise
from aggregates.subvention_globale import events as se
from aggregates.subvention_globale.conventionnement import (
    ConventionnerSubventionGlobale,
    SignerAvenantSubventionGlobale,
)
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE, SubventionGlobale
from oi_service.codec import Evenement
from oi_service.dates import Periode
from oi_service.money import cents
from oi_service.personnes.donnee import DonneeChiffree
from rules.cofinancement import ConditionCofinancement
from rules.couts import OPTIONS
from rules.echantillon import ALGORITHME

E = TypeVar("E", bound=Evenement)
C = TypeVar("C", bound=Commande)

SUBVENTION_ID, APPEL_ID, OPERATION_ID, CONVENTION_ID = (UUID(int=n) for n in (1, 2, 3, 4))
BILAN_ID, CSF_ID, PAIEMENT_ID, ORDRE_ID = (UUID(int=n) for n in (5, 6, 7, 8))
DEPENSE_ID, AUTRE_DEPENSE_ID, CONTREPARTIE_ID, AUTRE_ID = (UUID(int=n) for n in (9, 10, 11, 12))

#: Who controls, where nothing says otherwise.
PAR = "gestionnaire-1"


def euros(montant: str | int) -> int:
    """Return whole cents of euros, written as people do: ``"1 234,56"``, or a whole number."""
    if isinstance(montant, int):
        return montant * 100
    return cents(montant.replace(" ", "").replace(",", "."))


PERSONNE_ID = UUID(int=13)
#: Ciphered for nobody: a decision never opens it.
IDENTITE = DonneeChiffree(personne=PERSONNE_ID, texte="AQ" + "x" * 40)
CADRE = Cadre(subvention_globale_id=SUBVENTION_ID, oi_id="oi-fictif", reglement="2014-2020")
LIGNE = LigneMaquette(annee=2021, axe="3", objectif_specifique="OS1", dispositif="parcours")
LIGNE_SAISIE = {"annee": 2021, "axe": "3", "objectif_specifique": "OS1", "dispositif": "parcours"}
CELLULE = Cellule(ligne=LIGNE, plie_id="A")
CELLULE_B = Cellule(ligne=LIGNE, plie_id="B")
CELLULE_RESERVE = Cellule(ligne=LIGNE, plie_id=RESERVE)
ANNEE_2021 = Periode(debut=date(2021, 1, 1), fin=date(2021, 12, 31))
PERIODE_SAISIE = {"debut": "2021-01-01", "fin": "2021-12-31"}


def ressource(kind: str, montant: str | int, financeur: str = "Financeur fictif") -> Ressource:
    """Return a resource of a plan."""
    return Ressource(type=kind, financeur=financeur, montant_centimes=euros(montant))


def plan(
    fse: str | int = 50_000, *ressources: Ressource, **postes: str | int | Poste
) -> PlanFinancement:
    """Return a plan; by default 100 000,00 € of staff, 40 000,00 € from an EPCI, the rest own.

    An amount is a poste at real cost; another form is said whole, see `poste`.
    """
    couts = postes or {"personnel": 100_000}
    dits = tuple(m if isinstance(m, Poste) else poste(c, m) for c, m in couts.items())
    if not ressources:
        propre = sum(p.montant_centimes for p in dits) - euros(fse) - euros(40_000)
        ressources = (ressource("publique_epci", 40_000), *_autofinancement(propre))
    return PlanFinancement(postes=dits, fse_centimes=euros(fse), ressources=ressources)


def poste(code: str, montant: str | int, **forme: Any) -> Poste:
    """Return a line of expenditure, at real cost unless ``forme`` says otherwise."""
    return Poste(code=code, montant_centimes=euros(montant), **forme)


def forfait(option: str, montant: str | int, taux: str, *assiette: str, **forme: Any) -> Poste:
    """Return a poste at a flat rate."""
    return poste(
        OPTIONS[option].poste,
        montant,
        **{
            "mode": "forfait",
            "option": option,
            "taux_pct": Decimal(taux),
            "assiette": assiette,
            **forme,
        },
    )


def parcours(unites: int = 120, euros_par_unite: int = 750) -> Poste:
    """Return a poste at unit cost, which covers all the rest."""
    return poste(
        "parcours",
        unites * euros_par_unite,
        mode="cout_unitaire",
        couvre=("personnel", "fonctionnement"),
        unite="parcours achevé",
        cout_unite_centimes=euros(euros_par_unite),
        unites=Decimal(unites),
    )


def livrables(**montants: int) -> Poste:
    """Return a poste of lump sums, one deliverable by name."""
    return poste(
        "montants_forfaitaires",
        sum(montants.values()),
        mode="montant_forfaitaire",
        couvre=("prestations",),
        livrables=tuple(
            Livrable(id=nom, libelle=f"Livrable {nom}", montant_centimes=euros(montant))
            for nom, montant in montants.items()
        ),
    )


def _autofinancement(centimes: int) -> tuple[Ressource, ...]:
    if centimes <= 0:
        return ()
    return (Ressource(type="autofinancement", financeur="Porteur", montant_centimes=centimes),)


PLAN = plan()


def saisie_du_plan(source: PlanFinancement) -> dict[str, Any]:
    """Return a plan as a person types it."""
    return {
        "postes": [_saisie_du_poste(p) for p in source.postes],
        "fse": _decimal(source.fse_centimes),
        "ressources": [
            {"type": r.type, "financeur": r.financeur, "montant": _decimal(r.montant_centimes)}
            for r in source.ressources
        ],
    }


def _saisie_du_poste(source: Poste) -> dict[str, Any]:
    saisie: dict[str, Any] = {
        "code": source.code,
        "montant": _decimal(source.montant_centimes),
        "mode": source.mode,
        "libelle": source.libelle,
        "option": source.option,
        "taux_pct": None if source.taux_pct is None else str(source.taux_pct),
        "assiette": list(source.assiette),
        "methode_ref": source.methode_ref,
        "couvre": list(source.couvre),
        "unite": source.unite,
        "unites": None if source.unites is None else str(source.unites),
        "livrables": [
            {"id": x.id, "libelle": x.libelle, "montant": _decimal(x.montant_centimes)}
            for x in source.livrables
        ],
    }
    if source.cout_unite_centimes is not None:
        saisie["cout_unite"] = _decimal(source.cout_unite_centimes)
    return {nom: valeur for nom, valeur in saisie.items() if valeur not in (None, [])}


def _decimal(centimes: int) -> str:
    return f"{centimes // 100}.{centimes % 100:02d}"


INDICATEUR = Indicateur(
    libelle="Participants",
    cible=Decimal(34),
    unite="personnes",
    comparateur=">=",
    pieces=("Feuille d’émargement",),
    mode="ou",
)
FICHE = Fiche(
    code="A1",
    titre="Accompagnement des parcours",
    plie_id="A",
    axe="3",
    objectif_specifique="OS1",
    dispositif="parcours",
    type_soutien="personnes",
    cible="Participants du PLIE",
    periode=ANNEE_2021,
    condition=None,
    indicateurs=(INDICATEUR,),
)
FICHE_SAISIE = {
    "code": "A1",
    "titre": "Accompagnement des parcours",
    "plie_id": "A",
    "axe": "3",
    "objectif_specifique": "OS1",
    "dispositif": "parcours",
    "type_soutien": "personnes",
    "cible": "Participants du PLIE",
    "periode": PERIODE_SAISIE,
    "indicateurs": [{"libelle": "Participants", "cible": "34", "unite": "personnes"}],
}
DETAIL = Detail(
    poste="personnel",
    nature="Salaire",
    tiers_ref="salarie-07",
    piece_ref="BS-2021-05",
    date_piece=date(2021, 5, 31),
    date_realisation=date(2021, 5, 31),
    date_engagement=None,
    date_acquittement=date(2021, 6, 1),
    preuve_acquittement="releve_bancaire",
    montant_ht_centimes=None,
    montant_ttc_centimes=None,
    tva_recuperable_centimes=None,
    cle=None,
    montant_impute_centimes=euros(1_000),
)
DETAIL_SAISI = {
    "poste": "personnel",
    "nature": "Salaire",
    "tiers_ref": "salarie-07",
    "piece_ref": "BS-2021-05",
    "date_piece": "2021-05-31",
    "date_realisation": "2021-05-31",
    "date_acquittement": "2021-06-01",
    "preuve_acquittement": "releve_bancaire",
    "montant_impute": "1000.00",
}
PARAMETRES = Parametres(
    avance_pct=Decimal(30),
    avance_plafond_centimes=None,
    types_beneficiaires_sans_avance=("collectivite", "opco", "etat"),
    plafond_avant_solde_pct=None,
    delai_contradictoire_jours=30,
    arrondi="demi_superieur",
)

#: What a fact carries where a test says nothing, by name of field.
_CHAMPS: dict[str, Any] = {
    "date_effet": date(2021, 12, 15),
    "cadre": CADRE,
    "operation_id": OPERATION_ID,
    "convention_id": CONVENTION_ID,
    "appel_a_projets_id": APPEL_ID,
    "bilan_id": BILAN_ID,
    "csf_id": CSF_ID,
    "paiement_id": PAIEMENT_ID,
    "ordre_id": ORDRE_ID,
    "oi_nom": "OI fictif",
    "agd": "Préfecture de région",
    "programme_cci": "2014FR05SFOP001",
    "programme": "PON FSE",
    "programmation": Periode(debut=date(2018, 1, 1), fin=date(2022, 12, 31)),
    "realisation": Periode(debut=date(2018, 1, 1), fin=date(2023, 12, 31)),
    "programmation_avant": Periode(debut=date(2018, 1, 1), fin=date(2022, 12, 31)),
    "programmation_apres": Periode(debut=date(2018, 1, 1), fin=date(2023, 6, 30)),
    "realisation_avant": Periode(debut=date(2018, 1, 1), fin=date(2023, 12, 31)),
    "realisation_apres": Periode(debut=date(2018, 1, 1), fin=date(2023, 12, 31)),
    "fse_total_centimes": euros(1_000_000),
    "fse_total_avant_centimes": euros(1_000_000),
    "fse_total_apres_centimes": euros(1_200_000),
    "plie": (se.Plie(plie_id="A", nom="PLIE A"), se.Plie(plie_id="B", nom="PLIE B")),
    "objectifs_specifiques": (se.ObjectifSpecifique(code="OS1", libelle="Parcours"),),
    "parametres": PARAMETRES,
    "numero_avenant": 1,
    "annee": 2021,
    "ligne": LIGNE,
    "cellule": CELLULE,
    "de": CELLULE,
    "vers": CELLULE_B,
    "lignes": (
        se.LigneTranche(
            ligne=LIGNE,
            fse_centimes=euros(400_000),
            contreparties_publiques_centimes=euros(400_000),
            contreparties_privees_centimes=0,
        ),
    ),
    "fse_centimes": euros(50_000),
    "cout_total_centimes": euros(100_000),
    "instance": "conseil_administration_oi",
    "pv_ref": "PV-2022-01",
    "numero": "N-1",
    "intitule": "Accompagnement vers l’emploi",
    "objet": "Accompagner des participants",
    "intitule_avant": "Accompagnement vers l’emploi",
    "intitule_apres": "Accompagnement renforcé",
    "objet_avant": "Accompagner des participants",
    "objet_apres": "Accompagner davantage",
    "periode": ANNEE_2021,
    "periode_avant": ANNEE_2021,
    "periode_apres": ANNEE_2021,
    "date_ouverture": date(2021, 12, 1),
    "date_cloture": date(2021, 12, 31),
    "fiches": (FICHE,),
    "fiche_code": "A1",
    "numero_mdfse": "202100007",
    "beneficiaire": oe.Beneficiaire(
        siret="73282932000074", nom="Bénéficiaire fictif n° 07", type="association"
    ),
    "type_beneficiaire": "association",
    "plan": PLAN,
    "fse_demande_centimes": euros(50_000),
    "condition": None,
    "indicateurs": (INDICATEUR,),
    "pieces_attendues": ("RIB",),
    "pieces_recues": ("RIB",),
    "echeance": date(2022, 6, 30),
    "avis": "favorable",
    "instructeur": "gestionnaire-1",
    "synthese": "Plan sincère.",
    "reserves": None,
    "ressources": PLAN.ressources,
    "deports": (),
    "fse_programme_centimes": 0,
    "cout_total_programme_centimes": 0,
    "numero_convention": "C-2022-01",
    "attestation_ref": "ATT-1",
    "avenant_numero": 1,
    "ecart_fse_centimes": euros(5_000),
    "ecart_cout_total_centimes": euros(10_000),
    "ressources_avant": PLAN.ressources,
    "ressources_apres": plan(55_000, personnel=110_000).ressources,
    "fin": date(2021, 12, 31),
    "indicateur": 1,
    "realise": Decimal(34),
    "remplace": None,
    "fse_du_centimes": euros(40_000),
    "cout_total_retenu_centimes": euros(80_000),
    "reliquat_centimes": euros(10_000),
    "lieu_archivage": "Armoire 3",
    "date_limite_conservation": date(2025, 12, 31),
    "base_calcul": "2014-2020",
    "reference": date(2022, 11, 15),
    "signataires": ("ordonnateur-1", "beneficiaire-07"),
    "fse_max_centimes": euros(50_000),
    "cout_total_eligible_centimes": euros(100_000),
    "avance_pct": Decimal(30),
    "avance_plafond_centimes": None,
    "plafond_avant_solde_pct": None,
    "arrondi": "demi_superieur",
    "bilans_prevus": (ce.BilanPrevu(numero=1, type="final", date_limite=date(2022, 6, 30)),),
    "date_limite_acquittement": date(2022, 6, 30),
    "depenses": (DEPENSE_ID,),
    "cout_total_declare_centimes": euros(1_000),
    "fse_declare_centimes": euros(500),
    "version": 1,
    "controleur": "gestionnaire-1",
    "valideur": "valideur-1",
    "modalite": "exhaustif",
    "date_limite_reponse": date(2022, 5, 15),
    "version_regles": "1",
    "postes_cumules": {"personnel": euros(1_000)},
    "ressources_cumulees": (),
    "cout_net_cumule_centimes": euros(80_000),
    "ressources_externes_centimes": 0,
    "c1_plafond_centimes": euros(50_000),
    "c2_taux_centimes": euros(40_000),
    "c3_besoin_centimes": euros(80_000),
    "c4_hors_nature_centimes": None,
    "contrainte_active": "taux",
    "fse_du_cumule_centimes": euros(40_000),
    "fse_du_periode_centimes": euros(40_000),
    "cout_total_retenu_periode_centimes": euros(80_000),
    "depenses_declarees_centimes": euros(80_000),
    "depenses_ecartees_centimes": 0,
    "autofinancement_constate_centimes": euros(40_000),
    "surfinancement_ecarte_centimes": 0,
    "montant_centimes": euros(15_000),
    "paye_avant_centimes": 0,
    "ref_virement": "VIR-1",
    "iban_masque": "FR76••••189",
    "ref": "REF-1",
    "etat_no": "ED-1",
    "appel_de_fonds_no": "AF-1",
    "exercice_comptable": "2022-2023",
    "detail": DETAIL,
    "avant": DETAIL,
    "apres": msgspec.structs.replace(DETAIL, montant_impute_centimes=euros(900)),
    "corrige_version": 1,
    "regularisation_id": AUTRE_DEPENSE_ID,
    "montant_impute_centimes": euros(1_000),
    "montant_declare_centimes": euros(1_000),
    "montant_retenu_centimes": euros(1_000),
    "montant_ecarte_centimes": 0,
    "motif_code": None,
    "commentaire": None,
    "pieces_vues": (),
    "financeur": "EPCI fictif",
    "plie_id": "A",
    "type": "final",
    "fse_du_avant_centimes": euros(40_000),
    "fse_du_apres_centimes": euros(35_000),
    "cout_total_retenu_avant_centimes": euros(80_000),
    "cout_total_retenu_apres_centimes": euros(70_000),
    "poste": "personnel",
    "population_nombre": 4,
    "population_centimes": euros(60_000),
    "tirage": (DEPENSE_ID,),
    "tirage_centimes": euros(1_000),
    "graine": "graine-1",
    "algorithme": ALGORITHME,
    "justification": "Pièces nombreuses.",
    "fondement": "convention",
    "accord_ref": None,
    "marche_ref": "M-1",
    "taux_pct": Decimal(25),
    "nature": "publicite",
    "unites": (),
    "livrables": (),
    "declarees_centimes": euros(7_350),
    "retenues_centimes": euros(7_350),
    "traitement": "deduites",
    "points": (ce.PointControle(numero=1, reponse="conforme", commentaire=None),),
    "controle_ref": None,
    "decision_ref": "DEC-1",
    "par_operation_id": AUTRE_ID,
    "par_paiement_id": UUID(int=13),
    "par_numero": "202100007",
    "pour_operation_id": AUTRE_ID,
    "pour_ordre_id": UUID(int=14),
    "pour_numero": "202100007",
    "cause": "piece_manquante",
    "notification_ref": "COURRIER-1",
    "identifiant": "compte-fictif",
    "attribution_id": UUID(int=15),
    "mise_id": UUID(int=16),
    "role": "gestionnaire_oi",
    "plies": (),
    "du": date(2021, 1, 1),
    "source": SourceReprise(fichier="liste.csv", sha256="ab" * 32, ligne=2),
    "code_postal": "33000",
    "date_programmation": date(2016, 3, 15),
    "pays": "FR",
    "categorie_intervention": None,
    "fonds": "FSE",
    "anomalies": (),
}
PERIMETRE_CONTROLE = ko.PerimetreControle(
    operations=(
        ko.OperationControlee(
            operation_id=OPERATION_ID, cout_total_controle_centimes=euros(10_000)
        ),
    ),
    etat_no="ED-1",
)
#: What the audit of an operation carries where a test says nothing.
_CONTROLE: dict[str, Any] = {
    "organisme": "autorite_audit",
    "organisme_nom": None,
    "reference": "CICC-2022-7",
    "perimetre": PERIMETRE_CONTROLE,
    "date_annoncee": None,
    "modalite": "sur_place",
    "avant": PERIMETRE_CONTROLE,
    "apres": PERIMETRE_CONTROLE,
    "rapport_ref": "RAPPORT-1",
    "constats": (),
    "constat_numero": 1,
    "auteur": "oi",
    "reponse": "accepte",
    "observations": None,
    "date_limite_avant": date(2022, 5, 15),
    "date_limite_apres": date(2022, 6, 15),
    "accord_ref": "COURRIER-1",
    "resultat": "sans_incidence",
    "date_limite_suites": date(2022, 9, 30),
    "rectification_ref": "COURRIER-2",
    "cout_total_avant_centimes": euros(1_000),
    "cout_total_apres_centimes": euros(800),
    "fse_avant_centimes": euros(500),
    "fse_apres_centimes": euros(400),
    "issue_avant": None,
    "issue_apres": None,
    "resultat_avant": None,
    "resultat_apres": None,
    "suite_id": UUID(int=21),
    "mesure": "recalcul_csf",
    "responsable": "oi",
    "action": "Rouvrir le contrôle de service fait",
    "echeance_avant": date(2022, 9, 30),
    "echeance_apres": date(2022, 10, 31),
    "compte_rendu": None,
    "liens": (),
    "cout_total_corrige_centimes": euros(1_000),
    "fse_corrige_centimes": euros(500),
    "cloture_ref": "COURRIER-9",
}
_POSTE_RETENU = ce.PosteRetenu(
    code="personnel",
    declare_centimes=euros(80_000),
    ecarte_centimes=0,
    retenu_centimes=euros(80_000),
)
#: The same, where one name means two things.
_CHAMPS_PAR_FAIT: dict[type[Evenement], dict[str, Any]] = {
    **CHAMPS_DE_L_AUDIT,
    se.ObjectifCertificationFixe: {
        "axe": "3",
        "objectif_specifique": "OS1",
        "annee_engagement": 2018,
        "date_limite": date(2021, 12, 31),
        "montant_cumule_centimes": euros(2_600_000),
        "prefinancements_centimes": euros(91_000),
        "source": "Courrier de l’autorité de gestion du 14/12/2020",
    },
    se.PrevisionDeposee: {
        "trimestres": (
            se.PrevisionTrimestre(
                annee=2022, trimestre=1, mesure="fse_declare", montant_centimes=euros(30_000)
            ),
        ),
    },
    ge.ProjectionsRefaites: {
        "jusqua_position": 6_040,
        "empreintes": (ge.Empreinte(projection="mouvement", lignes=2_512, empreinte="0" * 64),),
        "differentes": (),
        "duree_ms": 412,
        "version_code": "0.1.0",
        "empreinte_code": "0" * 64,
    },
    ge.LivresVerifies: {
        "jusqua_position": 6_040,
        "points": (ge.PointVerifie(code="M1", ecarts=0), ge.PointVerifie(code="M2", ecarts=1)),
        "duree_ms": 1_250,
        "version_code": "0.1.0",
    },
    ge.CleEtablie: {"cle": "A" * 43 + "="},
    ge.CleChangee: {"cle": "B" * 43 + "=", "depuis": 6_041, "signature": "C" * 86 + "=="},
    ge.JournalAncre: {
        "taille": 6_040,
        "racine": "D" * 43 + "=",
        "instant": "2022-12-20T03:00:12Z",
        "cle": "A" * 43 + "=",
        "destinations": (
            ge.DestinationAncre(
                nature="fichier", ou="ancre-000000006040.txt", reussi=True, detail=None
            ),
            ge.DestinationAncre(
                nature="courriel",
                ou="…@controle.example",
                reussi=False,
                detail="le serveur de courriel ne répond pas",
            ),
        ),
    },
    ce.AvenantDemande: {"numero": 1, "apres": ce.Termes(objet="Accompagner davantage")},
    ce.AvenantProgramme: {"numero": 1},
    ce.AvenantAbandonne: {"numero": 1},
    ce.AvenantSigne: {
        "numero": 1,
        "avant": ce.Termes(plan=PLAN),
        "apres": ce.Termes(plan=plan(55_000, personnel=110_000)),
    },
    ce.BilanDepose: {"numero": 1, "ressources": ()},
    ce.RessourcesControlees: {"ressources": ()},
    ce.CsfValide: {"postes": (_POSTE_RETENU,), "ressources": ()},
    ce.BilanReclame: {"numero": 1},
    ce.ClotureOfficePrononcee: {"numero": 1},
    ce.FseCorrige: {"taux_pct": Decimal(3)},
    ce.RecettesControlees: {"fondement": "Règlement (UE) n° 1303/2013, art. 65 §8"},
    ce.PaiementPrepare: {"type": "solde", "preparateur": "comptable-1"},
    ce.PaiementOrdonnance: {"type": "solde"},
    ce.PaiementEffectue: {"type": "solde"},
    ce.PaiementRejete: {"type": "solde"},
    ContrepartieAttribuee: {"type": "publique_epci"},
    oe.ContactDesigne: {"personne_id": PERSONNE_ID},
    oe.ContactRetire: {"personne_id": PERSONNE_ID},
    pe.PersonneEnregistree: {"nature": "contact_beneficiaire", "identite": IDENTITE},
    pe.PersonneRectifiee: {"identite": IDENTITE},
    pe.PersonneEffacee: {"demandeur": "personne_concernee", "malgre_conservation": False},
    OperationReprise: {
        "programme": "PO_FICTIF",
        "beneficiaire": "Bénéficiaire fictif n° 07",
        "date_effet": date(2016, 3, 15),
        "periode": Periode(debut=date(2016, 1, 1), fin=date(2016, 12, 31)),
    },
    RepriseAnnulee: {"date_effet": date(2016, 3, 15)},
    LotImporte: {
        "nature": "depenses",
        "modele_version": 3,
        "fichier_sha256": "cd" * 32,
        "fichier_format": "xlsx",
        "fichier_octets": 18_442,
        "lignes_lues": 1,
        "total_centimes": euros("120,50"),
        "total_controle_centimes": euros("120,50"),
        "lignes": (
            LigneDuLot(
                feuille="Dépenses", ligne=7, flux=DEPENSE_ID, montant_centimes=euros("120,50")
            ),
        ),
        "ecartees": (),
        "operations": (OPERATION_ID,),
        "plies": ("A",),
    },
    LotAnnule: {
        "nature": "depenses",
        "total_centimes": euros("120,50"),
        "annulees": (DEPENSE_ID,),
        "deja_annulees": (),
    },
    **dict.fromkeys(get_args(ko.Fait), _CONTROLE),
}


def fait(kind: type[E], **champs: Any) -> E:
    """Return a fact; what is not said has a default."""
    defauts = {**_CHAMPS, **_CHAMPS_PAR_FAIT.get(kind, {})}
    requis = [f.name for f in msgspec.structs.fields(kind) if f.required]
    return kind(**({nom: defauts[nom] for nom in requis if nom not in champs} | champs))


_SAISIES: dict[str, Any] = {
    "date_effet": "2021-12-15",
    "motif": "Motif de l’essai",
    "ligne": LIGNE_SAISIE,
    "lignes": [
        {
            **LIGNE_SAISIE,
            "fse": "400000.00",
            "contreparties_publiques": "400000.00",
            "contreparties_privees": "0.00",
        }
    ],
    "annee": 2021,
    "plie_id": "A",
    "fse": "50000.00",
    "cout_total": "100000.00",
    "de": {"ligne": LIGNE_SAISIE, "plie_id": "A"},
    "vers": {"ligne": LIGNE_SAISIE, "plie_id": "B"},
    "instance": "conseil_administration_oi",
    "pv_ref": "PV-2022-01",
    "intitule": "Accompagnement vers l’emploi",
    "objet": "Accompagner des participants",
    "appel_a_projets_id": APPEL_ID,
    "fiche_code": "A1",
    "numero_mdfse": "202100007",
    "beneficiaire": {
        "siret": "73282932000074",
        "nom": "Bénéficiaire fictif n° 07",
        "type": "association",
    },
    "annee_tranche": 2021,
    "periode": PERIODE_SAISIE,
    "plan": saisie_du_plan(PLAN),
    "pieces_attendues": ["RIB"],
    "pieces_recues": ["RIB"],
    "echeance": "2022-06-30",
    "avis": "favorable",
    "instructeur": "gestionnaire-1",
    "synthese": "Plan sincère.",
    "attestation_ref": "ATT-1",
    "indicateur": 1,
    "realise": "34",
    "lieu_archivage": "Armoire 3",
    "reference": "2022-11-15",
    "numero": 1,
    "montant": "15000.00",
    "bilan_id": BILAN_ID,
    "date_limite_reponse": "2022-05-15",
    "ref_virement": "VIR-1",
    "iban_masque": "FR76••••189",
    "ref": "REF-1",
    "etat_no": "ED-1",
    "appel_de_fonds_no": "AF-1",
    "exercice_comptable": "2022-2023",
    "detail": DETAIL_SAISI,
    "depenses": [DETAIL_SAISI],
    "operation_id": OPERATION_ID,
}
PERIMETRE_SAISI = {
    "operations": [{"operation_id": OPERATION_ID, "cout_total_controle": "10000.00"}],
    "etat_no": "ED-1",
}
_SAISIES_PAR_COMMANDE: dict[type[Commande], dict[str, Any]] = {
    **SAISIES_DE_L_AUDIT,
    ConventionnerSubventionGlobale: {
        "date_effet": "2018-02-12",
        "oi_id": "oi-fictif",
        "oi_nom": "OI fictif",
        "reglement": "2014-2020",
        "numero": "SG-1",
        "agd": "Préfecture de région",
        "programme_cci": "2014FR05SFOP001",
        "programme": "PON FSE",
        "programmation": {"debut": "2018-01-01", "fin": "2022-12-31"},
        "realisation": {"debut": "2018-01-01", "fin": "2023-12-31"},
        "fse_total": "1000000.00",
        "plie": [{"plie_id": "A", "nom": "PLIE A"}, {"plie_id": "B", "nom": "PLIE B"}],
        "objectifs_specifiques": [{"code": "OS1", "libelle": "Parcours"}],
    },
    SignerAvenantSubventionGlobale: {"numero_avenant": 1},
    PublierAppelAProjets: {
        "date_effet": "2021-12-01",
        "numero": "3",
        "date_ouverture": "2021-12-01",
        "date_cloture": "2021-12-31",
        "fiches": [FICHE_SAISIE],
    },
    SignerConvention: {
        "date_effet": "2022-01-25",
        "numero": "C-2022-01",
        "signataires": ["ordonnateur-1", "beneficiaire-07"],
        "bilans_prevus": [{"numero": 1, "type": "final", "date_limite": "2022-06-30"}],
    },
    DemanderAvenant: {"date_effet": "2021-12-20"},
    DeposerBilan: {"type": "final", "depenses": [DEPENSE_ID]},
    JoindrePieces: {"pieces": [{"sha256": "ab" * 32, "libelle": "Facture", "type": "facture"}]},
    CloreOffice: {"montants_controles": "ecartes"},
    ControlerRessources: {"ressources": []},
    ControlerRecettes: {"montant_retenu": "7350.00"},
    CorrigerMarche: {"marche_ref": "M-1", "taux_pct": "25"},
    CorrigerFse: {"nature": "publicite"},
    RemplirGrille: {"points": [{"numero": 1, "reponse": "conforme"}]},
    TirerEchantillon: {"poste": "personnel", "justification": "Pièces nombreuses."},
    DeciderExtrapolation: {"poste": "personnel", "fondement": "convention"},
    PreparerPaiement: {"type": "solde"},
    AttribuerContrepartie: {"type": "publique_epci", "financeur": "EPCI fictif"},
    kn.NotifierControle: {
        "organisme": "autorite_audit",
        "reference": "CICC-2022-7",
        "perimetre": PERIMETRE_SAISI,
    },
    kn.RectifierPerimetre: {"perimetre": PERIMETRE_SAISI},
    kn.CommencerControle: {"modalite": "sur_place"},
    kr.RecevoirRapportProvisoire: {"rapport_ref": "RAPPORT-1"},
    kr.RepondreConstat: {"constat_numero": 1, "auteur": "oi", "reponse": "accepte"},
    kr.ProlongerDelaiReponse: {"date_limite": "2022-06-15", "accord_ref": "COURRIER-1"},
    kr.RecevoirRapportDefinitif: {"rapport_ref": "RAPPORT-2", "resultat": "sans_incidence"},
    kr.RectifierConstat: {
        "constat_numero": 1,
        "rectification_ref": "COURRIER-2",
        "cout_total": "800.00",
        "fse": "400.00",
    },
    ks.DeciderSuite: {
        "constat_numero": 1,
        "mesure": "recalcul_csf",
        "responsable": "oi",
        "action": "Rouvrir le contrôle de service fait",
    },
    ks.ProlongerDelaiSuite: {"echeance": "2022-10-31", "accord_ref": "COURRIER-1"},
    ks.CloreControle: {"cloture_ref": "COURRIER-9"},
}


def commande(kind: type[C], **saisie: Any) -> C:
    """Return a command as typed at a door; what is not said has a default."""
    defauts = {**_SAISIES, **_SAISIES_PAR_COMMANDE.get(kind, {})}
    requis = [nom for nom, champ in kind.model_fields.items() if champ.is_required()]
    return kind(**({nom: defauts[nom] for nom in requis if nom not in saisie} | saisie))


# Lives, as lists of facts.

SUBVENTION: list[Evenement] = [fait(se.SubventionGlobaleConventionnee, numero="SG-1")]
TRANCHE: list[Evenement] = [*SUBVENTION, fait(se.TrancheOuverte)]
ENVELOPPE: list[Evenement] = [
    *TRANCHE,
    fait(
        se.EnveloppePlieNotifiee,
        fse_centimes=euros(100_000),
        cout_total_centimes=euros(200_000),
    ),
]
APPEL: list[Evenement] = [fait(AppelAProjetsPublie, numero="3")]

DEPOSE: list[Evenement] = [fait(oe.DossierDepose)]
_EN_INSTRUCTION: list[Evenement] = [
    *DEPOSE,
    fait(oe.RecevabilitePrononcee),
    fait(oe.InstructionOuverte),
    fait(oe.PlanFinancementInstruit, instructeur="gestionnaire-1"),
]
_INSTRUIT: list[Evenement] = [*_EN_INSTRUCTION, fait(oe.RapportInstructionValide)]
PROGRAMME: list[Evenement] = [*_INSTRUIT, fait(oe.OperationProgrammee)]
CONVENTIONNE: list[Evenement] = [*PROGRAMME, fait(oe.OperationConventionnee)]
EN_EXECUTION: list[Evenement] = [*CONVENTIONNE, fait(oe.OperationDemarree)]
_BILAN_FINAL: list[Evenement] = [
    *EN_EXECUTION,
    fait(oe.RealisationTerminee),
    fait(oe.BilanFinalDepose),
]
_SOLDE: list[Evenement] = [*_BILAN_FINAL, fait(oe.OperationSoldee)]

#: A life that leads to each state of an operation.
PARCOURS: dict[Statut, list[Evenement]] = {
    "depose": DEPOSE,
    "complement_demande": [*DEPOSE, fait(oe.ComplementDemande)],
    "irrecevable": [*DEPOSE, fait(oe.IrrecevabilitePrononcee)],
    "recevable": [*DEPOSE, fait(oe.RecevabilitePrononcee)],
    "en_instruction": _EN_INSTRUCTION,
    "instruit_favorable": _INSTRUIT,
    "instruit_defavorable": [
        *_EN_INSTRUCTION,
        fait(oe.RapportInstructionValide, avis="defavorable"),
    ],
    "ajourne": [*_INSTRUIT, fait(oe.OperationAjournee)],
    "programme": PROGRAMME,
    "refuse": [*_INSTRUIT, fait(oe.OperationRefusee)],
    "retire": [*DEPOSE, fait(oe.DossierRetire, ressources=())],
    "deprogramme": [*PROGRAMME, fait(oe.OperationDeprogrammee)],
    "conventionne": CONVENTIONNE,
    "en_execution": EN_EXECUTION,
    "realisation_terminee": [*EN_EXECUTION, fait(oe.RealisationTerminee)],
    "bilan_final_depose": _BILAN_FINAL,
    "solde": _SOLDE,
    "cloture": [*_SOLDE, fait(oe.OperationCloturee)],
    "archive": [*_SOLDE, fait(oe.OperationCloturee), fait(oe.DossierArchive)],
    "abandonne": [*EN_EXECUTION, fait(oe.OperationAbandonnee)],
    "resilie": [*EN_EXECUTION, fait(oe.OperationResiliee)],
}


def signee(plan: PlanFinancement = PLAN, **choix: Any) -> ce.ConventionSignee:
    """Return the signature of a convention with a plan; ``choix``: parameters, caps of postes."""
    plafonds = choix.pop("plafonds_poste", ())
    parametres = msgspec.structs.replace(PARAMETRES, **choix)
    return fait(
        ce.ConventionSignee,
        numero="C-2022-01",
        plan=plan,
        fse_max_centimes=plan.fse_centimes,
        cout_total_eligible_centimes=plan.cout_total_centimes,
        avance_pct=parametres.avance_pct,
        avance_plafond_centimes=parametres.avance_plafond_centimes,
        plafond_avant_solde_pct=parametres.plafond_avant_solde_pct,
        arrondi=parametres.arrondi,
        parametres=parametres,
        plafonds_poste=plafonds,
    )


SIGNEE: list[Evenement] = [signee()]
NOTIFIEE: list[Evenement] = [*SIGNEE, fait(ce.ConventionNotifiee)]
BILAN: list[Evenement] = [*NOTIFIEE, fait(ce.BilanDepose)]
RECEVABLE: list[Evenement] = [*BILAN, fait(ce.BilanJugeRecevable)]
CSF: list[Evenement] = [*RECEVABLE, fait(ce.CsfOuvert)]
#: The beneficiary was told what would be kept, answered, and was told the end of it.
ENTENDU: list[Evenement] = [
    fait(ce.ConclusionsIntermediairesNotifiees),
    fait(ce.ObservationsRecues),
    fait(ce.ConclusionsFinalesNotifiees),
]
#: 40 000,00 € due, on the final bilan.
CERTIFIE: list[Evenement] = [*CSF, fait(ce.CsfValide)]


def avance_payee(montant: str | int = 15_000) -> list[Evenement]:
    """Return an avance, ordered then sent."""
    return paiement("avance", montant)


def paiement(kind: str, montant: str | int, rang: int = 7) -> list[Evenement]:
    """Return a payment, ordered then sent; ``rang`` tells it from others."""
    commun = {"paiement_id": UUID(int=rang), "type": kind, "montant_centimes": euros(montant)}
    csf_id = None if kind == "avance" else CSF_ID
    return [
        fait(ce.PaiementOrdonnance, **commun, csf_id=csf_id),
        fait(ce.PaiementEffectue, **commun),
    ]


# States, for the decisions that look at another stream.


def subvention(facts: Sequence[Evenement] = tuple(ENVELOPPE)) -> SubventionGlobale:
    """Return a grant."""
    state = SUBVENTION_GLOBALE.replay(facts)
    assert state is not None
    return state


def appel(*fiches: Fiche, **champs: Any) -> AppelAProjets:
    """Return a call, open in December 2021."""
    defaut = {"fiches": fiches} if fiches else {}
    state = APPEL_A_PROJETS.replay([fait(AppelAProjetsPublie, numero="3", **defaut, **champs)])
    assert state is not None
    return state


def operation(statut: Statut = "en_execution", **champs: Any) -> Operation:
    """Return an operation in a state."""
    state = OPERATION.replay(PARCOURS[statut])
    assert state is not None
    return msgspec.structs.replace(state, **champs)


def convention(facts: Sequence[Evenement] = tuple(NOTIFIEE)) -> Convention:
    """Return a convention."""
    state = CONVENTION.replay(facts)
    assert state is not None
    return state


def depense(
    montant: str | int = 1_000,
    *,
    ecarte: str | int | None = None,
    csf_id: UUID = CSF_ID,
    operation_id: UUID = OPERATION_ID,
    **champs: Any,
) -> Depense:
    """Return a dépense, controlled when ``ecarte`` says how much is rejected."""
    detail = msgspec.structs.replace(DETAIL, montant_impute_centimes=euros(montant), **champs)
    facts: list[Evenement] = [fait(DepenseDeclaree, detail=detail, operation_id=operation_id)]
    if ecarte is not None:
        facts.append(
            fait(
                DepenseControlee,
                csf_id=csf_id,
                montant_declare_centimes=euros(montant),
                montant_retenu_centimes=euros(montant) - euros(ecarte),
                montant_ecarte_centimes=euros(ecarte),
                motif_code="NON_ACQUITTEE" if euros(ecarte) else None,
            )
        )
    state = DEPENSE.replay(facts)
    assert state is not None
    return state


def condition(
    minimum: str | None = None,
    plafond: str | None = None,
    *,
    requis: bool = False,
    statut: Any = "condition_de_recevabilite",
) -> ConditionCofinancement:
    """Return the cofinancing condition of a fiche."""
    return ConditionCofinancement(
        statut=statut,
        taux_min_contreparties=None if minimum is None else Decimal(minimum),
        taux_max_fse=None if plafond is None else Decimal(plafond),
        cofinancement_requis=requis,
    )
