"""Why a cost is set aside: the closed list of motifs, and the tests of dates."""

from collections.abc import Mapping
from datetime import date

import msgspec

from oi_service.dates import Periode
from rules.delais import date_limite_bilan_final
from rules.parametres import parametre

#: Raised when a motif is added or reworded: a CSF says under which list it was written.
MOTIFS_VERSION = 1

#: Motifs d'inéligibilité. A code is never removed nor given another meaning: facts carry it.
MOTIFS: Mapping[str, str] = {
    "HORS_PERIODE": "Dépense hors de la période d’éligibilité",
    "NON_ACQUITTEE": "Dépense non acquittée",
    "ACQUITTEE_HORS_DELAI": "Dépense acquittée hors délai",
    "PIECE_ABSENTE": "Pièce justificative absente",
    "PIECE_NON_PROBANTE": "Pièce justificative non probante",
    "TEMPS_NON_JUSTIFIE": "Temps passé non justifié",
    "ASSIETTE_ERRONEE": "Assiette de calcul erronée",
    "CLE_NON_JUSTIFIEE": "Clé de répartition non justifiée",
    "SANS_LIEN_AVEC_OPERATION": "Dépense sans lien avec l’opération",
    "NON_SUPPORTEE_PAR_BENEFICIAIRE": "Dépense non supportée par le bénéficiaire",
    "INELIGIBLE_PAR_NATURE": "Dépense inéligible par nature",
    "POSTE_NON_CONVENTIONNE": "Poste de dépense non prévu par la convention",
    "PLAFOND_POSTE_DEPASSE": "Plafond du poste de dépense dépassé",
    "TVA_RECUPERABLE": "TVA récupérable",
    "AMENDE_PENALITE": "Amende, pénalité ou sanction",
    "DOUBLE_FINANCEMENT": "Dépense déjà financée par ailleurs",
    "COMMANDE_PUBLIQUE": "Règles de la commande publique non respectées",
    "MISE_EN_CONCURRENCE_NON_PROUVEE": "Mise en concurrence non prouvée",
    "AIDE_ETAT": "Règles des aides d’État non respectées",
    "PUBLICITE": "Obligations de publicité non respectées",
    "PARTICIPANT_INELIGIBLE": "Participant inéligible",
    "DONNEES_PARTICIPANT_INCOMPLETES": "Données du participant incomplètes",
    "LIVRABLE_NON_ATTEINT": "Livrable non atteint",
    "UNITE_NON_PROUVEE": "Unité d’œuvre non prouvée",
    "EXTRAPOLATION": "Extrapolation du taux d’erreur de l’échantillon",
    "COUT_DERAISONNABLE": "Coût déraisonnable",
    "CONFLIT_INTERETS": "Conflit d’intérêts",
    "OPERATION_ACHEVEE_AVANT_DEPOT": "Opération achevée avant le dépôt de la demande",
    "CORRECTION_AUDIT": "Correction à la suite d’un audit",
    "ERREUR_MATERIELLE": "Erreur matérielle",
    "REGULARISATION_BILAN_ANTERIEUR": "Régularisation d’un bilan antérieur",
    "RESSOURCE_NON_DECLAREE": "Ressource non déclarée",
    "CLOTURE_OFFICE": "Clôture d’office du dossier",
}

#: What proves that a cost was paid. Source: décrets 2016-279 et 2022-608, règles d'éligibilité.
PREUVES_ACQUITTEMENT: Mapping[str, str] = {
    "facture_acquittee": "Facture acquittée par le fournisseur",
    "releve_bancaire": "Relevé bancaire montrant le débit et sa date",
    "etat_vise_comptable_public": "État récapitulatif visé par le comptable public",
    "etat_vise_cac": "État récapitulatif visé par le commissaire aux comptes",
    "etat_vise_expert_comptable": "État récapitulatif visé par l’expert-comptable",
    "bulletin_paie_plus_releve": "Bulletin de paie et relevé bancaire",
}


class Anomalie(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A defect of a cost: a value, shown with all the others. ``motif_code`` is one of MOTIFS."""

    motif_code: str
    message: str


def periode_programme(reglement: str, *, le: date) -> Periode:
    """Return the window in which the programming period takes costs, as known on a day.

    Source: Règlement (UE) n° 1303/2013, art. 65 §2; règlement (UE) 2021/1060, art. 63 §2.
    """
    return Periode(
        debut=parametre("eligibilite_debut", le=le, reglement=reglement).jour,
        fin=parametre("eligibilite_fin", le=le, reglement=reglement).jour,
    )


def anomalies_de_dates(
    *,
    reglement: str,
    periode: Periode,
    realisation: date,
    acquittement: date | None,
    engagement: date | None = None,
    limite_acquittement: date | None = None,
) -> tuple[Anomalie, ...]:
    """Return every defect of the dates of a cost, in the order of its life.

    ``periode`` is the période de réalisation of the convention. A cost may be paid after it, until
    ``limite_acquittement``: the day the convention fixes, else the deadline of the final bilan.
    Source: Règlement (UE) n° 1303/2013, art. 65 §2; règlement (UE) 2021/1060, art. 63 §2.
    """
    programme = periode_programme(reglement, le=periode.fin)
    limite = limite_acquittement or date_limite_bilan_final(periode.fin)
    trouvees = []
    if engagement is not None and not periode.contient(engagement):
        trouvees.append(_hors(periode, "engagée", engagement, "de réalisation"))
    if not periode.contient(realisation):
        trouvees.append(_hors(periode, "réalisée", realisation, "de réalisation"))
    if not programme.contient(realisation):
        trouvees.append(_hors(programme, "réalisée", realisation, f"du programme {reglement}"))
    if acquittement is None:
        trouvees.append(
            Anomalie(motif_code="NON_ACQUITTEE", message="Aucune date d’acquittement n’est connue.")
        )
        return tuple(trouvees)
    debut, fin = max(periode.debut, programme.debut), min(limite, programme.fin)
    if not debut <= acquittement <= fin:
        trouvees.append(
            Anomalie(
                motif_code="ACQUITTEE_HORS_DELAI",
                message=f"La dépense est acquittée le {acquittement:%d/%m/%Y} ; elle devait l’être "
                f"du {debut:%d/%m/%Y} au {fin:%d/%m/%Y}.",
            )
        )
    return tuple(trouvees)


def _hors(fenetre: Periode, etape: str, jour: date, nom: str) -> Anomalie:
    return Anomalie(
        motif_code="HORS_PERIODE",
        message=f"La dépense est {etape} le {jour:%d/%m/%Y}, hors de la période {nom}, du "
        f"{fenetre.debut:%d/%m/%Y} au {fenetre.fin:%d/%m/%Y}.",
    )
