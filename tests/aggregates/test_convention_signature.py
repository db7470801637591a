"""The convention: signed by both parties for what was programmed, then notified."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from dsl import Decision, Given
from fabrique import (
    NOTIFIEE,
    OPERATION_ID,
    PARAMETRES,
    SIGNEE,
    commande,
    euros,
    fait,
    forfait,
    operation,
    plan,
    ressource,
    subvention,
)

from aggregates.convention.events import ConventionNotifiee, ConventionSignee, PlafondPoste
from aggregates.convention.signature import (
    BilanFinalAbsent,
    BilanFinalTropTard,
    ConventionAvantProgrammation,
    ConventionDejaNotifiee,
    ConventionDejaSignee,
    NotifierConvention,
    PlafondSansPoste,
    SignaturesManquantes,
    SignerConvention,
    notifier,
    signer,
)
from aggregates.convention.state import CONVENTION, ConventionAbsente
from aggregates.operation.events import Beneficiaire
from aggregates.parametres import ParametresSaisis


def sign(facts: Any = (), op: Any = None, sg: Any = None, **saisie: Any) -> Decision:
    return Given(CONVENTION, facts).when(
        signer,
        commande(SignerConvention, **saisie),
        op or operation("programme"),
        OPERATION_ID,
        sg or subvention(),
    )


def bilan(numero: int, kind: str, limite: str) -> dict[str, Any]:
    return {"numero": numero, "type": kind, "date_limite": limite}


def test_the_convention_takes_over_what_was_programmed() -> None:
    sign().then_one(
        ConventionSignee,
        fse_max_centimes=euros(50_000),
        cout_total_eligible_centimes=euros(100_000),
        avance_pct=Decimal(30),
    )


@pytest.mark.parametrize(
    "statut", ["depose", "instruit_favorable", "ajourne", "refuse", "deprogramme", "conventionne"]
)
def test_convention_before_programming_is_refused(statut: Any) -> None:
    sign(op=operation(statut)).refuses(
        ConventionAvantProgrammation, "l’opération 202100007 n’est pas programmée"
    )


def test_a_convention_is_signed_once_and_notified_once() -> None:
    sign(SIGNEE).refuses(ConventionDejaSignee, "C-2022-01 est déjà signée")
    Given(CONVENTION, NOTIFIEE).when(notifier, commande(NotifierConvention)).refuses(
        ConventionDejaNotifiee, "C-2022-01 est déjà notifiée"
    )


@pytest.mark.parametrize("signataires", [["ordonnateur-1"], ["ordonnateur-1", "ordonnateur-1"]])
def test_convention_with_one_signature_is_refused(signataires: list[str]) -> None:
    sign(signataires=signataires).refuses(SignaturesManquantes, "1 est indiquée")


def test_convention_foresees_exactly_one_final_bilan() -> None:
    sign(bilans_prevus=[bilan(1, "intermediaire", "2021-12-31")]).refuses(
        BilanFinalAbsent, "exactement un bilan final"
    )
    sign(bilans_prevus=[bilan(1, "final", "2022-06-30"), bilan(2, "final", "2022-06-30")]).refuses(
        BilanFinalAbsent, "exactement un bilan final"
    )


def test_final_bilan_later_than_six_months_after_the_end_is_refused() -> None:
    sign(bilans_prevus=[bilan(1, "final", "2022-07-01")]).refuses(
        BilanFinalTropTard, "prévu le 01/07/2022, après la limite du 30/06/2022"
    )
    sign(bilans_prevus=[bilan(1, "final", "2022-06-30")]).then_one(ConventionSignee)


def test_some_beneficiaries_have_no_avance() -> None:
    commune = Beneficiaire(siret="73282932000074", nom="Bénéficiaire fictif", type="collectivite")
    sign(op=operation("programme", beneficiaire=commune)).then_one(
        ConventionSignee, avance_pct=Decimal(0)
    )


def test_parameters_of_the_grant_are_frozen_in_the_convention() -> None:
    choix = msgspec.structs.replace(
        PARAMETRES,
        avance_plafond_centimes=euros(10_000),
        plafond_avant_solde_pct=Decimal(80),
        arrondi="troncature",
    )
    sg = msgspec.structs.replace(subvention(), parametres=choix)
    sign(sg=sg).then_one(
        ConventionSignee,
        avance_plafond_centimes=euros(10_000),
        plafond_avant_solde_pct=Decimal(80),
        arrondi="troncature",
    )


def test_a_choice_falls_from_the_texts_to_the_grant_the_fiche_and_the_convention() -> None:
    sg = msgspec.structs.replace(
        subvention(),
        parametres=msgspec.structs.replace(
            PARAMETRES,
            avance_pct=Decimal(25),
            delai_contradictoire_jours=20,
            arrondi="troncature",
        ),
    )
    fiche = ParametresSaisis(avance_pct="20", delai_contradictoire_jours=15).surcharge()
    fact = sign(
        op=operation("programme", parametres=fiche), sg=sg, parametres={"avance_pct": "10"}
    ).then_one(ConventionSignee)
    assert fact.parametres is not None
    assert (
        fact.parametres.avance_pct,
        fact.parametres.delai_contradictoire_jours,
        fact.parametres.arrondi,
        fact.parametres.imputation_avance,
    ) == (Decimal(10), 15, "troncature", "immediate")


def test_what_is_said_twice_in_the_fact_says_the_same() -> None:
    """Older readers know the amounts beside the parameters only."""
    fact = sign(
        parametres={
            "avance_pct": "10",
            "avance_plafond": "1000.00",
            "plafond_avant_solde_pct": "80",
        }
    ).then_one(ConventionSignee)
    assert fact.parametres is not None
    assert (fact.avance_pct, fact.avance_plafond_centimes, fact.plafond_avant_solde_pct) == (
        fact.parametres.avance_pct,
        fact.parametres.avance_plafond_centimes,
        fact.parametres.plafond_avant_solde_pct,
    )
    assert fact.arrondi == fact.parametres.arrondi


def test_the_convention_keeps_its_choices_whatever_the_grant_becomes() -> None:
    signed = sign(parametres={"delai_contradictoire_jours": 45}).state()
    assert signed.parametres.delai_contradictoire_jours == 45


def test_a_convention_may_refuse_an_avance_that_the_texts_would_give() -> None:
    commune = Beneficiaire(siret="73282932000074", nom="Bénéficiaire fictif", type="collectivite")
    op = operation("programme", beneficiaire=commune)
    sign(op=op, parametres={"types_beneficiaires_sans_avance": []}).then_one(
        ConventionSignee, avance_pct=Decimal(30)
    )


def test_a_cap_stands_on_a_poste_at_real_cost_of_the_plan() -> None:
    cap = {"code": "personnel", "montant": "60000.00", "tolerance_pct": "10"}
    sign(plafonds_poste=[cap]).then_one(
        ConventionSignee,
        plafonds_poste=(
            PlafondPoste(
                code="personnel", montant_centimes=euros(60_000), tolerance_pct=Decimal(10)
            ),
        ),
    )
    sign(plafonds_poste=[cap | {"code": "prestations"}]).refuses(
        PlafondSansPoste, "« prestations » n’est pas au coût réel"
    )
    sign(plafonds_poste=[cap, cap]).refuses(PlafondSansPoste, "plafonné deux fois")
    forfaitise = plan(
        50_000,
        ressource("publique_epci", 65_000),
        personnel=100_000,
        i=forfait("forfait_15_personnel", 15_000, "15", "personnel"),
    )
    op = operation("programme", plan=forfaitise)
    sign(op=op, plafonds_poste=[cap | {"code": "indirectes"}]).refuses(
        PlafondSansPoste, "« indirectes »"
    )


def test_notification_puts_the_convention_in_force() -> None:
    Given(CONVENTION, SIGNEE).when(notifier, commande(NotifierConvention)).then(
        fait(ConventionNotifiee)
    )


def test_an_operation_without_convention_is_said_so() -> None:
    assert "n’a pas encore de convention" in str(ConventionAbsente(id=OPERATION_ID))
