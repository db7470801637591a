"""A line of the pages of payments: an amount as a sum, who did what, the acts that it waits for."""

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request

from api.deps import PRESENT, Dates
from api.pages.ecriture import ancre
from api.pages.liens_actes import lien_acte, permis
from api.pages.liens_provenance import provenance_url
from api.pages.presence import qui_lit


@dataclass(frozen=True, slots=True)
class LigneDeSomme:
    """A line of a sum, its sign before it; ``total`` closes the sum."""

    signe: str
    libelle: str
    montant: int
    lien: str | None = None
    total: bool = False


@dataclass(frozen=True, slots=True)
class Fait:
    """Who did what and when, with the way to the fact."""

    libelle: str
    qui: str | None
    le: date
    lien: str


@dataclass(frozen=True, slots=True)
class Bouton:
    """An act; without ``lien`` it cannot be done, for ``raison``."""

    libelle: str
    lien: str | None
    raison: str | None = None
    principal: bool = False


@dataclass(frozen=True, slots=True)
class Delai:
    """How much of the delay is left."""

    phrase: str
    niveau: str
    precision: str


@dataclass(frozen=True, slots=True)
class LigneVue:
    """A line of the list, whatever its step."""

    ancre: str
    titre: str
    beneficiaire: str
    dossier: str
    lien: str
    plie: str
    somme: tuple[LigneDeSomme, ...]
    faits: tuple[Fait, ...]
    marque: tuple[str, str] | None = None
    precision: str | None = None
    attend: str | None = None
    delai: Delai | None = None
    boutons: tuple[Bouton, ...] = ()


@dataclass(frozen=True, slots=True)
class Onglet:
    """A step, and how many lines wait there."""

    libelle: str
    lien: str
    actif: bool
    nombre: int | None


@dataclass(frozen=True, slots=True)
class Lecteur:
    """Who reads, and what they may do; nothing in another situation than that of today."""

    request: Request
    dates: Dates
    retour: str

    def bouton(
        self,
        libelle: str,
        nom: str,
        *cibles: UUID,
        raison: str | None = None,
        principal: bool = False,
        **valeurs: str,
    ) -> tuple[Bouton, ...]:
        """Offer an act to whom may do it; a reason keeps it from being done."""
        if self.dates.requete or not permis(self.request, nom):
            return ()
        lien = None if raison else lien_acte(nom, *cibles, retour=self.retour, **valeurs)
        return (Bouton(libelle, lien, raison, principal),)

    def est(self, acteur: str | None) -> bool:
        """Tell whether the reader is somebody."""
        identite = qui_lit(self.request)
        return identite is not None and identite.identifiant == acteur


def lien_du_fait(numero: str, position: int | None, dates: Dates = PRESENT) -> str:
    """Lead to a fact in the history of its dossier."""
    requete = f"?{urlencode(dates.requete)}" if dates.requete else ""
    fin = "" if position is None else f"#{ancre(position)}"
    return f"/dossiers/{numero}{requete}{fin}"


def lien_de_provenance(mesure: str, dates: Dates = PRESENT, **choix: object) -> str:
    """Lead to the movements behind a figure."""
    return provenance_url(mesure, **choix, **dates.requete)
