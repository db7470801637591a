"""Subventions globales: the convention with the State, and the sharing of its money."""

from uuid import UUID

from fastapi import APIRouter

from aggregates.appel_a_projets.publication import PublierAppelAProjets
from aggregates.contrepartie.affectation import AttribuerContrepartie
from aggregates.subvention_globale import conventionnement, maquette
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE
from api import actions
from api.deps import ActeOut, Creation, Ecriture
from api.v1.actes import RACINE, commande, cree

router = APIRouter(prefix="/subventions-globales", tags=["Subventions globales"])


@cree(router, "")
def conventionner_subvention_globale(
    acte: conventionnement.ConventionnerSubventionGlobale, ecriture: Creation
) -> ActeOut:
    """Enregistrer une convention de subvention globale.

    Point de départ de tout : sans elle, rien ne peut être alloué ni programmé.
    """
    new = ecriture.new_id("subvention_globale")
    return ecriture.run(
        actions.conventionner_subvention_globale,
        new,
        acte,
        location=f"{RACINE}/subventions-globales/{new}",
    )


@commande(router, "/{subvention_globale_id}/avenants")
def signer_avenant_subvention_globale(
    subvention_globale_id: UUID,
    acte: conventionnement.SignerAvenantSubventionGlobale,
    ecriture: Ecriture,
) -> ActeOut:
    """Enregistrer un avenant à la subvention globale."""
    return ecriture.decide(
        SUBVENTION_GLOBALE, subvention_globale_id, conventionnement.signer_avenant, acte
    )


@commande(router, "/{subvention_globale_id}/tranches")
def ouvrir_tranche(
    subvention_globale_id: UUID, acte: maquette.OuvrirTranche, ecriture: Ecriture
) -> ActeOut:
    """Ouvrir les lignes d’une tranche annuelle."""
    return ecriture.decide(SUBVENTION_GLOBALE, subvention_globale_id, maquette.ouvrir_tranche, acte)


@commande(router, "/{subvention_globale_id}/enveloppes")
def notifier_enveloppe(
    subvention_globale_id: UUID, acte: maquette.NotifierEnveloppePlie, ecriture: Ecriture
) -> ActeOut:
    """Notifier son enveloppe à un PLIE ; une seconde notification s’ajoute à la première."""
    return ecriture.decide(
        SUBVENTION_GLOBALE, subvention_globale_id, maquette.notifier_enveloppe, acte
    )


@commande(router, "/{subvention_globale_id}/reserves")
def constituer_reserve(
    subvention_globale_id: UUID, acte: maquette.ConstituerReserve, ecriture: Ecriture
) -> ActeOut:
    """Mettre une part d’une ligne en réserve."""
    return ecriture.decide(
        SUBVENTION_GLOBALE, subvention_globale_id, maquette.constituer_reserve, acte
    )


@commande(router, "/{subvention_globale_id}/transferts")
def decider_transfert(
    subvention_globale_id: UUID, acte: maquette.DeciderTransfert, ecriture: Ecriture
) -> ActeOut:
    """Transférer du FSE d’une enveloppe à une autre de la même ligne, ou depuis la réserve."""
    return ecriture.decide(SUBVENTION_GLOBALE, subvention_globale_id, maquette.transferer, acte)


@cree(router, "/{subvention_globale_id}/appels-a-projets")
def publier_appel_a_projets(
    subvention_globale_id: UUID, acte: PublierAppelAProjets, ecriture: Creation
) -> ActeOut:
    """Publier un appel à projets et ses fiches opération."""
    new = ecriture.new_id("appel_a_projets")
    return ecriture.run(
        actions.publier_appel,
        new,
        acte,
        subvention_globale_id,
        location=f"{RACINE}/appels-a-projets/{new}",
    )


@cree(router, "/{subvention_globale_id}/contreparties")
def attribuer_contrepartie(
    subvention_globale_id: UUID, acte: AttribuerContrepartie, ecriture: Creation
) -> ActeOut:
    """Enregistrer une contrepartie attribuée par un financeur."""
    new = ecriture.new_id("contrepartie")
    return ecriture.run(
        actions.attribuer_contrepartie,
        new,
        acte,
        subvention_globale_id,
        location=f"{RACINE}/contreparties/{new}",
    )
