"""Every act of a control and of its money keeps its day, its documents and its reason."""

from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from dsl import Given
from fabrique import (
    AUTRE_ID,
    BILAN,
    BILAN_ID,
    CERTIFIE,
    CSF,
    CSF_ID,
    DEPENSE_ID,
    ENTENDU,
    NOTIFIEE,
    OPERATION_ID,
    ORDRE_ID,
    PAIEMENT_ID,
    PAR,
    RECEVABLE,
    avance_payee,
    commande,
    convention,
    depense,
    euros,
    fait,
    operation,
    signee,
)

from aggregates.commande import Commande
from aggregates.convention import (
    bilans,
    cloture_office,
    constatations,
    echantillons,
    horloge,
    paiements,
    reversements,
    service_fait,
    validation,
)
from aggregates.convention import events as ce
from aggregates.convention.state import CONVENTION
from aggregates.depense import controle
from aggregates.depense.events import DepenseDeclaree
from aggregates.depense.state import DEPENSE
from aggregates.parametres import Refaction
from oi_service.codec import Piece

JOUR = date(2022, 11, 15)
COURRIER = {"sha256": "5e" * 32, "libelle": "Courrier du 15 novembre", "type": "courrier"}
MOTIF = "Motif de l’essai"


class Acte(NamedTuple):
    """A decision that is accepted: on which past, asked how, and told what else."""

    passe: list[Any]
    decision: Any
    commande: type[Commande]
    saisie: dict[str, Any]
    contexte: tuple[Any, ...]
    aggregate: Any = CONVENTION


TROP_PERCU = [
    *NOTIFIEE,
    *avance_payee(15_000),
    *CSF[2:],
    fait(ce.CsfValide, fse_du_cumule_centimes=euros(10_000)),
]
RECLAME = [*TROP_PERCU, fait(ce.OrdreReversementEmis, montant_centimes=euros(5_000))]
NOTIFIE = [*RECLAME, fait(ce.OrdreReversementNotifie)]
CONTESTE = [*NOTIFIE, fait(ce.OrdreReversementConteste)]
PERDU = [*NOTIFIE, fait(ce.CreanceIrrecouvrable, montant_centimes=euros(5_000))]
ORDONNE = [*CERTIFIE, fait(ce.PaiementOrdonnance)]
PAYE = [*ORDONNE, fait(ce.PaiementEffectue)]
AU_TIRAGE = [
    signee(echantillon_taille_min=1, extrapolation=True),
    *RECEVABLE[1:],
    fait(ce.CsfOuvert, modalite="echantillon"),
]
AVEC_REFACTION = [
    signee(refaction=Refaction(seuil_pct=Decimal(80), taux_pct=Decimal(5))),
    *CSF[1:],
]
DU_MARCHE = depense(1_000, ecarte=5, marche_ref="M-1")
TIREES = {DEPENSE_ID: DU_MARCHE, AUTRE_ID: depense(500, ecarte=0)}
LIGNE = {"depense_id": DEPENSE_ID, "montant_ecarte": "0.00"}
COMPENSE = {"par_operation_id": AUTRE_ID, "par_paiement_id": PAIEMENT_ID, "montant": "10.00"}
FINAL = operation("bilan_final_depose")


def controler(depense: Any, asked: Any, facts: Any) -> Any:
    """Decide on the only line that is asked about."""
    state = convention(facts)
    bilan = state.bilans[BILAN_ID]
    assert bilan.csf is not None
    ligne = asked.lignes[0]
    return controle.controler(depense, asked, ligne, bilan, bilan.csf, state, PAR)


