"""Commands that need more than one stream: what moves together is saved together.

Each action works in a `Unit`: it loads, lets the decisions of `aggregates` decide, and records; the
journal saves everything in one transaction or nothing. Commands on a single stream have no action:
their route passes the decision itself to `Ecriture.decide`.
"""

from datetime import date
from uuid import UUID

from aggregates.appel_a_projets import publication
from aggregates.appel_a_projets.state import APPEL_A_PROJETS
from aggregates.commande import Commande
from aggregates.contrepartie import affectation, repartition
from aggregates.contrepartie.state import CONTREPARTIE
from aggregates.controle_operation import notification, rapports
from aggregates.controle_operation import suites as suites_du_controle
from aggregates.controle_operation.events import PerimetreControle
from aggregates.controle_operation.state import CONTROLE_OPERATION
from aggregates.convention import (
    avenants,
    bilans,
    cloture_office,
    constatations,
    echantillons,
    paiements,
    reversements,
    service_fait,
    signature,
    validation,
)
from aggregates.convention.state import CONVENTION, Convention
from aggregates.depense import controle, declaration
from aggregates.depense.state import DEPENSE, Depense
from aggregates.operation import cloture, contacts, depot, execution, programmation, suites
from aggregates.operation.state import OPERATION, Operation
from aggregates.operation.transitions import exiger
from aggregates.personne import effacement, enregistrement
from aggregates.personne.events import ENREGISTREE, IDENTITE, RECTIFIEE
from aggregates.personne.state import PERSONNE
from aggregates.subvention_globale import conventionnement, reservations
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE
from oi_service.application import Unit
from oi_service.ids import convention_of


def conventionner_subvention_globale(
    unit: Unit,
    subvention_globale_id: UUID,
    commande: conventionnement.ConventionnerSubventionGlobale,
) -> None:
    """Record the grant."""
    unit.create(
        SUBVENTION_GLOBALE,
        subvention_globale_id,
        conventionnement.conventionner,
        commande,
        subvention_globale_id,
    )


def publier_appel(
    unit: Unit,
    appel_id: UUID,
    commande: publication.PublierAppelAProjets,
    subvention_globale_id: UUID,
) -> None:
    """Publish a call under a grant."""
    subvention = unit.get(SUBVENTION_GLOBALE, subvention_globale_id, pinned=False)
    unit.create(APPEL_A_PROJETS, appel_id, publication.publier, commande, subvention)


def deposer_dossier(unit: Unit, operation_id: UUID, commande: depot.DeposerDossier) -> None:
    """Answer a fiche of a call."""
    appel = unit.get(APPEL_A_PROJETS, commande.appel_a_projets_id)
    subvention = unit.get(SUBVENTION_GLOBALE, appel.cadre.subvention_globale_id, pinned=False)
    unit.create(OPERATION, operation_id, depot.deposer, commande, appel, subvention.realisation)


# Programming: the operation and the enveloppe move together.


def _reserver(unit: Unit, operation_id: UUID, operation: Operation, fse: int, jour: date) -> None:
    subvention_id = operation.cadre.subvention_globale_id
    subvention = unit.get(SUBVENTION_GLOBALE, subvention_id, pinned=False)
    facts = reservations.reserver(
        subvention,
        operation_id=operation_id,
        cellule=operation.cellule,
        fse_centimes=fse,
        date_effet=jour,
    )
    unit.record(SUBVENTION_GLOBALE, subvention_id, facts, commutes=True)


def _liberer(
    unit: Unit, operation_id: UUID, operation: Operation, fse: int, jour: date, motif: str
) -> None:
    subvention_id = operation.cadre.subvention_globale_id
    subvention = unit.get(SUBVENTION_GLOBALE, subvention_id, pinned=False)
    facts = reservations.liberer(
        subvention,
        operation_id=operation_id,
        cellule=operation.cellule,
        fse_centimes=fse,
        date_effet=jour,
        motif=motif,
    )
    unit.record(SUBVENTION_GLOBALE, subvention_id, facts, commutes=True)


