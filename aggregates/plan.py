"""The plan de financement of an operation: what it costs, who pays."""

from collections import Counter
from decimal import Decimal
from fractions import Fraction

import msgspec
from pydantic import Field

from aggregates.commande import (
    Code,
    CodePoste,
    OptionCouts,
    Pourcentage,
    Quantite,
    Saisie,
    Texte,
    TypeRessource,
)
from oi_service.errors import RuleBroken
from oi_service.money import Montant
from rules.calcul import Mode
from rules.couts import verifier_montants
from rules.nomenclature import POSTES, RESSOURCES_PUBLIQUES

#: Not brought by a third party: the beneficiary's own money, which balances the plan.
AUTOFINANCEMENT = "autofinancement"


class Livrable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A deliverable of a lump sum: its amount is due when it is reached, or not at all."""

    id: str
    libelle: str
    montant_centimes: int


class Poste(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of expenditure, and under which form it is reimbursed.

    A flat rate has an ``option`` of `rules.couts`, a rate and an ``assiette``, the postes it
    applies to; a unit cost has a unit and its cost; a lump sum has deliverables. The last two say
    which other postes they cover (``couvre``): one cost has one form.
    """

    code: str
    montant_centimes: int
    mode: Mode = "reel"
    libelle: str | None = None
    option: str | None = None
    taux_pct: Decimal | None = None
    assiette: tuple[str, ...] = ()
    methode_ref: str | None = None
    couvre: tuple[str, ...] = ()
    unite: str | None = None
    cout_unite_centimes: int | None = None
    unites: Decimal | None = None
    livrables: tuple[Livrable, ...] = ()


class Ressource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of funding other than the Fund's."""

    type: str
    financeur: str
    montant_centimes: int


class PlanFinancement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Expenditure by poste; the Fund's share; everybody else's."""

    postes: tuple[Poste, ...]
    fse_centimes: int
    ressources: tuple[Ressource, ...]

    @property
    def cout_total_centimes(self) -> int:
        """Total eligible cost."""
        return sum(p.montant_centimes for p in self.postes)

    @property
    def ressources_centimes(self) -> int:
        """Everything that is not the Fund's, autofinancement included."""
        return sum(r.montant_centimes for r in self.ressources)

    @property
    def contreparties_centimes(self) -> int:
        """What others bring: neither the Fund's nor the beneficiary's own money."""
        return sum(r.montant_centimes for r in self.ressources if r.type != AUTOFINANCEMENT)

    @property
    def soutien_public_centimes(self) -> int:
        """The Fund's money and that of other public funders."""
        publiques = (r.montant_centimes for r in self.ressources if r.type in RESSOURCES_PUBLIQUES)
        return self.fse_centimes + sum(publiques)

    @property
    def taux_fse(self) -> Fraction:
        """Exact share of the Fund; never rounded, never stored."""
        return Fraction(self.fse_centimes, self.cout_total_centimes)


class PlanDesequilibre(RuleBroken):
    """Le plan de financement n’est pas équilibré : {depenses:euros} de dépenses pour
    {ressources:euros} de ressources, soit un écart de {ecart:euros}. Corrigez les postes ou les
    ressources pour que les deux totaux soient égaux au centime.
    """


class PlanSansDepense(RuleBroken):
    """Le plan de financement ne prévoit aucune dépense."""


class PosteEnDouble(RuleBroken):
    """Le poste « {poste} » apparaît deux fois dans le plan : regroupez-le sur une seule ligne, un
    coût ne se présente que sous une forme.
    """

    article = "Règlement (UE) 2021/1060, art. 53 §1"


class ContributionSansRessource(RuleBroken):
    """{depense:euros} de dépenses « {poste} » ont pour ressource correspondante {ressource:euros} :
    une contribution en nature ou d’un tiers figure pour le même montant en dépense et en ressource.
    """

    article = "Règlement (UE) n° 1303/2013, art. 69 §1 ; règlement (UE) 2021/1060, art. 67 §1"


class LivrableSaisi(Saisie):
    """A deliverable of a lump sum."""

    id: Code
    libelle: Texte
    montant: Montant


class PosteSaisi(Saisie):
    """A line of expenditure: at real cost unless it says otherwise."""

    code: Code
    montant: Montant
    mode: Mode = "reel"
    libelle: Texte | None = None
    option: OptionCouts | None = None
    taux_pct: Pourcentage | None = None
    assiette: tuple[Code, ...] = Field(default=(), max_length=20)
    methode_ref: Texte | None = None
    couvre: tuple[CodePoste, ...] = Field(default=(), max_length=20)
    unite: Texte | None = None
    cout_unite: Montant | None = None
    unites: Quantite | None = None
    livrables: tuple[LivrableSaisi, ...] = Field(default=(), max_length=100)

    def poste(self) -> Poste:
        """Return the value that facts carry."""
        return Poste(
            code=self.code,
            montant_centimes=self.montant,
            mode=self.mode,
            libelle=self.libelle,
            option=self.option,
            taux_pct=None if self.taux_pct is None else Decimal(self.taux_pct),
            assiette=self.assiette,
            methode_ref=self.methode_ref,
            couvre=self.couvre,
            unite=self.unite,
            cout_unite_centimes=self.cout_unite,
            unites=None if self.unites is None else Decimal(self.unites),
            livrables=tuple(
                Livrable(id=x.id, libelle=x.libelle, montant_centimes=x.montant)
                for x in self.livrables
            ),
        )


class RessourceSaisie(Saisie):
    """A line of funding other than the Fund's."""

    type: TypeRessource
    financeur: Texte
    montant: Montant


class PlanSaisi(Saisie):
    """A plan de financement as it is typed."""

    postes: tuple[PosteSaisi, ...] = Field(min_length=1, max_length=50)
    fse: Montant
    ressources: tuple[RessourceSaisie, ...] = Field(default=(), max_length=100)

    def plan(self) -> PlanFinancement:
        """Return the plan, balanced to the cent, or refuse it."""
        plan = PlanFinancement(
            postes=tuple(p.poste() for p in self.postes),
            fse_centimes=self.fse,
            ressources=tuple(
                Ressource(type=r.type, financeur=r.financeur, montant_centimes=r.montant)
                for r in self.ressources
            ),
        )
        equilibrer(plan)
        return plan


def equilibrer(plan: PlanFinancement) -> None:
    """Refuse a plan whose two sides differ, be it by one cent, or whose postes do not add up.

    Raises: PlanSansDepense, PosteEnDouble, PlanDesequilibre, ContributionSansRessource, and the
    refusals of `rules.couts.verifier_montants`.
    """
    depenses = plan.cout_total_centimes
    ressources = plan.fse_centimes + plan.ressources_centimes
    if depenses == 0:
        raise PlanSansDepense
    for poste, fois in Counter(p.code for p in plan.postes).items():
        if fois > 1:
            raise PosteEnDouble(poste=poste)
    verifier_montants(plan.postes)
    if depenses != ressources:
        raise PlanDesequilibre(
            depenses=depenses, ressources=ressources, ecart=abs(depenses - ressources)
        )
    for code in ("nature", "tiers"):
        depense = sum(p.montant_centimes for p in plan.postes if p.code == code)
        ressource = sum(r.montant_centimes for r in plan.ressources if r.type == code)
        if depense != ressource:
            raise ContributionSansRessource(
                poste=POSTES[code], depense=depense, ressource=ressource
            )
