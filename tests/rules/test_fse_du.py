"""The minimum rule: worked cases to the cent, and what must hold for any amounts."""

import tomllib
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oi_service.money import Arrondi
from rules.fse_du import (
    CoutConventionneNul,
    Entrees,
    RecettesCompteesDeuxFois,
    RessourceHorsNomenclature,
    Resultat,
    calculer,
    solde_a_regler,
)
from rules.nomenclature import POSTES, RESSOURCES

CAS = tomllib.loads(Path(__file__).with_name("fse_du.toml").read_text("utf-8"))["cas"]


def centimes(euros: str) -> int:
    """Read an amount of a case; a regularisation is negative."""
    return int(Fraction(euros) * 100)


def entrees_par_bilan(cas: dict[str, Any], arrondi: Arrondi) -> list[Entrees]:
    """Cumulate the bilans of a case: each is computed on everything since the start."""
    postes: Counter[str] = Counter()
    ressources: list[tuple[str, int]] = []
    recettes = 0
    resultats = []
    for bilan in cas["bilans"]:
        for poste, montant in bilan["postes"].items():
            postes[poste] += centimes(montant)
        ressources += [(nature, centimes(m)) for nature, m in bilan["ressources"]]
        recettes += centimes(bilan.get("recettes_nettes", "0.00"))
        resultats.append(
            Entrees(
                fse_max_centimes=centimes(cas["fse_max"]),
                cout_total_eligible_centimes=centimes(cas["cout_total_eligible"]),
                postes=dict(postes),
                recettes_nettes_centimes=recettes,
                ressources=tuple(ressources),
                arrondi=arrondi,
            )
        )
    return resultats


def attendu(bilan: dict[str, Any]) -> Resultat:
    """Read the expected result of a bilan."""
    dit = bilan["attendu"]
    return Resultat(
        cout_brut_centimes=centimes(dit["cout_brut"]),
        cout_net_centimes=centimes(dit["cout_net"]),
        ressources_externes_centimes=centimes(dit["ressources_externes"]),
        c1_centimes=centimes(dit["c1"]),
        c2_centimes=centimes(dit["c2"]),
        c3_centimes=centimes(dit["c3"]),
        c4_centimes=centimes(dit["c4"]) if "c4" in dit else None,
        contrainte_active=dit["contrainte_active"],
        fse_du_centimes=centimes(dit["fse_du"]),
        autofinancement_constate_centimes=centimes(dit["autofinancement_constate"]),
        surfinancement_ecarte_centimes=centimes(dit["surfinancement_ecarte"]),
    )


@pytest.mark.parametrize("cas", CAS, ids=lambda cas: f"{cas['id']} {cas['nom']}")
def test_worked_cases(cas: dict[str, Any]) -> None:
    calcules = [calculer(e) for e in entrees_par_bilan(cas, "demi_superieur")]
    assert calcules == [attendu(bilan) for bilan in cas["bilans"]]


@pytest.mark.parametrize("cas", CAS, ids=lambda cas: f"{cas['id']} {cas['nom']}")
def test_worked_cases_settled_bilan_after_bilan(cas: dict[str, Any]) -> None:
    paye = centimes(cas["deja_paye"])
    retenue = centimes(cas["plafond_avant_solde"]) if "plafond_avant_solde" in cas else None
    du_precedent = 0
    for bilan, entrees in zip(cas["bilans"], entrees_par_bilan(cas, "demi_superieur"), strict=True):
        dit = bilan["attendu"]
        du = calculer(entrees).fse_du_centimes
        assert du - du_precedent == centimes(dit["fse_du_periode"])
        assert paye == centimes(dit["paye_avant"])
        a_payer, a_reverser = solde_a_regler(
            du, paye, final=bilan["final"], plafond_avant_solde=retenue
        )
        assert (a_payer, a_reverser) == (centimes(dit["a_payer"]), centimes(dit["a_reverser"]))
        paye += a_payer - a_reverser
        du_precedent = du


