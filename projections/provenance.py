"""« D’où vient ce chiffre ? »: from any figure of the maquette to the facts that make it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from aggregates.convention.events import ConventionSignee
from aggregates.convention.state import CONVENTION
from aggregates.parametres import Parametres
from oi_service.ids import convention_of
from projections.curseurs import LIMITE_PAR_DEFAUT, Page
from projections.instantane import instantane
from projections.journal import evenements
from projections.livre import (
    RIEN,
    Cause,
    Choix,
    Mouvement,
    choisir,
    est_fictive,
    mouvements,
    par_cause,
    sommes,
)
from projections.mesures import DERIVES, Unite, exiger_mesure, libelle, unite
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation


@dataclass(frozen=True, slots=True)
class ConventionSignataire:
    """The convention under which an operation runs, and the choices frozen at its signature."""

    operation_id: UUID
    numero: str
    signee_le: date
    position: int
    parametres: Parametres


@dataclass(frozen=True, slots=True)
class Operande:
    """A measure that a derived figure reads."""

    mesure: str
    valeur: int

    @property
    def libelle(self) -> str:
        """The measure as people say it."""
        return libelle(self.mesure)


@dataclass(frozen=True, slots=True)
class Provenance:
    """A figure and where it comes from: its movements, or the figures that it is made of.

    ``causes`` add up to ``valeur`` whatever page is shown. A ratio is exact.
    """

    subvention_globale_id: UUID
    fictive: bool  #: amounts are invented (demonstration)
    mesure: str
    situation: Situation
    valeur: int | Fraction | None
    formule: str | None
    operandes: tuple[Operande, ...]
    causes: tuple[Cause, ...]
    mouvements: Page[Mouvement]
    conventions: tuple[ConventionSignataire, ...]

    @property
    def libelle(self) -> str:
        """The figure as people say it."""
        return libelle(self.mesure)

    @property
    def unite(self) -> Unite:
        """What it is counted in."""
        return unite(self.mesure)


def provenance(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    mesure: str,
    choix: Choix,
    situation: Situation = ACTUELLE,
    *,
    cause: str | None = None,
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Provenance | None:
    """Explain a figure of the maquette, on a cell or any sum of cells.

    ``cause`` only keeps movements.
    Returns: ``None`` when the situation knows no such subvention globale.
    Raises: MesureInconnue, OperationAbsente, CurseurInvalide.
    """
    exiger_mesure(mesure)
    with instantane(conn):
        lignes = choisir(conn, perimetre, choix, situation)
        if lignes is None:
            return None
        figures = sommes(conn, lignes, situation)
        fictive = est_fictive(conn, lignes)
        if mesure in DERIVES:
            derive = DERIVES[mesure]
            return Provenance(
                subvention_globale_id=lignes.subvention_globale_id,
                fictive=fictive,
                mesure=mesure,
                situation=situation,
                valeur=derive.valeur(figures),
                formule=derive.formule,
                operandes=tuple(Operande(m, figures[m]) for m in (derive.gauche, derive.droite)),
                causes=(),
                mouvements=Page((), None),
                conventions=(),
            )
        causes = par_cause(conn, lignes, RIEN, situation, [mesure])
        page = mouvements(
            conn,
            lignes,
            RIEN,
            situation,
            mesures=[mesure],
            cause=cause,
            limite=limite,
            apres=apres,
        )
        conventions = _conventions(conn, perimetre, page.lignes)
    explique = sum(c.montants.get(mesure, 0) for c in causes)
    if explique != figures[mesure]:
        raise AssertionError(f"{mesure}: causes say {explique}, the figure is {figures[mesure]}")
    return Provenance(
        subvention_globale_id=lignes.subvention_globale_id,
        fictive=fictive,
        mesure=mesure,
        situation=situation,
        valeur=figures[mesure],
        formule=None,
        operandes=(),
        causes=causes,
        mouvements=page,
        conventions=conventions,
    )


def _conventions(
    conn: Connection[TupleRow], perimetre: Perimetre, lignes: Iterable[Mouvement]
) -> tuple[ConventionSignataire, ...]:
    """Return the conventions under which the facts of these lines were decided."""
    sous_convention = {
        x.operation_id
        for x in lignes
        if x.operation_id is not None and x.evenement.nom.startswith("convention.")
    }
    signatures = conn.execute(
        "SELECT e.position FROM oi.event AS e WHERE e.stream_id = ANY(%s) AND e.version = 1",
        ([convention_of(operation_id) for operation_id in sous_convention],),
    )
    signees = []
    for lu in evenements(conn, perimetre, [row[0] for row in signatures]).values():
        fait = lu.fait
        assert isinstance(fait, ConventionSignee)
        convention = CONVENTION.replay([fait])
        assert convention is not None
        signees.append(
            ConventionSignataire(
                operation_id=fait.operation_id,
                numero=fait.numero,
                signee_le=fait.date_effet,
                position=lu.position,
                parametres=convention.parametres,
            )
        )
    return tuple(sorted(signees, key=lambda c: c.position))
