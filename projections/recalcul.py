"""A control computed again: under the rules of its time, then under those of today."""

from dataclasses import dataclass
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from aggregates.convention.events import CsfValide, EntreesCalcul
from oi_service.errors import NotFound
from oi_service.ids import convention_of
from projections.dossiers import exiger_operation
from projections.journal import EvenementLu, lire_flux
from projections.perimetre import Perimetre
from rules import VERSION_REGLES
from rules.calcul import Apports, Conditions, LignesPoste, PosteConvenu, Resultat
from rules.versions import calcul_de


class CsfNonValideEncore(NotFound):
    """Le contrôle de service fait {id} n’est pas validé, ou n’existe pas dans cette opération."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that a recomputation gives otherwise, in cents."""

    chiffre: str
    enregistre: int
    recalcule: int


@dataclass(frozen=True, slots=True)
class Recalcul:
    """A control under one version of the rules; no difference: the same cents."""

    version_regles: str
    fse_du: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Recalculs:
    """A control computed again; nothing is written."""

    csf_id: UUID
    position: int
    version_regles: str
    fse_du: int
    regles_de_l_epoque: Recalcul
    regles_actuelles: Recalcul


def recalculer(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID, csf_id: UUID
) -> Recalculs:
    """Compute a validated control again from what its fact carries, and nothing else.

    Raises: OperationAbsente, CsfNonValideEncore, VersionInconnue.
    """
    exiger_operation(conn, perimetre, operation_id)
    lu, fait = csf_valide(conn, perimetre, operation_id, csf_id)
    return Recalculs(
        csf_id=csf_id,
        position=lu.position,
        version_regles=fait.version_regles,
        fse_du=fait.fse_du_cumule_centimes,
        regles_de_l_epoque=sous(fait, fait.version_regles),
        regles_actuelles=sous(fait, VERSION_REGLES),
    )


def csf_valide(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID, csf_id: UUID
) -> tuple[EvenementLu, CsfValide]:
    """Return the validation of a control. Raises: CsfNonValideEncore."""
    convention_id = convention_of(operation_id)
    for lu in lire_flux(conn, perimetre, [convention_id]).get(convention_id, []):
        if lu.name == "convention.csf_valide.v1":
            fait = lu.fait
            assert isinstance(fait, CsfValide)
            if fait.csf_id == csf_id:
                return lu, fait
    raise CsfNonValideEncore(id=csf_id)


def sous(fait: CsfValide, version: str) -> Recalcul:
    """Compute a control under a version of the rules, and compare with what was recorded."""
    entrees = entrees_de(fait)
    resultat = calcul_de(version)(entrees.conditions, entrees.bilans)
    return Recalcul(
        version_regles=version,
        fse_du=resultat.fse_du_centimes,
        differences=tuple(
            Difference(chiffre, enregistre, recalcule)
            for chiffre, enregistre, recalcule in _chiffres(fait, resultat)
            if enregistre != recalcule
        ),
    )


def _chiffres(fait: CsfValide, resultat: Resultat) -> list[tuple[str, int, int]]:
    return [
        (
            "Coût total retenu",
            fait.cout_net_cumule_centimes,
            resultat.cout_net_centimes,
        ),
        (
            "Ressources externes retenues",
            fait.ressources_externes_centimes,
            resultat.ressources_externes_centimes,
        ),
        ("Plafond de la convention", fait.c1_plafond_centimes, resultat.c1_centimes),
        ("Taux de la convention", fait.c2_taux_centimes, resultat.c2_centimes),
        ("Besoin de financement", fait.c3_besoin_centimes, resultat.c3_centimes),
        ("FSE dû cumulé", fait.fse_du_cumule_centimes, resultat.fse_du_centimes),
        (
            "Autofinancement constaté",
            fait.autofinancement_constate_centimes,
            resultat.autofinancement_constate_centimes,
        ),
        (
            "Surfinancement écarté",
            fait.surfinancement_ecarte_centimes,
            resultat.surfinancement_ecarte_centimes,
        ),
    ]


def entrees_de(fait: CsfValide) -> EntreesCalcul:
    """Return what the calculation read; a control under rules 2026.1 says it in other fields."""
    if fait.entrees is not None:
        return fait.entrees
    apports = Apports(
        final=fait.type == "final",
        lignes=tuple(
            LignesPoste(code=code, declare_centimes=retenu, ecarte_centimes=0)
            for code, retenu in fait.postes_cumules.items()
        ),
        ressources=fait.ressources_cumulees,
    )
    conditions = Conditions(
        fse_max_centimes=fait.fse_max_centimes,
        cout_total_eligible_centimes=fait.cout_total_eligible_centimes,
        postes=tuple(PosteConvenu(code=code) for code in fait.postes_cumules),
        arrondi=fait.arrondi,
    )
    return EntreesCalcul(conditions=conditions, bilans=(apports,), rang=0)
