"""Before the final bilan, other funders may count for the share of the plan that is executed."""

from typing import Any

from rules.calcul import Apports, Conditions, LignesPoste, PosteConvenu, Resultat, service_fait


def prorata(
    cout: int, *prevues: tuple[str, int], nature: int = 0, total: int = 0, **autres: Any
) -> Resultat:
    """Half of a plan is executed unless told, and what others planned counts for half."""
    convenu = Conditions(
        postes=(PosteConvenu(code="personnel"), PosteConvenu(code="nature")),
        cout_total_eligible_centimes=total or 2 * cout,
        fse_max_centimes=cout,
        ressources_intermediaires="prorata",
        ressources_prevues=prevues,
        **autres,
    )
    lignes = tuple(
        LignesPoste(code=code, declare_centimes=declare, ecarte_centimes=0)
        for code, declare in (("personnel", cout - nature), ("nature", nature))
    )
    return service_fait(convenu, [Apports(final=False, lignes=lignes)])


def test_pro_rata_counts_every_funder_on_the_running_total() -> None:
    trois = (("publique_epci", 40_00), ("publique_etat", 20_00), ("privee", 10_00))
    assert prorata(50_00, *trois).ressources_externes_centimes == 35_00
    # Half of one cent each: two funders bring one cent together, not two.
    deux = (("publique_epci", 1), ("privee", 1))
    assert prorata(2, *deux).ressources_externes_centimes == 1
    assert prorata(1, ("privee", 1), arrondi="troncature").ressources_externes_centimes == 0


def test_pro_rata_the_first_cent_is_public_money_then_what_is_external() -> None:
    for externe in ("publique_epci", "privee"):
        prevues = (("autofinancement", 1), (externe, 1))
        assert prorata(10, *prevues).ressources_externes_centimes == 1
    # c4: ten cents, one of them in kind, one of them public money.
    prevues = (("privee", 1), ("publique_epci", 1))
    assert prorata(10, *prevues, nature=1).c4_centimes == 8


def test_nothing_executed_counts_nothing_of_the_others() -> None:
    assert prorata(0, ("privee", 2), total=2).ressources_externes_centimes == 0
