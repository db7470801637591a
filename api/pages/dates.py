"""The two dates of a page: how they are said, and the form that changes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Literal
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse

from api.deps import Dates
from api.filters import entier, instant, jour
from api.pages.gabarits import templates


@dataclass(frozen=True, slots=True)
class Champ:
    """A field of the form; what cannot be read is shown again, with why.

    A field of days cannot show an instant, nor the number of an event: those are text.
    """

    nom: Literal["au", "connu_le"]
    libelle: str
    type: Literal["date", "text"]
    valeur: str
    refus: str | None


@dataclass(frozen=True, slots=True)
class SituationVue:
    """What a page shows of its two dates; ``phrase`` when they are not those of now.

    ``caches``: what else the address says, which the form repeats.
    """

    phrase: str | None
    champs: tuple[Champ, ...]
    caches: tuple[tuple[str, str], ...]
    lien_actuelle: str


def situation_vue(
    dates: Dates,
    autres: Mapping[str, str | None],
    position: int | None = None,
    connue_le: datetime | None = None,
) -> SituationVue:
    """Prepare what a page shows of its two dates.

    Args:
        dates: what its address asks.
        autres: what else its address says.
        position: the last event that it counts; ``None`` when it shows no figure.
        connue_le: when that event was recorded.
    """
    caches = {name: value for name, value in autres.items() if value is not None}
    return SituationVue(
        phrase=phrase(dates, position, connue_le) if dates.requete and dates.lisibles else None,
        champs=(
            _champ("au", "Situation au", dates.au, dates.situation.effet_au, dates.refus_au),
            _champ(
                "connu_le",
                "telle que connue le",
                dates.connu_le,
                dates.connu,
                dates.refus_connu_le,
            ),
        ),
        caches=tuple(caches.items()),
        lien_actuelle=f"?{urlencode(caches)}" if caches else "?",
    )


def _champ(
    nom: Literal["au", "connu_le"],
    libelle: str,
    ecrit: str,
    lu: int | date | datetime | None,
    refus: str | None,
) -> Champ:
    is_day = not ecrit or (isinstance(lu, date) and not isinstance(lu, datetime))
    return Champ(nom, libelle, "date" if is_day else "text", ecrit, refus)


def phrase(dates: Dates, position: int | None = None, connue_le: datetime | None = None) -> str:
    """Say the two dates: the day of effect, what was known, up to which event."""
    effet_au = dates.situation.effet_au
    debut = "Situation" if effet_au is None else f"Situation au {jour(effet_au)},"
    numero = "" if position is None else f"événement n°\u00a0{entier(position)}"
    entre_parentheses = f" ({numero})" if numero else ""
    match dates.connu:
        case None:
            return f"{debut} telle que connue aujourd’hui{entre_parentheses}"
        case int():
            enregistre = f", enregistré le {instant(connue_le)}" if connue_le else ""
            numero = numero or f"événement n°\u00a0{entier(dates.connu)}"
            return f"{debut} telle que connue à l’{numero}{enregistre}"
        case datetime():
            return f"{debut} telle que connue le {instant(dates.connu)}{entre_parentheses}"
        case _:
            return f"{debut} telle que connue le {jour(dates.connu)}{entre_parentheses}"


def sans_situation(
    request: Request,
    dates: Dates,
    autres: Mapping[str, str | None],
    *,
    page: str,
    titre: str,
    quoi: str,
) -> HTMLResponse:
    """Answer a page whose dates cannot be read, or say that it has nothing to show at them.

    Args:
        request: what is answered.
        dates: what its address asks.
        autres: what else its address says.
        page: the route of the page.
        titre: what the page is about.
        quoi: what the situation does not know yet, as a sentence.
    """
    context = {
        "page": page,
        "titre": titre,
        "quoi": quoi,
        "situation": situation_vue(dates, autres),
        "lisibles": dates.lisibles,
    }
    statut = HTTPStatus.NOT_FOUND if dates.lisibles else HTTPStatus.UNPROCESSABLE_ENTITY
    return templates().TemplateResponse(
        request, "situation_sans_page.html", context, status_code=statut
    )
