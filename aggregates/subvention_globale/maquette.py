"""Sharing the grant: tranches, enveloppes of the PLIE, réserve, transfers."""

from datetime import date

from pydantic import Field

from aggregates.cadre import RESERVE, Cellule, LigneMaquette
from aggregates.commande import Annee, Code, Commande, CommandeMotivee, Instance, Saisie, Texte
from aggregates.subvention_globale.events import (
    EnveloppePlieNotifiee,
    LigneTranche,
    ReserveConstituee,
    TrancheOuverte,
    TransfertEnveloppeDecide,
)
from aggregates.subvention_globale.state import SubventionGlobale
from oi_service.errors import RuleBroken
from oi_service.money import Montant


class SubventionGlobaleNonEnVigueur(RuleBroken):
    """La subvention globale {numero} n’est pas en vigueur le {jour} : sa période de programmation
    va du {debut} au {fin}. Aucune enveloppe ne peut être allouée ni programmée ce jour-là.
    """


class TrancheDejaOuverte(RuleBroken):
    """La ligne {ligne} est déjà ouverte : son montant ne change que par avenant ou transfert."""


class LigneDuneAutreAnnee(RuleBroken):
    """La ligne {ligne}, n’est pas de la tranche {annee} : ouvrez-la avec son année."""


class TranchesAuDelaDeLaSubvention(RuleBroken):
    """Les tranches ouvertes atteindraient {demande:euros}, au-delà des {plafond:euros} de FSE de la
    subvention globale.
    """


class LigneNonOuverte(RuleBroken):
    """La ligne {ligne} n’est pas ouverte dans la maquette : ouvrez d’abord la tranche."""


class EnveloppeDepassee(RuleBroken):
    """La ligne {ligne} dispose encore de {disponible:euros} : {demande:euros} ne peuvent pas y être
    alloués.
    """


class PlieInconnu(RuleBroken):
    """Le PLIE « {plie_id} » ne fait pas partie de la subvention globale {numero}."""


class CoutTotalInferieurAuFse(RuleBroken):
    """Le coût total ({cout_total:euros}) doit contenir le FSE ({fse:euros})."""


class TransfertEntreLignes(RuleBroken):
    """Un transfert reste dans sa ligne : de « {de} » vers « {vers} », il faut un avenant à la
    subvention globale.
    """


class TransfertSousLeProgramme(RuleBroken):
    """Le transfert de {demande:euros} laisserait {cellule} avec moins que ce qu’elle a déjà
    programmé : au plus {disponible:euros} peuvent en partir.
    """


class TransfertSansEffet(RuleBroken):
    """Le transfert doit porter un montant positif d’une enveloppe vers une autre."""


class InstanceIncompetente(RuleBroken):
    """Seule l’instance de l’organisme intermédiaire peut décider de l’attribution du FSE : l’avis
    du comité de pilotage du PLIE se recueille, il n’attribue pas.
    """

    article = "Appel à projets AGAPE 2021 n° 3, circuit de décision"


def exiger_en_vigueur(subvention: SubventionGlobale, jour: date) -> None:
    """Refuse what is decided outside the période de programmation."""
    if not subvention.en_vigueur(jour):
        raise SubventionGlobaleNonEnVigueur(
            numero=subvention.numero,
            jour=jour,
            debut=subvention.programmation.debut,
            fin=subvention.programmation.fin,
        )


def exiger_instance_oi(instance: Instance) -> None:
    """Refuse a body that may not award the Fund's money."""
    if instance == "comite_pilotage_plie":
        raise InstanceIncompetente


def exiger_plie(subvention: SubventionGlobale, plie_id: str) -> None:
    """Refuse a PLIE that the grant does not serve."""
    if plie_id not in subvention.plie:
        raise PlieInconnu(plie_id=plie_id, numero=subvention.numero)


def _exiger_place(subvention: SubventionGlobale, ligne: LigneMaquette, fse: int) -> None:
    if ligne not in subvention.tranches:
        raise LigneNonOuverte(ligne=ligne.libelle)
    disponible = subvention.tranches[ligne] - subvention.reparti(ligne)
    if fse > disponible:
        raise EnveloppeDepassee(ligne=ligne.libelle, disponible=disponible, demande=fse)


def _exiger_cout_total(cout_total: int, fse: int) -> None:
    if cout_total < fse:
        raise CoutTotalInferieurAuFse(cout_total=cout_total, fse=fse)


class LigneSaisie(Saisie):
    """A line of the plan of the subvention globale."""

    annee: Annee
    axe: Code
    objectif_specifique: Code
    dispositif: Code

    def ligne(self) -> LigneMaquette:
        """Return the value that facts carry."""
        return LigneMaquette(**self.model_dump(include=set(LigneSaisie.model_fields)))


class LigneTrancheSaisie(LigneSaisie):
    """A line to open, with its amounts."""

    fse: Montant
    contreparties_publiques: Montant
    contreparties_privees: Montant


