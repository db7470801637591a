"""The clocks of payment: no convention on which one runs is left out before it is followed."""

from datetime import date, timedelta
from random import Random
from uuid import UUID

import pytest
from fabrique import fait, signee

from aggregates.convention import events as ce
from aggregates.convention.state import CONVENTION
from oi_service.application import Acte, Service
from oi_service.codec import Evenement
from oi_service.ids import convention_of, new_id
from projections.horloges import _a_suivre, _en_cours

DEBUT, JOURS = date(2022, 1, 1), 24
CONVENTIONS = 250
#: Few amounts, so that what is sent often comes to what is due exactly.
MONTANTS = (0, 1_000, 2_000, 3_000, 5_000)


class _Vie:
    """Facts as they could be told of a convention; days need not follow the order of the facts."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.faits: list[Evenement] = [
            signee(
                imputation_avance=dice.choice(["immediate", "immediate", "sur_solde"]),
                plafond_avant_solde_pct=dice.choice([None, 80]),
            )
        ]
        self._jour = 0
        self._bilans: list[UUID] = []
        self._controles: list[UUID] = []
        self._envoyes: list[UUID] = []

    def vivre(self, tours: int) -> list[Evenement]:
        actes = (
            *(self._deposer, self._controler, self._controler, self._payer, self._payer),
            *(self._compenser, self._compenser, self._renvoyer, self._rouvrir, self._rejeter),
            *(self._encaisser, self._clore),
        )
        for _ in range(tours):
            self.dice.choice(actes)()
        return self.faits

    def _ajouter(self, kind: type[Evenement], **champs: object) -> None:
        self._jour = min(JOURS - 1, self._jour + self.dice.choice((0, 0, 1, 2)))
        jour = self._jour if self.dice.random() < 0.8 else self.dice.randrange(JOURS)
        self.faits.append(fait(kind, date_effet=DEBUT + timedelta(days=jour), **champs))

    def _montant(self) -> int:
        return self.dice.choice(MONTANTS)

    def _deposer(self) -> None:
        self._bilans.append(new_id())
        self._ajouter(
            ce.BilanDepose, bilan_id=self._bilans[-1], numero=len(self.faits), type=self._type()
        )

    def _type(self) -> str:
        return self.dice.choice(("intermediaire", "final"))

    def _controler(self) -> None:
        if self._bilans:
            bilan_id = self._bilans.pop(self.dice.randrange(len(self._bilans)))
            csf_id = new_id()
            self._controles.append(bilan_id)
            self._ajouter(ce.CsfOuvert, bilan_id=bilan_id, csf_id=csf_id)
            self._ajouter(
                ce.CsfValide,
                bilan_id=bilan_id,
                csf_id=csf_id,
                type=self._type(),
                fse_du_cumule_centimes=self._montant(),
            )

    def _rouvrir(self) -> None:
        if self._controles:
            self._bilans.append(self._controles.pop())
            self._controler()

    def _renvoyer(self) -> None:
        if self._bilans:
            bilan_id = self._bilans.pop()
            self._ajouter(ce.BilanRenvoye, bilan_id=bilan_id)

    def _ordonner(self) -> tuple[UUID, dict[str, object]]:
        paiement_id = new_id()
        dit = {"type": self.dice.choice(("avance", "acompte")), "montant_centimes": self._montant()}
        self._ajouter(ce.PaiementOrdonnance, paiement_id=paiement_id, **dit)
        return paiement_id, dit

    def _payer(self) -> None:
        paiement_id, dit = self._ordonner()
        self._ajouter(ce.PaiementEffectue, paiement_id=paiement_id, **dit)
        self._envoyes.append(paiement_id)

    def _compenser(self) -> None:
        """A part of what is ordered settles a debt elsewhere, the rest is sent, or nothing is."""
        paiement_id, dit = self._ordonner()
        part = self.dice.choice(MONTANTS)
        self._ajouter(ce.CompensationImputee, paiement_id=paiement_id, montant_centimes=part)
        if self.dice.random() < 0.5:
            dit["montant_centimes"] = part + self._montant()
            self.faits[-2] = fait(
                ce.PaiementOrdonnance,
                date_effet=self.faits[-2].date_effet,
                paiement_id=paiement_id,
                **dit,
            )
            self._ajouter(
                ce.PaiementEffectue, paiement_id=paiement_id, compense_centimes=part, **dit
            )

    def _rejeter(self) -> None:
        if self._envoyes:
            paiement_id = self._envoyes.pop(self.dice.randrange(len(self._envoyes)))
            parti = next(
                f
                for f in self.faits
                if isinstance(f, ce.PaiementEffectue) and f.paiement_id == paiement_id
            )
            self._ajouter(
                ce.PaiementRejete,
                paiement_id=paiement_id,
                montant_centimes=parti.montant_centimes - parti.compense_centimes,
            )

    def _encaisser(self) -> None:
        ordre_id, montant = new_id(), self._montant()
        self._ajouter(ce.OrdreReversementEmis, ordre_id=ordre_id, montant_centimes=montant)
        kind = self.dice.choice((ce.ReversementEncaisse, ce.CompensationOperee))
        self._ajouter(kind, ordre_id=ordre_id, montant_centimes=montant)

    def _clore(self) -> None:
        if self.dice.random() < 0.2:
            self._ajouter(ce.ClotureOfficePrononcee, fse_du_apres_centimes=self._montant())


@pytest.fixture
def histoires(service: Service) -> dict[UUID, list[Evenement]]:
    """Record the facts of many conventions."""
    dice = Random(20)  # noqa: S311 - lives to replay, not a secret
    faits = {convention_of(new_id()): _Vie(dice).vivre(12) for _ in range(CONVENTIONS)}
    for convention_id, siens in faits.items():
        service.journal.execute(
            Acte("gestionnaire-1", "gestionnaire_oi"),
            lambda unit, i=convention_id, f=siens: unit.record(CONVENTION, i, f),
        )
    return faits


def test_every_clock_that_runs_is_followed(
    service: Service, histoires: dict[UUID, list[Evenement]]
) -> None:
    suivies = courent = 0
    for rang in range(JOURS):
        le = DEBUT + timedelta(days=rang)
        vraies = {i for i, faits in histoires.items() if any(_en_cours(faits, le))}
        with service.reads.connection() as conn:
            trouvees = set(_a_suivre(conn, list(histoires), le))
        assert vraies <= trouvees, le
        courent += len(vraies)
        suivies += len(trouvees)
    # Clocks of both kinds are there, and few conventions are followed for nothing.
    assert 0.1 * CONVENTIONS * JOURS < courent < 0.9 * CONVENTIONS * JOURS
    assert suivies < 1.3 * courent


def test_a_payment_that_comes_back_is_due_again_for_what_the_last_control_owes() -> None:
    """Paid, owed less by a second control, then rejected by the bank: the lesser due ends it."""
    bilan = {"bilan_id": new_id(), "type": "intermediaire", "numero": 1}
    premier, second = ({"paiement_id": new_id(), "type": "acompte"} for _ in range(2))

    def controle(du: int) -> list[Evenement]:
        csf_id = new_id()
        return [
            fait(ce.CsfOuvert, bilan_id=bilan["bilan_id"], csf_id=csf_id),
            fait(
                ce.CsfValide,
                bilan_id=bilan["bilan_id"],
                csf_id=csf_id,
                type="intermediaire",
                fse_du_cumule_centimes=du,
            ),
        ]

    def paye(paiement: dict[str, object], centimes: int) -> list[Evenement]:
        montant = {"montant_centimes": centimes}
        return [
            fait(ce.PaiementOrdonnance, **paiement, **montant),
            fait(ce.PaiementEffectue, **paiement, **montant),
        ]

    rejet = fait(ce.PaiementRejete, paiement_id=premier["paiement_id"], montant_centimes=1_000)
    faits = [
        signee(imputation_avance="immediate", plafond_avant_solde_pct=None),
        fait(ce.BilanDepose, **bilan),
        *controle(1_000),
        *paye(premier, 1_000),
        *controle(800),
        rejet,
    ]
    le = max(f.date_effet for f in faits)
    assert [*_en_cours(faits, le)], "the bank gave it back: it waits again"
    assert not [*_en_cours([*faits, *paye(second, 800)], le)]
