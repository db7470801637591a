"""Dépenses: declared under a convention, corrected while free, decided on by the control."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from dsl import Decision, Given
from fabrique import (
    AUTRE_DEPENSE_ID,
    BILAN,
    CSF,
    DEPENSE_ID,
    DETAIL,
    DETAIL_SAISI,
    NOTIFIEE,
    OPERATION_ID,
    PLAN,
    SIGNEE,
    commande,
    convention,
    euros,
    fait,
    operation,
    plan,
)
from pydantic import ValidationError

from aggregates.convention.state import CONVENTION
from aggregates.depense.controle import (
    ControlerDepenses,
    DepenseHorsBilan,
    EcarteSuperieurAuDeclare,
    EcarteSuperieurAuReste,
    MotifObligatoire,
    MotifSansEcart,
    PosteForfaitise,
    PosteNonConventionne,
    RegularisationRetenueEntiere,
    controler,
)
from aggregates.depense.declaration import (
    AnnulerDepense,
    CleInvalide,
    CorrigerDepense,
    DeclarerDepense,
    DepenseAnnuleeDefinitivement,
    DepenseAvantConvention,
    DepenseDansUnBilan,
    DepenseDejaControlee,
    DepenseDejaDeclaree,
    DepenseDejaRegularisee,
    DepenseNulle,
    MontantAbsent,
    MontantNegatif,
    RegularisationAutreOperation,
    RegularisationAutrePoste,
    RegularisationDeDepenseAnnulee,
    RegularisationDeRegularisation,
    RegularisationExcessive,
    RegularisationPositive,
    TempsEtCle,
    TempsIncomplet,
    annuler,
    corriger,
    declarer,
    exiger_declaration,
    regulariser,
)
from aggregates.depense.events import (
    DepenseAnnulee,
    DepenseControlee,
    DepenseCorrigee,
    DepenseDeclaree,
    DepenseRegularisee,
)
from aggregates.depense.state import DEPENSE, Depense, DepenseAbsente
from aggregates.operation.transitions import ActeHorsDeSonOrdre
from aggregates.plan import PlanFinancement, Poste
from oi_service.errors import Refusal
from rules.eligibilite import MOTIFS
from rules.temps import Cle, JourTravaille, Temps

MOTIF = "Motif de l’essai"
DECLAREE = [fait(DepenseDeclaree)]


def declare(facts: Any = (), **changes: Any) -> Decision:
    asked = commande(DeclarerDepense, detail=DETAIL_SAISI | changes)
    return Given(DEPENSE, facts).when(declarer, asked, asked.detail, operation(), OPERATION_ID)


def test_a_depense_is_declared_once() -> None:
    declare().then(fait(DepenseDeclaree))
    declare(DECLAREE).refuses(DepenseDejaDeclaree, "déjà déclarée")


def test_a_depense_outside_the_period_is_declared_and_judged_later() -> None:
    declare(date_realisation="2019-01-01", date_acquittement=None).then_one(DepenseDeclaree)


def test_a_depense_of_nothing_is_refused() -> None:
    declare(montant_impute="0.00").refuses(DepenseNulle, "n’est pas nul")
    declare(montant_impute="-0.00", regularise=AUTRE_DEPENSE_ID).refuses(DepenseNulle, "pas nul")


@pytest.mark.parametrize(("haut", "bas"), [(3, 2), (0, 2), (1, 0), (0, 0)])
def test_a_key_above_one_or_that_divides_by_zero_is_refused(haut: int, bas: int) -> None:
    cle = {"numerateur": haut, "denominateur": bas, "libelle": "Surface"}
    declare(cle=cle).refuses(CleInvalide, f"{haut}/{bas}")


def test_a_key_of_one_is_accepted() -> None:
    cle = {"numerateur": 2, "denominateur": 2, "libelle": "Surface"}
    fact = declare(cle=cle).then_one(DepenseDeclaree)
    assert fact.detail.cle == Cle(numerateur=2, denominateur=2, libelle="Surface")


def test_a_key_in_decimals_is_kept_as_exact_whole_numbers() -> None:
    """CSF-28: 7,25 / 42,50 full-time equivalents of 180 000,00 €."""
    cle = {"numerateur": "7.25", "denominateur": "42.50", "libelle": "ETP", "assiette": "180000.00"}
    fact = declare(cle=cle, montant_impute=None).then_one(DepenseDeclaree)
    assert fact.detail.cle == Cle(
        numerateur=725, denominateur=4250, libelle="ETP", assiette_centimes=euros(180_000)
    )
    assert fact.detail.montant_impute_centimes == euros("30 705,88")


@pytest.mark.parametrize(
    ("haut", "bas", "exact"),
    [("1", "3", (1, 3)), ("0.5", 2, (5, 20)), (1, "1.25", (100, 125)), ("1.0", "1.00", (100, 100))],
)
def test_both_terms_of_a_key_are_scaled_alike(haut: Any, bas: Any, exact: tuple[int, int]) -> None:
    fact = declare(cle={"numerateur": haut, "denominateur": bas, "libelle": "ETP"}).then_one(
        DepenseDeclaree
    )
    assert fact.detail.cle is not None
    assert (fact.detail.cle.numerateur, fact.detail.cle.denominateur) == exact


TAUX_HORAIRE = {
    "methode": "taux_horaire",
    "cout": "43215.60",
    "heures_operation": "612.50",
    "heures_base": "1720",
}


@pytest.mark.parametrize(
    ("arrondi", "montant"), [("demi_superieur", "15 389,28"), ("troncature", "15 389,27")]
)
def test_hours_at_the_hourly_rate_are_charged_and_only_the_product_is_rounded(
    arrondi: Any, montant: str
) -> None:
    """CSF-29: 43 215,60 € / 1 720 h × 612,5 h; the hourly rate alone would round to 25,13 €."""
    asked = commande(DeclarerDepense, detail=DETAIL_SAISI | SANS_MONTANT | {"temps": TAUX_HORAIRE})
    fact = (
        Given(DEPENSE)
        .when(declarer, asked, asked.detail, operation(), OPERATION_ID, arrondi)
        .then_one(DepenseDeclaree)
    )
    assert fact.detail.montant_impute_centimes == euros(montant)
    assert fact.detail.temps == Temps(
        methode="taux_horaire",
        cout_centimes=euros("43 215,60"),
        annee=2021,
        heures_operation=Decimal("612.50"),
        heures_base=Decimal(1720),
    )


SANS_MONTANT = {"montant_impute": None}


def test_the_amount_given_is_kept_whatever_the_computation_says() -> None:
    declare(temps=TAUX_HORAIRE, montant_impute="16000.00").then_one(DepenseDeclaree)


def test_hours_left_out_are_the_sum_of_the_days() -> None:
    temps = {
        "methode": "temps_travaille",
        "cout": "3000.00",
        "heures_base": "150",
        "mois": 5,
        "jours": [
            {"jour": "2021-05-03", "heures": "7"},
            {"jour": "2021-05-04", "heures": "3.5"},
        ],
    }
    fact = declare(temps=temps, montant_impute=None).then_one(DepenseDeclaree)
    assert fact.detail.temps is not None
    assert fact.detail.temps.heures_operation == Decimal("10.5")
    assert fact.detail.temps.jours[1] == JourTravaille(jour=date(2021, 5, 4), heures=Decimal("3.5"))
    assert fact.detail.montant_impute_centimes == euros(210)


@pytest.mark.parametrize(
    ("temps", "montant"),
    [
        ({"methode": "plein_temps", "cout": "2500.00"}, 2_500),
        ({"methode": "pourcentage_fixe", "cout": "2500.00", "pourcentage": "40"}, 1_000),
    ],
    ids=["full time", "fixed share"],
)
def test_other_ways_to_charge_time(temps: dict[str, str], montant: int) -> None:
    fact = declare(temps=temps, montant_impute=None).then_one(DepenseDeclaree)
    assert fact.detail.montant_impute_centimes == euros(montant)


@pytest.mark.parametrize(
    ("absent", "dit"),
    [("heures_operation", "les heures de l’opération"), ("heures_base", "les heures de base")],
)
def test_a_method_without_what_it_counts_is_refused(absent: str, dit: str) -> None:
    temps = {k: v for k, v in TAUX_HORAIRE.items() if k != absent}
    declare(temps=temps).refuses(TempsIncomplet, dit)


def test_a_fixed_share_without_its_percentage_is_refused() -> None:
    temps = {"methode": "pourcentage_fixe", "cout": "2500.00"}
    declare(temps=temps).refuses(TempsIncomplet, "le pourcentage")


def test_time_and_key_together_are_refused() -> None:
    cle = {"numerateur": 1, "denominateur": 2, "libelle": "Surface"}
    declare(temps=TAUX_HORAIRE, cle=cle).refuses(TempsEtCle, "BS-2021-05")


def test_an_amount_that_nothing_computes_is_asked_for() -> None:
    cle = {"numerateur": 1, "denominateur": 2, "libelle": "Surface"}
    declare(montant_impute=None).refuses(MontantAbsent, "de quoi le calculer")
    declare(montant_impute=None, cle=cle).refuses(MontantAbsent, "une clé avec son assiette")


@pytest.mark.parametrize(
    "changes",
    [
        {"poste": "divers"},
        {"preuve_acquittement": "parole"},
        {"date_piece": "2021-02-30"},
        {"date_piece": "30/05/2021"},
        {"montant_impute": "1000.0"},
        {"montant_impute": 1000},
        {"employe": "inconnu"},
        {"montant_impute": "- 50.00"},
        {"montant_impute": "--50.00"},
        {"cle": {"numerateur": 7.25, "denominateur": 42.5, "libelle": "ETP"}},
        {"cle": {"numerateur": "7,25", "denominateur": "42.50", "libelle": "ETP"}},
        {"cle": {"numerateur": True, "denominateur": 2, "libelle": "ETP"}},
        {"cle": {"numerateur": -1, "denominateur": 2, "libelle": "ETP"}},
        {"temps": {"methode": "plein_temps", "cout": "1.00", "justificatif": "parole"}},
        {"temps": {"methode": "au_doigt_mouille", "cout": "1.00"}},
        {"temps": {"methode": "plein_temps", "cout": "1.00", "mois": 13}},
        {"temps": {"methode": "taux_horaire", "cout": "1.00", "heures_operation": 612.5}},
        {"temps": {"methode": "taux_horaire", "cout": "1.00", "heures_base": "0"}},
        {"temps": {"methode": "pourcentage_fixe", "cout": "1.00", "pourcentage": "100.01"}},
    ],
    ids=str,
)
def test_what_is_malformed_is_refused_at_the_door(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        declare(**changes)


@pytest.mark.parametrize("facts", [None, SIGNEE], ids=["none", "signed only"])
def test_depense_before_the_convention_is_refused(facts: Any) -> None:
    state = None if facts is None else CONVENTION.replay(facts)
    with pytest.raises(DepenseAvantConvention, match="n’est pas notifiée"):
        exiger_declaration(operation("programme"), state)


@pytest.mark.parametrize(
    ("statut", "refus"),
    [
        ("conventionne", None),
        ("en_execution", None),
        ("realisation_terminee", None),
        ("abandonne", None),
        ("resilie", None),
        ("bilan_final_depose", ActeHorsDeSonOrdre),
        ("solde", ActeHorsDeSonOrdre),
        ("archive", ActeHorsDeSonOrdre),
    ],
)
def test_depense_after_the_final_bilan_is_refused(statut: Any, refus: type[Refusal] | None) -> None:
    if refus is None:
        exiger_declaration(operation(statut), convention(NOTIFIEE))
        return
    with pytest.raises(refus, match="Déclarer une dépense est impossible"):
        exiger_declaration(operation(statut), convention(NOTIFIEE))


CONTROLEE = [*DECLAREE, fait(DepenseControlee)]
ANNULEE = [*DECLAREE, fait(DepenseAnnulee)]


def correct(facts: Any = DECLAREE, *, rattachee: bool = False, **changes: Any) -> Decision:
    return Given(DEPENSE, facts).when(
        corriger,
        commande(CorrigerDepense, detail=DETAIL_SAISI | changes),
        rattachee=rattachee,
    )


def cancel(facts: Any = DECLAREE, *, rattachee: bool = False) -> Decision:
    return Given(DEPENSE, facts).when(annuler, commande(AnnulerDepense), rattachee=rattachee)


def test_a_correction_names_what_it_corrects() -> None:
    correct(montant_impute="900.00").then(fait(DepenseCorrigee, motif=MOTIF))
    twice = [*DECLAREE, fait(DepenseCorrigee)]
    correct(twice, montant_impute="800.00").then_one(DepenseCorrigee, corrige_version=2)


def test_a_correction_that_changes_nothing_is_no_fact() -> None:
    correct().then()


def test_a_depense_is_taken_back() -> None:
    cancel().then(fait(DepenseAnnulee, motif=MOTIF))


@pytest.mark.parametrize("act", [correct, cancel])
def test_a_depense_that_is_not_free_does_not_change(act: Any) -> None:
    act(CONTROLEE).refuses(DepenseDejaControlee, "BS-2021-05 est déjà contrôlée")
    act(DECLAREE, rattachee=True).refuses(DepenseDansUnBilan, "dans un bilan déposé")
    act(ANNULEE).refuses(DepenseAnnuleeDefinitivement, "BS-2021-05 est annulée")


def decide(
    facts: Any = DECLAREE,
    bilan_facts: Any = CSF,
    plan_en_vigueur: PlanFinancement = PLAN,
    **ligne: Any,
) -> Decision:
    asked = commande(
        ControlerDepenses,
        lignes=[{"depense_id": DEPENSE_ID, "montant_ecarte": "0.00"} | ligne],
    )
    state = msgspec.structs.replace(convention(bilan_facts), plan=plan_en_vigueur)
    [bilan] = state.bilans.values()
    return Given(DEPENSE, facts).when(
        controler, asked, asked.lignes[0], bilan, bilan.csf, state, "gestionnaire-1"
    )


def test_a_depense_is_retained_whole() -> None:
    decide().then(fait(DepenseControlee, controleur="gestionnaire-1"))


def test_a_depense_is_rejected_in_part_with_a_motif_of_the_list() -> None:
    decide(montant_ecarte="250.01", motif_code="NON_ACQUITTEE").then_one(
        DepenseControlee,
        montant_retenu_centimes=euros("749,99"),
        montant_ecarte_centimes=euros("250,01"),
        motif_code="NON_ACQUITTEE",
    )
    assert "NON_ACQUITTEE" in MOTIFS


def test_a_depense_is_rejected_up_to_its_amount_to_the_cent() -> None:
    whole = {"motif_code": "HORS_PERIODE"}
    decide(montant_ecarte="1000.01", **whole).refuses(
        EcarteSuperieurAuDeclare, "déclarée pour 1 000,00 €"
    )
    decide(montant_ecarte="1000.00", **whole).then_one(DepenseControlee, montant_retenu_centimes=0)


def test_a_rejection_needs_a_motif_and_a_retention_has_none() -> None:
    decide(montant_ecarte="0.01").refuses(MotifObligatoire, "demande un motif de la liste")
    decide(motif_code="HORS_PERIODE").refuses(MotifSansEcart, "retenue en entier")


@pytest.mark.parametrize("ecarte", ["0.00", "999.99"])
def test_a_poste_outside_the_plan_is_rejected_whole(ecarte: str) -> None:
    ailleurs = plan(prestations=100_000)
    motif = {"motif_code": "POSTE_NON_CONVENTIONNE"}
    decide(
        plan_en_vigueur=ailleurs, montant_ecarte=ecarte, **(motif if euros(ecarte) else {})
    ).refuses(PosteNonConventionne, "signer un avenant")
    decide(plan_en_vigueur=ailleurs, montant_ecarte="1000.00", **motif).then_one(
        DepenseControlee, montant_retenu_centimes=0
    )


@pytest.mark.parametrize("mode", ["forfait", "cout_unitaire", "montant_forfaitaire"])
def test_a_poste_at_simplified_cost_is_rejected_whole(mode: Any) -> None:
    poste = Poste(code="personnel", montant_centimes=euros(100_000), mode=mode)
    simplifie = msgspec.structs.replace(PLAN, postes=(poste,))
    decide(plan_en_vigueur=simplifie).refuses(PosteForfaitise, "à coût simplifié")
    decide(
        plan_en_vigueur=simplifie, montant_ecarte="1000.00", motif_code="DOUBLE_FINANCEMENT"
    ).then_one(DepenseControlee, montant_retenu_centimes=0)


def test_a_correction_after_an_audit_says_so() -> None:
    decide(CONTROLEE, montant_ecarte="340.00", motif_code="CORRECTION_AUDIT").then_one(
        DepenseControlee, montant_retenu_centimes=euros(660), motif_code="CORRECTION_AUDIT"
    )


# Régularisations.

REPRISE = {"regularise": AUTRE_DEPENSE_ID, "montant_impute": "-400.00", "piece_ref": "AV-1"}
DETAIL_REPRISE = msgspec.structs.replace(
    DETAIL,
    regularise=AUTRE_DEPENSE_ID,
    montant_impute_centimes=-euros(400),
    piece_ref="AV-1",
)
REGULARISATION = [fait(DepenseDeclaree, detail=DETAIL_REPRISE)]


def test_a_negative_depense_names_the_one_that_it_corrects() -> None:
    declare(**REPRISE).then_one(DepenseDeclaree, detail=DETAIL_REPRISE)
    declare(montant_impute="-400.00").refuses(MontantNegatif, "nommez dans « regularise »")
    declare(**REPRISE | {"montant_impute": "400.00"}).refuses(
        RegularisationPositive, "son montant est négatif"
    )


def test_a_regularisation_is_computed_as_what_it_takes_back() -> None:
    cle = {"numerateur": 1, "denominateur": 3, "libelle": "Surface", "assiette": "1000.00"}
    fact = declare(**REPRISE | {"montant_impute": None, "cle": cle}).then_one(DepenseDeclaree)
    assert fact.detail.montant_impute_centimes == -euros("333,33")


def depense(facts: Any) -> Depense:
    state = DEPENSE.replay(facts)
    assert state is not None
    return state


def reprendre(
    facts: Any = DECLAREE, reprise: Any = REGULARISATION, regularisation_id: UUID = DEPENSE_ID
) -> Decision:
    """Take back from the other dépense."""
    return Given(DEPENSE, facts).when(
        regulariser,
        commande(DeclarerDepense, detail=DETAIL_SAISI),
        AUTRE_DEPENSE_ID,
        depense(reprise),
        regularisation_id,
    )


def reprise_de(montant: str | int, **changes: Any) -> list[DepenseDeclaree]:
    detail = msgspec.structs.replace(DETAIL_REPRISE, montant_impute_centimes=-euros(montant))
    return [fait(DepenseDeclaree, detail=msgspec.structs.replace(detail, **changes))]


NOTEE = fait(DepenseRegularisee, regularisation_id=DEPENSE_ID, montant_centimes=-euros(400))
REGULARISEE = [*DECLAREE, NOTEE]


def test_the_corrected_depense_knows_what_was_taken_back() -> None:
    reprendre().then(NOTEE)
    after = reprendre().state()
    assert (after.montant, after.regularise, after.reste) == (euros(1_000), -euros(400), euros(600))
    reprendre(REGULARISEE).then()


def test_a_corrected_regularisation_replaces_what_it_took_back() -> None:
    after = reprendre(REGULARISEE, reprise_de(1_000)).state()
    assert after.regularise == -euros(1_000)


def test_a_regularisation_taken_back_or_moved_elsewhere_frees_the_depense() -> None:
    reprendre(REGULARISEE, [*REGULARISATION, fait(DepenseAnnulee)]).then_one(
        DepenseRegularisee, montant_centimes=0
    )
    reprendre(REGULARISEE, reprise_de(400, regularise=UUID(int=99))).then_one(
        DepenseRegularisee, montant_centimes=0
    )
    reprendre(DECLAREE, DECLAREE).then()


def test_no_more_is_taken_back_than_was_declared_to_the_cent() -> None:
    reprendre(reprise=reprise_de(1_000)).then_one(DepenseRegularisee)
    reprendre(reprise=reprise_de("1 000,01")).refuses(
        RegularisationExcessive, "1 000,01 € ne peuvent pas être repris"
    )


def test_several_regularisations_add_up() -> None:
    autre = UUID(int=77)
    reprendre(REGULARISEE, reprise_de(600), autre).then_one(DepenseRegularisee)
    reprendre(REGULARISEE, reprise_de("600,01"), autre).refuses(
        RegularisationExcessive, "elle en a déjà rendu 400,00 € et il en reste 600,00 €"
    )


def test_once_controlled_no_more_is_taken_back_than_was_retained() -> None:
    retenue = [
        *DECLAREE,
        fait(
            DepenseControlee,
            montant_retenu_centimes=euros(300),
            montant_ecarte_centimes=euros(700),
            motif_code="NON_ACQUITTEE",
        ),
    ]
    reprendre(retenue, reprise_de(300)).then_one(DepenseRegularisee)
    reprendre(retenue).refuses(RegularisationExcessive, "retenue pour 300,00 €")


def test_what_cannot_be_corrected_is_refused() -> None:
    reprendre(
        reprise=[fait(DepenseDeclaree, detail=DETAIL_REPRISE, operation_id=UUID(int=5))]
    ).refuses(RegularisationAutreOperation, "une autre opération")
    reprendre(reprise=reprise_de(400, poste="prestations")).refuses(
        RegularisationAutrePoste, "du poste « Dépenses directes de personnel »"
    )
    reprendre(REGULARISATION).refuses(RegularisationDeRegularisation, "déjà une régularisation")
    reprendre([*DECLAREE, fait(DepenseAnnulee)]).refuses(
        RegularisationDeDepenseAnnulee, "plus rien à en reprendre"
    )


@pytest.mark.parametrize("act", [correct, cancel])
def test_a_depense_that_was_taken_back_from_does_not_change(act: Any) -> None:
    act(REGULARISEE).refuses(DepenseDejaRegularisee, "annulez d’abord la régularisation")
    act([*REGULARISEE, fait(DepenseRegularisee, regularisation_id=DEPENSE_ID, montant_centimes=0)])


def test_a_regularisation_is_retained_whole_whatever_the_plan_says() -> None:
    for plan_en_vigueur in (PLAN, plan(prestations=100_000)):
        decide(REGULARISATION, plan_en_vigueur=plan_en_vigueur).then_one(
            DepenseControlee,
            montant_declare_centimes=-euros(400),
            montant_retenu_centimes=-euros(400),
            montant_ecarte_centimes=0,
        )
    decide(REGULARISATION, montant_ecarte="0.01", motif_code="HORS_PERIODE").refuses(
        RegularisationRetenueEntiere, "se retient en entier"
    )


@pytest.mark.parametrize("motif", ["REGULARISATION_BILAN_ANTERIEUR", "CORRECTION_AUDIT"])
def test_a_regularisation_may_say_where_it_comes_from(motif: str) -> None:
    decide(REGULARISATION, motif_code=motif).then_one(DepenseControlee, motif_code=motif)
    decide(REGULARISATION, motif_code="HORS_PERIODE").refuses(MotifSansEcart, "retenue en entier")


def test_what_was_taken_back_is_not_rejected_again() -> None:
    motif = {"motif_code": "HORS_PERIODE"}
    decide(REGULARISEE, montant_ecarte="600.00", **motif).then_one(
        DepenseControlee, montant_retenu_centimes=euros(400)
    )
    decide(REGULARISEE, montant_ecarte="600.01", **motif).refuses(
        EcarteSuperieurAuReste, "il en reste 600,00 €"
    )
    # Rejected whole is all that is left: with its régularisation, nothing is retained.
    decide(
        REGULARISEE,
        plan_en_vigueur=plan(prestations=100_000),
        montant_ecarte="600.00",
        motif_code="POSTE_NON_CONVENTIONNE",
    ).then_one(DepenseControlee)


def test_a_motif_outside_the_closed_list_is_refused_at_the_door() -> None:
    with pytest.raises(ValidationError, match="motif d’inéligibilité inconnu"):
        decide(montant_ecarte="0.01", motif_code="AUTRE")


def test_a_depense_outside_the_bilan_under_control_is_refused() -> None:
    decide(depense_id=AUTRE_DEPENSE_ID).refuses(DepenseHorsBilan, "ne figure pas dans le bilan")


def test_a_later_decision_replaces_an_earlier_one() -> None:
    after = decide(CONTROLEE, montant_ecarte="1000.00", motif_code="HORS_PERIODE").state()
    assert (after.retenu, after.ecarte, after.version) == (0, euros(1_000), 3)


def test_the_amount_decided_on_is_the_corrected_one() -> None:
    detail = msgspec.structs.replace(DETAIL, montant_impute_centimes=euros(900))
    decide([*DECLAREE, fait(DepenseCorrigee, apres=detail)]).then_one(
        DepenseControlee, montant_declare_centimes=euros(900)
    )


def test_a_bilan_without_control_has_none() -> None:
    assert next(iter(convention(BILAN).bilans.values())).csf is None


def test_a_depense_that_does_not_exist_is_named() -> None:
    assert str(DEPENSE_ID) in str(DepenseAbsente(id=DEPENSE_ID))
