"""The plan de financement in force: each poste under its form of cost, each funder, the shares."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias, assert_never

from aggregates.convention.events import PlafondPoste
from aggregates.plan import PlanFinancement, Poste
from api.filters import euros
from api.pages.ecriture import Lien, ancre, nombre, phrase, poste, taux
from oi_service.money import ratio
from projections.fiche_operation import FicheOperation, VersionDuPlan
from projections.histoire import DEROGATIONS
from rules.couts import OPTIONS
from rules.mutualisation import Couverture
from rules.nomenclature import RESSOURCES

#: How a poste is counted, and with what.
Forme: TypeAlias = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class LigneDePlan:
    """A poste and its form of cost, or a funder; ``precisions`` say with what it is counted."""

    libelle: str
    forme: str
    precisions: tuple[str, ...]
    montant: int
    part: str


@dataclass(frozen=True, slots=True)
class PlanVu:
    """The plan in its version in force, and the acts that set it before."""

    version: Lien
    anterieures: tuple[Lien, ...]
    depenses: tuple[LigneDePlan, ...]
    ressources: tuple[LigneDePlan, ...]
    total: int
    couverture: Couverture
    remarques: tuple[str, ...]


def plan_en_vigueur(fiche: FicheOperation, fonds: str) -> PlanVu:
    """Prepare the plan of an operation; the Fund, as ``fonds`` names it, comes first."""
    plan, total = fiche.plan, fiche.plan.cout_total_centimes
    noms = noms_des_postes(plan)
    montants = {p.code: p.montant_centimes for p in plan.postes}
    plafonds = fiche.convention.plafonds_poste if fiche.convention else ()
    limites = {x.code: (limite(x),) for x in plafonds}
    *anterieures, en_vigueur = fiche.versions_du_plan
    du_fonds = (fonds, "Montant maximal" if fiche.convention else "Demandé", plan.fse_centimes)
    autres = (
        (RESSOURCES.get(r.type, r.type), r.financeur, r.montant_centimes) for r in plan.ressources
    )
    return PlanVu(
        version=_version(en_vigueur),
        anterieures=tuple(_version(v) for v in anterieures),
        depenses=tuple(
            LigneDePlan(
                noms[p.code],
                titre,
                (*precisions, *limites.get(p.code, ())),
                p.montant_centimes,
                _part(p.montant_centimes, total),
            )
            for p in plan.postes
            for titre, precisions in (forme(p, noms, montants),)
        ),
        ressources=tuple(
            LigneDePlan(libelle, qui, (), montant, _part(montant, total))
            for libelle, qui, montant in (du_fonds, *autres)
        ),
        total=total,
        couverture=fiche.couverture,
        remarques=tuple(_remarques(fiche)),
    )


def _remarques(fiche: FicheOperation) -> Iterator[str]:
    """Yield what the instruction of the plan said of it."""
    derogation = fiche.derogation_couts_simplifies
    if derogation is not None:
        yield f"Coûts simplifiés non imposés\u00a0: {DEROGATIONS.get(derogation, derogation)}."
    for avertissement in fiche.avertissements:
        yield phrase(f"À vérifier : {avertissement}")


def limite(plafond: PlafondPoste) -> str:
    """Say what a capped poste may reach."""
    marge = nombre(plafond.tolerance_pct)
    return f"Plafonné à {euros(plafond.montant_centimes)}, tolérance de {marge}\u00a0%"


def noms_des_postes(plan: PlanFinancement) -> dict[str, str]:
    """Name each poste as its plan does; a convention may have postes of its own."""
    return {p.code: p.libelle or poste(p.code) for p in plan.postes}


def _part(montant: int, total: int) -> str:
    return taux(ratio(montant, total))


_ORIGINES = {
    "depot": "dépôt du dossier",
    "instruction": "instruction",
    "convention": "convention signée",
}


def _version(version: VersionDuPlan) -> Lien:
    mots = _ORIGINES.get(version.origine) or f"avenant n°\u00a0{version.avenant}"
    return Lien(mots, f"#{ancre(version.position)}", version.date_effet)


def forme(ligne: Poste, noms: Mapping[str, str], montants: Mapping[str, int]) -> Forme:
    """Say under which form a poste is reimbursed, and with what it is counted.

    ``noms`` and ``montants``: of every poste of the plan, for the base of a flat rate.
    """
    match ligne.mode:
        case "reel":
            return "Coûts réels", ()
        case "forfait":
            assiette = sum(montants.get(code, 0) for code in ligne.assiette)
            bases = " + ".join(noms.get(code) or poste(code) for code in ligne.assiette)
            precisions = (
                f"Assiette\u00a0: {bases}, soit {euros(assiette)}",
                f"Option\u00a0: {OPTIONS[ligne.option].libelle}" if ligne.option else None,
                f"Méthode\u00a0: {ligne.methode_ref}" if ligne.methode_ref else None,
            )
            titre = f"Taux forfaitaire de {nombre(ligne.taux_pct or Decimal(0))}\u00a0%"
            return titre, tuple(p for p in precisions if p)
        case "cout_unitaire":
            unites = nombre(ligne.unites or Decimal(0))
            cout = euros(ligne.cout_unite_centimes or 0)
            return "Coûts unitaires", (
                f"{unites} × {cout} (unité\u00a0: {ligne.unite or 'non précisée'})",
                *_couvre(ligne),
            )
        case "montant_forfaitaire":
            livrables = (
                f"Livrable {x.id}\u00a0: {x.libelle}, {euros(x.montant_centimes)}"
                for x in ligne.livrables
            )
            return "Montants forfaitaires, dus livrable par livrable", (
                *livrables,
                *_couvre(ligne),
            )
        case _:
            assert_never(ligne.mode)


def _couvre(ligne: Poste) -> tuple[str, ...]:
    """Say which costs a unit or a deliverable stands for, since none of them counts besides."""
    couverts = ", ".join(poste(code).lower() for code in ligne.couvre)
    return (f"Couvre\u00a0: {couverts}",) if couverts else ()
