"""Declaring a dépense, correcting it, taking it back, taking back from it."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from aggregates.commande import Annee, CodePoste, Commande, CommandeMotivee, Saisie, Texte
from aggregates.convention.state import Convention
from aggregates.depense.events import (
    DepenseAnnulee,
    DepenseCorrigee,
    DepenseDeclaree,
    DepenseRegularisee,
    Detail,
)
from aggregates.depense.state import Depense
from aggregates.operation.state import Operation
from aggregates.operation.transitions import exiger
from oi_service.dates import Jour
from oi_service.errors import Conflict, RuleBroken
from oi_service.money import Arrondi, Montant, cents, euros
from rules.eligibilite import PREUVES_ACQUITTEMENT
from rules.nomenclature import POSTES
from rules.temps import (
    JUSTIFICATIFS_TEMPS,
    METHODES,
    Cle,
    JourTravaille,
    Methode,
    Temps,
    montant_calcule,
)


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
    """Le montant d’une dépense n’est pas nul : indiquez ce qui est imputé à l’opération."""


class CleInvalide(RuleBroken):
    """La clé de répartition {numerateur}/{denominateur} dépasse l’unité ou divise par zéro."""


class MontantAbsent(RuleBroken):
    """Le montant imputé de la dépense {piece} manque : indiquez-le, ou donnez de quoi le calculer,
    le temps passé ou une clé avec son assiette.
    """


class TempsEtCle(RuleBroken):
    """La dépense {piece} se répartit par le temps ou par une clé, pas par les deux : retirez l’un
    des deux, ou déclarez deux dépenses.
    """


class TempsIncomplet(RuleBroken):
    """La méthode « {methode} » ne se calcule pas sans {manque}."""


class MontantNegatif(RuleBroken):
    """La dépense {piece} est négative : nommez dans « regularise » la dépense qu’elle corrige."""


class RegularisationPositive(RuleBroken):
    """La régularisation {piece} reprend ce qu’une dépense a apporté : son montant est négatif."""


class RegularisationAutreOperation(RuleBroken):
    """La dépense {piece} appartient à une autre opération : une régularisation corrige une dépense
    de la même opération.
    """


class RegularisationAutrePoste(RuleBroken):
    """La dépense {piece} est du poste « {poste} » : sa régularisation est du même poste."""


class RegularisationDeRegularisation(RuleBroken):
    """La dépense {piece} est déjà une régularisation : corrigez-la, ou annulez-la, plutôt que de la
    régulariser.
    """


class RegularisationDeDepenseAnnulee(RuleBroken):
    """La dépense {piece} est annulée : il n’y a plus rien à en reprendre."""


class RegularisationExcessive(RuleBroken):
    """{reprise:euros} ne peuvent pas être repris sur la dépense {piece} : {base} pour
    {plafond:euros}, elle en a déjà rendu {deja:euros} et il en reste {reste:euros}.
    """


class DepenseDejaRegularisee(RuleBroken):
    """La dépense {piece} est corrigée par une régularisation de {montant:euros} : annulez d’abord
    la régularisation.
    """


def _preuve(code: str) -> str:
    if code not in PREUVES_ACQUITTEMENT:
        known = ", ".join(sorted(PREUVES_ACQUITTEMENT))
        raise ValueError(f"preuve d’acquittement inconnue ; valeurs possibles : {known}")
    return code


def _justificatif(code: str) -> str:
    if code not in JUSTIFICATIFS_TEMPS:
        known = ", ".join(sorted(JUSTIFICATIFS_TEMPS))
        raise ValueError(f"justificatif du temps inconnu ; valeurs possibles : {known}")
    return code


_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,8})(?:\.([0-9]{1,4}))?")


def _nombre(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise ValueError(
            "un nombre s’écrit en chaîne de caractères, avec un point et quatre décimales au plus, "
            'par exemple "612.50"'
        )
    return Decimal(value)


def _positif(value: Decimal) -> Decimal:
    if value == 0:
        raise ValueError("ce nombre ne peut pas être nul")
    return value


def _part_de_cent(value: Decimal) -> Decimal:
    if value > 100:
        raise ValueError("un pourcentage du temps va de 0 à 100")
    return value


def _terme(value: Any) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9:
        return value
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return value
    raise ValueError(
        "un terme de la clé est un entier positif, ou un nombre en chaîne de caractères avec un "
        'point, par exemple "7.25"'
    )


def _montant_signe(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError(  # noqa: TRY004 - pydantic turns ValueError into a refusal
            'un montant est une chaîne de caractères comme "1234.56", jamais un nombre JSON'
        )
    return -cents(value[1:]) if value.startswith("-") else cents(value)


Preuve = Annotated[str, AfterValidator(_preuve)]
JustificatifTemps = Annotated[str, AfterValidator(_justificatif)]
_SCHEMA_DECIMAL = {"type": "string", "pattern": r"^(0|[1-9]\d{0,8})(\.\d{1,4})?$"}
#: Hours at a door: a decimal string, as amounts are.
Heures = Annotated[
    Decimal,
    BeforeValidator(_nombre),
    AfterValidator(_positif),
    WithJsonSchema({**_SCHEMA_DECIMAL, "examples": ["612.50"]}),
]
PartDuTemps = Annotated[
    Decimal,
    BeforeValidator(_nombre),
    AfterValidator(_positif),
    AfterValidator(_part_de_cent),
    WithJsonSchema({**_SCHEMA_DECIMAL, "examples": ["40"]}),
]
#: A term of a key: a whole number, or a decimal string such as full-time equivalents.
TermeDeCle = Annotated[
    int | str,
    BeforeValidator(_terme),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer", "minimum": 0, "maximum": 10**9}, _SCHEMA_DECIMAL],
            "examples": [3, "7.25"],
        }
    ),
]
#: What is charged to the operation; negative when it takes back from another dépense.
MontantImpute = Annotated[
    int,
    BeforeValidator(_montant_signe),
    PlainSerializer(euros, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^-?(0|[1-9]\d{0,12})\.\d{2}$",
            "examples": ["1234.56", "-50.00"],
            "description": "Euros, deux décimales, chaîne de caractères ; négatif pour une "
            "régularisation.",
        }
    ),
]


class CleSaisie(Saisie):
    """The key that charges a part of a cost to the operation."""

    numerateur: TermeDeCle
    denominateur: TermeDeCle
    libelle: Texte
    assiette: Montant | None = Field(default=None, description="Le coût que la clé répartit.")

    def cle(self) -> Cle:
        """Return the value that facts carry, its terms as exact whole numbers, or refuse it."""
        haut, bas = Decimal(self.numerateur), Decimal(self.denominateur)
        if not 0 < haut <= bas:
            raise CleInvalide(numerateur=self.numerateur, denominateur=self.denominateur)
        decimales = max(_decimales(haut), _decimales(bas))
        return Cle(
            numerateur=int(haut.scaleb(decimales)),
            denominateur=int(bas.scaleb(decimales)),
            libelle=self.libelle,
            assiette_centimes=self.assiette,
        )


def _decimales(value: Decimal) -> int:
    """Return how many decimals a term was written with."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


