"""Lives played on the real database, through the same actions as the doors.

Acts are named in French, as the scenarios of the instructeurs name them; things go by a name of
their own (« OP-1 »). What an act does not say has the default of `fabrique`.
"""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from fabrique import (
    DETAIL_SAISI,
    FICHE_SAISIE,
    LIGNE_SAISIE,
    PERIODE_SAISIE,
    commande,
    euros,
    saisie_du_plan,
)

from aggregates.appel_a_projets.publication import PublierAppelAProjets
from aggregates.contrepartie.affectation import (
    AffecterContrepartie,
    AnnulerAffectation,
    AttribuerContrepartie,
    PercevoirContrepartie,
    annuler_affectation,
    percevoir,
)
from aggregates.contrepartie.repartition import RepartirContrepartie
from aggregates.contrepartie.state import CONTREPARTIE
from aggregates.controle_operation import notification as kn
from aggregates.controle_operation import rapports as kr
from aggregates.controle_operation import suites as ks
from aggregates.controle_operation.state import CONTROLE_OPERATION, ControleOperation
from aggregates.convention import avenants as av
from aggregates.convention import certification as ce
from aggregates.convention import cloture_office as co
from aggregates.convention import constatations as cs
from aggregates.convention import echantillons as ec
from aggregates.convention import horloge as ho
from aggregates.convention import paiements as pa
from aggregates.convention import reversements as re
from aggregates.convention import service_fait as sf
from aggregates.convention import validation as va
from aggregates.convention.bilans import (
    DeposerBilan,
    JugerRecevable,
    RenvoyerBilan,
    juger_recevable,
)
from aggregates.convention.signature import NotifierConvention, SignerConvention
from aggregates.convention.state import CONVENTION, Convention
from aggregates.depense.controle import ControlerDepenses
from aggregates.depense.declaration import DeclarerDepenses
from aggregates.depense.state import DEPENSE
from aggregates.operation import cloture, depot, execution, instruction, programmation, suites
from aggregates.operation.state import OPERATION, Operation
from aggregates.subvention_globale import conventionnement, maquette, objectifs
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE
from api import actions
from oi_service.application import Acte, Outcome, Service, Unit
from oi_service.codec import Evenement
from oi_service.ids import convention_of
from projections.maquette import Maquette, charger
from projections.perimetre import OI_ENTIER

_NOMS = UUID("7c1f0f0e-4f0e-5b52-8d5b-0d2f1a54f5c6")
GESTIONNAIRE, VALIDEUR = "gestionnaire-1", "valideur-1"
COMPTABLE, ORDONNATEUR = "comptable-1", "ordonnateur-1"


def _ligne(os: str, annee: int) -> dict[str, Any]:
    return LIGNE_SAISIE | {"objectif_specifique": os, "annee": annee}


def _montant(centimes: int) -> str:
    return f"{centimes // 100}.{centimes % 100:02d}"


