"""The door for people: HTML pages that work without JavaScript."""

from fastapi import APIRouter

from api.pages.dossier import router as dossier_router
from api.pages.gabarits import STATIC, templates
from api.pages.maquette import router as maquette_router

router = APIRouter(include_in_schema=False)
router.include_router(maquette_router)
router.include_router(dossier_router)

__all__ = ["STATIC", "router", "templates"]
