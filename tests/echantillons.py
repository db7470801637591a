"""Stored samples of every event version: what the log holds today must decode for ever.

``python tests/echantillons.py`` writes the samples of new names, and one more (``name~2.json``) of
a fact that gained fields. It never overwrites one: a sample that no longer decodes says that
history broke, not that the sample is old.
"""

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from fabrique import (
    AUTRE_DEPENSE_ID,
    AUTRE_ID,
    BILAN_ID,
    CELLULE,
    CELLULE_B,
    CSF_ID,
    DEPENSE_ID,
    DETAIL,
    FICHE,
    OPERATION_ID,
    ORDRE_ID,
    PERSONNE_ID,
    condition,
    euros,
    fait,
    forfait,
    livrables,
    parcours,
    plan,
    ressource,
)

from aggregates.appel_a_projets.events import AppelAProjetsPublie
from aggregates.compte.events import MiseADispositionNotee, RoleAttribue
from aggregates.controle_operation import events as ko
from aggregates.convention.events import (
    AvenantDemande,
    AvenantSigne,
    BilanDepose,
    ConclusionsIntermediairesNotifiees,
    ConventionSignee,
    CsfRouvert,
    CsfValide,
    EchantillonTire,
    EntreesCalcul,
    ExtrapolationDecidee,
    FseCorrige,
    GrilleRemplie,
    Intervention,
    LivrableControle,
    MarcheCorrige,
    OrdreReversementEmis,
    PaiementEffectue,
    PaiementOrdonnance,
    PaiementPrepare,
    PlafondPoste,
    PointControle,
    PosteRetenu,
    RealisationsControlees,
    RecettesControlees,
    RessourceRetenue,
    RessourcesControlees,
    Termes,
    UnitesControlees,
    UnitesDeclarees,
)
from aggregates.convention.state import conditions
from aggregates.depense.events import DepenseControlee, DepenseCorrigee, DepenseDeclaree
from aggregates.lot.events import LigneDuLot, LigneEcartee, LotAnnule, LotImporte
from aggregates.operation.events import (
    AvisAgdRendu,
    AvisPlieRendu,
    DossierDepose,
    IndicateurRenseigne,
    IndicateurRetire,
    OperationAjournee,
    OperationDeprogrammee,
    OperationProgrammee,
    OperationRefusee,
    PlanFinancementInstruit,
    SuitesOuvertes,
)
from aggregates.parametres import Parametres, Refaction, Surcharge
from aggregates.reprise.events import OperationReprise, SourceReprise
from aggregates.subvention_globale.events import (
    AvenantSubventionGlobaleSigne,
    EcartCellule,
    SubventionGlobaleConventionnee,
)
from api import actions  # noqa: F401 - importing them all fills the vocabulary
from oi_service.codec import REGISTRY, Evenement, Piece
from oi_service.dates import Periode
from rules import calcul
from rules.reprise import Anomalie
from rules.temps import Cle, JourTravaille, Temps

DOSSIER = Path(__file__).with_name("events")

_PIECE = Piece(
    sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    libelle="Attestation « signée »",
    type="attestation",
    date_piece=date(2021, 12, 14),
)
_RESSOURCE = RessourceRetenue(
    type="publique_epci",
    financeur="EPCI fictif",
    montant_declare_centimes=euros(20_000),
    montant_retenu_centimes=euros(19_000),
)

