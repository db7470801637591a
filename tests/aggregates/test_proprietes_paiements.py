"""Money follows what is due whatever is asked, in whatever order; and no life gets stuck."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import hypothesis.strategies as st
from fabrique import NOTIFIEE, commande, convention, fait, operation, plan, signee
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from aggregates.convention import events as ev
from aggregates.convention import paiements as pa
from aggregates.convention import reversements as re
from aggregates.convention.state import CONVENTION, Convention, Ordre, Paiement
from oi_service.codec import Evenement
from oi_service.errors import Refusal
from oi_service.money import euros

FSE_MAX = 5_000_00
CLOSE = st.sampled_from([0, 0, 0, 0, -1, 1])
WILD = st.sampled_from([False, False, False, True])
PART = st.sampled_from([1, 1, 2, 3])
OFTEN = st.sampled_from([True] * 7 + [False])
AILLEURS, CET_ORDRE = UUID(int=900), UUID(int=901)

#: What a fact adds to what the beneficiary has.
MOUVEMENTS: dict[type[Evenement], Any] = {
    ev.PaiementEffectue: lambda f: f.montant_centimes - f.compense_centimes,
    ev.CompensationImputee: lambda f: f.montant_centimes,
    ev.PaiementRejete: lambda f: -f.montant_centimes,
    ev.ReversementEncaisse: lambda f: -f.montant_centimes,
    ev.CompensationOperee: lambda f: -f.montant_centimes,
}


class Argent(RuleBasedStateMachine):
    """One convention of 5 000,00 € of the Fund, with an intermediate and a final bilan."""

    @initialize(
        pct=st.sampled_from(["0", "30", "100"]),
        avant=st.sampled_from([None, "60"]),
        imputation=st.sampled_from(["immediate", "sur_solde"]),
        trop_percu=st.booleans(),
    )
    def begin(self, pct: str, avant: str | None, imputation: str, trop_percu: bool) -> None:  # noqa: FBT001
        signed = signee(
            plan("5 000,00", personnel=100_000),
            avance_pct=Decimal(pct),
            plafond_avant_solde_pct=None if avant is None else Decimal(avant),
            imputation_avance=imputation,
        )
        self.state: Convention = convention([signed, *NOTIFIEE[1:]])
        self.operation = operation("en_execution")
        self.rank = 100
        self.compte = 0
        if trop_percu and pct != "0":
            self.overpay()

    def overpay(self) -> None:
        """Begin late: an avance was paid, less is due, some of it came back."""
        self.order("avance", pa.plafond_avance(self.state), None, None)
        [paiement_id] = self.state.paiements
        self.must(*self.act("ordonnancer", paiement_id))
        self.must(*self.act("effectuer", paiement_id))
        self.control(final=True, du=500_00)
        assert self.emit(self.state.paye - 500_00)
        [ordre_id] = self.state.ordres
        self.must(re.encaisser, commande(re.EncaisserReversement, montant="100.00"), ordre_id)

    def fresh(self) -> UUID:
        self.rank += 1
        return UUID(int=self.rank)

    def apply(self, facts: list[Any]) -> None:
        for fact in facts:
            self.state = CONVENTION.evolve(self.state, fact)
            if type(fact) in MOUVEMENTS:
                self.compte += MOUVEMENTS[type(fact)](fact)

    def ask(self, decision: Any, *args: Any) -> bool:
        """Take a decision; tell whether it was accepted."""
        try:
            self.apply(decision(self.state, *args))
        except Refusal:
            return False
        return True

    def must(self, decision: Any, *args: Any) -> None:
        self.apply(decision(self.state, *args))

    # What is due.

    @rule(final=st.booleans(), du=st.integers(0, FSE_MAX), often=OFTEN)
    def control_sometimes(self, final: bool, du: int, often: bool) -> None:  # noqa: FBT001
        if not (often and self.state.bilans):
            self.control(final=final, du=du)

    def control(self, *, final: bool, du: int) -> None:
        """Validate a control, of a bilan filed just now or opened again."""
        kind = "final" if final else "intermediaire"
        bilan_id = UUID(int=31 if final else 30)
        known = self.state.bilans.get(bilan_id)
        csf_id = self.fresh()
        if known is None:
            self.apply(
                [fait(ev.BilanDepose, bilan_id=bilan_id, type=kind, numero=2 if final else 1)]
            )
        else:
            assert known.csf is not None
            self.apply([fait(ev.CsfRouvert, csf_id=known.csf.csf_id, bilan_id=bilan_id)])
        self.apply(
            [
                fait(ev.CsfOuvert, csf_id=csf_id, bilan_id=bilan_id),
                fait(
                    ev.CsfValide,
                    csf_id=csf_id,
                    bilan_id=bilan_id,
                    type=kind,
                    fse_du_cumule_centimes=du,
                ),
            ]
        )

    @precondition(lambda self: self.rank > 106)
    @rule(often=OFTEN)
    def interrupt(self, often: bool) -> None:  # noqa: FBT001
        if not often:
            self.operation = operation("abandonne")

    # What is paid.

    def act(self, what: str, paiement_id: UUID) -> tuple[Any, ...]:
        """Return a decision on a payment and what it takes, by whoever may take it."""
        acts: dict[str, tuple[Any, Any, tuple[Any, ...]]] = {
            "ordonnancer": (
                pa.ordonnancer,
                pa.OrdonnancerPaiement,
                (self.operation, "ordonnateur-1"),
            ),
            "effectuer": (pa.effectuer, pa.EffectuerPaiement, ("comptable-1",)),
            "annuler": (pa.annuler, pa.AnnulerPaiement, ()),
            "rejeter": (pa.rejeter, pa.RejeterPaiement, ()),
            "acquitter": (pa.acquitter, pa.AcquitterPaiement, ()),
        }
        decision, kind, more = acts[what]
        return (decision, commande(kind), paiement_id, *more)

    def order(self, kind: str, montant: int, csf_id: UUID | None, remplace: UUID | None) -> None:
        asked = commande(
            pa.PreparerPaiement,
            type=kind,
            montant=euros(max(0, montant)),
            csf_id=csf_id,
            remplace=remplace,
        )
        if not self.ask(pa.preparer, asked, self.fresh(), self.operation, "comptable-1"):
            return
        self.check_due(kind)

    def check_due(self, kind: str) -> None:
        """A payment that was accepted stays within what is due, or within the avance."""
        if kind == "avance":
            assert self.state.engage <= pa.plafond_avance(self.state)
            return
        avances = sum(p.montant for p in self.state.paiements.values() if p.type == "avance")
        sur_solde = self.state.parametres.imputation_avance == "sur_solde" and kind == "acompte"
        assert self.state.engage <= self.state.fse_du + (avances if sur_solde else 0)

    @precondition(lambda self: not self.state.paiements)
    @rule(near=CLOSE, part=PART)
    def advance(self, near: int, part: int) -> None:
        self.order("avance", pa.plafond_avance(self.state) // part + near, None, None)

    @precondition(lambda self: self.state.bilans)
    @rule(data=st.data(), near=CLOSE, part=PART)
    def pay(self, data: st.DataObject, near: int, part: int) -> None:
        bilan = data.draw(st.sampled_from(list(self.state.bilans.values())))
        kind = "solde" if bilan.type == "final" else "acompte"
        final = kind == "solde" or self.operation.statut == "abandonne"
        reste = pa.reste_a_regler(self.state, self.state.engage, final=final).a_payer_centimes
        assert bilan.csf is not None
        self.order(kind, reste // part + near, bilan.csf.csf_id, None)

    @precondition(lambda self: self.state.paiements)
    @rule(data=st.data(), near=CLOSE)
    def pay_again(self, data: st.DataObject, near: int) -> None:
        rejected = [i for i, p in self.state.paiements.items() if p.statut == "rejete"]
        ancien_id = data.draw(st.sampled_from(sorted(rejected or self.state.paiements)))
        ancien = self.state.paiements[ancien_id]
        bilan = self.state.bilan_du_csf(ancien.csf_id) if ancien.csf_id else None
        csf_id = None if bilan is None or bilan.csf is None else bilan.csf.csf_id
        self.order(ancien.type, ancien.montant - ancien.compense + near, csf_id, ancien_id)

    @precondition(lambda self: self.state.paiements)
    @rule(data=st.data(), wild=WILD)
    def bank(self, data: st.DataObject, wild: bool) -> None:  # noqa: FBT001
        acts = {
            "prepare": ["ordonnancer", "ordonnancer", "annuler"],
            "ordonnance": ["effectuer", "annuler"],
            "effectue": ["rejeter", "acquitter"],
        }
        paiement_id = data.draw(st.sampled_from(sorted(self.state.paiements)))
        every = [act for some in acts.values() for act in some]
        likely = acts.get(self.state.paiements[paiement_id].statut, every)
        what = data.draw(st.sampled_from(every if wild else likely))
        if self.ask(*self.act(what, paiement_id)) and what == "ordonnancer":
            # What was prepared may have ceased to be due: then it is not ordered.
            self.check_due(self.state.paiements[paiement_id].type)

    @precondition(lambda self: self.state.paiements)
    @rule(data=st.data(), near=CLOSE, part=PART)
    def settle_elsewhere(self, data: st.DataObject, near: int, part: int) -> None:
        ordered = [i for i, p in self.state.paiements.items() if p.statut == "ordonnance"]
        paiement_id = data.draw(st.sampled_from(sorted(ordered or self.state.paiements)))
        paiement = self.state.paiements[paiement_id]
        montant = (paiement.montant - paiement.compense) // part + near
        if montant > 0:
            asked = self.compensation(montant, paiement_id)
            where = (operation(), AILLEURS, CET_ORDRE, "comptable-1")
            self.ask(pa.imputer_compensation, asked, *where)

    @staticmethod
    def compensation(montant: int, paiement_id: UUID) -> pa.CompenserOrdre:
        return pa.CompenserOrdre(
            date_effet="2021-12-15",
            montant=euros(montant),
            par_operation_id=AILLEURS,
            par_paiement_id=paiement_id,
        )

    # What is asked back.

    @precondition(lambda self: self.state.paye > self.state.fse_du)
    @rule(near=CLOSE, part=PART)
    def claim(self, near: int, part: int) -> None:
        owed = self.state.paye - self.state.perdu - self.state.a_encaisser - self.state.fse_du
        self.emit(max(0, owed) // part + near)

    def emit(self, montant: int) -> bool:
        asked = commande(re.EmettreOrdreReversement, montant=euros(max(0, montant)))
        if not self.ask(re.emettre_ordre, asked, self.fresh(), self.operation, "comptable-1"):
            return False
        owed = self.state.paye - self.state.perdu - self.state.fse_du
        assert self.state.a_encaisser <= owed
        return True

    @precondition(lambda self: self.state.ordres)
    @rule(data=st.data(), wild=WILD)
    def word(self, data: st.DataObject, wild: bool) -> None:  # noqa: FBT001
        acts = {
            "emis": [(re.notifier, re.NotifierOrdre)],
            "notifie": [(re.contester, re.ContesterOrdre), (re.annuler, re.AnnulerOrdre)],
            "conteste": [(re.trancher, re.TrancherContestation), (re.annuler, re.AnnulerOrdre)],
        }
        ordre_id = data.draw(st.sampled_from(sorted(self.state.ordres)))
        every = [act for some in acts.values() for act in some]
        likely = acts.get(self.state.ordres[ordre_id].statut, every)
        decision, kind = data.draw(st.sampled_from(every if wild else likely))
        self.ask(decision, commande(kind), ordre_id)

    @precondition(lambda self: self.state.ordres)
    @rule(
        data=st.data(),
        near=CLOSE,
        part=PART,
        act=st.sampled_from(["cash", "cash", "compensate", "lose", "restore"]),
    )
    def money(self, data: st.DataObject, near: int, part: int, act: str) -> None:
        ordre_id = data.draw(st.sampled_from(sorted(self.state.ordres)))
        ordre = self.state.ordres[ordre_id]
        whole = ordre.perdu if act == "restore" else ordre.reste
        montant = max(0, whole // part + near)
        if act == "compensate":
            asked: Any = self.compensation(montant, UUID(int=902))
            self.ask(re.compenser, asked, ordre_id, self.operation, self.operation)
        elif act == "cash":
            asked = commande(re.EncaisserReversement, montant=euros(montant))
            self.ask(re.encaisser, asked, ordre_id)
        elif act == "lose":
            asked = commande(re.DeclarerIrrecouvrable, montant=euros(montant), decision_ref="D-1")
            self.ask(re.declarer_irrecouvrable, asked, ordre_id, "ordonnateur-1")
        else:
            asked = commande(re.RetablirCreance, montant=euros(montant))
            self.ask(re.retablir, asked, ordre_id)

    @rule()
    def settle(self) -> None:
        try:
            pa.exiger_regle(self.state, self.operation)
        except Refusal:
            return
        assert self.state.paye - self.state.perdu == self.state.fse_du
        assert self.state.engage == self.state.paye
        assert self.state.a_encaisser == 0

    @invariant()
    def money_paid_is_neither_negative_nor_above_the_convention(self) -> None:
        assert 0 <= self.state.paye <= self.state.engage <= FSE_MAX

    @invariant()
    def what_is_claimed_or_lost_was_paid(self) -> None:
        assert 0 <= self.state.a_encaisser + self.state.perdu <= self.state.paye
        for ordre in self.state.ordres.values():
            assert min(ordre.reste, ordre.rentre, ordre.perdu) >= 0

    @invariant()
    def the_ledger_says_what_the_decisions_say(self) -> None:
        assert self.state.paye == self.compte

    def teardown(self) -> None:
        """Whatever happened, ordinary acts settle the operation."""
        if not hasattr(self, "state"):
            return
        final = self.state.bilan_final
        if final is None:
            self.control(final=True, du=self.state.fse_du)
        for paiement_id, paiement in self.state.paiements.items():
            self._end_payment(paiement_id, paiement)
        for ordre_id, ordre in self.state.ordres.items():
            self._end_order(ordre_id, ordre)
        owed = self.state.paye - self.state.perdu - self.state.a_encaisser - self.state.fse_du
        if owed > 0:
            assert self.emit(owed)
        for ordre_id, ordre in self.state.ordres.items():
            if ordre.reste:
                asked = commande(re.EncaisserReversement, montant=euros(ordre.reste))
                self.must(re.encaisser, asked, ordre_id)
        self._pay_the_rest()
        pa.exiger_regle(self.state, self.operation)
        pa.exiger_acquittes(self.state)

    def _end_payment(self, paiement_id: UUID, paiement: Paiement) -> None:
        if paiement.statut in {"prepare", "ordonnance"} and paiement.compense < paiement.montant:
            self.must(pa.annuler, commande(pa.AnnulerPaiement), paiement_id)
        elif paiement.statut == "effectue":
            self.must(pa.acquitter, commande(pa.AcquitterPaiement), paiement_id)

    def _end_order(self, ordre_id: UUID, ordre: Ordre) -> None:
        if ordre.statut == "conteste":
            self.must(re.trancher, commande(re.TrancherContestation), ordre_id)
        missing = self.state.fse_du - (self.state.paye - self.state.perdu)
        if min(missing, ordre.perdu) > 0:
            back = euros(min(missing, ordre.perdu))
            self.must(re.retablir, commande(re.RetablirCreance, montant=back), ordre_id)
        owed = self.state.paye - self.state.perdu - self.state.fse_du
        if self.state.a_encaisser > owed and self.state.ordres[ordre_id].reste:
            self.must(re.annuler, commande(re.AnnulerOrdre), ordre_id)

    def _pay_the_rest(self) -> None:
        reste = self.state.fse_du - self.state.paye
        if reste <= 0:
            return
        final = self.state.bilan_final
        assert final is not None
        assert final.csf is not None
        asked = commande(
            pa.PreparerPaiement, type="solde", montant=euros(reste), csf_id=final.csf.csf_id
        )
        paiement_id = self.fresh()
        self.must(pa.preparer, asked, paiement_id, self.operation, "comptable-1")
        for what in ("ordonnancer", "effectuer", "acquitter"):
            self.must(*self.act(what, paiement_id))


def test_money_never_leaves_what_is_due_and_always_ends_there() -> None:
    run_state_machine_as_test(
        Argent,
        settings=settings(max_examples=400, stateful_step_count=60, deadline=None, database=None),
    )
