"""Deadlines of the texts, each a function with its article. Days are Paris calendar days."""

from datetime import date, datetime, timedelta
from typing import Literal

import msgspec

from oi_service.dates import Periode, add_months
from rules.parametres import ParametreHorsVigueur, parametre

#: From which accounts the pieces of 2014-2020 are kept: those of each expenditure, or those of the
#: last one of the operation.
RegleConservation = Literal["generale", "derniere_depense"]


def date_limite_reponse(demande: date) -> date:
    """Return the last day to answer a request of the manager.

    Without an answer the file may be closed and what was paid recovered.
    Source: obligations liées à un cofinancement par le FSE, appel à projets AGAPE 2021.
    """
    return add_months(demande, parametre("delai_reponse_mois", le=demande).entier)


def date_limite_conservation(
    reglement: str,
    declaration_ou_dernier_paiement: date,
    *,
    regle: RegleConservation = "generale",
    aide_octroyee_le: date | None = None,
) -> date:
    """Return the last day on which the pieces must still be there.

    2014-2020 counts from the declaration to the Commission, 2021-2027 from the last payment to the
    beneficiary; both from the following 31 December, which is that very day on a 31 December.
    ``regle`` "derniere_depense", of 2014-2020 only, counts from the accounts of the last
    expenditure, fewer years. State aid has its own term: the later of the two counts.
    Suspensions by a court or by the Commission are facts, and move the day elsewhere.
    Raises: ParametreHorsVigueur when the regulation does not know the rule.
    Source: Règlement (UE) n° 1303/2013, art. 140 §1; règlement (UE) 2021/1060, art. 82 §1.
    """
    depart = declaration_ou_dernier_paiement
    nom = _CONSERVATION[regle]
    annees = parametre(nom, le=depart, reglement=reglement).entier
    limite = date(depart.year + annees, 12, 31)
    if aide_octroyee_le is None:
        return limite
    aide = parametre("conservation_aide_etat_annees", le=aide_octroyee_le, reglement=reglement)
    return max(limite, add_months(aide_octroyee_le, 12 * aide.entier))


_CONSERVATION: dict[RegleConservation, str] = {
    "generale": "conservation_annees",
    "derniere_depense": "conservation_annees_derniere_depense",
}


def regle_conservation(
    reglement: str, depenses_eligibles_centimes: int, le: date
) -> RegleConservation:
    """Return the rule that keeps the pieces of an operation, unless the managing authority chose.

    Source: Règlement (UE) n° 1303/2013, art. 140 §1: the three years are those of the operations
    whose eligible expenditure is below the threshold.
    """
    try:
        seuil = parametre("conservation_seuil_cout", le=le, reglement=reglement).centimes
    except ParametreHorsVigueur:
        return "generale"
    return "generale" if depenses_eligibles_centimes < seuil else "derniere_depense"


def date_limite_bilan_final(fin: date) -> date:
    """Return the last day to file the final bilan of an operation that ends on ``fin``.

    It is also the last day for a cost to be paid.
    Source: fse.gouv.fr, « Bilan, contrôle de service fait et paiement ».
    """
    return add_months(fin, parametre("delai_bilan_final_mois", le=fin).entier)


class BilansAttendus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many bilans an operation files, the final one included; no maximum when ``None``."""

    minimum: int
    maximum: int | None
    reference: str

    def admet(self, nombre: int) -> bool:
        """Tell whether a number of bilans is one that the text allows."""
        return self.minimum <= nombre and (self.maximum is None or nombre <= self.maximum)


def bilans_attendus(periode: Periode, reglement: str) -> BilansAttendus | None:
    """Return how many bilans are expected of an operation, or nothing if the text is silent.

    The texts that were read stop at a duration: beyond, the convention alone says.
    Source: fse.gouv.fr and archive.fse.gouv.fr, « périodicité des bilans ».
    """
    lu = parametre("bilans_par_duree", le=periode.debut, reglement=reglement)
    for palier in lu.paliers:
        if periode.fin < add_months(periode.debut, palier.jusqu_a_mois):
            maximum = palier.intermediaires_max
            return BilansAttendus(
                minimum=palier.intermediaires_min + 1,
                maximum=None if maximum is None else maximum + 1,
                reference=lu.reference,
            )
    return None


def limite_signature_electronique(envoi: datetime, *, le: date, reglement: str) -> datetime:
    """Return the instant until which both parties may sign a convention sent to them.

    Args:
        envoi: instant of the sending, UTC.
        le: its day in Paris, which chooses the text.
        reglement: of the subvention globale.

    Raises: ParametreHorsVigueur for 2014-2020, which had no such window.
    Source: fse.gouv.fr, « La convention ».
    """
    lu = parametre("delai_signature_electronique_heures", le=le, reglement=reglement)
    return envoi + timedelta(hours=lu.entier)


def prochaine_liste_operations(derniere: date, reglement: str) -> date:
    """Return the last day to bring the public list of operations up to date again.

    Source: Règlement (UE) n° 1303/2013, art. 115 §2; règlement (UE) 2021/1060, art. 49 §3.
    """
    mois = parametre("liste_operations_mois", le=derniere, reglement=reglement).entier
    return add_months(derniere, mois)


def sortie_comptee_immediat(sortie: date, saisie: date) -> bool:
    """Tell whether an exit counts in the immediate results: entered within the month that follows.

    Source: suivi des participants, appel à projets AGAPE 2021.
    """
    mois = parametre("delai_saisie_sortie_mois", le=sortie).entier
    return saisie <= add_months(sortie, mois)


def depot_dans_les_delais(cloture: date, depot: date) -> bool:
    """Tell whether a dossier was filed before the call closed, its last day included."""
    return depot <= cloture


def operation_achevee_avant_depot(fin_materielle: date, depot: date) -> bool:
    """Tell whether the operation was materially over before its dossier was filed.

    Such an operation cannot be selected, paid or not. An operation that ends on the day of the
    filing was not over *before* it: calls take dossiers until the last day of the actions.
    Source: Règlement (UE) n° 1303/2013, art. 65 §6; règlement (UE) 2021/1060, art. 63 §6.
    """
    return fin_materielle < depot
