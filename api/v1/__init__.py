"""The JSON door."""

from fastapi import APIRouter

from api.v1 import (
    appel_a_projets,
    bilan,
    bilans_attendus,
    calculs,
    constats,
    contrepartie,
    convention,
    depense,
    explication,
    horloges,
    lectures,
    operation,
    paiement,
    parametres,
    reprise,
    subvention_globale,
)
from api.v1.actes import RACINE

router = APIRouter(prefix=RACINE)
for chapter in (
    subvention_globale,
    appel_a_projets,
    operation,
    convention,
    depense,
    constats,
    bilan,
    bilans_attendus,
    paiement,
    horloges,
    contrepartie,
    reprise,
    calculs,
    explication,
    parametres,
    lectures,
):
    router.include_router(chapter.router)

__all__ = ["router"]
