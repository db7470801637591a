"""What the forms of dépenses know before anything is typed: what is declared, the postes open."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from aggregates.convention.state import CONVENTION
from aggregates.depense.events import Detail
from api.deps import LectureOuverte
from api.filters import euros, jour
from api.pages.actes.preparations import Preparation, prepare
from oi_service.ids import convention_of
from oi_service.money import euros as decimales
from projections.depenses import LigneDepense, depense
from projections.journal import lire_flux
from rules.nomenclature import POSTES
from rules.temps import Cle, Temps


@prepare("declarer_depense")
def declarer(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Offer the postes of the plan in force."""
    return Preparation(options={"detail.poste": _postes(lecture, operation_id)})


@prepare("declarer_depenses")
def declarer_plusieurs(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Offer the postes of the plan in force."""
    return Preparation(options={"depenses.poste": _postes(lecture, operation_id)})


@prepare("corriger_depense")
def corriger(lecture: LectureOuverte, depense_id: UUID) -> Preparation:
    """Fill in what is declared: a correction changes a part of it."""
    lue = depense(lecture.conn, lecture.perimetre, depense_id)
    calcule = lue.detail.temps is not None or lue.detail.cle is not None
    return Preparation(
        initiales={"detail": _detail(lue.detail)},
        options={"detail.poste": _postes(lecture, lue.operation_id, lue.poste)},
        resume=_resume(lue),
        avertissements=(
            "Si le temps ou la clé change, videz le montant imputé : il sera calculé de nouveau.",
        )
        if calcule
        else (),
    )


@prepare("annuler_depense", "joindre_pieces_depense")
def rappeler(lecture: LectureOuverte, depense_id: UUID) -> Preparation:
    """Say which dépense it is."""
    return Preparation(resume=_resume(depense(lecture.conn, lecture.perimetre, depense_id)))


def _resume(lue: LigneDepense) -> tuple[tuple[str, str], ...]:
    return (
        ("Dépense", lue.detail.nature),
        ("Pièce", f"{lue.detail.piece_ref} du {jour(lue.detail.date_piece)}"),
        ("Montant imputé", euros(lue.montant_impute)),
    )


def _postes(
    lecture: LectureOuverte, operation_id: UUID, *aussi: str
) -> tuple[tuple[str, str], ...]:
    """Return the postes of the plan in force, and those that a dépense already bears.

    A poste outside the plan may be declared: the control sets it aside.
    """
    convention_id = convention_of(operation_id)
    flux = lire_flux(lecture.conn, lecture.perimetre, [convention_id])
    convention = CONVENTION.replay(lu.fait for lu in flux.get(convention_id, ()))
    du_plan = (
        {p.code: p.libelle or POSTES.get(p.code, p.code) for p in convention.plan.postes}
        if convention
        else {}
    )
    connus = {code: nom for code, nom in du_plan.items() if code in POSTES} or dict(POSTES)
    return tuple({**connus, **{code: POSTES.get(code, code) for code in aussi}}.items())


# --- A fact as the JSON door takes it ------------------------------------------------------------


def _detail(detail: Detail) -> dict[str, Any]:
    dits: dict[str, Any] = {
        nom: getattr(detail, nom)
        for nom in (
            "poste",
            "nature",
            "piece_ref",
            "date_piece",
            "date_realisation",
            "date_engagement",
            "date_acquittement",
            "preuve_acquittement",
            "marche_ref",
            "mise_en_concurrence_ref",
            "regularise",
            "salarie_id",
        )
    }
    if detail.salarie_id is None:
        dits["tiers_ref"] = detail.tiers_ref
    for nom in ("montant_ht", "montant_ttc", "tva_recuperable", "montant_impute"):
        centimes = getattr(detail, f"{nom}_centimes")
        dits[nom] = None if centimes is None else decimales(centimes)
    dits["cle"] = None if detail.cle is None else _cle(detail.cle)
    dits["temps"] = None if detail.temps is None else _temps(detail.temps)
    return _dits(dits)


def _cle(cle: Cle) -> Mapping[str, Any]:
    assiette = cle.assiette_centimes
    return _dits(
        {
            "numerateur": str(cle.numerateur),
            "denominateur": str(cle.denominateur),
            "libelle": cle.libelle,
            "assiette": None if assiette is None else decimales(assiette),
        }
    )


def _temps(temps: Temps) -> Mapping[str, Any]:
    return _dits(
        {
            "methode": temps.methode,
            "cout": decimales(temps.cout_centimes),
            "heures_operation": _nombre(temps.heures_operation),
            "heures_base": _nombre(temps.heures_base),
            "pourcentage": _nombre(temps.pourcentage),
            "jours": [{"jour": j.jour, "heures": _nombre(j.heures)} for j in temps.jours],
            "annee": temps.annee,
            "mois": temps.mois,
            "justificatif": temps.justificatif,
            "accepte_le": temps.accepte_le,
        }
    )


def _nombre(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"


def _dits(corps: Mapping[str, Any]) -> dict[str, Any]:
    return {nom: valeur for nom, valeur in corps.items() if valeur is not None}
