"""Payments: prepared, ordered, sent, confirmed or sent back by the bank; what settling asks."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from pydantic import Field

from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import Code, Commande, CommandeMotivee
from aggregates.convention.avenants import exiger_aucun_avenant
from aggregates.convention.events import (
    CompensationImputee,
    PaiementAcquitte,
    PaiementAnnule,
    PaiementEffectue,
    PaiementOrdonnance,
    PaiementPrepare,
    PaiementRejete,
)
from aggregates.convention.state import Convention, Paiement
from aggregates.operation.execution import INTERROMPUE
from aggregates.operation.state import Operation
from aggregates.operation.suites import REGLEE
from aggregates.separation import (
    ControleurEgalPayeur,
    InstructeurEgalOrdonnateur,
    OrdonnateurEgalExecutant,
    PreparateurEgalOrdonnateur,
    ValideurEgalPayeur,
)
from oi_service.errors import NotFound, RuleBroken
from oi_service.money import Montant
from rules import paiement as regles


class PaiementAbsent(NotFound):
    """Aucun paiement ne porte l’identifiant {id}."""


class PaiementNul(RuleBroken):
    """Un paiement ou un reversement porte un montant positif."""


class AvanceSansDemarrage(RuleBroken):
    """L’avance demande une attestation de démarrage : l’opération n’a pas commencé."""

    article = "fse.gouv.fr, « La convention » : avance"


class AvanceDejaVersee(RuleBroken):
    """Une avance est déjà préparée, ordonnancée ou versée sur cette convention."""


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
    contrôle, {paye:euros} déjà payés, ordonnancés ou préparés.
    """


class RemplacementSansRejet(RuleBroken):
    """Le paiement à remplacer est « {statut} » : seul un paiement rejeté par la banque, et pas
    encore remplacé, se remplace.
    """


class RemplacementDifferent(RuleBroken):
    """Le paiement de remplacement reprend le type du paiement rejeté ({type_attendu}) et le montant
    que la banque a renvoyé ({attendu:euros}).
    """


class PaiementHorsDeSonOrdre(RuleBroken):
    """Ce paiement est « {statut} » : l’acte demandé n’est plus possible."""


class PaiementEntierementCompense(RuleBroken):
    """Ce paiement est entièrement compensé : il n’y a ni virement à faire, ni ordre à annuler."""


class RejetApresReversement(RuleBroken):
    """Le rejet de {montant:euros} ramènerait le payé à {paye:euros}, sous les {reclame:euros} qui
    restent réclamés ou sont perdus : le bénéficiaire ne reverse pas ce qu’il n’a pas reçu.
    """


class CompensationSuperieureAuPaiement(RuleBroken):
    """{demande:euros} dépassent ce que ce paiement laisse à virer, {reste:euros}."""


class OperationNonReglee(RuleBroken):
    """L’opération ne peut pas être soldée : {du:euros} dus, {paye:euros} payés net, dont
    {perdu:euros} irrécouvrables, {attente:euros} en attente. Payez, ou encaissez l’indu, puis
    recommencez.
    """


class SoldeAvantCsf(RuleBroken):
    """L’opération ne peut pas être soldée ni son indu réclamé : le contrôle de service fait du
    bilan final n’est pas validé, ou un bilan attend encore son contrôle.
    """


class PaiementNonAcquitte(RuleBroken):
    """Le paiement {id} ({type_paiement}, {montant:euros}) est « {statut} » : la banque doit l’avoir
    confirmé avant la clôture.
    """


def _exiger_apres(paiement: Paiement, commande: Commande, acte: str) -> None:
    """Refuse an act on a payment dated before the last one."""
    precedent = f"ce paiement a été {_STATUTS[paiement.statut]}"
    exiger_pas_avant(commande.date_effet, acte, paiement.le, precedent)


class PreparerPaiement(Commande):
    """Prepare a payment. ``csf_id`` is the control that founds it; an avance has none.

    ``remplace`` names the payment that the bank sent back and that this one pays again.
    """

    type: Literal["avance", "acompte", "solde"]
    montant: Montant
    csf_id: UUID | None = None
    remplace: UUID | None = None


