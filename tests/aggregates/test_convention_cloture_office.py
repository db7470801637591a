"""A bilan that never comes: asked for, then the file is closed, two months later."""

from datetime import date
from typing import Any

import pytest
from dsl import Decision, Given
from fabrique import (
    BILAN_ID,
    NOTIFIEE,
    commande,
    euros,
    fait,
    signee,
)
from msgspec.structs import replace

from aggregates.convention.bilans import BilanApresClotureOffice, DeposerBilan, deposer_bilan
from aggregates.convention.cloture_office import (
    BilanNonAttendu,
    BilanPasEnRetard,
    CloreOffice,
    ClotureOfficeBilanEnAttente,
    ClotureOfficeDejaPrononcee,
    ClotureOfficeSansReclamation,
    ReclamerBilan,
    clore_office,
    reclamer_bilan,
)
from aggregates.convention.events import (
    BilanDepose,
    BilanPrevu,
    BilanReclame,
    BilanRenvoye,
    ClotureOfficePrononcee,
    ConventionNotifiee,
    CsfOuvert,
    CsfValide,
)
from aggregates.convention.state import CONVENTION

#: Two bilans expected, the first one an intermediate.
DEUX_ATTENDUS = [
    replace(
        signee(),
        bilans_prevus=(
            BilanPrevu(numero=1, type="intermediaire", date_limite=date(2021, 9, 30)),
            BilanPrevu(numero=2, type="final", date_limite=date(2022, 6, 30)),
        ),
    ),
    fait(ConventionNotifiee),
]
#: 40 000,00 € due on the first one.
PREMIER_CONTROLE = [
    *DEUX_ATTENDUS,
    fait(BilanDepose, type="intermediaire"),
    fait(CsfOuvert),
    fait(CsfValide, type="intermediaire"),
]
RECLAME = fait(BilanReclame, numero=2, date_limite_reponse=date(2022, 9, 1))


def claim(facts: Any = NOTIFIEE, numero: int = 1, le: str = "2022-07-01") -> Decision:
    return Given(CONVENTION, facts).when(
        reclamer_bilan, commande(ReclamerBilan, numero=numero, date_effet=le)
    )


def close(facts: Any, numero: int = 2, le: str = "2022-09-02", **saisie: Any) -> Decision:
    return Given(CONVENTION, facts).when(
        clore_office, commande(CloreOffice, numero=numero, date_effet=le, **saisie)
    )


def test_a_late_bilan_is_asked_for_and_two_months_are_left() -> None:
    claim().then_one(BilanReclame, numero=1, date_limite_reponse=date(2022, 9, 1))
    claim(le="2022-12-31").then_one(BilanReclame, date_limite_reponse=date(2023, 2, 28))


def test_a_bilan_is_not_asked_for_before_its_day() -> None:
    claim(le="2022-06-30").refuses(BilanPasEnRetard, "attendu jusqu’au 30/06/2022")


@pytest.mark.parametrize(
    ("facts", "numero"),
    [
        (NOTIFIEE, 2),
        ([*NOTIFIEE, fait(BilanDepose)], 1),
        (PREMIER_CONTROLE, 1),
        ([*DEUX_ATTENDUS, fait(BilanDepose, numero=2)], 1),
    ],
    ids=["not foreseen", "filed", "controlled", "the final one is in"],
)
def test_only_what_is_expected_is_asked_for(facts: Any, numero: int) -> None:
    claim(facts, numero).refuses(BilanNonAttendu, f"Le bilan n° {numero} n’est pas prévu")
    close(facts, numero).refuses(BilanNonAttendu, "il n’y a rien à réclamer")


def test_a_bilan_sent_back_is_expected_again() -> None:
    claim([*NOTIFIEE, fait(BilanDepose), fait(BilanRenvoye)]).then_one(BilanReclame)


def test_a_file_is_closed_once_nobody_answered_in_time() -> None:
    close(PREMIER_CONTROLE).refuses(ClotureOfficeSansReclamation, "(bilan à réclamer)")
    claimed = [*PREMIER_CONTROLE, RECLAME]
    close(claimed, le="2022-09-01").refuses(
        ClotureOfficeSansReclamation, "encore attendue (01/09/2022)"
    )
    close(claimed).then_one(ClotureOfficePrononcee, numero=2, motif="Motif de l’essai")


def test_what_was_proven_before_is_kept_or_set_aside() -> None:
    claimed = [*PREMIER_CONTROLE, RECLAME]
    before = {
        "fse_du_avant_centimes": euros(40_000),
        "cout_total_retenu_avant_centimes": euros(80_000),
    }
    close(claimed).then_one(
        ClotureOfficePrononcee,
        fse_du_apres_centimes=0,
        cout_total_retenu_apres_centimes=0,
        **before,
    )
    kept = close(claimed, montants_controles="conserves")
    kept.then_one(
        ClotureOfficePrononcee,
        fse_du_apres_centimes=euros(40_000),
        cout_total_retenu_apres_centimes=euros(80_000),
        **before,
    )
    assert (kept.state().fse_du, close(claimed).state().fse_du) == (euros(40_000), 0)


def test_a_file_is_closed_once() -> None:
    closed = [*PREMIER_CONTROLE, RECLAME, fait(ClotureOfficePrononcee)]
    close(closed).refuses(ClotureOfficeDejaPrononcee, "déjà clos d’office")


def test_a_bilan_that_waits_for_its_control_comes_first() -> None:
    waiting = [*DEUX_ATTENDUS, fait(BilanDepose, type="intermediaire"), RECLAME]
    close(waiting).refuses(ClotureOfficeBilanEnAttente, "Le bilan n° 1 attend son contrôle")
    close([*waiting, fait(CsfOuvert)]).refuses(ClotureOfficeBilanEnAttente, "n° 1")


def test_nothing_is_filed_after_the_file_is_closed() -> None:
    closed = [*NOTIFIEE, fait(BilanReclame), fait(ClotureOfficePrononcee)]
    Given(CONVENTION, closed).when(deposer_bilan, commande(DeposerBilan), BILAN_ID, []).refuses(
        BilanApresClotureOffice, "plus aucun bilan n’est attendu"
    )
