"""Deposit of a dossier: in time, for an operation that still runs, with a plan that balances."""

from datetime import date
from typing import Any

import msgspec
import pytest
from dsl import Decision, Given
from fabrique import (
    APPEL,
    CADRE,
    CELLULE,
    DEPOSE,
    FICHE,
    INDICATEUR,
    PARCOURS,
    PLAN,
    appel,
    commande,
    euros,
    fait,
    forfait,
    livrables,
    parcours,
    plan,
    ressource,
    saisie_du_plan,
)
from pydantic import ValidationError

from aggregates.appel_a_projets.events import AppelAProjetsClos
from aggregates.appel_a_projets.state import APPEL_A_PROJETS
from aggregates.operation.depot import (
    AppelClos,
    DeposerDossier,
    DepotAvantOuverture,
    DepotHorsDelai,
    DossierDejaDepose,
    FicheInconnue,
    OperationAcheveeAvantDepot,
    PeriodeHorsFiche,
    PeriodeHorsSubvention,
    RetirerDossier,
    deposer,
    retirer,
)
from aggregates.operation.events import DossierDepose, DossierRetire
from aggregates.operation.state import OPERATION
from aggregates.parametres import ParametresSaisis
from aggregates.plan import (
    ContributionSansRessource,
    PlanDesequilibre,
    PlanSansDepense,
    PosteEnDouble,
)
from oi_service.dates import Periode
from rules.couts import MontantDuPosteInexact

GRANT = Periode(debut=date(2018, 1, 1), fin=date(2023, 12, 31))


def deposit(facts: Any = (), call: Any = None, grant: Periode = GRANT, **saisie: Any) -> Decision:
    return Given(OPERATION, facts).when(
        deposer, commande(DeposerDossier, **saisie), call or appel(), grant
    )


def plan_saisi(**changes: Any) -> dict[str, Any]:
    return saisie_du_plan(PLAN) | changes


def test_a_dossier_carries_the_cell_the_condition_and_the_targets_of_its_fiche() -> None:
    deposit().then(fait(DossierDepose))
    fact = deposit().then_one(DossierDepose, cadre=CADRE, cellule=CELLULE, condition=None)
    assert fact.fse_demande_centimes == euros(50_000)
    assert [i.libelle for i in fact.indicateurs] == [INDICATEUR.libelle]


@pytest.mark.parametrize("jour", ["2021-12-01", "2021-12-31"])
def test_deposit_on_the_first_and_last_day_is_accepted(jour: str) -> None:
    deposit(date_effet=jour).then_one(DossierDepose, date_effet=date.fromisoformat(jour))


def test_deposit_after_the_closing_date_is_refused() -> None:
    # The period runs on, so that only the closing date can refuse.
    deposit(date_effet="2022-01-01", periode={"debut": "2021-01-01", "fin": "2022-12-31"}).refuses(
        DepotHorsDelai,
        "Le dépôt du 01/01/2022 est hors délai : l’appel à projets se clôt le 31/12/2021 inclus.",
    )


def test_deposit_before_the_call_opens_is_refused() -> None:
    deposit(date_effet="2021-11-30").refuses(
        DepotAvantOuverture, "Le dépôt du 30/11/2021 précède l’ouverture"
    )


def test_deposit_on_a_closed_call_is_refused() -> None:
    closed = APPEL_A_PROJETS.replay([*APPEL, fait(AppelAProjetsClos)])
    deposit(call=closed).refuses(AppelClos, "L’appel à projets n° 3 est clos")


def test_deposit_on_a_fiche_that_the_call_lacks_is_refused() -> None:
    deposit(fiche_code="Z9").refuses(FicheInconnue, "ne comporte pas de fiche opération « Z9 »")


def test_a_dossier_is_deposited_once() -> None:
    deposit(DEPOSE).refuses(DossierDejaDepose, "déjà déposé sous le numéro 202100007")


def test_operation_finished_before_its_deposit_is_refused() -> None:
    deposit(fin_materielle="2021-11-30").refuses(
        OperationAcheveeAvantDepot,
        "L’opération s’est achevée matériellement le 30/11/2021, avant le dépôt du 15/12/2021",
    )


def test_operation_whose_period_ended_before_its_deposit_is_refused() -> None:
    deposit(periode={"debut": "2021-01-01", "fin": "2021-12-14"}).refuses(
        OperationAcheveeAvantDepot, "le 14/12/2021, avant le dépôt du 15/12/2021"
    )


def test_operation_that_ends_on_the_day_of_its_deposit_is_accepted() -> None:
    deposit(fin_materielle="2021-12-15").then_one(DossierDepose)


def test_period_that_leaves_the_grant_is_refused() -> None:
    hors = "du 01/01/2021 au 31/12/2021, sort de celle de la subvention"
    year = Periode(debut=date(2021, 1, 1), fin=date(2021, 12, 31))
    deposit(grant=Periode(debut=year.debut, fin=date(2021, 12, 30))).refuses(
        PeriodeHorsSubvention, hors
    )
    deposit(grant=Periode(debut=date(2021, 1, 2), fin=year.fin)).refuses(
        PeriodeHorsSubvention, hors
    )
    deposit(grant=year).then_one(DossierDepose)


