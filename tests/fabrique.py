"""Facts, commands and states with sane defaults: a test says only what matters to its rule.

The world: PLIE « A » and « B » under one grant; an operation of 100 000,00 € for 2021, half of it
paid by the Fund.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from aggregates.appel_a_projets.events import AppelAProjetsPublie, Fiche, Indicateur
from aggregates.appel_a_projets.publication import PublierAppelAProjets
from aggregates.appel_a_projets.state import APPEL_A_PROJETS, AppelAProjets
from aggregates.cadre import RESERVE, Cadre, Cellule, LigneMaquette
from aggregates.commande import Commande
from aggregates.contrepartie.affectation import AttribuerContrepartie
from aggregates.contrepartie.events import ContrepartieAttribuee
from aggregates.convention import events as ce
from aggregates.convention.avenants import DemanderAvenant
from aggregates.convention.bilans import DeposerBilan
from aggregates.convention.paiements import OrdonnancerPaiement
from aggregates.convention.service_fait import ControlerRessources
from aggregates.convention.signature import SignerConvention
from aggregates.convention.state import CONVENTION, Convention
from aggregates.depense.events import DepenseControlee, DepenseDeclaree, Detail
from aggregates.depense.state import DEPENSE, Depense
from aggregates.operation import events as oe
from aggregates.operation.state import OPERATION, Operation, Statut
from aggregates.plan import PlanFinancement, Poste, Ressource
from aggregates.subvention_globale import events as se
from aggregates.subvention_globale.conventionnement import (
    ConventionnerSubventionGlobale,
    SignerAvenantSubventionGlobale,
)
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE, SubventionGlobale
from oi_service.codec import Evenement
from oi_service.dates import Periode
from oi_service.money import cents
from rules.cofinancement import ConditionCofinancement

E = TypeVar("E", bound=Evenement)
C = TypeVar("C", bound=Commande)

SUBVENTION_ID, APPEL_ID, OPERATION_ID, CONVENTION_ID = (UUID(int=n) for n in (1, 2, 3, 4))
BILAN_ID, CSF_ID, PAIEMENT_ID, ORDRE_ID = (UUID(int=n) for n in (5, 6, 7, 8))
DEPENSE_ID, AUTRE_DEPENSE_ID, CONTREPARTIE_ID, AUTRE_ID = (UUID(int=n) for n in (9, 10, 11, 12))


def euros(montant: str | int) -> int:
    """Return whole cents of euros, written as people do: ``"1 234,56"``, or a whole number."""
    if isinstance(montant, int):
        return montant * 100
    return cents(montant.replace(" ", "").replace(",", "."))


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


def plan(fse: str | int = 50_000, *ressources: Ressource, **postes: str | int) -> PlanFinancement:
    """Return a plan; by default 100 000,00 € of staff, 40 000,00 € from an EPCI, the rest own."""
    couts = postes or {"personnel": 100_000}
    total = sum(euros(m) for m in couts.values())
    if not ressources:
        propre = total - euros(fse) - euros(40_000)
        ressources = (ressource("publique_epci", 40_000), *_autofinancement(propre))
    return PlanFinancement(
        postes=tuple(Poste(code=c, montant_centimes=euros(m)) for c, m in couts.items()),
        fse_centimes=euros(fse),
        ressources=ressources,
    )


def _autofinancement(centimes: int) -> tuple[Ressource, ...]:
    if centimes <= 0:
        return ()
    return (Ressource(type="autofinancement", financeur="Porteur", montant_centimes=centimes),)


PLAN = plan()


def saisie_du_plan(source: PlanFinancement) -> dict[str, Any]:
    """Return a plan as a person types it."""
    return {
        "postes": [
            {"code": p.code, "montant": _decimal(p.montant_centimes)} for p in source.postes
        ],
        "fse": _decimal(source.fse_centimes),
        "ressources": [
            {"type": r.type, "financeur": r.financeur, "montant": _decimal(r.montant_centimes)}
            for r in source.ressources
        ],
    }


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
PARAMETRES = se.Parametres(
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
}
_POSTE_RETENU = ce.PosteRetenu(
    code="personnel",
    declare_centimes=euros(80_000),
    ecarte_centimes=0,
    retenu_centimes=euros(80_000),
)
#: The same, where one name means two things.
_CHAMPS_PAR_FAIT: dict[type[Evenement], dict[str, Any]] = {
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
    ce.PaiementOrdonnance: {"type": "solde"},
    ce.PaiementEffectue: {"type": "solde"},
    ce.PaiementRejete: {"type": "solde"},
    ContrepartieAttribuee: {"type": "publique_epci"},
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
_SAISIES_PAR_COMMANDE: dict[type[Commande], dict[str, Any]] = {
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
    ControlerRessources: {"ressources": []},
    OrdonnancerPaiement: {"type": "solde"},
    AttribuerContrepartie: {"type": "publique_epci", "financeur": "EPCI fictif"},
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
    fait(oe.PlanFinancementInstruit),
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

SIGNEE: list[Evenement] = [fait(ce.ConventionSignee, numero="C-2022-01")]
NOTIFIEE: list[Evenement] = [*SIGNEE, fait(ce.ConventionNotifiee)]
BILAN: list[Evenement] = [*NOTIFIEE, fait(ce.BilanDepose)]
CSF: list[Evenement] = [*BILAN, fait(ce.CsfOuvert)]
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
