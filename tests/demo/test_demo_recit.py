"""The story on paper: the same told twice, never back in time, its money balanced to the cent."""

import re
from collections import Counter
from datetime import date
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.fr import siret as siret_number

from aggregates.depense.declaration import DetailSaisi
from aggregates.plan import PlanSaisi
from oi_service.dates import Periode
from oi_service.demo.appel import fiches
from oi_service.demo.destins import DESTINS
from oi_service.demo.distribution import Dossier, dossiers
from oi_service.demo.enveloppes import besoins, enveloppes
from oi_service.demo.formes import FORMES
from oi_service.demo.generateur import beneficiaire, hasard, inventer_plan, repartir
from oi_service.demo.pieces import inventer_depenses
from oi_service.demo.recit import plans
from oi_service.demo.vie import DERNIER, raconter
from rules.couts import couts_simplifies_manquants, verifier_formes

CAST = dossiers()
GRAINES = st.integers(min_value=0, max_value=10**6)


def test_every_fiche_is_answered_and_one_beneficiary_answers_two() -> None:
    reels = [d for d in CAST if d.annee == 2021]
    assert len(reels) >= 40
    reponses = Counter(d.fiche for d in reels)
    assert set(reponses) == set(fiches())
    assert max(reponses.values()) > 1
    par_beneficiaire = {n: {d.fiche for d in reels if d.beneficiaire == n} for n in range(50)}
    assert sum(len(repondues) == 2 for repondues in par_beneficiaire.values()) >= 2


def test_every_destiny_is_lived() -> None:
    assert {d.destin for d in CAST} == set(DESTINS)


#: What makes each dossier that the README names worth a look: a form, an option or a destiny.
CITES = {
    "F20210001": "echantillon",
    "F20210005": "unitaire",
    "F20210010": "regularise",
    "F20210012": "horaire",
    "F20210019": "marche",
    "F20210036": "livrables",
    "F20210039": "compense",
    "F20210042": "paie_pour_une_autre",
    "F20210045": "ne_rend_rien",
    "F20210046": "subit_un_audit",
    "F20210047": "devient_insolvable",
}


def test_the_readme_names_the_dossiers_that_show_what_it_says() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    assert set(re.findall(r"\bF\d{8}\b", readme)) == set(CITES)
    assert f"Ses {len(CAST)} dossiers" in readme
    par_numero = {d.numero_mdfse: d for d in CAST}
    for numero, quoi in CITES.items():
        assert par_numero[numero].avec(quoi) or par_numero[numero].destin == quoi


def test_the_story_is_the_same_whatever_the_seed_and_each_act_has_one_name() -> None:
    told, again = raconter(2021), raconter(7)
    assert Counter(e.nom.split("/")[0] for e in told).keys() == {e.nom.split("/")[0] for e in again}
    names = [e.nom for e in told]
    assert len(set(names)) == len(names)
    assert [(e.jour, e.nom, e.qui) for e in raconter(2021)] == [
        (e.jour, e.nom, e.qui) for e in told
    ]


def test_time_never_goes_back_and_stays_within_the_grant() -> None:
    jours = [e.jour for e in raconter(2021)]
    assert jours == sorted(jours)
    assert date(2018, 1, 1) <= jours[0]
    assert jours[-1] <= date(2023, 12, 31)


def test_dossiers_are_deposited_while_the_call_is_open_until_its_last_day() -> None:
    depots = [d.depot for d in CAST if d.annee == 2021]
    assert date(2021, 12, 1) <= min(depots)
    assert max(depots) == date(2021, 12, 31)


def test_final_bilans_arrive_within_six_months() -> None:
    rendus = [
        e.jour
        for e in raconter(2021)
        if e.nom.startswith("F2021") and e.nom.endswith(("bilan-1/depot", "bilan-2/depot"))
    ]
    assert rendus
    assert max(rendus) <= date(2022, 6, 30)


def test_the_last_act_is_the_one_that_tells_that_all_is_played() -> None:
    assert raconter(2021)[-1].nom == f"{DERNIER}/archivage"


def test_nobody_controls_or_validates_their_own_work() -> None:
    acteurs = {(e.nom, e.qui.acteur) for e in raconter(2021)}
    for nom, acteur in acteurs:
        if nom.endswith("/validation"):
            ouverture = nom.removesuffix("/validation")
            assert (ouverture, acteur) not in acteurs
            assert (f"{ouverture}/proposition", acteur) not in acteurs


