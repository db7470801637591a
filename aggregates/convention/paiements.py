"""Payments: ordered, sent, rejected by the bank; orders to pay back, cashed."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from aggregates.commande import Code, Commande, CommandeMotivee
from aggregates.convention.avenants import exiger_aucun_avenant
from aggregates.convention.events import (
    OrdreReversementEmis,
    PaiementEffectue,
    PaiementOrdonnance,
    PaiementRejete,
    ReversementEncaisse,
)
from aggregates.convention.state import Convention, Paiement
from aggregates.operation.state import Operation
from oi_service.dates import Jour
from oi_service.errors import NotFound, RuleBroken
from oi_service.money import Montant
from rules import paiement as regles


class PaiementAbsent(NotFound):
    """Aucun paiement ne porte l’identifiant {id}."""


class OrdreAbsent(NotFound):
    """Aucun ordre de reversement ne porte l’identifiant {id}."""


class PaiementNul(RuleBroken):
    """Un paiement ou un reversement porte un montant positif."""


class AvanceSansDemarrage(RuleBroken):
    """L’avance demande une attestation de démarrage : l’opération n’a pas commencé."""

    article = "fse.gouv.fr, « La convention » : avance"


class AvanceDejaVersee(RuleBroken):
    """Une avance est déjà ordonnancée ou versée sur cette convention."""


class AvanceTropTard(RuleBroken):
    """L’avance précède tout autre paiement et le bilan final : ce qui est dû se paie désormais par
    un acompte ou par le solde.
    """


class AvanceNonPrevue(RuleBroken):
    """La convention ne prévoit pas d’avance pour ce bénéficiaire (« {type_beneficiaire} »)."""


class AvanceSuperieureAuPlafond(RuleBroken):
    """L’avance demandée ({demande:euros}) dépasse le plafond de la convention ({plafond:euros})."""


class PaiementSansCsf(RuleBroken):
    """{type_paiement} impossible : aucun contrôle de service fait validé ne le fonde."""

    article = "Appel à projets AGAPE 2021 n° 3, paiement après contrôle de service fait"


class CsfDunAutreType(RuleBroken):
    """Un {type_paiement} suit le contrôle d’un bilan {attendu} : celui-ci contrôle un bilan
    {type_bilan}.
    """


class PaiementSuperieurAuReste(RuleBroken):
    """{demande:euros} dépassent ce qui reste à payer ({reste:euros}) : {du:euros} dus après
    contrôle, {paye:euros} déjà payés ou ordonnancés.
    """


class PaiementHorsDeSonOrdre(RuleBroken):
    """Ce paiement est « {statut} » : l’acte demandé n’est plus possible."""


class RejetApresReversement(RuleBroken):
    """Le rejet de {montant:euros} ramènerait le payé à {paye:euros}, sous les {reclame:euros} qui
    restent réclamés : le bénéficiaire ne reverse pas ce qu’il n’a pas reçu.
    """


class IndusSuperieur(RuleBroken):
    """L’ordre de reversement de {demande:euros} dépasse l’indu, {indu:euros} : {paye:euros} payés
    pour {du:euros} dus, {demande_deja:euros} déjà réclamés.
    """


class EncaissementSuperieur(RuleBroken):
    """{demande:euros} dépassent ce qui reste à encaisser sur cet ordre, {reste:euros}."""


class OperationNonReglee(RuleBroken):
    """L’opération ne peut pas être soldée : {du:euros} dus, {paye:euros} payés net, {attente:euros}
    en attente. Payez, ou encaissez l’indu, puis recommencez.
    """


class SoldeAvantCsf(RuleBroken):
    """L’opération ne peut pas être soldée ni son indu réclamé : le contrôle de service fait du
    bilan final n’est pas validé, ou un bilan attend encore son contrôle.
    """


class OrdonnancerPaiement(Commande):
    """Order a payment. ``csf_id`` is the control that founds it; an avance has none."""

    type: Literal["avance", "acompte", "solde"]
    montant: Montant
    csf_id: UUID | None = None


def ordonnancer(
    convention: Convention,
    commande: OrdonnancerPaiement,
    paiement_id: UUID,
    operation: Operation,
) -> list[PaiementOrdonnance]:
    """Order what is due and no more; nothing is deducted from it.

    Source: règlement (UE) 1303/2013, art. 132 §1; règlement (UE) 2021/1060, art. 74 §1 b.
    """
    if commande.montant == 0:
        raise PaiementNul
    if commande.type == "avance":
        _exiger_avance(convention, commande, operation)
    else:
        _exiger_du(convention, commande)
    return [
        PaiementOrdonnance(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            paiement_id=paiement_id,
            type=commande.type,
            montant_centimes=commande.montant,
            csf_id=commande.csf_id,
            fse_du_cumule_centimes=convention.fse_du,
            paye_avant_centimes=convention.paye,
        )
    ]


def plafond_avance(convention: Convention) -> int:
    """Largest avance of a convention, in cents."""
    parametres = convention.parametres
    return regles.plafond_avance(
        convention.fse_max,
        parametres.avance_pct,
        parametres.avance_plafond_centimes,
        convention.arrondi,
    )


def reste_a_regler(convention: Convention, verse: int, *, final: bool) -> regles.Reglement:
    """What is to pay and to pay back, ``verse`` having left."""
    return regles.a_regler(
        convention.fse_du,
        regles.Versements(net_centimes=verse, avances_centimes=convention.avances),
        final=final,
        plafond_avant_solde=regles.plafond_avant_solde(
            convention.fse_max, convention.parametres.plafond_avant_solde_pct, convention.arrondi
        ),
        imputation=convention.parametres.imputation_avance,
    )


def _exiger_avance(
    convention: Convention, commande: OrdonnancerPaiement, operation: Operation
) -> None:
    """Check the conditions of an avance: foreseen, started, first, within its cap."""
    if convention.parametres.avance_pct == 0:
        raise AvanceNonPrevue(type_beneficiaire=convention.type_beneficiaire)
    if operation.demarree_le is None or operation.statut in {"abandonne", "resilie"}:
        raise AvanceSansDemarrage
    standing = (p for p in convention.paiements.values() if p.statut != "rejete")
    if any(p.type == "avance" for p in standing):
        raise AvanceDejaVersee
    if convention.engage > 0 or convention.bilan_final is not None:
        raise AvanceTropTard
    plafond = plafond_avance(convention)
    if commande.montant > plafond:
        raise AvanceSuperieureAuPlafond(demande=commande.montant, plafond=plafond)


def _exiger_du(convention: Convention, commande: OrdonnancerPaiement) -> None:
    """Check that a validated control founds the payment, and that it stays within what is due."""
    bilan = convention.bilan_du_csf(commande.csf_id) if commande.csf_id else None
    if bilan is None or bilan.statut != "controle":
        raise PaiementSansCsf(type_paiement=commande.type.capitalize())
    attendu = "final" if commande.type == "solde" else "intermediaire"
    if bilan.type != attendu:
        raise CsfDunAutreType(
            type_paiement=commande.type, attendu=_BILANS[attendu], type_bilan=_BILANS[bilan.type]
        )
    final = commande.type == "solde"
    reste = reste_a_regler(convention, convention.engage, final=final).a_payer_centimes
    if commande.montant > reste:
        raise PaiementSuperieurAuReste(
            demande=commande.montant, reste=reste, du=convention.fse_du, paye=convention.engage
        )


#: How the state of a payment is said to a person.
_STATUTS = {
    "ordonnance": "ordonnancé",
    "annule": "annulé",
    "effectue": "effectué",
    "acquitte": "acquitté",
    "rejete": "rejeté",
}
_BILANS = {"intermediaire": "intermédiaire", "final": "final"}


def _paiement(convention: Convention, paiement_id: UUID, statut: str) -> Paiement:
    paiement = convention.paiements.get(paiement_id)
    if paiement is None:
        raise PaiementAbsent(id=paiement_id)
    if paiement.statut != statut:
        raise PaiementHorsDeSonOrdre(statut=_STATUTS[paiement.statut])
    return paiement


class EffectuerPaiement(Commande):
    """The transfer left. ``date_effet`` is its value date; the IBAN is masked."""

    ref_virement: Code
    iban_masque: Annotated[str, Field(pattern=r"^[A-Z]{2}[0-9]{2}•+[0-9]{3}$")]


def effectuer(
    convention: Convention, commande: EffectuerPaiement, paiement_id: UUID
) -> list[PaiementEffectue]:
    """Record the transfer."""
    paiement = _paiement(convention, paiement_id, "ordonnance")
    return [
        PaiementEffectue(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            operation_id=convention.operation_id,
            paiement_id=paiement_id,
            type=paiement.type,
            montant_centimes=paiement.montant,
            ref_virement=commande.ref_virement,
            iban_masque=commande.iban_masque,
        )
    ]


class RejeterPaiement(CommandeMotivee):
    """The bank sent the money back; a new payment has to be ordered."""


def rejeter(
    convention: Convention, commande: RejeterPaiement, paiement_id: UUID
) -> list[PaiementRejete]:
    """Record the rejection."""
    paiement = _paiement(convention, paiement_id, "effectue")
    paye = convention.paye - paiement.montant
    if paye < convention.a_encaisser:
        raise RejetApresReversement(
            montant=paiement.montant, paye=paye, reclame=convention.a_encaisser
        )
    return [
        PaiementRejete(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            operation_id=convention.operation_id,
            paiement_id=paiement_id,
            type=paiement.type,
            montant_centimes=paiement.montant,
        )
    ]


class EmettreOrdreReversement(CommandeMotivee):
    """Ask back what was paid beyond what is due."""

    montant: Montant
    echeance: Jour


def emettre_ordre(
    convention: Convention,
    commande: EmettreOrdreReversement,
    ordre_id: UUID,
    operation: Operation,
) -> list[OrdreReversementEmis]:
    """Ask back what is not due, once nothing else can make it due."""
    if commande.montant == 0:
        raise PaiementNul
    final = convention.bilan_final
    if operation.statut not in {"abandonne", "resilie"} and (
        final is None or final.statut != "controle"
    ):
        raise SoldeAvantCsf
    already = convention.a_encaisser
    indu = reste_a_regler(convention, convention.paye - already, final=True).a_reverser_centimes
    if commande.montant > indu:
        raise IndusSuperieur(
            demande=commande.montant,
            indu=indu,
            paye=convention.paye,
            du=convention.fse_du,
            demande_deja=already,
        )
    return [
        OrdreReversementEmis(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            ordre_id=ordre_id,
            montant_centimes=commande.montant,
            echeance=commande.echeance,
        )
    ]


class EncaisserReversement(Commande):
    """Money came back."""

    montant: Montant
    ref: Code


def encaisser(
    convention: Convention, commande: EncaisserReversement, ordre_id: UUID
) -> list[ReversementEncaisse]:
    """Record what came back, in one or several times."""
    ordre = convention.ordres.get(ordre_id)
    if ordre is None:
        raise OrdreAbsent(id=ordre_id)
    if commande.montant == 0:
        raise PaiementNul
    reste = ordre.reste
    if commande.montant > reste:
        raise EncaissementSuperieur(demande=commande.montant, reste=reste)
    return [
        ReversementEncaisse(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            operation_id=convention.operation_id,
            ordre_id=ordre_id,
            montant_centimes=commande.montant,
            ref=commande.ref,
        )
    ]


class Solder(Commande):
    """Take note that all money is settled, either way."""


def exiger_regle(convention: Convention, operation: Operation) -> None:
    """Refuse to settle while money is due, waiting, or without its final control."""
    final = convention.bilan_final
    interrompue = operation.statut in {"abandonne", "resilie"}
    if final is None and not interrompue:
        raise SoldeAvantCsf
    if any(b.statut in {"depose", "recevable", "en_controle"} for b in convention.bilans.values()):
        raise SoldeAvantCsf
    exiger_aucun_avenant(convention)
    attente = (convention.engage - convention.paye) + convention.a_encaisser
    if convention.paye != convention.fse_du or attente:
        raise OperationNonReglee(du=convention.fse_du, paye=convention.paye, attente=attente)
