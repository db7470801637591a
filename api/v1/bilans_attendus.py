"""The bilans that have not come, over all the dossiers of the perimeter."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.deps import Lecture
from api.errors import refus
from api.v1.lectures import Filtres, Mot
from api.v1.representations import BilansAttendusOut
from oi_service.clock import today
from oi_service.dates import Jour
from projections import bilans_attendus as projection_bilans

router = APIRouter(tags=["Bilans"])


class FiltresBilansAttendus(Filtres):
    """Bilans that have not come."""

    le: Jour = Field(
        default_factory=today,
        description="Jour auquel dire ce qui est attendu ou en retard ; aujourd’hui à défaut.",
    )
    etat: projection_bilans.EtatAttendu | None = None
    plie: Mot | None = None


@router.get("/bilans/attendus", responses=refus(422))
def lister_bilans_attendus(
    filtres: Annotated[FiltresBilansAttendus, Query()], lecture: Lecture
) -> BilansAttendusOut:
    """Lister les bilans attendus, en retard ou réclamés, par date limite.

    Seuls comptent les faits dont la date d’effet ne dépasse pas `le` : un bilan déposé ensuite est
    encore attendu ce jour-là.
    """
    page = projection_bilans.bilans_attendus(lecture.conn, lecture.perimetre, **filtres.arguments())
    return BilansAttendusOut.model_validate(
        {"lignes": page.lignes, "suivant": page.suivant, "le": filtres.le}
    )
