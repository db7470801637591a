"""What is to pay and to pay back: the due, less what was paid, within what may leave early."""

from decimal import Decimal
from fractions import Fraction
from typing import Literal

import msgspec

from oi_service.money import Arrondi, round_cents

#: When an avance is imputed: on the first amounts due, or on the solde only.
ImputationAvance = Literal["immediate", "sur_solde"]


class Versements(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What left, less what came back, in cents; ``avances`` is the part that no control founds."""

    net_centimes: int
    avances_centimes: int = 0


class Reglement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to pay and to pay back, in cents; one of them is always zero.

    ``retenu_jusqu_au_solde_centimes``: due, and held back by the ceiling before the solde.
    ``avance_non_couverte_centimes``: paid, and not due yet.
    """

    a_payer_centimes: int
    a_reverser_centimes: int
    retenu_jusqu_au_solde_centimes: int
    avance_non_couverte_centimes: int


def plafond_avance(
    fse_max: int, avance_pct: Decimal, avance_plafond: int | None, arrondi: Arrondi
) -> int:
    """Return the largest avance, in cents: a share of the maximum, capped.

    Source: convention de subvention globale; fse.gouv.fr, « La convention ».
    """
    part = round_cents(Fraction(avance_pct) / 100 * fse_max, arrondi)
    return part if avance_plafond is None else min(part, avance_plafond)


def plafond_avant_solde(fse_max: int, pct: Decimal | None, arrondi: Arrondi) -> int:
    """Return the largest total that may leave before the solde; without a cap, the maximum."""
    return fse_max if pct is None else round_cents(Fraction(pct) / 100 * fse_max, arrondi)


def a_regler(
    fse_du_cumule: int,
    verse: Versements,
    *,
    final: bool,
    plafond_avant_solde: int,
    imputation: ImputationAvance = "immediate",
) -> Reglement:
    """Settle what is due against what was paid.

    Before the final bilan nothing is claimed back, and nothing passes the ceiling before the solde.
    A final bilan, a recalculation after the solde, an abandonment or a termination settles all.
    Source: règlement (UE) n° 1303/2013, art. 132 §1; règlement (UE) 2021/1060, art. 74 §1 b).
    """
    if final:
        reste = fse_du_cumule - verse.net_centimes
        return Reglement(
            a_payer_centimes=max(0, reste),
            a_reverser_centimes=max(0, -reste),
            retenu_jusqu_au_solde_centimes=0,
            avance_non_couverte_centimes=0,
        )
    payable = min(fse_du_cumule, plafond_avant_solde)
    reste = payable - verse.net_centimes
    if imputation == "sur_solde":
        reste = min(reste + verse.avances_centimes, plafond_avant_solde - verse.net_centimes)
    return Reglement(
        a_payer_centimes=max(0, reste),
        a_reverser_centimes=0,
        retenu_jusqu_au_solde_centimes=fse_du_cumule - payable,
        avance_non_couverte_centimes=max(0, verse.net_centimes - fse_du_cumule),
    )