class OuvrirTranche(Commande):
    """Open the lines of a year of the grant."""

    annee: Annee
    lignes: tuple[LigneTrancheSaisie, ...] = Field(min_length=1, max_length=100)


def ouvrir_tranche(subvention: SubventionGlobale, commande: OuvrirTranche) -> list[TrancheOuverte]:
    """Open a year, within the grant."""
    exiger_en_vigueur(subvention, commande.date_effet)
    opened = set(subvention.tranches)
    for saisie in commande.lignes:
        ligne = saisie.ligne()
        if ligne.annee != commande.annee:
            raise LigneDuneAutreAnnee(ligne=ligne.libelle, annee=commande.annee)
        if ligne in opened:
            raise TrancheDejaOuverte(ligne=ligne.libelle)
        opened.add(ligne)
    demande = sum(subvention.tranches.values()) + sum(saisie.fse for saisie in commande.lignes)
    if demande > subvention.fse_total:
        raise TranchesAuDelaDeLaSubvention(demande=demande, plafond=subvention.fse_total)
    return [
        TrancheOuverte(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            annee=commande.annee,
            lignes=tuple(
                LigneTranche(
                    ligne=saisie.ligne(),
                    fse_centimes=saisie.fse,
                    contreparties_publiques_centimes=saisie.contreparties_publiques,
                    contreparties_privees_centimes=saisie.contreparties_privees,
                )
                for saisie in commande.lignes
            ),
        )
    ]


class NotifierEnveloppePlie(Commande):
    """Allocate to a PLIE a share of a line; a second notification adds to the first."""

    ligne: LigneSaisie
    plie_id: Code
    fse: Montant
    cout_total: Montant


def notifier_enveloppe(
    subvention: SubventionGlobale, commande: NotifierEnveloppePlie
) -> list[EnveloppePlieNotifiee]:
    """Allocate, never above what the line still has."""
    exiger_en_vigueur(subvention, commande.date_effet)
    exiger_plie(subvention, commande.plie_id)
    _exiger_cout_total(commande.cout_total, commande.fse)
    ligne = commande.ligne.ligne()
    _exiger_place(subvention, ligne, commande.fse)
    return [
        EnveloppePlieNotifiee(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            cellule=Cellule(ligne=ligne, plie_id=commande.plie_id),
            fse_centimes=commande.fse,
            cout_total_centimes=commande.cout_total,
        )
    ]


class ConstituerReserve(Commande):
    """Keep a share of a line in hand, for no PLIE yet."""

    ligne: LigneSaisie
    fse: Montant
    cout_total: Montant


def constituer_reserve(
    subvention: SubventionGlobale, commande: ConstituerReserve
) -> list[ReserveConstituee]:
    """Set aside, never above what the line still has."""
    exiger_en_vigueur(subvention, commande.date_effet)
    _exiger_cout_total(commande.cout_total, commande.fse)
    ligne = commande.ligne.ligne()
    _exiger_place(subvention, ligne, commande.fse)
    return [
        ReserveConstituee(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            ligne=ligne,
            fse_centimes=commande.fse,
            cout_total_centimes=commande.cout_total,
        )
    ]


class CelluleSaisie(Saisie):
    """An enveloppe: a line and a PLIE, or ``"reserve"``."""

    ligne: LigneSaisie
    plie_id: Code

    def cellule(self) -> Cellule:
        """Return the value that facts carry."""
        return Cellule(ligne=self.ligne.ligne(), plie_id=self.plie_id)


class DeciderTransfert(CommandeMotivee):
    """Move money from an enveloppe to another of the same line."""

    de: CelluleSaisie
    vers: CelluleSaisie
    fse: Montant
    cout_total: Montant
    instance: Instance
    pv_ref: Texte


def transferer(
    subvention: SubventionGlobale, commande: DeciderTransfert
) -> list[TransfertEnveloppeDecide]:
    """Move money between PLIE, never below what the giver has programmed."""
    exiger_en_vigueur(subvention, commande.date_effet)
    exiger_instance_oi(commande.instance)
    _exiger_cout_total(commande.cout_total, commande.fse)
    de, vers = commande.de.cellule(), commande.vers.cellule()
    if commande.fse == 0 or de == vers:
        raise TransfertSansEffet
    if de.ligne != vers.ligne:
        raise TransfertEntreLignes(de=de.ligne.libelle, vers=vers.ligne.libelle)
    for cellule in (de, vers):
        if cellule.plie_id != RESERVE:
            exiger_plie(subvention, cellule.plie_id)
    if commande.fse > subvention.disponible(de):
        raise TransfertSousLeProgramme(
            demande=commande.fse, cellule=de.libelle, disponible=subvention.disponible(de)
        )
    return [
        TransfertEnveloppeDecide(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            de=de,
            vers=vers,
            fse_centimes=commande.fse,
            cout_total_centimes=commande.cout_total,
            instance=commande.instance,
            pv_ref=commande.pv_ref,
        )
    ]
