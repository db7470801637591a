"""Separation of duties: what a person did closes to them what another person must see."""

from datetime import date
from typing import Any

import pytest
from dsl import Decision, Given
from fabrique import (
    AUTRE_ID,
    CERTIFIE,
    CSF,
    CSF_ID,
    DEPENSE_ID,
    NOTIFIEE,
    ORDRE_ID,
    PAIEMENT_ID,
    PARCOURS,
    avance_payee,
    commande,
    depense,
    euros,
    fait,
    operation,
)
from msgspec.structs import replace

from aggregates.convention import paiements as pa
from aggregates.convention import reversements as re
from aggregates.convention.events import (
    CreanceIrrecouvrable,
    CsfOuvert,
    CsfRouvert,
    CsfValide,
    EchantillonTire,
    ExtrapolationDecidee,
    FseCorrige,
    GrilleRemplie,
    MarcheCorrige,
    OrdreReversementEmis,
    PaiementEffectue,
    PaiementOrdonnance,
    PaiementPrepare,
    RealisationsControlees,
    RecettesControlees,
    RessourcesControlees,
)
from aggregates.convention.state import CONVENTION
from aggregates.convention.validation import ValiderCsf, valider_csf
from aggregates.depense.events import DepenseControlee, DepenseDeclaree
from aggregates.depense.state import DEPENSE
from aggregates.operation.events import PlanFinancementInstruit, RapportInstructionValide
from aggregates.operation.instruction import InstructeurInconnu, ValiderRapport, valider_rapport
from aggregates.operation.state import OPERATION
from aggregates.separation import (
    ActeAnterieur,
    ControleurEgalPayeur,
    ControleurEgalValideur,
    EmetteurEgalDecideur,
    InstructeurEgalOrdonnateur,
    InstructeurEgalValideur,
    InstructeurValideService,
    OrdonnateurEgalExecutant,
    PreparateurEgalOrdonnateur,
    ValideurEgalPayeur,
    reunir,
)

LE = date(2022, 3, 12)
FINAL = replace(operation("bilan_final_depose"), instructeurs={})
PREPARE = [*CERTIFIE, fait(PaiementPrepare, csf_id=CSF_ID, preparateur="a", date_effet=LE)]
ORDONNE = [*CERTIFIE, fait(PaiementOrdonnance, csf_id=CSF_ID, ordonnateur="b", date_effet=LE)]
#: Who opened the control, then who validated it, in the facts of `fabrique`.
CONTROLEUR, VALIDEUR = "gestionnaire-1", "valideur-1"


def prepare(par: str, facts: Any = CERTIFIE) -> Decision:
    asked = commande(pa.PreparerPaiement, csf_id=CSF_ID)
    return Given(CONVENTION, facts).when(pa.preparer, asked, PAIEMENT_ID, FINAL, par)


def order(par: str, facts: Any = PREPARE) -> Decision:
    asked = commande(pa.OrdonnancerPaiement, date_effet="2022-04-01")
    return Given(CONVENTION, facts).when(pa.ordonnancer, asked, PAIEMENT_ID, FINAL, par)


def send(par: str, facts: Any = ORDONNE) -> Decision:
    asked = commande(pa.EffectuerPaiement, date_effet="2022-04-01")
    return Given(CONVENTION, facts).when(pa.effectuer, asked, PAIEMENT_ID, par)


def impute(par: str, facts: Any = ORDONNE) -> Decision:
    asked = pa.CompenserOrdre(
        date_effet="2022-04-01",
        montant="10.00",
        par_operation_id=AUTRE_ID,
        par_paiement_id=PAIEMENT_ID,
    )
    context = (operation(), AUTRE_ID, ORDRE_ID, par)
    return Given(CONVENTION, facts).when(pa.imputer_compensation, asked, *context)


# --- Instruction, control ------------------------------------------------------------------------

INSTRUIT = [
    *PARCOURS["en_instruction"][:-1],
    fait(PlanFinancementInstruit, instructeur="a", date_effet=LE),
    fait(PlanFinancementInstruit, instructeur="b", date_effet=LE),
]


def report(par: str, facts: Any = INSTRUIT, **saisie: Any) -> Decision:
    asked = commande(ValiderRapport, **saisie)
    return Given(OPERATION, facts).when(valider_rapport, asked, par)


