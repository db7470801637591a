"""Facts of an auditor's working file: what was frozen, what was drawn, what was found."""

from typing import Literal
from uuid import UUID

import msgspec

from aggregates.cadre import Cadre
from oi_service.codec import Evenement, event
from rules.tirages import Critere, Methode, Repartition, Selection

#: Which dépenses a population holds.
Portee = Literal["operation", "plie", "etat_depenses", "toutes"]
#: Which amount of theirs counts.
MontantAudite = Literal["declare", "retenu"]


class DefinitionPopulation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which dépenses of the subvention globale: one field, that of the ``portee``, or none."""

    portee: Portee
    operation_id: UUID | None = None
    plie_id: str | None = None
    etat_no: str | None = None


class ParametresTirage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a draw was asked for; all but the size is for strata only."""

    taille: int
    critere: Critere | None = None
    bornes_centimes: tuple[int, ...] = ()
    repartition: Repartition | None = None
    selection: Selection | None = None


class StrateTiree(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stratum and how it was drawn.

    ``base_centimes`` is what was left to chance; over monetary units, divided by ``tirees_nombre``
    it is the interval, and ``depart`` where the drawing starts.
    """

    code: str
    selection: Selection
    nombre: int
    total_centimes: int
    exhaustives_nombre: int
    tirees_nombre: int
    base_centimes: int
    depart: int | None = None


class UniteTiree(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A dépense drawn, or taken whole because it reaches the interval."""

    depense_id: UUID
    montant_centimes: int
    strate: str
    exhaustive: bool


class ResultatStrate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the draw of a stratum projects; the exact amount is a fraction of cents."""

    code: str
    total_centimes: int
    erreur_constatee_centimes: int
    erreur_projetee_exacte: str


@event("audit.dossier_ouvert.v1")
class DossierAuditOuvert(Evenement, frozen=True, kw_only=True):
    cadre: Cadre
    mission: str
    organisme: str
    reference: str
    perimetre: str


@event("audit.population_figee.v1")
class PopulationFigee(Evenement, frozen=True, kw_only=True):
    """``empreinte`` is the SHA-256 of the list of dépenses, as the log was at ``position``."""

    population_id: UUID
    definition: DefinitionPopulation
    montant: MontantAudite
    position: int
    nombre: int
    total_centimes: int
    a_part_nombre: int
    a_part_centimes: int
    empreinte: str


@event("audit.echantillon_tire.v1")
class EchantillonAuditTire(Evenement, frozen=True, kw_only=True):
    """``rang`` counts the draws of a population: none is ever lost."""

    echantillon_id: UUID
    population_id: UUID
    rang: int
    methode: Methode
    algorithme: str
    parametres: ParametresTirage
    graine: str
    graine_origine: str | None
    remplace: UUID | None
    etend: UUID | None
    strates: tuple[StrateTiree, ...]
    tirage: tuple[UniteTiree, ...]
    tirage_centimes: int


@event("audit.constat_note.v1")
class ConstatAuditNote(Evenement, frozen=True, kw_only=True):
    echantillon_id: UUID
    depense_id: UUID
    montant_centimes: int
    erreur_centimes: int
    commentaire: str


@event("audit.constat_corrige.v1")
class ConstatAuditCorrige(Evenement, frozen=True, kw_only=True):
    echantillon_id: UUID
    depense_id: UUID
    erreur_avant_centimes: int
    erreur_apres_centimes: int
    commentaire_avant: str
    commentaire_apres: str


@event("audit.resultat_arrete.v1")
class ResultatAuditArrete(Evenement, frozen=True, kw_only=True):
    """The exact amounts are fractions of cents, such as ``"1350000/107"``."""

    echantillon_id: UUID
    total_centimes: int
    erreur_constatee_centimes: int
    erreur_projetee_exacte: str
    erreur_projetee_centimes: int
    strates: tuple[ResultatStrate, ...]


@event("audit.dossier_clos.v1")
class DossierAuditClos(Evenement, frozen=True, kw_only=True):
    conclusion: str


Fait = (
    DossierAuditOuvert
    | PopulationFigee
    | EchantillonAuditTire
    | ConstatAuditNote
    | ConstatAuditCorrige
    | ResultatAuditArrete
    | DossierAuditClos
)