def test_period_that_leaves_its_fiche_is_refused() -> None:
    deposit(periode={"debut": "2020-12-31", "fin": "2021-12-31"}).refuses(
        PeriodeHorsFiche, "du 01/01/2021 au 31/12/2021 : la période demandée en sort"
    )


def test_plan_unbalanced_by_a_cent_is_refused() -> None:
    deposit(plan=plan_saisi(fse="49999.99")).refuses(
        PlanDesequilibre,
        "100 000,00 € de dépenses pour 99 999,99 € de ressources, soit un écart de 0,01 €",
    )
    deposit(plan=plan_saisi(fse="50000.01")).refuses(PlanDesequilibre, "un écart de 0,01 €")


def test_plan_without_expenditure_is_refused() -> None:
    vide = {"postes": [{"code": "personnel", "montant": "0.00"}], "fse": "0.00"}
    deposit(plan=vide).refuses(PlanSansDepense, "ne prévoit aucune dépense")


def test_plan_with_a_poste_twice_is_refused() -> None:
    moitie = {"code": "personnel", "montant": "50000.00"}
    deposit(plan=plan_saisi(postes=[moitie, moitie])).refuses(
        PosteEnDouble, "« personnel » apparaît deux fois"
    )


@pytest.mark.parametrize("code", ["nature", "tiers"])
def test_a_contribution_has_the_same_amount_on_both_sides(code: str) -> None:
    def contribution(depense: int, recue: int) -> dict[str, Any]:
        autres = 50_000 - recue
        apports = (ressource(code, recue), ressource("publique_epci", autres))
        return saisie_du_plan(
            plan(50_000, *apports, **{"personnel": 100_000 - depense, code: depense})
        )

    deposit(plan=contribution(20_000, 20_000)).then_one(DossierDepose)
    deposit(plan=contribution(20_000, 19_999)).refuses(
        ContributionSansRessource, "ont pour ressource correspondante 19 999,00 €"
    )
    deposit(plan=contribution(0, 1)).refuses(ContributionSansRessource, "0,00 € de dépenses")


def test_every_form_of_cost_is_deposited_as_it_is_typed() -> None:
    """What is typed and what the fact carries say the same, for each form."""
    for propose in (
        plan(60_000, ressource("privee", 30_000), p=parcours()),
        plan(24_000, ressource("privee", 36_000), mf=livrables(L1=35_000, L2=25_000)),
        plan(
            57_500,
            ressource("privee", 57_500),
            personnel=100_000,
            i=forfait("forfait_15_personnel", 15_000, "15", "personnel", methode_ref="M-1"),
        ),
    ):
        deposit(plan=saisie_du_plan(propose)).then_one(DossierDepose, plan=propose)


def test_a_poste_that_does_not_come_to_its_amount_is_refused() -> None:
    faux = plan(
        57_500,
        ressource("privee", "57 500,01"),
        personnel=100_000,
        i=forfait("forfait_15_personnel", "15 000,01", "15", "personnel"),
    )
    deposit(plan=saisie_du_plan(faux)).refuses(MontantDuPosteInexact, "soit 15 000,00 €")


def test_what_the_fiche_decides_goes_with_the_dossier() -> None:
    surcharge = ParametresSaisis(avance_pct="20").surcharge()
    fiche = msgspec.structs.replace(FICHE, parametres=surcharge)
    deposit(call=appel(fiche)).then_one(DossierDepose, parametres=surcharge)
    deposit().then_one(DossierDepose, parametres=None)


def test_end_before_start_is_refused_at_the_door() -> None:
    with pytest.raises(ValidationError, match=r"la fin \(31/12/2020\) précède le début"):
        commande(DeposerDossier, periode={"debut": "2021-01-01", "fin": "2020-12-31"})


def test_a_siret_is_checked_by_its_key() -> None:
    beneficiaire = {"siret": "73282932000075", "nom": "Bénéficiaire fictif", "type": "association"}
    with pytest.raises(ValidationError, match="celui-ci n’est pas valide"):
        commande(DeposerDossier, beneficiaire=beneficiaire)


def test_withdrawal_says_what_was_asked() -> None:
    Given(OPERATION, DEPOSE).when(retirer, commande(RetirerDossier)).then(
        fait(
            DossierRetire,
            motif="Motif de l’essai",
            ressources=(),
            fse_programme_centimes=0,
            cout_total_programme_centimes=0,
        )
    )


def test_withdrawal_of_a_programmed_dossier_gives_back_what_it_held() -> None:
    Given(OPERATION, PARCOURS["programme"]).when(retirer, commande(RetirerDossier)).then_one(
        DossierRetire,
        fse_programme_centimes=euros(50_000),
        cout_total_programme_centimes=euros(100_000),
        ressources=PLAN.ressources,
    )
