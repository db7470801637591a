"""Targets of certification and forecasts: what may be recorded, and what replaces what."""

from datetime import date
from typing import Any

import pytest
from dsl import Decision, Given
from fabrique import LIGNE, SUBVENTION, SUBVENTION_ID, TRANCHE, commande, euros, fait
from pydantic import ValidationError

from aggregates.cadre import Cadre
from aggregates.subvention_globale.events import (
    ObjectifCertificationFixe,
    PrevisionDeposee,
    PrevisionTrimestre,
    SubventionGlobaleConventionnee,
    TrancheOuverte,
)
from aggregates.subvention_globale.maquette import PlieInconnu
from aggregates.subvention_globale.objectifs import (
    DateLimiteAvantLEngagement,
    DeposerPrevisions,
    FixerObjectifCertification,
    ObjectifAuDelaDeLaSubvention,
    ObjectifAuDelaDuSuivant,
    ObjectifSansLigne,
    ObjectifSousLePrecedent,
    PrefinancementsSuperieurs,
    PrevisionEnDouble,
    TrimestreRevolu,
    deposer_previsions,
    fixer_objectif,
)
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE, LigneObjectif
from rules.parametres import ParametreHorsVigueur


def fix(facts: Any = TRANCHE, **saisie: Any) -> Decision:
    asked = {"annee_engagement": 2018, "montant_cumule": "900000.00", "source": "Courrier"}
    kind = FixerObjectifCertification
    return Given(SUBVENTION_GLOBALE, facts).when(fixer_objectif, commande(kind, **asked | saisie))


def fixed(montant: int, jour: date, **ligne: str | None) -> ObjectifCertificationFixe:
    tout = {"plie_id": None, "axe": None, "objectif_specifique": None}
    return fait(
        ObjectifCertificationFixe,
        montant_cumule_centimes=euros(montant),
        date_limite=jour,
        **tout | ligne,
    )


def test_a_target_takes_the_deadline_of_its_commitment() -> None:
    fix(prefinancements="31500.00").then_one(
        ObjectifCertificationFixe,
        plie_id=None,
        axe=None,
        objectif_specifique=None,
        annee_engagement=2018,
        date_limite=date(2021, 12, 31),
        montant_cumule_centimes=euros(900_000),
        prefinancements_centimes=euros(31_500),
        source="Courrier",
    )


def test_the_state_may_fix_another_day() -> None:
    fix(date_limite="2021-06-30").then_one(
        ObjectifCertificationFixe, date_limite=date(2021, 6, 30), prefinancements_centimes=0
    )


def test_the_last_commitment_of_2021_2027_has_two_years_only() -> None:
    cadre = Cadre(subvention_globale_id=SUBVENTION_ID, oi_id="oi-fictif", reglement="2021-2027")
    held = [
        fait(SubventionGlobaleConventionnee, numero="SG-2", cadre=cadre),
        fait(TrancheOuverte),
    ]
    fix(held, annee_engagement=2027).then_one(
        ObjectifCertificationFixe, date_limite=date(2029, 12, 31)
    )
    fix(held, annee_engagement=2020).refuses(ParametreHorsVigueur, "degagement_office_annees")


def test_a_target_may_be_about_a_plie_and_a_line_that_exist() -> None:
    line = {"plie_id": "A", "axe": LIGNE.axe, "objectif_specifique": LIGNE.objectif_specifique}
    after = fix(**line).state()
    assert after.objectifs == {LigneObjectif("A", "3", "OS1"): {date(2021, 12, 31): euros(900_000)}}
    fix(**line | {"plie_id": "C"}).refuses(PlieInconnu, "« C »")
    fix(**line | {"objectif_specifique": "OS7"}).refuses(ObjectifSansLigne, "« OS7 »")
    fix(axe="4").refuses(ObjectifSansLigne, "pour axe « 4 » et pour objectif spécifique « tous »")
    fix(SUBVENTION).refuses(ObjectifSansLigne, "ouvrez d’abord la tranche")


def test_a_target_stays_within_the_grant_to_the_cent() -> None:
    fix(montant_cumule="1000000.00").then_one(ObjectifCertificationFixe)
    fix(montant_cumule="1000000.01").refuses(
        ObjectifAuDelaDeLaSubvention, "1 000 000,01 € dépasse les 1 000 000,00 €"
    )


