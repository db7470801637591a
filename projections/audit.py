"""The working files of auditors: what was frozen, drawn and found, for auditors only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from aggregates.audit.events import (
    DefinitionPopulation,
    DossierAuditClos,
    DossierAuditOuvert,
    EchantillonAuditTire,
    MontantAudite,
    ParametresTirage,
    PopulationFigee,
    ResultatAuditArrete,
    ResultatStrate,
    StrateTiree,
)
from aggregates.audit.state import AUDIT, DossierAudit, DossierAuditAbsent
from oi_service.errors import NotFound
from projections.journal import EvenementLu, journal_de_l_audit
from projections.perimetre import Perimetre
from rules.tirages import CONDITION_DE_L_EXTRAPOLATION, Methode


class PopulationIntrouvable(NotFound):
    """Ce dossier de travail ne montre aucune population d’identifiant {id}."""


class EchantillonIntrouvable(NotFound):
    """Ce dossier de travail ne montre aucun échantillon d’identifiant {id}."""


@dataclass(frozen=True, slots=True)
class PopulationAuditee:
    """A frozen population; amounts are cents. ``tirages`` counts its draws, every one kept."""

    id: UUID
    figee_le: date
    definition: DefinitionPopulation
    montant: MontantAudite
    position: int
    nombre: int
    total: int
    a_part_nombre: int
    a_part: int
    empreinte: str
    tirages: int


@dataclass(frozen=True, slots=True)
class UniteAuditee:
    """A dépense drawn, and what the auditor found in it; cents."""

    depense_id: UUID
    montant: int
    strate: str
    exhaustive: bool
    erreur: int | None
    commentaire: str | None


@dataclass(frozen=True, slots=True)
class ResultatAudite:
    """What a sample projects; cents, and exact fractions of cents as text."""

    arrete_le: date
    total: int
    erreur_constatee: int
    erreur_projetee: int
    erreur_projetee_exacte: str
    strates: tuple[ResultatStrate, ...]
    condition: str = CONDITION_DE_L_EXTRAPOLATION


@dataclass(frozen=True, slots=True)
class EchantillonAudite:
    """A draw. ``rang`` is its place among the ``tirages`` of its population."""

    id: UUID
    population_id: UUID
    tire_le: date
    position: int
    rang: int
    tirages: int
    methode: Methode
    algorithme: str
    parametres: ParametresTirage
    graine: str
    graine_origine: str | None
    etend: UUID | None
    remplace: UUID | None
    suivi_par: UUID | None
    motif: str | None
    strates: tuple[StrateTiree, ...]
    tirage: tuple[UniteAuditee, ...]
    tirage_montant: int
    resultat: ResultatAudite | None


@dataclass(frozen=True, slots=True)
class DossierAudite:
    """A working file, with all that it holds."""

    id: UUID
    subvention_globale_id: UUID
    version: int
    ouvert_le: date
    mission: str
    organisme: str
    reference: str
    perimetre: str
    clos_le: date | None
    conclusion: str | None
    populations: tuple[PopulationAuditee, ...]
    echantillons: tuple[EchantillonAudite, ...]

    def population(self, population_id: UUID) -> PopulationAuditee:
        """Return one of its populations.

        Raises: PopulationIntrouvable.
        """
        for trouvee in self.populations:
            if trouvee.id == population_id:
                return trouvee
        raise PopulationIntrouvable(id=population_id)

    def echantillon(self, echantillon_id: UUID) -> EchantillonAudite:
        """Return one of its samples.

        Raises: EchantillonIntrouvable.
        """
        for trouve in self.echantillons:
            if trouve.id == echantillon_id:
                return trouve
        raise EchantillonIntrouvable(id=echantillon_id)


def dossiers_audit(
    conn: Connection[TupleRow], perimetre: Perimetre, connu_le: int | None = None
) -> list[DossierAudite]:
    """Return every working file, the oldest first."""
    flux: dict[UUID, list[EvenementLu]] = {}
    for lu in journal_de_l_audit(conn, perimetre, connu_le=connu_le):
        flux.setdefault(lu.stream_id, []).append(lu)
    return [_dossier(lus) for lus in flux.values()]


def dossier_audit(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    dossier_id: UUID,
    connu_le: int | None = None,
) -> DossierAudite:
    """Return one working file.

    Raises: DossierAuditAbsent.
    """
    lus = journal_de_l_audit(conn, perimetre, dossier_id=dossier_id, connu_le=connu_le)
    if not lus:
        raise DossierAuditAbsent(id=dossier_id)
    return _dossier(lus)


def _dossier(lus: Sequence[EvenementLu]) -> DossierAudite:
    faits = [(lu, lu.fait) for lu in lus]
    state = AUDIT.replay(fait for _, fait in faits)
    ouvert = faits[0][1]
    assert state is not None
    assert isinstance(ouvert, DossierAuditOuvert)
    clos = next((f for _, f in faits if isinstance(f, DossierAuditClos)), None)
    resultats = {f.echantillon_id: f for _, f in faits if isinstance(f, ResultatAuditArrete)}
    return DossierAudite(
        id=lus[0].stream_id,
        subvention_globale_id=ouvert.cadre.subvention_globale_id,
        version=len(lus),
        ouvert_le=ouvert.date_effet,
        mission=ouvert.mission,
        organisme=ouvert.organisme,
        reference=ouvert.reference,
        perimetre=ouvert.perimetre,
        clos_le=state.clos_le,
        conclusion=None if clos is None else clos.conclusion,
        populations=tuple(
            _population(f, state) for _, f in faits if isinstance(f, PopulationFigee)
        ),
        echantillons=tuple(
            _echantillon(lu, f, state, resultats.get(f.echantillon_id))
            for lu, f in faits
            if isinstance(f, EchantillonAuditTire)
        ),
    )


def _population(fait: PopulationFigee, state: DossierAudit) -> PopulationAuditee:
    return PopulationAuditee(
        id=fait.population_id,
        figee_le=fait.date_effet,
        definition=fait.definition,
        montant=fait.montant,
        position=fait.position,
        nombre=fait.nombre,
        total=fait.total_centimes,
        a_part_nombre=fait.a_part_nombre,
        a_part=fait.a_part_centimes,
        empreinte=fait.empreinte,
        tirages=len(state.tirages_de(fait.population_id)),
    )


def _echantillon(
    lu: EvenementLu,
    fait: EchantillonAuditTire,
    state: DossierAudit,
    resultat: ResultatAuditArrete | None,
) -> EchantillonAudite:
    tenu = state.echantillons[fait.echantillon_id]
    return EchantillonAudite(
        id=fait.echantillon_id,
        population_id=fait.population_id,
        tire_le=fait.date_effet,
        position=lu.position,
        rang=fait.rang,
        tirages=len(state.tirages_de(fait.population_id)),
        methode=fait.methode,
        algorithme=fait.algorithme,
        parametres=fait.parametres,
        graine=fait.graine,
        graine_origine=fait.graine_origine,
        etend=fait.etend,
        remplace=fait.remplace,
        suivi_par=tenu.suivi_par,
        motif=fait.motif,
        strates=fait.strates,
        tirage=tuple(_unites(fait, state)),
        tirage_montant=fait.tirage_centimes,
        # One that a correction followed says nothing any more.
        resultat=_resultat(resultat) if resultat is not None and tenu.arrete else None,
    )


def _unites(fait: EchantillonAuditTire, state: DossierAudit) -> Iterator[UniteAuditee]:
    constats = state.echantillons[fait.echantillon_id].constats
    for unite in fait.tirage:
        constat = constats.get(unite.depense_id)
        yield UniteAuditee(
            depense_id=unite.depense_id,
            montant=unite.montant_centimes,
            strate=unite.strate,
            exhaustive=unite.exhaustive,
            erreur=None if constat is None else constat.erreur,
            commentaire=None if constat is None else constat.commentaire,
        )


def _resultat(fait: ResultatAuditArrete) -> ResultatAudite:
    return ResultatAudite(
        arrete_le=fait.date_effet,
        total=fait.total_centimes,
        erreur_constatee=fait.erreur_constatee_centimes,
        erreur_projetee=fait.erreur_projetee_centimes,
        erreur_projetee_exacte=fait.erreur_projetee_exacte,
        strates=fait.strates,
    )