class JourSaisi(Saisie):
    """The hours of one day on the operation."""

    jour: Jour
    heures: Heures


class TempsSaisi(Saisie):
    """The time that charges the cost of a person to the operation.

    The cost and the hours of the base are those of the month when ``mois`` is given, else of the
    whole year. Hours of the operation left out are the sum of the days.
    """

    methode: Methode
    cout: Montant = Field(description="Coût de la personne pour le mois, sinon pour l’année.")
    heures_operation: Heures | None = None
    heures_base: Heures | None = Field(
        default=None, description="Heures de l’année pour un taux horaire, sinon travaillées."
    )
    pourcentage: PartDuTemps | None = None
    jours: Annotated[tuple[JourSaisi, ...], Field(max_length=366)] = ()
    annee: Annee | None = Field(default=None, description="Celle de la réalisation, à défaut.")
    mois: Annotated[int, Field(strict=True, ge=1, le=12)] | None = None
    justificatif: JustificatifTemps | None = None
    accepte_le: Jour | None = Field(
        default=None, description="Jour où le gestionnaire a accepté un pourcentage fixe."
    )

    def temps(self, realisation: date) -> Temps:
        """Return the value that facts carry, or refuse what its method cannot do without."""
        temps = Temps(
            methode=self.methode,
            cout_centimes=self.cout,
            annee=self.annee or realisation.year,
            mois=self.mois,
            heures_operation=self.heures_operation
            or (sum((j.heures for j in self.jours), Decimal()) if self.jours else None),
            heures_base=self.heures_base,
            pourcentage=self.pourcentage,
            jours=tuple(JourTravaille(jour=j.jour, heures=j.heures) for j in self.jours),
            justificatif=self.justificatif,
            accepte_le=self.accepte_le,
        )
        for champ, nom in _INDISPENSABLES[self.methode].items():
            if getattr(temps, champ) is None:
                raise TempsIncomplet(methode=METHODES[self.methode], manque=nom)
        return temps


