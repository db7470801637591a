"""Declaring a dépense, correcting it, taking it back."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from aggregates.commande import CodePoste, Commande, CommandeMotivee, Saisie, Texte
from aggregates.convention.state import Convention
from aggregates.depense.events import Cle, DepenseAnnulee, DepenseCorrigee, DepenseDeclaree, Detail
from aggregates.depense.state import Depense
from aggregates.operation.state import Operation
from aggregates.operation.transitions import exiger
from oi_service.dates import Jour
from oi_service.errors import Conflict, RuleBroken
from oi_service.money import Montant
from rules.eligibilite import PREUVES_ACQUITTEMENT


class DepenseAvantConvention(RuleBroken):
    """Aucune dépense ne peut être déclarée : la convention de l’opération n’est pas notifiée."""


class DepenseDejaDeclaree(Conflict):
    """Cette dépense est déjà déclarée."""


class DepenseDejaControlee(RuleBroken):
    """La dépense {piece} est déjà contrôlée : elle se corrige par une nouvelle version du contrôle
    de service fait.
    """


class DepenseDansUnBilan(RuleBroken):
    """La dépense {piece} est dans un bilan déposé : faites renvoyer le bilan pour la modifier."""


class DepenseAnnuleeDefinitivement(RuleBroken):
    """La dépense {piece} est annulée : déclarez-en une nouvelle."""


class DepenseNulle(RuleBroken):
    """Une dépense déclarée porte un montant positif."""


class CleInvalide(RuleBroken):
    """La clé de répartition {numerateur}/{denominateur} dépasse l’unité ou divise par zéro."""


def _preuve(code: str) -> str:
    if code not in PREUVES_ACQUITTEMENT:
        known = ", ".join(sorted(PREUVES_ACQUITTEMENT))
        raise ValueError(f"preuve d’acquittement inconnue ; valeurs possibles : {known}")
    return code


Preuve = Annotated[str, AfterValidator(_preuve)]
Entier = Annotated[int, Field(strict=True, ge=0, le=10**9)]


class CleSaisie(Saisie):
    """The key that charges a part of a cost to the operation."""

    numerateur: Entier
    denominateur: Entier
    libelle: Texte


class DetailSaisi(Saisie):
    """What the beneficiary declares of a dépense."""

    poste: CodePoste
    nature: Texte
    tiers_ref: Texte
    piece_ref: Texte
    date_piece: Jour
    date_realisation: Jour
    date_engagement: Jour | None = None
    date_acquittement: Jour | None = None
    preuve_acquittement: Preuve | None = None
    montant_ht: Montant | None = None
    montant_ttc: Montant | None = None
    tva_recuperable: Montant | None = None
    cle: CleSaisie | None = None
    montant_impute: Montant

    def detail(self) -> Detail:
        """Return the value that facts carry, or refuse it."""
        if self.montant_impute == 0:
            raise DepenseNulle
        cle = self.cle
        if cle is not None and not 0 < cle.numerateur <= cle.denominateur:
            raise CleInvalide(numerateur=cle.numerateur, denominateur=cle.denominateur)
        return Detail(
            poste=self.poste,
            nature=self.nature,
            tiers_ref=self.tiers_ref,
            piece_ref=self.piece_ref,
            date_piece=self.date_piece,
            date_realisation=self.date_realisation,
            date_engagement=self.date_engagement,
            date_acquittement=self.date_acquittement,
            preuve_acquittement=self.preuve_acquittement,
            montant_ht_centimes=self.montant_ht,
            montant_ttc_centimes=self.montant_ttc,
            tva_recuperable_centimes=self.tva_recuperable,
            cle=Cle(**cle.model_dump()) if cle else None,
            montant_impute_centimes=self.montant_impute,
        )


class DeclarerDepense(Commande):
    """Declare a dépense of an operation under convention."""

    detail: DetailSaisi


class DeclarerDepenses(Commande):
    """Declare several dépenses at once: all or none."""

    depenses: Annotated[tuple[DetailSaisi, ...], Field(min_length=1, max_length=1000)]


def exiger_declaration(operation: Operation, convention: Convention | None) -> None:
    """Refuse a dépense before the convention or after the final bilan."""
    if convention is None or convention.notifiee_le is None:
        raise DepenseAvantConvention
    exiger(
        operation,
        "Déclarer une dépense",
        "conventionne",
        "en_execution",
        "realisation_terminee",
        "abandonne",
        "resilie",
    )


def declarer(
    depense: Depense | None,
    commande: Commande,
    saisie: DetailSaisi,
    operation: Operation,
    operation_id: UUID,
) -> list[DepenseDeclaree]:
    """Declare. Eligibility findings inform the control, they never block the declaration."""
    if depense is not None:
        raise DepenseDejaDeclaree
    return [
        DepenseDeclaree(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            cadre=operation.cadre,
            operation_id=operation_id,
            detail=saisie.detail(),
        )
    ]


def _exiger_libre(depense: Depense, rattachee: bool) -> None:  # noqa: FBT001 - a plain fact
    piece = depense.detail.piece_ref
    if depense.statut == "annulee":
        raise DepenseAnnuleeDefinitivement(piece=piece)
    if depense.statut == "controlee":
        raise DepenseDejaControlee(piece=piece)
    if rattachee:
        raise DepenseDansUnBilan(piece=piece)


class CorrigerDepense(CommandeMotivee):
    """Replace what was declared; the fact names what it corrects."""

    detail: DetailSaisi


def corriger(
    depense: Depense, commande: CorrigerDepense, *, rattachee: bool
) -> list[DepenseCorrigee]:
    """Correct a dépense that no standing bilan carries."""
    _exiger_libre(depense, rattachee)
    apres = commande.detail.detail()
    if apres == depense.detail:
        return []
    return [
        DepenseCorrigee(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            operation_id=depense.operation_id,
            corrige_version=depense.version,
            avant=depense.detail,
            apres=apres,
        )
    ]


class AnnulerDepense(CommandeMotivee):
    """Take a dépense back."""


def annuler(depense: Depense, commande: AnnulerDepense, *, rattachee: bool) -> list[DepenseAnnulee]:
    """Take back a dépense that no standing bilan carries."""
    _exiger_libre(depense, rattachee)
    return [
        DepenseAnnulee(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            operation_id=depense.operation_id,
            montant_impute_centimes=depense.montant,
        )
    ]
