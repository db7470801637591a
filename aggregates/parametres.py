"""What a grant, a fiche of a call or a convention decides where the texts leave a choice."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, cast

import msgspec
from pydantic import Field

from aggregates.cadre import Reglement
from aggregates.commande import Code, Pourcentage, Saisie
from oi_service.errors import RuleBroken
from oi_service.money import Arrondi, Montant
from rules.fse_du import TauxMode
from rules.paiement import ImputationAvance
from rules.parametres import Parametre, parametre

Fongibilite = Literal["libre", "plafond_par_poste", "tolerance"]
RessourcesIntermediaires = Literal["percues", "prorata"]
ContrepartiesNonPercues = Literal["attestation", "percu_seulement"]


class Refaction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The Fund's share loses ``taux_pct`` when less than ``seuil_pct`` of a target is reached."""

    seuil_pct: Decimal
    taux_pct: Decimal


class Parametres(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every choice, once made. Percentages are of a hundred; ``None``: no ceiling, no clause.

    ``fongibilite``: whether a poste may pass its amount. ``contreparties_non_percues``: what counts
    of a funder that has not paid yet at the final bilan. ``extrapolation``: the convention allows
    it.
    """

    avance_pct: Decimal
    avance_plafond_centimes: int | None
    types_beneficiaires_sans_avance: tuple[str, ...]
    plafond_avant_solde_pct: Decimal | None
    delai_contradictoire_jours: int
    arrondi: str
    taux_mode: TauxMode = "exact"
    imputation_avance: ImputationAvance = "immediate"
    fongibilite: Fongibilite = "libre"
    tolerance_poste_pct: Decimal = Decimal(0)
    ressources_intermediaires: RessourcesIntermediaires = "percues"
    contreparties_non_percues: ContrepartiesNonPercues = "attestation"
    extrapolation: bool = False
    echantillon_taille_min: int = 0
    echantillon_couverture_min_pct: Decimal = Decimal(0)
    refaction: Refaction | None = None


class Surcharge(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What a fiche or a convention decides otherwise; ``None`` leaves what was decided above."""

    avance_pct: Decimal | None = None
    avance_plafond_centimes: int | None = None
    types_beneficiaires_sans_avance: tuple[str, ...] | None = None
    plafond_avant_solde_pct: Decimal | None = None
    delai_contradictoire_jours: int | None = None
    arrondi: Arrondi | None = None
    taux_mode: TauxMode | None = None
    imputation_avance: ImputationAvance | None = None
    fongibilite: Fongibilite | None = None
    tolerance_poste_pct: Decimal | None = None
    ressources_intermediaires: RessourcesIntermediaires | None = None
    contreparties_non_percues: ContrepartiesNonPercues | None = None
    extrapolation: bool | None = None
    echantillon_taille_min: int | None = None
    echantillon_couverture_min_pct: Decimal | None = None
    refaction: Refaction | None = None


class RefactionInutile(RuleBroken):
    """Une réfaction de 0 % ne retire rien : indiquez son taux, ou n’indiquez pas de réfaction."""


Jours = Annotated[int, Field(strict=True, ge=0, le=365)]


class RefactionSaisie(Saisie):
    """A clause of réfaction."""

    seuil_pct: Pourcentage
    taux_pct: Pourcentage


class ParametresSaisis(Saisie):
    """What is decided here; what is left out comes from above, at last from the texts."""

    avance_pct: Pourcentage | None = None
    avance_plafond: Montant | None = None
    types_beneficiaires_sans_avance: tuple[Code, ...] | None = None
    plafond_avant_solde_pct: Pourcentage | None = None
    delai_contradictoire_jours: Jours | None = None
    arrondi: Arrondi | None = None
    taux_mode: TauxMode | None = None
    imputation_avance: ImputationAvance | None = None
    fongibilite: Fongibilite | None = None
    tolerance_poste_pct: Pourcentage | None = None
    ressources_intermediaires: RessourcesIntermediaires | None = None
    contreparties_non_percues: ContrepartiesNonPercues | None = None
    extrapolation: Annotated[bool, Field(strict=True)] | None = None
    echantillon_taille_min: Annotated[int, Field(strict=True, ge=0, le=5000)] | None = None
    echantillon_couverture_min_pct: Pourcentage | None = None
    refaction: RefactionSaisie | None = None

    def surcharge(self) -> Surcharge:
        """Return the value that facts carry."""
        if self.refaction is not None and Decimal(self.refaction.taux_pct) == 0:
            raise RefactionInutile
        lus: dict[str, Any] = {
            nom: getattr(self, nom)
            for nom in Surcharge.__struct_fields__
            if nom != "avance_plafond_centimes"
        }
        for nom in _POURCENTAGES:
            lus[nom] = None if lus[nom] is None else Decimal(lus[nom])
        if self.refaction is not None:
            lus["refaction"] = Refaction(
                seuil_pct=Decimal(self.refaction.seuil_pct),
                taux_pct=Decimal(self.refaction.taux_pct),
            )
        return Surcharge(avance_plafond_centimes=self.avance_plafond, **lus)


_POURCENTAGES = (
    "avance_pct",
    "plafond_avant_solde_pct",
    "tolerance_poste_pct",
    "echantillon_couverture_min_pct",
)


def parametres_des_textes(reglement: Reglement, le: date) -> Parametres:
    """Return what holds on a day when nobody decided otherwise: no ceiling, no clause."""

    def lire(nom: str) -> Parametre:
        return parametre(nom, le=le, reglement=reglement)

    return Parametres(
        avance_pct=lire("avance_pct").pourcent,
        avance_plafond_centimes=None,
        types_beneficiaires_sans_avance=lire("types_beneficiaires_sans_avance").codes,
        plafond_avant_solde_pct=None,
        delai_contradictoire_jours=lire("delai_contradictoire_jours").entier,
        arrondi=lire("arrondi_mode").mode,
        taux_mode=cast("TauxMode", lire("taux_mode").mode),
        imputation_avance=cast("ImputationAvance", lire("imputation_avance").mode),
        fongibilite=cast("Fongibilite", lire("fongibilite").mode),
        tolerance_poste_pct=lire("tolerance_poste_pct").pourcent,
        ressources_intermediaires=cast(
            "RessourcesIntermediaires", lire("ressources_intermediaires").mode
        ),
        contreparties_non_percues=cast(
            "ContrepartiesNonPercues", lire("contreparties_non_percues").mode
        ),
        extrapolation=lire("extrapolation_prevue").mode == "oui",
        echantillon_taille_min=lire("echantillon_taille_min").entier,
        echantillon_couverture_min_pct=lire("echantillon_couverture_min_pct").pourcent,
    )


def surcharger(parametres: Parametres, *surcharges: Surcharge | None) -> Parametres:
    """Apply what a fiche, then a convention, decide otherwise."""
    for surcharge in surcharges:
        if surcharge is None:
            continue
        decide = {
            nom: valeur
            for nom in surcharge.__struct_fields__
            if (valeur := getattr(surcharge, nom)) is not None
        }
        parametres = msgspec.structs.replace(parametres, **decide)
    return parametres
