"""What each fact of a control says: amounts, postes and motifs, in a French sentence."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from dsl import lisible
from fabrique import PLAN, euros, fait

from aggregates.convention import events as ce
from aggregates.operation import events as oe
from aggregates.plan import Livrable, PlanFinancement, Poste, Ressource
from oi_service.codec import Evenement
from projections.histoire import phrase
from rules.calcul import (
    Apports,
    Conditions,
    ExtrapolationCalculee,
    LignesPoste,
    MarcheCorrige,
    PosteConvenu,
    TauxDecide,
    service_fait,
)

_SIMPLIFIE = PlanFinancement(
    postes=(
        Poste(code="personnel", montant_centimes=euros(50_000)),
        Poste(
            code="indirectes",
            montant_centimes=euros(7_500),
            mode="forfait",
            option="forfait_15_personnel",
            taux_pct=Decimal("15.00"),
            assiette=("personnel",),
        ),
        Poste(
            code="ateliers",
            libelle="Ateliers collectifs",
            montant_centimes=euros(10_000),
            mode="cout_unitaire",
            unite="séance",
            cout_unite_centimes=euros(100),
            unites=Decimal("100.0"),
        ),
        Poste(
            code="diagnostic",
            montant_centimes=euros(5_000),
            mode="montant_forfaitaire",
            livrables=(Livrable(id="L1", libelle="Rapport", montant_centimes=euros(5_000)),),
        ),
    ),
    fse_centimes=euros(36_250),
    ressources=(
        Ressource(type="publique_epci", financeur="EPCI fictif", montant_centimes=euros(36_250)),
    ),
)
_UNITES = (
    ce.UnitesControlees(
        poste="ateliers",
        declarees=Decimal(100),
        retenues=Decimal("92.5"),
        motif_code="NON_ACQUITTEE",
    ),
)
_LIVRABLES = (
    ce.LivrableControle(
        poste="diagnostic", id="L1", montant_centimes=euros(5_000), atteint=True, motif_code=None
    ),
    ce.LivrableControle(
        poste="diagnostic",
        id="L2",
        montant_centimes=euros(2_000),
        atteint=False,
        motif_code="NON_ACQUITTEE",
    ),
)
_RESULTAT = service_fait(
    Conditions(
        fse_max_centimes=euros(50_000),
        cout_total_eligible_centimes=euros(100_000),
        postes=(PosteConvenu(code="personnel", plafond_centimes=euros(90_000)),),
    ),
    [
        Apports(
            final=True,
            lignes=(
                LignesPoste(
                    code="personnel", declare_centimes=euros(95_000), ecarte_centimes=euros(1_000)
                ),
            ),
            recettes_nettes_centimes=euros(2_000),
            corrections_fse=(TauxDecide(objet="publicite", taux_pct=Decimal(3)),),
        )
    ],
)
_MARCHE = {"marche_ref": "M-2021-04", "taux_pct": Decimal("25.00")}

CAS: list[tuple[type[Evenement], dict[str, Any], str]] = [
    (
        oe.PlanFinancementInstruit,
        {
            "plan": _SIMPLIFIE,
            "derogation_couts_simplifies": "aide_etat",
            "avertissements": ("Le seuil n’est pas vérifié.",),
        },
        (
            "Plan de financement instruit : 36 250,00 € de FSE pour un coût total de 72 500,00 €. "
            "Coûts simplifiés : Dépenses indirectes, 15 % de : Dépenses directes de personnel ; "
            "Ateliers collectifs, 100 × 100,00 € (séance) ; diagnostic, 1 livrable. "
            "Coûts simplifiés non imposés : aide d’État. À vérifier : Le seuil n’est pas vérifié."
        ),
    ),
    (
        oe.PlanFinancementInstruit,
        {"plan": PLAN},
        "Plan de financement instruit : 50 000,00 € de FSE pour un coût total de 100 000,00 €.",
    ),
    (
        oe.SuitesOuvertes,
        {"controle_ref": "AnAFe-2024-12"},
        (
            "Suites ouvertes : un contrôle de service fait est rouvert après le solde, à la suite "
            "du contrôle AnAFe-2024-12."
        ),
    ),
    (
        oe.SuitesCloses,
        {
            "fse_du_avant_centimes": euros(50_000),
            "fse_du_apres_centimes": euros(48_045),
            "cout_total_retenu_avant_centimes": euros(100_000),
            "cout_total_retenu_apres_centimes": euros(96_090),
        },
        (
            "Suites closes : FSE dû 48 045,00 € (avant : 50 000,00 €), coût total retenu 96 "
            "090,00 € (avant : 100 000,00 €)."
        ),
    ),
    (
        ce.ConventionSignee,
        {
            "numero": "C-1",
            "plafonds_poste": (
                ce.PlafondPoste(
                    code="prestations", montant_centimes=euros(12_000), tolerance_pct=Decimal(10)
                ),
            ),
        },
        (
            "Convention n° C-1 signée (ordonnateur-1, beneficiaire-07) : 50 000,00 € de FSE au "
            "plus pour un coût total éligible de 100 000,00 €. Postes plafonnés : Prestations de "
            "services, 12 000,00 €, tolérance de 10 %."
        ),
    ),
    (
        ce.BilanDepose,
        {
            "numero": 2,
            "type": "final",
            "ressources": (),
            "unites": (ce.UnitesDeclarees(poste="ateliers", quantite=Decimal("92.5")),),
            "livrables": ("L1", "L2"),
            "recettes_nettes_centimes": euros(2_000),
        },
        (
            "Bilan final n° 2 déposé, du 01/01/2021 au 31/12/2021 : 1 dépense, 92,5 unités "
            "(ateliers), livrables atteints : L1 ; L2, 1 000,00 € déclarés, soit 500,00 € de FSE, "
            "recettes nettes de 2 000,00 €."
        ),
    ),
    (ce.BilanJugeRecevable, {}, "Bilan jugé recevable : son contrôle peut commencer."),
    (
        ce.BilanReclame,
        {"numero": 2, "date_limite_reponse": date(2022, 9, 1)},
        "Bilan n° 2 en retard, réclamé au bénéficiaire : réponse attendue jusqu’au 01/09/2022.",
    ),
    (
        ce.ClotureOfficePrononcee,
        {
            "numero": 2,
            "motif": "Aucune réponse.",
            "fse_du_avant_centimes": euros("19 321,09"),
            "fse_du_apres_centimes": 0,
            "cout_total_retenu_avant_centimes": euros(40_000),
            "cout_total_retenu_apres_centimes": 0,
        },
        (
            "Clôture d’office, le bilan n° 2 réclamé n’étant pas venu : FSE dû 0,00 € (avant : "
            "19 321,09 €), coût total retenu 0,00 € (avant : 40 000,00 €). Motif : Aucune réponse."
        ),
    ),
    (
        ce.CsfOuvert,
        {"version": 2, "modalite": "echantillon"},
        "Contrôle de service fait ouvert par gestionnaire-1 (version 2, par échantillon).",
    ),
    (
        ce.EchantillonTire,
        {
            "poste": "personnel",
            "population_nombre": 120,
            "population_centimes": euros(60_000),
            "tirage": tuple(UUID(int=n) for n in range(30)),
            "tirage_centimes": euros(18_500),
            "graine": "2022-04",
            "algorithme": "sha256-v1",
            "justification": "Pièces nombreuses.",
        },
        (
            "Échantillon tiré (Dépenses directes de personnel) : 30 pièces sur 120, 18 500,00 € "
            "sur 60 000,00 €, graine « 2022-04 » (sha256-v1). Justification : Pièces nombreuses."
        ),
    ),
    (
        ce.ExtrapolationDecidee,
        {"poste": "personnel", "fondement": "accord_ecrit", "accord_ref": "ACC-1"},
        (
            "Extrapolation décidée (Dépenses directes de personnel) : le taux d’écart du tirage "
            "s’applique aux pièces non tirées, accord écrit du bénéficiaire (ACC-1)."
        ),
    ),
    (
        ce.ExtrapolationDecidee,
        {"poste": "personnel", "fondement": "convention", "accord_ref": None},
        (
            "Extrapolation décidée (Dépenses directes de personnel) : le taux d’écart du tirage "
            "s’applique aux pièces non tirées, prévue par la convention."
        ),
    ),
    (
        ce.MarcheCorrige,
        _MARCHE | {"motif": "Publicité absente"},
        "Marché M-2021-04 : correction forfaitaire de 25 %. Motif : Publicité absente.",
    ),
    (ce.MarcheCorrige, _MARCHE | {"taux_pct": Decimal(0)}, "Marché M-2021-04 : aucune correction."),
    (
        ce.FseCorrige,
        {"nature": "publicite", "taux_pct": Decimal("2.5")},
        "FSE, défaut de publicité : correction forfaitaire de 2,5 %.",
    ),
    (
        ce.RealisationsControlees,
        {"unites": _UNITES, "livrables": _LIVRABLES},
        (
            "Réalisations contrôlées. Unités : ateliers, 92,5 unités retenues sur 100 "
            "(Dépense non acquittée). Livrables : L1 atteint, 5 000,00 € ; L2 non atteint, rien "
            "sur 2 000,00 € (Dépense non acquittée)."
        ),
    ),
    (
        ce.RecettesControlees,
        {
            "declarees_centimes": euros(2_000),
            "retenues_centimes": euros("1 850,40"),
            "traitement": "deduites",
            "fondement": "Règlement (UE) n° 1303/2013, art. 65 §8",
        },
        (
            "Recettes nettes contrôlées : 1 850,40 € retenus sur 2 000,00 € déclarés, déduites du "
            "coût (Règlement (UE) n° 1303/2013, art. 65 §8)."
        ),
    ),
    (
        ce.GrilleRemplie,
        {
            "points": (
                ce.PointControle(numero=1, reponse="conforme", commentaire=None),
                ce.PointControle(numero=4, reponse="non_conforme", commentaire="Logo absent"),
                ce.PointControle(numero=9, reponse="non_conforme", commentaire=None),
                ce.PointControle(numero=10, reponse="sans_objet", commentaire=None),
            )
        },
        (
            "Grille de contrôle remplie : 4 points, 1 conforme, 2 non conformes : n° 4 "
            "Publicité du soutien européen (Logo absent) ; n° 9 Commande publique et mise en "
            "concurrence."
        ),
    ),
    (
        ce.RessourcesControlees,
        {
            "ressources": (
                ce.RessourceRetenue(
                    type="publique_epci",
                    financeur="EPCI fictif",
                    montant_declare_centimes=euros(20_000),
                    montant_retenu_centimes=euros(20_000),
                ),
                ce.RessourceRetenue(
                    type="privee",
                    financeur="Fondation fictive",
                    montant_declare_centimes=euros(5_000),
                    montant_retenu_centimes=euros(4_000),
                    motif="Part hors opération.",
                ),
            )
        },
        (
            "2 ressources contrôlées : 24 000,00 € retenus sur 25 000,00 € déclarés : "
            "Fondation fictive, 4 000,00 € sur 5 000,00 € (Part hors opération)."
        ),
    ),
    (
        ce.ConclusionsIntermediairesNotifiees,
        {
            "date_limite_reponse": date(2022, 5, 15),
            "fse_demande_centimes": euros(50_000),
            "fse_retenu_centimes": 0,
        },
        (
            "Conclusions intermédiaires notifiées au bénéficiaire : FSE de 0,00 € sur 50 000,00 € "
            "demandés, réponse attendue jusqu’au 15/05/2022."
        ),
    ),
    (
        ce.ConclusionsIntermediairesNotifiees,
        {"date_limite_reponse": date(2022, 5, 15)},
        (
            "Conclusions intermédiaires notifiées au bénéficiaire, réponse attendue jusqu’au "
            "15/05/2022."
        ),
    ),
    (
        ce.ConclusionsFinalesNotifiees,
        {},
        "Conclusions finales notifiées au bénéficiaire.",
    ),
    (
        ce.CsfRouvert,
        {"controle_ref": "CICC-2023-7", "motif": "Double financement"},
        (
            "Contrôle de service fait rouvert, à la suite du contrôle CICC-2023-7. Motif : Double "
            "financement."
        ),
    ),
    (
        ce.CsfValide,
        {
            "postes": (
                ce.PosteRetenu(
                    code="personnel",
                    declare_centimes=euros(95_000),
                    ecarte_centimes=euros(1_000),
                    retenu_centimes=euros(94_000),
                ),
            ),
            "fse_du_cumule_centimes": _RESULTAT.fse_du_centimes,
            "fse_du_periode_centimes": _RESULTAT.fse_du_centimes,
            "resultat": _RESULTAT,
        },
        (
            "Contrôle de service fait, version 1, validé par valideur-1 : 1 000,00 € écartés sur "
            "95 000,00 €, FSE dû 42 680,00 € depuis le début, dont 42 680,00 € pour ce bilan "
            "(limité par : taux de la convention). Corrections d’ensemble depuis le début : "
            "4 000,00 € (écrêtement des postes) ; 2 000,00 € (recettes nettes) ; 1 320,00 € (FSE, "
            "défaut de publicité)."
        ),
    ),
]


@pytest.mark.parametrize(("kind", "champs", "attendue"), CAS)
def test_a_fact_says_its_figures_and_its_reasons(
    kind: type[Evenement], champs: dict[str, Any], attendue: str
) -> None:
    assert lisible(phrase(fait(kind, **champs))) == attendue


def test_a_control_under_the_first_rules_says_what_it_said() -> None:
    dite = lisible(phrase(fait(ce.CsfValide)))
    assert dite.endswith("pour ce bilan (limité par : taux de la convention).")


def test_every_loss_of_the_whole_is_named() -> None:
    resultat = msgspec.structs.replace(
        _RESULTAT,
        postes=(),
        recettes_nettes_centimes=0,
        corrections_fse=(),
        extrapolations=(
            ExtrapolationCalculee(
                poste="personnel",
                taux="3/148",
                base_centimes=euros(41_500),
                correction_centimes=euros("841,22"),
            ),
        ),
        marches=(
            MarcheCorrige(
                marche="M-1",
                taux_pct=Decimal(25),
                base_centimes=euros(10_000),
                correction_centimes=euros(2_500),
            ),
        ),
    )
    assert lisible(phrase(fait(ce.CsfValide, resultat=resultat))).endswith(
        "Corrections d’ensemble depuis le début : 841,22 € (extrapolation) ; 2 500,00 € "
        "(corrections de marché)."
    )
