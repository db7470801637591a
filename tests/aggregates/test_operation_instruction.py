"""Instruction of a dossier: recevabilité, plan, report, opinions."""

from datetime import date
from typing import Any

import msgspec
import pytest
from dsl import Decision, Given, lisible
from fabrique import (
    ANNEE_2021,
    CADRE,
    PARCOURS,
    PLAN,
    commande,
    condition,
    fait,
    forfait,
    plan,
    ressource,
    saisie_du_plan,
)

from aggregates.operation.depot import (
    DemanderComplement,
    RecevoirComplement,
    demander_complement,
    recevoir_complement,
)
from aggregates.operation.events import (
    AvisAgdRendu,
    AvisPlieRendu,
    ComplementDemande,
    ComplementRecu,
    DossierDepose,
    DossierRectifie,
    InstructionOuverte,
    IrrecevabilitePrononcee,
    PlanFinancementInstruit,
    RapportInstructionValide,
    RecevabilitePrononcee,
)
from aggregates.operation.instruction import (
    InstructeurEgalValideur,
    InstruirePlan,
    ModificationHorsAvenant,
    OuvrirInstruction,
    PlanNonInstruit,
    PrononcerIrrecevabilite,
    PrononcerRecevabilite,
    RectifierDossier,
    RendreAvis,
    ValiderRapport,
    instruire_plan,
    ouvrir_instruction,
    prononcer_irrecevabilite,
    prononcer_recevabilite,
    rectifier_dossier,
    rendre_avis_agd,
    rendre_avis_plie,
    valider_rapport,
)
from aggregates.operation.state import OPERATION
from aggregates.plan import PlanDesequilibre, PlanFinancement
from oi_service.dates import Periode
from rules.cofinancement import (
    CofinancementAbsent,
    ConditionCofinancement,
    ContrepartiesInsuffisantes,
    FseAuDelaDuPlafondDeLaFiche,
)
from rules.couts import (
    CoutsSimplifiesObligatoires,
    FormesIncompatibles,
    OptionHorsRegime,
    PlafondAnnuelDuForfaitNational,
)

MOTIF = "Motif de l’essai"


def test_complements_are_asked_then_received() -> None:
    Given(OPERATION, PARCOURS["depose"]).when(
        demander_complement, commande(DemanderComplement)
    ).then(fait(ComplementDemande))
    Given(OPERATION, PARCOURS["complement_demande"]).when(
        recevoir_complement, commande(RecevoirComplement)
    ).then(fait(ComplementRecu))


def test_a_rejection_on_form_says_what_was_asked_and_why() -> None:
    Given(OPERATION, PARCOURS["depose"]).when(
        prononcer_irrecevabilite, commande(PrononcerIrrecevabilite)
    ).then(fait(IrrecevabilitePrononcee, motif=MOTIF))


def test_an_admissible_dossier_is_analysed() -> None:
    Given(OPERATION, PARCOURS["recevable"]).when(
        ouvrir_instruction, commande(OuvrirInstruction)
    ).then(fait(InstructionOuverte))


HP1 = condition("0.20", "0.80")
S = condition("0.10")
PS = condition(requis=True)
S4 = condition("0.20", statut="critere_de_selection")
#: The cases of the call of 2021: condition, plan, refusal.
CAS: dict[str, tuple[ConditionCofinancement, PlanFinancement, type[Exception] | None]] = {
    "AG-01": (HP1, plan(80_000, ressource("publique_epci", 20_000)), None),
    "AG-02": (
        HP1,
        plan("80 000,01", ressource("publique_epci", "19 999,99")),
        ContrepartiesInsuffisantes,
    ),
    "AG-02 bis": (
        condition(plafond="0.80"),
        plan("80 000,01", ressource("publique_epci", "19 999,99")),
        FseAuDelaDuPlafondDeLaFiche,
    ),
    "AG-03": (S, plan(90_000, ressource("privee", 10_000)), None),
    "AG-04": (
        S,
        plan(30_000, ressource("privee", "3 333,33"), personnel="33 333,33"),
        ContrepartiesInsuffisantes,
    ),
    "AG-05": (S, plan("29 999,97", ressource("privee", "3 333,33"), personnel="33 333,30"), None),
    "AG-06": (
        PS,
        plan(50_000, ressource("autofinancement", 0), personnel=50_000),
        CofinancementAbsent,
    ),
    "AG-07": (PS, plan("49 999,99", ressource("privee", "0,01"), personnel=50_000), None),
    "AG-08": (S4, plan(50_000, ressource("autofinancement", 0), personnel=50_000), None),
    "AG-09": (
        HP1,
        plan(
            75_000,
            ressource("publique_epci", 5_000),
            ressource("tiers", 20_000),
            personnel=80_000,
            tiers=20_000,
        ),
        None,
    ),
    "own money is not a counterpart": (
        HP1,
        plan(80_000, ressource("autofinancement", 20_000)),
        ContrepartiesInsuffisantes,
    ),
}


