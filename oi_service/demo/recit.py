"""A story is a list of dated acts; each act is one command under a key of its own.

The key is derived from the seed and the name of the act: told again, the same act is the same
command, so that an interrupted play goes on without doubling anything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from aggregates.commande import Commande
from aggregates.convention.state import CONVENTION, Convention
from aggregates.operation.state import OPERATION
from oi_service.aggregate import Aggregate
from oi_service.application import Unit
from oi_service.demo.distribution import Dossier
from oi_service.demo.documents import Document, documents_de
from oi_service.demo.generateur import Plan, hasard, inventer_plan
from oi_service.demo.pieces import Ligne
from oi_service.ids import convention_of
from oi_service.money import euros

_ESPACE = UUID("c0a8d1f4-5b1e-5c58-8a54-2d3b9e1f7a20")


class Qui(NamedTuple):
    """Who acts, in which role."""

    acteur: str
    role: str


VALIDEUR = Qui("valideur-1", "valideur_oi")
ORDONNATEUR = Qui("ordonnateur-1", "ordonnateur_oi")
COMPTABLE = Qui("comptable-1", "comptable_oi")


@dataclass(frozen=True, slots=True)
class Etape:
    """An act: when, under which name, by whom, the work of its command, the papers it names."""

    jour: date
    nom: str
    qui: Qui
    faire: Callable[[Unit], object]
    documents: tuple[Document, ...] = ()


def command_id(graine: int, nom: str) -> UUID:
    """Return the idempotency key of an act."""
    return uuid5(_ESPACE, f"{graine}/{nom}")


def identifiant(graine: int, nom: str) -> UUID:
    """Return the identifier of something that the story creates."""
    return uuid5(command_id(graine, nom), "id")


def ne_de(graine: int, nom: str, quoi: str) -> UUID:
    """Return the identifier that an act of another dossier gave to what it made."""
    return uuid5(command_id(graine, nom), quoi)


def jour_ouvre(jour: date) -> date:
    """Return that day, or the Monday that follows."""
    return jour + timedelta(days=max(0, 7 - jour.weekday()) if jour.weekday() > 4 else 0)


class Recit:
    """Acts told in order: time only goes forward."""

    def __init__(self, graine: int, racine: str, jour: date) -> None:
        """Begin a story, whose acts are named under ``racine``."""
        self.graine = graine
        self.racine = racine
        self.jour = jour
        self.etapes: list[Etape] = []

    def cle(self, nom: str) -> UUID:
        """Return the key of an act of this story."""
        return command_id(self.graine, f"{self.racine}/{nom}")

    def passe(self, jours: int) -> None:
        """Let days go by, until an open day."""
        self.jour = jour_ouvre(self.jour + timedelta(days=jours))

    def attend(self, jour: date) -> None:
        """Wait for a day, if it is still to come."""
        self.jour = jour_ouvre(max(self.jour, jour))

    def raconte(
        self,
        nom: str,
        qui: Qui,
        faire: Callable[[Unit, Any], object],
        modele: type[Commande],
        champs: dict[str, Any],
    ) -> None:
        """Add an act. A field may be a function of the unit: an amount read when the day comes."""
        jour = self.jour
        documents = documents_de(modele, f"{self.racine}/{nom}", jour)
        joints = {"pieces": [document.saisie() for document in documents]} if documents else {}

        def travail(unit: Unit) -> object:
            lus = {k: v(unit) if callable(v) else v for k, v in champs.items()}
            return faire(unit, modele(date_effet=jour, **joints, **lus))

        self.etapes.append(Etape(jour, f"{self.racine}/{nom}", qui, travail, documents))

    def decide(
        self,
        nom: str,
        qui: Qui,
        agregat: Aggregate[Any],
        stream_id: UUID,
        decision: Callable[..., list[Any]],
        modele: type[Commande],
        *contexte: object,
        **champs: Any,
    ) -> None:
        """Add a command on one stream."""

        def faire(unit: Unit, commande: Commande) -> object:
            return unit.execute(agregat, stream_id, decision, commande, *contexte)

        self.raconte(nom, qui, faire, modele, champs)

    def agit(
        self,
        nom: str,
        qui: Qui,
        action: Callable[..., object],
        stream_id: UUID,
        modele: type[Commande],
        *contexte: object,
        **champs: Any,
    ) -> None:
        """Add an action on several streams."""

        def faire(unit: Unit, commande: Commande) -> object:
            return action(unit, stream_id, commande, *contexte)

        self.raconte(nom, qui, faire, modele, champs)


@dataclass(frozen=True, slots=True)
class Lot:
    """The dépenses of one bilan, with their identifiers, and what others paid meanwhile.

    ``parcours``: units declared; ``livrables``: deliverables declared; ``recettes``: net revenue.
    """

    numero: int
    type: str
    periode: dict[str, str]
    lignes: list[Ligne]
    ids: list[UUID]
    ressources: dict[str, int]
    parcours: int
    livrables: tuple[str, ...]
    recettes: int

    def nom(self, acte: str) -> str:
        """Return the name of an act about this bilan."""
        return f"bilan-{self.numero}/{acte}"


class RecitDossier(Recit):
    """The story of one dossier."""

    def __init__(self, graine: int, dossier: Dossier) -> None:
        """Begin with what the dossier asks for, and what the instruction will keep of it."""
        super().__init__(graine, dossier.numero_mdfse, dossier.depot)
        self.dossier = dossier
        self.operation = identifiant(graine, dossier.numero_mdfse)
        self.demande, self.plan = plans(graine, dossier)
        self.gestionnaire = Qui(f"gestionnaire-{dossier.rang % 4 + 1}", "gestionnaire_oi")
        self.controleur = Qui(f"gestionnaire-{(dossier.rang + 1) % 4 + 1}", "gestionnaire_oi")

    def sur_operation(
        self,
        nom: str,
        qui: Qui,
        decision: Callable[..., list[Any]],
        modele: type[Commande],
        *contexte: object,
        **champs: Any,
    ) -> None:
        """Add a command on the operation alone."""
        self.decide(nom, qui, OPERATION, self.operation, decision, modele, *contexte, **champs)

    def sur_convention(
        self,
        nom: str,
        qui: Qui,
        decision: Callable[..., list[Any]],
        modele: type[Commande],
        *contexte: object,
        **champs: Any,
    ) -> None:
        """Add a command on the convention alone."""
        cible = convention_of(self.operation)
        self.decide(nom, qui, CONVENTION, cible, decision, modele, *contexte, **champs)

    def sur_dossier(
        self,
        nom: str,
        qui: Qui,
        action: Callable[..., object],
        modele: type[Commande],
        *contexte: object,
        **champs: Any,
    ) -> None:
        """Add an action on the operation and what moves with it."""
        self.agit(nom, qui, action, self.operation, modele, *contexte, **champs)

    def lu(self, montant: Callable[[Convention], int]) -> Callable[[Unit], str]:
        """Return an amount of the convention, to be read when the day comes."""
        cible = convention_of(self.operation)
        return lambda unit: euros(montant(unit.get(CONVENTION, cible)))


def plans(graine: int, dossier: Dossier) -> tuple[Plan, Plan]:
    """Return the plan that is asked for and the plan that the instruction keeps."""
    h = hasard(graine, dossier.numero_mdfse, "plan")
    demande = inventer_plan(h, dossier.objectif, dossier.forme)
    return demande, demande.a_l_echelle(955) if dossier.avec("reduit") else demande
