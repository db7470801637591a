"""Workbooks imported too early: five lots, each undone as one a week later.

They leave every figure as it was: what they show is that a lot can be taken back.
"""

import hashlib
from datetime import date
from uuid import UUID

from aggregates.lot.annulation import AnnulerLot
from aggregates.lot.importation import ImporterLot, ImporterLotRessources, Nature
from api import actions_lots
from api.imports import Demande, regarder_octets
from oi_service.application import Unit
from oi_service.demo.distribution import Dossier
from oi_service.demo.documents import Document
from oi_service.demo.recit import COMPTABLE, Etape, Qui, Recit
from oi_service.ids import lot_of
from projections.perimetre import OI_ENTIER

_GESTIONNAIRE = Qui("gestionnaire-1", "gestionnaire_oi")
_FINANCEUR = "Fondation fictive n° 09"

_DEPENSES = """\
N° de dossier;Poste de dépense;Nature de la dépense;Fournisseur ou tiers;N° de pièce;\
Date de la pièce;Date de réalisation;Date d’acquittement;Preuve d’acquittement;Montant imputé
{dossier};personnel;Salaire chargé de juin;fictif-salaires-1;BP-2022-06-1;30/06/2022;30/06/2022;\
08/07/2022;releve_bancaire;2 418,60
{dossier};personnel;Salaire chargé de juin;fictif-salaires-2;BP-2022-06-2;30/06/2022;30/06/2022;\
08/07/2022;releve_bancaire;1 986,15
{dossier};personnel;Salaire chargé de juillet;fictif-salaires-1;BP-2022-07-1;29/07/2022;29/07/2022;\
05/08/2022;releve_bancaire;2 418,60
"""
_INDICATEURS = """\
N° de dossier;N° de l’indicateur;Valeur réalisée;Valeur constatée le
{dossier};1;4;03/10/2022
"""
_ATTRIBUTIONS = f"""\
Type de financeur;Financeur;PLIE;Année;Montant attribué;Référence de l’attestation;Attribuée le
privee;{_FINANCEUR};{{plie}};2022;6 000,00;ATT-FICTIVE-9;03/10/2022
"""
_PERCEPTIONS = f"""\
Financeur;Année;Référence de l’attestation;Montant versé;Référence du versement;Versé le
{_FINANCEUR};2022;ATT-FICTIVE-9;1 500,00;VIR-FICTIF-9;03/10/2022
"""
_RESSOURCES = """\
N° de dossier;Type de ressource;Financeur;Montant perçu
{dossier};publique_epci;Intercommunalité fictive n° 09;2 000,00
"""
#: The bilan that a workbook of ressources is filed with.
_BILAN = {
    "numero": 1,
    "type": "intermediaire",
    "periode": {"debut": "2022-01-01", "fin": "2022-08-31"},
}


def raconte_les_lots(graine: int, cast: list[Dossier]) -> Recit:
    """Import what a dossier was not ready for, and take it back."""
    dossier = next(d for d in cast if d.destin == "execute")
    r = Recit(graine, "lots", date(2022, 10, 3))
    textes: list[tuple[str, Nature, Qui, str, str | None]] = [
        ("depenses", "depenses", COMPTABLE, _DEPENSES, "6823.35"),
        ("indicateurs", "indicateurs", _GESTIONNAIRE, _INDICATEURS, None),
        ("attributions", "contreparties", _GESTIONNAIRE, _ATTRIBUTIONS, "6000.00"),
        ("perceptions", "contreparties", _GESTIONNAIRE, _PERCEPTIONS, "1500.00"),
        ("ressources", "ressources", _GESTIONNAIRE, _RESSOURCES, "2000.00"),
    ]
    lots: list[tuple[str, Nature, Qui, UUID]] = []
    for nom, nature, qui, texte, total in textes:
        contenu = texte.format(dossier=dossier.numero_mdfse, plie=dossier.plie)
        lots.append((nom, nature, qui, _importe(r, nom, nature, qui, contenu, total)))
    r.attend(date(2022, 10, 10))
    for nom, nature, qui, lot_id in reversed(lots):
        r.agit(
            f"{nom}/annulation",
            qui,
            actions_lots.annuler_lot,
            lot_id,
            AnnulerLot,
            nature,
            motif="Classeur importé avant d’être relu par le bénéficiaire",
        )
    return r


def _importe(r: Recit, nom: str, nature: Nature, qui: Qui, contenu: str, total: str | None) -> UUID:
    octets = contenu.encode("utf-8-sig")
    fichier = f"{nom}-fictif.csv"
    sha256 = hashlib.sha256(octets).hexdigest()
    lot_id = lot_of(nature, sha256, 1)
    jour = r.jour

    def faire(unit: Unit) -> None:
        with unit.lecture() as conn:
            depot = regarder_octets(conn, OI_ENTIER, Demande(nature, sha256, fichier), octets)
        saisie = {
            "date_effet": jour,
            "fichier_sha256": sha256,
            "fichier_nom": fichier,
            "total_controle": total,
        }
        commande = (
            ImporterLotRessources.model_validate(saisie | {"bilan": _BILAN})
            if nature == "ressources"
            else ImporterLot.model_validate(saisie)
        )
        actions_lots.importer_lot(unit, lot_id, commande, nature, depot)

    document = Document("Classeur de démonstration", "classeur_importe", jour, octets, "csv")
    r.etapes.append(Etape(jour, f"{r.racine}/{nom}", qui, faire, (document,)))
    return lot_id
