"""The clock of a payment: the days that count between the deposit of a bilan and its payment."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import msgspec

from rules.parametres import parametre


class Interruption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Days that do not count: from the day of the interruption, up to that of the resumption."""

    du: date
    au: date | None = None  #: ``None`` while nobody resumed


class Horloge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the clock stands on a day.

    ``echeance``: the day on which the delay is used up; ``None`` while an interruption leaves it
    unknown. ``alerte``: the highest threshold reached, in percent of the delay.
    """

    jours_consommes: int
    echeance: date | None
    interrompue: bool
    alerte: int | None


def delai_paiement(depot: date, reglement: str) -> int:
    """Return how many days the manager has to pay a bilan filed on a day.

    Source: règlement (UE) n° 1303/2013, art. 132 §1; règlement (UE) 2021/1060, art. 74 §1 b).
    """
    return parametre("delai_paiement_jours", le=depot, reglement=reglement).entier


def horloge(
    depot: date,
    interruptions: Iterable[Interruption],
    arret: date | None,
    delai_jours: int,
    le: date,
) -> Horloge:
    """Read the clock on a day: calendar days, of which the day of deposit is day 0.

    ``arret`` is the day of payment; what happens after it, or after ``le``, is not seen yet.
    Source: règlement (UE) n° 1303/2013, art. 132; règlement (UE) 2021/1060, art. 74 §1 b).
    """
    vu = le if arret is None else min(le, arret)
    jours = 0
    echeance: date | None = None
    courses = tuple(_courses(depot, interruptions, vu))
    for debut, fin in courses:
        if echeance is None and (fin is None or jours + (fin - debut).days >= delai_jours):
            echeance = debut + timedelta(days=delai_jours - jours)
        jours += max(0, ((fin or vu) - debut).days)
    return Horloge(
        jours_consommes=jours,
        echeance=echeance,
        interrompue=courses[-1][1] is not None and vu == le != arret,
        alerte=_alerte(jours, delai_jours, depot),
    )


def _courses(
    depot: date, interruptions: Iterable[Interruption], vu: date
) -> Iterator[tuple[date, date | None]]:
    """Return the stretches in which the clock runs; the last one has no end while it still runs."""
    debut = depot
    for pause in sorted(interruptions, key=lambda i: i.du):
        if pause.du > vu:
            break
        yield debut, max(debut, pause.du)
        if pause.au is None or pause.au > vu:
            return
        debut = max(debut, pause.au)
    yield debut, None


def _alerte(jours: int, delai_jours: int, depot: date) -> int | None:
    seuils = parametre("alerte_delai_paiement_bareme", le=depot).bareme
    atteints = [int(seuil * 100) for seuil in seuils if jours >= seuil * delai_jours]
    return max(atteints, default=None)
