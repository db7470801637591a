"""The JSON door."""

from fastapi import APIRouter

from api.v1 import (
    acces,
    ancrage,
    appel_a_projets,
    archives,
    audit,
    bilan,
    bilans_attendus,
    calculs,
    comptes,
    constats,
    contrepartie,
    contributions,
    controle_operation,
    convention,
    depense,
    essais,
    explication,
    horloges,
    lectures,
    operation,
    paiement,
    parametres,
    personne,
    pieces,
    pilotage,
    provenance,
    reprise,
    subvention_globale,
    travaux,
    trop_percus,
)
from api.v1.actes import RACINE

router = APIRouter(prefix=RACINE)
for chapter in (
    subvention_globale,
    pilotage,
    appel_a_projets,
    operation,
    personne,
    convention,
    depense,
    constats,
    bilan,
    bilans_attendus,
    paiement,
    horloges,
    trop_percus,
    contrepartie,
    pieces,
    controle_operation,
    reprise,
    audit,
    calculs,
    essais,
    explication,
    provenance,
    parametres,
    contributions,
    lectures,
    archives,
    travaux,
    ancrage,
    comptes,
    acces,
):
    router.include_router(chapter.router)

__all__ = ["router"]
