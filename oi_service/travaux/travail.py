"""A work: who asked for what, how far it is, what came out of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from oi_service.errors import Conflict, NotFound

Etat = Literal["attend", "en_cours", "fini", "echoue", "interrompu", "annule"]

#: Each state as people say it.
ETATS: Mapping[Etat, str] = {
    "attend": "En attente",
    "en_cours": "En cours",
    "fini": "Terminé",
    "echoue": "Échoué",
    "interrompu": "Interrompu",
    "annule": "Annulé",
}
#: States in which something is still to come.
VIVANTS: tuple[Etat, ...] = ("attend", "en_cours")


class TravailAbsent(NotFound):
    """Ce travail n’existe pas, ou n’est pas l’un des vôtres : ils sont gardés trois mois."""


class FichierDeTravailAbsent(NotFound):
    """Ce fichier n’est plus là : un fichier produit est gardé quelques jours. Relancez le travail
    pour l’obtenir de nouveau.
    """


class NatureDeTravailInconnue(NotFound):
    """Le travail « {nature} » n’existe pas dans cette version du service."""


class TropDeTravaux(Conflict):
    """Vous avez déjà {nombre} travaux en attente ou en cours : attendez que l’un finisse, ou
    annulez-en un.
    """


class TravailTermine(Conflict):
    """Ce travail est déjà terminé : il n’y a plus rien à annuler."""


class TravailVivant(Conflict):
    """Ce travail est encore en attente ou en cours : attendez sa fin, ou annulez-le, avant de le
    relancer.
    """


@dataclass(frozen=True, slots=True)
class Fichier:
    """A file that a work made, kept for some days."""

    nom: str
    media: str
    octets: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Travail:
    """A work; ``plies`` is the territory of who asked, ``None`` for the whole OI."""

    id: UUID
    nature: str
    demande: dict[str, Any]
    identifiant: str
    role: str
    plies: frozenset[str] | None
    etat: Etat
    fait: int
    total: int
    phrase: str
    resultat: dict[str, Any] | None
    fichiers: tuple[Fichier, ...]
    fichiers_jusqu_au: datetime | None
    a_annuler: bool
    reprend: UUID | None
    demande_le: datetime
    commence_le: datetime | None
    fini_le: datetime | None

    @property
    def vivant(self) -> bool:
        """Tell whether something is still to come."""
        return self.etat in VIVANTS

    @property
    def etat_libelle(self) -> str:
        """Where it stands, as people say it."""
        if self.etat == "en_cours" and self.a_annuler:
            return "Annulation demandée"
        return ETATS[self.etat]

    def fichier(self, nom: str) -> Fichier:
        """Return a file by its name.

        Raises: FichierDeTravailAbsent.
        """
        found = next((f for f in self.fichiers if f.nom == nom), None)
        if found is None:
            raise FichierDeTravailAbsent
        return found