def preparer(
    convention: Convention,
    commande: PreparerPaiement,
    paiement_id: UUID,
    operation: Operation,
    preparateur: str,
) -> list[PaiementPrepare]:
    """Prepare what is due and no more; nothing is deducted from it.

    Source: règlement (UE) 1303/2013, art. 132 §1; règlement (UE) 2021/1060, art. 74 §1 b.
    """
    if commande.montant == 0:
        raise PaiementNul
    demande = Paiement(
        type=commande.type,
        montant=commande.montant,
        csf_id=commande.csf_id,
        statut="prepare",
        remplace=commande.remplace,
    )
    _exiger_payable(convention, demande, commande, operation)
    exiger_hors_du_controle(convention, demande.csf_id, preparateur, "prépare")
    return [
        PaiementPrepare(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            paiement_id=paiement_id,
            type=commande.type,
            montant_centimes=commande.montant,
            csf_id=commande.csf_id,
            fse_du_cumule_centimes=convention.fse_du,
            paye_avant_centimes=convention.paye,
            remplace=commande.remplace,
            preparateur=preparateur,
        )
    ]


class OrdonnancerPaiement(Commande):
    """Order a payment as it was prepared."""


def ordonnancer(
    convention: Convention,
    commande: OrdonnancerPaiement,
    paiement_id: UUID,
    operation: Operation,
    ordonnateur: str,
) -> list[PaiementOrdonnance]:
    """Order it, once somebody else sees that what was prepared is still due."""
    paiement = _paiement(convention, paiement_id, "prepare")
    _exiger_apres(paiement, commande, "Ordonnancer le paiement")
    autres = {i: p for i, p in convention.paiements.items() if i != paiement_id}
    sans = msgspec.structs.replace(convention, paiements=autres)
    _exiger_payable(sans, paiement, commande, operation)
    if paiement.prepare_par == ordonnateur:
        raise PreparateurEgalOrdonnateur(le=paiement.le)
    if (instruction := operation.instructeurs.get(ordonnateur)) is not None:
        raise InstructeurEgalOrdonnateur(acte=instruction.mots, le=instruction.le)
    exiger_hors_du_controle(convention, paiement.csf_id, ordonnateur, "ordonnance")
    return [
        PaiementOrdonnance(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            paiement_id=paiement_id,
            type=paiement.type,
            montant_centimes=paiement.montant,
            csf_id=paiement.csf_id,
            fse_du_cumule_centimes=convention.fse_du,
            paye_avant_centimes=convention.paye,
            remplace=paiement.remplace,
            ordonnateur=ordonnateur,
        )
    ]


def exiger_hors_du_controle(
    convention: Convention, csf_id: UUID | None, acteur: str, suite: str
) -> None:
    """Refuse whoever controlled the bilan that a payment follows, or validated its control."""
    version = convention.versions_csf.get(csf_id) if csf_id else None
    if version is None:
        return
    bilan = convention.bilans[version.bilan_id]
    if (controle := bilan.controleurs.get(acteur)) is not None:
        raise ControleurEgalPayeur(
            bilan=bilan.numero, acte=controle.mots, le=controle.le, suite=suite
        )
    if (validation := bilan.valideurs.get(acteur)) is not None:
        raise ValideurEgalPayeur(bilan=bilan.numero, le=validation.le, suite=suite)


def _exiger_payable(
    convention: Convention, demande: Paiement, commande: Commande, operation: Operation
) -> None:
    """Refuse what is not due; ``demande`` is not among the payments of the convention."""
    compense = _compense_du_remplace(convention, demande, commande)
    if demande.type == "avance":
        _exiger_avance(convention, demande, operation, compense)
    else:
        _exiger_du(convention, demande, operation)


def _compense_du_remplace(convention: Convention, demande: Paiement, commande: Commande) -> int:
    """Check what a payment replaces; return what of the replaced one stays paid, in cents."""
    if demande.remplace is None:
        return 0
    ancien = convention.paiements.get(demande.remplace)
    if ancien is None:
        raise PaiementAbsent(id=demande.remplace)
    if ancien.statut != "rejete":
        raise RemplacementSansRejet(statut=_STATUTS[ancien.statut])
    if any(p.remplace == demande.remplace and _tient(p) for p in convention.paiements.values()):
        raise RemplacementSansRejet(statut="rejeté et déjà remplacé")
    renvoye = ancien.montant - ancien.compense
    if (demande.type, demande.montant) != (ancien.type, renvoye):
        raise RemplacementDifferent(type_attendu=ancien.type, attendu=renvoye)
    _exiger_apres(ancien, commande, "Remplacer un paiement rejeté")
    return ancien.compense


