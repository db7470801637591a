"""Documents sent with a form: deposited in the store, then named by the act.

A page that takes documents reads its form by `formulaire_avec_pieces`, and not by parameters of its
route: the frame would read a body before anybody looked at who sends it.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from api.pages.formulaires import Formulaire
from oi_service.application import Service
from oi_service.pieces import MORCEAU, nom_lisible

#: Documents of one form, and fields: those of a grid of fifty lines.
FICHIERS_MAX = 20
_CHAMPS_MAX = 1000
#: Bytes of a field that is no file.
_CHAMP_MAX = 2**16


class FormulaireAvecPieces(Formulaire):
    """The fields and the files that a browser sent."""

    def fichiers(self, nom: str) -> Sequence[UploadFile]:
        """Return the files of a field; a browser sends one without a name when none is chosen."""
        return [
            recu
            for recu in self._recus.getlist(nom)
            if isinstance(recu, UploadFile) and recu.filename
        ]


async def formulaire_avec_pieces(request: Request) -> AsyncIterator[FormulaireAvecPieces]:
    """Read a form with files; who may send it was asked before."""
    async with request.form(
        max_files=FICHIERS_MAX, max_fields=_CHAMPS_MAX, max_part_size=_CHAMP_MAX
    ) as recus:
        yield FormulaireAvecPieces(recus)


FormulaireAvecPiecesRecu = Annotated[FormulaireAvecPieces, Depends(formulaire_avec_pieces)]


async def deposer_jointes(
    service: Service, fichiers: Sequence[UploadFile], type_: str = "justificatif"
) -> list[dict[str, str]]:
    """Put files in the store, and return them as the ``pieces`` of a command.

    One that is refused leaves those before it in the store, where nothing names them: they are no
    evidence, and the same file sent again is kept once.

    Raises: PieceIrrecevable, PieceTropLourde, PieceAlteree, DepotImpossible.
    """
    return [await _deposer(service, fichier, type_) for fichier in fichiers]


async def _deposer(service: Service, fichier: UploadFile, type_: str) -> dict[str, str]:
    nom = fichier.filename or ""
    with ExitStack() as stack:
        # The disk may be slow: whoever waits for it is a thread, never the loop of every request.
        ouvrir = service.pieces.depot(nom, fichier.content_type)
        depot = await run_in_threadpool(stack.enter_context, ouvrir)
        while morceau := await fichier.read(MORCEAU):
            await run_in_threadpool(depot.ecrire, morceau)
        deposee = await run_in_threadpool(depot.finir)
    # Some browsers send the whole path.
    libelle = nom_lisible(nom.replace("\\", "/").rpartition("/")[2])
    return {"sha256": deposee.sha256, "libelle": libelle, "type": type_}
