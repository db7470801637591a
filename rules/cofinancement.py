"""The cofinancing condition that a fiche opération of a call may set."""

from decimal import Decimal
from fractions import Fraction
from typing import Literal

import msgspec

from oi_service.errors import RuleBroken, french_euros

_FICHE = "Condition de cofinancement de la fiche opération, appel à projets"


class ConditionCofinancement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a fiche asks of the financing plan. Rates are shares of the total cost: 0.20 is 20 %.

    The two rates are both kept: they say the same only when everything that is not the Fund's
    counts as a counterpart.
    """

    statut: Literal["condition_de_recevabilite", "condition_de_financement", "critere_de_selection"]
    taux_min_contreparties: Decimal | None
    taux_max_fse: Decimal | None
    cofinancement_requis: bool = False


class CofinancementAbsent(RuleBroken):
    """Aucun cofinancement n’apparaît dans le budget, alors que la fiche opération en demande.

    Le FSE y représente {fse_centimes:euros} pour un coût total de {cout_total_centimes:euros}.
    """

    article = _FICHE


class ContrepartiesInsuffisantes(RuleBroken):
    """Les contreparties sont insuffisantes : {contreparties_centimes:euros}.

    La fiche opération demande au moins {taux} du coût total de {cout_total_centimes:euros}, soit
    {seuil}.
    """

    article = _FICHE


class FseAuDelaDuPlafondDeLaFiche(RuleBroken):
    """Le FSE demandé dépasse le plafond de la fiche opération : {fse_centimes:euros}.

    La fiche opération admet au plus {taux} du coût total de {cout_total_centimes:euros}, soit
    {seuil}.
    """

    article = _FICHE


def verifier_cofinancement(
    condition: ConditionCofinancement | None,
    *,
    cout_total_centimes: int,
    fse_centimes: int,
    contreparties_centimes: int,
) -> None:
    """Refuse a plan that breaks the condition of its fiche.

    Counterparts are counted together, public or private, direct or indirect. Thresholds are exact
    fractions of a cent: a plan a third of a cent short is short.
    Raises: CofinancementAbsent, ContrepartiesInsuffisantes, FseAuDelaDuPlafondDeLaFiche.
    """
    if condition is None or condition.statut == "critere_de_selection":
        # A selection criterion is weighed by the committee; it never closes the door.
        return
    if condition.cofinancement_requis and contreparties_centimes == 0:
        raise CofinancementAbsent(
            fse_centimes=fse_centimes, cout_total_centimes=cout_total_centimes
        )
    if condition.taux_min_contreparties is not None:
        minimum = Fraction(condition.taux_min_contreparties) * cout_total_centimes
        if contreparties_centimes < minimum:
            raise ContrepartiesInsuffisantes(
                contreparties_centimes=contreparties_centimes,
                taux=_pourcent(condition.taux_min_contreparties),
                cout_total_centimes=cout_total_centimes,
                seuil=_euros_exacts(minimum),
            )
    if condition.taux_max_fse is not None:
        maximum = Fraction(condition.taux_max_fse) * cout_total_centimes
        if fse_centimes > maximum:
            raise FseAuDelaDuPlafondDeLaFiche(
                fse_centimes=fse_centimes,
                taux=_pourcent(condition.taux_max_fse),
                cout_total_centimes=cout_total_centimes,
                seuil=_euros_exacts(maximum),
            )


def _pourcent(taux: Decimal) -> str:
    """Write a rate without useless zeros: ``0.125`` gives ``12,5 %``."""
    return f"{(taux * 100).normalize():f}".replace(".", ",") + "\u00a0%"


def _euros_exacts(centimes: Fraction) -> str:
    """Write a threshold with all its decimals: rounded, it would contradict the refusal."""
    if centimes.denominator == 1:
        return french_euros(int(centimes))
    exact = Decimal(centimes.numerator) / (centimes.denominator * 100)
    return f"{exact:,f}".replace(",", "\u202f").replace(".", ",") + "\u00a0€"
