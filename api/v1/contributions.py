"""Who pays beside the Fund: the coverage of contreparties, and the levier."""

from collections.abc import Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from api.deps import Lecture, SituationDemandee
from api.errors import refus
from api.v1.lectures import Mot
from api.v1.representations import Pourcentage, Representation, SituationOut
from oi_service.money import MontantSigne
from projections import couverture as projection_couverture
from projections import levier as projection_levier
from projections.consolidation import Consolidation
from projections.levier import deux_decimales, une_decimale

router = APIRouter(tags=["Contributions"])


class SubventionConsolideeOut(Representation):
    """Une subvention globale comptée."""

    id: UUID
    numero: str
    reglement: str
    oi_id: str
    oi_nom: str
    fictive: bool = Field(description="Les montants sont inventés (démonstration).")


class Arrete(Representation):
    """Ce que comptent les chiffres d’une réponse, et jusqu’où."""

    subventions: list[SubventionConsolideeOut] = Field(
        description="Subventions globales additionnées, dans l’ordre de leur enregistrement."
    )
    fictive: bool = Field(description="Une partie des montants est inventée (démonstration).")
    situation: SituationOut
    position: int = Field(description="Numéro du dernier événement compté.")
    calculee_le: datetime


def _arrete(consolidation: Consolidation) -> dict[str, Any]:
    return {nom: getattr(consolidation, nom) for nom in Arrete.model_fields}


# --- Coverage ------------------------------------------------------------------------------------


class ChiffresCouvertureOut(Representation):
    """Couverture : montants en euros, taux en pourcentage des contreparties nécessaires."""

    cout_total: MontantSigne = Field(
        description="Coût total conventionné, programmé tant qu’il n’y a pas de convention."
    )
    fse: MontantSigne = Field(description="FSE conventionné, programmé sans convention.")
    besoin: MontantSigne = Field(description="Coût total moins FSE.")
    attendue: MontantSigne = Field(description="Financeurs externes du plan en vigueur.")
    autofinancement: MontantSigne = Field(
        description="Besoin moins attendu : ce qui reste au bénéficiaire."
    )
    attestee: MontantSigne = Field(
        description="Attribué avec l’attestation du financeur ; pour une opération, ce qui lui en "
        "est affecté. Ce que l’OI mutualise compte au PLIE de l’opération qui le reçoit."
    )
    percue: MontantSigne | None = Field(
        description="Versé par les financeurs, au PLIE de l’attribution ; `null` pour une "
        "opération, un versement valant pour toute la contrepartie."
    )
    affectee: MontantSigne = Field(description="Affecté à des opérations.")
    affectee_mutualisee: MontantSigne = Field(
        description="Part de l’affecté qui vient de contreparties que l’OI mutualise."
    )
    retenue: MontantSigne = Field(description="Retenu au contrôle de service fait.")
    decouvert: MontantSigne = Field(
        description="Somme des manques : attendu d’un financeur, ni affecté ni retenu."
    )
    decouvert_clos: MontantSigne = Field(
        description="Part du découvert d’opérations qui ne reçoivent plus d’affectation."
    )
    hors_plan: MontantSigne = Field(
        description="Affecté au-delà de ce que le plan attend du financeur."
    )
    taux_previsionnel: Pourcentage = Field(description="Attendu sur besoin, en %.")
    taux_atteste: Pourcentage = Field(description="Attesté sur besoin, en %.")
    taux_affecte: Pourcentage = Field(description="Affecté sur besoin, en %.")


class LigneCouvertureOut(Representation):
    """Une opération, un PLIE ou un OI.

    Par opération, une ligne sans opération porte ce qu’un PLIE, ou l’OI, n’a affecté à aucune.
    """

    code: str = Field(description="Numéro du dossier, code du PLIE ou identifiant de l’OI.")
    nom: str
    oi_id: str
    oi_nom: str
    plie_id: str | None
    operation_id: UUID | None
    chiffres: ChiffresCouvertureOut


class ManqueOut(Representation):
    """Ce qu’un financeur du plan ne couvre pas encore d’une opération."""

    subvention_globale_id: UUID
    operation_id: UUID
    numero_mdfse: str
    intitule: str
    beneficiaire: str
    statut: str
    statut_libelle: str
    plie_id: str
    plie_nom: str
    type: str
    type_libelle: str
    financeur: str
    attendu: MontantSigne = Field(description="Selon le plan en vigueur, en euros.")
    affecte: MontantSigne
    retenu: MontantSigne
    manque: MontantSigne = Field(
        description="Attendu moins le plus grand de l’affecté et du retenu, en euros."
    )
    acte: projection_couverture.ActeFondateur = Field(description="Ce qui fonde l’attente.")
    depuis: date = Field(description="Jour depuis lequel cet acte attend ce financeur.")
    echeance: date = Field(description="Dernier jour de l’opération.")
    ouvert: bool = Field(description="Une affectation est encore possible.")


class CouvertureDesContrepartiesOut(Arrete):
    """La couverture des contreparties, arrêtée à un événement du journal et à un jour."""

    par: projection_couverture.Par
    lignes: list[LigneCouvertureOut]
    total: ChiffresCouvertureOut = Field(
        description="Somme des lignes ; les taux ne sont pas des moyennes."
    )
    manques: list[ManqueOut] = Field(
        description="Ceux qui peuvent encore se couvrir d’abord, par échéance."
    )


