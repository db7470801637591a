"""The cast: who answers which fiche, and what becomes of the dossier."""

from dataclasses import dataclass
from datetime import date, timedelta

from oi_service.demo.appel import fiches
from oi_service.demo.formes import FORMES

#: Fiche, beneficiary, destin (a function of `destins`), form of its costs (a word of `formes`) and
#: what makes it different from the others.
APPEL_2021 = (
    ("A1", 1, "va_au_bout", "f15 echantillon avance dernier"),
    ("A2", 2, "renvoie_son_bilan", "f20 cloturee"),
    ("A2", 3, "va_au_bout", "reel derogation soldee complement"),
    ("A3", 1, "va_au_bout", "f40 ajourne cloturee"),
    ("A4", 4, "va_au_bout", "unitaire avance reduit"),
    ("A4", 5, "abandonne", "f40 avance"),
    ("A5", 6, "va_au_bout", "p20 soldee doublon"),
    ("A5", 7, "attend_sa_validation", "f40 avance"),
    ("A5", 8, "est_refuse", "f15"),
    ("B1", 9, "va_au_bout", "f15 avance deux_bilans regularise"),
    ("B2", 9, "va_au_bout", "cle cloturee reduit erreur"),
    ("B3", 10, "a_un_paiement_rejete", "horaire cloturee"),
    ("B3", 11, "va_au_bout", "f40 soldee doublon"),
    ("B4", 12, "va_au_bout", "f20 avance complement personnes"),
    ("B4", 13, "attend_son_solde", "f40 reduit"),
    ("B4", 14, "est_irrecevable", "f15 complement_sans_reponse"),
    ("B5", 15, "va_au_bout", "nature ajourne soldee"),
    ("B5", 16, "se_retire", "f40"),
    ("ET1", 17, "va_au_bout", "f15 marche avance reduit"),
    ("ET2", 18, "va_au_bout", "f20 plafonne depassement cloturee"),
    ("ET5", 19, "va_au_bout", "f40 erreur ordre_annule"),
    ("ET5", 20, "va_au_bout", "f15 complement avance doublon"),
    ("ET5", 21, "est_irrecevable", "f40"),
    ("GP1", 22, "va_au_bout", "f40 avance deux_bilans"),
    ("GP1", 23, "est_resilie", "f15 avance deux_bilans"),
    ("GP2", 24, "subit_un_retrait", "f40 cloturee"),
    ("GP3", 25, "va_au_bout", "f40 soldee reduit controle_repris"),
    ("GP3", 26, "se_retire_programme", "f15"),
    ("GP4", 24, "va_au_bout", "f20 recettes avance"),
    ("GP5", 27, "attend_son_controle", "f40 complement"),
    ("HP1", 28, "tarde_a_rendre_son_bilan", "f15 avance"),
    ("HP2", 29, "va_au_bout", "f40 refaction avance soldee"),
    ("HP2", 30, "discute_son_controle", "f15 avance"),
    ("HP2", 31, "est_refuse", "f40"),
    ("PS1", 32, "va_au_bout", "f20 mutualise cloturee"),
    ("PS2", 33, "va_au_bout", "livrables mutualise contre_avis soldee"),
    ("PS3", 34, "va_au_bout", "f40 mutualise avance erreur"),
    ("PS3", 35, "est_deprogramme", "f40"),
    ("S1", 36, "voit_son_controle_rouvert", "f15 compense reduit soldee"),
    ("S2", 37, "va_au_bout", "f25 avance complement"),
    ("S2", 38, "va_au_bout", "f15 surfinance soldee"),
    ("S3", 36, "paie_pour_une_autre", "f40 interrompu cloturee"),
    ("S4", 41, "va_au_bout", "f40 avance rectifie forfaitise"),
    ("S4", 42, "se_retire", "f15"),
    ("A5", 39, "ne_rend_rien", "f40 avance"),
    ("ET2", 40, "subit_un_audit", "f15 avance cloturee"),
    ("B5", 43, "devient_insolvable", "f20 avance"),
)

