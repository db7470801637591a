"""A small OI whose dossiers end in every way, played through the engine.

PLIE « A » and « B » share a grant of 1 000 000,00 €. Amounts and beneficiaries are invented.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid5

from liste_fictive import csv

from aggregates.appel_a_projets import publication
from aggregates.appel_a_projets.state import APPEL_A_PROJETS
from aggregates.contrepartie import affectation
from aggregates.contrepartie.state import CONTREPARTIE
from aggregates.controle_operation import notification, rapports
from aggregates.controle_operation.state import CONTROLE_OPERATION
from aggregates.convention import (
    avenants,
    bilans,
    certification,
    constatations,
    paiements,
    reversements,
    service_fait,
    signature,
    validation,
)
from aggregates.convention.state import CONVENTION
from aggregates.depense import controle, declaration
from aggregates.operation import cloture, depot, execution, instruction, programmation
from aggregates.operation.state import OPERATION
from aggregates.subvention_globale import conventionnement, maquette
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE
from api import actions
from oi_service.aggregate import Aggregate
from oi_service.application import Acte, Service, Unit
from oi_service.ids import convention_of, new_id, reprise_of
from oi_service.reprise.importation import reprendre_la_liste
from oi_service.reprise.lecture import lire

LIGNE = {"annee": 2021, "axe": "3", "objectif_specifique": "OS1", "dispositif": "parcours"}
ANNEE = {"debut": "2021-01-01", "fin": "2021-12-31"}
CONSEIL = {"instance": "conseil_administration_oi", "pv_ref": "pv-2021-1"}


def plan(fse: int = 50_000, autres: int = 50_000) -> dict[str, Any]:
    """Return a balanced plan, in whole euros."""
    return {
        "postes": [{"code": "personnel", "montant": f"{fse + autres}.00"}],
        "fse": f"{fse}.00",
        "ressources": [
            {"type": "publique_epci", "financeur": "EPCI fictive", "montant": f"{autres}.00"}
        ],
    }


def depense(rang: int, montant: int, **changes: Any) -> dict[str, Any]:
    """Return what is declared of a dépense, in whole euros."""
    return {
        "poste": "personnel",
        "nature": f"Salaire {rang}",
        "tiers_ref": "salarie-1",
        "piece_ref": f"piece-{rang}",
        "date_piece": "2021-05-31",
        "date_realisation": "2021-05-31",
        "date_acquittement": "2021-06-01",
        "montant_impute": f"{montant}.00",
        **changes,
    }


class Vie:
    """Plays acts; remembers what they made."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.sg, self.appel = new_id(), new_id()
        self.contreparties: list[UUID] = []
        self.operations: dict[str, UUID] = {}
        self.convention: UUID = new_id()
        self.depenses: list[UUID] = []
        self.reprise: UUID = new_id()

    def acte(self, work: Callable[..., Any], *args: Any, acteur: str = "gestionnaire-1") -> UUID:
        """Play an action; return the key from which what it makes is named."""
        command_id = new_id()
        acte = Acte(acteur, "gestionnaire_oi", command_id)
        self._service.journal.execute(acte, lambda unit: work(unit, *args))
        return command_id

    def decide(
        self,
        aggregate: Aggregate[Any],
        stream_id: UUID,
        decision: Callable[..., Any],
        *args: Any,
        acteur: str = "gestionnaire-1",
    ) -> None:
        """Take a decision on one stream."""

        def work(unit: Unit) -> object:
            return unit.execute(aggregate, stream_id, decision, *args)

        self.acte(work, acteur=acteur)

    # The grant.

    def ouvrir(self) -> None:
        """Record the grant, share it, call for projects."""
        jour = {"date_effet": "2021-01-01"}
        self.acte(
            actions.conventionner_subvention_globale,
            self.sg,
            conventionnement.ConventionnerSubventionGlobale(
                date_effet="2018-02-12",
                oi_id="oi-fictif",
                oi_nom="Organisme intermédiaire fictif",
                reglement="2014-2020",
                numero="SG1",
                agd="DREETS",
                programme_cci="2014FR05SFOP001",
                programme="PON FSE",
                programmation={"debut": "2018-01-01", "fin": "2021-12-31"},
                realisation={"debut": "2018-01-01", "fin": "2023-12-31"},
                fse_total="1000000.00",
                plie=[{"plie_id": "A", "nom": "PLIE Alpha"}, {"plie_id": "B", "nom": "PLIE Bêta"}],
                objectifs_specifiques=[{"code": "OS1", "libelle": "Parcours"}],
                nature_des_donnees="fictives",
            ),
        )
        self._sg(
            conventionnement.signer_avenant,
            conventionnement.SignerAvenantSubventionGlobale(
                date_effet="2020-12-15",
                numero_avenant=1,
                objet="Prolongation",
                fse_total="1100000.00",
                programmation={"debut": "2018-01-01", "fin": "2022-12-31"},
                realisation={"debut": "2018-01-01", "fin": "2023-12-31"},
            ),
        )
        ligne = {
            **LIGNE,
            "fse": "490000.00",
            "contreparties_publiques": "440000.00",
            "contreparties_privees": "50000.00",
        }
        self._sg(
            maquette.ouvrir_tranche, maquette.OuvrirTranche(**jour, annee=2021, lignes=[ligne])
        )
        self._sg(
            conventionnement.signer_avenant,
            conventionnement.SignerAvenantSubventionGlobale(
                **jour,
                numero_avenant=2,
                objet="Complément de la tranche",
                ecarts=[
                    {
                        "cellule": {"ligne": LIGNE, "plie_id": "non_reparti"},
                        "fse": "10000.00",
                        "cout_total": "20000.00",
                    }
                ],
            ),
        )
        for plie_id, fse in (("A", "200000.00"), ("B", "150000.00")):
            self._sg(
                maquette.notifier_enveloppe,
                maquette.NotifierEnveloppePlie(
                    **jour, ligne=LIGNE, plie_id=plie_id, fse=fse, cout_total="400000.00"
                ),
            )
        self._sg(
            maquette.constituer_reserve,
            maquette.ConstituerReserve(**jour, ligne=LIGNE, fse="30000.00", cout_total="60000.00"),
        )
        for source, cible in (("reserve", "A"), ("B", "A")):
            self._sg(
                maquette.transferer,
                maquette.DeciderTransfert(
                    date_effet="2021-06-01",
                    motif="Besoin d’accompagnement",
                    de={"ligne": LIGNE, "plie_id": source},
                    vers={"ligne": LIGNE, "plie_id": cible},
                    fse="10000.00",
                    cout_total="20000.00",
                    **CONSEIL,
                ),
            )
        fiches = [
            {
                "code": f"{plie_id}1",
                "titre": f"Fiche {plie_id}1",
                "plie_id": plie_id,
                "axe": "3",
                "objectif_specifique": "OS1",
                "dispositif": "parcours",
                "type_soutien": "personnes",
                "cible": "Participants",
                "periode": ANNEE,
                "indicateurs": [
                    {"libelle": "Entrées", "cible": "40", "unite": "personnes"},
                    {"libelle": "Sorties", "cible": "12.5", "unite": "personnes"},
                ],
            }
            for plie_id in ("A", "B")
        ]
        self.acte(
            actions.publier_appel,
            self.appel,
            publication.PublierAppelAProjets(
                date_effet="2020-12-01",
                numero="3",
                intitule="Appel fictif",
                date_ouverture="2020-12-01",
                date_cloture="2021-12-31",
                fiches=fiches,
            ),
            self.sg,
        )
        for plie_id, financeur in (("A", "EPCI fictive"), (None, "Région fictive")):
            contrepartie = new_id()
            self.contreparties.append(contrepartie)
            self.acte(
                actions.attribuer_contrepartie,
                contrepartie,
                affectation.AttribuerContrepartie(
                    **jour,
                    type="publique_epci" if plie_id else "publique_region",
                    financeur=financeur,
                    plie_id=plie_id,
                    annee=2021,
                    montant="60000.00",
                    attestation_ref="attestation-1",
                ),
                self.sg,
            )
        self.decide(
            CONTREPARTIE,
            self.contreparties[0],
            affectation.percevoir,
            affectation.PercevoirContrepartie(**jour, montant="20000.00", ref="virement-1"),
        )

    def _sg(self, decision: Callable[..., Any], commande: Any) -> None:
        self.decide(SUBVENTION_GLOBALE, self.sg, decision, commande)

    # Dossiers.

    def deposer(self, nom: str, plie_id: str = "A", fse: int = 50_000) -> UUID:
        """Deposit a dossier."""
        operation = self.operations[nom] = new_id()
        rang = len(self.operations)
        self.acte(
            actions.deposer_dossier,
            operation,
            depot.DeposerDossier(
                date_effet=f"2021-03-{rang:02d}",
                appel_a_projets_id=self.appel,
                fiche_code=f"{plie_id}1",
                numero_mdfse=f"2021{rang:05d}",
                beneficiaire={
                    "siret": "73282932000074",
                    "nom": f"Bénéficiaire fictif n° {rang:02d}",
                    "type": "association",
                },
                intitule=f"Opération {nom}",
                objet="Accompagner des participants",
                annee_tranche=2021,
                periode=ANNEE,
                plan=plan(fse, 100_000 - fse),
            ),
        )
        return operation

    def _op(
        self, operation: UUID, decision: Callable[..., Any], commande: Any, *context: Any
    ) -> None:
        acteur = "valideur-1" if context else "gestionnaire-1"
        self.decide(OPERATION, operation, decision, commande, *context, acteur=acteur)

    def instruire(self, operation: UUID, fse: int = 50_000) -> None:
        """Bring a dossier before the committee."""
        jour = {"date_effet": "2021-03-20"}
        self._op(
            operation,
            instruction.prononcer_recevabilite,
            instruction.PrononcerRecevabilite(**jour),
        )
        self._op(operation, instruction.ouvrir_instruction, instruction.OuvrirInstruction(**jour))
        self._op(
            operation,
            instruction.instruire_plan,
            instruction.InstruirePlan(**jour, plan=plan(fse, 100_000 - fse)),
            "gestionnaire-1",
        )
        self._rapport(operation)

    def _rapport(self, operation: UUID) -> None:
        self._op(
            operation,
            instruction.valider_rapport,
            instruction.ValiderRapport(
                date_effet="2021-03-21",
                avis="favorable",
                instructeur="gestionnaire-1",
                synthese="Conforme",
            ),
            "valideur-1",
        )

    def programmer(self, operation: UUID, fse: int = 50_000) -> None:
        """Award."""
        self.acte(
            actions.programmer,
            operation,
            programmation.Programmer(
                date_effet="2021-04-01", fse=f"{fse}.00", cout_total="100000.00", **CONSEIL
            ),
        )

    def conventionner(self, operation: UUID, numero: str) -> None:
        """Sign, notify, start."""
        self.acte(
            actions.signer_convention,
            operation,
            signature.SignerConvention(
                date_effet="2021-04-10",
                numero=numero,
                signataires=["président", "bénéficiaire"],
                bilans_prevus=[
                    {"numero": 1, "type": "intermediaire", "date_limite": "2021-09-30"},
                    {"numero": 2, "type": "final", "date_limite": "2022-06-30"},
                ],
            ),
        )
        self.acte(
            actions.notifier_convention,
            operation,
            signature.NotifierConvention(date_effet="2021-04-11"),
        )
        self._op(
            operation,
            execution.demarrer,
            execution.Demarrer(date_effet="2021-04-12", attestation_ref="attestation-2"),
        )

    def payer(self, operation: UUID, kind: str, montant: str, csf: UUID | None = None) -> UUID:
        """Prepare a payment, order it and have it paid."""
        key = self.acte(
            actions.preparer_paiement,
            operation,
            paiements.PreparerPaiement(
                date_effet="2022-04-04", type=kind, montant=montant, csf_id=csf
            ),
            acteur="comptable-1",
        )
        paiement = uuid5(key, "paiement")
        self.acte(
            actions.ordonnancer_paiement,
            operation,
            paiements.OrdonnancerPaiement(date_effet="2022-04-04"),
            paiement,
            acteur="ordonnateur-1",
        )
        self.decide(
            CONVENTION,
            convention_of(operation),
            paiements.effectuer,
            paiements.EffectuerPaiement(
                date_effet="2022-04-05",
                ref_virement=f"virement-{kind}",
                iban_masque="FR76••••189",
            ),
            paiement,
            "comptable-1",
            acteur="comptable-1",
        )
        return paiement

    def controler(
        self, operation: UUID, numero: int, depenses: list[UUID], *, ecarte: str = "0.00"
    ) -> UUID:
        """File a bilan and control it; ``ecarte`` is set aside on its first dépense."""
        dernier = numero == 2
        ressources = [{"type": "publique_epci", "financeur": "EPCI fictive", "montant": "5000.00"}]
        depot_bilan = bilans.DeposerBilan(
            date_effet="2022-01-10",
            numero=numero,
            type="final" if dernier else "intermediaire",
            periode={"debut": "2021-07-01", "fin": "2021-12-31"}
            if dernier
            else {"debut": "2021-01-01", "fin": "2021-06-30"},
            depenses=depenses,
            ressources=ressources,
        )
        bilan = uuid5(self.acte(actions.deposer_bilan, operation, depot_bilan), "bilan")
        if dernier:
            self.acte(
                actions.renvoyer_bilan,
                operation,
                bilans.RenvoyerBilan(date_effet="2022-01-11", motif="Signature absente"),
                bilan,
            )
            bilan = uuid5(self.acte(actions.deposer_bilan, operation, depot_bilan), "bilan")
        convention = convention_of(operation)
        recu = bilans.JugerRecevable(date_effet="2022-01-20")
        self.decide(CONVENTION, convention, bilans.juger_recevable, recu, bilan)
        jour = {"date_effet": "2022-02-01"}
        csf = uuid5(
            self.acte(
                actions.ouvrir_csf, operation, service_fait.OuvrirCsf(**jour, bilan_id=bilan)
            ),
            "csf",
        )
        lignes = [{"depense_id": d, "montant_ecarte": "0.00"} for d in depenses]
        if ecarte != "0.00":
            lignes[0] |= {"montant_ecarte": ecarte, "motif_code": "PIECE_NON_PROBANTE"}
        self.acte(
            actions.controler_depenses,
            operation,
            controle.ControlerDepenses(**jour, lignes=lignes),
            csf,
        )
        self.decide(
            CONVENTION,
            convention,
            constatations.controler_ressources,
            constatations.ControlerRessources(
                **jour,
                ressources=[
                    {
                        "type": r["type"],
                        "financeur": r["financeur"],
                        "montant_declare": r["montant"],
                        "montant_retenu": r["montant"],
                    }
                    for r in ressources
                ],
            ),
            csf,
            "gestionnaire-1",
        )
        if ecarte != "0.00":
            self._entendre(operation, csf)
        self.acte(
            actions.valider_csf,
            operation,
            validation.ValiderCsf(date_effet="2022-03-20"),
            csf,
            acteur="valideur-1",
        )
        return csf

    def _entendre(self, operation: UUID, csf: UUID) -> None:
        convention = convention_of(operation)
        self.acte(
            actions.notifier_conclusions,
            operation,
            validation.NotifierConclusions(
                date_effet="2022-02-01", date_limite_reponse="2022-03-15"
            ),
            csf,
        )
        self.decide(
            CONVENTION,
            convention,
            validation.recevoir_observations,
            validation.RecevoirObservations(date_effet="2022-03-01"),
            csf,
        )
        self.decide(
            CONVENTION,
            convention,
            validation.notifier_conclusions_finales,
            validation.NotifierConclusionsFinales(date_effet="2022-03-10"),
            csf,
        )

    def avenant(self, operation: UUID, fse: int) -> None:
        """Change the plan of a convention."""
        self.acte(
            actions.demander_avenant,
            operation,
            avenants.DemanderAvenant(
                date_effet="2021-06-01",
                motif="Effectif revu",
                numero=1,
                plan=plan(fse, 100_000 - fse),
            ),
        )
        self.acte(
            actions.programmer_avenant,
            operation,
            avenants.ProgrammerAvenant(date_effet="2021-06-15", numero=1, **CONSEIL),
        )
        self.acte(
            actions.signer_avenant,
            operation,
            avenants.SignerAvenant(date_effet="2021-06-20", numero=1),
        )

    # The lives.

    def vie_entiere(self) -> None:
        """Go from deposit to archive with everything on the way."""
        operation = self.deposer("entière")
        self.convention = convention_of(operation)
        jour = {"date_effet": "2021-03-15"}
        self._op(
            operation,
            depot.demander_complement,
            depot.DemanderComplement(**jour, pieces_attendues=["Statuts"], echeance="2021-04-15"),
        )
        self._op(
            operation,
            depot.recevoir_complement,
            depot.RecevoirComplement(**jour, pieces_recues=["Statuts"]),
        )
        self.instruire(operation)
        avis = instruction.RendreAvis(
            date_effet="2021-03-22", avis="favorable", instance="Comité de pilotage"
        )
        self._op(operation, instruction.rendre_avis_plie, avis)
        self._op(operation, instruction.rendre_avis_agd, avis)
        decision = programmation.DeciderSansProgrammer(
            date_effet="2021-03-25", motif="Budget à préciser", **CONSEIL
        )
        self._op(operation, programmation.ajourner, decision)
        self._op(
            operation,
            instruction.rouvrir_instruction,
            instruction.RouvrirInstruction(date_effet="2021-03-26", motif="Budget précisé"),
        )
        self._op(
            operation,
            instruction.rectifier_dossier,
            instruction.RectifierDossier(
                date_effet="2021-03-26", motif="Intitulé précisé", intitule="Opération entière bis"
            ),
        )
        self._rapport(operation)
        self.programmer(operation)
        self._op(
            operation,
            programmation.notifier_decision,
            programmation.NotifierDecision(date_effet="2021-04-02"),
        )
        self.conventionner(operation, "C1")
        self.payer(operation, "avance", "10000.00")
        self.avenant(operation, 55_000)
        self._contreparties(operation)
        self._depenses(operation)
        premier = self.controler(operation, 1, self.depenses[:3], ecarte="1500.00")
        self.payer(operation, "acompte", "5675.00", premier)
        self._op(
            operation,
            execution.renseigner_indicateur,
            execution.RenseignerIndicateur(date_effet="2021-12-31", indicateur=1, realise="39.999"),
        )
        self._op(
            operation,
            execution.constater_fin,
            execution.ConstaterFin(date_effet="2022-01-01"),
        )
        dernier = self.controler(operation, 2, self.depenses[3:5])
        self.payer(operation, "solde", "11000.00", dernier)
        for decide, commande in (
            (
                certification.transmettre,
                certification.TransmettreEtat(
                    date_effet="2022-05-01", etat_no="E1", fse="9000.00", cout_total="18000.00"
                ),
            ),
            (
                certification.certifier,
                certification.EnregistrerCertification(
                    date_effet="2022-06-01",
                    appel_de_fonds_no="AF1",
                    exercice_comptable="2021-2022",
                    fse="8000.00",
                    cout_total="16000.00",
                ),
            ),
            (
                certification.retirer,
                certification.EnregistrerRetrait(
                    date_effet="2022-06-15",
                    motif="Doublon",
                    appel_de_fonds_no="AF1",
                    exercice_comptable="2021-2022",
                    fse="500.00",
                    cout_total="1000.00",
                ),
            ),
        ):
            self.decide(CONVENTION, self.convention, decide, commande)

    def _contreparties(self, operation: UUID) -> None:
        jour = {"date_effet": "2021-06-01"}
        for contrepartie, montant in zip(self.contreparties, ("30000.00", "10000.00"), strict=True):
            self.acte(
                actions.affecter_contrepartie,
                contrepartie,
                affectation.AffecterContrepartie(**jour, operation_id=operation, montant=montant),
            )
        self.decide(
            CONTREPARTIE,
            self.contreparties[0],
            affectation.annuler_affectation,
            affectation.AnnulerAffectation(
                **jour, motif="Trop affecté", operation_id=operation, montant="5000.00"
            ),
        )

    def _depenses(self, operation: UUID) -> None:
        jour = {"date_effet": "2021-07-01"}
        tardive = {"date_realisation": "2020-12-01", "date_acquittement": "2022-09-01"}
        saisies = [depense(rang, 10_000) for rang in range(1, 5)]
        saisies += [depense(5, 10_000, **tardive), depense(6, 700), depense(7, 800)]
        key = self.acte(
            actions.declarer_depenses,
            operation,
            declaration.DeclarerDepenses(**jour, depenses=saisies),
            acteur="comptable-1",
        )
        self.depenses = [uuid5(key, f"depense/{rang}") for rang in range(len(saisies))]
        self.acte(
            actions.corriger_depense,
            self.depenses[5],
            declaration.CorrigerDepense(**jour, motif="Erreur de saisie", detail=depense(6, 750)),
        )
        self.acte(
            actions.annuler_depense,
            self.depenses[6],
            declaration.AnnulerDepense(**jour, motif="Saisie deux fois"),
        )

    def autres_vies(self) -> None:
        """End dossiers early, in every way."""
        jour = {"date_effet": "2021-05-01", "motif": "Décision fictive"}
        decision = programmation.DeciderSansProgrammer(**jour, **CONSEIL)
        conventionnee = self.deposer("conventionnée", "B", 40_000)
        self.instruire(conventionnee, 40_000)
        self.programmer(conventionnee, 40_000)
        self.conventionner(conventionnee, "C2")

        irrecevable = self.deposer("irrecevable")
        self._op(
            irrecevable,
            instruction.prononcer_irrecevabilite,
            instruction.PrononcerIrrecevabilite(**jour),
        )
        self.acte(
            actions.retirer_dossier, self.deposer("retirée", "B"), depot.RetirerDossier(**jour)
        )
        refusee = self.deposer("refusée")
        self.instruire(refusee)
        self._op(refusee, programmation.refuser, decision)

        deprogrammee = self.deposer("déprogrammée", "B", 20_000)
        self.instruire(deprogrammee, 20_000)
        self.programmer(deprogrammee, 20_000)
        self.acte(actions.deprogrammer, deprogrammee, decision)

        abandonnee = self.deposer("abandonnée", "B", 30_000)
        self.instruire(abandonnee, 30_000)
        self.programmer(abandonnee, 30_000)
        self.conventionner(abandonnee, "C3")
        self.payer(abandonnee, "avance", "9000.00")
        self._op(abandonnee, execution.abandonner, execution.Interrompre(**jour))
        ordre = uuid5(
            self.acte(
                actions.emettre_ordre_reversement,
                abandonnee,
                reversements.EmettreOrdreReversement(
                    **jour, montant="9000.00", echeance="2021-08-01"
                ),
            ),
            "ordre",
        )
        self.decide(
            CONVENTION,
            convention_of(abandonnee),
            reversements.encaisser,
            reversements.EncaisserReversement(
                date_effet="2021-07-01", montant="4000.00", ref="titre-1"
            ),
            ordre,
        )
        for rang in range(4):
            self.deposer(f"en attente {rang}", "AB"[rang % 2], 10_000 + 1_000 * rang)

    def cloturer(self) -> None:
        """Settle, close, archive the whole life."""
        operation = self.operations["entière"]
        jour = {"date_effet": "2022-07-01"}
        self.acte(actions.solder, operation, paiements.Solder(**jour))
        self._op(operation, cloture.cloturer, cloture.Cloturer(**jour))
        self._op(
            operation,
            cloture.archiver,
            cloture.Archiver(**jour, lieu_archivage="Salle 1", reference="2022-06-30"),
        )
        self.decide(
            APPEL_A_PROJETS,
            self.appel,
            publication.clore,
            publication.CloreAppelAProjets(date_effet="2022-01-02"),
        )

    def reprendre(self) -> None:
        """Take over one operation of before."""
        liste = lire("liste.csv", csv({"date_programmation": "2017-02-01"}).encode())

        def work(unit: Unit) -> object:
            cadre = unit.get(SUBVENTION_GLOBALE, self.sg).cadre
            [(_, operation)] = liste.admises
            self.reprise = reprise_of(self.sg, operation.contenu)
            return reprendre_la_liste(unit, liste, cadre)

        self.acte(work)

    def auditer(self) -> None:
        """Control the whole life and one of the other PLIE, on one reference each."""
        self.controles: dict[str, UUID] = {}
        for nom, operations in (
            ("commun", ("entière", "abandonnée")),
            ("du PLIE A", ("entière",)),
            ("du PLIE B", ("abandonnée",)),
        ):
            controle = self.controles[nom] = new_id()
            perimetre = {
                "operations": [
                    {
                        "operation_id": self.operations[operation],
                        "cout_total_controle": "500.00" if operation == "entière" else "0.00",
                    }
                    for operation in operations
                ]
            }
            self.acte(
                actions.notifier_controle,
                controle,
                notification.NotifierControle(
                    date_effet="2022-09-05",
                    organisme="autorite_audit",
                    reference=f"CICC-{len(self.controles)}",
                    perimetre=perimetre,
                ),
            )
        self.decide(
            CONTROLE_OPERATION,
            self.controles["du PLIE A"],
            notification.commencer,
            notification.CommencerControle(date_effet="2022-09-12", modalite="sur_pieces"),
        )
        self.acte(
            actions.recevoir_rapport_provisoire,
            self.controles["du PLIE A"],
            rapports.RecevoirRapportProvisoire(
                date_effet="2022-10-03",
                rapport_ref="RP-2",
                date_limite_reponse="2022-10-31",
                constats=[
                    {
                        "numero": 1,
                        "operation_id": self.operations["entière"],
                        "nature": "piece_manquante",
                        "constatation": "Une facture manque.",
                        "cout_total": "300.00",
                        "fse": "150.00",
                        "assiette": "Prestations",
                    }
                ],
            ),
        )


def jouer(service: Service) -> Vie:
    """Play every life on an empty database."""
    vie = Vie(service)
    vie.ouvrir()
    vie.vie_entiere()
    vie.autres_vies()
    vie.cloturer()
    vie.reprendre()
    vie.auditer()
    return vie
