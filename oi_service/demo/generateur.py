"""Invented money: who asks for how much, spends what, and what the control finds. Seeded.

Everything here is made up. Whole cents throughout; the same seed gives the same cents.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from stdnum.luhn import calc_check_digit

from oi_service.dates import add_months
from oi_service.money import euros

#: What an operation costs, in cents: the smallest and the largest.
COUT_TOTAL = (8_000_000, 22_400_000)
#: Share of the Fund, in hundredths of a percent.
TAUX = (5_200, 6_950)
#: Shares of the expenditure by poste, in thousandths.
POSTES = {
    "OS1": {"personnel": 620, "fonctionnement": 80, "prestations": 140, "participants": 160},
    "OS2": {"personnel": 770, "fonctionnement": 100, "prestations": 130},
    "OS3": {"personnel": 800, "fonctionnement": 90, "prestations": 110},
}
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
}
#: What the control finds wrong, by poste: motif, and thousandths of the line that go.
ECARTS = {
    "personnel": (("TEMPS_NON_JUSTIFIE", 350), ("ASSIETTE_ERRONEE", 120), ("PIECE_ABSENTE", 1000)),
    "fonctionnement": (("CLE_NON_JUSTIFIEE", 400), ("SANS_LIEN_AVEC_OPERATION", 1000)),
    "prestations": (("TVA_RECUPERABLE", 167), ("MISE_EN_CONCURRENCE_NON_PROUVEE", 250)),
    "participants": (("PARTICIPANT_INELIGIBLE", 1000), ("PIECE_NON_PROBANTE", 500)),
}
#: One line in that many is found wrong.
RYTHME_ECARTS = 23
COUT_SALARIE = 2_900_000  # cents a year: how many employees an operation names
COLLECTIVITES = frozenset((2, 18, 32, 33))  #: the convention gives them no avance
NATURES = {
    "personnel": "Salaire et charges",
    "fonctionnement": "Frais de structure affectés à l’opération",
    "prestations": "Prestation d’un intervenant",
    "participants": "Aide aux participants",
}


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
    """A plan de financement, in cents."""

    postes: dict[str, int]
    fse: int
    ressources: dict[str, int]

    @property
    def cout_total(self) -> int:
        """What the operation costs."""
        return sum(self.postes.values())

    @property
    def externes(self) -> dict[str, int]:
        """What others than the Fund and the beneficiary bring."""
        return {t: m for t, m in self.ressources.items() if t != "autofinancement"}

    def a_l_echelle(self, milliemes: int) -> "Plan":
        """Return the same plan for more or less money; the beneficiary takes the odd cents."""
        postes = {poste: m * milliemes // 1000 for poste, m in self.postes.items()}
        externes = {t: m * milliemes // 1000 for t, m in self.externes.items()}
        return _equilibre(postes, self.fse * milliemes // 1000, externes)

    def saisie(self) -> dict[str, Any]:
        """Return the plan as it is typed."""
        return {
            "postes": [{"code": p, "montant": euros(m)} for p, m in self.postes.items()],
            "fse": euros(self.fse),
            "ressources": saisir_ressources(self.ressources),
        }


def _equilibre(postes: dict[str, int], fse: int, externes: dict[str, int]) -> Plan:
    reste = sum(postes.values()) - fse - sum(externes.values())
    return Plan(postes, fse, {**externes, "autofinancement": reste})


def saisir_ressources(ressources: dict[str, int]) -> list[dict[str, str]]:
    """Return resources as they are typed."""
    return [
        {"type": t, "financeur": NOMS_FINANCEURS.get(t, "Bénéficiaire"), "montant": euros(m)}
        for t, m in ressources.items()
    ]


def inventer_plan(h: Random, objectif: str) -> Plan:
    """Invent a plan of the kind that operations of this objective have."""
    cout = h.randint(*COUT_TOTAL)
    fse = cout * h.randint(*TAUX) // 10_000
    parts = repartir(h, cout, list(POSTES[objectif].values()))
    postes = dict(zip(POSTES[objectif], parts, strict=True))
    externes = {t: (cout - fse) * m // 1000 for t, m in FINANCEURS[objectif].items()}
    return _equilibre(postes, fse, externes)


@dataclass(frozen=True, slots=True)
class Ligne:
    """An invented dépense: what is declared, and what the control takes off it."""

    saisie: dict[str, Any]
    montant: int
    ecarte: int
    motif: str | None


def inventer_depenses(
    h: Random, plan: Plan, debut: date, nb_mois: int, milliemes: int, prefixe: str
) -> list[Ligne]:
    """Invent what an operation spends in some months: a share of its plan, poste by poste."""
    lignes: list[Ligne] = []
    for poste, prevu in plan.postes.items():
        for rang, (mois, montant) in enumerate(
            _par_mois(h, poste, prevu * milliemes // 1000, debut, nb_mois), 1
        ):
            numero = len(lignes) + 1
            ecarte, motif = 0, None
            if numero % RYTHME_ECARTS == RYTHME_ECARTS // 2:
                motif, part = ECARTS[poste][numero % len(ECARTS[poste])]
                ecarte = montant * part // 1000
            saisie = _saisir(h, poste, rang, mois, montant) | {"piece_ref": f"{prefixe}-{numero}"}
            lignes.append(Ligne(saisie, montant, ecarte, motif))
    return lignes


def _par_mois(
    h: Random, poste: str, total: int, debut: date, nb_mois: int
) -> list[tuple[date, int]]:
    """Spread a poste over months: each payslip of each employee, or an invoice now and then."""
    mois = [add_months(debut, rang) for rang in range(nb_mois)]
    if poste == "personnel":
        salaries = max(2, total * 12 // nb_mois // COUT_SALARIE)
        dates = [m for m in mois for _ in range(salaries)]
    else:
        dates = mois[:: 1 if poste == "fonctionnement" else 2]
    return list(zip(dates, repartir(h, total, [1] * len(dates)), strict=True))


def _saisir(h: Random, poste: str, rang: int, mois: date, montant: int) -> dict[str, Any]:
    piece = add_months(mois, 1) - timedelta(days=1)
    saisie: dict[str, Any] = {
        "poste": poste,
        "nature": NATURES[poste],
        "tiers_ref": f"salarie-{rang % 7 + 1:02d}" if poste == "personnel" else f"fictif-{rang}",
        "date_piece": piece.isoformat(),
        "date_realisation": piece.isoformat(),
        "date_acquittement": (piece + timedelta(days=h.randint(1, 12))).isoformat(),
        "preuve_acquittement": (
            "bulletin_paie_plus_releve" if poste == "personnel" else "facture_acquittee"
        ),
        "montant_impute": euros(montant),
    }
    if poste == "prestations":
        saisie |= {"montant_ttc": euros(montant), "montant_ht": euros(montant * 5 // 6)}
    if poste == "fonctionnement":
        cle = {"numerateur": 35, "denominateur": 100, "libelle": "ETP opération / ETP structure"}
        saisie |= {"cle": cle}
    return saisie
