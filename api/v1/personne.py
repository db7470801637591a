"""Persons: recorded, rectified, erased, shown to those who may see them."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from aggregates.operation import contacts
from aggregates.operation.state import OPERATION
from aggregates.personne import effacement, enregistrement
from aggregates.personne.enregistrement import exiger_non_effacee
from aggregates.personne.events import Demandeur, Nature
from aggregates.personne.state import PERSONNE, PersonneAbsente
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE
from api import actions
from api.deps import ActeOut, Creation, Ecriture, EcritureOuverte, Lecture, ServiceOuvert, personne
from api.droits import Role
from api.errors import refus
from api.porte import Personne
from api.v1.actes import RACINE, commande, cree
from api.v1.representations import Representation
from oi_service.personnes.coffre import CleAbsente, Coffre
from projections import personnes as projection
from projections.personnes import Acces

router = APIRouter(tags=["Personnes"])

#: Who sees persons in clear: those who write to them, control or audit what they did.
LECTEURS: frozenset[Role] = frozenset(
    ("gestionnaire_oi", "comptable_oi", "valideur_oi", "ordonnateur_oi", "auditeur")
)


# --- What is shown -------------------------------------------------------------------------------


class IdentiteOut(Representation):
    """Ce qui est connu d’une personne."""

    nom: str
    fonction: str | None
    courriel: str | None
    telephone: str | None
    reference: str | None = Field(description="Chez son employeur, pour un salarié.")


class EffacementOut(Representation):
    """Quand et pourquoi une personne a été effacée."""

    le: date
    demandeur: Demandeur
    motif: str | None
    malgre_conservation: bool = Field(description="Avant la fin de la conservation d’un dossier.")


class PersonneOut(Representation):
    """Une personne. Son identité n’est écrite nulle part en clair."""

    id: UUID
    version: int = Field(description="À rappeler dans `If-Match`.")
    nature: Nature
    enregistree_le: date
    operations: list[UUID] = Field(description="Opérations que ses données documentent.")
    effacement: EffacementOut | None
    acces: Acces = Field(
        description="Pourquoi l’identité est montrée (`clair`) ou non : `reserve` à d’autres "
        "rôles, `effacee`, `illisible` quand sa clé manque ou ne l’ouvre pas."
    )
    identite: IdentiteOut | None


class PersonneDeLOperationOut(Representation):
    """Une personne dont les données documentent une opération."""

    personne: PersonneOut
    contact: bool = Field(description="Contact aujourd’hui.")


def coffre_du_lecteur(
    service: ServiceOuvert, qui: Annotated[Personne, Depends(personne)]
) -> Coffre | None:
    """Lend the vault to those who may see persons."""
    return service.coffre if qui.role in LECTEURS else None


CoffreDuLecteur = Annotated[Coffre | None, Depends(coffre_du_lecteur)]


@router.get(
    "/personnes/{personne_id}",
    responses={
        200: {"headers": {"ETag": {"$ref": "#/components/headers/ETag"}}},
        **refus(404, 422),
    },
)
def lire_personne(
    personne_id: UUID, lecture: Lecture, coffre: CoffreDuLecteur, response: Response
) -> PersonneOut:
    """Lire une personne.

    Effacée, elle est montrée sans identité, avec le jour et le motif : les dossiers qui la
    désignent s’expliquent encore.
    """
    found = projection.personne(lecture.conn, lecture.perimetre, personne_id, coffre)
    response.headers["ETag"] = f'"{found.version}"'
    return PersonneOut.model_validate(found)


@router.get("/operations/{operation_id}/personnes", responses=refus(404, 422))
def lister_personnes_de_l_operation(
    operation_id: UUID, lecture: Lecture, coffre: CoffreDuLecteur
) -> list[PersonneDeLOperationOut]:
    """Lister les contacts d’une opération, passés compris, et les salariés de ses dépenses."""
    found = projection.personnes_de_l_operation(
        lecture.conn, lecture.perimetre, operation_id, coffre
    )
    return [PersonneDeLOperationOut.model_validate(p) for p in found]


# --- What is recorded ----------------------------------------------------------------------------


def _secret(ecriture: EcritureOuverte, personne_id: UUID, *, nouvelle: bool = False) -> bytes:
    """Return what keys the digest of a demand about a person; a new one gets a key for it.

    Somebody erased has none any more: the same demand sent again cannot be told from another, and
    is refused.
    """
    if not ecriture.coffre.contient(personne_id):
        connue = ecriture.etat(PERSONNE, personne_id)
        if connue is not None:
            exiger_non_effacee(connue)
            raise CleAbsente(personne=personne_id)
        if not nouvelle:
            raise PersonneAbsente(id=personne_id)
        return ecriture.coffre.secret_neuf(personne_id)
    return ecriture.coffre.secret(personne_id)


@cree(router, "/personnes")
def enregistrer_personne(acte: enregistrement.EnregistrerPersonne, ecriture: Creation) -> ActeOut:
    """Enregistrer une personne : contact d’un bénéficiaire, ou salarié payé par une opération.

    Son identité entre dans le journal chiffrée, sous une clé qui n’est qu’à elle et n’y est pas.
    """
    # A demand that will be refused must not leave a key that opens nothing.
    if ecriture.etat(SUBVENTION_GLOBALE, acte.subvention_globale_id) is None:
        raise SUBVENTION_GLOBALE.absent(id=acte.subvention_globale_id)
    new = ecriture.new_id("personne")
    return ecriture.run(
        actions.enregistrer_personne,
        new,
        acte,
        location=f"{RACINE}/personnes/{new}",
        secret=_secret(ecriture, new, nouvelle=True),
    )


@commande(router, "/personnes/{personne_id}/rectifications")
def rectifier_personne(
    personne_id: UUID, acte: enregistrement.RectifierPersonne, ecriture: Ecriture
) -> ActeOut:
    """Rectifier ce qui est connu d’une personne ; seul le dernier état est montré."""
    secret = _secret(ecriture, personne_id)
    return ecriture.run(actions.rectifier_personne, personne_id, acte, secret=secret)


@commande(router, "/personnes/{personne_id}/effacements")
def effacer_personne(
    personne_id: UUID, acte: effacement.EffacerPersonne, ecriture: Ecriture
) -> ActeOut:
    """Effacer une personne : sa clé est détruite, plus rien de ce qui fut écrit d’elle ne se lit.

    Refusé tant qu’un dossier que ses données documentent doit être conservé, ou que le terme n’en
    est pas fixé, sauf motif du délégué à la protection des données. Les montants ne changent pas.
    """
    fait = ecriture.run(actions.effacer_personne, personne_id, acte)
    # Now that the decision is on disk. Cut here, the next start of the service does it.
    ecriture.coffre.detruire(personne_id)
    return fait


@commande(router, "/operations/{operation_id}/contacts")
def designer_contact(
    operation_id: UUID, acte: contacts.DesignerContact, ecriture: Ecriture
) -> ActeOut:
    """Désigner un contact du bénéficiaire, par son identifiant."""
    return ecriture.run(actions.designer_contact, operation_id, acte)


@commande(router, "/operations/{operation_id}/contacts/retraits")
def retirer_contact(
    operation_id: UUID, acte: contacts.RetirerContact, ecriture: Ecriture
) -> ActeOut:
    """Retirer un contact ; la personne reste liée à ce qu’elle a documenté."""
    return ecriture.decide(OPERATION, operation_id, contacts.retirer, acte)
