"""Acts done from the pages: a form for every command of the JSON door, the same route behind."""

from api.pages.actes.execution import jouer
from api.pages.actes.page import router, vers_la_suite
from api.pages.liens_actes import lien_acte, permis

__all__ = ["jouer", "lien_acte", "permis", "router", "vers_la_suite"]
