"""The numbers of the texts: what holds on a day, with its article."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.errors import refus
from api.parametres import valeur_ecrite, valeur_lisible
from api.v1.representations import Representation
from oi_service.clock import today
from oi_service.dates import Jour
from rules import VERSION_REGLES
from rules.parametres import (
    Etiquette,
    Palier,
    Parametre,
    Regime,
    Unite,
    parametres_en_vigueur,
)

router = APIRouter(tags=["Textes"])


class JourEtReglement(BaseModel):
    """Which day, under which regulation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    le: Jour | None = Field(None, description="Jour dont on veut les valeurs ; aujourd’hui sinon.")
    reglement: Regime | None = Field(None, description="Les deux règlements sinon.")


class BilansParDureeOut(Representation):
    """Bilans intermédiaires d’une opération, selon sa durée."""

    jusqu_a_mois: int = Field(description="Durée de l’opération, au plus, en mois.")
    intermediaires_min: int
    intermediaires_max: int | None = Field(description="`null` : le texte n’en fixe pas.")


class NombreDuTexteOut(Representation):
    """La valeur d’un paramètre, telle qu’un texte, un usage ou le service la donne."""

    nom: str = Field(examples=["forfait_15_personnel_taux_max"])
    libelle: str
    valeur: str | list[str] | list[BilansParDureeOut] = Field(
        description="Dans son unité : `15` pour 15 %, `500000.00` en euros, `2029-12-31`.",
        examples=["15"],
    )
    valeur_lisible: str = Field(examples=["15\u00a0%"])
    unite: Unite
    reglement: Regime | None = Field(description="`null` : vaut sous les deux règlements.")
    a_compter_du: date
    jusqu_au: date | None = Field(description="Dernier jour ; `null` tant qu’il n’est pas fixé.")
    reference: str = Field(description="Article du texte, ou ce qui reste à confirmer.")
    etiquette: Etiquette = Field(description="Qui le dit : un texte, l’usage, ou nous à défaut.")
    verifie_le: date | None = Field(
        description="Jour où le texte a été relu à sa source ; `null` : il reste à relire avant "
        "de fonder un refus."
    )


class NombresDesTextesOut(Representation):
    """Les nombres des textes qui valent un jour."""

    le: date
    reglement: Regime | None
    version_regles: str = Field(description="Version des formules qui les emploient.")
    parametres: list[NombreDuTexteOut]


@router.get("/parametres", responses=refus(422))
def lire_parametres(filtres: Annotated[JourEtReglement, Query()]) -> NombresDesTextesOut:
    """Lire les taux, plafonds, délais et seuils en vigueur un jour, avec leur article.

    Un nombre du règlement 2014-2020 ne vaut que sous lui. Une subvention globale, une fiche ou une
    convention peut décider autrement de ce que les textes lui laissent : ses propres paramètres se
    lisent avec elle.
    """
    le = filtres.le or today()
    return NombresDesTextesOut(
        le=le,
        reglement=filtres.reglement,
        version_regles=VERSION_REGLES,
        parametres=[_nombre(p) for p in parametres_en_vigueur(le, filtres.reglement)],
    )


def _nombre(parametre: Parametre) -> NombreDuTexteOut:
    valeur = valeur_ecrite(parametre)
    return NombreDuTexteOut(
        nom=parametre.nom,
        libelle=parametre.libelle,
        valeur=valeur if isinstance(valeur, str) else [_element(v) for v in valeur],
        valeur_lisible=valeur_lisible(parametre),
        unite=parametre.unite,
        reglement=parametre.regime,
        a_compter_du=parametre.a_compter_du,
        jusqu_au=parametre.jusqu_au,
        reference=parametre.reference,
        etiquette=parametre.etiquette,
        verifie_le=parametre.verifie_le,
    )


def _element(element: str | Palier) -> str | BilansParDureeOut:
    return element if isinstance(element, str) else BilansParDureeOut.model_validate(element)