def _tient(paiement: Paiement) -> bool:
    return paiement.statut not in {"annule", "rejete"}


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
    avances = (p.engage for p in convention.paiements.values() if p.type == "avance")
    return regles.a_regler(
        convention.fse_du,
        regles.Versements(net_centimes=verse, avances_centimes=sum(avances)),
        final=final,
        plafond_avant_solde=regles.plafond_avant_solde(
            convention.fse_max, convention.parametres.plafond_avant_solde_pct, convention.arrondi
        ),
        imputation=convention.parametres.imputation_avance,
    )


def _exiger_avance(
    convention: Convention, demande: Paiement, operation: Operation, compense: int
) -> None:
    """Check the conditions of an avance: foreseen, started, first, within its cap.

    ``compense``: what stays of the avance that this one pays again.
    """
    if convention.parametres.avance_pct == 0:
        raise AvanceNonPrevue(type_beneficiaire=convention.type_beneficiaire)
    if operation.demarree_le is None or operation.statut in INTERROMPUE:
        raise AvanceSansDemarrage
    if any(p.type == "avance" and _tient(p) for p in convention.paiements.values()):
        raise AvanceDejaVersee
    trop_tard = convention.bilan_final is not None or operation.statut in REGLEE
    if convention.engage > compense or trop_tard:
        raise AvanceTropTard
    plafond, avance = plafond_avance(convention), demande.montant + compense
    if avance > plafond:
        raise AvanceSuperieureAuPlafond(demande=avance, plafond=plafond)


def _exiger_du(convention: Convention, demande: Paiement, operation: Operation) -> None:
    """Check that a validated control founds the payment, and that it stays within what is due.

    No ceiling holds money back until a solde that is past, or that will never come.
    """
    bilan = convention.bilan_du_csf(demande.csf_id) if demande.csf_id else None
    if bilan is None or bilan.statut != "controle":
        raise PaiementSansCsf(type_paiement=demande.type.capitalize())
    attendu = "final" if demande.type == "solde" else "intermediaire"
    if bilan.type != attendu:
        raise CsfDunAutreType(
            type_paiement=demande.type, attendu=_BILANS[attendu], type_bilan=_BILANS[bilan.type]
        )
    final = bilan.type == "final" or operation.statut in INTERROMPUE | REGLEE
    reste = reste_a_regler(convention, convention.engage, final=final).a_payer_centimes
    if demande.montant > reste:
        raise PaiementSuperieurAuReste(
            demande=demande.montant, reste=reste, du=convention.fse_du, paye=convention.engage
        )


#: How the state of a payment is said to a person.
_STATUTS = {
    "prepare": "préparé",
    "ordonnance": "ordonnancé",
    "annule": "annulé",
    "effectue": "effectué",
    "acquitte": "acquitté",
    "rejete": "rejeté",
}
_BILANS = {"intermediaire": "intermédiaire", "final": "final"}


def _paiement(convention: Convention, paiement_id: UUID, *statuts: str) -> Paiement:
    paiement = convention.paiements.get(paiement_id)
    if paiement is None:
        raise PaiementAbsent(id=paiement_id)
    if paiement.statut not in statuts:
        raise PaiementHorsDeSonOrdre(statut=_STATUTS[paiement.statut])
    return paiement


def _a_virer(convention: Convention, paiement_id: UUID, *statuts: str) -> Paiement:
    """Return a payment that did not leave, and of which something is left to transfer."""
    paiement = _paiement(convention, paiement_id, *statuts)
    if paiement.compense == paiement.montant:
        raise PaiementEntierementCompense
    return paiement


class AnnulerPaiement(CommandeMotivee):
    """Give up a payment before its transfer; what was compensated stays paid."""


def annuler(
    convention: Convention, commande: AnnulerPaiement, paiement_id: UUID
) -> list[PaiementAnnule]:
    """Give up what was prepared, or take the order back."""
    paiement = _a_virer(convention, paiement_id, "prepare", "ordonnance")
    _exiger_apres(paiement, commande, "Annuler le paiement")
    return [
        PaiementAnnule(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            paiement_id=paiement_id,
            montant_centimes=paiement.montant - paiement.compense,
        )
    ]


class EffectuerPaiement(Commande):
    """The transfer left. ``date_effet`` is its value date; the IBAN is masked."""

    ref_virement: Code
    iban_masque: Annotated[str, Field(pattern=r"^[A-Z]{2}[0-9]{2}•+[0-9]{3}$")]


