"""The cast: who answers which fiche, and what becomes of the dossier."""

from dataclasses import dataclass
from datetime import date, timedelta

from oi_service.demo.appel import fiches

#: Fiche, beneficiary, destin (a function of `destins`), what makes it different from the others.
APPEL_2021 = (
    ("A1", 1, "va_au_bout", "avance dernier"),
    ("A2", 2, "renvoie_son_bilan", "cloturee"),
    ("A2", 3, "va_au_bout", "soldee complement"),
    ("A3", 1, "va_au_bout", "ajourne cloturee"),
    ("A4", 4, "va_au_bout", "avance reduit"),
    ("A4", 5, "abandonne", "avance"),
    ("A5", 6, "va_au_bout", "soldee doublon"),
    ("A5", 7, "est_en_cours_de_controle", "avance"),
    ("A5", 8, "est_refuse", ""),
    ("B1", 9, "va_au_bout", "avance deux_bilans"),
    ("B2", 9, "va_au_bout", "cloturee reduit erreur"),
    ("B3", 10, "a_un_paiement_rejete", "cloturee"),
    ("B3", 11, "va_au_bout", "soldee doublon"),
    ("B4", 12, "va_au_bout", "avance complement"),
    ("B4", 13, "attend_son_solde", "reduit"),
    ("B4", 14, "est_irrecevable", "complement_sans_reponse"),
    ("B5", 15, "va_au_bout", "ajourne soldee"),
    ("B5", 16, "se_retire", ""),
    ("ET1", 17, "va_au_bout", "avance reduit"),
    ("ET2", 18, "va_au_bout", "cloturee depassement"),
    ("ET5", 19, "va_au_bout", "erreur"),
    ("ET5", 20, "va_au_bout", "complement avance doublon"),
    ("ET5", 21, "est_irrecevable", ""),
    ("GP1", 22, "va_au_bout", "avance deux_bilans"),
    ("GP1", 23, "est_resilie", "avance deux_bilans"),
    ("GP2", 24, "subit_un_retrait", "cloturee"),
    ("GP3", 25, "va_au_bout", "soldee reduit"),
    ("GP3", 26, "se_retire_programme", ""),
    ("GP4", 24, "va_au_bout", "avance"),
    ("GP5", 27, "attend_son_controle", "complement"),
    ("HP1", 28, "tarde_a_rendre_son_bilan", "avance"),
    ("HP2", 29, "va_au_bout", "avance soldee"),
    ("HP2", 30, "discute_son_controle", "avance"),
    ("HP2", 31, "est_refuse", ""),
    ("PS1", 32, "va_au_bout", "cloturee"),
    ("PS2", 33, "va_au_bout", "contre_avis soldee"),
    ("PS3", 34, "va_au_bout", "avance erreur"),
    ("PS3", 35, "est_deprogramme", ""),
    ("S1", 36, "voit_son_controle_rouvert", "reduit soldee"),
    ("S2", 37, "va_au_bout", "avance complement"),
    ("S2", 38, "va_au_bout", "surfinance soldee"),
    ("S3", 36, "va_au_bout", "cloturee"),
    ("S4", 41, "va_au_bout", "avance rectifie"),
    ("S4", 42, "se_retire", ""),
)

#: The same, with the day of the deposit: this call is open all year round.
APPEL_2022 = (
    ("A1", 1, "augmente_son_plan", "avance", "2022-01-17"),
    ("B1", 9, "reduit_son_plan", "avance", "2022-01-18"),
    ("ET1", 17, "prolonge_sa_periode", "avance", "2022-01-20"),
    ("GP1", 22, "renonce_a_son_avenant", "avance", "2022-01-21"),
    ("GP1", 23, "abandonne_sans_rendre", "avance", "2022-01-24"),
    ("S1", 36, "attend_son_avenant", "avance", "2022-01-25"),
    ("S4", 41, "est_resilie_sans_rendre", "avance", "2022-01-26"),
    ("HP1", 28, "execute", "avance", "2022-02-01"),
    ("HP1", 29, "execute", "avance", "2022-02-02"),
    ("A4", 4, "attend_son_demarrage", "", "2022-08-29"),
    ("B4", 12, "attend_sa_convention", "", "2022-10-03"),
    ("A4", 5, "est_ajourne", "", "2022-10-04"),
    ("PS1", 32, "attend_le_comite", "", "2022-10-25"),
    ("B4", 13, "attend_le_comite", "defavorable", "2022-10-26"),
    ("ET1", 19, "attend_son_rapport", "", "2022-11-14"),
    ("GP1", 25, "attend_son_instruction", "", "2022-11-21"),
    ("S4", 38, "attend_un_complement", "", "2022-11-24"),
    ("A1", 2, "vient_de_deposer", "", "2022-12-09"),
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