@pytest.mark.parametrize("cas", CAS, ids=lambda cas: f"{cas['id']} {cas['nom']}")
def test_worked_cases_with_truncation(cas: dict[str, Any]) -> None:
    tronques = [calculer(e).c2_centimes for e in entrees_par_bilan(cas, "troncature")]
    assert tronques == [centimes(bilan["attendu"]["c2_tronque"]) for bilan in cas["bilans"]]


def test_cases_at_real_cost_are_there() -> None:
    assert {cas["id"] for cas in CAS if cas["cout_reel"]} == {"CSF-18", "CSF-23", "CSF-28"}


def operation(**autres: Any) -> Entrees:
    """Half of a 100 000 € operation paid by the Fund."""
    base: dict[str, Any] = {
        "fse_max_centimes": 50_000_00,
        "cout_total_eligible_centimes": 100_000_00,
        "postes": {"personnel": 100_000_00},
        "ressources": (("publique_epci", 50_000_00),),
        "arrondi": "demi_superieur",
    }
    return Entrees(**base | autres)


def test_the_half_cent_goes_up() -> None:
    assert calculer(operation(postes={"personnel": 60_000_01})).c2_centimes == 30_000_01


def test_on_equal_ceilings_the_first_is_named() -> None:
    assert calculer(operation()).contrainte_active == "plafond"
    taux_et_besoin = operation(
        postes={"personnel": 80_000_00}, ressources=(("publique_epci", 40_000_00),)
    )
    assert calculer(taux_et_besoin).contrainte_active == "taux"


def test_kind_without_its_resource_is_not_paid_by_public_money() -> None:
    resultat = calculer(
        operation(
            postes={"personnel": 70_000_00, "nature": 30_000_00},
            ressources=(("publique_region", 30_000_00), ("privee", 10_000_00)),
        )
    )
    assert (resultat.c3_centimes, resultat.c4_centimes) == (60_000_00, 40_000_00)
    assert (resultat.contrainte_active, resultat.fse_du_centimes) == ("hors_nature", 40_000_00)


def test_own_money_and_the_fund_itself_are_not_external() -> None:
    resultat = calculer(operation(ressources=(("fse", 50_000_00), ("autofinancement", 30_000_00))))
    assert resultat.ressources_externes_centimes == 0
    assert resultat.autofinancement_constate_centimes == 50_000_00


def test_revenue_beyond_the_cost_leaves_nothing_to_pay() -> None:
    resultat = calculer(operation(recettes_nettes_centimes=100_000_01))
    assert (resultat.cout_net_centimes, resultat.fse_du_centimes) == (0, 0)


def test_a_convention_without_cost_has_no_rate() -> None:
    with pytest.raises(CoutConventionneNul):
        calculer(operation(cout_total_eligible_centimes=0))


def test_an_unknown_kind_of_resource_is_refused() -> None:
    with pytest.raises(RessourceHorsNomenclature, match="« auto_financement »"):
        calculer(operation(ressources=(("auto_financement", 1),)))


def test_the_same_revenue_is_not_counted_twice() -> None:
    with pytest.raises(RecettesCompteesDeuxFois, match=r"1,00\s€ sont déduits et 2,00\s€ comptés"):
        calculer(operation(recettes_nettes_centimes=1_00, ressources=(("recettes", 2_00),)))


@pytest.mark.parametrize(
    ("final", "retenue", "attendu"),
    [
        (False, None, (50_000_00, 0)),
        (False, 80_000_00, (30_000_00, 0)),
        (False, 40_000_00, (0, 0)),
        (True, 40_000_00, (50_000_00, 0)),
    ],
)
def test_payments_held_back_until_the_solde(
    *,
    final: bool,
    retenue: int | None,
    attendu: tuple[int, int],
) -> None:
    regle = solde_a_regler(100_000_00, 50_000_00, final=final, plafond_avant_solde=retenue)
    assert regle == attendu


