"""What waits for whoever reads, beside the pages of the menu where it waits.

Asked once a page is shown, so that no page waits for it; without scripts, each page says it itself.
"""

from collections.abc import Iterator

from fastapi import APIRouter, Request
from pydantic import BaseModel

from api.deps import Lecture, LectureOuverte
from api.droits import COMPTABLE, ORDONNATEUR
from api.pages.csf import QuiLit, qui_lit_la_liste
from oi_service.clock import today
from projections.csf import bilans_en_controle
from projections.paiements import a_preparer, nombres_par_statut

router = APIRouter()


class Attend(BaseModel):
    """How many things wait, on a page of the menu."""

    page: str
    nombre: int
    phrase: str


@router.get("/ce-qui-attend", name="ce_qui_attend")
def ce_qui_attend(request: Request, lecture: Lecture) -> list[Attend]:
    """Compter ce qui attend la personne connectée, par page du menu."""
    qui = qui_lit_la_liste(request)
    trouves = (_controles(lecture, qui), _paiements(lecture, qui))
    return [attend for attend in trouves if attend.nombre]


def _controles(lecture: LectureOuverte, qui: QuiLit) -> Attend:
    bilans = bilans_en_controle(lecture.conn, lecture.perimetre, today())
    nombre = sum(qui.attend(bilan) for bilan in bilans)
    return _attend("page_controles", nombre, "contrôle attend", "contrôles attendent")


def _paiements(lecture: LectureOuverte, qui: QuiLit) -> Attend:
    nombre = sum(_par_role(lecture, qui))
    return _attend("page_paiements", nombre, "paiement attend", "paiements attendent")


def _par_role(lecture: LectureOuverte, qui: QuiLit) -> Iterator[int]:
    """Yield what waits for each role: to prepare and to send, or to order."""
    if not qui.roles & {COMPTABLE, ORDONNATEUR}:
        return
    statuts = nombres_par_statut(lecture.conn, lecture.perimetre)
    if ORDONNATEUR in qui.roles and "prepare" in statuts:
        yield statuts["prepare"].nombre
    if COMPTABLE in qui.roles:
        yield len(a_preparer(lecture.conn, lecture.perimetre))
        if "ordonnance" in statuts:
            yield statuts["ordonnance"].nombre


def _attend(page: str, nombre: int, un: str, plusieurs: str) -> Attend:
    return Attend(page=page, nombre=nombre, phrase=f"{plusieurs if nombre > 1 else un} votre acte")
