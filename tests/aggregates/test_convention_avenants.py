"""Avenants: asked, examined again by the OI's body, signed; never below what is paid or due."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from dsl import Decision, Given
from fabrique import (
    CADRE,
    CSF_ID,
    NOTIFIEE,
    PLAN,
    SIGNEE,
    avance_payee,
    commande,
    condition,
    euros,
    fait,
    forfait,
    operation,
    plan,
    ressource,
    saisie_du_plan,
    signee,
)
from msgspec.structs import replace

from aggregates.convention.avenants import (
    AbandonnerAvenant,
    AvenantApresBilanFinal,
    AvenantAvantConvention,
    AvenantDejaEnCours,
    AvenantHorsValidite,
    AvenantNonDemande,
    AvenantNonProgramme,
    AvenantSansObjet,
    AvenantSousLePaye,
    DemanderAvenant,
    FormeFigee,
    ProgrammerAvenant,
    SignerAvenant,
    abandonner_avenant,
    demander_avenant,
    programmer_avenant,
    signer_avenant,
)
from aggregates.convention.events import (
    AvenantAbandonne,
    AvenantDemande,
    AvenantProgramme,
    AvenantSigne,
    BilanDepose,
    CsfOuvert,
    CsfValide,
    PaiementOrdonnance,
    Termes,
)
from aggregates.convention.state import CONVENTION
from aggregates.operation.transitions import ActeHorsDeSonOrdre
from aggregates.plan import PlanDesequilibre, Ressource
from aggregates.subvention_globale.maquette import InstanceIncompetente
from oi_service.dates import Periode
from rules.cofinancement import FseAuDelaDuPlafondDeLaFiche
from rules.couts import CoutsSimplifiesObligatoires, FormesIncompatibles

MOTIF = "Motif de l’essai"
HAUSSE = plan(55_000, personnel=110_000)
BAISSE = plan(10_000, personnel=50_000)
DEMANDE = [*NOTIFIEE, fait(AvenantDemande, apres=Termes(plan=HAUSSE))]
PROGRAMME = [*DEMANDE, fait(AvenantProgramme)]
VERS_LE_BAS = [
    *NOTIFIEE,
    fait(AvenantDemande, apres=Termes(plan=BAISSE)),
    fait(AvenantProgramme),
]


def ask(facts: Any = NOTIFIEE, op: Any = None, **saisie: Any) -> Decision:
    terms = saisie or {"objet": "Accompagner davantage"}
    return Given(CONVENTION, facts).when(
        demander_avenant, commande(DemanderAvenant, **terms), op or operation()
    )


def programme(facts: Any = DEMANDE, **saisie: Any) -> Decision:
    return Given(CONVENTION, facts).when(programmer_avenant, commande(ProgrammerAvenant, **saisie))


def sign(facts: Any = PROGRAMME, **saisie: Any) -> Decision:
    return Given(CONVENTION, facts).when(signer_avenant, commande(SignerAvenant, **saisie))


def give_up(facts: Any = DEMANDE, **saisie: Any) -> Decision:
    return Given(CONVENTION, facts).when(abandonner_avenant, commande(AbandonnerAvenant, **saisie))


def test_an_avenant_is_asked_then_programmed_then_signed() -> None:
    ask(plan=saisie_du_plan(HAUSSE), date_effet="2021-12-15").then(
        fait(AvenantDemande, apres=Termes(plan=HAUSSE), motif=MOTIF)
    )
    programme().then(fait(AvenantProgramme))
    sign().then(fait(AvenantSigne))


def test_the_version_in_force_changes_at_the_signature_only() -> None:
    before, after = programme().state(), sign().state()
    assert (before.fse_max, before.avenants) == (euros(50_000), 0)
    assert (after.fse_max, after.avenants) == (euros(55_000), 1)
    assert after.avenant_en_cours is None


def test_the_difference_keeps_what_it_does_not_name() -> None:
    periode = Periode(debut=date(2021, 1, 1), fin=date(2022, 3, 31))
    facts = [*NOTIFIEE, fait(AvenantDemande, apres=Termes(periode=periode)), fait(AvenantProgramme)]
    fact = sign(facts).then_one(
        AvenantSigne, ecart_fse_centimes=0, ressources_avant=(), ressources_apres=()
    )
    assert fact.avant == Termes(periode=Periode(debut=date(2021, 1, 1), fin=date(2021, 12, 31)))
    after = sign(facts).state()
    assert (after.periode, after.plan, after.objet) == (
        periode,
        PLAN,
        "Accompagner des participants",
    )


def test_avenant_before_the_convention_is_notified_is_refused() -> None:
    ask(SIGNEE).refuses(AvenantAvantConvention, "n’est pas encore notifiée")


@pytest.mark.parametrize(
    ("act", "facts"), [(ask, NOTIFIEE), (programme, DEMANDE), (sign, PROGRAMME)]
)
def test_avenant_after_the_final_bilan_is_refused(act: Any, facts: Any) -> None:
    act([*facts, fait(BilanDepose)]).refuses(AvenantApresBilanFinal, "Le bilan final est déposé")


@pytest.mark.parametrize("statut", ["abandonne", "resilie", "solde"])
def test_avenant_of_an_interrupted_operation_is_refused(statut: Any) -> None:
    ask(op=operation(statut)).refuses(ActeHorsDeSonOrdre, "Demander un avenant est impossible")


def test_two_avenants_at_once_are_refused() -> None:
    ask(DEMANDE, numero=2, objet="Autre").refuses(
        AvenantDejaEnCours, "L’avenant n° 1 est déjà en cours"
    )
    programme(PROGRAMME).refuses(AvenantDejaEnCours, "L’avenant n° 1")


def test_avenants_follow_one_another() -> None:
    ask(numero=2, objet="Autre").refuses(AvenantNonDemande, "L’avenant n° 2 n’a pas été demandé")
    for act in (programme, sign, give_up):
        act(NOTIFIEE).refuses(AvenantNonDemande, "L’avenant n° 1 n’a pas été demandé")
    signed = [*PROGRAMME, fait(AvenantSigne)]
    ask(signed, numero=2, objet="Autre").then_one(AvenantDemande, numero=2)


def test_avenant_that_changes_nothing_is_refused() -> None:
    Given(CONVENTION, NOTIFIEE).when(
        demander_avenant, commande(DemanderAvenant), operation()
    ).refuses(AvenantSansObjet, "L’avenant ne change rien")


def test_avenant_signed_before_the_committee_examined_it_is_refused() -> None:
    sign(DEMANDE).refuses(AvenantNonProgramme, "doit d’abord être réexaminé par l’instance")


def test_avenant_by_the_committee_of_the_plie_is_refused() -> None:
    programme(instance="comite_pilotage_plie").refuses(InstanceIncompetente, "Seule l’instance")


def test_avenant_signed_after_the_end_of_the_convention_is_refused() -> None:
    sign(date_effet="2022-01-01").refuses(
        AvenantHorsValidite, "L’avenant du 01/01/2022 arrive après la fin"
    )
    sign(date_effet="2021-12-31").then_one(AvenantSigne)


def test_avenant_with_a_plan_unbalanced_by_a_cent_is_refused() -> None:
    ask(plan=saisie_du_plan(HAUSSE) | {"fse": "55000.01"}).refuses(PlanDesequilibre, "0,01 €")


def test_avenant_keeps_to_the_condition_of_the_fiche() -> None:
    op = operation(condition=condition(plafond="0.50"))
    ask(op=op, plan=saisie_du_plan(plan("55 000,01", personnel=110_000))).refuses(
        FseAuDelaDuPlafondDeLaFiche, "55 000,01 €"
    )
    ask(op=op, plan=saisie_du_plan(HAUSSE)).then_one(AvenantDemande)


# --- Forms of cost -------------------------------------------------------------------------------


def simplified(montant: int = 100_000, **forme: Any) -> Any:
    """Return a plan of 15 % on staff; ``forme`` changes its flat rate."""
    taux = forme.pop("taux", "15")
    part = forfait("forfait_15_personnel", montant * 15 // 100, "15", "personnel")
    part = replace(
        part,
        taux_pct=Decimal(taux),
        montant_centimes=euros(montant) * int(taux) // 100,
        **forme,
    )
    total = euros(montant) + part.montant_centimes
    autres = Ressource(
        type="publique_epci", financeur="EPCI", montant_centimes=total - euros(50_000)
    )
    return plan(50_000, autres, personnel=montant, indirectes=part)


FORFAITISEE = [signee(simplified()), *NOTIFIEE[1:]]


def test_an_avenant_changes_an_amount_and_not_the_form() -> None:
    ask(FORFAITISEE, plan=saisie_du_plan(simplified(90_000))).then_one(AvenantDemande)
    formes: list[Any] = [{"taux": "14"}, {"option": "forfait_25", "methode_ref": "M-1"}]
    for forme in formes:
        ask(FORFAITISEE, plan=saisie_du_plan(simplified(**forme))).refuses(
            FormeFigee, "poste « indirectes » sont figés par la convention"
        )
    au_reel = plan(50_000, ressource("publique_epci", 65_000), personnel=100_000, indirectes=15_000)
    ask(FORFAITISEE, plan=saisie_du_plan(au_reel)).refuses(FormeFigee, "« indirectes »")


def test_an_avenant_may_add_a_poste_or_drop_one() -> None:
    sans_forfait = plan(50_000, ressource("publique_epci", 50_000), personnel=100_000)
    ask(FORFAITISEE, plan=saisie_du_plan(sans_forfait)).then_one(AvenantDemande)
    ajoute = plan(50_000, ressource("publique_epci", 60_000), personnel=100_000, prestations=10_000)
    ask(plan=saisie_du_plan(ajoute)).then_one(AvenantDemande)


def test_an_avenant_adds_no_form_that_the_texts_do_not_open() -> None:
    double = plan(
        50_000,
        ressource("publique_epci", 100_000),
        personnel=100_000,
        prestations=10_000,
        autres=forfait("forfait_40", 40_000, "40", "personnel"),
    )
    ask(plan=saisie_du_plan(double)).refuses(FormesIncompatibles, "« prestations »")


def test_an_avenant_below_the_threshold_needs_the_derogation_of_the_instruction() -> None:
    cadre = replace(CADRE, reglement="2021-2027")
    ask(op=operation(cadre=cadre), plan=saisie_du_plan(HAUSSE)).refuses(
        CoutsSimplifiesObligatoires, "110 000,00 €"
    )
    excuse = operation(cadre=cadre, derogation="aide_etat")
    ask(op=excuse, plan=saisie_du_plan(HAUSSE)).then_one(AvenantDemande)


def test_avenant_below_what_is_paid_is_refused_to_the_cent() -> None:
    paid = [*NOTIFIEE, *avance_payee(15_000)]

    def lower(fse: str) -> Any:
        return saisie_du_plan(plan(fse, ressource("publique_epci", euros_left(fse))))

    def euros_left(fse: str) -> str:
        cents = euros(100_000) - euros(fse)
        return f"{cents // 100},{cents % 100:02d}"

    ask(paid, plan=lower("14 999,99")).refuses(
        AvenantSousLePaye, "ramènerait le FSE à 14 999,99 €, alors que 15 000,00 €"
    )
    ask(paid, plan=lower("15 000,00")).then_one(AvenantDemande)


def test_avenant_below_what_is_ordered_is_refused() -> None:
    ordered = [*NOTIFIEE, fait(PaiementOrdonnance, type="avance", csf_id=None)]
    ask(ordered, plan=saisie_du_plan(BAISSE)).refuses(AvenantSousLePaye, "15 000,00 €")


def test_avenant_below_what_is_due_after_control_is_refused() -> None:
    due = [
        *NOTIFIEE,
        fait(BilanDepose, type="intermediaire"),
        fait(CsfOuvert),
        fait(CsfValide, type="intermediaire", csf_id=CSF_ID),
    ]
    ask(due, plan=saisie_du_plan(BAISSE)).refuses(AvenantSousLePaye, "40 000,00 €")


def test_money_paid_between_the_demand_and_the_signature_stops_the_avenant() -> None:
    asked = VERS_LE_BAS[:-1]
    programme([*asked, *avance_payee(15_000)]).refuses(AvenantSousLePaye, "15 000,00 €")
    sign([*VERS_LE_BAS, *avance_payee(15_000)]).refuses(AvenantSousLePaye, "15 000,00 €")


def test_an_avenant_is_given_up_programmed_or_not() -> None:
    give_up().then(fait(AvenantAbandonne, motif=MOTIF))
    give_up(PROGRAMME).then(fait(AvenantAbandonne, motif=MOTIF))
    assert give_up(PROGRAMME).state().avenant_en_cours is None