def test_every_form_of_cost_is_programmed() -> None:
    assert {d.forme for d in CAST if d.programme} == set(FORMES)


@given(GRAINES, st.sampled_from(CAST))
def test_invented_plans_are_balanced_and_meet_the_condition_of_their_fiche(
    graine: int, dossier: Dossier
) -> None:
    smallest, largest = FORMES[dossier.forme].couts
    for plan in plans(graine, dossier):
        saisi = PlanSaisi(**plan.saisie()).plan()
        assert saisi.cout_total_centimes == plan.cout_total
        assert min(m for m in (*plan.postes.values(), *plan.ressources.values())) > 0
        assert 50 * plan.cout_total <= 100 * plan.fse <= 80 * plan.cout_total
        assert 90 * smallest <= 100 * plan.cout_total <= 101 * largest
        assert 10 * sum(plan.externes.values()) >= plan.cout_total
        if dossier.fiche == "HP1":
            assert 5 * sum(plan.externes.values()) >= plan.cout_total


@given(GRAINES, st.sampled_from(CAST))
def test_invented_plans_use_the_forms_that_the_texts_open_and_ask_for(
    graine: int, dossier: Dossier
) -> None:
    le = date(2022, 1, 17)
    for plan in plans(graine, dossier):
        saisi = PlanSaisi(**plan.saisie()).plan()
        periode = Periode(debut=date(2021, 1, 1), fin=date(2021, 12, 31))
        verifier_formes(saisi.postes, reglement="2014-2020", le=le, periode=periode)
        manquants = couts_simplifies_manquants(
            saisi.postes,
            cout_total=saisi.cout_total_centimes,
            soutien_public=saisi.soutien_public_centimes,
            reglement="2014-2020",
            le=le,
        )
        assert (manquants is not None) == (dossier.forme == "reel")


@given(
    GRAINES,
    st.sampled_from(["OS1", "OS2", "OS3"]),
    st.sampled_from(sorted(FORMES)),
    st.integers(300, 1100),
)
def test_invented_depenses_add_up_to_the_share_of_each_poste(
    graine: int, objectif: str, forme: str, milliemes: int
) -> None:
    plan = inventer_plan(hasard(graine, "plan"), objectif, forme)
    h = hasard(graine, "depenses")
    lignes = inventer_depenses(h, plan, date(2021, 1, 1), 12, milliemes, "F1-B1")
    assert {ligne.poste for ligne in lignes} == set(plan.reels)
    for poste, prevu in plan.reels.items():
        declarees = [ligne.montant for ligne in lignes if ligne.poste == poste]
        # Time is counted by quarters of an hour: each line leaves less than one of them.
        perdu = 700 * len(declarees) if FORMES[forme].horaire else 0
        assert 0 <= prevu * milliemes // 1000 - sum(declarees) <= perdu
    assert len({ligne.saisie["piece_ref"] for ligne in lignes}) == len(lignes)
    assert all(0 <= ligne.ecarte <= ligne.montant for ligne in lignes)
    assert all((ligne.ecarte > 0) == (ligne.motif is not None) for ligne in lignes)
    for ligne in lignes:
        assert DetailSaisi(**ligne.saisie).detail().montant_impute_centimes == ligne.montant


@given(st.integers(0, 10**10), st.lists(st.integers(1, 1000), min_size=1, max_size=60))
def test_splitting_loses_no_cent(montant: int, poids: list[int]) -> None:
    assert sum(repartir(Random(0), montant, poids)) == montant  # noqa: S311


def test_invented_beneficiaries_have_a_siret_that_nobody_has() -> None:
    sirets = [beneficiaire(numero)["siret"] for numero in range(1, 60)]
    assert all(siret_number.is_valid(s) and s.startswith("000") for s in sirets)
    assert len(set(sirets)) == len(sirets)


@pytest.mark.parametrize("graine", range(25))
def test_enveloppes_hold_what_will_be_programmed(graine: int) -> None:
    parts = enveloppes(graine, CAST)
    assert min(parts.values()) > 0
    assert besoins(graine, CAST).keys() <= parts.keys()
