"""Acts on accounts, with what they must look at elsewhere: the PLIE, the other administrators."""

from uuid import UUID

from aggregates.commande import Commande
from aggregates.compte import ouverture, roles
from aggregates.compte.state import COMPTE, Compte
from oi_service import clock
from oi_service.application import Unit
from projections import comptes


def ouvrir(unit: Unit, flux: UUID, commande: Commande, identifiant: str) -> None:
    """Open an account under an identifier that was drawn."""
    demande = ouverture.OuvrirCompte(
        date_effet=commande.date_effet, pieces=commande.pieces, identifiant=identifiant
    )
    unit.create(COMPTE, flux, ouverture.ouvrir, demande)


def attribuer_role(unit: Unit, flux: UUID, commande: roles.AttribuerRole) -> None:
    """Give a role."""
    unit.execute(
        COMPTE,
        flux,
        roles.attribuer,
        commande,
        unit.new_id("attribution"),
        unit.acte.acteur,
        _plies(unit),
    )


def retirer_role(unit: Unit, flux: UUID, commande: roles.RetirerRole, attribution_id: UUID) -> None:
    """Take a role back."""
    unit.execute(
        COMPTE,
        flux,
        roles.retirer,
        commande,
        attribution_id,
        unit.acte.acteur,
        dernier_administrateur=_dernier_administrateur(unit, flux),
    )


def noter_mise_a_disposition(unit: Unit, flux: UUID, commande: roles.NoterMiseADisposition) -> None:
    """Note that a PLIE employs the person."""
    unit.execute(
        COMPTE,
        flux,
        roles.noter_mise_a_disposition,
        commande,
        unit.new_id("mise_a_disposition"),
        unit.acte.acteur,
        _plies(unit),
    )


def lever_mise_a_disposition(
    unit: Unit, flux: UUID, commande: roles.LeverMiseADisposition, mise_id: UUID
) -> None:
    """Note that a PLIE does not employ the person any more."""
    unit.execute(COMPTE, flux, roles.lever_mise_a_disposition, commande, mise_id, unit.acte.acteur)


def suspendre(unit: Unit, flux: UUID, commande: ouverture.ChangerEtatCompte) -> None:
    """Suspend an account."""
    unit.execute(
        COMPTE,
        flux,
        ouverture.suspendre,
        commande,
        unit.acte.acteur,
        dernier_administrateur=_dernier_administrateur(unit, flux),
    )


def retablir(unit: Unit, flux: UUID, commande: ouverture.ChangerEtatCompte) -> None:
    """Take an account back."""
    unit.execute(COMPTE, flux, ouverture.retablir, commande, unit.acte.acteur)


def fermer(unit: Unit, flux: UUID, commande: ouverture.ChangerEtatCompte) -> None:
    """Close an account for good."""
    unit.execute(
        COMPTE,
        flux,
        ouverture.fermer,
        commande,
        unit.acte.acteur,
        dernier_administrateur=_dernier_administrateur(unit, flux),
    )


def _plies(unit: Unit) -> frozenset[str]:
    with unit.lecture() as conn:
        return frozenset(plie.plie_id for plie in comptes.plies_connus(conn))


def _dernier_administrateur(unit: Unit, flux: UUID) -> bool:
    """Tell whether an account is the only one that administers.

    The projection says where to look, the streams say what is. They are pinned: of two
    administrators who remove each other at once, the second one decides again, and is refused.
    """
    if not _administre(unit.find(COMPTE, flux)):
        return False
    with unit.lecture() as conn:
        tenus = comptes.administrateurs(conn)
    autres = unit.find_all(COMPTE, [autre for autre in tenus if autre != flux])
    return not any(_administre(autre) for autre in autres)


def _administre(compte: Compte | None) -> bool:
    jour = clock.today()
    return (
        compte is not None
        and compte.statut == "ouvert"
        and any(
            tenu.role == "administrateur"
            and tenu.du <= jour
            and (tenu.au is None or jour <= tenu.au)
            for tenu in compte.roles.values()
        )
    )