@pytest.mark.parametrize("cas", CAS)
@pytest.mark.parametrize("phase", ["recevabilite", "instruction"])
def test_cofinancing_condition_of_the_fiche_is_met_to_the_cent(cas: str, phase: str) -> None:
    du_fiche, propose, refus = CAS[cas]
    if phase == "recevabilite":
        asked = Given(OPERATION, [fait(DossierDepose, condition=du_fiche, plan=propose)]).when(
            prononcer_recevabilite, commande(PrononcerRecevabilite)
        )
        accepted: dict[str, Any] = {}
    else:
        life = [fait(DossierDepose, condition=du_fiche), *PARCOURS["en_instruction"][1:]]
        asked = Given(OPERATION, life).when(
            instruire_plan, commande(InstruirePlan, plan=saisie_du_plan(propose)), "gestionnaire-1"
        )
        accepted = {"plan": propose}
    kind = RecevabilitePrononcee if phase == "recevabilite" else PlanFinancementInstruit
    if refus is None:
        asked.then_one(kind, **accepted)
    else:
        with pytest.raises(refus):
            asked.facts()


def test_the_refusal_of_a_cofinancing_gives_the_exact_threshold() -> None:
    life = [fait(DossierDepose, condition=S, plan=CAS["AG-04"][1])]
    Given(OPERATION, life).when(prononcer_recevabilite, commande(PrononcerRecevabilite)).refuses(
        ContrepartiesInsuffisantes, "soit 3 333,333 €"
    )


def test_instructed_plan_unbalanced_by_a_cent_is_refused() -> None:
    penche = saisie_du_plan(PLAN) | {"fse": "49999.99"}
    Given(OPERATION, PARCOURS["en_instruction"]).when(
        instruire_plan, commande(InstruirePlan, plan=penche), "gestionnaire-1"
    ).refuses(PlanDesequilibre, "0,01 €")


# --- Forms of cost -------------------------------------------------------------------------------


def instruct(
    propose: PlanFinancement,
    *,
    reglement: str = "2014-2020",
    **saisie: Any,
) -> Decision:
    cadre = msgspec.structs.replace(CADRE, reglement=reglement)
    life = [fait(DossierDepose, cadre=cadre), *PARCOURS["en_instruction"][1:]]
    asked = commande(InstruirePlan, plan=saisie_du_plan(propose), **saisie)
    return Given(OPERATION, life).when(instruire_plan, asked, "gestionnaire-1")


QUARANTE = plan(
    70_000,
    ressource("publique_epci", 70_000),
    personnel=100_000,
    autres=forfait("forfait_40", 40_000, "40", "personnel"),
)


def test_a_form_that_the_texts_open_is_kept_as_it_is() -> None:
    instruct(QUARANTE).then_one(PlanFinancementInstruit, plan=QUARANTE, avertissements=())
    instruct(QUARANTE, reglement="2021-2027").then_one(PlanFinancementInstruit)


def test_a_form_that_they_do_not_open_is_refused() -> None:
    sept = plan(
        53_500,
        ressource("publique_epci", 53_500),
        personnel=100_000,
        i=forfait("forfait_7", 7_000, "7", "personnel"),
    )
    instruct(sept, reglement="2021-2027").then_one(PlanFinancementInstruit)
    instruct(sept).refuses(OptionHorsRegime, "n’existe pas sous le règlement 2014-2020")
    double = plan(
        75_000,
        ressource("publique_epci", 75_000),
        personnel=100_000,
        prestations=10_000,
        autres=forfait("forfait_40", 40_000, "40", "personnel"),
    )
    instruct(double).refuses(FormesIncompatibles, "« prestations »")


def test_a_small_operation_at_real_cost_is_refused_where_the_threshold_was_read() -> None:
    petit = plan(80_000, ressource("publique_epci", 120_000), personnel=200_000)
    instruct(petit, reglement="2021-2027").refuses(
        CoutsSimplifiesObligatoires, "Le coût total est de 200 000,00 €"
    )
    grand = plan(80_000, ressource("publique_epci", "120 000,01"), personnel="200 000,01")
    instruct(grand, reglement="2021-2027").then_one(PlanFinancementInstruit, avertissements=())


def test_a_threshold_that_nobody_read_again_warns_and_refuses_nothing() -> None:
    """100 000 € of public support since 2018: the article was never read at its source."""
    fact = instruct(PLAN).then_one(PlanFinancementInstruit, plan=PLAN)
    [avertissement] = fact.avertissements
    assert "Le soutien public est de 90 000,00 €" in lisible(avertissement)
    assert "« Dépenses directes de personnel » restent au coût réel" in avertissement
    # Own and private money is no public support.
    prive = plan(50_000, ressource("privee", 150_000), personnel=200_000)
    assert instruct(prive).then_one(PlanFinancementInstruit).avertissements
    au_dela = plan(50_000, ressource("publique_epci", "50 000,01"), personnel="100 000,01")
    instruct(au_dela).then_one(PlanFinancementInstruit, avertissements=())