class Vie:
    """Plays acts on a service."""

    def __init__(self, service: Service) -> None:
        self.journal = service.journal
        self.reads = service.reads
        self._pieces: dict[tuple[str, str], UUID] = {}

    @staticmethod
    def id(nom: str) -> UUID:
        """Return the identifier of what goes by a name."""
        return uuid5(_NOMS, nom)

    def acte(
        self, work: Callable[..., object], *args: object, acteur: str = GESTIONNAIRE
    ) -> Outcome:
        """Execute an action of the house."""
        return self.journal.execute(Acte(acteur, "gestionnaire_oi"), lambda unit: work(unit, *args))

    def decision(
        self,
        aggregate: Any,
        stream_id: UUID,
        decide: Any,
        *args: object,
        acteur: str = GESTIONNAIRE,
    ) -> Outcome:
        """Execute a decision on one stream."""
        return self.acte(
            lambda unit: unit.execute(aggregate, stream_id, decide, *args), acteur=acteur
        )

    def _lire(self, aggregate: Any, stream_id: UUID) -> Any:
        unit = Unit(self.journal, Acte(GESTIONNAIRE, "gestionnaire_oi"))
        return unit.get(aggregate, stream_id)

    def operation(self, operation: str) -> Operation:
        """Return the state of an operation."""
        state: Operation = self._lire(OPERATION, self.id(operation))
        return state

    def convention(self, operation: str) -> Convention:
        """Return the state of the convention of an operation."""
        state: Convention = self._lire(CONVENTION, convention_of(self.id(operation)))
        return state

    def faits(self, operation: str) -> list[Evenement]:
        """Return the facts of the convention of an operation, from the first."""
        stream = convention_of(self.id(operation))
        stored = self.journal.recorder.select_streams([stream])[stream]
        return [self.journal.decode(s) for s in stored]

    def maquette(self) -> Maquette:
        """Return the maquette of the OI."""
        with self.reads.connection() as conn:
            found = charger(conn, OI_ENTIER)
        assert found is not None
        return found

    # The grant.

    def subvention(
        self, le: date = date(2018, 2, 12), plie: Iterable[str] = ("A", "B"), **saisie: Any
    ) -> Outcome:
        """Conventionner la subvention globale."""
        named = [{"plie_id": p, "nom": f"PLIE {p}"} for p in plie]
        asked = commande(
            conventionnement.ConventionnerSubventionGlobale, date_effet=le, plie=named, **saisie
        )
        return self.acte(actions.conventionner_subvention_globale, self.id("SG"), asked)

    def tranche(
        self,
        fse: str,
        contreparties: str = "0.00",
        os: str = "OS1",
        annee: int = 2021,
        le: date = date(2021, 1, 4),
    ) -> Outcome:
        """Ouvrir une ligne de la maquette."""
        ligne = _ligne(os, annee) | {
            "fse": fse,
            "contreparties_publiques": contreparties,
            "contreparties_privees": "0.00",
        }
        asked = commande(maquette.OuvrirTranche, date_effet=le, annee=annee, lignes=[ligne])
        return self.decision(SUBVENTION_GLOBALE, self.id("SG"), maquette.ouvrir_tranche, asked)

    def enveloppe(
        self,
        plie: str,
        fse: str,
        cout_total: str | None = None,
        os: str = "OS1",
        annee: int = 2021,
        le: date = date(2021, 1, 5),
    ) -> Outcome:
        """Allouer une enveloppe à un PLIE."""
        asked = commande(
            maquette.NotifierEnveloppePlie,
            date_effet=le,
            ligne=_ligne(os, annee),
            plie_id=plie,
            fse=fse,
            cout_total=cout_total or _montant(2 * euros(fse)),
        )
        return self.decision(SUBVENTION_GLOBALE, self.id("SG"), maquette.notifier_enveloppe, asked)

    def reserve(
        self, fse: str, os: str = "OS1", annee: int = 2021, le: date = date(2021, 1, 5)
    ) -> Outcome:
        """Constituer une réserve."""
        asked = commande(
            maquette.ConstituerReserve,
            date_effet=le,
            ligne=_ligne(os, annee),
            fse=fse,
            cout_total=_montant(2 * euros(fse)),
        )
        return self.decision(SUBVENTION_GLOBALE, self.id("SG"), maquette.constituer_reserve, asked)

    def transfert(
        self,
        de: str,
        vers: str,
        fse: str,
        os: str = "OS1",
        annee: int = 2021,
        le: date = date(2022, 2, 1),
    ) -> Outcome:
        """Transférer une part d’enveloppe ; « reserve » désigne la réserve."""
        ligne = _ligne(os, annee)
        asked = commande(
            maquette.DeciderTransfert,
            date_effet=le,
            de={"ligne": ligne, "plie_id": de},
            vers={"ligne": ligne, "plie_id": vers},
            fse=fse,
            cout_total=_montant(2 * euros(fse)),
        )
        return self.decision(SUBVENTION_GLOBALE, self.id("SG"), maquette.transferer, asked)

    def objectif(
        self, montant: str, annee_engagement: int = 2018, le: date = date(2021, 1, 6), **saisie: Any
    ) -> Outcome:
        """Fixer un objectif de certification ; sans « date_limite », celle du texte."""
        asked = commande(
            objectifs.FixerObjectifCertification,
            date_effet=le,
            annee_engagement=annee_engagement,
            montant_cumule=montant,
            source="Courrier fictif",
            **saisie,
        )
        return self.decision(SUBVENTION_GLOBALE, self.id("SG"), objectifs.fixer_objectif, asked)

    def previsions(
        self, plie: str, trimestres: Iterable[dict[str, Any]], le: date = date(2022, 1, 10)
    ) -> Outcome:
        """Déposer les prévisions d’un PLIE ; un trimestre est en FSE déclaré, par défaut."""
        prevus = [{"mesure": "fse_declare"} | trimestre for trimestre in trimestres]
        asked = commande(
            objectifs.DeposerPrevisions, date_effet=le, plie_id=plie, trimestres=prevus
        )
        return self.decision(SUBVENTION_GLOBALE, self.id("SG"), objectifs.deposer_previsions, asked)

    def appel(
        self,
        fiches: Iterable[dict[str, Any]] = ({},),
        le: date = date(2021, 12, 1),
        nom: str = "AAP",
        **saisie: Any,
    ) -> Outcome:
        """Publier l’appel à projets."""
        asked = commande(
            PublierAppelAProjets,
            date_effet=le,
            fiches=[_fiche(**fiche) for fiche in fiches],
            **saisie,
        )
        return self.acte(actions.publier_appel, self.id(nom), asked, self.id("SG"))

    # A dossier.

    def depot(
        self,
        operation: str,
        fiche: str = "A1",
        fse: str = "50000.00",
        cout_total: str = "100000.00",
        contreparties: str | None = None,
        le: date = date(2021, 12, 15),
        annee: int = 2021,
        appel: str = "AAP",
        **saisie: Any,
    ) -> Outcome:
        """Déposer un dossier."""
        asked = commande(
            depot.DeposerDossier,
            date_effet=le,
            appel_a_projets_id=self.id(appel),
            fiche_code=fiche,
            annee_tranche=annee,
            **({"numero_mdfse": operation, "plan": _plan(fse, cout_total, contreparties)} | saisie),
        )
        return self.acte(actions.deposer_dossier, self.id(operation), asked)

    def instruction(
        self,
        operation: str,
        avis: str = "favorable",
        le: date = date(2022, 1, 5),
        derogation: str | None = None,
        **plan: str,
    ) -> None:
        """Instruire un dossier, de la recevabilité au rapport validé.

        « fse », « cout_total » et « contreparties » changent le plan ; « derogation » : pourquoi
        les coûts simplifiés ne sont pas obligatoires.
        """
        state = self.operation(operation)
        if state.statut == "depose":
            asked = commande(instruction.PrononcerRecevabilite, date_effet=le)
            self._operation(operation, instruction.prononcer_recevabilite, asked)
        if self.operation(operation).statut == "recevable":
            opened = commande(instruction.OuvrirInstruction, date_effet=le)
            self._operation(operation, instruction.ouvrir_instruction, opened)
        saisi = saisie_du_plan(state.plan)
        if plan:
            saisi = _plan(
                plan.get("fse") or _montant(state.plan.fse_centimes),
                plan.get("cout_total") or _montant(state.plan.cout_total_centimes),
                plan.get("contreparties") or _montant(state.plan.contreparties_centimes),
            )
        fixed = commande(
            instruction.InstruirePlan,
            date_effet=le,
            plan=saisi,
            derogation_couts_simplifies=derogation,
        )
        self.decision(
            OPERATION, self.id(operation), instruction.instruire_plan, fixed, GESTIONNAIRE
        )
        report = commande(instruction.ValiderRapport, date_effet=le, avis=avis)
        self.decision(
            OPERATION,
            self.id(operation),
            instruction.valider_rapport,
            report,
            VALIDEUR,
            acteur=VALIDEUR,
        )

    def _operation(self, operation: str, decide: Any, asked: object) -> Outcome:
        return self.decision(OPERATION, self.id(operation), decide, asked)

    def reouverture(self, operation: str, le: date = date(2022, 1, 25)) -> Outcome:
        """Rouvrir l’instruction d’un dossier ajourné."""
        asked = commande(instruction.RouvrirInstruction, date_effet=le)
        return self._operation(operation, instruction.rouvrir_instruction, asked)

    def programmation(self, operation: str, le: date = date(2022, 1, 20), **saisie: Any) -> Outcome:
        """Programmer l’opération, aux montants du plan instruit."""
        plan = self.operation(operation).plan
        montants = {
            "fse": _montant(plan.fse_centimes),
            "cout_total": _montant(plan.cout_total_centimes),
        }
        asked = commande(programmation.Programmer, date_effet=le, **(montants | saisie))
        return self.acte(actions.programmer, self.id(operation), asked)

    def ajournement(self, operation: str, le: date = date(2022, 1, 20), **saisie: Any) -> Outcome:
        """Ajourner le dossier."""
        asked = commande(programmation.DeciderSansProgrammer, date_effet=le, **saisie)
        return self._operation(operation, programmation.ajourner, asked)

    def refus(self, operation: str, le: date = date(2022, 1, 20), **saisie: Any) -> Outcome:
        """Refuser le dossier."""
        asked = commande(programmation.DeciderSansProgrammer, date_effet=le, **saisie)
        return self._operation(operation, programmation.refuser, asked)

    def deprogrammation(
        self, operation: str, le: date = date(2022, 1, 22), **saisie: Any
    ) -> Outcome:
        """Déprogrammer l’opération."""
        asked = commande(programmation.DeciderSansProgrammer, date_effet=le, **saisie)
        return self.acte(actions.deprogrammer, self.id(operation), asked)

    def retrait(self, operation: str, le: date | None = None) -> Outcome:
        """Retirer le dossier, programmé ou non."""
        le = le or max(date(2022, 1, 10), self.operation(operation).programmee_le or date.min)
        asked = commande(depot.RetirerDossier, date_effet=le)
        return self.acte(actions.retirer_dossier, self.id(operation), asked)

    # The convention.

    def convention_signee(
        self, operation: str, le: date = date(2022, 1, 25), **saisie: Any
    ) -> Outcome:
        """Signer la convention ; « parametres » : ce qu’elle décide autrement que la subvention."""
        asked = commande(SignerConvention, date_effet=le, **({"numero": f"C-{operation}"} | saisie))
        return self.acte(actions.signer_convention, self.id(operation), asked)

    def notification(self, operation: str, le: date = date(2022, 1, 26)) -> Outcome:
        """Notifier la convention."""
        asked = commande(NotifierConvention, date_effet=le)
        return self.acte(actions.notifier_convention, self.id(operation), asked)

    def demarrage(self, operation: str, le: date = date(2022, 1, 26)) -> Outcome:
        """Enregistrer l’attestation de démarrage."""
        asked = commande(execution.Demarrer, date_effet=le)
        return self._operation(operation, execution.demarrer, asked)

    def indicateur(
        self, operation: str, realise: str, rang: int = 1, le: date = date(2022, 1, 31)
    ) -> Outcome:
        """Renseigner ce qu’atteint un indicateur."""
        asked = commande(
            execution.RenseignerIndicateur, date_effet=le, indicateur=rang, realise=realise
        )
        return self._operation(operation, execution.renseigner_indicateur, asked)

    def conventionnement(self, operation: str, le: date | None = None, **saisie: Any) -> None:
        """Signer, notifier, démarrer ; « le » : le même jour."""
        jour = {"le": le} if le else {}
        self.convention_signee(operation, **jour, **saisie)
        self.notification(operation, **jour)
        self.demarrage(operation, **jour)

    def jusqu_au_demarrage(
        self,
        operation: str,
        convention: dict[str, Any] | None = None,
        derogation: str | None = None,
        instruite_le: date | None = None,
        **saisie: Any,
    ) -> None:
        """Mener un dossier du dépôt à son démarrage.

        « instruite_le » : le jour de tous les actes qui suivent le dépôt, pour qu’un avenant se
        signe avant la fin de la réalisation.
        """
        jour = {"le": instruite_le} if instruite_le else {}
        self.depot(operation, **saisie)
        self.instruction(operation, derogation=derogation, **jour)
        self.programmation(operation, **jour)
        self.conventionnement(operation, **jour, **(convention or {}))

    def demande_avenant(
        self, operation: str, numero: int = 1, le: date = date(2021, 12, 20), **termes: Any
    ) -> Outcome:
        """Demander un avenant ; « fse » et « cout_total » en changent le plan."""
        fse, cout_total = termes.pop("fse", None), termes.pop("cout_total", None)
        if fse is not None or cout_total is not None:
            plan = self.convention(operation).plan
            termes["plan"] = _plan(
                fse or _montant(plan.fse_centimes),
                cout_total or _montant(plan.cout_total_centimes),
                termes.pop("contreparties", None),
            )
        asked = commande(av.DemanderAvenant, date_effet=le, numero=numero, **termes)
        return self.acte(actions.demander_avenant, self.id(operation), asked)

    def avenant_programme(
        self, operation: str, numero: int = 1, le: date = date(2021, 12, 21), **saisie: Any
    ) -> Outcome:
        """Faire réexaminer l’avenant par l’instance de l’OI."""
        asked = commande(av.ProgrammerAvenant, date_effet=le, numero=numero, **saisie)
        return self.acte(actions.programmer_avenant, self.id(operation), asked)

    def avenant_signe(
        self, operation: str, numero: int = 1, le: date = date(2021, 12, 22)
    ) -> Outcome:
        """Signer l’avenant."""
        asked = commande(av.SignerAvenant, date_effet=le, numero=numero)
        return self.acte(actions.signer_avenant, self.id(operation), asked)

    def avenant_abandonne(
        self, operation: str, numero: int = 1, le: date = date(2021, 12, 21)
    ) -> Outcome:
        """Renoncer à l’avenant."""
        asked = commande(av.AbandonnerAvenant, date_effet=le, numero=numero)
        return self.acte(actions.abandonner_avenant, self.id(operation), asked)

    def avenant(self, operation: str, numero: int = 1, **termes: Any) -> None:
        """Mener un avenant à son terme."""
        self.demande_avenant(operation, numero, **termes)
        self.avenant_programme(operation, numero)
        self.avenant_signe(operation, numero)

    # Dépenses, bilans, control.

    def bilan(
        self,
        operation: str,
        depenses: Iterable[str | dict[str, Any]] = ("80000.00",),
        numero: int = 1,
        type: str = "final",  # noqa: A002 - the word of the field
        ressources: Iterable[dict[str, str]] = (),
        le: date = date(2022, 4, 1),
        **saisie: Any,
    ) -> Outcome:
        """Déclarer des dépenses et les déposer dans un bilan, avec unités, livrables, recettes."""
        declared = self.depenses(operation, depenses, le=date(2022, 3, 1))
        asked = commande(
            DeposerBilan,
            date_effet=le,
            numero=numero,
            type=type,
            periode=PERIODE_SAISIE,
            depenses=declared,
            ressources=[{"financeur": "Financeur fictif"} | r for r in ressources],
            **saisie,
        )
        return self.acte(actions.deposer_bilan, self.id(operation), asked)

    def depenses(
        self,
        operation: str,
        lignes: Iterable[str | dict[str, Any]],
        le: date = date(2022, 3, 1),
    ) -> list[UUID]:
        """Déclarer des dépenses : un montant, ou des champs.

        « piece_ref » nomme la dépense ; « regularise » nomme celle dont une ligne négative reprend.
        """
        saisies: list[dict[str, Any]] = []
        for rang, ligne in enumerate(lignes):
            champs = {"montant_impute": ligne} if isinstance(ligne, str) else dict(ligne)
            saisie: dict[str, Any] = DETAIL_SAISI | {"piece_ref": f"P-{rang}"} | champs
            if "regularise" in saisie:
                saisie["regularise"] = self.piece(operation, saisie["regularise"])
            saisies.append(saisie)
        if not saisies:
            return []
        asked = commande(DeclarerDepenses, date_effet=le, depenses=saisies)
        done = self.acte(actions.declarer_depenses, self.id(operation), asked)
        declared = [e.stream_id for e in done.events if e.name == "depense.declaree.v1"]
        for saisie, depense_id in zip(saisies, declared, strict=True):
            self._pieces[operation, saisie["piece_ref"]] = depense_id
        return declared

    def piece(self, operation: str, piece_ref: str) -> UUID:
        """Return the last dépense declared under a reference."""
        return self._pieces[operation, piece_ref]

    def recevabilite_bilan(
        self, operation: str, numero: int = 1, le: date = date(2022, 4, 5)
    ) -> Outcome:
        """Juger un bilan recevable."""
        asked = commande(JugerRecevable, date_effet=le)
        bilan_id = self._bilan(operation, numero).bilan_id
        return self._convention(operation, juger_recevable, asked, bilan_id)

    def reclamation(self, operation: str, numero: int = 1, le: date = date(2022, 7, 1)) -> Outcome:
        """Réclamer un bilan en retard."""
        asked = commande(co.ReclamerBilan, date_effet=le, numero=numero)
        return self._convention(operation, co.reclamer_bilan, asked)

    def cloture_office(
        self,
        operation: str,
        numero: int = 1,
        montants_controles: str = "ecartes",
        le: date = date(2022, 9, 2),
    ) -> Outcome:
        """Clore d’office un dossier dont le bilan réclamé n’est pas venu."""
        asked = commande(
            co.CloreOffice, date_effet=le, numero=numero, montants_controles=montants_controles
        )
        return self.acte(actions.clore_office, self.id(operation), asked)

    def _convention(
        self, operation: str, decide: Any, *args: object, acteur: str = GESTIONNAIRE
    ) -> Outcome:
        stream = convention_of(self.id(operation))
        return self.decision(CONVENTION, stream, decide, *args, acteur=acteur)

    def renvoi(self, operation: str, numero: int = 1, le: date = date(2022, 4, 5)) -> Outcome:
        """Renvoyer un bilan au bénéficiaire."""
        bilan = self._bilan(operation, numero)
        asked = commande(RenvoyerBilan, date_effet=le)
        return self.acte(actions.renvoyer_bilan, self.id(operation), asked, bilan.bilan_id)

    def _bilan(self, operation: str, numero: int) -> Any:
        standing = self.convention(operation).bilans.values()
        return next(b for b in standing if b.numero == numero and b.statut != "renvoye")

    def _csf(self, operation: str, numero: int) -> UUID:
        csf_id: UUID = self._bilan(operation, numero).csf.csf_id
        return csf_id

    def _jour_du_controle(self, operation: str, numero: int, le: date) -> date:
        """Return that day, or the one on which the control of the bilan was last opened again."""
        rouvert_le: date | None = self._bilan(operation, numero).rouvert_le
        return max(le, rouvert_le or le)

    def ouverture_controle(
        self,
        operation: str,
        numero: int = 1,
        le: date | None = None,
        modalite: str = "exhaustif",
    ) -> Outcome:
        """Ouvrir le contrôle d’un bilan, jugé recevable au besoin."""
        le = le or self._jour_du_controle(operation, numero, date(2022, 4, 10))
        if self._bilan(operation, numero).statut == "depose":
            self.recevabilite_bilan(operation, numero)
        bilan_id = self._bilan(operation, numero).bilan_id
        asked = commande(sf.OuvrirCsf, date_effet=le, bilan_id=bilan_id, modalite=modalite)
        return self.acte(actions.ouvrir_csf, self.id(operation), asked)

    def controle(
        self,
        operation: str,
        numero: int = 1,
        ecarte: str = "0.00",
        ressources: Iterable[str] | None = None,
        le: date | None = None,
        ecarts: dict[str, dict[str, str]] | None = None,
    ) -> Outcome:
        """Contrôler un bilan, ouvert au besoin : « ecarte » est écarté de sa première dépense.

        « ecarts » : par pièce, « montant_ecarte » et « motif_code ». « ressources » : ce qui est
        retenu de chacune ; tout, par défaut. Unités, livrables et recettes sont retenus entiers.
        """
        if self._bilan(operation, numero).statut != "en_controle":
            self.ouverture_controle(operation, numero)
        le = le or self._jour_du_controle(operation, numero, date(2022, 5, 2))
        bilan = self._bilan(operation, numero)
        decides = {self.piece(operation, piece): e for piece, e in (ecarts or {}).items()}
        if euros(ecarte):
            decides[bilan.depenses[0]] = {"montant_ecarte": ecarte, "motif_code": "NON_ACQUITTEE"}
        self.lignes(
            operation,
            numero,
            {d: {"montant_ecarte": "0.00"} | decides.get(d, {}) for d in bilan.depenses},
            le,
        )
        self.controle_ressources(operation, numero, ressources, le)
        self.controle_realisations(operation, numero, le=le)
        self.controle_recettes(operation, numero, le=le)
        return self.fin_du_controle(operation, numero, le)

    def lignes(
        self,
        operation: str,
        numero: int,
        decisions: dict[UUID, dict[str, Any]],
        le: date = date(2022, 5, 2),
    ) -> None:
        """Décider de dépenses du bilan contrôlé."""
        lignes = [{"depense_id": d} | decision for d, decision in decisions.items()]
        if lignes:
            asked = commande(ControlerDepenses, date_effet=le, lignes=lignes)
            csf_id = self._csf(operation, numero)
            self.acte(actions.controler_depenses, self.id(operation), asked, csf_id)

    def controle_ressources(
        self,
        operation: str,
        numero: int = 1,
        ressources: Iterable[str] | None = None,
        le: date = date(2022, 5, 2),
        decidees: Iterable[dict[str, str]] | None = None,
    ) -> None:
        """Décider des ressources du bilan contrôlé.

        « ressources » : ce qui est retenu de chacune ; « decidees » : les décisions entières, avec
        ce que le contrôle a trouvé.
        """
        bilan = self._bilan(operation, numero)
        if not bilan.ressources and decidees is None:
            return
        kept = list(ressources or [_montant(r.montant_centimes) for r in bilan.ressources])
        decided = decidees or [
            {
                "type": r.type,
                "financeur": r.financeur,
                "montant_declare": _montant(r.montant_centimes),
                "montant_retenu": k,
            }
            for r, k in zip(bilan.ressources, kept, strict=True)
        ]
        asked = commande(cs.ControlerRessources, date_effet=le, ressources=decided)
        self._convention(operation, cs.controler_ressources, asked, bilan.csf.csf_id, GESTIONNAIRE)

    def controle_realisations(
        self,
        operation: str,
        numero: int = 1,
        unites: dict[str, dict[str, Any]] | None = None,
        livrables: dict[str, dict[str, Any]] | None = None,
        le: date = date(2022, 5, 2),
    ) -> None:
        """Décider des unités et des livrables du bilan contrôlé ; tout est retenu, par défaut."""
        bilan = self._bilan(operation, numero)
        if not bilan.unites and not bilan.livrables:
            return
        asked = commande(
            cs.ControlerRealisations,
            date_effet=le,
            unites=[
                {"poste": u.poste, "retenues": str(u.quantite)} | (unites or {}).get(u.poste, {})
                for u in bilan.unites
            ],
            livrables=[
                {"id": x, "atteint": True} | (livrables or {}).get(x, {}) for x in bilan.livrables
            ],
        )
        self._convention(
            operation, cs.controler_realisations, asked, bilan.csf.csf_id, GESTIONNAIRE
        )

    def controle_recettes(
        self,
        operation: str,
        numero: int = 1,
        montant_retenu: str | None = None,
        traitement: str | None = None,
        le: date = date(2022, 5, 2),
    ) -> None:
        """Décider des recettes nettes du bilan contrôlé ; tout est retenu, par défaut."""
        bilan = self._bilan(operation, numero)
        if not bilan.recettes_nettes and montant_retenu is None:
            return
        asked = commande(
            cs.ControlerRecettes,
            date_effet=le,
            montant_retenu=montant_retenu or _montant(bilan.recettes_nettes),
            traitement=traitement,
        )
        self._convention(operation, cs.controler_recettes, asked, bilan.csf.csf_id, GESTIONNAIRE)

    def correction_marche(
        self,
        operation: str,
        marche: str,
        taux: str,
        numero: int = 1,
        le: date = date(2022, 5, 2),
    ) -> Outcome:
        """Corriger au barème un marché du bilan contrôlé."""
        asked = commande(cs.CorrigerMarche, date_effet=le, marche_ref=marche, taux_pct=taux)
        csf_id = self._csf(operation, numero)
        return self.acte(actions.corriger_marche, self.id(operation), asked, csf_id)

    def correction_fse(
        self,
        operation: str,
        nature: str = "publicite",
        taux: str | None = None,
        numero: int = 1,
        le: date = date(2022, 5, 2),
    ) -> Outcome:
        """Corriger la part du FSE : publicité, réfaction."""
        asked = commande(cs.CorrigerFse, date_effet=le, nature=nature, taux_pct=taux)
        csf_id = self._csf(operation, numero)
        return self.acte(actions.corriger_fse, self.id(operation), asked, csf_id)

    def tirage(
        self,
        operation: str,
        poste: str = "personnel",
        numero: int = 1,
        graine: str | None = None,
        le: date = date(2022, 4, 12),
    ) -> Outcome:
        """Tirer l’échantillon d’un poste."""
        asked = commande(ec.TirerEchantillon, date_effet=le, poste=poste, graine=graine)
        csf_id = self._csf(operation, numero)
        return self.acte(actions.tirer_echantillon, self.id(operation), asked, csf_id)

    def extrapolation(
        self,
        operation: str,
        poste: str = "personnel",
        numero: int = 1,
        le: date = date(2022, 5, 2),
        **saisie: Any,
    ) -> Outcome:
        """Étendre aux pièces non tirées le taux d’irrégularité du tirage."""
        asked = commande(ec.DeciderExtrapolation, date_effet=le, poste=poste, **saisie)
        csf_id = self._csf(operation, numero)
        return self.acte(actions.decider_extrapolation, self.id(operation), asked, csf_id)

    def grille(self, operation: str, numero: int = 1, le: date = date(2022, 5, 2)) -> Outcome:
        """Remplir la grille de contrôle."""
        asked = commande(cs.RemplirGrille, date_effet=le)
        return self._convention(
            operation, cs.remplir_grille, asked, self._csf(operation, numero), GESTIONNAIRE
        )

    def conclusions(self, operation: str, numero: int = 1, le: date = date(2022, 5, 2)) -> Outcome:
        """Notifier les conclusions intermédiaires."""
        asked = commande(va.NotifierConclusions, date_effet=le)
        csf_id = self._csf(operation, numero)
        return self.acte(actions.notifier_conclusions, self.id(operation), asked, csf_id)

    def observations(self, operation: str, numero: int = 1, le: date = date(2022, 5, 2)) -> Outcome:
        """Recevoir les observations du bénéficiaire."""
        asked = commande(va.RecevoirObservations, date_effet=le)
        csf_id = self._csf(operation, numero)
        return self._convention(operation, va.recevoir_observations, asked, csf_id)

    def conclusions_finales(
        self, operation: str, numero: int = 1, le: date = date(2022, 5, 2)
    ) -> Outcome:
        """Notifier les conclusions finales."""
        asked = commande(va.NotifierConclusionsFinales, date_effet=le)
        csf_id = self._csf(operation, numero)
        return self._convention(operation, va.notifier_conclusions_finales, asked, csf_id)

    def validation(self, operation: str, numero: int = 1, le: date | None = None) -> Outcome:
        """Valider le contrôle, par une autre personne."""
        le = le or self._jour_du_controle(operation, numero, date(2022, 5, 2))
        asked = commande(va.ValiderCsf, date_effet=le)
        csf_id = self._csf(operation, numero)
        return self.acte(actions.valider_csf, self.id(operation), asked, csf_id, acteur=VALIDEUR)

    def fin_du_controle(self, operation: str, numero: int = 1, le: date | None = None) -> Outcome:
        """Valider, après avoir entendu le bénéficiaire s’il le faut."""
        le = le or self._jour_du_controle(operation, numero, date(2022, 5, 2))
        try:
            return self.validation(operation, numero, le)
        except va.ContradictoireManquant:
            self.conclusions(operation, numero, le)
            self.observations(operation, numero, le)
            self.conclusions_finales(operation, numero, le)
            return self.validation(operation, numero, le)

    def reouverture_controle(
        self, operation: str, numero: int = 1, le: date = date(2022, 9, 1), **saisie: Any
    ) -> Outcome:
        """Rouvrir un contrôle validé, en une nouvelle version."""
        asked = commande(sf.RouvrirCsf, date_effet=le, **saisie)
        csf_id = self._csf(operation, numero)
        return self.acte(actions.rouvrir_csf, self.id(operation), asked, csf_id)

    # Money.

    def ordonnancement(
        self, operation: str, montant: str, le: date = date(2022, 5, 10), **saisie: Any
    ) -> Outcome:
        """Préparer un paiement, puis l’ordonnancer le même jour."""
        self.preparation(operation, montant, le=le, **saisie)
        return self.ordonnancement_prepare(operation, le)

    def ordonnancement_prepare(self, operation: str, le: date = date(2022, 5, 10)) -> Outcome:
        """Ordonnancer le dernier paiement, préparé par une autre personne."""
        return self.acte(
            actions.ordonnancer_paiement,
            self.id(operation),
            commande(pa.OrdonnancerPaiement, date_effet=le),
            self._dernier_paiement(operation),
            acteur=ORDONNATEUR,
        )

    def preparation(
        self,
        operation: str,
        montant: str,
        type: str = "solde",  # noqa: A002 - the word of the field
        numero: int | None = None,
        le: date = date(2022, 5, 10),
        *,
        remplace: bool = False,
    ) -> Outcome:
        """Préparer un paiement ; « numero » est celui du bilan contrôlé.

        « remplace » : il remplace le dernier, que la banque a rejeté.
        """
        csf_id = None
        if type != "avance":
            csf = self._bilan(operation, numero or 1).csf
            csf_id = None if csf is None else csf.csf_id
        asked = commande(
            pa.PreparerPaiement,
            date_effet=le,
            type=type,
            montant=montant,
            csf_id=csf_id,
            remplace=self._dernier_paiement(operation) if remplace else None,
        )
        return self.acte(actions.preparer_paiement, self.id(operation), asked, acteur=COMPTABLE)

    def _jour_du_paiement(self, operation: str, paiement_id: UUID, le: date) -> date:
        """Return that day, or the one of the last act on the payment."""
        return max(le, self.convention(operation).paiements[paiement_id].le or le)

    def _dernier_paiement(self, operation: str) -> UUID:
        return list(self.convention(operation).paiements)[-1]

    def virement(self, operation: str, le: date | None = None) -> Outcome:
        """Enregistrer le virement du dernier paiement ordonnancé."""
        stream = convention_of(self.id(operation))
        paiement_id = self._dernier_paiement(operation)
        le = le or self._jour_du_paiement(operation, paiement_id, date(2022, 5, 12))
        asked = commande(pa.EffectuerPaiement, date_effet=le)
        return self.decision(
            CONVENTION, stream, pa.effectuer, asked, paiement_id, COMPTABLE, acteur=COMPTABLE
        )

    def rejet(self, operation: str, le: date | None = None) -> Outcome:
        """Enregistrer le rejet du dernier paiement par la banque."""
        stream = convention_of(self.id(operation))
        paiement_id = self._dernier_paiement(operation)
        le = le or self._jour_du_paiement(operation, paiement_id, date(2022, 5, 14))
        asked = commande(pa.RejeterPaiement, date_effet=le)
        return self.decision(CONVENTION, stream, pa.rejeter, asked, paiement_id)

    def annulation_paiement(self, operation: str, le: date = date(2022, 5, 11)) -> Outcome:
        """Annuler le dernier paiement, préparé ou ordonnancé, avant son virement."""
        asked = commande(pa.AnnulerPaiement, date_effet=le)
        return self._convention(operation, pa.annuler, asked, self._dernier_paiement(operation))

    def acquittement(self, operation: str, le: date | None = None) -> None:
        """Enregistrer la confirmation de chaque virement par la banque."""
        for paiement_id, paiement in self.convention(operation).paiements.items():
            if paiement.statut == "effectue":
                jour = le or self._jour_du_paiement(operation, paiement_id, date(2022, 5, 20))
                asked = commande(pa.AcquitterPaiement, date_effet=jour)
                self._convention(operation, pa.acquitter, asked, paiement_id)

    def paiement(self, operation: str, montant: str, **saisie: Any) -> None:
        """Préparer, ordonnancer et virer."""
        self.ordonnancement(operation, montant, **saisie)
        self.virement(operation)

    def ordre_reversement(
        self, operation: str, montant: str, le: date = date(2022, 6, 1)
    ) -> Outcome:
        """Émettre un ordre de reversement."""
        asked = commande(re.EmettreOrdreReversement, date_effet=le, montant=montant)
        return self.acte(
            actions.emettre_ordre_reversement, self.id(operation), asked, acteur=COMPTABLE
        )

    def _dernier_ordre(self, operation: str) -> UUID:
        return list(self.convention(operation).ordres)[-1]

    def notification_ordre(self, operation: str, le: date = date(2022, 6, 3)) -> Outcome:
        """Notifier le dernier ordre de reversement."""
        asked = commande(re.NotifierOrdre, date_effet=le)
        return self._convention(operation, re.notifier, asked, self._dernier_ordre(operation))

    def contestation(self, operation: str, le: date = date(2022, 6, 10)) -> Outcome:
        """Contester le dernier ordre de reversement."""
        asked = commande(re.ContesterOrdre, date_effet=le)
        return self._convention(operation, re.contester, asked, self._dernier_ordre(operation))

    def decision_contestation(self, operation: str, le: date = date(2022, 6, 20)) -> Outcome:
        """Trancher la contestation : l’ordre tient."""
        asked = commande(re.TrancherContestation, date_effet=le)
        return self._convention(operation, re.trancher, asked, self._dernier_ordre(operation))

    def annulation_ordre(self, operation: str, le: date = date(2022, 6, 20)) -> Outcome:
        """Annuler le dernier ordre de reversement."""
        asked = commande(re.AnnulerOrdre, date_effet=le)
        return self._convention(operation, re.annuler, asked, self._dernier_ordre(operation))

    def irrecouvrable(self, operation: str, montant: str, le: date = date(2022, 7, 1)) -> Outcome:
        """Déclarer irrécouvrable une part du dernier ordre de reversement."""
        asked = commande(
            re.DeclarerIrrecouvrable, date_effet=le, montant=montant, decision_ref="DEC-1"
        )
        ordre_id = self._dernier_ordre(operation)
        return self._convention(
            operation, re.declarer_irrecouvrable, asked, ordre_id, ORDONNATEUR, acteur=ORDONNATEUR
        )

    def retablissement(self, operation: str, montant: str, le: date = date(2022, 8, 1)) -> Outcome:
        """Réclamer de nouveau ce qui avait été déclaré irrécouvrable."""
        asked = commande(re.RetablirCreance, date_effet=le, montant=montant)
        return self._convention(operation, re.retablir, asked, self._dernier_ordre(operation))

    def compensation(
        self, operation: str, montant: str, par: str, le: date = date(2022, 7, 1)
    ) -> Outcome:
        """Régler le dernier ordre par le dernier paiement ordonnancé de l’opération « par »."""
        asked = pa.CompenserOrdre(
            date_effet=le,
            montant=montant,
            par_operation_id=self.id(par),
            par_paiement_id=self._dernier_paiement(par),
        )
        ordre_id = self._dernier_ordre(operation)
        return self.acte(
            actions.compenser_ordre, self.id(operation), asked, ordre_id, acteur=COMPTABLE
        )

    def encaissement(self, operation: str, montant: str, le: date = date(2022, 7, 1)) -> Outcome:
        """Encaisser sur le dernier ordre de reversement."""
        asked = commande(re.EncaisserReversement, date_effet=le, montant=montant)
        return self._convention(operation, re.encaisser, asked, self._dernier_ordre(operation))

    def reversement(self, operation: str, montant: str) -> None:
        """Réclamer et encaisser."""
        self.ordre_reversement(operation, montant)
        self.encaissement(operation, montant)

    def interruption_delai(
        self,
        operation: str,
        numero: int = 1,
        cause: str = "piece_manquante",
        le: date = date(2022, 4, 20),
    ) -> Outcome:
        """Interrompre le délai de paiement d’un bilan."""
        asked = commande(
            ho.InterrompreDelai, date_effet=le, cause=cause, notification_ref="COURRIER-1"
        )
        bilan_id = self._bilan(operation, numero).bilan_id
        return self._convention(operation, ho.interrompre, asked, bilan_id)

    def reprise_delai(
        self, operation: str, numero: int = 1, le: date = date(2022, 4, 30)
    ) -> Outcome:
        """Laisser repartir le délai de paiement d’un bilan."""
        asked = commande(ho.ReprendreDelai, date_effet=le)
        bilan_id = self._bilan(operation, numero).bilan_id
        return self._convention(operation, ho.reprendre, asked, bilan_id)

    def transmission(
        self, operation: str, fse: str, cout_total: str, le: date = date(2022, 8, 1)
    ) -> Outcome:
        """Transmettre un état de dépenses à l’autorité de gestion."""
        return self._certification(
            operation, ce.transmettre, ce.TransmettreEtat, fse, cout_total, le
        )

    def certification(
        self, operation: str, fse: str, cout_total: str, le: date = date(2022, 9, 1)
    ) -> Outcome:
        """Enregistrer la certification par l’État."""
        kind = ce.EnregistrerCertification
        return self._certification(operation, ce.certifier, kind, fse, cout_total, le)

    def retrait_certification(
        self, operation: str, fse: str, cout_total: str, le: date = date(2022, 10, 1)
    ) -> Outcome:
        """Enregistrer un retrait par l’État."""
        return self._certification(
            operation, ce.retirer, ce.EnregistrerRetrait, fse, cout_total, le
        )

    def _certification(
        self, operation: str, decide: Any, kind: Any, fse: str, cout_total: str, le: date
    ) -> Outcome:
        asked = commande(kind, date_effet=le, fse=fse, cout_total=cout_total)
        return self.decision(CONVENTION, convention_of(self.id(operation)), decide, asked)

    # The end.

    def abandon(self, operation: str, le: date = date(2022, 3, 15)) -> Outcome:
        """Enregistrer l’abandon du bénéficiaire."""
        asked = commande(execution.Interrompre, date_effet=le)
        return self._operation(operation, execution.abandonner, asked)

    def resiliation(self, operation: str, le: date = date(2022, 3, 15)) -> Outcome:
        """Résilier la convention."""
        asked = commande(execution.Interrompre, date_effet=le)
        return self._operation(operation, execution.resilier, asked)

    def solde(self, operation: str, le: date = date(2022, 6, 15)) -> Outcome:
        """Solder l’opération."""
        return self.acte(actions.solder, self.id(operation), commande(pa.Solder, date_effet=le))

    def cloture(self, operation: str, le: date = date(2022, 6, 20)) -> Outcome:
        """Clôturer l’opération, ses virements confirmés au besoin."""
        self.acquittement(operation)
        asked = commande(cloture.Cloturer, date_effet=le)
        return self.acte(actions.cloturer, self.id(operation), asked)

    def suites_closes(self, operation: str, le: date = date(2022, 12, 1)) -> Outcome:
        """Clore les suites d’un contrôle rouvert après le solde."""
        self.acquittement(operation)
        asked = commande(suites.CloreSuites, date_effet=le)
        return self.acte(actions.clore_suites, self.id(operation), asked)

    def archivage(self, operation: str, le: date = date(2022, 12, 20)) -> Outcome:
        """Archiver le dossier."""
        asked = commande(cloture.Archiver, date_effet=le)
        return self._operation(operation, cloture.archiver, asked)

    # Audits of operations.

    def controle_op(self, controle: str) -> ControleOperation:
        """Return the state of an audit of operations."""
        state: ControleOperation = self._lire(CONTROLE_OPERATION, self.id(controle))
        return state

    def _controle(self, controle: str, decide: Any, *args: object) -> Outcome:
        return self.decision(CONTROLE_OPERATION, self.id(controle), decide, *args)

    def _perimetre(
        self, operations: dict[str, str], pieces: dict[str, list[str]] | None = None, **saisie: Any
    ) -> dict[str, Any]:
        controlees = [
            {
                "operation_id": self.id(operation),
                "cout_total_controle": montant,
                "depenses": [self.piece(operation, p) for p in (pieces or {}).get(operation, [])],
            }
            for operation, montant in operations.items()
        ]
        return {"operations": controlees} | saisie

    def controle_notifie(
        self,
        controle: str,
        operations: dict[str, str],
        pieces: dict[str, list[str]] | None = None,
        organisme: str = "autorite_audit",
        etat_no: str | None = None,
        le: date = date(2022, 9, 5),
        **saisie: Any,
    ) -> Outcome:
        """Enregistrer l’annonce d’un contrôle d’opération.

        « operations » : le coût total contrôlé de chacune ; « pieces » : ce qui en est examiné.
        """
        asked = commande(
            kn.NotifierControle,
            date_effet=le,
            organisme=organisme,
            **({"reference": controle} | saisie),
            perimetre=self._perimetre(operations, pieces, etat_no=etat_no),
        )
        return self.acte(actions.notifier_controle, self.id(controle), asked)

    def perimetre_controle(
        self,
        controle: str,
        operations: dict[str, str],
        pieces: dict[str, list[str]] | None = None,
        le: date = date(2022, 9, 6),
    ) -> Outcome:
        """Rectifier ce qu’un contrôle d’opération examine."""
        asked = commande(
            kn.RectifierPerimetre, date_effet=le, perimetre=self._perimetre(operations, pieces)
        )
        return self.acte(actions.rectifier_perimetre_controle, self.id(controle), asked)

    def controle_commence(
        self, controle: str, modalite: str = "sur_place", le: date = date(2022, 9, 12)
    ) -> Outcome:
        """Commencer un contrôle d’opération."""
        asked = commande(kn.CommencerControle, date_effet=le, modalite=modalite)
        return self._controle(controle, kn.commencer, asked)

    def controle_annule(self, controle: str, le: date = date(2022, 9, 20)) -> Outcome:
        """Annuler un contrôle d’opération."""
        asked = commande(kn.AnnulerControle, date_effet=le)
        return self._controle(controle, kn.annuler, asked)

    def rapport_provisoire(
        self,
        controle: str,
        constats: Iterable[dict[str, Any]] = (),
        le: date = date(2022, 10, 3),
        **saisie: Any,
    ) -> Outcome:
        """Recevoir le rapport provisoire d’un contrôle d’opération.

        Un constat : « numero », « operation », « cout_total », « fse », et au besoin « pieces ».
        """
        asked = commande(
            kr.RecevoirRapportProvisoire,
            date_effet=le,
            constats=[self._constat(dict(c)) for c in constats],
            **saisie,
        )
        return self.acte(actions.recevoir_rapport_provisoire, self.id(controle), asked)

    def _constat(self, champs: dict[str, Any]) -> dict[str, Any]:
        operation = champs.pop("operation")
        pieces = champs.pop("pieces", [])
        return {
            "operation_id": self.id(operation),
            "nature": "depense_ineligible",
            "constatation": "Dépense inéligible.",
            "depenses": [self.piece(operation, piece) for piece in pieces],
            "assiette": None if pieces else "Toutes les dépenses",
        } | champs

    def reponse_constat(
        self,
        controle: str,
        constat: int = 1,
        reponse: str = "accepte",
        auteur: str = "oi",
        le: date = date(2022, 10, 10),
        **saisie: Any,
    ) -> Outcome:
        """Répondre à un constat d’un contrôle d’opération."""
        asked = commande(
            kr.RepondreConstat,
            date_effet=le,
            constat_numero=constat,
            reponse=reponse,
            auteur=auteur,
            **saisie,
        )
        return self._controle(controle, kr.repondre, asked)

    def prolongation_reponse(
        self, controle: str, date_limite: date, le: date = date(2022, 10, 11)
    ) -> Outcome:
        """Prolonger le délai de réponse à un rapport provisoire."""
        asked = commande(kr.ProlongerDelaiReponse, date_effet=le, date_limite=date_limite)
        return self._controle(controle, kr.prolonger_reponse, asked)

    def rapport_definitif(
        self,
        controle: str,
        constats: Iterable[dict[str, Any]] = (),
        resultat: str = "correction_individuelle",
        le: date = date(2022, 10, 24),
        **saisie: Any,
    ) -> Outcome:
        """Recevoir le rapport définitif d’un contrôle d’opération.

        Un constat : « numero », « issue », et ce qui en est retenu s’il est réduit.
        """
        asked = commande(
            kr.RecevoirRapportDefinitif,
            date_effet=le,
            constats=list(constats),
            resultat=resultat,
            **saisie,
        )
        return self._controle(controle, kr.recevoir_rapport_definitif, asked)

    def rectification_constat(
        self,
        controle: str,
        cout_total: str,
        fse: str,
        constat: int = 1,
        resultat: str | None = None,
        le: date = date(2022, 11, 2),
    ) -> Outcome:
        """Rectifier un constat d’un contrôle d’opération."""
        asked = commande(
            kr.RectifierConstat,
            date_effet=le,
            constat_numero=constat,
            cout_total=cout_total,
            fse=fse,
            resultat=resultat,
        )
        return self._controle(controle, kr.rectifier_constat, asked)

    def suite_controle(
        self,
        controle: str,
        constat: int = 1,
        mesure: str = "recalcul_csf",
        le: date = date(2022, 10, 25),
        **saisie: Any,
    ) -> Outcome:
        """Décider une suite d’un constat retenu."""
        asked = commande(
            ks.DeciderSuite, date_effet=le, constat_numero=constat, mesure=mesure, **saisie
        )
        return self.acte(actions.decider_suite_controle, self.id(controle), asked)

    def _suite(self, controle: str, constat: int) -> UUID:
        """Return the last follow-up of a finding that stands."""
        return [
            suite_id
            for suite_id, suite in self.controle_op(controle).suites.items()
            if suite.constat_numero == constat and suite.statut != "annulee"
        ][-1]

    def prolongation_suite(
        self,
        controle: str,
        echeance: date,
        constat: int = 1,
        le: date = date(2022, 11, 3),
    ) -> Outcome:
        """Prolonger le délai de la dernière suite d’un constat."""
        asked = commande(ks.ProlongerDelaiSuite, date_effet=le, echeance=echeance)
        return self._controle(controle, ks.prolonger_suite, asked, self._suite(controle, constat))

    def execution_suite(
        self,
        controle: str,
        constat: int = 1,
        bilans: Iterable[int] = (),
        ordre: str | None = None,
        appels_de_fonds: Iterable[str] = (),
        compte_rendu: str | None = None,
        le: date = date(2022, 12, 5),
    ) -> Outcome:
        """Enregistrer l’exécution de la dernière suite d’un constat.

        « bilans » : ceux dont le contrôle de service fait a été recalculé ; « ordre » : l’opération
        dont le dernier ordre de reversement l’exécute.
        """
        etat = self.controle_op(controle)
        concernee = convention_of(etat.constats[constat].operation_id)
        convention: Convention = self._lire(CONVENTION, concernee)
        csf = [b.csf.csf_id for b in convention.bilans.values() if b.numero in bilans and b.csf]
        asked = commande(
            ks.ExecuterSuite,
            date_effet=le,
            csf=csf,
            ordres=[] if ordre is None else [self._dernier_ordre(ordre)],
            appels_de_fonds=list(appels_de_fonds),
            compte_rendu=compte_rendu,
        )
        suite_id = self._suite(controle, constat)
        return self.acte(actions.executer_suite_controle, self.id(controle), asked, suite_id)

    def annulation_suite(
        self, controle: str, constat: int = 1, le: date = date(2022, 12, 6)
    ) -> Outcome:
        """Annuler la dernière suite d’un constat."""
        asked = commande(ks.AnnulerSuite, date_effet=le)
        return self._controle(controle, ks.annuler_suite, asked, self._suite(controle, constat))

    def suites_controle_closes(self, controle: str, le: date = date(2022, 12, 12)) -> Outcome:
        """Clore les suites d’un contrôle d’opération."""
        asked = commande(ks.CloreSuitesDuControle, date_effet=le)
        return self.acte(actions.clore_suites_controle, self.id(controle), asked)

    def controle_clos(self, controle: str, le: date = date(2022, 12, 15)) -> Outcome:
        """Clore un contrôle d’opération."""
        asked = commande(ks.CloreControle, date_effet=le)
        return self._controle(controle, ks.clore, asked)

    # Contreparties.

    def contrepartie(
        self, nom: str, montant: str, le: date = date(2021, 3, 1), **saisie: Any
    ) -> Outcome:
        """Attribuer une contrepartie."""
        asked = commande(AttribuerContrepartie, date_effet=le, montant=montant, **saisie)
        return self.acte(actions.attribuer_contrepartie, self.id(nom), asked, self.id("SG"))

    def perception(self, nom: str, montant: str, le: date = date(2021, 4, 1)) -> Outcome:
        """Percevoir une part de la contrepartie."""
        asked = commande(PercevoirContrepartie, date_effet=le, montant=montant)
        return self.decision(CONTREPARTIE, self.id(nom), percevoir, asked)

    def affectation(
        self, nom: str, operation: str, montant: str, le: date = date(2022, 2, 1)
    ) -> Outcome:
        """Affecter une part de la contrepartie à une opération."""
        asked = commande(
            AffecterContrepartie,
            date_effet=le,
            operation_id=self.id(operation),
            montant=montant,
        )
        return self.acte(actions.affecter_contrepartie, self.id(nom), asked)

    def repartition(
        self,
        nom: str,
        operations: Iterable[str],
        le: date = date(2022, 6, 1),
        **saisie: str,
    ) -> Outcome:
        """Répartir une contrepartie entre des opérations, au prorata de leurs besoins."""
        asked = commande(
            RepartirContrepartie,
            date_effet=le,
            operations=[self.id(operation) for operation in operations],
            **saisie,
        )
        return self.acte(actions.repartir_contrepartie, self.id(nom), asked)

    def desaffectation(
        self, nom: str, operation: str, montant: str, le: date = date(2022, 6, 10)
    ) -> Outcome:
        """Reprendre une part de la contrepartie affectée à une opération."""
        asked = commande(
            AnnulerAffectation, date_effet=le, operation_id=self.id(operation), montant=montant
        )
        return self.decision(CONTREPARTIE, self.id(nom), annuler_affectation, asked)

    def controle_lignes(
        self,
        operation: str,
        numero: int = 1,
        ecarts: dict[str, dict[str, Any]] | None = None,
        chaque_tiree: dict[str, Any] | None = None,
        le: date = date(2022, 5, 2),
    ) -> None:
        """Décider des dépenses que le contrôle regarde : toutes, ou celles que le tirage retient.

        « ecarts » : par pièce ; « chaque_tiree » : ce qui vaut pour chaque pièce tirée.
        """
        bilan = self._bilan(operation, numero)
        par_piece = {self.piece(operation, piece): ecart for piece, ecart in (ecarts or {}).items()}
        tirees = {d for tirage in bilan.csf.tirages.values() for d in tirage}
        decisions: dict[UUID, dict[str, Any]] = {}
        for depense_id in bilan.depenses:
            poste = self._lire(DEPENSE, depense_id).detail.poste
            if poste in bilan.csf.tirages and depense_id not in tirees:
                continue
            ecart = (chaque_tiree or {}) if depense_id in tirees else par_piece.get(depense_id, {})
            decisions[depense_id] = {"montant_ecarte": "0.00"} | ecart
        self.lignes(operation, numero, decisions, le)


def _fiche(**changes: Any) -> dict[str, Any]:
    renamed = {"os": "objectif_specifique", "plie": "plie_id"}
    return FICHE_SAISIE | {renamed.get(name, name): value for name, value in changes.items()}


def _plan(fse: str, cout_total: str, contreparties: str | None = None) -> dict[str, Any]:
    """Return a plan of one poste; what neither the Fund nor others bring is own money."""
    reste = euros(cout_total) - euros(fse)
    autres = reste if contreparties is None else euros(contreparties)
    ressources = [
        {"type": kind, "financeur": qui, "montant": _montant(montant)}
        for kind, qui, montant in (
            ("publique_epci", "EPCI fictif", autres),
            ("autofinancement", "Porteur", reste - autres),
        )
        if montant
    ]
    return {
        "postes": [{"code": "personnel", "montant": cout_total}],
        "fse": fse,
        "ressources": ressources,
    }
