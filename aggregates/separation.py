"""Separation of duties: what a person did before closes to them what must be seen by another.

Pure rules, on who did what as the facts say it. A fact older than the rule names nobody: the rule
then has nothing to look back on. Each refusal names the earlier act and its day.
"""

from collections.abc import Mapping
from datetime import date
from typing import Literal

import msgspec

from oi_service.errors import RuleBroken

SEPARATION = "Règlement (UE) 1303/2013, art. 125 §7 ; règlement (UE) 2021/1060, art. 74 §3"


#: Acts that the rules look back on, and how a refusal says each.
Acte = Literal[
    "plan_fixe",
    "rapport_signe",
    "controle_ouvert",
    "decision_de_controle",
    "depenses_controlees",
    "controle_propose",
    "controle_valide",
    "deport",
]
MOTS: dict[Acte, str] = {
    "plan_fixe": "plan de financement fixé",
    "rapport_signe": "désignation par le rapport d’instruction",
    "controle_ouvert": "contrôle ouvert",
    "decision_de_controle": "décision de contrôle",
    "depenses_controlees": "dépenses contrôlées",
    "controle_propose": "contrôle proposé à la validation",
    "controle_valide": "contrôle validé",
    "deport": "déport",
}


class ActeAnterieur(msgspec.Struct, frozen=True):
    """What somebody did, and on which day."""

    acte: Acte
    le: date

    @property
    def mots(self) -> str:
        """The act, as a refusal says it before its day."""
        return MOTS[self.acte]


#: Persons, by account, and the first act of each.
Acteurs = Mapping[str, ActeAnterieur]


def noter(connus: Acteurs, qui: str | None, acte: Acte, le: date) -> Acteurs:
    """Remember the first act of a person; a fact that names nobody adds nothing."""
    if qui is None or qui in connus:
        return connus
    return {**connus, qui: ActeAnterieur(acte, le)}


def reunir(*groupes: Acteurs) -> Acteurs:
    """Put groups together; the earliest act of each person counts."""
    reunis: dict[str, ActeAnterieur] = {}
    for groupe in groupes:
        for qui, acte in groupe.items():
            if qui not in reunis or acte.le < reunis[qui].le:
                reunis[qui] = acte
    return reunis


class InstructeurEgalValideur(RuleBroken):
    """Vous avez instruit ce dossier ({acte} le {le}) : une autre personne valide le rapport
    d’instruction.
    """

    article = SEPARATION


class InstructeurValideService(RuleBroken):
    """Vous avez instruit cette opération ({acte} le {le}) : une autre personne valide ses contrôles
    de service fait.
    """

    article = SEPARATION


class ControleurEgalValideur(RuleBroken):
    """Vous avez contrôlé ce bilan n° {bilan} ({acte} le {le}) : une autre personne valide le
    contrôle.
    """

    article = SEPARATION


class InstructeurEgalOrdonnateur(RuleBroken):
    """Vous avez instruit cette opération ({acte} le {le}) : une autre personne ordonnance ses
    paiements.
    """

    article = SEPARATION


class ControleurEgalPayeur(RuleBroken):
    """Vous avez contrôlé le bilan n° {bilan} ({acte} le {le}) : une autre personne {suite} le
    paiement qui en découle.
    """

    article = SEPARATION


class ValideurEgalPayeur(RuleBroken):
    """Vous avez validé le contrôle du bilan n° {bilan} le {le} : une autre personne {suite} le
    paiement qui en découle.
    """

    article = SEPARATION


class PreparateurEgalOrdonnateur(RuleBroken):
    """Vous avez préparé ce paiement le {le} : une autre personne l’ordonnance."""

    article = SEPARATION


class OrdonnateurEgalExecutant(RuleBroken):
    """Vous avez ordonnancé ce paiement le {le} : une autre personne {suite}."""

    article = SEPARATION


class EmetteurEgalDecideur(RuleBroken):
    """Vous avez émis cet ordre de reversement le {le} : une autre personne constate qu’il ne sera
    pas recouvré.
    """

    article = SEPARATION
