"""How invented operations are reimbursed: at real cost, or under each form of simplified costs.

The mixes are those that operations of a PLIE have: staff and a flat rate most of the time, unit
costs and lump sums where a result is bought, all at real cost under a dérogation only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from oi_service.money import euros, round_cents

#: What a unit is worth, in cents, and what a deliverable of a lump sum weighs in the whole.
PRIX_DU_PARCOURS = (61_500, 78_000)
LIVRABLES = {"diagnostic": 310, "reseau": 420, "evaluation": 270}
LIBELLES_LIVRABLES = {
    "diagnostic": "Diagnostic partagé remis",
    "reseau": "Réseau d’employeurs constitué, vingt adhésions signées",
    "evaluation": "Évaluation finale remise",
}
#: What a unit cost or a lump sum takes the place of.
COUVERTS = ("personnel", "fonctionnement", "prestations")


@dataclass(frozen=True, slots=True)
class Forfait:
    """A flat rate of a plan."""

    code: str
    option: str
    taux: int
    assiette: tuple[str, ...]
    methode: str | None = None

    def calcule(self, postes: dict[str, int]) -> int:
        """Return what the rate comes to, in cents."""
        base = sum(postes[code] for code in self.assiette)
        return round_cents(Fraction(self.taux, 100) * base, "demi_superieur")


@dataclass(frozen=True, slots=True)
class Forme:
    """A kind of plan: shares of what is proven in thousandths, then the flat rates on it.

    ``couts``: the smallest and the largest total, in cents, before the flat rates are rounded.
    ``participants``: what goes to participants, where the objective has some.
    """

    couts: tuple[int, int]
    poids: dict[str, int]
    forfaits: tuple[Forfait, ...] = ()
    participants: int = 0
    horaire: bool = False

    def bases(self, objectif: str) -> dict[str, int]:
        """Return the shares of what is proven, for operations of an objective."""
        aux_participants = self.participants if objectif == "OS1" else 0
        return self.poids | ({"participants": aux_participants} if aux_participants else {})

    def chiffre(self, bases: dict[str, int]) -> dict[str, int]:
        """Add the flat rates to what they apply to, in the order in which they are computed."""
        postes = dict(bases)
        for forfait in self.forfaits:
            postes[forfait.code] = forfait.calcule(postes)
        return postes


_INDIRECTES_15 = Forfait("indirectes", "forfait_15_personnel", 15, ("personnel",))
_AUTRES_40 = Forfait("autres_couts", "forfait_40", 40, ("personnel",))

#: By the word that the cast uses. Small operations have no cost left at real cost out of a base.
FORMES = {
    "f15": Forme(
        (15_200_000, 22_000_000),
        {"personnel": 730, "fonctionnement": 110, "prestations": 160},
        (_INDIRECTES_15,),
        participants=150,
    ),
    "f20": Forme(
        (10_600_000, 17_500_000),
        {"personnel": 860, "fonctionnement": 140},
        (Forfait("indirectes", "forfait_20_national", 20, ("personnel", "fonctionnement")),),
        participants=140,
    ),
    "f40": Forme((6_000_000, 14_500_000), {"personnel": 1_000}, (_AUTRES_40,), participants=160),
    "horaire": Forme((7_000_000, 12_000_000), {"personnel": 1_000}, (_AUTRES_40,), horaire=True),
    "f25": Forme(
        (15_200_000, 20_000_000),
        {"personnel": 810, "fonctionnement": 90, "prestations": 100},
        (
            Forfait(
                "indirectes",
                "forfait_25",
                25,
                ("personnel", "fonctionnement", "prestations"),
                methode="METHODE-FICTIVE-2020-1",
            ),
        ),
    ),
    "p20": Forme(
        (9_000_000, 15_000_000),
        {"prestations": 780, "fonctionnement": 220},
        (
            Forfait("personnel", "forfait_personnel_20", 20, ("prestations", "fonctionnement")),
            _INDIRECTES_15,
        ),
        participants=240,
    ),
    "cle": Forme(
        (15_500_000, 21_000_000),
        {"personnel": 690, "fonctionnement": 90, "prestations": 100, "indirectes": 120},
    ),
    "nature": Forme(
        (11_000_000, 17_000_000),
        {"personnel": 780, "fonctionnement": 140, "nature": 80},
        (Forfait("indirectes", "forfait_20_national", 20, ("personnel", "fonctionnement")),),
    ),
    "unitaire": Forme((7_000_000, 13_000_000), {"parcours": 1_000}, participants=180),
    "livrables": Forme((6_000_000, 8_200_000), {"montants_forfaitaires": 1_000}),
    "reel": Forme(
        (6_500_000, 9_500_000), {"personnel": 760, "fonctionnement": 110, "prestations": 130}
    ),
}


def livrables(montant: int) -> dict[str, int]:
    """Split a lump sum between its deliverables, to the cent."""
    parts = {nom: montant * poids // 1000 for nom, poids in LIVRABLES.items()}
    parts["evaluation"] += montant - sum(parts.values())
    return parts


def saisit_poste(forme: Forme, code: str, montant: int, prix: int) -> dict[str, Any]:
    """Return a line of expenditure as it is typed."""
    saisie: dict[str, Any] = {"code": code, "montant": euros(montant)}
    for forfait in forme.forfaits:
        if forfait.code == code:
            methode = {"methode_ref": forfait.methode} if forfait.methode else {}
            return saisie | methode | _saisit_forfait(forfait)
    if code == "parcours":
        return saisie | {
            "mode": "cout_unitaire",
            "libelle": "Parcours d’accompagnement",
            "unite": "parcours de six mois mené à son terme",
            "cout_unite": euros(prix),
            "unites": str(montant // prix),
            "couvre": COUVERTS,
        }
    if code == "montants_forfaitaires":
        return saisie | {
            "mode": "montant_forfaitaire",
            "libelle": "Livrables de l’action",
            "couvre": COUVERTS,
            "livrables": [
                {"id": nom, "libelle": LIBELLES_LIVRABLES[nom], "montant": euros(part)}
                for nom, part in livrables(montant).items()
            ],
        }
    return saisie


def _saisit_forfait(forfait: Forfait) -> dict[str, Any]:
    return {
        "mode": "forfait",
        "option": forfait.option,
        "taux_pct": str(forfait.taux),
        "assiette": forfait.assiette,
    }


def echelle(forme: Forme, poids: dict[str, int], cout: int) -> int:
    """Return what is to prove, in cents, for the whole to cost about ``cout``."""
    temoin = {code: 1_000 * p for code, p in poids.items()}
    return cout * sum(temoin.values()) // sum(forme.chiffre(temoin).values())


def au_reel(forme: Forme, postes: Sequence[str]) -> list[str]:
    """Return the postes that pieces prove."""
    autres = {f.code for f in forme.forfaits} | {"parcours", "montants_forfaitaires"}
    return [code for code in postes if code not in autres]
