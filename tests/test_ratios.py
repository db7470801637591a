"""Ratios of the maquette on a worked example of four PLIE: exact, on totals, shown half up."""

from fractions import Fraction

import pytest

from oi_service.money import euros, percent
from projections.maquette import TAUX, Chiffres

#: Thousands of euros: allocated, programmed, under convention, declared, retained, certified, paid.
PLIE = {
    "PLIE-1": (900, 860, 845, 610, 540, 500, 480),
    "PLIE-2": (700, 700, 690, 655, 610, 590, 575),
    "PLIE-3": (600, 420, 420, 250, 231, 200, 180),
    "PLIE-4": (400, 400, 380, 300, 280, 280, 260),
}
QUANTITES = [
    "fse_maquette",
    "fse_programme",
    "fse_conventionne",
    "fse_declare",
    "fse_retenu_csf",
    "fse_certifie",
    "fse_paye",
]
#: Programming, convention, declaration, retention, consumption, certification, payment; then what
#: may still be programmed and consumed.
ATTENDU = {
    "PLIE-1": "95.56 98.26 72.19 88.52 60.00 55.56 88.89 40000.00 360000.00",
    "PLIE-2": "100.00 98.57 94.93 93.13 87.14 84.29 94.26 0.00 90000.00",
    "PLIE-3": "70.00 100.00 59.52 92.40 38.50 33.33 77.92 180000.00 369000.00",
    "PLIE-4": "100.00 95.00 78.95 93.33 70.00 70.00 92.86 0.00 120000.00",
    "total": "91.54 98.11 77.73 91.52 63.88 60.38 90.01 220000.00 939000.00",
}
RATIOS = [
    "taux_programmation",
    "taux_conventionnement",
    "taux_declaration",
    "taux_retenue_csf",
    "taux_consommation",
    "taux_certification",
    "taux_paiement",
]


def chiffres(plie: str) -> Chiffres:
    if plie == "total":
        return sum((chiffres(p) for p in PLIE), Chiffres())
    milliers = dict(zip(QUANTITES, PLIE[plie], strict=True))
    tous = {nom: m * 100_000 for nom, m in milliers.items()}
    return Chiffres(**tous, fse_programme_ajuste=tous["fse_programme"])


@pytest.mark.parametrize("plie", ATTENDU)
def test_ratios_and_remainders(plie: str) -> None:
    lus = chiffres(plie)
    taux = [percent(getattr(lus, nom)) for nom in RATIOS]
    restes = [euros(lus.disponible_a_programmer), euros(lus.reste_a_consommer)]
    assert [*taux, *restes] == ATTENDU[plie].split()


def test_a_total_is_never_an_average() -> None:
    average = sum(chiffres(p).taux_programmation or 0 for p in PLIE) / len(PLIE)
    assert chiffres("total").taux_programmation == Fraction(238, 260) != average


@pytest.mark.parametrize("taux", TAUX)
def test_a_ratio_over_nothing_is_not_a_number(taux: str) -> None:
    assert getattr(Chiffres(), taux) is None