_HEURES = {"heures_operation": "les heures de l’opération", "heures_base": "les heures de base"}
#: What each method cannot be computed without.
_INDISPENSABLES: dict[Methode, dict[str, str]] = {
    "taux_horaire": _HEURES,
    "temps_travaille": _HEURES,
    "pourcentage_fixe": {"pourcentage": "le pourcentage"},
    "plein_temps": {},
}


class DetailSaisi(Saisie):
    """What the beneficiary declares of a dépense.

    ``montant_impute`` left out is computed from the time or from the key and its assiette.
    """

    poste: CodePoste
    nature: Texte
    tiers_ref: Texte | None = Field(
        default=None,
        description="Fournisseur, ou référence opaque du salarié ; obligatoire sans `salarie_id`.",
    )
    salarie_id: UUID | None = Field(
        default=None, description="Salarié enregistré parmi les personnes : tient lieu de tiers."
    )
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
    temps: TempsSaisi | None = None
    marche_ref: Texte | None = None
    mise_en_concurrence_ref: Texte | None = None
    regularise: UUID | None = Field(
        default=None, description="Dépense de la même opération qu’un montant négatif corrige."
    )
    montant_impute: MontantImpute | None = Field(
        default=None, description="Calculé, s’il manque, à partir du temps ou de la clé."
    )

    def model_post_init(self, _context: object, /) -> None:
        """Ask whom the dépense went to, once: an employee is not named twice, nor in clear."""
        if (self.tiers_ref is None) is (self.salarie_id is None):
            raise ValueError("indiquez soit tiers_ref, soit salarie_id")

    def detail(self, arrondi: Arrondi = "demi_superieur") -> Detail:
        """Return the value that facts carry, or refuse it."""
        if self.temps is not None and self.cle is not None:
            raise TempsEtCle(piece=self.piece_ref)
        temps = self.temps.temps(self.date_realisation) if self.temps else None
        cle = self.cle.cle() if self.cle else None
        return Detail(
            poste=self.poste,
            nature=self.nature,
            tiers_ref=self.tiers_ref or f"salarie-{self.salarie_id}",
            piece_ref=self.piece_ref,
            date_piece=self.date_piece,
            date_realisation=self.date_realisation,
            date_engagement=self.date_engagement,
            date_acquittement=self.date_acquittement,
            preuve_acquittement=self.preuve_acquittement,
            montant_ht_centimes=self.montant_ht,
            montant_ttc_centimes=self.montant_ttc,
            tva_recuperable_centimes=self.tva_recuperable,
            cle=cle,
            montant_impute_centimes=self._montant(temps, cle, arrondi),
            temps=temps,
            marche_ref=self.marche_ref,
            mise_en_concurrence_ref=self.mise_en_concurrence_ref,
            regularise=self.regularise,
            salarie_id=self.salarie_id,
        )

    def _montant(self, temps: Temps | None, cle: Cle | None, arrondi: Arrondi) -> int:
        """Return what is charged: as declared, else as computed. A computed gap is a finding."""
        regularisation = self.regularise is not None
        montant = self.montant_impute
        if montant is None:
            montant = montant_calcule(temps, cle, arrondi, regularisation=regularisation)
        if montant is None:
            raise MontantAbsent(piece=self.piece_ref)
        if montant == 0:
            raise DepenseNulle
        if montant < 0 and not regularisation:
            raise MontantNegatif(piece=self.piece_ref)
        if montant > 0 and regularisation:
            raise RegularisationPositive(piece=self.piece_ref)
        return montant


