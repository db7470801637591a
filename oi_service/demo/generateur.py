"""Invented money: who asks for how much, spends what, and what the control finds. Seeded.

Everything here is made up. Whole cents throughout; the same seed gives the same cents.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from stdnum.luhn import calc_check_digit

from oi_service.demo.formes import (
    FORMES,
    LIVRABLES,
    PRIX_DU_PARCOURS,
    Forme,
    au_reel,
    echelle,
    saisit_poste,
)
from oi_service.money import euros

#: Share of the Fund, in hundredths of a percent.
TAUX = (5_200, 6_950)
#: Who pays beside the Fund, in thousandths of what the Fund leaves; the rest is autofinancement.
FINANCEURS = {
    "OS1": {"publique_departement": 460, "publique_epci": 250, "privee": 90},
    "OS2": {"publique_epci": 520, "publique_region": 280},
    "OS3": {"publique_epci": 610, "publique_etat": 230},
}
NOMS_FINANCEURS = {
    "publique_departement": "Département (montant fictif)",
    "publique_epci": "Intercommunalité (montant fictif)",
    "publique_region": "Région (montant fictif)",
    "publique_etat": "État (montant fictif)",
    "privee": "Fondation fictive",
    "nature": "Bénévoles et locaux prêtés (valorisation fictive)",
}
COLLECTIVITES = frozenset((2, 18, 32, 33))  #: the convention gives them no avance
MILLE_EUROS = 100_000


def hasard(graine: int, *cle: object) -> Random:
    """Return the dice of one thing: what is drawn for it never depends on its neighbours."""
    return Random("/".join(map(str, (graine, *cle))))  # noqa: S311 - a demonstration


def repartir(h: Random, montant: int, poids: Sequence[int]) -> list[int]:
    """Split an amount by weights, each shaken by some percent; the parts add up to the cent."""
    secoues = [poids_ * h.randint(930, 1070) for poids_ in poids]
    parts = [montant * p // sum(secoues) for p in secoues]
    parts[0] += montant - sum(parts)
    return parts


def siret(numero: int) -> str:
    """Return a SIRET that nobody has: it begins with 000, and its keys are right."""
    siren = f"000{numero:05d}"
    siren += calc_check_digit(siren)
    return siren + "0001" + calc_check_digit(siren + "0001")


def beneficiaire(numero: int) -> dict[str, str]:
    """Return an invented beneficiary: an association, most of the time."""
    autres = ("association", "association", "association", "entreprise", "autre")
    return {
        "siret": siret(numero),
        "nom": f"Bénéficiaire fictif n° {numero:02d}",
        "type": "collectivite" if numero in COLLECTIVITES else autres[numero % len(autres)],
    }


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan de financement, in cents. ``prix``: what a unit is worth, where units are paid."""

    forme: Forme
    postes: dict[str, int]
    fse: int
    ressources: dict[str, int]
    prix: int

    @property
    def cout_total(self) -> int:
        """What the operation costs."""
        return sum(self.postes.values())

    @property
    def externes(self) -> dict[str, int]:
        """What others than the Fund and the beneficiary bring."""
        return {t: m for t, m in self.ressources.items() if t != "autofinancement"}

    @property
    def contreparties(self) -> dict[str, int]:
        """What other funders pay in money."""
        return {t: m for t, m in self.externes.items() if t != "nature"}

    @property
    def reels(self) -> dict[str, int]:
        """What pieces prove."""
        return {code: self.postes[code] for code in au_reel(self.forme, list(self.postes))}

    @property
    def parcours(self) -> int:
        """Units planned."""
        return self.postes.get("parcours", 0) // self.prix

    @property
    def livrables(self) -> tuple[str, ...]:
        """Deliverables planned."""
        return tuple(LIVRABLES) if "montants_forfaitaires" in self.postes else ()

    def a_l_echelle(self, milliemes: int) -> "Plan":
        """Return the same plan for more or less money; the beneficiary takes the odd cents."""
        forfaits = {f.code for f in self.forme.forfaits}
        bases = {p: m * milliemes // 1000 for p, m in self.postes.items() if p not in forfaits}
        externes = {t: m * milliemes // 1000 for t, m in self.externes.items()}
        postes = _chiffre(self.forme, bases, self.prix)
        return _equilibre(self.forme, postes, self.fse * milliemes // 1000, externes, self.prix)

    def saisie(self) -> dict[str, Any]:
        """Return the plan as it is typed."""
        return {
            "postes": [saisit_poste(self.forme, p, m, self.prix) for p, m in self.postes.items()],
            "fse": euros(self.fse),
            "ressources": saisir_ressources(self.ressources),
        }


def _chiffre(forme: Forme, bases: dict[str, int], prix: int) -> dict[str, int]:
    """Round what is bought by units or by deliverables, then add the flat rates."""
    pas = {"parcours": prix, "montants_forfaitaires": MILLE_EUROS}
    return forme.chiffre({p: m - m % pas.get(p, 1) for p, m in bases.items()})


def _equilibre(
    forme: Forme, postes: dict[str, int], fse: int, externes: dict[str, int], prix: int
) -> Plan:
    reste = sum(postes.values()) - fse - sum(externes.values())
    return Plan(forme, postes, fse, {**externes, "autofinancement": reste}, prix)


def saisir_ressources(ressources: dict[str, int]) -> list[dict[str, str]]:
    """Return resources as they are typed."""
    return [
        {"type": t, "financeur": NOMS_FINANCEURS.get(t, "Bénéficiaire"), "montant": euros(m)}
        for t, m in ressources.items()
    ]


def inventer_plan(h: Random, objectif: str, nom_forme: str) -> Plan:
    """Invent a plan of the kind that operations of this objective have, under a form of costs."""
    forme = FORMES[nom_forme]
    poids = forme.bases(objectif)
    a_prouver = echelle(forme, poids, h.randint(*forme.couts))
    taux = h.randint(*TAUX)
    prix = h.randint(PRIX_DU_PARCOURS[0] // 50, PRIX_DU_PARCOURS[1] // 50) * 50
    bases = dict(zip(poids, repartir(h, a_prouver, list(poids.values())), strict=True))
    postes = _chiffre(forme, bases, prix)
    cout = sum(postes.values())
    fse = cout * taux // 10_000
    nature = {"nature": postes["nature"]} if "nature" in postes else {}
    a_trouver = cout - fse - sum(nature.values())
    externes = {t: a_trouver * m // 1000 for t, m in FINANCEURS[objectif].items()}
    return _equilibre(forme, postes, fse, nature | externes, prix)