_PARAMETRES = Parametres(
    avance_pct=Decimal("12.5"),
    avance_plafond_centimes=euros(50_000),
    types_beneficiaires_sans_avance=("collectivite",),
    plafond_avant_solde_pct=Decimal(80),
    delai_contradictoire_jours=30,
    arrondi="troncature",
    taux_mode="affiche",
    imputation_avance="sur_solde",
    fongibilite="tolerance",
    tolerance_poste_pct=Decimal(10),
    ressources_intermediaires="prorata",
    contreparties_non_percues="percu_seulement",
    extrapolation=True,
    echantillon_taille_min=30,
    echantillon_couverture_min_pct=Decimal(30),
    refaction=Refaction(seuil_pct=Decimal(80), taux_pct=Decimal(5)),
)
_PERIMETRE_CONTROLE = ko.PerimetreControle(
    operations=(
        ko.OperationControlee(
            operation_id=OPERATION_ID,
            cout_total_controle_centimes=euros("12 345,67"),
            depenses=(DEPENSE_ID, AUTRE_DEPENSE_ID),
        ),
    ),
    etat_no="ED-1",
    echantillon_id=AUTRE_ID,
)
_EFFET_DE_LIEN = {
    "cout_total_retire_centimes": euros(1_150),
    "fse_retire_centimes": euros(575),
    "cout_total_impute_centimes": euros(1_000),
    "fse_impute_centimes": euros(500),
}
_SURCHARGE = Surcharge(**{nom: getattr(_PARAMETRES, nom) for nom in Parametres.__struct_fields__})
#: A plan in every form.
_TOUTES_FORMES = plan(
    100_000,
    ressource("publique_epci", 120_000),
    ressource("nature", 20_000),
    personnel=80_000,
    nature=20_000,
    indirectes=msgspec.structs.replace(
        forfait("forfait_25", 20_000, "25", "personnel"),
        libelle="Charges de structure",
        methode_ref="METHODE-1",
    ),
    parcours=parcours(80),
    mf=livrables(L1=35_000, L2=25_000),
)
_PLAFONDS = (
    PlafondPoste(code="personnel", montant_centimes=euros(80_000), tolerance_pct=Decimal(10)),
)
_APPORTS = calcul.Apports(
    final=True,
    lignes=(
        calcul.LignesPoste(
            code="personnel", declare_centimes=euros(60_000), ecarte_centimes=euros(375)
        ),
        calcul.LignesPoste(code="nature", declare_centimes=euros(20_000), ecarte_centimes=0),
    ),
    echantillons=(
        calcul.Echantillon(
            poste="personnel",
            tirage_declare_centimes=euros(18_500),
            tirage_ecarte_centimes=euros(375),
            base_centimes=euros(41_500),
        ),
    ),
    marches=(calcul.LignesMarche(marche="M-1", poste="personnel", retenu_centimes=euros(1_000)),),
    corrections_marche=(calcul.TauxDecide(objet="M-1", taux_pct=Decimal(25)),),
    unites=(calcul.Unites(poste="parcours", declarees=Decimal(60), retenues=Decimal("59.5")),),
    livrables=(
        calcul.LivrableVu(
            poste="montants_forfaitaires", id="L1", montant_centimes=euros(35_000), atteint=True
        ),
    ),
    recettes_nettes_centimes=euros(7_350),
    ressources=(("nature", euros(20_000)), ("publique_epci", euros(19_000))),
    corrections_fse=(calcul.TauxDecide(objet="publicite", taux_pct=Decimal(3)),),
)
_CONDITIONS = conditions(_TOUTES_FORMES, _PARAMETRES, _PLAFONDS)
_TEMPS = Temps(
    methode="taux_horaire",
    cout_centimes=euros(43_215),
    annee=2021,
    mois=5,
    heures_operation=Decimal("612.50"),
    heures_base=Decimal(1720),
    pourcentage=Decimal(40),
    jours=(JourTravaille(jour=date(2021, 5, 3), heures=Decimal("7.5")),),
    justificatif="feuille_temps_signee",
    accepte_le=date(2021, 1, 4),
)
_DETAIL = msgspec.structs.replace(
    DETAIL,
    date_engagement=date(2021, 5, 1),
    montant_ht_centimes=euros(2_000),
    montant_ttc_centimes=euros(2_400),
    tva_recuperable_centimes=0,
    cle=Cle(
        numerateur=1,
        denominateur=2,
        libelle="Surface occupée",
        assiette_centimes=euros(2_000),
    ),
    temps=_TEMPS,
    marche_ref="M-1",
    mise_en_concurrence_ref="DEVIS-3",
    regularise=AUTRE_DEPENSE_ID,
    salarie_id=PERSONNE_ID,
)

