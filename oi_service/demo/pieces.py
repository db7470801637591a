"""Invented pieces: what an operation declares month by month, and what its control will find."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from oi_service.dates import add_months
from oi_service.demo.appel import REGLEMENT
from oi_service.demo.generateur import Plan, repartir
from oi_service.money import euros
from rules.parametres import parametre

#: What the control finds wrong, by poste: motif, and thousandths of the line that go.
ECARTS = {
    "personnel": (("TEMPS_NON_JUSTIFIE", 350), ("ASSIETTE_ERRONEE", 120), ("PIECE_ABSENTE", 1000)),
    "fonctionnement": (("CLE_NON_JUSTIFIEE", 400), ("SANS_LIEN_AVEC_OPERATION", 1000)),
    "prestations": (("TVA_RECUPERABLE", 167), ("MISE_EN_CONCURRENCE_NON_PROUVEE", 250)),
    "participants": (("PARTICIPANT_INELIGIBLE", 1000), ("PIECE_NON_PROBANTE", 500)),
    "indirectes": (("CLE_NON_JUSTIFIEE", 300), ("SANS_LIEN_AVEC_OPERATION", 1000)),
    "nature": (("PIECE_NON_PROBANTE", 400),),
}
#: One line in that many is found wrong.
RYTHME_ECARTS = 23
#: Cents a year: how many employees an operation names, full time or charged by the hour.
COUT_SALARIE = 2_900_000
COUT_MI_TEMPS = 2_000_000
PAR_MOIS = {"participants": 3}  #: how many pieces a month, where it is more than one
NATURES = {
    "personnel": "Salaire et charges",
    "fonctionnement": "Frais de structure affectés à l’opération",
    "prestations": "Prestation d’un intervenant",
    "participants": "Aide aux participants",
    "indirectes": "Loyer, fluides et gestion de la structure",
    "nature": "Heures de bénévoles et locaux prêtés, valorisés",
}
#: Hourly costs are whole quarters of cents, so that a quarter of an hour is worth whole cents.
TAUX_HORAIRES = (2_240, 2_680)
QUARTS_PAR_JOUR = 4 * 7
FERIES = frozenset(((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)))


@dataclass(frozen=True, slots=True)
class Ligne:
    """An invented dépense: what is declared, and what the control takes off it."""

    saisie: dict[str, Any]
    montant: int
    ecarte: int = 0
    motif: str | None = None

    @property
    def poste(self) -> str:
        """The poste that it is declared under."""
        return str(self.saisie["poste"])


def inventer_depenses(
    h: Random, plan: Plan, debut: date, nb_mois: int, milliemes: int, prefixe: str
) -> list[Ligne]:
    """Invent what an operation spends in some months: a share of its plan, poste by poste."""
    lignes: list[Ligne] = []
    cout = COUT_MI_TEMPS if plan.forme.horaire else COUT_SALARIE
    for poste, prevu in plan.reels.items():
        horaire = plan.forme.horaire and poste == "personnel"
        for rang, (mois, qui, montant) in enumerate(
            _par_mois(h, poste, prevu * milliemes // 1000, debut, nb_mois, cout), 1
        ):
            numero = len(lignes) + 1
            piece = {"piece_ref": f"{prefixe}-{numero}", "tiers_ref": _tiers(poste, prefixe, qui)}
            if horaire:
                saisie, declare = _saisir_heures(h, mois, montant)
            else:
                saisie, declare = _saisir(h, poste, rang, mois, montant), montant
            motif, ecarte = _ecart(h, poste, numero, declare)
            saisie |= piece | _defaut(saisie, motif, declare, ecarte)
            lignes.append(Ligne(saisie, declare, ecarte, motif))
    return lignes


def _ecart(h: Random, poste: str, numero: int, montant: int) -> tuple[str | None, int]:
    if numero % RYTHME_ECARTS != RYTHME_ECARTS // 2:
        return None, 0
    motif, part = h.choice(ECARTS[poste])
    return motif, montant * part // 1000


def _par_mois(
    h: Random, poste: str, total: int, debut: date, nb_mois: int, cout_salarie: int
) -> list[tuple[date, int, int]]:
    """Spread a poste over months: each payslip of each employee, each aid, an invoice a month."""
    par_mois = PAR_MOIS.get(poste, 1)
    if poste == "personnel":
        par_mois = max(2, total * 12 // nb_mois // cout_salarie)
    dates = [
        (add_months(debut, rang), qui) for rang in range(nb_mois) for qui in range(1, par_mois + 1)
    ]
    parts = repartir(h, total, [1] * len(dates))
    return [(m, qui, montant) for (m, qui), montant in zip(dates, parts, strict=True)]


def _tiers(poste: str, prefixe: str, qui: int) -> str:
    """Return an opaque reference; employees are those of one operation, and never named."""
    if poste == "personnel":
        return f"salarie-{prefixe.partition('-')[0]}-{qui:02d}"
    return f"fictif-{poste}-{qui}"


def _saisir(h: Random, poste: str, rang: int, mois: date, montant: int) -> dict[str, Any]:
    saisie = _commune(h, poste, mois) | {"montant_impute": euros(montant)}
    if poste == "personnel":
        saisie["temps"] = {
            "methode": "plein_temps",
            "cout": euros(montant),
            "annee": mois.year,
            "mois": mois.month,
            "justificatif": "lettre_mission",
        }
    if poste in {"fonctionnement", "indirectes"}:
        cle = {"numerateur": "2.5", "denominateur": "10", "assiette": euros(4 * montant)}
        saisie["cle"] = cle | {"libelle": "ETP opération / ETP structure"}
    if poste in {"prestations", "participants", "fonctionnement", "indirectes"}:
        saisie["mise_en_concurrence_ref"] = f"DEVIS-{poste}-{rang}"
    if poste == "prestations":
        saisie |= {"montant_ttc": euros(montant), "montant_ht": euros(montant * 5 // 6)}
    return saisie


def _commune(h: Random, poste: str, mois: date) -> dict[str, Any]:
    piece = add_months(mois, 1) - timedelta(days=1)
    saisie: dict[str, Any] = {
        "poste": poste,
        "nature": NATURES[poste],
        "date_piece": piece.isoformat(),
        "date_realisation": piece.isoformat(),
    }
    acquittement = (piece + timedelta(days=h.randint(1, 12))).isoformat()
    if poste == "nature":
        return saisie
    preuve = "bulletin_paie_plus_releve" if poste == "personnel" else "facture_acquittee"
    return saisie | {"date_acquittement": acquittement, "preuve_acquittement": preuve}


def _saisir_heures(h: Random, mois: date, vise: int) -> tuple[dict[str, Any], int]:
    """Charge a person by the hour, from a time sheet; return what it comes to, at most ``vise``."""
    taux = h.randint(TAUX_HORAIRES[0] // 4, TAUX_HORAIRES[1] // 4) * 4
    annuelles = parametre("heures_annuelles", le=mois, reglement=REGLEMENT).entier
    jours = list(_jours_ouvres(mois))
    quarts = min(vise * 4 // taux, QUARTS_PAR_JOUR * len(jours))
    par_jour = [quarts // len(jours) + (rang < quarts % len(jours)) for rang in range(len(jours))]
    h.shuffle(par_jour)
    temps = {
        "methode": "taux_horaire",
        "cout": euros(annuelles * taux),
        "annee": mois.year,
        "heures_base": str(annuelles),
        "jours": [
            {"jour": jour.isoformat(), "heures": str(Decimal(q) / 4)}
            for jour, q in zip(jours, par_jour, strict=True)
            if q
        ],
        "justificatif": "releve_signe",
    }
    return _commune(h, "personnel", mois) | {"temps": temps}, quarts * taux // 4


def _jours_ouvres(mois: date) -> Iterator[date]:
    jour = mois
    while jour.month == mois.month:
        if jour.weekday() < 5 and (jour.month, jour.day) not in FERIES:
            yield jour
        jour += timedelta(days=1)


def _defaut(saisie: dict[str, Any], motif: str | None, montant: int, ecarte: int) -> dict[str, Any]:
    """Return what is wrong with the line, so that the tests of eligibility see it too."""
    match motif:
        case "TEMPS_NON_JUSTIFIE":
            return {"temps": saisie["temps"] | {"justificatif": None}}
        case "ASSIETTE_ERRONEE" if "montant_impute" in saisie:
            return {"temps": saisie["temps"] | {"cout": euros(montant - ecarte)}}
        case "CLE_NON_JUSTIFIEE":
            return {"cle": saisie["cle"] | {"assiette": None}}
        case "TVA_RECUPERABLE":
            return {"tva_recuperable": euros(montant - montant * 5 // 6)}
        case "MISE_EN_CONCURRENCE_NON_PROUVEE":
            return {"mise_en_concurrence_ref": None}
        case _:
            return {}
