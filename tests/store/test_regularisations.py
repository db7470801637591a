"""A régularisation on the real database: what two streams say of it always agrees."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from fabrique import DETAIL_SAISI, PERIODE_SAISIE, commande, euros
from vie import GESTIONNAIRE, Vie

from aggregates.convention.bilans import (
    BilanRegularise,
    DeposerBilan,
    RegularisationAvantSaDepense,
)
from aggregates.depense.controle import ControlerDepenses, RegularisationRetenueEntiere
from aggregates.depense.declaration import (
    AnnulerDepense,
    CorrigerDepense,
    DeclarerDepense,
    DepenseDejaRegularisee,
    RegularisationAutreOperation,
    RegularisationExcessive,
)
from aggregates.depense.state import DEPENSE, Depense, DepenseAbsente
from api import actions
from oi_service.application import Acte, Service, Unit
from oi_service.ids import new_id
from oi_service.verification import verifier
from projections.depenses import depenses
from projections.perimetre import OI_ENTIER


class Reprises(Vie):
    """A life in which money is taken back from dépenses."""

    def declarer(self, montant: str, regularise: UUID | None = None, operation: str = "un") -> UUID:
        """Déclarer une dépense."""
        depense_id = new_id()
        detail = DETAIL_SAISI | {"montant_impute": montant, "regularise": regularise}
        asked = commande(DeclarerDepense, date_effet=date(2022, 3, 1), detail=detail)
        self.acte(actions.declarer_depense, depense_id, asked, self.id(operation))
        return depense_id

    def depense(self, depense_id: UUID) -> Depense:
        """Return the state of a dépense."""
        unit = Unit(self.journal, Acte(GESTIONNAIRE, "gestionnaire_oi"))
        return unit.get(DEPENSE, depense_id)


@pytest.fixture
def vie(service: Service) -> Reprises:
    """Lend an operation in execution."""
    played = Reprises(service)
    played.subvention()
    played.tranche("600000.00", "600000.00")
    played.enveloppe("A", "200000.00")
    played.appel()
    played.jusqu_au_demarrage("un")
    return played


def test_a_regularisation_follows_its_corrections(vie: Reprises) -> None:
    une, deux = vie.declarer("1000.00"), vie.declarer("500.00")
    reprise = vie.declarer("-300.00", une)
    assert vie.depense(une).reste == euros(700)

    detail = DETAIL_SAISI | {"montant_impute": "-400.00", "regularise": une}
    vie.acte(actions.corriger_depense, reprise, commande(CorrigerDepense, detail=detail))
    assert vie.depense(une).reste == euros(600)

    detail |= {"regularise": deux}
    vie.acte(actions.corriger_depense, reprise, commande(CorrigerDepense, detail=detail))
    assert (vie.depense(une).reste, vie.depense(deux).reste) == (euros(1_000), euros(100))

    with pytest.raises(DepenseDejaRegularisee):
        vie.acte(actions.annuler_depense, deux, commande(AnnulerDepense))
    vie.acte(actions.annuler_depense, reprise, commande(AnnulerDepense))
    assert vie.depense(deux).reste == euros(500)
    vie.acte(actions.annuler_depense, deux, commande(AnnulerDepense))


def test_what_is_refused_leaves_nothing_behind(vie: Reprises) -> None:
    une = vie.declarer("1000.00")
    with pytest.raises(RegularisationExcessive):
        vie.declarer("-1000.01", une)
    with pytest.raises(DepenseAbsente):
        vie.declarer("-1.00", new_id())
    vie.declarer("-999.99", une)
    with pytest.raises(RegularisationExcessive):
        vie.declarer("-0.02", une)
    assert vie.depense(une).reste == 1
    with vie.reads.connection() as conn:
        assert len(depenses(conn, OI_ENTIER, vie.id("un")).lignes) == 2


def test_a_regularisation_stays_in_its_operation(vie: Reprises) -> None:
    vie.jusqu_au_demarrage("deux")
    une = vie.declarer("1000.00")
    with pytest.raises(RegularisationAutreOperation):
        vie.declarer("-1.00", une, operation="deux")


def deposer(vie: Reprises, numero: int, *depenses_ids: UUID) -> None:
    """Déposer un bilan intermédiaire."""
    asked = commande(
        DeposerBilan,
        date_effet=date(2022, 4, numero),
        numero=numero,
        type="intermediaire",
        periode=PERIODE_SAISIE,
        depenses=list(depenses_ids),
        ressources=[],
    )
    vie.acte(actions.deposer_bilan, vie.id("un"), asked)


def test_a_regularisation_comes_with_its_depense_or_after_it(vie: Reprises) -> None:
    une, autre = vie.declarer("1000.00"), vie.declarer("2000.00")
    reprise = vie.declarer("-400.00", une)
    with pytest.raises(RegularisationAvantSaDepense):
        deposer(vie, 1, autre, reprise)
    deposer(vie, 1, une, autre)
    deposer(vie, 2, reprise)
    assert vie.convention("un").cout_total_declare == euros(2_600)


def test_a_bilan_stays_while_another_takes_back_from_it(vie: Reprises) -> None:
    une = vie.declarer("1000.00")
    reprise = vie.declarer("-400.00", une)
    deposer(vie, 1, une)
    deposer(vie, 2, reprise)
    with pytest.raises(BilanRegularise):
        vie.renvoi("un", 1)
    vie.renvoi("un", 2)
    vie.renvoi("un", 1)
    assert vie.convention("un").cout_total_declare == 0


def test_amounts_are_sorted_below_zero_too(vie: Reprises) -> None:
    une = vie.declarer("1000.00")
    for montant in ("-2.00", "-10.00", "-1.00"):
        vie.declarer(montant, une)
    vie.declarer("7.00")
    with vie.reads.connection() as conn:
        found = depenses(conn, OI_ENTIER, vie.id("un"), tri="montant")
        assert [d.montant_impute for d in found.lignes] == [-1_000, -200, -100, 700, 100_000]
        premiere = depenses(conn, OI_ENTIER, vie.id("un"), tri="montant", limite=2)
        suite = depenses(conn, OI_ENTIER, vie.id("un"), tri="montant", apres=premiere.suivant)
        assert [d.montant_impute for d in suite.lignes] == [-100, 700, 100_000]


def test_a_regularisation_is_controlled_and_the_books_hold(vie: Reprises, base: str) -> None:
    une = vie.declarer("1000.00")
    reprise = vie.declarer("-400.00", une)
    depot = commande(
        DeposerBilan,
        date_effet=date(2022, 4, 1),
        type="final",
        periode=PERIODE_SAISIE,
        depenses=[une, reprise],
        ressources=[],
    )
    vie.acte(actions.deposer_bilan, vie.id("un"), depot)
    vie.ouverture_controle("un")
    [bilan] = vie.convention("un").bilans.values()
    assert bilan.cout_total_declare == euros(600)
    assert bilan.csf is not None
    csf_id = bilan.csf.csf_id

    def controler(**ligne: Any) -> Any:
        lignes = [
            {"depense_id": une, "montant_ecarte": "0.00"},
            {"depense_id": reprise, "montant_ecarte": "0.00", **ligne},
        ]
        asked = commande(ControlerDepenses, date_effet=date(2022, 5, 2), lignes=lignes)
        return vie.acte(actions.controler_depenses, vie.id("un"), asked, csf_id)

    with pytest.raises(RegularisationRetenueEntiere):
        controler(montant_ecarte="1.00", motif_code="HORS_PERIODE")
    controler(motif_code="REGULARISATION_BILAN_ANTERIEUR")
    assert vie.depense(reprise).retenu == -euros(400)
    assert [str(c) for c in verifier(base) if c.ecarts] == []
