"""What the calculation of a service fait says of itself, and where its rounding is seen."""

from decimal import Decimal
from typing import Any

import pytest

from rules.calcul import (
    Apports,
    Conditions,
    CorrectionFse,
    LignesMarche,
    LignesPoste,
    MarcheCorrige,
    PosteCalcule,
    PosteConvenu,
    Resultat,
    TauxDecide,
    Unites,
    service_fait,
)


def calcule(*bilans: Apports, **conditions: Any) -> Resultat:
    """Count against a convention paid whole by the Fund, at real cost unless told."""
    base: dict[str, Any] = {
        "fse_max_centimes": 100_00,
        "cout_total_eligible_centimes": 100_00,
        "postes": (PosteConvenu(code="prestations"),),
    }
    return service_fait(Conditions(**base | conditions), bilans)


def declare(centimes: int, **autres: Any) -> Apports:
    ligne = LignesPoste(code="prestations", declare_centimes=centimes, ecarte_centimes=0)
    return Apports(final=True, lignes=(ligne,), **autres)


def marche(centimes: int, taux: int) -> dict[str, Any]:
    return {
        "marches": (LignesMarche(marche="M1", poste="prestations", retenu_centimes=centimes),),
        "corrections_marche": (TauxDecide(objet="M1", taux_pct=Decimal(taux)),),
    }


def test_a_contract_says_its_rate_on_all_that_it_kept() -> None:
    deux = [declare(40_00, **marche(40_00, 25)), declare(20_00, **marche(20_00, 25))]
    assert calcule(*deux).marches == (
        MarcheCorrige(
            marche="M1", taux_pct=Decimal(25), base_centimes=60_00, correction_centimes=15_00
        ),
    )


def test_less_than_nothing_of_a_contract_loses_nothing_at_any_rate() -> None:
    [corrige] = calcule(declare(10_00, **marche(-40_00, 100))).marches
    assert corrige.correction_centimes == 0


@pytest.mark.parametrize("arrondi", ["demi_superieur", "troncature"])
def test_half_a_cent_of_a_correction_is_lost_in_both_modes(arrondi: str) -> None:
    """Half of 1,01 €: 0,51 € is taken where halves go up, 0,50 € is left where they are cut."""
    [poste] = calcule(declare(1_01, **marche(1_01, 50)), arrondi=arrondi).postes
    assert (poste.corrige_marche_centimes, poste.retenu_centimes) == (51, 50)


@pytest.mark.parametrize(("arrondi", "plafond"), [("demi_superieur", 5_52), ("troncature", 5_51)])
def test_a_cap_with_its_tolerance_is_rounded_as_the_convention_says(
    arrondi: str, plafond: int
) -> None:
    """107,1 % of 5,15 € is 5,51565 €."""
    poste = PosteConvenu(code="prestations", plafond_centimes=5_15, tolerance_pct=Decimal("7.1"))
    [capped] = calcule(declare(10_00), postes=(poste,), arrondi=arrondi).postes
    assert capped.retenu_centimes == plafond


@pytest.mark.parametrize(("arrondi", "retenu"), [("demi_superieur", 17), ("troncature", 16)])
def test_units_say_their_number_and_their_price(arrondi: str, retenu: int) -> None:
    parcours = PosteConvenu(code="parcours", mode="cout_unitaire", cout_unite_centimes=33)
    demi = Unites(poste="parcours", declarees=Decimal(1), retenues=Decimal("0.5"))
    faits = Apports(final=True, unites=(demi,))
    assert calcule(faits, postes=(parcours,), arrondi=arrondi).postes == (
        PosteCalcule(
            code="parcours",
            mode="cout_unitaire",
            retenu_centimes=retenu,
            unites=Decimal("0.5"),
            cout_unite_centimes=33,
        ),
    )


def test_without_a_price_or_a_rate_nothing_is_due() -> None:
    formes = (
        PosteConvenu(code="prestations"),
        PosteConvenu(code="indirectes", mode="forfait", assiette=("prestations",)),
        PosteConvenu(code="parcours", mode="cout_unitaire"),
    )
    une = Unites(poste="parcours", declarees=Decimal(1), retenues=Decimal(1))
    resultat = calcule(declare(10_00, unites=(une,)), postes=formes)
    postes = {p.code: p for p in resultat.postes}
    assert postes["indirectes"].retenu_centimes == postes["parcours"].retenu_centimes == 0
    assert postes["indirectes"].assiette == ("prestations",)


def test_units_not_declared_yet_are_none_as_a_decimal() -> None:
    parcours = PosteConvenu(code="parcours", mode="cout_unitaire", cout_unite_centimes=33)
    [poste] = calcule(Apports(final=False), postes=(parcours,)).postes
    assert isinstance(poste.unites, Decimal)
    assert poste.unites == 0


def test_a_correction_of_the_fund_says_its_nature_and_its_rate() -> None:
    publicite = TauxDecide(objet="publicite", taux_pct=Decimal(3))
    assert calcule(declare(10_00, corrections_fse=(publicite,))).corrections_fse == (
        CorrectionFse(nature="publicite", taux_pct=Decimal(3), correction_centimes=30),
    )
