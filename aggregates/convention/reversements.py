"""Money asked back: the order, its notification, its contestation, and how it ends."""

from uuid import UUID

from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import Code, Commande, CommandeMotivee
from aggregates.convention.events import (
    CompensationOperee,
    ContestationTranchee,
    CreanceIrrecouvrable,
    CreanceRetablie,
    OrdreReversementAnnule,
    OrdreReversementConteste,
    OrdreReversementEmis,
    OrdreReversementNotifie,
    ReversementEncaisse,
)
from aggregates.convention.paiements import (
    CompenserOrdre,
    PaiementNul,
    SoldeAvantCsf,
    reste_a_regler,
)
from aggregates.convention.state import Convention, Ordre
from aggregates.operation.execution import INTERROMPUE
from aggregates.operation.state import Operation
from aggregates.separation import EmetteurEgalDecideur
from oi_service.dates import Jour
from oi_service.errors import NotFound, RuleBroken
from oi_service.money import Montant


class OrdreAbsent(NotFound):
    """Aucun ordre de reversement ne porte l’identifiant {id}."""


class IndusSuperieur(RuleBroken):
    """L’ordre de reversement de {demande:euros} dépasse l’indu, {indu:euros} : {paye:euros} payés
    pour {du:euros} dus, {demande_deja:euros} déjà réclamés ou perdus.
    """


class OrdreHorsDeSonOrdre(RuleBroken):
    """Cet ordre de reversement est « {statut} » : l’acte demandé n’est pas possible."""


class OrdreEntame(RuleBroken):
    """{rentre:euros} sont déjà rentrés ou perdus sur cet ordre de reversement, et son reste est
    toujours dû : il ne s’annule plus.
    """


class EncaissementSuperieur(RuleBroken):
    """{demande:euros} dépassent ce qui reste à encaisser sur cet ordre, {reste:euros}."""


class RetablissementSuperieur(RuleBroken):
    """{demande:euros} dépassent ce qui a été déclaré irrécouvrable sur cet ordre, {perdu:euros}."""


class ContestationPendante(RuleBroken):
    """Cet ordre de reversement est contesté : tranchez la contestation d’abord."""


class CompensationSurPlace(RuleBroken):
    """Une compensation se fait par le paiement d’une autre opération : sur une même opération, ce
    qui est dû se calcule net de ce qui est payé.
    """


class CompensationAutreBeneficiaire(RuleBroken):
    """Une compensation ne se fait qu’entre opérations d’un même bénéficiaire et d’un même organisme
    intermédiaire : {debiteur} doit reverser, {creancier} serait payé.
    """


class CompensationEntreReglements(RuleBroken):
    """L’opération à rembourser relève de {un}, l’opération payée de {autre} : une compensation ne
    mêle pas deux programmations.
    """


class EmettreOrdreReversement(CommandeMotivee):
    """Ask back what was paid beyond what is due."""

    montant: Montant
    echeance: Jour


def emettre_ordre(
    convention: Convention,
    commande: EmettreOrdreReversement,
    ordre_id: UUID,
    operation: Operation,
    emetteur: str,
) -> list[OrdreReversementEmis]:
    """Ask back what is not due, once nothing else can make it due.

    Nothing is claimed before the final control, an abandonment or a termination; a recalculation
    after the solde claims as the solde does.
    """
    if commande.montant == 0:
        raise PaiementNul
    final = convention.bilan_final
    sans_final = operation.statut in INTERROMPUE or (final is None and bool(operation.suites))
    if not sans_final and (final is None or final.statut != "controle"):
        raise SoldeAvantCsf
    deja = convention.a_encaisser + convention.perdu
    indu = reste_a_regler(convention, convention.paye - deja, final=True).a_reverser_centimes
    if commande.montant > indu:
        raise IndusSuperieur(
            demande=commande.montant,
            indu=indu,
            paye=convention.paye,
            du=convention.fse_du,
            demande_deja=deja,
        )
    return [
        OrdreReversementEmis(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            ordre_id=ordre_id,
            montant_centimes=commande.montant,
            echeance=commande.echeance,
            emetteur=emetteur,
        )
    ]


#: How the state of an order is said to a person.
_STATUTS = {"emis": "émis", "notifie": "notifié", "conteste": "contesté", "annule": "annulé"}


def _ordre(convention: Convention, ordre_id: UUID, *statuts: str) -> Ordre:
    ordre = convention.ordres.get(ordre_id)
    if ordre is None:
        raise OrdreAbsent(id=ordre_id)
    if statuts and ordre.statut not in statuts:
        raise OrdreHorsDeSonOrdre(statut=_STATUTS[ordre.statut])
    return ordre


def _exiger_apres(ordre: Ordre, commande: Commande, acte: str) -> None:
    """Refuse to take from what is still asked before it was asked, or asked again."""
    jour = commande.date_effet
    exiger_pas_avant(jour, acte, ordre.emis_le, "cet ordre de reversement a été émis")
    exiger_pas_avant(jour, acte, ordre.retabli_le, "la créance a été rétablie")


class NotifierOrdre(Commande):
    """The beneficiary received the order."""


def notifier(
    convention: Convention, commande: NotifierOrdre, ordre_id: UUID
) -> list[OrdreReversementNotifie]:
    """Record the notification."""
    _ordre(convention, ordre_id, "emis")
    return [
        OrdreReversementNotifie(
            date_effet=commande.date_effet, pieces=commande.jointes(), ordre_id=ordre_id
        )
    ]


class ContesterOrdre(CommandeMotivee):
    """The beneficiary says that the money is not owed."""