def test_what_is_prefinanced_is_a_part_of_the_target() -> None:
    fix(montant_cumule="10.00", prefinancements="10.00").then_one(ObjectifCertificationFixe)
    fix(montant_cumule="10.00", prefinancements="10.01").refuses(
        PrefinancementsSuperieurs, "(10,01 €) dépassent l’objectif (10,00 €)"
    )


def test_a_deadline_does_not_come_before_its_commitment() -> None:
    fix(date_limite="2018-01-01").then_one(ObjectifCertificationFixe)
    fix(date_limite="2017-12-31").refuses(DateLimiteAvantLEngagement, "2018")


def test_a_cumulated_target_never_shrinks_with_time() -> None:
    held = [
        *TRANCHE,
        fixed(400_000, date(2020, 12, 31)),
        fixed(600_000, date(2022, 12, 31)),
        fixed(10, date(2020, 12, 31), plie_id="A"),
    ]
    fix(held, montant_cumule="399999.99").refuses(
        ObjectifSousLePrecedent,
        "au 31/12/2021, 399 999,99 € seraient moins que les 400 000,00 € déjà fixés au 31/12/2020",
    )
    fix(held, montant_cumule="600000.01").refuses(
        ObjectifAuDelaDuSuivant, "que les 600 000,00 € déjà fixés au 31/12/2022"
    )
    for montant in ("400000.00", "600000.00"):
        fix(held, montant_cumule=montant).then_one(ObjectifCertificationFixe)


def test_a_target_of_the_same_line_and_day_is_replaced() -> None:
    held = [*TRANCHE, fixed(400_000, date(2021, 12, 31)), fixed(500_000, date(2022, 12, 31))]
    after = fix(held, montant_cumule="300000.00").state()
    assert after.objectifs[LigneObjectif(None, None, None)] == {
        date(2021, 12, 31): euros(300_000),
        date(2022, 12, 31): euros(500_000),
    }
    # Both are lowered the nearer first, and raised the further first.
    fix([*TRANCHE, *held[3:]], montant_cumule="300000.00").then_one(ObjectifCertificationFixe)


def foresee(*trimestres: dict[str, Any], **saisie: Any) -> Decision:
    kind = DeposerPrevisions
    asked = commande(kind, **{"date_effet": "2022-03-31", "trimestres": trimestres} | saisie)
    return Given(SUBVENTION_GLOBALE, TRANCHE).when(deposer_previsions, asked)


def quarter(annee: int, trimestre: int, **changes: Any) -> dict[str, Any]:
    asked = {"annee": annee, "trimestre": trimestre, "mesure": "fse_declare", "montant": "30000.00"}
    return asked | changes


def test_a_plie_foresees_the_quarters_to_come() -> None:
    foresee(quarter(2022, 1), quarter(2022, 2)).then_one(
        PrevisionDeposee,
        plie_id="A",
        trimestres=tuple(
            PrevisionTrimestre(
                annee=2022, trimestre=numero, mesure="fse_declare", montant_centimes=euros(30_000)
            )
            for numero in (1, 2)
        ),
    )


def test_a_quarter_that_is_over_is_no_longer_foreseen() -> None:
    foresee(quarter(2022, 1), date_effet="2022-03-31").then_one(PrevisionDeposee)
    foresee(quarter(2022, 1), date_effet="2022-04-01").refuses(
        TrimestreRevolu, "Le trimestre 1 de 2022 est fini depuis le 31/03/2022"
    )
    foresee(quarter(2021, 4)).refuses(TrimestreRevolu, "31/12/2021")


def test_a_quarter_is_foreseen_once_for_a_measure() -> None:
    foresee(quarter(2022, 2), quarter(2022, 2, montant="1.00")).refuses(
        PrevisionEnDouble, "Le trimestre 2 de 2022 est prévu deux fois"
    )
    two = foresee(quarter(2022, 2), quarter(2022, 2, mesure="fse_certifie", montant="0.00"))
    assert [p.mesure for p in two.facts()[0].trimestres] == ["fse_declare", "fse_certifie"]


def test_only_a_plie_of_the_grant_foresees() -> None:
    foresee(quarter(2022, 2), plie_id="C").refuses(PlieInconnu, "« C »")
    foresee(quarter(2022, 2), plie_id="reserve").refuses(PlieInconnu, "« reserve »")


@pytest.mark.parametrize(
    "change", [{"trimestre": 0}, {"trimestre": 5}, {"mesure": "fse_paye"}, {"montant": "-1.00"}]
)
def test_a_malformed_forecast_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        foresee(quarter(2022, 2) | change)
