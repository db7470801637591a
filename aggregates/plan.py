"""The plan de financement of an operation: what it costs, who pays."""

from collections import Counter
from fractions import Fraction
from typing import Literal

import msgspec
from pydantic import Field

from aggregates.commande import CodePoste, Saisie, Texte, TypeRessource
from oi_service.errors import RuleBroken
from oi_service.money import Montant

#: Not brought by a third party: the beneficiary's own money, which balances the plan.
AUTOFINANCEMENT = "autofinancement"


class Poste(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of expenditure. ``mode`` says how it is counted; real costs for now."""

    code: str
    montant_centimes: int
    mode: Literal["reel"] = "reel"


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


class PosteSaisi(Saisie):
    """A line of expenditure."""

    code: CodePoste
    montant: Montant


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
            postes=tuple(Poste(code=p.code, montant_centimes=p.montant) for p in self.postes),
            fse_centimes=self.fse,
            ressources=tuple(
                Ressource(type=r.type, financeur=r.financeur, montant_centimes=r.montant)
                for r in self.ressources
            ),
        )
        equilibrer(plan)
        return plan


def equilibrer(plan: PlanFinancement) -> None:
    """Refuse a plan whose two sides differ, be it by one cent.

    Raises: PlanSansDepense, PosteEnDouble, PlanDesequilibre.
    """
    depenses = plan.cout_total_centimes
    ressources = plan.fse_centimes + plan.ressources_centimes
    if depenses == 0:
        raise PlanSansDepense
    for poste, fois in Counter(p.code for p in plan.postes).items():
        if fois > 1:
            raise PosteEnDouble(poste=poste)
    if depenses != ressources:
        raise PlanDesequilibre(
            depenses=depenses, ressources=ressources, ecart=abs(depenses - ressources)
        )
