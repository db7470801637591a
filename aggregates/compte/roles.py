"""What an account may act as, on which territory, between which days; and who employs the person.

Source: règlement (UE) n° 1303/2013, art. 72 b and 125 §7; règlement (UE) 2021/1060, art. 74 §3.
"""

from collections.abc import Set as AbstractSet
from datetime import date
from uuid import UUID

from aggregates.cadre import CODES_RESERVES
from aggregates.commande import Code, Commande, CommandeMotivee
from aggregates.compte.events import (
    MiseADispositionLevee,
    MiseADispositionNotee,
    RoleAttribuable,
    RoleAttribue,
    RoleRetire,
)
from aggregates.compte.ouverture import (
    CompteNonOuvert,
    exiger_autrui,
    exiger_non_ferme,
    exiger_remplacant,
)
from aggregates.compte.state import Compte
from oi_service.dates import Jour
from oi_service.errors import NotFound, RuleBroken

#: Roles that see the whole OI or none of it: no territory can be given to them.
_SANS_TERRITOIRE = frozenset({"auditeur", "administrateur"})


class TerritoireManquant(RuleBroken):
    """La direction d’un PLIE se donne pour un ou plusieurs PLIE : nommez-les."""


class TerritoireSansObjet(RuleBroken):
    """Ce rôle vaut pour l’OI entier : il ne se limite pas à des PLIE."""


class PlieDuCompteInconnu(NotFound):
    """Aucune subvention globale ne connaît le PLIE « {plie_id} »."""


class FinAvantDebut(RuleBroken):
    """La fin ({au}) précède le début ({du})."""


class AuditeurExclusif(RuleBroken):
    """Un auditeur lit tout et n’écrit rien : ce compte ne peut pas être à la fois auditeur et autre
    chose. Ouvrez un autre compte.
    """


class RoleDejaAttribue(RuleBroken):
    """Ce compte tient déjà ce rôle sur ce territoire et ces dates, depuis le {du}."""


class AttributionAbsente(NotFound):
    """Ce compte n’a pas d’attribution {id}, ou elle est déjà retirée."""


class MiseADispositionAbsente(NotFound):
    """Ce compte n’a pas de mise à disposition {id}, ou elle est déjà levée."""


class AttribuerRole(Commande):
    """Give a role, from a day to a day (both included; no end: until it is taken back)."""

    role: RoleAttribuable
    plies: tuple[Code, ...] = ()
    du: Jour
    au: Jour | None = None


def attribuer(
    compte: Compte, commande: AttribuerRole, attribution_id: UUID, par: str, plies: AbstractSet[str]
) -> list[RoleAttribue]:
    """Give a role; ``plies`` are the PLIE that exist."""
    exiger_autrui(compte, par)
    exiger_non_ferme(compte)
    if compte.statut != "ouvert":
        raise CompteNonOuvert(identifiant=compte.identifiant)
    if commande.role == "directeur_plie" and not commande.plies:
        raise TerritoireManquant
    if commande.role in _SANS_TERRITOIRE and commande.plies:
        raise TerritoireSansObjet
    for plie_id in commande.plies:
        exiger_plie(plie_id, plies)
    exiger_ordre(commande.du, commande.au)
    territoire = tuple(sorted(set(commande.plies)))
    for tenu in compte.roles.values():
        if (tenu.role == "auditeur") != (commande.role == "auditeur"):
            raise AuditeurExclusif
        meme = (tenu.role, tenu.plies, tenu.du, tenu.au)
        if meme == (commande.role, territoire, commande.du, commande.au):
            raise RoleDejaAttribue(du=tenu.du)
    return [
        RoleAttribue(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            attribution_id=attribution_id,
            role=commande.role,
            plies=territoire,
            du=commande.du,
            au=commande.au,
        )
    ]


def exiger_plie(plie_id: str, plies: AbstractSet[str]) -> None:
    """Refuse a PLIE that no grant knows."""
    if plie_id not in plies or plie_id in CODES_RESERVES:
        raise PlieDuCompteInconnu(plie_id=plie_id)


def exiger_ordre(du: date, au: date | None) -> None:
    """Refuse an end before the start."""
    if au is not None and au < du:
        raise FinAvantDebut(du=du, au=au)


class RetirerRole(CommandeMotivee):
    """Take a role back, at once."""


def retirer(
    compte: Compte,
    commande: RetirerRole,
    attribution_id: UUID,
    par: str,
    *,
    dernier_administrateur: bool,
) -> list[RoleRetire]:
    """Take back; what was done in that role stays done."""
    exiger_autrui(compte, par)
    tenu = compte.roles.get(attribution_id)
    if tenu is None:
        raise AttributionAbsente(id=attribution_id)
    exiger_remplacant(
        compte, dernier_administrateur=dernier_administrateur and tenu.role == "administrateur"
    )
    return [
        RoleRetire(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            attribution_id=attribution_id,
            role=tenu.role,
        )
    ]


class NoterMiseADisposition(Commande):
    """Note that a PLIE employs the person: they handle none of its operations meanwhile."""

    plie_id: Code
    du: Jour
    au: Jour | None = None


def noter_mise_a_disposition(
    compte: Compte,
    commande: NoterMiseADisposition,
    mise_id: UUID,
    par: str,
    plies: AbstractSet[str],
) -> list[MiseADispositionNotee]:
    """Note it."""
    exiger_autrui(compte, par)
    exiger_non_ferme(compte)
    exiger_plie(commande.plie_id, plies)
    exiger_ordre(commande.du, commande.au)
    return [
        MiseADispositionNotee(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            mise_id=mise_id,
            plie_id=commande.plie_id,
            du=commande.du,
            au=commande.au,
        )
    ]


class LeverMiseADisposition(CommandeMotivee):
    """Note that a PLIE does not employ the person any more."""


def lever_mise_a_disposition(
    compte: Compte, commande: LeverMiseADisposition, mise_id: UUID, par: str
) -> list[MiseADispositionLevee]:
    """Note it."""
    exiger_autrui(compte, par)
    mise = compte.mises.get(mise_id)
    if mise is None:
        raise MiseADispositionAbsente(id=mise_id)
    return [
        MiseADispositionLevee(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            mise_id=mise_id,
            plie_id=mise.plie_id,
        )
    ]
