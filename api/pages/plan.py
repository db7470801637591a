"""The plan de financement in force: each poste under its form of cost, each funder, the shares."""

from dataclasses import dataclass

from aggregates.plan import Poste
from api.pages.ecriture import Lien, ancre, poste, taux
from oi_service.money import ratio
from projections.fiche_operation import FicheOperation, VersionDuPlan
from rules.nomenclature import RESSOURCES


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


def plan_en_vigueur(fiche: FicheOperation, fonds: str) -> PlanVu:
    """Prepare the plan of an operation; the Fund, as ``fonds`` names it, comes first."""
    plan, total = fiche.plan, fiche.plan.cout_total_centimes
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
                poste(p.code), *forme(p), p.montant_centimes, _part(p.montant_centimes, total)
            )
            for p in plan.postes
        ),
        ressources=tuple(
            LigneDePlan(libelle, qui, (), montant, _part(montant, total))
            for libelle, qui, montant in (du_fonds, *autres)
        ),
        total=total,
    )


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


_FORMES = {
    "reel": "Coûts réels",
    "forfait": "Taux forfaitaire",
    "cout_unitaire": "Coûts unitaires",
    "montant_forfaitaire": "Montants forfaitaires",
}


def forme(ligne: Poste) -> tuple[str, tuple[str, ...]]:
    """Say under which form a poste is reimbursed, and with what it is counted."""
    return _FORMES.get(ligne.mode, ligne.mode), ()