def test_the_threshold_of_before_2018_was_read_and_refuses() -> None:
    petit = plan(20_000, ressource("publique_epci", 30_000), personnel=50_000)
    instruct(petit, date_effet="2018-08-01").refuses(
        CoutsSimplifiesObligatoires, "dans la limite de 50 000,00 €"
    )
    instruct(PLAN, date_effet="2018-08-01").then_one(PlanFinancementInstruit, avertissements=())


@pytest.mark.parametrize("derogation", ["aide_etat", "commande_publique"])
def test_a_derogation_is_said_and_recorded(derogation: str) -> None:
    asked = instruct(PLAN, reglement="2021-2027", derogation_couts_simplifies=derogation)
    asked.then_one(
        PlanFinancementInstruit, derogation_couts_simplifies=derogation, avertissements=()
    )
    assert asked.state().derogation == derogation


def rectify(statut: Any, **changes: Any) -> Decision:
    return Given(OPERATION, PARCOURS[statut]).when(
        rectifier_dossier, commande(RectifierDossier, **changes)
    )


def test_a_rectification_keeps_what_it_does_not_name() -> None:
    rectify("en_instruction", objet="Accompagner davantage").then_one(
        DossierRectifie,
        objet_avant="Accompagner des participants",
        objet_apres="Accompagner davantage",
        intitule_apres="Accompagnement vers l’emploi",
        motif=MOTIF,
    )


@pytest.mark.parametrize("statut", ["programme", "conventionne", "en_execution", "solde"])
@pytest.mark.parametrize(
    "changes",
    [
        {"objet": "Autre objet"},
        {"periode": {"debut": "2021-01-01", "fin": "2022-06-30"}},
    ],
    ids=["objet", "periode"],
)
def test_change_of_object_or_period_outside_an_avenant_is_refused(
    statut: str, changes: dict[str, Any]
) -> None:
    rectify(statut, **changes).refuses(
        ModificationHorsAvenant, "ne changent plus que par un avenant"
    )


@pytest.mark.parametrize("statut", ["programme", "conventionne", "en_execution", "solde"])
def test_change_of_plan_outside_an_avenant_is_refused(statut: Any) -> None:
    Given(OPERATION, PARCOURS[statut]).when(
        instruire_plan, commande(InstruirePlan), "gestionnaire-1"
    ).refuses(ModificationHorsAvenant, "Le dossier 202100007 est programmé")


def validate(life: Any, acteur: str = "valideur-1") -> Decision:
    return Given(OPERATION, life).when(valider_rapport, commande(ValiderRapport), acteur)


def test_a_report_is_validated_with_its_opinion() -> None:
    validate(PARCOURS["en_instruction"]).then(fait(RapportInstructionValide))


def test_report_without_an_instructed_plan_is_refused() -> None:
    life = [*PARCOURS["recevable"], fait(InstructionOuverte)]
    validate(life).refuses(PlanNonInstruit, "le plan de financement n’a pas été instruit")


def test_a_period_rectified_after_the_plan_is_checked_with_it() -> None:
    # 900 000,00 € over two years at the national rate; 2021 alone would pass 500 000,00 €.
    deux_ans = Periode(debut=date(2021, 1, 1), fin=date(2022, 12, 31))
    national = plan(
        400_000,
        personnel=750_000,
        i=forfait("forfait_20_national", 150_000, "20", "personnel"),
    )
    life = [
        fait(DossierDepose, periode=deux_ans),
        *PARCOURS["recevable"][1:],
        fait(InstructionOuverte),
        fait(PlanFinancementInstruit, plan=national, instructeur="gestionnaire-1"),
    ]
    validate(life).then(fait(RapportInstructionValide))
    shorter = fait(DossierRectifie, periode_avant=deux_ans, periode_apres=ANNEE_2021)
    validate([*life, shorter]).refuses(PlafondAnnuelDuForfaitNational, "500 000,00 €")


def test_instructor_does_not_validate_its_own_report() -> None:
    validate(PARCOURS["en_instruction"], "gestionnaire-1").refuses(
        InstructeurEgalValideur,
        "Vous avez instruit ce dossier (plan de financement fixé le 15/12/2021) : une autre",
    )


def test_opinions_of_the_plie_and_of_the_state_are_recorded() -> None:
    avis = commande(RendreAvis, instance="Comité de pilotage", reserves="Sous réserve.")
    Given(OPERATION, PARCOURS["instruit_favorable"]).when(rendre_avis_plie, avis).then_one(
        AvisPlieRendu, avis="favorable", instance="Comité de pilotage", reserves="Sous réserve."
    )
    Given(OPERATION, PARCOURS["instruit_favorable"]).when(rendre_avis_agd, avis).then_one(
        AvisAgdRendu, avis="favorable", instance="Comité de pilotage"
    )