@router.get("/couverture", responses=refus(404, 422))
def couverture(
    lecture: Lecture,
    situation: SituationDemandee,
    par: projection_couverture.Par = "plie",
    subvention_globale_id: UUID | None = None,
    plie: Mot | None = None,
    operation_id: UUID | None = None,
) -> CouvertureDesContrepartiesOut:
    """Lire la couverture des contreparties : attendu, attesté, perçu, affecté, retenu, manques.

    Sans subvention globale, toutes celles du périmètre s’additionnent.
    """
    found = projection_couverture.couverture(
        lecture.conn,
        lecture.perimetre,
        situation,
        par=par,
        subventions=() if subvention_globale_id is None else (subvention_globale_id,),
        plie=plie,
        operation_id=operation_id,
    )
    return CouvertureDesContrepartiesOut.model_validate(
        {
            **_arrete(found.consolidation),
            "par": found.par,
            "lignes": found.lignes,
            "total": found.total,
            "manques": found.manques,
        }
    )


# --- Levier --------------------------------------------------------------------------------------


class FormuleOut(Representation):
    """Un levier, et comment il se trouve ; ses valeurs sont `null` quand il est indéfini."""

    valeur: str | None = Field(description="À deux décimales.", examples=["3.67"])
    arrondi: str | None = Field(description="À une décimale.", examples=["3.7"])
    fraction: str | None = Field(description="Valeur exacte.", examples=["11/3"])
    numerateur: MontantSigne
    denominateur: MontantSigne = Field(
        description="Apports directs des communes et EPCI, en euros."
    )
    texte: str = Field(description="La formule et ses opérandes.")


class LeviersOut(Representation):
    """Ce qu’apporte chaque euro des communes et EPCI."""

    fse: FormuleOut
    autres_publics: FormuleOut
    ensemble: FormuleOut = Field(description="FSE et autres fonds publics.")
    prives: FormuleOut


class PartOut(Representation):
    """Un type de financeur."""

    type: str
    type_libelle: str
    montant: MontantSigne
    part: Pourcentage = Field(description="Part du total, en %.")


class ContributionsOut(Representation):
    """Qui apporte quoi, en euros, autofinancement non compris ; et les leviers."""

    fse: MontantSigne
    directs: MontantSigne = Field(
        description="Apports directs des communes et EPCI ; leurs contributions en nature n’en "
        "sont pas."
    )
    autres_publics: MontantSigne
    prives: MontantSigne
    total: MontantSigne = Field(description="FSE et tous les financeurs externes.")
    parts: list[PartOut] = Field(description="Par type de financeur ; les nuls n’y sont pas.")
    leviers: LeviersOut | None = Field(
        description="`null` pour ce que l’OI mutualise, qui n’est d’aucun PLIE."
    )


class LigneLevierOut(Representation):
    """Un PLIE, une tranche ou un OI."""

    code: str
    nom: str
    oi_id: str | None
    oi_nom: str | None
    contributions: ContributionsOut
    cumul: ContributionsOut | None = Field(
        description="Par tranche : tout ce qui précède, elle comprise."
    )


class LevierOut(Arrete):
    """Le levier, arrêté à un événement du journal et à un jour."""

    base: projection_levier.NomBase
    definition: str = Field(description="Ce que compte la base, des deux côtés du rapport.")
    par: projection_levier.Par
    annee: int | None = Field(description="Seule tranche comptée ; `null` : toutes.")
    lignes: list[LigneLevierOut]
    total: ContributionsOut = Field(
        description="Somme des lignes ; ses leviers ne sont pas des moyennes."
    )


@router.get("/levier", responses=refus(404, 422))
def levier(
    lecture: Lecture,
    situation: SituationDemandee,
    base: projection_levier.NomBase = "retenu_csf",
    par: projection_levier.Par = "plie",
    annee: Annotated[int | None, Query(ge=2014, le=2035, description="Tranche.")] = None,
    subventions: Annotated[
        Sequence[UUID],
        Query(
            max_length=200,
            description="Subventions globales à additionner ; toutes celles du périmètre à défaut.",
        ),
    ] = (),
) -> LevierOut:
    """Lire le levier : FSE et autres fonds publics par euro direct des communes et EPCI.

    Une consolidation de plusieurs OI, subventions globales et PLIE est cette même lecture.
    """
    found = projection_levier.levier(
        lecture.conn,
        lecture.perimetre,
        situation,
        base=base,
        par=par,
        annee=annee,
        subventions=subventions,
    )
    return LevierOut.model_validate(
        {
            **_arrete(found.consolidation),
            "base": found.base,
            "definition": found.definition,
            "par": found.par,
            "annee": found.annee,
            "lignes": [
                {
                    **{n: getattr(ligne, n) for n in ("code", "nom", "oi_id", "oi_nom")},
                    "contributions": _contributions(ligne.contributions, ligne.formules),
                    "cumul": (
                        None
                        if ligne.cumul is None
                        else _contributions(ligne.cumul, ligne.formules_cumul)
                    ),
                }
                for ligne in found.lignes
            ],
            "total": _contributions(found.total, found.formules),
        }
    )


_MONTANTS = ("fse", "directs", "autres_publics", "prives", "total", "parts")


def _contributions(
    trouvees: projection_levier.Contributions, formules: Sequence[projection_levier.Formule]
) -> dict[str, Any]:
    return {
        **{nom: getattr(trouvees, nom) for nom in _MONTANTS},
        "leviers": {f.nom: _formule(f) for f in formules} or None,
    }


def _formule(formule: projection_levier.Formule) -> dict[str, Any]:
    valeur: Fraction | None = formule.valeur
    return {
        "valeur": None if valeur is None else deux_decimales(valeur),
        "arrondi": None if valeur is None else une_decimale(valeur),
        "fraction": None if valeur is None else f"{valeur.numerator}/{valeur.denominator}",
        "numerateur": formule.numerateur,
        "denominateur": formule.denominateur,
        "texte": formule.texte,
    }
