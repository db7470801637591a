"""What undoes or corrects a fact counts from that fact's day on, never before it."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from dsl import Decision, Given
from fabrique import (
    AUTRE_ID,
    BILAN_ID,
    CERTIFIE,
    CSF,
    CSF_ID,
    ENVELOPPE,
    NOTIFIEE,
    ORDRE_ID,
    PAIEMENT_ID,
    PARCOURS,
    PROGRAMME,
    RECEVABLE,
    commande,
    depense,
    euros,
    fait,
    operation,
    signee,
)
from fabrique import paiement as paye
from msgspec.structs import replace

from aggregates.chronologie import ActeAvantLePrecedent
from aggregates.commande import Commande
from aggregates.contrepartie import affectation
from aggregates.contrepartie.events import ContrepartieAffectee, ContrepartieAttribuee
from aggregates.contrepartie.state import CONTREPARTIE
from aggregates.convention import events as ce
from aggregates.convention import paiements as pa
from aggregates.convention import reversements as re
from aggregates.convention.avenants import (
    AbandonnerAvenant,
    ProgrammerAvenant,
    SignerAvenant,
    abandonner_avenant,
    programmer_avenant,
)
from aggregates.convention.avenants import signer_avenant as signer_avenant_convention
from aggregates.convention.bilans import RenvoyerBilan, renvoyer_bilan
from aggregates.convention.certification import EnregistrerRetrait, retirer
from aggregates.convention.cloture_office import CloreOffice, clore_office
from aggregates.convention.service_fait import OuvrirCsf, RouvrirCsf, ouvrir_csf, rouvrir_csf
from aggregates.convention.state import CONVENTION
from aggregates.convention.validation import ValiderCsf, valider_csf
from aggregates.operation import depot, instruction, programmation, suites
from aggregates.operation import events as oe
from aggregates.operation.state import OPERATION
from aggregates.subvention_globale import events as se
from aggregates.subvention_globale.conventionnement import (
    SignerAvenantSubventionGlobale,
    signer_avenant,
)
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE
from oi_service.dates import Periode

#: The day of the former act; the later one is allowed on that day, refused the day before.
LE = date(2022, 3, 10)
VEILLE = date(2022, 3, 9)

#: A decision, by the day at which it is taken.
Au = Callable[[date], Decision]


def au(given: Given[Any], decide: Any, kind: type[Commande], *args: Any, **saisie: Any) -> Au:
    """Return the decision on a past, its day left open."""
    return lambda jour: given.when(decide, commande(kind, **saisie, date_effet=str(jour)), *args)


def convention(*facts: Any) -> Given[Any]:
    """Return the past of a convention."""
    return Given(CONVENTION, facts)


VALIDE = [*CSF, fait(ce.CsfValide, date_effet=LE)]
#: The first bilan is under control, the second was validated.
DEUX_BILANS = [
    *RECEVABLE[:-2],
    fait(ce.BilanDepose, bilan_id=AUTRE_ID, numero=1, type="intermediaire"),
    fait(ce.BilanJugeRecevable, bilan_id=AUTRE_ID),
    fait(ce.CsfOuvert, bilan_id=AUTRE_ID, csf_id=AUTRE_ID),
    fait(ce.BilanDepose, numero=2),
    fait(ce.CsfOuvert),
    fait(ce.CsfValide, date_effet=LE),
]
ROUVERT = [*CERTIFIE, fait(ce.CsfRouvert, date_effet=LE)]
#: The final bilan never came; the first one was validated long after it was asked for.
RECLAME = [
    replace(
        signee(),
        bilans_prevus=(
            ce.BilanPrevu(numero=1, type="intermediaire", date_limite=date(2021, 9, 30)),
            ce.BilanPrevu(numero=2, type="final", date_limite=date(2021, 12, 31)),
        ),
    ),
    fait(ce.ConventionNotifiee),
    fait(ce.BilanDepose, type="intermediaire"),
    fait(ce.CsfOuvert),
    fait(ce.BilanReclame, numero=2, date_limite_reponse=date(2022, 3, 1)),
    fait(ce.CsfValide, date_effet=LE),
]


def valider(facts: list[Any], csf_id: UUID = CSF_ID) -> Au:
    """Return a validation, 80 000,00 € of staff kept whole."""
    lignes = {UUID(int=70): depense(80_000, ecarte=0)}
    return au(
        convention(*facts), valider_csf, ValiderCsf, csf_id, "valideur-1", lignes, operation()
    )


#: An avenant is asked; the operation still runs.
LONGUE = Periode(debut=date(2021, 1, 1), fin=date(2022, 12, 31))
NOTIFIEE_LE = fait(ce.ConventionNotifiee, date_effet=LE)
DEMANDE = [
    replace(signee(), periode=LONGUE),
    fait(ce.ConventionNotifiee),
    fait(ce.AvenantDemande),
]
BILAN_DEPOSE = [*NOTIFIEE, fait(ce.BilanDepose, date_effet=LE)]
ORDONNANCE = fait(ce.PaiementOrdonnance, date_effet=LE)
EFFECTUE = [fait(ce.PaiementOrdonnance), fait(ce.PaiementEffectue, date_effet=LE)]
EMIS = fait(ce.OrdreReversementEmis, date_effet=LE)
PERDU = [fait(ce.CreanceIrrecouvrable, date_effet=LE)]
DEPOSE_LE = [fait(oe.DossierDepose, date_effet=LE)]
PROGRAMME_LE = [*PROGRAMME[:-1], fait(oe.OperationProgrammee, date_effet=LE)]
AFFECTEE = [
    fait(ContrepartieAttribuee),
    fait(ContrepartieAffectee, montant_centimes=euros(15_000), date_effet=LE),
]


def paiement(decide: Any, kind: type[Commande], *facts: Any, par: Any = ()) -> Au:
    """Return an act on a payment of a convention that owes 40 000,00 €."""
    return au(convention(*CERTIFIE, *facts), decide, kind, PAIEMENT_ID, *par)


def ordre(decide: Any, kind: type[Commande], *facts: Any, par: Any = (), **saisie: Any) -> Au:
    """Return an act on an order to pay back."""
    return au(convention(*NOTIFIEE, *facts), decide, kind, ORDRE_ID, *par, **saisie)


def avenant(decide: Any, kind: type[Commande], *facts: Any, **saisie: Any) -> Au:
    """Return an act on an avenant."""
    return au(convention(*facts), decide, kind, **saisie)


def clore(*facts: Any) -> Au:
    """Return the end of the consequences of a control opened again."""
    past = Given(OPERATION, [*PARCOURS["bilan_final_depose"], *facts])
    return lambda jour: past.when(
        suites.clore_suites,
        commande(suites.CloreSuites, date_effet=str(jour)),
        fse_du=0,
        cout_total_retenu=0,
    )


def avenant_de_la_subvention(numero: int, *facts: Any) -> Au:
    """Return the signature of an avenant of the grant."""
    return au(
        Given(SUBVENTION_GLOBALE, facts),
        signer_avenant,
        SignerAvenantSubventionGlobale,
        numero_avenant=numero,
    )


#: By name: the act, and how its refusal names the one before it.
SUITES: dict[str, tuple[Au, str]] = {
    "a control opened again after its validation": (
        au(convention(*VALIDE), rouvrir_csf, RouvrirCsf, CSF_ID, operation()),
        "la version n° 1 a été validée le 10/03/2022",
    ),
    "a new version after the control was opened again": (
        au(convention(*ROUVERT), ouvrir_csf, OuvrirCsf, AUTRE_ID, "controleur-1"),
        "le contrôle du bilan n° 1 a été rouvert le 10/03/2022",
    ),
    "a new version validated after the control was opened again": (
        valider([*ROUVERT, fait(ce.CsfOuvert, csf_id=AUTRE_ID, version=2)], AUTRE_ID),
        "le contrôle du bilan n° 1 a été rouvert le 10/03/2022",
    ),
    "a new version validated after the former one": (
        valider(
            [*VALIDE, fait(ce.CsfRouvert), fait(ce.CsfOuvert, csf_id=AUTRE_ID, version=2)],
            AUTRE_ID,
        ),
        "le contrôle du bilan n° 1 a été validé le 10/03/2022",
    ),
    "a control validated after that of another bilan": (
        valider(DEUX_BILANS, AUTRE_ID),
        "le contrôle du bilan n° 2 a été validé le 10/03/2022",
    ),
    "a dossier closed after the controls that it drops": (
        au(
            convention(*RECLAME),
            clore_office,
            CloreOffice,
            numero=2,
            montants_controles="ecartes",
        ),
        "le contrôle du bilan n° 1 a été validé le 10/03/2022",
    ),
    "a bilan sent back after it was filed": (
        au(convention(*BILAN_DEPOSE), renvoyer_bilan, RenvoyerBilan, BILAN_ID, [depense(80_000)]),
        "le bilan n° 1 a été déposé le 10/03/2022",
    ),
    "a transfer after its order": (
        paiement(pa.effectuer, pa.EffectuerPaiement, ORDONNANCE, par=["comptable-1"]),
        "ce paiement a été ordonnancé le 10/03/2022",
    ),
    "an order of payment after its preparation": (
        paiement(
            pa.ordonnancer,
            pa.OrdonnancerPaiement,
            fait(ce.PaiementPrepare, csf_id=CSF_ID, date_effet=LE),
            par=[operation("bilan_final_depose"), "ordonnateur-1"],
        ),
        "ce paiement a été préparé le 10/03/2022",
    ),
    "an order of payment taken back after it was given": (
        paiement(pa.annuler, pa.AnnulerPaiement, ORDONNANCE),
        "Annuler le paiement est impossible",
    ),
    "a compensation after the order of the payment": (
        au(
            convention(*CERTIFIE, ORDONNANCE),
            pa.imputer_compensation,
            pa.CompenserOrdre,
            operation(),
            AUTRE_ID,
            ORDRE_ID,
            "comptable-1",
            montant="1000.00",
            par_operation_id=AUTRE_ID,
            par_paiement_id=PAIEMENT_ID,
        ),
        "Compenser par ce paiement est impossible",
    ),
    "a payment sent back after the transfer": (
        paiement(pa.rejeter, pa.RejeterPaiement, *EFFECTUE),
        "ce paiement a été effectué le 10/03/2022",
    ),
    "a payment confirmed after the transfer": (
        paiement(pa.acquitter, pa.AcquitterPaiement, *EFFECTUE),
        "Acquitter le paiement est impossible",
    ),
    "a payment replaced after it was sent back": (
        au(
            convention(*CERTIFIE, *paye("solde", 15_000), fait(ce.PaiementRejete, date_effet=LE)),
            pa.preparer,
            pa.PreparerPaiement,
            AUTRE_ID,
            operation("bilan_final_depose"),
            "comptable-1",
            csf_id=CSF_ID,
            remplace=PAIEMENT_ID,
        ),
        "ce paiement a été rejeté le 10/03/2022",
    ),
    "money back after it was asked": (
        ordre(re.encaisser, re.EncaisserReversement, EMIS),
        "cet ordre de reversement a été émis le 10/03/2022",
    ),
    "an order to pay back annulled after it was given": (
        ordre(re.annuler, re.AnnulerOrdre, EMIS),
        "Annuler l’ordre de reversement est impossible",
    ),
    "a loss after the money was asked": (
        ordre(
            re.declarer_irrecouvrable,
            re.DeclarerIrrecouvrable,
            EMIS,
            par=["ordonnateur-1"],
            decision_ref="DEC-1",
        ),
        "Déclarer la créance irrécouvrable est impossible",
    ),
    "an order settled by a payment after it was given": (
        au(
            convention(*NOTIFIEE, EMIS),
            re.compenser,
            pa.CompenserOrdre,
            ORDRE_ID,
            operation(),
            operation(),
            montant="1000.00",
            par_operation_id=AUTRE_ID,
            par_paiement_id=PAIEMENT_ID,
        ),
        "Compenser l’ordre de reversement est impossible",
    ),
    "a loss lifted after it was recorded": (
        ordre(re.retablir, re.RetablirCreance, fait(ce.OrdreReversementEmis), *PERDU),
        "elle a été déclarée irrécouvrable le 10/03/2022",
    ),
    "money back after it was asked again": (
        ordre(
            re.encaisser,
            re.EncaisserReversement,
            fait(ce.OrdreReversementEmis),
            fait(ce.CreanceIrrecouvrable),
            fait(ce.CreanceRetablie, date_effet=LE),
        ),
        "la créance a été rétablie le 10/03/2022",
    ),
    "a withdrawal after the certification": (
        au(
            convention(*NOTIFIEE, fait(ce.DepenseCertifiee, date_effet=LE)),
            retirer,
            EnregistrerRetrait,
        ),
        "ces montants ne sont certifiés que depuis le 10/03/2022",
    ),
    "a programming cancelled after its day": (
        au(
            Given(OPERATION, PROGRAMME_LE),
            programmation.deprogrammer,
            programmation.DeciderSansProgrammer,
        ),
        "l’opération a été programmée le 10/03/2022",
    ),
    "a programmed dossier withdrawn after its programming": (
        au(Given(OPERATION, PROGRAMME_LE), depot.retirer, depot.RetirerDossier),
        "l’opération a été programmée le 10/03/2022",
    ),
    "a dossier withdrawn after its deposit": (
        au(Given(OPERATION, DEPOSE_LE), depot.retirer, depot.RetirerDossier),
        "le dossier a été déposé le 10/03/2022",
    ),
    "a dossier rejected on form after its deposit": (
        au(
            Given(OPERATION, DEPOSE_LE),
            instruction.prononcer_irrecevabilite,
            instruction.PrononcerIrrecevabilite,
        ),
        "le dossier a été déposé le 10/03/2022",
    ),
    "consequences closed after they were opened": (
        clore(fait(oe.OperationSoldee), fait(oe.SuitesOuvertes, date_effet=LE)),
        "le contrôle a été rouvert après le solde le 10/03/2022",
    ),
    "consequences closed after the solde": (
        clore(fait(oe.OperationSoldee, date_effet=LE), fait(oe.SuitesOuvertes)),
        "les comptes de l’opération ont été arrêtés, solde ou suites, le 10/03/2022",
    ),
    "consequences closed after those before them": (
        clore(
            fait(oe.OperationSoldee),
            fait(oe.SuitesOuvertes),
            fait(oe.SuitesCloses, date_effet=LE),
            fait(oe.SuitesOuvertes),
        ),
        "les comptes de l’opération ont été arrêtés, solde ou suites, le 10/03/2022",
    ),
    "a control opened again after the solde": (
        lambda jour: Given(
            OPERATION, [*PARCOURS["solde"], fait(oe.OperationSoldee, date_effet=LE)]
        ).when(suites.ouvrir_suites, csf_id=CSF_ID, controle_ref=None, date_effet=jour),
        "Rouvrir le contrôle est impossible",
    ),
    "an avenant programmed after the notification": (
        avenant(programmer_avenant, ProgrammerAvenant, *DEMANDE[:-2], NOTIFIEE_LE, DEMANDE[-1]),
        "la convention a été notifiée le 10/03/2022",
    ),
    "an avenant signed after the notification": (
        avenant(
            signer_avenant_convention,
            SignerAvenant,
            *DEMANDE[:-2],
            NOTIFIEE_LE,
            DEMANDE[-1],
            fait(ce.AvenantProgramme),
        ),
        "la convention a été notifiée le 10/03/2022",
    ),
    "an avenant signed after the committee": (
        avenant(
            signer_avenant_convention,
            SignerAvenant,
            *DEMANDE,
            fait(ce.AvenantProgramme, date_effet=LE),
        ),
        "il a été programmé le 10/03/2022",
    ),
    "an avenant given up after the committee": (
        avenant(
            abandonner_avenant,
            AbandonnerAvenant,
            *DEMANDE,
            fait(ce.AvenantProgramme, date_effet=LE),
        ),
        "il a été programmé le 10/03/2022",
    ),
    "an avenant programmed after the one before it": (
        avenant(
            programmer_avenant,
            ProgrammerAvenant,
            *DEMANDE,
            fait(ce.AvenantSigne, date_effet=LE, apres=ce.Termes(periode=LONGUE)),
            fait(ce.AvenantDemande, numero=2),
            numero=2,
        ),
        "l’avenant n° 1 a été signé le 10/03/2022",
    ),
    "an avenant programmed after one was given up": (
        avenant(
            programmer_avenant,
            ProgrammerAvenant,
            *DEMANDE,
            fait(ce.AvenantAbandonne, date_effet=LE),
            DEMANDE[-1],
        ),
        "l’avenant précédent a été abandonné le 10/03/2022",
    ),
    "an avenant of the grant after the grant": (
        avenant_de_la_subvention(
            1, fait(se.SubventionGlobaleConventionnee, numero="SG-1", date_effet=LE)
        ),
        "la subvention globale a été conventionnée le 10/03/2022",
    ),
    "an avenant of the grant after the one before it": (
        avenant_de_la_subvention(
            2, *ENVELOPPE, fait(se.AvenantSubventionGlobaleSigne, date_effet=LE)
        ),
        "l’avenant n° 1 a été signé le 10/03/2022",
    ),
    "an affectation taken back after it was made": (
        au(
            Given(CONTREPARTIE, AFFECTEE),
            affectation.annuler_affectation,
            affectation.AnnulerAffectation,
        ),
        "la contrepartie a été affectée à cette opération le 10/03/2022",
    ),
}


@pytest.mark.parametrize("suite", SUITES)
def test_a_later_act_is_dated_from_the_former_one_on(suite: str) -> None:
    take, precedent = SUITES[suite]
    assert take(LE).facts()
    take(VEILLE).refuses(ActeAvantLePrecedent, precedent)


def test_the_refusal_says_what_to_do() -> None:
    take, _ = SUITES["a control opened again after its validation"]
    take(VEILLE).refuses(
        ActeAvantLePrecedent,
        "Rouvrir le contrôle de service fait est impossible à la date du 09/03/2022 : "
        "la version n° 1 a été validée le 10/03/2022. Datez cet acte du 10/03/2022 au plus tôt.",
    )


def test_a_withdrawal_waits_for_the_certification_that_covers_it() -> None:
    """Two certifications, then a withdrawal: what each day had certified, less what went."""
    faits = [
        fait(ce.DepenseCertifiee, date_effet=jour, fse_centimes=fse, cout_total_centimes=2 * fse)
        for jour, fse in ((date(2022, 1, 31), 100_00), (LE, 50_00))
    ]
    faits.append(
        fait(
            ce.DepenseRetiree,
            date_effet=date(2022, 4, 30),
            fse_centimes=30_00,
            cout_total_centimes=60_00,
        )
    )

    def retrait(fse: str, cout_total: str) -> Au:
        return au(
            convention(*NOTIFIEE, *faits),
            retirer,
            EnregistrerRetrait,
            fse=fse,
            cout_total=cout_total,
        )

    assert retrait("100.00", "200.00")(date(2022, 1, 31)).facts()
    retrait("100.01", "200.00")(VEILLE).refuses(ActeAvantLePrecedent, "depuis le 10/03/2022")
    assert retrait("100.01", "200.00")(LE).facts()
