"""What a line of a list of past operations says that is improbable, and what is done with it."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from rules.parametres import parametre

CodeAnomalie = Literal[
    "programmee_apres_fin",
    "programmee_avant_debut",
    "fin_avant_debut",
    "taux_au_dela_du_maximum",
]
#: What is done: the operation is taken over and marked, or it is not taken over.
Mode = Literal["signaler", "refuser"]

#: What people read of each.
LIBELLES: Mapping[str, str] = {
    "programmee_apres_fin": "programmée après sa fin",
    "programmee_avant_debut": "programmée avant son début",
    "fin_avant_debut": "finit avant de commencer",
    "taux_au_dela_du_maximum": "part du Fonds au-delà du maximum",
}


class Anomalie(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something improbable, with the rule of the day: its mode and, for a rate, its maximum."""

    code: CodeAnomalie
    mode: Mode
    taux_max_pct: Decimal | None = None


class Ligne(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules look at in a line. Amounts are cents."""

    date_debut: date
    date_fin: date
    date_programmation: date
    cout_total_eligible_centimes: int
    fse_centimes: int


def examiner(ligne: Ligne) -> tuple[Anomalie, ...]:
    """Return everything improbable in a line, under the rules of its day of programming.

    Programmed on its first or last day is not improbable, nor a share that is just the maximum.
    Raises: ParametreHorsVigueur for a day before any rule.
    """
    le = ligne.date_programmation
    maximum = parametre("reprise_taux_max_pct", le=le)
    # Without any cost there is no rate: a grant for nothing is beyond every maximum.
    au_dela = ligne.fse_centimes > maximum.taux * ligne.cout_total_eligible_centimes
    trouvees: tuple[tuple[CodeAnomalie, bool, Decimal | None], ...] = (
        ("programmee_apres_fin", ligne.date_programmation > ligne.date_fin, None),
        ("programmee_avant_debut", ligne.date_programmation < ligne.date_debut, None),
        ("fin_avant_debut", ligne.date_fin < ligne.date_debut, None),
        ("taux_au_dela_du_maximum", au_dela, maximum.pourcent),
    )
    return tuple(
        Anomalie(code=code, mode=mode_de(code, le), taux_max_pct=seuil)
        for code, presente, seuil in trouvees
        if presente
    )


def mode_de(code: CodeAnomalie, le: date) -> Mode:
    """Return what is done on a day with an anomaly."""
    mode = parametre(f"reprise_{code}", le=le).mode
    if mode == "refuser":
        return "refuser"
    assert mode == "signaler", mode
    return "signaler"
