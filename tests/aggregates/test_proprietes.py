"""Books balance whatever is asked, in whatever order: random commands on pure decisions."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import hypothesis.strategies as st
import msgspec
from fabrique import (
    CELLULE,
    CELLULE_B,
    CELLULE_RESERVE,
    LIGNE,
    LIGNE_SAISIE,
    NOTIFIEE,
    SUBVENTION,
    commande,
    convention,
    depense,
    fait,
    operation,
    plan,
    ressource,
    saisie_du_plan,
    subvention,
)
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from test_operation_transitions import ACTES, STATUTS, expected

from aggregates.convention import avenants as av
from aggregates.convention import bilans as bi
from aggregates.convention import certification as ce
from aggregates.convention import constatations as cs
from aggregates.convention import paiements as pa
from aggregates.convention import reversements as re
from aggregates.convention import service_fait as sf
from aggregates.convention import validation as va
from aggregates.convention.events import ConventionSignee, CsfValide
from aggregates.convention.state import CONVENTION, Bilan, Convention
from aggregates.depense.state import Depense
from aggregates.operation.state import OPERATION, Operation, Statut
from aggregates.subvention_globale import conventionnement, maquette, reservations
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE, SubventionGlobale
from oi_service.errors import Refusal
from rules.calcul import service_fait

SMALL = st.integers(0, 3_000_00)
CLOSE = st.sampled_from([-1, 0, 0, 0, 1])


def euros_of(centimes: int) -> str:
    centimes = max(0, centimes)
    return f"{centimes // 100}.{centimes % 100:02d}"


class Machine(RuleBasedStateMachine):
    """A state that decisions move; a refusal leaves it as it is."""

    aggregate: Any
    state: Any
    facts: tuple[Any, ...] = ()

    def ask(self, decision: Any, *args: Any, **named: Any) -> bool:
        """Take a decision; tell whether it was accepted."""
        try:
            facts = decision(self.state, *args, **named)
        except Refusal:
            return False
        for fact in facts:
            self.state = self.aggregate.evolve(self.state, fact)
        self.facts += tuple(facts)
        return True


class Conventions(Machine):
    """Bilans, controls, avenants and money of one convention of 5 000,00 € of the Fund."""

    aggregate = CONVENTION
    state: Convention

    @initialize(
        pct=st.sampled_from(["0", "30", "100"]),
        cap=st.none() | SMALL,
        before=st.sampled_from([None, "80"]),
        paid=st.booleans(),
    )
    def begin(self, pct: str, cap: int | None, before: str | None, paid: bool) -> None:  # noqa: FBT001
        signed = fait(
            ConventionSignee,
            plan=_plan(5_000_00),
            avance_pct=Decimal(pct),
            avance_plafond_centimes=cap,
            plafond_avant_solde_pct=None if before is None else Decimal(before),
        )
        self.state = convention([signed, *NOTIFIEE[1:]])
        self.operation = operation("en_execution")
        self.depenses: dict[UUID, Depense] = {}
        self.rank = 100
        if paid:
            self.order("avance", pa.plafond_avance(self.state), None)
            for paiement_id in self.state.paiements:
                self.bank_does("order", paiement_id)
                self.bank_does("send", paiement_id)

    def fresh(self) -> UUID:
        self.rank += 1
        return UUID(int=self.rank)

    def standing(self, *statuts: str) -> list[Bilan]:
        return [b for b in self.state.bilans.values() if b.statut in statuts]

    @rule(
        kind=st.sampled_from(["intermediaire", "intermediaire", "final"]),
        amounts=st.lists(SMALL.filter(bool), max_size=3),
        other=SMALL,
    )
    def file(self, kind: str, amounts: list[int], other: int) -> None:
        lines = {
            self.fresh(): depense(euros_of(a).replace(".", ","), marche_ref="M-1") for a in amounts
        }
        ressources = [{"type": "privee", "financeur": "Fondation", "montant": euros_of(other)}]
        asked = commande(
            bi.DeposerBilan,
            numero=len(self.state.bilans) + 1,
            type=kind,
            depenses=list(lines),
            ressources=ressources if other else [],
        )
        if self.ask(bi.deposer_bilan, asked, self.fresh(), list(lines.values())):
            self.depenses |= lines

    @precondition(lambda self: self.standing("depose", "recevable"))
    @rule(data=st.data())
    def send_back(self, data: st.DataObject) -> None:
        bilan = data.draw(st.sampled_from(self.standing("depose", "recevable")))
        lines = [self.depenses[i] for i in bilan.depenses]
        self.ask(bi.renvoyer_bilan, commande(bi.RenvoyerBilan), bilan.bilan_id, lines)

    @precondition(lambda self: self.standing("depose", "recevable"))
    @rule(
        data=st.data(),
        rejected=st.booleans(),
        kept=st.sampled_from([0, 50, 100]),
        taux=st.sampled_from(["0", "25", "100"]),
        heard=st.sampled_from([True, True, True, False]),
    )
    def control(
        self,
        data: st.DataObject,
        rejected: bool,  # noqa: FBT001
        kept: int,
        taux: str,
        heard: bool,  # noqa: FBT001
    ) -> None:
        bilan = data.draw(st.sampled_from(self.standing("depose", "recevable")))
        self.ask(bi.juger_recevable, commande(bi.JugerRecevable), bilan.bilan_id)
        csf_id = self.fresh()
        asked = commande(sf.OuvrirCsf, bilan_id=bilan.bilan_id)
        if not self.ask(sf.ouvrir_csf, asked, csf_id, "gestionnaire-1"):
            return
        decided = {d: self._decide(d, csf_id, rejected=rejected) for d in bilan.depenses}
        ressources = [
            {
                "type": r.type,
                "financeur": r.financeur,
                "montant_declare": euros_of(r.montant_centimes),
                "montant_retenu": euros_of(r.montant_centimes * kept // 100),
            }
            for r in bilan.ressources
        ]
        self.ask(
            cs.controler_ressources,
            commande(cs.ControlerRessources, ressources=ressources),
            csf_id,
            "gestionnaire-1",
        )
        correction = commande(cs.CorrigerMarche, taux_pct=taux)
        marche = (csf_id, list(decided.values()), "gestionnaire-1")
        self.ask(cs.corriger_marche, correction, *marche)
        if heard:
            self.ask(va.notifier_conclusions, commande(va.NotifierConclusions), csf_id, decided)
            self.ask(va.recevoir_observations, commande(va.RecevoirObservations), csf_id)
            ended = commande(va.NotifierConclusionsFinales)
            self.ask(va.notifier_conclusions_finales, ended, csf_id)
        before = self.state.fse_du
        who = ("valideur-1", decided, self.operation)
        done = self.ask(va.valider_csf, commande(va.ValiderCsf), csf_id, *who)
        if done and not heard:
            assert self.state.fse_du >= before or bilan.csf is None

    def _decide(self, depense_id: UUID, csf_id: UUID, *, rejected: bool) -> Depense:
        before = self.depenses[depense_id]
        ecarte = before.montant // 3 if rejected else 0
        return msgspec.structs.replace(
            before,
            statut="controlee",
            csf_id=csf_id,
            ecarte=ecarte,
            retenu=before.montant - ecarte,
        )

    @precondition(lambda self: self.standing("controle"))
    @rule(data=st.data())
    def reopen(self, data: st.DataObject) -> None:
        bilan = data.draw(st.sampled_from(self.standing("controle")))
        assert bilan.csf is not None
        self.ask(sf.rouvrir_csf, commande(sf.RouvrirCsf), bilan.csf.csf_id, self.operation)

    def order(self, kind: str, montant: int, csf_id: UUID | None) -> None:
        asked = commande(pa.PreparerPaiement, type=kind, montant=euros_of(montant), csf_id=csf_id)
        if self.ask(pa.preparer, asked, self.fresh(), self.operation, "comptable-1"):
            ceiling = max(self.state.fse_du, pa.plafond_avance(self.state))
            assert self.state.engage <= ceiling

    @rule(near=CLOSE)
    def advance(self, near: int) -> None:
        self.order("avance", pa.plafond_avance(self.state) + near, None)

    @precondition(lambda self: self.standing("controle", "depose", "recevable", "en_controle"))
    @rule(data=st.data(), near=CLOSE, part=st.sampled_from([1, 1, 2]))
    def pay(self, data: st.DataObject, near: int, part: int) -> None:
        standing = self.standing("controle", "depose", "recevable", "en_controle")
        bilan = data.draw(st.sampled_from(standing))
        kind = "solde" if bilan.type == "final" else "acompte"
        reste = (self.state.fse_du - self.state.engage) // part
        self.order(kind, reste + near, bilan.csf.csf_id if bilan.csf else None)

    @precondition(lambda self: self.state.paiements)
    @rule(data=st.data(), act=st.sampled_from(["order", "order", "send", "send", "reject"]))
    def bank(self, data: st.DataObject, act: str) -> None:
        self.bank_does(act, data.draw(st.sampled_from(sorted(self.state.paiements))))

    def bank_does(self, act: str, paiement_id: UUID) -> None:
        if act == "order":
            who = (self.operation, "ordonnateur-1")
            self.ask(pa.ordonnancer, commande(pa.OrdonnancerPaiement), paiement_id, *who)
        elif act == "send":
            self.ask(pa.effectuer, commande(pa.EffectuerPaiement), paiement_id, "comptable-1")
        else:
            self.ask(pa.rejeter, commande(pa.RejeterPaiement), paiement_id)

    @precondition(lambda self: self.state.paye > self.state.fse_du)
    @rule(near=CLOSE)
    def claim(self, near: int) -> None:
        indu = self.state.paye - self.state.a_encaisser - self.state.fse_du
        asked = commande(re.EmettreOrdreReversement, montant=euros_of(indu + near))
        self.ask(re.emettre_ordre, asked, self.fresh(), self.operation, "comptable-1")

    @precondition(lambda self: self.state.ordres)
    @rule(data=st.data(), near=CLOSE)
    def cash(self, data: st.DataObject, near: int) -> None:
        ordre_id = data.draw(st.sampled_from(sorted(self.state.ordres)))
        ordre = self.state.ordres[ordre_id]
        asked = commande(re.EncaisserReversement, montant=euros_of(ordre.reste + near))
        self.ask(re.encaisser, asked, ordre_id)

    @rule(fse=st.integers(1, 8_000_00))
    def ask_avenant(self, fse: int) -> None:
        asked = commande(
            av.DemanderAvenant,
            numero=self.state.avenants + 1,
            plan=saisie_du_plan(_plan(fse)),
        )
        self.ask(av.demander_avenant, asked, self.operation)

    @precondition(lambda self: self.state.avenant_en_cours)
    @rule(act=st.sampled_from(["programme", "sign", "sign", "give up"]))
    def move_avenant(self, act: str) -> None:
        assert self.state.avenant_en_cours is not None
        numero = self.state.avenant_en_cours.numero
        if act == "programme":
            self.ask(av.programmer_avenant, commande(av.ProgrammerAvenant, numero=numero))
        elif act == "sign":
            self.ask(av.signer_avenant, commande(av.SignerAvenant, numero=numero))
        else:
            self.ask(av.abandonner_avenant, commande(av.AbandonnerAvenant, numero=numero))

    @precondition(lambda self: self.rank > 104)
    @rule()
    def interrupt(self) -> None:
        self.operation = operation("abandonne")

    @precondition(lambda self: self.state.fse_du != self.state.fse_certifie)
    @rule(near=CLOSE)
    def certify(self, near: int) -> None:
        fse = self.state.fse_du - self.state.fse_transmis + near
        asked = commande(ce.TransmettreEtat, fse=euros_of(fse), cout_total="0.00")
        self.ask(ce.transmettre, asked)
        seen = self.state.fse_transmis - self.state.fse_certifie + near
        asked_too = commande(ce.EnregistrerCertification, fse=euros_of(seen), cout_total="0.00")
        self.ask(ce.certifier, asked_too)

    @rule()
    def settle(self) -> None:
        try:
            pa.exiger_regle(self.state, self.operation)
        except Refusal:
            return
        assert self.state.paye == self.state.engage == self.state.fse_du
        assert self.state.a_encaisser == 0

    @invariant()
    def money_paid_is_neither_negative_nor_above_the_convention(self) -> None:
        assert 0 <= self.state.paye <= self.state.engage <= self.state.fse_max

    @invariant()
    def periods_add_up_to_what_is_due_since_the_start(self) -> None:
        valides = [f for f in self.facts if isinstance(f, CsfValide)]
        assert self.state.fse_du == sum(f.fse_du_periode_centimes for f in valides)
        retenu = sum(f.cout_total_retenu_periode_centimes for f in valides)
        assert self.state.cout_total_retenu == retenu
        for fact in valides[-1:]:
            assert fact.entrees is not None
            assert service_fait(fact.entrees.conditions, fact.entrees.bilans) == fact.resultat
            assert fact.fse_du_cumule_centimes == self.state.fse_du

    @invariant()
    def what_is_claimed_back_was_paid(self) -> None:
        assert 0 <= self.state.a_encaisser <= self.state.paye

    @invariant()
    def what_is_due_and_declared_stays_under_the_convention(self) -> None:
        assert 0 <= self.state.fse_du <= self.state.fse_max
        assert 0 <= self.state.fse_declare <= self.state.fse_max
        assert 0 <= self.state.fse_certifie <= self.state.fse_transmis


def _plan(fse: int) -> Any:
    """Return a plan at 50 % of the Fund, to the cent."""
    euro = euros_of(fse).replace(".", ",")
    return plan(euro, ressource("privee", euro), personnel=euros_of(2 * fse).replace(".", ","))


class Subventions(Machine):
    """A grant of 10 000,00 € shared, moved and held."""

    aggregate = SUBVENTION_GLOBALE
    state: SubventionGlobale
    cells = (CELLULE, CELLULE_B, CELLULE_RESERVE)

    @initialize()
    def begin(self) -> None:
        self.state = msgspec.structs.replace(subvention(SUBVENTION), fse_total=10_000_00)
        self.rank = 100
        self.where: dict[UUID, Any] = {}
        self.open_line(3_000_00, "OS1")
        for plie in ("A", "B"):
            self.allocate(1_000_00, 0, plie, whole=False)

    @rule(fse=SMALL, os=st.sampled_from(["OS1", "OS2"]))
    def open_line(self, fse: int, os: str) -> None:
        line = LIGNE_SAISIE | {
            "objectif_specifique": os,
            "fse": euros_of(fse),
            "contreparties_publiques": "0.00",
            "contreparties_privees": "0.00",
        }
        self.ask(maquette.ouvrir_tranche, commande(maquette.OuvrirTranche, lignes=[line]))

    @rule(fse=SMALL, near=CLOSE, plie=st.sampled_from(["A", "B"]), whole=st.booleans())
    def allocate(self, fse: int, near: int, plie: str, whole: bool) -> None:  # noqa: FBT001
        left = self.state.tranches.get(LIGNE, 0) - self.state.reparti(LIGNE)
        fse = left + near if whole else fse
        amounts = {"fse": euros_of(fse), "cout_total": euros_of(fse)}
        asked = commande(maquette.NotifierEnveloppePlie, plie_id=plie, **amounts)
        self.ask(maquette.notifier_enveloppe, asked)

    @rule(fse=SMALL)
    def set_aside(self, fse: int) -> None:
        asked = commande(maquette.ConstituerReserve, fse=euros_of(fse), cout_total=euros_of(fse))
        self.ask(maquette.constituer_reserve, asked)

    @rule(
        de=st.sampled_from(["A", "B", "reserve"]),
        vers=st.sampled_from(["A", "B", "reserve"]),
        near=CLOSE,
        part=st.sampled_from([1, 2]),
    )
    def transfer(self, de: str, vers: str, near: int, part: int) -> None:
        before = self.state.reparti(LIGNE)
        cell = CELLULE_RESERVE if de == "reserve" else CELLULE if de == "A" else CELLULE_B
        fse = self.state.disponible(cell) // part + near
        asked = commande(
            maquette.DeciderTransfert,
            de={"ligne": LIGNE_SAISIE, "plie_id": de},
            vers={"ligne": LIGNE_SAISIE, "plie_id": vers},
            fse=euros_of(fse),
            cout_total=euros_of(fse),
        )
        self.ask(maquette.transferer, asked)
        assert self.state.reparti(LIGNE) == before

    @rule(cell=st.sampled_from(cells[:2]), near=CLOSE, part=st.sampled_from([1, 2, 3]))
    def hold(self, cell: Any, near: int, part: int) -> None:
        self.rank += 1
        operation_id = UUID(int=self.rank)
        self.where[operation_id] = cell
        self.ask(
            reservations.reserver,
            operation_id=operation_id,
            cellule=cell,
            fse_centimes=max(0, self.state.disponible(cell) // part + near),
            date_effet=date(2022, 1, 20),
        )

    @precondition(lambda self: any(self.state.operations.values()))
    @rule(data=st.data(), part=st.sampled_from([1, 2]))
    def free(self, data: st.DataObject, part: int) -> None:
        held = {i: m for i, m in self.state.operations.items() if m}
        operation_id = data.draw(st.sampled_from(sorted(held)))
        amount = held[operation_id] // part
        self.ask(
            reservations.liberer,
            operation_id=operation_id,
            cellule=self.where[operation_id],
            fse_centimes=amount,
            date_effet=date(2022, 1, 20),
            motif="Reliquat",
        )

    @rule(fse=st.integers(2_500_00, 12_000_00))
    def amend(self, fse: int) -> None:
        asked = commande(
            conventionnement.SignerAvenantSubventionGlobale,
            numero_avenant=self.state.avenants + 1,
            fse_total=euros_of(fse),
        )
        self.ask(conventionnement.signer_avenant, asked)

    @invariant()
    def a_line_is_never_shared_beyond_itself(self) -> None:
        for ligne, ouvert in self.state.tranches.items():
            assert self.state.reparti(ligne) <= ouvert

    @invariant()
    def tranches_stay_within_the_grant(self) -> None:
        assert sum(self.state.tranches.values()) <= self.state.fse_total

    @invariant()
    def a_cell_never_promises_more_than_it_has(self) -> None:
        for cell in self.cells:
            held, given = self.state.programme.get(cell, 0), self.state.alloue.get(cell, 0)
            assert 0 <= held <= given

    @invariant()
    def what_cells_hold_is_what_operations_hold(self) -> None:
        assert sum(self.state.programme.values()) == sum(self.state.operations.values())


class Operations(Machine):
    """A dossier on which acts are tried at random, all its life."""

    aggregate = OPERATION
    state: Operation

    @initialize(statut=st.sampled_from(STATUTS))
    def begin(self, statut: Statut) -> None:
        self.state = operation(statut)

    @rule(data=st.data(), wild=st.sampled_from([False, False, True]))
    def act(self, data: st.DataObject, wild: bool) -> None:  # noqa: FBT001
        suggested = [a for a in sorted(ACTES) if expected(a, self.state.statut)]
        acts = sorted(ACTES) if wild or not suggested else suggested
        acte = data.draw(st.sampled_from(acts))
        decision, args, named = ACTES[acte]
        before = self.state.statut
        if acte.startswith("rapport") and not self.state.plan_instruit:
            return  # Refused for another reason than the order.
        accepted = self.ask(decision, *args, **named)
        arrival = expected(acte, before)
        assert accepted == (arrival is not None)
        assert self.state.statut == (arrival or before)

    @invariant()
    def money_is_programmed_from_the_committee_on(self) -> None:
        if self.state.statut in {"depose", "recevable", "refuse", "retire", "deprogramme"}:
            assert self.state.fse_programme == 0
        if self.state.conventionnee or self.state.statut == "programme":
            assert self.state.fse_programme == self.state.plan.fse_centimes


def run(machine: type[Machine], examples: int, steps: int = 40) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, database=None
        ),
    )


def test_a_convention_never_pays_too_much_nor_less_than_nothing() -> None:
    run(Conventions, 250, 50)


def test_a_grant_is_never_promised_twice() -> None:
    run(Subventions, 60)


def test_an_operation_only_goes_along_its_table() -> None:
    run(Operations, 60, 60)
