"""Properties: whatever a few persons try, in any order, no two incompatible acts are ever of one.

The machine keeps its own list of what was accepted, and judges it by rules written again here.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from fabrique import (
    BILAN_ID,
    DEPENSE_ID,
    OPERATION_ID,
    PARCOURS,
    RECEVABLE,
    commande,
    convention,
    depense,
    fait,
    saisie_du_plan,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from aggregates.convention import paiements as pa
from aggregates.convention import service_fait as sf
from aggregates.convention import validation as va
from aggregates.convention.state import CONVENTION
from aggregates.depense import controle
from aggregates.depense.state import DEPENSE
from aggregates.operation import events as oe
from aggregates.operation import instruction, programmation
from aggregates.operation.state import OPERATION
from aggregates.separation import SEPARATION
from aggregates.territoire import exiger_libre
from oi_service.aggregate import Aggregate, Touche
from oi_service.application import Acte
from oi_service.errors import Refusal
from oi_service.ids import convention_of

PERSONNES = st.sampled_from(["a", "b", "c", "d", "e"])
#: What a payment follows in these lives: one bilan, of which every version is controlled anew.
CONTROLE = ("open", "decide")
#: What each act must not follow, by the same person.
INCOMPATIBLES: dict[str, tuple[str, ...]] = {
    "report": ("plan",),
    "validate": ("plan", *CONTROLE),
    "prepare": (*CONTROLE, "validate"),
    "order": ("plan", *CONTROLE, "validate"),
    "send": (*CONTROLE, "validate"),
}
#: The same, about one payment.
DU_PAIEMENT = {"order": ("prepare",), "send": ("order",)}


class Fait(NamedTuple):
    """What was accepted; ``quoi`` is the payment that it is about."""

    acte: str
    qui: str
    le: date
    quoi: UUID | None = None


def incompatibles(avant: list[Fait], fait_: Fait) -> list[Fait]:
    """Return what the same person did before, that closes this act to them."""
    return [
        f
        for f in avant
        if f.qui == fait_.qui
        and (
            f.acte == "deport"
            or f.acte in INCOMPATIBLES.get(fait_.acte, ())
            or (f.acte in DU_PAIEMENT.get(fait_.acte, ()) and f.quoi == fait_.quoi)
        )
    ]


class Lecture:
    """Lends the only operation there is."""

    def __init__(self, etat: Any) -> None:
        self.etat = etat

    def find_all(self, aggregate: Any, stream_ids: Any, *, pinned: bool = True) -> list[Any]:
        assert aggregate is OPERATION
        assert not pinned
        return [self.etat for _ in stream_ids]


class Personnes(RuleBasedStateMachine):
    """An operation, its convention and its only dépense, in the hands of five persons."""

    @initialize()
    def begin(self) -> None:
        self.etats: dict[UUID, Any] = {
            OPERATION_ID: OPERATION.replay(PARCOURS["en_instruction"][:-1]),
            convention_of(OPERATION_ID): convention(RECEVABLE),
            DEPENSE_ID: depense(80_000),
        }
        self.journal: list[Fait] = []
        self.rang = 100
        self.jour = date(2022, 1, 1)

    @property
    def operation(self) -> Any:
        return self.etats[OPERATION_ID]

    @property
    def convention(self) -> Any:
        return self.etats[convention_of(OPERATION_ID)]

    @property
    def bilan(self) -> Any:
        return self.convention.bilans[BILAN_ID]

    def fresh(self) -> UUID:
        self.rang += 1
        return UUID(int=self.rang)

    def tente(
        self,
        fait_: tuple[str, str, UUID | None],
        aggregate: Aggregate[Any],
        stream_id: UUID,
        kind: Any,
        decide: Callable[..., list[Any]],
        **saisie: Any,
    ) -> bool:
        """Ask an act as the journal does: decide, then see what the person may not handle."""
        self.jour += timedelta(days=1)
        nouveau = Fait(fait_[0], fait_[1], self.jour, fait_[2])
        asked = commande(kind, date_effet=str(self.jour), **saisie)
        before = self.etats[stream_id]
        try:
            facts = decide(before, asked)
            after = before
            for fact in facts:
                after = aggregate.evolve(after, fact)
            lecture = Lecture(after if stream_id == OPERATION_ID else self.operation)
            exiger_libre(Acte(nouveau.qui, "x"), [Touche(stream_id, after, facts)], lecture)
        except Refusal as refus:
            self.nomme(refus, nouveau)
            return False
        self.etats[stream_id] = after
        self.journal.append(nouveau)
        return True

    def nomme(self, refus: Refusal, nouveau: Fait) -> None:
        """Who is refused did something before, on the day that the refusal says."""
        if refus.article == SEPARATION:
            le = refus.details["le"]
            assert le in {f.le for f in incompatibles(self.journal, nouveau)}, refus
            assert le.strftime("%d/%m/%Y") in str(refus)

    # The operation.

    def _operation(self, acte: str, qui: str, kind: Any, decide: Any, **saisie: Any) -> bool:
        return self.tente((acte, qui, None), OPERATION, OPERATION_ID, kind, decide, **saisie)

    @precondition(lambda self: self.operation.statut == "en_instruction")
    @rule(qui=PERSONNES)
    def plan(self, qui: str) -> None:
        self._operation(
            "plan",
            qui,
            instruction.InstruirePlan,
            lambda etat, asked: instruction.instruire_plan(etat, asked, qui),
            plan=saisie_du_plan(self.operation.plan),
        )

    @precondition(lambda self: self.operation.statut == "en_instruction")
    @rule(qui=PERSONNES)
    def report(self, qui: str) -> None:
        self._operation(
            "report",
            qui,
            instruction.ValiderRapport,
            lambda etat, asked: instruction.valider_rapport(etat, asked, qui),
        )

    @precondition(lambda self: self.operation.statut == "instruit_favorable")
    @rule(qui=PERSONNES, deporte=PERSONNES, ajourne=st.booleans())
    def committee(self, qui: str, deporte: str, ajourne: bool) -> None:  # noqa: FBT001
        kind = programmation.DeciderSansProgrammer if ajourne else programmation.Programmer
        decide: Any = programmation.ajourner if ajourne else programmation.programmer
        if qui == deporte:
            return  # Refused at once: tests/store/test_territoire.py.
        plan = saisie_du_plan(self.operation.plan)
        montants = {} if ajourne else {"fse": plan["fse"], "cout_total": "100000.00"}
        if not self._operation("committee", qui, kind, decide, deports=[deporte], **montants):
            return
        self.journal.append(Fait("deport", deporte, self.jour))
        suite = oe.InstructionRouverte if ajourne else oe.OperationDemarree
        self.etats[OPERATION_ID] = OPERATION.evolve(self.operation, fait(suite))

    # The control, once the operation has started.

    def _convention(self, acte: str, qui: str, *args: Any, **saisie: Any) -> bool:
        return self.tente(
            (acte, qui, saisie.pop("quoi", None)),
            CONVENTION,
            convention_of(OPERATION_ID),
            *args,
            **saisie,
        )

    @precondition(lambda self: self.operation.demarree_le and self.bilan.statut == "recevable")
    @rule(qui=PERSONNES)
    def open(self, qui: str) -> None:
        csf_id = self.fresh()
        self._convention(
            "open",
            qui,
            sf.OuvrirCsf,
            lambda etat, asked: sf.ouvrir_csf(etat, asked, csf_id, qui),
            bilan_id=BILAN_ID,
        )

    @precondition(lambda self: self.bilan.statut == "en_controle")
    @rule(qui=PERSONNES)
    def decide(self, qui: str) -> None:
        bilan = replace_depenses(self.bilan)
        ligne = {"depense_id": DEPENSE_ID, "montant_ecarte": "0.00"}
        self.tente(
            ("decide", qui, None),
            DEPENSE,
            DEPENSE_ID,
            controle.ControlerDepenses,
            lambda etat, asked: controle.controler(
                etat, asked, asked.lignes[0], bilan, bilan.csf, self.convention, qui
            ),
            lignes=[ligne],
        )

    @precondition(lambda self: self.bilan.statut == "en_controle")
    @rule(qui=PERSONNES)
    def validate(self, qui: str) -> None:
        csf_id = self.bilan.csf.csf_id
        lignes = {DEPENSE_ID: self.etats[DEPENSE_ID]}
        self._convention(
            "validate",
            qui,
            va.ValiderCsf,
            lambda etat, asked: va.valider_csf(etat, asked, csf_id, qui, lignes, self.operation),
        )

    @precondition(lambda self: self.bilan.statut == "controle")
    @rule(qui=PERSONNES, souvent=st.integers(0, 3))
    def reopen(self, qui: str, souvent: int) -> None:
        if souvent:
            return
        csf_id = self.bilan.csf.csf_id
        self._convention(
            "reopen",
            qui,
            sf.RouvrirCsf,
            lambda etat, asked: sf.rouvrir_csf(etat, asked, csf_id, self.operation),
        )

    # The money.

    @precondition(lambda self: self.bilan.statut == "controle")
    @rule(qui=PERSONNES)
    def prepare(self, qui: str) -> None:
        new = self.fresh()
        self._convention(
            "prepare",
            qui,
            pa.PreparerPaiement,
            lambda etat, asked: pa.preparer(etat, asked, new, self.operation, qui),
            quoi=new,
            montant="1000.00",
            csf_id=self.bilan.csf.csf_id,
        )

    @precondition(lambda self: self.convention.paiements)
    @rule(qui=PERSONNES, data=st.data(), wild=st.booleans())
    def order_or_send(self, qui: str, data: st.DataObject, wild: bool) -> None:  # noqa: FBT001
        i = data.draw(st.sampled_from(sorted(self.convention.paiements)))
        prepared = self.convention.paiements[i].statut == "prepare"
        if prepared is not wild:
            self._convention(
                "order",
                qui,
                pa.OrdonnancerPaiement,
                lambda etat, asked: pa.ordonnancer(etat, asked, i, self.operation, qui),
                quoi=i,
            )
        else:
            self._convention(
                "send",
                qui,
                pa.EffectuerPaiement,
                lambda etat, asked: pa.effectuer(etat, asked, i, qui),
                quoi=i,
            )

    @invariant()
    def no_two_acts_of_one_person_are_incompatible(self) -> None:
        for rang, fait_ in enumerate(self.journal if hasattr(self, "journal") else []):
            if fait_.acte != "deport":
                assert not incompatibles(self.journal[:rang], fait_), fait_


def replace_depenses(bilan: Any) -> Any:
    """Return the bilan with the only dépense of these lives."""
    return bilan.__class__(
        **{f: getattr(bilan, f) for f in bilan.__struct_fields__} | {"depenses": (DEPENSE_ID,)}
    )


def test_no_person_does_two_acts_that_two_persons_must_do() -> None:
    run_state_machine_as_test(
        Personnes,
        settings=settings(max_examples=150, stateful_step_count=50, deadline=None, database=None),
    )
