"""Net revenue: deducted, counted as a resource or left alone, by regime and by amount."""

from datetime import date
from typing import Any

import pytest

from rules.recettes import traitement_des_recettes


def traitement(
    cout: int = 500_000, *, reglement: str = "2014-2020", au_reel: bool = True, le: Any = None
) -> tuple[str, str]:
    return traitement_des_recettes(
        reglement=reglement,
        cout_total_eligible=cout * 100,
        au_reel=au_reel,
        le=le or date(2022, 1, 25),
    )


def test_revenue_is_deducted_from_the_cost_in_2014_2020() -> None:
    assert traitement() == ("deduites", "Règlement (UE) n° 1303/2013, art. 65 §8")


@pytest.mark.parametrize(("le", "seuil"), [(date(2018, 8, 1), 50_000), (date(2018, 8, 2), 100_000)])
def test_a_small_operation_keeps_its_revenue(le: date, seuil: int) -> None:
    quoi, texte = traitement(seuil, le=le)
    assert quoi == "exemptees"
    assert f"coût total éligible d’au plus {seuil}.00 €" in texte
    assert traitement(seuil + 1, le=le)[0] == "deduites"


def test_unit_costs_and_lump_sums_keep_their_revenue() -> None:
    quoi, texte = traitement(au_reel=False)
    assert quoi == "exemptees"
    assert "barèmes et montants forfaitaires" in texte


@pytest.mark.parametrize("cout", [10_000, 5_000_000])
@pytest.mark.parametrize("au_reel", [True, False])
def test_revenue_is_a_resource_in_2021_2027(cout: int, *, au_reel: bool) -> None:
    quoi, texte = traitement(cout, reglement="2021-2027", au_reel=au_reel)
    assert quoi == "ressource"
    assert texte == "Aucun article en 2021-2027 : les recettes comptent comme une ressource"
