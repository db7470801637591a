"""Contrôle de service fait: opened on an admissible bilan, opened again as a new version."""

from typing import Any
from uuid import UUID

import pytest
from dsl import Decision, Given
from fabrique import (
    AUTRE_ID,
    BILAN,
    BILAN_ID,
    CERTIFIE,
    CSF,
    CSF_ID,
    NOTIFIEE,
    PAR,
    RECEVABLE,
    commande,
    fait,
    operation,
)

from aggregates.convention.constatations import (
    ControlerRealisations,
    ControlerRecettes,
    ControlerRessources,
    CorrigerFse,
    CorrigerMarche,
    RemplirGrille,
    controler_realisations,
    controler_recettes,
    controler_ressources,
    corriger_fse,
    corriger_marche,
    remplir_grille,
)
from aggregates.convention.echantillons import (
    DeciderExtrapolation,
    TirerEchantillon,
    decider_extrapolation,
    tirer_echantillon,
)
from aggregates.convention.events import (
    BilanRenvoye,
    ClotureOfficePrononcee,
    CsfOuvert,
    CsfRouvert,
    ExtrapolationDecidee,
    FseCorrige,
    GrilleRemplie,
    MarcheCorrige,
    RealisationsControlees,
    RecettesControlees,
    RessourcesControlees,
)
from aggregates.convention.service_fait import (
    CsfAbsent,
    CsfApresClotureOffice,
    CsfClos,
    CsfNonValide,
    CsfSansBilan,
    OuvrirCsf,
    RouvrirCsf,
    ouvrir_csf,
    rouvrir_csf,
)
from aggregates.convention.state import CONVENTION
from aggregates.convention.validation import (
    NotifierConclusions,
    NotifierConclusionsFinales,
    RecevoirObservations,
    ValiderCsf,
    notifier_conclusions,
    notifier_conclusions_finales,
    recevoir_observations,
    valider_csf,
)
from aggregates.operation.transitions import ActeHorsDeSonOrdre


def open_csf(facts: Any = RECEVABLE, bilan_id: UUID = BILAN_ID, **saisie: Any) -> Decision:
    return Given(CONVENTION, facts).when(
        ouvrir_csf, commande(OuvrirCsf, bilan_id=bilan_id, **saisie), CSF_ID, PAR
    )


def test_a_control_begins_on_a_bilan_that_was_found_admissible() -> None:
    open_csf().then(fait(CsfOuvert))
    open_csf(modalite="echantillon").then(fait(CsfOuvert, modalite="echantillon"))


@pytest.mark.parametrize(
    "facts",
    [NOTIFIEE, BILAN, CSF, CERTIFIE, [*BILAN, fait(BilanRenvoye)]],
    ids=["no bilan", "not judged yet", "under control", "controlled", "sent back"],
)
def test_no_control_without_a_bilan_that_waits_for_it(facts: Any) -> None:
    open_csf(facts).refuses(CsfSansBilan, "ce bilan n’est pas jugé recevable, ou il est déjà")


#: Every act of a control, with what it is told.
ACTES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "ressources": (controler_ressources, (commande(ControlerRessources), CSF_ID, PAR)),
    "realisations": (
        controler_realisations,
        (commande(ControlerRealisations), CSF_ID, PAR),
    ),
    "recettes": (controler_recettes, (commande(ControlerRecettes), CSF_ID, PAR)),
    "marche": (corriger_marche, (commande(CorrigerMarche), CSF_ID, [], PAR)),
    "fse": (corriger_fse, (commande(CorrigerFse), CSF_ID, operation(), PAR)),
    "grille": (remplir_grille, (commande(RemplirGrille), CSF_ID, PAR)),
    "tirage": (tirer_echantillon, (commande(TirerEchantillon), CSF_ID, {}, PAR)),
    "extrapolation": (
        decider_extrapolation,
        (commande(DeciderExtrapolation), CSF_ID, {}, PAR),
    ),
    "conclusions": (notifier_conclusions, (commande(NotifierConclusions), CSF_ID, {})),
    "observations": (recevoir_observations, (commande(RecevoirObservations), CSF_ID)),
    "finales": (notifier_conclusions_finales, (commande(NotifierConclusionsFinales), CSF_ID)),
    "validation": (valider_csf, (commande(ValiderCsf), CSF_ID, "valideur-1", {}, operation())),
}


