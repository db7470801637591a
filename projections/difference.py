"""What separates two situations, whatever their order: figure by figure, cause by cause."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from projections.curseurs import LIMITE_PAR_DEFAUT, Page
from projections.instantane import instantane
from projections.livre import (
    Cause,
    Choix,
    Mouvement,
    choisir,
    est_fictive,
    mouvements,
    par_cause,
    sommes,
)
from projections.mesures import DERIVES, MESURES, Unite, exiger_mesure, libelle, unite
from projections.perimetre import Perimetre
from projections.situation import Situation


@dataclass(frozen=True, slots=True)
class Chiffre:
    """A measure, or one less another (``formule``), in both situations."""

    mesure: str
    avant: int
    apres: int
    formule: str | None = None

    @property
    def libelle(self) -> str:
        """The figure as people say it."""
        return libelle(self.mesure)

    @property
    def unite(self) -> Unite:
        """What it is counted in."""
        return unite(self.mesure)

    @property
    def ecart(self) -> int:
        """What it gains, or loses."""
        return self.apres - self.avant


@dataclass(frozen=True, slots=True)
class Taux:
    """A ratio in both situations: it has no movements, its two operands have."""

    taux: str
    numerateur: Chiffre
    denominateur: Chiffre
    avant: Fraction | None
    apres: Fraction | None

    @property
    def libelle(self) -> str:
        """The ratio as people say it."""
        return libelle(self.taux)

    @property
    def formule(self) -> str:
        """How it is made, in words."""
        return DERIVES[self.taux].formule


@dataclass(frozen=True, slots=True)
class Difference:
    """From ``de`` to ``a``: the figures that are not zero in both, and what makes them differ.

    Causes add up to the difference of every measure, whatever page of the movements is shown.
    """

    subvention_globale_id: UUID
    fictive: bool  #: amounts are invented (demonstration)
    de: Situation
    a: Situation
    chiffres: tuple[Chiffre, ...]
    derives: tuple[Chiffre, ...]
    taux: tuple[Taux, ...]
    causes: tuple[Cause, ...]
    mouvements: Page[Mouvement]


def difference(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    choix: Choix,
    de: Situation,
    a: Situation,
    *,
    mesures: Sequence[str] = (),
    cause: str | None = None,
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Difference | None:
    """Return what leads from a situation to another, on a cell or any sum of cells.

    ``mesures`` are the only figures to explain, all by default; ``cause`` only keeps movements.
    ``None`` when neither situation knows the subvention globale.
    Raises: MesureInconnue, OperationAbsente, CurseurInvalide.
    """
    for mesure in mesures:
        exiger_mesure(mesure)
    # A derived figure moves by its operands: they are what there is to explain.
    explicables = _operandes(mesures)
    with instantane(conn):
        lignes = choisir(conn, perimetre, choix, a, de)
        if lignes is None:
            return None
        avant, ensuite = sommes(conn, lignes, de), sommes(conn, lignes, a)
        fictive = est_fictive(conn, lignes)
        causes = par_cause(conn, lignes, de, a, explicables)
        page = mouvements(
            conn,
            lignes,
            de,
            a,
            mesures=explicables,
            cause=cause,
            limite=limite,
            apres=apres,
        )
    _exiger_concordance(avant, ensuite, causes, explicables or tuple(MESURES))
    demandees = mesures or (*MESURES, *DERIVES)
    return Difference(
        subvention_globale_id=lignes.subvention_globale_id,
        fictive=fictive,
        de=de,
        a=a,
        chiffres=tuple(
            _chiffre(m, avant, ensuite)
            for m in (explicables or MESURES)
            if avant[m] or ensuite[m] or mesures
        ),
        derives=tuple(
            _derive(code, avant, ensuite)
            for code, derive in DERIVES.items()
            if derive.operation == "moins" and code in demandees
        ),
        taux=tuple(
            _taux(code, avant, ensuite)
            for code, derive in DERIVES.items()
            if derive.operation == "sur" and code in demandees
        ),
        causes=causes,
        mouvements=page,
    )


def _operandes(mesures: Sequence[str]) -> tuple[str, ...]:
    """Return the measures asked for, and those that the derived figures asked for are made of."""
    demandees = {
        operande
        for m in mesures
        for operande in ((DERIVES[m].gauche, DERIVES[m].droite) if m in DERIVES else (m,))
    }
    return tuple(m for m in MESURES if m in demandees)


def _exiger_concordance(
    avant: Mapping[str, int],
    apres: Mapping[str, int],
    causes: Sequence[Cause],
    mesures: Sequence[str],
) -> None:
    """Stop on a bug rather than show causes that are not the difference, to the cent."""
    for mesure in mesures:
        explique = sum(cause.montants.get(mesure, 0) for cause in causes)
        if explique != apres[mesure] - avant[mesure]:
            raise AssertionError(
                f"{mesure}: causes say {explique}, figures {apres[mesure] - avant[mesure]}"
            )


def _chiffre(mesure: str, avant: Mapping[str, int], apres: Mapping[str, int]) -> Chiffre:
    return Chiffre(mesure, avant[mesure], apres[mesure])


def _derive(code: str, avant: Mapping[str, int], apres: Mapping[str, int]) -> Chiffre:
    derive = DERIVES[code]
    valeurs = derive.valeur(avant), derive.valeur(apres)
    assert isinstance(valeurs[0], int)
    assert isinstance(valeurs[1], int)
    return Chiffre(code, valeurs[0], valeurs[1], derive.formule)


def _taux(code: str, avant: Mapping[str, int], apres: Mapping[str, int]) -> Taux:
    derive = DERIVES[code]
    valeurs = [derive.valeur(avant), derive.valeur(apres)]
    return Taux(
        taux=code,
        numerateur=_chiffre(derive.gauche, avant, apres),
        denominateur=_chiffre(derive.droite, avant, apres),
        avant=None if valeurs[0] is None else Fraction(valeurs[0]),
        apres=None if valeurs[1] is None else Fraction(valeurs[1]),
    )
