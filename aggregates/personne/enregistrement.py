"""A person is recorded, rectified, and tied to the operations that their data document.

A command carries what is known of them in clear, and a fact carries it ciphered: what ciphers, the
vault, is not the business of a decision.
"""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from aggregates.cadre import Cadre
from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import Commande, CommandeMotivee, Saisie, Texte
from aggregates.personne.events import (
    NATURES,
    PersonneEnregistree,
    PersonneRattachee,
    PersonneRectifiee,
)
from aggregates.personne.state import Personne
from oi_service.errors import Conflict, RuleBroken
from oi_service.personnes.donnee import DonneeChiffree


class PersonneDejaEnregistree(Conflict):
    """Cette personne est déjà enregistrée : rectifiez-la si ses données ont changé."""


class PersonneEstEffacee(RuleBroken):
    """Les données de cette personne sont effacées depuis le {effacee_le} : elles ne se lisent, ne
    se rectifient et ne s’emploient plus. Si vous êtes de nouveau en relation avec elle,
    enregistrez-la de nouveau.
    """

    article = "Règlement (UE) 2016/679, art. 17"


class NatureDifferente(RuleBroken):
    """Cette personne est enregistrée comme {enregistree} : elle ne se rectifie pas en {demandee}.
    Enregistrez-la à l’autre titre.
    """


class PersonneNonContact(RuleBroken):
    """Cette personne est enregistrée comme {nature} : seul un contact de bénéficiaire se désigne
    comme contact d’une opération.
    """


class PersonneNonSalariee(RuleBroken):
    """Cette personne est enregistrée comme {nature} : une dépense ne désigne qu’un salarié."""


_Court = Annotated[Texte, Field(max_length=200)]
_Courriel = Annotated[str, StringConstraints(pattern=r"^[^\s@]{1,64}@[^\s@]{1,190}$")]
_Telephone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 .()-]{5,28}$")]


class Identite(Saisie):
    """What is known of a person; whatever shows a command in a trace shows nothing of it."""

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Show no field."""
        return ()

    def clair(self) -> bytes:
        """Return what is ciphered."""
        return self.model_dump_json(exclude={"nature"}, exclude_none=True).encode()


class ContactSaisi(Identite):
    """Somebody to write to at a beneficiary's."""

    nature: Literal["contact_beneficiaire"]
    nom: _Court
    fonction: _Court | None = None
    courriel: _Courriel | None = None
    telephone: _Telephone | None = None


class SalarieSaisi(Identite):
    """An employee whose time an operation pays; ``reference`` is the employer's own."""

    nature: Literal["salarie"]
    nom: _Court
    reference: _Court


IdentiteSaisie = Annotated[ContactSaisi | SalarieSaisi, Field(discriminator="nature")]


class EnregistrerPersonne(Commande):
    """Record a person, on behalf of the OI of a grant."""

    subvention_globale_id: UUID
    identite: IdentiteSaisie


class RectifierPersonne(CommandeMotivee):
    """Replace what is known of a person."""

    identite: IdentiteSaisie


def exiger_nouvelle(personne: Personne | None) -> None:
    """Refuse to record somebody twice, and to give a key again to somebody who was erased."""
    if personne is not None:
        exiger_non_effacee(personne)
        raise PersonneDejaEnregistree


def exiger_non_effacee(personne: Personne) -> None:
    """Refuse to do anything more with somebody who was erased."""
    if personne.effacee_le is not None:
        raise PersonneEstEffacee(effacee_le=personne.effacee_le)


def enregistrer(
    personne: Personne | None,
    commande: EnregistrerPersonne,
    identite: DonneeChiffree,
    cadre: Cadre,
) -> list[PersonneEnregistree]:
    """Record a person."""
    exiger_nouvelle(personne)
    return [
        PersonneEnregistree(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            cadre=cadre,
            nature=commande.identite.nature,
            identite=identite,
        )
    ]


def rectifier(
    personne: Personne, commande: RectifierPersonne, identite: DonneeChiffree
) -> list[PersonneRectifiee]:
    """Rectify what is known of a person. Source: règlement (UE) 2016/679, art. 16."""
    exiger_non_effacee(personne)
    if commande.identite.nature != personne.nature:
        raise NatureDifferente(
            enregistree=NATURES[personne.nature], demandee=NATURES[commande.identite.nature]
        )
    exiger_pas_avant(
        commande.date_effet,
        "Rectifier cette personne",
        personne.connue_le,
        "ce qui est connu d’elle a été enregistré",
    )
    return [
        PersonneRectifiee(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            identite=identite,
        )
    ]


def exiger_contact(personne: Personne) -> None:
    """Refuse, as the contact of an operation, somebody else than the contact of a beneficiary."""
    exiger_non_effacee(personne)
    if personne.nature != "contact_beneficiaire":
        raise PersonneNonContact(nature=NATURES[personne.nature])


def exiger_salarie(personne: Personne) -> None:
    """Refuse that a dépense names somebody else than an employee."""
    exiger_non_effacee(personne)
    if personne.nature != "salarie":
        raise PersonneNonSalariee(nature=NATURES[personne.nature])


def rattacher(personne: Personne, operation_id: UUID, date_effet: date) -> list[PersonneRattachee]:
    """Note once that an operation is documented by the data of a person."""
    if operation_id in personne.operations:
        return []
    return [PersonneRattachee(date_effet=date_effet, operation_id=operation_id)]
