"""A route a list: ``/exports/{nom}?format=…``, with the filters and the two dates of its page."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field, create_model
from starlette.responses import StreamingResponse

from api.deps import Lecture, situation_demandee
from api.exports.catalogue import FILTRES, LISTES, VALEURS
from api.exports.listes import Demande, Liste, releve
from api.gestion_comptes import EntreesOuvertes
from api.tableaux import Format, repondre
from projections.instantane import instantane

router = APIRouter(prefix="/exports", include_in_schema=False)


def _route(liste: Liste) -> Callable[..., StreamingResponse]:
    # The address of a page can be copied as it is: where its list stood in pages does not count.
    asked: Any = create_model(
        f"Export_{liste.nom}",
        __base__=liste.filtres,
        format=(Format, Field("xlsx", description="`xlsx`, `csv` ou `rfc4180`.")),
    )

    def exporter(
        filtres: Annotated[asked, Query()], lecture: Lecture, entrees: EntreesOuvertes
    ) -> StreamingResponse:
        dits = filtres.model_dump()
        situation = situation_demandee(lecture, dits.get("effet_au"), dits.get("connu_le"))
        demande = Demande(lecture, entrees, situation, filtres)
        nom = "-".join([liste.nom, *(dits[n] for n in _NOMMENT if dits.get(n))])
        # All that the file says is of one moment; it is whole before the connection goes back.
        with instantane(lecture.conn):
            dit = releve(demande, FILTRES, VALEURS)
            return repondre(liste.tableau(demande), dit, dits["format"], nom)

    exporter.__doc__ = f"Exporte la liste « {liste.titre} » entière, avec ses filtres et ses dates."
    return exporter


#: Filters that a file bears in its name.
_NOMMENT = ("plie", "operation", "dossier")


for _liste in LISTES:
    router.add_api_route(f"/{_liste.nom}", _route(_liste), name=f"exporter_liste_{_liste.nom}")
