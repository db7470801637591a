"""A keeper of the door for tests that are not about it: it believes what a request says of itself.

Without the headers ``OI-Acteur`` and ``OI-Role``, the request comes from somebody who holds every
role, named after the first one that its route admits: ``comptable-1`` for what a comptable does.
"""

from starlette.requests import Request

from api.droits import ROLES, Regle
from oi_service.acces.identite import Attribution, Identite


class PortierDEssai:
    """Believes headers."""

    def identifier(self, request: Request, regle: Regle) -> Identite | None:
        """Return who the headers say."""
        dit = request.headers.get("OI-Role")
        role = dit or (regle.roles or ROLES)[0]
        acteur = request.headers.get("OI-Acteur") or f"{role.partition('_')[0]}-1"
        tenus = (role,) if dit else ROLES
        return Identite(
            identifiant=acteur,
            nom=acteur,
            attributions=tuple(Attribution(r) for r in tenus),
            renforcee=True,
        )