def test_only_a_final_bilan_claims_money_back() -> None:
    assert solde_a_regler(20_000_00, 36_000_00, final=False) == (0, 0)
    assert solde_a_regler(20_000_00, 36_000_00, final=True) == (0, 16_000_00)


montants = st.integers(0, 10**10)


@st.composite
def operations(draw: st.DrawFn) -> Entrees:
    cout_total = draw(st.integers(1, 10**10))
    ressources = draw(st.lists(st.tuples(st.sampled_from(sorted(RESSOURCES)), montants)))
    return Entrees(
        fse_max_centimes=draw(st.integers(0, cout_total)),
        cout_total_eligible_centimes=cout_total,
        postes=draw(st.dictionaries(st.sampled_from(sorted(POSTES)), montants)),
        recettes_nettes_centimes=(
            0 if any(t == "recettes" for t, _ in ressources) else draw(montants)
        ),
        ressources=tuple(ressources),
        arrondi=draw(st.sampled_from(["demi_superieur", "troncature"])),
    )


@given(operations())
def test_what_is_due_stays_under_every_ceiling(entrees: Entrees) -> None:
    resultat = calculer(entrees)
    plafonds = [resultat.c1_centimes, resultat.c2_centimes, resultat.c3_centimes]
    if resultat.c4_centimes is not None:
        plafonds.append(resultat.c4_centimes)
    assert 0 <= resultat.fse_du_centimes == min(plafonds)


@given(operations())
def test_everybody_s_money_makes_the_cost(entrees: Entrees) -> None:
    resultat = calculer(entrees)
    assert (
        resultat.ressources_externes_centimes
        + resultat.fse_du_centimes
        + resultat.autofinancement_constate_centimes
        - resultat.surfinancement_ecarte_centimes
    ) == resultat.cout_net_centimes
    assert 0 in {
        resultat.autofinancement_constate_centimes,
        resultat.surfinancement_ecarte_centimes,
    }


@given(operations(), st.sampled_from(sorted(POSTES)), montants)
def test_a_cost_more_never_lowers_what_is_due(entrees: Entrees, poste: str, plus: int) -> None:
    postes = dict(entrees.postes)
    postes[poste] = postes.get(poste, 0) + plus
    augmente = Entrees(
        fse_max_centimes=entrees.fse_max_centimes,
        cout_total_eligible_centimes=entrees.cout_total_eligible_centimes,
        postes=postes,
        recettes_nettes_centimes=entrees.recettes_nettes_centimes,
        ressources=entrees.ressources,
        arrondi=entrees.arrondi,
    )
    assert calculer(augmente).fse_du_centimes >= calculer(entrees).fse_du_centimes


@given(operations(), st.sampled_from(sorted(RESSOURCES)), montants)
def test_a_resource_more_never_raises_what_is_due(entrees: Entrees, nature: str, plus: int) -> None:
    if nature == "recettes":
        nature = "privee"  # revenue may already be deducted, and is then refused
    augmente = Entrees(
        fse_max_centimes=entrees.fse_max_centimes,
        cout_total_eligible_centimes=entrees.cout_total_eligible_centimes,
        postes=entrees.postes,
        recettes_nettes_centimes=entrees.recettes_nettes_centimes,
        ressources=(*entrees.ressources, (nature, plus)),
        arrondi=entrees.arrondi,
    )
    assert calculer(augmente).fse_du_centimes <= calculer(entrees).fse_du_centimes


@given(du=montants, paye=montants, final=st.booleans(), retenue=st.none() | montants)
def test_settling_never_pays_and_claims_at_once(
    *,
    du: int,
    paye: int,
    final: bool,
    retenue: int | None,
) -> None:
    a_payer, a_reverser = solde_a_regler(du, paye, final=final, plafond_avant_solde=retenue)
    assert 0 in {a_payer, a_reverser}
    assert min(a_payer, a_reverser) >= 0
    assert paye + a_payer <= max(du, paye)
    if final:
        assert paye + a_payer - a_reverser == du
