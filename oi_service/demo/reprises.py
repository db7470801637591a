"""What was programmed before the service: a short list taken over, and a line of it undone."""

from datetime import date

from aggregates.reprise.reprise import AnnulerReprise, annuler
from aggregates.reprise.state import REPRISE
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE
from oi_service.application import Unit
from oi_service.demo.recit import Etape, Qui, Recit, identifiant
from oi_service.ids import reprise_of
from oi_service.reprise.importation import reprendre_la_liste
from oi_service.reprise.lecture import lire

_GESTIONNAIRE = Qui("gestionnaire-1", "gestionnaire_oi")

#: Invented. The second was programmed after its end: it is taken over, and marked.
_LISTE = """\
programme;intitule;beneficiaire;code_postal;date_debut;date_fin;total_depenses_eligibles;\
montant_ue_programme;pays;date_programmation;categorie_intervention;fonds
PROGRAMME-FICTIF;Chantier d’insertion fictif;Bénéficiaire fictif n° 71;33000;01/01/2018;31/12/2018;\
84 000,00;42 000,00;FR;15/03/2018;;FSE
PROGRAMME-FICTIF;Accueil fictif de printemps;Bénéficiaire fictif n° 72;47000;01/01/2018;31/03/2018;\
25 640,50;12 820,25;FR;19/04/2018;;FSE
PROGRAMME-FICTIF;Plateforme fictive de mobilité;Bénéficiaire fictif n° 73;24000;01/07/2018;\
30/06/2019;60 000,00;30 000,00;FR;28/06/2018;;FSE
"""


def raconte_les_reprises(graine: int) -> Recit:
    """The operations of the first months, then one that should not have been in the list."""
    r = Recit(graine, "reprises", date(2018, 7, 2))
    subvention = identifiant(graine, "subvention")
    liste = lire("operations-fictives-2018.csv", _LISTE.encode())

    def reprendre(unit: Unit) -> object:
        return reprendre_la_liste(unit, liste, unit.get(SUBVENTION_GLOBALE, subvention).cadre)

    r.etapes.append(Etape(r.jour, f"{r.racine}/liste", _GESTIONNAIRE, reprendre))
    r.attend(date(2018, 9, 3))
    derniere = liste.admises[-1][1]
    r.decide(
        "annulation",
        _GESTIONNAIRE,
        REPRISE,
        reprise_of(subvention, derniere.contenu),
        annuler,
        AnnulerReprise,
        motif="Opération retirée par son porteur avant sa convention",
    )
    return r