def test_whoever_fixed_a_plan_does_not_validate_the_report() -> None:
    for who in ("a", "b"):
        report(who).refuses(
            InstructeurEgalValideur,
            "Vous avez instruit ce dossier (plan de financement fixé le 12/03/2022) : une autre",
        )
    report("c").then_one(RapportInstructionValide, instructeur="b")


def test_whoever_is_named_as_the_instructor_does_not_validate_the_report() -> None:
    report("c", instructeur="c").refuses(InstructeurEgalValideur, "désignation par le rapport")
    report("c", instructeur="d").then_one(RapportInstructionValide, instructeur="d")


def test_a_plan_fixed_before_the_log_said_by_whom_asks_for_the_name() -> None:
    old = [*PARCOURS["en_instruction"][:-1], fait(PlanFinancementInstruit)]
    report("c", old).refuses(InstructeurInconnu, "nommez l’instructeur")
    report("c", old, instructeur="c").refuses(InstructeurEgalValideur, "désignation")
    report("c", old, instructeur="d").then_one(RapportInstructionValide)


def validate(par: str, facts: Any = CSF, **depenses: Any) -> Decision:
    line = replace(depense(80_000, ecarte=0), **depenses)
    instruite = replace(FINAL, instructeurs={"i": ActeAnterieur("plan_fixe", LE)})
    context = (CSF_ID, par, {DEPENSE_ID: line}, instruite)
    return Given(CONVENTION, facts).when(valider_csf, commande(ValiderCsf), *context)


def test_who_instructed_an_operation_does_not_validate_its_controls() -> None:
    validate("i").refuses(
        InstructeurValideService,
        "Vous avez instruit cette opération (plan de financement fixé le 12/03/2022) : une autre",
    )


def test_who_opened_a_control_or_decided_on_a_line_does_not_validate_it() -> None:
    decided = {"controleurs": {"c": ActeAnterieur("depenses_controlees", LE)}}
    validate(CONTROLEUR, **decided).refuses(ControleurEgalValideur, "(contrôle ouvert le")
    validate("c", **decided).refuses(
        ControleurEgalValideur,
        "Vous avez contrôlé ce bilan n° 1 (dépenses contrôlées le 12/03/2022) : une autre",
    )
    valide = validate(VALIDEUR, **decided).then_one(CsfValide)
    assert {i.qui: i.acte for i in valide.controleurs} == {
        CONTROLEUR: "controle_ouvert",
        "c": "depenses_controlees",
    }


@pytest.mark.parametrize(
    "kind",
    [
        EchantillonTire,
        ExtrapolationDecidee,
        FseCorrige,
        GrilleRemplie,
        MarcheCorrige,
        RealisationsControlees,
        RecettesControlees,
        RessourcesControlees,
    ],
)
def test_any_decision_of_a_control_is_a_part_in_it(kind: Any) -> None:
    facts = [*CSF, fait(kind, controleur="c", date_effet=LE)]
    validate("c", facts).refuses(
        ControleurEgalValideur,
        "Vous avez contrôlé ce bilan n° 1 (décision de contrôle le 12/03/2022) : une autre",
    )


def test_who_decided_on_a_line_does_not_pay_it() -> None:
    valide = validate(VALIDEUR, controleurs={"c": ActeAnterieur("depenses_controlees", LE)})
    facts = [*CSF, *valide.facts()]
    prepare("c", facts).refuses(ControleurEgalPayeur, "(dépenses contrôlées le 12/03/2022)")
    prepare("d", facts).then_one(PaiementPrepare)


def test_every_decision_on_a_line_is_remembered() -> None:
    facts = [
        fait(DepenseDeclaree),
        fait(DepenseControlee, controleur="c", date_effet=LE),
        fait(DepenseControlee, controleur="d", date_effet=date(2022, 3, 13)),
        fait(DepenseControlee),
    ]
    state = Given(DEPENSE, facts).state
    assert {qui: acte.le.day for qui, acte in state.controleurs.items()} == {"c": 12, "d": 13}


def test_who_instructed_an_operation_does_not_order_its_payments() -> None:
    instruite = replace(FINAL, instructeurs={"i": ActeAnterieur("plan_fixe", LE)})
    asked = commande(pa.OrdonnancerPaiement, date_effet="2022-04-01")
    context = (PAIEMENT_ID, instruite, "i")
    Given(CONVENTION, PREPARE).when(pa.ordonnancer, asked, *context).refuses(
        InstructeurEgalOrdonnateur, "Vous avez instruit cette opération (plan de financement fixé"
    )


