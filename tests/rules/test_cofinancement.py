"""The cofinancing condition of a fiche, to the fraction of a cent."""

import tomllib
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oi_service.errors import RuleBroken
from oi_service.money import cents
from rules.cofinancement import (
    CofinancementAbsent,
    ConditionCofinancement,
    ContrepartiesInsuffisantes,
    FseAuDelaDuPlafondDeLaFiche,
    verifier_cofinancement,
)

DONNEES = tomllib.loads(Path(__file__).with_name("cofinancement.toml").read_text("utf-8"))


def condition(fiche: dict[str, Any]) -> ConditionCofinancement:
    vide = {"taux_min_contreparties": None, "taux_max_fse": None}
    return msgspec.convert(vide | fiche, ConditionCofinancement)


def refus(cas: dict[str, Any]) -> RuleBroken | None:
    try:
        verifier_cofinancement(
            condition(DONNEES["fiches"][cas["fiche"]]),
            cout_total_centimes=cents(cas["cout_total"]),
            fse_centimes=cents(cas["fse"]),
            contreparties_centimes=sum(cents(c) for c in cas["contreparties"]),
        )
    except RuleBroken as trouve:
        return trouve
    return None


@pytest.mark.parametrize("cas", DONNEES["cas"], ids=lambda cas: cas["id"])
def test_plans_of_the_call(cas: dict[str, Any]) -> None:
    trouve = refus(cas)
    assert (trouve.code() if trouve else None) == cas.get("refus")


def phrase(identifiant: str) -> str:
    [cas] = [c for c in DONNEES["cas"] if c["id"] == identifiant]
    return str(refus(cas)).replace("\u202f", " ").replace("\u00a0", " ")


def test_the_refusal_gives_the_exact_threshold() -> None:
    assert phrase("AG-04") == (
        "Les contreparties sont insuffisantes : 3 333,33 €. La fiche opération demande au moins "
        "10 % du coût total de 33 333,33 €, soit 3 333,333 €."
    )


def test_a_threshold_of_whole_cents_keeps_two_decimals() -> None:
    assert "au moins 20 % du coût total de 100 000,00 €, soit 20 000,00 €." in phrase("AG-02")


def test_the_refusals_of_the_ceiling_and_of_the_absence_say_the_amounts() -> None:
    assert phrase("plafond seul") == (
        "Le FSE demandé dépasse le plafond de la fiche opération : 80 000,01 €. La fiche opération "
        "admet au plus 80 % du coût total de 100 000,00 €, soit 80 000,00 €."
    )
    assert phrase("AG-06") == (
        "Aucun cofinancement n’apparaît dans le budget, alors que la fiche opération en demande. "
        "Le FSE y représente 50 000,00 € pour un coût total de 50 000,00 €."
    )


def test_a_rate_that_is_not_whole_is_written_with_its_decimals() -> None:
    avec = ConditionCofinancement(
        statut="condition_de_financement",
        taux_min_contreparties=Decimal("0.125"),
        taux_max_fse=None,
    )
    with pytest.raises(ContrepartiesInsuffisantes) as refuse:
        verifier_cofinancement(
            avec, cout_total_centimes=1_00, fse_centimes=90, contreparties_centimes=10
        )
    assert refuse.value.details["taux"] == "12,5\u00a0%"
    assert refuse.value.details["seuil"] == "0,125\u00a0€"


def test_no_condition_refuses_nothing() -> None:
    verifier_cofinancement(
        None, cout_total_centimes=50_000_00, fse_centimes=50_000_00, contreparties_centimes=0
    )


@pytest.mark.parametrize(
    "refusal", [CofinancementAbsent, ContrepartiesInsuffisantes, FseAuDelaDuPlafondDeLaFiche]
)
def test_every_refusal_names_its_text(refusal: type[RuleBroken]) -> None:
    assert refusal.article


taux = st.decimals("0", "1", places=4)
montants = st.integers(0, 10**11)


@given(minimum=taux, maximum=taux, total=montants, fse=montants, contreparties=montants)
def test_the_edge_is_exact(
    minimum: Decimal, maximum: Decimal, total: int, fse: int, contreparties: int
) -> None:
    fiche = ConditionCofinancement(
        statut="condition_de_recevabilite", taux_min_contreparties=minimum, taux_max_fse=maximum
    )
    tient = (
        contreparties * 10**4 >= int(minimum * 10**4) * total
        and fse * 10**4 <= int(maximum * 10**4) * total
    )
    try:
        verifier_cofinancement(
            fiche, cout_total_centimes=total, fse_centimes=fse, contreparties_centimes=contreparties
        )
    except RuleBroken as refuse:
        assert not tient
        # The threshold of the sentence is the threshold of the comparison.
        lu = refuse.details["seuil"].translate({0x202F: None, 0xA0: None, ord("€"): None})
        seuil = Fraction(lu.replace(",", "."))
        montant = refuse.details.get("contreparties_centimes", refuse.details.get("fse_centimes"))
        attendu = minimum if isinstance(refuse, ContrepartiesInsuffisantes) else maximum
        assert seuil == Fraction(attendu) * total / 100
        assert montant in {contreparties, fse}
    else:
        assert tient
