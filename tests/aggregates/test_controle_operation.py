"""The audit of operations: announced, reported on, answered, followed up, closed; and refusals."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from dsl import Decision, Given
from fabrique import (
    AUTRE_DEPENSE_ID,
    AUTRE_ID,
    BILAN,
    BILAN_ID,
    CADRE,
    CERTIFIE,
    CSF_ID,
    DEPENSE_ID,
    OPERATION_ID,
    ORDRE_ID,
    PERIMETRE_CONTROLE,
    commande,
    convention,
    depense,
    euros,
    fait,
    operation,
)
from msgspec.structs import replace
from pydantic import ValidationError

from aggregates.chronologie import ActeAvantLePrecedent
from aggregates.controle_operation import events as ko
from aggregates.controle_operation import notification as kn
from aggregates.controle_operation import rapports as kr
from aggregates.controle_operation import suites as ks
from aggregates.controle_operation import transitions as kt
from aggregates.controle_operation.state import CONTROLE_OPERATION, LIBELLES
from aggregates.convention import events as ce
from aggregates.convention.bilans import DepenseDuneAutreOperation
from aggregates.convention.reversements import OrdreAbsent
from aggregates.convention.service_fait import CsfAbsent
from aggregates.convention.state import Convention
from oi_service.codec import Evenement

SUITE_ID, AUTRE_SUITE_ID, V2, V3 = (UUID(int=n) for n in (21, 22, 23, 24))


def declaree(cout_total: int = 80_000) -> Convention:
    """Return a convention whose bilan declares that much."""
    facts = [*BILAN[:-1], replace(BILAN[-1], cout_total_declare_centimes=euros(cout_total))]
    return convention(facts)


def constat(numero: int = 1, cout_total: int = 1_000, fse: int = 500, **champs: Any) -> Any:
    champs = {"operation_id": OPERATION_ID, "assiette": "Bulletins de paie"} | champs
    return ko.ConstatPropose(
        numero=numero,
        nature="temps_de_travail",
        detecte_le=date(2021, 12, 15),
        constatation="Temps non justifié.",
        cout_total_centimes=euros(cout_total),
        fse_centimes=euros(fse),
        **champs,
    )


def tranche(
    numero: int = 1, issue: Any = "maintenu", cout_total: int = 1_000, fse: int = 500
) -> ko.ConstatTranche:
    return ko.ConstatTranche(
        numero=numero,
        issue=issue,
        cout_total_centimes=euros(cout_total),
        fse_centimes=euros(fse),
    )


NOTIFIE: list[Evenement] = [fait(ko.ControleNotifie)]
EN_COURS = [*NOTIFIE, fait(ko.ControleCommence)]
PROVISOIRE = [*EN_COURS, fait(ko.RapportProvisoireRecu, constats=(constat(),))]
CONTRADICTOIRE = [*PROVISOIRE, fait(ko.ReponseFaite)]


def definitif(*tranches: ko.ConstatTranche, avant: Sequence[Evenement] = CONTRADICTOIRE) -> Any:
    tranches = tranches or (tranche(),)
    return [
        *avant,
        fait(ko.RapportDefinitifRecu, constats=tranches, resultat="correction_individuelle"),
    ]


DEFINITIF = definitif()
DECIDEE = [*DEFINITIF, fait(ko.SuiteDecidee)]


def lien(cout_total: int = 1_000, fse: int = 500, **champs: Any) -> ko.LienSuite:
    retires = {"cout_total_retire_centimes": euros(1_150), "fse_retire_centimes": euros(575)}
    return ko.LienSuite(
        cout_total_impute_centimes=euros(cout_total),
        fse_impute_centimes=euros(fse),
        **(retires | {"csf_id": V2, "csf_version": 2} | champs),
    )


EXECUTEE = [*DECIDEE, fait(ko.SuiteExecutee, liens=(lien(),))]
CLOSES = [*EXECUTEE, fait(ko.SuitesDuControleCloses)]
#: A life that leads to each state of a control.
VIES: dict[str, list[Evenement]] = {
    "notifie": NOTIFIE,
    "en_cours": EN_COURS,
    "rapport_provisoire": PROVISOIRE,
    "contradictoire": CONTRADICTOIRE,
    "rapport_definitif": DEFINITIF,
    "suites_a_donner": DECIDEE,
    "suites_closes": CLOSES,
    "clos": [*CLOSES, fait(ko.ControleClos)],
    "annule": [*NOTIFIE, fait(ko.ControleAnnule)],
}


def test_every_state_is_reached() -> None:
    for statut, vie in VIES.items():
        assert Given(CONTROLE_OPERATION, vie).state.statut == statut
    assert set(VIES) == set(LIBELLES)


# Announced.


def perimetre(montant: str = "10000.00", *depenses: UUID, operation_id: UUID = OPERATION_ID) -> Any:
    une = {"operation_id": operation_id, "cout_total_controle": montant, "depenses": depenses}
    return {"operations": [une], "etat_no": "ED-1"}


def announce(
    facts: Sequence[Evenement] = (),
    dossiers: Any = None,
    depenses: Any = None,
    **saisie: Any,
) -> Decision:
    return Given(CONTROLE_OPERATION, facts).when(
        kn.notifier,
        commande(kn.NotifierControle, **saisie),
        dossiers or {OPERATION_ID: (operation(), declaree())},
        depenses or {},
    )


def test_a_control_is_announced_on_what_was_declared() -> None:
    announce().then(fait(ko.ControleNotifie))
    announce(NOTIFIE).refuses(kn.ControleDejaNotifie, "déjà enregistré")
    announce(perimetre=perimetre("80000.00")).then_one(ko.ControleNotifie)
    announce(perimetre=perimetre("80000.01")).refuses(
        kn.ControleAuDelaDuDeclare, "80 000,01 € contrôlés dépassent"
    )


def test_a_control_may_name_a_sample_and_dates() -> None:
    asked = perimetre("10000.00", DEPENSE_ID) | {"echantillon_id": AUTRE_ID}
    notified = announce(
        perimetre=asked, depenses={DEPENSE_ID: depense()}, date_annoncee="2022-02-01"
    ).then_one(ko.ControleNotifie, date_annoncee=date(2022, 2, 1))
    assert notified.perimetre.echantillon_id == AUTRE_ID
    assert notified.perimetre.operations[0].depenses == (DEPENSE_ID,)


def test_a_depense_of_another_operation_is_not_controlled_with_it() -> None:
    announce(
        perimetre=perimetre("10000.00", DEPENSE_ID),
        depenses={DEPENSE_ID: depense(operation_id=AUTRE_ID)},
    ).refuses(DepenseDuneAutreOperation, "autre opération")


def test_a_control_is_of_one_grant() -> None:
    ailleurs = replace(CADRE, subvention_globale_id=AUTRE_ID)
    dossiers = {
        OPERATION_ID: (operation(), declaree()),
        AUTRE_ID: (operation(cadre=ailleurs), declaree()),
    }
    une = {"cout_total_controle": "100.00"}
    deux = {"operations": [{"operation_id": i, **une} for i in dossiers]}
    announce(perimetre=deux, dossiers=dossiers).refuses(
        kn.ControleSurPlusieursSubventions, "une seule subvention"
    )
    dossiers[AUTRE_ID] = (operation(), declaree())
    announce(perimetre=deux, dossiers=dossiers).then_one(ko.ControleNotifie)


@pytest.mark.parametrize(
    "saisie",
    [
        {"organisme": "autre"},
        {"organisme": "prefecture"},
        {"perimetre": {"operations": []}},
        {"perimetre": {"operations": [perimetre()["operations"][0]] * 2}},
        {"perimetre": perimetre("10000.00", DEPENSE_ID, DEPENSE_ID)},
    ],
)
def test_a_mistyped_announcement_is_refused(saisie: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        announce(**saisie)


def test_a_body_out_of_the_list_is_named() -> None:
    announce(organisme="autre", organisme_nom="Organisme fictif").then_one(
        ko.ControleNotifie, organisme_nom="Organisme fictif"
    )


# The perimeter.


def rectify(facts: Sequence[Evenement], montant: str, **saisie: Any) -> Decision:
    sg = saisie.pop("sg", CADRE.subvention_globale_id)
    operation_id = saisie.pop("operation_id", OPERATION_ID)
    une = operation(cadre=replace(CADRE, subvention_globale_id=sg))
    return Given(CONTROLE_OPERATION, facts).when(
        kn.rectifier_perimetre,
        commande(
            kn.RectifierPerimetre,
            perimetre=perimetre(montant, operation_id=operation_id),
            **saisie,
        ),
        {operation_id: (une, declaree())},
        {},
    )


def test_the_perimeter_is_corrected_by_a_fact_that_names_the_old_one() -> None:
    corrige = rectify(CONTRADICTOIRE, "1000.00").then_one(
        ko.PerimetreRectifie, avant=PERIMETRE_CONTROLE, motif="Motif de l’essai"
    )
    assert corrige.apres.operations[0].cout_total_controle_centimes == euros(1_000)
    assert rectify(NOTIFIE, "12000.00").state().cout_total_controle == euros(12_000)
    rectify(NOTIFIE, "10000.00").then()


def test_findings_stay_inside_the_perimeter() -> None:
    rectify(PROVISOIRE, "999.99").refuses(kn.ProposeAuDelaDuControle, "dites-le extrapolé")
    rectify(PROVISOIRE, "9000.00", operation_id=AUTRE_ID).refuses(
        kn.ConstatHorsPerimetre, "n’examine pas"
    )
    rectify(NOTIFIE, "100.00", sg=AUTRE_ID).refuses(
        kn.ControleSurPlusieursSubventions, "une seule subvention"
    )
    rectify(DEFINITIF, "9000.00").refuses(kt.ActeDeControleHorsDeSonOrdre, "définitif reçu")


# It begins, or is annulled.


def begin(facts: Sequence[Evenement], jour: str = "2021-12-15") -> Decision:
    return Given(CONTROLE_OPERATION, facts).when(
        kn.commencer, commande(kn.CommencerControle, date_effet=jour)
    )


def test_a_control_begins_once_after_it_was_announced() -> None:
    begin(NOTIFIE).then(fait(ko.ControleCommence))
    begin(EN_COURS).refuses(
        kt.ActeDeControleHorsDeSonOrdre,
        "Commencer le contrôle est impossible : le contrôle CICC-2022-7 est « en cours »",
    )
    begin(NOTIFIE, "2021-12-14").refuses(ActeAvantLePrecedent, "15/12/2021")


def annul(facts: Sequence[Evenement], **saisie: Any) -> Decision:
    return Given(CONTROLE_OPERATION, facts).when(kn.annuler, commande(kn.AnnulerControle, **saisie))


def test_a_control_is_annulled_until_something_was_done_about_it() -> None:
    for statut in ("notifie", "en_cours", "contradictoire", "suites_a_donner"):
        assert annul(VIES[statut]).state().statut == "annule"
    annul(EXECUTEE).refuses(kn.SuitesDejaExecutees, "se clôt")
    annul(VIES["clos"]).refuses(kt.ActeDeControleHorsDeSonOrdre, "clos")
    annul(VIES["annule"]).refuses(kt.ActeDeControleHorsDeSonOrdre, "annulé")
    annul(NOTIFIE, date_effet="2021-12-14").refuses(ActeAvantLePrecedent, "15/12/2021")


# The provisional report.


def saisi(numero: int = 1, **champs: Any) -> dict[str, Any]:
    return {
        "numero": numero,
        "operation_id": OPERATION_ID,
        "nature": "temps_de_travail",
        "constatation": "Temps non justifié.",
        "cout_total": "1000.00",
        "fse": "500.00",
        "assiette": "Bulletins de paie",
    } | champs


def report(
    *constats: dict[str, Any],
    facts: Sequence[Evenement] = EN_COURS,
    depenses: Any = None,
    **saisie: Any,
) -> Decision:
    return Given(CONTROLE_OPERATION, facts).when(
        kr.recevoir_rapport_provisoire,
        commande(kr.RecevoirRapportProvisoire, constats=constats, **saisie),
        depenses or {},
    )


def test_a_provisional_report_brings_findings_and_a_deadline() -> None:
    report(saisi(), date_limite_reponse="2022-05-15").then(
        fait(ko.RapportProvisoireRecu, constats=(constat(),))
    )
    recu = report(saisi(2), saisi(1)).then_one(ko.RapportProvisoireRecu)
    assert [c.numero for c in recu.constats] == [1, 2]
    # Our choice where the report is silent: thirty days.
    assert recu.date_limite_reponse == date(2022, 1, 14)


def test_without_findings_no_answer_is_expected() -> None:
    report().then_one(ko.RapportProvisoireRecu, date_limite_reponse=None, constats=())


def test_a_report_comes_after_the_beginning() -> None:
    report(saisi(), facts=NOTIFIE).refuses(kt.ActeDeControleHorsDeSonOrdre, "notifié")
    report(saisi(), date_effet="2021-12-14").refuses(ActeAvantLePrecedent, "15/12/2021")
    report(saisi(), date_limite_reponse="2021-12-14").refuses(kt.LimiteAnterieure, "14/12/2021")


def test_a_finding_is_about_what_is_controlled() -> None:
    report(saisi(operation_id=AUTRE_ID)).refuses(kn.ConstatHorsPerimetre, "n° 1")
    report(
        saisi(depenses=[DEPENSE_ID]), depenses={DEPENSE_ID: depense(operation_id=AUTRE_ID)}
    ).refuses(DepenseDuneAutreOperation, "autre opération")
    designees = replace(
        PERIMETRE_CONTROLE,
        operations=(replace(PERIMETRE_CONTROLE.operations[0], depenses=(AUTRE_DEPENSE_ID,)),),
    )
    facts = [fait(ko.ControleNotifie, perimetre=designees), fait(ko.ControleCommence)]
    vue = {DEPENSE_ID: depense()}
    report(saisi(depenses=[DEPENSE_ID]), facts=facts, depenses=vue).refuses(
        kr.DepenseNonExaminee, "BS-2021-05 du constat n° 1"
    )
    report(saisi(depenses=[DEPENSE_ID], extrapole=True), facts=facts, depenses=vue).then_one(
        ko.RapportProvisoireRecu
    )


def test_findings_take_at_most_what_is_controlled_unless_they_go_beyond_it() -> None:
    report(saisi(1, cout_total="9000.00"), saisi(2, cout_total="1000.00")).then_one(
        ko.RapportProvisoireRecu
    )
    trop = (saisi(1, cout_total="9000.00"), saisi(2, cout_total="1000.01"))
    report(*trop).refuses(kn.ProposeAuDelaDuControle, "10 000,01 €")
    report(trop[0], trop[1] | {"extrapole": True}).then_one(ko.RapportProvisoireRecu)
    # A correction of the Fund alone has no cost.
    report(saisi(1, cout_total="0.00", fse="10000.01")).refuses(
        kn.ProposeAuDelaDuControle, "10 000,01 €"
    )


def test_the_fund_pays_a_share_of_the_cost() -> None:
    report(saisi(fse="1000.01")).refuses(kr.FseAuDelaDuCout, "1 000,01 € de FSE")
    report(saisi(cout_total="0.00", fse="300.00", nature="publicite")).then_one(
        ko.RapportProvisoireRecu
    )


def test_a_finding_is_detected_before_it_is_reported() -> None:
    recu = report(saisi(detecte_le="2021-11-30")).then_one(ko.RapportProvisoireRecu)
    assert recu.constats[0].detecte_le == date(2021, 11, 30)
    report(saisi(detecte_le="2021-12-16")).refuses(kr.DetecteApresLeRapport, "16/12/2021")


@pytest.mark.parametrize(
    "constats",
    [
        [saisi(), saisi()],
        [saisi(assiette=None)],
        [saisi(nature="inconnue")],
        [saisi(depenses=[DEPENSE_ID, DEPENSE_ID])],
    ],
)
def test_a_mistyped_finding_is_refused(constats: list[dict[str, Any]]) -> None:
    with pytest.raises(ValidationError):
        report(*constats)


# Answers.


def answer(facts: Sequence[Evenement], **saisie: Any) -> Decision:
    return Given(CONTROLE_OPERATION, facts).when(
        kr.repondre, commande(kr.RepondreConstat, **saisie)
    )


def test_each_finding_is_answered_even_late() -> None:
    answer(PROVISOIRE).then(fait(ko.ReponseFaite))
    answer(CONTRADICTOIRE, reponse="conteste", auteur="beneficiaire").then_one(
        ko.ReponseFaite, reponse="conteste", auteur="beneficiaire"
    )
    answer(PROVISOIRE, date_effet="2022-08-01", observations="Enfin.").then_one(
        ko.ReponseFaite, observations="Enfin."
    )
    answer(PROVISOIRE, constat_numero=2).refuses(kr.ConstatAbsent, "n° 2")
    answer(DEFINITIF).refuses(kt.ActeDeControleHorsDeSonOrdre, "rapport définitif reçu")
    answer(PROVISOIRE, date_effet="2021-12-14").refuses(ActeAvantLePrecedent, "provisoire")


def extend(facts: Sequence[Evenement], **saisie: Any) -> Decision:
    return Given(CONTROLE_OPERATION, facts).when(
        kr.prolonger_reponse, commande(kr.ProlongerDelaiReponse, **saisie)
    )


def test_the_deadline_of_the_answer_moves_later() -> None:
    extend(PROVISOIRE).then(fait(ko.DelaiReponseProlonge))
    extend(PROVISOIRE, date_limite="2022-05-15").refuses(kt.ProlongationSansEffet, "15/05/2022")
    prolonge = [*PROVISOIRE, fait(ko.DelaiReponseProlonge, date_effet=date(2022, 5, 2))]
    extend(prolonge, date_limite="2022-06-15", date_effet="2022-05-03").refuses(
        kt.ProlongationSansEffet, "15/06/2022"
    )
    extend(prolonge, date_limite="2022-07-15").refuses(ActeAvantLePrecedent, "02/05/2022")
    sans = [*EN_COURS, fait(ko.RapportProvisoireRecu, date_limite_reponse=None)]
    extend(sans).refuses(kr.AucuneReponseAttendue, "aucun constat")
    extend(PROVISOIRE, date_effet="2021-12-14").refuses(ActeAvantLePrecedent, "provisoire")
    extend(DEFINITIF).refuses(kt.ActeDeControleHorsDeSonOrdre, "définitif")


# The final report.


def finish(
    *constats: dict[str, Any],
    facts: Sequence[Evenement] = CONTRADICTOIRE,
    resultat: str = "correction_individuelle",
    **saisie: Any,
) -> Decision:
    return Given(CONTROLE_OPERATION, facts).when(
        kr.recevoir_rapport_definitif,
        commande(kr.RecevoirRapportDefinitif, constats=constats, resultat=resultat, **saisie),
    )


def test_a_final_report_keeps_reduces_or_drops_each_finding() -> None:
    garde = {"numero": 1, "issue": "maintenu"}
    finish(garde, date_limite_suites="2022-09-30", rapport_ref="RAPPORT-1").then(DEFINITIF[-1])
    reduit = garde | {"issue": "reduit", "cout_total": "800.00", "fse": "400.00"}
    recu = finish(reduit).then_one(ko.RapportDefinitifRecu)
    assert recu.constats == (tranche(1, "reduit", 800, 400),)
    # Our choice where the report is silent: ninety days.
    assert recu.date_limite_suites == date(2022, 3, 15)
    recu = finish(garde | {"issue": "abandonne"}, resultat="sans_incidence").then_one(
        ko.RapportDefinitifRecu, date_limite_suites=None
    )
    assert recu.constats == (tranche(1, "abandonne", 0, 0),)


def test_a_report_without_findings_has_no_effect() -> None:
    facts = [*EN_COURS, fait(ko.RapportProvisoireRecu, date_limite_reponse=None)]
    finish(facts=facts, resultat="sans_incidence").then_one(ko.RapportDefinitifRecu)
    finish(facts=facts).refuses(kr.ResultatIncoherent, "correction individuelle")


def test_every_finding_is_decided() -> None:
    finish().refuses(kr.ConstatsNonTranches, "il manque n° 1")
    finish({"numero": 1, "issue": "maintenu"}, {"numero": 2, "issue": "maintenu"}).refuses(
        kr.ConstatAbsent, "n° 2"
    )
    with pytest.raises(ValidationError):
        finish(*[{"numero": 1, "issue": "maintenu"}] * 2)


@pytest.mark.parametrize(
    ("issue", "cout_total", "fse"),
    [
        ("maintenu", "999.99", None),
        ("maintenu", None, "0.00"),
        ("reduit", None, None),
        ("reduit", "1000.00", "500.00"),
        ("abandonne", "0.01", None),
        ("abandonne", None, "0.01"),
    ],
)
def test_an_outcome_goes_with_its_amounts(
    issue: str, cout_total: str | None, fse: str | None
) -> None:
    une = {"numero": 1, "issue": issue, "cout_total": cout_total, "fse": fse}
    finish(une).refuses(kr.IssueIncoherente, "proposés")


def test_a_finding_may_be_reduced_to_a_recommendation() -> None:
    une = {"numero": 1, "issue": "reduit", "cout_total": "0.00", "fse": "0.00"}
    finish(une, resultat="sans_incidence").then_one(ko.RapportDefinitifRecu)


def test_nothing_is_kept_beyond_what_was_answered() -> None:
    finish({"numero": 1, "issue": "reduit", "cout_total": "1000.01", "fse": "400.00"}).refuses(
        kr.ConstatAggrave, "proposait 1 000,00 €"
    )
    finish({"numero": 1, "issue": "reduit", "cout_total": "800.00", "fse": "500.01"}).refuses(
        kr.ConstatAggrave, "500,01 €"
    )
    finish({"numero": 1, "issue": "reduit", "cout_total": "400.00", "fse": "500.00"}).refuses(
        kr.FseAuDelaDuCout, "qu’une part"
    )


def test_the_result_goes_with_the_amounts() -> None:
    garde = {"numero": 1, "issue": "maintenu"}
    finish(garde, resultat="sans_incidence").refuses(
        kr.ResultatIncoherent, "« sans incidence financière »"
    )
    finish({"numero": 1, "issue": "abandonne"}).refuses(kr.ResultatIncoherent, "0,00 €")
    for resultat in ("correction_extrapolee", "correction_forfaitaire", "irregularite_systemique"):
        finish(garde, resultat=resultat).then_one(ko.RapportDefinitifRecu, resultat=resultat)


def test_a_final_report_comes_after_everything_before_it() -> None:
    garde = {"numero": 1, "issue": "maintenu"}
    late = [*PROVISOIRE, fait(ko.ReponseFaite, date_effet=date(2022, 2, 1))]
    finish(garde, facts=late, date_effet="2022-01-31").refuses(ActeAvantLePrecedent, "01/02/2022")
    finish(garde, facts=EN_COURS).refuses(kt.ActeDeControleHorsDeSonOrdre, "en cours")
    finish(garde, date_limite_suites="2021-12-14").refuses(kt.LimiteAnterieure, "14/12/2021")


# A letter that corrects a report.


def correct(facts: Sequence[Evenement], **saisie: Any) -> Decision:
    return Given(CONTROLE_OPERATION, facts).when(
        kr.rectifier_constat, commande(kr.RectifierConstat, **saisie)
    )


def test_a_finding_is_corrected_by_a_fact_that_names_the_old_amounts() -> None:
    avant = correct(PROVISOIRE)
    avant.then(
        fait(ko.ConstatRectifie, motif="Motif de l’essai"),
    )
    assert avant.state().constats[1].cout_total_propose == euros(800)
    assert avant.state().constats[1].cout_total_retenu == 0
    apres = correct(DECIDEE)
    apres.then_one(
        ko.ConstatRectifie,
        issue_avant="maintenu",
        issue_apres="reduit",
        resultat_avant="correction_individuelle",
        resultat_apres="correction_individuelle",
    )
    assert apres.state().constats[1].retenu_ou_propose == (euros(800), euros(400))
    correct(PROVISOIRE, cout_total="1000.00", fse="500.00").then()
    correct(NOTIFIE).refuses(kt.ActeDeControleHorsDeSonOrdre, "notifié")
    correct(PROVISOIRE, constat_numero=2).refuses(kr.ConstatAbsent, "n° 2")
    correct(PROVISOIRE, date_effet="2021-12-14").refuses(ActeAvantLePrecedent, "15/12/2021")
    correct(PROVISOIRE, fse="800.01").refuses(kr.FseAuDelaDuCout, "800,01 €")


def test_a_corrected_proposal_stays_within_what_is_controlled() -> None:
    correct(PROVISOIRE, cout_total="10000.00").then_one(ko.ConstatRectifie)
    correct(PROVISOIRE, cout_total="10000.01").refuses(kn.ProposeAuDelaDuControle, "10 000,01 €")
    beyond = fait(ko.RapportProvisoireRecu, constats=(constat(extrapole=True),))
    correct([*EN_COURS, beyond], cout_total="10000.01").then_one(ko.ConstatRectifie)


def test_what_is_kept_may_be_dropped_later_and_the_result_says_so() -> None:
    rien = {"cout_total": "0.00", "fse": "0.00"}
    correct(DEFINITIF, **rien).refuses(kr.ResultatIncoherent, "correction individuelle")
    correct(DEFINITIF, **rien, resultat="sans_incidence").then_one(
        ko.ConstatRectifie, issue_apres="abandonne", resultat_apres="sans_incidence"
    )
    correct(DEFINITIF, cout_total="1000.01").refuses(kr.ConstatAggrave, "1 000,01 €")
    correct(
        DEFINITIF, cout_total="1000.00", fse="500.00", resultat="correction_forfaitaire"
    ).then_one(ko.ConstatRectifie, issue_apres="maintenu", resultat_apres="correction_forfaitaire")


def test_more_is_not_kept_after_what_was_kept_was_followed_up() -> None:
    reduit = definitif(tranche(1, "reduit", 800, 400))
    correct(reduit, cout_total="1000.00", fse="500.00").then_one(
        ko.ConstatRectifie, issue_apres="maintenu"
    )
    suivi = [*reduit, fait(ko.SuiteDecidee), fait(ko.SuiteExecutee, liens=(lien(800, 400),))]
    correct(suivi, cout_total="800.01", fse="400.00").refuses(kr.ConstatDejaSuivi, "annulez-la")
    correct(suivi, cout_total="700.00", fse="350.00").then_one(ko.ConstatRectifie)


# Follow-ups.


def decide(facts: Sequence[Evenement] = DEFINITIF, **saisie: Any) -> Decision:
    return Given(CONTROLE_OPERATION, facts).when(
        ks.decider_suite, commande(ks.DeciderSuite, **saisie), SUITE_ID
    )


def test_a_follow_up_says_who_does_what_until_when() -> None:
    decide().then(fait(ko.SuiteDecidee, echeance=date(2022, 9, 30)))
    decide(echeance="2022-07-01").then_one(ko.SuiteDecidee, echeance=date(2022, 7, 1))
    decide(echeance="2021-12-14").refuses(kt.LimiteAnterieure, "14/12/2021")
    decide(date_effet="2021-12-14").refuses(ActeAvantLePrecedent, "rapport définitif")
    decide(constat_numero=2).refuses(kr.ConstatAbsent, "n° 2")
    decide(CONTRADICTOIRE).refuses(kt.ActeDeControleHorsDeSonOrdre, "contradictoire")


def test_what_is_dropped_has_no_follow_up_and_a_recommendation_takes_no_money() -> None:
    abandonne = definitif(tranche(1, "abandonne", 0, 0))
    decide(abandonne).refuses(ks.ConstatSansEffet, "abandonné")
    rien = definitif(tranche(1, "reduit", 0, 0))
    decide(rien).refuses(ks.SuiteSansMontant, "mesure administrative")
    decide(rien, mesure="mesure_administrative").then_one(ko.SuiteDecidee)


def prolong(facts: Sequence[Evenement] = DECIDEE, suite: UUID = SUITE_ID, **x: Any) -> Decision:
    return Given(CONTROLE_OPERATION, facts).when(
        ks.prolonger_suite, commande(ks.ProlongerDelaiSuite, **x), suite
    )


def test_the_deadline_of_a_follow_up_moves_later() -> None:
    facts = [*DEFINITIF, fait(ko.SuiteDecidee, echeance=date(2022, 9, 30))]
    prolong(facts).then(fait(ko.DelaiSuiteProlonge))
    prolong(facts, echeance="2022-09-30").refuses(kt.ProlongationSansEffet, "30/09/2022")
    prolong(facts, date_effet="2021-12-14").refuses(ActeAvantLePrecedent, "décidée")
    prolong(facts, AUTRE_ID).refuses(ks.SuiteAbsente, str(AUTRE_ID))
    prolong(EXECUTEE).refuses(ks.SuiteHorsDeSonOrdre, "« exécutée »")
    prolong(CLOSES).refuses(kt.ActeDeControleHorsDeSonOrdre, "suites closes")


# What takes the money away.


def version(
    csf_id: UUID = V2,
    numero: int = 2,
    cout_total: int = -1_150,
    fse: int = -575,
    ecarte: int = 1_000,
    le: date = date(2021, 12, 15),
) -> list[Evenement]:
    """Return a version of the control, from its opening again to its validation."""
    return [
        fait(ce.CsfRouvert),
        fait(ce.CsfOuvert, csf_id=csf_id, version=numero),
        fait(
            ce.CsfValide,
            csf_id=csf_id,
            version=numero,
            cout_total_retenu_periode_centimes=euros(cout_total),
            fse_du_periode_centimes=euros(fse),
            depenses_ecartees_centimes=euros(ecarte),
            date_effet=le,
        ),
    ]


RECALCULEE = [*CERTIFIE, *version()]


def execute(
    past: Sequence[Evenement] = RECALCULEE,
    facts: Sequence[Evenement] = DECIDEE,
    suite: UUID = SUITE_ID,
    **saisie: Any,
) -> Decision:
    return Given(CONTROLE_OPERATION, facts).when(
        ks.executer_suite,
        commande(ks.ExecuterSuite, **(saisie or {"csf": [V2]})),
        suite,
        convention(past),
    )


def test_a_follow_up_names_the_version_of_the_control_that_took_the_money_away() -> None:
    execute().then(fait(ko.SuiteExecutee, liens=(lien(),)))
    assert execute().state().suites[SUITE_ID].statut == "executee"


def test_a_recalculation_that_takes_too_little_is_refused_with_both_figures() -> None:
    peu = [*CERTIFIE, *version(cout_total=-999, fse=-575, ecarte=999)]
    execute(peu).refuses(
        ks.RecalculInsuffisant,
        "retient 1 000,00 € de coût total et 500,00 € de FSE : le recalcul cité n’en retire que "
        "999,00 € et 575,00 €",
    )
    execute([*CERTIFIE, *version(fse=-499)]).refuses(ks.RecalculInsuffisant, "499,00 €")
    # Giving back takes nothing away.
    execute([*CERTIFIE, *version(cout_total=50, fse=25, ecarte=-50)]).refuses(
        ks.RecalculInsuffisant, "que 0,00 € et 0,00 €"
    )


def test_a_line_set_aside_counts_where_a_cap_had_taken_as_much() -> None:
    plafonne = definitif(tranche(1, "reduit", 1_000, 0))
    execute(
        [*CERTIFIE, *version(cout_total=0, fse=0)], [*plafonne, fait(ko.SuiteDecidee)]
    ).then_one(ko.SuiteExecutee)


def test_only_a_valid_later_version_is_a_recalculation() -> None:
    execute(csf=[CSF_ID]).refuses(ks.PremierControle, "premier de son bilan")
    execute(csf=[AUTRE_ID]).refuses(CsfAbsent, str(AUTRE_ID))
    execute([*CERTIFIE, *version()[:2]]).refuses(ks.RecalculNonValide, "n’est pas validé")
    rouverte = [*RECALCULEE, fait(ce.CsfRouvert, csf_id=V2)]
    execute(rouverte).refuses(ks.RecalculNonValide, "est rouvert")


def test_what_a_later_version_gave_back_is_not_taken_away_any_more() -> None:
    rendu = [*RECALCULEE, *version(V3, 3, cout_total=400, fse=200, ecarte=-400)]
    execute(rendu).refuses(ks.RecalculInsuffisant, "que 750,00 € et 375,00 €")
    # A later version that takes more is not this one's doing.
    plus = [*CERTIFIE, *version(cout_total=-600, ecarte=600), *version(V3, 3)]
    execute(plus).refuses(ks.RecalculInsuffisant, "que 600,00 €")
    execute(plus, csf=[V2, V3]).then_one(ko.SuiteExecutee)


def test_a_recalculation_follows_the_control_that_asked_for_it() -> None:
    execute([*CERTIFIE, *version(le=date(2021, 12, 14))]).refuses(
        ks.RecalculAnterieur, "avant l’annonce de ce contrôle d’opération, le 15/12/2021"
    )
    execute([*CERTIFIE, *version(le=date(2021, 12, 16))]).refuses(
        ActeAvantLePrecedent, "la version n° 2 du contrôle de service fait a été validée"
    )
    execute(csf=[V2], date_effet="2021-12-14").refuses(ActeAvantLePrecedent, "décidée")


DEUX_CONSTATS = definitif(
    tranche(1, "reduit", 600, 300),
    tranche(2, "reduit", 500, 250),
    avant=[
        *EN_COURS,
        fait(ko.RapportProvisoireRecu, constats=(constat(1), constat(2))),
    ],
)
DEUX_SUITES = [
    *DEUX_CONSTATS,
    fait(ko.SuiteDecidee),
    fait(ko.SuiteDecidee, suite_id=AUTRE_SUITE_ID, constat_numero=2),
]


def test_what_one_version_takes_away_answers_several_findings_as_far_as_it_goes() -> None:
    une = [*DEUX_SUITES, fait(ko.SuiteExecutee, liens=(lien(600, 300),))]
    execute(facts=une, suite=AUTRE_SUITE_ID).then_one(
        ko.SuiteExecutee, liens=(lien(500, 250),), constat_numero=2
    )
    juste = [*CERTIFIE, *version(cout_total=-1_099, ecarte=1_099)]
    execute(juste, une, AUTRE_SUITE_ID).refuses(
        ks.RecalculInsuffisant, "une fois comptées les autres suites"
    )
    annulee = [*une, fait(ko.SuiteAnnulee)]
    execute(juste, annulee, AUTRE_SUITE_ID).then_one(ko.SuiteExecutee)


def test_two_versions_may_take_away_what_one_finding_keeps() -> None:
    autre = UUID(int=31)
    past = [
        *CERTIFIE,
        fait(ce.BilanDepose, bilan_id=autre, numero=2),
        fait(ce.BilanJugeRecevable, bilan_id=autre),
        fait(ce.CsfOuvert, bilan_id=autre, csf_id=autre),
        fait(ce.CsfValide, bilan_id=autre, csf_id=autre),
        *version(cout_total=-600, fse=-300, ecarte=600),
        fait(ce.CsfRouvert, bilan_id=autre, csf_id=autre),
        fait(ce.CsfOuvert, bilan_id=autre, csf_id=V3, version=2),
        fait(
            ce.CsfValide,
            bilan_id=autre,
            csf_id=V3,
            version=2,
            cout_total_retenu_periode_centimes=euros(-500),
            fse_du_periode_centimes=euros(-250),
            depenses_ecartees_centimes=euros(500),
        ),
    ]
    execute(past).refuses(ks.RecalculInsuffisant, "que 600,00 € et 300,00 €")
    execute(past, csf=[V2, V3]).then_one(
        ko.SuiteExecutee,
        liens=(
            lien(600, 300, cout_total_retire_centimes=euros(600), fse_retire_centimes=euros(300)),
            lien(
                400,
                200,
                csf_id=V3,
                cout_total_retire_centimes=euros(500),
                fse_retire_centimes=euros(250),
            ),
        ),
    )


def par(mesure: str, facts: Sequence[Evenement] = DEFINITIF) -> list[Evenement]:
    return [*facts, fait(ko.SuiteDecidee, mesure=mesure)]


def test_an_order_to_pay_back_is_counted_in_fse() -> None:
    demande = [*CERTIFIE, fait(ce.OrdreReversementEmis, montant_centimes=euros(500))]
    facts = par("ordre_reversement")
    fse = {"cout_total_retire_centimes": 0, "fse_retire_centimes": euros(500)}
    execute(demande, facts, ordres=[ORDRE_ID]).then_one(
        ko.SuiteExecutee,
        liens=(lien(0, 500, csf_id=None, csf_version=None, ordre_id=ORDRE_ID, **fse),),
    )
    peu = [*CERTIFIE, fait(ce.OrdreReversementEmis, montant_centimes=euros(499))]
    execute(peu, facts, ordres=[ORDRE_ID]).refuses(
        ks.ReversementInsuffisant, "retient 500,00 € de FSE : les ordres"
    )
    execute(demande, facts, ordres=[AUTRE_ID]).refuses(OrdreAbsent, str(AUTRE_ID))
    annule = [*demande, fait(ce.OrdreReversementAnnule)]
    execute(annule, facts, ordres=[ORDRE_ID]).refuses(ks.OrdreSansEffet, "annulé")
    demain = [
        *CERTIFIE,
        fait(ce.OrdreReversementEmis, montant_centimes=euros(500), date_effet=date(2021, 12, 16)),
    ]
    execute(demain, facts, ordres=[ORDRE_ID]).refuses(ActeAvantLePrecedent, "16/12/2021")


def test_a_withdrawal_is_counted_by_payment_application() -> None:
    retrait = {"fse_centimes": euros(300), "cout_total_centimes": euros(600)}
    une = [*CERTIFIE, fait(ce.DepenseCertifiee), fait(ce.DepenseRetiree, **retrait)]
    facts = par("retrait_certification")
    execute(une, facts, appels_de_fonds=["AF-1"]).refuses(
        ks.RetraitInsuffisant, "n’en portent que 600,00 € et 300,00 €"
    )
    deux = [*une, fait(ce.DepenseRetiree, **retrait)]
    execute(deux, facts, appels_de_fonds=["AF-1"]).then_one(ko.SuiteExecutee)
    execute(deux, facts, appels_de_fonds=["AF-2"]).refuses(ks.RetraitAbsent, "n° AF-2")
    autre = [*une, fait(ce.DepenseRetiree, appel_de_fonds_no="AF-2", **retrait)]
    execute(autre, facts, appels_de_fonds=["AF-1", "AF-2"]).then_one(ko.SuiteExecutee)
    plus_tard = [*une, fait(ce.DepenseRetiree, date_effet=date(2021, 12, 16), **retrait)]
    execute(plus_tard, facts, appels_de_fonds=["AF-1"]).refuses(ActeAvantLePrecedent, "16/12/2021")


def test_a_measure_is_executed_by_what_it_is() -> None:
    execute(ordres=[ORDRE_ID]).refuses(
        ks.LienInattendu, "recalcul du contrôle de service fait » s’exécute en citant au moins une"
    )
    execute(csf=[V2], ordres=[ORDRE_ID]).refuses(ks.LienInattendu, "rien d’autre")
    execute(compte_rendu="Fait.").refuses(ks.LienInattendu, "version recalculée")
    facts = par("mesure_administrative")
    execute(facts=facts, csf=[V2]).refuses(ks.LienInattendu, "son compte rendu")
    execute(facts=facts, compte_rendu="Note de service.").then(
        fait(
            ko.SuiteExecutee,
            mesure="mesure_administrative",
            compte_rendu="Note de service.",
        )
    )
    with pytest.raises(ValidationError):
        execute(csf=[V2, V2])


def test_a_follow_up_is_executed_once() -> None:
    execute(facts=EXECUTEE).refuses(ks.SuiteHorsDeSonOrdre, "« exécutée »")
    execute(suite=AUTRE_ID).refuses(ks.SuiteAbsente, str(AUTRE_ID))


def cancel(facts: Sequence[Evenement], suite: UUID = SUITE_ID, **saisie: Any) -> Decision:
    return Given(CONTROLE_OPERATION, facts).when(
        ks.annuler_suite, commande(ks.AnnulerSuite, **saisie), suite
    )


def test_a_follow_up_is_taken_back_done_or_not() -> None:
    cancel(DECIDEE).then(fait(ko.SuiteAnnulee, motif="Motif de l’essai"))
    cancel(EXECUTEE).then_one(ko.SuiteAnnulee)
    cancel([*DECIDEE, fait(ko.SuiteAnnulee)]).refuses(ks.SuiteHorsDeSonOrdre, "« annulée »")
    cancel(DECIDEE, AUTRE_ID).refuses(ks.SuiteAbsente, str(AUTRE_ID))
    cancel(CLOSES).refuses(kt.ActeDeControleHorsDeSonOrdre, "suites closes")
    cancel(DECIDEE, date_effet="2021-12-14").refuses(ActeAvantLePrecedent, "décidée")
    tard = [*DECIDEE, fait(ko.SuiteExecutee, date_effet=date(2022, 3, 1))]
    cancel(tard, date_effet="2022-02-28").refuses(ActeAvantLePrecedent, "exécutée le 01/03/2022")


# The end.


def close(
    facts: Sequence[Evenement] = EXECUTEE,
    past: Sequence[Evenement] = RECALCULEE,
    **saisie: Any,
) -> Decision:
    return Given(CONTROLE_OPERATION, facts).when(
        ks.clore_suites,
        commande(ks.CloreSuitesDuControle, **saisie),
        {OPERATION_ID: convention(past)},
    )


def test_follow_ups_are_closed_once_each_finding_that_is_kept_has_its_own() -> None:
    close().then(fait(ko.SuitesDuControleCloses))
    close(DECIDEE).refuses(ks.SuitesEnAttente, "1 suite")
    close([*DECIDEE, fait(ko.SuiteAnnulee)]).refuses(
        ks.ConstatSansSuite, "aucune suite qui retire ce montant"
    )
    close([*DEUX_SUITES[:-1], fait(ko.SuiteExecutee, liens=(lien(600, 300),))]).refuses(
        ks.ConstatSansSuite, "n° 2"
    )
    close(DEFINITIF).refuses(kt.ActeDeControleHorsDeSonOrdre, "rapport définitif reçu")
    close(date_effet="2021-12-14").refuses(ActeAvantLePrecedent, "15/12/2021")


def test_words_do_not_answer_a_finding_that_takes_money() -> None:
    mots = [
        *par("mesure_administrative"),
        fait(ko.SuiteExecutee, mesure="mesure_administrative", compte_rendu="Note."),
    ]
    close(mots).refuses(ks.ConstatSansSuite, "n° 1")
    rien = [
        *par("mesure_administrative", definitif(tranche(1, "reduit", 0, 0))),
        fait(ko.SuiteExecutee, mesure="mesure_administrative", compte_rendu="Note."),
    ]
    close(rien).then_one(ko.SuitesDuControleCloses, fse_corrige_centimes=0)
    close([*rien[:-1], fait(ko.SuiteAnnulee)]).refuses(ks.ConstatSansSuite, "aucune suite exécutée")


def test_nothing_is_closed_on_what_was_undone_since() -> None:
    rendu = [*RECALCULEE, *version(V3, 3, cout_total=400, fse=200, ecarte=-400)]
    close(past=rendu).refuses(ks.RecalculInsuffisant, "que 750,00 € et 375,00 €")
    close(past=[*RECALCULEE, fait(ce.CsfRouvert, csf_id=V2)]).refuses(
        ks.RecalculNonValide, "est rouvert"
    )
    liens = (lien(0, 500, csf_id=None, ordre_id=ORDRE_ID),)
    demande = [*CERTIFIE, fait(ce.OrdreReversementEmis, montant_centimes=euros(500))]
    executee = fait(ko.SuiteExecutee, mesure="ordre_reversement", liens=liens)
    facts = [*par("ordre_reversement"), executee]
    close(facts, demande).then_one(ko.SuitesDuControleCloses)
    close(facts, [*demande, fait(ce.OrdreReversementAnnule)]).refuses(ks.OrdreSansEffet, "annulé")
    retrait = lien(csf_id=None, csf_version=None, appel_de_fonds_no="AF-1")
    retire = [*CERTIFIE, fait(ce.DepenseCertifiee), fait(ce.DepenseRetiree)]
    facts = [
        *par("retrait_certification"),
        fait(ko.SuiteExecutee, mesure="retrait_certification", liens=(retrait,)),
    ]
    close(facts, retire).then_one(ko.SuitesDuControleCloses)


def test_two_findings_on_one_version_need_it_whole_at_the_end() -> None:
    facts = [
        *DEUX_SUITES,
        fait(ko.SuiteExecutee, liens=(lien(600, 300),)),
        fait(ko.SuiteExecutee, suite_id=AUTRE_SUITE_ID, constat_numero=2, liens=(lien(500, 250),)),
    ]
    close(facts).then_one(ko.SuitesDuControleCloses, cout_total_corrige_centimes=euros(1_100))
    rendu = [*RECALCULEE, *version(V3, 3, cout_total=100, fse=50, ecarte=-100)]
    close(facts, rendu).refuses(ks.RecalculInsuffisant, "1 050,00 €")


def end(facts: Sequence[Evenement], **saisie: Any) -> Decision:
    return Given(CONTROLE_OPERATION, facts).when(ks.clore, commande(ks.CloreControle, **saisie))


def test_a_control_is_closed_when_nothing_is_left_to_do() -> None:
    end(CLOSES).then(fait(ko.ControleClos))
    rien = [
        *EN_COURS,
        fait(ko.RapportProvisoireRecu, date_limite_reponse=None),
        fait(ko.RapportDefinitifRecu, date_limite_suites=None),
    ]
    end(rien).then_one(ko.ControleClos)
    end(DEFINITIF).refuses(ks.ConstatsRetenus, "1 constat")
    abandonne = fait(
        ko.ConstatRectifie,
        issue_apres="abandonne",
        cout_total_apres_centimes=0,
        fse_apres_centimes=0,
        resultat_apres="sans_incidence",
    )
    end([*DECIDEE, abandonne]).refuses(ks.SuitesEnAttente, "annulez-le")
    end([*DECIDEE, abandonne, fait(ko.SuiteAnnulee)]).then_one(ko.ControleClos)
    end(EN_COURS).refuses(kt.ActeDeControleHorsDeSonOrdre, "en cours")
    end(CLOSES, date_effet="2021-12-14").refuses(ActeAvantLePrecedent, "15/12/2021")


def test_a_control_that_does_not_exist_is_said_to_be_absent() -> None:
    absent = CONTROLE_OPERATION.absent
    assert absent.__name__ == "ControleOperationAbsent"
    assert "contrôle d’opération" in str(absent(id=BILAN_ID))