def programmer(unit: Unit, operation_id: UUID, commande: programmation.Programmer) -> None:
    """Award the grant and hold its money in the enveloppe."""
    operation = unit.execute(OPERATION, operation_id, programmation.programmer, commande)
    _reserver(unit, operation_id, operation, commande.fse, commande.date_effet)


def deprogrammer(
    unit: Unit, operation_id: UUID, commande: programmation.DeciderSansProgrammer
) -> None:
    """Cancel an approval and free its money."""
    signature.exiger_non_signee(unit.find(CONVENTION, convention_of(operation_id)))
    held = unit.get(OPERATION, operation_id).fse_programme
    operation = unit.execute(OPERATION, operation_id, programmation.deprogrammer, commande)
    _liberer(unit, operation_id, operation, held, commande.date_effet, commande.motif)


def retirer_dossier(unit: Unit, operation_id: UUID, commande: depot.RetirerDossier) -> None:
    """Withdraw a dossier and free what it held."""
    signature.exiger_non_signee(unit.find(CONVENTION, convention_of(operation_id)))
    held = unit.get(OPERATION, operation_id).fse_programme
    operation = unit.execute(OPERATION, operation_id, depot.retirer, commande)
    _liberer(unit, operation_id, operation, held, commande.date_effet, commande.motif)


# The convention: the operation follows.


def _convention(unit: Unit, operation_id: UUID) -> tuple[Operation, Convention]:
    unit.prefetch((OPERATION, operation_id), (CONVENTION, convention_of(operation_id)))
    operation = unit.get(OPERATION, operation_id)
    return operation, unit.get(CONVENTION, convention_of(operation_id))


def signer_convention(unit: Unit, operation_id: UUID, commande: signature.SignerConvention) -> None:
    """Sign the convention of a programmed operation."""
    operation = unit.get(OPERATION, operation_id)
    subvention = unit.get(SUBVENTION_GLOBALE, operation.cadre.subvention_globale_id, pinned=False)
    unit.create(
        CONVENTION,
        convention_of(operation_id),
        signature.signer,
        commande,
        operation,
        operation_id,
        subvention,
    )


def notifier_convention(
    unit: Unit, operation_id: UUID, commande: signature.NotifierConvention
) -> None:
    """Put the convention in force."""
    convention_id = convention_of(operation_id)
    convention = unit.execute(CONVENTION, convention_id, signature.notifier, commande)
    operation = unit.get(OPERATION, operation_id)
    facts = execution.conventionner(
        operation,
        convention_id=convention_id,
        numero=convention.numero,
        date_effet=commande.date_effet,
    )
    unit.record(OPERATION, operation_id, facts)


def demander_avenant(unit: Unit, operation_id: UUID, commande: avenants.DemanderAvenant) -> None:
    """Ask for an avenant."""
    operation, _ = _convention(unit, operation_id)
    unit.execute(
        CONVENTION, convention_of(operation_id), avenants.demander_avenant, commande, operation
    )


def programmer_avenant(
    unit: Unit, operation_id: UUID, commande: avenants.ProgrammerAvenant
) -> None:
    """Approve an avenant; if it costs the Fund more, the enveloppe holds the difference at once."""
    operation, avant = _convention(unit, operation_id)
    convention = unit.execute(
        CONVENTION, convention_of(operation_id), avenants.programmer_avenant, commande
    )
    assert convention.avenant_en_cours is not None
    apres = convention.avenant_en_cours.apres.plan
    if apres is None or apres.fse_centimes < avant.fse_max:
        return
    facts = programmation.modifier_programmation(
        numero=commande.numero, avant=avant.plan, apres=apres, date_effet=commande.date_effet
    )
    unit.record(OPERATION, operation_id, facts)
    ecart = apres.fse_centimes - avant.fse_max
    _reserver(unit, operation_id, operation, ecart, commande.date_effet)


