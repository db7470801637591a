"""A régularisation and its bilan; what a refusal about a bilan says."""

from typing import Any
from uuid import UUID

import msgspec
import pytest
from dsl import Decision, Given
from fabrique import (
    AUTRE_DEPENSE_ID,
    BILAN_ID,
    DEPENSE_ID,
    NOTIFIEE,
    commande,
    depense,
    euros,
    fait,
    ressource,
)

from aggregates.convention.bilans import (
    BilanApresClotureOffice,
    BilanHorsConvention,
    BilanRegularise,
    DeposerBilan,
    RegularisationAvantSaDepense,
    RenvoyerBilan,
    deposer_bilan,
    renvoyer_bilan,
)
from aggregates.convention.events import BilanDepose, BilanRenvoye, ClotureOfficePrononcee
from aggregates.convention.state import CONVENTION
from aggregates.depense.state import Depense

DEUXIEME = UUID(int=50)
#: The dépense is in a first bilan.
DEPOSEE = [*NOTIFIEE, fait(BilanDepose, type="intermediaire", depenses=(DEPENSE_ID,))]
#: The régularisation that takes back from it is in a second one.
REPRISE = [
    *DEPOSEE,
    fait(BilanDepose, bilan_id=DEUXIEME, numero=2, depenses=(AUTRE_DEPENSE_ID,)),
]


def regularisation() -> Depense:
    taken = depense(1, piece_ref="AV-07", regularise=DEPENSE_ID)
    detail = msgspec.structs.replace(taken.detail, montant_impute_centimes=-euros(1))
    return msgspec.structs.replace(taken, detail=detail)


def regularised() -> Depense:
    return msgspec.structs.replace(depense(), regularisations={AUTRE_DEPENSE_ID: -euros(1)})


def file(facts: Any, *lignes: tuple[UUID, Depense], **saisie: Any) -> Decision:
    asked = commande(DeposerBilan, depenses=[i for i, _ in lignes], **saisie)
    return Given(CONVENTION, facts).when(deposer_bilan, asked, DEUXIEME, [d for _, d in lignes])


def test_a_regularisation_comes_with_its_depense_or_after_it() -> None:
    late = (AUTRE_DEPENSE_ID, regularisation())
    file(NOTIFIEE, late).refuses(RegularisationAvantSaDepense, "La régularisation AV-07 reprend")
    file(NOTIFIEE, late, (DEPENSE_ID, depense())).then_one(BilanDepose)
    file(DEPOSEE, late, numero=2).then_one(BilanDepose)
    # Sent back, the first bilan no longer holds it.
    file([*DEPOSEE, fait(BilanRenvoye)], late).refuses(RegularisationAvantSaDepense, "AV-07")


def send_back(facts: Any, bilan_id: UUID, *depenses: Depense) -> Decision:
    return Given(CONVENTION, facts).when(
        renvoyer_bilan, commande(RenvoyerBilan), bilan_id, depenses
    )


def test_a_bilan_whose_depense_another_one_takes_back_stays() -> None:
    send_back(REPRISE, BILAN_ID, depense(5), regularised()).refuses(
        BilanRegularise, "La dépense BS-2021-05 de ce bilan est régularisée"
    )
    send_back(REPRISE, DEUXIEME, regularisation()).then_one(BilanRenvoye)
    # Together in one bilan, or taken back by what no bilan holds, they go back.
    together = [*NOTIFIEE, fait(BilanDepose, depenses=(DEPENSE_ID, AUTRE_DEPENSE_ID))]
    send_back(together, BILAN_ID, regularised(), regularisation()).then_one(BilanRenvoye)
    send_back(DEPOSEE, BILAN_ID, regularised()).then_one(BilanRenvoye)


@pytest.mark.parametrize(
    ("debut", "fin", "dit"),
    [
        ("2020-12-31", "2021-06-30", "du 31/12/2020 au 30/06/2021"),
        ("2021-01-01", "2022-01-01", "du 01/01/2021 au 01/01/2022"),
    ],
)
def test_the_period_that_leaves_the_convention_is_said(debut: str, fin: str, dit: str) -> None:
    file(NOTIFIEE, (DEPENSE_ID, depense()), periode={"debut": debut, "fin": fin}).refuses(
        BilanHorsConvention, dit
    )


def test_no_bilan_comes_after_the_file_was_closed_without_it() -> None:
    closed = [*NOTIFIEE, fait(ClotureOfficePrononcee)]
    file(closed, (DEPENSE_ID, depense())).refuses(BilanApresClotureOffice, "clos d’office")


def test_what_the_other_funders_paid_is_declared_by_funder() -> None:
    paid = {"type": "publique_epci", "financeur": "EPCI fictif", "montant": "1234.56"}
    file(NOTIFIEE, (DEPENSE_ID, depense()), ressources=[paid]).then_one(
        BilanDepose, ressources=(ressource("publique_epci", "1 234,56", "EPCI fictif"),)
    )


def test_the_lines_of_a_poste_add_up_and_the_share_is_rounded_half_up() -> None:
    lines = [(DEPENSE_ID, depense("0,02")), (AUTRE_DEPENSE_ID, depense("0,01"))]
    # Half of 3 cents.
    file(NOTIFIEE, *lines).then_one(
        BilanDepose, cout_total_declare_centimes=3, fse_declare_centimes=2
    )


def test_a_bilan_sent_back_declares_nothing_beside_the_next_one() -> None:
    first = file(NOTIFIEE, (DEPENSE_ID, depense()), type="intermediaire").then_one(BilanDepose)
    back = fait(
        BilanRenvoye,
        bilan_id=DEUXIEME,
        cout_total_declare_centimes=euros(1_000),
        fse_declare_centimes=euros(500),
    )
    asked = commande(DeposerBilan, depenses=[DEPENSE_ID])
    Given(CONVENTION, [*NOTIFIEE, first, back]).when(
        deposer_bilan, asked, BILAN_ID, [depense(300)]
    ).then_one(
        BilanDepose,
        cout_total_declare_centimes=euros(300),
        fse_declare_centimes=euros(150),
    )


def test_a_bilan_is_never_filed_with_fewer_lines_than_it_names() -> None:
    asked = commande(DeposerBilan, depenses=[DEPENSE_ID, AUTRE_DEPENSE_ID])
    with pytest.raises(ValueError, match="shorter"):
        Given(CONVENTION, NOTIFIEE).when(deposer_bilan, asked, BILAN_ID, [depense()]).facts()
