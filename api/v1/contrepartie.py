"""Contreparties: what funders paid, and what it backs."""

from uuid import UUID

from fastapi import APIRouter

from aggregates.contrepartie import affectation, annulation, repartition
from aggregates.contrepartie.state import CONTREPARTIE
from api import actions
from api.deps import ActeOut, Ecriture
from api.v1.actes import commande

router = APIRouter(prefix="/contreparties", tags=["Contreparties"])


@commande(router, "/{contrepartie_id}/perceptions")
def percevoir_contrepartie(
    contrepartie_id: UUID, acte: affectation.PercevoirContrepartie, ecriture: Ecriture
) -> ActeOut:
    """Enregistrer ce que le financeur a versé."""
    return ecriture.decide(CONTREPARTIE, contrepartie_id, affectation.percevoir, acte)


@commande(router, "/{contrepartie_id}/perceptions/annulation")
def annuler_perception(
    contrepartie_id: UUID, acte: annulation.AnnulerPerception, ecriture: Ecriture
) -> ActeOut:
    """Annuler une perception enregistrée par erreur."""
    return ecriture.decide(CONTREPARTIE, contrepartie_id, annulation.annuler_perception, acte)


@commande(router, "/{contrepartie_id}/annulation")
def annuler_attribution(
    contrepartie_id: UUID, acte: annulation.AnnulerAttribution, ecriture: Ecriture
) -> ActeOut:
    """Annuler une attribution enregistrée par erreur, dont rien n’est perçu ni affecté."""
    return ecriture.decide(CONTREPARTIE, contrepartie_id, annulation.annuler_attribution, acte)


@commande(router, "/{contrepartie_id}/affectations")
def affecter_contrepartie(
    contrepartie_id: UUID, acte: affectation.AffecterContrepartie, ecriture: Ecriture
) -> ActeOut:
    """Affecter une part de la contrepartie à une opération."""
    return ecriture.run(actions.affecter_contrepartie, contrepartie_id, acte)


@commande(router, "/{contrepartie_id}/annulations")
def annuler_affectation(
    contrepartie_id: UUID, acte: affectation.AnnulerAffectation, ecriture: Ecriture
) -> ActeOut:
    """Annuler tout ou partie d’une affectation."""
    return ecriture.decide(CONTREPARTIE, contrepartie_id, affectation.annuler_affectation, acte)


@commande(router, "/{contrepartie_id}/repartition")
def repartir_contrepartie(
    contrepartie_id: UUID, acte: repartition.RepartirContrepartie, ecriture: Ecriture
) -> ActeOut:
    """Répartir la contrepartie entre des opérations, au prorata de leurs besoins.

    Chaque opération reçoit sa part au centime près, aux plus forts restes : jamais plus que son
    besoin, ni toutes ensemble plus que ce qui est perçu ou attesté. Le contrôle de service fait de
    leur bilan final est validé. Les opérations qui ne sont pas nommées gardent ce qu’elles ont.
    """
    return ecriture.run(actions.repartir_contrepartie, contrepartie_id, acte)