c, e, v, p, r = constatations, echantillons, validation, paiements, reversements
ACTES: dict[str, Acte] = {
    "déposer un bilan": Acte(
        NOTIFIEE, bilans.deposer_bilan, bilans.DeposerBilan, {}, (BILAN_ID, [depense()])
    ),
    "juger recevable": Acte(BILAN, bilans.juger_recevable, bilans.JugerRecevable, {}, (BILAN_ID,)),
    "renvoyer": Acte(BILAN, bilans.renvoyer_bilan, bilans.RenvoyerBilan, {}, (BILAN_ID, [])),
    "ouvrir": Acte(RECEVABLE, service_fait.ouvrir_csf, service_fait.OuvrirCsf, {}, (CSF_ID, PAR)),
    "rouvrir": Acte(
        CERTIFIE, service_fait.rouvrir_csf, service_fait.RouvrirCsf, {}, (CSF_ID, FINAL)
    ),
    "ressources": Acte(CSF, c.controler_ressources, c.ControlerRessources, {}, (CSF_ID, PAR)),
    "realisations": Acte(CSF, c.controler_realisations, c.ControlerRealisations, {}, (CSF_ID, PAR)),
    "recettes": Acte(CSF, c.controler_recettes, c.ControlerRecettes, {}, (CSF_ID, PAR)),
    "marche": Acte(CSF, c.corriger_marche, c.CorrigerMarche, {}, (CSF_ID, [DU_MARCHE], PAR)),
    "fse": Acte(
        AVEC_REFACTION,
        c.corriger_fse,
        c.CorrigerFse,
        {"nature": "refaction_indicateurs", "taux_pct": "0"},
        (CSF_ID, operation(), PAR),
    ),
    "grille": Acte(CSF, c.remplir_grille, c.RemplirGrille, {}, (CSF_ID, PAR)),
    "tirage": Acte(AU_TIRAGE, e.tirer_echantillon, e.TirerEchantillon, {}, (CSF_ID, TIREES, PAR)),
    "extrapolation": Acte(
        [*AU_TIRAGE, fait(ce.EchantillonTire)],
        e.decider_extrapolation,
        e.DeciderExtrapolation,
        {},
        (CSF_ID, TIREES, PAR),
    ),
    "conclusions": Acte(CSF, v.notifier_conclusions, v.NotifierConclusions, {}, (CSF_ID, {})),
    "observations": Acte(CSF, v.recevoir_observations, v.RecevoirObservations, {}, (CSF_ID,)),
    "conclusions finales": Acte(
        [*CSF, *ENTENDU[:2]],
        v.notifier_conclusions_finales,
        v.NotifierConclusionsFinales,
        {},
        (CSF_ID,),
    ),
    "validation": Acte(
        [*CSF, *ENTENDU], v.valider_csf, v.ValiderCsf, {}, (CSF_ID, "valideur-1", TIREES, FINAL)
    ),
    "reclamer un bilan": Acte(
        NOTIFIEE, cloture_office.reclamer_bilan, cloture_office.ReclamerBilan, {}, ()
    ),
    "clore d’office": Acte(
        [*NOTIFIEE, fait(ce.BilanReclame)],
        cloture_office.clore_office,
        cloture_office.CloreOffice,
        {},
        (),
    ),
    "preparer": Acte(
        CERTIFIE,
        p.preparer,
        p.PreparerPaiement,
        {"csf_id": CSF_ID},
        (PAIEMENT_ID, FINAL, "comptable-1"),
    ),
    "ordonnancer": Acte(
        [*CERTIFIE, fait(ce.PaiementPrepare, csf_id=CSF_ID)],
        p.ordonnancer,
        p.OrdonnancerPaiement,
        {},
        (PAIEMENT_ID, FINAL, "ordonnateur-1"),
    ),
    "annuler un paiement": Acte(ORDONNE, p.annuler, p.AnnulerPaiement, {}, (PAIEMENT_ID,)),
    "effectuer": Acte(ORDONNE, p.effectuer, p.EffectuerPaiement, {}, (PAIEMENT_ID, "comptable-1")),
    "acquitter": Acte(PAYE, p.acquitter, p.AcquitterPaiement, {}, (PAIEMENT_ID,)),
    "rejeter": Acte(PAYE, p.rejeter, p.RejeterPaiement, {}, (PAIEMENT_ID,)),
    "imputer": Acte(
        ORDONNE,
        p.imputer_compensation,
        p.CompenserOrdre,
        COMPENSE,
        (operation(), AUTRE_ID, ORDRE_ID, "comptable-1"),
    ),
    "emettre un ordre": Acte(
        TROP_PERCU,
        r.emettre_ordre,
        r.EmettreOrdreReversement,
        {"montant": "5000.00"},
        (ORDRE_ID, FINAL, "comptable-1"),
    ),
    "notifier un ordre": Acte(RECLAME, r.notifier, r.NotifierOrdre, {}, (ORDRE_ID,)),
    "contester": Acte(NOTIFIE, r.contester, r.ContesterOrdre, {}, (ORDRE_ID,)),
    "trancher": Acte(CONTESTE, r.trancher, r.TrancherContestation, {}, (ORDRE_ID,)),
    "annuler un ordre": Acte(RECLAME, r.annuler, r.AnnulerOrdre, {}, (ORDRE_ID,)),
    "encaisser": Acte(
        NOTIFIE, r.encaisser, r.EncaisserReversement, {"montant": "10.00"}, (ORDRE_ID,)
    ),
    "irrecouvrable": Acte(
        NOTIFIE,
        r.declarer_irrecouvrable,
        r.DeclarerIrrecouvrable,
        {"montant": "10.00", "decision_ref": "DEC-1"},
        (ORDRE_ID, "ordonnateur-1"),
    ),
    "retablir": Acte(PERDU, r.retablir, r.RetablirCreance, {"montant": "10.00"}, (ORDRE_ID,)),
    "compenser": Acte(
        NOTIFIE, r.compenser, p.CompenserOrdre, COMPENSE, (ORDRE_ID, operation(), operation())
    ),
    "interrompre": Acte(
        BILAN,
        horloge.interrompre,
        horloge.InterrompreDelai,
        {"cause": "piece_manquante", "notification_ref": "COURRIER-1"},
        (BILAN_ID,),
    ),
    "reprendre": Acte(
        [*BILAN, fait(ce.DelaiPaiementInterrompu)],
        horloge.reprendre,
        horloge.ReprendreDelai,
        {},
        (BILAN_ID,),
    ),
    "controler une dépense": Acte(
        [fait(DepenseDeclaree)],
        controler,
        controle.ControlerDepenses,
        {"lignes": [LIGNE]},
        (CSF,),
        DEPENSE,
    ),
}


@pytest.mark.parametrize("nom", ACTES)
def test_a_fact_keeps_the_day_the_documents_and_the_reason_of_its_act(nom: str) -> None:
    acte = ACTES[nom]
    asked = commande(acte.commande, date_effet=JOUR, pieces=[COURRIER], **acte.saisie)
    [fact] = Given(acte.aggregate, acte.passe).when(acte.decision, asked, *acte.contexte).facts()
    assert fact.date_effet == JOUR
    assert fact.pieces == (Piece(**COURRIER),)
    assert fact.motif == (MOTIF if "motif" in acte.commande.model_fields else None)
    # Where the fact names its operation, it is the one of its convention or of its dépense.
    assert getattr(fact, "operation_id", OPERATION_ID) == OPERATION_ID


def test_a_dated_document_keeps_its_date() -> None:
    dated = COURRIER | {"date_piece": "2022-11-14"}
    asked = commande(validation.RecevoirObservations, pieces=[dated])
    [fact] = Given(CONVENTION, CSF).when(validation.recevoir_observations, asked, CSF_ID).facts()
    assert fact.pieces == (Piece(**COURRIER | {"date_piece": date(2022, 11, 14)}),)