#: Fields that are optional or empty by default, filled: a sample shows all that may be there.
_REMPLIS: dict[type[Evenement], dict[str, Any]] = {
    SubventionGlobaleConventionnee: {
        "fictive": True,
        "parametres": _PARAMETRES,
    },
    AvenantSubventionGlobaleSigne: {
        "ecarts": (
            EcartCellule(
                cellule=CELLULE, fse_centimes=euros(-5_000), cout_total_centimes=euros(-10_000)
            ),
            EcartCellule(
                cellule=CELLULE_B, fse_centimes=euros(5_000), cout_total_centimes=euros(10_000)
            ),
        ),
    },
    AppelAProjetsPublie: {
        "fiches": (
            msgspec.structs.replace(
                FICHE,
                condition=condition("0.20", "0.80", requis=True),
                parametres=_SURCHARGE,
            ),
        )
    },
    DossierDepose: {
        "condition": condition("0.20", "0.80", requis=True),
        "plan": _TOUTES_FORMES,
        "parametres": _SURCHARGE,
    },
    PlanFinancementInstruit: {
        "plan": _TOUTES_FORMES,
        "derogation_couts_simplifies": "aide_etat",
        "instructeur": "gestionnaire-1",
        "avertissements": ("Le soutien public est de 90 000,00 €.",),
    },
    SuitesOuvertes: {"controle_ref": "CICC-2024-12"},
    AvisPlieRendu: {"reserves": "Sous réserve du cofinancement."},
    AvisAgdRendu: {"reserves": "Sous réserve du cofinancement."},
    OperationProgrammee: {"deports": ("membre-3",)},
    OperationAjournee: {"deports": ("membre-3",)},
    OperationRefusee: {"deports": ("membre-3",)},
    OperationDeprogrammee: {"deports": ("membre-3",)},
    IndicateurRenseigne: {"realise": Decimal("34.50"), "remplace": Decimal(12)},
    IndicateurRetire: {"realise": Decimal("34.50"), "retabli": Decimal(12)},
    ConventionSignee: {
        "avance_plafond_centimes": euros(50_000),
        "plafond_avant_solde_pct": Decimal(80),
        "plan": _TOUTES_FORMES,
        "parametres": _PARAMETRES,
        "plafonds_poste": _PLAFONDS,
    },
    BilanDepose: {
        "unites": (UnitesDeclarees(poste="parcours", quantite=Decimal(60)),),
        "livrables": ("L1",),
        "recettes_nettes_centimes": euros(7_350),
        "ressources": (ressource("publique_epci", 20_000),),
        "apports": _APPORTS,
    },
    ExtrapolationDecidee: {
        "controleur": "gestionnaire-1",
        "fondement": "accord_ecrit",
        "accord_ref": "ACCORD-7",
    },
    RealisationsControlees: {
        "controleur": "gestionnaire-1",
        "unites": (
            UnitesControlees(
                poste="parcours",
                declarees=Decimal(60),
                retenues=Decimal("59.5"),
                motif_code="UNITE_NON_PROUVEE",
            ),
        ),
        "livrables": (
            LivrableControle(
                poste="montants_forfaitaires",
                id="L2",
                montant_centimes=euros(25_000),
                atteint=False,
                motif_code="LIVRABLE_NON_ATTEINT",
            ),
        ),
    },
    GrilleRemplie: {
        "controleur": "gestionnaire-1",
        "points": (PointControle(numero=4, reponse="non_conforme", commentaire="Pas d’affiche."),),
    },
    ConclusionsIntermediairesNotifiees: {
        "fse_demande_centimes": euros(40_000),
        "fse_retenu_centimes": euros(35_000),
    },
    CsfRouvert: {"controle_ref": "CICC-2024-12"},
    AvenantSigne: {"date_limite_acquittement": date(2022, 9, 30)},
    AvenantDemande: {
        "apres": Termes(
            objet="Accompagner davantage",
            periode=Periode(debut=date(2021, 1, 1), fin=date(2022, 3, 31)),
            plan=plan(55_000, personnel=110_000),
        )
    },
    RessourcesControlees: {"controleur": "gestionnaire-1", "ressources": (_RESSOURCE,)},
    CsfValide: {
        "postes": (
            PosteRetenu(
                code="personnel",
                declare_centimes=euros(80_000),
                ecarte_centimes=euros("1 250,01"),
                retenu_centimes=euros("78 749,99"),
            ),
        ),
        "ressources": (_RESSOURCE,),
        "postes_cumules": {"personnel": euros("78 749,99"), "nature": euros(5_000)},
        "ressources_cumulees": (("publique_epci", euros(19_000)), ("nature", euros(5_000))),
        "c4_hors_nature_centimes": euros(30_000),
        "entrees": EntreesCalcul(conditions=_CONDITIONS, bilans=(_APPORTS,), rang=0),
        "resultat": calcul.service_fait(_CONDITIONS, [_APPORTS]),
        "controleurs": (
            Intervention(qui="gestionnaire-1", acte="controle_ouvert", le=date(2022, 4, 10)),
            Intervention(qui="gestionnaire-2", acte="depenses_controlees", le=date(2022, 5, 2)),
        ),
    },
    PaiementPrepare: {"csf_id": CSF_ID, "remplace": AUTRE_ID},
    PaiementOrdonnance: {
        "csf_id": CSF_ID,
        "remplace": AUTRE_ID,
        "ordonnateur": "ordonnateur-1",
    },
    PaiementEffectue: {"compense_centimes": euros(1_000), "executant": "comptable-1"},
    EchantillonTire: {"controleur": "gestionnaire-1"},
    MarcheCorrige: {"controleur": "gestionnaire-1"},
    FseCorrige: {"controleur": "gestionnaire-1"},
    RecettesControlees: {"controleur": "gestionnaire-1"},
    OrdreReversementEmis: {"emetteur": "comptable-1"},
    RoleAttribue: {"role": "directeur_plie", "plies": ("A", "B"), "au": date(2022, 12, 31)},
    MiseADispositionNotee: {"au": date(2022, 12, 31)},
    LotImporte: {
        "lignes_lues": 4,
        "lignes": (
            LigneDuLot(
                feuille="Dépenses", ligne=7, flux=DEPENSE_ID, montant_centimes=euros("160,50")
            ),
            LigneDuLot(
                feuille="Dépenses",
                ligne=8,
                flux=AUTRE_DEPENSE_ID,
                montant_centimes=-euros(40),
                doublon=True,
            ),
        ),
        "ecartees": (
            LigneEcartee(feuille="Dépenses", ligne=9, raisons=("date_inexistante", "montant")),
        ),
        "bilan_id": BILAN_ID,
    },
    LotAnnule: {"deja_annulees": (AUTRE_DEPENSE_ID,)},
    OperationReprise: {
        "source": SourceReprise(
            fichier="opérations « 2016 ».csv", sha256="ab" * 32, ligne=83, reference="82"
        ),
        "categorie_intervention": "CI01_117 - Accès à l’apprentissage tout au long de la vie",
        "anomalies": (
            Anomalie(code="programmee_apres_fin", mode="signaler"),
            Anomalie(code="taux_au_dela_du_maximum", mode="signaler", taux_max_pct=Decimal(80)),
        ),
    },
    ko.ControleNotifie: {
        "organisme": "autre",
        "organisme_nom": "Organisme fictif de contrôle",
        "perimetre": _PERIMETRE_CONTROLE,
        "date_annoncee": date(2022, 2, 1),
    },
    ko.PerimetreRectifie: {"apres": _PERIMETRE_CONTROLE},
    ko.RapportProvisoireRecu: {
        "constats": (
            ko.ConstatPropose(
                numero=1,
                operation_id=OPERATION_ID,
                nature="temps_de_travail",
                detecte_le=date(2022, 3, 1),
                constatation="Deux bulletins « sans relevé de temps ».",
                cout_total_centimes=euros(1_000),
                fse_centimes=euros(500),
                depenses=(DEPENSE_ID,),
                assiette="Forfait de 15 % compris",
                extrapole=True,
            ),
        ),
    },
    ko.ReponseFaite: {"observations": "Les relevés sont joints."},
    ko.RapportDefinitifRecu: {
        "resultat": "correction_individuelle",
        "constats": (
            ko.ConstatTranche(
                numero=1,
                issue="reduit",
                cout_total_centimes=euros(800),
                fse_centimes=euros(400),
                mesure_recommandee="Rouvrir le contrôle de service fait.",
                motivation="Un relevé est probant.",
            ),
        ),
    },
    ko.ConstatRectifie: {
        "issue_avant": "maintenu",
        "issue_apres": "reduit",
        "resultat_avant": "correction_individuelle",
        "resultat_apres": "correction_forfaitaire",
    },
    ko.SuiteExecutee: {
        "compte_rendu": "Version 2 validée, ordre émis, dépenses retirées.",
        "liens": (
            ko.LienSuite(csf_id=CSF_ID, csf_version=2, **_EFFET_DE_LIEN),
            ko.LienSuite(ordre_id=ORDRE_ID, **_EFFET_DE_LIEN),
            ko.LienSuite(appel_de_fonds_no="AF-1", **_EFFET_DE_LIEN),
        ),
    },
    DepenseDeclaree: {"detail": _DETAIL},
    DepenseCorrigee: {"avant": _DETAIL, "apres": _DETAIL},
    DepenseControlee: {
        "montant_retenu_centimes": euros(750),
        "montant_ecarte_centimes": euros(250),
        "motif_code": "NON_ACQUITTEE",
        "commentaire": "Aucune preuve de paiement.",
        "pieces_vues": ("Relevé de juin",),
        "controleur": "gestionnaire-2",
    },
}