@pytest.mark.parametrize("acte", ACTES)
def test_a_validated_control_does_not_change(acte: str) -> None:
    decision, args = ACTES[acte]
    Given(CONVENTION, CERTIFIE).when(decision, *args).refuses(CsfClos, "il ne se modifie plus")


@pytest.mark.parametrize("acte", ACTES)
def test_a_control_that_does_not_exist_is_named(acte: str) -> None:
    decision, args = ACTES[acte]
    Given(CONVENTION, BILAN).when(decision, *args).refuses(CsfAbsent, str(CSF_ID))


# --- A new version -------------------------------------------------------------------------------


def reopen(
    facts: Any = CERTIFIE,
    csf_id: UUID = CSF_ID,
    statut: Any = "bilan_final_depose",
    **saisie: Any,
) -> Decision:
    return Given(CONVENTION, facts).when(
        rouvrir_csf, commande(RouvrirCsf, **saisie), csf_id, operation(statut=statut)
    )


@pytest.mark.parametrize(
    "statut",
    [
        "en_execution",
        "realisation_terminee",
        "bilan_final_depose",
        "abandonne",
        "resilie",
        "solde",
        "cloture",
        "archive",
    ],
)
def test_a_validated_control_opens_again_as_a_new_version_even_after_the_solde(
    statut: str,
) -> None:
    reopen(statut=statut).then(fait(CsfRouvert, motif="Motif de l’essai"))
    open_csf([*CERTIFIE, fait(CsfRouvert)]).then_one(CsfOuvert, version=2)


def test_the_audit_that_asks_for_a_new_version_is_named() -> None:
    reopen(controle_ref="CICC-2024-12").then_one(CsfRouvert, controle_ref="CICC-2024-12")


@pytest.mark.parametrize("statut", ["depose", "programme", "conventionne"])
def test_a_control_does_not_open_again_before_there_is_one(statut: str) -> None:
    reopen(statut=statut).refuses(
        ActeHorsDeSonOrdre, "Rouvrir le contrôle de service fait est impossible"
    )


def test_a_control_that_is_not_validated_is_not_reopened() -> None:
    reopen(CSF).refuses(CsfNonValide, "il n’y a rien à rouvrir")
    reopen([*CERTIFIE, fait(CsfRouvert)]).refuses(CsfNonValide, "il n’y a rien à rouvrir")
    reopen(csf_id=AUTRE_ID).refuses(CsfAbsent, str(AUTRE_ID))


def test_the_controls_of_a_dossier_closed_without_its_bilan_do_not_open_again() -> None:
    reopen([*CERTIFIE, fait(ClotureOfficePrononcee)], statut="resilie").refuses(
        CsfApresClotureOffice, "ses contrôles ne se rouvrent plus"
    )


def test_a_new_version_starts_from_the_decisions_of_the_former_one() -> None:
    decisions = [
        fait(RessourcesControlees),
        fait(RealisationsControlees),
        fait(RecettesControlees),
        fait(MarcheCorrige),
        fait(FseCorrige),
        fait(ExtrapolationDecidee),
        fait(GrilleRemplie),
    ]
    avant = [*CSF, *decisions, *CERTIFIE[len(CSF) :]]
    first = open_csf_state(avant)
    second = open_csf_state([*avant, fait(CsfRouvert), fait(CsfOuvert, csf_id=AUTRE_ID, version=2)])
    assert (second.csf_id, second.version, second.statut) == (AUTRE_ID, 2, "en_controle")
    assert second.grille
    assert second.recettes is not None
    for decided in (
        "ressources",
        "realisations_vues",
        "recettes",
        "corrections_marche",
        "corrections_fse",
        "extrapolations",
        "grille",
    ):
        assert getattr(second, decided) == getattr(first, decided), decided
    # The phase contradictoire starts anew.
    assert (second.date_limite_reponse, second.fse_annonce) == (None, None)


def open_csf_state(facts: Any) -> Any:
    state = CONVENTION.replay(facts)
    assert state is not None
    return state.bilans[BILAN_ID].csf