#: The same, with the day of the deposit: this call is open all year round.
APPEL_2022 = (
    ("A1", 1, "augmente_son_plan", "f15 avance", "2022-01-17"),
    ("B1", 9, "reduit_son_plan", "f15 avance", "2022-01-18"),
    ("ET1", 17, "prolonge_sa_periode", "f40 avance", "2022-01-20"),
    ("GP1", 22, "renonce_a_son_avenant", "unitaire avance", "2022-01-21"),
    ("GP1", 23, "abandonne_sans_rendre", "f40 avance", "2022-01-24"),
    ("S1", 36, "attend_son_avenant", "f15 avance", "2022-01-25"),
    ("S4", 41, "est_resilie_sans_rendre", "f40 avance", "2022-01-26"),
    ("HP1", 28, "execute", "f40 avance", "2022-02-01"),
    ("HP1", 29, "execute", "f20 avance", "2022-02-02"),
    ("A4", 4, "attend_son_demarrage", "unitaire", "2022-08-29"),
    ("B4", 12, "attend_sa_convention", "f20", "2022-10-03"),
    ("A4", 5, "est_ajourne", "reel", "2022-10-04"),
    ("PS1", 32, "attend_le_comite", "livrables", "2022-10-25"),
    ("B4", 13, "attend_le_comite", "p20 defavorable", "2022-10-26"),
    ("ET1", 19, "attend_son_rapport", "f15", "2022-11-14"),
    ("GP1", 25, "attend_son_instruction", "f40", "2022-11-21"),
    ("S4", 38, "attend_un_complement", "f20", "2022-11-24"),
    ("A1", 2, "vient_de_deposer", "f15", "2022-12-09"),
)

#: Operations that a committee approves, be it for a time: their enveloppe must hold them.
JAMAIS_PROGRAMMES = frozenset(
    (
        "est_refuse",
        "est_irrecevable",
        "se_retire",
        "est_ajourne",
        "attend_le_comite",
        "attend_son_rapport",
        "attend_son_instruction",
        "attend_un_complement",
        "vient_de_deposer",
    )
)


@dataclass(frozen=True, slots=True)
class Dossier:
    """A dossier of the story. ``options`` are words of the tables above."""

    rang: int
    annee: int
    fiche: str
    beneficiaire: int
    destin: str
    options: frozenset[str]
    depot: date

    @property
    def numero_mdfse(self) -> str:
        """Its number, invented: the real ones have no letter."""
        return f"F{self.annee}{self.rang:04d}"

    @property
    def plie(self) -> str:
        """Who calls for it."""
        return str(fiches()[self.fiche]["plie"])

    @property
    def objectif(self) -> str:
        """Its specific objective."""
        return str(fiches()[self.fiche]["objectif_specifique"])

    @property
    def programme(self) -> bool:
        """Tell whether a committee approves it at some time."""
        return self.destin not in JAMAIS_PROGRAMMES

    @property
    def forme(self) -> str:
        """Under which form its costs are reimbursed."""
        (forme,) = self.options & FORMES.keys()
        return forme

    def avec(self, option: str) -> bool:
        """Tell whether a word describes it."""
        return option in self.options


def dossiers() -> list[Dossier]:
    """Return the whole cast; the last day of the call, 31 December 2021, still takes a dossier."""
    en_2021 = [
        Dossier(rang, 2021, fiche, qui, destin, frozenset(options.split()), _depot_2021(rang))
        for rang, (fiche, qui, destin, options) in enumerate(APPEL_2021, 1)
    ]
    en_2022 = [
        Dossier(
            rang, 2022, fiche, qui, destin, frozenset(options.split()), date.fromisoformat(depot)
        )
        for rang, (fiche, qui, destin, options, depot) in enumerate(APPEL_2022, 1)
    ]
    return en_2021 + en_2022


def _depot_2021(rang: int) -> date:
    """Spread the deposits over December, most of them at the end."""
    return date(2021, 12, 31) - timedelta(days=(rang - 1) * (rang % 5) % 26)