def effectuer(
    convention: Convention, commande: EffectuerPaiement, paiement_id: UUID, executant: str
) -> list[PaiementEffectue]:
    """Record the transfer, of what no compensation paid already."""
    paiement = _a_virer(convention, paiement_id, "ordonnance")
    _exiger_apres(paiement, commande, "Enregistrer le virement")
    if paiement.ordonnance_par == executant:
        raise OrdonnateurEgalExecutant(le=paiement.le, suite="enregistre son virement")
    exiger_hors_du_controle(convention, paiement.csf_id, executant, "vire")
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
            compense_centimes=paiement.compense,
            executant=executant,
        )
    ]


class AcquitterPaiement(Commande):
    """The bank confirms that the money arrived; ``ref`` is that of its statement."""

    ref: Code


def acquitter(
    convention: Convention, commande: AcquitterPaiement, paiement_id: UUID
) -> list[PaiementAcquitte]:
    """Record the confirmation; nothing is sent back afterwards."""
    paiement = _paiement(convention, paiement_id, "effectue")
    _exiger_apres(paiement, commande, "Acquitter le paiement")
    return [
        PaiementAcquitte(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            paiement_id=paiement_id,
            ref=commande.ref,
        )
    ]


class RejeterPaiement(CommandeMotivee):
    """The bank sent the money back; a new payment has to be ordered."""


def rejeter(
    convention: Convention, commande: RejeterPaiement, paiement_id: UUID
) -> list[PaiementRejete]:
    """Record the rejection: only what was transferred comes back."""
    paiement = _paiement(convention, paiement_id, "effectue")
    renvoye = paiement.montant - paiement.compense
    paye = convention.paye - renvoye
    reclame = convention.a_encaisser + convention.perdu
    if paye < reclame:
        raise RejetApresReversement(montant=renvoye, paye=paye, reclame=reclame)
    _exiger_apres(paiement, commande, "Enregistrer le rejet du paiement")
    return [
        PaiementRejete(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            operation_id=convention.operation_id,
            paiement_id=paiement_id,
            type=paiement.type,
            montant_centimes=renvoye,
        )
    ]


class CompenserOrdre(Commande):
    """Settle an order to pay back by a payment due to the same beneficiary elsewhere."""

    montant: Montant
    par_operation_id: UUID
    par_paiement_id: UUID


def imputer_compensation(
    convention: Convention,
    commande: CompenserOrdre,
    debitrice: Operation,
    pour_operation_id: UUID,
    pour_ordre_id: UUID,
    executant: str,
) -> list[CompensationImputee]:
    """Pay, without any transfer, what the beneficiary owes on another operation."""
    paiement = _paiement(convention, commande.par_paiement_id, "ordonnance")
    reste = paiement.montant - paiement.compense
    if commande.montant > reste:
        raise CompensationSuperieureAuPaiement(demande=commande.montant, reste=reste)
    _exiger_apres(paiement, commande, "Compenser par ce paiement")
    if paiement.ordonnance_par == executant:
        raise OrdonnateurEgalExecutant(le=paiement.le, suite="l’impute sur un reversement")
    exiger_hors_du_controle(convention, paiement.csf_id, executant, "impute")
    return [
        CompensationImputee(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            paiement_id=commande.par_paiement_id,
            montant_centimes=commande.montant,
            pour_operation_id=pour_operation_id,
            pour_ordre_id=pour_ordre_id,
            pour_numero=debitrice.numero_mdfse,
        )
    ]


class Solder(Commande):
    """Take note that all money is settled, either way."""


def exiger_regle(convention: Convention, operation: Operation) -> None:
    """Refuse to settle while money is due, waiting, or without its final control.

    What was paid, less what came back and what is lost, is what is due.
    """
    if convention.bilan_final is None and operation.statut not in INTERROMPUE | REGLEE:
        raise SoldeAvantCsf
    if any(b.statut in {"depose", "recevable", "en_controle"} for b in convention.bilans.values()):
        raise SoldeAvantCsf
    exiger_aucun_avenant(convention)
    attente = (convention.engage - convention.paye) + convention.a_encaisser
    if convention.paye - convention.perdu != convention.fse_du or attente:
        raise OperationNonReglee(
            du=convention.fse_du, paye=convention.paye, perdu=convention.perdu, attente=attente
        )


def exiger_acquittes(convention: Convention) -> None:
    """Refuse to close while the bank has not confirmed a transfer."""
    for paiement_id, paiement in convention.paiements.items():
        vire = paiement.compense < paiement.montant
        if paiement.statut in {"prepare", "ordonnance", "effectue"} and vire:
            raise PaiementNonAcquitte(
                id=paiement_id,
                type_paiement=paiement.type,
                montant=paiement.montant,
                statut=_STATUTS[paiement.statut],
            )