def signer_avenant(unit: Unit, operation_id: UUID, commande: avenants.SignerAvenant) -> None:
    """Sign an avenant; if it costs the Fund less, the enveloppe gets the difference back.

    Not before: until both parties signed, the OI still owes the former amount.
    """
    operation, avant = _convention(unit, operation_id)
    convention = unit.execute(
        CONVENTION, convention_of(operation_id), avenants.signer_avenant, commande
    )
    motif = f"Avenant n° {commande.numero}"
    followed = execution.suivre_avenant(
        operation,
        objet=convention.objet,
        periode=convention.periode,
        date_effet=commande.date_effet,
        motif=motif,
    )
    unit.record(OPERATION, operation_id, followed)
    ecart = convention.fse_max - avant.fse_max
    if ecart >= 0:
        return
    facts = programmation.modifier_programmation(
        numero=commande.numero,
        avant=avant.plan,
        apres=convention.plan,
        date_effet=commande.date_effet,
    )
    unit.record(OPERATION, operation_id, facts)
    _liberer(unit, operation_id, operation, -ecart, commande.date_effet, motif)


def abandonner_avenant(
    unit: Unit, operation_id: UUID, commande: avenants.AbandonnerAvenant
) -> None:
    """Give up an avenant; what its programming held goes back to the enveloppe."""
    operation, convention = _convention(unit, operation_id)
    en_cours = convention.avenant_en_cours
    unit.execute(CONVENTION, convention_of(operation_id), avenants.abandonner_avenant, commande)
    if en_cours is None or not en_cours.programme:
        return
    prevu = en_cours.apres.plan
    if prevu is None or prevu.fse_centimes < convention.fse_max:
        return
    facts = programmation.modifier_programmation(
        numero=commande.numero, avant=prevu, apres=convention.plan, date_effet=commande.date_effet
    )
    unit.record(OPERATION, operation_id, facts)
    ecart = prevu.fse_centimes - convention.fse_max
    _liberer(unit, operation_id, operation, ecart, commande.date_effet, commande.motif)


# Dépenses, bilans, control.


def declarer_depense(
    unit: Unit, depense_id: UUID, commande: declaration.DeclarerDepense, operation_id: UUID
) -> None:
    """Declare one dépense."""
    unit.prefetch(
        (OPERATION, operation_id),
        (CONVENTION, convention_of(operation_id)),
        (DEPENSE, depense_id),
    )
    operation = unit.get(OPERATION, operation_id)
    convention = declaration.exiger_declaration(
        operation, unit.find(CONVENTION, convention_of(operation_id))
    )
    unit.create(
        DEPENSE,
        depense_id,
        declaration.declarer,
        commande,
        commande.detail,
        operation,
        operation_id,
        convention.arrondi,
    )
    _regulariser(unit, depense_id, commande, commande.detail.regularise)
    _employer(unit, operation_id, commande, commande.detail.salarie_id)


def declarer_depenses(
    unit: Unit, operation_id: UUID, commande: declaration.DeclarerDepenses
) -> None:
    """Declare several dépenses, all or none."""
    new = [unit.new_id(f"depense/{rank}") for rank in range(len(commande.depenses))]
    unit.prefetch(
        (OPERATION, operation_id),
        (CONVENTION, convention_of(operation_id)),
        *((DEPENSE, depense_id) for depense_id in new),
    )
    operation = unit.get(OPERATION, operation_id)
    convention = declaration.exiger_declaration(
        operation, unit.find(CONVENTION, convention_of(operation_id))
    )
    for depense_id, saisie in zip(new, commande.depenses, strict=True):
        facts = declaration.declarer(
            unit.find(DEPENSE, depense_id),
            commande,
            saisie,
            operation,
            operation_id,
            convention.arrondi,
        )
        unit.record(DEPENSE, depense_id, facts)
        _regulariser(unit, depense_id, commande, saisie.regularise)
    salaries = (saisie.salarie_id for saisie in commande.depenses)
    _employer(unit, operation_id, commande, *salaries)


def _regulariser(
    unit: Unit, regularisation_id: UUID, commande: Commande, *corrigees: UUID | None
) -> None:
    """Note on each dépense that a régularisation corrects, or corrected, what it takes back."""
    for depense_id in dict.fromkeys(i for i in corrigees if i is not None):
        unit.execute(
            DEPENSE,
            depense_id,
            declaration.regulariser,
            commande,
            depense_id,
            unit.get(DEPENSE, regularisation_id),
            regularisation_id,
        )