def contester(
    convention: Convention, commande: ContesterOrdre, ordre_id: UUID
) -> list[OrdreReversementConteste]:
    """Record the contestation of an order that was notified."""
    _ordre(convention, ordre_id, "notifie")
    return [
        OrdreReversementConteste(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            ordre_id=ordre_id,
        )
    ]


class TrancherContestation(CommandeMotivee):
    """Decide: the order stands. When the beneficiary is right, it is then cancelled."""


def trancher(
    convention: Convention, commande: TrancherContestation, ordre_id: UUID
) -> list[ContestationTranchee]:
    """End the contestation."""
    _ordre(convention, ordre_id, "conteste")
    return [
        ContestationTranchee(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            ordre_id=ordre_id,
        )
    ]


class AnnulerOrdre(CommandeMotivee):
    """Take back what an order still asks."""


def annuler(
    convention: Convention, commande: AnnulerOrdre, ordre_id: UUID
) -> list[OrdreReversementAnnule]:
    """Take back an order on which nothing came in; or, of another, what is no longer owed."""
    ordre = _ordre(convention, ordre_id, "emis", "notifie", "conteste")
    if ordre.reste == 0:
        raise OrdreHorsDeSonOrdre(statut="réglé")
    rentre = ordre.rentre + ordre.perdu
    indu = convention.paye - convention.perdu - convention.fse_du
    if rentre and convention.a_encaisser <= indu:
        raise OrdreEntame(rentre=rentre)
    _exiger_apres(ordre, commande, "Annuler l’ordre de reversement")
    return [
        OrdreReversementAnnule(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            ordre_id=ordre_id,
            montant_centimes=ordre.reste,
        )
    ]


class EncaisserReversement(Commande):
    """Money came back."""

    montant: Montant
    ref: Code


def encaisser(
    convention: Convention, commande: EncaisserReversement, ordre_id: UUID
) -> list[ReversementEncaisse]:
    """Record what came back, in one or several times, contested or not."""
    ordre = _ordre(convention, ordre_id)
    _exiger_reste(ordre, commande.montant)
    _exiger_apres(ordre, commande, "Encaisser le reversement")
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


def _exiger_reste(ordre: Ordre, montant: int) -> None:
    if montant == 0:
        raise PaiementNul
    if montant > ordre.reste:
        raise EncaissementSuperieur(demande=montant, reste=ordre.reste)


def _exiger_tranche(convention: Convention, ordre_id: UUID) -> Ordre:
    """Return an order that nobody contests, or refuse."""
    ordre = _ordre(convention, ordre_id)
    if ordre.statut == "conteste":
        raise ContestationPendante
    return ordre


class DeclarerIrrecouvrable(CommandeMotivee):
    """Give up what cannot be recovered; ``decision_ref`` is the decision that says so."""

    montant: Montant
    decision_ref: Code


def declarer_irrecouvrable(
    convention: Convention, commande: DeclarerIrrecouvrable, ordre_id: UUID, decideur: str
) -> list[CreanceIrrecouvrable]:
    """Record the loss: it is not due, and will not come back."""
    ordre = _exiger_tranche(convention, ordre_id)
    _exiger_reste(ordre, commande.montant)
    _exiger_apres(ordre, commande, "Déclarer la créance irrécouvrable")
    if ordre.emis_par == decideur:
        raise EmetteurEgalDecideur(le=ordre.emis_le)
    return [
        CreanceIrrecouvrable(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            operation_id=convention.operation_id,
            ordre_id=ordre_id,
            montant_centimes=commande.montant,
            decision_ref=commande.decision_ref,
        )
    ]


class RetablirCreance(CommandeMotivee):
    """Ask again for what was given up: the debtor can pay, or the loss was less than said."""

    montant: Montant


def retablir(
    convention: Convention, commande: RetablirCreance, ordre_id: UUID
) -> list[CreanceRetablie]:
    """Ask again; what is no longer owed may then be cancelled."""
    ordre = _ordre(convention, ordre_id)
    if commande.montant == 0:
        raise PaiementNul
    if commande.montant > ordre.perdu:
        raise RetablissementSuperieur(demande=commande.montant, perdu=ordre.perdu)
    exiger_pas_avant(
        commande.date_effet,
        "Rétablir la créance",
        ordre.perdu_le,
        "elle a été déclarée irrécouvrable",
    )
    return [
        CreanceRetablie(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            operation_id=convention.operation_id,
            ordre_id=ordre_id,
            montant_centimes=commande.montant,
        )
    ]


def compenser(
    convention: Convention,
    commande: CompenserOrdre,
    ordre_id: UUID,
    debitrice: Operation,
    creanciere: Operation,
) -> list[CompensationOperee]:
    """Settle an order by a payment of ``creanciere``, which is imputed in the same transaction."""
    if commande.par_operation_id == convention.operation_id:
        raise CompensationSurPlace
    un, autre = debitrice.beneficiaire.siret, creanciere.beneficiaire.siret
    if un != autre or debitrice.cadre.oi_id != creanciere.cadre.oi_id:
        raise CompensationAutreBeneficiaire(debiteur=un, creancier=autre)
    reglement = debitrice.cadre.reglement
    if reglement != creanciere.cadre.reglement:
        raise CompensationEntreReglements(un=reglement, autre=creanciere.cadre.reglement)
    ordre = _exiger_tranche(convention, ordre_id)
    _exiger_reste(ordre, commande.montant)
    _exiger_apres(ordre, commande, "Compenser l’ordre de reversement")
    return [
        CompensationOperee(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            operation_id=convention.operation_id,
            ordre_id=ordre_id,
            montant_centimes=commande.montant,
            par_operation_id=commande.par_operation_id,
            par_paiement_id=commande.par_paiement_id,
            par_numero=creanciere.numero_mdfse,
        )
    ]
