"""What decisions on an auditor's working file ask of its past."""

from collections.abc import Mapping
from datetime import date
from typing import assert_never, cast
from uuid import UUID

import msgspec

from aggregates.audit.events import (
    ConstatAuditCorrige,
    ConstatAuditNote,
    DefinitionPopulation,
    DossierAuditClos,
    DossierAuditOuvert,
    EchantillonAuditTire,
    Fait,
    MontantAudite,
    PopulationFigee,
    ResultatAuditArrete,
    StrateTiree,
    UniteTiree,
)
from aggregates.cadre import Cadre
from oi_service.aggregate import Aggregate
from oi_service.codec import Evenement
from oi_service.errors import NotFound
from rules.tirages import Methode


class DossierAuditAbsent(NotFound):
    """Aucun dossier de travail d’audit ne porte l’identifiant {id}."""


class Population(msgspec.Struct, frozen=True, kw_only=True):
    """A list of dépenses, as the log was at a position."""

    figee_le: date
    definition: DefinitionPopulation
    montant: MontantAudite
    position: int
    empreinte: str


class Constat(msgspec.Struct, frozen=True, kw_only=True):
    """What the auditor says of a dépense drawn; cents."""

    note_le: date
    erreur: int
    commentaire: str


class Echantillon(msgspec.Struct, frozen=True, kw_only=True):
    """A draw, and the notes on it; ``suivi_par`` is the one that extends or replaces it."""

    tire_le: date
    population_id: UUID
    methode: Methode
    graine: str
    strates: tuple[StrateTiree, ...]
    tirage: tuple[UniteTiree, ...]
    constats: Mapping[UUID, Constat]
    suivi_par: UUID | None = None
    arrete: bool = False  #: its result is that of its notes

    @property
    def taille(self) -> int:
        """How many dépenses were drawn."""
        return len(self.tirage)

    @property
    def sans_constat(self) -> list[UUID]:
        """What was drawn and of which nothing is said."""
        return [u.depense_id for u in self.tirage if u.depense_id not in self.constats]


class DossierAudit(msgspec.Struct, frozen=True, kw_only=True):
    """A working file."""

    cadre: Cadre
    ouvert_le: date
    populations: Mapping[UUID, Population] = {}
    echantillons: Mapping[UUID, Echantillon] = {}
    clos_le: date | None = None

    def tirages_de(self, population_id: UUID) -> list[UUID]:
        """Return every draw of a population, the first one first."""
        return [i for i, e in self.echantillons.items() if e.population_id == population_id]

    def avec(self, echantillon_id: UUID, echantillon: Echantillon) -> "DossierAudit":
        """Return the file with a sample as it is now."""
        echantillons = {**self.echantillons, echantillon_id: echantillon}
        return msgspec.structs.replace(self, echantillons=echantillons)


def evolve(state: DossierAudit | None, fact: Evenement) -> DossierAudit:
    """Apply a fact; never refuses."""
    fait = cast("Fait", fact)
    if isinstance(fait, DossierAuditOuvert):
        return DossierAudit(cadre=fait.cadre, ouvert_le=fait.date_effet)
    assert state is not None
    match fait:
        case PopulationFigee():
            figee = Population(
                figee_le=fait.date_effet,
                definition=fait.definition,
                montant=fait.montant,
                position=fait.position,
                empreinte=fait.empreinte,
            )
            populations = {**state.populations, fait.population_id: figee}
            return msgspec.structs.replace(state, populations=populations)
        case EchantillonAuditTire():
            return _tire(state, fait)
        case ConstatAuditNote():
            constat = Constat(
                note_le=fait.date_effet, erreur=fait.erreur_centimes, commentaire=fait.commentaire
            )
            return _constate(state, fait.echantillon_id, fait.depense_id, constat)
        case ConstatAuditCorrige():
            constat = Constat(
                note_le=fait.date_effet,
                erreur=fait.erreur_apres_centimes,
                commentaire=fait.commentaire_apres,
            )
            return _constate(state, fait.echantillon_id, fait.depense_id, constat)
        case ResultatAuditArrete():
            arrete = msgspec.structs.replace(state.echantillons[fait.echantillon_id], arrete=True)
            return state.avec(fait.echantillon_id, arrete)
        case DossierAuditClos():
            return msgspec.structs.replace(state, clos_le=fait.date_effet)
        case _:
            assert_never(fait)


def _tire(state: DossierAudit, fait: EchantillonAuditTire) -> DossierAudit:
    suivi = fait.etend or fait.remplace
    constats: Mapping[UUID, Constat] = {}
    if suivi is not None:
        precedent = state.echantillons[suivi]
        # What was said of the dépenses of a draw holds in the draw that extends it.
        constats = precedent.constats if fait.etend else {}
        state = state.avec(suivi, msgspec.structs.replace(precedent, suivi_par=fait.echantillon_id))
    return state.avec(
        fait.echantillon_id,
        Echantillon(
            tire_le=fait.date_effet,
            population_id=fait.population_id,
            methode=fait.methode,
            graine=fait.graine,
            strates=fait.strates,
            tirage=fait.tirage,
            constats=constats,
        ),
    )


def _constate(
    state: DossierAudit, echantillon_id: UUID, depense_id: UUID, constat: Constat
) -> DossierAudit:
    echantillon = state.echantillons[echantillon_id]
    constats = {**echantillon.constats, depense_id: constat}
    return state.avec(
        echantillon_id, msgspec.structs.replace(echantillon, constats=constats, arrete=False)
    )


AUDIT = Aggregate("audit", evolve, DossierAuditAbsent)