def _employer(unit: Unit, operation_id: UUID, commande: Commande, *salaries: UUID | None) -> None:
    """Tie to the operation the employees that its dépenses name."""
    connus = dict.fromkeys(i for i in salaries if i is not None)
    for salarie_id, personne in zip(connus, unit.get_all(PERSONNE, connus), strict=True):
        enregistrement.exiger_salarie(personne)
        faits = enregistrement.rattacher(personne, operation_id, commande.date_effet)
        unit.record(PERSONNE, salarie_id, faits)


def _convention_de_la_depense(unit: Unit, depense_id: UUID) -> tuple[Depense, Convention]:
    depense = unit.get(DEPENSE, depense_id)
    return depense, unit.get(CONVENTION, convention_of(depense.operation_id))


def corriger_depense(unit: Unit, depense_id: UUID, commande: declaration.CorrigerDepense) -> None:
    """Correct a dépense that no bilan carries."""
    avant, convention = _convention_de_la_depense(unit, depense_id)
    apres = unit.execute(
        DEPENSE,
        depense_id,
        declaration.corriger,
        commande,
        rattachee=depense_id in convention.depenses_rattachees(),
        arrondi=convention.arrondi,
    )
    _regulariser(unit, depense_id, commande, avant.detail.regularise, apres.detail.regularise)
    if apres.detail.salarie_id != avant.detail.salarie_id:
        _employer(unit, avant.operation_id, commande, apres.detail.salarie_id)


def annuler_depense(unit: Unit, depense_id: UUID, commande: declaration.AnnulerDepense) -> None:
    """Take back a dépense that no bilan carries."""
    avant, convention = _convention_de_la_depense(unit, depense_id)
    rattachee = depense_id in convention.depenses_rattachees()
    unit.execute(DEPENSE, depense_id, declaration.annuler, commande, rattachee=rattachee)
    _regulariser(unit, depense_id, commande, avant.detail.regularise)


def deposer_bilan(unit: Unit, operation_id: UUID, commande: bilans.DeposerBilan) -> None:
    """File a bilan with its dépenses."""
    operation, _ = _convention(unit, operation_id)
    depenses = unit.get_all(DEPENSE, commande.depenses)
    bilan_id = unit.new_id("bilan")
    unit.execute(
        CONVENTION,
        convention_of(operation_id),
        bilans.deposer_bilan,
        commande,
        bilan_id,
        depenses,
    )
    if operation.statut in execution.INTERROMPUE:
        return
    exiger(operation, "Déposer un bilan", "en_execution", "realisation_terminee")
    if commande.type == "final":
        facts = execution.recevoir_bilan_final(
            operation, bilan_id=bilan_id, date_effet=commande.date_effet
        )
        unit.record(OPERATION, operation_id, facts)


def renvoyer_bilan(
    unit: Unit, operation_id: UUID, commande: bilans.RenvoyerBilan, bilan_id: UUID
) -> None:
    """Send a bilan back to the beneficiary."""
    operation, convention = _convention(unit, operation_id)
    bilan = bilans.bilan_de(convention, bilan_id)
    unit.execute(
        CONVENTION,
        convention_of(operation_id),
        bilans.renvoyer_bilan,
        commande,
        bilan_id,
        unit.get_all(DEPENSE, bilan.depenses),
    )
    if bilan.type == "final" and operation.statut not in execution.INTERROMPUE:
        facts = execution.renvoyer_bilan_final(
            operation, bilan_id=bilan_id, date_effet=commande.date_effet, motif=commande.motif
        )
        unit.record(OPERATION, operation_id, facts)


def ouvrir_csf(unit: Unit, operation_id: UUID, commande: service_fait.OuvrirCsf) -> None:
    """Begin the control of a bilan, in the name of the person who acts."""
    unit.execute(
        CONVENTION,
        convention_of(operation_id),
        service_fait.ouvrir_csf,
        commande,
        unit.new_id("csf"),
        unit.acte.acteur,
    )


def controler_depenses(
    unit: Unit, operation_id: UUID, commande: controle.ControlerDepenses, csf_id: UUID
) -> None:
    """Decide on dépenses of the bilan under control."""
    convention = unit.get(CONVENTION, convention_of(operation_id))
    bilan, csf = service_fait.csf_de(convention, csf_id)
    unit.get_all(DEPENSE, [ligne.depense_id for ligne in commande.lignes])
    for ligne in commande.lignes:
        unit.execute(
            DEPENSE,
            ligne.depense_id,
            controle.controler,
            commande,
            ligne,
            bilan,
            csf,
            convention,
            unit.acte.acteur,
        )


