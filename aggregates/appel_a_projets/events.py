"""Facts of a call for projects."""

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from aggregates.cadre import Cadre
from aggregates.parametres import Surcharge
from oi_service.codec import Evenement, event
from oi_service.dates import Periode
from rules.cofinancement import ConditionCofinancement


class Indicateur(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operation promises to reach, and the documents that prove it.

    ``mode`` says how the documents combine, as the call words it (« et/ou », « ou »…).
    """

    libelle: str
    cible: Decimal
    unite: str
    comparateur: Literal["=", ">=", "<="]
    pieces: tuple[str, ...]
    mode: str


class Fiche(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fiche opération: what a PLIE calls for."""

    code: str
    titre: str
    plie_id: str
    axe: str
    objectif_specifique: str
    dispositif: str
    type_soutien: Literal["structures", "personnes"]
    cible: str
    periode: Periode
    condition: ConditionCofinancement | None
    indicateurs: tuple[Indicateur, ...]
    parametres: Surcharge | None = None


@event("appel_a_projets.publie.v1")
class AppelAProjetsPublie(Evenement, frozen=True, kw_only=True):
    cadre: Cadre
    numero: str
    intitule: str
    date_ouverture: date
    date_cloture: date
    fiches: tuple[Fiche, ...]


@event("appel_a_projets.clos.v1")
class AppelAProjetsClos(Evenement, frozen=True, kw_only=True):
    pass


Fait = AppelAProjetsPublie | AppelAProjetsClos