class DeclarerDepense(Commande):
    """Declare a dépense of an operation under convention."""

    detail: DetailSaisi


class DeclarerDepenses(Commande):
    """Declare several dépenses at once: all or none."""

    depenses: Annotated[tuple[DetailSaisi, ...], Field(min_length=1, max_length=1000)]


def exiger_declaration(operation: Operation, convention: Convention | None) -> Convention:
    """Return the convention; refuse a dépense before it or after the final bilan."""
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
    return convention


def declarer(
    depense: Depense | None,
    commande: Commande,
    saisie: DetailSaisi,
    operation: Operation,
    operation_id: UUID,
    arrondi: Arrondi = "demi_superieur",
) -> list[DepenseDeclaree]:
    """Declare. Eligibility findings inform the control, they never block the declaration.

    ``arrondi``: how the convention rounds a computed amount.
    """
    if depense is not None:
        raise DepenseDejaDeclaree
    return [
        DepenseDeclaree(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            cadre=operation.cadre,
            operation_id=operation_id,
            detail=saisie.detail(arrondi),
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
    if depense.regularise:
        raise DepenseDejaRegularisee(piece=piece, montant=depense.regularise)


class CorrigerDepense(CommandeMotivee):
    """Replace what was declared; the fact names what it corrects."""

    detail: DetailSaisi


def corriger(
    depense: Depense,
    commande: CorrigerDepense,
    *,
    rattachee: bool,
    arrondi: Arrondi = "demi_superieur",
) -> list[DepenseCorrigee]:
    """Correct a dépense that no standing bilan carries."""
    _exiger_libre(depense, rattachee)
    apres = commande.detail.detail(arrondi)
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


def regulariser(
    depense: Depense,
    commande: Commande,
    depense_id: UUID,
    regularisation: Depense,
    regularisation_id: UUID,
) -> list[DepenseRegularisee]:
    """Note on a dépense what a régularisation takes back of it, or no longer does.

    All that is taken back stays within what the control kept, before it within what was declared.
    """
    piece = depense.detail.piece_ref
    reprise = 0
    if regularisation.detail.regularise == depense_id and regularisation.statut != "annulee":
        reprise = regularisation.montant
        _exiger_corrigeable(depense, regularisation)
    deja = depense.regularisations.get(regularisation_id, 0)
    if reprise == deja:
        return []
    autres = depense.regularise - deja
    plafond = depense.retenu if depense.statut == "controlee" else depense.montant
    if plafond + autres + reprise < 0:
        raise RegularisationExcessive(
            piece=piece,
            reprise=-reprise,
            base="retenue" if depense.statut == "controlee" else "déclarée",
            plafond=plafond,
            deja=-autres,
            reste=plafond + autres,
        )
    return [
        DepenseRegularisee(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            operation_id=depense.operation_id,
            regularisation_id=regularisation_id,
            montant_centimes=reprise,
        )
    ]


def _exiger_corrigeable(depense: Depense, regularisation: Depense) -> None:
    piece = depense.detail.piece_ref
    if depense.operation_id != regularisation.operation_id:
        raise RegularisationAutreOperation(piece=piece)
    if depense.detail.regularise is not None:
        raise RegularisationDeRegularisation(piece=piece)
    if depense.statut == "annulee":
        raise RegularisationDeDepenseAnnulee(piece=piece)
    if depense.detail.poste != regularisation.detail.poste:
        raise RegularisationAutrePoste(
            piece=piece, poste=POSTES.get(depense.detail.poste, depense.detail.poste)
        )