def _du_bilan(unit: Unit, operation_id: UUID, csf_id: UUID) -> dict[UUID, Depense]:
    """Return the dépenses of the bilan that a control is about."""
    convention = unit.get(CONVENTION, convention_of(operation_id))
    bilan, _ = service_fait.csf_de(convention, csf_id)
    return dict(zip(bilan.depenses, unit.get_all(DEPENSE, bilan.depenses), strict=True))


def tirer_echantillon(
    unit: Unit, operation_id: UUID, commande: echantillons.TirerEchantillon, csf_id: UUID
) -> None:
    """Draw the pieces that the control will look at."""
    unit.execute(
        CONVENTION,
        convention_of(operation_id),
        echantillons.tirer_echantillon,
        commande,
        csf_id,
        _du_bilan(unit, operation_id, csf_id),
        unit.acte.acteur,
    )


def decider_extrapolation(
    unit: Unit, operation_id: UUID, commande: echantillons.DeciderExtrapolation, csf_id: UUID
) -> None:
    """Extend the rate of irregularity of the draw to what was not drawn."""
    unit.execute(
        CONVENTION,
        convention_of(operation_id),
        echantillons.decider_extrapolation,
        commande,
        csf_id,
        _du_bilan(unit, operation_id, csf_id),
        unit.acte.acteur,
    )


def corriger_marche(
    unit: Unit, operation_id: UUID, commande: constatations.CorrigerMarche, csf_id: UUID
) -> None:
    """Correct the whole expenditure of a public contract."""
    unit.execute(
        CONVENTION,
        convention_of(operation_id),
        constatations.corriger_marche,
        commande,
        csf_id,
        list(_du_bilan(unit, operation_id, csf_id).values()),
        unit.acte.acteur,
    )


def corriger_fse(
    unit: Unit, operation_id: UUID, commande: constatations.CorrigerFse, csf_id: UUID
) -> None:
    """Correct the Fund's share: publicity, réfaction."""
    operation, _ = _convention(unit, operation_id)
    unit.execute(
        CONVENTION,
        convention_of(operation_id),
        constatations.corriger_fse,
        commande,
        csf_id,
        operation,
        unit.acte.acteur,
    )


def notifier_conclusions(
    unit: Unit, operation_id: UUID, commande: validation.NotifierConclusions, csf_id: UUID
) -> None:
    """Tell the beneficiary what the control would keep."""
    unit.execute(
        CONVENTION,
        convention_of(operation_id),
        validation.notifier_conclusions,
        commande,
        csf_id,
        _du_bilan(unit, operation_id, csf_id),
    )


def proposer_csf(
    unit: Unit, operation_id: UUID, commande: validation.ProposerCsf, csf_id: UUID
) -> None:
    """Say that a control is done, with what the Fund would owe."""
    unit.execute(
        CONVENTION,
        convention_of(operation_id),
        validation.proposer_csf,
        commande,
        csf_id,
        unit.acte.acteur,
        _du_bilan(unit, operation_id, csf_id),
    )


def valider_csf(
    unit: Unit, operation_id: UUID, commande: validation.ValiderCsf, csf_id: UUID
) -> None:
    """Validate a control on the decisions taken on each of its dépenses.

    What a draw left out is validated with its stratum, piece by piece: each keeps its decision.
    """
    operation, convention = _convention(unit, operation_id)
    depenses = _du_bilan(unit, operation_id, csf_id)
    bilan, csf = service_fait.csf_de(convention, csf_id)
    for depense_id in echantillons.validees_avec_la_strate(csf, depenses):
        unit.execute(
            DEPENSE, depense_id, controle.valider_hors_tirage, commande.date_effet, bilan, csf
        )
    unit.execute(
        CONVENTION,
        convention_of(operation_id),
        validation.valider_csf,
        commande,
        csf_id,
        unit.acte.acteur,
        _du_bilan(unit, operation_id, csf_id),
        operation,
    )


