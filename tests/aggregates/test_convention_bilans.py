"""Bilans: filed with their dépenses under a convention in force, sent back before any control."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from dsl import Decision, Given
from fabrique import (
    AUTRE_DEPENSE_ID,
    AUTRE_ID,
    BILAN,
    BILAN_ID,
    CERTIFIE,
    CSF,
    DEPENSE_ID,
    NOTIFIEE,
    RECEVABLE,
    SIGNEE,
    commande,
    depense,
    euros,
    fait,
    forfait,
    livrables,
    parcours,
    plan,
    ressource,
    signee,
)

from aggregates.convention.bilans import (
    BilanAbsent,
    BilanAvantConvention,
    BilanDejaRecevable,
    BilanEnControle,
    BilanFinalDejaDepose,
    BilanHorsConvention,
    DepenseAnnuleeAuBilan,
    DepenseDejaDansUnBilan,
    DepenseDuneAutreOperation,
    DeposerBilan,
    JugerRecevable,
    LivrableDejaDeclare,
    LivrableNonPrevu,
    NumeroBilanDejaPris,
    RenvoyerBilan,
    UnitesNonPrevues,
    deposer_bilan,
    juger_recevable,
    renvoyer_bilan,
)
from aggregates.convention.events import (
    BilanDepose,
    BilanJugeRecevable,
    BilanRenvoye,
    ConventionSignee,
    CsfRouvert,
    UnitesDeclarees,
)
from aggregates.convention.state import CONVENTION
from rules.calcul import Apports, LignesPoste

INTERMEDIAIRE = [*NOTIFIEE, fait(BilanDepose, type="intermediaire")]
DEUXIEME = UUID(int=50)


def file(facts: Any = NOTIFIEE, depenses: Any = None, **saisie: Any) -> Decision:
    return Given(CONVENTION, facts).when(
        deposer_bilan,
        commande(DeposerBilan, **saisie),
        BILAN_ID if facts in (NOTIFIEE, SIGNEE) else DEUXIEME,
        [depense()] if depenses is None else depenses,
    )


def test_a_bilan_declares_its_depenses_and_the_share_of_the_fund() -> None:
    lignes = LignesPoste(code="personnel", declare_centimes=euros(1_000), ecarte_centimes=0)
    file().then(fait(BilanDepose, apports=Apports(final=True, lignes=(lignes,))))


def test_the_share_declared_is_capped_by_the_convention() -> None:
    file(depenses=[depense(120_000)]).then_one(
        BilanDepose,
        cout_total_declare_centimes=euros(120_000),
        fse_declare_centimes=euros(50_000),
    )


def test_the_share_declared_is_cumulated_then_differenced() -> None:
    first = [
        *NOTIFIEE,
        fait(
            BilanDepose,
            type="intermediaire",
            cout_total_declare_centimes=1,
            fse_declare_centimes=1,
        ),
    ]
    # Half of 1 cent rounds up to 1; half of 2 cents is 1: the second bilan adds nothing.
    Given(CONVENTION, first).when(
        deposer_bilan,
        commande(DeposerBilan, numero=2, depenses=[AUTRE_DEPENSE_ID]),
        DEUXIEME,
        [depense("0,01")],
    ).then_one(BilanDepose, cout_total_declare_centimes=1, fse_declare_centimes=0)


def test_the_share_declared_is_truncated_where_the_grant_says_so() -> None:
    truncated = [fait(ConventionSignee, arrondi="troncature"), *NOTIFIEE[1:]]
    Given(CONVENTION, truncated).when(
        deposer_bilan, commande(DeposerBilan), BILAN_ID, [depense("0,01")]
    ).then_one(BilanDepose, fse_declare_centimes=0)


def test_bilan_before_the_convention_is_in_force_is_refused() -> None:
    file(SIGNEE).refuses(BilanAvantConvention, "La convention n’est pas notifiée")


def test_a_second_final_bilan_is_refused() -> None:
    file(BILAN, numero=2).refuses(BilanFinalDejaDepose, "Le bilan final est déjà déposé")


def test_a_number_serves_once_unless_its_bilan_went_back() -> None:
    file(INTERMEDIAIRE).refuses(NumeroBilanDejaPris, "Le bilan n° 1 est déjà déposé")
    file([*INTERMEDIAIRE, fait(BilanRenvoye)]).then_one(BilanDepose, numero=1)


@pytest.mark.parametrize(
    "periode",
    [
        {"debut": "2020-12-31", "fin": "2021-12-31"},
        {"debut": "2021-01-01", "fin": "2022-01-01"},
    ],
)
def test_bilan_that_leaves_the_period_of_the_convention_is_refused(periode: Any) -> None:
    file(periode=periode).refuses(BilanHorsConvention, "sort de celle de la convention")


def test_depense_of_another_operation_is_refused() -> None:
    file(depenses=[depense(operation_id=AUTRE_ID)]).refuses(
        DepenseDuneAutreOperation, "BS-2021-05 appartient à une autre opération"
    )


def test_cancelled_depense_is_refused() -> None:
    cancelled = msgspec.structs.replace(depense(), statut="annulee")
    file(depenses=[cancelled]).refuses(DepenseAnnuleeAuBilan, "BS-2021-05 est annulée")


def test_a_depense_is_in_one_bilan_once() -> None:
    file(INTERMEDIAIRE, numero=2).refuses(
        DepenseDejaDansUnBilan, "BS-2021-05 figure déjà dans un bilan"
    )
    Given(CONVENTION, NOTIFIEE).when(
        deposer_bilan,
        commande(DeposerBilan, depenses=[DEPENSE_ID, DEPENSE_ID]),
        BILAN_ID,
        [depense(), depense()],
    ).refuses(DepenseDejaDansUnBilan, "BS-2021-05")


def test_a_bilan_sent_back_frees_its_depenses() -> None:
    file([*INTERMEDIAIRE, fait(BilanRenvoye)], numero=2).then_one(BilanDepose, numero=2)


# --- Simplified costs ----------------------------------------------------------------------------

FORFAITISEE = [
    signee(
        plan(
            50_000,
            ressource("publique_epci", 65_000),
            personnel=100_000,
            indirectes=forfait("forfait_15_personnel", 15_000, "15", "personnel"),
        )
    ),
    *NOTIFIEE[1:],
]
A_L_UNITE = [
    signee(plan(54_000, ressource("privee", 36_000), p=parcours())),
    *NOTIFIEE[1:],
]
AU_FORFAIT = [
    signee(plan(24_000, ressource("privee", 36_000), mf=livrables(L1=35_000, L2=25_000))),
    *NOTIFIEE[1:],
]


def declare(facts: Any, depenses: Any = (), **saisie: Any) -> Decision:
    asked = commande(
        DeposerBilan, depenses=[UUID(int=80 + n) for n in range(len(depenses))], **saisie
    )
    return Given(CONVENTION, facts).when(deposer_bilan, asked, DEUXIEME, depenses)


def test_a_flat_rate_is_declared_with_its_base() -> None:
    """15 % of 1 000 € comes with it, at 50/115 of the Fund."""
    declare(FORFAITISEE, [depense()]).then_one(
        BilanDepose,
        cout_total_declare_centimes=euros(1_150),
        fse_declare_centimes=euros(500),
    )


def test_what_is_declared_is_not_capped_poste_by_poste() -> None:
    capped = [signee(fongibilite="plafond_par_poste"), *NOTIFIEE[1:]]
    declare(capped, [depense(120_000)]).then_one(
        BilanDepose, cout_total_declare_centimes=euros(120_000)
    )


def test_units_are_declared_at_their_cost() -> None:
    unites = [{"poste": "parcours", "quantite": "112.5"}]
    declare(A_L_UNITE, unites=unites).then_one(
        BilanDepose,
        unites=(UnitesDeclarees(poste="parcours", quantite=Decimal("112.5")),),
        cout_total_declare_centimes=euros(84_375),
        fse_declare_centimes=euros(50_625),
    )


@pytest.mark.parametrize(
    "unites",
    [
        [{"poste": "visites", "quantite": "1"}],
        [{"poste": "parcours", "quantite": "1"}, {"poste": "parcours", "quantite": "2"}],
    ],
)
def test_units_that_the_convention_does_not_pay_are_refused(unites: Any) -> None:
    declare(A_L_UNITE, unites=unites).refuses(UnitesNonPrevues, f"« {unites[0]['poste']} »")


def test_a_poste_at_real_cost_has_no_units() -> None:
    declare(NOTIFIEE, unites=[{"poste": "personnel", "quantite": "1"}]).refuses(
        UnitesNonPrevues, "« personnel »"
    )


def test_a_deliverable_is_declared_once_and_whole() -> None:
    declare(AU_FORFAIT, livrables=["L2"]).then_one(
        BilanDepose,
        livrables=("L2",),
        cout_total_declare_centimes=euros(25_000),
        fse_declare_centimes=euros(10_000),
    )
    declare(AU_FORFAIT, livrables=["L3"]).refuses(LivrableNonPrevu, "livrable « L3 »")
    declare(AU_FORFAIT, livrables=["L1", "L1"]).refuses(LivrableDejaDeclare, "« L1 »")
    before = [
        *AU_FORFAIT,
        fait(BilanDepose, type="intermediaire", depenses=(), livrables=("L1",)),
    ]
    declare(before, numero=2, livrables=["L1"]).refuses(
        LivrableDejaDeclare, "« L1 » est déjà déclaré atteint"
    )
    declare([*before, fait(BilanRenvoye)], numero=2, livrables=["L1"]).then_one(BilanDepose)


def test_revenue_is_declared_beside_the_cost() -> None:
    file(recettes_nettes="7350.40").then_one(
        BilanDepose,
        recettes_nettes_centimes=euros("7 350,40"),
        cout_total_declare_centimes=euros(1_000),
    )


# --- Admissible, or sent back --------------------------------------------------------------------


def judge(facts: Any = BILAN, bilan_id: UUID = BILAN_ID) -> Decision:
    return Given(CONVENTION, facts).when(juger_recevable, commande(JugerRecevable), bilan_id)


def test_a_complete_bilan_is_found_admissible_once() -> None:
    judge().then(fait(BilanJugeRecevable))
    for facts in (RECEVABLE, CSF, CERTIFIE, [*CERTIFIE, fait(CsfRouvert)]):
        judge(facts).refuses(BilanDejaRecevable, "Le bilan n° 1 est déjà jugé recevable")
    judge(bilan_id=AUTRE_ID).refuses(BilanAbsent, str(AUTRE_ID))
    judge([*BILAN, fait(BilanRenvoye)]).refuses(BilanAbsent, str(BILAN_ID))


def test_an_admissible_bilan_still_goes_back_until_its_control() -> None:
    send_back(RECEVABLE).then_one(BilanRenvoye)
    for facts in (CSF, CERTIFIE, [*CERTIFIE, fait(CsfRouvert)]):
        send_back(facts).refuses(BilanEnControle, "il ne se renvoie plus")


def test_what_the_others_declare_is_computed_again_when_one_goes_back() -> None:
    """Two bilans of 33 333,30 € on which 15 % is 4 999,995 €: alone it rounds up."""
    lignes = LignesPoste(code="personnel", declare_centimes=euros("33 333,30"), ecarte_centimes=0)
    apports = Apports(final=False, lignes=(lignes,))
    first = declare(FORFAITISEE, [depense("33 333,30")], type="intermediaire").then_one(
        BilanDepose, apports=apports
    )
    both = [*FORFAITISEE, first]
    second = (
        Given(CONVENTION, both)
        .when(
            deposer_bilan,
            commande(DeposerBilan, numero=2, depenses=[AUTRE_DEPENSE_ID]),
            BILAN_ID,
            [depense("33 333,30")],
        )
        .then_one(BilanDepose)
    )
    assert (first.cout_total_declare_centimes, second.cout_total_declare_centimes) == (
        euros("38 333,30"),
        euros("38 333,29"),
    )
    back = send_back([*both, second], DEUXIEME)
    back.then_one(BilanRenvoye, cout_total_declare_centimes=euros("38 333,29"))
    assert back.state().cout_total_declare == euros("38 333,30")


def send_back(facts: Any = BILAN, bilan_id: UUID = BILAN_ID) -> Decision:
    return Given(CONVENTION, facts).when(renvoyer_bilan, commande(RenvoyerBilan), bilan_id, [])


def test_a_bilan_is_sent_back_for_its_form() -> None:
    send_back().then(fait(BilanRenvoye, motif="Motif de l’essai"))
    after = send_back().state()
    assert (after.fse_declare, after.cout_total_declare, after.bilan_final) == (0, 0, None)


def test_a_bilan_sent_back_leaves_what_the_others_declare() -> None:
    # 60 000,00 € then 60 000,00 € at 50 %, the second cut at the maximum of 50 000,00 €.
    first = fait(
        BilanDepose,
        type="intermediaire",
        cout_total_declare_centimes=euros(60_000),
        fse_declare_centimes=euros(30_000),
    )
    second = fait(
        BilanDepose,
        numero=2,
        bilan_id=DEUXIEME,
        cout_total_declare_centimes=euros(60_000),
        fse_declare_centimes=euros(20_000),
    )
    sent = send_back([*NOTIFIEE, first, second])
    sent.then_one(BilanRenvoye, fse_declare_centimes=euros(20_000))
    assert sent.state().fse_declare == euros(30_000)


def test_bilan_under_control_is_not_sent_back() -> None:
    send_back(CSF).refuses(BilanEnControle, "Le bilan n° 1 est déjà en contrôle")


def test_bilan_that_does_not_exist_is_named() -> None:
    send_back(bilan_id=AUTRE_ID).refuses(BilanAbsent, str(AUTRE_ID))
    send_back([*BILAN, fait(BilanRenvoye)]).refuses(BilanAbsent, str(BILAN_ID))
