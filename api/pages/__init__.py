"""The door for people: HTML pages that work without JavaScript."""

from fastapi import APIRouter

from api.pages.actes import router as actes_router
from api.pages.administration import router as administration_router
from api.pages.aide import router as aide_router
from api.pages.audit import router as audit_router
from api.pages.badges import router as badges_router
from api.pages.comite import router as comite_router
from api.pages.compte import router as compte_router
from api.pages.connexion import router as connexion_router
from api.pages.contreparties import router as contreparties_router
from api.pages.controles_operation import router as controles_operation_router
from api.pages.csf import router as csf_router
from api.pages.csf_page import router as csf_page_router
from api.pages.depense import router as depense_router
from api.pages.depenses import router as depenses_router
from api.pages.dossier import router as dossier_router
from api.pages.dossiers_audit import router as dossiers_audit_router
from api.pages.gabarits import STATIC, templates
from api.pages.imports import router as imports_router
from api.pages.journal import router as journal_router
from api.pages.lots import router as lots_router
from api.pages.maquette import router as maquette_router
from api.pages.maquette_a_faire import router as maquette_a_faire_router
from api.pages.oidc import router as oidc_router
from api.pages.operations import router as operations_router
from api.pages.paiements import router as paiements_router
from api.pages.pieces_vues import router as pieces_vues_router
from api.pages.plie import router as plie_router
from api.pages.presence import accueil_de
from api.pages.preuves import router as preuves_router
from api.pages.provenance import router as provenance_router
from api.pages.recherche import router as recherche_router
from api.pages.refus import installer
from api.pages.reversements import router as reversements_router
from api.pages.saisie_depenses import router as saisie_depenses_router
from api.pages.transfert import router as transfert_router
from api.pages.travaux import router as travaux_router

router = APIRouter(include_in_schema=False)
router.include_router(maquette_router)
router.include_router(maquette_a_faire_router)
router.include_router(transfert_router)
router.include_router(plie_router)
router.include_router(operations_router)
router.include_router(comite_router)
router.include_router(contreparties_router)
router.include_router(dossier_router)
router.include_router(paiements_router)
router.include_router(reversements_router)
router.include_router(provenance_router)
router.include_router(recherche_router)
router.include_router(aide_router)
router.include_router(depenses_router)
router.include_router(depense_router)
router.include_router(saisie_depenses_router)
router.include_router(pieces_vues_router)
router.include_router(csf_router)
router.include_router(csf_page_router)
router.include_router(imports_router)
router.include_router(lots_router)
router.include_router(actes_router)
router.include_router(badges_router)
router.include_router(connexion_router)
router.include_router(oidc_router)
router.include_router(compte_router)
router.include_router(administration_router)
router.include_router(audit_router)
router.include_router(journal_router)
router.include_router(preuves_router)
router.include_router(controles_operation_router)
router.include_router(dossiers_audit_router)
router.include_router(travaux_router)

__all__ = ["STATIC", "accueil_de", "installer", "router", "templates"]
