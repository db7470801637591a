"""How the invented grant is shared: enveloppes are cut to what the cast will ask for.

Some PLIE are nearly fully programmed, and one is late.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from oi_service.demo.distribution import Dossier
from oi_service.demo.recit import plans

#: What the avenant that goes up asks for, in thousandths of the plan.
HAUSSE = 1_110
#: What a PLIE is given for what it will programme, in thousandths.
AISANCE = {
    "agenais": 1_012,
    "bordeaux": 1_004,
    "espace_technowest": 1_060,
    "grand_perigueux": 1_030,
    "haut_perigord": 1_035,
    "portes_du_sud": 1_130,
    "sources": 1_015,
}
#: What a cell is given when nothing will be programmed on it, in cents.
MINIMUM = 6_180_743
RESERVE = {(2021, "OS1"): 7_412_309, (2021, "OS2"): 9_206_518, (2022, "OS3"): 4_377_151}
Cellule = tuple[int, str, str]  # year, objective, PLIE


@dataclass(frozen=True, slots=True)
class Transfert:
    """Money that moves between enveloppes of a line; ``None`` gives from the réserve."""

    jour: date
    annee: int
    objectif: str
    de: str | None
    vers: str
    fse: int


#: Each one comes in time for a dossier that the board adjourned.
TRANSFERTS = (
    Transfert(date(2022, 4, 14), 2021, "OS1", "portes_du_sud", "bordeaux", 2_351_877),
    Transfert(date(2022, 4, 14), 2021, "OS2", None, "agenais", 1_946_230),
)
#: What an avenant of the grant takes from the réserve of 2021, which no dossier can use any more,
#: and brings to the same objective of 2022.
RESERVE_REPORTEE = Transfert(date(2022, 12, 5), 2022, "OS1", None, "sources", 3_774_410)


def besoins(graine: int, cast: list[Dossier]) -> Counter[Cellule]:
    """Return what will be programmed on each cell, avenants included."""
    found: Counter[Cellule] = Counter()
    for d in cast:
        if d.programme:
            _, plan = plans(graine, d)
            if d.destin == "augmente_son_plan":
                plan = plan.a_l_echelle(HAUSSE)
            found[d.annee, d.objectif, d.plie] += plan.fse
    return found


def enveloppes(graine: int, cast: list[Dossier]) -> Counter[Cellule]:
    """Return what each cell is given at first, before the transfers."""
    programme = besoins(graine, cast)
    ouvertes = {(d.annee, d.objectif, d.plie) for d in cast}
    found = Counter(
        {
            cellule: programme[cellule] * AISANCE[cellule[2]] // 1000 or MINIMUM
            for cellule in sorted(ouvertes)
        }
    )
    for t in TRANSFERTS:
        found[t.annee, t.objectif, t.vers] -= t.fse
        if t.de is not None:
            found[t.annee, t.objectif, t.de] += t.fse
    return found


def cout_total(fse: int) -> int:
    """Return the total cost that goes with an amount of the Fund, at the rate of the maquette."""
    return fse * 100 // 61