def rouvrir_csf(
    unit: Unit, operation_id: UUID, commande: service_fait.RouvrirCsf, csf_id: UUID
) -> None:
    """Take a validated control up again; after the solde, consequences are then under way."""
    operation, _ = _convention(unit, operation_id)
    ouvertes = suites.ouvrir_suites(
        operation,
        csf_id=csf_id,
        controle_ref=commande.controle_ref,
        date_effet=commande.date_effet,
    )
    unit.record(OPERATION, operation_id, ouvertes)
    unit.execute(
        CONVENTION,
        convention_of(operation_id),
        service_fait.rouvrir_csf,
        commande,
        csf_id,
        operation,
    )


def clore_office(unit: Unit, operation_id: UUID, commande: cloture_office.CloreOffice) -> None:
    """Close a dossier whose bilan never came: the convention is terminated with it."""
    operation, _ = _convention(unit, operation_id)
    unit.execute(CONVENTION, convention_of(operation_id), cloture_office.clore_office, commande)
    if operation.statut not in execution.INTERROMPUE:
        motif = execution.Interrompre(date_effet=commande.date_effet, motif=commande.motif)
        unit.execute(OPERATION, operation_id, execution.resilier, motif)


# Money, and the end.


def preparer_paiement(unit: Unit, operation_id: UUID, commande: paiements.PreparerPaiement) -> None:
    """Prepare a payment, in the name of the person who acts."""
    operation, _ = _convention(unit, operation_id)
    unit.execute(
        CONVENTION,
        convention_of(operation_id),
        paiements.preparer,
        commande,
        unit.new_id("paiement"),
        operation,
        unit.acte.acteur,
    )


def ordonnancer_paiement(
    unit: Unit, operation_id: UUID, commande: paiements.OrdonnancerPaiement, paiement_id: UUID
) -> None:
    """Order a payment that is prepared, in the name of the person who acts."""
    operation, _ = _convention(unit, operation_id)
    unit.execute(
        CONVENTION,
        convention_of(operation_id),
        paiements.ordonnancer,
        commande,
        paiement_id,
        operation,
        unit.acte.acteur,
    )


def emettre_ordre_reversement(
    unit: Unit, operation_id: UUID, commande: reversements.EmettreOrdreReversement
) -> None:
    """Ask money back."""
    operation, _ = _convention(unit, operation_id)
    unit.execute(
        CONVENTION,
        convention_of(operation_id),
        reversements.emettre_ordre,
        commande,
        unit.new_id("ordre"),
        operation,
        unit.acte.acteur,
    )


def compenser_ordre(
    unit: Unit, operation_id: UUID, commande: paiements.CompenserOrdre, ordre_id: UUID
) -> None:
    """Settle an order to pay back by a payment of another operation: both move together."""
    debitrice, _ = _convention(unit, operation_id)
    creanciere, _ = _convention(unit, commande.par_operation_id)
    unit.execute(
        CONVENTION,
        convention_of(operation_id),
        reversements.compenser,
        commande,
        ordre_id,
        debitrice,
        creanciere,
    )
    unit.execute(
        CONVENTION,
        convention_of(commande.par_operation_id),
        paiements.imputer_compensation,
        commande,
        debitrice,
        operation_id,
        ordre_id,
        unit.acte.acteur,
    )


def solder(unit: Unit, operation_id: UUID, commande: paiements.Solder) -> None:
    """Settle an operation, and give back to its enveloppe what it does not use."""
    operation, convention = _convention(unit, operation_id)
    paiements.exiger_regle(convention, operation)
    facts = cloture.solder(
        operation,
        fse_du=convention.fse_du,
        cout_total_retenu=convention.cout_total_retenu,
        date_effet=commande.date_effet,
    )
    unit.record(OPERATION, operation_id, facts)
    reliquat = operation.fse_programme - convention.fse_du
    _liberer(unit, operation_id, operation, reliquat, commande.date_effet, "Reliquat au solde")


