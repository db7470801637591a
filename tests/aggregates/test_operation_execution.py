"""Life of an operation under convention, and its end."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from dsl import Decision, Given
from fabrique import (
    CADRE,
    OPERATION_ID,
    PARCOURS,
    commande,
    euros,
    fait,
)
from pydantic import ValidationError

from aggregates.cadre import Cadre
from aggregates.operation.cloture import Archiver, Cloturer, archiver, cloturer, solder
from aggregates.operation.events import (
    DossierArchive,
    DossierDepose,
    IndicateurRenseigne,
    OperationAbandonnee,
    OperationCloturee,
    OperationDemarree,
    OperationResiliee,
    OperationSoldee,
    RealisationTerminee,
)
from aggregates.operation.execution import (
    ConstaterFin,
    DemarrageAvantPeriode,
    Demarrer,
    IndicateurInconnu,
    Interrompre,
    RealisationEnCours,
    RenseignerIndicateur,
    abandonner,
    constater_fin,
    demarrer,
    renseigner_indicateur,
    resilier,
)
from aggregates.operation.state import OPERATION, OperationAbsente

MOTIF = "Motif de l’essai"


def start(jour: str) -> Decision:
    return Given(OPERATION, PARCOURS["conventionne"]).when(
        demarrer, commande(Demarrer, date_effet=jour)
    )


def test_an_operation_starts_from_the_first_day_of_its_period() -> None:
    start("2021-01-01").then(fait(OperationDemarree, date_effet=date(2021, 1, 1)))
    start("2020-12-31").refuses(
        DemarrageAvantPeriode, "Le démarrage du 31/12/2020 précède la période de réalisation"
    )


def end(jour: str) -> Decision:
    return Given(OPERATION, PARCOURS["en_execution"]).when(
        constater_fin, commande(ConstaterFin, date_effet=jour)
    )


def test_the_end_is_taken_note_of_the_day_after_the_period() -> None:
    end("2022-01-01").then(
        fait(RealisationTerminee, date_effet=date(2022, 1, 1), fin=date(2021, 12, 31))
    )
    end("2021-12-31").refuses(
        RealisationEnCours,
        "court jusqu’au 31/12/2021 : sa fin ne se constate pas le 31/12/2021",
    )


def reach(life: Any = PARCOURS["en_execution"], **saisie: Any) -> Decision:
    return Given(OPERATION, life).when(
        renseigner_indicateur, commande(RenseignerIndicateur, **saisie)
    )


def test_an_achievement_replaces_the_last_one() -> None:
    reach().then(fait(IndicateurRenseigne))
    life = [*PARCOURS["en_execution"], fait(IndicateurRenseigne, realise=Decimal(12))]
    reach(life, realise="34.5").then_one(
        IndicateurRenseigne, realise=Decimal("34.5"), remplace=Decimal(12)
    )


def test_an_indicator_that_the_fiche_lacks_is_refused() -> None:
    reach(indicateur=2).refuses(IndicateurInconnu, "n° 2 n’existe pas : l’opération en compte 1")


@pytest.mark.parametrize("realise", ["-1", "1e3", "1,5", "NaN", "1\u0665", 34])
def test_an_achievement_is_a_plain_decimal_string(realise: object) -> None:
    with pytest.raises(ValidationError):
        commande(RenseignerIndicateur, realise=realise)


def test_abandonment_and_termination_say_why() -> None:
    Given(OPERATION, PARCOURS["en_execution"]).when(abandonner, commande(Interrompre)).then(
        fait(OperationAbandonnee, motif=MOTIF)
    )
    Given(OPERATION, PARCOURS["en_execution"]).when(resilier, commande(Interrompre)).then(
        fait(OperationResiliee, motif=MOTIF)
    )
    with pytest.raises(ValidationError):
        commande(Interrompre, motif="   ")


def test_settling_frees_what_was_programmed_and_is_not_due() -> None:
    Given(OPERATION, PARCOURS["bilan_final_depose"]).when(
        solder,
        fse_du=euros(40_000),
        cout_total_retenu=euros(80_000),
        date_effet=date(2021, 12, 15),
    ).then(
        fait(
            OperationSoldee,
            fse_programme_centimes=euros(50_000),
            cout_total_programme_centimes=euros(100_000),
        )
    )


def test_closing_and_archiving() -> None:
    Given(OPERATION, PARCOURS["solde"]).when(cloturer, commande(Cloturer)).then(
        fait(OperationCloturee)
    )
    Given(OPERATION, PARCOURS["cloture"]).when(archiver, commande(Archiver)).then(
        fait(DossierArchive)
    )


@pytest.mark.parametrize(
    ("reglement", "reference", "limite"),
    [
        ("2014-2020", "2022-11-15", date(2025, 12, 31)),
        ("2014-2020", "2022-12-31", date(2025, 12, 31)),
        ("2021-2027", "2024-06-30", date(2029, 12, 31)),
    ],
)
def test_the_file_is_kept_as_long_as_its_regulation_says(
    reglement: Any, reference: str, limite: date
) -> None:
    cadre = Cadre(
        subvention_globale_id=CADRE.subvention_globale_id, oi_id="oi", reglement=reglement
    )
    life = [fait(DossierDepose, cadre=cadre), *PARCOURS["cloture"][1:]]
    Given(OPERATION, life).when(archiver, commande(Archiver, reference=reference)).then_one(
        DossierArchive, date_limite_conservation=limite, base_calcul=reglement
    )


def test_an_operation_that_does_not_exist_is_named() -> None:
    assert "Aucune opération ne porte l’identifiant" in str(OperationAbsente(id=OPERATION_ID))
