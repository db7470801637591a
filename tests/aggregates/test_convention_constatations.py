"""What the controller finds beyond the lines: resources, units, revenue, contracts, publicity."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from dsl import Decision, Given
from fabrique import (
    CADRE,
    CSF,
    CSF_ID,
    INDICATEUR,
    PAR,
    commande,
    depense,
    euros,
    fait,
    livrables,
    operation,
    parcours,
    plan,
    ressource,
    signee,
)

from aggregates.convention.constatations import (
    ControlerRealisations,
    ControlerRecettes,
    ControlerRessources,
    CorrectionAuDelaDuTexte,
    CorrectionHorsRegime,
    CorrigerFse,
    CorrigerMarche,
    MarcheInconnu,
    MotifDesRealisations,
    PointInconnu,
    RefactionNonPrevue,
    RefactionSansSousRealisation,
    RemplirGrille,
    RessourceNonAcquise,
    RessourceOubliee,
    TauxHorsBareme,
    UnitesOubliees,
    UnitesSuperieures,
    controler_realisations,
    controler_recettes,
    controler_ressources,
    corriger_fse,
    corriger_marche,
    remplir_grille,
)
from aggregates.convention.events import (
    BilanDepose,
    BilanJugeRecevable,
    ConventionNotifiee,
    CsfOuvert,
    FseCorrige,
    GrilleRemplie,
    LivrableControle,
    MarcheCorrige,
    PointControle,
    RealisationsControlees,
    RecettesControlees,
    RessourceRetenue,
    RessourcesControlees,
    UnitesControlees,
    UnitesDeclarees,
)
from aggregates.convention.state import CONVENTION
from aggregates.parametres import Refaction
from rules.grille import POINTS

MOTIF = "Motif de l’essai"


def under_control(signature: Any = None, **bilan: Any) -> list[Any]:
    """Return a convention whose bilan is under control."""
    return [
        signature or signee(),
        fait(ConventionNotifiee),
        fait(BilanDepose, **bilan),
        fait(BilanJugeRecevable),
        fait(CsfOuvert),
    ]


EPCI = ressource("publique_epci", 60_000)
AVEC_RESSOURCE = under_control(ressources=(EPCI,))


# --- Resources -----------------------------------------------------------------------------------


def resource(kind: str, declare: str, retenu: str, **saisie: str) -> dict[str, str]:
    return {
        "type": kind,
        "financeur": "Financeur fictif",
        "montant_declare": declare,
        "montant_retenu": retenu,
        **saisie,
    }


def control(facts: Any, *ressources: dict[str, str]) -> Decision:
    return Given(CONVENTION, facts).when(
        controler_ressources,
        commande(ControlerRessources, ressources=ressources),
        CSF_ID,
        PAR,
    )


def test_resources_are_decided_all_at_once() -> None:
    control(
        AVEC_RESSOURCE, resource("publique_epci", "60000.00", "59000.00", motif="Hors opération")
    ).then_one(
        RessourcesControlees,
        ressources=(
            RessourceRetenue(
                type="publique_epci",
                financeur="Financeur fictif",
                montant_declare_centimes=euros(60_000),
                montant_retenu_centimes=euros(59_000),
                motif="Hors opération",
            ),
        ),
    )


def test_a_declared_resource_cannot_be_forgotten() -> None:
    # Forgotten, it would leave more to pay to the Fund.
    control(AVEC_RESSOURCE).refuses(RessourceOubliee, "« Financeur fictif » a déclaré 60 000,00 €")
    control(AVEC_RESSOURCE, resource("publique_epci", "59999.99", "0.00")).refuses(
        RessourceOubliee, "60 000,00 €"
    )
    twice = under_control(ressources=(EPCI, EPCI))
    control(twice, resource("publique_epci", "60000.00", "60000.00")).refuses(
        RessourceOubliee, "60 000,00 €"
    )


def test_a_resource_that_the_beneficiary_did_not_declare_is_added() -> None:
    control(
        AVEC_RESSOURCE,
        resource("publique_epci", "60000.00", "60000.00"),
        resource("privee", "0.00", "5000.00", motif="Relevé bancaire"),
    ).then_one(RessourcesControlees)


def test_a_funder_that_has_not_paid_counts_on_its_attestation_at_the_final_bilan() -> None:
    above = resource("publique_epci", "60000.00", "60000.01")
    control(AVEC_RESSOURCE, above).refuses(
        RessourceNonAcquise, "retenue pour 60 000,01 €, au-delà des 60 000,00 € perçus"
    )
    attested = above | {"attestation_ref": "ATT-EPCI"}
    fact = control(AVEC_RESSOURCE, attested).then_one(RessourcesControlees)
    assert fact.ressources[0].attestation_ref == "ATT-EPCI"


def test_before_the_end_only_what_was_received_counts() -> None:
    intermediate = under_control(type="intermediaire", ressources=(EPCI,))
    attested = resource("publique_epci", "60000.00", "60000.01", attestation_ref="ATT-EPCI")
    control(intermediate, attested).refuses(RessourceNonAcquise, "avant, seul le perçu compte")


def test_a_grant_may_count_payments_only() -> None:
    paid_only = under_control(
        signee(contreparties_non_percues="percu_seulement"), ressources=(EPCI,)
    )
    attested = resource("publique_epci", "60000.00", "60000.01", attestation_ref="ATT-EPCI")
    control(paid_only, attested).refuses(RessourceNonAcquise, "60 000,01 €")


# --- Units and deliverables ----------------------------------------------------------------------

A_L_UNITE = under_control(
    signee(
        plan(
            54_000,
            ressource("privee", 36_000),
            parcours=parcours(),
        )
    ),
    depenses=(),
    unites=(UnitesDeclarees(poste="parcours", quantite=Decimal("112.5")),),
)
AU_FORFAIT = under_control(
    signee(plan(24_000, ressource("privee", 36_000), mf=livrables(L1=35_000, L2=25_000))),
    depenses=(),
    livrables=("L1", "L2"),
)


def prove(facts: Any, **saisie: Any) -> Decision:
    return Given(CONVENTION, facts).when(
        controler_realisations, commande(ControlerRealisations, **saisie), CSF_ID, PAR
    )


def units(retenues: str, motif: str | None = None, poste: str = "parcours") -> dict[str, Any]:
    return {"poste": poste, "retenues": retenues, "motif_code": motif}


def deliverable(nom: str, motif: str | None = None, *, atteint: bool = True) -> dict[str, Any]:
    return {"id": nom, "atteint": atteint, "motif_code": motif}


def test_units_are_kept_up_to_what_is_proven() -> None:
    prove(A_L_UNITE, unites=[units("112.5")]).then_one(RealisationsControlees)
    prove(A_L_UNITE, unites=[units("103", "UNITE_NON_PROUVEE")]).then_one(
        RealisationsControlees,
        unites=(
            UnitesControlees(
                poste="parcours",
                declarees=Decimal("112.5"),
                retenues=Decimal(103),
                motif_code="UNITE_NON_PROUVEE",
            ),
        ),
    )


def test_more_units_than_declared_are_refused() -> None:
    prove(A_L_UNITE, unites=[units("112.5001")]).refuses(
        UnitesSuperieures, "112.5001 unités ne peuvent pas être retenues pour « parcours »"
    )


def test_what_is_set_aside_of_units_or_deliverables_has_its_motif() -> None:
    prove(A_L_UNITE, unites=[units("112")]).refuses(MotifDesRealisations, "« parcours »")
    prove(AU_FORFAIT, livrables=[deliverable("L1"), deliverable("L2", atteint=False)]).refuses(
        MotifDesRealisations, "« L2 » n’est pas retenu en entier"
    )


def test_a_deliverable_is_reached_or_not() -> None:
    asked = [deliverable("L1"), deliverable("L2", "LIVRABLE_NON_ATTEINT", atteint=False)]
    prove(AU_FORFAIT, livrables=asked).then_one(
        RealisationsControlees,
        livrables=tuple(
            LivrableControle(
                poste="montants_forfaitaires",
                id=nom,
                montant_centimes=euros(montant),
                atteint=atteint,
                motif_code=None if atteint else "LIVRABLE_NON_ATTEINT",
            )
            for nom, montant, atteint in (("L1", 35_000, True), ("L2", 25_000, False))
        ),
    )


@pytest.mark.parametrize(
    ("facts", "saisie", "manquants"),
    [
        (A_L_UNITE, {}, "« parcours »"),
        (A_L_UNITE, {"unites": [units("1"), units("1")]}, "« parcours »"),
        (A_L_UNITE, {"unites": [units("112.5"), units("1", poste="visites")]}, "« visites »"),
        (AU_FORFAIT, {"livrables": [deliverable("L1")]}, "« L2 »"),
        (
            AU_FORFAIT,
            {"livrables": [deliverable("L1"), deliverable("L2"), deliverable("L3")]},
            "« L3 »",
        ),
        (CSF, {"unites": [units("1")]}, "« parcours »"),
    ],
)
def test_exactly_what_is_declared_is_decided(facts: Any, saisie: Any, manquants: str) -> None:
    prove(facts, **saisie).refuses(UnitesOubliees, manquants)


# --- Net revenue ---------------------------------------------------------------------------------

EN_2021_2027 = msgspec.structs.replace(CADRE, reglement="2021-2027")


def revenue(signature: Any, **saisie: Any) -> Decision:
    return Given(CONVENTION, under_control(signature, recettes_nettes_centimes=euros(7_350))).when(
        controler_recettes, commande(ControlerRecettes, **saisie), CSF_ID, PAR
    )


def test_revenue_follows_the_texts() -> None:
    grande = signee(plan(100_000, ressource("privee", 100_000), personnel=200_000))
    revenue(grande, date_effet="2022-05-02").then_one(
        RecettesControlees,
        declarees_centimes=euros(7_350),
        retenues_centimes=euros(7_350),
        traitement="deduites",
        fondement="Règlement (UE) n° 1303/2013, art. 65 §8",
    )
    revenue(signee()).then_one(RecettesControlees, traitement="exemptees")
    au_bareme = signee(plan(54_000, ressource("privee", 36_000), p=parcours()))
    revenue(au_bareme).then_one(RecettesControlees, traitement="exemptees")
    suivante = msgspec.structs.replace(grande, cadre=EN_2021_2027)
    revenue(suivante).then_one(RecettesControlees, traitement="ressource")


def test_the_controller_may_treat_revenue_otherwise_and_says_so() -> None:
    revenue(signee(), traitement="deduites", montant_retenu="7000.00").then_one(
        RecettesControlees,
        retenues_centimes=euros(7_000),
        traitement="deduites",
        fondement="Décision du contrôleur",
    )
    # The treatment of the texts, said again, keeps its article.
    fact = revenue(signee(), traitement="exemptees").then_one(RecettesControlees)
    assert "coût total éligible d’au plus" in fact.fondement


# --- Contracts -----------------------------------------------------------------------------------

MARCHE = [depense(1_000, ecarte=0, marche_ref="M-1"), depense(500, ecarte=0)]


def correct(taux: str, marche: str = "M-1", **saisie: Any) -> Decision:
    asked = commande(CorrigerMarche, marche_ref=marche, taux_pct=taux, **saisie)
    return Given(CONVENTION, CSF).when(corriger_marche, asked, CSF_ID, MARCHE, PAR)


@pytest.mark.parametrize("taux", ["5", "10", "25", "100", "0", "25.00"])
def test_a_contract_is_corrected_at_a_rate_of_the_scale(taux: str) -> None:
    correct(taux).then(fait(MarcheCorrige, controleur=PAR, taux_pct=Decimal(taux), motif=MOTIF))


@pytest.mark.parametrize("taux", ["1", "15", "24.99", "99"])
def test_another_rate_is_refused(taux: str) -> None:
    correct(taux).refuses(TauxHorsBareme, f"de 5, 10, 25, 100 % : {taux} % n’est pas du barème")


def test_a_contract_without_any_depense_in_the_bilan_is_unknown() -> None:
    correct("25", "M-2").refuses(MarcheInconnu, "ne porte le marché « M-2 »")


def test_the_last_correction_of_a_contract_counts() -> None:
    state = Given(CONVENTION, [*CSF, fait(MarcheCorrige)])
    lifted = state.when(
        corriger_marche, commande(CorrigerMarche, taux_pct="0"), CSF_ID, MARCHE, PAR
    ).state()
    assert lifted.bilan_du_csf(CSF_ID).csf.corrections_marche == {"M-1": Decimal(0)}


# --- The Fund's share ----------------------------------------------------------------------------


def cut(signature: Any = None, op: Any = None, **saisie: Any) -> Decision:
    return Given(CONVENTION, under_control(signature)).when(
        corriger_fse, commande(CorrigerFse, **saisie), CSF_ID, op or operation(), PAR
    )


PUBLICITE = msgspec.structs.replace(signee(), cadre=EN_2021_2027)


def test_a_lack_of_publicity_costs_up_to_three_percent_in_2021_2027() -> None:
    cut(PUBLICITE).then_one(FseCorrige, nature="publicite", taux_pct=Decimal(3), motif=MOTIF)
    cut(PUBLICITE, taux_pct="1.5").then_one(FseCorrige, taux_pct=Decimal("1.5"))
    cut(PUBLICITE, taux_pct="0").then_one(FseCorrige, taux_pct=Decimal(0))
    cut(PUBLICITE, taux_pct="3.01").refuses(CorrectionAuDelaDuTexte, "d’au plus 3 % du soutien")


def test_publicity_costs_nothing_in_2014_2020() -> None:
    cut().refuses(CorrectionHorsRegime, "n’existe pas sous le règlement 2014-2020")


REFACTION = signee(refaction=Refaction(seuil_pct=Decimal(80), taux_pct=Decimal(5)))


def reached(realise: str, **indicateur: Any) -> Any:
    """Return an operation whose target is 34 participants."""
    vise = msgspec.structs.replace(INDICATEUR, **indicateur)
    return operation(indicateurs=(vise,), realise={1: Decimal(realise)})


def test_the_clause_of_the_convention_bites_under_its_threshold() -> None:
    """80 % of 34 participants are 27,2."""
    asked = {"nature": "refaction_indicateurs"}
    cut(REFACTION, reached("27"), **asked).then_one(FseCorrige, taux_pct=Decimal(5))
    cut(REFACTION, reached("27.2"), **asked).refuses(
        RefactionSansSousRealisation, "sous 80 % de sa cible"
    )
    nothing_said = operation(indicateurs=(INDICATEUR,), realise={})
    cut(REFACTION, nothing_said, **asked).then_one(FseCorrige)


def test_an_indicator_that_must_stay_low_is_not_under_achieved() -> None:
    asked = {"nature": "refaction_indicateurs"}
    cut(REFACTION, reached("3", comparateur="<="), **asked).refuses(
        RefactionSansSousRealisation, "80 %"
    )


def test_a_clause_that_was_applied_too_early_is_lifted() -> None:
    cut(REFACTION, reached("34"), nature="refaction_indicateurs", taux_pct="0").then_one(
        FseCorrige, taux_pct=Decimal(0)
    )


def test_no_clause_no_refaction() -> None:
    cut(op=reached("0"), nature="refaction_indicateurs").refuses(
        RefactionNonPrevue, "ne contient pas de clause de réfaction"
    )


# --- The checklist -------------------------------------------------------------------------------


def fill(*points: dict[str, Any], facts: Any = CSF) -> Decision:
    asked = commande(RemplirGrille, points=points)
    return Given(CONVENTION, facts).when(remplir_grille, asked, CSF_ID, PAR)


def test_the_checklist_is_answered_point_by_point() -> None:
    fill({"numero": 4, "reponse": "non_conforme", "commentaire": "Pas d’affiche."}).then(
        fait(
            GrilleRemplie,
            controleur=PAR,
            points=(PointControle(numero=4, reponse="non_conforme", commentaire="Pas d’affiche."),),
        )
    )
    fill(*({"numero": n, "reponse": "sans_objet"} for n in POINTS)).then_one(GrilleRemplie)


def test_a_point_exists_and_is_answered_once() -> None:
    fill({"numero": 18, "reponse": "conforme"}).refuses(
        PointInconnu, "compte 17 points : le point n° 18 n’existe pas"
    )
    one = {"numero": 1, "reponse": "conforme"}
    fill(one, one).refuses(PointInconnu, "n° 1")