@dataclass(frozen=True, slots=True)
class Echantillon:
    """The columns of a stored event; ``data`` and ``pieces`` are JSON texts."""

    name: str
    data: str
    date_effet: str
    motif: str | None
    pieces: str | None


def lire(fichier: Path) -> Echantillon:
    """Read a sample."""
    colonnes = json.loads(fichier.read_text("utf-8"))
    return Echantillon(
        name=colonnes["name"],
        data=json.dumps(colonnes["data"], ensure_ascii=False, separators=(",", ":")),
        date_effet=colonnes["date_effet"],
        motif=colonnes["motif"],
        pieces=json.dumps(colonnes["pieces"], ensure_ascii=False),
    )


def exemple(kind: type[Evenement]) -> Evenement:
    """Return a fact with everything in it that may be there."""
    champs = _REMPLIS.get(kind, {})
    return fait(kind, **champs, motif="Erreur « matérielle »\nde saisie", pieces=(_PIECE,))


def nom_de(fichier: Path) -> str:
    """Return the name of the fact that a sample is of."""
    return fichier.stem.split("~")[0]


def chemins(valeur: Any, lieu: str = "") -> set[str]:
    """Return the path of every field of a payload; items of a list share theirs."""
    if isinstance(valeur, list):
        return {chemin for v in valeur for chemin in chemins(v, lieu)}
    if not isinstance(valeur, dict):
        return set()
    dessous = (chemins(v, f"{lieu}/{nom}") for nom, v in valeur.items())
    return {f"{lieu}/{nom}" for nom in valeur}.union(*dessous)


def ecrire(dossier: Path = DOSSIER) -> list[str]:
    """Write the samples that miss: of new names, and of facts that gained fields."""
    nouveaux = []
    for name, kind in sorted(REGISTRY.classes.items()):
        connus = [f for f in sorted(dossier.glob("*.json")) if nom_de(f) == name]
        vus = {c for f in connus for c in chemins(json.loads(lire(f).data))}
        encoded = REGISTRY.encode(exemple(kind))
        data = json.loads(encoded.data)
        if connus and chemins(data) <= vus:
            continue
        suffixe = f"~{len(connus) + 1}" if connus else ""
        colonnes = {
            "name": name,
            "date_effet": encoded.date_effet.isoformat(),
            "motif": encoded.motif,
            "pieces": json.loads(encoded.pieces or "[]"),
            "data": data,
        }
        text = json.dumps(colonnes, ensure_ascii=False, indent=2)
        (dossier / f"{name}{suffixe}.json").write_text(text + "\n", "utf-8")
        nouveaux.append(name + suffixe)
    return nouveaux


if __name__ == "__main__":
    for nom in ecrire():
        print(nom)  # noqa: T201 - what the command is for
