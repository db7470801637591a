"""Deadlines of the texts, each a function with its article. Days are Paris calendar days."""

from datetime import date

from oi_service.dates import add_months
from rules.parametres import parametre


def date_limite_reponse(demande: date) -> date:
    """Return the last day to answer a request of the manager.

    Without an answer the file may be closed and what was paid recovered.
    Source: obligations liées à un cofinancement par le FSE, appel à projets AGAPE 2021.
    """
    return add_months(demande, parametre("delai_reponse_mois", le=demande).entier)


def date_limite_conservation(reglement: str, declaration_ou_dernier_paiement: date) -> date:
    """Return the last day on which the pieces must still be there.

    2014-2020 counts from the declaration to the Commission, 2021-2027 from the last payment to the
    beneficiary; both from the following 31 December, which is that very day on a 31 December.
    Suspensions by a court or by the Commission are facts, and move the day elsewhere.
    Source: Règlement (UE) n° 1303/2013, art. 140 §1; règlement (UE) 2021/1060, art. 82 §1.
    """
    depart = declaration_ou_dernier_paiement
    annees = parametre("conservation_annees", le=depart, reglement=reglement).entier
    return date(depart.year + annees, 12, 31)


def date_limite_bilan_final(fin: date) -> date:
    """Return the last day to file the final bilan of an operation that ends on ``fin``.

    It is also the last day for a cost to be paid.
    Source: fse.gouv.fr, « Bilan, contrôle de service fait et paiement ».
    """
    return add_months(fin, parametre("delai_bilan_final_mois", le=fin).entier)


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
