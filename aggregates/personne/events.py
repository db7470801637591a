"""Facts of a person: what is known of them is ciphered under a key that the log does not hold."""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from aggregates.cadre import Cadre
from oi_service.codec import Evenement, event
from oi_service.personnes.donnee import DonneeChiffree

#: Why the service knows a person.
Nature = Literal["contact_beneficiaire", "salarie"]
#: On whose demand a person is erased.
Demandeur = Literal["personne_concernee", "responsable_de_traitement", "autorite_de_controle"]

#: How each nature is said.
NATURES: Mapping[str, str] = {
    "contact_beneficiaire": "contact d’un bénéficiaire",
    "salarie": "salarié d’une opération",
}

#: A ciphered datum is bound to the stored name of its fact, and to its field.
ENREGISTREE = "personne.enregistree.v1"
RECTIFIEE = "personne.rectifiee.v1"
IDENTITE = "identite"


@event(ENREGISTREE)
class PersonneEnregistree(Evenement, frozen=True, kw_only=True):
    cadre: Cadre
    nature: Nature
    identite: DonneeChiffree


@event(RECTIFIEE)
class PersonneRectifiee(Evenement, frozen=True, kw_only=True):
    identite: DonneeChiffree


@event("personne.rattachee.v1")
class PersonneRattachee(Evenement, frozen=True, kw_only=True):
    operation_id: UUID


@event("personne.effacee.v1")
class PersonneEffacee(Evenement, frozen=True, kw_only=True):
    demandeur: Demandeur
    malgre_conservation: bool


Fait = PersonneEnregistree | PersonneRectifiee | PersonneRattachee | PersonneEffacee