def clore_suites(unit: Unit, operation_id: UUID, commande: suites.CloreSuites) -> None:
    """Close the consequences of a control opened again; the enveloppe follows what is due now."""
    operation, convention = _convention(unit, operation_id)
    unit.execute(
        OPERATION,
        operation_id,
        suites.clore_suites,
        commande,
        fse_du=convention.fse_du,
        cout_total_retenu=convention.cout_total_retenu,
    )
    paiements.exiger_regle(convention, operation)
    if operation.statut != "solde":
        paiements.exiger_acquittes(convention)
    avant, _ = operation.soldee_pour
    ecart = convention.fse_du - avant
    if ecart > 0:
        _reserver(unit, operation_id, operation, ecart, commande.date_effet)
    else:
        motif = "Suites d’un contrôle rouvert"
        _liberer(unit, operation_id, operation, -ecart, commande.date_effet, motif)


def cloturer(unit: Unit, operation_id: UUID, commande: cloture.Cloturer) -> None:
    """Close an operation whose money is settled, each transfer confirmed by the bank."""
    operation = unit.execute(OPERATION, operation_id, cloture.cloturer, commande)
    convention = unit.get(CONVENTION, convention_of(operation_id))
    paiements.exiger_regle(convention, operation)
    paiements.exiger_acquittes(convention)


def attribuer_contrepartie(
    unit: Unit,
    contrepartie_id: UUID,
    commande: affectation.AttribuerContrepartie,
    subvention_globale_id: UUID,
) -> None:
    """Record what a funder granted under a grant."""
    subvention = unit.get(SUBVENTION_GLOBALE, subvention_globale_id, pinned=False)
    unit.create(CONTREPARTIE, contrepartie_id, affectation.attribuer, commande, subvention.cadre)


def affecter_contrepartie(
    unit: Unit, contrepartie_id: UUID, commande: affectation.AffecterContrepartie
) -> None:
    """Back an operation with a contrepartie."""
    operation = unit.get(OPERATION, commande.operation_id)
    unit.execute(CONTREPARTIE, contrepartie_id, affectation.affecter, commande, operation)


def repartir_contrepartie(
    unit: Unit, contrepartie_id: UUID, commande: repartition.RepartirContrepartie
) -> None:
    """Share a contrepartie between operations by need."""
    wanted = commande.operations
    unit.prefetch(
        *((OPERATION, i) for i in wanted), *((CONVENTION, convention_of(i)) for i in wanted)
    )
    dossiers = list(
        zip(
            wanted,
            unit.get_all(OPERATION, wanted),
            unit.find_all(CONVENTION, [convention_of(i) for i in wanted]),
            strict=True,
        )
    )
    unit.execute(CONTREPARTIE, contrepartie_id, repartition.repartir, commande, dossiers)


# Persons. Their data are ciphered on the way to a fact; the key is on disk before the fact that
# needs it, and is destroyed by the door after the fact that says so.


def enregistrer_personne(
    unit: Unit, personne_id: UUID, commande: enregistrement.EnregistrerPersonne
) -> None:
    """Record a person."""
    subvention = unit.get(SUBVENTION_GLOBALE, commande.subvention_globale_id, pinned=False)
    enregistrement.exiger_nouvelle(unit.find(PERSONNE, personne_id))
    unit.coffre.creer(personne_id)
    clair = commande.identite.clair()
    identite = unit.coffre.chiffrer(personne_id, ENREGISTREE, IDENTITE, clair)
    unit.create(
        PERSONNE, personne_id, enregistrement.enregistrer, commande, identite, subvention.cadre
    )


def rectifier_personne(
    unit: Unit, personne_id: UUID, commande: enregistrement.RectifierPersonne
) -> None:
    """Replace what is known of a person."""
    enregistrement.exiger_non_effacee(unit.get(PERSONNE, personne_id))
    clair = commande.identite.clair()
    identite = unit.coffre.chiffrer(personne_id, RECTIFIEE, IDENTITE, clair)
    unit.execute(PERSONNE, personne_id, enregistrement.rectifier, commande, identite)


def effacer_personne(unit: Unit, personne_id: UUID, commande: effacement.EffacerPersonne) -> None:
    """Decide that a person is erased."""
    operations = unit.get_all(OPERATION, sorted(unit.get(PERSONNE, personne_id).operations))
    unit.execute(PERSONNE, personne_id, effacement.effacer, commande, operations)