def test_a_refusal_names_the_earliest_act() -> None:
    late, early = ActeAnterieur("depenses_controlees", LE), ActeAnterieur("controle_ouvert", LE)
    early = replace(early, le=date(2022, 1, 3))
    assert reunir({"a": late}, {"a": early}) == reunir({"a": early}, {"a": late}) == {"a": early}


# --- Payments ------------------------------------------------------------------------------------


def test_who_prepared_a_payment_does_not_order_it() -> None:
    order("a").refuses(
        PreparateurEgalOrdonnateur,
        "Vous avez préparé ce paiement le 12/03/2022 : une autre personne l’ordonnance.",
    )
    order("b").then_one(PaiementOrdonnance, ordonnateur="b")


def test_who_ordered_a_payment_does_not_send_it() -> None:
    send("b").refuses(
        OrdonnateurEgalExecutant,
        "Vous avez ordonnancé ce paiement le 12/03/2022 : une autre personne enregistre",
    )
    impute("b").refuses(OrdonnateurEgalExecutant, "l’impute sur un reversement")
    send("a").then_one(PaiementEffectue, executant="a")


@pytest.mark.parametrize(
    ("act", "suite"),
    [(prepare, "prépare"), (order, "ordonnance"), (send, "vire"), (impute, "impute")],
)
def test_who_controlled_a_bilan_or_validated_its_control_does_not_pay_it(
    act: Any, suite: str
) -> None:
    act(CONTROLEUR).refuses(
        ControleurEgalPayeur,
        "Vous avez contrôlé le bilan n° 1 (contrôle ouvert le 15/12/2021) : "
        f"une autre personne {suite} le paiement qui en découle.",
    )
    act(VALIDEUR).refuses(
        ValideurEgalPayeur,
        "Vous avez validé le contrôle du bilan n° 1 le 15/12/2021 : "
        f"une autre personne {suite} le paiement qui en découle.",
    )


def test_every_version_of_the_control_counts() -> None:
    again = [
        fait(CsfRouvert),
        fait(CsfOuvert, version=2, controleur="c"),
        fait(CsfValide, version=2, valideur="d"),
    ]
    for who in (CONTROLEUR, "c"):
        prepare(who, [*CERTIFIE, *again]).refuses(ControleurEgalPayeur, "contrôlé le bilan n° 1")
    for who in (VALIDEUR, "d"):
        # Sent under the first version, when the second is validated already.
        send(who, [*ORDONNE, *again]).refuses(ValideurEgalPayeur, "validé le contrôle")


def test_an_avance_follows_no_control() -> None:
    asked = commande(pa.PreparerPaiement, type="avance", csf_id=None)
    context = (PAIEMENT_ID, operation("en_execution"), CONTROLEUR)
    Given(CONVENTION, NOTIFIEE).when(pa.preparer, asked, *context).then_one(PaiementPrepare)


def test_an_old_order_names_nobody_and_is_sent_by_anybody_else() -> None:
    old = [*CERTIFIE, fait(PaiementOrdonnance, csf_id=CSF_ID)]
    for who in ("a", "b"):
        send(who, old).then_one(PaiementEffectue, executant=who)


# --- Money asked back ----------------------------------------------------------------------------


def test_who_asked_money_back_does_not_give_it_up() -> None:
    claimed = [
        *NOTIFIEE,
        *avance_payee(15_000),
        *CSF[2:],
        fait(CsfValide, fse_du_cumule_centimes=euros(10_000)),
        fait(
            OrdreReversementEmis,
            montant_centimes=euros(5_000),
            emetteur="a",
            date_effet=LE,
        ),
    ]
    asked = commande(
        re.DeclarerIrrecouvrable, date_effet="2022-04-01", montant="10.00", decision_ref="D-1"
    )
    given = Given(CONVENTION, claimed)
    given.when(re.declarer_irrecouvrable, asked, ORDRE_ID, "a").refuses(
        EmetteurEgalDecideur, "Vous avez émis cet ordre de reversement le 12/03/2022"
    )
    given.when(re.declarer_irrecouvrable, asked, ORDRE_ID, "b").then_one(CreanceIrrecouvrable)