def designer_contact(unit: Unit, operation_id: UUID, commande: contacts.DesignerContact) -> None:
    """Name a contact of an operation, whose data document it from now on."""
    unit.get(OPERATION, operation_id)
    personne = unit.get(PERSONNE, commande.personne_id)
    unit.execute(OPERATION, operation_id, contacts.designer, commande, personne)
    faits = enregistrement.rattacher(personne, operation_id, commande.date_effet)
    unit.record(PERSONNE, commande.personne_id, faits)


# Audits of operations: what they look at is read, never moved.


def notifier_controle(
    unit: Unit, controle_id: UUID, commande: notification.NotifierControle
) -> None:
    """Record the announcement of a control."""
    unit.create(
        CONTROLE_OPERATION,
        controle_id,
        notification.notifier,
        commande,
        *_controles(unit, commande.perimetre.perimetre()),
    )


def rectifier_perimetre_controle(
    unit: Unit, controle_id: UUID, commande: notification.RectifierPerimetre
) -> None:
    """Correct what is controlled."""
    unit.execute(
        CONTROLE_OPERATION,
        controle_id,
        notification.rectifier_perimetre,
        commande,
        *_controles(unit, commande.perimetre.perimetre()),
    )


def _controles(
    unit: Unit, perimetre: PerimetreControle
) -> tuple[dict[UUID, tuple[Operation, Convention]], dict[UUID, Depense]]:
    """Return what a perimeter names: each operation with its convention, and the dépenses."""
    nommees = [o.operation_id for o in perimetre.operations]
    unit.prefetch(
        *((OPERATION, i) for i in nommees), *((CONVENTION, convention_of(i)) for i in nommees)
    )
    dossiers = {i: _convention(unit, i) for i in nommees}
    return dossiers, _depenses(unit, [d for o in perimetre.operations for d in o.depenses])


def _depenses(unit: Unit, nommees: list[UUID]) -> dict[UUID, Depense]:
    return dict(zip(nommees, unit.get_all(DEPENSE, nommees), strict=True))


def recevoir_rapport_provisoire(
    unit: Unit, controle_id: UUID, commande: rapports.RecevoirRapportProvisoire
) -> None:
    """Record the findings of a provisional report."""
    unit.execute(
        CONTROLE_OPERATION,
        controle_id,
        rapports.recevoir_rapport_provisoire,
        commande,
        _depenses(unit, [d for constat in commande.constats for d in constat.depenses]),
    )


def decider_suite_controle(
    unit: Unit, controle_id: UUID, commande: suites_du_controle.DeciderSuite
) -> None:
    """Decide a follow-up."""
    unit.execute(
        CONTROLE_OPERATION,
        controle_id,
        suites_du_controle.decider_suite,
        commande,
        unit.new_id("suite"),
    )


def executer_suite_controle(
    unit: Unit, controle_id: UUID, commande: suites_du_controle.ExecuterSuite, suite_id: UUID
) -> None:
    """Record that a follow-up is done, by what the convention says."""
    controle = unit.get(CONTROLE_OPERATION, controle_id)
    acte = "Enregistrer l’exécution d’une suite"
    suite = suites_du_controle.suite_de(controle, suite_id, acte)
    operation_id = controle.constats[suite.constat_numero].operation_id
    unit.execute(
        CONTROLE_OPERATION,
        controle_id,
        suites_du_controle.executer_suite,
        commande,
        suite_id,
        unit.get(CONVENTION, convention_of(operation_id)),
    )


def clore_suites_controle(
    unit: Unit, controle_id: UUID, commande: suites_du_controle.CloreSuitesDuControle
) -> None:
    """Close the follow-ups of a control, once what did them still stands."""
    controle = unit.get(CONTROLE_OPERATION, controle_id)
    concernees = list({c.operation_id for c in controle.constats.values()})
    conventions = unit.get_all(CONVENTION, [convention_of(i) for i in concernees])
    unit.execute(
        CONTROLE_OPERATION,
        controle_id,
        suites_du_controle.clore_suites,
        commande,
        dict(zip(concernees, conventions, strict=True)),
    )
